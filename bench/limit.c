/*
 * limit.c - how fast can one core of this machine walk a pcap file?
 *
 *   walk   record headers only
 *   touch  record headers + sum of the first 64 bytes of every packet
 *   hash   parse the 5-tuple (Ethernet, VLAN, IPv4/IPv6, TCP/UDP) and hash it
 *   flow   hash + update of a bidirectional flow table, in batches with prefetch
 *          (a sketch of what a flow meter must at least do; no export, no timeouts);
 *          index of 8-way tag buckets + records of two cache lines: two cache misses per packet
 *   flow1  the same with hot records of one cache line placed in the table itself: one cache miss
 * per packet
 *
 * Input methods: mmap (default), populate (mmap + MAP_POPULATE), read (read() into a buffer).
 *
 * Build:  cc -O3 -march=native -o limit limit.c
 * Usage:  limit [-m walk|touch|hash|flow|flow1] [-i mmap|populate|read] [-b BATCH] [-c READ_KIB]
 * [-H] [-P] [-w] [-e EXPECTED_FLOWS] FILE -H: no huge pages for the table   -P: no prefetch   -b 1:
 * no batching   -w: allocate and clear the table before the clock starts Output: one TSV line: mode
 * input packets seconds Mpps ns/packet GB/s checksum flows
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

static inline u16 r16(const u8 *p)
{
    u16 v;
    memcpy(&v, p, 2);
    return v;
}
static inline u32 r32(const u8 *p)
{
    u32 v;
    memcpy(&v, p, 4);
    return v;
}
static inline u64 r64(const u8 *p)
{
    u64 v;
    memcpy(&v, p, 8);
    return v;
}
static inline u64 mum(u64 a, u64 b)
{
    __uint128_t r = (__uint128_t)a * b;
    return (u64)r ^ (u64)(r >> 64);
}
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define K0 0xa0761d6478bd642full
#define K1 0xe7037ed1a0b428dbull

struct meta {
    u64 h;
    u64 ts;
    u32 len;
    u8 proto, dir, flags, v6;
    const u8 *l3;
    u16 sp, dp;
    u32 *bucket;
    u32 slot;
};

/* Parse one frame; returns 0 when it is not IP. The hash does not depend on the direction. */
static inline int parse(const u8 *p, u32 cap, struct meta *m)
{
    u32 o = 14;
    u16 et = r16(p + 12);
    while (et == 0x0081 || et == 0xa888) {
        et = r16(p + o + 2);
        o += 4;
    }
    const u8 *l3 = p + o, *l4;
    u64 a, b;
    if (et == 0x0008) {
        l4 = l3 + (l3[0] & 15) * 4;
        m->proto = l3[9];
        m->v6 = 0;
        m->len = __builtin_bswap16(r16(l3 + 2));
        a = r32(l3 + 12);
        b = r32(l3 + 16);
        if (r16(l3 + 6) & 0xff1f)
            l4 = 0;
    } else if (et == 0xdd86) {
        l4 = l3 + 40;
        m->proto = l3[6];
        m->v6 = 1;
        m->len = 40u + __builtin_bswap16(r16(l3 + 4));
        a = mum(r64(l3 + 8) ^ K0, r64(l3 + 16) ^ K1);
        b = mum(r64(l3 + 24) ^ K0, r64(l3 + 32) ^ K1);
    } else
        return 0;
    m->l3 = l3;
    m->sp = m->dp = 0;
    m->flags = 0;
    if (l4 && l4 + 14 <= p + cap) {
        m->sp = r16(l4);
        m->dp = r16(l4 + 2);
        if (m->proto == 6)
            m->flags = l4[13];
    }
    a = a << 16 | m->sp;
    b = b << 16 | m->dp;
    m->dir = a > b;
    u64 lo = m->dir ? b : a, hi = m->dir ? a : b;
    m->h = mum(lo ^ K0, hi ^ K1 ^ ((u64)m->proto << 56)) | 1;
    return 1;
}

/* ------------------------------------------------------------ flow table */
/* Index: 64-byte buckets of 8 tags + 8 record numbers. Records: two cache lines, counters first. */
struct bucket {
    u32 tag[8], idx[8];
};
struct rec {
    u64 h, first, last, by[2];
    u32 pk[2];
    u8 fl[2], pad[14];
    u8 key[64];
};
static struct bucket *B;
static struct rec *R;
static u64 bmask, nrec, maxrec;
static int o_huge = 1, o_pf = 1, o_batch = 32, o_chunk = 256, o_warm = 0;

static void *big(u64 n)
{
    n = (n + (2u << 20) - 1) & ~((2ull << 20) - 1);
    u8 *p = mmap(0, n + (2u << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    p = (u8 *)(((u64)p + (2u << 20) - 1) & ~((2ull << 20) - 1));
    madvise(p, n, o_huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    if (o_warm)
        memset(p, 0, n);
    return p;
}
static void table_init(u64 flows)
{
    u64 nb = 1024;
    while (nb * 8 < flows * 2)
        nb *= 2; /* load factor <= 0.5 */
    B = big(nb * sizeof *B);
    bmask = nb - 1;
    maxrec = flows * 2 + 1024;
    R = big(maxrec * sizeof *R);
}
static inline void find(struct meta *m) /* stage 2: index */
{
    u64 k = m->h & bmask;
    u32 tag = (u32)(m->h >> 32) | 1;
    for (;; k = (k + 1) & bmask) {
        struct bucket *b = &B[k];
        u32 hit = 0, empty = 0;
        for (int i = 0; i < 8; i++) {
            hit |= (u32)(b->tag[i] == tag) << i;
            empty |= (u32)(b->tag[i] == 0) << i;
        }
        while (hit) {
            u32 i = (u32)__builtin_ctz(hit);
            hit &= hit - 1;
            if (R[b->idx[i]].h == m->h || o_batch > 1) {
                m->slot = b->idx[i];
                return;
            } /* checked in stage 3 */
        }
        if (empty) {
            u32 i = (u32)__builtin_ctz(empty);
            if (++nrec >= maxrec) {
                fprintf(stderr, "table full, use -e\n");
                exit(1);
            }
            b->tag[i] = tag;
            b->idx[i] = (u32)nrec;
            m->slot = (u32)nrec;
            struct rec *r = &R[nrec];
            r->h = m->h;
            r->first = m->ts;
            memcpy(r->key, m->l3 + (m->v6 ? 8 : 12), m->v6 ? 32 : 8);
            memcpy(r->key + 32, &m->sp, 4);
            r->key[36] = m->proto;
            return;
        }
    }
}
static u64 clash;
static inline void update(struct meta *m) /* stage 3: record */
{
    struct rec *r = &R[m->slot];
    if (r->h != m->h)
        clash++; /* a real meter takes the slow path here */
    r->last = m->ts;
    r->by[m->dir] += m->len;
    r->pk[m->dir]++;
    r->fl[m->dir] |= m->flags;
}

/* flow1: open addressing, the slot is the hot record; the key lies in a parallel array that is only
 * written at creation. */
struct hot {
    u64 h, first, last, by[2];
    u32 pk[2];
    u8 fl[2], pad[14];
};
struct cold {
    u8 key[64];
};
static struct hot *T;
static struct cold *C;
static u64 tmask;
static void table1_init(u64 flows)
{
    u64 n = 1024;
    while (n < flows * 2)
        n *= 2;
    T = big(n * sizeof *T);
    C = big(n * sizeof *C);
    tmask = n - 1;
}
static inline void update1(struct meta *m)
{
    u64 k = m->h & tmask;
    while (T[k].h != m->h) {
        if (!T[k].h) {
            if (++nrec * 8 > tmask * 7) {
                fprintf(stderr, "table full, use -e\n");
                exit(1);
            }
            T[k].h = m->h;
            T[k].first = m->ts;
            memcpy(C[k].key, m->l3 + (m->v6 ? 8 : 12), m->v6 ? 32 : 8);
            memcpy(C[k].key + 32, &m->sp, 4);
            C[k].key[36] = m->proto;
            break;
        }
        k = (k + 1) & tmask;
    }
    struct hot *r = &T[k];
    r->last = m->ts;
    r->by[m->dir] += m->len;
    r->pk[m->dir]++;
    r->fl[m->dir] |= m->flags;
}

/* --------------------------------------------------------------- walkers */
static int o_mode;
static u64 npk, sum;
static struct meta M[256];
static int nm;

static void flush(void)
{
    int n = nm;
    if (o_mode == 4) {
        for (int i = 0; i < n; i++)
            update1(&M[i]);
        nm = 0;
        return;
    }
    for (int i = 0; i < n; i++) {
        find(&M[i]);
        if (o_pf)
            __builtin_prefetch(&R[M[i].slot], 1);
    }
    for (int i = 0; i < n; i++)
        update(&M[i]);
    nm = 0;
}

/* Processes whole records in [p, e); returns the first byte not used. */
static const u8 *work(const u8 *p, const u8 *e)
{
    const int mode = o_mode;
    while (p + 16 <= e) {
        u32 cap = r32(p + 8);
        const u8 *d = p + 16;
        if (d + cap > e)
            break;
        if (o_pf)
            __builtin_prefetch(p +
                               8 * (16 + (u64)cap)); /* guess: the next packets are like this one */
        npk++;
        if (mode == 0)
            sum += cap;
        else if (mode == 1) {
            if (cap >= 64) {
                u64 s = 0;
                for (int i = 0; i < 8; i++)
                    s += r64(d + 8 * i);
                sum += s;
            } else
                for (u32 i = 0; i < cap; i++)
                    sum += d[i];
        } else if (cap >= 34) {
            struct meta *m = &M[nm];
            if (parse(d, cap, m)) {
                if (mode == 2)
                    sum += m->h;
                else {
                    m->ts = (u64)r32(p) * 1000000 + r32(p + 4);
                    if (o_pf)
                        __builtin_prefetch(
                            mode == 3 ? (void *)&B[m->h & bmask] : (void *)&T[m->h & tmask], 1);
                    if (++nm == o_batch)
                        flush();
                }
            }
        }
        p = d + cap;
    }
    if (mode >= 3)
        flush(); /* the packets of this piece may go away */
    return p;
}

int main(int argc, char **argv)
{
    const char *mn[] = { "walk", "touch", "hash", "flow", "flow1" }, *in = "mmap";
    u64 expect = 1u << 20;
    int c;
    o_mode = 1;
    while ((c = getopt(argc, argv, "m:i:b:HPwe:c:")) != -1)
        switch (c) {
        case 'm':
            for (int i = 0; i < 5; i++)
                if (!strcmp(optarg, mn[i]))
                    o_mode = i;
            break;
        case 'i':
            in = optarg;
            break;
        case 'b':
            o_batch = atoi(optarg);
            if (o_batch < 1 || o_batch > 256)
                o_batch = 32;
            break;
        case 'H':
            o_huge = 0;
            break;
        case 'P':
            o_pf = 0;
            break;
        case 'w':
            o_warm = 1;
            break;
        case 'c':
            o_chunk = atoi(optarg);
            if (o_chunk < 1)
                o_chunk = 1;
            break;
        case 'e':
            expect = strtoull(optarg, 0, 0);
            break;
        default:
            return 2;
        }
    if (optind >= argc) {
        fprintf(stderr, "usage: see the head of limit.c\n");
        return 2;
    }
    int fd = open(argv[optind], O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) {
        perror(argv[optind]);
        return 1;
    }
    double t0 = now();
    if (o_mode == 3)
        table_init(expect);
    if (o_mode == 4)
        table1_init(expect);
    if (o_warm)
        t0 = now();
    if (!strcmp(in, "read")) {
        u64 N = (u64)o_chunk << 10;
        u8 *buf = big(N + (1 << 19));
        u64 have = 0;
        ssize_t n;
        int first = 1;
        while ((n = read(fd, buf + have, N)) > 0) {
            const u8 *e = buf + have + n, *p = work(buf + (first ? 24 : 0), e);
            first = 0;
            have = (u64)(e - p);
            memmove(buf, p, have);
        }
    } else {
        const u8 *b = mmap(0, (size_t)st.st_size, PROT_READ,
                           MAP_PRIVATE | (!strcmp(in, "populate") ? MAP_POPULATE : 0), fd, 0);
        if (b == MAP_FAILED) {
            perror("mmap");
            return 1;
        }
        madvise((void *)b, (size_t)st.st_size, MADV_SEQUENTIAL);
        work(b + 24, b + st.st_size);
    }
    double t = now() - t0;
    printf("%s\t%s\t%llu\t%.4f\t%.2f\t%.2f\t%.2f\t%llx\t%llu\n", mn[o_mode], in,
           (unsigned long long)npk, t, (double)npk / t / 1e6, t / (double)npk * 1e9,
           (double)st.st_size / t / 1e9, (unsigned long long)sum, (unsigned long long)nrec);
    if (clash)
        fprintf(stderr, "tag clashes: %llu\n", (unsigned long long)clash);
    return 0;
}
