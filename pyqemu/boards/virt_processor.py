"""The processors that a ``virt`` board may have, in both sizes: how they are made, and whom they ask for firmware.

A processor of 32 bits answers under both names of the architecture, ``arm`` and ``aarch64``; one of 64 bits only under
the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu.boards import virt_map as at
from pyqemu.boards.config import MachineConfig
from pyqemu.boards.virt_options import VirtOptions
from pyqemu.targets.aarch64 import models as models64
from pyqemu.targets.aarch64.layout import EC_HVC64, EC_SMC64
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.targets.arm import models as models32
from pyqemu.targets.arm.modes import HYP
from pyqemu.targets.arm.psci import SMC64, Psci
from pyqemu.targets.arm.state import ArmCpu
from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import Registers32

DEFAULT_CPU = {"arm": "cortex-a15", "aarch64": "cortex-a57"}
COMPATIBLE_32 = {"cortex-a7": "arm,cortex-a7", "cortex-a15": "arm,cortex-a15", "max": "arm,cortex-a15"}
COMPATIBLE_64 = {"cortex-a57": "arm,cortex-a57", "cortex-a53": "arm,cortex-a53", "max": "arm,armv8"}
NOT_SUPPORTED = -1

Processor = ArmCpu | Aarch64Cpu


def make_processor(config: MachineConfig, options: VirtOptions, **collaborators: Any) -> Processor:
    """Make what ``-cpu`` asks for, with the exception levels that the board is to have.

    :raise UserError: there is no such processor, or not on this board.
    """
    text = config.cpu or DEFAULT_CPU.get(config.architecture or "aarch64", DEFAULT_CPU["aarch64"])
    name = text.partition(",")[0]
    if config.architecture == "arm" or name in models32.MODELS.keys() - models64.MODELS.keys():
        model = models32.cpu_model(text)
        if model.name not in COMPATIBLE_32:
            known = COMPATIBLE_32 if config.architecture == "arm" else {**COMPATIBLE_32, **COMPATIBLE_64}
            raise UserError(f"machine 'virt': CPU {name} not supported", f"one of {', '.join(sorted(known))}")
        for level in ("secure", "virtualization"):
            if getattr(options, level):
                raise UserError(f"{level}=on: not with {name}, which has 32 bits", f"{level}=off, or -cpu cortex-a57")
        cpu = ArmCpu(model, **collaborators)
        cpu.cbar = at.GIC_DISTRIBUTOR.base
        return cpu
    return Aarch64Cpu(models64.cpu_model(text), has_el2=options.virtualization, has_el3=options.secure, **collaborators)


def compatible(cpu: Processor) -> str:
    """What a device tree calls a processor."""
    return (COMPATIBLE_32 if isinstance(cpu, ArmCpu) else COMPATIBLE_64)[cpu.model.name]


def architecture(config: MachineConfig, cpu: Processor) -> str:
    """What the machine is called: as it was asked for, or as its processor is."""
    return config.architecture or ("arm" if isinstance(cpu, ArmCpu) else "aarch64")


def ask_firmware(psci: Psci, cpu: Processor, exception_class: int, options: VirtOptions) -> bool:
    """HVC and SMC: firmware's part, which is PSCI. What is unknown is answered as such (DEN 0028, 5.2).

    Where exception levels are there that would take one of them, it is theirs.
    """
    if (options.virtualization and exception_class == EC_HVC64) or (options.secure and exception_class == EC_SMC64
                                                                    and options.psci_conduit != "smc"):  # fmt: skip
        return False
    registers: Registers32 | Any
    if isinstance(cpu, ArmCpu):
        registers = cpu.r
        arguments = registers[1], registers[2], registers[3]
        level = 2 if cpu.cpu_mode == HYP else 1
        answer = None if registers[0] & SMC64 else psci.call(cpu, registers[0], arguments, level=level)
    else:
        registers = cpu.x
        arguments = registers[1], registers[2], registers[3]
        function, level = registers[0] & 0xFFFFFFFF, 2 if cpu.has_el2 else 1
        answer = None if cpu.is_aarch32 and function & SMC64 else psci.call(cpu, function, arguments, level=level,
                                                                            alignment=4)  # fmt: skip
    registers[0] = NOT_SUPPORTED if answer is None else answer
    return True
