"""The state of VMware's absolute mouse.

A guest reaches that device by a port that we do not have; what QEMU saved of it is kept, and goes on with the machine.
"""

from __future__ import annotations

from pyqemu.qom.vmstate import U8, U16, U32, Array, Equal32, VMState

QUEUE_SIZE = 1024


class VmMouse:
    """Its queue and what the guest has asked for."""

    vmstate = VMState(
        "vmmouse",
        version=0,
        fields=(
            Equal32("queue_size"), Array("queue", U32, QUEUE_SIZE), U16("nb_queue", maximum=QUEUE_SIZE), U16("status"),
            U8("absolute"),
        ),
    )  # fmt: skip

    queue_size = QUEUE_SIZE

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """No driver."""
        self.queue = [0] * QUEUE_SIZE
        self.nb_queue = 0
        self.status = 0
        self.absolute = 0
