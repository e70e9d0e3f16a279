/* volume: flow records of any source, pushed into a spread. */
#ifndef WEIR_CMD_VOLUME_H
#define WEIR_CMD_VOLUME_H

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
    struct record_sink sink; /* first; takes records with columns start, end, bytes, packets, rev_bytes, rev_packets */
    struct spread *spread;
    uint64_t left_out;       /* rows without times, or that end before they start */
    struct err error;        /* why push failed */
};
void volume_records_init(struct volume_records *r, struct spread *spread);

enum volume_input { VOLUME_CAPTURE, VOLUME_CSV, VOLUME_LAKE };
/* What an input is: a folder is a lake, a file that begins with a header of flow columns is CSV, all else is a capture. */
enum volume_input volume_input_kind(const char *path);

/* Push all records of one input. Messages go to standard error; damage is WEIR_EINPUT after everything before it was used. */
int volume_read_csv(const char *path, struct volume_records *r, struct err *e);
int volume_read_lake(const char *path, struct volume_records *r, struct err *e);
/* The records that metering the captures gives (preset native). */
int volume_read_captures(const struct option_list *paths, const struct packets_options *options, const char *rest, enum length_kind length,
                         struct volume_records *r, int *worst, struct err *e);

/* --compare: per interval what its packets say and what flow records of the same packets give; the errors to standard error. */
int volume_compare(const struct volume_options *o, const struct volume_plan *plan, const struct option_list *inputs, const char *rest,
                   struct err *e);

#endif
