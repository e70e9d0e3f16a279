/*
 * flow: metering process, packets to flow records (RFC 5470, RFC 7011, biflows RFC 5103).
 *
 * Results depend on the packets of each flow and on packet time only, never on batch borders,
 * clocks or how many workers share the work. What a flow cannot know from its own packets - that
 * the stream has moved on while it was silent - comes from `struct flow_clock`, which is a function
 * of the stream alone.
 *
 * A record ends
 *   - when its next packet is seen more than idle_ns after its last one (exactly idle_ns later is
 * still the same record),
 *   - when a packet is more than active_ns later than its first one: that packet is in the next
 * record,
 *   - after its TCP connection was closed (RST, or FIN both ways; in a uniflow FIN): it then takes
 * what follows within linger_ns of its last packet, but for a SYN, which opens the next record,
 *   - when a counter of packets would not fit 32 bits (as by active_ns),
 *   - at the end of the input, or early for lack of memory.
 */
#ifndef WEIR_FLOW_H
#define WEIR_FLOW_H

#include "ledger/ledger.h"
#include "packet/packet.h"
#include "schema/schema.h"

#define FLOW_MEMORY_MIN (UINT64_C(1) << 20)
#define FLOW_MEMORY_MAX (UINT64_C(1) << 38)

enum length_kind { LENGTH_FRAME, LENGTH_LINK, LENGTH_IP, LENGTH_PAYLOAD }; /* spec/tools.md 6.1 */
enum flow_end {
    FLOW_END_IDLE = 1,
    FLOW_END_ACTIVE = 2,
    FLOW_END_DETECTED = 3,
    FLOW_END_FORCED = 4,
    FLOW_END_RESOURCES = 5
}; /* IE 136 */

struct flow_options {
    struct flow_key mask; /* all ones in the fields that are key; see flow_key_parse */
    int64_t idle_ns;      /* INT64_MAX = never */
    int64_t active_ns;    /* INT64_MAX = never */
    int64_t linger_ns; /* after the end of a TCP connection was seen; 0 = the record ends with that
                          packet */
    bool is_biflow;
    bool is_client_server;     /* direction by SYN, then by ports; else by the first packet */
    bool ends_at_fin;          /* TCP end detection; needs ports and protocol in the key */
    bool has_community_id;     /* records carry their Community ID: a SHA-1 for each */
    bool single_packets;       /* nfpcapd preset: DNS and ICMP packets are records of their own */
    bool attributes_fragments; /* later IP fragments get the ports of their first one */
    enum length_kind length;
    uint64_t memory_octets; /* hard bound of table and index, FLOW_MEMORY_MIN at least */
};

/* "native", "crl", "nfpcapd" (spec/tools.md 6.4); memory_octets stays as it was. False if unknown.
 */
bool flow_preset(const char *name, struct flow_options *options);
/* "srcip,dstip" or "+vlan,+if" (added to the five) to a mask. The names of dictionary columns do as
 * well. */
int flow_key_parse(const char *text, struct flow_key *mask, struct err *e);
/* "frame", "link", "ip", "payload"; -1 if unknown. */
int length_kind_parse(const char *text);

/* ---- time of the stream ---- */

/* A packet older than the stream's second by more than this turns the clock back (files out of
 * order, a clock that was set). */
#define FLOW_CLOCK_BACK_NS (60 * NS_PER_S)

/*
 * The second that the stream has reached: it goes forward before the packet that crosses it, so it
 * does not depend on batches. A late packet is seen at this second; all others are seen at their
 * own time.
 */
struct flow_clock {
    int64_t
        second_ns; /* full second, <= time of the newest packet since the clock was turned back */
    int64_t newest_ns; /* newest packet time of the whole stream */
    bool is_started;
};
/*
 * Set seen_ns[i] of packets [first, last) and move the clock; *is_plain when each is seen at its
 * own time. Returns the index of the first packet that was not handled: `last`, or that of a packet
 * that turns the clock back. Then: meter the packets before it, flow_table_expire() all at
 * second_ns, call flow_clock_turn(), go on.
 */
unsigned flow_clock_run(struct flow_clock *clock, const struct packet_batch *batch, unsigned first,
                        unsigned last, int64_t seen_ns[], bool *is_plain);
void flow_clock_turn(struct flow_clock *clock, const struct packet *packet);

/* ---- packets on their way into a table ---- */

/* Indexes of the packets of a batch that are to be metered, by IP version: mixed traffic is not
 * branched on. Order within a version is that of the batch; a flow has one version. */
struct flow_choice {
    unsigned ip4_count, ip6_count;
    uint16_t ip4[BATCH_MAX], ip6[BATCH_MAX];
};

/*
 * A packet's key as two words, endpoints in order: smaller first in a biflow, else source first.
 * What else only IPv6 has is compared in the packet's layers.
 */
struct flow_item {
    uint64_t front;  /* IPv4: both addresses; IPv6: second half of the first endpoint's address */
    uint64_t tail;   /* ports 16 + 16, protocol 8, version 8, VLAN 16 if it is key; never 0 */
    uint64_t hash;   /* of the whole key, with the secret */
    uint32_t record; /* the table's own */
    uint16_t at;     /* index in the batch */
    uint8_t side;    /* 1: sent by the second endpoint */
    uint8_t pad;
};
_Static_assert(sizeof(struct flow_item) == 32, "two items per cache line");

struct flow_items {
    unsigned ip4_count, ip6_count;
    struct flow_item item[BATCH_MAX]; /* IPv4 from the start upwards, IPv6 from the end downwards */
};
static inline struct flow_item *flow_item_at(struct flow_items *items, unsigned index, bool is_ip6)
{
    return &items->item[is_ip6 ? BATCH_MAX - 1 - index : index];
}
void flow_items_make(struct flow_items *items, const struct packet_batch *batch,
                     const struct flow_choice *choice, const struct flow_options *options,
                     const struct hash_secret *secret);

/* ---- table ---- */

struct flow_table;

struct flow_table_stats {
    uint64_t open, open_max; /* records in the table, now and at most */
    uint64_t capacity;       /* records that fit */
    uint64_t octets;         /* of memory used at most, records and index */
};

/*
 * Table of one worker. Memory is reserved at once but used only as records come. `out` gets sealed
 * batches of type flow (ownership passes); `ledger` is counted in: STAGE_meter, and STAGE_record
 * `in` for each record. Both stay the caller's.
 */
int flow_table_new(struct flow_table **table, const struct flow_options *options,
                   struct record_sink *out, struct ledger *ledger, struct err *e);
void flow_table_free(
    struct flow_table *table); /* open records are forgotten: flush first. NULL allowed */

/*
 * Count the packets of `items`, which view into `batch`, into their records.
 *
 *   seen_ns  per packet of the batch, from flow_clock_run; NULL when each is seen at its own time
 *
 * Returns 0, or the first failure of `out` or of memory for its batches, which lasts.
 */
int flow_table_update(struct flow_table *table, const struct packet_batch *batch,
                      const int64_t seen_ns[], struct flow_items *items);
/*
 * Write out records that ended before `second_ns` (of the clock), at most `budget`. What is left
 * over ends all the same with the same values when it is met again. Returns as flow_table_update.
 * Cost: O(records looked at), plus the slots of the wheel (256) at most.
 */
int flow_table_expire(struct flow_table *table, int64_t second_ns, unsigned budget);
/* Write out everything; records silent for longer than idle_ns before `newest_ns` ended by that,
 * the others are forced. */
int flow_table_flush(struct flow_table *table, int64_t newest_ns);
void flow_table_stats(const struct flow_table *table, struct flow_table_stats *stats);

/* ---- IP fragments ---- */

struct fragment_map;
/* Memory of first fragments, `octets` at most (64 each). */
int fragment_map_new(struct fragment_map **map, uint64_t octets, const struct hash_secret *secret,
                     struct err *e);
void fragment_map_free(struct fragment_map *map); /* NULL allowed */
/*
 * A packet with PACKET_FRAGMENT: a first fragment is remembered for FRAGMENT_AGE_NS of packet time,
 * a later one gets the ports of its first. Before the hash, so that they get to the same worker.
 * What could not be done is counted in `ledger`.
 */
#define FRAGMENT_AGE_NS (30 * NS_PER_S)
void fragment_map_attribute(struct fragment_map *map, const struct packet *packet,
                            struct layers *layers, struct ledger *ledger);

/*
 * Let question and answer of ICMP be directions of one biflow: the key of an echo request gets the
 * type of the reply as source port, so that the reply's key is the same with both ends swapped.
 * Records have sport 0 and dport type * 256 + code of their forward direction all the same.
 */
void flow_key_pair_icmp(struct flow_key *key);
static inline bool flow_is_icmp(uint8_t proto)
{
    return proto == 1 || proto == 58;
}

/* Community ID v1 with seed 0 as text ("1:..."), empty when undefined. */
void community_id(const struct address *src, const struct address *dst, uint8_t proto,
                  uint16_t sport, uint16_t dport, struct text *out);

#endif
