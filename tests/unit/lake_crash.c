/*
 * R6: power cuts. All file operations of a writer are recorded; for a cut after any of them a
 * folder is made as a disk might show it: what was not synced is there, gone, torn at 512 octets or
 * out of order; names and folders that were not synced are there or not. Every segment acknowledged
 * before the cut must be whole, and nothing else may be taken for a segment unless it is whole,
 * too.
 *
 * WEIR_CUTS=N asks for N cuts (default 200); tests/faults-big makes 2,000.
 */
#include <assert.h>

#include "lake_help.h"

#define SECTOR     512
#define EVENTS_MAX 20000

struct event {
    enum file_call call;
    uint64_t file;
    char *path, *to;
    uint8_t *data;
    size_t size;
};

struct log {
    struct event event[EVENTS_MAX];
    size_t count;
    uint64_t random;
};

static void remember(void *context, const struct file_event *event)
{
    struct log *log = context;
    assert(log->count < EVENTS_MAX);
    struct event *e = &log->event[log->count++];
    *e = (struct event){ .call = event->call, .file = event->file, .size = event->size };
    e->path = strdup(event->path);
    e->to = event->to != NULL ? strdup(event->to) : NULL;
    if (event->size > 0) {
        e->data = malloc(event->size);
        memcpy(e->data, event->data, event->size);
    }
}

static uint64_t draw(struct log *log)
{
    log->random ^= log->random << 13;
    log->random ^= log->random >> 7;
    log->random ^= log->random << 17;
    return log->random;
}

/* ---- the disk after a cut ---- */

/* Content of open file `file` as of event `cut`: what was synced for sure, the rest by chance.
 * Caller frees. */
static uint8_t *content(struct log *log, uint64_t file, size_t cut, size_t *size)
{
    size_t synced = 0, all = 0;
    for (size_t i = 0; i < cut; i++)
        if (log->event[i].file == file && log->event[i].call == FILE_CALL_WRITE)
            all += log->event[i].size;
        else if (log->event[i].file == file && log->event[i].call == FILE_CALL_SYNC)
            synced = all;
    uint8_t *data = malloc(all + 1);
    size_t at = 0;
    for (size_t i = 0; i < cut; i++)
        if (log->event[i].file == file && log->event[i].call == FILE_CALL_WRITE) {
            memcpy(data + at, log->event[i].data, log->event[i].size);
            at += log->event[i].size;
        }
    *size = all;
    if (synced < all && draw(log) % 4 != 0) { /* dropped or torn */
        size_t sectors = (all - synced) / SECTOR + 1;
        *size = synced + draw(log) % (sectors + 1) * SECTOR;
        *size = *size < all ? *size : all;
    }
    if (draw(log) % 2) /* out of order: later sectors came, earlier ones did not */
        for (size_t sector = synced; sector < *size; sector += SECTOR)
            if (draw(log) % 3 == 0)
                memset(data + sector, 0, *size - sector < SECTOR ? *size - sector : SECTOR);
    return data;
}

static bool is_parent(const char *folder, const char *path)
{
    size_t size = strlen(folder);
    return strncmp(folder, path, size) == 0 && path[size] == '/' &&
           strchr(path + size + 1, '/') == NULL;
}

/* Was the name that event `index` made or changed made durable before the cut? */
static bool is_durable(const struct log *log, size_t index, size_t cut)
{
    const struct event *e = &log->event[index];
    const char *path = e->call == FILE_CALL_RENAME ? e->to : e->path;
    for (size_t i = index + 1; i < cut; i++)
        if (log->event[i].call == FILE_CALL_SYNC_DIR && is_parent(log->event[i].path, path))
            return true;
    return false;
}

static void moved(struct text *to, const char *path, const char *from_root, const char *to_root)
{
    assert_int_equal(strncmp(path, from_root, strlen(from_root)), 0);
    to->size = 0;
    text_format(to, "%s%s", to_root, path + strlen(from_root));
}

/* Play names and contents up to `cut` into `to_root`. */
static void replay(struct log *log, size_t cut, const char *from_root, const char *to_root)
{
    struct text path = { 0 }, to = { 0 };
    for (size_t i = 0; i < cut; i++) {
        const struct event *e = &log->event[i];
        bool is_name = e->call == FILE_CALL_OPEN || e->call == FILE_CALL_RENAME ||
                       e->call == FILE_CALL_REMOVE || e->call == FILE_CALL_MAKE_DIR;
        if (!is_name || (!is_durable(log, i, cut) && draw(log) % 2))
            continue;
        moved(&path, e->path, from_root, to_root);
        struct file *file;
        if (e->call == FILE_CALL_MAKE_DIR) {
            file_make_dirs(path.data, NULL);
        } else if (e->call == FILE_CALL_REMOVE) {
            file_remove(path.data, NULL);
        } else if (e->call == FILE_CALL_RENAME) {
            moved(&to, e->to, from_root, to_root);
            file_rename(path.data, to.data, NULL);
        } else if (file_open(&file, path.data, FILE_CREATE, NULL) == 0) {
            size_t size;
            uint8_t *data = content(log, e->file, cut, &size);
            file_write(file, data, size, NULL);
            file_close(file, NULL);
            free(data);
        }
    }
    text_fini(&path);
    text_fini(&to);
}

/* ---- what must hold ---- */

static const struct lake_segment *find(const struct lake_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->segment[i].path, path) == 0)
            return &list->segment[i];
    return NULL;
}

static uint64_t check(struct log *log, size_t cut, const char *from_root, const char *to_root)
{
    struct lake_list list;
    struct text messages = { 0 }, path = { 0 };
    uint64_t rows = 0, kept = 0;
    MUST(lake_list_open(&list, to_root, NULL, INT64_MIN, INT64_MAX, &messages, e_));
    for (size_t i = 0; i < list.count; i++) {
        MUST(lake_segment_verify(&list.segment[i], e_));
        rows += list.segment[i].rows;
    }
    for (size_t i = 0; i < cut; i++) {
        if (log->event[i].call != FILE_CALL_RENAME || !is_durable(log, i, cut))
            continue;
        moved(&path, log->event[i].to, from_root, to_root);
        kept++;
        if (find(&list, path.data) == NULL)
            fail_msg("cut %zu: '%s' was acknowledged and is gone; %s", cut, path.data,
                     messages.data ? messages.data : "");
    }
    lake_list_close(&list);
    if (cut % 16 == 0) { /* starting DuckDB is the dear part */
        struct store *store;
        char wanted[32];
        MUST(store_open_lake(&store, to_root, INT64_MIN, INT64_MAX, NULL, e_));
        snprintf(wanted, sizeof wanted, "%llu\n", (unsigned long long)rows);
        help_ask(store, "SELECT count(*) + count(bytes) - count(start) FROM flow", wanted);
        store_close(store);
        struct lake_writer *writer;
        struct lake_writer_options o = { .path = to_root, .source = "test" };
        MUST(lake_writer_new(&writer, &o, NULL, e_)); /* clears what the dead one left */
        MUST(lake_writer_close(writer, e_));
        text_fini(&messages);
        MUST(lake_list_open(&list, to_root, NULL, INT64_MIN, INT64_MAX, &messages, e_));
        lake_list_close(&list);
        if (messages.data != NULL)
            assert_null(strstr(messages.data, ".part"));
    }
    text_fini(&messages);
    text_fini(&path);
    return kept;
}

static void acknowledged_segments_survive_every_power_cut(void **state)
{
    (void)state;
    const char *wanted = getenv("WEIR_CUTS");
    unsigned cuts = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : 200;
    struct log *log = calloc(1, sizeof *log);
    log->random = 88172645463325252u;
    char folder[sizeof HELP_FOLDER], after[sizeof HELP_FOLDER];
    help_folder(folder);
    struct text lake = { 0 };
    text_format(&lake, "%s/lake", folder);
    struct file_test test = { .record = remember, .context = log };
    struct lake_writer *writer;
    struct lake_writer_options o = { .path = lake.data, .source = "test" };
    file_test_set(&test);
    MUST(lake_writer_new(&writer, &o, NULL, e_));
    for (unsigned i = 0; i < 20; i++) {
        help_push(writer,
                  HELP_NOISY_FLOWS(i % 4 == 0 ? 40000 : 100 + i, START_NS + i * 3 * HOUR_NS));
        if (i % 2)
            MUST(lake_writer_flush(writer, e_));
    }
    MUST(lake_writer_close(writer, e_));
    file_test_set(NULL);
    uint64_t kept = 0;
    for (unsigned i = 0; i < cuts; i++) {
        help_folder(after);
        size_t cut = i == 0 ? log->count : draw(log) % (log->count + 1);
        replay(log, cut, folder, after);
        struct text root = { 0 };
        text_format(&root, "%s/lake", after);
        file_make_dirs(root.data, NULL);
        struct text from = { 0 };
        text_format(&from, "%s/lake", folder);
        uint64_t here = check(log, cut, from.data, root.data);
        if (i == 0)
            assert_int_equal(here, 20); /* no cut: everything */
        kept += here;
        text_fini(&from);
        text_fini(&root);
        help_remove(after);
    }
    print_message(
        "# power cuts survived: %u, with %llu acknowledged segments, %zu file operations\n", cuts,
        (unsigned long long)kept, log->count);
    for (size_t i = 0; i < log->count; i++) {
        free(log->event[i].path);
        free(log->event[i].to);
        free(log->event[i].data);
    }
    free(log);
    text_fini(&lake);
    help_remove(folder);
}

int main(void)
{
    if (!lake_is_built_in()) {
        printf("1..0 # SKIP built without DuckDB\n");
        return 0;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        acknowledged_segments_survive_every_power_cut) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
