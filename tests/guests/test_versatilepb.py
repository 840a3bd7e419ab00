"""A program on a Versatile PB that uses its devices: it says the same here and in QEMU."""

from __future__ import annotations

import random
from pathlib import Path

import arm_program
import guest_packages as packages
import pytest


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """The machine with the program and a memory card."""
    card = tmp_path / "card"
    card.write_bytes(random.Random(26).randbytes(1 << 20))
    try:
        program = arm_program.build("versatilepb", tmp_path, "-march=armv5te")
    except packages.MissingPackage as missing:
        pytest.skip(str(missing))
    return ["-M", "versatilepb", "-kernel", str(program), "-rtc", "base=2016-05-11T08:00:00",
            "-drive", f"if=sd,format=raw,file={card}", "-net", "nic,macaddr=52:54:00:12:34:56"]  # fmt: skip


def test_a_program_says_what_it_says_in_qemu(options: list[str], tmp_path: Path) -> None:
    ours, theirs = arm_program.said_by_both(tmp_path, options)
    assert ours == theirs
    assert ours[-1] == "that is all"
