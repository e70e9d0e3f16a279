/*
 * source: the octets of a file, pipe or standard input, decompressed, as a sliding window.
 *
 *   file --> [gzip ... --> [zstd ...]] --> window
 *
 * A plain regular file is mapped a piece at a time, everything else is read into one buffer that
 * stays in the cache. Nothing is ever sought, so pipes work alike. Each compression (found by its
 * magic number, at most SOURCE_LAYERS_MAX around one another) runs in a thread of its own with two
 * buffers, so it overlaps with whoever takes the octets. Why this way:
 * doc/decisions/0010-input-method.md.
 */
#ifndef WEIR_BASE_SOURCE_H
#define WEIR_BASE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/memory.h"

#define SOURCE_LAYERS_MAX 3
#define SOURCE_WINDOW_MAX ((size_t)64 << 20) /* largest `wanted` */

struct source;

enum source_method {
    SOURCE_AUTO, /* the faster one that is possible */
    SOURCE_READ, /* never map: for measurements and tests */
};

/* Opens `path` ("-" is standard input) and finds out what it is compressed with. */
int source_open(struct source **source, const char *path, enum source_method method, struct err *e);
/*
 * The octets from the present place on: at least `wanted` (1 or more) of them unless the end comes
 * first, which *is_end tells. Without `may_move` windows given earlier stay valid, and *window may
 * be smaller than wanted though *is_end is false: ask again with may_move.
 *
 * When reading or decompressing failed, the window holds what was there before, *is_end is true and
 * the error is returned, now and at every further call. Waits for pipes, but never longer than
 * `wanted` demands.
 */
int source_window(struct source *source, size_t wanted, bool may_move, struct bytes *window,
                  bool *is_end, struct err *e);
/* Go on by so many octets of the last window. */
void source_skip(struct source *source, size_t octets);
/* Place of the window's first octet in the decompressed octets. */
uint64_t source_offset(const struct source *source);
/* "", "gzip", "gzip, zstd": outermost first. */
const char *source_compression(const struct source *source);
/* Octets read of the file as stored, and its size (0 = unknown). */
uint64_t source_stored_read(const struct source *source);
uint64_t source_stored_size(const struct source *source);
/* Size of a regular file as stored, 0 if it is none or unknown. */
uint64_t source_path_size(const char *path);
/* Nothing more is there now, the next source_window would wait for a pipe. */
bool source_would_wait(const struct source *source);
void source_close(struct source *source); /* NULL allowed */

#endif
