"""What processors after the first one run until a kernel wants them: code that a board's firmware would have.

Linux: arch/arm/plat-versatile/platsmp.c (a software interrupt, and an address in the flags of the system registers),
drivers/irqchip/irq-bcm2836.c (an address in the processor's last mailbox).
"""

from __future__ import annotations

import struct


def _words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def interrupt_pen(gic_interface: int, flags: int) -> bytes:
    """Wait for an interrupt until there is an address in the flags register, and go there."""
    # fmt: off
    return _words(
        0xE59F0024,  # ldr   r0, gic_interface
        0xE3A010F0,  # mov   r1, #0xf0
        0xE5801004,  # str   r1, [r0, #4]     interrupts of all priorities
        0xE3A01001,  # mov   r1, #1
        0xE5801000,  # str   r1, [r0]         on
        0xE59F0014,  # ldr   r0, flags
        0xE320F003,  # wait: wfi
        0xE5901000,  # ldr   r1, [r0]
        0xE3510000,  # cmp   r1, #0
        0x0AFFFFFB,  # beq   wait
        0xE12FFF11,  # bx    r1
        gic_interface,
        flags,
    )
    # fmt: on


def mailbox_pen(mailboxes: int) -> bytes:
    """Wait until there is an address in the processor's mailbox, empty it, and go there.

    :param mailboxes: the register of the first processor; others are 16 bytes apart
    """
    # fmt: off
    return _words(
        0xEE100FB0,  # mrc   p15, 0, r0, c0, c0, 5   MPIDR
        0xE2000003,  # and   r0, r0, #3
        0xE59F1018,  # ldr   r1, mailboxes
        0xE0811200,  # add   r1, r1, r0, lsl #4
        0xE320F002,  # wait: wfe
        0xE5912000,  # ldr   r2, [r1]
        0xE3520000,  # cmp   r2, #0
        0x0AFFFFFB,  # beq   wait
        0xE5812000,  # str   r2, [r1]
        0xE12FFF12,  # bx    r2
        mailboxes,
    )
    # fmt: on
