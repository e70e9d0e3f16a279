/*
 * tally: what is counted of the packets of one interval, and the few intervals that are open while
 * packets come a little out of order. Memory is one tally per open interval, however many packets
 * or intervals there are (spec/tools.md section 8).
 */
#ifndef WEIR_CMD_TALLY_H
#define WEIR_CMD_TALLY_H

#include "cmd/interval.h"
#include "flow/flow.h"
#include "packet/packet.h"

#define TALLY_SLACK_MAX 4096 /* intervals kept open behind the newest */

struct tally {
    int64_t index; /* of the interval */
    uint64_t packets, octets;
    unsigned __int128 squares; /* sum of size * size, exact */
    uint32_t min, max;         /* sizes; meaningless without packets */
    uint64_t ipv4, ipv6, arp, tcp, udp, icmp, fragments, tcp_syn, tcp_rst;
    uint64_t late; /* packets whose own interval was closed */
};

double tally_mean(const struct tally *t);
double tally_deviation(const struct tally *t); /* population, divisor n; from whole numbers, so
                                                  without rounding on the way */

/* Sizes of packets [0, count) as --length says; is_counted[i] = 0 for what has no such size (not
 * IP). */
void tally_sizes(const struct packet_batch *batch, enum length_kind length, uint32_t size[],
                 uint8_t is_counted[]);
/* Add packets [first, end) of the batch. */
void tally_add(struct tally *t, const struct packet_batch *batch, const uint32_t size[],
               const uint8_t is_counted[], unsigned first, unsigned end);

/* --length: "frame", "link", "ip", "payload"; NULL leaves *length as it is. */
int length_option(const char *text, enum length_kind *length, struct err *e);

struct tally_window {
    /* Set by the owner. */
    struct interval_grid grid;
    enum length_kind length;
    unsigned slack; /* intervals before the newest that are still open, at most TALLY_SLACK_MAX */
    bool skips_empty;
    /* Gets every interval once, in rising order, empty ones too unless skipped. 0 or negative to
     * stop. */
    int (*emit)(void *context, const struct tally *t);
    void *context;

    struct tally *open; /* slack + 1, at index modulo that */
    bool has_packets, has_emitted;
    int64_t first_ns, last_ns; /* of the first packet; newest time */
    int64_t newest, next;      /* newest interval; the next one to emit */
    int64_t from_ns,
        to_ns; /* bounds of the newest interval, [from, to): nearly all packets fall there */
    uint64_t late_count; /* packets counted as late */
    uint64_t left_out;   /* empty intervals in gaps over INTERVAL_GAP_MAX */
};
int tally_window_init(struct tally_window *w, struct err *e);
int tally_window_push(struct tally_window *w, const struct packet_batch *batch);
int tally_window_finish(struct tally_window *w); /* emits what is open */
void tally_window_fini(struct tally_window *w);

#endif
