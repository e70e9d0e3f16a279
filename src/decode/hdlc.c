/* Cisco HDLC and frame relay. Source: RFC 1547, ITU-T Q.922, RFC 2427. */
#include "decode/walk.h"

enum { CISCO_HEADER = 4, ADDRESS_MAX = 4, ADDRESS_END = 1, UNNUMBERED = 0x03 };
enum { NLPID_SNAP = 0x80, NLPID_IPV6 = 0x8e, NLPID_IPV4 = 0xcc, NLPID_PPP = 0xcf };

void decode_cisco_hdlc(struct walk *w)
{
    const uint8_t *header = walk_look(w, CISCO_HEADER);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
    } else if (header[0] == 0xff && header[1] == UNNUMBERED) {
        w->next = decode_ppp;
    } else {
        w->at += CISCO_HEADER;
        decode_ethertype(w, load_be16(header + 2));
    }
}

/* RFC 2427: a number for the network layer, perhaps after an octet of padding. */
static void network_layer(struct walk *w)
{
    const uint8_t *id = walk_take(w, 1);
    if (id != NULL && *id == 0)
        id = walk_take(w, 1);
    w->layers->payload = (uint16_t)w->at;
    if (id == NULL)
        walk_stop(w, REASON_short_link);
    else if (*id == NLPID_IPV4)
        decode_ethertype(w, ETHERTYPE_IPV4);
    else if (*id == NLPID_IPV6)
        decode_ethertype(w, ETHERTYPE_IPV6);
    else if (*id == NLPID_SNAP)
        decode_snap(w);
    else if (*id == NLPID_PPP)
        w->next = decode_ppp;
    else
        walk_stop(w, REASON_not_ip);
}

static void frame_relay(struct walk *w)
{
    const uint8_t *octet;
    unsigned count = 0;
    do {
        octet = walk_take(w, 1);
        count++;
    } while (octet != NULL && !(*octet & ADDRESS_END) && count < ADDRESS_MAX);
    const uint8_t *control = walk_look(w, 1), *type = walk_look(w, 2);
    if (octet == NULL || control == NULL) {
        walk_stop(w, REASON_short_link);
    } else if (count == 1 || !(*octet & ADDRESS_END)) {
        walk_stop(w, REASON_bad_link);
    } else if (*control == UNNUMBERED) {
        w->at++;
        network_layer(w);
    } else if (type == NULL) {
        walk_stop(w, REASON_short_link);
    } else { /* as Cisco does it */
        w->at += 2;
        decode_ethertype(w, load_be16(type));
    }
}

const struct decoder hdlc_decoder = {
    .name = "hdlc",
    .help = "Cisco HDLC, frame relay",
    .entry[DECODE_LINK] = (const struct decode_entry[]){ { 104, "c_hdlc", decode_cisco_hdlc },
                                                         { 107, "frelay", frame_relay },
                                                         { 0 } },
};
