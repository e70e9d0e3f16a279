#!/usr/bin/env python3
"""demo.py WEIR: the generated capture is the same each time and an ordinary one in the eyes of tshark and capinfos."""
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BAD = "_ws.malformed || " + " || ".join(f"{name}.checksum.status == 0" for name in ("ip", "tcp", "udp", "icmp", "icmpv6", "igmp"))
CHECKS = [word for name in ("ip", "tcp", "udp") for word in ("-o", f"{name}.check_checksum:TRUE")]
KINDS = {  # display filter: packets there must at least be
    "tls.handshake.type == 1": 2000, "http.request": 500, "http.response.code == 200": 500, "dns.flags.rcode == 3": 30, "ntp": 1000, "dhcp": 80,
    "arp": 1000, "icmp.type == 0": 800, "icmp.type == 3": 10, "icmpv6.type == 134": 200, "mdns": 100, "ssh": 500, "vlan.id == 30": 2000,
    "ip.flags.mf == 1": 50, "ipv6.fraghdr": 20, "tcp.analysis.retransmission": 50, "tcp.flags.reset == 1": 1000, "igmp": 20, "syslog": 300,
}


def tshark(path, *words):
    done = subprocess.run(["tshark", "-n", "-r", path, *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"tshark {words}: {done.stderr}")
    return done.stdout


def checks(weir, path):
    """(what should be true, is it)"""
    for target in (path, path.with_suffix(".again")):
        subprocess.run([weir, "demo", "-q", "-w", target], check=True)
    first, again = (hashlib.sha256(p.read_bytes()).hexdigest() for p in (path, path.with_suffix(".again")))
    yield "two runs give the same octets", first == again
    yield "the file has 40 to 60 MB", 40e6 < path.stat().st_size < 60e6
    yield "another seed gives other octets", subprocess.run([weir, "demo", "-q", "--seed", "2", "--hours", "1", "-w", "-"], capture_output=True, check=True).stdout != \
        subprocess.run([weir, "demo", "-q", "--hours", "1", "-w", "-"], capture_output=True, check=True).stdout

    info = dict(line.split(":", 1) for line in subprocess.run(["capinfos", "-M", path], capture_output=True, text=True, check=True).stdout.splitlines() if ":" in line)
    packets = int(info["Number of packets"])
    yield f"capinfos counts 150000 to 300000 packets: {packets}", 150_000 <= packets <= 300_000
    yield f"capinfos sees 24 hours: {info['Capture duration']}", float(info["Capture duration"].split()[0]) == 86400
    yield "capinfos sees strict order of time", info["Strict time order"].strip() == "True"

    yield "tshark finds no malformed packet and no bad checksum", tshark(path, *CHECKS, "-Y", BAD) == ""
    rows = tshark(path, "-q", "-z", ",".join(("io,stat,0", *KINDS)))
    cells = [int(cell) for cell in re.findall(r"\d+", next(line for line in rows.splitlines() if "<>" in line).split("|", 2)[2])]
    for (kind, least), count in zip(KINDS.items(), cells[0::2], strict=True):
        yield f"tshark finds {kind}: {count}, at least {least}", count >= least
    hours = [int(line.split("|")[2]) for line in tshark(path, "-q", "-z", "io,stat,3600").splitlines() if "<>" in line]
    yield f"eleven o'clock is busier than four in the morning by ten: {hours}", hours[11] > 10 * hours[4]


def main():
    if not shutil.which("tshark") or not shutil.which("capinfos"):
        print("skipped: no tshark and capinfos\n0 passed, 0 failed, 1 skipped")
        return 0
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for what, is_so in checks(sys.argv[1], pathlib.Path(folder) / "demo.pcap"):
            passed, failed = passed + bool(is_so), failed + (not is_so)
            if not is_so:
                print(f"FAILED {what}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
