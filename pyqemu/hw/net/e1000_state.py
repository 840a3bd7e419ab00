"""The saved state of the card, in QEMU's layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu.hw.net import e1000_registers as registers
from pyqemu.hw.net.e1000_registers import MTA, RA, VFTA
from pyqemu.hw.pci.state import pci_function
from pyqemu.qom.vmstate import I8, U8, U16, U32, Array, Bool, Buffer, Field, Scope, Unused, VMState

if TYPE_CHECKING:
    from pyqemu.hw.net.e1000 import E1000

# fmt: off
SAVED_REGISTERS = (
    "CTRL", "EECD", "EERD", "GPRC", "GPTC", "ICR", "ICS", "IMC", "IMS", "LEDCTL", "MANC", "MDIC", "MPC", "PBA", "RCTL",
    "RDBAH", "RDBAL", "RDH", "RDLEN", "RDT", "STATUS", "SWSM", "TCTL", "TDBAH", "TDBAL", "TDH", "TDLEN", "TDT", "TORH",
    "TORL", "TOTH", "TOTL", "TPR", "TPT", "TXDCTL", "WUFC", "VET",
)
# fmt: on
"""Those that QEMU saves one by one; later it added a subsection with all of them."""


class Word(U32):
    """One register."""

    def __init__(self, name: str) -> None:
        super().__init__("mac", wire=f"mac_reg[{name}]")
        self.offset: int = getattr(registers, name)

    def fetch(self, device: Any) -> int:
        value: int = device.mac[self.offset]
        return value

    def apply(self, device: Any, value: int) -> None:
        device.mac[self.offset] = value

    def declare(self) -> dict[str, Any]:
        return {**super().declare(), "field": self.wire}


class Derived(U32):
    """What follows from RCTL."""

    def apply(self, device: Any, value: int) -> None:
        """It follows from what was loaded, too."""


class Words(Array):
    """Registers that follow each other."""

    def __init__(self, offset: int, length: int, *, wire: str) -> None:
        super().__init__("mac", U32, length, wire=wire)
        self.first = offset >> 2

    def fetch(self, device: Any) -> list[int]:
        words: list[int] = device.mac.words[self.first : self.first + self.length]
        return words

    def apply(self, device: Any, value: list[int]) -> None:
        device.mac.words[self.first : self.first + self.length] = value


class InstanceId(Unused):
    """What version 1 had before everything else."""

    def exists(self, device: object) -> bool:
        return False

    def expected(self, scope: Scope) -> bool:
        return scope.version == 1

    def declare(self) -> dict[str, Any]:
        return {**super().declare(), "field_exists": True}


def _context(wire: str) -> tuple[Field, ...]:
    """The fields of a context for checksums and for cutting, up to where QEMU's two places for it differ."""
    return (
        U8(f"{wire}.ipcss"), U8(f"{wire}.ipcso"), U16(f"{wire}.ipcse"),
        U8(f"{wire}.tucss"), U8(f"{wire}.tucso"), U16(f"{wire}.tucse"),
        U32(f"{wire}.paylen"), U8(f"{wire}.hdr_len"), U16(f"{wire}.mss"),
    )  # fmt: skip


def _saved(name: str, wire: str, kind: type[U8 | U16]) -> Field:
    return kind(f"transmitter.{name}", wire=f"tx.{wire}")


def _needs_mitigation(device: E1000) -> bool:
    return device.mitigation


def _needs_registers(device: E1000) -> bool:
    return device.extra_mac_registers


def _never(device: E1000) -> bool:
    return False


def _before_save(device: E1000) -> None:
    device.before_save()


def _loaded(device: E1000) -> None:
    device.loaded()


def _second_context(device: E1000) -> None:
    device.two_contexts_loaded = True


MIT_STATE = VMState(
    "e1000/mit_state",
    version=1,
    needed=_needs_mitigation,
    fields=(Word("RDTR"), Word("RADV"), Word("TADV"), Word("ITR"), Bool("interrupts.level", wire="mit_irq_level")),
)
FULL_MAC_STATE = VMState(
    "e1000/full_mac_state",
    version=1,
    needed=_needs_registers,
    fields=(Array("mac.words", U32, registers.SPACE // 4, wire="mac_reg"),),
)
TX_TSO_STATE = VMState(
    "e1000/tx_tso_state",
    version=1,
    needed=_never,  # of newer machine types
    post_load=_second_context,
    fields=(*_context("tso_props"), I8("tso_props.ip"), I8("tso_props.tcp")),
)
for _field in TX_TSO_STATE.fields:
    _field.wire = f"tx.{_field.name}"

VMSTATE = VMState(
    "e1000",
    version=2,
    minimum_version=1,
    pre_save=_before_save,
    post_load=_loaded,
    fields=(
        pci_function("parent_obj"),
        InstanceId(4),
        Unused(4, wire="unused[1]"),
        Derived("rxbuf_size"),
        Derived("rxbuf_min_shift"),
        U32("eeprom.val_in", wire="eecd_state.val_in"),
        U16("eeprom.bitnum_in", wire="eecd_state.bitnum_in"),
        U16("eeprom.bitnum_out", wire="eecd_state.bitnum_out"),
        U16("eeprom.reading", wire="eecd_state.reading"),
        U32("eeprom.old_eecd", wire="eecd_state.old_eecd"),
        *_context("mig_props"),
        _saved("size", "size", U16),
        _saved("tso_frames", "tso_frames", U16),
        _saved("sum_needed", "sum_needed", U8),
        I8("mig_props.ip"),
        I8("mig_props.tcp"),
        Buffer("transmitter.header", 256, wire="tx.header"),
        Buffer("transmitter.data", 0x10000, wire="tx.data"),
        Array("eeprom.data", U16, 64, wire="eeprom_data"),
        Array("phy.reg", U16, 32, wire="phy_reg"),
        *(Word(name) for name in SAVED_REGISTERS),
        Words(RA, 32, wire="mac_reg[0]"),
        Words(MTA, 128, wire="mac_reg[1]"),
        Words(VFTA, 128, wire="mac_reg[2]"),
    ),
    subsections=(MIT_STATE, FULL_MAC_STATE, TX_TSO_STATE),
)
