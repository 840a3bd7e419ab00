"""From an instruction's form and operands to bytes (SDM vol. 2, chapter 2: instruction format)."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.util.x86asm.syntax import AssemblerError, Expression, FarPointer, Immediate, Memory, Operand, Register
from pyqemu.util.x86asm.table import Form

Evaluate = Callable[[Expression], int]

# ModRM.rm of the 16-bit addressing forms (SDM vol. 2, table 2-1).
_BASE16 = {"bx si": 0, "bx di": 1, "bp si": 2, "bp di": 3, "si": 4, "di": 5, "bp": 6, "bx": 7}
_SEGMENT_PREFIX = {"es": 0x26, "cs": 0x2E, "ss": 0x36, "ds": 0x3E, "fs": 0x64, "gs": 0x65}
_IMMEDIATE_BYTES = {
    "imm8": 1, "imm8s": 1, "imm8s16": 1, "imm8s32": 1, "imm8s64": 1, "imm8d": 1, "imm16": 2, "imm16d": 2,
    "imm32": 4, "imm32d": 4, "imm32s": 4, "u32": 4, "imm64": 8, "imm64d": 4,
}  # fmt: skip
_REGISTER_IN_REG = frozenset(("r8", "r16", "r32", "r64", "sreg", "cr", "dr", "x", "sti"))


class Encoder:
    """Encodes one instruction in one mode (16, 32 or 64 bits)."""

    def __init__(self, bits: int, evaluate: Evaluate, here: int) -> None:
        self.bits = bits
        self.evaluate = evaluate
        self.here = here

    # -- choosing a form ------------------------------------------------------------------------------------

    def matches(self, form: Form, operands: list[Operand]) -> bool:
        """Whether *form* can take *operands* with their present values."""
        if len(form.operands) != len(operands):
            return False
        if ("no64" in form.flags and self.bits == 64) or ("only64" in form.flags and self.bits != 64):
            return False
        if (form.size == 64 or "d64" in form.flags) and self.bits != 64:
            return False
        return all(self._accepts(kind, op, form) for kind, op in zip(form.operands, operands, strict=True))

    def _accepts(self, kind: str, operand: Operand, form: Form) -> bool:
        if isinstance(operand, Register):
            return kind in operand.kinds
        if isinstance(operand, Memory):
            if kind == "moff":
                return self._is_absolute(operand)
            return kind in operand.kinds
        if isinstance(operand, FarPointer):
            return kind == "ptr"
        if kind[0] == "r" and kind[1] == "e":
            return self._accepts_relative(kind, operand)
        return self._accepts_immediate(kind, operand)

    def _is_absolute(self, operand: Memory) -> bool:
        if operand.base is not None or operand.index is not None or operand.relative:
            return False
        return self.bits != 64

    def _accepts_relative(self, kind: str, operand: Immediate) -> bool:
        if kind == "relv":
            return operand.distance != "short"
        if operand.distance == "near":
            return False
        distance = self.evaluate(operand.value) - self.here - 2
        return -128 <= distance <= 127

    def _accepts_immediate(self, kind: str, operand: Immediate) -> bool:
        if kind not in _IMMEDIATE_BYTES:
            return kind == "one" and operand.value == 1
        value = self.evaluate(operand.value)
        if kind.startswith("imm8s"):
            width = int(kind[5:]) if kind[5:] else 16
            return not operand.size > 8 and _fits_signed(value, 8, width)
        if kind.endswith("d"):
            size = operand.size or self.bits
            if kind == "imm8d":
                return _fits_signed(value, 8, size)
            return int(kind[3:-1]) == size
        if kind == "u32":
            return 0 <= value < 1 << 32
        if kind == "imm32s":
            return _fits_signed(value, 32, 64)
        bits = 8 * _IMMEDIATE_BYTES[kind]
        return -(1 << (bits - 1)) <= value < 1 << bits

    # -- bytes ----------------------------------------------------------------------------------------------

    def encode(self, form: Form, operands: list[Operand]) -> bytes:
        """The bytes of the instruction.

        :raise AssemblerError: for an address that cannot be encoded.
        """
        reg, rm, immediates = self._roles(form, operands)
        size = self._operand_size(form, operands)
        prefix = bytearray()
        memory = next((op for op in operands if isinstance(op, Memory)), None)
        if memory is not None and memory.segment is not None:
            prefix.append(_SEGMENT_PREFIX[memory.segment])
        for flag, bits in (("a16", 16), ("a32", 32)):
            if flag in form.flags and self.bits != bits:
                prefix.append(0x67)
        if size == (32 if self.bits == 16 else 16):
            prefix.append(0x66)
        if memory is not None and self._address_size(memory) != self.bits:
            prefix.append(0x67)
        prefix += form.prefixes
        opcode = bytearray(form.opcode)
        if form.plus:
            assert isinstance(reg, Register)
            opcode[-1] |= reg.number & 7
        tail = b""
        if form.modrm is not None:
            number = form.modrm if form.modrm >= 0 else reg.number if isinstance(reg, Register) else 0
            tail_of = self._modrm_memory if isinstance(rm, Memory) else self._modrm_register
            tail = tail_of(number & 7, rm)  # type: ignore[arg-type]
        rex = self._rex(form, size, reg, rm, operands)
        immediate = b"".join(self._immediate(kind, op, size) for kind, op in immediates)
        head = bytes(prefix) + (bytes((rex,)) if rex else b"") + bytes(opcode)
        if isinstance(rm, Memory) and rm.relative:
            tail = self._fix_relative(rm, len(head) + len(tail) + len(immediate), tail)
        return self._relative(form, operands, head + tail + immediate)

    def _roles(
        self, form: Form, operands: list[Operand]
    ) -> tuple[Operand | None, Operand | None, list[tuple[str, Operand]]]:
        """Which operand goes into ModRM.reg (or ``+r``), which into ModRM.rm, and the immediates."""
        reg: Operand | None = None
        rm: Operand | None = None
        immediates: list[tuple[str, Operand]] = []
        for kind, operand in zip(form.operands, operands, strict=True):
            if kind in _IMMEDIATE_BYTES or kind in ("moff", "ptr"):
                immediates.append((kind, operand))
            elif kind in _REGISTER_IN_REG and (form.plus or form.modrm == -1):
                reg = operand
            elif kind[0] in "rRgmx" and kind not in ("relv", "rel8"):
                rm = operand
        if form.modrm is not None and rm is None:  # psrldq x,imm8: the register is in rm
            rm, reg = operands[0], None
        if form.plus and reg is None:
            reg = operands[0]
        return reg, rm, immediates

    def _operand_size(self, form: Form, operands: list[Operand]) -> int:
        """The operand size that needs a prefix, 0 for none."""
        if "dfl" in form.flags or "dflt" in form.flags:
            return 0
        size = form.size
        first = operands[0] if operands else None
        if form.operands[:1] == ("imm8d",) and isinstance(first, Immediate):
            size = (first.size or self.bits) % 64
        if form.operands == ("ptr",) and isinstance(first, FarPointer):
            size = first.size
        if form.opcode == b"\xff" and form.modrm in (3, 5) and isinstance(first, Memory):
            size = first.size
        return size

    def _rex(self, form: Form, size: int, reg: Operand | None, rm: Operand | None, operands: list[Operand]) -> int:
        rex = 0x08 if size == 64 and "d64" not in form.flags else 0
        if isinstance(reg, Register) and reg.number >= 8:
            rex |= 0x01 if form.plus else 0x04
        if isinstance(rm, Register) and rm.number >= 8:
            rex |= 0x01
        if isinstance(rm, Memory):
            rex |= (rm.base is not None and rm.base.number >= 8) * 0x01
            rex |= (rm.index is not None and rm.index.number >= 8) * 0x02
        registers = [op for op in operands if isinstance(op, Register)]
        needed = bool(rex) or any(op.rex == 1 for op in registers)
        if needed and self.bits != 64:
            raise AssemblerError("this register or size exists in 64-bit mode only")
        if needed and any(op.rex == 2 for op in registers):
            raise AssemblerError("ah, bh, ch and dh cannot be used with a REX prefix")
        return 0x40 | rex if needed else 0

    def _address_size(self, memory: Memory) -> int:
        for register in (memory.base, memory.index):
            if register is not None:
                return register.size
        return self.bits

    def _modrm_register(self, number: int, register: Register) -> bytes:
        return bytes((0xC0 | number << 3 | register.number & 7,))

    def _modrm_memory(self, number: int, memory: Memory) -> bytes:
        displacement = self.evaluate(memory.displacement)
        if self._address_size(memory) == 16:
            return self._modrm16(number, memory, displacement)
        return self._modrm32(number, memory, displacement)

    @staticmethod
    def _modrm16(number: int, memory: Memory, displacement: int) -> bytes:
        names = [r.name for r in (memory.base, memory.index) if r is not None]
        if not names:
            return bytes((number << 3 | 6,)) + (displacement & 0xFFFF).to_bytes(2, "little")
        rm = _BASE16.get(" ".join(names), _BASE16.get(" ".join(reversed(names))))
        if rm is None or memory.scale != 1:
            raise AssemblerError(f"[{'+'.join(names)}] is no 16-bit address")
        if displacement == 0 and rm != 6:
            return bytes((number << 3 | rm,))
        if _fits_signed(displacement, 8, 16):
            return bytes((0x40 | number << 3 | rm, displacement & 0xFF))
        return bytes((0x80 | number << 3 | rm,)) + (displacement & 0xFFFF).to_bytes(2, "little")

    def _modrm32(self, number: int, memory: Memory, displacement: int) -> bytes:
        base, index, scale = memory.base, memory.index, memory.scale
        if index is not None and index.number == 4:  # esp is never an index; as a base it does as well
            if base is None or scale != 1 or base.number == 4:
                raise AssemblerError(f"{index.name} cannot be an index")
            base, index = index, base
        if base is None and index is not None and scale in (2, 3, 5, 9):
            base, scale = index, scale - 1  # [eax*2] is shorter as [eax+eax]
        wide = (displacement & 0xFFFFFFFF).to_bytes(4, "little")
        if base is None and index is None:
            if self.bits == 64 and not memory.relative:
                return bytes((number << 3 | 4, 0x25)) + wide
            return bytes((number << 3 | 5,)) + wide
        if scale not in (1, 2, 4, 8):
            raise AssemblerError(f"a scale of {scale} does not exist")
        sib_scale = (scale.bit_length() - 1) << 6
        if base is None:
            assert index is not None
            return bytes((number << 3 | 4, sib_scale | (index.number & 7) << 3 | 5)) + wide
        mode, disp = 0x80, wide
        if displacement == 0 and base.number & 7 != 5:
            mode, disp = 0, b""
        elif _fits_signed(displacement, 8, 32):
            mode, disp = 0x40, bytes((displacement & 0xFF,))
        if index is None and base.number & 7 != 4:
            return bytes((mode | number << 3 | base.number & 7,)) + disp
        middle = 4 if index is None else index.number & 7
        return bytes((mode | number << 3 | 4, sib_scale | middle << 3 | base.number & 7)) + disp

    def _fix_relative(self, memory: Memory, length: int, tail: bytes) -> bytes:
        """The displacement of ``[rel x]`` counts from the end of the instruction."""
        distance = self.evaluate(memory.displacement) - (self.here + length)
        return tail[:-4] + (distance & 0xFFFFFFFF).to_bytes(4, "little")

    def _immediate(self, kind: str, operand: Operand, size: int) -> bytes:
        if isinstance(operand, FarPointer):
            width = (size or min(self.bits, 32)) // 8
            offset = self.evaluate(operand.offset) & ((1 << 8 * width) - 1)
            return offset.to_bytes(width, "little") + (self.evaluate(operand.segment) & 0xFFFF).to_bytes(2, "little")
        if isinstance(operand, Memory):  # moff
            width = self.bits // 8
            return (self.evaluate(operand.displacement) & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        assert isinstance(operand, Immediate)
        width = _IMMEDIATE_BYTES[kind]
        return (self.evaluate(operand.value) & ((1 << 8 * width) - 1)).to_bytes(width, "little")

    def _relative(self, form: Form, operands: list[Operand], code: bytes) -> bytes:
        """Append the displacement of a jump, which counts from its end."""
        if not operands or form.operands[0] not in ("rel8", "relv"):
            return code
        target = operands[0]
        assert isinstance(target, Immediate)
        width = 1 if form.operands[0] == "rel8" else 2 if self.bits == 16 else 4
        distance = self.evaluate(target.value) - (self.here + len(code) + width)
        if width == 1 and not -128 <= distance <= 127:
            raise AssemblerError("the jump target is out of reach of a short jump")
        return code + (distance & ((1 << 8 * width) - 1)).to_bytes(width, "little")


def _fits_signed(value: int, bits: int, width: int) -> bool:
    """Whether *value*, taken modulo 2**width, is the sign extension of a number of *bits* bits."""
    value &= (1 << width) - 1
    if value >> (width - 1):
        value -= 1 << width
    return -(1 << (bits - 1)) <= value < 1 << (bits - 1)
