/* Presets and keys of the metering process, see flow.h; values from spec/tools.md 6.4. */
#include <string.h>

#include "flow/flow.h"

static const struct key_field {
    const char *name;
    size_t at, size;
} key_fields[] = {
#define PART(name, member)                                                                         \
    {                                                                                              \
        name, offsetof(struct flow_key, member), sizeof(((struct flow_key *)NULL)->member)         \
    }
    PART("srcip", address[0]), PART("src", address[0]),  PART("dstip", address[1]),
    PART("dst", address[1]),   PART("proto", proto),     PART("srcport", port[0]),
    PART("sport", port[0]),    PART("dstport", port[1]), PART("dport", port[1]),
    PART("vlan", vlan),        PART("if", interface),    PART("in_if", interface),
    PART("tunnel", tunnel),
#undef PART
};
#define KEY_FIELDS (sizeof key_fields / sizeof *key_fields)
#define KEY_FIVE   "src,dst,proto,sport,dport,tunnel"

static int add_field(struct flow_key *mask, const char *name, size_t size, struct err *e)
{
    char word[32];
    const char *names[KEY_FIELDS];
    if (size >= sizeof word)
        return err_set(e, WEIR_EUSAGE,
                       "key: no field '%.*s'; 'srcip,dstip,proto,srcport,dstport' is the usual key",
                       (int)size, name);
    memcpy(word, name, size);
    word[size] = '\0';
    for (size_t i = 0; i < KEY_FIELDS; i++) {
        names[i] = key_fields[i].name;
        if (strcmp(word, names[i]) == 0) {
            memset((uint8_t *)mask + key_fields[i].at, 0xff, key_fields[i].size);
            return 0;
        }
    }
    const char *nearest = text_nearest(word, names, KEY_FIELDS);
    return err_set(
        e, WEIR_EUSAGE,
        "key: no field '%s'%s%s%s; write some of srcip,dstip,proto,srcport,dstport,vlan,if,tunnel",
        word, nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int add_fields(struct flow_key *mask, const char *text, struct err *e)
{
    int code = 0;
    while (code == 0 && *text != '\0') {
        size_t size = strcspn(text, ",");
        size_t plus = *text == '+';
        code = add_field(mask, text + plus, size - plus, e);
        text += size + (text[size] == ',');
    }
    return code;
}

int flow_key_parse(const char *text, struct flow_key *mask, struct err *e)
{
    struct flow_key made = { .version =
                                 0xff }; /* 192.0.2.1 and c000:201:: differ in nothing else */
    int code = 0;
    if (*text == '\0')
        return err_set(
            e, WEIR_EUSAGE,
            "key: no field given; write some of srcip,dstip,proto,srcport,dstport,vlan,if,tunnel");
    if (*text == '+')
        code = add_fields(&made, KEY_FIVE, e);
    if (code == 0)
        code = add_fields(&made, text, e);
    if (code == 0)
        *mask = made;
    return code;
}

bool flow_preset(const char *name, struct flow_options *options)
{
    struct flow_options made = { .idle_ns = 60 * NS_PER_S,
                                 .active_ns = 300 * NS_PER_S,
                                 .length = LENGTH_IP,
                                 .memory_octets = options->memory_octets };
    made.mask.version = 0xff;
    add_fields(&made.mask, KEY_FIVE, NULL);
    if (strcmp(name, "native") == 0) {
        made.is_biflow = made.ends_at_fin = made.attributes_fragments = true;
        made.linger_ns = 2 * NS_PER_S;
    } else if (strcmp(name, "crl") == 0) {
        made.active_ns = INT64_MAX;
    } else if (strcmp(name, "nfpcapd") == 0) {
        made.ends_at_fin = made.single_packets = true;
    } else {
        return false;
    }
    *options = made;
    return true;
}

int length_kind_parse(const char *text)
{
    static const char *const names[] = { "frame", "link", "ip", "payload" };
    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return -1;
}
