#!/usr/bin/env python3
"""The public OpenFlow 1.3 conformance suite (Ryu's, run by os-ken's tester) against our switch.

Each case programs the target, sends it packets from the tester and looks at what comes back. Two switches, joined by three
links, live in a network namespace; os-ken is the controller of both. Nearly all of a case's time is spent waiting, so several
such namespaces work side by side: fewer, the more packets per second a case sends.

os-ken's tester has two errors, which corrected_tester.py corrects; `--stock` runs it as Debian ships it. A case is never tried
again: `--runs 3` tells which cases change their result. A failure whose cause is known to lie in the tester is said to be so, and
still counts as failed. Exit code 0 when nothing else failed, 77 when something needed is absent.
"""
import argparse
import collections
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from network import STROWGER, TOP, need, skip, wait_for

SUITES = pathlib.Path(os.environ.get("STROWGER_SUITES", TOP.parent / "shared" / "suites"))
SUITE = SUITES / "openflow13.tar.xz"
PYTHON = "/usr/bin/python3"  # Debian's, for which os-ken is packaged
TESTER = pathlib.Path("/usr/lib/python3/dist-packages/os_ken/tests/switch/tester.py")
CATEGORIES = ("action", "match", "group", "meter")

# How many packets per second the tester must send in a case decides how many such cases run at once.
LIGHT_PPS, MEDIUM_PPS = 1000, 10000
WORKERS = {"light": 12, "medium": 6, "heavy": 2}
# Uncorrected, os-ken loses time to everything that runs beside it, and takes a core for the last kind: one kind after the other.
WORKERS_STOCK = {"light": 6, "medium": 2, "heavy": 1}
JOB_S = 35  # estimated time of the cases that one osken-manager is started for

SCTP = "os-ken: the CRC it expects is computed over the printed form of the bytes (os_ken/lib/packet/sctp.py, _checksum)"
RATE = "os-ken: it sent {} of the {} packets/s that the case asks for"
LEAST_RATE = 0.95  # of what was asked for: a case wants half of it in one place and, within 10 %, half in another

Case = collections.namedtuple("Case", "number category file title body pps duration seconds miss")


def known(case, reason, sent):
    """Why a failure is not the switch's, or None. `sent`: packets that the tester sent in this case, if it is about rates."""
    if "SET_FIELD" in case.file and "SCTP" in case.file and "Received incorrect packet: sctp(csum=" in reason:
        return SCTP
    if "unexpected throughput" in reason and sent and sent < LEAST_RATE * case.pps * case.duration:
        return RATE.format(sent // case.duration, case.pps)
    return None


# ---- the suite ----

def load_suite():
    if not SUITE.exists():
        skip(f"the conformance suite is not there: {SUITE} (STROWGER_SUITES names another folder)")
    cases = []
    with tarfile.open(SUITE) as archive:
        members = sorted((m for m in archive.getmembers() if m.name.endswith(".json")), key=lambda m: m.name)
        for member in members:
            name = member.name.removeprefix("./").removeprefix("of13/")
            for body in json.load(archive.extractfile(member)):
                if isinstance(body, dict):
                    cases.append(make_case(len(cases), name, body))
    return cases


def make_case(number, file, body):
    sent = [t["ingress"]["packets"] for t in body["tests"] if isinstance(t["ingress"], dict)]
    misses = sum("table-miss" in t for t in body["tests"])
    seconds = 0.03 + misses * 1.05 + sum(p.get("duration_time", 30) + 0.5 for p in sent)
    return Case(number, file.split("/")[0], file, body["description"], body,
                max((p.get("pktps", 1000) for p in sent), default=0),
                sum(p.get("duration_time", 30) for p in sent), seconds, bool(misses))


def kind_of(case):
    return "light" if case.pps < LIGHT_PPS else "medium" if case.pps < MEDIUM_PPS else "heavy"


def fast(cases):
    """Some of every file: of matches one hit and one miss, of actions two; of groups and meters one of each sort."""
    chosen, seen = [], collections.Counter()
    for case in cases:
        if case.category in ("action", "match"):
            kind, most = (case.file, case.miss), 1 if case.category == "match" else 2
        else:
            parts = case.file.split("_")
            kind, most = "_".join(parts[:4] if case.category == "meter" else parts[:2]), 1
        if case.pps < LIGHT_PPS and seen[kind] < most:
            seen[kind] += 1
            chosen.append(case)
    return chosen


# ---- inside a namespace: two switches, three links, os-ken ----

class OurSwitch:
    def __init__(self, where, dpid, side):
        self.where = where / side
        self.where.mkdir()
        ports = "\n".join(f"    - {{name: {side}{n}, type: packet, number: {n}}}" for n in (1, 2, 3))
        config = self.where / "switch.yaml"
        config.write_text(f"name: {side}\nswitch:\n  datapath_id: {dpid}\n  controllers: [127.0.0.1:6653]\n"
                          f"  reconnect_max: 100ms\n  ports:\n{ports}\n")
        self.log = open(self.where / "log", "w")
        self.process = subprocess.Popen([STROWGER, "switch", "-c", str(config)], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env=dict(os.environ, STROWGER_RUN=str(self.where)))

    def stop(self):
        end(self.process)


class OpenVSwitch:
    """A bridge. All bridges of a namespace are of one ovs-vswitchd: it makes an interface whose name is always the same."""
    where = None
    processes = []

    def __init__(self, where, dpid, side):
        if not OpenVSwitch.where:
            OpenVSwitch.where = where / "ovs"
            self.start_daemons()
        bridge = f"br-{side}"
        self.vsctl("add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev", "fail-mode=secure",
                   "protocols=OpenFlow13", "other-config:disable-in-band=true", f"other-config:datapath-id={dpid:016x}")
        for n in (1, 2, 3):
            self.vsctl("add-port", bridge, f"{side}{n}", "--", "set", "interface", f"{side}{n}", f"ofport_request={n}")
        self.vsctl("set-controller", bridge, "tcp:127.0.0.1:6653", "--", "set", "controller", bridge, "max_backoff=1000",
                   "controller_rate_limit=100000", "controller_burst_limit=100000")

    def start_daemons(self):
        self.where.mkdir()
        subprocess.run(["ovsdb-tool", "create", str(self.where / "conf.db"), "/usr/share/openvswitch/vswitch.ovsschema"],
                       check=True)
        self.start("ovsdb-server", str(self.where / "conf.db"), f"--remote=punix:{self.where}/db.sock")
        wait_for("the database", lambda: (self.where / "db.sock").exists())
        self.vsctl("--no-wait", "init")
        self.start("ovs-vswitchd", f"unix:{self.where}/db.sock", "--disable-system")

    def start(self, *command):
        log = open(self.where / f"{command[0]}.out", "w")
        environment = dict(os.environ, OVS_RUNDIR=str(self.where), OVS_LOGDIR=str(self.where))
        self.processes.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def vsctl(self, *arguments):
        subprocess.run(["ovs-vsctl", f"--db=unix:{self.where}/db.sock", *arguments], check=True, timeout=30)

    def stop(self):
        while self.processes:
            end(self.processes.pop())


SWITCHES = {"strowger": OurSwitch, "ovs": OpenVSwitch}


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def make_links():
    def ip(*arguments):
        subprocess.run(["ip", *arguments], check=True)

    # A switch's links carry what the case sends, and nothing that the kernel has to say.
    for scope in ("all", "default"):
        setting = pathlib.Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6")
        if setting.exists():
            setting.write_text("1")
    ip("link", "set", "lo", "up")
    for n in (1, 2, 3):
        ip("link", "add", f"target{n}", "type", "veth", "peer", "name", f"tester{n}")
        for side in ("target", "tester"):
            ip("link", "set", f"{side}{n}", "up")


def run_osken(job, where):
    """One osken-manager for the job's cases; {number: [result, reason, packets sent in the job]} of those that came to an end."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=where, prefix="job-"))
    for name, cases in job["files"].items():
        # The numbers stand for the cases' titles, which are not unique.
        bodies = [dict(body, description=f"case {number}") for number, body in cases]
        (folder / name).write_text(json.dumps([name, *bodies]))
    app = TESTER if job["stock"] else HERE / "corrected_tester.py"
    command = [PYTHON, "/usr/bin/osken-manager", "--ofp-listen-host", "127.0.0.1", "--test-switch-dir", str(folder),
               "--test-switch-target", "0000000000000001", "--test-switch-tester", "0000000000000002", str(app)]
    with open(folder / "log", "w+", errors="replace") as log:
        before = packets_sent()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        try:
            process.wait(job["limit_s"])
        except subprocess.TimeoutExpired:
            pass
        end(process)
        log.seek(0)
        sent = packets_sent() - before
        return {number: [*told, sent] for number, told in parse_log(log.read().splitlines()).items()}


def packets_sent():
    """By the tester into the first link. (/sys would tell of the namespace that it was mounted in.)"""
    for line in pathlib.Path("/proc/net/dev").read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == "tester1":
            return int(numbers.split()[9])
    return 0


def parse_log(lines):
    results, last = {}, None
    for line in lines:
        words = line.split()
        if line.startswith("    case ") and len(words) == 3 and words[2] in ("OK", "ERROR"):
            last = words[1]
            results[last] = [words[2], ""]
        elif last and line.startswith("        ") and results[last][0] == "ERROR":
            results[last][1] = line.strip()
        else:
            last = None
    return results


def worker(folder, target, tester):
    """Jobs come as lines of JSON, and so do the results go."""
    where = pathlib.Path(folder)
    make_links()
    switches = []
    try:
        switches.append(SWITCHES[target](where, 1, "target"))
        switches.append(SWITCHES[tester](where, 2, "tester"))
        for line in sys.stdin:
            print(json.dumps(run_osken(json.loads(line), where)), flush=True)
    finally:
        for switch in switches:
            switch.stop()


# ---- outside: who runs what ----

def in_namespace():
    flags = ["-n"] if os.geteuid() == 0 else ["-r", "-n"]
    if subprocess.run(["unshare", *flags, "true"], capture_output=True).returncode != 0:
        skip("network namespaces are not allowed here")
    return ["unshare", *flags]


class Runner:
    def __init__(self, options):
        self.options = options
        self.prefix = in_namespace()
        self.results = {}
        self.lock = threading.Lock()
        self.started = set()  # each worker leads a process group
        self.folder = tempfile.TemporaryDirectory(prefix="strowger-of13-")

    def run(self, cases):
        """One run: {number: (result, reason, packets sent)}."""
        self.results = {}
        pools = []
        for kind, most in (WORKERS_STOCK if self.options.stock else WORKERS).items():
            pools.append(self.start([case for case in cases if kind_of(case) == kind], most))
            if self.options.stock:
                join(pools)
        join(pools)
        return self.results

    def start(self, cases, most):
        """Workers for these cases."""
        jobs = queue.Queue()
        for job in share_out(cases):
            jobs.put(job)
        threads = [threading.Thread(target=self.work, args=(jobs,))
                   for _ in range(min(self.options.workers or most, most, jobs.qsize()))]
        for thread in threads:
            thread.start()
        return threads

    def work(self, jobs):
        command = [*self.prefix, sys.executable, str(pathlib.Path(__file__).resolve()), "--target", self.options.target,
                   "--tester", self.options.tester, "--worker", tempfile.mkdtemp(dir=self.folder.name)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        with self.lock:
            self.started.add(process)
        try:
            while True:
                cases = jobs.get_nowait()
                self.take(cases, self.ask(process, cases), jobs)
        except queue.Empty:
            pass
        finally:
            process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                pass
            self.kill(process)

    def ask(self, process, cases):
        files = collections.defaultdict(list)
        for case in cases:
            files[case.file.replace("/", "-")].append((case.number, case.body))
        job = {"files": files, "stock": self.options.stock, "limit_s": 30 + 2 * sum(c.seconds for c in cases)}
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline() or "{}")
        except BrokenPipeError:
            return {}

    def take(self, cases, results, jobs):
        """What the tester said. Where it stopped, that case has failed, and those after it have not been run yet."""
        left = [case for case in sorted(cases, key=tester_order) if str(case.number) not in results]
        with self.lock:
            for number, told in results.items():
                self.results[int(number)] = told
            if left:
                self.results[left[0].number] = ("ERROR", "the tester stopped in this case", 0)
            if not self.options.json:
                print(f"\r{len(self.results)} cases", end="", file=sys.stderr, flush=True)
        if left[1:]:
            jobs.put(left[1:])

    @staticmethod
    def kill(process):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()

    def stop(self):
        for process in self.started:
            self.kill(process)
        self.folder.cleanup()


def join(pools):
    for thread in (thread for pool in pools for thread in pool):
        thread.join()


def tester_order(case):
    return case.file.replace("/", "-"), case.number


def share_out(cases):
    """Jobs of about JOB_S each, those with the longest cases first, so that all workers end together."""
    jobs, seconds = [], JOB_S
    for case in sorted(cases, key=lambda c: (-c.seconds if c.pps else 0, c.number)):
        if seconds + case.seconds > JOB_S:
            jobs.append([])
            seconds = 0
        jobs[-1].append(case)
        seconds += case.seconds
    return jobs


# ---- telling ----

def summary(cases, runs):
    rows = []
    for case in cases:
        told = [run.get(case.number, ("ERROR", "not run", 0)) for run in runs]
        failed = next((t for t in told if t[0] != "OK"), None)
        rows.append({"category": case.category, "file": case.file, "case": case.title, "results": [t[0] for t in told],
                     "ok": not failed, "changes": len({t[0] for t in told}) > 1,
                     "reason": failed[1] if failed else "",
                     "known": known(case, *failed[1:]) if failed else None, "packets_per_s": rates(case, told)})
    return rows


def rates(case, told):
    return [sent // case.duration for _, _, sent in told] if case.duration else None


def table(rows):
    print(f"\n{'category':10}{'cases':>7}{'passed':>8}{'failed':>8}{'changing':>10}")
    for category in (*CATEGORIES, "all"):
        mine = [row for row in rows if category in ("all", row["category"])]
        if mine:
            passed = sum(row["ok"] for row in mine)
            print(f"{category:10}{len(mine):7}{passed:8}{len(mine) - passed:8}{sum(row['changes'] for row in mine):10}")


def failures(rows):
    for row in rows:
        if row["ok"]:
            continue
        print(f"\n{row['file']}: {row['case']}\n    {' '.join(row['results'])}{'  changing' if row['changes'] else ''}"
              f"\n    {row['reason'][:400]}")
        if row["known"]:
            print(f"    known: {row['known']}")


def select(cases, options):
    if options.subset == "fast":
        cases = fast(cases)
    if options.category:
        cases = [case for case in cases if case.category in options.category]
    if options.case:
        cases = [case for case in cases if any(word in f"{case.file}: {case.title}" for word in options.case)]
    return cases


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subset", choices=("all", "fast"), default="all")
    parser.add_argument("--category", action="append", choices=CATEGORIES)
    parser.add_argument("--case", action="append", metavar="NAME", help="part of a case's file and title")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--workers", type=int, help="namespaces at once, at most")
    parser.add_argument("--target", choices=SWITCHES, default="strowger")
    parser.add_argument("--tester", choices=SWITCHES, default="strowger")
    parser.add_argument("--stock", action="store_true", help="os-ken's tester without the corrections of corrected_tester.py")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--list", action="store_true", help="only tell which cases would be run")
    parser.add_argument("--worker", metavar="FOLDER", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = arguments()
    if options.worker:
        worker(options.worker, options.target, options.tester)
        return 0
    need("unshare", "ip", STROWGER)
    if not TESTER.exists() or not pathlib.Path("/usr/bin/osken-manager").exists():
        skip("os-ken is not installed (package python3-os-ken)")
    if "ovs" in (options.target, options.tester):
        need("ovs-vswitchd", "ovsdb-server", "ovs-vsctl")
    cases = select(load_suite(), options)
    if options.list:
        print("\n".join(f"{case.file}: {case.title}" for case in cases))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    runner, start = Runner(options), time.time()
    try:
        rows = summary(cases, [runner.run(cases) for _ in range(options.runs)])
    finally:
        runner.stop()
    passed = sum(row["ok"] for row in rows)
    if options.json:
        json.dump({"cases": rows, "passed": passed, "failed": len(rows) - passed, "seconds": round(time.time() - start)},
                  sys.stdout, indent=1)
        print()
    else:
        failures(rows)
        table(rows)
        print(f"\nin {time.time() - start:.0f} s\n{passed} passed, {len(rows) - passed} failed")
    return 0 if rows and all(row["ok"] or row["known"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
