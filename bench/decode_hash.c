/*
 * decode_hash FILE: what decoding and hashing a packet costs when it is in cache. The first packets
 * of a capture are read into memory, then decoded and hashed again and again; prints the least and
 * the middle of the rounds in ns per packet, for the fast way, the hash, and the plain way.
 *
 *   cc -O2 -march=native -Isrc -o decode_hash bench/decode_hash.c BUILD/libweir.a -lpcap -lz -lzstd
 * -llz4 -llzma -lbz2 -lm -lpthread
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture/capture.h"
#include "decode/decode.h"

enum { BATCHES = 4, ROUNDS = 25, REPEATS = 500 };
enum { DECODE_BATCH, HASH_BATCH, DECODE_PACKET, STAGES };

static const char *const stage_names[STAGES] = { "decode_batch", "packet_hash_batch",
                                                 "decode_packet" };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void run(unsigned stage, struct packet_batch *b, const struct hash_secret *secret)
{
    struct decode_options options = { 0 };
    struct flow_key all;
    memset(&all, 0xff, sizeof all);
    if (stage == DECODE_BATCH)
        decode_batch(b, &options);
    else if (stage == HASH_BATCH)
        packet_hash_batch(b, 0, b->count, &all, true, secret);
    else
        for (unsigned i = 0; i < b->count; i++)
            decode_packet(&b->pkt[i], &options, &b->layer[i]);
}

static int read_packets(const char *path, struct packet_batch *batch, struct err *e)
{
    struct capture_options o = {
        .path = &path, .path_count = 1, .from_ns = INT64_MIN, .to_ns = INT64_MAX
    };
    struct ledger ledger = { 0 };
    struct capture *capture;
    int code = capture_open_files(&capture, &o, &ledger, e);
    for (unsigned n = 0; code >= 0 && n < BATCHES; n++) {
        code = capture_fill(capture, &batch[n], e);
        for (unsigned i = 0; code > 0 && i < batch[n].count; i++) {
            struct packet *p = &batch[n].pkt[i];
            p->data = memcpy(malloc(p->caplen + 1), p->data, p->caplen);
        }
    }
    return code < 0 ? code : 0; /* the packets live as long as the program */
}

int main(int argc, char **argv)
{
    struct packet_batch *batch = calloc(BATCHES, sizeof *batch);
    struct hash_secret secret;
    struct err e;
    if (argc != 2 || batch == NULL)
        return 2;
    int code = hash_secret_new(&secret, &e);
    if (code == 0)
        code = read_packets(argv[1], batch, &e);
    if (code != 0) {
        fprintf(stderr, "%s\n", e.text);
        return err_exit_status(code);
    }
    for (unsigned stage = 0; stage < STAGES; stage++) {
        double ns[ROUNDS];
        uint64_t packets = 0;
        for (unsigned round = 0; round < ROUNDS; round++) {
            double start = now_ns();
            packets = 0;
            for (unsigned i = 0; i < REPEATS; i++) {
                run(stage, &batch[i % BATCHES], &secret);
                packets += batch[i % BATCHES].count;
            }
            ns[round] = (now_ns() - start) / (double)(packets + (packets == 0));
        }
        qsort(ns, ROUNDS, sizeof *ns, by_value);
        printf("%-18s least %6.2f middle %6.2f ns per packet\n", stage_names[stage], ns[0],
               ns[ROUNDS / 2]);
    }
    return 0;
}
