#!/usr/bin/env python3
"""
filter_vs_nfdump.py WEIR [CORPUS]: flows, packets and bytes that pass a flow filter, 'weir query --totals' against nfdump on the same
records (spec/tools.md section 11, nfdump.filter.01-23 and more).
"""
import csv
import io
import sys
import tempfile

import lib
import nfdump

FILTERS = (
    "any", "ipv4", "ipv6", "proto tcp", "proto udp", "proto icmp or proto icmp6", "not proto tcp", "src port 80", "dst port 443", "port 53",
    "port > 1024", "src port < 1024 and dst port > 1024", "port in [ 22 53 80 443 445 ]", "net 10.0.0.0/8", "src net 192.168.0.0/16",
    "dst net 192.168.0.0 255.255.0.0", "src ip in [ 10.0.0.1 192.168.1.132 172.20.32.100 ]", "ip in [ 10.0.0.0/8 192.168.0.0/16 ]", "flags S",
    "flags SF", "flags S and not flags A", "flags AF", "flags = 2", "packets > 5", "packets < 2", "bytes > 1k", "bytes > 1000 and bytes < 10k",
    "bytes = 40", "duration > 1000", "duration < 1", "duration = 0", "pps > 10", "pps = 0", "bps > 1k", "bpp > 500", "bpp < 60", "bpp = 40",
    "tos 0", "tos > 0", "flows > 0", "icmp-type 8", "icmp-type 0", "icmp-type 8 and icmp-code 0", "in if 0", "out if 0", "src mask 0",
    "not (proto tcp and port 80) and not proto icmp", "proto udp or proto tcp and port 443", "not proto tcp and proto udp",
    "(src net 10.0.0.0/8 or dst net 10.0.0.0/8) and (bytes > 500 or packets > 3)", "src and dst net 10.0.0.0/8", "port ge 1024 and port le 2048",
)


def ours(weir, folder, text):
    out = lib.run(weir, "query", "-q", "-o", "csv", "--totals", f"{folder}/flows.csv", "-f", text)
    row = next(csv.DictReader(io.StringIO(out.decode())))
    return tuple(int(row[name]) for name in ("flows", "packets", "bytes"))


def theirs(folder, text):
    """Summed up from the records: the summary line of nfdump rounds."""
    rows = [line.split("|") for line in nfdump.nfdump(f"{folder}/nf", "-o", "fmt:%fl|%pkt|%byt", text)]
    return tuple(sum(int(row[at]) for row in rows) for at in range(3))


def main():
    weir = sys.argv[1]
    corpus = lib.corpus_or_skip(*sys.argv[2:3])
    passed = failed = 0
    for name in nfdump.CAPTURES:
        with tempfile.TemporaryDirectory() as folder:
            nfdump.meter(corpus / name, folder)
            for text in FILTERS:
                try:
                    mine, peer = ours(weir, folder, text), theirs(folder, text)
                except Exception as error:  # a check that breaks is a check that failed
                    mine, peer = repr(error), None
                passed += mine == peer
                failed += mine != peer
                if mine != peer:
                    print(f"{name}: '{text}': {mine}, nfdump has {peer}")
    lib.finish(passed, failed)


main()
