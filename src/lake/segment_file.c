/*
 * The file under a segment. DuckDB writes Parquet into a pipe; a thread takes the octets from
 * there, so that every one of them goes through base/file (faults, recording, disk full) and memory
 * stays bounded. The last part is held back until the end is known, because the checksums go into
 * the footer.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lake/inside.h"

#define HELD_OCTETS ((size_t)256 << 10) /* a footer of 7 million rows */
#define PIPE_OCTETS (1 << 20)

struct segment_file {
    struct file *file;
    int pipe_fd; /* we read here */
    pthread_t thread;
    struct sum body; /* over all octets written */
    uint64_t octets;
    int code; /* first failure; from then on octets are read and thrown away */
    struct err error;
    size_t held;
    uint8_t buffer[2 * HELD_OCTETS];
};

static void put(struct segment_file *s, size_t size)
{
    if (s->code == 0)
        s->code = file_write(s->file, s->buffer, size, &s->error);
    s->octets += size;
}

static void *copy(void *context)
{
    struct segment_file *s = context;
    for (;;) {
        ssize_t got = read(s->pipe_fd, s->buffer + s->held, sizeof s->buffer - s->held);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && s->code == 0)
            s->code = err_set(&s->error, WEIR_EOUTPUT, "cannot read from the Parquet writer: %s",
                              strerror(errno));
        if (got <= 0)
            break;
        s->held += (size_t)got;
        if (s->held == sizeof s->buffer) {
            sum_add(&s->body, s->buffer, HELD_OCTETS);
            put(s, HELD_OCTETS);
            memmove(s->buffer, s->buffer + HELD_OCTETS, HELD_OCTETS);
            s->held = HELD_OCTETS;
        }
    }
    footer_seal(s->buffer, s->held, &s->body); /* a bigger footer keeps its zeros: no checksum */
    put(s, s->held);
    return NULL;
}

int segment_file_open(struct segment_file **file, const char *path, enum file_mode mode,
                      int *pipe_fd, struct err *e)
{
    struct segment_file *s = malloc(sizeof *s);
    if (s == NULL)
        return err_memory(e, path, sizeof *s);
    s->held = 0;
    s->octets = 0;
    s->code = 0;
    sum_init(&s->body);
    int fds[2] = { -1, -1 };
    int code = file_open(&s->file, path, mode, e);
    if (code < 0) {
        free(s);
        return code;
    }
    if (pipe2(fds, O_CLOEXEC) != 0) {
        code = err_set(e, WEIR_EOUTPUT, "cannot make a pipe to '%s': %s", path, strerror(errno));
        goto out;
    }
    fcntl(fds[1], F_SETPIPE_SZ, PIPE_OCTETS); /* only fewer switches between the threads */
    s->pipe_fd = fds[0];
    int error = pthread_create(&s->thread, NULL, copy, s);
    if (error != 0) {
        code = err_set(e, WEIR_EOUTPUT, "cannot start a thread to write '%s': %s", path,
                       strerror(error));
        goto out;
    }
    *pipe_fd = fds[1];
    *file = s;
    return 0;
out:
    if (fds[0] >= 0) {
        close(fds[0]);
        close(fds[1]);
    }
    file_close(s->file, NULL);
    free(s);
    return code;
}

int segment_file_finish(struct segment_file *s, uint64_t *octets, struct err *e)
{
    pthread_join(s->thread, NULL);
    close(s->pipe_fd);
    uint64_t size;
    if (s->code == 0 && file_is_regular(s->file, &size)) /* a pipe cannot be synced */
        s->code = file_sync(s->file, &s->error);
    struct err closing;
    int code = file_close(s->file, &closing);
    if (s->code == 0 && code < 0) {
        s->code = code;
        s->error = closing;
    }
    code = s->code;
    if (code < 0 && e != NULL)
        *e = s->error;
    if (octets != NULL)
        *octets = s->octets;
    free(s);
    return code;
}
