#!/usr/bin/env python3
"""An ordinary user runs the operator in a user namespace, where the system allows it."""
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, TOP, skip  # noqa: E402


def as_user(folder, user, *command, **more):
    """Runs a command as the user. Where we are root, the user gets a /dev/net/tun that all may open, as Debian has it, in
    a mount namespace of its own."""
    if os.geteuid() == 0:
        node = f"{folder}/tun"
        command = ["unshare", "--mount", "sh", "-c",
                   f'[ -e {node} ] || mknod {node} c 10 200; chmod 666 {node}; mount --bind {node} /dev/net/tun && '
                   f'exec setpriv --reuid={user} --regid={user} --clear-groups "$@"', "sh", *command]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=90, **more)


def main():
    user = str(os.getuid() or pwd.getpwnam("nobody").pw_uid)
    with tempfile.TemporaryDirectory(prefix="strowger-test-") as folder:
        os.chmod(folder, 0o755)
        if as_user(folder, user, "unshare", "--user", "--net", "true").returncode != 0:
            skip("user namespaces are not allowed for ordinary users here")
        if as_user(folder, user, "sh", "-c", ": <>/dev/net/tun").returncode != 0:
            skip("/dev/net/tun may not be opened by ordinary users here")
        # The program and the files must be where the user may read them.
        for name in ("operator.yaml", "subscribers.csv"):
            shutil.copy(TOP / "examples" / name, folder)
        shutil.copy(STROWGER, folder)
        run = pathlib.Path(folder) / "run"
        run.mkdir()
        if os.geteuid() == 0:
            os.chown(run, int(user), int(user))
        done = as_user(folder, user, f"{folder}/strowger", "up", f"{folder}/operator.yaml", "--run", cwd=folder,
                       env=dict(os.environ, STROWGER_RUN=str(run)))
        print(done.stdout, done.stderr)
        assert done.returncode == 0, f"exit code {done.returncode}"
        assert "all of it worked" in done.stdout


main()
