/* The hash of a flow key: direction, mask, secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet/packet.h"

static struct packet_batch *two_directions(void)
{
    struct packet_batch *b = calloc(1, sizeof *b);
    struct flow_key k = { .address = { { 192, 0, 2, 9 }, { 192, 0, 2, 1 } },
                          .port = { 40000, 53 },
                          .proto = 17,
                          .version = 4 };
    struct flow_key r = { .address = { { 192, 0, 2, 1 }, { 192, 0, 2, 9 } },
                          .port = { 53, 40000 },
                          .proto = 17,
                          .version = 4 };
    b->layer[0].key = k;
    b->layer[1].key = r;
    b->count = 2;
    return b;
}

static void both_directions_of_a_biflow_hash_alike(void **state)
{
    (void)state;
    struct packet_batch *b = two_directions();
    struct flow_key all;
    memset(&all, 0xff, sizeof all);
    struct hash_secret s, other;
    assert_int_equal(hash_secret_new(&s, NULL), 0);
    assert_int_equal(hash_secret_new(&other, NULL), 0);
    packet_hash_batch(b, 0, 2, &all, true, &s);
    uint64_t first = b->layer[0].hash;
    assert_true(first == b->layer[1].hash);
    assert_int_equal(b->layer[0].is_reversed, 1);
    assert_int_equal(b->layer[1].is_reversed, 0);
    packet_hash_batch(b, 0, 2, &all, false, &s);
    assert_true(b->layer[0].hash != b->layer[1].hash);
    packet_hash_batch(b, 0, 2, &all, true, &other);
    assert_true(first != b->layer[0].hash);
    free(b);
}

static void a_masked_field_is_no_part_of_the_key(void **state)
{
    (void)state;
    struct packet_batch *b = two_directions();
    b->layer[1].key = b->layer[0].key;
    b->layer[1].key.port[0] = 1;
    struct flow_key mask;
    memset(&mask, 0xff, sizeof mask);
    memset(mask.port, 0, sizeof mask.port);
    struct hash_secret s;
    assert_int_equal(hash_secret_new(&s, NULL), 0);
    packet_hash_batch(b, 0, 2, &mask, true, &s);
    assert_true(b->layer[0].hash == b->layer[1].hash);
    assert_int_equal(b->layer[1].key.port[0], 0);
    free(b);
}

#define KEYS (1u << 20)

struct key_pattern {
    const char *name;
    void (*make)(uint32_t number, struct flow_key *key);
};

static void put32(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void neighbours(uint32_t number, struct flow_key *key)
{
    put32(key->address[0], 0x0a000000 + number);
    put32(key->address[1], 0xc0000201);
    key->port[1] = 443;
}

static void port_grid(uint32_t number, struct flow_key *key)
{
    put32(key->address[0], 0xc0000201);
    put32(key->address[1], 0xc0000202);
    key->port[0] = (uint16_t)(number & 0x3ff);
    key->port[1] = (uint16_t)(number >> 10);
}

static void address_grid(uint32_t number, struct flow_key *key)
{
    put32(key->address[0], 0x0a000000 + ((number & 0x3ff) << 8));
    put32(key->address[1], 0x0b000000 + ((number >> 10) << 8));
}

static void six_low_words(uint32_t number, struct flow_key *key)
{
    key->version = 6;
    put32(key->address[0], 0x20010db8);
    put32(key->address[1], 0x20010db8);
    put32(key->address[0] + 12, number);
    put32(key->address[1] + 12, ~number);
}

static void one_bit_each(uint32_t number, struct flow_key *key)
{
    key->port[0] = 1; /* or two numbers would be one key, seen from its ends */
    for (unsigned i = 0; i < 20; i++)
        key->address[i & 1][i >> 1] = number & (1u << i) ? 0x80 : 0;
}

static const struct key_pattern patterns[] = {
    { "neighbouring addresses", neighbours }, { "grid of ports", port_grid },
    { "grid of networks", address_grid },     { "IPv6, equal but for the end", six_low_words },
    { "one bit per octet", one_bit_each },
};

/* Hashes of the keys [first, first + BATCH_MAX) of a pattern in batch->layer. */
static void hash_pattern(struct packet_batch *b, const struct key_pattern *pattern, uint32_t first,
                         const struct hash_secret *secret)
{
    struct flow_key all;
    memset(&all, 0xff, sizeof all);
    for (unsigned i = 0; i < BATCH_MAX; i++) {
        struct flow_key key = { .proto = 6, .version = 4 };
        pattern->make(first + i, &key);
        b->layer[i].key = key;
    }
    packet_hash_batch(b, 0, BATCH_MAX, &all, true, secret);
}

/* A random function throws 2^20 keys into 2^20 buckets so that 1/e of them find theirs taken. */
static void keys_with_structure_spread_like_random_ones(void **state)
{
    (void)state;
    struct packet_batch *b = calloc(1, sizeof *b);
    struct hash_secret s;
    assert_int_equal(hash_secret_new(&s, NULL), 0);
    uint8_t *low = malloc(KEYS), *high = malloc(KEYS);
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        uint32_t low_taken = 0, high_taken = 0;
        memset(low, 0, KEYS);
        memset(high, 0, KEYS);
        for (uint32_t first = 0; first < KEYS; first += BATCH_MAX) {
            hash_pattern(b, &patterns[p], first, &s);
            for (unsigned i = 0; i < BATCH_MAX; i++) {
                uint32_t at_low = (uint32_t)b->layer[i].hash & (KEYS - 1),
                         at_high = (uint32_t)(b->layer[i].hash >> 44);
                low_taken += low[at_low];
                high_taken += high[at_high];
                low[at_low] = high[at_high] = 1;
            }
        }
        uint32_t expected = (uint32_t)(KEYS * 0.36788);
        if (low_taken >= expected / 5 * 6 || high_taken >= expected / 5 * 6)
            print_error("%s: %u and %u, expected %u\n", patterns[p].name, low_taken, high_taken,
                        expected);
        assert_true(low_taken < expected / 5 * 6);
        assert_true(high_taken < expected / 5 * 6);
    }
    free(low);
    free(high);
    free(b);
}

static void collisions_prepared_for_one_secret_are_none_for_another(void **state)
{
    (void)state;
    enum { BUCKETS = 4096, PREPARED = 1024 };
    struct packet_batch *b = calloc(1, sizeof *b);
    struct hash_secret known, other;
    assert_int_equal(hash_secret_new(&known, NULL), 0);
    assert_int_equal(hash_secret_new(&other, NULL), 0);
    struct flow_key all, *prepared = calloc(PREPARED, sizeof *prepared);
    unsigned count = 0, full[BUCKETS] = { 0 }, fullest = 0;
    for (uint32_t first = 0; count < PREPARED; first += BATCH_MAX) {
        hash_pattern(b, &patterns[0], first, &known);
        for (unsigned i = 0; i < BATCH_MAX && count < PREPARED; i++) {
            if (b->layer[i].hash % BUCKETS == 0)
                prepared[count++] = b->layer[i].key;
        }
    }
    memset(&all, 0xff, sizeof all);
    for (unsigned i = 0; i < PREPARED; i++) {
        b->layer[0].key = prepared[i];
        packet_hash_batch(b, 0, 1, &all, true, &other);
        unsigned in_bucket = ++full[b->layer[0].hash % BUCKETS];
        fullest = in_bucket > fullest ? in_bucket : fullest;
    }
    assert_true(fullest < 12);
    free(prepared);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_of_a_biflow_hash_alike),
        cmocka_unit_test(a_masked_field_is_no_part_of_the_key),
        cmocka_unit_test(keys_with_structure_spread_like_random_ones),
        cmocka_unit_test(collisions_prepared_for_one_secret_are_none_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
