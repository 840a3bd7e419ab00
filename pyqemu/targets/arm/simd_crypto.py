"""Stages of the cryptographic instructions (ARM DDI 0487A.f, C4.4.6, F4.1): AES, SHA-1, SHA-256."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm import crypto_soft
from pyqemu.targets.arm.simd import Form, Stage, soft

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator

SOFT = {"aese": crypto_soft.aese, "aesd": crypto_soft.aesd, "aesmc": crypto_soft.aesmc, "aesimc": crypto_soft.aesimc}


def crypto(name: str, sources: str) -> Stage:
    """A row of :mod:`pyqemu.tcg.sha_ops`; or of AES, where the host has one.

    :param sources: the registers that it takes
    """

    def stage(t: VectorTranslator, form: Form) -> None:
        if "v_" + name in t.table:
            t.vec("v_" + name, *(t.v(getattr(form, source)) for source in sources), out=t.v(form.d))
        else:
            soft(t, SOFT[name], form)

    return stage
