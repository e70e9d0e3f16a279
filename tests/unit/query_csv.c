/* Native CSV: rows to records, damage with its place, any cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "query/query.h"

#define C(name) RECORD_COLUMN(flow, name)

/* Writes all it gets as lines "start src sport proto bytes tunnel", '-' for no value. */
struct lines {
    struct record_sink sink;
    struct text text;
};

static int lines_push(struct record_sink *sink, struct record_batch *batch)
{
    struct lines *lines = (struct lines *)sink;
    static const unsigned columns[] = { C(start), C(src),     C(sport), C(proto),
                                        C(bytes), C(src_mac), C(tunnel) };
    assert_true(batch->is_sealed);
    for (unsigned row = 0; row < batch->count; row++)
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            text_add(&lines->text, i ? " " : "");
            if (record_is_null(batch, columns[i], row))
                text_add(&lines->text, "-");
            else
                value_print(&lines->text, batch->type->column[columns[i]].type,
                            record_value(batch, columns[i], row), 6);
            text_add(&lines->text, i + 1 == sizeof columns / sizeof *columns ? "\n" : "");
        }
    record_batch_unref(batch);
    return 0;
}

/* Reads `text` in pieces of `piece` octets. */
static int read_text(const char *text, size_t size, size_t piece, struct lines *lines,
                     struct text *messages, struct err *e)
{
    struct csv_reader *reader;
    *lines = (struct lines){ .sink = { lines_push } };
    int code = csv_reader_new(&reader, &record_types[RECORD_flow], "t.csv", &lines->sink, e);
    for (size_t at = 0; at < size && code == 0; at += piece) {
        size_t part = size - at < piece ? size - at : piece;
        char *exact = malloc(part);
        memcpy(exact, text + at, part);
        code = csv_reader_feed(reader, exact, part, e);
        free(exact);
    }
    return csv_reader_close(reader, messages, code, e);
}

static const char sample[] =
    "start,src,\"sport\",sourceMacAddress,proto,octetDeltaCount,tunnel,flags_text\r\n"
    "1484319033.5,192.0.2.1,443,00:53:00:00:00:01,6,18446744073709551615,\"a "
    "\"\"b\"\",\nc\",..A\r\n"
    "\n"
    "2019-09-15T08:00:00Z,2001:db8::1,,,udp,7,,\n"
    "-1.25,,0,,255,,x,";
static const char sample_rows[] =
    "1484319033.500000000 192.0.2.1 443 6 18446744073709551615 00:53:00:00:00:01 a \"b\",\nc\n"
    "1568534400.000000000 2001:db8::1 - 17 7 - -\n"
    "-1.250000000 - 0 255 - - x\n";

static void rows_are_the_same_however_the_text_is_cut(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof sample; piece++) {
        struct lines lines;
        struct text messages = { 0 };
        struct err e = { 0 };
        assert_int_equal(read_text(sample, sizeof sample - 1, piece, &lines, &messages, &e), 0);
        assert_string_equal(lines.text.data, sample_rows);
        assert_string_equal(messages.data,
                            "t.csv: columns that flow records lack are left out: flags_text\n");
        text_fini(&lines.text);
        text_fini(&messages);
    }
}

static void many_rows_come_in_several_batches(void **state)
{
    (void)state;
    struct text t = { 0 };
    text_add(&t, "bytes\n");
    for (unsigned i = 0; i < 5000; i++)
        text_format(&t, "%u\n", i);
    struct lines lines;
    assert_int_equal(read_text(t.data, t.size, 1000, &lines, NULL, NULL), 0);
    unsigned count = 0;
    for (size_t i = 0; i < lines.text.size; i++)
        count += lines.text.data[i] == '\n';
    assert_int_equal(count, 5000);
    assert_non_null(strstr(lines.text.data, "- - - - 4999 - -\n"));
    text_fini(&lines.text);
    text_fini(&t);
}

static void damage_is_named_and_the_rows_before_it_are_used(void **state)
{
    (void)state;
    static const struct {
        const char *text, *rows, *message;
    } cases[] = {
        { "src,sport\n10.0.0.1,1\n10.0.0.2,65536\n", "- 10.0.0.1 1 - - - -\n",
          "t.csv:3: sport '65536' is no number of the column's range; the rows before it were "
          "used" },
        { "src,sport\n10.0.0.1,1\n10.0.0.2\n", "- 10.0.0.1 1 - - - -\n",
          "t.csv:3: 1 fields, but the header has 2; the rows before it were used" },
        { "src\n10.0.0.1\n\"10.0.0.2\n", "- 10.0.0.1 - - - - -\n",
          "t.csv:3: a quote is not closed; the rows before it were used" },
        { "src\nexample.com\n", NULL,
          "t.csv:2: src 'example.com' is no address; the rows before it were used" },
        { "proto\ntcp\nxyz\n", "- - - 6 - - -\n",
          "t.csv:3: proto 'xyz' is no protocol; the rows before it were used" },
        { "src_mac\n0:53:0:0:0:1\n", NULL,
          "t.csv:2: src_mac '0:53:0:0:0:1' is no MAC address; the rows before it were used" },
        { "", NULL, "t.csv: no header; write the names of the columns into the first line" },
        { "alpha,beta\n1,2\n", NULL,
          "t.csv: no column of the header is one of flow records: 'alpha, beta'; 'weir schema' "
          "shows their names" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lines lines;
        struct err e = { 0 };
        assert_int_equal(read_text(cases[i].text, strlen(cases[i].text), 7, &lines, NULL, &e),
                         WEIR_EINPUT);
        assert_string_equal(e.text, cases[i].message);
        if (cases[i].rows == NULL)
            assert_int_equal(lines.text.size, 0);
        else
            assert_string_equal(lines.text.data, cases[i].rows);
        text_fini(&lines.text);
    }
}

static void every_prefix_and_every_changed_octet_ends_in_rows_or_a_message(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof sample; size++)
        for (unsigned change = 0; change < 3; change++) {
            char *exact = malloc(size + 1);
            memcpy(exact, sample, size);
            if (size > 0 && change > 0)
                exact[size * 7 % size] = "\"\0"[change - 1];
            struct lines lines;
            struct err e = { 0 };
            int code = read_text(exact, size, size + 1, &lines, NULL, &e);
            assert_true(code == 0 || (code == WEIR_EINPUT && strlen(e.text) > 0));
            text_fini(&lines.text);
            free(exact);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_same_however_the_text_is_cut),
        cmocka_unit_test(many_rows_come_in_several_batches),
        cmocka_unit_test(damage_is_named_and_the_rows_before_it_are_used),
        cmocka_unit_test(every_prefix_and_every_changed_octet_ends_in_rows_or_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
