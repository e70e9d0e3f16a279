/* Records spread over intervals, see spread.h. */
#include "cmd/spread.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ONE  ((fixed_amount)1 << 64)
#define HALF ((fixed_amount)1 << 63)

void spread_fini(struct spread *s)
{
    free(s->cell);
    s->cell = NULL;
}

fixed_amount spread_share(uint64_t amount, uint64_t x, uint64_t length)
{
    assert(length > 0);
    assert(x <= length);
    fixed_amount product = (fixed_amount)amount * x, whole = product / length,
                 rest = product % length;
    /* rest < length < 2^63, so this cannot overflow */
    assert(length < UINT64_C(1) << 63);
    return (whole << 64) + (rest << 64) / length;
}

/* Room for intervals `low` to `high`, those between included. */
static int cover(struct spread *s, int64_t low, int64_t high, struct err *e)
{
    int64_t old_low = s->base, old_high = s->base + (int64_t)s->count - 1;
    bool is_empty = s->count == 0;
    int64_t new_low = is_empty || low < old_low ? low : old_low,
            new_high = is_empty || high > old_high ? high : old_high;
    if (new_high - new_low >= SPREAD_INTERVALS_MAX)
        return err_set(e, WEIR_EUSAGE,
                       "records from interval %lld to %lld are over %d intervals; give a longer "
                       "-I, or a window of time",
                       (long long)new_low, (long long)new_high, SPREAD_INTERVALS_MAX);
    size_t count = (size_t)(new_high - new_low) + 1,
           before = is_empty ? 0 : (size_t)(old_low - new_low);
    if (before > s->first || s->first + count - before > s->room) {
        /* As much free on both sides as is used, so that moving is rare. */
        size_t room = 3 * count, first = count;
        struct spread_cell *grown = calloc(room, sizeof *grown);
        if (grown == NULL)
            return err_memory(e, "intervals", room * sizeof *grown);
        if (!is_empty)
            memcpy(grown + first + before, s->cell + s->first, s->count * sizeof *grown);
        free(s->cell);
        s->cell = grown;
        s->room = room;
        s->first = first + before;
    }
    s->first -= before;
    s->base = new_low;
    s->count = count;
    return 0;
}

static struct spread_cell *cell_of(struct spread *s, int64_t index)
{
    assert(index >= s->base);
    assert(index < s->base + (int64_t)s->count);
    return &s->cell[s->first + (size_t)(index - s->base)];
}

static int put_all(struct spread *s, int64_t at_ns, uint64_t octets, uint64_t packets,
                   struct err *e)
{
    if (at_ns < s->from_ns || at_ns > s->to_ns)
        return 0;
    int64_t index = interval_index(&s->grid, at_ns);
    int code = cover(s, index, index, e);
    if (code == 0) {
        struct spread_cell *c = cell_of(s, index);
        c->octets += (fixed_amount)octets << 64;
        c->packets += (fixed_amount)packets << 64;
        c->active++;
    }
    return code;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Parts by time: x counts nanoseconds from the start of the record. */
static void put_proportional(struct spread *s, int64_t start_ns, int64_t end_ns, uint64_t octets,
                             uint64_t packets, int64_t low, int64_t high)
{
    uint64_t length = (uint64_t)(end_ns - start_ns);
    int64_t from = clamp(s->from_ns, start_ns, end_ns), to = clamp(s->to_ns, start_ns, end_ns);
    uint64_t x = (uint64_t)(from - start_ns);
    fixed_amount octets_before = spread_share(octets, x, length),
                 packets_before = spread_share(packets, x, length);
    for (int64_t k = low; k <= high; k++) {
        int64_t border = k == high ? to : clamp(interval_start(&s->grid, k + 1), from, to);
        x = (uint64_t)(border - start_ns);
        fixed_amount octets_here = spread_share(octets, x, length),
                     packets_here = spread_share(packets, x, length);
        struct spread_cell *c = cell_of(s, k);
        c->octets += octets_here - octets_before;
        c->packets += packets_here - packets_before;
        c->active++;
        octets_before = octets_here;
        packets_before = packets_here;
    }
}

/* Equal parts for every interval touched, those outside the window [low, high] counted but not
 * kept. */
static void put_uniform(struct spread *s, int64_t start_ns, int64_t end_ns, uint64_t octets,
                        uint64_t packets, int64_t low, int64_t high)
{
    int64_t first = interval_index(&s->grid, start_ns), last = interval_index(&s->grid, end_ns);
    uint64_t parts = (uint64_t)(last - first) + 1;
    for (int64_t k = low; k <= high; k++) {
        uint64_t at = (uint64_t)(k - first);
        struct spread_cell *c = cell_of(s, k);
        c->octets += spread_share(octets, at + 1, parts) - spread_share(octets, at, parts);
        c->packets += spread_share(packets, at + 1, parts) - spread_share(packets, at, parts);
        c->active++;
    }
}

int spread_add(struct spread *s, int64_t start_ns, int64_t end_ns, uint64_t octets,
               uint64_t packets, struct err *e)
{
    assert(start_ns <= end_ns);
    int64_t length;
    if (__builtin_sub_overflow(end_ns, start_ns, &length))
        return err_set(e, WEIR_EUSAGE, "a record lasts longer than 292 years");
    if (end_ns < s->from_ns || start_ns > s->to_ns)
        return 0;
    if (!s->has_records)
        interval_begin(&s->grid, start_ns);
    s->first_ns = !s->has_records || start_ns < s->first_ns ? start_ns : s->first_ns;
    s->last_ns = !s->has_records || end_ns > s->last_ns ? end_ns : s->last_ns;
    s->has_records = true;
    if (length == 0 || s->method == SPREAD_START)
        return put_all(s, start_ns, octets, packets, e);
    if (s->method == SPREAD_END)
        return put_all(s, end_ns, octets, packets, e);
    int64_t low = interval_index(&s->grid, clamp(s->from_ns, start_ns, end_ns));
    int64_t high = interval_index(&s->grid, clamp(s->to_ns, start_ns, end_ns));
    int code = cover(s, low, high, e);
    if (code == 0 && s->method == SPREAD_UNIFORM)
        put_uniform(s, start_ns, end_ns, octets, packets, low, high);
    else if (code == 0)
        put_proportional(s, start_ns, end_ns, octets, packets, low, high);
    return code;
}

static fixed_amount amount_at(const fixed_amount *amount, size_t stride, size_t index)
{
    fixed_amount value;
    memcpy(&value, (const uint8_t *)amount + stride * index, sizeof value);
    return value;
}

void spread_round_cumulative(const fixed_amount *amount, size_t stride, size_t count,
                             uint64_t whole[])
{
    fixed_amount sum = 0;
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        sum += amount_at(amount, stride, i);
        uint64_t rounded = (uint64_t)((sum + HALF) >> 64);
        whole[i] = rounded - before;
        before = rounded;
    }
}

struct remainder {
    uint64_t fraction;
    size_t index;
};

static int by_size(const void *a, const void *b)
{
    const struct remainder *x = a, *y = b;
    if (x->fraction != y->fraction)
        return x->fraction > y->fraction ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

int spread_round_largest(const fixed_amount *amount, size_t stride, size_t count, uint64_t whole[])
{
    struct remainder *rest = calloc(count ? count : 1, sizeof *rest);
    if (rest == NULL)
        return -1;
    fixed_amount sum = 0;
    for (size_t i = 0; i < count; i++) {
        fixed_amount value = amount_at(amount, stride, i);
        whole[i] = (uint64_t)(value >> 64);
        rest[i] = (struct remainder){ .fraction = (uint64_t)value, .index = i };
        sum += (uint64_t)value;
    }
    qsort(rest, count, sizeof *rest, by_size);
    size_t missing = (size_t)((sum + HALF) / ONE);
    for (size_t i = 0; i < missing && i < count; i++)
        whole[rest[i].index]++;
    free(rest);
    return 0;
}

double spread_double(fixed_amount amount)
{
    return (double)(uint64_t)(amount >> 64) + (double)(uint64_t)amount / 18446744073709551616.0;
}
