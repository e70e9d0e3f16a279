/*
 * TLS 1.3 as an observer sees it, RFC 8446: both hellos in the clear, everything after them in
 * records of random octets.
 */
#include "demo/office.h"

#define RECORD_MAX 16384

enum { CHANGE_CIPHER_SPEC = 20, HANDSHAKE = 22, APPLICATION_DATA = 23 };
enum {
    EXTENSION_NAME = 0,
    EXTENSION_GROUPS = 10,
    EXTENSION_SIGNATURES = 13,
    EXTENSION_ALPN = 16,
    EXTENSION_VERSIONS = 43,
    EXTENSION_PSK_MODES = 45,
    EXTENSION_KEY_SHARE = 51
};

static size_t open_record(struct draft *m, unsigned type, unsigned version)
{
    draft_u8(m, type);
    draft_u16(m, version);
    return draft_open(m, 2);
}

static void put_words(struct draft *m, const uint16_t *words, unsigned count)
{
    size_t at = draft_open(m, 2);
    for (unsigned i = 0; i < count; i++)
        draft_u16(m, words[i]);
    draft_close(m, at, 2);
}

static size_t open_extension(struct draft *m, unsigned type)
{
    draft_u16(m, type);
    return draft_open(m, 2);
}

static void put_name(struct draft *m, const char *name)
{
    size_t extension = open_extension(m, EXTENSION_NAME), list = draft_open(m, 2);
    draft_u8(m, 0);
    size_t at = draft_open(m, 2);
    draft_text(m, name);
    draft_close(m, at, 2);
    draft_close(m, list, 2);
    draft_close(m, extension, 2);
}

static void put_alpn(struct draft *m)
{
    size_t extension = open_extension(m, EXTENSION_ALPN), list = draft_open(m, 2);
    draft_text(m, "\x02h2\x08http/1.1");
    draft_close(m, list, 2);
    draft_close(m, extension, 2);
}

/* One x25519 share; the client's lies in a list. */
static void put_key_share(struct draft *m, struct dice *dice, bool is_client)
{
    size_t extension = open_extension(m, EXTENSION_KEY_SHARE);
    size_t list = is_client ? draft_open(m, 2) : 0;
    draft_u16(m, 0x001d);
    draft_u16(m, 32);
    demo_draft_random(m, dice, 32);
    if (is_client)
        draft_close(m, list, 2);
    draft_close(m, extension, 2);
}

static void put_client_extensions(struct draft *m, struct dice *dice, const char *name)
{
    static const uint16_t groups[] = { 0x001d, 0x0017, 0x0018 };
    static const uint16_t signatures[] = { 0x0403, 0x0804, 0x0401, 0x0503,
                                           0x0805, 0x0501, 0x0806, 0x0601 };
    size_t all = draft_open(m, 2);
    put_name(m, name);
    size_t at = open_extension(m, EXTENSION_GROUPS);
    put_words(m, groups, sizeof groups / sizeof *groups);
    draft_close(m, at, 2);
    put_alpn(m);
    at = open_extension(m, EXTENSION_SIGNATURES);
    put_words(m, signatures, sizeof signatures / sizeof *signatures);
    draft_close(m, at, 2);
    put_key_share(m, dice, true);
    at = open_extension(m, EXTENSION_PSK_MODES);
    draft_put(m, "\x01\x01", 2);
    draft_close(m, at, 2);
    at = open_extension(m, EXTENSION_VERSIONS);
    draft_put(m, "\x04\x03\x04\x03\x03", 5);
    draft_close(m, at, 2);
    draft_close(m, all, 2);
}

static void put_client_hello(struct draft *m, struct dice *dice, const char *name,
                             uint8_t session[32])
{
    static const uint16_t ciphers[] = { 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
                                        0xc02c, 0xc030, 0xcca9, 0xcca8 };
    m->size = 0;
    size_t record = open_record(m, HANDSHAKE, 0x0301);
    draft_u8(m, 1);
    size_t hello = draft_open(m, 3);
    draft_u16(m, 0x0303);
    demo_draft_random(m, dice, 32);
    draft_u8(m, 32);
    demo_draft_random(m, dice, 32);
    memcpy(session, m->octet + m->size - 32, 32);
    put_words(m, ciphers, sizeof ciphers / sizeof *ciphers);
    draft_put(m, "\x01\x00", 2);
    put_client_extensions(m, dice, name);
    draft_close(m, hello, 3);
    draft_close(m, record, 2);
}

static void put_opaque(struct draft *m, struct dice *dice, unsigned type, size_t octets)
{
    size_t record = open_record(m, type, 0x0303);
    if (type == CHANGE_CIPHER_SPEC)
        draft_u8(m, 1);
    else
        demo_draft_random(m, dice, octets);
    draft_close(m, record, 2);
}

static void put_server_hello(struct draft *m, struct dice *dice, const uint8_t session[32])
{
    m->size = 0;
    size_t record = open_record(m, HANDSHAKE, 0x0303);
    draft_u8(m, 2);
    size_t hello = draft_open(m, 3);
    draft_u16(m, 0x0303);
    demo_draft_random(m, dice, 32);
    draft_u8(m, 32);
    draft_put(m, session, 32);
    draft_u16(m, 0x1301);
    draft_u8(m, 0);
    size_t all = draft_open(m, 2);
    size_t at = open_extension(m, EXTENSION_VERSIONS);
    draft_u16(m, 0x0304);
    draft_close(m, at, 2);
    put_key_share(m, dice, false);
    draft_close(m, all, 2);
    draft_close(m, hello, 3);
    draft_close(m, record, 2);
    put_opaque(m, dice, CHANGE_CIPHER_SPEC, 0);
    /* The certificate, unless the two know each other from before. */
    bool is_resumed = dice_share(dice, 6500);
    put_opaque(m, dice, APPLICATION_DATA, is_resumed ? 120 : dice_between(dice, 1800, 3600));
}

void demo_tls_hello(struct talk *t, const char *name)
{
    struct draft *m = &t->office->draft;
    struct dice *dice = &t->office->dice;
    uint8_t session[32];
    put_client_hello(m, dice, name, session);
    demo_talk_wait(t, dice_between(dice, 200, 1500) * NS_PER_US);
    demo_talk_send(t, CLIENT, draft_view(m));
    put_server_hello(m, dice, session);
    demo_talk_wait(t, dice_between(dice, 400, 2500) * NS_PER_US);
    demo_talk_send(t, SERVER, draft_view(m));
    m->size = 0;
    put_opaque(m, dice, CHANGE_CIPHER_SPEC, 0);
    put_opaque(m, dice, APPLICATION_DATA, 53);
    demo_talk_wait(t, dice_between(dice, 300, 1200) * NS_PER_US);
    demo_talk_send(t, CLIENT, draft_view(m));
}

void demo_tls_data(struct talk *t, unsigned from, size_t octets)
{
    struct draft *m = &t->office->draft;
    while (octets > 0) {
        size_t step = octets < RECORD_MAX ? octets : RECORD_MAX;
        m->size = 0;
        put_opaque(m, &t->office->dice, APPLICATION_DATA,
                   step + 17); /* content type and authentication tag */
        demo_talk_send(t, from, draft_view(m));
        octets -= step;
    }
}
