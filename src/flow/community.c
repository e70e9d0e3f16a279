/*
 * Community ID v1, https://github.com/corelight/community-id-spec: "1:" + base64(SHA-1(seed |
 * endpoints, smaller first | protocol)). SHA-1 comes from OpenSSL's libcrypto; a build without it
 * leaves the column empty.
 */
#include <string.h>

#include "flow/flow.h"
#include "flow/icmp.h"

#ifdef WEIR_HAS_LIBCRYPTO
#include <openssl/sha.h>

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
        is_one_way = counter == ICMP_ONE_WAY;
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
