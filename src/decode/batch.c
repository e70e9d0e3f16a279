/* Whole batches, see decode.h. */
#include "decode/walk.h"

void decode_batch(struct packet_batch *batch, const struct decode_options *options)
{
    for (unsigned i = 0; i < batch->count; i++)
        decode_packet(&batch->pkt[i], options, &batch->layer[i]);
}
