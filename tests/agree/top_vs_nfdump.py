#!/usr/bin/env python3
"""
top_vs_nfdump.py WEIR [CORPUS]: 'weir top STAT/ORDER --layout nfdump' and 'weir query -A, -b, -o fmt:' against nfdump on the same records
(spec/tools.md section 11, nfdump.stat, agg, fmt, biflow). Values equal, order falling; equal weights may stand in any order.
"""
import collections
import csv
import io
import re
import sys
import tempfile

import lib
import nfdump

STATS = ("srcip/bytes", "dstip/packets", "ip/flows", "srcport/bytes", "dstport:p/flows", "port/packets", "proto/bytes", "srcip:p/pps",
         "dstip/bps", "ip/bpp", "tos/flows", "inif/bytes", "srcas/packets", "as/bytes", "nhip/flows", "proto/packets")
COLUMNS = ("first", "last", "duration", "flows", "flows_pct", "packets", "packets_pct", "bytes", "bytes_pct", "pps", "bps", "bpp")
LINE = re.compile(r"(\S+ \S+)\s+([\d.]+) (\S+)\s+(\S+)\s+(\d+)\(\s*([\d.]+)\)\s+(\d+)\(\s*([\d.]+)\)\s+(\d+)\(\s*([\d.]+)\)\s+(\d+)\s+(\d+)\s+(\d+)$")
FORMATS = ("line", "long", "extended", "biline", "bilong",
           "fmt:%td %sa %da %byt", "fmt:%ts %te %pr %sap %dap %sp %dp %it %ic %flg %tos %stos %pkt %ipkt %opkt %byt %ibyt %obyt %fl",
           "fmt:%pps|%bps|%bpp|%in|%out|%sas|%das|%smk|%dmk|%nh|%nhb|%ra|%svln|%dvln|%sc|%dc|%sn|%dn|%dir")
# Keys and a filter that leaves out where nfdump 1.7.1 prints something else than it counts: ports of ICMP, IPv4 masks on IPv6.
AGGREGATES = ((("srcip",), "any"), (("dstport", "proto"), "proto tcp or proto udp"), (("srcip", "dstip"), "any"), (("srcip4/16",), "ipv4"),
              (("dstip4/8", "proto"), "ipv4"))


def ours(weir, folder, command, *words):
    out = lib.run(weir, command, "-q", "-o", "csv", *words, f"{folder}/flows.csv")
    return list(csv.DictReader(io.StringIO(out.decode())))


def is_apart(value):
    """nfdump takes ::1 and 0.0.0.1 for one address (spec/tools.md section 12): both are left out where that shows."""
    return value.startswith(("::", "0.0.0."))


def our_stat(weir, folder, stat):
    rows = []
    for row in ours(weir, folder, "top", stat, "-n", "0", "--layout", "nfdump"):
        times = [f"{float(row[name]):.3f}" for name in COLUMNS[:3]]
        rows.append((row["value"], row.get("proto") if ":p" in stat else None, *times[:1], times[2], *(row[name] for name in COLUMNS[3:])))
    return rows


def their_stat(folder, stat):
    rows = []
    for line in nfdump.nfdump(f"{folder}/nf", "-s", stat, "-n", "0"):
        at = LINE.match(line).groups()
        proto = (at[2] if at[2].isdigit() else str(nfdump.PROTOCOLS[at[2]])) if ":p" in stat else None
        value = at[3]
        rows.append((value, proto, nfdump.seconds(nfdump.milliseconds(at[0])), at[1], *at[4:]))
    return rows


ORDER = {"flows": 4, "packets": 6, "bytes": 8, "pps": 10, "bps": 11, "bpp": 12}


def compare_stat(weir, folder, stat):
    mine, theirs = our_stat(weir, folder, stat), their_stat(folder, stat)
    weights = [int(row[ORDER[stat.rpartition("/")[2]]]) for row in mine]
    # The rates by which rows are sorted are exact here, cut only when printed.
    if weights != sorted(weights, reverse=True):
        return "not in falling order"
    return difference([row for row in mine if not is_apart(row[0])], [row for row in theirs if not is_apart(row[0])], range(10, 12))


def near(a, b, rates):
    """Equal, but for rates that differ by one: nfdump divides floating-point numbers before it cuts them, 4000 becomes 3999."""
    return len(a) == len(b) and all(x == y or (at in rates and abs(int(x) - int(y)) <= 1) for at, (x, y) in enumerate(zip(a, b)))


def difference(mine, theirs, rates=()):
    only_mine, only_theirs = collections.Counter(mine) - collections.Counter(theirs), collections.Counter(theirs) - collections.Counter(mine)
    left = sorted(only_theirs.elements(), key=str)
    for row in sorted(only_mine.elements(), key=str):
        match = next((other for other in left if near(row, other, rates)), None)
        if match is None:
            return f"only here {row}, only there {left[:2]}"
        left.remove(match)
    return f"only there {left[:2]}" if left else None


def compare_lines(weir, folder, form):
    # nfdump cuts IPv6 addresses of networks that have no length in the middle.
    words = ["ipv4"] if "%sn" in form else ["any"]
    mine = lib.run(weir, "query", "-q", "-o", form, "-6", "-N", f"{folder}/flows.csv", "--", *words).decode().splitlines()[1:]
    theirs = nfdump.nfdump(f"{folder}/nf", "-o", form, *words)
    rates = {"extended": (-4, -3)}.get(form, (0, 1) if "%pps" in form else ())
    for number, (a, b) in enumerate(zip(mine, theirs), 1):
        if a != b:
            split = [re.split(r"[ |]+", line.strip()) for line in (a, b)]
            if not near(*split, [at % len(split[0]) for at in rates]):
                return f"line {number}: {a!r}, nfdump has {b!r}"
    return None if len(mine) == len(theirs) else f"{len(mine)} lines, nfdump has {len(theirs)}"


def compare_aggregate(weir, folder, keys, words):
    columns = {"srcip": "src", "dstip": "dst", "srcip4": "src", "dstip4": "dst", "dstport": "dport", "proto": "proto"}
    tags = {"src": "%sa", "dst": "%da", "dport": "%dp", "proto": "%pr"}
    names = [columns[key.split("/")[0]] for key in keys]
    mine = []
    for row in ours(weir, folder, "query", "-A", ",".join(keys), "-f", words):
        mine.append((*(row[name].split("/")[0] for name in names), f"{float(row['first']):.3f}", row["packets"], row["bytes"], row["flows"]))
    form = "fmt:" + "|".join([*(tags[name] for name in names), "%ts", "%pkt", "%byt", "%fl"])
    theirs = []
    for line in nfdump.nfdump(f"{folder}/nf", "-A", ",".join(keys), "-o", form, words):
        *values, start, packets, octets, flows = [word.strip() for word in line.split("|")]
        theirs.append((*values, nfdump.seconds(nfdump.milliseconds(start)), packets, octets, flows))
    return difference([row for row in mine if not is_apart(row[0])], [row for row in theirs if not is_apart(row[0])])


def compare_joined(weir, folder):
    """-b: both directions in one row. Rows of ICMP stay apart in both programs; nfdump cannot join more than two records at a time in 1.7.1's
    listing, so sums per 5-tuple are compared."""
    mine, theirs = collections.Counter(), collections.Counter()
    for row in ours(weir, folder, "query", "-b"):
        if row["proto"] in ("6", "17"):
            ends = sorted([(row["src"], row["sport"], int(row["packets"]), int(row["bytes"])),
                           (row["dst"], row["dport"], int(row["rev_packets"]), int(row["rev_bytes"]))])
            mine[(row["proto"], *ends)] += 1
    form = "fmt:%pr|%sa|%sp|%da|%dp|%ipkt|%ibyt|%opkt|%obyt"
    for line in nfdump.nfdump(f"{folder}/nf", "-b", "-o", form):
        at = [word.strip() for word in line.split("|")]
        proto = str(nfdump.PROTOCOLS.get(at[0], at[0]))
        if proto in ("6", "17"):
            theirs[(proto, *sorted([(at[1], at[2], int(at[5]), int(at[6])), (at[3], at[4], int(at[7]), int(at[8]))]))] += 1
    return None if mine == theirs else f"only here {list(mine - theirs)[:2]}, only there {list(theirs - mine)[:2]}"


def checks(weir, folder):
    for stat in STATS:
        yield f"top {stat}", lambda: compare_stat(weir, folder, stat)
    for form in FORMATS:
        yield f"query -o {form}", lambda: compare_lines(weir, folder, form)
    for keys, words in AGGREGATES:
        yield f"query -A {','.join(keys)}", lambda: compare_aggregate(weir, folder, keys, words)
    yield "query -b", lambda: compare_joined(weir, folder)


def main():
    weir = sys.argv[1]
    corpus = lib.corpus_or_skip(*sys.argv[2:3])
    passed = failed = 0
    for name in nfdump.CAPTURES:
        with tempfile.TemporaryDirectory() as folder:
            if nfdump.meter(corpus / name, folder) == 0:
                print(f"{name}: nfpcapd makes no flows of it")
                failed += 1
                continue
            for check, run in checks(weir, folder):
                try:
                    difference = run()
                except Exception as error:  # a check that breaks is a check that failed
                    difference = repr(error)
                passed += difference is None
                failed += difference is not None
                if difference is not None:
                    print(f"{name}: {check}: {difference}")
    lib.finish(passed, failed)


main()
