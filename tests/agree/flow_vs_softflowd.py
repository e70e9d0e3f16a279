#!/usr/bin/env python3
"""
flow_vs_softflowd.py WEIR [CAPTURE...]: 'weir flow' against softflowd 1.1 on the same captures, live. softflowd reads a file with -r and
with -D says in a line what each record held, so nothing is exported.

Compared per 5-tuple and direction: packets and octets, summed over the records; all must be equal. Its octets are the captured ones behind
the link header, Ethernet's padding included, which is '--length link'. Set apart (doc/agreement.md): pairs of addresses with IP fragments,
IPv6 extension headers, and captures with packets that were not captured whole. It reads no ports but those of TCP and UDP.
"""
import pathlib
import re
import sys
import tempfile

import lib

EXPIRED = re.compile(r"EXPIRED: seq:\d+ \[(.*?)\]:(\d+) <> \[(.*?)\]:(\d+) proto:(\d+) octets>:(\d+) packets>:(\d+) octets<:(\d+) packets<:(\d+)")
PORTLESS = (33, 132, 136)
EXTENSIONS = (0, 43, 44, 60)


def read_softflowd(capture, folder):
    text = lib.run("softflowd", "-D", "-r", capture, "-m", 1_000_000, "-p", folder / "pid", "-c", "none", status=(0, 1), is_stderr=True)
    table = lib.Table()
    for hit in EXPIRED.finditer(text.decode(errors="replace")):
        src, sport, dst, dport, proto, octets, packets, back_octets, back_packets = hit.groups()
        table.add(int(proto), (src, int(sport)), (dst, int(dport)), (int(packets), int(octets)), (int(back_packets), int(back_octets)))
    return table


def compare(weir, capture, folder):
    """(comparison, its lines, flows set apart)"""
    theirs = lib.portless(read_softflowd(capture, folder), PORTLESS)
    rows = list(lib.flow_rows(weir, capture, *lib.ONE_RECORD, "--length", "link", "--key", "+vlan"))
    ours = lib.portless(lib.table_of(rows), PORTLESS)
    odd = {frozenset((row["src"], row["dst"])) for row in rows if int(row["fragments"] or 0) > 0 or row["vlan"]}
    odd |= {frozenset((str(a[0]), str(b[0]))) for proto, a, b in theirs if proto in EXTENSIONS}
    before = len(ours.keys() | theirs.keys())
    ours, theirs = (lib.without_pairs(table, odd) for table in (ours, theirs))
    c = lib.Comparison(ours, theirs)
    return c, list(c.lines(ours, theirs)), before - c.count


def main():
    lib.programs_or_skip("softflowd")
    weir = pathlib.Path(sys.argv[1]).resolve()
    passed = failed = flows = equal = apart = snapped = 0
    with tempfile.TemporaryDirectory() as name:
        for capture in lib.peer_captures(weir, name, 5000, sys.argv[2:]):
            if lib.is_snapped(capture):
                snapped += 1
                continue
            c, lines, set_apart = compare(weir, capture, pathlib.Path(name))
            passed, failed = passed + (not lines), failed + bool(lines)
            flows, equal, apart = flows + c.count, equal + c.equal, apart + set_apart
            if lines:
                print(f"{capture.name}: {c.equal} of {c.count} flows equal", *lines[:12], sep="\n")
    print(f"{equal} of {flows} flows equal, {apart} set apart, {snapped} captures with snapped packets")
    lib.finish(passed, failed)


main()
