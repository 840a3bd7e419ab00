"""Hooks on real guests: every INT 13h of a booting GRUB, every write to a page of a running kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import guest_packages as packages
import pytest

import pyqemu
from pyqemu.api.hooks import Access, Event
from pyqemu.api.outcomes import TimedOut

MakeDisk = Callable[..., Path]
INT13 = 0x13
READ, EXTENDED_READ, CHECK_EXTENSIONS = 0x02, 0x42, 0x41


def test_every_int_13h_of_a_booting_grub_is_counted(make_disk: MakeDisk, firmware: list[str]) -> None:
    """Counted twice: by the interrupt, and by its handler's first instruction."""
    with pyqemu.Machine(make_disk(), args=firmware, icount=True) as machine:
        with machine.breakpoint(0x7C00):
            machine.run(60)
        handler = machine.memory.read_int(4 * INT13, 2) + 16 * machine.memory.read_int(4 * INT13 + 2, 2)
        functions: Counter[int] = Counter()
        sectors: list[int] = []

        def call(event: Event) -> None:
            registers = machine.cpu.registers
            functions[registers["ah"]] += 1
            if registers["ah"] == EXTENDED_READ:
                packet = 16 * registers["ds"] + registers["si"]
                sectors.append(machine.memory.read_int(packet + 8, 8))

        calls = machine.hooks.interrupt(call, INT13)
        entries = machine.hooks.execute(handler, lambda _: None)
        machine.serial.expect("First entry: say hello", 60)
        assert calls.count == entries.count == functions.total()
        assert functions[CHECK_EXTENSIONS] >= 1
        assert functions[EXTENDED_READ] >= 10
        assert sectors[0] == 1  # the boot sector loads what follows it
        assert set(functions) <= {0, 1, READ, 0x08, 0x15, CHECK_EXTENSIONS, EXTENDED_READ, 0x48, 0x4B}
        calls.remove()
        entries.remove()
        machine.serial.send("c")
        machine.serial.expect("grub>", 60)


@pytest.mark.parametrize("virtual", [False, True], ids=["physical", "virtual"])
def test_every_write_to_a_page_of_a_running_kernel_is_told(virtual: bool) -> None:
    """The writes that are told, done again to a copy of the page, make what the page is: none is missing."""
    try:
        kernel, initrd = packages.installer("amd64")
    except packages.MissingPackage as exc:
        pytest.skip(str(exc))
    append = "console=ttyS0 earlyprintk=ttyS0 nokaslr"
    with pyqemu.Machine(kernel=kernel, initrd=initrd, append=append, memory="256M", icount=2) as machine:
        machine.serial.expect("Memory: ", 120)
        stack = machine.cpu.registers["rsp"] & ~0xFFF
        walk = machine.cpu.walk(stack)
        assert walk.physical is not None
        physical = walk.physical
        copy = bytearray(machine.memory.read(physical, 4096))

        def write(access: Access) -> None:
            start = access.physical - physical
            copy[start : start + access.size] = access.value.to_bytes(access.size, "little")

        where = stack if virtual else physical
        hook = machine.hooks.memory(where, 4096, write, virtual=virtual, reads=False)
        assert machine.run(0.002) == TimedOut(0.002)
        assert hook.count > 1000
        assert copy == machine.memory.read(physical, 4096)
        hook.remove()
        count = hook.count
        machine.serial.expect("clocksource", 120)
        assert hook.count == count
