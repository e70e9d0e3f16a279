/* Big areas and arenas, see memory.h. */
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define ARENA_BLOCK_MIN ((size_t)16 << 10)

void *memory_big_new(size_t octets)
{
    if (octets > SIZE_MAX - 2 * HUGE_PAGE)
        return NULL;
    /* Ask for one huge page more, then give back both ends so that the area is aligned. */
    size_t size = (octets + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    uint8_t *area = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED)
        return NULL;
    size_t head = (HUGE_PAGE - ((uintptr_t)area & (HUGE_PAGE - 1))) & (HUGE_PAGE - 1);
    if (head > 0)
        munmap(area, head);
    if (HUGE_PAGE - head > 0)
        munmap(area + head + size, HUGE_PAGE - head);
    madvise(area + head, size, MADV_HUGEPAGE);
    return area + head;
}

void memory_big_free(void *area, size_t octets)
{
    if (area != NULL)
        munmap(area, (octets + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
}

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(16) uint8_t data[];
};

void *arena_take(struct arena *arena, size_t octets)
{
    assert(octets <= SIZE_MAX / 2);
    octets = (octets + 15) & ~(size_t)15;
    struct arena_block *block = arena->first;
    if (block == NULL || block->size - block->used < octets) {
        size_t size = block == NULL ? ARENA_BLOCK_MIN : block->size * 2;
        if (size > (size_t)1 << 20)
            size = (size_t)1 << 20;
        if (size < octets)
            size = octets;
        block = calloc(1, sizeof *block + size);
        if (block == NULL)
            return NULL;
        *block = (struct arena_block){ .next = arena->first, .size = size };
        arena->first = block;
        arena->octets += size;
    }
    void *at = block->data + block->used;
    block->used += octets;
    return at;
}

char *arena_text(struct arena *arena, const char *text, size_t size)
{
    char *copy = arena_take(arena, size + 1);
    if (copy != NULL && size > 0)
        memcpy(copy, text, size);
    return copy;
}

void arena_fini(struct arena *arena)
{
    while (arena->first != NULL) {
        struct arena_block *next = arena->first->next;
        free(arena->first);
        arena->first = next;
    }
    arena->octets = 0;
}
