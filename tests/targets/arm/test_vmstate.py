"""The saved state of a 32-bit processor: QEMU's layout, nothing lost, nothing taken that cannot be."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom.vmstate import LoadError
from pyqemu.system.clock import FakeClock
from pyqemu.targets.arm import modes
from pyqemu.targets.arm.extension import quad
from pyqemu.targets.arm.modes import ABT, FIQ, HYP, IRQ, MON, SVC, SYS, UND, USR
from pyqemu.targets.arm.state import ArmCpu
from pyqemu.targets.arm.vmstate import CommonState, SavedCpu
from tests.hw.test_board_streams import Stream
from tests.qtest_reference import needs_qemu_arm
from tests.targets.arm.spoilt import check_spoilt_states

CASES = 300
MODES = (USR, FIQ, IRQ, SVC, ABT, UND, SYS)
QEMU = {"arm926": "versatilepb", "cortex-a9": "vexpress-a9,secure=off",
        "cortex-a15": "vexpress-a15,secure=off,virtualization=off"}  # fmt: skip
VERSATILE = ("arm1026", "arm1136", "arm1136-r2", "arm1176", "arm11mpcore", "cortex-a8")
PMCR = 0x6030_0000_0013_DCE0
MIDR, SCTLR, SCTLR_SECURE = 0x4020_0000_200F_0000, 0x6030_0000_0013_C080, 0x4020_0000_000F_0800
PRIVATE = {"cortex-a9": 0x1E00_0000, "cortex-a15": 0x2C00_0000}  #: CBAR on those boards
M64 = (1 << 64) - 1


def processor(model: str = "cortex-a15") -> ArmCpu:
    space = AddressSpace("memory", MemoryRegion.container("memory"))
    return ArmCpu(model, memory=space, io=space, engine=None, clock=FakeClock())


def shaken(rng: random.Random, model: str, mode: int) -> ArmCpu:
    """A processor in *mode* with something else in every register."""
    cpu = processor(model)
    for each in MODES:
        cpu.enter_mode(each)
        for number in range(15):
            cpu.r[number] = rng.getrandbits(32)
        cpu.spsr = rng.getrandbits(32)
    cpu.set_cpsr(rng.getrandbits(32) & 0xF80F_01C0 | mode)
    cpu.pc = rng.getrandbits(32) & ~3
    for number in range(16):
        cpu.v[quad(number)] = rng.getrandbits(128)
    cpu.set_fpscr(rng.getrandbits(32) & 0xF7C0_009F)
    for number, register in SavedCpu(cpu).registers.items():
        if register.store is not None and number != PMCR:
            register.store(cpu, rng.getrandbits(32))
    for timer in range(4):
        cpu.timer.resume(timer)
    cpu.translation_changed()
    return cpu


def banked(cpu: ArmCpu) -> list[int]:
    """The registers of all modes, and SPSRs, as programs see them."""
    found, before = [], cpu.cpu_mode
    for mode in MODES:
        cpu.enter_mode(mode)
        found += [*(cpu.r[number] for number in range(8, 15)), cpu.spsr if mode not in (USR, SYS) else 0]
    cpu.enter_mode(before)
    return found


@pytest.mark.parametrize("model", list(QEMU))
@pytest.mark.parametrize("mode", MODES)
def test_all_registers_move(rng: random.Random, model: str, mode: int) -> None:
    before, after = SavedCpu(shaken(rng, model, mode)), SavedCpu(shaken(rng, model, SVC))
    state = SavedCpu.vmstate.save(before)
    SavedCpu.vmstate.load(after, state)
    assert SavedCpu.vmstate.save(after) == state
    ours, theirs = before.cpu, after.cpu
    assert [ours.r[number] for number in range(15)] == [theirs.r[number] for number in range(15)]
    assert (ours.pc, ours.cpsr, ours.mode) == (theirs.pc, theirs.cpsr, theirs.mode)
    assert banked(ours) == banked(theirs)
    assert [ours.v[quad(number)] for number in range(16)] == [theirs.v[quad(number)] for number in range(16)]
    for register in before.registers.values():
        assert register.read(ours) == register.read(theirs), register.name


def test_a_banked_register_is_at_qemus_place(rng: random.Random) -> None:
    cpu = shaken(rng, "cortex-a9", SVC)
    saved = SavedCpu(cpu)
    for place, mode in enumerate((USR, SVC, ABT, UND, IRQ, FIQ)):
        cpu.enter_mode(mode)
        assert (saved.banked_r13[place], saved.banked_r14[place]) == (cpu.r[13], cpu.r[14])


@pytest.mark.parametrize("request_", [0, 1, 2, 3])
def test_requests_are_qemus(request_: int) -> None:
    before, after = processor(), processor()
    before.halted = True
    before.interrupt(request_)
    CommonState.vmstate.load(CommonState(after), CommonState.vmstate.save(CommonState(before)))
    assert (after.halted, after.interrupt_request) == (True, request_)


@pytest.mark.parametrize(("mode", "why"), [
    (HYP, "is no state that this processor can be in"),
    (MON, "is no state that this processor can be in"),
    (0x05, "is no state that this processor can be in"),
    (0x14, "is no state that this processor can be in"),
])  # fmt: skip
def test_modes_that_are_not_there_are_refused(mode: int, why: str) -> None:
    with pytest.raises(LoadError, match=why):
        load_changed(lambda saved: setattr(saved, "pstate", mode))


def test_another_processor_is_refused() -> None:
    before = SavedCpu(processor("cortex-a9"))
    with pytest.raises(LoadError, match="register MIDR: expected 0x412fc0f1, found 0x410fc090"):
        SavedCpu.vmstate.load(SavedCpu(processor("cortex-a15")), SavedCpu.vmstate.save(before))


def load_changed(change: Any) -> None:
    """Load a state in which something was changed after it was collected."""
    saved = SavedCpu(processor())

    class Changed(SavedCpu):
        def collect(self) -> None:
            super().collect()
            change(self)

    changed = Changed(processor())
    SavedCpu.vmstate.load(saved, SavedCpu.vmstate.save(changed))


@needs_qemu_arm
@pytest.mark.parametrize("model", [*QEMU, *VERSATILE])
def test_the_list_is_qemus(model: str) -> None:
    """It refuses a list with a register that it lacks, or with another value of one that cannot be written, and has no
    value for a register that is not in the list. (QEMU's Cortex-A15 is a later one by now.)"""
    theirs = qemus_list(model)
    cpu = processor(model)
    cpu.cbar = PRIVATE.get(model, 0)
    saved = SavedCpu(cpu)
    assert saved.indexes == list(theirs)
    different = {number for number in saved.indexes if saved.values[saved.indexes.index(number)] != theirs[number]}
    assert different <= {PMCR, MIDR, SCTLR_SECURE, *((SCTLR,) if model == "arm11mpcore" else ())}


def test_what_qemu_has_only_once_is_sent_as_it_has_it() -> None:
    """ACTLR and AMAIR, which never change there; bits of PAR that it lacks; VFP without NEON."""
    cpu = processor("cortex-a9")
    cpu.sys.actlr_el1, cpu.sys.amair_el1, cpu.sys.par_el1 = 0x40, 7, 0xFFFF_FFFF
    values = listed(cpu)
    assert values[0x4020_0000_200F_0801] == values[0x6030_0000_0013_C081] == 0
    assert values[0x4020_0000_200F_3A00] == 0xFFFF_F6FF
    old = processor("arm1136")
    old.sys.cpacr_el1 = 0xF << 20
    assert listed(old)[0x4020_0000_200F_0802] == listed(old)[0x6030_0000_0013_C082] == 0xC0F0_0000
    SavedCpu.vmstate.load(view := SavedCpu(processor("arm1136")), SavedCpu.vmstate.save(SavedCpu(old)))
    assert view.cpu.sys.cpacr_el1 == 0xF << 20


def listed(cpu: ArmCpu) -> dict[int, int]:
    saved = SavedCpu(cpu)
    return dict(zip(saved.indexes, saved.values, strict=True))


@needs_qemu_arm
@pytest.mark.parametrize("model", ["arm926", "cortex-a9"])
def test_a_state_that_qemu_sent(model: str) -> None:
    """After a reset it is as ours; what is not here is kept. (QEMU's Cortex-A15 is a later one by now.)"""
    state, _ = Stream((QEMU[model],)).state("cpu")
    saved = SavedCpu(processor(model))
    fresh = SavedCpu(processor(model))
    SavedCpu.vmstate.load(saved, state)
    cpu = saved.cpu
    assert (cpu.cpsr, cpu.pc, cpu.cpu_mode) == (fresh.cpu.cpsr, 0, SVC)
    for number, register in saved.registers.items():
        assert number == PMCR or register.read(cpu) == register.read(fresh.cpu), register.name
    again = SavedCpu.vmstate.save(saved)
    assert saved.indexes == sorted(qemus_list(model))
    if model != "arm926":  # whose extension registers QEMU forgets
        assert len(again) == len(state)


def qemus_list(model: str) -> dict[int, int]:
    """Identifiers and values in the list that QEMU sends."""
    board = (QEMU[model],) if model in QEMU else ("versatilepb", "-cpu", model)
    state, told = Stream(board).state("cpu")
    at, found = 0, {}
    for field in told["fields"]:
        length = field["size"] * field.get("array_len", 1)
        found[field["name"]] = [int.from_bytes(state[n : n + 8], "big") for n in range(at, at + length, 8)]
        at += length
    return dict(zip(found["cpreg_vmstate_indexes"], found["cpreg_vmstate_values"], strict=True))


def test_stale_banks_do_not_matter(rng: random.Random) -> None:
    """What is in use is not in its bank."""
    cpu = shaken(rng, "cortex-a9", IRQ)
    slot = modes.banked(13, IRQ)
    assert slot is not None
    cpu.q[slot >> 3] = 0xDEAD
    assert SavedCpu(cpu).banked_r13[4] == cpu.r[13]


@pytest.mark.parametrize("model", list(QEMU))
def test_spoilt_states_are_refused_or_taken(rng: random.Random, model: str) -> None:
    good = SavedCpu.vmstate.save(SavedCpu(shaken(rng, model, SVC)))
    check_spoilt_states(SavedCpu.vmstate, SavedCpu(processor(model)), good, rng, CASES)


def test_debug_registers_move() -> None:
    """Under both of their numbers, in which QEMU has them."""
    before, after = processor(), processor()
    before.sys.dbgbvr[5], before.sys.dbgwcr[3], before.sys.mdscr_el1, before.sys.oslsr_el1 = 0x1000, 5, 1 << 15, 8
    view = SavedCpu(before)
    assert [view.values[view.indexes.index(number)] for number in (0x4020_0000_200E_0284, 0x6030_0000_0013_802C)] == [
        0x1000, 0x1000,
    ]  # fmt: skip
    SavedCpu.vmstate.load(SavedCpu(after), SavedCpu.vmstate.save(view))
    state = after.sys
    assert (state.dbgbvr[5], state.dbgwcr[3], state.mdscr_el1, state.oslsr_el1) == (0x1000, 5, 1 << 15, 8)
