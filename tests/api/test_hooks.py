"""Hooks in plain Python: where they are called, what they may do, and that nothing is left of them."""

from __future__ import annotations

import pytest

import pyqemu
from pyqemu.api.hooks import Access, Event, PortAccess
from pyqemu.api.outcomes import Breakpoint, HaltedForever, Stopped, TimedOut
from pyqemu.system import RunState
from pyqemu.tcg.blocks import BlockCache
from pyqemu.tcg.translate import Block
from pyqemu.util.errors import UserError

END = "cli\nhlt"
COUNT = f"xor ax, ax\nmov cx, 100\nagain: inc ax\nloop again\n{END}"
STORES = f"""
        mov cx, 50
again:  mov [0x5000], cx
        mov dword [0x5ffe], 0x11223344
        mov al, [0x5001]
        mov [0x6002], al
        loop again
        {END}
"""


class Oops(Exception):
    """What hooks of these tests raise."""


# --- execution -------------------------------------------------------------------------------------------------------


def test_function_is_called_each_time_an_address_is_reached(boot) -> None:
    machine = boot(COUNT)
    values = []
    hook = machine.hooks.execute(0x7C05, lambda address: values.append((address, machine.cpu.registers["ax"])))
    assert machine.run(60) == HaltedForever()
    assert values == [(0x7C05, n) for n in range(100)]
    assert hook.count == 100


def test_address_in_the_middle_of_a_block_and_of_an_instruction(boot) -> None:
    machine = boot(f"mov eax, 0x12345678\nmov bx, 2\nmov dx, 3\n{END}")
    middle = machine.hooks.execute(0x7C03, lambda _: None)  # no instruction begins there
    second = machine.hooks.execute(0x7C06, lambda _: None)
    assert machine.run(60) == HaltedForever()
    assert (middle.count, second.count) == (0, 1)
    assert [machine.cpu.registers[name] for name in ("eax", "bx", "dx")] == [0x12345678, 2, 3]


def test_function_may_change_registers_and_flags(boot) -> None:
    machine = boot(f"xor ax, ax\nhere: jz same\nmov bx, 1\n{END}\nsame: mov bx, 2\n{END}")

    def clear_zero(_: int) -> None:
        machine.cpu.registers["rflags"] &= ~0x40

    machine.hooks.execute(0x7C02, clear_zero)
    assert machine.run(60) == HaltedForever()
    assert machine.cpu.registers["bx"] == 1


def test_function_may_go_somewhere_else(boot) -> None:
    """As a test does that replaces a function of the guest."""
    machine = boot(f"mov bx, 1\ncall slow\n{END}\nslow: mov bx, 99\njmp $")
    call_target = 0x7C08

    def at_once(_: int) -> None:
        registers = machine.cpu.registers
        registers["rip"] = machine.memory.read_int(registers["sp"], 2)
        registers["sp"] += 2

    machine.hooks.execute(call_target, at_once)
    assert machine.run(60) == HaltedForever()
    assert machine.cpu.registers["bx"] == 1


def test_instruction_by_its_name(boot) -> None:
    machine = boot(f"mov cx, 7\nagain: cpuid\nmov cx, [0x5000]\ndec cx\nmov [0x5000], cx\njnz again\n{END}")
    machine.memory.write_int(0x5000, 2, 7)
    where = []
    machine.hooks.instruction("cpuid", where.append)
    assert machine.run(60) == HaltedForever()
    assert where == [0x7C03] * 7
    with pytest.raises(UserError, match="no instruction 'cpuit'"):
        machine.hooks.instruction("cpuit", where.append)


def test_several_functions_at_one_place_and_their_removal(boot) -> None:
    machine = boot(COUNT)
    order = []
    first = machine.hooks.execute(0x7C05, lambda _: order.append(1))
    second = machine.hooks.execute(0x7C05, lambda _: order.append(2))
    third = machine.hooks.instruction("inc", lambda _: order.append(3))

    def only_ten(_: int) -> None:
        if first.count == 10:
            first.remove()
            third.remove()

    machine.hooks.execute(0x7C05, only_ten)
    assert machine.run(60) == HaltedForever()
    assert order[:4] == [1, 2, 3, 1]
    assert (first.count, second.count, third.count) == (10, 100, 9)
    assert machine.cpu.registers["ax"] == 100


def test_hook_that_is_set_by_a_hook(boot) -> None:
    machine = boot(COUNT)
    inner = []
    outer = machine.hooks.execute(0x7C00, lambda _: inner.append(machine.hooks.execute(0x7C05, lambda _: None)))
    assert machine.run(60) == HaltedForever()
    assert outer.count == 1
    assert inner[0].count == 100


def test_hooked_instructions_that_the_guest_steps_through(boot) -> None:
    """Each is reached twice for the emulator, once for the guest."""
    machine = boot(f"""
        pushf
        pop ax
        or ah, 1
        push ax
        xor bx, bx
        popf
        inc bx
here:   inc bx
        inc bx
        pushf
        pop ax
        and ah, 0xfe
        push ax
        popf
        {END}
trap:   inc cx
        iret
""")
    machine.cpu.registers["cx"] = 0
    machine.memory.write_int(4, 4, _address_of(machine, b"\x41\xcf"))
    inc = machine.hooks.instruction("inc", lambda _: None)
    here = machine.hooks.execute(_address_of(machine, b"\x43\x43\x43") + 1, lambda _: None)
    stop = machine.breakpoint(_address_of(machine, b"\x43\x43\x43") + 2)
    assert machine.run(60) == Breakpoint(_address_of(machine, b"\x43\x43\x43") + 2, stop)
    assert machine.cpu.registers["bx"] == 2
    assert machine.run(60) == HaltedForever()
    assert machine.cpu.registers["bx"] == 3
    assert here.count == stop.count == 1
    assert inc.count == 3 + machine.cpu.registers["cx"]
    assert machine.cpu.registers["cx"] == 8


def test_hook_may_stop_the_guest_but_not_run_it(boot) -> None:
    machine = boot(COUNT)
    with machine.hooks.execute(0x7C06, lambda _: machine.stop()):
        assert machine.run(60) == Stopped(RunState.PAUSED)
    assert machine.cpu.pc == 0x7C06
    machine.hooks.execute(0x7C06, lambda _: machine.run(1))
    with pytest.raises(RuntimeError, match="a hook cannot"):
        machine.run(60)


def test_hook_may_reset_the_machine(boot) -> None:
    machine = boot(COUNT)
    once = machine.hooks.execute(0x7C06, lambda _: (machine.reset(), once.remove()))
    machine.step()
    with machine.breakpoint(0x7C00) as top:
        assert machine.run(60) == Breakpoint(0x7C00, top)
    assert once.count == 1


def test_self_modifying_code_under_hooks(boot) -> None:
    machine = boot(f"""
        mov cx, 5
again:  inc byte [value + 1]
value:  mov al, 0
        loop again
        {END}
""")
    values = []
    machine.hooks.execute(_address_of(machine, b"\xe2"), lambda _: values.append(machine.cpu.registers["al"]))
    machine.hooks.memory(0x7C00, 512, lambda _: None)
    assert machine.run(60) == HaltedForever()
    assert values == [1, 2, 3, 4, 5]


# --- exceptions that come out ----------------------------------------------------------------------------------------


def test_exception_comes_out_of_run_and_the_guest_can_go_on(boot) -> None:
    machine = boot(COUNT)

    def at_fifty(_: int) -> None:
        if machine.cpu.registers["ax"] == 50:
            raise Oops("fifty")

    hook = machine.hooks.execute(0x7C05, at_fifty)
    with pytest.raises(Oops, match="fifty"):
        machine.run(60)
    assert machine.cpu.registers["ax"] == 50
    assert machine.cpu.pc == 0x7C05
    assert machine.run(60) == HaltedForever()
    assert hook.count == 100
    assert machine.cpu.registers["ax"] == 100


@pytest.mark.parametrize("kind", ["memory", "port", "exception", "interrupt"])
def test_exception_of_an_access_stops_after_the_instruction(boot, kind: str) -> None:
    machine = boot(f"mov dx, 0x80\nxor bx, bx\nmov [0x5000], bx\nout 0x80, al\nint 0x50\ndiv bx\nmov bp, 5\n{END}")

    def raises(_: object) -> None:
        raise Oops(kind)

    hooks = machine.hooks
    expected = {
        "memory": (lambda: hooks.memory(0x5000, 1, raises), 0x7C09),
        "port": (lambda: hooks.port(0x80, raises), 0x7C0B),
        "interrupt": (lambda: hooks.interrupt(raises, 0x50), None),
        "exception": (lambda: hooks.exception(raises, 0), None),
    }
    machine.memory.write(4 * 0x50, b"\x0d\x7c\0\0")
    machine.memory.write(0, b"\x0f\x7c\0\0")
    set_hook, pc = expected[kind]
    hook = set_hook()
    with pytest.raises(Oops, match=kind):
        machine.run(60)
    if pc is not None:
        assert machine.cpu.pc == pc
    hook.remove()
    assert machine.run(60) == HaltedForever()
    assert machine.cpu.registers["bp"] == 5


def test_assertion_in_a_hook_fails_the_test_that_runs_the_guest(boot) -> None:
    machine = boot(COUNT)

    def check(_: int) -> None:
        assert machine.cpu.registers["cx"] != 3, "three"

    machine.hooks.execute(0x7C05, check)
    with pytest.raises(AssertionError, match="three"):
        machine.serial.expect("never", 10)


# --- memory ----------------------------------------------------------------------------------------------------------


def test_writes_to_a_range_are_told(boot) -> None:
    machine = boot(STORES)
    seen: list[Access] = []
    machine.hooks.memory(0x5000, 2, seen.append, reads=False)
    assert machine.run(60) == HaltedForever()
    assert [access.value for access in seen] == list(range(50, 0, -1))
    assert seen[0] == Access(0x5000, 0x5000, 2, 50, True)


def test_reads_of_a_range_are_told_with_their_value(boot) -> None:
    machine = boot(STORES)
    seen: list[Access] = []
    machine.hooks.memory(0x5001, 1, seen.append, writes=False)
    machine.run(60)
    assert len(seen) == 50
    assert seen[0] == Access(0x5001, 0x5001, 1, 0, False)


def test_access_across_pages_is_told_where_it_touches_the_range(boot) -> None:
    machine = boot(STORES)
    low, high = [], []
    machine.hooks.memory(0x5FFF, 1, low.append)
    machine.hooks.memory(0x6000, 1, high.append)
    machine.run(60)
    assert len(low) == len(high) == 50
    assert (low[0].physical, low[0].size, low[0].value) == (0x5FFE, 2, 0x3344)
    assert (high[0].physical, high[0].size, high[0].value) == (0x6000, 2, 0x1122)


def test_neighbours_on_the_same_page_are_not_told(boot) -> None:
    machine = boot(STORES)
    hook = machine.hooks.memory(0x5100, 0x100, lambda _: None)
    machine.run(60)
    assert hook.count == 0


def test_memory_hook_set_while_the_page_is_in_use_and_removed(boot) -> None:
    machine = boot("again: inc word [0x5000]\njmp again")
    machine.run(0.01)
    seen: list[Access] = []
    hook = machine.hooks.memory(0x5000, 2, seen.append, reads=False)
    with machine.breakpoint(0x7C00) as top:
        for _ in range(10):
            assert machine.run(60) == Breakpoint(0x7C00, top)
    assert 9 <= len(seen) <= 10
    hook.remove()
    machine.run(0.01)
    assert len(seen) <= 10


def test_replayed_writes_make_the_page(boot) -> None:
    """So none was missed: string instructions, pushes, interrupt frames, exchanges, read-modify-write."""
    machine = boot(f"""
        mov sp, 0x5800
        mov di, 0x5100
        mov cx, 300
        mov ax, 0x1234
        cld
        rep stosw
        mov si, 0x7c00
        mov di, 0x5400
        mov cx, 70
        rep movsb
        pusha
        pushf
        int 0x50
        xchg ax, [0x5010]
        lock inc dword [0x5020]
        add byte [0x5021], 7
        not word [0x5030]
        shld [0x5040], ax, 3
        mov eax, [0x5ffd]
        mov [0x5ffd], ebx
        {END}
handler: iret
""")
    machine.memory.write_int(4 * 0x50, 4, machine.cpu.registers["cs"] << 16 | _address_of(machine, b"\xcf"))
    page = bytearray(machine.memory.read(0x5000, 0x1000))

    def write(access: Access) -> None:
        start = access.physical - 0x5000
        page[start : start + access.size] = access.value.to_bytes(access.size, "little")

    hook = machine.hooks.memory(0x5000, 0x1000, write, reads=False)
    assert machine.run(60) == HaltedForever()
    assert hook.count > 300
    assert page == machine.memory.read(0x5000, 0x1000)


def _address_of(machine: pyqemu.Machine, code: bytes) -> int:
    return 0x7C00 + machine.memory.read(0x7C00, 510).index(code)


def test_memory_of_devices_is_watched_too(boot) -> None:
    machine = boot(f"mov ax, 0xb800\nmov es, ax\nmov word [es:0], 0x0741\n{END}")
    seen: list[Access] = []
    machine.hooks.memory(0xB8000, 4000, seen.append)
    machine.run(60)
    assert seen == [Access(0xB8000, 0xB8000, 2, 0x0741, True)]


# --- ports, interrupts, exceptions -----------------------------------------------------------------------------------


def test_port_accesses_with_their_values(boot) -> None:
    machine = boot(f"mov al, 0x0b\nout 0x70, al\nin al, 0x71\nout 0x80, al\nout 0x81, al\n{END}")
    seen: list[PortAccess] = []
    machine.hooks.port(0x70, seen.append, count=2)
    out = machine.hooks.port(0x80, lambda _: None, reads=False)
    machine.run(60)
    assert [(a.port, a.is_write) for a in seen] == [(0x70, True), (0x71, False)]
    assert seen[0].value == 0x0B
    assert seen[1].value == machine.cpu.registers["al"]
    assert out.count == 1


def test_string_port_instructions_are_told_element_by_element(boot) -> None:
    machine = boot(f"mov dx, 0x3f8\nmov si, text\nmov cx, 5\nrep outsb\n{END}\ntext: db 'hello'")
    seen: list[PortAccess] = []
    machine.hooks.port(0x3F8, seen.append)
    machine.run(60)
    assert bytes(a.value for a in seen) == b"hello" == machine.serial.output[-5:]


def test_interrupts_of_software_hardware_and_exceptions(boot) -> None:
    machine = boot("""
        xor bx, bx
        int 0x50
        int 0x50
        xor dx, dx
        div bx
        sti
        hlt
        cli
        hlt
soft:   iret
fault:  mov bx, 1
        iret
""")
    iret = _address_of(machine, b"\xcf")
    machine.memory.write_int(4 * 0x50, 4, iret)
    machine.memory.write_int(0, 4, iret + 1)
    events: list[Event] = []
    soft = machine.hooks.interrupt(lambda _: None, 0x50)
    machine.hooks.interrupt(events.append)
    faults: list[Event] = []
    machine.hooks.exception(faults.append)
    assert machine.run(60) == HaltedForever()
    assert soft.count == 2
    assert [event.name for event in events[:2]] == ["INT 50h", "INT 50h"]
    assert events[0].address == 0x7C02
    assert any(event.is_external and event.vector == 8 for event in events)
    assert [(fault.vector, fault.name) for fault in faults] == [(0, "#DE")]


# --- nothing is left -------------------------------------------------------------------------------------------------


def test_code_is_the_same_before_hooks_and_after_them() -> None:
    """Byte by byte, but for where jumps lead: where a block lies, and to what it is chained, is chance."""
    plain = _machine_in_a_loop()
    hooked = _machine_in_a_loop()
    before = _code(hooked)
    hooks = [
        hooked.hooks.execute(0x7C03, lambda _: None),
        hooked.hooks.instruction("add", lambda _: None),
        hooked.hooks.instruction("int_n", lambda _: None),
        hooked.hooks.memory(0x5000, 0x1000, lambda _: None),
        hooked.hooks.memory(0x5000, 0x1000, lambda _: None, virtual=True),
        hooked.hooks.port(0x80, lambda _: None),
        hooked.hooks.interrupt(lambda _: None),
        hooked.hooks.exception(lambda _: None),
    ]
    hooked.run(0.00002)
    during = _code(hooked)
    assert all(hook.count for hook in hooks[:7])
    hooked.step(20)
    for hook in hooks:
        hook.remove()
    hooked.run(0.00002)
    after = _code(hooked)
    untouched = _code(plain)
    plain.close()
    hooked.close()
    assert before == untouched
    shared = untouched.keys() & after.keys()  # where a run was stopped a block may begin that no other machine has
    assert len(shared) >= 3
    assert any(during.get(key) != untouched[key] for key in shared)
    assert [after[key] for key in shared] == [untouched[key] for key in shared]


LOOP = """
again:  mov ax, 1
        add ax, [0x5000]
        mov [0x5002], ax
        out 0x80, al
        int 0x50
        jmp again
"""


def _machine_in_a_loop() -> pyqemu.Machine:
    from pyqemu.util.x86asm import assemble

    code = assemble(f"bits 16\norg 0x7c00\n{LOOP}\nhandler: iret").code
    machine = pyqemu.Machine(code.ljust(510, b"\0") + b"\x55\xaa", memory="16M", icount=0, engine="stencil")
    with machine.breakpoint(0x7C00):
        machine.run(60)
    machine.memory.write_int(4 * 0x50, 4, 0x7C00 + len(code) - 1)
    assert machine.run(0.001) == TimedOut(0.001)
    return machine


def _code(machine: pyqemu.Machine) -> dict[tuple[int, int], tuple[bytes, ...]]:
    """The native code of all blocks, without the distances of jumps between blocks and between halves."""
    engine = machine._runner.cpu.engine
    cache: BlockCache = engine.cache
    return {(block.linear, block.flags): _normalized(engine, block) for block in cache if block.linear < 0x8000}


def _normalized(engine, block: Block) -> tuple[bytes, ...]:
    view, base = engine.buffer.view, engine.buffer.address
    hot = bytearray(view[block.address - base : block.address - base + block.size])
    at = engine._head_size
    fields = [field for field, _ in engine._heads[block.count].links]
    for variant in block.variants:
        fields += [at + field for field, _ in variant.code.links]
        fields += [at + start + insn[1] for start, (insn, _) in variant.code.exits.items() if insn[0] == "goto_tb"]
        at += len(variant.code.data)
    for field in fields:
        hot[field : field + 4] = bytes(4)
    return (bytes(hot), *(variant.code.data + variant.code.cold for variant in block.variants))
