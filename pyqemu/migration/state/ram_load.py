"""The section ``ram`` as it is taken: every record is looked at before a byte of it reaches memory."""

from __future__ import annotations

import zlib

from pyqemu.migration.failure import MigrationError
from pyqemu.migration.state import ram, xbzrle
from pyqemu.migration.state.frame import Reading, damaged
from pyqemu.migration.state.machine import PAGE_SIZE, SavedBlock, SavedMachine
from pyqemu.migration.state.postcopy import MissingPages
from pyqemu.util.text import printable

OLDEST = 4
MAX_GROWTH = 128  # bytes that zlib adds to a page that it cannot make smaller


class RamReceiver:
    """Takes the memory of one machine.

    :ivar received: of each announced block one byte for each page, 1 if it is here; kept for post-copy only
    :ivar missing: the pages that the running guest waits for
    """

    def __init__(self, machine: SavedMachine) -> None:
        self.machine = machine
        self._unit = machine.page_size
        self._flags = self._unit - 1
        self._zero_page = bytes(self._unit)
        self.announced: dict[str, SavedBlock] = {}
        self.received: dict[str, tuple[SavedBlock, bytearray]] | None = None
        self.missing: MissingPages | None = None
        self._current: SavedBlock | None = None  # of the last record, also over the ends of sections

    def section(self, reading: Reading) -> None:
        """The records of one section, up to its end.

        :raise MigrationError: a record cannot be.
        """
        if self.missing is not None:
            self._late_section(reading, self.missing)
            return
        take, received, unit = reading.take, self.received, self._unit
        while True:
            word = int.from_bytes(take(8), "big")
            flags, offset = word & self._flags, word & ~self._flags
            kind = flags & ~ram.CONTINUE
            if kind in (ram.PAGE, ram.ZERO):
                data = self._block(reading, flags, offset).block.data
                if kind == ram.PAGE:
                    data[offset : offset + unit] = take(unit)
                else:
                    self._fill(data, offset, take(1)[0])
            elif flags == ram.EOS:
                return
            elif kind in (ram.XBZRLE, ram.COMPRESSED):
                self._coded(reading, kind, self._block(reading, flags, offset), offset)
            elif flags == ram.MEM_SIZE:
                self._block_list(reading, offset)
                continue
            else:
                raise damaged(f"Unknown combination of migration flags: {flags:#x}", reading.position - 8)
            if received is not None and self._current is not None:
                received[self._current.name][1][offset // PAGE_SIZE] = 1

    def _late_section(self, reading: Reading, missing: MissingPages) -> None:
        """The same in post-copy: each page comes once, its parts in order, or is the guest's already."""
        unit = self._unit
        while True:
            word = reading.u64()
            flags, offset = word & self._flags, word & ~self._flags
            kind = flags & ~ram.CONTINUE
            if flags == ram.EOS:
                return
            if kind not in (ram.PAGE, ram.ZERO):
                raise damaged(
                    f"Unknown combination of migration flags: {flags:#x} (postcopy mode)", reading.position - 8
                )
            saved = self._block(reading, flags, offset)
            page = reading.take(unit) if kind == ram.PAGE else reading.take(1) * unit
            if missing.wants(saved, offset // PAGE_SIZE):
                saved.block.data[offset : offset + unit] = page
                if (offset + unit) % PAGE_SIZE == 0:
                    missing.arrived(saved, offset // PAGE_SIZE)

    def track(self) -> None:
        """Keep account of what has come. Before the list of blocks."""
        self.received = {}

    def discard(self, name: str, ranges: list[tuple[int, int]]) -> None:
        """These ranges (offset, length) were written at the source after they were sent.

        :raise MigrationError: there are none such.
        """
        entry = (self.received or {}).get(name)
        if entry is None:
            raise damaged(f"CMD_POSTCOPY_RAM_DISCARD of unknown block '{printable(name)}'")
        saved, here = entry
        for start, length in ranges:
            if start % PAGE_SIZE or length % PAGE_SIZE or start + length > saved.length:
                raise damaged(f"CMD_POSTCOPY_RAM_DISCARD of {length:#x} bytes at {start:#x} of '{name}'")
            here[start // PAGE_SIZE : (start + length) // PAGE_SIZE] = bytes(length // PAGE_SIZE)

    def _block(self, reading: Reading, flags: int, offset: int) -> SavedBlock:
        """The block of a record."""
        if flags & ram.CONTINUE:
            found = self._current
            if found is None:
                raise damaged("Ack, bad migration stream! A page of no block comes first", reading.position)
        else:
            name = reading.string()
            found = self.announced.get(name)
            if found is None:
                raise damaged(f"Can't find block '{name}': it was not announced", reading.position)
            self._current = found
        if offset + self._unit > found.length:
            size = found.length
            raise damaged(f"a page of '{found.name}' at {offset:#x}, but its length is {size:#x}", reading.position)
        return found

    def _coded(self, reading: Reading, kind: int, saved: SavedBlock, offset: int) -> None:
        start = reading.position
        data, unit = saved.block.data, self._unit
        if kind == ram.XBZRLE:
            coding, length = reading.u8(), reading.u16()
            if coding != ram.XBZRLE_CODING or length > unit:
                raise damaged(f"Failed to load XBZRLE page - wrong compression! ({coding}, {length} bytes)", start)
            page = bytearray(data[offset : offset + unit])
            try:
                xbzrle.decode(reading.take(length), page)
            except xbzrle.CodingError as error:
                raise damaged(f"Failed to load XBZRLE page - decode error! ({error})", start) from None
            data[offset : offset + unit] = page
            return
        length = reading.u32()
        if length > unit + MAX_GROWTH:
            raise damaged(f"Invalid compressed data length: {length}", start)
        unpacker = zlib.decompressobj()
        try:
            plain = unpacker.decompress(reading.take(length), unit + 1)
        except zlib.error as error:
            raise damaged(f"decompress data failed: {error}", start) from None
        if len(plain) != unit:
            raise damaged(f"decompress data failed: {len(plain)} bytes of {unit}", start)
        data[offset : offset + unit] = plain

    def _fill(self, data: memoryview, offset: int, value: int) -> None:
        """Fill a page; one that is zero already is not touched, so that the host need not commit it."""
        unit = self._unit
        if value:
            data[offset : offset + unit] = bytes((value,)) * unit
        elif bytes(data[offset : offset + unit]) != self._zero_page:
            data[offset : offset + unit] = self._zero_page

    def _block_list(self, reading: Reading, total: int) -> None:
        """What blocks the other side has: they must be here, and as long."""
        while total > 0:
            start = reading.position
            name, length = reading.string(), reading.u64()
            saved = self.machine.take_block(name, length)
            if saved is None:
                known = ", ".join(f"'{block.name}'" for block in self.machine.sorted_blocks)
                raise MigrationError(f'Unknown ramblock "{name}", cannot accept migration', f"blocks here: {known}")
            self._fit(saved, length)
            if not length or length > total or name in self.announced:
                raise damaged(f"the list of RAM blocks: '{name}' of {length:#x} bytes, {total:#x} are left", start)
            self.announced[name] = saved
            if self.received is not None:
                self.received[name] = saved, bytearray(saved.pages)
            total -= length

    @staticmethod
    def _fit(saved: SavedBlock, length: int) -> None:
        size = saved.length
        if length == size:
            return
        if not saved.resizable or length > saved.block.size or length % PAGE_SIZE:
            expected = f"{size:#x}" if not saved.resizable else f"at most {saved.block.size:#x}"
            raise MigrationError(
                f"Length mismatch: {saved.name}: {length:#x} in != {size:#x}: Invalid argument",
                f"expected {expected} bytes, found {length:#x}; {_advice(saved.name)}",
            )
        saved.length = length

    def done(self) -> None:
        """All pages are there: whoever looks at memory must look again."""
        for saved in self.announced.values():
            saved.block.dirty.mark(0, saved.block.size)
            if saved.loaded is not None:
                saved.loaded(bytes(saved.block.data[: saved.length]))


def _advice(name: str) -> str:
    if name == "pc.ram":
        return "-m must be the same on both sides"
    if name.endswith(".rom") or name == "pc.bios":
        return "both sides need firmware files of the same size"
    return "both machines must be the same"
