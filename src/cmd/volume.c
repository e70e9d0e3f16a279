/* weir volume: traffic per interval, from packets or spread from flow records, spec/tools.md 9.7.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/tally.h"
#include "cmd/volume.h"

#define AT(field) offsetof(struct volume_options, field)

static const struct option options[] = {
    { "interval", 'I', OPTION_TEXT, AT(interval), "DURATION",
      "length of an interval (1s); 1mo, 1y; -1 = the whole input" },
    { "align", 0, OPTION_TEXT, AT(align), "WHERE",
      "clock (multiples since 1970, default), first or an instant" },
    { "tz", 0, OPTION_TEXT, AT(zone), "OFFSET",
      "zone of --align clock: UTC (default) or for example +02:00" },
    { "method", 0, OPTION_TEXT, AT(method), "NAME",
      "packets (default for captures), proportional (default for records), uniform, start, end" },
    { "integer", 0, OPTION_FLAG, AT(is_integer), NULL, "whole bytes, partial sums rounded" },
    { "spread", 0, OPTION_TEXT, AT(spread), "NAME",
      "whole = uniform, exact = proportional, in whole bytes by largest remainder" },
    { "store", 'R', OPTION_TEXT, AT(lake), "DIR", "records of this lake" },
    { "length", 0, OPTION_TEXT, AT(length), "KIND",
      "size of a packet: frame, link, ip (default) or payload" },
    { "compare", 0, OPTION_FLAG, AT(compares), NULL,
      "packets of the capture beside what its flow records give, with the errors" },
    { "slack", 0, OPTION_COUNT, AT(slack), "N",
      "intervals that stay open for packets out of order (2)" },
    { 0 },
};
static const struct option *const tables[] = { options, packets_option_table, output_option_table,
                                               NULL };

/* ---- rows ---- */

struct rows {
    struct record_type type; /* record volume, with real columns when amounts have fractions */
    struct column_type column[RECORD_COLUMNS_MAX];
    struct output *output;
    struct record_batch *batch;
    bool has_fractions;
};

#define C(field) RECORD_COLUMN(volume, field)

static int rows_open(struct rows *r, const struct output_options *out, bool has_fractions,
                     struct err *e)
{
    const struct record_type *type = &record_types[RECORD_volume];
    *r = (struct rows){ .type = *type, .has_fractions = has_fractions };
    memcpy(r->column, type->column, type->column_count * sizeof *r->column);
    r->type.column = r->column;
    if (has_fractions)
        r->column[C(bytes)].type = r->column[C(packets)].type = r->column[C(bits)].type = T_F64;
    return output_open(&r->output, out, &r->type, NULL, e);
}

static int rows_push(struct rows *r)
{
    struct record_batch *batch = r->batch;
    if (batch == NULL)
        return 0;
    r->batch = NULL;
    record_batch_seal(batch);
    return r->output->sink.push(&r->output->sink, batch);
}

static int rows_room(struct rows *r)
{
    if (r->batch != NULL)
        return 0;
    r->batch = record_batch_new(&r->type, RECORD_BATCH_ROWS);
    for (unsigned i = 0; r->batch != NULL && i < r->type.column_count; i++)
        if (record_batch_column(r->batch, i) == NULL) {
            record_batch_unref(r->batch);
            r->batch = NULL;
        }
    return r->batch != NULL ? 0 : err_memory(&r->output->error, "rows", RECORD_BATCH_ROWS);
}

static void put_amount(struct rows *r, unsigned column, double amount, uint64_t whole)
{
    void *data = r->batch->column[column].data;
    if (r->has_fractions)
        ((double *)data)[r->batch->count] = amount;
    else
        ((uint64_t *)data)[r->batch->count] = whole;
}

/* `active` < 0: not known. Whole numbers are given apart, because a double ends at 2^53. */
static int rows_add(struct rows *r, int64_t start_ns, double seconds, double octets, double packets,
                    uint64_t whole_octets, uint64_t whole_packets, int64_t active)
{
    int code = rows_room(r);
    if (code != 0)
        return code;
    unsigned row = r->batch->count;
    ((int64_t *)r->batch->column[C(start)].data)[row] = start_ns;
    put_amount(r, C(bytes), octets, whole_octets);
    put_amount(r, C(packets), packets, whole_packets);
    put_amount(r, C(bits), 8 * octets, 8 * whole_octets);
    ((double *)r->batch->column[C(bps)].data)[row] = seconds > 0 ? 8 * octets / seconds : 0;
    ((uint64_t *)r->batch->column[C(flows_active)].data)[row] = active < 0 ? 0 : (uint64_t)active;
    if ((seconds <= 0 && record_batch_set_null(r->batch, C(bps), row) != 0) ||
        (active < 0 && record_batch_set_null(r->batch, C(flows_active), row) != 0))
        return err_memory(&r->output->error, "rows", RECORD_BATCH_ROWS);
    r->batch->count++;
    return r->batch->count == r->batch->capacity ? rows_push(r) : 0;
}

/* Start and length in seconds of interval `index`; the whole input begins with its first and ends
 * with its last. */
static int64_t interval_place(const struct interval_grid *grid, int64_t index, int64_t first_ns,
                              int64_t last_ns, double *seconds)
{
    bool is_whole = grid->length_ns == 0 && grid->months == 0;
    int64_t start = is_whole ? first_ns : interval_start(grid, index),
            end = is_whole ? last_ns : interval_start(grid, index + 1);
    *seconds = (double)((__int128)end - start) / 1e9;
    return start;
}

/* ---- from packets ---- */

struct packet_run {
    struct packet_sink sink; /* first */
    struct tally_window window;
    struct rows *rows;
};

static int emit_packets(void *context, const struct tally *t)
{
    struct packet_run *run = context;
    double seconds;
    int64_t start = interval_place(&run->window.grid, t->index, run->window.first_ns,
                                   run->window.last_ns, &seconds);
    return rows_add(run->rows, start, seconds, (double)t->octets, (double)t->packets, t->octets,
                    t->packets, -1);
}

static int packets_push(struct packet_sink *sink, struct packet_batch *batch)
{
    return tally_window_push(&((struct packet_run *)sink)->window, batch);
}

static int run_packets(const struct volume_plan *plan, const struct volume_options *o,
                       const struct option_list *inputs, const char *rest, struct rows *rows,
                       int *worst, struct err *e)
{
    struct packet_run run = { .sink.push = packets_push, .rows = rows };
    struct packets packets = { .sink = &run.sink, .wants_layers = plan->length != LENGTH_FRAME };
    run.window = (struct tally_window){ .grid = plan->grid,
                                        .length = plan->length,
                                        .slack = plan->slack,
                                        .emit = emit_packets,
                                        .context = &run };
    int code = tally_window_init(&run.window, e);
    if (code == 0)
        code = packets_run(&packets, &o->common.input, inputs, rest, e);
    if (run.window.open != NULL)
        tally_window_finish(&run.window);
    if (run.window.late_count > 0)
        fprintf(stderr,
                "weir volume: %llu packets came after their interval was closed and are not "
                "counted; raise --slack or give --sort\n",
                (unsigned long long)run.window.late_count);
    tally_window_fini(&run.window);
    *worst = packets.worst;
    return code;
}

/* ---- from records ---- */

static int read_records(const struct volume_plan *plan, const struct volume_options *o,
                        const struct option_list *inputs, const char *rest, struct spread *spread,
                        int *worst, struct err *e)
{
    const struct flow_source source = { .packets = &o->common.input,
                                        .rest = rest,
                                        .lake = o->lake,
                                        .length = plan->length,
                                        .from_ns = plan->from_ns,
                                        .to_ns = plan->to_ns };
    struct volume_records records;
    volume_records_init(&records, spread);
    int code = flow_source_read(&source, inputs, &records.sink, worst, e);
    if (records.error.code != 0)
        code = err_set(e, records.error.code, "%s", records.error.text);
    if (records.left_out > 0)
        fprintf(
            stderr,
            "weir volume: %llu records without times or that end before they start are left out\n",
            (unsigned long long)records.left_out);
    return code;
}

static int print_spread(const struct volume_plan *plan, const struct spread *s, struct rows *rows,
                        struct err *e)
{
    size_t count = s->count;
    uint64_t *whole = calloc(2 * count + 1, sizeof *whole);
    if (whole == NULL)
        return err_memory(e, "intervals", 2 * count * sizeof *whole);
    const struct spread_cell *cells = count > 0 ? spread_cell(s, 0) : NULL;
    int code = 0;
    if (count > 0 && plan->rounding == ROUND_LARGEST) {
        code = spread_round_largest(&cells->octets, sizeof *cells, count, whole);
        code |= spread_round_largest(&cells->packets, sizeof *cells, count, whole + count);
    } else if (count > 0) {
        spread_round_cumulative(&cells->octets, sizeof *cells, count, whole);
        spread_round_cumulative(&cells->packets, sizeof *cells, count, whole + count);
    }
    if (code != 0)
        code = err_memory(e, "intervals", count * 16);
    for (size_t i = 0; i < count && code == 0; i++) {
        double seconds;
        int64_t start =
            interval_place(&s->grid, s->base + (int64_t)i, s->first_ns, s->last_ns, &seconds);
        bool rounds = plan->rounding != ROUND_NONE || !rows->has_fractions;
        double octets = rounds ? (double)whole[i] : spread_double(cells[i].octets);
        double packets = rounds ? (double)whole[count + i] : spread_double(cells[i].packets);
        code = rows_add(rows, start, seconds, octets, packets, whole[i], whole[count + i],
                        (int64_t)cells[i].active);
    }
    free(whole);
    return code;
}

static int run_records(const struct volume_plan *plan, const struct volume_options *o,
                       const struct option_list *inputs, const char *rest, struct rows *rows,
                       int *worst, struct err *e)
{
    struct spread spread = {
        .grid = plan->grid, .method = plan->method, .from_ns = plan->from_ns, .to_ns = plan->to_ns
    };
    int code = read_records(plan, o, inputs, rest, &spread, worst, e);
    /* Damaged input: what came before it is printed. */
    if (code == 0 || code == WEIR_EINPUT) {
        int printed = print_spread(plan, &spread, rows, code == 0 ? e : NULL);
        code = code != 0 ? code : printed;
    }
    spread_fini(&spread);
    return code;
}

/* ---- what the options say ---- */

static int choose_method(const struct volume_options *o, const char *method,
                         struct volume_plan *plan, struct err *e)
{
    static const char *const names[] = { "proportional", "uniform", "start", "end", "packets" };
    for (unsigned i = 0; i < 5; i++)
        if (strcmp(method, names[i]) == 0) {
            plan->from_packets = i == 4;
            plan->method = i == 4 ? SPREAD_PROPORTIONAL : (enum spread_method)i;
            if (plan->from_packets && (plan->wants_records || o->spread != NULL))
                return err_set(e, WEIR_EUSAGE,
                               "--method packets: the input is flow records; give captures, or "
                               "another method");
            return 0;
        }
    const char *nearest = text_nearest(method, names, 5);
    return err_set(
        e, WEIR_EUSAGE,
        "--method: no method '%s'; %s%s%sthere are proportional, uniform, start, end, packets",
        method, nearest ? "did you mean '" : "", nearest ? nearest : "", nearest ? "'? " : "");
}

static int choose_spread(const struct volume_options *o, struct volume_plan *plan, struct err *e)
{
    bool is_exact = o->spread != NULL && strcmp(o->spread, "exact") == 0;
    plan->rounding = o->is_integer ? ROUND_CUMULATIVE : ROUND_NONE;
    if (o->spread == NULL)
        return 0;
    if (!is_exact && strcmp(o->spread, "whole") != 0)
        return err_set(e, WEIR_EUSAGE, "--spread: '%s' is neither whole nor exact", o->spread);
    if (o->method != NULL || o->is_integer)
        return err_set(
            e, WEIR_EUSAGE,
            "--spread already says the method and the rounding; leave out --method and --integer");
    plan->wants_records = true;
    plan->from_packets = false;
    plan->method = is_exact ? SPREAD_PROPORTIONAL : SPREAD_UNIFORM;
    plan->rounding = ROUND_LARGEST;
    return 0;
}

/* --from is a time, or what to count: "packets" or "flows". */
static int choose_source(struct volume_options *o, const struct option_list *inputs,
                         struct volume_plan *plan, struct err *e)
{
    const char *from = o->common.input.from;
    bool says_flows = from != NULL && strcmp(from, "flows") == 0,
         says_packets = from != NULL && strcmp(from, "packets") == 0;
    if (says_flows || says_packets)
        o->common.input.from = NULL;
    plan->wants_records = says_flows || o->lake != NULL;
    for (size_t i = 0; i < inputs->count && !says_packets; i++)
        plan->wants_records |= flow_input_kind(inputs->item[i]) != FLOW_INPUT_CAPTURE;
    if (says_packets && o->lake != NULL)
        return err_set(e, WEIR_EUSAGE, "--from packets: a lake holds flow records");
    plan->from_packets = !plan->wants_records;
    return 0;
}

static int make_plan(struct volume_options *o, const struct option_list *inputs,
                     struct volume_plan *plan, struct err *e)
{
    int64_t zone = 0;
    *plan = (struct volume_plan){
        .length = LENGTH_IP, .from_ns = INT64_MIN, .to_ns = INT64_MAX, .slack = (unsigned)o->slack
    };
    if (o->slack > TALLY_SLACK_MAX)
        return err_set(e, WEIR_EUSAGE, "--slack: %llu is more than %d",
                       (unsigned long long)o->slack, TALLY_SLACK_MAX);
    if (inputs->count == 0 && o->lake == NULL)
        return err_set(e, WEIR_EUSAGE,
                       "no input; name captures or flow records in CSV, or a lake with -R");
    int code = choose_source(o, inputs, plan, e);
    if (code == 0)
        code = choose_spread(o, plan, e);
    if (code == 0 && o->method != NULL)
        code = choose_method(o, o->method, plan, e);
    if (code == 0)
        code = length_option(o->length, &plan->length, e);
    if (code == 0)
        code = interval_parse_length(o->interval ? o->interval : "1s", &plan->grid, e);
    if (code == 0)
        code = interval_parse_zone(o->zone, &zone, e);
    if (code == 0)
        code = interval_parse_align(o->align, zone, &plan->grid, e);
    if (code == 0 && o->common.input.from != NULL)
        code = parse_instant(o->common.input.from, &plan->from_ns, "--from", e);
    if (code == 0 && o->common.input.to != NULL)
        code = parse_instant(o->common.input.to, &plan->to_ns, "--to", e);
    return code;
}

static int run(struct volume_options *o, const struct option_list *inputs, const char *rest,
               struct err *e)
{
    struct volume_plan plan;
    struct rows rows;
    int worst = 0, code = make_plan(o, inputs, &plan, e);
    bool has_fractions =
        !plan.from_packets && plan.rounding == ROUND_NONE && plan.method <= SPREAD_UNIFORM;
    if (code == 0 && o->compares)
        return volume_compare(o, &plan, inputs, rest, e);
    if (code == 0)
        code = rows_open(&rows, &o->common.output, has_fractions, e);
    if (code != 0)
        return code;
    code = plan.from_packets ? run_packets(&plan, o, inputs, rest, &rows, &worst, e)
                             : run_records(&plan, o, inputs, rest, &rows, &worst, e);
    rows_push(&rows);
    struct err late = { 0 };
    int closed = output_close(rows.output, &late);
    if (closed != 0)
        return err_set(e, closed, "%s", late.text);
    return code == 0 && worst != 0
               ? err_set(e, worst,
                         "some input was damaged, see above; everything before the damage was used")
               : code;
}

static int volume_run(int argc, char **argv, struct err *e);

const struct command volume_command = {
    .name = "volume",
    .help = "traffic per interval, from packets or spread from flow records",
    .arguments = "INPUT ... [-- BPF]",
    .examples = "  weir volume -I 1m --length frame capture.pcap\n"
                "  weir volume --from flows --spread exact flows.csv\n"
                "  weir volume --compare -I 10 capture.pcap\n",
    .options = tables,
    .run = volume_run,
};

static int volume_run(int argc, char **argv, struct err *e)
{
    struct volume_options o = { .common.input.who = "weir volume",
                                .common.output = OUTPUT_DEFAULTS,
                                .slack = 2 };
    struct option_list inputs = { 0 };
    char *rest = NULL;
    int code = command_parse(&volume_command, argc, argv, &o, &inputs, &rest, e);
    if (code == 0)
        code = packets_join_inputs(&o.common.input, &inputs, e);
    if (code == 0)
        code = run(&o, &inputs, rest, e);
    option_list_fini(&o.common.input.read);
    option_list_fini(&inputs);
    free(rest);
    return code < 0 ? code : 0;
}
