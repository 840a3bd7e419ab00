"""Streams that are not what they should be: always one clear sentence, and never anything else."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.api.machine import Machine
from pyqemu.migration.failure import MigrationError
from pyqemu.system import RunState
from tests.migration.state.saved_rig import config, count_on, counter_rom, load, machine, save

SAMPLE, FULL = 300, 20_000


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def stream(directory: Path) -> bytes:
    settings = config(counter_rom(directory), vga="std", defaults=True, parallels=["null"])
    with machine(settings, running=True) as made:
        count_on(made, 7)
        return save(made)[0]


@pytest.fixture
def target(directory: Path) -> Iterator[Machine]:
    settings = config(counter_rom(directory), vga="std", defaults=True, parallels=["null"])
    with machine(settings) as made:
        yield made


def changed(stream: bytes, old: bytes, new: bytes) -> bytes:
    assert stream.count(old) >= 1
    return stream.replace(old, new, 1)


CASES = {
    "magic": (lambda s: b"JUNK" + s[4:], "Not a migration stream"),
    "version": (lambda s: s[:4] + struct.pack(">I", 4) + s[8:], "Unsupported migration stream version"),
    "old version": (lambda s: s[:4] + struct.pack(">I", 2) + s[8:], "SaveVM v2 format is obsolete"),
    "no configuration": (lambda s: s[:8] + s[26:], "Configuration section missing"),
    "machine": (
        lambda s: changed(s, b"pc-i440fx-2.6", b"pc-i440fx-2.5"),
        "Machine type received is 'pc-i440fx-2.5' and local is 'pc-i440fx-2.6'",
    ),
    "long name": (lambda s: s[:9] + b"\xff\xff\xff\xff" + s[13:], "the machine name is 4294967295 bytes long"),
    "cut": (lambda s: s[: len(s) // 2], "Unexpected end of file"),
    "extra device": (lambda s: changed(s, b"\6ps2kbd", b"\6ps3kbd"), "Unknown savevm section or instance 'ps3kbd' 0"),
    "device version": (
        lambda s: changed(s, b"\6ps2kbd\0\0\0\0\0\0\0\3", b"\6ps2kbd\0\0\0\0\0\0\0\4"),
        "error while loading state for instance 0x0 of device 'ps2kbd': unsupported version 4 (up to",
    ),
    "RAM version": (lambda s: changed(s, b"\3ram\0\0\0\0\0\0\0\4", b"\3ram\0\0\0\0\0\0\0\5"), "unsupported version 5"),
    "equal field": (
        lambda s: changed(s, b"\6PCIBUS\0\0\0\0\0\0\0\1\0\0\0\4", b"\6PCIBUS\0\0\0\0\0\0\0\1\0\0\0\5"),
        "device 'PCIBUS' (nirq: expected 4, found 5, at byte",
    ),
    "PCI identity": (
        lambda s: changed(s, bytes.fromhex("86800070"), bytes.fromhex("86800170")),
        "dev.config[0]: Bad config data: i=0x2 read: 1 device: 0",
    ),
    "footer": (
        lambda s: changed(s, b"\x7e\0\0\0\3\4", b"\x7e\0\0\0\4\4"),
        "Mismatched section id in footer for timer - expected 3, found 4",
    ),
    "run state": (lambda s: changed(s, b"running\0\0", b"walking\0\0"), "there is no run state 'walking'"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_said(target: Machine, stream: bytes, case: str) -> None:
    change, message = CASES[case]
    with pytest.raises(MigrationError) as caught:
        load(target, change(stream))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, left out or doubled; mostly behind the memory, where the intricate things are."""
    out = bytearray(data)
    devices = data.index(b"\5timer")
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(devices if rng.random() < 0.8 else 0, len(out) - 90_000)
        match rng.randrange(4):
            case 0:
                out[at] = rng.randrange(256)
            case 1:
                out[at] ^= 1 << rng.randrange(8)
            case 2:
                del out[at : at + rng.randrange(1, 9)]
            case _:
                out[at:at] = out[at : at + rng.randrange(1, 9)]
    return bytes(out)


def test_mutated_streams_do_no_harm(
    target: Machine, stream: bytes, rng: random.Random, request: pytest.FixtureRequest
) -> None:
    """They load, or are refused with a sentence; and a machine that took one can be saved, run, and reset."""
    count = FULL if request.config.getoption("--full") else SAMPLE
    loaded = 0
    for _ in range(count):
        if complaint := _complaint(target, mutate(rng, stream)):
            assert "\n" not in complaint
            continue
        loaded += 1
        if loaded % 8 == 0:
            _run_a_little(target)
    assert loaded


def _complaint(target: Machine, data: bytes) -> str:
    """What is said of a stream; nothing if it loads."""
    try:
        load(target, data, go=False)
    except MigrationError as error:
        return str(error)
    return ""


def _run_a_little(target: Machine) -> None:
    """Whatever it is now: it may do anything but break us."""
    target.system.state = RunState.PAUSED
    with target.system.lock:
        target.system.start()
    target.run_for(0.01)
    with target.system.lock:
        target.system.stop(RunState.PAUSED)
    save(target)
    with target.system.lock:
        target.system.reset()
