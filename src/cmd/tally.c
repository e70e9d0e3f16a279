/* Counting packets per interval, see tally.h. */
#include "cmd/tally.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ETHERTYPE_ARP = 0x0806,
    PROTO_ICMP = 1,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_ICMP6 = 58,
    TCP_SYN = 2,
    TCP_RST = 4
};

int length_option(const char *text, enum length_kind *length, struct err *e)
{
    int kind = text != NULL ? length_kind_parse(text) : (int)*length;
    if (kind < 0)
        return err_set(e, WEIR_EUSAGE,
                       "--length: no length '%s'; there are frame, link, ip and payload", text);
    *length = (enum length_kind)kind;
    return 0;
}

double tally_mean(const struct tally *t)
{
    return t->packets == 0 ? 0 : (double)t->octets / (double)t->packets;
}

double tally_deviation(const struct tally *t)
{
    if (t->packets == 0)
        return 0;
    /* n * sum of squares - square of the sum: below 2^127 up to 2^40 packets of any size */
    unsigned __int128 n = t->packets,
                      numerator = n * t->squares - (unsigned __int128)t->octets * t->octets;
    return sqrt((double)numerator) / (double)t->packets;
}

void tally_sizes(const struct packet_batch *batch, enum length_kind length, uint32_t size[],
                 uint8_t is_counted[])
{
    for (unsigned i = 0; i < batch->count; i++) {
        const struct layers *l = &batch->layer[i];
        bool is_ip = l->key.version != 0;
        switch (length) {
        case LENGTH_FRAME:
            size[i] = batch->pkt[i].wirelen;
            is_counted[i] = 1;
            break;
        case LENGTH_LINK:
            size[i] = l->link_octets;
            is_counted[i] = 1;
            break;
        case LENGTH_IP:
            size[i] = l->ip_octets;
            is_counted[i] = is_ip;
            break;
        case LENGTH_PAYLOAD:
            size[i] = l->payload_octets;
            is_counted[i] = is_ip;
            break;
        }
    }
}

void tally_add(struct tally *t, const struct packet_batch *batch, const uint32_t size[],
               const uint8_t is_counted[], unsigned first, unsigned end)
{
    uint64_t packets = 0, octets = 0, squares_low = 0;
    uint32_t min = UINT32_MAX, max = 0;
    for (unsigned i = first; i < end; i++) {
        uint32_t mine = is_counted[i] ? size[i] : 0;
        packets += is_counted[i];
        octets += mine;
        max = mine > max ? mine : max;
        min = is_counted[i] && mine < min ? mine : min;
    }
    /* Squares of a batch fit into 64 bits when no packet is over 2^27 octets. */
    if (max < UINT32_C(1) << 27)
        for (unsigned i = first; i < end; i++)
            squares_low += is_counted[i] ? (uint64_t)size[i] * size[i] : 0;
    else
        for (unsigned i = first; i < end; i++)
            t->squares += is_counted[i] ? (unsigned __int128)size[i] * size[i] : 0;
    if (packets > 0 && (t->packets == 0 || min < t->min))
        t->min = min;
    if (packets > 0 && (t->packets == 0 || max > t->max))
        t->max = max;
    t->packets += packets;
    t->octets += octets;
    t->squares += squares_low;

    unsigned ipv4 = 0, ipv6 = 0, arp = 0, tcp = 0, udp = 0, icmp = 0, fragments = 0, syn = 0,
             rst = 0;
    for (unsigned i = first; i < end; i++) {
        const struct layers *l = &batch->layer[i];
        unsigned counts = is_counted[i], version = l->key.version, proto = l->key.proto,
                 is_ip = counts & (version != 0);
        unsigned is_tcp = is_ip & (proto == PROTO_TCP);
        ipv4 += counts & (version == 4);
        ipv6 += counts & (version == 6);
        arp += counts & (version == 0) & (l->ethertype == ETHERTYPE_ARP);
        tcp += is_tcp;
        udp += is_ip & (proto == PROTO_UDP);
        icmp += is_ip & ((proto == PROTO_ICMP) | (proto == PROTO_ICMP6));
        fragments += is_ip & ((l->flags & PACKET_FRAGMENT) != 0);
        syn += is_tcp & ((l->tcp_flags & TCP_SYN) != 0);
        rst += is_tcp & ((l->tcp_flags & TCP_RST) != 0);
    }
    t->ipv4 += ipv4;
    t->ipv6 += ipv6;
    t->arp += arp;
    t->tcp += tcp;
    t->udp += udp;
    t->icmp += icmp;
    t->fragments += fragments;
    t->tcp_syn += syn;
    t->tcp_rst += rst;
}

int tally_window_init(struct tally_window *w, struct err *e)
{
    assert(w->slack <= TALLY_SLACK_MAX);
    w->open = calloc(w->slack + 1, sizeof *w->open);
    return w->open != NULL ? 0 : err_memory(e, "intervals", (w->slack + 1) * sizeof *w->open);
}

void tally_window_fini(struct tally_window *w)
{
    free(w->open);
    w->open = NULL;
}

static struct tally *slot(const struct tally_window *w, int64_t index)
{
    int64_t room = (int64_t)w->slack + 1, at = index % room;
    return &w->open[at < 0 ? at + room : at];
}

/* Intervals from w->next up to `last` are done. */
static int emit_until(struct tally_window *w, int64_t last)
{
    int64_t filled = w->newest < last ? w->newest : last; /* behind it all are empty */
    for (; w->next <= filled; w->next++) {
        struct tally *t = slot(w, w->next);
        int code = t->packets > 0 || t->late > 0 || !w->skips_empty ? w->emit(w->context, t) : 0;
        if (code != 0)
            return code;
    }
    w->has_emitted = true;
    int64_t gap = last - w->newest;
    if (gap > 0 && (w->skips_empty || gap > INTERVAL_GAP_MAX)) {
        w->left_out += w->skips_empty ? 0 : (uint64_t)gap;
        w->next = last + 1;
    }
    for (; w->next <= last; w->next++) {
        int code = w->emit(w->context, &(struct tally){ .index = w->next });
        if (code != 0)
            return code;
    }
    return 0;
}

/* Make `index` the newest interval. */
static int advance(struct tally_window *w, int64_t index)
{
    int64_t room = (int64_t)w->slack + 1;
    int code = index - room >= w->next ? emit_until(w, index - room) : 0;
    int64_t first = index - w->slack > w->newest ? index - w->slack : w->newest + 1;
    for (int64_t i = first; i <= index; i++)
        *slot(w, i) = (struct tally){ .index = i };
    w->newest = index;
    w->from_ns = interval_start(&w->grid, index);
    w->to_ns = interval_start(&w->grid, index + 1);
    return code;
}

static void begin(struct tally_window *w, int64_t time_ns)
{
    w->has_packets = true;
    w->first_ns = w->last_ns = time_ns;
    interval_begin(&w->grid, time_ns);
    w->newest = w->next = interval_index(&w->grid, time_ns);
    for (int64_t i = w->newest - w->slack; i <= w->newest; i++)
        *slot(w, i) = (struct tally){ .index = i };
    w->from_ns = interval_start(&w->grid, w->newest);
    w->to_ns = interval_start(&w->grid, w->newest + 1);
}

/* The tally of a packet outside the newest interval; NULL: it is late and was counted so. */
static int find(struct tally_window *w, int64_t time_ns, struct tally **found)
{
    int64_t index = interval_index(&w->grid, time_ns);
    int code = index > w->newest ? advance(w, index) : 0;
    *found = NULL;
    if (code != 0)
        return code;
    if (index < w->newest - w->slack || (w->has_emitted && index < w->next)) {
        slot(w, w->newest)->late++;
        w->late_count++;
        return 0;
    }
    if (index < w->next)
        w->next = index;
    *found = slot(w, index);
    return 0;
}

static bool is_in_newest(const struct tally_window *w, int64_t time_ns)
{
    return w->grid.length_ns == 0 && w->grid.months == 0
               ? true
               : time_ns >= w->from_ns && time_ns < w->to_ns;
}

int tally_window_push(struct tally_window *w, const struct packet_batch *batch)
{
    uint32_t size[BATCH_MAX];
    uint8_t is_counted[BATCH_MAX];
    if (batch->count > 0 && !w->has_packets)
        begin(w, batch->pkt[0].time_ns);
    tally_sizes(batch, w->length, size, is_counted);
    for (unsigned first = 0, end; first < batch->count; first = end) {
        struct tally *t = slot(w, w->newest);
        for (end = first; end < batch->count && is_in_newest(w, batch->pkt[end].time_ns); end++)
            ;
        if (end == first) {
            int code = find(w, batch->pkt[first].time_ns, &t);
            if (code != 0)
                return code;
            end++;
        }
        if (t != NULL)
            tally_add(t, batch, size, is_counted, first, end);
    }
    for (unsigned i = 0; i < batch->count; i++)
        w->last_ns = batch->pkt[i].time_ns > w->last_ns ? batch->pkt[i].time_ns : w->last_ns;
    return 0;
}

int tally_window_finish(struct tally_window *w)
{
    return w->has_packets ? emit_until(w, w->newest) : 0;
}
