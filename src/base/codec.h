/*
 * codec: a compression format. One file ending in one `const struct codec`, one word in
 * meson.build; the library behind it is known to that file alone. Private to base: others see a
 * `source`.
 */
#ifndef WEIR_BASE_CODEC_H
#define WEIR_BASE_CODEC_H

#include "base/err.h"
#include "base/memory.h"

#define CODEC_HEAD_MAX 16 /* octets that `probe` may want to see */

enum codec_step { CODEC_MORE, CODEC_END };

struct codec_room {
    uint8_t *at;
    size_t size;
};

struct codec {
    const char *name;
    bool (*probe)(struct bytes head);
    int (*open)(void **state, struct err *e);
    /* Take octets from the front of *in, put octets to the front of *out, both are moved on.
     * CODEC_MORE: give more of what is used up. CODEC_END: a member is complete. Negative: damage,
     * `e` says which. Must use something of `in` or of `out` when both have some. */
    int (*step)(void *state, struct bytes *in, struct codec_room *out, struct err *e);
    void (*close)(void *state);
};

extern const struct codec *const codecs[];          /* of this build, NULL-terminated */
const struct codec *codec_probe(struct bytes head); /* NULL: none of this build */
/* Name of a compression that this build was made without, NULL if the head is none. */
const char *codec_missing(struct bytes head);

/* Where octets come from: up to `size` of them, 0 at the end, or a negative WEIR_E*. */
struct reader {
    int64_t (*read)(struct reader *self, void *to, size_t size, struct err *e);
    void (*stop)(struct reader *self);  /* another thread's `read` returns soon */
    void (*close)(struct reader *self); /* and everything below it */
    bool (*would_wait)(struct reader *self);
};

/*
 * A reader of what `codec` makes of `below`, in a thread of its own. `head` are octets already
 * taken from below (copied). Owns `below` from now on, also on failure.
 */
int codec_reader_open(struct reader **reader, const struct codec *codec, struct reader *below_take,
                      struct bytes head, struct err *e);

#endif
