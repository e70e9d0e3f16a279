/*
 * icmp: which ICMP and ICMPv6 types are question and answer of each other. Inside the module.
 */
#ifndef WEIR_FLOW_ICMP_H
#define WEIR_FLOW_ICMP_H

#include <stdint.h>

#define ICMP_ONE_WAY 0xff /* the type has no answer */

/* Type that answers `type`, or that it answers; `proto` is 1 or 58. */
unsigned icmp_counter(uint8_t proto, unsigned type);

#endif
