"""The Bochs VBE extension ("DISPI"): high resolutions by ten 16-bit registers (Bochs ``vbe_spec.txt``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.hw.display.vga_registers import (
    CR_H_DISPLAY,
    CR_LINE_COMPARE,
    CR_MAX_SCAN,
    CR_MODE,
    CR_OFFSET,
    CR_OVERFLOW,
    CR_V_DISPLAY,
    GR_MISC,
    GR_MODE,
    SR_CLOCKING,
    SR_CLOCKING_HALF,
    SR_MAP_MASK,
    SR_MEMORY_CHAIN4,
    SR_MEMORY_MODE,
)

if TYPE_CHECKING:
    from pyqemu.hw.display.vga import Vga

ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, Y_OFFSET = range(10)
VIDEO_MEMORY_64K = 10  # read only
REGISTERS = 10

ID_FIRST, ID_LAST = 0xB0C0, 0xB0C5
ENABLED, GETCAPS, DAC_8BIT, LINEAR, NO_CLEAR = 0x01, 0x02, 0x20, 0x40, 0x80
MAX_XRES, MAX_YRES, MAX_BPP = 16000, 12000, 32
DEPTHS = (4, 8, 15, 16, 24, 32)


class Vbe:
    """The registers, and what they do to the rest of the adapter."""

    def __init__(self, vga: Vga) -> None:
        self.vga = vga
        self.regs = [0] * REGISTERS
        self.reset()

    def reset(self) -> None:
        """Back to plain VGA; the identification is the newest."""
        self.regs[:] = [0] * REGISTERS
        self.regs[ID] = ID_LAST
        self.index = 0
        self.start_addr = 0
        self.line_offset = 0
        self.bank_mask = (self.vga.vram_size >> 16) - 1

    @property
    def enabled(self) -> bool:
        """Whether the mode set here is on."""
        return bool(self.regs[ENABLE] & ENABLED)

    # -- access ---------------------------------------------------------------------------------------

    def read(self) -> int:
        """The register that the index selects."""
        value = self._read()
        if event := self.vga.trace.vga_vbe_read:
            event(index=self.index, val=value)
        return value

    def _read(self) -> int:
        if self.index == VIDEO_MEMORY_64K:
            return self.vga.vram_size >> 16
        if self.index >= REGISTERS:
            return 0
        if self.regs[ENABLE] & GETCAPS and self.index in (XRES, YRES, BPP):
            return {XRES: MAX_XRES, YRES: MAX_YRES, BPP: MAX_BPP}[self.index]
        return self.regs[self.index]

    def write(self, value: int) -> None:
        """Set the register that the index selects."""
        if event := self.vga.trace.vga_vbe_write:
            event(index=self.index, val=value)
        match self.index:
            case 0:
                if ID_FIRST <= value <= ID_LAST:
                    self.regs[ID] = value
            case 1 | 2 | 3 | 6 | 8 | 9:
                self.regs[self.index] = value
                self._fix()
                self._to_crtc()
            case 4:
                self._write_enable(value)
            case 5:
                self.regs[BANK] = value & self.bank_mask
                self.vga.bank_offset = self.regs[BANK] << 16
                self.vga.on_change()
            case _:
                pass  # the virtual height is computed

    def _write_enable(self, value: int) -> None:
        was_enabled = self.enabled
        self.regs[ENABLE] = value
        if value & ENABLED and not was_enabled:
            self.regs[VIRT_WIDTH] = self.regs[X_OFFSET] = self.regs[Y_OFFSET] = 0
            self._fix()
            self._to_crtc()
            if not value & NO_CLEAR:
                self._clear()
        elif not value & ENABLED:
            self.vga.bank_offset = 0
        self.vga.dac_8bit = bool(value & DAC_8BIT)
        self.vga.on_change()

    def _clear(self) -> None:
        size = min(self.regs[YRES] * self.line_offset, self.vga.vram_size)
        self.vga.vram.write(0, bytes(size))

    def loaded(self) -> None:
        """Registers were loaded: what follows from them is computed here, whatever was said."""
        self.bank_mask = (self.vga.vram_size >> 16) - 1
        self.regs[BANK] &= self.bank_mask
        self.vga.bank_offset &= self.vga.vram_size - 1
        self._fix()

    # -- consequences ---------------------------------------------------------------------------------

    def _line_bytes(self, width: int) -> int:
        depth = self.regs[BPP]
        return width >> 1 if depth == 4 else width * ((depth + 7) // 8)

    def _fix(self) -> None:
        """Force the registers into what memory can hold, and compute start and line length."""
        if not self.enabled:
            return
        regs = self.regs
        if regs[BPP] not in DEPTHS:
            regs[BPP] = 8
        regs[XRES] = min(max(regs[XRES] & ~7, 8), MAX_XRES)
        regs[YRES] = min(max(regs[YRES], 1), MAX_YRES)
        regs[VIRT_WIDTH] = max(regs[VIRT_WIDTH] & ~7, regs[XRES])
        line = self._line_bytes(regs[VIRT_WIDTH])
        regs[YRES] = min(regs[YRES], self.vga.vram_size // line) or 1
        regs[VIRT_HEIGHT] = min(self.vga.vram_size // line, 0xFFFF)
        if self._start() + self._line_bytes(regs[XRES]) + (regs[YRES] - 1) * line > self.vga.vram_size:
            regs[X_OFFSET] = regs[Y_OFFSET] = 0
        self.line_offset = line
        self.start_addr = self._start() // 4

    def _start(self) -> int:
        """The address of the first visible byte."""
        line = self._line_bytes(self.regs[VIRT_WIDTH])
        return self.regs[Y_OFFSET] * line + self._line_bytes(self.regs[X_OFFSET])

    def _to_crtc(self) -> None:
        """Set the VGA registers as the mode would have them: programs that look there find it so."""
        if not self.enabled:
            return
        vga, cr = self.vga, self.vga.cr
        height = self.regs[YRES] - 1
        vga.gr[GR_MISC] = vga.gr[GR_MISC] & ~0x0C | 0x05  # graphics, 64 KiB at A0000h
        cr[CR_MODE] |= 3  # no CGA interleave
        cr[CR_OFFSET] = self.line_offset >> 3 & 0xFF
        cr[CR_H_DISPLAY] = (self.regs[XRES] >> 3) - 1 & 0xFF
        cr[CR_V_DISPLAY] = height & 0xFF
        cr[CR_OVERFLOW] = cr[CR_OVERFLOW] & ~0x42 | (height >> 7 & 0x02) | (height >> 3 & 0x40) | 0x10
        cr[CR_LINE_COMPARE] = 0xFF
        cr[CR_MAX_SCAN] = cr[CR_MAX_SCAN] & ~0x9F | 0x40
        if self.regs[BPP] == 4:
            shift = 0
            vga.sr[SR_CLOCKING] &= ~SR_CLOCKING_HALF
        else:
            shift = 2
            vga.sr[SR_MEMORY_MODE] |= SR_MEMORY_CHAIN4
            vga.sr[SR_MAP_MASK] |= 0x0F
        vga.gr[GR_MODE] = vga.gr[GR_MODE] & ~0x60 | shift << 5
        vga.on_change()
