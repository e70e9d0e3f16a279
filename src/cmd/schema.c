/* weir schema: the dictionary and the record types. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "schema/schema.h"

struct schema_options {
    const char *format;
};

static const struct option options[] = {
    { "output", 'o', OPTION_TEXT, offsetof(struct schema_options, format), "FORMAT", "table (default), csv" },
    { 0 },
};
static const struct option *const tables[] = { options, NULL };

static int schema_run(int argc, char **argv, struct err *e);

const struct command schema_command = {
    .name = "schema",
    .help = "list the information elements: columns, IANA names, types, units",
    .arguments = "[WORD ...]",
    .examples = "  weir schema\n  weir schema port -o csv\n",
    .options = tables,
    .run = schema_run,
};

static int schema_run(int argc, char **argv, struct err *e)
{
    struct schema_options o = { .format = "table" };
    struct option_list words = { 0 };
    int code = command_parse(&schema_command, argc, argv, &o, &words, NULL, e);
    bool is_csv = strcmp(o.format, "csv") == 0;
    if (code == 0 && is_csv)
        printf("column,name,pen,id,type,unit,merge,help\n");
    for (unsigned i = 0; code == 0 && i < FIELD_COUNT; i++) {
        const struct field *f = &fields[i];
        bool is_wanted = words.count == 0;
        for (size_t k = 0; k < words.count; k++)
            is_wanted = is_wanted || strcasestr(f->column, words.item[k]) || strcasestr(f->name, words.item[k]);
        if (is_wanted)
            printf(is_csv ? "%s,%s,%u,%u,%s,%s,%s,\"%s\"\n" : "%-13s %-28s %6u %5u  %-20s %-8s %-6s %s\n", f->column, f->name, f->pen,
                   f->id, value_type_name(f->type), unit_name(f->unit), merge_rule_name(f->merge), f->help);
    }
    option_list_fini(&words);
    return code < 0 ? code : 0;
}
