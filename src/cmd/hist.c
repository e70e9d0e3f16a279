/* weir hist: how a number is distributed, spec/tools.md 9.11 and 10.1. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/bins.h"
#include "cmd/cmd.h"
#include "cmd/flow_source.h"
#include "cmd/tally.h"

#define QUANTILES_DEFAULT "0,0.01,0.05,0.25,0.5,0.75,0.95,0.99,1"
#define QUANTILES_MAX     100

struct hist_options {
    struct packets_command common; /* first */
    const char *bins, *quantiles, *length, *lake;
    uint64_t quantile_type;
    bool is_ecdf, is_summary;
};

#define AT(field) offsetof(struct hist_options, field)

static const struct option options[] = {
    { "bins", 0, OPTION_TEXT, AT(bins), "BINS",
      "edges 0,20,40,... or width:W, log:N (N per doubling, default log:1), fd" },
    { "ecdf", 0, OPTION_FLAG, AT(is_ecdf), NULL, "every value with the share of those up to it" },
    { "summary", 0, OPTION_FLAG, AT(is_summary), NULL,
      "number, mean, deviation, skewness, kurtosis, quantiles" },
    { "quantiles", 0, OPTION_TEXT, AT(quantiles), "LIST",
      "these quantiles, for example 0.5,0.9,0.99" },
    { "quantile-type", 0, OPTION_COUNT, AT(quantile_type), "1|7",
      "smallest value that has the share (1), or interpolated (7)" },
    { "length", 0, OPTION_TEXT, AT(length), "KIND",
      "size of a packet: frame (default; of flows ip), link, ip or payload" },
    { "store", 'R', OPTION_TEXT, AT(lake), "DIR", "flow-...: records of this lake" },
    { 0 },
};
static const struct option *const tables[] = { options, packets_option_table, output_option_table,
                                               NULL };

/* ---- what is measured ---- */

struct hist_run;
struct measure {
    const char *name, *help;
    bool is_time; /* nanoseconds, shown as seconds */
    bool wants_layers;
    void (*packets)(struct hist_run *run, const struct packet_batch *batch); /* NULL: of flows */
    uint64_t (*record)(const struct record_batch *batch, unsigned row, const int column[],
                       bool *is_good);
};

enum { START, END, BYTES, REV_BYTES, PACKETS, REV_PACKETS, RECORD_COLUMNS };
static const char *const record_columns[RECORD_COLUMNS] = { "start",     "end",     "bytes",
                                                            "rev_bytes", "packets", "rev_packets" };

struct hist_run {
    struct packet_sink packet_sink; /* first */
    struct record_sink record_sink;
    const struct measure *measure;
    enum length_kind length;
    struct distribution values;
    int64_t last_ns;
    bool has_last, is_full; /* is_full: no memory for a value */
    uint64_t backward;      /* gaps below 0, flows without times */
};

static void add(struct hist_run *run, uint64_t value)
{
    run->is_full |= distribution_add(&run->values, value) != 0;
}

static void measure_length(struct hist_run *run, const struct packet_batch *batch)
{
    uint32_t size[BATCH_MAX];
    uint8_t is_counted[BATCH_MAX];
    tally_sizes(batch, run->length, size, is_counted);
    unsigned count = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        size[count] = size[i];
        count += is_counted[i];
    }
    run->is_full |= distribution_add_many(&run->values, size, count) != 0;
}

static void measure_gap(struct hist_run *run, const struct packet_batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++) {
        int64_t now = batch->pkt[i].time_ns, gap;
        bool is_good =
            run->has_last && !__builtin_sub_overflow(now, run->last_ns, &gap) && gap >= 0;
        if (is_good)
            add(run, (uint64_t)gap);
        run->backward += run->has_last && !is_good;
        run->last_ns = now;
        run->has_last = true;
    }
}

static void measure_ttl(struct hist_run *run, const struct packet_batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++)
        if (batch->layer[i].key.version != 0)
            add(run, batch->layer[i].ttl);
}

static void measure_window(struct hist_run *run, const struct packet_batch *batch)
{
    enum { PROTO_TCP = 6, WINDOW_OFFSET = 14 };
    for (unsigned i = 0; i < batch->count; i++) {
        const struct layers *l = &batch->layer[i];
        size_t at = (size_t)l->l4 + WINDOW_OFFSET;
        if (l->key.version != 0 && l->key.proto == PROTO_TCP &&
            (l->flags & PACKET_LATER_FRAGMENT) == 0 && l->l4 != UINT16_MAX &&
            at + 2 <= batch->pkt[i].caplen)
            add(run, load_be16(batch->pkt[i].data + at));
    }
}

static uint64_t record_bytes(const struct record_batch *batch, unsigned row, const int column[],
                             bool *is_good)
{
    *is_good = true;
    return record_number(batch, column[BYTES], row) + record_number(batch, column[REV_BYTES], row);
}

static uint64_t record_packets(const struct record_batch *batch, unsigned row, const int column[],
                               bool *is_good)
{
    *is_good = true;
    return record_number(batch, column[PACKETS], row) +
           record_number(batch, column[REV_PACKETS], row);
}

static uint64_t record_duration(const struct record_batch *batch, unsigned row, const int column[],
                                bool *is_good)
{
    int64_t start = (int64_t)record_number(batch, column[START], row),
            end = (int64_t)record_number(batch, column[END], row), lasts;
    *is_good = !__builtin_sub_overflow(end, start, &lasts) && lasts >= 0;
    return *is_good ? (uint64_t)lasts : 0;
}

static const struct measure measures[] = {
    { "length", "size of packets", false, true, measure_length, NULL },
    { "gap", "time between one packet and the next", true, false, measure_gap, NULL },
    { "ttl", "time to live or hop limit", false, true, measure_ttl, NULL },
    { "window", "TCP window as it is in the header", false, true, measure_window, NULL },
    { "flow-bytes", "octets of a flow, both ways", false, false, NULL, record_bytes },
    { "flow-packets", "packets of a flow, both ways", false, false, NULL, record_packets },
    { "flow-duration", "from the first to the last packet of a flow", true, false, NULL,
      record_duration },
};
#define MEASURES (sizeof measures / sizeof *measures)

static const struct measure *find_measure(const char *name, struct err *e)
{
    const char *names[MEASURES];
    struct text all = { 0 };
    for (size_t i = 0; i < MEASURES; i++) {
        if (strcmp(name, measures[i].name) == 0) {
            text_fini(&all);
            return &measures[i];
        }
        names[i] = measures[i].name;
        text_format(&all, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    const char *nearest = text_nearest(name, names, MEASURES);
    err_set(e, WEIR_EUSAGE, "nothing called '%s' to measure; %s%s%sthere are %s", name,
            nearest ? "did you mean '" : "", nearest ? nearest : "", nearest ? "'? " : "",
            all.data ? all.data : "");
    text_fini(&all);
    return NULL;
}

static int packets_push(struct packet_sink *sink, struct packet_batch *batch)
{
    struct hist_run *run = (struct hist_run *)sink;
    run->measure->packets(run, batch);
    return run->is_full ? WEIR_EMEMORY : 0;
}

static int records_push(struct record_sink *sink, struct record_batch *batch)
{
    struct hist_run *run =
        (struct hist_run *)((uint8_t *)sink - offsetof(struct hist_run, record_sink));
    int column[RECORD_COLUMNS];
    for (unsigned i = 0; i < RECORD_COLUMNS; i++)
        column[i] = record_column_find(batch->type, record_columns[i]);
    for (unsigned row = 0; row < batch->count; row++) {
        bool is_good;
        uint64_t value = run->measure->record(batch, row, column, &is_good);
        if (is_good)
            add(run, value);
        run->backward += !is_good;
    }
    record_batch_unref(batch);
    return run->is_full ? WEIR_EMEMORY : 0;
}

/* ---- the three tables ---- */

static double shown(const struct hist_run *run, double value)
{
    return run->measure->is_time ? value / 1e9 : value;
}

static int parse_quantiles(const char *list, double p[QUANTILES_MAX], unsigned *count,
                           struct err *e)
{
    *count = 0;
    for (const char *at = list; *at != '\0';) {
        char *end;
        double value = strtod(at, &end);
        if (end == at || !(value >= 0 && value <= 1) || (*end != ',' && *end != '\0') ||
            *count == QUANTILES_MAX)
            return err_set(
                e, WEIR_EUSAGE,
                "--quantiles: '%s' is no list of numbers from 0 to 1, for example 0.5,0.9,0.99",
                list);
        p[(*count)++] = value;
        at = *end == ',' ? end + 1 : end;
    }
    return 0;
}

/* "statistic,value": moments unless only quantiles were asked for. */
static int put_summary(const struct hist_run *run, const struct hist_options *o,
                       struct bins_table *t, struct err *e)
{
    double p[QUANTILES_MAX];
    unsigned count;
    int code =
        parse_quantiles(o->quantiles != NULL ? o->quantiles : QUANTILES_DEFAULT, p, &count, e);
    const struct distribution *d = &run->values;
    struct moments m = distribution_moments(d);
    const struct {
        const char *name;
        double value;
    } moments[] = { { "n", (double)d->count },
                    { "mean", shown(run, m.mean) },
                    { "stdev", shown(run, sqrt(moments_variance(&m))) },
                    { "skewness", moments_skewness(&m) },
                    { "kurtosis", moments_kurtosis(&m) } };
    for (size_t i = 0; i < sizeof moments / sizeof *moments && code == 0 && o->is_summary; i++)
        code = bins_put_statistic(t, moments[i].name, moments[i].value, e);
    for (unsigned i = 0; i < count && code == 0 && d->count > 0; i++) {
        char name[32];
        snprintf(name, sizeof name, "q%.10g", p[i]);
        double value = o->quantile_type == 7 ? distribution_quantile_7(d, p[i])
                                             : distribution_quantile(d, p[i]);
        code = bins_put_statistic(t, name, shown(run, value), e);
    }
    return code;
}

static int print(const struct hist_run *run, const struct hist_options *o, struct err *e)
{
    struct bins_table t;
    bool is_statistics = o->is_summary || (o->quantiles != NULL && !o->is_ecdf);
    enum bins_kind kind = is_statistics ? BINS_STATISTICS : o->is_ecdf ? BINS_ECDF : BINS_HISTOGRAM;
    int code = bins_table_open(&t, kind, run->measure->is_time, &o->common.output, e);
    if (code != 0)
        return code;
    if (is_statistics)
        code = put_summary(run, o, &t, e);
    else if (o->is_ecdf)
        code = bins_put_ecdf(&t, &run->values, e);
    else
        code = bins_put_histogram(&t, &run->values, o->bins, run->measure->is_time, e);
    return bins_table_close(&t, code, e);
}

static int read_all(struct hist_run *run, const struct hist_options *o,
                    const struct option_list *inputs, const char *rest, struct err *e)
{
    int worst = 0, code;
    if (run->measure->packets != NULL) {
        struct packets packets = { .sink = &run->packet_sink };
        packets.wants_layers =
            run->measure->wants_layers &&
            !(run->measure->packets == measure_length && run->length == LENGTH_FRAME);
        code = packets_run(&packets, &o->common.input, inputs, rest, e);
        worst = packets.worst;
    } else {
        const struct flow_source source = { .packets = &o->common.input,
                                            .rest = rest,
                                            .lake = o->lake,
                                            .length = run->length,
                                            .from_ns = INT64_MIN,
                                            .to_ns = INT64_MAX };
        code = flow_source_read(&source, inputs, &run->record_sink, &worst, e);
    }
    if (run->is_full)
        return err_memory(e, "distribution", sizeof run->values);
    return code == 0 ? worst : code;
}

static int run(struct hist_options *o, const char *what, const struct option_list *inputs,
               const char *rest, struct err *e)
{
    struct hist_run run = { .packet_sink.push = packets_push, .record_sink.push = records_push };
    run.measure = find_measure(what, e);
    if (run.measure == NULL)
        return WEIR_EUSAGE;
    run.length = run.measure->packets != NULL ? LENGTH_FRAME : LENGTH_IP;
    int code = length_option(o->length, &run.length, e);
    if (code == 0 && o->quantile_type != 1 && o->quantile_type != 7)
        code = err_set(e, WEIR_EUSAGE, "--quantile-type: there are 1 and 7");
    if (code == 0 && o->bins != NULL)
        code = bins_check(o->bins, run.measure->is_time, e);
    if (code == 0 && inputs->count == 0 && o->lake == NULL)
        code = err_set(e, WEIR_EUSAGE, "no input; name capture files, - is standard input");
    if (code == 0 && distribution_init(&run.values) != 0)
        code = err_memory(e, "distribution", DISTRIBUTION_EXACT * sizeof(uint64_t));
    if (code == 0) {
        code = read_all(&run, o, inputs, rest, e);
        if (run.backward > 0)
            fprintf(
                stderr,
                "weir hist: %llu values below zero are left out: packets or times out of order\n",
                (unsigned long long)run.backward);
        if (code == 0 || code == WEIR_EINPUT) {
            int printed = print(&run, o, code == 0 ? e : NULL);
            if (code == WEIR_EINPUT && (e->text[0] == '\0' || printed == 0))
                err_set(e, code,
                        "some input was damaged, see above; everything before the damage was used");
            code = code != 0 ? code : printed;
        }
    }
    distribution_fini(&run.values);
    return code;
}

static int hist_run(int argc, char **argv, struct err *e);

const struct command hist_command = {
    .name = "hist",
    .help = "histogram, distribution, quantiles or moments of sizes, gaps, lifetimes",
    .arguments = "length|gap|ttl|window|flow-bytes|flow-packets|flow-duration INPUT ... [-- BPF]",
    .examples = "  weir hist length --bins 0,20,40,80,160,320,640,1280,2560,5120 capture.pcap\n"
                "  weir hist gap --summary capture.pcap -- tcp port 443\n"
                "  weir hist flow-duration --quantiles 0.5,0.99 capture.pcap\n",
    .options = tables,
    .run = hist_run,
};

static int hist_run(int argc, char **argv, struct err *e)
{
    struct hist_options o = { .common.input.who = "weir hist",
                              .common.output = OUTPUT_DEFAULTS,
                              .quantile_type = 1 };
    struct option_list inputs = { 0 };
    char *rest = NULL;
    int code = command_parse(&hist_command, argc, argv, &o, &inputs, &rest, e);
    const char *what = inputs.count > 0 ? inputs.item[0] : NULL;
    if (code == 0 && what == NULL)
        code = err_set(e, WEIR_EUSAGE,
                       "nothing to measure; say for example 'weir hist length FILE', --help lists "
                       "what there is");
    if (code == 0) {
        memmove(inputs.item, inputs.item + 1, --inputs.count * sizeof *inputs.item);
        code = packets_join_inputs(&o.common.input, &inputs, e);
    }
    if (code == 0)
        code = run(&o, what, &inputs, rest, e);
    option_list_fini(&o.common.input.read);
    option_list_fini(&inputs);
    free(rest);
    return code < 0 ? code : 0;
}
