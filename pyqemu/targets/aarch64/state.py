"""The AArch64 CPU: architectural state as named fields over ``env``, and the hooks that the engine calls.

`layout.py` says where things lie; here they get names. System registers that translated code does not know are
attributes of :attr:`Aarch64Cpu.sys`; what accesses to them do is in `sysregs.py`. Translation of addresses is in
`mmu.py`, exceptions and interrupts are in `exceptions.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pyqemu.system import VirtualClock
from pyqemu.targets.aarch64 import debug, delivery, layout, mmu, refill, registers, stepping, sysregs
from pyqemu.targets.aarch64.breakpoints import Breakpoints
from pyqemu.targets.aarch64.decode import A64, A64Decoders
from pyqemu.targets.aarch64.exceptions import Aarch64Exception
from pyqemu.targets.aarch64.layout import (
    EL_MMU,
    ELR_BANK,
    FIQ,
    IRQ,
    M64,
    M_AARCH32,
    M_ALIGN,
    M_BIG_ENDIAN,
    M_EL,
    M_FP_OFF,
    M_FPCR,
    M_ILLEGAL,
    M_SPSEL,
    M_STEP,
    M_SYSREG_TRAPS,
    M_UMA,
    M_ZVA_TRAP,
    NO_ADDRESS,
    NZCV,
    PSTATE_DAIF,
    PSTATE_IL,
    PSTATE_NRW,
    PSTATE_SS,
    SP_BANK,
    SPSR_BANK,
    VFIQ,
    VIRQ,
    Z,
)
from pyqemu.targets.aarch64.models import PFR0_EL3, PFR0_GIC, Model, cpu_model
from pyqemu.targets.aarch64.self_hosted import MDSCR_SS
from pyqemu.targets.aarch64.translator import A64Translator
from pyqemu.targets.arm import flags
from pyqemu.targets.arm.generic_timer import FREQUENCY, CycleCounter, GenericTimer
from pyqemu.targets.arm.layout import DOMAINS_PRIVILEGED, DOMAINS_USER, STEPPED
from pyqemu.targets.arm.modes import AARCH32_END
from pyqemu.targets.arm.multiprocessor import Multiprocessor, affinity
from pyqemu.targets.arm.system_state import SystemState
from pyqemu.tcg.alone import ARMED
from pyqemu.tcg.cpu import GuestException
from pyqemu.tcg.env import Global

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.aarch32 import Aarch32State
    from pyqemu.targets.arm.long_descriptors import Leaf
    from pyqemu.tcg.builder import Builder
    from pyqemu.tcg.translate import Decoder

SCTLR_A, SCTLR_UMA, SCTLR_DZE, SCTLR_E0E, SCTLR_EE = 1 << 1, 1 << 9, 1 << 14, 1 << 24, 1 << 25
CPTR_TFP, HCR_TDZ = 1 << 10, 1 << 28
HCR_FMO, HCR_IMO, HCR_VF, HCR_VI, HCR_RW = 1 << 3, 1 << 4, 1 << 6, 1 << 7, 1 << 31
SCR_NS, SCR_HCE, SCR_RW = 1, 1 << 8, 1 << 10
CNTHCTL_OPEN = 3  #: EL1 and EL0 may use what is physical of the timer
HCR_TRAPS = 0x47FF8000  #: TID0 to TRVM, TID3: whatever sends accesses of EL1 to EL2
FPCR_WRITABLE = 0x07C00000
FPSR_WRITABLE = 0xF800009F


class Registers64:
    """The general registers by number, as a sequence of 31."""

    __slots__ = ("_q",)

    def __init__(self, q: memoryview) -> None:
        self._q = q

    def __getitem__(self, number: int) -> int:
        return int(self._q[layout.x(number) >> 3])

    def __setitem__(self, number: int, value: int) -> None:
        self._q[layout.x(number) >> 3] = value & M64

    def __len__(self) -> int:
        return 31


class Vectors:
    """The vector registers by number, as a sequence of 32 numbers of 128 bits."""

    __slots__ = ("_q",)

    def __init__(self, q: memoryview) -> None:
        self._q = q

    def __getitem__(self, number: int) -> int:
        at = layout.v(number) >> 3
        return int(self._q[at]) | int(self._q[at + 1]) << 64

    def __setitem__(self, number: int, value: int) -> None:
        at = layout.v(number) >> 3
        self._q[at], self._q[at + 1] = value & M64, value >> 64 & M64

    def __len__(self) -> int:
        return 32


class Aarch64Cpu(Multiprocessor):
    """One processor. Fields are slots of ``env``: native code and Python see the same bytes.

    :ivar x: general registers 0 to 30
    :ivar v: vector registers
    :ivar sys: system registers
    :ivar firmware_call: asked for HVC and SMC with the exception class; True if it has answered (PSCI)
    :ivar ss: PSTATE.SS: the next instruction is stepped
    :ivar tagged_pages: whether the software TLB has pages with a tag in their address
    :ivar secure_space: where :attr:`memory` shows what Secure accesses see; 0 where that is what all see
    :ivar breakpoints: those of its debug registers, and watchpoints
    :ivar stage2_leaves: what the second stage has for pages, by their numbers, since the last flush
    :ivar virtual_lines: VIRQ and VFIQ as the virtual interface of an interrupt controller drives them
    """

    fetch_mmu = EL_MMU
    pc_slot = layout.PC
    irq_pending_slot = layout.IRQ_PENDING
    event_mnemonics = frozenset({"svc", "hvc", "smc"})

    # fmt: off
    pc        = Global(layout.PC)
    sp        = Global(layout.SP)                     # the one that is in use
    mode      = Global(layout.MODE)
    cc_result = Global(layout.CC_RESULT)
    cc_source = Global(layout.CC_SOURCE)
    cc_kind   = Global(layout.CC_KIND)
    daif      = Global(layout.DAIF)                   # at their places in PSTATE
    fpcr      = Global(layout.FPCR)
    fpsr      = Global(layout.FPSR)
    tpidr_el0 = Global(layout.TPIDR_EL0)
    tpidr_el1 = Global(layout.TPIDR_EL1)
    exclusive_address = Global(layout.EXCLUSIVE_ADDRESS)
    exclusive_value   = Global(layout.EXCLUSIVE_VALUE)
    exclusive_high    = Global(layout.EXCLUSIVE_HIGH)
    stepped   = Global(STEPPED)                       # how far an instruction is that is stepped
    # fmt: on

    def __init__(self, model: Model | str = "cortex-a57", *, has_el2: bool = False, has_el3: bool = False,
                 **collaborators: Any) -> None:  # fmt: skip
        super().__init__(**collaborators)
        found = cpu_model(model) if isinstance(model, str) else model
        self.has_el2, self.has_el3 = has_el2, has_el3 and bool(found.aa64pfr0 & PFR0_EL3)
        self.model = found.without(el2=not self.has_el2, el3=not self.has_el3)
        self.sys = SystemState()
        self.x = Registers64(self.q)
        self.v = Vectors(self.q)
        self.mpidr = 1 << 31 | affinity(self.index)
        self.gic: Any = None  # the interface of a GICv3 (pyqemu.hw.intc.arm_gicv3_cpuif)
        self.firmware_call: Callable[[int], bool] | None = None
        self.tagged_pages = False
        self.secure_space = self.virtual_lines = 0
        self.stage2_leaves: dict[int, Leaf] = {}
        self.breakpoints = Breakpoints(self)
        clock = self.clock if self.clock is not None else VirtualClock()
        self.timer, self.cycle_counter = GenericTimer(clock), CycleCounter(clock)
        self._decoders = A64Decoders(self.model.has)
        sysregs.load()
        self.reset()

    # --- AArch32 state ------------------------------------------------------------------------------------------------

    @property
    def is_aarch32(self) -> bool:
        """Whether it is in AArch32 state."""
        return bool(self.mode & M_AARCH32)

    @property
    def el1_is_aarch32(self) -> bool:
        """Whether EL1 is in AArch32 state: as it is where it runs, elsewhere as EL3 or EL2 have it (D1.20.2)."""
        if self.el < 2 and (self.el or not self.is_aarch32):
            return self.is_aarch32
        if self.has_el3 and not self.sys.scr_el3 & SCR_RW:
            return True
        return self.el2_enabled and not self.sys.hcr_el2 & HCR_RW

    @cached_property
    def aarch32(self) -> Aarch32State:
        """The same processor as AArch32 state sees it."""
        from pyqemu.targets.aarch64.aarch32 import Aarch32State  # most machines never need its instructions

        return Aarch32State(self)

    # --- PSTATE -------------------------------------------------------------------------------------------------------

    @property
    def el(self) -> int:
        """The exception level."""
        return self.mode & M_EL

    @property
    def spsel(self) -> int:
        """PSTATE.SP: 1 where the stack pointer is that of the exception level."""
        return int(self.mode & M_SPSEL != 0)

    def set_spsel(self, value: int) -> None:
        """Change PSTATE.SP."""
        self.enter(self.el, value)

    def enter(self, el: int, spsel: int) -> None:
        """Change the exception level and PSTATE.SP: another stack pointer comes into use."""
        bank = SP_BANK >> 3
        self.q[bank + self._sp_in_use()] = self.sp
        self.mode = self.mode & ~(M_EL | M_SPSEL) | el | (M_SPSEL if spsel and el else 0)
        self.sp = self.q[bank + self._sp_in_use()]
        self.mode_changed()
        if self.has_el3 and self.gic is not None:
            self.gic.update()  # whether an interrupt is an IRQ or an FIQ depends on who would take it

    def _sp_in_use(self) -> int:
        return self.mode & M_EL if self.mode & M_SPSEL else 0

    def banked_sp(self, el: int) -> int:
        """SP_ELx."""
        return self.sp if el == self._sp_in_use() else int(self.q[(SP_BANK >> 3) + el])

    def set_banked_sp(self, el: int, value: int) -> None:
        """Write SP_ELx."""
        self.q[(SP_BANK >> 3) + el] = value & M64
        if el == self._sp_in_use():
            self.sp = value

    def elr(self, el: int) -> int:
        """ELR_ELx."""
        return int(self.q[(ELR_BANK >> 3) + el])

    def set_elr(self, el: int, value: int) -> None:
        """Write ELR_ELx."""
        self.q[(ELR_BANK >> 3) + el] = value & M64

    def spsr(self, el: int) -> int:
        """SPSR_ELx."""
        return int(self.q[(SPSR_BANK >> 3) + el])

    def set_spsr(self, el: int, value: int) -> None:
        """Write SPSR_ELx."""
        self.q[(SPSR_BANK >> 3) + el] = value & layout.M32

    @property
    def nzcv(self) -> int:
        """The condition flags at their places in PSTATE."""
        return flags.compute(self.cc_kind, self.cc_result, self.cc_source)

    @nzcv.setter
    def nzcv(self, value: int) -> None:
        self.cc_result, self.cc_source, self.cc_kind = flags.record(value & NZCV)

    def set_daif(self, value: int) -> None:
        """Write the interrupt masks; what is pending may be taken at the next block."""
        self.daif = value & PSTATE_DAIF
        if self.sys.mdscr_el1 & MDSCR_SS:
            self.mode_changed()
        if self.interrupt_request:
            self.kick()

    def set_fpcr(self, value: int) -> None:
        """Write FPCR."""
        self.fpcr = value & FPCR_WRITABLE
        self.mode_changed()

    def set_fpsr(self, value: int) -> None:
        """Write FPSR."""
        self.fpsr = value & FPSR_WRITABLE

    @property
    def pstate(self) -> int:
        """PSTATE in the format of SPSR_ELx (C5.2)."""
        mode = self.mode
        if mode & M_AARCH32:
            return self.aarch32.cpsr | (PSTATE_SS if self.ss else 0)
        value = self.nzcv | self.daif | (mode & M_EL) << 2 | (mode & M_SPSEL) >> 2
        return value | (PSTATE_IL if mode & M_ILLEGAL else 0) | (PSTATE_SS if self.ss else 0)

    def set_pstate(self, value: int) -> None:
        """Take PSTATE from a value in the format of SPSR_ELx; it has been checked."""
        if value & PSTATE_NRW:
            self.ss = bool(value & PSTATE_SS)
            self.mode &= ~M_ILLEGAL
            self.enter(0, 0)
            self.aarch32.enter(value)
            if self.interrupt_request:
                self.kick()
            return
        self.nzcv = value
        self.daif = value & PSTATE_DAIF
        self.ss = bool(value & PSTATE_SS)
        self.mode = self.mode & ~M_ILLEGAL | (M_ILLEGAL if value & PSTATE_IL else 0)
        self.enter(value >> 2 & 3, value & 1)
        if self.interrupt_request:
            self.kick()

    # --- derived state ------------------------------------------------------------------------------------------------

    @property
    def el2_enabled(self) -> bool:
        """Whether EL2 exists for the present security state."""
        return self.has_el2 and not (self.has_el3 and not self.sys.scr_el3 & SCR_NS)

    @property
    def is_secure(self) -> bool:
        """Whether it is in Secure state: EL3 always is, what is below where SCR_EL3.NS is 0 (D1.4)."""
        return self.has_el3 and ((self.mode & M_EL) == 3 or not self.sys.scr_el3 & SCR_NS)

    def space_of(self, el: int) -> int:
        """Where :attr:`memory` shows what the translation regime of an exception level sees (D4.1.3)."""
        return self.secure_space if self.has_el3 and (el == 3 or not self.sys.scr_el3 & SCR_NS) else 0

    def mode_changed(self) -> None:
        """Derive the mode bits, after the exception level or a register that they depend on has changed."""
        if self.is_aarch32:
            self.aarch32.mode_changed()
            return
        el = self.el
        sctlr = self.sys.of("sctlr", max(el, 1))
        mode = self.mode & (M_EL | M_SPSEL | M_ILLEGAL)
        if self.fp_trap(el):
            mode |= M_FP_OFF
        if sctlr & (SCTLR_EE if el else SCTLR_E0E):
            mode |= M_BIG_ENDIAN
        if sctlr & SCTLR_A:
            mode |= M_ALIGN
        if el == 0 and sctlr & SCTLR_UMA:
            mode |= M_UMA
        if (el == 0 and not sctlr & SCTLR_DZE) or (el < 2 and self.el2_enabled and self.sys.hcr_el2 & HCR_TDZ):
            mode |= M_ZVA_TRAP
        if self.fpcr:
            mode |= M_FPCR
        if el < 2 and self.el2_enabled and self.sys.hcr_el2 & HCR_TRAPS:
            mode |= M_SYSREG_TRAPS
        if self.sys.mdscr_el1 & MDSCR_SS:
            mode |= stepping.mode_bits(self)
        self.mode = mode

    def fp_trap(self, el: int) -> int:
        """The exception level that FP and SIMD instructions are trapped to; 0 where they are not (D1.14.2 to D1.16)."""
        fpen = self.sys.cpacr_el1 >> 20 & 3
        if el < 2 and not self.el1_is_aarch32 and (not fpen & 1 or (el == 0 and fpen == 1)):
            return 1
        if el < 3 and self.el2_enabled and self.sys.cptr_el2 & CPTR_TFP:
            return 2
        return 3 if self.has_el3 and self.sys.cptr_el3 & CPTR_TFP else 0

    # --- hooks of the engine ------------------------------------------------------------------------------------------

    def block_key(self) -> tuple[int, int]:
        """Return the address of the next instruction and the mode bits that its translation depends on.

        :raise Aarch64Exception: it is not a multiple of 4 (D1.8).
        """
        pc = self.pc
        if pc & 3 and not self.mode & M_AARCH32:
            raise Aarch64Exception(layout.EC_PC_ALIGNMENT, 0, pc)
        return pc, self.mode

    def mmu_index(self) -> int:
        """Return the mmu index of the exception level."""
        return EL_MMU[self.mode & M_EL]

    def decoder(self, flags: int) -> Decoder:
        """Return the decoder of a mode."""
        found = self.aarch32.decoder(flags) if flags & M_AARCH32 else self._decoders.decoder(flags)
        return stepping.StepDecoder(found) if flags & M_STEP else found

    def translator(self, flags: int, **context: Any) -> Builder:
        """Return a builder for one instruction."""
        if flags & M_AARCH32:
            return self.aarch32.translator(flags, **context)
        assert self.engine is not None
        t = A64Translator(self.engine.table, self.helpers, **context)
        t.model, t.is_one_of_several = self.model, self.is_one_of_several
        t.begin(flags)
        return t

    def execute(self) -> None:
        """Run until the main loop is wanted, or for one instruction that is stepped."""
        if self.mode & M_STEP:
            stepping.step(self)
        else:
            super().execute()

    def about_to_run(self) -> bool:
        """Return whether the instruction will run: not before `stepping.step` is around one that is stepped."""
        return not self.mode & M_STEP or self.stepped == ARMED

    def fill(self, vaddr: int, access: int, mmu_index: int) -> tuple[int, int, int]:
        """Translate for the software TLB; see `mmu.fill`."""
        return mmu.fill(self, vaddr, access, mmu_index)

    def debug_translate(self, vaddr: int) -> int | None:
        """Return the physical address of `vaddr` without any side effect, or None."""
        return mmu.debug_translate(self, vaddr)

    def build_refill(self, t: Builder) -> bool:
        """Emit the page walk that missed accesses run first; see `refill.py`."""
        refill.build_refill(t)
        return True

    def deliver(self, exc: GuestException) -> None:
        """Take an exception that an instruction raised."""
        delivery.deliver(self, exc)

    def service_interrupts(self) -> bool:
        """Take one pending interrupt, if it may be taken now; return whether state changed."""
        return delivery.service_interrupts(self)

    def has_work(self) -> bool:
        """Return whether a halted processor has a reason to go on."""
        return not self.powered_off and delivery.would_wake(self)

    def tlb_flush(self, global_too: bool = True) -> None:
        """Forget all translations."""
        self.tagged_pages = False
        self.stage2_leaves.clear()
        self.q[DOMAINS_PRIVILEGED >> 3] = self.q[DOMAINS_USER >> 3] = 0
        super().tlb_flush(global_too)

    def tlb_flush_page(self, vaddr: int) -> None:
        """Forget the translation of one page, under whatever tag."""
        if self.tagged_pages:
            self.tlb_flush()
        else:
            super().tlb_flush_page(vaddr)

    # --- system registers ---------------------------------------------------------------------------------------------

    def read_sysreg(self, op0: int, op1: int, crn: int, crm: int, op2: int) -> int:
        """``MRS``; see `sysregs.py`."""
        return sysregs.read(self, (op0, op1, crn, crm, op2))

    def write_sysreg(self, op0: int, op1: int, crn: int, crm: int, op2: int, value: int) -> None:
        """``MSR`` and ``SYS``; see `sysregs.py`."""
        sysregs.write(self, (op0, op1, crn, crm, op2), value)

    def has(self, register: sysregs.SystemRegister) -> bool:
        """Whether a register exists: not those of exception levels and interrupt controllers that there are not."""
        if self.gic is None and register.name.startswith(("ICC_", "ICH_")):
            return False
        level = max(register.read_el if register.read_el < sysregs.NEVER else register.write_el, 1)
        return level == 1 or (self.has_el2 if level == 2 else self.has_el3)

    @property
    def aa64pfr0(self) -> int:
        """ID_AA64PFR0_EL1: with the interface to a GICv3, if there is one."""
        return self.model.aa64pfr0 | (PFR0_GIC if self.gic is not None else 0)

    def pending_interrupts(self) -> int:
        """ISR_EL1: what is pending, masked or not; for EL1 the virtual ones, where the others go to EL2 (D7.2.62)."""
        request = self.interrupt_request
        hcr = self.sys.hcr_el2 if self.el == 1 and self.el2_enabled else 0
        irq, fiq = VIRQ if hcr & HCR_IMO else IRQ, VFIQ if hcr & HCR_FMO else FIQ
        return (1 << 7 if request & irq else 0) | (1 << 6 if request & fiq else 0)

    def set_virtual_line(self, mask: int, level: bool) -> None:
        """VIRQ or VFIQ changes."""
        self.virtual_lines = self.virtual_lines & ~mask | (mask if level else 0)
        self._update_virtual()

    def _update_virtual(self) -> None:
        """Virtual interrupts come over their lines, or HCR_EL2 has them pending (D1.14.3)."""
        hcr = self.sys.hcr_el2
        pending = self.virtual_lines | (VIRQ if hcr & HCR_VI else 0) | (VFIQ if hcr & HCR_VF else 0)
        if self.interrupt_request & (VIRQ | VFIQ) != pending:
            self.clear_interrupt((VIRQ | VFIQ) & ~pending)
            if pending:
                self.interrupt(pending)

    def tables_changed(self) -> None:
        """A translation table base was written: ASIDs are not told apart, so nothing known is good any more."""
        refill.prepare(self)
        self.tlb_flush()

    def translation_changed(self) -> None:
        """A register that controls translation was written."""
        self.tables_changed()
        self.mode_changed()

    def hypervisor_changed(self) -> None:
        """A register of EL2 was written that controls what EL1 and EL0 do."""
        self.translation_changed()
        self._update_virtual()
        if self.interrupt_request:
            self.kick()

    def security_changed(self) -> None:
        """SCR_EL3 was written."""
        self.hypervisor_changed()
        if self.gic is not None:
            self.gic.update()

    # --- for people ---------------------------------------------------------------------------------------------------

    def registers_text(self) -> str:
        """Return the registers as ``info registers`` shows them."""
        return self.aarch32.registers_text() if self.is_aarch32 else debug.registers_text(self)

    def registers(self) -> registers.Registers:
        """Return the registers by their names in the manual."""
        return registers.Registers(self)

    def disassemble(self, code: bytes, address: int) -> list[tuple[int, str]]:
        """Return `code` as instructions of the present instruction set."""
        if self.is_aarch32:
            return self.aarch32.disassemble(code, address)
        return debug.disassemble(code, address)

    def mnemonics(self) -> frozenset[str]:
        """Return the names of instructions."""
        return frozenset(encoding.name for encoding in A64.encodings)

    # --- reset --------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Take the state after a reset: the highest exception level, everything masked (D1.9)."""
        q = self.q
        for slot in range(layout.PC >> 3, AARCH32_END >> 3):
            q[slot] = 0
        self.sys = SystemState()
        for el in (1, 2, 3):
            self.sys.set("sctlr", el, self.model.reset_sctlr)
        self.ss = False
        self.nzcv = Z  # UNKNOWN; this is what QEMU has
        self.daif = PSTATE_DAIF
        self.exclusive_address = NO_ADDRESS
        self.clear_interrupt(~0)
        self.halted = self.event = False
        self.sys.cntfrq_el0 = FREQUENCY
        self.sys.oslsr_el1 = 10  # the OS lock is implemented, and locked
        self.sys.vpidr_el2, self.sys.vmpidr_el2 = self.model.midr, self.mpidr
        self.sys.cnthctl_el2 = CNTHCTL_OPEN
        self.virtual_lines = 0
        self.timer.reset()
        self.cycle_counter.switch(on=False, divider=1)
        self.breakpoints.update()
        self.enter(3 if self.has_el3 else 2 if self.has_el2 else 1, 1)
        self.pc = self.sys.rvbar = self.model.rvbar
        self.translation_changed()

    def start(self, entry: int, context: int, level: int) -> None:
        """Begin after a reset where another processor says."""
        self.reset()
        self.hand_over(level)
        self.x[0], self.pc = context, entry

    def hand_over(self, level: int) -> None:
        """What firmware does that was started by a reset: let an exception level below it run, in Non-secure state."""
        if self.has_el3:
            self.sys.scr_el3 |= SCR_NS | SCR_RW | (SCR_HCE if level == 2 else 0)
        if self.has_el2:
            self.sys.hcr_el2 |= HCR_RW
        self.enter(level, 1)
        self.security_changed()
