/*
 * One target per capture-file format: the input is a file. It is parsed in one window and again in
 * windows that grow from a few octets as the capture presents them; both must give the same packets
 * and the same end.
 */
#include <string.h>

#include "fuzz.h"
#include "wire/wire.h"

struct outcome {
    uint64_t packets, digest;
    int code;
};

static uint64_t mix(uint64_t digest, uint64_t value)
{
    return (digest ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (digest >> 29);
}

static void take(struct outcome *o, const struct packet_batch *batch, const uint8_t *window,
                 size_t size)
{
    for (unsigned i = 0; i < batch->count; i++) {
        const struct packet *p = &batch->pkt[i];
        FUZZ_CHECK(p->caplen <= PACKET_OCTETS_MAX);
        FUZZ_CHECK(p->caplen == 0 || (p->data >= window && p->caplen <= size &&
                                      (size_t)(p->data - window) <= size - p->caplen));
        o->digest =
            mix(mix(mix(o->digest, (uint64_t)p->time_ns), (uint64_t)p->caplen << 32 | p->wirelen),
                (uint64_t)p->interface << 32 | (uint64_t)p->link << 16 | p->direction);
        for (uint32_t at = 0; at < p->caplen; at++)
            o->digest = mix(o->digest, p->data[at]);
        o->packets++;
    }
}

/* Parse `data` in windows of `step` octets, each in memory of exact size. */
static struct outcome parse(const struct trace_format *format, const uint8_t *data, size_t size,
                            size_t step)
{
    struct outcome o = { 0 };
    void *state = calloc(1, format->state_size + 1);
    struct trace_info *info = calloc(1, sizeof *info);
    struct packet_batch *batch = calloc(1, sizeof *batch);
    FUZZ_CHECK(state != NULL && info != NULL && batch != NULL);
    size_t at = 0, want = step;
    for (bool is_done = false; !is_done;) {
        size_t room = size - at < want ? size - at : want, used = 0, wanted = 0;
        bool is_end = at + room == size;
        uint8_t *window = malloc(room + !room);
        FUZZ_CHECK(window != NULL);
        memcpy(window, data + at, room);
        batch->count = 0;
        struct err e = { 0 };
        o.code = format->parse(state, (struct bytes){ window, room }, is_end, batch, info, &used,
                               &wanted, &e);
        FUZZ_CHECK(used <= room && batch->count <= BATCH_MAX);
        take(&o, batch, window, room);
        free(window);
        at += used;
        if (o.code != 0)
            FUZZ_CHECK(o.code == WEIR_EINPUT && e.text[0] != '\0');
        is_done = o.code != 0 || at == size || (is_end && used == 0 && batch->count == 0);
        want = used > 0 || batch->count > 0 ? step : wanted > want ? wanted : 2 * want;
    }
    o.digest = mix(o.digest, at);
    if (format->fini != NULL)
        format->fini(state);
    free(batch);
    free(info);
    free(state);
    return o;
}

static bool trace_name(unsigned index, char *name, size_t room)
{
    for (unsigned i = 0; trace_formats[i] != NULL; i++)
        if (i == index) {
            snprintf(name, room, "trace-%s", trace_formats[i]->name);
            return true;
        }
    return false;
}

static void trace_run(unsigned index, const uint8_t *data, size_t size)
{
    const struct trace_format *format = trace_formats[index];
    uint8_t head[TRACE_HEAD_MAX];
    size_t head_size = size < sizeof head ? size : sizeof head;
    memcpy(head, data, head_size);
    format->probe((struct bytes){ head, head_size });
    trace_format_probe((struct bytes){ head, head_size });

    struct outcome whole = parse(format, data, size, size + 1),
                   pieces = parse(format, data, size, 97);
    FUZZ_CHECK(whole.code == pieces.code && whole.packets == pieces.packets &&
               whole.digest == pieces.digest);
}

const struct fuzz_group trace_group = { trace_name, trace_run };
