#!/usr/bin/env python3
"""
run.py WEIR [--accept] [NAME-SUBSTRING]...: the golden traces, one test each.

A trace passes when the file is what make.py makes, when 'weir flow' gives exactly the records that make.py expects in each view, ends with
the expected status and message, and when its whole output as JSON lines equals NAME.jsonl; with WEIR_SANITIZED the same by that program.
--accept writes NAME.jsonl anew where only that differs. Ends with "N passed, N failed".
"""
import difflib
import json
import os
import pathlib
import subprocess
import sys

import make

HERE = pathlib.Path(__file__).resolve().parent


def meter(weir, path, options):
    """(status, sorted lines of JSON, messages)"""
    done = subprocess.run([weir, "flow", "-o", "jsonl", *options, path.name], cwd=path.parent, capture_output=True, text=True, timeout=60)
    return done.returncode, sorted(done.stdout.splitlines()), done.stderr


def is_same(expected, got):
    """Times are compared as decimal text, so that no digit is lost in a float."""
    return str(expected) == str(got) if expected is not None else got is None


def check_records(lines, expected):
    """Complaints: records without their expectation, expectations without their record."""
    rows = [json.loads(line, parse_float=str) for line in lines]
    left = list(expected)
    for row in rows:
        hit = next((want for want in left if all(is_same(value, row.get(name)) for name, value in want.items())), None)
        if hit is None:
            yield f"not expected: {json.dumps(row)}"
        else:
            left.remove(hit)
    for want in left:
        yield f"missing: {json.dumps(want)}"


def check(weir, trace, is_accepting):
    path = HERE / trace.file
    if not path.is_file() or path.read_bytes() != trace.content:
        yield f"{trace.file} is not what make.py makes; run make.py"
        return
    for number, (options, expected) in enumerate(trace.views):
        status, lines, messages = meter(weir, path, options)
        place = f"weir flow {' '.join((*options, trace.file))}"
        if status != trace.status:
            yield f"{place}: status {status} instead of {trace.status}: {messages.strip()}"
            continue
        if trace.message is not None and trace.message not in messages:
            yield f"{place}: no '{trace.message}' in: {messages.strip()}"
        complaints = [f"{place}: {text}" for text in check_records(lines, expected)]
        yield from complaints
        golden = HERE / (trace.name + ".jsonl")
        if number > 0 or complaints:
            continue
        old = golden.read_text().splitlines() if golden.is_file() else None
        if old == lines:
            continue
        if is_accepting:
            golden.write_text("".join(line + "\n" for line in lines))
            print(f"accepted: {golden.name}")
        elif old is None:
            yield f"no {golden.name}; tools/golden --accept makes it"
        else:
            yield "\n".join(difflib.unified_diff(old, lines, golden.name, place, lineterm=""))


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    programs, names = [pathlib.Path(words[0]).resolve()], words[1:]
    if os.access(os.environ.get("WEIR_SANITIZED", ""), os.X_OK):
        programs.append(pathlib.Path(os.environ["WEIR_SANITIZED"]).resolve())
    passed = failed = 0
    for trace in make.traces():
        if names and not any(name in trace.file for name in names):
            continue
        complaints = [text for weir in programs for text in check(weir, trace, "--accept" in sys.argv)]
        if complaints:
            print(f"{trace.file}:\n" + "\n".join(complaints))
        failed += bool(complaints)
        passed += not complaints
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
