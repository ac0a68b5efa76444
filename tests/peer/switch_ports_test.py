#!/usr/bin/env python3
"""The kernel at both ends of every kind of port on an interface: packets of all sizes pass, with and without segmentation offload,
and a file that goes by TCP through the switch is the same at the other end.

    left 10.8.0.1 -- [port 1   switch, 2 threads   port 2] -- right 10.8.0.2

Each pair of kinds once: packet rings, AF_XDP in both modes, a TAP (whose host is the switch's own namespace). Needs root, unshare, nsenter, ip, ethtool, ovs-ofctl, ping.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, need, skip, wait_for  # noqa: E402

TARGET = "tcp:127.0.0.1:16657"
MEBIBYTES = 24
SEND = f"""
import hashlib, os, socket
s, h = socket.create_connection(("10.8.0.2", 5000)), hashlib.sha256()
for _ in range({MEBIBYTES}):
    data = os.urandom(1 << 20)
    h.update(data)
    s.sendall(data)
s.close()
print(h.hexdigest())
"""
RECEIVE = """
import hashlib, socket
s = socket.create_server(("10.8.0.2", 5000))
print("ready", flush=True)
c, h = s.accept()[0], hashlib.sha256()
c.settimeout(30)
while data := c.recv(1 << 20):
    h.update(data)
print(h.hexdigest())
"""
KINDS = {
    "packet": "type: packet, interface: {name}",
    "xdp generic": "type: xdp, xdp_mode: generic, interface: {name}",
    "xdp native": "type: xdp, xdp_mode: native, interface: {name}",
    "tap": "type: tap, interface: {name}",
    "dpdk packet": 'type: dpdk, device: "net_af_packet_{name},iface={name}"',
    "dpdk tap": 'type: dpdk, device: "net_tap_{name},iface={name}"',
}


def enter_namespace():
    if os.environ.get("IN_NAMESPACE"):
        return
    need("unshare", "nsenter", "ip", "ethtool", "ovs-ofctl", "ping")
    if os.geteuid() != 0:
        skip("packet sockets and AF_XDP need root")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        skip("network namespaces are not allowed here")
    os.execvpe("unshare", ["unshare", "-n", sys.executable, sys.argv[0]], dict(os.environ, IN_NAMESPACE="1"))


class Host:
    """A namespace with an address, at the other end of a port; for a TAP the switch's own."""

    def __init__(self, name, kind, address):
        self.name, self.address, self.kind, self.holder = name, address, kind, None
        self.interface = name if kind.endswith("tap") else "eth0"
        if kind.endswith("tap"):
            return
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        wait_for("a namespace", lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        subprocess.run(["ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid)], check=True)
        subprocess.run(["ip", "link", "set", self.name, "up"], check=True)
        if kind.startswith(("xdp", "dpdk")):  # these carry neither open checksums nor what is not cut yet
            self.run("ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off")

    def command(self, *arguments):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *arguments] if self.holder else list(arguments)

    def run(self, *arguments, check=True):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def configure(self):
        self.run("ip", "address", "add", f"{self.address}/24", "dev", self.interface)
        self.run("ip", "link", "set", self.interface, "up")

    def end(self):
        if self.holder:
            self.holder.kill()
            self.holder.wait()
            subprocess.run(["ip", "link", "del", self.name], capture_output=True)


def ofctl(*arguments):
    done = subprocess.run(["ovs-ofctl", "-O", "OpenFlow13", arguments[0], TARGET, *arguments[1:]], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def transfer(left, right):
    receiver = subprocess.Popen(right.command(sys.executable, "-c", RECEIVE), stdout=subprocess.PIPE, text=True)
    try:
        assert receiver.stdout.readline() == "ready\n"
        digest = left.run(sys.executable, "-c", SEND).strip()
        assert receiver.communicate(timeout=60)[0].strip() == digest, "the file is another one at its destination"
    finally:
        receiver.kill()
        receiver.wait()


def check(left_kind, right_kind, program=STROWGER, more=""):
    hosts = [Host("left", left_kind, "10.8.0.1"), Host("right", right_kind, "10.8.0.2")]
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "switch.yaml"
        lines = [f"    - {{name: {host.name}, {KINDS[host.kind].format(name=host.name)}}}\n" for host in hosts]
        config.write_text("name: switch-ports-test\nlog: warn\nswitch:\n  listen: [127.0.0.1:16657]\n  threads: 2\n" + more +
                          "  ports:\n" + "".join(lines))
        switch = subprocess.Popen([program, "switch", "-c", str(config)], env=dict(os.environ, STROWGER_RUN=folder))
        try:
            wait_for("the switch", lambda: subprocess.run(["ovs-ofctl", "-O", "OpenFlow13", "show", TARGET],
                                                          capture_output=True).returncode == 0)
            for host in hosts:
                host.configure()
            ofctl("add-flow", "in_port=1,actions=output:2")
            ofctl("add-flow", "in_port=2,actions=output:1")
            left, right = hosts
            wait_for("an answer", lambda: "1 received" in left.run("ping", "-c", "1", "-W", "1", "10.8.0.2", check=False))
            for size in (0, 18, 1000, 1472) if "dpdk packet" in (left_kind, right_kind) else (0, 18, 1000, 1472, 20000):
                text = left.run("ping", "-c", "3", "-i", "0.02", "-W", "5", "-s", str(size), "10.8.0.2", check=False)
                assert "3 received" in text, text
            transfer(left, right)
            flows = ofctl("dump-flows")
            assert flows.count("n_packets=0,") == 0, flows
            print(f"ok {left_kind} to {right_kind}", flush=True)
        finally:
            switch.terminate()
            assert switch.wait(20) == 0
            for host in hosts:
                host.end()


def prepare():
    """Inside: a TAP's address is answered for by the TAP alone, not by the veth that the switch reads, whose host is here, too."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    pathlib.Path("/proc/sys/net/ipv4/conf/all/arp_ignore").write_text("1")


def main():
    enter_namespace()
    prepare()
    for left_kind, right_kind in (("packet", "packet"), ("packet", "tap"), ("tap", "xdp generic"), ("xdp generic", "xdp generic"),
                                  ("xdp native", "packet"), ("xdp native", "xdp native")):
        check(left_kind, right_kind)


if __name__ == "__main__":
    main()
