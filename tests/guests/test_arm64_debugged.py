"""Programs that are debugged under Debian's kernel for arm64: each step, and each hit, is where it is in QEMU."""

from __future__ import annotations

from pathlib import Path

from armhf_kernel import said_in_qemu
from debugged_guest import initrd
from guest_machine import Guest
from linux_program import END
from test_arm64 import BOOT_TIME, kernel_options

NAMES = ("p64", "a32", "t32", "old", "hit")
DEPRECATED = ("CP15 Barrier", "setend")


def steps(text: str) -> dict[str, list[int]]:
    """For each program how many stops there were, a digest of where, and its status at the end."""
    lines = (line.split() for line in text.splitlines() if line.startswith(NAMES))
    return {words[0].rstrip("\0"): [int(word, 16) for word in words[1:]] for words in lines}


def test_each_stop_is_where_it_is_in_qemu(tmp_path: Path) -> None:
    path = tmp_path / "initrd"
    path.write_bytes(initrd())
    append = "console=ttyAMA0 loglevel=5 panic=-1"
    options = [*kernel_options(), "-cpu", "cortex-a57", "-initrd", str(path), "-append", append]
    with Guest(*options) as guest:
        guest.wait_serial(END, BOOT_TIME)
        here = steps(guest.serial.text)
        for what in DEPRECATED:
            assert f"uses deprecated {what} instruction" in guest.serial.text, "the kernel does it, as SCTLR_EL1 tells"
    assert list(here) == list(NAMES)
    assert [status >> 8 for _, _, status in here.values()] == [7, 5, 6, 0xE2, 7]
    assert here["hit"][0] == 6  # five calls of the function, and a store
    assert here == steps(said_in_qemu(tmp_path, options, END, qemu="qemu-system-aarch64"))
