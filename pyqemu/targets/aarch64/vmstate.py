"""The saved state of the processor, in QEMU's layout.

:class:`SavedCpu` shows an :class:`~pyqemu.targets.aarch64.state.Aarch64Cpu` as QEMU's fields. What this processor does
not have (registers of AArch32's higher modes, pending errors) is kept as it was loaded, and goes on with the machine;
of one that began here it is as after a reset (:mod:`~pyqemu.targets.aarch64.vmstate_absent`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pyqemu.qom.vmstate import LoadError, Values, VMState
from pyqemu.targets.aarch64 import sysregs, vmstate_aarch32
from pyqemu.targets.aarch64.delivery import MODES_OF_EL1
from pyqemu.targets.aarch64.layout import M64
from pyqemu.targets.aarch64.vmstate_absent import absent_registers
from pyqemu.targets.aarch64.vmstate_registers import check, saved_registers
from pyqemu.targets.arm.modes import USR
from pyqemu.targets.arm.vmstate_layout import (
    COMMON_ORDER,
    CPU_ORDER,
    FIELDS,
    VFP_FPEXC,
    VFP_MVFR0,
    VFP_MVFR1,
    VFP_MVFR2,
    CommonState,
    subsections,
)

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

SPSR_BANKS = {1: 1, 2: 6, 3: 7}  #: places of SPSR_ELx among AArch32's banks
ABORT, UNDEFINED, INTERRUPT, FAST_INTERRUPT = 2, 3, 4, 5  #: of AArch32's own
MODE_SP, MODE_RESERVED, MODE_32 = 1, 2, 16  #: the lowest bits of PSTATE
PMCR, PMCR_COMMANDS = "PMCR_EL0", 6


def _check(saved: SavedCpu, values: Values) -> None:
    """What no processor can be in.

    :raise LoadError: for a reason that its text tells.
    """
    mode = values["pstate"] & 31
    level, cpu = mode >> 2, saved.cpu
    if mode & MODE_32:
        exists = mode == USR or (mode in MODES_OF_EL1 and (cpu.has_el2 or cpu.has_el3))
    else:
        exists = (True, True, cpu.has_el2, cpu.has_el3)[level] and not mode & MODE_RESERVED and mode != MODE_SP
    if not exists:
        raise LoadError(f"cpsr: {values['pstate']:#x} is no state that this processor can be in")
    indexes = values["indexes"]
    if any(first >= second for first, second in pairwise(indexes)):
        raise LoadError("cpreg_vmstate_indexes: expected identifiers in ascending order")
    check(cpu, saved.registers, dict(zip(indexes, values["values"], strict=True)))


class SavedCpu:
    """The section ``cpu``.

    :param peripherals: where QEMU's processors of that board have their private memory region
    """

    vmstate = VMState(
        "cpu",
        version=22,
        fields=FIELDS,
        subsections=subsections(lambda _: True),
        pre_save=lambda saved: saved.collect(),
        check=_check,
        post_load=lambda saved: saved.deliver(),
    )

    def __init__(self, cpu: Aarch64Cpu, *, peripherals: int = 0) -> None:
        self.cpu = cpu
        self.registers = saved_registers(cpu)
        self.absent = absent_registers(cpu, peripherals)
        self.reset()

    def reset(self) -> None:
        """Forget what was kept."""
        self.kept: dict[int, int] = {}
        self.regs, self.spsr = [0] * 16, 0
        self.banked_spsr, self.banked_r13, self.banked_r14 = [0] * 8, [0] * 8, [0] * 8
        self.usr_regs, self.fiq_regs = [0] * 5, [0] * 5
        self.elr_el = [0] * 4
        self.syndrome = self.fsr = self.vaddress = 0
        self.teecr = self.teehbr = self.serror_pending = self.serror_has_esr = self.serror_esr = 0
        self.fpsid, self.vfp = 0, [0] * 14
        self.physical_timer, self.virtual_timer = self.cpu.timer.timers[:2]
        self.collect()

    # -- before saving

    def collect(self) -> None:
        """Fill the fields from the processor."""
        cpu = self.cpu
        self.xregs = [*(cpu.x[number] for number in range(31)), cpu.sp]
        self.pc, self.pstate = cpu.pc, cpu.pstate
        if cpu.is_aarch32:
            cpu.aarch32.show_system_registers()
            vmstate_aarch32.collect(self, cpu.aarch32)
        self.elr_el[1:] = [cpu.elr(el) for el in (1, 2, 3)]
        self.sp_el = [cpu.banked_sp(el) for el in range(4)]
        for el, bank in SPSR_BANKS.items():
            self.banked_spsr[bank] = cpu.spsr(el)
        state = cpu.sys
        self.banked_spsr[ABORT], self.banked_spsr[UNDEFINED] = state.spsr_abt, state.spsr_und
        self.banked_spsr[INTERRUPT], self.banked_spsr[FAST_INTERRUPT] = state.spsr_irq, state.spsr_fiq
        self.exclusive_addr, self.exclusive_val = cpu.exclusive_address, cpu.exclusive_value
        self.exclusive_high = cpu.exclusive_high
        self.irq_line_state = CommonState.to_qemu(cpu.interrupt_request)
        self.powered_off = int(cpu.powered_off)
        self._collect_registers()
        self._collect_vectors()

    def _collect_registers(self) -> None:
        listed = {number: read(self.cpu) for number, read in self.absent.items()} | self.kept
        for number, register in self.registers.items():
            value = register.read(self.cpu) & M64
            if register.at_reset is None or value != register.at_reset:
                listed[number] = value
        self.indexes = sorted(listed)
        self.values = [listed[number] for number in self.indexes]
        self.count = len(self.indexes)

    def _collect_vectors(self) -> None:
        cpu = self.cpu
        for number in range(32):
            value = cpu.v[number]
            setattr(self, f"v{number}", [value & M64, value >> 64])
        mvfr = cpu.model.mvfr
        self.vfp[VFP_MVFR2], self.vfp[VFP_MVFR1], self.vfp[VFP_MVFR0] = mvfr[2], mvfr[1], mvfr[0]
        self.vfp[VFP_FPEXC] = cpu.sys.fpexc32_el2
        self.fpscr = cpu.aarch32.fpscr if cpu.is_aarch32 else cpu.fpcr | cpu.fpsr

    # -- after loading

    def deliver(self) -> None:
        """Put the fields into the processor, and derive the rest."""
        cpu = self.cpu
        for number in range(31):
            cpu.x[number] = self.xregs[number]
        cpu.pc = self.pc
        cpu.powered_off = bool(self.powered_off)
        if self.pstate & MODE_32:
            vmstate_aarch32.deliver(self, cpu.q)
            cpu.pc = self.regs[vmstate_aarch32.PC]
        self._deliver_registers()
        self._deliver_saved_status()
        cpu.set_pstate(self.pstate)
        for el, value in enumerate(self.sp_el):
            cpu.set_banked_sp(el, value)
        if not cpu.is_aarch32:
            cpu.sp = self.xregs[31]
        cpu.exclusive_address, cpu.exclusive_value = self.exclusive_addr, self.exclusive_val
        cpu.exclusive_high = self.exclusive_high
        self._deliver_vectors()
        cpu.translation_changed()

    def _deliver_saved_status(self) -> None:
        cpu, state = self.cpu, self.cpu.sys
        for el, bank in SPSR_BANKS.items():
            cpu.set_elr(el, self.elr_el[el])
            cpu.set_spsr(el, self.banked_spsr[bank])
        state.spsr_abt, state.spsr_und = self.banked_spsr[ABORT], self.banked_spsr[UNDEFINED]
        state.spsr_irq, state.spsr_fiq = self.banked_spsr[INTERRUPT], self.banked_spsr[FAST_INTERRUPT]
        state.fpexc32_el2 = self.vfp[VFP_FPEXC]

    def _deliver_vectors(self) -> None:
        cpu = self.cpu
        for number in range(32):
            low, high = getattr(self, f"v{number}")
            cpu.v[number] = low | high << 64
        if cpu.is_aarch32:
            cpu.aarch32.set_fpscr(self.fpscr)
        else:
            cpu.set_fpcr(self.fpscr)
            cpu.set_fpsr(self.fpscr)

    def _deliver_registers(self) -> None:
        """The cycle counter goes on from its value once it is known whether it runs."""
        cpu = self.cpu
        given = dict(zip(self.indexes[: self.count], self.values[: self.count], strict=True))
        self.kept = {number: value for number, value in given.items() if number not in self.registers}
        cycles: int | None = None
        for number, value in given.items():
            register = self.registers.get(number)
            if register is None or register.store is None:
                continue
            if register.name == "PMCCNTR_EL0":
                cycles = value
            else:
                register.store(cpu, value & ~PMCR_COMMANDS if register.name == PMCR else value)
        sysregs.BY_NAME[PMCR].write(cpu, cpu.sys.pmcr_el0)
        if cycles is not None:
            cpu.cycle_counter.set(cycles)
        for number in range(4):
            cpu.timer.resume(number)


__all__ = ["COMMON_ORDER", "CPU_ORDER", "CommonState", "SavedCpu"]
