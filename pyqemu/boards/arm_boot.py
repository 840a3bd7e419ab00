"""Starting a kernel, a program or firmware on an Arm board, in places where QEMU has them (QEMU 2.6: hw/arm/boot.c).

A board says once where it wants things, and loads; on each reset it starts what was loaded::

    place = KernelPlace(self.memory_space, start=RAM, size=config.memory, board_id=0x183)
    self.boot = load_kernel(place, config)      # or load_tree() if firmware starts by itself
    ...
    def reset(self) -> None:
        self.cpu.reset()
        self.boot.start(self.cpu)               # brings back what was loaded, too

How a program is called depends on what it is (`arm_boot_files.py`). Linux of 32 bits gets 0 in R0, the board's number
in R1, and in R2 the device tree, or a list of tags (`arm_boot_tags.py`) if there is no tree; Linux of 64 bits gets the
device tree in X0 (Linux: Documentation/arm/booting.rst, Documentation/arm64/booting.rst). ELF programs begin as after a
reset, but at their own entry; the device tree lies at the start of RAM if they have left room there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pyqemu.boards.arm_boot_files import ALIGN, Part, Program, read_program, read_ramdisk
from pyqemu.boards.arm_boot_tags import tag_list
from pyqemu.boards.arm_boot_tree import Change, completed_tree
from pyqemu.boards.config import MachineConfig
from pyqemu.memory import AddressSpace
from pyqemu.system import System
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.targets.arm.state import ArmCpu
from pyqemu.util.errors import UserError
from pyqemu.util.units import GIB, MIB, format_size

INITRD_DISTANCE = 128 * MIB  #: of the initial ramdisk from the start of RAM, at most
TAGS_OFFSET = 0x100
PAGE = 0x1000
ONLY_DEVICE_TREE = -1  #: as a board's number: Linux has none for it
SCTLR_E0E, SCTLR_EE, CPSR_E, SCR_NS = 1 << 24, 1 << 25, 1 << 9, 1
NSACR_VFP = 3 << 10  #: coprocessors 10 and 11 are open to Non-secure state


@dataclass(frozen=True)
class KernelPlace:
    """What loading depends on of a board.

    :ivar memory: what the processors see
    :ivar start: address of the RAM that kernels are put into, *size* its bytes
    :ivar board_id: the board's number among Linux's machines (linux/arch/arm/tools/mach-types)
    :ivar tree: makes the board's own device tree; what a boot loader knows is added to it
    :ivar change_tree: changes any device tree before it is loaded, also one of ``-dtb``
    :ivar board_tag: contents of a tag of the board's own
    :ivar secure: whether Linux of 32 bits begins in the secure state of a processor that has one
    """

    memory: AddressSpace
    start: int
    size: int
    board_id: int = ONLY_DEVICE_TREE
    is_64bit: bool = False
    tree: Callable[[], bytes] | None = None
    change_tree: Change | None = None
    board_tag: bytes = b""
    secure: bool = True


@dataclass
class Boot:
    """What was loaded, and how it begins.

    :ivar entry: address of the first instruction; None where the processor begins by itself
    :ivar argument: address of the device tree, or of the list of tags; 0 without either
    """

    loader: Loader
    entry: int | None = None
    is_linux: bool = False
    argument: int = 0
    big_endian: bool = False

    def add(self, address: int, data: bytes, what: str) -> None:
        """Load something of the board's own, such as code that other processors wait in.

        :raise UserError: it does not fit.
        """
        self.loader.put(Part(address, data, what))

    def reset_keeping_memory(self, system: System) -> None:
        """Reset the machine, whose memory has come from elsewhere already."""
        self.loader.is_idle = True
        try:
            system.reset()
        finally:
            self.loader.is_idle = False

    def start(self, cpu: ArmCpu | Aarch64Cpu) -> None:
        """Let a processor that was just reset begin: the only one, or the first one.

        What was loaded is brought back, as it may have been overwritten since.
        """
        self.loader.restore()
        if self.entry is None:
            return
        if self.is_linux:
            self._call_linux(cpu)
        elif self.big_endian:
            _make_big_endian(cpu)
        if isinstance(cpu, ArmCpu) and self.entry & 1:
            cpu.set_cpsr(cpu.cpsr | 1 << 5)
            cpu.pc = self.entry & ~1
        else:
            cpu.pc = self.entry

    def _call_linux(self, cpu: ArmCpu | Aarch64Cpu) -> None:
        place = self.loader.place
        if isinstance(cpu, Aarch64Cpu):
            cpu.hand_over(2 if cpu.has_el2 else 1)
            cpu.x[0] = self.argument
            return
        cpu.r[0], cpu.r[1], cpu.r[2] = 0, place.board_id, self.argument
        if cpu.has_el3 and not place.secure:
            cpu.sys.scr_el3 |= SCR_NS
            cpu.sys.cptr_el3 |= NSACR_VFP  # whoever hands over to Non-secure state has allowed it to use VFP
            cpu.translation_changed()


@dataclass
class Loader:
    """Puts things into memory, none over another one, and does so again after each reset.

    :ivar is_idle: whether memory is left as it is
    """

    place: KernelPlace
    parts: list[Part] = field(default_factory=list)
    is_idle: bool = False

    def put(self, part: Part) -> None:
        """Load something.

        :raise UserError: it does not fit.
        """
        place = self.place
        if place.start <= part.address < place.start + place.size < part.end:
            needed = part.end - place.start
            raise UserError(
                f"{part.what} does not fit into {format_size(place.size)} of RAM",
                f"it would end at {format_size(needed)}: -m {-(-needed // MIB)} or more",
            )
        if part.data and place.memory.section_at(part.address).data is None:
            raise UserError(f"{part.what} would be loaded at {part.address:#x}, where there is no memory")
        for other in self.parts:
            if part.address < other.end and other.address < part.end:
                raise UserError(f"{part.what} would be loaded over {other.what}", "more RAM (-m) keeps them apart")
        self.parts.append(part)
        place.memory.write_rom(part.address, part.data)

    def restore(self) -> None:
        """Load all of it again."""
        for part in () if self.is_idle else self.parts:
            self.place.memory.write_rom(part.address, part.data)


def read_file(path: str, option: str) -> bytes:
    """The contents of a file that an option names.

    :raise UserError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{option} {path}: {error.strerror}") from None


def load_kernel(place: KernelPlace, config: MachineConfig) -> Boot:
    """Load what ``-kernel``, ``-initrd`` and ``-dtb`` name.

    :raise UserError: a file cannot be read, is for something else, or does not fit.
    """
    name = config.kernel
    program = read_program(read_file(name, "-kernel"), name, place.start, is_64bit=place.is_64bit)
    loader = Loader(place)
    for part in program.parts:
        loader.put(part)
    boot = Boot(loader, program.entry, program.is_linux, big_endian=program.big_endian)
    if program.is_linux:
        boot.argument = _load_companions(loader, config)
    else:
        _load_tree_below(loader, config, program)
    return boot


def load_tree(place: KernelPlace, config: MachineConfig) -> Boot:
    """Load the device tree alone, to the start of RAM, where firmware looks for it.

    :raise UserError: there is none to be read, or it does not fit.
    """
    boot = Boot(Loader(place))
    if tree := _tree(place, config, None):
        boot.add(place.start, tree, "the device tree")
    return boot


def _load_companions(loader: Loader, config: MachineConfig) -> int:
    """Load the ramdisk, and behind it the tree, or before the kernel the tags; returns where these are."""
    place = loader.place
    first = last = place.start + min(place.size // 2, INITRD_DISTANCE)
    if config.initrd:
        data = read_ramdisk(read_file(config.initrd, "-initrd"), config.initrd)
        loader.put(Part(first, data, "the initial ramdisk"))
        last = first + len(data)
    initrd = (first, last) if last > first else None
    if tree := _tree(place, config, initrd):
        align = ALIGN if place.is_64bit else PAGE
        address = -(-last // align) * align
        loader.put(Part(address, tree, "the device tree"))
        return address
    if place.size >= 4 * GIB:
        raise UserError(
            "without a device tree a kernel cannot be told of this much memory", "-dtb FILE, or -m below 4G"
        )
    tags = tag_list(memory=(place.start, place.size), append=config.append, initrd=initrd, board=place.board_tag)
    loader.put(Part(place.start + TAGS_OFFSET, tags, "the list of tags"))
    return place.start + TAGS_OFFSET


def _load_tree_below(loader: Loader, config: MachineConfig, program: Program) -> None:
    """Load the tree to the start of RAM, if the program is not there."""
    place = loader.place
    room = min((part.address for part in program.parts if part.end > place.start), default=place.start + place.size)
    if room <= place.start:
        return
    tree = _tree(place, config, None)
    if place.start + len(tree) <= room:
        loader.put(Part(place.start, tree, "the device tree"))


def _tree(place: KernelPlace, config: MachineConfig, initrd: tuple[int, int] | None) -> bytes:
    """The device tree: that of ``-dtb``, or the board's; empty if there is none."""
    if config.dtb:
        blob, what = read_file(config.dtb, "-dtb"), f"-dtb {config.dtb}"
    elif place.tree is not None:
        blob, what = place.tree(), "the board's device tree"
    else:
        return b""
    return completed_tree(
        blob, what, memory=(place.start, place.size), append=config.append, initrd=initrd, change=place.change_tree
    )


def _make_big_endian(cpu: ArmCpu | Aarch64Cpu) -> None:
    if isinstance(cpu, Aarch64Cpu):
        cpu.sys.sctlr_el1 |= SCTLR_E0E | SCTLR_EE
        cpu.translation_changed()
    else:
        cpu.sys.sctlr_el1 |= SCTLR_EE
        cpu.translation_changed()
        cpu.set_cpsr(cpu.cpsr | CPSR_E)
