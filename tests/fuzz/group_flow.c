/* Targets over flow: key lists, presets, and the Community ID of any tuple. */
#include <string.h>

#include "flow/flow.h"
#include "fuzz.h"

static void keys(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    if (text == NULL)
        return;
    struct err e = { 0 };
    struct flow_options options = { 0 };
    int code = flow_key_parse(text, &options.mask, &e);
    FUZZ_CHECK(code == 0 || (code == WEIR_EUSAGE && e.text[0] != '\0'));
    flow_preset(text, &options);
    free(text);
}

/* The ID does not depend on direction, and has one form. ICMP has a direction of its own: there the
 * reply is another message. */
static void community_ids(const uint8_t *data, size_t size)
{
    uint8_t in[38] = { 0 };
    memcpy(in, data, size < sizeof in ? size : sizeof in);
    struct address a = in[0] & 1 ? address_of_ip6(in + 6) : address_of_ip4(in + 6);
    struct address b = in[0] & 1 ? address_of_ip6(in + 22) : address_of_ip4(in + 22);
    uint16_t port_a = load_be16(in + 2), port_b = load_be16(in + 4);
    struct text forward = { 0 }, reverse = { 0 };
    community_id(&a, &b, in[1], port_a, port_b, &forward);
    community_id(&b, &a, in[1], port_b, port_a, &reverse);
    FUZZ_CHECK(forward.size == 0 || (forward.size == 30 && memcmp(forward.data, "1:", 2) == 0));
    if (in[1] != 1 && in[1] != 58)
        FUZZ_CHECK(forward.size == reverse.size &&
                   memcmp(forward.data, reverse.data, forward.size) == 0);
    text_fini(&forward);
    text_fini(&reverse);
}

static bool flow_name(unsigned index, char *name, size_t room)
{
    if (index > 1)
        return false;
    snprintf(name, room, "%s", index == 0 ? "keys" : "community-ids");
    return true;
}

static void flow_run(unsigned index, const uint8_t *data, size_t size)
{
    (index == 0 ? keys : community_ids)(data, size);
}

const struct fuzz_group flow_group = { flow_name, flow_run };
