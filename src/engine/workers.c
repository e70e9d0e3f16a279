/* Flow tables inline or in threads, see workers.h. */
#include "engine/workers.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum work_kind { WORK_PACKETS, WORK_EXPIRE_ALL, WORK_FLUSH, WORK_QUIT };

/* A batch on its way to a worker. Packet data is what the table still needs: the link addresses. */
struct work {
    enum work_kind kind;
    int64_t second_ns; /* of the clock behind the last packet, INT64_MIN: not known; newest packet
                          time for WORK_FLUSH */
    struct packet_batch batch; /* count is not used: the items say which entries are */
    struct flow_items items;
    int64_t seen_ns[BATCH_MAX];
    uint8_t mac[BATCH_MAX][12];
};

struct worker {
    struct flow_table *table;
    struct ledger ledger;
    struct workers *all;
    uint64_t meter_ns, expire_ns, flush_ns;
    /* Only with threads: a ring with one writer and one reader. */
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t has_work, has_room;
    struct work *ring;
    uint64_t filled, done; /* batches given and finished since the start */
    bool is_reader_asleep, is_writer_asleep;
    int failed;
};

/* The way out of all tables: one batch at a time into the owner's sink. */
struct way_out {
    struct record_sink sink; /* first */
    struct record_sink *to;  /* NULL: count and free */
    pthread_mutex_t lock;
    struct ledger ledger;
};

struct workers {
    const struct engine_options *options;
    unsigned count;
    bool has_threads;
    struct way_out out;
    uint64_t hand_over_ns;
    int64_t second_ns; /* of the clock behind the last whole batch: packets that come now are not
                          older */
    struct worker worker[];
};

uint64_t profile_now(const struct engine_options *options)
{
    struct timespec now = { 0 };
    if (options->profile != NULL)
        clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * (uint64_t)NS_PER_S + (uint64_t)now.tv_nsec;
}

static int way_out_push(struct record_sink *sink, struct record_batch *batch)
{
    struct way_out *out = (struct way_out *)sink;
    int code = 0;
    pthread_mutex_lock(&out->lock);
    out->ledger.out[STAGE_record] += batch->count;
    if (out->to != NULL)
        code = out->to->push(out->to, batch);
    else
        record_batch_unref(batch);
    pthread_mutex_unlock(&out->lock);
    return code;
}

/* ---- what a worker does ---- */

static int meter(struct worker *w, const struct packet_batch *batch, const int64_t seen_ns[],
                 struct flow_items *items, int64_t second_ns)
{
    uint64_t begin_ns = profile_now(w->all->options);
    int code = flow_table_update(w->table, batch, seen_ns, items);
    uint64_t metered_ns = profile_now(w->all->options);
    w->meter_ns += metered_ns - begin_ns;
    if (code == 0 && second_ns != INT64_MIN)
        code = flow_table_expire(w->table, second_ns, EXPIRE_BUDGET);
    w->expire_ns += profile_now(w->all->options) - metered_ns;
    return code;
}

static int flush(struct worker *w, int64_t newest_ns)
{
    uint64_t begin_ns = profile_now(w->all->options);
    int code = flow_table_flush(w->table, newest_ns);
    w->flush_ns += profile_now(w->all->options) - begin_ns;
    return code;
}

static int do_work(struct worker *w, struct work *work)
{
    switch (work->kind) {
    case WORK_PACKETS:
        return meter(w, &work->batch, work->seen_ns, &work->items, work->second_ns);
    case WORK_EXPIRE_ALL:
        return flow_table_expire(w->table, work->second_ns, UINT32_MAX);
    case WORK_FLUSH:
        return flush(w, work->second_ns);
    case WORK_QUIT:
        break;
    }
    return 0;
}

static void *worker_run(void *state)
{
    struct worker *w = state;
    bool is_done = false;
    while (!is_done) {
        pthread_mutex_lock(&w->lock);
        while (w->filled == w->done) {
            w->is_reader_asleep = true;
            pthread_cond_wait(&w->has_work, &w->lock);
            w->is_reader_asleep = false;
        }
        uint64_t first = w->done, end = w->filled;
        bool has_failed = w->failed != 0;
        pthread_mutex_unlock(&w->lock);
        for (uint64_t n = first; n < end; n++) {
            struct work *work = &w->ring[n % WORKER_RING];
            is_done = work->kind == WORK_QUIT;
            int code = has_failed ? 0 : do_work(w, work); /* after a failure the rest is let go */
            pthread_mutex_lock(&w->lock);
            if (w->failed == 0)
                w->failed = code;
            has_failed = w->failed != 0;
            w->done++;
            if (w->is_writer_asleep &&
                (w->done == w->filled || w->filled - w->done <= WORKER_RING / 2))
                pthread_cond_signal(&w->has_room);
            pthread_mutex_unlock(&w->lock);
        }
    }
    return NULL;
}

/* ---- the calling thread's side of a ring ---- */

/* The work being filled: nobody else looks at it until it is given. */
static struct work *work_now(struct worker *w)
{
    return &w->ring[w->filled % WORKER_RING];
}

static bool has_packets(struct worker *w)
{
    return work_now(w)->items.ip4_count + work_now(w)->items.ip6_count > 0;
}

/* Hand over the work being filled and make sure the next one is free. */
static int give(struct worker *w, enum work_kind kind, int64_t second_ns, bool is_urgent)
{
    struct work *work = work_now(w);
    work->kind = kind;
    work->second_ns = second_ns;
    pthread_mutex_lock(&w->lock);
    w->filled++;
    if (w->is_reader_asleep && (is_urgent || w->filled - w->done >= WORKER_WAKE))
        pthread_cond_signal(&w->has_work);
    while (w->filled - w->done == WORKER_RING) {
        w->is_writer_asleep = true;
        pthread_cond_wait(&w->has_room, &w->lock);
        w->is_writer_asleep = false;
    }
    int code = w->failed;
    pthread_mutex_unlock(&w->lock);
    work_now(w)->items.ip4_count = work_now(w)->items.ip6_count = 0;
    return code;
}

/* Packets first, then the order `kind`. */
static int give_order(struct worker *w, enum work_kind kind, int64_t second_ns)
{
    int code = 0;
    if (has_packets(w))
        code = give(w, WORK_PACKETS, INT64_MIN, true);
    int after = give(w, kind, second_ns, true);
    return code < 0 ? code : after;
}

static int wait_until_done(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    if (w->is_reader_asleep)
        pthread_cond_signal(&w->has_work);
    while (w->done < w->filled) {
        w->is_writer_asleep = true;
        pthread_cond_wait(&w->has_room, &w->lock);
        w->is_writer_asleep = false;
    }
    int code = w->failed;
    pthread_mutex_unlock(&w->lock);
    return code;
}

/*
 * Put a packet into the work being filled, IPv4 from the start, IPv6 from the end. Work that is
 * full goes while others of its batch are still to come, so it may expire up to the second before
 * the batch only.
 */
static int hand_over(struct worker *w, const struct packet_batch *batch, const int64_t seen_ns[],
                     const struct flow_item *item, bool is_ip6)
{
    struct work *work = work_now(w);
    unsigned k = is_ip6 ? BATCH_MAX - ++work->items.ip6_count : work->items.ip4_count++;
    struct packet *p = &work->batch.pkt[k];
    struct layers *l = &work->batch.layer[k];
    *p = batch->pkt[item->at];
    *l = batch->layer[item->at];
    work->items.item[k] = *item;
    work->items.item[k].at = (uint16_t)k;
    work->seen_ns[k] = seen_ns == NULL ? p->time_ns : seen_ns[item->at];
    bool has_mac = (uint32_t)l->mac + 12 <= p->caplen;
    if (has_mac)
        memcpy(work->mac[k], p->data + l->mac, 12);
    p->data = work->mac[k];
    p->caplen = has_mac ? 12 : 0;
    l->mac = 0;
    bool is_full = work->items.ip4_count + work->items.ip6_count == BATCH_MAX;
    return is_full ? give(w, WORK_PACKETS, w->all->second_ns, false) : 0;
}

static int distribute(struct workers *all, const struct packet_batch *batch,
                      const int64_t seen_ns[], struct flow_items *items)
{
    int code = 0;
    unsigned count = items->ip4_count + items->ip6_count;
    for (unsigned k = 0; k < count; k++) {
        bool is_ip6 = k >= items->ip4_count;
        const struct flow_item *item =
            flow_item_at(items, is_ip6 ? k - items->ip4_count : k, is_ip6);
        /* The lower half of the hash: the tables go by the upper one. */
        struct worker *w = &all->worker[(uint64_t)(uint32_t)item->hash * all->count >> 32];
        int given = hand_over(w, batch, seen_ns, item, is_ip6);
        code = code < 0 ? code : given;
    }
    return code;
}

/* ---- all workers ---- */

static int worker_start(struct worker *w, const struct flow_options *flow, struct err *e)
{
    struct workers *all = w->all;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->has_work, NULL);
    pthread_cond_init(&w->has_room, NULL);
    int code = flow_table_new(&w->table, flow, &all->out.sink, &w->ledger, e);
    if (code < 0 || !all->has_threads)
        return code;
    w->ring = memory_big_new(WORKER_RING * sizeof *w->ring);
    if (w->ring == NULL)
        return err_memory(e, "ring of a worker", WORKER_RING * sizeof *w->ring);
    if (pthread_create(&w->thread, NULL, worker_run, w) != 0)
        return err_set(e, WEIR_ESYSTEM, "engine: cannot start a worker thread; use fewer with -j");
    w->is_running = true;
    return 0;
}

int workers_new(struct workers **workers, const struct engine_options *options, struct err *e)
{
    unsigned count = options->worker_count;
    assert(count >= 1 && count <= ENGINE_WORKERS_MAX);
    struct workers *all = calloc(1, sizeof *all + count * sizeof all->worker[0]);
    if (all == NULL)
        return err_memory(e, "workers", sizeof *all);
    all->options = options;
    all->count = count;
    all->has_threads = count > 1;
    all->second_ns = INT64_MIN;
    all->out.sink.push = way_out_push;
    all->out.to = options->flows;
    pthread_mutex_init(&all->out.lock, NULL);
    struct flow_options flow = options->flow;
    flow.memory_octets = options->flow.memory_octets / count;
    int code = 0;
    for (unsigned i = 0; i < count && code == 0; i++) {
        all->worker[i].all = all;
        code = worker_start(&all->worker[i], &flow, e);
    }
    if (code < 0) {
        workers_free(all);
        return code;
    }
    *workers = all;
    return 0;
}

void workers_free(struct workers *workers)
{
    if (workers == NULL)
        return;
    for (unsigned i = 0; i < workers->count; i++) {
        struct worker *w = &workers->worker[i];
        if (w->is_running) {
            (void)give(w, WORK_QUIT, 0, true);
            pthread_join(w->thread, NULL);
        }
        flow_table_free(w->table);
        memory_big_free(w->ring, WORKER_RING * sizeof *w->ring);
        if (w->all != NULL) {
            pthread_mutex_destroy(&w->lock);
            pthread_cond_destroy(&w->has_work);
            pthread_cond_destroy(&w->has_room);
        }
    }
    pthread_mutex_destroy(&workers->out.lock);
    free(workers);
}

int workers_meter(struct workers *workers, const struct packet_batch *batch,
                  const int64_t seen_ns[], struct flow_items *items, int64_t second_ns)
{
    if (!workers->has_threads)
        return meter(&workers->worker[0], batch, seen_ns, items, second_ns);
    uint64_t begin_ns = profile_now(workers->options);
    int code = distribute(workers, batch, seen_ns, items);
    workers->second_ns = second_ns;
    workers->hand_over_ns += profile_now(workers->options) - begin_ns;
    return code;
}

int workers_expire_all(struct workers *workers, int64_t second_ns)
{
    int code = 0;
    for (unsigned i = 0; i < workers->count && code == 0; i++)
        code = workers->has_threads
                   ? give_order(&workers->worker[i], WORK_EXPIRE_ALL, second_ns)
                   : flow_table_expire(workers->worker[i].table, second_ns, UINT32_MAX);
    workers->second_ns = INT64_MIN; /* the clock turns back */
    return code;
}

int workers_flush(struct workers *workers, int64_t newest_ns)
{
    if (!workers->has_threads)
        return flush(&workers->worker[0], newest_ns);
    int code = 0;
    for (unsigned i = 0; i < workers->count; i++) {
        int given = give_order(&workers->worker[i], WORK_FLUSH, newest_ns);
        code = code < 0 ? code : given;
    }
    for (unsigned i = 0; i < workers->count; i++) {
        int done = wait_until_done(&workers->worker[i]);
        code = code < 0 ? code : done;
    }
    return code;
}

void workers_ledger(struct workers *workers, struct ledger *ledger)
{
    for (unsigned i = 0; i < workers->count; i++) {
        struct worker *w = &workers->worker[i];
        if (workers->has_threads) {
            if (has_packets(w))
                (void)give(w, WORK_PACKETS, INT64_MIN, true);
            (void)wait_until_done(w);
        }
        ledger_add(ledger, &w->ledger);
    }
    pthread_mutex_lock(&workers->out.lock);
    ledger_add(ledger, &workers->out.ledger);
    pthread_mutex_unlock(&workers->out.lock);
}

void workers_profile(struct workers *workers, struct engine_profile *profile)
{
    profile->ns[PASS_hand_over] += workers->hand_over_ns;
    for (unsigned i = 0; i < workers->count; i++) {
        const struct worker *w = &workers->worker[i];
        struct flow_table_stats stats;
        flow_table_stats(w->table, &stats);
        profile->ns[PASS_meter] += w->meter_ns;
        profile->ns[PASS_expire] += w->expire_ns;
        profile->ns[PASS_flush] += w->flush_ns;
        profile->flows_max += stats.open_max;
        profile->flow_octets_max += stats.octets;
    }
}
