/* xz streams (.xz file format 1.1) through liblzma. */
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#define XZ_MEMORY_MAX (UINT64_C(256) << 20) /* a header may ask for up to 4 GiB of dictionary */

static bool xz_probe(struct bytes head)
{
    return head.size >= 6 && memcmp(head.data,
                                    "\xfd"
                                    "7zXZ\0",
                                    6) == 0;
}

static int xz_open(void **state, struct err *e)
{
    lzma_stream *z = calloc(1, sizeof *z);
    if (z == NULL)
        return err_memory(e, "xz", sizeof *z);
    if (lzma_stream_decoder(z, XZ_MEMORY_MAX, 0) != LZMA_OK) {
        free(z);
        return err_memory(e, "xz", (size_t)64 << 10);
    }
    *state = z;
    return 0;
}

static const char *xz_reason(lzma_ret code)
{
    switch (code) {
    case LZMA_MEM_ERROR:
        return "no memory";
    case LZMA_MEMLIMIT_ERROR:
        return "wants more than 256 MiB of memory";
    case LZMA_OPTIONS_ERROR:
        return "uses options that this library does not know";
    case LZMA_FORMAT_ERROR:
        return "not the xz format";
    default:
        return "octets or check sums are wrong";
    }
}

static int xz_step(void *state, struct bytes *in, struct codec_room *out, struct err *e)
{
    lzma_stream *z = state;
    z->next_in = in->data;
    z->avail_in = in->size;
    z->next_out = out->at;
    z->avail_out = out->size;
    lzma_ret code = lzma_code(z, LZMA_RUN);
    in->data = z->next_in;
    in->size = z->avail_in;
    out->at = z->next_out;
    out->size = z->avail_out;
    if (code == LZMA_STREAM_END)
        return CODEC_END;
    if (code == LZMA_OK || code == LZMA_BUF_ERROR)
        return CODEC_MORE;
    return err_set(e, WEIR_EINPUT, "%s", xz_reason(code));
}

static void xz_close(void *state)
{
    lzma_end(state);
    free(state);
}

const struct codec xz_codec = { "xz", xz_probe, xz_open, xz_step, xz_close };
