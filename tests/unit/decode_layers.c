/* What decode reads from packets, one line each; every shorter prefix must be safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "decode_text.h"

static const struct packet_case ethernet_cases[] = {
    { "TCP over IPv4", 1, ETH("0800") IPV4("002a", "06") TCP "6869",
      "ok 192.0.2.1#1234 > 192.0.2.2#80 proto 6 l3 14 ip 42 payload 2 l4 34 at 54 flags 12" },
    { "UDP over IPv6", 1, ETH("86dd") IPV6("000a", "11") UDP("000a") "6869",
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 14 ip 50 payload 2 l4 54 at 62" },
    { "padding of a short frame is no payload", 1,
      ETH("0800") IPV4("0028", "06") TCP "000000000000",
      "ok 192.0.2.1#1234 > 192.0.2.2#80 proto 6 l3 14 ip 40 payload 0 l4 34 at 54 flags 12" },
    { "one VLAN tag", 1, ETH("8100") "0064 0800" IPV4("001c", "11") UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 18 ip 28 payload 0 l4 38 at 46 vlan 100 of 1" },
    { "three tags: the outermost counts", 1,
      ETH("88a8") "6001 9100 0002 8100 0003 0800" IPV4("001c", "11") UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 26 ip 28 payload 0 l4 46 at 54 vlan 1 of 3" },
    { "VLAN 0 carries a priority only, and is a tag", 1,
      ETH("8100") "e000 0800" IPV4("001c", "11") UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 18 ip 28 payload 0 l4 38 at 46 vlan 0 of 1" },
    { "IPv4 in SNAP", 1, ETH("0024") "aaaa03 000000 0800" IPV4("001c", "11") UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 22 ip 28 payload 0 l4 42 at 50" },
    { "IPv4 in LLC", 1, ETH("001f") "060603" IPV4("001c", "11") UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 17 ip 28 payload 0 l4 37 at 45" },
    { "spanning tree", 1, ETH("0026") "424203 0000 00", "not_ip at 14" },
    { "ARP", 1, ETH("0806") "0001 0800 06 04 0001", "not_ip at 14" },
    { "neither type nor length", 1, ETH("05ff") "00", "not_ip at 14" },
    { "service instance of a backbone", 1,
      ETH("88e7") "00000001" ETH("0800") IPV4("001c", "11") UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 32 ip 28 payload 0 l4 52 at 60" },
};

static const struct packet_case link_cases[] = {
    { "raw IPv4", 101, IPV4("001c", "11") UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 0 ip 28 payload 0 l4 20 at 28" },
    { "raw IPv6", 12, IPV6("0008", "11") UDP("0008"),
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 0 ip 48 payload 0 l4 40 at 48" },
    { "raw, neither", 14, "50", "bad_ip" },
    { "IPv6 where IPv4 was promised", 228, IPV6("0008", "11") UDP("0008"), "bad_ip" },
    { "loopback, little-endian", 0, "02000000" IPV4("001c", "11") UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 4 ip 28 payload 0 l4 24 at 32" },
    { "loopback, big-endian", 0, "0000001c" IPV6("0008", "11") UDP("0008"),
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 4 ip 48 payload 0 l4 44 at 52" },
    { "OpenBSD loopback", 108, "00000018" IPV6("0008", "11") UDP("0008"),
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 4 ip 48 payload 0 l4 44 at 52" },
    { "loopback of another family", 0, "07000000 00", "not_ip" },
    { "Linux cooked", 113, "0000 0001 0006 020000000001 0000 0800" IPV4("001c", "11") UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 16 ip 28 payload 0 l4 36 at 44" },
    { "Linux cooked with a tag", 113,
      "0000 0001 0006 020000000001 0000 8100 0005 86dd" IPV6("0008", "11") UDP("0008"),
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 20 ip 48 payload 0 l4 60 at 68 vlan 5 of "
      "1" },
    { "Linux cooked, novell", 113, "0000 0001 0006 020000000001 0000 0001 ffff", "not_ip at 16" },
    { "Linux cooked v2", 276,
      "0800 0000 00000002 0001 00 06 0200000000010000" IPV4("001c", "11") UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 20 ip 28 payload 0 l4 40 at 48" },
    { "a link type nobody knows", 147, "00", "unknown_link" },
};

static const struct packet_case ip_cases[] = {
    { "options of IPv4", 101, "4600 0020 0007 0000 4011 0000" IPV4_FROM_TO "01010100" UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 0 ip 32 payload 0 l4 24 at 32" },
    { "first fragment", 101,
      "4500 0024 0007 2000 4011 0000" IPV4_FROM_TO UDP("0400") "0102030405060708",
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 0 ip 36 payload 8 l4 20 at 28 fragment 0 of "
      "7" },
    { "later fragment", 101, "4500 001c 0007 0002 4011 0000" IPV4_FROM_TO UDP("0400"),
      "ok 192.0.2.1 > 192.0.2.2 proto 17 l3 0 ip 28 payload 8 at 20 fragment 2 of 7 later" },
    { "do not fragment is no fragment", 101,
      "4500 001c 0007 4000 4011 0000" IPV4_FROM_TO UDP("0008"),
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 0 ip 28 payload 0 l4 20 at 28" },
    { "total length 0: as long as the frame", 101, IPV4("0000", "11") UDP("000a") "6869",
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 0 ip 30 payload 2 l4 20 at 28" },
    { "header length below 20", 101, "4400 001c 0007 0000 4011 0000" IPV4_FROM_TO UDP("0008"),
      "bad_ip" },
    { "total length below the header", 101, IPV4("0013", "11") UDP("0008"), "bad_ip" },
    { "all kinds of extension headers", 101,
      IPV6("0040",
           "00") "3c00 0100 00000000 2b00 0100 00000000 3300 0000 00000000"
                 "8b02 0000 00000000 0000000000000000 8c00 0000 00000000 1100 0000 00000000" UDP(
                     "0008"),
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 0 ip 104 payload 0 l4 96 at 104" },
    { "fragment header of a first fragment", 101,
      IPV6("0010", "2c") "1100 0001 00000009" UDP("0400"),
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 0 ip 56 payload 0 l4 48 at 56 fragment 0 "
      "of 9" },
    { "fragment header of a later fragment", 101,
      IPV6("0010", "2c") "1100 0008 00000009" UDP("0400"),
      "ok 2001:db8::1 > 2001:db8::2 proto 17 l3 0 ip 56 payload 8 at 48 fragment 1 of 9 later" },
    { "atomic fragment is whole", 101, IPV6("0010", "2c") "1100 0000 00000009" UDP("0008"),
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 0 ip 56 payload 0 l4 48 at 56" },
    { "no next header", 101, IPV6("0000", "3b"),
      "ok 2001:db8::1 > 2001:db8::2 proto 59 l3 0 ip 40 payload 0 l4 40 at 40" },
    { "mobility is what the packet is about", 101, IPV6("0008", "87") "3b00 0000 00000000",
      "ok 2001:db8::1 > 2001:db8::2 proto 135 l3 0 ip 48 payload 8 l4 40 at 40" },
    { "encrypted", 101, IPV6("0008", "32") "00000001 00000001",
      "ok 2001:db8::1 > 2001:db8::2 proto 50 l3 0 ip 48 payload 8 l4 40 at 40" },
    { "jumbogram", 101, IPV6("0000", "00") "1100 c204 00020010" UDP("0000"),
      "ok 2001:db8::1#1234 > 2001:db8::2#53 proto 17 l3 0 ip 131128 payload 131072 l4 48 at 56" },
    { "an extension header beyond the payload length", 101,
      IPV6("0008", "00") "1105 0104 00000000" UDP("0008"),
      "bad_extension 2001:db8::1 > 2001:db8::2 proto 17 l3 0 ip 48 payload 8 at 40" },
};

static const struct packet_case transport_cases[] = {
    { "ICMP has type and code", 101, IPV4("001c", "01") "0301 0000 00000000",
      "ok 192.0.2.1#0 > 192.0.2.2#769 proto 1 l3 0 ip 28 payload 0 l4 20 at 28" },
    { "ICMPv6", 101, IPV6("0008", "3a") "8000 0000 00000000",
      "ok 2001:db8::1#0 > 2001:db8::2#32768 proto 58 l3 0 ip 48 payload 0 l4 40 at 48" },
    { "TCP with options", 101,
      IPV4("002c", "06") "04d2 0050 00000001 00000000 6002 1000 0000 0000 020405b4",
      "ok 192.0.2.1#1234 > 192.0.2.2#80 proto 6 l3 0 ip 44 payload 0 l4 20 at 44 flags 2" },
    { "TCP header length below 20", 101,
      IPV4("0028", "06") "04d2 0050 00000001 00000000 4002 1000 0000 0000",
      "bad_transport 192.0.2.1#1234 > 192.0.2.2#80 proto 6 l3 0 ip 40 payload 0 l4 20 at 40 flags "
      "2" },
    { "TCP options beyond the IP length", 101,
      IPV4("0028", "06") "04d2 0050 00000001 00000000 f002 1000 0000 0000",
      "bad_transport 192.0.2.1#1234 > 192.0.2.2#80 proto 6 l3 0 ip 40 payload 0 l4 20 flags 2" },
    { "ports within the IP length, the rest beyond it", 101, IPV4("001c", "06") TCP,
      "bad_transport 192.0.2.1#1234 > 192.0.2.2#80 proto 6 l3 0 ip 28 payload 0 l4 20" },
    { "UDP length below its header", 101, IPV4("001c", "11") UDP("0007"),
      "bad_transport 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 0 ip 28 payload 0 l4 20 at 28" },
    { "UDP length beyond the IP length", 101, IPV4("001c", "11") UDP("0009"),
      "bad_transport 192.0.2.1#1234 > 192.0.2.2#53 proto 17 l3 0 ip 28 payload 0 l4 20 at 28" },
    { "SCTP", 101, IPV4("0024", "84") "04d2 0035 00000000 00000000 00000004",
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 132 l3 0 ip 36 payload 4 l4 20 at 32" },
    { "DCCP", 101, IPV4("0024", "21") "04d2 0035 04000000 00000000 00000000",
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 33 l3 0 ip 36 payload 0 l4 20 at 36" },
    { "UDP-Lite: the length is a coverage", 101, IPV4("001e", "88") UDP("0008") "6869",
      "ok 192.0.2.1#1234 > 192.0.2.2#53 proto 136 l3 0 ip 30 payload 2 l4 20 at 28" },
    { "IGMP has no ports", 101, IPV4("001c", "02") "1100 0000 e0000001",
      "ok 192.0.2.1 > 192.0.2.2 proto 2 l3 0 ip 28 payload 8 l4 20 at 20" },
    { "AH in IPv4 is a protocol", 101, IPV4("001c", "33") "0604 0000 00000001",
      "ok 192.0.2.1 > 192.0.2.2 proto 51 l3 0 ip 28 payload 8 l4 20 at 20" },
};

#define CHECK_ALL(table, enters)                                                                   \
    for (size_t i = 0; i < sizeof(table) / sizeof *(table); i++)                                   \
    check_case(&(table)[i], enters)

static void ethernet_and_tags_are_read(void **state)
{
    (void)state;
    CHECK_ALL(ethernet_cases, false);
}

static void each_link_type_leads_to_ip(void **state)
{
    (void)state;
    CHECK_ALL(link_cases, false);
}

static void ip_headers_are_read_and_checked(void **state)
{
    (void)state;
    CHECK_ALL(ip_cases, false);
}

static void transport_headers_are_read_and_checked(void **state)
{
    (void)state;
    CHECK_ALL(transport_cases, false);
}

static void link_length_is_without_the_ethernet_header_only(void **state)
{
    (void)state;
    struct layers l;
    uint8_t octets[20] = { 0 };
    struct packet p = { .data = octets, .caplen = 20, .wirelen = 1000, .link = 1 };
    decode_packet(&p, &(struct decode_options){ 0 }, &l);
    assert_int_equal(l.link_octets, 986);
    p.link = 101;
    decode_packet(&p, &(struct decode_options){ 0 }, &l);
    assert_int_equal(l.link_octets, 1000);
    p = (struct packet){ .data = NULL, .wirelen = 3, .link = 1 };
    decode_packet(&p, &(struct decode_options){ 0 }, &l);
    assert_int_equal(l.link_octets, 0);
    assert_int_equal(l.verdict, REASON_short_link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ethernet_and_tags_are_read),
        cmocka_unit_test(each_link_type_leads_to_ip),
        cmocka_unit_test(ip_headers_are_read_and_checked),
        cmocka_unit_test(transport_headers_are_read_and_checked),
        cmocka_unit_test(link_length_is_without_the_ethernet_header_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
