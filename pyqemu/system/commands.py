"""Commands about the machine as a whole: its state, and what it is."""

from __future__ import annotations

from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated import types as schema
from pyqemu.qapi.generated.types import (
    ACPIOSTInfo,
    BalloonInfo,
    CommandLineOptionInfo,
    CpuDefinitionInfo,
    CpuInfo,
    CpuInfoFast,
    CpuInstanceProperties,
    CpuModelExpansionInfo,
    CpuModelExpansionType,
    CpuModelInfo,
    CurrentMachineParams,
    GuidInfo,
    HostMemPolicy,
    HotpluggableCPU,
    IOThreadInfo,
    KvmInfo,
    MachineInfo,
    Memdev,
    MemoryDeviceInfo,
    MemoryInfo,
    NameInfo,
    NumaOptions,
    PanicAction,
    RebootAction,
    ShutdownAction,
    StatusInfo,
    SysEmuTarget,
    TargetInfo,
    TPMInfo,
    TpmModel,
    TpmType,
    UuidInfo,
    VncInfo,
    VncInfo2,
    WatchdogExpirationAction,
)
from pyqemu.qom.memory_backend import MemoryBackendRam
from pyqemu.qom.tree import Container
from pyqemu.system.balloon import Balloons
from pyqemu.system.dump.job import dump_active
from pyqemu.system.inspection import CpuView, Identity, Inspection
from pyqemu.system.machine import CpuModels, CpuPlace, MachineFacts
from pyqemu.system.memory_dump import save_physical, save_virtual
from pyqemu.system.option_groups import option_infos
from pyqemu.system.runstate import RunState, ShutdownCause, System

# --- run state --------------------------------------------------------------------------------------------------------


@command("stop")
def stop(system: System) -> None:
    """Stop the guest."""
    if system.state is RunState.INMIGRATE:
        system.autostart = False
    system.stop()


@command("cont")
def cont(system: System) -> None:
    """Let the guest run, if its state allows that."""
    start(system)


def start(system: System) -> None:
    """What ``cont`` does.

    :raise QapiError: the guest can't run before something else happens.
    """
    if dump_active(system):
        raise QapiError("There is a dump in process, please wait.")
    match system.state:
        case RunState.INTERNAL_ERROR | RunState.SHUTDOWN:
            raise QapiError("Resetting the Virtual Machine is required")
        case RunState.SUSPENDED | RunState.FINISH_MIGRATE:
            return
        case RunState.INMIGRATE:
            system.autostart = True
            return
    system.start()


@command("quit")
def quit(system: System) -> None:
    """End the program."""
    system.request_exit(0, ShutdownCause.HOST_QMP_QUIT)


@command("system_reset")
def system_reset(system: System) -> None:
    """Reset the machine."""
    system.request_reset(ShutdownCause.HOST_QMP_SYSTEM_RESET)


@command("system_powerdown")
def system_powerdown(system: System) -> None:
    """Press the power button."""
    system.request_powerdown()


@command("system_wakeup")
def system_wakeup(system: System) -> None:
    """Wake a guest that sleeps."""
    if not system.part(MachineFacts).can_wake:
        raise QapiError("wake-up from suspend is not supported by this guest")
    if system.state is not RunState.SUSPENDED:
        raise QapiError("Unable to wake up: guest is not in suspended state")
    system.request_wakeup()


@command("inject-nmi")
def inject_nmi(system: System) -> None:
    """Raise the non-maskable interrupt of all processors."""
    inject = system.part(MachineFacts).inject_nmi
    if inject is None:
        raise QapiError("this machine has no non-maskable interrupt")
    inject()


@command("query-status")
def query_status(system: System) -> StatusInfo:
    """Whether the guest runs, and if not, why."""
    return StatusInfo(running=system.running, singlestep=False, status=schema.RunState(system.state.value))


@command("set-action")
def set_action(
    system: System, *, reboot: RebootAction | None = None, shutdown: ShutdownAction | None = None,
    panic: PanicAction | None = None, watchdog: WatchdogExpirationAction | None = None,
) -> None:  # fmt: skip
    """What happens at certain events of the guest."""
    if reboot is not None:
        system.no_reboot = reboot is RebootAction.SHUTDOWN
    if shutdown is not None:
        system.no_shutdown = shutdown is ShutdownAction.PAUSE
    if panic is not None:
        system.panic_action = panic.value
    if watchdog is not None:
        system.watchdog_action = watchdog.value


@command("watchdog-set-action")
def watchdog_set_action(system: System, *, action: WatchdogExpirationAction) -> None:
    """What a watchdog's bite leads to."""
    system.watchdog_action = action.value


# --- identity ---------------------------------------------------------------------------------------------------------


@command("query-name")
def query_name(system: System) -> NameInfo:
    """``-name``."""
    return NameInfo(name=system.part(Identity).name or None)


@command("query-uuid")
def query_uuid(system: System) -> UuidInfo:
    """``-uuid``."""
    return UuidInfo(UUID=str(system.part(Identity).uuid))


@command("query-target")
def query_target(system: System) -> TargetInfo:
    """The architecture."""
    return TargetInfo(arch=system.part(MachineFacts).target)


@command("query-kvm")
def query_kvm(system: object) -> KvmInfo:
    """There is no KVM here."""
    return KvmInfo(enabled=False, present=False)


@command("query-machines")
def query_machines(system: System) -> list[MachineInfo]:
    """The types of machines that there are."""
    return system.part(MachineFacts).machines()


@command("query-current-machine")
def query_current_machine(system: System) -> CurrentMachineParams:
    """What this machine can do."""
    return CurrentMachineParams(wakeup_suspend_support=system.part(MachineFacts).can_wake)


@command("query-command-line-options")
def query_command_line_options(system: object, *, option: str | None = None) -> list[CommandLineOptionInfo]:
    """What the command line takes."""
    found = option_infos(option)
    if option is not None and not found:
        raise QapiError(f"invalid option name: {option}")
    return found


# --- processors -------------------------------------------------------------------------------------------------------

# How the architectures that `query-cpus` knows call the program counter.
_PC_NAMES = {"x86": "pc", "ppc": "nip", "mips": "PC", "tricore": "PC"}


def _cpus(system: System) -> list[tuple[CpuView, CpuPlace]]:
    places = [place for place in system.part(MachineFacts).cpu_places if place.qom_path]
    return list(zip(system.part(Inspection).cpus, places, strict=True))


@command("query-cpus")
def query_cpus(system: System) -> list[CpuInfo]:
    """The processors and where they are. The guest is stopped for a moment."""
    target = system.part(MachineFacts).target
    arch = "x86" if target in ("i386", "x86_64") else target if target in _PC_NAMES else "other"
    branch = getattr(schema, f"CpuInfo_{arch}")
    with system.parked():
        return [
            branch(
                CPU=cpu.index, current=cpu.index == 0, halted=cpu.halted, qom_path=place.qom_path,
                thread_id=cpu.thread_id, **({_PC_NAMES[arch]: cpu.program_counter} if arch in _PC_NAMES else {}),
            )
            for cpu, place in _cpus(system)
        ]  # fmt: skip


def _instance(place: CpuPlace) -> CpuInstanceProperties:
    return CpuInstanceProperties(socket_id=place.socket, core_id=place.core, thread_id=place.thread)


@command("query-cpus-fast")
def query_cpus_fast(system: System) -> list[CpuInfoFast]:
    """The processors, as far as the guest need not be stopped for it."""
    target = SysEmuTarget(system.part(MachineFacts).target)
    branch = getattr(schema, f"CpuInfoFast_{target.value}")
    return [
        branch(cpu_index=cpu.index, qom_path=place.qom_path, thread_id=cpu.thread_id, props=_instance(place))
        for cpu, place in _cpus(system)
    ]


@command("query-hotpluggable-cpus")
def query_hotpluggable_cpus(system: System) -> list[HotpluggableCPU]:
    """The places for processors, and what is in them."""
    return [
        HotpluggableCPU(
            type=place.type_name, vcpus_count=1, props=_instance(place), qom_path=place.qom_path or None
        )
        for place in reversed(system.part(MachineFacts).cpu_places)
    ]  # fmt: skip


@command("cpu")
def cpu(system: System, *, index: int) -> None:
    """Nothing: commands that are about one processor say which."""


@command("query-cpu-definitions")
def query_cpu_definitions(system: System) -> list[CpuDefinitionInfo]:
    """The processor models."""
    return system.part(CpuModels).definitions()


@command("query-cpu-model-expansion")
def query_cpu_model_expansion(
    system: System, *, type: CpuModelExpansionType, model: CpuModelInfo
) -> CpuModelExpansionInfo:
    """All that a model says about the processor."""
    return CpuModelExpansionInfo(model=system.part(CpuModels).expand(type, model))


# --- memory -----------------------------------------------------------------------------------------------------------


def _save_arguments(address: int, size: int) -> None:
    for name, value in (("val", address), ("size", size)):
        if value < 0:
            raise QapiError(f"Parameter '{name}' expects a number that is not negative")


@command("memsave")
def memsave(system: System, *, val: int, size: int, filename: str, cpu_index: int | None = None) -> None:
    """Write guest-virtual memory to a file."""
    _save_arguments(val, size)
    cpus = system.part(Inspection).cpus
    found = next((cpu for cpu in cpus if cpu.index == (cpu_index or 0)), None)
    if found is None:
        raise QapiError("Parameter 'cpu-index' expects a CPU number")
    with system.parked():
        save_virtual(found, val, size, filename)


@command("pmemsave")
def pmemsave(system: System, *, val: int, size: int, filename: str) -> None:
    """Write guest-physical memory to a file."""
    _save_arguments(val, size)
    with system.parked():
        save_physical(system.part(Inspection).cpus[0].memory, val, size, filename)


@command("query-memory-size-summary")
def query_memory_size_summary(system: System) -> MemoryInfo:
    """How much RAM there is. None can be plugged."""
    return MemoryInfo(base_memory=system.part(MachineFacts).memory, plugged_memory=0)


@command("query-memdev")
def query_memdev(system: System) -> list[Memdev]:
    """The memory that was made as objects."""
    objects = system.part(Container).container("objects")
    return [_memdev(name, made) for name, made in objects.qom_children.items() if isinstance(made, MemoryBackendRam)]


def _memdev(name: str, made: MemoryBackendRam) -> Memdev:
    return Memdev(
        id=name, size=made.size, merge=made.merge, dump=made.dump, prealloc=made.prealloc, share=made.share,
        reserve=True, host_nodes=[], policy=HostMemPolicy(made.policy),
    )  # fmt: skip


@command("query-memory-devices")
def query_memory_devices(system: System) -> list[MemoryDeviceInfo]:
    """No RAM can be plugged."""
    return []


@command("query-acpi-ospm-status")
def query_acpi_ospm_status(system: System) -> list[ACPIOSTInfo]:
    """No RAM or processor can be plugged, so the guest has said nothing about any."""
    return []


@command("query-balloon")
def query_balloon(system: System) -> BalloonInfo:
    """How much memory the guest makes do with.

    :raise QapiError: DeviceNotActive: there is no balloon.
    """
    return BalloonInfo(actual=Balloons.of(system).active().remaining())


@command("balloon")
def balloon(system: System, *, value: int) -> None:
    """Ask the guest to make do with so many bytes.

    :raise QapiError: DeviceNotActive: there is no balloon.
    """
    found = Balloons.of(system).active()
    if value <= 0:
        raise QapiError("Parameter 'target' expects a size")
    found.set_target(value)


# --- what there is none of --------------------------------------------------------------------------------------------


@command("query-iothreads")
def query_iothreads(system: System) -> list[IOThreadInfo]:
    """All devices are served by the main loop."""
    return []


@command("query-tpm")
def query_tpm(system: System) -> list[TPMInfo]:
    """There is no TPM."""
    return []


@command("query-tpm-models")
def query_tpm_models(system: System) -> list[TpmModel]:
    """There is no TPM."""
    return []


@command("query-tpm-types")
def query_tpm_types(system: System) -> list[TpmType]:
    """There is no TPM."""
    return []


@command("query-vnc")
def query_vnc(system: System) -> VncInfo:
    """There is no VNC server."""
    return VncInfo(enabled=False)


@command("query-vnc-servers")
def query_vnc_servers(system: System) -> list[VncInfo2]:
    """There is no VNC server."""
    return []


@command("query-vm-generation-id")
def query_vm_generation_id(system: System) -> GuidInfo:
    """There is no such device."""
    raise QapiError("VM Generation ID device not found")


@command("rtc-reset-reinjection")
def rtc_reset_reinjection(system: System) -> None:
    """Nothing: the clock never makes up for lost ticks, so there is no backlog to forget."""


@command("set-numa-node")
def set_numa_node(system: System, *, arguments: NumaOptions) -> None:
    """The machine is made before clients can say anything."""
    raise QapiError("The command is permitted only before the machine has been created")


@command("x-exit-preconfig")
def x_exit_preconfig(system: System) -> None:
    """The machine is made before clients can say anything."""
    raise QapiError("The command is permitted only before machine initialization")
