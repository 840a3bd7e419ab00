"""The saved state of the floppy disk controller, in QEMU's layout.

A command that is about to execute is executed first. Of one whose data are on their way position and length are saved,
the drive's head tells which sector that is, and the FIFO has its bytes. FORMAT TRACK cannot be described so: it fails
after loading, and drivers try again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.qom.vmstate import I32, U8, U32, Array, Equal8, LoadError, Number, Struct, Timer64, Values, VMState

if TYPE_CHECKING:
    from pyqemu.hw.block.fdc import IsaFdc

__all__ = ["fdc_vmstate"]

FIFO_SIZE = 512
COMMAND_PHASE, EXECUTION_PHASE, RESULT_PHASE = 1, 2, 3
MSR_TO_HOST, MSR_NO_DMA, MSR_READY = 0x40, 0x20, 0x80

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
    if fdc.transfer is not None:
        fdc.transfer.describe()


def _after_load(fdc: IsaFdc) -> None:
    fdc.after_load()


def _in_fifo(fdc: IsaFdc, values: Values) -> None:
    if _phase_in(values) == EXECUTION_PHASE:
        return  # then they tell of a transfer: whether of a possible one is seen when it is resumed
    for name, limit in (("data_pos", FIFO_SIZE - 1), ("data_len", FIFO_SIZE)):
        if values[name] > limit:
            raise LoadError(f"{name}: expected 0 to {limit}, found {values[name]}")
    if values["data_pos"] > values["data_len"]:
        raise LoadError(f"data_pos: expected at most data_len, {values['data_len']}, found {values['data_pos']}")


def _phase_of(msr: int) -> int:
    """The phase that the main status register tells; a state in another one has a subsection."""
    if msr & MSR_NO_DMA or not msr & MSR_READY:
        return EXECUTION_PHASE
    return RESULT_PHASE if msr & MSR_TO_HOST else COMMAND_PHASE


def _phase_in(values: Values) -> int:
    """The phase of a state that was read."""
    told = (part["phase"] for part in values.subsections if part.layout.name == "fdc/phase")
    return next(told, _phase_of(values["msr"]))


class _Msr(Number):
    kind, packer = U8.kind, U8.packer

    def apply(self, device: object, value: int) -> None:
        super().apply(device, value)
        device.phase = _phase_of(value)  # type: ignore[attr-defined]


# fmt: off
_registers = VMState(
    "fdc",
    version=2,
    pre_save=_before_save,
    check=_in_fifo,
    post_load=_after_load,
    fields=(
        U8("sra"), U8("srb"), U8("dor", wire="dor_vmstate"), U8("tdr"), U8("dsr"), _Msr("msr"),
        U8("status0"), U8("status1"), U8("status2"),
        Array("fifo", U8, FIFO_SIZE), U32("data_pos"), U32("data_len"),
        U8("data_state"), U8("data_dir"), U8("eot"),
        U8("timer0"), U8("timer1"), U8("precomp_trk"), U8("config"), U8("lock"), U8("pwrd"),
        Equal8("num_floppies"), Array("drives", drive_vmstate, 2, since=1, each=True),
    ),
    subsections=(
        VMState("fdc/reset_sensei", fields=(I32("reset_sensei"),), needed=lambda fdc: fdc.reset_sensei != 0),
        VMState("fdc/result_timer", fields=(Timer64("timer", wire="result_timer"),),
                needed=lambda fdc: fdc.timer.pending),
        VMState("fdc/phase", fields=(U8("phase", minimum=COMMAND_PHASE, maximum=RESULT_PHASE),),
                needed=lambda fdc: fdc.phase != _phase_of(fdc.msr)),
    ),
)
# fmt: on

fdc_vmstate = VMState("fdc", version=2, fields=(Struct("", _registers, wire="state"),))
