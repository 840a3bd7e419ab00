"""Debian's kernel for arm64 is a hypervisor here, at EL2: KVM runs guests of 64 and of 32 bits in the guest."""

from __future__ import annotations

from pathlib import Path

from armhf_kernel import said_in_qemu
from guest_machine import Guest
from kvm_guest import ANSWER, MMIO, ROUNDS, initrd
from linux_program import END
from test_arm64 import BOOT_TIME, kernel_options

TOTAL = ROUNDS * (ROUNDS + 1) // 2
KVM_EXIT_MMIO, KVM_EXIT_SYSTEM_EVENT, SHUTDOWN = 6, 24, 1
WRITE = 1 << 8
EL1, SUPERVISOR_MASKED = 1 << 2, 0x6000_01D3


def accesses(size: int, state: int) -> list[list[int]]:
    """What a guest does where nothing is: address, size and whether it writes, and what."""
    return [
        [KVM_EXIT_MMIO, MMIO, size | WRITE, TOTAL],
        [KVM_EXIT_MMIO, MMIO + 8, 4 | WRITE, state],
        [KVM_EXIT_MMIO, MMIO + 16, size],
        [KVM_EXIT_MMIO, MMIO + 24, size | WRITE, ANSWER + 1],
        [KVM_EXIT_MMIO, MMIO + 32, 2],
        [KVM_EXIT_MMIO, MMIO + 40, 2 | WRITE, ANSWER],
    ]


ENDS = [KVM_EXIT_SYSTEM_EVENT, 0, SHUTDOWN]
BYTE = [KVM_EXIT_MMIO, MMIO + 48, 1 | WRITE, ANSWER & ~0xFF | 0x78]


def exits(text: str) -> list[list[int]]:
    """The exits that were told."""
    return [[int(word, 16) for word in line.split()[1:]] for line in text.splitlines() if line.startswith("exit ")]


def options(directory: Path) -> list[str]:
    path = directory / "initrd"
    path.write_bytes(initrd())
    found = [*kernel_options(), "-cpu", "cortex-a57", "-initrd", str(path)]
    found[1] = "virt-2.6,virtualization=on"
    return [*found, "-append", "console=ttyAMA0 loglevel=4 panic=-1"]


def test_guests_run_until_they_turn_themselves_off(tmp_path: Path) -> None:
    """The guest of 32 bits reads into R14 of Supervisor mode, which is X18 to the hypervisor, and not X14."""
    with Guest(*options(tmp_path)) as guest:
        guest.wait_serial(END, BOOT_TIME)
        here = exits(guest.serial.text)
    wide, narrow = accesses(8, EL1), accesses(4, SUPERVISOR_MASKED)
    assert here == [*wide, ENDS, *narrow, BYTE, ENDS]
    there = exits(said_in_qemu(tmp_path, options(tmp_path), END, qemu="qemu-system-aarch64"))
    for said in (here, there):  # QEMU tells the hypervisor of X14
        del said[len(wide) + 1 + 3]
    assert here == there
