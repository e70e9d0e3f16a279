/* Counters per interval: what is counted, order, late packets, gaps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/tally.h"

#define S        NS_PER_S
#define ROWS_MAX 64

struct rows {
    struct tally row[ROWS_MAX];
    unsigned count;
};

static int keep_row(void *context, const struct tally *t)
{
    struct rows *r = context;
    assert_true(r->count < ROWS_MAX);
    r->row[r->count++] = *t;
    return 0;
}

/* A batch of packets of 100 octets at these times. */
static struct packet_batch *packets_at(const int64_t *time_ns, unsigned count)
{
    struct packet_batch *b = calloc(1, sizeof *b);
    for (unsigned i = 0; i < count; i++)
        b->pkt[i] = (struct packet){ .wirelen = 100, .caplen = 60, .time_ns = time_ns[i] };
    b->count = count;
    return b;
}

static void run(struct tally_window *w, struct rows *rows, const int64_t *time_ns, unsigned count)
{
    w->emit = keep_row;
    w->context = rows;
    assert_int_equal(tally_window_init(w, NULL), 0);
    struct packet_batch *b = packets_at(time_ns, count);
    assert_int_equal(tally_window_push(w, b), 0);
    assert_int_equal(tally_window_finish(w), 0);
    tally_window_fini(w);
    free(b);
}

static void every_interval_from_first_to_last_is_a_row(void **state)
{
    (void)state;
    static const int64_t times[] = { 10 * S, 10 * S + 1, 11 * S - 1, 11 * S, 14 * S };
    static const uint64_t packets[] = { 3, 1, 0, 0, 1 };
    for (unsigned skips = 0; skips < 2; skips++) {
        struct rows rows = { 0 };
        struct tally_window w = { .grid.length_ns = S, .slack = 2, .skips_empty = skips };
        run(&w, &rows, times, 5);
        unsigned at = 0;
        for (unsigned i = 0; i < 5; i++) {
            if (skips && packets[i] == 0)
                continue;
            assert_int_equal(rows.row[at].index, 10 + i);
            assert_int_equal(rows.row[at].packets, packets[i]);
            assert_int_equal(rows.row[at].octets, 100 * packets[i]);
            at++;
        }
        assert_int_equal(rows.count, at);
    }
}

static void a_packet_out_of_order_goes_where_it_belongs_or_is_late(void **state)
{
    (void)state;
    /* Interval 4 is open while 6 is the newest, 3 is not; 4 is older than the first packet's. */
    static const int64_t times[] = { 5 * S, 4 * S, 6 * S, 4 * S + 1, 3 * S, 9 * S, 6 * S };
    struct rows rows = { 0 };
    struct tally_window w = { .grid.length_ns = S, .slack = 2 };
    run(&w, &rows, times, 7);
    static const struct {
        int64_t index;
        uint64_t packets, late;
    } expected[] = { { 4, 2, 0 }, { 5, 1, 0 }, { 6, 1, 1 }, { 7, 0, 0 }, { 8, 0, 0 }, { 9, 1, 1 } };
    assert_int_equal(rows.count, 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(rows.row[i].index, expected[i].index);
        assert_int_equal(rows.row[i].packets, expected[i].packets);
        assert_int_equal(rows.row[i].late, expected[i].late);
    }
    assert_int_equal(w.late_count, 2);
}

static void a_huge_gap_is_left_out_and_counted(void **state)
{
    (void)state;
    static const int64_t times[] = { 0, (INTERVAL_GAP_MAX + 5000) * S, INT64_C(1700000000) * S };
    struct rows rows = { 0 };
    struct tally_window w = { .grid.length_ns = S, .slack = 1 };
    run(&w, &rows, times, 3);
    assert_true(w.left_out > INTERVAL_GAP_MAX);
    assert_int_equal(rows.row[0].index, 0);
    assert_int_equal(rows.row[rows.count - 1].index, 1700000000);
}

static void the_whole_input_is_one_interval(void **state)
{
    (void)state;
    static const int64_t times[] = { 100 * S, 5 * S, 1000000 * S };
    struct rows rows = { 0 };
    struct tally_window w = { .slack = 2 };
    run(&w, &rows, times, 3);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.row[0].packets, 3);
    assert_int_equal(rows.row[0].late, 0);
}

static void sizes_and_protocols_are_counted(void **state)
{
    (void)state;
    struct packet_batch *b = calloc(1, sizeof *b);
    static const struct {
        uint32_t size;
        uint8_t version, proto, flags;
        uint16_t ethertype, tcp_flags;
    } packets[] = {
        { 60, 4, 6, 0, 0x800, 2 },
        { 1514, 6, 6, 0, 0x86dd, 0x12 },
        { 100, 4, 17, PACKET_FRAGMENT, 0x800, 0 },
        { 98, 4, 1, 0, 0x800, 0 },
        { 86, 6, 58, 0, 0x86dd, 0 },
        { 42, 0, 0, 0, 0x806, 0 },
        { 300, 0, 0, 0, 0x88cc, 0 },
        { 60, 4, 6, 0, 0x800, 0x14 },
    };
    b->count = sizeof packets / sizeof *packets;
    for (unsigned i = 0; i < b->count; i++) {
        b->pkt[i].wirelen = packets[i].size;
        b->layer[i].key.version = packets[i].version;
        b->layer[i].key.proto = packets[i].proto;
        b->layer[i].flags = packets[i].flags;
        b->layer[i].ethertype = packets[i].ethertype;
        b->layer[i].tcp_flags = packets[i].tcp_flags;
        b->layer[i].ip_octets = packets[i].version ? packets[i].size - 14 : 0;
    }
    uint32_t size[BATCH_MAX];
    uint8_t counted[BATCH_MAX];
    struct tally t = { 0 };
    tally_sizes(b, LENGTH_FRAME, size, counted);
    tally_add(&t, b, size, counted, 0, 3);
    tally_add(&t, b, size, counted, 3, b->count);
    const uint64_t got[] = { t.packets, t.octets, t.min,  t.max,       t.ipv4,    t.ipv6,   t.arp,
                             t.tcp,     t.udp,    t.icmp, t.fragments, t.tcp_syn, t.tcp_rst };
    const uint64_t expected[] = { 8, 2260, 42, 1514, 4, 2, 1, 3, 1, 2, 1, 2, 1 };
    for (size_t i = 0; i < sizeof got / sizeof *got; i++)
        assert_int_equal(got[i], expected[i]);
    double mean = 2260 / 8.0, squares = 0;
    for (unsigned i = 0; i < b->count; i++)
        squares += pow(packets[i].size - mean, 2);
    assert_true(fabs(tally_mean(&t) - mean) < 1e-12);
    assert_true(fabs(tally_deviation(&t) - sqrt(squares / 8)) < 1e-9);
    /* By IP length, what is not IP has no size and does not count. */
    t = (struct tally){ 0 };
    tally_sizes(b, LENGTH_IP, size, counted);
    tally_add(&t, b, size, counted, 0, b->count);
    assert_int_equal(t.packets, 6);
    assert_int_equal(t.octets, 2260 - 342 - 6 * 14);
    assert_int_equal(t.arp, 0);
    free(b);
}

static void huge_sizes_keep_their_squares(void **state)
{
    (void)state;
    struct packet_batch *b = calloc(1, sizeof *b);
    uint32_t size[BATCH_MAX];
    uint8_t counted[BATCH_MAX];
    b->count = BATCH_MAX;
    for (unsigned i = 0; i < BATCH_MAX; i++)
        b->pkt[i].wirelen = i % 2 ? UINT32_MAX : UINT32_MAX - 2;
    struct tally t = { 0 };
    tally_sizes(b, LENGTH_FRAME, size, counted);
    tally_add(&t, b, size, counted, 0, BATCH_MAX);
    assert_true(fabs(tally_deviation(&t) - 1) < 1e-12);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_interval_from_first_to_last_is_a_row),
        cmocka_unit_test(a_packet_out_of_order_goes_where_it_belongs_or_is_late),
        cmocka_unit_test(a_huge_gap_is_left_out_and_counted),
        cmocka_unit_test(the_whole_input_is_one_interval),
        cmocka_unit_test(sizes_and_protocols_are_counted),
        cmocka_unit_test(huge_sizes_keep_their_squares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
