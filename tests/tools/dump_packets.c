/*
 * dump_packets FILE...: one line per packet, "seconds wirelen caplen", as tshark prints
 * -T fields -e frame.time_epoch -e frame.len -e frame.cap_len. With -n nothing is printed, but the
 * batches walked are timed; -s sorts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture/capture.h"

static void dump(const struct packet_batch *batch)
{
    struct text t = { 0 };
    for (unsigned i = 0; i < batch->count; i++) {
        const struct packet *p = &batch->pkt[i];
        text_seconds(&t, p->time_ns, 9);
        text_format(&t, "\t%" PRIu32 "\t%" PRIu32 "\n", p->wirelen, p->caplen);
    }
    if (t.data != NULL)
        fputs(t.data, stdout);
    text_fini(&t);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    struct capture_options o = { .from_ns = INT64_MIN, .to_ns = INT64_MAX };
    int first = 1;
    bool is_timed = false;
    for (; first < argc && argv[first][0] == '-' && argv[first][1] != '\0'; first++) {
        is_timed = is_timed || strcmp(argv[first], "-n") == 0;
        o.is_sorted = o.is_sorted || strcmp(argv[first], "-s") == 0;
    }
    o.path = (const char *const *)(argv + first);
    o.path_count = (size_t)(argc - first);
    struct ledger *ledger = calloc(1, sizeof *ledger);
    struct packet_batch *batch = calloc(1, sizeof *batch);
    struct capture *capture;
    struct err e;
    if (ledger == NULL || batch == NULL)
        return 4;
    double start = now();
    uint64_t packets = 0;
    int code = capture_open_files(&capture, &o, ledger, &e);
    if (code < 0) {
        fprintf(stderr, "%s\n", e.text);
        free(batch);
        free(ledger);
        return err_exit_status(code);
    }
    while ((code = capture_fill(capture, batch, &e)) > 0) {
        packets += batch->count;
        if (!is_timed)
            dump(batch);
    }
    double seconds = now() - start;
    if (is_timed)
        printf("%" PRIu64 " packets %.4f s %.2f Mpps %.2f ns\n", packets, seconds,
               (double)packets / seconds / 1e6, seconds * 1e9 / (double)packets);
    if (capture->messages.data != NULL)
        fputs(capture->messages.data, stderr);
    code = capture->worst;
    if (ledger->in[STAGE_input] != packets + ledger_total(ledger, STAGE_input, KIND_dropped) +
                                       ledger_total(ledger, STAGE_input, KIND_discarded)) {
        fprintf(stderr, "the ledger does not close\n");
        code = WEIR_ENO;
    }
    capture_close(capture);
    free(batch);
    free(ledger);
    return err_exit_status(code);
}
