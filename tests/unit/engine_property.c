/*
 * Random traffic against a reference meter that is slow and obviously right: equal records for 1, 2
 * and 4 workers and any batch size. WEIR_SEED=N repeats a run.
 */
#include <stdio.h>

#include "meter_scene.h"

#define SHOTS 4000
#define RUNS  24

/* ---- the reference ---- */

struct open_flow {
    struct row row;
    bool is_open, fin[2], is_closed, is_sure;
    char host[2];
    uint16_t port[2];
};

struct reference {
    const struct flow_options *o;
    struct open_flow flow[SHOTS];
    size_t flow_count;
    struct row *row;
    size_t row_count;
    int64_t second, newest;
    bool is_ip6;
};

static void emit(struct reference *ref, struct open_flow *f, uint8_t reason)
{
    f->row.reason = f->is_closed ? FLOW_END_DETECTED : reason;
    ref->row[ref->row_count++] = f->row;
    f->is_open = false;
}

static void host_address(const struct reference *ref, char host, uint8_t out[16])
{
    memset(out, 0, 16);
    out[0] = ref->is_ip6 ? 0x20 : 10;
    out[ref->is_ip6 ? 15 : 3] = (uint8_t)host;
}

static void turn(struct open_flow *f)
{
#define SWAP(a, b)                                                                                 \
    do {                                                                                           \
        __typeof__(a) was = a;                                                                     \
        a = b;                                                                                     \
        b = was;                                                                                   \
    } while (0)
    uint8_t kept[16];
    memcpy(kept, f->row.src, 16);
    memcpy(f->row.src, f->row.dst, 16);
    memcpy(f->row.dst, kept, 16);
    SWAP(f->row.sport, f->row.dport);
    SWAP(f->row.packets[0], f->row.packets[1]);
    SWAP(f->row.octets[0], f->row.octets[1]);
    SWAP(f->row.flags[0], f->row.flags[1]);
    SWAP(f->fin[0], f->fin[1]);
    SWAP(f->host[0], f->host[1]);
    SWAP(f->port[0], f->port[1]);
#undef SWAP
}

static bool is_syn_only(const struct shot *s)
{
    return s->proto == TCP && (s->flags & (SYN | ACK)) == SYN;
}

static struct open_flow *find(struct reference *ref, const struct shot *s, unsigned *side)
{
    for (size_t i = ref->flow_count; i-- > 0;) {
        struct open_flow *f = &ref->flow[i];
        if (!f->is_open || f->row.proto != s->proto)
            continue;
        if (f->host[0] == s->from && f->host[1] == s->to && f->port[0] == s->sport &&
            f->port[1] == s->dport) {
            *side = 0;
            return f;
        }
        if (ref->o->is_biflow && f->host[0] == s->to && f->host[1] == s->from &&
            f->port[0] == s->dport && f->port[1] == s->sport) {
            *side = 1;
            return f;
        }
    }
    return NULL;
}

static struct open_flow *begin(struct reference *ref, const struct shot *s, unsigned *side)
{
    struct open_flow *f = &ref->flow[ref->flow_count++];
    *f = (struct open_flow){ .is_open = true,
                             .host = { s->from, s->to },
                             .port = { s->sport, s->dport } };
    host_address(ref, s->from, f->row.src);
    host_address(ref, s->to, f->row.dst);
    f->row.start = f->row.end = s->ms * 1000000;
    f->row.sport = s->sport;
    f->row.dport = s->dport;
    f->row.proto = s->proto;
    f->row.version = ref->is_ip6 ? 6 : 4;
    *side = 0;
    if (ref->o->is_client_server && ref->o->is_biflow) {
        bool is_syn = s->proto == TCP && (s->flags & SYN) && !(s->flags & RST);
        f->is_sure = is_syn;
        bool is_loop = s->from == s->to && s->sport == s->dport; /* has no direction */
        if (!is_loop && (is_syn ? (s->flags & ACK) != 0 : s->sport < 1024 && s->dport >= 1024)) {
            turn(f);
            *side = 1;
        }
    }
    return f;
}

static void reference_clock(struct reference *ref, int64_t time, bool is_first)
{
    int64_t full = time / NS_PER_S * NS_PER_S;
    if (is_first || time < ref->second - FLOW_CLOCK_BACK_NS) {
        for (size_t i = 0; i < ref->flow_count && !is_first; i++) {
            struct open_flow *f = &ref->flow[i];
            int64_t silent = f->is_closed ? ref->o->linger_ns : ref->o->idle_ns;
            if (f->is_open && f->row.end < ref->second - silent)
                emit(ref, f, FLOW_END_IDLE);
        }
        ref->second = full;
    }
    if (time >= ref->second)
        ref->second = full;
    if (is_first || time > ref->newest)
        ref->newest = time;
}

static void reference_packet(struct reference *ref, const struct shot *s, bool is_first)
{
    int64_t time = s->ms * 1000000;
    reference_clock(ref, time, is_first);
    int64_t seen = time > ref->second ? time : ref->second;
    unsigned side;
    struct open_flow *f = find(ref, s, &side);
    if (f != NULL) {
        bool is_idle = seen - f->row.end > ref->o->idle_ns;
        bool is_over = is_idle || (f->is_closed && seen - f->row.end > ref->o->linger_ns) ||
                       time - f->row.start > ref->o->active_ns || (f->is_closed && is_syn_only(s));
        if (is_over) {
            emit(ref, f, is_idle ? FLOW_END_IDLE : FLOW_END_ACTIVE);
            f = NULL;
        }
    }
    if (f == NULL)
        f = begin(ref, s, &side);
    if (time < f->row.end)
        f->row.out_of_order++;
    if (time < f->row.start)
        f->row.start = time;
    if (time > f->row.end)
        f->row.end = time;
    f->row.packets[side]++;
    f->row.octets[side] += shot_length(s);
    if (s->proto != TCP)
        return;
    f->row.flags[side] |= s->flags;
    if (s->flags & FIN)
        f->fin[side] = true;
    if (ref->o->is_client_server && ref->o->is_biflow && !f->is_sure && (s->flags & SYN) &&
        !(s->flags & RST)) {
        if ((side == 0) == ((s->flags & ACK) != 0) && !(s->from == s->to && s->sport == s->dport))
            turn(f);
        f->is_sure = true;
    }
    if (ref->o->ends_at_fin &&
        ((s->flags & RST) || (f->fin[0] && (f->fin[1] || !ref->o->is_biflow))))
        f->is_closed = true;
    if (f->is_closed && ref->o->linger_ns == 0)
        emit(ref, f, FLOW_END_DETECTED);
}

static void reference_meter(struct reference *ref, const struct shot *shot, size_t count)
{
    for (size_t i = 0; i < count; i++)
        reference_packet(ref, &shot[i], i == 0);
    for (size_t i = 0; i < ref->flow_count; i++)
        if (ref->flow[i].is_open)
            emit(ref, &ref->flow[i],
                 ref->newest - ref->flow[i].row.end > ref->o->idle_ns ? FLOW_END_IDLE
                                                                      : FLOW_END_FORCED);
    qsort(ref->row, ref->row_count, sizeof *ref->row, row_order);
}

/* ---- the traffic ---- */

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Few hosts and ports, so that flows meet again; time goes on by little, by much, and now and then
 * back. */
static void make_traffic(struct shot *shot, size_t count, uint64_t *seed)
{
    static const uint8_t flags[] = { ACK, ACK, ACK, SYN, SYN | ACK, FIN | ACK, FIN | ACK, RST, 0 };
    static const uint16_t ports[] = { 53, 80, 1023, 1024, 4000 };
    int64_t now = 1000000;
    for (size_t i = 0; i < count; i++) {
        uint64_t r = next_random(seed);
        unsigned step = r & 127;
        now += step < 100   ? (int64_t)(r >> 8 & 255)
               : step < 120 ? (int64_t)(r >> 8 & 4095)
               : step < 126 ? 70000
                            : 0;
        int64_t jitter = step == 126                         ? -(int64_t)(r >> 8 & 16383)
                         : step == 127 && (r >> 20 & 7) == 0 ? -500000
                                                             : 0;
        r = next_random(seed);
        shot[i] = (struct shot){ .ms = now + jitter > 0 ? now + jitter : 1,
                                 .from = (char)('a' + (r & 3)),
                                 .to = (char)('a' + (r >> 2 & 3)),
                                 .sport = ports[(r >> 4 & 255) % 5],
                                 .dport = ports[(r >> 12 & 255) % 5],
                                 .proto = r >> 20 & 1 ? TCP : UDP,
                                 .flags = flags[(r >> 21 & 255) % 9],
                                 .octets = (uint16_t)(60 + (r >> 32 & 1023)) };
        if (shot[i].proto != TCP)
            shot[i].flags = 0;
    }
}

static struct flow_options random_options(uint64_t *seed)
{
    static const char *const presets[] = { "native", "native", "crl", "native" };
    static const int64_t times[] = { NS_PER_S / 10, NS_PER_S, 60 * NS_PER_S, INT64_MAX };
    uint64_t r = next_random(seed);
    struct flow_options o = preset(presets[r & 3]);
    o.is_client_server = r >> 2 & 1;
    o.idle_ns = times[1 + (r >> 3 & 255) % 2];
    o.active_ns = times[(r >> 11 & 255) % 4];
    o.linger_ns = r >> 19 & 1 ? 0 : 2 * NS_PER_S;
    o.ends_at_fin = r >> 20 & 1;
    o.is_biflow = r >> 21 & 3;
    return o;
}

static void any_traffic_gives_the_records_of_the_reference(void **state)
{
    (void)state;
    static struct shot shot[SHOTS];
    static struct scene scene;
    static const unsigned workers[] = { 1, 2, 4 }, sizes[] = { 256, 256, 37 };
    const char *given = getenv("WEIR_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : 20261121;
    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t first_seed = seed;
        struct flow_options o = random_options(&seed);
        make_traffic(shot, SHOTS, &seed);
        struct reference *ref = calloc(1, sizeof *ref);
        assert_non_null(ref);
        ref->o = &o;
        ref->is_ip6 = run & 1;
        ref->row = calloc(SHOTS, sizeof *ref->row);
        assert_non_null(ref->row);
        reference_meter(ref, shot, SHOTS);
        for (unsigned k = 0; k < 3; k++) {
            scene_meter(&scene, shot, SHOTS, &o, workers[k], sizes[k], run & 1);
            size_t same = 0;
            while (same < scene.row_count && same < ref->row_count &&
                   memcmp(&scene.row[same], &ref->row[same], sizeof(struct row)) == 0)
                same++;
            if (same != ref->row_count || same != scene.row_count)
                fail_msg("seed %llu, %u workers: %zu records, not %zu; number %zu differs",
                         (unsigned long long)first_seed, workers[k], scene.row_count,
                         ref->row_count, same);
            scene_fini(&scene);
        }
        free(ref->row);
        free(ref);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        any_traffic_gives_the_records_of_the_reference) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
