/* Text, numbers and times, see text.h. */
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool text_room(struct text *t, size_t more)
{
    if (t->is_bad || more > SIZE_MAX / 2 - t->size - 1) {
        t->is_bad = true;
        return false;
    }
    size_t need = t->size + more + 1;
    if (need <= t->room)
        return true;
    size_t room = t->room < 64 ? 64 : t->room;
    while (room < need)
        room *= 2;
    char *data = realloc(t->data, room);
    if (data == NULL) {
        t->is_bad = true;
        return false;
    }
    t->data = data;
    t->room = room;
    return true;
}

void text_put(struct text *t, const char *from, size_t size)
{
    if (!text_room(t, size))
        return;
    if (size > 0)
        memcpy(t->data + t->size, from, size);
    t->size += size;
    t->data[t->size] = '\0';
}

char *text_reserve(struct text *t, size_t more)
{
    return text_room(t, more) ? t->data + t->size : NULL;
}

void text_add(struct text *t, const char *from)
{
    text_put(t, from, strlen(from));
}

void text_char(struct text *t, char c)
{
    text_put(t, &c, 1);
}

void text_format(struct text *t, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    if (size >= 0 && text_room(t, (size_t)size)) {
        vsnprintf(t->data + t->size, (size_t)size + 1, format, again);
        t->size += (size_t)size;
    }
    va_end(again);
    va_end(args);
}

void text_u64(struct text *t, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    text_put(t, digits + at, sizeof digits - at);
}

void text_i64(struct text *t, int64_t value)
{
    if (value < 0)
        text_char(t, '-');
    text_u64(t, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* The part after the point: `ns` in [0, 1 s), cut to `digits`. */
static void put_fraction(struct text *t, int64_t ns, unsigned digits)
{
    assert(digits <= 9);
    if (digits == 0)
        return;
    char fraction[11] = ".000000000";
    for (unsigned i = 9; i >= 1; i--, ns /= 10)
        fraction[i] = (char)('0' + ns % 10);
    text_put(t, fraction, 1 + digits);
}

void text_seconds(struct text *t, int64_t ns, unsigned digits)
{
    uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (ns < 0)
        text_char(t, '-');
    text_u64(t, magnitude / (uint64_t)NS_PER_S);
    put_fraction(t, (int64_t)(magnitude % (uint64_t)NS_PER_S), digits);
}

/* Algorithms of H. Hinnant, "chrono-compatible low-level date algorithms". */
int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

void text_rfc3339(struct text *t, int64_t ns, unsigned digits)
{
    int64_t seconds = ns / NS_PER_S, rest = ns % NS_PER_S;
    if (rest < 0) {
        seconds--;
        rest += NS_PER_S;
    }
    int64_t days = seconds / 86400, second = seconds % 86400, year;
    if (second < 0) {
        days--;
        second += 86400;
    }
    unsigned month, day;
    civil_from_days(days, &year, &month, &day);
    text_format(t, "%04lld-%02u-%02uT%02lld:%02lld:%02lld", (long long)year, month, day, (long long)second / 3600,
                (long long)second / 60 % 60, (long long)second % 60);
    put_fraction(t, rest, digits);
    text_char(t, 'Z');
}

size_t utf8_length(const uint8_t *at, size_t size)
{
    if (at[0] < 0x80)
        return 1;
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || size < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
        (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

void text_json(struct text *t, const char *from, size_t size)
{
    const uint8_t *at = (const uint8_t *)from;
    text_char(t, '"');
    while (size > 0) {
        size_t plain = 0;
        while (plain < size && at[plain] >= 0x20 && at[plain] < 0x7f && at[plain] != '"' && at[plain] != '\\')
            plain++;
        text_put(t, (const char *)at, plain);
        at += plain;
        size -= plain;
        if (size == 0)
            break;
        size_t length = utf8_length(at, size);
        if (length == 0) {
            text_add(t, "\xef\xbf\xbd");
            length = 1;
        } else if (*at == '"' || *at == '\\') {
            text_char(t, '\\');
            text_char(t, (char)*at);
        } else if (*at < 0x20 || *at == 0x7f) {
            text_format(t, "\\u%04x", *at);
        } else {
            text_put(t, (const char *)at, length);
        }
        at += length;
        size -= length;
    }
    text_char(t, '"');
}

void text_utf8(struct text *t, const char *from, size_t size)
{
    while (size > 0) {
        size_t length = utf8_length((const uint8_t *)from, size);
        text_put(t, length > 0 ? from : "\xef\xbf\xbd", length > 0 ? length : 3);
        from += length > 0 ? length : 1;
        size -= length > 0 ? length : 1;
    }
}

void text_sql(struct text *t, const char *from, size_t size)
{
    text_char(t, '\'');
    for (size_t i = 0; i < size; i++) {
        if (from[i] == '\'')
            text_char(t, '\'');
        text_char(t, from[i]);
    }
    text_char(t, '\'');
}

void text_say(struct text *lines, const char *who)
{
    const char *at = lines->size > 0 ? lines->data : "";
    while (*at != '\0') {
        size_t size = strcspn(at, "\n");
        fprintf(stderr, "%s: %.*s\n", who, (int)size, at);
        at += size + (at[size] == '\n');
    }
    lines->size = 0;
}

void text_fini(struct text *t)
{
    free(t->data);
    *t = (struct text){ 0 };
}

/* Decimal digits at *at into *value; false on none or overflow. */
static bool read_digits(const char **at, uint64_t *value)
{
    if (!isdigit((unsigned char)**at))
        return false;
    *value = 0;
    for (; isdigit((unsigned char)**at); (*at)++)
        if (__builtin_mul_overflow(*value, UINT64_C(10), value) ||
            __builtin_add_overflow(*value, (uint64_t)(**at - '0'), value))
            return false;
    return true;
}

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value, const char *what, struct err *e)
{
    const char *at = text;
    if (!read_digits(&at, value) || *at != '\0' || *value < min || *value > max)
        return err_set(e, WEIR_EUSAGE, "%s: '%s' is no whole number from %llu to %llu", what, text,
                       (unsigned long long)min, (unsigned long long)max);
    return 0;
}

/* "12.345" as 12 and 345000000 (billionths, further digits cut); a bare ".5" is fine too. */
static bool read_decimal(const char **at, uint64_t *whole, uint64_t *billionths)
{
    *whole = *billionths = 0;
    bool is_number = isdigit((unsigned char)**at);
    if (is_number && !read_digits(at, whole))
        return false;
    if (**at == '.') {
        (*at)++;
        uint64_t weight = 100000000;
        for (; isdigit((unsigned char)**at); (*at)++, weight /= 10, is_number = true)
            *billionths += (uint64_t)(**at - '0') * weight;
    }
    return is_number;
}

/* (whole + billionths/1e9) * unit, false when it does not fit into 63 bits. */
static bool scale(uint64_t whole, uint64_t billionths, uint64_t unit, uint64_t *value)
{
    unsigned __int128 sum =
        (unsigned __int128)whole * unit + (unsigned __int128)billionths * unit / UINT64_C(1000000000);
    *value = (uint64_t)sum;
    return sum <= INT64_MAX;
}

int parse_size(const char *text, uint64_t *octets, const char *what, struct err *e)
{
    static const char letters[] = "kmgt";
    const char *at = text;
    uint64_t whole, billionths, unit = 1;
    bool is_good = read_decimal(&at, &whole, &billionths);
    const char *letter = is_good && *at ? strchr(letters, tolower((unsigned char)*at)) : NULL;
    if (letter != NULL) {
        bool is_binary = tolower((unsigned char)at[1]) == 'i';
        for (const char *l = letters; l <= letter; l++)
            unit *= is_binary ? 1024 : 1000;
        at += is_binary ? 2 : 1;
    }
    if (is_good && (*at == 'b' || *at == 'B'))
        at++;
    if (!is_good || *at != '\0' || !scale(whole, billionths, unit, octets))
        return err_set(e, WEIR_EUSAGE, "%s: '%s' is no size; write for example 64M (10^6) or 64MiB (2^20)", what, text);
    return 0;
}

int parse_duration(const char *text, int64_t *ns, const char *what, struct err *e)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = { { "", 1000000000 },   { "s", 1000000000 },     { "ms", 1000000 },        { "us", 1000},
                  { "ns", 1 },          { "m", 60000000000 },    { "h", 3600000000000 },   { "d", 86400000000000 },
                  { "w", 604800000000000 } };
    const char *at = text;
    uint64_t whole, billionths, value;
    if (!read_decimal(&at, &whole, &billionths))
        return err_set(e, WEIR_EUSAGE, "%s: '%s' is no duration; write for example 500ms, 10s, 5m or 1h", what, text);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(at, units[i].name) == 0) {
            if (!scale(whole, billionths, units[i].ns, &value))
                return err_set(e, WEIR_EUSAGE, "%s: '%s' is longer than 292 years", what, text);
            *ns = (int64_t)value;
            return 0;
        }
    return err_set(e, WEIR_EUSAGE, "%s: '%s': unknown unit '%s'; write ns, us, ms, s, m, h, d or w, for example 5m",
                   what, text, at);
}

/* Up to `max` digits as a number within [low, high]; false if not. */
static bool read_part(const char **at, unsigned max, int64_t low, int64_t high, int64_t *value)
{
    int64_t sum = 0;
    unsigned count = 0;
    for (; count < max && isdigit((unsigned char)**at); count++, (*at)++)
        sum = sum * 10 + (**at - '0');
    *value = sum;
    return count > 0 && sum >= low && sum <= high;
}

/* "YYYY-MM-DD[Thh[:mm[:ss[.f]]]][Z|+hh:mm]" and the nfdump form with / and a point. */
static bool read_calendar(const char *at, int64_t *ns)
{
    int64_t year, month = 1, day = 1, hour = 0, minute = 0, second = 0, offset = 0;
    uint64_t billionths = 0, nothing;
    if (!read_part(&at, 4, 0, 9999, &year))
        return false;
    char separator = *at;
    if (separator != '-' && separator != '/')
        return false;
    at++;
    if (!read_part(&at, 2, 1, 12, &month))
        return false;
    if (*at == separator && (at++, !read_part(&at, 2, 1, 31, &day)))
        return false;
    if (*at == 'T' || *at == 't' || *at == ' ' || (separator == '/' && *at == '.')) {
        at++;
        if (!read_part(&at, 2, 0, 24, &hour))
            return false;
        if (*at == ':' && (at++, !read_part(&at, 2, 0, 59, &minute)))
            return false;
        if (*at == ':' && (at++, !read_part(&at, 2, 0, 60, &second)))
            return false;
        if (*at == '.' && !read_decimal(&at, &nothing, &billionths))
            return false;
    }
    if (*at == 'Z' || *at == 'z') {
        at++;
    } else if (*at == '+' || *at == '-') {
        int sign = *at++ == '-' ? -1 : 1;
        int64_t hours, minutes = 0;
        if (!read_part(&at, 2, 0, 23, &hours))
            return false;
        if (*at == ':')
            at++;
        if (*at != '\0' && !read_part(&at, 2, 0, 59, &minutes))
            return false;
        offset = sign * (hours * 3600 + minutes * 60);
    }
    int64_t days = days_from_civil(year, (unsigned)month, (unsigned)day);
    int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset;
    return *at == '\0' && !__builtin_mul_overflow(seconds, NS_PER_S, ns) &&
           !__builtin_add_overflow(*ns, (int64_t)billionths, ns);
}

int parse_instant(const char *text, int64_t *ns, const char *what, struct err *e)
{
    const char *at = text;
    uint64_t whole, billionths, value;
    if (read_decimal(&at, &whole, &billionths) && *at == '\0' && scale(whole, billionths, UINT64_C(1000000000), &value)) {
        *ns = (int64_t)value;
        return 0;
    }
    if (read_calendar(text, ns))
        return 0;
    return err_set(e, WEIR_EUSAGE, "%s: '%s' is no time; write for example 2019-09-15T08:00:00Z or 1568534400.5", what,
                   text);
}

unsigned text_distance(const char *word, const char *name)
{
    size_t words = strlen(word), names = strlen(name);
    if (words > 63 || names > 63)
        return 255;
    unsigned row[64];
    for (unsigned j = 0; j <= names; j++)
        row[j] = j;
    for (size_t i = 1; i <= words; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= names; j++) {
            unsigned above = row[j];
            unsigned best = diagonal + (tolower((unsigned char)word[i - 1]) != tolower((unsigned char)name[j - 1]));
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[names];
}

const char *text_nearest(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t size = strlen(word);
    unsigned best = size > 63 ? 0 : (unsigned)size / 2 + 1; /* longer ones are not measured */
    for (size_t i = 0; i < count; i++) {
        unsigned distance = text_distance(word, names[i]);
        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
