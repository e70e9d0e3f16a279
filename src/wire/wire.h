/*
 * wire: export protocols and file formats as pure functions over octets: no files, clocks or threads, so they are fuzzed as they are.
 *
 * A capture-file format ("trace format") is one file ending in one `const struct trace_format`, one word in meson.build.
 */
#ifndef WEIR_WIRE_H
#define WEIR_WIRE_H

#include "packet/packet.h"
#include "schema/schema.h"

#define TRACE_INTERFACES_MAX 1024
#define TRACE_HEAD_MAX 4096 /* octets that `probe` may want to see */
#define TRACE_RECORD_MAX (UINT32_C(16) << 20) /* longest record or block of a capture file, also as wiretap has it */

struct trace_interface {
    uint16_t link;    /* LINKTYPE_* */
    uint32_t snaplen; /* 0 = none */
    int64_t resolution; /* time units per second; 0 if it is a power of two that does not fit */
    char name[64];    /* if_name, "" if unknown */
};

/* What a capture file says about itself. Texts are cut to fit and may hold any octets but NUL. */
struct trace_info {
    const char *format;   /* "pcap", "nsecpcap", "pcapng", "erf", "snoop", ... as wiretap calls them */
    char compression[64]; /* "", "gzip", "gzip, zstd": outermost first */
    /* Records announced that gave no packet: cut by the end of the file, contradicting itself, or with a time that 64 bits of ns cannot
     * hold. Counted by the format. */
    uint64_t records_cut, records_bad, records_untimed;
    /* What was read so far, counted by the capture: octets on the wire and captured, packets with fewer captured, smallest and largest
     * time (with packets > 0). */
    uint64_t packets, octets, octets_captured, packets_snapped;
    uint64_t packets_timeless; /* without a time of their own (simple packets), counted by the format */
    int64_t time_min, time_max;
    bool is_unordered; /* some packet is older than one before it */
    char hardware[256], os[256], application[256], comment[4096]; /* pcapng section options; "" if absent */
    unsigned interface_count; /* over all sections; those behind TRACE_INTERFACES_MAX are not described */
    struct trace_interface interface[TRACE_INTERFACES_MAX];
};

struct trace_format {
    const char *name, *help;
    size_t state_size; /* zeroed before the first parse */
    /* Is this the start of such a file? `head` holds TRACE_HEAD_MAX octets or the whole file. */
    bool (*probe)(struct bytes head);
    /*
     * Read records from the start of `window` into `batch` after batch->count, up to BATCH_MAX. `is_end`: nothing follows the window.
     * Packet.interface is the number within info->interface.
     * *used = octets done with (the caller presents the rest again with more behind it; packets view into the window).
     * *wanted = when the batch is not full, the window size from *used on that is needed to go on, at most TRACE_RECORD_MAX and a bit.
     * Returns 0, or WEIR_EINPUT for damage: *used is then its offset in the window, the packets before it are in the batch. Nothing is
     * damaged and all of the window is used: 0, also at the end.
     */
    int (*parse)(void *state, struct bytes window, bool is_end, struct packet_batch *batch, struct trace_info *info, size_t *used,
                 size_t *wanted, struct err *e);
    void (*fini)(void *state); /* NULL if there is nothing to free */
};

/* Times of packets lie within +-TRACE_TIME_MAX ns, so that sums with timeouts fit: the years 1823 to 2116. */
#define TRACE_TIME_MAX (INT64_C(1) << 62)

/* Units of `units_log`: 10^-units_log s, or 2^-units_log s if is_binary, `offset_s` added. False if the time cannot be held. */
bool trace_time(uint64_t units, bool is_binary, unsigned units_log, int64_t offset_s, int64_t *time_ns);

/* All formats, in the order they are probed. NULL-terminated. */
extern const struct trace_format *const trace_formats[];
const struct trace_format *trace_format_probe(struct bytes head); /* NULL if unknown */

/* "ether" for 1, ...; NULL if the number has no name here. */
const char *link_name(uint16_t link);

/* ---- writing pcap (nanoseconds, magic a1b23c4d, this machine's byte order never: always little-endian) ---- */
#define PCAP_HEADER_SIZE 24
#define PCAP_RECORD_SIZE 16
void pcap_put_header(uint8_t to[PCAP_HEADER_SIZE], uint16_t link, uint32_t snaplen);
void pcap_put_record(uint8_t to[PCAP_RECORD_SIZE], const struct packet *packet);

/* ---- IPFIX, RFC 7011 ---- */
#define IPFIX_TEMPLATE_IP4 256
#define IPFIX_TEMPLATE_IP6 257

/* Octets of a value in a data record; 65535 = variable length (section 7). */
uint16_t ipfix_field_size(enum value_type type, unsigned ip_version);
/* Template record (section 3.4.1) of the dictionary fields of `type` with the elements for one IP
 * version. Octets written, 0 without room for the longest form. */
size_t ipfix_put_template(uint8_t *to, size_t room, uint16_t id, const struct record_type *type,
                          unsigned ip_version);
/* A whole message (section 3.1) with the templates for IPv4 and, if it has addresses, for IPv6;
 * export time, sequence number and observation domain are 0. Octets written, 0 without room. */
size_t ipfix_put_templates(uint8_t *to, size_t room, const struct record_type *type);

#endif
