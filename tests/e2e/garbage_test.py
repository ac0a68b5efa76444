#!/usr/bin/env python3
"""Malformed bytes on every door of a running operator: nothing ends, nothing is stuck, phones attach as before."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import FUNCTIONS, Network  # noqa: E402

# Runs inside a namespace of the network: shots at one door, from a seed, so that a failure can be repeated.
ATTACKER = r"""
import random, socket, struct, sys, time
kind, address, port, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rnd = random.Random(seed)

def garbage():
    return bytes(rnd.randrange(256) for _ in range(rnd.choice([0, 1, 3, 4, 7, 8, 12, 20, 60, 300, 1400])))

def plausible(heads):
    head = bytearray(rnd.choice(heads))
    for _ in range(rnd.randrange(3)):
        head[rnd.randrange(len(head))] = rnd.randrange(256)
    return bytes(head) + garbage()

heads = {
    2123: [bytes.fromhex("48200010" "00000000" "00000100"), bytes.fromhex("40010009" "00000100" "0300010005"),
           bytes.fromhex("48240008" "00000001" "00000200"), bytes.fromhex("58220030" "00000002" "00000300")],
    8805: [bytes.fromhex("20010010" "00000100" "00600004e0000000"), bytes.fromhex("20050015" "00000100"),
           bytes.fromhex("21320010" "0000000000000000" "00000100"), bytes.fromhex("21340010" "0000000000000001" "00000100")],
    2152: [bytes.fromhex("30ff0020" "00000002"), bytes.fromhex("34ff0020" "00000002" "00000085"),
           bytes.fromhex("32010004" "00000000" "00010000"), bytes.fromhex("321a0010" "00000000" "00000000")],
    3868: [bytes.fromhex("01000014" "80000101" "00000000" "00000001" "00000001"), bytes.fromhex("01ffffff" "c000013e" "01000023")],
    6653: [bytes.fromhex("04000008" "00000001"), bytes.fromhex("040a0040" "00000002"), bytes.fromhex("0406ffff" "00000003")],
    36412: [bytes.fromhex("0011002d000004003b00080000f110"), bytes.fromhex("000c403d000005"), bytes.fromhex("2000")],
}[port]

if kind == "udp":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for i in range(2000):
        s.sendto(plausible(heads) if i % 2 else garbage(), (address, port))
        if i % 50 == 0:
            time.sleep(0.002)
elif kind == "tcp":
    for i in range(40):
        s = socket.create_connection((address, port), timeout=5)
        try:
            for _ in range(20):
                s.sendall(plausible(heads) if i % 2 else garbage())
        except OSError:
            pass
        s.close()
else:  # SCTP over raw IP: packets that are none, and INITs that lead nowhere
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
    for i in range(1000):
        common = struct.pack(">HHII", rnd.randrange(65536), port, rnd.choice([0, rnd.randrange(2**32)]), rnd.randrange(2**32))
        s.sendto(common + plausible([bytes.fromhex("01000014" "00000001" "00010000" "00010001" "00000001"),
                                     bytes.fromhex("00030020" "00000001" "00000000" "00000012")]), (address, 0))
"""

DOORS = [("core", "udp", "10.0.0.2", 2123), ("core", "udp", "10.0.0.4", 2123), ("core", "udp", "10.0.0.5", 2123),
         ("core", "udp", "10.0.0.4", 8805), ("core", "udp", "10.0.0.5", 8805), ("core", "udp", "10.0.0.6", 8805),
         ("ran", "udp", "10.0.0.7", 2152), ("core", "tcp", "10.0.0.3", 3868), ("core", "tcp", "10.0.0.6", 6653),
         ("ran", "sctp", "10.0.0.2", 36412)]


def main():
    with Network("tests/e2e/restart.yaml") as net:
        net.scenario("again", 40)
        before = {function: net.pid(function) for function in FUNCTIONS}
        for number, (namespace, kind, address, port) in enumerate(DOORS):
            net.run("exec", namespace, "python3", "-c", ATTACKER, kind, address, str(port), str(number))
            dead = [f for f, pid in before.items() if not net.is_up(f) or net.pid(f) != pid]
            assert not dead, f"{dead} ended by garbage on {kind} {address}:{port}"
            print(f"{kind:4} {address}:{port}: all functions live")
        net.scenario("send", 40)
        net.scenario("again", 40)


main()
