"""Make the stencils: LLVM compiles the table once, the pieces are read back from the object file.

Runs as a program of its own (``python -m pyqemu.tcg.stencil_build FILE``), so that an abort of LLVM cannot take an
emulator down and a warm start need not import llvmlite at all.
"""

from __future__ import annotations

import hashlib
import io
import marshal
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from pyqemu.tcg.ops import Op
from pyqemu.tcg.stencil_relax import Patch, Piece, relaxable
from pyqemu.tcg.stencil_source import COLD_PIECES, SLOT_LETTERS, module_source

_ABSOLUTE = {1: 8, 10: 4, 11: 4}  # R_X86_64_64, R_X86_64_32, R_X86_64_32S: bytes of the field
_RELATIVE = {2, 4}  # R_X86_64_PC32, R_X86_64_PLT32
_ELSEWHERE = {"TAKEN": "l", "COLD": "C", "SELF": "S"}
MAGIC = b"pyqemu stencils 2\n"


class StencilError(Exception):
    """LLVM made something that cannot be copied and patched."""


def compile_object(source: str) -> bytes:
    """The object file of an LLVM module, for this host's processor."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        reloc="pic",
        codemodel="small",
    )
    module = llvm.parse_assembly(source)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(module, builder)
    data: bytes = machine.emit_object(module)
    return data


def _fall_through(code: bytearray, relocations: list[Any]) -> None:
    """Let a piece run into what follows it: without a jump there, and with one conditional jump to anywhere else."""
    if not relocations or relocations[-1][0] != len(code) - 4 or code[-5] != 0xE9:
        return
    if relocations[-1][2].name == "NEXT":
        del code[-5:], relocations[-1:]
    elif (
        len(relocations) > 1
        and relocations[-2][2].name == "NEXT"
        and relocations[-2][0] == len(code) - 9
        and code[-11] == 0x0F
    ):
        _, kind, target, addend = relocations[-1]
        code[-10] ^= 1  # the opposite condition
        del code[-5:]
        relocations[-2:] = [(len(code) - 4, kind, target, addend)]


class ObjectReader:
    """Takes the functions of a relocatable ELF file apart into pieces."""

    def __init__(self, data: bytes) -> None:
        from elftools.elf.elffile import ELFFile

        self._elf: Any = ELFFile(io.BytesIO(data))
        self._symbols: Any = self._elf.get_section_by_name(".symtab")

    def piece(self, symbol: str) -> Piece:
        """Code and patches of a function; jumps to what follows are resolved, constants are put behind the code.

        :raise StencilError: the code refers to something that is neither a hole nor a constant.
        """
        name = f".text.{symbol}"
        section = self._elf.get_section_by_name(name)
        code = bytearray(section.data())
        table = self._elf.get_section_by_name(".rela" + name)
        relocations = [(r["r_offset"], r["r_info_type"], self._symbols.get_symbol(r["r_info_sym"]), r["r_addend"])
                       for r in (table.iter_relocations() if table else [])]  # fmt: skip
        constants = any(self._target(s).startswith(".rodata") for _, _, s, _ in relocations)
        if not constants:
            _fall_through(code, relocations)
        placed = self._place_constants(code, relocations)
        end = len(code)
        patches: list[Patch] = []
        for offset, kind, entry, addend in relocations:
            target = self._target(entry)
            if kind in _ABSOLUTE and len(target) == 2 and target[0] == "H":
                if target == "HN":  # the addend of a TLB entry: 24 bytes behind its start, which is the operand
                    target, addend = "HM", addend + 24
                patches.append((offset, target[1].lower(), addend, _ABSOLUTE[kind]))
            elif kind in _RELATIVE and target in _ELSEWHERE:
                patches.append((offset, _ELSEWHERE[target], addend, 4))
            elif kind in _RELATIVE and (place := {"NEXT": end, symbol: 0, **placed}.get(target)) is not None:
                base = self._value(entry) if target in placed else 0
                code[offset : offset + 4] = (place + base + addend - offset).to_bytes(4, "little", signed=True)
            else:
                raise StencilError(f"{symbol}: relocation {kind} against {target!r} at {offset:#x} is not a hole")
        return relaxable(bytes(code), patches)

    def _target(self, entry: Any) -> str:
        if entry.name and entry["st_info"]["type"] != "STT_SECTION" and not entry.name.startswith("."):
            return str(entry.name)
        return str(self._elf.get_section(entry["st_shndx"]).name)

    @staticmethod
    def _value(entry: Any) -> int:
        return int(entry["st_value"])

    def _place_constants(self, code: bytearray, relocations: list[Any]) -> dict[str, int]:
        """Append the constant sections that are used; returns where each begins."""
        placed: dict[str, int] = {}
        for name in sorted({self._target(s) for _, _, s, _ in relocations}):
            if name.startswith(".rodata"):
                code += b"\xcc" * (-len(code) % 16)
                placed[name] = len(code)
                code += self._elf.get_section_by_name(name).data()
        return placed


def build(table: dict[str, Op]) -> dict[str, Piece]:
    """All stencils of a table, by name, and the routines that all blocks share."""
    source, names = module_source(table)
    reader = ObjectReader(compile_object(source))
    pieces = {name: reader.piece(symbol) for name, symbol in names}
    for routine in ("run", "refill_none", "lookup", "lookup_again", "miss", *COLD_PIECES):
        pieces[routine] = reader.piece(routine)
    known = set(SLOT_LETTERS) | {"i", "j", "k", "l", "C", "S"}
    for name, (_, patches) in pieces.items():
        if strange := {hole for _, hole, _, _ in patches} - known:
            raise StencilError(f"{name}: unknown holes {sorted(strange)}")
    return pieces


def pack(pieces: dict[str, Piece]) -> bytes:
    """The file of a set of stencils: magic, digest, contents."""
    payload = marshal.dumps(pieces)
    return MAGIC + hashlib.sha256(payload).digest() + payload


def unpack(data: bytes) -> dict[str, Piece] | None:
    """The stencils in a file; None where it is damaged."""
    start = len(MAGIC) + 32
    payload = data[start:]
    if data[: len(MAGIC)] != MAGIC or hashlib.sha256(payload).digest() != data[len(MAGIC) : start]:
        return None
    pieces: dict[str, Piece] = marshal.loads(payload)
    return pieces


def write(path: Path, data: bytes) -> None:
    """Replace a file in one step, so that a second process sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def main(arguments: list[str]) -> int:
    """Write the stencils to the file that the first argument names."""
    from pyqemu.tcg.tables import full_table

    write(Path(arguments[0]), pack(build(full_table())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
