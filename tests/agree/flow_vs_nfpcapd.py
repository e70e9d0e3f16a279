#!/usr/bin/env python3
"""
flow_vs_nfpcapd.py WEIR [CAPTURE...]: 'weir flow --preset nfpcapd' against nfpcapd and nfdump 1.7 on the same captures, live.

Compared per 5-tuple and direction: packets and octets (IP length), summed over the records; all must be equal. Set apart, because the
programs mean different things (doc/agreement.md): pairs of addresses with IP fragments, which nfpcapd puts together and counts as one
packet; pairs whose protocol it gives as an IPv6 extension header; captures with tunnels, which it enters and also records. It reads no
SCTP ports. The number of records is told and decides nothing: nfpcapd looks for idle flows at moments of its own.
"""
import pathlib
import sys
import tempfile

import lib

EXTENSIONS = (0, 43, 44, 60)
TUNNELS = (4, 41, 47)


def read_nfdump(folder):
    table = lib.Table()
    for line in lib.run("nfdump", "-R", folder, "-q", "-N", "-6", "-o", "fmt:%sa|%sp|%da|%dp|%pr|%pkt|%byt").decode().splitlines():
        if "|" not in line:  # "No matching flows"
            continue
        src, sport, dst, dport, proto, packets, octets = (word.strip() for word in line.split("|"))
        proto = int(proto)
        ports = (int(sport), int(dport)) if proto in lib.PORTED else (0, 0)  # ICMP: printed as type.code
        table.add(proto, (src, ports[0]), (dst, ports[1]), (int(packets), int(octets)))
    return table


def compare(weir, capture, store):
    """(comparison, flows set apart, our records, its records), None for a capture with tunnels."""
    lib.run("nfpcapd", "-r", capture, "-l", store)
    theirs = read_nfdump(store)
    rows = list(lib.flow_rows(weir, capture, "--preset", "nfpcapd"))
    ours = lib.table_of(rows)
    if any(key[0] in TUNNELS for key in ours.keys() | theirs.keys()):
        return None
    records = [sum(row.records for row in table.values()) for table in (ours, theirs)]
    ours, theirs = (lib.portless(table, (132,)) for table in (ours, theirs))
    odd = {frozenset((row["src"], row["dst"])) for row in rows if int(row["fragments"] or 0) > 0}
    odd |= {frozenset((str(a[0]), str(b[0]))) for proto, a, b in theirs if proto in EXTENSIONS}
    before = len(ours.keys() | theirs.keys())
    ours, theirs = (lib.without_pairs(table, odd) for table in (ours, theirs))
    c = lib.Comparison(ours, theirs)
    return c, list(c.lines(ours, theirs)), before - c.count, *records


def main():
    lib.programs_or_skip("nfpcapd", "nfdump")
    weir = pathlib.Path(sys.argv[1]).resolve()
    passed = failed = tunnels = flows = equal = apart = here = there = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, capture in enumerate(lib.peer_captures(weir, folder, 5000, sys.argv[2:])):
            store = pathlib.Path(folder) / f"flows{number}"
            store.mkdir()
            result = compare(weir, capture, store)
            if result is None:
                tunnels += 1
                continue
            c, lines, set_apart, records_here, records_there = result
            passed, failed = passed + (not lines), failed + bool(lines)
            flows, equal, apart, here, there = flows + c.count, equal + c.equal, apart + set_apart, here + records_here, there + records_there
            if lines:
                print(f"{capture.name}: {c.equal} of {c.count} flows equal", *lines[:12], sep="\n")
    print(f"{equal} of {flows} flows equal, {apart} set apart, {tunnels} captures with tunnels; {here} records here, {there} there")
    lib.finish(passed, failed)


main()
