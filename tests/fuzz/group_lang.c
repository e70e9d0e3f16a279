/* Targets over lang: flow filters, run on some records and written as SQL; BPF texts, run on
 * packets; sets of addresses. */
#include <string.h>

#include "fuzz.h"
#include "lang/lang.h"

#define ROWS 8

/* A few records with all kinds of columns; some values are absent. */
static struct record_batch *some_flows(void)
{
    struct record_batch *batch = record_batch_new(&record_types[RECORD_flow], ROWS);
    FUZZ_CHECK(batch != NULL);
    for (unsigned c = 0; c < batch->type->column_count; c++) {
        if (c % 5 == 4)
            continue; /* a column that nobody has */
        enum value_type type = batch->type->column[c].type;
        uint8_t *values = record_batch_column(batch, c);
        FUZZ_CHECK(values != NULL);
        for (unsigned row = 0; row < ROWS; row++) {
            struct address address =
                row & 1 ? address_of_ip6((uint8_t[16]){ 0x20, 1, 0xd, 0xb8, [15] = (uint8_t)row })
                        : address_of_ip4((uint8_t[4]){ 192, 0, 2, (uint8_t)row });
            struct bytes text = { (const uint8_t *)"vxlan", row % 6 };
            uint64_t number = row * 1000 + c;
            size_t width = value_size(type);
            const void *from = type == T_ADDRESS ? (const void *)&address
                               : type == T_TEXT  ? (const void *)&text
                                                 : (const void *)&number;
            if (type != T_MAC)
                memcpy(values + row * width, from, width);
            if ((row + c) % 7 == 0)
                record_batch_set_null(batch, c, row);
        }
    }
    batch->count = ROWS;
    record_batch_seal(batch);
    return batch;
}

static void filters(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    if (text == NULL)
        return;
    struct filter *filter = NULL;
    struct err e = { 0 };
    /* Included files would make the run depend on this machine's. */
    int code = strcasestr(text, "@include") != NULL ? WEIR_EUSAGE : filter_parse(text, &filter, &e);
    if (code == 0) {
        struct record_batch *batch = some_flows();
        struct text sql = { 0 };
        uint8_t keep[ROWS];
        memset(keep, 7, sizeof keep);
        filter_select(filter, batch, keep);
        for (unsigned row = 0; row < ROWS; row++)
            FUZZ_CHECK(keep[row] <= 1);
        filter_sql(filter, &sql);
        FUZZ_CHECK(!sql.is_bad && sql.size > 0);
        text_fini(&sql);
        record_batch_unref(batch);
        filter_free(filter);
    }
    free(text);
}

static void bpfs(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    if (text == NULL)
        return;
    /* A UDP datagram over IPv4 over Ethernet, whole and cut. */
    static const uint8_t frame[] = { 2, 0,  0,    0,    0, 1,  2,  0,  0, 0, 0,   2, 8, 0, 0x45, 0,
                                     0, 32, 0,    1,    0, 0,  64, 17, 0, 0, 192, 0, 2, 1, 192,  0,
                                     2, 2,  0x30, 0x39, 0, 53, 0,  12, 0, 0, 1,   2, 3, 4 };
    struct bpf *bpf = NULL;
    struct err e = { 0 };
    if (bpf_new(text, &bpf, &e) == 0) {
        for (uint32_t caplen = 0; caplen <= sizeof frame; caplen += 23) {
            struct packet p = { .data = frame,
                                .caplen = caplen,
                                .wirelen = sizeof frame,
                                .link = caplen == 23 ? 101 : 1 };
            bpf_match(bpf, &p);
        }
        bpf_free(bpf);
    } else {
        FUZZ_CHECK(e.code == WEIR_EUSAGE && e.text[0] != '\0');
    }
    free(text);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *data, size_t size);
} targets[] = { { "filters", filters }, { "bpfs", bpfs } };

static bool lang_name(unsigned index, char *name, size_t room)
{
    if (index >= sizeof targets / sizeof *targets)
        return false;
    snprintf(name, room, "%s", targets[index].name);
    return true;
}

static void lang_run(unsigned index, const uint8_t *data, size_t size)
{
    targets[index].run(data, size);
}

const struct fuzz_group lang_group = { lang_name, lang_run };
