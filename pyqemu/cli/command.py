"""From the command line to a running machine, and from errors to one line."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress

from pyqemu.cli import default_guest
from pyqemu.cli.defaults import parse_command_line
from pyqemu.cli.options import CommandLine, Finished
from pyqemu.util.errors import InternalError, PyqemuError, UserError


class Reporter:
    """Tells the operator, in lines on standard error."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.timestamps = False
        self._reported: PyqemuError | None = None

    def say(self, text: str) -> None:
        """One line."""
        line = " ".join(text.splitlines())
        with suppress(OSError):  # nobody reads any more
            print(f"{self._time()}{self.program}: {line}", file=sys.stderr, flush=True)

    def report(self, error: PyqemuError) -> None:
        """One line: what was wrong, and what would be right. An error that comes again was told of already."""
        if error is self._reported:
            return
        self._reported = error
        if isinstance(error, UserError):
            hint = f" ({error.hint})" if error.hint else ""
            self.say(f"{error.message}{hint}")
        else:
            self.say(str(error))

    def _time(self) -> str:
        if not self.timestamps:
            return ""
        now = datetime.datetime.now(datetime.UTC)
        return f"{now:%Y-%m-%dT%H:%M:%S.%f}Z "


def show(text: str) -> None:
    """Print what was asked for; whoever reads it may go away before its end."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails once more when it ends


def start(reporter: Reporter, line: CommandLine) -> int:
    """Build and run the machine, in the background if that was asked for."""
    process = line.process
    if not (process.daemonize or process.pidfile or process.run_as or process.name or process.lock_memory):
        return start_machine(reporter, line)
    from pyqemu.cli import daemon

    background = daemon.Background() if process.daemonize else None
    if background is not None and background.is_parent:
        return background.status
    if process.name:
        daemon.set_process_name(process.name)
    with ExitStack() as stack:
        if process.pidfile:
            stack.enter_context(closing(daemon.PidFile(process.pidfile)))
        if process.lock_memory:
            daemon.lock_memory()
        return start_machine(reporter, line, ready=daemon.settle(process, background))


def start_machine(reporter: Reporter, line: CommandLine, ready: Callable[[], None] = lambda: None) -> int:
    """Build and run the machine; *ready* is called when it runs, or waits with ``-S``."""
    from pyqemu.api.machine import Machine

    config = line.config
    with ExitStack() as stack:
        if default_guest.is_wanted(config):
            line.notes.append(default_guest.ANNOUNCEMENT)
            stack.enter_context(default_guest.plugged(config))
        machine = Machine(config, say=reporter.say, complain=reporter.report)
    if config.dump_vmstate:
        from pyqemu.api.migrate import dump_vmstate

        with machine:
            dump_vmstate(machine.system, config)
        return 0
    for note in line.notes:  # not before: of a bad option only its own line shall be seen
        reporter.say(note)
    if config.display == "curses":
        from pyqemu.cli.display import run_with_curses

        return run_with_curses(machine, ready)
    return machine.run(ready=ready)


def run(program: str, arguments: list[str]) -> int:
    """Do what the command line says. Returns the exit status."""
    reporter = Reporter(program)
    try:
        line = parse_command_line(program, arguments)
        reporter.timestamps = line.timestamps
        return start(reporter, line)
    except Finished as finished:
        show(str(finished))
        return 0
    except InternalError:
        raise  # a defect of ours: with all that helps to find it
    except PyqemuError as error:
        reporter.report(error)
        return 1
