"""``virtio-net``: a network card (Virtual I/O Device Version 1.0, 5.1).

No backend here computes checksums or cuts segments, so these features are not offered, whatever the properties say.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from pyqemu.hw.virtio import net_filter
from pyqemu.hw.virtio import registers as r
from pyqemu.hw.virtio.device import VirtioDevice, bits
from pyqemu.hw.virtio.net_filter import ADDRESS, MAX_ADDRESSES, Filter
from pyqemu.hw.virtio.pci import VirtioPci
from pyqemu.hw.virtio.queue import Element, VirtQueue, gather, scatter
from pyqemu.hw.virtio.state import virtio_vmstate
from pyqemu.net import NetClient, Network
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import U16, U32, U64, Bool, Buffer, Field, Reader, Scope, VMState
from pyqemu.qom.vmstate.field import mismatch

if TYPE_CHECKING:
    from pyqemu.qapi.generated.types import RxFilterInfo

# fmt: off
F_MAC, F_GSO, F_MRG_RXBUF, F_STATUS, F_CTRL_VQ, F_CTRL_RX, F_CTRL_VLAN, F_CTRL_RX_EXTRA = 5, 6, 15, 16, 17, 18, 19, 20
F_GUEST_ANNOUNCE, F_CTRL_MAC_ADDR, F_CTRL_GUEST_OFFLOADS = 21, 23, 2

STATUS_LINK_UP, STATUS_ANNOUNCE = 1, 2
# fmt: on

CONFIG = struct.Struct("<6sH")  # address, status
HEADER, MERGEABLE_HEADER = 10, 12  # bytes before a frame, 5.1.6; the latter ends in a number of buffers
LONGEST = 4096 + 65536  # of a frame
RX_SIZE, TX_SIZE, CTRL_SIZE = 256, 256, 64
MAX_CONTROL = 1 << 16  # bytes of a command that are looked at


class Addresses(Field):
    """The two tables: how many addresses there are, the unicast ones first, and these."""

    def encode(self, value: Any) -> bytes:
        both = [*value.unicast, *value.multicast]
        return struct.pack(">I", len(both)) + b"".join(both)

    def decode(self, reader: Reader) -> list[bytes]:
        start = reader.position
        count = int.from_bytes(reader.take(4), "big")
        if count > MAX_ADDRESSES:
            raise mismatch(f"at most {MAX_ADDRESSES} addresses", count, start)
        return [reader.take(ADDRESS) for _ in range(count)]

    def apply(self, device: Any, value: Any) -> None:
        device.filter.unicast = [address for address in value if not address[0] & 1]
        device.filter.multicast = [address for address in value if address[0] & 1]


class Flag32(U32):
    """A truth value in 32 bits."""

    def apply(self, device: Any, value: Any) -> None:
        self.assign(device, bool(value))


class Derived(Flag32):
    """One that follows from the features."""

    def apply(self, device: Any, value: Any) -> None:
        """It does so here, too."""


class Address(Buffer):
    """The card's own."""

    def apply(self, device: Any, value: Any) -> None:
        device.filter.mac = value


class Offloads(U64):
    """What the driver has turned on of what the backend could do for it: nothing. Only there if it could have."""

    def __init__(self) -> None:
        super().__init__("offloads", wire="curr_guest_offloads", maximum=0)

    def exists(self, device: Any) -> bool:
        return bool(device.negotiated(F_CTRL_GUEST_OFFLOADS))

    def expected(self, scope: Scope) -> bool:
        features: int = scope.device.incoming_features  # type: ignore[attr-defined]
        return bool(features >> F_CTRL_GUEST_OFFLOADS & 1)


NET_STATE = VMState(
    "virtio-net model",
    fields=(
        Address("filter.mac", ADDRESS),
        U32("tx_waiting"),
        Derived("mergeable"),
        U16("link_status"),
        Bool("filter.promisc"),
        Bool("filter.allmulti"),
        Addresses("filter"),
        Buffer("filter.vlans", net_filter.VLANS // 8),
        U32("has_vnet_hdr", maximum=0),
        Bool("filter.multi_overflow"),
        Bool("filter.uni_overflow"),
        Bool("filter.alluni"),
        Bool("filter.nomulti"),
        Bool("filter.nouni"),
        Bool("filter.nobcast"),
        Bool("has_ufo", maximum=0),
        Offloads(),
    ),
)


@device_class("virtio-net-device", bus="virtio-bus", category="network")
class VirtioNet(VirtioDevice):
    """The card.

    :ivar mac_address: which it was given
    :ivar client: its end of the cable
    """

    device_id = r.ID_NET
    config_size = CONFIG.size
    legacy_only = bits(F_GSO)

    mac_property = Property.macaddr("mac")
    netdev = Property.link("netdev", "netdev")
    bootindex = Property.int("bootindex", -1)
    gso = Property.bool("gso", True)
    mrg_rxbuf = Property.bool("mrg_rxbuf", True)
    status_feature = Property.bool("status", True)
    ctrl_vq = Property.bool("ctrl_vq", True)
    ctrl_rx = Property.bool("ctrl_rx", True)
    ctrl_vlan = Property.bool("ctrl_vlan", True)
    ctrl_rx_extra = Property.bool("ctrl_rx_extra", True)
    ctrl_mac_addr = Property.bool("ctrl_mac_addr", True)
    ctrl_guest_offloads = Property.bool("ctrl_guest_offloads", True)
    guest_announce = Property.bool("guest_announce", True)

    vmstate = virtio_vmstate("virtio-net", 11)
    model_state = NET_STATE
    has_vnet_hdr = has_ufo = tx_waiting = offloads = 0

    client: NetClient

    def realize(self) -> None:
        """Take an address and a name."""
        super().realize()
        network = Network.of(self.bus.system)
        self.mac_address = network.claim_address(self.mac_property)
        self.mac_property = self.mac_address
        self.filter = Filter(self.mac_address)
        self.link_status = STATUS_LINK_UP
        self.rx = self.add_queue(RX_SIZE, self._rx_kicked)
        self.tx = self.add_queue(TX_SIZE, self._transmit)
        self.ctrl = self.add_queue(CTRL_SIZE, self._control)
        self._tells_change = True
        self._sending: Element | None = None  # one whose frame waits at the other end
        self._join(network)

    def _join(self, network: Network) -> None:
        proxy = self.qom_parent if isinstance(self.qom_parent, VirtioPci) else self
        name = proxy.id or network.free_name(proxy.type_name)
        info = f"model={proxy.type_name},macaddr={self.mac_address.hex(':')}"
        self.client = NetClient(name, "nic", receive=self._receive, can_receive=self._can_receive,
                                link_changed=self._cable_changed, info=info)  # fmt: skip
        self.client.rx_filter = self._rx_filter
        network.add(self.client)
        if self.netdev is not None:
            self.client.connect(self.netdev)

    def unrealize(self) -> None:
        """Pull the cable."""
        self.reset()
        network = Network.of(self.bus.system)
        network.remove(self.client)
        network.release_address(self.mac_address)

    def _rx_filter(self) -> RxFilterInfo:
        """``query-rx-filter``; after it the next change is told by an event again."""
        from pyqemu.qapi.generated.types import RxFilterInfo, RxState  # needs the whole schema: not for every start

        def state(none: bool, everything: bool) -> RxState:
            return RxState.NONE if none else RxState.ALL if everything else RxState.NORMAL

        settings, self._tells_change = self.filter, True
        numbers = [number for number in range(net_filter.VLANS) if settings.has_vlan(number)]
        return RxFilterInfo(
            name=self.client.name, promiscuous=settings.promisc,
            multicast=state(settings.nomulti, settings.allmulti), unicast=state(settings.nouni, settings.alluni),
            vlan=state(False, not self.negotiated(F_CTRL_VLAN)), broadcast_allowed=not settings.nobcast,
            multicast_overflow=settings.multi_overflow, unicast_overflow=settings.uni_overflow,
            main_mac=settings.mac.hex(":"), vlan_table=numbers if self.negotiated(F_CTRL_VLAN) else [],
            unicast_table=[address.hex(":") for address in settings.unicast],
            multicast_table=[address.hex(":") for address in settings.multicast],
        )  # fmt: skip

    def _filter_changed(self) -> None:
        """Tell, but only once until somebody asks what it is now."""
        if self._tells_change:
            self._tells_change = False
            proxy = self.qom_parent if isinstance(self.qom_parent, VirtioPci) else self
            self.bus.system.emit("NIC_RX_FILTER_CHANGED", name=proxy.id, path=self.qom_path)

    # -- features and configuration

    def features(self) -> int:
        """Those that the properties leave in, of those that do without the backend."""
        wanted = {
            F_MAC: True, F_GSO: self.gso, F_MRG_RXBUF: self.mrg_rxbuf, F_STATUS: self.status_feature,
            F_CTRL_VQ: self.ctrl_vq, F_CTRL_RX: self.ctrl_rx, F_CTRL_VLAN: self.ctrl_vlan,
            F_CTRL_RX_EXTRA: self.ctrl_rx_extra, F_CTRL_MAC_ADDR: self.ctrl_mac_addr,
            F_CTRL_GUEST_OFFLOADS: self.ctrl_guest_offloads, F_GUEST_ANNOUNCE: self.guest_announce,
        }  # fmt: skip
        return sum(on << feature for feature, on in wanted.items())

    def blind_features(self) -> int:
        """Linux 2.6.25 understood the address."""
        return bits(F_MAC)

    def features_accepted(self) -> None:
        """A driver that knows of VLANs says which it wants."""
        self.filter.allow_all_vlans(not self.negotiated(F_CTRL_VLAN))

    @property
    def mergeable(self) -> bool:
        """Whether a frame may go into several buffers."""
        return self.negotiated(F_MRG_RXBUF)

    @property
    def header_size(self) -> int:
        """Bytes before a frame."""
        return MERGEABLE_HEADER if self.mergeable or self.negotiated(r.F_VERSION_1) else HEADER

    def fill_config(self) -> None:
        """Address and link."""
        self.config[:] = CONFIG.pack(self.filter.mac, self.link_status)

    def config_written(self) -> None:
        """An old driver sets its address here."""
        if not self.negotiated(F_CTRL_MAC_ADDR) and not self.negotiated(r.F_VERSION_1):
            self.filter.mac = bytes(self.config[:ADDRESS])

    def device_reset(self) -> None:
        """Forget what the driver wanted."""
        self.filter.reset(self.mac_address)
        self.link_status &= STATUS_LINK_UP
        if self._sending is not None and self.client.peer is not None:
            self.client.peer.purge()
        self._sending = None

    def _cable_changed(self) -> None:
        up = STATUS_LINK_UP if not self.client.link_down else 0
        if up != self.link_status & STATUS_LINK_UP:
            self.link_status = self.link_status & ~STATUS_LINK_UP | up
            self.notify_config()
        if up:
            self.client.flush()

    def started(self) -> None:
        """The machine goes on."""
        super().started()
        self.client.flush()

    def complete_now(self) -> None:
        """A frame that waits at the other end is given up: the saved state has no place for it."""
        if self._sending is not None and self.client.peer is not None:
            self.client.peer.purge()

    # -- receiving

    def _rx_kicked(self, queue: VirtQueue) -> None:
        self.client.flush()

    def _can_receive(self) -> bool:
        return self.driver_ok and self.rx.ready and bool(self.link_status & STATUS_LINK_UP) and self._has_room(1)

    def _has_room(self, length: int) -> bool:
        """Whether there are buffers; if not, the driver shall tell when there are."""
        for _ in range(2):
            if not self.rx.empty and not (self.mergeable and self.rx.room(length) < length):
                self.rx.set_notification(False)
                return True
            self.rx.set_notification(True)
        return False

    def _receive(self, frame: bytes) -> bool:
        """Write a frame into the driver's buffers; False if these are too few."""
        header = self.header_size
        if not self._can_receive() or not self._has_room(len(frame) + header):
            return False
        if len(frame) > LONGEST or not self.filter.takes(frame):
            return True
        data = bytes(header) + frame
        taken: list[tuple[Element, int]] = []
        done = 0
        while done < len(data):
            element = self.rx.pop()
            if element is None:
                self._give_back(taken)
                return not self.alive
            if not element.in_:
                self.fail("virtio-net receive queue contains no in buffers")
                return True
            written = scatter(self.space, element.in_, data[done : done + element.in_size])
            if written < len(data) - done and not self.mergeable:
                self.rx.unpop(element)  # it does not fit, and never will
                return True
            taken.append((element, written))
            done += written
        self._finish(taken)
        return True

    def _finish(self, taken: list[tuple[Element, int]]) -> None:
        if self.mergeable or self.negotiated(r.F_VERSION_1):
            count = len(taken) if self.mergeable else 1
            scatter(self.space, taken[0][0].in_, count.to_bytes(2, "little"), MERGEABLE_HEADER - 2)
        for position, (element, written) in enumerate(taken):
            self.rx.fill(element, written, position)
        self.rx.flush(len(taken))
        self.rx.notify()

    def _give_back(self, taken: list[tuple[Element, int]]) -> None:
        for element, _ in reversed(taken):
            self.rx.unpop(element)

    # -- sending

    def _transmit(self, queue: VirtQueue) -> None:
        """Send what is there, until the other end cannot take it."""
        if self._sending is not None or not self.driver_ok:
            return
        header, count = self.header_size, 0
        while self._sending is None and (element := queue.pop()) is not None:
            if not element.out or element.out_size < header:
                queue.discard(element)
                self.fail("virtio-net header incorrect" if element.out else "virtio-net header not in first element")
                return
            length = min(element.out_size - header, LONGEST + 1)
            frame = gather(self.space, element.out, header, length)
            self._sending = element
            if length > LONGEST or self.client.send(frame, self._sent):
                self._sending = None
                queue.push(element, 0)
                count += 1
        if count:
            queue.notify()

    def _sent(self) -> None:
        """The frame that had to wait is gone."""
        element, self._sending = self._sending, None
        if element is not None:
            self.tx.push(element, 0)
            self.tx.notify()
            self._transmit(self.tx)

    # -- the control queue

    def _control(self, queue: VirtQueue) -> None:
        while (element := queue.pop()) is not None:
            if element.in_size < 1 or element.out_size < 2:
                queue.discard(element)
                self.fail("virtio-net ctrl missing headers")
                return
            scatter(self.space, element.in_, bytes((self._command(element),)))
            queue.push(element, 1)
            queue.notify()

    def _command(self, element: Element) -> int:
        kind, number = gather(self.space, element.out, 0, 2)
        length = element.out_size - 2
        if kind == net_filter.CLASS_ANNOUNCE:
            return self._announced(number)

        def data(offset: int, count: int) -> bytes:
            return gather(self.space, element.out, 2 + offset, min(count, MAX_CONTROL))

        answer = self.filter.command(kind, number, data, length)
        if answer == net_filter.OK:
            self._filter_changed()
        return answer

    def _announced(self, number: int) -> int:
        if number or not self.link_status & STATUS_ANNOUNCE:
            return net_filter.ERROR
        self.link_status &= ~STATUS_ANNOUNCE
        return net_filter.OK


@device_class("virtio-net-pci", bus="pci", category="network", alias="virtio-net")
class VirtioNetPci(VirtioPci):
    """A network card behind PCI."""

    device_id = 0x1000
    class_id = 0x0200
    backend_class = VirtioNet
    default_vectors = 3

    backend: VirtioNet

    @property
    def client(self) -> NetClient:
        """Its end of the cable."""
        return self.backend.client
