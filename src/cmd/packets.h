/*
 * packets: what every command over packets shares: the options for its input, and the loop that
 * reads, filters and decodes.
 */
#ifndef WEIR_CMD_PACKETS_H
#define WEIR_CMD_PACKETS_H

#include "capture/capture.h"
#include "decode/decode.h"
#include "lang/lang.h"
#include "output/output.h"

struct packets_options {
    const char *who;         /* before messages: "weir stat" */
    struct option_list read; /* -r, before the inputs given without a letter */
    const char *filter;      /* -f */
    const char *from, *to;
    uint64_t count_max;
    bool is_sorted, enters_tunnels, shows_stats;
};

/* The start of the options of such a command, so that the offsets of both tables fit. */
struct packets_command {
    struct output_options output; /* first, see output_option_table */
    struct packets_options input;
};
extern const struct option packets_option_table[];

struct packets {
    struct packet_sink
        *sink; /* gets batches of what passed the filter, decoded if wanted; never an empty one */
    bool wants_layers;
    struct ledger ledger; /* stages input and filter; the sink may count on */
    int worst; /* 0, or WEIR_EINPUT when a file was damaged: the run went on, exit status 3 */
};

/* Read all inputs. `rest` are the words after "--" (may be NULL), a filter like -f. Messages about
 * files go to standard error. */
int packets_run(struct packets *packets, const struct packets_options *options,
                const struct option_list *inputs, const char *rest, struct err *e);

/* The filter of -f and `rest` together; NULL when there is none. */
int packets_filter_new(const struct packets_options *options, const char *rest, struct bpf **bpf,
                       struct err *e);

/* Put the files of -r before the other inputs; option_list_fini both as ever. */
int packets_join_inputs(struct packets_options *options, struct option_list *inputs, struct err *e);

#endif
