"""The other side of the comparison: Unicorn."""

from __future__ import annotations

import ctypes
from array import array
from typing import Any

import unicorn as _unicorn
from unicorn import arm_const as c
from unicorn.unicorn_py3.unicorn import uclib

from pyqemu.targets.arm import flags
from tests.targets.arm.differential.layout import (
    CODE,
    CODE_SIZE,
    DATA_HIGH,
    DATA_LOW,
    DATA_PAGES,
    END,
    HOLES,
    RAM_SIZE,
    READ_ONLY,
    SVC_MODE,
    Outcome,
    State,
    T,
)

unicorn: Any = _unicorn  # its types are not for us
REGISTERS = [*(getattr(c, f"UC_ARM_REG_R{n}") for n in range(13)), c.UC_ARM_REG_SP, c.UC_ARM_REG_LR]
UNDEFINED, PREFETCH_ABORT, DATA_ABORT = 1, 3, 4  # numbers of Unicorn's hook of exceptions
FLOATING = [c.UC_ARM_REG_FPSCR, *(getattr(c, f"UC_ARM_REG_D{n}") for n in range(32))]
M32 = (1 << 32) - 1


class Reference:
    """A Unicorn instance."""

    def __init__(self, model: int = c.UC_CPU_ARM_CORTEX_A15) -> None:
        uc: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_ARM)
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
        uc.reg_write(c.UC_ARM_REG_CPSR, SVC_MODE)
        uc.reg_write(c.UC_ARM_REG_C1_C0_2, 0xF << 20)
        uc.reg_write(c.UC_ARM_REG_FPEXC, 1 << 30)
        uc.hook_add(unicorn.UC_HOOK_INTR, self._interrupted)
        uc.hook_add(unicorn.UC_HOOK_INSN_INVALID, self._invalid)
        self._batch, self._words = self._named([c.UC_ARM_REG_CPSR, *REGISTERS, c.UC_ARM_REG_PC])
        self._floating, self._vectors = self._named(FLOATING)
        self._clean = uc.context_save()
        self._used: set[int] = set()  # places of instructions that Unicorn has translated

    def _named(self, names: list[int]) -> tuple[Any, memoryview]:
        """What reads and writes registers in one go, and where their values are."""
        values = (ctypes.c_uint64 * len(names))()
        where = ctypes.addressof(values)
        places = (ctypes.c_void_p * len(names))(*(where + 8 * n for n in range(len(names))))
        return (self._uc._uch, (ctypes.c_int * len(names))(*names), places), memoryview(values).cast("B").cast("Q")

    def _interrupted(self, uc: Any, number: int, data: Any) -> None:
        self._exception = number
        uc.emu_stop()

    def _invalid(self, uc: Any, data: Any) -> bool:
        self._exception = UNDEFINED
        return False

    def run(self, code: bytes, state: State, count: int) -> Outcome:
        """Run so many instructions; 0: until the end of the code, or until it is left by a branch."""
        uc, at = self._uc, state.pc - CODE
        self.ram[at : at + len(code)] = code
        places = range(at, at + len(code), 2)
        if not self._used.isdisjoint(places):
            uc.ctl_flush_tb()
            self._used.clear()
        self._used.update(places)
        words = self._words
        words[0] = SVC_MODE | flags.compute(*state.record) | state.rest
        for n, value in enumerate(state.registers):
            words[1 + n] = value
        uclib.uc_reg_write_batch(*self._batch, 16)
        if state.vectors:
            self._vectors[:] = memoryview(array("Q", (state.fpscr, *state.vectors)))
            uclib.uc_reg_write_batch(*self._floating, 33)
        self._exception = 0
        fault = ""
        try:
            end = 0xFFFF_FFFC if count else state.pc + len(code)
            uc.emu_start(state.pc | bool(state.rest & T), end, 0, count)
        except unicorn.UcError as error:
            fault = self._name(error.errno)
        if not fault and self._exception:
            fault = self._name(unicorn.UC_ERR_EXCEPTION)
        uclib.uc_reg_read_batch(*self._batch, 17)
        registers = tuple(word & M32 for word in words[1:16])
        pc, cpsr = words[16] & M32, words[0] & M32
        pc &= ~1 if cpsr & T else ~3
        self.ram[at : at + len(code)] = (END.to_bytes(4, "little") * (len(code) // 4 + 1))[: len(code)]
        if not count and fault != "data" and not state.pc <= pc < state.pc + len(code):
            fault, self._exception = "", 0
        self._used.add(pc - CODE)  # Unicorn may have translated there
        outcome = Outcome(fault, registers, pc, cpsr)
        if state.vectors:
            uclib.uc_reg_read_batch(*self._floating, 33)
            outcome = outcome._replace(vectors=tuple(self._vectors[1:]), fpscr=self._vectors[0] & M32)
        if fault or not count:
            self.forget()
        return outcome

    def forget(self) -> None:
        """Lose what no case sets: the monitor, registers of the system; and what the fault left behind."""
        self._uc.context_restore(self._clean)

    def _name(self, error: int) -> str:
        if error in (unicorn.UC_ERR_INSN_INVALID, unicorn.UC_ERR_EXCEPTION):
            return {UNDEFINED: "undefined", DATA_ABORT: "alignment", PREFETCH_ABORT: "fetch"}.get(
                self._exception, f"exception {self._exception}"
            )
        if error in (unicorn.UC_ERR_FETCH_UNMAPPED, unicorn.UC_ERR_FETCH_PROT, unicorn.UC_ERR_FETCH_UNALIGNED):
            return ""  # it was the next instruction that could not be fetched
        return "data"
