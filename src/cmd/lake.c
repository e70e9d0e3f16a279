/* weir lake: look at the segments of a lake and check them. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "output/output.h"
#include "query/query.h"

struct lake_options {
    struct output_options output; /* first: output_option_table counts from here */
    const char *store;
    bool is_quick;
};

static const struct option options[] = {
    { "store", 'R', OPTION_TEXT, offsetof(struct lake_options, store), "DIR",
      "the lake; default: the state directory of the system as root, else of the user" },
    { "quick", 0, OPTION_FLAG, offsetof(struct lake_options, is_quick), NULL,
      "verify: checksums only, do not read the rows" },
    { 0 },
};
static const struct option *const tables[] = { options, output_option_table, NULL };

static int lake_run(int argc, char **argv, struct err *e);

const struct command lake_command = {
    .name = "lake",
    .help = "list the segments of a lake (ls), check that all are whole (verify)",
    .arguments = "ls|verify [DIR]",
    .examples = "  weir lake ls\n  weir lake ls /data/lake -o csv --columns type,start,rows\n  "
                "weir lake verify -R /data/lake\n",
    .options = tables,
    .run = lake_run,
};

/* ---- ls ---- */

enum {
    LS_TYPE,
    LS_START,
    LS_END,
    LS_ROWS,
    LS_OCTETS,
    LS_SAMPLING,
    LS_LOST,
    LS_SOURCE,
    LS_EPOCH,
    LS_NUMBER,
    LS_PATH,
    LS_COLUMNS
};
static const struct column_type ls_columns[LS_COLUMNS] = {
    [LS_TYPE] = { "type", T_TEXT, U_NONE, FIELD_NONE },
    [LS_START] = { "start", T_TIME, U_NONE, FIELD_start },
    [LS_END] = { "end", T_TIME, U_NONE, FIELD_end },
    [LS_ROWS] = { "rows", T_U64, U_NONE, FIELD_NONE },
    [LS_OCTETS] = { "octets", T_U64, U_OCTETS, FIELD_NONE },
    [LS_SAMPLING] = { "sampling", T_U64, U_NONE, FIELD_NONE },
    [LS_LOST] = { "lost", T_U64, U_NONE, FIELD_NONE },
    [LS_SOURCE] = { "source", T_TEXT, U_NONE, FIELD_NONE },
    [LS_EPOCH] = { "epoch", T_TEXT, U_NONE, FIELD_NONE },
    [LS_NUMBER] = { "number", T_U64, U_NONE, FIELD_NONE },
    [LS_PATH] = { "path", T_TEXT, U_NONE, FIELD_NONE },
};
static const struct record_type ls_type = { .name = "segment",
                                            .help = "one segment of a lake",
                                            .column_count = LS_COLUMNS,
                                            .column = ls_columns };

static struct bytes view(const char *text)
{
    return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

/* Segments [first, first + count); their texts belong to the list. */
static struct record_batch *rows_of(const struct lake_list *list, size_t first, unsigned count)
{
    struct record_batch *b = record_batch_new(&ls_type, count);
    void *column[LS_COLUMNS];
    for (unsigned i = 0; i < LS_COLUMNS && b != NULL; i++)
        if ((column[i] = record_batch_column(b, i)) == NULL) {
            record_batch_unref(b);
            return NULL;
        }
    for (unsigned i = 0; i < count && b != NULL; i++) {
        const struct lake_segment *s = &list->segment[first + i];
        ((struct bytes *)column[LS_TYPE])[i] = view(s->type->name);
        ((int64_t *)column[LS_START])[i] = s->first_ns;
        ((int64_t *)column[LS_END])[i] = s->last_ns;
        ((uint64_t *)column[LS_ROWS])[i] = s->rows;
        ((uint64_t *)column[LS_OCTETS])[i] = s->octets;
        ((uint64_t *)column[LS_SAMPLING])[i] = s->sampling;
        ((uint64_t *)column[LS_LOST])[i] = s->lost;
        ((struct bytes *)column[LS_SOURCE])[i] = view(s->source);
        ((struct bytes *)column[LS_EPOCH])[i] = view(s->epoch);
        ((uint64_t *)column[LS_NUMBER])[i] = s->number;
        ((struct bytes *)column[LS_PATH])[i] = view(s->path);
    }
    if (b != NULL) {
        b->count = count;
        record_batch_seal(b);
    }
    return b;
}

static int list_segments(const struct lake_list *list, const struct output_options *options_,
                         struct err *e)
{
    struct output *output;
    int code = output_open(&output, options_, &ls_type, NULL, e);
    if (code < 0)
        return code;
    for (size_t i = 0; i < list->count && code == 0; i += RECORD_BATCH_ROWS) {
        size_t left = list->count - i;
        struct record_batch *batch =
            rows_of(list, i, left < RECORD_BATCH_ROWS ? (unsigned)left : RECORD_BATCH_ROWS);
        code =
            batch == NULL ? err_memory(e, "lake", left) : output->sink.push(&output->sink, batch);
        if (code < 0 && batch != NULL)
            *e = output->error;
    }
    struct err closing;
    int close_code = output_close(output, &closing);
    if (code == 0 && close_code < 0) {
        *e = closing;
        code = close_code;
    }
    return code;
}

/* ---- verify ---- */

/* The answer to "how many rows can be read, from when to when". */
struct reading {
    struct record_sink sink;
    int64_t rows, first_ns, last_ns;
};

static int read_answer(struct record_sink *self, struct record_batch *batch)
{
    struct reading *r = (struct reading *)self;
    if (batch->count > 0 && !record_is_null(batch, 1, 0) && !record_is_null(batch, 2, 0)) {
        r->rows = *(const int64_t *)record_value(batch, 0, 0);
        r->first_ns = *(const int64_t *)record_value(batch, 1, 0);
        r->last_ns = *(const int64_t *)record_value(batch, 2, 0);
    }
    record_batch_unref(batch);
    return 0;
}

static struct record_sink *open_reading(void *context, const struct record_type *type,
                                        struct err *e)
{
    (void)type;
    (void)e;
    struct reading *r = context;
    r->sink.push = read_answer;
    return &r->sink;
}

/* Read every value of every row and compare what the footer says. */
static int read_rows(const struct lake_segment *s, struct err *e)
{
    struct store *store;
    struct reading reading = { .rows = 0 };
    struct text sql = { 0 };
    /* The hash makes DuckDB decode all columns. */
    text_format(&sql,
                "SELECT count(*), epoch_ns(min(start)), epoch_ns(max(greatest(start, "
                "coalesce(\"end\", start)))), bit_xor(hash(r)) FROM \"%s\" r",
                s->type->name);
    int code = sql.is_bad ? err_memory(e, "lake", sql.size)
                          : store_open_lake(&store, s->path, INT64_MIN, INT64_MAX, NULL, e);
    if (code == 0) {
        code = store_ask(store, sql.data, open_reading, &reading, e);
        store_close(store);
    }
    text_fini(&sql);
    if (code < 0)
        return err_set(e, WEIR_ENO, "its rows cannot be read");
    bool is_true =
        (uint64_t)reading.rows == s->rows &&
        (s->rows == 0 || (reading.first_ns == s->first_ns && reading.last_ns == s->last_ns));
    return is_true ? 0 : err_set(e, WEIR_ENO, "its rows are not those its footer tells of");
}

static int verify_segments(const struct lake_list *list, const struct text *left_out, bool is_quick,
                           struct err *e)
{
    size_t wrong = 0;
    uint64_t rows = 0, octets = 0;
    for (size_t i = 0; left_out->data != NULL && i < left_out->size; i++)
        wrong += left_out->data[i] == '\n';
    for (size_t i = 0; i < list->count; i++) {
        const struct lake_segment *s = &list->segment[i];
        struct err reason;
        int code = lake_segment_verify(s, &reason);
        if (code == 0 && !is_quick && lake_is_built_in())
            code = read_rows(s, &reason);
        if (code < 0) {
            fprintf(stderr, "lake: '%s': %s\n", s->path, reason.text);
            wrong++;
        }
        rows += s->rows;
        octets += s->octets;
    }
    printf("%zu segments, %llu rows, %llu octets, %zu wrong\n", list->count,
           (unsigned long long)rows, (unsigned long long)octets, wrong);
    return wrong == 0
               ? 0
               : err_set(e, WEIR_ENO,
                         "%zu files are no whole segments; remove them or get them from a copy",
                         wrong);
}

/* ---- the command ---- */

static int lake_run(int argc, char **argv, struct err *e)
{
    struct lake_options o = { .output = OUTPUT_DEFAULTS };
    struct option_list words = { 0 };
    struct text path = { 0 }, messages = { 0 };
    struct lake_list list = { 0 };
    int code = command_parse(&lake_command, argc, argv, &o, &words, NULL, e);
    if (code != 0)
        goto out;
    bool is_ls = words.count > 0 && strcmp(words.item[0], "ls") == 0;
    bool is_verify = words.count > 0 && strcmp(words.item[0], "verify") == 0;
    if ((!is_ls && !is_verify) || words.count > (o.store ? 1 : 2)) {
        code = err_set(e, WEIR_EUSAGE,
                       "say what to do: 'weir lake ls [DIR]' or 'weir lake verify [DIR]'");
        goto out;
    }
    if (o.store != NULL || words.count > 1)
        text_add(&path, o.store != NULL ? o.store : words.item[1]);
    else
        code = lake_default_path(&path, e);
    if (code == 0 && path.is_bad)
        code = err_memory(e, "lake", path.size);
    if (code == 0)
        code = lake_list_open(&list, path.data, NULL, INT64_MIN, INT64_MAX, &messages, e);
    if (code == 0 && messages.data != NULL)
        fputs(messages.data, stderr);
    if (code == 0)
        code = is_ls ? list_segments(&list, &o.output, e)
                     : verify_segments(&list, &messages, o.is_quick, e);
out:
    lake_list_close(&list);
    option_list_fini(&words);
    text_fini(&path);
    text_fini(&messages);
    return code < 0 ? code : 0;
}
