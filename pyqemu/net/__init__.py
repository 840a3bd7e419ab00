"""Networks: what is at both ends of a network card's cable.

A :class:`NetClient` is one end: a card, or later a backend that reaches the world. There is no backend yet, so every
card is alone: what it sends vanishes, and nothing comes.
"""

from pyqemu.net.client import MAX_QUEUED, NetClient
from pyqemu.net.network import Network

__all__ = ["MAX_QUEUED", "NetClient", "Network"]
