"""The secure world of ``virt,secure=on``: memory, a UART and a bank of flash that Secure accesses alone reach.

The processors see one space of addresses with both worlds in it: Non-secure accesses go to its lower part, Secure ones
beyond :data:`SECURE_SPACE`, which is more than any physical address has (see ``Aarch64Cpu.secure_space``). What the
secure world does not have by itself, it shares with the other one. Masters other than processors are never secure.
"""

from __future__ import annotations

from pyqemu.boards import virt_map as at
from pyqemu.memory import AddressSpace, MemoryRegion

SECURE_SPACE = 1 << 52


class SecureWorld:
    """What Secure accesses see.

    :param everybody: what all see
    :param space: the same as other masters see it; who hears of writes there hears of those of processors, too
    :ivar memory: what is Secure alone goes here
    :ivar space: what processors see
    :ivar accessing: whether a device that knows the difference is being accessed securely right now
    """

    def __init__(self, everybody: MemoryRegion, space: AddressSpace) -> None:
        self.memory = MemoryRegion.container("secure-memory")
        self.memory.add(0, MemoryRegion.alias("everybody", everybody, 0, SECURE_SPACE), priority=-1)
        both = MemoryRegion.container("cpu-memory")
        both.add(0, MemoryRegion.alias("nonsecure", everybody, 0, SECURE_SPACE))
        both.add(SECURE_SPACE, MemoryRegion.alias("secure", self.memory, 0, SECURE_SPACE))
        self.space = AddressSpace("cpu-memory", both)
        self.space.write_listeners = space.write_listeners
        self.ram = MemoryRegion.ram("virt.secure-ram", at.SECURE_RAM.size)
        self.memory.add(at.SECURE_RAM.base, self.ram)
        self.accessing = False

    def show_difference(self, region: MemoryRegion) -> None:
        """Let the device that *region* belongs to know from :attr:`accessing` which accesses are Secure."""
        marked = MemoryRegion.mmio(f"{region.name} (secure)", region.size, _Marked(region, self))
        self.memory.add(region.address, marked)


class _Marked:
    """A region under its Secure address."""

    def __init__(self, region: MemoryRegion, world: SecureWorld) -> None:
        self._region, self._world = region, world

    def read(self, offset: int, size: int) -> int:
        self._world.accessing = True
        try:
            return self._region.load(offset, size)
        finally:
            self._world.accessing = False

    def write(self, offset: int, size: int, value: int) -> None:
        self._world.accessing = True
        try:
            self._region.store(offset, size, value)
        finally:
            self._world.accessing = False
