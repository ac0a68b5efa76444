#!/usr/bin/env python3
"""`strowger up examples/operator.yaml --run`: all that it shows works, quickly, and nothing is left behind."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, TOP  # noqa: E402


def processes():
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                command = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if command and os.path.basename(command[0]) == b"strowger":
                found.add(int(entry))
    return found


def interfaces():
    return set(os.listdir("/sys/class/net"))


def namespaces():
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
    return set(listed.splitlines())


def main():
    before = processes(), interfaces(), namespaces()
    with tempfile.TemporaryDirectory(prefix="strowger-test-") as run_dir:
        start = time.time()
        done = subprocess.run([STROWGER, "up", "examples/operator.yaml", "--run"], cwd=TOP, capture_output=True,
                              text=True, timeout=90, stdin=subprocess.DEVNULL, env=dict(os.environ, STROWGER_RUN=run_dir))
        seconds = time.time() - start
        print(done.stdout, done.stderr)
        assert done.returncode == 0, f"exit code {done.returncode}"
        for word in ("S1 Setup", "attached", "ping", "throughput", "idle", "paged", "detach", "all of it worked"):
            assert word in done.stdout, f"'{word}' is not told"
        left = [str(p) for p in pathlib.Path(run_dir).rglob("*") if p.is_socket() or p.suffix == ".pid"]
        assert not left, f"files are left: {left}"
    after = processes(), interfaces(), namespaces()
    for what, one, other in zip(("processes", "interfaces", "namespaces"), before, after):
        assert other <= one, f"{what} are left: {other - one}"
    print(f"took {seconds:.1f} s")


main()
