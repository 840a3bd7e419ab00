"""Interrupts and exceptions through every kind of gate, and the way back (SDM vol. 3, chapter 6; vol. 2, INT,
IRET).
"""

from __future__ import annotations

import pytest

from pyqemu.targets.x86 import iret
from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.layout import (
    CS,
    EXC_DF,
    EXC_GP,
    EXC_NP,
    EXC_PF,
    EXC_SS,
    EXC_TS,
    EXC_UD,
    HF_CS64,
    IF,
    IRQ_HARD,
    IRQ_INIT,
    IRQ_NMI,
    IRQ_SIPI,
    IRQ_SMI,
    NT,
    RF,
    TF,
    VM,
)  # fmt: skip

INT16, TRAP16, INT32, TRAP32 = 6, 7, 14, 15


def install(machine, vector, selector=0x08, offset=0x7000, kind=INT32, **how):
    machine.descriptors(machine.gate(selector, offset, kind, **how), at=machine.IDT + 8 * vector)


@pytest.mark.parametrize(
    ("kind", "size", "cleared"), [(INT32, 4, True), (TRAP32, 4, False), (INT16, 2, True), (TRAP16, 2, False)]
)
def test_same_level_frame(machine, kind, size, cleared):
    cpu = machine.protected()
    install(machine, 13, kind=kind)
    cpu.set_eflags(IF | TF | NT | 0x45)
    top = cpu.rsp
    cpu.deliver(X86Exception(EXC_GP, 0x1230))
    mask = (1 << 8 * size) - 1
    image = (IF | TF | NT | RF | 0x47) & mask
    assert machine.words(cpu.rsp, 4, size) == [0x1230, 0x10000 & mask, 0x08, image]
    assert top - cpu.rsp == 4 * size
    assert (cpu.cs.selector, cpu.eip) == (8, 0x7000)
    assert bool(cpu.eflags_rest & IF) is not cleared
    assert not cpu.eflags_rest & (TF | NT | RF)
    cpu.rsp += size
    iret.iret(cpu, size, 0)
    assert (cpu.eip, cpu.rsp) == (0x10000 & mask, top)
    assert cpu.eflags & (IF | TF | NT | 0x45) == IF | TF | NT | 0x45


def test_inner_level_frame(machine):
    cpu = machine.protected(cpl=3)
    install(machine, 14)
    cpu.rsp = 0xA000
    cpu.deliver(X86Exception(EXC_PF, 6))
    assert machine.words(cpu.rsp, 6) == [6, 0x10000, 0x1B, 0x10002, 0xA000, 0x23]
    assert (cpu.cpl, cpu.ss.selector, cpu.rsp) == (0, 0x10, machine.STACKS - 24)
    cpu.rsp += 4
    iret.iret(cpu, 4, 0)
    assert (cpu.cpl, cpu.eip, cpu.rsp, cpu.ss.selector) == (3, 0x10000, 0xA000, 0x23)


@pytest.mark.parametrize(
    ("setup", "software", "cpl", "fault"),
    [
        ({"kind": 12}, False, 0, (EXC_GP, 0x20 * 8 + 3)),  # a call gate
        ({"kind": 0x12}, False, 0, (EXC_GP, 0x20 * 8 + 3)),  # a segment
        ({"present": False}, False, 0, (EXC_NP, 0x20 * 8 + 3)),
        ({"dpl": 0}, True, 3, (EXC_GP, 0x20 * 8 + 2)),  # INT n checks DPL …
        ({"dpl": 0}, False, 3, None),  # … hardware interrupts don't
        ({"dpl": 3}, True, 3, None),
        ({"selector": 0}, False, 0, (EXC_GP, 1)),
        ({"selector": 0}, True, 0, (EXC_GP, 0)),
        ({"selector": 0x10}, False, 0, (EXC_GP, 0x11)),  # data
        ({"selector": 0x18}, False, 0, (EXC_GP, 0x19)),  # outward
        ({"selector": 0x28}, False, 0, (EXC_NP, 0x29)),
        ({"selector": 0x30, "offset": 0x100}, False, 0, (EXC_GP, 1)),  # beyond the limit of CS
    ],
)
def test_faults_of_delivery(machine, setup, software, cpl, fault):
    from pyqemu.targets.x86.delivery import deliver_once

    cpu = machine.protected(machine.segment(access=0x1A), machine.segment(0, 0xFF, 0x9A, 4), cpl=cpl)
    install(machine, 0x20, **setup)
    event = X86Exception(0x20, is_software=software, is_external=not software, next_eip=0x10002)
    if fault is None:
        deliver_once(cpu, event, int(not software))
        assert cpu.eip == 0x7000
    else:
        assert machine.raises(lambda: deliver_once(cpu, event, int(not software))) == fault


def test_idt_limit(machine):
    from pyqemu.targets.x86.delivery import deliver_once

    cpu = machine.protected()
    install(machine, 0x20)
    cpu.idt_limit = 0x20 * 8 + 6
    assert machine.raises(lambda: deliver_once(cpu, X86Exception(0x20, is_external=True), 1)) == (EXC_GP, 0x103)


def test_conforming_handler_runs_at_the_callers_level(machine):
    cpu = machine.protected(machine.segment(access=0x9E), cpl=3)
    install(machine, 0x20, 0x28)
    cpu.deliver(X86Exception(0x20, is_external=True))
    assert (cpu.cpl, cpu.cs.selector, cpu.ss.selector) == (3, 0x2B, 0x23)


def test_bad_new_stack(machine):
    from pyqemu.targets.x86.delivery import deliver_once

    cpu = machine.protected(machine.segment(access=0x12), machine.segment(0, 0xB, 0x92, 4), cpl=3)
    install(machine, 0x20)
    event = X86Exception(0x20, is_external=True)
    for selector, fault in ((0, (EXC_TS, 1)), (0x23, (EXC_TS, 0x21)), (0x28, (EXC_SS, 0x29)), (0x30, (EXC_SS, 0x31))):
        machine.memory.store(machine.TSS + 8, 4, selector)
        assert machine.raises(lambda: deliver_once(cpu, event, 1)) == fault


# --- double and triple faults
# -----------------------------------------------------------------------------------------


def test_contributory_pair_makes_a_double_fault(machine):
    cpu = machine.protected()
    install(machine, 8, offset=0x9999)
    install(machine, 13, present=False)
    cpu.deliver(X86Exception(EXC_GP, 0))
    assert cpu.eip == 0x9999
    assert machine.words(cpu.rsp, 2) == [0, 0x10000]


def test_benign_first_is_not_doubled(machine):
    cpu = machine.protected()
    install(machine, 11, offset=0x1111)
    install(machine, EXC_UD, present=False)
    cpu.deliver(X86Exception(EXC_UD))
    assert cpu.eip == 0x1111
    assert machine.words(cpu.rsp, 1) == [EXC_UD * 8 + 3]


def test_triple_fault_tells_the_chain(machine):
    cpu = machine.protected()
    cpu.deliver(X86Exception(EXC_PF, 2))
    assert [str(exc) for exc in machine.shutdown] == ["#PF(0002)", "#GP(0073)", "#DF(0000)", "#GP(0043)"]


def test_software_interrupt_that_faults_is_not_doubled(machine):
    cpu = machine.protected()
    install(machine, 13, offset=0x1313)
    cpu.deliver(X86Exception(EXC_DF, is_software=True, next_eip=0x10002))
    assert cpu.eip == 0x1313
    assert machine.words(cpu.rsp, 2) == [EXC_DF * 8 + 2, 0x10000], "the INT instruction itself is the culprit"


# --- virtual-8086 mode
# ------------------------------------------------------------------------------------------------


def enter_vm86(machine, iopl=0):
    cpu = machine.protected()
    frame = (0x234, 0x1000, VM | 2 | iopl << 12, 0xFFE, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000)
    cpu.rsp -= 4 * len(frame)
    for n, value in enumerate(frame):
        machine.memory.store(cpu.rsp + 4 * n, 4, value)
    iret.iret(cpu, 4, 0)
    return cpu


def test_iret_enters_virtual_8086_mode(machine):
    cpu = enter_vm86(machine)
    assert (cpu.cpl, cpu.eip, cpu.rsp) == (3, 0x234, 0xFFE)
    assert [segment.selector for segment in cpu.seg[:6]] == [0x3000, 0x1000, 0x2000, 0x4000, 0x5000, 0x6000]
    assert cpu.ds.base == 0x40000
    assert cpu.block_key()[0] == 0x10234


def test_interrupt_leaves_virtual_8086_mode(machine):
    cpu = enter_vm86(machine)
    install(machine, 0x20)
    cpu.deliver(X86Exception(0x20, is_external=True))
    assert machine.words(cpu.rsp, 9) == [0x234, 0x1000, VM | 2, 0xFFE, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000]
    assert not cpu.eflags_rest & VM
    assert (cpu.cpl, cpu.ds.selector, cpu.gs.readable_range) == (0, 0, (1, 0))
    iret.iret(cpu, 4, 0)
    assert cpu.eflags_rest & VM
    assert cpu.ds.base == 0x40000


def test_vm86_handler_must_be_ring_0(machine):
    from pyqemu.targets.x86.delivery import deliver_once

    cpu = enter_vm86(machine)
    install(machine, 0x20, 0x18)
    assert machine.raises(lambda: deliver_once(cpu, X86Exception(0x20, is_external=True), 1)) == (EXC_GP, 0x19)


@pytest.mark.parametrize(("code", "iopl", "faults"), [
    (b"\xfa", 0, True), (b"\xfa", 3, False), (b"\x9c", 0, True), (b"\x9d", 0, True), (b"\xcf", 0, True),
    (b"\xcd\x20", 0, True), (b"\xcc", 0, False), (b"\xe4\x10", 3, False),
])  # fmt: skip
def test_iopl_sensitive_instructions(machine, code, iopl, faults):
    cpu = enter_vm86(machine, iopl)
    for vector in (3, 13, 0x20):
        install(machine, vector, offset=0x7000 + vector, dpl=3)
        machine.memory.store(0x7000 + vector, 1, 0xF4)
    machine.memory.write(0x10234, code + b"\xcc")
    cpu.run()
    assert cpu.eip == (0x700E if faults else 0x7004)


# --- long mode
# --------------------------------------------------------------------------------------------------------


def long_gate(machine, vector, selector=0x08, offset=0x7000, kind=INT32, dpl=0, ist=0, present=True):
    low = machine.gate(selector, offset & 0xFFFFFFFF, kind, dpl=dpl, present=present, count=ist)
    machine.descriptors(low, offset >> 32, at=machine.IDT + 16 * vector)


@pytest.fixture
def long_machine(machine):
    """64-bit ring 0; selector 0x28 is 64-bit code of ring 3; 2 MiB identity-mapped."""
    cpu = machine.protected(machine.segment(access=0xFA, flags=0xA), machine.segment(access=0xFA))
    machine.descriptors(machine.segment(access=0x9A, flags=0xA), at=machine.GDT + 8)
    for table, entry in ((0x20000, 0x21007), (0x21000, 0x22007), (0x22000, 0x87)):
        machine.memory.store(table, 8, entry)
    cpu.cr4, cpu.cr3 = 0x620, 0x20000
    cpu.efer = 0xD01
    cpu.cr0 |= 0x80000000
    cpu.update_control()
    cpu.load_segment_cache(CS, 8, 0, 0xFFFFFFFF, 0xA09B00)
    cpu.update_hflags(0)
    cpu.idt_limit = 0xFFF
    for n, pointer in enumerate((0x9000, 0x9800)):
        machine.memory.store(machine.TSS + 4 + 8 * n, 8, pointer)
    machine.memory.store(machine.TSS + 36, 8, 0xA008)  # IST1
    return machine


def to_user(cpu, selector=0x2B):
    cpu.load_segment_cache(CS, selector, 0, 0xFFFFFFFF, 0xA0FB00)
    load_null_ss = 0x23
    cpu.load_segment_cache(2, load_null_ss, 0, 0xFFFFFFFF, 0xC0F300)
    cpu.update_hflags(3)


def test_long_frame_from_ring_0(long_machine):
    cpu = long_machine.cpu
    long_gate(long_machine, 14, offset=0xFFFF_8000_1234_5678)
    cpu.rsp = 0xB00C
    cpu.set_eflags(IF | 2)
    cpu.deliver(X86Exception(EXC_PF, 2))
    assert cpu.rsp == 0xB000 - 48, "aligned to 16 bytes before the frame"
    assert long_machine.words(cpu.rsp, 6, 8) == [2, 0x10000, 8, IF | RF | 2, 0xB00C, 0x10]
    assert (cpu.eip, cpu.ss.selector) == (0xFFFF_8000_1234_5678, 0x10)
    cpu.rsp += 8
    iret.iret(cpu, 8, 0)
    assert (cpu.eip, cpu.rsp, cpu.eflags) == (0x10000, 0xB00C, IF | 2)


def test_long_frame_from_ring_3_and_back(long_machine):
    cpu = long_machine.cpu
    long_gate(long_machine, 0x20)
    to_user(cpu)
    cpu.rsp = 0xB000
    cpu.deliver(X86Exception(0x20, is_external=True))
    assert long_machine.words(cpu.rsp, 5, 8) == [0x10000, 0x2B, 2, 0xB000, 0x23]
    assert (cpu.rsp, cpu.cpl, cpu.ss.selector) == (0x9000 - 40, 0, 0)
    assert cpu.hflags & HF_CS64
    iret.iret(cpu, 8, 0)
    assert (cpu.cpl, cpu.rsp, cpu.ss.selector, cpu.cs.selector) == (3, 0xB000, 0x23, 0x2B)


def test_interrupt_stack_table(long_machine):
    cpu = long_machine.cpu
    long_gate(long_machine, 2, ist=1)
    cpu.deliver(X86Exception(2, is_external=True))
    assert cpu.rsp == 0xA000 - 40


@pytest.mark.parametrize(
    ("setup", "fault"),
    [
        ({"kind": 5}, (EXC_GP, 0x203)),  # no task gates
        ({"kind": 6}, (EXC_GP, 0x203)),  # no 16-bit gates
        ({"present": False}, (EXC_NP, 0x203)),
        ({"selector": 0x30}, (EXC_GP, 0x31)),  # 32-bit code
        ({"selector": 0}, (EXC_GP, 1)),
        ({"offset": 1 << 47}, (EXC_GP, 1)),
        ({"ist": 7}, (EXC_SS, 1)),  # IST7 is not canonical
    ],
)
def test_long_gate_faults(long_machine, setup, fault):
    from pyqemu.targets.x86.delivery import deliver_once

    machine = long_machine
    machine.memory.store(machine.TSS + 36 + 48, 8, 1 << 50)
    machine.descriptors(machine.segment(access=0x9A), at=machine.GDT + 0x30)
    long_gate(machine, 0x40, **setup)
    assert machine.raises(lambda: deliver_once(machine.cpu, X86Exception(0x40, is_external=True), 1)) == fault


def test_iretq_to_compatibility_mode(long_machine):
    cpu = long_machine.cpu
    cpu.rsp = 0xB000
    for n, value in enumerate((0x4000, 0x33, IF | 2, 0xFFFF_5000, 0x23)):
        long_machine.memory.store(0xB000 + 8 * n, 8, value)
    iret.iret(cpu, 8, 0)
    assert not cpu.hflags & HF_CS64
    assert (cpu.eip, cpu.rsp, cpu.cpl) == (0x4000, 0xFFFF_5000, 3)


def test_iret_task_is_refused_in_long_mode(long_machine):
    cpu = long_machine.cpu
    cpu.set_eflags(NT, NT)
    assert long_machine.raises(lambda: iret.iret(cpu, 8, 0)) == (EXC_GP, 0)


# --- acceptance
# -------------------------------------------------------------------------------------------------------


def real_handler(machine, vector, offset=0x5000):
    machine.memory.store(4 * vector, 4, offset)
    machine.memory.write(offset, b"\xfe\xc3\xcf")  # inc bl; iret


def start_real(machine, code):
    cpu = machine.cpu
    cpu.set_real_code(0)
    cpu.rsp = 0x2000
    machine.memory.write(0x7C00, code + b"\xf4" * 8)
    cpu.eip = 0x7C00
    cpu.rdx = 0
    return cpu


def test_external_interrupt_in_real_mode(machine, asm):
    cpu = start_real(machine, asm("sti; nop; nop; hlt", 16))
    real_handler(machine, 0x21)
    machine.apic.request(0x21)
    cpu.run()
    assert cpu.rbx == 1
    assert not cpu.interrupt_request & IRQ_HARD
    assert cpu.eip in (0x7C04, 0x7C05)


@pytest.mark.parametrize(("instruction", "length"), [("sti", 1), ("mov ss, ax", 2), ("pop ss", 1)])
def test_shadow_of_one_instruction(machine, asm, instruction, length):
    """Behind STI, MOV SS and POP SS one more instruction runs, even if a block ends between the two."""
    cpu = start_real(machine, asm(f"{instruction}; hlt", 16))
    cpu.run()
    assert cpu.shadow_eip == 0x7C00 + length
    machine.memory.write(cpu.shadow_eip, asm("inc cx; mov si, bx; hlt", 16))
    real_handler(machine, 0x21)
    machine.apic.request(0x21)
    cpu.set_eflags(IF)
    cpu.rcx, cpu.eip, cpu.halted = 0, cpu.shadow_eip, False
    assert not cpu.service_interrupts()
    seen = []
    get = machine.apic.get_interrupt
    machine.apic.get_interrupt = lambda: (seen.append((cpu.rcx, cpu.eip)), get())[1]
    cpu.run()
    assert seen == [(1, 0x7C01 + length)]
    assert cpu.rsi == 1


def test_nmi_blocks_nmi_until_iret(machine, asm):
    cpu = start_real(machine, asm("nop; nop; hlt", 16))
    real_handler(machine, 2)
    cpu.interrupt(IRQ_NMI)
    cpu.service_interrupts()
    assert cpu.eip == 0x5000
    cpu.interrupt(IRQ_NMI)
    assert not cpu.service_interrupts()
    cpu.run()
    assert cpu.rbx == 2


def test_init_and_start_up(machine):
    cpu = machine.protected()
    cpu.interrupt(IRQ_INIT)
    assert cpu.service_interrupts()
    assert (cpu.block_key()[0], cpu.cr0 & 1, cpu.halted) == (0xFFFFFFF0, 0, False)
    cpu.is_bsp = False
    cpu.interrupt(IRQ_INIT)
    cpu.service_interrupts()
    assert cpu.halted
    assert not cpu.has_work()
    machine.apic.startup_vector = 0x9A
    cpu.interrupt(IRQ_SIPI)
    assert cpu.has_work()
    cpu.service_interrupts()
    assert (cpu.block_key()[0], cpu.cs.selector, cpu.halted) == (0x9A000, 0x9A00, False)


def test_system_management_interrupt_is_dropped(machine):
    cpu = machine.protected()
    cpu.interrupt(IRQ_SMI)
    assert not cpu.service_interrupts()
    assert not cpu.irq_pending


def test_halted_processor_wakes_for_an_interrupt(machine, asm):
    cpu = start_real(machine, asm("sti; hlt; inc bh; hlt", 16))
    real_handler(machine, 0x21)
    cpu.run()
    assert cpu.halted
    machine.apic.request(0x21)
    cpu.run()
    assert cpu.rbx == 0x101


def test_single_step(machine, asm):
    text = "mov ax, 0x302; push ax; popf; inc dx; inc dx; pushf; pop ax; and ah, 0xfe; push ax; popf; hlt"
    cpu = start_real(machine, asm(text, 16))
    real_handler(machine, 1)
    cpu.run()
    assert cpu.rdx == 2
    assert cpu.rbx & 0xFF == 7, "inc inc pushf pop and push popf: POPF still traps, the one that set TF did not"
    assert cpu.dr6 & 0x4000


def test_instruction_breakpoint(machine, asm):
    cpu = machine.protected()
    install(machine, 1)
    machine.memory.write(0x7000, asm("inc ebx; or dword ptr [esp + 8], 0x10000; iretd"))
    machine.memory.write(0x10000, asm("inc ecx; inc ecx; inc ecx; hlt"))
    cpu.dr0, cpu.dr7 = 0x10001, 0x402
    cpu.update_control()
    cpu.run()
    assert (cpu.rbx, cpu.rcx) == (1, 3), "RF lets the instruction run after the handler"
    assert cpu.dr6 & 1
    assert not cpu.eflags & RF


def test_interrupted_real_mode_stack_and_vector(machine):
    cpu = start_real(machine, b"")
    cpu.set_eflags(IF | TF | 1)
    real_handler(machine, 0x33, 0x1234_5678 & 0xFFFF | 0x4000 << 16)
    cpu.deliver(X86Exception(0x33, is_software=True, next_eip=0x7C02))
    assert machine.words(0x2000 - 6, 3, 2) == [0x7C02, 0, IF | TF | 3]
    assert (cpu.cs.base, cpu.eip) == (0x40000, 0x5678)
    assert not cpu.eflags_rest & (IF | TF)
