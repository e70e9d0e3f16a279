/* The rarer links and the tunnels: what decode reads from them, one line each; every shorter prefix
 * must be safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "decode_text.h"

#define UDP4 IPV4("001c", "11") UDP("0008")
#define SNAP "aaaa03 000000 0800 "
#define AT(l3, l4, payload)                                                                        \
    "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 " #l3 " ip 28 payload 0 l4 " #l4 " at " #payload

static const struct packet_case serial_cases[] = {
    { "PPP without framing", 9, "0021" UDP4, AT(2, 22, 30) },
    { "PPP with framing", 9, "ff03 0021" UDP4, AT(4, 24, 32) },
    { "PPP with a short protocol", 50, "ff03 21" UDP4, AT(3, 23, 31) },
    { "PPP link type with Cisco's framing", 50, "0f00 0800" UDP4, AT(4, 24, 32) },
    { "PPP with a direction", 204, "01 ff03 0021" UDP4, AT(5, 25, 33) },
    { "PPP of pppd", 166, "00 03 0021" UDP4, AT(4, 24, 32) },
    { "PPP, another protocol", 9, "c021 0101", "not_ip at 2" },
    { "PPPoE session", 51, "1100 0001 001e 0021" UDP4, AT(8, 28, 36) },
    { "PPPoE under Ethernet", 1, ETH("8864") "1100 0001 001e 0021" UDP4, AT(22, 42, 50) },
    { "PPPoE with a code", 51, "1109 0000 0000", "not_ip" },
    { "PPPoE of another version", 51, "2100 0000 0000", "bad_link" },
    { "Cisco HDLC", 104, "0f00 0800" UDP4, AT(4, 24, 32) },
    { "frame relay, RFC 2427", 107, "1841 03 cc" UDP4, AT(4, 24, 32) },
    { "frame relay, SNAP", 107, "1841 03 00 80 000000 0800" UDP4, AT(10, 30, 38) },
    { "frame relay, Cisco", 107, "1841 0800" UDP4, AT(4, 24, 32) },
    { "frame relay, bridged Ethernet", 107, "1841 03 00 80 0080c2 0007" ETH("0800") UDP4,
      AT(24, 44, 52) },
    { "MPLS, one label", 219, "00010140" UDP4, AT(4, 24, 32) " mpls 1" },
    { "MPLS under Ethernet, two labels", 1, ETH("8847") "00010040 00020140" UDP4,
      AT(22, 42, 50) " mpls 2" },
    { "MPLS with Ethernet behind a control word", 219, "00010140 00000000" ETH("0800") UDP4,
      AT(22, 42, 50) " mpls 1" },
    { "MPLS with Ethernet at once", 219, "00010140" ETH("0800") UDP4, AT(18, 38, 46) " mpls 1" },
    { "MPLS with Ethernet whose address looks like IPv4", 219,
      "00010140"
      "450000ffffff 020000000001 0800" UDP4,
      AT(18, 38, 46) " mpls 1" },
    { "security group of Cisco", 1, ETH("8909") "01 01 0001 0002 0800" UDP4, AT(22, 42, 50) },
    { "FabricPath", 1, ETH("8903") "0001" ETH("0800") UDP4, AT(30, 50, 58) },
    { "MACsec, only signed", 1, ETH("88e5") "20 00 00000001 0200000000010001 0800" UDP4,
      AT(30, 50, 58) },
    { "MACsec, encrypted", 1, ETH("88e5") "2c 00 00000001 0200000000010001 0800" UDP4,
      "not_ip at 14" },
    { "VN-Tag", 1, ETH("8926") "00000000 0800" UDP4, AT(20, 40, 48) },
    { "bridge port extension", 1, ETH("893f") "000000000000 0800" UDP4, AT(22, 42, 50) },
    { "service chain", 1, ETH("894f") "0fc2 02 01 00000100" UDP4, AT(22, 42, 50) },
    { "switch tag", 284, "020000000002 020000000001 c0000001 0800" UDP4, AT(18, 38, 46) },
    { "switch tag with a type", 285, "020000000002 020000000001 dada0000 c0000001 0800" UDP4,
      AT(22, 42, 50) },
    { "switch tag before the frame", 282, "00000001" ETH("0800") UDP4, AT(18, 38, 46) },
    { "PPPoE length leaves out what follows", 51, "1100 0001 0016 0021" UDP4,
      "short_transport 192.0.2.1 > 192.0.2.2 proto 17 l3 8 ip 28 payload 0 l4 28" },
    { "MPLS with something else", 219, "00010140 10000021 0000", "not_ip at 4 mpls 1" },
};

static const struct packet_case wifi_cases[] = {
    { "data", 105, "0801 0000 020000000001 020000000002 020000000003 0000" SNAP UDP4,
      AT(32, 52, 60) },
    { "QoS data", 105, "8801 0000 020000000001 020000000002 020000000003 0000 0000" SNAP UDP4,
      AT(34, 54, 62) },
    { "four addresses", 105,
      "0803 0000 020000000001 020000000002 020000000003 0000 020000000004" SNAP UDP4,
      AT(38, 58, 66) },
    { "QoS data with HT control", 105,
      "8881 0000 020000000001 020000000002 020000000003 0000 0000 00000000" SNAP UDP4,
      AT(38, 58, 66) },
    { "aggregate", 105,
      "8801 0000 020000000001 020000000002 020000000003 0000 8000" MACS "0024" SNAP UDP4,
      AT(48, 68, 76) },
    { "encrypted", 105, "0841 0000 020000000001 020000000002 020000000003 0000 00", "not_ip" },
    { "without data", 105, "4801 0000 020000000001 020000000002 020000000003 0000", "not_ip" },
    { "beacon", 105, "8000 0000 ffffffffffff 020000000002 020000000003 0000", "not_ip" },
    { "radiotap", 127,
      "0000 0800 00000000 0801 0000 020000000001 020000000002 020000000003 0000" SNAP UDP4,
      AT(40, 60, 68) },
    { "radiotap with time, and padding behind the frame header", 127,
      "0000 1100 03000000 0000000000000000 20 8801 0000 020000000001 020000000002 020000000003 "
      "0000 0000 0000" SNAP UDP4,
      AT(53, 73, 81) },
    { "radiotap with more words of fields", 127,
      "0000 0d00 02000080 00000000 00 0801 0000 020000000001 020000000002 020000000003 0000" SNAP
          UDP4,
      AT(45, 65, 73) },
    { "radiotap of another version", 127, "0100 0800 00000000", "bad_link" },
    { "Prism", 119,
      "44000000 0c000000 00000000 0801 0000 020000000001 020000000002 020000000003 0000" SNAP UDP4,
      AT(44, 64, 72) },
    { "AVS", 163,
      "80211001 0000000c 00000000 0801 0000 020000000001 020000000002 020000000003 0000" SNAP UDP4,
      AT(44, 64, 72) },
    { "AVS as Prism", 119,
      "80211001 0000000c 00000000 0801 0000 020000000001 020000000002 020000000003 0000" SNAP UDP4,
      AT(44, 64, 72) },
};

static const struct packet_case other_cases[] = {
    { "PPI", 192, "00000800 01000000" ETH("0800") UDP4, AT(22, 42, 50) },
    { "PPI of a link nobody knows", 192, "00000800 93000000 00", "unknown_link" },
    { "PKTAP", 258, "0c000000 01000000 65000000" UDP4, AT(12, 32, 40) },
    { "PFLOG", 117, "05 02 00 00 00000000" UDP4, AT(8, 28, 36) },
    { "NFLOG", 239, "0200 0000 0600 0100 0800 0000 2000 0900" UDP4, AT(16, 36, 44) },
    { "NFLOG without packet", 239, "0200 0000 0600 0100 0800 0000", "not_ip" },
    { "ENC", 109, "02000000 00000000 00000000" UDP4, AT(12, 32, 40) },
    { "IPNET", 226, "01 02 0000 00000000 00000000 00000000 00000000 00000000" UDP4,
      AT(24, 44, 52) },
    { "Token Ring", 6, "1040 020000000002 020000000001" SNAP UDP4, AT(22, 42, 50) },
    { "Token Ring with a route", 6, "1040 020000000002 820000000001 0630 0000 0000" SNAP UDP4,
      AT(28, 48, 56) },
    { "FDDI", 10, "50 020000000002 020000000001" SNAP UDP4, AT(21, 41, 49) },
    { "ARCNET, old", 7, "0102 f0" UDP4, AT(3, 23, 31) },
    { "ARCNET", 7, "0102 d4 00 0001" UDP4, AT(6, 26, 34) },
    { "ARCNET, Linux", 129, "0102 0000 d4 00 0001" UDP4, AT(8, 28, 36) },
    { "ATM", 100, SNAP UDP4, AT(8, 28, 36) },
    { "ATM of SunOS", 123, "02000005" SNAP UDP4, AT(12, 32, 40) },
    { "Fibre Channel", 122, "0000000000000000 0000000000000000" SNAP UDP4, AT(24, 44, 52) },
    { "FireWire", 138, "0000000000000000 0000000000000000 0800" UDP4, AT(18, 38, 46) },
    { "SLIP", 8, "00000000000000000000000000000000" UDP4, AT(16, 36, 44) },
};

/* The packet outside is from 192.0.2.1 to 192.0.2.2 or 2001:db8::1 to ::2, the one inside
 * from 10.0.0.1 to 10.0.0.2. */
#define INNER "4500 001c 0007 0000 4011 0000 0a000001 0a000002 " UDP("0008")
#define OUTER(proto, octets, payload, tunnel)                                                      \
    "ok 192.0.2.1 > 192.0.2.2 proto " #proto " l3 0 ip " #octets " payload " #payload              \
    " l4 20 at 20 tunnel " tunnel
#define OUTER_UDP(src, dst, octets, payload, tunnel)                                               \
    "ok 192.0.2.1#" #src " > 192.0.2.2#" #dst " proto 17 l3 0 ip " #octets " payload " #payload    \
    " l4 20 at 28 tunnel " tunnel
#define INSIDE(l3, l4, payload, tunnel)                                                            \
    "ok 10.0.0.1#1234 > 10.0.0.2#53 proto 17 l3 " #l3 " ip 28 payload 0 l4 " #l4 " at " #payload   \
    " tunnel " tunnel " entered"

struct tunnel_case {
    const char *name, *hex, *outside, *inside;
};

static const struct tunnel_case tunnel_cases[] = {
    { "IPv4 in IPv4", IPV4("0030", "04") INNER, OUTER(4, 48, 28, "ipip"),
      INSIDE(20, 40, 48, "ipip") },
    { "IPv6 in IPv4", IPV4("0044", "29") IPV6("0008", "11") UDP("0008"), OUTER(41, 68, 48, "6in4"),
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 20 ip 48 payload 0 l4 60 at 68 tunnel 6in4 "
      "entered" },
    { "IPv4 in IPv6", IPV6("001c", "04") INNER,
      "ok 2001:db8::1 > 2001:db8::2 proto 4 l3 0 ip 68 payload 28 l4 40 at 40 tunnel 4in6",
      INSIDE(40, 60, 68, "4in6") },
    { "GRE", IPV4("0034", "2f") "0000 0800" INNER, OUTER(47, 52, 32, "gre"),
      INSIDE(24, 44, 52, "gre") },
    { "GRE with checksum, key and sequence number",
      IPV4("0040", "2f") "b000 0800 00000000 00000001 00000002" INNER, OUTER(47, 64, 44, "gre"),
      INSIDE(36, 56, 64, "gre") },
    { "GRE with a source route",
      IPV4("0044", "2f") "4000 0800 00000000 0800 0004 0a000009 0000 0000" INNER,
      OUTER(47, 68, 48, "gre"), INSIDE(40, 60, 68, "gre") },
    { "Ethernet in GRE", IPV4("0042", "2f") "0000 6558" ETH("0800") INNER, OUTER(47, 66, 46, "gre"),
      INSIDE(38, 58, 66, "gre") },
    { "MPLS in GRE", IPV4("0038", "2f") "0000 8847 00010140" INNER, OUTER(47, 56, 36, "gre"),
      "ok 10.0.0.1#1234 > 10.0.0.2#53 proto 17 l3 28 ip 28 payload 0 l4 48 at 56 mpls 1 tunnel gre "
      "entered" },
    { "PPP in enhanced GRE",
      IPV4("0044", "2f") "3081 880b 00200001 00000001 00000001 ff03 0021" INNER,
      "ok 192.0.2.1 > 192.0.2.2 proto 47 l3 0 ip 68 payload 48 l4 20 at 20 tunnel gre",
      INSIDE(40, 60, 68, "gre") },
    { "acknowledgement of enhanced GRE", IPV4("0020", "2f") "2081 880b 00000001 00000001",
      OUTER(47, 32, 12, "gre"), OUTER(47, 32, 12, "gre") },
    { "keepalive of GRE is no IP", IPV4("0018", "2f") "0000 0000", OUTER(47, 24, 4, "gre"),
      OUTER(47, 24, 4, "gre") },
    { "GRE of another version", IPV4("0018", "2f") "0002 0800", OUTER(47, 24, 4, "gre"),
      "bad_tunnel 192.0.2.1 > 192.0.2.2 proto 47 l3 0 ip 24 payload 4 l4 20 at 20 tunnel gre" },
    { "ERSPAN I", IPV4("0042", "2f") "0000 88be" ETH("0800") INNER, OUTER(47, 66, 46, "erspan"),
      INSIDE(38, 58, 66, "erspan") },
    { "ERSPAN II", IPV4("004e", "2f") "1000 88be 00000001 10000001 00000000" ETH("0800") INNER,
      OUTER(47, 78, 58, "erspan"), INSIDE(50, 70, 78, "erspan") },
    { "ERSPAN III with a platform header",
      IPV4("005a",
           "2f") "1000 22eb 00000001 20000001 00000000 00000001 0000000000000000" ETH("0800") INNER,
      OUTER(47, 90, 70, "erspan"), INSIDE(62, 82, 90, "erspan") },
    { "EtherIP", IPV4("0040", "61") "3000" ETH("0800") INNER, OUTER(97, 64, 44, "etherip"),
      INSIDE(36, 56, 64, "etherip") },
    { "VXLAN",
      IPV4("004e", "11") PORTS("c000", "12b5", "003a") "08000000 00000100" ETH("0800") INNER,
      OUTER_UDP(49152, 4789, 78, 50, "vxlan"), INSIDE(50, 70, 78, "vxlan") },
    { "ARP in VXLAN is metered outside",
      IPV4("0032", "11") PORTS("c000", "12b5", "001e") "08000000 00000100" ETH("0806"),
      OUTER_UDP(49152, 4789, 50, 22, "vxlan"), OUTER_UDP(49152, 4789, 50, 22, "vxlan") },
    { "port of VXLAN, something else",
      IPV4("0024", "11") PORTS("c000", "12b5", "0010") "00000000 00000000",
      "ok 192.0.2.1#49152 > 192.0.2.2#4789 proto 17 l3 0 ip 36 payload 8 l4 20 at 28",
      "ok 192.0.2.1#49152 > 192.0.2.2#4789 proto 17 l3 0 ip 36 payload 8 l4 20 at 28" },
    { "VXLAN GPE with IPv4",
      IPV4("0040", "11") PORTS("c000", "12b6", "002c") "0c000001 00000100" INNER,
      OUTER_UDP(49152, 4790, 64, 36, "vxlan"), INSIDE(36, 56, 64, "vxlan") },
    { "Geneve with an option",
      IPV4("0056", "11")
          PORTS("c000", "17c1", "0042") "02006558 00000100 0102030401000000" ETH("0800") INNER,
      OUTER_UDP(49152, 6081, 86, 58, "geneve"), INSIDE(58, 78, 86, "geneve") },
    { "GTP-U", IPV4("0040", "11") PORTS("0868", "0868", "002c") "30ff001c 00000001" INNER,
      OUTER_UDP(2152, 2152, 64, 36, "gtpu"), INSIDE(36, 56, 64, "gtpu") },
    { "GTP-U with an extension",
      IPV4("0048", "11") PORTS("0868", "0868", "0034") "34ff0024 00000001 00010085 01100900" INNER,
      OUTER_UDP(2152, 2152, 72, 44, "gtpu"), INSIDE(44, 64, 72, "gtpu") },
    { "echo of GTP-U has nothing inside",
      IPV4("0024", "11") PORTS("0868", "0868", "0010") "30010000 00000000",
      "ok 192.0.2.1#2152 > 192.0.2.2#2152 proto 17 l3 0 ip 36 payload 8 l4 20 at 28",
      "ok 192.0.2.1#2152 > 192.0.2.2#2152 proto 17 l3 0 ip 36 payload 8 l4 20 at 28" },
    { "Teredo with authentication and origin",
      IPV4("0061", "11")
          PORTS("c000", "0dd8", "004d") "00010000 0000000000000000 00 0000 ffff 00000000" IPV6(
              "0008", "11") UDP("0008"),
      OUTER_UDP(49152, 3544, 97, 69, "teredo"),
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 49 ip 48 payload 0 l4 89 at 97 tunnel "
      "teredo entered" },
    { "two tunnels: the outermost is named, the innermost packet is the key",
      IPV4("005c", "2f") "0000 0800" IPV4("0044", "04") IPV4("0030", "04") INNER,
      "ok 192.0.2.1 > 192.0.2.2 proto 47 l3 0 ip 92 payload 72 l4 20 at 20 tunnel gre",
      INSIDE(64, 84, 92, "gre") },
    { "damaged packet inside",
      IPV4("0034", "2f") "0000 0800"
                         "4400 001c 0007 0000 4011 0000" IPV4_FROM_TO "0000000000000000",
      OUTER(47, 52, 32, "gre"),
      "bad_tunnel 192.0.2.1 > 192.0.2.2 proto 47 l3 0 ip 52 payload 32 l4 20 at 20 tunnel gre" },
};

#define CHECK_ALL(table)                                                                           \
    for (size_t i = 0; i < sizeof(table) / sizeof *(table); i++)                                   \
    check_case(&(table)[i], false)

static void serial_lines_and_labels_are_read(void **state)
{
    (void)state;
    CHECK_ALL(serial_cases);
}

static void wireless_data_frames_are_read(void **state)
{
    (void)state;
    CHECK_ALL(wifi_cases);
}

static void wrappers_and_rare_networks_are_read(void **state)
{
    (void)state;
    CHECK_ALL(other_cases);
}

static void tunnels_are_named_and_entered_when_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tunnel_cases / sizeof *tunnel_cases; i++) {
        const struct tunnel_case *t = &tunnel_cases[i];
        check_case(&(struct packet_case){ t->name, 101, t->hex, t->outside }, false);
        check_case(&(struct packet_case){ t->name, 101, t->hex, t->inside }, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serial_lines_and_labels_are_read),
        cmocka_unit_test(wireless_data_frames_are_read),
        cmocka_unit_test(wrappers_and_rare_networks_are_read),
        cmocka_unit_test(tunnels_are_named_and_entered_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
