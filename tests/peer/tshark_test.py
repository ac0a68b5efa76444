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
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, Network, need, skip, wait_for  # noqa: E402

IMSI = "001010000000001"

# Ciphered NAS inside of S1AP is not to be guessed at: one message in some hundred looks like a plain one by chance.
# Checksums of IP, TCP and UDP are left to the interface by the kernel; that of SCTP is ours.
OPTIONS = ["-o", "nas-eps.null_decipher:FALSE", "-o", "sctp.checksum:CRC 32c", "-o", "ip.check_checksum:FALSE",
           "-o", "tcp.check_checksum:FALSE", "-o", "udp.check_checksum:FALSE", "-d", "tcp.port==5201,data",
           "-d", "tcp.port==6653,openflow"]

ERROR, WARN, NOTE = 8388608, 6291456, 4194304

# What tshark does not know, or says about a user's TCP inside of a tunnel.
ACCEPTED = {
    "Unknown OXM body.",  # Open vSwitch's fields tun_src, tun_dst in OpenFlow 1.3
}


def tshark(file, *arguments):
    done = subprocess.run(["tshark", "-n", "-r", str(file), *OPTIONS, *arguments], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, f"tshark: {done.returncode} {done.stderr}"
    return done.stdout


def count(file, display_filter):
    """How many frames; the wire's are not to be printed all."""
    found = re.search(r"^frames frames:(\d+)", tshark(file, "-q", "-z", f"io,phs,{display_filter}"), re.M)
    if found:
        return int(found.group(1))
    return len(tshark(file, "-Y", display_filter, "-T", "fields", "-e", "frame.number").split())


def fields(file, display_filter, *names):
    """A list of lists of values, a row per frame."""
    text = tshark(file, "-Y", display_filter, "-T", "fields", *sum((["-e", name] for name in names), []))
    return [line.split("\t") for line in text.splitlines()]


def expect_frames(file, what, expected):
    for display_filter, least in expected.items():
        found = count(file, display_filter)
        print(f"{what}: {found:6} {display_filter}")
        assert found >= least, f"{what}: {found} frames of '{display_filter}' instead of {least} or more"


def tell(file, display_filter):
    """A failed expectation's frames, in full."""
    print(tshark(file, "-Y", display_filter, "-V", "-c", "100000")[-12000:])


def expect_sound(file, what, mine):
    """Nothing malformed, no expert error; no warning about our protocols either."""
    wrong = f"_ws.malformed || _ws.expert.severity == {ERROR} || _ws.short"
    frames = fields(file, wrong, "frame.number", "frame.protocols", "_ws.expert.message")
    if frames:
        tell(file, wrong)
        raise AssertionError(f"{what}: {len(frames)} frames are malformed or wrong, the first: {frames[0]}")
    warned = fields(file, f"({mine}) && _ws.expert.severity >= {NOTE} && _ws.expert.severity < {ERROR}",
                    "frame.number", "frame.protocols", "_ws.expert.message")
    said = collections.Counter(message for row in warned for message in row[2].split(",")
                               if message not in ACCEPTED and not message.startswith("Unknown OXM"))
    for message, times in said.items():
        print(f"{what}: tshark notes {times} times: {message}")
    assert not said, f"{what}: tshark warns {dict(said)}: {[row for row in warned][:3]}"


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
    addresses = fields(file, "nas_eps.nas_msg_emm_type == 0x42 && !s1ap", "nas_eps.esm.pdn_ipv4", "gsm_a.imeisv")
    assert all(re.match(r"10\.45\.", row[0]) for row in addresses), f"no address in an attach accept: {addresses}"
    one = folder / "one.pcapng"
    net.run("trace", "--imsi", IMSI, "--pcap", str(one))
    expect_frames(one, f"trace of {IMSI}", {
        "s1ap": 10, "nas-eps": 10, "gtpv2": 10, "diameter": 4, "pfcp": 6, "openflow_v4": 10,
        f'frame.comment contains "subscriber {IMSI}"': 40,
        f'nas_eps.nas_msg_emm_type == 0x41 && !s1ap && e212.imsi == "{IMSI}"': 1})
    others = [row for row in fields(one, "e212.imsi", "e212.imsi") if set(row[0].split(",")) != {IMSI}]
    assert not others, f"the trace of {IMSI} tells of {others}"


def look_at_ladder(net):
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
    attach = [row for row in rows if row["message"] == "attach request"]
    assert len(attach) == 4 and all(len(row["imsi"]) == 15 for row in attach), f"attach requests: {attach}"
    refused = [row for row in rows if row["outcome"] == "rejected"]
    assert not refused, f"the tour was refused something: {refused}"
    ladder = net.run("trace", "--imsi", IMSI).stdout
    words = net.run("trace", "--long").stdout + ladder
    for word in ("attach accept", "Create Session Request", "Session Establishment Request", "FLOW_MOD", "BARRIER_REQUEST",
                 "cause=16(Request accepted)", "phone1", "enb1"):
        assert word in ladder, f"'{word}' is not in the ladder"
    for row in rows:
        words += row["text"]
    secrets = re.findall(r"(?:KASME|kasme|security_key|next_hop_parameter|XRES|XRES|K_ASME)=(\S+)", words)
    assert secrets and all(value.startswith("(secret)") for value in secrets), f"keys are told: {set(secrets)}"


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
    "sctp": 40, "s1ap": 60, "gtpv2": 40, "pfcp": 30, "diameter": 10, "openflow_v4": 20,
    "gtp && icmp": 40, "gtp && icmpv6": 10, "gtp && tcp": 1000, "gtp.message == 0xfe": 1,
    'sctp.checksum.status == "Good"': 40,
}


def look_at_wire(file):
    expect_frames(file, "wire", ON_THE_WIRE)
    bad = count(file, 'sctp && sctp.checksum.status != "Good"')
    assert bad == 0, f"{bad} SCTP packets have a wrong CRC32c"
    expect_sound(file, "wire", "(sctp || gtpv2 || pfcp || diameter || openflow_v4 || gtp) && !(gtp && tcp)")


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
        time.sleep(0.5)
        self.process.terminate()
        self.process.wait(10)
        dropped = re.search(r"(\d+) packets dropped", self.said())
        self.log.close()
        return int(dropped.group(1)) if dropped else 0


def main():
    need("tshark")
    if os.geteuid() != 0 and shutil.which("tshark") is None:
        skip("tshark is not installed")
    with tempfile.TemporaryDirectory(prefix="strowger-tshark-") as name:
        folder = pathlib.Path(name)
        wire = folder / "tour.pcap"
        with Network("examples/operator.yaml") as net:
            capture = Capture(net, wire) if shutil.which("tcpdump") else None
            net.scenario("tour")
            dropped = capture.end() if capture else 0
            look_at_trace(net, folder)
            look_at_ladder(net)
        if not capture:
            print("wire: not looked at, tcpdump is not installed")
        elif dropped:
            print(f"wire: tcpdump lost {dropped} packets; only the trace was looked at")
        else:
            look_at_wire(wire)


main()
