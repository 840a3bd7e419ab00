"""The other side of the comparison: Unicorn."""

from __future__ import annotations

import ctypes
from typing import Any

import unicorn as _unicorn
from unicorn import arm64_const as c
from unicorn.unicorn_py3.unicorn import uclib

from pyqemu.targets.arm import flags
from tests.targets.aarch64.differential.layout import (
    CODE,
    CODE_SIZE,
    DATA_HIGH,
    DATA_LOW,
    DATA_PAGES,
    END,
    HOLES,
    RAM_SIZE,
    READ_ONLY,
    Outcome,
    State,
)

unicorn: Any = _unicorn  # its types are not for us
REGISTERS = [getattr(c, f"UC_ARM64_REG_X{n}") for n in range(31)] + [c.UC_ARM64_REG_SP]
VECTORS = [getattr(c, f"UC_ARM64_REG_V{n}") for n in range(32)]
UNDEFINED, PREFETCH_ABORT, DATA_ABORT = 1, 3, 4  # numbers of Unicorn's hook of exceptions
M64 = (1 << 64) - 1


class RegisterFile:
    """Many registers at once: Unicorn's own batches take a hundred times as long.

    :param words: how many words of 64 bits each register has
    """

    def __init__(self, uc: Any, registers: list[int], words: int = 1) -> None:
        count = len(registers)
        self._values = (ctypes.c_uint64 * (count * words))()
        start = ctypes.addressof(self._values)
        places = (ctypes.c_void_p * count)(*(start + 8 * words * n for n in range(count)))
        self._call = uc._uch, (ctypes.c_int * count)(*registers), places, count
        self.words = memoryview(self._values).cast("B").cast("Q")

    def write(self) -> None:
        """Give Unicorn what is in :attr:`words`."""
        uclib.uc_reg_write_batch(*self._call)

    def read(self) -> None:
        """Get it back."""
        uclib.uc_reg_read_batch(*self._call)


class Reference:
    """A Unicorn instance."""

    def __init__(self, model: int = c.UC_CPU_ARM64_A57) -> None:
        uc: Any = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        self._uc = uc
        uc.ctl_set_cpu_model(model)
        self._raw = ctypes.create_string_buffer(RAM_SIZE + 4096)
        start = -(-ctypes.addressof(self._raw) // 4096) * 4096
        self.ram = memoryview((ctypes.c_ubyte * RAM_SIZE).from_address(start)).cast("B")
        self.ram[:CODE_SIZE] = END.to_bytes(4, "little") * (CODE_SIZE // 4)
        uc.mem_map_ptr(CODE, CODE_SIZE, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC, start)
        for n in range(DATA_PAGES):
            if n not in HOLES:
                rights = unicorn.UC_PROT_READ | (0 if n in READ_ONLY else unicorn.UC_PROT_WRITE)
                where = start + CODE_SIZE + n * 4096
                uc.mem_map_ptr(DATA_LOW + n * 4096, 4096, rights, where)
                uc.mem_map_ptr(DATA_HIGH + n * 4096, 4096, rights, where)
        self._exception = 0
        uc.reg_write(c.UC_ARM64_REG_CPACR_EL1, 3 << 20)
        uc.hook_add(unicorn.UC_HOOK_INTR, self._interrupted)
        uc.hook_add(unicorn.UC_HOOK_INSN_INVALID, self._invalid)
        self._integers = RegisterFile(uc, [*REGISTERS, c.UC_ARM64_REG_PC, c.UC_ARM64_REG_NZCV])
        self._vectors = RegisterFile(uc, VECTORS, words=2)
        self._clean = uc.context_save()
        self._used: set[int] = set()  # places of instructions that Unicorn has translated

    def _interrupted(self, uc: Any, number: int, data: Any) -> None:
        self._exception = number
        uc.emu_stop()

    def _invalid(self, uc: Any, data: Any) -> bool:
        self._exception = UNDEFINED
        return False

    def run(self, words: list[int], state: State) -> Outcome:
        """Run so many instructions."""
        uc, at = self._uc, state.pc - CODE
        code = b"".join(word.to_bytes(4, "little") for word in words)
        self.ram[at : at + len(code)] = code
        places = range(at, at + len(code), 4)
        if not self._used.isdisjoint(places):
            uc.ctl_flush_tb()
            self._used.clear()
        self._used.update(places)
        integers, vectors = self._integers, self._vectors
        for n, value in enumerate(state.registers):
            integers.words[n] = value
        integers.words[32], integers.words[33] = state.pc, flags.compute(*state.record)
        integers.write()
        if state.vectors:
            for n, value in enumerate(state.vectors):
                vectors.words[2 * n], vectors.words[2 * n + 1] = value & M64, value >> 64
            vectors.write()
            uc.reg_write(c.UC_ARM64_REG_FPCR, state.fpcr)
            uc.reg_write(c.UC_ARM64_REG_FPSR, state.fpsr)
        self._exception = 0
        fault = ""
        try:
            uc.emu_start(state.pc, 0xFFFF_FFFF_FFFF_FFFC, 0, len(words))
        except unicorn.UcError as error:
            fault = self._name(error.errno)
        if not fault and self._exception:
            fault = self._name(unicorn.UC_ERR_EXCEPTION)
        integers.read()
        registers, pc, nzcv = tuple(integers.words[:32]), integers.words[32], integers.words[33]
        self.ram[at : at + len(code)] = END.to_bytes(4, "little") * len(words)
        self._used.add(pc - CODE)  # Unicorn may have translated there
        outcome = Outcome(fault, registers, pc, nzcv)
        if state.vectors:
            vectors.read()
            halves = vectors.words.tolist()
            whole = tuple(halves[n] | halves[n + 1] << 64 for n in range(0, 64, 2))
            outcome = outcome._replace(vectors=whole, fpsr=uc.reg_read(c.UC_ARM64_REG_FPSR))
        if fault:
            self.forget()
        return outcome

    def forget(self) -> None:
        """Lose what no case sets: the monitor, registers of the system; and what the fault left behind."""
        self._uc.context_restore(self._clean)

    def _name(self, error: int) -> str:
        if error in (unicorn.UC_ERR_INSN_INVALID, unicorn.UC_ERR_EXCEPTION):
            return {UNDEFINED: "undefined", DATA_ABORT: "alignment", PREFETCH_ABORT: "pc"}.get(
                self._exception, f"exception {self._exception}"
            )
        if error in (unicorn.UC_ERR_FETCH_UNMAPPED, unicorn.UC_ERR_FETCH_PROT, unicorn.UC_ERR_FETCH_UNALIGNED):
            return ""  # it was the next instruction that could not be fetched
        return "data"
