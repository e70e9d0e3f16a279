/*
 * The fast pass says what the plain one says: for every packet of the corpus of real captures, for
 * damaged copies of them, and for every prefix and damage of some packets made here, so that
 * something is tested where there is no corpus.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <ftw.h>

#include "capture/capture.h"
#include "decode_text.h"

#define DAMAGES_PER_PACKET 4

struct trial {
    struct packet_batch batch, input;
    uint64_t random, packets, verdicts[REASON_COUNT];
};

static struct trial *trial; /* nftw has no argument for it */

/* xorshift64*: the same damages in each run. */
static uint32_t next_random(struct trial *t)
{
    t->random ^= t->random >> 12;
    t->random ^= t->random << 25;
    t->random ^= t->random >> 27;
    return (uint32_t)((t->random * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

static void compare(struct trial *t)
{
    for (unsigned enters = 0; enters < 2; enters++) {
        struct decode_options options = { .enter_tunnels = enters };
        memset(t->batch.layer, 0xa5, sizeof t->batch.layer);
        decode_batch(&t->batch, &options);
        for (unsigned i = 0; i < t->batch.count; i++) {
            struct layers plain;
            memset(&plain, 0x5a, sizeof plain);
            decode_packet(&t->batch.pkt[i], &options, &plain);
            assert_memory_equal(&plain, &t->batch.layer[i], sizeof plain);
            assert_true(plain.verdict < REASON_COUNT);
            assert_true((plain.verdict != REASON_none &&
                         ledger_reasons[plain.verdict].kind != KIND_noted) ==
                        (plain.key.version == 0));
            assert_true(plain.l4 == 0xffff || plain.l4 <= t->batch.pkt[i].caplen);
            assert_true(plain.payload == 0xffff || plain.payload <= t->batch.pkt[i].caplen);
            assert_true(plain.payload_octets <= plain.ip_octets);
            t->verdicts[plain.verdict]++;
        }
        t->packets += t->batch.count;
    }
    for (unsigned i = 0; i < t->batch.count; i++)
        free((void *)(uintptr_t)t->batch.pkt[i].data);
    t->batch.count = 0;
}

/* A copy of the octets in memory that ends with them. */
static void add(struct trial *t, const uint8_t *data, struct packet p)
{
    uint8_t *copy = malloc(p.caplen + (p.caplen == 0));
    memcpy(copy, data, p.caplen);
    p.data = copy;
    t->batch.pkt[t->batch.count++] = p;
    if (t->batch.count == BATCH_MAX)
        compare(t);
}

static void add_damaged(struct trial *t, const uint8_t *data, struct packet p)
{
    uint8_t head[128];
    uint32_t size = p.caplen < sizeof head ? p.caplen : sizeof head;
    add(t, data, p);
    for (unsigned i = 0; i < DAMAGES_PER_PACKET && size > 0; i++) {
        memcpy(head, data, size);
        for (unsigned k = next_random(t) % 3; k < 3; k++)
            head[next_random(t) % size] = (uint8_t)(next_random(t) >> (next_random(t) & 7));
        struct packet q = p;
        q.caplen = next_random(t) % 4 == 0 ? next_random(t) % (size + 1) : size;
        q.wirelen = next_random(t) % 4 == 0 ? q.caplen : p.wirelen;
        add(t, head, q);
    }
}

static int add_file(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)place;
    if (kind != FTW_F || status->st_size < 24)
        return 0;
    struct capture_options o = {
        .path = &path, .path_count = 1, .from_ns = INT64_MIN, .to_ns = INT64_MAX
    };
    struct ledger ledger = { 0 };
    struct capture *capture;
    struct err e;
    if (capture_open_files(&capture, &o, &ledger, &e) != 0)
        return 0;
    while (capture_fill(capture, &trial->input, &e) > 0) {
        for (unsigned i = 0; i < trial->input.count; i++)
            add_damaged(trial, trial->input.pkt[i].data, trial->input.pkt[i]);
    }
    capture_close(capture);
    return 0;
}

static void fast_and_plain_agree_on_the_corpus(void **state)
{
    (void)state;
    const char *folder = getenv("WEIR_CORPUS");
    char beside[4096];
    snprintf(beside, sizeof beside, "%s/../shared/corpus",
             getenv("WEIR_SOURCE") ? getenv("WEIR_SOURCE") : ".");
    struct trial t = { .random = 1 };
    trial = &t;
    if (nftw(folder != NULL ? folder : beside, add_file, 16, FTW_PHYS) != 0) {
        print_message("# SKIPPED, no corpus at %s: set WEIR_CORPUS\n",
                      folder != NULL ? folder : beside);
        return;
    }
    compare(&t);
    print_message("# %llu packets compared\n", (unsigned long long)t.packets);
    assert_true(t.packets > 0);
}

static void fast_and_plain_agree_on_made_packets(void **state)
{
    (void)state;
    static const char *const made[] = {
        ETH("0800") IPV4("002a", "06") TCP "6869",
        ETH("0800") IPV4("002c", "06") "04d2 0050 00000001 00000000 6002 1000 0000 0000 020405b4",
        ETH("0800") IPV4("0024", "11") UDP("0010") "0102030405060708",
        ETH("86dd") IPV6("0014", "06") TCP,
        ETH("86dd") IPV6("0010", "11") UDP("0010") "0102030405060708",
        ETH("8100") "0064 0800" IPV4("0028", "06") TCP,
        ETH("8100") "0064 86dd" IPV6("0010", "11") UDP("0010") "0102030405060708",
        ETH("0800") IPV4("0032", "11")
            PORTS("c000", "12b5", "001e") "08000000 00000100" ETH("0800"),
    };
    struct trial t = { .random = 1 };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        struct bytes all = hex_new(made[i]);
        for (uint32_t size = 0; size <= all.size; size++) {
            for (unsigned k = 0; k < 200; k++)
                add_damaged(
                    &t, all.data,
                    (struct packet){ .caplen = size, .wirelen = (uint32_t)all.size, .link = 1 });
        }
        free((void *)(uintptr_t)all.data);
    }
    compare(&t);
    assert_true(t.verdicts[REASON_none] > 0);
    assert_true(t.verdicts[REASON_bad_transport] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fast_and_plain_agree_on_made_packets),
        cmocka_unit_test(fast_and_plain_agree_on_the_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
