"""INT 19h and 18h: find something to boot and start it (BIOS Boot Specification 1.01; El Torito 1.0 for CDs).

The ROM asks ``continue_`` after every message and key, and again when a boot sector gives up by INT 18h; which device
is next stands in the EBDA.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from pyqemu.block.errors import BlockIOError
from pyqemu.firmware.bios import bootorder
from pyqemu.firmware.bios.bootorder import NOT_LISTED
from pyqemu.firmware.bios.calls import Calls
from pyqemu.firmware.bios.context import BiosContext, LinearMemory, Ports
from pyqemu.firmware.bios.disks import FIRST_CD, SECTOR, DiskMap
from pyqemu.firmware.bios.eltorito import ElTorito, ElToritoError
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import BOOT_ADDRESS, Bda, Ebda, Verdict
from pyqemu.firmware.bios.option_rom import boot_entries

_MILLISECOND = 1_000_000  # nanoseconds
_MENU_WAIT = 2500  # milliseconds
_ESCAPE, _F12 = 0x01, 0x86  # scan codes
_MENU_KEYS = {_ESCAPE, _F12}
_DIGIT_1 = 0x02
_MAX_MENU, _MENU_WIDTH = 9, 60


class Step(IntEnum):
    """Where booting is."""

    ANNOUNCE = 0
    ATTEMPT = 1
    MENU_OFFER = 2
    MENU_WAIT = 3
    MENU_SHOW = 4
    MENU_CHOOSE = 5
    IDLE = 6
    RETRY = 7


class BootFailure(Exception):
    """A device cannot be booted; the message says why."""


@dataclass(frozen=True)
class Candidate:
    """A device that may be booted. ``start`` loads it and fills the call block."""

    kind: int  # class of the CMOS order
    title: str  # "Booting from <title>..."
    description: str  # in the menu
    rank: int
    start: Callable[[], Verdict]


class BootServices:
    """The boot sequence."""

    def __init__(self, context: BiosContext, memory: LinearMemory, ports: Ports, calls: Calls, disks: DiskMap) -> None:
        self.context = context
        self.memory = memory
        self.ports = ports
        self.calls = calls
        self.disks = disks
        self.order = disks.order
        self.eltorito = ElTorito(memory)
        self._steps: dict[int, Callable[[], Verdict]] = {
            Step.ANNOUNCE: self._announce,
            Step.ATTEMPT: self._attempt,
            Step.MENU_OFFER: self._menu_offer,
            Step.MENU_WAIT: self._menu_wait,
            Step.MENU_SHOW: self._menu_show,
            Step.MENU_CHOOSE: self._menu_choose,
            Step.IDLE: lambda: Verdict.WAIT,
            Step.RETRY: self._retry,
        }

    def restart(self, frame: Frame) -> None:
        """INT 19h: from the first device on. The ROM asks ``continue_`` next."""
        self._put(Ebda.BOOT_NEXT, 0)
        self._put(Ebda.BOOT_CHOICE, 0)
        self._go(Step.MENU_OFFER if self.order.fw_cfg.boot_menu else Step.ANNOUNCE)

    def continue_(self, frame: Frame) -> Verdict:
        """The next step."""
        return self._steps[self._get(Ebda.BOOT_STEP)]()

    def _get(self, field: Ebda) -> int:
        return self.memory.u8(self.memory.ebda + field)

    def _put(self, field: Ebda, value: int) -> None:
        self.memory.set8(self.memory.ebda + field, value)

    def _go(self, step: Step) -> None:
        self._put(Ebda.BOOT_STEP, step)

    # -- candidates -----------------------------------------------------------------------------------------

    def candidates(self) -> list[Candidate]:
        """All devices: those that ``bootorder`` names, then by the classes of the CMOS order.

        A class that the CMOS order leaves out is not tried, unless ``bootorder`` or the menu names the device.
        """
        classes = self.order.classes()
        found = [*self._floppies(), *self._hard_disks(), *self._cdroms(), *self._roms()]

        def key(candidate: Candidate) -> tuple[int, int]:
            place = classes.index(candidate.kind) if candidate.kind in classes else len(classes)
            return candidate.rank, place

        found.sort(key=key)
        choice = self._get(Ebda.BOOT_CHOICE)
        if choice:
            return [found[choice - 1]]
        return found

    def _tried(self) -> list[Candidate]:
        classes = self.order.classes()
        chosen = bool(self._get(Ebda.BOOT_CHOICE))
        if self.order.strict:
            classes = []
        return [c for c in self.candidates() if chosen or c.rank < NOT_LISTED or c.kind in classes]

    def _floppies(self) -> list[Candidate]:
        drive = self.context.floppies[0] if self.context.floppies else None
        if drive is None:
            return []
        start = self._sector_start(0x00)
        return [Candidate(bootorder.FLOPPY, "Floppy", "Floppy [drive A]", self.order.floppy(0), start)]

    def _hard_disks(self) -> list[Candidate]:
        """Only the first: a boot sector expects to come from drive 80h."""
        disks = self.disks.hard_disks
        if not disks:
            return []
        name = f"Hard Disk [{disks[0].name}: {disks[0].size // (1 << 20)} MiB]"
        return [Candidate(bootorder.DISK, "Hard Disk", name, self.order.drive(disks[0]), self._sector_start(0x80))]

    def _cdroms(self) -> list[Candidate]:
        return [
            Candidate(bootorder.CD, "DVD/CD", f"DVD/CD [{drive.name}]", self.order.drive(drive), self._cd_start(unit))
            for unit, drive in enumerate(self.context.cdroms)
        ]

    def _roms(self) -> list[Candidate]:
        found = []
        for entry in boot_entries(self.memory):

            def start(segment: int = entry.segment, offset: int = entry.offset) -> Verdict:
                self.calls.prepare(segment, offset, es=0xF000)
                return Verdict.CALL

            found.append(Candidate(bootorder.NETWORK, "ROM", entry.product, entry.rank, start))
        return found

    # -- attempts -------------------------------------------------------------------------------------------

    def _announce(self) -> Verdict:
        self.eltorito.stop()
        tried, number = self._tried(), self._get(Ebda.BOOT_NEXT)
        if number >= len(tried):
            return self._nothing_left()
        self._go(Step.ATTEMPT)
        self.context.log(f"booting from {tried[number].title}")
        return self.calls.print(f"Booting from {tried[number].title}...\n")

    def _nothing_left(self) -> Verdict:
        """Wait for ever, or as long as ``-boot reboot-timeout`` says and begin again with a reset."""
        self.context.log("no bootable device")
        wait = self.order.fw_cfg.read("etc/boot-fail-wait") or b"\xff\xff\xff\xff"
        milliseconds = int.from_bytes(wait[:4], "little", signed=True)
        if milliseconds < 0:
            self._go(Step.IDLE)
            return self.calls.print("No bootable device.\n")
        self._set_deadline(milliseconds)
        self._go(Step.RETRY)
        return self.calls.print(f"No bootable device.  Retrying in {milliseconds // 1000} seconds.\n")

    def _retry(self) -> Verdict:
        if not self._expired():
            return Verdict.WAIT
        self.ports.outb(0x64, 0xFE)  # the keyboard controller pulses the reset line
        return Verdict.HALT

    def _set_deadline(self, milliseconds: int) -> None:
        deadline = self.context.now() + milliseconds * _MILLISECOND
        self.memory.write(self.memory.ebda + Ebda.DEADLINE, deadline.to_bytes(8, "little"))

    def _expired(self) -> bool:
        deadline = self.memory.read(self.memory.ebda + Ebda.DEADLINE, 8)
        return self.context.now() >= int.from_bytes(deadline, "little")

    def _attempt(self) -> Verdict:
        """Start the device; should it come back, the next one is announced."""
        candidate = self._tried()[self._get(Ebda.BOOT_NEXT)]
        self._put(Ebda.BOOT_NEXT, self._get(Ebda.BOOT_NEXT) + 1)
        self._go(Step.ANNOUNCE)
        try:
            return candidate.start()
        except BootFailure as failure:
            self.context.log(f"boot failed: {failure}")
            return self.calls.print(f"Boot failed: {failure}\n\n")

    def _sector_start(self, number: int) -> Callable[[], Verdict]:
        return lambda: self._start_sector(number)

    def _start_sector(self, number: int) -> Verdict:
        """The first sector at 0000:7C00, the drive in DL."""
        unit = self.disks.find(number)
        if unit is None or not unit.drive.inserted:
            raise BootFailure("no medium")
        try:
            sector = unit.drive.read(unit.base, SECTOR)
        except BlockIOError:
            raise BootFailure("could not read the boot disk") from None
        if sector[510:] != b"\x55\xaa" and (number >= 0x80 or self.order.check_floppy_signature()):
            raise BootFailure("not a bootable disk")
        self.memory.write(BOOT_ADDRESS, sector)
        self.calls.prepare(0, BOOT_ADDRESS, ax=0xAA55, dx=number)
        return Verdict.START

    def _cd_start(self, unit: int) -> Callable[[], Verdict]:
        return lambda: self._start_cd(unit)

    def _start_cd(self, unit: int) -> Verdict:
        drive = self.context.cdroms[unit]
        try:
            image = self.eltorito.load(drive, unit, FIRST_CD + unit)
        except ElToritoError as error:
            raise BootFailure(f"could not read from CD-ROM: {error}") from None
        self._adjust_counts(image.drive_number, image.emulates)
        self.calls.prepare(image.segment, 0, ax=0xAA55, dx=image.drive_number)
        if image.segment == BOOT_ADDRESS >> 4:
            self.calls.prepare(0, BOOT_ADDRESS, ax=0xAA55, dx=image.drive_number)
        return Verdict.START

    def _adjust_counts(self, number: int, emulates: bool) -> None:
        """An emulated disk is one more."""
        if emulates and number >= 0x80:
            self.memory.set8(Bda.DISK_COUNT, self.disks.count(0x80))
        elif emulates:
            equipment = self.memory.u16(Bda.EQUIPMENT) & ~0xC1
            count = self.disks.count(0)
            self.memory.set16(Bda.EQUIPMENT, equipment | 1 | (min(count, 4) - 1) << 6)

    # -- the menu -------------------------------------------------------------------------------------------

    def _menu_offer(self) -> Verdict:
        wait = self.order.fw_cfg.read("etc/boot-menu-wait")
        self._set_deadline(int.from_bytes(wait[:4], "little") if wait else _MENU_WAIT)
        self._go(Step.MENU_WAIT)
        return self.calls.print("Press F12 or Esc for boot menu.\n\n")

    def _menu_wait(self) -> Verdict:
        while (key := self._key()) is not None:
            if key >> 8 in _MENU_KEYS:
                self._go(Step.MENU_SHOW)
                return self._menu_show()
        if self._expired():
            self._go(Step.ANNOUNCE)
            return self._announce()
        return Verdict.WAIT

    def _menu_show(self) -> Verdict:
        self._go(Step.MENU_CHOOSE)
        lines = [f"{n}. {c.description[:_MENU_WIDTH]}" for n, c in enumerate(self.candidates()[:_MAX_MENU], 1)]
        return self.calls.print("\n".join(["Select boot device:\n", *lines]) + "\n\n")

    def _menu_choose(self) -> Verdict:
        while (key := self._key()) is not None:
            if key >> 8 == _ESCAPE:
                break
            choice = (key >> 8) - _DIGIT_1 + 1
            if 1 <= choice <= min(_MAX_MENU, len(self.candidates())):
                self._put(Ebda.BOOT_CHOICE, choice)
                break
        else:
            return Verdict.WAIT
        self._go(Step.ANNOUNCE)
        return self._announce()

    def _key(self) -> int | None:
        """Take a key out of the keyboard buffer."""
        memory = self.memory
        head = memory.u16(Bda.KEY_HEAD)
        if head == memory.u16(Bda.KEY_TAIL):
            return None
        after = head + 2
        memory.set16(Bda.KEY_HEAD, memory.u16(Bda.KEY_START) if after >= memory.u16(Bda.KEY_END) else after)
        return memory.u16(0x400 + head)
