/* What every command does with its words, see cmd.h. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

void command_help(const struct command *c)
{
    struct text options = { 0 };
    option_help(c->options, &options);
    printf("weir %s: %s\n\nusage: weir %s [OPTIONS] %s\n\n%s\nexamples:\n%s", c->name, c->help, c->name, c->arguments,
           options.data ? options.data : "", c->examples);
    text_fini(&options);
}

int command_parse(const struct command *command, int argc, char **argv, void *values, struct option_list *inputs, char **rest,
                  struct err *e)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0) {
            command_help(command);
            return 1;
        }
    return option_parse(argc, argv, command->options, values, inputs, rest, e);
}
