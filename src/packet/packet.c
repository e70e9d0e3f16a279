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

/* 1 when the second endpoint is the smaller one. Without jumps: directions of packets cannot be guessed. */
static inline unsigned is_reversed(const uint64_t w[4], uint32_t ports)
{
    uint64_t a0 = __builtin_bswap64(w[0]), a1 = __builtin_bswap64(w[1]);
    uint64_t b0 = __builtin_bswap64(w[2]), b1 = __builtin_bswap64(w[3]);
    unsigned ports_more = (uint16_t)ports > (uint16_t)(ports >> 16);
    unsigned low_more = (a1 > b1) | ((a1 == b1) & ports_more);
    return (a0 > b0) | ((a0 == b0) & low_more);
}

void packet_hash_batch(struct packet_batch *batch, unsigned first, unsigned count, const struct flow_key *mask, bool is_biflow,
                       const struct hash_secret *secret)
{
    const struct hash_secret s = *secret; /* copies, so that no store below can change them */
    uint64_t m[6];
    for (unsigned k = 0; k < 6; k++)
        m[k] = word_at(mask, k);
    for (unsigned i = first; i < first + count; i++) {
        struct layers *l = &batch->layer[i];
        uint64_t w[6];
        for (unsigned k = 0; k < 6; k++)
            w[k] = word_at(&l->key, k) & m[k];
        /* Ports lie in the low half of word 4; the endpoints are hashed smaller first. */
        uint32_t ports = (uint32_t)w[4];
        unsigned swap = is_reversed(w, ports) & is_biflow, turn = swap * 16;
        l->is_reversed = (uint8_t)swap;
        ports = ports << turn | ports >> (-turn & 31);
        uint64_t t0 = (w[0] ^ w[2]) & -(uint64_t)swap, t1 = (w[1] ^ w[3]) & -(uint64_t)swap;
        uint64_t h = fold(w[0] ^ t0 ^ s.word[0], w[2] ^ t0 ^ s.word[1]) ^ fold(w[1] ^ t1 ^ s.word[2], w[3] ^ t1 ^ s.word[3]);
        h = fold(h ^ s.word[4], ((w[4] & ~(uint64_t)UINT32_MAX) | ports) ^ s.word[5]);
        l->hash = fold(h ^ s.word[6], w[5] ^ s.word[7]);
    }
}
