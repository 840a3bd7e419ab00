"""A program that is nothing but a console, for the terminal test: ``python console_program.py HISTORY``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from pathlib import Path

from pyqemu.monitor.hmp.console import Console
from pyqemu.monitor.hmp.dispatch import Hmp
from pyqemu.monitor.hmp.table import hmp_command
from tests.monitor.hmp.machine import make_system


@hmp_command("wait", "", "wait for ever")
async def wait(hmp: Hmp) -> None:
    hmp.print("waiting")
    await asyncio.Event().wait()


@hmp_command("say", "text:S", "let the program log something")
def say(hmp: Hmp, *, text: str) -> None:
    asyncio.get_running_loop().call_later(0.05, lambda: print(f"log: {text}", file=sys.stderr))


@hmp_command("size", "", "the terminal's size", is_info=True)
def size(hmp: Hmp) -> None:
    hmp.print("{0.columns}x{0.lines}".format(os.get_terminal_size()))


async def main() -> int:
    loop = asyncio.get_running_loop()
    system = make_system(loop)
    ended = asyncio.Event()
    system.on_exit(lambda: loop.call_soon_threadsafe(ended.set))
    loop.add_signal_handler(signal.SIGINT, lambda: os._exit(99))  # what would end a machine
    task = Console(system, history=Path(sys.argv[1])).start(loop)
    await asyncio.wait([task, loop.create_task(ended.wait())], return_when=asyncio.FIRST_COMPLETED)
    task.cancel()
    await asyncio.wait([task])
    return system.exit_code or 0


before = termios.tcgetattr(0)
code = asyncio.run(main())
print("terminal restored" if termios.tcgetattr(0) == before else "terminal CHANGED")
sys.exit(code)
