"""The rig's board with Unicorn as its CPU: runs the ROM and boot sectors in real mode (and what they switch to).

Unicorn does not deliver interrupts by itself; this rig does, by the real-mode vector table.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import unicorn
from unicorn import x86_const as x86

from pyqemu.firmware.bios import TRAP_PORT
from pyqemu.memory import AddressSpace, RamBlock
from tests.firmware.bios.rig import Board

_IF, _TF = 0x200, 0x100
_SEGMENTS = (x86.UC_X86_REG_ES, x86.UC_X86_REG_CS, x86.UC_X86_REG_SS, x86.UC_X86_REG_DS, x86.UC_X86_REG_FS,
             x86.UC_X86_REG_GS)  # fmt: skip
TICK, ACCESS = 1_000_000, 5_000  # nanoseconds that pass in HLT and in a port access
SERVICES_A_SLICE = 50
PCI_MEMORY, PCI_SIZE = 0xE0000000, 0x1EC00000


class UcSegment:
    """A segment register, in real mode or flat."""

    def __init__(self, uc: unicorn.Uc, register: int) -> None:
        self.uc, self.register = uc, register

    @property
    def base(self) -> int:
        protected = self.uc.reg_read(x86.UC_X86_REG_CR0) & 1
        return 0 if protected else self.uc.reg_read(self.register) << 4


def _register(number: int) -> property:
    def get(cpu: UcCpu) -> int:
        value: int = cpu.uc.reg_read(number)
        return value

    def put(cpu: UcCpu, value: int) -> None:
        cpu.uc.reg_write(number, value)

    return property(get, put)


class UcCpu:
    """The registers as the BIOS wants them, over Unicorn's."""

    rax, rbx = _register(x86.UC_X86_REG_EAX), _register(x86.UC_X86_REG_EBX)
    rcx, rdx = _register(x86.UC_X86_REG_ECX), _register(x86.UC_X86_REG_EDX)
    rsp, pc = _register(x86.UC_X86_REG_ESP), _register(x86.UC_X86_REG_EIP)
    flags = _register(x86.UC_X86_REG_EFLAGS)

    @property
    def eip(self) -> int:
        return self.pc if self.trap is None else self.trap

    def __init__(self, memory: AddressSpace) -> None:
        self.trap: int | None = None
        self.uc = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_16)
        self.memory = memory
        self.seg: Sequence[UcSegment] = [UcSegment(self.uc, register) for register in _SEGMENTS]
        self.load, self.store = memory.load, memory.store
        self.read, self.write = memory.read, memory.write


class UcBoard(Board):
    """The board; :meth:`run` runs until something is on the screen or too many instructions have gone by."""

    cpu: UcCpu

    def __init__(self, **parts: object) -> None:
        super().__init__(UcCpu, **parts)
        self.uc = self.cpu.uc
        self.halted = False
        self.interrupts: list[int] = []
        self.services = 0
        self._map_memory()
        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._software_interrupt)
        self.uc.hook_add(unicorn.UC_HOOK_INSN, self._in, None, 1, 0, x86.UC_X86_INS_IN)
        self.uc.hook_add(unicorn.UC_HOOK_INSN, self._out, None, 1, 0, x86.UC_X86_INS_OUT)
        self.uc.reg_write(x86.UC_X86_REG_CS, 0xF000)
        self.cpu.pc = 0xFFF0

    def _map_memory(self) -> None:
        """RAM is shared; the ROM lies in the RAM under it from the start, since Unicorn knows no PAM."""
        block = self.ram.ram_block
        assert block is not None
        assert self.vga is not None
        self.uc.mem_map_ptr(0, 0xB8000, unicorn.UC_PROT_ALL, block.host)
        text = self.vga.vga.window._chained.ram_block
        assert text is not None
        self.uc.mem_map_ptr(0xB8000, 0x8000, unicorn.UC_PROT_ALL, text.host)
        self.uc.mem_map_ptr(0xC0000, block.size - 0xC0000, unicorn.UC_PROT_ALL, block.host + 0xC0000)
        self.uc.mmio_map(PCI_MEMORY, PCI_SIZE, self._mmio_read, None, self._mmio_write, None)
        image = self.bios.image
        block.data[0x100000 - len(image) : 0x100000] = image
        self.memory.write_listeners.append(self._written)

    def _mmio_read(self, uc: unicorn.Uc, offset: int, size: int, data: object) -> int:
        return self.memory.load(PCI_MEMORY + offset, size)

    def _mmio_write(self, uc: unicorn.Uc, offset: int, size: int, value: int, data: object) -> None:
        self.memory.store(PCI_MEMORY + offset, size, value)

    def _written(self, block: RamBlock, offset: int, length: int) -> None:
        if block is self.ram.ram_block and not 0xA0000 <= offset < 0xC0000:
            self.uc.ctl_remove_cache(offset, offset + length)

    # -- what Unicorn asks for -------------------------------------------------------------------------------------

    def _in(self, uc: unicorn.Uc, port: int, size: int, data: object) -> int:
        self.clock.advance(ACCESS)
        return self.io.load(port, size)

    def _out(self, uc: unicorn.Uc, port: int, size: int, value: int, data: object) -> None:
        self.clock.advance(ACCESS)
        if port == TRAP_PORT:  # Unicorn's IP is that of the translated block; the BIOS wants the instruction's
            self.cpu.trap = self.bios.rom.symbols["trap.out"]
        self.io.store(port, size, value)
        self.cpu.trap = None

    def _software_interrupt(self, uc: unicorn.Uc, number: int, data: object) -> None:
        enabled = self.cpu.flags & _IF
        self.deliver(number)
        if enabled and self.pic.output.level:  # as if it had come just before
            self.deliver(self.pic.acknowledge())
        self.services += 1
        if self.services % SERVICES_A_SLICE == 0:
            uc.emu_stop()

    def deliver(self, number: int) -> None:
        """Push FLAGS, CS and IP and go to the vector."""
        cpu = self.cpu
        sp = (cpu.rsp - 6) & 0xFFFF
        cs = self.uc.reg_read(x86.UC_X86_REG_CS)
        self.memory.write(cpu.seg[2].base + sp, struct.pack("<HHH", cpu.pc & 0xFFFF, cs, cpu.flags & 0xFFFF))
        cpu.rsp = cpu.rsp & ~0xFFFF | sp
        cpu.flags &= ~(_IF | _TF)
        ip, segment = struct.unpack("<HH", self.memory.read(4 * number, 4))
        self.uc.reg_write(x86.UC_X86_REG_CS, segment)
        cpu.pc = ip
        self.interrupts.append(number)

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self, until: str = "", *, slices: int = 2000) -> list[str]:
        """Run; return the screen once *until* is on it. Every halt lets a millisecond pass.

        :raise AssertionError: it never comes.
        """
        for _ in range(slices):
            self._run_slice()
            lines = self.lines()
            if until and any(until in line for line in lines):
                return lines
            self.clock.advance(TICK)
            if self.pic.output.level and self.cpu.flags & _IF:
                self.deliver(self.pic.acknowledge())
        if until:
            raise AssertionError(f"{until!r} is not on the screen:\n" + "\n".join(self.lines()))
        return self.lines()

    def _run_slice(self) -> None:
        """Until HLT or some services later: both are in real mode, and Unicorn can be started again only there."""
        start = self.cpu.seg[1].base + (self.cpu.pc & 0xFFFF)
        self.uc.emu_start(start, 0xFFFFFFFF, timeout=60_000_000)

    def type(self, *names: str) -> None:
        """Press and release keys, by QEMU's names."""
        for name in names:
            self.i8042.keyboard.put_key(name, True)
            self.i8042.keyboard.put_key(name, False)
