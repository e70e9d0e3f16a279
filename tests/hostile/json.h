/* A strict reader of JSON (RFC 8259) that keeps nothing: is this text valid? */
#ifndef WEIR_TEST_JSON_H
#define WEIR_TEST_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* `size` octets hold exactly one value and blanks around it. */
bool json_is_valid(const char *text, size_t size);
/* Every line holds exactly one object; the last one ends with a line end. No lines at all are fine.
 */
bool json_lines_are_valid(const char *text, size_t size);

#endif
