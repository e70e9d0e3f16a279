#!/usr/bin/env python3
"""
seeds.py OUT GOLDEN [CORPUS]: starting inputs for the fuzz targets, a folder per target: whole capture files for trace-FORMAT, single
packets for link-NUMBER (behind the octet of options that group_link.c reads), texts for the others. Small ones, at most SEEDS_MAX each.
"""
import bz2
import gzip
import hashlib
import lzma
import pathlib
import struct
import sys

SEEDS_MAX = 300
FILE_MAX = 20000
PACKET_MAX = 1500

TEXTS = {
    "numbers": ["1", "64k", "1.5GiB", "500ms", "0.25", "10us", "7ns", "5m", "2h", "1d", "1w", "none", "-1", "18446744073709551615", "1e9"],
    "instants": ["1484319033.5", "2019-09-15T08:00:00Z", "2019-09-15T08:00:00.123456789+02:00", "2019/09/15.08:00:00", "2019-09-15", "0",
                 "-1", "9223372036.854775807", "1969-12-31T23:59:59.5Z", "2020-02-29T23:59:60Z"],
    "options": ["--flag\n--text=a\n-c\n5", "-ft\nword\n--\nrest of it", "--si 64k", "-s64ki\n-d\n5m\n--list\na\n--list=b\nfile.pcap", "--no"],
    "addresses": ["192.0.2.1", "2001:db8::1", "::", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8", "fe80::1%eth0", "src", "sourceIPv4Address", "tcp"],
    "json-texts": ["plain", 'quote " back \\ slash', "tab\tline\n", "\u00e4\u20ac\U0001f600", "\x00\x1f\x7f"],
    "keys": ["srcip,dstip", "+vlan,+if", "srcip,dstip,proto,srcport,dstport", "native", "nfpcapd", "5tuple"],
    "community-ids": ["\x00\x06\x30\x39\x00\x50" + "\x0a\x00\x00\x01" * 8, "\x01\x3a\x80\x00\x81\x00" + "\x20\x01\x0d\xb8" * 8],
    "filters": ["any", "proto tcp and port 80", "src ip 192.0.2.1 or dst net 2001:db8::/32", "not (bytes > 1k and packets < 5)",
                "flags SF and duration > 1000", "port in [53 80 443]", "ip in [192.0.2.1 2001:db8::/48]", "src and dst port > 1024",
                "icmp-type 8 # echo\nor vlan 5", "rev_bytes > 1m", "mac 02:00:00:00:00:01", "next ip 192.0.2.1 and bps > 10g and tos 184"],
    "csv": ["start,src,sport,proto,bytes\n1484319033.5,192.0.2.1,443,6,100\n", 'src,"tunnel",flags_text\r\n::1,"a ""b""\n,c",..A\n\n,,\n',
            "start,end,proto,src,sport,dst,dport,flags,packets,bytes,src_mac\n-1.5,2019-09-15T08:00:00Z,udp,,1,::,2,3,4,5,00:53:00:00:00:01"],
    "bpfs": ["tcp", "udp port 53", "ip6 and not icmp6", "host 192.0.2.1 or net 10.0.0.0/8", "tcp[13] & 2 != 0", "vlan 5 and ip",
             "ether proto 0x0806", "greater 100 and (src port 1024-65535)"],
}


def opened(path):
    data = path.read_bytes()
    for magic, open_with in ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ", lzma.decompress)):
        if data.startswith(magic):
            try:
                return open_with(data)
            except (OSError, EOFError, lzma.LZMAError):
                return b""
    return data


def format_of(data):
    magic = data[:4]
    if magic in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x34\xcd\xb2\xa1", b"\xa1\xb2\xcd\x34"):
        return "pcap"
    if magic == b"\x0a\x0d\x0d\x0a":
        return "pcapng"
    return "snoop" if data.startswith(b"snoop\0\0\0") else "erf"


def packets(data):
    """(link type, octets) of pcap and pcapng files, until something is odd."""
    kind = format_of(data)
    if kind == "pcap":
        order = "<" if data[0] in (0xd4, 0x4d, 0x34) else ">"
        link, at, header = struct.unpack_from(order + "I", data, 20)[0] & 0xffff, 24, 24 if data[:2] in (b"\x34\xcd",) else 16
        while at + header <= len(data):
            size = struct.unpack_from(order + "I", data, at + 8)[0]
            if at + header + size > len(data):
                return
            yield link, data[at + header:at + header + size]
            at += header + size
    elif kind == "pcapng":
        links, at, order = [], 0, "<"
        while at + 12 <= len(data):
            if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
                order, links = ("<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"), []
            block, size = struct.unpack_from(order + "II", data, at)
            if size < 12 or at + size > len(data):
                return
            if block == 1:
                links.append(struct.unpack_from(order + "H", data, at + 8)[0])
            elif block == 6 and size >= 32:
                interface, _, _, caplen = struct.unpack_from(order + "4I", data, at + 8)
                if interface >= len(links) or caplen > size - 32:
                    return
                yield links[interface], data[at + 28:at + 28 + caplen]
            at += size


class Seeds:
    def __init__(self, out):
        self.out, self.counts = out, {}

    def put(self, target, data):
        folder = self.out / target
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / hashlib.sha1(data).hexdigest()
        if self.counts.get(target, 0) < SEEDS_MAX and not path.exists():
            path.write_bytes(data)
            self.counts[target] = self.counts.get(target, 0) + 1


def main():
    seeds = Seeds(pathlib.Path(sys.argv[1]))
    for target, texts in TEXTS.items():
        for text in texts:
            seeds.put(target, text.encode("latin-1" if target == "community-ids" else "utf-8"))
    folders = [pathlib.Path(word) for word in sys.argv[2:]]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and "expected" not in path.parts and
             any(suffix in path.name for suffix in (".pcap", ".cap", ".snoop", ".erf", ".dmp", ".pkt", ".trace"))]
    files.sort(key=lambda path: hashlib.sha1(path.name.encode()).digest())  # a fair choice where there are more than fit
    for path in files:
        data = opened(path)
        if len(data) <= FILE_MAX:
            seeds.put("trace-" + format_of(data), data)
        try:
            for number, (link, octets) in enumerate(packets(data)):
                if len(octets) <= PACKET_MAX and number < 20:
                    seeds.put(f"link-{link}", bytes([number & 1]) + octets)
        except struct.error:
            pass


main()
