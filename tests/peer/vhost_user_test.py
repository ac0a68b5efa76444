#!/usr/bin/env python3
"""vhost-user against QEMU: two Debian guests under software emulation, each behind a port of `strowger switch`.

One QEMU connects to us, to the other we connect; flows join the ports. The guests ping each other and move a file each way over TCP
with checksum and segmentation offload, compare its digest, and go on after the switch was ended and started again. The guests are Debian's cloud
kernel and busybox, fetched by name with apt-get into a cache beside the build, once.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from guest import Kernel, make_initrd  # noqa: E402
from network import STROWGER, UnixConnection, need, wait_for  # noqa: E402

MODULES = ("virtio_pci", "virtio_net")
MEBIBYTES = 8
SLOW = 180  # seconds: emulated machines on a loaded one
TARGET = "tcp:127.0.0.1:16658"

# What a guest does after its start. What it prints is what the test waits for; it goes on for ever.
INIT = """
export $(tr ' ' '\\n' < /proc/cmdline | grep '^guest_')
ip link set lo up
ip addr add 10.99.0.$guest_me/24 dev eth0
ip link set eth0 up
mkdir /www
dd if=/dev/urandom of=/www/file bs=1M count=%d 2>/dev/null
sha256sum < /www/file > /www/digest
while true; do nc -l -p 80 -e cat /www/file; done &
while true; do nc -l -p 81 -e cat /www/digest; done &
echo "guest: features $(cat /sys/class/net/eth0/device/features)"
echo "guest: ready"
other=10.99.0.$((3 - guest_me))
while true; do
    ping -c 3 -w 20 $other > /dev/null && echo "guest: ping good"
    if nc $other 81 < /dev/null > /digest && [ -s /digest ] && nc $other 80 < /dev/null | sha256sum > /got; then
        if cmp /digest /got; then echo "guest: fetch good"; else echo "guest: fetch bad"; fi
    fi
    sleep 1
done
"""


class Guest:
    # vectors=0: QEMU 7.2.22 under TCG crashes in vhost_net_start() when a guest uses MSI-X, whatever the back end.
    def __init__(self, me, kernel, initrd, directory, chardev, queues):
        self.log = directory / f"guest{me}.log"
        mq = ",mq=on" if queues > 1 else ""
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "192", "-nodefaults", "-no-reboot",
             "-display", "none", "-serial", "stdio", "-kernel", kernel, "-initrd", initrd,
             "-append", f"console=ttyS0 quiet panic=-1 mitigations=off guest_me={me}",
             "-object", "memory-backend-memfd,id=ram,size=192M,share=on", "-machine", "memory-backend=ram",
             "-chardev", f"socket,id=net,{chardev}", "-netdev", f"vhost-user,id=net,chardev=net,queues={queues}",
             "-device", f"virtio-net-pci,netdev=net,mac=02:00:00:00:99:0{me},vectors=0{mq}"],
            stdin=subprocess.DEVNULL, stdout=self.log.open("wb"), stderr=subprocess.STDOUT)

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern, count=1):
        def there():
            if self.process.poll() is not None:
                raise AssertionError(f"QEMU has left:\n{self.text()}")
            return re.findall(pattern, self.text())[count - 1:]
        try:
            return wait_for(pattern, there, SLOW)[0]
        except AssertionError:
            print(self.text())
            raise

    def expect(self, what):
        """One more success, begun after this call, and never a digest that differs."""
        good = rf"guest: {what} good\n"
        self.wait_for(good, len(re.findall(good, self.text())) + 2)
        assert "fetch bad" not in self.text(), self.text()


class Switch:
    def __init__(self, directory, ours, theirs):
        self.log, self.control = directory / "switch.log", directory / "vhost-user-test" / "switch.sock"
        config = directory / "switch.yaml"
        config.write_text(f"""name: vhost-user-test
switch:
  listen: ["{TARGET.removeprefix('tcp:')}"]
  threads: 2
  ports:
    - {{name: one, type: vhost-user, socket: {ours}, queues: 2}}
    - {{name: two, type: vhost-user, socket: {theirs}, mode: client}}
""")
        self.process = subprocess.Popen([STROWGER, "switch", "-c", config], stderr=self.log.open("ab"),
                                        env=dict(os.environ, STROWGER_RUN=str(directory)))
        wait_for("the switch's ports", lambda: len(self.ports()) == 2)
        for flow in ("in_port=1,actions=output:2", "in_port=2,actions=output:1"):
            done = subprocess.run([STROWGER, "switch", "add-flow", TARGET, flow], capture_output=True, text=True, timeout=30)
            assert done.returncode == 0, done.stdout + done.stderr

    def ports(self):
        connection = UnixConnection(self.control)
        connection.request("GET", "/state?what=ports")
        return json.loads(connection.getresponse().read())

    def end(self):
        """What is known of the ports at last."""
        ports = self.ports()
        for port in ports:
            print(json.dumps(port))
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, f"the switch ended with {self.process.returncode}"
        return ports


def main():
    need("qemu-system-x86_64")
    kernel = Kernel()
    processes = []
    with tempfile.TemporaryDirectory(prefix="vhost_user_test") as directory:
        directory = pathlib.Path(directory)
        initrd, ours, theirs, log = (directory / name for name in ("initrd", "ours", "theirs", "switch.log"))
        make_initrd(initrd, INIT % MEBIBYTES, kernel.modules(*MODULES))
        try:
            switch = Switch(directory, ours, theirs)
            processes.append(switch.process)
            assert not any(port["up"] for port in switch.ports()), "a port is up before its guest is"
            one = Guest(1, kernel.image, initrd, directory, f"path={ours},reconnect=1", queues=2)
            processes.append(one.process)
            two = Guest(2, kernel.image, initrd, directory, f"path={theirs},server=on,wait=off", queues=1)
            processes.append(two.process)
            for guest in (one, two):
                features = guest.wait_for(r"guest: features ([01]*)\n")
                guest.wait_for("guest: ready")
                for bit in (0, 1, 7, 8, 11, 12, 15, 28, 29, 32):  # checksum, segmentation, merging, indirect, event index, 1.0
                    assert features[bit:bit + 1] == "1", f"feature {bit} is not in {features}"
            for guest in (two, one):
                guest.expect("ping")
                guest.expect("fetch")
            for port in switch.end():
                packets, size = port["rx_packets"], port["rx_bytes"]
                assert port["up"] and port["rx_errors"] == 0, port
                assert size > MEBIBYTES << 20, "a guest sent less than its file"
                assert size / packets > 1514, f"{size} bytes in {packets} packets are no large segments"
            switch = Switch(directory, ours, theirs)
            processes.append(switch.process)
            for guest in (one, two):
                guest.expect("ping")
                guest.expect("fetch")
            switch.end()
            assert "stops" not in log.read_text() and "refused" not in log.read_text(), log.read_text()
        except AssertionError:
            print(log.read_text())
            raise
        finally:
            for process in processes:
                if process.poll() is None:
                    process.kill()
                    process.wait()


main()
