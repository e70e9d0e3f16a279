/*
 * Flow table, see flow.h: packets in passes of a few dozen, so that the memory of one pass is fetched while another one works.
 *
 *   prefetch bucket -> probe: index to record number, prefetch record -> update: compare the whole key, count
 *
 * The probe of one run goes ahead of the update of the run before. A record that went away in between does not match its key any more
 * (free records have version 0) and the packet takes the slow way.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow/index.h"
#include "flow/record.h"
#include "flow/wheel.h"

#define RUN 64           /* packets per pass: records and buckets of two runs fit the first-level cache */
#define CHANCES_MAX 1024 /* touched records passed over to evict one */

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10, PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PORT_DNS = 53 };

struct flow_table {
    struct flow_record *record; /* slab; number 0 is never used */
    uint64_t mask[2];           /* last two words of options.mask: the packets' keys are masked, the records' not */
    int64_t silent_ns[2];       /* longest silence of an open and of a closed record */
    struct flow_options options;
    struct flow_index index;
    struct wheel wheel;
    struct flow_rows rows;
    struct ledger *ledger;
    uint32_t used, free, open, open_max, capacity; /* used: numbers given out so far; free: list of those given back */
    bool is_started;
    uint64_t probe_ns, update_ns;
};

static void end_record(struct flow_table *t, uint32_t number, enum flow_end reason);

/* ---- life of a table ---- */

int flow_table_new(struct flow_table **table, const struct flow_options *options, struct record_sink *out, struct ledger *ledger,
                   struct err *e)
{
    assert(out != NULL && ledger != NULL);
    uint64_t octets = options->memory_octets;
    if (octets < FLOW_MEMORY_MIN || octets > FLOW_MEMORY_MAX)
        return err_set(e, WEIR_EUSAGE, "flow table: memory of %llu octets; give from 1 MiB to 256 GiB with --memory",
                       (unsigned long long)octets);
    struct flow_table *t = calloc(1, sizeof *t);
    if (t == NULL)
        return err_memory(e, "flow table", sizeof *t);
    t->options = *options;
    t->options.ends_at_fin = options->ends_at_fin && options->mask.proto != 0 && options->mask.port[0] != 0 && options->mask.port[1] != 0;
    uint64_t records = octets * 1024 / (sizeof(struct flow_record) * 1024 + INDEX_OCTETS_PER_1024);
    t->capacity = records < UINT32_C(1) << 30 ? (uint32_t)records : UINT32_C(1) << 30;
    t->used = 1;
    t->ledger = ledger;
    t->rows = (struct flow_rows){ .out = out, .ledger = ledger, .options = &t->options };
    t->silent_ns[0] = options->idle_ns;
    t->silent_ns[1] = options->linger_ns < options->idle_ns ? options->linger_ns : options->idle_ns;
    memcpy(t->mask, (const uint8_t *)&options->mask + 32, sizeof t->mask);
    t->record = memory_big_new(((size_t)t->capacity + 1) * sizeof *t->record);
    int code = t->record == NULL ? err_memory(e, "flow records", (size_t)octets) : index_init(&t->index, t->capacity, e);
    if (code < 0) {
        flow_table_free(t);
        return code;
    }
    wheel_init(&t->wheel, t->record, t->options.idle_ns);
    *table = t;
    return 0;
}

void flow_table_free(struct flow_table *table)
{
    if (table == NULL)
        return;
    flow_rows_fini(&table->rows);
    index_fini(&table->index);
    memory_big_free(table->record, ((size_t)table->capacity + 1) * sizeof *table->record);
    free(table);
}

void flow_table_stats(const struct flow_table *table, struct flow_table_stats *stats)
{
    *stats = (struct flow_table_stats){ .open = table->open,
                                        .open_max = table->open_max,
                                        .capacity = table->capacity,
                                        .octets = (uint64_t)table->used * sizeof *table->record + index_octets(&table->index),
                                        .probe_ns = table->probe_ns,
                                        .update_ns = table->update_ns };
}

/* ---- a packet as the table sees it ---- */

static inline uint32_t length_of(const struct flow_table *t, const struct packet_batch *batch, unsigned i)
{
    switch (t->options.length) {
    case LENGTH_FRAME:
        return batch->pkt[i].wirelen;
    case LENGTH_LINK:
        return batch->layer[i].link_octets;
    case LENGTH_PAYLOAD:
        return batch->layer[i].payload_octets;
    case LENGTH_IP:
        break;
    }
    return batch->layer[i].ip_octets;
}

static inline uint64_t word_at(const void *from, unsigned index)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)from + 8 * index, sizeof word);
    return word;
}

static inline uint32_t tag_of(const struct layers *l)
{
    return (uint32_t)(l->hash >> 32);
}

/* Nonzero when the packet goes against the direction of the record, if it is of that record. */
static inline unsigned is_backward(const struct flow_record *r, const struct layers *l)
{
    return (r->state ^ l->is_reversed) & RECORD_REVERSED;
}

/* Is the packet's key that of the record, turned round when it goes backward? VLAN and interface may be no part of it. */
static inline bool is_same_key(const struct flow_table *t, const struct flow_record *r, const struct layers *l)
{
    unsigned back = is_backward(r, l);
    const uint8_t *from = l->key.address[back], *to = l->key.address[back ^ 1];
    uint64_t tail = word_at(&l->key, 4);
    uint32_t ports = (uint32_t)tail, turn = back * 16;
    ports = ports << turn | ports >> (-turn & 31);
    tail = (tail & ~(uint64_t)UINT32_MAX) | ports;
    uint64_t differs = word_at(&r->key, 0) ^ word_at(from, 0);
    differs |= word_at(&r->key, 1) ^ word_at(from, 1);
    differs |= word_at(&r->key, 2) ^ word_at(to, 0);
    differs |= word_at(&r->key, 3) ^ word_at(to, 1);
    differs |= (word_at(&r->key, 4) ^ tail) & t->mask[0];
    differs |= (word_at(&r->key, 5) ^ word_at(&l->key, 5)) & t->mask[1];
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
    return (l->flags & PACKET_PORTS) != 0 && l->key.proto != PROTO_ICMP && l->key.proto != PROTO_ICMP6 && is_low_from && !is_low_to;
}

static void turn_round(struct flow_record *r)
{
    struct flow_record was = *r;
    memcpy(r->key.address[0], was.key.address[1], 16);
    memcpy(r->key.address[1], was.key.address[0], 16);
    memcpy(r->mac, was.mac + 6, 6);
    memcpy(r->mac + 6, was.mac, 6);
    for (unsigned side = 0; side < 2; side++) {
        r->key.port[side] = was.key.port[side ^ 1];
        r->octets[side] = was.octets[side ^ 1];
        r->packets[side] = was.packets[side ^ 1];
        r->tcp_flags[side] = was.tcp_flags[side ^ 1];
    }
    unsigned fins = was.state & (RECORD_FIN_FORWARD | RECORD_FIN_BACKWARD);
    if (fins == RECORD_FIN_FORWARD || fins == RECORD_FIN_BACKWARD)
        r->state ^= RECORD_FIN_FORWARD | RECORD_FIN_BACKWARD;
    r->state ^= RECORD_REVERSED;
}

/* ---- begin and end of records ---- */

/* Latest time at which the next packet still belongs to the record. */
static int64_t deadline_of(const struct flow_table *t, const struct flow_record *r)
{
    int64_t silent = t->silent_ns[(r->state & RECORD_CLOSED) != 0];
    return r->last_ns > INT64_MAX - silent ? INT64_MAX : r->last_ns + silent;
}

/* Fill the record for its first packet, which is counted afterwards. Its place in index and wheel stays as it is. */
static void start_record(const struct flow_table *t, struct flow_record *r, const struct packet *p, const struct layers *l)
{
    r->key = l->key;
    r->key.vlan = l->vlan;
    r->key.interface = p->interface;
    r->first_ns = r->last_ns = p->time_ns;
    memset(r->octets, 0, offsetof(struct flow_record, state) - offsetof(struct flow_record, octets));
    r->state = (uint8_t)((l->is_reversed ? RECORD_REVERSED : 0) | (r->state & RECORD_TOUCHED));
    r->ttl = 0;
    r->tos = l->tos;
    r->tunnel = l->tunnel;
    r->hash = tag_of(l);
    r->out_of_order = r->fragments = 0;
    if ((uint32_t)l->mac + 12 <= p->caplen) { /* 0xffff and no such long header says there is none */
        memcpy(r->mac, p->data + l->mac, 12);
        r->state |= RECORD_MAC;
    }
    if (t->options.is_client_server && t->options.is_biflow) {
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
    r->key.version = 0;
    r->next = t->free;
    t->free = number;
    t->open--;
}

static uint32_t insert(struct flow_table *t, const struct packet *p, const struct layers *l)
{
    uint32_t number = take_number(t);
    if (number == 0)
        return 0;
    /* Spill buckets run out only when keys crowd together: make room by what is oldest, else give up. */
    while (index_insert(&t->index, tag_of(l), number) < 0)
        if (!evict(t)) {
            give_number(t, number);
            return 0;
        }
    struct flow_record *r = &t->record[number];
    start_record(t, r, p, l);
    wheel_link(&t->wheel, number, deadline_of(t, r));
    return number;
}

static void end_record(struct flow_table *t, uint32_t number, enum flow_end reason)
{
    struct flow_record *r = &t->record[number];
    flow_rows_add(&t->rows, r, r->state & RECORD_CLOSED && reason != FLOW_END_RESOURCES ? FLOW_END_DETECTED : reason);
    wheel_unlink(&t->wheel, number);
    index_remove(&t->index, r->hash, number);
    give_number(t, number);
}

/* ---- the passes ---- */

static inline bool is_longer(int64_t from, int64_t to, int64_t limit)
{
    return to > from && (uint64_t)to - (uint64_t)from > (uint64_t)limit;
}

/* Has the record ended before this packet? */
static inline bool is_over(const struct flow_table *t, const struct flow_record *r, const struct packet *p, int64_t seen_ns,
                           const struct layers *l, unsigned side)
{
    bool is_closed = (r->state & RECORD_CLOSED) != 0;
    if (__builtin_expect(is_longer(r->last_ns, seen_ns, t->silent_ns[is_closed]) ||
                             is_longer(r->first_ns, p->time_ns, t->options.active_ns) || r->packets[side] == UINT32_MAX, 0))
        return true;
    return is_closed && (l->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* TCP control bits that change the state of a record. */
static void follow_tcp(struct flow_table *t, uint32_t number, const struct layers *l, unsigned side)
{
    struct flow_record *r = &t->record[number];
    if (l->key.proto != PROTO_TCP)
        return;
    if (t->options.is_client_server && t->options.is_biflow && (r->state & RECORD_SURE) == 0 && is_syn(l->tcp_flags)) {
        if ((side == 0) == ((l->tcp_flags & TCP_ACK) != 0)) {
            turn_round(r);
            side ^= 1;
        }
        r->state |= RECORD_SURE;
    }
    if (!t->options.ends_at_fin || (r->state & RECORD_CLOSED))
        return;
    if (l->tcp_flags & TCP_FIN)
        r->state |= side ? RECORD_FIN_BACKWARD : RECORD_FIN_FORWARD;
    unsigned both = t->options.is_biflow ? RECORD_FIN_FORWARD | RECORD_FIN_BACKWARD : RECORD_FIN_FORWARD;
    if ((l->tcp_flags & TCP_RST) == 0 && (r->state & both) != both)
        return;
    r->state |= RECORD_CLOSED;
    if (t->silent_ns[1] == 0) {
        end_record(t, number, FLOW_END_DETECTED);
        return;
    }
    wheel_unlink(&t->wheel, number);
    wheel_link(&t->wheel, number, deadline_of(t, r));
}

static inline void count(struct flow_table *t, uint32_t number, const struct packet_batch *batch, unsigned i, unsigned side)
{
    struct flow_record *r = &t->record[number];
    const struct layers *l = &batch->layer[i];
    int64_t time = batch->pkt[i].time_ns;
    if (__builtin_expect(time < r->last_ns, 0)) {
        r->out_of_order += r->out_of_order < UINT32_MAX;
        if (time < r->first_ns)
            r->first_ns = time;
    } else {
        r->last_ns = time;
    }
    r->octets[side] += length_of(t, batch, i);
    r->packets[side]++;
    r->tcp_flags[side] |= l->tcp_flags;
    r->state |= RECORD_TOUCHED;
    if (side == 0 && (uint8_t)(l->ttl - 1) < (uint8_t)(r->ttl - 1)) /* 0 = none yet */
        r->ttl = l->ttl;
    if (__builtin_expect(l->flags & PACKET_FRAGMENT, 0))
        r->fragments += r->fragments < UINT32_MAX;
    if (l->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST))
        follow_tcp(t, number, l, side);
}

/* The packet's record whatever the tags say, made if need be. */
static uint32_t find_slowly(struct flow_table *t, const struct packet *p, const struct layers *l)
{
    struct index_walk walk;
    uint32_t number = index_first(&t->index, tag_of(l), &walk);
    while (number != 0 && !is_same_key(t, &t->record[number], l))
        number = index_next(&t->index, &walk);
    return number != 0 ? number : insert(t, p, l);
}

/* nfpcapd: DNS and ICMP packets are records by themselves. */
static bool is_single(const struct layers *l)
{
    uint8_t proto = l->key.proto;
    return proto == PROTO_ICMP || proto == PROTO_ICMP6 ||
           (proto == PROTO_UDP && (l->key.port[0] == PORT_DNS || l->key.port[1] == PORT_DNS));
}

static void meter_single(struct flow_table *t, const struct packet_batch *batch, unsigned i)
{
    const struct layers *l = &batch->layer[i];
    struct flow_record r = { 0 };
    start_record(t, &r, &batch->pkt[i], l);
    r.octets[0] = length_of(t, batch, i);
    r.packets[0] = 1;
    r.ttl = l->ttl;
    r.fragments = (l->flags & PACKET_FRAGMENT) != 0;
    flow_rows_add(&t->rows, &r, FLOW_END_DETECTED);
    t->ledger->out[STAGE_meter]++;
}

static void probe(struct flow_table *t, const struct packet_batch *batch, const uint16_t at[], unsigned count, uint32_t found[])
{
    for (unsigned k = 0; k < count; k++) {
        const struct layers *l = &batch->layer[at[k]];
        struct index_walk walk;
        uint32_t number = index_first(&t->index, tag_of(l), &walk);
        if (number == 0 && !(t->options.single_packets && is_single(l)))
            number = insert(t, &batch->pkt[at[k]], l);
        found[k] = number;
        __builtin_prefetch(&t->record[number], 1);
        __builtin_prefetch(&t->record[number].octets, 1);
    }
}

static void update(struct flow_table *t, const struct packet_batch *batch, const int64_t seen_ns[], const uint16_t at[], unsigned count_,
                   const uint32_t found[])
{
    unsigned metered = 0;
    for (unsigned k = 0; k < count_; k++) {
        unsigned i = at[k];
        const struct layers *l = &batch->layer[i];
        if (t->options.single_packets && is_single(l)) {
            meter_single(t, batch, i);
            continue;
        }
        uint32_t number = found[k];
        struct flow_record *r = &t->record[number];
        if (__builtin_expect(!is_same_key(t, r, l), 0)) {
            number = find_slowly(t, &batch->pkt[i], l);
            r = &t->record[number];
            if (number == 0) {
                ledger_count(t->ledger, REASON_no_table_memory, 1);
                continue;
            }
        }
        unsigned side = is_backward(r, l);
        if (__builtin_expect(is_over(t, r, &batch->pkt[i], seen_ns[i], l, side), 0)) {
            bool is_idle = is_longer(r->last_ns, seen_ns[i], t->options.idle_ns);
            flow_rows_add(&t->rows, r, r->state & RECORD_CLOSED ? FLOW_END_DETECTED : is_idle ? FLOW_END_IDLE : FLOW_END_ACTIVE);
            start_record(t, r, &batch->pkt[i], l);
            side = is_backward(r, l);
        }
        count(t, number, batch, i, side);
        metered++;
    }
    t->ledger->out[STAGE_meter] += metered;
}

static uint64_t time_now(const struct flow_table *t)
{
    struct timespec now = { 0 };
    if (t->options.is_timed)
        clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * (uint64_t)NS_PER_S + (uint64_t)now.tv_nsec;
}

int flow_table_update(struct flow_table *table, const struct packet_batch *batch, const int64_t seen_ns[], const uint16_t at[],
                      unsigned count)
{
    uint32_t found[2][RUN];
    assert(count <= BATCH_MAX);
    if (count > 0 && !table->is_started) {
        wheel_due(&table->wheel, seen_ns[at[0]]); /* sets the wheel to the time of the stream */
        table->is_started = true;
    }
    table->ledger->in[STAGE_meter] += count;
    for (unsigned k = 0; k < count && k < RUN; k++)
        index_prefetch(&table->index, tag_of(&batch->layer[at[k]]));
    for (unsigned first = 0, run = 0; first < count; first += RUN, run ^= 1) {
        unsigned size = count - first < RUN ? count - first : RUN;
        for (unsigned k = first + RUN; k < count && k < first + 2 * RUN; k++)
            index_prefetch(&table->index, tag_of(&batch->layer[at[k]]));
        uint64_t begin_ns = time_now(table);
        probe(table, batch, at + first, size, found[run]);
        uint64_t probed_ns = time_now(table);
        if (first > 0)
            update(table, batch, seen_ns, at + first - RUN, RUN, found[run ^ 1]);
        if (first + size == count)
            update(table, batch, seen_ns, at + first, size, found[run]);
        table->probe_ns += probed_ns - begin_ns;
        table->update_ns += time_now(table) - probed_ns;
    }
    return table->rows.failed;
}

/* ---- time ---- */

int flow_table_expire(struct flow_table *table, int64_t second_ns, unsigned budget)
{
    for (; budget > 0; budget--) {
        uint32_t number = wheel_due(&table->wheel, second_ns);
        if (number == 0)
            break;
        const struct flow_record *r = &table->record[number];
        int64_t deadline = deadline_of(table, r);
        if (deadline < second_ns) {
            end_record(table, number, FLOW_END_IDLE);
        } else {
            wheel_unlink(&table->wheel, number);
            wheel_link(&table->wheel, number, deadline);
        }
    }
    return table->rows.failed;
}

int flow_table_flush(struct flow_table *table, int64_t newest_ns)
{
    /* In the order of the slab, which is memory's. */
    for (uint32_t number = 1; number < table->used; number++) {
        const struct flow_record *r = &table->record[number];
        if (r->key.version == 0)
            continue;
        bool is_idle = is_longer(r->last_ns, newest_ns, table->options.idle_ns);
        flow_rows_add(&table->rows, r, r->state & RECORD_CLOSED ? FLOW_END_DETECTED : is_idle ? FLOW_END_IDLE : FLOW_END_FORCED);
    }
    flow_rows_flush(&table->rows);
    return table->rows.failed;
}
