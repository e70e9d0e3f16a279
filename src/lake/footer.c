/*
 * Footer of a Parquet file: as much of it as tells who wrote the file and whether it is whole, read
 * without DuckDB.
 *
 * Source: Apache Parquet format, parquet.thrift (FileMetaData), and Thrift's compact protocol.
 */
#include <assert.h>
#include <string.h>

#include "lake/inside.h"
#include "packet/packet.h"

/* ---- checksum ---- */

#define SUM_FACTOR UINT64_C(0x9e3779b97f4a7c15)

void sum_init(struct sum *sum)
{
    *sum = (struct sum){ .state = SUM_FACTOR };
}

/* One to one in both arguments, so a changed word cannot vanish. */
static uint64_t sum_step(uint64_t state, uint64_t word)
{
    state = (state ^ word) * SUM_FACTOR;
    return state ^ state >> 32;
}

void sum_add(struct sum *sum, const void *from, size_t size)
{
    const uint8_t *at = from;
    for (; size > 0 && sum->size % 8 != 0; size--) {
        sum->rest[sum->size++ % 8] = *at++;
        if (sum->size % 8 == 0)
            sum->state = sum_step(sum->state, load_le64(sum->rest));
    }
    uint64_t state = sum->state;
    for (; size >= 8; size -= 8, at += 8, sum->size += 8)
        state = sum_step(state, load_le64(at));
    sum->state = state;
    for (; size > 0; size--)
        sum->rest[sum->size++ % 8] = *at++;
}

uint64_t sum_end(const struct sum *sum)
{
    uint8_t last[8] = { 0 };
    memcpy(last, sum->rest, sum->size % 8);
    return sum_step(sum_step(sum->state, load_le64(last)), sum->size);
}

/* ---- compact protocol ---- */

enum thrift_type {
    THRIFT_STOP,
    THRIFT_TRUE,
    THRIFT_FALSE,
    THRIFT_BYTE,
    THRIFT_I16,
    THRIFT_I32,
    THRIFT_I64,
    THRIFT_DOUBLE,
    THRIFT_BINARY,
    THRIFT_LIST,
    THRIFT_SET,
    THRIFT_MAP,
    THRIFT_STRUCT
};
#define THRIFT_DEPTH_MAX 16

static uint64_t take_varint(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t octet = cursor_u8(c);
        value |= (uint64_t)(octet & 0x7f) << shift;
        if ((octet & 0x80) == 0)
            return value;
    }
    c->is_short = true;
    return 0;
}

static int64_t take_number(struct cursor *c)
{
    uint64_t zigzag = take_varint(c);
    return (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
}

static struct bytes take_binary(struct cursor *c)
{
    uint64_t size = take_varint(c);
    if (size > cursor_left(c)) {
        c->is_short = true;
        return (struct bytes){ 0 };
    }
    return (struct bytes){ cursor_take(c, (size_t)size), (size_t)size };
}

/* Head of a list: elements and their type. Each takes an octet at least, so a count beyond the end
 * is damage. */
static size_t take_list(struct cursor *c, enum thrift_type *type)
{
    uint8_t head = cursor_u8(c);
    uint64_t count = head >> 4 == 15 ? take_varint(c) : head >> 4;
    *type = (enum thrift_type)(head & 15);
    if (count > cursor_left(c))
        c->is_short = true;
    return c->is_short ? 0 : (size_t)count;
}

/* Next field of a struct: its type, THRIFT_STOP at the end. *id is the last one's before the call.
 */
static enum thrift_type take_field(struct cursor *c, int64_t *id)
{
    uint8_t head = cursor_u8(c);
    if (c->is_short || head == 0)
        return THRIFT_STOP;
    *id = head >> 4 != 0 ? *id + (head >> 4) : take_number(c);
    return (enum thrift_type)(head & 15);
}

static void skip_value(struct cursor *c, enum thrift_type type, unsigned depth);

static void skip_list(struct cursor *c, unsigned depth)
{
    enum thrift_type type;
    size_t count = take_list(c, &type);
    bool is_flag = type == THRIFT_TRUE || type == THRIFT_FALSE; /* an octet each within lists */
    for (size_t i = 0; i < count && !c->is_short; i++)
        skip_value(c, is_flag ? THRIFT_BYTE : type, depth + 1);
}

static void skip_value(struct cursor *c, enum thrift_type type, unsigned depth)
{
    if (depth > THRIFT_DEPTH_MAX) {
        c->is_short = true;
        return;
    }
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        return;
    case THRIFT_BYTE:
        cursor_skip(c, 1);
        return;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        take_varint(c);
        return;
    case THRIFT_DOUBLE:
        cursor_skip(c, 8);
        return;
    case THRIFT_BINARY:
        take_binary(c);
        return;
    case THRIFT_LIST:
    case THRIFT_SET:
        skip_list(c, depth);
        return;
    case THRIFT_STRUCT: {
        int64_t id = 0;
        for (enum thrift_type t; (t = take_field(c, &id)) != THRIFT_STOP;)
            skip_value(c, t, depth + 1);
        return;
    }
    default: /* maps do not occur in a footer */
        c->is_short = true;
    }
}

/* ---- FileMetaData ---- */

#define COLUMNS_MAX 256

/* SchemaElement: 4 name, 5 num_children. A column is an element without children. */
static struct bytes take_column(struct cursor *c)
{
    struct bytes name = { 0 };
    int64_t id = 0, children = 0;
    for (enum thrift_type t; (t = take_field(c, &id)) != THRIFT_STOP;)
        if (id == 4 && t == THRIFT_BINARY)
            name = take_binary(c);
        else if (id == 5 && t == THRIFT_I32)
            children = take_number(c);
        else
            skip_value(c, t, 0);
    return children == 0 ? name : (struct bytes){ 0 };
}

/* KeyValue: 1 key, 2 value. */
static void take_pair(struct cursor *c, struct footer *footer, struct bytes *type)
{
    struct bytes key = { 0 }, value = { 0 };
    int64_t id = 0;
    for (enum thrift_type t; (t = take_field(c, &id)) != THRIFT_STOP;)
        if (id == 1 && t == THRIFT_BINARY)
            key = take_binary(c);
        else if (id == 2 && t == THRIFT_BINARY)
            value = take_binary(c);
        else
            skip_value(c, t, 0);
    const struct {
        const char *name;
        struct bytes *to;
    } known[] = {
        { KEY_TYPE, type },
        { KEY_SOURCE, &footer->source },
        { KEY_EPOCH, &footer->epoch },
        { KEY_NUMBER, &footer->number },
        { KEY_ROWS, &footer->meta_rows },
        { KEY_FIRST, &footer->first },
        { KEY_LAST, &footer->last },
        { KEY_SAMPLING, &footer->sampling },
        { KEY_LOST, &footer->lost },
        { KEY_BODY, &footer->body },
        { KEY_FOOTER, &footer->footer },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (key.size == strlen(known[i].name) && memcmp(key.data, known[i].name, key.size) == 0)
            *known[i].to = value;
}

static const struct record_type *type_of(struct bytes name)
{
    for (unsigned i = 0; i < RECORD_COUNT; i++)
        if (name.size == strlen(record_types[i].name) &&
            memcmp(record_types[i].name, name.data, name.size) == 0)
            return &record_types[i];
    return NULL;
}

static uint64_t known_columns(const struct record_type *type, const struct bytes *name,
                              size_t count)
{
    uint64_t known = 0;
    for (size_t i = 0; i < count; i++)
        for (unsigned k = 0; k < type->column_count; k++)
            if (name[i].size == strlen(type->column[k].name) &&
                memcmp(name[i].data, type->column[k].name, name[i].size) == 0)
                known |= UINT64_C(1) << k;
    return known;
}

bool footer_parse(struct bytes octets, struct footer *footer)
{
    struct cursor c = cursor_over(octets);
    struct bytes column[COLUMNS_MAX], type = { 0 };
    size_t column_count = 0;
    bool has_rows = false;
    int64_t id = 0;
    enum thrift_type element;
    *footer = (struct footer){ 0 };
    /* FileMetaData: 2 schema, 3 num_rows, 5 key_value_metadata. */
    for (enum thrift_type t; (t = take_field(&c, &id)) != THRIFT_STOP;)
        if (id == 2 && t == THRIFT_LIST) {
            for (size_t left = take_list(&c, &element); left > 0 && !c.is_short; left--) {
                struct bytes name = take_column(&c);
                if (name.size > 0 && column_count < COLUMNS_MAX)
                    column[column_count++] = name;
            }
        } else if (id == 3 && t == THRIFT_I64) {
            int64_t rows = take_number(&c);
            footer->rows = (uint64_t)rows;
            has_rows = rows >= 0;
        } else if (id == 5 && t == THRIFT_LIST) {
            for (size_t left = take_list(&c, &element); left > 0 && !c.is_short; left--)
                take_pair(&c, footer, &type);
        } else {
            skip_value(&c, t, 0);
        }
    footer->type = type_of(type);
    footer->columns = known_columns(footer->type ? footer->type : &record_types[RECORD_flow],
                                    column, column_count);
    return !c.is_short && has_rows && column_count > 0;
}

static void put_digits(uint8_t *to, uint64_t value)
{
    for (unsigned i = SEGMENT_SUM_DIGITS; i-- > 0; value >>= 4)
        to[i] = (uint8_t) "0123456789abcdef"[value & 15];
}

bool footer_seal(uint8_t *tail, size_t size, const struct sum *body)
{
    struct footer footer;
    if (size < FOOTER_TAIL)
        return false;
    size_t length = load_le32(tail + size - FOOTER_TAIL);
    if (length > size - FOOTER_TAIL)
        return false;
    size_t start = size - FOOTER_TAIL - length;
    if (!footer_parse((struct bytes){ tail + start, length }, &footer) ||
        footer.body.size != SEGMENT_SUM_DIGITS || footer.footer.size != SEGMENT_SUM_DIGITS)
        return false;
    struct sum sum = *body;
    sum_add(&sum, tail, start);
    put_digits(tail + (footer.body.data - tail), sum_end(&sum));
    uint8_t *digits = tail + (footer.footer.data - tail);
    memset(digits, '0', SEGMENT_SUM_DIGITS);
    sum_init(&sum);
    sum_add(&sum, tail + start, size - start);
    put_digits(digits, sum_end(&sum));
    return true;
}
