#!/usr/bin/env python3
"""`strowger vm` with unmodified Debian kernels, in the rig's host (tests/rig.py).

The guest's first program runs the commands that come by its serial port, so that one guest answers many questions.
"""
import json
import pathlib
import re
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from guest import Kernel, make_initrd  # noqa: E402
from network import need  # noqa: E402
from rig import Host  # noqa: E402

MODULES = ("virtio_mmio", "virtio_net", "virtio_rng", "button", "evdev")
SLOW = 120  # seconds: an emulated machine on a loaded one

GUEST = """
case "$(cat /proc/cmdline)" in
*twice*) echo "guest: up, ready"; reboot -f ;;
esac
stty -echo
echo "guest: up $(cut -d ' ' -f 1 /proc/uptime), ready"
(head -c 24 /dev/input/event0 > /dev/null; echo "guest: power button"; poweroff -f) &
while read -r line; do sh -c "$line"; echo "guest: done $?"; done
poweroff -f
"""


class Guest:
    """A VM, and the shell in it."""

    def __init__(self, host, words, name="vm", line="console=ttyS0 quiet panic=-1"):
        self.host, self.name, self.read = host, name, 0
        self.job = host.start(f"exec strowger vm run name={name} initrd=/guest/initrd command_line='{line}' {words}")
        self.wait(", ready")

    def wait(self, text, seconds=SLOW):
        self.job.wait_for(text, seconds)

    def ask(self, command, seconds=SLOW):
        """What a command in the guest prints; it must end well."""
        before = len(self.job.text())
        self.job.send(command.encode() + b"\n")
        until = time.time() + seconds
        while not (done := re.search(r"guest: done (\d+)", self.job.text()[before:])):
            assert time.time() < until and self.job.code is None, f"{command}: no end\n{self.job.text()[-2000:]}"
            time.sleep(0.05)
        text = self.job.text()[before:][:done.start()].replace("\r", "")
        assert done[1] == "0", f"{command}: {text}"
        return text

    def verb(self, words):
        code, text = self.host.run(f"strowger vm {words}", SLOW)
        assert code == 0, text
        return text

    def end(self):
        """It switches itself off."""
        self.job.send(b"poweroff -f\n")
        assert self.job.wait(SLOW) == 0, self.job.text()[-2000:]


def hardware(host):
    """a bzImage finds processors, memory, clock and entropy, and switches itself off"""
    guest = Guest(host, "kernel=/guest/kernel cpus=2 memory=256M")
    assert guest.ask("nproc").strip() == "2"
    print("# the guest's first program after", re.search(r"guest: up ([\d.]+)", guest.job.text())[1], "s of its clock")
    total = int(guest.ask("grep MemTotal /proc/meminfo").split()[1])
    assert 200 << 10 < total < 256 << 10, total
    now = int(host.run("date +%s")[1])
    assert abs(int(guest.ask("date +%s")) - now) <= 20, "the guest's clock"
    assert "kvm-clock" in guest.ask("cat /sys/devices/system/clocksource/clocksource0/current_clocksource")
    first, second = (guest.ask("head -c 32 /dev/hwrng | sha256sum") for _ in range(2))
    assert first != second
    shown = guest.ask("dmesg | grep -iE 'acpi.*(error|warn)|unsynchronized|not present' || true")
    assert "rror" not in shown, shown
    guest.end()


def pvh(host):
    """an ELF kernel is entered by PVH"""
    guest = Guest(host, "kernel=/guest/vmlinux memory=256M")
    assert "Debian" in guest.ask("cat /proc/version")
    guest.end()


def reboots(host):
    """a guest that reboots itself comes back, again and again"""
    guest = Guest(host, "kernel=/guest/kernel cpus=2 memory=128M", line="console=ttyS0 quiet twice")
    until = time.time() + SLOW
    while guest.job.text().count("guest: up") < 3:
        assert time.time() < until and guest.job.code is None, guest.job.text()[-2000:]
        time.sleep(0.2)
    assert json.loads(guest.verb("list --json"))[0]["resets"] >= 2
    guest.verb("stop --force vm")
    assert guest.job.wait(SLOW) == 0


def network(host):
    """a network card: ping, and files both ways with offloads"""
    guest = Guest(host, "kernel=/guest/kernel memory=256M net=tap0,mac=02:00:00:00:00:07")
    host.run("ip addr add 10.97.0.1/24 dev tap0 && ip link set tap0 up", check=True)
    assert "02:00:00:00:00:07" in guest.ask("ip link show eth0")
    guest.ask("ip addr add 10.97.0.2/24 dev eth0 && ip link set eth0 up && ping -c 3 -w 60 10.97.0.1")
    host.run("head -c 8388608 /dev/urandom > /tmp/big && busybox httpd -p 10.97.0.1:80 -h /tmp", check=True)
    want = host.run("sha256sum < /tmp/big")[1].strip()
    assert want in guest.ask("wget -q -O /tmp/big http://10.97.0.1/big && sha256sum < /tmp/big")
    guest.ask("(nc -l -p 99 -e cat /tmp/big) > /dev/null 2>&1 & sleep 1")
    got = host.run("busybox nc 10.97.0.2 99 < /dev/null | sha256sum", SLOW)[1].strip()
    assert got == want, (got, want)
    counted = host.run("cat /sys/class/net/tap0/statistics/rx_packets /sys/class/net/tap0/statistics/rx_bytes")[1].split()
    print(f"# from the guest: {counted[1]} bytes in {counted[0]} packets")
    assert int(counted[1]) / int(counted[0]) > 2000, "segmentation is not left to the host"
    guest.end()


def control(host):
    """a VM that runs is paused, looked at, and switched off by its power button"""
    guest = Guest(host, "kernel=/guest/kernel memory=128M cpus=2", name="one")
    listed = json.loads(guest.verb("list --json"))
    assert [(vm["name"], vm["state"], vm["cpus"]) for vm in listed] == [("one", "running", 2)], listed
    code, text = host.run("strowger vm run name=one kernel=/guest/kernel", SLOW)
    assert code == 1 and "runs already" in text, text
    guest.job.send(b"while true; do echo tick; sleep 0.1; done\n")
    guest.wait("tick")
    guest.verb("pause one")
    assert json.loads(guest.verb("list --json"))[0]["state"] == "paused"
    time.sleep(1)
    before = len(guest.job.text())
    time.sleep(2)
    assert len(guest.job.text()) == before, "a paused guest speaks"
    code, text = host.run("strowger vm pause one", SLOW)
    assert code == 1 and "paused" in text, text
    guest.verb("resume one")
    until = time.time() + 30
    while len(guest.job.text()) == before:
        assert time.time() < until, "a resumed guest is silent"
        time.sleep(0.1)
    stats = guest.verb("stats one")
    assert "EXITS" in stats and "rng" in stats and "ready" in stats, stats
    guest.verb("stop one")
    guest.wait("guest: power button")
    assert guest.job.wait(SLOW) == 0
    assert json.loads(guest.verb("list --json")) == []


def refusals(host):
    """what can not be is said, and why"""
    for words, said in (("kernel=/none", "No such file"), ("kernel=/guest/initrd", "neither a bzImage"),
                        ("kernel=/guest/kernel memory=64M initrd=/guest/vmlinux", "MiB"),
                        ("kernel=/guest/kernel net=tap0,mac=1", "no Ethernet address")):
        code, text = host.run(f"strowger vm run {words}", SLOW)
        assert code == 1 and said in text, (words, text)


def main():
    need("qemu-system-x86_64", "cc")
    kernel = Kernel()
    steps = (hardware, pvh, reboots, network, control, refusals)
    with tempfile.TemporaryDirectory(prefix="vm_test") as directory:
        initrd = pathlib.Path(directory) / "initrd"
        make_initrd(initrd, GUEST, kernel.modules(*MODULES))
        with Host(files={"/guest/kernel": kernel.image, "/guest/vmlinux": kernel.vmlinux(), "/guest/initrd": initrd}) as host:
            print(f"1..{len(steps)}", flush=True)
            for number, step in enumerate(steps, 1):
                step(host)
                print(f"ok {number} - {step.__doc__}", flush=True)


main()
