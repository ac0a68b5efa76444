#!/usr/bin/env python3
"""A machine with KVM in which unmodified guests run, for the tests of the hypervisor.

    with Host(files={"/guest/initrd": initrd}, modules=("vhost_net",)) as host:
        code, output = host.run("strowger vm ...", timeout=60)
        job = host.start("strowger vm ...")
        job.wait_for("login:", 60)
        job.kill()
        host.put(b"text", "/tmp/file"); host.get("/tmp/file")
    with joined() as (one, two):    # two of them, 10.98.0.1 and 10.98.0.2 on eth0

Where this machine's own KVM boots an unmodified Debian kernel (it is tried, once after each start of the machine), the
commands run here: as root in name spaces of their own for mounts, processes and the network, over a layer that takes what
they write. Elsewhere the host is QEMU's software emulation of a computer with AMD's virtualization (SVM), with Debian's
cloud kernel and busybox. Its state after the start is kept in the cache, so that the next one is there in a second;
the files and modules that a test asks for come after that, on a disk. It has one processor unless a test asks for more. More
are emulated in turns (thread=single): in parallel, QEMU 7.2 stops all of them for ever after some tens of nested VMs.
STROWGER_RIG=tcg or =here chooses by hand.

A host has `strowger` and `busybox` in its PATH, /dev/kvm and /dev/net/tun. Everything has a time limit, and every process
ends with the test.

    python3 tests/rig.py             a shell in such a host
    python3 tests/rig.py COMMAND     one command in it
"""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from guest import CACHE, Kernel, busybox, file_entries, locked, make_initrd, with_libraries, write_cpio  # noqa: E402
from network import STROWGER, TOP, need, skip  # noqa: E402

START, INPUT, KILL, OUTPUT, EXIT, HELLO = range(1, 7)  # tests/rig_agent.c
PART = 64 << 10
SLOW = 120  # seconds: an emulated machine on a loaded one
BASE_MODULES = ("kvm_amd", "virtio_pci", "virtio_console", "tun")  # in the kept state; others are loaded after it
LATE_MODULES = ("virtio_blk", "virtio_net")

INIT = """
mkdir -p /dev/pts /dev/shm /run
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
ip link set lo up
exec /rig_agent /dev/vport0p1 2>/dev/console
"""

# After the start or the return of a kept state: the disk's driver, the files, the modules that are asked for.
ARRIVE = """
for m in %s; do [ -d /sys/module/$m ] || insmod /modules/$m.ko || exit 1; done
cd / && cpio -idu < /dev/vda 2>/dev/null
for m in $(cat /modules/late); do [ -d /sys/module/$m ] || insmod /modules/$m.ko || exit 1; done
"""


class Timeout(AssertionError):
    pass


# ---- the command channel ----

class Job:
    """A command in a host. `output` grows while it runs; `code` is None until it has ended."""

    def __init__(self, channel, number, command):
        self.channel, self.number, self.command = channel, number, command
        self.output, self.code = bytearray(), None

    def text(self):
        return self.output.decode(errors="replace")

    def _until(self, what, condition, seconds):
        """Sleeps until a frame makes the condition true."""
        with self.channel.changed:
            if not self.channel.changed.wait_for(lambda: condition() or self.channel.broken, seconds):
                raise Timeout(f"`{self.command}`: {what} did not come within {seconds} s; it printed:\n{self.text()[-8000:]}")
            if not condition():
                raise AssertionError(f"`{self.command}`: the machine has left; it printed:\n{self.text()[-8000:]}")

    def wait(self, seconds=60):
        self._until("its end", lambda: self.code is not None, seconds)
        return self.code

    def wait_for(self, text, seconds=60):
        """Until it has printed the text; an error when it ends without."""
        self._until(repr(text), lambda: text.encode() in self.output or self.code is not None, seconds)
        assert text.encode() in self.output, f"`{self.command}` ended with {self.code}, without {text!r}:\n{self.text()[-8000:]}"
        return self.text()

    def send(self, data):
        for at in range(0, len(data), PART):
            self.channel.send(self.number, INPUT, data[at:at + PART])

    def close(self):
        self.channel.send(self.number, INPUT, b"")

    def kill(self, number=signal.SIGTERM):
        """A signal for the command and what it started."""
        self.channel.send(self.number, KILL, struct.pack("<I", number))


class Channel:
    """Frames of tests/rig_agent.c over a socket; a thread of its own takes what comes."""

    def __init__(self, sock):
        self.socket, self.jobs, self.next = sock, {}, 1
        self.broken = self.greeted = False
        self.changed, self.sending = threading.Condition(), threading.Lock()
        self.thread = threading.Thread(target=self._receive, daemon=True)
        self.thread.start()

    def send(self, job, kind, data=b""):
        with self.sending:
            self.socket.sendall(struct.pack("<III", job, kind, len(data)) + data)

    def start(self, command):
        with self.changed:
            job = self.jobs[self.next] = Job(self, self.next, command)
            self.next += 1
        self.send(job.number, START, command.encode())
        return job

    def _exactly(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _receive(self):
        try:
            while True:
                number, kind, length = struct.unpack("<III", self._exactly(12))
                data = self._exactly(length)
                with self.changed:
                    job = self.jobs.get(number)
                    if kind == HELLO:
                        self.greeted = True
                    elif job and kind == OUTPUT:
                        job.output += data
                    elif job and kind == EXIT:
                        job.code = struct.unpack("<I", data)[0]
                    self.changed.notify_all()
        except (EOFError, OSError):
            with self.changed:
                self.broken = True
                self.changed.notify_all()

    def wait_greeting(self, seconds):
        with self.changed:
            return self.changed.wait_for(lambda: self.greeted or self.broken, seconds) and not self.broken

    def end(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.socket.close()


# ---- things made once ----

def build_program(source, *options):
    """A static C program of the tests, compiled into the cache; its path."""
    source = TOP / "tests" / source
    key = hashlib.sha256(source.read_bytes() + repr(options).encode()).hexdigest()[:16]
    program = CACHE / f"{source.stem}-{key}"
    with locked(program.name):
        if not program.exists():
            part = program.with_suffix(".part")
            subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-static", "-o", part, source, *options],
                           check=True)
            part.rename(program)
    return program


def ends_with_us(*command):
    """The command, killed by the system when this thread ends in whatever way."""
    return ["setpriv", "--pdeathsig", "KILL", *map(str, command)]


def kvm_boots_guests():
    """Whether this machine's KVM boots an unmodified Debian kernel to its first program; tried once per start of the machine."""
    chosen = os.environ.get("STROWGER_RIG")
    if chosen in ("tcg", "here"):
        return chosen == "here"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK) or os.geteuid() != 0:
        return False
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    verdict = CACHE / f"kvm-verdict-{boot}"
    with locked("kvm-verdict"):
        if not verdict.exists():
            for old in CACHE.glob("kvm-verdict-*-*"):
                old.unlink()
            verdict.write_text("yes" if plain_guests() and try_kvm() else "no")
    return verdict.read_text() == "yes"


def plain_guests():
    """Where the answer is no, the boot below would fail too, but only after minutes, for most of which QEMU cannot be killed."""
    done = subprocess.run([build_program("kvm_report.c")], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return "plain_guests 1\n" in done.stdout


def try_kvm(seconds=20):
    kernel = Kernel()
    with tempfile.TemporaryDirectory(prefix="strowger-kvm-") as directory:
        initrd = pathlib.Path(directory) / "initrd"
        make_initrd(initrd, "echo strowger-guest-is-up; poweroff -f\n")
        try:
            done = subprocess.run(
                ends_with_us("qemu-system-x86_64", "-M", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256", "-nodefaults",
                             "-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", kernel.image, "-initrd", initrd,
                             "-append", "console=ttyS0 quiet panic=-1"),
                stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return b"strowger-guest-is-up" in done.stdout


# ---- machines ----

class Emulated:
    """QEMU's software emulation of a computer with SVM."""

    def __init__(self, directory, cpus, memory, kernel):
        need("qemu-system-x86_64", "setpriv", "cc")
        self.directory, self.cpus, self.memory, self.kernel = directory, cpus, memory, kernel
        self.console, self.process, self.channel = directory / "console.log", None, None
        self.initrd = self._make_initrd()

    def _make_initrd(self):
        agent = build_program("rig_agent.c")
        late = [(name, path) for name, path in self.kernel.modules(*BASE_MODULES, *LATE_MODULES)]
        base = self.kernel.modules(*BASE_MODULES)
        path = self.directory / "initrd"
        files = {f"/modules/{name}.ko": module for name, module in late if (name, module) not in base}
        make_initrd(path, INIT, base, {"/rig_agent": agent, **files})
        return path

    def command(self, agent_fd, disk, network, shell="null", more=()):
        return ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=single", "-cpu", "max,+svm,+npt", "-smp", str(self.cpus),
                "-m", str(self.memory), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-vga", "none",
                "-serial", f"file:{self.console}", "-chardev", f"{shell},id=shell", "-serial", "chardev:shell",
                "-kernel", str(self.kernel.vmlinux()), "-initrd", str(self.initrd),
                "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable",
                "-device", "virtio-serial-pci,id=serial", "-chardev", f"socket,id=agent,fd={agent_fd}",
                "-device", "virtserialport,bus=serial.0,nr=1,chardev=agent,name=agent",
                "-drive", f"if=none,id=files,format=raw,readonly=on,file={disk}", "-device", "virtio-blk-pci,drive=files",
                "-netdev", network, "-device", "virtio-net-pci,netdev=lan,vectors=0", *more]

    def _launch(self, disk, cable=None, shell="null", more=(), fds=()):
        ours, theirs = socket.socketpair()
        network, passed = "hubport,id=lan,hubid=0", [theirs.fileno(), *fds]
        if cable is not None:
            network = f"dgram,id=lan,local.type=fd,local.str={cable.fileno()}"
            passed.append(cable.fileno())
        command = self.command(theirs.fileno(), disk, network, shell, more)
        # With a shell the terminal is QEMU's; its own words go to the log otherwise.
        self.words = open(self.directory / "qemu.log", "ab")
        self.process = subprocess.Popen(ends_with_us(*command), pass_fds=passed,
                                        stdin=None if shell != "null" else subprocess.DEVNULL,
                                        stdout=None if shell != "null" else self.words, stderr=self.words)
        theirs.close()
        if cable is not None:
            cable.close()
        self.channel = Channel(ours)

    def start(self, disk, cable=None, shell="null"):
        """Begins; wait_up() is when it can take commands."""
        state = self.kept_state()
        more = ("-incoming", f"exec:cat {shlex.quote(str(state))}") if state else ()
        self.restored = bool(state)
        self._launch(disk, cable, shell, more)

    def wait_up(self):
        if not self.restored and not self.channel.wait_greeting(SLOW):
            raise AssertionError(f"the emulated machine did not start:\n{self.log()}")

    def log(self):
        return "".join(path.read_text(errors="replace") for path in (self.directory / "qemu.log", self.console) if path.exists())

    # -- the kept state --

    def kept_state(self):
        """The file of a state like ours just after the start, made when it is missing; None when it cannot be."""
        if os.environ.get("STROWGER_RIG_FRESH"):
            return None
        version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True).stdout
        what = [*self.command(0, "disk", "network"), self.kernel.release]
        what = [str(word).replace(str(self.directory), "") for word in what]
        key = hashlib.sha256(version + repr(what).encode() + self.initrd.read_bytes()).hexdigest()[:16]
        state = CACHE / f"host-{key}.state"
        with locked("host-state"):
            if not state.exists():
                for old in sorted(CACHE.glob("host-*.state"), key=lambda path: path.stat().st_mtime)[:-3]:
                    old.unlink()
                self._keep(state)
            os.utime(state)
        return state if state.stat().st_size else None

    def _keep(self, state):
        """Starts a machine and writes it down while it runs (one that was stopped would come back stopped). An empty file says
        that this did not work and need not be tried again."""
        empty = self.directory / "empty"
        with open(empty, "wb") as file:
            file.truncate(1 << 20)
        ours, theirs = socket.socketpair()
        part = state.with_suffix(".part")
        try:
            self._launch(empty, more=("-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-qmp", "chardev:qmp"),
                         fds=[theirs.fileno()])
            theirs.close()
            self.restored = False
            self.wait_up()
            assert self.channel.start("sync; echo 3 > /proc/sys/vm/drop_caches").wait(30) == 0
            with ours, ours.makefile("rw") as monitor:
                ours.settimeout(SLOW)
                self._save(monitor, part)
            part.rename(state)
        except (AssertionError, OSError, ValueError) as error:
            print(f"a host's state cannot be kept: {error}", file=sys.stderr)
            state.touch()
        finally:
            self.end()
            part.unlink(missing_ok=True)

    def _save(self, monitor, path):
        def ask(command, **arguments):
            monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
            monitor.flush()
            while True:
                line = monitor.readline()
                if not line:
                    raise OSError("QEMU's monitor has left")
                answer = json.loads(line)
                if "error" in answer:
                    raise OSError(answer["error"]["desc"])
                if "return" in answer:
                    return answer["return"]
        ask("qmp_capabilities")
        ask("migrate-set-parameters", **{"max-bandwidth": 10 << 30})
        ask("migrate", uri=f"exec:cat > {shlex.quote(str(path))}")
        end = time.monotonic() + SLOW
        while (status := ask("query-migrate").get("status")) != "completed":
            if status in ("failed", "cancelled") or time.monotonic() > end:
                raise OSError(f"the state was not written: {status}")
            time.sleep(0.05)

    # -- the end --

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self.words.close()
            self.process = None
        if self.channel:
            self.channel.end()
            self.channel = None


class Here:
    """This machine, in name spaces of our own. What is written goes to a layer in memory, which is gone at the end."""

    SCRIPT = """
set -e
mount --make-rprivate /
mount -t tmpfs layer "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" overlay "$1/root"
for at in dev sys; do mount --rbind /$at "$1/root/$at"; done
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmp "$1/root/tmp"
cp "$2" "$1/root/tmp/.rig_agent"
ip link set lo up
exec chroot "$1/root" /tmp/.rig_agent "$3"
"""

    def __init__(self, directory):
        need("unshare", "setpriv", "cc", "ip")
        if os.geteuid() != 0:
            skip("name spaces need root")
        self.directory, self.process, self.channel = directory, None, None

    def start(self, agent):
        ours, theirs = socket.socketpair()
        layer = self.directory / "layer"
        layer.mkdir()
        self.words = open(self.directory / "agent.log", "ab")
        self.process = subprocess.Popen(
            ends_with_us("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", self.SCRIPT, "sh", layer, agent,
                         theirs.fileno()),
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=self.words, stderr=self.words)
        theirs.close()
        self.channel = Channel(ours)

    def wait_up(self):
        if not self.channel.wait_greeting(SLOW):
            raise AssertionError(f"the name spaces were not made:\n{self.log()}")

    def log(self):
        return (self.directory / "agent.log").read_text(errors="replace")

    end = Emulated.end


# ---- the host itself ----

def own_directory():
    """A new directory and the open file whose lock says that it is in use. Those of tests that were killed go."""
    with locked("directories"):
        for old in pathlib.Path(tempfile.gettempdir()).glob("strowger-rig-*"):
            lock = os.open(old, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(old, ignore_errors=True)
            except BlockingIOError:
                pass
            finally:
                os.close(lock)
        directory = pathlib.Path(tempfile.mkdtemp(prefix="strowger-rig-"))
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_SH)
    return directory, lock


class Host:
    """`files`: {path in the host: path here, or bytes}; programs bring their shared libraries. `modules`: of Debian's cloud kernel.
    `cable`: one end of socket.socketpair(AF_UNIX, SOCK_DGRAM), see joined()."""

    def __init__(self, cpus=1, memory=1536, files=None, modules=(), cable=None, shell=False, name="host"):
        self.cpus, self.memory, self.modules, self.name = cpus, memory, modules, name
        self.files, self.cable, self.shell = dict(files or {}), cable, shell
        self.emulated = not kvm_boots_guests()
        self.directory, self.lock = own_directory()
        self.machine = None

    def _all_files(self):
        files = {"/usr/bin/strowger": STROWGER, **self.files} if pathlib.Path(STROWGER).exists() else dict(self.files)
        paths = [path for path in files.values() if not isinstance(path, bytes)]
        programs = [path for path in paths if is_program(path)]
        return {**with_libraries(*programs), **files} if programs else files

    def begin(self):
        """The first half of the start: returns while the machine still starts."""
        if not self.emulated:
            self.machine = Here(self.directory)
            self.machine.start(build_program("rig_agent.c"))
            return
        kernel = Kernel()
        modules = kernel.modules(*self.modules)
        entries = file_entries({**self._all_files(), **{f"/modules/{name}.ko": path for name, path in modules}})
        late = " ".join(name for name, _ in kernel.modules(*LATE_MODULES) + modules)
        entries["modules/late"] = (0o100644, late.encode())
        disk = self.directory / "files"
        write_cpio(disk, entries)
        os.truncate(disk, disk.stat().st_size + (-disk.stat().st_size % 512))
        self.machine = Emulated(self.directory, self.cpus, self.memory, kernel)
        self.machine.start(disk, self.cable, "stdio,signal=off" if self.shell else "null")

    def finish(self):
        self.machine.wait_up()
        if self.emulated:
            first = " ".join(name for name, _ in Kernel().modules("virtio_blk"))
            code, text = self.run(ARRIVE % first, SLOW)
            assert code == 0, f"the emulated machine has not taken its files:\n{text}\n{self.machine.log()}"
            self.run(f"date -s @{time.time():.0f}", check=True)
            return
        for path, source in {"/usr/bin/busybox": busybox(), **self._all_files()}.items():
            if str(path) != str(source):
                self.put(source, path)
        if self.modules:
            subprocess.run(["modprobe", "-a", *self.modules], stderr=subprocess.DEVNULL)

    def __enter__(self):
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        try:
            self.begin()
            self.finish()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is not None and self.machine and not issubclass(kind, SystemExit):
                print(f"--- the console of {self.name}:\n{self.machine.log()[-8000:]}")
        finally:
            self.end()

    def end(self):
        if self.machine:
            self.machine.end()
        shutil.rmtree(self.directory, ignore_errors=True)
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    # -- commands --

    def start(self, command):
        """A command for /bin/sh in the background: a Job."""
        return self.machine.channel.start(command)

    def run(self, command, timeout=60, check=False):
        """(exit code, what it printed). A command that does not end in time is killed, and that is an error."""
        job = self.start(command)
        job.close()
        try:
            job.wait(timeout)
        except Timeout:
            job.kill(signal.SIGKILL)
            raise
        if check and job.code != 0:
            raise AssertionError(f"`{command}` on {self.name}: {job.code}\n{job.text()}")
        return job.code, job.text()

    def put(self, source, path, mode=None):
        """Writes bytes, or the file `source` with its rights."""
        data = source if isinstance(source, bytes) else pathlib.Path(source).read_bytes()
        mode = mode or (0o644 if isinstance(source, bytes) else os.stat(source).st_mode & 0o777)
        name = shlex.quote(str(path))
        job = self.start(f"mkdir -p $(dirname {name}) && cat > {name} && chmod {mode:o} {name}")
        job.send(data)
        job.close()
        assert job.wait(SLOW) == 0, f"{path} was not written: {job.text()}"

    def get(self, path):
        job = self.start(f"cat {shlex.quote(str(path))}")
        job.close()
        assert job.wait(SLOW) == 0, f"{path} was not read: {job.text()}"
        return bytes(job.output)


def is_program(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF" and os.access(path, os.X_OK)


@contextlib.contextmanager
def joined(**options):
    """Two hosts on one Ethernet: eth0 is 10.98.0.1/24 on the first, 10.98.0.2/24 on the second."""
    cable = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    hosts = [Host(cable=end, name=f"host {number}", **options) for number, end in enumerate(cable, 1)]
    with contextlib.ExitStack() as stack:
        for host in hosts:
            stack.push(host.__exit__)
            host.begin()
        for host in hosts:
            host.finish()
        if not hosts[0].emulated:
            first, second = (str(host.machine.process.pid) for host in hosts)
            subprocess.run(["ip", "link", "add", "eth0", "netns", first, "type", "veth", "peer", "name", "eth0", "netns", second],
                           check=True)
        for number, host in enumerate(hosts, 1):
            host.run(f"ip link set eth0 address 02:00:00:98:00:0{number} && ip addr add 10.98.0.{number}/24 dev eth0 && "
                     "ip link set eth0 up", check=True)
        yield hosts


# ---- by hand ----

def shell():
    terminal = termios.tcgetattr(0)
    try:
        with Host(shell=True, modules=("loop", "vhost_net", "vhost_vsock")) as host:
            if host.emulated:
                host.start("setsid sh -c 'exec sh -i </dev/ttyS1 >/dev/ttyS1 2>&1'; true").wait(1 << 24)
            else:
                inside = subprocess.run(["pgrep", "-P", str(host.machine.process.pid)], capture_output=True, text=True).stdout.strip()
                subprocess.run(["nsenter", "-t", inside, "-m", "-n", "-p", "-r", "-w", "bash"])
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, terminal)


def main():
    if len(sys.argv) == 1:
        shell()
        return
    with Host(modules=("loop", "vhost_net", "vhost_vsock")) as host:
        job = host.start(" ".join(sys.argv[1:]))
        job.close()
        try:
            job.wait(3600)
        finally:
            sys.stdout.write(job.text())
    sys.exit(job.code)


if __name__ == "__main__":
    main()
