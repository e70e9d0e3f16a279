/* -o md: a table for documents in Markdown; numbers plain. */
#include "output/people.h"

#include <string.h>

/* A bar would end the cell. */
static void put_escaped(struct text *t, const char *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (from[i] == '|' || from[i] == '\\')
            text_char(t, '\\');
        text_char(t, from[i]);
    }
}

static int md_open(struct output *o, struct err *e)
{
    (void)e;
    if (o->options.preface != NULL)
        text_add(&o->text, o->options.preface);
    for (unsigned i = 0; i < o->column_count; i++) {
        text_add(&o->text, "| ");
        people_put_header(&o->text, &o->column[i]);
        text_char(&o->text, ' ');
    }
    text_add(&o->text, "|\n");
    for (unsigned i = 0; i < o->column_count; i++)
        text_add(&o->text, people_is_number(&o->column[i]) ? "|--:" : "|---");
    text_add(&o->text, "|\n");
    return 0;
}

static int md_rows(struct output *o, struct record_batch *batch, struct err *e)
{
    (void)e;
    struct text cell = { 0 };
    for (unsigned row = 0; row < batch->count; row++) {
        for (unsigned i = 0; i < o->column_count; i++) {
            cell.size = 0;
            people_put(&cell, o, &o->column[i], batch, row, false);
            text_add(&o->text, "| ");
            put_escaped(&o->text, cell.data, cell.size);
            text_char(&o->text, ' ');
        }
        text_add(&o->text, "|\n");
    }
    o->text.is_bad |= cell.is_bad;
    text_fini(&cell);
    return 0;
}

const struct output_ops md_output = {
    .name = "md",
    .help = "table in Markdown",
    .is_for_people = true,
    .open = md_open,
    .rows = md_rows,
};
