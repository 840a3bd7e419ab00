"""pyqemu: a full-system emulator in Python, with the names that QEMU users and developers know."""

__version__ = "0.1.0"

QEMU_VERSION = (2, 6, 50)
"""The QEMU whose interfaces (machine types, QMP, migration stream) this program speaks."""
