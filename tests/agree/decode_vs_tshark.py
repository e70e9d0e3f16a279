#!/usr/bin/env python3
"""decode_vs_tshark.py DUMP_LAYERS CORPUS [-v]: compare our decoding of every packet of a folder of captures with tshark's.

Compared are the outermost IP header (version, addresses, last next header, TTL, length, fragment offset), ports, TCP flags
and the outermost VLAN id. Captures of one link type are joined, so that tshark starts a few dozen times, not thousands.
Prints the share of packets that are equal and the differences by field; exit status 1 below 99.5 %.
"""
import collections
import os
import pathlib
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
    verdict, version, src, dst, proto, sport, dport, flags, ttl, length, vlan, fragment, tunnel = line.split("\t")
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


def main():
    dump, corpus, verbose = sys.argv[1], pathlib.Path(sys.argv[2]), "-v" in sys.argv
    groups, single, ours = collections.defaultdict(list), [], {}
    for path in sorted(p for p in corpus.rglob("*") if p.is_file()):
        run = subprocess.run([dump, str(path)], capture_output=True, text=True, errors="replace")
        lines = run.stdout.split("\n")[:-1]
        if len(lines) < 2:
            continue
        ours[path] = lines[1:]
        if run.returncode == 0:
            groups[lines[0]].append(path)
        else:
            single.append((lines[0], path))
    total = equal = 0
    by_field, by_file, skipped = collections.Counter(), collections.Counter(), 0

    def compare(link, paths, lines):
        nonlocal total, equal
        place = 0
        for path in paths:
            for index, line in enumerate(ours[path]):
                mine, their = ours_from(line), theirs_from(lines[place])
                place += 1
                total += 1
                wrong = differences(mine, their)
                if not wrong:
                    equal += 1
                    continue
                by_field[" ".join(wrong)] += 1
                by_file[path] += 1
                if verbose:
                    print(f"{path.relative_to(corpus)}:{index + 1} link {link} {mine['verdict']} {mine['tunnel']} {their['protocols']}:",
                          *(f"{c} {mine.get(c)} / {their.get(c)}" for c in wrong))

    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        chunks = [(link, all_paths[i:i + JOINED_MAX]) for link, all_paths in sorted(groups.items())
                  for i in range(0, len(all_paths), JOINED_MAX)]
        for link, paths in chunks:
            joined = pathlib.Path(folder) / "joined.pcapng"
            run = subprocess.run(["mergecap", "-a", "-w", str(joined), *map(str, paths)], capture_output=True)
            lines = tshark(joined) if run.returncode == 0 else []
            if len(lines) == sum(len(ours[p]) for p in paths):
                compare(link, paths, lines)
            else:
                print(f"link {link}: {len(lines)} packets by tshark, {sum(len(ours[p]) for p in paths)} by us, {run.stderr[-200:]}", file=sys.stderr)
                single += [(link, p) for p in paths]
            joined.unlink(missing_ok=True)
        for link, path in single:
            lines = tshark(path)
            if len(lines) >= len(ours[path]):
                compare(link, [path], lines)
            else:
                skipped += len(ours[path])
    for fields, count in by_field.most_common(30):
        print(f"{count:7} differ in {fields}")
    for path, count in by_file.most_common(15):
        print(f"{count:7} in {path.relative_to(corpus)}")
    print(f"{equal} of {total} packets equal, {100 * equal / max(total, 1):.3f} %; {skipped} not read by tshark")
    return 0 if equal >= 0.995 * total else 1


if __name__ == "__main__":
    sys.exit(main())
