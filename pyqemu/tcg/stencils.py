"""The stencils of this host: loaded from the user's cache, or made there.

The cache file is named after all that the stencils depend on: the LLVM text that the table gives, the version of
llvmlite, the host's processor. A file that is damaged is made anew. Two processes that start at once both make it, and
the later one replaces the file in one step.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from struct import Struct

from pyqemu.tcg.builder import Insn
from pyqemu.tcg.env import SUBROUTINES, TLB, TLB_TABLE
from pyqemu.tcg.hole import Hole
from pyqemu.tcg.ops import Op
from pyqemu.tcg.stencil_build import Patch, Piece, unpack, write
from pyqemu.tcg.stencil_source import module_source

_FIELDS = {4: Struct("<i"), 8: Struct("<Q")}
M32, M64 = (1 << 32) - 1, (1 << 64) - 1


class StencilsUnavailable(Exception):
    """This host cannot make or run stencils; the python engine can do the work."""


def cache_directory() -> Path:
    """Where the user's caches are (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "pyqemu"


def _host_processor() -> str:
    """What distinguishes one host processor from another for LLVM: its model and its features."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0].splitlines()
    except OSError:
        return platform.processor()
    keep = ("vendor_id", "cpu family", "model", "model name", "flags")
    return "\n".join(line for line in lines if line.split("\t")[0].strip() in keep)


def fingerprint(table: dict[str, Op]) -> str:
    """The digest of all that the stencils depend on."""
    parts = (module_source(table)[0], metadata.version("llvmlite"), platform.machine(), _host_processor())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def load(table: dict[str, Op]) -> dict[str, Piece]:
    """The stencils of *table*.

    :raise StencilsUnavailable: with a reason a person understands.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        raise StencilsUnavailable(f"there are no stencils for {platform.machine()} hosts yet")
    try:
        path = cache_directory() / f"stencils-{fingerprint(table)[:32]}.bin"
    except metadata.PackageNotFoundError:
        raise StencilsUnavailable("the package llvmlite is not installed") from None
    try:
        if (pieces := unpack(path.read_bytes())) is not None:
            return pieces
    except OSError:
        pass
    return _make(path)


def _make(path: Path) -> dict[str, Piece]:
    """Run the builder as a process of its own; the file in the cache is kept where the cache can be written."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="pyqemu-") as scratch:
        made = Path(scratch) / "stencils.bin"
        search = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        result = subprocess.run([sys.executable, "-m", "pyqemu.tcg.stencil_build", str(made)], capture_output=True,
                                text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(search)})  # fmt: skip
        if result.returncode or not made.exists():
            last = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise StencilsUnavailable(f"LLVM could not make the stencils: {last}")
        data = made.read_bytes()
    pieces = unpack(data)
    if pieces is None:
        raise StencilsUnavailable("the stencils that were made cannot be read back")
    try:
        write(path, data)
    except OSError:
        pass  # a cache that cannot be written costs the next start a second, nothing else
    return pieces


Patcher = Callable[[memoryview, int, int], None]
_SIGNED, _UNSIGNED, _FULL = Struct("<i").pack_into, Struct("<I").pack_into, Struct("<Q").pack_into


class Code:
    """Native code of a run of ops, position-independent but for its holes.

    :ivar holes: (offset, hole, bytes) of immediates that differ between instances
    :ivar patches: the same in the form that :meth:`fill` wants
    :ivar exits: offset of an op that may leave → (op, offset of the op after it)
    """

    __slots__ = ("data", "exits", "holes", "patches")

    def __init__(self, data: bytes, holes: tuple[tuple[int, Hole, int], ...],
                 exits: dict[int, tuple[Insn, int]]) -> None:  # fmt: skip
        self.data = data
        self.holes = holes
        self.patches = tuple(self._patch(*hole) for hole in holes)
        self.exits = exits

    @staticmethod
    def _patch(offset: int, hole: Hole, size: int) -> tuple[int, int, int, int, int, Patcher]:
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

    def fill(self, buffer: memoryview, start: int, fields: tuple[int, int, int]) -> None:
        """Write the numbers of one instance into a copy of the code that begins at *start*.

        :raise struct.error: one does not fit.
        """
        for offset, first, second, addend, mask, pack in self.patches:
            value = fields[first] + addend
            if second:
                value += fields[second]
            pack(buffer, start + offset, value & mask)


class _Stencil:
    """A stencil whose patches name their operands by place.

    :ivar wide_place: where the operand is whose value decides between this and the form with 64-bit immediates; or 0
    :ivar leaves: whether native code may be left here
    """

    __slots__ = ("code", "leaves", "patches", "wide_place")

    def __init__(self, op: Op, code: bytes, patches: list[Patch]) -> None:
        self.code = code
        places = {letter: place for place, letter in enumerate(op.letters, 1)}
        self.patches = tuple((offset, places[letter], letter, addend, size) for offset, letter, addend, size in patches)
        has_wide = op.kind != "exit" and dict(op.operands).get("i") == 64
        self.wide_place = places["i"] if has_wide else 0
        self.leaves = bool(op.size) or op.name in ("call", "goto_ptr", "leave")


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

    def assemble(self, ops: list[Insn], *, wide: bool = False) -> Code:
        """The native code of *ops*; with *wide*, every 64-bit hole has a field of 8 bytes.

        ``goto_tb`` becomes a jump that at first falls through; before the ``goto_ptr`` that follows is a way out for
        it, ``chain``. ``label`` is a place.
        """
        out = bytearray()
        labels: dict[int, int] = {}
        jumps: list[tuple[int, int, int]] = []
        holes: list[tuple[int, Hole, int]] = []
        exits: dict[int, tuple[Insn, int]] = {}
        unchained = 0  # offset of the field of a jump that may be chained
        for insn in ops:
            name = insn[0]
            if name == "label":
                labels[insn[1]] = len(out)
                continue
            if name == "goto_tb":
                unchained = self._chainable(out)
                continue
            if name == "goto_ptr" and unchained:
                start = len(out)
                out += self.pieces["chain"][0]
                exits[start] = ("goto_tb", start - unchained), len(out)
                unchained = 0
            start = len(out)
            found = self._stencils.get(name) or self._stencil(name)
            place = found.wide_place
            if place and _needs_wide(insn[place], wide):
                found = self._stencils.get(name + ".q") or self._stencil(name + ".q")
            out += found.code
            for offset, place, letter, addend, size in found.patches:
                value = insn[place]
                if letter == "l":
                    jumps.append((start + offset, value, addend))
                elif isinstance(value, Hole):
                    holes.append((start + offset, value + addend if addend else value, size))
                elif letter == "m":
                    value = SUBROUTINES + 8 * value if name == "gosub" else TLB + value * TLB_TABLE
                    fill_field(out, start + offset, value + addend, size)
                elif size == 4 and -(1 << 31) <= value + addend < 1 << 31:
                    _SIGNED(out, start + offset, value + addend)
                else:
                    fill_field(out, start + offset, value + addend, size)
            if found.leaves:
                exits[start] = (insn, len(out))
        for offset, label, addend in jumps:
            _FIELDS[4].pack_into(out, offset, labels[label] + addend - offset)
        return Code(bytes(out), tuple(holes), exits)

    def _chainable(self, out: bytearray) -> int:
        """A jump that falls through; returns the offset of its field."""
        code, patches = self.pieces["goto_tb"]
        start = len(out)
        out += code
        offset, _, addend, _ = patches[0]
        _FIELDS[4].pack_into(out, start + offset, len(code) + addend - offset)
        return start + offset

    def _stencil(self, name: str) -> _Stencil:
        """The stencil of that name in the form that :meth:`assemble` wants."""
        found = self._stencils[name] = _Stencil(self.table[name.removesuffix(".q")], *self.pieces[name])
        return found


def to_signed(value: int) -> int:
    """The two's complement value of 64 bits."""
    value &= M64
    return value - (1 << 64) if value >> 63 else value


def fill_field(code: bytearray, offset: int, value: int, size: int) -> None:
    """Write an immediate or a slot offset; four bytes are sign-extended by the processor.

    :raise ValueError: the value does not fit.
    """
    if size == 8:
        _FIELDS[8].pack_into(code, offset, value & M64)
        return
    value = to_signed(value)
    if not -(1 << 31) <= value < 1 << 32:
        raise ValueError(f"the immediate {value:#x} does not fit into 32 bits")
    _FIELDS[4].pack_into(code, offset, (value & M32 ^ 0x80000000) - 0x80000000)
