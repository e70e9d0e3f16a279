/*
 * What IP carries: ports or ICMP type and code, TCP flags, and where the payload begins.
 * Source: RFC 9293 (TCP), 768 (UDP), 3828 (UDP-Lite), 792 and 4443 (ICMP), 9260 (SCTP), 4340
 * (DCCP).
 */
#include "decode/walk.h"

enum { UDP_HEADER = 8, TCP_HEADER = 20, ICMP_HEADER = 8, SCTP_HEADER = 12, DCCP_HEADER = 12 };

void decode_transport(struct walk *w)
{
    struct layers *l = w->layers;
    uint32_t headers = w->at - l->l3;
    l->payload_octets = l->ip_octets > headers ? l->ip_octets - headers : 0;
    if (w->at > w->captured) { /* within the options of IPv4 */
        l->payload = NOWHERE;
        walk_stop(w, REASON_short_transport);
        return;
    }
    l->payload = (uint16_t)w->at;
    if (l->flags & PACKET_LATER_FRAGMENT)
        return;
    l->l4 = (uint16_t)w->at;
    const struct decode_entry *entry = decode_find(DECODE_IP, l->key.proto);
    if (entry != NULL)
        w->next = entry->step;
}

/* Some octets of the header are not there: because of the capture, because they are in the next
 * fragment, or by the IP length. */
static void missing(struct walk *w)
{
    walk_stop(w, w->is_whole && !w->is_cut ? REASON_bad_transport : REASON_short_transport);
}

/* Go on behind a header of `size` octets. */
static bool header_done(struct walk *w, uint32_t size)
{
    struct layers *l = w->layers;
    l->payload_octets = l->payload_octets > size ? l->payload_octets - size : 0;
    if (walk_take(w, size) == NULL) {
        l->payload = NOWHERE;
        missing(w);
        return false;
    }
    l->payload = (uint16_t)w->at;
    return true;
}

static void read_ports(struct walk *w)
{
    const uint8_t *ports = walk_look(w, 4);
    if (ports == NULL)
        return;
    w->layers->key.port[0] = load_be16(ports);
    w->layers->key.port[1] = load_be16(ports + 2);
    w->layers->flags |= PACKET_PORTS;
}

static void tcp(struct walk *w)
{
    read_ports(w);
    const uint8_t *header = walk_look(w, 14);
    uint32_t size = TCP_HEADER;
    bool is_bad = false;
    if (header != NULL) {
        w->layers->tcp_flags = load_be16(header + 12) & 0x1ff;
        is_bad = header[12] >> 4 < 5;
        if (!is_bad)
            size = (header[12] >> 4) * 4u;
    }
    if (is_bad)
        walk_stop(w, REASON_bad_transport);
    header_done(w, size);
}

static void udp(struct walk *w)
{
    struct layers *l = w->layers;
    uint32_t octets = l->payload_octets;
    read_ports(w);
    const uint8_t *header = walk_look(w, UDP_HEADER);
    if (!header_done(w, UDP_HEADER))
        return;
    uint16_t length = load_be16(header + 4);
    /* 0 is right in jumbograms. A first fragment holds less than the length says. */
    bool is_jumbo = length == 0 && octets > UINT16_MAX;
    if (!is_jumbo && (length < UDP_HEADER || (length > octets && !w->is_cut))) {
        walk_stop(w, REASON_bad_transport);
        return;
    }
    const struct decode_entry *entry = decode_find(DECODE_UDP, l->key.port[1]);
    if (entry == NULL)
        entry = decode_find(DECODE_UDP, l->key.port[0]);
    if (entry != NULL)
        w->next = entry->step;
}

static void udp_lite(struct walk *w)
{
    read_ports(w);
    header_done(w, UDP_HEADER);
}

static void sctp(struct walk *w)
{
    read_ports(w);
    header_done(w, SCTP_HEADER);
}

static void dccp(struct walk *w)
{
    read_ports(w);
    const uint8_t *header = walk_look(w, 5);
    uint32_t size = header != NULL && header[4] * 4u > DCCP_HEADER ? header[4] * 4u : DCCP_HEADER;
    if (header != NULL && header[4] * 4u < DCCP_HEADER)
        walk_stop(w, REASON_bad_transport);
    header_done(w, size);
}

static void icmp(struct walk *w)
{
    const uint8_t *type = walk_look(w, 2);
    if (type != NULL) {
        w->layers->key.port[1] = load_be16(type);
        w->layers->flags |= PACKET_PORTS;
    }
    header_done(w, ICMP_HEADER);
}

const struct decoder transport_decoder = {
    .name = "transport",
    .help = "TCP, UDP, UDP-Lite, ICMP, ICMPv6, SCTP, DCCP",
    .entry[DECODE_IP] =
        (const struct decode_entry[]){
            { PROTO_TCP, "TCP", tcp },
            { PROTO_UDP, "UDP", udp },
            { 1, "ICMP", icmp },
            { 58, "ICMPv6", icmp },
            { 132, "SCTP", sctp },
            { 136, "UDP-Lite", udp_lite },
            { 33, "DCCP", dccp },
            { 0 },
        },
};
