"""The x86 CPU: architectural state as named fields over ``env``, and the hooks that the engine calls.

`layout.py` says where things lie; here they get names. The work behind the hooks stands in modules of its own: paging
in `mmu.py`, segment loads and far transfers in `segmentation.py`, faults and interrupts in `interrupts.py`, task
switches in `tasks.py`, model-specific registers in `msr.py`, CPUID in `models.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from pyqemu.targets.x86 import debug, flags, insns, interrupts, layout, pagewalk, refill, registers, stepping
from pyqemu.targets.x86 import mmu as paging
from pyqemu.targets.x86.breakpoints import DataBreakpoints
from pyqemu.targets.x86.decode import Decoder, Instruction
from pyqemu.targets.x86.layout import (
    AC,
    CC_MASK,
    CR0_EM,
    CR0_ET,
    CR0_MP,
    CR0_PE,
    CR0_TS,
    CR4_OSFXSR,
    CR4_SMAP,
    CS,
    DESC_A,
    DESC_B,
    DESC_CODE,
    DESC_E,
    DESC_L,
    DESC_P,
    DESC_R,
    DESC_S,
    DESC_W,
    DR6_ONES,
    DR7_ONES,
    DS,
    EFER_LMA,
    EFLAGS_ONES,
    ES,
    HF_BREAK,
    HF_CPL,
    HF_CS32,
    HF_CS64,
    HF_CS_FLAT,
    HF_DS_FLAT,
    HF_EM,
    HF_ES_FLAT,
    HF_IOPL,
    HF_LMA,
    HF_MP,
    HF_OSFXSR,
    HF_PE,
    HF_SHADOW,
    HF_SMAP,
    HF_SS32,
    HF_SS_FLAT,
    HF_STEP,
    HF_TF,
    HF_TS,
    HF_VM,
    IF,
    IOPL_MASK,
    IOPL_SHIFT,
    IRQ_HARD,
    IRQ_INIT,
    IRQ_NMI,
    IRQ_SIPI,
    LDT,
    LDTR,
    M16,
    M32,
    M64,
    SEG,
    SEG_STRIDE,
    SS,
    TF,
    TR,
    TSS32_BUSY,
    VM,
)
from pyqemu.targets.x86.models import CpuModel, cpu_model
from pyqemu.targets.x86.opmap import OPCODES
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.alone import ARMED
from pyqemu.tcg.builder import Builder
from pyqemu.tcg.cpu import Cpu, GuestException
from pyqemu.tcg.env import Global
from pyqemu.tcg.pagewalk import PageWalk

if TYPE_CHECKING:
    from pyqemu.targets.x86.exceptions import X86Exception

FLAT_ALL = HF_CS_FLAT | HF_SS_FLAT | HF_DS_FLAT | HF_ES_FLAT
RESET_PAT = 0x0007040600070406
SELECTOR_SLOT, BASE_SLOT, LIMIT_SLOT, FLAGS_SLOT, READ_LO, READ_HI, WRITE_LO, WRITE_HI = range(8)
EFLAGS_SLOT, HFLAGS_SLOT = layout.EFLAGS >> 3, layout.HFLAGS >> 3
CS_FLAGS, SS_FLAGS, CS_BASE = layout.SEG_FLAGS(CS) >> 3, layout.SEG_FLAGS(SS) >> 3, layout.SEG_BASE(CS) >> 3


class LocalApic(Protocol):
    """What the processor needs of its local APIC, which delivers all external interrupts."""

    apicbase: int
    cr8: int
    startup_vector: int

    def has_interrupt(self) -> bool:
        """Return whether `get_interrupt` would return a vector now."""

    def get_interrupt(self) -> int:
        """Acknowledge and return the highest interrupt's vector; a negative number if it has gone."""

    def set_base(self, value: int) -> None:
        """Write IA32_APIC_BASE."""


class SegmentCache:
    """One segment register with its hidden part; a view of eight slots in ``env``."""

    __slots__ = ("_at", "_q", "name")

    def __init__(self, q: memoryview, index: int) -> None:
        self._q = q
        self._at = (SEG + SEG_STRIDE * index) >> 3
        self.name = ("es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr")[index]

    @property
    def selector(self) -> int:
        """The visible part."""
        return int(self._q[self._at])

    @property
    def base(self) -> int:
        """The linear address of offset 0."""
        return int(self._q[self._at + BASE_SLOT])

    @property
    def limit(self) -> int:
        """The limit in bytes (granularity applied)."""
        return int(self._q[self._at + LIMIT_SLOT])

    @property
    def flags(self) -> int:
        """The attributes, as in the second dword of the descriptor."""
        return int(self._q[self._at + FLAGS_SLOT])

    @property
    def writable_range(self) -> tuple[int, int]:
        """Lowest and highest offset that may be written."""
        return int(self._q[self._at + WRITE_LO]), int(self._q[self._at + WRITE_HI])

    @property
    def readable_range(self) -> tuple[int, int]:
        """Lowest and highest offset that may be read."""
        return int(self._q[self._at + READ_LO]), int(self._q[self._at + READ_HI])

    def set_base(self, base: int) -> None:
        """Set the base alone (FS and GS by MSR or WRFSBASE)."""
        self._q[self._at + BASE_SLOT] = base

    def set_real(self, selector: int) -> None:
        """Load `selector` as in real mode: selector and base change, limit and attributes stay (SDM vol. 3,
        20.1.1).
        """
        self._q[self._at] = selector
        self._q[self._at + BASE_SLOT] = selector << 4

    def set_raw(self, selector: int, base: int, limit: int, attributes: int) -> None:
        """Set everything but the access ranges, which `set_ranges` derives."""
        q, at = self._q, self._at
        q[at], q[at + 1], q[at + 2], q[at + 3] = selector, base, limit, attributes

    def set_ranges(self, protected: bool) -> None:
        """Derive which offsets may be read and written (SDM vol. 3, 5.3 and 5.4; real mode checks the limit only)."""
        q, at = self._q, self._at
        limit, attributes = q[at + LIMIT_SLOT], q[at + FLAGS_SLOT]
        readable = writable = True
        low, high = 0, limit
        if protected:
            code = attributes & DESC_CODE
            present = attributes & (DESC_P | DESC_S) == DESC_P | DESC_S
            readable = bool(present and (not code or attributes & DESC_R))
            writable = bool(present and not code and attributes & DESC_W)
            if present and not code and attributes & DESC_E:
                low, high = limit + 1, M32 if attributes & DESC_B else M16
        q[at + READ_LO], q[at + READ_HI] = (low, high) if readable else (1, 0)
        q[at + WRITE_LO], q[at + WRITE_HI] = (low, high) if writable else (1, 0)

    def __repr__(self) -> str:
        return f"<{self.name} {self.selector:04x} base={self.base:x} limit={self.limit:x} flags={self.flags:06x}>"


class X86Cpu(Cpu):
    """One x86 processor. Fields are slots of ``env``: native code and Python see the same bytes."""

    fetch_mmu = (0, 0, 0, 1)
    pc_slot = layout.EIP
    irq_pending_slot = layout.IRQ_PENDING
    event_mnemonics = frozenset({"int_n"})

    # fmt: off
    rax = Global(layout.RAX, 8)
    rcx = Global(layout.RCX, 8)
    rdx = Global(layout.RDX, 8)
    rbx = Global(layout.RBX, 8)
    rsp = Global(layout.RSP, 8)
    rbp = Global(layout.RBP, 8)
    rsi = Global(layout.RSI, 8)
    rdi = Global(layout.RDI, 8)
    r8  = Global(layout.R8, 8)
    r9  = Global(layout.R9, 8)
    r10 = Global(layout.R10, 8)
    r11 = Global(layout.R11, 8)
    r12 = Global(layout.R12, 8)
    r13 = Global(layout.R13, 8)
    r14 = Global(layout.R14, 8)
    r15 = Global(layout.R15, 8)
    eip = Global(layout.EIP, 8)                  # RIP; offset within CS
    cc_dst = Global(layout.CC_DST, 8)
    cc_src = Global(layout.CC_SRC, 8)
    cc_op = Global(layout.CC_OP, 8)
    eflags_rest = Global(layout.EFLAGS, 8)       # without CC_MASK
    hflags = Global(layout.HFLAGS, 8)
    irq_pending = Global(layout.IRQ_PENDING, 8)
    tsc_aux = Global(layout.TSC_AUX, 8)
    shadow_eip = Global(layout.SHADOW_EIP, 8)
    stepped = Global(layout.STEPPED, 8)
    nmi_blocked = Global(layout.NMI_BLOCKED, 8)
    gdt_base = Global(layout.GDT_BASE, 8)
    gdt_limit = Global(layout.GDT_LIMIT, 8)
    idt_base = Global(layout.IDT_BASE, 8)
    idt_limit = Global(layout.IDT_LIMIT, 8)
    cr0 = Global(layout.CR0, 8)
    cr2 = Global(layout.CR2, 8)
    cr3 = Global(layout.CR3, 8)
    cr4 = Global(layout.CR4, 8)
    dr0 = Global(layout.DR, 8)
    dr1 = Global(layout.DR + 8, 8)
    dr2 = Global(layout.DR + 16, 8)
    dr3 = Global(layout.DR + 24, 8)
    dr6 = Global(layout.DR + 48, 8)
    dr7 = Global(layout.DR + 56, 8)
    efer = Global(layout.EFER, 8)
    star = Global(layout.STAR, 8)
    lstar = Global(layout.LSTAR, 8)
    cstar = Global(layout.CSTAR, 8)
    sfmask = Global(layout.SFMASK, 8)
    kernel_gs_base = Global(layout.KERNEL_GS_BASE, 8)
    sysenter_cs = Global(layout.SYSENTER_CS, 8)
    sysenter_esp = Global(layout.SYSENTER_ESP, 8)
    sysenter_eip = Global(layout.SYSENTER_EIP, 8)
    tsc_offset = Global(layout.TSC_OFFSET, 8)
    pat = Global(layout.PAT, 8)
    xcr0 = Global(layout.XCR0, 8)
    a20_mask = Global(layout.A20_MASK, 8)
    smbase = Global(layout.SMBASE, 8)
    fpstt = Global(layout.FPSTT, 8)
    fptags = Global(layout.FPTAGS, 8)            # one byte a register, 1 = empty
    fpus = Global(layout.FPUS, 8)
    fpuc = Global(layout.FPUC, 8)
    fpop = Global(layout.FPOP, 8)
    fpip = Global(layout.FPIP, 8)
    fpcs = Global(layout.FPCS, 8)
    fpdp = Global(layout.FPDP, 8)
    fpds = Global(layout.FPDS, 8)
    mxcsr = Global(layout.MXCSR, 8)
    # fmt: on

    def __init__(self, model: CpuModel | str = "qemu64", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._control_bits, self._smap, self.reserved_bits = 0, 0, 0
        self.data_breakpoints = DataBreakpoints(self)
        self.model = cpu_model(model) if isinstance(model, str) else model
        self.seg = tuple(SegmentCache(self.q, n) for n in range(8))
        self.es, self.cs, self.ss, self.ds, self.fs, self.gs, self.ldtr, self.tr = self.seg
        self.apic: LocalApic | None = None
        self.apic_id = 0
        self.read_tsc: Callable[[], int] = self._clock_now
        self.on_ferr: Callable[[bool], None] = lambda level: None
        self.on_triple_fault: Callable[[list[X86Exception]], None] = lambda chain: None
        self.msrs: dict[int, int] = {}  # model-specific registers that are only storage
        self.wait_for_sipi = False
        self.is_bsp = True
        self.debug_shadow = False  # MOV SS holds off debug traps, too
        self.keep_rf = False  # the RF that IRET loaded is for the instruction that follows
        self._empty: dict[int, Instruction] = {}
        self._decoders: dict[int, Decoder | stepping.StepDecoder] = {}
        self.reset()

    def _clock_now(self) -> int:
        return 0 if self.clock is None else self.clock.now()

    # --- flags ---------------------------------------------------------------------------------------------------

    def get_eflags(self) -> int:
        """Return EFLAGS, with the arithmetic flags computed from the last operation."""
        return self.eflags_rest | EFLAGS_ONES | flags.compute(self.cc_op, self.cc_dst, self.cc_src)

    def set_eflags(self, value: int, mask: int = M32) -> None:
        """Set the bits of `mask` to those of `value`; `hflags` follow."""
        merged = self.get_eflags() & ~mask | value & mask
        self.cc_op, self.cc_dst, self.cc_src = flags.record(merged)
        rest = merged & ~CC_MASK & M32 & ~EFLAGS_ONES
        changed = rest ^ self.eflags_rest
        self.eflags_rest = rest
        if changed & (TF | IOPL_MASK | VM | AC):
            self.update_hflags()

    eflags = property(get_eflags, set_eflags)

    @property
    def cpl(self) -> int:
        """The current privilege level."""
        return self.hflags & HF_CPL

    @property
    def iopl(self) -> int:
        """The I/O privilege level."""
        return self.eflags_rest >> IOPL_SHIFT & 3

    @property
    def real_mode(self) -> bool:
        """Whether segments are loaded as in real mode: CR0.PE clear, or virtual 8086."""
        return self.hflags & (HF_PE | HF_VM) != HF_PE

    # --- derived state -------------------------------------------------------------------------------------------

    def update_control(self) -> None:
        """Derive the mode bits that come from control and debug registers alone, after any of these changed."""
        cr0, cr4 = self.cr0, self.cr4
        bits = (cr0 & CR0_TS and HF_TS) | (cr0 & CR0_EM and HF_EM) | (cr0 & CR0_MP and HF_MP) | (cr0 & CR0_PE and HF_PE)
        bits |= (cr4 & CR4_OSFXSR and HF_OSFXSR) | (self.efer & EFER_LMA and HF_LMA)
        if self.dr7 & 0xFF and self.has_instruction_breakpoint():
            bits |= HF_BREAK
        self._control_bits = bits
        self._smap = cr4 & CR4_SMAP
        self.data_breakpoints.update()
        self.reserved_bits = paging.reserved_bits(self)
        self.update_hflags()

    def update_hflags(self, cpl: int | None = None) -> None:
        """Derive `hflags`, after EFLAGS, a segment register or the privilege level changed.

        :param cpl: the new privilege level, None to keep it.
        """
        q = self.q
        rest, old, new = q[EFLAGS_SLOT], q[HFLAGS_SLOT], self._control_bits
        level = old & HF_CPL if cpl is None else cpl
        code = q[CS_FLAGS]
        if code & DESC_L and new & HF_LMA:
            new |= HF_CS64 | HF_CS32 | HF_SS32 | FLAT_ALL
            if level <= rest >> IOPL_SHIFT & 3:
                new |= HF_IOPL
        else:
            new |= (code & DESC_B and HF_CS32) | (q[SS_FLAGS] & DESC_B and HF_SS32)
            if not new & HF_PE:
                new |= HF_IOPL
                level = 0
            elif rest & VM:
                level = 3
                new |= HF_VM
                if rest & IOPL_MASK == IOPL_MASK:
                    new |= HF_IOPL
            else:
                new |= self._flat_segments()
                if level <= rest >> IOPL_SHIFT & 3:
                    new |= HF_IOPL
            if not new & HF_CS_FLAT:
                new |= q[CS_BASE] << 32
        if rest & TF:
            new |= HF_TF
        if self._smap and level < 3 and not rest & AC:
            new |= HF_SMAP
        q[HFLAGS_SLOT] = new | level | old & HF_SHADOW

    def _flat_segments(self) -> int:
        """Return which segment registers are flat, in protected mode."""
        new, q = 0, self.q
        wanted = DESC_P | DESC_S | DESC_R  # R of a code segment and W of a data segment are the same bit
        for bit, index in ((HF_CS_FLAT, CS), (HF_SS_FLAT, SS), (HF_DS_FLAT, DS), (HF_ES_FLAT, ES)):
            at = (SEG + SEG_STRIDE * index) >> 3
            attributes = q[at + FLAGS_SLOT]
            if (
                q[at + BASE_SLOT] == 0
                and q[at + LIMIT_SLOT] == M32
                and attributes & wanted == wanted
                and (index == CS) == bool(attributes & DESC_CODE)
                and (index == CS or not attributes & DESC_E)
            ):
                new |= bit
        return new

    def has_instruction_breakpoint(self) -> bool:
        """Return whether DR7 enables a breakpoint on execution (SDM vol. 3, 17.2.4)."""
        dr7 = self.dr7
        return any(dr7 >> 2 * n & 3 and not dr7 >> 16 + 4 * n & 3 for n in range(4))

    def update_segment_ranges(self) -> None:
        """Derive all access ranges again, after CR0.PE or EFLAGS.VM changed."""
        protected = not self.real_mode
        for segment in self.seg[:6]:
            segment.set_ranges(protected)

    def set_real_code(self, selector: int) -> None:
        """Load CS as in real mode."""
        self.cs.set_real(selector)
        self.hflags = self.hflags & M32 | selector << 36

    def load_segment_cache(self, index: int, selector: int, base: int, limit: int, attributes: int) -> None:
        """Write a segment register with its hidden part. The caller updates `hflags`."""
        segment = self.seg[index]
        segment.set_raw(selector, base, limit, attributes)
        if index < LDTR:
            segment.set_ranges(not self.real_mode)

    # --- hooks of the engine -------------------------------------------------------------------------------------

    def block_key(self) -> tuple[int, int]:
        """Return the linear address of the next instruction and the mode bits that its translation depends on."""
        hf = self.hflags
        if hf & HF_CS64:
            return self.eip, hf
        return self.cs.base + self.eip & M32, hf

    def decoder(self, flags: int) -> Decoder | stepping.StepDecoder:
        """Return the decoder of a mode; modes that differ in the CS base share one."""
        plain = flags & M32
        found = self._decoders.get(plain)
        if found is None:
            insns.load()
            inner = Decoder(plain, self.model.names)
            found = self._decoders[plain] = stepping.StepDecoder(inner) if plain & HF_STEP else inner
        return found

    def build_refill(self, t: Builder) -> bool:
        """Emit the page walk that missed accesses run first; see `refill.py`."""
        refill.build_refill(t)
        return True

    def translator(self, flags: int, **context: Any) -> X86Translator:
        """Return a builder for one instruction."""
        assert self.engine is not None
        t = X86Translator(self.engine.table, self.helpers, **context)
        t.begin(self._nothing(flags & M32))
        return t

    def _nothing(self, flags: int) -> Instruction:
        """Return the empty instruction of a mode, which gives a builder its mode before it meets a real one."""
        found = self._empty.get(flags)
        if found is None:
            found = self._empty[flags] = Instruction(self.decoder(flags).mode)
        return found

    def execute(self) -> None:
        if self.hflags & HF_STEP:
            stepping.step(self)
            return
        super().execute()
        if self.data_breakpoints.hit:
            self.deliver(self.data_breakpoints.trap())

    def mmu_index(self) -> int:
        """Return 1 for user accesses, 2 for supervisor accesses under SMAP, 0 for other supervisor accesses."""
        hf = self.hflags
        return 1 if hf & HF_CPL == 3 else 2 if hf & HF_SMAP else 0

    def fill(self, vaddr: int, access: int, mmu: int) -> tuple[int, int, int]:
        """Translate for the software TLB; see `mmu.fill`."""
        return paging.fill(self, vaddr, access, mmu)

    def debug_translate(self, vaddr: int) -> int | None:
        """Return the physical address of `vaddr` without any side effect, or None."""
        return paging.debug_translate(self, vaddr)

    def deliver(self, exc: GuestException) -> None:
        """Deliver a fault or trap that an instruction raised."""
        self.data_breakpoints.take()  # of an instruction that was not completed; it will run again
        interrupts.deliver(self, exc)

    def service_interrupts(self) -> bool:
        """Take one pending event if it may be taken now; return whether state changed."""
        return interrupts.service_interrupts(self)

    def has_work(self) -> bool:
        """Return whether a halted processor has a reason to go on."""
        pending = self.interrupt_request
        if self.wait_for_sipi:
            return bool(pending & (IRQ_SIPI | IRQ_INIT))
        if pending & IRQ_HARD and self.eflags_rest & IF:
            return True
        return bool(pending & (IRQ_NMI | IRQ_INIT | IRQ_SIPI))

    def about_to_run(self) -> bool:
        """Return whether the instruction will run: not before `stepping.step` is around one that runs alone."""
        return not self.hflags & HF_STEP or self.stepped == ARMED

    def is_stuck(self) -> bool:
        """Return whether only an NMI, INIT or reset could end the halt."""
        return bool(self.halted and not self.wait_for_sipi and not self.eflags_rest & IF)

    def set_a20(self, enabled: bool) -> None:
        """Drive the A20 gate: with it low, address bit 20 is forced to zero."""
        mask = M64 if enabled else M64 & ~(1 << 20)
        if mask != self.a20_mask:
            self.a20_mask = mask
            self.tlb_flush()

    # --- for people ----------------------------------------------------------------------------------------------

    def warnings(self) -> list[str]:
        """Return the features that were asked for and do not exist here."""
        return self.model.warnings

    def registers_text(self) -> str:
        """Return the registers as ``info registers`` shows them."""
        return debug.registers_text(self)

    def registers(self) -> registers.Registers:
        """Return the registers by their names in the manual."""
        return registers.Registers(self)

    def walk_pages(self, vaddr: int) -> PageWalk:
        """Return what the page tables say about an address."""
        return pagewalk.walk_pages(self, vaddr)

    def mnemonics(self) -> frozenset[str]:
        """Return the names that the opcode map has for instructions."""
        insns.load()
        return frozenset(entry.mnemonic for entries in OPCODES.entries.values() for entry in entries)

    def disassemble(self, code: bytes, address: int) -> list[tuple[int, str]]:
        """Return `code` as instructions of the present mode."""
        return debug.disassemble(self, code, address)

    # --- reset ---------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Take the state after RESET (SDM vol. 3, table 9-1)."""
        q = self.q
        for slot in range(layout.GPR >> 3, layout.GLOBALS_END >> 3):
            q[slot] = 0
        self.a20_mask = M64
        self.shadow_eip = M64
        self.clear_interrupt(~IRQ_HARD)
        self.reset_core()
        self.mxcsr, self.fpuc, self.fptags = 0x1F80, 0x37F, 0x0101010101010101
        self.pat, self.xcr0 = RESET_PAT, 1
        self.tsc_offset = 0
        self.msrs.clear()
        self.wait_for_sipi = self.halted = not self.is_bsp

    def reset_core(self) -> None:
        """Take the part of the reset state that INIT shares with RESET."""
        self.cr0 = CR0_ET | 1 << 30 | 1 << 29
        self.cr2 = self.cr3 = self.cr4 = self.efer = 0
        self.eflags_rest, self.hflags = 0, 0
        self.cc_op, self.cc_dst, self.cc_src = flags.record(0)
        data = DESC_P | DESC_S | DESC_W | DESC_A
        for index in range(6):
            self.load_segment_cache(index, 0, 0, M16, data)
        self.load_segment_cache(CS, 0xF000, 0xFFFF0000, M16, data | DESC_CODE)
        self.load_segment_cache(LDTR, 0, 0, M16, DESC_P | LDT << 8)
        self.load_segment_cache(TR, 0, 0, M16, DESC_P | TSS32_BUSY << 8)
        self.gdt_base = self.idt_base = 0
        self.gdt_limit = self.idt_limit = M16
        for register in range(layout.GPR >> 3, (layout.GPR >> 3) + 16):
            self.q[register] = 0
        self.rdx, self.eip = self.model.signature, 0xFFF0
        self.dr0 = self.dr1 = self.dr2 = self.dr3 = 0
        self.dr6, self.dr7 = DR6_ONES, DR7_ONES
        self.nmi_blocked = 0
        self.wait_for_sipi = self.halted = False
        self.update_control()
        self.update_segment_ranges()
        self.tlb_flush()
