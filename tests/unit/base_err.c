/* Messages: one line whatever they quote, context in front, exit statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

static void a_message_is_one_line_whatever_it_quotes(void **state)
{
    (void)state;
    struct err e = { 0 };
    assert_int_equal(err_set(&e, WEIR_EUSAGE, "no file '%s'", "a\nb\x1b[31m"), WEIR_EUSAGE);
    assert_string_equal(e.text, "no file 'a?b?[31m'");
    assert_int_equal(err_wrap(&e, "in '%s'", "x\ty"), WEIR_EUSAGE);
    assert_string_equal(e.text, "in 'x?y': no file 'a?b?[31m'");
}

static void a_word_too_long_to_measure_has_no_nearest_name(void **state)
{
    (void)state;
    const char *const names[] = { "start", "end" };
    char word[1000];
    memset(word, 'x', sizeof word);
    word[sizeof word - 1] = '\0';
    assert_null(text_nearest(word, names, 2));
    assert_string_equal(text_nearest("stat", names, 2), "start");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_one_line_whatever_it_quotes),
        cmocka_unit_test(a_word_too_long_to_measure_has_no_nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
