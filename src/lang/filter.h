/* The expression tree between parser, selection and SQL. Not for other modules. */
#ifndef WEIR_FILTER_H
#define WEIR_FILTER_H

#include "lang/lang.h"

/* An address prefix in host order: for IPv4 the 32 bits are the high half of word[0]. */
struct prefix {
    uint64_t word[2]; /* bits behind `bits` are zero */
    uint8_t version, bits;
};

typedef unsigned __int128 wide;

/* Inclusive range of numbers: as themselves, IPv4 addresses as 32 bits, IPv6 addresses as 128. */
struct range64 {
    uint64_t low, high;
};
struct range128 {
    wide low, high;
};

/*
 * Disjoint ranges in rising order, and an index that says where to look: the range that can hold v
 * is one of first[i] .. first[i + 1] for i = (v - base) >> shift. So a look-up reads two cache
 * lines for sets without clusters and never does more than a binary search.
 */
struct number_set {
    struct range64 *range; /* one of the two */
    struct range128 *range6;
    size_t count;
    uint32_t *first;
    wide base, last; /* smallest and largest number of the set */
    unsigned shift;
};

struct address_set {
    struct prefix *prefix; /* sorted: version, address, length */
    size_t count;
    struct number_set ip4, ip6;
};

enum node_kind {
    NODE_ANY,     /* everything */
    NODE_NOT,     /* one child */
    NODE_AND,     /* all children */
    NODE_OR,      /* one of the children */
    NODE_NUMBER,  /* number of a column within [low, high] or in a set */
    NODE_ADDRESS, /* address within a set */
    NODE_VERSION, /* IP version of an address */
    NODE_MAC,     /* MAC address equal */
    NODE_TEXT,    /* text equal */
    NODE_FLAGS,   /* all bits of `low` set */
    NODE_RATE,    /* duration, pps, bps, bpp within [low, high] */
};

enum rate { RATE_DURATION, RATE_PPS, RATE_BPS, RATE_BPP };

struct node {
    enum node_kind kind;
    bool is_both;    /* all fields must pass; else one of them */
    bool is_outside; /* the value must be there and not match (!=) */
    bool is_signed;  /* NODE_NUMBER on times: low and high are biased by 2^63 */
    uint8_t field_count;
    enum field_id field[2];
    uint8_t shift; /* NODE_NUMBER: (value >> shift) & mask is compared */
    uint64_t mask;
    uint64_t low, high; /* inclusive; low > high: nothing */
    enum rate rate;
    struct number_set numbers; /* NODE_NUMBER: used when count > 0 */
    struct address_set *addresses;
    struct mac mac;
    char *text;
    struct node *child, *next; /* first child; next of the parent's children */
    struct node *made_before;  /* all nodes of the filter, for freeing */
};

struct filter {
    struct node *root, *made_last;
    struct arena arena; /* nodes and texts; sets are malloc'd */
};

/* ---- filter_set.c ---- */

/* "10.0.0.0/8", "10/8", "2001:db8::/32", "192.0.2.1"; bits behind the length are cleared. */
bool prefix_parse(const char *text, size_t size, struct prefix *prefix);
void prefix_print(struct text *out, const struct prefix *prefix);
/* Sorts and joins range[0, count) in place and takes it over (malloc'd); false without memory. */
bool number_set_init_take(struct number_set *set, struct range128 *range, size_t count,
                          bool is_wide);
bool number_set_has(const struct number_set *set, uint64_t value);
void number_set_fini(struct number_set *set);
/* Takes over prefix[0, count) (malloc'd); NULL without memory. */
struct address_set *address_set_new_take(struct prefix *prefix, size_t count);

/* ---- filter_lex.c ---- */

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_LIST,
    TOKEN_LIST_END,
    TOKEN_COMMA,
    TOKEN_COMPARE,
    TOKEN_NOT,
    TOKEN_AND,
    TOKEN_OR
};
enum compare { COMPARE_EQ, COMPARE_NE, COMPARE_GT, COMPARE_LT, COMPARE_GE, COMPARE_LE };

struct token {
    enum token_kind kind;
    enum compare compare;
    const char *at; /* not NUL-terminated */
    size_t size;
    unsigned line, column, source; /* source: index into lexer.source */
};

struct lex_source {
    char *name, *text;
    const char *at, *end;
    unsigned line, outer; /* outer: the source that included this one */
    const char *line_start;
};

#define LEX_SOURCES_MAX 256u

struct lexer {
    struct lex_source source[LEX_SOURCES_MAX];
    unsigned source_count, depth, current;
    size_t octets;
    struct token token; /* the one looked at */
};

int lexer_init(struct lexer *lexer, const char *text, struct err *e);
/* Moves lexer->token on. */
int lexer_next(struct lexer *lexer, struct err *e);
/* "filter:1:5: " and the message, at the token. */
int lexer_fail(const struct lexer *lexer, const struct token *at, struct err *e, const char *format,
               ...) __attribute__((format(printf, 4, 5)));
void lexer_fini(struct lexer *lexer);

#endif
