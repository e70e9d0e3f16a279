/*
 * json_row: one record as one JSON object (RFC 8259), the writer of json and jsonl. Columns without
 * a value are left out, numbers are never strings, texts are always UTF-8.
 */
#ifndef WEIR_OUTPUT_JSON_ROW_H
#define WEIR_OUTPUT_JSON_ROW_H

#include "output/output.h"

struct json_row {
    struct text keys; /* "name": of all columns, one behind the other */
    size_t key_end[OUTPUT_COLUMNS_MAX];
    size_t row_octets_max; /* of a row without its texts */
};

void json_row_init(struct json_row *j, const struct output *output);
void json_row_fini(struct json_row *j);
/* Append one row as an object. */
void json_row_put(const struct json_row *j, struct output *output, const struct record_batch *batch,
                  unsigned row);

#endif
