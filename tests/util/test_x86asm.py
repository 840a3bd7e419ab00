"""The assembler's encodings against NASM and capstone, and its own rules."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import capstone
import pytest

from pyqemu.util.x86asm import AssemblerError, assemble

# One list a mode; each is assembled as a whole, so that forward and backward references are among it.
SOURCES = {
    16: """
    start: mov ax, 0x1234
    mov [bx+si+4], cx
    mov byte [di], 5
    mov word [bp], 0x1234
    mov eax, [ebx+ecx*4+8]
    mov ds, ax
    mov ax, ds
    mov [0x46c], ax
    mov al, [es:0x10]
    mov eax, cr0
    mov cr0, eax
    jmp 0xf000:start
    jmp dword 8:start
    jmp far [bx]
    call far [bx]
    jz start
    jz fwd
    jmp fwd
    jmp far2
    jz far2
    call fwd
    push 5
    push word 500
    push dword 5
    push 0xffff
    pushad
    pusha
    popad
    push es
    push fs
    pushf
    pushfd
    iret
    iretd
    rep movsb
    rep movsd
    rep stosw
    es lodsb
    add ax, 5
    add ax, 500
    add bx, 0xfff0
    add dword [bx], 5
    add [bx], al
    cmp byte [si+1], 'a'
    test al, 1
    test dx, 0x8000
    shl ax, 1
    shl ax, 4
    shr dword [bx], cl
    in al, 0x60
    out 0x61, al
    in ax, dx
    out dx, eax
    int 0x10
    lgdt [gdt]
    o32 lgdt [gdt]
    movzx eax, byte [si]
    movzx ax, al
    xchg ax, bx
    xchg [bx], cl
    imul ax, bx, 3
    imul eax, ebx
    bt word [bx], 3
    setz al
    loop $
    jcxz $-5
    jecxz fwd
    enter 8,0
    leave
    lds si, [bx]
    les di, [es:bx]
    lea ax, [bx+di-2]
    aam
    aad
    fwd: nop
    xlatb
    fninit
    fld qword [bx]
    fistp dword [si]
    bswap eax
    cmpxchg [bx], ax
    gdt: dw 1,2, gdt+5
    dd start, 0x12345678
    db "abc",'d',10,0, $-start
    align 16
    times 200 db 0x90
    far2: hlt
    retf 4
    ret
    lock inc byte [bx]
    mov [es:di], ah
    mov bp, sp
    mov ax, [bp+4]
    mov ax, [si-200]
    mov dword [si], far2-start
    smsw ax
    lmsw ax
    rdtsc
    cpuid
    sgdt [bp-10]
    sub sp, 20
    sub sp, byte 4
    and al, ~1
    or eax, 1
    mov si, far2
    mov al, [far2]
    mov [far2], eax
    cmp word [far2], 0
    cmp ax, far2
    xor ebx,ebx
    jmp short $
    jmp $+3
    retfd
""",
    32: """
    s: mov eax, [ebp-4]
    mov eax, [esp+8]
    mov eax, [eax*4+s]
    mov eax, [eax*2]
    mov [eax+edx], bx
    push 5
    push 500
    push dword [eax]
    push cs
    inc eax
    dec word [eax]
    call [eax]
    jmp [s+eax*4]
    movups xmm0, [eax]
    pxor xmm1, xmm1
    paddd xmm1, [esi]
    movd xmm2, eax
    movd eax, xmm3
    pshufd xmm0, xmm1, 0x1b
    mov ax, 5
    movsx eax, word [esi]
    ltr ax
    mov cr3, eax
    jmp 8:s
    call s
    jz s
    rep stosd
    cmpxchg8b [eax]
    invlpg [eax]
    in eax, dx
    mov al, [0xb8000]
    mov [0xb8000], eax
    mov word [0xb8000], 0x0741
    xadd [eax], ebx
    shld eax, ebx, 4
    shrd eax, ebx, cl
    fld st1
    fxch st2
    faddp
    fmul st0, st1
    iretd
    o16 iret
    a16 loop $
    push word 5
    mov ax, [bx+si]
    lea eax, [eax+eax*4]
    lea eax, [ecx*5]
""",
    64: """
    s: mov rax, [rbp-4]
    mov rax, 1
    mov rax, -1
    mov rax, 0x123456789abcdef0
    mov r8, r9
    mov [r12], r13d
    mov [r13], sil
    mov al, [rel s]
    lea rsi, [rel t]
    push rax
    push r8
    pop r15
    call s
    jmp rax
    jmp [rax]
    call [r8+r9*8]
    mov eax, [0x1000]
    add rax, 5
    add rax, 500
    cmp qword [rsp+8], 0
    movzx eax, byte [rdi]
    movsxd rax, ecx
    syscall
    iretq
    rep movsq
    movq xmm0, rax
    movq rax, xmm9
    movaps xmm8, [rax+r10*2]
    cmpxchg16b [rdi]
    in al, dx
    t: imul rax, rbx, 10
    shl rax, cl
    bsf r10, r11
    swapgs
    mov cr3, rax
    mov cr8, rax
    test rax, rax
    inc rax
    xchg rax, r8
    push 5
    popcnt rax, rbx
    wrmsr
    lgdt [rel s]
    retfq
    push fs
    pushfq
""",
}
_MODES = {16: capstone.CS_MODE_16, 32: capstone.CS_MODE_32, 64: capstone.CS_MODE_64}


@pytest.mark.skipif(shutil.which("nasm") is None, reason="needs nasm (Debian package nasm)")
@pytest.mark.parametrize("bits", [16, 32, 64])
def test_bytes_are_those_of_nasm(bits: int, tmp_path: Path) -> None:
    source = f"bits {bits}\norg 0x7c00\n{SOURCES[bits]}"
    (tmp_path / "t.asm").write_text(source)
    subprocess.run(["nasm", "-O3", "-f", "bin", "-o", tmp_path / "t.bin", tmp_path / "t.asm"], check=True)
    assert assemble(source).code.hex() == (tmp_path / "t.bin").read_bytes().hex()


def _instructions(bits: int) -> list[str]:
    skipped = ("times", "align", "db", "dw", "dd")
    lines = (line.strip() for line in SOURCES[bits].splitlines())
    lines = (line.partition(":")[2].strip() if ":" in line.split(" ")[0] else line for line in lines)
    return [line for line in lines if line and line.split()[0] not in skipped]


@pytest.mark.parametrize(("bits", "line"), [(bits, line) for bits in SOURCES for line in _instructions(bits)])
def test_one_instruction_is_one_instruction_for_capstone(bits: int, line: str) -> None:
    labels = {"start": 0x7C10, "fwd": 0x7C20, "far2": 0x7D10, "s": 0x7C10, "t": 0x7C20, "gdt": 0x7D00}
    code = assemble(line, org=0x7C00, bits=bits, symbols=labels).code
    engine = capstone.Cs(capstone.CS_ARCH_X86, _MODES[bits])
    decoded = list(engine.disasm(code, 0x7C00))
    assert [len(insn.bytes) for insn in decoded] == [len(code)], line


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("mov al, 'A'", "b041"),
        ("mov ax, 1+2*3", "b80700"),
        ("mov ax, (1+2)*3", "b80900"),
        ("mov ax, ~0 & 0xff", "b8ff00"),
        ("mov ax, 1 << 4 | 1", "b81100"),
        ("db `a\\r\\n`, 0", "610d0a00"),
        ("dw 0x55aa, 'ab', 'c'", "aa5561626300"),
        ("db 'it;s', 1 ; a comment", "69743b7301"),
        ("times 3 db 1, 2", "010201020102"),
        ("count equ 3\ntimes count nop", "909090"),
        ("a: .b: jmp .b\nc: .b: jmp .b", "ebfeebfe"),
        ("xor eax, eax", "6631c0"),
    ],
)
def test_notation(line: str, code: str) -> None:
    assert assemble(line).code.hex() == code


def test_a_jump_grows_only_when_it_must() -> None:
    near = assemble("jmp end\ntimes 127 nop\nend:")
    far = assemble("jmp end\ntimes 128 nop\nend:")
    assert (len(near.code), len(far.code)) == (129, 131)


def test_symbols_are_reported() -> None:
    program = assemble("org 0x100\nfirst: nop\nsecond: ret\nsize equ $-first\n")
    assert (program.symbols["first"], program.symbols["second"], program.symbols["size"]) == (0x100, 0x101, 2)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nop\nfrobnicate ax", "line 2: unknown instruction frobnicate"),
        ("mov ax, missing", "line 1: missing is not defined"),
        ("mov [bx], 5", "line 1: no form of the instruction takes these operands"),
        ("mov al, 256", "line 1: no form of the instruction takes these operands"),
        ("mov ax, [bx+cx]", "line 1: [bx+cx] is no 16-bit address"),
        ("push r8", "line 1: no form of the instruction takes these operands"),
        ("a: nop\na: nop", "label a is defined twice"),
        ("times 510-($-$$) db 0\ntimes 2-$+$$ db 1", "line 2: times -508: the code before is 508 bytes too long"),
    ],
)
def test_mistakes_are_named(source: str, message: str) -> None:
    with pytest.raises(AssemblerError) as caught:
        assemble(source)
    assert str(caught.value) == message
