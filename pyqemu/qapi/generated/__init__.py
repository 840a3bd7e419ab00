"""Generated from ``qapi-schema.json`` by ``python -m pyqemu.qapi``."""
