"""From the command line to a running machine, and from errors to one line."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext

from pyqemu.cli import default_guest
from pyqemu.cli.defaults import parse_command_line
from pyqemu.cli.options import CommandLine, Finished
from pyqemu.util.errors import InternalError, PyqemuError, UserError


def complain(program: str, text: str) -> None:
    """One line on standard error."""
    print(f"{program}: {' '.join(text.splitlines())}", file=sys.stderr, flush=True)


def report(program: str, error: PyqemuError) -> None:
    """One line: what was wrong, and what would be right."""
    if isinstance(error, UserError):
        hint = f" ({error.hint})" if error.hint else ""
        complain(program, f"{error.message}{hint}")
    else:
        complain(program, str(error))


def show(text: str) -> None:
    """Print what was asked for; whoever reads it may go away before its end."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails once more when it ends


def start(program: str, line: CommandLine) -> int:
    """Build and run the machine."""
    from pyqemu.api.machine import Machine

    config = line.config
    is_default = default_guest.is_wanted(config)
    if is_default:
        line.notes.append(default_guest.ANNOUNCEMENT)
    with default_guest.plugged(config) if is_default else nullcontext():
        machine = Machine(config, say=lambda text: complain(program, text))
    for note in line.notes:  # not before: of a bad option only its own line shall be seen
        complain(program, note)
    if config.display == "curses":
        from pyqemu.cli.display import run_with_curses

        return run_with_curses(machine)
    return machine.run()


def run(program: str, arguments: list[str]) -> int:
    """Do what the command line says. Returns the exit status."""
    try:
        return start(program, parse_command_line(program, arguments))
    except Finished as finished:
        show(str(finished))
        return 0
    except InternalError:
        raise  # a defect of ours: with all that helps to find it
    except PyqemuError as error:
        report(program, error)
        return 1
