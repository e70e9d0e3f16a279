/* Values into a lake and back by SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "query/query.h"

static struct record_batch *flows(unsigned count, int64_t start_ns, int64_t step_ns)
{
    struct record_batch *b = record_batch_new(&record_types[RECORD_flow], count);
    int64_t *start = record_batch_column(b, RECORD_COLUMN(flow, start));
    int64_t *end = record_batch_column(b, RECORD_COLUMN(flow, end));
    struct address *src = record_batch_column(b, RECORD_COLUMN(flow, src));
    uint64_t *bytes = record_batch_column(b, RECORD_COLUMN(flow, bytes));
    uint8_t *proto = record_batch_column(b, RECORD_COLUMN(flow, proto));
    for (unsigned i = 0; i < count; i++) {
        start[i] = start_ns + i * step_ns;
        end[i] = start[i] + 1000;
        src[i] = address_of_ip4((const uint8_t[]){ 192, 168, (uint8_t)(i >> 8), (uint8_t)i });
        bytes[i] = i;
        proto[i] = 6;
    }
    b->count = count;
    record_batch_seal(b);
    return b;
}

struct collector {
    struct record_sink sink;
    struct text text;
};

static int collect(struct record_sink *self, struct record_batch *batch)
{
    struct collector *c = (struct collector *)self;
    for (unsigned row = 0; row < batch->count; row++)
        for (unsigned i = 0; i < batch->type->column_count; i++) {
            if (record_is_null(batch, i, row))
                text_add(&c->text, "NULL");
            else
                value_print(&c->text, batch->type->column[i].type, record_value(batch, i, row), 6);
            text_char(&c->text, i + 1 < batch->type->column_count ? ',' : '\n');
        }
    record_batch_unref(batch);
    return 0;
}

static struct record_sink *open_collector(void *context, const struct record_type *type, struct err *e)
{
    (void)type;
    (void)e;
    struct collector *c = context;
    return &c->sink;
}

static void rows_of_two_hours_come_back_from_two_segments(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct lake_writer *w;
    struct ledger ledger = { 0 };
    char dir[] = "/tmp/weir-test-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct lake_writer_options o = { .path = dir, .source = "test" };
    if (lake_writer_new(&w, &o, &ledger, &e) != 0)
        fail_msg("%s", e.text);
    struct record_sink *sink = lake_writer_sink(w, &record_types[RECORD_flow]);
    for (int i = 0; i < 100; i++)
        sink->push(sink, flows(2048, INT64_C(1700000000) * NS_PER_S + i * 60 * NS_PER_S, 1000));
    if (lake_writer_close(w, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(ledger.out[STAGE_output], 204800);

    struct store *store;
    struct text messages = { 0 };
    if (store_open_lake(&store, dir, INT64_MIN, INT64_MAX, &messages, &e) != 0)
        fail_msg("%s", e.text);
    struct collector c = { .sink.push = collect };
    static const char *const questions[] = {
        "SELECT count(*), sum(bytes), min(start), max(src) FROM flow",
        "SELECT src, sum(bytes) AS bytes, count(*) AS flows FROM flow GROUP BY 1 ORDER BY 2 DESC LIMIT 2",
        "SELECT start, proto, src, dst, packets FROM flow ORDER BY start LIMIT 1",
        "SELECT date '2020-01-01' AS d, [1,2] AS l, 1.5::DECIMAL(4,1), true -- a comment",
        "SELECT count(*) FROM flow WHERE in_net(src, '192.168.1.0/24')",
    };
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        if (store_ask(store, questions[i], open_collector, &c, &e) != 0)
            fail_msg("%s", e.text);
    assert_string_equal(c.text.data, "204800,209612800,1700000000.000000000,192.168.7.99\n"
                                     "192.168.7.255,204700,100\n192.168.7.254,204600,100\n"
                                     "1700000000.000000000,6,192.168.0.0,NULL,NULL\n"
                                     "2020-01-01,[1, 2],1.500000,true\n"
                                     "25600\n");
    assert_null(messages.data);
    store_close(store);
    text_fini(&c.text);
    struct lake_list list;
    assert_int_equal(lake_list_open(&list, dir, NULL, INT64_MIN, INT64_MAX, &messages, &e), 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.segment[0].rows + list.segment[1].rows, 204800);
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(lake_segment_verify(&list.segment[i], &e), 0);
    lake_list_close(&list);
}

int main(void)
{
    if (!lake_is_built_in()) {
        printf("1..0 # SKIP built without DuckDB\n");
        return 0;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_of_two_hours_come_back_from_two_segments) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
