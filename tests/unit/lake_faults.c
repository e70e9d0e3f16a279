/*
 * R5: every file operation of the lake fails once and for ever, in every way. No crash, no hang,
 * what the ledger calls written is there and whole, what it calls lost is not, and afterwards
 * everything works again.
 *
 * WEIR_FAULTS=N asks for at least N faults (default 500); tests/faults-big runs 5,000.
 */
#include "lake_help.h"

#include <errno.h>

#define SEGMENTS   3
#define ROWS_SMALL 50
#define ROWS_BIG   40000 /* several writes */

struct run {
    char folder[sizeof HELP_FOLDER];
    struct lake_writer *writer;
    uint64_t pushed;
    int64_t hour;
};

/* Rows that can be read, after every segment was read whole. */
static uint64_t rows_to_be_read(const char *folder)
{
    struct lake_list list;
    struct text messages = { 0 };
    uint64_t rows = 0;
    MUST(lake_list_open(&list, folder, NULL, INT64_MIN, INT64_MAX, &messages, e_));
    for (size_t i = 0; i < list.count; i++) {
        MUST(lake_segment_verify(&list.segment[i], e_));
        rows += list.segment[i].rows;
    }
    lake_list_close(&list);
    if (messages.data != NULL)
        assert_null(strstr(messages.data, "damaged"));
    text_fini(&messages);
    return rows;
}

/* Records for new hours, so that folders have to be made; of the type with fewest columns, that is
 * cheap. */
static void push_some(struct run *r, unsigned big)
{
    for (unsigned i = 0; i < SEGMENTS; i++) {
        int64_t start = START_NS + (r->hour + i) * HOUR_NS;
        unsigned rows = i < big ? ROWS_BIG : ROWS_SMALL;
        help_push(r->writer, HELP_NOISY_LEDGER(rows, start));
        r->pushed += rows;
    }
    r->hour += 7; /* now and then a new day */
}

static void counts_are_true(struct run *r, const char *what)
{
    struct ledger ledger = { 0 };
    lake_writer_count(r->writer, &ledger);
    uint64_t lost = ledger.reason[REASON_disk_full] + ledger.reason[REASON_output_failed],
             there = rows_to_be_read(r->folder);
    if (ledger.out[STAGE_output] + lost != r->pushed || there != ledger.out[STAGE_output])
        fail_msg("%s: %llu pushed, %llu written, %llu lost, %llu there", what,
                 (unsigned long long)r->pushed, (unsigned long long)ledger.out[STAGE_output],
                 (unsigned long long)lost, (unsigned long long)there);
}

/* Start again in a new folder, so that looking at all segments stays cheap. */
static void renew(struct run *r)
{
    if (r->writer != NULL) {
        lake_writer_close(r->writer, NULL);
        help_remove(r->folder);
    }
    *r = (struct run){ 0 };
    help_folder(r->folder);
    struct lake_writer_options o = { .path = r->folder, .source = "test" };
    MUST(lake_writer_new(&r->writer, &o, NULL, e_));
}

/* The n-th call fails, for n = 1, 2, ... until none does. Returns the number of faults. */
static uint64_t fail_each(struct run *r, enum file_call call, enum file_fault fault,
                          bool is_for_ever, unsigned big)
{
    uint64_t runs = 0;
    for (uint64_t n = 1;; n++) {
        struct file_test test = {
            .calls = 1u << call, .nth = n, .fault = fault, .is_for_ever = is_for_ever
        };
        char what[64];
        snprintf(what, sizeof what, "%s %s %llu%s", file_call_names[call], file_fault_names[fault],
                 (unsigned long long)n, is_for_ever ? " for ever" : "");
        if (r->hour > 7 * 30)
            renew(r);
        struct ledger before = { 0 }, after = { 0 };
        lake_writer_count(r->writer, &before);
        file_test_set(&test);
        push_some(r, big);
        struct err e = { 0 };
        int code = lake_writer_flush(r->writer, &e);
        file_test_set(NULL);
        lake_writer_count(r->writer, &after);
        counts_are_true(r, what);
        /* A failure is told exactly when something was lost or may be lost, with its own reason. */
        uint64_t full = after.reason[REASON_disk_full] - before.reason[REASON_disk_full];
        uint64_t failed = after.reason[REASON_output_failed] - before.reason[REASON_output_failed];
        if (code == 0 && full + failed > 0)
            fail_msg("%s: %llu rows lost without a word", what,
                     (unsigned long long)(full + failed));
        if (full > 0 && fault != FILE_FAULT_ENOSPC)
            fail_msg("%s: counted as disk full", what);
        if (full > 0)
            assert_non_null(strstr(e.text, "make room there"));
        if (test.injected == 0)
            return runs;
        runs++;
    }
}

static void every_failing_call_costs_only_what_the_ledger_says(void **state)
{
    (void)state;
    static const enum file_call calls[] = { FILE_CALL_OPEN,     FILE_CALL_WRITE,
                                            FILE_CALL_SYNC,     FILE_CALL_CLOSE,
                                            FILE_CALL_RENAME,   FILE_CALL_MAKE_DIR,
                                            FILE_CALL_SYNC_DIR, FILE_CALL_REMOVE };
    const char *wanted_text = getenv("WEIR_FAULTS");
    uint64_t wanted = wanted_text != NULL ? strtoull(wanted_text, NULL, 10) : 500, runs = 0;
    struct run r = { 0 };
    renew(&r);
    /* A whole round with small segments, then rounds with more and more big ones until it is
     * enough. */
    for (unsigned round = 0; round == 0 || runs < wanted; round++)
        for (size_t c = 0; c < sizeof calls / sizeof *calls; c++)
            for (unsigned i = 0; i < 2 * FILE_FAULTS && (round == 0 || runs < wanted); i++)
                runs += fail_each(&r, calls[c], (enum file_fault)(i / 2), i % 2,
                                  round % (SEGMENTS + 1));
    /* After all that, the writer works and SQL sees the same rows. */
    push_some(&r, 1);
    MUST(lake_writer_flush(r.writer, e_));
    counts_are_true(&r, "at the end");
    struct ledger ledger = { 0 };
    lake_writer_count(r.writer, &ledger);
    struct store *store;
    char rows[32];
    MUST(store_open_lake(&store, r.folder, INT64_MIN, INT64_MAX, NULL, e_));
    snprintf(rows, sizeof rows, "%llu\n", (unsigned long long)ledger.out[STAGE_output]);
    help_ask(store, "SELECT (SELECT count(*) FROM flow) + (SELECT count(*) FROM ledger)", rows);
    store_close(store);
    lake_writer_close(r.writer, NULL);
    help_remove(r.folder);
    print_message("# faults survived: %llu\n", (unsigned long long)runs);
}

static void a_writer_that_cannot_start_says_why_and_leaves_nothing(void **state)
{
    (void)state;
    static const enum file_call calls[] = { FILE_CALL_OPEN, FILE_CALL_MAKE_DIR,
                                            FILE_CALL_SYNC_DIR };
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++)
        for (uint64_t n = 1; n <= 4; n++) {
            struct run r = { 0 };
            help_folder(r.folder);
            struct text path = { 0 };
            text_format(&path, "%s/a/b", r.folder);
            struct file_test test = {
                .calls = 1u << calls[c], .nth = n, .fault = FILE_FAULT_EIO, .is_for_ever = true
            };
            struct lake_writer_options o = { .path = path.data, .source = "test" };
            struct err e = { 0 };
            file_test_set(&test);
            int code = lake_writer_new(&r.writer, &o, NULL, &e);
            if (code == 0)
                MUST(lake_writer_close(r.writer, e_));
            else
                assert_non_null(strstr(e.text, "Input/output error"));
            file_test_set(NULL);
            help_remove(r.folder);
            text_fini(&path);
        }
}

/* R7 in small: the disk is full for a while, then has room again. */
static void a_full_disk_is_used_again_when_it_has_room(void **state)
{
    (void)state;
    struct run r = { 0 };
    renew(&r);
    struct file_test test = {
        .calls = 1u << FILE_CALL_WRITE, .nth = 1, .is_for_ever = true, .fault = FILE_FAULT_ENOSPC
    };
    file_test_set(&test);
    push_some(&r, 1);
    struct err e = { 0 };
    assert_int_equal(lake_writer_flush(r.writer, &e), WEIR_EOUTPUT);
    assert_int_equal(e.system, ENOSPC);
    assert_int_equal(rows_to_be_read(r.folder), 0);
    file_test_set(NULL);
    uint64_t lost = r.pushed;
    push_some(&r, 1);
    MUST(lake_writer_flush(r.writer, e_));
    struct ledger ledger = { .in[STAGE_output] = r.pushed };
    lake_writer_count(r.writer, &ledger);
    assert_int_equal(ledger.reason[REASON_disk_full], lost);
    assert_int_equal(ledger.out[STAGE_output], r.pushed - lost);
    enum ledger_stage stage;
    assert_true(ledger_closes(&ledger, &stage));
    /* The next segments say what is missing before them. */
    struct lake_list list;
    MUST(lake_list_open(&list, r.folder, NULL, INT64_MIN, INT64_MAX, NULL, e_));
    assert_int_equal(list.count, SEGMENTS);
    assert_int_equal(list.segment[0].lost, lost);
    lake_list_close(&list);
    assert_int_equal(lake_writer_close(r.writer, &e), WEIR_EOUTPUT);
    assert_non_null(strstr(e.text, "records lost"));
    help_remove(r.folder);
}

static void a_file_that_cannot_be_finished_does_not_appear(void **state)
{
    (void)state;
    static const enum file_call calls[] = { FILE_CALL_OPEN, FILE_CALL_WRITE, FILE_CALL_SYNC,
                                            FILE_CALL_CLOSE, FILE_CALL_RENAME };
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        char folder[sizeof HELP_FOLDER];
        help_folder(folder);
        struct text path = { 0 };
        text_format(&path, "%s/x.parquet", folder);
        struct file_test test = { .calls = 1u << calls[c], .nth = 1, .fault = FILE_FAULT_EIO };
        struct lake_writer *writer;
        struct ledger ledger = { .in[STAGE_output] = 30 };
        struct err e = { 0 };
        file_test_set(&test);
        MUST(lake_file_new(&writer, path.data, &record_types[RECORD_flow], &ledger, e_));
        for (int i = 0; i < 3; i++)
            help_push(writer, help_flows(10, START_NS, 1));
        assert_int_equal(lake_writer_close(writer, &e), WEIR_EOUTPUT);
        file_test_set(NULL);
        enum ledger_stage stage;
        assert_true(ledger_closes(&ledger, &stage));
        assert_int_equal(ledger.reason[REASON_output_failed], 30);
        assert_int_equal(access(path.data, F_OK), -1);
        help_remove(folder);
        text_fini(&path);
    }
}

int main(void)
{
    if (!lake_is_built_in()) {
        printf("1..0 # SKIP built without DuckDB\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_call_costs_only_what_the_ledger_says),
        cmocka_unit_test(a_writer_that_cannot_start_says_why_and_leaves_nothing),
        cmocka_unit_test(a_full_disk_is_used_again_when_it_has_room),
        cmocka_unit_test(a_file_that_cannot_be_finished_does_not_appear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
