/* Numbers, times and options: text in, value out, and the words of the errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

static void durations_are_exact_and_units_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = { { "5", 5 * NS_PER_S }, { "0.25", 250000000 }, { "500ms", 500000000 }, { "1.5us", 1500 }, { "7ns", 7 },
                  { "5m", 300 * NS_PER_S }, { "1h", 3600 * NS_PER_S }, { "2w", 1209600 * NS_PER_S } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns;
        assert_int_equal(parse_duration(cases[i].text, &ns, "idle", NULL), 0);
        assert_int_equal(ns, cases[i].ns);
    }
    struct err e;
    int64_t ns;
    assert_int_equal(parse_duration("5 parsecs", &ns, "active", &e), WEIR_EUSAGE);
    assert_non_null(strstr(e.text, "unknown unit ' parsecs'"));
    assert_int_equal(parse_duration("-1s", &ns, "active", &e), WEIR_EUSAGE);
}

static void sizes_know_both_kinds_of_units(void **state)
{
    (void)state;
    uint64_t octets;
    assert_int_equal(parse_size("64k", &octets, "memory", NULL), 0);
    assert_int_equal(octets, 64000);
    assert_int_equal(parse_size("1.5GiB", &octets, "memory", NULL), 0);
    assert_int_equal(octets, UINT64_C(1610612736));
    assert_int_equal(parse_size("64 apples", &octets, "memory", NULL), WEIR_EUSAGE);
}

static void times_read_back_as_written(void **state)
{
    (void)state;
    static const int64_t times[] = { 0, -1, 1568534400500000000, 951782400000000000, INT64_C(-2208988800) * NS_PER_S };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct text t = { 0 };
        int64_t ns;
        text_rfc3339(&t, times[i], 9);
        assert_int_equal(parse_instant(t.data, &ns, "from", NULL), 0);
        assert_int_equal(ns, times[i]);
        text_fini(&t);
    }
    int64_t ns;
    assert_int_equal(parse_instant("2019/09/15.08:00:00", &ns, "from", NULL), 0);
    assert_int_equal(ns, INT64_C(1568534400) * NS_PER_S);
    assert_int_equal(parse_instant("2019-13-01", &ns, "from", NULL), WEIR_EUSAGE);
}

static void json_text_is_always_utf8(void **state)
{
    (void)state;
    struct text t = { 0 };
    text_json(&t, "a\"\\\n\xff\xc3\xa9", 7);
    assert_string_equal(t.data, "\"a\\\"\\\\\\u000a\xef\xbf\xbd\xc3\xa9\"");
    text_fini(&t);
}

struct values {
    bool is_quiet;
    uint64_t count;
    const char *format;
    struct option_list reads;
};

static const struct option table[] = {
    { "quiet", 'q', OPTION_FLAG, offsetof(struct values, is_quiet), NULL, "fewer words" },
    { "count", 'c', OPTION_COUNT, offsetof(struct values, count), "N", "stop after N" },
    { "output", 'o', OPTION_TEXT, offsetof(struct values, format), "FORMAT", "output format" },
    { "read", 'r', OPTION_LIST, offsetof(struct values, reads), "PATH", "input" },
    { 0 },
};
static const struct option *const tables[] = { table, NULL };

static void options_are_found_by_letter_prefix_and_equals(void **state)
{
    (void)state;
    char *argv[] = { "flow", "-qc5", "--out=csv", "-r", "a", "b", "-ra2", "-", "--", "src", "ip", NULL };
    struct values v = { 0 };
    struct option_list inputs = { 0 };
    char *rest = NULL;
    struct err e;
    assert_int_equal(option_parse(11, argv, tables, &v, &inputs, &rest, &e), 0);
    assert_true(v.is_quiet);
    assert_int_equal(v.count, 5);
    assert_string_equal(v.format, "csv");
    assert_int_equal(v.reads.count, 2);
    assert_string_equal(v.reads.item[1], "a2");
    assert_int_equal(inputs.count, 2);
    assert_string_equal(inputs.item[1], "-");
    assert_string_equal(rest, "src ip");
    char *wrong[] = { "flow", "--cuont", "5", NULL };
    assert_int_equal(option_parse(3, wrong, tables, &v, &inputs, &rest, &e), WEIR_EUSAGE);
    assert_non_null(strstr(e.text, "did you mean --count?"));
    free(rest);
    option_list_fini(&inputs);
    option_list_fini(&v.reads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_exact_and_units_named), cmocka_unit_test(sizes_know_both_kinds_of_units),
        cmocka_unit_test(times_read_back_as_written),          cmocka_unit_test(json_text_is_always_utf8),
        cmocka_unit_test(options_are_found_by_letter_prefix_and_equals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
