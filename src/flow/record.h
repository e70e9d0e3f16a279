/*
 * flow record: what the table keeps of an open flow, in two cache lines.
 *
 *   line 1  key, times, counters    all that an IPv4 packet of a known flow touches
 *   line 2  rest of the key, list   begin, end and rare things; IPv6 packets compare three words
 * here
 *
 * Everything with two sides is kept by endpoint, first one first (flow_item.side), so that a packet
 * need not know which side is forward. RECORD_REVERSED says so when the record is written. In
 * uniflows there is one side only.
 */
#ifndef WEIR_FLOW_RECORD_H
#define WEIR_FLOW_RECORD_H

#include <string.h>

#include "flow/flow.h"

enum record_state {
    RECORD_REVERSED = 1, /* forward is from the second endpoint to the first one */
    RECORD_FIN = 2,      /* from the first endpoint; shifted by one: from the second one */
    RECORD_FIN_BOTH = 6,
    RECORD_CLOSED = 8,   /* end of the TCP connection was seen */
    RECORD_MAC = 16,     /* mac holds something */
    RECORD_SURE = 32,    /* direction was decided by a SYN */
    RECORD_TOUCHED = 64, /* has had a packet, not its first, since it was put into its list */
    RECORD_QUEUED = 128, /* waits in the queue of closed records */
};

struct flow_record {
    uint64_t front, tail; /* as in struct flow_item; tail 0 = free */
    int64_t first_ns, last_ns;
    uint64_t octets[2];
    uint32_t packets[2];
    uint16_t tcp_flags[2];
    uint8_t state, ttl;  /* ttl of forward packets, 0 = none yet */
    uint8_t tos, tunnel; /* of the first packet */

    uint64_t address[3]; /* IPv6: first half of the first endpoint's address, both halves of the
                            second one's */
    uint32_t hash;       /* upper half, what the index goes by */
    uint32_t next, prev; /* list of the wheel; next also links free records */
    uint32_t
        interface; /* of the first packet, as are vlan (id + 1) and mac (destination, source) */
    uint32_t out_of_order, fragments;
    uint16_t vlan;
    uint8_t entered; /* key.tunnel */
    uint8_t pad;
    uint8_t mac[12];
};
_Static_assert(sizeof(struct flow_record) == 128, "two cache lines per flow");
_Static_assert(offsetof(struct flow_record, address) == 64,
               "the first line is all that most packets touch");

/* Of flow_item.tail. */
static inline uint64_t tail_of(uint16_t first_port, uint16_t second_port, uint8_t proto,
                               uint8_t version, uint16_t vlan)
{
    return (uint64_t)first_port | (uint64_t)second_port << 16 | (uint64_t)proto << 32 |
           (uint64_t)version << 40 | (uint64_t)vlan << 48;
}
static inline uint16_t tail_port(uint64_t tail, unsigned side)
{
    return (uint16_t)(tail >> (side ? 16 : 0));
}
static inline uint8_t tail_proto(uint64_t tail)
{
    return (uint8_t)(tail >> 32);
}
static inline uint8_t tail_version(uint64_t tail)
{
    return (uint8_t)(tail >> 40);
}

static inline uint64_t word_at(const void *from, unsigned index)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)from + 8 * index, sizeof word);
    return word;
}

/* ---- rows.c: records to columns ---- */

struct flow_rows {
    struct record_sink *out;
    struct ledger *ledger;
    const struct flow_options *options;
    struct record_batch *batch; /* being filled; NULL = none */
    struct flow_columns {
        int64_t *start, *end;
        uint8_t *proto, *tos, *ttl, *end_reason;
        struct address *src, *dst;
        uint16_t *sport, *dport, *flags, *rev_flags;
        uint64_t *packets, *bytes, *rev_packets, *rev_bytes, *flows, *out_of_order, *fragments;
        uint32_t *in_if;
    } column;
    int failed; /* 0, or the first WEIR_E*: nothing is pushed any more */
};
/* A closed record ended by that, whatever `reason` says, but for lack of memory. */
void flow_rows_add(struct flow_rows *rows, const struct flow_record *record, enum flow_end reason);
/* Push what is there. */
void flow_rows_flush(struct flow_rows *rows);
void flow_rows_fini(struct flow_rows *rows);

#endif
