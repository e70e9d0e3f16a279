/* Check sums of whole files. */
#ifndef WEIR_BASE_DIGEST_H
#define WEIR_BASE_DIGEST_H

#include "base/err.h"

#define SHA256_TEXT_SIZE 65

/* SHA-256 of the file as stored, in hexadecimal with a final NUL; "" in a build without libcrypto.
 */
int digest_sha256(const char *path, char text[SHA256_TEXT_SIZE], struct err *e);

#endif
