/* Capture-file formats over files built octet by octet: what is read, in one piece, in drops, cut
 * and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/wire.h"

/* ---- building files ---- */

struct built {
    uint8_t octet[2048];
    size_t size;
    bool is_big_endian;
};

static void put(struct built *b, const void *from, size_t size)
{
    assert_true(size <= sizeof b->octet - b->size);
    memcpy(b->octet + b->size, from, size);
    b->size += size;
}

static void put_number(struct built *b, uint64_t value, unsigned octets)
{
    for (unsigned i = 0; i < octets; i++) {
        uint8_t octet = (uint8_t)(value >> 8 * (b->is_big_endian ? octets - 1 - i : i));
        put(b, &octet, 1);
    }
}

static void put16(struct built *b, unsigned value)
{
    put_number(b, value, 2);
}

static void put32(struct built *b, uint32_t value)
{
    put_number(b, value, 4);
}

/* Octets that differ from packet to packet. */
static void put_data(struct built *b, unsigned seed, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t octet = (uint8_t)(seed * 16 + i);
        put(b, &octet, 1);
    }
}

struct expected {
    int64_t time_ns;
    uint32_t caplen, wirelen, interface;
    uint16_t link, direction;
    uint8_t first; /* octet of the data */
};

struct fixture {
    const char *name;
    void (*build)(struct built *b, unsigned variant);
    unsigned variant;
    const char *format; /* as info says it afterwards */
    unsigned count;
    struct expected packet[4];
};

struct pcap_kind {
    uint32_t magic;
    bool is_big_endian;
    unsigned extra; /* octets between record header and data */
    unsigned major, minor, link;
    bool is_swapped; /* captured length second */
    unsigned file_extra;
};

static const struct pcap_kind pcap_kinds[] = {
    { 0xa1b2c3d4, false, 0, 2, 4, 1, false, 0 },  { 0xa1b2c3d4, true, 0, 2, 4, 1, false, 0 },
    { 0xa1b23c4d, false, 0, 2, 4, 1, false, 0 },  { 0xa1b23c4d, true, 0, 2, 4, 1, false, 0 },
    { 0xa1b2cd34, false, 8, 2, 4, 1, false, 0 },  { 0xa1b2cd34, true, 8, 2, 4, 1, false, 0 },
    { 0xa1b2cd34, false, 12, 2, 4, 1, false, 0 }, { 0xa1b2cd34, true, 12, 2, 4, 1, false, 0 },
    { 0xa1b2c3d4, false, 8, 2, 4, 1, false, 0 },  { 0xa1b2c3d4, true, 4, 2, 4, 1, false, 0 },
    { 0xa1b2c3d4, true, 0, 2, 2, 6, true, 0 },    { 0xa1b2c3d4, true, 0, 2, 1, 1, true, 0 },
    { 0xa1b2c3d4, true, 0, 2, 3, 1, true, 0 },    { 0xa1b2c3d4, true, 0, 543, 0, 1, true, 0 },
    { 0x1c0001ac, false, 0, 2, 4, 1, false, 4 },  { 0x1c0001ab, true, 0, 2, 4, 1, false, 4 },
};

static void build_pcap(struct built *b, unsigned variant)
{
    const struct pcap_kind *k = &pcap_kinds[variant];
    b->is_big_endian = k->is_big_endian;
    put32(b, k->magic);
    put16(b, k->major);
    put16(b, k->minor);
    put32(b, 0);
    put32(b, 0);
    put32(b, 65535);
    put32(b, k->link);
    put_data(b, 0, k->file_extra);
    for (unsigned i = 0; i < 3; i++) {
        uint32_t caplen = 20 + i, wirelen = 20 + 100 * i;
        put32(b, 1000 + i);
        put32(b, 7 + i);
        put32(b, k->is_swapped ? wirelen : caplen);
        put32(b, k->is_swapped ? caplen : wirelen);
        if (k->extra > 0) {
            put32(b, k->extra == 4 ? 0xffffffff : 3);
            if (k->extra > 4) {
                put16(b, 0x0800);
                put16(b, 0);
                put_data(b, 0, k->extra - 8);
            }
        }
        put_data(b, i + 1, caplen);
    }
}

#define PCAP_PACKETS(unit, link)                                                                   \
    3,                                                                                             \
    {                                                                                              \
        { 1000 * NS_PER_S + 7 * (unit), 20, 20, 0, link, 0, 0x10 },                                \
            { 1001 * NS_PER_S + 8 * (unit), 21, 120, 0, link, 0, 0x20 },                           \
            { 1002 * NS_PER_S + 9 * (unit), 22, 220, 0, link, 0, 0x30 },                           \
    }

static size_t block_begin(struct built *b, uint32_t type)
{
    put32(b, type);
    put32(b, 0);
    return b->size;
}

static void block_end(struct built *b, size_t body)
{
    while (b->size % 4 != 0)
        put(b, "", 1);
    uint32_t size = (uint32_t)(b->size - body + 12);
    put32(b, size);
    size_t end = b->size;
    b->size = body - 4;
    put32(b, size);
    b->size = end;
}

static void put_option(struct built *b, unsigned code, const void *value, unsigned size)
{
    put16(b, code);
    put16(b, size);
    put(b, value, size);
    while (b->size % 4 != 0)
        put(b, "", 1);
}

static void put_section(struct built *b, const char *application)
{
    size_t body = block_begin(b, 0x0a0d0d0a);
    put32(b, 0x1a2b3c4d);
    put16(b, 1);
    put16(b, 0);
    put_number(b, UINT64_MAX, 8);
    put_option(b, 2, "hardware", 8);
    put_option(b, 3, "system", 6);
    put_option(b, 4, application, (unsigned)strlen(application));
    put_option(b, 1, "a comment", 9);
    put_option(b, 0, "", 0);
    block_end(b, body);
}

static void put_interface(struct built *b, unsigned link, uint32_t snaplen, const char *name,
                          unsigned resolution, int64_t offset_s)
{
    uint8_t units = (uint8_t)resolution;
    size_t body = block_begin(b, 1);
    put16(b, link);
    put16(b, 0);
    put32(b, snaplen);
    put_option(b, 2, name, (unsigned)strlen(name));
    put_option(b, 9, &units, 1);
    put16(b, 14);
    put16(b, 8);
    put_number(b, (uint64_t)offset_s, 8);
    block_end(b, body);
}

static void put_packet(struct built *b, uint32_t interface, uint64_t units, unsigned seed,
                       uint32_t caplen, uint32_t wirelen, uint32_t flags)
{
    size_t body = block_begin(b, 6);
    put32(b, interface);
    put32(b, (uint32_t)(units >> 32));
    put32(b, (uint32_t)units);
    put32(b, caplen);
    put32(b, wirelen);
    put_data(b, seed, caplen);
    while (b->size % 4 != 0)
        put(b, "", 1);
    if (flags != 0) {
        put_option(b, 1, "note", 4);
        put16(b, 2);
        put16(b, 4);
        put32(b, flags);
    }
    block_end(b, body);
}

/* Two sections of different byte order and interfaces, all kinds of packet blocks, blocks to be
 * stepped over. */
static void build_pcapng(struct built *b, unsigned variant)
{
    b->is_big_endian = variant != 0;
    put_section(b, "first");
    put_interface(b, 1, 10, "eth0", 9, 5);
    put_interface(b, 101, 0, "tun0", 0x80 | 20, 0);
    size_t body = block_begin(b, 0xbad); /* custom */
    put32(b, 32473);
    put_data(b, 9, 7);
    block_end(b, body);
    put_packet(b, 1, UINT64_C(3) << 20 | UINT64_C(1) << 19, 1, 9, 90, 2);
    body = block_begin(b, 5); /* interface statistics */
    put_data(b, 9, 12);
    block_end(b, body);
    body = block_begin(b, 3); /* simple packet: as long as the first interface's snaplen allows */
    put32(b, 40);
    put_data(b, 2, 10);
    block_end(b, body);
    b->is_big_endian = variant != 1;
    put_section(b, "second");
    put_interface(b, 113, 0, "any", 6, 0);
    body = block_begin(b, 4); /* name resolution, empty */
    put32(b, 0);
    block_end(b, body);
    put_packet(b, 0, 2000001, 3, 5, 5, 0);
    body = block_begin(b, 2); /* old packet block */
    put16(b, 0);
    put16(b, 17);
    put32(b, 0);
    put32(b, 3000002);
    put32(b, 6);
    put32(b, 7);
    put_data(b, 4, 6);
    block_end(b, body);
}

#define PCAPNG_PACKETS                                                                             \
    4,                                                                                             \
    {                                                                                              \
        { 3 * NS_PER_S + NS_PER_S / 2, 9, 90, 1, 101, 2, 0x10 },                                   \
            { 3 * NS_PER_S + NS_PER_S / 2, 10, 40, 0, 1, 0, 0x20 },                                \
            { 2 * NS_PER_S + 1000, 5, 5, 2, 113, 0, 0x30 },                                        \
            { 3 * NS_PER_S + 2000, 6, 7, 2, 113, 0, 0x40 },                                        \
    }

static void build_snoop(struct built *b, unsigned variant)
{
    b->is_big_endian = true;
    put(b, "snoop\0\0\0", 8);
    put32(b, variant);
    put32(b, 4);
    for (unsigned i = 0; i < 3; i++) {
        uint32_t caplen = 20 + i, padded = (caplen + 3) & ~3u;
        put32(b, 20 + 100 * i);
        put32(b, caplen);
        put32(b, 24 + padded);
        put32(b, 0);
        put32(b, 1000 + i);
        put32(b, 7 + i);
        put_data(b, i + 1, padded);
    }
}

static void put_erf(struct built *b, uint64_t time, unsigned type, unsigned port,
                    unsigned extensions, unsigned header, unsigned seed, unsigned caplen,
                    unsigned wirelen)
{
    unsigned size = (16 + 8 * extensions + header + caplen + 7) & ~7u;
    b->is_big_endian = false;
    put_number(b, time, 8);
    b->is_big_endian = true;
    put_number(b, type | (extensions > 0 ? 0x80 : 0), 1);
    put_number(b, port, 1);
    put16(b, size);
    put16(b, 0);
    put16(b, wirelen);
    for (unsigned i = 1; i <= extensions; i++)
        put_number(b, (i < extensions ? UINT64_C(0x80) << 56 : 0) | 1, 8);
    put_data(b, 0, header);
    size_t end = b->size - 16 - 8 * (size_t)extensions - header + size;
    put_data(b, seed, caplen);
    put_data(b, 0, end - b->size);
}

static void build_erf(struct built *b, unsigned variant)
{
    (void)variant;
    put_erf(b, UINT64_C(1000) << 32 | 0x80000000, 2, 1, 0, 2, 1, 54, 60);
    put_erf(b, UINT64_C(1000) << 32 | 0x80000000, 27, 0, 0, 0, 0, 8, 8); /* provenance */
    put_erf(b, UINT64_C(1001) << 32 | 0xffffffff, 22, 0, 2, 0, 2, 24, 24);
    put_erf(b, UINT64_C(1002) << 32, 4, 1, 1, 0, 3, 32, 40);
}

#define PCAP(variant, name, unit)                                                                  \
    {                                                                                              \
        name " " #variant, build_pcap, variant, name, PCAP_PACKETS(unit, 1)                        \
    }

static const struct fixture fixtures[] = {
    PCAP(0, "pcap", 1000),
    PCAP(1, "pcap", 1000),
    PCAP(2, "nsecpcap", 1),
    PCAP(3, "nsecpcap", 1),
    PCAP(4, "modpcap", 1000),
    PCAP(5, "modpcap", 1000),
    PCAP(6, "suse6_3pcap", 1000),
    PCAP(7, "suse6_3pcap", 1000),
    PCAP(8, "rh6_1pcap", 1000),
    PCAP(9, "nokiapcap", 1000),
    PCAP(10, "aixpcap", 1),
    PCAP(11, "pcap", 1000),
    PCAP(12, "pcap", 1000),
    PCAP(13, "pcap", 1000),
    PCAP(14, "nsecpcap", 1),
    PCAP(15, "pcap", 1000),
    { "pcapng, little-endian first", build_pcapng, 0, "pcapng", PCAPNG_PACKETS },
    { "pcapng, big-endian first", build_pcapng, 1, "pcapng", PCAPNG_PACKETS },
    { "pcapng, both big-endian", build_pcapng, 2, "pcapng", PCAPNG_PACKETS },
    { "snoop 1", build_snoop, 1, "snoop", PCAP_PACKETS(1000, 1) },
    { "snoop 2", build_snoop, 2, "snoop", PCAP_PACKETS(1000, 1) },
    { "erf",
      build_erf,
      0,
      "erf",
      3,
      { { 1000 * NS_PER_S + NS_PER_S / 2, 54, 60, 0, 1, 0, 0x10 },
        { 1002 * NS_PER_S, 24, 24, 1, 228, 0, 0x20 }, /* 1001 + 1 - 2^-32 s, to the nearest ns */
        { 1002 * NS_PER_S, 28, 36, 2, 100, 0, 0x34 } } },
};
#define FIXTURES (sizeof fixtures / sizeof *fixtures)

/* ---- reading them ---- */

struct reading {
    struct packet_batch batch;
    struct trace_info info;
    uint8_t first[BATCH_MAX]; /* octet of each packet's data */
    const struct trace_format *format;
    int code;
    size_t damage; /* place of it */
    struct err error;
};

/*
 * Present the file as a capture does: at first `step` octets, then always what is wanted, or `step`
 * more. Windows are copies of exactly their size, so that reading beyond one is seen.
 */
static void read_file(struct reading *r, struct bytes file, size_t step)
{
    memset(&r->info, 0, sizeof r->info);
    r->batch.count = 0;
    r->code = 0;
    r->error.text[0] = '\0';
    r->format = trace_format_probe(
        (struct bytes){ file.data, file.size < TRACE_HEAD_MAX ? file.size : TRACE_HEAD_MAX });
    if (r->format == NULL)
        return;
    r->info.format = r->format->name;
    void *state = calloc(1, r->format->state_size);
    assert_non_null(state);
    size_t at = 0, wanted = 1, end = step < file.size ? step : file.size;
    for (bool is_done = false; !is_done;) {
        size_t size = end - at, used = 0;
        uint8_t *copy = malloc(size);
        assert_true(copy != NULL || size == 0);
        if (size > 0)
            memcpy(copy, file.data + at, size);
        unsigned before = r->batch.count;
        r->code = r->format->parse(state, (struct bytes){ copy, size }, end == file.size, &r->batch,
                                   &r->info, &used, &wanted, &r->error);
        assert_true(used <= size);
        for (unsigned i = before; i < r->batch.count; i++) {
            const struct packet *p = &r->batch.pkt[i];
            assert_true(p->data >= copy && p->caplen <= (size_t)(copy + size - p->data));
            r->first[i] = p->caplen > 0 ? p->data[0] : 0;
        }
        free(copy);
        at += used;
        is_done = r->code < 0 || (end == file.size && (at == end || used == 0)) ||
                  r->batch.count == BATCH_MAX;
        /* At least as much as is wanted, and something new in any case. */
        size_t next = at + wanted > end ? at + wanted : end + step;
        end = next < file.size ? next : file.size;
    }
    r->damage = at;
    if (r->format->fini != NULL)
        r->format->fini(state);
    free(state);
}

static void assert_packets(const struct reading *r, const struct fixture *f, unsigned count)
{
    assert_int_equal(r->batch.count, count);
    for (unsigned i = 0; i < count; i++) {
        const struct packet *p = &r->batch.pkt[i];
        const struct expected *x = &f->packet[i];
        assert_int_equal(p->time_ns, x->time_ns);
        assert_int_equal(p->caplen, x->caplen);
        assert_int_equal(p->wirelen, x->wirelen);
        assert_int_equal(p->interface, x->interface);
        assert_int_equal(p->link, x->link);
        assert_int_equal(p->direction, x->direction);
        assert_int_equal(r->first[i], x->first);
    }
}

static int make_reading(void **state)
{
    *state = malloc(sizeof(struct reading));
    return *state == NULL;
}

static int drop_reading(void **state)
{
    free(*state);
    return 0;
}

static void every_variant_gives_its_packets(void **state)
{
    struct reading *r = *state;
    for (size_t i = 0; i < FIXTURES; i++) {
        struct built b = { .size = 0 };
        fixtures[i].build(&b, fixtures[i].variant);
        read_file(r, (struct bytes){ b.octet, b.size }, b.size);
        if (r->code != 0 || r->batch.count != fixtures[i].count)
            print_error("%s: %s\n", fixtures[i].name, r->error.text);
        assert_int_equal(r->code, 0);
        assert_string_equal(r->info.format, fixtures[i].format);
        assert_packets(r, &fixtures[i], fixtures[i].count);
    }
}

static void a_file_in_drops_gives_the_same(void **state)
{
    struct reading *r = *state;
    for (size_t i = 0; i < FIXTURES; i++)
        for (size_t step = 1; step < 40; step += 3) {
            struct built b = { .size = 0 };
            fixtures[i].build(&b, fixtures[i].variant);
            read_file(r, (struct bytes){ b.octet, b.size }, step);
            assert_int_equal(r->code, 0);
            assert_packets(r, &fixtures[i], fixtures[i].count);
        }
}

static void every_shorter_file_gives_the_whole_records_before_the_cut(void **state)
{
    struct reading *r = *state;
    for (size_t i = 0; i < FIXTURES; i++) {
        struct built b = { .size = 0 };
        fixtures[i].build(&b, fixtures[i].variant);
        /* Cut within the second record the rare variants cannot be told apart. */
        static const char *const guessed = "rh6_1pcap nokiapcap suse6_3pcap modpcap";
        bool is_guessed =
            strstr(guessed, fixtures[i].format) != NULL && strcmp(fixtures[i].format, "pcap") != 0;
        for (size_t size = 0; size < b.size; size++) {
            read_file(r, (struct bytes){ b.octet, size }, size);
            if (r->format == NULL || is_guessed)
                continue;
            assert_true(r->batch.count <= fixtures[i].count);
            assert_packets(r, &fixtures[i], r->batch.count);
            assert_true(r->code == WEIR_EINPUT || r->damage == size);
        }
    }
}

static void no_damaged_octet_breaks_a_reader(void **state)
{
    struct reading *r = *state;
    static const uint8_t damages[] = { 0x01, 0x04, 0x80, 0xff };
    for (size_t i = 0; i < FIXTURES; i++) {
        struct built b = { .size = 0 };
        fixtures[i].build(&b, fixtures[i].variant);
        for (size_t at = 0; at < b.size; at++)
            for (size_t k = 0; k < sizeof damages; k++) {
                b.octet[at] ^= damages[k];
                read_file(r, (struct bytes){ b.octet, b.size }, 64);
                b.octet[at] ^= damages[k];
            }
    }
}

static void a_pcapng_section_tells_of_its_making(void **state)
{
    struct reading *r = *state;
    struct built b = { .size = 0 };
    build_pcapng(&b, 0);
    read_file(r, (struct bytes){ b.octet, b.size }, b.size);
    assert_string_equal(r->info.hardware, "hardware");
    assert_string_equal(r->info.os, "system");
    assert_string_equal(r->info.application, "first");
    assert_string_equal(r->info.comment, "a comment");
    assert_int_equal(r->info.interface_count, 3);
    assert_string_equal(r->info.interface[1].name, "tun0");
    assert_int_equal(r->info.interface[0].resolution, 1000000000);
    assert_int_equal(r->info.interface[1].resolution, 1 << 20);
    assert_int_equal(r->info.interface[0].snaplen, 10);
    assert_int_equal(r->info.packets_timeless, 1);
}

/* ---- damage ---- */

static void damage_is_named_with_its_place_and_counted(void **state)
{
    struct reading *r = *state;
    struct built b = { .size = 0 };

    build_pcap(&b, 0);
    size_t second = 24 + 16 + 20;
    b.octet[second + 10] = 0x10; /* captured length 0x100015 */
    read_file(r, (struct bytes){ b.octet, b.size }, b.size);
    assert_int_equal(r->code, WEIR_EINPUT);
    assert_int_equal(r->damage, second);
    assert_int_equal(r->batch.count, 1);
    assert_int_equal(r->info.records_bad, 1);
    assert_non_null(strstr(r->error.text, "1048597 captured octets"));

    b.size = 0;
    build_pcap(&b, 0);
    read_file(r, (struct bytes){ b.octet, b.size - 1 }, b.size);
    assert_int_equal(r->code, WEIR_EINPUT);
    assert_int_equal(r->info.records_cut, 1);
    assert_int_equal(r->batch.count, 2);
    assert_non_null(strstr(r->error.text, "37 of the 38 octets"));

    b = (struct built){ .size = 0 };
    put_section(&b, "x");
    put_interface(&b, 1, 0, "eth0", 6, 0);
    size_t place = b.size;
    put_packet(&b, 1, 0, 1, 4, 4, 0); /* of an interface that was not described */
    read_file(r, (struct bytes){ b.octet, b.size }, b.size);
    assert_int_equal(r->code, WEIR_EINPUT);
    assert_int_equal(r->damage, place);
    assert_int_equal(r->info.records_bad, 1);

    b.size = place;
    put_packet(&b, 0, 0, 1, 4, 4, 0);
    b.octet[place + 20]++; /* captured length beyond the block: 4 + 20 + 1 */
    b.octet[place + 20] = 200;
    read_file(r, (struct bytes){ b.octet, b.size }, b.size);
    assert_int_equal(r->code, WEIR_EINPUT);
    assert_int_equal(r->info.records_bad, 1);
}

static void a_time_that_does_not_fit_is_counted_and_the_rest_is_read(void **state)
{
    struct reading *r = *state;
    struct built b = { .size = 0 };
    put_section(&b, "x");
    put_interface(&b, 1, 0, "eth0", 0, 0); /* seconds */
    put_packet(&b, 0, UINT64_C(1) << 62, 1, 4, 4, 0);
    put_packet(&b, 0, 17, 2, 4, 4, 0);
    read_file(r, (struct bytes){ b.octet, b.size }, b.size);
    assert_int_equal(r->code, 0);
    assert_int_equal(r->info.records_untimed, 1);
    assert_int_equal(r->batch.count, 1);
    assert_int_equal(r->batch.pkt[0].time_ns, 17 * NS_PER_S);
}

static void captured_beyond_the_length_stays_as_the_file_has_it(void **state)
{
    struct reading *r = *state;
    struct built b = { .size = 0 };
    put_section(&b, "x");
    put_interface(&b, 1, 4, "eth0", 6, 0);
    put_packet(&b, 0, 0, 1, 8, 6, 0); /* longer than length and snaplen: both happen in the wild */
    put_packet(&b, 0, 0, 1, 0, 0, 0);
    read_file(r, (struct bytes){ b.octet, b.size }, b.size);
    assert_int_equal(r->code, 0);
    assert_int_equal(r->batch.count, 2);
    assert_int_equal(r->batch.pkt[0].caplen, 8);
    assert_int_equal(r->batch.pkt[0].wirelen, 6);
    assert_int_equal(r->batch.pkt[1].caplen, 0);
}

static void foreign_files_are_no_captures(void **state)
{
    (void)state;
    static const char *const foreign[] = { "",
                                           "a",
                                           "PAR1",
                                           "snoop",
                                           "\x0a\x0d\x0d\x0a\x1c\0\0\0\0\0\0\0",
                                           "#flow table\n1 2 3 4 5 6 7 8 9 10 11 12\n" };
    static const size_t sizes[] = { 0, 1, 4, 5, 12, 36 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_null(trace_format_probe((struct bytes){ (const uint8_t *)foreign[i], sizes[i] }));
}

/* ---- times ---- */

static void times_are_exact(void **state)
{
    (void)state;
    static const struct {
        uint64_t units;
        bool is_binary;
        unsigned units_log;
        int64_t offset_s;
        bool fits;
        int64_t ns;
    } cases[] = {
        { 1600000000123456, false, 6, 0, true, INT64_C(1600000000123456000) },
        { 1600000000123456789, false, 9, 0, true, INT64_C(1600000000123456789) },
        { 16000000001, false, 1, 0, true, INT64_C(1600000000100000000) },
        { 1600000000, false, 0, -1600000001, true, -NS_PER_S },
        { 5123456789999, false, 12, 0, true, 5123456789 },
        { UINT64_C(18446744073709551615), false, 19, 0, true, 1844674407 },
        { UINT64_C(18446744073709551615), false, 20, 0, true, 184467440 },
        { UINT64_C(18446744073709551615), false, 28, 0, true, 1 },
        { UINT64_C(18446744073709551615), false, 29, 0, true, 0 },
        { UINT64_C(18446744073709551615), false, 127, 3, true, 3 * NS_PER_S },
        { UINT64_C(1600000000) << 20 | 0xfffff, true, 20, 0, true, INT64_C(1600000000999999046) },
        { UINT64_C(1600000000) << 32 | 1, true, 32, 0, true, INT64_C(1600000000000000000) },
        { UINT64_C(1) << 63, true, 64, 0, true, 500000000 },
        { UINT64_C(1) << 63, true, 127, 0, true, 0 },
        { 4294967295, false, 0, 0, true, INT64_C(4294967295) * NS_PER_S },
        { UINT64_C(5000000000), false, 0, 0, false, 0 },
        { UINT64_C(18446744073709551615), false, 0, 0, false, 0 },
        { 0, false, 6, INT64_MIN, false, 0 },
        { 0, false, 6, INT64_MAX, false, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = -7;
        bool fits = trace_time(cases[i].units, cases[i].is_binary, cases[i].units_log,
                               cases[i].offset_s, &ns);
        assert_int_equal(fits, cases[i].fits);
        if (fits)
            assert_int_equal(ns, cases[i].ns);
    }
}

/* ---- writing ---- */

static void what_is_written_reads_back(void **state)
{
    struct reading *r = *state;
    uint8_t file[PCAP_HEADER_SIZE + 2 * (PCAP_RECORD_SIZE + 4)] = { 0 };
    struct packet packet = { .caplen = 4,
                             .wirelen = 1500,
                             .time_ns = INT64_C(1600000000123456789) };
    pcap_put_header(file, 101, 96);
    pcap_put_record(file + PCAP_HEADER_SIZE, &packet);
    packet.time_ns = -1;
    pcap_put_record(file + PCAP_HEADER_SIZE + PCAP_RECORD_SIZE + 4, &packet);
    read_file(r, (struct bytes){ file, sizeof file }, sizeof file);
    assert_int_equal(r->code, 0);
    assert_string_equal(r->info.format, "nsecpcap");
    assert_int_equal(r->info.interface[0].link, 101);
    assert_int_equal(r->info.interface[0].snaplen, 96);
    assert_int_equal(r->batch.count, 2);
    assert_int_equal(r->batch.pkt[0].time_ns, INT64_C(1600000000123456789));
    assert_int_equal(r->batch.pkt[0].wirelen, 1500);
    assert_int_equal(r->batch.pkt[1].time_ns, 0); /* the format knows no time before 1970 */
}

static void link_types_have_their_usual_names(void **state)
{
    (void)state;
    assert_string_equal(link_name(1), "ether");
    assert_string_equal(link_name(276), "linux-sll2");
    assert_null(link_name(65535));
    assert_null(link_name(5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_gives_its_packets),
        cmocka_unit_test(a_file_in_drops_gives_the_same),
        cmocka_unit_test(every_shorter_file_gives_the_whole_records_before_the_cut),
        cmocka_unit_test(no_damaged_octet_breaks_a_reader),
        cmocka_unit_test(a_pcapng_section_tells_of_its_making),
        cmocka_unit_test(damage_is_named_with_its_place_and_counted),
        cmocka_unit_test(a_time_that_does_not_fit_is_counted_and_the_rest_is_read),
        cmocka_unit_test(captured_beyond_the_length_stays_as_the_file_has_it),
        cmocka_unit_test(foreign_files_are_no_captures),
        cmocka_unit_test(times_are_exact),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(link_types_have_their_usual_names),
    };
    return cmocka_run_group_tests(tests, make_reading, drop_reading);
}
