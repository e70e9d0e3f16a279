/* Table under pressure, index, fragments, Community ID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/flow.h"
#include "flow/index.h"

#define LONG_LIVED 100
#define FLOOD      300000

/* ---- a table that is fed directly ---- */

struct bench {
    struct record_sink sink; /* first */
    struct flow_table *table;
    struct flow_options options;
    struct hash_secret secret;
    struct ledger ledger;
    struct flow_clock clock;
    struct packet_batch batch;
    int64_t seen_ns[BATCH_MAX];
    struct flow_items items;
    uint64_t rows, packets, long_packets[LONG_LIVED], long_rows[LONG_LIVED], evicted;
};

static int bench_push(struct record_sink *sink, struct record_batch *b)
{
    struct bench *bench = (struct bench *)sink;
    const struct address *src = b->column[RECORD_COLUMN(flow, src)].data;
    const uint64_t *packets = b->column[RECORD_COLUMN(flow, packets)].data;
    const uint8_t *reason = b->column[RECORD_COLUMN(flow, end_reason)].data;
    for (unsigned i = 0; i < b->count; i++) {
        bench->rows++;
        bench->packets += packets[i];
        bench->evicted += reason[i] == FLOW_END_RESOURCES;
        if (src[i].octet[0] == 9) {
            bench->long_packets[src[i].octet[3]] += packets[i];
            bench->long_rows[src[i].octet[3]]++;
        }
    }
    record_batch_unref(b);
    return 0;
}

static struct bench *bench_new(uint64_t memory_octets)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->sink.push = bench_push;
    b->options.memory_octets = memory_octets;
    assert_true(flow_preset("native", &b->options));
    assert_int_equal(hash_secret_new(&b->secret, NULL), 0);
    assert_int_equal(flow_table_new(&b->table, &b->options, &b->sink, &b->ledger, NULL), 0);
    return b;
}

static void bench_meter(struct bench *b)
{
    struct flow_choice choice = { 0 };
    bool is_plain;
    assert_int_equal(flow_clock_run(&b->clock, &b->batch, 0, b->batch.count, b->seen_ns, &is_plain),
                     b->batch.count);
    for (unsigned i = 0; i < b->batch.count; i++)
        choice.ip4[choice.ip4_count++] = (uint16_t)i;
    flow_items_make(&b->items, &b->batch, &choice, &b->options, &b->secret);
    assert_int_equal(
        flow_table_update(b->table, &b->batch, is_plain ? NULL : b->seen_ns, &b->items), 0);
    assert_int_equal(flow_table_expire(b->table, b->clock.second_ns, 1024), 0);
    b->batch.count = 0;
}

static void bench_packet(struct bench *b, uint32_t from, uint16_t port, int64_t time_ns)
{
    unsigned i = b->batch.count++;
    b->batch.pkt[i] = (struct packet){ .time_ns = time_ns };
    b->batch.layer[i] = (struct layers){ .ip_octets = 60, .mac = 0xffff };
    struct flow_key *key = &b->batch.layer[i].key;
    *key = (struct flow_key){ .port = { port, 80 }, .proto = 17, .version = 4 };
    for (unsigned k = 0; k < 4; k++)
        key->address[0][k] = (uint8_t)(from >> (24 - 8 * k));
    key->address[1][0] = 8;
    if (b->batch.count == BATCH_MAX)
        bench_meter(b);
}

static void bench_free(struct bench *b)
{
    flow_table_free(b->table);
    free(b);
}

static void a_flood_evicts_the_silent_and_keeps_long_lived_flows_exact(void **state)
{
    (void)state;
    struct bench *b = bench_new(FLOW_MEMORY_MIN);
    struct flow_table_stats stats;
    uint64_t sent = 0;
    int64_t now = 1000 * NS_PER_S;
    for (uint32_t i = 0; i < FLOOD; i++, now += 1000) {
        bench_packet(b, UINT32_C(0x0a000000) + i, (uint16_t)(1024 + i % 1000), now);
        if (i % 10 == 0) {
            bench_packet(b, UINT32_C(0x09000000) + (uint32_t)(sent % LONG_LIVED), 5, now);
            sent++;
        }
    }
    bench_meter(b);
    flow_table_stats(b->table, &stats);
    assert_true(stats.octets <= FLOW_MEMORY_MIN);
    assert_true(stats.open <= stats.capacity);
    assert_true(stats.open_max > stats.capacity - BATCH_MAX);
    assert_int_equal(flow_table_flush(b->table, b->clock.newest_ns), 0);
    for (unsigned i = 0; i < LONG_LIVED; i++) {
        assert_int_equal(b->long_rows[i], 1);
        assert_int_equal(b->long_packets[i], sent / LONG_LIVED);
    }
    assert_int_equal(b->packets, FLOOD + sent);
    assert_int_equal(b->ledger.out[STAGE_meter], FLOOD + sent);
    assert_int_equal(b->ledger.in[STAGE_record], b->rows);
    assert_int_equal(b->evicted, b->ledger.reason[REASON_evicted]);
    assert_int_equal(b->evicted, FLOOD + LONG_LIVED - stats.open);
    bench_free(b);
}

static void a_flow_takes_at_most_192_octets(void **state)
{
    (void)state;
    struct bench *b = bench_new(UINT64_C(256) << 20);
    struct flow_table_stats stats;
    for (uint32_t i = 0; i < FLOOD; i++)
        bench_packet(b, UINT32_C(0x0a000000) + i, 1, NS_PER_S);
    bench_meter(b);
    flow_table_stats(b->table, &stats);
    assert_int_equal(stats.open, FLOOD);
    assert_true(stats.octets <= 192 * (uint64_t)FLOOD);
    assert_int_equal(flow_table_flush(b->table, NS_PER_S), 0);
    assert_int_equal(b->rows, FLOOD);
    bench_free(b);
}

static void ended_records_are_written_in_time_and_their_places_used_again(void **state)
{
    (void)state;
    struct bench *b = bench_new(UINT64_C(16) << 20);
    struct flow_table_stats stats;
    for (uint32_t i = 0; i < 50000; i++)
        bench_packet(b, UINT32_C(0x0a000000) + i, 1, (int64_t)i * NS_PER_S / 10);
    bench_meter(b);
    flow_table_stats(b->table, &stats);
    assert_true(
        stats.open_max <
        1000); /* 600 within the 60 s of silence, and what a batch and a slot of the wheel add */
    assert_int_equal(b->ledger.reason[REASON_evicted], 0);
    assert_int_equal(flow_table_flush(b->table, b->clock.newest_ns), 0);
    assert_int_equal(b->rows, 50000);
    bench_free(b);
}

/* ---- index ---- */

static void the_index_finds_what_was_put_in_whatever_the_tags(void **state)
{
    (void)state;
    static const uint32_t steps[] = { 1, 2654435761u, 4096,
                                      65536 }; /* the last two crowd into few buckets */
    for (unsigned k = 0; k < 4; k++) {
        struct flow_index index;
        uint32_t count = k < 2 ? 20000 : 700;
        assert_int_equal(index_init(&index, 20000, NULL), 0);
        for (uint32_t n = 1; n <= count; n++)
            assert_int_equal(index_insert(&index, n * steps[k], n), 0);
        for (uint32_t n = 1; n <= count; n += 3)
            index_remove(&index, n * steps[k], n);
        for (uint32_t n = 1; n <= count; n++) {
            struct index_walk walk;
            uint32_t found = index_first(&index, n * steps[k], &walk);
            while (found != 0 && found != n)
                found = index_next(&index, &walk);
            assert_int_equal(found, n % 3 == 1 ? 0 : n);
        }
        assert_int_equal(index.entries, count - (count + 2) / 3);
        index_fini(&index);
    }
}

static void the_fast_comparison_of_tags_equals_the_plain_one(void **state)
{
    (void)state;
    struct index_bucket *bucket = aligned_alloc(64, sizeof *bucket);
    assert_non_null(bucket);
    for (uint32_t count = 0; count <= INDEX_SLOTS; count++)
        for (uint32_t bits = 0; bits < 256; bits++) {
            bucket->count = count;
            bucket->link = bits >> 7 & 1;
            for (unsigned i = 0; i < INDEX_SLOTS; i++)
                bucket->tag[i] = bits >> i & 1;
            assert_int_equal(index_match(bucket, 1), index_match_plain(bucket, 1));
        }
    free(bucket);
}

static void a_full_index_says_so(void **state)
{
    (void)state;
    struct flow_index index;
    uint32_t put = 0;
    assert_int_equal(index_init(&index, 1000, NULL), 0);
    while (index_insert(&index, 7, put + 1) == 0)
        put++;
    assert_int_equal(put, INDEX_SLOTS * (1 + index.spill_max));
    for (uint32_t n = 1; n <= put; n++)
        index_remove(&index, 7, n);
    assert_int_equal(index_insert(&index, 7, 1), 0);
    index_fini(&index);
}

/* ---- fragments ---- */

static void first_fragments_without_end_stay_within_their_memory(void **state)
{
    (void)state;
    struct fragment_map *map;
    struct hash_secret secret;
    struct ledger ledger = { 0 };
    assert_int_equal(hash_secret_new(&secret, NULL), 0);
    assert_int_equal(fragment_map_new(&map, 65536, &secret, NULL), 0);
    struct packet p = { .time_ns = NS_PER_S };
    struct layers first = { .key = { .port = { 7, 8 }, .proto = 17, .version = 4 },
                            .flags = PACKET_FRAGMENT | PACKET_PORTS };
    for (uint32_t id = 0; id < 100000; id++) {
        first.fragment_id = id;
        fragment_map_attribute(map, &p, &first, &ledger);
    }
    assert_true(ledger.reason[REASON_fragment_evicted] >= 100000 - 65536 / 64);
    assert_true(ledger.reason[REASON_fragment_evicted] < 100000);
    struct layers later = { .key = { .proto = 17, .version = 4 },
                            .fragment_id = 99999,
                            .flags = PACKET_FRAGMENT | PACKET_LATER_FRAGMENT };
    fragment_map_attribute(map, &p, &later, &ledger);
    assert_int_equal(later.key.port[1], 8);
    /* After half a minute the identification belongs to someone else. */
    later.key.port[0] = later.key.port[1] = 0;
    p.time_ns += FRAGMENT_AGE_NS + 1;
    fragment_map_attribute(map, &p, &later, &ledger);
    assert_int_equal(later.key.port[1], 0);
    assert_int_equal(ledger.reason[REASON_fragment_unmatched], 1);
    fragment_map_free(map);
}

/* ---- Community ID ---- */

static void community_ids_are_those_of_the_specification(void **state)
{
    (void)state;
    /* Published with the specification. Ports of ICMP are type * 256 + code, as in our records. */
    static const struct {
        uint8_t proto;
        const char *src, *dst;
        uint16_t sport, dport;
        const char *id;
    } cases[] = {
        { 1, "192.168.0.89", "192.168.0.1", 0, 8 * 256, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=" },
        { 1, "192.168.0.1", "192.168.0.89", 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=" },
        { 58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 0, 135 * 256,
          "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=" },
        { 58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 0, 128 * 256,
          "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=" },
        { 58, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 0, 1 * 256 + 4,
          "1:hLZd0XGWojozrvxqE0dWB1iM6R0=" },
        { 46, "10.1.12.1", "10.1.12.2", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=" },
        { 46, "10.1.12.2", "10.1.12.1", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=" },
        { 132, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=" },
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address src, dst;
        struct text out = { 0 };
        assert_true(address_parse(cases[i].src, &src));
        assert_true(address_parse(cases[i].dst, &dst));
        community_id(&src, &dst, cases[i].proto, cases[i].sport, cases[i].dport, &out);
#ifdef WEIR_HAS_LIBCRYPTO
        assert_string_equal(out.data, cases[i].id);
#else
        assert_int_equal(out.size, 0);
#endif
        text_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_evicts_the_silent_and_keeps_long_lived_flows_exact),
        cmocka_unit_test(a_flow_takes_at_most_192_octets),
        cmocka_unit_test(ended_records_are_written_in_time_and_their_places_used_again),
        cmocka_unit_test(the_index_finds_what_was_put_in_whatever_the_tags),
        cmocka_unit_test(the_fast_comparison_of_tags_equals_the_plain_one),
        cmocka_unit_test(a_full_index_says_so),
        cmocka_unit_test(first_fragments_without_end_stay_within_their_memory),
        cmocka_unit_test(community_ids_are_those_of_the_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
