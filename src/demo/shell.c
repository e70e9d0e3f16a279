/* SSH, RFC 4253: versions and key exchange in the clear, then keystrokes and what they print. */
#include "demo/office.h"

enum {
    MESSAGE_KEXINIT = 20,
    MESSAGE_NEWKEYS = 21,
    MESSAGE_ECDH_INIT = 30,
    MESSAGE_ECDH_REPLY = 31
};

static void put_string(struct draft *m, const char *text)
{
    size_t at = draft_open(m, 4);
    draft_text(m, text);
    draft_close(m, at, 4);
}

static void put_random_string(struct draft *m, struct dice *dice, size_t count)
{
    size_t at = draft_open(m, 4);
    demo_draft_random(m, dice, count);
    draft_close(m, at, 4);
}

/* An unencrypted packet starts; returns its place for close_packet. */
static size_t open_packet(struct draft *m, unsigned message)
{
    m->size = 0;
    size_t at = draft_open(m, 4);
    draft_u8(m, 0); /* padding length, set at the end */
    draft_u8(m, message);
    return at;
}

static void close_packet(struct draft *m, size_t at)
{
    unsigned padding = 8 - (unsigned)(m->size % 8);
    if (padding < 4)
        padding += 8;
    draft_fill(m, 0, padding);
    m->octet[at] = (uint8_t)padding;
    draft_close(m, at, 4);
}

static void send_kexinit(struct talk *t, unsigned from)
{
    struct draft *m = &t->office->draft;
    static const char *const lists[10] = {
        "curve25519-sha256,ecdh-sha2-nistp256",
        "ssh-ed25519,rsa-sha2-512",
        "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com",
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-256-etm@openssh.com",
        "none",
        "none",
        "",
        "",
    };
    size_t at = open_packet(m, MESSAGE_KEXINIT);
    demo_draft_random(m, &t->office->dice, 16);
    for (unsigned i = 0; i < 10; i++)
        put_string(m, lists[i]);
    draft_fill(m, 0, 5);
    close_packet(m, at);
    demo_talk_send(t, from, draft_view(m));
}

static void send_version(struct talk *t, unsigned from, const char *version)
{
    demo_talk_send(t, from, (struct bytes){ (const uint8_t *)version, strlen(version) });
}

static void exchange_keys(struct talk *t)
{
    struct draft *m = &t->office->draft;
    struct dice *dice = &t->office->dice;
    size_t at = open_packet(m, MESSAGE_ECDH_INIT);
    put_random_string(m, dice, 32);
    close_packet(m, at);
    demo_talk_send(t, CLIENT, draft_view(m));

    at = open_packet(m, MESSAGE_ECDH_REPLY);
    size_t key = draft_open(m, 4);
    put_string(m, "ssh-ed25519");
    put_random_string(m, dice, 32);
    draft_close(m, key, 4);
    put_random_string(m, dice, 32);
    size_t signature = draft_open(m, 4);
    put_string(m, "ssh-ed25519");
    put_random_string(m, dice, 64);
    draft_close(m, signature, 4);
    close_packet(m, at);
    demo_talk_wait(t, 3 * NS_PER_MS);
    demo_talk_send(t, SERVER, draft_view(m));

    for (unsigned side = 0; side < 2; side++) {
        at = open_packet(m, MESSAGE_NEWKEYS);
        close_packet(m, at);
        demo_talk_send(t, side, draft_view(m));
    }
}

static void send_sealed(struct talk *t, unsigned from, size_t octets)
{
    struct draft *m = &t->office->draft;
    while (octets > 0) {
        size_t step = octets < 4096 ? octets : 4096;
        m->size = 0;
        demo_draft_random(m, &t->office->dice, step + 20 + (8 - step % 8));
        demo_talk_send(t, from, draft_view(m));
        octets -= step;
    }
}

void demo_ssh_session(struct talk *t, unsigned keystrokes, size_t output_octets)
{
    struct dice *dice = &t->office->dice;
    send_version(t, CLIENT, "SSH-2.0-OpenSSH_9.2\r\n");
    send_version(t, SERVER, "SSH-2.0-OpenSSH_9.6\r\n");
    send_kexinit(t, CLIENT);
    send_kexinit(t, SERVER);
    exchange_keys(t);
    for (unsigned i = 0; i < 4; i++) { /* who am I, may I, open a terminal */
        demo_talk_wait(t, dice_between(dice, 1, 20) * NS_PER_MS);
        send_sealed(t, CLIENT, dice_between(dice, 24, 120));
        send_sealed(t, SERVER, dice_between(dice, 24, 200));
    }
    for (unsigned i = 0; i < keystrokes; i++) {
        bool is_line = i % 20 == 19;
        demo_talk_wait(t, dice_between(dice, 60, is_line ? 9000 : 400) * NS_PER_MS);
        send_sealed(t, CLIENT, 8);
        send_sealed(t, SERVER, is_line ? output_octets : 8);
    }
    demo_talk_close(t, CLIENT);
}
