"""A guest for arm64 whose first process steps through programs with ptrace, lets one run from breakpoint to breakpoint,
and tells what it has seen.
"""

from __future__ import annotations

import gzip

from guest_images import cpio
from linux_program import EM_ARM, HEADERS, ROUTINES, START, program

INIT = """
    adr x20, names
next:
    bl begin
    ldrb w0, [x20, #4]
    cbz w0, run             // the last one runs from hit to hit
step:
    bl one_step
    and w0, w24, #0x7f
    cbz w0, ended
    bl note
    b step
ended:
    bl report
    add x20, x20, #4
    b next
run:
    mov x25, #1             // breakpoints are on
    bl set_hits
    mov x0, #7              // PTRACE_CONT
    bl go_on
    and w0, w24, #0x7f
    cbz w0, over
    bl note
    mov x25, #0
    bl set_hits
    bl one_step
    b run
over:
    bl report
    b off

begin:                      // X20: name of the program; X21: who is traced, X22: how many stops, X23: of where
    mov x26, x30
    mov x0, #17             // SIGCHLD
    mov x1, #0
    mov x2, #0
    mov x3, #0
    mov x4, #0
    mov x8, #220            // clone
    svc #0
    cbz x0, child
    mov x21, x0
    mov x22, #0
    mov x23, #0
    mov x30, x26
    b wait

one_step:
    mov x0, #9              // PTRACE_SINGLESTEP
go_on:
    mov x1, x21
    mov x2, #0
    mov x3, #0
    mov x8, #117            // ptrace
    svc #0
    b wait

note:
    mov x26, x30
    add x22, x22, #1
    bl place
    ror x23, x23, #57
    eor x23, x23, x0
    ret x26

set_hits:
    mov x26, x30
    movz x0, #0x402         // NT_ARM_HW_BREAK
    adr x1, breakpoint
    bl set_hit
    movz x0, #0x403         // NT_ARM_HW_WATCH
    adr x1, watchpoint
    bl set_hit
    ret x26

set_hit:                    // X0: kind, X1: address and control, X25: whether they are on
    ldp x3, x4, [x1]
    mul x4, x4, x25
    sub sp, sp, #48
    add x5, sp, #16
    mov x6, #24
    stp x5, x6, [sp]
    stp xzr, x3, [x5]
    str x4, [x5, #16]
    mov x2, x0
    mov x0, #0x4205         // PTRACE_SETREGSET
    mov x1, x21
    mov x3, sp
    mov x8, #117
    svc #0
    add sp, sp, #48
    ret

report:
    mov x26, x30
    mov x0, x20
    mov x1, #4
    bl say
    mov x0, x22
    bl number
    mov x0, x23
    bl number
    mov x0, x24
    bl number
    adr x0, newline
    mov x1, #1
    bl say
    ret x26

wait:                       // X24: status
    sub sp, sp, #16
    mov x0, x21
    mov x1, sp
    mov x2, #0
    mov x3, #0
    mov x8, #260            // wait4
    svc #0
    ldr w24, [sp]
    add sp, sp, #16
    ret

place:                      // X0: the program counter of who is traced
    sub sp, sp, #288
    mov x4, #272
    add x5, sp, #16
    stp x5, x4, [sp]
    mov x0, #0x4204         // PTRACE_GETREGSET
    mov x1, x21
    mov x2, #1              // NT_PRSTATUS
    mov x3, sp
    mov x8, #117
    svc #0
    ldr x4, [sp, #8]
    ldr x0, [sp, #272]
    cmp x4, #72             // of a program of 32 bits
    b.ne wide
    ldr w0, [sp, #76]
wide:
    add sp, sp, #288
    ret

child:
    mov x0, #0              // PTRACE_TRACEME
    mov x8, #117
    svc #0
    mov x0, x20
    sub sp, sp, #16
    str xzr, [sp]
    mov x1, sp
    mov x2, sp
    mov x8, #221            // execve
    svc #0
    mov x0, #99
    mov x8, #93             // exit
    svc #0

@routines@
    .balign 8
breakpoint:
    .quad @function@
    .quad 0x1e5
watchpoint:
    .quad @watched@
    .quad 0x1ff5            // stores of EL0
names:
    .asciz "p64"
    .asciz "a32"
    .asciz "t32"
    .asciz "old"
    .asciz "hit"
    .byte 0
newline:
    .ascii "\\n"
end:
    .ascii "that's it\\n"
"""

P64 = """
    b start
function:
    add x0, x0, x0, lsl #1
    ret
start:
    movz x19, #0x40, lsl #16
    add x19, x19, #0x4000
    mov x20, #5
loop:
    mov x0, x20
    bl function
    str x0, [x19], #8
    mov x8, #172            // getpid
    svc #0
    tbz x20, #0, even
    fmov d0, #1.5
    fadd d0, d0, d0
even:
    subs x20, x20, #1
    b.ne loop
    mov x8, #93             // exit
    mov x0, #7
    svc #0
"""
OLD = """
    mcr p15, #0, r0, c7, c10, #5
    mov r1, #1
    mcr p15, #0, r0, c7, c10, #4
    mcr p15, #0, r0, c7, c5, #4
    setend be
    ldr r2, [pc]
    setend le
    and r0, r2, #0xff
    mov r7, #1
    svc #0
"""
"""What kernels disable, and do themselves for programs that use it."""
FUNCTION, WATCHED = START + HEADERS + 4, START + 0x4010
A32 = """
    movw r4, #0x4000
    movt r4, #0x40
    mov r5, #4
loop:
    tst r5, #1
    addne r6, r6, r5
    strne r6, [r4], #4
    bl function
    mov r7, #20
    svc #0
    subs r5, r5, #1
    bne loop
    mov r7, #1
    mov r0, #5
    svc #0
function:
    push {lr}
    pop {pc}
"""
T32 = """
    movw r4, #0x4000
    movt r4, #0x40
    movs r5, #4
loop:
    lsls r0, r5, #31
    itte ne
    addne r6, r6, r5
    strne r6, [r4], #4
    moveq r6, #1
    bl function
    movs r7, #20
    svc #0
    subs r5, #1
    bne loop
    movs r7, #1
    movs r0, #6
    svc #0
function:
    push {lr}
    pop {pc}
"""


def initrd() -> bytes:
    """The initial RAM disk."""
    init = INIT.replace("@routines@", ROUTINES).replace("@function@", str(FUNCTION)).replace("@watched@", str(WATCHED))
    files = {
        "init": (0o100755, program(init)),
        "p64": (0o100755, program(P64)),
        "hit": (0o100755, program(P64)),
        "a32": (0o100755, program(A32, EM_ARM)),
        "old": (0o100755, program(OLD, EM_ARM)),
        "t32": (0o100755, program(T32, EM_ARM, thumb=True)),
    }
    return gzip.compress(cpio(files), 1, mtime=0)
