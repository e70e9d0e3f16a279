/* Tokens to words, nodes and values, see filter_parser.h. */
#include <ctype.h>
#include <stdlib.h>

#include "lang/filter_parser.h"

bool parser_next(struct parser *p)
{
    return lexer_next(&p->lexer, p->e) == 0;
}

const char *token_word(const struct token *t, char to[WORD_MAX])
{
    size_t size = t->size < WORD_MAX - 1 ? t->size : WORD_MAX - 1;
    memcpy(to, t->at, size);
    to[size] = '\0';
    return to;
}

struct node *parser_expected(struct parser *p, const char *what)
{
    char word[WORD_MAX];
    const struct token *t = parser_token(p);
    if (t->kind == TOKEN_END)
        lexer_fail(&p->lexer, t, p->e, "expected %s, but the filter ends", what);
    else
        lexer_fail(&p->lexer, t, p->e, "expected %s, got '%s'", what, token_word(t, word));
    return NULL;
}

struct node *parser_node(struct parser *p, enum node_kind kind)
{
    if (++p->node_count > FILTER_NODES_MAX) {
        lexer_fail(&p->lexer, parser_token(p), p->e,
                   "more than %u conditions; put addresses into lists: ip in [ ... ]",
                   FILTER_NODES_MAX);
        return NULL;
    }
    struct node *node = arena_take(&p->filter->arena, sizeof *node);
    if (node == NULL) {
        err_memory(p->e, "filter", sizeof *node);
        return NULL;
    }
    node->kind = kind;
    node->mask = UINT64_MAX;
    node->made_before = p->filter->made_last;
    p->filter->made_last = node;
    return node;
}

/* ---- values ---- */

static uint64_t largest(enum value_type type)
{
    switch (value_size(type)) {
    case 1:
        return UINT8_MAX;
    case 2:
        return UINT16_MAX;
    case 4:
        return UINT32_MAX;
    default:
        return UINT64_MAX;
    }
}

/* Words that stand for numbers; -1 if it is none. */
static int number_name(enum value_type type, const char *word)
{
    static const char *const reasons[] = { "", "idle", "active", "end", "forced", "resources" };
    if (type == T_PROTO)
        return protocol_number(word);
    for (unsigned i = 1; type == T_REASON && i < sizeof reasons / sizeof *reasons; i++)
        if (strcasecmp(word, reasons[i]) == 0)
            return (int)i;
    return -1;
}

/* A number for a field of `type` named `name` at the present token. */
bool parser_number(struct parser *p, enum value_type type, const char *name, uint64_t *value)
{
    char word[WORD_MAX];
    const struct token *t = parser_token(p);
    if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING) {
        parser_expected(p, type == T_PROTO ? "a protocol" : type == T_TIME ? "a time" : "a number");
        return false;
    }
    token_word(t, word);
    if (type == T_TIME) {
        int64_t ns;
        struct err reason;
        if (parse_instant(word, &ns, name, &reason) != 0) {
            lexer_fail(&p->lexer, t, p->e, "%s", reason.text);
            return false;
        }
        *value = (uint64_t)ns + TIME_BIAS;
        return true;
    }
    char *end = word;
    int named = number_name(type, word);
    if (named >= 0)
        *value = (uint64_t)named;
    else if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X') &&
             isxdigit((unsigned char)word[2]))
        *value = strtoull(word, &end, 16);
    else if (!isdigit((unsigned char)word[0]) || parse_size(word, value, name, NULL) != 0)
        end = NULL;
    if (end == NULL || (end != word && *end != '\0')) {
        lexer_fail(&p->lexer, t, p->e, "'%s' is no %s; write for example %s", word,
                   type == T_PROTO ? "protocol" : "number",
                   type == T_PROTO ? "tcp or 6"
                   : type == T_U64 ? "1000 or 1k"
                                   : "1000");
        return false;
    }
    if (*value > largest(type)) {
        lexer_fail(&p->lexer, t, p->e, "%s cannot be %s, it ends at %llu", name, word,
                   (unsigned long long)largest(type));
        return false;
    }
    return true;
}

bool parser_prefix(struct parser *p, struct prefix *prefix)
{
    char word[WORD_MAX];
    const struct token *t = parser_token(p);
    if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING) {
        parser_expected(p, "an address");
        return false;
    }
    if (prefix_parse(t->at, t->size, prefix))
        return true;
    token_word(t, word);
    bool is_name = isalpha((unsigned char)word[0]) && strchr(word, ':') == NULL;
    lexer_fail(&p->lexer, t, p->e,
               "'%s' is no address%s; write for example 192.0.2.1 or 2001:db8::/32", word,
               is_name ? ", and names are not looked up" : "");
    return false;
}

bool parser_mac(struct parser *p, struct mac *mac)
{
    char word[WORD_MAX];
    const struct token *t = parser_token(p);
    if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING) {
        parser_expected(p, "a MAC address");
        return false;
    }
    token_word(t, word);
    unsigned count = 0;
    for (const char *at = word; *at != '\0' && count < 6; count++) {
        char *end;
        unsigned long value = isxdigit((unsigned char)*at) ? strtoul(at, &end, 16) : 256;
        if (value > 255 || (*end != (count == 5 ? '\0' : ':') && *end != (count == 5 ? '\0' : '-')))
            break;
        mac->octet[count] = (uint8_t)value;
        at = *end != '\0' ? end + 1 : end;
    }
    if (count == 6)
        return true;
    lexer_fail(&p->lexer, t, p->e, "'%s' is no MAC address; write for example 00:53:00:12:34:56",
               word);
    return false;
}

bool token_flags(const struct token *t, uint64_t *bits)
{
    static const char letters[] = "FSRPAUEC";
    *bits = 0;
    for (size_t i = 0; i < t->size; i++) {
        const char *at = strchr(letters, toupper((unsigned char)t->at[i]));
        if (toupper((unsigned char)t->at[i]) == 'X')
            *bits |= 63;
        else if (at == NULL || t->at[i] == '\0')
            return false;
        else
            *bits |= UINT64_C(1) << (at - letters);
    }
    return t->size > 0;
}
