"""A whole machine: the board of a configuration, the thread that runs it, and the loop that serves it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pyqemu.accel.tcg import IcountClock, TcgAccel, make_engine
from pyqemu.block import DriveTable
from pyqemu.boards import registry
from pyqemu.boards.config import MachineConfig
from pyqemu.chardev import ChardevError, Chardevs
from pyqemu.system import RtcClock, ShutdownCause, System, VirtualClock
from pyqemu.tcg.log import ExecutionLog
from pyqemu.ui.frame import Frame
from pyqemu.ui.screenshot import to_png, to_ppm
from pyqemu.util.errors import UserError
from pyqemu.util.options import join_options

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _say(text: str) -> None:
    print(f"pyqemu: {text}", file=sys.stderr)


class Machine:
    """One machine. Use it as a context manager, or call :meth:`close`.

    :raise UserError: the configuration cannot be.
    """

    def __init__(self, config: MachineConfig, *, say: Callable[[str], None] = _say) -> None:
        self.config = config
        self.say = say
        self.loop = asyncio.new_event_loop()
        self.crash: BaseException | None = None
        self.accel: TcgAccel | None = None
        self.log: ExecutionLog | None = None
        self.system = self._system()
        self.chardevs = Chardevs(self.system, escape=config.escape)
        self.chardevs.on_quit = lambda: self.system.request_exit(0, ShutdownCause.HOST_UI)
        self.drives = DriveTable(snapshot=config.snapshot)
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _system(self) -> System:
        clock = VirtualClock()
        rtc = self.config.rtc
        base = rtc.base
        if self.config.icount is not None and base == "utc" and rtc.clock == "vm":
            base = 0.0  # a repeatable run begins at a repeatable time
        system = System(clock=clock, rtc_clock=RtcClock(base, rtc.clock, clock), loop=self.loop)
        system.no_reboot, system.no_shutdown = self.config.no_reboot, self.config.no_shutdown
        return system

    def _build(self) -> None:
        config, system = self.config, self.system
        board_type = registry.find(config.machine, config.architecture)
        for backend, options in config.chardevs:
            self._chardev(backend, options)
        for drive in config.drives:
            self.drives.add(drive)
        engine = make_engine(config.engine, icount=config.icount is not None)
        self.board = board_type.build(config, system, engine, self.drives, self.chardevs)
        self.cpu = self.board.cpu
        for text in self.cpu.warnings():
            self.say(f"warning: {text}")
        if config.icount is not None:
            assert isinstance(system.clock, VirtualClock)
            icount = IcountClock(engine, config.icount)
            self.cpu.icount_sleep = config.icount_sleep
            system.clock.use_icount(icount.now)
            self.cpu.before_execution = lambda: icount.budget(system.clock)
        self.cpu.on_triple_fault = self._triple_fault  # type: ignore[attr-defined]
        if config.log_items:
            self.log = ExecutionLog(config.log_items, config.log_file, self.cpu)
        self.accel = TcgAccel(system, self.cpu, self._crashed)
        system.vcpus = self.accel
        system.on_exit(self._exiting)

    def _chardev(self, backend: str, options: dict[str, str]) -> None:
        try:
            self.chardevs.create(backend, options)
        except ChardevError as exc:
            given = join_options({"": backend, **options}).removeprefix("=")
            raise UserError(f"-chardev {given}: {exc.message}", exc.hint) from None

    # --- running ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Reset the machine and let it run (with ``paused``: wait)."""
        assert self.accel is not None
        self.accel.start()
        with self.system.lock:
            self.system.reset()
            if not self.config.paused:
                self.system.start()

    def run(self, *, before_close: Callable[[], None] = lambda: None) -> int:
        """Start, serve the machine until it ends, and return the exit status. Signals end it cleanly.

        *before_close* is called when the guest has stopped and its images are still open.
        """
        try:
            for number in SIGNALS:
                self.loop.add_signal_handler(number, self._signalled, number)
            self.start()
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
        self.say(f"terminating on signal {number} ({signal.Signals(number).name})")
        self.system.request_exit(0, ShutdownCause.HOST_SIGNAL)

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
        with suppress(RuntimeError):
            self.chardevs.close_all()
        if self.log is not None:
            self.log.close()
        self.drives.close_all()
        if not self.loop.is_closed():
            pending = asyncio.all_tasks(self.loop)
            for task in pending:
                task.cancel()
            if pending:
                self.loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
            self.loop.close()

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
