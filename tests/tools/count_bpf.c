/*
 * count_bpf FILE EXPRESSION...: one line per expression, how many packets of the capture pass it.
 * As `tcpdump -r FILE EXPRESSION | wc -l`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/capture.h"
#include "lang/lang.h"

static int count(const char *path, const char *text, uint64_t *packets, struct err *e)
{
    struct capture_options o = {
        .path = &path, .path_count = 1, .from_ns = INT64_MIN, .to_ns = INT64_MAX
    };
    struct ledger ledger = { 0 };
    struct capture *capture = NULL;
    struct packet_batch *batch = calloc(1, sizeof *batch);
    struct bpf *bpf = NULL;
    uint8_t keep[BATCH_MAX];
    int code = batch == NULL ? err_memory(e, "batch", sizeof *batch) : bpf_new(text, &bpf, e);
    if (code == 0)
        code = capture_open_files(&capture, &o, &ledger, e);
    *packets = 0;
    while (code == 0 && (code = capture_fill(capture, batch, e)) > 0) {
        bpf_select(bpf, batch, keep);
        for (unsigned i = 0; i < batch->count; i++)
            *packets += keep[i];
        code = 0;
    }
    capture_close(capture);
    bpf_free(bpf);
    free(batch);
    return code;
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        struct err e;
        uint64_t packets;
        int code = count(argv[1], argv[i], &packets, &e);
        if (code < 0) {
            fprintf(stderr, "%s\n", e.text);
            return err_exit_status(code);
        }
        printf("%" PRIu64 "\n", packets);
    }
    return 0;
}
