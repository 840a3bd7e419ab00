"""The saved state of the processor, in QEMU's layout.

:class:`SavedCpu` shows an :class:`~pyqemu.targets.aarch64.state.Aarch64Cpu` as QEMU's fields. What this processor does
not have (the AArch32 state's registers, pending errors) is kept as it was loaded, and goes on with the machine.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pyqemu.qom.vmstate import I32, U8, U32, U64, Array, Field, LoadError, Timer64, Unused, Values, VMState
from pyqemu.targets.aarch64 import sysregs
from pyqemu.targets.aarch64.layout import FIQ, IRQ, M64, VFIQ, VIRQ
from pyqemu.targets.aarch64.vmstate_registers import check, saved_registers

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

COMMON_ORDER, CPU_ORDER = 4, 5
"""After interrupt controllers (:class:`pyqemu.migration.state.machine.SavedState`): timers drive them once more."""

MAX_REGISTERS = 1024
SPSR_BANKS = {1: 1, 2: 6, 3: 7}  #: places of SPSR_ELx among AArch32's banks
ABORT, UNDEFINED, INTERRUPT, FAST_INTERRUPT = 2, 3, 4, 5  #: of AArch32's own
MODE_SP, MODE_RESERVED, MODE_32 = 1, 2, 16  #: the lowest bits of PSTATE
VFP_MVFR2, VFP_MVFR1, VFP_MVFR0, VFP_FPEXC = 3, 4, 5, 6  #: places in xregs, which begin with the third
PMCR, PMCR_COMMANDS = "PMCR_EL0", 6

# (ours, QEMU's) requests
_REQUESTS = ((IRQ, 0x02), (FIQ, 0x10), (VIRQ, 0x40), (VFIQ, 0x200))


class _Pstate(U32):
    kind = "cpsr"


class _Fpscr(U32):
    kind = "fpscr"


class _PoweredOff(U8):
    kind = "powered_off"


class _Count(I32):
    kind = "int32 le"


# fmt: off
_FIELDS: tuple[Field, ...] = (
    Array("regs", U32, 16, wire="env.regs"), Array("xregs", U64, 32, wire="env.xregs"), U64("pc", wire="env.pc"),
    _Pstate("pstate", wire="cpsr"), U32("spsr", wire="env.spsr"),
    Array("banked_spsr", U64, 8, wire="env.banked_spsr"), Array("banked_r13", U32, 8, wire="env.banked_r13"),
    Array("banked_r14", U32, 8, wire="env.banked_r14"), Array("usr_regs", U32, 5, wire="env.usr_regs"),
    Array("fiq_regs", U32, 5, wire="env.fiq_regs"), Array("elr_el", U64, 4, wire="env.elr_el"),
    Array("sp_el", U64, 4, wire="env.sp_el"),
    _Count("count", wire="cpreg_vmstate_array_len", minimum=0, maximum=MAX_REGISTERS),
    Array("indexes", U64, MAX_REGISTERS, wire="cpreg_vmstate_indexes", count="count"),
    Array("values", U64, MAX_REGISTERS, wire="cpreg_vmstate_values", count="count"),
    U64("exclusive_addr", wire="env.exclusive_addr"), U64("exclusive_val", wire="env.exclusive_val"),
    U64("exclusive_high", wire="env.exclusive_high"), Unused(8),
    U32("syndrome", wire="env.exception.syndrome"), U32("fsr", wire="env.exception.fsr"),
    U64("vaddress", wire="env.exception.vaddress"),
    Timer64("physical_timer", wire="gt_timer[0]"), Timer64("virtual_timer", wire="gt_timer[1]"),
    _PoweredOff("powered_off", wire="power_state", maximum=0),
)
_SUBSECTIONS = (
    VMState("cpu/vfp", version=3, fields=(
        *(Array(f"v{number}", U64, 2, wire=f"env.vfp.zregs[{number}].d") for number in range(32)),
        U32("fpsid", wire="env.vfp.xregs[0]"), Array("vfp", U32, 14, wire="env.vfp.xregs"), _Fpscr("fpscr"),
    )),
    VMState("cpu/thumb2ee", fields=(U32("teecr", wire="env.teecr"), U32("teehbr", wire="env.teehbr")),
            needed=lambda saved: saved.teecr or saved.teehbr),
    VMState("cpu/serror", fields=(U8("serror_pending", wire="env.serror.pending"),
                                  U8("serror_has_esr", wire="env.serror.has_esr"),
                                  U64("serror_esr", wire="env.serror.esr")),
            needed=lambda saved: saved.serror_pending),
    VMState("cpu/irq-line-state", fields=(U32("irq_line_state", wire="env.irq_line_state"),)),
)
# fmt: on


class CommonState:
    """The section ``cpu_common``: what every target's processor has."""

    vmstate = VMState(
        "cpu_common",
        version=1,
        fields=(U32("halted"), U32("interrupt_request")),
        subsections=(
            VMState("cpu_common/exception_index", fields=(I32("exception_index"),), needed=lambda _: False),
            VMState("cpu_common/crash_occurred", fields=(U8("crash_occurred"),), needed=lambda _: False),
        ),
    )

    def __init__(self, cpu: Aarch64Cpu) -> None:
        self.cpu = cpu
        self.exception_index, self.crash_occurred = -1, 0

    @property
    def halted(self) -> int:
        """Whether it waits for an interrupt."""
        return int(self.cpu.halted)

    @halted.setter
    def halted(self, value: int) -> None:
        self.cpu.halted = bool(value)

    @property
    def interrupt_request(self) -> int:
        """Pending requests, in QEMU's bits."""
        return _to_qemu(self.cpu.interrupt_request)

    @interrupt_request.setter
    def interrupt_request(self, value: int) -> None:
        self.cpu.clear_interrupt(~0)
        requested = sum(ours for ours, theirs in _REQUESTS if value & theirs)
        if requested:
            self.cpu.interrupt(requested)


def _to_qemu(requests: int) -> int:
    return sum(theirs for ours, theirs in _REQUESTS if requests & ours)


def _check(saved: SavedCpu, values: Values) -> None:
    """What no processor can be in.

    :raise LoadError: for a reason that its text tells.
    """
    mode = values["pstate"] & 31
    if mode & MODE_32:
        raise LoadError(f"cpsr: {values['pstate']:#x} is of the AArch32 state, which this processor does not have")
    level, cpu = mode >> 2, saved.cpu
    exists = (True, True, cpu.has_el2, cpu.has_el3)[level]
    if mode & MODE_RESERVED or not exists or mode == MODE_SP:
        raise LoadError(f"cpsr: {values['pstate']:#x} is no state that this processor can be in")
    indexes = values["indexes"]
    if any(first >= second for first, second in pairwise(indexes)):
        raise LoadError("cpreg_vmstate_indexes: expected identifiers in ascending order")
    check(cpu, saved.registers, dict(zip(indexes, values["values"], strict=True)))


class SavedCpu:
    """The section ``cpu``."""

    vmstate = VMState(
        "cpu",
        version=22,
        fields=_FIELDS,
        subsections=_SUBSECTIONS,
        pre_save=lambda saved: saved.collect(),
        check=_check,
        post_load=lambda saved: saved.deliver(),
    )

    def __init__(self, cpu: Aarch64Cpu) -> None:
        self.cpu = cpu
        self.registers = saved_registers(cpu)
        self.reset()

    def reset(self) -> None:
        """Forget what was kept."""
        self.kept: dict[int, int] = {}
        self.regs, self.spsr = [0] * 16, 0
        self.banked_spsr, self.banked_r13, self.banked_r14 = [0] * 8, [0] * 8, [0] * 8
        self.usr_regs, self.fiq_regs = [0] * 5, [0] * 5
        self.elr_el = [0] * 4
        self.syndrome = self.fsr = self.vaddress = self.powered_off = 0
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
        self.elr_el[1:] = [cpu.elr(el) for el in (1, 2, 3)]
        self.sp_el = [cpu.banked_sp(el) for el in range(4)]
        for el, bank in SPSR_BANKS.items():
            self.banked_spsr[bank] = cpu.spsr(el)
        state = cpu.sys
        self.banked_spsr[ABORT], self.banked_spsr[UNDEFINED] = state.spsr_abt, state.spsr_und
        self.banked_spsr[INTERRUPT], self.banked_spsr[FAST_INTERRUPT] = state.spsr_irq, state.spsr_fiq
        self.exclusive_addr, self.exclusive_val = cpu.exclusive_address, cpu.exclusive_value
        self.exclusive_high = cpu.exclusive_high
        self.irq_line_state = _to_qemu(cpu.interrupt_request)
        self._collect_registers()
        self._collect_vectors()

    def _collect_registers(self) -> None:
        listed = dict(self.kept)
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
        self.fpscr = cpu.fpcr | cpu.fpsr

    # -- after loading

    def deliver(self) -> None:
        """Put the fields into the processor, and derive the rest."""
        cpu = self.cpu
        for number in range(31):
            cpu.x[number] = self.xregs[number]
        cpu.set_pstate(self.pstate)
        for el, value in enumerate(self.sp_el):
            cpu.set_banked_sp(el, value)
        cpu.sp, cpu.pc = self.xregs[31], self.pc
        for el, bank in SPSR_BANKS.items():
            cpu.set_elr(el, self.elr_el[el])
            cpu.set_spsr(el, self.banked_spsr[bank])
        state = cpu.sys
        state.spsr_abt, state.spsr_und = self.banked_spsr[ABORT], self.banked_spsr[UNDEFINED]
        state.spsr_irq, state.spsr_fiq = self.banked_spsr[INTERRUPT], self.banked_spsr[FAST_INTERRUPT]
        cpu.exclusive_address, cpu.exclusive_value = self.exclusive_addr, self.exclusive_val
        cpu.exclusive_high = self.exclusive_high
        self._deliver_vectors()
        self._deliver_registers()
        cpu.translation_changed()

    def _deliver_vectors(self) -> None:
        cpu = self.cpu
        for number in range(32):
            low, high = getattr(self, f"v{number}")
            cpu.v[number] = low | high << 64
        cpu.set_fpcr(self.fpscr)
        cpu.set_fpsr(self.fpscr)
        cpu.sys.fpexc32_el2 = self.vfp[VFP_FPEXC]

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
