/* Reading, filtering and decoding of packets for commands, see packets.h. */
#include "cmd/packets.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct packets_command, input.field)

const struct option packets_option_table[] = {
    { "read", 'r', OPTION_LIST, AT(read), "FILE",
      "input, the same as an INPUT; - is standard input" },
    { "filter", 'f', OPTION_TEXT, AT(filter), "EXPR",
      "only packets that pass, pcap-filter(7); words after -- mean the same" },
    { "count", 'c', OPTION_COUNT, AT(count_max), "N", "stop after N packets were read" },
    { "from", 0, OPTION_TEXT, AT(from), "TIME", "only packets from then on" },
    { "to", 0, OPTION_TEXT, AT(to), "TIME", "only packets up to then" },
    { "sort", 0, OPTION_FLAG, AT(is_sorted), NULL, "merge the inputs by time" },
    { "tunnel", 0, OPTION_FLAG, AT(enters_tunnels), NULL, "look at the packets inside tunnels" },
    { "stats", 0, OPTION_FLAG, AT(shows_stats), NULL,
      "at the end: packets read and not used, with reasons, on standard error" },
    { 0 },
};

int packets_filter_new(const struct packets_options *o, const char *rest, struct bpf **bpf,
                       struct err *e)
{
    *bpf = NULL;
    if (o->filter == NULL && rest == NULL)
        return 0;
    struct text both = { 0 };
    if (o->filter != NULL && rest != NULL)
        text_format(&both, "(%s) and (%s)", o->filter, rest);
    int code = both.is_bad ? err_memory(e, "filter", both.size)
                           : bpf_new(both.data != NULL   ? both.data
                                     : o->filter != NULL ? o->filter
                                                         : rest,
                                     bpf, e);
    text_fini(&both);
    return code;
}

/* Packets that pass move to the front. */
static void filter_batch(struct packets *p, struct bpf *bpf, struct packet_batch *batch)
{
    uint8_t keep[BATCH_MAX];
    bpf_select(bpf, batch, keep);
    unsigned kept = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        batch->pkt[kept] = batch->pkt[i];
        kept += keep[i];
    }
    ledger_count(&p->ledger, REASON_filtered, batch->count - kept);
    batch->count = kept;
}

static int read_all(struct packets *p, const struct packets_options *o, struct capture *capture,
                    struct bpf *bpf, struct packet_batch *batch, struct err *e)
{
    const struct decode_options decode = { .enter_tunnels = o->enters_tunnels };
    for (;;) {
        int got = capture_fill(capture, batch, e);
        text_say(&capture->messages, o->who);
        if (got <= 0)
            return got;
        p->ledger.in[STAGE_filter] += batch->count;
        if (bpf != NULL)
            filter_batch(p, bpf, batch);
        p->ledger.out[STAGE_filter] += batch->count;
        if (batch->count == 0)
            continue;
        if (p->wants_layers)
            decode_batch(batch, &decode);
        int code = p->sink->push(p->sink, batch);
        if (code != 0)
            return code;
    }
}

static void show_filter(struct bpf *bpf, const char *who)
{
    struct text message = { 0 };
    if (bpf != NULL)
        bpf_message(bpf, &message);
    text_say(&message, who);
    text_fini(&message);
}

static void show_stats(const struct packets *p)
{
    struct text table = { 0 };
    ledger_table(&p->ledger, &table);
    fprintf(stderr, "%s", table.size > 0 ? table.data : "");
    text_fini(&table);
}

int packets_join_inputs(struct packets_options *options, struct option_list *inputs, struct err *e)
{
    struct option_list *read = &options->read,
                       all = { .item = calloc(read->count + inputs->count + 1, sizeof *all.item) };
    if (all.item == NULL)
        return err_memory(e, "inputs", (read->count + inputs->count) * sizeof *all.item);
    for (size_t i = 0; i < read->count; i++)
        all.item[all.count++] = read->item[i];
    for (size_t i = 0; i < inputs->count; i++)
        all.item[all.count++] = inputs->item[i];
    option_list_fini(read);
    option_list_fini(inputs);
    *inputs = all;
    return 0;
}

int packets_run(struct packets *p, const struct packets_options *o,
                const struct option_list *inputs, const char *rest, struct err *e)
{
    struct capture_options options = { .path = inputs->item,
                                       .path_count = inputs->count,
                                       .is_sorted = o->is_sorted,
                                       .count_max = o->count_max,
                                       .from_ns = INT64_MIN,
                                       .to_ns = INT64_MAX };
    struct capture *capture = NULL;
    struct bpf *bpf = NULL;
    struct packet_batch *batch = calloc(1, sizeof *batch);
    int code = batch == NULL ? err_memory(e, "packets", sizeof *batch) : 0;
    if (code == 0 && inputs->count == 0)
        code = err_set(e, WEIR_EUSAGE, "no input; name capture files, - is standard input");
    if (code == 0 && o->from != NULL)
        code = parse_instant(o->from, &options.from_ns, "--from", e);
    if (code == 0 && o->to != NULL)
        code = parse_instant(o->to, &options.to_ns, "--to", e);
    if (code == 0)
        code = packets_filter_new(o, rest, &bpf, e);
    if (code == 0)
        code = capture_open_files(&capture, &options, &p->ledger, e);
    if (code == 0)
        code = read_all(p, o, capture, bpf, batch, e);
    if (capture != NULL) {
        text_say(&capture->messages, o->who);
        p->worst = capture->worst;
        capture_close(capture);
    }
    show_filter(bpf, o->who);
    if (o->shows_stats)
        show_stats(p);
    bpf_free(bpf);
    free(batch);
    return code;
}
