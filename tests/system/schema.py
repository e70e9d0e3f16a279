#!/usr/bin/env python3
"""schema.py WEIR: doc/fields.md is what `weir schema -o md` says, and rows of -o jsonl are what their JSON Schema promises."""
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

TYPES = {"integer": int, "number": (int, float), "string": str}


def run(*command):
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()


def faults(schema, row):
    """The keywords that our schemas use, nothing more: type, minimum, maximum, pattern, required, additionalProperties."""
    for name in schema["required"]:
        if name not in row:
            yield f"{name} is missing"
    for name, value in row.items():
        rule = schema["properties"].get(name)
        if rule is None:
            yield f"{name} is not in the schema"
        elif not isinstance(value, TYPES[rule["type"]]) or isinstance(value, bool):
            yield f"{name} = {value!r} is no {rule['type']}"
        elif not rule.get("minimum", value) <= value <= rule.get("maximum", value):
            yield f"{name} = {value!r} is out of range"
        elif "pattern" in rule and not re.search(rule["pattern"], value):
            yield f"{name} = {value!r} does not match {rule['pattern']}"


def small_capture(path):
    """Three packets: TCP with SYN, UDP over IPv6, ARP."""
    ether = bytes(range(12))
    ip4 = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
    tcp = struct.pack(">HHIIBBHHH", 40000, 80, 1, 0, 0x50, 2, 1024, 0, 0)
    ip6 = struct.pack(">IHBB16s16s", 0x60000000, 12, 17, 64, bytes(15) + b"\1", bytes(15) + b"\2")
    udp = struct.pack(">HHHH", 53, 5353, 12, 0) + b"data"
    packets = [ether + b"\x08\x00" + ip4 + tcp, ether + b"\x86\xdd" + ip6 + udp, ether + b"\x08\x06" + bytes(28)]
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, packet in enumerate(packets):
            file.write(struct.pack("<IIII", 1700000000 + 7 * i, 5, len(packet), len(packet)) + packet)


def main():
    weir, source = sys.argv[1], pathlib.Path(__file__).resolve().parents[2]
    passed = failed = 0

    def check(name, is_good, text=""):
        nonlocal passed, failed
        passed, failed = passed + bool(is_good), failed + (not is_good)
        if not is_good:
            print(f"FAILED {name}: {text}")

    check("fields.md is current", run(weir, "schema", "-o", "md") == (source / "doc" / "fields.md").read_text(),
          "run 'weir schema -o md -w doc/fields.md'")
    with tempfile.TemporaryDirectory() as folder:
        capture = pathlib.Path(folder) / "three.pcap"
        small_capture(capture)
        commands = {"flow": ["flow"], "interval": ["stat", "-I", "1"], "volume": ["volume", "--method", "packets"]}
        for record, command in commands.items():
            schema = json.loads(run(weir, "schema", "--json-schema", record))
            rows = [json.loads(line) for line in run(weir, *command, "-o", "jsonl", str(capture)).splitlines()]
            bad = [fault for row in rows for fault in faults(schema, row)]
            check(f"rows of {record} are as promised", rows and not bad, bad[:3] or "no rows")
            array = json.loads(run(weir, *command, "-o", "json", str(capture)))
            check(f"json and jsonl of {record} agree", array == rows)
    for name, row in (("a text for a number", {"packets": "7"}), ("a negative count", {"packets": -1}), ("an unknown key", {"pakets": 1})):
        schema = json.loads(run(weir, "schema", "--json-schema", "flow"))
        check(f"the checker sees {name}", [f for f in faults(schema, row) if "missing" not in f])
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
