/* What all formats share: options, choice of columns, the file, counting, see output.h. */
#include "output/output.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "output/put.h"

#define OUTPUT(name) extern const struct output_ops name##_output;
#include "output/outputs.def"
#undef OUTPUT

const struct output_ops *const output_formats[] = {
#define OUTPUT(name) &name##_output,
#include "output/outputs.def"
#undef OUTPUT
    NULL
};
#define FORMATS (sizeof output_formats / sizeof *output_formats - 1)

const struct option output_option_table[] = {
    { "output", 'o', OPTION_TEXT, offsetof(struct output_options, format), "FORMAT",
      "table (default on a terminal), csv (default else), tsv, json, jsonl, md, parquet, null" },
    { "write", 'w', OPTION_TEXT, offsetof(struct output_options, path), "FILE",
      "write there instead of to standard output" },
    { "columns", 0, OPTION_TEXT, offsetof(struct output_options, columns), "LIST",
      "columns in this order: a,b,c; +a adds to the usual ones" },
    { "digits", 0, OPTION_COUNT, offsetof(struct output_options, digits), "N",
      "digits after the point of real values (6)" },
    { "time-format", 0, OPTION_TEXT, offsetof(struct output_options, time_format), "FORMAT",
      "epoch, iso or relative (seconds after the first time)" },
    { "no-header", 0, OPTION_FLAG, offsetof(struct output_options, no_header), NULL,
      "no line with the names of the columns" },
    { "plain", 'N', OPTION_FLAG, offsetof(struct output_options, plain_numbers), NULL,
      "tables with whole numbers instead of 1.2 M" },
    { "raw", 0, OPTION_FLAG, offsetof(struct output_options, is_raw), NULL,
      "csv, tsv: do not guard texts that look like formulas" },
    { 0 },
};

static const struct output_ops *find_format(const char *name, struct err *e)
{
    const char *names[FORMATS];
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcasecmp(output_formats[i]->name, name) == 0)
            return output_formats[i];
        names[i] = output_formats[i]->name;
    }
    struct text known = { 0 };
    for (size_t i = 0; i < FORMATS; i++)
        text_format(&known, "%s%s", i > 0 ? ", " : "", names[i]);
    const char *nearest = text_nearest(name, names, FORMATS);
    err_set(e, WEIR_EUSAGE, "no output format '%s'; %s%s%sthere are %s", name,
            nearest ? "did you mean '" : "", nearest ? nearest : "", nearest ? "'? " : "",
            known.data ? known.data : "");
    text_fini(&known);
    return NULL;
}

static int find_time(const char *name, bool is_for_people, enum output_time *time, struct err *e)
{
    static const char *const names[] = {
        [OUTPUT_EPOCH] = "epoch", [OUTPUT_ISO] = "iso", [OUTPUT_RELATIVE] = "relative"
    };
    *time = is_for_people ? OUTPUT_ISO : OUTPUT_EPOCH;
    if (name == NULL)
        return 0;
    for (unsigned i = 0; i < 3; i++)
        if (strcasecmp(names[i], name) == 0) {
            *time = (enum output_time)i;
            return 0;
        }
    return err_set(e, WEIR_EUSAGE,
                   "--time-format: no format '%s'; there are epoch, iso and relative", name);
}

/* "flags_text" for "flags". */
static bool is_text_name(const char *name, const char *column)
{
    size_t size = strlen(column);
    return strncasecmp(name, column, size) == 0 && strcasecmp(name + size, "_text") == 0;
}

static int add_column(struct output *o, unsigned index, bool is_flags_text, bool is_asked_for,
                      struct err *e)
{
    const struct column_type *type = &o->type->column[index];
    struct output_column c = { .name = type->name,
                               .type = type,
                               .index = index,
                               .is_flags_text = is_flags_text,
                               .is_asked_for = is_asked_for };
    for (unsigned i = 0; i < o->column_count; i++)
        if (o->column[i].index == index && o->column[i].is_flags_text == is_flags_text) {
            o->column[i].is_asked_for |= is_asked_for; /* the same key twice would be no JSON */
            return 0;
        }
    if (is_flags_text) {
        struct text name = { 0 };
        text_format(&name, "%s_text", type->name);
        c.name = name.is_bad ? NULL : arena_text(&o->arena, name.data, name.size);
        text_fini(&name);
        if (c.name == NULL)
            return err_memory(e, "output columns", 64);
    }
    assert(o->column_count < OUTPUT_COLUMNS_MAX);
    o->column[o->column_count++] = c;
    return 0;
}

/* All columns of the type; beside TCP flags their letters, for people only those. */
static int choose_all(struct output *o, struct err *e)
{
    int code = 0;
    for (unsigned i = 0; i < o->type->column_count && code == 0; i++) {
        bool is_flags = o->type->column[i].type == T_FLAGS;
        if (!is_flags || !o->ops->is_for_people)
            code = add_column(o, i, false, false, e);
        if (code == 0 && is_flags && !o->ops->has_own_file)
            code = add_column(o, i, true, false, e);
    }
    return code;
}

static int no_column(const struct record_type *type, const char *name, struct err *e)
{
    const char *names[RECORD_COLUMNS_MAX];
    for (unsigned i = 0; i < type->column_count; i++)
        names[i] = type->column[i].name;
    const char *nearest = text_nearest(name, names, type->column_count);
    struct text all = { 0 };
    for (unsigned i = 0; nearest == NULL && i < type->column_count; i++)
        text_format(&all, "%s%s", i > 0 ? "," : "", names[i]);
    err_set(e, WEIR_EUSAGE, "--columns: no column '%s' in '%s'; %s%s%s", name, type->name,
            nearest ? "did you mean '" : "there are ", nearest ? nearest : all.data,
            nearest ? "'?" : "");
    text_fini(&all);
    return WEIR_EUSAGE;
}

/* A column by its name, its IANA name, or the text beside a T_FLAGS column. */
static int choose_column(struct output *o, const char *name, struct err *e)
{
    const struct record_type *type = o->type;
    int index = record_column_find(type, name);
    const struct field *field = index < 0 ? field_find(name, NULL) : NULL;
    for (unsigned i = 0; field != NULL && i < type->column_count; i++)
        if (type->column[i].field == (enum field_id)(field - fields))
            index = (int)i;
    if (index >= 0)
        return add_column(o, (unsigned)index, false, true, e);
    for (unsigned i = 0; i < type->column_count; i++)
        if (type->column[i].type == T_FLAGS && is_text_name(name, type->column[i].name))
            return add_column(o, i, true, true, e);
    return no_column(type, name, e);
}

/* "a,b,c" are the columns; with a "+" before one of them they come behind the usual ones. */
static int choose_columns(struct output *o, const char *list, struct err *e)
{
    int code = list == NULL || strchr(list, '+') != NULL ? choose_all(o, e) : 0;
    for (const char *at = list; at != NULL && code == 0;) {
        at += strspn(at, " +");
        size_t size = strcspn(at, ",");
        char *name = strndup(at, size);
        if (name == NULL)
            return err_memory(e, "--columns", size);
        for (size_t end = size; end > 0 && name[end - 1] == ' '; end--)
            name[end - 1] = '\0';
        code = name[0] == '\0' ? err_set(e, WEIR_EUSAGE, "--columns: '%s' has an empty name", list)
                               : choose_column(o, name, e);
        free(name);
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    return code;
}

static void relative_to_first(struct output *o, const struct record_batch *batch)
{
    for (unsigned i = 0; i < o->column_count && !o->has_time_zero; i++)
        if (o->column[i].type->type == T_TIME && !record_is_null(batch, o->column[i].index, 0)) {
            memcpy(&o->time_zero_ns, record_value(batch, o->column[i].index, 0),
                   sizeof o->time_zero_ns);
            o->has_time_zero = true;
        }
}

/* Write what the format made so far; rows count as out once they are written, as failed once they
 * cannot be. */
static int flush(struct output *o, int code, struct err *e)
{
    if (code == 0 && o->text.is_bad)
        code = err_memory(e, "output", o->text.size);
    if (code == 0 && o->file != NULL && o->text.size > 0)
        code = file_write(o->file, o->text.data, o->text.size, e);
    o->text.size = 0;
    if (code != 0)
        o->rows_held = 0;
    uint64_t done = o->rows_waiting - o->rows_held;
    struct ledger *ledger = o->ops->counts_itself ? NULL : o->ledger;
    if (ledger != NULL && code == 0)
        ledger->out[STAGE_output] += done;
    else if (ledger != NULL)
        ledger_count(ledger, REASON_output_failed, done);
    o->rows_waiting = o->rows_held;
    return code;
}

static int output_push(struct record_sink *sink, struct record_batch *batch)
{
    struct output *o = (struct output *)sink;
    assert(batch->is_sealed);
    assert(batch->type == o->type);
    o->rows_waiting += batch->count;
    int code = o->error.code;
    if (code == 0 && batch->count > 0) {
        if (o->time == OUTPUT_RELATIVE)
            relative_to_first(o, batch);
        code = o->ops->rows(o, batch, &o->error);
    }
    o->error.code = flush(o, code, &o->error);
    record_batch_unref(batch);
    return o->error.code;
}

static void output_free(struct output *o)
{
    if (o->state != NULL && o->ops->fini != NULL)
        o->ops->fini(o);
    free(o->state);
    text_fini(&o->text);
    arena_fini(&o->arena);
    free(o);
}

static int refuse_compressed(const char *path, struct err *e)
{
    static const char *const ends[] = { ".gz", ".zst", ".lz4", ".xz", ".bz2" };
    for (size_t i = 0; path != NULL && i < sizeof ends / sizeof *ends; i++) {
        size_t size = strlen(path), end = strlen(ends[i]);
        if (size >= end && strcmp(path + size - end, ends[i]) == 0)
            return err_set(e, WEIR_EUSAGE,
                           "-w '%s': writing compressed files is not built in; leave out -w and "
                           "pipe it through the packer",
                           path);
    }
    return 0;
}

static int prepare(struct output *o, struct err *e)
{
    const struct output_options *options = &o->options;
    const char *path = options->path != NULL ? options->path : "-";
    bool is_terminal = strcmp(path, "-") == 0 && isatty(STDOUT_FILENO);
    o->ops = find_format(options->format != NULL ? options->format
                         : is_terminal           ? "table"
                                                 : "csv",
                         e);
    if (o->ops == NULL)
        return WEIR_EUSAGE;
    if (options->digits > OUTPUT_DIGITS_MAX)
        return err_set(e, WEIR_EUSAGE, "--digits: %llu is more than %d",
                       (unsigned long long)options->digits, OUTPUT_DIGITS_MAX);
    int code = find_time(options->time_format, o->ops->is_for_people, &o->time, e);
    if (code == 0)
        code = choose_columns(o, options->columns, e);
    if (code == 0 && o->ops->state_size > 0 && (o->state = calloc(1, o->ops->state_size)) == NULL)
        code = err_memory(e, "output", o->ops->state_size);
    if (code == 0 && !o->ops->has_own_file && (code = refuse_compressed(path, e)) == 0)
        code = file_open(&o->file, path, FILE_CREATE, e);
    if (code == 0 && o->ops->open != NULL)
        code = o->ops->open(o, e);
    return code == 0 ? flush(o, 0, e) : code;
}

int output_open(struct output **output, const struct output_options *options,
                const struct record_type *type, struct ledger *ledger, struct err *e)
{
    struct output *o = calloc(1, sizeof *o);
    if (o == NULL)
        return err_memory(e, "output", sizeof *o);
    *o = (struct output){
        .sink.push = output_push, .options = *options, .type = type, .ledger = ledger
    };
    int code = prepare(o, e);
    if (code != 0) {
        file_close(o->file, NULL);
        output_free(o);
        return code;
    }
    *output = o;
    return 0;
}

int output_close(struct output *o, struct err *e)
{
    if (o == NULL)
        return 0;
    int code = o->error.code;
    if (code != 0)
        err_set(e, code, "%s", o->error.text);
    else if (o->ops->finish != NULL)
        code = o->ops->finish(o, e);
    o->rows_held = 0;
    code = flush(o, code, e);
    int closed = file_close(o->file, code == 0 ? e : NULL);
    output_free(o);
    return code != 0 ? code : closed;
}
