/* Values into a lake and back by SQL. */
#include "lake_help.h"

static void rows_of_two_hours_come_back_from_two_segments(void **state)
{
    (void)state;
    struct lake_writer *w;
    struct ledger ledger = { 0 };
    char dir[sizeof HELP_FOLDER];
    help_folder(dir);
    struct lake_writer_options o = { .path = dir, .source = "test" };
    MUST(lake_writer_new(&w, &o, &ledger, e_));
    for (int i = 0; i < 100; i++)
        help_push(w, help_flows(2048, START_NS + i * 60 * NS_PER_S, 1000));
    MUST(lake_writer_close(w, e_));
    assert_int_equal(ledger.out[STAGE_output], 204800);

    struct store *store;
    struct text messages = { 0 };
    MUST(store_open_lake(&store, dir, INT64_MIN, INT64_MAX, &messages, e_));
    help_ask(store, "SELECT count(*), sum(bytes), min(start), max(src) FROM flow", "204800,209612800,1700000000.000000000,192.168.7.99\n");
    help_ask(store, "SELECT src, sum(bytes) AS bytes, count(*) AS flows FROM flow GROUP BY 1 ORDER BY 2 DESC LIMIT 2",
             "192.168.7.255,204700,100\n192.168.7.254,204600,100\n");
    help_ask(store, "SELECT start, proto, src, dst, packets FROM flow ORDER BY start LIMIT 1",
             "1700000000.000000000,6,192.168.0.0,NULL,NULL\n");
    help_ask(store, "SELECT count(*) FROM flow WHERE in_net(src, '192.168.1.0/24')", "25600\n");
    assert_null(messages.data);
    store_close(store);
    struct lake_list list;
    MUST(lake_list_open(&list, dir, NULL, INT64_MIN, INT64_MAX, &messages, e_));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.segment[0].rows + list.segment[1].rows, 204800);
    for (size_t i = 0; i < list.count; i++)
        MUST(lake_segment_verify(&list.segment[i], e_));
    assert_null(messages.data);
    lake_list_close(&list);
    help_remove(dir);
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
