/*
 * Tunnels over UDP: VXLAN, Geneve, GTP-U, Teredo. Known by their port, and believed only when their
 * header is what it must be, for a port alone proves nothing. Source: RFC 7348,
 * draft-ietf-nvo3-vxlan-gpe, RFC 8926, 3GPP TS 29.281, RFC 4380.
 */
#include "decode/walk.h"

enum { VXLAN_HEADER = 8, VXLAN_HAS_ID = 0x08, GPE_HAS_PROTOCOL = 0x04, GENEVE_HEADER = 8 };
enum {
    GTP_HEADER = 8,
    GTP_OPTIONAL = 4,
    GTP_VERSION_1 = 0x30,
    GTP_VERSION_BITS = 0xf0,
    GTP_HAS_EXTENSION = 0x04,
    GTP_HAS_OPTIONAL = 0x07
};
enum { GTP_PACKET = 255, GTP_EXTENSIONS_MAX = 16 };
enum { TEREDO_AUTHENTICATION = 1, TEREDO_ORIGIN = 0, ORIGIN_SIZE = 8, IPV6_HEADER = 40 };

static void vxlan(struct walk *w)
{
    const uint8_t *header = walk_take(w, VXLAN_HEADER);
    if (header != NULL && (header[0] & VXLAN_HAS_ID) && header[7] == 0 &&
        decode_tunnel(w, TUNNEL_VXLAN))
        w->next = decode_ethernet;
}

/* The form that can carry other things than Ethernet. */
static void vxlan_gpe(struct walk *w)
{
    const uint8_t *header = walk_take(w, VXLAN_HEADER);
    if (header == NULL || !(header[0] & VXLAN_HAS_ID) || !(header[0] & GPE_HAS_PROTOCOL))
        return;
    static decode_step *const inside[] = { NULL, decode_ipv4, decode_ipv6, decode_ethernet };
    if (header[3] >= 1 && header[3] <= 3 && decode_tunnel(w, TUNNEL_VXLAN))
        w->next = inside[header[3]];
}

static void geneve(struct walk *w)
{
    const uint8_t *header = walk_take(w, GENEVE_HEADER);
    if (header == NULL || header[0] >> 6 != 0 || header[7] != 0)
        return;
    uint16_t type = load_be16(header + 2);
    if (walk_take(w, (header[0] & 0x3fu) * 4) == NULL)
        decode_bad_tunnel(w, TUNNEL_GENEVE);
    else if (decode_tunnel(w, TUNNEL_GENEVE))
        decode_ethertype(w, type);
}

/* Extension headers: size in words, ..., kind of the next one. */
static bool skip_gtp_extensions(struct walk *w, uint8_t kind)
{
    for (unsigned i = 0; kind != 0; i++) {
        const uint8_t *size = walk_look(w, 1);
        if (i == GTP_EXTENSIONS_MAX || size == NULL || *size == 0)
            return false;
        const uint8_t *extension = walk_take(w, *size * 4u);
        if (extension == NULL)
            return false;
        kind = extension[*size * 4u - 1];
    }
    return true;
}

static void gtp_user(struct walk *w)
{
    const uint8_t *header = walk_take(w, GTP_HEADER);
    if (header == NULL || (header[0] & GTP_VERSION_BITS) != GTP_VERSION_1 ||
        header[1] != GTP_PACKET)
        return;
    if (header[0] & GTP_HAS_OPTIONAL) {
        const uint8_t *optional = walk_take(w, GTP_OPTIONAL);
        bool has_extension = header[0] & GTP_HAS_EXTENSION;
        if (optional == NULL || (has_extension && !skip_gtp_extensions(w, optional[3]))) {
            decode_bad_tunnel(w, TUNNEL_GTPU);
            return;
        }
    }
    if (decode_tunnel(w, TUNNEL_GTPU))
        w->next = decode_ip;
}

static void teredo(struct walk *w)
{
    const uint8_t *at = walk_look(w, 4);
    if (at != NULL && load_be16(at) == TEREDO_AUTHENTICATION) {
        (void)walk_take(w, 4u + at[2] + at[3] + 9u);
        at = walk_look(w, 4);
    }
    if (at != NULL && load_be16(at) == TEREDO_ORIGIN)
        (void)walk_take(w, ORIGIN_SIZE);
    at = walk_look(w, 1);
    if (at != NULL && *at >> 4 == 6 && walk_wire_left(w) >= IPV6_HEADER &&
        decode_tunnel(w, TUNNEL_TEREDO))
        w->next = decode_ipv6;
}

const struct decoder udp_tunnel_decoder = {
    .name = "udp_tunnel",
    .help = "VXLAN, Geneve, GTP-U, Teredo",
    .entry[DECODE_UDP] =
        (const struct decode_entry[]){
            { 4789, "VXLAN", vxlan },
            { 8472, "VXLAN before its port was given", vxlan },
            { 4790, "VXLAN GPE", vxlan_gpe },
            { 6081, "Geneve", geneve },
            { 2152, "GTP-U", gtp_user },
            { 3544, "Teredo", teredo },
            { 0 },
        },
};
