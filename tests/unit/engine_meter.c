/* The rules of metering (spec/tools.md 6), each on a few packets made by hand, through the whole
 * engine. */
#include "meter_scene.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROWS_MAX     6

/* What must come out, in order of start: packets forward and back, sender's letter, reason, start
 * and end in ms. */
struct want {
    uint64_t packets, back;
    char from;
    uint8_t reason;
    int64_t start, end;
};

static void check(const char *name, const struct shot *shot, size_t count,
                  const struct flow_options *o, const struct want *want, size_t want_count)
{
    static const unsigned workers[] = { 1, 2, 4 }, sizes[] = { 256, 1, 3 };
    for (unsigned k = 0; k < 6; k++) {
        static struct scene scene;
        bool is_ip6 = k >= 3 && shot[0].fragment == 0;
        scene_meter(&scene, shot, count, o, workers[k % 3], sizes[k % 3], is_ip6);
        if (scene.row_count != want_count)
            fail_msg("%s: %zu records, not %zu (%u workers)", name, scene.row_count, want_count,
                     workers[k % 3]);
        for (size_t i = 0; i < want_count; i++) {
            const struct row *r = &scene.row[i];
            const struct want *w = &want[i];
            char from = (char)(is_ip6 ? r->src[15] : r->src[3]);
            if (r->packets[0] != w->packets || r->packets[1] != w->back || from != w->from ||
                r->reason != w->reason || r->start != w->start * 1000000 ||
                r->end != w->end * 1000000)
                fail_msg("%s: record %zu: %llu+%llu packets from %c, reason %u, %lld to %lld", name,
                         i, (unsigned long long)r->packets[0], (unsigned long long)r->packets[1],
                         from, r->reason, (long long)r->start, (long long)r->end);
        }
        scene_fini(&scene);
    }
}

#define CHECK(o, shots, ...)                                                                       \
    do {                                                                                           \
        const struct want wants[] = { __VA_ARGS__ };                                               \
        check(__func__, shots, COUNT(shots), &(o), wants, COUNT(wants));                           \
    } while (0)

static void a_record_ends_when_silent_longer_than_idle(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const struct shot exact[] = { { 1000, 'a', 'b', 1, 2, UDP }, { 61000, 'a', 'b', 1, 2, UDP } };
    CHECK(o, exact, { 2, 0, 'a', 4, 1000, 61000 });
    const struct shot longer[] = { { 1000, 'a', 'b', 1, 2, UDP }, { 61001, 'a', 'b', 1, 2, UDP } };
    CHECK(o, longer, { 1, 0, 'a', 1, 1000, 1000 }, { 1, 0, 'a', 4, 61001, 61001 });
}

static void a_record_ends_before_the_packet_beyond_active(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    o.active_ns = 2 * NS_PER_S;
    const struct shot shots[] = { { 0, 'a', 'b', 1, 2, UDP },
                                  { 1500, 'b', 'a', 2, 1, UDP },
                                  { 2000, 'a', 'b', 1, 2, UDP },
                                  { 2001, 'b', 'a', 2, 1, UDP } };
    CHECK(o, shots, { 2, 1, 'a', 2, 0, 2000 }, { 1, 0, 'b', 4, 2001, 2001 });
}

static void flows_open_at_the_end_are_forced_unless_silent(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const struct shot shots[] = { { 0, 'a', 'b', 1, 2, UDP },
                                  { 1000, 'c', 'd', 1, 2, UDP },
                                  { 60500, 'e', 'f', 1, 2, UDP } };
    CHECK(o, shots, { 1, 0, 'a', 1, 0, 0 }, { 1, 0, 'c', 4, 1000, 1000 },
          { 1, 0, 'e', 4, 60500, 60500 });
}

static void fin_both_ways_or_rst_ends_a_connection(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const struct shot fins[] = {
        { 0, 'a', 'b', 1, 2, TCP, SYN },        { 10, 'b', 'a', 2, 1, TCP, SYN | ACK },
        { 20, 'a', 'b', 1, 2, TCP, FIN | ACK }, { 30, 'b', 'a', 2, 1, TCP, FIN | ACK },
        { 40, 'a', 'b', 1, 2, TCP, ACK },       { 90000, 'x', 'y', 1, 2, UDP }
    };
    CHECK(o, fins, { 3, 2, 'a', 3, 0, 40 }, { 1, 0, 'x', 4, 90000, 90000 });
    const struct shot half[] = { { 0, 'a', 'b', 1, 2, TCP, SYN },
                                 { 20, 'a', 'b', 1, 2, TCP, FIN | ACK },
                                 { 30000, 'b', 'a', 2, 1, TCP, ACK } };
    CHECK(o, half, { 2, 1, 'a', 4, 0, 30000 });
    const struct shot reset[] = { { 0, 'a', 'b', 1, 2, TCP, ACK },
                                  { 20, 'b', 'a', 2, 1, TCP, RST } };
    CHECK(o, reset, { 1, 1, 'a', 3, 0, 20 });
}

static void a_closed_connection_takes_packets_for_linger_but_no_syn(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const struct shot late[] = { { 0, 'a', 'b', 1, 2, TCP, RST },
                                 { 2000, 'a', 'b', 1, 2, TCP, ACK },
                                 { 4001, 'a', 'b', 1, 2, TCP, ACK } };
    CHECK(o, late, { 2, 0, 'a', 3, 0, 2000 }, { 1, 0, 'a', 4, 4001, 4001 });
    const struct shot again[] = { { 0, 'a', 'b', 1, 2, TCP, RST },
                                  { 100, 'b', 'a', 2, 1, TCP, SYN | ACK },
                                  { 200, 'a', 'b', 1, 2, TCP, SYN } };
    CHECK(o, again, { 1, 1, 'a', 3, 0, 100 }, { 1, 0, 'a', 4, 200, 200 });
    o.linger_ns = 0;
    const struct shot at_once[] = { { 0, 'a', 'b', 1, 2, TCP, RST },
                                    { 1, 'a', 'b', 1, 2, TCP, ACK } };
    CHECK(o, at_once, { 1, 0, 'a', 3, 0, 0 }, { 1, 0, 'a', 4, 1, 1 });
}

static void forward_is_the_first_sender_or_the_client(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const struct shot reply_first[] = { { 0, 'b', 'a', 80, 4000, TCP, SYN | ACK },
                                        { 1, 'a', 'b', 4000, 80, TCP, ACK } };
    CHECK(o, reply_first, { 1, 1, 'b', 4, 0, 1 });
    o.is_client_server = true;
    CHECK(o, reply_first, { 1, 1, 'a', 4, 0, 1 });
    const struct shot by_port[] = { { 0, 'b', 'a', 80, 4000, UDP },
                                    { 1, 'b', 'a', 80, 4000, UDP } };
    CHECK(o, by_port, { 0, 2, 'a', 4, 0, 1 });
    const struct shot no_hint[] = { { 0, 'b', 'a', 8080, 4000, UDP } };
    CHECK(o, no_hint, { 1, 0, 'b', 4, 0, 0 });
    /* The SYN was captured after the data it opens the way for. */
    const struct shot syn_late[] = { { 5, 'b', 'a', 4000, 4001, TCP, ACK },
                                     { 5, 'a', 'b', 4001, 4000, TCP, SYN } };
    CHECK(o, syn_late, { 1, 1, 'a', 4, 5, 5 });
}

static void a_uniflow_has_one_direction_and_ends_at_its_fin(void **state)
{
    (void)state;
    struct flow_options o = preset("nfpcapd");
    const struct shot shots[] = { { 0, 'a', 'b', 1, 2, TCP, SYN },
                                  { 1, 'b', 'a', 2, 1, TCP, SYN | ACK },
                                  { 2, 'a', 'b', 1, 2, TCP, FIN | ACK },
                                  { 3, 'a', 'b', 1, 2, TCP, ACK } };
    CHECK(o, shots, { 2, 0, 'a', 3, 0, 2 }, { 1, 0, 'b', 4, 1, 1 }, { 1, 0, 'a', 4, 3, 3 });
    const struct shot dns[] = { { 0, 'a', 'b', 999, 53, UDP },
                                { 1, 'a', 'b', 999, 53, UDP },
                                { 2, 'a', 'b', 0, 0x0800, ICMP } };
    const struct want want[] = { { 1, 0, 'a', 3, 0, 0 },
                                 { 1, 0, 'a', 3, 1, 1 },
                                 { 1, 0, 'a', 3, 2, 2 } };
    check(__func__, dns, 2, &o, want, 2);
    static struct scene scene;
    scene_meter(&scene, dns, 3, &o, 1, 256, false);
    assert_int_equal(scene.row_count, 3);
    assert_int_equal(scene.row[2].dport, 0x0800);
    scene_fini(&scene);
}

static void crl_ends_flows_by_timing_only(void **state)
{
    (void)state;
    struct flow_options o = preset("crl");
    const struct shot shots[] = { { 0, 'a', 'b', 1, 2, TCP, SYN },
                                  { 1, 'a', 'b', 1, 2, TCP, RST },
                                  { 59000, 'a', 'b', 1, 2, TCP, SYN },
                                  { 119000, 'a', 'b', 1, 2, TCP, ACK },
                                  { 180000, 'a', 'b', 1, 2, TCP, ACK } };
    CHECK(o, shots, { 4, 0, 'a', 1, 0, 119000 }, { 1, 0, 'a', 4, 180000, 180000 });
}

static void the_key_is_what_was_asked_for(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const struct shot shots[] = { { 0, 'a', 'b', 1, 2, UDP },
                                  { 1, 'b', 'a', 7, 8, TCP, ACK },
                                  { 2, 'a', 'c', 1, 2, UDP } };
    assert_int_equal(flow_key_parse("srcip,dstip", &o.mask, NULL), 0);
    CHECK(o, shots, { 1, 1, 'a', 4, 0, 1 }, { 1, 0, 'a', 4, 2, 2 });
    o.is_biflow = false;
    assert_int_equal(flow_key_parse("srcip", &o.mask, NULL), 0);
    CHECK(o, shots, { 2, 0, 'a', 4, 0, 2 }, { 1, 0, 'b', 4, 1, 1 });
    assert_int_equal(flow_key_parse("+vlan,+if", &o.mask, NULL), 0);
    assert_int_equal(o.mask.vlan, 0xffff);
    assert_int_equal(o.mask.port[0], 0xffff);
    struct err e;
    assert_int_equal(flow_key_parse("srcipp", &o.mask, &e), WEIR_EUSAGE);
    assert_non_null(strstr(e.text, "did you mean 'srcip'"));
}

static void later_fragments_have_the_ports_of_the_first(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const struct shot shots[] = { { 0, 'a', 'b', 1, 2, UDP, 0, 1500, 0x2000, 7 },
                                  { 1, 'a', 'b', 0, 0, UDP, 0, 1500, 0x2000 | 185, 7 },
                                  { 2, 'a', 'b', 0, 0, UDP, 0, 300, 370, 7 },
                                  { 3, 'a', 'b', 0, 0, UDP, 0, 300, 370, 8 } };
    CHECK(o, shots, { 3, 0, 'a', 4, 0, 2 }, { 1, 0, 'a', 4, 3, 3 });
    static struct scene scene;
    scene_meter(&scene, shots, 4, &o, 1, 256, false);
    assert_int_equal(scene.row[0].fragments, 3);
    assert_int_equal(scene.row[0].octets[0], 3300);
    assert_int_equal(scene.ledger.reason[REASON_fragment_unmatched], 1);
    scene_fini(&scene);
    o.attributes_fragments = false;
    CHECK(o, shots, { 1, 0, 'a', 4, 0, 0 }, { 3, 0, 'a', 4, 1, 3 });
}

static void packets_out_of_order_stretch_a_record_and_are_counted(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const struct shot shots[] = { { 5000, 'a', 'b', 1, 2, UDP },
                                  { 3000, 'a', 'b', 1, 2, UDP },
                                  { 4000, 'a', 'b', 1, 2, UDP } };
    CHECK(o, shots, { 3, 0, 'a', 4, 3000, 5000 });
    static struct scene scene;
    scene_meter(&scene, shots, 3, &o, 1, 256, false);
    assert_int_equal(scene.row[0].out_of_order, 2);
    scene_fini(&scene);
}

static void a_late_packet_is_seen_at_the_second_of_the_stream(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    /* At 61 s the flow of a has been silent for more than 60 s, even if its next packet says 30 s.
     */
    const struct shot shots[] = { { 900, 'a', 'b', 1, 2, UDP },
                                  { 61000, 'c', 'd', 1, 2, UDP },
                                  { 30000, 'a', 'b', 1, 2, UDP } };
    CHECK(o, shots, { 1, 0, 'a', 1, 900, 900 }, { 1, 0, 'a', 4, 30000, 30000 },
          { 1, 0, 'c', 4, 61000, 61000 });
}

static void time_that_jumps_back_keeps_flows_whole(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const struct shot shots[] = { { 10000000, 'a', 'b', 1, 2, UDP },
                                  { 10001000, 'c', 'd', 1, 2, UDP },
                                  { 1000, 'e', 'f', 1, 2, UDP },
                                  { 2000, 'a', 'b', 1, 2, UDP },
                                  { 3000, 'e', 'f', 1, 2, UDP } };
    CHECK(o, shots, { 2, 0, 'e', 1, 1000, 3000 }, { 2, 0, 'a', 4, 2000, 10000000 },
          { 1, 0, 'c', 4, 10001000, 10001000 });
}

static void one_packet_from_the_far_future_costs_one_jump(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const int64_t future = INT64_C(4000000000000);
    const struct shot shots[] = { { 1000, 'a', 'b', 1, 2, UDP },
                                  { future, 'c', 'd', 1, 2, UDP },
                                  { 2000, 'a', 'b', 1, 2, UDP },
                                  { 3000, 'a', 'b', 1, 2, UDP } };
    CHECK(o, shots, { 1, 0, 'a', 1, 1000, 1000 }, { 2, 0, 'a', 1, 2000, 3000 },
          { 1, 0, 'c', 4, future, future });
}

static void sums_of_both_directions_equal_those_of_uniflows(void **state)
{
    (void)state;
    struct shot shots[300];
    uint64_t sum[2] = { 0 };
    for (unsigned i = 0; i < COUNT(shots); i++) {
        bool is_back = i * 7 % 3 == 0;
        shots[i] = (struct shot){
            i, is_back ? 'b' : 'a', is_back ? 'a' : 'b', is_back ? 2 : 1, is_back ? 1 : 2, UDP,
            0, (uint16_t)(40 + i)
        };
    }
    for (unsigned k = 0; k < 2; k++) {
        static struct scene scene;
        struct flow_options o = preset(k ? "native" : "crl");
        scene_meter(&scene, shots, COUNT(shots), &o, 2, 100, false);
        assert_int_equal(scene.row_count, k ? 1 : 2);
        for (size_t i = 0; i < scene.row_count; i++)
            sum[k] += scene.row[i].octets[0] + scene.row[i].octets[1];
        scene_fini(&scene);
    }
    assert_int_equal(sum[0], sum[1]);
}

static void the_length_is_what_was_asked_for(void **state)
{
    (void)state;
    static const struct {
        enum length_kind kind;
        uint64_t octets;
    } cases[] = {
        { LENGTH_FRAME, 60 }, { LENGTH_LINK, 60 }, { LENGTH_IP, 60 }, { LENGTH_PAYLOAD, 20 }
    };
    const struct shot shots[] = { { 0, 'a', 'b', 1, 2, TCP, ACK } };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        static struct scene scene;
        struct flow_options o = preset("native");
        o.length = cases[i].kind;
        scene_meter(&scene, shots, 1, &o, 1, 256, false);
        assert_int_equal(scene.row[0].octets[0], cases[i].octets);
        scene_fini(&scene);
    }
}

static void flags_are_collected_by_direction(void **state)
{
    (void)state;
    struct flow_options o = preset("native");
    const struct shot shots[] = { { 0, 'a', 'b', 1, 2, TCP, SYN },
                                  { 1, 'b', 'a', 2, 1, TCP, SYN | ACK },
                                  { 2, 'a', 'b', 1, 2, TCP, ACK } };
    static struct scene scene;
    scene_meter(&scene, shots, 3, &o, 1, 256, false);
    assert_int_equal(scene.row[0].flags[0], SYN | ACK);
    assert_int_equal(scene.row[0].flags[1], SYN | ACK);
    scene_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_ends_when_silent_longer_than_idle),
        cmocka_unit_test(a_record_ends_before_the_packet_beyond_active),
        cmocka_unit_test(flows_open_at_the_end_are_forced_unless_silent),
        cmocka_unit_test(fin_both_ways_or_rst_ends_a_connection),
        cmocka_unit_test(a_closed_connection_takes_packets_for_linger_but_no_syn),
        cmocka_unit_test(forward_is_the_first_sender_or_the_client),
        cmocka_unit_test(a_uniflow_has_one_direction_and_ends_at_its_fin),
        cmocka_unit_test(crl_ends_flows_by_timing_only),
        cmocka_unit_test(the_key_is_what_was_asked_for),
        cmocka_unit_test(later_fragments_have_the_ports_of_the_first),
        cmocka_unit_test(packets_out_of_order_stretch_a_record_and_are_counted),
        cmocka_unit_test(a_late_packet_is_seen_at_the_second_of_the_stream),
        cmocka_unit_test(time_that_jumps_back_keeps_flows_whole),
        cmocka_unit_test(one_packet_from_the_far_future_costs_one_jump),
        cmocka_unit_test(sums_of_both_directions_equal_those_of_uniflows),
        cmocka_unit_test(the_length_is_what_was_asked_for),
        cmocka_unit_test(flags_are_collected_by_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
