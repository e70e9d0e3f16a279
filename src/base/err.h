/*
 * Errors of the cold path: a function returns 0 or a negative WEIR_E* and fills `struct err` where the
 * fact is known; callers add context with err_wrap() on the way up.
 *
 * A message is: who, which thing, what happened, why; then what to do. One line, no capital, no full stop:
 *   capture: cannot open 'eht0': no such interface; the nearest is 'eth0'
 */
#ifndef WEIR_BASE_ERR_H
#define WEIR_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define ERR_TEXT_MAX 1024

/* The negative codes map to exit statuses (spec: 0 done, 1 no, 2 usage, 3 input, 4 output, 5 interrupted). */
enum weir_error {
    WEIR_ENO = -1,        /* the answer is no (verify, compare) */
    WEIR_EUSAGE = -2,     /* wrong option, filter, field name */
    WEIR_EINPUT = -3,     /* input unreadable or damaged; what came before the damage was used */
    WEIR_EOUTPUT = -4,    /* output failed */
    WEIR_EINTERRUPT = -5, /* SIGINT or SIGTERM */
    WEIR_EMEMORY = -6,    /* no memory: exit status 4 */
    WEIR_ESYSTEM = -7,    /* another system call failed: exit status 4 */
};

struct err {
    int code;
    int system; /* errno of the system call that failed; 0 if none did */
    char text[ERR_TEXT_MAX];
};

/* Fill `e` (may be NULL) and return `code`. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Put "CONTEXT: " before the text of `e`; returns e->code. */
int err_wrap(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* err_set with WEIR_EMEMORY and the thing that did not fit. */
int err_memory(struct err *e, const char *what, size_t octets);
/* Exit status for a code: 0 for 0, else see above. */
int err_exit_status(int code);

#endif
