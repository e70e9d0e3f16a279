/* All file operations, see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_test.h"

volatile sig_atomic_t file_stop;

#define INTERRUPTS_MAX 1000 /* of one call, then it is an error: nobody waits for ever */

struct file {
    int fd;
    bool is_std;     /* standard input or output: not closed */
    uint64_t number; /* for recording */
    char path[];
};

static int fail(struct err *e, int code, const char *what, const char *path)
{
    int error = errno;
    err_set(e, code, "cannot %s '%s': %s%s", what, path, strerror(error),
            error == ENOSPC || error == EDQUOT ? "; make room there, writing goes on by itself"
                                               : "");
    if (e != NULL)
        e->system = error;
    return code;
}

/* Shall the call about to be made fail? Then errno is set. *size is halved for a short one. */
static bool is_faulty(enum file_call call, size_t *size)
{
    if (file_test_now == NULL)
        return false;
    int fault = file_test_before(call);
    if (fault > 0)
        errno = fault;
    else if (fault == FILE_TEST_SHORT && size != NULL && *size > 1)
        *size /= 2;
    return fault > 0;
}

static void done(enum file_call call, const struct file *file, const char *path, const char *to,
                 const void *data, size_t size)
{
    if (file_test_now != NULL)
        file_test_after(&(struct file_event){ .call = call,
                                              .file = file ? file->number : 0,
                                              .path = path,
                                              .to = to,
                                              .data = data,
                                              .size = size });
}

/* Was a call interrupted, and may it be made again? */
static bool is_interrupted(bool has_failed, unsigned *count)
{
    return has_failed && errno == EINTR && ++*count < INTERRUPTS_MAX;
}

static int open_path(const char *path, int flags)
{
    int fd;
    unsigned interrupts = 0;
    do
        fd = is_faulty(FILE_CALL_OPEN, NULL) ? -1 : open(path, flags | O_CLOEXEC, 0644);
    while (is_interrupted(fd < 0, &interrupts));
    return fd;
}

int file_open(struct file **file, const char *path, enum file_mode mode, struct err *e)
{
    static const int flags[] = { [FILE_READ] = O_RDONLY,
                                 [FILE_CREATE] = O_WRONLY | O_CREAT | O_TRUNC,
                                 [FILE_NEW] = O_WRONLY | O_CREAT | O_EXCL };
    struct file *f = malloc(sizeof *f + strlen(path) + 1);
    if (f == NULL)
        return err_memory(e, path, sizeof *f + strlen(path) + 1);
    memcpy(f->path, path, strlen(path) + 1);
    f->number = 0;
    f->is_std = strcmp(path, "-") == 0;
    if (f->is_std)
        f->fd = mode == FILE_READ ? STDIN_FILENO : STDOUT_FILENO;
    else
        f->fd = open_path(path, flags[mode]);
    if (f->fd < 0) {
        int code = fail(e, mode == FILE_READ ? WEIR_EINPUT : WEIR_EOUTPUT,
                        mode == FILE_READ ? "open" : "create", path);
        free(f);
        return code;
    }
    if (file_test_now != NULL && mode != FILE_READ) {
        f->number = file_test_number();
        done(FILE_CALL_OPEN, f, path, NULL, NULL, 0);
    }
    *file = f;
    return 0;
}

int64_t file_read(struct file *file, void *to, size_t size, struct err *e)
{
    ssize_t got;
    unsigned interrupts = 0;
    do
        got = file_stop ? 0 : is_faulty(FILE_CALL_READ, &size) ? -1 : read(file->fd, to, size);
    while (is_interrupted(got < 0, &interrupts));
    return got < 0 ? fail(e, WEIR_EINPUT, "read", file->path) : got;
}

int file_read_at(struct file *file, uint64_t offset, void *to, size_t size, struct err *e)
{
    uint8_t *at = to;
    unsigned interrupts = 0;
    while (size > 0) {
        size_t part = size;
        ssize_t got =
            is_faulty(FILE_CALL_READ, &part) ? -1 : pread(file->fd, at, part, (off_t)offset);
        if (is_interrupted(got < 0, &interrupts))
            continue;
        if (got < 0)
            return fail(e, WEIR_EINPUT, "read", file->path);
        if (got == 0)
            return err_set(e, WEIR_EINPUT, "cannot read '%s': it ends at octet %llu", file->path,
                           (unsigned long long)offset);
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return 0;
}

int file_write(struct file *file, const void *from, size_t size, struct err *e)
{
    const uint8_t *at = from;
    unsigned interrupts = 0;
    while (size > 0) {
        size_t part = size;
        ssize_t put = is_faulty(FILE_CALL_WRITE, &part) ? -1 : write(file->fd, at, part);
        if (is_interrupted(put < 0, &interrupts))
            continue;
        if (put < 0)
            return fail(e, WEIR_EOUTPUT, "write", file->path);
        done(FILE_CALL_WRITE, file, file->path, NULL, at, (size_t)put);
        at += put;
        size -= (size_t)put;
    }
    return 0;
}

int file_sync(struct file *file, struct err *e)
{
    int result;
    unsigned interrupts = 0;
    do
        result = is_faulty(FILE_CALL_SYNC, NULL) ? -1 : fsync(file->fd);
    while (is_interrupted(result != 0, &interrupts));
    if (result != 0)
        return fail(e, WEIR_EOUTPUT, "fsync", file->path);
    done(FILE_CALL_SYNC, file, file->path, NULL, NULL, 0);
    return 0;
}

int file_close(struct file *file, struct err *e)
{
    if (file == NULL)
        return 0;
    int code = 0;
    if (!file->is_std) {
        /* An interrupted close has closed on Linux; a fault here comes after the close, as with
         * NFS. */
        bool is_bad = is_faulty(FILE_CALL_CLOSE, NULL);
        int error = errno;
        int result = close(file->fd);
        if (is_bad) {
            errno = error;
            result = -1;
        }
        if (result != 0 && errno != EINTR)
            code = fail(e, WEIR_EOUTPUT, "close", file->path);
    }
    free(file);
    return code;
}

int file_descriptor(const struct file *file)
{
    return file->fd;
}

bool file_is_regular(const struct file *file, uint64_t *size)
{
    struct stat st;
    if (fstat(file->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    *size = (uint64_t)st.st_size;
    return true;
}

int file_rename(const char *from, const char *to, struct err *e)
{
    int result;
    unsigned interrupts = 0;
    do
        result = is_faulty(FILE_CALL_RENAME, NULL) ? -1 : rename(from, to);
    while (is_interrupted(result != 0, &interrupts));
    if (result != 0)
        return fail(e, WEIR_EOUTPUT, "rename", from);
    done(FILE_CALL_RENAME, NULL, from, to, NULL, 0);
    return 0;
}

int file_remove(const char *path, struct err *e)
{
    int result;
    unsigned interrupts = 0;
    do
        result = is_faulty(FILE_CALL_REMOVE, NULL) ? -1 : unlink(path);
    while (is_interrupted(result != 0, &interrupts));
    if (result != 0)
        return fail(e, WEIR_EOUTPUT, "remove", path);
    done(FILE_CALL_REMOVE, NULL, path, NULL, NULL, 0);
    return 0;
}

int file_sync_dir(const char *path, struct err *e)
{
    int fd = open_path(path, O_RDONLY | O_DIRECTORY), result;
    if (fd < 0)
        return fail(e, WEIR_EOUTPUT, "open folder", path);
    unsigned interrupts = 0;
    do
        result = is_faulty(FILE_CALL_SYNC_DIR, NULL) ? -1 : fsync(fd);
    while (is_interrupted(result != 0, &interrupts));
    int code = result == 0 ? 0 : fail(e, WEIR_EOUTPUT, "fsync folder", path);
    close(fd);
    if (code == 0)
        done(FILE_CALL_SYNC_DIR, NULL, path, NULL, NULL, 0);
    return code;
}

/* 1 = made, 0 = was there, else -1 with errno. */
static int make_dir(const char *path)
{
    int result;
    unsigned interrupts = 0;
    do
        result = is_faulty(FILE_CALL_MAKE_DIR, NULL) ? -1 : mkdir(path, 0755);
    while (is_interrupted(result != 0, &interrupts));
    if (result == 0)
        done(FILE_CALL_MAKE_DIR, NULL, path, NULL, NULL, 0);
    return result == 0 ? 1 : errno == EEXIST ? 0 : -1;
}

/* Make the folder `path`, which is changed during the call, and sync the one it is in. */
static int make_durable_dir(char *path, struct err *e)
{
    int made = make_dir(path);
    if (made <= 0)
        return made == 0 ? 0 : fail(e, WEIR_EOUTPUT, "make folder", path);
    char *slash = strrchr(path, '/');
    const char *parent = slash == NULL   ? "."
                         : slash == path ? "/"
                                         : path; /* `path` is cut at the slash */
    if (slash != NULL)
        *slash = '\0';
    int code = file_sync_dir(parent, e);
    if (slash != NULL)
        *slash = '/';
    if (code < 0) /* else the next try would take it for durable */
        rmdir(path);
    return code;
}

int file_make_dirs(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    char *copy = strdup(path);
    if (copy == NULL)
        return err_memory(e, path, strlen(path));
    int code = 0;
    for (char *at = copy + 1; code == 0; at++)
        if (*at == '/' || *at == '\0') {
            char kept = *at;
            *at = '\0';
            if (stat(copy, &st) != 0 || !S_ISDIR(st.st_mode))
                code = make_durable_dir(copy, e);
            *at = kept;
            if (kept == '\0')
                break;
        }
    free(copy);
    return code;
}
