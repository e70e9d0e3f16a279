/* What the files of the store share: how it is reached (store.c), batches in memory
 * (store_memory.c) and DuckDB (store_duckdb.c). The last two are in the module. */
#ifndef WEIR_QUERY_STORE_INSIDE_H
#define WEIR_QUERY_STORE_INSIDE_H

#include <pthread.h>

#include "query/query.h"

/* What lake_duckdb("store_calls") gives: the calls of query.h. */
struct store_calls {
    int (*open_lake)(struct store **store, const char *path, int64_t from_ns, int64_t to_ns,
                     struct text *messages, struct err *e);
    int (*open_memory)(struct store **store, const struct record_type *type, uint64_t memory_octets,
                       struct record_sink **sink, struct err *e);
    int (*ask)(struct store *store, const char *sql, record_sink_open open_sink, void *context,
               struct err *e);
    void (*close)(struct store *store); /* not of NULL */
};
extern const struct store_calls store_calls;

/*
 * Batches pushed by a meter. Beyond its memory they go to Parquet files in a folder of our own,
 * which lives as long as the store. Pushing and asking do not overlap.
 */
struct store_memory {
    struct record_sink sink; /* first: what store_open_memory hands out */
    const struct record_type *type;
    uint64_t octets_max, octets;
    struct record_batch **batch;
    size_t count, room;
    char *folder; /* of spilled files, NULL if none */
    unsigned spilled;
    int code; /* why a push failed */
    struct err error;
};
void store_memory_init(struct store_memory *m, const struct record_type *type, uint64_t octets_max);
void store_memory_fini(struct store_memory *m);
/* For struct lake_feed: scans of any number of threads. */
void *store_memory_start(void *memory);
struct record_batch *store_memory_next(void *scan);
void store_memory_finish(void *scan);
/* Address functions for SQL, see functions_duckdb.c; `connection` is a duckdb_connection. */
int store_functions_register(void *connection, struct err *e);
/* Path of spilled file `index`. */
void store_memory_path(const struct store_memory *m, unsigned index, struct text *path);

#endif
