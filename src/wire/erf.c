/*
 * ERF, the extensible record format of DAG cards (EDM11-01).
 *
 *   record  time 8 (little-endian, 2^-32 s) | type 1 | flags 1 | record length 2 | loss or colour 2
 * | length on the wire 2 | extension headers of 8 while the top bit of the type, then of the header
 * before, is set | header of the type (Ethernet 2, multi-channel 4, AAL2 4) | octets | padding
 *
 * There is no file header and no magic number, so a file is ERF when its first records follow one
 * another sensibly. Records without a packet (padding, provenance, counters) are stepped over.
 */
#include "wire/wire.h"

#define RECORD_OCTETS    16
#define EXTENSION_OCTETS 8
#define EXTENSIONS_MAX   16
#define LINK_UNKNOWN     UINT16_MAX
#define INTERFACES       4 /* two bits of the flags */
#define FLAG_MORE        0x80

enum erf_kind { ERF_NONE, ERF_PACKET, ERF_NO_PACKET, ERF_HDLC };

struct erf_type {
    enum erf_kind kind;
    uint8_t header; /* octets before those of the packet */
    uint16_t link;
    bool has_atm_header; /* four octets of ATM header in front of what `link` begins with */
};

static const struct erf_type types[] = {
    [1] = { ERF_HDLC, 0, 104, false },             /* HDLC or PPP over SONET */
    [2] = { ERF_PACKET, 2, 1, false },             /* Ethernet */
    [3] = { ERF_PACKET, 0, LINK_UNKNOWN, false },  /* ATM cell */
    [4] = { ERF_PACKET, 0, 100, true },            /* AAL5 */
    [5] = { ERF_HDLC, 4, 104, false },             /* multi-channel HDLC */
    [6] = { ERF_PACKET, 4, LINK_UNKNOWN, false },  /* multi-channel raw */
    [7] = { ERF_PACKET, 4, LINK_UNKNOWN, false },  /* multi-channel ATM cell */
    [8] = { ERF_PACKET, 4, LINK_UNKNOWN, false },  /* multi-channel raw link */
    [9] = { ERF_PACKET, 4, 100, true },            /* multi-channel AAL5 */
    [10] = { ERF_HDLC, 0, 104, false },            /* coloured HDLC */
    [11] = { ERF_PACKET, 2, 1, false },            /* coloured Ethernet */
    [12] = { ERF_PACKET, 4, LINK_UNKNOWN, false }, /* multi-channel AAL2 */
    [13] = { ERF_NO_PACKET, 0, 0, false },         /* IP counter */
    [14] = { ERF_NO_PACKET, 0, 0, false },         /* TCP flow counter */
    [15] = { ERF_HDLC, 0, 104, false },            /* HDLC classified by the card */
    [16] = { ERF_PACKET, 2, 1, false },            /* Ethernet classified by the card */
    [17] = { ERF_HDLC, 4, 104, false },            /* coloured multi-channel HDLC */
    [18] = { ERF_PACKET, 4, LINK_UNKNOWN, false }, /* AAL2 */
    [19] = { ERF_HDLC, 0, 104, false },            /* HDLC with hash */
    [20] = { ERF_PACKET, 2, 1, false },            /* Ethernet with hash */
    [21] = { ERF_PACKET, 0, 247, false },          /* InfiniBand */
    [22] = { ERF_PACKET, 0, 228, false },          /* IPv4 */
    [23] = { ERF_PACKET, 0, 229, false },          /* IPv6 */
    [24] = { ERF_PACKET, 0, LINK_UNKNOWN, false }, /* raw link */
    [25] = { ERF_PACKET, 0, LINK_UNKNOWN, false }, /* InfiniBand link */
    [27] = { ERF_NO_PACKET, 0, 0, false },         /* provenance: what the card says about itself */
    [28] = { ERF_PACKET, 0, LINK_UNKNOWN, false }, /* Omni-Path */
    [29] = { ERF_PACKET, 0, LINK_UNKNOWN, false }, /* Omni-Path, 9 octets */
    [48] = { ERF_NO_PACKET, 0, 0, false },         /* padding */
};
#define TYPES (sizeof types / sizeof *types)

struct erf_state {
    /* Number + 1 of each card port and link type seen; a port usually has one type. */
    uint32_t number[INTERFACES][TYPES];
};

static const struct erf_type *erf_type_of(const uint8_t *at)
{
    unsigned type = at[8] & 0x7f;
    return type < TYPES && types[type].kind != ERF_NONE ? &types[type] : NULL;
}

static bool erf_probe(struct bytes head)
{
    size_t at = 0;
    uint64_t before = 0;
    bool is_any = false;
    while (head.size - at >= RECORD_OCTETS) {
        const uint8_t *record = head.data + at;
        const struct erf_type *type = erf_type_of(record);
        uint64_t time = load_le64(record);
        size_t size = load_be16(record + 10);
        if (type == NULL || size < RECORD_OCTETS || time >> 32 == 0)
            return false;
        /* Several ports may be a little out of step, years are not. */
        uint64_t step = time > before ? time - before : before - time;
        if (is_any && step >> 32 > 86400 * UINT64_C(365))
            return false;
        /* What is captured beyond the length on the wire is padding to 8 octets, and the headers.
         */
        if (type->kind != ERF_NO_PACKET && load_be16(record + 14) == 0)
            return false;
        before = time;
        is_any = true;
        if (head.size - at <= size)
            return head.size - at == size || head.size == TRACE_HEAD_MAX;
        at += size;
    }
    return is_any && (head.size == at || head.size == TRACE_HEAD_MAX);
}

/* 2^-32 s to ns, to the nearest. */
static int64_t erf_time(uint64_t time)
{
    uint64_t ns = ((time & UINT32_MAX) * UINT64_C(1000000000) + (UINT64_C(1) << 31)) >> 32;
    return (int64_t)(time >> 32) * NS_PER_S + (int64_t)ns;
}

static uint32_t erf_interface(struct erf_state *s, const uint8_t *at, uint16_t link,
                              struct trace_info *info)
{
    uint32_t *number = &s->number[at[9] & 3][at[8] & 0x7f];
    if (*number == 0) {
        info->interface[info->interface_count] =
            (struct trace_interface){ .link = link, .resolution = INT64_C(1) << 32 };
        *number = ++info->interface_count;
    }
    return *number - 1;
}

/* The record, whole, at the start of `record`: a packet goes to *packet (1), or there is none (0).
 */
static int erf_record(struct erf_state *s, struct bytes record, struct packet *packet,
                      struct trace_info *info, struct err *e)
{
    const uint8_t *at = record.data;
    const struct erf_type *type = erf_type_of(at);
    if (type == NULL) {
        info->records_bad++;
        return err_set(e, WEIR_EINPUT, "damaged: a record of the unknown type %u", at[8] & 0x7f);
    }
    if (type->kind == ERF_NO_PACKET)
        return 0;
    size_t skip = RECORD_OCTETS;
    bool is_more = at[8] & FLAG_MORE;
    for (unsigned i = 0; is_more && i < EXTENSIONS_MAX && record.size - skip >= EXTENSION_OCTETS;
         i++) {
        is_more = at[skip] & FLAG_MORE;
        skip += EXTENSION_OCTETS;
    }
    if (is_more || record.size - skip < type->header) {
        info->records_bad++;
        return err_set(e, WEIR_EINPUT,
                       "damaged: a record of %zu octets is too short for its headers", record.size);
    }
    skip += type->header;
    uint32_t wirelen = load_be16(at + 14), caplen = (uint32_t)(record.size - skip);
    if (caplen > wirelen)
        caplen = wirelen;
    uint32_t atm = type->has_atm_header && caplen >= 4 ? 4 : 0;
    const uint8_t *data = at + skip + atm;
    uint16_t link = type->link;
    if (type->kind == ERF_HDLC && caplen >= 2 && data[0] == 0xff && data[1] == 0x03)
        link = 9; /* the address and control octets of PPP */
    *packet = (struct packet){
        .data = data,
        .caplen = caplen - atm,
        .wirelen = wirelen - atm,
        .time_ns = erf_time(load_le64(at)),
        .link = link,
        .interface = erf_interface(s, at, link, info),
    };
    return 1;
}

static int erf_parse(void *state, struct bytes window, bool is_end, struct packet_batch *batch,
                     struct trace_info *info, size_t *used, size_t *wanted, struct err *e)
{
    struct erf_state *s = state;
    *used = 0;
    while (batch->count < BATCH_MAX) {
        struct bytes rest = { window.data + *used, window.size - *used };
        *wanted = RECORD_OCTETS;
        if (rest.size >= RECORD_OCTETS) {
            *wanted = load_be16(rest.data + 10);
            if (*wanted < RECORD_OCTETS) {
                info->records_bad++;
                return err_set(e, WEIR_EINPUT,
                               "damaged: a record of %zu octets, at least %d are needed", *wanted,
                               RECORD_OCTETS);
            }
        }
        if (rest.size < *wanted) {
            if (!is_end || rest.size == 0)
                return 0;
            info->records_cut++;
            return err_set(e, WEIR_EINPUT,
                           "cut short: %zu of the %zu octets of the last record are there",
                           rest.size, *wanted);
        }
        int code =
            erf_record(s, (struct bytes){ rest.data, *wanted }, &batch->pkt[batch->count], info, e);
        if (code < 0)
            return code;
        batch->count += (unsigned)code;
        *used += *wanted;
    }
    return 0;
}

const struct trace_format erf_trace = {
    .name = "erf",
    .help = "extensible record format of DAG cards",
    .state_size = sizeof(struct erf_state),
    .probe = erf_probe,
    .parse = erf_parse,
};
