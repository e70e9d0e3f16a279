/*
 * R12: damaged segments and files that are none, one after the other in a lake. Questions about the
 * others go on, damage never crashes or hangs, and the file is named.
 *
 * WEIR_DAMAGES=N asks for N (default 200); tests/faults-big makes 5,000.
 */
#include "lake_help.h"

#define GOOD    3 /* whole segments */
#define ROWS    3000
#define AT_ONCE 10 /* damaged files beside them */

static uint64_t state_of_random = 88172645463325252u;

static uint64_t draw(void)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;
    return state_of_random;
}

static uint8_t *read_all(const char *path, size_t *size)
{
    struct file *file;
    uint64_t octets = 0;
    MUST(file_open(&file, path, FILE_READ, e_));
    assert_true(file_is_regular(file, &octets));
    uint8_t *data = malloc(octets);
    MUST(file_read_at(file, 0, data, octets, e_));
    file_close(file, NULL);
    *size = octets;
    return data;
}

static void write_all(const char *path, const uint8_t *data, size_t size)
{
    struct file *file;
    MUST(file_open(&file, path, FILE_CREATE, e_));
    MUST(file_write(file, data, size, e_));
    MUST(file_close(file, e_));
}

/* Damage of kind `kind` to a copy of `whole`; the new size is the answer. */
static size_t damage(uint8_t *data, size_t size, unsigned kind)
{
    switch (kind % 8) {
    case 0:
        return 0; /* empty */
    case 1:
        return draw() % size; /* cut */
    case 2: {                 /* bits in the footer */
        size_t footer = 8 + load_le32(data + size - 8);
        data[size - 1 - draw() % footer] ^= (uint8_t)(1u << draw() % 8);
        return size;
    }
    case 3: /* a sector of zeros */
        for (size_t at = draw() % size, i = 0; i < 512 && at + i < size; i++)
            data[at + i] = 0;
        return size;
    case 4: /* noise */
        for (size_t at = draw() % size, i = 0; i < 64 && at + i < size; i++)
            data[at + i] = (uint8_t)draw();
        return size;
    case 5: /* a lying footer length */
        data[size - 5 - draw() % 4] = (uint8_t)draw();
        return size;
    case 6: { /* Parquet of other origin: our name for the type is another */
        uint8_t *key = memmem(data, size, "weir.type", 9);
        assert_non_null(key);
        key[0] = 'x';
        return size;
    }
    default: /* one bit anywhere */
        data[draw() % size] ^= (uint8_t)(1u << draw() % 8);
        return size;
    }
}

/* Is every one of the files left out of the list and named, or damaged when read whole? */
static void are_all_seen(const char *folder, char *const *path, const bool *is_changed)
{
    struct lake_list list;
    struct text messages = { 0 };
    struct err e = { 0 };
    bool is_sound[AT_ONCE] = { 0 };
    MUST(lake_list_open(&list, folder, NULL, INT64_MIN, INT64_MAX, &messages, e_));
    for (size_t i = 0; i < list.count; i++)
        for (unsigned k = 0; k < AT_ONCE; k++)
            if (strcmp(list.segment[i].path, path[k]) == 0)
                is_sound[k] = lake_segment_verify(&list.segment[i], &e) == 0;
    for (unsigned k = 0; k < AT_ONCE; k++) {
        if (is_sound[k] && is_changed[k])
            fail_msg("damage to '%s' was not seen", path[k]);
        if (!is_sound[k] && e.text[0] == '\0' &&
            (messages.data == NULL || strstr(messages.data, path[k]) == NULL))
            fail_msg("'%s' is not named", path[k]);
    }
    lake_list_close(&list);
    text_fini(&messages);
}

/* One round: so many damaged copies beside the good segments, made before the store is opened or
 * after (`is_late`). */
static unsigned damage_round(const char *folder, char *const *path, const uint8_t *whole,
                             size_t size, unsigned round, bool is_late)
{
    struct text messages = { 0 };
    struct store *store = NULL;
    struct help_answer answer = { 0 };
    bool is_changed[AT_ONCE];
    unsigned named = 0;
    for (unsigned k = 0; k < AT_ONCE; k++)
        write_all(path[k], whole, size);
    if (is_late)
        MUST(store_open_lake(&store, folder, INT64_MIN, INT64_MAX, &messages, e_));
    for (unsigned k = 0; k < AT_ONCE; k++) {
        uint8_t *copy = malloc(size);
        memcpy(copy, whole, size);
        size_t new_size = damage(copy, size, round * AT_ONCE + k);
        is_changed[k] = new_size != size || memcmp(copy, whole, size) != 0;
        named += is_changed[k];
        write_all(path[k], copy, new_size);
        free(copy);
    }
    are_all_seen(folder, path, is_changed);
    if (!is_late)
        MUST(store_open_lake(&store, folder, INT64_MIN, INT64_MAX, &messages, e_));
    MUST(store_ask(
        store,
        "SELECT count(*) AS n, count(DISTINCT src), sum(bytes), max(start), max(\"end\") FROM flow",
        help_open_answer, &answer, e_));
    unsigned long long rows = strtoull(answer.text.data, NULL, 10);
    if (is_late) /* what was read before the damage counts */
        assert_true(rows % ROWS == 0 && rows >= GOOD * ROWS);
    else
        assert_int_equal(rows, (GOOD + AT_ONCE - named) * ROWS);
    for (unsigned k = 0; k < AT_ONCE && !is_late; k++)
        if (is_changed[k])
            assert_non_null(strstr(messages.data, path[k]));
    help_ask(store, "SELECT count(*) FROM flow WHERE start >= TIMESTAMP_NS '2023-11-14 23:00:00'",
             "9000\n");
    store_close(store);
    text_fini(&answer.text);
    text_fini(&messages);
    return named;
}

static void damaged_and_foreign_files_never_break_questions(void **state)
{
    (void)state;
    const char *wanted = getenv("WEIR_DAMAGES");
    unsigned count = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : 200, named = 0;
    char folder[sizeof HELP_FOLDER], *path[AT_ONCE];
    help_folder(folder);
    struct lake_writer *writer;
    struct lake_writer_options o = { .path = folder, .source = "test" };
    MUST(lake_writer_new(&writer, &o, NULL, e_));
    for (int i = 0; i <= GOOD; i++)
        help_push(writer, help_flows(ROWS, START_NS + i * HOUR_NS, 1));
    MUST(lake_writer_close(writer, e_));
    struct lake_list list;
    MUST(lake_list_open(&list, folder, NULL, INT64_MIN, INT64_MAX, NULL, e_));
    assert_int_equal(list.count, GOOD + 1);
    size_t size;
    uint8_t *whole = read_all(list.segment[0].path, &size);
    for (unsigned k = 0; k < AT_ONCE; k++) {
        struct text name = { 0 };
        text_format(&name, "%s/flow/day=2023-11-14/hour=22/copy-0000000000000-%u.parquet", folder,
                    k);
        path[k] = name.data;
    }
    MUST(file_remove(list.segment[0].path, e_));
    lake_list_close(&list);
    for (unsigned round = 0; round * AT_ONCE < count; round++)
        named += damage_round(folder, path, whole, size, round, round % 3 == 2);
    print_message("# damaged files survived: %u, all named\n", named);
    for (unsigned k = 0; k < AT_ONCE; k++)
        free(path[k]);
    free(whole);
    help_remove(folder);
}

static void files_that_are_no_segments_are_named(void **state)
{
    (void)state;
    char folder[sizeof HELP_FOLDER];
    help_folder(folder);
    struct lake_writer *writer;
    struct lake_writer_options o = { .path = folder, .source = "test" };
    MUST(lake_writer_new(&writer, &o, NULL, e_));
    help_push(writer, help_flows(10, START_NS, 1));
    MUST(lake_writer_close(writer, e_));
    static const char *const names[] = {
        "flow/readme.txt",
        "flow/day=2023-11-14/hour=22/dead-0000000000000-1.parquet.part",
        "flow/day=2023-11-14/hour=22/notes",
        "flow/day=2023-11-14/hour=22/.hidden.parquet",
        "flow/day=2023-99-14/x",
        "flow/day=2023-11-14/hour=25/x"
    };
    struct text path = { 0 }, messages = { 0 };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path.size = 0;
        text_format(&path, "%s/%s", folder, names[i]);
        char *slash = strrchr(path.data, '/');
        *slash = '\0';
        MUST(file_make_dirs(path.data, e_));
        *slash = '/';
        write_all(path.data, (const uint8_t *)"hello", 5);
    }
    struct store *store;
    MUST(store_open_lake(&store, folder, INT64_MIN, INT64_MAX, &messages, e_));
    help_ask(store, "SELECT count(*) FROM flow", "10\n");
    store_close(store);
    static const char *const named[] = { "readme.txt",     "dead-0000000000000-1.parquet.part",
                                         "notes",          ".hidden.parquet",
                                         "day=2023-99-14", "hour=25" };
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strstr(messages.data, named[i]) == NULL)
            fail_msg("'%s' is not named in: %s", named[i], messages.data);
    /* The next writer clears the part that a dead one left. */
    MUST(lake_writer_new(&writer, &o, NULL, e_));
    MUST(lake_writer_close(writer, e_));
    path.size = 0;
    text_format(&path, "%s/%s", folder, names[1]);
    assert_int_equal(access(path.data, F_OK), -1);
    text_fini(&path);
    text_fini(&messages);
    help_remove(folder);
}

static void two_writers_share_a_lake(void **state)
{
    (void)state;
    char folder[sizeof HELP_FOLDER];
    help_folder(folder);
    struct lake_writer *writer[3];
    struct lake_writer_options o = { .path = folder, .source = "test" };
    for (int i = 0; i < 3; i++)
        MUST(lake_writer_new(&writer[i], &o, NULL, e_));
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 3; i++) {
            help_push(writer[i], help_flows(100, START_NS, 1));
            MUST(lake_writer_flush(writer[i], e_));
        }
    for (int i = 0; i < 3; i++)
        MUST(lake_writer_close(writer[i], e_));
    struct lake_list list;
    MUST(lake_list_open(&list, folder, NULL, INT64_MIN, INT64_MAX, NULL, e_));
    assert_int_equal(list.count, 12);
    lake_list_close(&list);
    help_remove(folder);
}

/* Every shorter prefix of a whole file, each in memory of its own size, is refused without reading
 * beyond it. */
static void every_prefix_of_a_segment_is_refused(void **state)
{
    (void)state;
    char folder[sizeof HELP_FOLDER];
    help_folder(folder);
    struct text path = { 0 };
    text_format(&path, "%s/x.parquet", folder);
    struct lake_writer *writer;
    MUST(lake_file_new(&writer, path.data, &record_types[RECORD_ledger], NULL, e_));
    MUST(lake_writer_close(writer, e_));
    size_t size;
    uint8_t *whole = read_all(path.data, &size);
    for (size_t i = 0; i < size; i++) {
        write_all(path.data, whole, i);
        struct lake_list list;
        struct err e;
        assert_int_equal(lake_list_open(&list, path.data, NULL, INT64_MIN, INT64_MAX, NULL, &e),
                         WEIR_EINPUT);
    }
    free(whole);
    text_fini(&path);
    help_remove(folder);
}

int main(void)
{
    if (!lake_is_built_in()) {
        printf("1..0 # SKIP built without DuckDB\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_and_foreign_files_never_break_questions),
        cmocka_unit_test(files_that_are_no_segments_are_named),
        cmocka_unit_test(two_writers_share_a_lake),
        cmocka_unit_test(every_prefix_of_a_segment_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
