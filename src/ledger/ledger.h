/*
 * ledger: what did not arrive, and why. Every stage closes: in = out + discarded + sampled_out + dropped.
 *
 * One struct per worker, no lock; the owner adds the structs up at the end or on a copy. Reasons and stages are lists of names
 * (reasons.def, stages.def). A packet's verdict in decode is one of the reasons, so there is one list of names only.
 */
#ifndef WEIR_LEDGER_H
#define WEIR_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

enum ledger_stage {
#define STAGE(name, unit, help) STAGE_##name,
#include "ledger/stages.def"
#undef STAGE
    STAGE_COUNT
};

enum ledger_kind { KIND_discarded, KIND_sampled_out, KIND_dropped, KIND_noted, KIND_COUNT };

enum ledger_reason {
    REASON_none, /* nothing to say */
#define REASON(name, stage, kind, help) REASON_##name,
#include "ledger/reasons.def"
#undef REASON
    REASON_COUNT
};

struct ledger_reason_info {
    const char *name, *help;
    enum ledger_stage stage;
    enum ledger_kind kind;
};
extern const struct ledger_reason_info ledger_reasons[REASON_COUNT];
extern const char *const ledger_stage_names[STAGE_COUNT];
extern const char *const ledger_kind_names[KIND_COUNT];

struct ledger {
    uint64_t in[STAGE_COUNT], out[STAGE_COUNT]; /* items, unit per stage */
    uint64_t reason[REASON_COUNT];
};

static inline void ledger_count(struct ledger *l, enum ledger_reason reason, uint64_t items)
{
    l->reason[reason] += items;
}

/* *to += *from, *to -= *from. */
void ledger_add(struct ledger *to, const struct ledger *from);
void ledger_subtract(struct ledger *to, const struct ledger *from);
/* Items of a stage under all reasons of a kind. */
uint64_t ledger_total(const struct ledger *l, enum ledger_stage stage, enum ledger_kind kind);
/* Does every stage close? If not, *stage is the first that does not. */
bool ledger_closes(const struct ledger *l, enum ledger_stage *stage);
/* One line for people: "100 packets in, 98 metered in 12 records, 2 discarded (not_ip 2), 0 dropped". No newline. */
void ledger_line(const struct ledger *l, struct text *out);
/* Every stage and reason that is not zero, one per line (--stats). */
void ledger_table(const struct ledger *l, struct text *out);

#endif
