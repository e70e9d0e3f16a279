/* weir stat: counters per interval, spec/tools.md 9.6. The tcpstat preset is in stat_preset.c. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/packets.h"
#include "cmd/stat.h"
#include "cmd/tally.h"

#define AT(field) offsetof(struct stat_options, field)

static const struct option options[] = {
    { "interval", 'I', OPTION_TEXT, AT(interval), "DURATION",
      "length of an interval (5s); 1mo, 1y; -1 = the whole input" },
    { "align", 0, OPTION_TEXT, AT(align), "WHERE",
      "clock (multiples since 1970, default), first (packet) or an instant" },
    { "tz", 0, OPTION_TEXT, AT(zone), "OFFSET",
      "zone of --align clock: UTC (default) or for example +02:00" },
    { "length", 0, OPTION_TEXT, AT(length), "KIND",
      "size of a packet: frame (default), link, ip or payload" },
    { "skip-empty", 'e', OPTION_FLAG, AT(skips_empty), NULL, "no rows for empty intervals" },
    { "slack", 0, OPTION_COUNT, AT(slack), "N",
      "intervals that stay open for packets out of order (2)" },
    { "preset", 0, OPTION_TEXT, AT(preset), "NAME",
      "tcpstat: the lines and rules of tcpstat 1.5; -o takes its letters" },
    { "seconds", 's', OPTION_TEXT, AT(seconds), "S", "tcpstat: only the first S seconds" },
    { "link-header", 'l', OPTION_FLAG, AT(with_link_header), NULL,
      "tcpstat: sizes with the link header" },
    { "accounting", 'a', OPTION_FLAG, AT(is_accounting), NULL,
      "tcpstat: bytes per second, minute, hour, day, month" },
    { "bandwidth", 'b', OPTION_TEXT, AT(bandwidth), "BPS",
      "tcpstat: time over BPS, with what did not fit carried over" },
    { "raw-bandwidth", 'B', OPTION_TEXT, AT(raw_bandwidth), "BPS", "tcpstat: time over BPS" },
    { 0 },
};
static const struct option *const tables[] = { options, packets_option_table, output_option_table,
                                               NULL };

struct stat_run {
    struct packet_sink sink; /* first */
    struct tally_window window;
    struct output *output;
    struct record_batch *rows; /* being filled */
};

static int push_rows(struct stat_run *s)
{
    if (s->rows == NULL)
        return 0;
    record_batch_seal(s->rows);
    int code = s->output->sink.push(&s->output->sink, s->rows);
    s->rows = NULL;
    return code;
}

#define C(field) RECORD_COLUMN(interval, field)

static void set_times(struct stat_run *s, const struct tally *t, double *seconds)
{
    const struct tally_window *w = &s->window;
    struct column *c = s->rows->column;
    unsigned row = s->rows->count;
    bool is_whole = w->grid.length_ns == 0 && w->grid.months == 0;
    int64_t start = is_whole ? w->first_ns : interval_start(&w->grid, t->index);
    int64_t end = is_whole ? w->last_ns : interval_start(&w->grid, t->index + 1), after;
    ((int64_t *)c[C(start)].data)[row] = start;
    ((int64_t *)c[C(rel_start)].data)[row] =
        __builtin_sub_overflow(start, w->first_ns, &after) ? INT64_MAX : after;
    *seconds = (double)((unsigned __int128)((__int128)end - start)) / 1e9;
}

/* Rates of an interval without length are nothing, not infinity. */
static int set_rates(struct record_batch *b, const struct tally *t, double seconds)
{
    const unsigned rates[] = { C(pps), C(bps), C(Bps) };
    const double amounts[] = { (double)t->packets, 8 * (double)t->octets, (double)t->octets };
    for (unsigned i = 0; i < 3; i++) {
        if (seconds <= 0 && record_batch_set_null(b, rates[i], b->count) != 0)
            return -1;
        ((double *)b->column[rates[i]].data)[b->count] = seconds > 0 ? amounts[i] / seconds : 0;
    }
    return 0;
}

static void set_counts(struct record_batch *b, const struct tally *t)
{
    const struct {
        unsigned index;
        uint64_t value;
    } counts[] = {
        { C(packets), t->packets },
        { C(bytes), t->octets },
        { C(min), t->packets > 0 ? t->min : 0 },
        { C(max), t->packets > 0 ? t->max : 0 },
        { C(ipv4), t->ipv4 },
        { C(ipv6), t->ipv6 },
        { C(arp), t->arp },
        { C(tcp), t->tcp },
        { C(udp), t->udp },
        { C(icmp), t->icmp },
        { C(other), t->packets - t->arp - t->tcp - t->udp - t->icmp },
        { C(fragments), t->fragments },
        { C(tcp_syn), t->tcp_syn },
        { C(tcp_rst), t->tcp_rst },
        { C(late), t->late },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        ((uint64_t *)b->column[counts[i].index].data)[b->count] = counts[i].value;
    ((double *)b->column[C(avg)].data)[b->count] = tally_mean(t);
    ((double *)b->column[C(stdev)].data)[b->count] = tally_deviation(t);
}

static int emit_row(void *context, const struct tally *t)
{
    struct stat_run *s = context;
    if (s->rows == NULL) {
        s->rows = record_batch_new(&record_types[RECORD_interval], RECORD_BATCH_ROWS);
        for (unsigned i = 0; s->rows != NULL && i < record_types[RECORD_interval].column_count; i++)
            if (record_batch_column(s->rows, i) == NULL) {
                record_batch_unref(s->rows);
                s->rows = NULL;
            }
        if (s->rows == NULL)
            return err_memory(&s->output->error, "rows", RECORD_BATCH_ROWS);
    }
    double seconds;
    set_times(s, t, &seconds);
    set_counts(s->rows, t);
    if (set_rates(s->rows, t, seconds) != 0)
        return err_memory(&s->output->error, "rows", RECORD_BATCH_ROWS);
    s->rows->count++;
    return s->rows->count == s->rows->capacity ? push_rows(s) : 0;
}

static int stat_push(struct packet_sink *sink, struct packet_batch *batch)
{
    return tally_window_push(&((struct stat_run *)sink)->window, batch);
}

static int native_options(const struct stat_options *o, struct tally_window *w, struct err *e)
{
    int64_t zone = 0;
    if (o->slack > TALLY_SLACK_MAX)
        return err_set(e, WEIR_EUSAGE, "--slack: %llu is more than %d",
                       (unsigned long long)o->slack, TALLY_SLACK_MAX);
    w->slack = (unsigned)o->slack;
    w->skips_empty = o->skips_empty;
    int code = interval_parse_length(o->interval ? o->interval : "5s", &w->grid, e);
    if (code == 0)
        code = interval_parse_zone(o->zone, &zone, e);
    if (code == 0)
        code = interval_parse_align(o->align, zone, &w->grid, e);
    return code == 0 ? length_option(o->length, &w->length, e) : code;
}

static int run_native(const struct stat_options *o, const struct option_list *inputs,
                      const char *rest, struct err *e)
{
    struct stat_run s = { .sink.push = stat_push, .window = { .emit = emit_row, .context = &s } };
    struct packets packets = { .sink = &s.sink, .wants_layers = true };
    int code = native_options(o, &s.window, e);
    if (code == 0)
        code = output_open(&s.output, &o->common.output, &record_types[RECORD_interval], NULL, e);
    if (code != 0)
        return code;
    code = tally_window_init(&s.window, e);
    if (code == 0)
        code = packets_run(&packets, &o->common.input, inputs, rest, e);
    /* What was counted before an error of the input is printed. */
    if (s.window.open != NULL && tally_window_finish(&s.window) == 0)
        push_rows(&s);
    if (s.window.left_out > 0)
        fprintf(stderr,
                "weir stat: %llu empty intervals in gaps of over %d are not printed; give a longer "
                "-I or --skip-empty\n",
                (unsigned long long)s.window.left_out, INTERVAL_GAP_MAX);
    record_batch_unref(s.rows);
    tally_window_fini(&s.window);
    struct err late = { 0 };
    int closed = output_close(s.output, &late);
    if (closed != 0)
        return err_set(e, closed, "%s", late.text);
    return code != 0 ? code : packets.worst;
}

static int stat_run(int argc, char **argv, struct err *e);

const struct command stat_command = {
    .name = "stat",
    .help = "counters per interval: packets, bytes, rates, sizes, protocols",
    .arguments = "INPUT ... [-- BPF]",
    .examples = "  weir stat -I 1 --align first capture.pcap\n"
                "  weir stat -I 1m -o csv day*.pcapng.gz -- udp port 53\n"
                "  weir stat --preset tcpstat -I 0.5 -o '%S\\t%p\\t%b\\n' capture.pcap\n",
    .options = tables,
    .run = stat_run,
};

static int stat_run(int argc, char **argv, struct err *e)
{
    struct stat_options o = { .common.input.who = "weir stat",
                              .common.output = OUTPUT_DEFAULTS,
                              .slack = 2 };
    struct option_list inputs = { 0 };
    char *rest = NULL;
    int code = command_parse(&stat_command, argc, argv, &o, &inputs, &rest, e);
    if (code == 0)
        code = packets_join_inputs(&o.common.input, &inputs, e);
    bool has_letters =
        o.common.output.format != NULL && strchr(o.common.output.format, '%') != NULL;
    if (code == 0 && o.preset != NULL && strcmp(o.preset, "tcpstat") != 0)
        code = err_set(e, WEIR_EUSAGE, "--preset: no preset '%s'; there is tcpstat", o.preset);
    else if (code == 0)
        code = has_letters || o.preset != NULL ? stat_run_tcpstat(&o, &inputs, rest, e)
                                               : run_native(&o, &inputs, rest, e);
    option_list_fini(&o.common.input.read);
    option_list_fini(&inputs);
    free(rest);
    return code < 0 ? code : 0;
}
