"""The python engine: the table's Python column, with no native code at all.

Each variant becomes one Python function of the environment's views and of its holes; temporaries are its local
variables. A block is the list of its functions. This engine is the reference that the others are tested against, and
the CPU core of hosts that have no stencils.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu.tcg.builder import Insn
from pyqemu.tcg.cpu import LeaveLoop
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.env import ARGUMENTS, BUDGET, EXIT_REQUEST, is_temporary
from pyqemu.tcg.hole import Hole
from pyqemu.tcg.ops import Op
from pyqemu.tcg.translate import Block, Fields, Variant

JUMP, LEAVE = 1, 2
TURN = 1024  #: blocks between two chances for other threads to take the big lock
_REQUEST, _BUDGET = EXIT_REQUEST >> 2, BUDGET >> 3
M64 = (1 << 64) - 1
_VIEWS = {8: ("b", 0), 16: ("w", 1), 32: ("l", 2), 64: ("q", 3)}

Function = Callable[..., "int | None"]


def quotient(a: int, b: int) -> int:
    """Signed division that truncates towards zero."""
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def remainder(a: int, b: int) -> int:
    """What :func:`quotient` leaves; its sign is the dividend's."""
    r = abs(a) % abs(b)
    return -r if a < 0 else r


class FunctionWriter:
    """Writes the source of one variant's function."""

    def __init__(self, table: dict[str, Op], ops: list[Insn]) -> None:
        self.table = table
        self.ops = ops
        self.holes: list[Hole] = []
        self.lines: list[str] = []
        self.indent = "  "
        self._in_memory = self._memory_bytes()
        self._locals: set[int] = set()

    def source(self) -> str:
        """The text of ``def run(b, w, l, q, cpu, mmu, holes)``."""
        body = self._segments()
        names = [f"  h{n} = holes[{n}]" for n in range(len(self.holes))]
        starts = [f"  t{offset} = 0" for offset in sorted(self._locals)]
        return "\n".join(["def run(b, w, l, q, cpu, mmu, holes):", *names, *starts, *body, "  return 0"])

    def _segments(self) -> list[str]:
        """One line after the other; with labels, a loop over the pieces between them."""
        labels = {insn[1]: n for n, insn in enumerate((i for i in self.ops if i[0] == "label"), 1)}
        self.indent = "  " if not labels else "      "
        pieces: list[list[str]] = [[]]
        for insn in self.ops:
            if insn[0] == "label":
                pieces.append([])
                continue
            self.lines = pieces[-1]
            self._op(insn, labels)
        if not labels:
            return pieces[0]
        out = ["  n = 0", "  while True:"]
        for number, lines in enumerate(pieces):
            last = number == len(pieces) - 1
            out += [f"    if n == {number}:", *lines, "      return 0" if last else f"      n = {number + 1}"]
        return out

    def _memory_bytes(self) -> set[int]:
        """Temporaries that are part of a 128-bit value, or are looked at in part, stay in the environment."""
        found: set[int] = set()
        for insn in self.ops:
            for (letter, bits), value in self._operands(insn):
                if letter in "dabce" and is_temporary(value) and (bits == 128 or value & 7):
                    found.update(range(value & ~7, value + bits // 8))
                if letter == "s":
                    found.update(range(value, value + 24))
        return found

    def _operands(self, insn: Insn) -> list[tuple[tuple[str, int], Any]]:
        if insn[0] == "label":
            return []
        if insn[0] == "call":
            return [(("d", insn[4]), insn[3])] if insn[3] >= 0 else []
        return list(zip(self.table[insn[0]].operands, insn[1:], strict=True))

    def _is_local(self, offset: int) -> bool:
        return is_temporary(offset) and offset not in self._in_memory

    def read(self, offset: int, bits: int) -> str:
        """The text that reads a slot."""
        if self._is_local(offset):
            self._locals.add(offset)
            return f"t{offset}" if bits == 64 else f"(t{offset} & {(1 << bits) - 1})"
        if bits == 128:
            return f"from_bytes(b[{offset}:{offset + 16}], 'little')"
        view, shift = _VIEWS[bits]
        if offset & (1 << shift) - 1:
            return f"from_bytes(b[{offset}:{offset + bits // 8}], 'little')"
        return f"{view}[{offset >> shift}]"

    def write(self, offset: int, bits: int, text: str) -> None:
        """The line that writes a slot; *text* has a value in range."""
        if self._is_local(offset):
            self._locals.add(offset)
            partial = f"t{offset} & {~((1 << bits) - 1)} | " if bits < 32 else ""
            self._line(f"t{offset} = {partial}{text}" if not partial else f"t{offset} = {partial}({text})")
            return
        if bits == 128 or (bits == 16 and offset & 1):
            size = bits // 8
            self._line(f"b[{offset}:{offset + size}] = ({text}).to_bytes({size}, 'little')")
            return
        view, shift = _VIEWS[64 if bits == 32 else bits]
        self._line(f"{view}[{offset >> shift}] = {text}")

    def _line(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def immediate(self, value: int | Hole, bits: int) -> str:
        """The text of an immediate operand."""
        if isinstance(value, Hole):
            self.holes.append(value)
            return f"h{len(self.holes) - 1}"
        return str(value)

    def _op(self, insn: Insn, labels: dict[int, int]) -> None:
        name = insn[0]
        if name == "call":
            self._call(insn)
            return
        op = self.table[name]
        if op.kind == "exit":
            if name == "gosub":
                self._line(f"cpu.helpers.subroutines[{insn[1]}].python(cpu)")
            elif name == "leave":
                self._line(f"return {LEAVE}")
            elif name == "goto_ptr":
                self._line(f"return {JUMP}")
            return
        values: dict[str, str] = {}
        for (letter, bits), value in zip(op.operands, insn[1:], strict=True):
            if letter in "abce":
                values[letter] = self.read(value, bits)
            elif letter in "ijk":
                values[letter] = self.immediate(value, bits)
        if op.size:
            self._access(op, insn, values)
        elif op.kind == "branch":
            self._line(f"if {op.py.format(**values)}:")
            self._line(f"  n = {labels[insn[-1]]}")
            self._line("  continue")
        elif op.kind == "flags":
            self._flags(op, insn, values)
        else:
            self.write(insn[1], op.operands[0][1], op.py.format(**values))

    def _access(self, op: Op, insn: Insn, values: dict[str, str]) -> None:
        wrap = (1 << op.address_bits) - 1
        address = f"({values['a']} + {values['i']}) & {wrap}"
        mmu = insn[-1]
        if op.kind == "probe":
            self._line(f"mmu.probe_write({address}, {op.size}, {mmu})")
        elif op.kind == "store":
            self._line(f"mmu.store({address}, {op.size}, {values['b']}, {mmu})")
        else:
            text = f"mmu.load({address}, {op.size}, {mmu})"
            bits = op.operands[0][1]
            if op.signed:
                half = 1 << 8 * op.size - 1
                text = f"(({text} ^ {half}) - {half}) & {(1 << bits) - 1}"
            self.write(insn[1], bits, text)

    def _flags(self, op: Op, insn: Insn, values: dict[str, str]) -> None:
        operands = dict(zip(op.letters, insn[1:], strict=True))
        second = values.get("b", values.get("i", values["a"]))
        if second.startswith("h"):
            second = f"{second}"
        self._line(f"f = {second}")
        self._line(f"r = {op.py.format(**values)}")
        if "d" in operands:
            self.write(operands["d"], op.operands[0][1], "r")
        record = operands["s"] >> 3
        self._line(f"q[{record}] = r")
        self._line(f"q[{record + 1}] = f")
        self._line(f"q[{record + 2}] = {values['k']}")

    def _call(self, insn: Insn) -> None:
        _, number, count, out, bits = insn
        arguments = "".join(f", q[{(ARGUMENTS >> 3) + n}]" for n in range(count))
        text = f"cpu.helpers.functions[{number}](cpu{arguments})"
        if out < 0:
            self._line(text)
        else:
            self.write(out, bits, f"({text} or 0) & {(1 << bits) - 1}")


class PythonEngine(Engine):
    """Runs blocks as lists of Python functions."""

    name = "python"

    def compile(self, variant: Variant) -> tuple[Function, list[Hole]]:
        writer = FunctionWriter(self.table, variant.ops)
        text = writer.source()
        scope: dict[str, Any] = {"from_bytes": int.from_bytes, "quotient": quotient, "remainder": remainder}
        scope.update(self.scope)
        exec(compile(text, f"<{variant.shape.mnemonic}>", "exec"), scope)
        function: Function = scope["run"]
        return function, writer.holes

    @property
    def scope(self) -> dict[str, Any]:
        """Names that the Python column of special rows may use."""
        names: dict[str, Any] = {}
        for op in self.table.values():
            names.update(op.scope)
        return names

    def place(self, block: Block, fields: list[Fields]) -> None:
        steps = []
        for variant, (pc, disp, imm) in zip(block.variants, fields, strict=True):
            function, holes = variant.code
            steps.append((function, [hole.value(pc, disp, imm) for hole in holes], pc))
        block.address = id(block)
        block.steps = steps

    def _unlink(self, block: Block) -> None:
        pass

    _running: Block | None = None

    def leave_after_instruction(self) -> None:
        if self._running is not None:
            self.cache.remove(self._running)

    def execute(self) -> None:
        cpu, mmu, pc_index = self.cpu, self.mmu, self.pc_index
        b, w, l, q = cpu.b, cpu.w, cpu.l, cpu.q
        turns = 0
        while True:
            turns += 1
            if not turns & (TURN - 1):
                cpu.turns.yield_lock()
            block = self.find()
            if self.trace is not None:
                self.trace(block)
            if l[_REQUEST] or (self.icount and not self._pay(block)):
                return
            index = 0
            self._running = block
            try:
                for function, holes, pc in block.steps:
                    if self.icount:
                        self._pending = block.count - index
                    q[pc_index] = pc
                    result = function(b, w, l, q, cpu, mmu, holes)
                    index += 1
                    if not block.valid and not result and index < len(block.steps) and block.host:
                        q[pc_index] = block.steps[index][2]
                        self._give_back(block.count - index)
                        return
            except Exception as exc:
                self._give_back(block.count - index - (isinstance(exc, LeaveLoop) and exc.completes))
                raise
            self._pending = 0
            if result == LEAVE:
                return

    def _pay(self, block: Block) -> bool:
        """Take the block's instructions from the budget; False where it has not that many left."""
        left = self.q[_BUDGET]
        left = left - (1 << 64) if left >> 63 else left
        if left < block.count:
            return False
        self.q[_BUDGET] = left - block.count
        return True
