"""The machine as a whole: memory, what it is made of, and what it has none of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.system import commands
from pyqemu.util.units import MIB

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


def _bool(value: bool) -> str:
    return "true" if value else "false"


@hmp_command("kvm", "", "whether the kernel's virtual machines are used", is_info=True)
def info_kvm(hmp: Hmp) -> None:
    kvm = hmp.call(commands.query_kvm)
    state = "enabled" if kvm.enabled else "disabled"
    hmp.print(f"kvm support: {state if kvm.present else 'not compiled'}")


@hmp_command("hotpluggable-cpus", "", "the places for processors", is_info=True)
def info_hotpluggable_cpus(hmp: Hmp) -> None:
    hmp.print("Hotpluggable CPUs:")
    for cpu in hmp.call(commands.query_hotpluggable_cpus):
        hmp.print(f'  type: "{cpu.type}"\n  vcpus_count: "{cpu.vcpus_count}"')
        if cpu.qom_path is not None:
            hmp.print(f'  qom_path: "{cpu.qom_path}"')
        hmp.print("  CPUInstance Properties:")
        place = cpu.props
        for name, value in (
            ("node-id", place.node_id), ("socket-id", place.socket_id), ("core-id", place.core_id),
            ("thread-id", place.thread_id),
        ):  # fmt: skip
            if value is not None:
                hmp.print(f'    {name}: "{value}"')


# --- memory -----------------------------------------------------------------------------------------------------------


@hmp_command("balloon", "value:M", "ask the guest to make do with so many megabytes", parameters="target")
def balloon(hmp: Hmp, *, value: int) -> None:
    hmp.call(commands.balloon, value=value)


@hmp_command("balloon", "", "how much memory the guest makes do with", is_info=True)
def info_balloon(hmp: Hmp) -> None:
    hmp.print(f"balloon: actual={hmp.call(commands.query_balloon).actual // MIB}")


@hmp_command("numa", "", "the NUMA nodes", is_info=True)
def info_numa(hmp: Hmp) -> None:
    hmp.print("0 nodes")


@hmp_command("memory_size_summary", "", "how much memory there is", is_info=True)
def info_memory_size_summary(hmp: Hmp) -> None:
    memory = hmp.call(commands.query_memory_size_summary)
    hmp.print(f"base memory: {memory.base_memory}")
    if memory.plugged_memory is not None:
        hmp.print(f"plugged memory: {memory.plugged_memory}")


@hmp_command("memdev", "", "the memory that was made as objects", is_info=True)
def info_memdev(hmp: Hmp) -> None:
    for memdev in hmp.call(commands.query_memdev):
        hmp.print(f"memory backend: {memdev.id}")
        hmp.print(f"  size:  {memdev.size}")
        hmp.print(f"  merge: {_bool(memdev.merge)}")
        hmp.print(f"  dump: {_bool(memdev.dump)}")
        hmp.print(f"  prealloc: {_bool(memdev.prealloc)}")
        hmp.print(f"  policy: {memdev.policy.value}")
        hmp.print(f"  host nodes: {' '.join(map(str, memdev.host_nodes))}")
    hmp.print()


@hmp_command("memory-devices", "", "the memory that was plugged in", is_info=True)
def info_memory_devices(hmp: Hmp) -> None:
    for number, device in enumerate(hmp.call(commands.query_memory_devices)):
        hmp.print(f"Memory device [{device.type.value}]: {number}")


# --- what it may have -------------------------------------------------------------------------------------------------


@hmp_command("iothreads", "", "the threads that serve devices", is_info=True)
def info_iothreads(hmp: Hmp) -> None:
    for thread in hmp.call(commands.query_iothreads):
        hmp.print(f"{thread.id}: thread_id={thread.thread_id}")


@hmp_command("tpm", "", "the TPM devices", is_info=True)
def info_tpm(hmp: Hmp) -> None:
    found = hmp.call(commands.query_tpm)
    if found:
        hmp.print("TPM device:")
    for number, tpm in enumerate(found):
        hmp.print(f" tpm{number}: model={tpm.model.value}\n  \\ {tpm.id}: type={tpm.options.type.value}")


@hmp_command("vnc", "", "the VNC server and its clients", is_info=True)
def info_vnc(hmp: Hmp) -> None:
    if not hmp.call(commands.query_vnc).enabled:
        hmp.print("Server: disabled")


@hmp_command("spice", "", "the SPICE server and its clients", is_info=True)
def info_spice(hmp: Hmp) -> None:
    hmp.print("Server: disabled")


@hmp_command("vm-generation-id", "", "the identifier of this copy of the machine", is_info=True)
def info_vm_generation_id(hmp: Hmp) -> None:
    hmp.print(hmp.call(commands.query_vm_generation_id).guid)


@hmp_command("usb", "", "the guest's USB devices", is_info=True)
def info_usb(hmp: Hmp) -> None:
    hmp.print("USB support not enabled")


@hmp_command("usbhost", "", "the host's USB devices", is_info=True)
def info_usbhost(hmp: Hmp) -> None:
    hmp.print("USB host devices not supported")


@hmp_command("profile", "", "where the time goes", is_info=True)
def info_profile(hmp: Hmp) -> None:
    hmp.print("Internal profiler not compiled")


@hmp_command("opcount", "", "how often the translator made which operation", is_info=True)
def info_opcount(hmp: Hmp) -> None:
    hmp.print("[TCG profiler not compiled]")


@hmp_command("snapshots", "", "the machine's saved states", is_info=True)
def info_snapshots(hmp: Hmp) -> None:
    hmp.print("No available block device supports snapshots")
