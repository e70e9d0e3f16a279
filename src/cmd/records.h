/*
 * records: where the records of a question come from. One command line for all of them: a lake, a
 * Parquet file, native CSV, or capture files that are metered on the way in. What an input is, its
 * content tells (spec/tools.md section 3).
 */
#ifndef WEIR_CMD_RECORDS_H
#define WEIR_CMD_RECORDS_H

#include "engine/engine.h"
#include "lang/lang.h"
#include "output/output.h"
#include "query/query.h"

struct records_options {
    const char *who; /* before messages: "weir top" */
    struct option_list read;
    const char *lake, *kind, *filter, *filter_language, *time, *from, *to, *preset, *length;
    uint64_t memory_octets; /* 0: a quarter of the machine, 8 GiB at most */
    bool is_sorted, enters_tunnels, is_uni, is_quiet, has_stats;
};

/* The start of the options of such a command, so that the offsets of both tables fit. */
struct records_command {
    struct output_options output; /* first, see output_option_table */
    struct records_options records;
};
extern const struct option records_option_table[];

struct records {
    struct store *store;
    struct question question; /* filter and time as far as the store has to apply them */
    int worst; /* 0, WEIR_EINPUT or WEIR_EINTERRUPT: the answer is about what came before */
    struct bpf *bpf;
    struct filter *filter;
};

/* `rest` are the words after "--" (may be NULL), a filter like -f. Messages about inputs go to
 * standard error. */
int records_open(struct records *records, const struct records_options *options,
                 const struct option_list *inputs, const char *rest, struct err *e);
/* Returns `code`, or the reason why the records gave only a part. */
int records_close(struct records *records, int code, struct err *e);

#endif
