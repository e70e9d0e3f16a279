/* Filter text to a tree: recursive descent over the tokens, see lang.h for the language. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
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

/* What stands behind a word of the language. */
enum operand {
    OPERAND_FIELD,   /* [COMP] VALUE or in [ ] of the field's type */
    OPERAND_NET,     /* NET/BITS or NET MASK */
    OPERAND_VERSION, /* nothing: low is 4 or 6 */
    OPERAND_ANY,     /* nothing */
    OPERAND_VIA,     /* "ip" and then a field */
    OPERAND_RATE,    /* [COMP] NUMBER */
    OPERAND_ICMP,    /* [COMP] NUMBER of a part of dport */
    OPERAND_MISSING, /* nfdump's, but there is no column for it */
};

enum side { SIDE_EITHER, SIDE_FIRST, SIDE_SECOND, SIDE_BOTH };

struct primitive {
    const char *word;
    enum operand operand;
    enum field_id first, second; /* second: FIELD_NONE unless the thing has two sides */
    unsigned detail;             /* version, enum rate, shift */
};

static const struct primitive primitives[] = {
    { "any", OPERAND_ANY, FIELD_NONE, FIELD_NONE, 0 },
    { "ipv4", OPERAND_VERSION, FIELD_src, FIELD_NONE, 4 },
    { "inet", OPERAND_VERSION, FIELD_src, FIELD_NONE, 4 },
    { "ipv6", OPERAND_VERSION, FIELD_src, FIELD_NONE, 6 },
    { "inet6", OPERAND_VERSION, FIELD_src, FIELD_NONE, 6 },
    { "proto", OPERAND_FIELD, FIELD_proto, FIELD_NONE, 0 },
    { "ip", OPERAND_FIELD, FIELD_src, FIELD_dst, 0 },
    { "host", OPERAND_FIELD, FIELD_src, FIELD_dst, 0 },
    { "net", OPERAND_NET, FIELD_src, FIELD_dst, 0 },
    { "port", OPERAND_FIELD, FIELD_sport, FIELD_dport, 0 },
    { "as", OPERAND_FIELD, FIELD_src_as, FIELD_dst_as, 0 },
    { "if", OPERAND_FIELD, FIELD_in_if, FIELD_out_if, 0 },
    { "mask", OPERAND_FIELD, FIELD_src_mask, FIELD_dst_mask, 0 },
    { "mac", OPERAND_FIELD, FIELD_src_mac, FIELD_dst_mac, 0 },
    { "vlan", OPERAND_FIELD, FIELD_vlan, FIELD_NONE, 0 },
    { "tos", OPERAND_FIELD, FIELD_tos, FIELD_NONE, 0 },
    { "flags", OPERAND_FIELD, FIELD_flags, FIELD_NONE, 0 },
    { "next", OPERAND_VIA, FIELD_next_hop, FIELD_NONE, 0 },
    { "router", OPERAND_VIA, FIELD_exporter, FIELD_NONE, 0 },
    { "packets", OPERAND_FIELD, FIELD_packets, FIELD_NONE, 0 },
    { "bytes", OPERAND_FIELD, FIELD_bytes, FIELD_NONE, 0 },
    { "flows", OPERAND_FIELD, FIELD_flows, FIELD_NONE, 0 },
    { "flow", OPERAND_FIELD, FIELD_flows, FIELD_NONE, 0 },
    { "duration", OPERAND_RATE, FIELD_start, FIELD_NONE, RATE_DURATION },
    { "pps", OPERAND_RATE, FIELD_packets, FIELD_NONE, RATE_PPS },
    { "bps", OPERAND_RATE, FIELD_bytes, FIELD_NONE, RATE_BPS },
    { "bpp", OPERAND_RATE, FIELD_bytes, FIELD_NONE, RATE_BPP },
    { "icmp-type", OPERAND_ICMP, FIELD_dport, FIELD_NONE, 8 },
    { "icmp-code", OPERAND_ICMP, FIELD_dport, FIELD_NONE, 0 },
    { "geo", OPERAND_MISSING, FIELD_NONE, FIELD_NONE, 0 },
    { "mpls", OPERAND_MISSING, FIELD_NONE, FIELD_NONE, 0 },
    { "ident", OPERAND_MISSING, FIELD_NONE, FIELD_NONE, 0 },
    { "count", OPERAND_MISSING, FIELD_NONE, FIELD_NONE, 0 },
    { "flowdir", OPERAND_MISSING, FIELD_NONE, FIELD_NONE, 0 },
    { "payload", OPERAND_MISSING, FIELD_NONE, FIELD_NONE, 0 },
    { "bgpnext", OPERAND_MISSING, FIELD_NONE, FIELD_NONE, 0 },
    { "engine", OPERAND_MISSING, FIELD_NONE, FIELD_NONE, 0 },
};
#define PRIMITIVES (sizeof primitives / sizeof *primitives)

static const struct token *token_of(const struct parser *p)
{
    return &p->lexer.token;
}

static bool token_is(const struct token *t, const char *word)
{
    return t->kind == TOKEN_WORD && t->size == strlen(word) &&
           strncasecmp(t->at, word, t->size) == 0;
}

static bool next(struct parser *p)
{
    return lexer_next(&p->lexer, p->e) == 0;
}

/* The token's text with a final NUL, shortened to what fits. */
static const char *word_of(const struct token *t, char to[WORD_MAX])
{
    size_t size = t->size < WORD_MAX - 1 ? t->size : WORD_MAX - 1;
    memcpy(to, t->at, size);
    to[size] = '\0';
    return to;
}

/* "expected X, got Y" at the present token; NULL, so that parse functions can return it. */
static struct node *expected(struct parser *p, const char *what)
{
    char word[WORD_MAX];
    const struct token *t = token_of(p);
    if (t->kind == TOKEN_END)
        lexer_fail(&p->lexer, t, p->e, "expected %s, but the filter ends", what);
    else
        lexer_fail(&p->lexer, t, p->e, "expected %s, got '%s'", what, word_of(t, word));
    return NULL;
}

static struct node *node_new(struct parser *p, enum node_kind kind)
{
    if (++p->node_count > FILTER_NODES_MAX) {
        lexer_fail(&p->lexer, token_of(p), p->e,
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

/* A condition about one or two fields. `!=` of both sides means that neither is equal. */
static struct node *condition_new(struct parser *p, enum node_kind kind, const struct primitive *of,
                                  enum side side, enum compare compare)
{
    struct node *node = node_new(p, kind);
    if (node == NULL)
        return NULL;
    node->is_outside = compare == COMPARE_NE;
    node->is_both = side == SIDE_BOTH || (side == SIDE_EITHER && node->is_outside);
    if (side != SIDE_SECOND)
        node->field[node->field_count++] = of->first;
    if (of->second != FIELD_NONE && side != SIDE_FIRST)
        node->field[node->field_count++] = of->second;
    return node;
}

static void set_range(struct node *node, enum compare compare, uint64_t value)
{
    bool is_open = compare == COMPARE_GT || compare == COMPARE_GE;
    node->low = is_open ? value : compare == COMPARE_LT || compare == COMPARE_LE ? 0 : value;
    node->high = is_open ? UINT64_MAX : value;
    bool is_empty =
        (compare == COMPARE_GT && value == UINT64_MAX) || (compare == COMPARE_LT && value == 0);
    if (is_empty) {
        node->low = 1;
        node->high = 0;
    } else if (compare == COMPARE_GT) {
        node->low = value + 1;
    } else if (compare == COMPARE_LT) {
        node->high = value - 1;
    }
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
static bool read_number(struct parser *p, enum value_type type, const char *name, uint64_t *value)
{
    char word[WORD_MAX];
    const struct token *t = token_of(p);
    if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING) {
        expected(p, type == T_PROTO ? "a protocol" : type == T_TIME ? "a time" : "a number");
        return false;
    }
    word_of(t, word);
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

static bool read_prefix(struct parser *p, struct prefix *prefix)
{
    char word[WORD_MAX];
    const struct token *t = token_of(p);
    if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING) {
        expected(p, "an address");
        return false;
    }
    if (prefix_parse(t->at, t->size, prefix))
        return true;
    word_of(t, word);
    bool is_name = isalpha((unsigned char)word[0]) && strchr(word, ':') == NULL;
    lexer_fail(&p->lexer, t, p->e,
               "'%s' is no address%s; write for example 192.0.2.1 or 2001:db8::/32", word,
               is_name ? ", and names are not looked up" : "");
    return false;
}

static bool read_mac(struct parser *p, struct mac *mac)
{
    char word[WORD_MAX];
    const struct token *t = token_of(p);
    if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING) {
        expected(p, "a MAC address");
        return false;
    }
    word_of(t, word);
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

/* "SF" as bits; false if a letter is none of them. */
static bool read_flags(const struct token *t, uint64_t *bits)
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

/* ---- one condition ---- */

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

/* At the end of a list: past the ']'. Else at its next item. */
static bool list_goes_on(struct parser *p, bool *is_failed)
{
    while (token_of(p)->kind == TOKEN_COMMA)
        if (!next(p)) {
            *is_failed = true;
            return false;
        }
    if (token_of(p)->kind == TOKEN_END) {
        expected(p, "']' at the end of the list");
        *is_failed = true;
        return false;
    }
    if (token_of(p)->kind != TOKEN_LIST_END)
        return true;
    *is_failed = !next(p);
    return false;
}

static struct node *address_list(struct parser *p, struct node *node)
{
    struct items items = { .item_size = sizeof(struct prefix) };
    bool is_failed = false;
    while (list_goes_on(p, &is_failed)) {
        struct prefix *prefix = items_add(p, &items);
        is_failed = prefix == NULL || !read_prefix(p, prefix) || !next(p);
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

static struct node *number_list(struct parser *p, struct node *node, const char *name)
{
    struct items items = { .item_size = sizeof(struct range128) };
    bool is_failed = false;
    enum value_type type = fields[node->field[0]].type;
    while (list_goes_on(p, &is_failed)) {
        struct range128 *range = items_add(p, &items);
        uint64_t value = 0;
        is_failed = range == NULL || !read_number(p, type, name, &value) || !next(p);
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

static struct node *one_address(struct parser *p, struct node *node, const struct prefix *prefix)
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

/* One value of the kind that `node` compares. */
static struct node *one_value(struct parser *p, struct node *node, enum compare compare,
                              const char *name)
{
    struct prefix prefix;
    uint64_t number;
    const struct token *t = token_of(p);
    switch (node->kind) {
    case NODE_ADDRESS:
        return read_prefix(p, &prefix) && one_address(p, node, &prefix) && next(p) ? node : NULL;
    case NODE_MAC:
        return read_mac(p, &node->mac) && next(p) ? node : NULL;
    case NODE_TEXT:
        if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING)
            return expected(p, "a text");
        node->text = arena_text(&p->filter->arena, t->at, t->size);
        if (node->text == NULL)
            err_memory(p->e, "filter", t->size);
        return node->text != NULL && next(p) ? node : NULL;
    default:
        if (!read_number(p, fields[node->field[0]].type, name, &number))
            return NULL;
        set_range(node, compare, number);
        return next(p) ? node : NULL;
    }
}

static enum node_kind kind_of(enum value_type type)
{
    return type == T_ADDRESS ? NODE_ADDRESS
           : type == T_MAC   ? NODE_MAC
           : type == T_TEXT  ? NODE_TEXT
                             : NODE_NUMBER;
}

/* MAC addresses and texts in a list: one condition each. */
static struct node *list_of_conditions(struct parser *p, const struct primitive *of, enum side side)
{
    struct node *list = node_new(p, NODE_OR);
    struct node **last = list != NULL ? &list->child : NULL;
    bool is_failed = list == NULL;
    while (!is_failed && list_goes_on(p, &is_failed)) {
        struct node *node = condition_new(p, kind_of(fields[of->first].type), of, side, COMPARE_EQ);
        is_failed = node == NULL || one_value(p, node, COMPARE_EQ, of->word) == NULL;
        *last = node;
        if (node != NULL)
            last = &node->next;
    }
    return is_failed ? NULL : list;
}

static struct node *field_condition(struct parser *p, const struct primitive *of, enum side side)
{
    enum value_type type = fields[of->first].type;
    enum node_kind kind = kind_of(type);
    const struct token *t = token_of(p);
    uint64_t bits;
    if (token_is(t, "in")) {
        if (!next(p))
            return NULL;
        if (t->kind != TOKEN_LIST)
            return expected(p, "'['");
        if (!next(p))
            return NULL;
        if (kind != NODE_ADDRESS && kind != NODE_NUMBER)
            return list_of_conditions(p, of, side);
        struct node *node = condition_new(p, kind, of, side, COMPARE_EQ);
        if (node == NULL)
            return NULL;
        node->is_signed = type == T_TIME;
        return kind == NODE_ADDRESS ? address_list(p, node) : number_list(p, node, of->word);
    }
    if (type == T_FLAGS && t->kind == TOKEN_WORD && read_flags(t, &bits)) {
        struct node *node = condition_new(p, NODE_FLAGS, of, side, COMPARE_EQ);
        if (node != NULL)
            node->low = bits;
        return node != NULL && next(p) ? node : NULL;
    }
    enum compare compare = COMPARE_EQ;
    if (t->kind == TOKEN_COMPARE) {
        compare = t->compare;
        if (kind != NODE_NUMBER && compare != COMPARE_EQ && compare != COMPARE_NE) {
            lexer_fail(&p->lexer, t, p->e, "%s can only be = or !=", of->word);
            return NULL;
        }
        if (!next(p))
            return NULL;
    }
    struct node *node = condition_new(p, kind, of, side, compare);
    if (node == NULL)
        return NULL;
    node->is_signed = type == T_TIME;
    return one_value(p, node, compare, of->word);
}

/* "255.255.0.0" as 16; -1 if the ones are not in front. */
static int mask_bits(const struct prefix *mask)
{
    uint32_t bits = (uint32_t)(mask->word[0] >> 32), inverse = ~bits;
    if (mask->version != 4 || mask->bits != 32 || (inverse & (inverse + 1)) != 0)
        return -1;
    return __builtin_popcount(bits);
}

static struct node *net_condition(struct parser *p, const struct primitive *of, enum side side)
{
    struct node *node = condition_new(p, NODE_ADDRESS, of, side, COMPARE_EQ);
    struct prefix prefix, mask;
    if (node == NULL)
        return NULL;
    struct token at = *token_of(p);
    if (!read_prefix(p, &prefix) || !next(p))
        return NULL;
    const struct token *t = token_of(p);
    if (memchr(at.at, '/', at.size) == NULL) {
        if (prefix.version == 6 || t->kind != TOKEN_WORD || !prefix_parse(t->at, t->size, &mask)) {
            lexer_fail(&p->lexer, &at, p->e,
                       "a net needs a length; write for example net 192.0.2.0/24 or net 192.0.2.0 "
                       "255.255.255.0");
            return NULL;
        }
        int bits = mask_bits(&mask);
        if (bits < 0) {
            lexer_fail(&p->lexer, t, p->e,
                       "the ones of a net mask stand in front; write for example 255.255.255.0");
            return NULL;
        }
        prefix.bits = (uint8_t)bits;
        prefix.word[0] &= bits == 0 ? 0 : UINT64_MAX << (64 - bits);
        if (!next(p))
            return NULL;
    }
    return one_address(p, node, &prefix);
}

static bool read_compare(struct parser *p, enum compare *compare)
{
    *compare = COMPARE_EQ;
    if (token_of(p)->kind != TOKEN_COMPARE)
        return true;
    *compare = token_of(p)->compare;
    return next(p);
}

static struct node *rate_condition(struct parser *p, const struct primitive *of)
{
    enum compare compare;
    uint64_t value;
    if (!read_compare(p, &compare))
        return NULL;
    struct node *node = node_new(p, NODE_RATE);
    if (node == NULL || !read_number(p, T_U64, of->word, &value))
        return NULL;
    node->rate = (enum rate)of->detail;
    node->is_outside = compare == COMPARE_NE;
    set_range(node, compare, value);
    return next(p) ? node : NULL;
}

/* icmp-type and icmp-code: parts of dport in ICMP and ICMPv6 records. */
static struct node *icmp_condition(struct parser *p, const struct primitive *of)
{
    static const struct primitive protocol = { "proto", OPERAND_FIELD, FIELD_proto, FIELD_NONE, 0 };
    enum compare compare;
    uint64_t value;
    if (!read_compare(p, &compare) || !read_number(p, T_U8, of->word, &value))
        return NULL;
    struct node *both = node_new(p, NODE_AND), *either = node_new(p, NODE_OR);
    struct node *icmp = condition_new(p, NODE_NUMBER, &protocol, SIDE_FIRST, COMPARE_EQ);
    struct node *icmp6 = condition_new(p, NODE_NUMBER, &protocol, SIDE_FIRST, COMPARE_EQ);
    struct node *part = condition_new(p, NODE_NUMBER, of, SIDE_FIRST, compare);
    if (both == NULL || either == NULL || icmp == NULL || icmp6 == NULL || part == NULL)
        return NULL;
    set_range(icmp, COMPARE_EQ, 1);
    set_range(icmp6, COMPARE_EQ, 58);
    set_range(part, compare, value);
    part->shift = (uint8_t)of->detail;
    part->mask = 255;
    icmp->next = icmp6;
    either->child = icmp;
    either->next = part;
    both->child = either;
    return next(p) ? both : NULL;
}

static struct node *primitive_condition(struct parser *p, const struct primitive *of,
                                        enum side side, const struct token *word)
{
    struct node *node;
    char name[WORD_MAX];
    switch (of->operand) {
    case OPERAND_FIELD:
        return field_condition(p, of, side);
    case OPERAND_NET:
        return net_condition(p, of, side);
    case OPERAND_ANY:
        return node_new(p, NODE_ANY);
    case OPERAND_VERSION:
        node = condition_new(p, NODE_VERSION, of, SIDE_FIRST, COMPARE_EQ);
        if (node != NULL)
            node->low = of->detail;
        return node;
    case OPERAND_VIA:
        if (!token_is(token_of(p), "ip") && !token_is(token_of(p), "host"))
            return expected(p, "'ip'");
        return next(p) ? field_condition(p, of, SIDE_FIRST) : NULL;
    case OPERAND_RATE:
        return rate_condition(p, of);
    case OPERAND_ICMP:
        return icmp_condition(p, of);
    case OPERAND_MISSING:
        break;
    }
    word_of(word, name);
    lexer_fail(&p->lexer, word, p->e,
               "flow records have no column for '%s'; 'weir schema' shows what they have", name);
    return NULL;
}

static struct node *unknown_word(struct parser *p, const struct token *word)
{
    const char *names[PRIMITIVES + FIELD_COUNT + 3] = { "src", "dst", "not" };
    size_t count = 3;
    char name[WORD_MAX];
    word_of(word, name);
    for (size_t i = 0; i < PRIMITIVES; i++)
        if (primitives[i].operand != OPERAND_MISSING)
            names[count++] = primitives[i].word;
    const struct record_type *flow = &record_types[RECORD_flow];
    for (unsigned i = 0; i < flow->column_count; i++)
        names[count++] = flow->column[i].name;
    const char *nearest = text_nearest(name, names, count);
    if (nearest != NULL)
        lexer_fail(&p->lexer, word, p->e, "no word '%s'; did you mean '%s'?", name, nearest);
    else
        lexer_fail(&p->lexer, word, p->e,
                   "no word '%s'; a condition begins for example with ip, net, port, proto, bytes "
                   "or a column ('weir schema')",
                   name);
    return NULL;
}

/* A column, or a protocol's name on its own. */
static struct node *column_condition(struct parser *p, const struct token *word)
{
    char name[WORD_MAX];
    word_of(word, name);
    const struct record_type *flow = &record_types[RECORD_flow];
    for (unsigned i = 0; i < flow->column_count; i++) {
        enum field_id id = flow->column[i].field;
        if (strcasecmp(name, fields[id].column) == 0 || strcasecmp(name, fields[id].name) == 0) {
            struct primitive of = { fields[id].column, OPERAND_FIELD, id, FIELD_NONE, 0 };
            return field_condition(p, &of, SIDE_FIRST);
        }
    }
    int protocol = protocol_number(name);
    if (protocol < 0)
        return unknown_word(p, word);
    struct primitive of = { "proto", OPERAND_FIELD, FIELD_proto, FIELD_NONE, 0 };
    struct node *node = condition_new(p, NODE_NUMBER, &of, SIDE_FIRST, COMPARE_EQ);
    if (node != NULL)
        set_range(node, COMPARE_EQ, (uint64_t)protocol);
    return node;
}

static const struct primitive *find_primitive(const struct token *t)
{
    for (size_t i = 0; i < PRIMITIVES; i++)
        if (token_is(t, primitives[i].word))
            return &primitives[i];
    return NULL;
}

/* Behind the first of two sides: "and dst", "or dst" make it both or either. */
static bool read_second_side(struct parser *p, bool is_interface, enum side *side)
{
    enum token_kind kind = token_of(p)->kind;
    if (kind != TOKEN_AND && kind != TOKEN_OR)
        return true;
    if (!next(p))
        return false;
    if (!token_is(token_of(p), is_interface ? "out" : "dst")) {
        expected(p, is_interface ? "'out'" : "'dst'");
        return false;
    }
    *side = kind == TOKEN_AND ? SIDE_BOTH : SIDE_EITHER;
    return next(p);
}

/* src, dst, in or out, and then what has two sides. */
static struct node *sided_condition(struct parser *p, const struct token *word)
{
    bool is_first = token_is(word, "src") || token_is(word, "in");
    bool is_interface = token_is(word, "in") || token_is(word, "out");
    enum side side = is_first ? SIDE_FIRST : SIDE_SECOND;
    const struct token *t = token_of(p);
    struct prefix ignored;
    if (!is_interface && (t->kind == TOKEN_COMPARE || token_is(t, "in") ||
                          (t->kind == TOKEN_WORD && prefix_parse(t->at, t->size, &ignored))))
        return column_condition(p, word);
    if (is_first && !read_second_side(p, is_interface, &side))
        return NULL;
    struct token name = *t;
    if (is_interface && (token_is(t, "src") || token_is(t, "dst"))) { /* nfdump's "in src mac" */
        if (!next(p))
            return NULL;
        return sided_condition(p, &name);
    }
    const struct primitive *of = find_primitive(t);
    bool fits = of != NULL &&
                (of->second != FIELD_NONE || of->first == FIELD_vlan || of->first == FIELD_tos) &&
                (of->first == FIELD_in_if) == is_interface;
    if (!fits && of != NULL && of->operand == OPERAND_MISSING)
        return primitive_condition(p, of, side, &name);
    if (!fits)
        return expected(p, is_interface ? "'if'" : "ip, net, port, as, mask or mac");
    if (of->second == FIELD_NONE && side != SIDE_FIRST) {
        lexer_fail(&p->lexer, &name, p->e, "flow records have one %s only; leave '%.*s' out",
                   of->word, (int)word->size, word->at);
        return NULL;
    }
    return next(p) ? primitive_condition(p, of, side, &name) : NULL;
}

static struct node *parse_condition(struct parser *p)
{
    struct token word = *token_of(p);
    if (word.kind != TOKEN_WORD)
        return expected(p, "a condition");
    if (!next(p))
        return NULL;
    if (token_is(&word, "src") || token_is(&word, "dst") || token_is(&word, "in") ||
        token_is(&word, "out"))
        return sided_condition(p, &word);
    const struct primitive *of = find_primitive(&word);
    return of != NULL ? primitive_condition(p, of, SIDE_EITHER, &word) : column_condition(p, &word);
}

/* ---- and, or, not, ( ) ---- */

static struct node *parse_or(struct parser *p);

static struct node *parse_unary(struct parser *p)
{
    enum token_kind kind = token_of(p)->kind;
    if (kind != TOKEN_NOT && kind != TOKEN_OPEN)
        return parse_condition(p);
    if (++p->depth > FILTER_DEPTH_MAX) {
        lexer_fail(&p->lexer, token_of(p), p->e,
                   "more than %u parentheses and 'not' inside each other", FILTER_DEPTH_MAX);
        return NULL;
    }
    if (!next(p))
        return NULL;
    struct node *node;
    if (kind == TOKEN_NOT) {
        struct node *child = parse_unary(p);
        node = child != NULL ? node_new(p, NODE_NOT) : NULL;
        if (node != NULL)
            node->child = child;
    } else {
        node = parse_or(p);
        if (node != NULL && token_of(p)->kind != TOKEN_CLOSE)
            return expected(p, "'and', 'or' or ')'");
        if (node != NULL && !next(p))
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
    if (first == NULL || token_of(p)->kind != joint)
        return first;
    struct node *chain = node_new(p, kind);
    if (chain == NULL)
        return NULL;
    chain->child = first;
    for (struct node *last = first; token_of(p)->kind == joint; last = last->next) {
        if (!next(p))
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
        made->root = token_of(p)->kind == TOKEN_END ? node_new(p, NODE_ANY) : parse_or(p);
        if (made->root != NULL && token_of(p)->kind != TOKEN_END)
            made->root = expected(p, "'and', 'or' or the end");
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
