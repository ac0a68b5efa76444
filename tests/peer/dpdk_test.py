#!/usr/bin/env python3
"""Ports that DPDK drives, the kernel at both ends: pings of all sizes, and a file that goes by TCP.

As switch_ports_test.py, with DPDK's AF_PACKET device on a veth and its TAP device, without huge pages. (The former has the kernel put
fragments together, and loses what is then too large: it gets none here.) Needs a program that was built with
-Ddpdk=enabled, which STROWGER_DPDK names (tests/run: that of the build with sanitizers).
"""
import os
import subprocess
import tempfile

from switch_ports_test import check, enter_namespace, prepare
from network import STROWGER, skip

PROGRAM = os.environ.get("STROWGER_DPDK", STROWGER)
ARGUMENTS = '  dpdk: {arguments: ["--no-huge", "-m", "128", "--no-pci"]}\n'


def is_built(program):
    """A program without DPDK refuses such a port and says how to build one; a program with it, as this one names no device."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write("name: dpdk-test\nswitch:\n  ports:\n    - {name: nothing, type: dpdk}\n")
        config.flush()
        done = subprocess.run([program, "switch", "-c", config.name], capture_output=True, text=True, timeout=60)
        text = done.stdout + done.stderr
        assert done.returncode != 0 and ("build with -Ddpdk=enabled" in text or "a dpdk port needs a device" in text), text
        return "-Ddpdk=enabled" not in text


def main():
    is_built(STROWGER)
    if not PROGRAM or not os.access(PROGRAM, os.X_OK):
        skip("no program with DPDK was built")
    if not is_built(PROGRAM):
        skip("the program was built without DPDK")
    enter_namespace()
    prepare()
    for left_kind, right_kind in (("packet", "dpdk packet"), ("packet", "dpdk tap"), ("dpdk packet", "dpdk tap")):
        check(left_kind, right_kind, PROGRAM, ARGUMENTS)


main()
