#!/usr/bin/env python3
"""The switch's connections to its controllers, as a controller in Python sees them byte by byte: auxiliary connections, roles
that hold on all connections of a controller, silent controllers, pauses between attempts, fail-standalone and fail-secure mode.

Needs nothing but Python.
"""
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, UnixConnection, wait_for

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER, FEATURES_REQUEST, FEATURES_REPLY, PACKET_IN, PACKET_OUT = 0, 1, 2, 3, 4, 5, 6, 10, 13
FLOW_MOD, BARRIER_REQUEST, BARRIER_REPLY, ROLE_REQUEST, ROLE_REPLY = 14, 20, 21, 24, 25
SET_CONFIG, GET_CONFIG_REQUEST, GET_CONFIG_REPLY, GET_ASYNC, ASYNC_REPLY, SET_ASYNC = 9, 7, 8, 26, 27, 28
EQUAL, MASTER, SLAVE = 1, 2, 3
DATAPATH_ID = 0x31


class Connection:
    """One that a switch made to us."""

    def __init__(self, sock):
        self.socket = sock
        self.socket.settimeout(20)
        self.buffer = b""

    def send(self, kind, body=b"", xid=1):
        self.socket.sendall(struct.pack(">BBHI", 4, kind, 8 + len(body), xid) + body)

    def receive_any(self):
        while len(self.buffer) < 8 or len(self.buffer) < struct.unpack(">H", self.buffer[2:4])[0]:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        length = struct.unpack(">H", self.buffer[2:4])[0]
        message, self.buffer = self.buffer[:length], self.buffer[length:]
        return message[1], message[8:]

    def receive(self):
        """The next message that is no echo."""
        while True:
            kind, body = self.receive_any()
            if kind == ECHO_REQUEST:
                self.send(ECHO_REPLY, body)
            else:
                return kind, body

    def expect(self, kind):
        got, body = self.receive()
        assert got == kind, f"message {got} instead of {kind}: {body.hex()}"
        return body

    def ask(self, kind, body, reply):
        self.send(kind, body)
        return self.expect(reply)

    def features(self):
        """The datapath id and the auxiliary id."""
        datapath, _, _, auxiliary = struct.unpack(">QIBB", self.ask(FEATURES_REQUEST, b"", FEATURES_REPLY)[:14])
        return datapath, auxiliary

    def role(self, role, generation):
        return struct.unpack(">I4xQ", self.ask(ROLE_REQUEST, struct.pack(">IIQ", role, 0, generation), ROLE_REPLY))

    def is_closed(self):
        try:
            while True:
                self.receive()
        except (EOFError, ConnectionResetError):
            self.socket.close()
            return True

    def close(self):
        self.socket.close()


class Controller:
    def __init__(self, port=0):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(20)
        self.port = self.listener.getsockname()[1]

    def accept(self):
        connection = Connection(self.listener.accept()[0])
        connection.send(HELLO)
        connection.expect(HELLO)
        return connection

    def accept_auxiliaries(self, count):
        """By their ids."""
        found = {}
        for _ in range(count):
            connection = self.accept()
            datapath, auxiliary = connection.features()
            assert datapath == DATAPATH_ID and auxiliary not in found
            found[auxiliary] = connection
        assert sorted(found) == list(range(1, count + 1)), found.keys()
        return found

    def is_quiet(self, seconds):
        """Nobody connects for so long."""
        self.listener.settimeout(seconds)
        try:
            self.listener.accept()
            return False
        except TimeoutError:
            return True
        finally:
            self.listener.settimeout(20)

    def close(self):
        self.listener.close()


class Switch:
    def __init__(self, controllers, more=""):
        self.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.folder.name)
        config = folder / "switch.yaml"
        addresses = ", ".join(f"127.0.0.1:{port}" for port in controllers)
        config.write_text(f"""
name: channel-test
switch:
  datapath_id: {DATAPATH_ID}
  controllers: [{addresses}]
  reconnect_max: 200ms
  {more}
""")
        self.log_path = folder / "log"
        self.log = open(self.log_path, "w")
        self.control = folder / "channel-test" / "switch.sock"
        self.process = subprocess.Popen([STROWGER, "switch", "-c", str(config)], stderr=self.log,
                                        env=dict(os.environ, STROWGER_RUN=str(folder)))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        ended_itself = self.process.poll()
        if ended_itself is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        self.log.close()
        text = self.log_path.read_text()
        self.folder.cleanup()
        if kind is not None:
            print(f"--- the switch said:\n{text[-6000:]}")
        elif ended_itself is not None or self.process.returncode not in (0, -signal.SIGTERM):
            raise AssertionError(f"the switch ended with {self.process.returncode}\n{text[-6000:]}")

    def state(self, what):
        connection = UnixConnection(self.control)
        connection.request("GET", f"/state?what={what}")
        return json.loads(connection.getresponse().read())

    def is_standalone(self):
        return self.state("summary")["standalone"]

    def says(self, words):
        wait_for(f"{words!r} in the log", lambda: words in self.log_path.read_text())


def packet_out(data, port=0xFFFFFFFD):
    action = struct.pack(">HHIH6x", 0, 16, port, 0xFFFF)
    return struct.pack(">IIH6x", 0xFFFFFFFF, 0xFFFFFFFD, len(action)) + action + data


def frame(number):
    """Of one conversation, told apart by its UDP port."""
    ip = bytes.fromhex("4500002e000000004011000 00a0000010a000002".replace(" ", ""))
    udp = struct.pack(">HHHH", 1000 + number, 2000, 26, 0)
    return b"\x02" * 6 + b"\x04" * 6 + b"\x08\0" + ip + udp + bytes([number]) * 18


# ---- auxiliary connections (clause 6.3.7) ----

def test_auxiliary_connections():
    controller = Controller()
    with Switch([controller.port], "auxiliary: 3"):
        main = controller.accept()
        assert controller.is_quiet(0.5), "auxiliary connections come before the datapath id is told"
        assert main.features() == (DATAPATH_ID, 0)
        auxiliaries = controller.accept_auxiliaries(3)
        assert main.features() == (DATAPATH_ID, 0) and controller.is_quiet(0.3)  # told again: they are there
        here = main.socket.getpeername()[0]
        assert all(c.socket.getpeername()[0] == here for c in auxiliaries.values())

        # Requests of all kinds are answered where they came in.
        for xid, c in auxiliaries.items():
            c.ask(BARRIER_REQUEST, b"", BARRIER_REPLY)
            c.send(30)
            error = c.expect(ERROR)
            assert error[:4] == bytes.fromhex("00010001")

        # Packets: spread, none on the main connection, all of one conversation on the same one.
        for round in range(2):
            for number in range(60):
                main.send(PACKET_OUT, packet_out(frame(number)))
        main.ask(BARRIER_REQUEST, b"", BARRIER_REPLY)
        got = {xid: [] for xid in auxiliaries}
        for xid, c in auxiliaries.items():
            c.send(BARRIER_REQUEST)
            while (message := c.receive())[0] == PACKET_IN:
                got[xid].append(message[1][-1])
            assert message[0] == BARRIER_REPLY
        assert sorted(sum(got.values(), [])) == sorted(list(range(60)) * 2), got
        for numbers in got.values():
            assert len(numbers) >= 10 and numbers[:len(numbers) // 2] == numbers[len(numbers) // 2:], got

        # One that is lost is made again; packets go by the others meanwhile or after.
        auxiliaries[2].close()
        again = controller.accept()
        assert again.features() == (DATAPATH_ID, 2)
        auxiliaries[2] = again

        # With the main connection all end, and there is none until a main connection has told who we are again.
        main.close()
        assert all(c.is_closed() for c in auxiliaries.values())
        main = controller.accept()
        assert controller.is_quiet(0.5)
        assert main.features() == (DATAPATH_ID, 0)
        for c in controller.accept_auxiliaries(3).values():
            c.close()
        main.close()
    controller.close()


def test_settings_are_the_controllers():
    one, two = Controller(), Controller()
    with Switch([one.port, two.port], "auxiliary: 1") as switch:
        main, other = one.accept(), two.accept()
        main.features()
        other.features()
        auxiliary, other_auxiliary = one.accept_auxiliaries(1)[1], two.accept_auxiliaries(1)[1]

        # A role taken by the auxiliary connection is the controller's, and takes it from the other controller.
        assert other.role(MASTER, 5) == (MASTER, 5)
        assert other_auxiliary.role(0, 0) == (MASTER, 5)
        assert auxiliary.role(MASTER, 6) == (MASTER, 6)
        assert main.role(0, 0) == (MASTER, 6) and auxiliary.role(0, 0) == (MASTER, 6)
        # It hears of that on its main connection (role status: ONF 1911).
        assert other.expect(EXPERIMENTER)[:8] == struct.pack(">II", 0x4f4e4600, 1911)
        assert other.role(0, 0) == (SLAVE, 6) and other_auxiliary.role(0, 0) == (SLAVE, 6)
        other_auxiliary.send(PACKET_OUT, packet_out(frame(1)))
        assert other_auxiliary.expect(ERROR)[:4] == bytes.fromhex("0001000a")  # IS_SLAVE

        # What it wants to hear of, too, and how much of a packet.
        mask = struct.pack(">IIIIII", 2, 0, 0, 0, 0, 0)
        main.send(SET_ASYNC, mask)
        main.send(SET_CONFIG, struct.pack(">HH", 0, 77))
        main.ask(BARRIER_REQUEST, b"", BARRIER_REPLY)
        assert auxiliary.ask(GET_ASYNC, b"", ASYNC_REPLY) == mask
        assert auxiliary.ask(GET_CONFIG_REQUEST, b"", GET_CONFIG_REPLY) == struct.pack(">HH", 0, 77)
        assert other.ask(GET_CONFIG_REQUEST, b"", GET_CONFIG_REPLY) == struct.pack(">HH", 0, 128)

        # An auxiliary connection that comes later has them as well.
        auxiliary.close()
        auxiliary = one.accept_auxiliaries(1)[1]
        assert auxiliary.role(0, 0) == (MASTER, 6)
        assert auxiliary.ask(GET_ASYNC, b"", ASYNC_REPLY) == mask
        rows = switch.state("controllers")
        assert sorted((row["auxiliary"], row["role"]) for row in rows) == [(0, "master"), (0, "slave"), (1, "master"), (1, "slave")]

        # A new main connection begins anew.
        main.close()
        assert auxiliary.is_closed()
        main = one.accept()
        assert main.role(0, 0) == (EQUAL, 6)
        for c in main, other, other_auxiliary:
            c.close()
    one.close()
    two.close()


# ---- silence and attempts ----

def test_a_silent_controller():
    """An echo request after one interval, the end after another, and a new attempt."""
    controller = Controller()
    with Switch([controller.port], "probe_interval: 1s"):
        begin = time.monotonic()
        c = controller.accept()
        assert c.receive_any()[0] == ECHO_REQUEST
        try:
            c.receive_any()
            raise AssertionError("more than one echo request")
        except (EOFError, ConnectionResetError):
            pass
        assert time.monotonic() - begin >= 1.9
        c = controller.accept()
        assert c.receive_any() == (ECHO_REQUEST, b"")
        c.send(ECHO_REPLY)
        assert c.receive_any() == (ECHO_REQUEST, b"")  # it answered, so it is asked again and not given up
        c.close()
    controller.close()


def test_attempts_go_on_and_are_paused():
    controller = Controller()
    with Switch([controller.port]) as switch:
        begin = time.monotonic()
        for _ in range(8):
            controller.listener.accept()[0].close()
        assert 1.2 <= time.monotonic() - begin  # 100 ms, then 200 ms each
        controller.close()
        wait_for("the switch", lambda: switch.control.exists())
        controller = Controller(controller.port)
        assert controller.accept().features() == (DATAPATH_ID, 0)
    controller.close()


# ---- fail modes (clause 6.3.3) ----

def test_fail_standalone():
    one, two = Controller(), Controller()
    with Switch([one.port, two.port], "fail_mode: standalone") as switch:
        first, second = one.accept(), two.accept()
        assert first.features() == second.features() == (DATAPATH_ID, 0)
        assert not switch.is_standalone()
        one.close()
        first.close()
        wait_for("the loss", lambda: sum(row["up"] for row in switch.state("controllers")) == 1)
        assert not switch.is_standalone()  # the second is there
        two.close()
        second.close()
        wait_for("standalone mode", switch.is_standalone)
        switch.says("no controller can be reached: a learning Ethernet switch")
        two = Controller(two.port)
        second = two.accept()
        second.features()
        assert not switch.is_standalone()
        switch.says("a controller is there again")
        two.close()
        second.close()
        wait_for("standalone mode", switch.is_standalone)


def test_fail_standalone_from_the_start():
    unused = Controller()
    unused.close()
    with Switch([unused.port], "fail_mode: standalone") as switch:
        switch.says("cannot be reached")
        wait_for("standalone mode", switch.is_standalone)
        controller = Controller(unused.port)
        connection = controller.accept()
        assert connection.features() == (DATAPATH_ID, 0)
        assert not switch.is_standalone()
        connection.close()
        controller.close()


def test_fail_secure():
    controller = Controller()
    with Switch([controller.port]) as switch:
        c = controller.accept()
        c.features()
        controller.close()
        c.close()
        wait_for("the loss", lambda: not switch.state("controllers")[0]["up"])
        switch.says("flows stay")
        assert not switch.is_standalone()


def test_standalone_needs_controllers():
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "switch.yaml"
        config.write_text("name: none\nswitch:\n  fail_mode: standalone\n")
        done = subprocess.run([STROWGER, "switch", "-c", str(config)], capture_output=True, text=True, timeout=30,
                              env=dict(os.environ, STROWGER_RUN=folder))
        assert done.returncode != 0 and "switch.fail_mode: standalone is for a switch whose controllers fail" in done.stderr, done


def main():
    for test in (test_auxiliary_connections, test_settings_are_the_controllers, test_a_silent_controller,
                 test_attempts_go_on_and_are_paused, test_fail_standalone, test_fail_standalone_from_the_start, test_fail_secure,
                 test_standalone_needs_controllers):
        test()
        print("ok", test.__name__, flush=True)


if __name__ == "__main__":
    main()
