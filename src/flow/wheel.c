/* Open records by the time they could end, see wheel.h. */
#include "flow/wheel.h"

#include <assert.h>

#define LIST_END                                                                                   \
    UINT32_C(0x80000000) /* in `next` and `prev`: no record follows, the rest is the slot */

/* Times before 1970 sort before all others: the order is kept by moving the sign. */
static uint64_t slot_of(const struct wheel *wheel, int64_t time_ns)
{
    return ((uint64_t)time_ns ^ (UINT64_C(1) << 63)) >> wheel->shift;
}

void wheel_init(struct wheel *wheel, struct flow_record *record, int64_t span_ns)
{
    *wheel = (struct wheel){ .record = record, .shift = 24 }; /* 17 ms */
    while (wheel->shift < 62 && (uint64_t)span_ns >> wheel->shift >= WHEEL_SLOTS - 2)
        wheel->shift++;
}

void wheel_link(struct wheel *wheel, uint32_t number, int64_t deadline_ns)
{
    assert(number != 0 && (number & LIST_END) == 0);
    uint64_t at = slot_of(wheel, deadline_ns);
    if (at < wheel->next)
        at = wheel->next;
    if (at - wheel->next > WHEEL_SLOTS - 1)
        at = wheel->next + WHEEL_SLOTS - 1;
    uint32_t slot = (uint32_t)(at % WHEEL_SLOTS), tail = wheel->tail[slot];
    struct flow_record *r = &wheel->record[number];
    r->next = LIST_END | slot;
    r->prev = tail ? tail : LIST_END | slot;
    if (tail != 0)
        wheel->record[tail].next = number;
    else
        wheel->head[slot] = number;
    wheel->tail[slot] = number;
    r->state &= (uint8_t)~RECORD_TOUCHED;
}

void wheel_unlink(struct wheel *wheel, uint32_t number)
{
    struct flow_record *r = &wheel->record[number];
    bool is_tail = r->next & LIST_END, is_head = r->prev & LIST_END;
    if (is_tail)
        wheel->tail[r->next & ~LIST_END] = is_head ? 0 : r->prev;
    else
        wheel->record[r->next].prev = r->prev;
    if (is_head)
        wheel->head[r->prev & ~LIST_END] = is_tail ? 0 : r->next;
    else
        wheel->record[r->prev].next = r->next;
    r->next = r->prev = 0;
}

void wheel_prefetch(const struct wheel *wheel, uint32_t number)
{
    const struct flow_record *r = &wheel->record[number];
    __builtin_prefetch(&wheel->record[r->next & LIST_END ? 0 : r->next].prev, 1);
    __builtin_prefetch(&wheel->record[r->prev & LIST_END ? 0 : r->prev].next, 1);
}

uint32_t wheel_due(struct wheel *wheel, int64_t now_ns)
{
    uint64_t target = slot_of(wheel, now_ns);
    if (target < wheel->next)
        wheel->next = target;
    if (target - wheel->next > WHEEL_SLOTS)
        wheel->next = target - WHEEL_SLOTS;
    for (; wheel->next < target; wheel->next++) {
        uint32_t number = wheel->head[wheel->next % WHEEL_SLOTS];
        if (number != 0) {
            const struct flow_record *next = &wheel->record[wheel->record[number].next & ~LIST_END];
            __builtin_prefetch(next);
            __builtin_prefetch(next->address);
            return number;
        }
    }
    return 0;
}

uint32_t wheel_oldest(const struct wheel *wheel)
{
    for (uint64_t at = wheel->next; at < wheel->next + WHEEL_SLOTS; at++)
        if (wheel->head[at % WHEEL_SLOTS] != 0)
            return wheel->head[at % WHEEL_SLOTS];
    return 0;
}
