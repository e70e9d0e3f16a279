/*
 * One target per link type that decode knows: octet 0 says how (bit 0 enters tunnels, bit 1 the
 * packet was longer on the wire), the rest is the packet. Checks that the batch way equals the
 * plain way and that what was read lies within the packet.
 */
#include <string.h>

#include "decode/decode.h"
#include "fuzz.h"

#define LINKS_MAX 512 /* LINKTYPE_ numbers end below */
#define ABSENT    0xffff

static bool link_at(unsigned index, uint16_t *link)
{
    for (uint16_t number = 0; number < LINKS_MAX; number++)
        if (decode_link_name(number) != NULL && index-- == 0) {
            *link = number;
            return true;
        }
    return false;
}

static bool link_name(unsigned index, char *name, size_t room)
{
    uint16_t link;
    if (!link_at(index, &link))
        return false;
    snprintf(name, room, "link-%u", link);
    return true;
}

static void check_layers(const struct packet *p, const struct layers *l)
{
    FUZZ_CHECK(l->verdict < REASON_COUNT);
    FUZZ_CHECK(l->verdict == REASON_none || ledger_reasons[l->verdict].stage == STAGE_decode);
    FUZZ_CHECK(l->key.version == 0 || l->key.version == 4 || l->key.version == 6);
    /* A packet without a key is lost under a name; one with a key goes on. */
    bool is_lost = l->verdict != REASON_none && ledger_reasons[l->verdict].kind != KIND_noted;
    FUZZ_CHECK(is_lost == (l->key.version == 0));
    FUZZ_CHECK(l->l3 == ABSENT || l->l3 <= p->caplen);
    FUZZ_CHECK(l->l4 == ABSENT || l->l4 <= p->caplen);
    FUZZ_CHECK(l->payload == ABSENT || l->payload <= p->caplen);
    FUZZ_CHECK(l->mac == ABSENT || l->mac + 12u <= p->caplen);
    FUZZ_CHECK(l->l3 == ABSENT || l->l4 == ABSENT || l->l3 <= l->l4);
    FUZZ_CHECK(l->l4 == ABSENT || l->payload == ABSENT || l->l4 <= l->payload);
    FUZZ_CHECK(l->link_octets <= p->wirelen);
    FUZZ_CHECK(l->payload_octets <= l->ip_octets);
    FUZZ_CHECK(l->tunnel < TUNNEL_KINDS && l->key.tunnel < TUNNEL_KINDS);
    if (!(l->flags & PACKET_PORTS))
        FUZZ_CHECK(l->key.port[0] == 0 && l->key.port[1] == 0);
    static const uint8_t zero[12];
    if (l->key.version == 4)
        FUZZ_CHECK(memcmp(l->key.address[0] + 4, zero, 12) == 0 &&
                   memcmp(l->key.address[1] + 4, zero, 12) == 0);
}

static void link_run(unsigned index, const uint8_t *data, size_t size)
{
    uint16_t link = 0;
    if (size == 0 || size > PACKET_OCTETS_MAX || !link_at(index, &link))
        return;
    struct decode_options options = { .enter_tunnels = data[0] & 1 };
    struct packet_batch *batch = calloc(1, sizeof *batch);
    uint32_t caplen = (uint32_t)(size - 1);
    uint8_t *whole = malloc(caplen + !caplen), *half = malloc(caplen / 2 + !(caplen / 2));
    FUZZ_CHECK(batch != NULL && whole != NULL && half != NULL);
    memcpy(whole, data + 1, caplen);
    memcpy(half, data + 1, caplen / 2);
    uint32_t wirelen = caplen + (data[0] & 2 ? 1000 : 0);
    /* Packets among others, so that the passes over a batch meet what stays behind from a
     * neighbour. */
    batch->pkt[0] =
        (struct packet){ .data = whole, .caplen = caplen, .wirelen = wirelen, .link = link };
    batch->pkt[1] =
        (struct packet){ .data = half, .caplen = caplen / 2, .wirelen = wirelen, .link = link };
    batch->pkt[2] =
        (struct packet){ .data = whole, .caplen = caplen, .wirelen = wirelen, .link = 1 };
    batch->pkt[3] = batch->pkt[0];
    batch->count = 4;
    decode_batch(batch, &options);
    for (unsigned i = 0; i < batch->count; i++) {
        struct layers plain;
        memset(&plain, 0, sizeof plain);
        decode_packet(&batch->pkt[i], &options, &plain);
        check_layers(&batch->pkt[i], &batch->layer[i]);
        plain.hash = batch->layer[i].hash; /* set later by packet_hash_batch */
        plain.is_reversed = batch->layer[i].is_reversed;
        FUZZ_CHECK(memcmp(&plain, &batch->layer[i], sizeof plain) == 0);
    }
    free(half);
    free(whole);
    free(batch);
}

const struct fuzz_group link_group = { link_name, link_run };
