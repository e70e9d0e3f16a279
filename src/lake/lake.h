/*
 * lake: storage of records as Parquet segments in hive folders that any tool reads.
 *
 *   DIR/flow/day=2026-11-21/hour=7/SOURCE-EPOCH-NUMBER.parquet
 *   DIR/ledger/day=.../hour=.../...
 *
 * A row lies in the hour (UTC) of its start. A segment is immutable, has an identity (source,
 * epoch, number) and footer metadata (schema version, sampling, losses, checksums). Written as
 * `.part`, synced, renamed, folder synced: a reader never sees half of one. One writer thread owns
 * DuckDB.
 *
 * In the files addresses and MACs are text, times TIMESTAMP_NS (UTC), durations BIGINT nanoseconds,
 * other numbers unsigned as in the dictionary.
 */
#ifndef WEIR_LAKE_H
#define WEIR_LAKE_H

#include "ledger/ledger.h"
#include "schema/schema.h"

#define LAKE_SCHEMA_VERSION 1
#define LAKE_SOURCE_MAX     64
/* A record may end this long after its start and is still found by a question about its end. */
#define LAKE_RECORD_LONGEST_NS (24 * 3600 * NS_PER_S)

/* The default lake: the state directory of the system as root, else of the user. */
int lake_default_path(struct text *path, struct err *e);

/* Does this build have the store? If not, writing and asking fail with a message that says so. */
bool lake_is_built_in(void);

/* ---- writing ---- */

struct lake_writer;

struct lake_writer_options {
    const char *path;   /* folder of the lake, made if absent */
    const char *source; /* name of who writes: [A-Za-z0-9_.-]{1,64} */
    uint64_t rows_max;  /* rows per segment; 0 = 1,000,000 */
    uint64_t
        memory_octets; /* of batches waiting; 0 = 256 MiB. push waits when it is full (files) */
};

/*
 * Deletes `.part` files that a dead writer left, starts the thread. `ledger` is touched in
 * lake_writer_close only: then STAGE_output gets `out` (rows on the disk) and the reasons disk_full
 * and output_failed; `in` is counted by who pushes.
 */
int lake_writer_new(struct lake_writer **writer, const struct lake_writer_options *options,
                    struct ledger *ledger, struct err *e);
/* Sink for records of `type` (flow, ledger, ...), which has a column `start`. The sink belongs to
 * the writer; any thread may push. A push never fails: what could not be written is in the ledger
 * and in the answer of flush and close. */
struct record_sink *lake_writer_sink(struct lake_writer *writer, const struct record_type *type);
/* Waits until everything pushed so far is on the disk. Returns the first failure since the last
 * flush; the writer goes on. */
int lake_writer_flush(struct lake_writer *writer, struct err *e);
/* Adds the rows written and lost so far to *ledger: all that were pushed before the last flush. */
void lake_writer_count(struct lake_writer *writer, struct ledger *ledger);
/* Writes what is left, waits until it is on the disk; frees also on failure. WEIR_EOUTPUT if any
 * row was lost. */
int lake_writer_close(struct lake_writer *writer, struct err *e);

/* One Parquet file of one type, not in a lake (`-o parquet -w FILE`, "-" = standard output): the
 * same columns. */
int lake_file_new(struct lake_writer **writer, const char *path, const struct record_type *type,
                  struct ledger *ledger, struct err *e);

/* ---- segments as files; works without DuckDB ---- */

struct lake_segment {
    const char *path;
    const struct record_type *type; /* flow for a file that says nothing (only when named itself) */
    char source[LAKE_SOURCE_MAX + 1], epoch[14];
    bool is_ours; /* written by weir: has an identity and checksums */
    uint64_t number, rows, octets;
    uint64_t columns;  /* bit per column of `type` that the file has */
    uint64_t sampling; /* one packet of so many; 0 = differs from row to row */
    uint64_t lost;     /* records of this type that the writer had lost before this segment */
    int64_t first_ns, last_ns; /* smallest start, largest end */
};
struct lake_list {
    struct lake_segment *segment; /* by path */
    size_t count, room;
    struct arena arena;
};

/*
 * The whole segments of the lake in `path` that may hold records of `type` (NULL = of all) which
 * overlap [from_ns, to_ns). Checked are magic, footer, its checksum and the identity; what fails,
 * and other files, is left out and named in `messages` (may be NULL), one per line. `path` may also
 * be one Parquet file.
 */
int lake_list_open(struct lake_list *list, const char *path, const struct record_type *type,
                   int64_t from_ns, int64_t to_ns, struct text *messages, struct err *e);
void lake_list_close(struct lake_list *list);
/* Read the whole file and compare its checksums. WEIR_ENO with the reason if it is damaged. */
int lake_segment_verify(const struct lake_segment *segment, struct err *e);

/* ---- DuckDB is a module of its own, loaded when it is needed ---- */

/* Its constant `name`, a struct of calls (lake/inside.h, query/store_inside.h); valid for ever. NULL
 * if this build or this machine has no DuckDB. Any thread. The first call loads it: 12 ms. */
const void *lake_duckdb(const char *name, struct err *e);

/* ---- batches as a DuckDB table, inside the module, for query/store_duckdb.c ---- */

/* Where the rows of the table function come from. */
struct lake_feed {
    const struct record_type *type;
    uint64_t columns;    /* bit per column that the table has */
    unsigned thread_max; /* threads that may call `next` of one scan at the same time */
    void *context;
    void *(*start)(void *context); /* begin a scan; NULL without memory */
    struct record_batch *(*next)(
        void *scan); /* lent until the next call of the same thread; NULL = no more */
    void (*finish)(void *scan);
};
/* Register `feed`, which outlives the connection, as table function `name` on a duckdb_connection.
 */
int lake_feed_register(void *connection, const char *name, const struct lake_feed *feed,
                       struct err *e);
/* SQL type of a column: "UBIGINT". */
const char *lake_sql_type(enum value_type type);

#endif
