#!/usr/bin/env python3
"""decode_vs_tshark.py WEIR [-v]: compare our decoding of every packet of the corpus ($WEIR_CORPUS) with tshark's.

Compared are the outermost IP header (version, addresses, last next header, TTL, length, fragment offset), ports, TCP flags
and the outermost VLAN id. Captures of one link type are joined, so that tshark starts a few dozen times, not thousands.
Prints the share of packets that are equal, the differences by field and file (-v: each of them), and "N passed, N failed";
exit status 1 below 99.5 %. Our side is tests/dump_layers beside WEIR.
"""
import collections
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

FIELDS = """frame.protocols ip.version ip.src ip.dst ip.proto ip.ttl ip.len ip.frag_offset ip.hdr_len
ipv6.version ipv6.src ipv6.dst ipv6.nxt ipv6.hlim ipv6.plen ipv6.hopopts.nxt ipv6.routing.nxt ipv6.fraghdr.nxt
ipv6.dstopts.nxt ah.next_header ipv6.fraghdr.offset tcp.srcport tcp.dstport tcp.flags udp.srcport udp.dstport
sctp.srcport sctp.dstport dccp.srcport dccp.dstport icmp.type icmp.code icmpv6.type icmpv6.code vlan.id
ieee8021ad.id mip6.proto shim6.nxt hip.proto ipv6.opt.jumbo""".split()
OPTIONS = ["ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE"]
NEXT = {0: "ipv6.hopopts.nxt", 43: "ipv6.routing.nxt", 44: "ipv6.fraghdr.nxt", 60: "ipv6.dstopts.nxt", 51: "ah.next_header",
        135: "mip6.proto", 139: "hip.proto", 140: "shim6.nxt"}
PORTS = {6: "tcp", 17: "udp", 136: "udp", 132: "sctp", 33: "dccp"}
NAMES = {"tcp": 6, "udp": 17, "udplite": 136, "sctp": 132, "dccp": 33, "icmp": 1, "icmpv6": 58}
JOINED_MAX = 200  # files open at a time
SHARE_MIN = 0.995
COLUMNS = "version src dst proto sport dport flags ttl length vlan fragment".split()


def number(text):
    return int(text, 0) if text else None


def theirs_from(line):
    """One line of tshark to a dict of COLUMNS, {} without IP. Of repeated fields the first one counts."""
    all_values = dict(zip(FIELDS, line.split("\t")))
    v = {k: x.split(";")[0] for k, x in all_values.items()}
    layers = all_values["frame.protocols"].split(":")
    version = next((x for x in layers if x in ("ip", "ipv6")), None)
    tags = [x for x in layers[:layers.index(version) if version else None] if x in ("vlan", "ieee8021ad")]
    row = {"vlan": v[tags[0] + ".id"] or None if tags else None, "protocols": all_values["frame.protocols"]}
    if version is None:
        return row
    inner = layers[layers.index(version) + 1:]
    inner = [x for x in inner if not x.startswith("ipv6.") and x not in ("ah", "shim6", "mipv6")]
    if version == "ip":
        if not v["ip.src"]:
            return row
        row.update(version=4, src=v["ip.src"], dst=v["ip.dst"], proto=number(v["ip.proto"]), ttl=number(v["ip.ttl"]),
                   length=number(v["ip.len"]), fragment=number(v["ip.frag_offset"]))
    else:
        if not v["ipv6.src"]:
            return row
        proto, steps = number(v["ipv6.nxt"]), 0
        used = collections.Counter()
        while proto in NEXT and steps < 20:
            name = NEXT[proto]
            values = all_values[name].split(";")
            if used[name] >= len(values) or not values[used[name]]:
                break
            after = number(values[used[name]])
            if proto >= 135 and after == 59:
                break  # what ends a packet by itself is what the packet is about
            proto, steps = after, steps + 1
            used[name] += 1
        row.update(version=6, src=v["ipv6.src"], dst=v["ipv6.dst"], proto=proto, ttl=number(v["ipv6.hlim"]),
                   length=40 + number(v["ipv6.plen"]), fragment=number(v["ipv6.fraghdr.offset"]) or 0)
        if v["ipv6.opt.jumbo"]:
            row["length"] = 40 + number(v["ipv6.opt.jumbo"])
    # Ports of this IP packet, not of one inside it.
    name = inner[0] if inner else ""
    if NAMES.get(name) == row["proto"]:
        if name in ("icmp", "icmpv6") and v[name + ".code"]:
            row.update(sport=0, dport=number(v[name + ".type"]) * 256 + number(v[name + ".code"]))
        elif name in ("icmp", "icmpv6"):
            pass
        else:
            prefix = PORTS[row["proto"]]
            row.update(sport=number(v[prefix + ".srcport"]), dport=number(v[prefix + ".dstport"]))
            if name == "tcp":
                row["flags"] = number(v["tcp.flags"])
    return row


def ours_from(line):
    link, verdict, version, src, dst, proto, sport, dport, flags, ttl, length, vlan, fragment, tunnel = line.split("\t")
    row = {"verdict": verdict, "tunnel": tunnel, "vlan": vlan if vlan != "-1" else None}
    if version == "0":
        return row
    row.update(version=int(version), src=src, dst=dst, proto=int(proto), ttl=int(ttl), length=int(length), fragment=int(fragment))
    if sport != "-":
        row.update(sport=int(sport), dport=int(dport))
        if proto == "6":
            row["flags"] = int(flags)
    return row


def differences(ours, theirs):
    out = []
    for column in COLUMNS:
        a, b = ours.get(column), theirs.get(column)
        if column == "vlan":
            a, b = number(a), number(b)
        if column == "flags" and b is not None and a is not None:
            b &= 0x1ff
        if column == "flags" and (a or 0) == (b or 0):
            continue
        if column == "length" and b == 0 and a:
            continue  # offload: they show the field, we the octets
        if a != b:
            out.append(column)
    return out


def tshark(path):
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;"]
    for option in OPTIONS:
        command += ["-o", option]
    for field in FIELDS:
        command += ["-e", field]
    return subprocess.run(command, capture_output=True, text=True, errors="replace").stdout.split("\n")[:-1]


class Score:
    def __init__(self, corpus, verbose):
        self.corpus, self.verbose = corpus, verbose
        self.total = self.equal = 0
        self.by_field, self.by_file = collections.Counter(), collections.Counter()

    def packet(self, path, index, ours, theirs):
        mine, their = ours_from(ours), theirs_from(theirs)
        wrong = differences(mine, their)
        self.total += 1
        if not wrong:
            self.equal += 1
            return
        self.by_field[" ".join(wrong)] += 1
        self.by_file[path] += 1
        if self.verbose:
            print(f"{path.relative_to(self.corpus)}:{index} link {ours.split(chr(9))[0]} {mine['verdict']} {mine['tunnel']} "
                  f"{their['protocols']}:", *(f"{c} {mine.get(c)} / {their.get(c)}" for c in wrong))

    def files(self, paths, ours, theirs):
        place = iter(theirs)
        for path in paths:
            for index, line in enumerate(ours[path], 1):
                self.packet(path, index, line, next(place))

    def show(self):
        for fields, count in self.by_field.most_common(30):
            print(f"{count:7} differ in {fields}")
        for path, count in self.by_file.most_common(15):
            print(f"{count:7} in {path.relative_to(self.corpus)}")


def join(paths):
    """tshark's lines for several files at once; none if they cannot be joined."""
    with tempfile.TemporaryDirectory() as folder:
        joined = pathlib.Path(folder) / "joined.pcapng"
        run = subprocess.run(["mergecap", "-a", "-w", str(joined), *map(str, paths)], capture_output=True)
        return tshark(joined) if run.returncode == 0 else []


def main():
    dump = pathlib.Path(sys.argv[1]).parent / "tests" / "dump_layers"
    corpus, verbose = pathlib.Path(os.environ.get("WEIR_CORPUS", "")), "-v" in sys.argv
    if not os.environ.get("WEIR_CORPUS") or not corpus.is_dir() or not shutil.which("tshark"):
        print("skipped: no corpus (WEIR_CORPUS) or no tshark\n0 passed, 0 failed, 1 skipped")
        return 0
    groups, single, ours, skipped = collections.defaultdict(list), [], {}, 0
    for path in sorted(p for p in corpus.rglob("*") if p.is_file()):
        run = subprocess.run([dump, str(path)], capture_output=True, text=True, errors="replace")
        ours[path] = run.stdout.split("\n")[:-1]
        links = {line.split("\t")[0] for line in ours[path]}
        if len(links) == 1 and run.returncode == 0:
            groups[links.pop()].append(path)
        elif ours[path]:
            single.append(path)
    score = Score(corpus, verbose)
    for paths in [group[i:i + JOINED_MAX] for group in groups.values() for i in range(0, len(group), JOINED_MAX)]:
        theirs = join(paths)
        if len(theirs) == sum(len(ours[p]) for p in paths):
            score.files(paths, ours, theirs)
        else:
            single += paths
    for path in single:
        theirs = tshark(path)
        if len(theirs) >= len(ours[path]):
            score.files([path], ours, theirs)
        else:
            skipped += len(ours[path])
            if verbose:
                print(f"{path.relative_to(corpus)}: {len(theirs)} packets by tshark, {len(ours[path])} by us: not compared")
    score.show()
    share = score.equal / max(score.total, 1)
    print(f"{score.equal} of {score.total} packets equal, {100 * share:.3f} %; {skipped} not compared")
    passed = share >= SHARE_MIN
    print(f"{int(passed)} passed, {int(not passed)} failed")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
