#!/usr/bin/env python3
"""Our switch and others: Open vSwitch's ovs-ofctl as controller, the kernel's IP stack behind a TAP, a GTP-U endpoint in Python.

Runs in a network namespace of its own. Needs ovs-ofctl (package openvswitch-common) and unshare.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, UnixConnection, need, skip, wait_for

SWITCH = "127.0.77.1"
ENB = "127.0.77.2"
OPENFLOW = ("127.0.0.1", 16654)
TARGET = "tcp:%s:%d" % OPENFLOW
CONFIG = f"""
name: switch-peer-test
switch:
  datapath_id: 0x11
  listen: [127.0.0.1:16654]
  error_indications_per_second: 10
  ports:
    - {{name: gtpu, type: gtpu, address: {SWITCH}}}
    - {{name: gtpu-signal, type: gtpu-signal}}
    - {{name: sgi, type: tap, interface: sgi0}}
"""
MAC = "02:00:00:00:00:01"


def enter_namespace():
    """Starts this script again in new namespaces; as root of a user namespace when it is not root."""
    if os.environ.get("IN_NAMESPACE"):
        return
    need("unshare", "ip", "ovs-ofctl")
    flags = ["-n"] if os.geteuid() == 0 else ["-r", "-n"]
    if subprocess.run(["unshare", *flags, "true"], capture_output=True).returncode != 0:
        skip("network namespaces are not allowed here")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        skip("/dev/net/tun can not be used here")
    os.execvpe("unshare", ["unshare", *flags, sys.executable, __file__], dict(os.environ, IN_NAMESPACE="1"))


def ofctl(*arguments, fails=False, options=()):
    done = subprocess.run(["ovs-ofctl", "-O", "OpenFlow13", *options, arguments[0], TARGET, *arguments[1:]],
                          capture_output=True, text=True, timeout=30)
    text = done.stdout + done.stderr
    if (done.returncode != 0) != fails and "OFPT_ERROR" not in text:
        raise AssertionError(f"ovs-ofctl {' '.join(arguments)}: {text}")
    return text


def flows(*match):
    """What dump-flows says, without what changes from run to run."""
    text = ofctl("dump-flows", *match)
    return [re.sub(r"duration=[^,]*, ", "", line.strip()) for line in text.splitlines() if "cookie=" in line]


def expect(what, text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError(f"{what}: {part!r} is not in\n{text}")


# ---- ovs-ofctl as controller ----

def test_descriptions():
    expect("show", ofctl("show"), "dpid:0000000000000011", "1(gtpu)", "2(gtpu-signal)", "3(sgi)", "LIVE", "n_tables:255")
    expect("desc", ofctl("dump-desc"), "Strowger")
    expect("tables", ofctl("dump-tables"), "table 0", "254")
    expect("table features", ofctl("dump-table-features"), "tun_{id,src,dst}", "goto_table", "meter")
    expect("group features", ofctl("dump-group-features"), "select group", "fast failover group")
    expect("meter features", ofctl("meter-features"), "drop dscp_remark")
    expect("ports", ofctl("dump-ports"), "3 ports")
    expect("queues", ofctl("queue-stats"), "0 queues")


FLOWS = [
    "cookie=0x5, table=0, n_packets=0, n_bytes=0, idle_timeout=100, priority=100,ip,tun_id=0x11,in_port=1 "
    "actions=set_field:02:00:00:00:00:01->eth_dst,dec_ttl,output:3",
    "cookie=0x0, table=0, n_packets=0, n_bytes=0, priority=90,ip,in_port=3,nw_dst=10.45.0.0/16 "
    "actions=set_field:0x22->tun_id,set_field:127.0.77.2->tun_dst,output:1",
    "cookie=0x0, table=0, n_packets=0, n_bytes=0, priority=80,in_port=2 actions=CONTROLLER:65535",
    "cookie=0x0, table=0, n_packets=0, n_bytes=0, priority=70,tcp6,ipv6_dst=fd00::/64,tp_dst=80 actions=goto_table:1",
    "cookie=0x0, table=0, n_packets=0, n_bytes=0, priority=60,vlan_tci=0x1000/0x1000 actions=pop_vlan,goto_table:2",
    "cookie=0x0, table=0, n_packets=0, n_bytes=0, priority=50,arp,arp_tpa=10.0.0.1,arp_op=1 actions=IN_PORT",
    "cookie=0x0, table=0, n_packets=0, n_bytes=0, priority=40,mpls,mpls_label=5 actions=dec_mpls_ttl,pop_mpls:0x0800,"
    "goto_table:3",
    "cookie=0x0, table=0, n_packets=0, n_bytes=0, priority=0 actions=drop",
    "cookie=0x0, table=1, n_packets=0, n_bytes=0, priority=5,metadata=0x5/0xff "
    "actions=clear_actions,write_actions(set_field:64->nw_ttl,output:3),write_metadata:0x10/0xf0,goto_table:4",
    "cookie=0x0, table=2, n_packets=0, n_bytes=0, priority=5,reg0=0x5 "
    "actions=load:0x7->NXM_NX_REG1[],move:NXM_NX_TUN_IPV4_SRC[]->NXM_NX_TUN_IPV4_DST[],IN_PORT",
]


def test_flows_are_told_as_they_were_configured():
    """Each flow as ovs-ofctl prints it is given to ovs-ofctl, and must come back so."""
    for flow in FLOWS:
        text = re.sub(r"n_packets=0, n_bytes=0, ", "", flow).replace("write_actions(set_field:64->nw_ttl,",
                                                                     "write_actions(")
        ofctl("add-flow", text.replace(", ", ","))
    told = flows()
    assert len(told) == len(FLOWS), told
    for flow in FLOWS:
        if "write_actions" not in flow:
            assert flow in told, f"{flow}\nis not in\n" + "\n".join(told)
    expect("aggregate", ofctl("dump-aggregate"), f"flow_count={len(FLOWS)}")
    assert len(flows("table=0,out_port=3")) == 1
    assert len(flows("cookie=5/-1")) == 1
    assert len(flows("ip")) == 2
    ofctl("mod-flows", "table=0,ip actions=output:3")
    assert sum("actions=output:3" in line for line in flows("table=0,ip")) == 2
    ofctl("del-flows", "cookie=5/-1")
    ofctl("del-flows", "out_port=controller")
    assert len(flows()) == len(FLOWS) - 2
    ofctl("del-flows", "priority=50,arp,arp_tpa=10.0.0.1,arp_op=1", options=["--strict"])
    assert len(flows("arp")) == 0
    ofctl("del-flows")
    assert flows() == []


def test_errors():
    expect("unknown group", ofctl("add-flow", "actions=group:9"), "OFPBAC_BAD_OUT_GROUP")
    expect("unknown meter", ofctl("add-flow", "actions=meter:9,output:3"), "OFPMMFC_UNKNOWN_METER")
    ofctl("add-flow", "table=9,priority=1,in_port=1 actions=drop")
    expect("overlap", ofctl("add-flow", "check_overlap,table=9,priority=1,tun_id=1 actions=drop"), "OFPFMFC_OVERLAP")
    ofctl("del-flows")


def test_groups_and_meters():
    ofctl("add-group", "group_id=1,type=select,bucket=weight:5,output:1,bucket=weight:7,output:3")
    ofctl("add-group", "group_id=2,type=ff,bucket=watch_port:1,output:1,bucket=watch_port:3,output:3")
    ofctl("add-group", "group_id=3,type=indirect,bucket=group:1")
    ofctl("add-group", "group_id=4,type=all,bucket=output:1,bucket=set_field:02:00:00:00:00:09->eth_dst,output:3")
    ofctl("add-flow", "table=3,priority=7 actions=group:3")
    expect("groups", ofctl("dump-groups"), "group_id=1,type=select,bucket=weight:5,actions=output:1,bucket=weight:7",
           "group_id=2,type=ff,bucket=watch_port:1,actions=output:1,bucket=watch_port:3,actions=output:3",
           "group_id=3,type=indirect,bucket=actions=group:1",
           "group_id=4,type=all,bucket=actions=output:1,bucket=actions=set_field:02:00:00:00:00:09->eth_dst,output:3")
    expect("group stats", ofctl("dump-group-stats", "group_id=3"), "ref_count=1")
    expect("chained group", ofctl("del-groups", "group_id=1"), "OFPGMFC_CHAINED_GROUP")
    expect("group exists", ofctl("add-group", "group_id=1,type=all"), "OFPGMFC_GROUP_EXISTS")
    ofctl("mod-group", "group_id=1,type=all,bucket=output:3")
    ofctl("del-groups", "group_id=3")
    assert flows("table=3") == []
    ofctl("del-groups")
    ofctl("add-meter", "meter=1,kbps,burst,stats,band=type=drop,rate=1000,burst_size=100")
    ofctl("add-meter", "meter=2,pktps,band=type=drop,rate=1000")
    ofctl("add-flow", "table=3,priority=8,ip actions=meter:2,goto_table:4")
    expect("meters", ofctl("dump-meters"), "meter=1 kbps burst stats bands=", "type=drop rate=1000 burst_size=100",
           "meter=2 pktps bands=")
    expect("meter stats", ofctl("meter-stats", "meter=2"), "flow_count:1")
    ofctl("del-meters")
    assert flows() == []


def test_bundles():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "flows"
        file.write_text("".join(f"add table=5,tun_id={i} actions=output:3\n" for i in range(3000)))
        ofctl("add-flows", str(file), options=["--bundle"])
        assert len(flows("table=5")) == 3000
        file.write_text("add table=6,tun_id=1 actions=output:3\nadd table=6,tun_id=2 actions=group:77\n")
        expect("failing bundle", ofctl("add-flows", str(file), options=["--bundle"], fails=True), "OFPBAC_BAD_OUT_GROUP",
               "OFPBFC_MSG_FAILED")
        assert flows("table=6") == []
        file.write_text("flow add table=6,tun_id=12 actions=output:1\ngroup add group_id=77,type=all,bucket=output:3\n"
                        "flow add table=6,tun_id=13 actions=group:77\nflow delete table=5\n")
        ofctl("bundle", str(file))
        assert len(flows("table=6")) == 2 and flows("table=5") == []
    ofctl("del-groups")
    ofctl("del-flows")


def test_ports_and_fragments():
    ofctl("mod-port", "3", "no-forward")
    expect("port", ofctl("dump-ports-desc"), "NO_FWD")
    ofctl("mod-port", "3", "forward")
    ofctl("set-frags", "drop")
    assert ofctl("get-frags").strip() == "drop"
    ofctl("set-frags", "normal")


# ---- roles and asynchronous messages, byte by byte ----

class Controller:
    """A controller of few words."""

    def __init__(self):
        self.socket = socket.create_connection(OPENFLOW)
        self.socket.settimeout(5)
        self.buffer = b""
        self.send(0, b"")
        assert self.receive()[0] == 0

    def send(self, kind, body, xid=1, version=4):
        self.socket.sendall(struct.pack(">BBHI", version, kind, 8 + len(body), xid) + body)

    def receive(self):
        while len(self.buffer) < 8 or len(self.buffer) < struct.unpack(">H", self.buffer[2:4])[0]:
            data = self.socket.recv(65536)
            assert data, "the switch closed the connection"
            self.buffer += data
        length = struct.unpack(">H", self.buffer[2:4])[0]
        message, self.buffer = self.buffer[:length], self.buffer[length:]
        return message[1], message[8:]

    def expect(self, kind):
        got, body = self.receive()
        assert got == kind, f"message {got} instead of {kind}: {body.hex()}"
        return body

    def error(self, error, code):
        body = self.expect(1)
        assert struct.unpack(">HH", body[:4]) == (error, code), body[:4].hex()

    def silent(self):
        self.send(20, b"", xid=99)
        self.expect(21)

    def role(self, role, generation):
        self.send(24, struct.pack(">IIQ", role, 0, generation))

    def close(self):
        self.socket.close()


def packet_out(actions, data):
    return struct.pack(">IIH6x", 0xFFFFFFFF, 0xFFFFFFFD, len(actions)) + actions + data


def output(port):
    return struct.pack(">HHIH6x", 0, 16, port, 0xFFFF)


FLOW_MOD_DELETE_ALL = struct.pack(">QQBBHHHIIIH2x", 0, 0, 255, 3, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0) + \
    bytes.fromhex("0001000400000000")


def test_roles():
    one, two = Controller(), Controller()
    one.role(2, 10)
    assert struct.unpack(">I4xQ", one.expect(25)) == (2, 10)
    two.role(2, 9)
    two.error(11, 0)  # stale
    two.role(2, 11)
    assert struct.unpack(">I4xQ", two.expect(25)) == (2, 11)
    status = struct.pack(">IIIB3xQ", 0x4F4E4600, 1911, 3, 0, 11)  # role status: slave, as another became master
    assert one.expect(4) == status
    one.role(0, 0)
    assert struct.unpack(">I4xQ", one.expect(25)) == (3, 11)  # the other one's being master made this one slave
    one.send(14, FLOW_MOD_DELETE_ALL)
    one.error(1, 10)  # IS_SLAVE
    one.send(5, b"")
    one.expect(6)
    one.role(7, 12)
    one.error(11, 2)
    one.send(13, packet_out(output(3), b"\0" * 60))
    one.error(1, 10)
    # Only the master hears of packets.
    two.send(13, packet_out(output(0xFFFFFFFD), b"\x02" * 60))
    body = two.expect(10)
    assert body[16 + 0:][:2] == b"\x00\x01" and body.endswith(b"\x02" * 60)
    one.silent()
    # and the master may choose not to.
    two.send(28, struct.pack(">IIIIII", 0, 0, 0, 0, 0, 0))
    two.send(26, b"")
    assert two.expect(27) == b"\0" * 24
    two.send(13, packet_out(output(0xFFFFFFFD), b"\x02" * 60))
    two.silent()
    one.close()
    two.close()


def test_malformed_messages_are_answered():
    c = Controller()
    c.send(30, b"")
    c.error(1, 1)
    c.send(14, b"\0" * 4)
    c.error(1, 6)
    c.send(18, struct.pack(">HHI", 0x77, 0, 0))
    c.error(1, 2)
    c.send(4, struct.pack(">II", 0x123456, 1))
    c.error(1, 3)
    c.send(6, b"\0" * 24)  # a reply is no request
    c.error(1, 1)
    c.send(2, b"still here?")
    assert c.expect(3) == b"still here?"
    c.close()
    old = socket.create_connection(OPENFLOW)
    old.settimeout(5)
    old.sendall(bytes.fromhex("0100000800000001"))  # OpenFlow 1.0 alone
    data = b""
    try:
        while chunk := old.recv(4096):
            data += chunk
    except ConnectionResetError:
        pass
    assert b"\x04\x01" in data or b"\x01\x01" in data, data.hex()  # HELLO_FAILED
    old.close()


# ---- packets, with the kernel's stack behind the TAP ----

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(source, destination, sequence, payload=b"x" * 56):
    icmp = struct.pack(">BBHHH", 8, 0, 0, 7, sequence) + payload
    icmp = icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:]
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 0, 0x4000, 64, 1, 0, socket.inet_aton(source),
                     socket.inet_aton(destination))
    return ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + icmp


def test_a_phone_pings_through_the_tunnel(enb):
    """Uplink by TEID to the TAP, answer of the kernel, downlink by destination address into the tunnel."""
    mac = re.search(r"link/ether (\S+)", subprocess.check_output(["ip", "link", "show", "sgi0"], text=True)).group(1)
    subprocess.run(["ip", "address", "add", "10.45.255.254/16", "dev", "sgi0"], check=True)
    subprocess.run(["ip", "neighbour", "add", "10.45.0.2", "lladdr", MAC, "dev", "sgi0"], check=True)
    ofctl("add-flow", f"priority=10,ip,in_port=1,tun_id=0x11 actions=set_field:{mac}->eth_dst,set_field:{MAC}->eth_src,"
                      "dec_ttl,output:3")
    ofctl("add-flow", f"priority=10,ip,in_port=3,nw_dst=10.45.0.2 actions=set_field:0x22->tun_id,"
                      f"set_field:{ENB}->tun_dst,output:1")
    for sequence in range(5):
        inner = ping("10.45.0.2", "10.45.255.254", sequence)
        enb.sendto(struct.pack(">BBHI", 0x30, 255, len(inner), 0x11) + inner, (SWITCH, 2152))
        answer = enb.recv(2048)
        flags, kind, length, teid = struct.unpack(">BBHI", answer[:8])
        assert (flags, kind, teid) == (0x30, 255, 0x22) and length == len(answer) - 8
        assert answer[8 + 12:8 + 16] == socket.inet_aton("10.45.255.254")
        assert answer[28] == 0 and struct.unpack(">H", answer[34:36])[0] == sequence  # echo reply
        assert checksum(answer[8:28]) == 0 and checksum(answer[28:]) == 0
    expect("flow counters", "\n".join(flows("table=0")), "n_packets=5, n_bytes=490")


def test_path_messages(enb):
    enb.sendto(bytes.fromhex("320100040000000012340000"), (SWITCH, 2152))
    assert enb.recv(2048) == bytes.fromhex("3202000600000000123400000e00")  # Echo Response
    enb.sendto(struct.pack(">BBHI", 0x30, 255, 20, 0x99) + ping("10.45.0.2", "10.45.255.254", 1)[:20], (SWITCH, 2152))
    answer = enb.recv(2048)  # unknown TEID: Error Indication with it and our address
    assert answer[1] == 26 and struct.pack(">BI", 16, 0x99) in answer
    assert b"\x85\x00\x04" + socket.inet_aton(SWITCH) in answer
    ofctl("add-flow", "priority=10,in_port=2 actions=controller")
    c = Controller()
    end_marker = struct.pack(">BBHI", 0x30, 254, 0, 0x22)
    enb.sendto(end_marker, (SWITCH, 2152))
    body = c.expect(10)
    assert body.endswith(end_marker) and bytes.fromhex("ffff200500002320fe") in body  # tun_gtpu_msgtype 254
    frame = body[-50:]
    # The frame's ends changed round: back to where it came from.
    back = frame[:26] + frame[30:34] + frame[26:30] + frame[34:]
    c.send(13, packet_out(output(2), back))
    assert enb.recv(2048) == end_marker
    c.close()


def state(folder, what):
    connection = UnixConnection(next(pathlib.Path(folder).rglob("switch.sock")))
    connection.request("GET", f"/state?what={what}")
    return json.loads(connection.getresponse().read())


def test_state(folder):
    summary = state(folder, "summary")
    assert summary["datapath_id"] == "0000000000000011" and summary["bundles"] == 2
    ports = {port["name"]: port for port in state(folder, "ports")}
    assert ports["gtpu"]["rx_packets"] == 6 and ports["gtpu"]["drops"] == {"no_match": 1}
    assert any("tun_id=0x11" in flow["match"] for flow in state(folder, "flows&table=0"))
    assert state(folder, "tables")[0]["table"] == 0


def main():
    enter_namespace()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "switch.yaml"
        config.write_text(CONFIG)
        log = open(pathlib.Path(folder) / "log", "w+")
        switch = subprocess.Popen([STROWGER, "switch", "-c", str(config)], stderr=log,
                                  env=dict(os.environ, STROWGER_RUN=folder))
        try:
            wait_for("the switch", lambda: socket.create_connection(OPENFLOW).close() is None)
            for test in (test_descriptions, test_flows_are_told_as_they_were_configured, test_errors,
                         test_groups_and_meters, test_bundles, test_ports_and_fragments, test_roles,
                         test_malformed_messages_are_answered):
                test()
                print(f"ok {test.__name__}", flush=True)
            enb = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            enb.bind((ENB, 2152))
            enb.settimeout(5)
            for test, argument in ((test_a_phone_pings_through_the_tunnel, enb), (test_path_messages, enb),
                                   (test_state, folder)):
                test(argument)
                print(f"ok {test.__name__}", flush=True)
        except BaseException:
            log.seek(0)
            print(log.read()[-3000:])
            raise
        finally:
            switch.send_signal(signal.SIGTERM)
            code = switch.wait(10)
        assert code == 0, f"the switch ended with {code}"


if __name__ == "__main__":
    if not shutil.which(STROWGER):
        skip(f"{STROWGER} is not built")
    main()
