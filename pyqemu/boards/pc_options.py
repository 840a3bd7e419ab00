"""``-machine pc,PROPERTY=VALUE,...``."""

from __future__ import annotations

from pyqemu.boards.config import MachineConfig
from pyqemu.util.errors import UserError
from pyqemu.util.options import parse_bool
from pyqemu.util.units import format_size, parse_size

# Understood because there is nothing to do: their subjects are KVM, the host's memory, or do not exist here.
WITHOUT_EFFECT = (
    "kernel_irqchip", "kernel-irqchip", "vmport", "mem-merge", "dump-guest-core", "graphics", "suppress-vmdesc", "smm",
)  # fmt: skip
ACTIVE = ("acpi", "hpet", "usb", "memory-backend")


def apply_options(config: MachineConfig) -> None:
    """Let the machine's properties have their effect on the rest of the configuration.

    :raise UserError: there is no such property, or it cannot be so.
    """
    options = config.machine_options
    if strange := [key for key in options if key not in (*WITHOUT_EFFECT, *ACTIVE)]:
        known = ", ".join(sorted((*WITHOUT_EFFECT, *ACTIVE)))
        raise UserError(f"Property '.{strange[0]}' not found", f"machine properties: {known}")
    config.acpi = config.acpi and parse_bool(options.get("acpi", "on"), "acpi")
    config.hpet = config.hpet and parse_bool(options.get("hpet", "on"), "hpet")
    if parse_bool(options.get("usb", "off"), "usb"):
        raise UserError("-machine usb=on: USB is not there yet", "usb=off")
    if "memory-backend" in options:
        _check_backend(config, options["memory-backend"])


def _check_backend(config: MachineConfig, name: str) -> None:
    """The machine's memory is as large as ``-m`` says, so the object that stands for it must be so, too."""
    for tree in config.objects:
        if tree["id"] == name and str(tree["qom-type"]).startswith("memory-backend-"):
            size = parse_size(str(tree.get("size", "0")), "size")
            if size != config.memory:
                raise UserError(
                    "Size specified by -m option must match size of explicitly specified 'memory-backend' property",
                    f"-m says {format_size(config.memory)}, '{name}' has {format_size(size)}",
                )
            return
    raise UserError(f"Memory backend '{name}' not found", f"-object memory-backend-ram,id={name},size=...")
