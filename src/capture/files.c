/*
 * capture backend for files: one after another, or merged by time.
 *
 * Interfaces are numbered over the whole input. Two files whose n-th interface has the same name
 * and link type mean the same interface: so the pieces of a rotated capture are one interface, and
 * a flow that crosses from one piece to the next stays one flow.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "capture/capture.h"
#include "capture/trace_file.h"

#define INTERFACES_MAX 4096 /* over all files; more share the last number */

struct known_interface {
    uint32_t index; /* within its file */
    uint16_t link;
    char name[64];
};

struct files {
    struct capture capture;
    struct capture_options options;
    struct trace_file *file; /* one per path */
    size_t current;          /* without sort: the file being read */
    uint64_t octets_done;    /* stored octets of files that were closed */
    uint64_t given;          /* packets handed out */

    int64_t time_max; /* newest packet so far, with is_begun */
    size_t newest;    /* the file it is from */
    bool is_begun, is_warned, is_finished;

    /* With sort: numbers of the files that have packets ahead, a heap by (time, number). */
    size_t *heap, heap_count;

    struct known_interface *interface;
    uint32_t interface_count;

    /* What was found when a batch was read, so that it need not be looked at again when it is
     * handed out as it is. */
    struct batch_facts {
        unsigned count;
        uint64_t snapped;
        bool is_ordered;
    } read;
};

/* ---- messages ---- */

static void files_say(struct files *f, const struct err *e)
{
    text_add(&f->capture.messages, e->text);
    text_char(&f->capture.messages, '\n');
    f->capture.worst = WEIR_EINPUT;
}

/* A file begins before the one read before it ended: once per run, with both times. */
static void files_warn_order(struct files *f, size_t index, int64_t first_ns)
{
    if (f->is_warned || f->newest == index)
        return;
    f->is_warned = true;
    struct text *t = &f->capture.messages;
    text_format(t, "%s: begins at ", f->file[index].path);
    text_rfc3339(t, first_ns, 9);
    text_format(t, ", before the last packet of %s at ", f->file[f->newest].path);
    text_rfc3339(t, f->time_max, 9);
    text_add(t, ": packets are not in the order of time; --sort merges the files\n");
}

/* ---- interfaces ---- */

static uint32_t files_interface(struct files *f, const struct trace_info *info, uint32_t index)
{
    struct known_interface wanted = { .index = index };
    if (index < info->interface_count && index < TRACE_INTERFACES_MAX) {
        wanted.link = info->interface[index].link;
        memcpy(wanted.name, info->interface[index].name, sizeof wanted.name);
    }
    for (uint32_t i = 0; i < f->interface_count; i++) {
        const struct known_interface *k = &f->interface[i];
        if (k->index == index && k->link == wanted.link && strcmp(k->name, wanted.name) == 0)
            return i;
    }
    if (f->interface_count == INTERFACES_MAX)
        return INTERFACES_MAX - 1;
    f->interface[f->interface_count] = wanted;
    return f->interface_count++;
}

/* Numbers within the file become numbers within the input. Runs of equal ones are the rule. */
static void files_number_interfaces(struct files *f, const struct trace_info *info,
                                    struct packet_batch *batch, unsigned first)
{
    uint32_t from = UINT32_MAX, to = 0;
    if (info->interface_count == 1 && files_interface(f, info, 0) == 0)
        return; /* nothing would change */
    for (unsigned i = first; i < batch->count; i++) {
        struct packet *p = &batch->pkt[i];
        if (p->interface != from) {
            from = p->interface;
            to = files_interface(f, info, from);
        }
        p->interface = to;
    }
}

/* ---- one file ---- */

static struct batch_facts info_count(struct trace_info *info, const struct packet_batch *batch,
                                     unsigned first)
{
    if (first == batch->count)
        return (struct batch_facts){ 0 };
    uint64_t octets = 0, captured = 0, snapped = 0;
    int64_t least = info->packets > 0 ? info->time_min : INT64_MAX;
    int64_t most = info->packets > 0 ? info->time_max : INT64_MIN;
    bool is_unordered = false;
    for (unsigned i = first; i < batch->count; i++) {
        const struct packet *p = &batch->pkt[i];
        octets += p->wirelen;
        captured += p->caplen;
        snapped += p->caplen < p->wirelen;
        is_unordered |= p->time_ns < most;
        least = p->time_ns < least ? p->time_ns : least;
        most = p->time_ns > most ? p->time_ns : most;
    }
    info->packets += batch->count - first;
    info->octets += octets;
    info->octets_captured += captured;
    info->packets_snapped += snapped;
    info->time_min = least;
    info->time_max = most;
    info->is_unordered = info->is_unordered || is_unordered;
    return (struct batch_facts){ .count = batch->count - first,
                                 .snapped = snapped,
                                 .is_ordered = !is_unordered };
}

/* More packets of one file into the batch, counted in the ledger and in the file's info. */
static void files_read(struct files *f, struct trace_file *file, struct packet_batch *batch)
{
    struct ledger *ledger = f->capture.ledger;
    struct trace_info *info = file->info;
    unsigned first = batch->count;
    uint64_t cut = info->records_cut, bad = info->records_bad, untimed = info->records_untimed;
    struct err e;
    if (trace_file_fill(file, batch, &e) < 0)
        files_say(f, &e);
    cut = info->records_cut - cut;
    bad = info->records_bad - bad;
    untimed = info->records_untimed - untimed;
    ledger->in[STAGE_input] += batch->count - first + cut + bad + untimed;
    ledger_count(ledger, REASON_cut_record, cut);
    ledger_count(ledger, REASON_bad_record, bad);
    ledger_count(ledger, REASON_bad_time, untimed);
    f->read = info_count(info, batch, first);
    files_number_interfaces(f, info, batch, first);
}

/* False when there is nothing to read from; the message says why. */
static bool files_open_one(struct files *f, size_t index, struct err *e)
{
    if (trace_file_open(&f->file[index], f->options.path[index], e) == 0)
        return true;
    files_say(f, e);
    return false;
}

static void files_close_one(struct files *f, struct trace_file *file)
{
    if (file->source == NULL)
        return;
    f->octets_done += source_stored_read(file->source);
    trace_file_close(file);
}

/* ---- what is handed out ---- */

/* Leave the packets of the time range, at most as many as are wanted, and count what all that
 * means. */
static void files_give(struct files *f, struct packet_batch *batch)
{
    struct ledger *ledger = f->capture.ledger;
    const struct capture_options *o = &f->options;
    unsigned count = batch->count;
    if (o->from_ns != INT64_MIN || o->to_ns != INT64_MAX) {
        count = 0;
        for (unsigned i = 0; i < batch->count; i++)
            if (batch->pkt[i].time_ns >= o->from_ns && batch->pkt[i].time_ns <= o->to_ns)
                batch->pkt[count++] = batch->pkt[i];
        ledger_count(ledger, REASON_outside_time, batch->count - count);
    }
    if (o->count_max > 0 && count >= o->count_max - f->given) {
        unsigned left = (unsigned)(o->count_max - f->given);
        ledger_count(ledger, REASON_after_limit, count - left);
        count = left;
        f->is_finished = true;
    }
    uint64_t back = 0, snapped = 0;
    int64_t newest = f->is_begun ? f->time_max : INT64_MIN;
    bool is_as_read = !o->is_sorted && count > 0 && count == f->read.count && f->read.is_ordered &&
                      batch->pkt[0].time_ns >= newest;
    if (is_as_read) {
        snapped = f->read.snapped;
        newest = batch->pkt[count - 1].time_ns;
    }
    for (unsigned i = 0; i < count && !is_as_read; i++) {
        const struct packet *p = &batch->pkt[i];
        back += p->time_ns < newest;
        newest = p->time_ns > newest ? p->time_ns : newest;
        snapped += p->caplen < p->wirelen;
    }
    if (count > 0) {
        f->time_max = newest;
        f->is_begun = true;
    }
    ledger_count(ledger, REASON_time_back, back);
    ledger_count(ledger, REASON_snapped, snapped);
    ledger->out[STAGE_input] += count;
    f->given += count;
    batch->count = count;
}

/* ---- one file after another ---- */

static void files_fill_in_order(struct files *f, struct packet_batch *batch)
{
    struct err e;
    while (batch->count == 0 && f->current < f->options.path_count) {
        struct trace_file *file = &f->file[f->current];
        if (file->is_done || (file->source == NULL && !files_open_one(f, f->current, &e))) {
            files_close_one(f, file);
            f->current++;
            continue;
        }
        bool is_first = file->info->packets == 0;
        files_read(f, file, batch);
        if (is_first && batch->count > 0 && f->is_begun && batch->pkt[0].time_ns < f->time_max)
            files_warn_order(f, f->current, batch->pkt[0].time_ns);
        if (!f->is_begun || (batch->count > 0 && file->info->time_max >= f->time_max))
            f->newest = f->current;
        f->capture.octets_read = f->octets_done + source_stored_read(file->source);
    }
}

/* ---- merged by time ---- */

static bool files_is_before(const struct files *f, size_t a, size_t b)
{
    int64_t time_a = f->file[a].ahead->pkt[f->file[a].next].time_ns,
            time_b = f->file[b].ahead->pkt[f->file[b].next].time_ns;
    return time_a != time_b ? time_a < time_b : a < b;
}

static void heap_sift_down(struct files *f, size_t at)
{
    size_t moving = f->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= f->heap_count)
            break;
        if (child + 1 < f->heap_count && files_is_before(f, f->heap[child + 1], f->heap[child]))
            child++;
        if (!files_is_before(f, f->heap[child], moving))
            break;
        f->heap[at] = f->heap[child];
        at = child;
    }
    f->heap[at] = moving;
}

/* Read ahead of a file whose packets were all given; false when there are no more. */
static bool files_read_ahead(struct files *f, struct trace_file *file)
{
    file->next = file->ahead->count = 0;
    while (file->ahead->count == 0 && !file->is_done)
        files_read(f, file, file->ahead);
    if (file->ahead->count == 0)
        files_close_one(f, file);
    return file->ahead->count > 0;
}

static void files_begin_sorted(struct files *f)
{
    for (size_t i = 0; i < f->options.path_count; i++)
        if (f->file[i].source != NULL && files_read_ahead(f, &f->file[i]))
            f->heap[f->heap_count++] = i;
    for (size_t i = f->heap_count / 2; i-- > 0;)
        heap_sift_down(f, i);
    f->current = f->options.path_count;
}

static void files_fill_sorted(struct files *f, struct packet_batch *batch)
{
    if (f->current == 0)
        files_begin_sorted(f);
    while (batch->count < BATCH_MAX && f->heap_count > 0) {
        struct trace_file *file = &f->file[f->heap[0]];
        if (file->next == file->ahead->count) {
            /* Reading on moves the octets of this file, so packets of it may not wait in the batch.
             */
            if (batch->count > 0)
                break;
            if (!files_read_ahead(f, file))
                f->heap[0] = f->heap[--f->heap_count];
            if (f->heap_count > 0)
                heap_sift_down(f, 0);
            continue;
        }
        batch->pkt[batch->count++] = file->ahead->pkt[file->next++];
        if (file->next < file->ahead->count)
            heap_sift_down(f, 0);
    }
}

/* ---- the backend ---- */

static int files_fill(struct capture *capture, struct packet_batch *batch, struct err *e)
{
    struct files *f = capture->state;
    (void)e; /* damage ends a file, never the run */
    batch->count = 0;
    batch->ahead = (struct packet_ahead){ 0 };
    while (batch->count == 0 && !f->is_finished) {
        if (f->options.is_sorted)
            files_fill_sorted(f, batch);
        else
            files_fill_in_order(f, batch);
        if (batch->count == 0)
            f->is_finished = true;
        files_give(f, batch);
    }
    return (int)batch->count;
}

static void files_close(struct capture *capture)
{
    struct files *f = capture->state;
    for (size_t i = 0; f->file != NULL && i < f->options.path_count; i++)
        trace_file_fini(&f->file[i]);
    text_fini(&capture->messages);
    free(f->file);
    free(f->heap);
    free(f->interface);
    free(f);
}

/* Merging keeps every file open; ask for as many descriptors as the system lets us have. */
static void allow_descriptors(size_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < count + 64) {
        limit.rlim_cur = limit.rlim_max < count + 64 ? limit.rlim_max : count + 64;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Without sort the first file that can be opened, with sort all of them. */
static int files_open(struct capture *capture, const struct capture_options *options, struct err *e)
{
    struct files *f = capture->state;
    bool is_any = false;
    if (options->is_sorted)
        allow_descriptors(options->path_count);
    for (size_t i = 0; i < options->path_count && (options->is_sorted || !is_any); i++) {
        capture->octets_total += source_path_size(options->path[i]);
        if (!files_open_one(f, i, e)) {
            f->file[i].is_done = true;
            continue;
        }
        is_any = true;
        if (options->is_sorted) {
            f->file[i].ahead = malloc(sizeof *f->file[i].ahead);
            if (f->file[i].ahead == NULL)
                return err_memory(e, options->path[i], sizeof *f->file[i].ahead);
            f->file[i].ahead->count = 0;
        }
    }
    if (is_any)
        return 0;
    return options->path_count == 0 ? err_set(e, WEIR_EUSAGE, "no input") : e->code;
}

const struct capture_ops files_capture = {
    .name = "files",
    .help = "capture files of any format and compression",
    .open = files_open,
    .fill = files_fill,
    .close = files_close,
};

int capture_open_files(struct capture **capture, const struct capture_options *options,
                       struct ledger *ledger, struct err *e)
{
    struct files *f = calloc(1, sizeof *f);
    if (f == NULL)
        return err_memory(e, "capture", sizeof *f);
    f->capture = (struct capture){ .ops = &files_capture, .state = f, .ledger = ledger };
    f->options = *options;
    f->file = calloc(options->path_count + 1, sizeof *f->file);
    f->heap = calloc(options->path_count + 1, sizeof *f->heap);
    f->interface = calloc(INTERFACES_MAX, sizeof *f->interface);
    struct err failure = { 0 };
    int code = f->file == NULL || f->heap == NULL || f->interface == NULL
                   ? err_memory(&failure, "capture", options->path_count)
                   : files_open(&f->capture, options, &failure);
    if (code < 0) {
        files_close(&f->capture);
        if (e != NULL)
            *e = failure;
        return code;
    }
    *capture = &f->capture;
    return 0;
}

const struct trace_info *capture_file_info(const struct capture *capture, size_t index)
{
    const struct files *f = capture->state;
    return index < f->options.path_count ? f->file[index].info : NULL;
}

void capture_close(struct capture *capture)
{
    if (capture != NULL)
        capture->ops->close(capture);
}
