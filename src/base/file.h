/*
 * file: all file operations of the program go through here, so that tests can make the n-th one
 * fail and record them for replay.
 *
 * Errors are WEIR_EINPUT for reading, WEIR_EOUTPUT for writing; the text names the path and the reason. Interrupted calls are repeated
 * (but see file_stop), short writes are continued.
 */
#ifndef WEIR_BASE_FILE_H
#define WEIR_BASE_FILE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct file;

/* The signal flag: set by a handler that was installed without SA_RESTART, it makes a read that waits return as at the end of the file,
 * so that an interrupt is heeded while a pipe is silent. */
extern volatile sig_atomic_t file_stop;

enum file_mode {
    FILE_READ,   /* "-" is standard input */
    FILE_CREATE, /* made or emptied, 0644; "-" is standard output */
    FILE_NEW,    /* made, must not exist */
};

int file_open(struct file **file, const char *path, enum file_mode mode, struct err *e);
/* Up to `size` octets at the present place; 0 at the end; negative WEIR_E*. A file is read without
 * seeking. */
int64_t file_read(struct file *file, void *to, size_t size, struct err *e);
/* Exactly `size` octets at `offset` of a regular file; fewer are an error. Moves no place. */
int file_read_at(struct file *file, uint64_t offset, void *to, size_t size, struct err *e);
int file_write(struct file *file, const void *from, size_t size, struct err *e);
int file_sync(struct file *file, struct err *e); /* fsync */
/* Closes and frees, also on failure; NULL allowed. */
int file_close(struct file *file, struct err *e);
int file_descriptor(const struct file *file); /* for poll and mmap; stays owned by `file` */
bool file_is_regular(const struct file *file, uint64_t *size);

/* Names. A folder that was made is durable: its parent is synced. */
int file_rename(const char *from, const char *to, struct err *e);
int file_remove(const char *path, struct err *e);
int file_make_dirs(const char *path, struct err *e); /* like mkdir -p */
int file_sync_dir(const char *path, struct err *e);

/* ---- faults and recording, for tests; one branch per call while off ---- */

enum file_call {
    FILE_CALL_OPEN,
    FILE_CALL_READ,
    FILE_CALL_WRITE,
    FILE_CALL_SYNC,
    FILE_CALL_CLOSE,
    FILE_CALL_RENAME,
    FILE_CALL_REMOVE,
    FILE_CALL_MAKE_DIR,
    FILE_CALL_SYNC_DIR,
    FILE_CALLS
};
extern const char *const file_call_names[FILE_CALLS];

enum file_fault {
    FILE_FAULT_ENOSPC,
    FILE_FAULT_EIO,
    FILE_FAULT_EINTR,
    FILE_FAULT_SHORT, /* half is read or written; EIO for other calls */
    FILE_FAULTS
};
extern const char *const file_fault_names[FILE_FAULTS];

/* A call that changed something, after it did. Valid during the callback. */
struct file_event {
    enum file_call call;
    uint64_t file;         /* number of the open file, from 1; 0 for calls on names */
    const char *path, *to; /* `to` for rename */
    const void *data;      /* what was written */
    size_t size;
};

struct file_test {
    unsigned calls;   /* bit per file_call that is counted */
    uint64_t nth;     /* the one that fails, from 1; 0 = none */
    bool is_for_ever; /* and all after it */
    enum file_fault fault;
    void (*record)(void *context, const struct file_event *event); /* NULL = none; one at a time */
    void *context;
    uint64_t seen, injected; /* calls counted so far, faults so far */
};
/*
 * From now on for all threads; NULL = off. Not while another thread is in a call of this file.
 * Without it, the environment variable WEIR_FILE_FAULT is read once: "write:3:ENOSPC" or
 * "write:3:ENOSPC:ever".
 */
void file_test_set(struct file_test *test);

#endif
