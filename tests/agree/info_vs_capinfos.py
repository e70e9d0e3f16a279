#!/usr/bin/env python3
"""info_vs_capinfos.py WEIR [CORPUS [EVERY]]: `weir info` says of a capture file what capinfos -TmQ says: counts, sizes, times, rates,
order, check sum and the texts of pcapng sections. Each EVERY-th capture (default 4; 1 = all); files that capinfos cannot read to their
end are left out.
"""
import csv
import io
import re
import shutil
import subprocess
import sys

import lib

# Column here, column there, largest difference (None: the same text).
COLUMNS = (
    ("packets", "Number of packets", 0),
    ("file_size", "File size (bytes)", 0),
    ("bytes", "Data size (bytes)", 0),
    ("duration", "Capture duration (seconds)", 1e-9),
    ("first", "Start time", 1e-9),
    ("last", "End time", 1e-9),
    ("avg_packet", "Average packet size (bytes)", 0.0051),
    ("sha256", "SHA256", None),
    ("ordered", "Strict time order", None),
    ("hardware", "Capture hardware", None),
    ("os", "Capture oper-sys", None),
    ("application", "Capture application", None),
)
# In a damaged record microseconds may be beyond a second: capinfos prints them as they are or lets them wrap at 32 bits. Of ATM it
# leaves out 4 octets in front of each packet.
KNOWN = ("tcpflow-bug8.pcap", "tcpdump-atm-heapoverflow.pcap")
TIME = re.compile(r"n/a|\d+\.(\d{6}|\d{9})")
TIMES = ("Start time", "End time", "Capture duration (seconds)")
UNKNOWN = re.compile(r"^(n/a|Unknown)$")
RATES = (("byte_rate", "Data byte rate (bytes/sec)"), ("packet_rate", "Average packet rate (packets/sec)"))


def table(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace", timeout=60)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    return rows[0] if done.returncode == 0 and rows else None


def complaints(ours, theirs):
    for here, there, most in COLUMNS:
        a, b = ours[here], UNKNOWN.sub("", theirs[there])
        if here in ("avg_packet", "ordered") and ours["packets"] == "0":
            continue  # capinfos says 0, and that order is unknown
        if most is None:
            is_same = a.lower() == b.lower()
        else:
            is_same = a == b or (a != "" and b != "" and abs(float(a) - float(b)) <= most)
        if not is_same:
            yield f"{here}: {a!r}, capinfos says {b!r}"
    # capinfos subtracts times since 1970 as doubles: its duration is wrong by up to 5e-7 seconds.
    for here, there in RATES:
        a, b = ours[here], UNKNOWN.sub("", theirs[there])
        if a != "" and b != "" and abs(float(a) - float(b)) > 0.01 + float(b) * 5e-7 / float(ours["duration"]):
            yield f"{here}: {a}, capinfos says {b}"


def main():
    weir, corpus = sys.argv[1], lib.corpus_or_skip(*sys.argv[2:3])
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 4
    if not shutil.which("capinfos"):
        print("skipped: capinfos is not installed")
        lib.finish(0, 0)
    files = sorted(p for p in corpus.rglob("*") if p.suffix in (".pcap", ".cap", ".pcapng", ".gz") and p.is_file())[::every]
    passed = failed = left_out = 0
    for path in files:
        theirs = table(["capinfos", "-TmQMS", str(path)])
        ours = table([weir, "info", "-o", "csv", str(path)])
        if theirs is None or ours is None or path.name in KNOWN or not all(TIME.fullmatch(theirs[name]) for name in TIMES):
            left_out += 1
            continue
        said = list(complaints(ours, theirs))
        failed += bool(said)
        passed += not said
        for text in said:
            print(f"{path.relative_to(corpus)}: {text}")
    print(f"{left_out} captures left out")
    lib.finish(passed, failed)


if __name__ == "__main__":
    main()
