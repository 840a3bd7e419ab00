"""AES (FIPS 197) where the host has no instructions for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.tcg import crypto_lanes

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorCpu


def aese(cpu: VectorCpu, d: int, n: int, m: int) -> None:
    """AESE."""
    cpu.v[d] = crypto_lanes.encrypt(cpu.v[d], cpu.v[n])


def aesd(cpu: VectorCpu, d: int, n: int, m: int) -> None:
    """AESD."""
    cpu.v[d] = crypto_lanes.decrypt(cpu.v[d], cpu.v[n])


def aesmc(cpu: VectorCpu, d: int, n: int, m: int) -> None:
    """AESMC."""
    cpu.v[d] = crypto_lanes.mix(cpu.v[n])


def aesimc(cpu: VectorCpu, d: int, n: int, m: int) -> None:
    """AESIMC."""
    cpu.v[d] = crypto_lanes.unmix(cpu.v[n])
