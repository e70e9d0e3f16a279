/*
 * flow record: what the table keeps of an open flow, in two cache lines.
 *
 *   line 1  key, first, last        compared and checked for every packet
 *   line 2  counters, list, rest    changed for every packet
 */
#ifndef WEIR_FLOW_RECORD_H
#define WEIR_FLOW_RECORD_H

#include "flow/flow.h"

enum record_state {
    RECORD_REVERSED = 1,     /* forward is from the larger endpoint to the smaller one: layers.is_reversed of forward packets */
    RECORD_FIN_FORWARD = 2,
    RECORD_FIN_BACKWARD = 4,
    RECORD_CLOSED = 8,       /* end of the TCP connection was seen */
    RECORD_MAC = 16,         /* mac holds something */
    RECORD_SURE = 32,        /* direction was decided by a SYN */
    RECORD_TOUCHED = 64,     /* has had a packet since it was put into its list */
};

struct flow_record {
    struct flow_key key; /* forward; version 0 = free. VLAN and interface are those of the first packet even when no part of the key */
    int64_t first_ns, last_ns;
    uint64_t octets[2];  /* forward, backward */
    uint32_t packets[2];
    uint16_t tcp_flags[2];
    uint8_t state, ttl, tos, tunnel;
    uint32_t hash;       /* upper half, what the index goes by */
    uint32_t next, prev; /* list of the wheel; next also links free records */
    uint8_t mac[12];     /* destination and source of the first packet */
    uint32_t out_of_order;
    uint32_t fragments;
};
_Static_assert(sizeof(struct flow_record) == 128, "two cache lines per flow");
_Static_assert(offsetof(struct flow_record, octets) == 64, "key and times on the first line, counters on the second");

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
void flow_rows_add(struct flow_rows *rows, const struct flow_record *record, enum flow_end reason);
/* Push what is there. */
void flow_rows_flush(struct flow_rows *rows);
void flow_rows_fini(struct flow_rows *rows);

#endif
