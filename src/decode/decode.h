/*
 * decode: octets of headers to offsets, keys and verdicts. Pure: no I/O, no clock, no state between
 * packets.
 *
 * Whatever a packet says, the work on it is bounded by the numbers below and by 128 headers in all;
 * headers are looked for in its first 64 KiB. Tunnels are always named; by default the outermost IP
 * packet is the key, with `enter_tunnels` the innermost one that is whole. A packet that was cut by
 * the capture has the same lengths as the whole one as long as the header they stand in is there.
 * Parts: one file per link or protocol family, listed in meson.build; see walk.h.
 */
#ifndef WEIR_DECODE_H
#define WEIR_DECODE_H

#include "ledger/ledger.h"
#include "packet/packet.h"

#define DECODE_TUNNELS_MAX    8  /* nesting entered with enter_tunnels */
#define DECODE_EXTENSIONS_MAX 16 /* IPv6 extension headers in one packet */
#define DECODE_TAGS_MAX       16 /* VLAN tags or MPLS labels in one packet */

struct decode_options {
    bool enter_tunnels; /* --tunnel: the key is that of the innermost packet */
};

/* Fill batch->layer[0..count). Every packet gets a verdict; packets with key.version 0 cannot be
 * metered, and only they have a verdict that is not "noted". Never reads beyond caplen. */
void decode_batch(struct packet_batch *batch, const struct decode_options *options);
/* The plain way for one packet: reference for the fast passes, and what the fuzzer calls. */
void decode_packet(const struct packet *packet, const struct decode_options *options,
                   struct layers *layers);
/* Name of a link type ("ethernet", "raw", ...) and whether decode knows it; NULL if not. */
const char *decode_link_name(uint16_t link);

#endif
