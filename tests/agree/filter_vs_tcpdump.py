#!/usr/bin/env python3
"""
filter_vs_tcpdump.py WEIR [CORPUS]: how many packets of a capture pass a BPF expression, here and in tcpdump (spec/tools.md section 11,
filter.01-20), on one capture of each link type that tcpdump reads and on some of each folder of the corpus.
"""
import pathlib
import subprocess
import sys

import lib

EXPRESSIONS = ("ip", "ip6", "tcp", "udp", "icmp or icmp6", "arp", "port 53", "dst port 80", "src portrange 1024-65535", "net 10.0.0.0/8",
               "host 192.168.1.1", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "greater 500", "less 60", "ip[6:2] & 0x1fff != 0", "vlan",
               "not ip and not ip6", "ip multicast or ip6 multicast", "udp[4:2] > 100 and udp dst port 53", "ip proto 47 or proto 132")
PER_FOLDER = 4


def chosen(corpus):
    """The first of each link type, then the first few of each folder."""
    links, folders = set(), {}
    for row in lib.manifest(corpus):
        path, link = corpus / row["path"], row["link_type"]
        count = folders.get(path.parent, 0)
        if path.suffix not in (".pcap", ".pcapng", ".cap") or (link in links and count >= PER_FOLDER):
            continue
        links.add(link)
        folders[path.parent] = count + 1
        yield path


def theirs(path, expression):
    """0 when tcpdump says that the expression makes no sense there. Files that it does not read to their end are no witness."""
    done = subprocess.run(["tcpdump", "-n", "-q", "-r", str(path), expression], capture_output=True)
    if done.returncode != 0 and (b"reading from file" not in done.stderr or b"pcap_loop" in done.stderr):
        raise ValueError(done.stderr.decode(errors="replace").strip())
    if done.returncode != 0 and not done.stdout:
        return 0
    count = subprocess.run(["tcpdump", "-n", "-r", str(path), "-w", "-", "-U", expression], capture_output=True).stdout
    return records(count)


def records(pcap):
    """Packets in a pcap file as tcpdump writes it: one per record, whatever the printer makes of it."""
    order = "little" if pcap[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else "big"
    at, count = 24, 0
    while at + 16 <= len(pcap):
        at += 16 + int.from_bytes(pcap[at + 8:at + 12], order)
        count += 1
    return count


def main():
    count_bpf = pathlib.Path(sys.argv[1]).parent / "tests" / "count_bpf"
    corpus = lib.corpus_or_skip(*sys.argv[2:3])
    passed = failed = 0
    for path in chosen(corpus):
        try:
            peer = [theirs(path, expression) for expression in EXPRESSIONS]
        except ValueError:
            continue  # tcpdump does not read this file
        done = subprocess.run([str(count_bpf), str(path), *EXPRESSIONS], capture_output=True, text=True)
        mine = [int(line) for line in done.stdout.split()]
        if len(mine) != len(peer):
            print(f"{path.name}: {done.stderr.strip()}")
            failed += 1
            continue
        for expression, a, b in zip(EXPRESSIONS, mine, peer):
            passed += a == b
            failed += a != b
            if a != b:
                print(f"{path.name}: '{expression}': {a} packets, tcpdump has {b}")
    lib.finish(passed, failed)


main()
