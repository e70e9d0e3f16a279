/*
 * schema: what a field is and what a record is. The words themselves are in fields.def and records.def.
 *
 * Records travel in batches of columns. A batch is filled by one owner, then sealed: from then on it is read-only and counted by
 * reference. Units are in the dictionary; times are signed nanoseconds since 1970-01-01 UTC. Source: RFC 7011, 7012, 5103.
 */
#ifndef WEIR_SCHEMA_H
#define WEIR_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#define RECORD_COLUMNS_MAX 64
#define RECORD_BATCH_ROWS 2048
#define PEN_REVERSE 29305u /* RFC 5103 */
#define PEN_WEIR 32473u    /* RFC 5612, reserved for examples: until a number of our own is registered */

/* How a value is kept in a column (C type in the comment), printed and typed on the wire. */
enum value_type {
    T_U8,       /* uint8_t */
    T_U16,      /* uint16_t */
    T_U32,      /* uint32_t */
    T_U64,      /* uint64_t */
    T_I64,      /* int64_t */
    T_F64,      /* double */
    T_TIME,     /* int64_t ns since 1970 */
    T_DURATION, /* int64_t ns */
    T_ADDRESS,  /* struct address */
    T_MAC,      /* struct mac */
    T_TEXT,     /* struct bytes; points into the batch's arena or to constant text */
    T_FLAGS,    /* uint16_t, TCP control bits; text column `X_text` beside it in people's outputs */
    T_PROTO,    /* uint8_t, number in plain formats, name in tables */
    T_REASON,   /* uint8_t, flowEndReason */
    VALUE_TYPES
};

enum unit { U_NONE, U_PACKETS, U_OCTETS, U_BITS, U_FLOWS, U_SECONDS, U_BITS_PER_S, U_PACKETS_PER_S, U_OCTETS_PER_S, U_OCTETS_PER_PACKET, U_PERCENT };

/* How two values become one when records are merged; M_KEY fields must be equal. */
enum merge_rule { M_KEY, M_SUM, M_MIN, M_MAX, M_OR, M_FIRST };

struct address {
    uint8_t octet[16]; /* IPv4 in the first four, the rest zero */
    uint8_t version;   /* 4, 6; 0 = no address */
    uint8_t pad[3];    /* zero */
};

struct mac {
    uint8_t octet[6];
    uint8_t pad[2]; /* zero */
};

enum field_id {
#define FIELD(column, ...) FIELD_##column,
#include "schema/fields.def"
#undef FIELD
    FIELD_COUNT,
    FIELD_NONE = FIELD_COUNT /* a column made by a question, not in the dictionary */
};

/* One information element. */
struct field {
    const char *column, *name, *help;
    uint32_t pen;
    uint16_t id, id6;
    enum value_type type;
    enum unit unit;
    enum merge_rule merge;
};
extern const struct field fields[FIELD_COUNT];

/* By column or IANA name, case-insensitive unless two differ by nothing else; NULL with the nearest named in `e`. */
const struct field *field_find(const char *name, struct err *e);

/* A column of a record type: a dictionary field, or one that a question made up. */
struct column_type {
    const char *name;
    enum value_type type;
    enum unit unit;
    enum field_id field;
};

struct record_type {
    const char *name, *help;
    unsigned column_count;
    const struct column_type *column;
};

/* RECORD_flow, ... index record_types[]; FLOW_start, LEDGER_items...: index of a column is `RECORD_COLUMN(flow, start)`. */
enum record_id {
#define RECORD(name, help) RECORD_##name,
#define COLUMN(record, field)
#include "schema/records.def"
#undef RECORD
#undef COLUMN
    RECORD_COUNT
};
extern const struct record_type record_types[RECORD_COUNT];

enum record_column {
#define RECORD(name, help) record_##name##_columns, record_##name##_none = record_##name##_columns - 1,
#define COLUMN(record, field) record_##record##_##field,
#include "schema/records.def"
#undef RECORD
#undef COLUMN
};
#define RECORD_COLUMN(record, field) ((unsigned)(record_##record##_##field - record_##record##_columns))

const struct record_type *record_type_find(const char *name); /* NULL if unknown */
/* Index of the column called `name` in `type`, -1 if there is none. Case counts only between two columns that differ by nothing else. */
int record_column_find(const struct record_type *type, const char *name);
/* Has every row of the type in records.def a value in column `index`? */
bool record_column_is_required(enum record_id record, unsigned index);

/* ---- batches ---- */

struct column {
    void *data;       /* `capacity` values of the column's C type; NULL = no row has a value */
    uint8_t *is_null; /* one octet per row, 1 = no value; NULL = every row has one */
};

struct record_batch {
    const struct record_type *type;
    unsigned count, capacity;
    bool is_sealed;
    int refs; /* touched only by _ref and _unref, atomically */
    struct arena arena; /* texts and dynamic types of this batch */
    struct column column[RECORD_COLUMNS_MAX];
};

/* Empty batch, one reference, no column has memory yet; NULL without memory. */
struct record_batch *record_batch_new(const struct record_type *type, unsigned capacity);
/* Memory for column `index`, made on first use (zeroed); NULL without memory. */
void *record_batch_column(struct record_batch *batch, unsigned index);
/* Mark (row, column) as having no value; -1 without memory. */
int record_batch_set_null(struct record_batch *batch, unsigned index, unsigned row);
/* From here on read-only. */
void record_batch_seal(struct record_batch *batch);
struct record_batch *record_batch_ref(struct record_batch *batch);
void record_batch_unref(struct record_batch *batch); /* NULL allowed */

static inline bool record_is_null(const struct record_batch *batch, unsigned index, unsigned row)
{
    const struct column *c = &batch->column[index];
    return c->data == NULL || (c->is_null != NULL && c->is_null[row]);
}

/* Size of a value of `type` in a column. */
size_t value_size(enum value_type type);
static inline const void *record_value(const struct record_batch *batch, unsigned index, unsigned row)
{
    return (const uint8_t *)batch->column[index].data + row * value_size(batch->type->column[index].type);
}

/*
 * Who takes records: the one way upward without including upward. `push` takes over the caller's reference of a sealed batch, also on
 * failure. Returns 0 or a negative WEIR_E*, after which nothing more should be pushed; the reason is kept by the sink for its owner.
 */
struct record_sink {
    int (*push)(struct record_sink *self, struct record_batch *batch);
};

/* ---- values as text (value.c) ---- */

/* Plain text of a value as in CSV and JSON without quotes: times as epoch seconds with 9 digits, addresses per RFC 5952, integers never
 * as floats; doubles with `digits` after the point. */
void value_print(struct text *out, enum value_type type, const void *value, unsigned digits);
void address_print(struct text *out, const struct address *address);
/* The same into memory of ADDRESS_TEXT_MAX octets without a final NUL; returns the place behind. */
#define ADDRESS_TEXT_MAX 48
char *address_put(char *at, const struct address *address);
/* Its network: all but the first `bits` become zero. */
void address_cut(struct address *address, unsigned bits);
/* "192.0.2.1" or "2001:db8::1" (no zone, no port). False if it is none. */
bool address_parse(const char *text, struct address *address);
struct address address_of_ip4(const uint8_t octet[4]);
struct address address_of_ip6(const uint8_t octet[16]);
/* "CEUAPRSF" with points for clear bits. */
void flags_print(struct text *out, uint16_t flags);
/* Name of an IP protocol ("tcp") and back (-1 if unknown); name is NULL if it has none. */
const char *protocol_name(uint8_t number);
int protocol_number(const char *name);
/* Name of a unit for people ("bytes", "bit/s"), "" for none. */
const char *unit_name(enum unit unit);
/* Name of a value type for documentation and JSON schema: "unsigned16", "ipAddress", ... (RFC 7012 section 3.1). */
const char *value_type_name(enum value_type type);
const char *merge_rule_name(enum merge_rule rule);

#endif
