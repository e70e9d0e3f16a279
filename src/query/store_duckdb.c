/*
 * The store on DuckDB: views over segments or batches, questions that only read, answers as record
 * batches.
 *
 * A question is SQL written by somebody: it gets exactly one statement, of a kind that reads, in an
 * instance that may open the listed segments and nothing else, and whose settings are locked.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "query/ask_duckdb.h"

#define MEMORY_MAX (UINT64_C(4) << 30)
/* Data pages carry no checksum that DuckDB looks at, so a flipped bit may become a wrong number. Up
 * to so many octets all segments are compared with our checksums before the first question, at 3
 * GB/s; beyond it when DuckDB stumbles, and by 'weir lake verify'. */
#define VERIFY_OCTETS_MAX (UINT64_C(256) << 20)

struct store {
    duckdb_database database;
    duckdb_connection connection;
    struct lake_list list; /* of a lake */
    struct text *messages; /* may be NULL */
    struct store_memory memory;
    struct lake_feed feed;
    bool is_memory, is_ready; /* ready: the views are there and everything else is locked */
    struct arena arena;       /* types of answers */
};

int store_fail(struct err *e, int code, const char *what, const char *reason)
{
    /* DuckDB's messages have several lines, some with a picture of the place. The first says it. */
    size_t size = reason != NULL ? strcspn(reason, "\n") : 0;
    return err_set(e, code, "%s: %.*s", what, (int)size, reason != NULL ? reason : "");
}

static int run(struct store *s, const char *sql, struct err *e)
{
    duckdb_result result;
    int code = 0;
    if (duckdb_query(s->connection, sql, &result) != DuckDBSuccess)
        code = store_fail(e, WEIR_ESYSTEM, "store", duckdb_result_error(&result));
    duckdb_destroy_result(&result);
    return code;
}

/* ---- opening ---- */

static int open_database(struct store *s, struct err *e)
{
    struct text memory = { 0 }, temporary = { 0 };
    const char *base = getenv("TMPDIR");
    uint64_t physical = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE),
             limit = physical / 2;
    text_format(&memory, "%lluB", (unsigned long long)(limit < MEMORY_MAX ? limit : MEMORY_MAX));
    /* DuckDB makes the folder when it needs it and removes it. */
    text_format(&temporary, "%s/weir-query-%ld", base != NULL && base[0] == '/' ? base : "/tmp",
                (long)getpid());
    duckdb_config config;
    if (memory.is_bad || temporary.is_bad || duckdb_create_config(&config) != DuckDBSuccess) {
        text_fini(&memory);
        text_fini(&temporary);
        return err_memory(e, "store", temporary.size);
    }
    duckdb_set_config(config, "memory_limit", memory.data);
    duckdb_set_config(config, "temp_directory", temporary.data);
    duckdb_set_config(config, "autoinstall_known_extensions", "false");
    duckdb_set_config(config, "autoload_known_extensions", "false");
    duckdb_set_config(config, "allow_community_extensions", "false");
    duckdb_set_config(config, "allow_persistent_secrets", "false");
    char *reason = NULL;
    int code = 0;
    if (duckdb_open_ext(NULL, &s->database, config, &reason) != DuckDBSuccess)
        code = store_fail(e, WEIR_ESYSTEM, "store: cannot start DuckDB", reason);
    else if (duckdb_connect(s->database, &s->connection) != DuckDBSuccess)
        code = err_set(e, WEIR_ESYSTEM, "store: cannot connect to DuckDB");
    duckdb_free(reason);
    duckdb_destroy_config(&config);
    text_fini(&memory);
    text_fini(&temporary);
    return code == 0 ? store_functions_register(s->connection, e) : code;
}

static void close_database(struct store *s)
{
    duckdb_disconnect(&s->connection);
    duckdb_close(&s->database);
    s->is_ready = false;
}

/* The columns of a type with their types, as far as `columns` has them, else NULL. */
static void put_columns(struct text *sql, const struct record_type *type, uint64_t columns)
{
    for (unsigned i = 0; i < type->column_count; i++) {
        const struct column_type *c = &type->column[i];
        text_add(sql, i > 0 ? ", " : "");
        if (columns >> i & 1)
            text_format(sql, "\"%s\"::%s AS \"%s\"", c->name, lake_sql_type(c->type), c->name);
        else
            text_format(sql, "NULL::%s AS \"%s\"", lake_sql_type(c->type), c->name);
    }
}

/* View `type->name` over the segments of that type. */
static void put_lake_view(struct text *sql, const struct store *s, const struct record_type *type)
{
    uint64_t all = 0, common = ~UINT64_C(0);
    struct text files = { 0 };
    for (size_t i = 0; i < s->list.count; i++) {
        const struct lake_segment *segment = &s->list.segment[i];
        if (segment->type != type)
            continue;
        all |= segment->columns;
        common &= segment->columns;
        text_add(&files, files.size > 0 ? ", " : "");
        text_sql(&files, segment->path, strlen(segment->path));
    }
    text_format(sql, "CREATE VIEW \"%s\" AS SELECT ", type->name);
    put_columns(sql, type, all);
    /* Finding the union of names opens every file once more, so only where they differ. */
    if (files.size > 0)
        text_format(sql, " FROM read_parquet([%s], union_by_name = %s, hive_partitioning = false)",
                    files.data, all != common ? "true" : "false");
    else
        text_add(sql, " WHERE false");
    sql->is_bad |= files.is_bad;
    text_fini(&files);
}

static void put_memory_view(struct text *sql, const struct store *s)
{
    const struct record_type *type = s->memory.type;
    text_format(sql, "CREATE VIEW \"%s\" AS SELECT ", type->name);
    put_columns(sql, type, s->feed.columns);
    text_add(sql, " FROM pushed_records()");
    for (unsigned i = 0; i < s->memory.spilled; i++) {
        struct text path = { 0 };
        store_memory_path(&s->memory, i, &path);
        text_add(sql, " UNION ALL SELECT ");
        put_columns(sql, type, ~UINT64_C(0));
        text_add(sql, " FROM read_parquet(");
        text_sql(sql, path.data, path.size);
        text_char(sql, ')');
        text_fini(&path);
    }
}

/* The files that may be opened. */
static void put_allowed(struct text *sql, const struct store *s)
{
    text_add(sql, "SET allowed_paths = [");
    for (size_t i = 0; i < s->list.count; i++) {
        text_add(sql, i > 0 ? ", " : "");
        text_sql(sql, s->list.segment[i].path, strlen(s->list.segment[i].path));
    }
    for (unsigned i = 0; i < s->memory.spilled; i++) {
        struct text path = { 0 };
        store_memory_path(&s->memory, i, &path);
        text_add(sql, i > 0 ? ", " : "");
        text_sql(sql, path.data, path.size);
        text_fini(&path);
    }
    text_char(sql, ']');
}

static int run_text(struct store *s, struct text *sql, struct err *e)
{
    int code = sql->is_bad ? err_memory(e, "store", sql->room) : run(s, sql->data, e);
    text_fini(sql);
    return code;
}

/* Views, then the door is shut. A memory store does this at the first question, when all records
 * are there. */
static int make_ready(struct store *s, struct err *e)
{
    struct text sql = { 0 };
    if (s->is_ready)
        return 0;
    put_allowed(&sql, s);
    int code = run_text(s, &sql, e);
    if (code == 0 && s->is_memory) {
        s->feed = (struct lake_feed){ .type = s->memory.type,
                                      .columns = 1,
                                      .thread_max = 64,
                                      .context = &s->memory,
                                      .start = store_memory_start,
                                      .next = store_memory_next,
                                      .finish = store_memory_finish };
        for (size_t i = 0; i < s->memory.count; i++)
            for (unsigned k = 0; k < s->memory.type->column_count; k++)
                s->feed.columns |= (uint64_t)(s->memory.batch[i]->column[k].data != NULL) << k;
        code = lake_feed_register(s->connection, "pushed_records", &s->feed, e);
        put_memory_view(&sql, s);
        if (code == 0)
            code = run_text(s, &sql, e);
    }
    for (unsigned i = 0; i < RECORD_COUNT && !s->is_memory && code == 0; i++) {
        put_lake_view(&sql, s, &record_types[i]);
        code = run_text(s, &sql, e);
    }
    static const char *const locks[] = { "SET enable_external_access = false",
                                         "SET lock_configuration = true" };
    for (unsigned i = 0; i < 2 && code == 0; i++)
        code = run(s, locks[i], e);
    s->is_ready = code == 0;
    return code;
}

/* Leave out segments whose data is damaged. Returns how many were; the views have to be made anew.
 */
static size_t leave_out_damaged(struct store *s)
{
    size_t kept = 0, before = s->list.count;
    for (size_t i = 0; i < before; i++) {
        struct err reason;
        if (lake_segment_verify(&s->list.segment[i], &reason) == 0)
            s->list.segment[kept++] = s->list.segment[i];
        else if (s->messages != NULL)
            text_format(s->messages, "lake: left out '%s': %s\n", s->list.segment[i].path,
                        reason.text);
    }
    s->list.count = kept;
    return before - kept;
}

static void close_store(struct store *store)
{
    close_database(store);
    lake_list_close(&store->list);
    if (store->is_memory)
        store_memory_fini(&store->memory);
    arena_fini(&store->arena);
    free(store);
}

static int open_lake(struct store **store, const char *path, int64_t from_ns, int64_t to_ns,
                     struct text *messages, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_memory(e, "store", sizeof *s);
    s->messages = messages;
    int code = lake_list_open(&s->list, path, NULL, from_ns, to_ns, messages, e);
    uint64_t octets = 0;
    for (size_t i = 0; i < s->list.count; i++)
        octets += s->list.segment[i].octets;
    if (code == 0 && octets <= VERIFY_OCTETS_MAX)
        leave_out_damaged(s);
    if (code == 0)
        code = open_database(s, e);
    if (code == 0)
        code = make_ready(s, e);
    if (code < 0) {
        close_store(s);
        return code;
    }
    *store = s;
    return 0;
}

static int open_memory(struct store **store, const struct record_type *type, uint64_t memory_octets,
                       struct record_sink **sink, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_memory(e, "store", sizeof *s);
    s->is_memory = true;
    store_memory_init(&s->memory, type, memory_octets);
    int code = open_database(s, e);
    if (code < 0) {
        close_store(s);
        return code;
    }
    *sink = &s->memory.sink;
    *store = s;
    return 0;
}

/* ---- what may be asked ---- */

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static const char *skip_word(const char *at, const char *word)
{
    size_t size = strlen(word);
    return strncasecmp(at, word, size) == 0 && strchr(" \t\r\n(", at[size]) != NULL
               ? skip_blanks(at + size)
               : at;
}

/* Is it the question that is wrong, for sure? Else it may be the data. */
static bool is_wording(const char *reason)
{
    static const char *const starts[] = { "Parser Error", "Binder Error", "Catalog Error",
                                          "Permission Error", "Not implemented" };
    for (size_t i = 0; reason != NULL && i < sizeof starts / sizeof *starts; i++)
        if (strncmp(reason, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* One statement of any kind. */
static int prepare_any(struct store *s, const char *sql, duckdb_prepared_statement *statement,
                       struct err *e)
{
    duckdb_extracted_statements all = NULL;
    idx_t count = duckdb_extract_statements(s->connection, sql, &all);
    int code = 0;
    if (count == 0) {
        const char *reason = duckdb_extract_statements_error(all);
        code = reason != NULL ? store_fail(e, WEIR_EUSAGE, "query", reason)
                              : err_set(e, WEIR_EUSAGE, "query: there is no statement");
    } else if (count > 1) {
        code = err_set(e, WEIR_EUSAGE, "query: one statement at a time, these are %llu",
                       (unsigned long long)count);
    } else if (duckdb_prepare_extracted_statement(s->connection, all, 0, statement) !=
               DuckDBSuccess) {
        const char *reason = duckdb_prepare_error(*statement);
        code = store_fail(e, is_wording(reason) ? WEIR_EUSAGE : WEIR_EINPUT, "query", reason);
    }
    duckdb_destroy_extracted(&all);
    return code;
}

/* EXPLAIN ANALYZE runs what it explains, so that has to be a question itself. */
static int check_explained(struct store *s, const char *sql, struct err *e)
{
    const char *start = skip_blanks(sql), *at = skip_word(start, "explain");
    if (at == start || *at == '(' || *at == '/' || *at == '-')
        return err_set(e, WEIR_EUSAGE,
                       "query: EXPLAIN takes neither options nor comments here; write EXPLAIN "
                       "SELECT ... or EXPLAIN "
                       "ANALYZE SELECT ...");
    duckdb_prepared_statement inner = NULL;
    int code = prepare_any(s, skip_word(at, "analyze"), &inner, e);
    if (code == 0 && duckdb_prepared_statement_type(inner) != DUCKDB_STATEMENT_TYPE_SELECT)
        code = err_set(e, WEIR_EUSAGE, "query: only SELECT can be explained");
    duckdb_destroy_prepare(&inner);
    return code;
}

/* One statement that only reads. */
static int prepare(struct store *s, const char *sql, duckdb_prepared_statement *statement,
                   struct err *e)
{
    int code = prepare_any(s, sql, statement, e);
    if (code < 0)
        return code;
    duckdb_statement_type type = duckdb_prepared_statement_type(*statement);
    if (type == DUCKDB_STATEMENT_TYPE_EXPLAIN)
        return check_explained(s, sql, e);
    if (type != DUCKDB_STATEMENT_TYPE_SELECT)
        return err_set(e, WEIR_EUSAGE,
                       "query: this statement does more than read; SELECT, WITH, FROM, VALUES, "
                       "DESCRIBE, SUMMARIZE and "
                       "EXPLAIN can be asked");
    return 0;
}

/* ---- asking ---- */

/* Prepare again with casts, where they are needed. */
static int prepare_cast(struct store *s, struct ask *a, const char *sql, struct err *e)
{
    if (!ask_needs_cast(a) ||
        duckdb_prepared_statement_type(a->statement) != DUCKDB_STATEMENT_TYPE_SELECT)
        return 0;
    struct text cast = { 0 };
    ask_put_cast(a, sql, &cast);
    duckdb_destroy_prepare(&a->statement);
    int code =
        cast.is_bad ? err_memory(e, "query", cast.size) : prepare(s, cast.data, &a->statement, e);
    text_fini(&cast);
    return code == 0 ? ask_describe(a, e) : code;
}

/* Up to the first rows of the answer. WEIR_EINPUT if damaged data may be the reason of a failure.
 */
static int begin(struct store *s, struct ask *a, const char *sql, struct err *e)
{
    *a = (struct ask){ .arena = &s->arena };
    int code = make_ready(s, e);
    if (code == 0)
        code = prepare(s, sql, &a->statement, e);
    if (code == 0)
        code = ask_describe(a, e);
    if (code == 0)
        code = prepare_cast(s, a, sql, e);
    return code == 0 ? ask_begin(a, e) : code;
}

static int ask(struct store *store, const char *sql, record_sink_open open_sink, void *context,
               struct err *e)
{
    struct ask a;
    bool is_open = false;
    int code = begin(store, &a, sql, e);
    if (code == WEIR_EINPUT && leave_out_damaged(store) > 0) {
        /* Damage was the reason, and nothing was handed out yet: ask again without it. */
        ask_fini(&a);
        close_database(store);
        code = open_database(store, e);
        if (code < 0)
            return code;
        code = begin(store, &a, sql, e);
    }
    if (code == 0) {
        a.sink = open_sink(context, a.type, e);
        is_open = a.sink != NULL;
        code = is_open ? ask_push(&a, e) : e->code;
    }
    ask_fini(&a);
    if (code == WEIR_EINPUT && is_open && leave_out_damaged(store) > 0) {
        close_database(store);
        if (open_database(store, NULL) == 0)
            err_wrap(e, "damaged segments were met and are left out from now on, ask again");
    } else if (code == WEIR_EINPUT && strstr(e->text, "IO Error") == NULL) {
        /* The data is whole: it was the question, a cast that fails for example. */
        code = e->code = WEIR_EUSAGE;
    }
    return code;
}

const struct store_calls store_calls = { open_lake, open_memory, ask, close_store };
