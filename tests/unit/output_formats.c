/* What each output format writes, choice of columns, counting of what was written and what was not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "output/output.h"

/* A record type with one column of every kind of value. */
static const struct column_type columns[] = {
    { "start", T_TIME, U_NONE, FIELD_start },  { "src", T_ADDRESS, U_NONE, FIELD_src },
    { "proto", T_PROTO, U_NONE, FIELD_proto }, { "flags", T_FLAGS, U_NONE, FIELD_flags },
    { "bytes", T_U64, U_OCTETS, FIELD_bytes }, { "rate", T_F64, U_BITS_PER_S, FIELD_NONE },
    { "mac", T_MAC, U_NONE, FIELD_NONE },      { "note", T_TEXT, U_NONE, FIELD_NONE },
    { "change", T_I64, U_NONE, FIELD_NONE },   { "lasts", T_DURATION, U_SECONDS, FIELD_duration },
};
static const struct record_type type = {
    .name = "probe", .help = "test", .column_count = 10, .column = columns
};

#define PUT(batch, index, row, ctype, ...)                                                         \
    (((ctype *)record_batch_column(batch, index))[row] = (ctype)__VA_ARGS__)

static struct bytes text_of(const char *text)
{
    return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

/* Two rows: one with everything and an awkward text, one with a time only. */
static struct record_batch *two_rows(const char *note)
{
    struct record_batch *b = record_batch_new(&type, 4);
    struct address a;
    address_parse("2001:db8::1", &a);
    PUT(b, 0, 0, int64_t, 1484319033500000001);
    PUT(b, 0, 1, int64_t, -1500000000);
    PUT(b, 1, 0, struct address, a);
    PUT(b, 2, 0, uint8_t, 6);
    PUT(b, 3, 0, uint16_t, 0x12);
    PUT(b, 4, 0, uint64_t, UINT64_MAX);
    PUT(b, 5, 0, double, 1234567.125);
    PUT(b, 6, 0, struct mac, { { 0, 0x1b, 0x44, 0x11, 0x3a, 0xb7 }, { 0 } });
    PUT(b, 7, 0, struct bytes, text_of(note));
    PUT(b, 8, 0, int64_t, INT64_MIN);
    PUT(b, 9, 0, int64_t, 4400000000);
    for (unsigned i = 1; i < 10; i++)
        assert_int_equal(record_batch_set_null(b, i, 1), 0);
    b->count = 2;
    record_batch_seal(b);
    return b;
}

/* Everything that the output writes for `batch`, to be freed. */
static char *write_all(struct output_options options, struct record_batch *batch)
{
    char path[] = "/tmp/weir-output-XXXXXX";
    close(mkstemp(path));
    options.path = path;
    struct output *o;
    struct err e = { 0 };
    if (output_open(&o, &options, batch->type, NULL, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(o->sink.push(&o->sink, batch), 0);
    assert_int_equal(output_close(o, &e), 0);
    FILE *f = fopen(path, "r");
    char *got = calloc(1, 1 << 20);
    assert_true(fread(got, 1, (1 << 20) - 1, f) < 1 << 20);
    fclose(f);
    unlink(path);
    return got;
}

static void formats_write_what_their_standards_say(void **state)
{
    (void)state;
    static const struct {
        const char *format, *columns, *expected;
    } cases[] = {
        { "csv", NULL,
          "start,src,proto,flags,flags_text,bytes,rate,mac,note,change,lasts\n"
          "1484319033.500000001,2001:db8::1,6,18,...A..S.,18446744073709551615,1234567.125000,00:"
          "1b:44:11:3a:b7,\"say \"\"hi\"\", you\","
          "-9223372036854775808,4.400000000\n"
          "-1.500000000,,,,,,,,,,\n" },
        { "tsv", "note,bytes", "note\tbytes\nsay \"hi\", you\t18446744073709551615\n\t\n" },
        { "jsonl", NULL,
          "{\"start\":1484319033.500000001,\"src\":\"2001:db8::1\",\"proto\":6,\"flags\":18,"
          "\"flags_text\":\"...A..S.\","
          "\"bytes\":18446744073709551615,\"rate\":1234567.125000,\"mac\":\"00:1b:44:11:3a:b7\","
          "\"note\":\"say \\\"hi\\\", you\","
          "\"change\":-9223372036854775808,\"lasts\":4.400000000}\n"
          "{\"start\":-1.500000000}\n" },
        { "json", "proto,start",
          "[\n{\"proto\":6,\"start\":1484319033.500000001},\n{\"start\":-1.500000000}\n]\n" },
        { "table", "proto,flags_text,rate,bytes,note",
          "numbers with k = 1000, M = 1000 k, G = 1000 M; -N prints them plain\n"
          "proto  flags_text  rate (bit/s)  bytes  note\n"
          "tcp    ...A..S.           1.23M  18.4E  say \"hi\", you\n"
          "\n" },
        { "table", "start,src,change",
          "start                     src                        change\n"
          "2017-01-13T14:50:33.500Z  2001:db8::1  -9223372036854775808\n"
          "1969-12-31T23:59:58.500Z\n" },
        { "md", "proto,lasts",
          "| proto | lasts (s) |\n|---|--:|\n| tcp | 4.400000000 |\n|  |  |\n" },
        { "null", NULL, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct output_options o = OUTPUT_DEFAULTS;
        o.format = cases[i].format;
        o.columns = cases[i].columns;
        char *got = write_all(o, two_rows("say \"hi\", you"));
        assert_string_equal(got, cases[i].expected);
        free(got);
    }
}

static void texts_cannot_break_out_of_their_cell(void **state)
{
    (void)state;
    static const struct {
        const char *format, *note, *expected;
        bool is_raw;
    } cases[] = {
        { "csv", "=1+2", "note\n\"'=1+2\"\n\n", false },
        { "csv", "=1+2", "note\n=1+2\n\n", true },
        { "csv", "@a,\"b\"", "note\n\"'@a,\"\"b\"\"\"\n\n", false },
        { "csv", "two\nlines", "note\n\"two\nlines\"\n\n", false },
        { "csv", "bad\xffutf", "note\nbad\xef\xbf\xbdutf\n\n", false },
        { "csv", "gr\xc3\xbc\xc3\x9f", "note\ngr\xc3\xbc\xc3\x9f\n\n", false },
        { "tsv", "a\tb\\c\nd", "note\na\\tb\\\\c\\nd\n\n", false },
        { "tsv", "-1", "note\n'-1\n\n", false },
        { "jsonl", "\x01\"\\\n\xc0\xaf",
          "{\"note\":\"\\u0001\\\"\\\\\\u000a\xef\xbf\xbd\xef\xbf\xbd\"}\n{}\n", false },
        { "md", "a|b", "| note |\n|---|\n| a\\|b |\n|  |\n", false },
        { "table", "\x1b[31mred\xc2\x9b", "note\n.[31mred..\n\n", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct output_options o = OUTPUT_DEFAULTS;
        o.format = cases[i].format;
        o.columns = "note";
        o.is_raw = cases[i].is_raw;
        char *got = write_all(o, two_rows(cases[i].note));
        assert_string_equal(got, cases[i].expected);
        free(got);
    }
}

static void options_change_times_digits_and_header(void **state)
{
    (void)state;
    static const struct {
        const char *format, *columns, *time;
        uint64_t digits;
        bool no_header, plain;
        const char *expected;
    } cases[] = {
        { "csv", "start,rate", "iso", 1, true, false,
          "2017-01-13T14:50:33.500000001Z,1234567.1\n1969-12-31T23:59:58.500000000Z,\n" },
        { "csv", "start", "relative", 6, true, false, "0.000000000\n-1484319035.000000001\n" },
        { "jsonl", "start", "iso", 6, false, false,
          "{\"start\":\"2017-01-13T14:50:33.500000001Z\"}\n{\"start\":\"1969-12-31T23:59:58."
          "500000000Z\"}\n" },
        { "table", "start,bytes", "epoch", 6, true, true,
          "1484319033.500000001  18446744073709551615\n-1.500000000\n" },
        { "csv", "sourceIPv4Address,octetDeltaCount", NULL, 6, false, false,
          "src,bytes\n2001:db8::1,18446744073709551615\n,\n" },
        { "table", "+mac", NULL, 0, true, true,
          "2017-01-13T14:50:33.500000001Z  2001:db8::1  tcp  ...A..S.  18446744073709551615  "
          "1234567  00:1b:44:11:3a:b7  x  "
          "-9223372036854775808  4.400000000\n1969-12-31T23:59:58.500000000Z\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = write_all((struct output_options){ .format = cases[i].format,
                                                       .columns = cases[i].columns,
                                                       .digits = cases[i].digits,
                                                       .time_format = cases[i].time,
                                                       .no_header = cases[i].no_header,
                                                       .plain_numbers = cases[i].plain },
                              two_rows("x"));
        assert_string_equal(got, cases[i].expected);
        free(got);
    }
}

static void wrong_names_are_refused_with_the_nearest(void **state)
{
    (void)state;
    static const struct {
        struct output_options options;
        const char *part;
    } cases[] = {
        { { .format = "jsnl" }, "no output format 'jsnl'; did you mean 'jsonl'?" },
        { { .format = "csv", .columns = "start,byts" },
          "no column 'byts' in 'probe'; did you mean 'bytes'?" },
        { { .format = "csv", .columns = "start,," }, "has an empty name" },
        { { .format = "csv", .time_format = "rfc" }, "there are epoch, iso and relative" },
        { { .format = "csv", .digits = 18 }, "--digits: 18 is more than 17" },
        { { .format = "csv", .path = "/nonexistent/x.csv" }, "cannot create '/nonexistent/x.csv'" },
        { { .format = "csv", .path = "x.csv.gz" }, "pipe it" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = { 0 };
        struct output *o;
        assert_true(output_open(&o, &cases[i].options, &type, NULL, &e) < 0);
        if (strstr(e.text, cases[i].part) == NULL)
            fail_msg("'%s' lacks '%s'", e.text, cases[i].part);
    }
}

static void a_full_disk_is_an_output_error_and_every_row_is_counted(void **state)
{
    (void)state;
    static const char *const formats[] = { "csv", "jsonl", "json", "table", "md", "tsv" };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct ledger ledger = { 0 };
        struct err e = { 0 };
        struct output *o;
        int code =
            output_open(&o, &(struct output_options){ .format = formats[i], .path = "/dev/full" },
                        &type, &ledger, &e);
        unsigned pushed = 0;
        if (code == 0) {
            for (unsigned k = 0; k < 3; k++, pushed += 2)
                o->sink.push(&o->sink, two_rows("x"));
            code = output_close(o, &e);
        }
        assert_int_equal(code, WEIR_EOUTPUT);
        assert_non_null(strstr(e.text, "No space left"));
        assert_int_equal(ledger.out[STAGE_output], 0);
        assert_int_equal(ledger.reason[REASON_output_failed], pushed);
    }
}

static void written_rows_are_counted_once(void **state)
{
    (void)state;
    static const char *const formats[] = { "csv", "jsonl", "json", "table", "md", "tsv", "null" };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct ledger ledger = { 0 };
        struct err e = { 0 };
        struct output *o;
        assert_int_equal(
            output_open(&o, &(struct output_options){ .format = formats[i], .path = "/dev/null" },
                        &type, &ledger, &e),
            0);
        for (unsigned k = 0; k < OUTPUT_TABLE_ROWS / 2 + 5; k++)
            assert_int_equal(o->sink.push(&o->sink, two_rows("x")), 0);
        assert_int_equal(output_close(o, &e), 0);
        assert_int_equal(ledger.out[STAGE_output], OUTPUT_TABLE_ROWS + 10);
        assert_int_equal(ledger.reason[REASON_output_failed], 0);
    }
}

static void fast_writers_agree_with_the_plain_one(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252;
    for (unsigned i = 0; i < 2000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        struct record_batch *b = record_batch_new(&type, 1);
        uint64_t number = seed >> (i % 64);
        PUT(b, 0, 0, int64_t, (int64_t)(seed >> (i % 61)));
        PUT(b, 4, 0, uint64_t, number);
        PUT(b, 8, 0, int64_t, (int64_t)number);
        b->count = 1;
        record_batch_seal(b);
        struct text expected = { 0 };
        for (unsigned k = 0; k < 3; k++) {
            unsigned index = (unsigned[]){ 0, 4, 8 }[k];
            value_print(&expected, columns[index].type, record_value(b, index, 0), 6);
            text_char(&expected, k < 2 ? ',' : '\n');
        }
        char *got = write_all((struct output_options){ .format = "csv",
                                                       .columns = "start,bytes,change",
                                                       .no_header = true },
                              b);
        assert_string_equal(got, expected.data);
        free(got);
        text_fini(&expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_write_what_their_standards_say),
        cmocka_unit_test(texts_cannot_break_out_of_their_cell),
        cmocka_unit_test(options_change_times_digits_and_header),
        cmocka_unit_test(wrong_names_are_refused_with_the_nearest),
        cmocka_unit_test(a_full_disk_is_an_output_error_and_every_row_is_counted),
        cmocka_unit_test(written_rows_are_counted_once),
        cmocka_unit_test(fast_writers_agree_with_the_plain_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
