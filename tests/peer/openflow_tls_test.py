#!/usr/bin/env python3
"""OpenFlow over TLS with others: ovs-ofctl and openssl as tools that connect to our switch, ovs-testcontroller as its controller
(by TLS and by TCP), and our own controller. Certificates of a throw-away authority.

Runs in a network namespace of its own. Needs ovs-ofctl, ovs-testcontroller, openssl and unshare.
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, UnixConnection, need, skip, wait_for

TLS_PORT, PLAIN_PORT, CONTROLLER_PORT, OUR_CONTROLLER_PORT = 16655, 16656, 16657, 16658
SSL_TARGET = f"ssl:127.0.0.1:{TLS_PORT}"
HELLO = bytes.fromhex("0400000800000001")


def enter_namespace():
    """Starts this script again in new namespaces; as root of a user namespace when it is not root."""
    if os.environ.get("IN_NAMESPACE"):
        return
    need("unshare", "ip", "ovs-ofctl", "ovs-testcontroller", "openssl")
    flags = ["-n"] if os.geteuid() == 0 else ["-r", "-n"]
    if subprocess.run(["unshare", *flags, "true"], capture_output=True).returncode != 0:
        skip("network namespaces are not allowed here")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        skip("/dev/net/tun can not be used here")
    os.execvpe("unshare", ["unshare", *flags, sys.executable, __file__], dict(os.environ, IN_NAMESPACE="1"))


# ---- certificates ----

class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout",
                     f"{name}.key", "-out", f"{name}.pem")
        self.certificate = str(folder / f"{name}.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def sign(self, name):
        """The files of a new certificate and its key."""
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out",
                     f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key",
                     "-CAcreateserial", "-days", "2", "-out", f"{name}.pem")
        return str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")


# ---- programs ----

class Program:
    """One that runs until the end of the `with`; what it says goes to a file."""

    def __init__(self, folder, name, *arguments):
        self.path = folder / f"{name}.log"
        self.log = open(self.path, "w")
        self.process = subprocess.Popen(arguments, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env=dict(os.environ, STROWGER_RUN=str(folder)))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        ended_itself = self.process.poll()
        if ended_itself is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        self.log.close()
        if kind is not None:
            print(f"--- {self.path.name}:\n{self.text()[-6000:]}")
        elif ended_itself is not None or self.process.returncode not in (0, -signal.SIGTERM):
            raise AssertionError(f"{self.path.name}: ended with {self.process.returncode}\n{self.text()[-6000:]}")

    def text(self):
        return self.path.read_text()

    def says(self, words):
        wait_for(f"{words!r} in {self.path.name}", lambda: words in self.text())


class Tests:
    def __init__(self, folder):
        self.folder = folder
        self.ca, self.other_ca = Authority(folder, "ca"), Authority(folder, "other-ca")
        self.switch = self.ca.sign("switch")
        self.controller = self.ca.sign("controller")
        self.stranger = self.other_ca.sign("stranger")

    def tls(self, identity, ca):
        return f"{{certificate: {identity[0]}, private_key: {identity[1]}, ca: {ca.certificate}}}"

    def start_switch(self, name, controllers="", more=""):
        """With two ports, p1 and p2."""
        config = self.folder / f"{name}.yaml"
        config.write_text(f"""
name: {name}
switch:
  datapath_id: 0x21
  controllers: [{controllers}]
  listen: ["ssl:127.0.0.1:{TLS_PORT}", "tcp:127.0.0.1:{PLAIN_PORT}"]
  tls: {self.tls(self.switch, self.ca)}
  reconnect_max: 200ms
  {more}
  ports:
    - {{name: p1, type: tap, interface: p1}}
    - {{name: p2, type: tap, interface: p2}}
""")
        program = Program(self.folder, name, STROWGER, "switch", "-c", str(config))
        wait_for("the switch", lambda: socket.create_connection(("127.0.0.1", PLAIN_PORT)).close() is None)
        return program

    def ofctl(self, *arguments, identity=None, ca=None, target=SSL_TARGET, fails=False):
        certificate, key = identity or self.controller
        done = subprocess.run(["ovs-ofctl", "-O", "OpenFlow13", "--timeout=20", f"--certificate={certificate}",
                               f"--private-key={key}", f"--ca-cert={(ca or self.ca).certificate}", arguments[0], target,
                               *arguments[1:]], capture_output=True, text=True, timeout=60)
        if (done.returncode != 0) != fails:
            raise AssertionError(f"ovs-ofctl {arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def start_testcontroller(self, name, method, identity=None, ca=None):
        arguments = []
        if identity:
            arguments = [f"--certificate={identity[0]}", f"--private-key={identity[1]}", f"--ca-cert={ca.certificate}"]
        return Program(self.folder, name, "ovs-testcontroller", "-O", "OpenFlow13", *arguments,
                       f"--unixctl={self.folder / name}.ctl", "--max-idle=permanent", method)

    # -- tools that connect to our switch --

    def test_ofctl_with_certificates(self, switch):
        assert "dpid:0000000000000021" in self.ofctl("show")
        file = self.folder / "flows"
        file.write_text("".join(f"table=3,ip,nw_dst=10.{i >> 8}.{i & 255}.1 actions=output:2\n" for i in range(5000)))
        self.ofctl("add-flows", str(file))
        text = self.ofctl("dump-flows", "table=3")
        assert text.count("actions=output:2") == 5000
        self.ofctl("del-flows")
        switch.says("connected by TLS")

    def test_wrong_authority_is_refused(self, switch):
        self.ofctl("show", identity=self.stranger, fails=True)
        switch.says("refused: its certificate is not valid here")
        switch.says(f"it must be signed by an authority in {self.ca.certificate}")

    def test_a_tool_refuses_our_certificate(self, switch):
        self.ofctl("show", ca=self.other_ca, fails=True)
        switch.says("it refuses our certificate")

    def test_no_certificate_is_refused(self, switch):
        for version in "-tls1_2", "-tls1_3":
            done = subprocess.run(["openssl", "s_client", version, "-connect", f"127.0.0.1:{TLS_PORT}", "-CAfile",
                                   self.ca.certificate, "-quiet"], input=HELLO, capture_output=True, timeout=30)
            assert HELLO[:2] not in done.stdout, done
        switch.says("refused: it shows no certificate; give it one")

    def test_old_tls_is_refused(self, switch):
        certificate, key = self.controller
        done = subprocess.run(["openssl", "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-cert", certificate, "-key", key,
                               "-connect", f"127.0.0.1:{TLS_PORT}", "-CAfile", self.ca.certificate], input=HELLO,
                              capture_output=True, timeout=30)
        assert done.returncode != 0
        switch.says("TLS 1.2 or later is needed")

    def test_plain_tcp_at_the_tls_port_is_refused(self, switch):
        with socket.create_connection(("127.0.0.1", TLS_PORT)) as plain:
            plain.settimeout(20)
            plain.sendall(HELLO)
            try:
                assert plain.recv(4096) == b""
            except ConnectionResetError:
                pass
        switch.says("it does not speak TLS")
        self.ofctl("show", target=f"tcp:127.0.0.1:{TLS_PORT}", fails=True)
        assert "dpid" in self.ofctl("show")

    def test_tls_at_the_plain_port_is_refused(self, switch):
        self.ofctl("show", target=f"ssl:127.0.0.1:{PLAIN_PORT}", fails=True)
        switch.says("it speaks TLS; say ssl: here")
        assert "dpid" in self.ofctl("show", target=f"tcp:127.0.0.1:{PLAIN_PORT}")

    def test_garbage_in_a_session(self, switch):
        """Bytes that are no record, in an established session's place, and a client that goes in the middle."""
        for size in range(1, 60, 7):
            with socket.create_connection(("127.0.0.1", TLS_PORT)) as broken:
                broken.sendall(bytes.fromhex("160301010001000100") + os.urandom(size))
        assert "dpid" in self.ofctl("show")

    # -- ovs-testcontroller as the controller --

    def learn(self, switch):
        """Frames between p1 and p2 pass, by flows that the controller learnt."""
        target = f"tcp:127.0.0.1:{PLAIN_PORT}"
        ends = []
        for port in "p1", "p2":
            subprocess.run(["ip", "link", "set", port, "up"], check=True)
            end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5))
            end.bind((port, 0x88b5))
            end.settimeout(0.2)
            ends.append(end)
        macs = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"

        def passes(a, b):
            ends[a].send(macs[b] + macs[a] + b"\x88\xb5" + b"hello".ljust(50, b"\0"))
            try:
                return ends[b].recv(2048)[14:19] == b"hello"
            except TimeoutError:
                return False

        wait_for("a frame from p1 to p2", lambda: passes(0, 1))
        wait_for("a frame from p2 to p1", lambda: passes(1, 0))
        wait_for("a flow for p2", lambda: passes(0, 1) and "dl_dst=02:00:00:00:00:02" in self.ofctl("dump-flows", target=target))
        for end in ends:
            end.close()
        assert "connected" in switch.text()

    def test_testcontroller(self, method, target, more=""):
        name = method.split(":")[0]
        identity = (self.controller, self.ca) if name == "pssl" else ()
        with self.start_testcontroller(f"testcontroller-{name}", method, *identity), \
                self.start_switch(f"switch-{name}", target, more) as switch:
            self.learn(switch)

    def test_a_controller_of_another_authority_is_refused(self):
        with self.start_testcontroller("stranger", f"pssl:{CONTROLLER_PORT}:127.0.0.1", self.stranger, self.other_ca), \
                self.start_switch("refusing", f'"ssl:127.0.0.1:{CONTROLLER_PORT}"') as switch:
            switch.says("refused: its certificate is not valid here")
            switch.says("cannot be reached")
            assert "connected" not in switch.text()

    # -- our controller --

    def test_our_controller(self):
        config = self.folder / "controller.yaml"
        config.write_text(f"""
name: ours
controller:
  openflow: ssl:127.0.0.1:{OUR_CONTROLLER_PORT}
  tls: {self.tls(self.controller, self.ca)}
  user_plane:
    pfcp: 127.0.0.1
    gtpu: {{address: 127.0.77.1}}
""")
        with Program(self.folder, "controller", STROWGER, "controller", "-c", str(config)) as controller, \
                self.start_switch("ours", f'"ssl:127.0.0.1:{OUR_CONTROLLER_PORT}"', "auxiliary: 2"):
            def switches():
                connection = UnixConnection(self.folder / "ours" / "controller.sock")
                connection.request("GET", "/state?what=switches")
                return json.loads(connection.getresponse().read())

            def is_complete():
                rows = switches()
                return rows if rows and rows[0]["state"] == "ready" and rows[0]["auxiliary"] == 2 else None

            rows = wait_for("the switch and its auxiliary connections", is_complete)
            assert len(rows) == 1 and rows[0]["datapath"] == "0000000000000021", rows
            with socket.create_connection(("127.0.0.1", OUR_CONTROLLER_PORT)) as plain:
                plain.sendall(HELLO)
            controller.says("it does not speak TLS")
        text = controller.text()
        assert len(re.findall("auxiliary connection [12]", text)) == 2, text

    def test_certificates_that_are_not_there(self):
        for key, value, words in ("tls", "{}", "ssl: addresses need tls.certificate"), \
                ("tls", f"{{certificate: /nowhere, private_key: {self.switch[1]}, ca: {self.ca.certificate}}}",
                 "tls.certificate: /nowhere: cannot be read"):
            config = self.folder / "bad.yaml"
            config.write_text(f"name: bad\nswitch:\n  listen: ['ssl:127.0.0.1:{TLS_PORT}']\n  {key}: {value}\n")
            done = subprocess.run([STROWGER, "switch", "-c", str(config)], capture_output=True, text=True, timeout=30,
                                  env=dict(os.environ, STROWGER_RUN=str(self.folder)))
            assert done.returncode != 0 and words in done.stderr, done


def main():
    enter_namespace()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        tests = Tests(pathlib.Path(folder))
        with tests.start_switch("tools") as switch:
            for test in (tests.test_ofctl_with_certificates, tests.test_wrong_authority_is_refused,
                         tests.test_a_tool_refuses_our_certificate, tests.test_no_certificate_is_refused,
                         tests.test_old_tls_is_refused, tests.test_plain_tcp_at_the_tls_port_is_refused,
                         tests.test_tls_at_the_plain_port_is_refused, tests.test_garbage_in_a_session):
                time.sleep(1.1)  # refusals are logged a few times a second: each test has a second of its own
                test(switch)
                print("ok", test.__name__, flush=True)
        tests.test_testcontroller(f"ptcp:{CONTROLLER_PORT}:127.0.0.1", f"127.0.0.1:{CONTROLLER_PORT}")
        tests.test_testcontroller(f"pssl:{CONTROLLER_PORT}:127.0.0.1", f'"ssl:127.0.0.1:{CONTROLLER_PORT}"')
        print("ok test_testcontroller", flush=True)
        for test in (tests.test_a_controller_of_another_authority_is_refused, tests.test_our_controller,
                     tests.test_certificates_that_are_not_there):
            test()
            print("ok", test.__name__, flush=True)


if __name__ == "__main__":
    main()
