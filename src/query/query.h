/*
 * query: how questions become answers. A question is SQL over the tables `flow`, `ledger` (...), wherever their rows come from: a lake, a
 * Parquet file, or batches pushed by a running meter (a store handed down from above).
 */
#ifndef WEIR_QUERY_H
#define WEIR_QUERY_H

#include "lake/lake.h"
#include "lang/lang.h"
#include "schema/schema.h"

struct store;

/*
 * Read side of a lake folder or a Parquet file, as far as it may hold records that overlap [from_ns, to_ns): the question itself still has
 * to choose rows. There is a view per record type, all columns with the types of lake.h, and a function in_net(address, 'prefix/length').
 * Broken or foreign files are left out and named in `messages` (one per line, may be NULL), which has to live as long as the store: damage
 * may show at a question, which is then answered without that file.
 */
int store_open_lake(struct store **store, const char *path, int64_t from_ns, int64_t to_ns, struct text *messages, struct err *e);
/* A store whose table `type->name` is fed by the sink it hands out, for questions about capture files: push everything, then ask. Beyond
 * `memory_octets` records go to files in TMPDIR until the store is closed. */
int store_open_memory(struct store **store, const struct record_type *type, uint64_t memory_octets, struct record_sink **sink, struct err *e);
/*
 * Run one statement that only reads; the answer goes to a sink as batches of a type made for it, which lives until store_close. File, network
 * and settings access is off. Columns called like a field, and stored like it, get its type and unit; addresses stay T_TEXT. Sums are T_U64
 * or T_I64, T_F64 only beyond them; what has no type here (dates, lists) is T_TEXT. WEIR_EUSAGE for wrong SQL.
 */
int store_ask(struct store *store, const char *sql, struct record_sink *(*open_sink)(void *context, const struct record_type *type, struct err *e),
              void *context, struct err *e);
void store_close(struct store *store);

/* ---- questions in words, made into SQL by the dictionary's merge rules ---- */

/* What all questions share: which records count. */
struct question {
    const struct filter *filter; /* NULL = all; not owned */
    int64_t from_ns, to_ns;      /* records that lasted at some time within [from, to]; INT64_MIN, INT64_MAX = all */
    uint64_t record_max;         /* only the first so many that pass; 0 = all */
    uint64_t row_max;            /* rows of the answer; 0 = all */
};

/* A statement, and what its columns mean. Zeroed before use. */
struct answer {
    struct text sql;
    unsigned column_count;
    struct column_type column[RECORD_COLUMNS_MAX];
    struct record_type type; /* from answer_ask on; lives as long as the answer */
    struct arena arena;      /* names */
};
void answer_fini(struct answer *answer);

typedef struct record_sink *(*record_sink_open)(void *context, const struct record_type *type, struct err *e);
/* store_ask with the types that the question knows. The type given to `open_sink` lives in the answer. */
int answer_ask(struct answer *answer, struct store *store, record_sink_open open_sink, void *context, struct err *e);

/*
 * weir top, spec/tools.md 9.8. A STAT is WORD[:p][/ORDER], for example "srcip:p/bytes":
 *
 *   srcip dstip srcport dstport srcas dstas srcmac dstmac inif outif srcnet/N dstnet/N   value of one side
 *   ip port as if mac                            value of either side; a record counts for both, once if they are equal
 *   proto tos vlan nexthop exporter end_reason tunnel flags                              value of the record
 *   pair, matrix                                 addresses without and with order
 *   conv, record                                 5-tuple both ways and one way
 *   row                                          records as they are
 *
 * ORDER is flows (default), packets, bytes, pps, bps, bpp or duration, falling; ties by key, rising.
 *
 * A record of two directions counts for both its senders: srcip gives the octets that an address sent, whoever began. Columns `flows`
 * are records, so such a record is one flow for each side and the sum over the values may exceed the total of the records; packets
 * and bytes never do. Percentages are of the records' totals.
 */
struct top_options {
    struct question question;
    bool has_sides;   /* tx_, rx_ columns */
    bool is_distinct; /* only how many values there are */
    bool is_nfdump;   /* as nfdump counts: records with equal sides twice, rates cut to whole numbers of whole milliseconds */
};
bool top_is_stat(const char *word); /* is it worth calling top_sql, or is it rather the name of a file? */
int top_sql(const char *stat, const struct top_options *options, struct answer *answer, struct err *e);

/* weir query, spec/tools.md 9.8. */
enum joining { JOIN_NONE, JOIN_BOTH_WAYS, JOIN_CLIENT_SERVER };
struct query_options {
    struct question question;
    const char *keys;     /* -A: "srcip,dstport"; "" = the 5-tuple (-a); NULL = records as they are */
    enum joining joining; /* -b, -B: both directions of a 5-tuple in one row, forward is what began; -B: towards the lower port */
    bool is_total;        /* --totals: one row */
    const char *order;    /* -O: tstart tend flows packets bytes pps bps bpp duration; NULL = as they come */
};
int query_sql(const struct query_options *options, struct answer *answer, struct err *e);

/* ---- nfdump's line formats (fmt.c) ---- */

/*
 * Rows as lines: "fmt:%ts %sap -> %dap %byt", or one of the names line, long, extended, biline, bilong. Widths as nfdump 1.7. Tags
 * without a column print what nfdump prints for nothing. Times are UTC.
 */
struct fmt;
struct fmt_options {
    const char *format;   /* with or without "fmt:" */
    bool is_long_address; /* -6 */
    bool is_plain;        /* -N: numbers in full, protocols as numbers, durations as seconds */
    bool no_header;
};
bool fmt_is_name(const char *format); /* fmt:... or one of the names */
int fmt_open(struct fmt **fmt, const struct fmt_options *options, const struct record_type *type, struct err *e);
/* Lines of the batch's rows into `out`. */
void fmt_header(const struct fmt *fmt, struct text *out);
void fmt_rows(const struct fmt *fmt, const struct record_batch *batch, struct text *out);
void fmt_close(struct fmt *fmt);

/* ---- native CSV, spec/tools.md 9.3 (csv.c) ---- */

#define CSV_COLUMNS_MAX 256u
#define CSV_FIELD_MAX   (1u << 20) /* octets */
#define CSV_CHUNK       (1u << 18)

/*
 * Rows of a CSV file ("-" is standard input) to batches of `type`. The header names columns; those that are missing stay empty, those
 * that the type lacks are left out and named in `messages` (may be NULL). A damaged row ends the input with WEIR_EINPUT after all rows
 * before it were pushed: "flows.csv:17: sport '99999' is no number ...".
 */
int csv_read(const char *path, const struct record_type *type, struct record_sink *sink, struct text *messages, struct err *e);

/* The same from pieces of text. `name` stands in messages. */
struct csv_reader;
int csv_reader_new(struct csv_reader **reader, const struct record_type *type, const char *name, struct record_sink *sink, struct err *e);
int csv_reader_feed(struct csv_reader *reader, const char *data, size_t size, struct err *e); /* not again after a failure */
/* Ends the last row, pushes what is left, also when `code` (of the feeding so far) is a failure; frees. Returns the first failure. */
int csv_reader_close(struct csv_reader *reader, struct text *messages, int code, struct err *e);

#endif
