/*
 * gen_pcap.c - deterministic packet trace generator for benchmarks and tests.
 *
 * Writes a classic little-endian pcap file (Ethernet) with real TCP, UDP, DNS,
 * TLS and HTTP packets, valid IPv4/TCP/UDP checksums, and (option --truth) the
 * exact list of bidirectional flows it contains.
 *
 * Same options + same seed => same bytes, on every machine.
 *
 * Build:  cc -O2 -o gen_pcap gen_pcap.c -lm
 * Help:   ./gen_pcap -h
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* ---------------------------------------------------------------- random */
static u64 mix64(u64 x)
{
    x += 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}
static u64 g_rng;
static u64 rnd(void)
{
    g_rng += 0x9E3779B97F4A7C15ull;
    return mix64(g_rng);
}
static double rndf(void)
{
    return (double)(rnd() >> 11) * (1.0 / 9007199254740992.0);
}

/* --------------------------------------------------------------- options */
enum { SZ_64, SZ_IMIX, SZ_1500 };
enum { L7_NONE, L7_DNS, L7_TLS, L7_HTTP };
static u64 o_packets = 1000000, o_flows = 10000, o_seed = 1;
static double o_zipf = 0, o_span = 1.0, o_pps = 1e6;
static int o_size = SZ_IMIX, o_v6 = 0, o_udp = 20, o_dns = 0, o_tls = 0, o_http = 0, o_nano = 0;
static u32 o_snap = 262144;
static u64 o_start = 1700000000ull;
static const char *o_out, *o_truth;

/* per flow state (index = flow id) */
struct flow {
    u32 len;    /* packets planned */
    u32 done;   /* packets written */
    u32 seq[2]; /* next TCP sequence number, [0] client, [1] server */
    u32 ack[2]; /* last acknowledgement sent */
    u8 proto, v6, l7, pad;
    u32 pk[2];       /* truth counters per direction */
    u64 by[2];       /* bytes of IP packets per direction */
    u64 first, last; /* ns */
};
static struct flow *F;

/* ---------------------------------------------------------------- output */
static FILE *out;
static void wr(const void *p, size_t n)
{
    if (fwrite(p, 1, n, out) != n) {
        perror("write");
        exit(1);
    }
}
static void put16(u8 *p, u16 v)
{
    p[0] = v >> 8;
    p[1] = v;
}
static void put32(u8 *p, u32 v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static u32 sum16(const u8 *p, size_t n, u32 s)
{
    while (n > 1) {
        s += (u32)p[0] << 8 | p[1];
        p += 2;
        n -= 2;
    }
    if (n)
        s += (u32)p[0] << 8;
    return s;
}
static u16 fold(u32 s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (u16)~s;
}

/* ------------------------------------------------------------- addresses */
/* Each flow id maps to its own (client address, client port) pair, so 5-tuples never repeat. */
static void flow_key(u64 id, const struct flow *f, u8 ip[2][16], u16 port[2])
{
    u32 m = (u32)id * 0x9E3779B1u + (u32)o_seed; /* bijection on 32 bits */
    u32 host = m & 0x1ffff, hi = m >> 17;        /* 131072 clients, ports 32768..65535 */
    u64 h = mix64(id ^ (o_seed << 32));
    u32 srv = (u32)(h % 4096);
    srv = srv * srv / 4096; /* few servers are popular */
    port[0] = (u16)(32768 + hi);
    switch (f->l7) {
    case L7_DNS:
        port[1] = 53;
        srv &= 15;
        break;
    case L7_TLS:
        port[1] = 443;
        break;
    case L7_HTTP:
        port[1] = 80;
        break;
    default:
        port[1] = (u16)(42000 + (h >> 20) % 2000);
        break;
    }
    memset(ip, 0, 32);
    if (f->v6) {
        put32(ip[0], 0x20010db8);
        put16(ip[0] + 4, 1);
        put32(ip[0] + 12, host + 1);
        put32(ip[1], 0x20010db8);
        put16(ip[1] + 4, 2);
        put32(ip[1] + 12, srv + 1);
    } else {
        put32(ip[0], 0x0a000000u + host + 256); /* 10.0.1.0 ...   */
        put32(ip[1], 0xac100000u + srv + 256);  /* 172.16.1.0 ... */
    }
}

/* -------------------------------------------------------------- payloads */
static size_t site_name(u64 id, char *s, size_t n)
{
    u64 h = mix64(id * 31 + o_seed);
    static const char *w[8] = { "www", "api", "cdn", "mail", "img", "static", "login", "news" };
    return (size_t)snprintf(s, n, "%s.site%u.example", w[h & 7], (unsigned)((h >> 3) % 5000));
}
static size_t dns_msg(u8 *p, u64 id, const struct flow *f, int reply)
{
    char name[64];
    size_t nl = site_name(id + f->done / 2, name, sizeof name);
    u8 *q = p;
    put16(q, (u16)mix64(id + f->done / 2));
    put16(q + 2, reply ? 0x8180 : 0x0100);
    put16(q + 4, 1);
    put16(q + 6, reply ? 1 : 0);
    put16(q + 8, 0);
    put16(q + 10, 0);
    q += 12;
    for (size_t i = 0; i < nl;) {
        size_t j = i;
        while (j < nl && name[j] != '.')
            j++;
        *q++ = (u8)(j - i);
        memcpy(q, name + i, j - i);
        q += j - i;
        i = j + 1;
    }
    *q++ = 0;
    put16(q, f->v6 ? 28 : 1);
    put16(q + 2, 1);
    q += 4;
    if (reply) {
        put16(q, 0xc00c);
        put16(q + 2, f->v6 ? 28 : 1);
        put16(q + 4, 1);
        put32(q + 6, 300);
        q += 10;
        if (f->v6) {
            put16(q, 16);
            q += 2;
            memset(q, 0, 16);
            put32(q, 0x20010db8);
            put32(q + 12, (u32)(mix64(id) % 4096) + 1);
            q += 16;
        } else {
            put16(q, 4);
            q += 2;
            put32(q, 0xac100000u + (u32)(mix64(id) % 4096));
            q += 4;
        }
    }
    return (size_t)(q - p);
}
static size_t tls_hello(u8 *p, u64 id, int server)
{
    static const u16 cs[8] = { 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0x009c };
    char name[64];
    size_t nl = site_name(id, name, sizeof name);
    u8 *q = p + 9;
    put16(q, 0x0303);
    q += 2;
    for (int i = 0; i < 32; i++)
        q[i] = (u8)(mix64(id * 4 + (u64)(i / 8) + (server ? 77 : 0)) >> (i % 8 * 8));
    q += 32;
    *q++ = 0; /* empty session id */
    if (server) {
        put16(q, 0xc02f);
        q += 2;
        *q++ = 0;
    } else {
        put16(q, 16);
        q += 2;
        for (int i = 0; i < 8; i++, q += 2)
            put16(q, cs[i]);
        *q++ = 1;
        *q++ = 0;
    }
    u8 *ext = q;
    q += 2;
    if (!server) {
        put16(q, 0);
        put16(q + 2, (u16)(nl + 5));
        put16(q + 4, (u16)(nl + 3));
        q[6] = 0;
        put16(q + 7, (u16)nl);
        memcpy(q + 9, name, nl);
        q += 9 + nl; /* server_name */
        static const u8 e2[] = { 0,   10,  0,   8,   0,   6,   0, 29, 0, 23,  0,   24, 0,   11,
                                 0,   2,   1,   0,   0,   13,  0, 8,  0, 6,   4,   3,  8,   4,
                                 4,   1,   0,   16,  0,   14,  0, 12, 2, 'h', '2', 8,  'h', 't',
                                 't', 'p', '/', '1', '.', '1', 0, 43, 0, 3,   2,   3,  3 };
        memcpy(q, e2, sizeof e2);
        q += sizeof e2;
    } else {
        static const u8 e3[] = { 0xff, 1, 0, 1, 0, 0, 16, 0, 5, 0, 3, 2, 'h', '2' };
        memcpy(q, e3, sizeof e3);
        q += sizeof e3;
    }
    put16(ext, (u16)(q - ext - 2));
    size_t body = (size_t)(q - (p + 9));
    p[0] = 22;
    put16(p + 1, server ? 0x0303 : 0x0301);
    put16(p + 3, (u16)(body + 4));
    p[5] = server ? 2 : 1;
    p[6] = 0;
    put16(p + 7, (u16)body);
    return (size_t)(q - p);
}
static void fill(u8 *p, size_t n, u64 k) /* cheap pseudo-random bytes */
{
    u64 x = mix64(k);
    while (n >= 8) {
        memcpy(p, &x, 8);
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        p += 8;
        n -= 8;
    }
    memcpy(p, &x, n);
}

/* ------------------------------------------------- one packet of one flow */
static u8 pkt[2048];
static u8 imix_pick(void)
{
    u32 r = (u32)(rnd() % 12);
    return r < 7 ? 0 : r < 11 ? 1 : 2;
}

static void emit(u64 id, u64 ts)
{
    struct flow *f = &F[id];
    u8 ip[2][16];
    u16 port[2];
    flow_key(id, f, ip, port);
    u32 k = f->done, L = f->len;
    int dir = 0, flags = 0x10, data = 0;
    size_t l2 = 14, l3 = f->v6 ? 40 : 20, l4 = f->proto == 6 ? 20 : 8, pl = 0;

    if (f->proto == 6) {
        if (k == 0) {
            flags = 0x02;
            l4 = 24;
        } /* SYN + MSS option */
        else if (k == 1) {
            flags = 0x12;
            dir = 1;
            l4 = 24;
        } /* SYN-ACK */
        else if (k == 2) {
        }                                /* ACK */
        else if (L >= 7 && k + 4 >= L) { /* close: FIN, ACK, FIN, ACK */
            u32 c = k + 4 - L;
            dir = c == 0 || c == 3 ? 0 : 1;
            if (c == 0 || c == 2)
                flags = 0x11;
        } else {
            data = 1;
            flags = 0x18;
            u32 d = k - 3; /* data packet number */
            if (d == 0)
                dir = 0;
            else if (d == 1)
                dir = 1;
            else
                dir = (rnd() % 10) < 7; /* 70% from the server */
            if (o_size == SZ_IMIX && d > 1 && !dir && rnd() % 2 && f->ack[0] != f->seq[1]) {
                data = 0;
                flags = 0x10;
            }
        }
    } else {
        data = 1;
        dir = f->l7 == L7_DNS ? (int)(k & 1) : k == 0 ? 0 : (int)(rnd() % 10 < 7);
    }

    size_t hdr = l2 + l3 + l4, want = hdr, min = 64;
    u8 *p = pkt, *pay = pkt + hdr;
    if (data) {
        if (o_size == SZ_64)
            want = 64;
        else if (o_size == SZ_1500)
            want = 1514;
        else {
            static const u16 im[3] = { 64, 594, 1514 };
            want = im[imix_pick()];
        }
        if (want < hdr + 6)
            want = hdr + 6;
        pl = want - hdr;
        size_t room = 1514 - hdr, n = 0;
        if (o_size != SZ_64) {
            if (f->l7 == L7_DNS) {
                n = pl = dns_msg(pay, id, f, dir);
            } else if (f->l7 == L7_TLS && f->proto == 6) {
                if (k == 3)
                    n = tls_hello(pay, id, 0);
                else if (k == 4)
                    n = tls_hello(pay, id, 1);
                else if (pl >= 6) {
                    pay[0] = 23;
                    put16(pay + 1, 0x0303);
                    put16(pay + 3, (u16)(pl - 5));
                    n = 5;
                }
                if (k < 5)
                    pl = n;
            } else if (f->l7 == L7_HTTP && f->proto == 6) {
                char name[64];
                site_name(id, name, sizeof name);
                if (k == 3)
                    n = pl = (size_t)snprintf((char *)pay, room,
                                              "GET /item/%u?v=%u HTTP/1.1\r\nHost: %s\r\n"
                                              "User-Agent: bench/1.0 (gen)\r\nAccept: */*\r\n\r\n",
                                              (u32)(id % 9973), (u32)(id % 7), name);
                else if (k == 4) {
                    n = (size_t)snprintf(
                        (char *)pay, room,
                        "HTTP/1.1 200 OK\r\nServer: gen\r\nContent-Type: text/html\r\n"
                        "Connection: close\r\n\r\n");
                    if (pl < n)
                        pl = n;
                }
            }
        }
        if (pl > n) {
            fill(pay + n, pl - n, id * 1000003u + k);
            if (!n)
                pay[0] = 1;
        }
    }
    size_t tot = hdr + pl;

    /* Ethernet */
    static const u8 mac[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
    memcpy(p, mac[!dir], 6);
    memcpy(p + 6, mac[dir], 6);
    put16(p + 12, f->v6 ? 0x86dd : 0x0800);
    /* IP */
    u8 *i3 = p + l2;
    u32 ps;
    size_t al = f->v6 ? 16 : 4;
    if (f->v6) {
        put32(i3, 0x60000000u);
        put16(i3 + 4, (u16)(l4 + pl));
        i3[6] = f->proto;
        i3[7] = 64;
        memcpy(i3 + 8, ip[dir], 16);
        memcpy(i3 + 24, ip[!dir], 16);
        ps = sum16(i3 + 8, 32, 0);
    } else {
        memset(i3, 0, 20);
        i3[0] = 0x45;
        put16(i3 + 2, (u16)(l3 + l4 + pl));
        put16(i3 + 4, (u16)(f->done + id));
        put16(i3 + 6, 0x4000);
        i3[8] = 64;
        i3[9] = f->proto;
        memcpy(i3 + 12, ip[dir], al);
        memcpy(i3 + 16, ip[!dir], al);
        put16(i3 + 10, fold(sum16(i3, 20, 0)));
        ps = sum16(i3 + 12, 8, 0);
    }
    ps += f->proto + (u32)(l4 + pl);
    /* TCP / UDP */
    u8 *i4 = i3 + l3;
    put16(i4, port[dir]);
    put16(i4 + 2, port[!dir]);
    if (f->proto == 6) {
        put32(i4 + 4, f->seq[dir]);
        put32(i4 + 8, flags & 0x10 ? f->seq[!dir] : 0);
        i4[12] = (u8)(l4 / 4 << 4);
        i4[13] = (u8)flags;
        put16(i4 + 14, 64240);
        put32(i4 + 16, 0);
        if (l4 == 24) {
            i4[20] = 2;
            i4[21] = 4;
            put16(i4 + 22, f->v6 ? 1440 : 1460);
        }
        put16(i4 + 16, fold(sum16(i4, l4 + pl, ps)));
        f->seq[dir] += (u32)pl + !!(flags & 3);
        f->ack[dir] = f->seq[!dir];
    } else {
        put16(i4 + 4, (u16)(8 + pl));
        put16(i4 + 6, 0);
        u16 c = fold(sum16(i4, l4 + pl, ps));
        put16(i4 + 6, c ? c : 0xffff);
    }
    /* truth */
    f->pk[dir]++;
    f->by[dir] += l3 + l4 + pl;
    if (!f->done)
        f->first = ts;
    f->last = ts;
    f->done++;
    /* Ethernet padding to 64 bytes (60 + what a FCS would take) */
    if (tot < min) {
        memset(p + tot, 0, min - tot);
        tot = min;
    }
    u32 rec[4] = { (u32)(ts / 1000000000ull), (u32)(ts % 1000000000ull), (u32)tot, (u32)tot };
    if (!o_nano)
        rec[1] /= 1000;
    if (rec[2] > o_snap)
        rec[2] = o_snap;
    wr(rec, 16);
    wr(p, rec[2]);
}

/* ----------------------------------------------------------------- plan */
/* Sort 64-bit keys on bits 28..63 (three 12-bit passes). */
static void radix(u64 *a, u64 *b, u64 n)
{
    for (int sh = 28; sh < 64; sh += 12) {
        static u64 c[4097];
        memset(c, 0, sizeof c);
        for (u64 i = 0; i < n; i++)
            c[(a[i] >> sh & 4095) + 1]++;
        for (int i = 0; i < 4096; i++)
            c[i + 1] += c[i];
        for (u64 i = 0; i < n; i++)
            b[c[a[i] >> sh & 4095]++] = a[i];
        u64 *t = a;
        a = b;
        b = t;
    }
    /* three passes: the result lies in the second array given; copy back */
    memcpy(b, a, n * sizeof *a);
}

static void usage(void)
{
    puts("gen_pcap -o FILE [options]\n"
         "  -n N          packets (default 1000000)\n"
         "  -f N          flows in the trace (default 10000), all with different 5-tuples\n"
         "  -d DIST       packets per flow: uniform | zipf | zipf:EXPONENT (default uniform; zipf "
         "= zipf:1.1)\n"
         "  -S FRACTION   part of the trace over which an average flow is spread, 0..1 (default 1: "
         "all flows\n"
         "                are active during the whole trace; 0.01: short flows come and go)\n"
         "  -s PROFILE    frame sizes: 64 | imix | 1500 (default imix = 7:4:1 of 64, 594, 1514 "
         "bytes)\n"
         "  -6 PCT        percentage of flows over IPv6 (default 0)\n"
         "  -u PCT        percentage of flows that are plain UDP (default 20)\n"
         "  -D/-T/-H PCT  percentage of flows that are DNS / TLS / HTTP (default 0)\n"
         "  -r PPS        packet rate used for the timestamps (default 1000000)\n"
         "  -N            nanosecond pcap (default microsecond)\n"
         "  -L BYTES      snap length\n"
         "  -x SEED       seed (default 1)\n"
         "  --truth FILE  write the list of flows as TSV (one line per bidirectional flow)\n"
         "Frames are at least 64 bytes in the file; IPv6 control packets are larger.");
    exit(0);
}

int main(int argc, char **argv)
{
    static const struct option lo[] = { { "truth", 1, 0, 1 },
                                        { "help", 0, 0, 'h' },
                                        { 0, 0, 0, 0 } };
    int c;
    while ((c = getopt_long(argc, argv, "o:n:f:d:S:s:6:u:D:T:H:r:NL:x:h", lo, 0)) != -1)
        switch (c) {
        case 'o':
            o_out = optarg;
            break;
        case 'n':
            o_packets = strtoull(optarg, 0, 0);
            break;
        case 'f':
            o_flows = strtoull(optarg, 0, 0);
            break;
        case 'd':
            if (!strncmp(optarg, "zipf", 4))
                o_zipf = optarg[4] == ':' ? atof(optarg + 5) : 1.1;
            else
                o_zipf = 0;
            break;
        case 'S':
            o_span = atof(optarg);
            break;
        case 's':
            o_size = !strcmp(optarg, "64") ? SZ_64 : !strcmp(optarg, "1500") ? SZ_1500 : SZ_IMIX;
            break;
        case '6':
            o_v6 = atoi(optarg);
            break;
        case 'u':
            o_udp = atoi(optarg);
            break;
        case 'D':
            o_dns = atoi(optarg);
            break;
        case 'T':
            o_tls = atoi(optarg);
            break;
        case 'H':
            o_http = atoi(optarg);
            break;
        case 'r':
            o_pps = atof(optarg);
            break;
        case 'N':
            o_nano = 1;
            break;
        case 'L':
            o_snap = (u32)atoi(optarg);
            break;
        case 'x':
            o_seed = strtoull(optarg, 0, 0);
            break;
        case 1:
            o_truth = optarg;
            break;
        case 'h':
            usage();
            break;
        default:
            return 2;
        }
    if (!o_out)
        usage();
    if (o_flows > o_packets)
        o_flows = o_packets;
    if (!o_flows || o_flows >= 1u << 28 || o_dns + o_tls + o_http + o_udp > 100) {
        fprintf(stderr, "bad options\n");
        return 2;
    }

    g_rng = mix64(o_seed);
    F = calloc(o_flows, sizeof *F);
    u64 *a = malloc(o_packets * 8), *b = malloc(o_packets * 8);
    if (!F || !a || !b) {
        perror("malloc");
        return 1;
    }

    /* packets per flow */
    u64 left = o_packets;
    if (o_zipf > 0) {
        double s = 0;
        for (u64 i = 0; i < o_flows; i++)
            s += pow((double)(i + 1), -o_zipf);
        u64 extra = o_packets - o_flows;
        for (u64 i = 0; i < o_flows; i++) {
            F[i].len = 1 + (u32)((double)extra * pow((double)(i + 1), -o_zipf) / s);
            left -= F[i].len;
        }
        for (u64 i = 0; left; i = (i + 1) % o_flows, left--)
            F[i].len++;
        for (u64 i = o_flows - 1; i; i--) { /* size must not follow the id */
            u64 j = rnd() % (i + 1);
            u32 t = F[i].len;
            F[i].len = F[j].len;
            F[j].len = t;
        }
    } else
        for (u64 i = 0; i < o_flows; i++) {
            F[i].len = (u32)(left / (o_flows - i));
            left -= F[i].len;
        }

    /* kind of each flow and position of each packet */
    double mean = (double)o_packets / (double)o_flows;
    u64 n = 0;
    for (u64 i = 0; i < o_flows; i++) {
        struct flow *f = &F[i];
        u32 r = (u32)(rnd() % 100);
        f->v6 = (int)(rnd() % 100) < o_v6;
        if (r < (u32)o_dns) {
            f->l7 = L7_DNS;
            f->proto = 17;
        } else if (r < (u32)(o_dns + o_tls)) {
            f->l7 = L7_TLS;
            f->proto = 6;
        } else if (r < (u32)(o_dns + o_tls + o_http)) {
            f->l7 = L7_HTTP;
            f->proto = 6;
        } else
            f->proto = r < (u32)(o_dns + o_tls + o_http + o_udp) ? 17 : 6;
        f->seq[0] = (u32)rnd();
        f->seq[1] = (u32)rnd();
        double span = o_span >= 1 ? 1 : o_span * f->len / mean;
        if (span > 1)
            span = 1;
        double st = rndf() * (1 - span);
        for (u32 k = 0; k < f->len; k++)
            a[n++] = (u64)((st + rndf() * span) * 68719476735.0) << 28 | i;
    }
    radix(a, b, n);

    out = fopen(o_out, "wb");
    if (!out) {
        perror(o_out);
        return 1;
    }
    setvbuf(out, 0, _IOFBF, 1 << 20);
    u32 gh[6] = { o_nano ? 0xa1b23c4d : 0xa1b2c3d4, 0x00040002, 0, 0, o_snap, 1 };
    wr(gh, sizeof gh);
    double t = 0, gap = 1e9 / o_pps;
    for (u64 k = 0; k < n; k++) {
        emit(a[k] & 0xfffffff, o_start * 1000000000ull + (u64)t);
        t += gap * (0.5 + rndf());
    }
    if (fclose(out)) {
        perror(o_out);
        return 1;
    }

    if (o_truth) {
        FILE *tf = fopen(o_truth, "w");
        if (!tf) {
            perror(o_truth);
            return 1;
        }
        fputs("id\tproto\tl7\tclient\tcport\tserver\tsport\tc2s_packets\ts2c_packets\tc2s_"
              "bytes\ts2c_bytes\tfirst_ns\tlast_ns\n",
              tf);
        static const char *l7n[] = { "-", "dns", "tls", "http" };
        for (u64 i = 0; i < o_flows; i++) {
            struct flow *f = &F[i];
            u8 ip[2][16];
            u16 port[2];
            char s[2][48];
            flow_key(i, f, ip, port);
            for (int d = 0; d < 2; d++)
                if (f->v6)
                    inet_ntop(AF_INET6, ip[d], s[d], sizeof s[d]);
                else
                    snprintf(s[d], sizeof s[d], "%u.%u.%u.%u", ip[d][0], ip[d][1], ip[d][2],
                             ip[d][3]);
            fprintf(tf, "%llu\t%u\t%s\t%s\t%u\t%s\t%u\t%u\t%u\t%llu\t%llu\t%llu\t%llu\n",
                    (unsigned long long)i, f->proto, l7n[f->l7], s[0], port[0], s[1], port[1],
                    f->pk[0], f->pk[1], (unsigned long long)f->by[0], (unsigned long long)f->by[1],
                    (unsigned long long)f->first, (unsigned long long)f->last);
        }
        if (fclose(tf)) {
            perror(o_truth);
            return 1;
        }
    }
    return 0;
}
