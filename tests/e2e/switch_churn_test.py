#!/usr/bin/env python3
"""The switch under everything at once: a controller that changes rules as fast as it can, hostile packets at full speed, a
controller that is killed, one that never reads, and the switch itself killed.

    sender -- left [port 1   switch, 2 threads   port 2] right -- counted

Flows live for a second; groups and meters come and go; part of it goes in bundles. Memory stays where it was after the warm-up, the log is
quiet, and each packet that came in is counted by a flow that was told to be removed, or as one without a flow: exactly.

STRESS_SECONDS: how long (15). `switch_churn_test.py collapse` prints what random headers cost beside one flow, and checks nothing.
Needs root, unshare and ip.
"""
import json
import os
import pathlib
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, UnixConnection, need, skip, wait_for  # noqa: E402

SECONDS = float(os.environ.get("STRESS_SECONDS", "15"))
OPENFLOW = ("127.0.0.1", 16671)
HELLO, ERROR, ECHO, EXPERIMENTER, FLOW_REMOVED, FLOW_MOD, GROUP_MOD, METER_MOD, MULTIPART, BARRIER = 0, 1, 2, 4, 11, 14, 15, 29, 18, 20
ADD, DELETE = 0, 3
SEND_FLOW_REMOVED = 1
ANY = 0xFFFFFFFF
NO_BUFFER = 0xFFFFFFFF
CONTROLLER = 0xFFFFFFFD
OPEN_REQUEST, COMMIT_REQUEST = 0, 4


def enter_namespace():
    if os.environ.get("IN_NAMESPACE"):
        return
    need("unshare", "ip")
    if os.geteuid() != 0:
        skip("packet sockets need root")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        skip("network namespaces are not allowed here")
    os.execvpe("unshare", ["unshare", "-n", sys.executable, *sys.argv], dict(os.environ, IN_NAMESPACE="1"))


# ---- messages ----

def message(kind, body, xid=1):
    return struct.pack(">BBHI", 4, kind, 8 + len(body), xid) + body


def oxm(field, value):
    return struct.pack(">HBB", 0x8000, field << 1, len(value)) + value


def oxm_masked(field, value, mask):
    return struct.pack(">HBB", 0x8000, field << 1 | 1, 2 * len(value)) + value + mask


def match_of(*fields):
    body = b"".join(fields)
    return struct.pack(">HH", 1, 4 + len(body)) + body + bytes(-(4 + len(body)) % 8)


def output(port):
    return struct.pack(">HHIH6x", 0, 16, port, 64)


def to_group(group):
    return struct.pack(">HHI", 22, 8, group)


def apply(*actions):
    body = b"".join(actions)
    return struct.pack(">HH4x", 4, 8 + len(body)) + body


def flow_mod(command, match, instructions=b"", priority=0, cookie=0, cookie_mask=0, timeouts=(0, 0), table=0, flags=SEND_FLOW_REMOVED, xid=1):
    return message(FLOW_MOD, struct.pack(">QQBBHHHIIIH2x", cookie, cookie_mask, table, command, *timeouts, priority, NO_BUFFER, ANY, ANY,
                                         flags) + match + instructions, xid)


def group_mod(command, group, *actions):
    body = b"".join(actions)
    bucket = struct.pack(">HHII4x", 16 + len(body), 0, ANY, ANY) + body if actions else b""
    return message(GROUP_MOD, struct.pack(">HBxI", command, 0, group) + bucket)


def meter_mod(command, meter, rate=1):
    band = struct.pack(">HHII4x", 1, 16, rate, 0) if command != 2 else b""
    return message(METER_MOD, struct.pack(">HHI", command, 2, meter) + band)


def bundle_control(kind, bundle, xid=1):
    return message(EXPERIMENTER, struct.pack(">IIIHH", 0x4F4E4600, 2300, bundle, kind, 3), xid)


def in_bundle(bundle, inner):
    xid = struct.unpack(">I", inner[4:8])[0]
    return message(EXPERIMENTER, struct.pack(">IIIHH", 0x4F4E4600, 2301, bundle, 0, 3) + inner, xid)


def random_match(chance):
    """Of as many shapes as make a table pass through all the ways in which it can be searched."""
    ip4, udp = oxm(5, b"\x08\0"), oxm(10, b"\x11")
    address = bytes([10, chance.randrange(4), chance.randrange(256), chance.randrange(256)])
    length = chance.randrange(12, 33)
    mask = (0xFFFFFFFF << (32 - length) & 0xFFFFFFFF).to_bytes(4, "big")
    masked = bytes(a & m for a, m in zip(address, mask))
    shape = chance.randrange(8)
    if shape < 3:
        return match_of(ip4, oxm_masked(12, masked, mask)), 100 + length
    if shape == 3:
        return match_of(ip4, udp, oxm(16, struct.pack(">H", chance.randrange(64)))), 50 + chance.randrange(100)
    if shape == 4:
        return match_of(oxm(6, struct.pack(">H", 0x1000 | chance.randrange(64)))), 200
    if shape == 5:
        return match_of(oxm(5, b"\x86\xdd"), oxm_masked(26, b"\x20\x01" + bytes(14), b"\xff\xff" + bytes(14))), chance.randrange(99)
    if shape == 6:
        return match_of(oxm(5, b"\x88\x47"), oxm(34, struct.pack(">I", chance.randrange(64)))), 60
    return match_of(oxm(0, struct.pack(">I", 1)), oxm_masked(4, bytes(5) + bytes([chance.randrange(16)]), bytes(5) + b"\x0f")), chance.randrange(30)


def random_batch(chance, count):
    """Requests of one moment; a third of the batches is one bundle."""
    messages = []
    for _ in range(count):
        match, priority = random_match(chance)
        dice = chance.random()
        action = output(CONTROLLER) if dice < 0.01 else to_group(chance.randrange(1, 40)) if dice < 0.1 else output(2)
        instructions = apply(action)
        if dice > 0.9:
            instructions = struct.pack(">HHI", 6, 8, chance.randrange(1, 40)) + instructions
        timeouts = (1, 0) if chance.random() < 0.5 else (0, 1)
        messages.append(flow_mod(ADD if dice < 0.97 else DELETE, match, instructions if dice < 0.97 else b"", priority, chance.getrandbits(20),
                                 timeouts=timeouts))
    for _ in range(4):
        group, meter = chance.randrange(1, 40), chance.randrange(1, 40)
        messages.append(group_mod(chance.randrange(2), group, output(2)))
        messages.append(meter_mod(chance.randrange(2), meter, chance.randrange(1, 10000)))
    if chance.random() < 0.1:
        messages += [group_mod(2, chance.randrange(1, 40)), meter_mod(2, chance.randrange(1, 40))]
    return messages


# ---- hostile packets ----

def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def hostile_frame(chance):
    def junk(n):
        return chance.randbytes(n)

    def ipv4():
        fragment = chance.choice((0, 0, 0x2000, 0x2010, 0x10, 0x4000))
        body = struct.pack(">HHHH", chance.randrange(64), chance.randrange(64), 26, 0) + junk(18)
        protocol = chance.choice((17, 17, 6, 1, 132, junk(1)[0]))
        head = struct.pack(">BBHHHBBH4s4s", 0x45, junk(1)[0], 20 + len(body), 7, fragment, junk(1)[0], protocol, 0, b"\x0a" + junk(3),
                           bytes([10, chance.randrange(4)]) + junk(2))
        return 0x0800, head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body

    def ipv6():
        chain = [chance.choice((0, 43, 44, 60, 51, 50, 59, 17)) for _ in range(chance.randrange(12))]
        body = b"".join(bytes([following, chance.choice((0, 0, 1, 255))]) + junk(6) for following in [*chain[1:], 17]) + junk(20)
        return 0x86DD, struct.pack(">IHBB", 6 << 28, chance.choice((len(body), 0, 65535)), chain[0] if chain else 17, 64) + \
            b"\x20\x01" + junk(14) + b"\x20\x01" + junk(14) + body

    def mpls():
        labels = [chance.randrange(64) << 12 | chance.randrange(256) for _ in range(chance.randrange(1, 30))]
        return chance.choice((0x8847, 0x8848)), b"".join(struct.pack(">I", label) for label in labels) + junk(20)

    def arp():
        return 0x0806, junk(chance.randrange(30))

    kind, body = chance.choice((ipv4, ipv4, ipv4, ipv6, mpls, arp, lambda: (chance.getrandbits(16), junk(40))))()
    for _ in range(chance.choice((0, 0, 0, 1, 2, 50, 300))):
        body = struct.pack(">HH", chance.getrandbits(16), kind) + body
        kind = chance.choice((0x8100, 0x88A8))
    frame = b"\x02" + junk(5) + b"\x02" + junk(5) + struct.pack(">H", kind) + body
    return frame[:chance.randrange(14, len(frame) + 1)] if chance.random() < 0.2 else frame[:1500]


SENDER = """
import pickle, select, socket, sys
frames = pickle.load(sys.stdin.buffer)
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("left0", 0))
sent = 0
try:
    while True:
        for frame in frames:
            try:
                s.send(frame)
            except OSError:
                pass
except KeyboardInterrupt:
    pass
"""


class Sender:
    def __init__(self, frames):
        import pickle
        self.process = subprocess.Popen([sys.executable, "-c", SENDER], stdin=subprocess.PIPE)
        pickle.dump(frames, self.process.stdin)
        self.process.stdin.close()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


# ---- the switch and its controllers ----

class Controller:
    """Reads in a thread of its own, so that the switch never waits; adds up what flows counted that went."""

    def __init__(self, reads=True):
        self.socket = socket.create_connection(OPENFLOW)
        self.removed = self.removed_packets = self.sent = self.errors = 0
        self.barriers, self.stats, self.other = threading.Semaphore(0), [], []
        self.closed = False
        self.send(message(HELLO, b""))
        if reads:
            self.thread = threading.Thread(target=self.read, daemon=True)
            self.thread.start()

    def send(self, data):
        self.socket.sendall(data)

    def read(self):
        buffer = b""
        while True:
            try:
                data = self.socket.recv(1 << 18)
            except OSError:
                data = b""
            if not data:
                self.closed = True
                return
            buffer += data
            at = 0
            while len(buffer) - at >= 8:
                length = buffer[at + 2] << 8 | buffer[at + 3]
                if len(buffer) - at < length:
                    break
                self.hear(buffer[at + 1], buffer[at + 8:at + length])
                at += length
            buffer = buffer[at:]

    def hear(self, kind, body):
        if kind == FLOW_REMOVED:
            self.removed += 1
            self.removed_packets += struct.unpack(">Q", body[24:32])[0]
        elif kind == ECHO:
            self.send(message(3, body))
        elif kind == BARRIER + 1:
            self.barriers.release()
        elif kind == MULTIPART + 1:
            self.stats.append(body)
        elif kind == ERROR:
            self.errors += 1

    def barrier(self, seconds=20):
        begun = time.time()
        self.send(message(BARRIER, b""))
        assert self.barriers.acquire(timeout=seconds), f"no answer to a barrier within {seconds} s"
        return time.time() - begun

    def count_flows(self, cookie_mask=0, cookie=0):
        """By an aggregate multipart request."""
        self.stats.clear()
        self.send(message(MULTIPART, struct.pack(">HH4xB3xII4xQQ", 2, 0, 255, ANY, ANY, cookie, cookie_mask) + match_of()))
        wait_for("statistics", lambda: self.stats)
        return struct.unpack(">QQI", self.stats[0][8:28])[2]

    def close(self):
        self.socket.close()


class Switch:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "switch.yaml"
        self.config.write_text(f"""
name: churn-test
log: info
switch:
  listen: [127.0.0.1:{OPENFLOW[1]}]
  threads: 2
  ports:
    - {{name: left, type: packet, interface: left}}
    - {{name: right, type: packet, interface: right}}
""")
        self.log_path = self.folder / "log"
        self.log = open(self.log_path, "a")
        self.start()

    def start(self):
        self.process = subprocess.Popen([STROWGER, "switch", "-c", str(self.config)], stderr=self.log, stdin=subprocess.DEVNULL,
                                        env=dict(os.environ, STROWGER_RUN=str(self.folder)))
        wait_for("the switch", lambda: self.state("summary"))

    def state(self, what):
        connection = UnixConnection(self.folder / "churn-test" / "switch.sock")
        connection.request("GET", f"/state?what={what}")
        return json.loads(connection.getresponse().read())

    def rss_kb(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(20)
        self.log.close()
        return code


def ports(switch):
    rows = switch.state("ports")
    rows = rows if isinstance(rows, list) else next(v for v in rows.values() if isinstance(v, list))
    return {row["name"]: row for row in rows}


def count_received(interface="right0"):
    lines = pathlib.Path("/proc/net/dev").read_text().splitlines()
    return next(int(line.split(":")[1].split()[1]) for line in lines if line.strip().startswith(f"{interface}:"))


# ---- (a) churn ----

def churn(switch):
    chance = random.Random(7)
    batches = [b"".join(random_batch(chance, 500)) + message(BARRIER, b"") for _ in range(30)]
    bundles = []
    for n in range(10):
        bundle = [bundle_control(OPEN_REQUEST, n), *(in_bundle(n, m) for m in random_batch(chance, 500) if m[1] == FLOW_MOD),
                  bundle_control(COMMIT_REQUEST, n), message(BARRIER, b"")]
        bundles.append(b"".join(bundle))
    count = sum(1 for _ in range(30)) * 508
    controller = Controller()
    sender = Sender([hostile_frame(chance) for _ in range(4000)])
    begun, mods, rss, slowest = time.time(), 0, [], 0
    try:
        while time.time() - begun < SECONDS:
            controller.send(chance.choice(bundles) if chance.random() < 0.3 else chance.choice(batches))
            mods += count // 30
            if not controller.barriers.acquire(timeout=20):
                raise AssertionError("no answer to a barrier")
            rss.append((time.time() - begun, switch.rss_kb()))
    finally:
        sender.end()
    seconds = time.time() - begun
    wait_for("the end of all flows", lambda: controller.count_flows() == 0, 10)
    controller.barrier()
    time.sleep(0.3)
    rows = ports(switch)
    check_counts(switch, controller, rows)
    warm = max(kb for at, kb in rss if at <= max(5, seconds / 3))
    peak = max(kb for _, kb in rss)
    print(f"# {seconds:.0f} s: {mods / seconds:.0f} requests/s, {controller.removed / seconds:.0f} flows removed/s, "
          f"{rows['left']['rx_packets'] / seconds:.0f} packets/s, {controller.errors} requests refused")
    print(f"# memory: {warm / 1024:.0f} MB after the warm-up, {peak / 1024:.0f} MB at most, {switch.rss_kb() / 1024:.0f} MB at the end")
    print(f"# as many flow mods as a network of 10 a second has in {mods / 36000:.1f} hours")
    assert peak < warm * 1.25 + 16384, f"memory grows: {rss[:: max(1, len(rss) // 40)]}"
    lines = switch.log_path.read_text().count("\n")
    assert lines < 100, f"{lines} lines in the log:\n{switch.log_path.read_text()[-3000:]}"
    controller.close()


def check_counts(switch, controller, rows):
    came = sum(row["rx_packets"] for row in rows.values())
    without = sum(row.get("drops", {}).get(why, 0) for row in rows.values() for why in ("no_match", "malformed"))
    assert came > 1000, rows
    assert controller.removed > 100
    assert controller.removed_packets + without == came, \
        f"{came} packets came, {controller.removed_packets} were told by {controller.removed} flows, {without} met none\n{rows}"


# ---- (b) a controller that is killed in a bundle ----

BUNDLE = 2000


def send_bundle_and_hang():
    controller = Controller(reads=False)
    messages = [flow_mod(ADD, match_of(oxm(5, b"\x08\0"), oxm(12, struct.pack(">I", i))), apply(output(2)), 9, 0xB0B, flags=0) for i in range(BUNDLE)]
    data = bundle_control(OPEN_REQUEST, 1) + b"".join(in_bundle(1, m) for m in messages) + bundle_control(COMMIT_REQUEST, 1)
    print("ready", flush=True)
    for at in range(0, len(data), 4096):
        controller.send(data[at:at + 4096])
        time.sleep(0.0001)
    time.sleep(60)


def killed_in_a_bundle(switch):
    outcomes = []
    for n in range(12):
        child = subprocess.Popen([sys.executable, __file__, "bundle"], stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.005 * n)
        child.kill()
        child.wait()
        controller = Controller()
        controller.barrier()
        time.sleep(0.05)
        count = controller.count_flows(0xFFFFFFFFFFFFFFFF, 0xB0B)
        assert count in (0, BUNDLE), f"{count} of a bundle's {BUNDLE} flows are there"
        outcomes.append("all" if count else "none")
        controller.send(flow_mod(DELETE, match_of(), table=255, flags=0))
        controller.barrier()
        controller.close()
    print(f"# controllers killed in a bundle left: {' '.join(outcomes)}")


# ---- (c) the switch is killed ----

def passes(frames=50):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("left0", 0))
    before = count_received()
    for _ in range(frames):
        s.send(bytes(12) + b"\x08\0" + bytes(46))
    s.close()
    wait_for("packets at the other side", lambda: count_received() - before >= frames, 5)


def killed_switch(switch):
    for _ in range(3):
        controller = Controller()
        controller.send(flow_mod(ADD, match_of(oxm(0, struct.pack(">I", 1))), apply(output(2)), flags=0))
        controller.barrier()
        passes()
        switch.kill()
        wait_for("the end of the connection", lambda: controller.closed)
        switch.start()
        rows = ports(switch)
        assert sorted(rows) == ["left", "right"] and switch.process.poll() is None
        controller = Controller()
        assert controller.count_flows() == 0
        controller.close()


# ---- (d) a controller that never reads ----

def deaf_controller(switch):
    controller, deaf = Controller(), Controller(reads=False)
    for i in range(2000):
        controller.send(flow_mod(ADD, match_of(oxm(5, b"\x08\0"), oxm(12, struct.pack(">I", i))), apply(output(CONTROLLER)), 9, flags=0))
    controller.send(flow_mod(ADD, match_of(), apply(output(CONTROLLER)), 1, flags=0))
    controller.barrier()
    before, slowest, peak = switch.rss_kb(), 0, 0
    chance = random.Random(9)
    sender = Sender([hostile_frame(chance) for _ in range(500)])
    question = message(MULTIPART, struct.pack(">HH4xB3xII4xQQ", 1, 0, 255, ANY, ANY, 0, 0) + match_of())
    deaf.socket.setblocking(False)
    asked, end = 0, time.time() + 3
    try:
        while time.time() < end:
            try:
                if select.select([], [deaf.socket], [], 0)[1]:
                    asked += deaf.socket.send(question * 50) // len(question)
            except OSError:
                pass
            slowest = max(slowest, controller.barrier())
            peak = max(peak, switch.rss_kb())
    finally:
        sender.end()
    print(f"# a controller that never reads asked {asked} times: {before / 1024:.0f} MB, at most {peak / 1024:.0f} MB; others waited "
          f"{slowest * 1000:.0f} ms at most")
    assert peak < before + 192 * 1024 and slowest < 5
    deaf.close()
    controller.send(flow_mod(DELETE, match_of(), table=255, flags=0))
    controller.barrier()
    controller.close()


# ---- what random headers cost ----

def collapse():
    chance = random.Random(3)
    with tempfile.TemporaryDirectory() as folder:
        switch = Switch(folder)
        try:
            controller = Controller()
            for _ in range(3000):
                match, priority = random_match(chance)
                controller.send(flow_mod(ADD, match, apply(output(2)), priority, flags=0))
            controller.send(flow_mod(ADD, match_of(), apply(output(2)), 0, flags=0))
            controller.barrier()
            for name, frames in (("one flow", [bytes(12) + b"\x08\0" + bytes(46)]),
                                 ("random headers", [hostile_frame(chance)[:200].ljust(60, b"\0") for _ in range(20000)])):
                sender = Sender(frames)
                time.sleep(1)
                before, begun = count_received(), time.time()
                time.sleep(4)
                rate = (count_received() - before) / (time.time() - begun)
                sender.end()
                time.sleep(0.5)
                print(f"{name:16} {rate:10.0f} packets/s came out")
        finally:
            switch.end()


def make_links():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name in ("left", "right"):
        subprocess.run(["ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}0"], check=True)
        for end in (name, f"{name}0"):
            pathlib.Path(f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6").write_text("1")
            subprocess.run(["ip", "link", "set", end, "up"], check=True)


def main():
    if sys.argv[1:] == ["bundle"]:
        send_bundle_and_hang()
    enter_namespace()
    make_links()
    if sys.argv[1:] == ["collapse"]:
        collapse()
        return
    with tempfile.TemporaryDirectory() as folder:
        switch = Switch(folder)
        try:
            for part in (churn, killed_in_a_bundle, deaf_controller, killed_switch):
                part(switch)
                assert switch.process.poll() is None, f"the switch ended with {switch.process.returncode}"
                print(f"ok {part.__name__}", flush=True)
        except BaseException:
            print(f"--- the switch said:\n{switch.log_path.read_text()[-4000:]}")
            raise
        finally:
            code = switch.end()
        assert code in (0, -signal.SIGTERM), f"the switch ended with {code}"


main()
