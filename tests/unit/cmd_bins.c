/* Histograms, shares and statistics as rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/bins.h"

/* The CSV of one kind of table over the values; --bins may be NULL. */
static char *table_of(enum bins_kind kind, const char *bins, bool is_time, const uint64_t *value,
                      size_t count)
{
    char path[] = "/tmp/weir-bins-XXXXXX";
    close(mkstemp(path));
    struct distribution d;
    struct bins_table t;
    struct err e = { 0 };
    assert_int_equal(distribution_init(&d), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(distribution_add(&d, value[i]), 0);
    struct output_options options = {
        .format = "csv", .path = path, .digits = 2, .no_header = true
    };
    assert_int_equal(bins_table_open(&t, kind, is_time, &options, &e), 0);
    int code = kind == BINS_HISTOGRAM ? bins_put_histogram(&t, &d, bins, is_time, &e)
                                      : bins_put_ecdf(&t, &d, &e);
    if (bins_table_close(&t, code, &e) != 0)
        fail_msg("%s", e.text);
    distribution_fini(&d);
    char *got = calloc(1, 65536);
    FILE *f = fopen(path, "r");
    assert_true(fread(got, 1, 65535, f) < 65535);
    fclose(f);
    unlink(path);
    return got;
}

static const uint64_t values[] = { 5, 20, 20, 39, 40, 1514 };

static void bins_follow_their_edges(void **state)
{
    (void)state;
    static const struct {
        const char *bins, *expected;
        bool is_time;
    } cases[] = {
        { "0,20,40",
          "0,19,1,16.67,0.17,5.00,5,5\n20,39,3,50.00,0.67,26.33,20,39\n40,,2,33.33,1.00,777.00,40,"
          "1514\n",
          false },
        { "20,2000",
          "5,19,1,16.67,0.17,5.00,5,5\n20,1999,5,83.33,1.00,326.60,20,1514\n2000,,0,0.00,1.00,,,\n",
          false },
        { "width:1000", "0,999,5,83.33,0.83,24.80,5,40\n1000,,1,16.67,1.00,1514.00,1514,1514\n",
          false },
        { NULL,
          "4,7,1,16.67,0.17,5.00,5,5\n8,15,0,0.00,0.17,,,\n16,31,2,33.33,0.50,20.00,20,20\n32,63,2,"
          "33.33,0.83,39.50,39,40\n"
          "64,127,0,0.00,0.83,,,\n128,255,0,0.00,0.83,,,\n256,511,0,0.00,0.83,,,\n512,1023,0,0.00,"
          "0.83,,,\n"
          "1024,,1,16.67,1.00,1514.00,1514,1514\n",
          false },
        { "0,30ns",
          "0.000000000,0.000000029,3,50.00,0.50,0.00,0.000000005,0.000000020\n"
          "0.000000030,,3,50.00,1.00,0.00,0.000000039,0.000001514\n",
          true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = table_of(BINS_HISTOGRAM, cases[i].bins, cases[i].is_time, values, 6);
        assert_string_equal(got, cases[i].expected);
        free(got);
    }
}

static void shares_end_at_one(void **state)
{
    (void)state;
    char *got = table_of(BINS_ECDF, NULL, false, values, 6);
    assert_string_equal(got, "5,1,0.17\n20,2,0.50\n39,1,0.67\n40,1,0.83\n1514,1,1.00\n");
    free(got);
}

static void no_values_give_empty_bins(void **state)
{
    (void)state;
    char *got = table_of(BINS_HISTOGRAM, "0,20", false, NULL, 0);
    assert_string_equal(got, "0,19,0,0.00,0.00,,,\n20,,0,0.00,0.00,,,\n");
    free(got);
    got = table_of(BINS_HISTOGRAM, "fd", false, NULL, 0);
    assert_string_equal(got, "0,,0,0.00,0.00,,,\n");
    free(got);
}

static void too_many_bins_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "",      "1,1",     "2,1",    "a",   "width:0",
                                       "log:0", "log:513", "width:", "1,,2" };
    struct err e;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(bins_check(bad[i], false, &e), WEIR_EUSAGE);
    assert_int_equal(bins_check("0,20,40", false, &e), 0);
    assert_int_equal(bins_check("1ms,0.5s", true, &e), 0);
    static const uint64_t far[] = { 0, UINT64_MAX };
    struct distribution d;
    struct bins_table t;
    assert_int_equal(distribution_init(&d), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(distribution_add(&d, far[i]), 0);
    assert_int_equal(bins_table_open(&t, BINS_HISTOGRAM, false,
                                     &(struct output_options){ .format = "null" }, &e),
                     0);
    assert_int_equal(bins_put_histogram(&t, &d, "width:7", false, &e), WEIR_EUSAGE);
    assert_non_null(strstr(e.text, "more than 65536 bins"));
    assert_int_equal(bins_put_histogram(&t, &d, "fd", false, &e), 0);
    assert_int_equal(bins_put_histogram(&t, &d, NULL, false, &e), 0);
    assert_int_equal(bins_table_close(&t, 0, &e), 0);
    distribution_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_follow_their_edges),
        cmocka_unit_test(shares_end_at_one),
        cmocka_unit_test(no_values_give_empty_bins),
        cmocka_unit_test(too_many_bins_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
