#!/usr/bin/env python3
"""Flow monitors and bundles with Open vSwitch's ovs-ofctl: it watches the flows while it changes them by other connections.

Needs ovs-ofctl (package openvswitch-common).
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, need, skip, wait_for

OPENFLOW = ("127.0.0.1", 16655)
TARGET = "tcp:%s:%d" % OPENFLOW
CONFIG = """
name: switch-monitor-test
switch:
  datapath_id: 0x12
  listen: [127.0.0.1:16655]
"""


def ofctl(*arguments, options=()):
    done = subprocess.run(["ovs-ofctl", "-O", "OpenFlow13", *options, arguments[0], TARGET, *arguments[1:]],
                          capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr


class Monitor:
    """ovs-ofctl monitor, and what it printed."""

    def __init__(self, folder, watch):
        self.log = pathlib.Path(folder) / "monitor"
        self.process = subprocess.Popen(
            ["ovs-ofctl", "-O", "OpenFlow13", "monitor", TARGET, watch], stdout=open(self.log, "w"),
            stderr=subprocess.STDOUT, env=dict(os.environ, OVS_RUNDIR=str(folder)))
        # It answers on its control socket only when it listens; what comes before that it does not print.
        wait_for("the monitor", lambda: any(pathlib.Path(folder).glob(f"ovs-ofctl.{self.process.pid}.ctl")))

    def saw(self, *parts):
        """All of these, in this order."""
        def all_there():
            text, at = self.log.read_text(), 0
            for part in parts:
                at = text.find(part, at)
                if at < 0:
                    return False
                at += len(part)
            return True
        try:
            wait_for("updates", all_there)
        except BaseException:
            print(f"{parts} are not in\n{self.log.read_text()}")
            raise

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def test_changes_are_seen(folder):
    ofctl("add-flow", "table=1,priority=5,in_port=2 actions=output:3")
    monitor = Monitor(folder, "watch:table=1")
    monitor.saw("event=ADDED table=1 cookie=0 in_port=2 actions=output:3")
    ofctl("add-flow", "table=2,in_port=9 actions=drop")
    ofctl("add-flow", "table=1,priority=7,ip,in_port=3 actions=output:4")
    ofctl("mod-flows", "table=1,ip actions=output:6")
    ofctl("del-flows", "table=1,in_port=3")
    ofctl("del-flows", "table=1")
    monitor.saw("event=ADDED table=1 cookie=0 ip,in_port=3 actions=output:4",
                "event=MODIFIED table=1 cookie=0 ip,in_port=3 actions=output:6",
                "event=DELETED reason=delete table=1 cookie=0 ip,in_port=3 actions=output:6",
                "event=DELETED reason=delete table=1 cookie=0 in_port=2 actions=output:3")
    assert "table=2" not in monitor.log.read_text()
    monitor.close()


def test_without_actions_and_initial(folder):
    ofctl("add-flow", "table=1,in_port=1 actions=output:3")
    monitor = Monitor(folder, "watch:!initial,!actions,!delete")
    ofctl("add-flow", "table=1,in_port=2 actions=output:3")
    ofctl("del-flows", "table=1,in_port=1")
    ofctl("add-flow", "table=1,in_port=4,idle_timeout=77 actions=output:3")
    monitor.saw("event=ADDED table=1 cookie=0 in_port=2\n", "event=ADDED table=1", "in_port=4")
    text = monitor.log.read_text()
    assert "in_port=1" not in text and "DELETED" not in text and "actions=" not in text, text
    monitor.close()


def test_bundles_are_seen(folder):
    monitor = Monitor(folder, "watch:table=6")
    file = pathlib.Path(folder) / "flows"
    file.write_text("add table=6,tun_id=1 actions=output:3\nadd table=6,tun_id=2 actions=group:77\n")
    failed = ofctl("add-flows", str(file), options=["--bundle"])
    assert "OFPBAC_BAD_OUT_GROUP" in failed and "OFPBFC_MSG_FAILED" in failed, failed
    file.write_text("add table=6,tun_id=3 actions=output:3\ndelete table=6,tun_id=3\n")
    ofctl("add-flows", str(file), options=["--bundle"])
    monitor.saw("event=ADDED table=6 cookie=0 tun_id=0x3", "event=DELETED reason=delete table=6 cookie=0 tun_id=0x3")
    assert "tun_id=0x1" not in monitor.log.read_text()  # of what was not committed nobody hears
    monitor.close()


def main():
    need("ovs-ofctl")
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "switch.yaml"
        config.write_text(CONFIG)
        log = open(pathlib.Path(folder) / "log", "w+")
        switch = subprocess.Popen([STROWGER, "switch", "-c", str(config)], stderr=log,
                                  env=dict(os.environ, STROWGER_RUN=folder))
        try:
            wait_for("the switch", lambda: socket.create_connection(OPENFLOW).close() is None)
            for test in (test_changes_are_seen, test_without_actions_and_initial, test_bundles_are_seen):
                test(folder)
                ofctl("del-flows")
                print(f"ok {test.__name__}", flush=True)
        except BaseException:
            log.seek(0)
            print(log.read()[-3000:])
            raise
        finally:
            switch.send_signal(signal.SIGTERM)
            code = switch.wait(10)
        assert code == 0, f"the switch ended with {code}"


if __name__ == "__main__":
    if not shutil.which(STROWGER):
        skip(f"{STROWGER} is not built")
    main()
