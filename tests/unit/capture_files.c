/* The backend for files: order, merging, limits, damage, and that the ledger closes over all of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "capture/capture.h"

#define SECOND NS_PER_S
#define FILES  8
#define DATA   40 /* octets of each packet, all equal to its mark */

struct trial {
    char folder[64];
    const char *paths[FILES];
    size_t path_count;
    struct capture_options options;
    struct ledger ledger;
    struct packet_batch batch;
    struct text messages, marks; /* marks: one letter per packet in the order given */
    uint32_t interface[4096];    /* of the packets */
    size_t count;
    int worst, code;
    struct err e;
};

static int make_trial(void **state)
{
    struct trial *t = calloc(1, sizeof *t);
    if (t == NULL)
        return 1;
    snprintf(t->folder, sizeof t->folder, "/tmp/weir-capture-XXXXXX");
    t->options = (struct capture_options){ .from_ns = INT64_MIN, .to_ns = INT64_MAX };
    *state = t;
    return mkdtemp(t->folder) == NULL;
}

static int drop_trial(void **state)
{
    struct trial *t = *state;
    for (size_t i = 0; i < t->path_count; i++) {
        unlink(t->paths[i]);
        free((void *)(uintptr_t)t->paths[i]);
    }
    rmdir(t->folder);
    text_fini(&t->messages);
    text_fini(&t->marks);
    free(t);
    return 0;
}

static const char *new_path(struct trial *t, const char *name)
{
    struct text path = { 0 };
    text_format(&path, "%s/%s", t->folder, name);
    assert_false(path.is_bad);
    t->paths[t->path_count] = path.data; /* freed by drop_trial */
    return t->paths[t->path_count++];
}

static void put_file(const char *path, const struct text *octets)
{
    struct file *file;
    assert_int_equal(file_open(&file, path, FILE_CREATE, NULL), 0);
    assert_int_equal(file_write(file, octets->data, octets->size, NULL), 0);
    assert_int_equal(file_close(file, NULL), 0);
}

static void pcap_add(struct text *file, int64_t time_ns, uint32_t wirelen, char mark)
{
    uint8_t record[PCAP_RECORD_SIZE];
    struct packet p = { .caplen = DATA, .wirelen = wirelen, .time_ns = time_ns };
    pcap_put_record(record, &p);
    text_put(file, (const char *)record, sizeof record);
    for (unsigned i = 0; i < DATA; i++)
        text_char(file, mark);
}

static struct text pcap_begin(uint16_t link)
{
    struct text file = { 0 };
    uint8_t header[PCAP_HEADER_SIZE];
    pcap_put_header(header, link, 65535);
    text_put(&file, (const char *)header, sizeof header);
    return file;
}

/* A file whose packets have the times (s) given, and marks from `mark` on. */
static const char *pcap_file(struct trial *t, const char *name, char mark, unsigned count,
                             const int *seconds)
{
    struct text file = pcap_begin(1);
    for (unsigned i = 0; i < count; i++)
        pcap_add(&file, seconds[i] * SECOND, DATA, (char)(mark + (int)i));
    const char *path = new_path(t, name);
    put_file(path, &file);
    text_fini(&file);
    return path;
}
#define TIMES(...)                                                                                 \
    (sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)), (int[])                                        \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void run(struct trial *t)
{
    struct capture *capture;
    t->options.path = t->paths;
    t->options.path_count = t->path_count;
    memset(&t->ledger, 0, sizeof t->ledger);
    text_fini(&t->messages);
    text_fini(&t->marks);
    t->messages = t->marks = (struct text){ 0 };
    text_add(&t->messages, "");
    text_add(&t->marks, "");
    t->count = 0;
    t->code = capture_open_files(&capture, &t->options, &t->ledger, &t->e);
    if (t->code < 0)
        return;
    while ((t->code = capture_fill(capture, &t->batch, &t->e)) > 0) {
        assert_int_equal(t->code, t->batch.count);
        for (unsigned i = 0; i < t->batch.count; i++) {
            const struct packet *p = &t->batch.pkt[i];
            assert_int_equal(p->caplen, DATA);
            for (unsigned k = 0; k < DATA; k++)
                assert_int_equal(p->data[k], p->data[0]);
            text_char(&t->marks, (char)p->data[0]);
            if (t->count < sizeof t->interface / sizeof *t->interface)
                t->interface[t->count] = p->interface;
            t->count++;
        }
    }
    assert_int_equal(t->code, 0);
    assert_int_equal(capture_fill(capture, &t->batch, &t->e), 0); /* stays at its end */
    if (capture->messages.size > 0)
        text_put(&t->messages, capture->messages.data, capture->messages.size);
    t->worst = capture->worst;
    assert_int_equal(t->ledger.in[STAGE_input],
                     t->ledger.out[STAGE_input] +
                         ledger_total(&t->ledger, STAGE_input, KIND_dropped) +
                         ledger_total(&t->ledger, STAGE_input, KIND_discarded));
    assert_int_equal(t->ledger.out[STAGE_input], t->count);
    capture_close(capture);
}

/* ---- order ---- */

static void files_come_in_the_order_given(void **state)
{
    struct trial *t = *state;
    pcap_file(t, "a.pcap", 'a', TIMES(1, 2, 3));
    pcap_file(t, "b.pcap", 'd', TIMES(3, 4));
    run(t);
    assert_string_equal(t->marks.data, "abcde");
    assert_string_equal(t->messages.data, "");
    assert_int_equal(t->ledger.reason[REASON_time_back], 0);
    assert_int_equal(t->worst, 0);
}

static void files_out_of_order_are_warned_of_once_with_both_times(void **state)
{
    struct trial *t = *state;
    pcap_file(t, "a.pcap", 'a', TIMES(10, 11, 12));
    pcap_file(t, "b.pcap", 'd', TIMES(4, 5));
    pcap_file(t, "c.pcap", 'f', TIMES(1));
    run(t);
    assert_string_equal(t->marks.data, "abcdef");
    assert_int_equal(t->ledger.reason[REASON_time_back], 3);
    assert_non_null(strstr(t->messages.data, "b.pcap: begins at 1970-01-01T00:00:04.000000000Z, "
                                             "before the last packet of "));
    assert_non_null(strstr(t->messages.data, "a.pcap at 1970-01-01T00:00:12.000000000Z"));
    assert_ptr_equal(strchr(t->messages.data, '\n') + 1, t->messages.data + t->messages.size);
    assert_int_equal(t->worst, 0);
}

static void times_going_back_within_a_file_are_counted_without_words(void **state)
{
    struct trial *t = *state;
    pcap_file(t, "a.pcap", 'a', TIMES(5, 4, 6, 3, 3, 6));
    run(t);
    assert_int_equal(t->ledger.reason[REASON_time_back], 3);
    assert_string_equal(t->messages.data, "");
}

static void sorting_merges_by_time_and_keeps_the_order_of_inputs(void **state)
{
    struct trial *t = *state;
    t->options.is_sorted = true;
    pcap_file(t, "a.pcap", 'a', TIMES(3, 5, 7));
    pcap_file(t, "b.pcap", 'k', TIMES(1, 3, 5, 9));
    pcap_file(t, "c.pcap", 'x', TIMES(3, 7));
    run(t);
    assert_string_equal(t->marks.data, "kalxbmcyn");
    assert_int_equal(t->ledger.reason[REASON_time_back], 0);
    assert_string_equal(t->messages.data, "");
}

static void big_files_merge_to_one_order(void **state)
{
    struct trial *t = *state;
    t->options.is_sorted = true;
    uint64_t total = 0;
    for (unsigned f = 0; f < 5; f++) {
        struct text file = pcap_begin(1);
        char name[16];
        unsigned count = 1000 * (f + 1) + f;
        for (unsigned i = 0; i < count; i++)
            pcap_add(&file, (int64_t)(i * (7 + f) + f) * 1000, DATA, (char)('a' + (int)f));
        snprintf(name, sizeof name, "%u.pcap", f);
        put_file(new_path(t, name), &file);
        text_fini(&file);
        total += count;
    }
    run(t);
    assert_int_equal(t->count, total);
    assert_int_equal(t->ledger.reason[REASON_time_back], 0);
}

/* ---- what is left out ---- */

static void count_and_time_range_are_in_the_ledger(void **state)
{
    struct trial *t = *state;
    pcap_file(t, "a.pcap", 'a', TIMES(1, 2, 3, 4, 5, 6));
    t->options.from_ns = 2 * SECOND;
    t->options.to_ns = 5 * SECOND;
    run(t);
    assert_string_equal(t->marks.data, "bcde");
    assert_int_equal(t->ledger.reason[REASON_outside_time], 2);
    t->options.count_max = 3;
    run(t);
    assert_string_equal(t->marks.data, "bcd");
    assert_int_equal(t->ledger.reason[REASON_outside_time], 2);
    assert_int_equal(t->ledger.reason[REASON_after_limit], 1);
    t->options.count_max = 4; /* exactly as many as there are */
    run(t);
    assert_string_equal(t->marks.data, "bcde");
}

static void cut_packets_are_noted(void **state)
{
    struct trial *t = *state;
    struct text file = pcap_begin(1);
    pcap_add(&file, SECOND, DATA, 'a');
    pcap_add(&file, SECOND, DATA + 1, 'b');
    pcap_add(&file, SECOND, DATA - 1, 'c'); /* more captured than there was: not cut */
    put_file(new_path(t, "a.pcap"), &file);
    text_fini(&file);
    run(t);
    assert_int_equal(t->ledger.reason[REASON_snapped], 1);
    assert_string_equal(t->marks.data, "abc");
}

/* ---- damage ---- */

static void a_damaged_file_ends_where_it_breaks_and_the_next_follows(void **state)
{
    struct trial *t = *state;
    struct text file = pcap_begin(1);
    pcap_add(&file, SECOND, DATA, 'a');
    pcap_add(&file, SECOND, DATA, 'b');
    file.size -= 5;
    put_file(new_path(t, "cut.pcap"), &file);
    file.size = 24 + 16 + DATA + 16 + DATA;
    file.data[24 + 16 + DATA + 11] = 0x7f; /* captured length */
    put_file(new_path(t, "bad.pcap"), &file);
    text_fini(&file);
    file = (struct text){ 0 };
    text_add(&file, "this is no capture");
    put_file(new_path(t, "no.pcap"), &file);
    text_fini(&file);
    pcap_file(t, "good.pcap", 'x', TIMES(1, 2));
    new_path(t, "missing.pcap");
    for (int i = 0; i < 2; i++) {
        t->options.is_sorted = i == 1;
        run(t);
        assert_string_equal(t->marks.data, "aaxy");
        assert_int_equal(t->ledger.in[STAGE_input], 6);
        assert_int_equal(t->ledger.reason[REASON_cut_record], 1);
        assert_int_equal(t->ledger.reason[REASON_bad_record], 1);
        assert_int_equal(t->worst, WEIR_EINPUT);
        assert_non_null(strstr(t->messages.data, "/cut.pcap:80: cut short: 51 of the 56 octets"));
        assert_non_null(strstr(t->messages.data, "/bad.pcap:80: damaged: "));
        assert_non_null(strstr(t->messages.data, "/no.pcap:0: no known capture file format"));
        assert_non_null(strstr(t->messages.data, "/missing.pcap'"));
    }
}

static void nothing_to_read_is_an_error(void **state)
{
    struct trial *t = *state;
    new_path(t, "missing.pcap");
    new_path(t, "neither.pcap");
    for (int i = 0; i < 2; i++) {
        t->options.is_sorted = i == 1;
        run(t);
        assert_int_equal(t->code, WEIR_EINPUT);
        assert_non_null(strstr(t->e.text, ".pcap'"));
    }
}

static void an_empty_capture_is_no_error(void **state)
{
    struct trial *t = *state;
    pcap_file(t, "a.pcap", 'a', 0, NULL);
    run(t);
    assert_int_equal(t->count, 0);
    assert_int_equal(t->worst, 0);
    pcap_file(t, "b.pcap", 'b', TIMES(1));
    run(t);
    assert_string_equal(t->marks.data, "b");
}

/* ---- interfaces ---- */

static void pieces_of_one_capture_share_their_interface(void **state)
{
    struct trial *t = *state;
    pcap_file(t, "a.pcap", 'a', TIMES(1));
    pcap_file(t, "b.pcap", 'b', TIMES(2));
    struct text file = pcap_begin(101);
    pcap_add(&file, 3 * SECOND, DATA, 'c');
    put_file(new_path(t, "c.pcap"), &file);
    text_fini(&file);
    run(t);
    assert_string_equal(t->marks.data, "abc");
    assert_int_equal(t->interface[0], 0);
    assert_int_equal(t->interface[1], 0);
    assert_int_equal(t->interface[2], 1);
}

static void a_file_says_what_it_is(void **state)
{
    struct trial *t = *state;
    pcap_file(t, "a.pcap", 'a', TIMES(5, 3, 9));
    new_path(t, "missing.pcap");
    t->options.path = t->paths;
    t->options.path_count = t->path_count;
    struct capture *capture;
    assert_int_equal(capture_open_files(&capture, &t->options, &t->ledger, &t->e), 0);
    while (capture_fill(capture, &t->batch, &t->e) > 0)
        ;
    const struct trace_info *info = capture_file_info(capture, 0);
    assert_non_null(info);
    assert_string_equal(info->format, "nsecpcap");
    assert_int_equal(info->packets, 3);
    assert_int_equal(info->octets, 3 * DATA);
    assert_int_equal(info->time_min, 3 * SECOND);
    assert_int_equal(info->time_max, 9 * SECOND);
    assert_true(info->is_unordered);
    assert_null(capture_file_info(capture, 1));
    assert_null(capture_file_info(capture, 2));
    capture_close(capture);
}

/* ---- size and pipes ---- */

struct pipe_writer {
    const char *path;
    const struct text *octets;
};

static void *write_pipe(void *argument)
{
    const struct pipe_writer *w = argument;
    put_file(w->path, w->octets);
    return NULL;
}

/* 120000 packets are 6.7 MB: several reads of a pipe, several windows of a file. */
static void a_fifo_gives_the_same_as_the_file(void **state)
{
    struct trial *t = *state;
    struct text file = pcap_begin(1);
    for (unsigned i = 0; i < 120000; i++)
        pcap_add(&file, i * INT64_C(1000), DATA, (char)('a' + (int)(i % 26)));
    put_file(new_path(t, "a.pcap"), &file);
    run(t);
    assert_int_equal(t->count, 120000);
    struct text marks = t->marks;
    t->marks = (struct text){ 0 };

    unlink(t->paths[0]);
    assert_int_equal(mkfifo(t->paths[0], 0600), 0);
    struct pipe_writer writer = { t->paths[0], &file };
    pthread_t thread;
    pthread_create(&thread, NULL, write_pipe, &writer);
    run(t);
    pthread_join(thread, NULL);
    assert_int_equal(t->marks.size, marks.size);
    assert_memory_equal(t->marks.data, marks.data, marks.size);
    text_fini(&marks);
    text_fini(&file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_trial, drop_trial)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_come_in_the_order_given),
        TEST(files_out_of_order_are_warned_of_once_with_both_times),
        TEST(times_going_back_within_a_file_are_counted_without_words),
        TEST(sorting_merges_by_time_and_keeps_the_order_of_inputs),
        TEST(big_files_merge_to_one_order),
        TEST(count_and_time_range_are_in_the_ledger),
        TEST(cut_packets_are_noted),
        TEST(a_damaged_file_ends_where_it_breaks_and_the_next_follows),
        TEST(nothing_to_read_is_an_error),
        TEST(an_empty_capture_is_no_error),
        TEST(pieces_of_one_capture_share_their_interface),
        TEST(a_file_says_what_it_is),
        TEST(a_fifo_gives_the_same_as_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
