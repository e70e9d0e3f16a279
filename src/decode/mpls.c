/*
 * MPLS label stacks. Nothing in them says what they carry: IP shows by its version, else it may be
 * Ethernet, with or without a control word. Source: RFC 3032, RFC 4385, RFC 4448, RFC 4928.
 */
#include "decode/walk.h"

enum {
    LABEL = 4,
    BOTTOM = 0x100,
    CONTROL_WORD = 4,
    MAC_HEADER = 14,
    IPV6_HEADER = 40,
    IPV4_HEADER = 20
};

/* An IP header whose lengths fit, or one cut so early that they cannot be judged. */
static bool looks_like_ip(const struct walk *w, uint8_t version)
{
    const uint8_t *ip = walk_look(w, 6);
    uint32_t left = walk_wire_left(w);
    if (ip == NULL)
        return true;
    if (version == 6)
        return load_be16(ip + 4) + (uint32_t)IPV6_HEADER <= left;
    uint32_t total = load_be16(ip + 2);
    return (ip[0] & 15) >= IPV4_HEADER / 4 &&
           (total == 0 || (total >= IPV4_HEADER && total <= left));
}

/* What would be the type of an Ethernet frame at `at` + skip; 0 if there is no room for one. */
static uint16_t frame_type(const struct walk *w, uint32_t skip)
{
    const uint8_t *mac = walk_look(w, skip + MAC_HEADER);
    return mac != NULL ? load_be16(mac + skip + 12) : 0;
}

static bool is_known(uint16_t type)
{
    return type == ETHERTYPE_ARP || decode_find(DECODE_ETHERTYPE, type) != NULL;
}

/* A length instead of a type, with room for the LLC header and no more than there was on the wire.
 */
static bool is_length(const struct walk *w, uint16_t type, uint32_t skip)
{
    return type >= 3 && type <= 1500 && type + skip + MAC_HEADER <= walk_wire_left(w);
}

/* Behind the last label: IP, else Ethernet with or without a control word, by what makes most
 * sense. */
static void pseudowire(struct walk *w, uint8_t version)
{
    bool may_be_ip = version == 4 || version == 6, may_be_control = version == 0;
    uint16_t type = frame_type(w, 0), type_behind = frame_type(w, CONTROL_WORD);
    if (may_be_ip && looks_like_ip(w, version)) {
        w->next = decode_ip;
    } else if (may_be_control && is_known(type_behind)) {
        w->at += CONTROL_WORD;
        w->next = decode_ethernet;
    } else if (is_known(type)) {
        w->next = decode_ethernet;
    } else if (may_be_control && is_length(w, type_behind, CONTROL_WORD)) {
        w->at += CONTROL_WORD;
        w->next = decode_ethernet;
    } else if (is_length(w, type, 0)) {
        w->next = decode_ethernet;
    } else if (may_be_ip) {
        w->next = decode_ip;
    } else {
        walk_stop(w, REASON_not_ip);
    }
}

void decode_mpls(struct walk *w)
{
    const uint8_t *label;
    do {
        label = walk_take(w, LABEL);
        if (label == NULL) {
            walk_stop(w, REASON_short_link);
            return;
        }
        if (w->layers->mpls_count == DECODE_TAGS_MAX) {
            walk_stop(w, REASON_bad_link);
            return;
        }
        w->layers->mpls_count++;
    } while ((load_be32(label) & BOTTOM) == 0);

    w->layers->payload = (uint16_t)w->at;
    const uint8_t *first = walk_look(w, 1);
    if (first == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    pseudowire(w, *first >> 4);
}

const struct decoder mpls_decoder = {
    .name = "mpls",
    .help = "MPLS label stacks with IP or Ethernet",
    .entry[DECODE_LINK] = (const struct decode_entry[]){ { 219, "mpls", decode_mpls }, { 0 } },
    .entry[DECODE_ETHERTYPE] =
        (const struct decode_entry[]){ { ETHERTYPE_MPLS, "MPLS", decode_mpls },
                                       { 0x8848, "MPLS multicast", decode_mpls },
                                       { 0 } },
    .entry[DECODE_PPP] = (const struct decode_entry[]){ { 0x0281, "MPLS", decode_mpls },
                                                        { 0x0283, "MPLS multicast", decode_mpls },
                                                        { 0 } },
};
