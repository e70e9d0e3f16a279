/* Moments and distributions against their definitions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sketch/sketch.h"

static void assert_near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * (fabs(expected) > 1 ? fabs(expected) : 1)))
        fail_msg("%.15g is not %.15g", got, expected);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
    return *seed;
}

static void moments_are_those_of_the_textbook(void **state)
{
    (void)state;
    /* 2 4 4 4 5 5 7 9: mean 5, population variance 4, m3 = 42/8, m4 = 356/8. */
    static const double values[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
    struct moments m = { 0 }, left = { 0 }, right = { 0 };
    for (unsigned i = 0; i < 8; i++) {
        moments_add(&m, values[i], 1);
        moments_add(i < 3 ? &left : &right, values[i], 1);
    }
    moments_merge(&left, &right);
    const struct moments *both[] = { &m, &left };
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(both[i]->count, 8);
        assert_near(both[i]->mean, 5, 1e-12);
        assert_near(moments_variance(both[i]), 32.0 / 7, 1e-12);
        assert_near(moments_skewness(both[i]), 42.0 / 8 / 8, 1e-12);
        assert_near(moments_kurtosis(both[i]), 356.0 / 8 / 16 - 3, 1e-12);
    }
}

static void moments_of_equal_or_no_values_are_defined(void **state)
{
    (void)state;
    struct moments none = { 0 }, same = { 0 };
    moments_add(&same, 1e9, 1000000);
    assert_near(moments_variance(&none), 0, 0);
    assert_near(moments_skewness(&none), 0, 0);
    assert_near(same.mean, 1e9, 0);
    assert_near(moments_variance(&same), 0, 0);
    assert_near(moments_kurtosis(&same), 0, 0);
}

static void quantiles_follow_types_1_and_7(void **state)
{
    (void)state;
    struct distribution d;
    assert_int_equal(distribution_init(&d), 0);
    static const uint32_t values[] = { 40, 10, 30, 20 };
    assert_int_equal(distribution_add_many(&d, values, 4), 0);
    static const struct {
        double p, type_1, type_7;
    } cases[] = { { 0, 10, 10 },      { 0.25, 10, 17.5 }, { 0.26, 20, 17.8 }, { 0.5, 20, 25 },
                  { 0.75, 30, 32.5 }, { 0.9, 40, 37 },    { 1, 40, 40 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_near(distribution_quantile(&d, cases[i].p), cases[i].type_1, 0);
        assert_near(distribution_quantile_7(&d, cases[i].p), cases[i].type_7, 1e-12);
    }
    distribution_fini(&d);
    assert_int_equal(distribution_init(&d), 0);
    for (uint64_t i = 1; i <= 10; i++)
        assert_int_equal(distribution_add(&d, i), 0);
    for (unsigned i = 1; i <= 10; i++) /* p = i/10 is never exact in binary */
        assert_near(distribution_quantile(&d, i / 10.0), i, 0);
    distribution_fini(&d);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void large_values_are_known_to_a_thousandth(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    uint64_t *values = calloc(COUNT, sizeof *values), seed = 88172645463325252;
    struct distribution d, half;
    assert_int_equal(distribution_init(&d), 0);
    assert_int_equal(distribution_init(&half), 0);
    struct moments exact = { 0 };
    for (unsigned i = 0; i < COUNT; i++) {
        values[i] = next_random(&seed) >> (i % 63);
        assert_int_equal(distribution_add(i % 2 ? &d : &half, values[i]), 0);
        moments_add(&exact, (double)values[i], 1);
    }
    assert_int_equal(distribution_merge(&d, &half), 0);
    qsort(values, COUNT, sizeof *values, by_value);
    assert_int_equal(d.count, COUNT);
    assert_true(d.min == values[0]);
    assert_true(d.max == values[COUNT - 1]);
    for (unsigned i = 0; i <= 100; i++) {
        size_t rank = (i * COUNT + 99) / 100; /* rounded up */
        uint64_t truth = values[rank < 1 ? 0 : rank - 1];
        double got = distribution_quantile(&d, i / 100.0);
        if (truth < DISTRIBUTION_EXACT)
            assert_near(got, (double)truth, 0);
        else
            assert_near(got / (double)truth, 1, 0.001);
    }
    struct moments got = distribution_moments(&d);
    assert_near(got.mean / exact.mean, 1, 1e-9);
    assert_near(moments_variance(&got) / moments_variance(&exact), 1, 1e-9);
    assert_near(moments_kurtosis(&got), moments_kurtosis(&exact), 1e-6);
    distribution_fini(&d);
    distribution_fini(&half);
    free(values);
}

static void buckets_cover_every_value_once(void **state)
{
    (void)state;
    static const uint64_t values[] = { 0,     1,      65535,  65536,          65663,
                                       65664, 131071, 131072, UINT64_MAX - 1, UINT64_MAX };
    struct distribution d;
    assert_int_equal(distribution_init(&d), 0);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_int_equal(distribution_add(&d, values[i]), 0);
    uint64_t at = 0, seen = 0, last = 0;
    struct distribution_bucket b;
    for (unsigned i = 0; distribution_next(&d, &at, &b); i++) {
        assert_true(b.lo <= b.hi);
        assert_true(i == 0 || b.lo > last);
        for (size_t k = 0; k < sizeof values / sizeof *values; k++)
            seen += values[k] >= b.lo && values[k] <= b.hi;
        last = b.hi;
    }
    assert_int_equal(seen, sizeof values / sizeof *values);
    assert_true(last == UINT64_MAX);
    distribution_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_those_of_the_textbook),
        cmocka_unit_test(moments_of_equal_or_no_values_are_defined),
        cmocka_unit_test(quantiles_follow_types_1_and_7),
        cmocka_unit_test(large_values_are_known_to_a_thousandth),
        cmocka_unit_test(buckets_cover_every_value_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
