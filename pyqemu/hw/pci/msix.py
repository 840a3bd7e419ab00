"""MSI-X: a table of messages in a BAR of its own, one for each vector, and a bit for each that waits for its mask to go
(PCI Local Bus Specification 3.0, 6.8.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu.hw.pci import regs
from pyqemu.memory import MemoryRegion
from pyqemu.qom import DeviceError
from pyqemu.qom.vmstate import Field, LoadError, Reader, Scope, VMState

if TYPE_CHECKING:
    from pyqemu.hw.pci.device import PciDevice

MAX_VECTORS = 2048
ENTRY = 16
PENDING_OFFSET = 0x800  # of the pending bits in the BAR, unless the table needs the place
SMALLEST_BAR = 0x1000

CAPABILITY_SIZE = 12
CONTROL, TABLE, PENDING = 2, 4, 8
ENABLE, MASK_ALL = 0x8000, 0x4000
VECTOR_CONTROL, MASKED = 12, 1


class Msix:
    """The vectors of one function.

    :param bar: which BAR the table and the pending bits are in; nothing else is
    :raise DeviceError: there cannot be so many vectors.
    """

    def __init__(self, device: PciDevice, vectors: int, bar: int) -> None:
        if not 1 <= vectors <= MAX_VECTORS:
            raise DeviceError(f"'{device.name}' cannot have {vectors} MSI-X vectors", f"vectors=1 to {MAX_VECTORS}")
        self.device = device
        self.vectors = vectors
        self.table = bytearray(ENTRY * vectors)
        self.pending = bytearray((vectors + 7) // 8)
        self._sending = False
        self._pending_offset = max(PENDING_OFFSET, ENTRY * vectors)
        size = 1 << (max(self._pending_offset + (vectors + 63) // 64 * 8, SMALLEST_BAR) - 1).bit_length()
        device.register_bar(bar, MemoryRegion.mmio(f"{device.type_name}-msix", size, self, access=(1, 8), impl=(1, 4)))
        self.capability = device.add_capability(regs.CAP_ID_MSIX, CAPABILITY_SIZE)
        device.set_word(self.capability + CONTROL, vectors - 1)
        device.set_long(self.capability + TABLE, bar)
        device.set_long(self.capability + PENDING, self._pending_offset | bar)
        device.wmask[self.capability + CONTROL + 1] = (ENABLE | MASK_ALL) >> 8
        self.reset()

    def reset(self) -> None:
        """Off, all vectors masked, nothing pending."""
        control = self.capability + CONTROL
        self.device.set_word(control, self.device.word(control) & ~(ENABLE | MASK_ALL))
        self.table[:] = (bytes(VECTOR_CONTROL) + MASKED.to_bytes(4, "little")) * self.vectors
        self.pending[:] = bytes(len(self.pending))

    @property
    def enabled(self) -> bool:
        """Whether the function interrupts by messages instead of its pin."""
        return bool(self.device.word(self.capability + CONTROL) & ENABLE)

    def is_masked(self, vector: int) -> bool:
        """Whether a vector's messages wait."""
        everything = self.device.word(self.capability + CONTROL) & (ENABLE | MASK_ALL) != ENABLE
        return everything or bool(self.table[ENTRY * vector + VECTOR_CONTROL] & MASKED)

    def notify(self, vector: int) -> None:
        """Send a vector's message, or remember that it is to be sent; nothing for a vector that there is not."""
        if not 0 <= vector < self.vectors:
            return
        if self.is_masked(vector):
            self.pending[vector >> 3] |= 1 << (vector & 7)
        else:
            self._send(vector)

    def _send(self, vector: int) -> None:
        if self._sending:  # a guest may aim a message at registers that send one
            return
        entry = self.table[ENTRY * vector : ENTRY * (vector + 1)]
        address, data = int.from_bytes(entry[:8], "little"), int.from_bytes(entry[8:12], "little")
        self._sending = True
        try:
            self.device.dma.store(address & ~3, 4, data)
        finally:
            self._sending = False

    def config_written(self) -> None:
        """The configuration space was written: send what is not masked any more."""
        if self.enabled and any(self.pending):
            self._send_pending()
        if self.enabled:
            self.device.irq.set(False)

    def _send_pending(self) -> None:
        for vector in range(self.vectors):
            if self.pending[vector >> 3] >> (vector & 7) & 1 and not self.is_masked(vector):
                self.pending[vector >> 3] &= ~(1 << (vector & 7))
                self._send(vector)

    # -- the BAR

    def read(self, offset: int, size: int) -> int:
        """Read the table or the pending bits."""
        if offset < len(self.table):
            return int.from_bytes(self.table[offset : offset + size], "little")
        start = offset - self._pending_offset
        return int.from_bytes(self.pending[start : start + size], "little") if start >= 0 else 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write the table."""
        if offset + size > len(self.table):
            return
        self.table[offset : offset + size] = value.to_bytes(size, "little")
        if any(self.pending):
            self._send_pending()


class MsixState(Field):
    """The table and the pending bits as they are; the attribute is an :class:`Msix`."""

    kind = "msix"

    def encode(self, value: Any) -> bytes:
        return bytes(value.table + value.pending)

    def read(self, reader: Reader, scope: Scope) -> bytes:
        msix: Msix = self.fetch(scope.device)
        start = reader.position
        data = reader.take(len(msix.table) + len(msix.pending))
        spare = -msix.vectors % 8
        if spare and data[-1] >> (8 - spare):
            raise LoadError(f"pending bits of more than {msix.vectors} vectors", start)
        return data

    def apply(self, device: object, value: Any) -> None:
        msix: Msix = self.fetch(device)
        length = len(msix.table)
        msix.table[:], msix.pending[:] = value[:length], value[length:]


msix_vmstate = VMState("msix", version=1, fields=(MsixState("msix"),))
"""For functions whose layout has MSI-X as a structure."""
