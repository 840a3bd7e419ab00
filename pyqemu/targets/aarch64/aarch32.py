"""AArch32 state of a processor whose higher exception levels are in AArch64 state: EL0, for 32-bit programs.

Instructions are those of :mod:`pyqemu.targets.arm`; here is what differs around them. Registers are the same bytes
(ARM DDI 0487A.f, D1.20.1), translation is that of EL1, exceptions go to AArch64 state with syndromes of their own.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pyqemu.targets.aarch64.exceptions import ANY_CONDITION, Aarch64Exception, wait_for_interrupt
from pyqemu.targets.aarch64.layout import (
    ALIGNMENT_FAULT,
    EC_BKPT32,
    EC_DATA_ABORT,
    EC_FP_TRAP,
    EC_SVC32,
    EC_UNKNOWN,
    M_FP_OFF,
)
from pyqemu.targets.arm import cp15, modes
from pyqemu.targets.arm import models as models_32
from pyqemu.targets.arm.decode import FIRST_OF_TWO, ArmDecoders
from pyqemu.targets.arm.exceptions import CALLS, DEBUG_EVENT, WRITE, ArmException, Kind
from pyqemu.targets.arm.extension import ExtensionRegisters
from pyqemu.targets.arm.layout import M32, NZCV, x
from pyqemu.targets.arm.modes import M_AARCH32, M_ALIGN, M_CPACR, M_IT, M_IT_SHIFT, R8_BANK, advance
from pyqemu.targets.arm.state import KEPT, SCTLR_A, ArmCpu, Registers32
from pyqemu.targets.arm.translator import ArmTranslator

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.models import Model
    from pyqemu.targets.aarch64.state import Aarch64Cpu
    from pyqemu.targets.arm.system_state import SystemState
    from pyqemu.tcg.builder import Helper

OPTIONAL = {"crc32": "crc32", "aes": "aes", "sha2": "sha2"}
"""Features that a model may have or not: as instructions ask for them, and as the 64-bit model names them."""
WRITE_BIT = 1 << 6  #: of the syndrome of a data abort: WnR
FIQ_R8 = R8_BANK + 5 * 8
BANKS = (modes.R13_BANK + 8 * modes.BANK[modes.HYP],) + tuple(
    bank + 8 * modes.BANK[mode]
    for mode in (modes.IRQ, modes.SVC, modes.ABT, modes.UND)
    for bank in (modes.R14_BANK, modes.R13_BANK)
) + tuple(FIQ_R8 + 8 * number for number in range(5)) + (
    modes.R13_BANK + 8 * modes.BANK[modes.FIQ], modes.R14_BANK + 8 * modes.BANK[modes.FIQ],
)  # fmt: skip
"""What X15 to X30 are in AArch32 state (D1.20.1, table D1-70)."""


def model_of(whole: Model) -> models_32.Model:
    """The model of the same processor as one of AArch32."""
    features = models_32.V8 | {feature for feature, name in OPTIONAL.items() if whole.has(name)}
    return models_32.Model(
        whole.name, whole.midr, features, whole.ctr, whole.reset_sctlr & M32, fpsid=0x41034070, pfr=whole.pfr,
        dfr0=whole.dfr0, mmfr=whole.mmfr, isar=whole.isar, mvfr=whole.mvfr, dbgdidr=whole.dbgdidr,
        clidr=whole.clidr, ccsidr=whole.ccsidr,
    )  # fmt: skip


class _OfWhole:
    """An attribute that is the whole processor's."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, state: Aarch32State | None, owner: type) -> Any:
        return self if state is None else getattr(state.whole, self._name)

    def __set__(self, state: Aarch32State, value: object) -> None:
        setattr(state.whole, self._name, value)


def _of_whole() -> Any:
    return _OfWhole()


class Aarch32State(ArmCpu):
    """An AArch64 processor as AArch32's instructions and their helpers see it.

    :ivar whole: the processor
    """

    halted = _of_whole()
    dozing = _of_whole()
    event = _of_whole()
    interrupt_request = _of_whole()
    powered_off = _of_whole()
    sys: SystemState = _of_whole()
    memory = _of_whole()
    mmu = _of_whole()
    engine = _of_whole()
    turns = _of_whole()
    mpidr = _of_whole()
    timer = _of_whole()
    cycle_counter = _of_whole()
    helpers = _of_whole()
    on_event = _of_whole()
    on_deliver = _of_whole()

    def __init__(self, whole: Aarch64Cpu) -> None:  # nothing of its own: what other processors get is there already
        self.whole = whole
        self.env, self.b, self.w, self.l, self.q = whole.env, whole.b, whole.w, whole.l, whole.q
        self.model = model_of(whole.model)
        self.has_el3 = self.high_vectors = False
        self.r = Registers32(self.q)
        self.v = ExtensionRegisters(self.q, self.l)
        self.fcse = self.cbar = 0
        self.firmware_call = None
        self._decoders = ArmDecoders(self.model.has)
        cp15.load()

    # --- between the states -------------------------------------------------------------------------------------------

    def enter(self, cpsr: int) -> None:
        """Come from AArch64 state, at EL0. The program counter is written already."""
        q, whole = self.q, self.whole
        for number, slot in enumerate(BANKS, 15):
            q[slot >> 3] = q[x(number) >> 3] & M32
        for number in range(15):
            q[x(number) >> 3] &= M32
        self.tpidruro = whole.sys.tpidrro_el0 & M32
        self.fpexc = modes.FPEXC_EN  # as all see it who look from here (D1.20.2)
        self.fpscr_nzcv, self.fpsr = self.fpsr & NZCV, self.fpsr & ~NZCV
        whole.mode = M_AARCH32
        self.set_cpsr(cpsr)
        self.pc &= ~1 if self.thumb else ~3
        self.pc &= M32

    def leave(self) -> None:
        """Go to AArch64 state; the mode is still to be written."""
        q = self.q
        for number, slot in enumerate(BANKS, 15):
            q[x(number) >> 3] = q[slot >> 3]
        self.fpsr |= self.fpscr_nzcv
        self.whole.mode = 0

    def mode_changed(self) -> None:
        """Derive the mode bits: what the registers of AArch64 allow."""
        mode = self.mode & KEPT | M_AARCH32
        if self.sys.sctlr_el1 & SCTLR_A:
            mode |= M_ALIGN
        mode |= M_FP_OFF if self.whole.fp_off(0) else M_CPACR
        self.mode = mode | self._fpscr_mode()

    # --- hooks --------------------------------------------------------------------------------------------------------

    def translator(self, flags: int, **context: Any) -> ArmTranslator:
        """Return a builder for one instruction."""
        assert self.engine is not None
        t = Aarch32Translator(self.engine.table, self.helpers, **context)
        t.is_one_of_several = self.is_one_of_several
        t.begin(flags, self.model.features)
        return t

    def debug_translate(self, vaddr: int) -> int | None:
        return self.whole.debug_translate(vaddr)

    def kick(self) -> None:
        self.whole.kick()

    def tlb_flush(self, global_too: bool = True) -> None:
        self.whole.tlb_flush(global_too)

    def tlb_flush_page(self, vaddr: int) -> None:
        self.whole.tlb_flush_page(vaddr)

    def has_work(self) -> bool:
        return self.whole.has_work()

    def wait_for_interrupt(self) -> None:
        wait_for_interrupt(self.whole)

    # --- exceptions ---------------------------------------------------------------------------------------------------

    def converted(self, exc: ArmException) -> Aarch64Exception:
        """An exception of AArch32's instructions as AArch64 state takes it (D1.10.4, D7.2.27)."""
        if exc.kind in CALLS:
            code = self._code()
            self.mode = self.mode & ~M_IT | advance(self.mode >> M_IT_SHIFT & 0xFF) << M_IT_SHIFT
            comment = code[0] if self.thumb else int.from_bytes(code[:2], "little")
            return Aarch64Exception(EC_SVC32, comment, following=True, length=len(code))
        if exc.kind is Kind.PREFETCH_ABORT:
            assert exc.status == DEBUG_EVENT
            code = self._code()
            word = int.from_bytes(code, "little")
            comment = word & 0xFF if self.thumb else word >> 4 & 0xFFF0 | word & 15
            return Aarch64Exception(EC_BKPT32, comment, length=len(code))
        if exc.kind is Kind.DATA_ABORT:
            write = WRITE_BIT if exc.status & WRITE else 0
            return Aarch64Exception(EC_DATA_ABORT, write | ALIGNMENT_FAULT, exc.address)
        return Aarch64Exception(EC_UNKNOWN)

    def _code(self) -> bytes:
        """The present instruction."""
        pc = self.pc
        if not self.thumb:
            return self.whole.read(pc, 4)
        first = self.whole.read(pc, 2)
        return first if first[1] >> 3 < FIRST_OF_TWO else first + self.whole.read(pc + 2, 2)


class Aarch32Translator(ArmTranslator):
    """Stages an AArch32 instruction of a processor that has both states."""

    def call(self, helper: Helper, *args: Any, **how: Any) -> Any:
        """Call a helper with the processor as AArch32 sees it."""
        return super().call(_on_aarch32(helper), *args, **how)

    def vfp_enabled(self) -> bool:
        """Whether VFP and Advanced SIMD may be used here; if not, EL1 is told."""
        if not self.vfp_on:
            self.raise_(_raise_fp_trap)
        return self.vfp_on


@cache
def _on_aarch32(helper: Helper) -> Helper:
    def call(cpu: Aarch64Cpu, *args: int) -> Any:
        return helper(cpu.aarch32, *args)

    return call


def _raise_fp_trap(cpu: Aarch32State) -> None:
    raise Aarch64Exception(EC_FP_TRAP, ANY_CONDITION)
