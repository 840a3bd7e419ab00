"""POST: from reset to INT 19h.

``reset`` does all that needs no guest code; the ROM then asks ``run`` again and again, which starts the option ROMs
one by one and closes the shadow RAM at last.
"""

from __future__ import annotations

import struct

from pyqemu.firmware.acpi import build_tables
from pyqemu.firmware.bios import chips, tables
from pyqemu.firmware.bios.calls import Calls
from pyqemu.firmware.bios.context import BiosContext, LinearMemory, Ports
from pyqemu.firmware.bios.disks import DiskMap
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.int10 import VideoServices
from pyqemu.firmware.bios.layout import (
    BIOS_SEGMENT,
    EBDA,
    EBDA_SEGMENT,
    EBDA_SIZE,
    Bda,
    Ebda,
    Verdict,
)
from pyqemu.firmware.bios.option_rom import OptionRoms, RomSource, round_up
from pyqemu.firmware.bios.pci_setup import PciConfig, PciSetup
from pyqemu.firmware.bios.rom import Rom
from pyqemu.firmware.bios.shadow import FSegment, Shadow
from pyqemu.firmware.smbios import build_smbios

_BANNER = "pyqemu BIOS\n\n"
_PCI_MEMORY = 0xE0000000
_SHUTDOWN_RESUME = (0x05, 0x0A)  # CMOS 0Fh: continue at 40:67h, the first with an EOI
_SHUTDOWN_S3 = 0xFE
_VECTORS = {
    0x02: 0xE2C3, 0x05: 0xFF54, 0x08: 0xFEA5, 0x09: 0xE987, 0x0E: 0xEF57, 0x10: 0xF065, 0x11: 0xF84D, 0x12: 0xF841,
    0x13: 0xE3FE, 0x14: 0xE739, 0x15: 0xF859, 0x16: 0xE82E, 0x17: 0xEFD2, 0x19: 0xE6F2, 0x1A: 0xFE6E, 0x40: 0xEC59,
    0x42: 0xF065, 0x1D: 0xF0A4, 0x1E: 0xEFC7,
}  # fmt: skip
_LABELLED_VECTORS = {0x18: "boot_next", 0x70: "clock", 0x74: "mouse", 0x75: "coprocessor", 0x76: "disk_ready",
                     0x77: "disk_ready"}  # fmt: skip


class Post:
    """The power-on self-test, which tests nothing."""

    def __init__(self, context: BiosContext, memory: LinearMemory, ports: Ports, calls: Calls, disks: DiskMap,
                 video: VideoServices, rom: Rom) -> None:  # fmt: skip
        self.context = context
        self.memory = memory
        self.ports = ports
        self.calls = calls
        self.disks = disks
        self.video = video
        self.rom = rom
        self.config = PciConfig(ports)
        self.shadow = Shadow(self.config)
        self.option_roms = OptionRoms(context, memory, calls, self.config, disks.order)
        self.segment = FSegment(context.memory, BIOS_SEGMENT << 4, (BIOS_SEGMENT << 4) + rom.symbols["trap"])
        self._sources: list[RomSource] | None = None

    # -- the first part -------------------------------------------------------------------------------------

    def reset(self, frame: Frame) -> Verdict | None:
        """Everything that needs no guest code."""
        code = self.ports.cmos_read(0x0F)
        self.ports.cmos_write(0x0F, 0)
        if code in _SHUTDOWN_RESUME:
            return self._resume(code)
        if code == _SHUTDOWN_S3 and self._wake():
            return Verdict.START
        if self.shadow.in_use:
            return self._hard_reset()
        self.disks.order.refresh()
        self._clear_memory()
        self._open_shadow()
        chips.init_pics(self.ports)
        chips.init_dma(self.ports)
        chips.init_timer(self.ports)
        chips.init_clock(self.ports, self.memory)
        chips.KeyboardController(self.ports).init()
        PciSetup(self.config, max(_PCI_MEMORY, round_up(self.context.ram_below_4g, 1 << 24))).run()
        self._local_apic()
        self._build_tables()
        self._init_devices()
        if self.video.install(self.context.memory.write):
            self.memory.set16(EBDA + Ebda.POST_NEXT_ROM, 0xC800)
        self._sources = None
        return None

    def _hard_reset(self) -> Verdict:
        """Software has jumped to F000:FFF0 to restart the machine: the devices need a reset as well (PIIX3 data sheet,
        2.5.4: a change of RCPU with SRST set)."""
        self.ports.outb(0xCF9, 0x02)
        self.ports.outb(0xCF9, 0x06)
        return Verdict.HALT

    def _resume(self, code: int) -> Verdict:
        """A 286 way out of protected mode: continue where 40:67h says."""
        if code == _SHUTDOWN_RESUME[0]:
            self.ports.outb(0x20, 0x20)
        target = self.memory.u32(Bda.RESUME)
        self.calls.prepare(target >> 16, target & 0xFFFF)
        return Verdict.START

    def _clear_memory(self) -> None:
        """Vectors, data areas; the rest of RAM is clear at power-on and kept at a warm start."""
        memory = self.memory
        warm = memory.u16(Bda.WARM_BOOT)
        memory.write(0x400, bytes(0x300))
        memory.write(EBDA, bytes(EBDA_SIZE))
        memory.set16(Bda.WARM_BOOT, warm if warm == 0x1234 else 0)
        memory.set16(Bda.EBDA_SEGMENT, EBDA_SEGMENT)
        memory.set8(EBDA + Ebda.SIZE_KB, EBDA_SIZE // 1024)
        memory.set16(Bda.MEMORY_KB, EBDA // 1024)
        memory.write(0, self._vectors())
        for address, value in ((Bda.KEY_HEAD, 0x1E), (Bda.KEY_TAIL, 0x1E), (Bda.KEY_START, 0x1E), (Bda.KEY_END, 0x3E)):
            memory.set16(address, value)
        memory.set8(Bda.KEY_FLAGS3, 0x10)  # 101 keys

    def _vectors(self) -> bytes:
        symbols = self.rom.symbols
        offsets = [symbols["dummy"]] * 256
        offsets[0x08:0x10] = [symbols["spurious_master"]] * 8
        offsets[0x70:0x78] = [symbols["spurious_slave"]] * 8
        for number, offset in _VECTORS.items():
            offsets[number] = offset
        for number, label in _LABELLED_VECTORS.items():
            offsets[number] = symbols[label]
        vectors = bytearray(b"".join(struct.pack("<HH", offset, BIOS_SEGMENT) for offset in offsets))
        vectors[0x60 * 4 : 0x68 * 4] = bytes(8 * 4)  # for users
        vectors[0x78 * 4 :] = bytes(len(vectors) - 0x78 * 4)
        for number, offset in ((0x41, Ebda.DISK_TABLE_0), (0x46, Ebda.DISK_TABLE_1)):
            struct.pack_into("<HH", vectors, 4 * number, offset, EBDA_SEGMENT)
        return bytes(vectors)

    def _open_shadow(self) -> None:
        """Copy the ROM into the RAM below it, where tables can be added."""
        self.shadow.open()
        memory = self.context.memory
        memory.write(BIOS_SEGMENT << 4, self.rom.segment)
        memory.write(0xC0000, bytes(0x30000))
        self.segment.next = BIOS_SEGMENT << 4
        self.memory.set16(EBDA + Ebda.POST_NEXT_ROM, 0xC000)

    def _local_apic(self) -> None:
        """Enabled, with the 8259s on LINT0 and NMI on LINT1 (SDM vol. 3, 11.4 to 11.5)."""
        store = self.context.memory.store
        store(tables.LOCAL_APIC + 0xF0, 4, 0x1FF)
        store(tables.LOCAL_APIC + 0x350, 4, 0x700)
        store(tables.LOCAL_APIC + 0x360, 4, 0x400)

    # -- tables ---------------------------------------------------------------------------------------------

    def _build_tables(self) -> None:
        symbols, place = self.rom.symbols, self.segment.place
        top = self.context.acpi_start
        self.memory.set32(EBDA + Ebda.PMM_HIGH, top)
        self.memory.set32(EBDA + Ebda.PMM_FLOOR, max(0x200000, top // 2))
        place(tables.bios32((BIOS_SEGMENT << 4) + symbols["bios32_entry"]))
        place(tables.pmm_header(BIOS_SEGMENT, symbols["pmm_entry"]))
        pnp = tables.pnp_installation_check(BIOS_SEGMENT, symbols["pnp_entry"], symbols["pnp_entry_32"])
        self.option_roms.pnp_offset = place(pnp) & 0xFFFF
        place(tables.pirq_table())
        self._place_acpi(top)
        self._place_mp_table()

    def _place_acpi(self, top: int) -> None:
        context = self.context
        if context.acpi is not None and top < context.ram_below_4g:
            built = build_tables(context.acpi, top)
            context.memory.write(top, built.tables)
            self.segment.place(built.rsdp)
            top = round_up(top + len(built.tables), 16)
        if context.smbios is not None and top < context.ram_below_4g:
            smbios = build_smbios(context.smbios, top)
            context.memory.write(top, smbios.structures)
            self.segment.place(smbios.anchor)

    def _place_mp_table(self) -> None:
        pins = []
        for devfn in self.config.scan():
            pin = self.config.read(devfn, 0x3D, 1)
            if pin:
                pins.append((devfn >> 3, pin - 1, self.config.read(devfn, 0x3C, 1)))
        cpus = self.context.acpi.cpus if self.context.acpi is not None else 1
        identity = self.context.smbios.cpu_id if self.context.smbios is not None else 0
        table = tables.mp_table(cpus, identity & 0xFFFFFFFF, identity >> 32, sorted(set(pins)))
        self.segment.place(tables.mp_pointer(self.segment.place(table)))

    def _wake(self) -> bool:
        """S3: RAM is as it was, the shadow too; go to the waking vector that the OS has put into the FACS."""
        self.shadow.open()
        facs = self.context.acpi_start  # the FACS comes first
        memory = self.context.memory
        vector = memory.load(facs + 12, 4) if memory.read(facs, 4) == b"FACS" else 0
        if vector:
            chips.init_pics(self.ports)
            chips.init_dma(self.ports)
            self.shadow.protect(0)
            self.calls.prepare(vector >> 4, vector & 0x0F)
        return bool(vector)

    # -- devices --------------------------------------------------------------------------------------------

    def _init_devices(self) -> None:
        memory = self.memory
        serial = chips.find_serial_ports(self.ports, memory)
        parallel = chips.find_parallel_ports(self.ports, memory)
        floppies = sum(drive is not None for drive in self.context.floppies)
        equipment = 0x0002 | 0x0004 | 0x0020 | serial << 9 | parallel << 14  # FPU, mouse, 80x25 colour
        if floppies:
            equipment |= 1 | (min(floppies, 4) - 1) << 6
        memory.set16(Bda.EQUIPMENT, equipment)
        memory.set8(Bda.DISK_COUNT, len(self.context.hard_disks))
        memory.set8(Bda.FLOPPY_MEDIA, 0x77 if floppies > 1 else 0x07 if floppies else 0)
        for number, drive in enumerate(self.disks.hard_disks[:2]):
            cylinders, heads, sectors = self.disks.geometry(drive)
            table = struct.pack("<HBHHBBBBBHBB", cylinders, heads, 0, 0, 0, 0xC0 | (heads > 8) << 3, 0, 0, 0,
                                cylinders, sectors, 0)  # fmt: skip
            memory.write(EBDA + (Ebda.DISK_TABLE_0, Ebda.DISK_TABLE_1)[number], table)

    @property
    def sources(self) -> list[RomSource]:
        """The option ROMs of this POST."""
        if self._sources is None:
            self._sources = self.option_roms.sources()
        return self._sources

    # -- the second part ------------------------------------------------------------------------------------

    def run(self, frame: Frame) -> Verdict:
        """The next step of what runs guest code: option ROMs, the banner, boot connection vectors."""
        memory, ebda = self.memory, self.memory.ebda
        step, item = memory.u8(ebda + Ebda.POST_STEP), memory.u8(ebda + Ebda.POST_ITEM)
        if step == 1:  # an option ROM has come back
            source = self.sources[item]
            self.option_roms.finish(source)
            item += 1
            memory.set8(ebda + Ebda.POST_ITEM, item)
            memory.set8(ebda + Ebda.POST_STEP, 0)
            step = 0
            if source.video:
                return Verdict.TEXT_MODE
        if step == 0:
            verdict = self._next_rom(item)
            if verdict is not None:
                return verdict
            memory.set8(ebda + Ebda.POST_STEP, 2)
            memory.set8(ebda + Ebda.POST_ITEM, 0)
            return self.calls.print(_BANNER)
        verdict = self.option_roms.connect(item)
        if verdict is not None:
            memory.set8(ebda + Ebda.POST_ITEM, item + 1)
            return verdict
        self.shadow.protect(memory.u16(ebda + Ebda.POST_NEXT_ROM) << 4)
        return Verdict.DONE

    def _next_rom(self, item: int) -> Verdict | None:
        while item < len(self.sources):
            verdict = self.option_roms.start(self.sources[item])
            if verdict is not None:
                self.memory.set8(self.memory.ebda + Ebda.POST_STEP, 1)
                self.memory.set8(self.memory.ebda + Ebda.POST_ITEM, item)
                return verdict
            item += 1
        return None
