"""What a machine is made of, as the operator said it; the command line and the library both fill it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from pyqemu.block import DriveOptions
from pyqemu.qom.defaults import PropertyDefault
from pyqemu.util.units import MIB

MAX_SERIALS = 4
MAX_PARALLELS = 3


@dataclass
class RtcConfig:
    """``-rtc``: *base* is ``utc``, ``localtime`` or seconds since the epoch; *clock* is ``host``, ``rt`` or ``vm``."""

    base: str | float = "utc"
    clock: str = "host"


@dataclass
class BootConfig:
    """``-boot``: *order* are drive letters (``a`` floppy, ``c`` disk, ``d`` CD-ROM, ``n`` network)."""

    order: str = ""
    once: str = ""
    menu: bool = False
    splash_time: int | None = None  # ms
    reboot_timeout: int = -1  # ms; -1 waits for ever
    strict: bool = False  # only devices with a boot index are tried


@dataclass(frozen=True)
class SmpConfig:
    """``-smp``: *cpus* processors, of up to *max_cpus* for which there is room, and how a guest sees them placed."""

    cpus: int = 1
    sockets: int = 1
    cores: int = 1
    threads: int = 1
    max_cpus: int = 1

    def place(self, index: int) -> tuple[int, int, int]:
        """Socket, core and thread of a processor; there are more sockets than were said, if they do not suffice."""
        core = index // self.threads
        return core // self.cores, core % self.cores, index % self.threads


@dataclass(frozen=True)
class MonitorConfig:
    """``-monitor``, ``-qmp``, ``-mon``: a monitor on *device*, which is told as for ``-serial``.

    *mode* is ``readline`` (HMP) or ``control`` (QMP); *label* names the chardev that is made; *option* is what the
    operator wrote, for messages.
    """

    device: str
    mode: str = "readline"
    pretty: bool = False
    label: str = "compat_monitor0"
    option: str = "-monitor"


@dataclass(frozen=True)
class NicConfig:
    """``-net nic``, ``-nic``: a network card of the board. *option* is what the operator wrote, for messages."""

    model: str = ""
    mac: str = ""
    addr: str = ""
    name: str = ""
    netdev: str = ""
    option: str = "-net nic"


@dataclass(frozen=True)
class SemihostingConfig:
    """``-semihosting``: programs may ask the host. *arguments* make the command line that they are told; without any,
    it is the kernel's name and ``-append``."""

    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class InheritedDescriptor:
    """``-add-fd``: an open file that ``/dev/fdset/SET`` stands for."""

    fd: int
    set: int
    opaque: str = ""


@dataclass
class MachineConfig:
    """One machine. Sizes are in bytes; empty strings and None stand for what was not said."""

    machine: str = ""
    machine_options: dict[str, str] = field(default_factory=dict)
    architecture: str | None = None
    cpu: str = ""
    smp: SmpConfig = field(default_factory=SmpConfig)
    memory: int = 128 * MIB
    memory_given: bool = False  # by the operator; else a board may have another amount
    accel: str = "tcg"
    engine: str | None = None
    icount: int | None = None  # binary logarithm of nanoseconds for an instruction
    icount_sleep: bool = True
    drives: list[DriveOptions] = field(default_factory=list)
    snapshot: bool = False
    boot: BootConfig = field(default_factory=BootConfig)
    bios: str = ""
    library: list[str] = field(default_factory=list)
    kernel: str = ""
    initrd: str = ""
    append: str = ""
    dtb: str = ""
    semihosting: SemihostingConfig | None = None
    serials: list[str] = field(default_factory=list)
    parallels: list[str] = field(default_factory=list)
    monitors: list[MonitorConfig] = field(default_factory=list)
    chardevs: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    devices: list[dict[str, str]] = field(default_factory=list)
    globals: list[PropertyDefault] = field(default_factory=list)
    # As JSON has them; where keys and values were given instead, numbers and truth values are text.
    objects: list[dict[str, object]] = field(default_factory=list)
    blockdevs: list[dict[str, object]] = field(default_factory=list)
    descriptors: list[InheritedDescriptor] = field(default_factory=list)
    vga: str = "std"
    nics: list[NicConfig] | None = None  # None: the board's default
    display: str = "none"
    defaults: bool = True
    rtc: RtcConfig = field(default_factory=RtcConfig)
    name: str = ""
    uuid: UUID | None = None
    no_reboot: bool = False
    no_shutdown: bool = False
    acpi: bool = True
    hpet: bool = True
    paused: bool = False
    incoming: str = ""  # where the machine comes from: a URI, or ``defer``
    only_migratable: bool = False
    dump_vmstate: str = ""  # a file for the layouts of saved state; then nothing is run
    log_items: tuple[str, ...] = ()
    log_file: str = ""
    trace: tuple[str, ...] = ()  # patterns of trace events to tell; those with a "-" before are not
    screenshot: str = ""
    escape: int = 1  # the key that begins a multiplexer's commands: Ctrl-A
