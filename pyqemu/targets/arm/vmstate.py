"""The saved state of a 32-bit processor, in QEMU's layout (`vmstate_layout.py`).

Registers of coprocessors 14 and 15 are a list of identifiers and values (`vmstate_registers.py`). What this processor
does not have (registers of the Secure state, of AArch64's) is kept as it was loaded, and goes on with the machine; of a
machine that began here it is as after a reset (`vmstate_absent.py`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from pyqemu.qom.vmstate import LoadError, Values, VMState
from pyqemu.targets.arm import modes
from pyqemu.targets.arm.extension import quad
from pyqemu.targets.arm.layout import M64
from pyqemu.targets.arm.modes import ABT, BANK, FIQ, HYP, IRQ, MON, SVC, UND, USR
from pyqemu.targets.arm.vmstate_absent import absent_registers
from pyqemu.targets.arm.vmstate_layout import (
    COMMON_ORDER,
    CPU_ORDER,
    FIELDS,
    VFP_FPEXC,
    VFP_FPINST,
    VFP_FPINST2,
    VFP_MVFR0,
    VFP_MVFR1,
    VFP_MVFR2,
    CommonState,
    subsections,
)
from pyqemu.targets.arm.vmstate_registers import saved_registers

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

BANK_ORDER = (USR, SVC, ABT, UND, IRQ, FIQ, HYP, MON)
"""Modes by their banks' places in QEMU's state."""
BANKED_FOR_FIQ = range(8, 13)  #: registers that FIQ mode alone has for itself; those before are never banked
KNOWN_MODES = frozenset((*modes.NAMES,))
MODE_32 = 0x10
QUADS = 16
CYCLES = "PMCCNTR"


class Registers(Protocol):
    """The fields of AArch32 state's general registers."""

    regs: list[int]
    banked_r13: list[int]
    banked_r14: list[int]
    usr_regs: list[int]
    fiq_regs: list[int]


def collect_registers(saved: Registers, cpu: ArmCpu) -> None:
    """Fill the fields of general registers: those of all modes, in use or not."""
    saved.regs = [*(cpu.r[number] for number in range(15)), cpu.pc]
    saved.banked_r13 = [_register(cpu, 13, mode) for mode in BANK_ORDER]
    saved.banked_r14 = [0 if mode == HYP else _register(cpu, 14, mode) for mode in BANK_ORDER]
    saved.usr_regs = [_register(cpu, number, USR) for number in BANKED_FOR_FIQ]
    saved.fiq_regs = [_register(cpu, number, FIQ) for number in BANKED_FOR_FIQ]


def _register(cpu: ArmCpu, number: int, mode: int) -> int:
    """A register of a mode, wherever it is now."""
    slot = modes.banked(number, mode)
    assert slot is not None
    return cpu.r[number] if slot == modes.banked(number, cpu.cpu_mode) else int(cpu.q[slot >> 3])


def _check(saved: SavedCpu, values: Values) -> None:
    """What no processor can be in.

    :raise LoadError: for a reason that its text tells.
    """
    mode, cpu = values["pstate"] & 0x1F, saved.cpu
    if not mode & MODE_32 or mode not in KNOWN_MODES or mode == HYP or (mode == MON and not cpu.has_el3):
        raise LoadError(f"cpsr: {values['pstate']:#x} is no state that this processor can be in")
    indexes = values["indexes"]
    if any(first >= second for first, second in pairwise(indexes)):
        raise LoadError("cpreg_vmstate_indexes: expected identifiers in ascending order")
    for number, value in zip(indexes, values["values"], strict=True):
        register = saved.registers.get(number)
        if register is not None and register.store is None and value != (own := register.read(cpu)):
            hint = "the other side's processor is another one: -cpu"
            raise LoadError(f"register {register.name}: expected {own:#x}, found {value:#x} ({hint})")


class SavedCpu:
    """The section ``cpu``.

    :param has_pmu: whether QEMU's board has the performance monitors
    """

    vmstate = VMState(
        "cpu",
        version=22,
        fields=FIELDS,
        subsections=subsections(lambda saved: bool(saved.cpu.model.fpsid), lambda saved: saved.cpu.model.has("v7")),
        pre_save=lambda saved: saved.collect(),
        check=_check,
        post_load=lambda saved: saved.deliver(),
    )

    def __init__(self, cpu: ArmCpu, *, has_pmu: bool = True) -> None:
        self.cpu = cpu
        self.registers = saved_registers(cpu)
        self.absent = absent_registers(cpu, has_pmu=has_pmu)
        self.reset()

    def reset(self) -> None:
        """Forget what was kept."""
        self.regs, self.banked_r13, self.banked_r14 = [0] * 16, [0] * 8, [0] * 8
        self.usr_regs, self.fiq_regs = [0] * 5, [0] * 5
        self.kept: dict[int, int] = {}
        self.xregs, self.pc = [0] * 32, 0
        self.elr_el, self.sp_el = [0] * 4, [0] * 4
        self.syndrome = self.fsr = self.vaddress = 0
        self.exclusive_high = 0
        self.teecr = self.teehbr = self.serror_pending = self.serror_has_esr = self.serror_esr = 0
        self.fpsid, self.vfp = self.cpu.model.fpsid, [0] * 14
        for number in range(32):
            setattr(self, f"v{number}", [0, 0])
        self.physical_timer, self.virtual_timer = self.cpu.timer.timers[:2]
        self.collect()

    # -- before saving

    def collect(self) -> None:
        """Fill the fields from the processor."""
        cpu = self.cpu
        self.pstate, self.spsr = cpu.cpsr, cpu.spsr
        self._collect_banks()
        self.exclusive_addr, self.exclusive_val = cpu.exclusive_address, cpu.exclusive_value
        self.irq_line_state = CommonState.to_qemu(cpu.interrupt_request)
        self.powered_off = int(cpu.powered_off)
        listed = {number: read(cpu) for number, read in self.absent.items()} | self.kept
        for number, register in self.registers.items():
            listed[number] = register.read(cpu) & M64
        self.indexes = sorted(listed)
        self.values = [listed[number] for number in self.indexes]
        self.count = len(self.indexes)
        self._collect_vectors()

    def _collect_banks(self) -> None:
        """All modes' registers; a bank that is in use has what is in use."""
        cpu, present = self.cpu, BANK[self.cpu.cpu_mode]
        collect_registers(self, cpu)
        self.banked_spsr = [
            cpu.spsr if BANK[mode] == present else cpu.q[cpu.spsr_slot(mode) >> 3] for mode in BANK_ORDER
        ]
        self.elr_el[2] = cpu.q[modes.ELR_HYP >> 3]

    def _collect_vectors(self) -> None:
        cpu = self.cpu
        for number in range(QUADS):
            value = cpu.v[quad(number)]
            setattr(self, f"v{number}", [value & M64, value >> 64])
        for place, value in zip((VFP_MVFR0, VFP_MVFR1, VFP_MVFR2), cpu.model.mvfr, strict=True):
            self.vfp[place] = value
        self.vfp[VFP_FPEXC], self.vfp[VFP_FPINST], self.vfp[VFP_FPINST2] = cpu.fpexc, cpu.fpinst, cpu.fpinst2
        self.fpscr = cpu.fpscr

    # -- after loading

    def deliver(self) -> None:
        """Put the fields into the processor, and derive the rest."""
        cpu = self.cpu
        cpu.set_cpsr(self.pstate)
        self._deliver_banks()
        for number in range(15):
            cpu.r[number] = self.regs[number]
        cpu.pc, cpu.spsr = self.regs[15], self.spsr
        cpu.powered_off = bool(self.powered_off)
        cpu.exclusive_address, cpu.exclusive_value = self.exclusive_addr, self.exclusive_val
        for number in range(QUADS):
            low, high = getattr(self, f"v{number}")
            cpu.v[quad(number)] = low | high << 64
        self._deliver_registers()
        cpu.fpinst, cpu.fpinst2 = self.vfp[VFP_FPINST], self.vfp[VFP_FPINST2]
        cpu.set_fpexc(self.vfp[VFP_FPEXC])
        cpu.set_fpscr(self.fpscr)
        cpu.translation_changed()

    def _deliver_banks(self) -> None:
        cpu = self.cpu
        for place, mode in enumerate(BANK_ORDER):
            for number, values in ((13, self.banked_r13), (14, self.banked_r14)):
                if number == 13 or mode != HYP:  # which has R14 of User mode
                    self._set_slot(number, mode, values[place])
            cpu.q[cpu.spsr_slot(mode) >> 3] = self.banked_spsr[place]
        for number, of_user, of_fiq in zip(BANKED_FOR_FIQ, self.usr_regs, self.fiq_regs, strict=True):
            self._set_slot(number, USR, of_user)
            self._set_slot(number, FIQ, of_fiq)
        cpu.q[modes.ELR_HYP >> 3] = self.elr_el[2]

    def _set_slot(self, number: int, mode: int, value: int) -> None:
        slot = modes.banked(number, mode)
        assert slot is not None
        self.cpu.q[slot >> 3] = value

    def _deliver_registers(self) -> None:
        """The cycle counter goes on from its value once it is known whether it runs."""
        cpu = self.cpu
        given = dict(zip(self.indexes[: self.count], self.values[: self.count], strict=True))
        self.kept = {number: value for number, value in given.items() if number not in self.registers}
        late = []
        for number, value in given.items():
            register = self.registers.get(number)
            if register is None or register.store is None:
                continue
            if register.name == CYCLES:
                late.append((register.store, value))
            else:
                register.store(cpu, value)
        for store, value in late:
            store(cpu, value)
        for number in range(4):
            cpu.timer.resume(number)


__all__ = ["COMMON_ORDER", "CPU_ORDER", "CommonState", "SavedCpu"]
