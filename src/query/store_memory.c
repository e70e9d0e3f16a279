/* A store fed by batches, see store_inside.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "query/store_inside.h"

static uint64_t octets_of(const struct record_batch *batch)
{
    uint64_t octets = sizeof *batch + batch->arena.octets;
    for (unsigned i = 0; i < batch->type->column_count; i++)
        if (batch->column[i].data != NULL)
            octets += batch->capacity * (value_size(batch->type->column[i].type) +
                                         (batch->column[i].is_null != NULL));
    return octets;
}

static void drop_batches(struct store_memory *m)
{
    for (size_t i = 0; i < m->count; i++)
        record_batch_unref(m->batch[i]);
    m->count = 0;
    m->octets = 0;
}

void store_memory_path(const struct store_memory *m, unsigned index, struct text *path)
{
    text_format(path, "%s/%u.parquet", m->folder, index);
}

static int make_folder(struct store_memory *m, struct err *e)
{
    const char *base = getenv("TMPDIR");
    struct text path = { 0 };
    text_format(&path, "%s/weir-XXXXXX", base != NULL && base[0] == '/' ? base : "/tmp");
    if (path.is_bad || mkdtemp(path.data) == NULL) {
        int code = err_set(e, WEIR_EOUTPUT,
                           "cannot make a temporary folder '%s': %s; set TMPDIR to one with room",
                           path.data ? path.data : "", strerror(errno));
        text_fini(&path);
        return code;
    }
    m->folder = path.data;
    return 0;
}

/* Write what is in memory to the next file and forget it. */
static int spill(struct store_memory *m, struct err *e)
{
    struct text path = { 0 };
    struct lake_writer *writer = NULL;
    int code = m->folder != NULL ? 0 : make_folder(m, e);
    if (code == 0) {
        store_memory_path(m, m->spilled, &path);
        code = path.is_bad ? err_memory(e, "store", path.size)
                           : lake_file_new(&writer, path.data, m->type, NULL, e);
    }
    if (code == 0) {
        struct record_sink *sink = lake_writer_sink(writer, m->type);
        for (size_t i = 0; i < m->count && code == 0; i++)
            code = sink->push(sink, record_batch_ref(m->batch[i]));
        int close_code = lake_writer_close(writer, e);
        code = close_code < 0 ? close_code : code;
    }
    if (code == 0) {
        m->spilled++;
        drop_batches(m);
    } else {
        err_wrap(e, "store");
    }
    text_fini(&path);
    return code;
}

static int memory_push(struct record_sink *self, struct record_batch *batch)
{
    struct store_memory *m = (struct store_memory *)self;
    if (m->code == 0 && m->octets >= m->octets_max)
        m->code = spill(m, &m->error);
    if (m->code == 0 && m->count == m->room) {
        size_t room = m->room == 0 ? 64 : 2 * m->room;
        struct record_batch **more = realloc(m->batch, room * sizeof *more);
        if (more == NULL) {
            m->code = err_memory(&m->error, "store", room * sizeof *more);
        } else {
            m->batch = more;
            m->room = room;
        }
    }
    if (m->code < 0) {
        record_batch_unref(batch);
        return m->code;
    }
    m->batch[m->count++] = batch;
    m->octets += octets_of(batch);
    return 0;
}

void store_memory_init(struct store_memory *m, const struct record_type *type, uint64_t octets_max)
{
    *m = (struct store_memory){ .sink.push = memory_push, .type = type, .octets_max = octets_max };
}

void store_memory_fini(struct store_memory *m)
{
    drop_batches(m);
    free(m->batch);
    for (unsigned i = 0; i < m->spilled; i++) {
        struct text path = { 0 };
        store_memory_path(m, i, &path);
        if (!path.is_bad)
            file_remove(path.data, NULL);
        text_fini(&path);
    }
    if (m->folder != NULL)
        rmdir(m->folder);
    free(m->folder);
}

/* ---- scans ---- */

struct memory_scan {
    const struct store_memory *memory;
    size_t next; /* atomically */
};

void *store_memory_start(void *memory)
{
    struct memory_scan *scan = malloc(sizeof *scan);
    if (scan != NULL)
        *scan = (struct memory_scan){ .memory = memory };
    return scan;
}

struct record_batch *store_memory_next(void *context)
{
    struct memory_scan *scan = context;
    size_t index = __atomic_fetch_add(&scan->next, 1, __ATOMIC_RELAXED);
    return index < scan->memory->count ? scan->memory->batch[index] : NULL;
}

void store_memory_finish(void *scan)
{
    free(scan);
}
