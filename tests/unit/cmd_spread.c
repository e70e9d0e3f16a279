/* Records spread over intervals: exact sums, the worked example of spec/tools.md 9.7, rounding. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cmd/spread.h"

#define S NS_PER_S

static struct spread make(enum spread_method method, int64_t length_ns)
{
    return (struct spread){
        .grid.length_ns = length_ns, .method = method, .from_ns = INT64_MIN, .to_ns = INT64_MAX
    };
}

static fixed_amount total_of(const struct spread *s)
{
    fixed_amount sum = 0;
    for (size_t i = 0; i < s->count; i++)
        sum += spread_cell(s, i)->octets;
    return sum;
}

static void
a_flow_of_100000_bytes_from_3_4_to_7_8_gives_the_table_of_the_specification(void **state)
{
    (void)state;
    static const struct {
        enum spread_method method;
        size_t count;
        double exact[5];
        uint64_t cumulative[5], largest[5];
    } cases[] = {
        { SPREAD_PROPORTIONAL,
          5,
          { 150000 / 11.0, 250000 / 11.0, 250000 / 11.0, 250000 / 11.0, 200000 / 11.0 },
          { 13636, 22728, 22727, 22727, 18182 },
          { 13637, 22727, 22727, 22727, 18182 } },
        { SPREAD_UNIFORM,
          5,
          { 20000, 20000, 20000, 20000, 20000 },
          { 20000, 20000, 20000, 20000, 20000 },
          { 20000, 20000, 20000, 20000, 20000 } },
        { SPREAD_START, 1, { 100000 }, { 100000 }, { 100000 } },
        { SPREAD_END, 1, { 100000 }, { 100000 }, { 100000 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct spread s = make(cases[i].method, S);
        assert_int_equal(spread_add(&s, 3400000000, 7800000000, 100000, 10, NULL), 0);
        assert_int_equal(s.count, cases[i].count);
        assert_int_equal(s.base, cases[i].method == SPREAD_END ? 7 : 3);
        const struct spread_cell *c = spread_cell(&s, 0);
        uint64_t cumulative[5], largest[5];
        spread_round_cumulative(&c->octets, sizeof *c, s.count, cumulative);
        assert_int_equal(spread_round_largest(&c->octets, sizeof *c, s.count, largest), 0);
        for (size_t k = 0; k < s.count; k++) {
            assert_true(fabs(spread_double(c[k].octets) - cases[i].exact[k]) < 1e-9);
            assert_int_equal(cumulative[k], cases[i].cumulative[k]);
            assert_int_equal(largest[k], cases[i].largest[k]);
            assert_int_equal(c[k].active, 1);
        }
        assert_true(total_of(&s) == (fixed_amount)100000 << 64);
        spread_fini(&s);
    }
}

static void the_total_is_kept_whatever_the_records(void **state)
{
    (void)state;
    for (unsigned method = SPREAD_PROPORTIONAL; method <= SPREAD_END; method++) {
        struct spread s = make((enum spread_method)method, 333333333);
        uint64_t seed = 88172645463325252 + method;
        fixed_amount sum = 0;
        for (unsigned i = 0; i < 500; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            int64_t start = (int64_t)(seed % 1000) * 1000000007 - 400 * S,
                    lasts = (int64_t)(seed >> 20) % (300 * S);
            uint64_t octets = seed >> (seed % 50);
            assert_int_equal(spread_add(&s, start, start + (i % 5 ? lasts : 0), octets, 1, NULL),
                             0);
            sum += (fixed_amount)octets << 64;
        }
        assert_true(total_of(&s) == sum);
        uint64_t *whole = calloc(s.count, sizeof *whole), again = 0;
        const struct spread_cell *c = spread_cell(&s, 0);
        spread_round_cumulative(&c->octets, sizeof *c, s.count, whole);
        for (size_t i = 0; i < s.count; i++)
            again += whole[i];
        assert_true(again == (uint64_t)(sum >> 64));
        assert_int_equal(spread_round_largest(&c->octets, sizeof *c, s.count, whole), 0);
        again = 0;
        for (size_t i = 0; i < s.count; i++)
            again += whole[i];
        assert_true(again == (uint64_t)(sum >> 64));
        free(whole);
        spread_fini(&s);
    }
}

static void shares_of_the_largest_numbers_do_not_overflow(void **state)
{
    (void)state;
    assert_true(spread_share(UINT64_MAX, INT64_MAX, INT64_MAX) == (fixed_amount)UINT64_MAX << 64);
    assert_true(spread_share(UINT64_MAX, 0, INT64_MAX) == 0);
    assert_true(spread_share(1, 1, 3) == (fixed_amount)UINT64_C(0x5555555555555555));
    assert_true(spread_share(10, INT64_MAX / 2, INT64_MAX) >> 64 == 4);
}

static void a_window_keeps_only_what_lies_inside(void **state)
{
    (void)state;
    struct spread s = make(SPREAD_PROPORTIONAL, S);
    s.from_ns = 4 * S;
    s.to_ns = 6 * S;
    assert_int_equal(spread_add(&s, 2 * S, 12 * S, 1000, 10, NULL), 0); /* 100 octets per second */
    assert_int_equal(spread_add(&s, 0, S, 7, 1, NULL), 0);
    assert_int_equal(spread_add(&s, 5 * S, 5 * S, 3, 1, NULL), 0);
    assert_true(total_of(&s) == (fixed_amount)203 << 64);
    assert_int_equal(s.base, 4);
    spread_fini(&s);
}

static void times_too_far_apart_are_refused(void **state)
{
    (void)state;
    struct spread s = make(SPREAD_PROPORTIONAL, S);
    struct err e = { 0 };
    assert_int_equal(spread_add(&s, 0, S, 5, 1, &e), 0);
    assert_int_equal(spread_add(&s, INT64_C(1700000000) * S, INT64_C(1700000001) * S, 5, 1, &e),
                     WEIR_EUSAGE);
    assert_int_equal(spread_add(&s, INT64_MIN, INT64_MAX, 5, 1, &e), WEIR_EUSAGE);
    assert_true(total_of(&s) == (fixed_amount)5 << 64);
    spread_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_flow_of_100000_bytes_from_3_4_to_7_8_gives_the_table_of_the_specification),
        cmocka_unit_test(the_total_is_kept_whatever_the_records),
        cmocka_unit_test(shares_of_the_largest_numbers_do_not_overflow),
        cmocka_unit_test(a_window_keeps_only_what_lies_inside),
        cmocka_unit_test(times_too_far_apart_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
