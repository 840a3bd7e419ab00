"""How a processor is laid out in QEMU's stream, whichever state it is in (QEMU 2.6: target-arm/machine.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu.qom.vmstate import I32, U8, U32, U64, Array, Field, Timer64, Unused, VMState
from pyqemu.tcg import saved_cpu

COMMON_ORDER, CPU_ORDER = 4, 5
"""After interrupt controllers (:class:`pyqemu.migration.state.machine.SavedState`): timers drive them once more."""

STREAM_PAGE = 1024
"""Bytes of memory in a record of a stream: pages that small are of processors before ARMv6, and QEMU 2.6 has one size
for all."""
MAX_REGISTERS = 1024
VFP_MVFR2, VFP_MVFR1, VFP_MVFR0, VFP_FPEXC, VFP_FPINST, VFP_FPINST2 = range(3, 9)
"""Places in xregs, which begin with the third."""


class _Pstate(U32):
    kind = "cpsr"


class _Fpscr(U32):
    kind = "fpscr"


class _PoweredOff(U8):
    kind = "powered_off"


class _Count(I32):
    kind = "int32 le"


# fmt: off
FIELDS: tuple[Field, ...] = (
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
    _PoweredOff("powered_off", wire="power_state", maximum=1),
)


def _never(_saved: Any) -> bool:
    return False


def subsections(has_vfp: Callable[[Any], bool], has_thumb2ee: Callable[[Any], bool] = _never) -> tuple[VMState, ...]:
    """What follows the fields, where there is something to tell.

    :param has_vfp: whether a processor has extension registers
    :param has_thumb2ee: whether QEMU's has the registers of ThumbEE, which here are only kept
    """
    return (
        VMState("cpu/vfp", version=3, needed=has_vfp, fields=(
            *(Array(f"v{number}", U64, 2, wire=f"env.vfp.zregs[{number}].d") for number in range(32)),
            U32("fpsid", wire="env.vfp.xregs[0]"), Array("vfp", U32, 14, wire="env.vfp.xregs"), _Fpscr("fpscr"),
        )),
        VMState("cpu/thumb2ee", fields=(U32("teecr", wire="env.teecr"), U32("teehbr", wire="env.teehbr")),
                needed=lambda saved: saved.teecr or saved.teehbr or has_thumb2ee(saved)),
        VMState("cpu/serror", fields=(U8("serror_pending", wire="env.serror.pending"),
                                      U8("serror_has_esr", wire="env.serror.has_esr"),
                                      U64("serror_esr", wire="env.serror.esr")),
                needed=lambda saved: saved.serror_pending),
        VMState("cpu/irq-line-state", fields=(U32("irq_line_state", wire="env.irq_line_state"),)),
    )
# fmt: on


class CommonState(saved_cpu.CommonState[saved_cpu.AnyCpu]):
    """The section ``cpu_common``. Requests are those for IRQ, FIQ, virtual IRQ and virtual FIQ."""

    requests = ((1, 0x02), (2, 0x10), (4, 0x40), (8, 0x200))
