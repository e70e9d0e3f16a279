/* Target over query: native CSV, fed whole and in pieces, gives the same rows or the same message.
 */
#include <string.h>

#include "fuzz.h"
#include "query/query.h"

/* Counts rows and adds up what is in them. */
struct sum_sink {
    struct record_sink sink; /* first */
    uint64_t rows, sum;
};

static int sum_push(struct record_sink *sink, struct record_batch *batch)
{
    struct sum_sink *s = (struct sum_sink *)sink;
    FUZZ_CHECK(batch->is_sealed && batch->count > 0);
    s->rows += batch->count;
    for (unsigned row = 0; row < batch->count; row++)
        for (unsigned c = 0; c < batch->type->column_count; c++)
            if (!record_is_null(batch, c, row))
                s->sum = s->sum * 31 + c + *(const uint8_t *)record_value(batch, c, row);
    record_batch_unref(batch);
    return 0;
}

static int read_pieces(const uint8_t *data, size_t size, size_t piece, struct sum_sink *sum,
                       struct err *e)
{
    struct csv_reader *reader;
    struct text messages = { 0 };
    *sum = (struct sum_sink){ .sink = { sum_push } };
    int code = csv_reader_new(&reader, &record_types[RECORD_flow], "fuzz.csv", &sum->sink, e);
    for (size_t at = 0; at < size && code == 0; at += piece)
        code = csv_reader_feed(reader, (const char *)data + at,
                               size - at < piece ? size - at : piece, e);
    code = csv_reader_close(reader, &messages, code, e);
    text_fini(&messages);
    return code;
}

static void csv(const uint8_t *data, size_t size)
{
    struct sum_sink whole, pieces;
    struct err e = { 0 }, other = { 0 };
    int code = read_pieces(data, size, size + 1, &whole, &e);
    FUZZ_CHECK(code == 0 || (code == WEIR_EINPUT && e.text[0] != '\0'));
    FUZZ_CHECK(read_pieces(data, size, 3, &pieces, &other) == code);
    FUZZ_CHECK(whole.rows == pieces.rows && strcmp(e.text, other.text) == 0);
}

static bool query_name(unsigned index, char *name, size_t room)
{
    if (index > 0)
        return false;
    snprintf(name, room, "csv");
    return true;
}

static void query_run(unsigned index, const uint8_t *data, size_t size)
{
    (void)index;
    csv(data, size);
}

const struct fuzz_group query_group = { query_name, query_run };
