/*
 * lang: texts that users write become values: the flow filter (nfdump's language over dictionary
 * names) and BPF for packets. Pure but for libpcap's compiler and `@include`. Errors carry line and
 * column: "filter:1:5: no word 'srcc'; did you mean 'src'?".
 */
#ifndef WEIR_LANG_H
#define WEIR_LANG_H

#include "packet/packet.h"
#include "schema/schema.h"

#define FILTER_TEXT_MAX    (UINT32_C(64) << 20) /* octets of filter text, includes counted */
#define FILTER_NODES_MAX   65536u
#define FILTER_DEPTH_MAX   64u /* parentheses and `not` inside each other */
#define FILTER_INCLUDE_MAX 8u  /* `@include` inside each other */

/*
 * Flow filter: one expression tree for record batches and for SQL; both give the same answer for
 * every record.
 *
 * What the words mean (spec/tools.md section 7; nfdump 1.7):
 *
 *   any, not A, A and B, A or B, ( ), ! && ||   `and` binds tighter than `or`, `not` tightest
 *   ipv4 inet ipv6 inet6                        version of the source address
 *   proto tcp, proto 6, tcp, udp, icmp ...
 *   [src|dst] ip|host ADDR                      without a side: either; `src and dst`: both
 *   [src|dst] ip in [ADDR NET ...]
 *   [src|dst] net NET/BITS, net NET MASK
 *   [src|dst] port COMP NUM, port in [...]      so for as, mask, mac, tos, vlan
 *   [in|out] if NUM, next ip ADDR, router ip ADDR
 *   flags S, flags SF, flags = 2                all letters are set; COMP: the whole octet
 *   packets bytes flows COMP NUM
 *   icmp-type COMP NUM, icmp-code COMP NUM      of ICMP and ICMPv6
 *   duration pps bps bpp COMP NUM               whole ms, packets/s, bits/s, octets/packet, cut;
 *                                               0 when the divisor is 0
 *   COLUMN COMP VALUE, COLUMN in [...]          every column of the flow record
 *
 * COMP: = == > < >= <= != and eq gt lt ge le ne; none means equal. k m g t behind a number are
 * powers of 1000. `#` begins a comment, `@include FILE` is replaced by the file's text. Words
 * do not depend on case.
 *
 * A record of two directions (biflow) is looked at as its forward side: src, dst, packets, bytes,
 * flags and the rates are forward, ip, port, net and as without src or dst look at both ends. The
 * other direction has columns: rev_bytes > 1m. So records of one direction, which is all that
 * nfdump has, pass exactly as there.
 *
 * A field without a value fails every comparison, `!=` too; `not` of that passes.
 */
struct filter;
int filter_parse(const char *text, struct filter **filter, struct err *e);
/* keep[row] = 1 where the record passes, else 0. Fields that the batch lacks count as absent. Cost:
 * one pass over a column per condition. */
void filter_select(const struct filter *filter, const struct record_batch *batch, uint8_t keep[]);
/*
 * As an SQL condition over the column names of the flow record type. Uses one function that plain
 * SQL lacks: in_net(address text, set text) answers whether an address lies in "192.0.2.0/24
 * 2001:db8::/32 ...", see address_set_parse.
 */
void filter_sql(const struct filter *filter, struct text *out);
void filter_free(struct filter *filter);

/* ---- sets of addresses and prefixes, 100,000 of them as fast as one ---- */

struct address_set;
/* Addresses and prefixes parted by blanks, commas or line ends. */
int address_set_parse(const char *text, size_t size, struct address_set **set, struct err *e);
bool address_set_has(const struct address_set *set, const struct address *address);
void address_set_free(struct address_set *set);

/* ---- BPF on packets: pcap-filter(7), compiled once per link type on first need ---- */

struct bpf;
/* The text must make sense on at least one link type; the message is libpcap's for Ethernet. */
int bpf_new(const char *text, struct bpf **bpf, struct err *e);
/* Same answer as `tcpdump -r`; where the text makes no sense on a link type nothing matches, and
 * bpf_message says so. */
bool bpf_match(struct bpf *bpf, const struct packet *packet);
/* keep[i] = 1 where packet i of the batch passes, else 0. Thread: any, several at once. */
void bpf_select(struct bpf *bpf, const struct packet_batch *batch, uint8_t keep[]);
/* Appends one line for each link type that was met and on which the text makes no sense. */
void bpf_message(struct bpf *bpf, struct text *out);
void bpf_free(struct bpf *bpf);

/* ---- which of the two a text is ---- */

enum filter_language { FILTER_LANGUAGE_ANY, FILTER_LANGUAGE_BPF, FILTER_LANGUAGE_FLOW };
/* "bpf", "flow", "any" (--filter-language); NULL is any. */
int filter_language_parse(const char *word, enum filter_language *language, struct err *e);
/* For packets: a text valid in BPF is BPF, else one valid as a flow filter is that. One of *bpf and
 * *filter is set, the other NULL. */
int lang_filter_parse_any(const char *text, enum filter_language language, struct bpf **bpf,
                          struct filter **filter, struct err *e);

#endif
