/* The parser of filters: what its files share. */
#ifndef WEIR_FILTER_PARSER_H
#define WEIR_FILTER_PARSER_H

#include <string.h>
#include <strings.h>

#include "lang/filter.h"

#define TIME_BIAS (UINT64_C(1) << 63)
#define WORD_MAX  128

struct parser {
    struct lexer lexer;
    struct filter *filter;
    unsigned depth, node_count;
    struct err *e;
};

static inline const struct token *parser_token(const struct parser *p)
{
    return &p->lexer.token;
}

static inline bool token_is(const struct token *t, const char *word)
{
    return t->kind == TOKEN_WORD && t->size == strlen(word) &&
           strncasecmp(t->at, word, t->size) == 0;
}

/* Moves on by a token; false with the error set. */
bool parser_next(struct parser *p);
/* The token's text with a final NUL, shortened to what fits. */
const char *token_word(const struct token *t, char to[WORD_MAX]);
/* "expected WHAT, got 'X'" at the present token; NULL, so that parse functions can return it. */
struct node *parser_expected(struct parser *p, const char *what);
/* A node of the filter; NULL with the error set. */
struct node *parser_node(struct parser *p, enum node_kind kind);

/* Values at the present token, which stays; false with the error set. `name` is the field's. */
bool parser_number(struct parser *p, enum value_type type, const char *name, uint64_t *value);
bool parser_prefix(struct parser *p, struct prefix *prefix);
bool parser_mac(struct parser *p, struct mac *mac);
/* "SF" as bits; false if a letter is none of them. */
bool token_flags(const struct token *t, uint64_t *bits);

/* Behind the '[' of a list: true at its next item, false past its end or with *is_failed. */
bool parser_list_goes_on(struct parser *p, bool *is_failed);
/* The rest of a list, or one prefix, as what `node` compares with; NULL with the error set. */
struct node *parser_address_list(struct parser *p, struct node *node);
struct node *parser_number_list(struct parser *p, struct node *node, const char *name);
struct node *parser_one_address(struct parser *p, struct node *node, const struct prefix *prefix);

/* One condition (filter_condition.c). */
struct node *parser_condition(struct parser *p);

#endif
