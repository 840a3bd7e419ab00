"""The groups of options that the command line takes, for ``query-command-line-options``.

Only what is really looked at stands here: clients leave an option out when they do not find it. Groups without keys
are those whose keys follow from something else, a device model or a backend.
"""

from __future__ import annotations

from pyqemu.qapi.generated.types import CommandLineOptionInfo, CommandLineParameterInfo, CommandLineParameterType

_TYPES = {
    "": CommandLineParameterType.STRING,
    "?": CommandLineParameterType.BOOLEAN,
    "#": CommandLineParameterType.NUMBER,
    "*": CommandLineParameterType.SIZE,
}

# A mark behind a key: ? boolean, # number, * size; string without.
# fmt: off
GROUPS = {
    "accel": "accel engine thread",
    "add-fd": "fd# set# opaque",
    "boot-opts": "order once menu? splash-time# reboot-timeout# strict?",
    "chardev":
        "backend path host port fd localaddr localport to# ipv4? ipv6? wait? server? delay? nodelay? reconnect# "
        "telnet? width# height# cols# rows# mux? signal? append? logfile logappend? size* chardev",
    "device": "",
    "drive":
        "id file format driver if media index# bus# unit# snapshot? cache aio discard detect-zeroes werror rerror "
        "read-only? copy-on-read? node-name serial addr cyls# heads# secs# trans",
    "global": "driver property value",
    "icount": "shift sleep? align?",
    "machine": "type accel kernel initrd append firmware usb? mem-merge? dump-guest-core? kernel_irqchip? graphics?",
    "memory": "size*",
    "mon": "chardev mode pretty?",
    "msg": "timestamp?",
    "name": "guest process debug-threads?",
    "object": "",
    "overcommit": "mem-lock? cpu-pm?",
    "realtime": "mlock?",
    "rtc": "base clock driftfix",
    "semihosting-config": "enable? target arg",
    "smp-opts": "cpus# sockets# cores# threads# maxcpus# dies#",
    "trace": "enable events file",
}
# fmt: on


def option_infos(option: str | None = None) -> list[CommandLineOptionInfo]:
    """All groups, or the one of that name; none if there is none."""
    return [
        CommandLineOptionInfo(option=name, parameters=[_parameter(word) for word in keys.split()])
        for name, keys in GROUPS.items()
        if option in (None, name)
    ]


def _parameter(word: str) -> CommandLineParameterInfo:
    name = word.rstrip("?#*")
    return CommandLineParameterInfo(name=name, type=_TYPES[word[len(name) :]])
