/*
 * shared: what several commands do alike.
 */
#ifndef WEIR_CMD_SHARED_H
#define WEIR_CMD_SHARED_H

#include <signal.h>

#include "base/base.h"
#include "ledger/ledger.h"

/* --time "FROM..TO" or nfdump's "FROM-TO", then --from and --to, each NULL if not given. Both ends
 * belong to the range; without an option INT64_MIN and INT64_MAX. */
int time_range_parse(const char *time, const char *from, const char *to, int64_t *from_ns,
                     int64_t *to_ns, struct err *e);
/* Memory to use when the user says nothing: a quarter of the machine, 8 GiB at most. */
uint64_t memory_default(void);
/* Not 0 after SIGINT or SIGTERM: the input ends, what is there is written. A second signal kills.
 */
const volatile sig_atomic_t *stop_on_signals(void);
/* The whole ledger for --stats, and its line unless the user wants quiet. */
void ledger_say(const struct ledger *ledger, bool has_stats, bool is_quiet);

#endif
