/*
 * capture: the wire to packet batches. A backend is one file ending in one `const struct capture_ops`, one word in meson.build.
 *
 * This header is the contract; for now there is one backend, capture files. Live ones plug in behind the same ops.
 */
#ifndef WEIR_CAPTURE_H
#define WEIR_CAPTURE_H

#include "ledger/ledger.h"
#include "packet/packet.h"
#include "wire/wire.h"

struct capture;

struct capture_options {
    const char *const *path; /* "-" is standard input; fifos are fine */
    size_t path_count;
    bool is_sorted;          /* --sort: k-way merge by time, one buffer per file; equal times in the order of the paths */
    uint64_t count_max;      /* stop after so many packets; 0 = all */
    int64_t from_ns, to_ns;  /* only packets with from <= time <= to; INT64_MIN, INT64_MAX = all */
};

struct capture_ops {
    const char *name, *help;
    int (*open)(struct capture *capture, const struct capture_options *options, struct err *e);
    /* Put up to BATCH_MAX packets into `batch` (all of BATCH_MAX unless the end or a pause of a live source comes first). Returns their
     * number, 0 at the end, or a negative WEIR_E* when nothing more can come. Views stay valid until the next fill or close. */
    int (*fill)(struct capture *capture, struct packet_batch *batch, struct err *e);
    void (*close)(struct capture *capture);
};

struct capture {
    const struct capture_ops *ops;
    void *state;           /* of the backend */
    struct ledger *ledger; /* STAGE_input is counted here; not owned */
    /* Things to tell the user, one per line, that do not end the run: damaged files ("FILE:OFFSET: ..."), order of files. The owner prints
     * and empties it after each fill. */
    struct text messages;
    int worst;             /* 0, or WEIR_EINPUT once a file was damaged or unreadable: the run goes on, its exit status is 3 */
    uint64_t octets_read, octets_total; /* of the files as stored, for progress; total 0 if unknown */
};

/* Files of any supported format and compression, in the order given. A file that cannot be opened or is damaged is named in `messages`,
 * everything before the damage is used, and the next file follows. Fails only when no file at all can be opened. */
int capture_open_files(struct capture **capture, const struct capture_options *options, struct ledger *ledger, struct err *e);
static inline int capture_fill(struct capture *capture, struct packet_batch *batch, struct err *e)
{
    return capture->ops->fill(capture, batch, e);
}
/* What is known of file number `index` of the paths so far (final when the capture has ended); NULL if it was not opened. */
const struct trace_info *capture_file_info(const struct capture *capture, size_t index);
void capture_close(struct capture *capture); /* NULL allowed */

#endif
