/* The list of parts, and the plain way through one packet; see walk.h. */
#include "decode/decode.h"

#include <assert.h>

#include "decode/walk.h"

#define DECODER(name) extern const struct decoder name##_decoder;
#include "decode/decoders.def"
#undef DECODER

static const struct decoder *const decoders[] = {
#define DECODER(name) &name##_decoder,
#include "decode/decoders.def"
#undef DECODER
};

const struct decode_entry *decode_find(enum decode_space space, uint16_t number)
{
    for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++) {
        const struct decode_entry *entry = decoders[i]->entry[space];
        for (; entry != NULL && entry->step != NULL; entry++) {
            if (entry->number == number)
                return entry;
        }
    }
    return NULL;
}

void decode_numbers(enum decode_space space, uint16_t *numbers, size_t count)
{
    size_t known = 0;
    for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++) {
        const struct decode_entry *entry = decoders[i]->entry[space];
        for (; entry != NULL && entry->step != NULL; entry++) {
            assert(known < count);
            numbers[known++] = entry->number;
        }
    }
    for (size_t i = known; i < count; i++)
        numbers[i] = known > 0 ? numbers[i - known] : 0;
}

const char *decode_link_name(uint16_t link)
{
    const struct decode_entry *entry = decode_find(DECODE_LINK, link);
    return entry != NULL ? entry->name : NULL;
}

void decode_bad_tunnel(struct walk *w, enum tunnel_kind kind)
{
    if (w->layers->tunnel == TUNNEL_NONE)
        w->layers->tunnel = (uint8_t)kind;
    if (w->enters_tunnels)
        walk_stop(w, REASON_bad_tunnel);
}

bool decode_tunnel(struct walk *w, enum tunnel_kind kind)
{
    struct layers *l = w->layers;
    if (l->tunnel == TUNNEL_NONE)
        l->tunnel = (uint8_t)kind;
    if (!w->enters_tunnels)
        return false;
    if (w->tunnels == DECODE_TUNNELS_MAX) {
        walk_stop(w, REASON_bad_tunnel);
        return false;
    }
    w->tunnels++;
    w->outer = *l;
    w->is_cut = false;
    l->key = (struct flow_key){ .vlan = l->key.vlan,
                                .interface = l->key.interface,
                                .tunnel = l->tunnel };
    l->ip_octets = l->payload_octets = l->fragment_id = 0;
    l->l3 = l->l4 = l->payload = NOWHERE;
    l->fragment_offset = l->tcp_flags = 0;
    l->ttl = l->tos = 0;
    l->flags &= PACKET_SNAPPED;
    l->verdict = REASON_none;
    return true;
}

/* The packet inside the last tunnel cannot be metered: go back to the one outside. */
static void leave_tunnel(struct walk *w)
{
    bool is_other = w->layers->verdict == REASON_not_ip;
    *w->layers = w->outer;
    if (!is_other)
        walk_stop(w, REASON_bad_tunnel);
}

void decode_packet(const struct packet *packet, const struct decode_options *options,
                   struct layers *layers)
{
    assert(packet->caplen == 0 || packet->data != NULL);
    uint32_t captured = packet->caplen < DECODE_PLACE_MAX ? packet->caplen : DECODE_PLACE_MAX;
    struct walk w = {
        .data = packet->data,
        .layers = layers,
        .end = captured,
        .captured = captured,
        .wire_end = packet->wirelen > packet->caplen ? packet->wirelen : packet->caplen,
        .enters_tunnels = options->enter_tunnels,
    };
    *layers = (struct layers){
        .key.interface = packet->interface,
        .link_octets = packet->wirelen,
        .l3 = NOWHERE,
        .l4 = NOWHERE,
        .payload = NOWHERE,
        .mac = NOWHERE,
        .flags = packet->caplen < packet->wirelen ? PACKET_SNAPPED : 0,
    };
    const struct decode_entry *link = decode_find(DECODE_LINK, packet->link);
    if (link == NULL)
        walk_stop(&w, REASON_unknown_link);
    else
        w.next = link->step;
    for (unsigned steps = 0; w.next != NULL; steps++) {
        decode_step *step = w.next;
        w.next = NULL;
        if (steps == DECODE_STEPS_MAX)
            walk_stop(&w, REASON_bad_link);
        else
            step(&w);
    }
    if (w.tunnels > 0 && layers->key.version == 0)
        leave_tunnel(&w);
}
