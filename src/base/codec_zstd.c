/* Zstandard frames, RFC 8878, through libzstd. */
#include <zstd.h>

#include "base/codec.h"

static bool zstd_probe(struct bytes head)
{
    if (head.size < 4)
        return false;
    uint32_t magic = load_le32(head.data);
    return magic == 0xfd2fb528 || (magic & 0xfffffff0) == 0x184d2a50; /* or a frame to be skipped */
}

static int zstd_open(void **state, struct err *e)
{
    *state = ZSTD_createDCtx();
    return *state == NULL ? err_memory(e, "zstd", (size_t)128 << 10) : 0;
}

static int zstd_step(void *state, struct bytes *in, struct codec_room *out, struct err *e)
{
    ZSTD_inBuffer from = { in->data, in->size, 0 };
    ZSTD_outBuffer to = { out->at, out->size, 0 };
    size_t left = ZSTD_decompressStream(state, &to, &from);
    in->data += from.pos;
    in->size -= from.pos;
    out->at += to.pos;
    out->size -= to.pos;
    if (ZSTD_isError(left))
        return err_set(e, WEIR_EINPUT, "%s", ZSTD_getErrorName(left));
    return left == 0 ? CODEC_END : CODEC_MORE;
}

static void zstd_close(void *state)
{
    ZSTD_freeDCtx(state);
}

const struct codec zstd_codec = { "zstd", zstd_probe, zstd_open, zstd_step, zstd_close };
