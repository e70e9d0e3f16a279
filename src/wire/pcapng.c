/*
 * pcapng: blocks in sections, draft-ietf-opsawg-pcapng.
 *
 *   block    type 4 | total length 4 | body | total length 4      lengths are multiples of 4
 *   section  one section header block, then interface descriptions before the packets that name
 * them
 *
 * Each section has its own byte order and its own interfaces. Blocks that hold no packets are
 * stepped over, unknown ones too.
 */
#include <assert.h>
#include <string.h>

#include "wire/wire.h"

#define BLOCK_MIN        12
#define BYTE_ORDER_MAGIC 0x1a2b3c4d

enum block_type {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OLD = 2,
    BLOCK_PACKET_SIMPLE = 3,
    BLOCK_PACKET = 6,
    BLOCK_SECTION = 0x0a0d0d0a, /* reads the same in both byte orders */
};

enum option_code {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_PACKET_FLAGS = 2,
    OPTION_SECTION_HARDWARE = 2,
    OPTION_SECTION_OS = 3,
    OPTION_SECTION_APPLICATION = 4,
    OPTION_INTERFACE_NAME = 2,
    OPTION_INTERFACE_RESOLUTION = 9,
    OPTION_INTERFACE_OFFSET = 14,
};

struct ng_interface {
    int64_t offset_s;
    uint32_t snaplen, number; /* within the file */
    uint16_t link;
    uint8_t units_log;
    bool is_binary;
};

struct ng_state {
    bool is_open, is_big_endian;
    uint32_t interface_count; /* of this section */
    int64_t last_ns; /* time of simple packets, which have none: that of the packet before */
    struct ng_interface interface[TRACE_INTERFACES_MAX];
};

static inline uint16_t ng16(const struct ng_state *s, const uint8_t *at)
{
    return s->is_big_endian ? load_be16(at) : load_le16(at);
}

static inline uint32_t ng32(const struct ng_state *s, const uint8_t *at)
{
    return s->is_big_endian ? load_be32(at) : load_le32(at);
}

static bool pcapng_probe(struct bytes head)
{
    return head.size >= 12 && load_le32(head.data) == BLOCK_SECTION &&
           (load_le32(head.data + 8) == BYTE_ORDER_MAGIC ||
            load_be32(head.data + 8) == BYTE_ORDER_MAGIC);
}

/* The next option of *options, false at their end. A damaged one ends them. */
static bool ng_option(const struct ng_state *s, struct bytes *options, uint16_t *code,
                      struct bytes *value)
{
    if (options->size < 4)
        return false;
    *code = ng16(s, options->data);
    size_t size = ng16(s, options->data + 2), padded = (size + 3) & ~(size_t)3;
    if (*code == OPTION_END || size > options->size - 4)
        return false;
    *value = (struct bytes){ options->data + 4, size };
    if (padded > options->size - 4)
        padded = options->size - 4;
    options->data += 4 + padded;
    options->size -= 4 + padded;
    return true;
}

/* Keep a text of an option; what was there before stays. */
static void ng_keep(char *to, size_t room, struct bytes text)
{
    if (to[0] != '\0' || text.size == 0)
        return;
    size_t size = strnlen((const char *)text.data, text.size);
    if (size > room - 1)
        size = room - 1;
    memcpy(to, text.data, size);
    to[size] = '\0';
}

static int ng_section(struct ng_state *s, struct bytes body, struct trace_info *info, struct err *e)
{
    if (body.size < 16)
        return err_set(e, WEIR_EINPUT, "damaged: a section header of %zu octets", body.size);
    uint16_t major = ng16(s, body.data + 4), minor = ng16(s, body.data + 6);
    if (major != 1 || (minor != 0 && minor != 2))
        return err_set(e, WEIR_EINPUT, "pcapng version %u.%u is not supported, 1.0 and 1.2 are",
                       major, minor);
    s->is_open = true;
    s->interface_count = 0;
    info->format = "pcapng";
    struct bytes options = { body.data + 16, body.size - 16 }, value;
    uint16_t code;
    while (ng_option(s, &options, &code, &value)) {
        if (code == OPTION_COMMENT)
            ng_keep(info->comment, sizeof info->comment, value);
        else if (code == OPTION_SECTION_HARDWARE)
            ng_keep(info->hardware, sizeof info->hardware, value);
        else if (code == OPTION_SECTION_OS)
            ng_keep(info->os, sizeof info->os, value);
        else if (code == OPTION_SECTION_APPLICATION)
            ng_keep(info->application, sizeof info->application, value);
    }
    return 0;
}

/* Units per second, 0 if they do not fit. */
static int64_t ng_resolution(const struct ng_interface *n)
{
    if (n->is_binary)
        return n->units_log < 63 ? INT64_C(1) << n->units_log : 0;
    int64_t units = 1;
    for (unsigned i = 0; i < n->units_log; i++)
        if (__builtin_mul_overflow(units, 10, &units))
            return 0;
    return units;
}

static int ng_interface_block(struct ng_state *s, struct bytes body, struct trace_info *info,
                              struct err *e)
{
    if (body.size < 8)
        return err_set(e, WEIR_EINPUT, "damaged: an interface description of %zu octets",
                       body.size);
    if (s->interface_count == TRACE_INTERFACES_MAX)
        return err_set(e, WEIR_EINPUT, "more than %d interfaces in one section",
                       TRACE_INTERFACES_MAX);
    struct ng_interface *n = &s->interface[s->interface_count++];
    *n = (struct ng_interface){ .link = ng16(s, body.data),
                                .snaplen = ng32(s, body.data + 4),
                                .units_log = 6,
                                .number = info->interface_count++ };
    struct trace_interface known = { .link = n->link, .snaplen = n->snaplen };
    struct bytes options = { body.data + 8, body.size - 8 }, value;
    uint16_t code;
    while (ng_option(s, &options, &code, &value)) {
        if (code == OPTION_INTERFACE_NAME) {
            ng_keep(known.name, sizeof known.name, value);
        } else if (code == OPTION_INTERFACE_RESOLUTION && value.size >= 1) {
            n->is_binary = value.data[0] & 0x80;
            n->units_log = value.data[0] & 0x7f;
        } else if (code == OPTION_INTERFACE_OFFSET && value.size >= 8) {
            n->offset_s =
                (int64_t)(s->is_big_endian ? load_be64(value.data) : load_le64(value.data));
        }
    }
    known.resolution = ng_resolution(n);
    if (n->number < TRACE_INTERFACES_MAX)
        info->interface[n->number] = known;
    return 0;
}

/* Inbound or outbound, of the flags option of a packet. */
static uint16_t ng_direction(const struct ng_state *s, struct bytes options)
{
    uint16_t code;
    struct bytes value;
    while (ng_option(s, &options, &code, &value))
        if (code == OPTION_PACKET_FLAGS && value.size == 4) {
            uint32_t direction = ng32(s, value.data) & 3;
            return direction == 3 ? 0 : (uint16_t)direction;
        }
    return 0;
}

static int ng_bad(struct trace_info *info, struct err *e, const char *what, uint32_t number,
                  size_t limit)
{
    info->records_bad++;
    return err_set(e, WEIR_EINPUT, "damaged: %s %u, but %zu is the most", what, number, limit);
}

/* Enhanced packet and its predecessor, which had a drop counter beside a short interface number. */
static int ng_packet(struct ng_state *s, struct bytes body, bool is_old, struct packet_batch *batch,
                     struct trace_info *info, struct err *e)
{
    if (body.size < 20)
        return ng_bad(info, e, "a packet block shorter than 20 octets:", (uint32_t)body.size, 0);
    uint32_t interface = is_old ? ng16(s, body.data) : ng32(s, body.data);
    uint32_t caplen = ng32(s, body.data + 12), wirelen = ng32(s, body.data + 16);
    if (interface >= s->interface_count)
        return ng_bad(info, e, "a packet of interface", interface, s->interface_count);
    if (caplen > body.size - 20)
        return ng_bad(info, e, "captured length", caplen, body.size - 20);
    if (caplen > PACKET_OCTETS_MAX)
        return ng_bad(info, e, "captured length", caplen, PACKET_OCTETS_MAX);
    const struct ng_interface *n = &s->interface[interface];
    uint64_t units = (uint64_t)ng32(s, body.data + 4) << 32 | ng32(s, body.data + 8);
    struct packet *packet = &batch->pkt[batch->count];
    *packet = (struct packet){ .data = body.data + 20,
                               .caplen = caplen,
                               .wirelen = wirelen,
                               .interface = n->number,
                               .link = n->link };
    if (!trace_time(units, n->is_binary, n->units_log, n->offset_s, &packet->time_ns)) {
        info->records_untimed++;
        return 0;
    }
    size_t padded = (caplen + 3) & ~(size_t)3;
    if (body.size - 20 > padded)
        packet->direction =
            ng_direction(s, (struct bytes){ body.data + 20 + padded, body.size - 20 - padded });
    s->last_ns = packet->time_ns;
    batch->count++;
    return 0;
}

static int ng_simple(struct ng_state *s, struct bytes body, struct packet_batch *batch,
                     struct trace_info *info, struct err *e)
{
    if (s->interface_count == 0)
        return ng_bad(info, e, "a simple packet of interface", 0, 0);
    if (body.size < 4)
        return ng_bad(info, e, "a simple packet block shorter than 4 octets:", (uint32_t)body.size,
                      0);
    const struct ng_interface *n = &s->interface[0];
    uint32_t wirelen = ng32(s, body.data), caplen = wirelen;
    if (n->snaplen > 0 && caplen > n->snaplen)
        caplen = n->snaplen;
    if (caplen > body.size - 4)
        return ng_bad(info, e, "captured length", caplen, body.size - 4);
    if (caplen > PACKET_OCTETS_MAX)
        return ng_bad(info, e, "captured length", caplen, PACKET_OCTETS_MAX);
    info->packets_timeless++;
    batch->pkt[batch->count++] = (struct packet){ .data = body.data + 4,
                                                  .caplen = caplen,
                                                  .wirelen = wirelen,
                                                  .interface = n->number,
                                                  .link = n->link,
                                                  .time_ns = s->last_ns };
    return 0;
}

static bool is_packet_type(uint32_t type)
{
    return type == BLOCK_PACKET || type == BLOCK_PACKET_OLD || type == BLOCK_PACKET_SIMPLE;
}

static int ng_block(struct ng_state *s, uint32_t type, struct bytes body,
                    struct packet_batch *batch, struct trace_info *info, struct err *e)
{
    switch (type) {
    case BLOCK_SECTION:
        return ng_section(s, body, info, e);
    case BLOCK_INTERFACE:
        return ng_interface_block(s, body, info, e);
    case BLOCK_PACKET:
    case BLOCK_PACKET_OLD:
        return ng_packet(s, body, type == BLOCK_PACKET_OLD, batch, info, e);
    case BLOCK_PACKET_SIMPLE:
        return ng_simple(s, body, batch, info, e);
    default:
        return 0;
    }
}

/* Type and length of the block at the start of `rest`: 1 when the whole block is there, 0 when
 * *wanted octets are needed for it. */
static int ng_block_head(struct ng_state *s, struct bytes rest, uint32_t *type, uint32_t *size,
                         size_t *wanted, struct err *e)
{
    *wanted = BLOCK_MIN;
    *type = 0;
    if (rest.size < BLOCK_MIN) {
        if (s->is_open && rest.size >= 4)
            *type = ng32(s, rest.data);
        return 0;
    }
    *type = ng32(s, rest.data);
    if (*type == BLOCK_SECTION || !s->is_open) {
        if (!pcapng_probe(rest))
            return err_set(e, WEIR_EINPUT, "damaged: a section without byte-order magic");
        s->is_big_endian = load_be32(rest.data + 8) == BYTE_ORDER_MAGIC;
    }
    *size = ng32(s, rest.data + 4);
    if (*size < BLOCK_MIN || *size > TRACE_RECORD_MAX)
        return err_set(e, WEIR_EINPUT, "damaged: a block of %u octets, %u to %u are possible",
                       *size, BLOCK_MIN, TRACE_RECORD_MAX);
    *size = (*size + 3) & ~UINT32_C(3); /* some writers count without the padding */
    *wanted = *size;
    return rest.size >= *size;
}

static int pcapng_parse(void *state, struct bytes window, bool is_end, struct packet_batch *batch,
                        struct trace_info *info, size_t *used, size_t *wanted, struct err *e)
{
    struct ng_state *s = state;
    *used = 0;
    while (batch->count < BATCH_MAX) {
        struct bytes rest = { window.data + *used, window.size - *used };
        uint32_t type, size = 0;
        int code = ng_block_head(s, rest, &type, &size, wanted, e);
        if (code < 0)
            return code;
        if (code == 0) {
            if (!is_end || rest.size == 0)
                return 0;
            info->records_cut += is_packet_type(type);
            return err_set(e, WEIR_EINPUT,
                           "cut short: %zu of the %zu octets of the last block are there",
                           rest.size, *wanted);
        }
        __builtin_prefetch(rest.data + 4 * (size_t)size);
        uint32_t again = ng32(s, rest.data + size - 4);
        if (((again + 3) & ~UINT32_C(3)) != size) {
            info->records_bad += is_packet_type(type);
            return err_set(e, WEIR_EINPUT, "damaged: a block of %u octets ends with length %u",
                           size, again);
        }
        code = ng_block(s, type, (struct bytes){ rest.data + 8, size - BLOCK_MIN }, batch, info, e);
        if (code < 0)
            return code;
        *used += size;
    }
    return 0;
}

const struct trace_format pcapng_trace = {
    .name = "pcapng",
    .help = "pcap next generation",
    .state_size = sizeof(struct ng_state),
    .probe = pcapng_probe,
    .parse = pcapng_parse,
};
