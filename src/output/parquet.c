/*
 * -o parquet: one Parquet file by the lake's writer. Columns keep their types, so options for texts
 * (digits, time format) mean nothing here; --columns does.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lake/lake.h"
#include "output/output.h"

struct parquet {
    struct lake_writer *writer;
    struct record_sink *sink;
    struct record_type
        type; /* with the columns that were asked for, or names that SQL can tell apart */
    struct column_type column[OUTPUT_COLUMNS_MAX];
    bool is_chosen; /* `type` differs from that of the batches */
};

/* To SQL "Bps" is "bps": the second of two names that differ in case only becomes the IANA name of
 * its field. */
static bool rename_equal(struct column_type *column, unsigned count)
{
    bool is_any = false;
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcasecmp(column[i].name, column[k].name) == 0 && column[i].field < FIELD_NONE) {
                column[i].name = fields[column[i].field].name;
                is_any = true;
            }
    return is_any;
}

static int parquet_open(struct output *o, struct err *e)
{
    struct parquet *p = o->state;
    p->type = *o->type;
    p->type.column = p->column;
    p->type.column_count = o->column_count;
    for (unsigned i = 0; i < o->column_count; i++)
        p->column[i] = *o->column[i].type;
    p->is_chosen = rename_equal(p->column, o->column_count) || o->options.columns != NULL;
    if (o->column_count > RECORD_COLUMNS_MAX)
        return err_set(e, WEIR_EUSAGE, "-o parquet: more than %d columns", RECORD_COLUMNS_MAX);
    const struct record_type *type = p->is_chosen ? &p->type : o->type;
    int code = lake_file_new(&p->writer, o->options.path != NULL ? o->options.path : "-", type,
                             o->ledger, e);
    if (code == 0)
        p->sink = lake_writer_sink(p->writer, type);
    return code;
}

/* Texts live in the arena of their batch, so the copy gets its own. */
static int copy_texts(struct record_batch *to, unsigned column, const struct record_batch *from,
                      unsigned from_column)
{
    struct bytes *text = to->column[column].data;
    for (unsigned row = 0; row < from->count; row++) {
        if (record_is_null(from, from_column, row))
            continue;
        const char *copy = arena_text(&to->arena, (const char *)text[row].data, text[row].size);
        if (copy == NULL)
            return -1;
        text[row].data = (const uint8_t *)copy;
    }
    return 0;
}

static int copy_column(struct record_batch *to, unsigned column, const struct record_batch *from,
                       unsigned from_column)
{
    const struct column *c = &from->column[from_column];
    if (c->data == NULL)
        return 0;
    void *data = record_batch_column(to, column);
    if (data == NULL)
        return -1;
    memcpy(data, c->data, from->count * value_size(to->type->column[column].type));
    for (unsigned row = 0; c->is_null != NULL && row < from->count; row++)
        if (c->is_null[row] && record_batch_set_null(to, column, row) != 0)
            return -1;
    return to->type->column[column].type == T_TEXT ? copy_texts(to, column, from, from_column) : 0;
}

static int parquet_rows(struct output *o, struct record_batch *batch, struct err *e)
{
    struct parquet *p = o->state;
    if (!p->is_chosen)
        return p->sink->push(p->sink, record_batch_ref(batch));
    struct record_batch *chosen = record_batch_new(&p->type, batch->count);
    int code = chosen != NULL ? 0 : -1;
    for (unsigned i = 0; i < o->column_count && code == 0; i++)
        code = copy_column(chosen, i, batch, o->column[i].index);
    if (code != 0) {
        record_batch_unref(chosen);
        return err_memory(e, "rows", batch->count);
    }
    chosen->count = batch->count;
    record_batch_seal(chosen);
    return p->sink->push(p->sink, chosen);
}

static int parquet_finish(struct output *o, struct err *e)
{
    struct parquet *p = o->state;
    struct lake_writer *writer = p->writer;
    p->writer = NULL;
    return lake_writer_close(writer, e);
}

static void parquet_fini(struct output *o)
{
    struct parquet *p = o->state;
    if (p->writer != NULL)
        (void)lake_writer_close(p->writer, NULL);
}

const struct output_ops parquet_output = {
    .name = "parquet",
    .help = "Parquet file",
    .state_size = sizeof(struct parquet),
    .has_own_file = true,
    .counts_itself = true,
    .open = parquet_open,
    .rows = parquet_rows,
    .finish = parquet_finish,
    .fini = parquet_fini,
};
