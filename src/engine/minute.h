/* minute: rows of the ledger per minute of packet time, as records of type ledger. */
#ifndef WEIR_ENGINE_MINUTE_H
#define WEIR_ENGINE_MINUTE_H

#include "ledger/ledger.h"
#include "schema/schema.h"

#define MINUTE_NS (60 * NS_PER_S)

struct minute {
    struct record_sink *out; /* NULL = none of this */
    struct record_batch *batch;
    struct ledger before; /* at the end of the minute before */
    int64_t start_ns;     /* of the minute that runs */
    bool is_started;
    int failed;
};

int64_t minute_of(int64_t time_ns); /* start of the minute that holds it */
/* Rows for what was counted since the last call; the minute is the one that runs. Stages close: in
 * is out plus what went away. */
void minute_end(struct minute *minute, const struct ledger *now);
/* Push what is there. Returns the first failure of the sink. */
int minute_flush(struct minute *minute);

#endif
