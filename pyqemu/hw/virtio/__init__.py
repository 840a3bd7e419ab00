"""Paravirtual devices (Virtual I/O Device Version 1.0, and 0.9.5 for drivers of before)."""
