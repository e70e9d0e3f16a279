/*
 * engine: makes it run: capture -> decode -> filter -> meter -> outputs, with one worker or
 * several, in packet time.
 */
#ifndef WEIR_ENGINE_H
#define WEIR_ENGINE_H

#include <signal.h>

#include "capture/capture.h"
#include "decode/decode.h"
#include "flow/flow.h"
#include "lang/lang.h"

#define ENGINE_WORKERS_MAX 64

/* Where the time of the calling thread and of the workers went, ns of the clock. */
enum engine_pass {
    PASS_read,
    PASS_decode,
    PASS_hash,
    PASS_meter,
    PASS_expire,
    PASS_hand_over,
    PASS_flush,
    PASS_COUNT
};
extern const char *const engine_pass_names[PASS_COUNT];
struct engine_profile {
    uint64_t ns[PASS_COUNT];
    uint64_t flows_max, flow_octets_max; /* records open at once at most, memory of records and
                                            index; summed over the workers */
};

struct engine_options {
    const char *who; /* before messages of the capture: "weir flow"; NULL = "weir" */
    struct flow_options
        flow; /* memory_octets is shared out among the workers and the fragment map */
    struct decode_options decode;
    unsigned
        worker_count; /* 1: everything in the calling thread; more: that many threads beside it */
    struct bpf *packet_filter; /* NULL = none; not owned */
    struct record_sink
        *flows; /* takes batches of type flow, one at a time; NULL = counted and freed */
    struct record_sink
        *minutes; /* takes ledger rows, one set per minute of packet time; NULL = none */
    struct engine_profile *profile; /* NULL = time is not measured */
    const volatile sig_atomic_t
        *stop; /* the run ends as at the end of the input when it is not 0; may be NULL */
};

/*
 * Meter everything the capture gives. Messages of the capture are printed to standard error as they
 * come. `ledger` gets the sum over all stages (what the capture counted in its own ledger included)
 * and closes; what `flows` does with the records its owner counts in STAGE_output. Returns 0, or the first
 * failure; WEIR_EINPUT damage of single files shows in capture->worst instead, WEIR_EINTERRUPT is
 * `stop`.
 */
int engine_meter(struct capture *capture, const struct engine_options *options,
                 struct ledger *ledger, struct err *e);

#endif
