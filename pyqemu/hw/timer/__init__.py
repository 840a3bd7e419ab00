"""Timers and clocks of the PC."""
