/* weir info: what capture files say about themselves, spec/tools.md 9.4. One row per file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
#include "output/output.h"

struct info_options {
    struct output_options output; /* first: output_option_table counts from here */
    bool no_hash;
};

static const struct option options[] = {
    { "no-hash", 'H', OPTION_FLAG, offsetof(struct info_options, no_hash), NULL,
      "leave out the SHA-256 of the file, which reads it a second time" },
    { 0 },
};
static const struct option *const tables[] = { options, output_option_table, NULL };

static int info_run(int argc, char **argv, struct err *e);

const struct command info_command = {
    .name = "info",
    .help = "what capture files hold: format, packets, times, rates, check sum",
    .arguments = "INPUT...",
    .examples = "  weir info office.pcapng\n"
                "  weir info -o csv --columns file,packets,first,last captures/*.pcap.gz\n",
    .options = tables,
    .run = info_run,
};

/* ---- one row ---- */

#define COLUMN_OF(name) RECORD_COLUMN(info, name)

struct row {
    struct record_batch *batch;
    bool is_bad; /* no memory */
};

static void *row_column(struct row *r, unsigned column)
{
    void *at = record_batch_column(r->batch, column);
    r->is_bad = r->is_bad || at == NULL;
    return at;
}

static void row_u64(struct row *r, unsigned column, uint64_t value)
{
    uint64_t *at = row_column(r, column);
    if (at != NULL)
        *at = value;
}

static void row_u32(struct row *r, unsigned column, uint32_t value)
{
    uint32_t *at = row_column(r, column);
    if (at != NULL)
        *at = value;
}

static void row_i64(struct row *r, unsigned column, int64_t value)
{
    int64_t *at = row_column(r, column);
    if (at != NULL)
        *at = value;
}

static void row_f64(struct row *r, unsigned column, double value)
{
    double *at = row_column(r, column);
    if (at != NULL)
        *at = value;
}

/* No value when there is no text. */
static void row_text(struct row *r, unsigned column, const char *text)
{
    if (text[0] == '\0')
        return;
    struct bytes *at = row_column(r, column);
    char *copy = arena_text(&r->batch->arena, text, strlen(text));
    r->is_bad = r->is_bad || copy == NULL;
    if (at != NULL && copy != NULL)
        *at = (struct bytes){ (const uint8_t *)copy, strlen(text) };
}

/* What a time stamp can tell apart, rounded to the unit that people know. */
static const char *precision_name(int64_t resolution)
{
    static const struct {
        int64_t units;
        const char *name;
    } known[] = { { 1000000000, "nanoseconds" }, { 1000000, "microseconds" },
                  { 1000, "milliseconds" },      { 100, "centiseconds" },
                  { 10, "deciseconds" },         { 1, "seconds" } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (resolution >= known[i].units)
            return known[i].name;
    return known[0].name; /* 0: finer than a number can say */
}

/* Link, precision and snapshot length of all interfaces, or that they differ. */
static void row_interfaces(struct row *r, const struct trace_info *info)
{
    unsigned count = info->interface_count;
    if (count > TRACE_INTERFACES_MAX)
        count = TRACE_INTERFACES_MAX;
    row_u32(r, COLUMN_OF(interfaces), info->interface_count);
    if (count == 0)
        return;
    const struct trace_interface *first = &info->interface[0];
    bool is_link = true, is_precision = true, is_snaplen = true;
    for (unsigned i = 1; i < count; i++) {
        const struct trace_interface *other = &info->interface[i];
        is_link = is_link && other->link == first->link;
        is_snaplen = is_snaplen && other->snaplen == first->snaplen;
        is_precision = is_precision && strcmp(precision_name(other->resolution),
                                              precision_name(first->resolution)) == 0;
    }
    char number[16];
    snprintf(number, sizeof number, "%u", first->link);
    const char *link = link_name(first->link) != NULL ? link_name(first->link) : number;
    row_text(r, COLUMN_OF(link), is_link ? link : "per-packet");
    row_text(r, COLUMN_OF(precision),
             is_precision ? precision_name(first->resolution) : "per-packet");
    if (is_snaplen && first->snaplen > 0)
        row_u32(r, COLUMN_OF(snaplen), first->snaplen);
}

/* Times and rates; they have no value where there is no time or no duration. */
static void row_times(struct row *r, const struct trace_info *info)
{
    if (info->packets > 0)
        row_f64(r, COLUMN_OF(avg_packet), (double)info->octets / (double)info->packets);
    bool is_timed = info->packets_timeless == 0;
    if (is_timed || info->is_unordered)
        row_text(r, COLUMN_OF(ordered), info->is_unordered ? "false" : "true");
    if (!is_timed || info->packets == 0)
        return;
    int64_t duration = info->time_max - info->time_min;
    row_i64(r, COLUMN_OF(first), info->time_min);
    row_i64(r, COLUMN_OF(last), info->time_max);
    row_i64(r, COLUMN_OF(duration), duration);
    if (duration == 0)
        return;
    double seconds = (double)duration / (double)NS_PER_S;
    row_f64(r, COLUMN_OF(byte_rate), (double)info->octets / seconds);
    row_f64(r, COLUMN_OF(bit_rate), 8 * (double)info->octets / seconds);
    row_f64(r, COLUMN_OF(packet_rate), (double)info->packets / seconds);
}

static int push_row(struct output *output, const char *path, const struct trace_info *info,
                    const char *sha256, struct err *e)
{
    struct row r = { .batch = record_batch_new(&record_types[RECORD_info], 1) };
    if (r.batch == NULL)
        return err_memory(e, path, sizeof *r.batch);
    uint64_t size = source_path_size(path);
    row_text(&r, COLUMN_OF(file), path);
    row_text(&r, COLUMN_OF(format), info->format);
    row_interfaces(&r, info);
    row_u64(&r, COLUMN_OF(packets), info->packets);
    row_u64(&r, COLUMN_OF(bytes), info->octets);
    row_u64(&r, COLUMN_OF(captured_bytes), info->octets_captured);
    if (size > 0)
        row_u64(&r, COLUMN_OF(file_size), size);
    row_times(&r, info);
    row_text(&r, COLUMN_OF(sha256), sha256);
    row_u64(&r, COLUMN_OF(truncated_packets), info->packets_snapped);
    row_text(&r, COLUMN_OF(hardware), info->hardware);
    row_text(&r, COLUMN_OF(os), info->os);
    row_text(&r, COLUMN_OF(application), info->application);
    row_text(&r, COLUMN_OF(comment), info->comment);
    if (r.is_bad) {
        record_batch_unref(r.batch);
        return err_memory(e, path, sizeof *r.batch);
    }
    r.batch->count = 1;
    record_batch_seal(r.batch);
    int code = output->sink.push(&output->sink, r.batch);
    if (code < 0)
        *e = output->error;
    return code;
}

/* ---- files ---- */

/* 1 if the file was damaged or unreadable, which has been said; negative when going on is useless.
 */
static int info_file(const char *path, const struct info_options *o, struct packet_batch *batch,
                     struct output *output, struct err *e)
{
    struct ledger ledger = { 0 };
    struct capture_options from = {
        .path = &path, .path_count = 1, .from_ns = INT64_MIN, .to_ns = INT64_MAX
    };
    struct capture *capture;
    int code = capture_open_files(&capture, &from, &ledger, e);
    if (code == WEIR_EINPUT) {
        fprintf(stderr, "weir info: %s\n", e->text);
        return 1;
    }
    if (code < 0)
        return code;
    while ((code = capture_fill(capture, batch, e)) > 0)
        text_say(&capture->messages, "weir info");
    text_say(&capture->messages, "weir info");
    bool is_damaged = capture->worst < 0;

    char sha256[SHA256_TEXT_SIZE] = "";
    if (code == 0 && !o->no_hash && source_path_size(path) > 0)
        code = digest_sha256(path, sha256, e);
    if (code == 0)
        code = push_row(output, path, capture_file_info(capture, 0), sha256, e);
    capture_close(capture);
    return code < 0 ? code : is_damaged;
}

static int info_run(int argc, char **argv, struct err *e)
{
    struct info_options o = { .output = OUTPUT_DEFAULTS };
    struct option_list inputs = { 0 };
    struct output *output = NULL;
    struct packet_batch *batch = NULL;
    size_t damaged = 0;
    int code = command_parse(&info_command, argc, argv, &o, &inputs, NULL, e);
    if (code != 0)
        goto out;
    if (inputs.count == 0) {
        code = err_set(e, WEIR_EUSAGE, "no input; name capture files, '-' is standard input");
        goto out;
    }
    batch = malloc(sizeof *batch);
    if (batch == NULL) {
        code = err_memory(e, "packet batch", sizeof *batch);
        goto out;
    }
    code = output_open(&output, &o.output, &record_types[RECORD_info], NULL, e);
    for (size_t i = 0; i < inputs.count && code >= 0; i++) {
        code = info_file(inputs.item[i], &o, batch, output, e);
        damaged += code == 1;
    }
    if (output != NULL) {
        int closed = output_close(output, code < 0 ? NULL : e);
        code = code < 0 ? code : closed;
    }
    if (code >= 0 && damaged > 0)
        code = err_set(e, WEIR_EINPUT, "%zu of %zu inputs damaged or unreadable", damaged,
                       inputs.count);
out:
    free(batch);
    option_list_fini(&inputs);
    return code < 0 ? code : 0;
}
