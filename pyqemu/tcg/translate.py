"""Translation: from guest bytes to blocks of ready pieces.

A block is decoded first, then flags liveness runs backwards over it, then each instruction's shape is asked for the
variant that fits: with or without a record of flags, for this kind of record before it. A variant that was made before
costs a dictionary look-up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from pyqemu.tcg.builder import Builder, Insn
from pyqemu.tcg.ops import Op
from pyqemu.tcg.optimize import optimize
from pyqemu.tcg.shape import Shape, Truncated

KEEP = -1  #: the instruction leaves the flags record as it is
MAX_INSTRUCTIONS = 64

Fields = tuple[int, int, int]


class Traits:
    """What staging found out about a shape, whatever its variant.

    :ivar special: which fields' numbers the meaning depends on; then *instances* has the traits for each such number
    :ivar stores: the block may be found stale, and left, behind this instruction
    """

    __slots__ = ("ends", "exits", "instances", "reads_flags", "special", "stores", "writes_flags")

    def __init__(self, builder: Builder) -> None:
        self.reads_flags = builder.reads_flags
        self.writes_flags = builder.writes_flags
        self.ends = builder.ended
        effects = 0
        for insn in builder.ops:
            effects |= _effects(insn[0])
        self.exits = effects & 1 != 0
        self.stores = effects & 2 != 0
        self.instances: dict[tuple[int, ...], Traits] = {}
        self.special = tuple(index for index, name in enumerate(("pc", "disp", "imm")) if name in builder.special)


@cache
def _effects(name: str) -> int:
    """1 where an op may fault or call: whoever looks then must find the flags; 2 where it may write memory."""
    if name == "call" or name.startswith("st"):
        return 3
    return 1 if name.startswith(("ld", "probe")) else 0


class Variant:
    """One translation of a shape.

    :ivar ops: its IR
    :ivar cc_out: the kind of flags record after it, :data:`KEEP` for the one before it, None for unknown
    :ivar code: what the engine made of the ops
    :ivar wide: whether all its 64-bit immediates have fields of that size
    """

    __slots__ = ("cc_out", "code", "ops", "shape", "wide")

    def __init__(self, shape: Shape, ops: list[Insn], cc_out: int | None) -> None:
        self.shape = shape
        self.ops = ops
        self.cc_out = cc_out
        self.code: Any = None
        self.wide = False


class Block:
    """Translated guest code that is entered at its first instruction.

    There are hundreds of thousands of these; what can be computed is not stored.

    :ivar pc: program counter of the first instruction, as the guest's register holds it
    :ivar linear: its guest-virtual address
    :ivar flags: the mode it was translated for
    :ivar count: guest instructions; the jump that the translator may have added is none
    :ivar host: host address of its first byte; 0 for a block that is used once and not kept
    :ivar second: the page of host memory that its last instruction reaches into; 0 for most blocks
    :ivar address: where its native code is
    :ivar chained: host addresses of jumps that lead here, each followed by the distance to where it led before
    :ivar steps: what the python engine runs
    """

    __slots__ = ("address", "chained", "count", "flags", "host", "length", "linear", "pc", "second", "size",
                 "steps", "valid", "variants")  # fmt: skip

    def __init__(self, pc: int, linear: int, flags: int, variants: tuple[Variant, ...], count: int,
                 length: int) -> None:  # fmt: skip
        self.pc = pc
        self.linear = linear
        self.flags = flags
        self.variants = variants
        self.count = count
        self.length = length
        self.host = self.second = self.address = self.size = 0
        self.chained: list[int] | None = None
        self.valid = True
        self.steps: Any = None

    def pc_of(self, index: int) -> int:
        """The program counter of the instruction of that index."""
        return self.pc + sum(variant.shape.length for variant in self.variants[:index])


class Decoder(Protocol):
    """A target's decoder for one mode of the CPU."""

    def decode(self, code: bytes, pos: int) -> tuple[Shape, int, int]: ...


class Target(Protocol):
    """What translation needs of a target."""

    def decoder(self, flags: int) -> Decoder: ...
    def translator(self, flags: int, **context: Any) -> Builder: ...


Compile = Callable[[Variant], Any]


def _fall_through(builder: Builder) -> None:
    builder.goto(builder.next_pc)


class Translator:
    """Makes blocks. *compile_ops* is what the engine does with the ops of a new variant."""

    def __init__(self, target: Target, table: dict[str, Op], compile_ops: Compile) -> None:
        self.target = target
        self.compile = compile_ops
        self.table = table
        self._decoders: dict[int, Decoder] = {}
        self._ends: dict[int, Shape] = {}
        self.staged = 0  #: variants made so far
        self.translated = 0  #: guest instructions translated so far

    def block(self, pc: int, linear: int, flags: int, code: bytes, more: Callable[[], bytes | None],
              limit: int = MAX_INSTRUCTIONS, decoder: Decoder | None = None) -> tuple[Block, list[Fields]]:  # fmt: skip
        """Translate from *pc* on, at most *limit* instructions; returns the block and its instructions' fields.

        *code* are the bytes up to the end of the page; *more* gives those of the next page, where an instruction needs
        them: it raises the fault of a fetch for the first instruction, and is not asked for any other. *decoder* is
        used instead of that of the mode.
        """
        shapes: list[Shape] = []
        fields: list[Fields] = []
        found: list[Traits] = []
        decode = (decoder or self.decoder(flags)).decode
        position = 0
        end = len(code)
        while True:
            try:
                shape, disp, imm = decode(code, position)
            except Truncated:
                if shapes:
                    break
                extra = more()
                if extra is None:
                    raise
                code += extra
                shape, disp, imm = decode(code, position)
            here = (pc + position, disp, imm)
            shapes.append(shape)
            fields.append(here)
            traits = shape.traits
            if traits is None:
                traits = self._stage(shape, flags, here, True, None)[0]
            elif traits.special:
                traits = self._special(shape, flags, here)
            found.append(traits)
            position += shape.length
            if traits.ends or position >= end or len(shapes) >= limit:
                break
        count = len(shapes)
        if not traits.ends:
            shape = self._end(flags)
            shapes.append(shape)
            found.append(shape.traits)
            fields.append((pc + position, 0, 0))
        self.translated += count
        variants = self._variants(shapes, found, fields, flags)
        return Block(pc, linear, flags, variants, count, position), fields

    def decoder(self, flags: int) -> Decoder:
        """The decoder of a mode."""
        decoder = self._decoders.get(flags)
        if decoder is None:
            decoder = self._decoders[flags] = self.target.decoder(flags)
        return decoder

    def _special(self, shape: Shape, flags: int, here: Fields) -> Traits:
        """The traits of a shape whose meaning depends on a number, for the number at hand."""
        traits: Traits = shape.traits
        numbers = tuple(here[index] for index in traits.special)
        return traits.instances.get(numbers) or self._stage(shape, flags, here, True, None)[0]

    def _end(self, flags: int) -> Shape:
        """The jump to what follows, for a block whose last instruction is none."""
        shape = self._ends.get(flags)
        if shape is None:
            shape = self._ends[flags] = Shape(0, _fall_through, "goto")
            self._stage(shape, flags, (0, 0, 0), True, None)
        return shape

    def _variants(self, shapes: list[Shape], found: list[Traits], fields: list[Fields],
                  flags: int) -> tuple[Variant, ...]:  # fmt: skip
        live = True
        lives: list[bool] = []
        for traits in reversed(found):
            lives.append(live or traits.stores)
            if traits.writes_flags:
                live = False
            if traits.reads_flags or traits.exits:
                live = True
        lives.reverse()
        kind: int | None = None
        out = []
        for shape, traits, here, needed in zip(shapes, found, fields, lives, strict=True):
            key: Any = (needed or not traits.writes_flags, kind if traits.reads_flags else KEEP)
            if traits.special:
                key += tuple(here[index] for index in traits.special)
            variant = shape.variants.get(key)
            if variant is None:
                variant = self._stage(shape, flags, here, key[0], None if key[1] == KEEP else kind)[1]
            if variant.code is None:
                variant.ops = optimize(variant.ops, self.table)
                variant.code = self.compile(variant)
            out.append(variant)
            if variant.cc_out != KEEP:
                kind = variant.cc_out
        return tuple(out)

    def _stage(self, shape: Shape, flags: int, here: Fields, live: bool, kind: int | None) -> tuple[Traits, Variant]:
        """Let the shape tell its meaning to a builder. The variant is remembered; it is compiled when it is needed."""
        builder = self.target.translator(flags, fields=here, length=shape.length, flags_live=live, cc_in=kind)
        builder.cc_out = KEEP
        shape.stage(builder)
        self.staged += 1
        traits = Traits(builder)
        known: Traits | None = shape.traits
        if known is None or set(traits.special) - set(known.special):
            shape.variants.clear()
            if known is not None:
                traits.special = tuple(sorted({*traits.special, *known.special}))
            shape.traits = known = traits
        numbers = tuple(here[index] for index in known.special)
        if known.special:
            traits.special = known.special
            traits = known.instances.setdefault(numbers, traits)
        else:
            traits = known
        variant = Variant(shape, builder.ops, builder.cc_out)
        key: Any = (live or not traits.writes_flags, kind if traits.reads_flags else KEEP)
        shape.variants[key + numbers] = variant
        builder.release()
        return traits, variant
