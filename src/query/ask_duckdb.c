/* Answers of DuckDB as record batches, see ask_duckdb.h. */
#include "query/ask_duckdb.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* Name, unit and kind of value come from the dictionary when a column is called like a field and is
 * stored like it. */
static struct column_type column_of(const char *name, duckdb_type type)
{
    struct column_type c = {
        .name = name, .type = value_type_of(type), .unit = U_NONE, .field = FIELD_NONE
    };
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (strcasecmp(fields[i].column, name) != 0)
            continue;
        bool is_number = c.type != T_TEXT && c.type != T_TIME && c.type != T_F64;
        bool is_same_size = value_size(fields[i].type) == value_size(c.type);
        bool is_kind =
            fields[i].type == c.type ||
            (is_number && is_same_size && fields[i].type != T_TIME && fields[i].type != T_F64);
        if (is_kind ||
            (c.type == T_TEXT && (fields[i].type == T_ADDRESS || fields[i].type == T_MAC)) ||
            is_number)
            c.field = (enum field_id)i;
        if (is_kind)
            c.type =
                fields[i].type == T_ADDRESS || fields[i].type == T_MAC ? c.type : fields[i].type;
        if (c.field != FIELD_NONE)
            c.unit = fields[i].unit;
    }
    return c;
}

int ask_describe(struct ask *a, struct err *e)
{
    idx_t count = duckdb_prepared_statement_column_count(a->statement);
    if (count == 0 || count > RECORD_COLUMNS_MAX)
        return err_set(e, WEIR_EUSAGE, "query: an answer has 1 to %d columns, this one %llu",
                       RECORD_COLUMNS_MAX, (unsigned long long)count);
    struct arena *arena = a->arena;
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
    *a->type = (struct record_type){ .name = "answer",
                                     .help = "answer to a question",
                                     .column_count = (unsigned)count,
                                     .column = a->column };
    return 0;
}

bool ask_needs_cast(const struct ask *a)
{
    for (unsigned i = 0; i < a->type->column_count; i++)
        if (cast_for(a->source[i]) != NULL)
            return true;
    return false;
}

void ask_put_cast(const struct ask *a, const char *sql, struct text *out)
{
    text_add(out, "SELECT ");
    for (unsigned i = 0; i < a->type->column_count; i++) {
        const char *to = cast_for(a->source[i]);
        text_format(out, "%s#%u%s%s AS \"", i > 0 ? ", " : "", i + 1, to ? "::" : "", to ? to : "");
        for (const char *at = a->column[i].name; *at != '\0'; at++) {
            text_char(out, *at);
            if (*at == '"')
                text_char(out, '"');
        }
        text_char(out, '"');
    }
    size_t size = strlen(sql);
    while (size > 0 && strchr("; \t\r\n", sql[size - 1]) != NULL)
        size--;
    text_add(out, " FROM (");
    text_put(out, sql, size);
    text_add(out, "\n)"); /* the statement may end in a comment */
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
    int64_t factor = type == DUCKDB_TYPE_TIMESTAMP_S    ? NS_PER_S
                     : type == DUCKDB_TYPE_TIMESTAMP_MS ? 1000000
                     : type == DUCKDB_TYPE_TIMESTAMP_NS ? 1
                                                        : 1000;
    int64_t ns;
    return __builtin_mul_overflow(value, factor, &ns) ? (value < 0 ? INT64_MIN : INT64_MAX) : ns;
}

/* Texts go to one block of the batch's arena. */
static int copy_texts(struct record_batch *batch, struct bytes *to, duckdb_string_t *from,
                      const uint64_t *valid, idx_t count)
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

static void copy_values(void *to, enum value_type wanted, duckdb_type type, const void *from,
                        idx_t count)
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
            is_beyond_signed =
                is_beyond_signed || (value[i].upper == 0 && value[i].lower > INT64_MAX);
            is_beyond = is_beyond || value[i].upper > 0 || value[i].upper < -1 ||
                        (value[i].upper == -1 && value[i].lower <= INT64_MAX);
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

/* ---- from the statement to the sink ---- */

static int execute(struct ask *a, bool is_streaming, struct err *e)
{
    duckdb_pending_result pending = NULL;
    duckdb_state state = is_streaming ? duckdb_pending_prepared_streaming(a->statement, &pending)
                                      : duckdb_pending_prepared(a->statement, &pending);
    int code = 0;
    if (state != DuckDBSuccess) {
        code = store_fail(e, WEIR_EINPUT, "query", duckdb_pending_error(pending));
    } else {
        a->has_result = true;
        if (duckdb_execute_pending(pending, &a->result) != DuckDBSuccess)
            code = store_fail(e, WEIR_EINPUT, "query", duckdb_result_error(&a->result));
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
    return reason != NULL && reason[0] != '\0' ? store_fail(e, WEIR_EINPUT, "query", reason) : 0;
}

int ask_begin(struct ask *a, struct err *e)
{
    bool is_all = has_sums(a); /* their type depends on the values */
    int code = execute(a, !is_all, e);
    if (code == 0)
        code = fetch(a, is_all, e);
    if (code == 0)
        settle_sums(a);
    return code;
}

int ask_push(struct ask *a, struct err *e)
{
    int code = 0;
    for (size_t i = 0; i < a->chunk_count && code == 0; i++)
        code = push_chunk(a, a->chunk[i], e);
    for (duckdb_data_chunk chunk;
         code == 0 && !a->is_fetched && (chunk = duckdb_fetch_chunk(a->result)) != NULL;) {
        code = push_chunk(a, chunk, e);
        duckdb_destroy_data_chunk(&chunk);
    }
    const char *reason = duckdb_result_error(&a->result);
    if (code == 0 && reason != NULL && reason[0] != '\0')
        code = store_fail(e, WEIR_EINPUT, "query", reason);
    return code;
}

void ask_fini(struct ask *a)
{
    for (size_t i = 0; i < a->chunk_count; i++)
        duckdb_destroy_data_chunk(&a->chunk[i]);
    free(a->chunk);
    if (a->has_result)
        duckdb_destroy_result(&a->result);
    duckdb_destroy_prepare(&a->statement);
}
