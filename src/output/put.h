/*
 * put: values as text into memory that is known to be large enough; what csv and jsonl spend their
 * time in. Each returns the place behind what it wrote. The text is the same as value_print's.
 */
#ifndef WEIR_OUTPUT_PUT_H
#define WEIR_OUTPUT_PUT_H

#include "output/output.h"

#define PUT_VALUE_MAX 384 /* octets of any value but T_TEXT; a double with 17 digits needs 328 */

char *put_u64(char *at, uint64_t value);
char *put_seconds(char *at, int64_t ns); /* with 9 digits */
/* `type` is not T_TEXT. Not-a-number and infinity give nothing. */
char *put_value(char *at, enum value_type type, const void *value, unsigned digits);
char *put_flags(char *at, uint16_t flags);
/* A time as the output wants it, without quotes. */
char *put_time(char *at, const struct output *output, int64_t ns);
/* A value of column `c`, not T_TEXT, as csv and tsv show it. */
char *put_plain(char *at, const struct output *output, const struct output_column *c,
                const void *value);

/* Append text as UTF-8: octets that are not become U+FFFD. */
void put_utf8(struct text *t, const struct bytes *from);

#endif
