/*
 * lake_rows ROWS DIR [SEED]: what a row costs that goes into a lake. Made-up biflows with power-law
 * hosts and ports, in order of their end as a meter gives them, are pushed in batches; printed are
 * CPU ns per row beside the generator's thread, octets per row and peak memory.
 *
 * Build: ninja -C build bench/lake_rows. Run alone on the machine, several times.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "lake/lake.h"

static uint64_t state;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Number below `count`, small ones far more often. */
static uint32_t draw_power(uint32_t count)
{
    double u = (double)(draw() >> 11) / 9007199254740992.0;
    uint32_t n = (uint32_t)(pow((double)count, u)) - 1;
    return n < count ? n : count - 1;
}

static struct address host(uint32_t number, bool is_inside)
{
    uint32_t mixed = number * UINT32_C(2654435761);
    uint8_t octet[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, (uint8_t)(number % 40), 0, 0 };
    if (mixed % 5 == 0) {
        memcpy(octet + 8, &mixed, 4);
        memcpy(octet + 12, &number, 4);
        return address_of_ip6(octet);
    }
    uint8_t ip4[4] = { is_inside ? 10 : (uint8_t)(20 + mixed % 200),
                       (uint8_t)(is_inside ? 1 : mixed >> 8), (uint8_t)(number >> 8),
                       (uint8_t)number };
    return address_of_ip4(ip4);
}

static struct record_batch *make_batch(unsigned count, int64_t *now_ns)
{
    static const uint16_t services[] = {
        443, 53, 80, 123, 22, 25, 993, 8080, 5353, 3389, 445, 1883
    };
    struct record_batch *b = record_batch_new(&record_types[RECORD_flow], RECORD_BATCH_ROWS);
#define COLUMN_OF(type, field) type *field = record_batch_column(b, RECORD_COLUMN(flow, field))
    COLUMN_OF(int64_t, start);
    COLUMN_OF(int64_t, end);
    COLUMN_OF(uint8_t, proto);
    COLUMN_OF(struct address, src);
    COLUMN_OF(struct address, dst);
    COLUMN_OF(uint16_t, sport);
    COLUMN_OF(uint16_t, dport);
    COLUMN_OF(uint16_t, flags);
    COLUMN_OF(uint8_t, tos);
    COLUMN_OF(uint64_t, packets);
    COLUMN_OF(uint64_t, bytes);
    COLUMN_OF(uint64_t, flows);
    COLUMN_OF(uint64_t, rev_packets);
    COLUMN_OF(uint64_t, rev_bytes);
    COLUMN_OF(uint16_t, rev_flags);
    COLUMN_OF(uint32_t, in_if);
    COLUMN_OF(uint8_t, end_reason);
    COLUMN_OF(uint8_t, ttl);
    COLUMN_OF(uint64_t, out_of_order);
    COLUMN_OF(uint64_t, fragments);
    for (unsigned i = 0; i < count; i++) {
        uint32_t service = draw_power(12);
        *now_ns += (int64_t)(draw() % 40000);
        end[i] = *now_ns;
        start[i] = end[i] - (int64_t)(draw_power(60000) * UINT64_C(1000000) + draw() % 1000000);
        proto[i] = service == 1 || service == 3 || service == 8 ? 17 : 6;
        src[i] = host(draw_power(3000), true);
        dst[i] = host(draw_power(200000), false);
        sport[i] = (uint16_t)(1024 + draw() % 64000);
        dport[i] = services[service];
        flags[i] = proto[i] == 6 ? 0x1b : 0;
        rev_flags[i] = proto[i] == 6 ? 0x1b : 0;
        packets[i] = 1 + draw_power(2000);
        bytes[i] = packets[i] * 40 + draw() % (packets[i] * 200);
        flows[i] = 1;
        rev_packets[i] = packets[i] + draw() % (packets[i] + 1);
        rev_bytes[i] = rev_packets[i] * 40 + draw() % (rev_packets[i] * 1400);
        ttl[i] = draw() % 3 ? 64 : 128;
        end_reason[i] = proto[i] == 6 ? 3 : 1;
        in_if[i] = 0;
        tos[i] = 0;
        out_of_order[i] = fragments[i] = 0;
    }
    b->count = count;
    record_batch_seal(b);
    return b;
}

static double cpu(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: lake_rows ROWS DIR [SEED]\n");
        return 2;
    }
    uint64_t rows = strtoull(argv[1], NULL, 10), left = rows;
    state = argc > 3 ? strtoull(argv[3], NULL, 10) : 88172645463325252u;
    struct lake_writer_options options = { .path = argv[2], .source = "bench" };
    struct ledger ledger = { 0 };
    struct lake_writer *writer;
    struct err e;
    double wall = cpu(CLOCK_MONOTONIC);
    if (lake_writer_new(&writer, &options, &ledger, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return err_exit_status(e.code);
    }
    struct record_sink *sink = lake_writer_sink(writer, &record_types[RECORD_flow]);
    double process = cpu(CLOCK_PROCESS_CPUTIME_ID), own = cpu(CLOCK_THREAD_CPUTIME_ID);
    int64_t now_ns = INT64_C(1700000000) * NS_PER_S;
    while (left > 0) {
        unsigned count = left < RECORD_BATCH_ROWS ? (unsigned)left : RECORD_BATCH_ROWS;
        sink->push(sink, make_batch(count, &now_ns));
        left -= count;
    }
    int code = lake_writer_close(writer, &e);
    process = cpu(CLOCK_PROCESS_CPUTIME_ID) - process;
    own = cpu(CLOCK_THREAD_CPUTIME_ID) - own;
    wall = cpu(CLOCK_MONOTONIC) - wall;
    if (code < 0) {
        fprintf(stderr, "%s\n", e.text);
        return err_exit_status(code);
    }
    struct lake_list list;
    uint64_t octets = 0;
    lake_list_open(&list, argv[2], NULL, INT64_MIN, INT64_MAX, NULL, &e);
    for (size_t i = 0; i < list.count; i++)
        octets += list.segment[i].octets;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("rows %llu  cpu_ns_per_row %.0f  octets_per_row %.1f  wall_s %.2f  segments %zu  "
           "peak_mb %ld\n",
           (unsigned long long)rows, (process - own) * 1e9 / (double)rows,
           (double)octets / (double)rows, wall, list.count, usage.ru_maxrss / 1024);
    lake_list_close(&list);
    return 0;
}
