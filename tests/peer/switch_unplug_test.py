#!/usr/bin/env python3
"""Ports that come and go while the switch runs, under load: by the tools, and by an interface that is deleted.

    left 10.8.0.1 -- [port 1   switch, 2 threads   port 2] -- right 10.8.0.2       and a third port of every kind

Controllers hear of each (ovs-ofctl monitor), traffic of others goes on, memory stays where it was. Needs what switch_ports_test needs, and iperf3.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from network import STROWGER, UnixConnection, need, wait_for  # noqa: E402
from switch_ports_test import TARGET, Host, enter_namespace, ofctl, prepare  # noqa: E402

ROUNDS = 48
GROWTH_KIB = 12 << 10
THIRD = (
    "type=packet interface=third0",
    "type=xdp xdp_mode=generic interface=third0",
    "type=tap",
    "type=tun",
    "type=patch peer=nobody",
    "type=vhost-user socket={folder}/third.sock queues=2",
    "type=vxlan address=127.0.0.1",
    "type=gtpu address=127.0.0.1",
)
REFUSED = (
    ("name=left type=tap", 'two ports are named "left"'),
    ("name=x number=1 type=tap", "two ports have the number 1"),
    ("name=x type=tapp", "tapp is none of"),
    ("name=x", "type: is missing"),
    ("type=tap", "name: is missing"),
    ("name=a-name-that-is-too-long type=tap", "characters"),
    ("name=x type=packet interface=none0", "does not open"),
    ("name=x type=vxlan address=10.8.0.9 underlay=none", "no port before it"),
    ("name=x type=patch peer=left", "another patch port"),
    ("name=x type=tap colour=red", "colour"),
    ("nonsense", "no KEY=VALUE"),
)


class Switch:
    def __init__(self, folder, hosts):
        self.folder = folder
        config = pathlib.Path(folder) / "switch.yaml"
        ports = "".join(f"    - {{name: {host.name}, type: packet}}\n" for host in hosts)
        config.write_text(f"name: unplug\nlog: warn\nswitch:\n  listen: [{TARGET[4:]}]\n  threads: 2\n  ports:\n{ports}")
        self.environment = dict(os.environ, STROWGER_RUN=folder)
        self.process = subprocess.Popen([STROWGER, "switch", "-c", str(config)], env=self.environment)
        wait_for("the switch", lambda: subprocess.run(["ovs-ofctl", "-O", "OpenFlow13", "show", TARGET], capture_output=True).returncode == 0)

    def tool(self, verb, words, good=True):
        done = subprocess.run([STROWGER, "switch", verb, "switch", *words.split(), "-n", "unplug"], capture_output=True, text=True,
                              env=self.environment, timeout=30)
        assert (done.returncode == 0) == good, f"{verb} {words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def ports(self):
        connection = UnixConnection(f"{self.folder}/unplug/switch.sock")
        connection.request("GET", "/state?what=ports")
        return {port["name"]: port for port in json.loads(connection.getresponse().read())}

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def veth():
    subprocess.run(["ip", "link", "add", "third0", "type", "veth", "peer", "name", "third1"], check=True)
    for name in ("third0", "third1"):
        subprocess.run(["ip", "link", "set", name, "up"], check=True)


def refusals(switch):
    """what can not be is refused, and why is said"""
    before = switch.ports()
    for words, said in REFUSED:
        text = switch.tool("add-port", words, good=False)
        assert said in text, (words, text)
    assert 'no port named "none"' in switch.tool("del-port", "none", good=False)
    assert switch.ports().keys() == before.keys()


def third_port(switch, left):
    """a third port of every kind comes and goes beside a stream, and the stream does not notice"""
    stream = subprocess.Popen(left.command("iperf3", "-c", "10.8.0.2", "-t", "60", "-J"), stdout=subprocess.PIPE, text=True)
    try:
        wait_for("the stream", lambda: switch.ports()["left"]["rx_packets"] > 1000)
        ofctl("add-flow", "priority=40000,in_port=1,actions=output:2,output:3")
        at_start = 0
        for n in range(ROUNDS):
            switch.tool("add-port", f"name=third number=3 {THIRD[n % len(THIRD)].format(folder=switch.folder)}")
            before = switch.ports()["right"]["tx_packets"]
            switch.tool("del-port", "third")
            assert stream.poll() is None, "the stream has ended"
            if n == len(THIRD):
                at_start = switch.resident_kib()
            if n % len(THIRD) == 0:
                wait_for("the stream goes on", lambda: switch.ports()["right"]["tx_packets"] > before)
        grown = switch.resident_kib() - at_start
        print(f"# {ROUNDS} ports came and went; memory grew by {grown} KiB")
        assert grown < GROWTH_KIB, grown
        assert switch.ports()["left"]["drops"].get("no_port", 0) > 0
        ofctl("del-flows", "--strict", "priority=40000,in_port=1")
    finally:
        stream.kill()
        stream.wait()


def output_port(switch, left):
    """the port that a stream goes out by comes and goes; what is sent meanwhile is dropped, and it works again"""
    flood = subprocess.Popen(left.command("ping", "-f", "-s", "1000", "10.8.0.2"), stdout=subprocess.DEVNULL)
    try:
        for _ in range(20):
            switch.tool("del-port", "right")
            switch.tool("add-port", "name=right number=2 type=packet")
    finally:
        flood.kill()
        flood.wait()
    wait_for("an answer", lambda: "1 received" in left.run("ping", "-c", "1", "-W", "1", "10.8.0.2", check=False))


def deleted_interface(switch, left):
    """an interface that is deleted takes its port down, and costs nothing; another in its place works"""
    for kind in ("packet", "xdp xdp_mode=generic"):
        veth()
        switch.tool("add-port", f"name=third number=3 type={kind} interface=third0")
        ofctl("add-flow", "priority=40000,in_port=1,actions=output:2,output:3")
        flood = subprocess.Popen(left.command("ping", "-f", "10.8.0.2"), stdout=subprocess.DEVNULL)
        try:
            wait_for("packets", lambda: switch.ports()["third"]["tx_packets"] > 100)
            subprocess.run(["ip", "link", "del", "third0"], check=True)
            wait_for("the port is down", lambda: not switch.ports()["third"]["up"])
        finally:
            flood.kill()
            flood.wait()
        before = switch.cpu_s()
        time.sleep(2)
        assert switch.cpu_s() - before < 0.5, f"{switch.cpu_s() - before} s of CPU in 2 s without a packet"
        veth()
        switch.tool("del-port", "third")
        switch.tool("add-port", f"name=third number=3 type={kind} interface=third0")
        before = switch.ports()["third"]["tx_packets"]
        left.run("ping", "-c", "3", "-i", "0.1", "10.8.0.2")
        assert switch.ports()["third"]["tx_packets"] >= before + 3
        switch.tool("del-port", "third")
        ofctl("del-flows", "--strict", "priority=40000,in_port=1")
        subprocess.run(["ip", "link", "del", "third0"], check=True)


def main():
    enter_namespace()
    need("iperf3")
    prepare()
    veth()
    hosts = [Host("left", "packet", "10.8.0.1"), Host("right", "packet", "10.8.0.2")]
    left, right = hosts
    with tempfile.TemporaryDirectory() as folder:
        switch = Switch(folder, hosts)
        log = open(pathlib.Path(folder) / "monitor", "w+")
        monitor = subprocess.Popen(["ovs-ofctl", "-O", "OpenFlow13", "monitor", TARGET], stdout=log, stderr=subprocess.STDOUT,
                                   env=dict(os.environ, OVS_RUNDIR=folder))
        server = subprocess.Popen(right.command("iperf3", "-s"), stdout=subprocess.DEVNULL)
        try:
            for host in hosts:
                host.configure()
            ofctl("add-flow", "in_port=1,actions=output:2")
            ofctl("add-flow", "in_port=2,actions=output:1")
            wait_for("an answer", lambda: "1 received" in left.run("ping", "-c", "1", "-W", "1", "10.8.0.2", check=False))
            steps = ((refusals, (switch,)), (third_port, (switch, left)), (output_port, (switch, left)))
            for step, arguments in steps:
                step(*arguments)
                print(f"ok - {step.__doc__}", flush=True)
            subprocess.run(["ip", "link", "del", "third0"], check=True)
            deleted_interface(switch, left)
            print(f"ok - {deleted_interface.__doc__}", flush=True)
            text = pathlib.Path(log.name).read_text()
            counts = {word: len(re.findall(rf"PORT_STATUS \(OF1.3\).*: {word}:", text)) for word in ("ADD", "DEL")}
            assert counts["ADD"] == counts["DEL"] == ROUNDS + 20 + 4, (counts, text[-1000:])
            print("ok - controllers hear of each that comes and goes", flush=True)
        finally:
            for process in (server, monitor):
                process.kill()
                process.wait()
            switch.process.terminate()
            code = switch.process.wait(20)
            for host in hosts:
                host.end()
        assert code == 0, f"the switch ends with {code}"


if __name__ == "__main__":
    main()
