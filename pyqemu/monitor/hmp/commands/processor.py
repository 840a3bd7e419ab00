"""Processors: ``cpu``, ``info registers``, ``info tlb`` and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.monitor.hmp.table import hmp_command, info_text_command
from pyqemu.qapi.errors import QapiError

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


def _complete(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [str(cpu.index) for cpu in hmp.cpus]


@hmp_command("cpu", "index:i", "choose the processor that commands are about", completers={"index": _complete})
def cpu(hmp: Hmp, *, index: int) -> None:
    if all(cpu.index != index for cpu in hmp.cpus):
        raise QapiError("invalid CPU index")
    hmp.cpu_index = index


@hmp_command("registers", "", "the processor's registers", is_info=True)
def info_registers(hmp: Hmp) -> None:
    with hmp.system.parked():
        hmp.print(hmp.cpu.registers_text())


@hmp_command("cpus", "", "the processors, and where they are", is_info=True)
def info_cpus(hmp: Hmp) -> None:
    with hmp.system.parked():
        for cpu in hmp.cpus:
            mark = "*" if cpu.index == hmp.cpu_index else " "
            halted = " (halted)" if cpu.halted else ""
            hmp.print(f"{mark} CPU #{cpu.index}: pc=0x{cpu.program_counter:016x}{halted} thread_id={cpu.thread_id}")


info_text_command("mem", "what the page tables map, as ranges")
info_text_command("tlb", "what the page tables map, page by page")
info_text_command("lapic", "the processor's local APIC")
info_text_command("jit", "what the translator has made")
info_text_command("cpustats", "what the processors have counted")
