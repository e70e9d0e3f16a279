/* JSON Schema (draft 2020-12) of jsonl rows, see output.h. */
#include <string.h>

#include "output/output.h"

/* Type of a value in JSON, with what is known about it besides. */
static const char *json_type(enum value_type type)
{
    static const char *const types[VALUE_TYPES] = {
        [T_U8] = "\"type\":\"integer\",\"minimum\":0,\"maximum\":255",
        [T_PROTO] = "\"type\":\"integer\",\"minimum\":0,\"maximum\":255",
        [T_REASON] = "\"type\":\"integer\",\"minimum\":0,\"maximum\":255",
        [T_U16] = "\"type\":\"integer\",\"minimum\":0,\"maximum\":65535",
        [T_FLAGS] = "\"type\":\"integer\",\"minimum\":0,\"maximum\":65535",
        [T_U32] = "\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967295",
        [T_U64] = "\"type\":\"integer\",\"minimum\":0,\"maximum\":18446744073709551615",
        [T_I64] = "\"type\":\"integer\"",
        [T_F64] = "\"type\":\"number\"",
        [T_TIME] = "\"type\":\"number\"",
        [T_DURATION] = "\"type\":\"number\"",
        [T_ADDRESS] = "\"type\":\"string\",\"pattern\":\"^[0-9a-f:.]*$\"",
        [T_MAC] = "\"type\":\"string\",\"pattern\":\"^([0-9a-f]{2}:){5}[0-9a-f]{2}$\"",
        [T_TEXT] = "\"type\":\"string\"",
    };
    return types[type];
}

static const char *what_kind(enum value_type type)
{
    return type == T_TIME       ? "; seconds since 1970-01-01 UTC"
           : type == T_DURATION ? "; seconds"
                                : "";
}

static void put_property(const struct column_type *c, struct text *out)
{
    struct text what = { 0 };
    const struct field *f = c->field < FIELD_NONE ? &fields[c->field] : NULL;
    const char *unit = unit_name(c->unit);
    text_format(&what, "%s%s", f != NULL ? f->help : "made by the question", what_kind(c->type));
    if (*unit != '\0' && c->unit != U_SECONDS)
        text_format(&what, "; %s", unit);
    text_add(out, "    ");
    text_json(out, c->name, strlen(c->name));
    text_format(out, ":{%s,\"description\":", json_type(c->type));
    text_json(out, what.data, what.size);
    if (f != NULL) {
        text_add(out, ",\"title\":");
        text_json(out, f->name, strlen(f->name));
    }
    text_char(out, '}');
    if (c->type == T_FLAGS)
        text_format(out,
                    ",\n    \"%s_text\":{\"type\":\"string\",\"pattern\":\"^[CEUAPRSF.]{8}$\","
                    "\"description\":\"letters of %s\"}",
                    c->name, c->name);
    text_fini(&what);
}

void output_json_schema(enum record_id record, struct text *out)
{
    const struct record_type *type = &record_types[record];
    text_add(out,
             "{\n  \"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n  \"title\":");
    text_json(out, type->name, strlen(type->name));
    text_add(out, ",\n  \"description\":");
    text_json(out, type->help, strlen(type->help));
    text_add(out, ",\n  \"type\":\"object\",\n  \"properties\":{\n");
    for (unsigned i = 0; i < type->column_count; i++) {
        put_property(&type->column[i], out);
        text_add(out, i + 1 < type->column_count ? ",\n" : "\n");
    }
    text_add(out, "  },\n  \"required\":[");
    const char *comma = "";
    for (unsigned i = 0; i < type->column_count; i++)
        if (record_column_is_required(record, i)) {
            text_add(out, comma);
            text_json(out, type->column[i].name, strlen(type->column[i].name));
            comma = ",";
        }
    text_add(out, "],\n  \"additionalProperties\":false\n}\n");
}
