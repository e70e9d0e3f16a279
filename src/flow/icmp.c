/* Questions and answers of ICMP, see icmp.h; keys of biflows, see flow.h. */
#include "flow/icmp.h"

#include "flow/flow.h"

/* RFC 792, 950, 1256, 4443, 2710, 4861, 4620, 6275; the list of Community ID v1. */
static const struct {
    uint8_t proto, type, counter;
} icmp_pairs[] = {
    { 1, 8, 0 },      { 1, 0, 8 },      { 1, 13, 14 },    { 1, 14, 13 },    { 1, 15, 16 },
    { 1, 16, 15 },    { 1, 10, 9 },     { 1, 9, 10 },     { 1, 17, 18 },    { 1, 18, 17 },
    { 58, 128, 129 }, { 58, 129, 128 }, { 58, 133, 134 }, { 58, 134, 133 }, { 58, 135, 136 },
    { 58, 136, 135 }, { 58, 130, 131 }, { 58, 131, 130 }, { 58, 144, 145 }, { 58, 145, 144 },
    { 58, 139, 140 }, { 58, 140, 139 },
};

unsigned icmp_counter(uint8_t proto, unsigned type)
{
    for (size_t i = 0; i < sizeof icmp_pairs / sizeof *icmp_pairs; i++)
        if (icmp_pairs[i].proto == proto && icmp_pairs[i].type == type)
            return icmp_pairs[i].counter;
    return ICMP_ONE_WAY;
}

void flow_key_pair_icmp(struct flow_key *key)
{
    unsigned type = key->port[1] >> 8, code = key->port[1] & 0xff;
    unsigned counter = icmp_counter(key->proto, type);
    if (counter != ICMP_ONE_WAY)
        key->port[0] = (uint16_t)(counter << 8 | code);
}
