/*
 * What the files of demo share: dice, drafts of messages, hosts, and the queue that puts packets in
 * order of time.
 *
 * A conversation is written in one go, ahead of time: each packet is put into the queue with its
 * own time. The clock of office.c then lets go of everything older than the next conversation can
 * be.
 */
#ifndef WEIR_DEMO_OFFICE_H
#define WEIR_DEMO_OFFICE_H

#include <assert.h>
#include <string.h>

#include "demo/demo.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)
#define MTU       1500
#define DRAFT_MAX 20000 /* longest message: a TLS record of 16 KiB and its header */

/*
 * ---- dice: splitmix64, the same numbers everywhere ----
 * One roll per expression: C leaves the order of operands, arguments and initialisers to the
 * compiler.
 */

struct dice {
    uint64_t state;
};
static inline uint64_t dice_u64(struct dice *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
/* Evenly in [low, high]. */
static inline uint32_t dice_between(struct dice *d, uint32_t low, uint32_t high)
{
    assert(low <= high);
    return low + (uint32_t)((dice_u64(d) >> 32) * ((uint64_t)high - low + 1) >> 32);
}
/* True `share` times in 10000. */
static inline bool dice_share(struct dice *d, uint32_t share)
{
    return dice_between(d, 0, 9999) < share;
}

/* ---- drafts: a message being written ---- */

struct draft {
    size_t size;
    uint8_t octet[DRAFT_MAX];
};
static inline void draft_put(struct draft *m, const void *from, size_t size)
{
    assert(size <= sizeof m->octet - m->size);
    memcpy(m->octet + m->size, from, size);
    m->size += size;
}
static inline void draft_fill(struct draft *m, uint8_t value, size_t count)
{
    assert(count <= sizeof m->octet - m->size);
    memset(m->octet + m->size, value, count);
    m->size += count;
}
static inline void draft_u8(struct draft *m, unsigned value)
{
    draft_put(m, &(uint8_t){ (uint8_t)value }, 1);
}
static inline void draft_u16(struct draft *m, unsigned value)
{
    draft_put(m, (uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}
static inline void draft_u32(struct draft *m, uint32_t value)
{
    draft_u16(m, value >> 16);
    draft_u16(m, value & 0xffff);
}
static inline void draft_text(struct draft *m, const char *text)
{
    draft_put(m, text, strlen(text));
}
/* Leave room for a length of `width` octets, to be set by draft_close. Returns its place. */
static inline size_t draft_open(struct draft *m, unsigned width)
{
    draft_fill(m, 0, width);
    return m->size;
}
/* Set the length before `at` (from draft_open with the same width) to what was added since. */
static inline void draft_close(struct draft *m, size_t at, unsigned width)
{
    size_t size = m->size - at;
    for (unsigned i = 1; i <= width; i++, size >>= 8)
        m->octet[at - i] = (uint8_t)size;
    assert(size == 0);
}
void demo_draft_number(struct draft *m, uint64_t value); /* decimal */
void demo_draft_random(struct draft *m, struct dice *dice, size_t count);
static inline struct bytes draft_view(const struct draft *m)
{
    return (struct bytes){ m->octet, m->size };
}

/* ---- who talks ---- */

/* One end as the capture point, a mirror port of the office switch, sees it. */
struct party {
    uint8_t mac[6];
    uint8_t ip4[4], ip6[16];
    uint8_t ttl;
    uint16_t vlan;       /* 0 = untagged */
    int64_t distance_ns; /* from the capture point to this end and back */
};

/* 2001:db8:NET::LAST. */
static inline void demo_ip6(uint8_t to[16], unsigned net, unsigned last)
{
    memcpy(to,
           (const uint8_t[16]){ 0x20, 0x01, 0x0d, 0xb8, (uint8_t)(net >> 8),
                                (uint8_t)net, [15] = (uint8_t)last },
           16);
}

struct site {
    const char *name;
    uint16_t port;
    uint8_t ip4[4];
    uint16_t ip6_net; /* 2001:db8:NET::HOST; 0 = no IPv6 */
    uint32_t distance_us;
    uint32_t weight; /* of 1000 visits */
    uint32_t answer; /* usual octets of one answer */
};
#define SITE(...) +1
enum {
    SITES = 0
#include "demo/sites.def"
};
#undef SITE
extern const struct site demo_sites[SITES];
/* Places in sites.def that have a part of their own. */
enum {
    SITE_INTRANET,
    SITE_FILES,
    SITE_MAIL,
    SITE_BACKUP,
    SITE_UPDATES,
    SITE_SHELL,
    SITE_TIME,
    SITE_WEB_FIRST
};

enum host_kind { HOST_DESKTOP, HOST_LAPTOP, HOST_GUEST, HOST_KINDS };

struct host {
    struct party party;
    enum host_kind kind;
    char name[16];
    uint16_t next_port;
    unsigned arrives, leaves;      /* minutes of today; equal: away */
    unsigned favourite[3];         /* indexes of sites */
    int64_t known_until_ns[SITES]; /* answers of the name server still remembered */
};

struct queued {
    int64_t time_ns;
    uint64_t order; /* equal times leave in the order they were put */
    uint32_t size;
    uint8_t octet[];
};

struct office {
    struct dice dice;
    int64_t start_ns, end_ns;
    uint16_t next_ip_id;
    struct party gateway, nas, intranet, printer, monitor;
    struct party guest_gateway; /* the same router as the guests see it */
    struct host *host;
    unsigned host_count;
    struct draft draft; /* the message being written; one at a time */
    /* the queue */
    struct queued **heap;
    size_t heap_count, heap_room;
    uint64_t order;
    bool is_out_of_memory;
    struct packet_sink *sink;
    struct packet_batch *batch;
};

/* ---- queue.c ---- */

/* Copy a frame into the queue. Frames after the end of the capture are left out; without memory
 * is_out_of_memory is set. */
void demo_queue_put(struct office *o, int64_t time_ns, const uint8_t *frame, size_t size);
/* Push every packet older than `until_ns` to the sink; 0 or its error. */
int demo_queue_release(struct office *o, int64_t until_ns);
void demo_queue_fini(struct office *o);

/* ---- frame.c: everything from the MAC address to the checksum ---- */

extern const uint8_t demo_broadcast_mac[6];
/* A frame with this type and payload, tagged when either end is in a VLAN. */
void demo_put_frame(struct office *o, int64_t time_ns, const struct party *from,
                    const struct party *to, uint16_t type, struct bytes payload);

struct route {
    const struct party *from, *to;
    unsigned version; /* 4, 6 */
    uint8_t ttl;      /* 0: what the sender uses */
    bool has_alert;   /* router alert option, RFC 2113 */
};
#define NO_CHECKSUM SIZE_MAX
/* The header before `size` octets, with its checksum; `fragment` is the word of flags and offset.
 * Returns its length. */
size_t demo_put_ip4_header(uint8_t *to, const struct route *route, uint8_t proto, size_t size,
                           unsigned id, unsigned fragment);
/* One datagram, in fragments when longer than the MTU. The checksum at octet `checksum_at` of
 * `transport` is set before. */
void demo_put_ip(struct office *o, int64_t time_ns, const struct route *route, uint8_t proto,
                 uint8_t *transport, size_t size, size_t checksum_at);
void demo_put_udp(struct office *o, int64_t time_ns, const struct route *route, uint16_t sport,
                  uint16_t dport, struct bytes payload);
/* The same with ends and version instead of a route. */
static inline void demo_udp(struct office *o, int64_t time_ns, const struct party *from,
                            const struct party *to, unsigned version, uint16_t sport,
                            uint16_t dport, const struct draft *payload)
{
    demo_put_udp(o, time_ns, &(struct route){ from, to, version, 0, false }, sport, dport,
                 draft_view(payload));
}

/* ---- talk.c: a TCP connection ---- */

struct talk {
    struct office *office;
    const struct party *side[2]; /* client, server */
    unsigned version;
    uint16_t port[2];
    int64_t now_ns;          /* time of the last packet, or later after demo_talk_wait */
    uint32_t next[2];        /* sequence number each side sends next */
    uint32_t clock[2];       /* what the timestamp option counts from, ms */
    uint32_t heard[2];       /* the other side's latest timestamp */
    int64_t ack_due_ns[2];   /* this side acknowledges by then; 0 = it owes nothing */
    unsigned last;           /* who sent data last */
    unsigned window, flight; /* segments before a wait; sent since the last wait */
    uint32_t loss; /* segments of 10000 that are lost behind the capture point and sent again */
};
enum { CLIENT, SERVER };

/* Handshake done; now_ns is the time of the client's last packet of it. */
void demo_talk_open(struct talk *t, struct office *o, int64_t time_ns, const struct party *client,
                    const struct party *server, unsigned version, uint16_t sport, uint16_t dport);
void demo_talk_send(struct talk *t, unsigned from, struct bytes data);
static inline void demo_talk_wait(struct talk *t, int64_t ns)
{
    t->now_ns += ns;
}
void demo_talk_close(struct talk *t, unsigned first); /* FIN both ways */
void demo_talk_reset(struct talk *t, unsigned from);
/* A SYN that only wants to know whether the port is open. */
void demo_talk_probe(struct office *o, int64_t time_ns, const struct party *client,
                     const struct party *server, uint16_t sport, uint16_t dport, bool is_open);
/* Nobody there: a SYN repeated without an answer. */
void demo_talk_unanswered(struct office *o, int64_t time_ns, const struct party *client,
                          const struct party *server, uint16_t sport, uint16_t dport);

/* ---- applications over TCP ---- */

void demo_tls_hello(struct talk *t, const char *name); /* up to the point where data may flow */
void demo_tls_data(struct talk *t, unsigned from, size_t octets); /* in records of at most 16 KiB */
void demo_http_get(struct talk *t, const char *host, const char *path, bool is_page, size_t octets);
void demo_print_job(struct talk *t, const char *user, size_t octets);
void demo_ssh_session(struct talk *t, unsigned keystrokes, size_t output_octets);

/* ---- dns.c ---- */

/* Ask for a site's addresses unless they are remembered. Returns when the answer is there. */
int64_t demo_dns_ask(struct office *o, struct host *h, unsigned site, int64_t time_ns);
void demo_dns_mistake(struct office *o, struct host *h,
                      int64_t time_ns); /* a name that does not exist */
void demo_dns_long_answer(struct office *o, struct host *h,
                          int64_t time_ns); /* longer than the MTU: fragments */
void demo_mdns(struct office *o, const struct party *from, int64_t time_ns, bool is_answer);

/* ---- lan.c: what machines say without being asked ---- */

void demo_arp(struct office *o, const struct party *asks, const struct party *about,
              int64_t time_ns);
void demo_neighbour(struct office *o, const struct party *asks, const struct party *about,
                    int64_t time_ns);
void demo_router_advertisement(struct office *o, int64_t time_ns);
void demo_dhcp(struct office *o, struct host *h, int64_t time_ns);
void demo_ping(struct office *o, const struct party *from, const struct party *to, unsigned version,
               int64_t time_ns, unsigned count, size_t octets);
void demo_unreachable(struct office *o, const struct party *from, const struct party *to,
                      int64_t time_ns);
void demo_igmp_report(struct office *o, const struct party *from, int64_t time_ns);
void demo_ntp(struct office *o, const struct party *from, const struct party *server,
              unsigned version, uint16_t port, int64_t time_ns);
void demo_syslog(struct office *o, const struct party *from, const char *name, const char *message,
                 int64_t time_ns);
void demo_voice_call(struct office *o, struct host *h, const struct party *to, int64_t time_ns,
                     unsigned seconds);

#endif
