"""The saved state of virtio devices: QEMU's hand-written block, which has one name and no description of its contents.

It is the transport's part, then status, features and configuration, then each queue, then what the model adds
(``VirtioDevice.model_state``), and last subsections for what came later.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.pci.msix import MsixState
from pyqemu.hw.pci.state import pci_vmstate
from pyqemu.hw.virtio import registers as r
from pyqemu.qom.vmstate import U8, U16, U32, U64, Array, Bool, Field, LoadError, Reader, Scope, Struct, Unused, VMState
from pyqemu.qom.vmstate.field import mismatch

if TYPE_CHECKING:
    from pyqemu.hw.virtio.device import VirtioDevice
    from pyqemu.qom.vmstate.layout import Description, Values

MAX_CONFIG = 0x1000
LITTLE = 1  # QEMU's number of an order of bytes


# -- the transports


def _queue_settings(name: str, *middle: Field) -> VMState:
    words = tuple(Array(each, U32, 2) for each in ("desc", "avail", "used"))
    return VMState(name, version=1, minimum_version=1, fields=(U16("num"), *middle, *words))


PCI_EXTRA = VMState(
    "virtio_pci",
    subsections=(
        VMState(
            "virtio_pci/modern_state",
            needed=lambda proxy: proxy.modern is not None,
            fields=(
                U32("modern.dfselect", wire="dfselect"),
                U32("modern.gfselect", wire="gfselect"),
                Array("modern.guest_features", U32, 2, wire="guest_features"),
                Array("modern.settings", _queue_settings("virtio_pci/modern_queue_state", Unused(1), Bool("enabled")),
                      r.MAX_QUEUES, wire="vqs"),
            ),
        ),
    ),
)  # fmt: skip
MMIO_EXTRA = VMState(
    "virtio_mmio",
    subsections=(
        VMState(
            "virtio_mmio/state",
            needed=lambda proxy: not proxy.force_legacy,
            fields=(
                Array("guest_features", U32, 2),
                Array(
                    "settings", _queue_settings("virtio_mmio/queue_state", Bool("enabled")), r.MAX_QUEUES, wire="vqs"
                ),
            ),
        ),
    ),
)
MMIO_CONFIG = VMState(
    "virtio-mmio", fields=(U32("host_features_sel"), U32("guest_features_sel"), U32("guest_page_shift", maximum=31))
)


class Transport(Field):
    """What is the transport's: configuration space and vectors of PCI, or selectors of a window."""

    def write(self, device: Any, out: bytearray) -> list[Description]:
        transport = device.bus.transport
        _layout(transport).write(transport, out)
        if _has_vectors(transport):
            out += struct.pack(">H", device.config_vector)
        return []

    def read(self, reader: Reader, scope: Scope) -> tuple[Values, int]:
        transport: Any = scope.device.bus.transport  # type: ignore[attr-defined]
        values = _layout(transport).read(transport, reader)
        vector = _vector(transport, reader) if _has_vectors(transport) else r.NO_VECTOR
        return values, vector

    def apply(self, device: Any, value: Any) -> None:
        values, device.config_vector = value
        values.apply(device.bus.transport)


PCI_CONFIG = VMState("virtio-pci", fields=(Struct("", pci_vmstate),))
PCI_CONFIG_MSIX = VMState("virtio-pci", fields=(Struct("", pci_vmstate), MsixState("msix")))


def _layout(transport: Any) -> VMState:
    if not isinstance(transport, PciDevice):
        return MMIO_CONFIG
    return PCI_CONFIG_MSIX if _has_vectors(transport) else PCI_CONFIG


def _has_vectors(transport: Any) -> bool:
    return getattr(transport, "msix", None) is not None


def _vector(transport: Any, reader: Reader) -> int:
    start = reader.position
    vector = int.from_bytes(reader.take(2), "big")
    if vector != r.NO_VECTOR and vector >= transport.msix.vectors:
        raise mismatch(f"a vector below {transport.msix.vectors}", vector, start)
    return vector


# -- the device


class Config(Field):
    """The configuration space; one of another length is cut or left as it is behind its end, as in QEMU."""

    def encode(self, value: Any) -> bytes:
        return struct.pack(">I", len(value)) + bytes(value)

    def decode(self, reader: Reader) -> bytes:
        start = reader.position
        length = int.from_bytes(reader.take(4), "big")
        if length > MAX_CONFIG:
            raise mismatch(f"at most {MAX_CONFIG} bytes of configuration", length, start)
        return reader.take(length)

    def apply(self, device: Any, value: Any) -> None:
        length = min(len(value), len(device.config))
        device.config[:length] = value[:length]


@dataclass
class SavedQueue:
    """A queue as it was read."""

    num: int
    align: int
    desc: int
    last_avail_idx: int
    vector: int


class Queues(Field):
    """All queues that there are."""

    def write(self, device: Any, out: bytearray) -> list[Description]:
        transport = device.bus.transport
        out += struct.pack(">I", len(device.queues))
        for queue in device.queues:
            ring = queue.ring
            out += struct.pack(">I", ring.num)
            if not isinstance(transport, PciDevice):
                out += struct.pack(">I", ring.align)
            out += struct.pack(">QH", ring.desc, queue.last_avail_idx)
            if _has_vectors(transport):
                out += struct.pack(">H", queue.vector)
        return []

    def read(self, reader: Reader, scope: Scope) -> list[SavedQueue]:
        device: Any = scope.device
        start = reader.position
        count = int.from_bytes(reader.take(4), "big")
        if count > len(device.queues):
            raise LoadError(f"Invalid number of virtqueues: {count:#x}, there are {len(device.queues)}", start)
        return [self._one(device.bus.transport, index, reader) for index in range(count)]

    def _one(self, transport: Any, index: int, reader: Reader) -> SavedQueue:
        start = reader.position
        num = int.from_bytes(reader.take(4), "big")
        if not 0 < num <= r.MAX_QUEUE_SIZE:
            raise mismatch(f"1 to {r.MAX_QUEUE_SIZE} elements in a queue", num, start)
        align = int.from_bytes(reader.take(4), "big") if not isinstance(transport, PciDevice) else 4096
        if not align or align & (align - 1):
            raise mismatch("an alignment that is a power of two", align, start + 4)
        desc, last = struct.unpack(">QH", reader.take(10))
        if not desc and last:
            raise LoadError(f"VQ {index} address 0x0 inconsistent with Host index {last:#x}", start)
        return SavedQueue(
            num, align, desc, last, _vector(transport, reader) if _has_vectors(transport) else r.NO_VECTOR
        )

    def apply(self, device: Any, value: Any) -> None:
        for queue, saved in zip(device.queues, value, strict=False):
            queue.reset()
            queue.ring.num, queue.ring.align = saved.num, saved.align
            if saved.desc:
                queue.place(saved.desc)  # where the parts are apart, a subsection tells
            queue.last_avail_idx, queue.vector = saved.last_avail_idx, saved.vector
            queue.loaded()


class Model(Field):
    """What the model adds."""

    def write(self, device: Any, out: bytearray) -> list[Description]:
        if device.model_state is not None:
            device.model_state.write(device, out)
        return []

    def read(self, reader: Reader, scope: Scope) -> Values | None:
        device: Any = scope.device
        device.incoming_features = scope.values["guest_features"]
        return None if device.model_state is None else device.model_state.read(device, reader)

    def apply(self, device: Any, value: Any) -> None:
        if value is not None:
            value.apply(device)


# -- what came later


class Endian(U8):
    """The order of bytes of a legacy driver; there is only one here."""

    def __init__(self) -> None:
        super().__init__("", wire="device_endian", minimum=LITTLE, maximum=LITTLE)

    def fetch(self, device: object) -> int:
        return LITTLE

    def apply(self, device: object, value: Any) -> None:
        """It is the same."""


class PerQueue(Field):
    """Numbers of each queue that there could be.

    :param names: attributes of a queue
    """

    kind = "struct"

    def __init__(self, wire: str, layout: str, names: Sequence[str], default: Sequence[int] = (0, 0)) -> None:
        super().__init__("queues", wire=wire)
        self.names = names
        self.default = default[: len(names)]
        self.row = struct.Struct(f">{len(names)}{layout}")

    def write(self, device: Any, out: bytearray) -> list[Description]:
        for index in range(r.MAX_QUEUES):
            queue = device.queue(index)
            row = self.default if queue is None else (_get(queue, name) for name in self.names)
            out += self.row.pack(*row)
        return []

    def decode(self, reader: Reader) -> list[tuple[int, ...]]:
        return list(self.row.iter_unpack(reader.take(self.row.size * r.MAX_QUEUES)))

    def apply(self, device: Any, value: Any) -> None:
        for queue, row in zip(device.queues, value, strict=False):
            for name, number in zip(self.names, row, strict=True):
                *path, last = name.split(".")
                setattr(queue.ring if path else queue, last, number)


def _get(queue: Any, name: str) -> int:
    first, _, last = name.partition(".")
    value: int = getattr(getattr(queue, first), last) if last else getattr(queue, first)
    return value


class FailureFlag(Bool):
    """Whether the driver has broken the rules; how, is not sent."""

    def __init__(self) -> None:
        super().__init__("failure", wire="broken")

    def apply(self, device: Any, value: Any) -> None:
        device.failure = "before it came here" if value else ""


class Extra(Field):
    """What transports have got since."""

    kind = "struct"

    def __init__(self) -> None:
        super().__init__("", wire="extra_state")

    def write(self, device: Any, out: bytearray) -> list[Description]:
        transport = device.bus.transport
        _extra(transport).write(transport, out)
        return []

    def read(self, reader: Reader, scope: Scope) -> Values:
        transport: Any = scope.device.bus.transport  # type: ignore[attr-defined]
        return _extra(transport).read(transport, reader)

    def apply(self, device: Any, value: Any) -> None:
        value.apply(device.bus.transport)


def _extra(transport: Any) -> VMState:
    return PCI_EXTRA if isinstance(transport, PciDevice) else MMIO_EXTRA


def _is_pci_or_modern(device: Any) -> bool:
    transport = device.bus.transport
    return isinstance(transport, PciDevice) or not transport.force_legacy


LATER = VMState(
    "virtio",
    subsections=(
        VMState("virtio/device_endian", needed=lambda device: False, fields=(Endian(),)),
        VMState("virtio/64bit_features", needed=lambda device: device.host_features >> 32 != 0,
                fields=(U64("guest_features"),)),
        VMState("virtio/virtqueues", needed=lambda device: device.host_features >> r.F_VERSION_1 != 0,
                fields=(PerQueue("vq", "Q", ("ring.avail", "ring.used")),)),
        VMState("virtio/ringsize",
                needed=lambda device: any(queue.ring.num != queue.default_size for queue in device.queues),
                fields=(PerQueue("vq", "I", ("default_size",)),)),
        VMState("virtio/broken", needed=lambda device: device.broken, fields=(FailureFlag(),)),
        VMState("virtio/extra_state", needed=_is_pci_or_modern, fields=(Extra(),)),
        VMState("virtio/started", needed=lambda device: False, fields=(Unused(1),)),
        VMState("virtio/disabled", needed=lambda device: False, fields=(Unused(1),)),
    ),
)  # fmt: skip
"""The last two are of versions after ours, which follow from the rest here."""


class GuestFeatures(U32):
    """The lower half of the features that the driver has accepted; the upper one came later."""

    def encode(self, value: Any) -> bytes:
        return super().encode(value & 0xFFFF_FFFF)


BODY = VMState(
    "virtio body",
    fields=(
        Transport(""),
        U8("status"),
        U8("isr"),
        U16("queue_sel", maximum=r.MAX_QUEUES - 1),
        GuestFeatures("guest_features"),
        Config("config"),
        Queues("queues"),
        Model("model_state"),
        Struct("", LATER),
    ),
)


class VirtioBlock(Field):
    """All of it, as one field. The attribute ``virtio`` is the device."""

    kind = "virtio"

    def __init__(self) -> None:
        super().__init__("virtio")

    def write(self, device: Any, out: bytearray) -> list[Description]:
        start = len(out)
        BODY.write(device.virtio, out)
        return [{"name": self.wire, "type": self.kind, "size": len(out) - start}]

    def read(self, reader: Reader, scope: Scope) -> Values:
        device: VirtioDevice = scope.device.virtio  # type: ignore[attr-defined]
        start = reader.position
        values = BODY.read(device, reader)
        accepted = _features(values)
        if accepted & ~device.host_features:
            raise LoadError(
                f"Features {accepted:#x} unsupported. Allowed features: {device.host_features:#x}", start
            )  # fmt: skip
        return values

    def apply(self, device: Any, value: Any) -> None:
        value.apply(device.virtio)
        device.virtio.after_load()


def _features(values: Values) -> int:
    later: Values = values.fields[-1][1]
    for part in later.subsections:
        if part.layout.name == "virtio/64bit_features":
            return int(part["guest_features"])
    return int(values["guest_features"])


def virtio_vmstate(name: str, version: int) -> VMState:
    """A model's layout."""
    return VMState(name, version=version, fields=(VirtioBlock(),))
