/* A strict reader of JSON, see json.h. */
#include "json.h"

#include <stdint.h>
#include <string.h>

#define DEPTH_MAX 64

struct reader {
    const uint8_t *at, *end;
    unsigned depth;
};

static bool value(struct reader *r);

static void blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool one(struct reader *r, uint8_t c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool word(struct reader *r, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, text, size) != 0)
        return false;
    r->at += size;
    return true;
}

static bool digits(struct reader *r)
{
    const uint8_t *first = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > first;
}

static bool number(struct reader *r)
{
    one(r, '-');
    if (!one(r, '0') && !digits(r))
        return false;
    if (one(r, '.') && !digits(r))
        return false;
    if (one(r, 'e') || one(r, 'E')) {
        if (!one(r, '+'))
            one(r, '-');
        return digits(r);
    }
    return true;
}

/* Octets of the UTF-8 character at `r` (RFC 3629), 0 if it is none. */
static unsigned character(const struct reader *r)
{
    size_t left = (size_t)(r->end - r->at);
    uint8_t c = r->at[0];
    unsigned size = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (size == 0 || left < size)
        return 0;
    for (unsigned i = 1; i < size; i++)
        if ((r->at[i] & 0xc0) != 0x80)
            return 0;
    bool is_long = (c == 0xe0 && r->at[1] < 0xa0) || (c == 0xf0 && r->at[1] < 0x90);
    bool is_beyond = (c == 0xed && r->at[1] > 0x9f) || (c == 0xf4 && r->at[1] > 0x8f);
    return is_long || is_beyond ? 0 : size;
}

static bool escape(struct reader *r)
{
    if (r->at == r->end || strchr("\"\\/bfnrtu", *r->at) == NULL || *r->at == '\0')
        return false;
    if (*r->at++ != 'u')
        return true;
    for (unsigned i = 0; i < 4; i++, r->at++)
        if (r->at == r->end || *r->at == '\0' || strchr("0123456789abcdefABCDEF", *r->at) == NULL)
            return false;
    return true;
}

static bool string(struct reader *r)
{
    if (!one(r, '"'))
        return false;
    while (r->at < r->end && *r->at != '"') {
        unsigned size = *r->at < 0x20 ? 0 : character(r);
        if (size == 0)
            return false;
        bool is_escape = *r->at == '\\';
        r->at += size;
        if (is_escape && !escape(r))
            return false;
    }
    return one(r, '"');
}

/* What stands between `{` and `}` or `[` and `]`. */
static bool members(struct reader *r, bool has_names, uint8_t end)
{
    blanks(r);
    if (one(r, end))
        return true;
    for (;;) {
        blanks(r);
        if (has_names) {
            if (!string(r))
                return false;
            blanks(r);
            if (!one(r, ':'))
                return false;
        }
        if (!value(r))
            return false;
        if (one(r, end))
            return true;
        if (!one(r, ','))
            return false;
    }
}

static bool value(struct reader *r)
{
    bool is_good;
    blanks(r);
    if (++r->depth > DEPTH_MAX || r->at == r->end)
        return false;
    switch (*r->at) {
    case '{':
        r->at++;
        is_good = members(r, true, '}');
        break;
    case '[':
        r->at++;
        is_good = members(r, false, ']');
        break;
    case '"':
        is_good = string(r);
        break;
    case 't':
        is_good = word(r, "true");
        break;
    case 'f':
        is_good = word(r, "false");
        break;
    case 'n':
        is_good = word(r, "null");
        break;
    default:
        is_good = number(r);
    }
    r->depth--;
    blanks(r);
    return is_good;
}

bool json_is_valid(const char *text, size_t size)
{
    struct reader r = { .at = (const uint8_t *)text, .end = (const uint8_t *)text + size };
    return value(&r) && r.at == r.end;
}

bool json_lines_are_valid(const char *text, size_t size)
{
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        if (end == NULL || *text != '{' || !json_is_valid(text, (size_t)(end - text)))
            return false;
        size -= (size_t)(end - text) + 1;
        text = end + 1;
    }
    return true;
}
