/*
 * PPP in its framings: bare, in HDLC, with a direction octet, over Ethernet.
 * Source: RFC 1661, RFC 1662, RFC 2516; libpcap's link types PPP, PPP_HDLC, PPP_ETHER,
 * PPP_WITH_DIR, PPP_PPPD.
 */
#include "decode/walk.h"

enum {
    PPPOE_HEADER = 6,
    PPPOE_VERSION = 0x11,
    HDLC_ALL = 0xff,
    HDLC_UI = 0x03,
    CISCO_UNICAST = 0x0f,
    CISCO_MULTICAST = 0x8f
};

void decode_ppp(struct walk *w)
{
    const uint8_t *header = walk_look(w, 2);
    if (header != NULL && header[0] == HDLC_ALL && header[1] == HDLC_UI)
        w->at += 2;
    header = walk_look(w, 1);
    /* The first octet of a protocol is even, so an odd one is a number shortened to one octet. */
    uint32_t size = header != NULL && (*header & 1) ? 1 : 2;
    header = walk_take(w, size);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    w->layers->payload = (uint16_t)w->at;
    const struct decode_entry *entry =
        decode_find(DECODE_PPP, size == 1 ? *header : load_be16(header));
    if (entry != NULL)
        w->next = entry->step;
    else
        walk_stop(w, REASON_not_ip);
}

/* Both link types are used for serial lines, on which Cisco's framing is told by its address. */
static void serial(struct walk *w)
{
    const uint8_t *address = walk_look(w, 1);
    if (address != NULL && (*address == CISCO_UNICAST || *address == CISCO_MULTICAST))
        w->next = decode_cisco_hdlc;
    else
        w->next = decode_ppp;
}

static void with_direction(struct walk *w)
{
    if (walk_take(w, 1) == NULL)
        walk_stop(w, REASON_short_link);
    else
        w->next = decode_ppp;
}

/* Here the direction took the place of the HDLC address. */
static void daemon_direction(struct walk *w)
{
    const uint8_t *header = walk_look(w, 2);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    w->at += header[1] == HDLC_UI ? 2 : 1;
    w->next = decode_ppp;
}

static void session(struct walk *w)
{
    const uint8_t *header = walk_take(w, PPPOE_HEADER);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
    } else if (header[0] != PPPOE_VERSION) {
        walk_stop(w, REASON_bad_link);
    } else if (header[1] != 0) {
        walk_stop(w, REASON_not_ip);
    } else {
        walk_trim(w, load_be16(header + 4));
        w->next = decode_ppp;
    }
}

const struct decoder ppp_decoder = {
    .name = "ppp",
    .help = "PPP on serial lines and over Ethernet",
    .entry[DECODE_LINK] =
        (const struct decode_entry[]){
            { 9, "ppp", serial },
            { 50, "ppp_hdlc", serial },
            { 51, "ppp_ether", session },
            { 166, "ppp_pppd", daemon_direction },
            { 204, "ppp_with_dir", with_direction },
            { 0 },
        },
    .entry[DECODE_ETHERTYPE] =
        (const struct decode_entry[]){
            { 0x8864, "PPPoE session", session },
            { 0x880b, "PPP", decode_ppp },
            { 0 },
        },
};
