/* Intervals of time: borders, alignment, calendar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/interval.h"

#define S NS_PER_S

static void intervals_are_half_open_and_floor_below_zero(void **state)
{
    (void)state;
    static const struct {
        int64_t length, origin, time, index, start;
    } cases[] = {
        { S, 0, 0, 0, 0 },
        { S, 0, S - 1, 0, 0 },
        { S, 0, S, 1, S },
        { S, 0, -1, -1, -S },
        { S, 0, -S, -1, -S },
        { S, 0, -S - 1, -2, -2 * S },
        { S / 10, 3, 3 + S / 10, 1, 3 + S / 10 },
        { 7, 5, 4, -1, -2 },
        { 3600 * S, 0, INT64_C(1484319033) * S + 5, 412310, INT64_C(412310) * 3600 * S },
        { 1, 0, INT64_MAX, INT64_MAX / 2, INT64_MAX / 2 },
        { 1, INT64_MAX, INT64_MIN, INT64_MIN / 2, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct interval_grid g = { .length_ns = cases[i].length, .origin_ns = cases[i].origin };
        assert_true(interval_index(&g, cases[i].time) == cases[i].index);
        if (cases[i].origin != INT64_MAX)
            assert_true(interval_start(&g, cases[i].index) == cases[i].start);
    }
}

static void every_time_lies_in_its_interval(void **state)
{
    (void)state;
    static const char *const lengths[] = { "1ns", "7ns", "100ms", "0.3", "5",
                                           "1h",  "1w",  "1mo",   "3mo", "1y" };
    uint64_t seed = 88172645463325252;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct interval_grid g = { 0 };
        assert_int_equal(interval_parse_length(lengths[i], &g, NULL), 0);
        assert_int_equal(interval_parse_align("clock", 7200 * S, &g, NULL), 0);
        for (unsigned k = 0; k < 1000; k++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            int64_t time = (int64_t)(seed >> 2) - INT64_C(2300000000) * S;
            int64_t index = interval_index(&g, time);
            assert_true(interval_start(&g, index) <= time);
            assert_true(interval_start(&g, index + 1) > time);
        }
    }
}

static void options_say_length_zone_and_alignment(void **state)
{
    (void)state;
    struct err e;
    struct interval_grid g = { 0 };
    int64_t zone;
    assert_int_equal(interval_parse_length("-1", &g, &e), 0);
    assert_int_equal(g.length_ns, 0);
    assert_int_equal(interval_parse_length("2y", &g, &e), 0);
    assert_int_equal(g.months, 24);
    assert_int_equal(interval_parse_length("0", &g, &e), WEIR_EUSAGE);
    assert_int_equal(interval_parse_length("1parsec", &g, &e), WEIR_EUSAGE);
    assert_int_equal(interval_parse_zone("+02:30", &zone, &e), 0);
    assert_int_equal(zone, 9000 * S);
    assert_int_equal(interval_parse_zone("-11:00", &zone, &e), 0);
    assert_true(zone == -39600 * S);
    assert_int_equal(interval_parse_zone("Mars", &zone, &e), WEIR_EUSAGE);
    assert_int_equal(interval_parse_length("1d", &g, &e), 0);
    assert_int_equal(interval_parse_align("2019-09-15T08:00:00Z", 0, &g, &e), 0);
    assert_true(g.origin_ns == INT64_C(1568534400) * S);
    assert_int_equal(interval_parse_align("sideways", 0, &g, &e), WEIR_EUSAGE);
    /* A day in a zone two hours ahead begins at 22:00 UTC. */
    assert_int_equal(interval_parse_align("clock", 7200 * S, &g, &e), 0);
    assert_true(interval_start(&g, interval_index(&g, 23 * 3600 * S)) == 22 * 3600 * S);
    /* February of a leap year. */
    assert_int_equal(interval_parse_length("1mo", &g, &e), 0);
    assert_int_equal(interval_parse_align(NULL, 0, &g, &e), 0);
    int64_t february = interval_index(&g, INT64_C(1582934400) * S); /* 2020-02-29 */
    assert_int_equal(
        (interval_start(&g, february + 1) - interval_start(&g, february)) / (86400 * S), 29);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_half_open_and_floor_below_zero),
        cmocka_unit_test(every_time_lies_in_its_interval),
        cmocka_unit_test(options_say_length_zone_and_alignment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
