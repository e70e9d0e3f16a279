/* Records as JSON objects, see json_row.h. */
#include "output/json_row.h"

#include <math.h>
#include <string.h>

#include "output/put.h"

void json_row_init(struct json_row *j, const struct output *o)
{
    j->row_octets_max = 3;
    for (unsigned i = 0; i < o->column_count; i++) {
        text_json(&j->keys, o->column[i].name, strlen(o->column[i].name));
        text_char(&j->keys, ':');
        j->key_end[i] = j->keys.size;
        j->row_octets_max += PUT_VALUE_MAX + 4;
    }
    j->row_octets_max += j->keys.size;
}

void json_row_fini(struct json_row *j)
{
    text_fini(&j->keys);
}

static bool is_quoted(const struct output *o, const struct output_column *c)
{
    enum value_type type = c->type->type;
    return c->is_flags_text || type == T_ADDRESS || type == T_MAC ||
           (type == T_TIME && o->time == OUTPUT_ISO);
}

/* A value that JSON has no word for counts as none. */
static bool is_absent(const struct output_column *c, const void *value)
{
    double number;
    if (c->type->type != T_F64)
        return false;
    memcpy(&number, value, sizeof number);
    return !isfinite(number);
}

void json_row_put(const struct json_row *j, struct output *o, const struct record_batch *batch,
                  unsigned row)
{
    struct text *t = &o->text;
    char *at = text_reserve(t, j->row_octets_max);
    if (at == NULL || j->keys.is_bad) {
        t->is_bad = true;
        return;
    }
    *at++ = '{';
    for (unsigned i = 0; i < o->column_count; i++) {
        const struct output_column *c = &o->column[i];
        if (record_is_null(batch, c->index, row))
            continue;
        const void *value = record_value(batch, c->index, row);
        if (is_absent(c, value))
            continue;
        size_t key = i > 0 ? j->key_end[i - 1] : 0, key_size = j->key_end[i] - key;
        if (at[-1] != '{')
            *at++ = ',';
        memcpy(at, j->keys.data + key, key_size);
        at += key_size;
        if (c->type->type == T_TEXT) {
            const struct bytes *text = value;
            t->size = (size_t)(at - t->data);
            text_json(t, (const char *)text->data, text->size);
            if ((at = text_reserve(t, j->row_octets_max)) == NULL)
                return;
            continue;
        }
        bool quoted = is_quoted(o, c);
        if (quoted)
            *at++ = '"';
        at = put_plain(at, o, c, value);
        if (quoted)
            *at++ = '"';
    }
    *at++ = '}';
    t->size = (size_t)(at - t->data);
}
