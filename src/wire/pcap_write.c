/* Writing pcap with nanoseconds, always little-endian. */
#include <string.h>

#include "wire/wire.h"

static void put_le16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static void put_le32(uint8_t *to, uint32_t value)
{
    put_le16(to, (uint16_t)value);
    put_le16(to + 2, (uint16_t)(value >> 16));
}

void pcap_put_header(uint8_t to[PCAP_HEADER_SIZE], uint16_t link, uint32_t snaplen)
{
    memset(to, 0, PCAP_HEADER_SIZE);
    put_le32(to, 0xa1b23c4d);
    put_le16(to + 4, 2);
    put_le16(to + 6, 4);
    put_le32(to + 16, snaplen);
    put_le32(to + 20, link);
}

void pcap_put_record(uint8_t to[PCAP_RECORD_SIZE], const struct packet *packet)
{
    /* The format has no times before 1970 nor after 2106. */
    int64_t seconds = packet->time_ns / NS_PER_S, ns = packet->time_ns % NS_PER_S;
    if (packet->time_ns < 0)
        seconds = ns = 0;
    if (seconds > UINT32_MAX)
        seconds = UINT32_MAX;
    put_le32(to, (uint32_t)seconds);
    put_le32(to + 4, (uint32_t)ns);
    put_le32(to + 8, packet->caplen);
    put_le32(to + 12, packet->wirelen);
}
