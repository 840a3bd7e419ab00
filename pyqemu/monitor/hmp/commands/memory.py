"""Numbers: ``print``, ``x``, ``xp``, ``i``, ``o``, ``sum``, ``memsave``, ``pmemsave``, ``gva2gpa``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.monitor.hmp.arguments import Format
from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.qapi.errors import QapiError
from pyqemu.system.memory_dump import checksum, read_physical, read_virtual, save_physical, save_virtual

if TYPE_CHECKING:
    from pyqemu.memory import AddressSpace
    from pyqemu.monitor.hmp.dispatch import Hmp

_M64 = (1 << 64) - 1
_ESCAPED = {0x27: "\\'", 0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r"}
_LONGEST_INSTRUCTION = 16
_PORT_LETTERS = {1: "b", 2: "w"}  # all others: l


def character(value: int) -> str:
    """A number as a character constant."""
    if value in _ESCAPED:
        return f"'{_ESCAPED[value]}'"
    return f"'{chr(value)}'" if 32 <= value <= 126 else f"'\\x{value:02x}'"


def _octal(value: int) -> str:
    return f"0{value:o}" if value else "0"


@hmp_command("print", "fmt:/,val:l", "the value of an expression ($NAME is a register)",
             aliases=("p",), parameters="/fmt expr")  # fmt: skip
def print_(hmp: Hmp, *, fmt: Format, val: int) -> None:
    unsigned = val & _M64
    match fmt.format:
        case "o":
            hmp.print(_octal(unsigned))
        case "x":
            hmp.print(f"{unsigned:#x}" if unsigned else "0")
        case "u":
            hmp.print(str(unsigned))
        case "c":
            hmp.print(character(unsigned))
        case _:
            hmp.print(str(val))


@hmp_command("x", "fmt:/,addr:l", "memory at a virtual address", parameters="/fmt addr")
def dump_virtual(hmp: Hmp, *, fmt: Format, addr: int) -> None:
    _dump(hmp, fmt, addr & _M64, physical=False)


@hmp_command("xp", "fmt:/,addr:l", "memory at a physical address", parameters="/fmt addr")
def dump_physical(hmp: Hmp, *, fmt: Format, addr: int) -> None:
    _dump(hmp, fmt, addr & _M64, physical=True)


def _dump(hmp: Hmp, fmt: Format, address: int, *, physical: bool) -> None:
    if fmt.format == "i":
        _disassemble(hmp, fmt, address, physical=physical)
        return
    step = 8 if fmt.size == 1 else 16
    left = fmt.count * fmt.size
    while left > 0:
        length = min(left, step)
        with hmp.system.parked():
            data = _read(hmp, address, length, physical=physical)
            digits = 16 if physical else hmp.cpu.address_digits
        line = f"{address & (1 << 4 * digits) - 1:0{digits}x}:"
        if data is None:
            hmp.print(f"{line} Cannot access memory")
            return
        hmp.print(f"{line}{_values(data, fmt)}")
        address, left = address + length & _M64, left - length


def _read(hmp: Hmp, address: int, length: int, *, physical: bool) -> bytes | None:
    cpu = hmp.cpu
    return read_physical(cpu.memory, address, length) if physical else read_virtual(cpu, address, length)


def _values(data: bytes, fmt: Format) -> str:
    size = 1 if fmt.format == "c" else fmt.size
    values = (int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size))
    return "".join(f" {_value(value, fmt.format, size)}" for value in values)


def _value(value: int, kind: str, size: int) -> str:
    decimal = -(-size * 8 * 10 // 33)  # the digits that 8 bits times size may need
    match kind:
        case "c":
            return character(value)
        case "o":
            return f"{_octal(value):>{-(-size * 8 // 3)}}"
        case "u":
            return f"{value:{decimal}}"
        case "d":
            return f"{value - (1 << 8 * size) if value >> 8 * size - 1 else value:{decimal}}"
        case _:
            return f"0x{value:0{2 * size}x}"


def _disassemble(hmp: Hmp, fmt: Format, address: int, *, physical: bool) -> None:
    digits = 8 if physical else hmp.cpu.address_digits
    for _ in range(fmt.count):
        with hmp.system.parked():
            code = _readable(hmp, address, physical=physical)
            found = hmp.cpu.disassemble(code, address, fmt.size) if code else []
        if not found:
            hmp.print(f"0x{address:0{digits}x}:  Cannot access memory")
            return
        hmp.print(f"0x{address:0{digits}x}:  {found[0].text}")
        address = address + len(found[0].code) & _M64


def _readable(hmp: Hmp, address: int, *, physical: bool) -> bytes:
    """As many bytes as can be read and one instruction may have."""
    for length in range(_LONGEST_INSTRUCTION, 0, -1):
        data = _read(hmp, address, length, physical=physical)
        if data is not None:
            return data
    return b""


# --- ports ------------------------------------------------------------------------------------------------------------


def _ports(hmp: Hmp) -> AddressSpace:
    ports = hmp.cpu.io
    if ports is None:
        raise QapiError("this machine has no port space")
    return ports


@hmp_command("i", "fmt:/,addr:i,index:i.", "read a port; with an index, write that to it and read the next one",
             parameters="/fmt addr[.index]")  # fmt: skip
def read_port(hmp: Hmp, *, fmt: Format, addr: int, index: int | None = None) -> None:
    size = fmt.size if fmt.size in _PORT_LETTERS else 4
    with hmp.system.parked():
        ports = _ports(hmp)
        if index is not None:
            ports.store(addr & 0xFFFF, 1, index & 0xFF)
            addr += 1
        addr &= 0xFFFF
        value = ports.load(addr, size)
    hmp.print(f"port{_PORT_LETTERS.get(size, 'l')}[0x{addr:04x}] = 0x{value:0{2 * size}x}")


@hmp_command("o", "fmt:/,addr:i,val:i", "write a port", parameters="/fmt addr value")
def write_port(hmp: Hmp, *, fmt: Format, addr: int, val: int) -> None:
    size = fmt.size if fmt.size in _PORT_LETTERS else 4
    with hmp.system.parked():
        _ports(hmp).store(addr & 0xFFFF, size, val)


# --- whole ranges -----------------------------------------------------------------------------------------------------


@hmp_command("sum", "start:i,size:i", "checksum of physical memory", parameters="addr size")
def sum_(hmp: Hmp, *, start: int, size: int) -> None:
    with hmp.system.parked():
        hmp.print(f"{checksum(hmp.cpu.memory, start, size):05}")


@hmp_command("memsave", "val:l,size:i,filename:s", "write virtual memory to a file", parameters="addr size file")
def memsave(hmp: Hmp, *, val: int, size: int, filename: str) -> None:
    with hmp.system.parked():
        save_virtual(hmp.cpu, val & _M64, size, filename)


@hmp_command("pmemsave", "val:l,size:i,filename:s", "write physical memory to a file", parameters="addr size file")
def pmemsave(hmp: Hmp, *, val: int, size: int, filename: str) -> None:
    with hmp.system.parked():
        save_physical(hmp.cpu.memory, val & _M64, size, filename)


@hmp_command("gva2gpa", "addr:l", "the physical address of a virtual one")
def gva2gpa(hmp: Hmp, *, addr: int) -> None:
    with hmp.system.parked():
        physical = hmp.cpu.translate(addr & _M64)
    hmp.print("Unmapped" if physical is None else f"gpa: {physical:#x}")
