#!/usr/bin/env python3
"""truth.py WEIR: metered flows equal the generator's own list (bench/gen_pcap --truth), for any number of workers."""
import csv, pathlib, subprocess, sys, tempfile

WEIR = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/weir").resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
CASES = {  # options of gen_pcap: all in one long record per flow, as the truth has it
    "small packets, all flows active": "-n 40000 -f 4000 -d uniform -s 64 -u 30 -r 100000",
    "mixed, IPv6 too": "-n 40000 -f 1600 -d zipf -S 0.01 -s imix -6 20 -u 15 -D 25 -T 30 -H 15 -r 50000 -N",
    "snapped to 64 octets": "-n 10000 -f 100 -d uniform -s 1500 -6 50 -r 1000 -L 64",
}


def truth(path):
    for row in csv.DictReader(open(path), delimiter="\t"):
        yield (row["client"], int(row["cport"]), row["server"], int(row["sport"]), int(row["proto"]), int(row["c2s_packets"]),
               int(row["s2c_packets"]), int(row["c2s_bytes"]), int(row["s2c_bytes"]), int(row["first_ns"]), int(row["last_ns"]))


def nanoseconds(text):
    seconds, fraction = text.split(".")
    return int(seconds) * 10**9 + int(fraction)


def metered(path, workers):
    out = subprocess.run([WEIR, "flow", "-q", "-o", "csv", "-j", str(workers), "--idle", "none", "--active", "none", "--end", "none", path],
                         capture_output=True, text=True, check=True).stdout
    for row in csv.DictReader(out.splitlines()):
        yield (row["src"], int(row["sport"]), row["dst"], int(row["dport"]), int(row["proto"]), int(row["packets"]), int(row["rev_packets"]),
               int(row["bytes"]), int(row["rev_bytes"]), nanoseconds(row["start"]), nanoseconds(row["end"]))


def cut(rows, is_micro):
    return sorted((*row[:9], *(time // 1000 * 1000 if is_micro else time for time in row[9:])) for row in rows)


passed = failed = 0
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    subprocess.run(["cc", "-O1", "-o", folder / "gen_pcap", SOURCE / "bench" / "gen_pcap.c", "-lm"], check=True)
    for name, options in CASES.items():
        subprocess.run([folder / "gen_pcap", "-o", folder / "t.pcap", *options.split(), "--truth", folder / "t.tsv"], check=True)
        is_micro = "-N" not in options
        want = cut(truth(folder / "t.tsv"), is_micro)
        for workers in 1, 2, 4:
            got = cut(metered(folder / "t.pcap", workers), is_micro)
            ok = got == want
            passed, failed = passed + ok, failed + (not ok)
            print(f"{'ok' if ok else 'not ok'} - {name}, {workers} workers: {len(got)} of {len(want)} flows")
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
