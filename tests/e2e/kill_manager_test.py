#!/usr/bin/env python3
"""SIGKILL for either of the two processes behind a network: no process, namespace, interface or file stays."""
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import FUNCTIONS, Network, wait_for  # noqa: E402


def namespace(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


def all_namespaces():
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                found.add(namespace(entry))
            except OSError:
                pass
    return found


def check(victim_of):
    net = Network("examples/operator.yaml")
    with net:
        pids = {f: net.pid(f) for f in (*FUNCTIONS, "lab")}
        spaces = {namespace(pid) for pid in pids.values()}
        os.kill(victim_of(net), signal.SIGKILL)
        wait_for("the end of all functions", lambda: not any(os.path.exists(f"/proc/{p}") for p in pids.values()), 10)
        wait_for("the end of the run directory", lambda: not (net.run_dir / net.name).exists(), 10)
        wait_for("the end of the namespaces", lambda: not spaces & all_namespaces(), 10)
        net.process.wait(10)
        net.process.returncode = 0  # it was killed, as it should be


def main():
    check(lambda net: net.get("manager", "/state")["pid"])
    check(lambda net: net.process.pid)


main()
