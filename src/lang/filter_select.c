/* A filter over a record batch: each condition is one pass over its column. See filter.h. */
#include <assert.h>
#include <string.h>

#include "lang/filter.h"

#define SLICE 1024 /* rows at a time, so that the intermediate answers stay in the cache */

struct slice {
    const struct record_batch *batch;
    unsigned first, count;
};

/* The column's values from the slice's first row on; NULL if the batch has none. */
static const void *column_of(const struct slice *s, enum field_id field, enum value_type *type,
                             const uint8_t **is_null)
{
    int index = record_column_find(s->batch->type, fields[field].column);
    if (index < 0 || s->batch->column[index].data == NULL)
        return NULL;
    const struct column *c = &s->batch->column[index];
    *type = s->batch->type->column[index].type;
    *is_null = c->is_null != NULL ? c->is_null + s->first : NULL;
    return (const uint8_t *)c->data + s->first * value_size(*type);
}

/* [low, high] by one comparison: a smaller value wraps around. */
#define SELECT_RANGE(TYPE, BIAS)                                                                   \
    for (unsigned i = 0; i < count; i++)                                                           \
        keep[i] = (((((uint64_t)((const TYPE *)data)[i] + (BIAS)) >> shift & mask) - low) <=       \
                   span) != outside;
#define SELECT_SET(TYPE, BIAS)                                                                     \
    for (unsigned i = 0; i < count; i++)                                                           \
        keep[i] = number_set_has(set, ((uint64_t)((const TYPE *)data)[i] + (BIAS)) >> shift &      \
                                          mask) != outside;
#define SELECT_NUMBER(LOOP)                                                                        \
    switch (type) {                                                                                \
    case T_U8:                                                                                     \
    case T_PROTO:                                                                                  \
    case T_REASON:                                                                                 \
        LOOP(uint8_t, 0)                                                                           \
        return;                                                                                    \
    case T_U16:                                                                                    \
    case T_FLAGS:                                                                                  \
        LOOP(uint16_t, 0)                                                                          \
        return;                                                                                    \
    case T_U32:                                                                                    \
        LOOP(uint32_t, 0)                                                                          \
        return;                                                                                    \
    case T_U64:                                                                                    \
    case T_I64:                                                                                    \
    case T_TIME:                                                                                   \
    case T_DURATION:                                                                               \
        LOOP(uint64_t, bias)                                                                       \
        return;                                                                                    \
    default:                                                                                       \
        break;                                                                                     \
    }

static void select_range(const struct node *node, enum value_type type, const void *data,
                         unsigned count, uint8_t keep[])
{
    const uint64_t low = node->low, span = node->high - node->low, mask = node->mask;
    const uint64_t bias = node->is_signed ? UINT64_C(1) << 63 : 0;
    const unsigned shift = node->shift;
    const bool outside = node->is_outside;
    if (node->low <= node->high)
        SELECT_NUMBER(SELECT_RANGE)
    memset(keep, 0, count); /* an empty range, or a column that is no number */
}

static void select_set(const struct node *node, enum value_type type, const void *data,
                       unsigned count, uint8_t keep[])
{
    const struct number_set *set = &node->numbers;
    const uint64_t mask = node->mask, bias = node->is_signed ? UINT64_C(1) << 63 : 0;
    const unsigned shift = node->shift;
    const bool outside = node->is_outside;
    SELECT_NUMBER(SELECT_SET)
    memset(keep, 0, count);
}

static void select_flags(const struct node *node, const uint16_t flags[], unsigned count,
                         uint8_t keep[])
{
    const uint16_t wanted = (uint16_t)node->low;
    for (unsigned i = 0; i < count; i++)
        keep[i] = (flags[i] & wanted) == wanted;
}

static void select_addresses(const struct node *node, const struct address address[],
                             unsigned count, uint8_t keep[])
{
    const struct address_set *set = node->addresses;
    if (set->count != 1) {
        for (unsigned i = 0; i < count; i++)
            keep[i] =
                (address[i].version != 0) & (address_set_has(set, &address[i]) != node->is_outside);
        return;
    }
    const struct prefix *p = &set->prefix[0];
    const uint64_t high = p->bits == 0    ? 0
                          : p->bits >= 64 ? UINT64_MAX
                                          : UINT64_MAX << (64 - p->bits);
    const uint64_t low = p->bits <= 64 ? 0 : UINT64_MAX << (128 - p->bits);
    for (unsigned i = 0; i < count; i++) {
        uint64_t differs = (load_be64(address[i].octet) & high) ^ p->word[0];
        differs |= (load_be64(address[i].octet + 8) & low) ^ p->word[1];
        bool is_in = (address[i].version == p->version) & (differs == 0);
        keep[i] = (address[i].version != 0) & (is_in != node->is_outside);
    }
}

static void select_texts(const struct node *node, const struct bytes value[], unsigned count,
                         uint8_t keep[])
{
    const size_t size = strlen(node->text);
    for (unsigned i = 0; i < count; i++)
        keep[i] = (value[i].size == size && memcmp(value[i].data, node->text, size) == 0) !=
                  node->is_outside;
}

static void select_field(const struct node *node, enum field_id field, const struct slice *s,
                         uint8_t keep[])
{
    enum value_type type;
    const uint8_t *is_null;
    const void *data = column_of(s, field, &type, &is_null);
    bool is_number = node->kind == NODE_NUMBER || node->kind == NODE_FLAGS;
    if (data == NULL || (!is_number && type != fields[field].type)) {
        memset(keep, 0, s->count);
        return;
    }
    if (node->kind == NODE_NUMBER && node->numbers.count > 0) {
        select_set(node, type, data, s->count, keep);
    } else if (node->kind == NODE_NUMBER) {
        select_range(node, type, data, s->count, keep);
    } else if (node->kind == NODE_FLAGS && type == T_FLAGS) {
        select_flags(node, data, s->count, keep);
    } else if (node->kind == NODE_ADDRESS) {
        select_addresses(node, data, s->count, keep);
    } else if (node->kind == NODE_VERSION) {
        for (unsigned i = 0; i < s->count; i++)
            keep[i] = ((const struct address *)data)[i].version == node->low;
    } else if (node->kind == NODE_MAC) {
        for (unsigned i = 0; i < s->count; i++)
            keep[i] = (memcmp(((const struct mac *)data)[i].octet, node->mac.octet, 6) == 0) !=
                      node->is_outside;
    } else if (node->kind == NODE_TEXT) {
        select_texts(node, data, s->count, keep);
    } else {
        memset(keep, 0, s->count);
    }
    for (unsigned i = 0; is_null != NULL && i < s->count; i++)
        keep[i] &= !is_null[i];
}

static void select_condition(const struct node *node, const struct slice *s, uint8_t keep[])
{
    uint8_t other[SLICE];
    assert(node->field_count >= 1 && node->field_count <= 2);
    select_field(node, node->field[0], s, keep);
    if (node->field_count == 1)
        return;
    select_field(node, node->field[1], s, other);
    for (unsigned i = 0; i < s->count; i++)
        keep[i] = node->is_both ? keep[i] & other[i] : keep[i] | other[i];
}

/* amount * unit / divisor, cut; 0 without a divisor. */
static uint64_t divide(uint64_t amount, uint64_t unit, uint64_t divisor)
{
    uint64_t product;
    if (divisor == 0)
        return 0;
    if (!__builtin_mul_overflow(amount, unit, &product))
        return product / divisor;
    wide quotient = (wide)amount * unit / divisor;
    return quotient > UINT64_MAX ? UINT64_MAX : (uint64_t)quotient;
}

static uint64_t rate_value(enum rate rate, int64_t start, int64_t end, uint64_t packets,
                           uint64_t bytes)
{
    uint64_t duration_ns = end > start ? (uint64_t)end - (uint64_t)start : 0;
    switch (rate) {
    case RATE_DURATION:
        return duration_ns / 1000000;
    case RATE_PPS:
        return divide(packets, 1000000000, duration_ns);
    case RATE_BPS:
        return divide(bytes, UINT64_C(8000000000), duration_ns);
    case RATE_BPP:
        return divide(bytes, 1, packets);
    }
    return 0;
}

static void select_rate(const struct node *node, const struct slice *s, uint8_t keep[])
{
    static const struct {
        enum field_id field;
        enum value_type type;
        uint8_t rates; /* for which it is needed */
    } needs[] = { { FIELD_start, T_TIME, 1 << RATE_DURATION | 1 << RATE_PPS | 1 << RATE_BPS },
                  { FIELD_end, T_TIME, 1 << RATE_DURATION | 1 << RATE_PPS | 1 << RATE_BPS },
                  { FIELD_packets, T_U64, 1 << RATE_PPS | 1 << RATE_BPP },
                  { FIELD_bytes, T_U64, 1 << RATE_BPS | 1 << RATE_BPP } };
    static const uint64_t nothing[SLICE];
    const void *data[4];
    const uint8_t *is_null[4];
    for (unsigned k = 0; k < 4; k++) {
        enum value_type type = VALUE_TYPES;
        data[k] = nothing;
        is_null[k] = NULL;
        if ((needs[k].rates >> node->rate & 1) == 0)
            continue;
        data[k] = column_of(s, needs[k].field, &type, &is_null[k]);
        if (data[k] == NULL || type != needs[k].type) {
            memset(keep, 0, s->count);
            return;
        }
    }
    const int64_t *start = data[0], *end = data[1];
    const uint64_t *packets = data[2], *bytes = data[3];
    for (unsigned i = 0; i < s->count; i++) {
        uint64_t value = rate_value(node->rate, start[i], end[i], packets[i], bytes[i]);
        keep[i] = (value >= node->low && value <= node->high) != node->is_outside;
        for (unsigned k = 0; k < 4; k++)
            keep[i] &= is_null[k] == NULL || !is_null[k][i];
    }
}

static void select_node(const struct node *node, const struct slice *s, uint8_t keep[])
{
    uint8_t other[SLICE];
    bool is_and = node->kind == NODE_AND;
    switch (node->kind) {
    case NODE_ANY:
        memset(keep, 1, s->count);
        return;
    case NODE_NOT:
        select_node(node->child, s, keep);
        for (unsigned i = 0; i < s->count; i++)
            keep[i] ^= 1;
        return;
    case NODE_AND:
    case NODE_OR:
        memset(keep, is_and, s->count);
        for (const struct node *child = node->child; child != NULL; child = child->next) {
            if (memchr(keep, is_and, s->count) == NULL) /* decided for every row */
                return;
            select_node(child, s, other);
            for (unsigned i = 0; i < s->count; i++)
                keep[i] = is_and ? keep[i] & other[i] : keep[i] | other[i];
        }
        return;
    case NODE_RATE:
        select_rate(node, s, keep);
        return;
    default:
        select_condition(node, s, keep);
        return;
    }
}

void filter_select(const struct filter *filter, const struct record_batch *batch, uint8_t keep[])
{
    for (unsigned first = 0; first < batch->count; first += SLICE) {
        unsigned left = batch->count - first;
        struct slice s = { batch, first, left < SLICE ? left : SLICE };
        select_node(filter->root, &s, keep + first);
    }
}
