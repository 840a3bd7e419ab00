"""The saved state of the floppy disk controller, in QEMU's layout.

A command that is about to execute is executed first. Data that are on their way in the execution phase are
not described: images are quick, so that it only lasts as long as a guest takes to serve it, and drivers try
again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.qom.vmstate import I32, U8, U32, Array, Buffer, LoadError, Struct, Timer64, VMState

if TYPE_CHECKING:
    from pyqemu.hw.block.fdc import IsaFdc

__all__ = ["fdc_vmstate"]

FIFO_SIZE = 512
COMMAND_PHASE = 1

drive_vmstate = VMState(
    "fdrive",
    version=1,
    fields=(U8("head"), U8("track"), U8("sect")),
    subsections=(
        VMState("fdrive/media_changed", fields=(U8("media_changed"),), needed=lambda drive: drive.change_seen),
        VMState("fdrive/media_rate", fields=(U8("media_rate"),)),
        VMState(
            "fdrive/perpendicular",
            fields=(U8("perpendicular"),),
            needed=lambda drive: drive.perpendicular != 0,
        ),
    ),
)


def _before_save(fdc: IsaFdc) -> None:
    fdc.complete_now()


def _after_load(fdc: IsaFdc) -> None:
    if fdc.num_floppies != len(fdc.drives) or max(fdc.data_pos, fdc.data_len) > FIFO_SIZE:
        raise LoadError("fdc: number of drives, or position in the FIFO")
    fdc.after_load()


# fmt: off
_registers = VMState(
    "fdc",
    version=2,
    pre_save=_before_save,
    post_load=_after_load,
    fields=(
        U8("sra"), U8("srb"), U8("dor"), U8("tdr"), U8("dsr"), U8("msr"),
        U8("status0"), U8("status1"), U8("status2"),
        Buffer("fifo", FIFO_SIZE), U32("data_pos"), U32("data_len"),
        U8("data_state"), U8("data_dir"), U8("eot"),
        U8("timer0"), U8("timer1"), U8("precomp_trk"), U8("config"), U8("lock"), U8("pwrd"),
        U8("num_floppies"), Array("drives", drive_vmstate, 2),
    ),
    subsections=(
        VMState("fdc/reset_sensei", fields=(I32("reset_sensei"),), needed=lambda fdc: fdc.reset_sensei != 0),
        VMState("fdc/result_timer", fields=(Timer64("timer"),), needed=lambda fdc: fdc.timer.pending),
        VMState("fdc/phase", fields=(U8("phase"),), needed=lambda fdc: fdc.phase != COMMAND_PHASE),
    ),
)
# fmt: on

fdc_vmstate = VMState("fdc", version=2, fields=(Struct("", _registers),))
