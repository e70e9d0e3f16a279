/*
 * sketch: small summaries of many numbers. Pure and bounded: nothing here grows with how many
 * values were seen.
 *
 * Moments are kept centred, in one pass (Pébay 2008), and merge. A distribution counts whole
 * numbers exactly below 2^16 and above that in buckets of 512 per power of two, so a value is known
 * to 1/1024 (0.098 %) of itself: 512 KiB and 4 KiB per power of two that occurs.
 */
#ifndef WEIR_SKETCH_H
#define WEIR_SKETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* ---- moments ---- */

struct moments {
    uint64_t count;
    double mean, m2, m3, m4; /* sums of powers of (value - mean) */
};
void moments_add(struct moments *m, double value, uint64_t times);
void moments_merge(struct moments *to, const struct moments *from);
double moments_variance(const struct moments *m); /* divisor n - 1; 0 below two values */
double moments_skewness(
    const struct moments *m); /* m3 / m2^1.5, population moments; 0 when all are equal */
double moments_kurtosis(const struct moments *m); /* m4 / m2^2 - 3 */

/* ---- distribution of whole numbers ---- */

#define DISTRIBUTION_EXACT   65536u /* values below are counted one by one */
#define DISTRIBUTION_STEPS   512u   /* buckets per power of two above */
#define DISTRIBUTION_OCTAVES 48u    /* 2^16 to 2^64 */

struct distribution {
    uint64_t count;                         /* values seen */
    uint64_t min, max;                      /* exact; meaningless without values */
    uint64_t *exact;                        /* DISTRIBUTION_EXACT counters */
    uint64_t *octave[DISTRIBUTION_OCTAVES]; /* DISTRIBUTION_STEPS counters each; NULL = none seen */
    struct moments large;                   /* of the values from DISTRIBUTION_EXACT on */
};
/* -1 without memory. */
int distribution_init(struct distribution *d);
void distribution_fini(struct distribution *d);
/* -1 without memory for a new power of two: the value is then not counted. */
int distribution_add(struct distribution *d, uint64_t value);
/* The same for many values, the fast way. */
int distribution_add_many(struct distribution *d, const uint32_t *value, unsigned count);
int distribution_merge(struct distribution *to, const struct distribution *from);

/* Buckets in rising order. Start with *at = 0; false at the end. `lo` and `hi` are the smallest and
 * largest value of the bucket. */
struct distribution_bucket {
    uint64_t lo, hi, count;
};
bool distribution_next(const struct distribution *d, uint64_t *at,
                       struct distribution_bucket *bucket);

struct moments distribution_moments(const struct distribution *d);
/* Type 1: the smallest x with F(x) >= p, 0 <= p <= 1. Exact below DISTRIBUTION_EXACT, else the
 * middle of its bucket within [min, max]. */
double distribution_quantile(const struct distribution *d, double p);
/* Type 7: interpolated between the two values beside rank (n - 1) p. */
double distribution_quantile_7(const struct distribution *d, double p);

#endif
