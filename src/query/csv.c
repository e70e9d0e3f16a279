/*
 * Rows of comma-separated text to record batches: the header names dictionary columns
 * (spec/tools.md 9.3), columns that are missing stay empty, RFC 4180 quoting. Text comes in pieces
 * of any size; a field's meaning never depends on where they were cut.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "query/query.h"

enum state { FIELD_BEGINS, IN_FIELD, IN_QUOTES, QUOTE_IN_QUOTES };

#define NO_COLUMN -1

struct csv_reader {
    const struct record_type *type;
    struct record_sink *sink;
    char *name; /* of the input, for messages */
    struct record_batch *batch;
    enum state state;
    bool has_header, is_row_begun;
    uint64_t line, row_line;     /* of the text; where the row begins */
    unsigned field;              /* index within the row */
    unsigned column_count;       /* of the text */
    int column[CSV_COLUMNS_MAX]; /* in the type, or NO_COLUMN */
    struct text value;           /* of the field being read */
    struct text ignored;         /* names of columns that the type lacks */
};

int csv_reader_new(struct csv_reader **reader, const struct record_type *type, const char *name,
                   struct record_sink *sink, struct err *e)
{
    struct csv_reader *r = calloc(1, sizeof *r);
    if (r == NULL || (r->name = strdup(name)) == NULL) {
        free(r);
        return err_memory(e, name, sizeof *r);
    }
    r->type = type;
    r->sink = sink;
    r->line = r->row_line = 1;
    *reader = r;
    return 0;
}

static int damaged(const struct csv_reader *r, struct err *e, const char *what, const char *column)
{
    char value[64];
    snprintf(value, sizeof value, "%.60s", r->value.data != NULL ? r->value.data : "");
    return err_set(e, WEIR_EINPUT, "%s:%llu: %s '%s' is no %s; the rows before it were used",
                   r->name, (unsigned long long)r->row_line, column, value, what);
}

/* ---- values ---- */

static bool read_whole(const char *text, uint64_t most, uint64_t *value)
{
    *value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(*value, UINT64_C(10), value) ||
            __builtin_add_overflow(*value, (uint64_t)(*text - '0'), value))
            return false;
    return *value <= most;
}

static void store_whole(void *to, size_t size, uint64_t number)
{
    if (size == 1)
        *(uint8_t *)to = (uint8_t)number;
    else if (size == 2)
        *(uint16_t *)to = (uint16_t)number;
    else if (size == 4)
        *(uint32_t *)to = (uint32_t)number;
    else
        *(uint64_t *)to = number;
}

/* Decimal seconds or RFC 3339 to ns; also before 1970. */
static bool read_time(const char *text, int64_t *ns)
{
    bool is_negative = *text == '-';
    if (parse_instant(text + is_negative, ns, "time", NULL) != 0)
        return false;
    if (is_negative)
        *ns = -*ns;
    return true;
}

static bool read_mac(const char *text, struct mac *mac)
{
    *mac = (struct mac){ 0 };
    for (unsigned i = 0; i < 6; i++, text += 3) {
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
            text[2] != (i < 5 ? ':' : '\0'))
            return false;
        mac->octet[i] = (uint8_t)strtoul((char[3]){ text[0], text[1], '\0' }, NULL, 16);
    }
    return true;
}

/* The text as a value of `type` at `to`; NULL, or what it should have been. */
static const char *read_value(struct csv_reader *r, enum value_type type, const char *text,
                              size_t size, void *to)
{
    uint64_t number;
    int64_t ns;
    double real;
    char *end;
    struct bytes copy;
    static const uint64_t most[] = { 0, UINT8_MAX, UINT16_MAX, 0, UINT32_MAX, 0, 0, 0, UINT64_MAX };
    switch (type) {
    case T_PROTO:
        if (protocol_number(text) >= 0) {
            *(uint8_t *)to = (uint8_t)protocol_number(text);
            return NULL;
        }
        __attribute__((fallthrough));
    case T_U8:
    case T_REASON:
    case T_U16:
    case T_FLAGS:
    case T_U32:
    case T_U64:
        if (!read_whole(text, most[value_size(type)], &number))
            return type == T_PROTO ? "protocol" : "number of the column's range";
        store_whole(to, value_size(type), number);
        return NULL;
    case T_I64:
        number = 0;
        if (!read_whole(text + (*text == '-'), INT64_MAX, &number))
            return "number";
        *(int64_t *)to = *text == '-' ? -(int64_t)number : (int64_t)number;
        return NULL;
    case T_F64:
        real = strtod(text, &end);
        memcpy(to, &real, sizeof real);
        return end == text || *end != '\0' ? "number" : NULL;
    case T_TIME:
    case T_DURATION:
        if (!read_time(text, &ns))
            return type == T_TIME ? "time" : "duration in seconds";
        memcpy(to, &ns, sizeof ns);
        return NULL;
    case T_ADDRESS:
        return address_parse(text, to) ? NULL : "address";
    case T_MAC:
        return read_mac(text, to) ? NULL : "MAC address";
    case T_TEXT:
        copy = (struct bytes){ (const uint8_t *)arena_text(&r->batch->arena, text, size), size };
        memcpy(to, &copy, sizeof copy);
        return copy.data != NULL ? NULL : "text that fits into memory";
    case VALUE_TYPES:
        break;
    }
    return "value";
}

/* ---- rows ---- */

static int flush(struct csv_reader *r, struct err *e)
{
    struct record_batch *batch = r->batch;
    r->batch = NULL;
    if (batch == NULL)
        return 0;
    if (batch->count == 0) {
        record_batch_unref(batch);
        return 0;
    }
    record_batch_seal(batch);
    int code = r->sink->push(r->sink, batch);
    return code == 0 ? 0 : err_set(e, code, "%s: the rows could not be taken on", r->name);
}

/* A column of the header: a dictionary name, short or of IANA. */
static void header_field(struct csv_reader *r, const char *name)
{
    int index = record_column_find(r->type, name);
    for (unsigned i = 0; index < 0 && i < r->type->column_count; i++)
        if (r->type->column[i].field != FIELD_NONE &&
            strcasecmp(name, fields[r->type->column[i].field].name) == 0)
            index = (int)i;
    for (unsigned i = 0; i < r->column_count; i++)
        if (index != NO_COLUMN && r->column[i] == index)
            index = NO_COLUMN; /* given twice: the first counts */
    r->column[r->column_count++] = index;
    if (index < 0)
        text_format(&r->ignored, "%s%s", r->ignored.size > 0 ? ", " : "", name);
}

static int value_field(struct csv_reader *r, const char *text, size_t size, struct err *e)
{
    if (r->batch == NULL && (r->batch = record_batch_new(r->type, RECORD_BATCH_ROWS)) == NULL)
        return err_memory(e, r->name, sizeof *r->batch);
    int index = r->field < r->column_count ? r->column[r->field] : NO_COLUMN;
    if (index == NO_COLUMN || size == 0)
        return 0;
    enum value_type type = r->type->column[index].type;
    struct column *c = &r->batch->column[index];
    bool is_first = c->data == NULL;
    uint8_t *data = record_batch_column(r->batch, (unsigned)index);
    if (data == NULL)
        return err_memory(e, r->name, r->batch->capacity * value_size(type));
    /* Until a value came, no row had one. */
    for (unsigned row = 0; is_first && row < r->batch->capacity; row++)
        if (record_batch_set_null(r->batch, (unsigned)index, row) != 0)
            return err_memory(e, r->name, r->batch->capacity);
    const char *expected =
        read_value(r, type, text, size, data + r->batch->count * value_size(type));
    if (expected != NULL)
        return damaged(r, e, expected, r->type->column[index].name);
    c->is_null[r->batch->count] = 0;
    return 0;
}

static int end_field(struct csv_reader *r, struct err *e)
{
    const char *text = r->value.data != NULL ? r->value.data : "";
    if (r->value.is_bad)
        return err_memory(e, r->name, r->value.room);
    if (memchr(text, '\0', r->value.size) != NULL)
        return damaged(r, e, "text: it holds octets of value 0", "the field");
    int code = 0;
    if (r->has_header)
        code = value_field(r, text, r->value.size, e);
    else if (r->column_count == CSV_COLUMNS_MAX)
        code = err_set(e, WEIR_EINPUT, "%s: more than %u columns", r->name, CSV_COLUMNS_MAX);
    else
        header_field(r, text);
    r->value.size = 0;
    if (r->value.data != NULL)
        r->value.data[0] = '\0';
    r->field++;
    r->state = FIELD_BEGINS;
    return code;
}

static int end_header(struct csv_reader *r, struct err *e)
{
    r->has_header = true;
    for (unsigned i = 0; i < r->column_count; i++)
        if (r->column[i] != NO_COLUMN)
            return 0;
    return err_set(e, WEIR_EINPUT,
                   "%s: no column of the header is one of %s records: '%.200s'; 'weir schema' "
                   "shows their names",
                   r->name, r->type->name, r->ignored.data != NULL ? r->ignored.data : "");
}

static int end_row(struct csv_reader *r, struct err *e)
{
    bool is_blank = r->field == 0 && r->value.size == 0 && r->state == FIELD_BEGINS;
    int code = is_blank ? 0 : end_field(r, e);
    r->state = FIELD_BEGINS;
    r->is_row_begun = false;
    if (code == 0 && !is_blank && !r->has_header) {
        code = end_header(r, e);
    } else if (code == 0 && !is_blank) {
        if (r->field != r->column_count)
            return err_set(
                e, WEIR_EINPUT,
                "%s:%llu: %u fields, but the header has %u; the rows before it were used", r->name,
                (unsigned long long)r->row_line, r->field, r->column_count);
        if (++r->batch->count == r->batch->capacity)
            code = flush(r, e);
    }
    r->field = 0;
    return code;
}

/* The octets of a field up to the next one that means something. */
static size_t plain_run(const char *at, size_t size, bool is_quoted)
{
    size_t run = 0;
    while (run < size && at[run] != '"' && at[run] != '\n' &&
           (is_quoted || (at[run] != ',' && at[run] != '\r')))
        run++;
    return run;
}

static int take_octet(struct csv_reader *r, char c, struct err *e)
{
    bool is_quoted = r->state == IN_QUOTES;
    r->is_row_begun = true;
    if (c == '\n')
        r->line++;
    if (is_quoted) {
        if (c == '"')
            r->state = QUOTE_IN_QUOTES;
        else
            text_char(&r->value, c);
        return 0;
    }
    if (c == '"' && r->state == QUOTE_IN_QUOTES) {
        text_char(&r->value, c);
        r->state = IN_QUOTES;
        return 0;
    }
    if (c == '"' && r->state == FIELD_BEGINS) {
        r->state = IN_QUOTES;
        return 0;
    }
    if (c == ',')
        return end_field(r, e);
    if (c == '\n') {
        int code = end_row(r, e);
        r->row_line = r->line;
        return code;
    }
    if (c != '\r') {
        text_char(&r->value, c);
        r->state = IN_FIELD;
    }
    return 0;
}

int csv_reader_feed(struct csv_reader *r, const char *data, size_t size, struct err *e)
{
    for (size_t at = 0; at < size;) {
        size_t run = plain_run(data + at, size - at, r->state == IN_QUOTES);
        if (run > 0 && r->state != QUOTE_IN_QUOTES) {
            text_put(&r->value, data + at, run);
            if (r->state == FIELD_BEGINS)
                r->state = IN_FIELD;
            r->is_row_begun = true;
            at += run;
        } else {
            int code = take_octet(r, data[at++], e);
            if (code != 0)
                return code;
        }
        if (r->value.size > CSV_FIELD_MAX)
            return err_set(e, WEIR_EINPUT,
                           "%s:%llu: a field is longer than %u octets; is a quote not closed?",
                           r->name, (unsigned long long)r->row_line, CSV_FIELD_MAX);
    }
    return 0;
}

int csv_reader_close(struct csv_reader *r, struct text *messages, int code, struct err *e)
{
    if (r == NULL)
        return code;
    if (code == 0 && r->state == IN_QUOTES)
        code =
            err_set(e, WEIR_EINPUT, "%s:%llu: a quote is not closed; the rows before it were used",
                    r->name, (unsigned long long)r->row_line);
    else if (code == 0 && r->is_row_begun)
        code = end_row(r, e);
    if (code == 0 && !r->has_header)
        code =
            err_set(e, WEIR_EINPUT,
                    "%s: no header; write the names of the columns into the first line", r->name);
    struct err other;
    int flushed = flush(r, code == 0 ? e : &other);
    if (code == 0)
        code = flushed;
    if (messages != NULL && r->ignored.size > 0 && r->has_header)
        text_format(messages, "%s: columns that %s records lack are left out: %s\n", r->name,
                    r->type->name, r->ignored.data);
    text_fini(&r->value);
    text_fini(&r->ignored);
    free(r->name);
    free(r);
    return code;
}

int csv_read(const char *path, const struct record_type *type, struct record_sink *sink,
             struct text *messages, struct err *e)
{
    struct file *file;
    struct csv_reader *reader = NULL;
    char *chunk = malloc(CSV_CHUNK);
    if (chunk == NULL)
        return err_memory(e, path, CSV_CHUNK);
    int code = file_open(&file, path, FILE_READ, e);
    if (code == 0) {
        int64_t got = 0;
        code = csv_reader_new(&reader, type, path, sink, e);
        while (code == 0 && (got = file_read(file, chunk, CSV_CHUNK, e)) > 0)
            code = csv_reader_feed(reader, chunk, (size_t)got, e);
        code = csv_reader_close(reader, messages, got < 0 ? (int)got : code, e);
        file_close(file, NULL);
    }
    free(chunk);
    return code;
}
