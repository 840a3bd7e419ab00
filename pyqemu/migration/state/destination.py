"""A machine that is loaded from a stream.

Memory is written as it comes. Devices are not touched before all of the stream was read and found good. In post-copy
they come before the rest of memory, in one piece; the guest runs when that is found good.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from pyqemu.io.errors import EndOfStream
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.guest import Images, NoImages
from pyqemu.migration.state import commands, disks, frame, identity, ram
from pyqemu.migration.state.devices import DeviceReader, GlobalState, run_state
from pyqemu.migration.state.frame import Input, MemoryInput, Reading, Section, damaged
from pyqemu.migration.state.machine import PAGE_SIZE, SavedMachine, SavedState
from pyqemu.migration.state.postcopy import MissingPages
from pyqemu.migration.state.ram_load import OLDEST, RamReceiver
from pyqemu.qapi.generated.types import MigrationStatus
from pyqemu.system import RunState
from pyqemu.util.errors import PyqemuError
from pyqemu.util.text import bytes_shown

MAX_CAPABILITIES = 64
MAX_PACKAGE = 64 << 20  # bytes of devices


class MachineDestination:
    """Loads one machine (:class:`pyqemu.migration.halves.Destination`).

    :param images: its disks, which are the source's until all is loaded
    :ivar is_running: whether the guest runs here already, although not all is loaded (post-copy)
    """

    def __init__(self, machine: SavedMachine, images: Images | None = None) -> None:
        self.machine = machine
        self.images = images or NoImages()
        self._stream: Input | None = None
        self.global_state = GlobalState()
        self.run_state = RunState.RUNNING
        self._devices = DeviceReader(machine, [SavedState("globalstate", 0, GlobalState.vmstate, self.global_state)])
        self._ram = RamReceiver(machine)
        self._disks = disks.DiskReceiver(machine.system, machine.disks, self.images.take_over)
        self._numbers: dict[int, str] = {}
        self._return_path = False
        self._answering = threading.Lock()
        self._missing: MissingPages | None = None
        self._is_unpacking = self._has_run = False
        self._enter: Callable[[MigrationStatus], None] = lambda status: None
        self.is_running = False

    # -- the halves' protocol

    def load(self, stream: Input, enter: Callable[[MigrationStatus], None] = lambda status: None) -> None:
        """Read all of it, and then change the machine."""
        self._stream, self._enter = stream, enter
        reading = Reading(stream)
        self._header(reading)
        try:
            self._configuration(reading)
            while self._section(reading):
                pass
            if self.is_running:
                self._settle()
                return
            self._description(reading)
            self._check()
        except MigrationError:
            self._answer(commands.shut(failed=True))
            raise
        self._apply()

    def complete(self) -> None:
        """Take the images, and the run state that the source had; tell it that it is not needed any more."""
        try:
            if not self.is_running:
                self._go_on()
        except PyqemuError:
            self._answer(commands.shut(failed=True))
            raise
        self._answer(commands.shut(failed=False))

    def _go_on(self) -> None:
        system = self.machine.system
        with system.lock:
            self.images.take_over()
            if self.run_state is not RunState.RUNNING:
                system.set_state(self.run_state)
            elif system.autostart:
                system.start()
            else:
                system.set_state(RunState.PAUSED)

    def cleanup(self) -> None:
        """Whoever still waits for memory waits in vain."""
        if self._missing is not None:
            self._missing.fail("the migration has ended")

    # -- the frame

    def _header(self, reading: Reading) -> None:
        try:
            magic = reading.u32()
        except EndOfStream as error:
            raise MigrationError("Not a migration stream", error.context) from error
        if magic != frame.MAGIC:
            found = bytes_shown(magic.to_bytes(4, "big"))
            raise MigrationError("Not a migration stream", f"it begins with {found}, expected QEVM")
        version = reading.u32()
        if version == frame.OBSOLETE_VERSION:
            raise MigrationError("SaveVM v2 format is obsolete and don't work anymore")
        if version != frame.VERSION:
            raise MigrationError("Unsupported migration stream version", f"expected {frame.VERSION}, found {version}")

    def _configuration(self, reading: Reading) -> None:
        start = reading.position
        kind = reading.u8()
        if kind != Section.CONFIGURATION:
            raise MigrationError("Configuration section missing", f"found section type {kind:#x} at byte {start:#x}")
        name = frame.name_of(reading.counted(frame.MAX_MACHINE_NAME, "machine name"), start + 1)
        if name != self.machine.name:
            raise MigrationError(f"Machine type received is '{name}' and local is '{self.machine.name}'")
        while reading.peek(1) == bytes((Section.SUBSECTION,)):
            reading.take(1)
            self._configuration_part(reading, reading.string(), reading.u32())

    def _configuration_part(self, reading: Reading, name: str, version: int) -> None:
        if name == "configuration/target-page-bits" and version == 1:
            bits = reading.u32()
            local = self.machine.page_size.bit_length() - 1
            if bits != local:
                raise MigrationError(f"Received TARGET_PAGE_BITS is {bits} but local is {local}")
        elif name == "configuration/capabilities" and version == 1:
            count = reading.u32()
            if count > MAX_CAPABILITIES:
                raise damaged(f"{count} capabilities", reading.position)
            names = [reading.string() for _ in range(count)]
            if names:
                raise MigrationError(f"Capability {names[0]} is on, but local capability is off")
        elif name == identity.NAME and version == identity.VERSION:
            identity.check_uuid(reading.take(identity.LENGTH), self.machine.system)
        else:
            raise damaged(f"the configuration has an unknown part '{name}', version {version}", reading.position)

    def _section(self, reading: Reading) -> bool:
        """One section; returns False at the end of them."""
        start = reading.position
        kind = reading.u8()
        if event := self.machine.system.trace.qemu_loadvm_state_section:
            event(section_type=kind)
        if kind == Section.EOF:
            return False
        if kind in (Section.START, Section.FULL):
            self._named(reading, kind)
        elif kind in (Section.PART, Section.END):
            self._continued(reading, start)
        elif kind == Section.COMMAND:
            self._command(reading, *commands.read_command(reading))
        else:
            raise damaged(f"Unknown savevm section type {kind}", start)
        return True

    def _named(self, reading: Reading, kind: int) -> None:
        number, idstr, instance, version = reading.u32(), reading.string(), reading.u32(), reading.u32()
        if event := self.machine.system.trace.qemu_loadvm_state_section_startfull:
            event(section_id=number, idstr=idstr, instance_id=instance, version_id=version)
        if kind == Section.START:
            if number in self._numbers:
                raise damaged(f"section number {number} is used twice", reading.position)
            if idstr in self._numbers.values():
                raise damaged(f"section '{idstr}' begins twice", reading.position)
            self._numbers[number] = idstr
        if idstr == disks.IDSTR and instance == 0:
            self._disks.section(reading, version)
        elif idstr == ram.IDSTR and instance == 0:
            if not OLDEST <= version <= ram.VERSION:
                raise MigrationError(f"savevm: unsupported version {version} for '{idstr}' v{ram.VERSION}")
            self._records(reading, number)
        elif kind == Section.START:
            raise MigrationError(f"Unknown savevm section or instance '{idstr}' {instance}", "it comes in parts")
        else:
            self._devices.section(reading, number, idstr, instance, version)
        self._footer(reading, number, idstr)

    def _continued(self, reading: Reading, start: int) -> None:
        number = reading.u32()
        if event := self.machine.system.trace.qemu_loadvm_state_section_partend:
            event(section_id=number)
        if number not in self._numbers:
            raise damaged(f"Unknown savevm section {number}", start)
        if self._numbers[number] == disks.IDSTR:
            self._disks.section(reading)
        else:
            self._records(reading, number)
        self._footer(reading, number, self._numbers[number])

    def _records(self, reading: Reading, number: int) -> None:
        try:
            self._ram.section(reading)
        except EndOfStream as error:
            where = f"error while loading state section id {number}({ram.IDSTR})"
            raise MigrationError(error.message, f"{error.context}, {where}") from error

    @staticmethod
    def _footer(reading: Reading, number: int, idstr: str) -> None:
        start = reading.position
        if reading.u8() != Section.FOOTER:
            raise damaged(f"Missing section footer for {idstr}: its layout is not what this machine expects", start)
        found = reading.u32()
        if found != number:
            raise damaged(f"Mismatched section id in footer for {idstr} - expected {number}, found {found}", start)

    def _description(self, reading: Reading) -> None:
        """It is for people and tools; nothing here depends on it."""
        if reading.peek(1) == bytes((Section.VMDESC,)):
            reading.take(1)
            reading.skip_counted(frame.MAX_DESCRIPTION, "description of the devices")

    # -- what the source says

    def _command(self, reading: Reading, code: commands.Command, payload: bytes) -> None:
        if event := self.machine.system.trace.loadvm_process_command:
            event(com=code.value, len=len(payload))
        match code:
            case commands.Command.OPEN_RETURN_PATH:
                if self._stream is None or not self._stream.two_way:
                    raise MigrationError("CMD_OPEN_RETURN_PATH failed", "the transport has no way back")
                self._return_path = True
            case commands.Command.PING:
                if not self._return_path:
                    raise damaged("CMD_PING (0x2) received with no return path")
                self._answer(commands.pong(int.from_bytes(payload, "big")))
            case commands.Command.POSTCOPY_ADVISE:
                self._advise(payload)
            case commands.Command.POSTCOPY_RAM_DISCARD:
                self._ram.discard(*commands.parse_discard(payload))
            case commands.Command.PACKAGED:
                self._package(reading, int.from_bytes(payload, "big"))
            case commands.Command.POSTCOPY_LISTEN:
                self._listen()
            case commands.Command.POSTCOPY_RUN:
                self._run()
            case _:
                raise MigrationError(f"CMD_{code.name} can't be served here")

    def _answer(self, data: bytes) -> None:
        if self._return_path and self._stream is not None:
            with self._answering:
                self._stream.answer(data)

    # -- post-copy

    def _advise(self, payload: bytes) -> None:
        """Post-copy may follow."""
        if self._ram.announced or self._ram.received is not None:
            raise damaged("CMD_POSTCOPY_ADVISE in wrong postcopy state")
        sizes = [int.from_bytes(payload[at : at + 8], "big") for at in range(0, len(payload), 8)]
        expected = [PAGE_SIZE, self.machine.page_size]  # the host's and the stream's
        if sizes and sizes != expected:
            found, known = (" and ".join(map(str, each)) for each in (sizes, expected))
            raise MigrationError("Postcopy needs matching RAM page sizes", f"expected {known}, found {found}")
        self._ram.track()

    def _package(self, reading: Reading, length: int) -> None:
        """Sections in one piece: they are here, whatever becomes of the connection."""
        if length > MAX_PACKAGE:
            raise damaged(f"Unreasonably large packaged state: {length}", reading.position)
        if self._is_unpacking:
            raise damaged("a package is within another one", reading.position)
        self._is_unpacking = True
        package = MemoryInput(reading.take(length))
        inner = Reading(package)
        while package.position < length:
            if not self._section(inner):
                raise damaged("a package has an end of sections", reading.position)
        self._is_unpacking = False

    def _listen(self) -> None:
        """All that comes now is memory that the guest needs soon."""
        if self._ram.received is None or self._missing is not None:
            raise damaged("CMD_POSTCOPY_LISTEN in wrong postcopy state")
        if not self._return_path:
            raise MigrationError("CMD_POSTCOPY_LISTEN can't be served here", "there is no way back to ask for memory")
        self._missing = MissingPages(self.machine.system, self._ram.received, self._answer, self._read_on)
        self._ram.missing = self._missing

    def _read_on(self) -> None:
        """Somebody needs memory in this very thread."""
        assert self._stream is not None
        reading = Reading(self._stream)
        if not self._section(reading):
            raise damaged("the stream ends before all of memory has come", reading.position)

    def _run(self) -> None:
        """The devices are here: the guest may run."""
        missing = self._missing
        if missing is None or self._has_run:
            raise damaged("CMD_POSTCOPY_RUN in wrong postcopy state")
        self._has_run = True
        self._check()
        missing.get_unpaged()
        missing.begin()
        self._apply()
        self._go_on()
        self.is_running = True
        self._enter(MigrationStatus.POSTCOPY_ACTIVE)

    def _settle(self) -> None:
        """The end of the stream: all of memory must be here."""
        assert self._missing is not None
        if self._missing.missing:
            raise damaged(f"{self._missing.missing} pages of memory have not come")
        self._missing.finish()

    # -- the end

    def _check(self) -> None:
        """What can only be said of the whole."""
        found = self._devices.loaded.get(("globalstate", 0))
        if found is not None:
            name = found.values["runstate"].split(b"\0", 1)[0]
            self.run_state = run_state(frame.name_of(name, 0))
            if event := self.machine.system.trace.migrate_global_state_post_load:
                event(state=self.run_state.value)

    def _apply(self) -> None:
        with self.machine.system.parked():
            self._ram.done()
            self._devices.apply()
