"""The A64 instruction set, and its decoder (ARM DDI 0487A.f, C4). Instructions are in ``insns/``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.tcg.patterns import InstructionSet, Node, PatternDecoder

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator

A64 = InstructionSet("A64")


def unallocated(t: A64Translator, word: int) -> None:
    """A word that is no instruction."""
    t.undefined()


class A64Decoders:
    """The decoders of one processor: one for each mode, with a decision tree in common.

    :param has: tells whether the processor has a feature
    """

    def __init__(self, has: Callable[[str], bool]) -> None:
        from pyqemu.targets.aarch64 import insns

        insns.load()
        self._tree: Node = A64.tree(has)
        self._decoders: dict[int, PatternDecoder] = {}

    def decoder(self, mode: int) -> PatternDecoder:
        """The decoder for one mode; shapes belong to it, because what they mean depends on the mode."""
        found = self._decoders.get(mode)
        if found is None:
            found = self._decoders[mode] = PatternDecoder(self._tree, unallocated)
        return found
