/*
 * Options: one table per command says what can be given; parsing, `--help` and the manual page are made from it.
 */
#ifndef WEIR_BASE_OPTION_H
#define WEIR_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

#define OPTION_LIST_MAX 4096

enum option_kind {
    OPTION_FLAG,     /* bool: true when given */
    OPTION_NOT,      /* bool: false when given */
    OPTION_TEXT,     /* const char *: the last one given wins */
    OPTION_COUNT,    /* uint64_t, whole number */
    OPTION_SIZE,     /* uint64_t octets, parse_size */
    OPTION_DURATION, /* int64_t ns, parse_duration; "-1" gives -1 (whole input), "none" gives INT64_MAX */
    OPTION_LIST,     /* struct option_list: may be given many times, in order */
};

struct option_list {
    const char **item; /* pointers into argv; the array belongs to the list */
    size_t count;
};

struct option {
    const char *name;  /* long name without dashes */
    char letter;       /* 0 = none */
    enum option_kind kind;
    size_t offset;     /* of the value in the command's struct: offsetof() */
    const char *value; /* word for the value in the help: "DURATION" */
    const char *help;  /* one line, says the default */
};

/*
 * Read argv[1..argc) into the struct at `values`, which the caller filled with defaults.
 * Long options may be shortened while unique; "--name=value" and "-xVALUE" work; words after "--" are joined by
 * blanks into `*rest` (malloc, NULL if none; may be NULL when the command takes none). Other words go to `inputs`.
 * `tables` is a NULL-terminated list of option tables, each ended by an entry without name.
 */
int option_parse(int argc, char **argv, const struct option *const *tables, void *values, struct option_list *inputs,
                 char **rest, struct err *e);
/* The table as help text, two columns. */
void option_help(const struct option *const *tables, struct text *out);
void option_list_fini(struct option_list *list);

#endif
