/*
 * Text: a growing buffer, exact number and time reading and writing, "did you mean".
 */
#ifndef WEIR_BASE_TEXT_H
#define WEIR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define NS_PER_S INT64_C(1000000000)

/* Growing text, always NUL-terminated once something was added. After a failed growth is_bad stays set. */
struct text {
    char *data;
    size_t size, room;
    bool is_bad;
};
void text_put(struct text *t, const char *from, size_t size);
/* Room for `more` octets behind the text, for writers that fill it themselves and then add what they used to `size`; NULL and is_bad
 * without memory. */
char *text_reserve(struct text *t, size_t more);
void text_add(struct text *t, const char *from);
void text_char(struct text *t, char c);
void text_format(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_u64(struct text *t, uint64_t value);
void text_i64(struct text *t, int64_t value);
/* `ns` as decimal seconds with exactly `digits` (0..9) digits, cut, not rounded. */
void text_seconds(struct text *t, int64_t ns, unsigned digits);
/* `ns` since 1970 as RFC 3339 in UTC with `digits` (0..9) digits: 2019-09-15T08:00:00.5Z. */
void text_rfc3339(struct text *t, int64_t ns, unsigned digits);
/* As a JSON string with quotes; octets that are not UTF-8 become U+FFFD. */
void text_json(struct text *t, const char *from, size_t size);
/* As UTF-8; octets that are not become U+FFFD. */
void text_utf8(struct text *t, const char *from, size_t size);
/* As a single-quoted SQL literal. */
void text_sql(struct text *t, const char *from, size_t size);
void text_fini(struct text *t);
/* Lines for the user: each to standard error with "WHO: " before it; `lines` is empty afterwards. */
void text_say(struct text *lines, const char *who);
/* Length of the well-formed UTF-8 sequence at `at` (RFC 3629), 0 if there is none; size > 0. */
size_t utf8_length(const uint8_t *at, size_t size);

/* Whole decimal number within [min, max]; the error names `what`. */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value, const char *what, struct err *e);
/* "4096", "64k", "1.5GiB": k m g t are powers of 1000, ki mi gi ti (with or without B) of 1024. */
int parse_size(const char *text, uint64_t *octets, const char *what, struct err *e);
/* "5" or "0.25" seconds, "500ms", "10us", "7ns", "5m", "2h", "1d", "1w"; exact to 1 ns; never negative. */
int parse_duration(const char *text, int64_t *ns, const char *what, struct err *e);
/* An instant, spec/tools.md 5.3: epoch seconds, RFC 3339 (Z or offset or none = UTC), YYYY/MM/DD.hh:mm:ss. */
int parse_instant(const char *text, int64_t *ns, const char *what, struct err *e);

/* Civil date of days since 1970 and back, proleptic Gregorian. */
int64_t days_from_civil(int64_t year, unsigned month, unsigned day);
void civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

/* Edit distance of `word` and `name`, at most 255. */
unsigned text_distance(const char *word, const char *name);
/* Nearest of `count` names, NULL when none is close enough to be what was meant. */
const char *text_nearest(const char *word, const char *const *names, size_t count);

#endif
