/* volume: flow records of any source, pushed into a spread. */
#ifndef WEIR_CMD_VOLUME_H
#define WEIR_CMD_VOLUME_H

#include "cmd/flow_source.h"
#include "cmd/packets.h"
#include "cmd/spread.h"
#include "cmd/tally.h"

enum volume_rounding { ROUND_NONE, ROUND_CUMULATIVE, ROUND_LARGEST };

struct volume_options {
    struct packets_command common; /* first, see packets.h */
    const char *interval, *align, *zone, *length, *method, *spread, *lake;
    bool is_integer, compares;
    uint64_t slack;
};

/* What the options say. */
struct volume_plan {
    bool from_packets, wants_records;
    enum spread_method method;
    enum volume_rounding rounding;
    enum length_kind length;
    struct interval_grid grid;
    unsigned slack;
    int64_t from_ns, to_ns;
};

struct volume_records {
    struct record_sink sink; /* first; takes records with columns start, end, bytes, packets,
                                rev_bytes, rev_packets */
    struct spread *spread;
    uint64_t left_out; /* rows without times, or that end before they start */
    struct err error;  /* why push failed */
};
void volume_records_init(struct volume_records *r, struct spread *spread);

/* --compare: per interval what its packets say and what flow records of the same packets give; the
 * errors to standard error. */
int volume_compare(const struct volume_options *o, const struct volume_plan *plan,
                   const struct option_list *inputs, const char *rest, struct err *e);

#endif
