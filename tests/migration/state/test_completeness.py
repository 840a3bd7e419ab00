"""Nothing of a device is forgotten: every attribute is saved, or stands here with the reason why not."""

from __future__ import annotations

from pathlib import Path

from pyqemu.hw.core.bus import DeviceBus
from pyqemu.memory import AddressSpace, MemoryRegion, RamBlock
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.qom import Device
from pyqemu.qom.vmstate import Array, Tmp, VMState
from pyqemu.qom.vmstate.field import fetch
from pyqemu.system import Irq
from pyqemu.system.clock import Clock
from tests.migration.state.saved_rig import config, counter_rom, machine

WIRES = (Irq, Clock, MemoryRegion, AddressSpace, RamBlock, Device, DeviceBus)
"""What leads to others, which have a state of their own. Functions, too."""

# fmt: off
EVERYWHERE = {
    "a name or place in the tree": "qom_parent qom_name _children id realized hotplugged devfn name number children",
    "made once, from the configuration": (
        "wmask w1cmask bars _used_capabilities segments capabilities vram_size vram_words kind half master elcr_mask "
        "version bsp initial_id baudbase delay"
    ),
    "an option": "romfile multifunction chardev index iobase irq no_dma drive_a drive_b drive",
    "leads to others": (
        "cpu bus controller handler pages hpet irqs inputs rtc_clock system devices control_ports units keyboard mouse "
        "smbus channel dma _irqs window picture model clock trace"
    ),
    "follows from the rest after loading": "_intx intr level driven trigger_level",
}
WAIVED = {
    "GuestTime": {"it is 'ticks' and 'now'": "_base_ticks _base_time _numerator _denominator _expected"},
    "Apic": {"QEMU has no place for it; errors that the guest has not asked for": "esr_pending"},
    "FwCfgIo": {"what is offered, from the configuration": "_slots _items _files _by_key", "of the item": "_data"},
    "PciBus": {"follows from the devices": "_asserted _lines", "a setting": "first_free_slot hotplug has_messages"},
    "I8257": {
        "QEMU has no place for it": "status requests", "the devices ask anew": "dreq", "only during a call": "running",
    },
    "Vga": {"QEMU has no place for it": "pel_mask", "follows from vbe.regs": "dac_8bit"},
    "E1000": {
        "made once, when it is plugged": "mac_address mac_property netdev _readers _writers",
        "has no state besides registers": "receiver", "follows from a register": "client",
        "only during a load": "two_contexts_loaded",
    },
    "Hpet": {"it is 'hpet_counter'": "offset", "a limit of rate": "last_fired"},
    "Mc146818Rtc": {"up to when flags are known: now": "seen seen_period"},
    "I8254": {
        "armed anew": "timer", "it is 'next_transition_time'": "due", "edges to make up for are given up": "missed",
    },
    "Counter": {
        "taken over before saving": "next_count next_count_time",
        "QEMU has no place for it": "triggered null_count stopped_at",
    },
    "IsaFdc": {
        "executed before saving": "_action", "the drive that 'dor' selects": "current",
        "follows from position, head and FIFO": "transfer", "the first byte in the FIFO": "command",
    },
    "FloppyDrive": {"follows from the medium": "format"},
    "Ps2Keyboard": {
        "it is in 'saved'": "queue", "the host's side": "held", "only for RESEND": "last",
        "the host repeats": "typematic", "it is 'need_high_bit'": "_translator",
    },
    "Ps2Mouse": {"it is in 'saved'": "queue", "only for RESEND": "last", "it is 'detect_state'": "rates"},
    "Pckbd": {"in the queues of keyboard and mouse": "replies data"},
    "BusMasterIde": {"of a transfer; it ends before saving": "_next _end _segments _available"},
    "IdeBus": {"it is 'unit'": "selected", "a command whose engine is not started; QEMU loses it, too": "_dma_request"},
    "Unit": {"executed before saving": "timer _pending", "retried when the machine goes on": "_stopped"},
    "PmSmbus": {
        "QEMU saves the host controller in newer machine types only":
            "status control command address data0 data1 block index",
    },
}
# fmt: on


def collect(device: object, layout: VMState, found: dict[int, tuple[object, set[str]]]) -> None:
    """What is saved of a device and of its parts."""
    saved = found.setdefault(id(device), (device, set()))[1]
    for each in layout.fields:
        saved.update(each.attributes)
        inner = getattr(each, "layout", None)
        if not isinstance(inner, VMState) or isinstance(each, Tmp):
            continue
        part = fetch(device, each.name)
        collect(part[0] if isinstance(each, Array) else part, inner, found)
    for part in layout.subsections:
        collect(device, part, found)


def waived(kind: str) -> set[str]:
    reasons = {**EVERYWHERE, **WAIVED.get(kind, {})}
    return {name for names in reasons.values() for name in names.split()}


def test_every_attribute_is_saved_or_waived(tmp_path: Path) -> None:
    found: dict[int, tuple[object, set[str]]] = {}
    forgotten = []
    with machine(config(counter_rom(tmp_path), vga="std", defaults=True, parallels=["null"])) as made:
        for state in made.system.part(SavedMachine).states:
            if not type(state.device).__module__.startswith("pyqemu.targets"):  # these are views of the processor
                collect(state.device, state.layout, found)
        for device, saved in found.values():
            kind = type(device).__name__
            known = saved | waived(kind)
            forgotten += [
                f"{kind}.{name}"
                for name, value in vars(device).items()
                if name not in known and not isinstance(value, WIRES) and not callable(value)
            ]
    assert not forgotten
    assert len(found) > 30
