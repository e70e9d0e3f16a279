/* weir schema: the dictionary and the record types, as rows like any other; doc/fields.md is `weir
 * schema -o md`. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cmd/cmd.h"
#include "output/output.h"
#include "wire/wire.h"

struct schema_options {
    struct output_options output; /* first, see output_option_table */
    const char *json_schema, *ipfix_template;
};

static const struct option options[] = {
    { "json-schema", 0, OPTION_TEXT, offsetof(struct schema_options, json_schema), "TYPE",
      "print the JSON Schema of the jsonl rows of a record type" },
    { "ipfix-template", 0, OPTION_TEXT, offsetof(struct schema_options, ipfix_template), "TYPE",
      "write an IPFIX message with the templates of a record type (binary, RFC 7011)" },
    { 0 },
};
static const struct option *const tables[] = { options, output_option_table, NULL };

enum { COLUMN, NAME, PEN, ID, ID6, TYPE, UNIT, MERGE, RECORDS, HELP, COLUMNS };

static const struct column_type columns[COLUMNS] = {
    [COLUMN] = { "column", T_TEXT, U_NONE, FIELD_NONE },
    [NAME] = { "name", T_TEXT, U_NONE, FIELD_NONE },
    [PEN] = { "pen", T_U32, U_NONE, FIELD_NONE },
    [ID] = { "id", T_U16, U_NONE, FIELD_NONE },
    [ID6] = { "id6", T_U16, U_NONE, FIELD_NONE },
    [TYPE] = { "type", T_TEXT, U_NONE, FIELD_NONE },
    [UNIT] = { "unit", T_TEXT, U_NONE, FIELD_NONE },
    [MERGE] = { "merge", T_TEXT, U_NONE, FIELD_NONE },
    [RECORDS] = { "records", T_TEXT, U_NONE, FIELD_NONE },
    [HELP] = { "help", T_TEXT, U_NONE, FIELD_NONE },
};

static const struct record_type dictionary = {
    .name = "schema",
    .help = "one information element of the dictionary",
    .column_count = COLUMNS,
    .column = columns,
};

static const char preface[] =
    "# Fields\n\n"
    "Made by `weir schema -o md` from `src/schema/fields.def` and `records.def`; do not edit.\n\n"
    "`column` is what people type: in filters, `--columns`, SQL, CSV, JSON and Parquet. `name`, "
    "`pen` (enterprise number, 0 = IANA)\n"
    "and `id` (`id6` for the same thing over IPv6) are the identity in IPFIX, RFC 7012. `merge` "
    "says what happens when records are\n"
    "summarised: fields with `key` must be equal. `records` names the record types that have the "
    "field.\n\n";

/* Is column `f` in record type `r`? */
static bool has_field(const struct record_type *r, const struct field *f)
{
    for (unsigned i = 0; i < r->column_count; i++)
        if (r->column[i].field == (enum field_id)(f - fields))
            return true;
    return false;
}

static bool is_wanted(const struct field *f, const struct option_list *words)
{
    for (size_t i = 0; i < words->count; i++) {
        const struct record_type *type = record_type_find(words->item[i]);
        if (type != NULL
                ? has_field(type, f)
                : strcasestr(f->column, words->item[i]) || strcasestr(f->name, words->item[i]) ||
                      strcasestr(f->help, words->item[i]))
            return true;
    }
    return words->count == 0;
}

static int set_text(struct record_batch *b, unsigned index, const char *text)
{
    struct bytes *to = record_batch_column(b, index);
    if (to != NULL)
        to[b->count] = (struct bytes){ (const uint8_t *)text, strlen(text) };
    return to != NULL ? 0 : -1;
}

/* "flow ledger": the record types of the field, in memory of the batch. */
static int set_records(struct record_batch *b, const struct field *f)
{
    struct text names = { 0 };
    for (unsigned i = 0; i < RECORD_COUNT; i++)
        if (has_field(&record_types[i], f))
            text_format(&names, "%s%s", names.size > 0 ? " " : "", record_types[i].name);
    const char *kept = names.size > 0 ? arena_text(&b->arena, names.data, names.size) : "";
    text_fini(&names);
    return kept != NULL ? set_text(b, RECORDS, kept) : -1;
}

static int add_field(struct record_batch *b, const struct field *f)
{
    uint32_t *pen = record_batch_column(b, PEN);
    uint16_t *id = record_batch_column(b, ID), *id6 = record_batch_column(b, ID6);
    if (pen == NULL || id == NULL || id6 == NULL || set_records(b, f) != 0)
        return -1;
    const char *texts[COLUMNS] = { [COLUMN] = f->column,
                                   [NAME] = f->name,
                                   [TYPE] = value_type_name(f->type),
                                   [UNIT] = unit_name(f->unit),
                                   [MERGE] = merge_rule_name(f->merge),
                                   [HELP] = f->help };
    for (unsigned i = 0; i < COLUMNS; i++)
        if (texts[i] != NULL && set_text(b, i, texts[i]) != 0)
            return -1;
    pen[b->count] = f->pen;
    id[b->count] = f->id;
    id6[b->count] = f->id6;
    if (f->id6 == 0 && record_batch_set_null(b, ID6, b->count) != 0)
        return -1;
    b->count++;
    return 0;
}

static int list(const struct schema_options *o, const struct option_list *words, struct err *e)
{
    struct record_batch *b = record_batch_new(&dictionary, FIELD_COUNT);
    struct output *output;
    if (b == NULL)
        return err_memory(e, "dictionary", sizeof *b);
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        if (is_wanted(&fields[i], words) && add_field(b, &fields[i]) != 0) {
            record_batch_unref(b);
            return err_memory(e, "dictionary", FIELD_COUNT);
        }
    record_batch_seal(b);
    if (b->count == 0 && words->count > 0) {
        record_batch_unref(b);
        return field_find(words->item[0], e) != NULL ? 0 : e->code;
    }
    int code = output_open(&output, &o->output, &dictionary, NULL, e);
    if (code != 0) {
        record_batch_unref(b);
        return code;
    }
    output->sink.push(&output->sink, b);
    return output_close(output, e);
}

/* The record type that an option names; NULL with the nearest in `e`. */
static const struct record_type *find_type(const char *option, const char *name, struct err *e)
{
    const char *names[RECORD_COUNT];
    for (unsigned i = 0; i < RECORD_COUNT; i++)
        names[i] = record_types[i].name;
    const struct record_type *type = record_type_find(name);
    if (type == NULL) {
        const char *nearest = text_nearest(name, names, RECORD_COUNT);
        err_set(e, WEIR_EUSAGE, "%s: no record type '%s'; the nearest is '%s'", option, name,
                nearest ? nearest : names[0]);
    }
    return type;
}

static int write_file(const char *path, const void *data, size_t size, struct err *e)
{
    struct file *file;
    int code = file_open(&file, path ? path : "-", FILE_CREATE, e);
    if (code == 0) {
        code = file_write(file, data, size, e);
        int closed = file_close(file, code == 0 ? e : NULL);
        code = code != 0 ? code : closed;
    }
    return code;
}

static int print_json_schema(const char *name, const char *path, struct err *e)
{
    const struct record_type *type = find_type("--json-schema", name, e);
    if (type == NULL)
        return e->code;
    struct text out = { 0 };
    output_json_schema((enum record_id)(type - record_types), &out);
    int code =
        out.is_bad ? err_memory(e, "schema", out.size) : write_file(path, out.data, out.size, e);
    text_fini(&out);
    return code;
}

static int print_templates(const char *name, const char *path, struct err *e)
{
    uint8_t message[2048];
    const struct record_type *type = find_type("--ipfix-template", name, e);
    if (type == NULL)
        return e->code;
    size_t size = ipfix_put_templates(message, sizeof message, type);
    assert(size > 0); /* RECORD_COLUMNS_MAX columns twice fit */
    return write_file(path, message, size, e);
}

static int schema_run(int argc, char **argv, struct err *e);

const struct command schema_command = {
    .name = "schema",
    .help = "list the information elements: columns, IANA names, types, units",
    .arguments = "[TYPE|WORD ...]",
    .examples = "  weir schema flow\n  weir schema port -o csv\n  weir schema --json-schema flow\n"
                "  weir schema --ipfix-template flow -w flow.ipfix\n",
    .options = tables,
    .run = schema_run,
};

static int schema_run(int argc, char **argv, struct err *e)
{
    struct schema_options o = { .output = OUTPUT_DEFAULTS };
    struct option_list words = { 0 };
    int code = command_parse(&schema_command, argc, argv, &o, &words, NULL, e);
    o.output.preface = preface;
    if (code == 0 && o.json_schema != NULL)
        code = print_json_schema(o.json_schema, o.output.path, e);
    else if (code == 0 && o.ipfix_template != NULL)
        code = print_templates(o.ipfix_template, o.output.path, e);
    else if (code == 0)
        code = list(&o, &words, e);
    option_list_fini(&words);
    return code < 0 ? code : 0;
}
