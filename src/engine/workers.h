/*
 * workers: who keep the flow tables. One inline, or several threads that get packets by the hash of
 * their key.
 *
 * Between threads travel batches of copies (packet views end with the next fill), a ring per
 * worker. The lock of a ring is taken once per batch, never per packet.
 */
#ifndef WEIR_ENGINE_WORKERS_H
#define WEIR_ENGINE_WORKERS_H

#include "engine/engine.h"

#define WORKER_RING   16   /* batches on the way to one worker */
#define WORKER_WAKE   4    /* batches that wait before a sleeping worker is woken */
#define EXPIRE_BUDGET 1024 /* records looked at per batch */

struct workers;

int workers_new(struct workers **workers, const struct engine_options *options, struct err *e);
void workers_free(struct workers *workers); /* NULL allowed */
/* Meter the packets of `items`; then second_ns is the clock. 0 or the first failure of a table. */
int workers_meter(struct workers *workers, const struct packet_batch *batch,
                  const int64_t seen_ns[], struct flow_items *items, int64_t second_ns);
/* End all records that ended before second_ns, before anything that comes later. */
int workers_expire_all(struct workers *workers, int64_t second_ns);
/* Write out all records and wait for it. */
int workers_flush(struct workers *workers, int64_t newest_ns);
/* Wait until everything handed over is done, then add the workers' ledgers to `ledger`. */
void workers_ledger(struct workers *workers, struct ledger *ledger);
void workers_profile(struct workers *workers, struct engine_profile *profile);

/* ns of the clock when time is measured, else 0. */
uint64_t profile_now(const struct engine_options *options);

#endif
