/* IPFIX templates are computed from the dictionary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/wire.h"

static void a_template_lists_the_elements_of_the_dictionary(void **state)
{
    (void)state;
    static const struct column_type columns[] = {
        { "src", T_ADDRESS, U_NONE, FIELD_src },
        { "bytes", T_U64, U_OCTETS, FIELD_bytes },
        { "rev_bytes", T_U64, U_OCTETS, FIELD_rev_bytes },
        { "made_up", T_U64, U_NONE, FIELD_NONE },
        { "tunnel", T_TEXT, U_NONE, FIELD_tunnel },
    };
    static const struct record_type type = { .name = "x", .column_count = 5, .column = columns };
    static const uint8_t ip4[] = {
        1,    0,    0,    4,                      /* template 256 of 4 fields */
        0,    8,    0,    4,                      /* sourceIPv4Address */
        0,    1,    0,    8,                      /* octetDeltaCount */
        0x80, 1,    0,    8,    0, 0, 0x72, 0x79, /* its reverse, RFC 5103 */
        1,    0x21, 0xff, 0xff,                   /* tunnelTechnology, variable length */
    };
    static const uint8_t ip6[] = { 1, 1, 0, 4, 0, 27, 0, 16 };
    uint8_t to[4 + 8 * 5];
    assert_int_equal(ipfix_put_template(to, sizeof to, 256, &type, 4), sizeof ip4);
    assert_memory_equal(to, ip4, sizeof ip4);
    assert_int_equal(ipfix_put_template(to, sizeof to, 257, &type, 6), sizeof ip4);
    assert_memory_equal(to, ip6, sizeof ip6);
    assert_int_equal(ipfix_put_template(to, sizeof to - 1, 256, &type, 4), 0);
}

static void every_record_type_has_templates_that_fit_their_message(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RECORD_COUNT; i++) {
        uint8_t message[2048];
        size_t size = ipfix_put_templates(message, sizeof message, &record_types[i]);
        assert_true(size > 20);
        assert_int_equal(load_be16(message), 10);
        assert_int_equal(load_be16(message + 2), size);
        assert_int_equal(load_be16(message + 16), 2);
        assert_int_equal(load_be16(message + 18), size - 16);
        size_t at = 20; /* the templates fill the set to the octet */
        while (at < size) {
            unsigned fields_left = load_be16(message + at + 2);
            for (at += 4; fields_left > 0; fields_left--)
                at += message[at] & 0x80 ? 8 : 4;
        }
        assert_int_equal(at, size);
        uint8_t *exact = malloc(size - 1);
        assert_int_equal(ipfix_put_templates(exact, size - 1, &record_types[i]), 0);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_template_lists_the_elements_of_the_dictionary),
        cmocka_unit_test(every_record_type_has_templates_that_fit_their_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
