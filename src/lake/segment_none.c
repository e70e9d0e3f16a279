/* A build without DuckDB: everything that needs it says how to get it. */
#include "lake/inside.h"

bool lake_is_built_in(void)
{
    return false;
}

static int missing(struct err *e)
{
    return err_set(e, WEIR_EUSAGE,
                   "lake: this build has no DuckDB; run 'tools/get-duckdb' in the source tree and "
                   "build again");
}

const char *lake_sql_type(enum value_type type)
{
    (void)type;
    return "";
}

int lake_feed_register(void *connection, const char *name, const struct lake_feed *feed,
                       struct err *e)
{
    (void)connection;
    (void)name;
    (void)feed;
    return missing(e);
}

int segment_maker_new(struct segment_maker **maker, struct err *e)
{
    (void)maker;
    return missing(e);
}

void segment_maker_free(struct segment_maker *maker)
{
    (void)maker;
}

int segment_make(struct segment_maker *maker, const struct segment_plan *plan, uint64_t *rows,
                 struct err *e)
{
    (void)maker;
    (void)plan;
    (void)rows;
    return missing(e);
}
