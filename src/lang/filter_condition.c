/* One condition of a filter: nfdump's words and the columns of the flow record, see lang.h. */
#include <stdlib.h>

#include "lang/filter_parser.h"

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

/* A condition about one or two fields. `!=` of both sides means that neither is equal. */
static struct node *condition_new(struct parser *p, enum node_kind kind, const struct primitive *of,
                                  enum side side, enum compare compare)
{
    struct node *node = parser_node(p, kind);
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

/* One value of the kind that `node` compares. */
static struct node *one_value(struct parser *p, struct node *node, enum compare compare,
                              const char *name)
{
    struct prefix prefix;
    uint64_t number;
    const struct token *t = parser_token(p);
    switch (node->kind) {
    case NODE_ADDRESS:
        return parser_prefix(p, &prefix) && parser_one_address(p, node, &prefix) && parser_next(p)
                   ? node
                   : NULL;
    case NODE_MAC:
        return parser_mac(p, &node->mac) && parser_next(p) ? node : NULL;
    case NODE_TEXT:
        if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING)
            return parser_expected(p, "a text");
        node->text = arena_text(&p->filter->arena, t->at, t->size);
        if (node->text == NULL)
            err_memory(p->e, "filter", t->size);
        return node->text != NULL && parser_next(p) ? node : NULL;
    default:
        if (!parser_number(p, fields[node->field[0]].type, name, &number))
            return NULL;
        set_range(node, compare, number);
        return parser_next(p) ? node : NULL;
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
    struct node *list = parser_node(p, NODE_OR);
    struct node **last = list != NULL ? &list->child : NULL;
    bool is_failed = list == NULL;
    while (!is_failed && parser_list_goes_on(p, &is_failed)) {
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
    const struct token *t = parser_token(p);
    uint64_t bits;
    if (token_is(t, "in")) {
        if (!parser_next(p))
            return NULL;
        if (t->kind != TOKEN_LIST)
            return parser_expected(p, "'['");
        if (!parser_next(p))
            return NULL;
        if (kind != NODE_ADDRESS && kind != NODE_NUMBER)
            return list_of_conditions(p, of, side);
        struct node *node = condition_new(p, kind, of, side, COMPARE_EQ);
        if (node == NULL)
            return NULL;
        node->is_signed = type == T_TIME;
        return kind == NODE_ADDRESS ? parser_address_list(p, node)
                                    : parser_number_list(p, node, of->word);
    }
    if (type == T_FLAGS && t->kind == TOKEN_WORD && token_flags(t, &bits)) {
        struct node *node = condition_new(p, NODE_FLAGS, of, side, COMPARE_EQ);
        if (node != NULL)
            node->low = bits;
        return node != NULL && parser_next(p) ? node : NULL;
    }
    enum compare compare = COMPARE_EQ;
    if (t->kind == TOKEN_COMPARE) {
        compare = t->compare;
        if (kind != NODE_NUMBER && compare != COMPARE_EQ && compare != COMPARE_NE) {
            lexer_fail(&p->lexer, t, p->e, "%s can only be = or !=", of->word);
            return NULL;
        }
        if (!parser_next(p))
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
    struct token at = *parser_token(p);
    if (!parser_prefix(p, &prefix) || !parser_next(p))
        return NULL;
    const struct token *t = parser_token(p);
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
        if (!parser_next(p))
            return NULL;
    }
    return parser_one_address(p, node, &prefix);
}

static bool read_compare(struct parser *p, enum compare *compare)
{
    *compare = COMPARE_EQ;
    if (parser_token(p)->kind != TOKEN_COMPARE)
        return true;
    *compare = parser_token(p)->compare;
    return parser_next(p);
}

static struct node *rate_condition(struct parser *p, const struct primitive *of)
{
    enum compare compare;
    uint64_t value;
    if (!read_compare(p, &compare))
        return NULL;
    struct node *node = parser_node(p, NODE_RATE);
    if (node == NULL || !parser_number(p, T_U64, of->word, &value))
        return NULL;
    node->rate = (enum rate)of->detail;
    node->is_outside = compare == COMPARE_NE;
    set_range(node, compare, value);
    return parser_next(p) ? node : NULL;
}

/* icmp-type and icmp-code: parts of dport in ICMP and ICMPv6 records. */
static struct node *icmp_condition(struct parser *p, const struct primitive *of)
{
    static const struct primitive protocol = { "proto", OPERAND_FIELD, FIELD_proto, FIELD_NONE, 0 };
    enum compare compare;
    uint64_t value;
    if (!read_compare(p, &compare) || !parser_number(p, T_U8, of->word, &value))
        return NULL;
    struct node *both = parser_node(p, NODE_AND), *either = parser_node(p, NODE_OR);
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
    return parser_next(p) ? both : NULL;
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
        return parser_node(p, NODE_ANY);
    case OPERAND_VERSION:
        node = condition_new(p, NODE_VERSION, of, SIDE_FIRST, COMPARE_EQ);
        if (node != NULL)
            node->low = of->detail;
        return node;
    case OPERAND_VIA:
        if (!token_is(parser_token(p), "ip") && !token_is(parser_token(p), "host"))
            return parser_expected(p, "'ip'");
        return parser_next(p) ? field_condition(p, of, SIDE_FIRST) : NULL;
    case OPERAND_RATE:
        return rate_condition(p, of);
    case OPERAND_ICMP:
        return icmp_condition(p, of);
    case OPERAND_MISSING:
        break;
    }
    token_word(word, name);
    lexer_fail(&p->lexer, word, p->e,
               "flow records have no column for '%s'; 'weir schema' shows what they have", name);
    return NULL;
}

static struct node *unknown_word(struct parser *p, const struct token *word)
{
    const char *names[PRIMITIVES + FIELD_COUNT + 3] = { "src", "dst", "not" };
    size_t count = 3;
    char name[WORD_MAX];
    token_word(word, name);
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
    token_word(word, name);
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
    enum token_kind kind = parser_token(p)->kind;
    if (kind != TOKEN_AND && kind != TOKEN_OR)
        return true;
    if (!parser_next(p))
        return false;
    if (!token_is(parser_token(p), is_interface ? "out" : "dst")) {
        parser_expected(p, is_interface ? "'out'" : "'dst'");
        return false;
    }
    *side = kind == TOKEN_AND ? SIDE_BOTH : SIDE_EITHER;
    return parser_next(p);
}

/* src, dst, in or out, and then what has two sides. */
static struct node *sided_condition(struct parser *p, const struct token *word)
{
    bool is_first = token_is(word, "src") || token_is(word, "in");
    bool is_interface = token_is(word, "in") || token_is(word, "out");
    enum side side = is_first ? SIDE_FIRST : SIDE_SECOND;
    const struct token *t = parser_token(p);
    struct prefix ignored;
    if (!is_interface && (t->kind == TOKEN_COMPARE || token_is(t, "in") ||
                          (t->kind == TOKEN_WORD && prefix_parse(t->at, t->size, &ignored))))
        return column_condition(p, word);
    if (is_first && !read_second_side(p, is_interface, &side))
        return NULL;
    struct token name = *t;
    if (is_interface && (token_is(t, "src") || token_is(t, "dst"))) { /* nfdump's "in src mac" */
        if (!parser_next(p))
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
        return parser_expected(p, is_interface ? "'if'" : "ip, net, port, as, mask or mac");
    if (of->second == FIELD_NONE && side != SIDE_FIRST) {
        lexer_fail(&p->lexer, &name, p->e, "flow records have one %s only; leave '%.*s' out",
                   of->word, (int)word->size, word->at);
        return NULL;
    }
    return parser_next(p) ? primitive_condition(p, of, side, &name) : NULL;
}

struct node *parser_condition(struct parser *p)
{
    struct token word = *parser_token(p);
    if (word.kind != TOKEN_WORD)
        return parser_expected(p, "a condition");
    if (!parser_next(p))
        return NULL;
    if (token_is(&word, "src") || token_is(&word, "dst") || token_is(&word, "in") ||
        token_is(&word, "out"))
        return sided_condition(p, &word);
    const struct primitive *of = find_primitive(&word);
    return of != NULL ? primitive_condition(p, of, SIDE_EITHER, &word) : column_condition(p, &word);
}
