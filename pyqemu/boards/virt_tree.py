"""The device tree of a ``virt`` board (Devicetree Specification 0.1; Linux: Documentation/devicetree/bindings).

Made with the library ``fdt``, which knows the format; here is what stands in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import fdt

from pyqemu.boards import virt_map as at
from pyqemu.boards.virt_map import Range
from pyqemu.targets.arm import psci

GIC_SPI, GIC_PPI = 0, 1
EDGE, LEVEL = 1, 4
PHANDLE_CLOCK, PHANDLE_GIC, PHANDLE_V2M, PHANDLE_GPIO = 0x8000, 0x8001, 0x8002, 0x8003
PCI_IO, PCI_MEMORY, PCI_MEMORY_64 = 0x01000000, 0x02000000, 0x03000000  #: kinds of addresses (IEEE 1275 PCI binding)
KEY_POWER = 116  #: of Linux's input codes
FIRST_PPI = 16


@dataclass(frozen=True)
class TreeFacts:
    """What depends on the configuration.

    :ivar cpus: of each processor its compatible string and its affinity
    :ivar psci_conduit: the instruction that asks firmware; empty if what is loaded is the firmware
    :ivar virtualization: whether the interrupt controller has registers for hypervisors
    :ivar secure: whether there is a secure world
    """

    memory: int
    cpus: tuple[tuple[str, int], ...]
    psci_conduit: str = "hvc"
    gic_version: int = 2
    is_64bit: bool = True
    highmem: bool = True
    virtualization: bool = False
    secure: bool = False


def _node(name: str, *properties: Any) -> Any:
    node = fdt.Node(name)
    for each in properties:
        node.append(each)
    return node


def _strings(name: str, *values: str) -> Any:
    return fdt.PropStrings(name, *values)


def _words(name: str, *values: int) -> Any:
    return fdt.PropWords(name, *values)


def _reg(*ranges: Range) -> Any:
    words: list[int] = []
    for each in ranges:
        words += (each.base >> 32, each.base & 0xFFFFFFFF, each.size >> 32, each.size & 0xFFFFFFFF)
    return _words("reg", *words)


def _spi(number: int, how: int = LEVEL) -> Any:
    return _words("interrupts", GIC_SPI, number, how)


def device_tree(facts: TreeFacts) -> bytes:
    """The tree as a blob."""
    tree = fdt.FDT(entries=[])
    root = tree.root
    root.append(_strings("compatible", "linux,dummy-virt"))
    root.append(_words("#address-cells", 2))
    root.append(_words("#size-cells", 2))
    root.append(_words("interrupt-parent", PHANDLE_GIC))
    for node in (_chosen(), _memory(facts), _cpus(facts), *_psci(facts), _timer(facts), _gic(facts), _clock(),
                 *_flash(facts), _uart(), *_secure(facts), _rtc(), _fw_cfg(), _pcie(facts), _gpio(), _power_button(),
                 *_virtio()):  # fmt: skip
        root.append(node)
    blob: bytes = tree.to_dtb(version=17)
    return blob


def _chosen() -> Any:
    return _node("chosen", _strings("stdout-path", f"/pl011@{at.UART.base:x}"))


def _memory(facts: TreeFacts) -> Any:
    return _node("memory", _strings("device_type", "memory"), _reg(Range(at.RAM.base, facts.memory)))


def _cpus(facts: TreeFacts) -> Any:
    node = _node("cpus", _words("#address-cells", 1), _words("#size-cells", 0))
    for number, (compatible, affinity) in enumerate(facts.cpus):
        cpu = _node(f"cpu@{number}", _strings("device_type", "cpu"), _strings("compatible", compatible),
                    _words("reg", affinity))  # fmt: skip
        if len(facts.cpus) > 1 and facts.psci_conduit:
            cpu.append(_strings("enable-method", "psci"))
        node.append(cpu)
    return node


def _psci(facts: TreeFacts) -> list[Any]:
    if not facts.psci_conduit:
        return []
    size = psci.SMC64 if facts.is_64bit else 0
    node = _node("psci", _strings("compatible", "arm,psci-0.2", "arm,psci"), _strings("method", facts.psci_conduit),
                 _words("cpu_suspend", size | psci.CPU_SUSPEND), _words("cpu_off", psci.CPU_OFF),
                 _words("cpu_on", size | psci.CPU_ON), _words("migrate", size | psci.MIGRATE))  # fmt: skip
    return [node]


def _timer(facts: TreeFacts) -> Any:
    kinds = ("arm,armv8-timer", "arm,armv7-timer")
    interrupts: list[int] = []
    reach = (1 << len(facts.cpus)) - 1 if facts.gic_version == 2 else 0  # the processors that they go to
    for number in (at.PPI_SECURE, at.PPI_PHYSICAL, at.PPI_VIRTUAL, at.PPI_HYPERVISOR):
        interrupts += (GIC_PPI, number - FIRST_PPI, EDGE | reach << 8)  # QEMU 2.6 claims that
    return _node("timer", _strings("compatible", *kinds[not facts.is_64bit :]), fdt.Property("always-on"),
                 _words("interrupts", *interrupts))  # fmt: skip


def _gic(facts: TreeFacts) -> Any:
    name = f"intc@{at.GIC_DISTRIBUTOR.base:x}"
    node = _node(name, _words("#interrupt-cells", 3), fdt.Property("interrupt-controller"), _words("#address-cells", 2),
                 _words("#size-cells", 2), fdt.Property("ranges"), _words("phandle", PHANDLE_GIC))  # fmt: skip
    if facts.virtualization:
        node.append(_words("interrupts", GIC_PPI, at.PPI_MAINTENANCE - FIRST_PPI, LEVEL))
    if facts.gic_version == 3:
        node.append(_strings("compatible", "arm,gic-v3"))
        node.append(_reg(at.GIC_DISTRIBUTOR, at.GIC_REDISTRIBUTORS))
        return node
    node.append(_strings("compatible", "arm,cortex-a15-gic"))
    node.append(_reg(at.GIC_DISTRIBUTOR, at.GIC_CPU, *((at.GIC_HYPERVISOR, at.GIC_GUEST) * facts.virtualization)))
    node.append(_node(f"v2m@{at.GIC_V2M.base:x}", _strings("compatible", "arm,gic-v2m-frame"),
                      fdt.Property("msi-controller"), _reg(at.GIC_V2M), _words("phandle", PHANDLE_V2M)))  # fmt: skip
    return node


def _clock() -> Any:
    return _node("apb-pclk", _strings("compatible", "fixed-clock"), _words("#clock-cells", 0),
                 _words("clock-frequency", at.CLOCK_HZ), _strings("clock-output-names", "clk24mhz"),
                 _words("phandle", PHANDLE_CLOCK))  # fmt: skip


def _uart(place: Range = at.UART, irq: int = at.IRQ_UART) -> Any:
    return _node(f"pl011@{place.base:x}", _strings("compatible", "arm,pl011", "arm,primecell"), _reg(place),
                 _spi(irq), _words("clocks", PHANDLE_CLOCK, PHANDLE_CLOCK),
                 _strings("clock-names", "uartclk", "apb_pclk"))  # fmt: skip


def _secure(facts: TreeFacts) -> list[Any]:
    """What the secure world alone may use (Linux: Documentation/devicetree/bindings/arm/secure.txt)."""
    if not facts.secure:
        return []
    memory = _node(f"secram@{at.SECURE_RAM.base:x}", _strings("device_type", "memory"), _reg(at.SECURE_RAM))
    return [_hidden(_uart(at.SECURE_UART, at.IRQ_SECURE_UART)), _hidden(memory)]


def _hidden(node: Any) -> Any:
    """Mark a node as none of the other world's."""
    node.append(_strings("status", "disabled"))
    node.append(_strings("secure-status", "okay"))
    return node


def _rtc() -> Any:
    return _node(f"pl031@{at.RTC.base:x}", _strings("compatible", "arm,pl031", "arm,primecell"), _reg(at.RTC),
                 _spi(at.IRQ_RTC), _words("clocks", PHANDLE_CLOCK), _strings("clock-names", "apb_pclk"))  # fmt: skip


def _flash(facts: TreeFacts) -> list[Any]:
    """Both banks; where there is a secure world, the first one is in that (QEMU names both by the address of it)."""
    half = at.FLASH.size // 2
    banks = Range(at.FLASH.base, half), Range(at.FLASH.base + half, half)
    rest = _strings("compatible", "cfi-flash"), _words("bank-width", 4)
    if facts.secure:
        first = _node(f"secflash@{at.FLASH.base:x}", *rest, _reg(banks[0]))
        return [_hidden(first), _node(f"flash@{at.FLASH.base:x}", *rest, _reg(banks[1]))]
    return [_node(f"flash@{at.FLASH.base:x}", *rest, _reg(*banks))]


def _fw_cfg() -> Any:
    return _node(f"fw-cfg@{at.FW_CFG.base:x}", _strings("compatible", "qemu,fw-cfg-mmio"), _reg(at.FW_CFG))


def _gpio() -> Any:
    return _node(f"pl061@{at.GPIO.base:x}", _strings("compatible", "arm,pl061", "arm,primecell"), _reg(at.GPIO),
                 _words("#gpio-cells", 2), fdt.Property("gpio-controller"), _spi(at.IRQ_GPIO),
                 _words("clocks", PHANDLE_CLOCK), _strings("clock-names", "apb_pclk"),
                 _words("phandle", PHANDLE_GPIO))  # fmt: skip


def _power_button() -> Any:
    keys = _node("gpio-keys", _strings("compatible", "gpio-keys"), _words("#size-cells", 0),
                 _words("#address-cells", 1))  # fmt: skip
    keys.append(_node("poweroff", _strings("label", "GPIO Key Poweroff"), _words("linux,code", KEY_POWER),
                      _words("gpios", PHANDLE_GPIO, at.POWER_BUTTON, 0)))  # fmt: skip
    return keys


def _pcie(facts: TreeFacts) -> Any:
    """A generic host bridge: bus numbers by the size of ECAM, windows on ports and memory, four interrupts in turn."""
    ranges: list[int] = []
    windows = [(PCI_IO, 0, at.PCIE_PIO), (PCI_MEMORY, at.PCIE_MMIO.base, at.PCIE_MMIO)]
    if facts.highmem:
        windows.append((PCI_MEMORY_64, at.PCIE_HIGH.base, at.PCIE_HIGH))
    for kind, pci, window in windows:
        ranges += (kind, pci >> 32, pci & 0xFFFFFFFF, window.base >> 32, window.base & 0xFFFFFFFF,
                   window.size >> 32, window.size & 0xFFFFFFFF)  # fmt: skip
    routes: list[int] = []
    for slot in range(4):
        for pin in range(4):
            number = at.IRQ_PCIE + (pin + slot) % 4
            routes += (slot << 11, 0, 0, pin + 1, PHANDLE_GIC, 0, 0, GIC_SPI, number, LEVEL)
    node = _node(f"pcie@{at.PCIE_MMIO.base:x}", _strings("compatible", "pci-host-ecam-generic"),
                 _strings("device_type", "pci"), _words("#address-cells", 3), _words("#size-cells", 2),
                 _words("bus-range", 0, (at.PCIE_ECAM.size >> 20) - 1), fdt.Property("dma-coherent"),
                 _reg(at.PCIE_ECAM), _words("ranges", *ranges), _words("#interrupt-cells", 1),
                 _words("interrupt-map", *routes), _words("interrupt-map-mask", 0x1800, 0, 0, 7))  # fmt: skip
    if facts.gic_version == 2:
        node.append(_words("msi-parent", PHANDLE_V2M))
    return node


def _virtio() -> list[Any]:
    """The slots; who probes them finds an empty one by its device id."""
    nodes = []
    for slot in range(at.VIRTIO_SLOTS):
        place = Range(at.VIRTIO.base + slot * at.VIRTIO.size, at.VIRTIO.size)
        nodes.append(_node(f"virtio_mmio@{place.base:x}", _strings("compatible", "virtio,mmio"), _reg(place),
                           _spi(at.IRQ_VIRTIO + slot, EDGE), fdt.Property("dma-coherent")))  # fmt: skip
    return nodes
