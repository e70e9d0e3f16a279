/* Values as people read them, see people.h. */
#include "output/people.h"

#include <math.h>
#include <string.h>

#include "output/put.h"

#define SHORTEN_FROM 10000 /* smaller numbers are as short plain */

static const char prefixes[] = "kMGTPE";

/* 12345 -> "12.3k", 999950 -> "1.00M": three digits, rounded. */
static bool put_short(struct text *t, double value)
{
    if (fabs(value) < SHORTEN_FROM)
        return false;
    const char *prefix = prefixes;
    value /= 1000;
    while (fabs(value) >= 999.5 && prefix[1] != '\0') {
        value /= 1000;
        prefix++;
    }
    text_format(t, "%.*f%c", fabs(value) < 9.995 ? 2 : fabs(value) < 99.95 ? 1 : 0, value, *prefix);
    return true;
}

/* Real values with four digits that say something: 163.6, 0.08973. */
static void put_real(struct text *t, double value)
{
    int digits = 3;
    for (double v = fabs(value); v >= 10 && digits > 0; v /= 10)
        digits--;
    for (double v = fabs(value); v > 0 && v < 1 && digits < 6; v *= 10)
        digits++;
    text_format(t, "%.*f", digits, value);
}

static bool has_counts(const struct output_column *c)
{
    return c->type->unit != U_NONE && c->type->unit != U_SECONDS && c->type->unit != U_PERCENT;
}

static double as_double(enum value_type type, const void *value)
{
    switch (type) {
    case T_U8:
        return *(const uint8_t *)value;
    case T_U16:
        return *(const uint16_t *)value;
    case T_U32:
        return *(const uint32_t *)value;
    case T_U64:
        return (double)*(const uint64_t *)value;
    case T_I64:
        return (double)*(const int64_t *)value;
    case T_F64:
        return *(const double *)value;
    default:
        return 0;
    }
}

static const char *end_reason_name(uint8_t reason)
{
    static const char *const names[] = { "", "idle", "active", "end", "forced", "resources" };
    return reason < sizeof names / sizeof *names ? names[reason] : NULL;
}

/* Texts may hold anything: what would move the cursor or break a line becomes a point. */
static void put_visible(struct text *t, const struct bytes *from)
{
    size_t first = t->size;
    put_utf8(t, from);
    for (size_t i = first; i < t->size; i++) {
        unsigned char octet = (unsigned char)t->data[i];
        if (octet < 0x20 || octet == 0x7f)
            t->data[i] = '.';
        else if (octet == 0xc2 &&
                 (unsigned char)t->data[i + 1] < 0xa0) /* C1 controls, U+0080 to U+009F */
            t->data[i] = t->data[i + 1] = '.';
    }
}

bool people_put(struct text *t, const struct output *o, const struct output_column *c,
                const struct record_batch *batch, unsigned row, bool shortens)
{
    if (record_is_null(batch, c->index, row))
        return false;
    const void *value = record_value(batch, c->index, row);
    enum value_type type = c->type->type;
    const char *name = type == T_PROTO    ? protocol_name(*(const uint8_t *)value)
                       : type == T_REASON ? end_reason_name(*(const uint8_t *)value)
                                          : NULL;
    if (type == T_TEXT) {
        put_visible(t, value);
    } else if (name != NULL) {
        text_add(t, name);
    } else if (shortens && has_counts(c) && put_short(t, as_double(type, value))) {
        return true;
    } else if (shortens && type == T_F64 && c->type->unit != U_PERCENT) {
        put_real(t, *(const double *)value);
    } else if (shortens && type == T_DURATION) {
        text_seconds(t, *(const int64_t *)value, 3);
    } else {
        char *at = text_reserve(t, PUT_VALUE_MAX);
        if (at != NULL)
            t->size += (size_t)(put_plain(at, o, c, value) - at);
    }
    return false;
}

void people_put_header(struct text *t, const struct output_column *c)
{
    const char *unit = unit_name(c->type->unit);
    text_add(t, c->name);
    if (*unit != '\0' && strcmp(unit, c->name) != 0 && !c->is_flags_text)
        text_format(t, " (%s)", unit);
}

bool people_is_number(const struct output_column *c)
{
    static const bool is_left[VALUE_TYPES] = {
        [T_TIME] = true,  [T_ADDRESS] = true, [T_MAC] = true,   [T_TEXT] = true,
        [T_FLAGS] = true, [T_PROTO] = true,   [T_REASON] = true
    };
    return !is_left[c->type->type];
}

size_t people_width(const char *text, size_t size)
{
    size_t width = 0;
    for (size_t i = 0; i < size; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}
