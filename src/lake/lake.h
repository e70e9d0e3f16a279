/*
 * lake: storage of records as Parquet segments in hive folders that any tool reads.
 *
 *   DIR/flow/day=2026-11-21/hour=07/SOURCE-EPOCH-NUMBER.parquet
 *   DIR/ledger/day=.../hour=.../...
 *
 * A segment is immutable, has an identity (source, epoch, number) and footer metadata (schema version, sampling, losses). Written as
 * `.part`, synced, renamed, folder synced: a reader never sees half of one. One writer thread owns DuckDB.
 */
#ifndef WEIR_LAKE_H
#define WEIR_LAKE_H

#include "ledger/ledger.h"
#include "schema/schema.h"

struct lake_writer;

struct lake_writer_options {
    const char *path;       /* folder of the lake, made if absent */
    const char *source;     /* name of who writes: [A-Za-z0-9_.-]{1,64} */
    uint64_t rows_max;      /* rows per segment, default 1,000,000 */
    uint64_t memory_octets; /* of batches waiting, default 256 MiB; push waits when it is full (files) */
};

/* The default lake: the state directory of the system as root, else of the user. */
int lake_default_path(struct text *path, struct err *e);

/* Does this build have the store? If not, everything below fails with a message that says so. */
bool lake_is_built_in(void);

/* Deletes `.part` files that a dead writer left, starts the thread. */
int lake_writer_new(struct lake_writer **writer, const struct lake_writer_options *options, struct ledger *ledger, struct err *e);
/* Sink for records of `type` (flow, ledger, ...). The sink belongs to the writer. */
struct record_sink *lake_writer_sink(struct lake_writer *writer, const struct record_type *type);
/* Writes what is left, waits until it is on the disk; frees also on failure. */
int lake_writer_close(struct lake_writer *writer, struct err *e);

/* One Parquet file of one type, not in a lake (`-o parquet -w FILE`): the same columns. */
int lake_file_new(struct lake_writer **writer, const char *path, const struct record_type *type, struct ledger *ledger, struct err *e);

#endif
