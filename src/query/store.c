/* A store is made by the files that know DuckDB, in a module that is loaded here. */
#include <stddef.h>

#include "query/store_inside.h"

static const struct store_calls *duckdb(struct err *e)
{
    return lake_duckdb("store_calls", e);
}

int store_open_lake(struct store **store, const char *path, int64_t from_ns, int64_t to_ns,
                    struct text *messages, struct err *e)
{
    const struct store_calls *calls = duckdb(e);
    return calls != NULL ? calls->open_lake(store, path, from_ns, to_ns, messages, e) : e->code;
}

int store_open_memory(struct store **store, const struct record_type *type, uint64_t memory_octets,
                      struct record_sink **sink, struct err *e)
{
    const struct store_calls *calls = duckdb(e);
    return calls != NULL ? calls->open_memory(store, type, memory_octets, sink, e) : e->code;
}

int store_ask(struct store *store, const char *sql, record_sink_open open_sink, void *context,
              struct err *e)
{
    return duckdb(e)->ask(store, sql, open_sink, context, e);
}

void store_close(struct store *store)
{
    if (store != NULL)
        duckdb(NULL)->close(store);
}
