/* Between file.c and file_test.c. */
#ifndef WEIR_BASE_FILE_TEST_H
#define WEIR_BASE_FILE_TEST_H

#include "base/file.h"

/* NULL while off. Before the first call it is a mark that the environment was not read yet. */
extern struct file_test *file_test_now;

/* What happens to the call about to be made: 0 = nothing, > 0 = this errno, FILE_TEST_SHORT = half
 * of it. */
#define FILE_TEST_SHORT (-1)
int file_test_before(enum file_call call);
uint64_t file_test_number(void); /* for the next open file */
void file_test_after(const struct file_event *event);

#endif
