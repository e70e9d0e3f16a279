/*
 * snoop, the format of Solaris; RFC 1761. All numbers are big-endian.
 *
 *   file    "snoop" 0 0 0 | version 4 | data link type 4
 *   record  length 4 | captured length 4 | record length 4 | drops 4 | seconds 4 | microseconds 4 |
 * octets | padding
 */
#include <string.h>

#include "wire/wire.h"

#define FILE_OCTETS   16
#define RECORD_OCTETS 24
#define LINK_UNKNOWN  UINT16_MAX

/* DLPI numbers of RFC 1761 section 4 and those that Solaris added, as LINKTYPE_*. */
static const struct {
    uint16_t number, link;
} links[] = {
    { 0, 1 },    /* IEEE 802.3 */
    { 2, 6 },    /* IEEE 802.5 token ring */
    { 4, 1 },    /* Ethernet */
    { 5, 104 },  /* HDLC */
    { 8, 10 },   /* FDDI */
    { 18, 123 }, /* ATM with SunATM's header */
};

struct snoop_state {
    bool is_open;
    uint16_t link;
};

static bool snoop_probe(struct bytes head)
{
    return head.size >= 8 && memcmp(head.data, "snoop\0\0\0", 8) == 0;
}

static int snoop_begin(struct snoop_state *s, struct bytes window, struct trace_info *info,
                       struct err *e)
{
    uint32_t version = load_be32(window.data + 8), number = load_be32(window.data + 12);
    if (version < 1 || version > 2)
        return err_set(e, WEIR_EINPUT, "snoop version %u is not supported, 1 and 2 are", version);
    s->is_open = true;
    s->link = LINK_UNKNOWN;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].number == number)
            s->link = links[i].link;
    info->interface_count = 1;
    info->interface[0] = (struct trace_interface){ .link = s->link, .resolution = 1000000 };
    return 0;
}

/* The record at the start of `rest`: 1 when it was put into *packet, 0 when *wanted octets are
 * needed for it. */
static int snoop_record(const struct snoop_state *s, struct bytes rest, struct packet *packet,
                        struct trace_info *info, size_t *wanted, struct err *e)
{
    *wanted = RECORD_OCTETS;
    if (rest.size < RECORD_OCTETS)
        return 0;
    const uint8_t *at = rest.data;
    uint32_t wirelen = load_be32(at), caplen = load_be32(at + 4), size = load_be32(at + 8);
    if (size < RECORD_OCTETS || size - RECORD_OCTETS < caplen || caplen > PACKET_OCTETS_MAX ||
        size > TRACE_RECORD_MAX) {
        info->records_bad++;
        return err_set(e, WEIR_EINPUT, "damaged: a record of %u octets with %u captured", size,
                       caplen);
    }
    *wanted = size;
    if (rest.size < size)
        return 0;
    *packet = (struct packet){
        .data = at + RECORD_OCTETS,
        .caplen = caplen,
        .wirelen = wirelen,
        .time_ns = load_be32(at + 16) * NS_PER_S + load_be32(at + 20) * INT64_C(1000),
        .link = s->link,
    };
    return 1;
}

static int snoop_parse(void *state, struct bytes window, bool is_end, struct packet_batch *batch,
                       struct trace_info *info, size_t *used, size_t *wanted, struct err *e)
{
    struct snoop_state *s = state;
    *used = 0;
    *wanted = FILE_OCTETS;
    if (!s->is_open) {
        if (window.size < FILE_OCTETS)
            return is_end ? err_set(e, WEIR_EINPUT, "cut short within the file header") : 0;
        int code = snoop_begin(s, window, info, e);
        if (code < 0)
            return code;
        *used = FILE_OCTETS;
    }
    while (batch->count < BATCH_MAX) {
        struct bytes rest = { window.data + *used, window.size - *used };
        int code = snoop_record(s, rest, &batch->pkt[batch->count], info, wanted, e);
        if (code < 0)
            return code;
        if (code == 0) {
            if (!is_end || rest.size == 0)
                return 0;
            info->records_cut++;
            return err_set(e, WEIR_EINPUT,
                           "cut short: %zu of the %zu octets of the last record are there",
                           rest.size, *wanted);
        }
        batch->count++;
        *used += *wanted;
    }
    return 0;
}

const struct trace_format snoop_trace = {
    .name = "snoop",
    .help = "Solaris snoop, RFC 1761",
    .state_size = sizeof(struct snoop_state),
    .probe = snoop_probe,
    .parse = snoop_parse,
};
