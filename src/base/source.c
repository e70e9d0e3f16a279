/* Windows over files, pipes and what they decompress to, see source.h. */
#include "base/source.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"

/* One read: small enough to be in the cache when it is parsed. */
#define READ_OCTETS ((size_t)256 << 10)
/* Reads are put behind one another up to here before octets are moved. */
#define BUFFER_OCTETS ((size_t)1 << 20)
/* Mapped at a time, so that a big file does not look like a big program. */
#define MAP_OCTETS ((size_t)16 << 20)
/* Mapped pieces begin at such, so that big folios are mapped in one go. */
#define HUGE_PAGE ((size_t)2 << 20)
/* How soon a stopped reader notices. */
#define WAIT_MS 100

/* The file itself as a reader. */
struct file_reader {
    struct reader reader; /* first: it is one */
    struct file *file;
    bool is_regular;
    atomic_bool is_stopped;
    atomic_uint_fast64_t octets;
};

struct source {
    struct reader *reader; /* topmost: what the window is filled from; NULL when mapped */
    struct file_reader *file;
    char compression[64];
    uint64_t stored_size;

    /* The window is [at, end) of `area`, which is the buffer or the mapped piece. */
    uint8_t *area;
    size_t at, end, room;
    uint64_t offset; /* of area[at] in the decompressed octets */
    bool is_end;
    struct err error; /* code 0 unless reading failed */

    bool is_mapped;
    uint64_t map_next; /* place in the file behind the mapped piece */
};

static int64_t file_reader_read(struct reader *self, void *to, size_t size, struct err *e)
{
    struct file_reader *f = (struct file_reader *)self;
    /* A pipe may stay silent for ever; whoever closes the source must not wait for it. */
    struct pollfd p = { .fd = file_descriptor(f->file), .events = POLLIN };
    while (!f->is_regular && !atomic_load(&f->is_stopped) && poll(&p, 1, WAIT_MS) == 0)
        ;
    if (atomic_load(&f->is_stopped))
        return 0;
    int64_t got = file_read(f->file, to, size, e);
    if (got > 0)
        atomic_fetch_add(&f->octets, (uint64_t)got);
    return got;
}

static void file_reader_stop(struct reader *self)
{
    atomic_store(&((struct file_reader *)self)->is_stopped, true);
}

static void file_reader_close(struct reader *self)
{
    /* The struct stays for the figures; source_close frees it. */
    struct file_reader *f = (struct file_reader *)self;
    file_close(f->file, NULL);
    f->file = NULL;
}

static bool file_reader_would_wait(struct reader *self)
{
    struct file_reader *f = (struct file_reader *)self;
    struct pollfd p = { .fd = file_descriptor(f->file), .events = POLLIN };
    return !f->is_regular && poll(&p, 1, 0) == 0;
}

/* More room for the window: at least `wanted` octets from `at` on. Views become invalid. */
static int source_make_room(struct source *s, size_t wanted, struct err *e)
{
    size_t have = s->end - s->at;
    if (wanted <= s->room) {
        memmove(s->area, s->area + s->at, have);
    } else {
        size_t room = BUFFER_OCTETS;
        while (room < wanted)
            room *= 2;
        uint8_t *area = memory_big_new(room);
        if (area == NULL)
            return err_memory(e, "input buffer", room);
        if (have > 0)
            memcpy(area, s->area + s->at, have);
        memory_big_free(s->area, s->room);
        s->area = area;
        s->room = room;
    }
    s->at = 0;
    s->end = have;
    return 0;
}

static int source_fail(struct source *s, int code)
{
    s->error.code = code;
    s->is_end = true;
    return code;
}

static int source_read_more(struct source *s, size_t wanted, bool may_move)
{
    while (s->end - s->at < wanted && !s->is_end) {
        bool is_full = s->room - s->at < wanted || s->room - s->end < READ_OCTETS;
        if (is_full && !may_move)
            return 0;
        size_t room = wanted > READ_OCTETS ? wanted : s->end - s->at + READ_OCTETS;
        int code = is_full ? source_make_room(s, room, &s->error) : 0;
        if (code < 0)
            return source_fail(s, code);
        size_t size = s->room - s->end < READ_OCTETS ? s->room - s->end : READ_OCTETS;
        int64_t got = s->reader->read(s->reader, s->area + s->end, size, &s->error);
        if (got < 0)
            return source_fail(s, (int)got);
        s->end += (size_t)got;
        s->is_end = got == 0;
    }
    return 0;
}

/* Let the window begin anew at the present place of the file. */
static int source_map(struct source *s, size_t wanted)
{
    uint64_t place = s->map_next - (s->end - s->at);
    uint64_t first = place & ~(uint64_t)(HUGE_PAGE - 1);
    size_t skip = (size_t)(place - first);
    uint64_t size = skip + wanted > MAP_OCTETS ? skip + wanted : MAP_OCTETS;
    if (size > s->stored_size - first)
        size = s->stored_size - first;
    if (s->area != NULL)
        munmap(s->area, s->room);
    s->area = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file_descriptor(s->file->file),
                   (off_t)first);
    if (s->area == MAP_FAILED) {
        s->area = NULL;
        s->at = s->end = s->room = 0;
        return source_fail(
            s, err_set(&s->error, WEIR_EINPUT, "cannot map the file: %s", strerror(errno)));
    }
    madvise(s->area, (size_t)size, MADV_SEQUENTIAL);
    s->at = skip;
    s->end = s->room = (size_t)size;
    s->map_next = first + size;
    atomic_store(&s->file->octets, s->map_next);
    s->is_end = s->map_next == s->stored_size;
    return 0;
}

int source_window(struct source *s, size_t wanted, bool may_move, struct bytes *window,
                  bool *is_end, struct err *e)
{
    assert(wanted > 0 && wanted <= SOURCE_WINDOW_MAX);
    if (s->end - s->at < wanted && !s->is_end) {
        if (!s->is_mapped)
            source_read_more(s, wanted, may_move);
        else if (may_move)
            source_map(s, wanted);
    }
    *window = (struct bytes){ s->area == NULL ? NULL : s->area + s->at, s->end - s->at };
    *is_end = s->is_end;
    if (s->error.code < 0 && e != NULL)
        *e = s->error;
    return s->error.code;
}

void source_skip(struct source *s, size_t octets)
{
    assert(octets <= s->end - s->at);
    s->at += octets;
    s->offset += octets;
}

/* Put a decompressor on top of the reader when the first octets ask for one: 1 when done, 0 when
 * they do not. */
static int source_unpack(struct source *s, struct err *e)
{
    struct bytes head;
    bool is_end;
    int code = source_window(s, CODEC_HEAD_MAX, true, &head, &is_end, e);
    if (code < 0 && head.size == 0)
        return code;
    const char *missing = codec_missing(head);
    if (missing != NULL)
        return err_set(e, WEIR_EINPUT, "compressed with %s, and this build of weir is without it",
                       missing);
    const struct codec *codec = codec_probe(head);
    if (codec == NULL)
        return 0;
    struct reader *above;
    struct reader *below = s->reader;
    s->reader = NULL;
    code = codec_reader_open(&above, codec, below, head, e);
    if (code < 0)
        return code;
    s->reader = above;
    s->at = s->end = 0;
    s->offset = 0;
    s->is_end = false;
    s->error.code = 0;
    if (s->compression[0] != '\0')
        strncat(s->compression, ", ", sizeof s->compression - strlen(s->compression) - 1);
    strncat(s->compression, codec->name, sizeof s->compression - strlen(s->compression) - 1);
    return 1;
}

int source_open(struct source **source, const char *path, enum source_method method, struct err *e)
{
    struct source *s = calloc(1, sizeof *s);
    struct file_reader *f = calloc(1, sizeof *f);
    int code = s == NULL || f == NULL ? err_memory(e, path, sizeof *s + sizeof *f)
                                      : file_open(&f->file, path, FILE_READ, e);
    if (code < 0) {
        free(f);
        free(s);
        return code;
    }
    f->reader = (struct reader){ file_reader_read, file_reader_stop, file_reader_close,
                                 file_reader_would_wait };
    f->is_regular = file_is_regular(f->file, &s->stored_size);
    s->file = f;
    s->reader = &f->reader;
    unsigned layers = 0;
    do
        code = source_unpack(s, e);
    while (code == 1 && ++layers <= SOURCE_LAYERS_MAX);
    if (code == 1)
        code = err_set(e, WEIR_EINPUT, "compressed more than %d times", SOURCE_LAYERS_MAX);
    if (code < 0) {
        source_close(s);
        return err_wrap(e, "%s:0", path);
    }
    /* Standard input may be somewhere within its file, and a small file has been read already. */
    s->is_mapped = method == SOURCE_AUTO && f->is_regular && layers == 0 &&
                   strcmp(path, "-") != 0 && s->stored_size > s->end && !s->is_end;
    if (s->is_mapped) {
        memory_big_free(s->area, s->room);
        s->area = NULL;
        s->at = s->end = s->room = 0;
    }
    *source = s;
    return 0;
}

uint64_t source_offset(const struct source *s)
{
    return s->offset;
}

const char *source_compression(const struct source *s)
{
    return s->compression;
}

uint64_t source_stored_read(const struct source *s)
{
    return atomic_load(&s->file->octets);
}

uint64_t source_stored_size(const struct source *s)
{
    return s->stored_size;
}

bool source_would_wait(const struct source *s)
{
    return !s->is_mapped && !s->is_end && s->reader->would_wait(s->reader);
}

uint64_t source_path_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

void source_close(struct source *s)
{
    if (s == NULL)
        return;
    if (s->reader != NULL)
        s->reader->close(s->reader);
    if (s->is_mapped && s->area != NULL)
        munmap(s->area, s->room);
    else if (!s->is_mapped)
        memory_big_free(s->area, s->room);
    free(s->file);
    free(s);
}
