/* LZ4 frames (lz4 frame format 1.6) through liblz4. */
#include <lz4frame.h>

#include "base/codec.h"

static bool lz4_probe(struct bytes head)
{
    return head.size >= 4 && load_le32(head.data) == 0x184d2204;
}

static int lz4_open(void **state, struct err *e)
{
    LZ4F_dctx *context;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return err_memory(e, "lz4", (size_t)128 << 10);
    *state = context;
    return 0;
}

static int lz4_step(void *state, struct bytes *in, struct codec_room *out, struct err *e)
{
    size_t used = in->size, made = out->size;
    size_t left = LZ4F_decompress(state, out->at, &made, in->data, &used, NULL);
    if (LZ4F_isError(left))
        return err_set(e, WEIR_EINPUT, "%s", LZ4F_getErrorName(left));
    in->data += used;
    in->size -= used;
    out->at += made;
    out->size -= made;
    return left == 0 ? CODEC_END : CODEC_MORE;
}

static void lz4_close(void *state)
{
    LZ4F_freeDecompressionContext(state);
}

const struct codec lz4_codec = { "lz4", lz4_probe, lz4_open, lz4_step, lz4_close };
