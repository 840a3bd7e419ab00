"""The saved state of the processor: QEMU's layout, nothing lost, nothing taken that cannot be."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom.vmstate import LoadError
from pyqemu.system.clock import FakeClock
from pyqemu.targets.aarch64.exceptions import Aarch64Exception
from pyqemu.targets.aarch64.layout import EC_HVC32
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.targets.aarch64.vmstate import CommonState, SavedCpu
from pyqemu.targets.aarch64.vmstate_registers import identifier, saved_registers, title
from pyqemu.targets.arm.exceptions import ArmException, Kind
from pyqemu.targets.arm.vmstate_registers import own
from tests.hw.test_board_streams import Stream
from tests.qtest_reference import needs_qemu_arm
from tests.targets.arm.spoilt import check_spoilt_states

ONE, M64 = 1 << 64, (1 << 64) - 1
CASES = 400
PSTATE = 16 * 4 + 32 * 8 + 8  # where it is in the section
LIST = PSTATE + 4 + 4 + 8 * 8 + 2 * 8 * 4 + 2 * 5 * 4 + 2 * 4 * 8 + 4  # where the list of registers begins
SCTLR, PMCR, PMCNTENSET = (3, 0, 1, 0, 0), (3, 3, 9, 12, 0), (3, 3, 9, 12, 1)

FIELDS = (
    ("env.regs", "uint32", 4, 16), ("env.xregs", "uint64", 8, 32), ("env.pc", "uint64", 8, 1), ("cpsr", "cpsr", 4, 1),
    ("env.spsr", "uint32", 4, 1), ("env.banked_spsr", "uint64", 8, 8), ("env.banked_r13", "uint32", 4, 8),
    ("env.banked_r14", "uint32", 4, 8), ("env.usr_regs", "uint32", 4, 5), ("env.fiq_regs", "uint32", 4, 5),
    ("env.elr_el", "uint64", 8, 4), ("env.sp_el", "uint64", 8, 4), ("cpreg_vmstate_array_len", "int32 le", 4, 1),
    ("cpreg_vmstate_indexes", "uint64", 8, 0), ("cpreg_vmstate_values", "uint64", 8, 0),
    ("env.exclusive_addr", "uint64", 8, 1), ("env.exclusive_val", "uint64", 8, 1),
    ("env.exclusive_high", "uint64", 8, 1), ("unused", "unused_buffer", 8, 1),
    ("env.exception.syndrome", "uint32", 4, 1), ("env.exception.fsr", "uint32", 4, 1),
    ("env.exception.vaddress", "uint64", 8, 1), ("gt_timer[0]", "timer", 8, 1), ("gt_timer[1]", "timer", 8, 1),
    ("power_state", "powered_off", 1, 1),
)  # fmt: skip
"""Name, type, size and number, as the trailer of a stream of QEMU's ``virt-2.6`` has them; 0: as many as it says."""
VFP_FIELDS = (
    *((f"env.vfp.zregs[{number}].d", "uint64", 8, 2) for number in range(32)),
    ("env.vfp.xregs[0]", "uint32", 4, 1), ("env.vfp.xregs", "uint32", 4, 14), ("fpscr", "fpscr", 4, 1),
)  # fmt: skip


def make(clock: FakeClock | None = None, **options: Any) -> Aarch64Cpu:
    root = MemoryRegion.container("memory", 1 << 48)
    root.add(0, MemoryRegion.ram("ram", 1 << 16))
    return Aarch64Cpu(memory=AddressSpace("memory", root), clock=clock or FakeClock(), **options)


def fill(cpu: Aarch64Cpu, rng: random.Random) -> None:
    """Something else in every register."""
    for number in range(31):
        cpu.x[number] = rng.randrange(ONE)
    for number in range(32):
        cpu.v[number] = rng.randrange(1 << 128)
    for el in (1, 2, 3):
        cpu.set_elr(el, rng.randrange(ONE))
        cpu.set_spsr(el, rng.randrange(1 << 32))
    for register in saved_registers(cpu).values():
        if register.store is not None:
            register.store(cpu, rng.randrange(1 << 31))
    for el in range(4):
        cpu.set_banked_sp(el, rng.randrange(ONE))
    cpu.set_fpcr(0x07000000)
    cpu.set_fpsr(0x0800009F)
    cpu.exclusive_address, cpu.exclusive_value, cpu.exclusive_high = (rng.randrange(ONE) for _ in range(3))
    cpu.pc = 0x1234_5678_9ABC_DEF0
    cpu.set_pstate(0xA000_0144)  # N, C, A and F, EL1 with SP_EL0


def everything(cpu: Aarch64Cpu) -> dict[str, Any]:
    """All that a guest could see."""
    state = cpu.sys
    names = [name for name in type(state).__slots__ if name != "__weakref__"]
    return {
        "x": [cpu.x[n] for n in range(31)], "v": [cpu.v[n] for n in range(32)], "pc": cpu.pc,
        "sp": [cpu.banked_sp(el) for el in range(4)],
        "elr": [cpu.elr(el) for el in (1, 2, 3)], "spsr": [cpu.spsr(el) for el in (1, 2, 3)], "pstate": cpu.pstate,
        "mode": cpu.mode, "fp": (cpu.fpcr, cpu.fpsr), "tpidr": (cpu.tpidr_el0, cpu.tpidr_el1),
        "exclusive": (cpu.exclusive_address, cpu.exclusive_value, cpu.exclusive_high),
        "timers": (cpu.timer.compare, cpu.timer.control, cpu.timer.offset),
        "cycles": (cpu.cycle_counter.on, cpu.cycle_counter.value),
        **{name: getattr(state, name) for name in names},
    }  # fmt: skip


def saved(cpu: Aarch64Cpu) -> bytes:
    return SavedCpu.vmstate.save(SavedCpu(cpu))


def shape(fields: list[dict[str, Any]]) -> list[tuple[str, str, int, int]]:
    counted = ("cpreg_vmstate_indexes", "cpreg_vmstate_values")
    return [
        (each["name"], each["type"], each["size"], 0 if each["name"] in counted else each.get("array_len", 1))
        for each in fields
    ]


def test_the_layout_is_qemus() -> None:
    told = SavedCpu.vmstate.write(SavedCpu(make()), bytearray())
    assert told["version"] == 22
    assert shape(told["fields"]) == list(FIELDS)
    assert [(part["vmsd_name"], part["version"]) for part in told["subsections"]] == [
        ("cpu/vfp", 3), ("cpu/irq-line-state", 1),
    ]  # fmt: skip
    assert shape(told["subsections"][0]["fields"]) == list(VFP_FIELDS)
    assert shape(told["subsections"][1]["fields"]) == [("env.irq_line_state", "uint32", 4, 1)]


@pytest.mark.parametrize("levels", [{}, {"has_el2": True}, {"has_el2": True, "has_el3": True}])
def test_all_registers_survive(rng: random.Random, levels: dict[str, Any]) -> None:
    first, second = make(**levels), make(**levels)
    fill(first, rng)
    before = everything(first)
    SavedCpu.vmstate.load(SavedCpu(second), saved(first))
    assert everything(second) == before


@pytest.mark.parametrize("pstate", [0, 0x3C4, 0x3C5, 0xF020_0000, 0x0010_0005])
def test_pstate_and_stack_pointers(pstate: int) -> None:
    """Each stack pointer is in its place, whichever is in use."""
    first, second = make(), make()
    first.set_pstate(pstate)
    for el in range(4):
        first.set_banked_sp(el, 0x1000 + el)
    SavedCpu.vmstate.load(SavedCpu(second), saved(first))
    assert second.pstate == pstate
    assert second.sp == first.sp
    assert [second.banked_sp(el) for el in range(4)] == [0x1000, 0x1001, 0x1002, 0x1003]


@pytest.mark.parametrize("cpsr", [0x10, 0x6000_0030, 0x8600_FC30, 0x0800_0210])
def test_a_32_bit_program_goes_on(rng: random.Random, cpsr: int) -> None:
    """All that EL1 sees of it afterwards is the same, and QEMU finds its registers where AArch32's are."""
    first, second = make(), make()
    fill(first, rng)
    first.set_fpsr(0xA000_0010)
    first.sys.tpidrro_el0 = 0x1234_5678
    first.pc = 0x8000
    first.set_pstate(cpsr)
    state = saved(first)
    view = SavedCpu(second)
    SavedCpu.vmstate.load(view, state)
    assert view.regs == [*(first.x[number] for number in range(15)), 0x8000]
    assert second.pstate == cpsr
    assert second.aarch32.fpscr == 0xA700_0010
    assert second.aarch32.tpidruro == 0x1234_5678
    for cpu in (first, second):
        cpu.deliver(ArmException(Kind.UNDEFINED))
    assert not second.is_aarch32
    assert everything(second) == everything(first)


@pytest.mark.parametrize("mode", [0x10, 0x11, 0x12, 0x13, 0x17, 0x1B, 0x1F])
def test_an_operating_system_of_32_bits_goes_on(rng: random.Random, mode: int) -> None:
    """Registers of all modes, those in use and those that are not, and all that EL2 sees of them afterwards."""
    first, second = (Aarch64Cpu(has_el2=True) for _ in range(2))
    for number in range(31):
        first.x[number] = rng.getrandbits(32)
    first.set_spsr(1, 0x1111)
    first.sys.spsr_abt, first.sys.spsr_und, first.sys.spsr_irq, first.sys.spsr_fiq = 0x2222, 0x3333, 0x4444, 0x5555
    first.sys.tpidrro_el0, first.sys.fpexc32_el2, first.pc = 0x1234_5678, 1 << 30, 0x8000
    first.set_pstate(0x8000_01C0 | mode)
    state = saved(first)
    SavedCpu.vmstate.load(SavedCpu(second), state)
    assert SavedCpu.vmstate.save(SavedCpu(second)) == state
    assert [second.aarch32.r[number] for number in range(15)] == [first.aarch32.r[number] for number in range(15)]
    assert (second.pstate, second.pc, second.aarch32.spsr) == (first.pstate, 0x8000, first.aarch32.spsr)
    for cpu in (first, second):
        cpu.deliver(Aarch64Exception(EC_HVC32, target_el=2))
        assert cpu.el == 2
    assert everything(second) == everything(first)
    assert (second.spsr(1), second.sys.spsr_fiq, second.sys.fpexc32_el2) == (0x1111, 0x5555, 1 << 30)


def test_identifiers_are_kvms() -> None:
    assert identifier(SCTLR) == 0x603000000013C080
    listed = list(saved_registers(make()))
    assert listed == sorted(listed)
    by_name = {register.name: number for number, register in saved_registers(make()).items()}
    assert by_name["TTBR0_EL1"] == 0x603000000013C100
    assert by_name["CNTV_CVAL_EL0"] == 0x603000000013DF1A
    assert by_name["PAR_EL1"] == 0x40300000200F0380
    assert by_name["PMUSERENR_EL0"] == 0x40200000200F4F00
    assert by_name["PMOVSSET_EL0"] == 0x40200000200F4E03
    assert not {"NZCV", "DAIF", "SP_EL0", "ELR_EL1", "SPSR_EL1", "OSLAR_EL1", "CNTVCT_EL0"} & by_name.keys()


def test_what_el2_sees_of_aarch32_is_in_fields_and_not_in_the_list() -> None:
    first, second = (Aarch64Cpu(has_el2=True, has_el3=True) for _ in range(2))
    assert not {"SPSR_irq", "SPSR_fiq", "FPEXC32_EL2"} & {each.name for each in saved_registers(first).values()}
    first.sys.spsr_irq, first.sys.fpexc32_el2, first.sys.hcr_el2, first.sys.scr_el3 = 0x13, 1 << 30, 1 << 31, 1
    SavedCpu.vmstate.load(SavedCpu(second), saved(first))
    assert (second.sys.spsr_irq, second.sys.fpexc32_el2) == (0x13, 1 << 30)
    assert (second.sys.hcr_el2, second.sys.scr_el3, second.el2_enabled) == (1 << 31, 1, True)


def listed(cpu: Aarch64Cpu) -> dict[int, int]:
    view = SavedCpu(cpu)
    return dict(zip(view.indexes, view.values, strict=True))


def test_breakpoints_that_the_model_lacks_are_saved_only_where_they_are_used() -> None:
    """QEMU refuses a list with a register that it does not have."""
    cpu = make()
    sixth, fifth = identifier((2, 0, 0, 6, 4)), identifier((2, 0, 0, 5, 4))
    assert fifth in listed(cpu)
    assert sixth not in listed(cpu)
    cpu.sys.dbgbvr[6] = 0x1000
    assert listed(cpu)[sixth] == 0x1000


def with_list(change: dict[int, int], cpu: Aarch64Cpu | None = None) -> bytes:
    """A state with other registers in its list."""
    view = SavedCpu(cpu or make())
    view.kept = change
    return SavedCpu.vmstate.save(view)


def test_what_is_only_qemus_is_kept_and_goes_on() -> None:
    """Registers of AArch32, of the implementation, of event counters, of EL3."""
    foreign = {
        0x40200000200E0102: 5, 0x603000000013CF98: 0x8000000, 0x603000000013DF41: 7, 0x603000000013F510: 9,
    }  # fmt: skip
    view = SavedCpu(make())
    SavedCpu.vmstate.load(view, with_list(foreign))
    assert foreign.items() <= view.kept.items()
    state = SavedCpu.vmstate.save(view)
    assert state == with_list(foreign)
    view.reset()
    assert view.kept == {}


@pytest.mark.parametrize(
    ("number", "name"),
    [(identifier((3, 0, 8, 3, 1)), "S3_0_C8_C3_1"), (0x6030000000100000, "0x6030000000100000")],
)
def test_a_register_that_does_not_exist_is_refused(number: int, name: str) -> None:
    cpu = make()
    before = everything(cpu)
    with pytest.raises(LoadError, match=f"system register {name} does not exist here"):
        SavedCpu.vmstate.load(SavedCpu(cpu), with_list({number: 0}))
    assert everything(cpu) == before


def test_another_processor_is_refused() -> None:
    expected = r"system register ID_AA64MMFR0_EL1: expected 0x1124, found 0x1122 .*another one: -cpu"
    with pytest.raises(LoadError, match=expected):
        SavedCpu.vmstate.load(SavedCpu(make()), saved(make(model="cortex-a53")))


@pytest.mark.parametrize("pstate", [0x13, 0x3C9, 0x3CD, 1, 6])
def test_states_that_cannot_be_are_refused(pstate: int) -> None:
    state = bytearray(saved(make()))
    state[PSTATE : PSTATE + 4] = pstate.to_bytes(4, "big")
    with pytest.raises(LoadError, match="no state that"):
        SavedCpu.vmstate.load(SavedCpu(make()), bytes(state))


def test_a_list_out_of_order_and_a_length_beyond_bounds_are_refused() -> None:
    view = SavedCpu(make())
    state = bytearray(SavedCpu.vmstate.save(view))
    at = LIST - 4
    assert int.from_bytes(state[at : at + 4], "big") == view.count
    first, second = state[at + 4 : at + 12], state[at + 12 : at + 20]
    state[at + 4 : at + 20] = second + first
    with pytest.raises(LoadError, match="ascending order"):
        SavedCpu.vmstate.load(view, bytes(state))
    state[at : at + 4] = (1025).to_bytes(4, "big")
    with pytest.raises(LoadError, match="found 1025"):
        SavedCpu.vmstate.load(view, bytes(state))


def test_a_processor_that_is_off_stays_off() -> None:
    """And one that somebody is about to turn on, which later versions of QEMU know, is refused."""
    cpu, other = make(), make()
    cpu.turn_off()
    state = saved(cpu)
    SavedCpu.vmstate.load(SavedCpu(other), state)
    assert other.powered_off
    at = state.index(b"\x05\x07cpu/vfp") - 1
    with pytest.raises(LoadError, match="power_state"):
        SavedCpu.vmstate.load(SavedCpu(make()), state[:at] + b"\2" + state[at + 1 :])


def test_a_timer_rings_at_the_time_it_was_set_for() -> None:
    there = FakeClock(1_000_000)
    first = make(there)
    first.timer.write_compare(1, 100_000)  # of 16 ns each
    first.timer.write_control(1, 1)
    state = saved(first)
    assert first.timer.timers[1].deadline == 1_600_000
    here = FakeClock(1_000_000)
    second, heard = make(here), list[bool]()
    second.timer.outputs[1] = heard.append
    SavedCpu.vmstate.load(SavedCpu(second), state)
    assert True not in heard
    here.advance(599_999)
    assert True not in heard
    here.advance(1)
    assert heard[-1] is True


def test_a_timer_that_has_rung_drives_its_line_again() -> None:
    clock = FakeClock(1_000_000)
    first, second, heard = make(clock), make(clock), list[bool]()
    first.timer.write_control(0, 1)
    second.timer.outputs[0] = heard.append
    SavedCpu.vmstate.load(SavedCpu(second), saved(first))
    assert heard == [True]


def test_a_timer_that_was_about_to_ring_rings_when_the_guest_goes_on() -> None:
    """Its time had come, but the guest was stopped before its line rose."""
    there = FakeClock(1_000)
    first = make(there)
    first.timer.write_compare(0, 100)
    first.timer.write_control(0, 1)
    there._now = 2_000
    state = saved(first)
    here, heard = FakeClock(2_000), list[bool]()
    second = make(here)
    second.timer.outputs[0] = heard.append
    view = SavedCpu(second)
    SavedCpu.vmstate.load(view, state)
    assert SavedCpu.vmstate.save(view) == state
    assert True not in heard
    here.run_due()
    assert heard == [True]


def test_a_timer_is_saved_as_having_rung_only_when_it_has() -> None:
    """In QEMU one that has ISTATUS does not ring any more, and a handler of Linux looks at it."""
    clock, virtual = FakeClock(1_000), identifier((3, 3, 14, 3, 1))
    cpu = make(clock)
    cpu.timer.write_compare(1, 100)
    cpu.timer.write_control(1, 1)
    assert listed(cpu)[virtual] == 1
    clock._now = 2_000
    assert listed(cpu)[virtual] == 1  # its time has come, but nobody has noticed
    clock.run_due()
    assert listed(cpu)[virtual] == 5
    cpu.timer.write_control(1, 3)
    assert listed(cpu)[virtual] == 7


def test_the_cycle_counter_goes_on() -> None:
    there = FakeClock(5_000)
    first = make(there)
    first.write_sysreg(*PMCNTENSET, 1 << 31)
    first.write_sysreg(*PMCR, 1)
    there.advance(700)
    here = FakeClock(10)
    second = make(here)
    SavedCpu.vmstate.load(SavedCpu(second), saved(first))
    here.advance(50)
    assert second.cycle_counter.value == 750


def test_requests_and_waiting_survive() -> None:
    first, second = make(), make()
    first.interrupt(1 | 8)
    first.halted = True
    state = CommonState.vmstate.save(CommonState(first))
    assert state == (1).to_bytes(4, "big") + (0x202).to_bytes(4, "big")
    second.interrupt(2)
    CommonState.vmstate.load(CommonState(second), state)
    assert second.halted
    assert second.interrupt_request == 1 | 8


def test_bits_that_a_register_lacks_are_dropped() -> None:
    """As if the guest had written it."""
    first, second = make(), make()
    first.sys.vbar_el1, first.sys.cpacr_el1, first.sys.csselr_el1 = 0x1234_5FFF, M64, 0xFF
    first.timer.control[0], first.sys.pmcnten, first.sys.oslsr_el1 = 0xFE, M64, 0xFF
    SavedCpu.vmstate.load(SavedCpu(second), saved(first))
    state = second.sys
    assert (state.vbar_el1, state.cpacr_el1, state.csselr_el1) == (0x1234_5800, 0xD0F0_0000, 15)
    assert (second.timer.control[0], state.pmcnten, state.oslsr_el1) == (2, 1 << 31, 10)


def test_spoilt_states_are_refused_or_taken(rng: random.Random) -> None:
    check_spoilt_states(SavedCpu.vmstate, SavedCpu(make()), saved(make()), rng, CASES)


@needs_qemu_arm
def test_what_qemu_sends_is_taken_and_sent_back() -> None:
    """The section of Debian's QEMU 7.2, byte by byte: all of its registers are known or kept."""
    data, told = Stream(("virt-2.6", "-cpu", "cortex-a57", "-m", "64")).state("cpu")
    cpu = make()
    view = SavedCpu(cpu)
    SavedCpu.vmstate.load(view, data)
    assert (cpu.pstate, cpu.sys.sctlr_el1, cpu.sys.oslsr_el1) == (0x4000_03C5, 0x00C5_0838, 10)
    again = bytearray()
    described = SavedCpu.vmstate.write(view, again)
    assert described["fields"] == told["fields"]
    assert described["subsections"] == told["subsections"]
    pmcr = identifier(PMCR)  # QEMU has another implementer's code there, and event counters; both are read-only
    before = LIST + 8 * (view.count + view.indexes.index(pmcr))
    assert again[:before] == data[:before]
    assert again[before + 8 :] == data[before + 8 :]


DIFFERENT = {
    (3, 3, 9, 12, 0),  # PMCR_EL0: another implementer's code, and event counters
    (3, 4, 1, 0, 0), (3, 4, 1, 1, 1),  # SCTLR_EL2, MDCR_EL2
    (3, 4, 14, 1, 0),  # CNTHCTL_EL2
}  # fmt: skip
"""Registers that may be something else after a reset: their values are taken."""
OLD_NAMES = {own(1, 1, 1, opc1=4), own(14, 1, 0, opc1=4)}  #: HDCR and CNTHCTL: the same ones in AArch32 state


@needs_qemu_arm
@pytest.mark.parametrize(
    ("board", "model", "levels"),
    [
        ("virt-2.6", "cortex-a57", {}),
        ("virt-2.6", "cortex-a53", {}),
        ("virt-2.6,gic-version=3", "cortex-a57", {}),
        ("virt-2.6,virtualization=on", "cortex-a57", {"has_el2": True}),
        ("virt-2.6,secure=on", "cortex-a57", {"has_el3": True}),
        ("virt-2.6,secure=on,virtualization=on", "cortex-a53", {"has_el2": True, "has_el3": True}),
    ],
)
def test_the_list_is_qemus(board: str, model: str, levels: dict[str, Any]) -> None:
    """It refuses a list with a register that it lacks, or with another value of one that cannot be written, and has no
    value for a register that is not in the list."""
    data, _ = Stream((board, "-cpu", model, "-m", "64")).state("cpu")
    view = SavedCpu(make(model=model, **levels))
    SavedCpu.vmstate.load(view, data)
    theirs = dict(zip(view.indexes, view.values, strict=True))
    own = SavedCpu(make(model=model, **levels), peripherals=0x0800_0000)
    assert [title(number) for number in own.indexes] == [title(number) for number in theirs]
    different = {number for number, value in zip(own.indexes, own.values, strict=True) if theirs[number] != value}
    assert different <= {identifier(key) for key in DIFFERENT} | OLD_NAMES, [title(each) for each in different]


@pytest.mark.parametrize(
    ("levels", "hcr", "scr"),
    [
        ({"has_el2": True}, 0x2000_0001, None),
        ({"has_el3": True}, None, 0x435),
        ({"has_el2": True, "has_el3": True}, 1, 0x535),
    ],
)
def test_bits_that_are_reserved_with_some_levels_are_not_sent(
    levels: dict[str, bool], hcr: int | None, scr: int | None
) -> None:
    """QEMU refuses them: HCR_EL2.HCD, SCR_EL3.HCE; two of SCR_EL3 are always one."""
    cpu = make(**levels)
    cpu.sys.hcr_el2, cpu.sys.scr_el3 = 0x2000_0001, 0x505
    values = listed(cpu)
    assert (values.get(identifier((3, 4, 1, 1, 0))) if cpu.has_el2 else None) == hcr
    assert values.get(identifier((3, 6, 1, 1, 0))) == scr
