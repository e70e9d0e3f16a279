/*
 * IEEE 802.11 data frames, bare or behind what the radio said about them. Everything but readable
 * data is not_ip. Source: IEEE 802.11 section 9; radiotap.org; libpcap's link types IEEE802_11,
 * _RADIO, _PRISM, _AVS.
 */
#include "decode/walk.h"

enum { WIFI_HEADER = 24, ADDRESS = 6, QOS = 2, HT_CONTROL = 4, SUBFRAME = 14, CHECK_SEQUENCE = 4 };
enum {
    TYPE_BITS = 0x000c,
    TYPE_DATA = 0x0008,
    NO_DATA = 0x0040,
    HAS_QOS = 0x0080,
    BOTH_WAYS = 0x0300,
    PROTECTED = 0x4000,
    ORDER = 0x8000,
};
enum { RADIOTAP_HAS_CHECK = 0x10, RADIOTAP_IS_PADDED = 0x20, RADIOTAP_WORDS_MAX = 16 };
enum { AVS_MAGIC = 0x80211000 >> 12 };

static void data_frame(struct walk *w, bool is_padded)
{
    const uint8_t *frame = walk_look(w, 2);
    if (frame == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    uint16_t control = load_le16(frame);
    if ((control & 3) != 0 || (control & TYPE_BITS) != TYPE_DATA ||
        (control & (NO_DATA | PROTECTED)) != 0) {
        walk_stop(w, REASON_not_ip);
        return;
    }
    uint32_t size = (control & BOTH_WAYS) == BOTH_WAYS ? WIFI_HEADER + ADDRESS : WIFI_HEADER,
             qos_at = size;
    if (control & HAS_QOS)
        size += control & ORDER ? QOS + HT_CONTROL : QOS;
    if (is_padded)
        size = (size + 3) & ~3u;
    frame = walk_take(w, size);
    if (frame == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    /* Several packets in one frame: the first one stands for the frame. */
    bool is_aggregate = (control & HAS_QOS) && (frame[qos_at] & 0x80);
    if (is_aggregate && walk_take(w, SUBFRAME) == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    w->layers->payload = (uint16_t)w->at;
    decode_llc(w);
}

static void bare(struct walk *w)
{
    data_frame(w, false);
}

/* The flags field of a radiotap header of `size` octets; 0 if it has none. */
static uint8_t radiotap_flags(const uint8_t *header, uint32_t size)
{
    uint32_t present = load_le32(header + 4), at = 8;
    for (uint32_t word = present, i = 0; (word & UINT32_C(0x80000000)) && i < RADIOTAP_WORDS_MAX;
         i++) {
        if (at + 4 > size)
            return 0;
        word = load_le32(header + at);
        at += 4;
    }
    if (present & 1) /* time, aligned to its size */
        at = ((at + 7) & ~7u) + 8;
    return (present & 2) && at < size ? header[at] : 0;
}

static void radiotap(struct walk *w)
{
    const uint8_t *start = walk_look(w, 8);
    if (start == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    uint32_t size = load_le16(start + 2);
    if (start[0] != 0 || size < 8) {
        walk_stop(w, REASON_bad_link);
        return;
    }
    const uint8_t *header = walk_take(w, size);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
        return;
    }
    uint8_t flags = radiotap_flags(header, size);
    if ((flags & RADIOTAP_HAS_CHECK) && w->wire_end >= CHECK_SEQUENCE)
        w->wire_end -= CHECK_SEQUENCE;
    data_frame(w, (flags & RADIOTAP_IS_PADDED) != 0);
}

/* A header that has its size in its second word. */
static void sized_header(struct walk *w, uint32_t size)
{
    if (size < 8)
        walk_stop(w, REASON_bad_link);
    else if (walk_take(w, size) == NULL)
        walk_stop(w, REASON_short_link);
    else
        data_frame(w, false);
}

static void avs(struct walk *w)
{
    const uint8_t *header = walk_look(w, 8);
    if (header == NULL)
        walk_stop(w, REASON_short_link);
    else
        sized_header(w, load_be32(header + 4));
}

/* Prism headers are in the byte order of the machine; the size tells which, for it is small. AVS
 * headers come under the same link type. */
static void prism(struct walk *w)
{
    const uint8_t *header = walk_look(w, 8);
    if (header == NULL) {
        walk_stop(w, REASON_short_link);
    } else if (load_be32(header) >> 12 == AVS_MAGIC) {
        avs(w);
    } else {
        uint32_t size = load_le32(header + 4), swapped = load_be32(header + 4);
        sized_header(w, size < swapped ? size : swapped);
    }
}

const struct decoder wifi_decoder = {
    .name = "wifi",
    .help = "IEEE 802.11 data frames, bare or with radiotap, Prism or AVS header",
    .entry[DECODE_LINK] =
        (const struct decode_entry[]){
            { 105, "ieee802_11", bare },
            { 119, "ieee802_11_prism", prism },
            { 127, "ieee802_11_radiotap", radiotap },
            { 163, "ieee802_11_avs", avs },
            { 0 },
        },
};
