"""Machines with Arm's processors that began here go on in Debian's QEMU, and come back."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards.config import MachineConfig, RtcConfig, SmpConfig
from tests.boards import arm_counter, virt_counter, virt_counter32
from tests.boards.test_arm_board_saved import settings
from tests.migration.state.saved_rig import Qemu, check_count, config, load, machine, save, text
from tests.qtest_reference import needs_qemu_arm

ENOUGH = 20  # lines
pytestmark = needs_qemu_arm


@dataclass(frozen=True)
class Place:
    """One machine in both programs.

    :ivar qemu: QEMU's name of the machine, with its options
    :ivar options: of ours
    """

    qemu: str
    cpu: str = ""
    architecture: str = "arm"
    options: dict[str, str] = field(default_factory=dict)
    cpus: int = 1

    @property
    def name(self) -> str:
        """Ours."""
        return self.qemu.partition(",")[0].removesuffix("-2.6")

    def guest(self, directory: Path) -> str:
        """The file that counts."""
        if self.name != "virt":
            return arm_counter.program(self.name, directory)
        if self.architecture == "arm":
            return virt_counter32.firmware(directory)
        return virt_counter.firmware(directory, int(self.options.get("gic-version", "2")))

    def here(self, directory: Path, *, running: bool = False, **changes: Any) -> AbstractContextManager[Machine]:
        """The machine in pyqemu."""
        changes |= {"smp": SmpConfig(self.cpus, max_cpus=self.cpus)}
        chosen: MachineConfig
        if self.name == "virt":
            rtc = RtcConfig(base=1e9, clock="vm")
            chosen = config(self.guest(directory), machine="virt", cpu=self.cpu, architecture=self.architecture,
                            machine_options=self.options, rtc=rtc, **changes)  # fmt: skip
        else:
            chosen = settings(self.name, directory, **changes)
        return machine(chosen, running=running)

    def there(self, directory: Path, serial: str, *options: str) -> Qemu:
        """The machine in QEMU."""
        return InQemu(self, directory / serial, self.guest(directory), *options)


class InQemu(Qemu):
    """Debian's QEMU."""

    def __init__(self, place: Place, serial: Path, guest: str, *options: str) -> None:
        self.program = [f"qemu-system-{place.architecture}", "-M", place.qemu, "-accel", "tcg", "-display", "none",
                        "-nodefaults", "-smp", str(place.cpus)]  # fmt: skip
        if place.name == "virt":
            self.program += ["-cpu", place.cpu, "-m", "4"]
        else:
            self.boot = "-kernel"
            self.program += ["-m", "128", "-net", "nic,macaddr=52:54:00:12:34:56"]
        super().__init__(guest, serial, *options)


def slow(place: Place) -> Any:
    return pytest.param(place, marks=pytest.mark.slow)


A57 = partial(Place, cpu="cortex-a57", architecture="aarch64")
A53 = partial(Place, cpu="cortex-a53", architecture="aarch64")
GUESTS = [
    A57("virt-2.6"),
    A53("virt-2.6,gic-version=3", options={"gic-version": "3"}, cpus=2),
    A57("virt-2.6,virtualization=on", options={"virtualization": "on"}),
    slow(A57("virt-2.6,secure=on", options={"secure": "on"})),
    slow(A53("virt-2.6,secure=on,virtualization=on", options={"secure": "on", "virtualization": "on"})),
    Place("virt-2.6", cpu="cortex-a15"),
    slow(Place("virt-2.6", cpu="cortex-a7", cpus=2)),
    Place("versatilepb"),
    Place("vexpress-a9,secure=off"),
    slow(Place("vexpress-a15,secure=off,virtualization=off")),
]


def title(place: Any) -> str:
    return f"{place.qemu} {place.cpu}" if isinstance(place, Place) else ""


@pytest.mark.parametrize("place", GUESTS, ids=title)
def test_a_guest_counts_on_there_and_here_again(place: Place, tmp_path: Path) -> None:
    """Its timer, its interrupts and its memory have gone with it."""
    with place.here(tmp_path, running=True) as here:
        here.run_for(0.2)
        there, _ = save(here)
        printed = text(here)
    back = run_there(place, tmp_path, there, "first")
    printed += (tmp_path / "first").read_text("ascii")
    with place.here(tmp_path) as here:
        load(here, back, go=False)
        with here.system.lock:
            here.system.start()  # QEMU was stopped before
        here.run_for(0.2)
        there, _ = save(here)
        printed += text(here)
    run_there(place, tmp_path, there, "second")
    printed += (tmp_path / "second").read_text("ascii")
    assert "!" not in printed
    check_count(printed.split(), 1)


def run_there(place: Place, directory: Path, stream: bytes, serial: str) -> bytes:
    """Let QEMU load a machine and run it a while; the machine as it is then."""
    (directory / "there").write_bytes(stream)
    with place.there(directory, serial, "-incoming", f"exec:cat {directory / 'there'}") as qemu:
        qemu.wait_for_lines(ENOUGH)
        return qemu.save(directory / "back")


NETWORK_CARD = ({"driver": "virtio-net-pci", "romfile": ""}, "virtio-net-pci,romfile=")
DEVICES: list[Any] = [
    (A57("virt-2.6"), NETWORK_CARD),
    (A57("virt-2.6,gic-version=3", options={"gic-version": "3"}), NETWORK_CARD),  # without messages as interrupts
    (A57("virt-2.6", cpus=8), ({"driver": "virtio-balloon-device"}, "virtio-balloon-device")),
    (A53("virt-2.6,secure=on,virtualization=on", options={"secure": "on", "virtualization": "on"}), NETWORK_CARD),
    (Place("versatilepb"), ({"driver": "e1000", "romfile": ""}, "e1000,romfile=")),
    (Place("versatilepb"), (NETWORK_CARD[0], "virtio-net-pci,romfile=,disable-modern=on")),
    (Place("vexpress-a9,secure=off", cpus=4), ({"driver": "virtio-rng-device"}, "virtio-rng-device")),
]
"""Machines, and a device for them: ours, and as QEMU is told."""


@pytest.mark.parametrize(("place", "device"), DEVICES, ids=title)
def test_qemu_takes_it(place: Place, device: tuple[dict[str, str], str], tmp_path: Path) -> None:
    """Which devices there are, how cards are called, how many processors."""
    with place.here(tmp_path, devices=[device[0]]) as here:
        stream, _ = save(here)
    (tmp_path / "there").write_bytes(stream)
    incoming = ("-S", "-incoming", f"exec:cat {tmp_path / 'there'}", "-device", device[1])
    with place.there(tmp_path, "serial", *incoming) as qemu:
        while (status := qemu.ask("query-status")["status"]) == "inmigrate":
            pass
        assert status in ("paused", "prelaunch")
