/* For the tests of decode: packets from hexadecimal text, and what was read from them as one line.
 */
#ifndef WEIR_TEST_DECODE_TEXT_H
#define WEIR_TEST_DECODE_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "decode/decode.h"
#include "schema/schema.h"

/* Pieces of packets: 192.0.2.1 to 192.0.2.2, 2001:db8::1 to 2001:db8::2. Blanks are for the eye. */
#define MACS                 "020000000002 020000000001 "
#define ETH(type)            MACS type " "
#define IPV4_FROM_TO         "c0000201 c0000202 "
#define IPV4(len, proto)     "4500 " len " 0007 0000 40" proto " 0000 " IPV4_FROM_TO
#define IPV6_FROM_TO         "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define IPV6(len, next)      "60000000 " len " " next "40 " IPV6_FROM_TO
#define TCP                  "04d2 0050 00000001 00000000 5012 1000 0000 0000 "
#define UDP(len)             "04d2 0035 " len " 0000 "
#define PORTS(src, dst, len) src " " dst " " len " 0000 "

/* Octets of hexadecimal text in a buffer of exactly that size. */
static inline struct bytes hex_new(const char *hex)
{
    size_t size = 0;
    uint8_t *data = malloc(strlen(hex) / 2 + 1);
    for (const char *at = hex; *at != 0;) {
        char digits[3] = { 0 };
        unsigned n = 0;
        while (*at != 0 && n < 2) {
            if (*at != ' ')
                digits[n++] = *at;
            at++;
        }
        if (n == 2)
            data[size++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return (struct bytes){ .data = realloc(data, size + (size == 0)), .size = size };
}

/* What is not 0, not none and not absent, as words. */
static inline void layers_text(const struct layers *l, struct text *out)
{
    text_format(out, "%s", l->verdict == REASON_none ? "ok" : ledger_reasons[l->verdict].name);
    if (l->key.version != 0) {
        for (unsigned side = 0; side < 2; side++) {
            struct address a = l->key.version == 4 ? address_of_ip4(l->key.address[side])
                                                   : address_of_ip6(l->key.address[side]);
            text_add(out, side == 0 ? " " : " > ");
            address_print(out, &a);
            if (l->flags & PACKET_PORTS)
                text_format(out, "#%u", l->key.port[side]);
        }
        text_format(out, " proto %u l3 %u ip %u payload %u", l->key.proto, l->l3, l->ip_octets,
                    l->payload_octets);
    }
    if (l->l4 != 0xffff)
        text_format(out, " l4 %u", l->l4);
    if (l->payload != 0xffff)
        text_format(out, " at %u", l->payload);
    if (l->tcp_flags != 0)
        text_format(out, " flags %x", l->tcp_flags);
    if (l->flags & PACKET_FRAGMENT)
        text_format(out, " fragment %u of %u%s", l->fragment_offset, l->fragment_id,
                    l->flags & PACKET_LATER_FRAGMENT ? " later" : "");
    if (l->vlan_count != 0)
        text_format(out, " vlan %u of %u", l->vlan - 1u, l->vlan_count);
    if (l->mpls_count != 0)
        text_format(out, " mpls %u", l->mpls_count);
    if (l->tunnel != 0)
        text_format(out, " tunnel %s%s", tunnel_names[l->tunnel], l->key.tunnel ? " entered" : "");
}

struct packet_case {
    const char *name;
    uint16_t link;
    const char *hex, *text;
};

/* `size` of the octets, in memory that ends with them. */
static inline void decode_some(const struct packet_case *c, struct bytes all, size_t size,
                               bool enters, struct layers *l)
{
    uint8_t *data = malloc(size + (size == 0));
    memcpy(data, all.data, size);
    struct packet p = {
        .data = data, .caplen = (uint32_t)size, .wirelen = (uint32_t)all.size, .link = c->link
    };
    decode_packet(&p, &(struct decode_options){ .enter_tunnels = enters }, l);
    free(data);
}

static inline bool is_dropped(const struct layers *l)
{
    return l->verdict != REASON_none && ledger_reasons[l->verdict].kind != KIND_noted;
}

static inline void check_case(const struct packet_case *c, bool enters)
{
    struct bytes all = hex_new(c->hex);
    struct layers whole, part;
    decode_some(c, all, all.size, enters, &whole);
    struct text got = { 0 };
    layers_text(&whole, &got);
    if (strcmp(got.data, c->text) != 0)
        print_error("%s:\n  want %s\n  got  %s\n", c->name, c->text, got.data);
    assert_string_equal(got.data, c->text);
    text_fini(&got);
    for (size_t size = 0; size < all.size; size++) {
        decode_some(c, all, size, enters, &part);
        assert_true(is_dropped(&part) == (part.key.version == 0));
        /* A snapped capture never changes a length that is still known. */
        if (part.key.version != 0 && part.l3 == whole.l3 && part.verdict != REASON_short_extension)
            assert_int_equal(part.ip_octets, whole.ip_octets);
        assert_int_equal(part.link_octets, whole.link_octets);
    }
    free((void *)(uintptr_t)all.data);
}

#endif
