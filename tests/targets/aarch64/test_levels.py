"""EL2 and EL3: calls upwards, Secure state and what its accesses see, what a hypervisor's guest gets of a GICv3."""

from __future__ import annotations

import pytest

from pyqemu.hw.intc.arm_gicv3 import ArmGicV3, Mode
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.targets.aarch64.exceptions import Aarch64Exception
from pyqemu.targets.aarch64.layout import EC_HVC64, EC_SMC64, EC_SYSTEM, EC_UNKNOWN, VIRQ
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.targets.aarch64.sysregs import BY_NAME
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.stencil_engine import StencilEngine
from tests.targets.aarch64.guest import CODE, STOP, Guest, assemble

SCR_NS, SCR_FIQ, SCR_SMD, SCR_HCE = 1, 1 << 2, 1 << 7, 1 << 8
HCR_IMO, HCR_TSC, HCR_HCD = 1 << 4, 1 << 19, 1 << 29
SECURE = 1 << 52
HIDDEN, TABLES = 0x100000, 0x20000
VALID_PAGE, NS = 0x403, 1 << 5
TCR = 25 | 5 << 16  # of EL3: 39 bits
TCR1 = 25 | 25 << 16 | 2 << 30 | 5 << 32


def call(guest: Guest, text: str, el: int) -> Aarch64Exception:
    exc = guest.run(text, el=el)
    assert exc is not None
    guest.cpu.deliver(exc)
    return exc


def entered(cpu: Aarch64Cpu) -> tuple[int, int]:
    """Exception level and class of what was taken."""
    return cpu.el, cpu.sys.of("esr", cpu.el) >> 26


def test_calls_go_to_the_level_that_answers_them() -> None:
    guest = Guest(has_el2=True, has_el3=True)
    cpu = guest.cpu
    cpu.sys.scr_el3 = SCR_NS | SCR_HCE
    call(guest, "hvc #5", 1)
    assert entered(cpu) == (2, EC_HVC64)
    assert (cpu.elr(2), cpu.sys.esr_el2 & 0xFFFF) == (CODE + 4, 5)
    call(guest, "smc #6", 1)
    assert entered(cpu) == (3, EC_SMC64)
    call(guest, "hvc #0", 3)
    assert entered(cpu) == (3, EC_HVC64)


@pytest.mark.parametrize(
    ("scr", "hcr", "text"),
    [(SCR_NS, 0, "hvc #0"), (SCR_HCE, 0, "hvc #0"), (SCR_NS | SCR_SMD, 0, "smc #0"), (SCR_SMD, HCR_TSC, "smc #0")],
    ids=["HVC is off", "HVC in Secure state", "SMC is off", "nobody traps SMC in Secure state"],
)
def test_calls_that_are_not_permitted_are_undefined(scr: int, hcr: int, text: str) -> None:
    guest = Guest(has_el2=True, has_el3=True)
    guest.cpu.sys.scr_el3, guest.cpu.sys.hcr_el2 = scr, hcr
    call(guest, text, 1)
    assert entered(guest.cpu) == (1, EC_UNKNOWN)


def test_a_hypervisor_can_do_without_calls_and_keeps_those_to_firmware() -> None:
    guest = Guest(has_el2=True)
    cpu = guest.cpu
    cpu.firmware_call = lambda ec: ec == EC_SMC64
    cpu.sys.hcr_el2 = HCR_HCD
    call(guest, "hvc #0", 1)
    assert entered(cpu) == (1, EC_UNKNOWN)
    call(guest, "smc #0", 1)
    assert (cpu.el, cpu.pc) == (1, CODE + 4)  # it was answered
    cpu.sys.hcr_el2 = HCR_TSC
    call(guest, "smc #9", 1)
    assert entered(cpu) == (2, EC_SMC64)
    assert (cpu.elr(2), cpu.sys.esr_el2 & 0xFFFF) == (CODE, 9)  # a trap, not a call


def test_a_hypervisor_is_told_what_its_guest_asks_of_registers() -> None:
    """What KVM needs to act for them: which register, which direction, and which general register."""
    guest = Guest(has_el2=True)
    cpu = guest.cpu
    cpu.sys.hcr_el2 = 1 << 26  # TVM
    cpu.mode_changed()
    call(guest, "msr sctlr_el1, x7", 1)
    assert entered(cpu) == (2, EC_SYSTEM)
    assert cpu.sys.esr_el2 & 0x1FFFFFF == 3 << 20 | 0 << 17 | 0 << 14 | 1 << 10 | 7 << 5


# --- Secure state -----------------------------------------------------------------------------------------------------


class Worlds:
    """A processor with EL3 and two worlds: HIDDEN is memory of the secure one."""

    def __init__(self) -> None:
        everybody = MemoryRegion.container("everybody", 1 << 48)
        everybody.add(0, MemoryRegion.ram("ram", 1 << 20))
        secure = MemoryRegion.container("secure", 1 << 48)
        secure.add(0, MemoryRegion.alias("all", everybody, 0, 1 << 48), priority=-1)
        secure.add(HIDDEN, MemoryRegion.ram("hidden", 0x10000))
        both = MemoryRegion.container("both")
        both.add(0, MemoryRegion.alias("nonsecure", everybody, 0, 1 << 48))
        both.add(SECURE, MemoryRegion.alias("secure", secure, 0, 1 << 48))
        self.engine: Engine = StencilEngine()
        self.cpu = Aarch64Cpu(memory=AddressSpace("both", both), engine=self.engine, has_el3=True)
        self.cpu.secure_space = SECURE
        self.cpu.memory.write(SECURE | HIDDEN, b"secret!!")

    def run(self, text: str, el: int) -> Aarch64Exception | None:
        cpu = self.cpu
        code = assemble(text)
        cpu.memory.write(CODE, code + assemble(STOP))
        cpu.enter(el, int(el > 0))
        cpu.pc = CODE
        try:
            with cpu.lock:
                while True:
                    self.engine.execute()
        except Aarch64Exception as exc:
            return None if cpu.pc == CODE + len(code) else exc

    def map(self, place: int, leaf: int, *, through: int = 3) -> None:
        """Tables of three levels at *place* for the first 2 MiB; HIDDEN has the descriptor *leaf*."""
        memory = self.cpu.memory
        memory.store(place, 8, place + 0x1000 & ~SECURE | through)
        memory.store(place + 0x1000, 8, place + 0x2000 & ~SECURE | 3)
        memory.store(place + 0x2000 + (CODE >> 12) * 8, 8, CODE | VALID_PAGE)
        memory.store(place + 0x2000 + (HIDDEN >> 12) * 8, 8, leaf)


@pytest.fixture
def worlds() -> Worlds:
    return Worlds()


SECRET = int.from_bytes(b"secret!!", "little")


@pytest.mark.parametrize(("el", "scr", "seen"), [(3, SCR_NS, True), (3, 0, True), (1, 0, True), (1, SCR_NS, False)])
def test_without_translation_the_state_decides(worlds: Worlds, el: int, scr: int, seen: bool) -> None:
    cpu = worlds.cpu
    cpu.write_sysreg(*BY_NAME["SCR_EL3"].key, scr)
    cpu.x[1] = HIDDEN
    assert worlds.run("ldr x0, [x1]", el) is None
    assert (cpu.x[0] == SECRET) is seen


@pytest.mark.parametrize("el", [1, 3])
@pytest.mark.parametrize("nonsecure", ["no", "page", "table"])
def test_descriptors_of_secure_state_may_lead_out_of_it(worlds: Worlds, el: int, nonsecure: str) -> None:
    """NS of a page; NSTable of a table: what it leads to is read from the other world, and leads there."""
    cpu = worlds.cpu
    worlds.map(TABLES, HIDDEN | VALID_PAGE | (NS if nonsecure == "page" else 0),
               through=3 | (1 << 63 if nonsecure == "table" else 0))  # fmt: skip
    cpu.sys.set("tcr", el, TCR if el == 3 else TCR1)
    cpu.sys.set("ttbr0", el, TABLES)
    cpu.sys.set("sctlr", el, cpu.sys.of("sctlr", el) | 1)
    cpu.translation_changed()
    cpu.x[1] = HIDDEN
    assert worlds.run("ldr x0, [x1]", el) is None
    assert (cpu.x[0] == SECRET) is (nonsecure == "no")
    worlds.run(f"at s1e{el}r, x1; mrs x2, par_el1", 3)
    assert cpu.x[2] >> 9 & 1 == (nonsecure != "no")


def test_tables_of_nonsecure_state_are_not_in_secure_memory(worlds: Worlds) -> None:
    cpu = worlds.cpu
    worlds.map(SECURE | HIDDEN + 0x4000, HIDDEN | VALID_PAGE)
    cpu.sys.tcr_el1, cpu.sys.ttbr0_el1 = TCR1, HIDDEN + 0x4000
    cpu.sys.sctlr_el1 |= 1
    cpu.translation_changed()
    cpu.x[1] = HIDDEN
    assert worlds.run("ldr x0, [x1]", 1) is None
    assert cpu.x[0] == SECRET
    cpu.enter(3, 1)
    cpu.write_sysreg(*BY_NAME["SCR_EL3"].key, SCR_NS)
    cpu.enter(1, 1)
    assert cpu.debug_translate(HIDDEN) is None


# --- the virtual interface of a GICv3 ---------------------------------------------------------------------------------


def with_gic(**levels: bool) -> tuple[Aarch64Cpu, ArmGicV3]:
    cpu = Guest(**levels).cpu
    gic = ArmGicV3(num_cpu=1, num_irq=64, security_extn=levels.get("has_el3", False))
    part = gic.cpus[0]
    part.has_virtual = levels.get("has_el2", False)
    part.virtual.irq.connect(lambda level: cpu.set_virtual_line(VIRQ, level))
    part.mode = lambda: Mode(cpu.is_secure, cpu.el, bool(cpu.sys.scr_el3 & SCR_FIQ))
    cpu.gic = part.interface
    return cpu, gic


def put(cpu: Aarch64Cpu, name: str, value: int) -> None:
    cpu.write_sysreg(*BY_NAME[name].key, value)


def get(cpu: Aarch64Cpu, name: str) -> int:
    return cpu.read_sysreg(*BY_NAME[name].key)


def test_a_guest_has_the_virtual_interface_under_the_same_names() -> None:
    cpu, _ = with_gic(has_el2=True)
    cpu.enter(2, 1)
    put(cpu, "ICC_PMR_EL1", 0x80)
    put(cpu, "ICH_HCR_EL2", 1)
    put(cpu, "ICH_VMCR_EL2", 0xF8 << 24 | 2)
    put(cpu, "ICH_LR2_EL2", 1 << 62 | 1 << 60 | 0x40 << 48 | 35)
    put(cpu, "HCR_EL2", HCR_IMO)
    assert get(cpu, "ICC_IAR1_EL1") == 1023
    cpu.enter(1, 1)
    assert get(cpu, "ICC_PMR_EL1") == 0xF8
    assert get(cpu, "ISR_EL1") == 0x80
    assert get(cpu, "ICC_IAR1_EL1") == 35
    assert get(cpu, "ISR_EL1") == 0
    put(cpu, "ICC_EOIR1_EL1", 35)
    with pytest.raises(Aarch64Exception) as caught:
        put(cpu, "ICC_SGI1R_EL1", 0)
    assert (caught.value.ec, caught.value.target_el) == (EC_SYSTEM, 2)
    cpu.enter(2, 1)
    assert (get(cpu, "ICH_ELRSR_EL2"), get(cpu, "ICC_PMR_EL1")) == (15, 0x80)
    put(cpu, "ICH_HCR_EL2", 1 | 1 << 12)  # TALL1
    cpu.enter(1, 1)
    with pytest.raises(Aarch64Exception):
        get(cpu, "ICC_IAR1_EL1")
    get(cpu, "ICC_PMR_EL1")


def test_el3_keeps_the_groups_that_it_takes() -> None:
    cpu, _ = with_gic(has_el3=True)
    put(cpu, "SCR_EL3", SCR_NS | SCR_FIQ)
    cpu.enter(1, 1)
    get(cpu, "ICC_IAR1_EL1")
    with pytest.raises(Aarch64Exception) as caught:
        get(cpu, "ICC_IAR0_EL1")
    assert caught.value.target_el == 3


def test_nonsecure_group_1_is_an_fiq_to_secure_state() -> None:
    cpu, gic = with_gic(has_el3=True)
    part = gic.cpus[0]
    gic.gicd_ctlr |= 2
    part.group, part.enabled, part.pending = 1 << 5, 1 << 5, 1 << 5
    put(cpu, "SCR_EL3", SCR_NS)
    put(cpu, "ICC_PMR_EL1", 0xF8)
    put(cpu, "ICC_IGRPEN1_EL3", 1)
    assert (part.irq.level, part.fiq.level) == (False, True)
    cpu.enter(1, 1)
    assert (part.irq.level, part.fiq.level) == (True, False)
