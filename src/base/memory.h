/*
 * Memory: views, big page-aligned areas, and an arena that is emptied in one go.
 */
#ifndef WEIR_BASE_MEMORY_H
#define WEIR_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view into somebody else's memory; never freed through it. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

/* Zeroed memory aligned to 2 MiB with huge pages asked for; NULL if there is none. Freed with its size. */
void *memory_big_new(size_t octets);
void memory_big_free(void *area, size_t octets);

/* Bump allocator for things that die together. All memory returned is zeroed and aligned to 16. */
struct arena {
    struct arena_block *first; /* newest block */
    size_t octets;             /* taken from malloc so far */
};
void *arena_take(struct arena *arena, size_t octets); /* NULL without memory */
char *arena_text(struct arena *arena, const char *text, size_t size); /* copy with a final NUL */
void arena_fini(struct arena *arena); /* frees everything; the arena is empty and usable again */

/* Big-endian and little-endian readers and writers for memory already checked for length. */
static inline uint16_t load_be16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}
static inline uint32_t load_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
static inline uint64_t load_be64(const uint8_t *at)
{
    return (uint64_t)load_be32(at) << 32 | load_be32(at + 4);
}
static inline uint16_t load_le16(const uint8_t *at)
{
    return (uint16_t)(at[1] << 8 | at[0]);
}
static inline uint32_t load_le32(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}
static inline uint64_t load_le64(const uint8_t *at)
{
    return (uint64_t)load_le32(at + 4) << 32 | load_le32(at);
}

#endif
