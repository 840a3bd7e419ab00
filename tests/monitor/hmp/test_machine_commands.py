"""What commands answer on a paused pc: the lines that people and scripts know from QEMU."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pyqemu.api import Machine, MachineConfig
from pyqemu.block import DriveOptions, DriveTable
from pyqemu.monitor import handlers
from pyqemu.monitor.hmp.commands.blocks import human_size
from pyqemu.monitor.hmp.completion import complete
from pyqemu.monitor.hmp.dispatch import Hmp
from pyqemu.qapi.errors import QapiError
from pyqemu.ui.pointer import Pointer

KIB, MIB = 1 << 10, 1 << 20


class Monitor:
    """A paused pc with one disk, and somebody at its monitor."""

    def __init__(self, image: Path, **config: Any) -> None:
        handlers.load()
        image.write_bytes(bytes(MIB))
        disk = DriveOptions.parse(f"file={image},format=raw,id=disk0,if=ide")
        given: dict[str, Any] = {"memory": 16 * MIB, "paused": True, "serials": ["null"], "drives": [disk]}
        self.machine = Machine(MachineConfig(**given | config))
        self.machine.start()
        self.system = self.machine.system
        self.output: list[str] = []
        self.hmp = Hmp(self.system, self.output.append)

    def do(self, line: str) -> str:
        self.output.clear()
        self.machine.loop.run_until_complete(self.hmp.execute(line))
        return "".join(self.output)

    def found(self, text: str) -> list[str]:
        """What Tab offers."""
        return complete(self.hmp, text)[1]

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.machine.close()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return tmp_path / "disk.img"


@pytest.fixture
def monitor(image: Path) -> Iterator[Monitor]:
    with Monitor(image) as monitor:
        yield monitor


# --- drives -----------------------------------------------------------------------------------------------------------


def test_info_block(monitor: Monitor, image: Path) -> None:
    disk = f"disk0 (#block001): {image} (raw)\n    Cache mode:       writeback\n"
    floppy = "floppy0: [not inserted]\n    Removable device: not locked, tray closed\n"
    cdrom = "ide1-cd0: [not inserted]\n    Removable device: not locked, tray closed\n"
    assert monitor.do("info block") == f"{disk}\n{floppy}\n{cdrom}"
    assert monitor.do("info block ide1-cd0") == cdrom
    assert monitor.do("info block nosuch") == ""
    images = "\nImages:\nimage: {}\nfile format: {}\nvirtual size: 1.0M (1048576 bytes)\ndisk size: "
    assert images.format(image, "raw") in monitor.do("info block -v disk0")
    nodes = monitor.do("info block -n")
    assert nodes == (
        f"#block001: {image} (raw)\n    Cache mode:       writeback\n\n"
        f"#block002: {image} (file)\n    Cache mode:       writeback\n"
    )
    assert monitor.do("info block #block002") == nodes.split("\n\n")[1]
    assert images.format(image, "file") in monitor.do("info block -n -v")


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0"), (999, "999"), (1000, "1.0K"), (1536, "1.5K"), (10 * KIB - 1, "10.0K"), (10 * KIB, "10K"),
        (196 * KIB, "196K"), (1000 * KIB, "1.0M"), (MIB, "1.0M"), (10 << 30, "10G"), (5 << 40, "5.0T"),
        (2000 << 40, "2000T"),
    ],
)  # fmt: skip
def test_sizes_for_people(size: int, shown: str) -> None:
    assert human_size(size) == shown


def test_changing_media(monitor: Monitor, tmp_path: Path) -> None:
    disc = tmp_path / "disc.iso"
    disc.write_bytes(bytes(4096))
    assert monitor.do(f"change ide1-cd0 {disc} raw") == ""
    assert f"ide1-cd0 (#block003): {disc} (raw, read-only)\n" in monitor.do("info block ide1-cd0")
    assert monitor.do(f"change ide1-cd0 {disc} raw retain") == ""
    assert monitor.do(f"change ide1-cd0 {disc} raw maybe") == "invalid parameter value: maybe\n"
    assert monitor.do("eject ide1-cd0") == ""
    assert "Removable device: not locked, tray open\n" in monitor.do("info block ide1-cd0")
    assert monitor.do("eject disk0") == "Device 'disk0' is not removable\n"
    assert monitor.do("eject nosuch") == "Device 'nosuch' not found\n"
    assert monitor.do("change vnc password") == "there is no VNC server\n"


def test_resizing(monitor: Monitor, image: Path) -> None:
    assert monitor.do("block_resize disk0 2") == ""  # MiB, unless said otherwise
    assert image.stat().st_size == 2 * MIB
    assert monitor.do("block_resize nosuch 2M") == "Cannot find device='nosuch' nor node-name=''\n"


def test_drives_for_devices_to_come(monitor: Monitor, tmp_path: Path) -> None:
    other = tmp_path / "other.img"
    other.write_bytes(bytes(MIB))
    assert monitor.do(f"drive_add 0 if=none,id=more,file={other},format=raw") == "OK\n"
    assert monitor.do("info block more").startswith(f"more (#block003): {other} (raw)\n")
    assert monitor.do("drive_del more") == ""
    assert monitor.do("drive_del more") == "Device 'more' not found\n"
    assert monitor.do(f"drive_add 0 file={other}") == "Can't hot-add drive to type 1\n"
    assert monitor.do(f"drive_add -n 0 driver=raw,node-name=top,file.driver=file,file.filename={other}") == ""
    assert monitor.do("info block top").startswith(f"top: {other} (raw)\n")
    assert monitor.do("drive_del top") == "Deleting device added with blockdev-add is not supported\n"
    assert monitor.do("drive_add -n 0 raw,file=x,file.driver=file") == "Parameters 'file.*' used inconsistently\n"


def test_deleting_the_drive_of_a_device(monitor: Monitor, image: Path) -> None:
    """The device stays and finds no medium; the image is free for others."""
    drive = monitor.system.part(DriveTable).find("disk0")
    assert drive is not None
    assert monitor.do("drive_del disk0") == ""
    assert "disk0" not in monitor.do("info block")
    assert drive.node is None
    assert monitor.do(f"drive_add 0 if=none,id=disk0,file={image},format=raw") == "OK\n"


def test_statistics_and_jobs(monitor: Monitor) -> None:
    zeroes = (
        "rd_bytes=0 wr_bytes=0 rd_operations=0 wr_operations=0 flush_operations=0 wr_total_time_ns=0 "
        "rd_total_time_ns=0 flush_total_time_ns=0 rd_merged=0 wr_merged=0 idle_time_ns=0"
    )
    assert monitor.do("info blockstats").splitlines()[1:] == [f"floppy0: {zeroes}", f"ide1-cd0: {zeroes}"]
    assert monitor.do("info block-jobs") == "No active jobs\n"
    assert monitor.do("info snapshots") == "No available block device supports snapshots\n"


# --- character devices ------------------------------------------------------------------------------------------------


def test_ring_buffers(monitor: Monitor) -> None:
    assert monitor.do("chardev-add ringbuf,id=ring,size=64") == ""
    assert monitor.do('ringbuf_write ring "a\\nb\\\\c"') == ""
    assert monitor.do("ringbuf_read ring 100") == "a\nb\\\\c\n"
    monitor.do("ringbuf_write ring \x01\x7fx")
    assert monitor.do("ringbuf_read ring 100") == "\\u0001\\u007Fx\n"
    assert monitor.do("ringbuf_read ring 100") == "\n"
    assert monitor.do("ringbuf_read serial0 1") == "serial0 is not a ringbuf device\n"
    assert monitor.do("ringbuf_read nosuch 1") == "Device 'nosuch' not found\n"
    assert "ring: filename=ringbuf\n" in monitor.do("info chardev")
    assert monitor.found("ringbuf_read r") == ["ring"]
    assert monitor.found("chardev-remove r") == ["ring"]
    assert monitor.do("chardev-remove ring") == ""
    assert monitor.do("chardev-remove ring") == "Chardev 'ring' not found\n"
    assert monitor.do("chardev-remove serial0") == "Chardev 'serial0' is busy\n"


def test_chardev_options_are_those_of_the_command_line(monitor: Monitor) -> None:
    assert monitor.do("chardev-add null").splitlines()[0] == "chardev: no id specified"
    assert monitor.do("chardev-add foo,id=x").splitlines()[0] == "'foo' is not a valid char driver name"
    assert monitor.do("chardev-send-break serial0") == ""
    assert monitor.found("chardev-send-break se") == ["serial0"]
    assert monitor.found("chardev-add nul") == ["null,id="]
    monitor.do("chardev-add null,id=x")
    assert monitor.do("chardev-add null,id=x") == "Duplicate ID 'x' for chardev\n"


def test_server_waits_for_its_client_and_not_the_machine(monitor: Monitor, tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def main() -> None:
        adding = asyncio.ensure_future(monitor.hmp.execute(f"chardev-add socket,id=s,path={path},server=on"))
        peer = socket.socket(socket.AF_UNIX)
        while peer.connect_ex(str(path)):  # the name is there a moment before anybody listens
            assert not adding.done()
            await asyncio.sleep(0.01)
        await asyncio.wait_for(adding, 60)
        peer.close()

    monitor.machine.loop.run_until_complete(main())
    assert monitor.do(f"chardev-add socket,id=t,path={path}2,server,nowait") == ""


def test_descriptors_come_with_a_line_or_not_at_all(monitor: Monitor) -> None:
    assert monitor.do("getfd a") == "No file descriptor supplied via SCM_RIGHTS\n"
    assert monitor.do("closefd a") == "File descriptor named 'a' not found\n"


# --- screen and mouse -------------------------------------------------------------------------------------------------


def test_screendump(monitor: Monitor, tmp_path: Path) -> None:
    path = tmp_path / "screen.ppm"
    assert monitor.do(f"screendump {path}") == ""
    assert path.read_bytes().startswith(b"P6\n")
    assert monitor.do("screendump /nowhere/x") == "failed to open file '/nowhere/x': No such file or directory\n"


class RecordedMouse:
    def __init__(self) -> None:
        self.log: list[tuple[int, ...]] = []

    def move(self, dx: int, dy: int, dz: int = 0) -> None:
        self.log.append((dx, dy, dz))

    def press(self, buttons: int) -> None:
        self.log.append((buttons,))


def test_mouse(monitor: Monitor) -> None:
    assert monitor.do("info mice") == "* Mouse #2: QEMU PS/2 Mouse\n"
    assert monitor.do("mouse_set 2") == ""
    assert monitor.do("mouse_set 1") == "Mouse at given index not found\n"
    assert monitor.found("mouse_set ") == ["2"]
    mouse = RecordedMouse()
    monitor.system.add_part(Pointer(mouse, "recorded"))
    assert monitor.do("mouse_move -3 0x10 1") == ""
    assert monitor.do("mouse_move 010 8x -2") == ""
    assert monitor.do("mouse_button 3") == ""
    assert monitor.do("mouse_button 4") == ""
    assert mouse.log == [(-3, 16, -1), (0,), (8, 8, 1), (0,), (3,), (4,)]


# --- the machine ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("info kvm", "kvm support: not compiled\n"),
        ("info vnc", "Server: disabled\n"),
        ("info spice", "Server: disabled\n"),
        ("info usb", "USB support not enabled\n"),
        ("info usbhost", "USB host devices not supported\n"),
        ("info numa", "0 nodes\n"),
        ("info balloon", "No balloon device has been activated\n"),
        ("balloon 64", "No balloon device has been activated\n"),
        ("info memory-devices", ""),
        ("info iothreads", ""),
        ("info tpm", ""),
        ("info profile", "Internal profiler not compiled\n"),
        ("info opcount", "[TCG profiler not compiled]\n"),
        ("info memory_size_summary", "base memory: 16777216\nplugged memory: 0\n"),
        ("info vm-generation-id", "VM Generation ID device not found\n"),
        ("nmi", ""),
        ("watchdog_action bark", "Unknown watchdog action 'bark'\n"),
        ("system_wakeup", "Unable to wake up: guest is not in suspended state\n"),
        ("acl_show vnc.username", "acl: unknown list 'vnc.username'\n"),
        ("acl_policy a allow", "acl: unknown list 'a'\n"),
        ("acl_add a b allow 1", "acl: unknown list 'a'\n"),
        ("acl_remove a b", "acl: unknown list 'a'\n"),
        ("acl_reset a", "acl: unknown list 'a'\n"),
        (
            "netdev_add user,id=n",
            "The command netdev_add is not supported by this build of pyqemu: there are no network backends yet\n",
        ),
        (
            "info rocker x",
            "The command info rocker is not supported by this build of pyqemu: there is no rocker switch\n",
        ),
    ],
)
def test_short_answers(monitor: Monitor, line: str, answer: str) -> None:
    assert monitor.do(line) == answer


def test_watchdog_action(monitor: Monitor) -> None:
    assert monitor.do("watchdog_action pause") == ""
    assert monitor.system.watchdog_action == "pause"
    assert monitor.found("watchdog_action po") == ["poweroff"]


def test_boot_order_is_what_firmware_reads(monitor: Monitor) -> None:
    def order() -> list[str]:
        values = []
        for register in (0x3D, 0x38):
            monitor.do(f"o/b 0x70 {register}")
            values.append(monitor.do("i/b 0x71").split()[-1])
        return values

    assert monitor.do("boot_set nc") == "boot device list now set to nc\n"
    assert order() == ["0x24", "0x00"]
    assert monitor.do("boot_set dca") == "boot device list now set to dca\n"
    assert order() == ["0x23", "0x10"]
    assert monitor.do("boot_set x") == "Invalid boot device 'x'\n"
    assert monitor.do("boot_set cdc") == "Boot device 'c' was given twice\n"
    assert monitor.do("boot_set adcn") == "Too many boot devices for PC\n"
    assert monitor.do("boot_set b") == "Invalid boot device for PC\n"
    assert order() == ["0x23", "0x10"]


def test_machine_whose_boot_order_is_fixed(image: Path) -> None:
    with Monitor(image, machine="none", serials=[], drives=[], memory=0) as monitor:
        assert monitor.do("boot_set c") == "no function defined to set boot device list for this architecture\n"


def test_hotpluggable_cpus(monitor: Monitor) -> None:
    lines = monitor.do("info hotpluggable-cpus").splitlines()
    assert lines[0] == "Hotpluggable CPUs:"
    assert lines[2:4] == ['  vcpus_count: "1"', '  qom_path: "/machine/unattached/device[0]"']
    assert lines[-3:] == ['    socket-id: "0"', '    core-id: "0"', '    thread-id: "0"']


# --- dumps ------------------------------------------------------------------------------------------------------------


def test_dumps(monitor: Monitor, tmp_path: Path) -> None:
    path = tmp_path / "dump"
    assert monitor.do("info dump") == "Status: none\n"
    assert monitor.do(f"dump-guest-memory {path} 0 0x1000") == ""
    assert path.read_bytes().startswith(b"\x7fELF")
    assert monitor.do("info dump") == "Status: completed\n"
    assert monitor.do(f"dump-guest-memory -z {path}") == ""
    assert path.read_bytes().startswith(b"makedumpfile")
    assert monitor.do(f"dump-guest-memory -z -s {path}") == "only one of '-z|-l|-s' can be set\n"
    assert monitor.do(f"dump-guest-memory -l {path}") == "kdump-lzo is not available now\n"
    assert monitor.do(f"dump-guest-memory {path} 0") == "Parameter 'length' is missing\n"


# --- devices and objects ----------------------------------------------------------------------------------------------


def test_objects(monitor: Monitor) -> None:
    assert monitor.do("object_add memory-backend-ram,id=m0,size=1M") == ""
    assert monitor.do("object_add qom-type=memory-backend-ram,size=1M") == "Parameter 'id' is missing\n"
    assert monitor.do("object_add id=m1") == "Parameter 'qom-type' is missing\n"
    assert monitor.do("info memdev") == (
        "memory backend: m0\n  size:  1048576\n  merge: true\n  dump: true\n  prealloc: false\n"
        "  policy: default\n  host nodes: \n\n"
    )
    assert monitor.found("object_del m") == ["m0"]
    assert monitor.do("object_del m0") == ""
    assert monitor.do("object_del m0") == "object 'm0' not found\n"
    assert "rng-random" in monitor.found("object_add rng")
    assert monitor.found("object_add rng-random,fi") == ["rng-random,filename="]
    assert monitor.found("object_add memory-backend-ram,id=x,prealloc=") == [
        "memory-backend-ram,id=x,prealloc=off", "memory-backend-ram,id=x,prealloc=on",
    ]  # fmt: skip
    assert monitor.found("object_add nosuch,") == []


def test_devices(monitor: Monitor) -> None:
    assert 'name "isa-serial", bus ISA' in monitor.do("device_add help")
    assert "isa-serial.iobase=" in monitor.do("device_add isa-serial,help")
    assert monitor.do("device_add foo").splitlines()[0] == "'foo' is not a valid device model name"
    assert monitor.do("device_add isa-debug-exit") == "Bus 'isa.0' does not support hotplugging\n"
    assert monitor.do("device_add id=x") == "Parameter 'driver' is missing\n"
    assert monitor.do("device_del nosuch") == "Device 'nosuch' not found\n"
    assert monitor.do("info qdm").startswith("Controller/Bridge/Hub devices:\n")
    assert ", no-user" in monitor.do("info qdm")


def test_completion_of_devices(image: Path) -> None:
    with Monitor(image, devices=[{"driver": "isa-debug-exit", "id": "exit0"}]) as monitor:
        monitor.do("chardev-add null,id=idle")
        assert monitor.found("device_del ") == ["exit0"]
        assert "isa-debug-exit" in monitor.found("device_add isa-de")
        assert monitor.found("device_add isa-debug-exit,io") == ["isa-debug-exit,iobase=", "isa-debug-exit,iosize="]
        assert monitor.found("device_add isa-serial,chardev=") == ["isa-serial,chardev=idle"]
        assert monitor.found("device_add isa-serial,foo=") == []
        assert monitor.found("eject ") == ["disk0", "floppy0", "ide1-cd0"]
        assert monitor.found("info block -n di") == ["disk0"]
        assert monitor.found("change ide1-cd0 /x raw re") == ["read-only", "read-write", "retain"]


def test_object_properties(monitor: Monitor) -> None:
    assert monitor.do("qom-list") == "/\n"
    assert "machine (child<pc-i440fx-2.6-machine>)\n" in monitor.do("qom-list /")
    assert monitor.do("qom-list /nosuch") == "Device '/nosuch' not found\n"
    assert monitor.do("qom-get /machine type") == '"pc-i440fx-2.6-machine"\n'
    monitor.do("object_add rng-random,id=r")
    assert monitor.do("qom-set /objects/r filename /dev/urandom") == ""
    assert monitor.do("qom-get /objects/r filename") == '"/dev/urandom"\n'
    assert monitor.do("qom-set /objects/r nosuch 1") == "Property 'rng-random.nosuch' not found\n"
    assert monitor.do("qom-set /objects/r type x") == "Property 'rng-random.type' is not writable\n"
    assert "/objects/r" in monitor.found("qom-list /obj")
    assert "filename" in monitor.found("qom-set /objects/r ")
    assert monitor.found("qom-set /nosuch ") == []


def test_text_that_is_no_value_of_a_property(monitor: Monitor) -> None:
    monitor.do("object_add memory-backend-ram,id=m,size=1M")
    assert monitor.do("qom-set /objects/m merge perhaps").startswith("Parameter 'merge' expects 'on' or 'off'")
    assert monitor.do("qom-set /objects/m merge off") in ("", "Property 'merge' can no longer be set\n")


# --- help -------------------------------------------------------------------------------------------------------------


def test_help_tells_what_is_not_in_this_build(monitor: Monitor) -> None:
    assert monitor.do("help netdev_add").endswith("(not in this build)\n")
    assert monitor.do("help eject") == (
        "eject [-f] device -- take the medium out (-f: even if the guest has locked it)\n"
    )


def test_handlers_are_called_with_the_lock_held(monitor: Monitor) -> None:
    def handler(system: Any, *, value: int) -> int:
        with ThreadPoolExecutor(1) as others:
            assert not others.submit(system.lock.acquire, blocking=False).result()
        if value < 0:
            raise QapiError("negative")
        return value + 1

    assert monitor.hmp.call(handler, value=1) == 2
    with pytest.raises(QapiError, match="negative"):
        monitor.hmp.call(handler, value=-1)
