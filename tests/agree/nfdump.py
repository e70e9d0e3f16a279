"""
What the comparisons with nfdump share: captures to nfcapd files by nfpcapd, their records to native CSV, and nfdump's answers as rows.

Both programs are asked about the same records, so metering plays no part. nfdump keeps milliseconds.
"""
import calendar
import os
import pathlib
import subprocess
import time

ENVIRONMENT = {**os.environ, "TZ": "UTC"}
PROTOCOLS = {"TCP": 6, "UDP": 17, "ICMP": 1, "ICMP6": 58}
LETTERS = "CEUAPRSF"
EXPORT = "fmt:%ts|%te|%pr|%sa|%sp|%da|%dp|%flg|%tos|%ipkt|%ibyt|%fl|%in|%out|%nh|%sas|%das|%smk|%dmk"
HEADER = "start,end,proto,src,sport,dst,dport,flags,tos,packets,bytes,flows,in_if,out_if,next_hop,src_as,dst_as,src_mask,dst_mask"


def nfdump(folder, *words):
    done = subprocess.run(["nfdump", "-R", str(folder), "-q", "-6", "-N", *words], capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode != 0:
        raise RuntimeError(f"nfdump {' '.join(words)}: {done.stderr.strip()}")
    return [line for line in done.stdout.splitlines() if line.strip() and line.strip() != "No matching flows"]


def milliseconds(text):
    """'2015-01-03 13:04:42.319' since 1970."""
    seconds, _, rest = text.strip().partition(".")
    return calendar.timegm(time.strptime(seconds, "%Y-%m-%d %H:%M:%S")) * 1000 + int(rest)


def seconds(ms):
    return f"{ms // 1000}.{ms % 1000:03d}"


def flags(text):
    return sum(128 >> at for at, letter in enumerate(LETTERS) if text[at] == letter)


def port(text, proto):
    """ICMP's dport is printed as TYPE.CODE."""
    if proto in (1, 58) and "." in text:
        kind, code = text.split(".")
        return int(kind) * 256 + int(code)
    return int(text)


def native_row(line):
    at = [word.strip() for word in line.split("|")]
    proto = int(at[2]) if at[2].isdigit() else PROTOCOLS[at[2]]
    return ",".join(str(word) for word in (
        seconds(milliseconds(at[0])), seconds(milliseconds(at[1])), proto, at[3], port(at[4], proto), at[5], port(at[6], proto),
        flags(at[7]), *at[8:14], at[14], *at[15:19]))


def meter(capture, folder):
    """nfcapd files of a capture in `folder`/nf and the same records in `folder`/flows.csv; how many there are."""
    nf = pathlib.Path(folder) / "nf"
    nf.mkdir()
    plain = pathlib.Path(capture)
    if plain.suffix == ".gz":
        plain = pathlib.Path(folder) / "capture"
        with open(plain, "wb") as to:
            subprocess.run(["gzip", "-dc", str(capture)], stdout=to, check=True)
    subprocess.run(["nfpcapd", "-r", str(plain), "-l", str(nf), "-S", "0"], capture_output=True, env=ENVIRONMENT)
    if not any(nf.iterdir()):
        return 0
    rows = [native_row(line) for line in nfdump(nf, "-o", EXPORT)]
    pathlib.Path(folder, "flows.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return len(rows)


# Captures of the corpus with many and different flows: TCP, UDP, ICMP, IPv6, tunnels of old, several link types.
CAPTURES = ("http/pcpp-many-protocols.pcap", "http/tracepcap-week1-baseline.pcap", "ip/sharppcap-10k-packets.pcap", "http/ndpi-1kxun.pcap",
            "apps/icsnpp-bacnet-example.pcap", "tcp/tcptrace-sack-nasa-sim.pcap.gz", "tls/mercury-tls-sgt.pcap", "apps/mercury-emix.pcap")
