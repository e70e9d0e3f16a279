/*
 * Link types that put a header of a program or a firewall before the packet: the link type inside,
 * or an address family, is in it. Source: libpcap's link types PPI, PKTAP, PFLOG, NFLOG, ENC,
 * IPNET.
 */
#include "decode/walk.h"

enum {
    LINK_ETHERNET = 1,
    PFLOG_START = 4,
    ENC_HEADER = 12,
    IPNET_HEADER = 24,
    NFLOG_START = 4,
    NFLOG_PAYLOAD = 9,
    NFLOG_ATTRIBUTES_MAX = 64
};

/* Behind the first `size` octets comes a packet with a link type of its own. No wrapper in a
 * wrapper. */
static void inner_link(struct walk *w, uint32_t size, uint32_t link)
{
    bool is_nested = w->at != size;
    const struct decode_entry *entry =
        link <= UINT16_MAX && !is_nested ? decode_find(DECODE_LINK, (uint16_t)link) : NULL;
    if (is_nested)
        walk_stop(w, REASON_bad_link);
    else if (entry == NULL)
        walk_stop(w, REASON_unknown_link);
    else
        w->next = link == LINK_ETHERNET ? decode_ethernet : entry->step;
}

/* Little-endian: version and flags, size; link type. */
static void per_packet(struct walk *w)
{
    const uint8_t *header = walk_look(w, 8);
    uint32_t size = header != NULL ? load_le16(header + 2) : 8;
    if (size < 8)
        walk_stop(w, REASON_bad_link);
    else if (walk_take(w, size) == NULL)
        walk_stop(w, REASON_short_link);
    else
        inner_link(w, size, load_le32(header + 4));
}

/* Little-endian: size, kind of record (1 = packet), link type. */
static void pktap(struct walk *w)
{
    const uint8_t *header = walk_look(w, 12);
    uint32_t size = header != NULL ? load_le32(header) : 12;
    if (size < 12)
        walk_stop(w, REASON_bad_link);
    else if (walk_take(w, size) == NULL)
        walk_stop(w, REASON_short_link);
    else if (load_le32(header + 4) != 1)
        walk_stop(w, REASON_not_ip);
    else
        inner_link(w, size, load_le32(header + 8));
}

/* Packet filter of BSD: size without its padding to a multiple of 4, address family. */
static void pflog(struct walk *w)
{
    const uint8_t *header = walk_look(w, PFLOG_START);
    if (header == NULL || walk_take(w, (header[0] + 3u) & ~3u) == NULL)
        walk_stop(w, REASON_short_link);
    else
        decode_family(w, header[1]);
}

/* Encapsulating interface of OpenBSD: address family in its byte order, then two words. */
static void enc(struct walk *w)
{
    const uint8_t *header = walk_take(w, ENC_HEADER);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    uint32_t family = load_le32(header), swapped = load_be32(header);
    decode_family(w, family < swapped ? family : swapped);
}

/* Solaris: version, address family, then what is of no use here. */
static void ipnet(struct walk *w)
{
    const uint8_t *header = walk_take(w, IPNET_HEADER);
    if (header == NULL)
        walk_stop(w, REASON_short_link);
    else
        decode_family(w, header[1]);
}

/* Netfilter: address family, then attributes (size, kind: in the byte order of the machine), one of
 * which is the packet. */
static void nflog(struct walk *w)
{
    const uint8_t *start = walk_take(w, NFLOG_START);
    const uint8_t *attribute = start != NULL ? walk_look(w, 4) : NULL;
    for (unsigned i = 0; attribute != NULL && i < NFLOG_ATTRIBUTES_MAX; i++) {
        bool is_little = attribute[1] == 0 || attribute[0] != 0;
        uint32_t size = is_little ? load_le16(attribute) : load_be16(attribute);
        uint32_t kind = (is_little ? load_le16(attribute + 2) : load_be16(attribute + 2)) & 0x7fff;
        if (size < 4) {
            walk_stop(w, REASON_bad_link);
            return;
        }
        if (kind == NFLOG_PAYLOAD) {
            w->at += 4;
            decode_family(w, start[0]);
            return;
        }
        attribute = walk_take(w, (size + 3) & ~3u) != NULL ? walk_look(w, 4) : NULL;
    }
    if (attribute != NULL)
        walk_stop(w, REASON_bad_link);
    else
        walk_stop(w, start != NULL && w->at >= w->wire_end ? REASON_not_ip : REASON_short_link);
}

const struct decoder wrapper_decoder = {
    .name = "wrapper",
    .help = "PPI, PKTAP, PFLOG, NFLOG, ENC, IPNET",
    .entry[DECODE_LINK] =
        (const struct decode_entry[]){
            { 109, "enc", enc },
            { 117, "pflog", pflog },
            { 149, "pktap", pktap }, /* as macOS wrote it before it had a number */
            { 192, "ppi", per_packet },
            { 226, "ipnet", ipnet },
            { 239, "nflog", nflog },
            { 258, "pktap", pktap },
            { 0 },
        },
};
