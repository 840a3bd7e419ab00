"""Debian's kernel for arm64 on ``virt`` with EL2, EL3 or both: what it says of them is what it says in QEMU."""

from __future__ import annotations

from pathlib import Path

import guest_packages as packages
import pytest
from armhf_kernel import comparable, said_in_qemu, until
from guest_machine import Guest
from test_arm64 import BOOT_TIME, kernel_options

QEMU = "qemu-system-aarch64"
FIRST_PROCESS = "Run /init as init process"
OF_LEVELS = ("kvm [", "CPU: All", "EL1", "EL2", "GIC", "psci: probing", "psci: Using", "arch_timer", "Root IRQ handler")
SAID = {
    "virtualization=on": "kvm [1]: Hyp mode initialized successfully",
    "virtualization=on,gic-version=3": "kvm [1]: Hyp mode initialized successfully",
    "secure=on": "CPU: All CPU(s) started at EL1",
    "secure=on,virtualization=on": "CPU: All CPU(s) started at EL2",
}


def of_levels(text: str) -> set[str]:
    """The lines that tell of exception levels, interrupts and timers; without messages' tables, which ours lacks."""
    return {line for line in comparable(text) if any(word in line for word in OF_LEVELS) and "LPI" not in line}


@pytest.mark.parametrize(
    "board", [pytest.param(board, marks=() if board == "virtualization=on" else pytest.mark.slow) for board in SAID]
)
def test_the_kernel_finds_the_levels_that_it_finds_in_qemu(board: str, tmp_path: Path) -> None:
    options = [*kernel_options(), "-initrd", str(packages.installer("arm64")[1]), "-append", "console=ttyAMA0 nokaslr",
               "-cpu", "cortex-a57"]  # fmt: skip
    options[1] = f"virt-2.6,{board}"
    with Guest(*options) as guest:
        said = until(guest, FIRST_PROCESS, BOOT_TIME)
    assert SAID[board] in said
    assert of_levels(said) == of_levels(said_in_qemu(tmp_path, options, FIRST_PROCESS, qemu=QEMU))
