/* One filter, two doors: filter_select over batches and filter_sql in the store choose the same
 * records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "query/query.h"

#define ROWS    700
#define FILTERS 600
#define C(name) RECORD_COLUMN(flow, name)
#define NUMBER  C(out_of_order) /* carries the number of the row */

static uint64_t random_state = 7;
static unsigned below(unsigned limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(random_state >> 33) % limit;
}

/* Few different values, so that conditions meet them. */
static struct address random_address(void)
{
    static const char *const words[] = {
        "10.0.0.1", "10.0.0.2", "10.128.3.4",  "192.0.2.1",     "198.51.100.7", "0.0.0.0",
        "::",       "::1",      "2001:db8::1", "2001:db8:1::2", "fe80::1",      "::ffff:192.0.2.1"
    };
    struct address a;
    assert_true(address_parse(words[below(sizeof words / sizeof *words)], &a));
    return a;
}

static uint64_t random_number(size_t size)
{
    static const uint64_t some[] = { 0, 1, 2, 6, 17, 53, 80, 255 };
    uint64_t value = below(3)   ? some[below(8)]
                     : below(2) ? below(2000)
                                : UINT64_C(3000000000) * (1 + below(5));
    return size >= 8 ? value : value & ((UINT64_C(1) << (8 * size)) - 1);
}

static void fill(struct record_batch *b, unsigned column, unsigned row)
{
    enum value_type type = b->type->column[column].type;
    uint8_t *at = (uint8_t *)record_batch_column(b, column) + row * value_size(type);
    struct address address = random_address();
    struct mac mac = { .octet = { 0, 0x53, 0, 0, 0, (uint8_t)below(3) } };
    struct bytes text = { (const uint8_t *)"gre", below(2) * 3 };
    int64_t time = (int64_t)below(4) * 1000000000 + below(3) * 500001;
    uint64_t number = random_number(value_size(type));
    uint16_t flags = (uint16_t)below(256);
    uint8_t octet = (uint8_t)number;
    const void *from = type == T_ADDRESS       ? (const void *)&address
                       : type == T_MAC         ? (const void *)&mac
                       : type == T_TEXT        ? (const void *)&text
                       : type == T_TIME        ? (const void *)&time
                       : type == T_FLAGS       ? (const void *)&flags
                       : value_size(type) == 1 ? (const void *)&octet
                                               : NULL;
    if (from != NULL)
        memcpy(at, from, value_size(type));
    else if (value_size(type) == 2)
        *(uint16_t *)(void *)at = (uint16_t)number;
    else if (value_size(type) == 4)
        *(uint32_t *)(void *)at = (uint32_t)number;
    else
        *(uint64_t *)(void *)at = number;
    if (below(6) == 0)
        assert_int_equal(record_batch_set_null(b, column, row), 0);
}

static struct record_batch *random_rows(void)
{
    struct record_batch *b = record_batch_new(&record_types[RECORD_flow], ROWS);
    for (unsigned row = 0; row < ROWS; row++)
        for (unsigned column = 0; column < b->type->column_count; column++) {
            if (column == NUMBER)
                ((uint64_t *)record_batch_column(b, column))[row] = row;
            else if (column != C(rev_flags) && column != C(exporter)) /* nobody has these */
                fill(b, column, row);
        }
    b->count = ROWS;
    record_batch_seal(b);
    return b;
}

static void put_words(struct text *t, unsigned depth);

static void put_condition(struct text *t)
{
    static const char *const sides[] = { "", "src ", "dst ", "src and dst ", "src or dst " };
    static const char *const compares[] = { "", "= ", "!= ", "> ", "< ", ">= ", "<= " };
    static const char *const addresses[] = {
        "10.0.0.1",  "192.0.2.1", "::1",           "2001:db8::1",  "::ffff:192.0.2.1", "10.0.0.0/8",
        "0.0.0.0/0", "::/0",      "2001:db8::/32", "10.128.0.0/9", "192.0.2.0/31"
    };
    static const char *const numbers[] = { "bytes",      "packets",   "flows",     "sport",
                                           "dst_as",     "rev_bytes", "ttl",       "proto",
                                           "tos",        "vlan",      "in_if",     "src_mask",
                                           "end_reason", "flags",     "rev_flags", "fragments" };
    static const char *const rates[] = { "duration", "pps", "bps", "bpp" };
    static const char *const amounts[] = { "0",   "1",    "2",  "53",  "80",
                                           "255", "1000", "3g", "500", "1m" };
    static const char *const others[] = { "any",
                                          "ipv4",
                                          "ipv6",
                                          "flags S",
                                          "flags SA",
                                          "flags X",
                                          "rev_flags F",
                                          "tunnel = gre",
                                          "tunnel != gre",
                                          "src mac 00:53:00:00:00:01",
                                          "dst_mac != 00:53:00:00:00:02",
                                          "proto tcp",
                                          "udp",
                                          "icmp-type 0",
                                          "icmp-code > 50",
                                          "next ip 10.0.0.1",
                                          "router ip ::1",
                                          "exporter != ::1",
                                          "start < 1970-01-01T00:00:02Z",
                                          "end >= 2.0005",
                                          "start = 1",
                                          "start in [0 1 2.000500001]",
                                          "next_hop != 10.0.0.0/8" };
    const char *side = sides[below(5)], *compare = compares[below(7)], *amount = amounts[below(6)];
    switch (below(9)) {
    case 0:
        text_format(t, "%sip %s", side, addresses[below(11)]);
        return;
    case 1:
        text_format(t, "%sip in [%s %s, %s]", side, addresses[below(11)], addresses[below(5)],
                    addresses[5 + below(6)]);
        return;
    case 2:
        text_format(t, "%sport %s%s", side, compare, amount);
        return;
    case 3:
        text_format(t, "%sport in [%s %s 443]", side, amount, amounts[below(6)]);
        return;
    case 4:
    case 5:
        text_format(t, "%s %s%s", numbers[below(16)], compare[0] == '\0' ? "= " : compare, amount);
        return;
    case 6:
        text_format(t, "%s %s%s", rates[below(4)], compare, amounts[below(10)]);
        return;
    case 7:
        text_format(t, "ip != %s", addresses[below(11)]);
        return;
    default:
        text_add(t, others[below(sizeof others / sizeof *others)]);
    }
}

static void put_words(struct text *t, unsigned depth)
{
    unsigned choice = depth == 0 ? 0 : below(5);
    if (choice < 2) {
        put_condition(t);
    } else if (choice == 2) {
        text_add(t, "not (");
        put_words(t, depth - 1);
        text_add(t, ")");
    } else {
        text_add(t, "(");
        put_words(t, depth - 1);
        text_add(t, choice == 3 ? ") and (" : ") or (");
        put_words(t, depth - 1);
        text_add(t, ")");
    }
}

struct chosen {
    struct record_sink sink; /* first */
    uint8_t keep[ROWS];
};

static int chosen_push(struct record_sink *sink, struct record_batch *batch)
{
    struct chosen *chosen = (struct chosen *)sink;
    for (unsigned i = 0; i < batch->count; i++)
        chosen->keep[*(const uint64_t *)record_value(batch, 0, i)]++;
    record_batch_unref(batch);
    return 0;
}

static struct record_sink *chosen_open(void *context, const struct record_type *type, struct err *e)
{
    (void)e;
    assert_int_equal(type->column_count, 1);
    return &((struct chosen *)context)->sink;
}

static void batches_and_sql_choose_the_same_records(void **state)
{
    (void)state;
    struct record_batch *rows = random_rows();
    struct store *store;
    struct record_sink *sink;
    struct err e;
    assert_int_equal(store_open_memory(&store, &record_types[RECORD_flow], 64 << 20, &sink, &e), 0);
    assert_int_equal(sink->push(sink, record_batch_ref(rows)), 0);
    unsigned some = 0;
    for (unsigned i = 0; i < FILTERS; i++) {
        struct text words = { 0 }, sql = { 0 };
        struct filter *filter;
        uint8_t keep[ROWS];
        put_words(&words, 3);
        if (filter_parse(words.data, &filter, &e) != 0)
            fail_msg("'%s': %s", words.data, e.text);
        filter_select(filter, rows, keep);
        text_add(&sql, "SELECT out_of_order FROM flow WHERE ");
        filter_sql(filter, &sql);
        struct chosen chosen = { .sink = { chosen_push } };
        if (store_ask(store, sql.data, chosen_open, &chosen, &e) != 0)
            fail_msg("'%s': %s\n%s", words.data, e.text, sql.data);
        for (unsigned row = 0; row < ROWS; row++) {
            some += keep[row];
            if (keep[row] != chosen.keep[row])
                fail_msg("'%s': row %u %s\n%s", words.data, row,
                         keep[row] ? "passes in the batch only" : "passes in SQL only", sql.data);
        }
        text_fini(&words);
        text_fini(&sql);
        filter_free(filter);
    }
    /* The filters are no trivial ones. */
    assert_in_range(some, FILTERS * ROWS / 5, FILTERS * ROWS * 4 / 5);
    store_close(store);
    record_batch_unref(rows);
}

int main(void)
{
    if (!lake_is_built_in()) {
        printf("1..0 # SKIP built without DuckDB\n");
        return 0;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(batches_and_sql_choose_the_same_records) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
