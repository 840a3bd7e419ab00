"""Arm's way to ask for semihosting, of both states (ARM DUI 0471, chapter 8; ARM 100863).

A program puts the number of a call into R0 (W0) and one parameter into R1 (X1), mostly the address of a block of words,
each as wide as a register, and executes an instruction that is set apart for it: in AArch32 state ``SVC 0x123456`` or,
in Thumb, ``SVC 0xAB`` or ``BKPT 0xAB``; in AArch64 state ``HLT 0xF000``. The result is in R0 (X0).

As in QEMU 2.6, programs in User mode and at EL0 are not heard, ``:tt`` is standard input where it is opened for reading
and standard output otherwise, handles 0 to 2 are open from the start, and the debugger's console is standard error.
There the number of the last error stayed zero, SYS_READC and SYS_TMPNAM always failed, and an unknown call was the end
of it; here they do what the specification says.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pyqemu.system.semihosting import STDIN, STDOUT, NotReady, Semihosting
from pyqemu.targets.arm.layout import M32
from pyqemu.tcg.cpu import LeaveLoop
from pyqemu.tcg.pointers import LARGEST, Pointers
from pyqemu.tcg.softmmu import PAGE_SIZE, WRITE

if TYPE_CHECKING:
    from pyqemu.targets.arm.multiprocessor import Multiprocessor

SVC_A32, SVC_T32, BKPT_T32, HLT_A64 = 0x123456, 0xAB, 0xAB, 0xF000
"""The immediates of the instructions that ask."""
SYS_EXIT, SYS_SYNCCACHE = 0x18, 0x19
APPLICATION_EXIT = 0x20026  #: ADP_Stopped_ApplicationExit

_NEW, _END = os.O_CREAT | os.O_TRUNC, os.O_CREAT | os.O_APPEND
MODES = (os.O_RDONLY, os.O_RDWR, os.O_WRONLY | _NEW, os.O_RDWR | _NEW, os.O_WRONLY | _END, os.O_RDWR | _END)
"""By half of what SYS_OPEN is told: ``r``, ``r+``, ``w``, ``w+``, ``a``, ``a+``, each without and with ``b``."""
FIRST_WRITING_MODE = 4
CONSOLE = b":tt"
PATH_MAX, TEXT_MAX = 4096, 1 << 20  #: bytes of names and commands, and of texts, with their ends
POLL = 0.005  #: seconds until a call is tried again that the host could not answer

Order = Literal["little", "big"]


class Registers(Protocol):
    """The general registers of either state."""

    def __getitem__(self, number: int) -> int: ...
    def __setitem__(self, number: int, value: int) -> None: ...


class AskAgain(LeaveLoop):
    """The instruction has not done anything yet."""

    completes = False


@dataclass(frozen=True)
class Call:
    """One call.

    :ivar parameter: R1, X1
    :ivar word: bytes of a register
    :ivar order: of bytes in a word
    :ivar ram: addresses of the machine's main memory
    :ivar who: the processor's index
    """

    host: Semihosting
    memory: Pointers
    parameter: int
    word: int
    order: Order
    ram: range
    who: int

    def field(self, number: int) -> int:
        """A word of the parameter block."""
        return int.from_bytes(self.memory.read(self.parameter + number * self.word, self.word), self.order)

    def set_field(self, number: int, value: int) -> None:
        """Write a word of the parameter block."""
        self.memory.write(self.parameter + number * self.word, self.packed(value))

    def packed(self, *words: int) -> bytes:
        """Words as they are in memory."""
        return b"".join(word.to_bytes(self.word, self.order) for word in words)

    def name(self, number: int) -> bytes:
        """The text that a word of the parameter block points at."""
        return self.memory.string(self.field(number), PATH_MAX)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


# --- files ------------------------------------------------------------------------------------------------------------


def _open(call: Call) -> int:
    name, mode = call.name(0), call.field(1)
    if mode >> 1 >= len(MODES):
        raise _error(errno.EINVAL)
    if name == CONSOLE:
        return call.host.open_stream(STDIN if mode < FIRST_WRITING_MODE else STDOUT)
    return call.host.open(name, MODES[mode >> 1])


def _close(call: Call) -> int:
    call.host.close(call.field(0))
    return 0


def _write(call: Call) -> int:
    """Returns how many bytes were not written; more than a limit may remain."""
    handle, address, length = call.field(0), call.field(1), call.field(2)
    return length - call.host.write(handle, call.memory.read(address, min(length, LARGEST)))


def _read(call: Call) -> int:
    """Returns how many bytes were not read: all of them at the end of the file."""
    handle, address, length = call.field(0), call.field(1), call.field(2)
    wanted = min(length, LARGEST)
    call.memory.check(address, wanted, WRITE)
    data = call.host.read(handle, wanted)
    call.memory.write(address, data)
    return length - len(data)


def _istty(call: Call) -> int:
    return int(call.host.is_terminal(call.field(0)))


def _seek(call: Call) -> int:
    call.host.seek(call.field(0), call.field(1))
    return 0


def _flen(call: Call) -> int:
    length = call.host.length(call.field(0))
    if length >> 8 * call.word:
        raise _error(errno.EOVERFLOW)
    return length


def _tmpnam(call: Call) -> int:
    address, number, size = call.field(0), call.field(1), call.field(2)
    name = call.host.temporary_name(number & 0xFF) + b"\0"
    if len(name) > size:
        raise _error(errno.ERANGE)
    call.memory.write(address, name)
    return 0


def _remove(call: Call) -> int:
    call.host.remove(call.name(0))
    return 0


def _rename(call: Call) -> int:
    call.host.rename(call.name(0), call.name(2))
    return 0


# --- the console ------------------------------------------------------------------------------------------------------


def _writec(call: Call) -> int:
    call.host.print(call.memory.read(call.parameter, 1))
    return 1


def _write0(call: Call) -> int:
    text = call.memory.string(call.parameter, TEXT_MAX)
    call.host.print(text)
    return len(text)


def _readc(call: Call) -> int:
    return call.host.read_key()


# --- everything else --------------------------------------------------------------------------------------------------


def _clock(call: Call) -> int:
    return call.host.centiseconds()


def _time(call: Call) -> int:
    return call.host.seconds()


def _system(call: Call) -> int:
    return call.host.run(call.who, call.name(0))


def _errno(call: Call) -> int:
    return call.host.errno


def _get_cmdline(call: Call) -> int:
    address, size = call.field(0), call.field(1)
    text = os.fsencode(call.host.command_line)
    if len(text) >= size:
        raise _error(errno.E2BIG)
    call.memory.write(address, text + b"\0")
    call.set_field(1, len(text))
    return 0


def _heapinfo(call: Call) -> int:
    """The heap is the upper half of memory, the stack comes down from its end."""
    start, end = call.ram.start, min(call.ram.stop, call.memory.end - PAGE_SIZE)
    call.memory.write(call.field(0), call.packed(start + (end - start) // 2, end, end, start))
    return 0


def _exit(call: Call) -> int:
    """Of 32 bits, the parameter is the reason itself; of 64 bits, it points at the reason and an exit status."""
    if call.word == 4:
        status = int(call.parameter != APPLICATION_EXIT)
    else:
        status = call.field(1) if call.field(0) == APPLICATION_EXIT else 1
    call.host.exit(status)
    return SYS_EXIT


def _synccache(call: Call) -> int:
    """There are no caches. AArch32 state has no such call."""
    if call.word == 4:
        raise _unknown(call, SYS_SYNCCACHE)
    return 0


def _unknown(call: Call, number: int) -> OSError:
    call.host.complain(f"there is no call {number:#04x}")
    return _error(errno.ENOSYS)


# fmt: off
CALLS: dict[int, Callable[[Call], int]] = {
    0x01: _open,        0x02: _close,    0x03: _writec,   0x04: _write0,  0x05: _write,  0x06: _read,
    0x07: _readc,       0x09: _istty,    0x0A: _seek,     0x0C: _flen,    0x0D: _tmpnam, 0x0E: _remove,
    0x0F: _rename,      0x10: _clock,    0x11: _time,     0x12: _system,  0x13: _errno,
    0x15: _get_cmdline, 0x16: _heapinfo, SYS_EXIT: _exit, SYS_SYNCCACHE: _synccache,
}
# fmt: on
"""What each call does: its result, or the host's error for what is answered with -1."""


class ArmSemihosting:
    """Answers the processors of one machine. *ram* are the addresses of its main memory."""

    def __init__(self, host: Semihosting, ram: range) -> None:
        self.host = host
        self.ram = ram

    def answer(self, cpu: Multiprocessor, registers: Registers, word: int, *, big_endian: bool) -> None:
        """Do what a processor asks for: an instruction's helper. Registers are of *word* bytes.

        :raise AskAgain: the instruction is to run again.
        """
        number = registers[0] & M32
        order: Order = "big" if big_endian else "little"
        call = Call(self.host, Pointers(cpu, 8 * word), registers[1], word, order, self.ram, cpu.index)
        try:
            registers[0] = self._result(number, call)
            if cpu.on_event is not None:
                cpu.on_event(f"semihosting call {number:#x} ({call.parameter:#x}): {registers[0]:#x}")
        except NotReady:
            if cpu.is_one_of_several:
                cpu.doze()
            else:
                cpu.turns.hold(time.monotonic() + POLL)
            raise AskAgain from None

    def _result(self, number: int, call: Call) -> int:
        try:
            found = CALLS.get(number)
            if found is None:
                raise _unknown(call, number)
            return found(call)
        except OSError as error:
            self.host.errno = error.errno or errno.EIO
            return -1
