/*
 * Later IP fragments carry no ports: they get those of their first fragment, which is remembered
 * for a while.
 *
 * Memory is a fixed set-associative store, four entries of one cache line per set, chosen by a
 * keyed hash. A full set forgets its oldest. RFC 791 (identification with addresses and protocol),
 * RFC 8200 section 4.5 (with addresses only).
 */
#include <stdlib.h>
#include <string.h>

#include "flow/flow.h"

#define WAYS 4

struct fragment {
    uint8_t address[2][16];
    uint32_t id;
    uint16_t port[2];
    int64_t time_ns;
    uint32_t tunnel;
    uint8_t proto, version; /* version 0 = free */
    uint8_t pad[10];
};
_Static_assert(sizeof(struct fragment) == 64, "one cache line");

struct fragment_map {
    struct fragment *entry;
    size_t octets;
    uint64_t set_mask;
    struct hash_secret secret;
};

int fragment_map_new(struct fragment_map **map, uint64_t octets, const struct hash_secret *secret,
                     struct err *e)
{
    uint64_t sets = 1;
    while (sets * 2 * WAYS * sizeof(struct fragment) <= octets)
        sets *= 2;
    struct fragment_map *m = calloc(1, sizeof *m);
    if (m == NULL)
        return err_memory(e, "map of IP fragments", sizeof *m);
    m->octets = (size_t)sets * WAYS * sizeof *m->entry;
    m->entry = memory_big_new(m->octets);
    m->set_mask = sets - 1;
    m->secret = *secret;
    if (m->entry == NULL) {
        fragment_map_free(m);
        return err_memory(e, "map of IP fragments", (size_t)octets);
    }
    *map = m;
    return 0;
}

void fragment_map_free(struct fragment_map *map)
{
    if (map != NULL)
        memory_big_free(map->entry, map->octets);
    free(map);
}

static bool is_same(const struct fragment *f, const struct layers *l)
{
    return f->version == l->key.version && f->id == l->fragment_id && f->tunnel == l->key.tunnel &&
           (f->version == 6 || f->proto == l->key.proto) &&
           memcmp(f->address, l->key.address, sizeof f->address) == 0;
}

static bool is_old(const struct fragment *f, int64_t now_ns)
{
    return f->version == 0 || (now_ns > f->time_ns &&
                               (uint64_t)now_ns - (uint64_t)f->time_ns > (uint64_t)FRAGMENT_AGE_NS);
}

static struct fragment *set_of(const struct fragment_map *map, const struct layers *l)
{
    uint64_t w[5] = { 0 }, h = l->fragment_id ^ map->secret.word[4];
    memcpy(w, l->key.address, 32);
    for (unsigned i = 0; i < 4; i++) {
        unsigned __int128 product = (unsigned __int128)(h ^ w[i]) * map->secret.word[i];
        h = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    return &map->entry[(h & map->set_mask) * WAYS];
}

static void remember(struct fragment *set, const struct layers *l, int64_t now_ns,
                     struct ledger *ledger)
{
    struct fragment *to = NULL;
    for (unsigned i = 0; i < WAYS && to == NULL; i++)
        if (is_same(&set[i], l))
            to = &set[i];
    if (to == NULL) {
        to = &set[0];
        for (unsigned i = 0; i < WAYS; i++) {
            if (is_old(&set[i], now_ns)) {
                to = &set[i];
                break;
            }
            if (set[i].time_ns < to->time_ns)
                to = &set[i];
        }
        if (!is_old(to, now_ns))
            ledger_count(ledger, REASON_fragment_evicted, 1);
    }
    *to = (struct fragment){ .id = l->fragment_id,
                             .port = { l->key.port[0], l->key.port[1] },
                             .time_ns = now_ns,
                             .tunnel = l->key.tunnel,
                             .proto = l->key.proto,
                             .version = l->key.version };
    memcpy(to->address, l->key.address, sizeof to->address);
}

static void attribute(const struct fragment *set, struct layers *l, int64_t now_ns,
                      struct ledger *ledger)
{
    for (unsigned i = 0; i < WAYS; i++)
        if (is_same(&set[i], l) && !is_old(&set[i], now_ns)) {
            l->key.port[0] = set[i].port[0];
            l->key.port[1] = set[i].port[1];
            l->key.proto = set[i].proto;
            l->flags |= PACKET_PORTS;
            return;
        }
    ledger_count(ledger, REASON_fragment_unmatched, 1);
}

void fragment_map_attribute(struct fragment_map *map, const struct packet *packet,
                            struct layers *layers, struct ledger *ledger)
{
    if (layers->flags & PACKET_LATER_FRAGMENT)
        attribute(set_of(map, layers), layers, packet->time_ns, ledger);
    else if (layers->flags & PACKET_PORTS)
        remember(set_of(map, layers), layers, packet->time_ns, ledger);
}
