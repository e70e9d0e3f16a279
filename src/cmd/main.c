/* weir VERB ...: find the verb, run it, turn its error into a message and an exit status. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"

#define COMMAND(name) extern const struct command name##_command;
#include "cmd/commands.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &name##_command,
#include "cmd/commands.def"
#undef COMMAND
};
#define COMMANDS (sizeof commands / sizeof *commands)

static const struct command *find(const char *name, struct err *e)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
        names[i] = commands[i]->name;
    }
    const char *nearest = text_nearest(name, names, COMMANDS);
    err_set(e, WEIR_EUSAGE, "no command '%s'; %s%s%s", name,
            nearest ? "did you mean '" : "'weir help' lists them", nearest ? nearest : "",
            nearest ? "'?" : "");
    return NULL;
}

static void print_all(void)
{
    printf("weir %s: network traffic capture, flow metering and analysis\n\nusage: weir COMMAND "
           "[OPTIONS] [INPUT ...] [-- FILTER]\n\n",
           WEIR_VERSION);
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->help);
    printf("\n'weir help COMMAND' says more. Exit status: 0 done, 1 the answer is no, 2 wrong "
           "usage, 3 input damaged, 4 output failed, "
           "5 interrupted.\n");
}

/* Plain capture files are mapped: who cuts one while it is read takes its pages away. */
static void on_bus_error(int number)
{
    static const char message[] =
        "weir: a capture file was cut while it was read; what was counted "
        "is lost, run it again on a copy\n";
    (void)number;
    (void)!write(STDERR_FILENO, message, sizeof message - 1);
    _exit(err_exit_status(WEIR_EINPUT));
}

int main(int argc, char **argv)
{
    struct err e = { 0 };
    int code = 0;
    signal(SIGBUS, on_bus_error);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error that gets a message */
    if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0) {
        const struct command *c = argc > 2 ? find(argv[2], &e) : NULL;
        if (c != NULL)
            command_help(c);
        else if (argc <= 2)
            print_all();
        else
            code = e.code;
    } else if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        printf("weir %s\n", WEIR_VERSION);
    } else {
        const struct command *c = find(argv[1], &e);
        code = c == NULL ? e.code : c->run(argc - 1, argv + 1, &e);
        if (code < 0 && c != NULL)
            err_wrap(&e, "weir %s", c->name);
        else if (code < 0)
            err_wrap(&e, "weir");
    }
    if (fflush(stdout) != 0 && code == 0)
        code = err_set(&e, WEIR_EOUTPUT, "weir: cannot write standard output");
    if (code < 0)
        fprintf(stderr, "%s\n", e.text);
    return err_exit_status(code);
}
