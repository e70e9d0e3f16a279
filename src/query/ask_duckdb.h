/*
 * Answers of DuckDB as record batches: types, casts for what has no type here, values.
 */
#ifndef WEIR_QUERY_ASK_DUCKDB_H
#define WEIR_QUERY_ASK_DUCKDB_H

#include <duckdb.h>

#include "query/store_inside.h"

/* An answer on its way. `arena` and `statement` are set by who asks; zero the rest. */
struct ask {
    struct arena *arena; /* the type and its columns live there */
    duckdb_prepared_statement statement;
    duckdb_result result;
    bool has_result, is_fetched;
    struct record_type *type;
    struct column_type *column;
    duckdb_type *source; /* DuckDB's type per column */
    struct record_sink *sink;
    duckdb_data_chunk *chunk; /* all of them, when the types depend on the values */
    size_t chunk_count, chunk_room;
};

/* Find the type for the statement at hand. */
int ask_describe(struct ask *a, struct err *e);
/* Are there columns whose type we do not have (dates, lists, ...)? Then the same question with
 * casts around them. */
bool ask_needs_cast(const struct ask *a);
void ask_put_cast(const struct ask *a, const char *sql, struct text *out);
/* Run it up to the first rows: what is wrong with the data shows here. The type is final
 * afterwards. */
int ask_begin(struct ask *a, struct err *e);
/* All rows to a->sink. */
int ask_push(struct ask *a, struct err *e);
/* Frees everything but the type; the statement, too. */
void ask_fini(struct ask *a);

/* The first line of DuckDB's `reason`, behind "WHAT: ". */
int store_fail(struct err *e, int code, const char *what, const char *reason);

#endif
