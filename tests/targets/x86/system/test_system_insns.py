"""System instructions in translated code: control registers, MSRs, flags, ports, fast system calls (SDM vol. 2)."""

from __future__ import annotations

import pytest

from pyqemu.targets.x86 import control, msr
from pyqemu.targets.x86.layout import (
    CR0_PE,
    CR0_PG,
    CS,
    EXC_DB,
    EXC_GP,
    EXC_UD,
    HF_CS64,
    HF_IOPL,
    HF_OSFXSR,
    HF_TS,
    IF,
    VM,
)  # fmt: skip


def install(machine, vector, offset, **how):
    machine.descriptors(machine.gate(8, offset, 14, **how), at=machine.IDT + 8 * vector)


def outcome(machine, code, cpl=0):
    """Run `code`; return vector and error code of its fault, None if it reached HLT (ring 0) or INT 20h (ring 3)."""
    cpu = machine.cpu
    machine.memory.write(0x10000, code + (b"\xf4" if cpl == 0 else b"\xcd\x20"))
    cpu.eip, cpu.halted = 0x10000, False
    caught = []

    def deliver(exc):
        caught.append(exc)
        cpu.stop()

    cpu.deliver = deliver
    cpu.run()
    if not caught or caught[0].vector == 0x20:
        return None
    return caught[0].vector, caught[0].error_code


# --- control registers ------------------------------------------------------------------------------------------------


def test_entering_protected_mode(machine, asm):
    cpu = machine.cpu
    machine.descriptors(0, machine.segment(access=0x9A), machine.segment(access=0x92))
    machine.memory.store(0x500, 2, 0x17)
    machine.memory.store(0x502, 4, machine.GDT)
    cpu.set_real_code(0)
    cpu.eip = 0x7C00
    real = asm("lgdt [0x500]; mov eax, cr0; or al, 1; mov cr0, eax", 16) + b"\xea\x00\x7d\x08\x00"
    machine.memory.write(0x7C00, real)
    text = "mov ax, 0x10; mov ds, ax; mov ss, ax; mov esp, 0x9000; push 0x12345678; pop ebx; hlt"
    machine.memory.write(0x7D00, asm(text))
    cpu.run()
    assert (cpu.rbx, cpu.cs.selector, cpu.ds.limit, cpu.rsp) == (0x12345678, 8, 0xFFFFFFFF, 0x9000)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (CR0_PE, False),
        (0, False),
        (CR0_PG, True),
        (1 << 29 | CR0_PE, True),
        (3 << 29 | CR0_PE, False),
        (1 << 32 | CR0_PE, True),
    ],
)
def test_cr0_combinations(machine, value, fault):
    cpu = machine.protected()
    if fault:
        assert machine.raises(lambda: control.write_cr(cpu, 0, value)) == (EXC_GP, 0)
    else:
        control.write_cr(cpu, 0, value)
        assert cpu.cr0 == value | 0x10, "ET is wired"


def test_mode_bits_follow(machine):
    cpu = machine.protected()
    control.write_cr0(cpu, cpu.cr0 | 8)
    assert cpu.hflags & HF_TS
    control.clts(cpu)
    assert not cpu.hflags & HF_TS
    control.write_cr4(cpu, 0x200)
    assert cpu.hflags & HF_OSFXSR


def test_cr4_knows_the_model(make_machine):
    old, new = make_machine("pentium"), make_machine("qemu64")
    assert old.raises(lambda: control.write_cr4(old.cpu, 0x20)) == (EXC_GP, 0), "no PAE in a Pentium"
    control.write_cr4(new.cpu, 0x6B0)
    assert new.raises(lambda: control.write_cr4(new.cpu, 1 << 22)) == (EXC_GP, 0)


def test_lmsw_cannot_leave_protected_mode(machine, asm):
    cpu = machine.protected()
    machine.run(asm("mov ax, 8; lmsw ax; smsw ebx"))
    assert cpu.cr0 & 0xF == 9
    assert cpu.rbx & 0xFFFF == cpu.cr0 & 0xFFFF


@pytest.mark.parametrize("code", [
    "mov eax, cr0", "mov cr3, eax", "clts", "lgdt [0]", "lidt [0]", "lldt ax", "ltr ax", "hlt", "invlpg [0]", "wbinvd",
    "rdmsr", "wrmsr", "mov eax, dr7", "mov dr0, eax", "lmsw ax", "sysexit", "cli", "sti", "in al, 0x10", "out dx, eax",
])  # fmt: skip
def test_privileged(machine, asm, code):
    machine.protected(cpl=3)
    assert outcome(machine, asm(code), cpl=3) == (EXC_GP, 0)


@pytest.mark.parametrize(
    "code", ["smsw eax", "sgdt [0x500]", "sldt ax", "str ax", "verr ax", "lar eax, ebx", "cpuid", "rdtsc"]
)
def test_unprivileged(machine, asm, code):
    machine.protected(cpl=3)
    assert outcome(machine, asm(code), cpl=3) is None


@pytest.mark.parametrize("code", [b"\x0f\x00\xc0", b"\x0f\x00\xd8", b"\x0f\x02\xc0", b"\x63\xc0", b"\x0f\x01\xf8"])
def test_undefined_in_real_mode(machine, code):
    cpu = machine.cpu
    cpu.set_real_code(0x1000)
    cpu.eip = 0
    assert outcome_real(machine, code) == (EXC_UD, None)


def outcome_real(machine, code):
    cpu = machine.cpu
    machine.memory.write(0x10000, code + b"\xf4")
    caught = []
    cpu.deliver = lambda exc: (caught.append((exc.vector, exc.error_code)), cpu.stop())
    cpu.run()
    return caught[0] if caught else None


# --- debug registers --------------------------------------------------------------------------------------------------


def test_debug_registers(machine, asm):
    cpu = machine.protected()
    text = "mov eax, 0x12345; mov dr1, eax; mov ebx, dr1; mov eax, 0; mov dr7, eax; mov ecx, dr7; mov edx, dr4"
    machine.run(asm(text))
    assert (cpu.rbx, cpu.rcx, cpu.rdx) == (0x12345, 0x400, 0xFFFF0FF0)
    cpu.cr4 |= 8
    assert outcome(machine, asm("mov eax, dr4")) == (EXC_UD, None)


def test_general_detect(machine, asm):
    cpu = machine.protected()
    control.write_dr(cpu, 7, 0x2000)
    assert outcome(machine, asm("mov eax, dr0")) == (EXC_DB, None)


# --- MSRs -------------------------------------------------------------------------------------------------------------


def test_msr_round_trip(machine, asm):
    cpu = machine.protected()
    machine.run(asm("mov ecx, 0x175; mov eax, 0x11223344; mov edx, 0; wrmsr; xor eax, eax; rdmsr"))
    assert (cpu.rax, cpu.rdx, cpu.sysenter_esp) == (0x11223344, 0, 0x11223344)


def test_msr_rules(machine):
    cpu = machine.protected()
    assert machine.raises(lambda: msr.write(cpu, 0xC0000102, 1 << 50)) == (EXC_GP, 0)
    assert machine.raises(lambda: msr.write(cpu, 0x277, 2)) == (EXC_GP, 0)
    msr.write(cpu, 0x277, 0x0007010600070106)
    msr.write(cpu, 0x12345, 7)
    assert msr.read(cpu, 0x12345) == 0
    msr.write(cpu, 0x200, 0xABC)
    assert msr.read(cpu, 0x200) == 0xABC
    assert msr.read(cpu, 0xFE) == 0x508
    msr.write(cpu, 0xC0000080, 0xFFFFFFFF)
    assert cpu.efer == 0x901, "only what the model has; LMA is read-only"
    msr.write(cpu, 0x10, 1000)
    cpu.read_tsc = lambda: 5000
    msr.write(cpu, 0x10, 1000)
    cpu.read_tsc = lambda: 5010
    assert msr.read(cpu, 0x10) == 1010


def test_long_mode_needs_pae(machine):
    cpu = machine.protected()
    cpu.efer |= 0x100
    assert machine.raises(lambda: control.write_cr0(cpu, cpu.cr0 | CR0_PG)) == (EXC_GP, 0)
    control.write_cr4(cpu, 0x20)
    control.write_cr0(cpu, cpu.cr0 | CR0_PG)
    assert cpu.efer & 0x400
    assert machine.raises(lambda: msr.write(cpu, 0xC0000080, 0)) == (EXC_GP, 0)
    assert machine.raises(lambda: control.write_cr4(cpu, 0)) == (EXC_GP, 0)
    control.write_cr0(cpu, cpu.cr0 & ~CR0_PG)
    assert not cpu.efer & 0x400


# --- flags ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cpl", "iopl", "value", "result"),
    [
        (0, 0, 0x3FFFD7, 0x247FD7),  # all but VM, RF, VIF, VIP
        (3, 0, 0x3FFFD7, 0x244DD7),  # neither IF nor IOPL
        (3, 3, 0x3FFFD7, 0x247FD7),
        (3, 3, 0x000202, 0x003202),
    ],
)
def test_popf(machine, asm, cpl, iopl, value, result):
    cpu = machine.protected(cpl=cpl)
    cpu.set_eflags(iopl << 12)
    install(machine, 0x20, 0x7000, dpl=3)
    install(machine, 1, 0x7000, dpl=3)
    machine.memory.write(0x7000, b"\xf4")
    machine.memory.write(0x10000, asm(f"mov eax, {value & ~0x100:#x}; push eax; popfd; int 0x20"))
    cpu.run()
    frame = machine.words(cpu.rsp, 3)
    assert frame[2] == result & ~0x100


def test_16_bit_popf_keeps_the_upper_half(machine, asm):
    cpu = machine.protected()
    cpu.set_eflags(0x240000)
    machine.run(asm("push 0xed5") + b"\x66\x9d")
    assert cpu.eflags == 0x240ED7


def test_pushf_hides_vm_and_rf(machine, asm):
    cpu = machine.protected()
    cpu.eflags_rest |= 0x10000
    machine.run(asm("stc; pushfd; pop eax"))
    assert cpu.rax == 3


def test_sti_and_popf_let_a_waiting_interrupt_in(machine, asm):
    cpu = machine.protected()
    install(machine, 0x40, 0x7000)
    machine.memory.write(0x7000, asm("inc ebx; iretd"))
    for code in ("sti; nop; jmp next; next: cli", "push 0x202; popfd; jmp next; next: nop; cli",
                 "sti; nop; pause; cli", "push 0x202; popfd; nop; cli"):  # fmt: skip
        cpu.rbx, cpu.halted = 0, False
        machine.apic.request(0x40)
        machine.run(asm(code))
        assert cpu.rbx == 1
        assert not cpu.eflags & IF


def test_iopl_bit(machine):
    cpu = machine.protected(cpl=3)
    assert not cpu.hflags & HF_IOPL
    cpu.set_eflags(0x3000)
    assert cpu.hflags & HF_IOPL


# --- ports ------------------------------------------------------------------------------------------------------------


def test_in_and_out(machine, asm):
    cpu = machine.protected()
    machine.ports.values[0x80:0x84] = b"\x11\x22\x33\x44"
    text = (
        "mov eax, -1; in al, 0x80; mov ebx, eax; mov edx, 0x80; in ax, dx; mov ecx, eax; in eax, dx; "
        "out 0x90, al; out dx, ax; out dx, eax"
    )
    machine.run(asm(text))
    assert (cpu.rbx, cpu.rcx, cpu.rax) == (0xFFFFFF11, 0xFFFF2211, 0x44332211)
    assert machine.ports.log == [(0x90, 1, 0x11), (0x80, 2, 0x2211), (0x80, 4, 0x44332211)]


def test_io_bitmap_opens_ports(machine, asm):
    machine.protected(cpl=3)
    machine.memory.store(machine.TSS + 0x66, 2, 0x68)
    machine.memory.write(machine.TSS + 0x68, b"\xff" * 16 + b"\x00\x00\xff")
    assert outcome(machine, asm("in al, 0x81"), cpl=3) is None
    assert outcome(machine, asm("in ax, 0x8f"), cpl=3) == (EXC_GP, 0)


# --- selectors --------------------------------------------------------------------------------------------------------


def test_lar_lsl_verr_verw(machine, asm):
    cpu = machine.protected(machine.segment(0, 0x1234, 0x90, 4), machine.segment(access=0x98), machine.gate(8, 0, 12))
    text = """
        mov ecx, 0x28; lar eax, ecx; lsl ebx, ecx; setz dl; verr cx; setz dh; verw cx; lahf
        mov ebp, eax; mov esi, 0x30; verr si; lahf; mov edi, 0x38; lsl edi, edi
    """
    machine.run(asm(text))
    assert cpu.rbx == 0x1234
    assert cpu.rdx & 0xFFFF == 0x0101
    assert cpu.rbp & 0xFF00FF == 0x400000 | 0x00, "LAR's value; AH went to LAHF"
    assert not cpu.rbp >> 8 & 0x40, "not writable"
    assert not cpu.rax >> 8 & 0x40, "execute-only is not readable"
    assert cpu.rdi == 0x38, "a gate has no limit: EDI stays"


def test_arpl(machine, asm):
    cpu = machine.protected()
    machine.run(asm("mov eax, 0x10; mov ecx, 3; arpl ax, cx; setz bl; arpl ax, cx; setz bh"))
    assert (cpu.rax, cpu.rbx & 0xFFFF) == (0x13, 0x0001)


def test_segment_register_moves(machine, asm):
    cpu = machine.protected(machine.segment(0x100))
    text = (
        "mov eax, -1; mov eax, ds; mov ecx, -1; mov cx, ds; push es; pop fs; mov word ptr [0x500], gs; "
        "mov edx, 0x28; mov gs, edx; mov esi, gs:[0x400]"
    )
    machine.run(asm(text))
    assert (cpu.rax, cpu.rcx, cpu.fs.selector, machine.words(0x500, 1, 2)) == (0x10, 0xFFFF0010, 0x10, [0x10])
    assert cpu.rsi == 0x10, "GS:400h is 500h"
    assert outcome(machine, b"\x8e\xc8") == (EXC_UD, None), "MOV CS"
    assert outcome(machine, b"\x8e\xf0") == (EXC_UD, None)


def test_lds_and_lss(machine, asm):
    cpu = machine.protected(machine.segment(0x10))
    machine.memory.write(0x500, b"\x78\x56\x34\x12\x28\x00" + b"\x00\x90\x00\x00\x10\x00")
    machine.run(asm("lss esp, [0x506]; lds esi, [0x500]"))
    assert (cpu.rsp, cpu.ss.selector, cpu.rsi, cpu.ds.selector) == (0x9000, 0x10, 0x12345678, 0x28)


SYSRETQ = b"\x48\x0f\x07"


# --- fast system calls ------------------------------------------------------------------------------------------------


def long(machine):
    cpu = machine.protected(machine.segment(access=0xFA, flags=0xA))
    machine.descriptors(machine.segment(access=0x9A, flags=0xA), at=machine.GDT + 8)
    for table, entry in ((0x20000, 0x21007), (0x21000, 0x22007), (0x22000, 0x87)):
        machine.memory.store(table, 8, entry)
    cpu.cr4, cpu.cr3, cpu.efer = 0x620, 0x20000, 0xD01
    cpu.cr0 |= CR0_PG
    cpu.update_control()
    cpu.load_segment_cache(CS, 8, 0, 0xFFFFFFFF, 0xA09B00)
    cpu.update_hflags(0)
    return cpu


def test_syscall_and_sysret(machine, asm):
    cpu = long(machine)
    cpu.star, cpu.lstar, cpu.sfmask = 0x0018_0008 << 32, 0x7000, 0x200
    text = "swapgs; mov r8, r11; mov r9, rcx; mov r10, cs; inc rbx; swapgs"
    machine.memory.write(0x7000, asm(text, 64, 0x7000) + SYSRETQ)
    machine.memory.write(0x12000, asm("syscall; mov r12, cs; mov r13, ss; cmp rbx, 2; jb 0x12000; hlt", 64, 0x12000))
    machine.memory.write(0x10000, asm("mov rcx, 0x12000; mov r11, 0x202", 64) + SYSRETQ)
    cpu.kernel_gs_base = 0x1234
    machine.descriptors(machine.gate(8, 0x7100, 14), 0, at=machine.IDT + 13 * 16)
    machine.memory.write(0x7100, b"\xf4")
    machine.memory.store(machine.TSS + 4, 8, 0x9000)
    cpu.rbx = 0
    cpu.run()
    assert cpu.eip == 0x7101, "HLT in ring 3"
    assert (cpu.rbx, cpu.r8 & 0x200, cpu.r9, cpu.r10, cpu.r12, cpu.r13) == (2, 0x200, 0x12002, 8, 0x2B, 0x23)
    assert cpu.kernel_gs_base == 0x1234


def test_sysenter_and_sysexit_32(machine, asm):
    cpu = machine.protected()
    cpu.sysenter_cs, cpu.sysenter_esp, cpu.sysenter_eip = 0x8, 0x9000, 0x7000
    machine.descriptors(
        0,
        machine.segment(access=0x9A),
        machine.segment(access=0x92),
        machine.segment(access=0xFA),
        machine.segment(access=0xF2),
    )
    machine.memory.write(0x7000, asm("inc ebx; mov edx, 0x12000; mov ecx, 0xa000; sti; sysexit"))
    machine.memory.write(0x12000, asm("mov eax, cs; mov edi, ss; int 0x20"))
    install(machine, 0x20, 0x7200, dpl=3)
    machine.memory.write(0x7200, b"\xf4")
    machine.run(asm("sysenter"))
    assert (cpu.rbx, cpu.rax, cpu.rdi, cpu.eip) == (1, 0x1B, 0x23, 0x7201)


def test_sysenter_without_cs(machine, asm):
    machine.protected()
    assert outcome(machine, asm("sysenter")) == (EXC_GP, 0)


def test_64_bit_segment_rules(machine, asm):
    cpu = long(machine)
    cpu.gs.set_base(0x500)
    machine.memory.store(0x520, 8, 0x1122334455667788)
    text = (
        "xor eax, eax; mov ds, eax; mov esi, 0x520; mov rbx, [rsi]; mov esi, 0x20; mov rcx, gs:[rsi]; "
        "mov ss, eax; push rax; pop rdx; mov esi, 0x600; sgdt [rsi]"
    )
    machine.run(asm(text, 64))
    assert (cpu.rbx, cpu.rcx) == (0x1122334455667788,) * 2
    assert cpu.hflags & HF_CS64
    assert machine.memory.load(0x602, 8) == machine.GDT


def test_cpuid_in_the_guest(machine, asm):
    cpu = machine.protected()
    machine.run(asm("xor eax, eax; cpuid"))
    assert (
        cpu.rbx.to_bytes(4, "little") + cpu.rdx.to_bytes(4, "little") + cpu.rcx.to_bytes(4, "little") == b"AuthenticAMD"
    )


def test_virtual_8086_bit_cannot_be_set_by_popf(machine, asm):
    cpu = machine.protected()
    machine.run(asm("push 0x20002; popfd"))
    assert not cpu.eflags & VM
