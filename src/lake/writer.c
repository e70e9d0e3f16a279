/*
 * Writer of a lake: any thread pushes batches into a queue; one thread shares them out by hour and
 * makes segments.
 *
 * A failure costs the rows of one segment: they are counted, `.part` is removed, and the next
 * segment is tried as if nothing had happened, so a disk that has room again is used again.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lake/inside.h"

#define ROWS_MAX      1000000
#define MEMORY_OCTETS (UINT64_C(256) << 20)
#define SINKS_MAX     16

struct lake_sink {
    struct record_sink sink;
    struct lake_writer *writer;
    const struct record_type *type;
    uint64_t lost; /* rows of this type, so far */
};

struct lake_writer {
    char *path;
    bool is_file; /* one Parquet file at `path`, else a lake */
    char source[LAKE_SOURCE_MAX + 1], epoch[EPOCH_DIGITS + 1];
    uint64_t rows_max, memory_octets;
    struct ledger *ledger;
    const struct segment_calls *duckdb;
    struct segment_maker *maker;
    struct file *claim;
    struct text claim_path;
    struct lake_sink sink[SINKS_MAX];
    unsigned sink_count;
    pthread_t thread;

    pthread_mutex_t lock; /* for what follows, up to the next blank line */
    pthread_cond_t work, done;
    struct record_batch **queue;
    size_t queue_count, queue_room;
    uint64_t octets; /* of batches in the queue and in the hours */
    uint64_t flush_asked, flush_done;
    bool is_closing;
    int code; /* first failure since the last flush */
    struct err error;
    uint64_t out, disk_full, output_failed; /* rows so far */

    /* the thread's own */
    struct hours hours;
    uint64_t number;
};

/* Under the lock. */
static struct lake_sink *sink_of(struct lake_writer *w, const struct record_type *type)
{
    for (unsigned i = 0; i < w->sink_count; i++)
        if (w->sink[i].type == type)
            return &w->sink[i];
    return NULL;
}

/* ---- failures ---- */

static void note_lost(struct lake_writer *w, const struct record_type *type, uint64_t rows,
                      const struct err *e)
{
    bool is_full = e->system == ENOSPC || e->system == EDQUOT;
    pthread_mutex_lock(&w->lock);
    *(is_full ? &w->disk_full : &w->output_failed) += rows;
    sink_of(w, type)->lost += rows;
    if (w->code == 0) {
        w->code = e->code;
        w->error = *e;
    }
    pthread_mutex_unlock(&w->lock);
}

static void note_written(struct lake_writer *w, uint64_t rows)
{
    pthread_mutex_lock(&w->lock);
    w->out += rows;
    pthread_mutex_unlock(&w->lock);
}

static void give_back(struct lake_writer *w, uint64_t octets)
{
    pthread_mutex_lock(&w->lock);
    w->octets -= octets < w->octets ? octets : w->octets;
    pthread_cond_broadcast(&w->done);
    pthread_mutex_unlock(&w->lock);
}

/* ---- one segment ---- */

struct hour_reader {
    struct lake_writer *writer;
    struct hour *hour;
    unsigned next;
};

static struct record_batch *hour_next(void *context)
{
    struct hour_reader *r = context;
    if (r->next > 0 && r->hour->batch[r->next - 1] != NULL) {
        struct record_batch **done = &r->hour->batch[r->next - 1];
        uint64_t octets = batch_octets(*done);
        record_batch_unref(*done);
        *done = NULL;
        r->hour->octets -= octets;
        give_back(r->writer, octets);
    }
    return r->next < r->hour->batch_count ? r->hour->batch[r->next++] : NULL;
}

static void put_pair(struct text *sql, const char *key, const char *value)
{
    text_add(sql, sql->size > 0 ? ", " : "{");
    text_sql(sql, key, strlen(key));
    text_add(sql, ": ");
    text_sql(sql, value, strlen(value));
}

static void put_number(struct text *sql, const char *key, int64_t value)
{
    struct text number = { 0 };
    text_i64(&number, value);
    put_pair(sql, key, number.is_bad ? "" : number.data);
    text_fini(&number);
}

static void put_identity(struct text *sql, const struct lake_writer *w,
                         const struct record_type *type)
{
    static const char zeros[] = "0000000000000000"; /* until the end is known, see footer_seal() */
    _Static_assert(sizeof zeros == SEGMENT_SUM_DIGITS + 1, "as many as there are digits");
    put_number(sql, KEY_SCHEMA, LAKE_SCHEMA_VERSION);
    put_pair(sql, KEY_TYPE, type->name);
    put_pair(sql, KEY_SOURCE, w->source);
    put_pair(sql, KEY_EPOCH, w->epoch);
    put_pair(sql, KEY_BODY, zeros);
    put_pair(sql, KEY_FOOTER, zeros);
}

static void put_metadata(struct text *sql, struct lake_writer *w, const struct hour *h,
                         uint64_t number)
{
    put_identity(sql, w, h->type);
    put_number(sql, KEY_NUMBER, (int64_t)number);
    put_number(sql, KEY_ROWS, (int64_t)h->rows);
    put_number(sql, KEY_FIRST, h->first_ns);
    put_number(sql, KEY_LAST, h->last_ns);
    put_number(sql, KEY_SAMPLING,
               h->sampling_min == h->sampling_max ? (int64_t)h->sampling_min : 0);
    pthread_mutex_lock(&w->lock);
    uint64_t lost = sink_of(w, h->type)->lost;
    pthread_mutex_unlock(&w->lock);
    put_number(sql, KEY_LOST, (int64_t)lost);
    text_char(sql, '}');
}

/* Make `part`, give it its name. *is_kept: the segment is there in spite of a failure, because it
 * could not be removed. */
static int publish(struct lake_writer *w, const struct segment_plan *plan, uint64_t wanted,
                   const char *folder, const char *name, bool *is_kept, struct err *e)
{
    uint64_t rows;
    *is_kept = false;
    int code = w->duckdb->make(w->maker, plan, &rows, e);
    if (code == 0 && rows != wanted)
        code = err_set(e, WEIR_EOUTPUT, "'%s' got %llu of %llu rows", plan->path,
                       (unsigned long long)rows, (unsigned long long)wanted);
    if (code == 0)
        code = file_rename(plan->path, name, e);
    if (code < 0) {
        file_remove(plan->path, NULL);
        return code;
    }
    code = file_sync_dir(folder, e);
    if (code < 0)
        *is_kept = file_remove(name, NULL) < 0;
    return code;
}

/* Write the rows of an hour, which is freed. */
static void write_hour(struct lake_writer *w, struct hour *h)
{
    struct text folder = { 0 }, name = { 0 }, part = { 0 }, metadata = { 0 };
    struct hour_reader reader = { w, h, 0 };
    struct err e = { 0 };
    uint64_t number = w->number++, rows = h->rows;
    bool is_kept = false;
    int code = hour_seal(h) == 0 ? 0 : err_memory(&e, "lake", h->octets);
    hour_path(&folder, w->path, h->type->name, h->number);
    text_format(&name, "%s/%s-%s-%llu" SEGMENT_SUFFIX, folder.data ? folder.data : "", w->source,
                w->epoch, (unsigned long long)number);
    text_format(&part, "%s" SEGMENT_PART, name.data ? name.data : "");
    put_metadata(&metadata, w, h, number);
    if (code == 0 && (folder.is_bad || name.is_bad || part.is_bad || metadata.is_bad))
        code = err_memory(&e, "lake", metadata.size);
    if (code == 0)
        code = file_make_dirs(folder.data, &e);
    if (code == 0) {
        struct segment_plan plan = { .path = part.data,
                                     .mode = FILE_CREATE,
                                     .type = h->type,
                                     .columns = h->columns,
                                     .metadata = &metadata,
                                     .next = hour_next,
                                     .context = &reader };
        code = publish(w, &plan, rows, folder.data, name.data, &is_kept, &e);
    }
    if (code == 0 || is_kept)
        note_written(w, rows);
    else
        note_lost(w, h->type, rows, &e);
    give_back(w, h->octets);
    hour_free(h);
    text_fini(&folder);
    text_fini(&name);
    text_fini(&part);
    text_fini(&metadata);
}

/* ---- the thread ---- */

static void add_batch(struct lake_writer *w, struct record_batch *batch)
{
    unsigned row = 0;
    uint64_t before = w->hours.octets, octets = batch_octets(batch);
    while (row < batch->count) {
        int code = hours_add(&w->hours, batch, &row);
        pthread_mutex_lock(&w->lock);
        w->octets += w->hours.octets - before;
        pthread_mutex_unlock(&w->lock);
        if (code < 0) {
            struct err e;
            err_memory(&e, "lake", octets);
            note_lost(w, batch->type, batch->count - row, &e);
            break;
        }
        if (row < batch->count)
            write_hour(w, hours_take_largest(&w->hours));
        before = w->hours.octets;
    }
    record_batch_unref(batch);
    give_back(w, octets);
    for (struct hour *h; (h = hours_take_full(&w->hours, w->rows_max)) != NULL;)
        write_hour(w, h);
    while (w->hours.octets > w->memory_octets / 2)
        write_hour(w, hours_take_largest(&w->hours));
}

static void *run_lake(void *context)
{
    struct lake_writer *w = context;
    bool is_closing = false;
    while (!is_closing) {
        pthread_mutex_lock(&w->lock);
        while (w->queue_count == 0 && !w->is_closing && w->flush_asked == w->flush_done)
            pthread_cond_wait(&w->work, &w->lock);
        struct record_batch **batch = w->queue;
        size_t count = w->queue_count;
        uint64_t flush = w->flush_asked;
        bool is_flush = flush != w->flush_done;
        is_closing = w->is_closing;
        w->queue = NULL;
        w->queue_count = w->queue_room = 0;
        pthread_mutex_unlock(&w->lock);

        for (size_t i = 0; i < count; i++)
            add_batch(w, batch[i]);
        free(batch);
        for (struct hour *h;
             (is_flush || is_closing) && (h = hours_take_largest(&w->hours)) != NULL;)
            write_hour(w, h);
        pthread_mutex_lock(&w->lock);
        w->flush_done = flush;
        pthread_cond_broadcast(&w->done);
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* ---- the same for one file: its only segment takes the queue as it comes ---- */

struct queue_reader {
    struct lake_writer *writer;
    struct record_batch **batch, *last;
    size_t count, next;
    uint64_t rows;
};

static struct record_batch *queue_next(void *context)
{
    struct queue_reader *r = context;
    struct lake_writer *w = r->writer;
    if (r->last != NULL) {
        give_back(w, batch_octets(r->last));
        record_batch_unref(r->last);
        r->last = NULL;
    }
    if (r->next == r->count) {
        free(r->batch);
        pthread_mutex_lock(&w->lock);
        while (w->queue_count == 0 && !w->is_closing)
            pthread_cond_wait(&w->work, &w->lock);
        r->batch = w->queue;
        r->count = w->queue_count;
        r->next = 0;
        w->queue = NULL;
        w->queue_count = w->queue_room = 0;
        pthread_mutex_unlock(&w->lock);
    }
    if (r->next == r->count)
        return NULL;
    r->last = r->batch[r->next++];
    r->rows += r->last->count;
    return r->last;
}

/* A regular file appears under its name when it is complete; standard output, a pipe or a device is
 * written straight. */
static void *run_file(void *context)
{
    struct lake_writer *w = context;
    struct queue_reader reader = { .writer = w };
    struct text part = { 0 }, metadata = { 0 };
    struct err e = { 0 };
    struct stat st;
    uint64_t rows;
    bool is_straight =
        strcmp(w->path, "-") == 0 || (stat(w->path, &st) == 0 && !S_ISREG(st.st_mode));
    text_format(&part, "%s%s", w->path, is_straight ? "" : SEGMENT_PART);
    put_identity(&metadata, w, w->sink[0].type);
    text_char(&metadata, '}');
    int code = part.is_bad || metadata.is_bad ? err_memory(&e, "lake", metadata.size) : 0;
    if (code == 0) {
        struct segment_plan plan = { .path = part.data,
                                     .mode = FILE_CREATE,
                                     .type = w->sink[0].type,
                                     .columns =
                                         ~UINT64_C(0) >> (64 - w->sink[0].type->column_count),
                                     .metadata = &metadata,
                                     .next = queue_next,
                                     .context = &reader };
        code = w->duckdb->make(w->maker, &plan, &rows, &e);
    }
    if (code == 0 && !is_straight)
        code = file_rename(part.data, w->path, &e);
    if (code < 0 && !is_straight && !part.is_bad)
        file_remove(part.data, NULL);
    while (queue_next(&reader) != NULL) /* what a failure left */
        ;
    free(reader.batch);
    if (code == 0)
        note_written(w, reader.rows);
    else
        note_lost(w, w->sink[0].type, reader.rows, &e);
    text_fini(&part);
    text_fini(&metadata);
    return NULL;
}

/* ---- the caller's side ---- */

static int sink_push(struct record_sink *self, struct record_batch *batch)
{
    struct lake_sink *s = (struct lake_sink *)self;
    struct lake_writer *w = s->writer;
    assert(batch->is_sealed);
    assert(batch->type == s->type);
    uint64_t octets = batch_octets(batch);
    pthread_mutex_lock(&w->lock);
    /* One batch may pass the limit, so that a big one does not wait for ever. */
    while (w->octets >= w->memory_octets)
        pthread_cond_wait(&w->done, &w->lock);
    if (w->queue_count == w->queue_room) {
        size_t room = w->queue_room == 0 ? 64 : 2 * w->queue_room;
        struct record_batch **more = realloc(w->queue, room * sizeof *more);
        if (more == NULL) {
            pthread_mutex_unlock(&w->lock);
            record_batch_unref(batch);
            return WEIR_EMEMORY;
        }
        w->queue = more;
        w->queue_room = room;
    }
    w->queue[w->queue_count++] = batch;
    w->octets += octets;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    return 0;
}

static bool is_source(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size <= LAKE_SOURCE_MAX && name[0] != '.' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
               size;
}

static void writer_free(struct lake_writer *w)
{
    if (w == NULL)
        return;
    if (w->maker != NULL)
        w->duckdb->maker_free(w->maker);
    if (w->claim != NULL) {
        file_remove(w->claim_path.data, NULL);
        file_close(w->claim, NULL);
    }
    text_fini(&w->claim_path);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->work);
    pthread_cond_destroy(&w->done);
    free(w->queue);
    free(w->path);
    free(w);
}

static struct lake_writer *writer_new(const char *path, const char *source, struct ledger *ledger,
                                      struct err *e)
{
    struct lake_writer *w = calloc(1, sizeof *w);
    if (w == NULL || (w->path = strdup(path)) == NULL) {
        free(w);
        err_memory(e, "lake", sizeof *w);
        return NULL;
    }
    memcpy(w->source, source, strlen(source) + 1);
    w->ledger = ledger;
    w->memory_octets = MEMORY_OCTETS;
    w->rows_max = ROWS_MAX;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    pthread_cond_init(&w->done, NULL);
    w->duckdb = lake_duckdb("segment_calls", e);
    if (w->duckdb == NULL || w->duckdb->maker_new(&w->maker, e) < 0) {
        writer_free(w);
        return NULL;
    }
    return w;
}

static int writer_start(struct lake_writer **writer, struct lake_writer *w, void *(*run)(void *),
                        struct err *e)
{
    int error = pthread_create(&w->thread, NULL, run, w);
    if (error != 0) {
        writer_free(w);
        return err_set(e, WEIR_ESYSTEM, "lake: cannot start the writer's thread: %s",
                       strerror(error));
    }
    *writer = w;
    return 0;
}

int lake_writer_new(struct lake_writer **writer, const struct lake_writer_options *options,
                    struct ledger *ledger, struct err *e)
{
    if (!is_source(options->source))
        return err_set(
            e, WEIR_EUSAGE,
            "lake: '%s' is no name for a source; use up to %d letters, digits, '_', '.', '-'",
            options->source, LAKE_SOURCE_MAX);
    struct lake_writer *w = writer_new(options->path, options->source, ledger, e);
    if (w == NULL)
        return e->code;
    if (options->rows_max > 0)
        w->rows_max = options->rows_max;
    if (options->memory_octets > 0)
        w->memory_octets = options->memory_octets;
    int code = claim_open(&w->claim, &w->claim_path, w->path, w->source, w->epoch, e);
    if (code < 0) {
        writer_free(w);
        err_wrap(e, "lake");
        return code;
    }
    return writer_start(writer, w, run_lake, e);
}

int lake_file_new(struct lake_writer **writer, const char *path, const struct record_type *type,
                  struct ledger *ledger, struct err *e)
{
    struct lake_writer *w = writer_new(path, "file", ledger, e);
    if (w == NULL)
        return e->code;
    w->is_file = true;
    epoch_now(w->epoch);
    lake_writer_sink(w, type);
    return writer_start(writer, w, run_file, e);
}

struct record_sink *lake_writer_sink(struct lake_writer *w, const struct record_type *type)
{
    assert(w->is_file || record_column_find(type, "start") >= 0);
    pthread_mutex_lock(&w->lock);
    struct lake_sink *s = sink_of(w, type);
    if (s == NULL) {
        assert(w->sink_count < SINKS_MAX);
        s = &w->sink[w->sink_count++];
        *s = (struct lake_sink){ .sink.push = sink_push, .writer = w, .type = type };
    }
    pthread_mutex_unlock(&w->lock);
    return &s->sink;
}

int lake_writer_flush(struct lake_writer *w, struct err *e)
{
    if (w->is_file)
        return 0;
    pthread_mutex_lock(&w->lock);
    uint64_t mine = ++w->flush_asked;
    pthread_cond_signal(&w->work);
    while (w->flush_done < mine)
        pthread_cond_wait(&w->done, &w->lock);
    int code = w->code;
    w->code = 0;
    if (code < 0 && e != NULL)
        *e = w->error;
    pthread_mutex_unlock(&w->lock);
    if (code < 0)
        err_wrap(e, "lake");
    return code;
}

void lake_writer_count(struct lake_writer *w, struct ledger *ledger)
{
    pthread_mutex_lock(&w->lock);
    ledger->out[STAGE_output] += w->out;
    ledger_count(ledger, REASON_disk_full, w->disk_full);
    ledger_count(ledger, REASON_output_failed, w->output_failed);
    pthread_mutex_unlock(&w->lock);
}

int lake_writer_close(struct lake_writer *w, struct err *e)
{
    if (w == NULL)
        return 0;
    pthread_mutex_lock(&w->lock);
    w->is_closing = true;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    uint64_t lost = w->disk_full + w->output_failed;
    if (w->ledger != NULL)
        lake_writer_count(w, w->ledger);
    int code = w->code;
    if (code == 0 && lost > 0) /* a flush has told why */
        code = err_set(e, WEIR_EOUTPUT, "as was reported before");
    else if (code < 0 && e != NULL)
        *e = w->error;
    if (code < 0) {
        err_wrap(e, "lake: %llu of %llu records lost", (unsigned long long)lost,
                 (unsigned long long)(lost + w->out));
    }
    writer_free(w);
    return code;
}
