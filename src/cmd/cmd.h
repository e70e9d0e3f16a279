/*
 * cmd: the one program, one file per verb. A command file ends in one `const struct command NAME_command`.
 */
#ifndef WEIR_CMD_H
#define WEIR_CMD_H

#include "base/base.h"

struct command {
    const char *name;
    const char *help;      /* one line */
    const char *arguments; /* after the options: "INPUT... [-- FILTER]" */
    const char *examples;  /* two lines or more, each "  weir ..." */
    const struct option *const *options; /* NULL-terminated list of tables */
    /* argv[0] is the verb. Returns 0 or a negative WEIR_E*; results to standard output, messages to standard error. */
    int (*run)(int argc, char **argv, struct err *e);
};

/* Its help to standard output. */
void command_help(const struct command *command);
/* 1 when the command was asked for --help (printed), 0 to go on, negative on wrong usage. */
int command_parse(const struct command *command, int argc, char **argv, void *values, struct option_list *inputs, char **rest,
                  struct err *e);

#endif
