/* Flow records from CSV, from a lake, or metered from captures, see flow_source.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/flow_source.h"
#include "engine/engine.h"
#include "query/query.h"

#define HEAD_OCTETS  1024
#define METER_MEMORY (UINT64_C(1) << 30)

uint64_t record_number(const struct record_batch *batch, int column, unsigned row)
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

enum flow_input flow_input_kind(const char *path)
{
    struct stat st;
    struct file *file;
    char head[HEAD_OCTETS + 1];
    if (strcmp(path, "-") == 0 || stat(path, &st) != 0)
        return FLOW_INPUT_CAPTURE;
    if (S_ISDIR(st.st_mode))
        return FLOW_INPUT_LAKE;
    if (!S_ISREG(st.st_mode) || file_open(&file, path, FILE_READ, NULL) != 0)
        return FLOW_INPUT_CAPTURE;
    int64_t got = file_read(file, head, HEAD_OCTETS, NULL);
    file_close(file, NULL);
    head[got > 0 ? got : 0] = '\0';
    head[strcspn(head, "\r\n")] = '\0';
    return strchr(head, ',') != NULL && strstr(head, "start") != NULL &&
                   strstr(head, "bytes") != NULL
               ? FLOW_INPUT_CSV
               : FLOW_INPUT_CAPTURE;
}

static int read_csv(const struct flow_source *source, const char *path, struct record_sink *sink,
                    struct err *e)
{
    struct text messages = { 0 };
    int code = csv_read(path, &record_types[RECORD_flow], sink, &messages, e);
    text_say(&messages, source->packets->who);
    text_fini(&messages);
    return code;
}

static struct record_sink *same_sink(void *context, const struct record_type *type, struct err *e)
{
    (void)type, (void)e;
    return context;
}

static int read_lake(const struct flow_source *source, const char *path, struct record_sink *sink,
                     struct err *e)
{
    struct text messages = { 0 };
    struct store *store = NULL;
    int code = store_open_lake(&store, path, source->from_ns, source->to_ns, &messages, e);
    if (code == 0)
        code = store_ask(
            store, "SELECT \"start\", \"end\", bytes, rev_bytes, packets, rev_packets FROM flow",
            same_sink, sink, e);
    store_close(store);
    text_say(&messages, source->packets->who);
    text_fini(&messages);
    return code;
}

static int read_captures(const struct flow_source *source, const char *const *path, size_t count,
                         struct record_sink *sink, int *worst, struct err *e)
{
    const struct packets_options *o = source->packets;
    struct capture_options in = { .path = path,
                                  .path_count = count,
                                  .is_sorted = o->is_sorted,
                                  .count_max = o->count_max,
                                  .from_ns = INT64_MIN,
                                  .to_ns = INT64_MAX };
    struct engine_options engine = {
        .who = o->who, .worker_count = 1, .flows = sink, .decode.enter_tunnels = o->enters_tunnels
    };
    struct capture *capture = NULL;
    struct ledger read = { 0 }, sum = { 0 };
    flow_preset("native", &engine.flow);
    engine.flow.memory_octets = METER_MEMORY;
    engine.flow.length = source->length;
    int code = packets_filter_new(o, source->rest, &engine.packet_filter, e);
    if (code == 0)
        code = capture_open_files(&capture, &in, &read, e);
    if (code == 0) {
        code = engine_meter(capture, &engine, &sum, e);
        *worst = capture->worst;
    }
    capture_close(capture);
    bpf_free(engine.packet_filter);
    return code;
}

int flow_source_read(const struct flow_source *source, const struct option_list *inputs,
                     struct record_sink *sink, int *worst, struct err *e)
{
    const char **captures = calloc(inputs->count + 1, sizeof *captures);
    size_t count = 0;
    if (captures == NULL)
        return err_memory(e, "inputs", inputs->count * sizeof *captures);
    int code = source->lake != NULL ? read_lake(source, source->lake, sink, e) : 0;
    for (size_t i = 0; i < inputs->count && code == 0; i++) {
        enum flow_input kind = flow_input_kind(inputs->item[i]);
        if (kind == FLOW_INPUT_CSV)
            code = read_csv(source, inputs->item[i], sink, e);
        else if (kind == FLOW_INPUT_LAKE)
            code = read_lake(source, inputs->item[i], sink, e);
        else
            captures[count++] = inputs->item[i];
    }
    if (code == 0 && count > 0)
        code = read_captures(source, captures, count, sink, worst, e);
    free(captures);
    return code;
}
