/* Hash of flow keys, see packet.h. */
#include "packet/packet.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

const char *const tunnel_names[TUNNEL_KINDS] = {
    [TUNNEL_NONE] = "",         [TUNNEL_GRE] = "gre",         [TUNNEL_IPIP] = "ipip",
    [TUNNEL_6IN4] = "6in4",     [TUNNEL_4IN6] = "4in6",       [TUNNEL_VXLAN] = "vxlan",
    [TUNNEL_GENEVE] = "geneve", [TUNNEL_GTPU] = "gtpu",       [TUNNEL_ERSPAN] = "erspan",
    [TUNNEL_TEREDO] = "teredo", [TUNNEL_ETHERIP] = "etherip",
};

int hash_secret_new(struct hash_secret *secret, struct err *e)
{
    if (getrandom(secret->word, sizeof secret->word, 0) != (ssize_t)sizeof secret->word)
        return err_set(e, WEIR_ESYSTEM, "hash: no random octets from the kernel: %s",
                       strerror(errno));
    /* An even factor would lose bits in the multiplications below. */
    for (unsigned i = 0; i < 8; i++)
        secret->word[i] |= 1;
    return 0;
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t word_at(const void *from, unsigned index)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)from + 8 * index, sizeof word);
    return word;
}

/* The ports are the first four octets of their word. */
#define PORTS_SHIFT (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 32)

/* Eight octets as a number that orders as the octets do. */
static inline uint64_t ordered(uint64_t word)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(word) : word;
}

/* Empty the fields that are no part of the key. */
static void mask_keys(struct packet_batch *batch, unsigned first, unsigned count,
                      const struct flow_key *mask)
{
    for (unsigned i = first; i < first + count; i++) {
        uint64_t w[6];
        for (unsigned k = 0; k < 6; k++)
            w[k] = word_at(&batch->layer[i].key, k) & word_at(mask, k);
        memcpy(&batch->layer[i].key, w, sizeof w);
    }
}

/*
 * Words 0 and 1 of a key are the source address, 2 and 3 the destination, 4 ports, protocol,
 * version and VLAN, 5 interface and tunnel. Which endpoint is smaller changes from packet to
 * packet, so it is computed and not branched on.
 */
static inline void hash_one(struct layers *l, bool is_biflow, const uint64_t *s)
{
    const struct flow_key *key = &l->key;
    uint64_t a0 = word_at(key, 0), a1 = word_at(key, 1), b0 = word_at(key, 2), b1 = word_at(key, 3),
             rest = word_at(key, 4);
    unsigned __int128 a = (unsigned __int128)ordered(a0) << 64 | ordered(a1);
    unsigned __int128 b = (unsigned __int128)ordered(b0) << 64 | ordered(b1);
    bool is_reversed = is_biflow & ((a > b) | ((a == b) & (key->port[0] > key->port[1])));
    uint64_t change = 0 - (uint64_t)is_reversed, low = (a0 ^ b0) & change,
             high = (a1 ^ b1) & change;
    uint64_t ports =
        (uint64_t)((uint32_t)(key->port[0] ^ key->port[1]) * 0x10001u) << PORTS_SHIFT & change;
    uint64_t h = fold(a0 ^ low ^ s[0], b0 ^ low ^ s[1]) ^ fold(a1 ^ high ^ s[2], b1 ^ high ^ s[3]);
    h = fold(h ^ s[4], rest ^ ports ^ s[5]);
    l->hash = fold(h ^ s[6], word_at(key, 5) ^ s[7]);
    l->is_reversed = is_reversed;
}

void packet_hash_batch(struct packet_batch *batch, unsigned first, unsigned count,
                       const struct flow_key *mask, bool is_biflow,
                       const struct hash_secret *secret)
{
    struct hash_secret s = *secret;
    struct flow_key all;
    assert(first + count <= BATCH_MAX);
    memset(&all, 0xff, sizeof all);
    if (memcmp(mask, &all, sizeof all) != 0)
        mask_keys(batch, first, count, mask);
    for (unsigned i = first; i < first + count; i++)
        hash_one(&batch->layer[i], is_biflow, s.word);
}
