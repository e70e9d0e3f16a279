#!/usr/bin/env python3
"""tree.py WEIR: the tree holds no traces of one machine, and its documents know all files, packages and commands."""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
# Written in pieces, because this file is searched as well.
MACHINE = re.compile("|".join(("/wo" "rk/", "/ro" "ot/", "/ho" "me/[a-z]", "/mn" "t/", "/Us" "ers/", "bash_" "jobs")))
REGISTRY = re.compile("|".join(("npm" r"js\.org", "deb\\.deb" r"ian\.org", "py" r"pi\.org", "crates" r"\.io", r"proxy\.gol" "ang", r"ftp\.[a-z.]*deb" "ian")))
UNFINISHED = re.compile("|".join(("TO" "DO", "FIX" "ME", r"\bX" r"XX\b")))
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def texts():
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        path = TOP / name
        try:
            yield name, path.read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # captures; files removed but not yet committed


def places(files, pattern):
    return [f"{name}:{number}: {line.strip()[:100]}" for name, text in files for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def broken_links(files):
    for name, text in files:
        if name.endswith(".md"):
            for target in LINK.findall(text):
                if not (TOP / name).parent.joinpath(target).exists():
                    yield f"{name}: no {target}"


def missing_sources(files):
    """Files and folders that a document names but that are not there."""
    for name, text in files:
        if name.endswith(".md"):
            yield from (f"{name}: no {path}" for path in re.findall(r"`((?:src|tests|tools)/[\w/.-]+)`", text) if not (TOP / path).exists())


def checks(weir):
    """(what should be true, the places where it is not)"""
    files = list(texts())
    yield "no path of somebody's machine", places(files, MACHINE)
    yield "no host name of a package registry", places(files, REGISTRY)
    yield "nothing left for later", places([(n, t) for n, t in files if n.endswith((".c", ".h", ".py", ".sh", ".def"))], UNFINISHED)
    yield "links between documents lead somewhere", list(broken_links(files))
    yield "sources that documents name are there", list(missing_sources(files))

    dependencies = (TOP / "doc/dependencies.md").read_text()
    packages = [line.split()[1] for line in (TOP / "tools/packages.txt").read_text().splitlines() if not line.startswith("#")]
    yield "doc/dependencies.md says why each package is there", [name for name in packages if f"`{name}`" not in dependencies]
    readme = (TOP / "README.md").read_text()
    yield "the README leads to every document", [f.name for f in (TOP / "doc").glob("*.md") if f"doc/{f.name}" not in readme]
    modules = [line.split()[0] for line in (TOP / "src/floors.txt").read_text().splitlines()]
    yield "every module in floors.txt has a folder and the other way round", sorted(set(modules) ^ {p.name for p in (TOP / "src").iterdir() if p.is_dir()})
    commands = re.findall(r"^  (\w+) +\S", subprocess.run([weir, "help"], capture_output=True, text=True, check=True).stdout, re.MULTILINE)
    manuals = readme + "".join(p.read_text() for p in (TOP / "doc").glob("*.md"))
    yield "every command is in a document", [name for name in commands if f"weir {name}" not in manuals]
    yield "every command explains itself", [name for name in commands if "usage: weir " + name not in subprocess.run([weir, "help", name], capture_output=True, text=True).stdout]


def main():
    passed = failed = 0
    for what, wrong in checks(sys.argv[1]):
        passed, failed = passed + (not wrong), failed + bool(wrong)
        if wrong:
            print(f"FAILED {what}:\n  " + "\n  ".join(wrong[:20]))
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
