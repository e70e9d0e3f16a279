/*
 * people: values as people read them, for table and md: names of protocols and end reasons, dates,
 * SI prefixes (k = 1000).
 */
#ifndef WEIR_OUTPUT_PEOPLE_H
#define WEIR_OUTPUT_PEOPLE_H

#include "output/output.h"

/* Append the value; nothing when there is none. `shortens`: counts with a unit as 12.3k. True when
 * this one was shortened. */
bool people_put(struct text *t, const struct output *output, const struct output_column *c,
                const struct record_batch *batch, unsigned row, bool shortens);
/* "bytes", "bps (bit/s)": the unit when the name does not say it. */
void people_put_header(struct text *t, const struct output_column *c);
/* Columns of numbers stand at the right. */
bool people_is_number(const struct output_column *c);
/* Columns on a screen that `size` octets of UTF-8 take; every code point counts as one. */
size_t people_width(const char *text, size_t size);

#endif
