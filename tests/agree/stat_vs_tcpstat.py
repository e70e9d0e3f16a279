#!/usr/bin/env python3
"""stat_vs_tcpstat.py WEIR [CORPUS [EVERY]]: `weir stat --preset tcpstat` gives the lines of tcpstat 1.5 (spec/tools.md 9.6).

Each EVERY-th capture (default 20; 1 = all) is compared at 5, 1, 0.5, 10, 60 s and as a whole with all letters, and with -l, -e, -s, -f, -a, -b and -B.
Numbers may differ by 0.01, rates over the whole input by what the peer loses in the difference of two floating-point times. Known to
differ and left out: captures without packets, for which the peer prints an interval all the same; captures that begin at time 0, which
tcpstat takes for no time and forgets; sizes over 2^30 (damaged headers), with microseconds it takes for
negative ones; gaps that it answers with more than
4 MiB of empty lines or 5 s of silence; the last empty line under -s (the peer prints one or not); and the captures of DIFFERENT.
"""
import shutil
import subprocess
import sys
import threading

import lib

LETTERS = "%S %s %R %r %n %N %a %d %m %M %p %b %B %A %C %I %T %U %V\\n"
CASES = [("-I", i, "-o", LETTERS) for i in ("5", "1", "0.5", "10", "60", "-1")] + [
    ("-I", "5"), ("-I", "1", "-o", "%S\\t%p\\t%b\\n"), ("-I", "5", "-l"), ("-I", "1", "-e"), ("-I", "5", "-s", "7.5", "-o", "%S %n %N\\n"),
    ("-I", "5", "-f", "tcp", "-o", LETTERS), ("-I", "1", "-a"), ("-I", "1", "-b", "20000"), ("-I", "1", "-B", "20000")]
DIFFERENT = {
    "container/derived-arkime-http-simple-get-nokiapcap.pcap": "libpcap does not know this variant of the record header by its content",
    "malformed/tcpdump-l2tp-avp-overflow.pcap": "packets cut within the IP header: the peer reads what the one before left there",
}
OUTPUT_MAX, SECONDS_MAX = 4 << 20, 5


def peer_arguments(case):
    words, interval = [], None
    at = iter(case)
    for word in at:
        if word == "-I":
            interval = next(at)
        else:
            words.append(word)
    return words + [interval]


def run(command):
    """Lines of standard output (None when it takes too long or prints too much), exit status, standard error."""
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    timer = threading.Timer(SECONDS_MAX, p.kill)
    timer.start()
    out = p.stdout.read(OUTPUT_MAX)
    if len(out) == OUTPUT_MAX:
        p.kill()
    err = p.stderr.read().decode(errors="replace")
    p.wait()
    timer.cancel()
    return (None if len(out) == OUTPUT_MAX or p.returncode < 0 else out.decode(errors="replace").splitlines()), p.returncode, err


def same(ours, theirs, share=0.0):
    if ours == theirs:
        return True
    a, b = ours.replace("=", " ").split(), theirs.replace("=", " ").split()
    if len(a) != len(b):
        return False
    for x, y in zip(a, b):
        if x != y:
            try:
                a_value, b_value = float(x.strip("(%")), float(y.strip("(%"))
                if not abs(a_value - b_value) <= max(0.0101, share * abs(b_value)):
                    return False
            except ValueError:
                return False
    return True


def halves(line):
    """The peer rounds times that lie between two seconds up or down as its floating point falls."""
    words = line.split()
    for rounded, exact in ((0, 1), (2, 3)):
        if len(words) > 16 and exact < len(words) and words[exact].endswith(("499999", "500000", "500001")):
            words[rounded] = "half"
    return " ".join(words)


def without_empty_end(lines):
    while lines and lines[-1].split()[1:] == ["0", "0"]:
        lines = lines[:-1]
    return lines


def is_left_out(weir, path):
    out, _, _ = run([weir, "stat", "-I", "-1", "-o", "csv", "--columns", "start,max", "--no-header", str(path)])
    if not out:
        return True
    start, largest = out[0].split(",")
    return start == "0.000000000" or int(largest) >= 1 << 30


def main():
    weir, corpus = sys.argv[1], lib.corpus_or_skip(*sys.argv[2:3])
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    if not shutil.which("tcpstat"):
        print("skipped: tcpstat is not installed")
        lib.finish(0, 0)
    files = sorted(p for p in corpus.rglob("*") if p.suffix in (".pcap", ".cap", ".pcapng", ".dmp", ".trace") and p.is_file())[::every]
    passed = failed = skipped = 0
    for path in files:
        bad = []
        if str(path.relative_to(corpus)) in DIFFERENT or is_left_out(weir, path):
            skipped += 1
            continue
        for case in CASES:
            theirs, code, err = run(["tcpstat", "-r", str(path), *peer_arguments(case)])
            if theirs is None or code != 0 or "unsupported" in err or "truncated" in err or not theirs:
                continue
            ours, our_code, our_err = run([weir, "stat", "--preset", "tcpstat", *case, str(path)])
            if our_code == 3 or "not printed" in our_err:
                continue
            if "-s" in case:
                ours, theirs = without_empty_end(ours), without_empty_end(theirs)
            if "-f" in case and not ours and theirs[0].startswith(("2 ", "3 ")):
                continue  # the peer's line of 1970 when nothing passed
            if LETTERS in case:
                ours, theirs = [halves(x) for x in ours], [halves(x) for x in theirs]
            share = 0.0
            if "-1" in case and LETTERS in case and theirs:
                half = float(theirs[0].split()[3])
                share = 5e-7 / abs(2 * half) if half else 0.0
            if len(ours) != len(theirs) or not all(same(x, y, share) for x, y in zip(ours, theirs)):
                at = next((i for i, (x, y) in enumerate(zip(ours, theirs)) if not same(x, y, share)), min(len(ours), len(theirs)))
                bad.append((case, at, ours[at:at + 1], theirs[at:at + 1]))
            else:
                passed += 1
        failed += len(bad)
        for case, at, x, y in bad[:2]:
            print(f"{path.relative_to(corpus)} {' '.join(case)} line {at}:\n  weir    {x}\n  tcpstat {y}")
    print(f"{len(files)} captures, {skipped} of them left out")
    lib.finish(passed, failed)


main()
