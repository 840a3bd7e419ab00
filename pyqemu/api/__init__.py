"""Machines for scripts, tests and the command line."""

from pyqemu.api.machine import Machine
from pyqemu.boards.config import MachineConfig

__all__ = ["Machine", "MachineConfig"]
