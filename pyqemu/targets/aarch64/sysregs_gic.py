"""The CPU interface of a GICv3 as system registers (IHI 0069A, 8.2 to 8.4). What they do is the controller's business.

The guest of a hypervisor that takes interrupts itself gets the virtual interface under the same names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyqemu.targets.aarch64.sysregs import NEVER, Read, Trap, Write, constant, define

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

SRE = 7  #: the interface is that of system registers, and nothing goes past it
HCR_FMO, HCR_IMO = 1 << 3, 1 << 4
SCR_IRQ, SCR_FIQ = 1 << 1, 1 << 2
TRAP_COMMON, TRAP_GROUP0, TRAP_GROUP1, TRAP_DIR = 1 << 10, 1 << 11, 1 << 12, 1 << 14  #: of ICH_HCR_EL2
LIST_REGISTERS = 4

Check = Callable[["Aarch64Cpu", bool], None]


def _hypervisor_takes(cpu: Aarch64Cpu, bits: int) -> bool:
    """Whether it is a guest's, and interrupts go to its hypervisor."""
    return cpu.el == 1 and cpu.el2_enabled and bool(cpu.sys.hcr_el2 & bits)


def _interface(cpu: Aarch64Cpu, bits: int) -> Any:
    return cpu.gic.virtual if _hypervisor_takes(cpu, bits) else cpu.gic


def _read(name: str, *arguments: Any, bits: int = 0) -> Read:
    def read(cpu: Aarch64Cpu) -> int:
        method: Callable[..., int] = getattr(_interface(cpu, bits), f"read_{name}")
        return method(*arguments)

    return read


def _write(name: str, *arguments: Any, bits: int = 0) -> Write:
    def write(cpu: Aarch64Cpu, value: int) -> None:
        getattr(_interface(cpu, bits), f"write_{name}")(*arguments, value)

    return write


def _virtual(name: str, *arguments: Any) -> tuple[Read, Write]:
    """Accesses of the hypervisor to its own registers."""

    def read(cpu: Aarch64Cpu) -> int:
        method: Callable[..., int] = getattr(cpu.gic.virtual, f"read_{name}")
        return method(*arguments)

    def write(cpu: Aarch64Cpu, value: int) -> None:
        getattr(cpu.gic.virtual, f"write_{name}")(*arguments, value)

    return read, write


def _nothing(cpu: Aarch64Cpu, value: int) -> None:
    """SRE bits cannot be changed here."""


def _check(scr: int, hcr: int, virtual: int = 0, *, sends: bool = False) -> Check:
    """Who takes accesses: a hypervisor those of its guest, EL3 those of interrupts that it takes (8.2.5, 8.4.2).

    :param scr: the bits of SCR_EL3 that all have to be set
    :param hcr: those of HCR_EL2 of which one sends the access to the virtual interface
    :param virtual: those of ICH_HCR_EL2 of which one traps an access to that
    :param sends: whether it sends interrupts, which no guest does by itself
    """

    def check(cpu: Aarch64Cpu, is_write: bool) -> None:
        if _hypervisor_takes(cpu, hcr):
            if sends or cpu.gic.virtual.read_ich_hcr() & virtual:
                raise Trap(2)
        elif cpu.has_el3 and cpu.el < 3 and cpu.sys.scr_el3 & scr == scr:
            raise Trap(3)

    return check


_COMMON = _check(SCR_IRQ | SCR_FIQ, HCR_IMO | HCR_FMO, TRAP_COMMON)
_DIR = _check(SCR_IRQ | SCR_FIQ, HCR_IMO | HCR_FMO, TRAP_COMMON | TRAP_DIR)
_SENDING = _check(SCR_IRQ | SCR_FIQ, HCR_IMO | HCR_FMO, sends=True)
_OF_GROUP = (_check(SCR_FIQ, HCR_FMO, TRAP_GROUP0), _check(SCR_IRQ, HCR_IMO, TRAP_GROUP1))
_BITS = (HCR_FMO, HCR_IMO)
_BOTH = HCR_IMO | HCR_FMO


def _common() -> None:
    constant("ICC_RPR_EL1", (3, 0, 12, 11, 3), _read("rpr", bits=_BOTH), check=_COMMON)
    define("ICC_DIR_EL1", (3, 0, 12, 11, 1), read_el=NEVER, write=_write("dir", bits=_BOTH), check=_DIR)
    for number, name in ((5, "SGI1R"), (6, "ASGI1R"), (7, "SGI0R")):
        define(f"ICC_{name}_EL1", (3, 0, 12, 11, number), read_el=NEVER, write=_write(name.lower()), check=_SENDING)
    define("ICC_PMR_EL1", (3, 0, 4, 6, 0), read=_read("pmr", bits=_BOTH), write=_write("pmr", bits=_BOTH),
           check=_COMMON)  # fmt: skip
    define("ICC_CTLR_EL1", (3, 0, 12, 12, 4), read=_read("ctlr", bits=_BOTH), write=_write("ctlr", bits=_BOTH),
           check=_COMMON)  # fmt: skip
    define("ICC_CTLR_EL3", (3, 6, 12, 12, 4), el=3, read=_read("ctlr_el3"), write=_write("ctlr_el3"))
    define("ICC_IGRPEN1_EL3", (3, 6, 12, 12, 7), el=3, read=_read("igrpen1_el3"), write=_write("igrpen1_el3"))
    for el, op1, crm in ((1, 0, 12), (2, 4, 9), (3, 6, 12)):
        define(f"ICC_SRE_EL{el}", (3, op1, 12, crm, 5), el=el, read=lambda cpu: SRE, write=_nothing)


def _of_group(group: int, crm: int) -> None:
    one, bits, check = bool(group), _BITS[group], _OF_GROUP[group]
    constant(f"ICC_IAR{group}_EL1", (3, 0, 12, crm, 0), _read(f"iar{group}", bits=bits), check=check)
    constant(f"ICC_HPPIR{group}_EL1", (3, 0, 12, crm, 2), _read(f"hppir{group}", bits=bits), check=check)
    define(f"ICC_EOIR{group}_EL1", (3, 0, 12, crm, 1), read_el=NEVER, write=_write(f"eoir{group}", bits=bits),
           check=check)  # fmt: skip
    define(f"ICC_BPR{group}_EL1", (3, 0, 12, crm, 3), read=_read("bpr", one, bits=bits),
           write=_write("bpr", one, bits=bits), check=check)  # fmt: skip
    define(f"ICC_IGRPEN{group}_EL1", (3, 0, 12, 12, 6 + group), read=_read("igrpen", one, bits=bits),
           write=_write("igrpen", one, bits=bits), check=check)  # fmt: skip
    for number in range(4):
        place = (9, number) if one else (8, 4 + number)
        define(f"ICC_AP{group}R{number}_EL1", (3, 0, 12, *place), read=_read("apr", one, number, bits=bits),
               write=_write("apr", one, number, bits=bits), check=check)  # fmt: skip


def _of_hypervisor() -> None:
    for group in (0, 1):
        for number in range(4):
            read, write = _virtual("apr", bool(group), number)
            define(f"ICH_AP{group}R{number}_EL2", (3, 4, 12, 8 + group, number), el=2, read=read, write=write)
    for op2, name, method in ((0, "HCR", "ich_hcr"), (7, "VMCR", "vmcr")):
        read, write = _virtual(method)
        define(f"ICH_{name}_EL2", (3, 4, 12, 11, op2), el=2, read=read, write=write)
    for op2, name in ((1, "VTR"), (2, "MISR"), (3, "EISR"), (5, "ELRSR")):
        constant(f"ICH_{name}_EL2", (3, 4, 12, 11, op2), _virtual(name.lower())[0], el=2)
    for number in range(LIST_REGISTERS):
        read, write = _virtual("lr", number)
        define(f"ICH_LR{number}_EL2", (3, 4, 12, 12, number), el=2, read=read, write=write)


def define_all() -> None:
    """Enter them."""
    _common()
    _of_group(0, 8)
    _of_group(1, 12)
    _of_hypervisor()
