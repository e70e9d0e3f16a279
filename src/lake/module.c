/*
 * The way to weir_duckdb.so, which holds the files that know DuckDB. It is loaded when the first of
 * them is needed, because 70 MB of library cost each start 12 ms (doc/decisions/0011). The dynamic
 * loader finds it by the program's rpath (meson.build), and what the module lacks in the program.
 */
#include <dlfcn.h>

#include "lake/lake.h"

bool lake_is_built_in(void)
{
    return true;
}

const void *lake_duckdb(const char *name, struct err *e)
{
    /* The handle stays open, so a further call finds the module where it is. The module itself is
     * linked to be bound at once, so that a program of another version fails here; binding all of
     * DuckDB at once takes 6 ms more. */
    void *module = dlopen("weir_duckdb.so", RTLD_LAZY);
    const void *calls = module != NULL ? dlsym(module, name) : NULL;
    if (calls == NULL)
        err_set(
            e, WEIR_ESYSTEM,
            "lake: cannot load DuckDB: %s; install weir again, or run 'tools/get-duckdb' in the "
            "source tree and build again",
            dlerror());
    return calls;
}
