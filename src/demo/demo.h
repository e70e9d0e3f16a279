/*
 * demo: the traffic of a small office that never was, for a first look and for tests.
 *
 * Hosts with habits follow the hours of the day: they ask the name server, open TLS and HTTP
 * connections, print, call, poll their mail; guests come on a VLAN of their own; a backup runs at
 * night and one laptop scans the file server once. Addresses are those set aside for documentation
 * (RFC 5737, RFC 3849) and private ones, names end in .example. Checksums, sequence numbers and
 * fragments are right; nothing in it belongs to anybody.
 *
 * The same options give the same octets on every machine: whole numbers only, one seeded generator,
 * no clock.
 */
#ifndef WEIR_DEMO_H
#define WEIR_DEMO_H

#include "packet/packet.h"

#define DEMO_HOSTS_MAX 200
#define DEMO_HOURS_MAX 8784
#define DEMO_LINK      1                                /* LINKTYPE_ETHERNET */
#define DEMO_START_NS  (INT64_C(1767571200) * NS_PER_S) /* Monday 2026-01-05T00:00:00Z */

struct demo_options {
    uint64_t seed;
    unsigned hosts; /* people's machines, 1 to DEMO_HOSTS_MAX; every fifth is a guest */
    unsigned hours; /* 1 to DEMO_HOURS_MAX */
    int64_t start_ns;
};

/*
 * Push the whole traffic in time order, the first packet at start_ns, the last at start_ns + hours.
 * The packets' memory is given back after each push. Returns 0, what the sink returned, or
 * WEIR_EMEMORY. Memory: what is under way at one moment, some MB.
 */
int demo_generate(const struct demo_options *options, struct packet_sink *sink, struct err *e);

#endif
