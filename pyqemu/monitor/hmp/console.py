"""The human monitor on the terminal that pyqemu was started in: completion, history, help while typing.

It runs in the machine's loop. The terminal stays free of signals as long as the console has it, so that Ctrl-C is a key
at any moment and never ends the guest; it is given back as it was found.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import Output
from prompt_toolkit.patch_stdout import patch_stdout

from pyqemu.chardev.terminal import Terminal
from pyqemu.monitor.hmp.completion import complete, find_command
from pyqemu.monitor.hmp.dispatch import Hmp
from pyqemu.monitor.hmp.readline import common_beginning
from pyqemu.monitor.hmp.session import PROMPT, banner
from pyqemu.system import System

HISTORY_LINES = 1000  # entries that are kept between runs


def is_usable(fd: int = 0) -> bool:
    """Whether *fd* and standard output are a terminal that the console can be shown on."""
    return os.isatty(fd) and os.isatty(sys.stdout.fileno()) and os.environ.get("TERM", "dumb") != "dumb"


def history_path() -> Path:
    """Where lines are kept for the next run (XDG base directories)."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(state) / "pyqemu" / "monitor-history"


def open_history(path: Path) -> History:
    """The history in that file, cut to its last lines; of this run alone if the file cannot be used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        history = FileHistory(str(path))
        newest_first = list(history.load_history_strings())
        if len(newest_first) > 2 * HISTORY_LINES:
            path.write_bytes(b"")
            for line in reversed(newest_first[:HISTORY_LINES]):
                history.store_string(line)
    except OSError:
        return InMemoryHistory()
    return history


class _Cleared(Exception):
    """Ctrl-C at the prompt."""


class _Hung(Exception):
    """The terminal has gone."""


class _Completer(Completer):
    def __init__(self, hmp: Hmp) -> None:
        self._hmp = hmp

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        start, found = complete(self._hmp, text)
        for word in found:
            yield Completion(word, start_position=start - len(text), display_meta=self._meta(text[:start], word))

    def _meta(self, before: str, word: str) -> str:
        """What a command does, beside its name in the menu."""
        if before.split() not in ([], ["info"], ["help"]):
            return ""
        command = find_command(self._hmp, f"{before} {word}" if before.startswith("info") else word)
        return command.help if command is not None else ""


class Console:
    """The console of *system* on the terminal *fd*.

    :param terminal_input: instead of the terminal: where keys come from
    :param output: and where it is shown
    """

    def __init__(
        self,
        system: System,
        *,
        fd: int = 0,
        history: Path | None = None,
        terminal_input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.hmp = Hmp(system, self._show, interactive=True)
        self._terminal = Terminal(fd, allow_signals=False)
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            completer=_Completer(self.hmp),
            complete_while_typing=False,
            auto_suggest=AutoSuggestFromHistory(),
            history=open_history(history or history_path()),
            bottom_toolbar=self._toolbar,
            key_bindings=_bindings(self.hmp),
            interrupt_exception=_Cleared,
            eof_exception=_Hung,
            input=terminal_input,
            output=output,
        )
        self._task: asyncio.Task[None] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        """Run it in *loop*. Cancelling the task, which the machine's end does, gives the terminal back."""
        self._task = loop.create_task(self.run())
        return self._task

    async def run(self) -> None:
        """Read and carry out commands until the terminal goes away or the task is cancelled."""
        with self._terminal, patch_stdout(raw=True):
            self._show(f"{banner()}\n")
            while True:
                try:
                    line = await self._session.prompt_async(handle_sigint=False)
                except _Cleared:
                    continue
                except _Hung:
                    return
                if line.strip():
                    self.hmp.history.append(line)
                    await self._execute(line)
                    if self.hmp.system.exit_code is not None:
                        return  # the program ends: there is nothing to ask for any more

    async def _execute(self, line: str) -> None:
        """Carry it out; while it waits, Ctrl-C interrupts it."""
        task = asyncio.get_running_loop().create_task(self.hmp.execute_safely(line))
        await asyncio.sleep(0)
        try:
            if not task.done():
                with self._listening(task):
                    await asyncio.wait([task])
        finally:
            task.cancel()

    @contextmanager
    def _listening(self, task: asyncio.Task[None]) -> Iterator[None]:
        keys = self._session.app.input

        def pressed() -> None:
            if any(press.key == Keys.ControlC for press in keys.read_keys()):
                task.cancel()

        with keys.raw_mode(), keys.attach(pressed):
            yield

    def _show(self, text: str) -> None:
        """Written directly: what goes through the patched standard output comes when the prompt stands again."""
        output = self._session.app.output
        output.write_raw(text)
        output.flush()

    def _toolbar(self) -> str:
        """What the command that stands in the line takes."""
        text = self._session.default_buffer.document.text
        command = find_command(self.hmp, text)
        if command is not None:
            return command.help_line
        return "Tab completes   Ctrl-R searches   help lists the commands   quit ends the machine"


def _bindings(hmp: Hmp) -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("tab")
    def tab(event: KeyPressEvent) -> None:
        """Complete as far as it is clear at once, so that what is typed next finds it done; else show the menu."""
        buffer = event.current_buffer
        if buffer.complete_state is not None:
            buffer.complete_next()
            return
        text = buffer.document.text_before_cursor
        start, found = complete(hmp, text)
        if found:
            buffer.insert_text(common_beginning(found)[len(text) - start :])
        if len(found) > 1:
            buffer.start_completion()

    @bindings.add("c-d")
    def delete(event: KeyPressEvent) -> None:
        """Delete a character; at an empty line it does not mean the end, as in a shell: ``quit`` does."""
        if event.current_buffer.text:
            event.current_buffer.delete()

    return bindings
