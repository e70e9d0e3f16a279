/* Flow records from CSV, from a lake, or metered from captures, see volume.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/volume.h"
#include "engine/engine.h"
#include "query/query.h"

#define HEAD_OCTETS 1024
#define METER_MEMORY (UINT64_C(1) << 30)

/* Value of a number column in a row; 0 when it has none. */
static uint64_t number_at(const struct record_batch *batch, int column, unsigned row)
{
    if (column < 0 || record_is_null(batch, (unsigned)column, row))
        return 0;
    const void *value = record_value(batch, (unsigned)column, row);
    switch (value_size(batch->type->column[column].type)) {
    case 8:
        return *(const uint64_t *)value;
    case 4:
        return *(const uint32_t *)value;
    case 2:
        return *(const uint16_t *)value;
    default:
        return *(const uint8_t *)value;
    }
}

static int records_push(struct record_sink *sink, struct record_batch *batch)
{
    struct volume_records *r = (struct volume_records *)sink;
    static const char *const names[] = { "start", "end", "bytes", "rev_bytes", "packets", "rev_packets" };
    int at[6];
    for (unsigned i = 0; i < 6; i++)
        at[i] = record_column_find(batch->type, names[i]);
    for (unsigned row = 0; row < batch->count && r->error.code == 0; row++) {
        if (at[0] < 0 || at[1] < 0 || record_is_null(batch, (unsigned)at[0], row) || record_is_null(batch, (unsigned)at[1], row)) {
            r->left_out++;
            continue;
        }
        int64_t start = (int64_t)number_at(batch, at[0], row), end = (int64_t)number_at(batch, at[1], row);
        if (end < start) {
            r->left_out++;
            continue;
        }
        r->error.code = spread_add(r->spread, start, end, number_at(batch, at[2], row) + number_at(batch, at[3], row),
                                   number_at(batch, at[4], row) + number_at(batch, at[5], row), &r->error);
    }
    record_batch_unref(batch);
    return r->error.code;
}

void volume_records_init(struct volume_records *r, struct spread *spread)
{
    *r = (struct volume_records){ .sink.push = records_push, .spread = spread };
}

enum volume_input volume_input_kind(const char *path)
{
    struct stat st;
    struct file *file;
    char head[HEAD_OCTETS + 1];
    if (strcmp(path, "-") == 0 || stat(path, &st) != 0)
        return VOLUME_CAPTURE;
    if (S_ISDIR(st.st_mode))
        return VOLUME_LAKE;
    if (!S_ISREG(st.st_mode) || file_open(&file, path, FILE_READ, NULL) != 0)
        return VOLUME_CAPTURE;
    int64_t got = file_read(file, head, HEAD_OCTETS, NULL);
    file_close(file, NULL);
    head[got > 0 ? got : 0] = '\0';
    head[strcspn(head, "\r\n")] = '\0';
    return strchr(head, ',') != NULL && strstr(head, "start") != NULL && strstr(head, "bytes") != NULL ? VOLUME_CSV : VOLUME_CAPTURE;
}

static void show(struct text *messages)
{
    if (messages->size > 0)
        fprintf(stderr, "%s", messages->data);
    text_fini(messages);
}

/* A failure of the sink says why, the reader only that. */
static int reason(const struct volume_records *r, int code, struct err *e)
{
    return r->error.code != 0 ? err_set(e, r->error.code, "%s", r->error.text) : code;
}

int volume_read_csv(const char *path, struct volume_records *r, struct err *e)
{
    struct text messages = { 0 };
    int code = csv_read(path, &record_types[RECORD_flow], &r->sink, &messages, e);
    show(&messages);
    return reason(r, code, e);
}

static struct record_sink *same_sink(void *context, const struct record_type *type, struct err *e)
{
    (void)type, (void)e;
    return context;
}

int volume_read_lake(const char *path, struct volume_records *r, struct err *e)
{
    struct text messages = { 0 };
    struct store *store = NULL;
    int code = store_open_lake(&store, path, r->spread->from_ns, r->spread->to_ns, &messages, e);
    if (code == 0)
        code = store_ask(store, "SELECT \"start\", \"end\", bytes, rev_bytes, packets, rev_packets FROM flow", same_sink, &r->sink, e);
    store_close(store);
    show(&messages);
    return reason(r, code, e);
}

int volume_read_captures(const struct option_list *paths, const struct packets_options *options, const char *rest, enum length_kind length,
                         struct volume_records *r, int *worst, struct err *e)
{
    struct capture_options in = { .path = paths->item, .path_count = paths->count, .is_sorted = options->is_sorted,
                                  .count_max = options->count_max, .from_ns = INT64_MIN, .to_ns = INT64_MAX };
    struct engine_options engine = { .worker_count = 1, .flows = &r->sink, .decode.enter_tunnels = options->enters_tunnels };
    struct capture *capture = NULL;
    struct ledger read = { 0 }, sum = { 0 };
    flow_preset("native", &engine.flow);
    engine.flow.memory_octets = METER_MEMORY;
    engine.flow.length = length;
    int code = packets_filter_new(options, rest, &engine.packet_filter, e);
    if (code == 0)
        code = capture_open_files(&capture, &in, &read, e);
    if (code == 0) {
        code = reason(r, engine_meter(capture, &engine, &sum, e), e);
        *worst = capture->worst;
    }
    capture_close(capture);
    bpf_free(engine.packet_filter);
    return code;
}
