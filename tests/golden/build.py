"""Packets and capture files from nothing but struct: what make.py writes its traces with. All numbers on the wire are big-endian."""
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP, UDP, ICMP, ICMP6, SCTP, UDPLITE = 6, 17, 1, 58, 132, 136
START = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z in nanoseconds


def address(text):
    return ipaddress.ip_address(text).packed


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data)) if len(data) % 2 == 0 else checksum_odd(data)
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def checksum_odd(data):
    return sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0"))


# ---- layers, innermost first ----

def tcp(sport, dport, flags, payload=b"", seq=1, options=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, seq, 0, (5 + len(options) // 4) << 4, flags, 8192, 0, 0) + options + payload


def udp(sport, dport, payload=b""):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def icmp(kind, code, rest=b"\x12\x34\x00\x01", payload=b""):
    body = struct.pack(">BBH", kind, code, 0) + rest + payload
    return body[:2] + struct.pack(">H", checksum(body)) + body[4:]


def ip4(src, dst, proto, payload, ident=1, offset=0, more=False, ttl=64, tos=0, options=b"", length=None):
    """offset in octets; length overrides the total length field."""
    head = 20 + len(options)
    fields = (0x40 | head // 4, tos, head + len(payload) if length is None else length, ident, (0x2000 if more else 0) | offset // 8, ttl, proto)
    header = struct.pack(">BBHHHBB", *fields) + b"\0\0" + address(src) + address(dst) + options
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def ip6(src, dst, following, payload, hops=64, label=0, length=None):
    return struct.pack(">IHBB", 0x60000000 | label, len(payload) if length is None else length, following, hops) + address(src) + address(dst) + payload


def extension(following, body=b""):
    """Hop-by-hop, routing or destination header: filled to a multiple of 8 octets."""
    size = (2 + len(body) + 7) // 8 * 8
    return bytes((following, size // 8 - 1)) + body + bytes(size - 2 - len(body))


def fragment6(following, offset, more, ident):
    return struct.pack(">BBHI", following, 0, offset | more, ident)


MAC_A, MAC_B = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def ether(payload, kind=None, tags=(), source=MAC_A, target=MAC_B):
    """kind by IP version when not given; tags are (ethertype, VLAN id), outermost first."""
    if kind is None:
        kind = 0x86dd if payload[0] >> 4 == 6 else 0x0800
    return target + source + b"".join(struct.pack(">HH", *tag) for tag in tags) + struct.pack(">H", kind) + payload


def mpls(labels, payload):
    return b"".join(struct.pack(">I", label << 12 | (i == len(labels) - 1) << 8 | 64) for i, label in enumerate(labels)) + payload


# ---- capture files; a packet is (ns since START, octets) or (ns, octets, wire length) ----

def timed(packets):
    for packet in packets:
        yield START + packet[0], packet[1], packet[2] if len(packet) > 2 else len(packet[1])


def pcap(packets, link=1, order="<", magic=0xa1b2c3d4, divisor=1000, extra=b"", snaplen=262144):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)
    for ns, data, wire in timed(packets):
        out += struct.pack(order + "IIII", ns // 10**9, ns % 10**9 // divisor, len(data), wire) + extra + data
    return out


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order, *options):
    return block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1) + b"".join(options))


def interface(order, link, *options, snaplen=0):
    return block(order, 1, struct.pack(order + "HHI", link, 0, snaplen) + b"".join(options))


def enhanced(order, number, ticks, data, wire=None, options=b""):
    body = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xffffffff, len(data), len(data) if wire is None else wire)
    return block(order, 6, body + data + bytes(-len(data) % 4) + options)


def simple(order, data):
    return block(order, 3, struct.pack(order + "I", len(data)) + data)


def snoop(packets):
    out = b"snoop\0\0\0" + struct.pack(">II", 2, 4)
    for ns, data, wire in timed(packets):
        pad = -len(data) % 4
        out += struct.pack(">IIIIII", wire, len(data), 24 + len(data) + pad, 0, ns // 10**9, ns % 10**9 // 1000) + data + bytes(pad)
    return out


def erf(packets):
    out = b""
    for ns, data, wire in timed(packets):
        seconds, rest = divmod(ns, 10**9)
        stamp = seconds << 32 | ((rest << 32) + 10**9 - 1) // 10**9
        out += struct.pack("<Q", stamp) + struct.pack(">BBHHH", 2, 4, 16 + 2 + len(data), 0, wire) + b"\0\0" + data
    return out
