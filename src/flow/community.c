/*
 * Community ID v1, https://github.com/corelight/community-id-spec: "1:" + base64(SHA-1(seed |
 * endpoints, smaller first | protocol)). SHA-1 comes from OpenSSL's libcrypto; a build without it
 * leaves the column empty.
 */
#include <string.h>

#include "flow/flow.h"

#ifdef WEIR_HAS_LIBCRYPTO
#include <openssl/sha.h>

#define COUNTER_NONE 0xff

/* ICMP (v4 then v6) types that are questions and answers of each other stand in for ports. */
static const struct {
    uint8_t proto, type, counter;
} icmp_pairs[] = {
    { 1, 8, 0 },      { 1, 0, 8 },      { 1, 13, 14 },    { 1, 14, 13 },    { 1, 15, 16 },
    { 1, 16, 15 },    { 1, 10, 9 },     { 1, 9, 10 },     { 1, 17, 18 },    { 1, 18, 17 },
    { 58, 128, 129 }, { 58, 129, 128 }, { 58, 133, 134 }, { 58, 134, 133 }, { 58, 135, 136 },
    { 58, 136, 135 }, { 58, 130, 131 }, { 58, 131, 130 }, { 58, 144, 145 }, { 58, 145, 144 },
    { 58, 139, 140 }, { 58, 140, 139 },
};

static unsigned icmp_counter(uint8_t proto, unsigned type)
{
    for (size_t i = 0; i < sizeof icmp_pairs / sizeof *icmp_pairs; i++)
        if (icmp_pairs[i].proto == proto && icmp_pairs[i].type == type)
            return icmp_pairs[i].counter;
    return COUNTER_NONE;
}

static void put_base64(struct text *out, const uint8_t *from, size_t size)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)from[i] << 16 | (i + 1 < size ? (uint32_t)from[i + 1] << 8 : 0) |
                         (i + 2 < size ? from[i + 2] : 0);
        for (unsigned k = 0; k < 4; k++)
            text_char(out, i + k > size ? '=' : digit[group >> (18 - 6 * k) & 63]);
    }
}

static bool has_ports(uint8_t proto)
{
    return proto == 6 || proto == 17 || proto == 132; /* TCP, UDP, SCTP */
}

void community_id(const struct address *src, const struct address *dst, uint8_t proto,
                  uint16_t sport, uint16_t dport, struct text *out)
{
    if (src->version != dst->version || (src->version != 4 && src->version != 6))
        return;
    size_t size = src->version == 4 ? 4 : 16;
    bool is_one_way = false, is_icmp = proto == 1 || proto == 58;
    if (is_icmp) { /* our dport is type * 256 + code */
        unsigned type = dport >> 8, counter = icmp_counter(proto, type);
        is_one_way = counter == COUNTER_NONE;
        dport = (uint16_t)(is_one_way ? dport & 0xff : counter);
        sport = (uint16_t)type;
    }
    int order = memcmp(src->octet, dst->octet, size);
    bool is_swapped = !is_one_way && (order > 0 || (order == 0 && sport > dport));
    const struct address *a = is_swapped ? dst : src, *b = is_swapped ? src : dst;
    uint16_t a_port = is_swapped ? dport : sport, b_port = is_swapped ? sport : dport;

    uint8_t in[2 + 16 + 16 + 2 + 4] = { 0 }, *at = in + 2; /* the seed is 0 */
    memcpy(at, a->octet, size);
    memcpy(at + size, b->octet, size);
    at += 2 * size;
    *at++ = proto;
    *at++ = 0;
    if (is_icmp || has_ports(proto)) {
        *at++ = (uint8_t)(a_port >> 8);
        *at++ = (uint8_t)a_port;
        *at++ = (uint8_t)(b_port >> 8);
        *at++ = (uint8_t)b_port;
    }
    uint8_t digest[SHA_DIGEST_LENGTH];
    if (SHA1(in, (size_t)(at - in), digest) == NULL)
        return;
    text_add(out, "1:");
    put_base64(out, digest, sizeof digest);
}
#else
void community_id(const struct address *src, const struct address *dst, uint8_t proto,
                  uint16_t sport, uint16_t dport, struct text *out)
{
    (void)src, (void)dst, (void)proto, (void)sport, (void)dport, (void)out;
}
#endif
