/* gzip, RFC 1952, through zlib. */
#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/codec.h"

static bool gzip_probe(struct bytes head)
{
    return head.size >= 3 && head.data[0] == 0x1f && head.data[1] == 0x8b &&
           head.data[2] == Z_DEFLATED;
}

static int gzip_open(void **state, struct err *e)
{
    z_stream *z = calloc(1, sizeof *z);
    if (z == NULL)
        return err_memory(e, "gzip", sizeof *z);
    if (inflateInit2(z, 16 + MAX_WBITS) != Z_OK) {
        free(z);
        return err_memory(e, "gzip", (size_t)64 << 10);
    }
    *state = z;
    return 0;
}

static int gzip_step(void *state, struct bytes *in, struct codec_room *out, struct err *e)
{
    z_stream *z = state;
    unsigned in_size = in->size < UINT_MAX ? (unsigned)in->size : UINT_MAX;
    unsigned out_size = out->size < UINT_MAX ? (unsigned)out->size : UINT_MAX;
    z->next_in = in->data;
    z->avail_in = in_size;
    z->next_out = out->at;
    z->avail_out = out_size;
    int code = inflate(z, Z_NO_FLUSH);
    in->data += in_size - z->avail_in;
    in->size -= in_size - z->avail_in;
    out->at += out_size - z->avail_out;
    out->size -= out_size - z->avail_out;
    if (code == Z_STREAM_END)
        return CODEC_END;
    if (code == Z_OK || code == Z_BUF_ERROR)
        return CODEC_MORE;
    return err_set(e, WEIR_EINPUT, "%s", z->msg != NULL ? z->msg : zError(code));
}

static void gzip_close(void *state)
{
    inflateEnd(state);
    free(state);
}

const struct codec gzip_codec = { "gzip", gzip_probe, gzip_open, gzip_step, gzip_close };
