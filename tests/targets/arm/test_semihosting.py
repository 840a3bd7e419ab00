"""Calls of semihosting, as each instruction set makes them: R0 and R1 in, R0 out, blocks of words in between."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pyqemu.accel.tcg import make_engine
from pyqemu.system import FakeClock, System
from pyqemu.system.semihosting import Semihosting
from pyqemu.targets.arm.exceptions import Kind
from pyqemu.targets.arm.modes import HYP, SVC, SYS, USR
from pyqemu.targets.arm.semihosting import ArmSemihosting, AskAgain
from pyqemu.tcg.env import EXIT_REQUEST
from pyqemu.tcg.hooks import MemoryWatch
from tests.semihosting_program import (
    APPLICATION_EXIT,
    CLOCK,
    CLOSE,
    ERRNO,
    EXIT,
    FLEN,
    GET_CMDLINE,
    HEAPINFO,
    ISTTY,
    OPEN,
    READ,
    READC,
    REMOVE,
    RENAME,
    SEEK,
    SYNCCACHE,
    SYSTEM,
    TIME,
    TMPNAM,
    WRITE,
    WRITE0,
    WRITEC,
)
from tests.targets.aarch64.guest import Guest as Guest64
from tests.targets.arm.guest import CODE, Guest

BLOCK, TEXT, BUFFER = 0x8000, 0x9000, 0xA000
NOWHERE = 0x7000_0000  #: there is no memory
FIRST_HANDLE = 3
SVC_A32, SVC_T32, BKPT_T32, HLT_A64 = ".word 0xef123456", ".hword 0xdfab", ".hword 0xbeab", ".word 0xd45e0000"
RAM = range(1 << 20)


class Asking:
    """A processor whose programs may ask.

    :ivar word: bytes of a register
    """

    def __init__(self, guest: Guest | Guest64, instruction: str) -> None:
        self.guest, self.instruction = guest, instruction
        self.is_64bit = isinstance(guest, Guest64)
        self.word = 8 if self.is_64bit else 4
        self.order: Any = "little"
        self.keyboard_end, self.keyboard = os.pipe()
        self.outputs = [os.memfd_create(name) for name in ("stdout", "stderr")]
        streams = self.keyboard_end, self.outputs[0], self.outputs[1]
        self.host = Semihosting(System(clock=FakeClock()), "program one two", streams)
        guest.cpu.semihosting = ArmSemihosting(self.host, RAM)

    def close(self) -> None:
        self.host.reset()
        for descriptor in (self.keyboard_end, self.keyboard, *self.outputs):
            os.close(descriptor)

    def output(self, number: int) -> bytes:
        return os.pread(self.outputs[number - 1], 1 << 20, 0)

    def run(self, **registers: int) -> Any:
        """Execute the instruction, and return the exception that it raises, if it does."""
        self.guest.cpu.l[EXIT_REQUEST >> 2] = 0  # as the main loop does, which is not here
        if self.is_64bit:
            return self.guest.run(self.instruction, **registers)
        return self.guest.run(self.instruction, thumb=self.instruction.startswith(".hword"), **registers)  # type: ignore[call-arg]

    def call(self, number: int, parameter: int = 0) -> int:
        """Ask with one parameter; returns the result, negative ones as such."""
        name = "x" if self.is_64bit else "r"
        assert self.run(**{f"{name}0": number, f"{name}1": parameter}) is None
        value = (self.guest.cpu.x if self.is_64bit else self.guest.cpu.r)[0]  # type: ignore[union-attr]
        bits = 8 * self.word
        return value - (value >> bits - 1 << bits)

    def ask(self, number: int, *fields: int) -> int:
        """Ask with a parameter block."""
        self.put(BLOCK, *fields)
        return self.call(number, BLOCK)

    def put(self, address: int, *words: int) -> None:
        mask = (1 << 8 * self.word) - 1
        data = b"".join((word & mask).to_bytes(self.word, self.order) for word in words)
        self.guest.ram[address : address + len(data)] = data

    def field(self, number: int, block: int = BLOCK) -> int:
        address = block + number * self.word
        return int.from_bytes(self.memory(address, self.word), self.order)

    def memory(self, address: int, length: int) -> bytes:
        return bytes(self.guest.ram[address : address + length])

    def text(self, text: str | os.PathLike[str], address: int = TEXT) -> tuple[int, int]:
        """Put a text where the guest can point at it: address and length."""
        data = os.fsencode(text)
        self.guest.ram[address : address + len(data) + 1] = data + b"\0"
        return address, len(data)

    def open(self, name: str | os.PathLike[str], mode: int) -> int:
        address, length = self.text(name)
        return self.ask(OPEN, address, mode, length)

    def buffer(self, data: bytes) -> int:
        self.guest.ram[BUFFER : BUFFER + len(data)] = data
        return BUFFER

    @property
    def errno(self) -> int:
        return self.call(ERRNO)


@cache
def guest_of(name: str, engine: str) -> Guest | Guest64:
    """A guest that all tests share: its translated code is always the same."""
    return Guest64(engine) if name == "aarch64" else Guest(engine)


INSTRUCTIONS = {"arm": SVC_A32, "thumb": SVC_T32, "bkpt": BKPT_T32, "aarch64": HLT_A64}


def make(name: str, engine: str = "python") -> Asking:
    guest = guest_of(name, engine)
    guest.cpu.reset()
    guest.ram[BLOCK : BUFFER + 0x1000] = bytes(BUFFER + 0x1000 - BLOCK)
    return Asking(guest, INSTRUCTIONS[name])


@pytest.fixture(params=["arm", "aarch64"])
def asking(request: pytest.FixtureRequest) -> Iterator[Asking]:
    """A program of either width."""
    asking = make(request.param)
    yield asking
    asking.close()


# --- who is heard -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["python", "stencil"])
@pytest.mark.parametrize("name", ["arm", "thumb", "bkpt", "aarch64"])
def test_instruction_completes_and_nothing_but_the_result_changes(name: str, engine: str) -> None:
    asking = make(name, engine)
    assert asking.call(WRITE0, asking.text("text")[0]) == 4
    assert asking.output(2) == b"text"
    registers = dict(asking.guest.cpu.registers())
    assert asking.call(READC, asking.text("text")[0] if os.write(asking.keyboard, b"k") else 0) == ord("k")
    assert {key for key, value in asking.guest.cpu.registers().items() if value != registers[key]} <= {"r0", "x0"}
    asking.close()


@pytest.mark.parametrize("name", ["arm", "thumb", "bkpt", "aarch64"])
def test_nobody_is_asked_where_nobody_listens(name: str) -> None:
    asking = make(name)
    asking.guest.cpu.semihosting = None
    raised = asking.run()
    assert raised is not None
    if name != "aarch64":
        assert raised.kind is (Kind.PREFETCH_ABORT if name == "bkpt" else Kind.SUPERVISOR_CALL)
    assert asking.guest.cpu.pc == CODE
    asking.close()


@pytest.mark.parametrize(
    ("text", "thumb", "kind"),
    [
        ("svc #0x123457", False, Kind.SUPERVISOR_CALL),
        ("svc #0xab", False, Kind.SUPERVISOR_CALL),
        ("bkpt #0xab", False, Kind.PREFETCH_ABORT),
        ("svc #0xac", True, Kind.SUPERVISOR_CALL),
        ("svc #0x56", True, Kind.SUPERVISOR_CALL),
        ("bkpt #0xac", True, Kind.PREFETCH_ABORT),
    ],
)
def test_other_numbers_are_the_operating_systems(text: str, thumb: bool, kind: Kind) -> None:
    asking = make("arm")
    raised = asking.guest.run(text, thumb=thumb, r0=WRITEC, r1=TEXT)  # type: ignore[call-arg]
    assert raised is not None
    assert raised.kind is kind  # type: ignore[union-attr]
    asking.close()


@pytest.mark.parametrize(("mode", "is_heard"), [(USR, False), (SYS, True), (SVC, True), (HYP, True)])
def test_user_mode_is_not_heard(mode: int, is_heard: bool) -> None:
    asking = make("arm")
    raised = asking.guest.run(SVC_A32, mode=mode, r0=CLOCK, r1=0)  # type: ignore[call-arg]
    assert (raised is None) is is_heard
    asking.close()


@pytest.mark.parametrize(("el", "is_heard"), [(0, False), (1, True), (2, True), (3, True)])
def test_el0_is_not_heard(el: int, is_heard: bool) -> None:
    asking = Asking(Guest64(has_el2=True, has_el3=True), HLT_A64)
    raised = asking.guest.run(HLT_A64, el=el, x0=CLOCK, x1=0)  # type: ignore[call-arg]
    assert (raised is None) is is_heard
    assert Asking(Guest64(), ".word 0xd45e0020").run(x0=CLOCK) is not None, "HLT with another number"


def test_programs_of_32_bits_at_el0_are_not_heard() -> None:
    asking = make("aarch64")
    cpu = asking.guest.cpu
    cpu.memory.write(CODE, (0xEF123456).to_bytes(4, "little"))
    cpu.pc = CODE
    cpu.set_pstate(1 << 4 | USR)  # type: ignore[union-attr]
    cpu.x[0] = CLOCK  # type: ignore[union-attr]
    with pytest.raises(Exception, match="supervisor call"):
        asking.guest.engine.execute()
    asking.close()


def test_conditions_count() -> None:
    asking = make("arm")
    address = asking.text("x")[0]
    assert asking.guest.run("cmp r0, r0; .word 0x1f123456", r0=WRITE0, r1=address) is None  # svcne
    assert asking.guest.run("cmp r0, r0; it ne; .hword 0xdfab; mov r2, #1", thumb=True, r0=WRITE0, r1=address) is None  # type: ignore[call-arg]
    assert asking.output(2) == b""
    assert (
        asking.guest.run("cmp r0, r0; itt eq; .hword 0xdfab; .hword 0x2207", thumb=True, r0=WRITE0, r1=address) is None
    )  # type: ignore[call-arg]
    assert (asking.output(2), asking.guest.cpu.r[2]) == (b"x", 7)  # type: ignore[union-attr]
    asking.close()


@pytest.mark.parametrize("engine", ["python", "stencil"])
def test_instruction_counts_once_it_is_answered(engine: str) -> None:
    """``-icount``: trying again costs no guest time."""
    asking = Asking(Guest(make_engine(engine, icount=True)), SVC_A32)
    counts = asking.guest.engine
    counts.grant(1000)
    asking.call(CLOCK)
    assert counts.executed() == 1
    for _ in range(3):
        with pytest.raises(AskAgain):
            asking.call(READC)
    assert counts.executed() == 1
    os.write(asking.keyboard, b"k")
    asking.call(READC)
    assert counts.executed() == 2
    asking.close()


@pytest.mark.parametrize("engine", ["python", "stencil"])
@pytest.mark.parametrize("name", ["arm", "aarch64"])
def test_hooks_see_an_instruction_and_its_accesses_but_no_exception(name: str, engine: str) -> None:
    asking = Asking(Guest64(engine) if name == "aarch64" else Guest(engine), INSTRUCTIONS[name])
    hooks = asking.guest.cpu.hooks
    seen: list[object] = []
    hooks.add_instruction("hlt" if name == "aarch64" else "svc", lambda address: seen.append(address))
    hooks.add_event(seen.append)
    hooks.add_memory(MemoryWatch(BUFFER, BUFFER + 15, True, True, True, lambda access: seen.append(access.is_write)))
    assert asking.ask(GET_CMDLINE, BUFFER, 80) == 0
    assert seen[:2] == [CODE, True]
    assert seen[2:] == ([CODE + 4] if name == "aarch64" else []), "which ends with HLT"
    asking.close()


# --- files ------------------------------------------------------------------------------------------------------------


def test_file_from_beginning_to_end(asking: Asking, tmp_path: Path) -> None:
    handle = asking.open(tmp_path / "file", 7)
    assert handle == FIRST_HANDLE
    assert asking.ask(WRITE, handle, asking.buffer(b"some text"), 9) == 0
    assert asking.ask(FLEN, handle) == 9
    assert asking.ask(ISTTY, handle) == 0
    assert asking.ask(SEEK, handle, 5) == 0
    assert asking.ask(READ, handle, BUFFER, 3) == 0
    assert asking.memory(BUFFER, 4) == b"texe", "three bytes of four"
    assert asking.ask(READ, handle, BUFFER, 10) == 9, "one byte is left"
    assert asking.ask(READ, handle, BUFFER, 10) == 10, "none is"
    assert asking.ask(CLOSE, handle) == 0
    assert asking.ask(CLOSE, handle) == -1
    assert asking.errno == errno.EBADF
    assert Path(tmp_path, "file").read_bytes() == b"some text"


@pytest.mark.parametrize(("mode", "creates", "reads", "writes", "contents"), [
    (0, False, True, False, b"old text"), (1, False, True, False, b"old text"),
    (2, False, True, True, b"NEW text"), (3, False, True, True, b"NEW text"),
    (4, True, False, True, b"NEW"), (5, True, False, True, b"NEW"),
    (6, True, True, True, b"NEW"), (7, True, True, True, b"NEW"),
    (8, True, False, True, b"old textNEW"), (9, True, False, True, b"old textNEW"),
    (10, True, True, True, b"old textNEW"), (11, True, True, True, b"old textNEW"),
])  # fmt: skip
def test_file_is_opened_as_the_mode_asks(
    asking: Asking, tmp_path: Path, mode: int, creates: bool, reads: bool, writes: bool, contents: bytes
) -> None:
    assert (asking.open(tmp_path / "new", mode) == FIRST_HANDLE) is creates
    assert Path(tmp_path, "new").exists() is creates
    old = tmp_path / "old"
    old.write_bytes(b"old text")
    handle = asking.open(old, mode)
    assert handle == FIRST_HANDLE + creates
    assert (asking.ask(WRITE, handle, asking.buffer(b"NEW"), 3) == 0) is writes
    assert (asking.ask(READ, handle, BUFFER, 1) >= 0) is reads
    assert old.read_bytes() == contents


def test_modes_end_at_eleven(asking: Asking, tmp_path: Path) -> None:
    for mode in (12, 13, -1):
        assert asking.open(tmp_path / "file", mode) == -1
        assert asking.errno == errno.EINVAL
    assert os.listdir(tmp_path) == []


def test_missing_file_is_told_in_errno(asking: Asking, tmp_path: Path) -> None:
    assert asking.errno == 0
    assert asking.open(tmp_path / "none", 0) == -1
    assert asking.errno == errno.ENOENT
    assert asking.ask(ISTTY, 0) == 0
    assert asking.errno == errno.ENOENT, "what succeeds leaves it alone"


def test_console_is_opened_by_its_name(asking: Asking) -> None:
    assert [asking.open(":tt", mode) for mode in range(12)] == [0] * 4 + [1] * 8
    assert asking.ask(WRITE, 1, asking.buffer(b"out"), 3) == 0
    assert asking.ask(WRITE, 2, asking.buffer(b"error"), 5) == 0
    assert (asking.output(1), asking.output(2)) == (b"out", b"error")
    os.write(asking.keyboard, b"typed\n")
    assert asking.ask(READ, 0, BUFFER, 80) == 74
    assert asking.memory(BUFFER, 6) == b"typed\n"
    assert asking.ask(CLOSE, 0) == 0
    assert asking.ask(READ, 0, BUFFER, 1) == -1
    assert asking.open(":tt", 0) == 0


def test_large_file_has_its_length_where_that_fits(asking: Asking, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate((1 << 32) + 5)
    handle = asking.open(path, 0)
    assert asking.ask(FLEN, handle) == ((1 << 32) + 5 if asking.is_64bit else -1)
    if asking.is_64bit:
        assert asking.ask(SEEK, handle, (1 << 32) + 1) == 0
        assert asking.ask(READ, handle, BUFFER, 8) == 4
    else:
        assert asking.errno == errno.EOVERFLOW


def test_names_are_removed_and_changed(asking: Asking, tmp_path: Path) -> None:
    Path(tmp_path, "a").touch()
    old, new = asking.text(tmp_path / "a"), asking.text(tmp_path / "b", TEXT + 0x800)
    assert asking.ask(RENAME, *old, *new) == 0
    assert os.listdir(tmp_path) == ["b"]
    assert asking.ask(REMOVE, *new) == 0
    assert os.listdir(tmp_path) == []
    assert asking.ask(REMOVE, *new) == -1
    assert asking.ask(RENAME, *old, *new) == -1
    assert asking.errno == errno.ENOENT


def test_temporary_name_fits_or_is_not_given(asking: Asking) -> None:
    assert asking.ask(TMPNAM, BUFFER, 5, 64) == 0
    name = asking.memory(BUFFER, 64).split(b"\0")[0]
    assert not os.path.exists(name)
    assert asking.ask(TMPNAM, BUFFER, 5, len(name) + 1) == 0
    asking.buffer(b"before")
    assert asking.ask(TMPNAM, BUFFER, 5, len(name)) == -1
    assert asking.memory(BUFFER, 6) == b"before"


# --- what points nowhere, and what is too long ------------------------------------------------------------------------


@pytest.mark.parametrize("call", [*range(OPEN, WRITE0 + 1), WRITE, READ, ISTTY, SEEK, FLEN, TMPNAM, REMOVE, RENAME,
                                  SYSTEM, GET_CMDLINE, HEAPINFO])  # fmt: skip
def test_parameter_that_points_nowhere(asking: Asking, call: int) -> None:
    end = len(asking.guest.ram)
    asking.guest.ram[end - 1] = 1
    for parameter in (NOWHERE, end, end - (call != WRITEC), 0xFFFF_FFFF, -1):
        assert asking.call(call, parameter) == -1, hex(parameter)
        assert asking.errno == errno.EFAULT


def test_fields_that_point_nowhere(asking: Asking, tmp_path: Path) -> None:
    handle = asking.open(tmp_path / "file", 7)
    name, length = asking.text("name")
    for call, fields in (
        (OPEN, (NOWHERE, 0, 4)), (WRITE, (handle, NOWHERE, 4)), (READ, (handle, NOWHERE, 4)), (REMOVE, (NOWHERE, 4)),
        (RENAME, (NOWHERE, 4, name, length)), (RENAME, (name, length, NOWHERE, 4)), (SYSTEM, (NOWHERE, 4)),
        (TMPNAM, (NOWHERE, 1, 64)), (GET_CMDLINE, (NOWHERE, 64)), (HEAPINFO, (NOWHERE,)),
        (READ, (handle, len(asking.guest.ram) - 2, 4)), (WRITE, (handle, len(asking.guest.ram) - 2, 4)),
    ):  # fmt: skip
        assert asking.ask(call, *fields) == -1, hex(call)
        assert asking.errno == errno.EFAULT


def test_nothing_is_read_that_has_no_place(asking: Asking, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"text")
    handle = asking.open(path, 0)
    assert asking.ask(READ, handle, NOWHERE, 4) == -1
    assert asking.ask(READ, handle, BUFFER, 4) == 0
    assert asking.memory(BUFFER, 4) == b"text"


def test_lengths_beyond_all_memory(asking: Asking, tmp_path: Path) -> None:
    handle = asking.open(tmp_path / "file", 7)
    for length in (0xFFFF_FFFF, 1 << 31, -1):
        assert asking.ask(WRITE, handle, BUFFER, length) == -1
        assert asking.ask(READ, handle, BUFFER, length) == -1
    assert asking.ask(FLEN, handle) == 0


def test_names_have_a_bound(asking: Asking, tmp_path: Path) -> None:
    assert asking.open("x" * 4096, 0) == -1
    assert asking.errno == errno.ENAMETOOLONG
    assert asking.open("x" * 4095, 0) == -1
    assert asking.errno == errno.ENAMETOOLONG, "of the host, now"


def test_large_transfers_arrive(asking: Asking, tmp_path: Path) -> None:
    data = os.urandom(0x40001)
    handle = asking.open(tmp_path / "file", 7)
    assert asking.ask(WRITE, handle, asking.buffer(data), len(data)) == 0
    asking.buffer(bytes(len(data)))
    asking.ask(SEEK, handle, 0)
    assert asking.ask(READ, handle, BUFFER, len(data) + 1) == 1
    assert asking.memory(BUFFER, len(data)) == data


# --- the console ------------------------------------------------------------------------------------------------------


def test_texts_go_to_the_debuggers_console(asking: Asking) -> None:
    assert asking.call(WRITE0, asking.text("text\n")[0]) == 5
    assert asking.call(WRITEC, asking.text("c")[0]) == 1
    assert (asking.output(1), asking.output(2)) == (b"", b"text\nc")


def test_key_that_has_not_come_is_asked_for_again(asking: Asking) -> None:
    for number in (READC, READ):
        asking.put(BLOCK, 0, BUFFER, 1)
        with pytest.raises(AskAgain):
            asking.call(number, BLOCK)
        assert asking.guest.cpu.pc == CODE
    os.write(asking.keyboard, b"k")
    assert asking.call(READC) == ord("k")


# --- everything else --------------------------------------------------------------------------------------------------


def test_command_line_fits_or_is_not_given(asking: Asking) -> None:
    assert asking.ask(GET_CMDLINE, BUFFER, 80) == 0
    assert asking.memory(BUFFER, 16) == b"program one two\0"
    assert (asking.field(0), asking.field(1)) == (BUFFER, 15)
    assert asking.ask(GET_CMDLINE, BUFFER, 16) == 0
    asking.buffer(b"before")
    assert asking.ask(GET_CMDLINE, BUFFER, 15) == -1
    assert (asking.memory(BUFFER, 6), asking.field(1), asking.errno) == (b"before", 15, errno.E2BIG)


def test_heap_is_the_upper_half_of_memory(asking: Asking) -> None:
    assert asking.ask(HEAPINFO, BUFFER) == 0
    assert [asking.field(number, BUFFER) for number in range(4)] == [1 << 19, 1 << 20, 1 << 20, 0]


def test_heap_ends_before_addresses_do(asking: Asking) -> None:
    asking.guest.cpu.semihosting = ArmSemihosting(asking.host, range(0x8000_0000, 0x1_0000_0000))
    assert asking.ask(HEAPINFO, BUFFER) == 0
    end = 0x1_0000_0000 if asking.is_64bit else 0xFFFF_F000
    assert [asking.field(number, BUFFER) for number in (1, 2, 3)] == [end, end, 0x8000_0000]


def test_clocks(asking: Asking) -> None:
    assert isinstance(asking.host.system.clock, FakeClock)
    asking.host.system.clock.advance(2_000_000_000)
    assert asking.call(CLOCK) == 200
    assert abs(asking.call(TIME) - asking.host.seconds()) <= 1


def test_command_of_the_host(asking: Asking, tmp_path: Path) -> None:
    asking.put(BLOCK, *asking.text(f"echo text > {tmp_path}/file; exit 3"))
    while True:
        try:
            assert asking.call(SYSTEM, BLOCK) == 3 << 8
        except AskAgain:
            continue
        break
    assert Path(tmp_path, "file").read_bytes() == b"text\n"


@pytest.mark.parametrize(("reason", "status"), [(APPLICATION_EXIT, 0), (0x20023, 1), (0, 1), (NOWHERE, 1)])
def test_exit_of_32_bits_tells_success_from_failure(reason: int, status: int) -> None:
    asking = make("arm")
    asking.call(EXIT, reason)
    assert asking.host.system.exit_code == status
    asking.close()


@pytest.mark.parametrize(
    ("reason", "code", "status"),
    [(APPLICATION_EXIT, 0, 0), (APPLICATION_EXIT, 42, 42), (APPLICATION_EXIT, -1, 255), (0x20023, 0, 1)],
)
def test_exit_of_64_bits_has_a_status(reason: int, code: int, status: int) -> None:
    asking = make("aarch64")
    asking.ask(EXIT, reason, code)
    assert asking.host.system.exit_code == status
    asking.close()


def test_exit_that_points_nowhere_is_none() -> None:
    asking = make("aarch64")
    assert asking.call(EXIT, NOWHERE) == -1
    assert asking.host.system.exit_code is None
    asking.close()


def test_only_64_bits_have_caches_to_tell_of(asking: Asking) -> None:
    assert asking.ask(SYNCCACHE, 0, 64) == (0 if asking.is_64bit else -1)


def test_unknown_calls_fail_and_are_told_once(asking: Asking) -> None:
    for number in (0, 0x20, 0xFFFF_FFFF, 0x20):
        assert asking.call(number) == -1
        assert asking.errno == errno.ENOSYS
    assert asking.output(2) == b"".join(
        b"semihosting: there is no call %s\n" % text for text in (b"0x00", b"0x20", b"0xffffffff")
    )


def test_calls_are_among_the_events_that_are_logged(asking: Asking) -> None:
    events: list[str] = []
    asking.guest.cpu.on_event = events.append
    asking.call(CLOCK, 5)
    asking.guest.cpu.on_event = None
    assert events == ["semihosting call 0x10 (0x5): 0x0"]


def test_number_of_the_call_is_in_w0() -> None:
    asking = make("aarch64")
    assert asking.call(0xFFFF_FFFF_0000_0000 | CLOCK) == 0
    asking.close()


def test_blocks_are_in_the_byte_order_of_data(tmp_path: Path) -> None:
    asking = make("arm")
    asking.order = "big"
    asking.instruction = "setend be; .word 0xef123456; setend le"
    handle = asking.open(tmp_path / "file", 7)
    assert handle == FIRST_HANDLE
    assert asking.ask(WRITE, handle, asking.buffer(b"text"), 4) == 0
    assert asking.ask(GET_CMDLINE, BUFFER, 80) == 0
    assert asking.field(1) == 15
    asking.close()
