/* IPv4, and the choice between IPv4 and IPv6 by the version. Source: RFC 791, RFC 3168. */
#include <string.h>

#include "decode/walk.h"

enum { IPV4_HEADER = 20, MORE_FRAGMENTS = 0x2000, OFFSET_BITS = 0x1fff };

void decode_ip(struct walk *w)
{
    const uint8_t *first = walk_look(w, 1);
    if (first == NULL)
        walk_stop(w, REASON_short_ip);
    else if (*first >> 4 == 4)
        w->next = decode_ipv4;
    else if (*first >> 4 == 6)
        w->next = decode_ipv6;
    else
        walk_stop(w, REASON_bad_ip);
}

static void fragment(struct walk *w, const uint8_t *ip)
{
    struct layers *l = w->layers;
    uint16_t field = load_be16(ip + 6);
    if ((field & (MORE_FRAGMENTS | OFFSET_BITS)) == 0)
        return;
    w->is_cut = (field & MORE_FRAGMENTS) != 0;
    l->flags |= PACKET_FRAGMENT;
    l->fragment_id = load_be16(ip + 4);
    l->fragment_offset = field & OFFSET_BITS;
    if (l->fragment_offset > 0)
        l->flags |= PACKET_LATER_FRAGMENT;
}

void decode_ipv4(struct walk *w)
{
    struct layers *l = w->layers;
    const uint8_t *ip = walk_look(w, IPV4_HEADER);
    if (ip == NULL) {
        walk_stop(w, REASON_short_ip);
        return;
    }
    uint32_t header = (ip[0] & 15) * 4u, total = load_be16(ip + 2);
    if (ip[0] >> 4 != 4 || header < IPV4_HEADER || (total != 0 && total < header)) {
        walk_stop(w, REASON_bad_ip);
        return;
    }
    l->l3 = (uint16_t)w->at;
    l->key.version = 4;
    l->key.proto = ip[9];
    memcpy(l->key.address[0], ip + 12, 4);
    memcpy(l->key.address[1], ip + 16, 4);
    l->tos = ip[1];
    l->ttl = ip[8];
    /* 0: the network card makes the packets out of this one, so the length of the frame is what is
     * known. */
    l->ip_octets = total != 0 ? total : walk_wire_left(w);
    walk_narrow(w, l->ip_octets);
    fragment(w, ip);
    w->at += header;
    decode_transport(w);
}

const struct decoder ip_decoder = {
    .name = "ip",
    .help = "IPv4 with options, IPv6 with extension headers",
    .entry[DECODE_LINK] =
        (const struct decode_entry[]){
            { 12, "raw", decode_ip },
            { 14, "raw", decode_ip },
            { 101, "raw", decode_ip },
            { 228, "ipv4", decode_ipv4 },
            { 229, "ipv6", decode_ipv6 },
            { 0 },
        },
    .entry[DECODE_ETHERTYPE] =
        (const struct decode_entry[]){
            { ETHERTYPE_IPV4, "IPv4", decode_ipv4 },
            { ETHERTYPE_IPV6, "IPv6", decode_ipv6 },
            { 0 },
        },
    .entry[DECODE_PPP] =
        (const struct decode_entry[]){
            { 0x0021, "IPv4", decode_ipv4 },
            { 0x0057, "IPv6", decode_ipv6 },
            { 0 },
        },
};
