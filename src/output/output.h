/*
 * output: where records go. An output format is one file ending in one `const struct output_ops`,
 * one word in meson.build.
 *
 * A format only turns rows into octets in `output->text`; opening, choosing columns, writing,
 * counting and errors are common (output.c). What is pushed is written before push returns (the
 * table waits for its first OUTPUT_TABLE_ROWS rows to know its widths), so a reader of a pipe sees
 * rows as they come and a failed write is known at once.
 */
#ifndef WEIR_OUTPUT_H
#define WEIR_OUTPUT_H

#include "ledger/ledger.h"
#include "schema/schema.h"

#define OUTPUT_COLUMNS_MAX (2 * RECORD_COLUMNS_MAX)
#define OUTPUT_TABLE_ROWS  10000 /* rows that a table measures; later ones use the same widths */
#define OUTPUT_DIGITS_MAX  17

struct output_options {
    const char *format;  /* -o: see output_formats; NULL = table on a terminal, else csv */
    const char *path;    /* -w; NULL or "-" = standard output */
    const char *columns; /* --columns a,b,c; NULL = all of the type. "+a" adds to them */
    uint64_t digits; /* after the point of real values, at most OUTPUT_DIGITS_MAX; OUTPUT_DEFAULTS
                        says 6 */
    const char *time_format; /* epoch, iso, relative (seconds after the first time); NULL = iso in
                                table and md, else epoch */
    const char *preface;     /* text that md puts before its table; NULL = none */
    bool no_header;          /* --no-header */
    bool plain_numbers;      /* -N: tables do not shorten numbers */
    bool is_raw; /* --raw: csv and tsv do not guard texts that a spreadsheet would take for a
                    formula */
};
#define OUTPUT_DEFAULTS ((struct output_options){ .digits = 6 })

/* The same options for every command that gives rows: put output_option_table into its list of
 * tables. The offsets count from a `struct output_options` at the start of the command's struct. */
extern const struct option output_option_table[];

enum output_time { OUTPUT_EPOCH, OUTPUT_ISO, OUTPUT_RELATIVE };

/* A column as it is written: one of the record type, or the text of a T_FLAGS column beside it. */
struct output_column {
    const char *name;
    const struct column_type *type;
    unsigned index;     /* in the batch */
    bool is_flags_text; /* "CEUAPRSF" */
    bool is_asked_for;  /* named in --columns: shown even when empty */
};

struct output {
    struct record_sink sink; /* first: an output is a sink */
    struct err error;        /* why push failed */

    /* The rest is for formats. */
    const struct output_ops *ops;
    void *state; /* ops->state_size octets, zeroed before open */
    struct ledger
        *ledger; /* STAGE_output out and output_failed are counted here; may be NULL; not owned */
    struct output_options options;
    const struct record_type *type;
    enum output_time time;
    int64_t time_zero_ns; /* of relative times */
    bool has_time_zero;
    unsigned column_count;
    struct output_column column[OUTPUT_COLUMNS_MAX];
    struct arena arena;    /* names of columns */
    struct file *file;     /* NULL for formats that write none or their own */
    struct text text;      /* not yet written */
    uint64_t rows_waiting; /* pushed, neither written nor lost */
    uint64_t rows_held; /* of these, not yet in `text`: set by a format that looks at rows before it
                           prints */
};

struct output_ops {
    const char *name, *help;
    size_t state_size;
    bool is_for_people; /* names instead of numbers, times as dates */
    bool has_own_file;  /* no file is opened, nothing is written by the common part */
    bool counts_itself; /* `rows` and `finish` count in output->ledger */
    /* Called in this order; errors are set in `e`. `open` and `finish` may be NULL. */
    int (*open)(struct output *output, struct err *e); /* the header; columns are known */
    int (*rows)(struct output *output, struct record_batch *batch,
                struct err *e); /* borrowed; _ref to keep it */
    int (*finish)(struct output *output, struct err *e);
    void (*fini)(struct output *output); /* frees what the state holds, always; may be NULL */
};

/* All formats, NULL-terminated. */
extern const struct output_ops *const output_formats[];

/* All records pushed must be of `type`, which outlives the output. Wrong formats and columns are
 * WEIR_EUSAGE with the nearest named. */
int output_open(struct output **output, const struct output_options *options,
                const struct record_type *type, struct ledger *ledger, struct err *e);
/* Finishes the file; frees the output also on failure. After a failed push it returns that error.
 * NULL allowed. */
int output_close(struct output *output, struct err *e);

/* JSON Schema (2020-12) of one jsonl row with all columns and --time-format epoch, computed from
 * the dictionary. */
void output_json_schema(enum record_id record, struct text *out);

#endif
