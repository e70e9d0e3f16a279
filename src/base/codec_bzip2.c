/* bzip2 through libbz2. */
#include <bzlib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

static bool bzip2_probe(struct bytes head)
{
    return head.size >= 4 && memcmp(head.data, "BZh", 3) == 0 && head.data[3] >= '1' &&
           head.data[3] <= '9';
}

static int bzip2_open(void **state, struct err *e)
{
    bz_stream *z = calloc(1, sizeof *z);
    if (z == NULL)
        return err_memory(e, "bzip2", sizeof *z);
    if (BZ2_bzDecompressInit(z, 0, 0) != BZ_OK) {
        free(z);
        return err_memory(e, "bzip2", (size_t)4 << 20);
    }
    *state = z;
    return 0;
}

static int bzip2_step(void *state, struct bytes *in, struct codec_room *out, struct err *e)
{
    bz_stream *z = state;
    unsigned in_size = in->size < UINT_MAX ? (unsigned)in->size : UINT_MAX;
    unsigned out_size = out->size < UINT_MAX ? (unsigned)out->size : UINT_MAX;
    z->next_in = (char *)(uintptr_t)in->data; /* libbz2 does not write to it */
    z->avail_in = in_size;
    z->next_out = (char *)out->at;
    z->avail_out = out_size;
    int code = BZ2_bzDecompress(z);
    in->data += in_size - z->avail_in;
    in->size -= in_size - z->avail_in;
    out->at += out_size - z->avail_out;
    out->size -= out_size - z->avail_out;
    if (code == BZ_STREAM_END)
        return CODEC_END;
    if (code == BZ_OK)
        return CODEC_MORE;
    return err_set(e, WEIR_EINPUT, "%s",
                   code == BZ_MEM_ERROR ? "no memory" : "octets or check sums are wrong");
}

static void bzip2_close(void *state)
{
    BZ2_bzDecompressEnd(state);
    free(state);
}

const struct codec bzip2_codec = { "bzip2", bzip2_probe, bzip2_open, bzip2_step, bzip2_close };
