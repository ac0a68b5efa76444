#!/usr/bin/env python3
"""Stock Open vSwitch in place of our switch: phones attach, talk both ways, sleep, are paged, move, and leave.

The operator of examples/operator.yaml without its switch; in its core namespace runs Open vSwitch in user space with a bridge
towards the eNodeBs, which ends the tunnels, and a bridge for the controller, with two gtpu ports and the SGi link:

    ran                 core                                        internet
    eNodeBs -- n3 -- [br-phy 10.0.3.1]  [br-int gtpu0 gtpu1 n6] -- n6 -- 10.99.0.1

Open vSwitch 3.1 computes the outer UDP checksum before the tunnel header is whole, so the receiver must not look at it; an
nft rule clears it. Phones have IPv4 only: that version does not recognise IPv6 in tunnels. Needs openvswitch-switch, ethtool, nft, and root (its ports are raw sockets).
"""
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
from network import STROWGER, TOP, Network, need, skip, wait_for  # noqa: E402

TUNNELS = "10.0.3.1"
ENBS = ("10.0.3.11", "10.0.3.12")

ECHO = """
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.0.3.2", 0))
s.settimeout(5)
%s
"""
# An Echo Request, whose answer must have its sequence number; and a packet in a tunnel that nobody has.
ECHO_REQUEST = ECHO % """
s.sendto(struct.pack("!BBHIHBB", 0x32, 1, 4, 0, 0x4d2, 0, 0), ("10.0.3.1", 2152))
answer, address = s.recvfrom(100)
assert answer[1] == 2 and answer[8:10] == struct.pack("!H", 0x4d2), answer.hex()
print("echo answered")
"""
UNKNOWN_TUNNEL = """
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("10.0.3.2", 2152))
s.settimeout(5)
inner = bytes.fromhex("4500001c000000004011000001020304050607080001000200080000")
s.sendto(struct.pack("!BBHI", 0x30, 255, len(inner), 0xdeadbeef) + inner, ("10.0.3.1", 2152))
answer, address = s.recvfrom(100)
assert answer[1] == 26 and bytes.fromhex("10deadbeef") in answer, answer.hex()
print("error indication")
"""


def configuration():
    """The example without its switch, and with a link of its own for each side of Open vSwitch."""
    text = (TOP / "examples" / "operator.yaml").read_text()
    text = re.sub(r"^name: .*", "name: ovs-peer-test", text, flags=re.M)
    text = re.sub(r"^switch:.*?(?=^\S)", "", text, flags=re.M | re.S)
    text = re.sub(r"^  taps:.*?(?=^  \w)", "", text, flags=re.M | re.S)
    text = text.replace(", switch]", "]")
    text = re.sub(r"^ *- 10\.0\.0\.7/32.*\n", "", text, flags=re.M)
    text = text.replace("addresses: [10.0.1.11/32, 10.0.1.12/32]",
                        "addresses: [10.0.1.11/32, 10.0.1.12/32, 10.0.3.11/32, 10.0.3.12/32]")
    text = re.sub(r"^(  links:\n)", r"\1    - {name: n3, between: [core, ran]}\n    - {name: n6, between: [core, internet]}\n",
                  text, flags=re.M)
    text = re.sub(r"gtpu: 10\.0\.1\.(1[12])", r"gtpu: 10.0.3.\1", text)
    text = re.sub(r"gtpu: \{address: 10\.0\.0\.7\}",
                  "gtpu: {port: gtpu0, signal_port: gtpu1, address: %s, signalling: socket}" % TUNNELS, text)
    text = re.sub(r"port: sgi$", "port: n6", text, flags=re.M)
    # What leads to the phones is known before the link has an address: it is set by hand below.
    text = re.sub(r"^ *- \{namespace: internet, .*\n", "", text, flags=re.M)
    # Open vSwitch 3.1 takes an IPv6 packet out of a tunnel for an Ethernet frame.
    text = text.replace("pdn_type: ipv4v6", "pdn_type: ipv4")
    text = re.sub(r"^ *- \{do: ping, to: \"fd00.*\n", "", text, flags=re.M)
    # Its datapath follows its flow tables some hundred milliseconds late: a barrier does not wait for that.
    text = re.sub(r"^( *)- \{do: (idle|move).*\n", r"\g<0>\1- {do: sleep, duration: 2s}\n", text, flags=re.M)
    text = text.replace("import: subscribers.csv", f"import: {TOP}/examples/subscribers.csv")
    return text


class NetworkWithoutSwitch(Network):
    def all_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"`strowger up` ended with {self.process.returncode}")
        return all(self.is_up(f) for f in ("hss", "mme", "sgw", "pgw", "controller")) and self.get("lab", "/state")

    def waits(self):
        return []  # the controller waits for its switch, which comes later


class OpenVSwitch:
    def __init__(self, net):
        self.net = net
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="strowger-ovs-"))
        self.environment = dict(net.environment, OVS_RUNDIR=str(self.directory), OVS_LOGDIR=str(self.directory))
        self.daemons = []

    def program(self, name, *arguments):
        """A program of Open vSwitch in the core namespace."""
        return [STROWGER, "exec", "-n", self.net.name, "core", name, *arguments]

    def run(self, name, *arguments):
        done = subprocess.run(self.program(name, *arguments), env=self.environment, capture_output=True, text=True,
                              timeout=30)
        if done.returncode != 0:
            raise AssertionError(f"{name} {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def vsctl(self, *arguments):
        return self.run("ovs-vsctl", f"--db=unix:{self.directory}/db.sock", *arguments)

    def daemon(self, name, *arguments):
        log = open(self.directory / f"{name}.out", "w")
        self.daemons.append(subprocess.Popen(self.program(name, *arguments), env=self.environment, stdout=log,
                                             stderr=log, stdin=subprocess.DEVNULL))

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def start(self):
        subprocess.run(["ovsdb-tool", "create", str(self.directory / "conf.db"),
                        "/usr/share/openvswitch/vswitch.ovsschema"], check=True)
        self.daemon("ovsdb-server", str(self.directory / "conf.db"), f"--remote=punix:{self.directory}/db.sock")
        wait_for("the database", lambda: (self.directory / "db.sock").exists())
        self.vsctl("--no-wait", "init")
        self.daemon("ovs-vswitchd", f"unix:{self.directory}/db.sock", "--disable-system")
        self.vsctl("add-br", "br-phy", "--", "set", "bridge", "br-phy", "datapath_type=netdev")
        self.vsctl("add-port", "br-phy", "n3")
        self.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev", "fail-mode=secure",
                   "protocols=OpenFlow13", "other-config:disable-in-band=true")
        self.vsctl("add-port", "br-int", "n6", "--", "set", "interface", "n6", "ofport_request=1")
        # Two transactions: in one they are "the same" tunnel.
        tunnel = ("type=gtpu", "options:remote_ip=flow", "options:key=flow")
        self.vsctl("add-port", "br-int", "gtpu0", "--", "set", "interface", "gtpu0", "ofport_request=2", *tunnel)
        self.vsctl("add-port", "br-int", "gtpu1", "--", "set", "interface", "gtpu1", "ofport_request=3", *tunnel,
                   "options:packet_type=ptap")
        self.run("ip", "addr", "add", f"{TUNNELS}/24", "dev", "br-phy")
        self.run("ip", "link", "set", "br-phy", "up")
        # The first packet to a neighbour that is not known yet would be lost: make the eNodeBs known.
        link = json.loads(self.net.run("exec", "-n", self.net.name, "ran", "ip", "-j", "link", "show", "n3").stdout)
        for enb in ENBS:
            self.appctl("tnl/neigh/set", "br-phy", enb, link[0]["address"])
        self.vsctl("set-controller", "br-int", "tcp:10.0.0.6:6653")

    def appctl(self, *arguments):
        control = next(self.directory.glob("ovs-vswitchd.*.ctl"))
        return self.run("ovs-appctl", "-t", str(control), *arguments)

    def flows(self):
        return self.run("ovs-ofctl", "-O", "OpenFlow13", "dump-flows", f"unix:{self.directory}/br-int.mgmt")

    def __exit__(self, kind, value, trace):
        if kind is not None:
            for log in self.directory.glob("*.log"):
                print(f"--- {log.name}:\n" + log.read_text()[-4000:])
            try:
                print(self.flows())
            except (AssertionError, subprocess.TimeoutExpired):
                pass
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def prepare(net):
    """The ends of the links that the file leaves bare."""
    def in_namespace(name, *command):
        net.run("exec", "-n", net.name, name, *command)

    in_namespace("ran", "ip", "addr", "add", "10.0.3.2/24", "dev", "n3")
    in_namespace("internet", "ip", "addr", "add", "10.99.0.1/24", "dev", "n6")
    in_namespace("internet", "ip", "addr", "add", "fd00:99::1/64", "dev", "n6", "nodad")
    in_namespace("internet", "ip", "route", "add", "10.45.0.0/16", "via", "10.99.0.2")
    in_namespace("internet", "ip", "route", "add", "fd00:45::/48", "via", "fd00:99::2")
    for name, end in (("core", "n3"), ("ran", "n3"), ("core", "n6"), ("internet", "n6")):
        in_namespace(name, "ip", "link", "set", end, "up")
        # A packet with a checksum still to be filled in is dropped by the tunnel port.
        in_namespace(name, "ethtool", "-K", end, "tx", "off")
    # The tunnels' address is br-phy's: the kernel must not answer for it on the bridge's port, with the port's MAC.
    in_namespace("core", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore")
    for rule in ("add table ip raw", "add chain ip raw pre { type filter hook prerouting priority -300; }",
                 "add rule ip raw pre udp dport 2152 udp checksum set 0"):
        in_namespace("ran", "nft", rule)


def python_in(net, namespace, text, what):
    done = net.run("exec", "-n", net.name, namespace, sys.executable, "-c", text)
    assert what in done.stdout, done.stdout + done.stderr


def main():
    need("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ethtool", "nft", "ip")
    if os.geteuid() != 0:
        skip("Open vSwitch's ports need root")
    with NetworkWithoutSwitch("ovs.yaml", text=configuration()) as net:
        prepare(net)
        with OpenVSwitch(net) as ovs:
            wait_for("the switch", lambda: net.get("controller", "/state")["synchronised"])
            wait_for("the next hop", lambda: net.get("controller", "/state?what=exits")[0]["next_hop_mac"] != "-")
            wait_for("both gateways", lambda: len(net.get("controller", "/state?what=nodes")) == 2)
            result = net.scenario("tour", 90)
            print("\n".join(result["lines"]))
            assert result["ok"], "the tour did not succeed"
            metrics = net.metrics("controller")
            assert metrics['strowger_controller_buffered_packets_total{outcome="sent"}'] >= 1
            assert metrics['strowger_controller_gtpu_signals_total{kind="end_marker_sent"}'] >= 1
            assert metrics["strowger_controller_openflow_errors_total"] == 0
            python_in(net, "ran", ECHO_REQUEST, "echo answered")
            python_in(net, "ran", UNKNOWN_TUNNEL, "error indication")
            # All phones have left: what remains is the pipeline's own.
            wait_for("all sessions gone", lambda: net.get("controller", "/state")["sessions"] == 0)
            left = [line for line in ovs.flows().splitlines() if "cookie=0x55" in line]
            assert all(re.search(r"cookie=0x55[0-9a-f]{4}00", line) for line in left), "\n".join(left)


if __name__ == "__main__":
    main()
