/*
 * What the files of lake share. The way of a record: writer.c (queue, thread) -> hours.c (one
 * buffer per type and hour) -> segment.c (DuckDB makes Parquet of it) -> segment_file.c (checksums,
 * base/file).
 */
#ifndef WEIR_LAKE_INSIDE_H
#define WEIR_LAKE_INSIDE_H

#include "lake/lake.h"

#define SEGMENT_PART       ".part"
#define SEGMENT_SUFFIX     ".parquet"
#define CLAIM_SUFFIX       ".writing"
#define ROW_GROUP_ROWS     122880
#define SEGMENT_SUM_DIGITS 16

/* Keys of the footer metadata. */
#define KEY_SCHEMA   "weir.schema"
#define KEY_TYPE     "weir.type"
#define KEY_SOURCE   "weir.source"
#define KEY_EPOCH    "weir.epoch"
#define KEY_NUMBER   "weir.number"
#define KEY_ROWS     "weir.rows"
#define KEY_FIRST    "weir.first"
#define KEY_LAST     "weir.last"
#define KEY_SAMPLING "weir.sampling"
#define KEY_LOST     "weir.lost"
#define KEY_BODY     "weir.body"   /* checksum of all octets before the footer, 16 hex digits */
#define KEY_FOOTER   "weir.footer" /* of the footer and what follows it, with these digits as zeros \
                                    */

/* ---- checksum (footer.c): finds damage, not forgery; any change of one 64-bit word is found ----
 */

struct sum {
    uint64_t state, size;
    uint8_t rest[8];
};
void sum_init(struct sum *sum);
void sum_add(struct sum *sum, const void *from, size_t size);
uint64_t sum_end(const struct sum *sum);

/* ---- footer of a Parquet file (footer.c) ---- */

#define FOOTER_TAIL 8 /* length and "PAR1" after the footer */

/* A read footer. Values point into the octets it was read from. */
struct footer {
    uint64_t rows;
    const struct record_type *type; /* NULL if not one of ours */
    uint64_t columns;               /* bit per column of `type` (flow if NULL) that the file has */
    struct bytes source, epoch, number, meta_rows, first, last, sampling, lost, body, footer;
};
/* Read `octets` (the footer without its tail). False if it is no footer. */
bool footer_parse(struct bytes octets, struct footer *footer);
/* Put both checksums into the end of a file: `tail` begins at or before the footer, `body` covers
 * what is before the tail. False, and nothing changed, if the footer begins before the tail or has
 * no room for them. */
bool footer_seal(uint8_t *tail, size_t size, const struct sum *body);

/* ---- file that takes the octets of a segment from a pipe (segment_file.c) ---- */

struct segment_file;
/* Creates `path` and starts a thread that copies all that is written to *pipe_fd into it. The
 * caller closes *pipe_fd before the finish. */
int segment_file_open(struct segment_file **file, const char *path, enum file_mode mode,
                      int *pipe_fd, struct err *e);
/* Waits for the last octet, syncs, closes, frees. `octets` may be NULL. */
int segment_file_finish(struct segment_file *file, uint64_t *octets, struct err *e);

/* ---- Parquet by DuckDB (segment.c, in the module) ---- */

struct segment_maker;

/* One file to be made. */
struct segment_plan {
    const char *path;
    enum file_mode mode;
    const struct record_type *type;
    uint64_t columns; /* bit per column with a value in some row; the others are all NULL */
    const struct text *metadata;                 /* SQL struct with the footer metadata */
    struct record_batch *(*next)(void *context); /* lent until the next call; NULL = no more */
    void *context;
};
/* What lake_duckdb("segment_calls") gives. */
struct segment_calls {
    int (*maker_new)(struct segment_maker **maker, struct err *e);
    void (*maker_free)(struct segment_maker *maker); /* not of NULL */
    /* Takes batches until there are no more, also on failure. *rows = rows in the file. */
    int (*make)(struct segment_maker *maker, const struct segment_plan *plan, uint64_t *rows,
                struct err *e);
};
extern const struct segment_calls segment_calls;

/* ---- rows waiting for their hour (hours.c); belongs to the writer thread ---- */

#define HOURS_MAX                                                                                  \
    256 /* buffers of one writer; beyond it the one with most rows becomes a segment */

struct hour {
    const struct record_type *type;
    int64_t number; /* hours since 1970 */
    uint64_t rows, columns, octets;
    int64_t first_ns, last_ns; /* smallest start, largest end */
    uint64_t sampling_min, sampling_max;
    struct record_batch **batch; /* sealed ones, in order of arrival */
    unsigned batch_count, batch_room;
    struct record_batch *open; /* takes copied rows; NULL if none */
};
struct hours {
    struct hour *hour[HOURS_MAX];
    unsigned count;
    uint64_t octets; /* memory held by all of them */
};
/* Memory of a batch in octets, as counted against limits. */
uint64_t batch_octets(const struct record_batch *batch);
/*
 * Share out the rows of a sealed batch from *row on and move *row behind the last one done. If that
 * is before the end, no buffer is free: take one and come again. The caller keeps its reference. -1
 * without memory.
 */
int hours_add(struct hours *hours, struct record_batch *batch, unsigned *row);
/* The buffer with most octets, no longer part of `hours`; NULL if there is none. */
struct hour *hours_take_largest(struct hours *hours);
/* A buffer with `rows_max` rows or more, likewise. */
struct hour *hours_take_full(struct hours *hours, uint64_t rows_max);
/* Seal what is open: from now on hour->batch holds all rows. */
int hour_seal(struct hour *hour); /* -1 without memory */
void hour_free(struct hour *hour);

/* ---- names and folders (place.c) ---- */

#define EPOCH_DIGITS 13 /* of base 32: 64 bits */
void epoch_print(uint64_t epoch, char to[EPOCH_DIGITS + 1]);
void epoch_now(char epoch[EPOCH_DIGITS + 1]);
/* TYPE/day=YYYY-MM-DD/hour=H of hours since 1970. */
void hour_path(struct text *out, const char *lake, const char *type, int64_t hour);
/* Make this writer's epoch its own: an exclusive lock on SOURCE-EPOCH.writing in the lake. Before
 * that remove what dead writers left. *epoch is the time, moved on if it is taken. */
int claim_open(struct file **claim, struct text *path, const char *lake, const char *source,
               char epoch[EPOCH_DIGITS + 1], struct err *e);
/* Is the writer of a segment called `name` (or of its `.part`) alive? */
bool claim_is_alive(const char *lake, const char *name);
bool ends_with(const char *name, const char *end);

#endif
