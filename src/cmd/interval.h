/*
 * interval: time cut into half-open pieces [start, start + length), spec/tools.md 5.2. Whole
 * nanoseconds only, floor division, so negative times and any length are right.
 */
#ifndef WEIR_CMD_INTERVAL_H
#define WEIR_CMD_INTERVAL_H

#include "base/base.h"

#define INTERVAL_GAP_MAX                                                                           \
    1000000 /* empty intervals in a row that are printed; a larger gap is named and left out */

enum interval_align { ALIGN_CLOCK, ALIGN_FIRST, ALIGN_AT };

struct interval_grid {
    int64_t length_ns; /* 0 = the whole input is one interval; not used when months > 0 */
    int64_t months;    /* calendar months per interval ("1mo", "1y"), else 0 */
    int64_t origin_ns; /* start of interval 0; set by interval_begin unless aligned to the clock or
                          an instant */
    enum interval_align align;
};

/* -I: a duration, "1mo", "1y", or "-1" for the whole input. */
int interval_parse_length(const char *text, struct interval_grid *grid, struct err *e);
/* --align: "clock" (multiples since 1970 plus the offset of the zone), "first", or an instant. */
int interval_parse_align(const char *text, int64_t zone_offset_ns, struct interval_grid *grid,
                         struct err *e);
/* --tz: "UTC", "Z" or "+hh:mm": what local time is ahead of UTC. */
int interval_parse_zone(const char *text, int64_t *offset_ns, struct err *e);

/* Tell the grid the time of the first packet or record. */
void interval_begin(struct interval_grid *grid, int64_t first_ns);
/* Number of the interval that holds `time_ns`. */
int64_t interval_index(const struct interval_grid *grid, int64_t time_ns);
/* First nanosecond of interval `index`, kept within int64_t. */
int64_t interval_start(const struct interval_grid *grid, int64_t index);

#endif
