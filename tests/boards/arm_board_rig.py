"""Boards with 32-bit processors that do not run: what devices answer at their places, and whom they interrupt, here and
in QEMU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pyqemu.api.machine import Machine
from pyqemu.boards.arm_board import ArmBoard
from pyqemu.cli.defaults import parse_command_line
from tests.qtest_reference import QtestReference

PROGRAM = bytes.fromhex("0000a0e1 fdffffea")
"""Two instructions that do nothing for ever: a board wants some kernel."""
PL011_CR_TX, PL050_TX_INTERRUPT = 1 << 5, 0x08
MMC_ENABLE, MMC_RESPONSE, MMC_TIMEOUT = 0x400, 0x40, 0x04


@contextmanager
def machine(name: str, *options: str) -> Iterator[Machine]:
    """A machine that does not run."""
    line = ["-M", name, "-display", "none", "-S", *options]
    if not any(option in ("-net", "-nic") for option in options):
        line += ["-net", "none"]
    if "-serial" not in options:
        line += ["-serial", "null"]
    with TemporaryDirectory() as directory:
        if "-kernel" not in options and "-bios" not in options:
            kernel = Path(directory) / "kernel"
            kernel.write_bytes(PROGRAM)
            line += ["-kernel", str(kernel)]
        made = Machine(parse_command_line("pyqemu", line, interactive=False).config)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def board(name: str, *options: str) -> Iterator[ArmBoard]:
    """Its board."""
    with machine(name, *options) as made:
        assert isinstance(made.board, ArmBoard)
        yield made.board


@dataclass(frozen=True)
class Cause:
    """What makes a device interrupt: writes of 32 bits, or of as many as said."""

    name: str
    writes: tuple[tuple[int, int], ...]
    size: int = 4


def uart(address: int) -> Cause:
    """A character leaves."""
    return Cause(f"uart {address:#x}", ((address + 0x38, PL011_CR_TX), (address, ord("x"))))


def input_port(address: int) -> Cause:
    """There is room for a byte to a keyboard or mouse."""
    return Cause(f"port {address:#x}", ((address, PL050_TX_INTERRUPT),))


def mmc(address: int) -> tuple[Cause, Cause]:
    """No card answers: told by the first interrupt, then by the second, too."""
    command = (address + 0x0C, MMC_ENABLE | MMC_RESPONSE | 1)
    return (Cause(f"mmc {address:#x}, first", ((address + 0x3C, MMC_TIMEOUT), command)),
            Cause(f"mmc {address:#x}, second", ((address + 0x40, MMC_TIMEOUT),)))  # fmt: skip


def compare_registers(name: str, addresses: Sequence[int], *options: str, binary: str = "") -> None:
    """What is there when the machine is switched on."""
    with board(name, *options) as ours, QtestReference("-M", binary or name, *options) as qemu:
        found = {address: ours.memory_space.load(address, 4) for address in addresses}
        answers = qemu.many([f"readl {address:#x}" for address in addresses])
        expected = {address: int(answer, 16) for address, answer in zip(addresses, answers, strict=True)}
        different = {
            hex(each): (hex(found[each]), hex(expected[each])) for each in found if found[each] != expected[each]
        }
    assert different == {}


def compare_interrupts(
    name: str, causes: Sequence[Cause], controllers: Sequence[int], *options: str, before: Sequence[Cause] = (),
    binary: str = "",
) -> None:  # fmt: skip
    """What interrupt controllers see (at the addresses *controllers*) after each cause, and what was done *before*."""
    with board(name, *options) as ours, QtestReference("-M", binary or name, *options) as qemu:
        for cause in (*before, *causes):
            seen = [ours.memory_space.load(each, 4) for each in controllers]
            for address, value in cause.writes:
                ours.memory_space.store(address, cause.size, value)
                qemu.write(address, value, cause.size)
            found = [ours.memory_space.load(each, 4) for each in controllers]
            assert found == [qemu.read(each) for each in controllers], cause.name
            assert cause in before or found != seen, f"{cause.name}: nothing happened"
