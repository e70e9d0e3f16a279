#!/usr/bin/env python3
"""hist_vs_tshark.py WEIR [CORPUS [EVERY]]: `weir hist length` with the edges of tshark -z plen,tree gives its table: count, mean (0.01),
smallest, largest and percent of every bin. Each EVERY-th capture (default 10; 1 = all); those tshark cannot read to their end are left out.
"""
import csv
import io
import re
import shutil
import subprocess
import sys

import lib

EDGES = "0,20,40,80,160,320,640,1280,2560,5120"
ROW = re.compile(r"^ (\d+)(?:-\d+| and greater)\s+(\d+)\s+(\S+)\s+(\S+)\s+(\S+)\s+\S+\s+([0-9.]+)%")


def run(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace", timeout=60)


def number(text):
    return None if text in ("-", "") else float(text)


def theirs(path):
    p = run(["tshark", "-n", "-q", "-r", str(path), "-z", "plen,tree"])
    rows = [ROW.match(line) for line in p.stdout.splitlines()]
    return None if p.returncode != 0 else [(int(r[1]), int(r[2]), *map(number, r.group(3, 4, 5, 6))) for r in rows if r]


def ours(weir, path):
    p = run([weir, "hist", "length", "--bins", EDGES, "-o", "csv", str(path)])
    return None if p.returncode != 0 else [
        (int(r["lo"]), int(r["count"]), *map(number, (r["mean"], r["min"], r["max"], r["percent"])))
        for r in csv.DictReader(io.StringIO(p.stdout))]


def same(x, y):
    if x[:2] != y[:2]:
        return False
    return all(a == b or (None not in (a, b) and abs(a - b) <= 0.0101) for a, b in zip(x[2:], y[2:]))


def main():
    weir, corpus = sys.argv[1], lib.corpus_or_skip(*sys.argv[2:3])
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        lib.finish(0, 0)
    files = sorted(p for p in corpus.rglob("*") if p.suffix in (".pcap", ".cap", ".pcapng") and p.is_file())[::every]
    passed = failed = left_out = 0
    for path in files:
        their_rows, our_rows = theirs(path), ours(weir, path)
        if not their_rows or our_rows is None:
            left_out += 1
        elif len(our_rows) == len(their_rows) and all(map(same, our_rows, their_rows)):
            passed += 1
        else:
            failed += 1
            bad = [pair for pair in zip(our_rows, their_rows) if not same(*pair)]
            print(f"{path.relative_to(corpus)}: weir {bad[0][0] if bad else our_rows}, tshark {bad[0][1] if bad else their_rows}")
    print(f"{len(files)} captures, {left_out} left out")
    lib.finish(passed, failed)


main()
