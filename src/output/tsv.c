/* -o tsv: values between tabs, as text/tab-separated-values; tabs, line ends and backslashes in
 * texts are written \t \n \r \\. */
#include <string.h>

#include "output/put.h"
#include "output/separated.h"

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
    separated_header(o, '\t', put_text_cell);
    return 0;
}

static int tsv_rows(struct output *o, struct record_batch *batch, struct err *e)
{
    (void)e;
    separated_rows(o, batch, '\t', put_text_cell);
    return 0;
}

const struct output_ops tsv_output = {
    .name = "tsv",
    .help = "values between tabs",
    .open = tsv_open,
    .rows = tsv_rows,
};
