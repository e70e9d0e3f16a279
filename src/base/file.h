/*
 * file: all file operations of the program go through here, so that tests can make the n-th one fail and record them for replay.
 *
 * Errors are WEIR_EINPUT for reading, WEIR_EOUTPUT for writing; the text names the path and the reason. Interrupted calls are repeated,
 * short writes are continued.
 */
#ifndef WEIR_BASE_FILE_H
#define WEIR_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct file;

enum file_mode {
    FILE_READ,   /* "-" is standard input */
    FILE_CREATE, /* made or emptied, 0644; "-" is standard output */
    FILE_NEW,    /* made, must not exist */
};

int file_open(struct file **file, const char *path, enum file_mode mode, struct err *e);
/* Up to `size` octets at the present place; 0 at the end; negative WEIR_E*. A file is read without seeking. */
int64_t file_read(struct file *file, void *to, size_t size, struct err *e);
/* Exactly `size` octets at `offset` of a regular file; fewer are an error. Moves no place. */
int file_read_at(struct file *file, uint64_t offset, void *to, size_t size, struct err *e);
int file_write(struct file *file, const void *from, size_t size, struct err *e);
int file_sync(struct file *file, struct err *e); /* fsync */
/* Closes and frees, also on failure; NULL allowed. */
int file_close(struct file *file, struct err *e);
int file_descriptor(const struct file *file); /* for poll and mmap; stays owned by `file` */
bool file_is_regular(const struct file *file, uint64_t *size);

int file_rename(const char *from, const char *to, struct err *e);
int file_remove(const char *path, struct err *e);
int file_make_dirs(const char *path, struct err *e); /* like mkdir -p */
int file_sync_dir(const char *path, struct err *e);

#endif
