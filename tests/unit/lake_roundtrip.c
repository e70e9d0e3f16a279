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
    help_ask(store, "SELECT count(*), sum(bytes), min(start), max(src) FROM flow",
             "204800,209612800,1700000000.000000000,192.168.7.99\n");
    help_ask(store,
             "SELECT src, sum(bytes) AS bytes, count(*) AS flows FROM flow GROUP BY 1 ORDER BY 2 "
             "DESC LIMIT 2",
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

/* Every type with its extremes; a row per value, the other columns empty. */
static const struct column_type extreme_columns[] = {
    { "start", T_TIME, U_NONE, FIELD_start },       { "u8", T_U8, U_NONE, FIELD_NONE },
    { "u16", T_U16, U_NONE, FIELD_NONE },           { "u32", T_U32, U_NONE, FIELD_NONE },
    { "u64", T_U64, U_NONE, FIELD_NONE },           { "i64", T_I64, U_NONE, FIELD_NONE },
    { "f64", T_F64, U_NONE, FIELD_NONE },           { "moment", T_TIME, U_NONE, FIELD_NONE },
    { "duration", T_DURATION, U_NONE, FIELD_NONE }, { "addr", T_ADDRESS, U_NONE, FIELD_NONE },
    { "mac", T_MAC, U_NONE, FIELD_NONE },           { "name", T_TEXT, U_NONE, FIELD_NONE },
    { "bits", T_FLAGS, U_NONE, FIELD_NONE },        { "ipproto", T_PROTO, U_NONE, FIELD_NONE },
    { "why", T_REASON, U_NONE, FIELD_NONE },
};
#define EXTREME_COLUMNS (sizeof extreme_columns / sizeof *extreme_columns)
static const struct record_type extremes = {
    .name = "extremes", .help = "", .column_count = EXTREME_COLUMNS, .column = extreme_columns
};

static struct record_batch *extreme_rows(void)
{
    static const uint64_t words[] = { 0,          1,          127,       128,
                                      255,        256,        65535,     65536,
                                      4294967295, 4294967296, INT64_MAX, (uint64_t)INT64_MAX + 1,
                                      UINT64_MAX };
    static const char *const addresses[] = { "0.0.0.0",
                                             "255.255.255.255",
                                             "10.0.0.1",
                                             "192.168.100.200",
                                             "1.2.3.4",
                                             "100.20.3.99",
                                             "::",
                                             "::1",
                                             "2001:db8::1",
                                             "2001:db8:1:2:3:4:5:6",
                                             "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                                             "::ffff:192.0.2.255",
                                             "fe80::1:0:0:1" };
    static const char *const names[] = {
        "",
        "a",
        "twelve octet",
        "thirteen octe",
        "quote ' and \" and , and \\",
        "\xc3\xa9\xf0\x9f\x98\x80",
        "line\nbreak",
        "tab\there",
        "NULL",
        "a rather long text that is longer than any inline form of a string",
        "\x01",
        "z",
        "=1+1"
    };
    static const double reals[] = {
        0,    -0.0,          1, -1, 0.1, 1e300, -1e300, 5e-324, 1.7976931348623157e308, 3.5,
        1e-9, 123456789.123, 2
    };
    struct record_batch *b = record_batch_new(&extremes, 13);
    void *to[EXTREME_COLUMNS];
    for (unsigned i = 0; i < EXTREME_COLUMNS; i++)
        assert_non_null(to[i] = record_batch_column(b, i));
    for (unsigned i = 0; i < 13; i++) {
        ((int64_t *)to[0])[i] = (int64_t)i;
        for (unsigned c = 1; c < EXTREME_COLUMNS; c++) {
            void *at = (uint8_t *)to[c] + i * value_size(extreme_columns[c].type);
            if (extreme_columns[c].type == T_F64)
                memcpy(at, &reals[i], 8);
            else if (extreme_columns[c].type == T_ADDRESS)
                assert_true(address_parse(addresses[i], at));
            else if (extreme_columns[c].type == T_TEXT)
                *(struct bytes *)at = (struct bytes){ (const uint8_t *)names[i], strlen(names[i]) };
            else
                memcpy(at, &words[i],
                       value_size(extreme_columns[c].type) < 8 ? value_size(extreme_columns[c].type)
                                                               : 8);
        }
    }
    b->count = 13;
    record_batch_seal(b);
    return b;
}

static void print_row(struct text *out, const struct record_batch *b, unsigned row)
{
    for (unsigned i = 0; i < b->type->column_count; i++) {
        if (record_is_null(b, i, row))
            text_add(out, "NULL");
        else
            value_print(out, b->type->column[i].type, record_value(b, i, row), 17);
        text_char(out, '|');
    }
    text_char(out, '\n');
}

struct printed {
    struct record_sink sink;
    struct text text;
};
static int print_batch(struct record_sink *self, struct record_batch *batch)
{
    for (unsigned row = 0; row < batch->count; row++)
        print_row(&((struct printed *)self)->text, batch, row);
    record_batch_unref(batch);
    return 0;
}
static struct record_sink *open_printed(void *context, const struct record_type *type,
                                        struct err *e)
{
    (void)type;
    (void)e;
    return &((struct printed *)context)->sink;
}

static void extremes_of_every_type_come_back_equal(void **state)
{
    (void)state;
    char folder[sizeof HELP_FOLDER];
    help_folder(folder);
    struct text path = { 0 }, wanted = { 0 }, sql = { 0 };
    text_format(&path, "%s/x.parquet", folder);
    struct record_batch *batch = extreme_rows();
    for (unsigned i = 0; i < batch->count; i++)
        print_row(&wanted, batch, i);
    struct lake_writer *writer;
    MUST(lake_file_new(&writer, path.data, &extremes, NULL, e_));
    help_push(writer, record_batch_ref(batch));
    MUST(lake_writer_close(writer, e_));

    /* By a store of pushed batches, and from the file that is not of a known type, so named in the
     * question. */
    struct store *store;
    struct record_sink *sink;
    struct printed from_memory = { .sink.push = print_batch },
                   from_file = { .sink.push = print_batch };
    MUST(store_open_memory(&store, &extremes, 1 << 20, &sink, e_));
    assert_int_equal(sink->push(sink, batch), 0);
    MUST(store_ask(store, "SELECT * FROM extremes ORDER BY start", open_printed, &from_memory, e_));
    assert_string_equal(from_memory.text.data, wanted.data);
    store_close(store);
    MUST(store_open_lake(&store, path.data, INT64_MIN, INT64_MAX, NULL, e_));
    text_format(&sql, "SELECT * FROM '%s' ORDER BY start", path.data);
    MUST(store_ask(store, sql.data, open_printed, &from_file, e_));
    assert_string_equal(from_file.text.data, wanted.data);
    store_close(store);
    text_fini(&from_memory.text);
    text_fini(&from_file.text);
    text_fini(&path);
    text_fini(&wanted);
    text_fini(&sql);
    help_remove(folder);
}

/* Gaps in every place of a batch, whole columns without a value, and texts that are not UTF-8. */
static void gaps_stay_gaps_and_text_becomes_utf8(void **state)
{
    (void)state;
    char folder[sizeof HELP_FOLDER];
    help_folder(folder);
    struct lake_writer *writer;
    struct lake_writer_options o = { .path = folder, .source = "test" };
    MUST(lake_writer_new(&writer, &o, NULL, e_));
    static const unsigned counts[] = { 1, 63, 64, 65, 600, 2048 };
    for (unsigned k = 0; k < 6; k++) {
        struct record_batch *b = record_batch_new(&record_types[RECORD_flow], counts[k]);
        int64_t *start = record_batch_column(b, RECORD_COLUMN(flow, start));
        uint64_t *packets = record_batch_column(b, RECORD_COLUMN(flow, packets));
        struct bytes *tunnel = record_batch_column(b, RECORD_COLUMN(flow, tunnel));
        uint16_t *vlan = k % 2 ? record_batch_column(b, RECORD_COLUMN(flow, vlan)) : NULL;
        for (unsigned i = 0; i < counts[k]; i++) {
            start[i] = START_NS + i;
            packets[i] = i;
            tunnel[i] = (struct bytes){ (const uint8_t *)"a\xff"
                                                         "b",
                                        3 };
            if (vlan != NULL)
                vlan[i] = 5;
            if (i % 3 == 0)
                assert_int_equal(record_batch_set_null(b, RECORD_COLUMN(flow, packets), i), 0);
            if (i % 3 == 1)
                assert_int_equal(record_batch_set_null(b, RECORD_COLUMN(flow, tunnel), i), 0);
        }
        b->count = counts[k];
        record_batch_seal(b);
        help_push(writer, b);
    }
    MUST(lake_writer_close(writer, e_));
    struct store *store;
    MUST(store_open_lake(&store, folder, INT64_MIN, INT64_MAX, NULL, e_));
    help_ask(store,
             "SELECT count(*), count(packets), count(tunnel), count(vlan), count(bytes), "
             "min(tunnel), max(vlan) FROM flow",
             "2841,1892,1894,2176,0,a\xef\xbf\xbd"
             "b,5\n");
    help_ask(store,
             "SELECT count(*) FROM flow WHERE (packets IS NULL) != ((epoch_ns(start) - "
             "1700000000000000000) % 3 = 0)",
             "0\n");
    store_close(store);
    help_remove(folder);
}

static void rows_of_many_hours_and_times_before_1970_find_their_folder(void **state)
{
    (void)state;
    char folder[sizeof HELP_FOLDER];
    help_folder(folder);
    struct lake_writer *writer;
    struct lake_writer_options o = {
        .path = folder, .source = "test", .rows_max = 100, .memory_octets = 1 << 20
    };
    struct ledger ledger = { 0 };
    MUST(lake_writer_new(&writer, &o, &ledger, e_));
    help_push(writer, help_flows(300, START_NS, HOUR_NS)); /* more hours than buffers */
    help_push(writer, help_flows(5, -1, -HOUR_NS));
    help_push(writer, help_flows(2, INT64_MIN, 1));
    help_push(writer, help_flows(2, INT64_MAX - 1001, 1));
    MUST(lake_writer_close(writer, e_));
    assert_int_equal(ledger.out[STAGE_output], 309);
    struct store *store;
    struct text messages = { 0 };
    MUST(store_open_lake(&store, folder, INT64_MIN, INT64_MAX, &messages, e_));
    help_ask(store, "SELECT count(*), count(DISTINCT start) FROM flow", "309,309\n");
    help_ask(store, "SELECT count(*) FROM flow WHERE epoch_ns(start) < 0", "7\n");
    store_close(store);
    assert_null(messages.data);
    /* Every row lies in the folder of its hour. */
    struct lake_list list;
    MUST(lake_list_open(&list, folder, NULL, INT64_MIN, INT64_MAX, NULL, e_));
    for (size_t i = 0; i < list.count; i++) {
        struct text date = { 0 };
        char day[16], hour[24];
        text_rfc3339(&date, list.segment[i].first_ns, 0);
        snprintf(day, sizeof day, "day=%.10s", date.data);
        snprintf(hour, sizeof hour, "hour=%d/", (int)strtol(strchr(date.data, 'T') + 1, NULL, 10));
        assert_non_null(strstr(list.segment[i].path, day));
        assert_non_null(strstr(list.segment[i].path, hour));
        text_fini(&date);
    }
    lake_list_close(&list);
    help_remove(folder);
}

int main(void)
{
    if (!lake_is_built_in()) {
        printf("1..0 # SKIP built without DuckDB\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_two_hours_come_back_from_two_segments),
        cmocka_unit_test(extremes_of_every_type_come_back_equal),
        cmocka_unit_test(gaps_stay_gaps_and_text_becomes_utf8),
        cmocka_unit_test(rows_of_many_hours_and_times_before_1970_find_their_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
