"""``pyqemu.Machine``: a whole machine in the hands of a script or a test. docs/python-api.md is the tutorial."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyqemu.api import construct
from pyqemu.api import machine as core
from pyqemu.api.events import Data, Events
from pyqemu.api.hooks import Hook, Hooks
from pyqemu.api.line import DEFAULT_TIMEOUT, ScriptChardev, SerialLine
from pyqemu.api.memory import Memory, VirtualMemory
from pyqemu.api.outcomes import MachineClosed, Outcome
from pyqemu.api.processor import Processor
from pyqemu.api.runner import SECOND, Runner
from pyqemu.api.screen import Screen
from pyqemu.boards.config import SmpConfig
from pyqemu.monitor import handlers
from pyqemu.monitor.hmp.dispatch import run_line
from pyqemu.qapi import commands
from pyqemu.system import RunState, ShutdownCause
from pyqemu.system.entropy import Entropy
from pyqemu.ui.typist import Typist
from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.block.drives import DriveOptions
    from pyqemu.boards.config import MachineConfig
    from pyqemu.migration.snapshot import Snapshot, Snapshots
    from pyqemu.migration.state.machine import SavedMachine


class Machine:
    """One machine, reset and standing still. It runs while a method waits for something, and between :meth:`start`
    and :meth:`stop`. Use it as a context manager, or call :meth:`close`.

    :param disk: image of the first hard disk, or its bytes, which are never written back
    :param memory: ``"64M"``, or a number of bytes
    :param cpus: how many processors there are
    :param icount: count instructions, each taking 2**icount ns of the guest's time (True: 8 ns), so that a run can be
        repeated exactly
    :param seed: what chance in the machine begins with
    :param history: how many pieces of code :meth:`Processor.last_instructions` remembers; slow
    :param args: options as on the command line, for all that has no keyword
    :raise UserError: the machine cannot be.
    """

    def __init__(
        self,
        disk: construct.Path_ | bytes | None = None,
        *,
        memory: int | str | None = None,
        cpu: str = "",
        cpus: int | None = None,
        machine: str = "",
        architecture: str | None = None,
        cdrom: construct.Path_ | None = None,
        floppy: construct.Path_ | None = None,
        drives: Iterable[str | DriveOptions] = (),
        devices: Iterable[str | Mapping[str, str]] = (),
        kernel: construct.Path_ | None = None,
        initrd: construct.Path_ | None = None,
        append: str = "",
        bios: construct.Path_ | None = None,
        vga: str = "",
        snapshot: bool = False,
        no_reboot: bool = False,
        icount: int | bool | None = None,
        seed: int | None = None,
        engine: str | None = None,
        history: int = 0,
        args: Iterable[str] = (),
    ) -> None:
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._snapshots_made: Snapshots | None = None
        self.notes: list[str] = []  #: what the machine had to say to its operator
        config, serial_given = construct.configuration(args)
        texts = {"cpu": cpu, "machine": machine, "architecture": architecture, "append": append, "vga": vga,
                 "engine": engine, "kernel": _text(kernel), "initrd": _text(initrd), "bios": _text(bios)}  # fmt: skip
        for name, value in texts.items():
            if value:
                setattr(config, name, value)
        if memory is not None:
            config.memory, config.memory_given = construct.memory_size(memory), True
        if cpus is not None:
            config.smp = SmpConfig(cpus, cores=cpus, max_cpus=cpus)
        config.snapshot |= snapshot
        config.no_reboot |= no_reboot
        construct.add_drives(config, disk, cdrom, floppy, drives)
        construct.add_devices(config, devices)
        if icount is not None and icount is not False:
            construct.make_repeatable(config, icount)
        if not serial_given:
            construct.add_serial(config)
        try:
            if isinstance(disk, bytes):
                self._add_image(config, disk)
            self._build(config, seed, history, serial_given)
        except BaseException:
            self._remove_directory()
            raise

    def _add_image(self, config: MachineConfig, data: bytes) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="pyqemu-")
        path = Path(self._directory.name) / "disk.img"
        path.write_bytes(data + bytes(-len(data) % 512))
        construct.add_drives(config, path, None, None, ())

    def _build(self, config: MachineConfig, seed: int | None, history: int, serial_given: bool) -> None:
        self._core = core.Machine(config, say=self.notes.append)
        self.system = self._core.system
        self.system.add_part(Entropy(seed))
        self._runner = Runner(self._core)
        self._serial = None if serial_given else SerialLine(self._line(), self._runner)
        self._events = Events(self._runner)
        self.cpus = [Processor(self._runner, cpu, history) for cpu in self._core.cpu.turns.cpus]
        self.cpu = self.cpus[0]
        if history:
            assert self._core.cpu.engine is not None
            self._core.cpu.engine.trace = lambda block: self.running.entered(block)
        self.memory = Memory(self._runner)
        self.virtual = VirtualMemory(self._runner)
        self.screen = Screen(self._runner)
        self.hooks = Hooks(self._runner)

    @property
    def running(self) -> Processor:
        """The processor whose turn it is, or was last: in a hook, the one that has called it."""
        return self.cpus[self._core.cpu.turns.current.index]

    def _line(self) -> ScriptChardev:
        chardev = self._core.chardevs.find(construct.SERIAL)
        assert isinstance(chardev, ScriptChardev)
        return chardev

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self, timeout: float | None = None) -> Outcome:
        """Let the guest run until something ends that, at most *timeout* seconds of its own time.

        What a hook raises comes out of here.
        """
        return self._runner.go(timeout)

    def step(self, count: int = 1, timeout: float | None = None) -> Outcome:
        """Run *count* instructions; the outcome is ``Stepped`` unless something else ends the run before.

        An interrupt that is due is taken before an instruction, and does not count.
        """
        if count < 1:
            raise ValueError("count begins with 1")
        return self._runner.step(count, timeout)

    def start(self) -> None:
        """Let the guest run on by itself until :meth:`stop`; it does so even while nobody waits."""
        self._runner.resume()

    cont = start

    def stop(self) -> None:
        """Let the guest stand still."""
        self._runner.pause()

    def reset(self) -> None:
        """Press the reset button."""
        self._request(lambda: self.system.request_reset(ShutdownCause.HOST_QMP_SYSTEM_RESET))
        with self._runner.parked():
            self._runner.cpu.hooks.release()

    def powerdown(self) -> None:
        """Press the power button: the guest gets to know when it runs."""
        self._request(self.system.request_powerdown)

    def quit(self) -> None:
        """End the machine; the outcome is ``Exited(0)``."""
        self._request(lambda: self.system.request_exit(0, ShutdownCause.HOST_QMP_QUIT))

    def _request(self, request: Any) -> None:
        request()
        if not self._runner.cpu.is_current_thread():  # a hook's wish is carried out when the hook is done
            self.system.process_requests()

    @property
    def state(self) -> RunState:
        """What the machine is doing."""
        return self.system.state

    @property
    def time(self) -> float:
        """Seconds of guest time since the machine was made."""
        with self.system.lock:
            return self.system.clock.now() / SECOND

    def breakpoint(self, address: int) -> Hook:
        """End runs before the instruction at a guest-virtual address, until it is removed."""
        return self.hooks.breakpoint(address)

    # --- talking ------------------------------------------------------------------------------------------------------

    @property
    def serial(self) -> SerialLine:
        """The first serial port.

        :raise UserError: ``args`` led it somewhere else.
        """
        if self._serial is None:
            raise UserError("the serial port leads to where -serial in args says", "leave -serial out")
        return self._serial

    def type(self, text: str) -> None:
        """Type on the keyboard, at a pace that guests can follow; the keys go down while the guest runs."""
        with self._runner.parked():
            self.system.part(Typist).type(text)

    def press(self, keys: str) -> None:
        """Press keys together, as ``sendkey`` names them: ``ctrl-alt-delete``, ``ret``.

        :raise UserError: there is no such key.
        """
        try:
            with self._runner.parked():
                self.system.part(Typist).send(keys)
        except KeyError as error:
            raise UserError(f"unknown key: {error.args[0]}", "such as ret, esc, f1, ctrl-alt-delete") from None

    def wait_for_event(self, name: str, timeout: float | None = DEFAULT_TIMEOUT) -> Data:
        """Let the guest run until the QMP event *name* comes; returns its data.

        :raise NotSeen: it does not come in time.
        """
        return self._events.wait(name, timeout)

    def qmp(self, command: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Carry out a QMP command and return its answer. Arguments whose names are no Python names go in a mapping.

        :raise QapiError: as a QMP client would get it.
        """
        handlers.load()
        handler = commands.find(command)
        given = {**(arguments or {}), **more}
        if handler.is_async:
            return self._runner.wait_for(handler.call_async(self.system, given))
        with self.system.lock:
            return handler.call(self.system, given)

    def hmp(self, line: str) -> str:
        """Carry out a line of the human monitor and return what it shows."""
        return self._runner.wait_for(run_line(self.system, line))

    # --- saving -------------------------------------------------------------------------------------------------------

    def save(self, path: construct.Path_) -> None:
        """Write memory and devices into a file, for :meth:`load`, or ``-incoming file:PATH`` of pyqemu or QEMU.

        Disks are not in it: they are as they are.

        :raise MigrationError: it cannot be written.
        """
        from pyqemu.migration.state import files

        files.save(self._saved_machine(), os.fspath(path))

    @classmethod
    def load(cls, path: construct.Path_, *args: Any, **settings: Any) -> Machine:
        """A machine that goes on where another was saved. The other arguments are those that the other was made with.

        :raise MigrationError: the file is none, or of a machine that differs; the text says in what.
        """
        from pyqemu.migration.state import files

        machine = cls(*args, **settings)
        try:
            files.load(machine._saved_machine(), os.fspath(path))
        except BaseException:
            machine.close()
            raise
        return machine

    def snapshot(self) -> Snapshot:
        """The machine as it is now, in memory: quickly taken, and it may be pickled. Disks are not in it."""
        return self._snapshots().take()

    def restore(self, snapshot: Snapshot) -> None:
        """Make this machine, or another of the same kind, what it was.

        :raise MigrationError: it is of another kind; nothing has been changed.
        """
        self._snapshots().restore(snapshot)
        self._runner.forget_fault()

    def _snapshots(self) -> Snapshots:
        machine = self._saved_machine()
        if self._snapshots_made is None:
            from pyqemu.migration.snapshot import Snapshots

            self._snapshots_made = Snapshots(machine)
        return self._snapshots_made

    def _saved_machine(self) -> SavedMachine:
        from pyqemu.migration.state.machine import SavedMachine

        if self._runner.is_closed:
            raise MachineClosed("the machine is closed")
        if self._runner.cpu.is_current_thread():
            raise RuntimeError("a hook cannot save or restore the machine: it is within an instruction")
        return self.system.part(SavedMachine)

    # --- the end ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Turn it off and give everything back; a second time does nothing."""
        self._runner.close()
        self._remove_directory()

    def _remove_directory(self) -> None:
        if self._directory is not None:
            with suppress(OSError):
                self._directory.cleanup()
            self._directory = None

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _text(path: construct.Path_ | None) -> str:
    return "" if path is None else os.fspath(path)
