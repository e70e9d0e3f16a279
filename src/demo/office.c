/* The office: who is there, what they do at which hour, and the clock that lets the packets go. */
#include <stdio.h>
#include <stdlib.h>

#include "demo/office.h"

#define MINUTE_NS       (60 * NS_PER_S)
#define MINUTES_PER_DAY 1440
#define GUEST_VLAN      30
#define HEARTBEAT_MINUTES                                                                          \
    5 /* router advertisements; first and last packet of the capture are two of them */

#define SITE(...) { __VA_ARGS__ },
const struct site demo_sites[SITES] = {
#include "demo/sites.def"
};
#undef SITE

/* Visits per hour of the day at 100: once in about 9 minutes. Work, lunch, a long evening for a
 * few. */
static const uint8_t rhythm[24] = { 6,  4,  3,   3,   3,  5,  12, 45, 90, 105, 110, 100,
                                    55, 80, 110, 105, 95, 70, 40, 25, 18, 14,  10,  8 };

/* ---- the cast ---- */

static struct party local_party(unsigned subnet, unsigned number, uint16_t vlan,
                                unsigned distance_us)
{
    struct party p = { .mac = { 0x02, 0x00, 0x5e, 0x14, (uint8_t)subnet, (uint8_t)number },
                       .ip4 = { 10, 20, (uint8_t)subnet, (uint8_t)number },
                       .ttl = 64,
                       .vlan = vlan,
                       .distance_ns = distance_us * NS_PER_US };
    demo_ip6(p.ip6, vlan > 0 ? 0x30 : 0x20, number);
    return p;
}

static void hire(struct office *o, unsigned index)
{
    static const char *const kinds[HOST_KINDS] = { "desk", "laptop", "phone" };
    struct host *h = &o->host[index];
    h->kind = index % 5 == 4 ? HOST_GUEST : index % 5 >= 2 ? HOST_LAPTOP : HOST_DESKTOP;
    bool is_guest = h->kind == HOST_GUEST;
    h->party = local_party(is_guest ? 30 : 0, 20 + index, is_guest ? GUEST_VLAN : 0,
                           dice_between(&o->dice, 80, is_guest ? 4000 : 400));
    if (h->kind == HOST_LAPTOP)
        h->party.ttl = 128;
    snprintf(h->name, sizeof h->name, "%s-%u", kinds[h->kind], index + 1);
    h->next_port = (uint16_t)dice_between(&o->dice, 32768, 60000);
    for (unsigned i = 0; i < 3; i++)
        h->favourite[i] = dice_between(&o->dice, SITE_WEB_FIRST, SITES - 1);
}

static int found(struct office *o, const struct demo_options *options, struct packet_sink *sink,
                 struct err *e)
{
    *o = (struct office){
        .dice = { options->seed },
        .start_ns = options->start_ns,
        .end_ns = options->start_ns + options->hours * 60 * MINUTE_NS,
        .host_count = options->hosts,
        .sink = sink,
        .gateway = local_party(0, 1, 0, 120),
        .nas = local_party(0, 5, 0, 110),
        .intranet = local_party(0, 6, 0, 140),
        .monitor = local_party(0, 7, 0, 100),
        .printer = local_party(0, 9, 0, 900),
        .guest_gateway = local_party(30, 1, GUEST_VLAN, 120),
        .host = calloc(options->hosts, sizeof(struct host)),
        .batch = malloc(sizeof(struct packet_batch)),
    };
    if (o->host == NULL || o->batch == NULL)
        return err_memory(e, "demo: office",
                          options->hosts * sizeof(struct host) + sizeof(struct packet_batch));
    for (unsigned i = 0; i < o->host_count; i++)
        hire(o, i);
    return 0;
}

/* Today's hours of everybody. `day` counts from 1970. */
static void plan_day(struct office *o, int64_t day)
{
    unsigned weekday = (unsigned)((day % 7 + 7 + 4) % 7); /* 0 = Sunday */
    bool is_weekend = weekday == 0 || weekday == 6;
    for (unsigned i = 0; i < o->host_count; i++) {
        struct host *h = &o->host[i];
        unsigned arrives = dice_between(&o->dice, 7 * 60 + 20, 9 * 60 + 40),
                 stays = dice_between(&o->dice, 7 * 60, 9 * 60 + 30);
        if (h->kind == HOST_GUEST) {
            arrives = dice_between(&o->dice, 9 * 60, 16 * 60);
            stays = dice_between(&o->dice, 40, 200);
        } else if (dice_share(&o->dice, 600)) {
            stays = 14 * 60; /* somebody works late */
        }
        bool comes = dice_share(&o->dice, is_weekend ? 1200 : 9200);
        h->arrives = comes ? arrives : 0;
        h->leaves = comes ? arrives + stays : 0;
    }
}

static uint16_t next_port(struct host *h)
{
    h->next_port = h->next_port < 60999 ? h->next_port + 1 : 32768;
    return h->next_port;
}

/* ---- what people do ---- */

/* The server of a site as this host meets it: inside, or behind the router. */
static struct party site_party(struct office *o, const struct host *h, unsigned site)
{
    const struct site *s = &demo_sites[site];
    struct party p = site == SITE_INTRANET ? o->intranet : site == SITE_FILES ? o->nas : o->gateway;
    if (site > SITE_FILES) {
        if (h != NULL && h->kind == HOST_GUEST)
            p = o->guest_gateway;
        p.ttl = (uint8_t)(64 - 7 - site % 6);
    }
    memcpy(p.ip4, s->ip4, 4);
    demo_ip6(p.ip6, s->ip6_net, s->ip4[3]);
    p.distance_ns = s->distance_us * NS_PER_US;
    return p;
}

/* A connection to the site after asking for its address. The party must stay until the conversation
 * is written. */
static void open_site(struct talk *t, struct office *o, struct host *h, unsigned site,
                      const struct party *server, int64_t time_ns)
{
    const struct site *s = &demo_sites[site];
    time_ns = demo_dns_ask(o, h, site, time_ns);
    unsigned version = s->ip6_net > 0 && dice_share(&o->dice, 5500) ? 6 : 4;
    demo_talk_open(t, o, time_ns, &h->party, server, version, next_port(h), s->port);
    t->loss = h->kind == HOST_GUEST ? 120 : 25;
}

/* Around `usual`: half to one and a half, now and then three or nine times that. */
static size_t some_octets(struct office *o, uint32_t usual)
{
    size_t octets = usual / 2 + dice_between(&o->dice, 0, usual);
    for (unsigned i = 0; i < 2 && dice_share(&o->dice, 1200); i++)
        octets *= 3;
    return octets;
}

static void visit(struct office *o, struct host *h, unsigned site, int64_t time_ns)
{
    const struct site *s = &demo_sites[site];
    struct party server = site_party(o, h, site);
    struct talk t;
    open_site(&t, o, h, site, &server, time_ns);
    if (s->port != 80)
        demo_tls_hello(&t, s->name);
    unsigned requests = dice_between(&o->dice, 1, 7);
    for (unsigned i = 0; i < requests; i++) {
        size_t octets = some_octets(o, s->answer);
        if (i > 0)
            demo_talk_wait(&t, dice_between(&o->dice, 30, 6000) * NS_PER_MS);
        if (s->port == 80) {
            demo_http_get(&t, s->name, i == 0 ? "/" : "/page", octets < 60000, octets);
        } else {
            demo_tls_data(&t, CLIENT, dice_between(&o->dice, 250, 900));
            demo_talk_wait(&t, dice_between(&o->dice, 2, 80) * NS_PER_MS);
            demo_tls_data(&t, SERVER, octets);
        }
    }
    if (dice_share(&o->dice, 400)) {
        demo_talk_reset(&t, CLIENT);
        return;
    }
    demo_talk_wait(&t, dice_between(&o->dice, 5, 5000) * NS_PER_MS);
    demo_talk_close(&t, dice_share(&o->dice, 6000) ? CLIENT : SERVER);
}

static unsigned choose_site(struct office *o, const struct host *h)
{
    if (dice_share(&o->dice, 4500))
        return h->favourite[dice_between(&o->dice, 0, 2)];
    uint32_t at = dice_between(&o->dice, 0, 999);
    for (unsigned i = SITE_WEB_FIRST; i < SITES; i++) {
        if (at < demo_sites[i].weight)
            return i;
        at -= demo_sites[i].weight;
    }
    return SITE_WEB_FIRST;
}

static void visit_any(struct office *o, struct host *h, int64_t time_ns)
{
    visit(o, h, choose_site(o, h), time_ns);
}

static void read_mail(struct office *o, struct host *h, int64_t time_ns)
{
    struct party server = site_party(o, h, SITE_MAIL);
    struct talk t;
    open_site(&t, o, h, SITE_MAIL, &server, time_ns);
    demo_tls_hello(&t, demo_sites[SITE_MAIL].name);
    for (unsigned i = 0; i < 3; i++) {
        demo_tls_data(&t, CLIENT, dice_between(&o->dice, 20, 90));
        demo_tls_data(&t, SERVER, dice_between(&o->dice, 60, 400));
    }
    if (dice_share(&o->dice, 2500))
        demo_tls_data(&t, SERVER, some_octets(o, 1500));
    demo_talk_close(&t, CLIENT);
}

static void update_software(struct office *o, struct host *h, int64_t time_ns)
{
    struct party server = site_party(o, h, SITE_UPDATES);
    struct talk t;
    open_site(&t, o, h, SITE_UPDATES, &server, time_ns);
    demo_http_get(&t, demo_sites[SITE_UPDATES].name, "/dists/stable/InRelease", false, 9000);
    unsigned count = dice_between(&o->dice, 0, 3);
    for (unsigned i = 0; i < count; i++)
        demo_http_get(&t, demo_sites[SITE_UPDATES].name, "/pool/main/update.deb", false,
                      some_octets(o, demo_sites[SITE_UPDATES].answer));
    demo_talk_close(&t, CLIENT);
}

static void print(struct office *o, struct host *h, int64_t time_ns)
{
    struct talk t;
    demo_mdns(o, &h->party, time_ns - NS_PER_S / 2, false);
    demo_talk_open(&t, o, time_ns, &h->party, &o->printer, 4, next_port(h), 9100);
    demo_print_job(&t, h->name, some_octets(o, 6000));
}

static void work_remotely(struct office *o, struct host *h, int64_t time_ns)
{
    struct party server = site_party(o, h, SITE_SHELL);
    struct talk t;
    open_site(&t, o, h, SITE_SHELL, &server, time_ns);
    demo_ssh_session(&t, dice_between(&o->dice, 60, 300), demo_sites[SITE_SHELL].answer);
}

static void call(struct office *o, struct host *h, int64_t time_ns)
{
    unsigned site = SITE_WEB_FIRST;
    while (strcmp(demo_sites[site].name, "meet.team.example") != 0)
        site++;
    struct party server = site_party(o, h, site);
    visit(o, h, site, time_ns);
    demo_voice_call(o, h, &server, time_ns + 2 * NS_PER_S, dice_between(&o->dice, 10, 45));
}

static void arrive(struct office *o, struct host *h, int64_t time_ns)
{
    const struct party *router = h->kind == HOST_GUEST ? &o->guest_gateway : &o->gateway;
    demo_dhcp(o, h, time_ns);
    demo_arp(o, &h->party, router, time_ns + NS_PER_S / 4);
    demo_neighbour(o, &h->party, router, time_ns + NS_PER_S / 3);
    demo_igmp_report(o, &h->party, time_ns + NS_PER_S / 2);
    demo_dns_mistake(o, h, time_ns + NS_PER_S);
    if (h->kind != HOST_GUEST)
        update_software(o, h, time_ns + dice_between(&o->dice, 20, 1800) * NS_PER_S);
}

/* ---- one minute ---- */

static int64_t moment(struct office *o, int64_t minute_ns)
{
    return minute_ns + dice_between(&o->dice, 1000, 59999) * NS_PER_MS;
}

static void host_minute(struct office *o, struct host *h, unsigned index, unsigned minute_of_day,
                        int64_t minute_ns)
{
    struct party time_server = site_party(o, h, SITE_TIME);
    bool is_here = minute_of_day >= h->arrives && minute_of_day < h->leaves;
    bool is_on = is_here || h->kind == HOST_DESKTOP; /* desktops are never switched off */
    unsigned turn = minute_of_day + 7 * index;
    if (h->arrives != h->leaves && minute_of_day == h->arrives)
        arrive(o, h, moment(o, minute_ns));
    if (is_on && turn % 17 == 0)
        demo_ntp(o, &h->party, &time_server, h->kind == HOST_LAPTOP ? 6 : 4, next_port(h),
                 moment(o, minute_ns));
    if (is_on && turn % 20 == 0)
        demo_arp(o, &h->party, h->kind == HOST_GUEST ? &o->guest_gateway : &o->gateway,
                 moment(o, minute_ns));
    if (is_on && turn % 180 == 0)
        visit(o, h, SITES - 1, moment(o, minute_ns));
    if (!is_here)
        return;

    unsigned percent = rhythm[minute_of_day / 60];
    if (h->kind != HOST_GUEST) {
        if (turn % 11 == 0)
            read_mail(o, h, moment(o, minute_ns));
        if (dice_share(&o->dice, percent * 3))
            visit(o, h, SITE_INTRANET, moment(o, minute_ns));
        if (dice_share(&o->dice, percent / 2))
            visit(o, h, SITE_FILES, moment(o, minute_ns));
        if (dice_share(&o->dice, percent / 5))
            print(o, h, moment(o, minute_ns));
        if (dice_share(&o->dice, percent / 30))
            call(o, h, moment(o, minute_ns));
    }
    if (dice_share(&o->dice, percent * 14))
        visit_any(o, h, moment(o, minute_ns));
    if (dice_share(&o->dice, percent / 10))
        demo_dns_mistake(o, h, moment(o, minute_ns));
    if (dice_share(&o->dice, percent / 12))
        demo_dns_long_answer(o, h, moment(o, minute_ns));
    if (index == 0 && minute_of_day % 127 == 40)
        work_remotely(o, h, moment(o, minute_ns));
}

/* Machines: heartbeats, watching, messages. */
static void machines_minute(struct office *o, unsigned minute_of_day, int64_t minute_ns,
                            bool is_heartbeat)
{
    static const struct party nobody = { .mac = { 0x02, 0, 0x5e, 0x14, 0, 1 },
                                         .ip4 = { 198, 51, 100, 250 },
                                         .ttl = 64,
                                         .distance_ns = 1 };
    if (is_heartbeat) {
        struct party mail = site_party(o, NULL, SITE_MAIL);
        demo_router_advertisement(o, minute_ns);
        demo_ping(o, &o->monitor, &o->gateway, 4, moment(o, minute_ns), 3, 56);
        demo_ping(o, &o->monitor, &mail, 4, moment(o, minute_ns), 3, 56);
        demo_ping(o, &o->monitor, &o->nas, 6, moment(o, minute_ns), 3, 56);
    }
    if (minute_of_day % 60 == 11) { /* does the path still carry large packets? */
        demo_ping(o, &o->monitor, &o->nas, 4, moment(o, minute_ns), 2, 3000);
        demo_ping(o, &o->monitor, &o->intranet, 6, moment(o, minute_ns), 2, 2000);
        demo_unreachable(o, &o->monitor, &nobody, moment(o, minute_ns));
    }
    if (minute_of_day % 180 == 95)
        demo_talk_unanswered(o, moment(o, minute_ns), &o->monitor, &nobody, 40001, 443);
    if (minute_of_day % 3 == 0)
        demo_syslog(o, &o->gateway, "gateway", "firewall: 203.0.113.9 knocked, nobody opened",
                    moment(o, minute_ns));
    if (minute_of_day % 30 == 4)
        demo_syslog(o, &o->printer, "printer", "toner: 41 percent", moment(o, minute_ns));
    if (minute_of_day % 12 == 2)
        demo_mdns(o, &o->printer, moment(o, minute_ns), true);
}

static void back_up(struct office *o, int64_t time_ns)
{
    struct party vault = site_party(o, NULL, SITE_BACKUP);
    struct talk t;
    demo_talk_open(&t, o, time_ns, &o->nas, &vault, 4, 41000, demo_sites[SITE_BACKUP].port);
    t.loss = 10;
    demo_tls_hello(&t, demo_sites[SITE_BACKUP].name);
    for (unsigned file = 0; file < 60; file++) {
        demo_tls_data(&t, CLIENT, some_octets(o, 28000));
        demo_tls_data(&t, SERVER, dice_between(&o->dice, 40, 120));
        demo_talk_wait(&t, dice_between(&o->dice, 20, 4000) * NS_PER_MS);
    }
    demo_talk_close(&t, CLIENT);
}

/* A laptop with something on it tries the ports of the file server. */
static void scan(struct office *o, int64_t time_ns)
{
    const struct host *h = &o->host[o->host_count > 3 ? 3 : 0];
    for (unsigned port = 1; port <= 1024; port++) {
        bool is_open = port == 22 || port == 443 || port == 514;
        demo_talk_probe(o, time_ns, &h->party, &o->nas, (uint16_t)(61000 + port), (uint16_t)port,
                        is_open);
        time_ns += dice_between(&o->dice, 2000, 9000) * NS_PER_US;
    }
}

static void office_minute(struct office *o, unsigned minute_of_day, int64_t minute_ns,
                          bool *has_scanned)
{
    if (minute_of_day == 2 * 60 + 30)
        back_up(o, moment(o, minute_ns));
    if (minute_of_day == 14 * 60 + 3 && !*has_scanned) {
        scan(o, moment(o, minute_ns));
        *has_scanned = true;
    }
    for (unsigned i = 0; i < o->host_count; i++)
        host_minute(o, &o->host[i], i, minute_of_day, minute_ns);
}

int demo_generate(const struct demo_options *options, struct packet_sink *sink, struct err *e)
{
    assert(options->hosts >= 1 && options->hosts <= DEMO_HOSTS_MAX);
    assert(options->hours >= 1 && options->hours <= DEMO_HOURS_MAX);
    assert(options->start_ns >= 0);
    struct office *o = malloc(sizeof *o);
    if (o == NULL)
        return err_memory(e, "demo: office", sizeof *o);
    bool has_scanned = false;
    int code = found(o, options, sink, e);
    for (unsigned i = 0; code == 0 && i <= options->hours * 60; i++) {
        int64_t minute_ns = options->start_ns + i * MINUTE_NS, minute = minute_ns / MINUTE_NS;
        if (i == 0 || minute % MINUTES_PER_DAY == 0)
            plan_day(o, minute / MINUTES_PER_DAY);
        machines_minute(o, (unsigned)(minute % MINUTES_PER_DAY), minute_ns,
                        i % HEARTBEAT_MINUTES == 0);
        office_minute(o, (unsigned)(minute % MINUTES_PER_DAY), minute_ns, &has_scanned);
        /* Nothing written later is older than the next minute. */
        code = demo_queue_release(o, minute_ns + MINUTE_NS);
        if (code == 0 && o->is_out_of_memory)
            code = err_memory(e, "demo: packets under way", o->heap_room * sizeof(struct queued *));
    }
    demo_queue_fini(o);
    free(o->batch);
    free(o->host);
    free(o);
    return code;
}
