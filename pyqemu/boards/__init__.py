"""Boards: each file wires CPU, buses, devices and firmware of one family of machines together."""
