"""The whole command line, word by word."""

from __future__ import annotations

import difflib

from pyqemu.block.drives import hard_disk
from pyqemu.cli.options.process import write_config
from pyqemu.cli.options.registry import OPTIONS, CommandLine, Option
from pyqemu.util.errors import OptionError, UserError


def parse_options_of(program: str, arguments: list[str]) -> CommandLine:
    """Read what the command line says, without what follows from it; *program* may say the architecture
    (``pyqemu-system-i386``).

    :raise UserError: in one line, what is wrong and what would be right.
    :raise Finished: an option that only prints something.
    """
    line = CommandLine()
    if "-system-" in program:
        line.config.architecture = program.rsplit("-system-", 1)[1].removesuffix(".exe")
    words = iter(arguments)
    for word in words:
        if word == "-" or not word.startswith("-"):
            _disk(line, word)
            continue
        found = find_option(word)
        argument = next(words, None) if found.argument else ""
        if argument is None:
            raise OptionError(f"{word}: requires an argument", found.argument)
        _apply(found, line, word, argument)
    write_config(line)
    return line


def _disk(line: CommandLine, word: str) -> None:
    if line.disk:
        raise OptionError(f"'{word}': there is a disk image already ('{line.disk}')", "use -hdb, -drive, ...")
    line.disk = word
    line.config.drives.append(hard_disk(word, 0))
    line.groups.record("drive", {"file": word, "index": "0", "media": "disk"})


def _apply(found: Option, line: CommandLine, word: str, argument: str) -> None:
    """Let the option speak; what it complains about is told with the option's name."""
    try:
        found.apply(line, argument)
    except UserError as error:
        if not error.message.startswith("-"):
            error.message = f"{word} {argument}: {error.message}".lstrip()
        raise


def find_option(word: str) -> Option:
    """The option that *word* names.

    :raise OptionError: there is none.
    """
    name = word[2:] if word.startswith("--") else word[1:]
    if name in OPTIONS:
        return OPTIONS[name]
    close = difflib.get_close_matches(name, OPTIONS, 1)
    raise OptionError(f"{word}: invalid option", f"did you mean -{close[0]}?" if close else "-h lists the options")
