#!/usr/bin/env python3
"""The controller is killed while phones talk: no packet is lost, and after its return everything goes on.

The switch keeps the flows; S-GW and P-GW see the new recovery time stamp and establish their sessions again, with the same
tunnels; each claims its flows, and at the end of the grace time nothing of the old life is left.
"""
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, TOP, Network, wait_for  # noqa: E402

GRACE = 6


def configuration():
    text = (TOP / "examples" / "operator.yaml").read_text()
    text = re.sub(r"^name: .*", "name: controller-restart", text, flags=re.M)
    text = text.replace("import: subscribers.csv", f"import: {TOP}/examples/subscribers.csv")
    text = text.replace("    pfcp: 10.0.0.6\n", f"    pfcp: 10.0.0.6\n    grace: {GRACE}s\n    heartbeat: 1s\n")
    return re.sub(r"(  scenarios:\n)", r"""\1    - name: attach
      steps:
        - {do: attach}
    - name: sleep
      steps:
        - {do: idle}
""", text)


def ping(net, who, *arguments):
    return subprocess.Popen([STROWGER, "exec", "-n", net.name, who, "ping", "-n", "-q", *arguments], text=True,
                            env=net.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def main():
    with Network("controller-restart.yaml", text=configuration()) as net:
        net.scenario("attach")
        before = sorted((s["imsi"], s["teids"]) for s in net.get("controller", "/state?what=sessions"))
        assert len(before) == 8
        pings = [ping(net, "phone1", "-i", "0.05", "-c", "160", "10.99.0.1"),
                 ping(net, "phone2", "-6", "-i", "0.05", "-c", "160", "fd00:99::1"),
                 ping(net, "internet", "-i", "0.05", "-c", "160", "10.45.0.2")]
        time.sleep(1)
        net.kill("controller")
        killed = time.time()
        for p in pings:
            said = p.communicate(timeout=60)[0]
            assert " 0% packet loss" in said, said
        after = wait_for("all sessions again", lambda: sorted(
            (s["imsi"], s["teids"]) for s in net.get("controller", "/state?what=sessions")) == before)
        assert after
        time.sleep(max(0, killed + GRACE + 2 - time.time()))
        log = "\n".join(net.get("controller", "/log"))
        assert re.search(r"0 added, 0 removed, [1-9]\d* of an earlier life", log), log
        assert re.search(r"[1-9]\d* flows were right, 0 added, \d+ removed, 0 of an earlier life", log), log
        # Buffering, paging and the rest work in the new life.
        net.scenario("sleep")
        said = ping(net, "internet", "-i", "0.2", "-c", "5", "10.45.0.2").communicate(timeout=60)[0]
        assert " 0% packet loss" in said, said
        assert net.metrics("controller")['strowger_controller_pfcp_reports_total{kind="downlink_data"}'] >= 1


main()
