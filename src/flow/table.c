/*
 * Flow table, see flow.h. Three steps per packet, each AHEAD packets behind the one before, so that
 * memory comes while others are counted:
 *
 *   prefetch bucket -> probe: index to record number, prefetch record -> update: compare the whole
 * key, count
 *
 * A record that went away between probe and update does not match its key any more (free records
 * have none) and the packet takes the slow way. Steps that move on together leave the memory busy
 * all the time: as passes over 64 packets 95 ns per packet of the worst workload, so 89; passes of
 * 256 were slower still.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "flow/index.h"
#include "flow/queue.h"
#include "flow/record.h"
#include "flow/wheel.h"

#define AHEAD      32 /* packets between prefetch and probe, and between probe and update */
#define CLOSED_RUN 32 /* closed records ended together */
#define NOT_YET                                                                                    \
    INT64_MAX /* times of a record whose first packet is still to be counted: before all others */
#define CHANCES_MAX 1024 /* touched records passed over to evict one */

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_ACK = 0x10,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PORT_DNS = 53
};

struct flow_table {
    struct flow_record *record;       /* slab; number 0 is never used */
    int64_t silent_ns[2];             /* longest silence of an open and of a closed record */
    uint64_t address_mask[2];         /* of IPv6 addresses: all ones when they are key */
    bool has_rest;                    /* interface or tunnel is key: compared on the second line */
    size_t length_first, length_step; /* where in a batch the lengths are */
    unsigned
        fin_closes; /* RECORD_FIN bits that close a record; one that no record has: nothing does */
    unsigned rst_closes;  /* TCP_RST or 0 */
    unsigned syn_decides; /* TCP_SYN or 0 */
    struct flow_options options;
    struct flow_index index;
    struct wheel wheel;
    struct queue closed;
    struct flow_rows rows;
    struct ledger *ledger;
    uint32_t used, free, open, open_max,
        capacity; /* used: numbers given out so far; free: list of those given back */
    bool is_started;
};

static void end_record(struct flow_table *t, uint32_t number, enum flow_end reason);

/* ---- life of a table ---- */

/* Lengths of packets lie at one distance in a batch whatever kind they are. */
static void find_lengths(struct flow_table *t)
{
    static const size_t in_layers[] = { [LENGTH_LINK] = offsetof(struct layers, link_octets),
                                        [LENGTH_IP] = offsetof(struct layers, ip_octets),
                                        [LENGTH_PAYLOAD] =
                                            offsetof(struct layers, payload_octets) };
    bool is_frame = t->options.length == LENGTH_FRAME;
    t->length_first = is_frame
                          ? offsetof(struct packet_batch, pkt) + offsetof(struct packet, wirelen)
                          : offsetof(struct packet_batch, layer) + in_layers[t->options.length];
    t->length_step = is_frame ? sizeof(struct packet) : sizeof(struct layers);
}

int flow_table_new(struct flow_table **table, const struct flow_options *options,
                   struct record_sink *out, struct ledger *ledger, struct err *e)
{
    assert(out != NULL && ledger != NULL);
    uint64_t octets = options->memory_octets;
    if (octets < FLOW_MEMORY_MIN || octets > FLOW_MEMORY_MAX)
        return err_set(
            e, WEIR_EUSAGE,
            "flow table: memory of %llu octets; give from 1 MiB to 256 GiB with --memory",
            (unsigned long long)octets);
    struct flow_table *t = calloc(1, sizeof *t);
    if (t == NULL)
        return err_memory(e, "flow table", sizeof *t);
    t->options = *options;
    t->options.ends_at_fin = options->ends_at_fin && options->mask.proto != 0 &&
                             options->mask.port[0] != 0 && options->mask.port[1] != 0;
    uint64_t records =
        octets * 1024 /
        (sizeof(struct flow_record) * 1024 + INDEX_OCTETS_PER_1024 + QUEUE_OCTETS_PER_1024);
    t->capacity = records < UINT32_C(1) << 30 ? (uint32_t)records : UINT32_C(1) << 30;
    t->used = 1;
    t->ledger = ledger;
    t->rows = (struct flow_rows){ .out = out, .ledger = ledger, .options = &t->options };
    t->silent_ns[0] = options->idle_ns;
    t->silent_ns[1] = options->linger_ns < options->idle_ns ? options->linger_ns : options->idle_ns;
    t->address_mask[0] = word_at(options->mask.address[0], 0);
    t->address_mask[1] = word_at(options->mask.address[1], 0);
    t->has_rest = (options->mask.interface | options->mask.tunnel) != 0;
    find_lengths(t);
    t->fin_closes = !t->options.ends_at_fin ? UINT32_MAX
                    : options->is_biflow    ? RECORD_FIN_BOTH
                                            : RECORD_FIN;
    t->rst_closes = t->options.ends_at_fin ? TCP_RST : 0;
    t->syn_decides = options->is_client_server && options->is_biflow ? TCP_SYN : 0;
    t->record = memory_big_new(((size_t)t->capacity + 1) * sizeof *t->record);
    int code = t->record == NULL ? err_memory(e, "flow records", (size_t)octets)
                                 : index_init(&t->index, t->capacity, e);
    if (code < 0) {
        flow_table_free(t);
        return code;
    }
    wheel_init(&t->wheel, t->record, t->options.idle_ns);
    queue_init(&t->closed, t->capacity);
    *table = t;
    return 0;
}

void flow_table_free(struct flow_table *table)
{
    if (table == NULL)
        return;
    flow_rows_fini(&table->rows);
    queue_fini(&table->closed);
    index_fini(&table->index);
    memory_big_free(table->record, ((size_t)table->capacity + 1) * sizeof *table->record);
    free(table);
}

void flow_table_stats(const struct flow_table *table, struct flow_table_stats *stats)
{
    *stats = (struct flow_table_stats){ .open = table->open,
                                        .open_max = table->open_max,
                                        .capacity = table->capacity,
                                        .octets = (uint64_t)table->used * sizeof *table->record +
                                                  index_octets(&table->index) +
                                                  queue_octets(&table->closed) };
}

/* ---- a packet as the table sees it ---- */

static inline uint32_t length_of(const struct flow_table *t, const struct packet_batch *batch,
                                 unsigned i)
{
    uint32_t length;
    memcpy(&length, (const uint8_t *)batch + t->length_first + i * t->length_step, sizeof length);
    return length;
}

static inline uint32_t tag_of(const struct flow_item *item)
{
    return (uint32_t)(item->hash >> 32);
}

/* Halves of an IPv6 address of one endpoint as far as they are key. */
static inline uint64_t address_half(const struct flow_table *t, const struct layers *l,
                                    unsigned endpoint, unsigned half)
{
    return word_at(l->key.address[endpoint], half) & t->address_mask[endpoint];
}

/* Is the packet of this record? IPv4 packets look at the record's first line only. */
__attribute__((always_inline)) static inline bool
is_same_key(const struct flow_table *t, const struct flow_record *r, const struct flow_item *item,
            const struct packet_batch *batch, bool is_ip6)
{
    const struct layers *l = &batch->layer[item->at];
    uint64_t differs = (r->front ^ item->front) | (r->tail ^ item->tail);
    if (is_ip6) {
        unsigned first = item->side, second = first ^ 1;
        differs |= r->address[0] ^ address_half(t, l, first, 0);
        differs |= r->address[1] ^ address_half(t, l, second, 0);
        differs |= r->address[2] ^ address_half(t, l, second, 1);
    }
    if (__builtin_expect(t->has_rest, 0))
        differs |= ((r->interface ^ batch->pkt[item->at].interface) & t->options.mask.interface) |
                   ((r->entered ^ l->key.tunnel) & t->options.mask.tunnel);
    return differs == 0;
}

/* ---- direction ---- */

static inline bool is_syn(uint16_t flags)
{
    return (flags & (TCP_SYN | TCP_RST)) == TCP_SYN;
}

/* spec/tools.md 6.2: should the sender of the first packet be the backward side? */
static bool starts_backward(const struct layers *l)
{
    if (is_syn(l->tcp_flags))
        return l->tcp_flags & TCP_ACK;
    bool is_low_from = l->key.port[0] < 1024, is_low_to = l->key.port[1] < 1024;
    return (l->flags & PACKET_PORTS) != 0 && !flow_is_icmp(l->key.proto) && is_low_from &&
           !is_low_to;
}

/* Packets from an address and port to the same ones have no direction. */
static bool is_loop(const struct flow_record *r)
{
    bool is_same = tail_version(r->tail) == 6
                       ? r->front == r->address[2] && r->address[0] == r->address[1]
                       : (uint32_t)r->front == r->front >> 32;
    return is_same && tail_port(r->tail, 0) == tail_port(r->tail, 1);
}

static void turn_round(struct flow_record *r)
{
    uint8_t first[6];
    if (is_loop(r))
        return;
    r->state ^= RECORD_REVERSED;
    r->ttl = 0; /* of the other side; what it had so far is not known any more */
    memcpy(first, r->mac, 6);
    memcpy(r->mac, r->mac + 6, 6);
    memcpy(r->mac + 6, first, 6);
}

/* ---- begin and end of records ---- */

static int64_t time_after(int64_t time_ns, int64_t ns)
{
    return time_ns > INT64_MAX - ns ? INT64_MAX : time_ns + ns;
}

/* Latest time at which the next packet still belongs to the record. */
static int64_t deadline_of(const struct flow_table *t, const struct flow_record *r)
{
    return time_after(r->last_ns, t->silent_ns[(r->state & RECORD_CLOSED) != 0]);
}

/* A record that has its key and no packets. */
static void set_key(const struct flow_table *t, struct flow_record *r,
                    const struct packet_batch *batch, const struct flow_item *item)
{
    const struct layers *l = &batch->layer[item->at];
    r->front = item->front;
    r->tail = item->tail;
    r->hash = tag_of(item);
    r->first_ns = r->last_ns = NOT_YET;
    r->packets[0] = r->packets[1] = 0;
    r->state = 0;
    r->address[0] =
        address_half(t, l, item->side, 0); /* IPv4 has this, too, and does not look at it */
    r->address[1] = address_half(t, l, item->side ^ 1, 0);
    r->address[2] = address_half(t, l, item->side ^ 1, 1);
    r->interface = batch->pkt[item->at].interface;
    r->entered = (uint8_t)l->key.tunnel;
}

/* Fill the record for its first packet, which is counted afterwards. Key and place in index, wheel
 * and queue stay as they are. */
static void start_record(const struct flow_table *t, struct flow_record *r,
                         const struct packet_batch *batch, const struct flow_item *item)
{
    const struct packet *p = &batch->pkt[item->at];
    const struct layers *l = &batch->layer[item->at];
    unsigned state =
        (r->state & (RECORD_TOUCHED | RECORD_QUEUED)) | (item->side ? RECORD_REVERSED : 0);
    r->first_ns = r->last_ns = p->time_ns;
    memset(r->octets, 0,
           offsetof(struct flow_record, state) - offsetof(struct flow_record, octets));
    r->ttl = 0;
    r->tos = l->tos;
    r->tunnel = l->tunnel;
    r->interface = p->interface;
    r->out_of_order = r->fragments = 0;
    r->vlan = l->vlan;
    if ((uint32_t)l->mac + 12 <=
        p->caplen) { /* 0xffff and no such long header says there is none */
        memcpy(r->mac, p->data + l->mac, 12);
        state |= RECORD_MAC;
    }
    r->state = (uint8_t)state;
    if (t->syn_decides) {
        if (starts_backward(l))
            turn_round(r);
        if (is_syn(l->tcp_flags))
            r->state |= RECORD_SURE;
    }
}

/* Give up the record that has been silent longest; recent ones get a second chance. */
static bool evict(struct flow_table *t)
{
    for (unsigned chances = 0;; chances++) {
        uint32_t number = wheel_oldest(&t->wheel);
        if (number == 0)
            return false;
        struct flow_record *r = &t->record[number];
        if ((r->state & RECORD_TOUCHED) == 0 || chances == CHANCES_MAX) {
            ledger_count(t->ledger, REASON_evicted, (r->packets[0] | r->packets[1]) != 0);
            end_record(t, number, FLOW_END_RESOURCES);
            return true;
        }
        wheel_unlink(&t->wheel, number);
        wheel_link(&t->wheel, number, deadline_of(t, r));
    }
}

static uint32_t take_number(struct flow_table *t)
{
    if (t->free == 0 && t->used > t->capacity && !evict(t))
        return 0;
    uint32_t number = t->free;
    if (number != 0)
        t->free = t->record[number].next;
    else
        number = t->used++;
    if (++t->open > t->open_max)
        t->open_max = t->open;
    return number;
}

static void give_number(struct flow_table *t, uint32_t number)
{
    struct flow_record *r = &t->record[number];
    r->tail = 0;
    r->state = 0;
    r->next = t->free;
    t->free = number;
    t->open--;
}

static uint32_t insert(struct flow_table *t, const struct packet_batch *batch,
                       const struct flow_item *item)
{
    uint32_t number = take_number(t);
    if (number == 0)
        return 0;
    /* Spill buckets run out only when keys crowd together: make room by what is oldest, else give
     * up. */
    while (index_insert(&t->index, tag_of(item), number) < 0)
        if (!evict(t)) {
            give_number(t, number);
            return 0;
        }
    /* The rest is filled by the packet that is counted first: it need not be this one if a record
     * of the flow ended in between. */
    set_key(t, &t->record[number], batch, item);
    wheel_link(&t->wheel, number, time_after(batch->pkt[item->at].time_ns, t->silent_ns[0]));
    return number;
}

static void end_record(struct flow_table *t, uint32_t number, enum flow_end reason)
{
    struct flow_record *r = &t->record[number];
    flow_rows_add(&t->rows, r, reason);
    wheel_unlink(&t->wheel, number);
    index_remove(&t->index, r->hash, number);
    give_number(t, number);
}

/* The connection is over: from now on the record waits for linger_ns only. */
static void close_record(struct flow_table *t, uint32_t number)
{
    struct flow_record *r = &t->record[number];
    r->state |= RECORD_CLOSED;
    if (t->silent_ns[1] == 0) {
        end_record(t, number, FLOW_END_DETECTED);
    } else if ((r->state & RECORD_QUEUED) == 0) {
        if (queue_push(&t->closed, number, deadline_of(t, r))) {
            r->state |= RECORD_QUEUED;
        } else {
            wheel_unlink(&t->wheel, number);
            wheel_link(&t->wheel, number, deadline_of(t, r));
        }
    }
}

/* ---- the passes ---- */

/* a - b of times; apart by 292 years and more they wrap, on all workers alike. */
static inline int64_t time_between(int64_t from, int64_t to)
{
    return (int64_t)((uint64_t)to - (uint64_t)from);
}

/* Has the record ended before this packet? One branch for what hardly ever happens. */
static inline bool is_over(const struct flow_table *t, const struct flow_record *r, int64_t time_ns,
                           int64_t seen_ns, unsigned flags)
{
    unsigned is_closed = (r->state & RECORD_CLOSED) != 0;
    unsigned is_silent = time_between(r->last_ns, seen_ns) > t->silent_ns[is_closed];
    unsigned is_old = time_between(r->first_ns, time_ns) > t->options.active_ns;
    unsigned is_new = is_closed & ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN);
    return is_silent | is_old | is_new;
}

/* A SYN says which side is the client. */
static void decide_direction(struct flow_record *r, unsigned side, unsigned flags)
{
    if ((r->state & RECORD_SURE) != 0 || !is_syn((uint16_t)flags))
        return;
    bool is_from_client = (flags & TCP_ACK) == 0, is_forward = side == (r->state & RECORD_REVERSED);
    if (is_from_client != is_forward)
        turn_round(r);
    r->state |= RECORD_SURE;
}

static inline void count(struct flow_table *t, struct flow_record *r,
                         const struct packet_batch *batch, const struct flow_item *item)
{
    const struct layers *l = &batch->layer[item->at];
    int64_t time = batch->pkt[item->at].time_ns;
    unsigned side = item->side, flags = l->tcp_flags;
    if (__builtin_expect(time < r->last_ns, 0)) {
        if ((r->packets[0] | r->packets[1]) == 0)
            start_record(t, r, batch, item);
        else
            r->out_of_order += r->out_of_order < UINT32_MAX;
        if (time < r->first_ns)
            r->first_ns = time;
    } else {
        r->last_ns = time;
    }
    r->octets[side] += length_of(t, batch, item->at);
    uint32_t packets = ++r->packets[side];
    r->tcp_flags[side] |= (uint16_t)flags;
    /* The first packet is no second chance against eviction: floods are flows of one packet. */
    unsigned was = r->state, state = was | (unsigned)(packets > 1) * RECORD_TOUCHED |
                                     (flags & TCP_FIN) * RECORD_FIN << side;
    r->state = (uint8_t)state;
    /* Which side a packet is from cannot be predicted, so it is no branch of its own. */
    unsigned is_forward = side == (was & RECORD_REVERSED),
             is_lower = (uint8_t)(l->ttl - 1) < (uint8_t)(r->ttl - 1);
    if (is_forward & is_lower)
        r->ttl = l->ttl;
    if (__builtin_expect((l->flags & PACKET_FRAGMENT) != 0, 0))
        r->fragments += r->fragments < UINT32_MAX;
    if (__builtin_expect((flags & t->syn_decides) != 0, 0))
        decide_direction(r, side, flags);
    unsigned closes = ((state & t->fin_closes) == t->fin_closes) | ((flags & t->rst_closes) != 0);
    if (closes & ((was & RECORD_CLOSED) == 0))
        close_record(t, (uint32_t)(r - t->record));
    else if (__builtin_expect(packets == UINT32_MAX, 0))
        end_record(t, (uint32_t)(r - t->record), FLOW_END_ACTIVE);
}

/* nfpcapd: DNS and ICMP packets are records by themselves. */
static bool is_single(const struct layers *l)
{
    uint8_t proto = l->key.proto;
    return flow_is_icmp(proto) ||
           (proto == PROTO_UDP && (l->key.port[0] == PORT_DNS || l->key.port[1] == PORT_DNS));
}

static void meter_single(struct flow_table *t, const struct packet_batch *batch,
                         const struct flow_item *item)
{
    const struct layers *l = &batch->layer[item->at];
    struct flow_record r = { 0 };
    set_key(t, &r, batch, item);
    start_record(t, &r, batch, item);
    r.octets[item->side] = length_of(t, batch, item->at);
    r.packets[item->side] = 1;
    r.ttl = l->ttl;
    r.fragments = (l->flags & PACKET_FRAGMENT) != 0;
    flow_rows_add(&t->rows, &r, FLOW_END_DETECTED);
}

__attribute__((always_inline)) static inline void
probe(struct flow_table *t, const struct packet_batch *batch, struct flow_item *item, bool is_ip6)
{
    struct index_walk walk;
    uint32_t number = index_first(&t->index, tag_of(item), &walk);
    if (number == 0 && !(t->options.single_packets && is_single(&batch->layer[item->at])))
        number = insert(t, batch, item);
    item->record = number;
    __builtin_prefetch(&t->record[number], 1);
    if (is_ip6)
        __builtin_prefetch(t->record[number].address);
}

/* The item's tag led to another flow's record: look at all with this tag, make one if there is
 * none. NULL: the packet is done with. */
static struct flow_record *find_slowly(struct flow_table *t, const struct packet_batch *batch,
                                       const struct flow_item *item, bool is_ip6)
{
    if (t->options.single_packets && is_single(&batch->layer[item->at])) {
        meter_single(t, batch, item);
        return NULL;
    }
    struct index_walk walk;
    uint32_t number = index_first(&t->index, tag_of(item), &walk);
    while (number != 0 && !is_same_key(t, &t->record[number], item, batch, is_ip6))
        number = index_next(&t->index, &walk);
    if (number == 0)
        number = insert(t, batch, item);
    if (number == 0) {
        ledger_count(t->ledger, REASON_no_table_memory, 1);
        t->ledger->out[STAGE_meter]--; /* flow_table_update counts all */
    }
    return number ? &t->record[number] : NULL;
}

__attribute__((always_inline)) static inline void update(struct flow_table *t,
                                                         const struct packet_batch *batch,
                                                         const int64_t seen_ns[],
                                                         const struct flow_item *item, bool is_ip6)
{
    unsigned i = item->at;
    struct flow_record *r = &t->record[item->record];
    if (__builtin_expect(!is_same_key(t, r, item, batch, is_ip6), 0)) {
        r = find_slowly(t, batch, item, is_ip6);
        if (r == NULL)
            return;
    }
    int64_t time_ns = batch->pkt[i].time_ns, seen = seen_ns == NULL ? time_ns : seen_ns[i];
    if (__builtin_expect(is_over(t, r, time_ns, seen, batch->layer[i].tcp_flags), 0)) {
        bool is_idle = time_between(r->last_ns, seen) > t->options.idle_ns;
        flow_rows_add(&t->rows, r, is_idle ? FLOW_END_IDLE : FLOW_END_ACTIVE);
        start_record(t, r, batch, item);
    }
    count(t, r, batch, item);
}

/* (The subtraction wraps below AHEAD, which is beyond count, too.) */
__attribute__((always_inline)) static inline void
meter(struct flow_table *t, const struct packet_batch *batch, const int64_t seen_ns[],
      struct flow_items *items, unsigned count, bool is_ip6)
{
    for (unsigned k = 0; k < count + 2 * AHEAD; k++) {
        if (k < count)
            index_prefetch(&t->index, tag_of(flow_item_at(items, k, is_ip6)));
        if (k - AHEAD < count)
            probe(t, batch, flow_item_at(items, k - AHEAD, is_ip6), is_ip6);
        if (k >= 2 * AHEAD)
            update(t, batch, seen_ns, flow_item_at(items, k - 2 * AHEAD, is_ip6), is_ip6);
    }
}

int flow_table_update(struct flow_table *table, const struct packet_batch *batch,
                      const int64_t seen_ns[], struct flow_items *items)
{
    unsigned count = items->ip4_count + items->ip6_count;
    assert(count <= BATCH_MAX);
    if (count > 0 && !table->is_started) { /* the wheel begins at the stream's time */
        wheel_due(&table->wheel,
                  batch->pkt[flow_item_at(items, 0, items->ip4_count == 0)->at].time_ns);
        table->is_started = true;
    }
    table->ledger->in[STAGE_meter] += count;
    table->ledger->out[STAGE_meter] += count;
    meter(table, batch, seen_ns, items, items->ip4_count, false);
    meter(table, batch, seen_ns, items, items->ip6_count, true);
    return table->rows.failed;
}

/* ---- time ---- */

/* The record's time has come to be looked at: end it, or leave it for later. */
static void look_at(struct flow_table *t, uint32_t number, int64_t second_ns)
{
    const struct flow_record *r = &t->record[number];
    int64_t deadline = deadline_of(t, r);
    if (deadline < second_ns) {
        end_record(t, number, FLOW_END_IDLE);
    } else {
        wheel_unlink(&t->wheel, number);
        wheel_link(&t->wheel, number, deadline);
    }
}

/* Closed records, a few at a time: what their end touches is fetched for all of them before the
 * first one ends. */
static unsigned expire_closed(struct flow_table *t, int64_t second_ns, unsigned budget)
{
    uint32_t number[CLOSED_RUN];
    unsigned count = 0;
    while (count < CLOSED_RUN && count < budget &&
           (number[count] = queue_pop(&t->closed, second_ns)) != 0) {
        __builtin_prefetch(&t->record[number[count]], 1);
        __builtin_prefetch(t->record[number[count]].address, 1);
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        const struct flow_record *r = &t->record[number[i]];
        index_prefetch(&t->index, r->hash);
        wheel_prefetch(&t->wheel, number[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        struct flow_record *r = &t->record[number[i]];
        if ((r->state & RECORD_QUEUED) == 0) /* ended in the meantime */
            continue;
        r->state &= (uint8_t)~RECORD_QUEUED;
        if ((r->state & RECORD_CLOSED) == 0) /* began anew in the meantime: the wheel has it */
            continue;
        int64_t deadline = deadline_of(t, r);
        if (deadline < second_ns)
            end_record(t, number[i], FLOW_END_IDLE);
        else if (queue_push(&t->closed, number[i], deadline))
            r->state |= RECORD_QUEUED;
    }
    return count;
}

int flow_table_expire(struct flow_table *table, int64_t second_ns, unsigned budget)
{
    for (unsigned did = 1; did > 0 && budget > 0; budget -= did)
        did = expire_closed(table, second_ns, budget);
    for (; budget > 0; budget--) {
        uint32_t number = wheel_due(&table->wheel, second_ns);
        if (number == 0)
            break;
        look_at(table, number, second_ns);
    }
    return table->rows.failed;
}

int flow_table_flush(struct flow_table *table, int64_t newest_ns)
{
    /* In the order of the slab, which is memory's. */
    for (uint32_t number = 1; number < table->used; number++) {
        const struct flow_record *r = &table->record[number];
        if (r->tail == 0)
            continue;
        bool is_idle = time_between(r->last_ns, newest_ns) > table->options.idle_ns;
        flow_rows_add(&table->rows, r, is_idle ? FLOW_END_IDLE : FLOW_END_FORCED);
    }
    flow_rows_flush(&table->rows);
    return table->rows.failed;
}
