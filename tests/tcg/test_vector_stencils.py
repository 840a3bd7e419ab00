"""What copied pieces of vector code must not contain."""

from __future__ import annotations

from pyqemu.tcg.stencil_build import ObjectReader, compile_object
from pyqemu.tcg.stencil_source import module_source
from pyqemu.tcg.tables import full_table


def test_no_stencil_has_constants_in_data() -> None:
    """Constants behind the code lose their alignment when a piece is copied, and aligned loads would trap."""
    source, names = module_source(full_table())
    reader = ObjectReader(compile_object(source))
    users = []
    for name, symbol in names:
        table = reader._elf.get_section_by_name(f".rela.text.{symbol}")
        for relocation in table.iter_relocations() if table else []:
            entry = reader._symbols.get_symbol(relocation["r_info_sym"])
            if reader._target(entry).startswith(".rodata"):
                users.append(name)
    assert not users
