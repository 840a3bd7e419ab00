"""The bus of a slot for memory cards."""

from __future__ import annotations

from pyqemu.hw.core.bus import DeviceBus
from pyqemu.hw.sd.card import Card


class SdBus(DeviceBus[Card]):
    """One slot."""

    type_name = "sd-bus"
