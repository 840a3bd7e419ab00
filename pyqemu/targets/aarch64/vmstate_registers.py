"""The system registers in the saved state: a list of identifiers and values, as QEMU and KVM have it.

An identifier is that of KVM's interface for single registers (Linux, ``Documentation/virt/kvm/api.rst``,
KVM_GET_ONE_REG): architecture, size, and the five numbers that an instruction names the register by.

Registers that can be written are saved as they are stored, without the bits that always read as one. Those that tell
what the processor is are in the list, too: whoever loads it sees whether its own is the same. What this processor does
not have and QEMU's has (registers of the AArch32 state, of exception levels that are absent, of one implementation) is
kept as it was loaded, and goes on with the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.qom.vmstate import LoadError
from pyqemu.targets.aarch64 import sysregs
from pyqemu.targets.aarch64.sysregs import Key, SystemRegister
from pyqemu.targets.arm.generic_timer import ENABLE, HYPERVISOR, IMASK, M64, PHYSICAL, SECURE, VIRTUAL
from pyqemu.targets.arm.system_state import NAMES

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

Values = dict[int, int]
Get = Callable[["Aarch64Cpu"], int]
Set = Callable[["Aarch64Cpu", int], None]

ARM64_U64 = 0x6030 << 48
SYSTEM_REGISTERS = 0x13 << 16  #: the group, among others of general and floating-point registers
ARM32_U32, ARM32_U64 = 0x4020 << 48, 0x4030 << 48
CP15 = 1 << 29 | 15 << 16  #: not banked for the secure state
KINDS_KEPT = (ARM32_U32, ARM32_U64)
IMPLEMENTATION_DEFINED, TIMERS_AND_COUNTERS = (11, 15), 14  #: CRn

CYCLES = 1 << 31
ATTRIBUTES = {
    "DBGCLAIMCLR_EL1": ("dbgclaim", 0xFF), "OSLSR_EL1": ("oslsr_el1", 10), "PMCNTENSET_EL0": ("pmcnten", CYCLES),
    "PMINTENSET_EL1": ("pminten", CYCLES), "PMOVSSET_EL0": ("pmovs", CYCLES),
}  # fmt: skip
"""Registers that are not written by their own names: their storage, and its bits."""
BY_ACCESS = frozenset(("TPIDR_EL0", "TPIDR_EL1", "FPCR", "FPSR", "CNTVOFF_EL2", "PMCCNTR_EL0", "PMCR_EL0"))
"""Registers that are read and written as the guest does it."""
QEMU_LACKS = frozenset(("MDCCINT_EL1", "DBGCLAIMCLR_EL1"))
HCD, HCE, SCR_ONES = 1 << 29, 1 << 8, 0x30  #: of HCR_EL2 and SCR_EL3, and what always reads as one in the latter
IN_FIELDS = frozenset(("SPSR_irq", "SPSR_abt", "SPSR_und", "SPSR_fiq", "FPEXC32_EL2"))
"""Registers of AArch32 state that EL2 sees: fields of their own have them."""
OF_AARCH32 = frozenset(("DACR32_EL2", "IFSR32_EL2"))
"""Likewise, but in the list, whether or not there is an EL2."""
STORAGE = frozenset(NAMES.split())
DEBUG_REGISTERS = frozenset(("DBGBVR", "DBGBCR", "DBGWVR", "DBGWCR"))
TIMER_PARTS = {"CTL_": "control", "CVAL": "compare"}
TIMERS = {"CNTP": PHYSICAL, "CNTV": VIRTUAL, "CNTHP": HYPERVISOR, "CNTPS": SECURE}
OTHER_IDENTIFIERS = {
    "PAR_EL1": ARM32_U64 | CP15 | 7 << 7,
    "PMOVSSET_EL0": ARM32_U32 | CP15 | 9 << 11 | 12 << 7 | 3,
    "PMUSERENR_EL0": ARM32_U32 | CP15 | 9 << 11 | 14 << 7,
}
"""Those that QEMU has in the list under their AArch32 names alone."""
IDENTIFICATION = frozenset(("MVFR0_EL1", "MVFR1_EL1", "MVFR2_EL1", "CTR_EL0", "CLIDR_EL1", "REVIDR_EL1", "AIDR_EL1"))
NOT_IN_LIST = frozenset(("ID_PFR1_EL1", "ID_AA64PFR0_EL1", "ID_DFR0_EL1", "ID_AA64DFR0_EL1"))
"""Two depend on the interrupt controller, the others on whether a version of QEMU has performance monitors."""


@dataclass(frozen=True)
class Saved:
    """A register in the list.

    :ivar at_reset: what it is after a reset if it is only saved when it is something else; QEMU refuses registers that
        it does not have
    :ivar store: takes what is loaded, but for bits that the register does not have; None: it is constant
    """

    name: str
    read: Get
    store: Set | None
    at_reset: int | None = None


def identifier(key: Key) -> int:
    """The identifier of an AArch64 system register."""
    op0, op1, crn, crm, op2 = key
    return ARM64_U64 | SYSTEM_REGISTERS | op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2


def key_of(number: int) -> Key | None:
    """The register of an identifier; None: it is none of AArch64 state."""
    if number & ~0xFFFF != ARM64_U64 | SYSTEM_REGISTERS:
        return None
    return number >> 14 & 3, number >> 11 & 7, number >> 7 & 15, number >> 3 & 15, number & 7


def _of_state(name: str) -> Get:
    return lambda cpu: getattr(cpu.sys, name)


def _set_bits(name: str, mask: int) -> Set:
    return lambda cpu, value: setattr(cpu.sys, name, value & mask)


def _of_timer(number: int, part: str) -> tuple[Get, Set]:
    """Lines follow when all is known."""
    is_control = part == "control"
    mask = ENABLE | IMASK if is_control else M64

    def read(cpu: Aarch64Cpu) -> int:
        return cpu.timer.saved_control(number) if is_control else cpu.timer.compare[number]

    def store(cpu: Aarch64Cpu, value: int) -> None:
        getattr(cpu.timer, part)[number] = value & mask

    return read, store


def _hypervisor_calls(cpu: Aarch64Cpu, register: SystemRegister) -> Saved:
    """HCR_EL2 and SCR_EL3, each with a bit that is reserved with some exception levels: QEMU refuses it then."""
    if register.name == "HCR_EL2":
        ones, reserved = 0, HCD if cpu.has_el3 else 0
    else:
        ones, reserved = SCR_ONES, 0 if cpu.has_el2 else HCE
    mask = ~(ones | reserved)
    read, write = _of_state(register.name.lower()), register.write
    return Saved(register.name, lambda cpu: read(cpu) & mask | ones, lambda cpu, value: write(cpu, value & mask))


def _place(cpu: Aarch64Cpu, register: SystemRegister) -> Saved | None:
    """How a register is saved; None: it is not, being another view of what is saved elsewhere."""
    name = register.name
    if name in IN_FIELDS:
        return None
    if name in ("HCR_EL2", "SCR_EL3"):
        return _hypervisor_calls(cpu, register)
    if name in BY_ACCESS:
        return Saved(name, register.read, register.write)
    constant = register.write_el == sysregs.NEVER
    if constant and (name.startswith(("ID_", "S3_0_C0_")) or name in IDENTIFICATION) and name not in NOT_IN_LIST:
        return Saved(name, register.read, None)
    at_reset = 0 if name in QEMU_LACKS else None
    if name in ATTRIBUTES:
        attribute, mask = ATTRIBUTES[name]
        return Saved(name, _of_state(attribute), _set_bits(attribute, mask), at_reset)
    if name.lower() in STORAGE and not constant:
        return Saved(name, _of_state(name.lower()), register.write, at_reset)
    if name[:6] in DEBUG_REGISTERS:
        number = int(name[6:].partition("_")[0])
        last = cpu.model.aa64dfr0 >> (12 if name[3] == "B" else 20) & 15
        return Saved(name, register.read, register.write, at_reset=0 if number > last else None)
    timer, _, rest = name.partition("_")
    part = TIMER_PARTS.get(rest[:4])
    return Saved(name, *_of_timer(TIMERS[timer], part)) if timer in TIMERS and part is not None else None


def saved_registers(cpu: Aarch64Cpu) -> dict[int, Saved]:
    """All registers of a processor that are in the list, by their identifiers."""
    sysregs.load()
    found: dict[int, Saved] = {}
    for key, register in sysregs.REGISTERS.items():
        if (register.name in OF_AARCH32 or cpu.has(register)) and (saved := _place(cpu, register)) is not None:
            found[OTHER_IDENTIFIERS.get(register.name, identifier(key))] = saved
    return dict(sorted(found.items()))


def is_kept(number: int) -> bool:
    """Whether a register that is not here goes on with the machine."""
    if number & 0xFFFF << 48 in KINDS_KEPT:
        return True
    key = key_of(number)
    if key is None:
        return False
    _, _, crn, crm, _ = key
    return crn in IMPLEMENTATION_DEFINED or (crn == TIMERS_AND_COUNTERS and crm >= 8) or key in sysregs.REGISTERS


def title(number: int) -> str:
    """How to call a register in messages."""
    key = key_of(number)
    if key is None:
        return f"{number:#x}"
    known = sysregs.REGISTERS.get(key)
    op0, op1, crn, crm, op2 = key
    return known.name if known is not None else f"S{op0}_{op1}_C{crn}_C{crm}_{op2}"


def check(cpu: Aarch64Cpu, saved: dict[int, Saved], values: Values) -> None:
    """Whether a list can be loaded.

    :raise LoadError: it has a register that this processor lacks, or one that tells of another processor.
    """
    for number, value in values.items():
        register = saved.get(number)
        if register is None:
            if not is_kept(number):
                raise LoadError(f"cpreg_vmstate_indexes: system register {title(number)} does not exist here")
        elif register.store is None and value != (own := register.read(cpu)):
            hint = "the other side's processor is another one: -cpu"
            raise LoadError(f"system register {register.name}: expected {own:#x}, found {value:#x} ({hint})")
