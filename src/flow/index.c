/* Index of the flow table, see index.h. */
#include "flow/index.h"

#include <assert.h>

int index_init(struct flow_index *index, uint32_t records, struct err *e)
{
    uint32_t count_max = records / INDEX_MEAN + 1;
    if (count_max < INDEX_COUNT_MIN)
        count_max = INDEX_COUNT_MIN;
    *index = (struct flow_index){ .base = INDEX_COUNT_MIN,
                                  .count = INDEX_COUNT_MIN,
                                  .count_max = count_max,
                                  .spill_max = count_max / INDEX_SPILLS };
    size_t octets = (size_t)count_max * sizeof *index->bucket;
    index->bucket = memory_big_new(octets);
    index->spill = memory_big_new((size_t)index->spill_max * sizeof *index->spill);
    if (index->bucket == NULL || index->spill == NULL) {
        index_fini(index);
        return err_memory(e, "flow index", octets);
    }
    return 0;
}

void index_fini(struct flow_index *index)
{
    memory_big_free(index->bucket, (size_t)index->count_max * sizeof *index->bucket);
    memory_big_free(index->spill, (size_t)index->spill_max * sizeof *index->spill);
    index->bucket = index->spill = NULL;
}

uint64_t index_octets(const struct flow_index *index)
{
    return ((uint64_t)index->count + index->spill_used) * sizeof *index->bucket;
}

unsigned index_match_plain(const struct index_bucket *bucket, uint32_t tag)
{
    unsigned hits = 0;
    for (unsigned i = 0; i < bucket->count; i++)
        hits |= (unsigned)(bucket->tag[i] == tag) << i;
    return hits;
}

static uint32_t spill_take(struct flow_index *index)
{
    uint32_t number = index->spill_free;
    if (number != 0)
        index->spill_free = index->spill[number - 1].link;
    else if (index->spill_used < index->spill_max)
        number = ++index->spill_used;
    else
        return 0;
    index->spill[number - 1].link = 0;
    index->spill[number - 1].count = 0;
    return number;
}

static void spill_give(struct flow_index *index, uint32_t number)
{
    index->spill[number - 1].link = index->spill_free;
    index->spill_free = number;
}

/* New entries go to the front: the first bucket, whose overflow moves into the chain one spill
 * bucket at a time. */
static int push(struct flow_index *index, struct index_bucket *bucket, uint32_t tag,
                uint32_t record)
{
    if (bucket->count == INDEX_SLOTS) {
        struct index_bucket *spill = bucket->link ? &index->spill[bucket->link - 1] : NULL;
        if (spill == NULL || spill->count == INDEX_SLOTS) {
            uint32_t number = spill_take(index);
            if (number == 0)
                return -1;
            spill = &index->spill[number - 1];
            spill->link = bucket->link;
            bucket->link = number;
        }
        bucket->count--;
        spill->tag[spill->count] = bucket->tag[bucket->count];
        spill->record[spill->count] = bucket->record[bucket->count];
        spill->count++;
    }
    bucket->tag[bucket->count] = tag;
    bucket->record[bucket->count] = record;
    bucket->count++;
    return 0;
}

/* Bucket `count` comes into being with its part of the entries of the bucket it is split from. */
static void split(struct flow_index *index)
{
    uint32_t from = index->count - index->base, to = index->count;
    struct index_bucket old = index->bucket[from];
    index->bucket[from].count = 0;
    index->bucket[from].link = 0;
    index->bucket[to].count = 0;
    index->bucket[to].link = 0;
    index->count++;
    uint32_t wide = 2 * index->base - 1;
    for (;;) {
        for (unsigned i = 0; i < old.count; i++) {
            uint32_t place = (old.tag[i] & wide) == to ? to : from;
            int code = push(index, &index->bucket[place], old.tag[i], old.record[i]);
            assert(code == 0); /* spill buckets read so far are free again, and two chains of n need
                                  no more than one */
            (void)code;
        }
        if (old.link == 0)
            break;
        uint32_t number = old.link;
        old = index->spill[number - 1];
        spill_give(index, number);
    }
    if (index->count == 2 * index->base)
        index->base *= 2;
}

int index_insert(struct flow_index *index, uint32_t tag, uint32_t record)
{
    assert(record != 0);
    if (push(index, &index->bucket[index_place(index, tag)], tag, record) < 0)
        return -1;
    index->entries++;
    if (index->entries > (uint64_t)index->count * INDEX_MEAN && index->count < index->count_max)
        split(index);
    return 0;
}

void index_remove(struct flow_index *index, uint32_t tag, uint32_t record)
{
    struct index_bucket *first = &index->bucket[index_place(index, tag)], *bucket = first;
    for (;;) {
        unsigned slot = 0;
        while (slot < bucket->count && bucket->record[slot] != record)
            slot++;
        if (slot < bucket->count) {
            bucket->count--;
            bucket->tag[slot] = bucket->tag[bucket->count];
            bucket->record[slot] = bucket->record[bucket->count];
            break;
        }
        assert(bucket->link != 0); /* it is in the index */
        bucket = &index->spill[bucket->link - 1];
    }
    index->entries--;
    if (bucket == first || bucket->count > 0)
        return;
    /* An empty spill bucket leaves the chain. */
    struct index_bucket *before = first;
    while (&index->spill[before->link - 1] != bucket)
        before = &index->spill[before->link - 1];
    uint32_t number = before->link;
    before->link = bucket->link;
    spill_give(index, number);
}
