/* separated: rows of values between one separator, the common part of csv and tsv. */
#ifndef WEIR_OUTPUT_SEPARATED_H
#define WEIR_OUTPUT_SEPARATED_H

#include "output/output.h"

/* Names of the columns, unless --no-header. */
void separated_header(struct output *output, char separator,
                      void (*put_text)(struct text *t, const struct bytes *from, bool is_raw));
/* All rows of the batch; texts are written by `put_text`, which appends to `t`. */
void separated_rows(struct output *output, const struct record_batch *batch, char separator,
                    void (*put_text)(struct text *t, const struct bytes *from, bool is_raw));

#endif
