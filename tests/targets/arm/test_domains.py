"""A write of DACR is seen by the next access, whatever the software TLB has kept."""

from __future__ import annotations

import random

import pytest

from pyqemu.targets.arm.domains import taken_from
from pyqemu.targets.arm.modes import SVC, USR
from pyqemu.targets.arm.short_descriptors import CLIENT, MANAGER, NO_ACCESS
from tests.targets.arm.guest import Guest

TABLE, DOMAINS, MEGABYTE = 0x4000, 4, 1 << 20
CODE_DOMAIN = 15
ROUNDS, STEPS = 6, 40
ACCESS_PERMISSIONS = (
    1,
    2,
    3,
    1,
)  #: of the pages of each domain: privileged only, read-only for User mode, all, as first
KINDS = {"load": "ldr r0, [r1]", "store": "str r0, [r1]", "user load": "ldrt r0, [r1]", "user store": "strt r0, [r1]"}


def translating(engine: str) -> Guest:
    """Addresses of each domain lead to the fourth mebibyte; the code leads to itself, in a domain of its own."""
    guest = Guest(engine)
    guest.put(TABLE, CODE_DOMAIN << 5 | 3 << 10 | 2)
    for domain in range(DOMAINS):
        descriptor = 3 * MEGABYTE | ACCESS_PERMISSIONS[domain] << 10 | domain << 5 | 2
        guest.put(TABLE + 4 * (16 + domain), descriptor)
    cpu = guest.cpu
    cpu.write_coprocessor(15, 0, 2, 0, 0, TABLE)
    cpu.write_coprocessor(15, 0, 3, 0, 0, MANAGER << 2 * CODE_DOMAIN)
    cpu.write_coprocessor(15, 0, 1, 0, 0, cpu.sys.sctlr_el1 | 1)
    return guest


def permitted(dacr: int, domain: int, kind: str, *, user: bool) -> bool:
    """What the manual says (B3.7.1, B3.7.3)."""
    control = dacr >> 2 * domain & 3
    if control != CLIENT:
        return control == MANAGER
    if not user and not kind.startswith("user"):
        return True
    permission = ACCESS_PERMISSIONS[domain]
    return permission == 3 or (permission == 2 and kind.endswith("load"))


@pytest.mark.parametrize("engine", ["python", "stencil"])
def test_accesses_are_what_dacr_says_now(engine: str, rng: random.Random) -> None:
    """By both modes, and by privileged modes as User mode; also by what comes back to a value that was before."""
    for _ in range(ROUNDS):
        guest = translating(engine)
        values = [rng.choice((NO_ACCESS, CLIENT, CLIENT, MANAGER)) for _ in range(DOMAINS)]
        for step in range(STEPS):
            if rng.random() < 0.6:
                values[rng.randrange(DOMAINS)] = rng.choice((NO_ACCESS, CLIENT, CLIENT, MANAGER))
            dacr = sum(value << 2 * domain for domain, value in enumerate(values)) | MANAGER << 2 * CODE_DOMAIN
            guest.cpu.set_cpsr(guest.cpu.cpsr & ~0x1F | SVC)
            guest.run("mcr p15, #0, r0, c3, c0, #0", r0=dacr)
            user, domain, kind = rng.random() < 0.5, rng.randrange(DOMAINS), rng.choice([*KINDS])
            found = guest.run(KINDS[kind], mode=USR if user else SVC, r0=step, r1=(16 + domain) * MEGABYTE)
            assert (found is None) == permitted(dacr, domain, kind, user=user), (step, hex(dacr), domain, kind, user)


@pytest.mark.parametrize(
    ("old", "new", "domains"),
    [(CLIENT, NO_ACCESS, 1), (NO_ACCESS, CLIENT, 0), (MANAGER, CLIENT, 1), (CLIENT, MANAGER, 0),
     (MANAGER, NO_ACCESS, 1), (2, NO_ACCESS, 0), (CLIENT, 2, 1), (MANAGER, 2, 1), (CLIENT << 8, MANAGER << 8 | 1, 0),
     (0x5555_5555, 0x1555_5555, 1 << 30)],
)  # fmt: skip
def test_what_is_taken(old: int, new: int, domains: int) -> None:
    assert taken_from(old, new) == domains


def test_the_kernels_way_in_and_out_flushes_nothing() -> None:
    """DACR is written at entry and exit, and the pages of both modes stay."""
    guest = translating("stencil")
    cpu = guest.cpu
    with_user, without = (MANAGER << 2 * CODE_DOMAIN | value for value in (CLIENT << 4, 0))
    address = (16 + 2) * MEGABYTE
    guest.run("mcr p15, #0, r0, c3, c0, #0", r0=with_user)
    assert guest.run("ldr r0, [r1]", mode=USR, r1=address) is None
    fills = []
    assert cpu.mmu is not None
    flush = cpu.mmu.flush_index
    cpu.mmu.flush_index = lambda mmu: (fills.append(mmu), flush(mmu))[1]  # type: ignore[method-assign]
    cpu.set_cpsr(cpu.cpsr & ~0x1F | SVC)
    for dacr in (without, with_user):
        guest.run("mcr p15, #0, r0, c3, c0, #0", r0=dacr)
    assert guest.run("ldr r0, [r1]", mode=USR, r1=address) is None
    assert fills == []
    cpu.set_cpsr(cpu.cpsr & ~0x1F | SVC)
    guest.run("mcr p15, #0, r0, c3, c0, #0", r0=without)
    assert guest.run("ldr r0, [r1]", mode=USR, r1=address) is not None
    assert fills == [1]
