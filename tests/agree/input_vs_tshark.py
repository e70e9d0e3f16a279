#!/usr/bin/env python3
"""input_vs_tshark.py WEIR [--all]: times, lengths and captured lengths of every packet as tshark reads them.

Every file of the corpus that tshark opens is compared. What tshark cannot read is not compared: it is no witness then. Where a file is
damaged the packets before the damage must agree. The packets are printed by dump_packets of the build that WEIR is from. Prints each
difference and "N passed, N failed".

tshark takes longer to start than to read, so without --all only every fifth file is compared where packets matter and not containers.
"""
import concurrent.futures
import pathlib
import subprocess
import sys

import lib


# Where both are right in their way.
EXPLAINED = {
    "malformed/pcpp-fuzz-igmplayer.pcap":
        "the second record is damaged; tshark then takes the file for Nokia's variant",
    "malformed/tcpdump-atm-heapoverflow.pcap":
        "tshark counts the four octets of SunATM's pseudo-header off the lengths",
}

ALWAYS = ("container", "link", "malformed")


def ours(dump, path):
    done = subprocess.run([dump, str(path)], capture_output=True, text=True)
    return done.stdout.splitlines(), done.returncode


def theirs(path):
    # tshark also shows custom blocks, which have no link type, and provenance records of ERF: neither are packets.
    reader = ["-Y", "frame.encap_type and not erf.types.type == 27"] if path.suffix in (".erf", ".pcapng") else []
    done = subprocess.run(["tshark", "-n", "-r", str(path), *reader, "-T", "fields", "-e", "frame.time_epoch",
                           "-e", "frame.len", "-e", "frame.cap_len"],
                          capture_output=True, text=True, errors="replace")
    return done.stdout.splitlines(), done.returncode, done.stderr


def nanoseconds(text):
    """(seconds, fraction as printed) and the sum; a fraction may be negative or longer than nine digits."""
    seconds, _, fraction = text.partition(".")
    return int(seconds), int(fraction or 0)


def same_time(ours, theirs):
    """Equal; or tshark has none (simple packet blocks have no time: we take that of the packet before); or the fraction in the
    file is a second or more: we carry it over, tshark keeps nanoseconds in 32 bits without."""
    if theirs in ("", ours):
        return True
    seconds, fraction = nanoseconds(theirs)
    if fraction >= 0 and len(theirs.partition(".")[2]) == 9 and ours.partition(".")[0] == str(seconds):
        return False
    if theirs.startswith("-"):
        fraction = -fraction
    our_seconds, our_fraction = nanoseconds(ours)
    carried = (our_seconds - abs(seconds)) * 10**9 + our_fraction
    return carried >= 10**9 and (carried - fraction) % 2**32 == 0


def same(a, b):
    a, b = a.split("\t"), b.split("\t")
    length = str(min(int(a[1]), 2**31 - 1))  # tshark prints no longer ones
    return [length, a[2]] == b[1:] and same_time(a[0], b[0])


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
    dump = pathlib.Path(sys.argv[1]).resolve().parent / "tests" / "dump_packets"
    corpus = lib.corpus_or_skip()
    passed = failed = skipped = explained = 0
    paths = [path for path in sorted(corpus.rglob("*"))
             if path.suffix in (".pcap", ".pcapng", ".erf", ".snoop", ".gz") and "expected" not in path.parts]
    if "--all" not in sys.argv:
        paths = [path for number, path in enumerate(paths) if number % 5 == 0 or path.parent.name in ALWAYS]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda path: compare(dump, path), paths))
    for path, said in zip(paths, results):
        if said is None:
            skipped += 1
        elif said == "":
            passed += 1
        elif str(path.relative_to(corpus)) in EXPLAINED:
            explained += 1
            print(f"{path.relative_to(corpus)}: explained: {EXPLAINED[str(path.relative_to(corpus))]}")
        else:
            failed += 1
            print(f"{path.relative_to(corpus)}: {said}")
    print(f"{skipped} files not compared: tshark does not open them; {explained} explained")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
