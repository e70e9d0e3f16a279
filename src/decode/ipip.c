/* IP in IP without a header between. Source: RFC 2003, RFC 2473, RFC 4213. */
#include "decode/walk.h"

static void ipv4_inside(struct walk *w)
{
    if (decode_tunnel(w, w->layers->key.version == 4 ? TUNNEL_IPIP : TUNNEL_4IN6))
        w->next = decode_ipv4;
}

static void ipv6_inside(struct walk *w)
{
    if (decode_tunnel(w, w->layers->key.version == 4 ? TUNNEL_6IN4 : TUNNEL_IPIP))
        w->next = decode_ipv6;
}

const struct decoder ipip_decoder = {
    .name = "ipip",
    .help = "IPv4 and IPv6 in IPv4 and IPv6",
    .entry[DECODE_IP] = (const struct decode_entry[]){ { PROTO_IPIP, "IPv4", ipv4_inside },
                                                       { PROTO_IPV6, "IPv6", ipv6_inside },
                                                       { 0 } },
};
