"""Saved arrays whose length is a fact of the board, which both sides know and the stream does not tell."""

from __future__ import annotations

from typing import Any

from pyqemu.qom.vmstate import Array, Number, Reader, Scope, VMState


class PerPart(Array):
    """As many values, or structures, as the device has."""

    def __init__(
        self, name: str, element: type[Number] | VMState, *, wire: str = "", since: int = 0, each: bool = False
    ) -> None:
        super().__init__(name, element, 0, wire=wire, since=since, each=each)

    def write(self, device: object, out: bytearray) -> list[dict[str, Any]]:
        self.length = len(self.fetch(device))
        return super().write(device, out)

    def read(self, reader: Reader, scope: Scope) -> Any:
        self.length = len(self.fetch(scope.device))
        return super().read(reader, scope)
