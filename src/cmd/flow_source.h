/*
 * flow_source: flow records from wherever a command was told to take them: CSV, a lake, or metered
 * from captures.
 */
#ifndef WEIR_CMD_FLOW_SOURCE_H
#define WEIR_CMD_FLOW_SOURCE_H

#include "cmd/packets.h"
#include "flow/flow.h"

struct flow_source {
    const struct packets_options *packets; /* for captures: filter, limits */
    const char *rest;                      /* filter words after "--", or NULL */
    const char *lake;                      /* -R, or NULL */
    enum length_kind length;               /* of the packets metered */
    int64_t from_ns, to_ns; /* segments of a lake outside may be left out; the sink still sees
                               records that do not fit */
};

enum flow_input { FLOW_INPUT_CAPTURE, FLOW_INPUT_CSV, FLOW_INPUT_LAKE };
/* What an input is: a folder is a lake, a file that begins with a header of flow columns is CSV,
 * all else is a capture. */
enum flow_input flow_input_kind(const char *path);

/*
 * Push all records of the lake and the inputs, captures last (preset native). The sink's owner
 * keeps the reason when it refuses one. Damage of a capture shows in *worst, everything before it
 * was used. Messages go to standard error.
 */
int flow_source_read(const struct flow_source *source, const struct option_list *inputs,
                     struct record_sink *sink, int *worst, struct err *e);

/* Column index by name, and its number in a row; 0 when there is no such column or value. Times and
 * durations are their nanoseconds. */
uint64_t record_number(const struct record_batch *batch, int column, unsigned row);

#endif
