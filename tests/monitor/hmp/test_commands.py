"""What commands answer, on a small machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pyqemu.accel.log_control import LogControl
from pyqemu.block import DriveTable
from pyqemu.monitor.hmp.arguments import Format
from pyqemu.monitor.hmp.completion import complete
from pyqemu.monitor.hmp.dispatch import Hmp, run_line
from pyqemu.monitor.hmp.table import CommandTable, hmp_command
from pyqemu.qapi.errors import QapiError
from pyqemu.qom import Container
from pyqemu.system import FakeClock, ShutdownCause
from pyqemu.ui.typist import Typist
from pyqemu.util.errors import InternalError, UserError
from tests.monitor.hmp.machine import FakeCpu, Monitor, Port, make_system


@pytest.fixture
def monitor() -> Monitor:
    return Monitor()


# --- numbers and memory ---------------------------------------------------------------------------------------------


def test_print_in_every_format(monitor: Monitor) -> None:
    assert monitor.do("print 1+2*3") == "0x7\n"
    assert monitor.do("p 0") == "0\n"
    assert monitor.do("p/d -1") == "-1\n"
    assert monitor.do("p -2") == "-2\n"  # the format is remembered
    assert monitor.do("p/u -1") == "18446744073709551615\n"
    assert monitor.do("p/o 8") == "010\n"
    assert monitor.do("p/c 65") == "'A'\n"
    assert monitor.do("p/c 10") == "'\\n'\n"
    assert monitor.do("p/c 0x27") == "'\\''\n"
    assert monitor.do("p/c 0x1b") == "'\\x1b'\n"
    assert monitor.do("p/x $ax") == "0x20\n"


def test_memory_dumps(monitor: Monitor) -> None:
    assert monitor.do("xp/5xw 0x10") == (
        "0000000000000010: 0x13121110 0x17161514 0x1b1a1918 0x1f1e1d1c\n0000000000000020: 0x23222120\n"
    )
    assert monitor.do("xp/9xb 0") == (
        "0000000000000000: 0x00 0x01 0x02 0x03 0x04 0x05 0x06 0x07\n0000000000000008: 0x08\n"
    )
    assert monitor.do("xp/2db 0xfe") == "00000000000000fe:  -2  -1\n"
    assert monitor.do("xp/2ub 0xfe") == "00000000000000fe: 254 255\n"
    assert monitor.do("xp/1og 0") == f"0000000000000000: {oct(0x0706050403020100).replace('o', ''):>22}\n"
    assert monitor.do("xp/1cw 0x41") == "0000000000000041: 'A' 'B' 'C' 'D'\n"


def test_virtual_memory_goes_through_the_processor(monitor: Monitor) -> None:
    assert monitor.do("x/2xb 0x10041") == "0000000000010041: 0x41 0x42\n"
    assert monitor.do("x/2xb 0x1ffff") == "000000000001ffff: Cannot access memory\n"
    assert monitor.do("x/2xb 0") == "0000000000000000: Cannot access memory\n"
    assert monitor.do("gva2gpa 0x10010") == "gpa: 0x10\n"
    assert monitor.do("gva2gpa 0") == "Unmapped\n"
    assert monitor.do("xp/xb 0x20000") == "0000000000020000: Cannot access memory\n"


def test_disassembly(monitor: Monitor) -> None:
    assert monitor.do("x/2i $pc") == "0x0000000000010004:  insn 0405\n0x0000000000010006:  insn 0607\n"
    assert monitor.do("x 0x1fffe") == "0x000000000001fffe:  insn feff\n"
    assert monitor.do("x/2i 0x1fffe").splitlines()[1] == "0x0000000000020000:  Cannot access memory"


def test_ports(monitor: Monitor) -> None:
    cpu = monitor.hmp.cpu
    assert isinstance(cpu, FakeCpu)
    assert cpu.io is not None
    port = cpu.io.lookup(0x60).region.handler  # type: ignore[attr-defined]
    assert isinstance(port, Port)
    assert monitor.do("i/b 0x60") == "portb[0x0060] = 0x44\n"
    assert monitor.do("i/h 0x60") == "portw[0x0060] = 0x3344\n"
    assert monitor.do("i/w 0x60") == "portl[0x0060] = 0x11223344\n"
    assert monitor.do("i/b 0x60.7") == "portb[0x0061] = 0x44\n"
    assert monitor.do("o/h 0x62 0x12345") == ""
    assert port.log == [(0, 1, 7), (2, 2, 0x2345)]


def test_sum_and_saving(monitor: Monitor, tmp_path: Path) -> None:
    assert monitor.do("sum 0 5") == "08198\n"  # `printf '\0\1\2\3\4' | sum -r`
    path = tmp_path / "dump"
    assert monitor.do(f'memsave 0x10ffe 5000 "{path}"') == ""
    assert path.read_bytes() == bytes((0xFFE + n) & 0xFF for n in range(5000))
    assert monitor.do(f'pmemsave 0xfffe 4 "{path}"') == ""
    assert path.read_bytes() == b"\xfe\xff\xff\xff"
    assert monitor.do('memsave 0x1fff0 32 "/nowhere/x"').startswith("Could not open '/nowhere/x'")
    assert monitor.do(f'memsave 0 32 "{path}"') == "Invalid addr 0x0000000000000000/size 32 specified\n"


# --- the processor ------------------------------------------------------------------------------------------------


def test_processors(monitor: Monitor) -> None:
    assert monitor.do("info cpus") == (
        "* CPU #0: pc=0x0000000000010004 thread_id=70\n  CPU #1: pc=0x0000000000010004 (halted) thread_id=71\n"
    )
    assert monitor.do("cpu 2") == "invalid CPU index\n"
    assert monitor.do("cpu 1") == ""
    assert monitor.do("info registers") == "AX=0021\n"
    assert monitor.do("info mem") == "mem of 1\n"
    assert monitor.do("p $ax") == "0x21\n"
    assert monitor.do("info tlb") == "info tlb: this machine has nothing to show\n"


def test_machine_without_a_processor() -> None:
    monitor = Monitor()
    monitor.hmp.cpus.clear()
    assert monitor.do("x 0") == "No CPU\n"
    assert monitor.do("p $ax").startswith("No CPU\n")
    assert monitor.do("p 5") == "0x5\n"


def test_logging_without_a_log(monitor: Monitor) -> None:
    assert monitor.do("log foo").startswith("Log items (comma separated):\nnone ")
    assert monitor.do("log none") == "this machine has no LogControl\n"
    assert monitor.do("singlestep maybe") == "unexpected option maybe\n"


class LoggedCpu:
    """What a log hangs on."""

    def __init__(self) -> None:
        self.engine = type("Engine", (), {"on_translate": None, "trace": None, "single_step": False, "flushes": 0})()
        self.engine.flush = lambda: setattr(self.engine, "flushes", self.engine.flushes + 1)
        self.other = type("Cpu", (), {"on_event": None})()
        self.turns = type("Turns", (), {"cpus": [self, self.other]})()
        self.on_event = None


def test_log_is_switched_while_running(monitor: Monitor, tmp_path: Path) -> None:
    cpu = LoggedCpu()
    monitor.system.add_part(LogControl(cpu, path=str(tmp_path / "a")))  # type: ignore[arg-type]
    assert monitor.do("log int,exec") == ""
    assert cpu.on_event is not None
    assert cpu.engine.trace is not None
    cpu.on_event("v=08")
    assert monitor.do(f"logfile {tmp_path}/b") == ""
    cpu.other.on_event("v=09")  # that takes turns with it
    assert monitor.do("logfile /nowhere/x") == "Error opening logfile /nowhere/x: No such file or directory\n"
    assert monitor.do("log none") == ""
    assert (cpu.on_event, cpu.other.on_event, cpu.engine.trace) == (None, None, None)
    assert "v=08" in (tmp_path / "a").read_text()
    assert "v=09" in (tmp_path / "b").read_text()
    assert monitor.do("singlestep") == ""
    assert monitor.do("singlestep on") == ""
    assert (cpu.engine.single_step, cpu.engine.flushes) == (True, 1)
    assert monitor.do("singlestep off") == ""
    assert not cpu.engine.single_step


# --- the machine ------------------------------------------------------------------------------------------------------


def test_identity_and_state(monitor: Monitor) -> None:
    assert monitor.do("info version").startswith("2.6.50 (pyqemu ")
    assert monitor.do("info name") == "guinea\n"
    assert monitor.do("info uuid") == "00000000-0000-0000-0000-000000000000\n"
    assert monitor.do("info kvm") == "kvm support: not compiled\n"
    assert monitor.do("info status") == "VM status: paused (prelaunch)\n"
    assert monitor.do("c") == ""
    assert monitor.do("info status") == "VM status: running\n"
    monitor.do("stop")
    assert monitor.do("info status") == "VM status: paused\n"
    monitor.do("quit")
    assert monitor.system.process_requests()
    assert monitor.system.exit_cause is ShutdownCause.HOST_QMP_QUIT


def test_memory_tree(monitor: Monitor) -> None:
    lines = monitor.do("info mtree").splitlines()
    assert lines[:3] == [
        "address-space: memory",
        "  0000000000000000-ffffffffffffffff (prio 0, RW): system",
        "    0000000000000000-000000000000ffff (prio 0, RW): ram",
    ]
    assert "    0000000000100000-000000000010012b (prio 0, R-): bios" in lines
    assert "  0000000000000060-0000000000000067 (prio 0, i/o): port" in monitor.do("info mtree -f").splitlines()
    assert monitor.do("info roms") == 'addr=0000000000100000 size=0x00012c mem=rom name="bios"\n'
    assert monitor.do("info mtree -z") == ('mtree: unsupported option -z\nTry "help info mtree" for more information\n')


def test_object_tree(monitor: Monitor) -> None:
    root = Container()
    root.container("machine").container("peripheral")
    monitor.system.add_part(root)
    assert monitor.do("info qom-tree") == "/machine (container)\n  /peripheral (container)\n"
    assert monitor.do("info qom-tree /machine/peripheral") == "/peripheral (container)\n"
    assert monitor.do("info qom-tree /foo") == "Path '/foo' could not be resolved.\n"


def test_sendkey(monitor: Monitor) -> None:
    pressed: list[tuple[str, bool]] = []
    clock = FakeClock()
    monitor.system.add_part(Typist(lambda key, down: pressed.append((key, down)), clock))
    assert monitor.do("sendkey ctrl-foo") == "invalid parameter: foo\n"
    assert monitor.do("sendkey ctrl-a 20") == ""
    clock.advance(100_000_000)
    assert pressed == [("ctrl", True), ("a", True), ("a", False), ("ctrl", False)]


# --- dispatch ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("", ""),
        ("   ", ""),
        ("foo", "unknown command: 'foo'\n"),
        ("inf status", "unknown command: 'inf'\n"),  # prefixes are not names
        ("info foo", "unknown command: 'info foo'\n"),
        ("/x", "unknown command: ''\n"),
        ("#foo", "unknown command: '#foo'\n"),
        ("stop now", 'stop: extraneous characters at the end of line\nTry "help stop" for more information\n'),
        ("p 1/0", 'division by zero\nTry "help p" for more information\n'),
        ("p 1 2", 'print|p: extraneous characters at the end of line\nTry "help p" for more information\n'),
        ("  info   uuid ", "00000000-0000-0000-0000-000000000000\n"),
        ("help x", "x /fmt addr -- memory at a virtual address\n"),
        ("? p", "print|p /fmt expr -- the value of an expression ($NAME is a register)\n"),
        ("help foo", "unknown command: 'foo'\n"),
        ("help info foo", "unknown command: 'info foo'\n"),
        ("help info status", "info status  -- whether the guest runs, and if not, why\n"),
    ],
)
def test_lines(line: str, answer: str, monitor: Monitor) -> None:
    assert monitor.do(line) == answer


def test_help_lists_all_commands(monitor: Monitor) -> None:
    lines = monitor.do("help").splitlines()
    assert len(lines) == len(monitor.hmp.table.commands())
    assert lines == sorted(lines)
    assert monitor.do("info") == monitor.do("help info")
    assert "item1[,...]" in monitor.do("help log")
    assert "in_asm" in monitor.do("help log")


def test_run_line_gives_output_and_errors_as_text() -> None:
    system = make_system()
    assert asyncio.run(run_line(system, "p 6*7")) == "0x2a\n"
    assert asyncio.run(run_line(system, "foo")) == "unknown command: 'foo'\n"
    assert asyncio.run(run_line(system, "info registers", cpu_index=1)) == "AX=0021\n"
    with pytest.raises(QapiError, match="cpu-index"):
        asyncio.run(run_line(system, "info registers", cpu_index=5))


def own_table() -> CommandTable:
    table = CommandTable()

    @hmp_command("fail", "how:s", "fail", table=table)
    async def fail(hmp: Hmp, *, how: str) -> None:
        await asyncio.sleep(0)
        match how:
            case "user":
                raise UserError("wrong", "right")
            case "qapi":
                raise QapiError("no", hint="yes")
            case _:
                raise RuntimeError("oops")

    @hmp_command("show", "fmt:/,up:b,device:B?,file:F?,flag:-x", "show", aliases=("s",), table=table)
    def show(
        hmp: Hmp, *, fmt: Format, up: bool, flag: bool, device: str | None = None, file: str | None = None
    ) -> None:
        hmp.print(f"{fmt} {up} {flag} {device} {file}")

    return table


def test_errors_are_answers() -> None:
    monitor = Monitor(table=own_table())
    assert monitor.do("fail user") == "wrong\nright\n"
    assert monitor.do("fail qapi") == "no\nyes\n"
    with pytest.raises(RuntimeError):
        monitor.do("fail other")
    asyncio.run(monitor.hmp.execute_safely("fail other"))
    assert "this is a bug in pyqemu: RuntimeError: oops\n" in "".join(monitor.output)


def test_signature_and_function_must_agree() -> None:
    table = CommandTable()

    def positional(hmp: Hmp, device: str) -> None: ...

    def named(hmp: Hmp, *, device: str) -> None: ...

    with pytest.raises(InternalError, match="keyword-only"):
        hmp_command("a", "device:B", "", table=table)(positional)
    with pytest.raises(InternalError, match="signature has"):
        hmp_command("a", "device:B?", "", table=table)(named)
    with pytest.raises(InternalError, match="signature has"):
        hmp_command("a", "", "", table=table)(named)
    hmp_command("a", "device:B", "", aliases=("b",), table=table)(named)
    with pytest.raises(InternalError, match="two monitor commands are named 'b'"):
        hmp_command("b", "", "", table=table)(lambda hmp: None)


# --- completion -------------------------------------------------------------------------------------------------------


def test_completion(monitor: Monitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(text: str) -> list[str]:
        start, words = complete(monitor.hmp, text)
        assert text[start:] == text.rpartition(" ")[2]
        return words

    assert found("sys") == ["system_powerdown", "system_reset", "system_wakeup"]
    assert found("info st") == ["status"]
    assert found("help info ver") == ["version"]
    assert found("help system_r") == ["system_reset"]
    assert found("p/x $a") == ["$ax"]
    assert found("x 4+$p") == ["4+$pc"]
    assert found("sendkey ctrl-f1") == ["ctrl-f1", "ctrl-f10", "ctrl-f11", "ctrl-f12"]
    assert found("log int,in_") == ["int,in_asm"]
    assert found("info mtree -") == ["-f"]
    assert found("cpu ") == ["0", "1"]
    assert found("foo ") == []
    assert found("quit ") == []
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disk.img").touch()
    (tmp_path / "dir").mkdir()
    assert found("logfile d") == ["dir/", "disk.img"]
    assert found(f"logfile {tmp_path}/dis") == [f"{tmp_path}/disk.img"]
    assert found("logfile nowhere/x") == []


def test_completion_by_type() -> None:
    monitor = Monitor(table=own_table())
    assert complete(monitor.hmp, "show ")[1] == ["off", "on"]
    assert complete(monitor.hmp, "show/x on ")[1] == []  # this machine has no drives
    drives = DriveTable()
    drives.add_default("floppy", 0)
    monitor.system.add_part(drives)
    assert complete(monitor.hmp, "show /x on ")[1] == ["floppy0"]
