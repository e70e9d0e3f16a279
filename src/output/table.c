/*
 * -o table: aligned columns for people. The first OUTPUT_TABLE_ROWS rows are held to learn the
 * widths; what comes after them is printed with the same widths at once, so memory stays bounded.
 * Columns without any value are left out unless they were asked for; on a terminal, so are those
 * that do not fit, with a note.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output/people.h"

#define GAP            "  "
#define TEXT_WIDTH_MAX 48 /* of a text on a terminal */

struct table {
    struct record_batch **held;
    size_t held_count, held_room;
    bool is_laid_out, is_shortening;
    bool is_shown[OUTPUT_COLUMNS_MAX];
    size_t width[OUTPUT_COLUMNS_MAX];
    unsigned left_out; /* columns that do not fit */
    size_t screen;     /* columns of the terminal, 0 = no terminal */
    struct text cell;
};

static int table_open(struct output *o, struct err *e)
{
    (void)e;
    struct table *t = o->state;
    struct winsize size;
    int fd = file_descriptor(o->file);
    if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0)
        t->screen = size.ws_col;
    return 0;
}

/* Code points of `text` up to `width`, in octets. */
static size_t cut_at(const char *text, size_t size, size_t width)
{
    size_t at = 0;
    while (at < size && width > 0) {
        at++;
        while (at < size && ((unsigned char)text[at] & 0xc0) == 0x80)
            at++;
        width--;
    }
    return at;
}

/* The cell in t->cell, its width returned. */
static size_t make_cell(struct output *o, unsigned i, const struct record_batch *batch,
                        unsigned row)
{
    struct table *t = o->state;
    t->cell.size = 0;
    t->is_shortening |=
        people_put(&t->cell, o, &o->column[i], batch, row, !o->options.plain_numbers);
    size_t width = people_width(t->cell.data, t->cell.size);
    if (t->screen > 0 && o->column[i].type->type == T_TEXT && width > TEXT_WIDTH_MAX) {
        t->cell.size = cut_at(t->cell.data, t->cell.size, TEXT_WIDTH_MAX - 1);
        text_add(&t->cell, "\xe2\x80\xa6");
        width = TEXT_WIDTH_MAX;
    }
    return width;
}

static void measure(struct output *o, unsigned i)
{
    struct table *t = o->state;
    t->is_shown[i] = o->column[i].is_asked_for || t->held_count == 0;
    t->cell.size = 0;
    if (!o->options.no_header) {
        people_put_header(&t->cell, &o->column[i]);
        t->width[i] = people_width(t->cell.data, t->cell.size);
    }
    for (size_t b = 0; b < t->held_count; b++)
        for (unsigned row = 0; row < t->held[b]->count; row++) {
            if (record_is_null(t->held[b], o->column[i].index, row))
                continue;
            t->is_shown[i] = true;
            size_t width = make_cell(o, i, t->held[b], row);
            if (width > t->width[i])
                t->width[i] = width;
        }
}

/* Columns that nobody asked for go, from the right, until a line fits the screen. */
static void fit(struct output *o)
{
    struct table *t = o->state;
    size_t line = 0;
    for (unsigned i = 0; i < o->column_count; i++)
        line += t->is_shown[i] ? t->width[i] + strlen(GAP) : 0;
    for (unsigned i = o->column_count; t->screen > 0 && i-- > 0 && line > t->screen + strlen(GAP);)
        if (t->is_shown[i] && !o->column[i].is_asked_for) {
            t->is_shown[i] = false;
            t->left_out++;
            line -= t->width[i] + strlen(GAP);
        }
}

/* t->cell into its column; no blanks at the end of a line. */
static void put_cell(struct output *o, unsigned i, size_t width, size_t *blanks)
{
    struct table *t = o->state;
    size_t pad = width < t->width[i] ? t->width[i] - width : 0;
    bool is_right = people_is_number(&o->column[i]);
    for (size_t k = *blanks + (is_right ? pad : 0); k > 0 && width > 0; k--)
        text_char(&o->text, ' ');
    text_put(&o->text, t->cell.data, t->cell.size);
    *blanks = (width > 0 ? 0 : *blanks + (is_right ? pad : 0)) + (is_right ? 0 : pad) + strlen(GAP);
}

static void put_header(struct output *o)
{
    struct table *t = o->state;
    if (t->is_shortening)
        text_add(&o->text, "numbers with k = 1000, M = 1000 k, G = 1000 M; -N prints them plain\n");
    size_t blanks = 0;
    for (unsigned i = 0; i < o->column_count; i++)
        if (t->is_shown[i]) {
            t->cell.size = 0;
            people_put_header(&t->cell, &o->column[i]);
            put_cell(o, i, people_width(t->cell.data, t->cell.size), &blanks);
        }
    text_char(&o->text, '\n');
}

static void put_rows(struct output *o, struct record_batch *batch)
{
    struct table *t = o->state;
    for (unsigned row = 0; row < batch->count; row++) {
        size_t blanks = 0;
        for (unsigned i = 0; i < o->column_count; i++)
            if (t->is_shown[i])
                put_cell(o, i, make_cell(o, i, batch, row), &blanks);
        text_char(&o->text, '\n');
    }
}

static void lay_out(struct output *o)
{
    struct table *t = o->state;
    for (unsigned i = 0; i < o->column_count; i++)
        measure(o, i);
    fit(o);
    if (!o->options.no_header)
        put_header(o);
    for (size_t b = 0; b < t->held_count; b++) {
        put_rows(o, t->held[b]);
        record_batch_unref(t->held[b]);
    }
    t->held_count = 0;
    t->is_laid_out = true;
    o->rows_held = 0;
    o->text.is_bad |= t->cell.is_bad;
}

static int hold(struct output *o, struct record_batch *batch, struct err *e)
{
    struct table *t = o->state;
    if (t->held_count == t->held_room) {
        size_t room = t->held_room == 0 ? 16 : 2 * t->held_room;
        struct record_batch **grown = realloc(t->held, room * sizeof(struct record_batch *));
        if (grown == NULL)
            return err_memory(e, "table", room * sizeof(struct record_batch *));
        t->held = grown;
        t->held_room = room;
    }
    t->held[t->held_count++] = record_batch_ref(batch);
    o->rows_held += batch->count;
    return 0;
}

static int table_rows(struct output *o, struct record_batch *batch, struct err *e)
{
    struct table *t = o->state;
    if (t->is_laid_out) {
        put_rows(o, batch);
        return 0;
    }
    int code = hold(o, batch, e);
    if (code == 0 && o->rows_held >= OUTPUT_TABLE_ROWS)
        lay_out(o);
    return code;
}

static int table_finish(struct output *o, struct err *e)
{
    (void)e;
    struct table *t = o->state;
    if (!t->is_laid_out)
        lay_out(o);
    if (t->left_out > 0)
        text_format(&o->text,
                    "%u more columns do not fit; choose with --columns, or -o csv shows all\n",
                    t->left_out);
    return 0;
}

static void table_fini(struct output *o)
{
    struct table *t = o->state;
    for (size_t b = 0; b < t->held_count; b++)
        record_batch_unref(t->held[b]);
    free(t->held);
    text_fini(&t->cell);
}

const struct output_ops table_output = {
    .name = "table",
    .help = "aligned columns with units for people",
    .state_size = sizeof(struct table),
    .is_for_people = true,
    .open = table_open,
    .rows = table_rows,
    .finish = table_finish,
    .fini = table_fini,
};
