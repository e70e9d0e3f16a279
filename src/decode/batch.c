/*
 * decode_batch: the common cases in straight passes, everything else by decode_packet.
 *
 * Common is: Ethernet with no or one VLAN tag, IPv4 without options or IPv6 without extension
 * headers, not a fragment, TCP or UDP with the whole header there and lengths that agree, no tunnel
 * port. The first pass sorts the packets of the batch by IP version, the next ones read IPv4 and
 * IPv6. What changes from packet to packet (version, tag, TCP or UDP) is computed, not branched on;
 * branches are only for what is nearly always so. The results are those of decode_packet, octet for
 * octet; the tests compare them.
 */
#include <assert.h>
#include <string.h>

#include "decode/walk.h"

enum { PREFETCH_AHEAD = 8, UDP_PORTS_MAX = 8, LINK_ETHERNET = 1, MAC_HEADER = 14, TAG = 4 };
enum { IPV4_HEADER = 20, IPV6_HEADER = 40, UDP_HEADER = 8, TCP_HEADER = 20, TCP_FIXED = 14 };

typedef uint16_t ports_vector __attribute__((vector_size(2 * UDP_PORTS_MAX)));
typedef uint64_t words_vector __attribute__((vector_size(2 * UDP_PORTS_MAX)));

/* Packets of one kind: place in the batch, and offset of the IP header << 8. */
struct sorted {
    unsigned count;
    uint16_t entry[BATCH_MAX];
};

/* The compiler makes branches of choices where it thinks that cheaper; not of what it knows nothing
 * of. */
static inline uint32_t opaque(uint32_t value)
{
    __asm__("" : "+r"(value));
    return value;
}

/* Put every packet on one of three lists. */
static void sort_batch(const struct packet_batch *batch, struct sorted *v4, struct sorted *v6,
                       struct sorted *other)
{
    unsigned v4_count = 0, v6_count = 0, other_count = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        const struct packet *p = &batch->pkt[i];
        if (i + PREFETCH_AHEAD < batch->count)
            __builtin_prefetch(p[PREFETCH_AHEAD].data);
        uint32_t is_v4 = 0, is_v6 = 0, l3 = 0;
        if (p->link == LINK_ETHERNET && p->caplen >= MAC_HEADER + TAG + IPV4_HEADER) {
            l3 = MAC_HEADER + TAG * opaque(load_be16(p->data + 12) == 0x8100);
            uint16_t type = load_be16(p->data + l3 - 2);
            uint8_t first = p->data[l3];
            is_v4 = (type == ETHERTYPE_IPV4) & (first == 0x45);
            is_v6 = (type == ETHERTYPE_IPV6) & (first >> 4 == 6);
        }
        uint16_t entry = (uint16_t)(l3 << 8 | i);
        v4->entry[v4_count] = v6->entry[v6_count] = other->entry[other_count] = entry;
        v4_count += is_v4;
        v6_count += is_v6;
        other_count += !(is_v4 | is_v6);
    }
    v4->count = v4_count;
    v6->count = v6_count;
    other->count = other_count;
}

/* One packet with an IP header without options or extensions at `l3`; false: something about it is
 * not common. */
__attribute__((always_inline)) static inline bool read_common(const struct packet *p, uint32_t l3,
                                                              bool is_v6,
                                                              const ports_vector *tunnels,
                                                              struct layers *l)
{
    const uint32_t header = is_v6 ? IPV6_HEADER : IPV4_HEADER;
    const uint8_t *ip = p->data + l3, *transport = ip + header;
    if (p->caplen < l3 + header + TCP_FIXED)
        return false;
    uint32_t octets = is_v6 ? load_be16(ip + 4) + header : load_be16(ip + 2);
    uint8_t proto = ip[is_v6 ? 6 : 9];
    uint32_t is_tcp = opaque(proto == PROTO_TCP), is_udp = proto == PROTO_UDP;
    uint16_t src = load_be16(transport), dst = load_be16(transport + 2);
    uint32_t tcp_word = load_be16(transport + 12), tcp_header = tcp_word >> 12 << 2;
    uint32_t size = UDP_HEADER + (tcp_header - UDP_HEADER) * is_tcp;
    uint32_t udp_octets = load_be16(transport + 4);
    words_vector hit = (words_vector)((*tunnels == src) | (*tunnels == dst));
    uint32_t is_good = (is_tcp & (tcp_header >= TCP_HEADER)) |
                       (is_udp & (udp_octets >= UDP_HEADER) & (udp_octets + header <= octets) &
                        ((hit[0] | hit[1]) == 0));
    uint32_t payload = l3 + header + size;
    if (!is_good || octets < header + size || p->caplen < payload ||
        (!is_v6 && (load_be16(ip + 6) & 0x3fff) != 0))
        return false;

    uint32_t has_tag = l3 != MAC_HEADER;
    if (is_v6) {
        memcpy(l->key.address, ip + 8, 32);
    } else {
        memset(l->key.address, 0, 32);
        memcpy(l->key.address[0], ip + 12, 4);
        memcpy(l->key.address[1], ip + 16, 4);
    }
    l->key.port[0] = src;
    l->key.port[1] = dst;
    l->key.proto = proto;
    l->key.version = is_v6 ? 6 : 4;
    l->key.vlan = l->vlan =
        (uint16_t)(((load_be16(p->data + MAC_HEADER) & 0x0fffu) + 1) & (0 - has_tag));
    l->key.interface = p->interface;
    l->key.tunnel = TUNNEL_NONE;
    l->hash = 0;
    l->link_octets = p->wirelen > MAC_HEADER ? p->wirelen - MAC_HEADER : 0;
    l->ip_octets = octets;
    l->payload_octets = octets - header - size;
    l->fragment_id = 0;
    l->fragment_offset = l->mac = 0;
    l->verdict = l->tunnel = l->mpls_count = l->is_reversed = 0;
    l->l3 = (uint16_t)l3;
    l->l4 = (uint16_t)(l3 + header);
    l->payload = (uint16_t)payload;
    l->ethertype = is_v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
    l->tcp_flags = (uint16_t)(tcp_word & 0x1ff & (0 - is_tcp));
    l->flags = (uint8_t)(PACKET_PORTS | (p->caplen < p->wirelen ? PACKET_SNAPPED : 0));
    l->ttl = ip[is_v6 ? 7 : 8];
    l->tos = is_v6 ? (uint8_t)(load_be16(ip) >> 4) : ip[1];
    l->vlan_count = (uint8_t)has_tag;
    return true;
}

__attribute__((always_inline)) static inline void
read_sorted(struct packet_batch *batch, const struct sorted *sorted, bool is_v6,
            const ports_vector *tunnels, struct sorted *other)
{
    for (unsigned k = 0; k < sorted->count; k++) {
        uint16_t entry = sorted->entry[k];
        unsigned i = entry & 0xff;
        if (!read_common(&batch->pkt[i], entry >> 8, is_v6, tunnels, &batch->layer[i]))
            other->entry[other->count++] = entry;
    }
}

void decode_batch(struct packet_batch *batch, const struct decode_options *options)
{
    assert(batch->count <= BATCH_MAX);
    struct sorted v4, v6, other;
    uint16_t ports[UDP_PORTS_MAX];
    ports_vector tunnels;
    decode_numbers(DECODE_UDP, ports, UDP_PORTS_MAX);
    memcpy(&tunnels, ports, sizeof tunnels);
    sort_batch(batch, &v4, &v6, &other);
    read_sorted(batch, &v4, false, &tunnels, &other);
    read_sorted(batch, &v6, true, &tunnels, &other);
    for (unsigned k = 0; k < other.count; k++) {
        unsigned i = other.entry[k] & 0xff;
        decode_packet(&batch->pkt[i], options, &batch->layer[i]);
    }
}
