"""A whole machine: the board of a configuration, the thread that runs it, and the loop that serves it."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pyqemu.accel.log_control import LogControl
from pyqemu.accel.statistics import jit_text
from pyqemu.accel.tcg import IcountClock, TcgAccel, make_engine
from pyqemu.block import DriveTable
from pyqemu.boards import registry
from pyqemu.boards.config import MachineConfig, MonitorConfig
from pyqemu.chardev import Chardev, ChardevError, Chardevs
from pyqemu.chardev.stdio import StdioChardev
from pyqemu.chardev.vc import VcChardev
from pyqemu.io.descriptors import Descriptors
from pyqemu.monitor.monitors import Monitors
from pyqemu.qapi.errors import QapiError
from pyqemu.qom import Container, DeviceError
from pyqemu.qom.defaults import PropertyDefaults
from pyqemu.qom.objects import create_object
from pyqemu.system import RtcClock, ShutdownCause, System, VirtualClock
from pyqemu.system.inspection import NO_UUID, Identity, Inspection
from pyqemu.system.memory_trace import MemoryTrace
from pyqemu.ui.frame import Frame
from pyqemu.ui.screenshot import to_png, to_ppm
from pyqemu.ui.typist import Typist
from pyqemu.util.errors import UserError
from pyqemu.util.options import join_options
from pyqemu.util.trace import open_log
from pyqemu.util.trace_events import TraceEvents

if TYPE_CHECKING:
    from pyqemu.migration.migration import Migration

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _say(text: str) -> None:
    with suppress(OSError):  # nobody reads any more
        print(f"pyqemu: {text}", file=sys.stderr)


class Machine:
    """One machine. Use it as a context manager, or call :meth:`close`.

    :param complain: hears of what is raised, while the monitors are still open: who watches them, as libvirt does,
        looks for the reason when they close
    :raise UserError: the configuration cannot be.
    """

    def __init__(
        self,
        config: MachineConfig,
        *,
        say: Callable[[str], None] = _say,
        complain: Callable[[UserError], None] = lambda _: None,
    ) -> None:
        self.config = config
        self.say = say
        self.loop = asyncio.new_event_loop()
        self.crash: BaseException | None = None
        self.accel: TcgAccel | None = None
        self.log: LogControl | None = None
        self.system = self._system()
        self.chardevs = Chardevs(self.system, escape=config.escape)
        self.chardevs.on_quit = lambda: self.system.request_exit(0, ShutdownCause.HOST_UI)
        self.drives = DriveTable(snapshot=config.snapshot)
        self.drives.send = self.system.emit
        self.drives.graph.active = not config.incoming
        self.descriptors = Descriptors()
        self.chardevs.descriptors = self.descriptors
        self.drives.opener = self.descriptors.open
        self.monitors = Monitors(self.system)
        self._migration: Migration | None = None
        try:
            self._build()
        except BaseException as error:
            if isinstance(error, UserError):
                StdioChardev.give_back(self.system)
                complain(error)
            self.close()
            raise

    def _system(self) -> System:
        clock = VirtualClock()
        rtc = self.config.rtc
        base = rtc.base
        if self.config.icount is not None and base == "utc" and rtc.clock == "vm":
            base = 0.0  # a repeatable run begins at a repeatable time
        rtc_clock = RtcClock(base, rtc.clock, clock)
        system = System(clock=clock, rtc_clock=rtc_clock, loop=self.loop, trace=self._trace())
        system.no_reboot, system.no_shutdown = self.config.no_reboot, self.config.no_shutdown
        return system

    def _trace(self) -> TraceEvents:
        trace = TraceEvents()
        if self.config.log_file:
            open_log(self.config.log_file, anew=True).close()
            trace.set_path(self.config.log_file)
        for pattern in self.config.trace:
            if not trace.apply(pattern):
                self.say(f"warning: trace event '{pattern.removeprefix('-')}' does not exist")
        return trace

    def _build(self) -> None:
        config, system = self.config, self.system
        board_type = registry.find(config.machine, config.architecture)
        board_type.check_smp(config.smp)
        if config.semihosting is not None:
            board_type.check_semihosting()
        for given in config.descriptors:
            self.descriptors.add_to_set(given.fd, given.set, given.opaque or None)
        for backend, options in config.chardevs:
            self._chardev(backend, options)
        wanted = [(monitor, self._monitor_chardev(monitor)) for monitor in config.monitors]
        for tree in config.blockdevs:
            self._blockdev(tree)
        for drive in config.drives:
            self.drives.add(drive)
        defaults = PropertyDefaults(config.globals)
        system.before_realize.append(defaults.apply)
        engine = make_engine(config.engine, icount=config.icount is not None)
        self.board = board_type.build(config, system, engine, self.drives, self.chardevs)
        for given_object in config.objects:
            self._object(given_object)
        for row in defaults.strange():
            self.say(f'warning: "{row}" not used')
        self.cpu = self.board.cpu
        for text in self.cpu.warnings():
            self.say(f"warning: {text}")
        if config.icount is not None:
            assert isinstance(system.clock, VirtualClock)
            icount = IcountClock(engine, config.icount)
            self.cpu.turns.icount_sleep = config.icount_sleep
            system.clock.use_icount(icount.now)
            self.cpu.turns.before_execution = lambda: icount.budget(system.clock)
        self.cpu.on_triple_fault = self._triple_fault  # type: ignore[attr-defined]
        self.log = LogControl(self.cpu, config.log_items, config.log_file)
        self.accel = TcgAccel(system, self.cpu.turns, self._crashed)
        system.vcpus = self.accel
        system.on_exit(self._exiting)
        self._add_parts()
        if config.only_migratable:
            self._check_migratable()
        MemoryTrace(system.trace, system.part(Inspection).spaces)
        self.monitors.when_wanted(self._add_migration)
        for monitor, chardev in wanted:
            self._attach(monitor, chardev)
        self._attach_shared()

    def _add_parts(self) -> None:
        """Let commands find what they are about."""
        parts = (self.chardevs, self.drives, self.descriptors, self.board, self.cpu, self.accel, self.log)
        for part in (*parts, Typist(self.board.put_key, self.system.clock),
                     Identity(self.config.name, self.config.uuid or NO_UUID)):  # fmt: skip
            self.system.add_part(part)
        self.system.part(Inspection).add_text("jit", partial(jit_text, self.cpu))

    @property
    def migration(self) -> Migration:
        """Of the machine to and from elsewhere; made when it is first wanted."""
        self._add_migration()
        assert self._migration is not None
        return self._migration

    def _add_migration(self) -> None:
        from pyqemu.api.migrate import add_migration  # needs much that a plain start does not

        if self._migration is None:
            self._migration = add_migration(self.system, self.config, self.descriptors, self.say)

    def _check_migratable(self) -> None:
        try:
            self._add_migration()
        except QapiError as exc:
            raise UserError(f"-only-migratable: {exc.desc}", exc.hint) from None

    def _blockdev(self, tree: dict[str, object]) -> None:
        from pyqemu.block.blockdev import add_node, options_from_tree  # needs the whole schema: not for every start

        try:
            add_node(self.drives.graph, options_from_tree(tree), self.drives.opener)
        except QapiError as exc:
            raise UserError(f"-blockdev: {exc.desc}", exc.hint) from None
        except UserError as exc:
            raise UserError(f"-blockdev: {exc.message}", exc.hint) from None

    def _chardev(self, backend: str, options: dict[str, str]) -> None:
        try:
            self.chardevs.create(backend, options)
        except ChardevError as exc:
            given = join_options({"": backend, **options}).removeprefix("=")
            raise UserError(f"-chardev {given}: {exc.message}", exc.hint) from None

    def _object(self, given: dict[str, object]) -> None:
        """``-object``."""
        rest = {key: value for key, value in given.items() if key not in ("qom-type", "id")}
        try:
            create_object(self.system.part(Container), str(given["qom-type"]), str(given["id"]), rest)
        except DeviceError as exc:
            raise UserError(f"-object {given['qom-type']},id={given['id']}: {exc.message}", exc.hint) from None

    # --- monitors -----------------------------------------------------------------------------------------------------

    def _monitor_chardev(self, monitor: MonitorConfig) -> Chardev | None:
        """Where a monitor will be; None if it takes the terminal that we were started in."""
        if monitor.device == "stdio" and monitor.mode == "readline" and self.monitors.attach_terminal():
            return None
        try:
            return self.chardevs.open(monitor.device, monitor.label)
        except ChardevError as exc:
            raise UserError(f"{monitor.option}: {exc.message}", exc.hint) from None

    def _attach(self, monitor: MonitorConfig, chardev: Chardev | None) -> None:
        if chardev is None:
            return
        try:
            if isinstance(chardev, VcChardev) and monitor.mode == "readline":
                self.monitors.attach_late(chardev)
            else:
                self.monitors.attach(chardev, mode=monitor.mode, pretty=monitor.pretty)
        except ChardevError as exc:
            raise UserError(f"{monitor.option}: {exc.message}", exc.hint) from None

    def _attach_shared(self) -> None:
        """``mon:`` puts a monitor beside a port; it is not made before the guest runs, which it must not delay."""
        ports = [(f"serial{number}", device) for number, device in enumerate(self.config.serials)]
        ports += [(f"parallel{number}", device) for number, device in enumerate(self.config.parallels)]
        for label, device in ports:
            if device.startswith("mon:"):
                self.loop.call_soon(self.monitors.attach, self.chardevs.find(label))

    # --- running ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Reset the machine and let it run (with ``paused``: wait; with ``incoming``: let it come from elsewhere).

        :raise UserError: nothing can come from there.
        """
        assert self.accel is not None
        self.accel.start()
        for view in self.system.part(Inspection).cpus:
            view.thread_id = self.accel.thread_id
        with self.system.lock:
            self.system.reset()
            if not self.config.paused and not self.config.incoming:
                self.system.start()
        if self.config.incoming:
            self.migration.expect_incoming(self.config.incoming)

    def run(self, *, ready: Callable[[], None] = lambda: None, before_close: Callable[[], None] = lambda: None) -> int:
        """Start, serve the machine until it ends, and return the exit status. Signals end it cleanly.

        *ready* is called when the machine runs, or waits because that was asked for, and its sockets listen.
        *before_close* is called when the guest has stopped and its images are still open.
        """
        try:
            for number in SIGNALS:
                self.loop.add_signal_handler(number, self._signalled, number)
            self.start()
            ready()
            self.loop.run_forever()
            written = self._screenshot_on_exit()
        finally:
            before_close()
            self.close()  # with the loop the signal handlers go: a second signal must not cut the flushing short
        if self.crash is not None:
            raise self.crash
        return self.system.exit_code or (0 if written else 1)

    def run_for(self, seconds: float, until: Callable[[], bool] = lambda: False, interval: float = 0.02) -> bool:
        """Serve the machine for some host seconds, or until the condition holds; returns whether it did."""
        deadline = self.loop.time() + seconds

        async def wait() -> bool:
            while self.loop.time() < deadline and self.system.exit_code is None and self.crash is None:
                if until():
                    return True
                await asyncio.sleep(interval)
            return until()

        task = self.loop.create_task(wait())
        task.add_done_callback(lambda _: self.loop.stop())
        while not task.done():
            self.loop.run_forever()  # the end of the machine stops the loop, too
        result = task.result()
        if self.crash is not None:
            raise self.crash
        return result

    def _exiting(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)

    def _signalled(self, number: int) -> None:
        self.system.request_exit(0, ShutdownCause.HOST_SIGNAL)
        self.say(f"terminating on signal {number} ({signal.Signals(number).name})")

    def _triple_fault(self, chain: list[Exception]) -> None:
        """QEMU resets; the operator learns why.

        Not if the guest has asked for a reset and was only not quite stopped yet: SeaBIOS then tries a triple fault.
        """
        if self.system.end_pending:
            return
        what = ", then ".join(str(fault) for fault in chain)
        after = "exiting (-no-reboot)" if self.system.no_reboot else "resetting"
        self.say(f"triple fault, {after}: {what}")
        self.system.request_reset(ShutdownCause.GUEST_RESET)

    def _crashed(self, exc: BaseException) -> None:
        """The vCPU's thread found a defect of ours: end, loudly."""
        self.crash = exc
        self.system.request_exit(1, ShutdownCause.HOST_ERROR)

    # --- looking ------------------------------------------------------------------------------------------------------

    def frame(self) -> Frame | None:
        """What is on the screen; None without a display adapter."""
        with self.system.lock:
            return self.board.frame()

    def screenshot(self, path: str) -> None:
        """Write the screen to a file: PNG, or PPM by the name.

        :raise UserError: there is no screen, or the file cannot be written.
        """
        frame = self.frame()
        if frame is None:
            raise UserError("there is no screen to take a picture of", "-vga std")
        data = to_ppm(frame) if path.lower().endswith(".ppm") else to_png(frame)
        try:
            Path(path).write_bytes(data)
        except OSError as exc:
            raise UserError(f"screenshot '{path}': {exc.strerror}") from None

    def _screenshot_on_exit(self) -> bool:
        """Returns whether there is nothing to complain about."""
        if self.config.screenshot:
            try:
                self.screenshot(self.config.screenshot)
            except UserError as exc:
                self.say(str(exc))
                return False
        return True

    # --- the end ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop, flush images, restore the terminal."""
        if self.accel is not None:
            self.accel.close()
        if self._migration is not None:
            self._migration.close()
        if not self.loop.is_closed():
            self._complete(self.monitors.finish())
            self.monitors.close()
        with suppress(RuntimeError):
            self.chardevs.close_all()
        if self.log is not None:
            self.log.close()
        self.system.trace.close()
        self.drives.close_all()
        self.descriptors.close_all()
        if not self.loop.is_closed():
            pending = asyncio.all_tasks(self.loop)
            for task in pending:
                task.cancel()
            if pending:
                self.loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
            self.loop.close()

    def _complete(self, work: Coroutine[None, None, None]) -> None:
        """Run the loop until *work* is done, even if it was told to stop before: the machine's end may do so."""
        task = self.loop.create_task(work)
        task.add_done_callback(lambda _: self.loop.stop())
        while not task.done():
            self.loop.run_forever()
        task.result()

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        gc.collect()  # collections are rare while machines run: guest memory would stay for long
