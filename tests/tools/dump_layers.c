/*
 * dump_layers [--tunnel] FILE: what decode reads from each packet of a capture file, one line of
 * tab-separated values per packet, for comparison with others:
 *
 * link verdict version src dst proto sport dport tcp_flags ttl ip_octets vlan fragment_offset
 * tunnel
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
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

static void print_layers(const struct packet *p, const struct layers *l, struct text *out)
{
    text_format(out, "%u\t%s\t%u", p->link,
                l->verdict == REASON_none ? "ok" : ledger_reasons[l->verdict].name, l->key.version);
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

static int dump(struct capture *capture, struct packet_batch *batch,
                const struct decode_options *options, struct err *e)
{
    int code;
    while ((code = capture_fill(capture, batch, e)) > 0) {
        struct text lines = { 0 };
        decode_batch(batch, options);
        for (unsigned i = 0; i < batch->count; i++)
            print_layers(&batch->pkt[i], &batch->layer[i], &lines);
        fputs(lines.data, stdout);
        text_fini(&lines);
    }
    return code < 0 ? code : capture->worst;
}

int main(int argc, char **argv)
{
    bool enters = argc == 3 && strcmp(argv[1], "--tunnel") == 0;
    if (argc != (enters ? 3 : 2)) {
        fprintf(stderr, "usage: dump_layers [--tunnel] FILE\n");
        return 2;
    }
    struct capture_options o = { .path = (const char *const *)&argv[argc - 1],
                                 .path_count = 1,
                                 .from_ns = INT64_MIN,
                                 .to_ns = INT64_MAX };
    struct ledger ledger = { 0 };
    struct packet_batch *batch = calloc(1, sizeof *batch);
    struct capture *capture;
    struct err e;
    if (batch == NULL)
        return 4;
    int code = capture_open_files(&capture, &o, &ledger, &e);
    if (code == 0) {
        code = dump(capture, batch, &(struct decode_options){ .enter_tunnels = enters }, &e);
        capture_close(capture);
    }
    free(batch);
    return err_exit_status(code);
}
