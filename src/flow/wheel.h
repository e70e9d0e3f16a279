/*
 * wheel: open records by the time they could end, oldest first within a slot.
 *
 * A timing wheel of 256 slots (Varghese and Lauck 1987). A record is put into a slot when it
 * begins; packets do not move it, they only set RECORD_TOUCHED. When its slot is due it is looked
 * at, and moved if it lives on. So a packet costs nothing here, and the oldest idle record is found
 * at the front (second chance, as in CLOCK) when memory is short.
 */
#ifndef WEIR_FLOW_WHEEL_H
#define WEIR_FLOW_WHEEL_H

#include "flow/record.h"

#define WHEEL_SLOTS 256

struct wheel {
    struct flow_record *record; /* the slab; number 0 is no record. Not owned */
    uint64_t next;              /* slots before this one, counted from 1970, were swept */
    unsigned shift;             /* a slot is 2^shift ns long */
    uint32_t head[WHEEL_SLOTS], tail[WHEEL_SLOTS];
};

/* Slots are long enough that `span_ns` ahead stays within one turn. */
void wheel_init(struct wheel *wheel, struct flow_record *record, int64_t span_ns);
/* Append record `number` to the slot in which `deadline_ns` lies. */
void wheel_link(struct wheel *wheel, uint32_t number, int64_t deadline_ns);
void wheel_unlink(struct wheel *wheel, uint32_t number);
/* Fetch what wheel_unlink of this record touches. */
void wheel_prefetch(const struct wheel *wheel, uint32_t number);
/* First record of the slots that lie wholly before `now_ns`, 0 if there is none; the caller takes
 * it out. A `now_ns` that went back is followed; a jump forward costs one turn of the wheel. */
uint32_t wheel_due(struct wheel *wheel, int64_t now_ns);
/* First record of the first slot that has one; 0 if the wheel is empty. */
uint32_t wheel_oldest(const struct wheel *wheel);

#endif
