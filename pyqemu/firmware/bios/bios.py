"""The built-in BIOS: takes the ROM's calls and hands them to the services.

How a service runs: the guest executes ``INT n``; the ROM's stub saves the registers and writes *n* to the trap port;
the port's handler below reads the saved registers into a :class:`~pyqemu.firmware.bios.frame.Frame`, calls the
service, writes back what it changed, and answers with a verdict in AL (see ``layout.Verdict``). A service that has to
wait or to run guest code says so and is asked again later; where it is then, it reads from guest memory.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.firmware.bios.apm import ApmServices
from pyqemu.firmware.bios.boot import BootServices
from pyqemu.firmware.bios.calls import Calls
from pyqemu.firmware.bios.context import BiosContext, LinearMemory, Ports
from pyqemu.firmware.bios.disks import DiskMap
from pyqemu.firmware.bios.frame import FRAME_SIZE, FlatFrame, Frame
from pyqemu.firmware.bios.int1a import TimeServices
from pyqemu.firmware.bios.int10 import VideoServices
from pyqemu.firmware.bios.int13 import DiskServices
from pyqemu.firmware.bios.int14 import SerialServices
from pyqemu.firmware.bios.int15 import SystemServices
from pyqemu.firmware.bios.int16 import KeyboardServices
from pyqemu.firmware.bios.int17 import PrinterServices
from pyqemu.firmware.bios.layout import Service, Verdict
from pyqemu.firmware.bios.mouse import MouseServices
from pyqemu.firmware.bios.option_rom import PostMemoryManager
from pyqemu.firmware.bios.pci_bios import PciBios
from pyqemu.firmware.bios.post import Post
from pyqemu.firmware.bios.rom import load_rom

Handler = Callable[[Frame], Verdict | None]

_CS, _SS = 1, 2


class BuiltinBios:
    """The firmware of the pc board.

    The board maps :attr:`image` where a ROM goes and gives this object's :meth:`read` and :meth:`write` the port
    ``TRAP_PORT``.
    """

    def __init__(self, context: BiosContext) -> None:
        self.context = context
        self.cpu = context.cpu
        self.rom = load_rom()
        outs = [self.rom.symbols[name] for name in ("trap.out", "pci32_entry.out", "apm32_entry.out")]
        self._callers = frozenset(outs) | {out + 2 for out in outs}  # before or behind the instruction
        memory, ports = LinearMemory(context.cpu), Ports(context.io)
        symbols = self.rom.symbols
        calls = Calls(memory)
        disks = DiskMap(context, memory, ports)
        pci = PciBios(ports, memory, symbols["pci32_entry"])
        video = VideoServices(memory, ports, self.rom)
        post = Post(context, memory, ports, calls, disks, video, self.rom)
        boot = BootServices(context, memory, ports, calls, disks)
        disk = DiskServices(memory, disks)
        apm = ApmServices(context, symbols["apm32_entry"])
        mouse = MouseServices(memory, ports)
        keyboard = KeyboardServices(memory, ports, calls)
        time = TimeServices(memory, ports, calls, pci)
        self.handlers: dict[int, Handler] = {
            Service.RESET: post.reset,
            Service.POST: post.run,
            Service.BOOT: boot.continue_,
            Service.BOOT_RESTART: boot.restart,
            Service.KEYBOARD: lambda frame: keyboard.scan_code(self.cpu.rbx & 0xFF),
            Service.VIDEO: video.service,
            Service.DISK: disk.service,
            Service.FLOPPY: disk.service,
            Service.SERIAL: SerialServices(memory, ports).service,
            Service.SYSTEM: SystemServices(context, memory, ports, apm, mouse).service,
            Service.KEY: keyboard.service,
            Service.PRINTER: PrinterServices(memory, ports).service,
            Service.TIME: time.service,
            Service.CLOCK: time.interrupt,
            Service.MOUSE: mouse.interrupt,
            Service.PMM: PostMemoryManager(memory).service,
        }
        self.flat_handlers: dict[int, Callable[[Frame], None]] = {
            Service.PCI32: pci.protected_mode,
            Service.APM32: apm.protected_mode,
        }

    @property
    def image(self) -> bytes:
        """The ROM's bytes: they end at 1 MiB and, the same, at 4 GiB."""
        return self.rom.image

    # -- the trap port --------------------------------------------------------------------------------------

    def read(self, offset: int, size: int) -> int:
        """Nobody reads the trap port."""
        return (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        """Run service *value* for the stub that asks; writes from outside of the ROM do nothing."""
        cpu = self.cpu
        if cpu.seg[_CS].base + cpu.eip & 0xFFFF not in self._callers:
            return
        if value in self.flat_handlers:
            self._protected_mode(self.flat_handlers[value])
            return
        handler = self.handlers.get(value)
        if handler is None:
            return
        address = cpu.seg[_SS].base + (cpu.rsp & 0xFFFF)
        frame = Frame(cpu.read(address, FRAME_SIZE), address)
        verdict = handler(frame)
        image = frame.image()
        if image is not None:
            cpu.write(address, image)
        cpu.rax = cpu.rax & ~0xFF | (verdict or Verdict.DONE)

    def _protected_mode(self, handler: Callable[[Frame], None]) -> None:
        """A stub in 32-bit code: the frame is what ``pushad`` and ``pushfd`` have pushed."""
        cpu = self.cpu
        address = cpu.seg[_SS].base + cpu.rsp & 0xFFFFFFFF
        frame = FlatFrame(cpu.read(address, FlatFrame.SIZE))
        handler(frame)
        image = frame.image()
        if image is not None:
            cpu.write(address, image)
