"""One user of the human monitor: what is remembered between commands, and how a line is carried out."""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import Callable
from inspect import isawaitable
from typing import Concatenate, ParamSpec, TypeVar

from pyqemu.monitor.hmp import commands
from pyqemu.monitor.hmp.arguments import ArgumentError, Context, FormatDefaults, parse_arguments
from pyqemu.monitor.hmp.table import TABLE, Command, CommandTable
from pyqemu.qapi.errors import QapiError
from pyqemu.system import System
from pyqemu.system.inspection import CpuView, Inspection
from pyqemu.util.errors import InternalError, PyqemuError, UserError

P = ParamSpec("P")
R = TypeVar("R")

_NAME = re.compile(r"\s*([^\s/]+)")


class Hmp:
    """The commands' view of the monitor that they were given in.

    :ivar interactive: whether somebody waits at a prompt, so that a command may take its time
    :ivar history: the lines so far, oldest first
    """

    def __init__(
        self,
        system: System,
        write: Callable[[str], None],
        *,
        interactive: bool = False,
        cpu_index: int = 0,
        table: CommandTable = TABLE,
    ) -> None:
        commands.load()
        self.system = system
        self.table = table
        self.interactive = interactive
        self.cpu_index = cpu_index
        self.history: list[str] = []
        self._write = write
        self._formats = FormatDefaults()

    # --- for commands -------------------------------------------------------------------------------------------------

    def print(self, text: str = "", end: str = "\n") -> None:
        """Show a line, or several."""
        self._write(text + end)

    def call(self, handler: Callable[Concatenate[System, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What the QMP command of that handler answers; as there, the big lock is held."""
        with self.system.lock:
            return handler(self.system, *args, **kwargs)

    @property
    def cpus(self) -> list[CpuView]:
        """The machine's processors."""
        return self.system.part(Inspection).cpus

    @property
    def cpu(self) -> CpuView:
        """The processor that commands are about.

        :raise QapiError: there is none.
        """
        for cpu in self.cpus:
            if cpu.index == self.cpu_index:
                return cpu
        raise QapiError("No CPU")

    def info_text(self, name: str) -> str:
        """What machine and processor tell for ``info NAME``.

        :raise QapiError: neither knows about it.
        """
        inspection = self.system.part(Inspection)
        with self.system.parked():
            text = inspection.text(name, self.cpu if inspection.cpus else None)
        if text is None:
            raise QapiError(f"info {name}: this machine has nothing to show")
        return text

    # --- carrying out -------------------------------------------------------------------------------------------------

    async def execute(self, line: str) -> None:
        """Do what the line says; errors are shown like any other answer."""
        match = _NAME.match(line)
        if match is None:
            if line.strip():
                self.print("unknown command: ''")
            return
        command, named, end = self.table.find(match[1]), match[1], match.end()
        following = _NAME.match(line, end)
        if command is not None and command.name == "info" and following is not None:
            command, named, end = self.table.find(following[1], is_info=True), f"info {following[1]}", following.end()
        if command is None:
            self.print(f"unknown command: '{named}'")
            return
        arguments = self._arguments(command, named, line[end:])
        if arguments is not None:
            await self._call(command, arguments)

    def _arguments(self, command: Command, named: str, text: str) -> dict[str, object] | None:
        try:
            return parse_arguments(command.arguments, text, Context(command.names, self._register, self._formats))
        except (ArgumentError, QapiError) as error:
            self.print(str(error))
            self.print(f'Try "help {named}" for more information')
            return None

    def _register(self, name: str) -> int | None:
        with self.system.parked():
            return self.cpu.register(name)

    async def _call(self, command: Command, arguments: dict[str, object]) -> None:
        try:
            result = command.function(self, **arguments)
            if isawaitable(result):
                await result
        except UserError as error:
            self._complain(error.message, error.hint)
        except QapiError as error:
            self._complain(error.desc, error.hint)
        except InternalError:
            raise
        except PyqemuError as error:
            self.print(str(error))

    def _complain(self, text: str, hint: str) -> None:
        self.print(text)
        if hint:
            self.print(hint)

    async def execute_safely(self, line: str) -> None:
        """As :meth:`execute`; neither a defect of ours nor a cancellation ends the monitor, let alone the guest."""
        try:
            await self.execute(line)
        except asyncio.CancelledError:
            self.print("interrupted")
        except Exception as error:
            self.print(f"this is a bug in pyqemu: {type(error).__name__}: {error}")
            self.print("".join(traceback.format_exception(error)), end="")


async def run_line(system: System, line: str, *, cpu_index: int = 0) -> str:
    """``human-monitor-command``: carry out one line and return what it shows, errors included.

    Nothing is remembered afterwards. The big lock is not held.

    :raise QapiError: there is no processor of that index.
    """
    output: list[str] = []
    hmp = Hmp(system, output.append, cpu_index=cpu_index)
    if cpu_index and all(cpu.index != cpu_index for cpu in hmp.cpus):
        raise QapiError("Parameter 'cpu-index' expects a CPU number")
    await hmp.execute(line)
    return "".join(output)
