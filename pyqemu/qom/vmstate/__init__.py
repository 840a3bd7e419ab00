"""The saved state of devices, declared field by field in QEMU's layout (``docs/migration.txt``).

A :class:`VMState` is the layout of one structure. It writes a device's state, describes the bytes that it wrote as the
JSON trailer of a migration stream does, and reads a state: first all of it into values, each checked, and only then,
when nothing can go wrong any more, into the device.
"""

from pyqemu.qom.vmstate.field import Field, Scope, Unused
from pyqemu.qom.vmstate.fields import (
    I8,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Array,
    Bitmap,
    Bool,
    Buffer,
    Equal8,
    Equal32,
    Number,
    Struct,
    Timer64,
    Tmp,
    Version32,
)
from pyqemu.qom.vmstate.fifo import Fifo8
from pyqemu.qom.vmstate.layout import Values, VMState
from pyqemu.qom.vmstate.reader import BytesReader, LoadError, Reader

__all__ = [
    "I8", "I32", "I64", "U8", "U16", "U32", "U64", "Array", "Bitmap", "Bool", "Buffer", "BytesReader", "Equal8",
    "Equal32", "Field", "Fifo8", "LoadError", "Number", "Reader", "Scope", "Struct", "Timer64", "Tmp", "Unused",
    "VMState", "Values", "Version32",
]  # fmt: skip
