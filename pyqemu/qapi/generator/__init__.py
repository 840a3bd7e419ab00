"""Writes ``pyqemu/qapi/generated/`` and ``docs/qmp-status.md``: run as ``python -m pyqemu.qapi`` from a checkout."""
