#!/usr/bin/env python3
"""Our switch beside Open vSwitch's userspace: the same namespaces, the same sender, one after the other.

Usage: bench/switch_peer.py [--quick] [--rounds N] [--max-rules N] [--parts forward,xdp,gtpu,rules,flow-mods,packet-in,latency]

    left                     switch                                 right
    sender --- oura veth --- [port 1    strowger     port 2] --- ourb veth --- counted
    sender --- ovsa veth --- [port 1  Open vSwitch   port 2] --- ovsb veth --- counted
                             [port 3, tunnels         ourt, ovst] --- veth --- counted, or sender

Both switches run all the time, each with links of its own; the one that is not measured is stopped (SIGSTOP). Everything of a
switch runs on core 1, everything of the load on core 0 (bench/traffic.c tells which work the kernel does where). A figure is the
median of ROUNDS rounds in which the two alternate, first one first and then the other.

"Sustained" is the highest rate found by bisection at which less than 1 % is lost or left in queues; "overload" is what comes out
when the sender sends all it can; a figure with + is all that the sender could offer, so the switch may do more. CPU is that of
the switch's threads, with what the kernel does in their name. Needs root, and openvswitch-switch for the comparison; without it
our switch is measured alone.
"""
import argparse
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / "build"
sys.path.insert(0, str(TOP / "tests"))
from network import STROWGER, wait_for  # noqa: E402

LOAD_CORE, SWITCH_CORE = 0, 1
PARTS = ("forward", "xdp", "gtpu", "rules", "flow-mods", "packet-in", "latency")
NAMESPACE = f"swb{os.getpid()}-"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
NOBODY = "02:00:00:00:00:99"  # the far end of tunnels: no interface has it, so nobody takes the packets
PR_SET_PDEATHSIG = 1


class Unable(Exception):
    """What a switch cannot do, in the words of the table."""


def on_core(core):
    """For preexec_fn: the child stays on that core, and does not outlive this program."""
    def prepare():
        os.sched_setaffinity(0, {core})
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return prepare


def run(*command, timeout=300, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout, **more)
    if done.returncode != 0:
        raise Unable(f"{pathlib.Path(str(command[0])).name}: {(done.stderr or done.stdout).strip()[-200:]}")
    return done.stdout


def inside(namespace, *command, **more):
    return run("ip", "netns", "exec", NAMESPACE + namespace, *command, **more)


def address_of(namespace, interface):
    return inside(namespace, "cat", f"/sys/class/net/{interface}/address").strip()


# ---- the network ----

def add_link(name, outside, mtu=1500):
    run("ip", "link", "add", name, "netns", NAMESPACE + "switch", "mtu", mtu, "type", "veth",
        "peer", name, "netns", NAMESPACE + outside, "mtu", mtu)
    for namespace in ("switch", outside):
        inside(namespace, "ethtool", "-K", name, "tx", "off")  # whole checksums, and no frame longer than the MTU
        inside(namespace, "ip", "link", "set", name, "up")


@contextlib.contextmanager
def network():
    try:
        for namespace in ("left", "switch", "right"):
            run("ip", "netns", "add", NAMESPACE + namespace)
            inside(namespace, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6;"
                                          "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore; ip link set lo up")
        for switch in ("our", "ovs"):
            for name, outside in (("a", "left"), ("b", "right"), ("xa", "left"), ("xb", "right")):
                add_link(switch + name, outside)
            add_link(switch + "t", "right", mtu=1700)
        inside("switch", "ip", "address", "add", "10.1.0.1/24", "dev", "ourt")
        inside("switch", "ip", "neigh", "add", "10.1.0.2", "lladdr", NOBODY, "dev", "ourt", "nud", "permanent")
        yield
    finally:
        for namespace in ("left", "switch", "right"):
            subprocess.run(["ip", "netns", "delete", NAMESPACE + namespace], capture_output=True)


# ---- the switches ----

class Switch:
    """One of the two, with its processes."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="strowger-bench-"))
        self.processes = []

    def start_process(self, *command, **environment):
        output = open(self.directory / "output", "a")
        process = subprocess.Popen(["ip", "netns", "exec", NAMESPACE + "switch", *map(str, command)],
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                                   env=dict(os.environ, **environment), preexec_fn=on_core(SWITCH_CORE))
        output.close()
        self.processes.append(process)
        return process

    def wait(self, condition):
        try:
            wait_for(self.name, condition)
        except AssertionError:
            raise Unable((self.directory / "output").read_text()[-300:]) from None

    def answers(self):
        try:
            return self.pump("delete") > 0
        except Unable:
            return False

    def leave(self):
        """What must be done before it is ended."""

    def pause(self):
        self.main.send_signal(signal.SIGSTOP)

    def resume(self):
        self.main.send_signal(signal.SIGCONT)

    def resident(self):
        for line in pathlib.Path(f"/proc/{self.main.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Unable("it has ended")

    def cpu_seconds(self):
        threads = pathlib.Path(f"/proc/{self.main.pid}/task").glob("*/schedstat")
        return sum(int(t.read_text().split()[0]) for t in threads) / 1e9

    def pump(self, *arguments):
        """What openflow_pump counted, a second."""
        if self.main.poll() is not None:
            raise Unable(f"ended with {self.main.returncode}")
        out = inside("switch", BUILD / "openflow_pump", self.openflow, *arguments, preexec_fn=on_core(LOAD_CORE))
        count, seconds = out.split()
        return float(count) / float(seconds)

    def add_rules(self, shape, first, last, bundle=10000):
        return self.pump("add", shape, first, last, bundle, self.peer)

    def ofctl(self, file, *options):
        """Seconds that ovs-ofctl add-flows takes."""
        start = time.monotonic()
        inside("switch", "ovs-ofctl", "-O", "OpenFlow13", *options, "add-flows", f"tcp:{self.openflow}", file,
               preexec_fn=on_core(LOAD_CORE))
        return time.monotonic() - start

    def stop(self):
        self.leave()
        for process in reversed(self.processes):
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Strowger(Switch):
    name, short, openflow, peer, local = "Strowger", "our", "127.0.0.1:6654", "10.1.0.2", "10.1.0.1"

    def start(self, kind):
        polls = "  busy_us: 1000000000\n" if kind == "afxdp" else ""  # as Open vSwitch's PMD threads never sleep
        kind = "xdp, xdp_mode: generic" if kind.startswith("afxdp") else "packet"
        prefix = "our" + ("x" if kind.startswith("xdp") else "")
        file = self.directory / "bench.yaml"
        file.write_text(f"name: {NAMESPACE}our\nlog: warn\nswitch:\n  listen: [{self.openflow}]\n{polls}  ports:\n"
                        f"    - {{name: a, number: 1, type: {kind}, interface: {prefix}a}}\n"
                        f"    - {{name: b, number: 2, type: {kind}, interface: {prefix}b}}\n"
                        f"    - {{name: gtpu, number: 3, type: gtpu, address: {self.local}}}\n")
        self.main = self.start_process(STROWGER, "switch", "-c", file, STROWGER_RUN=str(self.directory))
        self.wait(self.answers)
        self.tunnel_mac = address_of("switch", "ourt")


class OpenVSwitch(Switch):
    name, short, openflow, peer, local = "Open vSwitch", "ovs", "127.0.0.1:6655", "10.2.0.2", "10.2.0.1"

    def program(self, name, *arguments):
        return inside("switch", name, *arguments, timeout=30,
                      env=dict(os.environ, OVS_RUNDIR=str(self.directory), OVS_LOGDIR=str(self.directory)))

    def vsctl(self, *arguments):
        return self.program("ovs-vsctl", "--timeout=20", f"--db=unix:{self.directory}/db.sock", *arguments)

    def appctl(self, *arguments):
        return self.program("ovs-appctl", "-t", next(self.directory.glob("ovs-vswitchd.*.ctl")), *arguments)

    def start(self, kind):
        if not shutil.which("ovs-vswitchd") or not shutil.which("ovsdb-server"):
            raise Unable("is not installed")
        place = {"OVS_RUNDIR": str(self.directory), "OVS_LOGDIR": str(self.directory)}
        run("ovsdb-tool", "create", self.directory / "conf.db", SCHEMA)
        self.start_process("ovsdb-server", self.directory / "conf.db", f"--remote=punix:{self.directory}/db.sock", **place)
        self.wait(lambda: (self.directory / "db.sock").exists())
        self.vsctl("--no-wait", "init")
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", f"other_config:pmd-cpu-mask={1 << SWITCH_CORE:#x}")
        self.main = self.start_process("ovs-vswitchd", f"unix:{self.directory}/db.sock", "--disable-system", **place)
        self.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev", "fail-mode=secure",
                   "protocols=OpenFlow13", "other-config:disable-in-band=true")
        self.vsctl("set-controller", "br-int", f"ptcp:{self.openflow.split(':')[1]}:127.0.0.1")
        for number, end in enumerate(("a", "b"), 1):
            port = "ovs" + ("x" if kind.startswith("afxdp") else "") + end
            options = ("options:xdp-mode=generic", f"type={kind}") if kind.startswith("afxdp") else ()
            self.vsctl("add-port", "br-int", port, "--", "set", "interface", port, f"ofport_request={number}", *options)
            if self.vsctl("get", "interface", port, "error").strip() not in ("[]", '""'):
                raise Unable(self.vsctl("get", "interface", port, "error").strip())
        if kind == "packet":
            self.add_tunnels()

    def leave(self):
        """Interfaces of bridges outlive the daemon unless it is told."""
        with contextlib.suppress(Unable, AttributeError, StopIteration, subprocess.TimeoutExpired):
            self.resume()
            self.appctl("exit", "--cleanup")
            self.main.wait(20)

    def add_tunnels(self):
        self.vsctl("add-br", "br-phy", "--", "set", "bridge", "br-phy", "datapath_type=netdev")
        self.vsctl("add-port", "br-phy", "ovst")
        self.vsctl("add-port", "br-int", "gtpu0", "--", "set", "interface", "gtpu0", "ofport_request=3", "type=gtpu",
                   "options:remote_ip=flow", "options:key=flow")
        inside("switch", "ip", "address", "add", f"{self.local}/24", "dev", "br-phy")
        inside("switch", "ip", "link", "set", "br-phy", "up")
        self.appctl("tnl/neigh/set", "br-phy", self.peer, NOBODY)
        self.tunnel_mac = address_of("switch", "br-phy")


@contextlib.contextmanager
def both(kind, table, kinds=(Strowger, OpenVSwitch)):
    """Those that can be had with ports of that kind, each stopped."""
    switches = []
    try:
        for kind_of in kinds:
            switch = kind_of()
            switches.append(switch)
            try:
                switch.start(kind)
                switch.pause()
                switch.able = True
            except Unable as why:
                switch.able = False
                table.say(f"{switch.name} {why}")
        yield [s for s in switches if s.able]
    finally:
        for switch in switches:
            switch.stop()


# ---- the load ----

class Traffic:
    """traffic.c through one switch. `shape` names rules; decap sends into the tunnels, all else into port 1."""

    ran_ns = waited_ns = 0  # of all senders: how quiet the machine was

    def __init__(self, switch, shape, rules, size, xdp=False):
        name = switch.short + ("x" if xdp else "")
        left, right = f"{NAMESPACE}left/{name}a", f"{NAMESPACE}right/{name}b"
        tunnels = f"{NAMESPACE}right/{switch.short}t"
        ends = {"decap": (tunnels, left), "encap": (left, tunnels)}.get(shape, (left, right))
        outer = (switch.tunnel_mac, switch.peer, switch.local) if shape == "decap" else ()
        self.alone = True  # on its core
        self.process = subprocess.Popen([str(BUILD / "traffic"), *ends, shape, str(rules), str(size), *outer],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        start_new_session=True, preexec_fn=on_core(LOAD_CORE))

    def command(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise Unable("the sender has ended")
        return [float(w) for w in line.split()]

    def rates(self, rate, warm_ms, ms):
        sent, received, seconds = self.command("run", rate, warm_ms, ms)
        return sent / seconds, received / seconds

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ran, waited, _ = pathlib.Path(f"/proc/{self.process.pid}/schedstat").read_text().split()
        if self.alone:
            Traffic.ran_ns += int(ran)
            Traffic.waited_ns += int(waited)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def carried(traffic, rate, o):
    """What comes out at that rate, 0 when too much is lost. A failure may be somebody else's: ask thrice."""
    sent, received = traffic.rates(rate, 100, o.step_ms)
    return received if received >= 0.99 * sent and sent >= 0.9 * rate else 0


def limits(switch, traffic, o):
    """Packets a second: sustained, overload, what the sender could offer; the switch's CPU microseconds a packet at overload."""
    cpu, start = switch.cpu_seconds(), time.monotonic()
    offered, overload = traffic.rates(0, o.warm_ms, o.window_ms)
    busy = (switch.cpu_seconds() - cpu) / (time.monotonic() - start)
    each = busy * 1e6 / overload if overload else float("nan")
    if overload >= 0.99 * offered:
        return overload, overload, offered, each
    low, high, rate = 0.0, offered, min(max(overload, offered / 50), 0.98 * offered)
    for _ in range(o.steps):
        received = next(filter(None, (carried(traffic, rate, o) for _ in range(3))), 0)
        if received:
            low = received
            rate = (rate + high) / 2
        else:
            high = rate
            rate = (low + high) / 2
    return low, overload, offered, each


# ---- the table ----

class Table:
    def __init__(self):
        self.measured = {}

    def title(self, text):
        print(f"\n{text}\n{'':44} {'Strowger':>12} {'Open vSwitch':>12} {'ratio':>7}", flush=True)

    def say(self, text):
        print(f"    ({text})", flush=True)

    def row(self, what, values, less_is_better=False, digits=0, at_least=()):
        """values: {Strowger: number, OpenVSwitch: number}, either may be missing; at_least: whose is a lower bound."""
        ours, theirs = values.get(Strowger), values.get(OpenVSwitch)
        self.measured[what] = values
        ratio = ""
        if ours and theirs:
            ratio = f"{theirs / ours if less_is_better else ours / theirs:.2f}"
        cells = ["-" if v is None else f"{v:,.{digits}f}{'+' * (kind in at_least)}"
                 for kind, v in ((Strowger, ours), (OpenVSwitch, theirs))]
        print(f"{what:44} {cells[0]:>12} {cells[1]:>12} {ratio:>7}", flush=True)


def alternate(switches, rounds, measure, table):
    """{type of switch: median of what measure(switch) returned}; tuples member by member."""
    results = {type(s): [] for s in switches}
    for turn in range(rounds):
        for switch in switches if turn % 2 == 0 else switches[::-1]:
            switch.resume()
            try:
                results[type(switch)].append(measure(switch))
            except (Unable, subprocess.TimeoutExpired) as why:
                table.say(f"{switch.name}: {why}")
            finally:
                switch.pause()
    medians = {}
    for kind, values in results.items():
        if values:
            medians[kind] = tuple(map(statistics.median, zip(*values))) if isinstance(values[0], tuple) \
                else statistics.median(values)
    return medians


def member(values, i):
    return {kind: v[i] for kind, v in values.items()}


def show_limits(table, what, values, cpu=False):
    all_taken = [kind for kind, (_, overload, offered, _) in values.items() if overload >= 0.99 * offered]
    table.row(f"{what}, sustained", member(values, 0), at_least=all_taken)
    table.row(f"{what}, overload", member(values, 1), at_least=all_taken)
    if cpu:
        table.row(f"{what}, overload, CPU us each", member(values, 3), less_is_better=True, digits=2)


def set_rules(switches, shape, first, last, table):
    """Those that took the rules; all that were there before stay when first > 0."""
    took = []
    for switch in switches:
        switch.resume()
        try:
            if first == 0:
                switch.pump("delete")
            switch.add_rules(shape, first, last)
            took.append(switch)
        except (Unable, subprocess.TimeoutExpired) as why:
            table.say(f"{switch.name}, {last:,} rules: {why}")
        finally:
            switch.pause()
    return took


def measure_limits(switches, shape, rules, size, o, table, xdp=False):
    """limits() of each. Caches of rules are filled before, as far as two seconds go."""
    with contextlib.ExitStack() as stack:
        load = {s: stack.enter_context(Traffic(s, shape, rules, size, xdp)) for s in switches}
        if rules > 1000:
            alternate(switches, 1, lambda s: load[s].rates(0, 0, 2000), table)
        return alternate(switches, o.rounds, lambda s: limits(s, load[s], o), table)


# ---- the parts ----

def part_forward(o, table):
    table.title("packets a second, AF_PACKET ports (packet; netdev), 1 rule")
    with both("packet", table) as switches:
        able = set_rules(switches, "forward", 0, 1, table)
        for size in (64, 1514):
            show_limits(table, f"{size} bytes", measure_limits(able, "forward", 1, size, o, table), cpu=True)


def part_xdp(o, table):
    for kind in ("afxdp-nonpmd", "afxdp"):
        table.title(f"packets a second, AF_XDP ports (xdp; {kind}; both generic), 1 rule")
        with both(kind, table) as switches:
            able = set_rules(switches, "forward", 0, 1, table)
            for size in (64, 1514):
                values = measure_limits(able, "forward", 1, size, o, table, xdp=True)
                show_limits(table, f"{kind} {size} bytes", values, cpu=True)
            if kind == "afxdp-nonpmd":
                show_latency(o, table, able, "AF_XDP", xdp=True)


def part_gtpu(o, table):
    table.title("packets a second, GTP-U (UDP socket; gtpu on netdev), 1 rule, user's packets of 64 and 1,400 bytes")
    with both("packet", table) as switches:
        for shape in ("encap", "decap"):
            able = set_rules(switches, shape, 0, 1, table)
            for size in (64, 1400):
                frame = size + 14 if shape == "encap" else size
                show_limits(table, f"{shape} {size} bytes", measure_limits(able, shape, 1, frame, o, table),
                            cpu=True)


def part_rules(o, table):
    names = {"decap": "TEID", "five": "5-tuple", "prefix": "prefix"}
    for shape, name in names.items():
        table.title(f"packets a second, 64 bytes, traffic spread over all rules: {name}")
        sizes = [n for n in (1, 1000, 100000, 1000000) if n <= o.max_rules]
        results, loaded, memory = {}, 0, {}
        with both("packet", table) as switches:
            for rules in sizes:
                switches = set_rules(switches, shape, loaded, rules, table)
                loaded = rules
                memory[rules] = {type(s): s.resident() for s in switches}
                results[rules] = measure_limits(switches, shape, rules, 64, o, table)
                show_limits(table, f"{name} {rules:,} rules", results[rules])
        show_growth(table, name, sizes, results, memory)


def show_growth(table, name, sizes, results, memory):
    least, most = sizes[0], sizes[-1]
    for i, what in enumerate(("sustained", "overload")):
        flat = {k: results[least][k][i] / results[most][k][i] for k in results[most] if results[most][k][i]}
        table.row(f"{name} {what}, 1 rule / {most:,} rules", flat, less_is_better=True, digits=2)
    table.row(f"{name} bytes of memory per rule", less_is_better=True,
              values={k: (memory[most][k] - memory[least][k]) / (most - least) for k in memory[most]})


def part_flow_mods(o, table):
    count = min(100000, o.max_rules)
    table.title(f"flow mods a second, {count:,} rules into an empty table")
    with both("packet", table) as switches:
        for shape, name in (("five", "5-tuple"), ("prefix", "prefix"), ("decap", "TEID")):
            for bundle, how in ((0, "single"), (10000, "bundled")):
                def measure(switch):
                    switch.pump("delete")
                    return switch.add_rules(shape, 0, count, bundle)
                table.row(f"{name}, {how}", alternate(switches, o.rounds, measure, table))
        if shutil.which("ovs-ofctl"):
            show_ofctl(o, table, switches, count)


def show_ofctl(o, table, switches, count):
    """The client that people have. Single mods are each a system call at both ends, so fewer do."""
    for options, how, rules in (((), "single", count // 10), (("--bundle",), "bundled", count)):
        with tempfile.NamedTemporaryFile("w", suffix=".flows") as file:
            for i in range(rules):
                file.write(f"priority=100,in_port=1,ip,nw_dst=10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255} actions=output:2\n")
            file.flush()

            def measure(switch):
                switch.pump("delete")
                return rules / switch.ofctl(file.name, *options)
            table.row(f"by ovs-ofctl, {rules:,} /32, {how}", alternate(switches, o.rounds, measure, table))


def part_packet_in(o, table):
    table.title("packet-ins a second, 64-byte packets, whole packet to one controller")
    with both("packet", table) as switches:
        able = set_rules(switches, "miss", 0, 1, table)
        for rate in (50000, 200000):
            def measure(switch):
                with Traffic(switch, "miss", 1, 64) as traffic:
                    traffic.alone = False
                    ms = 2 * o.window_ms
                    print("share", rate, 0, ms + 1000, file=traffic.process.stdin, flush=True)
                    return switch.pump("packet-ins", ms)
            table.row(f"{rate:,} packets offered", alternate(able, o.rounds, measure, table))


def show_latency(o, table, able, name, xdp=False):
    rate, ms = 20000, 3 * o.window_ms
    with contextlib.ExitStack() as stack:
        load = {s: stack.enter_context(Traffic(s, "forward", 1, 64, xdp)) for s in able}

        def measure(switch):
            load[switch].rates(rate, 100, 100)
            sent, received, *percentiles = load[switch].command("latency", rate, ms)
            return (*percentiles, 100 * (1 - received / sent))
        values = alternate(able, o.rounds, measure, table)
    for i, what in enumerate(("p50", "p99", "p99.9", "maximum")):
        table.row(f"{name}, {what} us", member(values, i), less_is_better=True, digits=1)
    table.row(f"{name}, % lost", member(values, 4), less_is_better=True, digits=2)


def part_latency(o, table):
    table.title("latency at 20,000 packets a second, 64 bytes, through both veth pairs")
    with both("packet", table) as switches:
        show_latency(o, table, set_rules(switches, "forward", 0, 1, table), "AF_PACKET")


# ---- start ----

def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="about a minute: does it work, roughly how fast")
    parser.add_argument("--rounds", type=int, help="of each figure (3; quick: 1)")
    parser.add_argument("--max-rules", type=int, help="1000000; quick: 10000")
    parser.add_argument("--parts", default=",".join(PARTS), help="of " + ",".join(PARTS))
    o = parser.parse_args()
    o.parts = o.parts.split(",")
    if set(o.parts) - set(PARTS):
        parser.error("no such part: " + ", ".join(set(o.parts) - set(PARTS)))
    o.rounds = o.rounds or (1 if o.quick else 3)
    o.max_rules = o.max_rules or (1000 if o.quick else 1000000)
    o.warm_ms, o.window_ms, o.step_ms, o.steps = (100, 200, 100, 5) if o.quick else (200, 400, 200, 6)
    return o


def end(number, _):
    sys.exit(128 + number)


def main():
    o = options()
    if os.geteuid() != 0 or len(os.sched_getaffinity(0)) < 2:
        print("the comparison of switches needs root and two cores: skipped")
        return
    signal.signal(signal.SIGTERM, end)
    run("ninja", "-C", BUILD, "traffic", "openflow_pump", timeout=600)
    start = time.monotonic()
    table = Table()
    try:
        with network():
            for part in o.parts:
                globals()["part_" + part.replace("-", "_")](o, table)
    except KeyboardInterrupt:
        sys.exit(130)
    waited = 100 * Traffic.waited_ns / max(1, Traffic.ran_ns + Traffic.waited_ns)
    print(f"\n{time.monotonic() - start:,.0f} s, {o.rounds} rounds, medians; the sender waited {waited:.1f} % of its time for its "
          "core (a quiet machine: 0)")


if __name__ == "__main__":
    main()
