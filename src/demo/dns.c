/* Names: questions to the office's name server, RFC 1035, and mDNS of printers and laptops, RFC
 * 6762. */
#include "demo/office.h"

#define PORT_DNS      53
#define PORT_MDNS     5353
#define REMEMBERED_NS (240 * NS_PER_S)

enum { TYPE_A = 1, TYPE_SOA = 6, TYPE_PTR = 12, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_OPT = 41 };
enum { ASKED = 0x0100, ANSWERED = 0x8180, ANSWERED_NO_SUCH_NAME = 0x8183 };

static void put_name(struct draft *m, const char *name)
{
    while (*name != 0) {
        size_t size = strcspn(name, ".");
        draft_u8(m, (unsigned)size);
        draft_put(m, name, size);
        name += size + (name[size] == '.');
    }
    draft_u8(m, 0);
}

static void put_head(struct draft *m, unsigned id, unsigned flags, unsigned questions,
                     unsigned answers, unsigned authorities, unsigned additional)
{
    m->size = 0;
    const unsigned words[6] = { id, flags, questions, answers, authorities, additional };
    for (unsigned i = 0; i < 6; i++)
        draft_u16(m, words[i]);
}

static void put_question(struct draft *m, const char *name, unsigned type)
{
    put_name(m, name);
    draft_u16(m, type);
    draft_u16(m, 1);
}

/* A record about the name of the question; the caller adds its data and closes the length. */
static size_t open_record(struct draft *m, unsigned type, uint32_t ttl)
{
    draft_u16(m, 0xc00c); /* the name at octet 12 */
    draft_u16(m, type);
    draft_u16(m, 1);
    draft_u32(m, ttl);
    return draft_open(m, 2);
}

static void put_soa(struct draft *m)
{
    size_t at = open_record(m, TYPE_SOA, 900);
    put_name(m, "ns.example");
    put_name(m, "hostmaster.example");
    const uint32_t words[5] = { 2026010501, 7200, 900, 1209600, 900 };
    for (unsigned i = 0; i < 5; i++)
        draft_u32(m, words[i]);
    draft_close(m, at, 2);
}

/* EDNS with room for `octets`, RFC 6891. */
static void put_edns(struct draft *m, unsigned octets)
{
    draft_u8(m, 0);
    draft_u16(m, TYPE_OPT);
    draft_u16(m, octets);
    draft_u32(m, 0);
    draft_u16(m, 0);
}

static void put_ip6(struct draft *m, const struct site *s)
{
    uint8_t address[16];
    demo_ip6(address, s->ip6_net, s->ip4[3]);
    draft_put(m, address, sizeof address);
}

struct inquiry {
    const struct party *asks, *server;
    unsigned version;
    uint16_t port;
    unsigned id;
};

static struct inquiry inquire(struct office *o, struct host *h)
{
    struct inquiry q = {
        .asks = &h->party,
        .server = h->kind == HOST_GUEST ? &o->guest_gateway : &o->gateway,
        .version = h->kind == HOST_LAPTOP ? 6 : 4,
    };
    q.port = (uint16_t)dice_between(&o->dice, 32768, 60999);
    q.id = dice_between(&o->dice, 0, 65535);
    return q;
}

/* Question and answer; the answer's draft is written by the caller between the two. */
static int64_t ask(struct office *o, const struct inquiry *q, const char *name, unsigned type,
                   int64_t time_ns)
{
    struct draft *m = &o->draft;
    put_head(m, q->id, ASKED, 1, 0, 0, 1);
    put_question(m, name, type);
    put_edns(m, 1232);
    demo_udp(o, time_ns, q->asks, q->server, q->version, q->port, PORT_DNS, m);
    /* One name in four is not in the server's memory: it has to ask itself. */
    bool is_remembered = dice_share(&o->dice, 7500);
    return time_ns + (is_remembered ? dice_between(&o->dice, 150, 600)
                                    : dice_between(&o->dice, 8000, 60000)) *
                         NS_PER_US;
}

static void answer(struct office *o, const struct inquiry *q, int64_t time_ns)
{
    demo_udp(o, time_ns, q->server, q->asks, q->version, PORT_DNS, q->port, &o->draft);
}

int64_t demo_dns_ask(struct office *o, struct host *h, unsigned site, int64_t time_ns)
{
    const struct site *s = &demo_sites[site];
    struct draft *m = &o->draft;
    if (h->known_until_ns[site] > time_ns)
        return time_ns;
    h->known_until_ns[site] = time_ns + REMEMBERED_NS;

    int64_t last_ns = time_ns;
    for (unsigned i = 0; i < 2; i++) {
        unsigned type = i == 0 ? TYPE_A : TYPE_AAAA;
        bool is_there = type == TYPE_A || s->ip6_net > 0;
        struct inquiry q = inquire(o, h);
        int64_t answer_ns = ask(o, &q, s->name, type, time_ns + i * 90 * NS_PER_US);
        put_head(m, q.id, ANSWERED, 1, is_there, !is_there, 1);
        put_question(m, s->name, type);
        if (is_there) {
            size_t at = open_record(m, type, (uint32_t)(REMEMBERED_NS / NS_PER_S));
            if (type == TYPE_A)
                draft_put(m, s->ip4, 4);
            else
                put_ip6(m, s);
            draft_close(m, at, 2);
        } else {
            put_soa(m);
        }
        put_edns(m, 1232);
        answer(o, &q, answer_ns);
        if (answer_ns > last_ns)
            last_ns = answer_ns;
    }
    return last_ns + dice_between(&o->dice, 100, 900) * NS_PER_US;
}

void demo_dns_mistake(struct office *o, struct host *h, int64_t time_ns)
{
    static const char *const names[] = { "wpad.office.example", "prnter.office.example",
                                         "old-server.office.example", "wwww.search.example" };
    const char *name = names[dice_between(&o->dice, 0, sizeof names / sizeof *names - 1)];
    struct draft *m = &o->draft;
    struct inquiry q = inquire(o, h);
    int64_t answer_ns = ask(o, &q, name, TYPE_A, time_ns);
    put_head(m, q.id, ANSWERED_NO_SUCH_NAME, 1, 0, 1, 1);
    put_question(m, name, TYPE_A);
    put_soa(m);
    put_edns(m, 1232);
    answer(o, &q, answer_ns);
}

void demo_dns_long_answer(struct office *o, struct host *h, int64_t time_ns)
{
    struct draft *m = &o->draft;
    struct inquiry q = inquire(o, h);
    int64_t answer_ns = ask(o, &q, "spf.mail.example", TYPE_TXT, time_ns);
    put_head(m, q.id, ANSWERED, 1, 9, 0, 1);
    put_question(m, "spf.mail.example", TYPE_TXT);
    for (unsigned i = 0; i < 9; i++) {
        size_t at = open_record(m, TYPE_TXT, 3600);
        size_t text = draft_open(m, 1);
        draft_text(m, "v=spf1");
        for (unsigned k = 0; k < 9; k++) {
            draft_text(m, " ip4:198.51.100.");
            demo_draft_number(m, i * 16 + k);
        }
        draft_text(m, " -all");
        draft_close(m, text, 1);
        draft_close(m, at, 2);
    }
    put_edns(m, 4096);
    answer(o, &q, answer_ns);
}

void demo_mdns(struct office *o, const struct party *from, int64_t time_ns, bool is_answer)
{
    static const struct party group4 = { .mac = { 0x01, 0x00, 0x5e, 0, 0, 0xfb },
                                         .ip4 = { 224, 0, 0, 251 } };
    static const struct party group6 = { .mac = { 0x33, 0x33, 0, 0, 0, 0xfb },
                                         .ip6 = { 0xff, 0x02, [15] = 0xfb } };
    struct draft *m = &o->draft;
    if (is_answer) {
        put_head(m, 0, 0x8400, 0, 1, 0, 0);
        put_name(m, "_ipp._tcp.local");
        draft_u16(m, TYPE_PTR);
        draft_u16(m, 1);
        draft_u32(m, 4500);
        size_t at = draft_open(m, 2);
        put_name(m, "Corridor printer._ipp._tcp.local");
        draft_close(m, at, 2);
    } else {
        put_head(m, 0, 0, 1, 0, 0, 0);
        put_question(m, "_ipp._tcp.local", TYPE_PTR);
    }
    const struct route over4 = { from, &group4, 4, 255, false },
                       over6 = { from, &group6, 6, 255, false };
    demo_put_udp(o, time_ns, &over4, PORT_MDNS, PORT_MDNS, draft_view(m));
    demo_put_udp(o, time_ns + 40 * NS_PER_US, &over6, PORT_MDNS, PORT_MDNS, draft_view(m));
}
