"""What a pc has for commands to find: its mouse, its screen, its processors for dumps of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86.dump import X86DumpTarget
from pyqemu.ui.pointer import Pointer
from pyqemu.ui.screen import Screen

if TYPE_CHECKING:
    from pyqemu.boards.pc import Pc


def install_console(pc: Pc) -> None:
    """Let commands find them."""

    def adapter() -> str:
        return "" if pc.vga is None else pc.vga.id or pc.vga.qom_path

    pc.system.add_part(Pointer(pc.i8042.mouse, "QEMU PS/2 Mouse"))
    pc.system.add_part(Screen(pc.frame, adapter))
    pc.system.add_part(X86DumpTarget([pc.cpu]))
