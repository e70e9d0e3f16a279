/* A build without DuckDB: everything that needs it says how to get it. */
#include "lake/lake.h"

bool lake_is_built_in(void)
{
    return false;
}

const void *lake_duckdb(const char *name, struct err *e)
{
    (void)name;
    err_set(e, WEIR_EUSAGE,
            "lake: this build has no DuckDB; run 'tools/get-duckdb' in the source tree and build "
            "again");
    return NULL;
}
