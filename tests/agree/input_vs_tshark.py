#!/usr/bin/env python3
"""input_vs_tshark DUMP_PACKETS CORPUS: times, lengths and captured lengths of every packet as tshark reads them.

Every file of the corpus that tshark opens is compared. What tshark cannot read is not compared: it is no witness then. Where a file is
damaged the packets before the damage must agree. Prints each difference and "N passed, N failed".
"""
import pathlib
import subprocess
import sys


def ours(dump, path):
    done = subprocess.run([dump, str(path)], capture_output=True, text=True)
    return done.stdout.splitlines(), done.returncode


def theirs(path):
    # Provenance records of ERF are about the card, no packets.
    reader = ["-Y", "not erf.types.type == 27"] if path.suffix == ".erf" else []
    done = subprocess.run(["tshark", "-n", "--disable-all-protocols", "--enable-protocol", "frame", "--enable-protocol", "erf",
                           "-r", str(path), *reader, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len",
                           "-e", "frame.cap_len"], capture_output=True, text=True, errors="replace")
    return done.stdout.splitlines(), done.returncode, done.stderr


def same(a, b):
    """A simple packet block has no time: tshark prints none, we give it that of the packet before."""
    a, b = a.split("\t"), b.split("\t")
    return a[1:] == b[1:] and (b[0] in ("", "0.000000000") or a[0] == b[0])


def compare(dump, path):
    want, status, words = theirs(path)
    if status != 0 and not want:
        return None
    got, mine = ours(dump, path)
    if len(got) != len(want):
        return f"{len(got)} packets, tshark has {len(want)} (our status {mine}, tshark's {status}: {words.strip()[-120:]})"
    for number, (a, b) in enumerate(zip(got, want), 1):
        if not same(a, b):
            return f"packet {number}: {a!r}, tshark has {b!r}"
    if (mine == 3) != (status != 0):
        return f"status {mine}, tshark has {status}: {words.strip()[-120:]}"
    return ""


def main():
    dump, corpus = sys.argv[1], pathlib.Path(sys.argv[2])
    passed = failed = skipped = 0
    for path in sorted(corpus.rglob("*")):
        if path.suffix not in (".pcap", ".pcapng", ".erf", ".snoop", ".gz") or "expected" in path.parts:
            continue
        said = compare(dump, path)
        if said is None:
            skipped += 1
        elif said == "":
            passed += 1
        else:
            failed += 1
            print(f"{path.relative_to(corpus)}: {said}")
    print(f"{skipped} files not compared: tshark does not open them")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
