/* Values as text and back, see schema.h. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "schema/schema.h"

struct address address_of_ip4(const uint8_t octet[4])
{
    struct address a = { .version = 4 };
    memcpy(a.octet, octet, 4);
    return a;
}

struct address address_of_ip6(const uint8_t octet[16])
{
    struct address a = { .version = 6 };
    memcpy(a.octet, octet, 16);
    return a;
}

bool address_parse(const char *text, struct address *address)
{
    uint8_t octet[16];
    if (inet_pton(AF_INET, text, octet) == 1)
        *address = address_of_ip4(octet);
    else if (inet_pton(AF_INET6, text, octet) == 1)
        *address = address_of_ip6(octet);
    else
        return false;
    return true;
}

static char *put_decimal(char *at, unsigned value)
{
    if (value >= 100)
        *at++ = (char)('0' + value / 100);
    if (value >= 10)
        *at++ = (char)('0' + value / 10 % 10);
    *at++ = (char)('0' + value % 10);
    return at;
}

static char *put_hex(char *at, unsigned value)
{
    static const char digits[] = "0123456789abcdef";
    for (int shift = value >= 0x1000 ? 12 : value >= 0x100 ? 8 : value >= 0x10 ? 4 : 0; shift >= 0; shift -= 4)
        *at++ = digits[value >> shift & 15];
    return at;
}

/* RFC 5952 section 4: lower case, the longest run of zero groups (two at least, the first of equals) as "::". */
static char *put_ip6(char *at, const uint8_t octet[16])
{
    unsigned group[8];
    int best = -1, best_count = 1;
    for (int i = 0; i < 8; i++)
        group[i] = load_be16(octet + 2 * i);
    for (int i = 0; i < 8; i++) {
        int count = 0;
        while (i + count < 8 && group[i + count] == 0)
            count++;
        if (count > best_count) {
            best = i;
            best_count = count;
        }
    }
    /* Section 5: only the well-known prefix ::ffff:0:0/96 gets a dotted tail. */
    bool is_mapped = best == 0 && best_count == 5 && group[5] == 0xffff;
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            *at++ = ':';
            *at++ = ':';
            i += best_count - 1;
            continue;
        }
        if (i > 0 && at[-1] != ':')
            *at++ = ':';
        if (is_mapped && i == 6) {
            for (int k = 12; k < 16; k++) {
                at = put_decimal(at, octet[k]);
                *at++ = '.';
            }
            return at - 1;
        }
        at = put_hex(at, group[i]);
    }
    return at;
}

char *address_put(char *at, const struct address *address)
{
    if (address->version == 4) {
        for (int i = 0; i < 4; i++) {
            at = put_decimal(at, address->octet[i]);
            *at++ = '.';
        }
        return at - 1;
    }
    return address->version == 6 ? put_ip6(at, address->octet) : at;
}

void address_print(struct text *out, const struct address *address)
{
    char line[ADDRESS_TEXT_MAX];
    text_put(out, line, (size_t)(address_put(line, address) - line));
}

void flags_print(struct text *out, uint16_t flags)
{
    static const char letters[] = "CEUAPRSF";
    for (unsigned i = 0; i < 8; i++)
        text_char(out, flags & (0x80u >> i) ? letters[i] : '.');
}

static void mac_print(struct text *out, const struct mac *mac)
{
    for (unsigned i = 0; i < 6; i++)
        text_format(out, "%s%02x", i ? ":" : "", mac->octet[i]);
}

void value_print(struct text *out, enum value_type type, const void *value, unsigned digits)
{
    switch (type) {
    case T_U8:
    case T_PROTO:
    case T_REASON:
        text_u64(out, *(const uint8_t *)value);
        return;
    case T_U16:
    case T_FLAGS:
        text_u64(out, *(const uint16_t *)value);
        return;
    case T_U32:
        text_u64(out, *(const uint32_t *)value);
        return;
    case T_U64:
        text_u64(out, *(const uint64_t *)value);
        return;
    case T_I64:
        text_i64(out, *(const int64_t *)value);
        return;
    case T_F64:
        text_format(out, "%.*f", (int)digits, *(const double *)value);
        return;
    case T_TIME:
    case T_DURATION:
        text_seconds(out, *(const int64_t *)value, 9);
        return;
    case T_ADDRESS:
        address_print(out, value);
        return;
    case T_MAC:
        mac_print(out, value);
        return;
    case T_TEXT: {
        const struct bytes *b = value;
        text_put(out, (const char *)b->data, b->size);
        return;
    }
    case VALUE_TYPES:
        break;
    }
}

/* Keywords of the IANA protocol registry that people use, lower case. */
static const struct {
    uint8_t number;
    const char *name;
} protocols[] = {
    { 0, "hopopt" },   { 1, "icmp" },      { 2, "igmp" },      { 4, "ipip" },  { 6, "tcp" },    { 8, "egp" },
    { 9, "igp" },      { 17, "udp" },      { 27, "rdp" },      { 33, "dccp" }, { 41, "ipv6" },  { 43, "ipv6-route" },
    { 44, "ipv6-frag" }, { 46, "rsvp" },   { 47, "gre" },      { 50, "esp" },  { 51, "ah" },    { 58, "icmp6" },
    { 59, "ipv6-nonxt" }, { 60, "ipv6-opts" }, { 88, "eigrp" }, { 89, "ospf" }, { 94, "ipip-old" }, { 97, "etherip" },
    { 103, "pim" },    { 108, "ipcomp" },  { 112, "vrrp" },    { 115, "l2tp" }, { 132, "sctp" }, { 136, "udplite" },
    { 137, "mpls" },   { 255, "reserved" },
};

const char *protocol_name(uint8_t number)
{
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (protocols[i].number == number)
            return protocols[i].name;
    return NULL;
}

int protocol_number(const char *name)
{
    if (strcasecmp(name, "icmpv6") == 0 || strcasecmp(name, "ipv6-icmp") == 0)
        return 58;
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strcasecmp(protocols[i].name, name) == 0)
            return protocols[i].number;
    return -1;
}

const char *unit_name(enum unit unit)
{
    static const char *const names[] = {
        [U_NONE] = "", [U_PACKETS] = "packets", [U_OCTETS] = "bytes", [U_BITS] = "bits", [U_FLOWS] = "flows", [U_SECONDS] = "s",
        [U_BITS_PER_S] = "bit/s", [U_PACKETS_PER_S] = "packets/s", [U_OCTETS_PER_S] = "bytes/s",
        [U_OCTETS_PER_PACKET] = "bytes/packet", [U_PERCENT] = "%",
    };
    return names[unit];
}

const char *value_type_name(enum value_type type)
{
    static const char *const names[VALUE_TYPES] = {
        [T_U8] = "unsigned8", [T_U16] = "unsigned16", [T_U32] = "unsigned32", [T_U64] = "unsigned64", [T_I64] = "signed64",
        [T_F64] = "float64", [T_TIME] = "dateTimeNanoseconds", [T_DURATION] = "signed64", [T_ADDRESS] = "ipAddress",
        [T_MAC] = "macAddress", [T_TEXT] = "string", [T_FLAGS] = "unsigned16", [T_PROTO] = "unsigned8", [T_REASON] = "unsigned8",
    };
    return names[type];
}

const char *merge_rule_name(enum merge_rule rule)
{
    static const char *const names[] = { [M_KEY] = "key", [M_SUM] = "sum", [M_MIN] = "min", [M_MAX] = "max", [M_OR] = "or", [M_FIRST] = "first" };
    return names[rule];
}
