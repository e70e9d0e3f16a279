/* bins: a distribution as rows: histogram, cumulative, statistics. */
#ifndef WEIR_CMD_BINS_H
#define WEIR_CMD_BINS_H

#include "output/output.h"
#include "sketch/sketch.h"

#define BINS_MAX 65536 /* rows of a histogram */

enum bins_kind { BINS_HISTOGRAM, BINS_ECDF, BINS_STATISTICS };

struct bins_table {
    struct record_type type;
    struct column_type column[8];
    struct output *output;
    struct record_batch *batch;
    bool is_time; /* values are nanoseconds, shown as seconds */
};
int bins_table_open(struct bins_table *t, enum bins_kind kind, bool is_time,
                    const struct output_options *options, struct err *e);
/* Prints what is left when `code` is 0; returns the first failure. */
int bins_table_close(struct bins_table *t, int code, struct err *e);

/* Is it a --bins text? Times have edges in durations ("1ms"). */
int bins_check(const char *bins, bool is_time, struct err *e);
/* `bins` as --bins says; NULL = log:1. A bin is [edge, next edge); whole numbers show its last
 * value as `hi`, the last has none. */
int bins_put_histogram(struct bins_table *t, const struct distribution *d, const char *bins,
                       bool is_time, struct err *e);
int bins_put_ecdf(struct bins_table *t, const struct distribution *d, struct err *e);
int bins_put_statistic(struct bins_table *t, const char *name, double value, struct err *e);

#endif
