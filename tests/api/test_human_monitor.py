"""The human monitor on a whole machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from pyqemu.api import Machine, MachineConfig
from pyqemu.monitor.hmp.dispatch import run_line


def ask(machine: Machine, line: str) -> str:
    return machine.loop.run_until_complete(run_line(machine.system, line))


@pytest.fixture(scope="module")
def paused() -> Iterator[Machine]:
    with Machine(MachineConfig(paused=True, architecture="x86_64", name="guinea")) as machine:
        machine.start()
        yield machine


@pytest.mark.parametrize(
    ("line", "line_of_answer"),
    [
        ("info registers", "EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0"),
        ("p $pc", "0xfffffff0"),
        ("info name", "guinea"),
        ("info tlb", "PG disabled"),
        ("info mem", "PG disabled"),
        ("info pic", "pic0: irr=00 imr=00 isr=00 hprio=0 irq_base=00 rr_sel=0 elcr=00 fnm=0"),
        ("info lapic", "SPIV\t 0x000000ff APIC disabled, focus=off, spurious vec 255"),
        ("info ioapic", "ioapic id=0x00 sel=0x00"),
        ("info irq", "IRQ statistics:"),
        ("info jit", "TB count            0"),
        ("info pci", "    Host bridge: PCI device 8086:1237"),
        ("info qtree", "bus: main-system-bus"),
        ("info qtree", "          type IDE"),
        ("info qom-tree", "  /i440fx (i440FX-pcihost)"),
        ("info mtree", "    00000000fee00000-00000000feefffff (prio 4096, RW): apic-msi"),
        ("info mtree -f", "  00000000fec00000-00000000fec00fff (prio 1, i/o): ioapic"),
        ("info roms", 'addr=00000000000e0000 size=0x020000 mem=rom name="pc.bios"'),
        ("xp/2xh 0xfffffff0", "00000000fffffff0: 0x00ea 0x9100"),
        ("i/b 0x21", "portb[0x0021] = 0x00"),
    ],
)
def test_answers_of_a_machine_at_reset(line: str, line_of_answer: str, paused: Machine) -> None:
    answer = ask(paused, line).splitlines()
    if line.startswith("xp"):  # where the jump leads is the BIOS's matter
        assert re.fullmatch(r"00000000fffffff0: 0x..ea 0x....", answer[0])
    else:
        assert line_of_answer in answer


def test_first_instruction_is_a_far_jump(paused: Machine) -> None:
    assert re.fullmatch(r"0x00000000fffffff0:  ljmpw    \$0xf000:\$0x\w+\n", ask(paused, "x/i $pc"))


def test_guest_runs_on_while_it_is_looked_at() -> None:
    with Machine(MachineConfig(architecture="x86_64")) as machine:
        machine.start()
        seen: set[str] = set()

        def moved() -> bool:
            with machine.system.parked():
                seen.add(machine.cpu.registers_text())
            return len(seen) > 2

        assert machine.run_for(60, moved)
        assert ask(machine, "info status") == "VM status: running\n"
        assert machine.run_for(60, lambda: "No bootable device" in "\n".join(machine.frame().text))  # type: ignore[union-attr]
        assert int(re.findall(r"TB count +(\d+)", ask(machine, "info jit"))[0]) > 10
        ask(machine, "sendkey a")
        ask(machine, "system_reset")
        assert ask(machine, "quit") == ""
        assert machine.run_for(60) or machine.system.exit_code == 0
