/*
 * wire: export protocols and file formats as pure functions over octets: no files, clocks or threads, so they are fuzzed as they are.
 *
 * A capture-file format ("trace format") is one file ending in one `const struct trace_format`, one word in meson.build.
 */
#ifndef WEIR_WIRE_H
#define WEIR_WIRE_H

#include "packet/packet.h"

#define TRACE_INTERFACES_MAX 1024
#define TRACE_HEAD_MAX 64 /* octets that `probe` may want to see */

struct trace_interface {
    uint16_t link;    /* LINKTYPE_* */
    uint32_t snaplen; /* 0 = none */
    int64_t resolution; /* time units per second; 0 if it is a power of two that does not fit */
    char name[64];    /* if_name, "" if unknown */
};

/* What a capture file says about itself. Texts are cut to fit and may hold any octets but NUL. */
struct trace_info {
    const char *format;    /* "pcap", "pcap (nanoseconds)", "pcapng", "erf", "snoop", ... */
    const char *compression; /* "", "gzip", ... outermost first */
    unsigned interface_count;
    struct trace_interface interface[TRACE_INTERFACES_MAX]; /* over all sections */
    uint64_t packets, octets, octets_captured; /* read so far */
    char hardware[256], os[256], application[256], comment[1024]; /* pcapng section options; "" if absent */
};

struct trace_format {
    const char *name, *help;
    size_t state_size; /* zeroed before the first parse */
    /* Is this the start of such a file? `head` holds TRACE_HEAD_MAX octets or the whole file. */
    bool (*probe)(struct bytes head);
    /*
     * Read records from the start of `window` into `batch` after batch->count, up to BATCH_MAX. `is_end`: nothing follows the window.
     * *used = octets done with (the caller presents the rest again with more behind it; packets view into the window).
     * *wanted = when nothing could be used, the window size that is needed to go on.
     * Returns 0, or WEIR_EINPUT for damage: *used is then its offset in the window, the packets before it are in the batch.
     */
    int (*parse)(void *state, struct bytes window, bool is_end, struct packet_batch *batch, struct trace_info *info, size_t *used,
                 size_t *wanted, struct err *e);
    void (*fini)(void *state); /* NULL if there is nothing to free */
};

/* All formats, in the order they are probed. NULL-terminated. */
extern const struct trace_format *const trace_formats[];
const struct trace_format *trace_format_probe(struct bytes head); /* NULL if unknown */

/* ---- writing pcap (nanoseconds, magic a1b23c4d, this machine's byte order never: always little-endian) ---- */
#define PCAP_HEADER_SIZE 24
#define PCAP_RECORD_SIZE 16
void pcap_put_header(uint8_t to[PCAP_HEADER_SIZE], uint16_t link, uint32_t snaplen);
void pcap_put_record(uint8_t to[PCAP_RECORD_SIZE], const struct packet *packet);

#endif
