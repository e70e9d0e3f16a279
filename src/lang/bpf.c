/* BPF on packets. The only file that knows libpcap. */
#include <pcap/pcap.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lang/lang.h"

#define BPF_LINKS_MAX 64

/* The text compiled for one link type. */
struct program {
    uint16_t link;
    bool is_bad; /* makes no sense there: nothing matches */
    struct bpf_program code;
};

struct bpf {
    char *text;
    pthread_mutex_t lock; /* held while a program is added */
    unsigned count;       /* programs that are ready; published with release */
    struct program program[BPF_LINKS_MAX];
};

/* LINKTYPE_ numbers of files are DLT_ numbers but for those whose DLT_ number differs between
 * systems. */
static int dlt_of(uint16_t link)
{
    static const struct {
        uint16_t link;
        int dlt;
    } differ[] = {
        { 100, DLT_ATM_RFC1483 }, { 101, DLT_RAW }, { 102, DLT_SLIP_BSDOS }, { 103, DLT_PPP_BSDOS }
    };
    for (size_t i = 0; i < sizeof differ / sizeof *differ; i++)
        if (differ[i].link == link)
            return differ[i].dlt;
    return link;
}

static bool compile(const char *text, uint16_t link, struct bpf_program *code, struct err *e)
{
    pcap_t *pcap = pcap_open_dead(dlt_of(link), PACKET_OCTETS_MAX);
    if (pcap == NULL) {
        err_memory(e, "packet filter", 0);
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
static const struct program *program_for(struct bpf *bpf, uint16_t link)
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

bool bpf_match(struct bpf *bpf, const struct packet *packet)
{
    return run(program_for(bpf, packet->link), packet);
}

void bpf_select(struct bpf *bpf, const struct packet_batch *batch, uint8_t keep[])
{
    const struct program *program = NULL;
    for (unsigned i = 0; i < batch->count; i++) {
        const struct packet *packet = &batch->pkt[i];
        if (program == NULL || program->link != packet->link)
            program = program_for(bpf, packet->link);
        keep[i] = run(program, packet);
    }
}

void bpf_message(struct bpf *bpf, struct text *out)
{
    unsigned count = __atomic_load_n(&bpf->count, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < count; i++) {
        if (!bpf->program[i].is_bad)
            continue;
        const char *name = pcap_datalink_val_to_name(dlt_of(bpf->program[i].link));
        text_format(
            out, "packet filter '%s' makes no sense on link type %u (%s): no packet of it passes\n",
            bpf->text, bpf->program[i].link, name != NULL ? name : "without a name");
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
