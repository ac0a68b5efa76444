"""A whole network for tests and benchmarks: starts `strowger up FILE`, asks its functions, and ends it.

    with Network("examples/operator.yaml") as net:
        net.scenario("demo")
        net.get("mme", "/state?what=subscribers")

A test that cannot run here calls skip(reason).
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(os.environ.get("STROWGER_TOP", pathlib.Path(__file__).resolve().parent.parent))
STROWGER = os.environ.get("STROWGER", str(TOP / "build" / "strowger"))
FUNCTIONS = ("hss", "mme", "sgw", "pgw", "controller", "switch")


def skip(reason):
    print(reason)
    sys.exit(77)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("strowger", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def wait_for(what, condition, seconds=15.0, step=0.05):
    """The condition's first true value; an error that names `what` when it does not come."""
    end = time.time() + seconds
    while time.time() < end:
        try:
            value = condition()
            if value:
                return value
        except (OSError, http.client.HTTPException, KeyError):
            pass
        time.sleep(step)
    raise AssertionError(f"{what} did not come within {seconds} s")


class Network:
    def __init__(self, file, *options, text=None, functions=FUNCTIONS):
        """`file` is a configuration relative to the source tree; `text` replaces its contents."""
        self.run_dir = pathlib.Path(tempfile.mkdtemp(prefix="strowger-test-"))
        if text is not None:
            file = self.run_dir / pathlib.Path(file).name
            file.write_text(text)
        self.file = pathlib.Path(file) if pathlib.Path(file).is_absolute() else TOP / file
        names = re.findall(r"^name:\s*(\S+)", self.file.read_text(), re.M)
        self.name = names[0] if names else "default"
        self.options = options
        self.functions = functions
        self.environment = dict(os.environ, STROWGER_RUN=str(self.run_dir))
        self.output = open(self.run_dir / "up.log", "w+")

    # -- life --

    def __enter__(self):
        self.process = subprocess.Popen([STROWGER, "up", str(self.file), *self.options], stdin=subprocess.DEVNULL,
                                        stdout=self.output, stderr=subprocess.STDOUT, env=self.environment)
        try:
            wait_for("all functions", self.all_up, 20)
            wait_for("readiness", lambda: not self.waits(), 20)
        except AssertionError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if kind is not None or self.process.returncode not in (0, -signal.SIGTERM):
            self.output.seek(0)
            print("--- what `strowger up` said:\n" + self.output.read()[-8000:])
        self.output.close()
        shutil.rmtree(self.run_dir, ignore_errors=True)

    def all_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"`strowger up` ended with {self.process.returncode}")
        return all(self.is_up(function) for function in self.functions) and self.get("lab", "/state")

    def waits(self):
        """What functions still wait for: peers, mostly."""
        rows = json.loads(self.run("status", self.name, "--json").stdout)
        rows = rows.get("functions", rows) if isinstance(rows, dict) else rows
        return [f"{row['function']}: {row['waits_for']}" for row in rows if row.get("waits_for")]

    def is_up(self, function):
        try:
            return self.get(function, "/process")
        except (OSError, http.client.HTTPException):
            return None

    # -- asking --

    def socket_of(self, function):
        return self.run_dir / self.name / f"{function}.sock"

    def call(self, function, method, target, body=None):
        connection = UnixConnection(self.socket_of(function))
        connection.request(method, target, body)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    def get(self, function, target):
        status, data = self.call(function, "GET", target)
        if status != 200:
            raise AssertionError(f"GET {target} of {function}: {status} {data[:200]}")
        return json.loads(data)

    def metrics(self, function):
        """{"name{labels}": number}."""
        _, data = self.call(function, "GET", "/metrics")
        lines = (line.rsplit(" ", 1) for line in data.decode().splitlines() if line and line[0] != "#")
        return {name: float(value) for name, value in lines}

    def run(self, *arguments, check=True, timeout=60):
        """`strowger ARGUMENTS...` for this network."""
        done = subprocess.run([STROWGER, *arguments], env=self.environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"strowger {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def pid(self, function):
        return self.get(function, "/process")["pid"]

    # -- doing --

    def scenario(self, name, seconds=120):
        """Runs a scenario of the lab; its final state. Raises when not all of it worked."""
        status, data = self.call("lab", "POST", f"/scenario?name={name}")
        if status != 200:
            raise AssertionError(f"scenario {name}: {data.decode()}")
        end = time.time() + seconds
        while time.time() < end:
            state = self.get("lab", "/scenario")
            if not state["running"]:
                if not state["ok"]:
                    raise AssertionError(f"scenario {name} failed:\n" + "\n".join(state["lines"]))
                return state
            time.sleep(0.1)
        raise AssertionError(f"scenario {name} did not end within {seconds} s:\n"
                             + "\n".join(self.get("lab", "/scenario")["lines"]))

    def kill(self, function):
        """Kills a function's process without warning; the manager starts it anew."""
        pid = self.pid(function)
        os.kill(pid, signal.SIGKILL)
        wait_for(f"a new {function}", lambda: self.is_up(function) and self.pid(function) != pid, 20)
