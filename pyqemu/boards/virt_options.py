"""``-machine virt,PROPERTY=VALUE,...``."""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu.boards.config import MachineConfig
from pyqemu.util.errors import UserError
from pyqemu.util.options import parse_bool

# Understood because there is nothing to do: their subjects are KVM, the host's memory, or windows that nothing needs.
WITHOUT_EFFECT = ("kernel_irqchip", "kernel-irqchip", "mem-merge", "dump-guest-core", "graphics", "suppress-vmdesc",
                  "usb")  # fmt: skip
GIC_VERSIONS = {"2": 2, "3": 3, "max": 3}


@dataclass(frozen=True)
class VirtOptions:
    """What can be chosen of a board.

    :ivar virtualization: whether processors have EL2
    :ivar secure: whether they have EL3, and there is a secure world
    :ivar highmem: whether there is a window on PCI memory beyond 32 bits
    """

    gic_version: int = 2
    highmem: bool = True
    virtualization: bool = False
    secure: bool = False

    @staticmethod
    def of(config: MachineConfig) -> VirtOptions:
        """What was chosen.

        :raise UserError: there is no such property, or it cannot be so.
        """
        options = config.machine_options
        known = ("gic-version", "highmem", "secure", "virtualization", *WITHOUT_EFFECT)
        if strange := [key for key in options if key not in known]:
            raise UserError(f"Property '.{strange[0]}' not found", f"machine properties: {', '.join(sorted(known))}")
        version = GIC_VERSIONS.get(options.get("gic-version", "2"))
        if version is None:
            raise UserError(f"Invalid gic-version value '{options['gic-version']}'", "Valid values are 3, 2, max")
        highmem, virtualization, secure = (
            parse_bool(options.get(name, default), name)
            for name, default in (("highmem", "on"), ("virtualization", "off"), ("secure", "off"))
        )
        return VirtOptions(version, highmem, virtualization, secure)

    @property
    def psci_conduit(self) -> str:
        """The instruction that asks for firmware's part: the one that no hypervisor has."""
        return "smc" if self.virtualization else "hvc"
