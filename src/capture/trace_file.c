/* Reading one capture file into batches, see trace_file.h. */
#include "capture/trace_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TINY_OCTETS = 128, DENSE_OCTETS = 768, HEADER_LINES = 2 };

static int trace_file_probe(struct trace_file *f, struct err *e)
{
    /* Magic numbers are short, and a pipe may bring no more for now; formats without one need to
     * see more. */
    static const size_t sizes[] = { 12, TRACE_HEAD_MAX };
    for (unsigned i = 0; i < 2 && f->format == NULL; i++) {
        int code = source_window(f->source, sizes[i], true, &f->window, &f->is_end, e);
        if (code < 0 && f->window.size == 0)
            return err_wrap(e, "%s:0", f->path);
        f->format = trace_format_probe(f->window);
    }
    if (f->format != NULL)
        return 0;
    if (f->window.size == 0)
        return err_set(e, WEIR_EINPUT, "%s:0: the file is empty", f->path);
    return err_set(e, WEIR_EINPUT,
                   "%s:0: no known capture file format; pcap, pcapng, ERF and snoop are known",
                   f->path);
}

int trace_file_open(struct trace_file *f, const char *path, struct err *e)
{
    *f = (struct trace_file){ .path = path, .wanted = 1 };
    int code = source_open(&f->source, path, SOURCE_AUTO, e);
    if (code < 0)
        return code;
    code = trace_file_probe(f, e);
    if (code == 0) {
        f->info = calloc(1, sizeof *f->info);
        f->state = calloc(1, f->format->state_size);
        if (f->info == NULL || f->state == NULL)
            code = err_memory(e, path, sizeof *f->info + f->format->state_size);
    }
    if (code < 0) {
        trace_file_fini(f);
        return code;
    }
    f->info->format = f->format->name;
    snprintf(f->info->compression, sizeof f->info->compression, "%s",
             source_compression(f->source));
    return 0;
}

/* Widen the window to what the format wants: 1 when there is something new, 0 when it must wait
 * until the batch was taken. */
static int trace_file_widen(struct trace_file *f, bool may_move, struct err *e)
{
    if (!may_move && source_would_wait(f->source))
        return 0;
    int code = source_window(f->source, f->wanted, may_move, &f->window, &f->is_end, e);
    if (code < 0 && !f->is_broken) {
        f->is_broken = true;
        return err_wrap(e, "%s:%" PRIu64, f->path, source_offset(f->source) + f->window.size);
    }
    return f->is_end || f->window.size >= f->wanted;
}

/* Place and layer of a damage: with compression the offset is that of the decompressed octets. */
static int trace_file_damage(struct trace_file *f, struct err *e)
{
    const char *compression = source_compression(f->source);
    return err_wrap(e, "%s:%" PRIu64 "%s%s%s", f->path, source_offset(f->source),
                    compression[0] != '\0' ? " (inside " : "", compression,
                    compression[0] != '\0' ? ")" : "");
}

/* Records that come are like the `count` ones in the last `octets`. Tiny ones the processor fetches
 * by itself; of small ones every line is wanted, else the two that hold the headers. */
static void trace_file_guess(const struct trace_file *f, struct packet_batch *batch, size_t octets,
                             unsigned count)
{
    batch->ahead = (struct packet_ahead){ 0 };
    size_t mean = count > 0 ? octets / count : 0;
    if (mean < TINY_OCTETS || f->window.size == 0)
        return;
    size_t lines = mean < DENSE_OCTETS ? (mean + CACHE_LINE - 1) / CACHE_LINE : HEADER_LINES;
    batch->ahead = (struct packet_ahead){ f->window.data, (uint32_t)mean, (uint8_t)lines };
}

int trace_file_fill(struct trace_file *f, struct packet_batch *batch, struct err *e)
{
    int failure = 0;
    unsigned first = batch->count;
    size_t octets = 0;
    while (batch->count < BATCH_MAX && !f->is_done) {
        size_t used = 0;
        struct err damage;
        int code = f->format->parse(f->state, f->window, f->is_end, batch, f->info, &used,
                                    &f->wanted, &damage);
        source_skip(f->source, used);
        f->window.data += used;
        f->window.size -= used;
        octets += used;
        if (code < 0 || (f->is_end && f->window.size == 0)) {
            f->is_done = true;
            /* When reading failed, that the last record is cut is no news. */
            if (code < 0 && !f->is_broken) {
                trace_file_damage(f, &damage);
                *e = damage;
                failure = code;
            }
        } else if (batch->count < BATCH_MAX) {
            code = trace_file_widen(f, batch->count == 0, e);
            if (code == 0)
                break;
            if (code < 0)
                failure = code;
        }
    }
    trace_file_guess(f, batch, octets, batch->count - first);
    return failure;
}

void trace_file_close(struct trace_file *f)
{
    if (f->state != NULL && f->format->fini != NULL)
        f->format->fini(f->state);
    free(f->state);
    f->state = NULL;
    source_close(f->source);
    f->source = NULL;
}

void trace_file_fini(struct trace_file *f)
{
    trace_file_close(f);
    free(f->ahead);
    free(f->info);
    f->ahead = NULL;
    f->info = NULL;
}
