/*
 * spread: octets and packets of records over the intervals they lasted, exactly
 * (spec/tools.md 9.7).
 *
 * An amount is a whole number and a binary fraction of 64 bits in one 128-bit integer. The share up
 * to a moment x of a record that lasts T is floor(amount * x * 2^64 / T), an interval gets the
 * difference of two such, so the shares of a record add up to it exactly.
 */
#ifndef WEIR_CMD_SPREAD_H
#define WEIR_CMD_SPREAD_H

#include "cmd/interval.h"

#define SPREAD_INTERVALS_MAX                                                                       \
    2097152 /* from the first to the last, 48 octets each and twice as much free: 288 MiB */

typedef unsigned __int128 fixed_amount; /* whole << 64 | fraction */

enum spread_method { SPREAD_PROPORTIONAL, SPREAD_UNIFORM, SPREAD_START, SPREAD_END };

struct spread_cell {
    fixed_amount octets, packets;
    uint64_t active; /* records that lasted in the interval */
};

struct spread {
    struct interval_grid grid; /* set by the owner, as the next three */
    enum spread_method method;
    int64_t from_ns, to_ns; /* only what lies within; INT64_MIN, INT64_MAX = all */
    bool has_records;
    int64_t first_ns, last_ns; /* over all records */
    int64_t base;              /* interval of cell[0] */
    size_t first, count, room; /* cells in use are [first, first + count) of `room` */
    struct spread_cell *cell;
};
void spread_fini(struct spread *s);

/* A record of `octets` and `packets` from `start_ns` to `end_ns` >= start_ns. WEIR_EUSAGE when the
 * intervals become too many. */
int spread_add(struct spread *s, int64_t start_ns, int64_t end_ns, uint64_t octets,
               uint64_t packets, struct err *e);

/* Interval number `index` (0 = the first with a record) and what is in it. */
static inline const struct spread_cell *spread_cell(const struct spread *s, size_t index)
{
    return &s->cell[s->first + index];
}

/* share(amount, x, T) above; 0 <= x <= length, length > 0. */
fixed_amount spread_share(uint64_t amount, uint64_t x, uint64_t length);

/* Whole numbers for `count` amounts, which keep the sum (rounded, when the sum itself is none).
 * Stride is in octets. */
/* Partial sums rounded: no partial sum is off by more than half. */
void spread_round_cumulative(const fixed_amount *amount, size_t stride, size_t count,
                             uint64_t whole[]);
/* All cut, then one more for those with the largest remainders, earlier ones first among equals. -1
 * without memory. */
int spread_round_largest(const fixed_amount *amount, size_t stride, size_t count, uint64_t whole[]);
double spread_double(fixed_amount amount);

#endif
