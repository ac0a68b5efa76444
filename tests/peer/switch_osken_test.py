#!/usr/bin/env python3
"""Our switch under os-ken's control: a learning switch between hosts, its statistics, a select group, a meter.

The switch, os-ken (osken_learner.py) and the hosts' ends of the links live in a network namespace; each host in one of its own.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, need, skip, wait_for

HERE = pathlib.Path(__file__).resolve().parent
DOOR = ("127.0.0.1", 16700)
HOSTS = (1, 2, 3)
CONFIG = """
name: switch-osken-test
switch:
  datapath_id: 0x21
  controllers: [127.0.0.1:16653]
  reconnect_max: 100ms
  ports:
    - {name: link1, type: packet}
    - {name: link2, type: packet}
    - {name: link3, type: packet}
"""
# Sends UDP from host 1 to host 2: `count` packets, each from a port of its own or all from one.
SENDER = """
import socket, sys
count, distinct = int(sys.argv[1]), sys.argv[2] == "distinct"
one = None
for n in range(count):
    if distinct or not one:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("10.0.0.1", 20000 + n))
    one.sendto(b"x" * 64, ("10.0.0.2", 9))
"""


def enter_namespace():
    """Starts this script again in new namespaces; as root of a user namespace when it is not root."""
    if os.environ.get("IN_NAMESPACE"):
        return
    need("unshare", "nsenter", "ip", "ping", "osken-manager", STROWGER)
    flags = ["-n"] if os.geteuid() == 0 else ["-r", "-n"]
    if subprocess.run(["unshare", *flags, "true"], capture_output=True).returncode != 0:
        skip("network namespaces are not allowed here")
    os.execvpe("unshare", ["unshare", *flags, sys.executable, __file__], dict(os.environ, IN_NAMESPACE="1"))


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


class Host:
    """A namespace that lives as long as its first process, 10.0.0.N on its side of linkN."""

    def __init__(self, n):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        ip("link", "add", f"link{n}", "type", "veth", "peer", "name", f"host{n}", "address", f"02:00:00:00:00:0{n}")
        ip("link", "set", f"host{n}", "netns", str(self.holder.pid))
        ip("link", "set", f"link{n}", "up")
        self.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", check=False)
        self.run("ip", "link", "set", f"host{n}", "up")
        self.run("ip", "addr", "add", f"10.0.0.{n}/24", "dev", f"host{n}")

    def run(self, *command, check=True):
        done = subprocess.run(["nsenter", "-t", str(self.holder.pid), "-n", *command], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0 or not check, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def ping(self, n, count):
        text = self.run("ping", "-c", str(count), "-i", "0.2", "-W", "5", f"10.0.0.{n}")
        assert f"{count} received" in text, text

    def send(self, count, how):
        self.run(sys.executable, "-c", SENDER, str(count), how)

    def close(self):
        self.holder.kill()
        self.holder.wait()


def ask(word):
    with socket.create_connection(DOOR, timeout=30) as connection:
        connection.sendall(word.encode())
        data = b"".join(iter(lambda: connection.recv(65536), b""))
    told = json.loads(data)
    assert "answer" in told and told["errors"] == [], told
    return told["answer"]


def packets_to(n):
    return [f["packets"] for f in ask("flows") if f["eth_dst"] == f"02:00:00:00:00:0{n}"]


def test_hosts_find_each_other(hosts):
    hosts[0].ping(2, 3)
    hosts[1].ping(3, 3)
    hosts[2].ping(1, 3)


def test_flows_that_were_learned_count(hosts):
    told = ask("flows")
    assert sorted(f["eth_dst"] for f in told if f["priority"] == 10) == [f"02:00:00:00:00:0{n}" for n in HOSTS], told
    assert [f["eth_dst"] for f in told if f["priority"] == 0] == [None], told
    before = [packets_to(n)[0] for n in (1, 2)]
    hosts[0].ping(2, 10)
    after = [packets_to(n)[0] for n in (1, 2)]
    assert all(b - a >= 10 for a, b in zip(before, after)), (before, after)


def wait_for_packets(what, count, total):
    """The answer, once the switch has seen so many packets."""
    wait_for(f"{count} packets", lambda: total(ask(what)) >= count)
    told = ask(what)
    assert total(told) == count, told
    return told


def test_a_select_group_spreads_conversations(hosts):
    assert ask("group") == [0, 0]
    hosts[0].send(200, "distinct")
    spread = wait_for_packets("group", 200, sum)
    assert min(spread) >= 60, spread
    hosts[0].send(50, "one")
    after = wait_for_packets("group", 250, sum)
    assert sorted(b - a for a, b in zip(spread, after)) == [0, 50], (spread, after)


def test_a_meter_drops(hosts):
    assert ask("meter") == {"packets": 0, "dropped": 0, "flows": 1}
    start = time.time()
    hosts[0].send(100, "one")
    told = wait_for_packets("meter", 100, lambda meter: meter["packets"])
    passed = 100 - told["dropped"]
    assert 5 <= passed <= 5 + time.time() - start + 1, told


def main():
    enter_namespace()
    ip("link", "set", "lo", "up")
    hosts, processes = [], []
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "switch.yaml"
        config.write_text(CONFIG)
        log = open(pathlib.Path(folder) / "log", "w+")
        environment = dict(os.environ, STROWGER_RUN=folder)
        try:
            hosts.extend(Host(n) for n in HOSTS)
            for command in ([STROWGER, "switch", "-c", str(config)],
                            ["osken-manager", "--ofp-listen-host", "127.0.0.1", "--ofp-tcp-listen-port", "16653",
                             str(HERE / "osken_learner.py")]):
                processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment))
            wait_for("os-ken with the switch", lambda: ask("ready"), 30)
            for test in (test_hosts_find_each_other, test_flows_that_were_learned_count,
                         test_a_select_group_spreads_conversations, test_a_meter_drops):
                test(hosts)
                print(f"ok {test.__name__}", flush=True)
        except BaseException:
            log.seek(0)
            print(log.read()[-3000:])
            raise
        finally:
            for process in processes:
                process.terminate()
                process.wait(10)
            for host in hosts:
                host.close()


if __name__ == "__main__":
    main()
