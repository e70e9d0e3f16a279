/*
 * engine: makes it run: capture -> decode -> filter -> meter -> outputs, with one worker or several, in packet time.
 */
#ifndef WEIR_ENGINE_H
#define WEIR_ENGINE_H

#include "capture/capture.h"
#include "decode/decode.h"
#include "flow/flow.h"
#include "lang/lang.h"

struct engine_options {
    struct flow_options flow;
    struct decode_options decode;
    unsigned worker_count;      /* 1: everything in the calling thread */
    struct bpf *packet_filter;  /* NULL = none; not owned */
    struct record_sink *flows;  /* takes batches of type flow; NULL = counted and freed */
    struct record_sink *minutes; /* takes ledger rows, one set per minute of packet time; NULL = none */
};

/*
 * Meter everything the capture gives. Messages of the capture are printed to standard error as they come. `ledger` gets the sum over all
 * stages and closes. Returns 0, or the first failure; WEIR_EINPUT damage of single files shows in capture->worst instead.
 */
int engine_meter(struct capture *capture, const struct engine_options *options, struct ledger *ledger, struct err *e);

#endif
