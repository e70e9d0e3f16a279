/* The made-up office: the same octets every time, in order of time, with right checksums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "demo/demo.h"

/* Looks at every packet and keeps what the tests ask about. */
struct witness {
    struct packet_sink sink;
    uint64_t hash; /* FNV-1a over time, length and octets */
    uint64_t packets, octets, pushes_left;
    uint64_t ip4, ip6, tagged, fragments, bad_checksums, bad_lengths;
    int64_t first_ns, last_ns;
    bool is_in_order;
};

static void mix(struct witness *w, const void *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        w->hash = (w->hash ^ ((const uint8_t *)from)[i]) * UINT64_C(0x100000001b3);
}

static void mix_number(struct witness *w, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++, value >>= 8)
        mix(w, &(uint8_t){ (uint8_t)value }, 1);
}

static uint32_t sum(uint32_t start, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        start += (uint32_t)at[i] << (i % 2 == 0 ? 8 : 0);
    return start;
}

static bool is_zero_sum(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/* Header and, for whole datagrams, transport checksum; `size` octets are there, Ethernet padding
 * included. */
static void check_ip4(struct witness *w, const uint8_t *ip, size_t size)
{
    size_t header = (ip[0] & 15u) * 4, total = load_be16(ip + 2);
    unsigned fragment = load_be16(ip + 6) & 0x3fff;
    w->ip4++;
    if (total > size || header > total) {
        w->bad_lengths++;
        return;
    }
    w->bad_checksums += !is_zero_sum(sum(0, ip, header));
    w->fragments += fragment != 0;
    if (fragment != 0)
        return;
    bool has_pseudo = ip[9] == 6 || ip[9] == 17;
    uint32_t start = has_pseudo ? sum(ip[9] + (uint32_t)(total - header), ip + 12, 8) : 0;
    w->bad_checksums += !is_zero_sum(sum(start, ip + header, total - header));
}

static void check_ip6(struct witness *w, const uint8_t *ip, size_t size)
{
    size_t payload = load_be16(ip + 4);
    w->ip6++;
    if (40 + payload > size) {
        w->bad_lengths++;
        return;
    }
    w->fragments += ip[6] == 44;
    if (ip[6] != 44)
        w->bad_checksums +=
            !is_zero_sum(sum(sum(ip[6] + (uint32_t)payload, ip + 8, 32), ip + 40, payload));
}

static int witness_push(struct packet_sink *sink, struct packet_batch *batch)
{
    struct witness *w = (struct witness *)sink;
    for (unsigned i = 0; i < batch->count; i++) {
        const struct packet *p = &batch->pkt[i];
        if (w->packets == 0)
            w->first_ns = w->last_ns = p->time_ns;
        w->is_in_order = w->is_in_order && p->time_ns >= w->last_ns;
        w->last_ns = p->time_ns;
        w->packets++;
        w->octets += p->caplen;
        mix_number(w, (uint64_t)p->time_ns);
        mix_number(w, p->caplen);
        mix(w, p->data, p->caplen);
        size_t at = 12;
        if (load_be16(p->data + at) == 0x8100) {
            w->tagged++;
            at += 4;
        }
        if (load_be16(p->data + at) == 0x0800)
            check_ip4(w, p->data + at + 2, p->caplen - at - 2);
        else if (load_be16(p->data + at) == 0x86dd)
            check_ip6(w, p->data + at + 2, p->caplen - at - 2);
    }
    return w->pushes_left-- > 0 ? 0 : WEIR_EOUTPUT;
}

/* Ten hosts for eight hours from nine in the morning. */
static const struct demo_options morning = {
    .seed = 1, .hosts = 10, .hours = 8, .start_ns = DEMO_START_NS + 9 * 3600 * NS_PER_S
};

static struct witness watch(struct demo_options options)
{
    struct witness w = { .sink = { witness_push },
                         .hash = UINT64_C(0xcbf29ce484222325),
                         .pushes_left = UINT64_MAX,
                         .is_in_order = true };
    assert_int_equal(demo_generate(&options, &w.sink, NULL), 0);
    return w;
}

static void the_same_options_give_these_octets_on_every_machine(void **state)
{
    (void)state;
    struct witness w = watch(morning);
    assert_int_equal(w.packets, 44059);
    assert_int_equal(w.octets, 14497355);
    assert_true(w.hash == UINT64_C(0xa8aa9a28901f22cc));
}

static void another_seed_gives_other_octets(void **state)
{
    (void)state;
    struct demo_options other = morning;
    other.seed = 2;
    assert_true(watch(other).hash != watch(morning).hash);
}

static void packets_are_in_order_and_span_exactly_the_hours(void **state)
{
    (void)state;
    struct witness w = watch(morning);
    assert_true(w.is_in_order);
    assert_true(w.first_ns == morning.start_ns);
    assert_true(w.last_ns == morning.start_ns + 8 * 3600 * NS_PER_S);
}

static void lengths_and_checksums_are_right(void **state)
{
    (void)state;
    struct witness w = watch(morning);
    assert_int_equal(w.bad_lengths, 0);
    assert_int_equal(w.bad_checksums, 0);
}

static void both_versions_tags_and_fragments_occur(void **state)
{
    (void)state;
    struct witness w = watch(morning);
    assert_true(w.ip4 > 1000);
    assert_true(w.ip6 > 1000);
    assert_true(w.tagged > 100);
    assert_true(w.fragments > 20);
}

static void nights_are_quieter_than_mornings(void **state)
{
    (void)state;
    struct demo_options night = morning;
    night.start_ns = DEMO_START_NS + 16 * 3600 * NS_PER_S;
    assert_true(watch(night).packets < watch(morning).packets / 2);
}

static void smallest_and_largest_office_work(void **state)
{
    (void)state;
    assert_true(
        watch((struct demo_options){ .seed = 0, .hosts = 1, .hours = 1, .start_ns = 0 }).packets >
        50);
    assert_true(watch((struct demo_options){ .seed = UINT64_MAX,
                                             .hosts = DEMO_HOSTS_MAX,
                                             .hours = 1,
                                             .start_ns = DEMO_START_NS })
                    .packets > 50);
}

static void an_error_of_the_sink_ends_the_generator(void **state)
{
    (void)state;
    struct witness w = { .sink = { witness_push }, .pushes_left = 3 };
    assert_int_equal(demo_generate(&morning, &w.sink, NULL), WEIR_EOUTPUT);
    assert_true(w.packets > 0);
    assert_true(w.packets <= 4 * BATCH_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_options_give_these_octets_on_every_machine),
        cmocka_unit_test(another_seed_gives_other_octets),
        cmocka_unit_test(packets_are_in_order_and_span_exactly_the_hours),
        cmocka_unit_test(lengths_and_checksums_are_right),
        cmocka_unit_test(both_versions_tags_and_fragments_occur),
        cmocka_unit_test(nights_are_quieter_than_mornings),
        cmocka_unit_test(smallest_and_largest_office_work),
        cmocka_unit_test(an_error_of_the_sink_ends_the_generator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
