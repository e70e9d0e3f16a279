/* What the tests of the lake share. */
#ifndef WEIR_TEST_LAKE_HELP_H
#define WEIR_TEST_LAKE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "query/query.h"

#define HOUR_NS  (3600 * NS_PER_S)
#define START_NS (INT64_C(1700000000) * NS_PER_S) /* 2023-11-14 22:13:20 */

#define MUST(call)                                                                                 \
    do {                                                                                           \
        struct err *e_ = &help_error;                                                              \
        if ((call) != 0)                                                                           \
            fail_msg("%s", e_->text);                                                              \
    } while (0)
static struct err help_error;

/* Sealed flows with few columns: bytes = 0, 1, 2, ... and addresses that differ. */
static inline struct record_batch *help_flows(unsigned count, int64_t start_ns, int64_t step_ns)
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

/* Rows of `type` with a start and numbers in column `noise` that do not compress, so that a segment
 * takes several writes. */
static inline struct record_batch *help_noise(enum record_id type, unsigned noise, unsigned count,
                                              int64_t start_ns)
{
    struct record_batch *b = record_batch_new(&record_types[type], count);
    int64_t *start = record_batch_column(b, 0);
    uint64_t *number = record_batch_column(b, noise), x = (uint64_t)start_ns | 1;
    for (unsigned i = 0; i < count; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        start[i] = start_ns + (int64_t)i;
        number[i] = x;
    }
    b->count = count;
    record_batch_seal(b);
    return b;
}
#define HELP_NOISY_FLOWS(count, start_ns)                                                          \
    help_noise(RECORD_flow, RECORD_COLUMN(flow, bytes), count, start_ns)
#define HELP_NOISY_LEDGER(count, start_ns)                                                         \
    help_noise(RECORD_ledger, RECORD_COLUMN(ledger, items), count, start_ns)

static inline void help_push(struct lake_writer *writer, struct record_batch *batch)
{
    struct record_sink *sink = lake_writer_sink(writer, batch->type);
    assert_int_equal(sink->push(sink, batch), 0);
}

/* A new folder, in memory where there is such a place: these tests sync thousands of times. `to`
 * gets its path. */
#define HELP_FOLDER "/dev/shm/weir-test-XXXXXX"
static inline void help_folder(char to[sizeof HELP_FOLDER])
{
    memcpy(to, HELP_FOLDER, sizeof HELP_FOLDER);
    if (mkdtemp(to) == NULL) {
        memcpy(to, "/tmp/weir-test-XXXXXX", sizeof "/tmp/weir-test-XXXXXX");
        assert_non_null(mkdtemp(to));
    }
}

/* A folder and all below it goes. */
static inline void help_remove(const char *folder)
{
    struct text command = { 0 };
    text_format(&command, "rm -rf '%s'", folder);
    assert_int_equal(system(command.data), 0);
    text_fini(&command);
}

/* Answers as lines of comma-separated values. */
struct help_answer {
    struct record_sink sink;
    struct text text;
};
static inline int help_collect(struct record_sink *self, struct record_batch *batch)
{
    struct help_answer *c = (struct help_answer *)self;
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
static inline struct record_sink *help_open_answer(void *context, const struct record_type *type,
                                                   struct err *e)
{
    (void)type;
    (void)e;
    struct help_answer *c = context;
    c->sink.push = help_collect;
    return &c->sink;
}
/* Ask and compare. */
static inline void help_ask(struct store *store, const char *sql, const char *wanted)
{
    struct help_answer answer = { 0 };
    struct err e = { 0 };
    if (store_ask(store, sql, help_open_answer, &answer, &e) != 0)
        fail_msg("%s: %s", sql, e.text);
    assert_string_equal(answer.text.data ? answer.text.data : "", wanted);
    text_fini(&answer.text);
}

#endif
