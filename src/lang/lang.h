/*
 * lang: texts that users write become values: the flow filter (nfdump's language over dictionary names) and BPF for packets.
 * Pure but for libpcap's compiler. Errors carry the column: "filter:1:14: no field 'srcip'; did you mean ...".
 */
#ifndef WEIR_LANG_H
#define WEIR_LANG_H

#include "packet/packet.h"
#include "schema/schema.h"

/* ---- flow filter: one expression tree for record batches and for SQL ---- */
struct filter;
int filter_parse(const char *text, struct filter **filter, struct err *e);
/* keep[row] = 1 where the record passes. Fields that the batch lacks count as absent. */
void filter_select(const struct filter *filter, const struct record_batch *batch, uint8_t keep[]);
/* As an SQL condition over the column names of the flow record type. */
void filter_sql(const struct filter *filter, struct text *out);
void filter_free(struct filter *filter);

/* ---- BPF on packets: pcap-filter(7), compiled once per link type on first need ---- */
struct bpf;
int bpf_new(const char *text, struct bpf **bpf, struct err *e); /* checks the text with Ethernet first */
/* Same answer as `tcpdump -r`; an expression that makes no sense on a link type matches nothing there and sets the message once. */
bool bpf_match(struct bpf *bpf, const struct packet *packet);
/* keep[i] = 1 where packet i of the batch passes. */
void bpf_select(struct bpf *bpf, const struct packet_batch *batch, uint8_t keep[]);
void bpf_free(struct bpf *bpf);

#endif
