/* What a hostile packet can ask for is bounded: the limits show in the verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "decode_text.h"

#define UDP4 IPV4("001c", "11") UDP("0008")

/* `head`, `count` times `repeated`, `tail`, decoded as link type `link`. */
static void decode_repeated(uint16_t link, bool enters, const char *head, const char *repeated,
                            unsigned count, const char *tail, struct layers *l)
{
    struct text hex = { 0 };
    text_add(&hex, head);
    for (unsigned i = 0; i < count; i++)
        text_add(&hex, repeated);
    text_add(&hex, tail);
    struct bytes all = hex_new(hex.data);
    decode_some(&(struct packet_case){ .link = link }, all, all.size, enters, l);
    free((void *)(uintptr_t)all.data);
    text_fini(&hex);
}

static void tags_and_labels_are_limited(void **state)
{
    (void)state;
    struct layers l;
    decode_repeated(1, false, ETH("8100"), "0001 8100", DECODE_TAGS_MAX - 1, "0002 0800" UDP4, &l);
    assert_int_equal(l.verdict, REASON_none);
    assert_int_equal(l.vlan_count, DECODE_TAGS_MAX);
    decode_repeated(1, false, ETH("8100"), "0001 8100", DECODE_TAGS_MAX, "0002 0800" UDP4, &l);
    assert_int_equal(l.verdict, REASON_bad_link);
    decode_repeated(219, false, "", "00010040", DECODE_TAGS_MAX - 1, "00010140" UDP4, &l);
    assert_int_equal(l.verdict, REASON_none);
    assert_int_equal(l.mpls_count, DECODE_TAGS_MAX);
    decode_repeated(219, false, "", "00010040", DECODE_TAGS_MAX, "00010140" UDP4, &l);
    assert_int_equal(l.verdict, REASON_bad_link);
}

static void extension_headers_are_limited(void **state)
{
    (void)state;
    struct layers l;
    const char *destination = "3c00 0104 00000000";
    decode_repeated(101, false, IPV6("0100", "3c"), destination, DECODE_EXTENSIONS_MAX - 1,
                    "1100 0104 00000000" UDP("0008"), &l);
    assert_int_equal(l.key.port[1], 53);
    decode_repeated(101, false, IPV6("0100", "3c"), destination, DECODE_EXTENSIONS_MAX,
                    "1100 0104 00000000" UDP("0008"), &l);
    assert_int_equal(l.verdict, REASON_bad_extension);
    assert_int_equal(l.key.version, 6);
    assert_int_equal(l.flags & PACKET_PORTS, 0);
}

static void tunnels_are_limited(void **state)
{
    (void)state;
    struct layers l;
    decode_repeated(101, true, "", IPV4("0000", "04"), DECODE_TUNNELS_MAX, UDP4, &l);
    assert_int_equal(l.verdict, REASON_none);
    assert_int_equal(l.key.port[1], 53);
    decode_repeated(101, true, "", IPV4("0000", "04"), 64, UDP4, &l);
    assert_int_equal(l.verdict, REASON_bad_tunnel);
    assert_int_equal(l.l3, 20 * DECODE_TUNNELS_MAX);
    assert_int_equal(l.key.proto, 4);
    decode_repeated(101, false, "", IPV4("0000", "04"), 64, UDP4, &l);
    assert_int_equal(l.verdict, REASON_none);
    assert_int_equal(l.l3, 0);
}

static void headers_of_any_kind_are_limited(void **state)
{
    (void)state;
    struct layers l;
    decode_repeated(192, false, "", "00000800 c0000000", 1000, "00000800 65000000" UDP4, &l);
    assert_int_equal(l.verdict, REASON_bad_link);
    /* Pseudowires: Ethernet in MPLS in Ethernet ... */
    decode_repeated(1, false, "", ETH("8847") "00010140", 1000, ETH("0800") UDP4, &l);
    assert_int_equal(l.verdict, REASON_bad_link);
    decode_repeated(1, false, "", ETH("88e7") "00000001", 1000, ETH("0800") UDP4, &l);
    assert_int_equal(l.verdict, REASON_bad_link);
}

static void lists_within_headers_are_limited(void **state)
{
    (void)state;
    struct layers l;
    decode_repeated(101, true, IPV4("0000", "2f") "4000 0800 00000000", "0800 0004 0a000001", 1000,
                    "0000 0000" UDP4, &l);
    assert_int_equal(l.verdict, REASON_bad_tunnel);
    assert_int_equal(l.key.proto, 47);
    decode_repeated(101, true,
                    IPV4("0000", "11") PORTS("0868", "0868", "0f00") "34ff0f00 00000001 00010085",
                    "01100985", 1000, UDP4, &l);
    assert_int_equal(l.verdict, REASON_bad_tunnel);
    decode_repeated(239, false, "0200 0000", "0400 0100", 1000, "2000 0900" UDP4, &l);
    assert_int_equal(l.verdict, REASON_bad_link);
    decode_repeated(127, false, "0000 b00f 00000080", "00000080", 1000, "", &l);
    assert_int_equal(l.verdict, REASON_short_link);
}

static void every_shorter_prefix_of_the_worst_is_safe(void **state)
{
    (void)state;
    struct text hex = { 0 };
    text_add(&hex, ETH("8100"));
    for (unsigned i = 0; i < 8; i++)
        text_add(&hex, "0001 8100");
    text_add(&hex, "0001 86dd" IPV6("0000", "00") "0400 c204 00020010");
    for (unsigned i = 0; i < 4; i++)
        text_add(&hex, IPV4("0000", "2f") "b000 6558 00000000 00000001 00000002" ETH(
                           "8847") "00010040 00010140");
    text_add(&hex,
             IPV4("0000", "11") PORTS("c000", "12b5", "0000") "08000000 00000100" ETH("0800") UDP4);
    struct bytes all = hex_new(hex.data);
    for (size_t size = 0; size <= all.size; size++) {
        struct layers l;
        decode_some(&(struct packet_case){ .link = 1 }, all, size, true, &l);
        assert_true(l.payload == 0xffff || l.payload <= size);
    }
    free((void *)(uintptr_t)all.data);
    text_fini(&hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_and_labels_are_limited),
        cmocka_unit_test(extension_headers_are_limited),
        cmocka_unit_test(tunnels_are_limited),
        cmocka_unit_test(headers_of_any_kind_are_limited),
        cmocka_unit_test(lists_within_headers_are_limited),
        cmocka_unit_test(every_shorter_prefix_of_the_worst_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
