/* Targets over base and schema: what people type (numbers, sizes, durations, instants, options,
 * addresses) and text we write. */
#include <string.h>

#include "fuzz.h"
#include "schema/schema.h"

/* An error must say something, on one line, under a code that ends in an exit status. */
static void check_error(int code, const struct err *e)
{
    FUZZ_CHECK(code == e->code && code < 0 && e->text[0] != '\0' && strchr(e->text, '\n') == NULL);
}

static void numbers(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    if (text == NULL)
        return;
    struct err e = { 0 };
    uint64_t value;
    int64_t ns;
    int code = parse_u64(text, 1, 1000000, &value, "number", &e);
    if (code == 0)
        FUZZ_CHECK(value >= 1 && value <= 1000000);
    else
        check_error(code, &e);
    if ((code = parse_size(text, &value, "size", &e)) != 0)
        check_error(code, &e);
    if ((code = parse_duration(text, &ns, "duration", &e)) == 0)
        FUZZ_CHECK(ns >= 0);
    else
        check_error(code, &e);
    free(text);
}

static void instants(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    if (text == NULL)
        return;
    struct err e = { 0 };
    int64_t ns, again;
    int code = parse_instant(text, &ns, "time", &e);
    if (code != 0) {
        check_error(code, &e);
    } else {
        struct text written = { 0 };
        text_rfc3339(&written, ns, 9);
        FUZZ_CHECK(parse_instant(written.data, &again, "time", &e) == 0 && again == ns);
        text_fini(&written);
    }
    free(text);
}

struct values {
    bool flag, no;
    const char *text;
    uint64_t count, size;
    int64_t duration;
    struct option_list list;
};

static const struct option table[] = {
    { "flag", 'f', OPTION_FLAG, offsetof(struct values, flag), NULL, "a flag" },
    { "no", 0, OPTION_NOT, offsetof(struct values, no), NULL, "a flag turned off" },
    { "text", 't', OPTION_TEXT, offsetof(struct values, text), "TEXT", "a text" },
    { "count", 'c', OPTION_COUNT, offsetof(struct values, count), "N", "a count" },
    { "size", 's', OPTION_SIZE, offsetof(struct values, size), "SIZE", "a size" },
    { "duration", 'd', OPTION_DURATION, offsetof(struct values, duration), "D", "a duration" },
    { "list", 'l', OPTION_LIST, offsetof(struct values, list), "X", "a list" },
    { 0 },
};

/* Words are parted by line ends. */
static void options(const uint8_t *data, size_t size)
{
    const struct option *const tables[] = { table, NULL };
    char *text = fuzz_text(data, size), *words[64] = { (char[]){ "verb" } }, *rest = NULL,
         *state = NULL;
    if (text == NULL)
        return;
    int count = 1;
    for (char *word = strtok_r(text, "\n", &state); word != NULL && count < 63;
         word = strtok_r(NULL, "\n", &state))
        words[count++] = word;
    struct err e = { 0 };
    struct values values = { 0 };
    struct option_list inputs = { 0 };
    int code = option_parse(count, words, tables, &values, &inputs, &rest, &e);
    if (code != 0)
        check_error(code, &e);
    option_list_fini(&inputs);
    option_list_fini(&values.list);
    free(rest);
    free(text);
}

static void addresses(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    if (text == NULL)
        return;
    struct address address = { 0 }, again = { 0 };
    if (address_parse(text, &address)) {
        struct text printed = { 0 };
        address_print(&printed, &address);
        FUZZ_CHECK(address_parse(printed.data, &again) &&
                   memcmp(&address, &again, sizeof address) == 0);
        text_fini(&printed);
    }
    struct err e = { 0 };
    if (field_find(text, &e) == NULL)
        FUZZ_CHECK(e.text[0] != '\0');
    protocol_number(text);
    free(text);
}

/* JSON strings must be valid UTF-8 without control characters, whatever the octets were. */
static void json_texts(const uint8_t *data, size_t size)
{
    struct text out = { 0 };
    text_json(&out, (const char *)data, size);
    FUZZ_CHECK(!out.is_bad && out.size >= 2 && out.data[0] == '"' && out.data[out.size - 1] == '"');
    const uint8_t *at = (const uint8_t *)out.data, *end = at + out.size;
    while (at < end) {
        unsigned more = *at < 0x80                  ? 0
                        : *at >= 0xc2 && *at < 0xe0 ? 1
                        : *at >= 0xe0 && *at < 0xf0 ? 2
                        : *at >= 0xf0 && *at < 0xf5 ? 3
                                                    : 9;
        FUZZ_CHECK(*at >= 0x20 && more < 9 && (size_t)(end - at) > more);
        FUZZ_CHECK(more < 2 || !((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
                                 (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f)));
        for (unsigned i = 1; i <= more; i++)
            FUZZ_CHECK((at[i] & 0xc0) == 0x80);
        at += 1 + more;
    }
    text_fini(&out);
    text_sql(&out, (const char *)data, size);
    text_fini(&out);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *data, size_t size);
} targets[] = { { "numbers", numbers },
                { "instants", instants },
                { "options", options },
                { "addresses", addresses },
                { "json-texts", json_texts } };

static bool base_name(unsigned index, char *name, size_t room)
{
    if (index >= sizeof targets / sizeof *targets)
        return false;
    snprintf(name, room, "%s", targets[index].name);
    return true;
}

static void base_run(unsigned index, const uint8_t *data, size_t size)
{
    targets[index].run(data, size);
}

const struct fuzz_group base_group = { base_name, base_run };
