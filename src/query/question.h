/* What the questions of this module share: how their SQL begins. Not for other modules. */
#ifndef WEIR_QUESTION_H
#define WEIR_QUESTION_H

#include "query/query.h"

enum side { SIDE_NONE, SIDE_SOURCE, SIDE_DESTINATION, SIDE_EITHER };

/* One thing that records can be grouped by. */
struct key {
    char expression[64]; /* SQL over the columns of directed rows */
    char other[64]; /* the same of the other side; equal to `expression` when the key has no side */
    char name[24];  /* column of the answer */
    char sort[64]; /* SQL over `name` that rises as the key does: addresses by version and octets */
    enum value_type type;
    enum side side;
};

/* `word` (not NUL-terminated) as a key: nfdump's words, srcnet/N and dictionary columns. */
int key_parse(const char *word, size_t size, struct key *key, struct err *e);

/* "FROM flow WHERE ..." as a sub-select of all columns, in parentheses. */
void question_put_rows(const struct question *question, struct text *sql);
/*
 * Rows of one direction each: a record of two directions (biflow) is two of them, the second with
 * both sides exchanged. Columns: those of the flow record type but rev_*, counters never NULL, and
 * is_reverse.
 */
void question_put_directed(const struct question *question, struct text *sql);

/* How many flows a directed row is: of a record whose directions have equal keys only the first is
 * one. */
void question_put_flows(const struct key *keys, unsigned count, struct text *sql);

/* Records joined by 5-tuple, every other column by its merge rule: the columns of the flow record
 * type. */
void question_put_merged(const struct question *question, struct text *sql);

/* Adds a column to the answer: "expression AS name". */
void answer_put(struct answer *answer, const char *name, enum value_type type, enum unit unit,
                const char *expression);
/* first, last, duration, flows, packets, bytes, rates over columns of these names: what all
 * aggregates show. */
void answer_put_rates(struct answer *answer, bool is_cut);
/* All columns of the flow record type. */
void answer_put_flow_columns(struct answer *answer);
int answer_end(struct answer *answer, struct err *e);

#endif
