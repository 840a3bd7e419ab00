"""What QEMU sends of a machine, byte by byte, is what our devices send and take."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from pyqemu.hw.block.pflash_cfi01 import PflashCfi01
from pyqemu.hw.char.bcm2835_aux import Bcm2835Aux
from pyqemu.hw.char.pl011 import Pl011
from pyqemu.hw.core.sysbus import SysBusDevice, SystemBus
from pyqemu.hw.display.bcm2835_fb import Bcm2835Fb
from pyqemu.hw.display.pl110 import Pl111
from pyqemu.hw.dma.bcm2835_dma import Bcm2835Dma
from pyqemu.hw.dma.pl080 import Pl080
from pyqemu.hw.gpio.pl061 import Pl061
from pyqemu.hw.input.pl050 import Pl050Keyboard
from pyqemu.hw.intc.arm_gic import ArmGic
from pyqemu.hw.intc.arm_gicv3 import ArmGicV3
from pyqemu.hw.intc.bcm2835_ic import Bcm2835Ic
from pyqemu.hw.intc.bcm2836_control import Bcm2836Control
from pyqemu.hw.intc.pl190 import Pl190, VersatileSic
from pyqemu.hw.misc.a9scu import A9Scu
from pyqemu.hw.misc.arm_l2x0 import L2x0
from pyqemu.hw.misc.arm_sysctl import ArmSysctl
from pyqemu.hw.misc.bcm2835_cprman import Bcm2835Cprman
from pyqemu.hw.misc.bcm2835_mbox import Bcm2835Mbox
from pyqemu.hw.misc.bcm2835_property import Bcm2835Property
from pyqemu.hw.net.lan9118 import Lan9118
from pyqemu.hw.net.smc91c111 import Smc91c111
from pyqemu.hw.pci_host.versatile_pci import VersatilePci
from pyqemu.hw.sd.pl181 import Pl181
from pyqemu.hw.sd.sd import SdCard
from pyqemu.hw.sd.sdhci import Sdhci
from pyqemu.hw.timer.a9gtimer import A9GlobalTimer
from pyqemu.hw.timer.arm_mptimer import ArmMpTimer
from pyqemu.hw.timer.pl031 import Pl031
from pyqemu.hw.timer.sp804 import ArmTimer, Sp804
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom.vmstate import VMState
from pyqemu.system import FakeClock, Irq, System
from pyqemu.system.clock import RtcClock
from tests.qtest_reference import QEMU_ARM, needs_qemu_arm

PATIENCE = 60.0  # seconds
VIRT2 = ("virt-2.6,gic-version=2", "-cpu", "cortex-a15")
VIRT3 = ("virt-2.6,gic-version=3", "-cpu", "cortex-a57", "-smp", "2")
VEXPRESS = ("vexpress-a9", "-smp", "2")
VERSATILE = ("versatilepb",)
RASPI = ("raspi2b",)
CLOCKS = (45_000_000, 23_750_000, 66_670_000)


def lines(count: int) -> list[Irq]:
    return [Irq() for _ in range(count)]


def no_memory() -> AddressSpace:
    return AddressSpace("none", MemoryRegion.container("none"))


def plugged(device: SysBusDevice) -> SysBusDevice:
    """One that needs its bus."""
    return SystemBus(System(clock=FakeClock())).plug(device)


DEVICES: list[tuple[tuple[str, ...], str, Callable[[], Any]]] = [
    (VIRT2, "arm_gic", lambda: ArmGic([], num_irq=288, revision=2)),
    (VIRT2, "pl031", lambda: Pl031(FakeClock(), RtcClock(), Irq())),
    (VIRT2, "pl061", lambda: Pl061(Irq())),
    (VIRT2, "pflash_cfi01", lambda: PflashCfi01(num_blocks=1, sector_length=4096, width=4, name_="f")),
    (VIRT3, "arm_gicv3", lambda: ArmGicV3(num_irq=288, num_cpu=2)),
    (VEXPRESS, "pl011", lambda: Pl011(Irq())),
    (VEXPRESS, "a9-scu", lambda: A9Scu(num_cpu=2)),
    (VEXPRESS, "arm_mptimer", lambda: ArmMpTimer(FakeClock(), lines(2), num_cpu=2)),
    (VEXPRESS, "arm.cortex-a9-global-timer", lambda: A9GlobalTimer(FakeClock(), lines(2), num_cpu=2)),
    (VEXPRESS, "l2x0", L2x0),
    (VEXPRESS, "realview_sysctl",
     lambda: ArmSysctl(FakeClock(), sys_id=0x1190F500, daughterboard_clocks=CLOCKS)),
    (VEXPRESS, "sp804", lambda: Sp804(FakeClock(), Irq())),
    (VEXPRESS, "arm_timer", lambda: ArmTimer(FakeClock(), Irq(), 1_000_000)),
    (VEXPRESS, "pl050", lambda: Pl050Keyboard(Irq())),
    (VEXPRESS, "lan9118", lambda: plugged(Lan9118(FakeClock(), Irq()))),
    (VERSATILE, "smc91c111", lambda: plugged(Smc91c111(Irq()))),
    (VERSATILE, "versatile-pci",
     lambda: VersatilePci(System(clock=FakeClock()), address_space=no_memory(), irqs=lines(4))),
    (VERSATILE, "pl080", lambda: Pl080(Irq(), no_memory())),
    (VERSATILE, "pl190", lambda: Pl190(Irq(), Irq())),
    (VERSATILE, "versatilepb_sic", lambda: VersatileSic(lines(32))),
    (RASPI, "bcm2835-ic", lambda: Bcm2835Ic(Irq(), Irq())),
    (RASPI, "bcm2836-control", lambda: Bcm2836Control(FakeClock(), [])),
    (RASPI, "bcm2835-mbox", lambda: Bcm2835Mbox(Irq())),
    (RASPI, "bcm2835-property", lambda: Bcm2835Property(no_memory(), 0)),
    (RASPI, "bcm2835-cprman", Bcm2835Cprman),
    (RASPI, "bcm2835-fb", lambda: Bcm2835Fb(no_memory())),
    (RASPI, "bcm2835-dma", lambda: Bcm2835Dma(no_memory(), lines(16))),
    (RASPI, "sdhci", lambda: Sdhci(FakeClock(), Irq(), SdCard(FakeClock()), no_memory(), capareg=0x52134B4)),
    (VEXPRESS, "pl181", lambda: Pl181((Irq(), Irq()), SdCard(FakeClock()))),
    (VEXPRESS, "pl110", lambda: Pl111(Irq(), no_memory())),
    (VEXPRESS, "sd-card", lambda: SdCard(FakeClock())),
    (RASPI, "bcm2835-aux", lambda: Bcm2835Aux(Irq())),
]  # fmt: skip


class Stream:
    """What one QEMU has sent, with the description at its end."""

    def __init__(self, machine: tuple[str, ...]) -> None:
        with TemporaryDirectory() as directory:
            path = Path(directory) / "stream"
            self._send(machine, path)
            self.data = path.read_bytes()
        begin = self.data.rindex(b'{"configuration"' if b'{"configuration"' in self.data else b'{"page_size"')
        self.devices: list[dict[str, Any]] = json.loads(self.data[begin:])["devices"]

    @staticmethod
    def _send(machine: tuple[str, ...], path: Path) -> None:
        command = [QEMU_ARM, "-M", *machine, "-S", "-display", "none", "-serial", "null", "-qmp", "stdio"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            for request in (
                {"execute": "qmp_capabilities"},
                {"execute": "migrate", "arguments": {"uri": f"exec:cat > {path}"}},
            ):
                process.stdin.write(json.dumps(request) + "\n")  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
            end, status = time.monotonic() + PATIENCE, ""
            while status != "completed":
                assert time.monotonic() < end, status
                process.stdin.write('{"execute": "query-migrate"}\n')  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
                answer = json.loads(process.stdout.readline())  # type: ignore[union-attr]
                status = answer.get("return", {}).get("status", "")
        finally:
            process.kill()
            process.communicate()

    def state(self, name: str) -> tuple[bytes, dict[str, Any]]:
        """The bytes of the first section of that name, and what describes them. Its header ends with the version."""
        told = next(each for each in self.devices if each.get("vmsd_name") == name)
        title = told["name"].encode()
        header = bytes((len(title),)) + title + bytes(4) + told["version"].to_bytes(4, "big")
        start = self.data.index(header) + len(header)
        return self.data[start : start + size_of(told)], told


def size_of(told: dict[str, Any]) -> int:
    """Bytes of a structure, its subsections included."""
    total = sum(each["size"] * each.get("array_len", 1) for each in told["fields"])
    for part in told.get("subsections", ()):
        total += size_of_subsection(part)
    return total


def size_of_subsection(told: dict[str, Any]) -> int:
    """With its header."""
    return 6 + len(told["vmsd_name"]) + size_of(told)


@cache
def stream(machine: tuple[str, ...]) -> Stream:
    return Stream(machine)


def description(device: Any) -> dict[str, Any]:
    layout: VMState = device.vmstate
    told = layout.write(device, bytearray())
    return {key: told[key] for key in ("version", "fields", "subsections") if key in told}


@needs_qemu_arm
@pytest.mark.parametrize(("machine", "name", "make"), DEVICES, ids=[name for _, name, _ in DEVICES])
def test_a_state_that_qemu_sent(machine: tuple[str, ...], name: str, make: Callable[[], Any]) -> None:
    device = make()
    state, told = stream(machine).state(name)
    type(device).vmstate.load(device, state)
    ours, theirs = description(device), {key: told[key] for key in ("version", "fields", "subsections") if key in told}
    assert [each for each in ours["fields"] if each not in theirs["fields"]] == []
    assert (ours["version"], ours["fields"]) == (theirs["version"], theirs["fields"])
    extra = [part for part in theirs.get("subsections", ()) if part not in ours.get("subsections", ())]
    assert len(type(device).vmstate.save(device)) == len(state) - sum(map(size_of_subsection, extra))
