"""The saved state of virtio devices is QEMU's: machines move from and to Debian's QEMU."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyqemu.cli.defaults import parse_command_line
from pyqemu.hw.virtio.elements import SIZE, pack_element, read_element
from pyqemu.hw.virtio.net import VirtioNet, VirtioNetPci
from pyqemu.hw.virtio.queue import Element
from pyqemu.hw.virtio.ring import Piece
from pyqemu.qom.vmstate import BytesReader, LoadError
from tests.hw.virtio.virtio_rig import LegacyDriver, ModernDriver, Ours, Window
from tests.migration.state.saved_rig import (
    QEMU,
    RING,
    Decoder,
    Qemu,
    check_count,
    count_on,
    counter_rom,
    load,
    machine,
    save,
    text,
)

needs_qemu = pytest.mark.skipif(shutil.which(QEMU[0]) is None, reason="needs Debian's qemu-system-x86")


def devices(image: Path, *, modern: bool, locked: bool) -> list[str]:
    """One of each, without ROMs."""
    version = f"disable-modern={'off' if modern else 'on'}"
    lock = "" if locked else ",file.locking=off"
    return [
        "-drive", f"if=none,id=d,file={image},format=raw{lock}", "-device", f"virtio-blk-pci,drive=d,id=vb,{version}",
        "-device", f"virtio-net-pci,romfile=,{version}", "-device", f"virtio-serial-pci,id=vs,{version}",
        "-chardev", "ringbuf,id=c", "-device", "virtconsole,chardev=c", "-device", "virtserialport,name=foo",
        "-device", f"virtio-rng-pci,{version}", "-device", f"virtio-balloon-pci,{version}",
    ]  # fmt: skip


def our_config(rom: str, image: Path, *, modern: bool) -> Any:
    line = ["-M", "pc", "-m", "4", "-bios", rom, "-vga", "none", "-nodefaults", "-S", "-display", "none",
            "-chardev", f"ringbuf,id=line,size={RING}", "-serial", "chardev:line", "-rtc", "base=1970-01-01,clock=vm",
            *devices(image, modern=modern, locked=True)]  # fmt: skip
    return parse_command_line("pyqemu", line, interactive=False).config


@needs_qemu
@pytest.mark.parametrize("modern", [False, True])
def test_from_qemu_and_back(modern: bool, tmp_path: Path) -> None:
    """What QEMU has sent we send on, byte for byte; the guest counts on here and there."""
    rom, image = counter_rom(tmp_path), tmp_path / "disk.img"
    image.write_bytes(bytes(1 << 20))
    options = ["-vga", "none", *devices(image, modern=modern, locked=False)]
    with Qemu(rom, tmp_path / "first", *options) as qemu:
        qemu.wait_for_lines(4)
        theirs = qemu.save(tmp_path / "theirs")
        printed = (tmp_path / "first").read_text("ascii")
    with machine(our_config(rom, image, modern=modern)) as made:
        load(made, theirs, go=False)
        ours, _ = save(made)
        _same_sections(theirs, ours)
        with made.system.lock:
            made.system.start()
        count_on(made, 11)
        later, _ = save(made)
        printed += text(made)
    (tmp_path / "stream").write_bytes(later)
    with Qemu(rom, tmp_path / "second", *options, "-incoming", f"exec:cat {tmp_path / 'stream'}") as qemu:
        qemu.wait_for_lines(4)
        check_count((printed + (tmp_path / "second").read_text("ascii")).split(), 1)


def _same_sections(theirs: bytes, ours: bytes) -> None:
    told = [
        {f"{each['name']}/{each['instance_id']}": each for each in Decoder(stream).decode().trailer["devices"]}
        for stream in (theirs, ours)
    ]
    assert told[0].keys() == told[1].keys()
    contents = [Decoder(stream).decode().fields for stream in (theirs, ours)]
    names = [name for name in told[0] if "virtio" in name]
    assert len(names) == 5
    for name in names:
        assert told[1][name] == told[0][name]
        assert contents[1][name] == contents[0][name], name


# -- hostile states


def test_all_of_a_blocks_bytes_are_checked_or_taken() -> None:
    """A block that is cut anywhere is refused, and the device stays as it was."""
    here = Ours(VirtioNetPci())
    LegacyDriver(here).start(~0, 0, 1, 2)
    layout = VirtioNetPci.vmstate
    assert layout is not None
    data = layout.save(here.device)
    other = Ours(VirtioNetPci())
    before = layout.save(other.device)
    for length in (*range(0, 420, 7), *range(420, len(data), 61)):
        with pytest.raises(LoadError):
            layout.load(other.device, data[:length])
    assert layout.save(other.device) == before
    layout.load(other.device, data)
    assert layout.save(other.device) == data


@settings(max_examples=150, deadline=None)
@given(place=st.integers(276, 990), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_harmless(place: int, value: int) -> None:
    """Whatever is accepted, the device goes on or is broken, and can be reset."""
    here = Ours(VirtioNetPci())
    LegacyDriver(here).start(~0, 0, 1, 2)
    layout = VirtioNetPci.vmstate
    assert layout is not None
    data = bytearray(layout.save(here.device))
    data[min(place, len(data) - 1)] = value
    other = Ours(VirtioNetPci())
    try:
        layout.load(other.device, bytes(data))
    except LoadError:
        return
    other.system.start()
    for number in range(3):
        other.set_port(0xC010, 2, number)
    LegacyDriver(other).start(~0, 0, 1, 2)
    assert not other.device.backend.broken  # type: ignore[attr-defined]


@pytest.mark.parametrize(("change", "message"), [
    (lambda device: setattr(device, "guest_features", 1 << 9), r"Features 0x200 unsupported. Allowed features: 0x"),
    (lambda device: setattr(device, "queue_sel", 5000), "expected 0 to 1023"),
    (lambda device: setattr(device.queues[0].ring, "num", 5000), "expected 1 to 1024 elements"),
    (lambda device: setattr(device.queues[0], "last_avail_idx", 7), "VQ 0 address 0x0 inconsistent with Host"),
    (lambda device: setattr(device.queues[0], "vector", 3), "expected a vector below 3"),
    (lambda device: device.queues.extend([device.queues[0]]), "Invalid number of virtqueues: 0x4, there are 3"),
])  # fmt: skip
def test_states_that_cannot_be(change: Any, message: str) -> None:
    here, other = Ours(VirtioNetPci()), Ours(VirtioNetPci())
    change(here.device.backend)  # type: ignore[attr-defined]
    layout = VirtioNetPci.vmstate
    assert layout is not None
    with pytest.raises(LoadError, match=re.escape(message) if "(" in message else message):
        layout.load(other.device, layout.save(here.device))


def test_a_window_and_modern_queues_are_saved() -> None:
    """Selectors, and what a driver has said of a queue that it has not enabled."""
    here = Window(VirtioNet(), legacy=False)
    for offset, value in ((0x14, 1), (0x24, 1), (0x20, 1), (0x30, 2), (0x38, 32), (0x80, 0x1000), (0x90, 0x2000)):
        here.write(offset, value)
    layout = VirtioNet.vmstate
    assert layout is not None
    other = Window(VirtioNet(), legacy=False)
    layout.load(other.device, layout.save(here.device))
    assert other.mmio.settings[2].desc == [0x1000, 0]
    assert (other.mmio.settings[2].num, other.device.queues[2].ring.num) == (32, 32)
    assert (other.mmio.host_features_sel, other.mmio.guest_features, other.device.queue_sel) == (1, [0, 1], 2)


def test_a_broken_device_stays_broken() -> None:
    here = Ours(VirtioNetPci(disable_modern=False))
    (queue, *_) = ModernDriver(here).start(~0, 1)
    queue.publish(5000)
    ModernDriver(here).kick(1)
    layout = VirtioNetPci.vmstate
    assert layout is not None
    other = Ours(VirtioNetPci(disable_modern=False))
    layout.load(other.device, layout.save(here.device))
    assert other.device.backend.broken  # type: ignore[attr-defined]
    assert other.device.backend.status & 0x40  # type: ignore[attr-defined]


def test_chains_as_qemus_hosts_have_them() -> None:
    element = Element(7, [Piece(0x1000, 16)], [Piece(0x2000, 512), Piece(0x3000, 1)])
    data = pack_element(element)
    assert len(data) == SIZE == 49168
    assert data[:12] == bytes.fromhex("07000000 01000000 02000000")
    assert data[16:32] == bytes.fromhex("0020000000000000 0030000000000000")
    assert read_element(BytesReader(data), 8) == element
    with pytest.raises(LoadError, match="a chain's head below 7"):
        read_element(BytesReader(data), 7)
    with pytest.raises(LoadError, match="at most 1024 pieces"):
        read_element(BytesReader(b"\0\0\0\0\1\4\0\0" + data[8:]), 8)


# -- nothing is forgotten

# fmt: off
SAVED = {
    "VirtioDevice": "status isr queue_sel guest_features config config_vector queues failure",
    "VirtQueue": "ring last_avail_idx vector default_size",
    "Ring": "num align desc avail used",
    "VirtioNet": "filter link_status",
    "VirtioBalloon": "num_pages actual",
    "VirtioBlk": "stopped",
    "VirtioSerial": "serial_bus",
    "Filter": "mac promisc allmulti alluni nomulti nouni nobcast uni_overflow multi_overflow unicast multicast vlans",
    "SerialPort": "nr guest_connected host_connected element sent",
}
WAIVED = {
    "everywhere": {
        "a place in the tree, or a collaborator":
            "qom_parent qom_name _children id bus realized hotplugged device index handler",
        "only while it is loaded": "incoming_features _look_at_queues _catch_up loaded_requests told_connected",
    },
    "VirtioDevice": {"from the configuration": "host_features", "QEMU does not send it": "generation"},
    "VirtQueue": {
        "in the ring, in memory": "used_idx in_use", "as after a reset: one interrupt more": "signalled_used",
        "chosen anew when the queue is looked at": "notification",
    },
    "VirtioNet": {
        "from the configuration": "mac_address mac_property", "queues": "rx tx ctrl", "the cable": "client",
        "given up before saving": "_sending", "the operator's": "_tells_change",
    },
    "VirtioBalloon": {
        "queues": "inflate deflate stats", "the operator's; QEMU does not send it": "interval statistics last_update",
        "put back before saving": "held timer giving given page_timer",
    },
    "VirtioBlk": {
        "from the configuration": "drive geometry original_wce", "queues": "queue0",
        "carried out before saving": "timer",
    },
    "VirtioSerial": {"queues": "control_out"},
    "VirtioRng": {"queues": "queue0", "a new period begins": "quota_remaining rate_timer retry_timer",
                  "from the configuration": "source"},
    "SerialPort": {"from the configuration": "chardev name_property backend", "found out anew": "throttled timer"},
}
# fmt: on


def _names(kind: type) -> set[str]:
    names: list[str] = " ".join(WAIVED["everywhere"].values()).split()
    for base in kind.__mro__:
        names += SAVED.get(base.__name__, "").split()
        names += " ".join(WAIVED.get(base.__name__, {}).values()).split()
    return set(names)


def test_every_attribute_is_saved_or_waived(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(1 << 20))
    forgotten = []
    config = our_config(counter_rom(tmp_path), image, modern=True)
    config.paused = True
    with machine(config) as made:
        board: Any = made.board
        seen: list[object] = []
        for proxy in board.user_devices:
            if hasattr(proxy, "backend_class"):
                seen += [proxy.backend, *proxy.backend.queues[:1], proxy.backend.queues[0].ring]
            else:
                seen.append(proxy)
        seen += [device.filter for device in seen if isinstance(device, VirtioNet)]
        for device in seen:
            missing = vars(device).keys() - _names(type(device))
            forgotten += [f"{type(device).__name__}.{name}" for name in missing]
    assert not forgotten
    assert len(seen) == 5 * 3 + 2 + 1
