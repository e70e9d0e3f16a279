/* -o json: one array of objects. */
#include "output/json_row.h"

struct json_state {
    struct json_row row;
    bool has_rows;
};

static int json_open(struct output *o, struct err *e)
{
    (void)e;
    struct json_state *s = o->state;
    json_row_init(&s->row, o);
    text_char(&o->text, '[');
    return 0;
}

static int json_rows(struct output *o, struct record_batch *batch, struct err *e)
{
    (void)e;
    struct json_state *s = o->state;
    for (unsigned row = 0; row < batch->count; row++) {
        text_add(&o->text, s->has_rows ? ",\n" : "\n");
        json_row_put(&s->row, o, batch, row);
        s->has_rows = true;
    }
    return 0;
}

static int json_finish(struct output *o, struct err *e)
{
    (void)e;
    text_add(&o->text, "\n]\n");
    return 0;
}

static void json_fini(struct output *o)
{
    struct json_state *s = o->state;
    json_row_fini(&s->row);
}

const struct output_ops json_output = {
    .name = "json",
    .help = "one JSON array of objects",
    .state_size = sizeof(struct json_state),
    .open = json_open,
    .rows = json_rows,
    .finish = json_finish,
    .fini = json_fini,
};
