/* Sources: the same octets from files, pipes and all compressions; damage keeps what came before.
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

#include "base/base.h"

#define TEXT      "weir holds back water, and lets it run. "
#define TEXT_SIZE (sizeof TEXT - 1)

/* TEXT by gzip */
static const char gzip_text[] =
    "1f8b08000000000002032b4fcd2c52c8c8cf492956484a4cce56284f2c492dd25148cc4b51c8492d2956c82c"
    "51282acdd3530000aaa83c9928000000";
/* TEXT by zstd */
static const char zstd_text[] =
    "28b52ffd04584101007765697220686f6c6473206261636b2077617465722c20616e64206c65747320697420"
    "72756e2e20ccfaa94a";
/* TEXT by lz4 */
static const char lz4_text[] =
    "04224d186440a7280000807765697220686f6c6473206261636b2077617465722c20616e64206c6574732069"
    "742072756e2e20000000009d4328de";
/* TEXT by xz */
static const char xz_text[] =
    "fd377a585a0000016922de360200210116000000742fe5a30100277765697220686f6c6473206261636b2077"
    "617465722c20616e64206c6574732069742072756e2e2000aaa83c9900013c282e64c0669042990d01000000"
    "0001595a";
/* TEXT by bzip2 */
static const char bzip2_text[] =
    "425a683931415926535986f61097000013918040053e6d9e802000314c9899064614d1934c86080ee1b8f193"
    "aa5070605304c0d38a49a32851d136adf17724538509086f610970";
/* TEXT a hundred thousand times by zstd */
static const char zstd_many[] =
    "28b52ffd046894010084027765697220686f6c6473206261636b2077617465722c20616e64206c6574732069"
    "742072756e2e200100a8fe5fb92a03440000000100fdff2b5740440000000100fdff390002440000000100fd"
    "ff390002440000000100fdff390002440000000100fdff390002440000000100fdff390002440000000100fd"
    "ff390002440000000100fdff390002440000000100fdff390002440000000100fdff390002440000000100fd"
    "ff390002440000000100fdff390002440000000100fdff390002440000000100fdff390002440000000100fd"
    "ff390002440000000100fdff390002440000000100fdff390002440000000100fdff390002440000000100fd"
    "ff390002440000000100fdff390002440000000100fdff390002440000000100fdff390002440000000100fd"
    "ff390002440000000100fdff390002440000000100fdff390002440000000100fdff390002440000000100fd"
    "ff390002440000000100fdff390002440000000100fdff390002450000000100fd08390002ec70055b";
/* gzip_text by zstd */
static const char nested_text[] =
    "28b52ffd0458e101001f8b08000000000002032b4fcd2c52c8c8cf492956484a4cce56284f2c492dd25148cc"
    "4b51c8492d2956c82c51282acdd3530000aaa83c99280000006f8b9b67";
/* nested_text by xz */
static const char nested_thrice[] =
    "fd377a585a0000016922de360200210116000000742fe5a301004828b52ffd0458e101001f8b080000000000"
    "02032b4fcd2c52c8c8cf492956484a4cce56284f2c492dd25148cc4b51c8492d2956c82c51282acdd3530000"
    "aaa83c99280000006f8b9b6700000000b0dcbc8100015d49066f93209042990d010000000001595a";
/* nested_thrice by lz4 */
static const char nested_deeper[] =
    "04224d186440a780000080fd377a585a0000016922de360200210116000000742fe5a301004828b52ffd0458"
    "e101001f8b08000000000002032b4fcd2c52c8c8cf492956484a4cce56284f2c492dd25148cc4b51c8492d29"
    "56c82c51282acdd3530000aaa83c99280000006f8b9b6700000000b0dcbc8100015d49066f93209042990d01"
    "0000000001595a000000007dc48c7d";

static const struct {
    const char *name, *hex;
} compressed[] = {
    { "gzip", gzip_text }, { "zstd", zstd_text },   { "lz4", lz4_text },
    { "xz", xz_text },     { "bzip2", bzip2_text },
};
#define COMPRESSED (sizeof compressed / sizeof *compressed)

/* ---- files ---- */

static struct bytes octets_of(const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *octets = malloc(size);
    assert_non_null(octets);
    for (size_t i = 0; i < size; i++) {
        unsigned value;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        octets[i] = (uint8_t)value;
    }
    return (struct bytes){ octets, size };
}

struct place {
    char path[64];
};

static int make_place(void **state)
{
    struct place *p = malloc(sizeof *p);
    if (p == NULL)
        return 1;
    snprintf(p->path, sizeof p->path, "/tmp/weir-source-XXXXXX");
    int fd = mkstemp(p->path);
    *state = p;
    return fd < 0 || close(fd) != 0;
}

static int drop_place(void **state)
{
    struct place *p = *state;
    unlink(p->path);
    free(p);
    return 0;
}

static void write_file(const char *path, const void *octets, size_t size)
{
    struct file *file;
    assert_int_equal(file_open(&file, path, FILE_CREATE, NULL), 0);
    assert_int_equal(file_write(file, octets, size, NULL), 0);
    assert_int_equal(file_close(file, NULL), 0);
}

/* All octets, taken `step` at a time; asks for windows of `wanted`. *code is how it ended. */
static struct text drain(const char *path, enum source_method method, size_t wanted, size_t step,
                         int *code, struct err *e)
{
    struct text all = { 0 };
    struct source *source;
    *code = source_open(&source, path, method, e);
    if (*code < 0)
        return all;
    for (bool is_end = false, is_over = false; !is_over;) {
        struct bytes window;
        *code = source_window(source, wanted, true, &window, &is_end, e);
        assert_true(window.size >= wanted || is_end);
        assert_int_equal(source_offset(source), all.size);
        size_t size = is_end || window.size < step ? window.size : step;
        text_put(&all, (const char *)window.data, size);
        source_skip(source, size);
        is_over = is_end;
    }
    source_close(source);
    return all;
}

static void assert_texts(const struct text *all, size_t count)
{
    assert_int_equal(all->size, count * TEXT_SIZE);
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(all->data + i * TEXT_SIZE, TEXT, TEXT_SIZE);
}

static bool is_built(const char *path)
{
    struct source *source;
    struct err e;
    if (source_open(&source, path, SOURCE_AUTO, &e) == 0) {
        source_close(source);
        return true;
    }
    if (strstr(e.text, "this build of weir is without it") == NULL)
        fail_msg("%s", e.text);
    return false;
}

/* ---- plain ---- */

static void a_file_is_the_same_mapped_and_read_in_windows_of_any_size(void **state)
{
    const struct place *p = *state;
    static const size_t counts[] = { 0, 1, 30, 20000, 1000000 }; /* up to 40 MB: several pieces */
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct text file = { 0 };
        for (size_t k = 0; k < counts[i]; k++)
            text_put(&file, TEXT, TEXT_SIZE);
        write_file(p->path, file.data, file.size);
        static const struct {
            size_t wanted, step;
        } ways[] = { { 1, 100000 }, { 5000, 4999 * 17 }, { 300000, 300000 }, { 3000000, 2999999 } };
        for (size_t k = 0; k < sizeof ways / sizeof *ways; k++)
            for (unsigned method = SOURCE_AUTO; method <= SOURCE_READ; method++) {
                int code;
                struct text all = drain(p->path, (enum source_method)method, ways[k].wanted,
                                        ways[k].step, &code, NULL);
                assert_int_equal(code, 0);
                assert_int_equal(all.size, file.size);
                assert_true(all.size == 0 || memcmp(all.data, file.data, all.size) == 0);
                text_fini(&all);
            }
        text_fini(&file);
    }
}

static void windows_stay_where_they_are_until_they_may_move(void **state)
{
    const struct place *p = *state;
    struct text file = { 0 };
    for (size_t k = 0; k < 1000000; k++)
        text_put(&file, TEXT, TEXT_SIZE);
    write_file(p->path, file.data, file.size);
    for (unsigned method = SOURCE_AUTO; method <= SOURCE_READ; method++) {
        struct source *source;
        struct bytes first, window;
        bool is_end;
        assert_int_equal(source_open(&source, p->path, (enum source_method)method, NULL), 0);
        assert_int_equal(source_window(source, 1, true, &first, &is_end, NULL), 0);
        source_skip(source, first.size - 7);
        size_t place = first.size - 7;
        for (unsigned i = 0; i < 100; i++) {
            assert_int_equal(source_window(source, 100000, false, &window, &is_end, NULL), 0);
            assert_memory_equal(window.data, file.data + place, window.size);
            assert_memory_equal(first.data, file.data, first.size); /* still */
            if (window.size < 100000)
                break; /* no room any more: it says so instead of moving */
            source_skip(source, 90000);
            place += 90000;
        }
        assert_true(window.size < 100000);
        assert_false(is_end);
        assert_int_equal(source_window(source, 100000, true, &window, &is_end, NULL), 0);
        assert_true(window.size >= 100000);
        assert_memory_equal(window.data, file.data + place, window.size);
        source_close(source);
    }
    text_fini(&file);
}

struct writer {
    const char *path;
    struct bytes octets;
    size_t step;
};

static void *write_in_drops(void *argument)
{
    const struct writer *w = argument;
    struct file *file;
    assert_int_equal(file_open(&file, w->path, FILE_CREATE, NULL), 0);
    for (size_t at = 0; at < w->octets.size; at += w->step) {
        size_t size = w->octets.size - at < w->step ? w->octets.size - at : w->step;
        if (file_write(file, w->octets.data + at, size, NULL) < 0)
            break; /* the reader has gone */
    }
    file_close(file, NULL);
    return NULL;
}

static void a_pipe_gives_what_a_file_gives(void **state)
{
    const struct place *p = *state;
    static const char *const inputs[] = { zstd_many, gzip_text, nested_text };
    static const size_t counts[] = { 100000, 1, 1 };
    for (unsigned i = 0; i < 3; i++) {
        struct writer writer = { .path = p->path, .octets = octets_of(inputs[i]), .step = 7 };
        write_file(p->path, writer.octets.data, writer.octets.size);
        bool is_possible = is_built(p->path);
        unlink(p->path);
        assert_int_equal(mkfifo(p->path, 0600), 0);
        pthread_t thread;
        if (is_possible) {
            pthread_create(&thread, NULL, write_in_drops, &writer);
            int code;
            struct text all = drain(p->path, SOURCE_AUTO, 1, SIZE_MAX, &code, NULL);
            pthread_join(thread, NULL);
            assert_int_equal(code, 0);
            assert_texts(&all, counts[i]);
            text_fini(&all);
        }
        unlink(p->path);
        free((void *)(uintptr_t)writer.octets.data);
    }
}

static void a_source_is_closed_while_its_pipe_is_silent(void **state)
{
    const struct place *p = *state;
    unlink(p->path);
    assert_int_equal(mkfifo(p->path, 0600), 0);
    struct writer writer = { .path = p->path, .octets = octets_of(gzip_text), .step = 7 };
    /* This test holds the pipe open itself, so the end never comes. */
    FILE *held = fopen(p->path, "r+");
    assert_non_null(held);
    assert_int_equal(fwrite(writer.octets.data, 1, writer.octets.size, held), writer.octets.size);
    assert_int_equal(fflush(held), 0);
    struct source *source;
    struct err e;
    if (source_open(&source, p->path, SOURCE_AUTO, &e) == 0)
        source_close(source); /* the thread of the decompressor waits for the pipe */
    fclose(held);
    free((void *)(uintptr_t)writer.octets.data);
}

/* ---- compressed ---- */

static void every_compression_gives_the_text(void **state)
{
    const struct place *p = *state;
    for (size_t i = 0; i < COMPRESSED; i++) {
        struct bytes octets = octets_of(compressed[i].hex);
        write_file(p->path, octets.data, octets.size);
        if (is_built(p->path)) {
            struct source *source;
            int code;
            struct text all = drain(p->path, SOURCE_AUTO, 3, 5, &code, NULL);
            assert_int_equal(code, 0);
            assert_texts(&all, 1);
            text_fini(&all);
            assert_int_equal(source_open(&source, p->path, SOURCE_AUTO, NULL), 0);
            assert_string_equal(source_compression(source), compressed[i].name);
            assert_int_equal(source_stored_size(source), octets.size);
            source_close(source);
        }
        free((void *)(uintptr_t)octets.data);
    }
}

static void members_one_after_another_are_one_stream(void **state)
{
    const struct place *p = *state;
    for (size_t i = 0; i < COMPRESSED; i++) {
        struct bytes octets = octets_of(compressed[i].hex);
        struct text file = { 0 };
        for (unsigned k = 0; k < 3; k++)
            text_put(&file, (const char *)octets.data, octets.size);
        write_file(p->path, file.data, file.size);
        int code;
        struct err e;
        if (is_built(p->path)) {
            struct text all = drain(p->path, SOURCE_AUTO, 1, SIZE_MAX, &code, &e);
            assert_int_equal(code, 0);
            assert_texts(&all, 3);
            text_fini(&all);
            /* Zero octets behind the last one are padding, others are damage. */
            text_put(&file, "\0\0\0\0\0\0\0", 7);
            write_file(p->path, file.data, file.size);
            all = drain(p->path, SOURCE_AUTO, 1, SIZE_MAX, &code, &e);
            assert_int_equal(code, 0);
            assert_texts(&all, 3);
            text_fini(&all);
            text_put(&file, "behind", 6);
            write_file(p->path, file.data, file.size);
            all = drain(p->path, SOURCE_AUTO, 1, SIZE_MAX, &code, &e);
            assert_int_equal(code, WEIR_EINPUT);
            assert_non_null(strstr(e.text, "behind the end"));
            assert_texts(&all, 3);
            text_fini(&all);
        }
        text_fini(&file);
        free((void *)(uintptr_t)octets.data);
    }
}

static void compression_within_compression_is_unpacked_thrice_at_most(void **state)
{
    const struct place *p = *state;
    static const struct {
        const char *hex, *names;
    } cases[] = { { nested_text, "zstd, gzip" }, { nested_thrice, "xz, zstd, gzip" } };
    for (size_t i = 0; i < 2; i++) {
        struct bytes octets = octets_of(cases[i].hex);
        write_file(p->path, octets.data, octets.size);
        if (is_built(p->path)) {
            struct source *source;
            int code;
            struct text all = drain(p->path, SOURCE_AUTO, 1, SIZE_MAX, &code, NULL);
            assert_int_equal(code, 0);
            assert_texts(&all, 1);
            text_fini(&all);
            assert_int_equal(source_open(&source, p->path, SOURCE_AUTO, NULL), 0);
            assert_string_equal(source_compression(source), cases[i].names);
            source_close(source);
        }
        free((void *)(uintptr_t)octets.data);
    }
    struct bytes octets = octets_of(nested_deeper);
    struct source *source;
    struct err e;
    write_file(p->path, octets.data, octets.size);
    assert_int_equal(source_open(&source, p->path, SOURCE_AUTO, &e), WEIR_EINPUT);
    free((void *)(uintptr_t)octets.data);
}

static void cut_data_give_what_was_there_and_say_so(void **state)
{
    const struct place *p = *state;
    for (size_t i = 0; i < COMPRESSED; i++) {
        struct bytes octets = octets_of(compressed[i].hex);
        write_file(p->path, octets.data, octets.size);
        /* From the first octet behind the magic number on. */
        for (size_t size = is_built(p->path) ? 7 : octets.size; size < octets.size; size++) {
            int code;
            struct err e = { .text = "" };
            write_file(p->path, octets.data, size);
            struct text all = drain(p->path, SOURCE_AUTO, 1, SIZE_MAX, &code, &e);
            assert_int_equal(code, WEIR_EINPUT);
            assert_non_null(strstr(e.text, "end early"));
            assert_true(all.size <= TEXT_SIZE);
            assert_true(all.size == 0 || memcmp(all.data, TEXT, all.size) == 0);
            text_fini(&all);
        }
        free((void *)(uintptr_t)octets.data);
    }
}

static void damaged_octets_never_break_the_reader(void **state)
{
    const struct place *p = *state;
    for (size_t i = 0; i < COMPRESSED; i++) {
        struct bytes octets = octets_of(compressed[i].hex);
        write_file(p->path, octets.data, octets.size);
        uint8_t *copy = malloc(octets.size);
        for (size_t at = is_built(p->path) ? 0 : octets.size; at < octets.size; at++) {
            int code;
            struct err e = { .text = "" };
            memcpy(copy, octets.data, octets.size);
            copy[at] ^= 0xff;
            write_file(p->path, copy, octets.size);
            struct text all = drain(p->path, SOURCE_AUTO, 1, SIZE_MAX, &code, &e);
            assert_true(code == 0 || e.text[0] != '\0');
            text_fini(&all);
        }
        free(copy);
        free((void *)(uintptr_t)octets.data);
    }
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct source *source;
    struct err e;
    assert_int_equal(source_open(&source, "/nonexistent/x.pcap", SOURCE_AUTO, &e), WEIR_EINPUT);
    assert_non_null(strstr(e.text, "'/nonexistent/x.pcap'"));
    assert_int_equal(source_path_size("/nonexistent/x.pcap"), 0);
}

static void a_known_check_sum_comes_out(void **state)
{
    const struct place *p = *state;
    char sum[SHA256_TEXT_SIZE];
    write_file(p->path, "abc", 3); /* FIPS 180-2, appendix B.1 */
    assert_int_equal(digest_sha256(p->path, sum, NULL), 0);
    if (sum[0] != '\0')
        assert_string_equal(sum,
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, drop_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_the_same_mapped_and_read_in_windows_of_any_size),
        TEST(windows_stay_where_they_are_until_they_may_move),
        TEST(a_pipe_gives_what_a_file_gives),
        TEST(a_source_is_closed_while_its_pipe_is_silent),
        TEST(every_compression_gives_the_text),
        TEST(members_one_after_another_are_one_stream),
        TEST(compression_within_compression_is_unpacked_thrice_at_most),
        TEST(cut_data_give_what_was_there_and_say_so),
        TEST(damaged_octets_never_break_the_reader),
        TEST(a_missing_file_is_named),
        TEST(a_known_check_sum_comes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
