/*
 * What else may stand between the MAC addresses and the packet: tags of switches, fabrics, security
 * groups and service chains. Source: IEEE 802.1ah, 802.1BR, 802.1AE, RFC 8300 (NSH); libpcap's link
 * types DSA_TAG; the forms of Cisco as Wireshark reads them.
 */
#include "decode/walk.h"

enum { MAC_ADDRESSES = 12, NSH_HEADER = 8, SECURITY_HEADER = 6, CHANNEL_ID = 8 };
enum { HAS_CHANNEL = 0x20, IS_ENCRYPTED = 0x08, IS_CHANGED = 0x04 };

/* `size` octets, the last two are the type of what follows. */
static void tag(struct walk *w, uint32_t size)
{
    const uint8_t *header = walk_take(w, size);
    if (header == NULL)
        walk_stop(w, REASON_short_link);
    else
        decode_type_or_length(w, load_be16(header + size - 2));
}

static void vn_tag(struct walk *w)
{
    tag(w, 6);
}

static void e_tag(struct walk *w)
{
    tag(w, 8);
}

/* Cisco meta data: version, words of options, options (one word at least), type. */
static void meta_data(struct walk *w)
{
    const uint8_t *header = walk_look(w, 2);
    if (header == NULL)
        walk_stop(w, REASON_short_link);
    else
        tag(w, 2 + (header[1] > 1 ? header[1] : 1) * 4u + 2);
}

/* A whole frame behind `size` octets. */
static void frame_behind(struct walk *w, uint32_t size)
{
    if (walk_take(w, size) == NULL)
        walk_stop(w, REASON_short_link);
    else
        w->next = decode_ethernet;
}

static void service_instance(struct walk *w)
{
    frame_behind(w, 4);
}

static void fabric_path(struct walk *w)
{
    frame_behind(w, 2);
}

/* MACsec: readable when it is only signed. */
static void security(struct walk *w)
{
    const uint8_t *header = walk_take(w, SECURITY_HEADER);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
    } else if (header[0] & (IS_ENCRYPTED | IS_CHANGED)) {
        walk_stop(w, REASON_not_ip);
    } else {
        if (header[0] & HAS_CHANNEL)
            (void)walk_take(w, CHANNEL_ID);
        tag(w, 2);
    }
}

static void service_chain(struct walk *w)
{
    const uint8_t *header = walk_look(w, NSH_HEADER);
    uint32_t size = header != NULL ? (header[1] & 0x3fu) * 4 : NSH_HEADER;
    if (size < NSH_HEADER) {
        walk_stop(w, REASON_bad_link);
    } else if (walk_take(w, size) == NULL) {
        walk_stop(w, REASON_short_link);
    } else {
        static decode_step *const inside[] = { NULL, decode_ipv4, decode_ipv6, decode_ethernet,
                                               NULL, decode_mpls };
        w->layers->payload = (uint16_t)w->at;
        w->next = header[3] < sizeof inside / sizeof *inside ? inside[header[3]] : NULL;
        if (w->next == NULL)
            walk_stop(w, REASON_not_ip);
    }
}

/* Tag of a switch chip behind the MAC addresses. */
static void switch_tag(struct walk *w, uint32_t size)
{
    if (walk_take(w, MAC_ADDRESSES) == NULL) {
        walk_stop(w, REASON_short_link);
    } else {
        w->layers->mac = (uint16_t)(w->at - MAC_ADDRESSES);
        tag(w, size + 2);
    }
}

static void switch_tag_short(struct walk *w)
{
    switch_tag(w, 4);
}

static void switch_tag_long(struct walk *w)
{
    switch_tag(w, 8);
}

static void switch_tag_first(struct walk *w)
{
    frame_behind(w, 4);
}

const struct decoder tag_decoder = {
    .name = "tag",
    .help = "802.1ah, 802.1BR, MACsec, NSH, Cisco meta data and FabricPath, tags of switch chips",
    .entry[DECODE_LINK] =
        (const struct decode_entry[]){
            { 281, "dsa_tag_brcm", switch_tag_short },
            { 282, "dsa_tag_brcm_prepend", switch_tag_first },
            { 284, "dsa_tag_dsa", switch_tag_short },
            { 285, "dsa_tag_edsa", switch_tag_long },
            { 0 },
        },
    .entry[DECODE_ETHERTYPE] =
        (const struct decode_entry[]){
            { 0x88e7, "802.1ah", service_instance },
            { 0x88e5, "MACsec", security },
            { 0x8903, "FabricPath", fabric_path },
            { 0x8909, "Cisco meta data", meta_data },
            { 0x8926, "VN-Tag", vn_tag },
            { 0x893f, "802.1BR", e_tag },
            { 0x894f, "NSH", service_chain },
            { 0 },
        },
};
