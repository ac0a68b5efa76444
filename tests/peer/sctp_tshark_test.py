#!/usr/bin/env python3
"""What our SCTP sends, seen by tshark on the wire: right checksums, nothing malformed, no addresses in INIT (a multi-homed
kernel peer would take them for ours), an end in order; for SCTP over IP and over UDP."""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import TOP, Network, need, wait_for  # noqa: E402


def fields(capture, condition, *names):
    command = ["tshark", "-r", str(capture), "-o", "sctp.checksum:TRUE", "-Y", condition, "-T", "fields"]
    for name in names:
        command += ["-e", name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def check(carrier):
    text = (TOP / "examples/operator.yaml").read_text()
    text = text.replace("subscribers.csv", f"{TOP}/examples/subscribers.csv")
    text = text.replace('listen: ["10.0.0.2:36412"]', f'listen: ["10.0.0.2:36412"]\n    carrier: {carrier}')
    text = re.sub(r"gtpu: (10\.0\.1\.1\d)}", rf"gtpu: \1, carrier: {carrier}}}", text)
    assert text.count(f"carrier: {carrier}") == 3
    with Network("operator.yaml", text=text) as net:
        capture = net.run_dir / "wire.pcap"
        tap = subprocess.Popen(["tcpdump", "-i", "s1", "-U", "--immediate-mode", "-w", str(capture), "sctp or udp port 9899"],
                               stderr=subprocess.DEVNULL, **inside(net, "ran"))
        wait_for("the capture", lambda: capture.exists() and capture.stat().st_size > 0)
        net.kill("lab")  # the eNodeBs come anew
        wait_for("the eNodeBs", lambda: net.get("lab", "/state")["enbs_up"] == 2)
        net.call("lab", "POST", "/scenario?name=tour")
        wait_for("the tour", lambda: not net.get("lab", "/scenario")["running"], 60)
        net.process.terminate()
        net.process.wait(20)
        tap.terminate()
        tap.wait(10)
        packets = fields(capture, "sctp", "sctp.checksum.status")
        assert len(packets) > 50, f"only {len(packets)} SCTP packets"
        wrong = fields(capture, "sctp.checksum.status == 0", "frame.number")
        assert not wrong, f"wrong checksums: {wrong}"
        malformed = fields(capture, "sctp && _ws.malformed && !s1ap", "frame.number")
        assert not malformed, f"malformed: {malformed}"
        for kind in (1, 2):
            inits = fields(capture, f"sctp.chunk_type == {kind}", "sctp.parameter_type")
            assert inits, f"no chunk of type {kind}"
            assert not any(re.search(r"0x000[56b]\b", types) for types in inits), f"addresses in INIT: {inits}"
        assert fields(capture, "sctp.chunk_type == 7", "frame.number"), "no SHUTDOWN at the end"
        print(f"{carrier}: {len(packets)} packets")


def inside(net, name):
    """How a child process gets into a namespace of the network."""
    import ctypes
    import os
    path = next(n["path"] for n in net.get("manager", "/state")["namespaces"] if n["name"] == name)

    def enter():
        fd = os.open(path, os.O_RDONLY)
        if ctypes.CDLL(None).setns(fd, 0x40000000) != 0:
            os._exit(1)
    return {"preexec_fn": enter}


def main():
    need("tshark", "tcpdump")
    check("usrsctp")
    check("udp")


main()
