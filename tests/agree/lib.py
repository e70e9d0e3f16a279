"""
What the agreement tests share: the corpus, our flow records, tables of counters, and how two tables are compared.

A table maps a flow's key (protocol, endpoint a, endpoint b; a is the smaller one) to Counters. A program may cut one key into several
records at moments of its own choice, so records of one key are summed; which side it takes for the client is a compared column, not
part of the key.
"""
import csv
import io
import ipaddress
import os
import pathlib
import shutil
import struct
import subprocess
import sys

ICMP = (1, 58)
PORTED = (6, 17, 33, 132, 136)  # TCP, UDP, DCCP, SCTP, UDP-Lite
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"  # where Debian puts daemons
PEER_CAPTURES = 8  # of each theme
COUNTERS = ("packets a-b", "bytes a-b", "packets b-a", "bytes b-a")


class Counters:
    """Packets and octets each way between endpoints a and b, in how many records, and which side came first."""

    __slots__ = ("values", "records", "start", "forward")

    def __init__(self):
        self.values, self.records, self.start, self.forward = [0, 0, 0, 0], 0, None, 0

    @property
    def packets(self):
        return self.values[0] + self.values[2]

    @property
    def octets(self):
        return self.values[1] + self.values[3]


class Table(dict):
    def add(self, proto, source, destination, forward, reverse=(0, 0), start=0.0):
        """A record: endpoints are (address text, port), forward and reverse are (packets, octets)."""
        ends = [(ipaddress.ip_address(address.split("%")[0]), port if proto in PORTED else 0) for address, port in (source, destination)]
        order = [(end[0].version, end[0].packed, end[1]) for end in ends]
        is_swapped = order[0] > order[1]
        key = (proto, *((ends[1], ends[0]) if is_swapped else ends))
        row = self.setdefault(key, Counters())
        for at, value in enumerate((*reverse, *forward) if is_swapped else (*forward, *reverse)):
            row.values[at] += value
        if row.start is None or start < row.start:
            row.start, row.forward = start, int(is_swapped)
        row.records += 1

    def total(self):
        return sum(row.packets for row in self.values()), sum(row.octets for row in self.values())


def without_pairs(table, pairs):
    """The table without the flows between some pairs of addresses (frozensets of text)."""
    return Table({key: row for key, row in table.items() if frozenset((str(key[1][0]), str(key[2][0]))) not in pairs})


def portless(table, protos):
    """The table with the ports of some protocols left out of the key, for a program that does not read them."""
    out = Table()
    for (proto, a, b), row in table.items():
        ends, values = [(str(end[0]), 0 if proto in protos else end[1]) for end in (a, b)], [row.values[:2], row.values[2:]]
        if row.forward == 1:
            ends.reverse()
            values.reverse()
        out.add(proto, *ends, *values, start=row.start)
    return out


def key_text(key):
    proto, a, b = key
    return f"{proto} {a[0]}:{a[1]} - {b[0]}:{b[1]}"


class Comparison:
    """Keys of two tables: equal, differing (key -> names of columns), on one side only; turned = equal but for who is the client."""

    def __init__(self, ours, theirs, is_partial=False):
        both = ours.keys() & theirs.keys()
        self.only_here = set() if is_partial else ours.keys() - theirs.keys()
        self.only_there = theirs.keys() - ours.keys()
        self.differing = {}
        self.turned = []
        for key in both:
            pairs = zip(COUNTERS, ours[key].values, theirs[key].values)
            if columns := [name for name, x, y in pairs if x != y and y is not None]:
                self.differing[key] = columns
            elif ours[key].forward != theirs[key].forward and key[1] != key[2]:
                self.turned.append(key)
        self.equal = len(both) - len(self.differing)
        self.count = len(both) + len(self.only_here) + len(self.only_there)

    def lines(self, ours, theirs):
        for key in sorted(self.only_here, key=key_text):
            yield f"  only here   {key_text(key)} {ours[key].values}"
        for key in sorted(self.only_there, key=key_text):
            yield f"  only there  {key_text(key)} {theirs[key].values}"
        for key in sorted(self.differing, key=key_text):
            yield f"  differs     {key_text(key)} here {ours[key].values} there {theirs[key].values}"


# ---- our records ----

def run(*command, status=(0,), is_stderr=False, **options):
    """Standard output (or error) of a command; its message is the exception's text when it ends with another status."""
    done = subprocess.run([str(word) for word in command], capture_output=True, timeout=options.pop("timeout", 120), env=dict(os.environ, PATH=PATH),
                          **options)
    if done.returncode not in status:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return done.stderr if is_stderr else done.stdout


# One record per key, whatever happens in between: no timeouts, no TCP end detection.
ONE_RECORD = ("--idle", "none", "--active", "none", "--end", "none")


def flow_rows(weir, path, *options):
    """Rows of 'weir flow' as dicts of text. Damaged captures (status 3) give what came before the damage."""
    out = run(weir, "flow", "-o", "csv", *options, path, status=(0, 3))
    return csv.DictReader(io.StringIO(out.decode()))


def table_of(rows):
    table = Table()
    for row in rows:
        table.add(int(row["proto"]), (row["src"], int(row["sport"])), (row["dst"], int(row["dport"])),
                  (int(row["packets"]), int(row["bytes"])), (int(row["rev_packets"] or 0), int(row["rev_bytes"] or 0)),
                  float(row["start"]))
    return table


# ---- corpus and results ----

def corpus_or_skip(argument=None):
    """The corpus folder; ends the script with its last line when there is none."""
    here = pathlib.Path(__file__).resolve()
    path = pathlib.Path(argument or os.environ.get("WEIR_CORPUS") or here.parents[3] / "shared" / "corpus")
    if not (path / "MANIFEST.tsv").is_file():
        print(f"skipped: no corpus at '{path}'; set WEIR_CORPUS to its folder")
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(0)
    return path


def manifest(corpus):
    with open(corpus / "MANIFEST.tsv", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def programs_or_skip(*names):
    """The programs must be there; ends the script with its last line when one is not."""
    if missing := [name for name in names if shutil.which(name, path=PATH) is None]:
        print(f"skipped: no {', '.join(missing)}; tools/packages.txt lists the packages")
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(0)


def is_snapped(path):
    """Does a pcap file hold packets with fewer octets than were on the wire?"""
    with open(path, "rb") as file:
        order = ">" if file.read(24)[:2] == b"\xa1\xb2" else "<"
        while len(head := file.read(16)) == 16:
            captured, on_wire = struct.unpack(order + "II", head[8:])
            if captured < on_wire:
                return True
            file.seek(captured, os.SEEK_CUR)
    return False


def peer_captures(weir, folder, packets_max, asked=()):
    """
    What live peers are run on: files asked for, else an hour of the generated office in `folder`, the workloads in WEIR_WORKLOADS, and
    Ethernet captures of the corpus with at least 10 packets, a few of each theme.
    """
    if asked:
        return [pathlib.Path(path) for path in asked]
    demo = pathlib.Path(folder) / "demo.pcap"
    run(weir, "demo", "-q", "--hours", "1", "-w", demo)
    found = [demo]
    if workloads := os.environ.get("WEIR_WORKLOADS"):
        found += sorted(pathlib.Path(workloads).glob("w[12]s.pcap"))
    corpus = os.environ.get("WEIR_CORPUS")
    if not corpus or not os.path.isfile(f"{corpus}/MANIFEST.tsv"):
        print("skipped: real captures; set WEIR_CORPUS to the folder of them")
        return found
    themes = {}
    for row in manifest(pathlib.Path(corpus)):
        theme = row["path"].split("/")[0]
        if row["link_type"] == "ether" and row["opens"] == "yes" and row["path"].endswith(".pcap") and 10 <= int(row["packets"]) <= packets_max:
            themes.setdefault(theme, []).append(pathlib.Path(corpus) / row["path"])
    for theme in ("apps", "dns", "http", "ip", "quic", "tcp", "tls", "transport", "tunnels"):
        files = themes.get(theme, [])
        found += files[::max(1, len(files) // PEER_CAPTURES)][:PEER_CAPTURES]
    return found


def finish(passed, failed):
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
