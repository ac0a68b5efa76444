#!/usr/bin/env python3
"""Our HSS and Debian's freeDiameter as Diameter peers, over TCP without TLS.

freeDiameter connects to us and we to it; it also stands between us and a client as relay agent, so that S6a requests
and refusals pass through somebody else's base protocol. Needs freeDiameterd with its extensions, and openssl: it does not
start without certificates, though nothing here uses them.
"""
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, need, skip  # noqa: E402

os.environ["PATH"] += ":/usr/sbin:/sbin"
need("freeDiameterd", "openssl")
EXTENSIONS = "/usr/lib/freeDiameter"
if not os.path.exists(f"{EXTENSIONS}/dict_dcca_3gpp.fdx"):
    skip("freeDiameter's extensions are not installed (Debian package freediameter-extensions)")

S6A = 16777251
TGPP = 10415
K, OPC = "465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"
IMSI = "001010000000001"

DIRECTORY = tempfile.mkdtemp(prefix="strowger-freediameter-")
os.environ["STROWGER_RUN"] = f"{DIRECTORY}/run"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


HSS_PORT, FD_PORT = free_port(), free_port()


# ---- Diameter, just enough to ask ------------------------------------------------------------------------------

def avp(code, data, vendor=0, mandatory=True):
    if isinstance(data, str):
        data = data.encode()
    if isinstance(data, int):
        data = struct.pack(">I", data)
    flags = (0x80 if vendor else 0) | (0x40 if mandatory else 0)
    head = struct.pack(">II", code, flags << 24 | (len(data) + (12 if vendor else 8)))
    if vendor:
        head += struct.pack(">I", vendor)
    return head + data + b"\0" * (-len(data) % 4)


def message(flags, command, application, avps, hop=1, end=1):
    body = b"".join(avps)
    return struct.pack(">IIIII", 1 << 24 | (20 + len(body)), flags << 24 | command, application, hop, end) + body


def parse(data):
    """The AVPs of a message or group: {(vendor, code): [value, ...]}"""
    avps, at = {}, 0
    while at + 8 <= len(data):
        code, word = struct.unpack_from(">II", data, at)
        length, flags = word & 0xFFFFFF, word >> 24
        vendor, head = (struct.unpack_from(">I", data, at + 8)[0], 12) if flags & 0x80 else (0, 8)
        avps.setdefault((vendor, code), []).append(data[at + head:at + length])
        at += length + (-length % 4)
    return avps


class Client:
    """A Diameter client that speaks to freeDiameter; a thread reads, and answers its watchdog."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.answers = queue.Queue()
        self.end = int(time.time()) << 20 & 0xFFFFFFFF
        threading.Thread(target=self.listen, daemon=True).start()
        answer = self.ask(message(0x80, 257, 0, [
            avp(264, "client.epc"), avp(296, "epc"), avp(257, b"\0\1\x7f\0\0\1"), avp(266, 0),
            avp(269, "client", mandatory=False), avp(299, 0),
            avp(260, avp(266, TGPP) + avp(258, S6A))]))
        assert result(answer) == 2001, f"freeDiameter refuses the client: {result(answer)}"

    def read(self, length):
        data = b""
        while len(data) < length:
            piece = self.socket.recv(length - len(data))
            if not piece:
                raise OSError("freeDiameter closed the connection")
            data += piece
        return data

    def listen(self):
        try:
            while True:
                head = self.read(20)
                body = self.read((struct.unpack(">I", head[:4])[0] & 0xFFFFFF) - 20)
                command = struct.unpack(">I", head[4:8])[0] & 0xFFFFFF
                if not head[4] & 0x80:
                    self.answers.put((head[4], parse(body)))
                else:  # DWR or DPR
                    self.socket.sendall(message(0, command, 0, [
                        avp(268, 2001), avp(264, "client.epc"), avp(296, "epc")], *struct.unpack(">II", head[12:20])))
        except OSError:
            pass

    def ask(self, request):
        self.socket.sendall(request)
        return self.answers.get(timeout=5)

    def s6a(self, command, avps, host=None):
        self.end += 1
        common = [avp(263, f"client.epc;1;{self.end}"), avp(277, 1), avp(264, "client.epc"), avp(296, "epc"),
                  avp(283, "epc")]
        if host:
            common.append(avp(293, host))
        return self.ask(message(0xC0, command, S6A, common + avps, self.end, self.end))


def result(answer):
    """The answer's Result-Code, or that of Experimental-Result as (vendor, code)."""
    avps = answer[1]
    if (0, 297) in avps:
        group = parse(avps[0, 297][0])
        return tuple(struct.unpack(">I", group[0, code][0])[0] for code in (266, 298))
    return struct.unpack(">I", avps[0, 268][0])[0]


PLMN = avp(1407, b"\x00\xf1\x10", TGPP)
VECTORS = avp(1408, avp(1410, 2, TGPP), TGPP)
ULR = [avp(1032, 1004, TGPP), avp(1405, 0x22, TGPP), PLMN]


# ---- The two programs ----------------------------------------------------------------------------------------------

RUNNING = []


class Program:
    def __init__(self, name, arguments):
        self.name, self.log = name, f"{DIRECTORY}/{name}-{len(RUNNING)}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(arguments, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        RUNNING.append(self)

    def text(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def end(self, how=signal.SIGTERM, timeout=20):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def hss(watchdog="30s", connect=False):
    with open(f"{DIRECTORY}/hss.yaml", "w") as f:
        f.write(f"""
name: peer
hss:
  database: {DIRECTORY}/hss.db
  diameter:
    host: hss.epc
    realm: epc
    watchdog: {watchdog}
    listen:
      - address: 127.0.0.1:{HSS_PORT}
    peers:
      - host: fd.epc
""")
        if connect:
            f.write(f"        address: 127.0.0.1:{FD_PORT}\n")
    program = Program("hss", [STROWGER, "hss", "-c", f"{DIRECTORY}/hss.yaml"])
    wait_for(lambda: control("/process") is not None, 5, "the HSS answers on its control socket")
    return program


def freediameter(connect=True):
    with open(f"{DIRECTORY}/acl.conf", "w") as f:
        f.write("ALLOW_IPSEC *.epc\n")
    with open(f"{DIRECTORY}/fd.conf", "w") as f:
        f.write(f"""
Identity = "fd.epc";
Realm = "epc";
Port = {FD_PORT};
SecPort = 0;
No_SCTP;
No_IPv6;
ListenOn = "127.0.0.1";
TLS_Cred = "{DIRECTORY}/cert.pem", "{DIRECTORY}/key.pem";
TLS_CA = "{DIRECTORY}/cert.pem";
TLS_DH_Bits = 1024;
TcTimer = 6;
TwTimer = 6;
LoadExtension = "{EXTENSIONS}/acl_wl.fdx" : "{DIRECTORY}/acl.conf";
LoadExtension = "{EXTENSIONS}/dict_nasreq.fdx";
LoadExtension = "{EXTENSIONS}/dict_eap.fdx";
LoadExtension = "{EXTENSIONS}/dict_dcca.fdx";
LoadExtension = "{EXTENSIONS}/dict_dcca_3gpp.fdx";
LoadExtension = "{EXTENSIONS}/dbg_msg_dumps.fdx" : "0x0080";
""")
        if connect:
            f.write(f'ConnectPeer = "hss.epc" {{ ConnectTo = "127.0.0.1"; Port = {HSS_PORT}; No_TLS; No_SCTP; }};\n')
    return Program("freediameter", ["freeDiameterd", "-c", f"{DIRECTORY}/fd.conf", "-d"])


def control(path):
    """GET from the HSS's control socket; None when it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(f"{DIRECTORY}/run/peer/hss.sock")
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: hss\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while piece := s.recv(65536):
                data += piece
        return json.loads(data.split(b"\r\n\r\n", 1)[1])
    except (OSError, ValueError, IndexError):
        return None


def peer_state():
    peers = control("/state?what=peers") or []
    return next((p["state"] for p in peers if p["host"] == "fd.epc"), "")


def wait_open(seconds, state="Open"):
    wait_for(lambda: peer_state().endswith(state), seconds, f"fd.epc is {state}")


def traced(text, sent):
    return any(r["sent"] == sent and r["text"].startswith(text) for r in control("/trace") or [])


# ---- The tests --------------------------------------------------------------------------------------------------------

def capabilities(state):
    """freeDiameter connects; capabilities are exchanged"""
    state["hss"], state["fd"] = hss(), freediameter()
    wait_open(20)
    assert peer_state() == "R-Open"
    wait_for(lambda: re.search(r"'STATE_OPEN'\s+'hss.epc'", state["fd"].text()), 5, "freeDiameter is open")
    subprocess.run([STROWGER, "subscriber", "add", IMSI, "--k", K, "--opc", OPC, "--msisdn", "491711234567",
                    "--network", "peer"], check=True, stdout=subprocess.DEVNULL)


def relayed_authentication(state):
    """AIR and AIA through freeDiameter as relay agent"""
    state["client"] = Client(FD_PORT)
    answer = state["client"].s6a(318, [avp(1, IMSI), VECTORS, PLMN])
    assert result(answer) == 2001, result(answer)
    vectors = parse(answer[1][TGPP, 1413][0])[TGPP, 1414]
    assert len(vectors) == 2
    assert [len(parse(vectors[0])[TGPP, code][0]) for code in (1447, 1448, 1449, 1450)] == [16, 8, 16, 32]


def relayed_update_location(state):
    """ULR and ULA, by Destination-Host, through freeDiameter"""
    answer = state["client"].s6a(316, [avp(1, IMSI)] + ULR, host="hss.epc")
    assert result(answer) == 2001, result(answer)
    data = parse(answer[1][TGPP, 1400][0])
    assert data[TGPP, 701][0] == bytes.fromhex("947111325476"), data[TGPP, 701]
    profile = parse(data[TGPP, 1429][0])
    assert parse(profile[TGPP, 1430][0])[0, 493][0] == b"internet"
    assert (0, 282) not in answer[1] or answer[1][0, 282] == [b"hss.epc"], "Route-Record as freeDiameter adds it"


def refusals(state):
    """refusals of unknown users, broken requests and unknown commands pass freeDiameter"""
    client = state["client"]
    answer = client.s6a(318, [avp(1, "001019999999999"), VECTORS, PLMN])
    assert result(answer) == (TGPP, 5001), result(answer)
    answer = client.s6a(318, [VECTORS, PLMN])
    assert result(answer) == 5005, result(answer)
    assert (0, 1) in parse(answer[1][0, 279][0]), "Failed-AVP holds a User-Name"
    answer = client.s6a(318, [avp(1, "not an IMSI"), VECTORS, PLMN])
    assert result(answer) == 5004, result(answer)
    answer = client.s6a(318, [avp(1, IMSI), VECTORS, PLMN, avp(9999, 0, TGPP)])
    assert result(answer) == 5001, result(answer)
    answer = client.s6a(324, [avp(1, IMSI)])
    assert result(answer) == 3001, result(answer)
    assert answer[0] & 0x20, "the E bit is set"


def their_watchdog(state):
    """freeDiameter's DWR is answered"""
    wait_for(lambda: traced("DWR", False) and traced("DWA", True), 15, "DWR in, DWA out")
    assert peer_state() == "R-Open"


def crash(state):
    """killed and started again, the HSS is found again, and no sequence number comes twice"""
    before = len(state["fd"].text())
    state["hss"].end(signal.SIGKILL)
    state["hss"] = hss(watchdog="1s")
    wait_open(20)
    # A peer that comes back is on probation (RFC 3539 section 3.4.1, REOPEN): nothing is routed to it
    # until it has answered watchdogs, however open the connection is for us.
    wait_for(lambda: "-> 'STATE_OPEN'\t'hss.epc'" in state["fd"].text()[before:], 20,
             "freeDiameter routes to the HSS again")
    answer = state["client"].s6a(318, [avp(1, IMSI), VECTORS, PLMN])
    assert result(answer) == 2001, result(answer)


def our_watchdog(state):
    """our DWR is answered by freeDiameter"""
    wait_for(lambda: traced("DWR", True) and traced("DWA", False), 10, "DWR out, DWA in")
    time.sleep(3)
    assert peer_state() == "R-Open"


def our_good_bye(state):
    """our DPR is answered by freeDiameter"""
    before = len(state["fd"].text())
    assert state["hss"].end() == 0
    wait_for(lambda: "'Disconnect-Peer-Answer'" in state["fd"].text()[before:], 5, "freeDiameter answers the DPR")
    said = state["fd"].text()[before:]
    assert "'Disconnect-Peer-Request'" in said
    assert "REBOOTING" in said


def their_good_bye(state):
    """freeDiameter's DPR is answered"""
    state["hss"] = hss()
    wait_open(20)
    state["client"].socket.shutdown(socket.SHUT_RDWR)
    state["fd"].end()
    wait_for(lambda: not peer_state().endswith("Open"), 5, "the peer is closed")
    assert re.search(r"RCV from 'hss.epc':\s+\S+\s+NOTI\s+'Disconnect-Peer-Answer'", state["fd"].text())
    state["hss"].end()


def we_connect(state):
    """we connect to freeDiameter, and find it again after it was killed"""
    state["fd"] = freediameter(connect=False)
    state["hss"] = hss(connect=True)
    wait_open(20)
    assert peer_state() == "I-Open"
    state["fd"].end(signal.SIGKILL)
    wait_for(lambda: not peer_state().endswith("Open"), 5, "the loss is seen")
    state["fd"] = freediameter(connect=False)
    wait_open(20)
    client = Client(FD_PORT)
    answer = client.s6a(318, [avp(1, IMSI), VECTORS, PLMN])
    assert result(answer) == 2001, result(answer)
    state["hss"].end()
    state["fd"].end(signal.SIGKILL)


def both_connect(state):
    """both connect to each other: one connection is left"""
    state["fd"] = freediameter(connect=True)
    state["hss"] = hss(connect=True)
    wait_open(20)
    time.sleep(3)
    assert peer_state().endswith("Open"), peer_state()
    client = Client(FD_PORT)
    answer = client.s6a(318, [avp(1, IMSI), VECTORS, PLMN])
    assert result(answer) == 2001, result(answer)
    state["hss"].end()
    state["fd"].end(signal.SIGKILL)


TESTS = [capabilities, relayed_authentication, relayed_update_location, refusals, their_watchdog, crash, our_watchdog,
         our_good_bye, their_good_bye, we_connect, both_connect]


def main():
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=fd.epc",
                    "-keyout", f"{DIRECTORY}/key.pem", "-out", f"{DIRECTORY}/cert.pem"],
                   check=True, stderr=subprocess.DEVNULL)
    print(f"1..{len(TESTS)}", flush=True)
    state, failed = {}, False
    for number, test in enumerate(TESTS, 1):
        name = test.__doc__
        if failed:
            print(f"not ok {number} - {name} # an earlier one failed", flush=True)
            continue
        try:
            test(state)
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # whatever it is, the test has failed, and the rest builds on it
            failed = True
            print(f"not ok {number} - {name}\n# {type(error).__name__}: {error}", flush=True)
            for program in RUNNING[-2:]:
                print("".join(f"# {program.name}: {line}\n" for line in program.text().splitlines()[-15:]), flush=True)
    return 1 if failed else 0


try:
    code = main()
finally:
    for program in RUNNING:
        program.end(signal.SIGKILL)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
sys.exit(code)
