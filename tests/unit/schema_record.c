/* Dictionary, batches, values as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/schema.h"

static void record_types_are_made_of_dictionary_fields(void **state)
{
    (void)state;
    const struct record_type *flow = &record_types[RECORD_flow];
    assert_int_equal(record_column_find(flow, "start"), 0);
    assert_int_equal(record_column_find(flow, "community_id"), (int)flow->column_count - 1);
    assert_int_equal(RECORD_COLUMN(ledger, items), 5);
    assert_int_equal(flow->column[RECORD_COLUMN(flow, src)].type, T_ADDRESS);
    assert_string_equal(record_types[RECORD_ledger].column[RECORD_COLUMN(ledger, reason)].name, "reason");
    struct err e;
    assert_ptr_equal(field_find("SOURCEIPV4ADDRESS", &e), &fields[FIELD_src]);
    assert_null(field_find("srcc", &e));
    assert_non_null(strstr(e.text, "did you mean src?"));
}

static void addresses_print_as_rfc_5952_says(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "192.0.2.1", "192.0.2.1" }, { "0.0.0.0", "0.0.0.0" }, { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
        { "2001:DB8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" }, { "::", "::" }, { "::1", "::1" }, { "fe80::", "fe80::" },
        { "::ffff:192.0.2.1", "::ffff:192.0.2.1" }, { "1:0:0:2:0:0:0:3", "1:0:0:2::3" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address a;
        struct text t = { 0 };
        assert_true(address_parse(cases[i][0], &a));
        address_print(&t, &a);
        assert_string_equal(t.data, cases[i][1]);
        text_fini(&t);
    }
}

static void a_batch_knows_values_from_gaps(void **state)
{
    (void)state;
    struct record_batch *b = record_batch_new(&record_types[RECORD_flow], 4);
    uint64_t *packets = record_batch_column(b, RECORD_COLUMN(flow, packets));
    packets[0] = 7;
    assert_int_equal(record_batch_set_null(b, RECORD_COLUMN(flow, packets), 1), 0);
    b->count = 2;
    record_batch_seal(b);
    assert_false(record_is_null(b, RECORD_COLUMN(flow, packets), 0));
    assert_true(record_is_null(b, RECORD_COLUMN(flow, packets), 1));
    assert_true(record_is_null(b, RECORD_COLUMN(flow, vlan), 0));
    record_batch_ref(b);
    record_batch_unref(b);
    assert_int_equal(*(const uint64_t *)record_value(b, RECORD_COLUMN(flow, packets), 0), 7);
    record_batch_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_types_are_made_of_dictionary_fields),
        cmocka_unit_test(addresses_print_as_rfc_5952_says),
        cmocka_unit_test(a_batch_knows_values_from_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
