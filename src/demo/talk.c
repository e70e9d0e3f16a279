/* A TCP connection as a mirror port sees it: handshake, segments, acknowledgements, losses, both
 * ways to end. */
#include "demo/office.h"

#define PROTO_TCP    6
#define SEGMENT_NS   (12 * NS_PER_US + NS_PER_US / 2) /* 1500 octets at 1 Gbit/s and a little */
#define ACK_DELAY_NS (40 * NS_PER_MS)
#define REPEAT_NS    (200 * NS_PER_MS) /* smallest time before a segment is sent again, as Linux */
#define WINDOW_FIRST 10                /* RFC 6928 */
#define WINDOW_MAX   64

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

static const struct bytes nothing;

static void put_segment(struct talk *t, int64_t time_ns, unsigned from, unsigned flags,
                        uint32_t sequence, struct bytes data)
{
    uint8_t s[MTU] = { 0 };
    unsigned to = 1 - from;
    uint32_t stamp = t->clock[from] + (uint32_t)(time_ns / NS_PER_MS);
    uint32_t echo = flags & ACK ? t->heard[from] : 0;
    uint32_t acknowledged = flags & ACK ? t->next[to] : 0;
    size_t header = flags & SYN ? 40 : flags & RST ? 20 : 32;
    const uint8_t head[16] = {
        (uint8_t)(t->port[from] >> 8), (uint8_t)t->port[from],
        (uint8_t)(t->port[to] >> 8),   (uint8_t)t->port[to],
        (uint8_t)(sequence >> 24),     (uint8_t)(sequence >> 16),
        (uint8_t)(sequence >> 8),      (uint8_t)sequence,
        (uint8_t)(acknowledged >> 24), (uint8_t)(acknowledged >> 16),
        (uint8_t)(acknowledged >> 8),  (uint8_t)acknowledged,
        (uint8_t)(header / 4 << 4),    (uint8_t)flags,
        flags & SYN ? 0xfa : 0x01,     0xf0,
    };
    memcpy(s, head, sizeof head);
    /* timestamps, RFC 7323: at the end of a SYN's options, after two fillers else */
    const uint8_t times[10] = { 8,
                                10,
                                (uint8_t)(stamp >> 24),
                                (uint8_t)(stamp >> 16),
                                (uint8_t)(stamp >> 8),
                                (uint8_t)stamp,
                                (uint8_t)(echo >> 24),
                                (uint8_t)(echo >> 16),
                                (uint8_t)(echo >> 8),
                                (uint8_t)echo };
    if (flags & SYN) {
        unsigned mss = t->version == 4 ? MTU - 40 : MTU - 60;
        memcpy(s + 20, (const uint8_t[]){ 2, 4, (uint8_t)(mss >> 8), (uint8_t)mss, 4, 2 }, 6);
        memcpy(s + 26, times, sizeof times);
        memcpy(s + 36, (const uint8_t[]){ 1, 3, 3, 7 }, 4);
    } else if (!(flags & RST)) {
        s[20] = s[21] = 1;
        memcpy(s + 22, times, sizeof times);
    }
    assert(header + data.size <= sizeof s);
    if (data.size > 0)
        memcpy(s + header, data.data, data.size);
    t->heard[to] = stamp;
    struct route route = { t->side[from], t->side[to], t->version, 0, false };
    demo_put_ip(t->office, time_ns, &route, PROTO_TCP, s, header + data.size, 16);
}

/* How long until this end's answer passes the capture point. */
static int64_t answer_time(struct talk *t, unsigned side)
{
    int64_t distance = t->side[side]->distance_ns;
    return distance + dice_between(&t->office->dice, 0, (uint32_t)(distance / 16));
}

/* A packet that passes now is answered, and the answer answered. The sum of two rolls would depend
 * on the compiler's order. */
static int64_t round_trip(struct talk *t, unsigned from)
{
    int64_t there = answer_time(t, 1 - from);
    return there + answer_time(t, from);
}

static void start(struct talk *t, struct office *o, int64_t time_ns, const struct party *client,
                  const struct party *server, unsigned version, uint16_t sport, uint16_t dport)
{
    *t = (struct talk){ .office = o,
                        .side = { client, server },
                        .version = version,
                        .port = { sport, dport },
                        .now_ns = time_ns,
                        .window = WINDOW_FIRST };
    for (unsigned i = 0; i < 2; i++) {
        t->next[i] = (uint32_t)dice_u64(&o->dice);
        t->clock[i] = (uint32_t)dice_u64(&o->dice);
    }
}

void demo_talk_open(struct talk *t, struct office *o, int64_t time_ns, const struct party *client,
                    const struct party *server, unsigned version, uint16_t sport, uint16_t dport)
{
    start(t, o, time_ns, client, server, version, sport, dport);
    put_segment(t, t->now_ns, CLIENT, SYN, t->next[CLIENT]++, nothing);
    t->now_ns += answer_time(t, SERVER);
    put_segment(t, t->now_ns, SERVER, SYN | ACK, t->next[SERVER]++, nothing);
    t->now_ns += answer_time(t, CLIENT);
    put_segment(t, t->now_ns, CLIENT, ACK, t->next[CLIENT], nothing);
}

/* Send the acknowledgement this side owes, if its time has come before `now_ns`. */
static void acknowledge(struct talk *t, unsigned side, int64_t now_ns)
{
    if (t->ack_due_ns[side] > 0 && t->ack_due_ns[side] <= now_ns)
        put_segment(t, t->ack_due_ns[side], side, ACK, t->next[side], nothing);
    if (t->ack_due_ns[side] <= now_ns)
        t->ack_due_ns[side] = 0;
}

/* The window is full: wait for the first acknowledgement, then send twice as many. */
static void wait_for_window(struct talk *t, unsigned from)
{
    if (++t->flight < t->window)
        return;
    t->now_ns += round_trip(t, from);
    t->flight = 0;
    t->window = 2 * t->window < WINDOW_MAX ? 2 * t->window : WINDOW_MAX;
}

void demo_talk_send(struct talk *t, unsigned from, struct bytes data)
{
    unsigned to = 1 - from, unacknowledged = 0;
    size_t room = (t->version == 4 ? MTU - 20 : MTU - 40) - 32;
    if (t->last != from)
        t->now_ns += answer_time(t, from);
    t->last = from;
    t->flight = 0;
    acknowledge(t, from, t->now_ns);
    acknowledge(t, to, t->now_ns);
    t->ack_due_ns[from] = 0; /* the data says it as well */
    for (size_t at = 0; at < data.size; at += room) {
        bool is_last = data.size - at <= room;
        struct bytes piece = { data.data + at, is_last ? data.size - at : room };
        unsigned flags = is_last ? PSH | ACK : ACK;
        put_segment(t, t->now_ns, from, flags, t->next[from], piece);
        if (t->loss > 0 && dice_share(&t->office->dice, t->loss)) {
            t->now_ns += t->side[to]->distance_ns + t->side[from]->distance_ns + REPEAT_NS;
            put_segment(t, t->now_ns, from, flags, t->next[from], piece);
            t->window = WINDOW_FIRST;
        }
        t->next[from] += (uint32_t)piece.size;
        int64_t heard_ns = t->now_ns + answer_time(t, to);
        if (++unacknowledged % 2 == 0) {
            put_segment(t, heard_ns, to, ACK, t->next[to], nothing);
            t->ack_due_ns[to] = 0;
        } else {
            t->ack_due_ns[to] = heard_ns + ACK_DELAY_NS;
        }
        if (!is_last) {
            wait_for_window(t, from);
            t->now_ns += SEGMENT_NS;
            acknowledge(t, to, t->now_ns);
        }
    }
}

void demo_talk_close(struct talk *t, unsigned first)
{
    unsigned second = 1 - first;
    /* What is under way arrives before the last words. */
    t->now_ns += round_trip(t, first);
    acknowledge(t, first, t->now_ns);
    acknowledge(t, second, t->now_ns);
    t->ack_due_ns[first] = t->ack_due_ns[second] = 0;
    put_segment(t, t->now_ns, first, FIN | ACK, t->next[first], nothing);
    t->next[first]++;
    t->now_ns += answer_time(t, second);
    put_segment(t, t->now_ns, second, FIN | ACK, t->next[second], nothing);
    t->next[second]++;
    t->now_ns += answer_time(t, first);
    put_segment(t, t->now_ns, first, ACK, t->next[first], nothing);
}

void demo_talk_reset(struct talk *t, unsigned from)
{
    t->now_ns += round_trip(t, from);
    acknowledge(t, from, t->now_ns);
    acknowledge(t, 1 - from, t->now_ns);
    put_segment(t, t->now_ns, from, RST | ACK, t->next[from], nothing);
}

void demo_talk_probe(struct office *o, int64_t time_ns, const struct party *client,
                     const struct party *server, uint16_t sport, uint16_t dport, bool is_open)
{
    struct talk t;
    start(&t, o, time_ns, client, server, 4, sport, dport);
    put_segment(&t, t.now_ns, CLIENT, SYN, t.next[CLIENT]++, nothing);
    t.now_ns += answer_time(&t, SERVER);
    if (!is_open) {
        put_segment(&t, t.now_ns, SERVER, RST | ACK, 0, nothing);
        return;
    }
    put_segment(&t, t.now_ns, SERVER, SYN | ACK, t.next[SERVER]++, nothing);
    t.now_ns += answer_time(&t, CLIENT);
    put_segment(&t, t.now_ns, CLIENT, RST, t.next[CLIENT], nothing);
}

void demo_talk_unanswered(struct office *o, int64_t time_ns, const struct party *client,
                          const struct party *server, uint16_t sport, uint16_t dport)
{
    struct talk t;
    start(&t, o, time_ns, client, server, 4, sport, dport);
    for (unsigned seconds = 1; seconds <= 8; seconds *= 2) {
        put_segment(&t, t.now_ns, CLIENT, SYN, t.next[CLIENT], nothing);
        t.now_ns += seconds * NS_PER_S;
    }
}
