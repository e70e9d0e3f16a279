/* Flow records into a spread, see volume.h. */
#include "cmd/volume.h"

static int records_push(struct record_sink *sink, struct record_batch *batch)
{
    struct volume_records *r = (struct volume_records *)sink;
    static const char *const names[] = { "start",     "end",     "bytes",
                                         "rev_bytes", "packets", "rev_packets" };
    int at[6];
    for (unsigned i = 0; i < 6; i++)
        at[i] = record_column_find(batch->type, names[i]);
    for (unsigned row = 0; row < batch->count && r->error.code == 0; row++) {
        if (at[0] < 0 || at[1] < 0 || record_is_null(batch, (unsigned)at[0], row) ||
            record_is_null(batch, (unsigned)at[1], row)) {
            r->left_out++;
            continue;
        }
        int64_t start = (int64_t)record_number(batch, at[0], row),
                end = (int64_t)record_number(batch, at[1], row);
        if (end < start) {
            r->left_out++;
            continue;
        }
        r->error.code = spread_add(
            r->spread, start, end,
            record_number(batch, at[2], row) + record_number(batch, at[3], row),
            record_number(batch, at[4], row) + record_number(batch, at[5], row), &r->error);
    }
    record_batch_unref(batch);
    return r->error.code;
}

void volume_records_init(struct volume_records *r, struct spread *spread)
{
    *r = (struct volume_records){ .sink.push = records_push, .spread = spread };
}
