/*
 * GRE with all its optional fields, its enhanced form for PPTP, mirrored frames (ERSPAN), and
 * Ethernet within IP. Source: RFC 1701, 2784, 2890, 2637 (PPTP), 3378 (EtherIP),
 * draft-foschiano-erspan-03.
 *
 *   C R K S s recur | A flags version | protocol | [checksum, offset] [key] [sequence] [routing
 * ...]
 */
#include "decode/walk.h"

enum {
    HAS_CHECKSUM = 0x8000,
    HAS_ROUTE = 0x4000,
    HAS_KEY = 0x2000,
    HAS_SEQUENCE = 0x1000,
    HAS_ACKNOWLEDGEMENT = 0x0080,
    VERSION = 7
};
enum {
    TYPE_PPP = 0x880b,
    TYPE_WCCP = 0x883e,
    TYPE_ERSPAN2 = 0x88be,
    TYPE_ERSPAN3 = 0x22eb,
    ROUTES_MAX = 16
};
enum { ERSPAN2_HEADER = 8, ERSPAN3_HEADER = 12, ERSPAN3_PLATFORM = 8 };

/* Source routes, RFC 1701: family, offset, size, addresses; one without size ends them. */
static bool skip_routes(struct walk *w)
{
    for (unsigned i = 0; i < ROUTES_MAX; i++) {
        const uint8_t *route = walk_take(w, 4);
        if (route == NULL)
            return false;
        if (route[3] == 0)
            return true;
        if (walk_take(w, route[3]) == NULL)
            return false;
    }
    return false;
}

/* Move behind the header; false if it is damaged. */
static bool skip_header(struct walk *w, uint16_t flags)
{
    uint32_t size = 4;
    bool is_enhanced = (flags & VERSION) == 1;
    if ((flags & VERSION) > 1 || (is_enhanced && !(flags & HAS_KEY)))
        return false;
    if (!is_enhanced && (flags & (HAS_CHECKSUM | HAS_ROUTE)))
        size += 4;
    size += flags & HAS_KEY ? 4 : 0;
    size += flags & HAS_SEQUENCE ? 4 : 0;
    size += is_enhanced && (flags & HAS_ACKNOWLEDGEMENT) ? 4 : 0;
    if (walk_take(w, size) == NULL)
        return false;
    return is_enhanced || !(flags & HAS_ROUTE) || skip_routes(w);
}

/* The header before a mirrored frame; type I has none. */
static bool skip_erspan(struct walk *w, uint16_t type, uint16_t flags)
{
    if (type == TYPE_ERSPAN2)
        return !(flags & HAS_SEQUENCE) || walk_take(w, ERSPAN2_HEADER) != NULL;
    const uint8_t *header = walk_take(w, ERSPAN3_HEADER);
    return header != NULL && (!(header[11] & 1) || walk_take(w, ERSPAN3_PLATFORM) != NULL);
}

static void inside(struct walk *w, uint16_t type)
{
    const uint8_t *first = walk_look(w, 1);
    switch (type) {
    case TYPE_ERSPAN2:
    case TYPE_ERSPAN3:
        w->next = decode_ethernet;
        break;
    case TYPE_WCCP: /* version 2 puts a header of its own before the packet */
        if (first != NULL && *first >> 4 != 4)
            w->at += 4;
        w->next = decode_ipv4;
        break;
    default:
        decode_ethertype(w, type);
    }
}

static void gre(struct walk *w)
{
    const uint8_t *header = walk_look(w, 4);
    uint16_t flags = header != NULL ? load_be16(header) : 0,
             type = header != NULL ? load_be16(header + 2) : 0;
    bool is_mirror = type == TYPE_ERSPAN2 || type == TYPE_ERSPAN3;
    enum tunnel_kind kind = is_mirror ? TUNNEL_ERSPAN : TUNNEL_GRE;
    if (header == NULL || !skip_header(w, flags) || (is_mirror && !skip_erspan(w, type, flags))) {
        decode_bad_tunnel(w, kind);
        return;
    }
    /* An acknowledgement of PPTP has nothing inside. */
    bool is_empty = (flags & VERSION) == 1 && !(flags & HAS_SEQUENCE);
    if (is_empty)
        w->layers->tunnel = w->layers->tunnel == TUNNEL_NONE ? (uint8_t)kind : w->layers->tunnel;
    else if (decode_tunnel(w, kind))
        inside(w, type);
}

static void ethernet_in_ip(struct walk *w)
{
    const uint8_t *header = walk_take(w, 2);
    if (header == NULL || header[0] >> 4 != 3)
        decode_bad_tunnel(w, TUNNEL_ETHERIP);
    else if (decode_tunnel(w, TUNNEL_ETHERIP))
        w->next = decode_ethernet;
}

const struct decoder gre_decoder = {
    .name = "gre",
    .help = "GRE, PPTP, ERSPAN I, II and III, EtherIP",
    .entry[DECODE_IP] = (const struct decode_entry[]){ { 47, "GRE", gre },
                                                       { 97, "EtherIP", ethernet_in_ip },
                                                       { 0 } },
};
