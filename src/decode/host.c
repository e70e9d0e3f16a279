/*
 * Links that a host makes up for its own packets: loopback and the Linux "cooked" headers.
 * Source: libpcap's link-layer header types NULL, LOOP, LINUX_SLL, LINUX_SLL2.
 */
#include "decode/walk.h"

enum { LENGTH_MAX = 1500, SLL_HEADER = 16, SLL2_HEADER = 20, SLL_IEEE_802_2 = 4 };

/* Address family of the machine that captured; IPv6 has a number of its own on each. */
void decode_family(struct walk *w, uint32_t number)
{
    switch (number) {
    case 2:
        w->next = decode_ipv4;
        break;
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 26: /* Solaris */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        w->next = decode_ipv6;
        break;
    default:
        walk_stop(w, REASON_not_ip);
    }
}

/* Address family, four octets in the byte order of the capturing machine (NULL) or of the network
 * (LOOP). */
static void loopback(struct walk *w)
{
    const uint8_t *header = walk_take(w, 4);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    uint32_t number = load_le32(header);
    if (number > 0xffff)
        number = load_be32(header);
    if (number > 0xffff) /* 16 bits of family only */
        number >>= 16;
    if (number > LENGTH_MAX)
        decode_ethertype(w, (uint16_t)number);
    else
        decode_family(w, number);
}

static void cooked_payload(struct walk *w, uint16_t type)
{
    if (type == SLL_IEEE_802_2) {
        decode_llc(w);
    } else if (type > LENGTH_MAX) {
        decode_ethertype(w, type);
    } else {
        w->layers->payload = (uint16_t)w->at;
        walk_stop(w, REASON_not_ip);
    }
}

static void cooked(struct walk *w)
{
    const uint8_t *header = walk_take(w, SLL_HEADER);
    if (header == NULL)
        walk_stop(w, REASON_short_link);
    else
        cooked_payload(w, load_be16(header + 14));
}

static void cooked2(struct walk *w)
{
    const uint8_t *header = walk_take(w, SLL2_HEADER);
    if (header == NULL)
        walk_stop(w, REASON_short_link);
    else
        cooked_payload(w, load_be16(header));
}

const struct decoder host_decoder = {
    .name = "host",
    .help = "BSD loopback, Linux cooked v1 and v2",
    .entry[DECODE_LINK] =
        (const struct decode_entry[]){
            { 0, "null", loopback },
            { 108, "loop", loopback },
            { 113, "linux_sll", cooked },
            { 276, "linux_sll2", cooked2 },
            { 0 },
        },
};
