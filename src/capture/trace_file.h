/* One capture file being read: its octets, its format, what it says about itself. Private to
 * capture. */
#ifndef WEIR_CAPTURE_TRACE_FILE_H
#define WEIR_CAPTURE_TRACE_FILE_H

#include "wire/wire.h"

struct trace_file {
    const char *path;
    struct source *source; /* NULL before it is opened and after it is closed */
    const struct trace_format *format;
    void *state;             /* of the format */
    struct trace_info *info; /* NULL if it could not be opened; stays until trace_file_fini */
    struct bytes window;
    size_t wanted; /* window size to go on with */
    bool is_end, is_broken,
        is_done; /* window is the last one; reading failed; no more packets come */

    /* With --sort: packets read ahead, those from `next` on are still to be given. */
    struct packet_batch *ahead;
    unsigned next;
};

/* Open and find out the format. The error text names the file. */
int trace_file_open(struct trace_file *file, const char *path, struct err *e);
/*
 * Put packets behind those of `batch` until it is full, the file is done, a pipe pauses, or octets
 * that the batch views would have to move. Waits only while the batch is empty. Returns 0, or
 * WEIR_EINPUT once for a damaged file, `e` saying "FILE:OFFSET: what"; is_done is set then, and the
 * packets before the damage are in the batch.
 */
int trace_file_fill(struct trace_file *file, struct packet_batch *batch, struct err *e);
/* Give back the octets; the packets' views are gone. info stays. */
void trace_file_close(struct trace_file *file);
void trace_file_fini(struct trace_file *file);

#endif
