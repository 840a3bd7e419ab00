"""The state of QEMU's ``kvmvapic``, which speeds up the task priority register of 32-bit guests under KVM.

Here it is only kept, and goes on with the machine.
"""

from __future__ import annotations

from pyqemu.qom.vmstate import U32, Array, Struct, Unused, VMState


class Handlers:
    """Addresses of routines that a guest's instructions are patched to call."""

    vmstate = VMState(
        "kvmvapic-handlers",
        version=1,
        fields=(U32("set_tpr"), U32("set_tpr_eax"), Array("get_tpr", U32, 8), U32("get_tpr_stack")),
    )

    def __init__(self) -> None:
        self.set_tpr = self.set_tpr_eax = self.get_tpr_stack = 0
        self.get_tpr = [0] * 8


class RomState:
    """What its option ROM told."""

    vmstate = VMState(
        "kvmvapic-guest-rom",
        version=1,
        fields=(
            Unused(8), U32("vaddr"), U32("fixup_start"), U32("fixup_end"), U32("vapic_vaddr"), U32("vapic_size"),
            U32("vcpu_shift"), U32("real_tpr_addr"), Struct("up", Handlers.vmstate), Struct("mp", Handlers.vmstate),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        self.vaddr = self.fixup_start = self.fixup_end = self.vapic_vaddr = self.vapic_size = 0
        self.vcpu_shift = self.real_tpr_addr = 0
        self.up, self.mp = Handlers(), Handlers()


class Vapic:
    """The device."""

    vmstate = VMState(
        "kvm-tpr-opt",
        version=1,
        fields=(
            Struct("rom_state", RomState.vmstate), U32("state"), U32("real_tpr_addr"), U32("rom_state_vaddr"),
            U32("vapic_paddr"), U32("rom_state_paddr"),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Inactive."""
        self.rom_state = RomState()
        self.state = self.real_tpr_addr = self.rom_state_vaddr = self.vapic_paddr = self.rom_state_paddr = 0
