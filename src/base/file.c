/* All file operations, see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
    int fd;
    bool is_std; /* standard input or output: not closed */
    char path[];
};

static int fail(struct err *e, int code, const char *what, const char *path)
{
    int error = errno;
    err_set(e, code, "cannot %s '%s': %s%s", what, path, strerror(error),
            error == ENOSPC || error == EDQUOT ? "; make room there, writing goes on by itself" : "");
    if (e != NULL)
        e->system = error;
    return code;
}

int file_open(struct file **file, const char *path, enum file_mode mode, struct err *e)
{
    static const int flags[] = { [FILE_READ] = O_RDONLY, [FILE_CREATE] = O_WRONLY | O_CREAT | O_TRUNC,
                                 [FILE_NEW] = O_WRONLY | O_CREAT | O_EXCL };
    struct file *f = malloc(sizeof *f + strlen(path) + 1);
    if (f == NULL)
        return err_memory(e, path, sizeof *f + strlen(path) + 1);
    memcpy(f->path, path, strlen(path) + 1);
    f->is_std = strcmp(path, "-") == 0;
    if (f->is_std)
        f->fd = mode == FILE_READ ? STDIN_FILENO : STDOUT_FILENO;
    else
        f->fd = open(path, flags[mode] | O_CLOEXEC, 0644);
    if (f->fd < 0) {
        int code = fail(e, mode == FILE_READ ? WEIR_EINPUT : WEIR_EOUTPUT, mode == FILE_READ ? "open" : "create", path);
        free(f);
        return code;
    }
    *file = f;
    return 0;
}

int64_t file_read(struct file *file, void *to, size_t size, struct err *e)
{
    ssize_t got;
    do
        got = read(file->fd, to, size);
    while (got < 0 && errno == EINTR);
    return got < 0 ? fail(e, WEIR_EINPUT, "read", file->path) : got;
}

int file_read_at(struct file *file, uint64_t offset, void *to, size_t size, struct err *e)
{
    uint8_t *at = to;
    while (size > 0) {
        ssize_t got = pread(file->fd, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(e, WEIR_EINPUT, "read", file->path);
        if (got == 0)
            return err_set(e, WEIR_EINPUT, "cannot read '%s': it ends at octet %llu", file->path, (unsigned long long)offset);
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return 0;
}

int file_write(struct file *file, const void *from, size_t size, struct err *e)
{
    const uint8_t *at = from;
    while (size > 0) {
        ssize_t done = write(file->fd, at, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail(e, WEIR_EOUTPUT, "write", file->path);
        at += done;
        size -= (size_t)done;
    }
    return 0;
}

int file_sync(struct file *file, struct err *e)
{
    return fsync(file->fd) == 0 ? 0 : fail(e, WEIR_EOUTPUT, "fsync", file->path);
}

int file_close(struct file *file, struct err *e)
{
    if (file == NULL)
        return 0;
    int code = 0;
    if (!file->is_std && close(file->fd) != 0)
        code = fail(e, WEIR_EOUTPUT, "close", file->path);
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
    return rename(from, to) == 0 ? 0 : fail(e, WEIR_EOUTPUT, "rename", from);
}

int file_remove(const char *path, struct err *e)
{
    return unlink(path) == 0 ? 0 : fail(e, WEIR_EOUTPUT, "remove", path);
}

int file_make_dirs(const char *path, struct err *e)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return err_memory(e, path, strlen(path));
    int code = 0;
    for (char *at = copy + 1; code == 0; at++)
        if (*at == '/' || *at == '\0') {
            char kept = *at;
            *at = '\0';
            if (mkdir(copy, 0755) != 0 && errno != EEXIST)
                code = fail(e, WEIR_EOUTPUT, "make folder", copy);
            *at = kept;
            if (kept == '\0')
                break;
        }
    free(copy);
    return code;
}

int file_sync_dir(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(e, WEIR_EOUTPUT, "open folder", path);
    int code = fsync(fd) == 0 ? 0 : fail(e, WEIR_EOUTPUT, "fsync folder", path);
    close(fd);
    return code;
}
