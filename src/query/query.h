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
