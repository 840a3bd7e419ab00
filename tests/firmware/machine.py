"""A CPU with an fw_cfg DMA interface and the memory map call of a BIOS, to run boot code in."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import unicorn
from unicorn import x86_const as x86

from pyqemu.firmware.boot_image import BootImage
from pyqemu.firmware.e820 import Range

RAM_SIZE = 8 << 20
ROM_SEGMENT = 0xCA00


class BootMachine:
    """Real-mode PC of the least that an option ROM needs. It stops when execution reaches ``stop``."""

    def __init__(self, memory_map: tuple[Range, ...], items: Mapping[int, bytes] | None = None) -> None:
        self.cpu = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_16)
        self.cpu.mem_map(0, RAM_SIZE)
        self.memory_map = memory_map
        self.items = dict(items or {})
        self.dma_high = 0
        self.cpu.hook_add(unicorn.UC_HOOK_INSN, self._out, None, 1, 0, x86.UC_X86_INS_OUT)
        self.cpu.hook_add(unicorn.UC_HOOK_INSN, lambda *_: 0, None, 1, 0, x86.UC_X86_INS_IN)
        self.cpu.hook_add(unicorn.UC_HOOK_INTR, self._interrupt)

    def _out(self, cpu: unicorn.Uc, port: int, size: int, value: int, _: object) -> None:
        swapped = int.from_bytes(value.to_bytes(4, "little"), "big")
        if port == 0x514:
            self.dma_high = swapped
        elif port == 0x518:
            self._dma(self.dma_high << 32 | swapped)

    def _dma(self, descriptor: int) -> None:
        control, length, address = struct.unpack(">IIQ", self.cpu.mem_read(descriptor, 16))
        assert control & 0xFFFF == 0x0A  # select and read
        data = self.items[control >> 16][:length].ljust(length, b"\0")
        self.cpu.mem_write(address, data)
        self.cpu.mem_write(descriptor, bytes(4))

    def _interrupt(self, cpu: unicorn.Uc, number: int, _: object) -> None:
        assert number == 0x15
        assert cpu.reg_read(x86.UC_X86_REG_EAX) == 0xE820
        index = cpu.reg_read(x86.UC_X86_REG_EBX)
        target = cpu.reg_read(x86.UC_X86_REG_ES) * 16 + cpu.reg_read(x86.UC_X86_REG_DI)
        cpu.mem_write(target, self.memory_map[index].pack())
        cpu.reg_write(x86.UC_X86_REG_EAX, 0x534D4150)
        cpu.reg_write(x86.UC_X86_REG_EBX, (index + 1) % len(self.memory_map))
        cpu.reg_write(x86.UC_X86_REG_EFLAGS, cpu.reg_read(x86.UC_X86_REG_EFLAGS) & ~1)

    def run_rom(self, image: BootImage, stop: int) -> None:
        """Enter the boot entry vector of the image's option ROM."""
        rom = image.option_rom_data()
        self.cpu.mem_write(ROM_SEGMENT * 16, rom)
        (header,) = struct.unpack_from("<H", rom, 0x1A)
        (vector,) = struct.unpack_from("<H", rom, header + 0x1A)
        self._run(ROM_SEGMENT, vector, stop)

    def run_segments(self, image: BootImage, stop: int) -> None:
        """Do what the built-in BIOS does: copy the segments and jump to the entry."""
        for segment in image.segments:
            self.cpu.mem_write(segment.address, segment.data)
        self._run(*image.entry, stop)

    def _run(self, segment: int, offset: int, stop: int) -> None:
        self.cpu.reg_write(x86.UC_X86_REG_CS, segment)
        self.cpu.emu_start(segment * 16 + offset, stop, count=200_000)
        assert self.pc == stop

    @property
    def pc(self) -> int:
        """Linear address of the next instruction."""
        ip: int = self.cpu.reg_read(x86.UC_X86_REG_EIP)
        if self.cpu.reg_read(x86.UC_X86_REG_CR0) & 1:
            return ip
        return self.cpu.reg_read(x86.UC_X86_REG_CS) * 16 + ip

    def reg(self, name: str) -> int:
        """A register by its lower-case name."""
        value: int = self.cpu.reg_read(getattr(x86, f"UC_X86_REG_{name.upper()}"))
        return value

    def read(self, address: int, length: int) -> bytes:
        """Physical memory."""
        return bytes(self.cpu.mem_read(address, length))
