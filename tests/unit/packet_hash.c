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
    struct flow_key k = { .address = { { 192, 0, 2, 9 }, { 192, 0, 2, 1 } }, .port = { 40000, 53 }, .proto = 17, .version = 4 };
    struct flow_key r = { .address = { { 192, 0, 2, 1 }, { 192, 0, 2, 9 } }, .port = { 53, 40000 }, .proto = 17, .version = 4 };
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_of_a_biflow_hash_alike),
        cmocka_unit_test(a_masked_field_is_no_part_of_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
