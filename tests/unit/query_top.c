/* weir top, weir query and nfdump's lines over a few records that can be added up by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "query/query.h"

/* Two records of both directions, one of one, one from an address to itself, one of IPv6, ICMP. */
static const char records[] = "start,end,proto,src,sport,dst,dport,flags,packets,bytes,rev_packets,"
                              "rev_bytes,rev_flags,src_as,dst_as\n"
                              "10,12,6,10.0.0.10,40000,192.0.2.1,443,27,10,1000,20,20000,27,1,2\n"
                              "11,11.5,6,10.0.0.9,40001,192.0.2.1,443,2,4,400,3,300,18,1,2\n"
                              "12,12,17,192.0.2.1,53,10.0.0.9,5353,0,1,100,0,0,0,2,1\n"
                              "13,14,17,10.0.0.9,123,10.0.0.9,123,0,2,152,1,76,0,,\n"
                              "14,20.0005,58,2001:db8::1,0,2001:db8::2,32768,0,6,624,0,0,0,,\n"
                              "15,15,6,192.0.2.1,443,10.0.0.10,40000,4,1,40,0,0,0,2,1\n";

struct lines {
    struct record_sink sink; /* first */
    struct text text;
    struct fmt *fmt;
    const char *format;
};

static int lines_push(struct record_sink *sink, struct record_batch *batch)
{
    struct lines *lines = (struct lines *)sink;
    if (lines->fmt != NULL)
        fmt_rows(lines->fmt, batch, &lines->text);
    for (unsigned row = 0; lines->fmt == NULL && row < batch->count; row++)
        for (unsigned i = 0; i < batch->type->column_count; i++) {
            text_add(&lines->text, i > 0 ? "," : "");
            if (batch->type->column[i].type == T_TIME || batch->type->column[i].type == T_DURATION)
                text_seconds(&lines->text, *(const int64_t *)record_value(batch, i, row), 1);
            else if (!record_is_null(batch, i, row))
                value_print(&lines->text, batch->type->column[i].type, record_value(batch, i, row),
                            1);
            text_add(&lines->text, i + 1 == batch->type->column_count ? "\n" : "");
        }
    record_batch_unref(batch);
    return 0;
}

static struct record_sink *lines_open(void *context, const struct record_type *type, struct err *e)
{
    struct lines *lines = context;
    if (lines->format != NULL) {
        if (fmt_open(&lines->fmt, &(struct fmt_options){ .format = lines->format }, type, e) != 0)
            return NULL;
        fmt_header(lines->fmt, &lines->text);
        return &lines->sink;
    }
    for (unsigned i = 0; i < type->column_count; i++)
        text_format(&lines->text, "%s%s", i > 0 ? "," : "", type->column[i].name);
    text_add(&lines->text, "\n");
    return &lines->sink;
}

static struct store *store_of_records(void)
{
    struct store *store;
    struct record_sink *sink;
    struct csv_reader *reader;
    struct err e;
    assert_int_equal(store_open_memory(&store, &record_types[RECORD_flow], 1 << 20, &sink, &e), 0);
    assert_int_equal(csv_reader_new(&reader, &record_types[RECORD_flow], "records", sink, &e), 0);
    int code = csv_reader_feed(reader, records, sizeof records - 1, &e);
    assert_int_equal(csv_reader_close(reader, NULL, code, &e), 0);
    return store;
}

/* The answer as text; freed by the caller. */
static struct text ask(struct store *store, struct answer *answer, const char *format)
{
    struct lines lines = { .sink = { lines_push }, .format = format };
    struct err e;
    if (answer_ask(answer, store, lines_open, &lines, &e) != 0)
        fail_msg("%s\n%s", e.text, answer->sql.data);
    answer_fini(answer);
    fmt_close(lines.fmt);
    return lines.text;
}

static const struct question all = { .from_ns = INT64_MIN, .to_ns = INT64_MAX };

static void stats_count_both_directions(void **state)
{
    (void)state;
    static const struct {
        const char *stat, *answer;
        bool has_sides, is_distinct, is_nfdump;
        uint64_t row_max;
    } cases[] = {
        { "srcip/bytes",
          "value,first,last,duration,flows,flows_pct,packets,packets_pct,bytes,bytes_pct,pps,bps,"
          "bpp\n"
          "192.0.2.1,10.0,15.0,5.0,4,66.7,25,52.1,20440,90.1,5.0,32704.0,817.6\n"
          "10.0.0.10,10.0,12.0,2.0,1,16.7,10,20.8,1000,4.4,5.0,4000.0,100.0\n"
          "10.0.0.9,11.0,14.0,3.0,2,33.3,7,14.6,628,2.8,2.3,1674.7,89.7\n"
          "2001:db8::1,14.0,20.0,6.0,1,16.7,6,12.5,624,2.7,1.0,831.9,104.0\n",
          .row_max = 0 },
        { "ip/bytes",
          "value,first,last,duration,flows,flows_pct,packets,packets_pct,bytes,bytes_pct,pps,bps,"
          "bpp,tx_packets,tx_bytes,rx_packets,rx_bytes\n"
          "192.0.2.1,10.0,15.0,5.0,4,66.7,39,81.2,21840,96.2,7.8,34944.0,560.0,25,20440,14,1400\n"
          "10.0.0.10,10.0,15.0,5.0,2,33.3,31,64.6,21040,92.7,6.2,33664.0,678.7,10,1000,21,20040\n"
          "10.0.0.9,11.0,14.0,3.0,3,50.0,11,22.9,1028,4.5,3.7,2741.3,93.5,7,628,7,628\n",
          .has_sides = true, .row_max = 3 },
        /* ties by address, not by its text; nfdump counts the record from an address to itself
           twice */
        { "ip/flows",
          "value,first,last,duration,flows,flows_pct,packets,packets_pct,bytes,bytes_pct,pps,bps,"
          "bpp\n"
          "10.0.0.9,11.0,14.0,3.0,4,66.7,14,29.2,1256,5.5,4,3349,89\n"
          "192.0.2.1,10.0,15.0,5.0,4,66.7,39,81.2,21840,96.2,7,34944,560\n"
          "10.0.0.10,10.0,15.0,5.0,2,33.3,31,64.6,21040,92.7,6,33664,678\n",
          .is_nfdump = true, .row_max = 3 },
        { "port:p/packets",
          "value,proto,first,last,duration,flows,flows_pct,packets,packets_pct,bytes,bytes_pct,pps,"
          "bps,bpp\n"
          "443,6,10.0,15.0,5.0,3,50.0,38,79.2,21740,95.8,7.6,34784.0,572.1\n",
          .row_max = 1 },
        { "srcas/bytes",
          "value,first,last,duration,flows,flows_pct,packets,packets_pct,bytes,bytes_pct,pps,bps,"
          "bpp\n"
          "2,10.0,15.0,5.0,4,66.7,25,52.1,20440,90.1,5.0,32704.0,817.6\n"
          "1,10.0,12.0,2.0,2,33.3,14,29.2,1400,6.2,7.0,5600.0,100.0\n"
          ",13.0,20.0,7.0,2,33.3,9,18.8,852,3.8,1.3,973.6,94.7\n",
          .row_max = 0 },
        { "srcnet/24/packets",
          "value,first,last,duration,flows,flows_pct,packets,packets_pct,bytes,bytes_pct,pps,bps,"
          "bpp\n"
          "192.0.2.0/24,10.0,15.0,5.0,4,66.7,25,52.1,20440,90.1,5.0,32704.0,817.6\n"
          "10.0.0.0/24,10.0,14.0,4.0,3,50.0,17,35.4,1628,7.2,4.2,3256.0,95.8\n"
          "2001:d00::/24,14.0,20.0,6.0,1,16.7,6,12.5,624,2.7,1.0,831.9,104.0\n",
          .row_max = 0 },
        { "pair/bytes",
          "addr_a,addr_b,first,last,duration,packets_ab,bytes_ab,packets_ba,bytes_ba,packets,bytes,"
          "flows\n"
          "10.0.0.10,192.0.2.1,10.0,15.0,5.0,10,1000,21,20040,31,21040,2\n"
          "10.0.0.9,192.0.2.1,11.0,12.0,1.0,4,400,4,400,8,800,2\n"
          "2001:db8::1,2001:db8::2,14.0,20.0,6.0,6,624,0,0,6,624,1\n"
          "10.0.0.9,10.0.0.9,13.0,14.0,1.0,2,152,1,76,3,228,1\n",
          .row_max = 0 },
        { "conv",
          "addr_a,port_a,addr_b,port_b,proto,first,last,duration,packets_ab,bytes_ab,packets_ba,"
          "bytes_ba,packets,bytes,flows\n"
          "10.0.0.10,40000,192.0.2.1,443,6,10.0,15.0,5.0,10,1000,21,20040,31,21040,2\n"
          "10.0.0.9,123,10.0.0.9,123,17,13.0,14.0,1.0,2,152,1,76,3,228,1\n"
          "10.0.0.9,5353,192.0.2.1,53,17,12.0,12.0,0.0,0,0,1,100,1,100,1\n",
          .row_max = 3 },
        { "matrix/packets",
          "src,dst,first,last,duration,flows,flows_pct,packets,packets_pct,bytes,bytes_pct,pps,bps,"
          "bpp\n"
          "192.0.2.1,10.0.0.10,10.0,15.0,5.0,2,33.3,21,43.8,20040,88.3,4.2,32064.0,954.3\n",
          .row_max = 1 },
        { "srcip", "distinct\n4\n", .is_distinct = true },
        { "dstport:p", "distinct\n6\n", .is_distinct = true },
        { "conv", "distinct\n5\n", .is_distinct = true },
    };
    struct store *store = store_of_records();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct top_options o = { .question = all,
                                 .has_sides = cases[i].has_sides,
                                 .is_distinct = cases[i].is_distinct,
                                 .is_nfdump = cases[i].is_nfdump };
        struct answer answer = { 0 };
        o.question.row_max = cases[i].row_max;
        assert_int_equal(top_sql(cases[i].stat, &o, &answer, NULL), 0);
        struct text text = ask(store, &answer, NULL);
        if (strcmp(text.data, cases[i].answer) != 0)
            fail_msg("%s:\n%s", cases[i].stat, text.data);
        text_fini(&text);
    }
    store_close(store);
}

static void queries_join_list_and_sum_up(void **state)
{
    (void)state;
    static const struct {
        struct query_options o;
        const char *filter, *format, *answer;
    } cases[] = {
        { { .is_total = true },
          NULL,
          NULL,
          "flows,packets,bytes,first,last,pps,bps,bpp\n6,48,22692,10.0,20.0,4.8,18152.7,472.8\n" },
        { { .is_total = true },
          "proto 99",
          NULL,
          "flows,packets,bytes,first,last,pps,bps,bpp\n0,0,0,0.0,0.0,0.0,0.0,0.0\n" },
        { { .is_total = true },
          "src net 10/8 and bytes > 200",
          NULL,
          "flows,packets,bytes,first,last,pps,bps,bpp\n2,37,21700,10.0,12.0,18.5,86800.0,586.5\n" },
        { { .keys = "proto", .order = "bytes" },
          NULL,
          NULL,
          "proto,first,last,duration,flows,packets,bytes,pps,bps,bpp,flags\n"
          "6,10.0,15.0,5.0,3,38,21740,7.6,34784.0,572.1,31\n"
          "58,14.0,20.0,6.0,1,6,624,1.0,831.9,104.0,0\n"
          "17,12.0,14.0,2.0,2,4,328,2.0,1312.0,82.0,0\n" },
        { { .keys = "srcip4/24,dstport", .order = "packets" },
          "tcp",
          NULL,
          "src,dport,first,last,duration,flows,packets,bytes,pps,bps,bpp,flags\n"
          "192.0.2.0/24,40000,10.0,15.0,5.0,2,21,20040,4.2,32064.0,954.3,31\n"
          "10.0.0.0/24,443,10.0,12.0,2.0,2,14,1400,7.0,5600.0,100.0,27\n"
          "192.0.2.0/24,40001,11.0,11.5,0.5,1,3,300,6.0,4800.0,100.0,18\n" },
        { { .joining = JOIN_BOTH_WAYS, .order = "bytes" },
          "tcp",
          "fmt:%sap %dap %ipkt %opkt %ibyt %obyt %flg %fl",
          "     Src IP Addr:Port       Dst IP Addr:Port    In Pkt  Out Pkt  In Byte Out Byte    "
          "Flags Flows\n"
          "       10.0.0.10:40000        192.0.2.1:443         10       21     1000    20040 "
          "...AP.SF     2\n"
          "        10.0.0.9:40001        192.0.2.1:443          4        3      400      300 "
          "......S.     1\n" },
        { { .joining = JOIN_CLIENT_SERVER },
          "proto udp",
          "fmt:%sap %dap %ipkt %opkt",
          "     Src IP Addr:Port       Dst IP Addr:Port    In Pkt  Out Pkt\n"
          "        10.0.0.9:5353         192.0.2.1:53           0        1\n"
          "        10.0.0.9:123           10.0.0.9:123          2        1\n" },
        { { .order = "tend" },
          "icmp6 or flags R",
          "extended",
          "Date first seen             Duration     Proto      Src IP Addr:Port          Dst IP "
          "Addr:Port     Flags Tos  Packets    Bytes      "
          "pps      bps    Bpp Flows\n"
          "1970-01-01 00:00:15.000     00:00:00.000 TCP          192.0.2.1:443   ->        "
          "10.0.0.10:40000 .....R..   0        1       40      "
          "  0        0     40     1\n"
          "1970-01-01 00:00:14.000     00:00:06.000 ICMP6      2001:db8::1.0     ->      "
          "2001:db8::2.128.0 ........   0        6      624      "
          "  1      832    104     1\n" },
    };
    struct store *store = store_of_records();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct query_options o = cases[i].o;
        struct filter *filter = NULL;
        struct answer answer = { 0 };
        o.question = all;
        if (cases[i].filter != NULL)
            assert_int_equal(filter_parse(cases[i].filter, &filter, NULL), 0);
        o.question.filter = filter;
        assert_int_equal(query_sql(&o, &answer, NULL), 0);
        struct text text = ask(store, &answer, cases[i].format);
        if (strcmp(text.data, cases[i].answer) != 0)
            fail_msg("case %zu:\n%s", i, text.data);
        text_fini(&text);
        filter_free(filter);
    }
    store_close(store);
}

/* FLW-31: whatever the key, packets and octets over all values are those of the records. */
static void sums_over_any_grouping_are_the_total(void **state)
{
    (void)state;
    static const char *const keys[] = { "srcip",
                                        "dstip",
                                        "srcport",
                                        "dstport",
                                        "proto",
                                        "tos",
                                        "srcas",
                                        "dstas",
                                        "inif",
                                        "vlan",
                                        "srcmac",
                                        "next",
                                        "router",
                                        "srcnet/8",
                                        "dstip4/16,proto",
                                        "",
                                        "end_reason,tunnel",
                                        "flags" };
    struct store *store = store_of_records();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct query_options o = { .question = all, .keys = keys[i] };
        struct answer answer = { 0 };
        struct text wrapped = { 0 };
        assert_int_equal(query_sql(&o, &answer, NULL), 0);
        text_format(
            &wrapped,
            "SELECT sum(packets)::UBIGINT AS packets, sum(bytes)::UBIGINT AS bytes FROM (%s)",
            answer.sql.data);
        struct lines lines = { .sink = { lines_push } };
        assert_int_equal(store_ask(store, wrapped.data, lines_open, &lines, NULL), 0);
        if (strcmp(lines.text.data, "packets,bytes\n48,22692\n") != 0)
            fail_msg("%s: %s", keys[i], lines.text.data);
        text_fini(&lines.text);
        text_fini(&wrapped);
        answer_fini(&answer);
    }
    store_close(store);
}

static void wrong_words_are_named_with_the_nearest(void **state)
{
    (void)state;
    static const struct {
        const char *stat, *message;
    } stats[] = {
        { "scrip/bytes", "no key 'scrip'; did you mean srcip?" },
        { "srcip/byte", "'srcip/byte': no order 'byte'; did you mean bytes?" },
        { "pair:p", "'pair:p': ':p' goes with single values, for example srcport:p" },
        { "sni", "flow records have no column for 'sni'; 'weir schema' shows what they have" },
        { "srcnet/129", "no key 'srcnet/129'; did you mean srcnet/24?" },
    };
    for (size_t i = 0; i < sizeof stats / sizeof *stats; i++) {
        struct answer answer = { 0 };
        struct err e;
        assert_int_equal(
            top_sql(stats[i].stat, &(struct top_options){ .question = all }, &answer, &e),
            WEIR_EUSAGE);
        assert_string_equal(e.text, stats[i].message);
        answer_fini(&answer);
    }
    static const struct {
        struct query_options o;
        const char *message;
    } queries[] = {
        { { .keys = "srcip,ip" }, "key 'ip' is both sides; write srcip or dstip" },
        { { .keys = "srcip,src" }, "two keys of column 'src'; one is enough" },
        { { .order = "size" },
          "no order 'size'; write tstart, tend, duration, flows, packets, bytes, pps, bps or bpp" },
        { { .keys = "proto", .is_total = true },
          "keys (-a, -A), both ways (-b, -B) and --totals exclude each other" },
    };
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct answer answer = { 0 };
        struct err e;
        assert_int_equal(query_sql(&queries[i].o, &answer, &e), WEIR_EUSAGE);
        assert_string_equal(e.text, queries[i].message);
        answer_fini(&answer);
    }
    struct fmt *fmt;
    struct err e;
    assert_int_equal(fmt_open(&fmt, &(struct fmt_options){ .format = "fmt:%bytt" },
                              &record_types[RECORD_flow], &e),
                     WEIR_EUSAGE);
    assert_string_equal(e.text, "format: no tag '%bytt'; did you mean '%byt'?");
    assert_true(top_is_stat("srcip:p/bytes") && top_is_stat("srcnet/24/flows") &&
                !top_is_stat("flows.csv"));
}

int main(void)
{
    if (!lake_is_built_in()) {
        printf("1..0 # SKIP built without DuckDB\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats_count_both_directions),
        cmocka_unit_test(queries_join_list_and_sum_up),
        cmocka_unit_test(sums_over_any_grouping_are_the_total),
        cmocka_unit_test(wrong_words_are_named_with_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
