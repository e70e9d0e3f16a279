/*
 * dump_layers FILE: what decode reads from each packet of a capture file, one line of tab-separated
 * values per packet, for comparison with others. First the link type of the file on a line of its
 * own. Exit status 3 when the file is damaged or not known to libpcap.
 *
 * link verdict version src dst proto sport dport tcp_flags ttl ip_octets vlan fragment_offset
 * tunnel
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/decode.h"
#include "schema/schema.h"

static void print_endpoints(const struct layers *l, struct text *out)
{
    for (unsigned side = 0; side < 2; side++) {
        struct address a = l->key.version == 4 ? address_of_ip4(l->key.address[side])
                                               : address_of_ip6(l->key.address[side]);
        text_char(out, '\t');
        address_print(out, &a);
    }
}

static void print_layers(const struct layers *l, struct text *out)
{
    text_format(out, "%s\t%u", l->verdict == REASON_none ? "ok" : ledger_reasons[l->verdict].name,
                l->key.version);
    if (l->key.version != 0) {
        print_endpoints(l, out);
        bool has_ports = l->flags & PACKET_PORTS;
        text_format(out, "\t%u\t", l->key.proto);
        if (has_ports)
            text_format(out, "%u\t%u", l->key.port[0], l->key.port[1]);
        else
            text_add(out, "-\t-");
        text_format(out, "\t%u\t%u\t%u", l->tcp_flags, l->ttl, l->ip_octets);
    } else {
        text_add(out, "\t-\t-\t-\t-\t-\t-\t-\t-");
    }
    text_format(out, "\t%d\t%u\t%s\n", l->vlan_count ? l->vlan - 1 : -1, l->fragment_offset,
                tunnel_names[l->tunnel]);
}

int main(int argc, char **argv)
{
    char message[PCAP_ERRBUF_SIZE];
    bool enters = argc == 3 && strcmp(argv[1], "--tunnel") == 0;
    if (argc != 2 + enters) {
        fprintf(stderr, "usage: dump_layers [--tunnel] FILE\n");
        return 2;
    }
    pcap_t *file = pcap_open_offline(argv[1 + enters], message);
    if (file == NULL) {
        fprintf(stderr, "dump_layers: %s\n", message);
        return 3;
    }
    struct packet_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return 4;
    struct pcap_pkthdr *header;
    const u_char *data;
    int status;
    printf("%d\n", pcap_datalink(file));
    while ((status = pcap_next_ex(file, &header, &data)) == 1) {
        batch->count = 1;
        batch->pkt[0] = (struct packet){ .data = data,
                                         .caplen = header->caplen,
                                         .wirelen = header->len,
                                         .link = (uint16_t)pcap_datalink(file) };
        decode_batch(batch, &(struct decode_options){ .enter_tunnels = enters });
        struct text line = { 0 };
        print_layers(&batch->layer[0], &line);
        fputs(line.data, stdout);
        text_fini(&line);
    }
    pcap_close(file);
    free(batch);
    return status == PCAP_ERROR_BREAK ? 0 : 3;
}
