"""Coprocessors 14 and 15: who may read and write their registers, and what that does (ARM DDI 0406C.b, B3.17, B4).

A register is named by five numbers: coprocessor, opc1, CRn, CRm, opc2; one of 64 bits by coprocessor, opc1, CRm.
Storage is in :class:`~pyqemu.targets.arm.system_state.SystemState` under AArch64's names. There is one copy of each
register: those of the Secure state are not apart.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pyqemu.targets.arm.exceptions import undefined
from pyqemu.targets.arm.layout import M32, M64
from pyqemu.targets.arm.modes import M_LEVEL

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

Key = tuple[int, ...]
Read = Callable[["ArmCpu"], int]
Write = Callable[["ArmCpu", int], None]
Check = Callable[["ArmCpu", bool], bool]
MODULES = ("cp15_control", "cp15_debug", "cp15_id", "cp15_maintenance", "cp15_timer")
IMPLEMENTATION_DEFINED = 15  #: CRn of registers of a processor's own


@dataclass(frozen=True, slots=True)
class Register:
    """One register.

    :ivar read: None where it cannot be read
    :ivar level: the least privilege level that may access it
    :ivar feature: what a processor must have, or with "!" before it must not
    :ivar check: whether the access is allowed (the second argument: it is a write)
    """

    name: str
    key: Key
    read: Read | None
    write: Write | None
    level: int = 1
    feature: str = ""
    check: Check | None = None


REGISTERS: dict[Key, list[Register]] = {}


def define(name: str, key: Key, *, read: Read | None = None, write: Write | None = None, level: int = 1,
           feature: str = "", check: Check | None = None) -> None:  # fmt: skip
    """Enter a register."""
    REGISTERS.setdefault(key, []).append(Register(name, key, read, write, level, feature, check))


def storage(name: str, key: Key, attribute: str, *, mask: int = M32, level: int = 1, feature: str = "",
            effect: str = "") -> None:  # fmt: skip
    """Enter a register that is only storage.

    :param attribute: of :attr:`ArmCpu.sys`
    :param mask: the bits that can be written
    :param effect: a method of the CPU that is called when the value has changed
    """

    def load(cpu: ArmCpu) -> int:
        value: int = getattr(cpu.sys, attribute)
        return value

    def store(cpu: ArmCpu, value: int) -> None:
        value &= mask
        if getattr(cpu.sys, attribute) != value:
            setattr(cpu.sys, attribute, value)
            if effect:
                getattr(cpu, effect)()

    define(name, key, read=load, write=store, level=level, feature=feature)


def constant(name: str, key: Key, value: Read | int, *, level: int = 1, feature: str = "") -> None:
    """Enter a register that can only be read."""
    define(name, key, read=value if callable(value) else lambda cpu: value, level=level, feature=feature)


def ignored(name: str, key: Key, *, level: int = 1, feature: str = "") -> None:
    """Enter an operation or register that has nothing to do here."""
    define(name, key, read=lambda cpu: 0, write=lambda cpu, value: None, level=level, feature=feature)


@cache
def _of_features(features: frozenset[str], key: Key) -> Register | None:
    """The register that a processor with these features has under a key."""
    for register in REGISTERS.get(key, ()):
        feature = register.feature
        if not feature or (feature[1:] not in features if feature[0] == "!" else feature in features):
            return register
    return None


def find(cpu: ArmCpu, key: Key, *, write: bool) -> Register | None:
    """The register, if it may be accessed now; None for one of which nothing is known, and that nobody misses.

    :raise ArmException: it is UNDEFINED.
    """
    level = cpu.mode & M_LEVEL
    register = _of_features(cpu.model.features, key)
    if register is not None:
        way = register.write if write else register.read
        if way is None or level < register.level or (register.check and not register.check(cpu, write)):
            raise undefined()
        return register
    known = key[0] == 14 or (len(key) == 5 and key[2] in (9, IMPLEMENTATION_DEFINED))
    if not known or not level or len(key) != 5:
        raise undefined()
    return None


def read(cpu: ArmCpu, key: Key) -> int:
    """``MRC``, ``MRRC``.

    :raise ArmException: see :func:`find`.
    """
    register = find(cpu, key, write=False)
    if register is None or register.read is None:
        return 0
    return register.read(cpu) & (M32 if len(key) == 5 else M64)


def write(cpu: ArmCpu, key: Key, value: int) -> None:
    """``MCR``, ``MCRR``.

    :raise ArmException: see :func:`find`.
    """
    register = find(cpu, key, write=True)
    if register is not None and register.write is not None:
        register.write(cpu, value)


def load() -> None:
    """Enter all registers, once."""
    if not REGISTERS:
        for module in MODULES:
            importlib.import_module(f"pyqemu.targets.arm.{module}").define_all()
