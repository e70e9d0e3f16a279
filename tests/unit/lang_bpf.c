/* BPF on packets: per link type, messages, threads of batches, and the choice of the language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lang/lang.h"

/* UDP 192.0.2.1:1234 > 192.0.2.2:53, and the same behind an Ethernet header. */
static const uint8_t udp[] = { 0x45, 0, 0,   28, 0, 0, 0,    0,    64, 17, 0, 0, 192, 0,
                               2,    1, 192, 0,  2, 2, 0x04, 0xd2, 0,  53, 0, 8, 0,   0 };
static uint8_t ethernet[14 + sizeof udp] = { 0, 0x53, 0, 0, 0, 1, 0, 0x53, 0, 0, 0, 2, 0x08, 0 };

static struct packet packet_of(const uint8_t *data, size_t size, uint16_t link)
{
    return (struct packet){
        .data = data, .caplen = (uint32_t)size, .wirelen = (uint32_t)size, .link = link
    };
}

static void expressions_are_compiled_for_each_link_type(void **state)
{
    (void)state;
    memcpy(ethernet + 14, udp, sizeof udp);
    static struct packet_batch batch;
    batch.count = 4;
    batch.pkt[0] = packet_of(ethernet, sizeof ethernet, 1);
    batch.pkt[1] = packet_of(udp, sizeof udp, 101);
    batch.pkt[2] = packet_of(udp, sizeof udp, 228);
    batch.pkt[3] = packet_of(ethernet, 20, 1); /* cut: the ports are not there */
    static const struct {
        const char *text;
        uint8_t keep[4];
    } cases[] = { { "udp port 53", { 1, 1, 1, 0 } },
                  { "src host 192.0.2.1", { 1, 1, 1, 0 } },
                  { "dst port 1234", { 0, 0, 0, 0 } },
                  { "ether src 00:53:00:00:00:02", { 1, 0, 0, 1 } },
                  { "ip", { 1, 1, 1, 1 } },
                  { "", { 1, 1, 1, 1 } } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bpf *bpf;
        uint8_t keep[BATCH_MAX] = { 7, 7, 7, 7 };
        assert_int_equal(bpf_new(cases[i].text, &bpf, NULL), 0);
        bpf_select(bpf, &batch, keep);
        assert_memory_equal(keep, cases[i].keep, 4);
        for (unsigned k = 0; k < 4; k++)
            assert_int_equal(bpf_match(bpf, &batch.pkt[k]), keep[k]);
        struct text message = { 0 };
        bpf_message(bpf, &message);
        if (strncmp(cases[i].text, "ether", 5) == 0)
            assert_non_null(strstr(message.data, "makes no sense on link type 101 (RAW)"));
        else
            assert_int_equal(message.size, 0);
        text_fini(&message);
        bpf_free(bpf);
    }
}

/* Family of IPv6 as Linux, NetBSD, FreeBSD and macOS number it, in both byte orders. */
static void null_headers_are_read_whatever_system_wrote_them(void **state)
{
    (void)state;
    static const uint8_t families[] = { 24, 28, 30 };
    struct bpf *bpf;
    assert_int_equal(bpf_new("ip6", &bpf, NULL), 0);
    for (size_t i = 0; i < sizeof families; i++) {
        uint8_t little[44] = { families[i], 0, 0, 0, 0x60 },
                big[44] = { 0, 0, 0, families[i], 0x60 };
        struct packet a = packet_of(little, sizeof little, 0), b = packet_of(big, sizeof big, 0);
        assert_true(bpf_match(bpf, &a));
        assert_true(bpf_match(bpf, &b));
    }
    uint8_t ip4[24] = { 2, 0, 0, 0, 0x45 };
    struct packet p = packet_of(ip4, sizeof ip4, 0);
    assert_false(bpf_match(bpf, &p));
    bpf_free(bpf);
}

static void wrong_expressions_are_named(void **state)
{
    (void)state;
    struct bpf *bpf;
    struct err e;
    assert_int_equal(bpf_new("prot udp", &bpf, &e), WEIR_EUSAGE);
    assert_string_equal(e.text, "packet filter 'prot udp': can't parse filter expression: syntax "
                                "error; see pcap-filter(7)");
    assert_int_equal(bpf_new("type mgt subtype beacon", &bpf, &e), 0); /* 802.11 only */
    bpf_free(bpf);
}

static void a_text_is_bpf_if_it_can_be(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum filter_language language;
        int code;
        bool is_bpf;
    } cases[] = {
        { "udp port 53", FILTER_LANGUAGE_ANY, 0, true },
        { "ipv4", FILTER_LANGUAGE_ANY, 0, false },
        { "proto tcp", FILTER_LANGUAGE_ANY, 0, false },
        { "proto 6 and bytes > 1k", FILTER_LANGUAGE_ANY, 0, false },
        { "port 53", FILTER_LANGUAGE_ANY, 0, true },
        { "port 53", FILTER_LANGUAGE_FLOW, 0, false },
        { "udp port 53", FILTER_LANGUAGE_FLOW, WEIR_EUSAGE, false },
        { "ipv4", FILTER_LANGUAGE_BPF, WEIR_EUSAGE, false },
        { "nonsense there", FILTER_LANGUAGE_ANY, WEIR_EUSAGE, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bpf *bpf;
        struct filter *filter;
        assert_int_equal(
            lang_filter_parse_any(cases[i].text, cases[i].language, &bpf, &filter, NULL),
            cases[i].code);
        assert_int_equal(bpf != NULL, cases[i].code == 0 && cases[i].is_bpf);
        assert_int_equal(filter != NULL, cases[i].code == 0 && !cases[i].is_bpf);
        bpf_free(bpf);
        filter_free(filter);
    }
    enum filter_language language;
    struct err e;
    assert_int_equal(filter_language_parse("bfp", &language, &e), WEIR_EUSAGE);
    assert_int_equal(filter_language_parse("flow", &language, &e), 0);
    assert_int_equal(language, FILTER_LANGUAGE_FLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_are_compiled_for_each_link_type),
        cmocka_unit_test(null_headers_are_read_whatever_system_wrote_them),
        cmocka_unit_test(wrong_expressions_are_named),
        cmocka_unit_test(a_text_is_bpf_if_it_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
