/* One turn after the other: fill, decode, choose, hash, meter. See engine.h. */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/minute.h"
#include "engine/workers.h"

#define FRAGMENT_SHARE      64 /* of the memory, one part of so many is for fragments */
#define FRAGMENT_OCTETS_MAX (UINT64_C(4) << 20)

const char *const engine_pass_names[PASS_COUNT] = {
    [PASS_read] = "read",   [PASS_decode] = "decode", [PASS_hash] = "hash",
    [PASS_meter] = "meter", [PASS_expire] = "expire", [PASS_hand_over] = "hand over",
    [PASS_flush] = "flush",
};

struct engine {
    struct capture *capture;
    const struct engine_options *options;
    struct engine_options with_share; /* options with the memory that is left for the tables */
    struct ledger ledger;             /* stages decode and filter; the capture has its own */
    struct hash_secret secret;
    struct fragment_map *fragments;
    struct workers *workers;
    struct flow_clock clock;
    struct minute minute;
    struct packet_batch *batch;
    int64_t seen_ns[BATCH_MAX];
    struct flow_choice choice; /* packets that go on */
    struct flow_items items;
    uint8_t keep[BATCH_MAX];
};

/* Sum over all stages as of now. Waits for the workers. */
static void sum_ledger(struct engine *g, struct ledger *sum)
{
    *sum = g->ledger;
    if (g->capture->ledger != NULL)
        ledger_add(sum, g->capture->ledger);
    if (g->workers != NULL)
        workers_ledger(g->workers, sum);
}

/* A packet with a verdict, a fragment or ICMP: may it go on? */
static bool look_closer(struct engine *g, unsigned i)
{
    struct layers *l = &g->batch->layer[i];
    ledger_count(&g->ledger, l->verdict, l->verdict != REASON_none);
    if (l->verdict != REASON_none && ledger_reasons[l->verdict].kind != KIND_noted)
        return false;
    if (flow_is_icmp(l->key.proto) && (l->flags & PACKET_PORTS) != 0 && g->options->flow.is_biflow)
        flow_key_pair_icmp(&l->key);
    if ((l->flags & PACKET_FRAGMENT) && g->fragments != NULL)
        fragment_map_attribute(g->fragments, &g->batch->pkt[i], l, &g->ledger);
    return true;
}

/* Packets of a list that pass the filter. */
static unsigned filter_list(const struct engine *g, uint16_t list[], unsigned count)
{
    unsigned kept = 0;
    for (unsigned k = 0; k < count; k++) {
        list[kept] = list[k];
        kept += g->keep[list[k]] != 0;
    }
    return kept;
}

/* Which of the packets [first, last) can be metered and pass the filter? */
static void choose(struct engine *g, unsigned first, unsigned last)
{
    struct flow_choice *c = &g->choice;
    unsigned ip4 = 0, ip6 = 0;
    for (unsigned i = first; i < last; i++) {
        const struct layers *l = &g->batch->layer[i];
        if (__builtin_expect(
                (l->verdict | (l->flags & PACKET_FRAGMENT) | flow_is_icmp(l->key.proto)) != 0, 0) &&
            !look_closer(g, i))
            continue;
        unsigned is_ip6 = l->key.version == 6;
        c->ip4[ip4] = c->ip6[ip6] = (uint16_t)i;
        ip4 += is_ip6 ^ 1;
        ip6 += is_ip6;
    }
    unsigned count = ip4 + ip6;
    g->ledger.in[STAGE_decode] += last - first;
    g->ledger.out[STAGE_decode] += count;
    g->ledger.in[STAGE_filter] += count;
    if (g->options->packet_filter != NULL) {
        ip4 = filter_list(g, c->ip4, ip4);
        ip6 = filter_list(g, c->ip6, ip6);
        ledger_count(&g->ledger, REASON_filtered, count - ip4 - ip6);
    }
    c->ip4_count = ip4;
    c->ip6_count = ip6;
    g->ledger.out[STAGE_filter] += ip4 + ip6;
}

/* First packet from `first` on that is not in the minute that runs. */
static unsigned minute_border(const struct engine *g, unsigned first)
{
    unsigned i = first;
    if (g->minute.out != NULL && g->minute.is_started)
        while (i < g->batch->count && g->batch->pkt[i].time_ns < g->minute.start_ns + MINUTE_NS)
            i++;
    else
        i = g->batch->count;
    return i;
}

/* The packet at `first` begins another minute: account for the one that ran. */
static void next_minute(struct engine *g, int64_t time_ns)
{
    if (g->minute.out == NULL)
        return;
    if (g->minute.is_started) {
        struct ledger now;
        sum_ledger(g, &now);
        /* The capture is ahead by what is left of the batch. */
        now.out[STAGE_input] = now.in[STAGE_decode];
        minute_end(&g->minute, &now);
    }
    g->minute.is_started = true;
    g->minute.start_ns = minute_of(time_ns);
}

static void add_time(struct engine *g, enum engine_pass pass, uint64_t *since_ns)
{
    if (g->options->profile == NULL)
        return;
    uint64_t now_ns = profile_now(g->options);
    g->options->profile->ns[pass] += now_ns - *since_ns;
    *since_ns = now_ns;
}

/* Meter a decoded batch, in parts where the clock turns back or a minute ends. */
static int meter_batch(struct engine *g)
{
    struct packet_batch *b = g->batch;
    int code = 0;
    for (unsigned first = 0; first < b->count && code == 0;) {
        if (!g->minute.is_started || minute_border(g, first) == first)
            next_minute(g, b->pkt[first].time_ns);
        unsigned border = minute_border(g, first);
        uint64_t since_ns = profile_now(g->options);
        bool is_plain;
        unsigned last = flow_clock_run(&g->clock, b, first, border, g->seen_ns, &is_plain);
        choose(g, first, last);
        flow_items_make(&g->items, b, &g->choice, &g->with_share.flow, &g->secret);
        add_time(g, PASS_hash, &since_ns);
        code = workers_meter(g->workers, b, is_plain ? NULL : g->seen_ns, &g->items,
                             g->clock.second_ns);
        if (code == 0 && last < border) {
            code = workers_expire_all(g->workers, g->clock.second_ns);
            next_minute(g, b->pkt[last].time_ns);
            flow_clock_turn(&g->clock, &b->pkt[last]);
        }
        first = last;
    }
    return code;
}

static const char interrupted[] = "interrupted; what was complete has been written";

/* Everything the capture gives. */
static int run(struct engine *g, struct err *e)
{
    const struct engine_options *o = g->options;
    for (;;) {
        uint64_t since_ns = profile_now(o);
        int count = capture_fill(g->capture, g->batch, e);
        text_say(&g->capture->messages, g->options->who != NULL ? g->options->who : "weir");
        bool is_stopped = o->stop != NULL && *o->stop != 0;
        if (count <= 0 && !is_stopped)
            return count;
        if (count <= 0)
            return err_set(e, WEIR_EINTERRUPT, "%s", interrupted);
        add_time(g, PASS_read, &since_ns);
        decode_batch(g->batch, &o->decode);
        add_time(g, PASS_decode, &since_ns);
        if (o->packet_filter != NULL)
            bpf_select(o->packet_filter, g->batch, g->keep);
        int code = meter_batch(g);
        if (code < 0)
            return err_set(e, code, "flow records could not be handed on%s",
                           code == WEIR_EMEMORY ? ": no memory" : "");
        if (is_stopped)
            return err_set(e, WEIR_EINTERRUPT, "%s", interrupted);
    }
}

static int engine_init(struct engine *g, struct err *e)
{
    const struct engine_options *o = g->options;
    uint64_t fragment_octets = 0;
    int code = hash_secret_new(&g->secret, e);
    g->batch = memory_big_new(sizeof *g->batch);
    if (code == 0 && g->batch == NULL)
        code = err_memory(e, "packet batch", sizeof *g->batch);
    if (code == 0 && o->flow.attributes_fragments) {
        fragment_octets = o->flow.memory_octets / FRAGMENT_SHARE;
        if (fragment_octets > FRAGMENT_OCTETS_MAX)
            fragment_octets = FRAGMENT_OCTETS_MAX;
        code = fragment_map_new(&g->fragments, fragment_octets, &g->secret, e);
    }
    g->minute.out = o->minutes;
    g->with_share = *o;
    g->with_share.flow.memory_octets -= fragment_octets;
    if (!o->decode.enter_tunnels)
        g->with_share.flow.mask.tunnel = 0; /* it is 0 in all packets: nothing to compare */
    return code == 0 ? workers_new(&g->workers, &g->with_share, e) : code;
}

int engine_meter(struct capture *capture, const struct engine_options *options,
                 struct ledger *ledger, struct err *e)
{
    struct engine *g = calloc(1, sizeof *g);
    if (g == NULL)
        return err_memory(e, "engine", sizeof *g);
    g->capture = capture;
    g->options = options;
    int code = engine_init(g, e);
    if (code == 0)
        code = run(g, e);
    if (g->workers != NULL) {
        int flushed = workers_flush(g->workers, g->clock.newest_ns);
        if (flushed < 0 && code == 0)
            code = err_set(e, flushed, "flow records could not be handed on%s",
                           flushed == WEIR_EMEMORY ? ": no memory" : "");
        if (options->profile != NULL)
            workers_profile(g->workers, options->profile);
    }
    sum_ledger(g, ledger);
    if (g->minute.is_started && options->minutes != NULL) {
        minute_end(&g->minute, ledger);
        int pushed = minute_flush(&g->minute);
        if (pushed < 0 && code == 0)
            code = err_set(e, pushed, "ledger rows could not be handed on");
    }
    workers_free(g->workers);
    fragment_map_free(g->fragments);
    memory_big_free(g->batch, sizeof *g->batch);
    free(g);
    return code;
}
