"""Pins under the control of software."""
