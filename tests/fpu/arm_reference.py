"""Single ARM floating-point instructions, executed by Unicorn: results and cumulative flags."""

from __future__ import annotations

import unicorn
from unicorn import arm64_const as a64
from unicorn import arm_const as a32

from pyqemu import fpu
from pyqemu.fpu import ARM_NANS, BINARY16, BINARY32, BINARY64, Format, Rounding, Status

CODE = 0x10000
FZ, DN, AHP, FZ16 = 1 << 24, 1 << 25, 1 << 26, 1 << 19  #: DDI 0487, FPCR
MODES = (Rounding.NEAREST_EVEN, Rounding.UP, Rounding.DOWN, Rounding.TOWARD_ZERO)  #: by FPCR.RMode
FLAGS = {fpu.INVALID: 1, fpu.DIVIDE_BY_ZERO: 2, fpu.OVERFLOW: 4, fpu.UNDERFLOW: 8, fpu.INEXACT: 16,
         fpu.INPUT_DENORMAL: 128}  # fmt: skip
TYPES: dict[Format, int] = {BINARY32: 0, BINARY64: 1, BINARY16: 3}  #: the type field of instructions
V = tuple(getattr(a64, f"UC_ARM64_REG_V{n}") for n in range(4))


def fpsr(environment: Status) -> int:
    """The flags as FPSR has them."""
    return sum(bit for flag, bit in FLAGS.items() if environment.flags & flag)


def status(fpcr: int, fmt: Format) -> Status:
    """What FPCR says about operations in a format."""
    environment = Status(ARM_NANS, MODES[fpcr >> 22 & 3])
    environment.tiny_before_rounding = True
    environment.default_nan = bool(fpcr & DN)
    flush = bool(fpcr & (FZ16 if fmt is BINARY16 else FZ))
    environment.flush_to_zero = environment.denormals_are_zero = flush
    environment.flush_flags = fpu.UNDERFLOW
    environment.input_flags = 0 if fmt is BINARY16 else fpu.INPUT_DENORMAL
    return environment


class Aarch64:
    """A CPU that executes one instruction at a time; each has its place in memory, so it is translated once."""

    def __init__(self) -> None:
        self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        self.uc.ctl_set_cpu_model(a64.UC_CPU_ARM64_MAX)
        self.uc.mem_map(CODE, 0x100000)
        self.uc.reg_write(a64.UC_ARM64_REG_CPACR_EL1, 3 << 20)
        self.places: dict[int, int] = {}

    def run(self, word: int, fpcr: int, operands: tuple[int, ...]) -> tuple[int, int]:
        """Execute with *operands* in V1, V2, V3; return V0 and FPSR."""
        uc = self.uc
        uc.reg_write(a64.UC_ARM64_REG_FPCR, fpcr)
        uc.reg_write(a64.UC_ARM64_REG_FPSR, 0)
        for register, operand in zip(V[1:], operands, strict=False):
            uc.reg_write(register, operand)
        self._execute(word)
        return uc.reg_read(V[0]), uc.reg_read(a64.UC_ARM64_REG_FPSR) & 0x9F

    def run_integer(self, word: int, fpcr: int, operand: int, *, from_x1: bool = False) -> tuple[int, int]:
        """Execute with *operand* in V1 or X1; return X0 or V0, and FPSR."""
        uc = self.uc
        uc.reg_write(a64.UC_ARM64_REG_FPCR, fpcr)
        uc.reg_write(a64.UC_ARM64_REG_FPSR, 0)
        uc.reg_write(a64.UC_ARM64_REG_X1 if from_x1 else V[1], operand)
        self._execute(word)
        return uc.reg_read(V[0] if from_x1 else a64.UC_ARM64_REG_X0), uc.reg_read(a64.UC_ARM64_REG_FPSR) & 0x9F

    def compare(self, word: int, fpcr: int, a: int, b: int) -> tuple[int, int]:
        """Execute a comparison; return NZCV and FPSR."""
        _, flags = self.run(word, fpcr, (a, b))
        return self.uc.reg_read(a64.UC_ARM64_REG_NZCV) >> 28, flags

    def _execute(self, word: int) -> None:
        place = self.places.get(word)
        if place is None:
            place = self.places[word] = CODE + 16 * len(self.places)
            self.uc.mem_write(place, word.to_bytes(4, "little"))
        self.uc.emu_start(place, place + 4)


class Aarch32:
    """The same for A32 instructions of Advanced SIMD on the first lane of D1 and D2."""

    def __init__(self) -> None:
        self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_ARM)
        self.uc.ctl_set_cpu_model(a32.UC_CPU_ARM_CORTEX_A15)
        self.uc.mem_map(CODE, 0x1000)
        self.uc.reg_write(a32.UC_ARM_REG_C1_C0_2, 0xF << 20)
        self.uc.reg_write(a32.UC_ARM_REG_FPEXC, 1 << 30)

    def run(self, word: int, a: int, b: int) -> tuple[int, int]:
        """Execute; return the low word of D0, and the flags of FPSCR."""
        uc = self.uc
        uc.mem_write(CODE, word.to_bytes(4, "little"))
        uc.reg_write(a32.UC_ARM_REG_FPSCR, 0)
        uc.reg_write(a32.UC_ARM_REG_D1, a)
        uc.reg_write(a32.UC_ARM_REG_D2, b)
        uc.emu_start(CODE, CODE + 4)
        return uc.reg_read(a32.UC_ARM_REG_D0) & 0xFFFFFFFF, uc.reg_read(a32.UC_ARM_REG_FPSCR) & 0x9F
