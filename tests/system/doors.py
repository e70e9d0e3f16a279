#!/usr/bin/env python3
"""
doors.py WEIR: one capture gives the same flow records through every door: as a file, through a pipe, a fifo, each compression, with 1, 2
and 4 workers, uniflow and biflow, cut into two files, and merged from files in the wrong order. Records are compared as sorted lines, so
that only their order may differ. Captures: the golden traces and, with WEIR_CORPUS, a choice of real ones.
"""
import bz2
import gzip
import lzma
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
CAPTURES_MAX = 60
SIZE_MIN, SIZE_MAX = 2000, 3_000_000


class Doors:
    def __init__(self, weir, folder):
        self.weir, self.folder, self.passed, self.failed = weir, folder, 0, 0

    def meter(self, *words, **options):
        done = subprocess.run([self.weir, "flow", "-q", "-o", "jsonl", *map(str, words)], capture_output=True, timeout=120, **options)
        return done.returncode, sorted(done.stdout.splitlines())

    def expect(self, what, got, wanted):
        is_same = got == wanted
        self.passed, self.failed = self.passed + is_same, self.failed + (not is_same)
        if not is_same:
            (status, lines), (wanted_status, wanted_lines) = got, wanted
            print(f"{what}: status {status} and {len(lines)} records, not {wanted_status} and {len(wanted_lines)}")
            for line in sorted(set(lines) ^ set(wanted_lines))[:4]:
                print(f"  {'+' if line in lines else '-'} {line.decode(errors='replace')[:300]}")

    def fifo(self, data, *words):
        path = self.folder / "fifo"
        os.mkfifo(path)

        def write():
            with open(path, "wb") as file:
                try:
                    file.write(data)
                except BrokenPipeError:
                    pass

        writer = threading.Thread(target=write)
        writer.start()
        got = self.meter(*words, path)
        writer.join()
        path.unlink()
        return got

    def packed(self, data):
        yield "gz", gzip.compress(data, 1)
        yield "bz2", bz2.compress(data, 1)
        yield "xz", lzma.compress(data, preset=0)
        yield "gz", gzip.compress(data[:len(data) // 2], 1) + gzip.compress(data[len(data) // 2:], 1)
        for program in ("zstd", "lz4"):
            if shutil.which(program):
                yield program, subprocess.run([program, "-q", "-c"], input=data, capture_output=True, check=True).stdout

    def try_capture(self, path):
        data = path.read_bytes()
        wanted = self.meter(path)
        self.expect(f"{path.name} by standard input", self.meter("-", input=data), wanted)
        self.expect(f"{path.name} by fifo", self.fifo(data), wanted)
        for workers in (2, 4):
            self.expect(f"{path.name} -j {workers}", self.meter("-j", workers, path), wanted)
        self.expect(f"{path.name} by fifo -j 2", self.fifo(data, "-j", 2), wanted)
        for options in (("--uni",), ("--tunnel",), ("--preset", "nfpcapd"), ("--idle", "1s", "--active", "2s")):
            self.expect(f"{path.name} {' '.join(options)} -j 4", self.meter("-j", 4, *options, path), self.meter(*options, path))
        if path.suffix in (".gz", ".bz2", ".xz"):
            return
        for ending, content in self.packed(data):
            target = self.folder / f"packed.{ending}"
            target.write_bytes(content)
            self.expect(f"{path.name} as {ending}", self.meter(target), wanted)

    def try_parts(self, path):
        """A plain pcap file cut between records: the parts in order and, with --sort, in any order, are the whole."""
        data = path.read_bytes()
        at, borders = 24, []
        while at + 16 <= len(data):
            borders.append(at)
            at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        if at != len(data):
            return  # damaged
        times = [struct.unpack_from("<II", data, border) for border in borders]
        if len(borders) < 4 or times != sorted(set(times)):
            return  # merging keeps order only where times tell it
        middle = borders[len(borders) // 2]
        first, second = self.folder / "first.pcap", self.folder / "second.pcap"
        first.write_bytes(data[:middle])
        second.write_bytes(data[:24] + data[middle:])
        wanted = self.meter(path)
        self.expect(f"{path.name} in two files", self.meter(first, second), wanted)
        self.expect(f"{path.name} in two files, wrong order, --sort", self.meter("--sort", second, first), wanted)


def captures():
    golden = HERE.parent / "golden"
    yield from sorted(golden.glob("*.pcap*"))
    yield from sorted(golden.glob("*.snoop"))
    corpus = os.environ.get("WEIR_CORPUS")
    if corpus:
        files = [path for path in sorted(pathlib.Path(corpus).rglob("*.pcap*")) if SIZE_MIN <= path.stat().st_size <= SIZE_MAX]
        yield from files[::max(1, len(files) // CAPTURES_MAX)]
    else:
        print("skipped: real captures; set WEIR_CORPUS to the folder of them")


def main():
    with tempfile.TemporaryDirectory() as folder:
        doors = Doors(sys.argv[1], pathlib.Path(folder))
        for path in captures():
            doors.try_capture(path)
            if path.suffix == ".pcap" and path.read_bytes()[:4] == b"\xd4\xc3\xb2\xa1":
                doors.try_parts(path)
    print(f"{doors.passed} passed, {doors.failed} failed")
    return 1 if doors.failed else 0


sys.exit(main())
