/*
 * The store on DuckDB: views over segments or batches, questions that only read, answers as record batches.
 *
 * A question is SQL written by somebody: it gets exactly one statement, of a kind that reads, in an instance that may open the
 * listed segments and nothing else, and whose settings are locked.
 */
#include <duckdb.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "query/store_inside.h"

#define MEMORY_MAX (UINT64_C(4) << 30)
/* Data pages carry no checksum that DuckDB looks at, so a flipped bit may become a wrong number. Up to so many octets all segments
 * are compared with our checksums before the first question, at 3 GB/s; beyond it when DuckDB stumbles, and by 'weir lake verify'. */
#define VERIFY_OCTETS_MAX (UINT64_C(256) << 20)

struct store {
    duckdb_database database;
    duckdb_connection connection;
    struct lake_list list;     /* of a lake */
    struct text *messages;     /* may be NULL */
    struct store_memory memory;
    struct lake_feed feed;
    bool is_memory, is_ready;  /* ready: the views are there and everything else is locked */
    struct arena arena;        /* types of answers */
};

static int fail(struct err *e, int code, const char *what, const char *reason)
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
        code = fail(e, WEIR_ESYSTEM, "store", duckdb_result_error(&result));
    duckdb_destroy_result(&result);
    return code;
}

/* ---- opening ---- */

static int open_database(struct store *s, struct err *e)
{
    struct text memory = { 0 }, temporary = { 0 };
    const char *base = getenv("TMPDIR");
    uint64_t physical = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE), limit = physical / 2;
    text_format(&memory, "%lluB", (unsigned long long)(limit < MEMORY_MAX ? limit : MEMORY_MAX));
    /* DuckDB makes the folder when it needs it and removes it. */
    text_format(&temporary, "%s/weir-query-%ld", base != NULL && base[0] == '/' ? base : "/tmp", (long)getpid());
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
        code = fail(e, WEIR_ESYSTEM, "store: cannot start DuckDB", reason);
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
        text_format(sql, " FROM read_parquet([%s], union_by_name = %s, hive_partitioning = false)", files.data,
                    all != common ? "true" : "false");
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

/* Views, then the door is shut. A memory store does this at the first question, when all records are there. */
static int make_ready(struct store *s, struct err *e)
{
    struct text sql = { 0 };
    if (s->is_ready)
        return 0;
    put_allowed(&sql, s);
    int code = run_text(s, &sql, e);
    if (code == 0 && s->is_memory) {
        s->feed = (struct lake_feed){ .type = s->memory.type, .columns = 1, .thread_max = 64, .context = &s->memory,
                                      .start = store_memory_start, .next = store_memory_next, .finish = store_memory_finish };
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
    static const char *const locks[] = { "SET enable_external_access = false", "SET lock_configuration = true" };
    for (unsigned i = 0; i < 2 && code == 0; i++)
        code = run(s, locks[i], e);
    s->is_ready = code == 0;
    return code;
}

/* Leave out segments whose data is damaged. Returns how many were; the views have to be made anew. */
static size_t leave_out_damaged(struct store *s)
{
    size_t kept = 0, before = s->list.count;
    for (size_t i = 0; i < before; i++) {
        struct err reason;
        if (lake_segment_verify(&s->list.segment[i], &reason) == 0)
            s->list.segment[kept++] = s->list.segment[i];
        else if (s->messages != NULL)
            text_format(s->messages, "lake: left out '%s': %s\n", s->list.segment[i].path, reason.text);
    }
    s->list.count = kept;
    return before - kept;
}

int store_open_lake(struct store **store, const char *path, int64_t from_ns, int64_t to_ns, struct text *messages, struct err *e)
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
        store_close(s);
        return code;
    }
    *store = s;
    return 0;
}

int store_open_memory(struct store **store, const struct record_type *type, uint64_t memory_octets, struct record_sink **sink,
                      struct err *e)
{
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_memory(e, "store", sizeof *s);
    s->is_memory = true;
    store_memory_init(&s->memory, type, memory_octets);
    int code = open_database(s, e);
    if (code < 0) {
        store_close(s);
        return code;
    }
    *sink = &s->memory.sink;
    *store = s;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    close_database(store);
    lake_list_close(&store->list);
    if (store->is_memory)
        store_memory_fini(&store->memory);
    arena_fini(&store->arena);
    free(store);
}

/* ---- what may be asked ---- */

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static const char *skip_word(const char *at, const char *word)
{
    size_t size = strlen(word);
    return strncasecmp(at, word, size) == 0 && strchr(" \t\r\n(", at[size]) != NULL ? skip_blanks(at + size) : at;
}

/* Is it the question that is wrong, for sure? Else it may be the data. */
static bool is_wording(const char *reason)
{
    static const char *const starts[] = { "Parser Error", "Binder Error", "Catalog Error", "Permission Error", "Not implemented" };
    for (size_t i = 0; reason != NULL && i < sizeof starts / sizeof *starts; i++)
        if (strncmp(reason, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* One statement of any kind. */
static int prepare_any(struct store *s, const char *sql, duckdb_prepared_statement *statement, struct err *e)
{
    duckdb_extracted_statements all = NULL;
    idx_t count = duckdb_extract_statements(s->connection, sql, &all);
    int code = 0;
    if (count == 0) {
        const char *reason = duckdb_extract_statements_error(all);
        code = reason != NULL ? fail(e, WEIR_EUSAGE, "query", reason) : err_set(e, WEIR_EUSAGE, "query: there is no statement");
    } else if (count > 1) {
        code = err_set(e, WEIR_EUSAGE, "query: one statement at a time, these are %llu", (unsigned long long)count);
    } else if (duckdb_prepare_extracted_statement(s->connection, all, 0, statement) != DuckDBSuccess) {
        const char *reason = duckdb_prepare_error(*statement);
        code = fail(e, is_wording(reason) ? WEIR_EUSAGE : WEIR_EINPUT, "query", reason);
    }
    duckdb_destroy_extracted(&all);
    return code;
}

/* EXPLAIN ANALYZE runs what it explains, so that has to be a question itself. */
static int check_explained(struct store *s, const char *sql, struct err *e)
{
    const char *start = skip_blanks(sql), *at = skip_word(start, "explain");
    if (at == start || *at == '(' || *at == '/' || *at == '-')
        return err_set(e, WEIR_EUSAGE, "query: EXPLAIN takes neither options nor comments here; write EXPLAIN SELECT ... or EXPLAIN "
                                       "ANALYZE SELECT ...");
    duckdb_prepared_statement inner = NULL;
    int code = prepare_any(s, skip_word(at, "analyze"), &inner, e);
    if (code == 0 && duckdb_prepared_statement_type(inner) != DUCKDB_STATEMENT_TYPE_SELECT)
        code = err_set(e, WEIR_EUSAGE, "query: only SELECT can be explained");
    duckdb_destroy_prepare(&inner);
    return code;
}

/* One statement that only reads. */
static int prepare(struct store *s, const char *sql, duckdb_prepared_statement *statement, struct err *e)
{
    int code = prepare_any(s, sql, statement, e);
    if (code < 0)
        return code;
    duckdb_statement_type type = duckdb_prepared_statement_type(*statement);
    if (type == DUCKDB_STATEMENT_TYPE_EXPLAIN)
        return check_explained(s, sql, e);
    if (type != DUCKDB_STATEMENT_TYPE_SELECT)
        return err_set(e, WEIR_EUSAGE, "query: this statement does more than read; SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE and "
                                       "EXPLAIN can be asked");
    return 0;
}

/* ---- the type of an answer ---- */

/* A DuckDB type whose values become ours without a change of text; T_TEXT for those to be cast. */
static enum value_type value_type_of(duckdb_type type)
{
    switch (type) {
    case DUCKDB_TYPE_UTINYINT:
        return T_U8;
    case DUCKDB_TYPE_USMALLINT:
        return T_U16;
    case DUCKDB_TYPE_UINTEGER:
        return T_U32;
    case DUCKDB_TYPE_UBIGINT:
        return T_U64;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
        return T_I64;
    case DUCKDB_TYPE_HUGEINT: /* sums, see settle_sums() */
        return T_U64;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
        return T_F64;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        return T_TIME;
    default:
        return T_TEXT;
    }
}

/* What the answer needs before it fits: NULL, or the SQL type to cast to. */
static const char *cast_for(duckdb_type type)
{
    if (type == DUCKDB_TYPE_DECIMAL)
        return "DOUBLE";
    return value_type_of(type) == T_TEXT && type != DUCKDB_TYPE_VARCHAR ? "VARCHAR" : NULL;
}

/* Name, unit and kind of value come from the dictionary when a column is called like a field and is stored like it. */
static struct column_type column_of(const char *name, duckdb_type type)
{
    struct column_type c = { .name = name, .type = value_type_of(type), .unit = U_NONE, .field = FIELD_NONE };
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (strcasecmp(fields[i].column, name) != 0)
            continue;
        bool is_number = c.type != T_TEXT && c.type != T_TIME && c.type != T_F64;
        bool is_same_size = value_size(fields[i].type) == value_size(c.type);
        bool is_kind = fields[i].type == c.type || (is_number && is_same_size && fields[i].type != T_TIME && fields[i].type != T_F64);
        if (is_kind || (c.type == T_TEXT && (fields[i].type == T_ADDRESS || fields[i].type == T_MAC)) || is_number)
            c.field = (enum field_id)i;
        if (is_kind)
            c.type = fields[i].type == T_ADDRESS || fields[i].type == T_MAC ? c.type : fields[i].type;
        if (c.field != FIELD_NONE)
            c.unit = fields[i].unit;
    }
    return c;
}

/* One question on its way. */
struct ask {
    struct store *store;
    duckdb_prepared_statement statement;
    duckdb_result result;
    bool has_result, is_fetched;
    struct record_type *type; /* with its columns in the store's arena */
    struct column_type *column;
    duckdb_type *source; /* DuckDB's type per column */
    struct record_sink *sink;
    duckdb_data_chunk *chunk; /* all of them, when the types depend on the values */
    size_t chunk_count, chunk_room;
};

static int describe(struct ask *a, struct err *e)
{
    idx_t count = duckdb_prepared_statement_column_count(a->statement);
    if (count == 0 || count > RECORD_COLUMNS_MAX)
        return err_set(e, WEIR_EUSAGE, "query: an answer has 1 to %d columns, this one %llu", RECORD_COLUMNS_MAX, (unsigned long long)count);
    struct arena *arena = &a->store->arena;
    a->type = arena_take(arena, sizeof *a->type);
    a->column = arena_take(arena, count * sizeof *a->column);
    a->source = arena_take(arena, count * sizeof *a->source);
    for (idx_t i = 0; i < count; i++) {
        const char *name = duckdb_prepared_statement_column_name(a->statement, i);
        char *kept = name != NULL ? arena_text(arena, name, strlen(name)) : NULL;
        duckdb_free((void *)(uintptr_t)name);
        if (kept == NULL || a->type == NULL || a->column == NULL || a->source == NULL)
            return err_memory(e, "query", count * sizeof *a->column);
        a->source[i] = duckdb_prepared_statement_column_type(a->statement, i);
        a->column[i] = column_of(kept, a->source[i]);
    }
    *a->type = (struct record_type){ .name = "answer", .help = "answer to a question", .column_count = (unsigned)count,
                                     .column = a->column };
    return 0;
}

/* Prepare again with casts around columns whose type we do not have (dates, lists, ...). */
static int prepare_cast(struct ask *a, const char *sql, struct err *e)
{
    bool is_needed = false;
    for (unsigned i = 0; i < a->type->column_count; i++)
        is_needed = is_needed || cast_for(a->source[i]) != NULL;
    if (!is_needed || duckdb_prepared_statement_type(a->statement) != DUCKDB_STATEMENT_TYPE_SELECT)
        return 0;
    struct text cast = { 0 };
    text_add(&cast, "SELECT ");
    for (unsigned i = 0; i < a->type->column_count; i++) {
        const char *to = cast_for(a->source[i]);
        text_format(&cast, "%s#%u%s%s AS \"", i > 0 ? ", " : "", i + 1, to ? "::" : "", to ? to : "");
        for (const char *at = a->column[i].name; *at != '\0'; at++) {
            text_char(&cast, *at);
            if (*at == '"')
                text_char(&cast, '"');
        }
        text_char(&cast, '"');
    }
    size_t size = strlen(sql);
    while (size > 0 && strchr("; \t\r\n", sql[size - 1]) != NULL)
        size--;
    text_add(&cast, " FROM (");
    text_put(&cast, sql, size);
    text_add(&cast, "\n)"); /* the statement may end in a comment */
    duckdb_destroy_prepare(&a->statement);
    int code = cast.is_bad ? err_memory(e, "query", cast.size) : prepare(a->store, cast.data, &a->statement, e);
    text_fini(&cast);
    return code == 0 ? describe(a, e) : code;
}

/* ---- values of an answer ---- */

static int64_t signed_of(duckdb_type type, const void *data, idx_t row)
{
    switch (type) {
    case DUCKDB_TYPE_TINYINT:
        return ((const int8_t *)data)[row];
    case DUCKDB_TYPE_SMALLINT:
        return ((const int16_t *)data)[row];
    case DUCKDB_TYPE_INTEGER:
        return ((const int32_t *)data)[row];
    default:
        return ((const int64_t *)data)[row];
    }
}

static double double_of_huge(duckdb_hugeint value)
{
    return (double)value.upper * 18446744073709551616.0 + (double)value.lower;
}

/* Times before 1677 and after 2262 do not fit; they become the nearest that does. */
static int64_t time_of(duckdb_type type, int64_t value)
{
    int64_t factor = type == DUCKDB_TYPE_TIMESTAMP_S ? NS_PER_S : type == DUCKDB_TYPE_TIMESTAMP_MS ? 1000000 : type == DUCKDB_TYPE_TIMESTAMP_NS ? 1 : 1000;
    int64_t ns;
    return __builtin_mul_overflow(value, factor, &ns) ? (value < 0 ? INT64_MIN : INT64_MAX) : ns;
}

/* Texts go to one block of the batch's arena. */
static int copy_texts(struct record_batch *batch, struct bytes *to, duckdb_string_t *from, const uint64_t *valid, idx_t count)
{
    size_t octets = 0;
    for (idx_t i = 0; i < count; i++)
        if (valid == NULL || (valid[i / 64] >> (i % 64) & 1))
            octets += duckdb_string_t_length(from[i]);
    char *at = arena_take(&batch->arena, octets + 1);
    for (idx_t i = 0; i < count && at != NULL; i++) {
        if (valid != NULL && (valid[i / 64] >> (i % 64) & 1) == 0)
            continue;
        size_t size = duckdb_string_t_length(from[i]);
        if (size > 0)
            memcpy(at, duckdb_string_t_data(&from[i]), size);
        to[i] = (struct bytes){ (const uint8_t *)at, size };
        at += size;
    }
    return at != NULL ? 0 : -1;
}

static void copy_values(void *to, enum value_type wanted, duckdb_type type, const void *from, idx_t count)
{
    if (type == DUCKDB_TYPE_HUGEINT) {
        const duckdb_hugeint *huge = from;
        for (idx_t i = 0; i < count; i++)
            if (wanted == T_F64)
                ((double *)to)[i] = double_of_huge(huge[i]);
            else
                ((uint64_t *)to)[i] = huge[i].lower;
    } else if (type == DUCKDB_TYPE_FLOAT) {
        for (idx_t i = 0; i < count; i++)
            ((double *)to)[i] = ((const float *)from)[i];
    } else if (wanted == T_TIME) {
        for (idx_t i = 0; i < count; i++)
            ((int64_t *)to)[i] = time_of(type, ((const int64_t *)from)[i]);
    } else if (wanted == T_I64 || wanted == T_DURATION) {
        for (idx_t i = 0; i < count; i++)
            ((int64_t *)to)[i] = signed_of(type, from, i);
    } else {
        memcpy(to, from, count * value_size(wanted));
    }
}

static int push_chunk(struct ask *a, duckdb_data_chunk chunk, struct err *e)
{
    idx_t count = duckdb_data_chunk_get_size(chunk);
    if (count == 0)
        return 0;
    struct record_batch *batch = record_batch_new(a->type, (unsigned)count);
    int code = batch != NULL ? 0 : -1;
    for (unsigned i = 0; i < a->type->column_count && code == 0; i++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
        const uint64_t *valid = duckdb_vector_get_validity(vector);
        void *from = duckdb_vector_get_data(vector), *to = record_batch_column(batch, i);
        if (to == NULL)
            code = -1;
        else if (a->column[i].type == T_TEXT)
            code = copy_texts(batch, to, from, valid, count);
        else
            copy_values(to, a->column[i].type, a->source[i], from, count);
        for (idx_t row = 0; valid != NULL && row < count && code == 0; row++)
            if ((valid[row / 64] >> (row % 64) & 1) == 0)
                code = record_batch_set_null(batch, i, (unsigned)row);
    }
    if (code != 0) {
        record_batch_unref(batch);
        return err_memory(e, "query", (size_t)count * a->type->column_count * 16);
    }
    batch->count = (unsigned)count;
    record_batch_seal(batch);
    code = a->sink->push(a->sink, batch);
    return code < 0 ? err_set(e, code, "query: the answer was not taken") : 0;
}

/* ---- sums: DuckDB adds up in 128 bits ---- */

static bool has_sums(const struct ask *a)
{
    for (unsigned i = 0; i < a->type->column_count; i++)
        if (a->source[i] == DUCKDB_TYPE_HUGEINT)
            return true;
    return false;
}

/* The narrowest of T_U64, T_I64, T_F64 that takes all values of a column. */
static enum value_type narrowest(const struct ask *a, unsigned column)
{
    bool is_negative = false, is_beyond_signed = false, is_beyond = false;
    for (size_t c = 0; c < a->chunk_count; c++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(a->chunk[c], column);
        const uint64_t *valid = duckdb_vector_get_validity(vector);
        const duckdb_hugeint *value = duckdb_vector_get_data(vector);
        idx_t count = duckdb_data_chunk_get_size(a->chunk[c]);
        for (idx_t i = 0; i < count; i++) {
            if (valid != NULL && (valid[i / 64] >> (i % 64) & 1) == 0)
                continue;
            is_negative = is_negative || value[i].upper < 0;
            is_beyond_signed = is_beyond_signed || (value[i].upper == 0 && value[i].lower > INT64_MAX);
            is_beyond = is_beyond || value[i].upper > 0 || value[i].upper < -1 || (value[i].upper == -1 && value[i].lower <= INT64_MAX);
        }
    }
    if (is_beyond || (is_negative && is_beyond_signed))
        return T_F64;
    return is_negative ? T_I64 : T_U64;
}

static void settle_sums(struct ask *a)
{
    for (unsigned i = 0; i < a->type->column_count; i++)
        if (a->source[i] == DUCKDB_TYPE_HUGEINT)
            a->column[i].type = narrowest(a, i);
}

/* ---- asking ---- */

static int execute(struct ask *a, bool is_streaming, struct err *e)
{
    duckdb_pending_result pending = NULL;
    duckdb_state state = is_streaming ? duckdb_pending_prepared_streaming(a->statement, &pending)
                                      : duckdb_pending_prepared(a->statement, &pending);
    int code = 0;
    if (state != DuckDBSuccess) {
        code = fail(e, WEIR_EINPUT, "query", duckdb_pending_error(pending));
    } else {
        a->has_result = true;
        if (duckdb_execute_pending(pending, &a->result) != DuckDBSuccess)
            code = fail(e, WEIR_EINPUT, "query", duckdb_result_error(&a->result));
    }
    duckdb_destroy_pending(&pending);
    return code;
}

/* Fetch the first chunk, or all of them. What is wrong with the data shows here. */
static int fetch(struct ask *a, bool is_all, struct err *e)
{
    while (is_all || a->chunk_count == 0) {
        duckdb_data_chunk chunk = duckdb_fetch_chunk(a->result);
        if (chunk == NULL) {
            a->is_fetched = true; /* a stream that has ended takes another fetch for an error */
            break;
        }
        if (a->chunk_count == a->chunk_room) {
            size_t room = a->chunk_room == 0 ? 16 : 2 * a->chunk_room;
            duckdb_data_chunk *more = realloc(a->chunk, room * sizeof *more);
            if (more == NULL) {
                duckdb_destroy_data_chunk(&chunk);
                return err_memory(e, "query", room * sizeof *more);
            }
            a->chunk = more;
            a->chunk_room = room;
        }
        a->chunk[a->chunk_count++] = chunk;
    }
    const char *reason = duckdb_result_error(&a->result);
    return reason != NULL && reason[0] != '\0' ? fail(e, WEIR_EINPUT, "query", reason) : 0;
}

static int push_all(struct ask *a, struct err *e)
{
    int code = 0;
    for (size_t i = 0; i < a->chunk_count && code == 0; i++)
        code = push_chunk(a, a->chunk[i], e);
    for (duckdb_data_chunk chunk; code == 0 && !a->is_fetched && (chunk = duckdb_fetch_chunk(a->result)) != NULL;) {
        code = push_chunk(a, chunk, e);
        duckdb_destroy_data_chunk(&chunk);
    }
    const char *reason = duckdb_result_error(&a->result);
    if (code == 0 && reason != NULL && reason[0] != '\0')
        code = fail(e, WEIR_EINPUT, "query", reason);
    return code;
}

static void ask_fini(struct ask *a)
{
    for (size_t i = 0; i < a->chunk_count; i++)
        duckdb_destroy_data_chunk(&a->chunk[i]);
    free(a->chunk);
    if (a->has_result)
        duckdb_destroy_result(&a->result);
    duckdb_destroy_prepare(&a->statement);
}

/* Up to the first rows of the answer. WEIR_EINPUT if damaged data may be the reason of a failure. */
static int begin(struct ask *a, const char *sql, struct err *e)
{
    int code = make_ready(a->store, e);
    if (code == 0)
        code = prepare(a->store, sql, &a->statement, e);
    if (code == 0)
        code = describe(a, e);
    if (code == 0)
        code = prepare_cast(a, sql, e);
    if (code == 0)
        code = execute(a, !has_sums(a), e);
    if (code == 0)
        code = fetch(a, has_sums(a), e);
    if (code == 0)
        settle_sums(a);
    return code;
}

int store_ask(struct store *store, const char *sql,
              struct record_sink *(*open_sink)(void *context, const struct record_type *type, struct err *e), void *context,
              struct err *e)
{
    struct ask a = { .store = store };
    bool is_open = false;
    int code = begin(&a, sql, e);
    if (code == WEIR_EINPUT && leave_out_damaged(store) > 0) {
        /* Damaged segments were the reason, and nothing was handed out yet: ask again without them. */
        ask_fini(&a);
        a = (struct ask){ .store = store };
        close_database(store);
        code = open_database(store, e);
        if (code == 0)
            code = begin(&a, sql, e);
    }
    if (code == 0) {
        a.sink = open_sink(context, a.type, e);
        is_open = a.sink != NULL;
        code = is_open ? push_all(&a, e) : e->code;
    }
    ask_fini(&a);
    if (code == WEIR_EINPUT && is_open && leave_out_damaged(store) > 0) {
        close_database(store);
        if (open_database(store, NULL) == 0)
            err_wrap(e, "damaged segments were met and are left out from now on, ask again");
    } else if (code == WEIR_EINPUT && strstr(e->text, "IO Error") == NULL) {
        code = e->code = WEIR_EUSAGE; /* the data is whole: it was the question, a cast that fails for example */
    }
    return code;
}
