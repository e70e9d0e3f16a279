/* What did not arrive, and why, see ledger.h. */
#include "ledger/ledger.h"

const struct ledger_reason_info ledger_reasons[REASON_COUNT] = {
    [REASON_none] = { .name = "", .help = "", .stage = STAGE_COUNT, .kind = KIND_COUNT },
#define REASON(name_, stage_, kind_, help_)                                                                                    \
    [REASON_##name_] = { .name = #name_, .help = help_, .stage = STAGE_##stage_, .kind = KIND_##kind_ },
#include "ledger/reasons.def"
#undef REASON
};

const char *const ledger_stage_names[STAGE_COUNT] = {
#define STAGE(name, unit, help) [STAGE_##name] = #name,
#include "ledger/stages.def"
#undef STAGE
};

static const char *const stage_units[STAGE_COUNT] = {
#define STAGE(name, unit, help) [STAGE_##name] = unit,
#include "ledger/stages.def"
#undef STAGE
};

const char *const ledger_kind_names[KIND_COUNT] = {
    [KIND_discarded] = "discarded", [KIND_sampled_out] = "sampled_out", [KIND_dropped] = "dropped", [KIND_noted] = "noted"
};

void ledger_add(struct ledger *to, const struct ledger *from)
{
    for (unsigned i = 0; i < STAGE_COUNT; i++) {
        to->in[i] += from->in[i];
        to->out[i] += from->out[i];
    }
    for (unsigned i = 0; i < REASON_COUNT; i++)
        to->reason[i] += from->reason[i];
}

void ledger_subtract(struct ledger *to, const struct ledger *from)
{
    for (unsigned i = 0; i < STAGE_COUNT; i++) {
        to->in[i] -= from->in[i];
        to->out[i] -= from->out[i];
    }
    for (unsigned i = 0; i < REASON_COUNT; i++)
        to->reason[i] -= from->reason[i];
}

uint64_t ledger_total(const struct ledger *l, enum ledger_stage stage, enum ledger_kind kind)
{
    uint64_t sum = 0;
    for (unsigned i = REASON_none + 1; i < REASON_COUNT; i++)
        if (ledger_reasons[i].stage == stage && ledger_reasons[i].kind == kind)
            sum += l->reason[i];
    return sum;
}

bool ledger_closes(const struct ledger *l, enum ledger_stage *stage)
{
    for (unsigned s = 0; s < STAGE_COUNT; s++) {
        uint64_t gone = 0;
        for (unsigned kind = KIND_discarded; kind <= KIND_dropped; kind++)
            gone += ledger_total(l, (enum ledger_stage)s, (enum ledger_kind)kind);
        if (l->in[s] != l->out[s] + gone) {
            *stage = (enum ledger_stage)s;
            return false;
        }
    }
    return true;
}

/* ", 5 discarded (not_ip 3, filtered 2)" over all packet stages. */
static void put_kind(const struct ledger *l, enum ledger_kind kind, bool is_always, struct text *out)
{
    uint64_t sum = 0;
    for (unsigned s = 0; s <= STAGE_meter; s++)
        sum += ledger_total(l, (enum ledger_stage)s, kind);
    if (sum == 0 && !is_always)
        return;
    text_format(out, ", %llu %s", (unsigned long long)sum, ledger_kind_names[kind]);
    bool is_first = true;
    for (unsigned i = REASON_none + 1; i < REASON_COUNT; i++)
        if (ledger_reasons[i].kind == kind && ledger_reasons[i].stage <= STAGE_meter && l->reason[i] > 0) {
            text_format(out, "%s%s %llu", is_first ? " (" : ", ", ledger_reasons[i].name, (unsigned long long)l->reason[i]);
            is_first = false;
        }
    if (!is_first)
        text_char(out, ')');
}

void ledger_line(const struct ledger *l, struct text *out)
{
    text_format(out, "%llu packets in", (unsigned long long)l->in[STAGE_input]);
    if (l->in[STAGE_meter] > 0 || l->in[STAGE_record] > 0)
        text_format(out, ", %llu metered into %llu records", (unsigned long long)l->out[STAGE_meter],
                    (unsigned long long)l->in[STAGE_record]);
    put_kind(l, KIND_discarded, true, out);
    put_kind(l, KIND_sampled_out, false, out);
    put_kind(l, KIND_dropped, true, out);
    put_kind(l, KIND_noted, false, out);
    uint64_t lost = ledger_total(l, STAGE_output, KIND_dropped);
    if (lost > 0)
        text_format(out, "; %llu records lost by outputs", (unsigned long long)lost);
}

void ledger_table(const struct ledger *l, struct text *out)
{
    text_format(out, "%-8s %-12s %-20s %16s  %s\n", "stage", "kind", "reason", "items", "unit");
    for (unsigned s = 0; s < STAGE_COUNT; s++) {
        if (l->in[s] == 0)
            continue;
        text_format(out, "%-8s %-12s %-20s %16llu  %s\n", ledger_stage_names[s], "in", "", (unsigned long long)l->in[s], stage_units[s]);
        for (unsigned i = REASON_none + 1; i < REASON_COUNT; i++)
            if (ledger_reasons[i].stage == s && l->reason[i] > 0)
                text_format(out, "%-8s %-12s %-20s %16llu  %s\n", ledger_stage_names[s], ledger_kind_names[ledger_reasons[i].kind],
                            ledger_reasons[i].name, (unsigned long long)l->reason[i], stage_units[s]);
        text_format(out, "%-8s %-12s %-20s %16llu  %s\n", ledger_stage_names[s], "out", "", (unsigned long long)l->out[s], stage_units[s]);
    }
}
