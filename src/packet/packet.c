/* Hash of flow keys, see packet.h. */
#include "packet/packet.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

const char *const tunnel_names[TUNNEL_KINDS] = {
    [TUNNEL_NONE] = "",          [TUNNEL_GRE] = "gre",       [TUNNEL_IPIP] = "ipip", [TUNNEL_6IN4] = "6in4", [TUNNEL_4IN6] = "4in6",
    [TUNNEL_VXLAN] = "vxlan",    [TUNNEL_GENEVE] = "geneve", [TUNNEL_GTPU] = "gtpu", [TUNNEL_ERSPAN] = "erspan",
    [TUNNEL_TEREDO] = "teredo",
};

int hash_secret_new(struct hash_secret *secret, struct err *e)
{
    if (getrandom(secret->word, sizeof secret->word, 0) != (ssize_t)sizeof secret->word)
        return err_set(e, WEIR_ESYSTEM, "hash: no random octets from the kernel: %s", strerror(errno));
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

/* Is the second endpoint the smaller one? */
static inline bool is_reversed(const struct flow_key *k)
{
    for (unsigned i = 0; i < 2; i++) {
        uint64_t a = __builtin_bswap64(word_at(k->address[0], i)), b = __builtin_bswap64(word_at(k->address[1], i));
        if (a != b)
            return a > b;
    }
    return k->port[0] > k->port[1];
}

void packet_hash_batch(struct packet_batch *batch, unsigned first, unsigned count, const struct flow_key *mask, bool is_biflow,
                       const struct hash_secret *secret)
{
    const uint64_t *s = secret->word;
    for (unsigned i = first; i < first + count; i++) {
        struct layers *l = &batch->layer[i];
        uint64_t w[6];
        for (unsigned k = 0; k < 6; k++)
            w[k] = word_at(&l->key, k) & word_at(mask, k);
        memcpy(&l->key, w, sizeof w);
        bool swap = is_biflow && is_reversed(&l->key);
        l->is_reversed = swap;
        /* Ports lie in the low half of word 4; the endpoints are hashed smaller first. */
        uint64_t ports = w[4] & UINT32_MAX, rest = w[4] >> 32;
        if (swap) {
            ports = (ports >> 16 | ports << 16) & UINT32_MAX;
            uint64_t t0 = w[0], t1 = w[1];
            w[0] = w[2], w[1] = w[3], w[2] = t0, w[3] = t1;
        }
        uint64_t h = fold(w[0] ^ s[0], w[2] ^ s[1]) ^ fold(w[1] ^ s[2], w[3] ^ s[3]);
        h = fold(h ^ s[4], (ports | rest << 32) ^ s[5]);
        l->hash = fold(h ^ s[6], w[5] ^ s[7]);
    }
}
