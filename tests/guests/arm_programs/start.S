/* Exceptions and stacks of a program for a processor of 32 bits; `handled` gets the number of the exception. */
        .section .start, "ax"
        .globl _start
_start:
        ldr     pc, =reset
        ldr     pc, =undefined
        ldr     pc, =call
        ldr     pc, =prefetch
        ldr     pc, =data
        b       .
        ldr     pc, =irq
        ldr     pc, =fiq
        .ltorg

reset:
#if __ARM_ARCH >= 7
        mrc     p15, 0, r0, c0, c0, 5   /* other processors than the first one have nothing to do */
        tst     r0, #3
park:   wfene
        bne     park
#endif
        ldr     r0, =_start
#if __ARM_ARCH >= 7
        mcr     p15, 0, r0, c12, c0, 0  /* VBAR */
#else
        mov     r1, #0                  /* vectors go to address 0 */
        add     r2, r0, #0x80
1:      ldr     r3, [r0], #4
        str     r3, [r1], #4
        cmp     r0, r2
        blo     1b
#endif
        msr     cpsr_c, #0xd1
        ldr     sp, =stacks + 0x1000
        msr     cpsr_c, #0xd2
        ldr     sp, =stacks + 0x2000
        msr     cpsr_c, #0xd7
        ldr     sp, =stacks + 0x3000
        msr     cpsr_c, #0xdb
        ldr     sp, =stacks + 0x4000
        msr     cpsr_c, #0xd3
        ldr     sp, =stacks + 0x8000
        bl      main
        b       .

undefined:                              /* all of these go on behind the instruction */
        stmfd   sp!, {r0-r3, r12, lr}
        mov     r0, #1
        bl      handled
        ldmfd   sp!, {r0-r3, r12, pc}^
call:
        stmfd   sp!, {r0-r3, r12, lr}
        mov     r0, #2
        bl      handled
        ldmfd   sp!, {r0-r3, r12, pc}^
prefetch:                               /* back to the caller of what is not there */
        ldr     lr, =returned
        ldr     lr, [lr]
        stmfd   sp!, {r0-r3, r12, lr}
        mov     r0, #3
        bl      handled
        ldmfd   sp!, {r0-r3, r12, pc}^
data:
        sub     lr, lr, #4
        stmfd   sp!, {r0-r3, r12, lr}
        mov     r0, #4
        bl      handled
        ldmfd   sp!, {r0-r3, r12, pc}^
irq:
        sub     lr, lr, #4
        stmfd   sp!, {r0-r3, r12, lr}
        mov     r0, #6
        bl      handled
        ldmfd   sp!, {r0-r3, r12, pc}^
fiq:
        sub     lr, lr, #4
        stmfd   sp!, {r0-r3, r12, lr}
        mov     r0, #7
        bl      handled
        ldmfd   sp!, {r0-r3, r12, pc}^

        .globl  call_nowhere            /* call the address in r0, where nothing may be executed */
call_nowhere:
        stmfd   sp!, {r4, lr}
        ldr     r1, =returned
        adr     r2, 1f
        str     r2, [r1]
        blx     r0
1:      ldmfd   sp!, {r4, pc}

        .bss
returned:
        .space  4
        .align  3
stacks:
        .space  0x8000
