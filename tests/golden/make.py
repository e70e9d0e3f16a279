"""
python3 make.py [FOLDER]: writes the golden traces NAME.pcap (or another ending) beside itself or into FOLDER. Deterministic.

Each trace comes with the flow records that it must give, worked out by hand from the packets written here; run.py holds every 'weir flow'
against them. NAME.jsonl beside the trace is the whole output as last accepted (tools/golden --accept), so that no column changes unseen.
"""
import bz2
import gzip
import lzma
import pathlib
import re
import sys

from build import *

A, B, C = "192.0.2.1", "192.0.2.2", "198.51.100.7"
A6, B6 = "2001:db8::1", "2001:db8::2"
S, MS, US = 10**9, 10**6, 10**3


class Trace:
    """
    file: name with ending; content: octets; views: what 'weir flow' says, a list of (options, expected records). Expected records name the
    columns that matter; there must be no others. status: exit status; message: what standard error must contain.
    """

    def __init__(self, file, content, *views, status=0, message=None):
        self.file, self.content, self.views, self.status, self.message = file, content, views, status, message
        self.name = re.sub(r"\.(pcap|pcapng|snoop|erf)(\.\w+)?$", "", file)


def flow(proto, src, sport, dst, dport, packets, octets, rev_packets=0, rev_bytes=0, **more):
    return dict(proto=proto, src=src, sport=sport, dst=dst, dport=dport, packets=packets, bytes=octets, rev_packets=rev_packets,
                rev_bytes=rev_bytes, **more)


def native(*records, options=()):
    return (tuple(options), list(records))


# ---- TCP ----

def segment(ns, is_forward, flags, payload=0, sport=40000, dport=80, seq=1):
    ends, ports = ((A, B), (sport, dport)) if is_forward else ((B, A), (dport, sport))
    return ns, ether(ip4(*ends, TCP, tcp(*ports, flags, b"x" * payload, seq)))


def handshake(ns=0, sport=40000):
    return [segment(ns, True, SYN, sport=sport), segment(ns + MS, False, SYN | ACK, sport=sport), segment(ns + 2 * MS, True, ACK, sport=sport)]


def tcp_traces():
    exchange = [*handshake(), segment(3 * MS, True, PSH | ACK, 100), segment(5 * MS, False, PSH | ACK, 1000), segment(6 * MS, True, ACK)]
    # SYN 40, ACK 40, data 140, ACK 40 forward; SYN ACK 40, data 1040 backward
    close = [segment(10 * MS, True, FIN | ACK), segment(11 * MS, False, FIN | ACK), segment(12 * MS, True, ACK)]
    yield Trace("tcp-normal.pcap", pcap(exchange + close),
                native(flow(TCP, A, 40000, B, 80, 6, 340, 3, 1120, flags=27, rev_flags=27, end_reason=3, start="1700000000.000000000",
                            end="1700000000.012000000", out_of_order=0)),
                (("--length", "frame"), [flow(TCP, A, 40000, B, 80, 6, 340 + 6 * 14, 3, 1120 + 3 * 14)]),
                (("--length", "payload"), [flow(TCP, A, 40000, B, 80, 6, 100, 3, 1000)]))
    yield Trace("tcp-reset.pcap", pcap([*exchange, segment(20 * MS, False, RST | ACK)]),
                native(flow(TCP, A, 40000, B, 80, 4, 260, 3, 1120, rev_flags=30, end_reason=3)))
    # A SYN thrice without answer; the third comes 61 s after the second, so it is a flow of its own.
    yield Trace("tcp-half-open.pcap", pcap([segment(0, True, SYN), segment(3 * S, True, SYN), segment(64 * S, True, SYN)]),
                native(flow(TCP, A, 40000, B, 80, 2, 80, flags=2, end_reason=1), flow(TCP, A, 40000, B, 80, 1, 40, flags=2, end_reason=4)))
    # Exactly the idle timeout later is not later than it.
    yield Trace("tcp-idle-exact.pcap", pcap([segment(0, True, SYN), segment(60 * S, True, SYN), segment(120 * S + US, True, SYN)]),
                native(flow(TCP, A, 40000, B, 80, 2, 80, end_reason=1), flow(TCP, A, 40000, B, 80, 1, 40, end_reason=4)))
    # Seen from the middle: forward is who sends first here.
    yield Trace("tcp-mid-stream.pcap", pcap([segment(0, False, PSH | ACK, 500), segment(MS, True, ACK), segment(2 * MS, False, PSH | ACK, 500)]),
                native(flow(TCP, B, 80, A, 40000, 2, 1080, 1, 40, flags=24, rev_flags=16, end_reason=4)),
                (("--client-server",), [flow(TCP, A, 40000, B, 80, 1, 40, 2, 1080)]))
    # The SYN ACK was captured first: its destination is the client.
    yield Trace("tcp-syn-ack-first.pcap", pcap([segment(0, False, SYN | ACK), segment(MS, True, ACK)]),
                native(flow(TCP, B, 80, A, 40000, 1, 40, 1, 40)), (("--client-server",), [flow(TCP, A, 40000, B, 80, 1, 40, 1, 40)]))
    # A second connection on the same ports, 5 s after the first one was closed.
    again = [(ns + 5 * S, *rest) for ns, *rest in exchange]
    yield Trace("tcp-port-reuse.pcap", pcap(exchange + close + again),
                native(flow(TCP, A, 40000, B, 80, 6, 340, 3, 1120, end_reason=3), flow(TCP, A, 40000, B, 80, 4, 260, 2, 1080, end_reason=4)),
                (("--end", "none"), [flow(TCP, A, 40000, B, 80, 10, 600, 5, 2200)]))
    # One packet every 50 s: the one at 350 s is more than 300 s after the first.
    yield Trace("tcp-active.pcap", pcap([segment(50 * S * i, True, ACK) for i in range(9)]),
                native(flow(TCP, A, 40000, B, 80, 7, 280, end_reason=2, end="1700000300.000000000"),
                       flow(TCP, A, 40000, B, 80, 2, 80, end_reason=4, start="1700000350.000000000")),
                (("--active", "none"), [flow(TCP, A, 40000, B, 80, 9, 360)]))


# ---- other transports ----

def transport_traces():
    query, answer = udp(40001, 53, b"q" * 30), udp(53, 40001, b"a" * 200)
    packets = [(0, ether(ip4(A, B, UDP, query))), (5 * MS, ether(ip4(B, A, UDP, answer))), (6 * MS, ether(ip4(A, "224.0.0.251", UDP, udp(5353, 5353)))),
               (7 * MS, ether(ip6(A6, B6, UDP, query))), (8 * MS, ether(ip6(B6, A6, UDP, answer))),
               (9 * MS, ether(ip4(A, B, UDPLITE, udp(7, 8, b"lite")))), (10 * MS, ether(ip4(A, B, SCTP, struct.pack(">HHII", 2905, 2906, 0, 0)))),
               (11 * MS, ether(ip4(A, B, 47 + 41, b"EIGRP"))), (12 * MS, ether(ip4(A, "224.0.0.22", 2, b"\x22\0\xf9\x01\0\0\0\0", options=b"\x94\4\0\0")))]
    records = [flow(UDP, A, 40001, B, 53, 1, 58, 1, 228), flow(UDP, A, 5353, "224.0.0.251", 5353, 1, 28), flow(UDP, A6, 40001, B6, 53, 1, 78, 1, 248),
               flow(UDPLITE, A, 7, B, 8, 1, 32), flow(SCTP, A, 2905, B, 2906, 1, 32), flow(88, A, 0, B, 0, 1, 25), flow(2, A, 0, "224.0.0.22", 0, 1, 32)]
    yield Trace("transports.pcap", pcap(packets), native(*records))
    echo = [(0, ether(ip4(A, B, ICMP, icmp(8, 0, payload=b"p" * 56)))), (MS, ether(ip4(B, A, ICMP, icmp(0, 0, payload=b"p" * 56)))),
            (2 * MS, ether(ip6(A6, B6, ICMP6, icmp(128, 0, payload=b"p" * 56)))), (3 * MS, ether(ip6(B6, A6, ICMP6, icmp(129, 0, payload=b"p" * 56)))),
            # port unreachable, quoting a UDP packet that is not metered
            (4 * MS, ether(ip4(B, A, ICMP, icmp(3, 3, bytes(4), ip4(A, B, UDP, udp(1, 2))))))]
    # Question and answer are one biflow, or two records with one direction each.
    last = flow(ICMP, B, 0, A, 3 * 256 + 3, 1, 56)
    both = [flow(ICMP, A, 0, B, 8 * 256, 1, 84, 1, 84), flow(ICMP6, A6, 0, B6, 128 * 256, 1, 104, 1, 104), last]
    single = [(ICMP, A, B, 8, 84), (ICMP, B, A, 0, 84), (ICMP6, A6, B6, 128, 104), (ICMP6, B6, A6, 129, 104)]
    one_way = [{**flow(proto, src, 0, dst, kind * 256, 1, octets), "rev_packets": None, "rev_bytes": None} for proto, src, dst, kind, octets in single]
    yield Trace("icmp.pcap", pcap(echo), native(*both), native(*one_way, {**last, "rev_packets": None, "rev_bytes": None}, options=["--uni"]))


def fragment_traces():
    whole = udp(40002, 53, b"f" * 2992)  # 3000 octets, in pieces of 1000
    pieces = [(0, True), (1000, True), (2000, False)]

    def four(order, ident, ns):
        return [(ns + i * MS, ether(ip4(A, B, UDP, whole[at:at + 1000], ident, at, more))) for i, (at, more) in enumerate(order)]

    # In order; then last piece first: what comes before the first piece has no ports yet.
    yield Trace("fragments4.pcap", pcap(four(pieces, 7, 0) + four(pieces[::-1], 8, 10 * MS)),
                native(flow(UDP, A, 40002, B, 53, 4, 4080, fragments=4), flow(UDP, A, 0, B, 0, 2, 2040, fragments=2)))
    # Two datagrams interleaved, and last pieces whose first ones never came.
    other = [(i * MS + US, ether(ip4(C, B, UDP, whole[at:at + 1000], 7, at, more))) for i, (at, more) in enumerate(pieces)]
    mixed = sorted(four(pieces, 7, 0) + other) + [(20 * MS, ether(ip4(C, A, UDP, whole[1000:2000], 9, 1000, True)))]
    yield Trace("fragments4-mixed.pcap", pcap(mixed), native(
        flow(UDP, A, 40002, B, 53, 3, 3060, fragments=3), flow(UDP, C, 40002, B, 53, 3, 3060, fragments=3), flow(UDP, C, 0, A, 0, 1, 1020, fragments=1)))
    six = [(i * MS, ether(ip6(A6, B6, 44, fragment6(UDP, at, more, 77) + whole[at:at + 1000]))) for i, (at, more) in enumerate(pieces)]
    yield Trace("fragments6.pcap", pcap(six), native(flow(UDP, A6, 40002, B6, 53, 3, 3 * 1048, fragments=3)))


# ---- links ----

def link_traces():
    """The same question and answer behind every kind of link header."""
    question, answer = ip4(A, B, UDP, udp(40001, 53, b"q" * 30)), ip4(B, A, UDP, udp(53, 40001, b"a" * 200))
    record = flow(UDP, A, 40001, B, 53, 1, 58, 1, 228)
    pair = [question, answer]
    llc = b"\xaa\xaa\x03\0\0\0"
    data80211 = b"\x08\x01\0\0" + MAC_B + MAC_A + MAC_B + b"\0\0" + llc + b"\x08\0"
    wrap = {
        "raw": (101, b""), "raw4": (228, b""), "null": (0, b"\2\0\0\0"), "loop": (108, b"\0\0\0\2"), "ppp": (9, b"\xff\x03\0\x21"),
        "ppp-short": (9, b"\0\x21"), "hdlc": (104, b"\x0f\0\x08\0"), "sll": (113, b"\0\0\0\1\0\6" + MAC_A + b"\0\0\x08\0"),
        "sll2": (276, b"\x08\0\0\0\0\0\0\3\0\1\0\6" + MAC_A + b"\0\0"), "ethernet": (1, MAC_B + MAC_A + b"\x08\0"),
        "vlan": (1, MAC_B + MAC_A + b"\x81\0\0\5\x08\0"), "qinq": (1, MAC_B + MAC_A + b"\x88\xa8\0\5\x81\0\0\6\x08\0"),
        "vlan-9100": (1, MAC_B + MAC_A + b"\x91\0\0\5\x08\0"), "priority-tag": (1, MAC_B + MAC_A + b"\x81\0\xe0\0\x08\0"),
        "mpls": (1, MAC_B + MAC_A + b"\x88\x47" + mpls([100], b"")), "mpls-two": (1, MAC_B + MAC_A + b"\x88\x47" + mpls([100, 200], b"")),
        "pppoe": (1, MAC_B + MAC_A + b"\x88\x64\x11\0\0\1LL\0\x21"), "802.11": (105, data80211),
        "radiotap": (127, b"\0\0\x08\0\0\0\0\0" + data80211), "llc": (1, MAC_B + MAC_A + b"LL" + llc + b"\x08\0"),
    }
    # LL is the place of a length: of the packet and its 2 octets of PPP or 8 of LLC.
    extra = {"pppoe": 2, "llc": 8}
    for name, (link, header) in wrap.items():
        packets = [(i * MS, header.replace(b"LL", struct.pack(">H", extra.get(name, 0) + len(packet))) + packet) for i, packet in enumerate(pair)]
        yield Trace(f"link-{name}.pcap", pcap(packets, link), native(record))
    # One key unless the tag is asked into it.
    tagged = [(0, ether(question, tags=[(0x8100, 5)])), (MS, ether(question, tags=[(0x8100, 6)])), (2 * MS, ether(question))]
    yield Trace("vlan-key.pcap", pcap(tagged), native(flow(UDP, A, 40001, B, 53, 3, 174)),
                (("--key", "+vlan"), [flow(UDP, A, 40001, B, 53, 1, 58, vlan=5), flow(UDP, A, 40001, B, 53, 1, 58, vlan=6),
                                      flow(UDP, A, 40001, B, 53, 1, 58, vlan=None)]))


# ---- tunnels ----

def tunnel_traces():
    inner = ip4("10.0.0.1", "10.0.0.2", UDP, udp(1000, 2000, b"i" * 72))  # 100 octets
    inner6 = ip6("fd00::1", "fd00::2", UDP, udp(1000, 2000, b"i" * 52))   # 100 octets
    frame = ether(inner, source=MAC_B, target=MAC_A)                       # 114 octets
    inside, inside6 = flow(UDP, "10.0.0.1", 1000, "10.0.0.2", 2000, 1, 100), flow(UDP, "fd00::1", 1000, "fd00::2", 2000, 1, 100)
    gtp = struct.pack(">BBHI", 0x30, 0xff, len(inner), 99)
    kinds = {
        "gre": (ip4(A, B, 47, b"\0\0\x08\0" + inner), flow(47, A, 0, B, 0, 1, 124), inside),
        "gre-key": (ip4(A, B, 47, b"\x20\0\x08\0\0\0\0\x09" + inner), flow(47, A, 0, B, 0, 1, 128), inside),
        "ipip": (ip4(A, B, 4, inner), flow(4, A, 0, B, 0, 1, 120), inside),
        "6in4": (ip4(A, B, 41, inner6), flow(41, A, 0, B, 0, 1, 120), inside6),
        "4in6": (ip6(A6, B6, 4, inner), flow(4, A6, 0, B6, 0, 1, 140), inside),
        "vxlan": (ip4(A, B, UDP, udp(50000, 4789, b"\x08\0\0\0\0\0\x7b\0" + frame)), flow(UDP, A, 50000, B, 4789, 1, 150), inside),
        "geneve": (ip4(A, B, UDP, udp(50000, 6081, b"\0\0\x65\x58\0\0\x7b\0" + frame)), flow(UDP, A, 50000, B, 6081, 1, 150), inside),
        "gtpu": (ip4(A, B, UDP, udp(2152, 2152, gtp + inner)), flow(UDP, A, 2152, B, 2152, 1, 136), inside),
        "erspan": (ip4(A, B, 47, b"\x10\0\x88\xbe\0\0\0\1" + b"\x10\x05\0\x01\0\0\0\0" + frame), flow(47, A, 0, B, 0, 1, 150), inside),
        "teredo": (ip4(A, B, UDP, udp(50000, 3544, inner6)), flow(UDP, A, 50000, B, 3544, 1, 128), inside6),
    }
    for name, (packet, outside, within) in kinds.items():
        yield Trace(f"tunnel-{name}.pcap", pcap([(0, ether(packet))]), native(outside), (("--tunnel",), [within]))
    nested = inner
    for _ in range(7):
        nested = ip4(A, B, 4, nested)
    yield Trace("tunnel-nested.pcap", pcap([(0, ether(nested))]), native(flow(4, A, 0, B, 0, 1, 240)), (("--tunnel",), [inside]))
    for _ in range(57):
        nested = ip4(A, B, 4, nested)
    # 64 levels are more than the 8 that are entered: metered by the last one entered, and named.
    yield Trace("tunnel-too-deep.pcap", pcap([(0, ether(nested))]), native(flow(4, A, 0, B, 0, 1, 1380)),
                (("--tunnel",), [flow(4, A, 0, B, 0, 1, 1380 - 8 * 20)]))


# ---- IP headers ----

def ip_traces():
    datagram = udp(1000, 2000, b"e" * 12)  # 20 octets
    hop, route, target = extension(43, b"\1\4\0\0\0\0"), extension(60, b"\0\0\0\0\0\0"), extension(UDP, b"\1\4\0\0\0\0")
    ah = bytes((UDP, 4)) + bytes(2) + bytes(20)  # 24 octets
    packets = [(0, ether(ip6(A6, B6, 0, hop + route + target + datagram))), (MS, ether(ip6(A6, B6, 51, ah + datagram))),
               (2 * MS, ether(ip6(A6, B6, 59, b""))), (3 * MS, ether(ip6(A6, B6, 50, bytes(32))))]
    yield Trace("ip6-extensions.pcap", pcap(packets), native(
        flow(UDP, A6, 1000, B6, 2000, 2, (40 + 24 + 20) + (40 + 24 + 20)), flow(59, A6, 0, B6, 0, 1, 40), flow(50, A6, 0, B6, 0, 1, 72)))
    many = b"".join(extension(60, b"\1\4\0\0\0\0") for _ in range(20))
    yield Trace("ip6-too-many.pcap", pcap([(0, ether(ip6(A6, B6, 60, many)))]), native(flow(60, A6, 0, B6, 0, 1, 200)))
    options = [(0, ether(ip4(A, B, UDP, datagram, options=b"\x07\x07\x04\0\0\0\0\0"))), (MS, ether(ip4(A, B, UDP, datagram, tos=0xb8, ttl=3)))]
    yield Trace("ip4-options.pcap", pcap(options), native(flow(UDP, A, 1000, B, 2000, 2, 48 + 40, tos=0, ttl=3)))
    # Total length 0 (segmentation offload): what is there counts. Padding of short frames does not count.
    yield Trace("ip4-lengths.pcap", pcap([(0, ether(ip4(A, B, UDP, datagram, length=0))), (MS, ether(ip4(A, B, UDP, datagram)) + bytes(20))]),
                native(flow(UDP, A, 1000, B, 2000, 2, 80)), (("--length", "frame"), [flow(UDP, A, 1000, B, 2000, 2, 54 + 74)]))


def damaged_traces():
    good = ether(ip4(A, B, UDP, udp(1000, 2000, b"g" * 12)))
    bad = [good[:20], good[:14] + b"\x75" + good[15:], good[:14] + b"\x44" + good[15:], good[:16] + b"\0\x13" + good[18:], good[:8],
           ether(bytes(28), 0x0806), ether(ip6(A6, B6, UDP, b""))[:50], b""]
    # Cut within the UDP header: metered, without ports only when these are missing too.
    cut_after_ports, cut_in_ports = (10 * MS, good[:40], len(good)), (11 * MS, good[:36], len(good))
    packets = [(i * MS, packet) for i, packet in enumerate(bad)] + [cut_after_ports, cut_in_ports, (12 * MS, good)]
    yield Trace("damaged.pcap", pcap(packets), native(flow(UDP, A, 1000, B, 2000, 2, 80), flow(UDP, A, 0, B, 0, 1, 40)))
    snapped = [(i * MS, ether(ip4(A, B, TCP, tcp(40000, 80, ACK, b"s" * 1000)))[:60], 1054) for i in range(3)]
    yield Trace("snapped.pcap", pcap(snapped, snaplen=60), native(flow(TCP, A, 40000, B, 80, 3, 3120)),
                (("--length", "frame"), [flow(TCP, A, 40000, B, 80, 3, 3162)]))
    back = [(ns, good) for ns in (10 * S, 8 * S, 9 * S, 12 * S)]
    yield Trace("time-back.pcap", pcap(back), native(flow(UDP, A, 1000, B, 2000, 4, 160, start="1700000008.000000000", end="1700000012.000000000",
                                                          out_of_order=2)))


# ---- containers: the same two packets in each ----

def container_traces():
    packets = [(123456000, ether(ip4(A, B, UDP, udp(40001, 53, b"q" * 30)))), (987654000, ether(ip4(B, A, UDP, udp(53, 40001, b"a" * 201))))]
    record = flow(UDP, A, 40001, B, 53, 1, 58, 1, 229, start="1700000000.123456000", end="1700000000.987654000")
    plain = pcap(packets)
    forms = {
        "pcap-big.pcap": pcap(packets, order=">"), "pcap-ns.pcap": pcap(packets, magic=0xa1b23c4d, divisor=1),
        "pcap-ns-big.pcap": pcap(packets, order=">", magic=0xa1b23c4d, divisor=1), "pcap-modified.pcap": pcap(packets, magic=0xa1b2cd34, extra=bytes(8)),
        "snoop.snoop": snoop(packets), "erf.erf": erf(packets), "gzip.pcap.gz": gzip.compress(plain, mtime=0),
        "gzip-members.pcap.gz": gzip.compress(plain[:50], mtime=0) + gzip.compress(plain[50:], mtime=0),
        "bzip2.pcap.bz2": bz2.compress(plain), "xz.pcap.xz": lzma.compress(plain),
    }
    for name, content in forms.items():
        yield Trace(f"container-{name}", content, native(record))
    # Two sections of other byte orders; microseconds, nanoseconds, 2^-20 s and an offset; unknown and statistics blocks between.
    (first_ns, first), (second_ns, second) = packets
    le, be = "<", ">"
    ns = option(le, 9, b"\x09")
    sections = section(le, option(le, 3, b"golden"), option(le, 0, b"")) + interface(le, 1) + block(le, 0x0bad, b"unknown")
    sections += interface(le, 1, ns, option(le, 2, b"eth9"), option(le, 0, b"")) + enhanced(le, 1, START + first_ns, first, options=option(le, 1, b"comment"))
    sections += block(le, 5, bytes(12)) + section(be)
    sections += interface(be, 1, option(be, 9, b"\x94"), option(be, 14, struct.pack(">q", START // 10**9)), option(be, 0, b""))
    sections += enhanced(be, 0, second_ns * 2**20 // 10**9 + 1, second)
    end = second_ns * 2**20 // 10**9 + 1
    end_ns = end * 10**9 // 2**20
    yield Trace("pcapng-sections.pcapng", sections, native(
        flow(UDP, A, 40001, B, 53, 1, 58, 1, 229, start="1700000000.123456000", end=f"1700000000.{end_ns:09}")))
    simple_file = section(le) + interface(le, 1) + simple(le, first) + simple(le, second)
    yield Trace("pcapng-simple.pcapng", simple_file, native(flow(UDP, A, 40001, B, 53, 1, 58, 1, 229)))
    yield Trace("cut.pcap", plain[:-5], native(flow(UDP, A, 40001, B, 53, 1, 58)), status=3, message=f"cut.pcap:{24 + 16 + 72}:")
    # Five good packets, then one that says it has 2 GiB.
    place = 24 + 5 * (16 + 72)
    many = pcap([(i * MS, first) for i in range(7)])
    yield Trace("damaged-length.pcap", many[:place + 8] + b"\xff\xff\xff\x7f" + many[place + 12:],
                native(flow(UDP, A, 40001, B, 53, 5, 5 * 58)), status=3, message=f"damaged-length.pcap:{place}:")
    yield Trace("empty.pcap", plain[:24], native())


def traces():
    for part in (tcp_traces, transport_traces, fragment_traces, link_traces, tunnel_traces, ip_traces, damaged_traces, container_traces):
        yield from part()


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent
    for trace in traces():
        (folder / trace.file).write_bytes(trace.content)


if __name__ == "__main__":
    main()
