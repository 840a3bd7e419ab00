"""The saved state of the UART, in QEMU's layout.

QEMU keeps the byte that is being sent in a shift register of its own; here it is the first one of the transmit FIFO.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from pyqemu.qom.vmstate import I32, U8, U16, Fifo8, Number, Timer64, VMState

if TYPE_CHECKING:
    from pyqemu.hw.char.serial import Serial

__all__ = ["serial_vmstate"]

FIFO_SIZE = 16
FCR_STORED = 0xC9
IER_THRE, IIR_ID, IIR_THRE = 0x02, 0x0F, 0x02


class _Iir(Number):
    """The identification register tells whether the transmitter interrupts, if no subsection does."""

    kind, packer = U8.kind, U8.packer

    def apply(self, device: object, value: int) -> None:
        super().apply(device, value)
        device.thr_ipending = value & IIR_ID == IIR_THRE  # type: ignore[attr-defined]


class _Fcr(Number):
    kind, packer = U8.kind, U8.packer

    def apply(self, device: object, value: int) -> None:
        super().apply(device, value & FCR_STORED if value & 1 else 0)


class _Sending(Number):
    """The byte in the shift register: the first of those that wait."""

    kind, packer = U8.kind, U8.packer

    def fetch(self, device: object) -> int:
        queue: deque[int] = device.xmit_fifo  # type: ignore[attr-defined]
        return queue[0]

    def apply(self, device: object, value: int) -> None:
        queue: deque[int] = device.xmit_fifo  # type: ignore[attr-defined]
        queue.clear()
        queue.append(value)


class _Retries(Number):
    """How often sending was tried: once, if a byte waits."""

    kind, packer = I32.kind, I32.packer

    def fetch(self, device: object) -> int:
        return 1

    def apply(self, device: object, value: int) -> None:
        """It is tried again at once."""


class _Waiting(Fifo8):
    """The bytes behind it."""

    def fetch(self, device: object) -> deque[int]:
        queue: deque[int] = super().fetch(device)
        return deque(list(queue)[1:])

    def apply(self, device: object, value: bytes) -> None:
        queue: deque[int] = super(Fifo8, self).fetch(device)
        queue.extend(value)


def _unusual_ipending(uart: Serial) -> bool:
    return bool(uart.ier & IER_THRE) and uart.thr_ipending != (uart.iir & IIR_ID == IIR_THRE)


# fmt: off
serial_vmstate = VMState(
    "serial",
    version=3,
    minimum_version=2,
    fields=(
        U16("divider", since=2), U8("rbr"), U8("ier", maximum=15), _Iir("iir"), U8("lcr"), U8("mcr"), U8("lsr"),
        U8("msr"), U8("scr"), _Fcr("fcr", wire="fcr_vmstate", since=3),
    ),
    subsections=(
        VMState("serial/thr_ipending", fields=(I32("thr_ipending"),), needed=_unusual_ipending),
        VMState("serial/tsr", fields=(_Retries("", wire="tsr_retry"), U8("thr"), _Sending("xmit_fifo", wire="tsr")),
                needed=lambda uart: bool(uart.xmit_fifo)),
        VMState("serial/recv_fifo", fields=(Fifo8("recv_fifo", FIFO_SIZE),),
                needed=lambda uart: bool(uart.recv_fifo)),
        VMState("serial/xmit_fifo", fields=(_Waiting("xmit_fifo", FIFO_SIZE),),
                needed=lambda uart: len(uart.xmit_fifo) > 1),
        VMState("serial/fifo_timeout_timer", fields=(Timer64("timeout_timer", wire="fifo_timeout_timer"),),
                needed=lambda uart: uart.timeout_timer.pending),
        VMState("serial/timeout_ipending", fields=(I32("timeout_ipending"),),
                needed=lambda uart: bool(uart.timeout_ipending)),
        VMState("serial/poll", fields=(I32("poll_msl"), Timer64("modem_status_poll")),
                needed=lambda uart: uart.poll_msl >= 0),
    ),
    post_load=lambda uart: uart.loaded(),
)
# fmt: on
