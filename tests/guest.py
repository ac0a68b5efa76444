"""What unmodified guests are made of: Debian's kernels and busybox, fetched by name with apt-get into a cache beside the build.

    kernel = Kernel()                           # Debian's cloud kernel; Kernel("generic") has VMGENID and MPPARSE
    kernel.image                                # its bzImage
    kernel.vmlinux()                            # the ELF program inside, which boots by its PVH note
    kernel.modules("virtio_net", "vhost_net")   # [(name, path)], what they depend on first
    make_initrd(path, init_script, kernel.modules("virtio_net"), {"/path/in/guest": "/path/here"})
    debian_image()                              # a raw disk: a small Debian with systemd and cloud-init (slow to make)

All of it is kept from one run to the next. A test that cannot have it is skipped with the reason.
"""
import contextlib
import fcntl
import lzma
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess

from network import STROWGER, need, skip

BUILD = pathlib.Path(STROWGER).resolve().parent
CACHE = pathlib.Path(os.environ.get("STROWGER_GUESTS", BUILD / "guest.cache"))
FLAVOURS = {"cloud": "linux-image-cloud-amd64", "generic": "linux-image-amd64"}

# The first lines of every guest's /init: after them all of busybox, /proc, /sys and /dev are there and the modules loaded.
INIT_HEAD = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for m in $(cat /modules/order); do insmod /modules/$m.ko; done
"""


@contextlib.contextmanager
def locked(name):
    """Two tests at once make a thing once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch(directory, *packages):
    """The packages' files under `directory`, not installed."""
    with locked(directory.name):
        if (directory / "complete").exists():
            return directory
        need("apt-get", "dpkg-deb")
        shutil.rmtree(directory, ignore_errors=True)
        debs = directory / "debs"
        debs.mkdir(parents=True)
        got = subprocess.run(["apt-get", "download", *packages], cwd=debs, capture_output=True, text=True, timeout=250)
        if got.returncode != 0:
            skip(f"the guest's packages could not be fetched: {got.stderr.strip().splitlines()[-1:]}")
        for package in debs.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, directory], check=True)
        shutil.rmtree(debs)
        (directory / "complete").touch()
    return directory


def busybox():
    return fetch(CACHE / "busybox", "busybox-static") / "bin" / "busybox"


def kernel_release(flavour):
    """What Debian's metapackage of this flavour means; asked once, so that the cache goes on when Debian goes on."""
    kept = CACHE / f"kernel-{flavour}.release"
    if not kept.exists():
        need("apt-cache")
        depends = subprocess.run(["apt-cache", "depends", FLAVOURS[flavour]], capture_output=True, text=True)
        package = re.search(r"Depends: linux-image-(\S+)", depends.stdout)
        if not package:
            skip(f"apt knows no {FLAVOURS[flavour]}")
        CACHE.mkdir(parents=True, exist_ok=True)
        kept.write_text(package[1])
    return kept.read_text()


class Kernel:
    def __init__(self, flavour="cloud"):
        self.release = kernel_release(flavour)
        self.root = fetch(CACHE / f"kernel-{self.release}", f"linux-image-{self.release}")
        self.image = self.root / "boot" / f"vmlinuz-{self.release}"
        self.tree = self.root / "lib" / "modules" / self.release
        self.files = None

    def vmlinux(self):
        """Documentation/x86/boot.rst: the payload's place is in the head; it is LZ4 (cloud) or XZ (generic) and ends with its size."""
        path = self.root / "boot" / f"vmlinux-{self.release}"
        with locked(path.name):
            if not path.exists():
                image = self.image.read_bytes()
                offset, length = struct.unpack_from("<II", image, 0x248)
                begin = (image[0x1f1] + 1) * 512 + offset
                payload = image[begin:begin + length - 4]
                if payload[:6] == b"\xfd7zXZ\0":
                    program = lzma.decompress(payload)
                else:
                    need("lz4")
                    program = subprocess.run(["lz4", "-d", "-c"], input=payload, capture_output=True, check=True).stdout
                if program[:4] != b"\x7fELF":
                    skip(f"no ELF program was found in {self.image.name}")
                part = path.with_suffix(".part")
                part.write_bytes(program)
                part.rename(path)
        return path

    def modules(self, *names):
        """The modules and all that they depend on, in the order of loading. What is built in needs no loading."""
        if self.files is None:
            self.files = {path.stem.replace("-", "_"): path for path in (self.tree / "kernel").rglob("*.ko")}
            built_in = (self.tree / "modules.builtin").read_text().split()
            self.files.update((pathlib.Path(path).stem.replace("-", "_"), None) for path in built_in)
        order = {}

        def add(name):
            name = name.replace("-", "_")
            if name not in self.files:
                raise KeyError(f"{self.release} has no module {name}")
            path = self.files[name]
            if path is None or name in order:
                return
            depends = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
            for other in depends[1].decode().split(",") if depends else ():
                if other:
                    add(other)
            order[name] = path
        for name in names:
            add(name)
        return list(order.items())


# ---- a whole Debian ----

DEBIAN_PACKAGES = "systemd-sysv,udev,dbus,kmod,cloud-init,iproute2,iputils-ping,netbase,openssh-server"
DEBIAN_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
DEBIAN_SEED = {"meta-data": "instance-id: strowger-test\nlocal-hostname: guest\n",
               "user-data": "#cloud-config\nruncmd:\n  - echo strowger-cloud-init-is-done > /dev/console\n"}
# An initial file system's part for make_initrd(): the disk's driver is among its modules.
DEBIAN_INIT = "mount -t ext4 $(ls /dev/vda /dev/pmem0 2>/dev/null | head -n 1) /root && exec switch_root /root /sbin/init\n"


def debian_image(mebibytes=1024):
    """A raw ext4 disk with a small Debian: systemd, udev, ssh, cloud-init (whose seed of its own prints a line at the end, and that
    any other source of data replaces), root without a password, the cloud kernel's modules. Sparse; never to be written to: a copy
    or a layer is. Made once: 300 MB of packages."""
    path, tree, kernel = CACHE / "debian.raw", CACHE / "debian.tree", Kernel()
    with locked(path.name):
        if path.exists():
            return path
        need("mmdebstrap", "mke2fs")
        if os.geteuid() != 0:
            skip("a Debian is made by root only")
        shutil.rmtree(tree, ignore_errors=True)
        hooks = [f"mkdir -p $1/lib/modules $1/var/lib/cloud/seed/nocloud && cp -r {shlex.quote(str(kernel.tree))} $1/lib/modules/",
                 f"chroot $1 depmod {kernel.release}", "chroot $1 passwd -d root", "echo guest > $1/etc/hostname"]
        hooks += [f"printf %s {shlex.quote(text)} > $1/var/lib/cloud/seed/nocloud/{name}" for name, text in DEBIAN_SEED.items()]
        options = [f"--dpkgopt=path-exclude={left}" for left in DEBIAN_LEFT_OUT] + [f"--customize-hook={hook}" for hook in hooks]
        made = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={DEBIAN_PACKAGES}",
                               "--aptopt=Apt::Install-Recommends false", *options, "bookworm", tree],
                              capture_output=True, text=True, timeout=900)
        if made.returncode != 0:
            skip(f"Debian could not be fetched: {made.stderr.strip().splitlines()[-1:]}")
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, part, f"{mebibytes}M"], check=True)
        shutil.rmtree(tree)
        part.rename(path)
    return path


# ---- archives ----

def cpio_entry(number, name, mode, data=b""):
    """Documentation/driver-api/early-userspace/buffer-format.rst"""
    name = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def write_cpio(path, entries):
    """entries: {path: (mode, bytes or a file to copy)}. Directories that are missing are added."""
    whole = {}
    for name, entry in entries.items():
        for parent in reversed(pathlib.PurePosixPath("/", name).relative_to("/").parents):
            if str(parent) != ".":
                whole.setdefault(str(parent), (0o040755, b""))
        whole[name.lstrip("/")] = entry
    with open(path, "wb") as out:
        for number, (name, (mode, data)) in enumerate(whole.items()):
            if isinstance(data, (str, os.PathLike)):
                data = pathlib.Path(data).read_bytes()
            out.write(cpio_entry(number, name, mode, data))
        out.write(cpio_entry(len(whole), "TRAILER!!!", 0))


def file_entries(files):
    """{path in the guest: path here or bytes} as entries of an archive; here's rights are kept."""
    entries = {}
    for name, source in files.items():
        is_bytes = isinstance(source, bytes)
        mode = 0o644 if is_bytes else os.stat(source).st_mode & 0o7777
        entries[str(name)] = (0o100000 | mode, source)
    return entries


def make_initrd(path, init, modules=(), files=None):
    """An initial file system: busybox, the modules, the files, and /init: INIT_HEAD and the script `init`."""
    entries = {name: (0o040755, b"") for name in ("proc", "sys", "dev", "tmp", "root")}
    entries["bin/busybox"] = (0o100755, busybox())
    entries["init"] = (0o100755, (INIT_HEAD + init).encode())
    entries["modules/order"] = (0o100644, " ".join(name for name, _ in modules).encode())
    entries.update((f"modules/{name}.ko", (0o100644, source)) for name, source in modules)
    entries.update(file_entries(files or {}))
    write_cpio(path, entries)


def with_libraries(*programs):
    """{path: path} of the programs' shared libraries, for a machine that has none."""
    listed = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True).stdout
    return {path: path for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listed, re.M)}


def qemu_files():
    """{path: path} of Debian's QEMU and what its machines load, for a nested guest of a peer."""
    need("qemu-system-x86_64")
    program = os.path.realpath(shutil.which("qemu-system-x86_64"))
    roms = [path for pattern in ("qemu/linuxboot*.bin", "qemu/pvh.bin", "qemu/kvmvapic.bin", "seabios/bios-microvm.bin",
                                 "seabios/bios-256k.bin") for path in pathlib.Path("/usr/share").glob(pattern)]
    return {"/usr/bin/qemu-system-x86_64": program, **{str(path): str(path) for path in roms}}
