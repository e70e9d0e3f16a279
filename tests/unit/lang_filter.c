/* The flow filter: what passes, what the errors say, and that no text can break it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lang/lang.h"

#define C(name) RECORD_COLUMN(flow, name)
#define MS      INT64_C(1000000)

/* Seven records, a digit each in the answers below. */
static const struct {
    const char *src, *dst;
    uint16_t sport, dport;
    uint8_t proto, tos;
    uint16_t flags;
    uint64_t packets, bytes;
    int64_t start, end;
    int vlan; /* -1: none */
    uint32_t src_as, in_if;
} rows[] = {
    { "192.0.2.1", "198.51.100.7", 40000, 443, 6, 0, 0x1b, 10, 5000, 0, 2000 * MS, -1, 64500, 1 },
    { "198.51.100.7", "192.0.2.1", 443, 40000, 6, 0, 0x12, 12, 60000, 5 * MS, 2001 * MS, -1, 0, 2 },
    { "192.0.2.9", "203.0.113.53", 53, 53, 17, 8, 0, 1, 70, 0, 0, 10, 64500, 1 },
    { "2001:db8::1", "2001:db8:1::2", 1024, 80, 6, 0, 0x02, 1, 1000, 100 * MS, 100 * MS, 20, 0, 1 },
    { "10.1.2.3", "10.9.9.9", 0, 0x0800, 1, 0, 0, 2, 168, 0, 1500 * MS + 999999, -1, 0, 1 },
    { "fe80::1", "ff02::1", 0, 0x8700, 58, 0, 0, 1, 72, 0, 1, -1, 0, 3 },
    { "10.128.0.1", "10.1.2.3", 1023, 22, 6, 16, 0x03, 1000, 1001, 0, 1000 * MS, 10, 1, 1 },
};
#define ROWS (sizeof rows / sizeof *rows)

static struct record_batch *rows_new(void)
{
    struct record_batch *b = record_batch_new(&record_types[RECORD_flow], ROWS);
    for (unsigned i = 0; i < ROWS; i++) {
        assert_true(
            address_parse(rows[i].src, &((struct address *)record_batch_column(b, C(src)))[i]));
        assert_true(
            address_parse(rows[i].dst, &((struct address *)record_batch_column(b, C(dst)))[i]));
        ((uint16_t *)record_batch_column(b, C(sport)))[i] = rows[i].sport;
        ((uint16_t *)record_batch_column(b, C(dport)))[i] = rows[i].dport;
        ((uint8_t *)record_batch_column(b, C(proto)))[i] = rows[i].proto;
        ((uint8_t *)record_batch_column(b, C(tos)))[i] = rows[i].tos;
        ((uint16_t *)record_batch_column(b, C(flags)))[i] = rows[i].flags;
        ((uint64_t *)record_batch_column(b, C(packets)))[i] = rows[i].packets;
        ((uint64_t *)record_batch_column(b, C(bytes)))[i] = rows[i].bytes;
        ((int64_t *)record_batch_column(b, C(start)))[i] = rows[i].start;
        ((int64_t *)record_batch_column(b, C(end)))[i] = rows[i].end;
        ((uint16_t *)record_batch_column(b, C(vlan)))[i] = (uint16_t)rows[i].vlan;
        if (rows[i].vlan < 0)
            assert_int_equal(record_batch_set_null(b, C(vlan), i), 0);
        ((uint32_t *)record_batch_column(b, C(src_as)))[i] = rows[i].src_as;
        ((uint32_t *)record_batch_column(b, C(in_if)))[i] = rows[i].in_if;
        ((struct mac *)record_batch_column(b, C(src_mac)))[i] =
            (struct mac){ .octet = { 0, 0x53, 0, 0, 0, (uint8_t)i } };
        ((struct bytes *)record_batch_column(b, C(tunnel)))[i] =
            (struct bytes){ (const uint8_t *)"gre", i == 2 ? 3 : 0 };
    }
    b->count = ROWS;
    record_batch_seal(b);
    return b;
}

/* The numbers of the rows that pass, as digits. */
static void passing(const char *text, char digits[ROWS + 1])
{
    struct filter *filter;
    struct err e;
    if (filter_parse(text, &filter, &e) != 0)
        fail_msg("'%s': %s", text, e.text);
    struct record_batch *b = rows_new();
    uint8_t keep[ROWS];
    memset(keep, 7, sizeof keep);
    filter_select(filter, b, keep);
    for (unsigned i = 0; i < ROWS; i++) {
        assert_true(keep[i] <= 1);
        if (keep[i])
            *digits++ = (char)('0' + i);
    }
    *digits = '\0';
    record_batch_unref(b);
    filter_free(filter);
}

static void words_choose_the_records_they_name(void **state)
{
    (void)state;
    static const struct {
        const char *text, *passes;
    } cases[] = {
        { "", "0123456" },
        { "any", "0123456" },
        { "ipv4", "01246" },
        { "INET6", "35" },
        { "not ipv6", "01246" },
        { "proto tcp", "0136" },
        { "proto 17", "2" },
        { "udp or icmp6", "25" },
        { "ip 192.0.2.1", "01" },
        { "src ip 192.0.2.1", "0" },
        { "dst host 192.0.2.1", "1" },
        { "src or dst ip 192.0.2.1", "01" },
        { "src and dst net 10/8", "46" },
        { "net 10.0.0.0/9", "46" },
        { "src net 10.128.0.0 255.128.0.0", "6" },
        { "net 2001:db8::/32", "3" },
        { "net ::/0", "35" },
        { "net 0.0.0.0/0", "01246" },
        { "ip in [192.0.2.1, 203.0.113.0/24 fe80::/10]", "0125" },
        { "src ip in [ ]", "" },
        { "ip != 192.0.2.1", "23456" },
        { "port 53", "2" },
        { "port > 39999", "01" },
        { "src port < 1024", "12456" },
        { "dst port in [80 443]", "03" },
        { "port != 443", "23456" },
        { "sport > 1024 and dport = 443", "0" },
        { "flags S", "0136" },
        { "flags SF", "06" },
        { "flags SA and not flags F", "1" },
        { "flags = 2", "3" },
        { "flags 0x12", "1" },
        { "not flags S", "245" },
        { "tos 8", "2" },
        { "tos >= 8", "26" },
        { "vlan 10", "26" },
        { "vlan != 10", "3" },
        { "not vlan 10", "01345" },
        { "src vlan 20", "3" },
        { "src as 64500", "02" },
        { "as 64500", "02" },
        { "dst as 64500", "" },
        { "in if 3", "5" },
        { "if 2", "1" },
        { "packets > 1k", "" },
        { "packets >= 1k", "6" },
        { "bytes > 1000", "016" },
        { "bytes > 1k and bytes le 5K", "06" },
        { "bytes eq 1m", "" },
        { "duration 2000", "0" },
        { "duration = 1996", "1" },
        { "duration 1500", "4" },
        { "duration < 1", "235" },
        { "pps 0", "23" },
        { "pps = 5", "0" },
        { "pps > 6", "56" },
        { "bps = 20000", "0" },
        { "bps > 1m", "5" },
        { "bpp = 84", "4" },
        { "bpp = 1", "6" },
        { "bpp != 1", "012345" },
        { "icmp-type 8", "4" },
        { "icmp-type 135 and icmp-code 0", "5" },
        { "icmp-type > 8", "5" },
        { "src mac 00:53:00:00:00:03", "3" },
        { "src_mac in [00:53:00:00:00:03 0:53:0:0:0:5]", "35" },
        { "in src mac 00-53-00-00-00-00", "0" },
        { "tunnel = gre", "2" },
        { "tunnel != 'gre'", "013456" },
        { "src = 10.1.2.3", "4" },
        { "dst in [10.0.0.0/8]", "46" },
        { "start >= 1970-01-01T00:00:00.005Z", "13" },
        { "start > 1969-12-31", "0123456" },
        { "end_reason = 3", "" },
        { "next ip 192.0.2.1", "" },
        { "not next ip 192.0.2.1", "0123456" },
        { "not end_reason != end", "0123456" },
        { "sourceTransportPort = 53", "2" },
        /* `and` binds tighter than `or`; `not` tightest */
        { "proto udp or proto tcp and port 443", "012" },
        { "(proto udp or proto tcp) and port 443", "01" },
        { "not proto tcp and ipv4", "24" },
        { "not (proto tcp and ipv4)", "2345" },
        { "! proto tcp && ipv4 || port 22", "246" },
        { "not not tcp", "0136" },
        { "proto tcp # the web\n and port 443", "01" },
        { "port>39999 and(proto==6)", "01" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char digits[ROWS + 1];
        passing(cases[i].text, digits);
        if (strcmp(digits, cases[i].passes) != 0)
            fail_msg("'%s' passes %s, not %s", cases[i].text, digits, cases[i].passes);
    }
}

static void errors_say_where_and_what_was_meant(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "any srcc ip 1.2.3.4", "filter:1:5: expected 'and', 'or' or the end, got 'srcc'" },
        { "srcc ip 1.2.3.4", "filter:1:1: no word 'srcc'; did you mean 'src'?" },
        { "proto tcp and\n  porr 80", "filter:2:3: no word 'porr'; did you mean 'port'?" },
        { "proto tcp and", "filter:1:14: expected a condition, but the filter ends" },
        { "(proto tcp", "filter:1:11: expected 'and', 'or' or ')', but the filter ends" },
        { "proto txp", "filter:1:7: 'txp' is no protocol; write for example tcp or 6" },
        { "port http", "filter:1:6: 'http' is no number; write for example 1000" },
        { "port 70000", "filter:1:6: port cannot be 70000, it ends at 65535" },
        { "ip example.com", "filter:1:4: 'example.com' is no address, and names are not looked up; "
                            "write for example 192.0.2.1 or 2001:db8::/32" },
        { "net 10.0.0.0", "filter:1:5: a net needs a length; write for example net 192.0.2.0/24 or "
                          "net 192.0.2.0 255.255.255.0" },
        { "net 10.0.0.0 255.0.255.0",
          "filter:1:14: the ones of a net mask stand in front; write for example 255.255.255.0" },
        { "geo US",
          "filter:1:1: flow records have no column for 'geo'; 'weir schema' shows what they have" },
        { "src geo US",
          "filter:1:5: flow records have no column for 'geo'; 'weir schema' shows what they have" },
        { "dst vlan 7", "filter:1:5: flow records have one vlan only; leave 'dst' out" },
        { "src bytes 7", "filter:1:5: expected ip, net, port, as, mask or mac, got 'bytes'" },
        { "src and port 7", "filter:1:9: expected 'dst', got 'port'" },
        { "in port 7", "filter:1:4: expected 'if', got 'port'" },
        { "ip > 10.0.0.1", "filter:1:4: ip can only be = or !=" },
        { "ip in 10.0.0.1", "filter:1:7: expected '[', got '10.0.0.1'" },
        { "ip in [10.0.0.1",
          "filter:1:16: expected ']' at the end of the list, but the filter ends" },
        { "tunnel = 'gre",
          "filter:1:10: text begins with ' and does not end on this line; close it with '" },
        { "port = 5 ; any", "filter:1:10: ';' means nothing here" },
        { "@include /nowhere/at-all",
          "filter:1:1: cannot open '/nowhere/at-all': No such file or directory" },
        { "src mac 1:2",
          "filter:1:9: '1:2' is no MAC address; write for example 00:53:00:12:34:56" },
        { "next 1.2.3.4", "filter:1:6: expected 'ip', got '1.2.3.4'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct filter *filter;
        struct err e = { 0 };
        assert_int_equal(filter_parse(cases[i].text, &filter, &e), WEIR_EUSAGE);
        assert_string_equal(e.text, cases[i].message);
    }
}

static void filters_include_files_to_a_bounded_depth(void **state)
{
    (void)state;
    char path[] = "/tmp/weir-filter-XXXXXX", text[128], digits[ROWS + 1];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "192.0.2.1 # one\n10.1.2.3\n", 25), 25);
    snprintf(text, sizeof text, "tcp and src ip in [ @include %s ]", path);
    passing(text, digits);
    assert_string_equal(digits, "0");
    int size = snprintf(text, sizeof text, "\nudp or @include '%s'", path);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, text, (size_t)size, 0), size);
    struct filter *filter;
    struct err e;
    assert_int_equal(filter_parse(text, &filter, &e), WEIR_EUSAGE);
    assert_non_null(strstr(
        e.text, ":2:8: more than 8 '@include' inside each other; does a file include itself?"));
    close(fd);
    unlink(path);
}

/* Parse, use and free; whatever the text is, it must end in an answer or in an error. */
static void try_text(const char *text, const struct record_batch *b)
{
    struct filter *filter;
    struct err e = { 0 };
    uint8_t keep[ROWS];
    if (filter_parse(text, &filter, &e) != 0) {
        assert_true(strlen(e.text) > 0);
        return;
    }
    filter_select(filter, b, keep);
    struct text sql = { 0 };
    filter_sql(filter, &sql);
    assert_true(sql.size > 0);
    text_fini(&sql);
    filter_free(filter);
}

static void every_prefix_of_a_filter_is_an_answer_or_an_error(void **state)
{
    (void)state;
    static const char text[] =
        "not (src and dst net 10.0.0.0 255.0.0.0 or ip in [192.0.2.1, 2001:db8::/32]) && flags SA "
        "# x\n"
        "|| tunnel = 'gre' and src mac 00:53:00:12:34:56 or duration >= 1.5k and icmp-type 8 "
        "or start > 2020-01-01T00:00:00Z or port in [1 2 3] or bpp != 0x7f or next ip ::1";
    struct record_batch *b = rows_new();
    for (size_t size = 0; size < sizeof text; size++) {
        char *exact = malloc(size + 1);
        memcpy(exact, text, size);
        exact[size] = '\0';
        try_text(exact, b);
        free(exact);
    }
    record_batch_unref(b);
}

static uint64_t random_state = 42;
static unsigned random_below(unsigned limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(random_state >> 33) % limit;
}

static void token_soup_is_an_answer_or_an_error(void **state)
{
    (void)state;
    static const char *const words[] = {
        "any",
        "not",
        "and",
        "or",
        "(",
        ")",
        "[",
        "]",
        ",",
        "in",
        "out",
        "src",
        "dst",
        "ip",
        "net",
        "port",
        "proto",
        "tcp",
        "10.0.0.0/8",
        "10.0.0.1",
        "::1",
        "::/0",
        "255.255.0.0",
        "80",
        "1k",
        "99999999999999999999",
        "=",
        "!=",
        ">",
        "<",
        ">=",
        "<=",
        "flags",
        "SF",
        "X",
        "mac",
        "00:53:00:00:00:01",
        "vlan",
        "if",
        "next",
        "router",
        "bytes",
        "duration",
        "pps",
        "icmp-type",
        "start",
        "2020-01-01",
        "tunnel",
        "'gre'",
        "\"",
        "#",
        "\n",
        "&&",
        "||",
        "!",
        "0x",
        "-1",
        "src_mac",
        "ipv6",
        "geo",
        "\xff",
        "rev_bytes",
        "'",
        "@include",
    };
    struct record_batch *b = rows_new();
    for (unsigned round = 0; round < 20000; round++) {
        struct text t = { 0 };
        for (unsigned i = 0, count = 1 + random_below(12); i < count; i++) {
            text_add(&t, words[random_below(sizeof words / sizeof *words)]);
            text_add(&t, random_below(4) ? " " : "");
        }
        try_text(t.data, b);
        text_fini(&t);
    }
    record_batch_unref(b);
}

static void depth_and_size_have_bounds(void **state)
{
    (void)state;
    struct text t = { 0 };
    struct filter *filter;
    struct err e;
    for (unsigned i = 0; i < FILTER_DEPTH_MAX; i++)
        text_add(&t, i % 2 ? "(" : "not ");
    text_add(&t, "any");
    for (unsigned i = 0; i < FILTER_DEPTH_MAX / 2; i++)
        text_add(&t, ")");
    assert_int_equal(filter_parse(t.data, &filter, &e), 0);
    filter_free(filter);
    text_fini(&t);
    for (unsigned i = 0; i < 100000; i++)
        text_add(&t, "not ");
    assert_int_equal(filter_parse(t.data, &filter, &e), WEIR_EUSAGE);
    assert_string_equal(e.text,
                        "filter:1:257: more than 64 parentheses and 'not' inside each other");
    text_fini(&t);
    for (unsigned i = 0; i < 40000; i++) /* long is no trouble, and does not nest */
        text_add(&t, "port 7 or ");
    text_add(&t, "tcp");
    assert_int_equal(filter_parse(t.data, &filter, &e), 0);
    uint8_t keep[ROWS];
    struct record_batch *b = rows_new();
    filter_select(filter, b, keep);
    assert_int_equal(keep[0], 1);
    assert_int_equal(keep[2], 0);
    record_batch_unref(b);
    filter_free(filter);
    for (unsigned i = 0; i < 40000; i++)
        text_add(&t, " or port 7");
    assert_int_equal(filter_parse(t.data, &filter, &e), WEIR_EUSAGE);
    assert_non_null(strstr(e.text, "more than 65536 conditions; put addresses into lists"));
    text_fini(&t);
}

/* Prefix by prefix: the slow truth that sets are compared with. */
static bool plain_has(const char *const prefix[], size_t count, const struct address *a)
{
    for (size_t i = 0; i < count; i++) {
        struct address_set *one;
        assert_int_equal(address_set_parse(prefix[i], strlen(prefix[i]), &one, NULL), 0);
        bool is_in = address_set_has(one, a);
        address_set_free(one);
        if (is_in)
            return true;
    }
    return false;
}

static void sets_of_addresses_agree_with_one_by_one(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        char words[24][64];
        const char *prefix[24];
        struct text t = { 0 };
        unsigned count = random_below(24);
        for (unsigned i = 0; i < count; i++) {
            if (random_below(2))
                snprintf(words[i], sizeof words[i], "10.%u.%u.%u/%u", random_below(2),
                         random_below(4), random_below(256), random_below(33));
            else
                snprintf(words[i], sizeof words[i], "2001:db8:%x::%x:%x/%u", random_below(4),
                         random_below(4), random_below(9), random_below(129));
            prefix[i] = words[i];
            text_format(&t, "%s%c", words[i], ", \n"[random_below(3)]);
        }
        struct address_set *set;
        assert_int_equal(address_set_parse(t.data, t.size, &set, NULL), 0);
        for (unsigned k = 0; k < 200; k++) {
            char word[64];
            struct address a;
            if (random_below(2))
                snprintf(word, sizeof word, "%u.%u.%u.%u", 9 + random_below(3), random_below(2),
                         random_below(4), random_below(256));
            else
                snprintf(word, sizeof word, "2001:db%u:%x::%x:%x", 7 + random_below(3),
                         random_below(4), random_below(4), random_below(9));
            assert_true(address_parse(word, &a));
            assert_int_equal(address_set_has(set, &a), plain_has(prefix, count, &a));
        }
        address_set_free(set);
        text_fini(&t);
    }
    struct address_set *set;
    struct err e;
    assert_int_equal(address_set_parse("10.0.0.1 10.0.0.256", 19, &set, &e), WEIR_EUSAGE);
    assert_string_equal(
        e.text,
        "'10.0.0.256' is no address and no prefix; write for example 192.0.2.0/24 or 2001:db8::1");
}

static void sql_says_the_same_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sql;
    } cases[] = {
        { "any", "true" },
        { "src ip 192.0.2.1", "((\"src\" IN ('192.0.2.1')))" },
        { "net 10/8", "((in_net(\"src\", '10.0.0.0/8')) OR (in_net(\"dst\", '10.0.0.0/8')))" },
        { "not dst port > 1023", "NOT (coalesce((\"dport\" >= 1024), false))" },
        { "port 53 and tcp", "(((\"sport\" = 53) OR (\"dport\" = 53)) AND ((\"proto\" = 6)))" },
        { "bytes != 5", "(NOT (\"bytes\" = 5))" },
        { "flags SA", "(((\"flags\" & 18) = 18))" },
        { "port in [80 81 443]", "((\"sport\" BETWEEN 80 AND 81 OR \"sport\" = 443) OR (\"dport\" "
                                 "BETWEEN 80 AND 81 OR \"dport\" = 443))" },
        { "start < 1970-01-01T00:00:01Z", "((\"start\" <= make_timestamp_ns(999999999)))" },
        { "tunnel = \"it's\"", "((\"tunnel\" = 'it''s'))" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct filter *filter;
        struct text sql = { 0 };
        assert_int_equal(filter_parse(cases[i].text, &filter, NULL), 0);
        filter_sql(filter, &sql);
        assert_string_equal(sql.data, cases[i].sql);
        text_fini(&sql);
        filter_free(filter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_choose_the_records_they_name),
        cmocka_unit_test(errors_say_where_and_what_was_meant),
        cmocka_unit_test(filters_include_files_to_a_bounded_depth),
        cmocka_unit_test(every_prefix_of_a_filter_is_an_answer_or_an_error),
        cmocka_unit_test(token_soup_is_an_answer_or_an_error),
        cmocka_unit_test(depth_and_size_have_bounds),
        cmocka_unit_test(sets_of_addresses_agree_with_one_by_one),
        cmocka_unit_test(sql_says_the_same_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
