/*
 * Networks of the past and of special places that carry IP in LLC, by type, or bare.
 * Source: libpcap's link types; RFC 1042, RFC 1188 (FDDI), RFC 1201 (ARCNET), RFC 2625 (Fibre
 * Channel), RFC 2684 (ATM), RFC 2734 (IEEE 1394), RFC 4391 (InfiniBand), IEEE 802.5.
 */
#include "decode/walk.h"

enum {
    TOKEN_RING_HEADER = 14,
    FDDI_HEADER = 13,
    FIREWIRE_HEADER = 18,
    FIBRE_HEADER = 16,
    SLIP_HEADER = 16,
    SUN_ATM_HEADER = 4
};
enum { ARCNET_IP_OLD = 240, ARCNET_IP = 212, ARCNET_EXCEPTION = 0xff };

static void llc_behind(struct walk *w, uint32_t size)
{
    if (walk_take(w, size) == NULL) {
        walk_stop(w, REASON_short_link);
    } else {
        w->layers->payload = (uint16_t)w->at;
        decode_llc(w);
    }
}

static void token_ring(struct walk *w)
{
    const uint8_t *header = walk_take(w, TOKEN_RING_HEADER);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    if (header[1] >> 6 != 1) {
        walk_stop(w, REASON_not_ip);
        return;
    }
    /* The first bit of the source says that a route follows; its first octet has its size. */
    const uint8_t *route = header[8] & 0x80 ? walk_look(w, 1) : NULL;
    llc_behind(w, route != NULL ? *route & 0x1f : 0);
}

static void fddi(struct walk *w)
{
    const uint8_t *header = walk_look(w, FDDI_HEADER);
    if (header != NULL && (header[0] & 0xf0) != 0x50)
        walk_stop(w, REASON_not_ip);
    else
        llc_behind(w, FDDI_HEADER);
}

/* ARCNET: type at `at`, then in the newer form the number of the part and a sequence number. */
static void arcnet_type(struct walk *w)
{
    const uint8_t *header = walk_look(w, 4);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
    } else if (header[0] == ARCNET_IP_OLD) {
        w->at += 1;
        decode_ethertype(w, ETHERTYPE_IPV4);
    } else if (header[0] == ARCNET_IP) {
        if (walk_take(w, header[1] == ARCNET_EXCEPTION ? 8 : 4) == NULL)
            walk_stop(w, REASON_short_link);
        else
            decode_ethertype(w, ETHERTYPE_IPV4);
    } else {
        walk_stop(w, REASON_not_ip);
    }
}

static void arcnet_bsd(struct walk *w)
{
    w->at += 2;
    arcnet_type(w);
}

static void arcnet_linux(struct walk *w)
{
    w->at += 4;
    arcnet_type(w);
}

static void slip(struct walk *w)
{
    if (walk_take(w, SLIP_HEADER) == NULL)
        walk_stop(w, REASON_short_link);
    else
        w->next = decode_ip;
}

static void atm(struct walk *w)
{
    llc_behind(w, 0);
}

static void sun_atm(struct walk *w)
{
    llc_behind(w, SUN_ATM_HEADER);
}

static void fibre_channel(struct walk *w)
{
    llc_behind(w, FIBRE_HEADER);
}

/* `size` octets, the type at `place` in them. */
static void typed(struct walk *w, uint32_t size, uint32_t place)
{
    const uint8_t *header = walk_take(w, size);
    if (header == NULL)
        walk_stop(w, REASON_short_link);
    else
        decode_ethertype(w, load_be16(header + place));
}

static void firewire(struct walk *w)
{
    typed(w, FIREWIRE_HEADER, 16);
}

static void infiniband(struct walk *w)
{
    typed(w, 44, 40);
}

const struct decoder lan_decoder = {
    .name = "lan",
    .help = "Token Ring, FDDI, ARCNET, ATM, Fibre Channel, FireWire, InfiniBand, SLIP",
    .entry[DECODE_LINK] =
        (const struct decode_entry[]){
            { 6, "token_ring", token_ring },
            { 7, "arcnet", arcnet_bsd },
            { 8, "slip", slip },
            { 10, "fddi", fddi },
            { 100, "atm_rfc1483", atm },
            { 122, "ip_over_fc", fibre_channel },
            { 123, "sunatm", sun_atm },
            { 129, "arcnet_linux", arcnet_linux },
            { 138, "ip_over_ieee1394", firewire },
            { 242, "ipoib", infiniband },
            { 0 },
        },
};
