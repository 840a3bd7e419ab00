"""A libvirt daemon of one's own: an unprivileged one, with all that it writes and listens on in one directory.

Root's libvirt is the system's, so root runs the daemon and its client in a user namespace in which it is somebody else.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 60.0  # seconds for anything; a start of the emulator takes one, on an idle host
REAPER = Path(__file__).with_name("reaper.py")
EMULATOR = Path(sys.executable).with_name("pyqemu-system-x86_64")

# No helper daemons for logs, no mandatory access control, no filter of system calls: the host may have none of them.
DRIVER_CONFIG = 'stdio_handler = "file"\nsecurity_driver = "none"\nseccomp_sandbox = 0\n'
DAEMON_CONFIG = 'auth_unix_rw = "none"\nlog_outputs = "3:stderr"\n'


def what_is_missing() -> str:
    """Why there cannot be a daemon here; empty if there can."""
    for program, package in (("libvirtd", "libvirt-daemon"), ("virsh", "libvirt-clients")):
        if not _find(program):
            return f"{program} is not installed (Debian package {package})"
    if not any(Path("/usr/lib").glob("*/libvirt/connection-driver/libvirt_driver_qemu.so")):
        return "libvirt has no QEMU driver (Debian package libvirt-daemon-driver-qemu)"
    if not EMULATOR.exists():
        return f"{EMULATOR} is not installed (pip install -e .)"
    if os.geteuid() == 0 and subprocess.run(_command("true"), capture_output=True, check=False).returncode:
        return "this host gives root no user namespaces, and root's libvirt would be the system's"
    return ""


def _find(program: str) -> str:
    return shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") or ""


def _command(program: str) -> list[str]:
    """The program's path, and before it what is needed for libvirt not to be the system's."""
    changed = [_find("unshare"), "--user", "--map-user=1000", "--map-group=1000", "--"] if os.geteuid() == 0 else []
    return [*changed, _find(program)]


class Daemon:
    """The daemon; *home* is a new directory with a short name (names of sockets have 107 characters at most)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "log"
        self.environment = {
            "HOME": str(home),
            "PATH": str(home / "bin"),  # empty, or every qemu-system-* of the host would be probed
            "LC_ALL": "C.UTF-8",
            "LIBVIRT_AUTOSTART": "0",  # the client shall not start a second daemon
            **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "CACHE", "DATA", "STATE")},
            "XDG_RUNTIME_DIR": str(home / "run"),
        }
        for name in ("bin", "run", "config/libvirt"):
            (home / name).mkdir(parents=True, mode=0o700)
        (home / "config/libvirt/qemu.conf").write_text(DRIVER_CONFIG)
        (home / "libvirtd.conf").write_text(DAEMON_CONFIG)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.home / "run/libvirt/libvirt-sock"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(REAPER), *_command("libvirtd"), "--config", str(self.home / "libvirtd.conf"),
                 "--pid-file", str(self.home / "pid")],
                env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while not self.socket.exists() or self.ask("list").returncode:
            assert self.process.poll() is None, f"libvirtd ended: {self.log.read_text()}"
            assert time.monotonic() < end, f"libvirtd does not answer: {self.log.read_text()}"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it; its domains go on."""
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def close(self) -> None:
        """End it and what it may have left running."""
        if self.process is not None:
            self.stop()
        for file in (self.home / "run/libvirt/qemu/run").glob("*.pid"):
            try:
                os.kill(int(file.read_text()), signal.SIGKILL)
            except (ValueError, ProcessLookupError):
                pass  # it has ended by itself

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What ``virsh`` says."""
        return subprocess.run(
            [*_command("virsh"), "--quiet", "--connect", f"qemu+unix:///session?socket={self.socket}", *words],
            env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip

    def virsh(self, *words: str) -> str:
        """The same of what must succeed."""
        answer = self.ask(*words)
        assert answer.returncode == 0, f"virsh {' '.join(words)}: {answer.stderr}\n{self.log.read_text()[-4000:]}"
        return answer.stdout.strip()

    def refused(self, *words: str) -> str:
        """The same of what must fail; the complaint."""
        answer = self.ask(*words)
        assert answer.returncode != 0, f"virsh {' '.join(words)}: {answer.stdout}"
        return answer.stderr.strip()
