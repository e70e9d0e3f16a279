/* What machines say without being asked: ARP, neighbour discovery, DHCP, pings, group reports,
 * time, system messages; and calls. */
#include "demo/office.h"

#define PROTO_ICMP    1
#define PROTO_IGMP    2
#define PROTO_ICMP6   58
#define ETHERTYPE_ARP 0x0806
#define PREFIX_OCTETS 64
#define NTP_EPOCH     INT64_C(2208988800) /* seconds from 1900 to 1970 */
#define VOICE_STEP_NS (20 * NS_PER_MS)
#define VOICE_OCTETS  160

enum { DHCP_SERVER = 67, DHCP_CLIENT = 68, NTP = 123, SYSLOG = 514, VOICE = 16384 };

static const struct party everybody = { .mac = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
                                        .ip4 = { 255, 255, 255, 255 } };
static const struct party all_nodes = { .mac = { 0x33, 0x33, 0, 0, 0, 1 },
                                        .ip6 = { 0xff, 0x02, [15] = 1 } };

static int64_t answer_time(struct office *o, const struct party *to)
{
    return to->distance_ns + dice_between(&o->dice, 20, 120) * NS_PER_US;
}

void demo_arp(struct office *o, const struct party *asks, const struct party *about,
              int64_t time_ns)
{
    struct draft *m = &o->draft;
    for (unsigned op = 1; op <= 2; op++) {
        const struct party *from = op == 1 ? asks : about, *to = op == 1 ? about : asks;
        m->size = 0;
        draft_put(m, (const uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, (uint8_t)op }, 8);
        draft_put(m, from->mac, 6);
        draft_put(m, from->ip4, 4);
        if (op == 1)
            draft_fill(m, 0, 6);
        else
            draft_put(m, to->mac, 6);
        draft_put(m, to->ip4, 4);
        demo_put_frame(o, time_ns, from, op == 1 ? &everybody : to, ETHERTYPE_ARP, draft_view(m));
        time_ns += answer_time(o, about);
    }
}

static void put_icmp6(struct office *o, int64_t time_ns, const struct party *from,
                      const struct party *to)
{
    struct route r = { from, to, 6, 255, false };
    demo_put_ip(o, time_ns, &r, PROTO_ICMP6, o->draft.octet, o->draft.size, 2);
}

static void put_link_address(struct draft *m, unsigned option, const struct party *p)
{
    draft_u8(m, option);
    draft_u8(m, 1);
    draft_put(m, p->mac, 6);
}

void demo_neighbour(struct office *o, const struct party *asks, const struct party *about,
                    int64_t time_ns)
{
    struct draft *m = &o->draft;
    /* The question goes to the solicited-node group of the address, RFC 4291 section 2.7.1. */
    const uint8_t *a = about->ip6;
    const struct party group = { .mac = { 0x33, 0x33, 0xff, a[13], a[14], a[15] },
                                 .ip6 = { 0xff, 0x02, [11] = 1, [12] = 0xff, a[13], a[14],
                                          a[15] } };
    m->size = 0;
    draft_u32(m, 135U << 24);
    draft_u32(m, 0);
    draft_put(m, about->ip6, 16);
    put_link_address(m, 1, asks);
    put_icmp6(o, time_ns, asks, &group);

    m->size = 0;
    draft_u32(m, 136U << 24);
    draft_u32(m, 3U << 29); /* solicited, override */
    draft_put(m, about->ip6, 16);
    put_link_address(m, 2, about);
    put_icmp6(o, time_ns + answer_time(o, about), about, asks);
}

void demo_router_advertisement(struct office *o, int64_t time_ns)
{
    struct draft *m = &o->draft;
    struct party router = o->gateway;
    demo_ip6(router.ip6, 0, 1);
    memcpy(router.ip6, (const uint8_t[]){ 0xfe, 0x80, 0, 0 }, 4);
    m->size = 0;
    draft_u32(m, 134U << 24);
    draft_put(m, (const uint8_t[]){ 64, 0, 0x07, 0x08 }, 4); /* hop limit 64, router for 1800 s */
    draft_fill(m, 0, 8);
    put_link_address(m, 1, &router);
    draft_put(m, (const uint8_t[]){ 3, 4, PREFIX_OCTETS, 0xc0 }, 4);
    draft_u32(m, 86400);
    draft_u32(m, 14400);
    draft_u32(m, 0);
    draft_put(m, o->gateway.ip6, 8);
    draft_fill(m, 0, 8);
    put_icmp6(o, time_ns, &router, &all_nodes);
}

/* Message types, RFC 2132 section 9.6. */
enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACKNOWLEDGE = 5 };

static void put_dhcp(struct office *o, struct host *h, unsigned message, uint32_t transaction)
{
    struct draft *m = &o->draft;
    const struct party *server = h->kind == HOST_GUEST ? &o->guest_gateway : &o->gateway;
    bool is_answer = message == OFFER || message == ACKNOWLEDGE;
    m->size = 0;
    draft_put(m, (const uint8_t[]){ is_answer ? 2 : 1, 1, 6, 0 }, 4);
    draft_u32(m, transaction);
    draft_fill(m, 0, 8); /* seconds, flags, present address */
    if (is_answer)
        draft_put(m, h->party.ip4, 4);
    else
        draft_fill(m, 0, 4);
    draft_fill(m, 0, 8);
    draft_put(m, h->party.mac, 6);
    draft_fill(m, 0, 10 + 64 + 128);
    draft_put(m, (const uint8_t[]){ 0x63, 0x82, 0x53, 0x63, 53, 1, (uint8_t)message }, 7);
    if (message == REQUEST) {
        draft_put(m, (const uint8_t[]){ 50, 4 }, 2);
        draft_put(m, h->party.ip4, 4);
    }
    if (message != DISCOVER) {
        draft_put(m, (const uint8_t[]){ 54, 4 }, 2);
        draft_put(m, server->ip4, 4);
    }
    if (is_answer) {
        draft_put(m, (const uint8_t[]){ 51, 4, 0, 0, 0x70, 0x80, 1, 4, 255, 255, 255, 0, 3, 4 },
                  14); /* 8 hours, mask, router */
        draft_put(m, server->ip4, 4);
        draft_put(m, (const uint8_t[]){ 6, 4 }, 2);
        draft_put(m, server->ip4, 4);
    } else {
        draft_put(m, (const uint8_t[]){ 55, 3, 1, 3, 6, 12 }, 6);
        size_t at = draft_open(m, 1);
        draft_text(m, h->name);
        draft_close(m, at, 1);
    }
    draft_u8(m, 255);
    if (m->size < 300)
        draft_fill(m, 0, 300 - m->size);
}

void demo_dhcp(struct office *o, struct host *h, int64_t time_ns)
{
    const struct party *server = h->kind == HOST_GUEST ? &o->guest_gateway : &o->gateway;
    struct party newcomer = h->party;
    memset(newcomer.ip4, 0, sizeof newcomer.ip4);
    uint32_t transaction = (uint32_t)dice_u64(&o->dice);
    static const unsigned messages[4] = { DISCOVER, OFFER, REQUEST, ACKNOWLEDGE };
    for (unsigned i = 0; i < 4; i++) {
        bool is_answer = i % 2 == 1;
        put_dhcp(o, h, messages[i], transaction);
        if (is_answer)
            demo_udp(o, time_ns, server, &h->party, 4, DHCP_SERVER, DHCP_CLIENT, &o->draft);
        else
            demo_udp(o, time_ns, &newcomer, &everybody, 4, DHCP_CLIENT, DHCP_SERVER, &o->draft);
        time_ns += dice_between(&o->dice, 1, 30) * NS_PER_MS;
    }
}

void demo_ping(struct office *o, const struct party *from, const struct party *to, unsigned version,
               int64_t time_ns, unsigned count, size_t octets)
{
    struct draft *m = &o->draft;
    unsigned id = dice_between(&o->dice, 1, 65535);
    const unsigned types[2] = { version == 4 ? 8 : 128,
                                version == 4 ? 0 : 129 }; /* question, answer */
    for (unsigned i = 0; i < count; i++, time_ns += NS_PER_S) {
        int64_t answer_ns = time_ns + answer_time(o, to);
        for (unsigned k = 0; k < 2; k++) {
            m->size = 0;
            draft_u32(m, types[k] << 24);
            draft_u16(m, id);
            draft_u16(m, i + 1);
            for (unsigned octet = 0; octet < octets; octet++)
                draft_u8(m, octet);
            struct route r = { k == 0 ? from : to, k == 0 ? to : from, version, 0, false };
            demo_put_ip(o, k == 0 ? time_ns : answer_ns, &r,
                        version == 4 ? PROTO_ICMP : PROTO_ICMP6, m->octet, m->size, 2);
        }
    }
}

void demo_unreachable(struct office *o, const struct party *from, const struct party *to,
                      int64_t time_ns)
{
    struct draft *m = &o->draft;
    struct route there = { from, to, 4, 0, false }, back = { &o->gateway, from, 4, 0, false };
    static const uint8_t datagram[] = {
        0x9c, 0x40, 0x04, 0x00, 0, 12, 0, 0, 'a', 'n', 'y', '?'
    }; /* UDP 40000 to 1024, no checksum */
    uint8_t copy[sizeof datagram];
    memcpy(copy, datagram, sizeof copy);
    unsigned id = o->next_ip_id;
    demo_put_ip(o, time_ns, &there, 17, copy, sizeof copy, 6);
    m->size = 0;
    draft_u32(m, 3U << 24 | 1U << 16);
    draft_u32(m, 0);
    m->size += demo_put_ip4_header(m->octet + m->size, &there, 17, sizeof copy, id, 0);
    draft_put(m, copy, sizeof copy);
    demo_put_ip(o, time_ns + 3 * NS_PER_S, &back, PROTO_ICMP, m->octet, m->size, 2);
}

void demo_igmp_report(struct office *o, const struct party *from, int64_t time_ns)
{
    const struct party group = { .mac = { 0x01, 0x00, 0x5e, 0, 0, 0xfb },
                                 .ip4 = { 224, 0, 0, 251 } };
    uint8_t report[8] = { 0x16, 0, 0, 0, 224, 0, 0, 251 };
    const struct route r = { from, &group, 4, 1, true };
    demo_put_ip(o, time_ns, &r, PROTO_IGMP, report, sizeof report, 2);
}

static void put_ntp_time(struct draft *m, int64_t time_ns)
{
    draft_u32(m, (uint32_t)(time_ns / NS_PER_S + NTP_EPOCH));
    draft_u32(m, (uint32_t)(((uint64_t)(time_ns % NS_PER_S) << 32) / (uint64_t)NS_PER_S));
}

void demo_ntp(struct office *o, const struct party *from, const struct party *server,
              unsigned version, uint16_t port, int64_t time_ns)
{
    struct draft *m = &o->draft;
    m->size = 0;
    draft_put(m, (const uint8_t[]){ 0x23, 0, 10, 0xec }, 4);
    draft_fill(m, 0, 36);
    put_ntp_time(m, time_ns);
    demo_udp(o, time_ns, from, server, version, port, NTP, m);

    int64_t answer_ns = time_ns + answer_time(o, server), there_ns = (time_ns + answer_ns) / 2;
    m->size = 0;
    draft_put(
        m, (const uint8_t[]){ 0x24, 2, 10, 0xe9, 0, 0, 0x03, 0x10, 0, 0, 0x01, 0x40, 192, 0, 2, 1 },
        16);
    put_ntp_time(m, there_ns - 400 * NS_PER_S);
    put_ntp_time(m, time_ns);
    put_ntp_time(m, there_ns);
    put_ntp_time(m, there_ns + 20 * NS_PER_US);
    demo_udp(o, answer_ns, server, from, version, NTP, port, m);
}

void demo_syslog(struct office *o, const struct party *from, const char *name, const char *message,
                 int64_t time_ns)
{
    struct draft *m = &o->draft;
    struct text stamp = { 0 };
    text_rfc3339(&stamp, time_ns, 3);
    m->size = 0;
    draft_text(m, "<134>1 ");
    draft_text(m, stamp.is_bad ? "-" : stamp.data);
    draft_u8(m, ' ');
    draft_text(m, name);
    draft_text(m, " kernel - - - ");
    draft_text(m, message);
    demo_udp(o, time_ns, from, &o->nas, 4, SYSLOG, SYSLOG, m);
    text_fini(&stamp);
}

void demo_voice_call(struct office *o, struct host *h, const struct party *to, int64_t time_ns,
                     unsigned seconds)
{
    struct draft *m = &o->draft;
    const struct party *side[2] = { &h->party, to };
    uint16_t port[2];
    uint32_t source[2];
    for (unsigned k = 0; k < 2; k++) {
        port[k] = (uint16_t)(VOICE + 2 * dice_between(&o->dice, 100, 900));
        source[k] = (uint32_t)dice_u64(&o->dice);
    }
    for (unsigned i = 0; i < seconds * 50; i++)
        for (unsigned k = 0; k < 2; k++) {
            m->size = 0;
            draft_put(m, (const uint8_t[]){ 0x80, i == 0 ? 0x88 : 0x08 },
                      2); /* RTP with A-law, RFC 3551 */
            draft_u16(m, i & 0xffff);
            draft_u32(m, i * VOICE_OCTETS);
            draft_u32(m, source[k]);
            demo_draft_random(m, &o->dice, VOICE_OCTETS);
            int64_t jitter_ns = dice_between(&o->dice, 0, k == 0 ? 300 : 4000) * NS_PER_US;
            demo_udp(o, time_ns + i * VOICE_STEP_NS + k * to->distance_ns / 2 + jitter_ns, side[k],
                     side[1 - k], 4, port[k], port[1 - k], m);
        }
}
