/* The dictionary and the record types as data, see schema.h. */
#include "schema/schema.h"

#include <string.h>
#include <strings.h>

const struct field fields[FIELD_COUNT] = {
#define FIELD(column_, name_, pen_, id_, id6_, type_, unit_, merge_, help_)                                                     \
    [FIELD_##column_] = { .column = #column_, .name = #name_, .help = help_, .pen = pen_, .id = id_, .id6 = id6_,              \
                          .type = type_, .unit = unit_, .merge = merge_ },
#include "schema/fields.def"
#undef FIELD
};

/* Type and unit of a field again as constants, so that record types can be constant data. */
enum {
#define FIELD(column, name, pen, id, id6, type, unit, merge, help) type_of_##column = type, unit_of_##column = unit,
#include "schema/fields.def"
#undef FIELD
};

static const struct column_type all_columns[] = {
#define RECORD(name, help)
#define COLUMN(record, field_)                                                                                                 \
    { .name = #field_, .type = (enum value_type)type_of_##field_, .unit = (enum unit)unit_of_##field_, .field = FIELD_##field_ },
#include "schema/records.def"
#undef RECORD
#undef COLUMN
};

/* Columns per record: `count_of_nothing = 0, count_of_flow = 0 +1 +1 ..., count_of_ledger = 0 +1 ...`. */
enum {
#define RECORD(name, help) , count_of_##name = 0
#define COLUMN(record, field) +1
    count_of_nothing = 0
#include "schema/records.def"
#undef RECORD
#undef COLUMN
};

const struct record_type record_types[RECORD_COUNT] = {
#define RECORD(name_, help_)                                                                                                   \
    [RECORD_##name_] = { .name = #name_, .help = help_, .column_count = count_of_##name_, .column = all_columns + record_##name_##_columns },
#define COLUMN(record, field)
#include "schema/records.def"
#undef RECORD
#undef COLUMN
};

static const bool required_columns[] = {
#define RECORD(name, help)
#define COLUMN(record, field)
#define REQUIRED(record, field) [record_##record##_##field] = true,
#include "schema/records.def"
#undef RECORD
#undef COLUMN
};

bool record_column_is_required(enum record_id record, unsigned index)
{
    size_t at = (size_t)(record_types[record].column - all_columns) + index;
    return at < sizeof required_columns && required_columns[at];
}

const struct field *field_find(const char *name, struct err *e)
{
    const char *names[2 * FIELD_COUNT];
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (strcmp(name, fields[i].column) == 0)
            return &fields[i];
        names[2 * i] = fields[i].column;
        names[2 * i + 1] = fields[i].name;
    }
    for (unsigned i = 0; i < 2 * FIELD_COUNT; i++)
        if (strcasecmp(name, names[i]) == 0)
            return &fields[i / 2];
    const char *nearest = text_nearest(name, names, 2 * FIELD_COUNT);
    err_set(e, WEIR_EUSAGE, "no field '%s'; %s%s%s'weir schema' shows all", name, nearest ? "did you mean " : "",
            nearest ? nearest : "", nearest ? "? " : "");
    return NULL;
}

const struct record_type *record_type_find(const char *name)
{
    for (unsigned i = 0; i < RECORD_COUNT; i++)
        if (strcmp(name, record_types[i].name) == 0)
            return &record_types[i];
    return NULL;
}

int record_column_find(const struct record_type *type, const char *name)
{
    int found = -1;
    for (unsigned i = 0; i < type->column_count; i++) {
        if (strcmp(name, type->column[i].name) == 0)
            return (int)i;
        if (found < 0 && strcasecmp(name, type->column[i].name) == 0)
            found = (int)i;
    }
    return found;
}
