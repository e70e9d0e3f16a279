/*
 * The tcpstat preset of weir stat: lines and rules of tcpstat 1.5, observed by running it
 * (spec/tools.md 9.6).
 *
 * What differs from the native form on purpose: times are cut to microseconds; an interval is
 * (start, start + length], the first also holds its start; a packet older than the current interval
 * counts in it; protocols are known in untagged Ethernet II frames, IPv4 also behind PPP and null
 * headers, and in IPv6 by the first next-header field only.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/stat.h"
#include "cmd/tally.h"

#define DEFAULT_LINE "Time:%S\\tn=%n\\tavg=%a\\tstddev=%d\\tbps=%b\\n"
#define WRITE_OCTETS (64u << 10)

enum {
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    PPP_IPV4 = 0x0021,
    NULL_IPV4 = 2
};
enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_PPP = 9, ETHERNET_HEADER = 14, PPP_HEADER = 4 };
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_NONE = 255 };

enum preset_mode { MODE_LINES, MODE_ACCOUNTING, MODE_BANDWIDTH, MODE_RAW_BANDWIDTH };

struct preset {
    struct packet_sink sink; /* first */
    enum preset_mode mode;
    const char *line;   /* with letters */
    int64_t length_ns;  /* 0 = the whole input */
    int64_t seconds_ns; /* -s; INT64_MAX = none */
    double bps_limit;
    bool skips_empty, with_link_header;

    bool has_packets;
    int64_t first_ns, last_ns, start_ns;
    struct tally now;

    uint64_t intervals, exceeding, octets; /* for the three modes that print at the end */
    double carried_octets, bps_peak;
    uint64_t left_out;
    struct text text;
    struct file *file;
    struct err *e;
};

static bool is_whole(const struct preset *p)
{
    return p->length_ns == 0;
}

static int64_t length_of(const struct preset *p)
{
    return is_whole(p) ? p->last_ns - p->first_ns : p->length_ns;
}

static int flush(struct preset *p)
{
    int code = p->text.is_bad ? err_memory(p->e, "lines", p->text.size) : 0;
    if (code == 0 && p->text.size > 0)
        code = file_write(p->file, p->text.data, p->text.size, p->e);
    p->text.size = 0;
    return code;
}

static double per_second(const struct preset *p, double amount)
{
    return amount /
           ((double)length_of(p) / 1e9); /* "inf" for a whole input of one packet, as the peer */
}

/* Microseconds, as the peer prints: the middle of the interval, absolute or after the first packet.
 */
static void put_time(struct preset *p, bool is_relative, bool is_rounded)
{
    int64_t middle = p->start_ns + length_of(p) / 2 - (is_relative ? p->first_ns : 0);
    if (is_rounded)
        text_i64(&p->text, (middle + NS_PER_S / 2) / NS_PER_S);
    else
        text_seconds(&p->text, middle, 6);
}

/* False when it is none of the peer's letters. */
static bool put_letter(struct preset *p, char letter)
{
    const struct tally *t = &p->now;
    struct text *out = &p->text;
    bool has = t->packets > 0;
    switch (letter) {
    case 'A':
        text_u64(out, t->arp);
        return true;
    case 'a':
        text_format(out, "%.2f", tally_mean(t));
        return true;
    case 'B':
        text_format(out, "%.2f", per_second(p, (double)t->octets));
        return true;
    case 'b':
        text_format(out, "%.2f", per_second(p, 8 * (double)t->octets));
        return true;
    case 'C':
        text_u64(out, t->icmp);
        return true;
    case 'd':
        text_format(out, "%.2f", tally_deviation(t));
        return true;
    case 'I':
        text_u64(out, t->ipv4);
        return true;
    case 'l': /* a load average of the peer's own making: not copied */
        text_add(out, "0.00");
        return true;
    case 'M':
        text_u64(out, has ? t->max : 0);
        return true;
    case 'm':
        text_u64(out, has ? t->min : 0);
        return true;
    case 'N':
        text_u64(out, t->octets);
        return true;
    case 'n':
        text_u64(out, t->packets);
        return true;
    case 'p':
        text_format(out, "%.2f", per_second(p, (double)t->packets));
        return true;
    case 'R':
    case 'r':
        put_time(p, true, letter == 'R');
        return true;
    case 'S':
    case 's':
        put_time(p, false, letter == 'S');
        return true;
    case 'T':
        text_u64(out, t->tcp);
        return true;
    case 'U':
        text_u64(out, t->udp);
        return true;
    case 'V':
        text_u64(out, t->ipv6);
        return true;
    default:
        return false;
    }
}

static void put_line(struct preset *p)
{
    static const char escapes[] = "a\ab\bf\fn\nr\rt\tv\v";
    for (const char *at = p->line; *at != '\0'; at++) {
        if (*at == '%' && at[1] != '\0' && put_letter(p, at[1])) {
            at++;
        } else if (*at == '\\' && at[1] != '\0') {
            const char *escape = strchr(escapes, *++at);
            text_char(&p->text, escape != NULL && *at >= 'a' ? escape[1] : *at);
        } else {
            text_char(&p->text, *at);
        }
    }
}

/* Carries what did not fit to the next interval, unless this one is empty: then nothing drains (the
 * peer's oddity). */
static void judge_bandwidth(struct preset *p)
{
    double limit = p->bps_limit * (double)length_of(p) / 1e9 / 8, octets = (double)p->now.octets;
    if (p->mode == MODE_BANDWIDTH) {
        if (p->now.packets == 0)
            return;
        octets += p->carried_octets;
        p->carried_octets = octets > limit ? octets - limit : 0;
    }
    p->exceeding += octets > limit;
}

static int end_interval(struct preset *p)
{
    double bps = per_second(p, 8 * (double)p->now.octets);
    p->intervals++;
    p->octets += p->now.octets;
    p->bps_peak = bps > p->bps_peak ? bps : p->bps_peak;
    if (p->mode == MODE_LINES && (p->now.packets > 0 || !p->skips_empty))
        put_line(p);
    else if (p->mode == MODE_BANDWIDTH || p->mode == MODE_RAW_BANDWIDTH)
        judge_bandwidth(p);
    p->now = (struct tally){ 0 };
    return p->text.size >= WRITE_OCTETS ? flush(p) : 0;
}

/* End intervals until `time_ns` is in the current one. */
static int advance(struct preset *p, int64_t time_ns)
{
    int code = 0;
    while (code == 0 && time_ns > p->start_ns && time_ns - p->start_ns > p->length_ns) {
        int64_t steps =
            (time_ns - p->start_ns - 1) / p->length_ns; /* intervals that end before it */
        bool is_jump = p->now.packets == 0 && steps > 1 &&
                       (steps > INTERVAL_GAP_MAX || (p->skips_empty && p->mode == MODE_LINES));
        if (is_jump) {
            p->left_out += steps > INTERVAL_GAP_MAX && !p->skips_empty ? (uint64_t)steps : 0;
            p->intervals += (uint64_t)steps;
            p->start_ns += steps * p->length_ns;
        } else {
            code = end_interval(p);
            p->start_ns += p->length_ns;
        }
    }
    return code;
}

/* Without the link header of Ethernet and PPP, unless -l. */
static uint32_t size_of(const struct preset *p, const struct packet *packet)
{
    uint32_t header = packet->link == LINK_ETHERNET ? ETHERNET_HEADER
                      : packet->link == LINK_PPP    ? PPP_HEADER
                                                    : 0;
    if (p->with_link_header)
        return packet->wirelen;
    return packet->wirelen > header ? packet->wirelen - header : 0;
}

/* What the peer sees behind the link header: ETHERTYPE_* and the offset of it, 0 if it does not
 * know. */
static unsigned network_of(const struct packet *packet, unsigned *offset)
{
    const uint8_t *data = packet->data;
    if (packet->link == LINK_ETHERNET && packet->caplen >= ETHERNET_HEADER) {
        *offset = ETHERNET_HEADER;
        return load_be16(data + 12);
    }
    *offset = 4;
    if (packet->caplen < 4)
        return 0;
    if (packet->link == LINK_PPP)
        return load_be16(data + 2) == PPP_IPV4 ? ETHERTYPE_IPV4 : 0;
    return packet->link == LINK_NULL && load_le32(data) == NULL_IPV4 ? ETHERTYPE_IPV4 : 0;
}

static void count_protocols(struct tally *t, const struct packet *packet)
{
    unsigned offset, network = network_of(packet, &offset);
    t->arp += network == ETHERTYPE_ARP;
    if (network != ETHERTYPE_IPV4 && network != ETHERTYPE_IPV6)
        return;
    bool is_v6 = network == ETHERTYPE_IPV6;
    t->ipv4 += !is_v6;
    t->ipv6 += is_v6;
    unsigned at = offset + (is_v6 ? 6 : 9); /* next header, protocol */
    uint8_t proto = packet->caplen > at ? packet->data[at] : PROTO_NONE;
    t->tcp += proto == PROTO_TCP;
    t->udp += proto == PROTO_UDP;
    t->icmp += proto == PROTO_ICMP || proto == PROTO_ICMP6;
}

static int preset_push(struct packet_sink *sink, struct packet_batch *batch)
{
    struct preset *p = (struct preset *)sink;
    for (unsigned i = 0; i < batch->count; i++) {
        const struct packet *packet = &batch->pkt[i];
        int64_t time_ns = packet->time_ns - ((packet->time_ns % 1000) + 1000) % 1000;
        if (!p->has_packets) {
            p->has_packets = true;
            p->first_ns = p->last_ns = p->start_ns = time_ns;
        }
        if (time_ns > p->first_ns && time_ns - p->first_ns > p->seconds_ns)
            continue;
        p->last_ns =
            time_ns; /* of the last packet, newest or not: the peer's whole input ends there */
        int code = is_whole(p) ? 0 : advance(p, time_ns);
        if (code != 0)
            return code;
        uint32_t size = size_of(p, packet);
        struct tally *t = &p->now;
        t->min = t->packets == 0 || size < t->min ? size : t->min;
        t->max = t->packets == 0 || size > t->max ? size : t->max;
        t->packets++;
        t->octets += size;
        t->squares += (unsigned __int128)size * size;
        count_protocols(t, packet);
    }
    return 0;
}

static void put_accounting(struct preset *p, double seconds)
{
    static const struct {
        const char *name;
        double seconds;
    } spans[] = { { "sec", 1 },
                  { "minute", 60 },
                  { "hour", 3600 },
                  { "day", 86400 },
                  { "month", 30 * 86400.0 } };
    static const char *const units[] = { " B", "KB", "MB", "GB" };
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        double octets = seconds > 0 ? (double)p->octets / seconds * spans[i].seconds : 0;
        unsigned unit = 0;
        for (; octets >= 1024 && unit < 3; unit++)
            octets /= 1024;
        text_format(&p->text, "Bytes/%s\t= %8.1f %s\n", spans[i].name, octets, units[unit]);
    }
}

static void put_bandwidth(struct preset *p, double seconds)
{
    double over = (double)p->exceeding * (double)length_of(p) / 1e9;
    text_format(
        &p->text,
        "%sTime exceeding %.2f bps:\t%.2f sec.\t(%.2f%% of the time)\nPeak Bandwidth: %.2f bps\n",
        p->mode == MODE_RAW_BANDWIDTH ? "(Raw) " : "", p->bps_limit, over,
        seconds > 0 ? over / seconds * 100 : 0, p->bps_peak);
}

static int finish(struct preset *p)
{
    if (!p->has_packets)
        return 0;
    int code = end_interval(p);
    if (!is_whole(p) && p->seconds_ns < INT64_MAX)
        while (code == 0 && p->start_ns - p->first_ns + p->length_ns < p->seconds_ns &&
               p->intervals < INTERVAL_GAP_MAX) {
            p->start_ns += p->length_ns;
            code = end_interval(p);
        }
    /* One interval too many in the total is the peer's. */
    double seconds = (double)(p->intervals + 1) * (double)length_of(p) / 1e9;
    if (p->mode == MODE_ACCOUNTING)
        put_accounting(p, seconds);
    else if (p->mode != MODE_LINES)
        put_bandwidth(p, seconds);
    return code == 0 ? flush(p) : code;
}

static int parse_bps(const char *text, double *bps, struct err *e)
{
    char *end;
    *bps = strtod(text, &end);
    return *text != '\0' && *end == '\0' && isfinite(*bps) && *bps >= 0
               ? 0
               : err_set(e, WEIR_EUSAGE, "'%s' is no number of bits per second", text);
}

static int preset_options(const struct stat_options *o, struct preset *p, struct err *e)
{
    struct interval_grid grid;
    const char *format = o->common.output.format;
    if (o->align != NULL || o->length != NULL || o->zone != NULL)
        return err_set(
            e, WEIR_EUSAGE,
            "--align, --length and --tz are not for the tcpstat preset; -l counts the link header");
    int code = interval_parse_length(o->interval != NULL ? o->interval : "5s", &grid, e);
    if (code == 0 && grid.months > 0)
        return err_set(e, WEIR_EUSAGE,
                       "--interval: months and years are not for the tcpstat preset");
    p->length_ns = grid.length_ns;
    p->line = format != NULL ? format : DEFAULT_LINE;
    p->skips_empty = o->skips_empty;
    p->with_link_header = o->with_link_header;
    p->seconds_ns = INT64_MAX;
    p->mode = o->is_accounting   ? MODE_ACCOUNTING
              : o->bandwidth     ? MODE_BANDWIDTH
              : o->raw_bandwidth ? MODE_RAW_BANDWIDTH
                                 : MODE_LINES;
    if (code == 0 && o->seconds != NULL)
        code = parse_duration(o->seconds, &p->seconds_ns, "--seconds", e);
    if (code == 0 && p->mode >= MODE_BANDWIDTH)
        code = parse_bps(p->mode == MODE_BANDWIDTH ? o->bandwidth : o->raw_bandwidth, &p->bps_limit,
                         e);
    return code;
}

int stat_run_tcpstat(const struct stat_options *o, const struct option_list *inputs,
                     const char *rest, struct err *e)
{
    struct preset p = { .sink.push = preset_push, .e = e };
    struct packets packets = { .sink = &p.sink };
    int code = preset_options(o, &p, e);
    if (code == 0)
        code = file_open(&p.file, o->common.output.path != NULL ? o->common.output.path : "-",
                         FILE_CREATE, e);
    if (code != 0)
        return code;
    code = packets_run(&packets, &o->common.input, inputs, rest, e);
    if (code != WEIR_EOUTPUT) {
        struct err late = { 0 };
        p.e = &late;
        int printed = finish(&p);
        if (printed != 0 && code == 0)
            code = err_set(e, printed, "%s", late.text);
    }
    if (p.left_out > 0)
        fprintf(stderr,
                "weir stat: %llu empty intervals in gaps of over %d are not printed; give a longer "
                "-I or -e\n",
                (unsigned long long)p.left_out, INTERVAL_GAP_MAX);
    int closed = file_close(p.file, code == 0 ? e : NULL);
    text_fini(&p.text);
    return code != 0 ? code : closed != 0 ? closed : packets.worst;
}
