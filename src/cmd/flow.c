/* weir flow: packets of capture files to flow records. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/shared.h"
#include "engine/engine.h"
#include "lake/lake.h"
#include "output/output.h"

struct flow_command {
    struct output_options output; /* first: output_option_table counts from here */
    const char *preset, *key, *end, *length, *filter, *filter_language, *time, *from, *to;
    int64_t idle_ns, active_ns; /* -1: as the preset says */
    uint64_t workers, memory, count;
    bool is_uni, is_bi, is_client_server, enters_tunnels, is_sorted, has_stats, has_rusage,
        is_quiet;
    const char *lake, *source;
    struct option_list read;
};

#define AT(member) offsetof(struct flow_command, member)
static const struct option input_options[] = {
    { "read", 'r', OPTION_LIST, AT(read), "PATH",
      "capture file, - is standard input; same as an INPUT" },
    { "sort", 0, OPTION_FLAG, AT(is_sorted), NULL, "merge the inputs by time" },
    { "time", 't', OPTION_TEXT, AT(time), "FROM..TO",
      "only packets of this time; either side may be left out" },
    { "from", 0, OPTION_TEXT, AT(from), "TIME", "only packets from this time on" },
    { "to", 0, OPTION_TEXT, AT(to), "TIME", "only packets up to and with this time" },
    { "count", 'c', OPTION_COUNT, AT(count), "N", "stop after N packets" },
    { "filter", 'f', OPTION_TEXT, AT(filter), "EXPR",
      "packets by BPF, or records by a flow filter; so do words after --" },
    { "filter-language", 0, OPTION_TEXT, AT(filter_language), "bpf|flow",
      "settle which of the two it is" },
    { "tunnel", 0, OPTION_FLAG, AT(enters_tunnels), NULL, "meter the packets inside tunnels" },
    { 0 },
};
static const struct option meter_options[] = {
    { "preset", 0, OPTION_TEXT, AT(preset), "NAME", "native (default), crl, nfpcapd" },
    { "idle", 0, OPTION_DURATION, AT(idle_ns), "DURATION",
      "silence that ends a record, default 60s; none = never" },
    { "active", 0, OPTION_DURATION, AT(active_ns), "DURATION",
      "longest record, default 300s; none = no limit" },
    { "key", 0, OPTION_TEXT, AT(key), "LIST",
      "key fields: srcip,dstip,proto,srcport,dstport,vlan,if,tunnel; +vlan adds" },
    { "end", 0, OPTION_TEXT, AT(end), "LIST", "what else ends a record: fin, none" },
    { "uni", 0, OPTION_FLAG, AT(is_uni), NULL, "one record per direction" },
    { "bi", 0, OPTION_FLAG, AT(is_bi), NULL, "both directions in one record" },
    { "client-server", 0, OPTION_FLAG, AT(is_client_server), NULL,
      "forward is the client by SYN or port, not the first sender" },
    { "length", 0, OPTION_TEXT, AT(length), "KIND", "frame, link, ip (default), payload" },
    { "threads", 'j', OPTION_COUNT, AT(workers), "N", "workers, default 1" },
    { "memory", 0, OPTION_SIZE, AT(memory), "SIZE",
      "of the flow table, default a quarter of the machine, 8 GiB at most" },
    { 0 },
};
static const struct option end_options[] = {
    { "lake", 0, OPTION_TEXT, AT(lake), "DIR",
      "write the records into this lake, with the ledger per minute; -o as well when given" },
    { "source", 0, OPTION_TEXT, AT(source), "NAME",
      "who writes, in the names of the lake's files, default weir" },
    { "stats", 0, OPTION_FLAG, AT(has_stats), NULL,
      "at the end the whole ledger and the time of each pass" },
    { "rusage", 0, OPTION_FLAG, AT(has_rusage), NULL,
      "at the end one line of JSON: time, memory, octets, packets" },
    { "quiet", 'q', OPTION_FLAG, AT(is_quiet), NULL, "no ledger line" },
    { 0 },
};
static const struct option *const tables[] = { input_options, meter_options, output_option_table,
                                               end_options, NULL };
#undef AT

static int flow_run(int argc, char **argv, struct err *e);

const struct command flow_command = {
    .name = "flow",
    .help = "meter packets: capture files to flow records",
    .arguments = "INPUT... [-- FILTER]",
    .examples = "  weir flow capture.pcap.gz -o csv\n"
                "  weir flow --lake traffic *.pcap\n"
                "  weir flow --preset nfpcapd --idle 30s a.pcap b.pcap -- tcp port 443\n",
    .options = tables,
    .run = flow_run,
};

static int parse_end(const char *list, bool *ends_at_fin, struct err *e)
{
    if (strcmp(list, "none") != 0 && strcmp(list, "fin") != 0)
        return err_set(e, WEIR_EUSAGE, "--end = '%s': unknown; write fin or none", list);
    *ends_at_fin = strcmp(list, "fin") == 0;
    return 0;
}

/* What the options say about metering. */
static int metering(const struct flow_command *o, struct flow_options *flow, struct err *e)
{
    int code = 0;
    flow->memory_octets = o->memory ? o->memory : memory_default();
    if (!flow_preset(o->preset, flow))
        return err_set(e, WEIR_EUSAGE, "no preset '%s'; write native, crl or nfpcapd", o->preset);
    if (o->idle_ns >= 0)
        flow->idle_ns = o->idle_ns;
    if (o->active_ns >= 0)
        flow->active_ns = o->active_ns;
    if (o->is_uni && o->is_bi)
        return err_set(e, WEIR_EUSAGE, "--uni and --bi exclude each other");
    if (o->is_uni || o->is_bi)
        flow->is_biflow = o->is_bi;
    flow->is_client_server = o->is_client_server;
    if (o->length != NULL) {
        int kind = length_kind_parse(o->length);
        if (kind < 0)
            return err_set(e, WEIR_EUSAGE,
                           "--length = '%s': unknown; write frame, link, ip or payload", o->length);
        flow->length = (enum length_kind)kind;
    }
    if (o->key != NULL)
        code = flow_key_parse(o->key, &flow->mask, e);
    if (code == 0 && o->end != NULL)
        code = parse_end(o->end, &flow->ends_at_fin, e);
    return code;
}

/* ---- records on their way to the output, through the filter ---- */

struct way {
    struct record_sink sink; /* first */
    const struct filter *filter;
    struct output *output;    /* NULL = none */
    struct record_sink *lake; /* NULL = none */
    struct ledger *ledger;    /* of the records that did not pass or went nowhere */
};

static int pass_on(struct way *way, struct record_batch *batch)
{
    int code = 0;
    if (way->lake != NULL)
        code = way->lake->push(way->lake, record_batch_ref(batch));
    if (way->output != NULL) {
        int pushed = way->output->sink.push(&way->output->sink, batch);
        return code < 0 ? code : pushed;
    }
    if (way->lake == NULL)
        way->ledger->out[STAGE_output] += batch->count;
    record_batch_unref(batch);
    return code;
}

/* Rows of the ledger on their way into the lake. */
struct minutes_way {
    struct record_sink sink; /* first */
    struct record_sink *lake;
    struct ledger *ledger;
};

static int minutes_push(struct record_sink *sink, struct record_batch *batch)
{
    struct minutes_way *way = (struct minutes_way *)sink;
    way->ledger->in[STAGE_output] += batch->count;
    return way->lake->push(way->lake, batch);
}

/* Copy a row, texts by reference to constant memory or copied into the new batch. */
static bool copy_row(struct record_batch *to, const struct record_batch *from, unsigned row)
{
    unsigned at = to->count++;
    for (unsigned c = 0; c < from->type->column_count; c++) {
        if (from->column[c].data == NULL)
            continue;
        bool is_new = to->column[c].data == NULL;
        uint8_t *data = record_batch_column(to, c);
        if (data == NULL)
            return false;
        for (unsigned before = 0; is_new && before < at; before++)
            if (record_batch_set_null(to, c, before) < 0)
                return false;
        if (record_is_null(from, c, row)) {
            if (record_batch_set_null(to, c, at) < 0)
                return false;
            continue;
        }
        size_t size = value_size(from->type->column[c].type);
        memcpy(data + at * size, record_value(from, c, row), size);
        if (from->type->column[c].type == T_TEXT) {
            struct bytes *text = (struct bytes *)(void *)(data + at * size);
            text->data =
                (const uint8_t *)arena_text(&to->arena, (const char *)text->data, text->size);
            if (text->data == NULL)
                return false;
        }
    }
    return true;
}

static int way_push(struct record_sink *sink, struct record_batch *batch)
{
    struct way *way = (struct way *)sink;
    unsigned outputs = way->lake != NULL && way->output != NULL ? 2 : 1; /* none counts as one */
    way->ledger->in[STAGE_output] += (uint64_t)batch->count * outputs;
    if (way->filter == NULL)
        return pass_on(way, batch);
    uint8_t keep[RECORD_BATCH_ROWS];
    struct record_batch *kept = record_batch_new(batch->type, batch->capacity);
    bool is_good = kept != NULL;
    filter_select(way->filter, batch, keep);
    for (unsigned row = 0; row < batch->count && is_good; row++) {
        if (keep[row])
            is_good = copy_row(kept, batch, row);
        else
            ledger_count(way->ledger, REASON_record_filtered, outputs);
    }
    record_batch_unref(batch);
    if (!is_good) {
        record_batch_unref(kept);
        return WEIR_EMEMORY;
    }
    record_batch_seal(kept);
    return pass_on(way, kept);
}

/* ---- the end ---- */

static void print_ledger(const struct flow_command *o, const struct ledger *ledger,
                         const struct engine_profile *profile)
{
    struct text out = { 0 };
    if (o->has_stats) {
        ledger_table(ledger, &out);
        uint64_t packets = ledger->in[STAGE_input] ? ledger->in[STAGE_input] : 1;
        for (unsigned i = 0; i < PASS_COUNT; i++)
            if (profile->ns[i] > 0)
                text_format(&out, "pass     %-12s %10.3f ms %10.2f ns per packet\n",
                            engine_pass_names[i], (double)profile->ns[i] * 1e-6,
                            (double)profile->ns[i] / (double)packets);
        text_format(&out, "table    %llu flows open at most, %llu octets, %.1f per flow\n",
                    (unsigned long long)profile->flows_max,
                    (unsigned long long)profile->flow_octets_max,
                    (double)profile->flow_octets_max /
                        (double)(profile->flows_max ? profile->flows_max : 1));
    }
    if (!o->is_quiet) {
        ledger_line(ledger, &out);
        text_char(&out, '\n');
    }
    if (out.size > 0)
        fwrite(out.data, 1, out.size, stderr);
    text_fini(&out);
}

static void print_rusage(const struct timespec *begin, const struct capture *capture,
                         const struct ledger *ledger)
{
    struct timespec end;
    struct rusage used;
    clock_gettime(CLOCK_MONOTONIC, &end);
    getrusage(RUSAGE_SELF, &used);
    fprintf(stderr,
            "{\"wall_s\":%.6f,\"user_s\":%.6f,\"system_s\":%.6f,\"max_rss_octets\":%llu,\"octets_"
            "read\":%llu,\"packets\":%llu,"
            "\"records\":%llu}\n",
            (double)(end.tv_sec - begin->tv_sec) + 1e-9 * (double)(end.tv_nsec - begin->tv_nsec),
            (double)used.ru_utime.tv_sec + 1e-6 * (double)used.ru_utime.tv_usec,
            (double)used.ru_stime.tv_sec + 1e-6 * (double)used.ru_stime.tv_usec,
            (unsigned long long)used.ru_maxrss * 1024, (unsigned long long)capture->octets_read,
            (unsigned long long)ledger->in[STAGE_input],
            (unsigned long long)ledger->in[STAGE_record]);
}

/* ---- the run ---- */

struct flow_run {
    struct flow_command o;
    struct engine_options engine;
    struct engine_profile profile;
    struct capture_options in;
    struct capture *capture;
    struct bpf *bpf;
    struct filter *filter;
    struct way way;
    struct minutes_way minutes;
    struct lake_writer *lake;
    struct ledger read, written, sum; /* of the capture, of the output, of everything */
};

static int open_lake(struct flow_run *f, struct err *e)
{
    struct lake_writer_options o = { .path = f->o.lake, .source = f->o.source };
    int code = lake_writer_new(&f->lake, &o, &f->written, e);
    if (code < 0)
        return code;
    f->way.lake = lake_writer_sink(f->lake, &record_types[RECORD_flow]);
    f->minutes =
        (struct minutes_way){ .sink = { minutes_push },
                              .lake = lake_writer_sink(f->lake, &record_types[RECORD_ledger]),
                              .ledger = &f->written };
    f->engine.minutes = &f->minutes.sink;
    return 0;
}

static int open_all(struct flow_run *f, const struct option_list *inputs, struct err *e)
{
    f->in.path = inputs->item;
    f->in.path_count = inputs->count;
    f->in.is_sorted = f->o.is_sorted;
    f->in.count_max = f->o.count;
    int code = metering(&f->o, &f->engine.flow, e);
    if (code == 0)
        code = time_range_parse(f->o.time, f->o.from, f->o.to, &f->in.from_ns, &f->in.to_ns, e);
    enum filter_language language = FILTER_LANGUAGE_ANY;
    if (code == 0)
        code = filter_language_parse(f->o.filter_language, &language, e);
    if (code == 0 && f->o.filter != NULL)
        code = lang_filter_parse_any(f->o.filter, language, &f->bpf, &f->filter, e);
    bool has_format = f->o.output.format != NULL || f->o.output.path != NULL;
    bool is_null = has_format
                       ? f->o.output.format != NULL && strcmp(f->o.output.format, "null") == 0
                       : f->o.lake != NULL;
    if (code == 0)
        code = capture_open_files(&f->capture, &f->in, &f->read, e);
    if (code == 0 && f->o.lake != NULL)
        code = open_lake(f, e);
    if (code == 0 && !is_null)
        code =
            output_open(&f->way.output, &f->o.output, &record_types[RECORD_flow], &f->written, e);
    for (unsigned i = 0; f->way.output != NULL && i < f->way.output->column_count; i++)
        if (f->way.output->column[i].is_asked_for &&
            f->way.output->column[i].type->field == FIELD_community_id)
            f->engine.flow.has_community_id = true;
    f->way.sink.push = way_push;
    f->way.filter = f->filter;
    f->way.ledger = &f->written;
    f->engine.packet_filter = f->bpf;
    f->engine.decode.enter_tunnels = f->o.enters_tunnels;
    f->engine.worker_count = (unsigned)f->o.workers;
    f->engine.flows = is_null && f->filter == NULL && f->lake == NULL ? NULL : &f->way.sink;
    f->engine.profile = f->o.has_stats ? &f->profile : NULL;
    f->engine.stop = stop_on_signals();
    f->engine.who = "weir flow";
    return code;
}

static int meter_all(struct flow_run *f, struct err *e)
{
    struct err later = { 0 };
    int code = engine_meter(f->capture, &f->engine, &f->sum, e);
    if (f->way.output != NULL && code < 0 && f->way.output->error.code < 0)
        code = err_set(e, f->way.output->error.code, "%s", f->way.output->error.text);
    if (output_close(f->way.output, &later) < 0 && code == 0)
        code = err_set(e, later.code, "%s", later.text);
    f->way.output = NULL;
    if (f->lake != NULL && lake_writer_close(f->lake, &later) < 0 && code == 0)
        code = err_set(e, later.code, "%s", later.text);
    f->lake = NULL;
    ledger_add(&f->sum, &f->written);
    return code;
}

static int run(struct flow_run *f, const struct option_list *inputs, struct err *e)
{
    struct timespec begin;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    int code = open_all(f, inputs, e);
    if (code == 0) {
        code = meter_all(f, e);
        print_ledger(&f->o, &f->sum, &f->profile);
        if (f->o.has_rusage)
            print_rusage(&begin, f->capture, &f->sum);
        if (code == 0 && f->capture->worst < 0)
            code =
                err_set(e, f->capture->worst,
                        "some input was damaged, see above; everything before the damage was used");
    }
    (void)output_close(f->way.output, NULL);
    if (f->lake != NULL)
        (void)lake_writer_close(f->lake, NULL);
    capture_close(f->capture);
    bpf_free(f->bpf);
    filter_free(f->filter);
    return code;
}

static int flow_run(int argc, char **argv, struct err *e)
{
    struct flow_run f = { .o = { .preset = "native",
                                 .idle_ns = -1,
                                 .active_ns = -1,
                                 .workers = 1,
                                 .source = "weir",
                                 .output = OUTPUT_DEFAULTS } };
    struct option_list inputs = { 0 };
    char *rest = NULL;
    int code = command_parse(&flow_command, argc, argv, &f.o, &inputs, &rest, e);
    if (code == 0 && rest != NULL && f.o.filter != NULL)
        code = err_set(e, WEIR_EUSAGE, "both --filter and words after --; give one");
    else if (code == 0 && rest != NULL)
        f.o.filter = rest;
    if (code == 0 && f.o.read.count > 0 && inputs.count > 0)
        code = err_set(e, WEIR_EUSAGE, "both --read and INPUT; give all files one way");
    const struct option_list *files = f.o.read.count > 0 ? &f.o.read : &inputs;
    if (code == 0 && files->count == 0)
        code = err_set(e, WEIR_EUSAGE, "no input; give capture files, or - for standard input");
    if (code == 0 && (f.o.workers < 1 || f.o.workers > ENGINE_WORKERS_MAX))
        code = err_set(e, WEIR_EUSAGE, "--threads = %llu: from 1 to %u",
                       (unsigned long long)f.o.workers, ENGINE_WORKERS_MAX);
    if (code == 0)
        code = run(&f, files, e);
    free(rest);
    option_list_fini(&inputs);
    option_list_fini(&f.o.read);
    return code < 0 ? code : 0;
}
