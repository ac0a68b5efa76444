#!/usr/bin/env python3
"""examples/ran.yaml: an eNodeB on an interface of this machine (a veth pair stands for the cable), phones' traffic translated
to this machine's address on the way out; and afterwards the machine is as it was before.

Runs in network namespaces of its own, so the real interfaces are not touched. Needs root, for interfaces of "the machine".
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, TOP, need, skip  # noqa: E402

LAB = """
name: radio
lab:
  enbs:
    - {name: enb1, id: 1, plmn: "00101", tac: 1, s1ap: "192.168.10.2:0", mme: "192.168.10.1:36412", gtpu: 192.168.10.2}
  phones:
    - imsi: "001010000000001"
      count: 2
      k: 465b5ce8b199b49faa5f0a2ee238a6bc
      opc: cd63cb71954a9f4e48a5994e37a02baf
      tun: yes
  scenarios:
    - {name: outside, steps: [{do: attach}, {do: ping, to: 203.0.113.1}, {do: detach}]}
"""

# $1: strowger. The namespace this runs in is the machine; the eNodeB and the world are two more.
SCRIPT = """
set -e
ip link set lo up
ip link add enp3s0 type veth peer name enb
ip link add enp1s0 type veth peer name world
unshare -n sleep 120 & radio=$!
unshare -n sleep 120 & world=$!
trap 'kill $radio $world' EXIT
while [ "$(readlink /proc/$radio/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
while [ "$(readlink /proc/$world/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link set enb netns $radio
ip link set world netns $world
nsenter -t $radio -n sh -c 'ip link set lo up; ip addr add 192.168.10.2/24 dev enb; ip link set enb up'
nsenter -t $world -n sh -c 'ip link set lo up; ip addr add 198.51.100.1/24 dev world; ip addr add 203.0.113.1/32 dev lo
  ip link set world up'
ip addr add 198.51.100.2/24 dev enp1s0
ip link set enp1s0 up
ip route add default via 198.51.100.1
machine() { ip -o addr | grep -v fe80; ip route; nft list ruleset; cat /proc/sys/net/ipv4/ip_forward; }
machine >before
$1 up ran.yaml --detach
$1 status
nsenter -t $radio -n $1 up lab.yaml --run
$1 show mme enbs
$1 down ran
machine >after
diff before after
echo "the machine is as it was"
"""


def main():
    need("ip", "nft", "unshare", "nsenter", "ping")
    if os.geteuid() != 0:
        skip("needs root")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        skip("no /dev/net/tun")
    with tempfile.TemporaryDirectory(prefix="strowger-test-") as where:
        where = pathlib.Path(where)
        text = (TOP / "examples/ran.yaml").read_text()
        text = re.sub(r"database: \S+.*", f"import: {TOP}/examples/subscribers.csv", text)
        (where / "ran.yaml").write_text(text)
        (where / "lab.yaml").write_text(LAB)
        done = subprocess.run(["unshare", "-n", "sh", "-c", SCRIPT, "sh", STROWGER], cwd=where, capture_output=True, text=True,
                              timeout=100, stdin=subprocess.DEVNULL, env=dict(os.environ, STROWGER_RUN=str(where / "run")))
        print(done.stdout, done.stderr)
        assert done.returncode == 0, f"exit code {done.returncode}"
        assert "the machine is as it was" in done.stdout
        assert "all of it worked" in done.stdout


main()
