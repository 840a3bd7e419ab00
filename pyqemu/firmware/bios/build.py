"""Builds the ROM: ``rom.bin``, ``video.bin`` and ``rom_symbols.py``. To be run after a change to any source of them::

    python -m pyqemu.firmware.bios.build

A test tells when that has been forgotten.
"""

from __future__ import annotations

from pyqemu.firmware.bios import layout
from pyqemu.firmware.bios.frame import FRAME_SIZE
from pyqemu.firmware.bios.rom import HERE, Rom
from pyqemu.firmware.bios.video_rom import build_video_rom
from pyqemu.util.x86asm import assemble

PCI_HOLE = 0xE0000000
"""Where MTRRs make memory uncached up to 4 GiB; RAM of the pc board ends below."""


def _constants() -> dict[str, int]:
    """What ``rom.asm`` takes from ``layout.py``."""
    names = {"TRAP_PORT": layout.TRAP_PORT, "STACK_TOP": layout.STACK_TOP, "PCI_HOLE": PCI_HOLE,
             "FRAME_SIZE": FRAME_SIZE}  # fmt: skip
    names.update((f"SERVICE_{s.name}", int(s)) for s in layout.Service)
    names.update((f"VERDICT_{v.name}", int(v)) for v in layout.Verdict)
    names.update((f"EBDA_{e.name}", int(e)) for e in layout.Ebda)
    return names


def build_rom() -> Rom:
    """Assemble and lay out everything. The bytes of each part sum to 0, as those of any ROM."""
    constants = _constants()
    program = assemble((HERE / "rom.asm").read_text(encoding="utf-8"), symbols=constants)
    segment = bytearray(program.code)
    segment[-1] = -sum(segment) & 0xFF
    video = build_video_rom()
    symbols = {name: value for name, value in program.symbols.items() if name not in constants}
    return Rom(bytes(segment), bytes(video.image), {**symbols, **video.symbols})


def main() -> None:
    """Write the three files."""
    rom = build_rom()
    (HERE / "rom.bin").write_bytes(rom.segment)
    (HERE / "video.bin").write_bytes(rom.video)
    lines = [f'    "{name}": 0x{value:04X},' for name, value in rom.symbols.items()]
    head = '"""Offsets in the ROM by label. Made by ``build.py``; do not edit."""\n\nSYMBOLS = {'
    (HERE / "rom_symbols.py").write_text("\n".join([head, *lines, "}"]) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
