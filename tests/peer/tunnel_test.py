#!/usr/bin/env python3
"""Our tunnels and others': the kernel's VXLAN, Open vSwitch's VXLAN and GTP-U, over a port of the switch as underlay.

    user                     switch                              peer
    t1 192.168.77.1 -- [users   vxlan, gtpu 10.9.0.1   wire] -- u1 10.9.0.2: vx0, or Open vSwitch   192.168.77.2

Each side is a network namespace of its own; the kernel knows nothing of 10.9.0.1. Users' packets may have 9000 bytes, the link
between the switches has 1500. Needs root, unshare, nsenter, ip, ethtool, nft, ovs-ofctl; iperf3 and Open vSwitch's daemons for what is
about them.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, UnixConnection, need, skip, wait_for  # noqa: E402

TARGET = "tcp:127.0.0.1:16655"
CONFIG = """
name: tunnel-peer-test
switch:
  listen: [127.0.0.1:16655]
  threads: 2
  ports:
    - {name: wire, type: packet, interface: u0}
    - {name: users, type: packet, interface: t0}
    - {name: vxlan, type: vxlan, underlay: wire, address: 10.9.0.1, prefix: 24}
    - {name: gtpu, type: gtpu, underlay: wire, address: 10.9.0.1, prefix: 24}
"""


class Namespace:
    """A network namespace that lives as long as its process."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        wait_for("a namespace", lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        self.run("ip", "link", "set", "lo", "up")

    def command(self, *arguments):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *arguments]

    def run(self, *arguments, environment=None, check=True, timeout=60):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=timeout, env=environment)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def end(self):
        self.holder.kill()
        self.holder.wait()


def enter_namespace():
    if os.environ.get("IN_NAMESPACE"):
        return
    need("unshare", "nsenter", "ip", "ethtool", "ovs-ofctl", "ping", "nft")
    if os.geteuid() != 0:
        skip("raw sockets and Open vSwitch's ports need root")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        skip("network namespaces are not allowed here")
    os.execvpe("unshare", ["unshare", "-n", sys.executable, __file__], dict(os.environ, IN_NAMESPACE="1"))


def link(ours, theirs, where, mtu):
    subprocess.run(["ip", "link", "add", ours, "mtu", str(mtu), "type", "veth", "peer", "name", theirs, "mtu", str(mtu),
                    "netns", str(where.holder.pid)], check=True)
    subprocess.run(["ip", "link", "set", ours, "up"], check=True)
    where.run("ethtool", "-K", theirs, "tx", "off", "tso", "off", "gso", "off")
    where.run("ip", "link", "set", theirs, "up")


def ofctl(*arguments):
    done = subprocess.run(["ovs-ofctl", "-O", "OpenFlow13", arguments[0], TARGET, *arguments[1:]], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ports(folder):
    connection = UnixConnection(next(pathlib.Path(folder).rglob("switch.sock")))
    connection.request("GET", "/state?what=ports")
    return {port["name"]: port for port in json.loads(connection.getresponse().read())}


def nothing_was_lost(folder, name):
    """Frames that came before there were flows do not count."""
    drops = {why: count for why, count in ports(folder)[name]["drops"].items() if why != "no_match"}
    assert not drops, ports(folder)[name]


def ping(user, *options, count=5):
    text = user.run("ping", "-c", str(count), "-i", "0.05", "-W", "5", *options, "192.168.77.2", check=False)
    assert f"{count} received" in text, text


def iperf(user, peer):
    if not shutil.which("iperf3"):
        print("iperf3 is not installed: left out")
        return
    server = subprocess.Popen(peer.command("iperf3", "-s", "-B", "192.168.77.2"), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        for options in ((), ("-R",)):
            def run():
                text = user.run("iperf3", "-c", "192.168.77.2", "-t", "2", "-J", *options, check=False)
                return json.loads(text).get("end", {}).get("sum_received", {}).get("bits_per_second")
            rate = wait_for("iperf3", run, 20, 0.5)
            print(f"TCP {'from' if options else 'to'} the peer: {rate / 1e6:.0f} Mbit/s")
            assert rate > 1e6
    finally:
        server.terminate()
        server.wait()


def vxlan_flows():
    ofctl("del-flows")
    ofctl("add-flow", "in_port=users actions=set_field:77->tun_id,set_field:10.9.0.2->tun_dst,output:3")
    ofctl("add-flow", "in_port=vxlan,tun_id=77,tun_src=10.9.0.2 actions=output:2")


def test_the_kernels_vxlan(user, peer, folder):
    peer.run("ip", "address", "add", "10.9.0.2/24", "dev", "u1")
    peer.run("ip", "link", "add", "vx0", "mtu", "9000", "type", "vxlan", "id", "77", "remote", "10.9.0.1", "dstport", "4789",
             "udpcsum")
    peer.run("ethtool", "-K", "vx0", "tx", "off")
    peer.run("ip", "address", "add", "192.168.77.2/24", "dev", "vx0")
    peer.run("ip", "link", "set", "vx0", "up")
    vxlan_flows()
    assert "3 received" in peer.run("ping", "-c", "3", "-i", "0.05", "10.9.0.1", check=False)  # the switch itself
    assert "3 received" in peer.run("ping", "-c", "3", "-i", "0.05", "-s", "8000", "10.9.0.1", check=False)
    ping(user)
    ping(user, "-s", "8900", "-M", "do")
    ping(user, "-Q", "0xb8")
    peer.run("ip", "neighbour", "flush", "dev", "u1")
    ping(user)
    nothing_was_lost(folder, "vxlan")
    iperf(user, peer)
    print("vxlan:", {key: ports(folder)["vxlan"][key] for key in ("rx_packets", "tx_packets", "drops")})
    peer.run("ip", "link", "del", "vx0")
    peer.run("ip", "address", "flush", "dev", "u1")


class OpenVSwitch:
    """In user space, in the peer's namespace: br-phy has the underlay's address, br-int the user's."""

    def __init__(self, peer, folder):
        self.peer = peer
        self.folder = pathlib.Path(folder) / "ovs"
        self.folder.mkdir()
        self.environment = dict(os.environ, OVS_RUNDIR=str(self.folder), OVS_LOGDIR=str(self.folder))
        self.daemons = []

    def daemon(self, *arguments):
        log = open(self.folder / f"{arguments[0]}.out", "w")
        self.daemons.append(subprocess.Popen(self.peer.command(*arguments), env=self.environment, stdout=log, stderr=log))

    def run(self, *arguments):
        return self.peer.run(*arguments, environment=self.environment, timeout=30)

    def vsctl(self, *arguments):
        self.run("ovs-vsctl", f"--db=unix:{self.folder}/db.sock", *arguments)

    def start(self):
        subprocess.run(["ovsdb-tool", "create", str(self.folder / "conf.db"), "/usr/share/openvswitch/vswitch.ovsschema"],
                       check=True)
        self.daemon("ovsdb-server", str(self.folder / "conf.db"), f"--remote=punix:{self.folder}/db.sock")
        wait_for("the database", lambda: (self.folder / "db.sock").exists())
        self.vsctl("--no-wait", "init")
        self.daemon("ovs-vswitchd", f"unix:{self.folder}/db.sock", "--disable-system")
        self.vsctl("add-br", "br-phy", "--", "set", "bridge", "br-phy", "datapath_type=netdev")
        self.vsctl("add-port", "br-phy", "u1")
        self.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev", "fail-mode=secure")
        tunnel = ("options:remote_ip=10.9.0.1", "options:key=flow")
        self.vsctl("add-port", "br-int", "vx", "--", "set", "interface", "vx", "ofport_request=2", "type=vxlan", *tunnel)
        self.vsctl("add-port", "br-int", "gtp", "--", "set", "interface", "gtp", "ofport_request=3", "type=gtpu", *tunnel)
        self.peer.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore")
        self.run("ip", "address", "add", "10.9.0.2/24", "dev", "br-phy")
        self.run("ip", "link", "set", "br-phy", "up")
        # Open vSwitch 3.1 computes GTP-U's outer checksum before its header is whole.
        for rule in ("add table netdev raw", "add chain netdev raw out { type filter hook egress device u1 priority 0; }",
                     "add rule netdev raw out udp dport 2152 udp checksum set 0"):
            self.run("nft", rule)
        self.run("ip", "address", "add", "192.168.77.2/24", "dev", "br-int")
        self.run("ip", "link", "set", "br-int", "mtu", "1400", "up")
        self.run("ethtool", "-K", "br-int", "tx", "off")

    def mac(self):
        return json.loads(self.peer.run("ip", "-j", "link", "show", "br-int"))[0]["address"]

    def flow(self, text):
        self.run("ovs-ofctl", "add-flow", f"unix:{self.folder}/br-int.mgmt", text)

    def end(self):
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def test_vxlan_of_open_vswitch(user, ovs, folder):
    vxlan_flows()
    user.run("ip", "neighbour", "flush", "dev", "t1")
    ovs.flow("in_port=LOCAL actions=set_field:77->tun_id,output:2")
    ovs.flow("in_port=2,tun_id=77 actions=LOCAL")
    wait_for("a ping through both switches", lambda: "1 received" in user.run("ping", "-c", "1", "-W", "1", "192.168.77.2",
                                                                              check=False), 20)
    ping(user)
    ping(user, "-s", "1300", "-Q", "0xb8")
    nothing_was_lost(folder, "vxlan")


def test_gtpu_of_open_vswitch(user, ovs, folder):
    """A G-PDU has no Ethernet header: each side gives its own user's to what comes out."""
    user_mac = json.loads(user.run("ip", "-j", "link", "show", "t1"))[0]["address"]
    ofctl("del-flows")
    ofctl("add-flow", "ip,in_port=users actions=set_field:0x22->tun_id,set_field:10.9.0.2->tun_dst,output:4")
    ofctl("add-flow", f"ip,in_port=gtpu,tun_id=0x33 actions=set_field:{user_mac}->eth_dst,output:2")
    ovs.run("ovs-ofctl", "del-flows", f"unix:{ovs.folder}/br-int.mgmt")
    ovs.flow("ip,in_port=LOCAL actions=set_field:0x33->tun_id,output:3")
    ovs.flow(f"ip,in_port=3,tun_id=0x22 actions=set_field:{ovs.mac()}->eth_dst,LOCAL")
    user.run("ip", "neighbour", "replace", "192.168.77.2", "lladdr", "02:00:00:00:00:02", "dev", "t1")
    ovs.peer.run("ip", "neighbour", "replace", "192.168.77.1", "lladdr", "02:00:00:00:00:01", "dev", "br-int")
    wait_for("a ping through both switches", lambda: "1 received" in user.run("ping", "-c", "1", "-W", "1", "192.168.77.2",
                                                                              check=False), 20)
    ping(user)
    ping(user, "-s", "1300")
    nothing_was_lost(folder, "gtpu")


def run_tests(user, peer, folder):
    test_the_kernels_vxlan(user, peer, folder)
    if not shutil.which("ovs-vswitchd") or not shutil.which("ovsdb-server"):
        print("Open vSwitch's daemons are not installed: left out")
        return
    ovs = OpenVSwitch(peer, folder)
    try:
        ovs.start()
        test_vxlan_of_open_vswitch(user, ovs, folder)
        test_gtpu_of_open_vswitch(user, ovs, folder)
    finally:
        ovs.end()


def main():
    enter_namespace()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    user, peer = Namespace(), Namespace()
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "switch.yaml"
        config.write_text(CONFIG)
        link("u0", "u1", peer, 1500)
        link("t0", "t1", user, 9000)
        user.run("ip", "address", "add", "192.168.77.1/24", "dev", "t1")
        log = open(pathlib.Path(folder) / "log", "w+")
        switch = subprocess.Popen([STROWGER, "switch", "-c", str(config)], stderr=log, env=dict(os.environ, STROWGER_RUN=folder))
        try:
            wait_for("the switch", lambda: socket.create_connection(("127.0.0.1", 16655)).close() is None)
            run_tests(user, peer, folder)
        except BaseException:
            log.seek(0)
            print(log.read()[-4000:])
            print(json.dumps(ports(folder), indent=1) if switch.poll() is None else f"the switch ended: {switch.returncode}")
            raise
        finally:
            switch.terminate()
            switch.wait(10)
            user.end()
            peer.end()


if __name__ == "__main__":
    main()
