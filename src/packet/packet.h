/*
 * packet: packets in batches, what was read from their headers, and how to look at them safely.
 *
 * A batch holds up to 256 views into memory that belongs to the capture (a lease until the next fill). Functions work on whole batches in
 * passes; nothing downstream keeps a packet pointer. Packet octets are read through `struct cursor` or behind a length check, never by a
 * cast to a struct.
 */
#ifndef WEIR_PACKET_H
#define WEIR_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#define BATCH_MAX 256
#define CACHE_LINE 64
#define PACKET_OCTETS_MAX (UINT32_C(256) << 10) /* longest captured packet we accept: as libpcap's MAXIMUM_SNAPLEN */

/* One packet as captured. Times are ns since 1970 UTC; link is the libpcap DLT_/LINKTYPE_ number of its interface. */
struct packet {
    const uint8_t *data;
    uint32_t caplen, wirelen; /* octets in `data`; octets on the wire */
    int64_t time_ns;
    uint32_t interface; /* number within the whole input, from 0 */
    uint16_t link;      /* LINKTYPE_* as stored in capture files */
    uint16_t direction; /* 0 unknown, 1 in, 2 out */
};

/*
 * What makes packets belong together, source first as on the wire. Compared and hashed as six 64-bit words, so unused octets are zero.
 * IPv4 addresses lie in the first four octets. Ports are host numbers; ICMP and ICMPv6: sport 0, dport type * 256 + code.
 */
struct flow_key {
    uint8_t address[2][16]; /* source, destination */
    uint16_t port[2];       /* source, destination; 0 without ports */
    uint8_t proto;          /* last header */
    uint8_t version;        /* 4, 6; 0 = not IP */
    uint16_t vlan;          /* outermost VLAN id + 1; 0 = no tag */
    uint32_t interface;     /* packet.interface */
    uint32_t tunnel;        /* enum tunnel_kind of the outermost tunnel entered (with --tunnel), else 0 */
};
_Static_assert(sizeof(struct flow_key) == 48, "key is six words");

enum packet_flag {
    PACKET_FRAGMENT = 1,       /* offset > 0 or more fragments follow */
    PACKET_LATER_FRAGMENT = 2, /* offset > 0: no transport header here */
    PACKET_PORTS = 4,          /* ports (or ICMP type and code) were read */
    PACKET_SNAPPED = 8,        /* caplen < wirelen */
};

enum tunnel_kind {
    TUNNEL_NONE, TUNNEL_GRE, TUNNEL_IPIP, TUNNEL_6IN4, TUNNEL_4IN6, TUNNEL_VXLAN, TUNNEL_GENEVE, TUNNEL_GTPU, TUNNEL_ERSPAN,
    TUNNEL_TEREDO, TUNNEL_ETHERIP, TUNNEL_KINDS
};
extern const char *const tunnel_names[TUNNEL_KINDS]; /* "" for none */

/* What decode read from one packet. Offsets count from packet.data; 0xffff = not there. */
struct layers {
    struct flow_key key;
    uint64_t hash;           /* keyed hash of the key, equal for both directions; set by packet_hash_batch */
    uint32_t link_octets;    /* spec/tools.md 6.1 "link" */
    uint32_t ip_octets;      /* "ip"; 0 for non-IP */
    uint32_t payload_octets; /* "payload" */
    /* These are 0 in most packets, so they lie together. */
    uint32_t fragment_id;     /* IP identification, for fragments */
    uint16_t fragment_offset; /* in octets / 8 */
    uint16_t mac;             /* offset of destination and source MAC (12 octets) */
    uint8_t verdict;          /* enum ledger_reason: REASON_none, or the first thing wrong */
    uint8_t tunnel;           /* enum tunnel_kind seen outermost, entered or not */
    uint8_t mpls_count;
    uint8_t is_reversed;      /* set by packet_hash_batch: the key's second endpoint is the smaller one */

    /* Offsets of IP, transport, payload: of the packet inside when a tunnel was entered. Without IP
     * the payload is that of the link. */
    uint16_t l3, l4, payload;
    uint16_t ethertype;       /* of what the link header carries; 0 if it says none */
    uint16_t tcp_flags;       /* 9 bits */
    uint16_t vlan;            /* as key.vlan, which the hash pass empties when it is no part of the key */
    uint8_t flags;            /* enum packet_flag */
    uint8_t ttl, tos;
    uint8_t vlan_count;
};
_Static_assert(sizeof(struct layers) == 96, "no padding, one and a half cache lines");

/*
 * Where the packets of the next batch are likely to begin: every `step` octets from `at`. The first `lines` cache lines of each are
 * fetched by decode_batch, so that the memory works while the processor does. A guess that may lead anywhere; all 0 = none.
 */
struct packet_ahead {
    const uint8_t *at;
    uint32_t step;
    uint8_t lines;
};

struct packet_batch {
    unsigned count;
    struct packet pkt[BATCH_MAX];
    struct layers layer[BATCH_MAX]; /* filled by decode_batch */
    struct packet_ahead ahead;      /* set by the capture at each fill */
};
/* Fetch what is expected at `index` of the next batch. */
static inline void packet_fetch_ahead(const struct packet_ahead *ahead, unsigned index)
{
    uintptr_t at = (uintptr_t)ahead->at + (uintptr_t)index * ahead->step;
    for (unsigned line = 0; line < ahead->lines; line++)
        __builtin_prefetch((const void *)(at + line * CACHE_LINE), 0, 2);
}

/* Who takes packets, a batch at a time; the packets are valid during the call only. 0 or a negative WEIR_E* to stop. */
struct packet_sink {
    int (*push)(struct packet_sink *self, struct packet_batch *batch);
};

/* ---- hash (packet.c) ---- */

/* Secret of the hash: new from the kernel for each run so that nobody can prepare collisions (R14). */
struct hash_secret {
    uint64_t word[8];
};
int hash_secret_new(struct hash_secret *secret, struct err *e);

/*
 * Set hash and is_reversed of packets [first, first + count) of the batch. The hash is over the key AND `mask` (all ones: every field
 * counts; a zeroed field is no part of the key) and does not depend on direction when `is_biflow`. Keys are masked in place.
 * Which endpoint is smaller: (address, port) compared as octets and numbers.
 */
void packet_hash_batch(struct packet_batch *batch, unsigned first, unsigned count, const struct flow_key *mask, bool is_biflow,
                       const struct hash_secret *secret);

/* ---- cursor: bounds-checked reading; the first short read is remembered, so one check at the end is enough ---- */

struct cursor {
    const uint8_t *at, *end;
    bool is_short;
};
static inline struct cursor cursor_over(struct bytes in)
{
    return (struct cursor){ .at = in.data, .end = in.data + in.size };
}
static inline size_t cursor_left(const struct cursor *c)
{
    return c->is_short ? 0 : (size_t)(c->end - c->at);
}
/* `size` octets, or NULL and is_short from then on. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t size)
{
    if (c->is_short || (size_t)(c->end - c->at) < size) {
        c->is_short = true;
        return NULL;
    }
    const uint8_t *at = c->at;
    c->at += size;
    return at;
}
static inline void cursor_skip(struct cursor *c, size_t size)
{
    (void)cursor_take(c, size);
}
static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *at = cursor_take(c, 1);
    return at ? *at : 0;
}
static inline uint16_t cursor_u16(struct cursor *c)
{
    const uint8_t *at = cursor_take(c, 2);
    return at ? load_be16(at) : 0;
}
static inline uint32_t cursor_u32(struct cursor *c)
{
    const uint8_t *at = cursor_take(c, 4);
    return at ? load_be32(at) : 0;
}
static inline uint64_t cursor_u64(struct cursor *c)
{
    const uint8_t *at = cursor_take(c, 8);
    return at ? load_be64(at) : 0;
}

#endif
