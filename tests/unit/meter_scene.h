/*
 * A scene: packets made by hand, metered by the whole engine from a capture that lives in memory.
 * Rows come out as plain structs.
 */
#ifndef TEST_METER_SCENE_H
#define TEST_METER_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"

#define LINK_RAW    101
#define SHOT_OCTETS 80 /* room for IPv6 and TCP headers */

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, ICMP = 1, TCP = 6, UDP = 17 };

struct shot {
    int64_t ms;
    char from, to; /* host letters: 10.0.0.LETTER */
    uint16_t sport, dport;
    uint8_t proto, flags; /* TCP flags */
    uint16_t octets;      /* IP length; 0 = 60 */
    uint16_t fragment;    /* offset in octets / 8, | 0x2000 for more to come; 0 = none */
    uint16_t id;
};

struct row {
    int64_t start, end;
    uint8_t src[16], dst[16];
    uint64_t packets[2], octets[2], out_of_order, fragments;
    uint16_t sport, dport, flags[2];
    uint8_t proto, reason, version, pad[5];
};

struct scene {
    struct capture capture; /* first */
    struct ledger read;
    const struct shot *shot;
    size_t count, next;
    unsigned batch_size;
    bool is_ip6;
    uint8_t octets[BATCH_MAX][SHOT_OCTETS];
    /* what came out */
    struct record_sink sink;
    struct row *row;
    size_t row_count, row_room;
    struct ledger ledger;
    struct record_sink minutes;
    uint64_t minute_items; /* sum over the rows of kind "in", stage "meter" */
};

static inline void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline uint16_t shot_length(const struct shot *s)
{
    return s->octets ? s->octets : 60;
}

static inline struct packet scene_packet(uint8_t *at, const struct shot *s, bool is_ip6)
{
    memset(at, 0, SHOT_OCTETS);
    uint8_t *l4 = at + (is_ip6 ? 40 : 20);
    if (is_ip6) {
        at[0] = 0x60;
        put16(at + 4, shot_length(s) - 40u);
        at[6] = s->proto;
        at[7] = 64;
        at[8] = at[24] = 0x20;
        at[23] = (uint8_t)s->from;
        at[39] = (uint8_t)s->to;
    } else {
        at[0] = 0x45;
        put16(at + 2, shot_length(s));
        put16(at + 4, s->id);
        put16(at + 6, s->fragment);
        at[8] = 64;
        at[9] = s->proto;
        at[12] = at[16] = 10;
        at[15] = (uint8_t)s->from;
        at[19] = (uint8_t)s->to;
    }
    if ((s->fragment & 0x1fff) == 0) {
        put16(l4, s->proto == ICMP ? s->dport : s->sport);
        put16(l4 + 2, s->dport);
        if (s->proto == TCP) {
            l4[12] = 0x50;
            l4[13] = s->flags;
        } else if (s->proto == UDP) {
            put16(l4 + 4, 8);
        }
    }
    return (struct packet){ .data = at,
                            .caplen = is_ip6 ? 60 : 40,
                            .wirelen = shot_length(s),
                            .time_ns = s->ms * 1000000,
                            .link = LINK_RAW };
}

static inline int scene_fill(struct capture *capture, struct packet_batch *batch, struct err *e)
{
    struct scene *scene = (struct scene *)capture;
    (void)e;
    batch->count = 0;
    while (batch->count < scene->batch_size && scene->next < scene->count) {
        unsigned i = batch->count++;
        batch->pkt[i] = scene_packet(scene->octets[i], &scene->shot[scene->next++], scene->is_ip6);
    }
    capture->ledger->in[STAGE_input] += batch->count;
    capture->ledger->out[STAGE_input] += batch->count;
    return (int)batch->count;
}

static const struct capture_ops scene_ops = { .name = "scene",
                                              .help = "made by hand",
                                              .fill = scene_fill };

/* Value of a row, or zeros when it has none. */
#define TAKE(to, record, name)                                                                     \
    do {                                                                                           \
        if (!record_is_null(b, RECORD_COLUMN(record, name), i))                                    \
            memcpy(&(to), record_value(b, RECORD_COLUMN(record, name), i), sizeof(to));            \
    } while (0)

static inline int scene_push(struct record_sink *sink, struct record_batch *b)
{
    struct scene *scene = (struct scene *)((uint8_t *)sink - offsetof(struct scene, sink));
    for (unsigned i = 0; i < b->count; i++) {
        if (scene->row_count == scene->row_room) {
            scene->row_room = scene->row_room ? scene->row_room * 2 : 64;
            scene->row = realloc(scene->row, scene->row_room * sizeof *scene->row);
            assert_non_null(scene->row);
        }
        struct row *r = &scene->row[scene->row_count++];
        struct address src = { 0 }, dst = { 0 };
        memset(r, 0, sizeof *r);
        TAKE(src, flow, src);
        TAKE(dst, flow, dst);
        memcpy(r->src, src.octet, 16);
        memcpy(r->dst, dst.octet, 16);
        r->version = src.version;
        TAKE(r->start, flow, start);
        TAKE(r->end, flow, end);
        TAKE(r->reason, flow, end_reason);
        TAKE(r->sport, flow, sport);
        TAKE(r->dport, flow, dport);
        TAKE(r->proto, flow, proto);
        TAKE(r->flags[0], flow, flags);
        TAKE(r->flags[1], flow, rev_flags);
        TAKE(r->packets[0], flow, packets);
        TAKE(r->packets[1], flow, rev_packets);
        TAKE(r->octets[0], flow, bytes);
        TAKE(r->octets[1], flow, rev_bytes);
        TAKE(r->out_of_order, flow, out_of_order);
        TAKE(r->fragments, flow, fragments);
    }
    scene->ledger.in[STAGE_output] += b->count;
    scene->ledger.out[STAGE_output] += b->count;
    record_batch_unref(b);
    return 0;
}

static inline int scene_minutes(struct record_sink *sink, struct record_batch *b)
{
    struct scene *scene = (struct scene *)((uint8_t *)sink - offsetof(struct scene, minutes));
    for (unsigned i = 0; i < b->count; i++) {
        struct bytes stage = { 0 }, kind = { 0 };
        uint64_t items = 0;
        TAKE(stage, ledger, stage);
        TAKE(kind, ledger, kind);
        TAKE(items, ledger, items);
        if (memcmp(stage.data, "meter", 5) == 0 && kind.size == 2)
            scene->minute_items += items;
    }
    record_batch_unref(b);
    return 0;
}
#undef TAKE

static inline int row_order(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = x->start < y->start ? -1 : x->start > y->start;
    return order ? order : memcmp(x, y, sizeof *x);
}

/* Meter `count` shots; afterwards scene->row is sorted. The ledger must close. Free the rows with
 * scene_fini. */
static inline void scene_meter(struct scene *scene, const struct shot *shot, size_t count,
                               const struct flow_options *flow, unsigned workers,
                               unsigned batch_size, bool is_ip6)
{
    memset(scene, 0, sizeof *scene);
    scene->capture = (struct capture){ .ops = &scene_ops, .ledger = &scene->read };
    scene->shot = shot;
    scene->count = count;
    scene->batch_size = batch_size;
    scene->is_ip6 = is_ip6;
    scene->sink.push = scene_push;
    scene->minutes.push = scene_minutes;
    struct engine_options o = {
        .flow = *flow, .worker_count = workers, .flows = &scene->sink, .minutes = &scene->minutes
    };
    struct ledger ledger = { 0 };
    struct err e = { 0 };
    if (engine_meter(&scene->capture, &o, &ledger, &e) < 0)
        fail_msg("%s", e.text);
    ledger_add(&scene->ledger, &ledger);
    enum ledger_stage stage = STAGE_COUNT;
    if (!ledger_closes(&scene->ledger, &stage))
        fail_msg("stage %s does not close", ledger_stage_names[stage]);
    assert_int_equal(scene->ledger.in[STAGE_input], count);
    assert_int_equal(scene->minute_items, scene->ledger.in[STAGE_meter]);
    if (scene->row_count > 0)
        qsort(scene->row, scene->row_count, sizeof *scene->row, row_order);
}

static inline void scene_fini(struct scene *scene)
{
    free(scene->row);
}

static inline struct flow_options preset(const char *name)
{
    struct flow_options o = { .memory_octets = UINT64_C(64) << 20 };
    assert_true(flow_preset(name, &o));
    return o;
}

#endif
