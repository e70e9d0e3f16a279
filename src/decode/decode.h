/*
 * decode: octets of headers to offsets, keys and verdicts. Pure: no I/O, no clock, no state between
 * packets.
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
 * metered. Never reads beyond caplen. */
void decode_batch(struct packet_batch *batch, const struct decode_options *options);
/* The plain way for one packet: reference for the fast passes, and what the fuzzer calls. */
void decode_packet(const struct packet *packet, const struct decode_options *options,
                   struct layers *layers);
/* Name of a link type ("ethernet", "raw", ...) and whether decode knows it; NULL if not. */
const char *decode_link_name(uint16_t link);

#endif
