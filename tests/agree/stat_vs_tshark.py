#!/usr/bin/env python3
"""stat_vs_tshark.py WEIR [CORPUS [EVERY]]: `weir stat -I N --align first --length frame` has the packets and bytes of tshark -z io,stat,N.

Each EVERY-th capture (default 20; 1 = all), at 0.1, 1 and 10 s. Left out, and counted as skipped: files tshark cannot read to their end; captures of no packets or no duration
(tshark prints no row); packets out of order (tshark leaves them in the row it is at); times finer than the microseconds tshark counts in
(spec/tools.md 12).
"""
import csv
import io
import re
import shutil
import subprocess
import sys

import lib

INTERVALS = ("0.1", "1", "10")
ROW = re.compile(r"^\|\s*([0-9.]+) <> +(?:[0-9.]+|Dur)\s*\|\s*([0-9]+)\s*\|\s*([0-9]+)\s*\|")
ROWS_MAX = 20000


def run(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace", timeout=60)


def tshark_rows(path, interval):
    p = run(["tshark", "-n", "-q", "-r", str(path), "-z", f"io,stat,{interval}"])
    if p.returncode != 0:
        return None
    rows = [ROW.match(line) for line in p.stdout.splitlines()]
    return [(float(r[1]), int(r[2]), int(r[3])) for r in rows if r]


def weir_rows(weir, path, interval):
    p = run([weir, "stat", "-I", interval, "--align", "first", "--length", "frame", "--slack", "4096", "-o", "csv", str(path)])
    if p.returncode != 0:
        return None
    rows = list(csv.DictReader(io.StringIO(p.stdout)))
    return [(float(r["rel_start"]), int(r["packets"]), int(r["bytes"])) for r in rows]


def is_comparable(path):
    """Are times rising from the first packet on, in whole microseconds, and not hours apart?"""
    p = run(["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.time_relative"])
    times = p.stdout.split()
    if p.returncode != 0 or any(not t.endswith("000") for t in times):
        return False
    times = [float(t) for t in times]
    return bool(times) and times == sorted(times) and 0 < times[-1] < ROWS_MAX * 0.1


def main():
    weir, corpus = sys.argv[1], lib.corpus_or_skip(*sys.argv[2:3])
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        lib.finish(0, 0)
    files = sorted(p for p in corpus.rglob("*") if p.suffix in (".pcap", ".cap", ".pcapng") and p.is_file())[::every]
    passed = failed = skipped = 0
    for path in files:
        if not is_comparable(path):
            skipped += 1
            continue
        for interval in INTERVALS:
            theirs, ours = tshark_rows(path, interval), weir_rows(weir, path, interval)
            if theirs is None or ours is None:
                skipped += 1
                continue
            # A last packet exactly on a boundary: tshark leaves out its row, or puts it into the one before.
            if len(ours) == len(theirs) + 1 and theirs:
                last = ours.pop()
                if ours[-1][1] != theirs[-1][1]:
                    ours[-1] = (ours[-1][0], ours[-1][1] + last[1], ours[-1][2] + last[2])
            if len(ours) == len(theirs) and all(x[1:] == y[1:] and abs(x[0] - y[0]) < 1e-3 for x, y in zip(ours, theirs)):
                passed += 1
                continue
            failed += 1
            at = next((i for i, (x, y) in enumerate(zip(ours, theirs)) if x[1:] != y[1:]), min(len(ours), len(theirs)))
            print(f"{path.relative_to(corpus)} -I {interval} row {at}: weir {ours[at:at + 1]}, tshark {theirs[at:at + 1]}")
    print(f"{len(files)} captures, {skipped} comparisons left out")
    lib.finish(passed, failed)


main()
