/*
 * pcap, the format of libpcap, in all its variants; draft-ietf-opsawg-pcap.
 *
 *   file    magic 4 | major 2 | minor 2 | zone 4 | sigfigs 4 | snaplen 4 | link 4 | (Ixia: size 4)
 *   record  seconds 4 | fraction 4 | captured length 4 | length 4 | (more, by variant) | octets
 *
 * Byte order is that of the writer. Some systems shipped a libpcap whose records are longer without
 * another magic number; those are told apart by looking which record length leads from record to
 * record.
 */
#include <assert.h>

#include "wire/wire.h"

#define FILE_OCTETS 24
#define WIRELEN_SANE                                                                               \
    (UINT32_C(64) << 20) /* nothing longer is sent in one packet: a sign that this is no record */
#define RECORDS_TRIED 3
#define DENSE_OCTETS ((size_t)768) /* mean size of records up to which every line is fetched */
#define DENSE_AHEAD ((size_t)8192)

enum pcap_lengths {
    LENGTHS_NORMAL,   /* captured length first */
    LENGTHS_SWAPPED,  /* before version 2.3 and in DG/UX's 543.0 */
    LENGTHS_SMALLEST, /* version 2.3 was written both ways: the captured length is the smaller one
                       */
};

struct pcap_variant {
    const char *name;
    uint32_t magic;
    uint16_t file_octets, record_octets; /* of the headers */
    uint32_t units;                      /* of the fraction per second */
};

/* Those with equal magic follow one another, the likelier first. */
static const struct pcap_variant variants[] = {
    { "pcap", 0xa1b2c3d4, FILE_OCTETS, 16, 1000000 },
    { "rh6_1pcap", 0xa1b2c3d4, FILE_OCTETS, 24, 1000000 }, /* Red Hat 6.1 */
    { "nokiapcap", 0xa1b2c3d4, FILE_OCTETS, 20, 1000000 },
    { "nsecpcap", 0xa1b23c4d, FILE_OCTETS, 16, 1000000000 },
    { "modpcap", 0xa1b2cd34, FILE_OCTETS, 24, 1000000 },         /* the Linux patch of 1999-10-29 */
    { "suse6_3pcap", 0xa1b2cd34, FILE_OCTETS, 28, 1000000 },     /* SuSE 6.3 */
    { "nsecpcap", 0x1c0001ac, FILE_OCTETS + 4, 16, 1000000000 }, /* Ixia's hardware capture */
    { "pcap", 0x1c0001ab, FILE_OCTETS + 4, 16, 1000000 },        /* Ixia's software capture */
};
#define VARIANTS (sizeof variants / sizeof *variants)

/* Standard magic, version 2.2, numbers of RFC 1573 for the link type; the fraction counts
 * nanoseconds. */
static const struct pcap_variant aix = { "aixpcap", 0xa1b2c3d4, FILE_OCTETS, 16, 1000000000 };
static const struct {
    uint16_t number, link;
} aix_links[] = { { 6, 1 }, { 9, 6 }, { 15, 10 }, { 24, 0 } };

struct pcap_state {
    const struct pcap_variant *variant; /* NULL until the file header was read */
    bool is_big_endian;
    enum pcap_lengths lengths;
    uint16_t link;
    uint32_t fraction_ns;
    unsigned dense_lines; /* cache lines per record of the last batch if they were small, else 0: see prefetch_ahead */
};

static inline uint32_t load32(const uint8_t *at, bool is_big_endian)
{
    return is_big_endian ? load_be32(at) : load_le32(at);
}

static bool pcap_probe(struct bytes head)
{
    for (size_t i = 0; i < VARIANTS && head.size >= 4; i++)
        if (load_le32(head.data) == variants[i].magic || load_be32(head.data) == variants[i].magic)
            return true;
    return false;
}

static enum pcap_lengths pcap_lengths_of(const uint8_t *header, bool is_big_endian)
{
    uint32_t major = is_big_endian ? load_be16(header + 4) : load_le16(header + 4);
    uint32_t minor = is_big_endian ? load_be16(header + 6) : load_le16(header + 6);
    if (major == 543 || (major == 2 && minor < 3))
        return LENGTHS_SWAPPED;
    return major == 2 && minor == 3 ? LENGTHS_SMALLEST : LENGTHS_NORMAL;
}

static void swap_lengths(enum pcap_lengths lengths, uint32_t *caplen, uint32_t *wirelen)
{
    if (lengths == LENGTHS_SWAPPED || (lengths == LENGTHS_SMALLEST && *caplen > *wirelen)) {
        uint32_t kept = *caplen;
        *caplen = *wirelen;
        *wirelen = kept;
    }
}

/* How little does the header at `at` look like one of a record? 0 = it may be one, 100 = it is
 * none. */
static unsigned pcap_doubt(const uint8_t *at, const struct pcap_variant *v, bool is_big_endian,
                           uint32_t snaplen)
{
    uint32_t fraction = load32(at + 4, is_big_endian);
    uint32_t caplen = load32(at + 8, is_big_endian), wirelen = load32(at + 12, is_big_endian);
    if (caplen > PACKET_OCTETS_MAX || wirelen > WIRELEN_SANE)
        return 100;
    unsigned doubts = fraction >= v->units;
    doubts += caplen > wirelen;
    doubts += snaplen > 0 && caplen > snaplen;
    /* The long headers go on with the number of an interface, an EtherType and a kind of packet
     * from 0 to 4. */
    if (v->record_octets >= 24)
        doubts += load32(at + 16, is_big_endian) > 10000 || at[22] > 4;
    return doubts;
}

/*
 * Follow the first records as `v` has them. Returns the doubts there are, -1 if the window must
 * grow to *wanted first. Octets left over at the end are a doubt about the rare variants; the
 * common one is rather cut.
 */
static int pcap_try(struct bytes window, bool is_end, const struct pcap_variant *v,
                    bool is_big_endian, uint32_t snaplen, size_t *wanted)
{
    unsigned doubts = 0;
    size_t at = v->file_octets;
    bool is_rare = v->record_octets > 16;
    for (unsigned i = 0; i < RECORDS_TRIED && doubts < 100; i++) {
        size_t left = window.size - at;
        if (left < v->record_octets) {
            *wanted = at + v->record_octets;
            return is_end ? (int)doubts + (left > 0 && is_rare) : -1;
        }
        doubts += pcap_doubt(window.data + at, v, is_big_endian, snaplen);
        uint32_t caplen = load32(window.data + at + 8, is_big_endian);
        if (doubts < 100 && left - v->record_octets < caplen) {
            *wanted = at + v->record_octets + caplen;
            return is_end ? (int)doubts + is_rare : -1;
        }
        at += v->record_octets + caplen;
    }
    return (int)doubts;
}

/* Which of the variants with this magic is it? NULL: the window must grow to *wanted first. */
static const struct pcap_variant *pcap_variant_find(struct bytes window, bool is_end,
                                                    uint32_t magic, bool is_big_endian,
                                                    size_t *wanted)
{
    const struct pcap_variant *best = NULL;
    int least = 0;
    uint32_t snaplen = load32(window.data + 16, is_big_endian);
    for (size_t i = 0; i < VARIANTS; i++) {
        const struct pcap_variant *v = &variants[i];
        if (v->magic != magic)
            continue;
        if (window.size < v->file_octets) {
            *wanted = v->file_octets;
            return is_end ? v : NULL;
        }
        /* The variants without magic were all written as version 2.4. */
        bool is_only = i + 1 == VARIANTS || variants[i + 1].magic != magic;
        bool is_sure = best == NULL &&
                       (is_only || pcap_lengths_of(window.data, is_big_endian) != LENGTHS_NORMAL);
        int doubts = is_sure ? 0 : pcap_try(window, is_end, v, is_big_endian, snaplen, wanted);
        if (doubts < 0)
            return NULL;
        if (best == NULL || doubts < least)
            best = v, least = doubts;
        if (doubts == 0)
            break;
    }
    return best;
}

/* Version and link type; the other fields of the file header say nothing that is used. */
static int pcap_begin(struct pcap_state *s, struct bytes window, const struct pcap_variant *v,
                      bool is_big_endian, struct trace_info *info, struct err *e)
{
    const uint8_t *at = window.data;
    uint16_t major = is_big_endian ? load_be16(at + 4) : load_le16(at + 4);
    uint16_t minor = is_big_endian ? load_be16(at + 6) : load_le16(at + 6);
    uint32_t snaplen = load32(at + 16, is_big_endian);
    uint32_t link = load32(
        at + 20, is_big_endian); /* the upper half tells of check sums at the end of frames */
    if (major < 2)
        return err_set(e, WEIR_EINPUT, "pcap version %u.%u is not supported, 2.0 to 2.4 are", major,
                       minor);
    for (size_t i = 0; i < sizeof aix_links / sizeof *aix_links; i++)
        if (v->magic == aix.magic && major == 2 && minor == 2 && link == aix_links[i].number) {
            v = &aix;
            link = aix_links[i].link;
            break;
        }
    s->lengths = pcap_lengths_of(at, is_big_endian);
    s->variant = v;
    s->is_big_endian = is_big_endian;
    s->link = (uint16_t)link;
    s->fraction_ns = 1000000000 / v->units;
    info->format = v->name;
    info->interface_count = 1;
    info->interface[0] =
        (struct trace_interface){ .link = s->link, .snaplen = snaplen, .resolution = v->units };
    return 0;
}

/*
 * What to fetch while a record is read. Where records are small on average every line is wanted: so many per record, DENSE_AHEAD octets
 * ahead. Else headers lie far apart: the two lines where the eighth record from here is, should the next ones be like this one. Without
 * the second line decode waits for it: 100 against 68 ns per packet, metered, at 1514 octets; without the dense way 85 against 73 at 64
 * to 1514 octets.
 */
static inline void prefetch_ahead(const uint8_t *at, size_t size, const uint8_t *dense, unsigned lines)
{
    if (lines == 0) {
        __builtin_prefetch(at + 8 * size);
        __builtin_prefetch(at + 8 * size + CACHE_LINE);
    }
    for (unsigned i = 0; i < lines; i++)
        __builtin_prefetch(dense + i * CACHE_LINE, 0, 2);
}

/* One reader per record layout, so that the compiler makes the common one small. Stops before a
 * record that is not whole or not sound. */
static inline size_t pcap_records(struct pcap_state *s, struct bytes window,
                                  struct packet_batch *batch, size_t record_octets,
                                  bool is_big_endian, enum pcap_lengths lengths)
{
    const uint8_t *at = window.data, *end = window.data + window.size;
    const uint64_t fraction_ns = s->fraction_ns;
    const uint16_t link = s->link;
    unsigned first = batch->count, count = first;
    const unsigned lines = s->dense_lines; /* the same for all records of a batch, which can be predicted */
    const uint8_t *dense = at + DENSE_AHEAD;
    while (count < BATCH_MAX && (size_t)(end - at) >= record_octets) {
        uint32_t seconds = load32(at, is_big_endian), fraction = load32(at + 4, is_big_endian);
        uint32_t caplen = load32(at + 8, is_big_endian), wirelen = load32(at + 12, is_big_endian);
        swap_lengths(lengths, &caplen, &wirelen);
        if (caplen > PACKET_OCTETS_MAX || (size_t)(end - at) - record_octets < caplen)
            break;
        prefetch_ahead(at, record_octets + caplen, dense, lines);
        dense += lines * CACHE_LINE;
        batch->pkt[count++] = (struct packet){
            .data = at + record_octets,
            .caplen = caplen,
            .wirelen = wirelen,
            .time_ns = (int64_t)(seconds * (uint64_t)NS_PER_S + fraction * fraction_ns),
            .link = link,
        };
        at += record_octets + caplen;
    }
    batch->count = count;
    size_t mean = count > first ? (size_t)(at - window.data) / (count - first) : 0;
    s->dense_lines = mean < DENSE_OCTETS ? (unsigned)((mean + CACHE_LINE - 1) / CACHE_LINE) : 0;
    return (size_t)(at - window.data);
}

/* Why did pcap_records stop with room in the batch? */
static int pcap_explain(const struct pcap_state *s, struct bytes rest, bool is_end,
                        struct trace_info *info, size_t *wanted, struct err *e)
{
    size_t record_octets = s->variant->record_octets;
    *wanted = record_octets;
    if (rest.size >= record_octets) {
        uint32_t caplen = load32(rest.data + 8, s->is_big_endian),
                 wirelen = load32(rest.data + 12, s->is_big_endian);
        swap_lengths(s->lengths, &caplen, &wirelen);
        if (caplen > PACKET_OCTETS_MAX) {
            info->records_bad++;
            return err_set(e, WEIR_EINPUT,
                           "damaged: a packet of %u captured octets is longer than %u", caplen,
                           PACKET_OCTETS_MAX);
        }
        *wanted += caplen;
    }
    if (!is_end || rest.size == 0)
        return 0;
    info->records_cut++;
    return err_set(e, WEIR_EINPUT,
                   "cut short: %zu of the %zu octets of the last packet record are there",
                   rest.size, *wanted);
}

static int pcap_parse(void *state, struct bytes window, bool is_end, struct packet_batch *batch,
                      struct trace_info *info, size_t *used, size_t *wanted, struct err *e)
{
    struct pcap_state *s = state;
    *used = 0;
    if (s->variant == NULL) {
        *wanted = FILE_OCTETS;
        if (window.size < FILE_OCTETS)
            return is_end ? err_set(e, WEIR_EINPUT, "cut short within the file header") : 0;
        bool is_big_endian = false;
        for (size_t i = 0; i < VARIANTS; i++)
            is_big_endian = is_big_endian || load_be32(window.data) == variants[i].magic;
        const struct pcap_variant *v = pcap_variant_find(
            window, is_end, load32(window.data, is_big_endian), is_big_endian, wanted);
        if (v == NULL)
            return 0;
        if (window.size < v->file_octets)
            return err_set(e, WEIR_EINPUT, "cut short within the file header");
        int code = pcap_begin(s, window, v, is_big_endian, info, e);
        if (code < 0)
            return code;
        *used = v->file_octets;
    }
    struct bytes records = { window.data + *used, window.size - *used };
    size_t record_octets = s->variant->record_octets;
    assert(record_octets >= 16);
    if (!s->is_big_endian && record_octets == 16 && s->lengths == LENGTHS_NORMAL)
        *used += pcap_records(s, records, batch, 16, false, LENGTHS_NORMAL);
    else
        *used += pcap_records(s, records, batch, record_octets, s->is_big_endian, s->lengths);
    if (batch->count == BATCH_MAX)
        return 0;
    return pcap_explain(s, (struct bytes){ window.data + *used, window.size - *used }, is_end, info,
                        wanted, e);
}

const struct trace_format pcap_trace = {
    .name = "pcap",
    .help = "libpcap's format and its variants",
    .state_size = sizeof(struct pcap_state),
    .probe = pcap_probe,
    .parse = pcap_parse,
};
