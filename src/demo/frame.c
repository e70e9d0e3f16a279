/* From a message to frames: UDP, IPv4 and IPv6 with fragments, Ethernet with VLAN tag and padding,
 * every checksum. */
#include "demo/office.h"

#define FRAME_MIN          60
#define ETHERTYPE_IP4      0x0800
#define ETHERTYPE_IP6      0x86dd
#define PROTO_UDP          17
#define PROTO_IP6_FRAGMENT 44

const uint8_t demo_broadcast_mac[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

void demo_draft_number(struct draft *m, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    draft_put(m, digits + at, sizeof digits - at);
}

void demo_draft_random(struct draft *m, struct dice *dice, size_t count)
{
    while (count > 0) {
        uint64_t word = dice_u64(dice);
        uint8_t octets[8];
        for (unsigned i = 0; i < 8; i++, word >>= 8)
            octets[i] = (uint8_t)word;
        size_t step = count < 8 ? count : 8;
        draft_put(m, octets, step);
        count -= step;
    }
}

void demo_put_frame(struct office *o, int64_t time_ns, const struct party *from,
                    const struct party *to, uint16_t type, struct bytes payload)
{
    uint8_t frame[18 + MTU];
    size_t size = 12;
    memcpy(frame, to->mac, 6);
    memcpy(frame + 6, from->mac, 6);
    unsigned vlan = from->vlan > 0 ? from->vlan : to->vlan;
    if (vlan > 0) {
        const uint8_t tag[4] = { 0x81, 0x00, (uint8_t)(vlan >> 8), (uint8_t)vlan };
        memcpy(frame + size, tag, 4);
        size += 4;
    }
    frame[size++] = (uint8_t)(type >> 8);
    frame[size++] = (uint8_t)type;
    assert(payload.size <= MTU);
    memcpy(frame + size, payload.data, payload.size);
    size += payload.size;
    if (size < FRAME_MIN) {
        memset(frame + size, 0, FRAME_MIN - size);
        size = FRAME_MIN;
    }
    demo_queue_put(o, time_ns, frame, size);
}

/* Internet checksum, RFC 1071, as a running sum that is folded at the end. */
static uint32_t sum_add(uint32_t sum, const uint8_t *at, size_t size)
{
    for (; size > 1; at += 2, size -= 2)
        sum += load_be16(at);
    return size > 0 ? sum + ((uint32_t)*at << 8) : sum;
}

static uint16_t sum_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void store_be16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void set_checksum(const struct route *r, uint8_t proto, uint8_t *transport, size_t size,
                         size_t at)
{
    bool has_pseudo_header =
        r->version == 6 || proto == 6 || proto == PROTO_UDP; /* not ICMP and IGMP over IPv4 */
    uint32_t sum = 0;
    if (has_pseudo_header) {
        size_t width = r->version == 4 ? 4 : 16;
        sum = sum_add(sum, r->version == 4 ? r->from->ip4 : r->from->ip6, width);
        sum = sum_add(sum, r->version == 4 ? r->to->ip4 : r->to->ip6, width);
        sum += proto + (uint32_t)size;
    }
    store_be16(transport + at, 0);
    uint16_t value = sum_fold(sum_add(sum, transport, size));
    store_be16(transport + at, value == 0 && proto == PROTO_UDP ? 0xffff : value);
}

size_t demo_put_ip4_header(uint8_t *to, const struct route *r, uint8_t proto, size_t size,
                           unsigned id, unsigned fragment)
{
    size_t header = r->has_alert ? 24 : 20;
    memset(to, 0, header);
    to[0] = (uint8_t)(0x40 | header / 4);
    store_be16(to + 2, (unsigned)(header + size));
    store_be16(to + 4, id);
    store_be16(to + 6, fragment);
    to[8] = r->ttl > 0 ? r->ttl : r->from->ttl;
    to[9] = proto;
    memcpy(to + 12, r->from->ip4, 4);
    memcpy(to + 16, r->to->ip4, 4);
    if (r->has_alert)
        memcpy(to + 20, (const uint8_t[]){ 0x94, 4, 0, 0 }, 4);
    store_be16(to + 10, sum_fold(sum_add(0, to, header)));
    return header;
}

/* One IPv4 packet; `offset` in octets. */
static void put_ip4(struct office *o, int64_t time_ns, const struct route *r, uint8_t proto,
                    struct bytes data, unsigned id, size_t offset, bool is_last)
{
    uint8_t packet[MTU];
    bool is_whole = offset == 0 && is_last;
    unsigned fragment =
        is_whole && proto == 6 ? 0x4000 : (unsigned)(offset / 8) | (is_last ? 0 : 0x2000);
    size_t header = demo_put_ip4_header(packet, r, proto, data.size, id, fragment);
    memcpy(packet + header, data.data, data.size);
    demo_put_frame(o, time_ns, r->from, r->to, ETHERTYPE_IP4,
                   (struct bytes){ packet, header + data.size });
}

/* One IPv6 packet, with a fragment header when it is not the whole datagram. */
static void put_ip6(struct office *o, int64_t time_ns, const struct route *r, uint8_t proto,
                    struct bytes data, unsigned id, size_t offset, bool is_last)
{
    uint8_t packet[MTU] = { 0x60 };
    size_t header = 40;
    bool is_whole = offset == 0 && is_last;
    packet[6] = is_whole ? proto : PROTO_IP6_FRAGMENT;
    packet[7] = r->ttl > 0 ? r->ttl : r->from->ttl;
    memcpy(packet + 8, r->from->ip6, 16);
    memcpy(packet + 24, r->to->ip6, 16);
    if (!is_whole) {
        packet[40] = proto;
        store_be16(packet + 42, (unsigned)offset | (is_last ? 0 : 1));
        store_be16(packet + 46, id);
        header += 8;
    }
    store_be16(packet + 4, (unsigned)(header - 40 + data.size));
    memcpy(packet + header, data.data, data.size);
    demo_put_frame(o, time_ns, r->from, r->to, ETHERTYPE_IP6,
                   (struct bytes){ packet, header + data.size });
}

void demo_put_ip(struct office *o, int64_t time_ns, const struct route *r, uint8_t proto,
                 uint8_t *transport, size_t size, size_t checksum_at)
{
    if (checksum_at != NO_CHECKSUM)
        set_checksum(r, proto, transport, size, checksum_at);
    size_t room = r->version == 4 ? MTU - (r->has_alert ? 24 : 20) : MTU - 40;
    if (size > room)
        room = (r->version == 4 ? room : room - 8) & ~(size_t)7;
    unsigned id = o->next_ip_id++;
    for (size_t at = 0; at < size || at == 0; at += room) {
        size_t step = size - at < room ? size - at : room;
        struct bytes piece = { transport + at, step };
        (r->version == 4 ? put_ip4 : put_ip6)(o, time_ns, r, proto, piece, id, at,
                                              at + step == size);
        time_ns += 12 * NS_PER_US; /* 1500 octets at 1 Gbit/s */
    }
}

void demo_put_udp(struct office *o, int64_t time_ns, const struct route *r, uint16_t sport,
                  uint16_t dport, struct bytes payload)
{
    uint8_t datagram[4096];
    assert(payload.size <= sizeof datagram - 8);
    store_be16(datagram, sport);
    store_be16(datagram + 2, dport);
    store_be16(datagram + 4, (unsigned)payload.size + 8);
    memcpy(datagram + 8, payload.data, payload.size);
    demo_put_ip(o, time_ns, r, PROTO_UDP, datagram, payload.size + 8, 6);
}
