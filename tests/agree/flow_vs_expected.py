#!/usr/bin/env python3
"""
flow_vs_expected.py WEIR [CORPUS] [-v] [-s SOURCE]... [CAPTURE-SUBSTRING]...

Flow counters of 'weir flow' against what other programs printed for the same captures (corpus/expected). A capture passes when every
comparable flow is equal, or when exactly the differences listed for it in known.tsv are found; each class there is explained in
doc/agreement.md. A source fails as a whole when its share of equal flows falls below its floor.
"""
import argparse
import collections
import datetime
import ipaddress
import json
import pathlib
import re

import lib

HERE = pathlib.Path(__file__).resolve().parent
NAMES = {"TCP": 6, "UDP": 17, "ICMP": 1, "ICMPV6": 58, "IGMP": 2, "AH": 51, "ESP": 50, "SCTP": 132, "GRE": 47, "IPv6-ICMP": 58, "IP-in-IP": 4}


# ---- one reader per source: path of the expectation to a table of its flows ----

def read_arkime(path):
    """Session documents. Sessions without addresses (ARP, LLDP, ...) are not flows to us."""
    table = lib.Table()
    for session in json.loads(path.read_text())["sessions3"]:
        body = session["body"]
        ends = [body["source"], body["destination"]]
        if all("ip" in end for end in ends):
            forward, reverse = ((end["packets"], end["bytes"]) for end in ends)
            table.add(body["ipProtocol"], *((end["ip"], end.get("port", 0)) for end in ends), forward, reverse, body["firstPacket"] / 1000)
    return table


NDPI_FLOW = re.compile(r"^\t\d+\t(\w+) (\S+) <?-> (\S+) .*?\[(\d+) pkts/(\d+) bytes <?-> (\d+) pkts/(\d+) bytes\]")


def endpoint(text):
    """'10.0.0.1:80', '[2001:db8::1]:80', or a bare address."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        if address.count("::") > 1:  # nDPI prints a single group of zeros as "::" too
            address = address.replace("::", ":0:", 1)
        return address, int(port[1:] or 0)
    address, _, port = text.partition(":")
    return (address, int(port or 0)) if text.count(":") <= 1 else (text, 0)


def read_ndpi(path):
    table = lib.Table()
    for line in path.read_text(errors="replace").splitlines():
        if hit := NDPI_FLOW.match(line):
            name, a, b = hit.group(1, 2, 3)
            values = [int(x) for x in hit.group(4, 5, 6, 7)]
            table.add(NAMES[name] if name in NAMES else int(name), endpoint(a), endpoint(b), values[:2], values[2:])
    return table


def read_ipfixprobe(path):
    """Lines of values with the line of their names somewhere among them."""
    table, lines = lib.Table(), path.read_text().splitlines()
    header = next(line for line in lines if line.startswith("ipaddr "))
    names = [word.split(" ")[1] for word in header.split(",")]
    for line in lines:
        if line == header or not line:
            continue
        row = dict(zip(names, line.split(",")))  # texts with commas come after the columns we need
        number = {name: int(row[name]) for name in ("SRC_PORT", "DST_PORT", "PROTOCOL", "PACKETS", "BYTES", "PACKETS_REV", "BYTES_REV")}
        table.add(number["PROTOCOL"], (row["SRC_IP"], number["SRC_PORT"]), (row["DST_IP"], number["DST_PORT"]),
                  (number["PACKETS"], number["BYTES"]), (number["PACKETS_REV"], number["BYTES_REV"]),
                  datetime.datetime.fromisoformat(row["TIME_FIRST"] + "+00:00").timestamp())
    return table


def read_zeek(path):
    table, names = lib.Table(), []
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("#fields\t"):
            names = line.split("\t")[1:]
        if line.startswith("#") or "orig_ip_bytes" not in names:  # a log cut to a few columns
            continue
        row = dict(zip(names, line.split("\t")))
        proto = NAMES.get(row["proto"].upper(), -1)
        if proto == 1 and ":" in row["id.orig_h"]:
            proto = 58
        if proto >= 0:
            number = {name: int(row[name]) if row[name] != "-" else 0 for name in
                      ("id.orig_p", "id.resp_p", "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes")}
            table.add(proto, (row["id.orig_h"], number["id.orig_p"]), (row["id.resp_h"], number["id.resp_p"]),
                      (number["orig_pkts"], number["orig_ip_bytes"]), (number["resp_pkts"], number["resp_ip_bytes"]))
    return table


# ---- how a capture is compared ----

Result = collections.namedtuple("Result", "equal only_here only_there differing turned lines")


def our_rows(weir, capture, source):
    """
    Our records as the source sees packets: those inside tunnels when it enters the kind of tunnel that the capture holds, else outside.
    `source.tunnels` names the kinds that it enters.
    """
    options = (*source.options, "--length", source.length)
    if source.tunnels:
        rows = list(lib.flow_rows(weir, capture, *options, "--tunnel"))
        if any(row["tunnel"] in source.tunnels for row in rows):
            return rows
    return list(lib.flow_rows(weir, capture, *options))


def compare_records(weir, capture, path, source):
    ours, theirs = (lib.portless(table, source.portless) for table in (lib.table_of(our_rows(weir, capture, source)), source.read(path)))
    c = lib.Comparison(ours, theirs, source.is_partial(path))
    return Result(c.equal, len(c.only_here), len(c.only_there), len(c.differing), len(c.turned), list(c.lines(ours, theirs)))


def compare_each(weir, capture, path, source):
    """For a program that records tunnels and what is inside them: each of its flows must be in one of our two views."""
    theirs = source.read(path)
    options = (*source.options, "--length", source.length)
    ours = lib.table_of(lib.flow_rows(weir, capture, *options, "--tunnel"))
    outside = lib.table_of(lib.flow_rows(weir, capture, *options))
    for key in outside.keys() & theirs.keys():
        if key not in ours or ours[key].values != theirs[key].values:
            ours[key] = outside[key]
    c = lib.Comparison(ours, theirs, is_partial=True)
    return Result(c.equal, 0, len(c.only_there), len(c.differing), len(c.turned), list(c.lines(ours, theirs)))


def read_community_ids(path):
    """The IDs that the specification's own program gives the packets of a capture, and Arkime its sessions; seed 0."""
    document = json.loads(path.read_text())
    found = [row["communityid"] for row in document] if isinstance(document, list) else \
        [session["body"]["network"].get("community_id") for session in document["sessions3"]]
    return set(filter(None, found))


def compare_community_ids(weir, capture, path, source):
    theirs = read_community_ids(path)
    if not theirs:
        return None
    options = (*lib.ONE_RECORD, "--columns", "+community_id")
    ours = {row["community_id"] for more in ((), ("--tunnel",)) for row in lib.flow_rows(weir, capture, *options, *more)}
    lines = [f"  only there  {name}" for name in sorted(theirs - ours)]
    return Result(len(theirs & ours), 0, len(lines), 0, 0, lines)


def merge_icmp(rows):
    """Both sides of an echo are one flow to programs that read no ICMP types: such rows become one, the others stay as they are."""
    merged = {}
    for number, row in enumerate(rows):
        key = (row["proto"], frozenset((row["src"], row["dst"])), row["vlan"]) if int(row["proto"]) in lib.ICMP else number
        if key not in merged:
            merged[key] = dict(row)
            continue
        to = merged[key]
        turn = {"": "rev_", "rev_": ""} if to["src"] != row["src"] else {"": "", "rev_": "rev_"}
        for side, other in turn.items():
            for name in ("packets", "bytes"):
                to[side + name] = str(int(to[side + name]) + int(row[other + name]))
    return merged.values()


def compare_nfstream(weir, capture, path, source):
    """One line per flow without addresses: a multiset of (packets, octets)."""
    with open(path) as file:
        names = file.readline().rstrip("\n").split(",")
        rows = [dict(zip(names, line.split(","))) for line in file]
    theirs = collections.Counter((int(row["bidirectional_packets"]), int(row["bidirectional_bytes"])) for row in rows)
    ours = collections.Counter((int(row["packets"]) + int(row["rev_packets"]), int(row["bytes"]) + int(row["rev_bytes"]))
                               for row in merge_icmp(our_rows(weir, capture, source)))
    equal, here, there = (ours & theirs).total(), ours - theirs, theirs - ours
    lines = [f"  only here   {key}" for key in sorted(here.elements())] + [f"  only there  {key}" for key in sorted(there.elements())]
    return Result(equal, here.total(), there.total(), 0, 0, lines)


# A check of the rule tester counts flows with given fields. These we have; a check on others only (states, alerts, application names)
# is not comparable. Fields in SURICATA_IGNORED narrow a check that already names a flow by its addresses or counters.
SURICATA_PORTS = {"src_port": "dest_port", "dest_port": "src_port"}
SURICATA_FIELDS = {"proto", "src_ip", "dest_ip", "src_port", "dest_port", "flow.pkts_toserver", "flow.pkts_toclient", "flow.bytes_toserver",
                   "flow.bytes_toclient", "vlan[0]", "tcp.tcp_flags", "event_type"}


def suricata_row(row, is_turned):
    """Our record under Suricata's names, as it is or with the sides exchanged."""
    ends = [(ipaddress.ip_address(row["src"]), int(row["sport"])), (ipaddress.ip_address(row["dst"]), int(row["dport"]))]
    counts = [(int(row["packets"]), int(row["bytes"])), (int(row["rev_packets"] or 0), int(row["rev_bytes"] or 0))]
    if is_turned:
        ends.reverse()
        counts.reverse()
    return {"proto": int(row["proto"]), "src_ip": ends[0][0], "src_port": ends[0][1], "dest_ip": ends[1][0], "dest_port": ends[1][1],
            "flow.pkts_toserver": counts[0][0], "flow.bytes_toserver": counts[0][1], "flow.pkts_toclient": counts[1][0],
            "flow.bytes_toclient": counts[1][1], "vlan[0]": int(row.get("vlan") or 0), "tcp.tcp_flags": int(row.get("flags") or 0) | int(row.get("rev_flags") or 0)}


def suricata_want(name, value):
    if name == "proto":
        return NAMES.get(value, -1)
    if name in ("src_ip", "dest_ip"):
        return ipaddress.ip_address(value)
    return int(value, 16) if name == "tcp.tcp_flags" else value


def suricata_conditions(check):
    """The conditions of a check that we can decide; None when the check is not comparable."""
    match = check["match"]
    if match.get("event_type") not in ("flow", "netflow") or match["event_type"] == "netflow" or check["count"] == 0:
        return None
    conditions = {name: suricata_want(name, value) for name, value in match.items() if name in SURICATA_FIELDS and name != "event_type"}
    if conditions.get("tcp.tcp_flags") == 0:  # a connection that it did not follow
        del conditions["tcp.tcp_flags"]
    is_named = {"src_ip", "dest_ip"} <= conditions.keys() or "flow.pkts_toserver" in conditions
    return conditions if is_named or match.keys() <= SURICATA_FIELDS else None


def compare_suricata(weir, capture, path, source):
    """
    Tunnels: it makes a flow of the packets outside and one of those inside, whose octets are those inside. So checks are counted in our
    view from outside, from inside by either length, and in both together.
    """
    document = json.loads(path.read_text())
    checks = [(check, conditions) for check in document["checks"] if "match" in check and (conditions := suricata_conditions(check)) is not None]
    if not checks:
        return None
    options = (*lib.ONE_RECORD, "--key", "+vlan")
    outside, inside, inside_ip = (list(merge_icmp(lib.flow_rows(weir, capture, *options, *more))) for more in
                                  (("--length", "frame"), ("--length", "frame", "--tunnel"), ("--length", "ip", "--tunnel")))
    views = [outside, inside, inside_ip, outside + [row for row in inside if row["tunnel"]]]
    equal, lines = 0, []
    for check, conditions in checks:
        found = [sum(any(all(suricata_row(row, is_turned)[name] == value for name, value in conditions.items()) for is_turned in (False, True))
                     for row in view) for view in views]
        if check["count"] in found:
            equal += 1
        else:
            lines.append(f"  differs     {check['count']} flows with {conditions}: here {found}")
    return Result(equal, 0, 0, len(lines), 0, lines)


class Source:
    """A program: how its expectations are read and what its conventions ask of us."""

    def __init__(self, name, floor, compare, length="frame", options=lib.ONE_RECORD, tunnels=(), read=None, suffix="",
                 portless=(), is_partial=lambda path: False, title=None):
        self.title = title or name
        self.name, self.floor, self.compare, self.length, self.options = name, floor, compare, length, options
        self.tunnels, self.read, self.suffix, self.portless, self.is_partial = tunnels, read, suffix, portless, is_partial


# The floor is the share of comparable flows, in percent, that must be equal.
SOURCES = [
    Source("arkime", 97.0, compare_records, tunnels=("gre", "ipip", "6in4", "4in6", "vxlan", "geneve", "gtpu", "erspan"), read=read_arkime),
    Source("arkime", 97.0, compare_community_ids, title="arkime-id"),
    Source("community-id", 97.0, compare_community_ids),
    Source("ndpi", 97.0, compare_records, tunnels=("ipip", "6in4", "4in6", "vxlan", "gtpu"), read=read_ndpi, portless=(132,)),
    Source("nfstream", 97.0, compare_nfstream, options=("--idle", "120s", "--active", "1800s", "--end", "none", "--key", "+vlan"),
           tunnels=("ipip", "6in4", "4in6", "vxlan", "gtpu")),
    Source("ipfixprobe", 97.0, compare_records, length="ip", read=read_ipfixprobe, is_partial=lambda path: ".basic." not in path.name),
    Source("suricata", 97.0, compare_suricata),
    Source("zeek", 97.0, compare_each, length="ip", read=read_zeek, suffix="conn.log"),
]


def expectations(corpus, source):
    """(capture, path of the expectation) pairs of a source."""
    for row in lib.manifest(corpus):
        for word in filter(None, row["expected_output"].split(" ; ")):
            if word.startswith(f"expected/{source.name}/"):
                path = corpus / word / source.suffix if word.endswith("/") else corpus / word
                if path.is_file():
                    yield corpus / row["path"], path


def known_differences():
    """{(source, name): ((here, there, differ), those of them that are set apart)} of known.tsv."""
    known = {}
    for line in (HERE / "known.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        source, name, kind, *counts = line.split("\t")
        all_of, apart = known.setdefault((source, name), ([0, 0, 0], [0, 0, 0]))
        for at, count in enumerate(counts):
            all_of[at] += int(count)
            apart[at] += int(count) * kind.endswith("*")
    return known


def try_capture(weir, capture, path, source, known, sums, is_verbose):
    """One capture: adds to the sums of its source; True when nothing but known differences was found, None when nothing is comparable."""
    name = path.parent.name if source.suffix else path.name
    result = source.compare(weir, capture, path, source)
    if result is None or result.equal + result.only_here + result.only_there + result.differing == 0:
        return None
    found = [result.only_here, result.only_there, result.differing]
    expected, apart = known.pop((source.title, name), ([0, 0, 0], [0, 0, 0]))
    is_known = found == expected
    sums["captures"] += 1
    sums["equal"] += result.equal
    sums["turned"] += result.turned
    sums["different"] += sum(found) - (sum(apart) if is_known else 0)
    sums["apart"] += sum(apart) if is_known else 0
    if not is_known or is_verbose:
        print(f"{source.title} {name}: {result.equal} equal, {found[0]} only here, {found[1]} only there, {found[2]} differ"
              + ("" if is_known else f"; known are {expected}"))
        print(*result.lines, sep="\n" if result.lines else "")
    return is_known


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weir")
    parser.add_argument("corpus", nargs="?")
    parser.add_argument("captures", nargs="*")
    parser.add_argument("-v", action="store_true", dest="is_verbose")
    parser.add_argument("-s", action="append", dest="sources")
    asked = parser.parse_args()
    corpus = lib.corpus_or_skip(asked.corpus)
    known, table, passed, failed = known_differences(), [], 0, 0
    for source in SOURCES:
        sums = collections.Counter()
        for capture, path in expectations(corpus, source):
            if (asked.sources and source.title not in asked.sources) or (asked.captures and not any(word in str(path) for word in asked.captures)):
                continue
            try:
                is_good = try_capture(asked.weir, capture, path, source, known, sums, asked.is_verbose)
            except RuntimeError as e:
                print(e)
                is_good = False
            passed, failed = passed + (is_good is True), failed + (is_good is False)
        if not sums["captures"]:
            continue
        score = 100 * sums["equal"] / (sums["equal"] + sums["different"])
        table.append((source.title, sums["captures"], sums["equal"], sums["different"], f"{score:.2f} %", sums["apart"], sums["turned"]))
        if score < source.floor:
            print(f"{source.title}: {score:.2f} % of flows are equal, less than {source.floor} %")
            failed += 1
    if known and not asked.sources and not asked.captures:
        print("known.tsv has differences of unknown captures:", *known)
        failed += 1
    for row in (("source", "captures", "equal", "different", "score", "apart", "turned"), *table):
        print("".join(f"{cell:<12}" if at == 0 else f"{cell:>10}" for at, cell in enumerate(row)))
    lib.finish(passed, failed)


main()
