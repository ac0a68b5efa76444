#!/usr/bin/env python3
"""The tools `strowger switch VERB TARGET` against our switch and against Open vSwitch, beside ovs-ofctl.

What our tool adds, ovs-ofctl reads as if it had added it itself; what ovs-ofctl adds, our tool reads so that it can be given
back. Runs in a network namespace of its own. Needs Open vSwitch (ovs-vswitchd in user space, ovs-ofctl), unshare and ip.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, need, skip, wait_for  # noqa: E402

FRAME = "0200000000010200000000020800" + "4500001c000000004011000001020304050607080001000200080000"

FLOWS = [
    "table=0,priority=100,ip,in_port=1,nw_dst=10.45.0.0/16,actions=set_field:02:00:00:00:00:01->eth_dst,dec_ttl,output:2",
    "cookie=0x5,table=0,idle_timeout=100,hard_timeout=200,send_flow_rem,priority=90,tcp,tp_dst=80,actions=output:1,output:2",
    "table=0,priority=80,tun_id=0x11,actions=CONTROLLER:128",
    "table=0,priority=70,ipv6,ipv6_dst=fd00::/64,actions=goto_table:1",
    "table=0,priority=60,vlan_tci=0x1000/0x1000,actions=pop_vlan,goto_table:2",
    "table=0,priority=50,arp,arp_tpa=10.0.0.1,arp_op=1,actions=IN_PORT",
    "table=0,priority=40,mpls,mpls_label=5,actions=dec_mpls_ttl,pop_mpls:0x0800,goto_table:3",
    "table=0,priority=30,udp,tp_src=53,actions=push_vlan:0x8100,set_field:4101->vlan_vid,output:2",
    "table=0,priority=20,icmp6,icmp_type=135,actions=drop",
    "table=0,priority=0,actions=drop",
    "table=1,priority=5,metadata=0x5/0xff,actions=clear_actions,write_actions(output:2),write_metadata:0x10/0xf0,goto_table:4",
    "table=2,priority=5,reg0=0x5,actions=load:0x7->NXM_NX_REG1[],move:NXM_NX_REG2[0..15]->NXM_NX_REG3[16..31],IN_PORT",
    "table=4,priority=7,ip,actions=group:1",
    "table=5,priority=7,ip,actions=meter:1,output:1",
]
GROUPS = [
    "group_id=1,type=all,bucket=actions=output:1,bucket=actions=output:2",
    "group_id=2,type=select,bucket=weight:5,actions=output:1,bucket=weight:3,actions=output:2",
    "group_id=3,type=indirect,bucket=actions=set_field:0x5->tun_id,output:1",
    "group_id=4,type=fast_failover,bucket=watch_port:1,actions=output:1,bucket=watch_port:2,actions=output:2",
]
METERS = ["meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100", "meter=2,pktps,bands=type=drop,rate=5"]


def enter_namespace():
    if os.environ.get("IN_NAMESPACE"):
        return
    need("unshare", "ip", "ovs-ofctl", "ovs-vswitchd", "ovsdb-server", "ovsdb-tool", "ovs-vsctl")
    if os.geteuid() != 0:
        skip("Open vSwitch's ports need root")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        skip("network namespaces are not allowed here")
    os.execvpe("unshare", ["unshare", "-n", sys.executable, __file__], dict(os.environ, IN_NAMESPACE="1"))


class Peer:
    """A switch: ours, or Open vSwitch."""

    def __init__(self, directory):
        self.directory = directory
        self.environment = dict(os.environ, STROWGER_RUN=str(directory), OVS_RUNDIR=str(directory), OVS_LOGDIR=str(directory))
        self.processes = []

    def daemon(self, *command):
        log = open(self.directory / f"{pathlib.Path(command[0]).name}.out", "w")
        self.processes.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def run(self, *command, code=0, text=None):
        done = subprocess.run(command, env=self.environment, input=text, capture_output=True, text=True, timeout=120)
        if done.returncode != code:
            raise AssertionError(f"{' '.join(command)[:300]}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout + done.stderr

    def tool(self, verb, *arguments, code=0, text=None):
        return self.run(STROWGER, "switch", verb, self.target, *arguments, code=code, text=text)

    def ovs(self, verb, *arguments):
        return self.run("ovs-ofctl", "-O", "OpenFlow13", verb, self.target, *arguments)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Ours(Peer):
    name = "ours"
    target = "tcp:127.0.0.1:16664"

    def start(self):
        file = self.directory / "ours.yaml"
        file.write_text("name: ofctl-test\nswitch:\n  datapath_id: 0x11\n  listen: [127.0.0.1:16664]\n  ports:\n"
                        "    - {name: a1, type: packet}\n    - {name: a2, type: packet}\n")
        self.daemon(STROWGER, "switch", "-c", str(file))
        wait_for("our switch", lambda: subprocess.run([STROWGER, "switch", "probe", self.target, "--count", "1"],
                                                      capture_output=True).returncode == 0)


class OpenVSwitch(Peer):
    name = "Open vSwitch"

    def start(self):
        d = self.directory
        self.target = f"unix:{d}/br0.mgmt"
        self.run("ovsdb-tool", "create", str(d / "conf.db"), "/usr/share/openvswitch/vswitch.ovsschema")
        self.daemon("ovsdb-server", str(d / "conf.db"), f"--remote=punix:{d}/db.sock")
        wait_for("the database", lambda: (d / "db.sock").exists())
        vsctl = ("ovs-vsctl", f"--db=unix:{d}/db.sock")
        self.run(*vsctl, "--no-wait", "init")
        self.daemon("ovs-vswitchd", f"unix:{d}/db.sock", "--disable-system")
        self.run(*vsctl, "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev", "fail-mode=secure",
                 "protocols=OpenFlow13")
        self.run(*vsctl, "add-port", "br0", "b1", "--", "set", "interface", "b1", "ofport_request=1")
        self.run(*vsctl, "add-port", "br0", "b2", "--", "set", "interface", "b2", "ofport_request=2")
        wait_for("the bridge", lambda: (d / "br0.mgmt").exists())


def lines(text):
    """A dump's lines without what changes from run to run."""
    found = [re.sub(r"(duration|n_packets|n_bytes)=[^,]*, ", "", line.strip()) for line in text.splitlines() if "=" in line and "reply" not in line]
    return sorted(found)


def clear(peer):
    peer.tool("del-flows")
    peer.tool("del-groups")
    peer.tool("del-meters")


def fill(add):
    for verb, texts in (("add-group", GROUPS), ("add-meter", METERS), ("add-flow", FLOWS)):
        for text in texts:
            add(verb, text)


def test_both_tools_say_the_same(peer):
    clear(peer)
    fill(peer.tool)
    ours = [lines(peer.ovs(verb)) for verb in ("dump-flows", "dump-groups", "dump-meters")]
    assert len(ours[0]) == len(FLOWS) and len(ours[1]) == len(GROUPS), ours
    read = [lines(peer.tool(verb)) for verb in ("dump-flows", "dump-groups", "dump-meters")]
    clear(peer)
    assert not [line for line in lines(peer.ovs("dump-flows")) if "cookie" in line]
    fill(peer.ovs)
    theirs = [lines(peer.ovs(verb)) for verb in ("dump-flows", "dump-groups", "dump-meters")]
    assert ours == theirs, f"{ours}\nis not\n{theirs}"
    again = [lines(peer.tool(verb)) for verb in ("dump-flows", "dump-groups", "dump-meters")]
    assert read == again, f"{read}\nis not\n{again}"


def test_what_is_dumped_can_be_given_back(peer):
    """By our tool to ours, by ours to ovs-ofctl, by ovs-ofctl to ours."""
    before = lines(peer.ovs("dump-flows"))
    dump = peer.tool("dump-flows")
    assert peer.tool("diff-flows", "-", text=dump) == ""
    assert peer.tool("diff-flows", "-", text=peer.ovs("dump-flows")) == ""
    peer.tool("del-flows")
    peer.tool("add-flows", "-", text=dump)
    assert lines(peer.ovs("dump-flows")) == before
    file = peer.directory / "flows.txt"
    file.write_text("\n".join(re.sub(r"(duration|n_packets|n_bytes)=[^,]*, ", "", line.strip()).replace(", ", ",")
                              for line in dump.splitlines()))
    peer.ovs("del-flows")
    peer.ovs("add-flows", str(file))
    assert lines(peer.ovs("dump-flows")) == before


def test_replace_and_diff(peer):
    wanted = "table=0,priority=1,ip,actions=output:1\ntable=0,priority=2,arp,actions=output:2\n"
    told = peer.tool("diff-flows", "-", text=wanted, code=2)
    assert "+table=0,priority=2,arp actions=output:2" in told and "-table=5" in told, told
    peer.tool("replace-flows", "-", "--bundle", text=wanted)
    assert peer.tool("diff-flows", "-", text=wanted) == ""
    assert len(lines(peer.tool("dump-flows"))) == 2
    peer.tool("mod-flows", "ip,actions=output:2")
    assert "priority=1,ip actions=output:2" in peer.tool("dump-flows", "ip")
    peer.tool("del-flows", "--strict", "table=0,priority=2,arp")
    assert len(lines(peer.tool("dump-flows"))) == 1
    rows = json.loads(peer.tool("dump-flows", "--json"))
    assert rows[0]["match"] == "ip" and rows[0]["priority"] == 1, rows


def test_errors_name_the_line(peer):
    peer.tool("del-flows")
    good = "".join(f"priority={n},ip,actions=output:1\n" for n in range(1, 6))
    told = peer.tool("add-flows", "-", text=good + "ip,actions=outptu:1\n", code=1)
    assert "(standard input):6: this is no action; did you mean output?" in told, told
    peer.tool("del-flows")
    refused = good + "priority=9,ip,actions=group:77\n" + good
    told = peer.tool("add-flows", "-", text=refused, code=1)
    assert "(standard input):6: the switch refused this with BAD_ACTION/BAD_OUT_GROUP" in told, told
    assert len(lines(peer.tool("dump-flows"))) == 5
    peer.tool("del-flows")
    told = peer.tool("add-flows", "-", "--bundle", text=refused, code=1)
    assert "nothing was changed" in told, told
    assert not lines(peer.tool("dump-flows")), "a bundle that failed left flows"


def test_many(peer):
    count = 20000
    text = "".join(f"priority=5,ip,nw_dst=10.{n >> 16}.{n >> 8 & 255}.{n & 255},actions=output:{1 + n % 2}\n"
                   for n in range(count))
    peer.tool("add-flows", "-", text=text)
    assert f"flow_count={count}" in peer.tool("dump-aggregate")
    assert len(lines(peer.tool("dump-flows"))) == count
    assert peer.tool("diff-flows", "-", text=text) == ""
    peer.tool("del-flows")


def test_descriptions_and_ports(peer):
    shown = json.loads(peer.tool("show", "--json"))
    ports = {p["port"]: p for p in shown["ports"]}
    assert shown["tables"] >= 254 and 1 in ports and 2 in ports, shown
    assert "software" in peer.tool("dump-desc")
    name = ports[1]["name"]
    peer.tool("add-flow", "--names", f"in_port={name},actions=output:{ports[2]['name']}")
    assert f"in_port={name} actions=output:{ports[2]['name']}" in peer.tool("dump-flows", "--names")
    assert f"port={name}" in peer.tool("dump-ports", "--names")
    peer.tool("mod-port", name, "no-packet-in")
    shown = json.loads(peer.tool("show", "--json"))
    assert "no-packet-in" in next(p for p in shown["ports"] if p["port"] == 1)["config"], shown
    peer.tool("mod-port", "1", "packet-in")
    peer.tool("mod-port", "99", "down", code=1)
    peer.tool("mod-port", "1", "sideways", code=1)
    assert "8 octets from" in peer.tool("ping", "--count", "2")
    assert '"role": "equal"' in peer.tool("get-role", "--json")
    assert '"role": "master"' in peer.tool("set-role", "master", "5", "--json")


def test_monitor_sees_packets(peer):
    monitor = subprocess.Popen([STROWGER, "switch", "monitor", peer.target, "--count", "1"], stdout=subprocess.PIPE, text=True,
                               env=peer.environment)

    def ended():
        peer.tool("packet-out", f"in_port=1,packet={FRAME},actions=CONTROLLER:65535")
        return monitor.poll() is not None

    try:
        wait_for("a packet-in", ended)
        told = monitor.stdout.read()
    finally:
        monitor.kill()
        monitor.wait()
    assert "PACKET_IN reason=action" in told and "in_port=1" in told and "1.2.3.4:1 > 5.6.7.8:2" in told, told


def test_trace(peer):
    clear(peer)
    for flow in ("priority=9,ip,nw_dst=10.0.0.9,actions=drop", "priority=5,ip,actions=dec_ttl,load:3->reg0[],goto_table:1",
                 "table=1,reg0=3,actions=write_actions(output:2)"):
        peer.tool("add-flow", flow)
    command = (STROWGER, "switch", "trace", "switch")
    told = peer.run(*command, "ip,in_port=1,nw_dst=10.0.0.1,nw_ttl=9")
    for part in ("table 0: priority=5,ip actions=", "not priority=9,ip,ip_dst=10.0.0.9 actions=drop: ip_dst is 10.0.0.1",
                 "nw_ttl was 9, is 8", "reg0 was 0, is 0x3", "table 1:", "leaves by a2"):
        assert part in told, f"{part!r} is not in\n{told}"
    told = json.loads(peer.run(*command, "--json", "--packet", FRAME, "in_port=2"))
    assert told["verdict"].startswith("dropped") and len(told["tables"]) == 2, told
    assert "expected a field" in peer.run(*command, "colour=red", code=1)
    # The name also finds the address to speak OpenFlow at.
    assert "reg0" in peer.run(STROWGER, "switch", "dump-flows", "switch")
    assert "no switch of this name" in peer.run(STROWGER, "switch", "dump-flows", "nobody", code=1)


def main():
    enter_namespace()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for end in "ab":
        subprocess.run(["ip", "link", "add", f"{end}1", "type", "veth", "peer", "name", f"{end}2"], check=True)
        for n in "12":
            subprocess.run(["ip", "link", "set", f"{end}{n}", "up"], check=True)
    for kind in (Ours, OpenVSwitch):
        peer = kind(pathlib.Path(tempfile.mkdtemp(prefix="strowger-ofctl-")))
        try:
            peer.start()
            for test in (test_both_tools_say_the_same, test_what_is_dumped_can_be_given_back, test_replace_and_diff,
                         test_errors_name_the_line, test_many, test_descriptions_and_ports, test_monitor_sees_packets):
                print(f"{kind.name}: {test.__name__}", flush=True)
                test(peer)
            if kind is Ours:
                test_trace(peer)
        finally:
            peer.stop()
            shutil.rmtree(peer.directory, ignore_errors=True)


if __name__ == "__main__":
    main()
