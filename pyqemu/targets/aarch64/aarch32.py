"""AArch32 state of a processor whose higher exception levels are in AArch64 state: EL0, for 32-bit programs, and EL1,
for 32-bit operating systems that a hypervisor or a monitor runs.

Instructions are those of :mod:`pyqemu.targets.arm`; here is what differs around them. Registers are the same bytes
(ARM DDI 0487A.f, D1.20.1). Where EL1 is in AArch64 state, translation is EL1's, and exceptions go there; where it is in
AArch32 state, both are as in a processor of 32 bits, but for what EL2 and EL3 keep to themselves: see
:mod:`pyqemu.targets.aarch64.aarch32_delivery` and :mod:`pyqemu.targets.aarch64.aarch32_coprocessor`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pyqemu.targets.aarch64 import mmu as mmu_64
from pyqemu.targets.aarch64 import stepping
from pyqemu.targets.aarch64.aarch32_coprocessor import admitted, admitted_to_vmrs, value_of
from pyqemu.targets.aarch64.exceptions import (
    ANY_CONDITION,
    SCTLR_NTWI,
    Aarch64Exception,
    wait_for_interrupt,
)
from pyqemu.targets.aarch64.layout import EC_FP_TRAP, M_FP_OFF, SPSR_BANK
from pyqemu.targets.aarch64.self_hosted import MDSCR_SS
from pyqemu.targets.arm import cp15, modes, refill
from pyqemu.targets.arm import mmu as mmu_32
from pyqemu.targets.arm import models as models_32
from pyqemu.targets.arm.decode import FIRST_OF_TWO, ArmDecoders
from pyqemu.targets.arm.exceptions import undefined
from pyqemu.targets.arm.extension import ExtensionRegisters
from pyqemu.targets.arm.layout import M32, NZCV, x
from pyqemu.targets.arm.long_descriptors import NS_TABLE, TranslationFault
from pyqemu.targets.arm.modes import FPEXC_EN, M_AARCH32, M_ALIGN, M_CPACR, M_VFP_OFF, SPSR_BANK32
from pyqemu.targets.arm.state import KEPT, SCTLR_A, ArmCpu, Registers32
from pyqemu.targets.arm.translator import ArmTranslator

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.models import Model
    from pyqemu.targets.aarch64.state import Aarch64Cpu
    from pyqemu.targets.arm.system_state import SystemState
    from pyqemu.tcg.builder import Helper

OPTIONAL = {"crc32": "crc32", "aes": "aes", "sha2": "sha2"}
"""Features that a model may have or not: as instructions ask for them, and as the 64-bit model names them."""
SAVED = {modes.ABT: "spsr_abt", modes.UND: "spsr_und", modes.IRQ: "spsr_irq", modes.FIQ: "spsr_fiq"}
"""The saved program status registers that AArch64 state has under their own names; SPSR_svc is SPSR_EL1."""

SPSR_OF_EL1 = SPSR_BANK + 8 >> 3


def _saved_slot(mode: int) -> int:
    return SPSR_BANK32 + 8 * modes.BANK[mode] >> 3


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
    semihosting = _of_whole()
    firmware_call = _of_whole()
    turns = _of_whole()
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
        self.fcse = self.cbar = self._space = self.privileged_dacr = self.user_dacr = 0
        self._decoders = ArmDecoders(self.model.has)
        cp15.load()

    # --- between the states -------------------------------------------------------------------------------------------

    def enter(self, cpsr: int) -> None:
        """Come from AArch64 state. The program counter is written already."""
        q, whole = self.q, self.whole
        for number, slot in enumerate(modes.X15_TO_X30, 15):
            q[slot >> 3] = q[x(number) >> 3] & M32
        for number in range(15):
            q[x(number) >> 3] &= M32
        q[_saved_slot(modes.SVC)] = q[SPSR_OF_EL1]
        for mode, name in SAVED.items():
            q[_saved_slot(mode)] = getattr(whole.sys, name)
        self.tpidruro = whole.sys.tpidrro_el0 & M32
        self.fpscr_nzcv, self.fpsr = self.fpsr & NZCV, self.fpsr & ~NZCV
        whole.mode = M_AARCH32
        # Where EL1 is in AArch64 state, FPEXC is as all see it who look from EL0 (D1.20.2).
        self.fpexc = whole.sys.fpexc32_el2 & FPEXC_EN if self.has_el1 else FPEXC_EN
        self.set_cpsr(cpsr)
        self.pc &= ~1 if self.thumb else ~3
        self.pc &= M32

    def leave(self) -> None:
        """Go to AArch64 state; the mode is still to be written."""
        q, whole = self.q, self.whole
        self.show_system_registers()
        self.enter_mode(modes.USR)
        for number, slot in enumerate(modes.X15_TO_X30, 15):
            q[x(number) >> 3] = q[slot >> 3]
        self.fpsr |= self.fpscr_nzcv
        whole.mode = 0

    def show_system_registers(self) -> None:
        """Write what only EL1 in AArch32 state can have changed to where AArch64 state has it."""
        if not self.has_el1:
            return
        q, state = self.q, self.whole.sys
        q[SPSR_OF_EL1] = self.saved_status(modes.SVC)
        for mode, name in SAVED.items():
            setattr(state, name, self.saved_status(mode))
        state.tpidrro_el0, state.fpexc32_el2 = self.tpidruro, self.fpexc

    def saved_status(self, mode: int) -> int:
        """SPSR of a processor mode."""
        return self.spsr if mode == self.cpu_mode else int(self.q[_saved_slot(mode)])

    def mode_changed(self) -> None:
        """Derive the mode bits: what EL1's registers allow, and those of higher levels."""
        if self.has_el1:
            super().mode_changed()
            if self.whole.fp_trap(self.whole.el):
                self.mode = self.mode & ~M_CPACR | M_VFP_OFF
        else:
            mode = self.mode & KEPT | M_AARCH32
            if self.sys.sctlr_el1 & SCTLR_A:
                mode |= M_ALIGN
            mode |= M_FP_OFF if self.whole.fp_trap(0) else M_CPACR
            self.mode = mode | self._fpscr_mode() | self._disabled_mode()
        if self.sys.mdscr_el1 & MDSCR_SS:
            self.mode |= stepping.mode_bits(self.whole)

    # --- what there is beside it --------------------------------------------------------------------------------------

    @property
    def has_el1(self) -> bool:
        """Whether EL1, too, is in AArch32 state."""
        return self.whole.el1_is_aarch32

    @property
    def midr(self) -> int:
        """MIDR: as a hypervisor shows it to EL1."""
        return value_of(self.whole, "MIDR_EL1") & M32

    @property
    def mpidr(self) -> int:  # type: ignore[override]
        """MPIDR: as a hypervisor shows it to EL1."""
        return value_of(self.whole, "MPIDR_EL1") & M32

    @property
    def has_hypervisor(self) -> bool:
        return self.whole.has_el2

    @property
    def has_monitor(self) -> bool:
        return self.whole.has_el3

    def pending_interrupts(self) -> int:
        return self.whole.pending_interrupts()

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
        if self.has_el1 and not self.whole.el and not self.sys.sctlr_el1 & SCTLR_NTWI and not self.has_work():
            raise undefined()
        try:
            wait_for_interrupt(self.whole)
        except Aarch64Exception as trap:
            trap.length = len(self.code())
            raise

    # --- translation of addresses, where EL1 is in AArch32 state ------------------------------------------------------

    def stage1(self, vaddr: int, access: int, *, user: bool) -> tuple[int, int, int]:
        """What :func:`pyqemu.targets.arm.mmu.translate` says.

        :raise ShortFault: as there.
        :raise TranslationFault: as there, or by the second stage of an access to a table.
        """
        self._space = self.whole.space_of(1)
        return mmu_32.translate(self, vaddr & M32, access, user=user)

    def load_descriptor(self, address: int, size: int) -> int:
        descriptor = mmu_64.load_descriptor(self.whole, address, size, self._space)
        if size == 8 and descriptor & NS_TABLE:
            self._space = 0
        return descriptor

    def space_of_page(self, *, nonsecure: bool) -> int:
        return 0 if nonsecure else self.whole.space_of(1)

    def tables_changed(self) -> None:
        refill.prepare_tables(self)
        self.whole.tlb_flush()

    def translation_changed(self) -> None:
        self.whole.translation_changed()

    # --- coprocessors -------------------------------------------------------------------------------------------------

    def read_coprocessor(self, cp: int, opc1: int, crn: int, crm: int, opc2: int) -> int:
        key = (cp, opc1, crn, crm, opc2)
        shared = admitted(self, key, write=False)
        return shared.read(self.whole) & M32 if shared else super().read_coprocessor(*key)

    def write_coprocessor(self, cp: int, opc1: int, crn: int, crm: int, opc2: int, value: int) -> None:
        key = (cp, opc1, crn, crm, opc2)
        shared = admitted(self, key, write=True)
        if shared:
            shared.write(self.whole, value)
            return
        try:
            super().write_coprocessor(*key, value)
        except TranslationFault as fault:  # an address was to be translated, and a hypervisor's tables are in the way
            raise mmu_64.abort_of_translation(self.whole, fault, value) from None

    def read_coprocessor_pair(self, cp: int, opc1: int, crm: int) -> int:
        shared = admitted(self, (cp, opc1, crm), write=False)
        return shared.read(self.whole) if shared else super().read_coprocessor_pair(cp, opc1, crm)

    def write_coprocessor_pair(self, cp: int, opc1: int, crm: int, value: int) -> None:
        shared = admitted(self, (cp, opc1, crm), write=True)
        if shared:
            shared.write(self.whole, value)
        else:
            super().write_coprocessor_pair(cp, opc1, crm, value)

    def ask_for_identification(self, reg: int) -> None:
        admitted_to_vmrs(self, reg)

    # --- the present instruction --------------------------------------------------------------------------------------

    def code(self) -> bytes:
        """Its two or four bytes; the page may be one that can only be executed."""
        pc = self.pc
        if not self.thumb:
            return self.whole.fetch(pc, 4)
        first = self.whole.fetch(pc, 2)
        return first if first[1] >> 3 < FIRST_OF_TWO else first + self.whole.fetch(pc + 2, 2)

    def view(self, number: int) -> int:
        """Which register of AArch64 state is register 0 to 14 of the present mode (D1.20.1)."""
        found = modes.x_register(number, self.cpu_mode)
        assert found is not None  # Monitor mode is not here
        return found


class Aarch32Translator(ArmTranslator):
    """Stages an AArch32 instruction of a processor that has both states."""

    def call(self, helper: Helper, *args: Any, **how: Any) -> Any:
        """Call a helper with the processor as AArch32 sees it."""
        return super().call(_on_aarch32(helper), *args, **how)

    def refuse_vfp(self, *, while_off: bool = False) -> None:
        """VFP and Advanced SIMD may not be used here: whoever forbids it is told."""
        self.raise_(_refuse_vfp, int(while_off))


@cache
def _on_aarch32(helper: Helper) -> Helper:
    def call(cpu: Aarch64Cpu, *args: int) -> Any:
        return helper(cpu.aarch32, *args)

    return call


def _refuse_vfp(cpu: Aarch32State, while_off: int) -> None:
    """To EL1 in AArch32 state the instruction is UNDEFINED; all others take a trap."""
    if cpu.has_el1 and not (cpu.may_access_vfp() and (while_off or cpu.fpexc & FPEXC_EN)):
        raise undefined()
    raise Aarch64Exception(EC_FP_TRAP, ANY_CONDITION, length=len(cpu.code()))
