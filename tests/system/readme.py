#!/usr/bin/env python3
"""
readme.py WEIR [--accept]: the console blocks of README.md and doc/*.md do what they show.

A line that begins with "$ " is a command (continued behind a backslash), the lines below it are what it prints, to standard output or standard
error; a line "..." stands for any lines, and at the end of a line for its rest. The commands of one document run in order in one shell, in the
top folder; those of doc/ find what the README's left. --accept puts what was printed into commands that show no "...", or show it only as their
first line, which stands for the first paragraph.
"""
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== end of command, status"


def commands(block):
    """[(command, text shown below it)]"""
    found = []
    is_continued = False
    for line in block.splitlines(keepends=True):
        if line.startswith("$ ") or is_continued:
            text = line if is_continued else line[2:]
            if is_continued:
                found[-1][0] += text
            else:
                found.append([text, ""])
            is_continued = line.endswith("\\\n")
        else:
            found[-1][1] += line
    return found


def run(document, weir):
    """[(command, shown, printed, status)] of a document."""
    wanted = [pair for block in BLOCK.findall(document.read_text()) for pair in commands(block)]
    script = "".join(f"{{ {command}}} 2>&1 </dev/null; echo \"\n{MARK} $?\"\n" for command, _ in wanted)
    environment = dict(os.environ, PATH=f"{weir.parent}:{os.environ['PATH']}", NO_COLOR="1", LC_ALL="C.UTF-8")
    done = subprocess.run(["bash"], input=script, cwd=TOP, env=environment, text=True, capture_output=True)
    parts = re.split(rf"\n{MARK} (\d+)\n", done.stdout)
    printed, status = parts[0::2], parts[1::2]
    for at, (command, shown) in enumerate(wanted):
        yield command, shown, printed[at] if at < len(status) else done.stderr, int(status[at]) if at < len(status) else -1


def is_as_shown(shown, printed):
    pattern = "".join(r"(?:.*\n)*" if line == "..." else re.escape(line.removesuffix("...")) + (".*" if line.endswith("...") else "") + r"\n"
                      for line in shown.splitlines())
    return re.fullmatch(pattern, printed if printed.endswith("\n") or not printed else printed + "\n") is not None


def accept(document, command, shown, printed):
    text = document.read_text()
    if shown.startswith("...\n"):
        printed = "...\n" + printed.split("\n\n", 1)[-1]
    lines = "".join("$ " + line if at == 0 else line for at, line in enumerate(command.splitlines(keepends=True)))
    if lines + shown not in text:
        return
    document.write_text(text.replace(lines + shown, lines + printed.rstrip("\n") + ("\n" if printed else ""), 1))
    print(f"accepted: {document.name}: {command.strip()}")


def main():
    weir, is_accepting = pathlib.Path(sys.argv[1]).resolve(), "--accept" in sys.argv
    passed = failed = 0
    for document in [TOP / "README.md", *sorted((TOP / "doc").glob("*.md"))]:
        for command, shown, printed, status in run(document, weir):
            is_right = status == 0 and is_as_shown(shown, printed)
            passed, failed = passed + is_right, failed + (not is_right)
            if not is_right and is_accepting and "..." not in shown.removeprefix("...\n") and shown != "...\n" and status == 0:
                accept(document, command, shown, printed)
            elif not is_right:
                print(f"FAILED {document.name}: {command.strip()}\nstatus {status}, printed:\n{printed}instead of:\n{shown}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
