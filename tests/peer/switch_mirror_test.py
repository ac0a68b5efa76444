#!/usr/bin/env python3
"""A look into a running switch: what `strowger switch mirror` and `drops` show, and what an IPFIX collector is told, is what went by.

    left 10.8.0.1 -- [port 1   switch, 2 threads   port 2] -- right 10.8.0.2, 10.8.0.3 (metered to nothing)

tshark reads the captures and the reports. Needs root, unshare, nsenter, ip, ping, curl, tshark, tcpdump.
"""
import collections
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, need, skip, wait_for  # noqa: E402

TARGET = "tcp:127.0.0.1:16671"
COLLECTOR = 16672
MEBIBYTES = 8
SEND = f"""
import socket
s = socket.create_connection(("10.8.0.2", 5000))
for _ in range({MEBIBYTES}):
    s.sendall(bytes(1 << 20))
s.shutdown(socket.SHUT_WR)
s.recv(1)
"""
RECEIVE = """
import socket
s = socket.create_server(("10.8.0.2", 5000))
print("ready", flush=True)
c = s.accept()[0]
n = 0
while data := c.recv(1 << 20):
    n += len(data)
print(n)
"""
SPRAY = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(%d):
    s.sendto(bytes(%d), ("10.8.0.2", 6000))
"""
CONFIG = """
name: switch-mirror-test
log: warn
switch:
  listen: [127.0.0.1:16671]
  datapath_id: 0x1234500000077
  threads: 2
  ports:
    - {name: left, type: packet}
    - {name: right, type: packet}
  ipfix: {collector: 127.0.0.1:%d, active_timeout: 60s, idle_timeout: 2s, ports: [left, right]}
"""


def enter_namespace():
    if os.environ.get("IN_NAMESPACE"):
        return
    need("unshare", "nsenter", "ip", "ping", "curl", "tshark", "tcpdump")
    if os.geteuid() != 0:
        skip("packet sockets need root")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        skip("network namespaces are not allowed here")
    os.execvpe("unshare", ["unshare", "-n", sys.executable, __file__], dict(os.environ, IN_NAMESPACE="1"))


class Host:
    """A namespace with addresses, at the other end of a port."""

    def __init__(self, name, *addresses):
        self.name = name
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        wait_for("a namespace", lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        subprocess.run(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid)], check=True)
        self.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6")
        subprocess.run(["sh", "-c", f"echo 1 > /proc/sys/net/ipv6/conf/{name}/disable_ipv6"], check=True)
        for address in addresses:
            self.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        subprocess.run(["ip", "link", "set", name, "up"], check=True)

    def command(self, *arguments):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *arguments]

    def run(self, *arguments, check=True):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def end(self):
        self.holder.kill()
        self.holder.wait()


class World:
    """The switch, its hosts, and the collector that it reports to."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.environment = dict(os.environ, STROWGER_RUN=folder)
        self.collector = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.collector.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.collector.bind(("127.0.0.1", COLLECTOR))
        self.left, self.right = Host("left", "10.8.0.1"), Host("right", "10.8.0.2", "10.8.0.3")
        config = self.folder / "switch.yaml"
        config.write_text(CONFIG % COLLECTOR)
        self.switch = subprocess.Popen([STROWGER, "switch", "-c", str(config)], env=self.environment)
        wait_for("the switch", lambda: self.tool("probe", TARGET, check=False).returncode == 0)
        for flow in ("priority=1,in_port=1,actions=output:2", "priority=1,in_port=2,actions=output:1",
                     "priority=9,cookie=0x77,ip,ip_dst=10.8.0.3,actions=drop"):
            self.tool("add-flow", TARGET, flow)
        wait_for("an answer", lambda: "1 received" in self.ping(1, 0))

    def end(self):
        self.switch.terminate()
        assert self.switch.wait(20) == 0
        self.left.end()
        self.right.end()

    def tool(self, verb, *arguments, check=True):
        done = subprocess.run([STROWGER, "switch", verb, *arguments], env=self.environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        assert not check or done.returncode == 0, f"{verb}: {done.returncode} {done.stdout}{done.stderr}"
        return done

    def mirror(self, *words, **options):
        """A mirror that runs; it is there when this returns."""
        before = self.mirrors()
        process = subprocess.Popen([STROWGER, "switch", "mirror", "switch", *words], env=self.environment, stderr=subprocess.PIPE,
                                   text=True, **options)
        wait_for("the mirror", lambda: process.poll() is not None or self.mirrors() > before)
        return process

    def state(self, what):
        done = subprocess.run(["curl", "-s", "--unix-socket", str(self.folder / "switch-mirror-test" / "switch.sock"),
                               f"http://strowger/state?what={what}"], capture_output=True, text=True, timeout=20)
        return json.loads(done.stdout)

    def mirrors(self):
        return self.state("ipfix")["mirrors"]

    def ping(self, count, size, to="10.8.0.2"):
        return self.left.run("ping", "-c", str(count), "-i", "0.02", "-W", "1", "-s", str(size), to, check=False)


def finish(process):
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=20)[1]
    assert process.returncode == 0, told
    return told


def tshark(file, *arguments):
    done = subprocess.run(["tshark", "-n", "-r", str(file), *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"tshark: {done.returncode} {done.stderr}"
    return done.stdout.splitlines()


def fields(file, display_filter, *names):
    options = [word for name in names for word in ("-e", name)]
    return [line.split("\t") for line in tshark(file, "-Y", display_filter, "-T", "fields", *options)]


def both_ways(world):
    file = world.folder / "both.pcapng"
    mirror = world.mirror("port=left", str(file))
    assert "20 received" in world.ping(20, 1000)
    told = finish(mirror)
    rows = fields(file, "icmp", "icmp.type", "frame.interface_name", "frame.packet_flags_direction", "frame.len")
    counts = collections.Counter(tuple(row) for row in rows)
    assert counts == {("8", "left", "0x00000001", "1042"): 20, ("0", "left", "0x00000002", "1042"): 20}, counts
    total = len(tshark(file))
    assert f"{total} packets captured, 0 lost" in told, (total, told)
    print("ok both directions of one port, whole", flush=True)


def one_way_and_cut(world):
    file = world.folder / "in.pcapng"
    mirror = world.mirror("direction=in", "snaplen=60", "count=10", str(file))
    world.ping(30, 1000)
    told = mirror.communicate(timeout=20)[1]
    assert mirror.returncode == 0 and "10 packets captured" in told, told
    rows = fields(file, "icmp", "frame.cap_len", "frame.len", "frame.packet_flags_direction")
    assert rows and all(row == ["60", "1042", "0x00000001"] for row in rows), rows
    assert len(tshark(file)) == 10
    print("ok incoming packets, cut, as many as asked for", flush=True)


def drops_with_reasons(world):
    file = world.folder / "drops.pcapng"
    mirror = world.mirror("drops", str(file))
    world.tool("del-flows", "--strict", TARGET, "priority=1,in_port=2")
    world.ping(3, 0)
    world.tool("add-flow", TARGET, "priority=1,in_port=2,actions=output:1")
    assert "0 received" in world.ping(5, 0, "10.8.0.3")
    finish(mirror)
    comments = collections.Counter(row[0] for row in fields(file, "icmp", "frame.comment"))
    assert comments["dropped: reason=no_match port=right table=0"] == 3, comments
    by_flow = "dropped: reason=by_flow port=left table=0 cookie=0x77 flow=priority=9,ip,ip_dst=10.8.0.3"
    assert comments[by_flow] == 5, comments
    print("ok dropped packets, with reason, port, table and flow", flush=True)


def drops_in_a_table(world):
    tool = subprocess.Popen([STROWGER, "switch", "drops", "switch", "3", "--json"], env=world.environment, stdout=subprocess.PIPE, text=True)
    wait_for("the mirror", lambda: world.mirrors() == 1)
    world.ping(7, 0, "10.8.0.3")
    out = tool.communicate(timeout=20)[0]
    rows = [row for row in json.loads(out) if row["cookie"] == "0x77"]
    assert len(rows) == 1 and rows[0]["packets"] == 7 and rows[0]["reason"] == "by_flow", out
    assert rows[0]["example"] == "icmp 10.8.0.1 > 10.8.0.3, 42 bytes", out
    text = world.tool("drops", "switch", "1").stdout
    assert "packets dropped in 1 s" in text, text
    print("ok drops as a table", flush=True)


def live(world):
    mirror = world.mirror("direction=in", "-", stdout=subprocess.PIPE)
    reader = subprocess.Popen(["tcpdump", "-n", "-l", "-c", "3", "-r", "-", "icmp"], stdin=mirror.stdout, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    mirror.stdout.close()
    world.ping(5, 0)
    lines = reader.communicate(timeout=20)[0].splitlines()
    assert len(lines) == 3 and "ICMP echo request" in lines[0], lines
    world.ping(3, 0)  # nobody reads any more: the tool ends by itself
    mirror.communicate(timeout=20)
    wait_for("the mirror's end", lambda: world.mirrors() == 0)
    print("ok live, and its end with its reader's", flush=True)


def readers_that_are_no_good(world):
    """One that is killed, one that does not read; meanwhile a third is complete."""
    file = world.folder / "good.pcapng"
    killed, good = world.mirror(str(world.folder / "killed.pcapng")), world.mirror("direction=in", "port=left", str(file))
    stuck = world.mirror("-", stdout=subprocess.PIPE)
    receiver = subprocess.Popen(world.right.command(sys.executable, "-c", RECEIVE), stdout=subprocess.PIPE, text=True)
    assert receiver.stdout.readline() == "ready\n"
    sender = subprocess.Popen(world.left.command(sys.executable, "-c", SEND))
    killed.kill()
    killed.communicate()
    assert receiver.communicate(timeout=60)[0].strip() == str(MEBIBYTES << 20)
    assert sender.wait(20) == 0
    assert "10 received" in world.ping(10, 0)
    told = finish(good)
    captured, lost = (int(told.split()[i]) for i in (0, 3))
    assert len(tshark(file)) == captured, told
    if lost == 0:
        payload = sum(int(row[0]) for row in fields(file, "tcp.dstport == 5000 and tcp.len > 0 and not tcp.analysis.retransmission", "tcp.len"))
        assert payload == MEBIBYTES << 20, payload
    stuck.kill()
    stuck.stdout.close()
    stuck.wait()
    wait_for("their ends", lambda: world.mirrors() == 0)
    print(f"ok readers that go or sleep hurt nobody else ({captured} captured, {lost} lost)", flush=True)


def flows_that_go(world):
    """Mirrors come and go, and so do the flows whose drops they tell."""
    flood = subprocess.Popen(world.left.command("ping", "-q", "-f", "-w", "6", "10.8.0.3"), stdout=subprocess.DEVNULL)
    file = world.folder / "going.pcapng"
    mirror = world.mirror("drops", "snaplen=64", str(file))
    for cookie in range(40):
        other = world.mirror("drops", "count=1000000", "/dev/null")
        world.tool("add-flow", TARGET, f"priority=20,cookie={0x1000 + cookie},icmp,ip_dst=10.8.0.3,actions=drop")
        world.tool("del-flows", TARGET, f"cookie={0x1000 + cookie}/-1")
        other.kill()
        other.communicate()
    finish(mirror)
    flood.wait(20)
    comments = collections.Counter(row[0] for row in fields(file, "icmp", "frame.comment"))
    assert len(comments) > 1 and all(c.startswith("dropped: reason=by_flow port=left table=0 cookie=0x") for c in comments), comments
    wait_for("their ends", lambda: world.mirrors() == 0)
    print(f"ok flows that go are still named ({len(comments)} of them)", flush=True)


# ---- IPFIX ----

NAMES = {1: "octets", 2: "packets", 4: "protocol", 6: "flags", 7: "sport", 8: "src", 10: "in", 11: "dport", 12: "dst", 14: "out", 27: "src",
         28: "dst", 32: "icmp", 89: "forwarding", 136: "reason", 139: "icmp", 152: "start", 153: "end", 243: "vlan", 302: "selector",
         304: "algorithm", 305: "interval", 306: "space", 309: "size", 310: "population", 351: "segment", 507: "teid"}


class Collector:
    """Reads messages by their templates; checks versions, lengths and sequence numbers."""

    def __init__(self):
        self.templates, self.flows, self.options, self.sequence, self.messages = {}, [], [], 0, []

    def template(self, body, at, options):
        identifier, count = struct.unpack_from("!HH", body, at)
        at += 6 if options else 4
        pairs = [struct.unpack_from("!HH", body, at + 4 * i) for i in range(count)]
        self.templates[identifier] = pairs, options
        return at + 4 * count

    def read(self, message):
        self.messages.append(message)
        version, length, _, sequence, domain = struct.unpack_from("!HHIII", message)
        assert (version, length, domain) == (10, len(message), 0x00000077), (version, length, len(message), hex(domain))
        assert sequence == self.sequence, (sequence, self.sequence)
        at = 16
        while at < length:
            identifier, size = struct.unpack_from("!HH", message, at)
            body, inner = message[at:at + size], 4
            while inner < size:
                if identifier in (2, 3):
                    inner = self.template(body, inner, identifier == 3)
                    continue
                pairs, options = self.templates[identifier]
                record = {}
                for element, width in pairs:
                    value = body[inner:inner + width]
                    record[NAMES[element]] = value if NAMES[element] in ("src", "dst") else int.from_bytes(value, "big")
                    inner += width
                (self.options if options else self.flows).append(record)
                self.sequence += 1
            at += size


def drain(world, collector, until, seconds=12):
    end = time.time() + seconds
    world.collector.settimeout(0.5)
    while time.time() < end and not until():
        try:
            collector.read(world.collector.recv(65536))
        except socket.timeout:
            pass
    assert until(), collector.flows


def sum_of(flows, **wanted):
    rows = [f for f in flows if all(f.get(k) == v for k, v in wanted.items())]
    return sum(f["packets"] for f in rows), sum(f["octets"] for f in rows)


def ip(text):
    return socket.inet_aton(text)


def reports(world, collector):
    drain(world, collector, lambda: world.state("ipfix")["flows"] == 0)
    first = len(collector.flows)
    assert "30 received" in world.ping(30, 100)
    world.ping(4, 100, "10.8.0.3")
    world.left.run(sys.executable, "-c", SPRAY % (200, 500))
    transferred = subprocess.Popen(world.right.command(sys.executable, "-c", RECEIVE), stdout=subprocess.PIPE, text=True)
    assert transferred.stdout.readline() == "ready\n"
    world.left.run(sys.executable, "-c", SEND)
    transferred.communicate(timeout=30)
    sent = world.left.run("cat", "/proc/net/snmp")
    assert sent
    drain(world, collector, lambda: world.state("ipfix")["flows"] == 0)
    flows = collector.flows[first:]
    assert world.state("ipfix")["samples_lost"] == 0
    here, there, blocked = ip("10.8.0.1"), ip("10.8.0.2"), ip("10.8.0.3")
    assert sum_of(flows, src=here, dst=there, icmp=0x800, forwarding=64) == (30, 30 * 128), flows
    assert sum_of(flows, src=there, dst=here, icmp=0, protocol=1) == (30, 30 * 128), flows
    assert sum_of(flows, dst=blocked, icmp=0x800, forwarding=129) == (4, 4 * 128), flows
    assert sum_of(flows, dport=6000, protocol=17) == (200, 200 * 528), flows
    tcp = [f for f in flows if f["protocol"] == 6 and f["dport"] == 5000]
    packets, octets = sum_of(tcp)
    assert octets >= (MEBIBYTES << 20) + 40 * packets - 40 and octets <= (MEBIBYTES << 20) * 1.02 + 60 * packets, (packets, octets)
    assert packets >= (MEBIBYTES << 20) / 1460, packets
    for flow in tcp:
        assert (flow["in"], flow["out"], flow["reason"], flow["flags"] & 3) == (1, 2, 3, 3), flow
    assert all(f["start"] <= f["end"] and abs(f["end"] / 1000 - time.time()) < 60 for f in flows), flows
    assert collector.options[0] == {"selector": 1, "algorithm": 3, "size": 1, "population": 1, "interval": 1, "space": 0}, collector.options
    print(f"ok IPFIX: {len(flows)} flows have what was sent", flush=True)


def dissected(world, collector):
    """tshark understands every message: made into a capture of UDP datagrams."""
    file = world.folder / "ipfix.pcap"
    with file.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 228))
        for message in collector.messages:
            header = struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 28 + len(message), 0, 0, 64, 17, 0, ip("127.0.0.1"), ip("127.0.0.1"), 5555, 4739,
                                 8 + len(message), 0)
            out.write(struct.pack("<IIII", 0, 0, len(header + message), len(header + message)) + header + message)
    assert not tshark(file, "-Y", "_ws.malformed or _ws.expert.severity >= warning and not ip.checksum.status")
    assert not tshark(file, "-Y", "cflow.sequence_analysis.expected_sn")
    rows = fields(file, "cflow.flowset_id >= 256", "cflow.octets", "cflow.packets")
    packets = sum(int(n) for row in rows for n in row[1].split(",") if n)
    assert packets == sum(f["packets"] for f in collector.flows), packets
    assert fields(file, "cflow.sampling_population", "cflow.sampling_population")[0] == ["1"]
    print("ok tshark reads the same", flush=True)


def main():
    enter_namespace()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        collector = Collector()
        try:
            files = len(os.listdir(f"/proc/{world.switch.pid}/fd"))
            both_ways(world)
            one_way_and_cut(world)
            drops_with_reasons(world)
            drops_in_a_table(world)
            live(world)
            readers_that_are_no_good(world)
            flows_that_go(world)
            wait_for("closed streams", lambda: len(os.listdir(f"/proc/{world.switch.pid}/fd")) == files)
            reports(world, collector)
            dissected(world, collector)
        finally:
            world.end()


main()
