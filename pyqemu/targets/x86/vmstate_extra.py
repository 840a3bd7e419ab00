"""What QEMU's processor has and ours has not, or only seldom: kept when it is loaded, and sent on.

The subsections are sent when a value is not what it is after reset.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu.qom.vmstate import I64, U8, U16, U32, U64, Array, Field, VMState

# fmt: off
_AT_RESET: dict[str, int] = {
    "hflags2": 1, "vm_hsave": 0, "vm_vmcb": 0, "intercept": 0, "intercept_cr_read": 0, "intercept_cr_write": 0,
    "intercept_dr_read": 0, "intercept_dr_write": 0, "intercept_exceptions": 0, "v_tpr": 0,
    "interrupt_injected": -1, "mp_state": 0, "tsc": 0, "exception_nr": -1, "soft_interrupt": 0, "nmi_injected": 0,
    "nmi_pending": 0, "has_error_code": 0, "sipi_vector": 0, "system_time_msr": 0, "wall_clock_msr": 0,
    "xstate_bv": 0,
    # subsections
    "async_pf_en_msr": 0, "async_pf_int_msr": 0, "pv_eoi_en_msr": 0, "steal_time_msr": 0, "poll_control_msr": 0,
    "tsc_adjust": 0, "tsc_deadline": 0, "msr_ia32_misc_enable": 1, "msr_ia32_feature_control": 0,
    "msr_smi_count": 0, "xss": 0, "umwait": 0, "tsc_khz": 0, "mcg_ext_ctl": 0, "pkru": 0, "pkrs": 0,
    "spec_ctrl": 0, "amd_tsc_scale_msr": 0, "tsx_ctrl": 0, "virt_ssbd": 0, "nested_cr3": 0, "nested_pg_mode": 0,
    "int_ctl": 0, "exception_pending": 0, "exception_injected": 0, "exception_has_payload": 0,
    "exception_payload": 0, "triple_fault_pending": 0, "fpop": 0, "fpip": 0, "fpdp": 0,
    "msr_fixed_ctr_ctrl": 0, "msr_global_ctrl": 0, "msr_global_status": 0, "msr_global_ovf_ctrl": 0,
}
_LISTS_AT_RESET = {"msr_fixed_counters": 3, "msr_gp_counters": 18, "msr_gp_evtsel": 18}
# fmt: on


class _High:
    """The upper half of a 256-bit register."""

    def __init__(self) -> None:
        self.first = self.second = 0


class Kept:
    """Attributes for all of it."""

    # fmt: off
    hflags2: int
    vm_hsave: int
    vm_vmcb: int
    msr_ia32_misc_enable: int
    fpop: int
    fpip: int
    fpdp: int
    ymmh: list[_High]
    # fmt: on

    def reset_kept(self) -> None:
        """As after reset."""
        for name, value in _AT_RESET.items():
            setattr(self, name, value)
        for name, length in _LISTS_AT_RESET.items():
            setattr(self, name, [0] * length)
        self.ymmh = [_High() for _ in range(16)]


def _unusual(*names: str) -> Callable[[Any], bool]:
    """Whether one of the values is not what it is after reset."""

    def needed(saved: Any) -> bool:
        return any(getattr(saved, name) != _AT_RESET[name] for name in names)

    return needed


def _one(name: str, kind: type[U8 | U32 | U64 | I64], field: str) -> VMState:
    """A subsection with a single register."""
    return VMState(f"cpu/{name}", fields=(kind(field, wire=f"env.{field}"),), needed=_unusual(field))


def _several(name: str, *fields: Field) -> VMState:
    names = [field.name for field in fields if field.name in _AT_RESET]
    return VMState(f"cpu/{name}", fields=fields, needed=_unusual(*names))


def _env(kind: type[U8 | U16 | U32 | U64], name: str) -> Field:
    return kind(name, wire=f"env.{name}")


# fmt: off
EXTRA: tuple[VMState, ...] = (
    _several("exception_info", _env(U8, "exception_pending"), _env(U8, "exception_injected"),
             _env(U8, "exception_has_payload"), _env(U64, "exception_payload")),
    _one("async_pf_msr", U64, "async_pf_en_msr"),
    _one("async_pf_int_msr", U64, "async_pf_int_msr"),
    _one("async_pv_eoi_msr", U64, "pv_eoi_en_msr"),
    _one("steal_time_msr", U64, "steal_time_msr"),
    # QEMU sends this one whenever it is not 1, and it is 0 without KVM
    VMState("cpu/poll_control_msr", fields=(U64("poll_control_msr", wire="env.poll_control_msr"),),
            needed=lambda saved: saved.poll_control_msr != 1),
    _several("fpop_ip_dp", _env(U16, "fpop"), _env(U64, "fpip"), _env(U64, "fpdp")),
    _one("msr_tsc_adjust", U64, "tsc_adjust"),
    _one("msr_tscdeadline", U64, "tsc_deadline"),
    _one("msr_ia32_misc_enable", U64, "msr_ia32_misc_enable"),
    _one("msr_ia32_feature_control", U64, "msr_ia32_feature_control"),
    VMState(
        "cpu/msr_architectural_pmu",
        fields=(_env(U64, "msr_fixed_ctr_ctrl"), _env(U64, "msr_global_ctrl"), _env(U64, "msr_global_status"),
                _env(U64, "msr_global_ovf_ctrl"), Array("msr_fixed_counters", U64, 3, wire="env.msr_fixed_counters"),
                Array("msr_gp_counters", U64, 18, wire="env.msr_gp_counters"),
                Array("msr_gp_evtsel", U64, 18, wire="env.msr_gp_evtsel")),
        needed=lambda saved: any((saved.msr_fixed_ctr_ctrl, saved.msr_global_ctrl, saved.msr_global_status,
                                  saved.msr_global_ovf_ctrl, *saved.msr_fixed_counters, *saved.msr_gp_counters,
                                  *saved.msr_gp_evtsel)),
    ),
    _one("xss", U64, "xss"),
    _one("umwait", U32, "umwait"),
    _one("tsc_khz", I64, "tsc_khz"),
    _one("msr_smi_count", U64, "msr_smi_count"),
    _one("pkru", U32, "pkru"),
    _one("pkrs", U32, "pkrs"),
    _one("spec_ctrl", U64, "spec_ctrl"),
    _one("amd_tsc_scale_msr", U64, "amd_tsc_scale_msr"),
    _one("mcg_ext_ctl", U64, "mcg_ext_ctl"),
    _one("msr_tsx_ctrl", U32, "tsx_ctrl"),
    _one("virt_ssbd", U64, "virt_ssbd"),
    _several("svn_npt", _env(U64, "nested_cr3"), _env(U32, "nested_pg_mode")),
    _one("svm_guest", U32, "int_ctl"),
    _one("triple_fault", U8, "triple_fault_pending"),
)
# fmt: on
