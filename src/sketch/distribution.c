/* Distribution of whole numbers, see sketch.h. */
#include "sketch/sketch.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define EXACT_BITS 16u
#define STEP_BITS  9u
_Static_assert(DISTRIBUTION_EXACT == 1u << EXACT_BITS, "exact part is a power of two");
_Static_assert(DISTRIBUTION_STEPS == 1u << STEP_BITS, "steps are a power of two");

int distribution_init(struct distribution *d)
{
    *d = (struct distribution){ .min = UINT64_MAX };
    d->exact = calloc(DISTRIBUTION_EXACT, sizeof *d->exact);
    return d->exact != NULL ? 0 : -1;
}

void distribution_fini(struct distribution *d)
{
    free(d->exact);
    for (unsigned i = 0; i < DISTRIBUTION_OCTAVES; i++)
        free(d->octave[i]);
    *d = (struct distribution){ 0 };
}

static unsigned octave_of(uint64_t value)
{
    return 63u - (unsigned)__builtin_clzll(value) - EXACT_BITS;
}

static uint64_t *octave_at(struct distribution *d, unsigned octave)
{
    if (d->octave[octave] == NULL)
        d->octave[octave] = calloc(DISTRIBUTION_STEPS, sizeof *d->octave[octave]);
    return d->octave[octave];
}

static void note_range(struct distribution *d, uint64_t min, uint64_t max)
{
    if (min < d->min)
        d->min = min;
    if (max > d->max)
        d->max = max;
}

int distribution_add(struct distribution *d, uint64_t value)
{
    if (value < DISTRIBUTION_EXACT) {
        d->exact[value]++;
    } else {
        unsigned octave = octave_of(value);
        uint64_t *steps = octave_at(d, octave);
        if (steps == NULL)
            return -1;
        /* The leading one and the next STEP_BITS bits; the leading one is known. */
        steps[(value >> (octave + EXACT_BITS - STEP_BITS)) - DISTRIBUTION_STEPS]++;
        moments_add(&d->large, (double)value, 1);
    }
    note_range(d, value, value);
    d->count++;
    return 0;
}

int distribution_add_many(struct distribution *d, const uint32_t *value, unsigned count)
{
    uint32_t min = UINT32_MAX, max = 0;
    for (unsigned i = 0; i < count; i++) {
        min = value[i] < min ? value[i] : min;
        max = value[i] > max ? value[i] : max;
    }
    int code = 0;
    if (max >= DISTRIBUTION_EXACT) {
        for (unsigned i = 0; i < count; i++)
            code |= distribution_add(d, value[i]);
        return code;
    }
    for (unsigned i = 0; i < count; i++)
        d->exact[value[i]]++;
    if (count > 0)
        note_range(d, min, max);
    d->count += count;
    return 0;
}

int distribution_merge(struct distribution *to, const struct distribution *from)
{
    for (unsigned i = 0; i < DISTRIBUTION_OCTAVES; i++)
        if (from->octave[i] != NULL && octave_at(to, i) == NULL)
            return -1;
    for (unsigned i = 0; i < DISTRIBUTION_EXACT; i++)
        to->exact[i] += from->exact[i];
    for (unsigned i = 0; i < DISTRIBUTION_OCTAVES; i++)
        for (unsigned k = 0; from->octave[i] != NULL && k < DISTRIBUTION_STEPS; k++)
            to->octave[i][k] += from->octave[i][k];
    moments_merge(&to->large, &from->large);
    note_range(to, from->min, from->max);
    to->count += from->count;
    return 0;
}

bool distribution_next(const struct distribution *d, uint64_t *at,
                       struct distribution_bucket *bucket)
{
    for (; *at < DISTRIBUTION_EXACT; (*at)++)
        if (d->exact[*at] > 0) {
            *bucket = (struct distribution_bucket){ .lo = *at, .hi = *at, .count = d->exact[*at] };
            (*at)++;
            return true;
        }
    for (; *at < DISTRIBUTION_EXACT + DISTRIBUTION_OCTAVES * DISTRIBUTION_STEPS; (*at)++) {
        uint64_t place = *at - DISTRIBUTION_EXACT, step = place % DISTRIBUTION_STEPS;
        unsigned octave = (unsigned)(place / DISTRIBUTION_STEPS);
        if (d->octave[octave] == NULL || d->octave[octave][step] == 0)
            continue;
        unsigned shift = octave + EXACT_BITS - STEP_BITS;
        uint64_t lo = (step + DISTRIBUTION_STEPS) << shift, hi = lo + ((UINT64_C(1) << shift) - 1);
        *bucket = (struct distribution_bucket){ .lo = lo < d->min ? d->min : lo,
                                                .hi = hi > d->max ? d->max : hi,
                                                .count = d->octave[octave][step] };
        (*at)++;
        return true;
    }
    return false;
}

struct moments distribution_moments(const struct distribution *d)
{
    struct moments m = { 0 };
    for (unsigned i = 0; i < DISTRIBUTION_EXACT; i++)
        if (d->exact[i] > 0)
            moments_add(&m, i, d->exact[i]);
    moments_merge(&m, &d->large);
    return m;
}

/* Value number `rank` from 0 in rising order. */
static double value_at(const struct distribution *d, uint64_t rank)
{
    struct distribution_bucket b = { 0 };
    uint64_t at = 0, before = 0;
    while (distribution_next(d, &at, &b)) {
        if (rank < before + b.count)
            return b.lo == b.hi ? (double)b.lo : ((double)b.lo + (double)b.hi) / 2;
        before += b.count;
    }
    return (double)d->max;
}

double distribution_quantile(const struct distribution *d, double p)
{
    assert(p >= 0);
    assert(p <= 1);
    if (d->count == 0)
        return 0;
    /* 0.1 * 10 is a little more than 1 in binary: a rank that misses a whole number by rounding
     * only is that number. */
    double rank = p * (double)d->count, whole = nearbyint(rank);
    double up = fabs(rank - whole) <= 1e-12 * (double)d->count ? whole : ceil(rank);
    uint64_t number = up < 1 ? 1 : (uint64_t)up;
    return value_at(d, (number > d->count ? d->count : number) - 1);
}

double distribution_quantile_7(const struct distribution *d, double p)
{
    assert(p >= 0);
    assert(p <= 1);
    if (d->count == 0)
        return 0;
    double rank = p * (double)(d->count - 1), below = floor(rank);
    double lo = value_at(d, (uint64_t)below);
    double hi = below + 1 < (double)d->count ? value_at(d, (uint64_t)below + 1) : lo;
    return lo + (rank - below) * (hi - lo);
}
