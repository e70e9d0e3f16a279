/*
 * fuzz: one driver for every parser. A target takes any octets; it must not crash, hang, leak, or
 * break what it checks.
 *
 * A file of targets ends in one `const struct fuzz_group`, one word in meson.build. Targets of part
 * lists (trace formats, link types) are found in those lists, so a new part is fuzzed without a
 * change here.
 */
#ifndef WEIR_FUZZ_H
#define WEIR_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct fuzz_group {
    /* Name of target `index` of the group into `name`; false past the last one. */
    bool (*name)(unsigned index, char *name, size_t room);
    void (*run)(unsigned index, const uint8_t *data, size_t size);
};

/* Ends the process with a message, which the fuzzer takes for a crash. Unlike assert it stays
 * whatever the build type. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* `data` with a final NUL in memory of exact size; NULL when it holds a NUL itself (no command line
 * or file of filters can). */
char *fuzz_text(const uint8_t *data, size_t size);

#endif
