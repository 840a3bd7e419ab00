"""A guest for arm64 whose first process is a hypervisor's program: it asks the kernel's KVM to run guests of its own.

One of them has 64 bits, the other one 32; both calculate, write and read where nothing is, which their program then
has to answer (KVM_EXIT_MMIO), and turn themselves off (PSCI). It tells every exit
(Linux: Documentation/virt/kvm/api.rst).
"""

from __future__ import annotations

import gzip

from guest_images import cpio
from linux_program import ROUTINES, keystone, program

WIDE, NARROW, MMIO = 0x48_0000, 0x48_0400, 0x1000_0000
ANSWER = 0x1234_5678_9ABC_DEF0
ROUNDS = 2000

INIT = f"""
    adr x0, dev
    adr x1, dev
    adr x2, devtmpfs
    mov x3, #0
    mov x4, #0
    mov x8, #40             // mount
    svc #0
    mov x24, #0             // features of the processor: none
    adr x25, wide
    bl machine
    mov x24, #2             // KVM_ARM_VCPU_EL1_32BIT
    adr x25, narrow
    bl machine
    b off

machine:                    // X19: kvm, X20: the machine, X21: its processor, X22: what is shared with it
    mov x29, x30
    mov x0, #-100
    adr x1, kvm
    mov x2, #2
    mov x3, #0
    mov x8, #56             // openat
    svc #0
    mov x19, x0
    mov x1, #0xae01         // KVM_CREATE_VM
    mov x2, #0
    bl ioctl
    mov x20, x0
    mov x1, #4
    bl map
    mov x23, x0
    mov x3, #0              // the code
copy:
    ldr x4, [x25, x3]
    str x4, [x23, x3]
    add x3, x3, #8
    cmp x3, #256
    b.ne copy
    sub sp, sp, #64
    stp xzr, xzr, [sp]      // slot 0 at 0x8000_0000
    mov x0, #0x80000000
    str x0, [sp, #8]
    mov x0, #0x4000
    stp x0, x23, [sp, #16]
    mov x0, x20
    movz x1, #0xae46        // KVM_SET_USER_MEMORY_REGION
    movk x1, #0x4020, lsl #16
    mov x2, sp
    bl ioctl
    mov x0, x20
    mov x1, #0xae41         // KVM_CREATE_VCPU
    mov x2, #0
    bl ioctl
    mov x21, x0
    mov x0, x20
    movz x1, #0xaeaf        // KVM_ARM_PREFERRED_TARGET
    movk x1, #0x8020, lsl #16
    mov x2, sp
    bl ioctl
    orr x24, x24, #4        // KVM_ARM_VCPU_PSCI_0_2
    str w24, [sp, #4]
    mov x0, x21
    movz x1, #0xaeae        // KVM_ARM_VCPU_INIT
    movk x1, #0x4020, lsl #16
    mov x2, sp
    bl ioctl
    movz x0, #0x0040        // the program counter
    movk x0, #0x0010, lsl #16
    movk x0, #0x6030, lsl #48
    add x1, sp, #32
    stp x0, x1, [sp]
    mov x0, #0x80000000
    str x0, [x1]
    mov x0, x21
    movz x1, #0xaeac        // KVM_SET_ONE_REG
    movk x1, #0x4010, lsl #16
    mov x2, sp
    bl ioctl
    add sp, sp, #64
    mov x0, x21
    mov x1, #1
    bl map_of
    mov x22, x0
run:
    mov x0, x21
    mov x1, #0xae80         // KVM_RUN
    mov x2, #0
    bl ioctl
    mov x28, x0
    adr x0, exit
    mov x1, #4
    bl say
    ldr w0, [x22, #8]
    bl number
    ldr w0, [x22, #8]
    cmp w0, #6              // KVM_EXIT_MMIO
    b.ne other
    ldr x0, [x22, #32]
    bl number
    ldr w0, [x22, #48]
    ldrb w1, [x22, #52]
    orr w0, w0, w1, lsl #8
    bl number
    ldrb w1, [x22, #52]
    cbz w1, asks
    ldr x0, [x22, #40]
    bl number
    b again
asks:
    adr x0, answer
    ldr x0, [x0]
    str x0, [x22, #40]
again:
    bl line
    b run
other:
    mov x0, x28
    bl number
    ldr w0, [x22, #32]      // KVM_SYSTEM_EVENT_SHUTDOWN
    bl number
    bl line
    mov x0, x21
    bl close
    mov x0, x20
    bl close
    ret x29

ioctl:
    mov x8, #29
    svc #0
    ret
close:
    mov x8, #57
    svc #0
    ret
map:                        // X1: pages
    mov x0, #-1
    mov x3, #0x21           // MAP_SHARED | MAP_ANONYMOUS
    b mmap
map_of:
    mov x3, #1
mmap:
    mov x4, x0
    lsl x1, x1, #12
    mov x0, #0
    mov x2, #3
    mov x5, #0
    mov x8, #222
    svc #0
    ret
line:
    adr x0, newline
    mov x1, #1
    b say
@routines@
    .balign 8
answer:
    .quad {ANSWER}
dev:
    .asciz "/dev"
kvm:
    .asciz "/dev/kvm"
devtmpfs:
    .asciz "devtmpfs"
exit:
    .ascii "exit"
newline:
    .ascii "\\n"
end:
    .ascii "that's it\\n"
    .balign 8
wide:
    @wide@
    .balign 8
narrow:
    @narrow@
    .balign 256
"""

WIDE_GUEST = f"""
    mov x1, #{MMIO:#x}
    mov x2, #0
    mov x3, #{ROUNDS}
loop:
    add x2, x2, x3
    subs x3, x3, #1
    b.ne loop
    str x2, [x1]
    mrs x4, currentel
    str w4, [x1, #8]
    ldr x5, [x1, #16]
    add x5, x5, #1
    str x5, [x1, #24]
    ldrsh w6, [x1, #32]
    strh w6, [x1, #40]
    movz x0, #0x8400, lsl #16
    movk x0, #8
    hvc #0
"""
NARROW_GUEST = f"""
    mov r1, #{MMIO:#x}
    mov r2, #0
    mov r3, #{ROUNDS}
loop:
    add r2, r2, r3
    subs r3, r3, #1
    bne loop
    str r2, [r1]
    mrs r4, cpsr
    str r4, [r1, #8]
    ldr lr, [r1, #16]
    add lr, lr, #1
    str lr, [r1, #24]
    ldrsh r8, [r1, #32]
    strh r8, [r1, #40]
    mrc p15, 0, r9, c1, c0, 0
    bic r9, r9, #1
    mcr p15, 0, r9, c1, c0, 0
    strb r9, [r1, #48]
    movw r0, #8
    movt r0, #0x8400
    hvc #0
"""


def _bytes(text: str, *, narrow: bool = False) -> str:
    if narrow:
        assembler = keystone.Ks(keystone.KS_ARCH_ARM, keystone.KS_MODE_ARM | keystone.KS_MODE_V8)
    else:
        assembler = keystone.Ks(keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN)
    code, _ = assembler.asm(text)
    return ".byte " + ", ".join(map(str, code))


def initrd() -> bytes:
    """The initial RAM disk."""
    text = (
        INIT.replace("@routines@", ROUTINES)
        .replace("@wide@", _bytes(WIDE_GUEST))
        .replace("@narrow@", _bytes(NARROW_GUEST, narrow=True))
    )
    files = {"init": (0o100755, program(text)), "dev": (0o040755, b"")}
    return gzip.compress(cpio(files), 1, mtime=0)
