/* Asking: what may be asked, what comes back, from a lake, a file and memory. */
#include "lake_help.h"

#include <sys/stat.h>

struct lake {
    char folder[sizeof HELP_FOLDER];
    struct store *store;
    struct text messages;
};

static int open_small_lake(void **state)
{
    struct lake *l = calloc(1, sizeof *l);
    struct lake_writer *writer;
    help_folder(l->folder);
    struct lake_writer_options o = { .path = l->folder, .source = "test" };
    MUST(lake_writer_new(&writer, &o, NULL, e_));
    for (int i = 0; i < 5; i++)
        help_push(writer, help_flows(1000, START_NS + i * 24 * HOUR_NS, 1));
    MUST(lake_writer_close(writer, e_));
    MUST(store_open_lake(&l->store, l->folder, INT64_MIN, INT64_MAX, &l->messages, e_));
    *state = l;
    return 0;
}

static int close_small_lake(void **state)
{
    struct lake *l = *state;
    store_close(l->store);
    text_fini(&l->messages);
    help_remove(l->folder);
    free(l);
    return 0;
}

static void a_question_can_only_read_the_lake(void **state)
{
    struct lake *l = *state;
    static const char *const hostile[] = {
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/hostname')",
        "SELECT * FROM read_parquet('/etc/*')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM '/etc/passwd.csv'",
        "FROM read_csv('/proc/self/environ')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM glob('/**')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM read_text('/proc/self/fd/0')",
        "SELECT (SELECT content FROM read_text('/etc/passwd'))",
        "WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x",
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
        "SELECT * FROM read_csv('http://192.0.2.1/x.csv')",
        "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
        "COPY flow TO '/tmp/weir-hostile.csv'",
        "COPY (SELECT 1) TO '/tmp/weir-hostile.parquet'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/weir-hostile.csv'",
        "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '/tmp/weir-hostile.csv'",
        "explain/**/analyze COPY (SELECT 1) TO '/tmp/weir-hostile.csv'",
        "/* x */ EXPLAIN ANALYZE CREATE TABLE t(a INT)",
        "EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
        "EXPORT DATABASE '/tmp/weir-hostile'",
        "IMPORT DATABASE '/tmp'",
        "ATTACH '/tmp/weir-hostile.db'",
        "ATTACH ':memory:' AS other",
        "USE memory",
        "DETACH memory",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '/tmp/x.duckdb_extension'",
        "FORCE INSTALL inet",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET memory_limit = '100GB'",
        "RESET memory_limit",
        "SET VARIABLE x = 1",
        "PRAGMA enable_profiling",
        "PRAGMA threads = 8",
        "CALL enable_logging()",
        "CREATE TABLE t(a INT)",
        "CREATE VIEW v AS SELECT 1",
        "CREATE OR REPLACE VIEW flow AS SELECT 1",
        "CREATE MACRO f(x) AS x",
        "CREATE SECRET (TYPE s3)",
        "CREATE TEMP TABLE t AS SELECT * FROM flow",
        "DROP VIEW flow",
        "ALTER VIEW flow RENAME TO f",
        "INSERT INTO flow (bytes) VALUES (1)",
        "DELETE FROM flow",
        "UPDATE flow SET bytes = 1",
        "TRUNCATE flow",
        "BEGIN",
        "PREPARE x AS SELECT 1",
        "EXECUTE x",
        "CHECKPOINT",
        "VACUUM",
        "ANALYZE",
        "SELECT getenv('HOME')",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO '/tmp/weir-hostile.csv'",
        "",
        ";",
        "SELEC 1",
        "SELECT nothing FROM flow",
        "SELECT in_net(src, 'x') FROM flow",
    };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct help_answer answer = { 0 };
        struct err e = { 0 };
        if (store_ask(l->store, hostile[i], help_open_answer, &answer, &e) >= 0)
            fail_msg("'%s' was answered: %s", hostile[i], answer.text.data ? answer.text.data : "");
        assert_true(strlen(e.text) > 10);
        assert_null(strchr(e.text, '\n'));
        text_fini(&answer.text);
    }
    struct stat st;
    assert_int_equal(stat("/tmp/weir-hostile.csv", &st), -1);
    assert_int_equal(stat("/tmp/weir-hostile.parquet", &st), -1);
    help_ask(l->store, "SELECT count(*) FROM flow", "5000\n");
}

/* A segment is a file that may be opened; that must not mean written. */
static void a_segment_cannot_be_overwritten_by_a_question(void **state)
{
    struct lake *l = *state;
    struct lake_list list;
    MUST(lake_list_open(&list, l->folder, NULL, INT64_MIN, INT64_MAX, NULL, e_));
    static const char *const forms[] = {
        "COPY (SELECT 1) TO '%s'", "EXPLAIN ANALYZE COPY (SELECT 1) TO '%s' (FORMAT parquet)",
        "EXPLAIN ANALYZE EXPLAIN ANALYZE COPY (SELECT 1) TO '%s' (FORMAT parquet)"
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct text sql = { 0 };
        struct help_answer answer = { 0 };
        struct err e = { 0 };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text_format(&sql, forms[i], list.segment[0].path);
#pragma GCC diagnostic pop
        assert_true(store_ask(l->store, sql.data, help_open_answer, &answer, &e) < 0);
        MUST(lake_segment_verify(&list.segment[0], e_));
        text_fini(&sql);
        text_fini(&answer.text);
    }
    lake_list_close(&list);
}

static void answers_have_the_types_of_their_columns(void **state)
{
    struct lake *l = *state;
    static const char *const cases[][2] = {
        { "SELECT 1 AS x", "1\n" },
        { "SELECT NULL AS x", "NULL\n" },
        { "FROM (VALUES (1, 'a'), (2, NULL)) t(a, b)", "1,a\n2,NULL\n" },
        { "SELECT sum(bytes) AS bytes FROM flow", "2497500\n" },
        { "SELECT -sum(bytes) FROM flow", "-2497500\n" },
        { "SELECT sum(x) FROM (VALUES (18446744073709551615::UBIGINT), (1)) t(x)",
          "18446744073709551616.000000\n" },
        { "SELECT sum(x) FROM (VALUES (18446744073709551614::UBIGINT), (1)) t(x)",
          "18446744073709551615\n" },
        { "SELECT avg(bytes) FROM flow WHERE bytes < 4", "1.500000\n" },
        { "SELECT (-9223372036854775808)::BIGINT, 127::TINYINT, (-32768)::SMALLINT, 255::UTINYINT",
          "-9223372036854775808,127,-32768,255\n" },
        { "SELECT TIMESTAMP '2023-11-14 22:13:20.5' AS t, TIMESTAMPTZ '2023-11-14 22:13:20+00' AS "
          "z",
          "1700000000.500000000,1700000000.000000000\n" },
        { "SELECT 'a long text that is not kept inside' AS t, '' AS e",
          "a long text that is not kept inside,\n" },
        { "SELECT date '2020-01-01' AS d, [1,2] AS l, 1.25::DECIMAL(4,2) AS c, true AS b -- "
          "comment",
          "2020-01-01,[1, 2],1.250000,true\n" },
        { "SELECT count(*) FROM flow WHERE in_net(src, '192.168.1.0/24')", "1280\n" },
        { "SELECT count(*) FROM flow WHERE in_net(src, '192.168.3.231')", "5\n" },
        { "SELECT in_net('2001:db8:1::5', '2001:db8::/31'), in_net('2001:dba::5', "
          "'2001:db8::/31')",
          "true,false\n" },
        { "SELECT in_net('10.0.0.1', '0.0.0.0/0'), in_net('::1', '0.0.0.0/0'), in_net('nonsense', "
          "'::/0')",
          "true,false,false\n" },
        { "SELECT in_net(NULL, '::/0'), in_net('::1', NULL), ip_key(NULL), ip_net(NULL, 8, 4)",
          "NULL,NULL,NULL,NULL\n" },
        { "SELECT in_net(x, '10.0.0.0/8') FROM (VALUES ('10.0.0.1'), (NULL)) t(x)", "true\nNULL\n" },
        { "SELECT ip_net('10.255.255.255', 9, 4), ip_net('10.255.255.255', 0, 0), "
          "ip_net('2001:db8:ffff::', 47, 6)",
          "10.128.0.0/9,0.0.0.0/0,2001:db8:fffe::/47\n" },
        { "SELECT count(*) FROM ledger", "0\n" },
        { "SUMMARIZE SELECT 1 AS x", NULL },
        { "DESCRIBE flow", NULL },
        { "EXPLAIN SELECT count(*) FROM flow", NULL },
        { "EXPLAIN ANALYZE SELECT count(*) FROM flow", NULL },
        { "SELECT * FROM flow ORDER BY start, bytes", NULL },
        { "SELECT a.src FROM flow a JOIN flow b ON a.bytes = b.bytes AND a.start = b.start WHERE "
          "a.bytes = 7 LIMIT 1",
          "192.168.0.7\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct help_answer answer = { 0 };
        struct err e = { 0 };
        if (store_ask(l->store, cases[i][0], help_open_answer, &answer, &e) < 0)
            fail_msg("%s: %s", cases[i][0], e.text);
        if (cases[i][1] != NULL)
            assert_string_equal(answer.text.data, cases[i][1]);
        else
            assert_non_null(answer.text.data);
        text_fini(&answer.text);
    }
    assert_null(l->messages.data);
}

struct type_check {
    struct record_sink sink;
    const struct record_type *type;
};
static int drop(struct record_sink *self, struct record_batch *batch)
{
    struct type_check *c = (struct type_check *)self;
    assert_ptr_equal(batch->type, c->type);
    record_batch_unref(batch);
    return 0;
}
static struct record_sink *open_check(void *context, const struct record_type *type, struct err *e)
{
    (void)e;
    struct type_check *c = context;
    *c = (struct type_check){ .sink.push = drop, .type = type };
    return &c->sink;
}

static void columns_called_like_fields_are_fields(void **state)
{
    struct lake *l = *state;
    struct type_check c;
    MUST(store_ask(l->store,
                   "SELECT proto, flags, src, sum(bytes) AS bytes, start, 'x' AS dport, count(*) "
                   "AS n FROM flow GROUP BY ALL",
                   open_check, &c, e_));
    assert_int_equal(c.type->column_count, 7);
    static const struct column_type wanted[] = {
        { "proto", T_PROTO, U_NONE, FIELD_proto }, { "flags", T_FLAGS, U_NONE, FIELD_flags },
        { "src", T_TEXT, U_NONE, FIELD_src },      { "bytes", T_U64, U_OCTETS, FIELD_bytes },
        { "start", T_TIME, U_NONE, FIELD_start },  { "dport", T_TEXT, U_NONE, FIELD_NONE },
        { "n", T_I64, U_NONE, FIELD_NONE },
    };
    for (unsigned i = 0; i < 7; i++) {
        assert_string_equal(c.type->column[i].name, wanted[i].name);
        assert_int_equal(c.type->column[i].type, wanted[i].type);
        assert_int_equal(c.type->column[i].unit, wanted[i].unit);
        assert_int_equal(c.type->column[i].field, wanted[i].field);
    }
}

static void only_segments_of_the_time_asked_for_are_opened(void **state)
{
    struct lake *l = *state;
    static const struct {
        int64_t from, to;
        const char *rows;
    } cases[] = {
        { INT64_MIN, START_NS, "0\n" },
        { START_NS, START_NS + 1, "1000\n" },
        { START_NS + 500, INT64_MAX, "5000\n" },
        { START_NS + 3000, INT64_MAX,
          "4000\n" }, /* the first hour's flows ended 1999 ns after its start */
        { START_NS + 24 * HOUR_NS, START_NS + 50 * HOUR_NS, "2000\n" },
        { START_NS + 1000 * HOUR_NS, INT64_MAX, "0\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct store *store;
        MUST(store_open_lake(&store, l->folder, cases[i].from, cases[i].to, NULL, e_));
        help_ask(store, "SELECT count(*) FROM flow", cases[i].rows);
        store_close(store);
    }
}

static void a_memory_store_answers_from_batches_and_from_spilled_files(void **state)
{
    (void)state;
    static const uint64_t limits[] = { 1 << 30, 200000, 1 };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct store *store;
        struct record_sink *sink;
        MUST(store_open_memory(&store, &record_types[RECORD_flow], limits[i], &sink, e_));
        for (int k = 0; k < 10; k++)
            assert_int_equal(sink->push(sink, help_flows(3000, START_NS, 1)), 0);
        help_ask(store, "SELECT count(*), sum(bytes) FROM flow", "30000,44985000\n");
        help_ask(store, "SELECT count(*) FROM flow a JOIN flow b USING (src) WHERE a.bytes = 5",
                 "100\n");
        help_ask(
            store,
            "SELECT src, dst, max(bytes) AS bytes FROM flow GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 1",
            "192.168.11.183,NULL,2999\n");
        struct help_answer answer = { 0 };
        struct err e;
        assert_true(
            store_ask(store, "FROM read_text('/etc/passwd')", help_open_answer, &answer, &e) < 0);
        store_close(store);
    }
    struct store *store;
    struct record_sink *sink;
    MUST(store_open_memory(&store, &record_types[RECORD_flow], 1 << 20, &sink, e_));
    help_ask(store, "SELECT count(*) FROM flow", "0\n");
    store_close(store);
}

static void a_single_file_is_a_store_too(void **state)
{
    (void)state;
    char folder[sizeof HELP_FOLDER];
    help_folder(folder);
    struct text path = { 0 };
    text_format(&path, "%s/x.parquet", folder);
    struct lake_writer *writer;
    struct ledger ledger = { 0 };
    MUST(lake_file_new(&writer, path.data, &record_types[RECORD_flow], &ledger, e_));
    for (int i = 0; i < 10; i++)
        help_push(writer, help_flows(5000, START_NS, 1)); /* more rows than a chunk takes */
    MUST(lake_writer_close(writer, e_));
    assert_int_equal(ledger.out[STAGE_output], 50000);
    struct store *store;
    MUST(store_open_lake(&store, path.data, INT64_MIN, INT64_MAX, NULL, e_));
    help_ask(store, "SELECT count(*), max(bytes), count(dst) FROM flow", "50000,4999,0\n");
    store_close(store);
    struct err e;
    assert_int_equal(store_open_lake(&store, "/etc/passwd", INT64_MIN, INT64_MAX, NULL, &e),
                     WEIR_EINPUT);
    assert_non_null(strstr(e.text, "not a whole Parquet file"));
    assert_int_equal(store_open_lake(&store, "/nonexistent", INT64_MIN, INT64_MAX, NULL, &e),
                     WEIR_EINPUT);
    assert_non_null(strstr(e.text, "no folder '/nonexistent'"));
    help_remove(folder);
    text_fini(&path);
}

int main(void)
{
    if (!lake_is_built_in()) {
        printf("1..0 # SKIP built without DuckDB\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_can_only_read_the_lake),
        cmocka_unit_test(a_segment_cannot_be_overwritten_by_a_question),
        cmocka_unit_test(answers_have_the_types_of_their_columns),
        cmocka_unit_test(columns_called_like_fields_are_fields),
        cmocka_unit_test(only_segments_of_the_time_asked_for_are_opened),
        cmocka_unit_test(a_memory_store_answers_from_batches_and_from_spilled_files),
        cmocka_unit_test(a_single_file_is_a_store_too),
    };
    return cmocka_run_group_tests(tests, open_small_lake, close_small_lake);
}
