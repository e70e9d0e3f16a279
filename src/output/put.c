/* Values as text into known room, see put.h. */
#include "output/put.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char two_digits[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

static inline char *put_two(char *at, unsigned value)
{
    memcpy(at, two_digits + 2 * value, 2);
    return at + 2;
}

char *put_u64(char *at, uint64_t value)
{
    if (value < 10) {
        *at = (char)('0' + value);
        return at + 1;
    }
    if (value < 100)
        return put_two(at, (unsigned)value);
    char digits[20];
    unsigned first = sizeof digits;
    for (; value >= 100; value /= 100) {
        first -= 2;
        put_two(digits + first, (unsigned)(value % 100));
    }
    if (value >= 10) {
        first -= 2;
        put_two(digits + first, (unsigned)value);
    } else {
        digits[--first] = (char)('0' + value);
    }
    memcpy(at, digits + first, sizeof digits - first);
    return at + (sizeof digits - first);
}

char *put_seconds(char *at, int64_t ns)
{
    uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (ns < 0)
        *at++ = '-';
    at = put_u64(at, magnitude / (uint64_t)NS_PER_S);
    uint32_t rest = (uint32_t)(magnitude % (uint64_t)NS_PER_S);
    *at++ = '.';
    *at++ = (char)('0' + rest / 100000000);
    uint32_t high = rest / 10000 % 10000, low = rest % 10000;
    at = put_two(at, high / 100);
    at = put_two(at, high % 100);
    at = put_two(at, low / 100);
    return put_two(at, low % 100);
}

static char *put_mac(char *at, const struct mac *mac)
{
    static const char hex[] = "0123456789abcdef";
    for (unsigned i = 0; i < 6; i++) {
        *at++ = hex[mac->octet[i] >> 4];
        *at++ = hex[mac->octet[i] & 15];
        *at++ = ':';
    }
    return at - 1;
}

char *put_flags(char *at, uint16_t flags)
{
    static const char letters[] = "CEUAPRSF";
    for (unsigned i = 0; i < 8; i++)
        *at++ = flags & (0x80u >> i) ? letters[i] : '.';
    return at;
}

char *put_value(char *at, enum value_type type, const void *value, unsigned digits)
{
    switch (type) {
    case T_U8:
    case T_PROTO:
    case T_REASON:
        return put_u64(at, *(const uint8_t *)value);
    case T_U16:
    case T_FLAGS:
        return put_u64(at, *(const uint16_t *)value);
    case T_U32:
        return put_u64(at, *(const uint32_t *)value);
    case T_U64:
        return put_u64(at, *(const uint64_t *)value);
    case T_I64: {
        int64_t number = *(const int64_t *)value;
        if (number < 0)
            *at++ = '-';
        return put_u64(at, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
    }
    case T_F64: {
        double number = *(const double *)value;
        return isfinite(number) ? at + snprintf(at, PUT_VALUE_MAX, "%.*f", (int)digits, number)
                                : at;
    }
    case T_TIME:
    case T_DURATION:
        return put_seconds(at, *(const int64_t *)value);
    case T_ADDRESS:
        return address_put(at, value);
    case T_MAC:
        return put_mac(at, value);
    case T_TEXT:
    case VALUE_TYPES:
        break;
    }
    return at;
}

char *put_time(char *at, const struct output *output, int64_t ns)
{
    if (output->time == OUTPUT_EPOCH)
        return put_seconds(at, ns);
    if (output->time == OUTPUT_RELATIVE) {
        int64_t after;
        return put_seconds(at,
                           __builtin_sub_overflow(ns, output->time_zero_ns, &after) ? ns : after);
    }
    bool is_short = output->ops->is_for_people && !output->options.plain_numbers;
    struct text t = { 0 };
    text_rfc3339(&t, ns, is_short ? 3 : 9);
    if (t.size > 0)
        memcpy(at, t.data, t.size);
    at += t.size;
    text_fini(&t);
    return at;
}

char *put_plain(char *at, const struct output *output, const struct output_column *c,
                const void *value)
{
    if (c->is_flags_text)
        return put_flags(at, *(const uint16_t *)value);
    if (c->type->type == T_TIME)
        return put_time(at, output, *(const int64_t *)value);
    /* Shares have one digit whatever --digits says, spec/tools.md 9.8. */
    return put_value(at, c->type->type, value,
                     c->type->unit == U_PERCENT ? 1 : (unsigned)output->options.digits);
}

void put_utf8(struct text *t, const struct bytes *from)
{
    const uint8_t *at = from->data;
    for (size_t left = from->size; left > 0;) {
        size_t length = utf8_length(at, left);
        if (length > 0)
            text_put(t, (const char *)at, length);
        else
            text_add(t, "\xef\xbf\xbd");
        at += length > 0 ? length : 1;
        left -= length > 0 ? length : 1;
    }
}
