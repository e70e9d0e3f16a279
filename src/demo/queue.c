/* Packets waiting for their time: a binary heap ordered by (time, order of arrival). */
#include <stdlib.h>

#include "demo/office.h"

static bool is_before(const struct queued *a, const struct queued *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->order < b->order;
}

void demo_queue_put(struct office *o, int64_t time_ns, const uint8_t *frame, size_t size)
{
    if (time_ns > o->end_ns || o->is_out_of_memory)
        return;
    if (o->heap_count == o->heap_room) {
        size_t room = o->heap_room > 0 ? 2 * o->heap_room : 1024;
        struct queued **heap = realloc(o->heap, room * sizeof(struct queued *));
        if (heap == NULL) {
            o->is_out_of_memory = true;
            return;
        }
        o->heap = heap;
        o->heap_room = room;
    }
    struct queued *q = malloc(sizeof *q + size);
    if (q == NULL) {
        o->is_out_of_memory = true;
        return;
    }
    *q = (struct queued){ .time_ns = time_ns, .order = o->order++, .size = (uint32_t)size };
    memcpy(q->octet, frame, size);
    size_t at = o->heap_count++;
    for (; at > 0 && is_before(q, o->heap[(at - 1) / 2]); at = (at - 1) / 2)
        o->heap[at] = o->heap[(at - 1) / 2];
    o->heap[at] = q;
}

static struct queued *pop(struct office *o)
{
    struct queued *first = o->heap[0], *last = o->heap[--o->heap_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= o->heap_count)
            break;
        if (child + 1 < o->heap_count && is_before(o->heap[child + 1], o->heap[child]))
            child++;
        if (!is_before(o->heap[child], last))
            break;
        o->heap[at] = o->heap[child];
        at = child;
    }
    o->heap[at] = last;
    return first;
}

int demo_queue_release(struct office *o, int64_t until_ns)
{
    struct packet_batch *b = o->batch;
    int code = 0;
    while (code == 0 && o->heap_count > 0 && o->heap[0]->time_ns < until_ns) {
        struct queued *held[BATCH_MAX];
        for (b->count = 0;
             b->count < BATCH_MAX && o->heap_count > 0 && o->heap[0]->time_ns < until_ns;
             b->count++) {
            struct queued *q = held[b->count] = pop(o);
            b->pkt[b->count] = (struct packet){ .data = q->octet,
                                                .caplen = q->size,
                                                .wirelen = q->size,
                                                .time_ns = q->time_ns,
                                                .link = DEMO_LINK };
        }
        unsigned count = b->count;
        code = o->sink->push(o->sink, b);
        for (unsigned i = 0; i < count; i++)
            free(held[i]);
    }
    return code;
}

void demo_queue_fini(struct office *o)
{
    for (size_t i = 0; i < o->heap_count; i++)
        free(o->heap[i]);
    free(o->heap);
    o->heap = NULL;
    o->heap_count = o->heap_room = 0;
}
