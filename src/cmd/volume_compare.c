/* weir volume --compare: how well flow records tell the volume per interval, see volume.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/volume.h"

enum { START, BYTES, PROPORTIONAL, UNIFORM, COLUMNS };

static const struct column_type columns[COLUMNS] = {
    [START] = { "start", T_TIME, U_NONE, FIELD_start },
    [BYTES] = { "bytes", T_U64, U_OCTETS, FIELD_bytes },
    [PROPORTIONAL] = { "proportional", T_F64, U_OCTETS, FIELD_NONE },
    [UNIFORM] = { "uniform", T_F64, U_OCTETS, FIELD_NONE },
};
static const struct record_type comparison = {
    .name = "comparison",
    .help = "octets of an interval by its packets and by two ways to spread flow records",
    .column_count = COLUMNS,
    .column = columns,
};

struct truth {
    struct packet_sink sink; /* first */
    struct spread *spread;
    enum length_kind length;
    struct err error;
};

static int truth_push(struct packet_sink *sink, struct packet_batch *batch)
{
    struct truth *t = (struct truth *)sink;
    uint32_t size[BATCH_MAX];
    uint8_t is_counted[BATCH_MAX];
    tally_sizes(batch, t->length, size, is_counted);
    for (unsigned i = 0; i < batch->count && t->error.code == 0; i++)
        if (is_counted[i])
            t->error.code = spread_add(t->spread, batch->pkt[i].time_ns, batch->pkt[i].time_ns,
                                       size[i], 1, &t->error);
    return t->error.code;
}

/* The same records to both ways. */
struct both {
    struct volume_records first; /* first: its sink is replaced */
    struct volume_records second;
    int (*push)(struct record_sink *self, struct record_batch *batch);
};

static int both_push(struct record_sink *sink, struct record_batch *batch)
{
    struct both *b = (struct both *)sink;
    int code = b->second.sink.push(&b->second.sink, record_batch_ref(batch)),
        other = b->push(sink, batch);
    return code != 0 ? code : other;
}

static const char *const way_names[] = { "proportional", "uniform" };

static double value_in(const struct spread *s, int64_t index)
{
    return s->count > 0 && index >= s->base && index < s->base + (int64_t)s->count
               ? spread_double(spread_cell(s, (size_t)(index - s->base))->octets)
               : 0;
}

static void print_errors(const struct spread *truth, const struct spread way[2])
{
    for (unsigned k = 0; k < 2 && truth->count > 0; k++) {
        double sum = 0, squares = 0, largest = 0;
        for (size_t i = 0; i < truth->count; i++) {
            double error = fabs(value_in(&way[k], truth->base + (int64_t)i) -
                                spread_double(spread_cell(truth, i)->octets));
            sum += error;
            squares += error * error;
            largest = error > largest ? error : largest;
        }
        double n = (double)truth->count;
        fprintf(stderr,
                "%s: mean absolute error %.3f bytes, root mean square error %.3f bytes, largest "
                "error %.3f bytes\n",
                way_names[k], sum / n, sqrt(squares / n), largest);
    }
}

static int print_rows(struct output *output, const struct spread *truth, const struct spread way[2],
                      struct err *e)
{
    int code = 0;
    for (size_t i = 0; i < truth->count && code == 0;) {
        struct record_batch *b = record_batch_new(&comparison, RECORD_BATCH_ROWS);
        for (unsigned c = 0; b != NULL && c < COLUMNS; c++)
            if (record_batch_column(b, c) == NULL) {
                record_batch_unref(b);
                b = NULL;
            }
        if (b == NULL)
            return err_memory(e, "rows", RECORD_BATCH_ROWS);
        for (; i < truth->count && b->count < b->capacity; i++, b->count++) {
            int64_t index = truth->base + (int64_t)i;
            bool is_whole = truth->grid.length_ns == 0 && truth->grid.months == 0;
            ((int64_t *)b->column[START].data)[b->count] =
                is_whole ? truth->first_ns : interval_start(&truth->grid, index);
            ((uint64_t *)b->column[BYTES].data)[b->count] =
                (uint64_t)(spread_cell(truth, i)->octets >> 64);
            ((double *)b->column[PROPORTIONAL].data)[b->count] = value_in(&way[0], index);
            ((double *)b->column[UNIFORM].data)[b->count] = value_in(&way[1], index);
        }
        record_batch_seal(b);
        code = output->sink.push(&output->sink, b);
    }
    return code;
}

static int read_both_ways(const struct volume_options *o, const struct volume_plan *plan,
                          const struct option_list *inputs, const char *rest, struct spread *truth,
                          struct spread way[2], int *worst, struct err *e)
{
    struct truth t = { .sink.push = truth_push, .spread = truth, .length = plan->length };
    struct packets packets = { .sink = &t.sink, .wants_layers = true };
    int code = packets_run(&packets, &o->common.input, inputs, rest, e);
    *worst = packets.worst;
    if (code != 0)
        return t.error.code != 0 ? err_set(e, t.error.code, "%s", t.error.text) : code;
    /* The records are cut at the same borders, wherever the first of them begins. */
    struct interval_grid grid = truth->grid;
    grid.align = ALIGN_AT;
    way[0].grid = way[1].grid = grid;
    struct both both = { 0 };
    volume_records_init(&both.first, &way[0]);
    volume_records_init(&both.second, &way[1]);
    both.push = both.first.sink.push;
    both.first.sink.push = both_push;
    const struct flow_source source = { .packets = &o->common.input,
                                        .rest = rest,
                                        .length = plan->length };
    code = flow_source_read(&source, inputs, &both.first.sink, worst, e);
    const struct err *why = both.first.error.code != 0 ? &both.first.error : &both.second.error;
    return why->code != 0 ? err_set(e, why->code, "%s", why->text) : code;
}

int volume_compare(const struct volume_options *o, const struct volume_plan *plan,
                   const struct option_list *inputs, const char *rest, struct err *e)
{
    struct spread truth = {
        .grid = plan->grid, .method = SPREAD_START, .from_ns = plan->from_ns, .to_ns = plan->to_ns
    };
    struct spread way[2] = { truth, truth };
    way[0].method = SPREAD_PROPORTIONAL;
    way[1].method = SPREAD_UNIFORM;
    if (plan->wants_records)
        return err_set(e, WEIR_EUSAGE,
                       "--compare: needs captures, flow records do not know their packets");
    for (size_t i = 0; i < inputs->count; i++)
        if (flow_input_kind(inputs->item[i]) != FLOW_INPUT_CAPTURE || inputs->item[i][0] == '-')
            return err_set(e, WEIR_EUSAGE,
                           "--compare: '%s' must be a capture file, it is read twice",
                           inputs->item[i]);
    struct output *output;
    int worst = 0, code = output_open(&output, &o->common.output, &comparison, NULL, e);
    if (code != 0)
        return code;
    code = read_both_ways(o, plan, inputs, rest, &truth, way, &worst, e);
    if (code == 0)
        code = print_rows(output, &truth, way, e);
    int closed = output_close(output, code == 0 ? e : NULL);
    if (code == 0 && closed == 0)
        print_errors(&truth, way);
    spread_fini(&truth);
    spread_fini(&way[0]);
    spread_fini(&way[1]);
    code = code != 0 ? code : closed;
    return code == 0 && worst != 0
               ? err_set(e, worst,
                         "some input was damaged, see above; everything before the damage was used")
               : code;
}
