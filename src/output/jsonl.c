/* -o jsonl: one JSON object per line. */
#include "output/json_row.h"

static int jsonl_open(struct output *o, struct err *e)
{
    (void)e;
    json_row_init(o->state, o);
    return 0;
}

static int jsonl_rows(struct output *o, struct record_batch *batch, struct err *e)
{
    (void)e;
    for (unsigned row = 0; row < batch->count; row++) {
        json_row_put(o->state, o, batch, row);
        text_char(&o->text, '\n');
    }
    return 0;
}

static void jsonl_fini(struct output *o)
{
    json_row_fini(o->state);
}

const struct output_ops jsonl_output = {
    .name = "jsonl",
    .help = "one JSON object per line",
    .state_size = sizeof(struct json_row),
    .open = jsonl_open,
    .rows = jsonl_rows,
    .fini = jsonl_fini,
};
