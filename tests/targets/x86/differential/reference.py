"""The other side of the comparison: Unicorn."""

from __future__ import annotations

import ctypes
from typing import Any

import unicorn as _unicorn
from unicorn import x86_const as c

from pyqemu.targets.x86 import flags
from pyqemu.targets.x86.layout import DF, EXC_PF, EXC_UD
from tests.targets.x86.differential.layout import (
    CODE,
    CODE_SIZE,
    DATA_HIGH,
    DATA_LOW,
    DATA_PAGES,
    HLT,
    HOLES,
    RAM_SIZE,
    READ_ONLY,
    Outcome,
    State,
    port_value,
)

unicorn: Any = _unicorn  # its types are not for us
REGISTERS = "AX CX DX BX SP BP SI DI"
NAMES = {
    64: ["R" + name for name in REGISTERS.split()] + [f"R{n}" for n in range(8, 16)] + ["RIP"],
    32: ["E" + name for name in REGISTERS.split()] + ["EIP"],
}
MODES = {16: unicorn.UC_MODE_16, 32: unicorn.UC_MODE_32, 64: unicorn.UC_MODE_64}
SEGMENTS = [c.UC_X86_REG_ES, c.UC_X86_REG_CS, c.UC_X86_REG_SS, c.UC_X86_REG_DS, c.UC_X86_REG_FS, c.UC_X86_REG_GS]
MAX_ELEMENTS = 400


class Reference:
    """A Unicorn instance for one mode."""

    def __init__(self, mode: int) -> None:
        self.mode = mode
        uc: Any = unicorn.Uc(unicorn.UC_ARCH_X86, MODES[mode])
        self._uc = uc
        uc.ctl_set_cpu_model(c.UC_CPU_X86_HASWELL)
        self._raw = ctypes.create_string_buffer(RAM_SIZE + 4096)
        start = -(-ctypes.addressof(self._raw) // 4096) * 4096
        self.ram = memoryview((ctypes.c_ubyte * RAM_SIZE).from_address(start)).cast("B")
        self.ram[:CODE_SIZE] = HLT * CODE_SIZE
        uc.mem_map_ptr(CODE, CODE_SIZE, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC, start)
        for n in range(DATA_PAGES):
            if n not in HOLES:
                rights = unicorn.UC_PROT_READ | (0 if n in READ_ONLY else unicorn.UC_PROT_WRITE)
                where = start + CODE_SIZE + n * 4096
                uc.mem_map_ptr(DATA_LOW + n * 4096, 4096, rights, where)
                if mode == 64:
                    uc.mem_map_ptr(DATA_HIGH + n * 4096, 4096, rights, where)
        self._ids = [getattr(c, "UC_X86_REG_" + name) for name in NAMES[64 if mode == 64 else 32]]
        self._clean = uc.context_save()
        self._vector = -1
        self._used: set[int] = set()  # places of instructions that Unicorn has translated
        uc.hook_add(unicorn.UC_HOOK_INTR, self._interrupted)
        uc.hook_add(unicorn.UC_HOOK_INSN_INVALID, self._invalid)
        uc.hook_add(unicorn.UC_HOOK_INSN, self._read_port, None, 1, 0, c.UC_X86_INS_IN)
        uc.hook_add(unicorn.UC_HOOK_INSN, self._write_port, None, 1, 0, c.UC_X86_INS_OUT)
        self.ports: list[tuple[int, int, int]] = []

    def _read_port(self, uc: Any, port: int, size: int, data: Any) -> int:
        return port_value(port, size)

    def _write_port(self, uc: Any, port: int, size: int, value: int, data: Any) -> None:
        self.ports.append((port, size, value))

    def _interrupted(self, uc: Any, number: int, data: Any) -> None:
        self._vector = number
        uc.emu_stop()

    def _invalid(self, uc: Any, data: Any) -> bool:
        self._vector = EXC_UD
        return False

    def enter(self, bases: tuple[int, ...]) -> None:
        """Set the segments' bases."""
        self._bases = bases
        if self.mode == 16:
            for register, base in zip(SEGMENTS, bases, strict=True):
                self._uc.reg_write(register, base >> 4)
        elif self.mode == 64:
            self._uc.reg_write(c.UC_X86_REG_FS_BASE, bases[4])
            self._uc.reg_write(c.UC_X86_REG_GS_BASE, bases[5])

    def run(self, code: bytes, state: State, *, repeats: bool) -> Outcome:
        """Run the instruction `code` once, string instructions to their end."""
        uc, at = self._uc, state.pc & 0xFFFF
        linear = CODE + at
        self.ram[at : at + 16] = code.ljust(16, HLT)  # that ends what Unicorn translates
        if at in self._used:
            uc.ctl_flush_tb()
            self._used.clear()
        self._used.add(at)
        count = len(self._ids) - 1
        values = list(zip(self._ids[:count], state.registers, strict=False))
        image = flags.compute(*state.record) | 2 | (DF if state.backwards else 0)
        uc.reg_write_batch([*values, (c.UC_X86_REG_EFLAGS, image)])
        self._vector = vector = -1
        self.ports.clear()
        for _ in range(MAX_ELEMENTS if repeats else 1):
            vector = self._step(linear)
            if vector >= 0 or uc.reg_read(self._ids[-1]) != state.pc:
                break
        self.ram[at : at + 16] = HLT * 16
        *registers, pc, image = uc.reg_read_batch([*self._ids, c.UC_X86_REG_EFLAGS])
        self._used.add(pc & 0xFFFF)  # Unicorn may have translated there
        registers += state.registers[count:]
        if vector >= 0:
            self._recover()
        return Outcome(vector, tuple(registers), pc, image & 0xCD5)

    def _recover(self) -> None:
        """Make Unicorn forget the exception: the next one would be a double fault."""
        self._uc.context_restore(self._clean)
        self.enter(self._bases)

    def _step(self, linear: int) -> int:
        """Run one instruction, or one element of a string; return the vector of its fault or -1."""
        try:
            self._uc.emu_start(linear, 0xFFFF_FFFF_FFFF_FFFF, 0, 1)
        except unicorn.UcError as error:
            if error.errno == unicorn.UC_ERR_INSN_INVALID:
                return EXC_UD
            if error.errno in (unicorn.UC_ERR_FETCH_UNMAPPED, unicorn.UC_ERR_FETCH_PROT):
                return self._vector  # it was the next instruction that could not be fetched
            if error.errno == unicorn.UC_ERR_EXCEPTION:
                return self._vector
            return EXC_PF
        return self._vector
