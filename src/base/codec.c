/*
 * Decompression in a thread: it fills two chunks in turn while the taker empties them.
 *
 * Several members one after another are one stream, as gzip, xz and zstd themselves have it. Zero
 * octets behind the last member are padding (tapes, xz); anything else there is damage.
 */
#include "base/codec.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_OCTETS ((size_t)512 << 10)
#define INPUT_OCTETS ((size_t)512 << 10)
#define CHUNKS       2

#define CODEC(name) extern const struct codec name##_codec;
#include "base/codecs.def"
#undef CODEC

const struct codec *const codecs[] = {
#define CODEC(name) &name##_codec,
#include "base/codecs.def"
#undef CODEC
    NULL,
};

const struct codec *codec_probe(struct bytes head)
{
    for (size_t i = 0; codecs[i] != NULL; i++)
        if (codecs[i]->probe(head))
            return codecs[i];
    return NULL;
}

const char *codec_missing(struct bytes head)
{
    static const struct {
        const char *name, *magic;
        size_t size;
    } known[] = { { "gzip", "\x1f\x8b", 2 },
                  { "zstd", "\x28\xb5\x2f\xfd", 4 },
                  { "lz4", "\x04\x22\x4d\x18", 4 },
                  { "xz",
                    "\xfd"
                    "7zXZ",
                    5 },
                  { "bzip2", "BZh", 3 } };
    if (codec_probe(head) != NULL)
        return NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (head.size >= known[i].size && memcmp(head.data, known[i].magic, known[i].size) == 0)
            return known[i].name;
    return NULL;
}

struct chunk {
    uint8_t *data;
    size_t size;
};

struct unpacker {
    struct reader reader; /* first: an unpacker is a reader */
    struct reader *below;
    const struct codec *codec;
    pthread_t thread;
    uint8_t *input;
    size_t head_size; /* octets in `input` at the start */

    /* Shared, under `lock`. Chunk number n lies in chunk[n % CHUNKS]; [taken, made) are full. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct chunk chunk[CHUNKS];
    uint64_t made, taken;
    bool is_done, is_stopped, is_hungry; /* all made; nobody takes any more; the taker waits */
    struct err error; /* code 0 unless decompression failed; comes after the last chunk */

    size_t at; /* in the chunk being taken; the taker's */
};

/* Hand over the chunk being filled and wait for an empty one; false when nobody wants more. */
static bool unpacker_publish(struct unpacker *u, size_t size)
{
    pthread_mutex_lock(&u->lock);
    u->chunk[u->made % CHUNKS].size = size;
    u->made++;
    pthread_cond_broadcast(&u->changed);
    while (u->made - u->taken == CHUNKS && !u->is_stopped)
        pthread_cond_wait(&u->changed, &u->lock);
    bool is_wanted = !u->is_stopped;
    pthread_mutex_unlock(&u->lock);
    return is_wanted;
}

static bool unpacker_is_hungry(struct unpacker *u)
{
    pthread_mutex_lock(&u->lock);
    bool is_hungry = u->is_hungry;
    pthread_mutex_unlock(&u->lock);
    return is_hungry;
}

static bool is_padding(struct bytes in)
{
    for (size_t i = 0; i < in.size; i++)
        if (in.data[i] != 0)
            return false;
    return true;
}

/* The state of one decompression: what is read, what is being filled. */
struct unpacking {
    void *codec_state; /* NULL between members */
    struct bytes in;
    size_t filled; /* of the present chunk */
    bool is_input_end, is_padding;
};

/* Put what is left to the front and read more behind it. */
static int unpacking_read(struct unpacker *u, struct unpacking *p, struct err *e)
{
    memmove(u->input, p->in.data, p->in.size);
    int64_t got = u->below->read(u->below, u->input + p->in.size, INPUT_OCTETS - p->in.size, e);
    p->in.data = u->input;
    p->in.size += got > 0 ? (size_t)got : 0;
    p->is_input_end = got == 0;
    return got < 0 ? (int)got : 0;
}

/* Between two members: is there another one? Leaves p->codec_state NULL at the end of the input. */
static int unpacking_next_member(struct unpacker *u, struct unpacking *p, struct err *e)
{
    int code = 0;
    while (code == 0 && p->in.size < CODEC_HEAD_MAX && !p->is_input_end)
        code = unpacking_read(u, p, e);
    if (code < 0 || p->in.size == 0)
        return code;
    if (!p->is_padding && u->codec->probe(p->in))
        return u->codec->open(&p->codec_state, e);
    if (!is_padding(p->in))
        return err_set(e, WEIR_EINPUT, "octets behind the end of the %s data are none",
                       u->codec->name);
    p->is_padding = true;
    p->in.size = 0;
    return 0;
}

/* One step within a member. */
static int unpacking_step(struct unpacker *u, struct unpacking *p, struct err *e)
{
    struct codec_room out = { u->chunk[u->made % CHUNKS].data + p->filled,
                              CHUNK_OCTETS - p->filled };
    size_t in_before = p->in.size, out_before = out.size;
    int step = u->codec->step(p->codec_state, &p->in, &out, e);
    p->filled = CHUNK_OCTETS - out.size;
    if (step < 0)
        return err_wrap(e, "damaged %s data", u->codec->name);
    if (step == CODEC_END) {
        u->codec->close(p->codec_state);
        p->codec_state = NULL;
        return 0;
    }
    bool is_moving = p->in.size != in_before || out.size != out_before;
    if (is_moving && (p->in.size > 0 || out.size == 0 || p->is_input_end))
        return 0; /* it may hold more octets back than there was room for */
    if (p->is_input_end || p->in.size == INPUT_OCTETS)
        return err_set(e, WEIR_EINPUT, "the %s data end early", u->codec->name);
    return unpacking_read(u, p, e);
}

static void *unpacker_run(void *argument)
{
    struct unpacker *u = argument;
    struct unpacking p = { .in = { u->input, u->head_size } };
    struct err e = { 0 };
    int code = 0;
    bool is_wanted = true;
    while (code == 0 && is_wanted) {
        if (p.codec_state == NULL) {
            code = unpacking_next_member(u, &p, &e);
            if (p.codec_state == NULL && p.is_input_end && p.in.size == 0)
                break;
        } else {
            code = unpacking_step(u, &p, &e);
        }
        if (p.filled == CHUNK_OCTETS || (p.filled > 0 && unpacker_is_hungry(u))) {
            is_wanted = unpacker_publish(u, p.filled);
            p.filled = 0;
        }
    }
    if (p.codec_state != NULL)
        u->codec->close(p.codec_state);
    if (p.filled > 0 && is_wanted)
        unpacker_publish(u, p.filled);
    pthread_mutex_lock(&u->lock);
    u->is_done = true;
    if (code < 0) {
        e.code = code;
        u->error = e;
    }
    pthread_cond_broadcast(&u->changed);
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

static int64_t unpacker_read(struct reader *self, void *to, size_t size, struct err *e)
{
    struct unpacker *u = (struct unpacker *)self;
    pthread_mutex_lock(&u->lock);
    u->is_hungry = true;
    while (u->taken == u->made && !u->is_done && !u->is_stopped)
        pthread_cond_wait(&u->changed, &u->lock);
    u->is_hungry = false;
    bool is_there = u->taken != u->made;
    pthread_mutex_unlock(&u->lock);
    if (!is_there) {
        if (u->error.code < 0 && e != NULL)
            *e = u->error;
        return u->error.code;
    }
    struct chunk *c = &u->chunk[u->taken % CHUNKS];
    if (size > c->size - u->at)
        size = c->size - u->at;
    memcpy(to, c->data + u->at, size);
    u->at += size;
    if (u->at == c->size) {
        u->at = 0;
        pthread_mutex_lock(&u->lock);
        u->taken++;
        pthread_cond_broadcast(&u->changed);
        pthread_mutex_unlock(&u->lock);
    }
    return (int64_t)size;
}

static void unpacker_stop(struct reader *self)
{
    struct unpacker *u = (struct unpacker *)self;
    u->below->stop(u->below);
    pthread_mutex_lock(&u->lock);
    u->is_stopped = true;
    pthread_cond_broadcast(&u->changed);
    pthread_mutex_unlock(&u->lock);
}

static void unpacker_free(struct unpacker *u)
{
    u->below->close(u->below);
    for (unsigned i = 0; i < CHUNKS; i++)
        free(u->chunk[i].data);
    free(u->input);
    pthread_cond_destroy(&u->changed);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

static void unpacker_close(struct reader *self)
{
    struct unpacker *u = (struct unpacker *)self;
    unpacker_stop(self);
    pthread_join(u->thread, NULL);
    unpacker_free(u);
}

static bool unpacker_would_wait(struct reader *self)
{
    (void)self; /* it waits for work, not for somebody else's packets */
    return false;
}

int codec_reader_open(struct reader **reader, const struct codec *codec, struct reader *below_take,
                      struct bytes head, struct err *e)
{
    assert(head.size <= INPUT_OCTETS);
    struct unpacker *u = calloc(1, sizeof *u);
    if (u == NULL) {
        below_take->close(below_take);
        return err_memory(e, codec->name, sizeof *u);
    }
    u->reader =
        (struct reader){ unpacker_read, unpacker_stop, unpacker_close, unpacker_would_wait };
    u->below = below_take;
    u->codec = codec;
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->changed, NULL);
    u->input = malloc(INPUT_OCTETS);
    bool is_short = u->input == NULL;
    for (unsigned i = 0; i < CHUNKS; i++) {
        u->chunk[i].data = malloc(CHUNK_OCTETS);
        is_short = is_short || u->chunk[i].data == NULL;
    }
    if (is_short) {
        unpacker_free(u);
        return err_memory(e, codec->name, INPUT_OCTETS + CHUNKS * CHUNK_OCTETS);
    }
    memcpy(u->input, head.data, head.size);
    u->head_size = head.size;

    /* Signals are for the threads that know what to do with them. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&u->thread, NULL, unpacker_run, u);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        unpacker_free(u);
        return err_set(e, WEIR_ESYSTEM, "no thread for %s: %s", codec->name, strerror(failure));
    }
    *reader = &u->reader;
    return 0;
}
