/* Ethernet: MAC addresses, VLAN tags, and what comes by type or in LLC and SNAP. Source:
 * IEEE 802, 802.1Q, 802.1ah, 802.1BR. */
#include "decode/walk.h"

enum { MAC_HEADER = 14, LENGTH_MAX = 1500, TYPE_MIN = 1536 };
enum { SAP_IP = 0x06, SAP_SNAP = 0xaa, UNNUMBERED = 0x03 };

static bool is_tag(uint16_t type)
{
    return type == 0x8100 || type == 0x88a8 ||
           (type >= 0x9100 && type <= 0x9300 && (type & 0xff) == 0);
}

void decode_ethertype(struct walk *w, uint16_t type)
{
    struct layers *l = w->layers;
    if (w->tunnels == 0 && (l->ethertype == 0 || is_tag(l->ethertype)))
        l->ethertype = type;
    l->payload = (uint16_t)w->at;
    const struct decode_entry *entry = decode_find(DECODE_ETHERTYPE, type);
    if (entry != NULL)
        w->next = entry->step;
    else
        walk_stop(w, REASON_not_ip);
}

void decode_type_or_length(struct walk *w, uint16_t type)
{
    if (type >= TYPE_MIN) {
        decode_ethertype(w, type);
    } else {
        w->layers->payload = (uint16_t)w->at;
        if (type <= LENGTH_MAX) {
            walk_trim(w, type);
            decode_llc(w);
        } else {
            walk_stop(w, REASON_not_ip);
        }
    }
}

void decode_snap(struct walk *w)
{
    const uint8_t *snap = walk_take(w, 5);
    if (snap == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    uint32_t owner = load_be32(snap) >> 8;
    uint16_t type = load_be16(snap + 3);
    if (owner == 0 || owner == 0x0000f8)
        decode_ethertype(w, type);
    else if (owner == 0x0080c2 && (type == 1 || type == 7)) /* bridged Ethernet, RFC 2684 */
        w->next = decode_ethernet;
    else
        walk_stop(w, REASON_not_ip);
}

void decode_llc(struct walk *w)
{
    const uint8_t *llc = walk_look(w, 3);
    if (llc == NULL) {
        walk_stop(w, REASON_short_link);
    } else if (llc[0] == SAP_SNAP && llc[1] == SAP_SNAP && llc[2] == UNNUMBERED) {
        w->at += 3;
        decode_snap(w);
    } else if (llc[0] == SAP_IP && llc[1] == SAP_IP && llc[2] == UNNUMBERED) {
        w->at += 3;
        decode_ethertype(w, ETHERTYPE_IPV4);
    } else {
        walk_stop(w, REASON_not_ip);
    }
}

void decode_ethernet(struct walk *w)
{
    const uint8_t *mac = walk_take(w, MAC_HEADER);
    if (mac == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    if (w->layers->mac == NOWHERE && w->tunnels == 0)
        w->layers->mac = (uint16_t)(mac - w->data);
    decode_type_or_length(w, load_be16(mac + 12));
}

/* The one link type whose "link" length is not the frame's, spec/tools.md 6.1. */
static void ethernet_link(struct walk *w)
{
    struct layers *l = w->layers;
    l->link_octets = l->link_octets > MAC_HEADER ? l->link_octets - MAC_HEADER : 0;
    decode_ethernet(w);
}

static void vlan_tag(struct walk *w)
{
    struct layers *l = w->layers;
    const uint8_t *tag = walk_take(w, 4);
    if (tag == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    if (l->vlan_count == DECODE_TAGS_MAX) {
        walk_stop(w, REASON_bad_link);
        return;
    }
    if (l->vlan_count++ == 0)
        l->vlan = l->key.vlan = (uint16_t)((load_be16(tag) & 0x0fff) + 1);
    decode_type_or_length(w, load_be16(tag + 2));
}

const struct decoder ethernet_decoder = {
    .name = "ethernet",
    .help = "Ethernet II, IEEE 802.3 with LLC and SNAP, VLAN tags",
    .entry[DECODE_LINK] = (const struct decode_entry[]){ { 1, "ethernet", ethernet_link }, { 0 } },
    .entry[DECODE_ETHERTYPE] =
        (const struct decode_entry[]){
            { 0x8100, "802.1Q", vlan_tag },
            { 0x88a8, "802.1ad", vlan_tag },
            { 0x9100, "QinQ", vlan_tag },
            { 0x9200, "QinQ", vlan_tag },
            { 0x9300, "QinQ", vlan_tag },
            { 0x8870, "LLC", decode_llc },
            { 0x6558, "Ethernet", decode_ethernet },
            { 0 },
        },
};
