/* Queue of closed records, see queue.h. */
#include "flow/queue.h"

#include <stdlib.h>
#include <string.h>

void queue_init(struct queue *queue, uint32_t records)
{
    *queue = (struct queue){ .room_max = QUEUE_COUNT_MIN };
    while (queue->room_max * 2 <= records / QUEUE_SHARE)
        queue->room_max *= 2;
}

void queue_fini(struct queue *queue)
{
    free(queue->entry);
    queue->entry = NULL;
}

uint64_t queue_octets(const struct queue *queue)
{
    return queue->room * sizeof *queue->entry;
}

static bool grow(struct queue *queue)
{
    uint32_t room = queue->room ? queue->room * 2 : QUEUE_COUNT_MIN;
    struct queue_entry *entry = room <= queue->room_max ? malloc(room * sizeof *entry) : NULL;
    if (entry == NULL)
        return false;
    for (uint64_t at = queue->first; at < queue->end; at++)
        entry[at & (room - 1)] = queue->entry[at & (queue->room - 1)];
    free(queue->entry);
    queue->entry = entry;
    queue->room = room;
    return true;
}

bool queue_push(struct queue *queue, uint32_t number, int64_t deadline_ns)
{
    if (queue->end - queue->first == queue->room && !grow(queue))
        return false;
    queue->entry[queue->end++ & (queue->room - 1)] =
        (struct queue_entry){ .number = number, .second = (uint32_t)(deadline_ns / NS_PER_S) };
    return true;
}

uint32_t queue_pop(struct queue *queue, int64_t second_ns)
{
    if (queue->first == queue->end)
        return 0;
    struct queue_entry entry = queue->entry[queue->first & (queue->room - 1)];
    if ((int32_t)((uint32_t)(second_ns / NS_PER_S) - entry.second) <= 0)
        return 0;
    queue->first++;
    return entry.number;
}
