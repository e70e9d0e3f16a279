/*
 * index: from the hash of a key to the numbers of the records that may have it.
 *
 * Linear hashing (Litwin 1980): buckets of one cache line lie in one reserved area, and each few
 * insertions split one more bucket in two, so it grows without a pause and uses memory as records
 * come. A full bucket continues in spill buckets.
 *
 *   struct index_bucket { tag[7] link | record[7] count }   tag = upper 32 bits of the hash, which
 * also choose the bucket
 */
#ifndef WEIR_FLOW_INDEX_H
#define WEIR_FLOW_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "base/base.h"

#define INDEX_SLOTS     7
#define INDEX_MEAN      3 /* entries per bucket before the next one is split */
#define INDEX_SPILLS    8 /* one spill bucket per so many buckets at most */
#define INDEX_COUNT_MIN 256

struct index_bucket {
    uint32_t tag[INDEX_SLOTS];
    uint32_t link; /* 1 + number of the spill bucket that goes on, 0 = none */
    uint32_t record[INDEX_SLOTS];
    uint32_t count;
};
_Static_assert(sizeof(struct index_bucket) == 64, "one cache line");

struct flow_index {
    struct index_bucket *bucket, *spill;
    uint32_t base, count, count_max;            /* base: power of two, base <= count < 2 * base */
    uint32_t spill_used, spill_free, spill_max; /* spill_free: 1 + number, chained by link */
    uint64_t entries;
};

/* Room for `records`; memory is reserved, not used. */
int index_init(struct flow_index *index, uint32_t records, struct err *e);
void index_fini(struct flow_index *index);
/* Octets per record that index_init reserves at most, times 1024. */
#define INDEX_OCTETS_PER_1024                                                                      \
    ((64 * 1024 / INDEX_MEAN) + 64 * 1024 / (INDEX_MEAN * INDEX_SPILLS) + 64)
uint64_t index_octets(const struct flow_index *index); /* in use */

static inline uint32_t index_place(const struct flow_index *index, uint32_t tag)
{
    /* Half the tags or so are beyond the split, so this is computed and hidden from the compiler's
     * liking for branches. */
    uint32_t at = tag & (2 * index->base - 1), is_beyond = at >= index->count;
    __asm__("" : "+r"(is_beyond));
    return at - (index->base & (0 - is_beyond));
}
static inline void index_prefetch(const struct flow_index *index, uint32_t tag)
{
    __builtin_prefetch(&index->bucket[index_place(index, tag)]);
}

/* Which of the bucket's slots hold `tag`, as bits. The plain form is the reference for the fast
 * one. */
unsigned index_match_plain(const struct index_bucket *bucket, uint32_t tag);
static inline unsigned index_match(const struct index_bucket *bucket, uint32_t tag)
{
#if defined(__AVX2__)
    __m256i tags = _mm256_load_si256((const __m256i *)(const void *)bucket->tag);
    __m256i same = _mm256_cmpeq_epi32(tags, _mm256_set1_epi32((int)tag));
    unsigned hits = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(same));
#elif defined(__SSE2__)
    const __m128i *tags = (const __m128i *)(const void *)bucket->tag;
    __m128i wanted = _mm_set1_epi32((int)tag);
    __m128i low = _mm_cmpeq_epi32(_mm_load_si128(tags), wanted);
    __m128i high = _mm_cmpeq_epi32(_mm_load_si128(tags + 1), wanted);
    unsigned hits = (unsigned)_mm_movemask_ps(_mm_castsi128_ps(low)) |
                    (unsigned)_mm_movemask_ps(_mm_castsi128_ps(high)) << 4;
#else
    unsigned hits = index_match_plain(bucket, tag);
#endif
    /* The eighth lane is the link, and slots from `count` on hold what was there before. */
    return hits & ((1u << bucket->count) - 1);
}

/* Walk over the records whose tag is `tag`: index_first, then index_next until 0. Changing the
 * index ends a walk. */
struct index_walk {
    const struct index_bucket *bucket;
    uint32_t tag, hits;
};
static inline uint32_t index_next(const struct flow_index *index, struct index_walk *walk)
{
    while (walk->hits == 0) {
        if (walk->bucket->link == 0)
            return 0;
        walk->bucket = &index->spill[walk->bucket->link - 1];
        walk->hits = index_match(walk->bucket, walk->tag);
    }
    unsigned slot = (unsigned)__builtin_ctz(walk->hits);
    walk->hits &= walk->hits - 1;
    return walk->bucket->record[slot];
}
static inline uint32_t index_first(const struct flow_index *index, uint32_t tag,
                                   struct index_walk *walk)
{
    walk->tag = tag;
    walk->bucket = &index->bucket[index_place(index, tag)];
    walk->hits = index_match(walk->bucket, tag);
    return index_next(index, walk);
}

/* -1 when there is no spill bucket left. */
int index_insert(struct flow_index *index, uint32_t tag, uint32_t record);
/* Must be there. */
void index_remove(struct flow_index *index, uint32_t tag, uint32_t record);

#endif
