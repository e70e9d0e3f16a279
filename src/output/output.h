/*
 * output: where records go. An output format is one file ending in one `const struct output_ops`, one word in meson.build.
 */
#ifndef WEIR_OUTPUT_H
#define WEIR_OUTPUT_H

#include "ledger/ledger.h"
#include "schema/schema.h"

struct output_options {
    const char *format;  /* -o: table, csv, tsv, json, jsonl, md, null, parquet; NULL = table on a terminal, else csv */
    const char *path;    /* -w; NULL or "-" = standard output */
    const char *columns; /* --columns a,b,c; NULL = all of the type. "+a" adds to them */
    unsigned digits;     /* after the point of real values, default 6 */
    const char *time_format; /* epoch (default), iso, relative */
    bool no_header, plain_numbers; /* --no-header, -N */
};

struct output {
    struct record_sink sink; /* first: an output is a sink */
    const struct output_ops *ops;
    void *state;
    struct ledger *ledger; /* STAGE_output out and reasons are counted here; may be NULL; not owned */
    struct err error;      /* why push failed */
};

struct output_ops {
    const char *name, *help;
    int (*open)(struct output *output, const struct output_options *options, const struct record_type *type, struct err *e);
    int (*push)(struct output *output, const struct record_batch *batch); /* error in output->error */
    int (*close)(struct output *output, struct err *e); /* writes what is left; frees state */
};

/* All records pushed must be of `type`. The table format shows all rows at close, the others stream. */
int output_open(struct output **output, const struct output_options *options, const struct record_type *type, struct ledger *ledger,
                struct err *e);
/* Finishes the file; frees the output also on failure. */
int output_close(struct output *output, struct err *e);

#endif
