/* -o tsv: values between tabs, as text/tab-separated-values; tabs, line ends and backslashes in
 * texts are written \t \n \r \\. */
#include <string.h>

#include "output/put.h"

static void put_text_cell(struct text *t, const struct bytes *from, bool is_raw)
{
    if (!is_raw && from->size > 0 && memchr("=+-@", from->data[0], 4) != NULL)
        text_char(t, '\'');
    for (size_t first = 0, i = 0; i <= from->size; i++) {
        const char *escape = i == from->size         ? ""
                             : from->data[i] == '\t' ? "\\t"
                             : from->data[i] == '\n' ? "\\n"
                             : from->data[i] == '\r' ? "\\r"
                             : from->data[i] == '\\' ? "\\\\"
                                                     : NULL;
        if (escape == NULL)
            continue;
        put_utf8(t, &(struct bytes){ from->data + first, i - first });
        text_add(t, escape);
        first = i + 1;
    }
}

static int tsv_open(struct output *o, struct err *e)
{
    (void)e;
    for (unsigned i = 0; i < o->column_count && !o->options.no_header; i++)
        text_format(&o->text, "%s%s", i > 0 ? "\t" : "", o->column[i].name);
    if (!o->options.no_header)
        text_char(&o->text, '\n');
    return 0;
}

static void put_cell(struct output *o, const struct output_column *c,
                     const struct record_batch *batch, unsigned row)
{
    if (record_is_null(batch, c->index, row))
        return;
    const void *value = record_value(batch, c->index, row);
    if (c->type->type == T_TEXT) {
        put_text_cell(&o->text, value, o->options.is_raw);
        return;
    }
    char *at = text_reserve(&o->text, PUT_VALUE_MAX);
    if (at != NULL)
        o->text.size += (size_t)(put_plain(at, o, c, value) - at);
}

static int tsv_rows(struct output *o, struct record_batch *batch, struct err *e)
{
    (void)e;
    for (unsigned row = 0; row < batch->count; row++)
        for (unsigned i = 0; i < o->column_count; i++) {
            put_cell(o, &o->column[i], batch, row);
            text_char(&o->text, i + 1 < o->column_count ? '\t' : '\n');
        }
    return 0;
}

const struct output_ops tsv_output = {
    .name = "tsv",
    .help = "values between tabs",
    .open = tsv_open,
    .rows = tsv_rows,
};
