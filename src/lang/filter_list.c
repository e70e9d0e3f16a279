/* Lists of a filter: "[ a b, c ]" to sets. See filter_parser.h. */
#include <stdlib.h>

#include "lang/filter_parser.h"

/* Growing array for the items of a list. */
struct items {
    void *data;
    size_t count, room, item_size;
};

static void *items_add(struct parser *p, struct items *items)
{
    if (items->count == items->room) {
        items->room = items->room ? 2 * items->room : 16;
        void *grown = realloc(items->data, items->room * items->item_size);
        if (grown == NULL) {
            err_memory(p->e, "list of a filter", items->room * items->item_size);
            return NULL;
        }
        items->data = grown;
    }
    return (uint8_t *)items->data + items->count++ * items->item_size;
}

bool parser_list_goes_on(struct parser *p, bool *is_failed)
{
    while (parser_token(p)->kind == TOKEN_COMMA)
        if (!parser_next(p)) {
            *is_failed = true;
            return false;
        }
    if (parser_token(p)->kind == TOKEN_END) {
        parser_expected(p, "']' at the end of the list");
        *is_failed = true;
        return false;
    }
    if (parser_token(p)->kind != TOKEN_LIST_END)
        return true;
    *is_failed = !parser_next(p);
    return false;
}

struct node *parser_address_list(struct parser *p, struct node *node)
{
    struct items items = { .item_size = sizeof(struct prefix) };
    bool is_failed = false;
    while (parser_list_goes_on(p, &is_failed)) {
        struct prefix *prefix = items_add(p, &items);
        is_failed = prefix == NULL || !parser_prefix(p, prefix) || !parser_next(p);
        if (is_failed)
            break;
    }
    if (is_failed) {
        free(items.data);
        return NULL;
    }
    node->addresses = address_set_new_take(items.data, items.count);
    if (node->addresses == NULL)
        err_memory(p->e, "list of a filter", items.count * items.item_size);
    return node->addresses != NULL ? node : NULL;
}

struct node *parser_number_list(struct parser *p, struct node *node, const char *name)
{
    struct items items = { .item_size = sizeof(struct range128) };
    bool is_failed = false;
    enum value_type type = fields[node->field[0]].type;
    while (parser_list_goes_on(p, &is_failed)) {
        struct range128 *range = items_add(p, &items);
        uint64_t value = 0;
        is_failed = range == NULL || !parser_number(p, type, name, &value) || !parser_next(p);
        if (is_failed)
            break;
        *range = (struct range128){ value, value };
    }
    if (is_failed) {
        free(items.data);
        return NULL;
    }
    node->low = 1; /* nothing but the set */
    if (number_set_init_take(&node->numbers, items.data, items.count, false))
        return node;
    err_memory(p->e, "list of a filter", items.count * items.item_size);
    return NULL;
}

struct node *parser_one_address(struct parser *p, struct node *node, const struct prefix *prefix)
{
    struct prefix *copy = malloc(sizeof *copy);
    if (copy != NULL) {
        *copy = *prefix;
        node->addresses = address_set_new_take(copy, 1);
    }
    if (node->addresses == NULL)
        err_memory(p->e, "filter", sizeof *copy);
    return node->addresses != NULL ? node : NULL;
}
