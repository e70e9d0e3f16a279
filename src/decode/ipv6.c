/*
 * IPv6 and its extension headers. Source: RFC 8200; jumbograms RFC 2675; lengths of AH RFC 4302,
 * mobility RFC 6275, HIP RFC 7401, shim6 RFC 5533.
 */
#include <string.h>

#include "decode/walk.h"

enum { IPV6_HEADER = 40, OPTION_PAD1 = 0, OPTION_JUMBO = 0xc2, OPTIONS_MAX = 64 };
/* Behind a packet without payload there may be the padding of Ethernet to 60 octets and a check
 * sequence. */
enum { PADDING_MAX = 10 };

/* The payload length from the jumbo option of a hop-by-hop header of `size` octets; 0 if it has
 * none. */
static uint32_t jumbo_length(const uint8_t *header, uint32_t size)
{
    uint32_t at = 2;
    for (unsigned i = 0; i < OPTIONS_MAX && at + 2 <= size; i++) {
        if (header[at] == OPTION_PAD1) {
            at++;
            continue;
        }
        if (header[at] == OPTION_JUMBO && header[at + 1] == 4 && at + 6 <= size)
            return load_be32(header + at + 2);
        at += 2u + header[at + 1];
    }
    return 0;
}

static uint32_t ipv6_octets(const struct walk *w, const uint8_t *ip)
{
    uint32_t payload = load_be16(ip + 4), left = walk_wire_left(w);
    if (payload != 0)
        return IPV6_HEADER + payload;
    if (ip[6] == PROTO_HOP_BY_HOP && walk_left(w) >= IPV6_HEADER + 8) {
        uint32_t size = (ip[IPV6_HEADER + 1] + 1u) * 8, there = walk_left(w) - IPV6_HEADER;
        uint32_t jumbo = jumbo_length(ip + IPV6_HEADER, size < there ? size : there);
        if (jumbo > 0)
            return jumbo < UINT32_MAX - IPV6_HEADER ? IPV6_HEADER + jumbo : UINT32_MAX;
    }
    /* No length, yet octets: as with IPv4, the network card makes the packets out of this one. */
    if (ip[6] != PROTO_NONE && left > IPV6_HEADER + PADDING_MAX)
        return left;
    return IPV6_HEADER;
}

/* Octets of the extension header at `header`, of which at least 2 are there; 0 for a protocol that
 * is no extension header. */
static uint32_t extension_size(uint8_t proto, const uint8_t *header)
{
    switch (proto) {
    case PROTO_HOP_BY_HOP:
    case PROTO_ROUTING:
    case PROTO_DESTINATION:
    case PROTO_MOBILITY:
    case PROTO_HIP:
    case PROTO_SHIM6:
        return (header[1] + 1u) * 8;
    case PROTO_FRAGMENT:
        return 8;
    case PROTO_AH:
        return (header[1] + 2u) * 4;
    default:
        return 0;
    }
}

static bool is_extension(uint8_t proto)
{
    return extension_size(proto, (const uint8_t[2]){ 0 }) != 0;
}

static void fragment(struct walk *w, const uint8_t *header)
{
    struct layers *l = w->layers;
    uint16_t field = load_be16(header + 2);
    if ((field & 0xfff9) == 0) /* whole, RFC 6946 */
        return;
    w->is_cut = (field & 1) != 0;
    l->flags |= PACKET_FRAGMENT;
    l->fragment_id = load_be32(header + 4);
    l->fragment_offset = field >> 3;
    if (l->fragment_offset > 0)
        l->flags |= PACKET_LATER_FRAGMENT;
}

/* One extension header; its kind is in key.proto. Ends with the first protocol that is none. */
static void extension(struct walk *w)
{
    struct layers *l = w->layers;
    uint8_t proto = l->key.proto;
    const uint8_t *header = walk_look(w, 8);
    enum ledger_reason cut = w->is_whole ? REASON_bad_extension : REASON_short_extension;
    if (header == NULL) {
        walk_stop(w, cut);
        return;
    }
    if (w->extensions++ == DECODE_EXTENSIONS_MAX) {
        walk_stop(w, REASON_bad_extension);
        return;
    }
    uint32_t size = extension_size(proto, header);
    /* These end a packet by themselves, then they are what it is about. */
    bool is_last = header[0] == PROTO_NONE && proto >= PROTO_MOBILITY;
    if (is_last) {
        decode_transport(w);
        return;
    }
    if (proto == PROTO_FRAGMENT)
        fragment(w, header);
    l->key.proto = header[0];
    if (walk_left(w) < size) {
        walk_stop(w, cut);
        return;
    }
    w->at += size;
    if (!(l->flags & PACKET_LATER_FRAGMENT) && is_extension(header[0]))
        w->next = extension;
    else
        decode_transport(w);
}

void decode_ipv6(struct walk *w)
{
    struct layers *l = w->layers;
    const uint8_t *ip = walk_look(w, IPV6_HEADER);
    if (ip == NULL) {
        walk_stop(w, REASON_short_ip);
        return;
    }
    if (ip[0] >> 4 != 6) {
        walk_stop(w, REASON_bad_ip);
        return;
    }
    l->l3 = (uint16_t)w->at;
    l->key.version = 6;
    l->key.proto = ip[6];
    memcpy(l->key.address[0], ip + 8, 16);
    memcpy(l->key.address[1], ip + 24, 16);
    l->tos = (uint8_t)(load_be16(ip) >> 4);
    l->ttl = ip[7];
    l->ip_octets = ipv6_octets(w, ip);
    l->payload_octets = l->ip_octets - IPV6_HEADER;
    walk_narrow(w, l->ip_octets);
    w->at += IPV6_HEADER;
    l->payload = (uint16_t)w->at;
    if (is_extension(ip[6]))
        w->next = extension;
    else
        decode_transport(w);
}
