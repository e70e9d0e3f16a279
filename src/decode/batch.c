/*
 * decode_batch: the common cases in one straight pass, everything else by decode_packet.
 *
 * Common is: Ethernet with no or one VLAN tag, IPv4 without options or IPv6 without extension
 * headers, not a fragment, TCP or UDP with the whole header there and lengths that agree, no tunnel
 * port. What changes from packet to packet (version, tag, TCP or UDP) is computed or looked up, not
 * branched on; branches are only for what is nearly always so. A packet has one of four shapes; the
 * layers begin as those of the shape, and the packet's own values are written over them. The
 * results are those of decode_packet, octet for octet; the tests compare them.
 */
#include <assert.h>
#include <string.h>

#include "decode/walk.h"

enum { PREFETCH_AHEAD = 8, UDP_PORTS_MAX = 8, LINK_ETHERNET = 1, MAC_HEADER = 14, TAG = 4 };
enum { IPV4_HEADER = 20, IPV6_HEADER = 40, UDP_HEADER = 8, TCP_HEADER = 20, TCP_FIXED = 14 };

/*
 * Packets of one shape. `head` is the first eight octets of the IP header as a number; shifts bring
 * parts of it to the lower end, and offsets count from the IP header.
 */
struct shape {
    struct layers layers; /* what all of them have in common */
    uint8_t address_mask[16];
    uint64_t head, head_mask; /* version, header size, no fragment */
    uint32_t octets_min;      /* captured, up to what is read of the transport header */
    uint32_t length_more;     /* what the length in the header leaves out */
    uint8_t header;           /* octets of it */
    uint8_t length_shift, tos_shift;
    uint8_t proto_at, ttl_at, from_at, to_at;
};

#define SHAPE(tags, ip_version, type)                                                              \
    .layers = { .key = { .version = (ip_version) },                                                \
                .l3 = MAC_HEADER + TAG * (tags),                                                   \
                .l4 = MAC_HEADER + TAG * (tags) + IPV##ip_version##_HEADER,                        \
                .ethertype = (type),                                                               \
                .flags = PACKET_PORTS,                                                             \
                .vlan_count = (tags) },                                                            \
    .octets_min = MAC_HEADER + TAG * (tags) + IPV##ip_version##_HEADER + TCP_FIXED,                \
    .header = IPV##ip_version##_HEADER
#define SHAPE_IPV4(tags)                                                                           \
    {                                                                                              \
        SHAPE(tags, 4, ETHERTYPE_IPV4),                                                            \
            .address_mask = { 0xff, 0xff, 0xff, 0xff }, .head = UINT64_C(0x45) << 56,              \
            .head_mask = UINT64_C(0xff) << 56 | 0x3fff, .length_shift = 32, .tos_shift = 48,       \
            .proto_at = 9, .ttl_at = 8, .from_at = 12, .to_at = 16,                                \
    }
#define SHAPE_IPV6(tags)                                                                           \
    {                                                                                              \
        SHAPE(tags, 6, ETHERTYPE_IPV6),                                                            \
            .address_mask = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,                      \
                              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },                    \
            .head = UINT64_C(6) << 60, .head_mask = UINT64_C(0xf) << 60, .length_shift = 16,       \
            .length_more = IPV6_HEADER, .tos_shift = 52, .proto_at = 6, .ttl_at = 7, .from_at = 8, \
            .to_at = 24,                                                                           \
    }
/* By version (IPv6 or not) and tag. */
static const struct shape shapes[2][2] = { { SHAPE_IPV4(0), SHAPE_IPV4(1) },
                                           { SHAPE_IPV6(0), SHAPE_IPV6(1) } };

typedef uint64_t octets_vector __attribute__((vector_size(16)));
typedef uint32_t pairs_vector __attribute__((vector_size(16)));
typedef uint16_t ports_vector __attribute__((vector_size(16)));

/* Ports of tunnels as they are in packets, each twice: compared with both ports at once. */
struct tunnels {
    ports_vector port[2];
};

static struct tunnels find_tunnels(void)
{
    uint16_t number[UDP_PORTS_MAX];
    uint8_t octets[UDP_PORTS_MAX][2][2];
    struct tunnels tunnels;
    _Static_assert(sizeof octets == sizeof tunnels, "two vectors");
    decode_numbers(DECODE_UDP, number, UDP_PORTS_MAX);
    for (unsigned i = 0; i < UDP_PORTS_MAX; i++) {
        octets[i][0][0] = octets[i][1][0] = (uint8_t)(number[i] >> 8);
        octets[i][0][1] = octets[i][1][1] = (uint8_t)number[i];
    }
    memcpy(&tunnels, octets, sizeof tunnels);
    return tunnels;
}

static inline bool is_tunnel(const uint8_t *ports, const struct tunnels *tunnels)
{
    uint32_t both;
    memcpy(&both, ports, sizeof both);
    ports_vector pairs = (ports_vector)(pairs_vector){ both, both, both, both };
    octets_vector hit = (octets_vector)((tunnels->port[0] == pairs) | (tunnels->port[1] == pairs));
    return (hit[0] | hit[1]) != 0;
}

/* The compiler makes branches of choices where it thinks that cheaper; not of what it knows nothing
 * of. */
static inline uint32_t opaque(uint32_t value)
{
    __asm__("" : "+r"(value));
    return value;
}

static inline void put_address(uint8_t to[16], const uint8_t *from, octets_vector mask)
{
    octets_vector octets;
    memcpy(&octets, from, sizeof octets);
    octets &= mask;
    memcpy(to, &octets, sizeof octets);
}

/*
 * False: something about the packet is not common, and the layers are not to be used. Values are
 * written as they become known, before all checks are done, so that few are alive at a time.
 */
__attribute__((always_inline)) static inline bool
read_common(const struct packet *p, const struct tunnels *tunnels, struct layers *l)
{
    const uint8_t *data = p->data;
    const uint32_t caplen = p->caplen, wirelen = p->wirelen;
    if (p->link != LINK_ETHERNET || caplen < MAC_HEADER + IPV4_HEADER + TCP_FIXED)
        return false;
    /* Loads are wide and fields are cut out of them: a swap of two octets costs more than shifts.
     */
    uint32_t tag = load_be32(data + 12), has_tag = opaque(tag >> 16 == 0x8100);
    const uint8_t *ip = data + MAC_HEADER + TAG * has_tag;
    uint32_t type = (uint16_t)load_be32(ip - 4), is_v6 = opaque(type == ETHERTYPE_IPV6);
    const struct shape *s = &shapes[is_v6][has_tag];
    if (caplen < s->octets_min)
        return false;
    memcpy(&l->hash, &s->layers.hash, sizeof *l - offsetof(struct layers, hash));
    l->key.version = s->layers.key.version;
    l->key.tunnel = TUNNEL_NONE;
    l->key.interface = p->interface;
    l->key.vlan = l->vlan = (uint16_t)(((tag & 0x0fff) + 1) & (0 - has_tag));
    l->link_octets = wirelen - MAC_HEADER;
    l->flags = (uint8_t)(PACKET_PORTS | (caplen < wirelen ? PACKET_SNAPPED : 0));

    octets_vector address_mask;
    memcpy(&address_mask, s->address_mask, sizeof address_mask);
    put_address(l->key.address[0], ip + s->from_at, address_mask);
    put_address(l->key.address[1], ip + s->to_at, address_mask);
    uint64_t head = load_be64(ip);
    uint64_t wrong = ((head ^ s->head) & s->head_mask) | (type ^ s->layers.ethertype);
    uint32_t octets = l->ip_octets = (uint16_t)(head >> s->length_shift) + s->length_more;
    uint8_t proto = l->key.proto = ip[s->proto_at];
    l->tos = (uint8_t)(head >> s->tos_shift);
    l->ttl = ip[s->ttl_at];

    const uint8_t *transport = ip + s->header;
    uint64_t ports = load_be64(transport); /* and in UDP its length */
    l->key.port[0] = (uint16_t)(ports >> 48);
    l->key.port[1] = (uint16_t)(ports >> 32);
    uint32_t if_tcp = opaque(0 - (uint32_t)(proto == PROTO_TCP)), is_udp = proto == PROTO_UDP;
    wrong |= !((if_tcp & 1) | (is_udp & !is_tunnel(transport, tunnels)));
    uint32_t tcp_word = load_be32(transport + 10) & if_tcp; /* data offset and flags */
    l->tcp_flags = (uint16_t)(tcp_word & 0x1ff);
    /* A TCP header tells its size; a UDP header tells the size with what follows. */
    uint32_t udp_told = (uint16_t)(ports >> 16) & ~if_tcp;
    uint32_t size = (tcp_word >> 10 & 0x3c) + (UDP_HEADER & ~if_tcp);
    uint32_t told = udp_told + (size & if_tcp);
    uint32_t told_min = UDP_HEADER + ((TCP_HEADER - UDP_HEADER) & if_tcp);
    uint32_t ip_payload = octets - s->header, payload = s->layers.l4 + size;
    l->payload_octets = ip_payload - size;
    l->payload = (uint16_t)payload;
    /* Below zero if something does not fit. */
    uint32_t spare =
        (told - told_min) | (ip_payload - told) | (caplen - payload) | (wirelen - MAC_HEADER);
    return wrong == 0 && (int32_t)spare >= 0;
}

void decode_batch(struct packet_batch *batch, const struct decode_options *options)
{
    assert(batch->count <= BATCH_MAX);
    const struct tunnels tunnels = find_tunnels();
    const struct packet_ahead ahead = batch->ahead;
    for (unsigned i = 0; i < batch->count; i++) {
        const struct packet *p = &batch->pkt[i];
        if (i + PREFETCH_AHEAD < batch->count)
            __builtin_prefetch(p[PREFETCH_AHEAD].data);
        packet_fetch_ahead(&ahead, i);
        if (!read_common(p, &tunnels, &batch->layer[i]))
            decode_packet(p, options, &batch->layer[i]);
    }
}
