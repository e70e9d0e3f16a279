/*
 * -o csv: RFC 4180 with LF. Numbers and addresses never need quotes, so only texts are looked at. A
 * text that begins with = + - @ or a control octet gets an apostrophe before it, because
 * spreadsheets run such cells as formulas (--raw leaves it out).
 */
#include <string.h>

#include "output/put.h"
#include "output/separated.h"

static void put_text_cell(struct text *t, const struct bytes *from, bool is_raw)
{
    bool is_guarded = !is_raw && from->size > 0 && memchr("=+-@\t\r", from->data[0], 6) != NULL;
    bool is_quoted = is_guarded;
    for (size_t i = 0; i < from->size && !is_quoted; i++)
        is_quoted = memchr(",\"\n\r", from->data[i], 4) != NULL;
    if (!is_quoted) {
        put_utf8(t, from);
        return;
    }
    text_add(t, is_guarded ? "\"'" : "\"");
    for (size_t first = 0, i = 0; i <= from->size; i++)
        if (i == from->size || from->data[i] == '"') {
            put_utf8(t, &(struct bytes){ from->data + first, i - first });
            if (i < from->size)
                text_add(t, "\"\"");
            first = i + 1;
        }
    text_char(t, '"');
}

static int csv_open(struct output *o, struct err *e)
{
    (void)e;
    separated_header(o, ',', put_text_cell);
    return 0;
}

static int csv_rows(struct output *o, struct record_batch *batch, struct err *e)
{
    (void)e;
    separated_rows(o, batch, ',', put_text_cell);
    return 0;
}

const struct output_ops csv_output = {
    .name = "csv",
    .help = "comma-separated values, RFC 4180",
    .open = csv_open,
    .rows = csv_rows,
};
