/* SHA-256 through OpenSSL's libcrypto. */
#include "base/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

#define READ_OCTETS ((size_t)256 << 10)

static int digest_octets(struct file *file, EVP_MD_CTX *context, uint8_t *buffer, uint8_t sum[32],
                         struct err *e)
{
    int64_t got;
    int ok = EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    while (ok && (got = file_read(file, buffer, READ_OCTETS, e)) != 0) {
        if (got < 0)
            return (int)got;
        ok = EVP_DigestUpdate(context, buffer, (size_t)got);
    }
    unsigned size = 0;
    if (!ok || !EVP_DigestFinal_ex(context, sum, &size) || size != 32)
        return err_set(e, WEIR_ESYSTEM, "libcrypto cannot compute SHA-256");
    return 0;
}

int digest_sha256(const char *path, char text[SHA256_TEXT_SIZE], struct err *e)
{
    struct file *file;
    int code = file_open(&file, path, FILE_READ, e);
    if (code < 0)
        return code;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t *buffer = malloc(READ_OCTETS), sum[32];
    if (context == NULL || buffer == NULL)
        code = err_memory(e, path, READ_OCTETS);
    else
        code = digest_octets(file, context, buffer, sum, e);
    for (unsigned i = 0; code == 0 && i < 32; i++)
        snprintf(text + 2 * (size_t)i, 3, "%02x", sum[i]);
    free(buffer);
    EVP_MD_CTX_free(context);
    file_close(file, NULL);
    return code;
}
