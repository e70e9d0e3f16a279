/*
 * Faults and recording below file.h, for tests. The pointer here is the one global of the program
 * besides the signal flag: a fault has to reach calls whose callers know nothing of tests.
 */
#include "base/file_test.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const file_call_names[FILE_CALLS] = {
    [FILE_CALL_OPEN] = "open",         [FILE_CALL_READ] = "read",
    [FILE_CALL_WRITE] = "write",       [FILE_CALL_SYNC] = "sync",
    [FILE_CALL_CLOSE] = "close",       [FILE_CALL_RENAME] = "rename",
    [FILE_CALL_REMOVE] = "remove",     [FILE_CALL_MAKE_DIR] = "make_dir",
    [FILE_CALL_SYNC_DIR] = "sync_dir",
};
const char *const file_fault_names[FILE_FAULTS] = { [FILE_FAULT_ENOSPC] = "ENOSPC",
                                                    [FILE_FAULT_EIO] = "EIO",
                                                    [FILE_FAULT_EINTR] = "EINTR",
                                                    [FILE_FAULT_SHORT] = "short" };

static struct file_test from_environment; /* stands for "not read yet" until it is */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
struct file_test *file_test_now = &from_environment;

static int find_name(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcasecmp(names[i], name) == 0)
            return i;
    return -1;
}

/* "write:3:ENOSPC:ever". A wrong text is an error that must not pass for "no fault". */
static void read_environment(void)
{
    const char *text = getenv("WEIR_FILE_FAULT");
    struct file_test *test = NULL;
    if (text != NULL && text[0] != '\0') {
        char call[16], fault[16], ever[8] = "";
        unsigned long long nth;
        int parts = sscanf(text, "%15[a-z_]:%llu:%15[A-Za-z]:%7s", call, &nth, fault, ever);
        int call_index = parts >= 3 ? find_name(file_call_names, FILE_CALLS, call) : -1;
        int fault_index = parts >= 3 ? find_name(file_fault_names, FILE_FAULTS, fault) : -1;
        if (call_index < 0 || fault_index < 0 || (ever[0] != '\0' && strcmp(ever, "ever") != 0)) {
            fprintf(stderr,
                    "weir: WEIR_FILE_FAULT='%s' is for tests: CALL:NUMBER:FAULT[:ever], for "
                    "example write:3:ENOSPC\n",
                    text);
            exit(2);
        }
        from_environment = (struct file_test){ .calls = 1u << call_index,
                                               .nth = nth,
                                               .fault = (enum file_fault)fault_index,
                                               .is_for_ever = ever[0] != '\0' };
        test = &from_environment;
    }
    __atomic_store_n(&file_test_now, test, __ATOMIC_RELEASE);
}

void file_test_set(struct file_test *test)
{
    pthread_once(&once, read_environment);
    __atomic_store_n(&file_test_now, test, __ATOMIC_RELEASE);
}

int file_test_before(enum file_call call)
{
    static const int errors[FILE_FAULTS] = { [FILE_FAULT_ENOSPC] = ENOSPC,
                                             [FILE_FAULT_EIO] = EIO,
                                             [FILE_FAULT_EINTR] = EINTR,
                                             [FILE_FAULT_SHORT] = EIO };
    pthread_once(&once, read_environment);
    struct file_test *test = __atomic_load_n(&file_test_now, __ATOMIC_ACQUIRE);
    if (test == NULL || (test->calls >> call & 1) == 0)
        return 0;
    pthread_mutex_lock(&lock);
    test->seen++;
    bool is_hit =
        test->nth > 0 && (test->seen == test->nth || (test->is_for_ever && test->seen > test->nth));
    test->injected += is_hit;
    pthread_mutex_unlock(&lock);
    if (!is_hit)
        return 0;
    bool is_data = call == FILE_CALL_READ || call == FILE_CALL_WRITE;
    return test->fault == FILE_FAULT_SHORT && is_data ? FILE_TEST_SHORT : errors[test->fault];
}

uint64_t file_test_number(void)
{
    static uint64_t last;
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

void file_test_after(const struct file_event *event)
{
    struct file_test *test = __atomic_load_n(&file_test_now, __ATOMIC_ACQUIRE);
    if (test == NULL || test->record == NULL)
        return;
    pthread_mutex_lock(&lock);
    test->record(test->context, event);
    pthread_mutex_unlock(&lock);
}
