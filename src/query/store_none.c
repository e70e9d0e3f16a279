/* A build without DuckDB: a store says how to get it. */
#include "query/query.h"

static int missing(struct err *e)
{
    return err_set(e, WEIR_EUSAGE,
                   "query: this build has no DuckDB; run 'tools/get-duckdb' in the source tree and "
                   "build again");
}

int store_open_lake(struct store **store, const char *path, int64_t from_ns, int64_t to_ns,
                    struct text *messages, struct err *e)
{
    (void)store;
    (void)path;
    (void)from_ns;
    (void)to_ns;
    (void)messages;
    return missing(e);
}

int store_open_memory(struct store **store, const struct record_type *type, uint64_t memory_octets,
                      struct record_sink **sink, struct err *e)
{
    (void)store;
    (void)type;
    (void)memory_octets;
    (void)sink;
    return missing(e);
}

int store_ask(struct store *store, const char *sql,
              struct record_sink *(*open_sink)(void *context, const struct record_type *type,
                                               struct err *e),
              void *context, struct err *e)
{
    (void)store;
    (void)sql;
    (void)open_sink;
    (void)context;
    return missing(e);
}

void store_close(struct store *store)
{
    (void)store;
}
