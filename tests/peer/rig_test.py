#!/usr/bin/env python3
"""The rig of the hypervisor's tests (tests/rig.py): a host with a KVM that boots an unmodified Debian kernel under QEMU's microvm.

What the other tests stand on: commands with their exit codes and outputs side by side over one start, files both ways, the
capabilities of KVM that `strowger vm` uses, and two hosts on one network.
"""
import os
import pathlib
import re
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from guest import Kernel, make_initrd, qemu_files  # noqa: E402
from network import need  # noqa: E402
from rig import Host, Timeout, build_program, joined  # noqa: E402

NEEDED = {"api": 12, "irqchip": 1, "split_irqchip": 1, "irqfd": 1, "ioeventfd": 1, "immediate_exit": 1, "dirty_log_protect2": 3,
          "xsave2": 1, "adjust_clock": 1, "plain_guests": 1}
GUEST = "echo guest-is-up $(cut -d ' ' -f 1 /proc/uptime) $(uname -r); poweroff -f\n"
MICROVM = ("qemu-system-x86_64 -M microvm,rtc=on -accel kvm -cpu host -m 256 -nodefaults -no-user-config -display none -no-reboot "
           "-serial stdio -kernel /guest/kernel -initrd /guest/initrd -append 'console=ttyS0 quiet panic=-1 reboot=t'")


def commands(host):
    assert host.run("echo one; echo two >&2; exit 3") == (3, "one\ntwo\n")
    assert host.run("cat", timeout=20) == (0, ""), "a command's input does not end"
    slow, quick = host.start("sleep 100"), host.start("echo quick")
    assert quick.wait(20) == 0 and slow.code is None
    slow.kill()
    assert slow.wait(20) == 128 + 15, slow.code
    talk = host.start("while read line; do echo \"<$line>\"; done")
    talk.send(b"hello\n")
    talk.wait_for("<hello>", 20)
    talk.close()
    assert talk.wait(20) == 0
    try:
        host.run("sleep 100", timeout=0.5)
        raise RuntimeError("a command without end has ended")
    except Timeout:
        pass
    code, text = host.run("strowger --version")
    assert code == 0 and text.startswith("strowger"), text


def files(host):
    data = os.urandom(3 << 20)
    host.put(data, "/tmp/new/file", mode=0o600)
    assert host.get("/tmp/new/file") == data
    assert host.run("stat -c %a /tmp/new/file") == (0, "600\n")
    assert host.get("/guest/text") == b"a text of the test"
    assert host.run("ls -d /sys/module/nbd")[0] == 0, "a module that was asked for is not there"
    now = time.time()
    assert abs(int(host.run("date +%s")[1]) - now) < 20, "the host's clock is not ours"


def capabilities(host):
    code, text = host.run("/guest/kvm_report")
    print(text, end="")
    assert code == 0, text
    found = {name: int(number) for name, number in re.findall(r"^(\w+) (-?\d+)$", text, re.M)}
    for name, least in NEEDED.items():
        assert found[name] >= least, f"{name} is {found[name]}"


def nested_guest(host):
    for _ in range(2):
        begin = time.time()
        job = host.start(MICROVM)
        job.wait_for("guest-is-up", 120)
        up = time.time() - begin
        assert job.wait(60) == 0, job.text()
        said = re.search(r"guest-is-up ([\d.]+) (\S+)", job.text())
        print(f"# Debian {said[2]} under QEMU microvm: its first program {up:.2f} s after QEMU's start, {said[1]} s by its own clock")


def two_hosts():
    begin = time.time()
    with joined() as (one, two):
        print(f"# two hosts: {time.time() - begin:.1f} s")
        server = two.start("busybox nc -l -p 4000")
        two.run("while ! grep -q ':0FA0 ' /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done", 20)
        code, text = one.run("ping -c 2 -w 20 10.98.0.2 && echo across | busybox nc 10.98.0.2 4000")
        assert code == 0, text
        server.wait_for("across", 20)


def main():
    need("qemu-system-x86_64", "cc")
    kernel = Kernel()
    with tempfile.TemporaryDirectory(prefix="rig_test") as directory:
        initrd = pathlib.Path(directory) / "initrd"
        make_initrd(initrd, GUEST)
        put = {"/guest/kernel": kernel.image, "/guest/initrd": initrd, "/guest/text": b"a text of the test",
               "/guest/kvm_report": build_program("kvm_report.c"), **qemu_files()}
        begin = time.time()
        with Host(files=put, modules=("nbd",)) as host:
            print(f"# the host ({'emulated' if host.emulated else 'this machine'}): {time.time() - begin:.1f} s")
            for step in (commands, files, capabilities, nested_guest):
                step(host)
                print(f"ok - {step.__name__.replace('_', ' ')}", flush=True)
        two_hosts()
        print("ok - two hosts")


main()
