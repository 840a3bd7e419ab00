"""``sd-card``: a memory card (:mod:`~pyqemu.hw.sd.card`) with all its commands (:mod:`~pyqemu.hw.sd.commands`)."""

from __future__ import annotations

from pyqemu.hw.sd import commands
from pyqemu.hw.sd.card import Card
from pyqemu.qom import device_class

__all__ = ["SdCard", "commands"]


@device_class("sd-card", bus="sd-bus", category="storage", user_creatable=False)
class SdCard(Card):
    """A card, or a slot without one."""
