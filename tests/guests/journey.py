"""A busy guest on its way from program to program, and what each migration cost it."""

from __future__ import annotations

import shutil
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import busy_guest
import guest_packages as packages
from busy_guest import check_disk, counts

from tests.crypto.pki import Authority, client_directory, server_directory
from tests.migration.programs import Program
from tests.ports import free_port

BOOT_TIME = 300.0  # seconds
QUICK, SLOW = 1 << 30, 16 << 20  # bytes a second: as fast as can be; slow enough for some seconds of a busy guest
QEMU = "qemu-system-x86_64"
STREAM, SAVED = "stream", "saved"  # files: where journeys begin, and what is on its way
CONNECTIONS = {
    "unix": "unix:{directory}/socket",
    "tcp": "tcp:127.0.0.1:{port}",
    "fd": "fd:migrate",
    "unix-tls": "unix:{directory}/socket",
    "tcp-tls": "tcp:localhost:{port}",
    "tcp-tls-anon": "tcp:localhost:{port}",
}  #: both sides there at once, and the same URI for both
THROUGH_FILES = {
    "exec": (f"exec:gzip -1 -c > {{directory}}/{SAVED}", f"exec:gzip -dc < {{directory}}/{SAVED}"),
    "file": (f"file:{{directory}}/{SAVED}", f"file:{{directory}}/{SAVED}"),
}  #: where to, and where from
TRANSPORTS = (*CONNECTIONS, *THROUGH_FILES)


class Traveller(Program):
    """One pyqemu with the busy guest."""

    patience = 120.0

    def __init__(self, architecture: str, initrd: Path, directory: Path, name: str, *options: str, image: Path) -> None:
        kernel, _ = packages.installer(architecture)
        guest = ["-m", str(busy_guest.MEMORY), "-kernel", str(kernel), "-initrd", str(initrd),
                 "-append", busy_guest.APPEND]  # fmt: skip
        super().__init__(directory, name, *guest, *options, image=image)

    def command(self, directory: Path) -> list[str]:
        """The program."""
        return [sys.executable, "-m", "pyqemu"]

    def said(self, kind: str = "tick") -> int:
        """How many lines of a kind the guest has printed here."""
        return self.text.count(f"\n{kind} ")

    def work(self) -> None:
        """Let the guest go on, with everything it does."""
        before = {kind: self.said(kind) for kind in ("tick", "work", "disk")}
        self.wait(lambda: all(self.said(kind) > count for kind, count in before.items()) or self._ended())

    def wait_until_busy(self) -> None:
        """The kernel has started, and the first blocks are on the disk."""
        self.patience = BOOT_TIME
        self.wait(lambda: self.said("disk") >= 2 or self._ended())
        self.patience = Traveller.patience

    def rate(self, ticks: int = 4) -> float:
        """How many times a second the guest ticks."""
        started, before = time.monotonic(), self.said()
        self.wait(lambda: self.said() >= before + ticks or self._ended())
        return (self.said() - before) / (time.monotonic() - started)

    def arrived(self, state: str = "running") -> None:
        """Wait until the guest is here."""
        self.wait(lambda: self.state == state or self._ended())


class SeabiosTraveller(Traveller):
    """With firmware of the size that QEMU's has: both sides of a migration need that."""

    def command(self, directory: Path) -> list[str]:
        """The program, and its firmware."""
        return [*super().command(directory), "-bios", str(packages.SEABIOS)]


class QemuTraveller(Traveller):
    """The same in Debian's QEMU."""

    def command(self, directory: Path) -> list[str]:
        """The program, and the machine and processor that pyqemu has by default."""
        return [QEMU, "-M", "pc-i440fx-2.6", "-accel", "tcg", "-cpu", "qemu64"]


@dataclass(frozen=True)
class Hop:
    """What one migration took: milliseconds; ticks a second of the guest before it and under way, if that took long
    enough to tell."""

    transport: str
    total: int
    downtime: int
    passes: int
    sent: int  # bytes
    before: float | None
    meanwhile: float | None

    def __str__(self) -> str:
        return (
            f"{self.transport:12} total {self.total:6} ms, downtime {self.downtime:5} ms, {self.passes:2} passes, "
            f"{self.sent / (1 << 20):6.1f} MiB, "
            f"ticks a second {_rate(self.before)} before, {_rate(self.meanwhile)} meanwhile"
        )


def _rate(value: float | None) -> str:
    return f"{value:5.2f}" if value is not None else "    -"


class Journey:
    """One guest.

    :param directory: of its own; has the disk image ``disk.img``
    :param kind: of most of its programs
    :param text: what the guest has printed before the first program that is entered here
    :ivar capability: of migration, which programs use that are entered from now on
    """

    def __init__(
        self, directory: Path, architecture: str, initrd: Path, kind: type[Traveller] = Traveller, text: str = ""
    ) -> None:
        self.directory = directory
        self.architecture = architecture
        self.initrd = initrd
        self.kind = kind
        self.capability = ""
        self.image = directory / "disk.img"
        self.programs: list[Traveller] = []
        self.hops: list[Hop] = []
        self._before = text
        self._credentials: list[str] = []
        self._started = 0

    # -- programs

    def enter(self, *options: str, kind: type[Traveller] | None = None) -> Traveller:
        """One more program. It has credentials of all kinds, if :meth:`use_tls` was called."""
        self._started += 1
        program = (kind or self.kind)(self.architecture, self.initrd, self.directory, str(self._started),
                       *self._credentials, *options, image=self.image)  # fmt: skip
        self.programs.append(program)
        if self.capability:
            program.ask("migrate-set-capabilities", capabilities=[{"capability": self.capability, "state": True}])
        return program

    def use_tls(self) -> None:
        """Make certificates."""
        authority = Authority()
        directories = {
            "client": client_directory(self.directory / "client", authority),
            "server": server_directory(self.directory / "server", authority),
        }
        for endpoint, path in directories.items():
            self._credentials += [
                "-object", f"tls-creds-x509,id=x509-{endpoint},dir={path},endpoint={endpoint}",
                "-object", f"tls-creds-anon,id=anon-{endpoint},endpoint={endpoint}",
            ]  # fmt: skip

    def leave(self, program: Traveller) -> None:
        """A program that took no part in it, or not any more."""
        program.close()
        self.programs.remove(program)

    @property
    def text(self) -> str:
        """What the guest has printed, wherever it was."""
        return self._before + "".join(program.text for program in self.programs)

    # -- moving

    def hop(self, transport: str, bandwidth: int = QUICK) -> None:
        """Migrate from the last program to another one, where the guest does everything that it does.

        :param bandwidth: limit, in bytes a second
        """
        self.move(transport, bandwidth)
        self.programs[-1].work()

    def move(self, transport: str, bandwidth: int = QUICK) -> None:
        """Migrate from the last program to another one."""
        source = self.programs[-1]
        _encrypt(source, transport, "client")
        if transport in CONNECTIONS:
            uri = self._await(source, transport)
            self.migrate(source, uri, transport, bandwidth)
        else:
            there, here = (uri.format(directory=self.directory) for uri in THROUGH_FILES[transport])
            self.migrate(source, there, transport, bandwidth)
            self.enter("-incoming", here)
        destination = self.programs[-1]
        destination.arrived()
        source.quit()

    def _await(self, source: Traveller, transport: str) -> str:
        """Start the program that it goes to; where that listens."""
        uri = CONNECTIONS[transport].format(directory=self.directory, port=free_port())
        destination = self.enter("-incoming", "defer")
        _encrypt(destination, transport, "server")
        if transport == "fd":
            for program, end in zip((source, destination), ends := socket.socketpair(), strict=True):
                program.ask("getfd", fdname="migrate", fd=end.fileno())
            for end in ends:
                end.close()
        destination.ask("migrate-incoming", uri=uri)
        return uri

    def migrate(self, source: Traveller, uri: str, transport: str, bandwidth: int = QUICK) -> None:
        """Send the machine there, and note how that was."""
        source.ask("migrate-set-parameters", {"max-bandwidth": bandwidth})
        is_busy = source.said() and source.state == "running"
        before, ticks = source.rate() if is_busy else None, source.said()
        information = source.migrate(uri)
        assert information["status"] == "completed", information
        ram, total, downtime = information["ram"], information["total-time"], information["downtime"]
        running = (total - downtime) / 1000
        meanwhile = (source.said() - ticks) / running if is_busy and running > 1 else None
        self.hops.append(
            Hop(transport, total, downtime, ram["dirty-sync-count"], ram["transferred"], before, meanwhile)
        )

    # -- the end

    def finish(self) -> dict[str, int]:
        """Stop the guest, and look whether everything was right; how far it has come."""
        last = self.programs[-1]
        last.ask("stop")
        last.quit()
        return self.check()

    def check(self) -> dict[str, int]:
        """Whether the guest has counted without a gap on serial lines and disk; how far."""
        done = counts(self.text)
        check_disk(self.image.read_bytes(), done["disk"])
        return done

    def close(self) -> None:
        """End what is left."""
        for program in self.programs:
            program.close()
        (self.directory / SAVED).unlink(missing_ok=True)


def _encrypt(program: Program, transport: str, endpoint: str) -> None:
    """Let it use the credentials that belong to a transport, or none."""
    kind = "anon" if transport.endswith("anon") else "x509"
    program.ask("migrate-set-parameters", {
        "tls-creds": f"{kind}-{endpoint}" if "tls" in transport else "",
        "tls-hostname": "localhost" if transport == "unix-tls" else "",
    })  # fmt: skip


@dataclass(frozen=True)
class Booted:
    """A guest that is busy, saved in a file: where journeys begin."""

    architecture: str
    directory: Path
    initrd: Path
    kind: type[Traveller]
    text: str

    @property
    def stream(self) -> Path:
        """The file."""
        return self.directory / STREAM

    def start(self, directory: Path) -> Journey:
        """Begin a journey in a directory of its own."""
        shutil.copy(self.directory / "disk.img", directory)
        return Journey(directory, self.architecture, self.initrd, self.kind, self.text)

    def load(self, journey: Journey) -> None:
        """Go on where the guest was saved."""
        program = journey.enter("-incoming", f"file:{self.stream}")
        program.arrived("paused")
        program.ask("cont")


def switch_on(directory: Path, architecture: str, kind: type[Traveller] = Traveller) -> Journey:
    """Start a guest.

    :raise MissingPackage: something to build it from is missing.
    """
    initrd = directory / "initrd.gz"
    initrd.write_bytes(busy_guest.initrd(architecture))
    (directory / "disk.img").write_bytes(bytes(busy_guest.DISK_SIZE))
    journey = Journey(directory, architecture, initrd)
    journey.enter(kind=kind)
    return journey


def boot_and_save(directory: Path, architecture: str, *, by_qemu: bool) -> Booted:
    """Start a guest, and save it once it is busy.

    :param by_qemu: in Debian's QEMU, which takes half the time
    """
    journey = switch_on(directory, architecture, QemuTraveller if by_qemu else Traveller)
    (program,) = journey.programs
    try:
        program.wait_until_busy()
        program.ask("stop")
        journey.migrate(program, f"exec:cat > {directory / STREAM}", "exec")
        program.quit()
        kind = SeabiosTraveller if by_qemu else Traveller
        return Booted(architecture, directory, journey.initrd, kind, program.text)
    finally:
        journey.close()
