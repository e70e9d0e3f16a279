/* BPF on packets. The only file that knows libpcap. */
#include <pcap/pcap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/lang.h"

#define BPF_LINKS_MAX    64
#define PCAP_HEADER_SIZE 24

#define LINK_NULL 0
#define LINK_SWAPPED                                                                               \
    UINT32_C(0x10000) /* or-ed to a link type: captured with the other byte order */

/* The text compiled for one link type. */
struct program {
    uint32_t link; /* LINKTYPE_*, with LINK_SWAPPED */
    bool is_bad;   /* makes no sense there: nothing matches */
    struct bpf_program code;
};

struct bpf {
    char *text;
    pthread_mutex_t lock; /* held while a program is added */
    unsigned count;       /* programs that are ready; published with release */
    struct program program[BPF_LINKS_MAX];
};

/*
 * A capture file without packets. What libpcap compiles for a file knows that null and loopback
 * headers number IPv6 as any system does, and in which byte order; for a "dead" handle it takes
 * this system's.
 */
static pcap_t *empty_file(uint32_t link)
{
    uint8_t header[PCAP_HEADER_SIZE] = { 0 };
    const uint32_t word[] = { 0xa1b2c3d4, 0, 0, 0, PACKET_OCTETS_MAX, link & 0xffff };
    bool is_swapped = (link & LINK_SWAPPED) != 0;
    for (unsigned i = 0; i < 6; i++) {
        uint32_t value = is_swapped ? __builtin_bswap32(word[i]) : word[i];
        memcpy(header + 4 * i, &value, sizeof value);
    }
    const uint16_t version[] = { is_swapped ? 0x200 : 2, is_swapped ? 0x400 : 4 };
    memcpy(header + 4, version, sizeof version);
    FILE *file = fmemopen(header, sizeof header, "rb");
    if (file == NULL)
        return NULL;
    char reason[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_fopen_offline(file, reason); /* has read the header; owns the file */
    if (pcap == NULL)
        fclose(file);
    return pcap;
}

static bool compile(const char *text, uint32_t link, struct bpf_program *code, struct err *e)
{
    pcap_t *pcap = empty_file(link);
    if (pcap == NULL) {
        err_set(e, WEIR_ESYSTEM, "packet filter: libpcap takes no link type %u", link & 0xffff);
        return false;
    }
    bool is_good = pcap_compile(pcap, code, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!is_good)
        err_set(e, WEIR_EUSAGE, "packet filter '%.200s': %s; see pcap-filter(7)", text,
                pcap_geterr(pcap));
    pcap_close(pcap);
    return is_good;
}

/* The program for a link type, made on first need; NULL when nothing can match. */
static const struct program *program_for(struct bpf *bpf, uint32_t link)
{
    unsigned count = __atomic_load_n(&bpf->count, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < count; i++)
        if (bpf->program[i].link == link)
            return &bpf->program[i];
    pthread_mutex_lock(&bpf->lock);
    struct program *made = NULL;
    for (unsigned i = count; i < bpf->count; i++) /* another thread may have been faster */
        if (bpf->program[i].link == link)
            made = &bpf->program[i];
    if (made == NULL && bpf->count < BPF_LINKS_MAX) {
        made = &bpf->program[bpf->count];
        made->link = link;
        made->is_bad = !compile(bpf->text, link, &made->code, NULL);
        __atomic_store_n(&bpf->count, bpf->count + 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&bpf->lock);
    return made;
}

int bpf_new(const char *text, struct bpf **bpf, struct err *e)
{
    /* Ethernet first; then those whose words mean nothing on Ethernet (802.11, PPP, SUNATM, MTP2,
     * raw IP). */
    static const uint16_t links[] = { 1, 127, 105, 113, 276, 9, 101, 0, 123, 139, 140, 6, 122 };
    struct bpf *b = calloc(1, sizeof *b);
    if (b == NULL || (b->text = strdup(text)) == NULL) {
        free(b);
        return err_memory(e, "packet filter", sizeof *b);
    }
    pthread_mutex_init(&b->lock, NULL);
    bool makes_sense = false;
    for (size_t i = 0; i < sizeof links / sizeof *links && !makes_sense; i++) {
        struct bpf_program code;
        makes_sense = compile(text, links[i], &code, i == 0 ? e : NULL);
        if (makes_sense)
            pcap_freecode(&code);
    }
    if (!makes_sense) {
        bpf_free(b);
        return WEIR_EUSAGE;
    }
    *bpf = b;
    return 0;
}

static inline bool run(const struct program *program, const struct packet *packet)
{
    return program != NULL && !program->is_bad &&
           bpf_filter(program->code.bf_insns, packet->data, packet->wirelen, packet->caplen) != 0;
}

/* The number of a protocol family in a null header is small: in the other byte order it is not. */
static inline uint32_t link_of(const struct packet *packet)
{
    uint32_t family;
    if (packet->link != LINK_NULL || packet->caplen < sizeof family)
        return packet->link;
    memcpy(&family, packet->data, sizeof family);
    return family > UINT16_MAX ? LINK_NULL | LINK_SWAPPED : LINK_NULL;
}

bool bpf_match(struct bpf *bpf, const struct packet *packet)
{
    return run(program_for(bpf, link_of(packet)), packet);
}

void bpf_select(struct bpf *bpf, const struct packet_batch *batch, uint8_t keep[])
{
    const struct program *program = NULL;
    for (unsigned i = 0; i < batch->count; i++) {
        const struct packet *packet = &batch->pkt[i];
        if (program == NULL || program->link != link_of(packet))
            program = program_for(bpf, link_of(packet));
        keep[i] = run(program, packet);
    }
}

void bpf_message(struct bpf *bpf, struct text *out)
{
    unsigned count = __atomic_load_n(&bpf->count, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < count; i++) {
        if (!bpf->program[i].is_bad)
            continue;
        uint32_t link = bpf->program[i].link;
        pcap_t *pcap = empty_file(link);
        const char *name = pcap ? pcap_datalink_val_to_name(pcap_datalink(pcap)) : NULL;
        text_format(
            out, "packet filter '%s' makes no sense on link type %u (%s): no packet of it passes\n",
            bpf->text, link & 0xffff, name != NULL ? name : "without a name");
        if (pcap != NULL)
            pcap_close(pcap);
    }
}

void bpf_free(struct bpf *bpf)
{
    if (bpf == NULL)
        return;
    for (unsigned i = 0; i < bpf->count; i++)
        if (!bpf->program[i].is_bad)
            pcap_freecode(&bpf->program[i].code);
    pthread_mutex_destroy(&bpf->lock);
    free(bpf->text);
    free(bpf);
}
