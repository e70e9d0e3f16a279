/* Rows of the ledger per minute, see minute.h. */
#include "engine/minute.h"

#include <string.h>

int64_t minute_of(int64_t time_ns)
{
    int64_t rest = time_ns % MINUTE_NS;
    if (rest < 0)
        rest += MINUTE_NS;
    return time_ns >= INT64_MIN + MINUTE_NS ? time_ns - rest : INT64_MIN;
}

static void put_text(struct record_batch *b, unsigned index, unsigned row, const char *text)
{
    struct bytes *column = record_batch_column(b, index);
    if (column != NULL)
        column[row] = (struct bytes){ .data = (const uint8_t *)text, .size = strlen(text) };
}

static void put_row(struct minute *m, enum ledger_stage stage, const char *kind, const char *reason,
                    uint64_t items)
{
    if (items == 0 || m->failed != 0)
        return;
    if (m->batch == NULL &&
        (m->batch = record_batch_new(&record_types[RECORD_ledger], RECORD_BATCH_ROWS)) == NULL) {
        m->failed = WEIR_EMEMORY;
        return;
    }
    struct record_batch *b = m->batch;
    unsigned row = b->count;
    int64_t *start = record_batch_column(b, RECORD_COLUMN(ledger, start)),
            *end = record_batch_column(b, RECORD_COLUMN(ledger, end));
    uint64_t *count = record_batch_column(b, RECORD_COLUMN(ledger, items));
    if (start == NULL || end == NULL || count == NULL) {
        m->failed = WEIR_EMEMORY;
        return;
    }
    start[row] = m->start_ns;
    end[row] = m->start_ns > INT64_MAX - MINUTE_NS ? INT64_MAX : m->start_ns + MINUTE_NS;
    count[row] = items;
    put_text(b, RECORD_COLUMN(ledger, stage), row, ledger_stage_names[stage]);
    put_text(b, RECORD_COLUMN(ledger, kind), row, kind);
    put_text(b, RECORD_COLUMN(ledger, reason), row, reason);
    b->count++;
    if (b->count == b->capacity)
        minute_flush(m);
}

void minute_end(struct minute *m, const struct ledger *now)
{
    struct ledger delta = *now;
    ledger_subtract(&delta, &m->before);
    m->before = *now;
    for (unsigned s = 0; s < STAGE_COUNT; s++) {
        uint64_t in = delta.out[s];
        for (unsigned kind = KIND_discarded; kind <= KIND_dropped; kind++)
            in += ledger_total(&delta, (enum ledger_stage)s, (enum ledger_kind)kind);
        put_row(m, (enum ledger_stage)s, "in", "", in);
        put_row(m, (enum ledger_stage)s, "out", "", delta.out[s]);
        for (unsigned i = REASON_none + 1; i < REASON_COUNT; i++)
            if (ledger_reasons[i].stage == s)
                put_row(m, (enum ledger_stage)s, ledger_kind_names[ledger_reasons[i].kind],
                        ledger_reasons[i].name, delta.reason[i]);
    }
}

int minute_flush(struct minute *m)
{
    struct record_batch *batch = m->batch;
    m->batch = NULL;
    if (batch != NULL) {
        record_batch_seal(batch);
        int code = m->out->push(m->out, batch);
        if (m->failed == 0)
            m->failed = code;
    }
    return m->failed;
}
