/*
 * Record batches to Parquet by DuckDB: a table function over batches feeds COPY, which writes into
 * a pipe.
 *
 * This way memory is constant and nothing is stored twice; an appender with a table behind it took
 * 2 GB for 10 million rows, and the same time. One thread: a second one burned twice the CPU for
 * the same rate. DuckDB is known to this file and to those of query ending in _duckdb, a module
 * that lake/module.c loads.
 */
#include <duckdb.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lake/inside.h"

_Static_assert(RECORD_COLUMNS_MAX <= 64, "a set of columns is one word");

static duckdb_type duckdb_type_of(enum value_type type)
{
    static const uint8_t types[VALUE_TYPES] = {
        [T_U8] = DUCKDB_TYPE_UTINYINT,       [T_U16] = DUCKDB_TYPE_USMALLINT,
        [T_U32] = DUCKDB_TYPE_UINTEGER,      [T_U64] = DUCKDB_TYPE_UBIGINT,
        [T_I64] = DUCKDB_TYPE_BIGINT,        [T_F64] = DUCKDB_TYPE_DOUBLE,
        [T_TIME] = DUCKDB_TYPE_TIMESTAMP_NS, [T_DURATION] = DUCKDB_TYPE_BIGINT,
        [T_ADDRESS] = DUCKDB_TYPE_VARCHAR,   [T_MAC] = DUCKDB_TYPE_VARCHAR,
        [T_TEXT] = DUCKDB_TYPE_VARCHAR,      [T_FLAGS] = DUCKDB_TYPE_USMALLINT,
        [T_PROTO] = DUCKDB_TYPE_UTINYINT,    [T_REASON] = DUCKDB_TYPE_UTINYINT,
    };
    return types[type];
}

const char *lake_sql_type(enum value_type type)
{
    switch (duckdb_type_of(type)) {
    case DUCKDB_TYPE_UTINYINT:
        return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
        return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
        return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
        return "UBIGINT";
    case DUCKDB_TYPE_BIGINT:
        return "BIGINT";
    case DUCKDB_TYPE_DOUBLE:
        return "DOUBLE";
    case DUCKDB_TYPE_TIMESTAMP_NS:
        return "TIMESTAMP_NS";
    default:
        return "VARCHAR";
    }
}

/* ---- one column of a batch into a DuckDB vector ---- */

#define INLINE_OCTETS 12 /* texts so short live in the vector itself */
#define MAC_OCTETS    17

/* What a thread of a scan keeps: the batch at hand, and texts that are longer than INLINE_OCTETS, a
 * part for each column. The vectors point there and into the batch, and DuckDB is done with them
 * when it asks for the next rows. */
struct reader {
    struct record_batch *batch; /* rows from `row` on are still to come */
    unsigned row;
    char *data;            /* RECORD_BATCH_ROWS * ADDRESS_TEXT_MAX per column that needs it */
    struct arena repaired; /* texts that were not UTF-8 */
};

static void set_text(duckdb_string_t *to, const char *from, size_t size)
{
    to->value.inlined.length = (uint32_t)size;
    if (size <= INLINE_OCTETS) {
        memset(to->value.inlined.inlined, 0, INLINE_OCTETS);
        memcpy(to->value.inlined.inlined, from, size);
    } else {
        memcpy(to->value.pointer.prefix, from, sizeof to->value.pointer.prefix);
        to->value.pointer.ptr = (char *)(uintptr_t)from; /* only read */
    }
}

static void put_addresses(duckdb_string_t *to, const struct address *from, unsigned count,
                          char *area)
{
    for (unsigned i = 0; i < count; i++) {
        size_t size = (size_t)(address_put(area, &from[i]) - area);
        set_text(&to[i], area, size);
        area += size;
    }
}

static void put_macs(duckdb_string_t *to, const struct mac *from, unsigned count, char *area)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < count; i++, area += MAC_OCTETS) {
        for (unsigned k = 0; k < 6; k++) {
            area[3 * k] = digits[from[i].octet[k] >> 4];
            area[3 * k + 1] = digits[from[i].octet[k] & 15];
            if (k < 5)
                area[3 * k + 2] = ':';
        }
        set_text(&to[i], area, MAC_OCTETS);
    }
}

static bool is_ascii(const uint8_t *at, size_t size)
{
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++)
        all |= at[i];
    return all < 0x80;
}

/* DuckDB and Parquet take VARCHAR for UTF-8 without looking; ours may come from the wire. -1
 * without memory. */
static int put_texts(duckdb_string_t *to, const struct bytes *from, const uint8_t *is_null,
                     unsigned count, struct arena *repaired)
{
    for (unsigned i = 0; i < count; i++) {
        if ((is_null != NULL && is_null[i]) || is_ascii(from[i].data, from[i].size)) {
            bool is_there = is_null == NULL || !is_null[i];
            set_text(&to[i], is_there && from[i].size > 0 ? (const char *)from[i].data : "",
                     is_there ? from[i].size : 0);
            continue;
        }
        struct text clean = { 0 };
        text_utf8(&clean, (const char *)from[i].data, from[i].size);
        char *kept = clean.is_bad ? NULL : arena_text(repaired, clean.data, clean.size);
        if (kept != NULL)
            set_text(&to[i], kept, clean.size);
        text_fini(&clean);
        if (kept == NULL)
            return -1;
    }
    return 0;
}

/* `is_null` of `count` rows to a validity mask; 64 rows at once while none is null. */
static void put_gaps(duckdb_vector vector, const uint8_t *is_null, unsigned count)
{
    duckdb_vector_ensure_validity_writable(vector);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    for (unsigned i = 0; i < count; i += 64) {
        uint64_t word = 0;
        for (unsigned k = i; k < count && k < i + 64; k++)
            word |= (uint64_t)(is_null[k] == 0) << (k & 63);
        validity[i / 64] = word;
    }
}

/* Rows of a batch that go into a chunk. */
struct rows {
    const struct record_batch *batch;
    unsigned first, count;
};

static int put_column(duckdb_vector vector, const struct rows *rows, unsigned index, char *area,
                      struct arena *repaired)
{
    const struct column *column = &rows->batch->column[index];
    enum value_type type = rows->batch->type->column[index].type;
    if (column->data == NULL) {
        duckdb_value nothing = duckdb_create_null_value();
        duckdb_vector_reference_value(vector, nothing);
        duckdb_destroy_value(&nothing);
        return 0;
    }
    const uint8_t *from = (const uint8_t *)column->data + rows->first * value_size(type);
    const uint8_t *is_null = column->is_null != NULL ? column->is_null + rows->first : NULL;
    void *to = duckdb_vector_get_data(vector);
    if (is_null != NULL)
        put_gaps(vector, is_null, rows->count);
    if (type == T_ADDRESS)
        put_addresses(to, (const struct address *)(const void *)from, rows->count, area);
    else if (type == T_MAC)
        put_macs(to, (const struct mac *)(const void *)from, rows->count, area);
    else if (type == T_TEXT)
        return put_texts(to, (const struct bytes *)(const void *)from, is_null, rows->count,
                         repaired);
    else
        memcpy(to, from, rows->count * value_size(type));
    return 0;
}

/* ---- the table function ---- */

/* One scan of a feed: which columns DuckDB wants. */
struct scan {
    const struct lake_feed *feed;
    void *source; /* from feed->start */
    unsigned count;
    unsigned wanted[RECORD_COLUMNS_MAX]; /* column of the type, per column of the chunk */
};

static void feed_bind(duckdb_bind_info info)
{
    const struct lake_feed *feed = duckdb_bind_get_extra_info(info);
    for (unsigned i = 0; i < feed->type->column_count; i++) {
        if ((feed->columns >> i & 1) == 0)
            continue;
        duckdb_logical_type type =
            duckdb_create_logical_type(duckdb_type_of(feed->type->column[i].type));
        duckdb_bind_add_result_column(info, feed->type->column[i].name, type);
        duckdb_destroy_logical_type(&type);
    }
}

static void scan_free(void *data)
{
    struct scan *scan = data;
    if (scan->source != NULL && scan->feed->finish != NULL)
        scan->feed->finish(scan->source);
    free(scan);
}

static void feed_init(duckdb_init_info info)
{
    const struct lake_feed *feed = duckdb_init_get_extra_info(info);
    unsigned column_of[RECORD_COLUMNS_MAX], column_count = 0;
    for (unsigned i = 0; i < feed->type->column_count; i++)
        if (feed->columns >> i & 1)
            column_of[column_count++] = i;
    struct scan *scan = calloc(1, sizeof *scan);
    if (scan == NULL || (scan->source = feed->start(feed->context)) == NULL) {
        free(scan);
        duckdb_init_set_error(info, "no memory to read records");
        return;
    }
    scan->feed = feed;
    idx_t count = duckdb_init_get_column_count(info);
    for (idx_t i = 0; i < count && i < RECORD_COLUMNS_MAX; i++) {
        idx_t column = duckdb_init_get_column_index(info, i);
        /* Numbers beyond ours are pseudo columns: count(*) asks for one and looks at none. */
        scan->wanted[scan->count++] =
            column < column_count ? column_of[column] : RECORD_COLUMNS_MAX;
    }
    duckdb_init_set_max_threads(info, feed->thread_max);
    duckdb_init_set_init_data(info, scan, scan_free);
}

static void reader_free(void *data)
{
    struct reader *reader = data;
    arena_fini(&reader->repaired);
    free(reader->data);
    free(reader);
}

static void feed_local_init(duckdb_init_info info)
{
    const struct lake_feed *feed = duckdb_init_get_extra_info(info);
    struct reader *reader = calloc(1, sizeof *reader);
    size_t columns = 0;
    for (unsigned i = 0; i < feed->type->column_count; i++)
        columns += feed->type->column[i].type == T_ADDRESS || feed->type->column[i].type == T_MAC;
    if (reader != NULL)
        reader->data = malloc((columns + 1) * RECORD_BATCH_ROWS * ADDRESS_TEXT_MAX);
    if (reader == NULL || reader->data == NULL) {
        free(reader);
        duckdb_init_set_error(info, "no memory for texts of records");
        return;
    }
    duckdb_init_set_init_data(info, reader, reader_free);
}

/* The next rows, as many as fit a chunk. */
static struct rows reader_next(struct reader *reader, const struct scan *scan)
{
    while (reader->batch == NULL || reader->row == reader->batch->count) {
        reader->batch = scan->feed->next(scan->source);
        reader->row = 0;
        if (reader->batch == NULL)
            return (struct rows){ 0 };
    }
    unsigned left = reader->batch->count - reader->row;
    struct rows rows = { reader->batch, reader->row,
                         left < RECORD_BATCH_ROWS ? left : RECORD_BATCH_ROWS };
    reader->row += rows.count;
    return rows;
}

static void feed_rows(duckdb_function_info info, duckdb_data_chunk chunk)
{
    struct scan *scan = duckdb_function_get_init_data(info);
    struct reader *reader = duckdb_function_get_local_init_data(info);
    assert(duckdb_vector_size() >= RECORD_BATCH_ROWS);
    arena_fini(&reader->repaired);
    struct rows rows = reader_next(reader, scan);
    char *at = reader->data;
    for (unsigned i = 0; i < scan->count && rows.count > 0; i++) {
        unsigned column = scan->wanted[i];
        if (column == RECORD_COLUMNS_MAX)
            continue;
        if (put_column(duckdb_data_chunk_get_vector(chunk, i), &rows, column, at,
                       &reader->repaired) != 0)
            duckdb_function_set_error(info, "no memory for texts of records");
        enum value_type type = scan->feed->type->column[column].type;
        if (type == T_ADDRESS || type == T_MAC)
            at += RECORD_BATCH_ROWS * ADDRESS_TEXT_MAX;
    }
    duckdb_data_chunk_set_size(chunk, rows.count);
}

int lake_feed_register(void *connection, const char *name, const struct lake_feed *feed,
                       struct err *e)
{
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_table_function_set_name(function, name);
    duckdb_table_function_set_extra_info(function, (void *)(uintptr_t)feed, NULL);
    duckdb_table_function_set_bind(function, feed_bind);
    duckdb_table_function_set_init(function, feed_init);
    duckdb_table_function_set_local_init(function, feed_local_init);
    duckdb_table_function_set_function(function, feed_rows);
    duckdb_table_function_supports_projection_pushdown(function, true);
    duckdb_state state = duckdb_register_table_function(connection, function);
    duckdb_destroy_table_function(&function);
    return state == DuckDBSuccess
               ? 0
               : err_set(e, WEIR_ESYSTEM, "DuckDB did not take table '%s'", name);
}

/* ---- COPY ---- */

struct segment_maker {
    duckdb_database database;
    duckdb_connection connection;
    struct lake_feed feed; /* of the COPY at hand */
};

static void *same(void *context)
{
    return context;
}

static void maker_free(struct segment_maker *maker)
{
    duckdb_disconnect(&maker->connection);
    duckdb_close(&maker->database);
    free(maker);
}

static int maker_new(struct segment_maker **maker, struct err *e)
{
    static const char *const settings[][2] = {
        { "threads", "1" },
        { "memory_limit", "1GiB" },
        { "temp_directory", "" },
        { "autoinstall_known_extensions", "false" },
        { "autoload_known_extensions", "false" },
    };
    struct segment_maker *m = calloc(1, sizeof *m);
    duckdb_config config = NULL;
    if (m == NULL || duckdb_create_config(&config) != DuckDBSuccess) {
        free(m);
        return err_memory(e, "lake", sizeof *m);
    }
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        duckdb_set_config(config, settings[i][0], settings[i][1]);
    char *reason = NULL;
    duckdb_state state = duckdb_open_ext(NULL, &m->database, config, &reason);
    duckdb_destroy_config(&config);
    if (state != DuckDBSuccess) {
        int code = err_set(e, WEIR_ESYSTEM, "lake: cannot start DuckDB: %s",
                           reason ? reason : "unknown reason");
        duckdb_free(reason);
        free(m);
        return code;
    }
    int code = 0;
    if (duckdb_connect(m->database, &m->connection) != DuckDBSuccess)
        code = err_set(e, WEIR_ESYSTEM, "lake: cannot connect to DuckDB");
    m->feed = (struct lake_feed){ .thread_max = 1, .start = same };
    if (code == 0)
        code = lake_feed_register(m->connection, "feed", &m->feed, e);
    if (code < 0) {
        maker_free(m);
        return code;
    }
    *maker = m;
    return 0;
}

/* All columns of the type in its order; those without a value become NULLs of their type. */
static void put_copy(struct text *sql, const struct segment_plan *plan, int pipe_fd)
{
    text_add(sql, "COPY (SELECT ");
    for (unsigned i = 0; i < plan->type->column_count; i++) {
        const struct column_type *c = &plan->type->column[i];
        if (plan->columns >> i & 1)
            text_format(sql, "%s\"%s\"", i ? ", " : "", c->name);
        else
            text_format(sql, "%sNULL::%s AS \"%s\"", i ? ", " : "", lake_sql_type(c->type),
                        c->name);
    }
    text_format(sql,
                " FROM feed()) TO '/proc/self/fd/%d' (FORMAT parquet, COMPRESSION zstd, "
                "PARQUET_VERSION v2, "
                "ROW_GROUP_SIZE %d, USE_TMP_FILE false, KV_METADATA %s)",
                pipe_fd, ROW_GROUP_ROWS, plan->metadata->data);
}

static int copy(struct segment_maker *maker, const struct segment_plan *plan, int pipe_fd,
                uint64_t *rows, struct err *e)
{
    maker->feed.type = plan->type;
    maker->feed.columns = plan->columns;
    maker->feed.context = plan->context;
    maker->feed.next = plan->next;
    struct text sql = { 0 };
    put_copy(&sql, plan, pipe_fd);
    int code = 0;
    duckdb_result result;
    if (sql.is_bad) {
        code = err_memory(e, "lake", sql.room);
    } else {
        if (duckdb_query(maker->connection, sql.data, &result) != DuckDBSuccess)
            code = err_set(e, WEIR_EOUTPUT, "DuckDB cannot write '%s': %s", plan->path,
                           duckdb_result_error(&result));
        else
            *rows = duckdb_rows_changed(&result);
        duckdb_destroy_result(&result);
    }
    text_fini(&sql);
    return code;
}

static int make(struct segment_maker *maker, const struct segment_plan *plan, uint64_t *rows,
                struct err *e)
{
    struct segment_file *file;
    int pipe_fd;
    *rows = 0;
    int code = segment_file_open(&file, plan->path, plan->mode, &pipe_fd, e);
    if (code == 0) {
        struct err writing;
        code = copy(maker, plan, pipe_fd, rows, e);
        close(pipe_fd);
        /* When both failed, the file knows the cause. */
        int file_code = segment_file_finish(file, NULL, &writing);
        if (file_code < 0) {
            code = file_code;
            if (e != NULL)
                *e = writing;
        }
    }
    while (plan->next(plan->context) != NULL) /* what a failure left */
        ;
    return code;
}

const struct segment_calls segment_calls = { maker_new, maker_free, make };
