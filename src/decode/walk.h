/*
 * walk: the way through one packet from its link header to its payload. Inside of decode only.
 *
 * Each header is one step: a function that looks at the octets at `at`, moves on and names the step
 * after it. decode_packet() calls steps until none is named, so there is no recursion, and every
 * loop is bounded by a constant (decode.h). A step never trusts a length: octets are had from
 * walk_look() and walk_take(), which give NULL when they are not all there.
 *
 *   data            at            end      caplen         wire_end
 *     |--- headers ---|--- readable --|------|---- not captured ----|
 */
#ifndef WEIR_DECODE_WALK_H
#define WEIR_DECODE_WALK_H

#include "decode/decode.h"

#define DECODE_STEPS_MAX 128     /* headers looked at in one packet, whatever they are */
#define DECODE_PLACE_MAX 0xfffeu /* headers are looked for in the first 64 KiB of a packet */
#define NOWHERE          0xffffu /* an offset in struct layers that is not there */

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_MPLS = 0x8847
};
enum {
    PROTO_HOP_BY_HOP = 0,
    PROTO_IPIP = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_IPV6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_NONE = 59,
    PROTO_DESTINATION = 60,
    PROTO_MOBILITY = 135,
    PROTO_HIP = 139,
    PROTO_SHIM6 = 140,
};

struct walk;
typedef void decode_step(struct walk *w);

struct walk {
    const uint8_t *data;
    struct layers *layers;
    decode_step *next;  /* NULL: the walk is over */
    uint32_t at;        /* place of the header to look at */
    uint32_t end;       /* octets before it may be read: captured, and inside the IP packet */
    uint32_t captured;  /* caplen, at most DECODE_PLACE_MAX */
    uint32_t wire_end;  /* where the packet ended on the wire */
    uint8_t tunnels;    /* entered so far */
    uint8_t extensions; /* IPv6 extension headers so far, in all levels together */
    bool enters_tunnels;
    bool is_whole; /* `end` is where the IP packet ends: what is missing is not there by its own
                      length */
    bool is_cut;   /* later parts of this IP packet are in other fragments */
    struct layers outer; /* how things were before the innermost tunnel was entered */
};

/* What numbers stand for in the fields that say what comes next. */
enum decode_space {
    DECODE_LINK,      /* LINKTYPE_ of capture files */
    DECODE_ETHERTYPE, /* also C-HDLC, SNAP and GRE */
    DECODE_PPP,       /* PPP protocol */
    DECODE_IP,        /* IP protocol */
    DECODE_UDP,       /* either UDP port */
    DECODE_SPACES
};

struct decode_entry {
    uint16_t number;
    const char *name;
    decode_step *step; /* NULL ends a list */
};

/* A part: one file, one word in meson.build. */
struct decoder {
    const char *name, *help;
    const struct decode_entry *entry[DECODE_SPACES]; /* what it takes in each space, or NULL */
};

/* The entry of whoever takes `number`, or NULL. */
const struct decode_entry *decode_find(enum decode_space space, uint16_t number);
/* All numbers taken in a space, which has at most `count`, repeated to fill `numbers`; 0 if there
 * is none. */
void decode_numbers(enum decode_space space, uint16_t *numbers, size_t count);

static inline uint32_t walk_left(const struct walk *w)
{
    return w->at < w->end ? w->end - w->at : 0;
}
/* The next `size` octets without moving; NULL if they are not all there. */
static inline const uint8_t *walk_look(const struct walk *w, uint32_t size)
{
    return walk_left(w) >= size ? w->data + w->at : NULL;
}
/* The next `size` octets, moving behind them; NULL, without moving, if they are not all there. */
static inline const uint8_t *walk_take(struct walk *w, uint32_t size)
{
    const uint8_t *at = walk_look(w, size);
    if (at != NULL)
        w->at += size;
    return at;
}
/* Octets on the wire from here on. */
static inline uint32_t walk_wire_left(const struct walk *w)
{
    return w->at < w->wire_end ? w->wire_end - w->at : 0;
}
/* Something is wrong or nobody knows more; the first reason stays. */
static inline void walk_stop(struct walk *w, enum ledger_reason reason)
{
    if (w->layers->verdict == REASON_none)
        w->layers->verdict = (uint8_t)reason;
    w->next = NULL;
}

/* `at` is at an IP packet of so many octets: nothing behind it is looked at. */
static inline void walk_narrow(struct walk *w, uint32_t octets)
{
    w->is_whole = octets <= walk_left(w);
    if (w->is_whole)
        w->end = w->at + octets;
}

/* A length field of a link says that only so many octets from `at` belong to the packet; the rest
 * is padding. */
static inline void walk_trim(struct walk *w, uint32_t octets)
{
    if (octets < walk_left(w))
        w->end = w->at + octets;
    if (octets < walk_wire_left(w))
        w->wire_end = w->at + octets;
}

/* ---- ways on, for the ends of steps ---- */

/* MAC addresses at `at`. */
void decode_ethernet(struct walk *w);
/* Payload of that type at `at`. */
void decode_ethertype(struct walk *w, uint16_t type);
/* The same, or an IEEE 802.2 frame when the number is small enough to be its length. */
void decode_type_or_length(struct walk *w, uint16_t type);
/* IEEE 802.2 header at `at`. */
void decode_llc(struct walk *w);
/* Organisation and type at `at`. */
void decode_snap(struct walk *w);
/* PPP protocol number at `at`, with or without ff 03 before it. */
void decode_ppp(struct walk *w);
/* Address, control and type at `at`. */
void decode_cisco_hdlc(struct walk *w);
/* Packet of an address family at `at`. */
void decode_family(struct walk *w, uint32_t number);
/* Label stack at `at`. */
void decode_mpls(struct walk *w);
/* IPv4 or IPv6 by the first four bits at `at`. */
void decode_ip(struct walk *w);
void decode_ipv4(struct walk *w);
void decode_ipv6(struct walk *w);
/* IP payload at `at`; layers->key.proto says of which protocol. */
void decode_transport(struct walk *w);
/*
 * A tunnel header was recognised and `at` is behind it. True: go in, the key has been emptied for
 * the packet inside. False: the walk is over, the packet outside is metered.
 */
bool decode_tunnel(struct walk *w, enum tunnel_kind kind);
/* It is one by its protocol, but its header is damaged. */
void decode_bad_tunnel(struct walk *w, enum tunnel_kind kind);

#endif
