#!/usr/bin/env python3
"""tshark dissects everything that an operator says: no malformed message, no expert error.

Runs the example operator's tour and looks at it twice:

  trace  `strowger trace --pcap`: every message as the functions recorded it, NAS deciphered
  wire   packets captured in the core namespace with tcpdump: SCTP with its checksums, GTP-U with what the
         phones sent, the rest as it travels

Needs tshark (and tcpdump for the second half).
"""
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, TOP, Network, need, wait_for  # noqa: E402

IMSI = "001010000000001"

# Ciphered NAS inside of S1AP is not to be guessed at: one message in some hundred looks like a plain one by chance.
# Checksums of IP, TCP and UDP are left to the interface by the kernel; that of SCTP is ours.
OPTIONS = ["-o", "nas-eps.null_decipher:FALSE", "-o", "sctp.checksum:CRC 32c", "-o", "ip.check_checksum:FALSE",
           "-o", "tcp.check_checksum:FALSE", "-o", "udp.check_checksum:FALSE", "-d", "tcp.port==5201,data",
           "-d", "tcp.port==6653,openflow"]

ERROR, NOTE = 8388608, 4194304

# What tshark does not know.
ACCEPTED = {
    "Unknown OXM body.",  # Open vSwitch's fields tun_src and tun_dst
}


def tshark(file, *arguments):
    done = subprocess.run(["tshark", "-n", "-r", str(file), *OPTIONS, *arguments], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, f"tshark: {done.returncode} {done.stderr}"
    return done.stdout


def count(file, filters):
    """{filter: number of its frames}, in one pass."""
    for line in tshark(file, "-q", "-z", ",".join(["io,stat,0", *filters])).splitlines():
        if "<>" in line:
            numbers = [int(cell.strip() or 0) for cell in line.split("|")[2:]]
            return dict(zip(filters, numbers[::2]))  # frames and bytes by turns
    raise AssertionError("tshark counts nothing")


def fields(file, display_filter, *names):
    """A row per frame: a list of values for each name."""
    text = tshark(file, "-Y", display_filter, "-T", "fields", "-E", "aggregator=~",
                  *sum((["-e", name] for name in names), []))
    return [[cell.split("~") for cell in line.split("\t")] for line in text.splitlines()]


def expect_frames(file, what, expected):
    found = count(file, list(expected))
    for display_filter, least in expected.items():
        print(f"{what}: {found[display_filter]:6} {display_filter}")
    short = {f: found[f] for f in expected if found[f] < expected[f]}
    assert not short, f"{what}: fewer frames than expected: {short}"


def expect_sound(file, what, mine):
    """Nothing malformed, no expert error anywhere; in our own protocols no warning and no note either."""
    said = collections.Counter()
    first = {}
    for (number,), (protocols,), severities, messages in fields(
            file, f"_ws.malformed || _ws.short || _ws.expert.severity == {ERROR} || "
                  f"(({mine}) && _ws.expert.severity >= {NOTE})",
            "frame.number", "frame.protocols", "_ws.expert.severity", "_ws.expert.message"):
        for severity, message in zip(severities, messages):
            if int(severity) >= NOTE and message not in ACCEPTED:
                said[message] += 1
                first.setdefault(message, (number, protocols))
    for message, times in said.items():
        print(f"{what}: tshark complains {times} times, first in frame {first[message]}: {message}")
    for number, _ in list(first.values())[:3]:
        print(tshark(file, "-Y", f"frame.number == {number}", "-V")[-4000:])
    assert not said, f"{what}: tshark complains: {dict(said)}"


# ---- the messages that the functions recorded ----

# Name of the message and how many of it the tour has at least. Four phones attach; two are paged, one asks for service
# by itself; one updates its tracking area, one moves.
TRACED = {
    "s1ap": 60, "nas-eps": 30, "gtpv2": 40, "diameter": 20, "pfcp": 30, "openflow_v4": 60, "gtp": 1,
    "s1ap.procedureCode == 17": 4,  # S1 Setup
    "s1ap.procedureCode == 9 && s1ap.successfulOutcome_element": 7,  # Initial Context Setup
    "s1ap.procedureCode == 10": 2,  # Paging
    "s1ap.procedureCode == 3": 2,  # Path Switch Request
    "nas_eps.nas_msg_emm_type == 0x41 && !s1ap": 4,  # Attach request ... in clear, not in S1AP
    "nas_eps.nas_msg_emm_type == 0x52 && !s1ap": 4,
    "nas_eps.nas_msg_emm_type == 0x53 && !s1ap": 4,
    "nas_eps.nas_msg_emm_type == 0x5d && !s1ap": 4,
    "nas_eps.nas_msg_emm_type == 0x42 && nas_eps.nas_msg_esm_type == 0xc1 && !s1ap": 4,
    "nas_eps.nas_msg_emm_type == 0x43 && nas_eps.nas_msg_esm_type == 0xc2 && !s1ap": 4,
    "nas_eps.nas_msg_emm_type == 0x48 && !s1ap": 1,  # TAU
    "nas_eps.nas_msg_emm_type == 0x61 && !s1ap": 1,  # EMM information: ciphered on the wire
    "nas_eps.nas_msg_emm_type == 0x45 && !s1ap": 4,  # Detach
    "gtpv2.message_type == 32": 8, "gtpv2.message_type == 33": 8,  # Create Session on S11 and S5
    "gtpv2.message_type == 176": 2, "gtpv2.message_type == 170": 4,  # DDN, Release Access Bearers
    "diameter.cmd.code == 318": 8, "diameter.cmd.code == 316": 8, "diameter.cmd.code == 321": 4,
    "pfcp.msg_type == 50": 8, "pfcp.msg_type == 51": 8, "pfcp.msg_type == 56": 2,
    "openflow_v4.type == 14": 20, "openflow_v4.type == 13": 1, "openflow_v4.type == 10": 1,
}


def look_at_trace(net, folder):
    file = folder / "tour.pcapng"
    net.run("trace", "--pcap", str(file))
    expect_frames(file, "trace", TRACED)
    expect_sound(file, "trace", "frame")
    addresses = fields(file, "nas_eps.nas_msg_emm_type == 0x42 && !s1ap", "nas_eps.esm.pdn_ipv4")
    assert all(row[0][0].startswith("10.45.") for row in addresses), f"no address in an attach accept: {addresses}"
    one = folder / "one.pcapng"
    net.run("trace", "--imsi", IMSI, "--pcap", str(one))
    expect_frames(one, f"trace of {IMSI}", {
        "s1ap": 10, "nas-eps": 10, "gtpv2": 10, "diameter": 4, "pfcp": 6, "openflow_v4": 10,
        f'frame.comment contains "subscriber {IMSI}"': 40,
        f'nas_eps.nas_msg_emm_type == 0x41 && !s1ap && e212.imsi == "{IMSI}"': 1})
    others = [row for row in fields(one, "e212.imsi", "e212.imsi") if set(row[0]) != {IMSI}]
    assert not others, f"the trace of {IMSI} tells of {others}"
    return file


def look_at_ladder(net, file):
    """The same in words: each message once, with names, and no secrets."""
    rows = [json.loads(line) for line in net.run("trace", "--json").stdout.splitlines()]
    assert len(rows) > 300, f"only {len(rows)} messages"
    unnamed = [row for row in rows if row["text"] in ("", row["protocol"]) or not row["message"]]
    assert not unnamed, f"messages without words: {unnamed[:3]}"
    same = [row for row in rows if row["from"] == row["to"] or ":" in row["from"] + row["to"]]
    assert not same, f"messages with wrong ends: {same[:3]}"
    ends = {(row["from"], row["to"], row["interface"]) for row in rows}
    for wanted in (("enb1", "mme", "S1-MME"), ("phone1", "mme", "NAS"), ("mme", "phone1", "NAS"), ("mme", "hss", "S6a"),
                   ("mme", "sgw", "S11"), ("sgw", "pgw", "S5/S8"), ("sgw", "controller", "Sxa"),
                   ("pgw", "controller", "Sxb"), ("controller", "switch", "OpenFlow"),
                   ("switch", "controller", "OpenFlow")):
        assert wanted in ends, f"no {wanted} in {sorted(ends)}"
    expect_once(net, rows)
    # A barrier serves all sessions changed in one turn, so it stands under any one of their subscribers.
    assert any(row["message"] == "BARRIER_REQUEST" for row in rows), "no BARRIER_REQUEST"
    attach = [row for row in rows if row["message"] == "attach request"]
    assert len(attach) == 4 and all(len(row["imsi"]) == 15 for row in attach), f"attach requests: {attach}"
    refused = [row for row in rows if row["outcome"] == "rejected"]
    assert not refused, f"the tour was refused something: {refused}"
    ladder = net.run("trace", "--imsi", IMSI).stdout
    for word in ("attach accept", "Create Session Request", "Session Establishment Request", "FLOW_MOD",
                 "cause=16(Request accepted)", "phone1", "enb1"):
        assert word in ladder, f"'{word}' is not in the ladder"
    expect_no_keys("\n".join([ladder, net.run("trace", "--long").stdout, *(row["text"] for row in rows)]), file)


def expect_no_keys(words, file):
    """The capture file has the keys that were on the wire; nothing in words has them."""
    told = re.findall(r"\b(?:KASME|XRES|security_key|next_hop_parameter)=([^\s{}]+)", words)
    assert told and set(told) == {"(secret)"}, f"keys are told: {set(told)}"
    keys = set(re.findall(r"(?m)^\s+(?:k|opc): ([0-9a-f]{32})$", (TOP / "examples/operator.yaml").read_text()))
    for name in ("diameter.KASME", "diameter.XRES", "s1ap.SecurityKey"):
        found = {key.replace(":", "") for row in fields(file, name, name) for key in row[0]}
        assert found, f"no {name} in the capture"
        keys |= found if name != "diameter.XRES" else set()
    print(f"keys: {len(keys)} looked for")
    for key in keys:
        assert key not in words, f"the key {key} is told"


def expect_once(net, rows):
    """As many as were sent, and what came from nobody's ring: sender and receiver tell one message, not two."""
    sent = collections.Counter()
    for function in ("hss", "mme", "sgw", "pgw", "controller", "switch", "lab"):
        for record in net.get(function, "/trace"):
            if record["sent"] or (record["protocol"] == "NAS" and function == "mme"):
                sent[record["protocol"]] += 1
    told = collections.Counter(row["protocol"] for row in rows)
    for protocol, messages in told.items():
        print(f"ladder: {messages:5} {protocol}, {sent[protocol]} sent")
        assert messages <= sent[protocol] + 12, f"{protocol}: {messages} lines for {sent[protocol]} messages"


# ---- the packets ----

ON_THE_WIRE = {
    "sctp": 40, "s1ap": 50, "gtpv2": 40, "pfcp": 30, "diameter": 4, "openflow_v4": 10,  # several messages per frame
    "gtp && icmp": 42,  # four phones, two paged ones and one that has moved, three echoes each
    "gtp && icmpv6": 10, "gtp && tcp": 1000, "gtp.message == 0xfe": 1,
    "sctp.checksum.status == 1": 40,
}


def look_at_wire(file):
    expect_frames(file, "wire", ON_THE_WIRE)
    wrong = count(file, ["sctp && !(sctp.checksum.status == 1)"]).popitem()[1]
    assert wrong == 0, f"{wrong} SCTP packets have no right CRC32c"
    expect_sound(file, "wire", "(sctp || gtpv2 || pfcp || diameter || openflow_v4 || gtp) && !(gtp && tcp)"
                              " && !tcp.analysis.flags && !sctp.retransmission")


class Capture:
    """tcpdump in the core namespace, all but the bulk of user packets' contents."""

    def __init__(self, net, file):
        self.log = open(f"{file}.log", "w+")
        self.process = subprocess.Popen([STROWGER, "exec", "core", "tcpdump", "-i", "any", "-p", "-U", "-Z", "root",
                                         "-B", "65536", "-w", str(file)], env=net.environment, stderr=self.log,
                                        stdin=subprocess.DEVNULL)
        wait_for("tcpdump", lambda: "listening" in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, f"tcpdump: {self.said()}"

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def end(self):
        time.sleep(2)  # the kernel hands packets over in blocks, after a second at the latest
        self.process.terminate()
        self.process.wait(10)
        dropped = re.search(r"(\d+) packets dropped", self.said())
        self.log.close()
        return int(dropped.group(1)) if dropped else 0


def main():
    need("tshark")
    with tempfile.TemporaryDirectory(prefix="strowger-tshark-") as name:
        folder = pathlib.Path(name)
        wire = folder / "tour.pcap"
        with Network("examples/operator.yaml") as net:
            capture = Capture(net, wire) if shutil.which("tcpdump") else None
            net.scenario("tour")
            dropped = capture.end() if capture else 0
            file = look_at_trace(net, folder)
            look_at_ladder(net, file)
        if not capture:
            print("wire: not looked at, tcpdump is not installed")
        elif dropped:
            print(f"wire: tcpdump lost {dropped} packets; only the trace was looked at")
        else:
            look_at_wire(wire)


main()
