"""The 32-bit CPU: architectural state as named fields over ``env``, and the hooks that the engine calls.

`layout.py` and `modes.py` say where things lie. Registers of coprocessor 15 that translated code does not know are
attributes of :attr:`ArmCpu.sys`, under the names that AArch64 has for them; what accesses to them do is in `cp15.py`.
Translation of addresses is in `mmu.py`, exceptions and interrupts are in `delivery.py`.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from pyqemu.system import VirtualClock
from pyqemu.targets.arm import cp15, cp15_debug, debug, delivery, domains, flags, layout, mmu, modes, refill
from pyqemu.targets.arm.decode import SETS, ArmDecoders
from pyqemu.targets.arm.extension import ExtensionRegisters
from pyqemu.targets.arm.generic_timer import FREQUENCY, CycleCounter, GenericTimer
from pyqemu.targets.arm.layout import M32, M_FLUSH, M_FPCR, NO_ADDRESS, NZCV, Z
from pyqemu.targets.arm.models import Model, cpu_model
from pyqemu.targets.arm.modes import (
    BANK,
    CPSR_AIF,
    CPSR_F,
    CPSR_GE,
    CPSR_I,
    CPSR_M,
    CPSR_Q,
    FIQ,
    FPEXC_EN,
    FPSCR_CONTROL,
    FPSCR_FLUSH,
    FPSCR_LEN,
    FPSCR_STATUS,
    FPSCR_STRIDE,
    HYP,
    LEVEL_MMU,
    M_AARCH32,
    M_ALIGN,
    M_BIG_ENDIAN,
    M_CPACR,
    M_IT,
    M_LEN_SHIFT,
    M_LEVEL,
    M_MODE,
    M_MODE_SHIFT,
    M_NO_SETEND,
    M_PLAIN_IT,
    M_ROTATE,
    M_STRIDE,
    M_THUMB,
    M_VFP_OFF,
    MON,
    SPSR_BANK32,
    SVC,
    USR,
)
from pyqemu.targets.arm.multiprocessor import Multiprocessor, affinity
from pyqemu.targets.arm.system_state import SystemState
from pyqemu.targets.arm.translator import ArmTranslator
from pyqemu.tcg.cpu import GuestException
from pyqemu.tcg.env import Global

if TYPE_CHECKING:
    from pyqemu.targets.arm.decode import A32Decoder, ThumbDecoder
    from pyqemu.tcg.builder import Builder

SCTLR_A, SCTLR_U, SCTLR_V = 1 << 1, 1 << 22, 1 << 13
SCTLR_ITD, SCTLR_SED = 1 << 7, 1 << 8
NSACR_CP10 = 1 << 10
KEPT = M_LEVEL | M_BIG_ENDIAN | M_MODE | M_THUMB | M_IT  #: mode bits that are state by themselves


class Registers32:
    """R0 to R14 of the present mode by number."""

    __slots__ = ("_q",)

    def __init__(self, q: memoryview) -> None:
        self._q = q

    def __getitem__(self, number: int) -> int:
        return int(self._q[layout.x(number) >> 3])

    def __setitem__(self, number: int, value: int) -> None:
        self._q[layout.x(number) >> 3] = value & M32

    def __len__(self) -> int:
        return 15


class ArmCpu(Multiprocessor):
    """One processor. Fields are slots of ``env``: native code and Python see the same bytes.

    :ivar r: general registers 0 to 14 of the present mode
    :ivar v: extension registers by the numbers of `extension.py`
    :ivar sys: registers of coprocessor 15
    :ivar fcse: FCSEIDR: what addresses of the lowest 32 MiB are moved by
    :ivar privileged_dacr: DACR that pages in the TLB's table of privileged modes were permitted by
    :ivar user_dacr: the same of User mode
    :ivar cbar: CBAR: where the private memory region of the processors is
    :ivar high_vectors: whether vectors are at 0xFFFF0000 after a reset (the input VINITHI)
    :ivar firmware_call: asked for HVC and SMC with the vector of the exception; True if it has answered (PSCI)
    """

    fetch_mmu = LEVEL_MMU
    pc_slot = layout.PC
    irq_pending_slot = layout.IRQ_PENDING
    event_mnemonics = frozenset({"svc", "hvc", "smc"})

    # fmt: off
    pc        = Global(layout.PC)
    mode      = Global(layout.MODE)
    cc_result = Global(layout.CC_RESULT)
    cc_source = Global(layout.CC_SOURCE)
    cc_kind   = Global(layout.CC_KIND)
    daif      = Global(layout.DAIF)                   # A, I and F at their places in CPSR
    q_flag    = Global(modes.Q_FLAG)                  # at its place in CPSR
    ge        = Global(modes.GE_FLAGS)
    spsr      = Global(modes.SPSR)                    # the one that is in use
    fpexc     = Global(modes.FPEXC)
    fpcr      = Global(layout.FPCR)                   # FPSCR is this, the next one, and the flags
    fpsr      = Global(layout.FPSR)
    fpscr_nzcv = Global(modes.FPSCR_NZCV)
    fpinst    = Global(modes.FPINST)
    fpinst2   = Global(modes.FPINST2)
    tpidrurw  = Global(layout.TPIDR_EL0)
    tpidruro  = Global(modes.TPIDRURO)
    tpidrprw  = Global(layout.TPIDR_EL1)
    exclusive_address = Global(layout.EXCLUSIVE_ADDRESS)
    exclusive_value   = Global(layout.EXCLUSIVE_VALUE)
    # fmt: on

    def __init__(self, model: Model | str = "cortex-a15", *, has_el3: bool = False, high_vectors: bool = False,
                 **collaborators: Any) -> None:  # fmt: skip
        super().__init__(**collaborators)
        self.model = cpu_model(model) if isinstance(model, str) else model
        self.has_el3 = has_el3 and self.model.has("security")
        self.high_vectors = high_vectors or self.model.high_vectors
        self.sys = SystemState()
        self.r = Registers32(self.q)
        self.v = ExtensionRegisters(self.q, self.l)
        self.mpidr = (1 << 31 if self.model.has("v7mp") else 0) | affinity(self.index)
        self.firmware_call: Callable[[int], bool] | None = None
        self.fcse, self.cbar = 0, self.model.cbar
        self.privileged_dacr = self.user_dacr = 0
        clock = self.clock if self.clock is not None else VirtualClock()
        self.timer, self.cycle_counter = GenericTimer(clock), CycleCounter(clock)
        self._decoders = ArmDecoders(self.model.has)
        cp15.load()
        self.reset()

    # --- CPSR and modes -----------------------------------------------------------------------------------------------

    @property
    def cpu_mode(self) -> int:
        """CPSR.M."""
        return 0x10 | (self.mode & M_MODE) >> M_MODE_SHIFT

    @property
    def thumb(self) -> bool:
        """CPSR.T."""
        return bool(self.mode & M_THUMB)

    @property
    def nzcv(self) -> int:
        """The condition flags at their places in CPSR."""
        return flags.compute(self.cc_kind, self.cc_result, self.cc_source)

    @nzcv.setter
    def nzcv(self, value: int) -> None:
        self.cc_result, self.cc_source, self.cc_kind = flags.record(value & NZCV)

    @property
    def cpsr(self) -> int:
        """CPSR, with execution state bits (B1.3.3)."""
        value = self.nzcv | self.q_flag | self.ge | self.daif | self.cpu_mode
        return value | delivery.bits_of_mode(self.mode)

    def set_cpsr(self, value: int) -> None:
        """Take a whole CPSR, whatever the present mode may do."""
        self.mode &= ~(M_IT | M_THUMB | M_BIG_ENDIAN)
        self.mode |= (M_THUMB if value & modes.CPSR_T else 0) | (M_BIG_ENDIAN if value & modes.CPSR_E else 0)
        self.mode |= modes.it_of(value) << modes.M_IT_SHIFT
        self.nzcv, self.q_flag, self.ge = value, value & CPSR_Q, value & CPSR_GE
        self.daif = value & CPSR_AIF
        self.enter_mode(value & CPSR_M)
        self.mode_changed()

    def may_enter(self, mode: int) -> bool:
        """Whether a write of CPSR.M has an effect: not to modes that are not there, nor to what is above."""
        if mode == MON:
            return self.has_el3 and not self.sys.scr_el3 & delivery.SCR_NS
        return mode != HYP or self.cpu_mode == HYP

    def register_slot(self, number: int) -> int:
        """The offset of a register of the present mode."""
        return layout.x(number)

    def spsr_slot(self, mode: int) -> int:
        """The offset of SPSR of a mode that is not the present one."""
        return SPSR_BANK32 + 8 * BANK[mode]

    def enter_mode(self, mode: int) -> None:
        """Change CPSR.M: other registers come into use."""
        if mode == USR:
            domains.use_user_table(self)
        old = self.cpu_mode
        if old != mode:
            self._exchange(old, mode)
        self.mode = self.mode & ~(M_MODE | M_LEVEL) | (mode & 15) << M_MODE_SHIFT | modes.level(mode)

    def _exchange(self, old: int, new: int) -> None:
        """Put away the registers of one mode, and take out those of another one."""
        q, r = self.q, self.r
        numbers = (8, 9, 10, 11, 12, 13, 14) if FIQ in (old, new) else (13, 14)
        for number in numbers:
            slot = modes.banked(number, old)
            assert slot is not None
            q[slot >> 3] = r[number]
        q[self.spsr_slot(old) >> 3] = self.spsr
        for number in numbers:
            slot = modes.banked(number, new)
            assert slot is not None
            r[number] = q[slot >> 3]
        self.spsr = q[self.spsr_slot(new) >> 3]

    # --- what there is beside it --------------------------------------------------------------------------------------

    @property
    def midr(self) -> int:
        """MIDR: which processor it is."""
        return self.model.midr

    @property
    def has_hypervisor(self) -> bool:
        """Whether HVC may lead anywhere."""
        return self.model.has("virtualization")

    @property
    def has_monitor(self) -> bool:
        """Whether SMC may lead anywhere."""
        return self.has_el3

    def ask_for_identification(self, reg: int) -> None:
        """Whether VMRS may read FPSID or MVFRn, by their numbers: nobody minds."""

    # --- registers of coprocessor 15 that are halves of others --------------------------------------------------------

    @property
    def dfar(self) -> int:
        """Address of the last data abort."""
        return self.sys.far_el1 & M32

    @dfar.setter
    def dfar(self, value: int) -> None:
        self.sys.far_el1 = self.sys.far_el1 & ~M32 | value & M32

    @property
    def ifar(self) -> int:
        """Address of the last prefetch abort."""
        return self.sys.far_el1 >> 32

    @ifar.setter
    def ifar(self, value: int) -> None:
        self.sys.far_el1 = self.sys.far_el1 & M32 | (value & M32) << 32

    @property
    def alignment_status(self) -> int:
        """Fault status of an access that is not aligned (B3.13.3)."""
        return 1 << 9 | 0x21 if mmu.is_long(self) else 1

    # --- derived state ------------------------------------------------------------------------------------------------

    def mode_changed(self) -> None:
        """Derive the mode bits, after CPSR or a register that they depend on has changed."""
        mode, sctlr = self.mode & KEPT | M_AARCH32, self.sys.sctlr_el1
        if sctlr & SCTLR_A:
            mode |= M_ALIGN
        elif not self.model.has("v7") and not (self.model.has("v6") and sctlr & SCTLR_U):
            mode |= M_ROTATE
        if self.may_access_vfp():
            mode |= M_CPACR
        if not (mode & M_CPACR and self.fpexc & FPEXC_EN):
            mode |= M_VFP_OFF
        self.mode = mode | self._fpscr_mode() | self._disabled_mode()

    def _disabled_mode(self) -> int:
        """The mode bits of what SCTLR and HSCTLR of ARMv8 disable (DDI 0487A.f, G6.2.118, G6.2.61)."""
        if not self.model.has("v8"):
            return 0
        sctlr = self.sys.sctlr_el2 if self.mode & M_LEVEL == 2 else self.sys.sctlr_el1
        return (M_NO_SETEND if sctlr & SCTLR_SED else 0) | (M_PLAIN_IT if sctlr & SCTLR_ITD else 0)

    def may_access_vfp(self) -> bool:
        """Whether coprocessors 10 and 11 may be accessed here (CPACR, NSACR)."""
        access = self.sys.cpacr_el1 >> 20 & 3 if self.model.has("v6") else 3
        return (access == 3 or (access == 1 and self.mode & M_LEVEL > 0)) and not self.is_kept_from_vfp()

    def is_kept_from_vfp(self) -> bool:
        """Whether Non-secure state has no access to coprocessors 10 and 11 (B1.11.3, NSACR)."""
        secure = not self.has_el3 or self.cpu_mode == MON or not self.sys.scr_el3 & delivery.SCR_NS
        return not secure and not self.sys.cptr_el3 & NSACR_CP10

    def _fpscr_mode(self) -> int:
        """The mode bits that FPSCR gives."""
        control = self.fpcr
        if not control:
            return 0
        mode = (control & FPSCR_LEN) >> 16 << M_LEN_SHIFT | (M_STRIDE if control & FPSCR_STRIDE else 0)
        if control & ~(FPSCR_LEN | FPSCR_STRIDE):
            mode |= M_FPCR
            if not control & ~(FPSCR_LEN | FPSCR_STRIDE | FPSCR_FLUSH):
                mode |= M_FLUSH
        return mode

    def set_fpexc(self, value: int) -> None:
        """Write FPEXC."""
        self.fpexc = value & FPEXC_EN
        self.mode_changed()

    @property
    def fpscr(self) -> int:
        """FPSCR (B4.1.58)."""
        return self.fpscr_nzcv | self.fpcr | self.fpsr

    def set_fpscr(self, value: int) -> None:
        """Write FPSCR; what there is not (traps) stays zero."""
        self.fpscr_nzcv, self.fpcr, self.fpsr = value & NZCV, value & FPSCR_CONTROL, value & FPSCR_STATUS
        self.mode_changed()

    # --- translation of addresses -------------------------------------------------------------------------------------

    def load_descriptor(self, address: int, size: int) -> int:
        """Read a descriptor of 4 or 8 bytes where a table has it."""
        return self.memory.load(address, size)

    def space_of_page(self, *, nonsecure: bool) -> int:
        """Where :attr:`memory` shows what a page leads to: there is one world for everybody."""
        return 0

    # --- hooks of the engine ------------------------------------------------------------------------------------------

    def block_key(self) -> tuple[int, int]:
        """Return the address of the next instruction and the mode bits that its translation depends on."""
        if self.pc & 3 and not self.mode & M_THUMB:
            self.pc &= ~3  # UNPREDICTABLE: a branch to the middle of a word
        return self.pc, self.mode

    def mmu_index(self) -> int:
        """Return the mmu index of the privilege level."""
        return LEVEL_MMU[self.mode & M_LEVEL]

    def decoder(self, flags: int) -> A32Decoder | ThumbDecoder:
        """Return the decoder of a mode."""
        return self._decoders.decoder(flags)

    def translator(self, flags: int, **context: Any) -> ArmTranslator:
        """Return a builder for one instruction."""
        assert self.engine is not None
        t = ArmTranslator(self.engine.table, self.helpers, **context)
        t.is_one_of_several = self.is_one_of_several
        t.begin(flags, self.model.features)
        return t

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

    def pending_interrupts(self) -> int:
        """ISR: what is pending, masked or not."""
        request = self.interrupt_request
        return (CPSR_I if request & delivery.REQUEST_IRQ else 0) | (CPSR_F if request & delivery.REQUEST_FIQ else 0)

    def wait_for_interrupt(self) -> None:
        """Halt until something is pending, masked or not (WFI)."""
        self.halted = not self.has_work()

    # --- coprocessors -------------------------------------------------------------------------------------------------

    def read_coprocessor(self, cp: int, opc1: int, crn: int, crm: int, opc2: int) -> int:
        """``MRC``; see `cp15.py`."""
        return cp15.read(self, (cp, opc1, crn, crm, opc2))

    def write_coprocessor(self, cp: int, opc1: int, crn: int, crm: int, opc2: int, value: int) -> None:
        """``MCR``; see `cp15.py`."""
        cp15.write(self, (cp, opc1, crn, crm, opc2), value)

    def read_coprocessor_pair(self, cp: int, opc1: int, crm: int) -> int:
        """``MRRC``."""
        return cp15.read(self, (cp, opc1, crm))

    def write_coprocessor_pair(self, cp: int, opc1: int, crm: int, value: int) -> None:
        """``MCRR``."""
        cp15.write(self, (cp, opc1, crm), value)

    def tables_changed(self) -> None:
        """A table base was written: ASIDs are not told apart, so nothing known is good any more."""
        refill.prepare_tables(self)
        self.tlb_flush()

    def domains_changed(self) -> None:
        """DACR was written."""
        domains.changed(self)

    def translation_changed(self) -> None:
        """A register that controls translation was written."""
        refill.prepare(self)
        self.tlb_flush()
        self.mode_changed()

    def tlb_flush(self, global_too: bool = True) -> None:
        """Forget all translations."""
        self.q[layout.DOMAINS_PRIVILEGED >> 3] = self.q[layout.DOMAINS_USER >> 3] = 0
        super().tlb_flush(global_too)

    # --- for people ---------------------------------------------------------------------------------------------------

    def registers_text(self) -> str:
        """Return the registers as ``info registers`` shows them."""
        return debug.registers_text(self)

    def registers(self) -> MutableMapping[str, int]:
        """Return the registers by their names in the manual."""
        return debug.Registers(self)

    def disassemble(self, code: bytes, address: int) -> list[tuple[int, str]]:
        """Return `code` as instructions of the present instruction set."""
        return debug.disassemble(code, address, thumb=self.thumb)

    def mnemonics(self) -> frozenset[str]:
        """Return the names of instructions."""
        return frozenset(encoding.name for each in SETS for encoding in each.encodings)

    # --- reset --------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Take the state after a reset: Supervisor mode, A32, everything masked (B1.8.7)."""
        q = self.q
        for slot in range(layout.PC >> 3, modes.AARCH32_END >> 3):
            q[slot] = 0
        self.sys = SystemState()
        self.sys.sctlr_el1 = self.model.reset_sctlr | (SCTLR_V if self.high_vectors else 0)
        self.sys.actlr_el1 = self.model.actlr
        self.sys.cntfrq_el0 = FREQUENCY
        self.sys.oslsr_el1 = cp15_debug.OS_LOCK_IMPLEMENTED | cp15_debug.OS_LOCKED
        self.mode = M_AARCH32 | (SVC & 15) << M_MODE_SHIFT | 1
        self.nzcv = Z  # UNKNOWN; this is what QEMU has
        self.daif = CPSR_AIF
        self.exclusive_address = NO_ADDRESS
        self.clear_interrupt(~0)
        self.halted = self.event = False
        self.timer.reset()
        self.cycle_counter.switch(on=False, divider=1)
        self.pc = delivery.HIGH_VECTORS if self.high_vectors else 0
        self.translation_changed()

    def start(self, entry: int, context: int, level: int) -> None:
        """Begin after a reset where another processor says; bit 0 of the address asks for Thumb."""
        self.reset()
        if level == 2:
            self.enter_mode(HYP)
        self.mode = self.mode & ~M_THUMB | (M_THUMB if entry & 1 else 0)
        self.r[0], self.pc = context, entry & M32 & ~1
