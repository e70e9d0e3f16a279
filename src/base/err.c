/* Errors of the cold path, see err.h. */
#include "base/err.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Messages quote what users and files wrote: a line end or escape sequence in it must not reach a terminal or make two lines of one. */
static void keep_one_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

int err_set(struct err *e, int code, const char *format, ...)
{
    assert(code < 0);
    if (e == NULL)
        return code;
    e->code = code;
    e->system = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    keep_one_line(e->text);
    return code;
}

int err_wrap(struct err *e, const char *format, ...)
{
    if (e == NULL)
        return WEIR_ESYSTEM;
    char old[ERR_TEXT_MAX];
    memcpy(old, e->text, sizeof old);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof e->text) {
        size_t room = sizeof e->text - (size_t)used;
        snprintf(e->text + used, room, ": %.*s", (int)room, old); /* cut where it does not fit */
    }
    keep_one_line(e->text);
    return e->code;
}

int err_memory(struct err *e, const char *what, size_t octets)
{
    return err_set(e, WEIR_EMEMORY, "%s: no memory for %zu octets; close other programs or lower --memory", what,
                   octets);
}

int err_exit_status(int code)
{
    if (code >= 0)
        return 0;
    return code >= WEIR_EINTERRUPT ? -code : 4;
}
