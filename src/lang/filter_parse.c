/* Filter text to a tree: recursive descent over the tokens, see lang.h for the language. */
#include <stdlib.h>

#include "lang/filter_parser.h"

/* ---- and, or, not, ( ) ---- */

static struct node *parse_or(struct parser *p);

static struct node *parse_unary(struct parser *p)
{
    enum token_kind kind = parser_token(p)->kind;
    if (kind != TOKEN_NOT && kind != TOKEN_OPEN)
        return parser_condition(p);
    if (++p->depth > FILTER_DEPTH_MAX) {
        lexer_fail(&p->lexer, parser_token(p), p->e,
                   "more than %u parentheses and 'not' inside each other", FILTER_DEPTH_MAX);
        return NULL;
    }
    if (!parser_next(p))
        return NULL;
    struct node *node;
    if (kind == TOKEN_NOT) {
        struct node *child = parse_unary(p);
        node = child != NULL ? parser_node(p, NODE_NOT) : NULL;
        if (node != NULL)
            node->child = child;
    } else {
        node = parse_or(p);
        if (node != NULL && parser_token(p)->kind != TOKEN_CLOSE)
            return parser_expected(p, "'and', 'or' or ')'");
        if (node != NULL && !parser_next(p))
            return NULL;
    }
    p->depth--;
    return node;
}

/* One or more parts with `joint` between them: a flat list, so that long filters do not nest. */
static struct node *parse_chain(struct parser *p, enum token_kind joint, enum node_kind kind,
                                struct node *(*parse_part)(struct parser *))
{
    struct node *first = parse_part(p);
    if (first == NULL || parser_token(p)->kind != joint)
        return first;
    struct node *chain = parser_node(p, kind);
    if (chain == NULL)
        return NULL;
    chain->child = first;
    for (struct node *last = first; parser_token(p)->kind == joint; last = last->next) {
        if (!parser_next(p))
            return NULL;
        last->next = parse_part(p);
        if (last->next == NULL)
            return NULL;
    }
    return chain;
}

static struct node *parse_and(struct parser *p)
{
    return parse_chain(p, TOKEN_AND, NODE_AND, parse_unary);
}

static struct node *parse_or(struct parser *p)
{
    return parse_chain(p, TOKEN_OR, NODE_OR, parse_and);
}

/* ---- the filter ---- */

void filter_free(struct filter *filter)
{
    if (filter == NULL)
        return;
    for (struct node *node = filter->made_last; node != NULL; node = node->made_before) {
        number_set_fini(&node->numbers);
        address_set_free(node->addresses);
    }
    arena_fini(&filter->arena);
    free(filter);
}

int filter_parse(const char *text, struct filter **filter, struct err *e)
{
    struct err own;
    struct parser *p = calloc(1, sizeof *p);
    struct filter *made = calloc(1, sizeof *made);
    if (p == NULL || made == NULL) {
        free(p);
        free(made);
        return err_memory(e, "filter", sizeof *p);
    }
    *p = (struct parser){ .filter = made, .e = e != NULL ? e : &own };
    int code = lexer_init(&p->lexer, text, p->e);
    if (code == 0) {
        /* No words at all: everything passes, as in nfdump and tcpdump. */
        made->root = parser_token(p)->kind == TOKEN_END ? parser_node(p, NODE_ANY) : parse_or(p);
        if (made->root != NULL && parser_token(p)->kind != TOKEN_END)
            made->root = parser_expected(p, "'and', 'or' or the end");
        code = made->root == NULL ? p->e->code : 0;
    }
    lexer_fini(&p->lexer);
    free(p);
    if (code != 0) {
        filter_free(made);
        return code;
    }
    *filter = made;
    return 0;
}
