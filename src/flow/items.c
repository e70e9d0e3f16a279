/*
 * Packets to items: key as two words, endpoints in order, hash. See flow.h.
 *
 * The hash multiplies 64 by 64 to 128 bits with a secret of the run in each factor and folds the
 * halves (as wyhash does), so nobody outside can prepare keys that meet (R14).
 */
#include "flow/record.h"

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t half_at(const void *from)
{
    uint32_t half;
    memcpy(&half, from, sizeof half);
    return half;
}

/* Ports in the order of the endpoints. */
static inline uint64_t turn_ports(uint64_t tail, unsigned side)
{
    uint32_t ports = (uint32_t)tail, turn = side * 16;
    return (tail >> 32) << 32 | (uint32_t)(ports << turn | ports >> (-turn & 31));
}

/* On machines that keep the low octet first the key has the tail as it is. */
static inline uint64_t key_tail(const struct flow_key *key)
{
    _Static_assert(offsetof(struct flow_key, port) == 32 && offsetof(struct flow_key, vlan) == 38,
                   "ports, protocol, version, VLAN");
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
               ? word_at(key, 4)
               : tail_of(key->port[0], key->port[1], key->proto, key->version, key->vlan);
}

/* Interface and tunnel come into the hash of items that are there already: they are seldom key. */
static void hash_rest(struct flow_items *items, unsigned count, bool is_ip6,
                      const struct packet_batch *batch, const struct flow_key *mask,
                      const struct hash_secret *secret)
{
    if ((mask->interface | mask->tunnel) == 0)
        return;
    for (unsigned k = 0; k < count; k++) {
        struct flow_item *item = flow_item_at(items, k, is_ip6);
        const struct flow_key *key = &batch->layer[item->at].key;
        uint64_t rest =
            (uint64_t)(key->interface & mask->interface) << 32 | (key->tunnel & mask->tunnel);
        item->hash = fold(item->hash ^ secret->word[3], rest ^ secret->word[7]);
    }
}

/* Every step is arithmetic: which endpoint is the smaller one cannot be predicted. */
static void make_ip4(struct flow_items *items, const struct packet_batch *batch,
                     const uint16_t at[], unsigned count, const struct flow_options *o,
                     const struct hash_secret *secret)
{
    const struct hash_secret s = *secret;
    const struct flow_key mask = o->mask;
    const uint64_t tail_mask = tail_of(mask.port[0], mask.port[1], mask.proto, 0xff, mask.vlan);
    const uint32_t first_mask = half_at(mask.address[0]), second_mask = half_at(mask.address[1]),
                   is_biflow = o->is_biflow;
    for (unsigned k = 0; k < count; k++) {
        const struct flow_key *key = &batch->layer[at[k]].key;
        uint32_t from = half_at(key->address[0]) & first_mask,
                 to = half_at(key->address[1]) & second_mask;
        uint64_t tail = key_tail(key) & tail_mask;
        uint64_t a = (uint64_t)load_be32((const uint8_t *)&from) << 16 | (uint16_t)tail;
        uint64_t b = (uint64_t)load_be32((const uint8_t *)&to) << 16 | (uint16_t)(tail >> 16);
        unsigned side = (a > b) & is_biflow, turn = side * 32;
        uint64_t front = from | (uint64_t)to << 32;
        front = front << turn | front >> (-turn & 63);
        tail = turn_ports(tail, side);
        struct flow_item *item = flow_item_at(items, k, false);
        item->front = front;
        item->tail = tail;
        item->hash = fold(fold(front ^ s.word[0], tail ^ s.word[1]) ^ s.word[2], s.word[3]);
        item->at = at[k];
        item->side = (uint8_t)side;
    }
}

static inline unsigned __int128 ordered_address(const uint8_t octet[16])
{
    return (unsigned __int128)load_be64(octet) << 64 | load_be64(octet + 8);
}

static void make_ip6(struct flow_items *items, const struct packet_batch *batch,
                     const uint16_t at[], unsigned count, const struct flow_options *o,
                     const struct hash_secret *secret)
{
    const struct hash_secret s = *secret;
    const struct flow_key mask = o->mask;
    const uint64_t tail_mask = tail_of(mask.port[0], mask.port[1], mask.proto, 0xff, mask.vlan);
    const uint64_t address_mask[2] = { word_at(mask.address[0], 0), word_at(mask.address[1], 0) };
    const unsigned is_biflow = o->is_biflow;
    for (unsigned k = 0; k < count; k++) {
        const struct flow_key *key = &batch->layer[at[k]].key;
        uint64_t tail = key_tail(key) & tail_mask;
        unsigned __int128 a = address_mask[0] ? ordered_address(key->address[0]) : 0;
        unsigned __int128 b = address_mask[1] ? ordered_address(key->address[1]) : 0;
        unsigned side =
            ((a > b) | ((a == b) & ((uint16_t)tail > (uint16_t)(tail >> 16)))) & is_biflow;
        const uint8_t *from = key->address[side], *to = key->address[side ^ 1];
        uint64_t from_mask = address_mask[side], to_mask = address_mask[side ^ 1];
        uint64_t front = word_at(from, 1) & from_mask;
        tail = turn_ports(tail, side);
        uint64_t h = fold(front ^ s.word[0], tail ^ s.word[1]);
        h ^= fold((word_at(from, 0) & from_mask) ^ s.word[4],
                  (word_at(to, 0) & to_mask) ^ s.word[5]);
        h ^= fold((word_at(to, 1) & to_mask) ^ s.word[6], s.word[7]);
        struct flow_item *item = flow_item_at(items, k, true);
        item->front = front;
        item->tail = tail;
        item->hash = fold(h ^ s.word[2], s.word[3]);
        item->at = at[k];
        item->side = (uint8_t)side;
    }
}

void flow_items_make(struct flow_items *items, const struct packet_batch *batch,
                     const struct flow_choice *choice, const struct flow_options *options,
                     const struct hash_secret *secret)
{
    items->ip4_count = choice->ip4_count;
    items->ip6_count = choice->ip6_count;
    make_ip4(items, batch, choice->ip4, choice->ip4_count, options, secret);
    make_ip6(items, batch, choice->ip6, choice->ip6_count, options, secret);
    hash_rest(items, items->ip4_count, false, batch, &options->mask, secret);
    hash_rest(items, items->ip6_count, true, batch, &options->mask, secret);
}
