"""From ops to native code: stencils are copied one after another, and what is known is filled in.

The code of a run of ops has two halves. The hot one is entered at its start and left at its end; the cold one, which is
placed far away, holds what runs rarely: the ways out of missed accesses, and what follows a direct jump that is not
chained.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from pyqemu.tcg.builder import Insn
from pyqemu.tcg.env import GLOBALS, POINTER, SUBROUTINES, TLB, TLB_TABLE
from pyqemu.tcg.hole import Hole
from pyqemu.tcg.ops import Op
from pyqemu.tcg.stencil_relax import SHORT, Patch, Piece, shorten
from pyqemu.tcg.stencil_source import COLD_PIECES, cold_piece

M32, M64 = (1 << 32) - 1, (1 << 64) - 1
_SIGNED, _UNSIGNED, _FULL = Struct("<i").pack_into, Struct("<I").pack_into, Struct("<Q").pack_into
_NEAR_FIRST, _NEAR_END = POINTER - 128, POINTER + 128 - 16  # a lazy-flags record reaches 16 bytes further

Patcher = Callable[[memoryview, int, int], None]
InstancePatch = tuple[int, int, int, int, int, Patcher]
Link = tuple[
    int, int
]  #: offset of a field that holds a distance, the distance if the cold half began at the hot one's start
SELF, COLD = "S", "C"


_ENDS = ("goto_tb", "goto_ptr", "leave", "br", "return", "retry", "give_up")


class Code:
    """Native code of a run of ops, position-independent but for its holes and the distance of its halves.

    :ivar holes: (whether in the cold half, offset, hole, bytes) of immediates that differ between instances
    :ivar patches: those of the hot half, in the form that :meth:`fill` wants
    :ivar cold_patches: those of the cold half
    :ivar links: fields of the hot half that lead to the cold one
    :ivar back_links: fields of the cold half that lead to the hot one
    :ivar exits: hot offset of an op that may leave → (op, hot offset of the op after it)
    """

    __slots__ = ("back_links", "cold", "cold_patches", "data", "exits", "holes", "links", "patches")

    def __init__(self, data: bytes, cold: bytes, holes: list[tuple[bool, int, Hole, int]],
                 exits: dict[int, tuple[Insn, int]], links: list[Link], back_links: list[Link]) -> None:  # fmt: skip
        self.data = data
        self.cold = cold
        self.holes = holes
        self.patches = _instance_patches(holes, cold=False)
        self.cold_patches = _instance_patches(holes, cold=True)
        self.exits = exits
        self.links = tuple(links)
        self.back_links = tuple(back_links)

    def connect(self, buffer: memoryview, hot: int, cold: int) -> None:
        """Let copies of the two halves at these places lead to each other."""
        distance = cold - hot
        for offset, value in self.links:
            _SIGNED(buffer, hot + offset, value + distance)
        for offset, value in self.back_links:
            _SIGNED(buffer, cold + offset, value - distance)


def _instance_patches(holes: list[tuple[bool, int, Hole, int]], *, cold: bool) -> tuple[InstancePatch, ...]:
    return tuple(_instance_patch(offset, hole, size) for is_cold, offset, hole, size in holes if is_cold == cold)


def _instance_patch(offset: int, hole: Hole, size: int) -> InstancePatch:
    """Offset, index of a field, index of a second field or 0, addend, mask, and what writes the value."""
    used = [index for index, is_used in enumerate((hole.pc, hole.disp, hole.imm)) if is_used]
    if len(used) > 2:
        raise ValueError("a hole is the sum of at most two fields")
    if size == 8:
        mask, pack = hole.mask, _FULL
    elif hole.mask == M64:
        mask, pack = -1, _SIGNED
    else:
        mask, pack = hole.mask, _UNSIGNED
    return offset, used[0], used[1] if len(used) == 2 else 0, hole.addend, mask, pack


def fill(patches: tuple[InstancePatch, ...], buffer: memoryview, start: int, fields: tuple[int, int, int]) -> None:
    """Write the numbers of one instance into a copy of the code that begins at *start*.

    :raise struct.error: one does not fit.
    """
    for offset, first, second, addend, mask, pack in patches:
        value = fields[first] + addend
        if second:
            value += fields[second]
        pack(buffer, start + offset, value & mask)


class _Form:
    """A stencil for operands that are near or not. Its patches name their operands by place."""

    __slots__ = ("code", "jumps", "links", "patches")

    def __init__(self, code: bytes, patches: list[Patch], places: dict[str, int]) -> None:
        self.code = code
        self.links = tuple((offset, addend) for offset, letter, addend, _ in patches if letter == COLD)
        self.jumps = tuple((offset, places[letter], addend) for offset, letter, addend, _ in patches if letter == "l")
        self.patches = tuple((offset, places.get(letter, 0), letter, addend, 4 if size == SHORT else size)
                             for offset, letter, addend, size in patches if letter not in ("l", COLD))  # fmt: skip


class _Stencil:
    """A stencil and its forms.

    :ivar wide_place: where the operand is whose value decides between this and the form with 64-bit immediates; or 0
    :ivar leaves: whether native code may be left here
    :ivar near_places: where the operands are that could have a short field
    :ivar cold: name of the cold piece that goes with it
    """

    __slots__ = ("_code", "_forms", "_patches", "_places", "cold", "leaves", "near_places", "wide_place")

    def __init__(self, op: Op, code: bytes, patches: list[Patch]) -> None:
        self._code = code
        self._patches = patches
        self._places = {letter: place for place, letter in enumerate(op.letters, 1)}
        self._forms: dict[int, _Form] = {}
        has_wide = op.kind != "exit" and dict(op.operands).get("i") == 64
        self.wide_place = self._places["i"] if has_wide else 0
        self.leaves = bool(op.size) or op.name in ("call", "goto_ptr", "leave")
        self.cold = cold_piece(op)
        self.near_places = tuple(sorted({self._places[letter] for _, letter, _, size in patches if size == SHORT}))

    def form(self, insn: Insn) -> _Form:
        """The form for the operands of *insn*."""
        near = 0
        for place in self.near_places:
            near = near << 1 | (_NEAR_FIRST <= insn[place] < _NEAR_END)
        return self._forms.get(near) or self._make(near)

    def _make(self, near: int) -> _Form:
        bits = zip(reversed(self.near_places), range(len(self.near_places)), strict=True)
        places = {place for place, bit in bits if near >> bit & 1}
        offsets = {offset for offset, letter, _, size in self._patches
                   if size == SHORT and self._places[letter] in places}  # fmt: skip
        form = self._forms[near] = _Form(*shorten(self._code, self._patches, offsets), self._places)
        return form


assert _NEAR_FIRST <= GLOBALS < _NEAR_END


def _needs_wide(value: int | Hole, always: bool) -> bool:
    """Whether a 64-bit immediate needs the 64-bit field."""
    if isinstance(value, Hole):
        # An immediate may have 8 bytes, and the sum of a displacement and a number more than 31 bits.
        return always or value.pc or value.imm or value.addend != 0 or value.mask != M64
    return not -(1 << 31) <= to_signed(value) < 1 << 31


class Assembler:
    """Copies stencils and fills what is known."""

    def __init__(self, table: dict[str, Op], pieces: dict[str, Piece]) -> None:
        self.table = table
        self.pieces = pieces
        self._stencils: dict[str, _Stencil] = {}
        self._cold = {name: _Form(*pieces[name], {}) for name in COLD_PIECES}

    def assemble(self, ops: list[Insn], *, wide: bool = False) -> Code:
        """The native code of *ops*; with *wide*, every 64-bit hole has a field of 8 bytes.

        ``goto_tb`` becomes a jump to the cold half. There is ``chain``, a way out, and behind it what follows in
        *ops*, up to the next label. ``label`` is a place.
        """
        return _Run(self, ops, wide).assemble()

    def far_jump(self, tag_slot: int, tag: int, addend_slot: int, addend: int) -> tuple[bytes, int, int]:
        """A jump that is taken while two slots hold these numbers.

        Returns its code, the offset of the field for where it leads, and that of the field for where to go otherwise.
        """
        guard = ("guard", tag_slot, addend_slot, tag, addend, 0)
        code = self.assemble([guard, ("br", 1), ("label", 0), ("br", 1), ("label", 1)]).data
        jump = len(self.pieces["br"][0])
        return code, len(code) - jump - 4, len(code) - 4

    def stencil(self, name: str) -> _Stencil:
        """The stencil of that name in the form that :class:`_Run` wants."""
        found = self._stencils.get(name)
        if found is None:
            found = self._stencils[name] = _Stencil(self.table[name.removesuffix(".q")], *self.pieces[name])
        return found

    def cold_form(self, name: str) -> _Form:
        """A cold piece of accesses, or ``chain``."""
        return self._cold[name]


class _Run:
    """The assembly of one run of ops."""

    def __init__(self, assembler: Assembler, ops: list[Insn], wide: bool) -> None:
        self._assembler = assembler
        self._ops = ops
        self._wide = wide
        self._hot, self._cold = bytearray(), bytearray()
        self._out = self._hot
        self._labels: dict[int, int] = {}
        self._jumps: list[tuple[int, int, int, int]] = []  # label, offset of the field, addend, start of the op
        self._holes: list[tuple[bool, int, Hole, int]] = []
        self._exits: dict[int, tuple[Insn, int]] = {}
        self._links: list[Link] = []
        self._back_links: list[Link] = []
        self._reachable = True  # does the hot half run into what comes next?
        self._chain: tuple[int, int, int] | None = None  # start of the jump, its field, where the field leads to

    def assemble(self) -> Code:
        """Append everything."""
        labels: list[int] = []  # those just before
        for insn in self._ops:
            name = insn[0]
            if name == "label":
                labels.append(insn[1])
                self._out = self._hot
                self._labels[insn[1]] = len(self._hot)
                continue
            if name == "goto_tb":
                self._chainable(labels)
            else:
                if name == "goto_ptr" and self._chain is not None:
                    self._unchained(*self._chain)
                self._copy(name, insn)
            self._reachable = name not in _ENDS
            labels.clear()
        for number, field, addend, _ in self._jumps:
            _SIGNED(self._hot, field, self._labels[number] + addend - field)
        return Code(bytes(self._hot), bytes(self._cold), self._holes, self._exits, self._links, self._back_links)

    def _copy(self, name: str, insn: Insn) -> None:
        """Append the stencil of an op."""
        out = self._out
        start = len(out)
        stencil = self._assembler.stencil(name)
        place = stencil.wide_place
        if place and _needs_wide(insn[place], self._wide):
            stencil = self._assembler.stencil(name + ".q")
        form = stencil.form(insn)
        out += form.code
        self._fill(out, start, form, insn)
        for offset, place, addend in form.jumps:
            self._jumps.append((insn[place], start + offset, addend, start))
        if form.links:
            self._rare(stencil.cold, start, form.links, insn[-1])
        if stencil.leaves and out is self._hot:
            self._exits[start] = insn, len(out)

    def _fill(self, out: bytearray, start: int, form: _Form, insn: Insn) -> None:
        for offset, place, letter, addend, size in form.patches:
            value = insn[place]
            if isinstance(value, Hole):
                self._holes.append((out is self._cold, start + offset, value + addend if addend else value, size))
                continue
            if letter == "m":
                value = (SUBROUTINES + 8 * value if insn[0] == "gosub" else TLB + value * TLB_TABLE) - POINTER
            elif letter in "dabces":
                value -= POINTER
            value += addend
            if size == 4 and -(1 << 31) <= value < 1 << 31:
                _SIGNED(out, start + offset, value)
            elif size == 1:
                out[start + offset] = value & 0xFF
            else:
                fill_field(out, start + offset, value, size)

    def _rare(self, name: str, start: int, links: tuple[tuple[int, int], ...], mmu: int = 0) -> int:
        """Append a cold piece of the op that begins at *start*, with *links* to it; returns where it begins."""
        cold = len(self._cold)
        form = self._assembler.cold_form(name)
        self._cold += form.code
        for offset, _, letter, addend, size in form.patches:
            if letter == SELF:
                self._back_links.append((cold + offset, start + addend - cold - offset))
            else:
                fill_field(self._cold, cold + offset, TLB + mmu * TLB_TABLE + addend, size)
        self._links += [(start + offset, cold + addend - start - offset) for offset, addend in links]
        return cold

    def _chainable(self, labels: list[int]) -> None:
        """A jump to the cold half; where only one conditional jump leads here, to one of *labels*, it is that."""
        jumps = [jump for jump in self._jumps if jump[0] in labels]
        if not self._reachable and len(jumps) == 1 and self._references(labels) == 1:
            self._jumps.remove(jumps[0])
            _, field, addend, start = jumps[0]
        else:
            start = len(self._hot)
            code, patches = self._assembler.pieces["goto_tb"]
            self._hot += code
            offset, _, addend, _ = patches[0]
            field = start + offset
        self._out = self._cold
        target = len(self._cold)
        self._links.append((field, target + addend - field))
        self._chain = start, field, target

    def _references(self, labels: list[int]) -> int:
        """How many ops may jump to labels."""
        table = self._assembler.table
        return sum(
            1
            for insn in self._ops
            if insn[0] != "label" and (place := table[insn[0]].letters.find("l")) >= 0 and insn[1 + place] in labels
        )

    def _unchained(self, start: int, field: int, target: int) -> None:
        """The way out of a jump that is not chained, which is overwritten if it cannot be."""
        cold = self._rare("chain", start, ())
        size = len(self._cold) - cold
        self._exits[start] = ("goto_tb", field - start, cold - target, size), field + 4
        self._chain = None


def to_signed(value: int) -> int:
    """The two's complement value of 64 bits."""
    value &= M64
    return value - (1 << 64) if value >> 63 else value


def fill_field(code: bytearray, offset: int, value: int, size: int) -> None:
    """Write an immediate or a slot offset; four bytes are sign-extended by the processor.

    :raise ValueError: the value does not fit.
    """
    if size == 8:
        _FULL(code, offset, value & M64)
        return
    value = to_signed(value)
    if not -(1 << 31) <= value < 1 << 32:
        raise ValueError(f"the immediate {value:#x} does not fit into 32 bits")
    _SIGNED(code, offset, (value & M32 ^ 0x80000000) - 0x80000000)
