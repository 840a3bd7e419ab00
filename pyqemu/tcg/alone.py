"""Instructions that run alone: a block is one of them, and behind it comes the main loop, whatever it does.

A target whose processor steps has a bit in the mode for that, with a decoder of its own, and a slot of the environment
that says how far the instruction is. While the bit is set, the target arms the slot, lets the engine run, and looks.
That is slow and rare; in exchange nothing of it is seen in normal translation.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pyqemu.tcg.shape import Shape

if TYPE_CHECKING:
    from pyqemu.tcg.builder import Builder
    from pyqemu.tcg.translate import Decoder

ARMED, DONE = 1, 2  #: what the slot says before and after the instruction


def always_leave(t: Builder) -> None:
    """Let every way out of what was staged lead to the main loop."""
    if not t.ended:
        t.exit_loop_next()
    # Before a jump the program counter is written anyway, for the case that its target is not translated yet.
    t.ops = [("leave",) if insn[0] == "goto_ptr" else insn for insn in t.ops if insn[0] != "goto_tb"]


class AloneDecoder:
    """Wraps a mode's decoder so that every instruction runs alone.

    :param slot: the offset of the slot
    """

    def __init__(self, inner: Decoder, slot: int) -> None:
        self._inner, self._slot = inner, slot
        self._wrapped: dict[Shape, Shape] = {}

    def decode(self, code: bytes, pos: int) -> tuple[Shape, int, int]:
        """Return shape, displacement and immediate, as the mode's decoder does."""
        shape, disp, imm = self._inner.decode(code, pos)
        wrapped = self._wrapped.get(shape)
        if wrapped is None:
            stage = partial(_stage_alone, shape, self._slot, self.done(shape.mnemonic))
            wrapped = self._wrapped[shape] = Shape(shape.length, stage, shape.mnemonic)
        return wrapped, disp, imm

    def done(self, mnemonic: str) -> int:
        """What the slot says after an instruction of that name."""
        return DONE


def _stage_alone(shape: Shape, slot: int, done: int, t: Builder) -> None:
    """Stage an instruction that runs alone.

    Other blocks may jump here; then nobody has armed the slot, and it leaves at once. The program counter is written
    then.
    """
    progress, armed = t.glob(slot, 64), t.label()
    t.brcond("eq", progress, ARMED, armed)
    t.emit("leave")
    t.bind(armed)
    progress.set(done)
    shape.stage(t)
    always_leave(t)
