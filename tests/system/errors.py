#!/usr/bin/env python3
"""
errors.py WEIR: what goes wrong is said in one line, ends with the right status, and costs nothing that was good: usage, missing and damaged
files, a full disk, an interrupt, files in the wrong order. Statuses: 0 done, 2 usage, 3 input damaged, 4 output failed, 5 interrupted.
"""
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
GOOD = GOLDEN / "tcp-normal.pcap"
LEDGER = re.compile(r"^(\d+) packets in, (\d+) metered into (\d+) records?, (\d+) discarded.*, (\d+) dropped.*$", re.MULTILINE)


class Case:
    def __init__(self, weir):
        self.weir, self.passed, self.failed = weir, 0, 0

    def expect(self, what, is_so, *told):
        self.passed, self.failed = self.passed + bool(is_so), self.failed + (not is_so)
        if not is_so:
            print(f"not so: {what}", *(str(text).strip()[:500] for text in told), sep="\n  ")

    def run(self, *words, **options):
        return subprocess.run([self.weir, *map(str, words)], capture_output=True, text=True, errors="replace", timeout=60, **options)

    def fails(self, what, status, said, *words, **options):
        """It ends with the status, says all of `said` in one line beside the ledger, and neither a trace of code nor an escape."""
        done = self.run(*words, **options)
        lines = [line for line in done.stderr.splitlines() if not LEDGER.match(line)]
        self.expect(what, done.returncode == status and any(all(word in line for word in said) for line in lines) and
                    not re.search(r"[\x00-\x08\x0b-\x1f]|\.c:\d+", done.stderr), f"status {done.returncode}", done.stderr)
        return done


def usage(case):
    case.fails("an unknown command names the nearest", 2, ["flwo", "flow"], "flwo")
    case.fails("an unknown option names the nearest", 2, ["--tunel", "--tunnel"], "flow", "--tunel", GOOD)
    case.fails("a short option that is ambiguous names both", 2, ["--filter", "--filter-language"], "flow", "--fi", "x", GOOD)
    case.fails("a wrong duration says which units there are", 2, ["5 parsecs", "5m"], "flow", "--idle", "5 parsecs", GOOD)
    case.fails("a wrong format lists or names the right one", 2, ["jsonll"], "flow", "-o", "jsonll", GOOD)
    case.fails("a wrong column names the nearest", 2, ["sportt", "sport"], "flow", "--columns", "sportt", GOOD)
    case.fails("a wrong filter says where", 2, ["src ipp", "filter"], "flow", GOOD, "--", "src", "ipp", "192.0.2.1")
    case.fails("a wrong preset says which there are", 2, ["natve", "native"], "flow", "--preset", "natve", GOOD)
    case.fails("no input is wrong usage", 2, ["input"], "flow")
    case.fails("too many workers", 2, ["--threads"], "flow", "-j", "100000", GOOD)
    case.expect("--help is no error", case.run("flow", "--help").returncode == 0)


def inputs(case, folder):
    case.fails("a missing file is named", 3, ["no-such-file.pcap"], "flow", folder / "no-such-file.pcap")
    done = case.fails("a missing file does not keep the others from being used", 3, ["no-such-file.pcap"], "flow", folder / "no-such-file.pcap", GOOD)
    case.expect("... and their records are there", done.stdout.count("\n") == 2, done.stdout)
    case.fails("a folder is not a capture", 3, [str(folder)], "flow", folder)
    text = folder / "text.pcap"
    text.write_text("this is not a capture\n" * 10)
    case.fails("a text is not a capture, and what are is said", 3, ["text.pcap", "pcap"], "flow", text)
    (folder / "empty.pcap").write_bytes(b"")
    case.fails("an empty file is told of", 3, ["empty.pcap"], "flow", folder / "empty.pcap")
    data = GOOD.read_bytes()
    last = len(data) - 16 - 54
    cut = folder / "cut.pcap"
    cut.write_bytes(data[:-3])
    done = case.fails("a cut file: name and offset of the record", 3, [f"cut.pcap:{last}:"], "flow", "-o", "json", cut)
    case.expect("... everything before the cut is metered", [row["packets"] + row["rev_packets"] for row in json.loads(done.stdout)] == [8], done.stdout)
    with cut.open("rb") as file:
        case.fails("the same by standard input", 3, [f"{last}:"], "flow", "-", stdin=file)
    packed = subprocess.run(["gzip", "-c", GOOD], capture_output=True, check=True).stdout
    (folder / "cut.pcap.gz").write_bytes(packed[:-20])
    done = case.fails("a cut gzip is told of", 3, ["cut.pcap.gz"], "flow", folder / "cut.pcap.gz")
    case.expect("... and the ledger is printed and adds up", adds_up(done.stderr), done.stderr)
    odd = folder / "line\nend \x1b[31m.pcap"
    odd.write_bytes(data[:-3])
    case.fails("a file name cannot forge a message", 3, [f".pcap:{last}:"], "flow", odd)


def adds_up(messages):
    hit = LEDGER.search(messages)
    return hit is not None and int(hit[1]) == int(hit[2]) + int(hit[4]) + int(hit[5])


def outputs(case, folder):
    for form in ("csv", "jsonl", "json", "table"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([case.weir, "flow", "-o", form, GOOD], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        case.expect(f"a full disk ends with 4 ({form})", done.returncode == 4 and "No space left" in done.stderr, done.returncode, done.stderr)
    case.fails("a full disk behind -w", 4, ["/dev/full", "No space left"], "flow", "-w", "/dev/full", GOOD)
    case.fails("no folder to write to", 4, ["no-such-folder"], "flow", "-w", folder / "no-such-folder" / "out.csv", GOOD)
    reader = subprocess.Popen([case.weir, "flow", "-o", "jsonl", "--uni", *[GOOD] * 2000], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    reader.stdout.readline()
    reader.stdout.close()
    status = reader.wait(60)
    case.expect("a reader that goes away is an output error, not a crash", status in (0, 4), status, reader.stderr.read())
    reader.stderr.close()


def json_is_valid(case):
    """Whatever the capture, every JSON output can be read, -o json as one array."""
    for path in sorted(GOLDEN.glob("*.pcap*")):
        array = case.run("flow", "-q", "-o", "json", path)
        lines = case.run("flow", "-q", "-o", "jsonl", path)
        try:
            rows = json.loads(array.stdout)
            same = sorted(map(json.dumps, rows)) == sorted(json.dumps(json.loads(line)) for line in lines.stdout.splitlines())
        except ValueError:
            same = False
        case.expect(f"JSON of {path.name} can be read and says the same in both forms", same, array.stdout[:300])


def interrupt(case):
    """SIGINT: complete records and the ledger are written, status 5."""
    for workers in (1, 2):
        reading, writing = os.pipe()
        run = subprocess.Popen([case.weir, "flow", "-o", "csv", "-j", str(workers), "-"], stdin=reading, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
        os.close(reading)
        header, packet = GOOD.read_bytes()[:24], GOOD.read_bytes()[24:24 + 16 + 54]
        os.write(writing, header)
        for number in range(600):
            os.write(writing, struct.pack("<I", 1_700_000_000 + number) + packet[4:])
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        try:
            out, messages = run.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            run.kill()
            out, messages = run.communicate()
            messages += "did not end within 20 s of SIGINT while its input was silent"
        os.close(writing)
        case.expect(f"SIGINT ends with 5, the ledger and complete records (-j {workers})",
                    run.returncode == 5 and adds_up(messages) and out.count("\n") > 1 and out.endswith("\n"), run.returncode, messages)


def interrupt_while_busy(case):
    """The same while packets come without a pause."""
    busy = GOOD.read_bytes()[24:]
    run = subprocess.Popen([case.weir, "flow", "-o", "csv", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def feed():
        try:
            run.stdin.write(GOOD.read_bytes()[:24])
            while True:
                run.stdin.write(busy * 1000)
        except (BrokenPipeError, ValueError):
            pass

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    messages = run.stderr.read().decode(errors="replace")
    status = run.wait(20)
    feeder.join(5)
    case.expect("SIGINT in the middle of traffic ends with 5 and a ledger that adds up", status == 5 and adds_up(messages), status, messages)


def order(case, folder):
    """CAP-30: two files in the wrong order are told of with both times; --sort gives what the merged file gives."""
    data = (GOLDEN / "tcp-active.pcap").read_bytes()
    size = 16 + 54
    middle = 24 + 5 * size
    first, second = folder / "first.pcap", folder / "second.pcap"
    first.write_bytes(data[:middle])
    second.write_bytes(data[:24] + data[middle:])
    wanted = case.run("flow", "-o", "csv", GOLDEN / "tcp-active.pcap").stdout
    right = case.run("flow", "-o", "csv", first, second)
    case.expect("files in order give what the whole file gives", right.stdout == wanted and right.returncode == 0, right.stderr)
    case.expect("... without a warning", "order" not in right.stderr and "--sort" not in right.stderr, right.stderr)
    wrong = case.run("flow", "-o", "csv", second, first)
    case.expect("files in the wrong order: a warning with both times and the cure", all(word in wrong.stderr for word in
                ("--sort", "first.pcap")) and re.search(r"2023-11-14T22:1[34]:|1700000000", wrong.stderr), wrong.stderr)
    merged = case.run("flow", "-o", "csv", "--sort", second, first)
    case.expect("--sort gives what the whole file gives", merged.stdout == wanted and merged.returncode == 0, merged.stdout, merged.stderr)


def main():
    case = Case(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        usage(case)
        inputs(case, folder)
        outputs(case, folder)
        json_is_valid(case)
        interrupt(case)
        interrupt_while_busy(case)
        order(case, folder)
    print(f"{case.passed} passed, {case.failed} failed")
    return 1 if case.failed else 0


sys.exit(main())
