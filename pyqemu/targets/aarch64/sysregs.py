"""System registers: who may read and write them, and what that does (ARM DDI 0487A.f, D7).

A register is named by five numbers: op0, op1, CRn, CRm, op2 (C5.1.2). Those that are only storage are one line; the
others have functions. Whatever changes translation, traps or the mode of the processor says so to the CPU.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.exceptions import Aarch64Exception, undefined
from pyqemu.targets.aarch64.layout import EC_SYSTEM

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

Key = tuple[int, int, int, int, int]
Read = Callable[["Aarch64Cpu"], int]
Write = Callable[["Aarch64Cpu", int], None]
Check = Callable[["Aarch64Cpu", bool], None]
MODULES = ("sysregs_control", "sysregs_id", "sysregs_debug", "sysregs_timer", "sysregs_maintenance",
           "sysregs_gic")  # fmt: skip
NEVER = 4  #: no exception level may
M32, M64 = (1 << 32) - 1, (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class SystemRegister:
    """One register.

    :ivar read_el: the least exception level that may read it
    :ivar write_el: and write it
    :ivar check: called before, with whether it is a write; raises where a control bit traps the access
    """

    name: str
    key: Key
    read_el: int
    write_el: int
    read: Read
    write: Write
    check: Check | None = None


REGISTERS: dict[Key, SystemRegister] = {}
BY_NAME: dict[str, SystemRegister] = {}


def define(name: str, key: Key, *, el: int = 1, read_el: int | None = None, write_el: int | None = None,
           read: Read | None = None, write: Write | None = None, mask: int = M64, ones: int = 0,
           check: Check | None = None) -> None:  # fmt: skip
    """Enter a register. Without functions it is the storage of its name.

    :param mask: the bits that can be written
    :param ones: bits that read as one
    """
    attribute = name.lower()

    def load(cpu: Aarch64Cpu) -> int:
        value: int = getattr(cpu.sys, attribute)
        return value | ones

    def store(cpu: Aarch64Cpu, value: int) -> None:
        setattr(cpu.sys, attribute, value & mask)

    levels = el if read_el is None else read_el, el if write_el is None else write_el
    register = SystemRegister(name, key, *levels, read or load, write or store, check)
    if key in REGISTERS:
        raise ValueError(f"{name} and {REGISTERS[key].name} are the same register")
    REGISTERS[key] = BY_NAME[name] = register


def constant(name: str, key: Key, value: Read | int, *, el: int = 1,
             check: Check | None = None) -> None:  # fmt: skip
    """Enter a register that can only be read."""
    read = value if callable(value) else lambda cpu: value
    define(name, key, el=el, write_el=NEVER, read=read, check=check)


def ignored(name: str, key: Key, *, el: int = 1, check: Check | None = None) -> None:
    """Enter an operation that has nothing to do here."""
    define(name, key, el=el, read=lambda cpu: 0, write=lambda cpu, value: None, check=check)


class Trap(Exception):
    """A control bit sends the access to a higher exception level.

    :ivar el: to which one
    """

    def __init__(self, el: int) -> None:
        super().__init__(el)
        self.el = el


def hypervisor_traps(cpu: Aarch64Cpu, bits: int) -> None:
    """:raise Trap: HCR_EL2 has one of *bits*, and EL2 is used."""
    if cpu.el2_enabled and cpu.sys.hcr_el2 & bits:
        raise Trap(2)


def find(cpu: Aarch64Cpu, key: Key, rt: int, *, write: bool) -> SystemRegister:
    """The register, if it is there and may be accessed now.

    :param rt: the general register of the instruction
    :raise Aarch64Exception: it is UNDEFINED, or trapped.
    """
    register = REGISTERS.get(key)
    if register is None or cpu.el < (register.write_el if write else register.read_el) or not cpu.has(register):
        raise undefined()
    if register.check is not None:
        try:
            register.check(cpu, write)
        except Trap as trap:
            raise Aarch64Exception(EC_SYSTEM, syndrome(key, rt, write=write), target_el=trap.el) from None
    return register


def syndrome(key: Key, rt: int, *, write: bool) -> int:
    """The ISS of a trapped access (D7.2.24)."""
    op0, op1, crn, crm, op2 = key
    return op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | (not write)


def read(cpu: Aarch64Cpu, key: Key, rt: int = 31) -> int:
    """``MRS``.

    :raise Aarch64Exception: see :func:`find`.
    """
    return find(cpu, key, rt, write=False).read(cpu) & M64


def write(cpu: Aarch64Cpu, key: Key, value: int, rt: int = 31) -> None:
    """``MSR``, and ``SYS`` with a value.

    :raise Aarch64Exception: see :func:`find`.
    """
    find(cpu, key, rt, write=True).write(cpu, value)


def load() -> None:
    """Enter all registers, once."""
    if REGISTERS:
        return
    for module in MODULES:
        importlib.import_module(f"pyqemu.targets.aarch64.{module}").define_all()
