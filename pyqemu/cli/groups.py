"""The options as QEMU's groups of keys and values: what ``-writeconfig`` writes and ``-readconfig`` reads.

The form is an ini file of its own: sections are ``[group]`` or ``[group "id"]``, lines are ``key = "value"``, a value
has no quotes in it and no escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pyqemu.util.errors import OptionError

# In the order in which they are written; "+": all options of that group are one section.
_GROUPS = (
    "drive", "chardev", "device", "netdev", "net", "rtc", "global", "mon", "trace", "option-rom", "machine+", "accel",
    "memory+", "smp-opts+", "boot-opts+", "sandbox", "add-fd", "object", "realtime+", "overcommit+", "msg+", "name+",
    "icount+",
)  # fmt: skip
_ORDER = [name.rstrip("+") for name in _GROUPS]
_MERGED = frozenset(name[:-1] for name in _GROUPS if name.endswith("+"))

_SECTION = re.compile(r'\[\s*([A-Za-z0-9_-]+)(?:\s+"([^"]*)")?\s*\]')
_SETTING = re.compile(r'([A-Za-z0-9_.-]+)\s*=\s*"([^"]*)"')


@dataclass
class Section:
    """The keys of one option. *line* is where it begins in its file; 0 if it is from the command line."""

    group: str
    id: str = ""
    values: dict[str, str] = field(default_factory=dict)
    line: int = 0


class Groups:
    """All sections so far."""

    def __init__(self) -> None:
        self.sections: list[Section] = []

    def record(self, group: str, values: Mapping[str, str]) -> None:
        """Note what an option said; an ``id`` among the values names the section."""
        rest = {key: value for key, value in values.items() if key != "id"}
        if group in _MERGED:
            for section in self.sections:
                if section.group == group:
                    section.values.update(rest)
                    return
        self.sections.append(Section(group, values.get("id", ""), rest))

    def text(self) -> str:
        """As a configuration file.

        :raise OptionError: a value holds what that form cannot.
        """
        parts = ["# qemu config file\n"]
        for section in sorted(self.sections, key=lambda section: _ORDER.index(section.group)):
            head = f'{section.group} "{section.id}"' if section.id else section.group
            lines = [f"[{head}]", *(_setting(key, value) for key, value in section.values.items())]
            parts.append("\n".join(lines) + "\n")
        return "\n".join(parts)


def _setting(key: str, value: str) -> str:
    if '"' in value or "\n" in value:
        raise OptionError(f"a configuration file cannot hold {key}={value}", "it has quotes or line breaks in it")
    return f'  {key} = "{value}"'


def parse_config(text: str, file: str) -> Iterator[Section]:
    """The sections of a configuration file named *file*.

    :raise OptionError: with file and line.
    """
    section: Section | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if found := _SECTION.fullmatch(line):
            if section is not None:
                yield section
            if found[1] not in _ORDER:
                known = ", ".join(sorted(_ORDER))
                raise OptionError(f"-readconfig {file}:{number}: There is no option group '{found[1]}'", known)
            section = Section(found[1], found[2] or "", line=number)
        elif found := _SETTING.fullmatch(line):
            if section is None:
                raise OptionError(f"-readconfig {file}:{number}: no group defined", 'begin with a line [group "id"]')
            section.values[found[1]] = found[2]
        else:
            raise OptionError(f"-readconfig {file}:{number}: parse error", '[group "id"] or key = "value"')
    if section is not None:
        yield section
