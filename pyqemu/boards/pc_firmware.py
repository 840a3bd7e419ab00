"""What a pc starts with: the built-in BIOS or an image such as SeaBIOS, the tables for it, and ``-kernel``."""

from __future__ import annotations

import struct
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pyqemu.boards.pc_boot import boot_order, ide_drives
from pyqemu.firmware import acpi, e820, smbios
from pyqemu.firmware.bios.bios import BuiltinBios
from pyqemu.firmware.bios.context import BiosContext
from pyqemu.firmware.bios.layout import TRAP_PORT
from pyqemu.firmware.kernel import load_kernel
from pyqemu.hw.nvram import fw_cfg as keys
from pyqemu.hw.pci.bus import SLOTS
from pyqemu.memory import MemoryRegion
from pyqemu.system import ShutdownCause
from pyqemu.util.errors import UserError
from pyqemu.util.units import KIB

if TYPE_CHECKING:
    from pyqemu.block import Drive
    from pyqemu.boards.config import MachineConfig
    from pyqemu.boards.pc import Pc

TOP = 1 << 32
LOW_END = 0x100000
MAX_LOW = 128 * KIB  # of the image's end that shows below 1 MiB
MAX_BIOS = 16 << 20
VGA_ROM = "vgabios-stdvga.bin"
DATA_DIRECTORIES = ("/usr/share/seabios", "/usr/share/qemu")  # where distributions keep firmware


def install_firmware(pc: Pc) -> None:
    """Put firmware, tables and kernel where the processor and the guest find them.

    :raise UserError: a file is missing or cannot be what it should be.
    """
    _fill_fw_cfg(pc)
    order = _kernel(pc) + boot_order(pc)
    if order:
        pc.fw_cfg.add_file("bootorder", "".join(f"{line}\n" for line in order).encode() + b"\0")
    if pc.config.bios:
        _map_rom(pc, read_bios(pc.config.bios, pc.config.library))
    else:
        _builtin(pc)


def read_bios(name: str, library: list[str]) -> bytes:
    """The bytes of ``-bios``: a path, or a name to be found in the directories of ``-L``.

    :raise UserError: there is no such file, or its size is none of a ROM.
    """
    candidates = [Path(name), *(Path(directory) / name for directory in library)]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise UserError(f"could not load PC BIOS '{name}'", "no such file; -L adds a directory to search")
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise UserError(f"could not load PC BIOS '{name}': {exc.strerror}") from None
    if not data or len(data) % (64 * KIB) or len(data) > MAX_BIOS:
        hint = f"its size is {len(data)} bytes; a ROM image is a multiple of 64 KiB, up to 16 MiB"
        raise UserError(f"could not load PC BIOS '{name}'", hint)
    return data


def vga_rom(config: MachineConfig) -> str:
    """The file of the VGA's option ROM, which a firmware image needs; the built-in BIOS drives the adapter itself."""
    if not config.bios:
        return ""
    directories = [*config.library, str(Path(config.bios).parent), *DATA_DIRECTORIES]
    paths = [Path(directory) / VGA_ROM for directory in directories]
    return str(next((path for path in paths if path.is_file()), ""))


def _map_rom(pc: Pc, data: bytes) -> MemoryRegion:
    """The image ends at 4 GiB; its end shows once more below 1 MiB, under the PAM registers' control."""
    rom = MemoryRegion.rom("pc.bios", data)
    pc.host.pci_memory.add(TOP - len(data), rom, 1)
    low = min(len(data), MAX_LOW)
    pc.host.pci_memory.add(LOW_END - low, MemoryRegion.alias("isa-bios", rom, len(data) - low, low), 1)
    return rom


def _builtin(pc: Pc) -> None:
    disks, cdroms = ide_drives(pc)
    context = BiosContext(
        cpu=pc.cpu, memory=pc.memory_space, io=pc.io_space, ram_below_4g=pc.ram_below_4g, ram_above_4g=pc.ram_above_4g,
        floppies=_floppies(pc),
        hard_disks=disks, cdroms=cdroms,
        now=pc.system.clock.now,
        power_off=partial(pc.system.request_shutdown, ShutdownCause.GUEST_SHUTDOWN),
        acpi=_acpi_config(pc) if pc.config.acpi else None,
        smbios=_smbios_config(pc),
    )  # fmt: skip
    bios = BuiltinBios(context)
    _map_rom(pc, bios.image)
    pc.io.add(TRAP_PORT, MemoryRegion.mmio("bios-services", 1, bios, access=(1, 1)), 2)


def _floppies(pc: Pc) -> list[Drive | None]:
    found = [pc.drives.by_index("floppy", index) for index in range(2)]
    while found and found[-1] is None:
        found.pop()
    return found


def _acpi_config(pc: Pc) -> acpi.AcpiConfig:
    floppies = [drive is not None for drive in (*_floppies(pc), None, None)]
    serials = ((0x3F8, 4), (0x2F8, 3))[: len(pc.config.serials)]
    fixed = {devfn >> 3 for devfn, device in pc.pci.devices.items() if not device.hotpluggable}
    slots = tuple(slot for slot in range(SLOTS) if slot not in fixed)
    return acpi.AcpiConfig(ram_below_4g=pc.ram_below_4g, ram_above_4g=pc.ram_above_4g, hpet=pc.config.hpet,
                           floppies=(floppies[0], floppies[1]), serial_ports=serials,
                           hotplug_slots=slots)  # fmt: skip


def _smbios_config(pc: Pc) -> smbios.SmbiosConfig:
    return smbios.SmbiosConfig(ram_below_4g=pc.ram_below_4g, ram_above_4g=pc.ram_above_4g, uuid=pc.config.uuid)


def _fill_fw_cfg(pc: Pc) -> None:
    config, fw_cfg = pc.config, pc.fw_cfg
    fw_cfg.add_bytes(keys.UUID, config.uuid.bytes if config.uuid else bytes(16))
    fw_cfg.add_i64(keys.RAM_SIZE, config.memory)
    fw_cfg.add_i16(keys.NB_CPUS, 1)
    fw_cfg.add_i16(keys.MAX_CPUS, 1)
    fw_cfg.add_i16(keys.NOGRAPHIC, int(config.vga == "none"))
    fw_cfg.add_i16(keys.BOOT_MENU, int(config.boot.menu))
    fw_cfg.add_bytes(keys.NUMA, bytes(16))
    fw_cfg.add_i32(keys.IRQ0_OVERRIDE, 1)
    fw_cfg.add_bytes(keys.E820_TABLE, e820.fw_cfg_table())
    fw_cfg.add_file(e820.FW_CFG_E820_FILE, e820.fw_cfg_file(pc.ram_below_4g, pc.ram_above_4g))
    if config.boot.splash_time is not None:
        fw_cfg.add_file("etc/boot-menu-wait", struct.pack("<H", config.boot.splash_time))
    fw_cfg.add_file("etc/boot-fail-wait", struct.pack("<i", config.boot.reboot_timeout))
    if config.acpi:
        for name, data in acpi.loader_files(_acpi_config(pc)).items():
            fw_cfg.add_file(name, data)
    for name, data in smbios.fw_cfg_files(_smbios_config(pc)).items():
        fw_cfg.add_file(name, data)


def _kernel(pc: Pc) -> list[str]:
    """``-kernel``; what is to be booted before all devices."""
    config, fw_cfg = pc.config, pc.fw_cfg
    if not config.kernel:
        if config.initrd:
            raise UserError("-initrd: only allowed with -kernel option")
        if config.append:
            raise UserError("-append: only allowed with -kernel option")
        return []
    image = load_kernel(config.kernel, pc.ram_below_4g, initrd=config.initrd or None, append=config.append)
    for key, data in image.fw_cfg.items():
        fw_cfg.add_bytes(key, data)
    fw_cfg.add_file(image.option_rom, image.option_rom_data())
    return [image.boot_order]
