/*
 * flow: metering process, packets to flow records (RFC 5470, RFC 7011, biflows RFC 5103).
 *
 * Results depend on the packets of each flow and on packet time only, never on batch borders, clocks or how many workers share the work.
 */
#ifndef WEIR_FLOW_H
#define WEIR_FLOW_H

#include "ledger/ledger.h"
#include "packet/packet.h"
#include "schema/schema.h"

enum length_kind { LENGTH_FRAME, LENGTH_LINK, LENGTH_IP, LENGTH_PAYLOAD }; /* spec/tools.md 6.1 */
enum flow_end { FLOW_END_IDLE = 1, FLOW_END_ACTIVE = 2, FLOW_END_DETECTED = 3, FLOW_END_FORCED = 4, FLOW_END_RESOURCES = 5 }; /* IE 136 */

struct flow_options {
    struct flow_key mask;   /* all ones in the fields that are key; see flow_key_parse */
    int64_t idle_ns;        /* a packet later than this after the record's last one starts a new record; INT64_MAX = never */
    int64_t active_ns;      /* a packet later than this after the record's first one starts a new record; INT64_MAX = never */
    int64_t linger_ns;      /* after the end of a TCP connection was seen; 0 = the record ends with that packet */
    bool is_biflow;
    bool is_client_server;  /* direction by SYN, then by ports; else by the first packet */
    bool ends_at_fin;       /* TCP end detection */
    bool single_packets;    /* nfpcapd preset: DNS and ICMP packets are records of their own */
    bool attributes_fragments; /* later IP fragments get the ports of their first one */
    enum length_kind length;
    uint64_t memory_octets; /* hard bound of table, index and fragment memory */
};

/* "native", "crl", "nfpcapd", ... spec/tools.md 6.4; false if unknown. */
bool flow_preset(const char *name, struct flow_options *options);
/* "srcip,dstip" or "+vlan,+if": key fields to a mask. */
int flow_key_parse(const char *text, struct flow_key *mask, struct err *e);

/* Community ID v1 with seed 0 as text ("1:..."), empty when undefined. */
void community_id(const struct address *src, const struct address *dst, uint8_t proto, uint16_t sport, uint16_t dport, struct text *out);

#endif
