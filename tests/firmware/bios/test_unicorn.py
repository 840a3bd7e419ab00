"""The ROM run by a CPU that is not ours."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pyqemu.util.x86asm import assemble
from tests.firmware.bios.rig import disk
from tests.firmware.bios.uc_rig import UcBoard


def sector(source: str, **symbols: int) -> bytes:
    """A boot sector."""
    text = f"org 0x7c00\nbits 16\n{source}\ntimes 510-($-$$) db 0\ndw 0xaa55\n{_LIBRARY}"
    return assemble(text, symbols=symbols).code


# Behind the first sector: the tests load the disk's first four KiB by INT 13h if they need these.
_LIBRARY = """
times 8*512-($-$$) db 0
"""

_PRINT = """
print:  lodsb
        test al, al
        jz .done
        mov ah, 0x0e
        int 0x10
        jmp print
.done:  ret
"""


def run(source: str, until: str, **parts: object) -> UcBoard:
    board = UcBoard(hard_disks=[disk(sector(source))], **parts)
    board.run(until)
    return board


def test_boot_sector_prints() -> None:
    board = run(f"xor ax, ax\nmov ds, ax\nmov si, text\ncall print\nstop: hlt\njmp stop\n{_PRINT}\ntext: db 'Works', 0",
                "Works")  # fmt: skip
    assert board.lines()[0] == "pyqemu BIOS"
    assert "Booting from Hard Disk..." in board.lines()


def test_registers_survive_services() -> None:
    board = run(
        f"""
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov eax, 0x11110e2e
        mov ebx, 0x22220007
        mov ecx, 0x33333333
        mov edx, 0x44444444
        mov esi, 0x55555555
        mov edi, 0x66666666
        mov ebp, 0x77777777
        int 0x10
        cmp eax, 0x11110e2e
        jne bad
        cmp ebx, 0x22220007
        jne bad
        cmp ecx, 0x33333333
        jne bad
        cmp edx, 0x44444444
        jne bad
        cmp esi, 0x55555555
        jne bad
        cmp edi, 0x66666666
        jne bad
        cmp ebp, 0x77777777
        jne bad
        mov si, good_text
        call print
        hlt
bad:    mov si, bad_text
        call print
        hlt
{_PRINT}
good_text: db "kept", 0
bad_text: db "lost", 0
""",
        "kept",
    )
    assert not any("lost" in line for line in board.lines())


def test_timer_ticks_and_int_1c() -> None:
    board = run(
        f"""
        xor ax, ax
        mov ds, ax
        mov word [0x1c*4], tick
        mov [0x1c*4+2], ax
        sti
wait_:  hlt
        cmp byte [count], 3
        jb wait_
        mov si, text
        call print
        cli
        hlt
tick:   inc byte [cs:count]
        iret
{_PRINT}
count:  db 0
text:   db "ticked", 0
""",
        "ticked",
    )
    assert board.interrupts.count(8) >= 3


def test_keys_come_by_interrupt() -> None:
    board = UcBoard(hard_disks=[disk(sector("again: xor ax, ax\nint 0x16\nmov ah, 0x0e\nint 0x10\njmp again"))])
    board.run("Booting")
    board.type("z", "caps_lock", "q")
    board.run("zQ")
    assert 9 in board.interrupts


def test_wait_of_int_15() -> None:
    source = f"""
        mov ah, 0x86
        mov cx, 3
        mov dx, 0
        int 0x15
        push cs
        pop ds
        mov si, text
        call print
        hlt
{_PRINT}
text:   db "waited", 0
"""
    board = UcBoard(hard_disks=[disk(sector(source))])
    board.run("Booting")
    start = board.clock.now()
    board.run("waited")
    assert board.clock.now() - start >= 3 * 65536 * 1000 * 0.9


def test_pci_bios_from_protected_mode() -> None:
    """BIOS32 says where; the call gives the same as INT 1Ah."""
    source = f"""
        cli
        xor ax, ax
        mov ds, ax
        mov esi, 0xf0000
        lgdt [pointer]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp 8:flat
        bits 32
flat:   mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, 0x6000
find:   cmp dword [esi], '_32_'
        je found
        add esi, 16
        jmp find
found:  mov eax, '$PCI'
        xor ebx, ebx
        mov esi, [esi+4]
        push cs
        call esi_far
        test al, al
        jnz back
        lea esi, [ebx+edx]
        mov eax, 0xb10a
        mov ebx, 0x10
        xor edi, edi
        push cs
        call esi_far
        mov [0x9000], ecx
back:   jmp 24:half
esi_far: jmp esi
        bits 16
half:   mov eax, cr0
        and al, 0xfe
        mov cr0, eax
        jmp 0:real
real:   xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7000
        mov si, text
        call print
        cli
        hlt
{_PRINT}
text:   db "called", 0
        align 8
gdt:    dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00009a000000ffff
pointer: dw 31
        dd gdt
"""
    board = run(source, "called")
    assert board.memory.load(0x9000, 4) == 0x11111234


def test_int_18_goes_on_with_the_next_device() -> None:
    from pyqemu.block.drive import Drive
    from pyqemu.block.node import MemoryNode

    second = sector(f"push cs\npop ds\nmov si, text\ncall print\nhlt\n{_PRINT}\ntext: db 'second', 0")
    floppy = Drive("floppy0", MemoryNode(second.ljust(1440 * 1024, b"\x00")), interface="floppy")
    board = UcBoard(hard_disks=[disk(sector("int 0x18"))], floppies=[floppy])
    lines = board.run("second")
    assert "Booting from Floppy..." in lines


def test_nothing_to_boot() -> None:
    board = UcBoard()
    assert board.run("No bootable device.")[0] == "pyqemu BIOS"
    board.run(slices=20)  # and it idles with interrupts on
    assert board.cpu.flags & 0x200 or board.interrupts.count(8)


# -- option ROMs -------------------------------------------------------------------------------------------------


def option_rom(init: str, header: str = "") -> bytes:
    code = assemble(f"""
bits 16
org 0
        db 0x55, 0xaa, 2
        jmp init
        times 0x1a-($-$$) db 0
        dw {"pnp" if header else 0}
init:   {init}
{header}
        times 1023-($-$$) db 0
""").code
    return code + bytes((-sum(code) & 0xFF,))


def test_option_rom_is_called_with_pnp_and_may_hook_int_19() -> None:
    rom = option_rom("""
        mov eax, [es:di]
        mov [cs:$], al          ; dropped: after POST this is read-only, during it is not
        xor bx, bx
        mov ds, bx
        mov [0x9000], eax
        mov word [0x19*4], boot
        mov [0x19*4+2], cs
        retf
boot:   mov ax, 0x0e21
        int 0x10
        cli
        hlt
""")
    board = UcBoard()
    board.fw_cfg.add_file("genroms/test.rom", rom)
    board.run("!")
    assert board.memory.read(0x9000, 4) == b"$PnP"


def test_boot_entry_vector_is_a_boot_device() -> None:
    rom = option_rom(
        "retf",
        """
        align 16
pnp:    db "$PnP", 1, 2
        dw 0
        db 0, 0
        dd 0
        dw 0, product
        db 0, 0, 0, 0
        dw 0, 0, boot
        dw 0, 0
product: db "Tester", 0
boot:   mov ax, 0x0e42
        int 0x10
        retf
""",
    )
    board = UcBoard(boot_order="n", hard_disks=[disk(sector("hlt"))])
    board.fw_cfg.add_file("genroms/test.rom", rom)
    lines = board.run("No bootable device.")
    assert "Booting from ROM..." in lines
    assert any(line.startswith("B") and "No bootable" in line for line in lines)


def test_damaged_option_rom_is_not_run() -> None:
    rom = bytearray(option_rom("mov ax, 0x0e58\nint 0x10\nretf"))
    rom[-1] ^= 1
    board = UcBoard()
    board.fw_cfg.add_file("genroms/test.rom", bytes(rom))
    assert not any("X" in line for line in board.run("No bootable device."))


# -- real guests ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grub_iso(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    if shutil.which("grub-mkrescue") is None or not Path("/usr/lib/grub/i386-pc").is_dir():
        pytest.skip("needs grub-mkrescue (Debian packages grub-common, grub-pc-bin, xorriso, mtools)")
    root = tmp_path_factory.mktemp("grub")
    (root / "iso/boot/grub").mkdir(parents=True)
    (root / "iso/boot/grub/grub.cfg").write_text("set timeout=-1\nmenuentry 'One' { true }\nmenuentry 'Two' { true }\n")
    subprocess.run(["grub-mkrescue", "-o", root / "g.iso", root / "iso"], check=True, capture_output=True)
    return (root / "g.iso").read_bytes()


@pytest.mark.parametrize("place", ["cdrom", "disk"])
def test_grub_shows_its_menu_and_takes_keys(grub_iso: bytes, place: str) -> None:
    if place == "cdrom":
        board = UcBoard(cdroms=[disk(grub_iso, "cd0", media="cdrom")])
    else:
        board = UcBoard(hard_disks=[disk(grub_iso)])
    board.run("*One")
    board.type("down")
    board.run("*Two")


@pytest.mark.skipif(not Path("/usr/lib/ipxe/e1000_82540.rom").exists(), reason="needs the Debian package ipxe")
def test_ipxe_s_option_rom_comes_up() -> None:
    board = UcBoard(boot_order="n")
    board.fw_cfg.add_file("genroms/pxe.rom", Path("/usr/lib/ipxe/e1000_82540.rom").read_bytes())
    board.run("initialising devices...ok")


@pytest.mark.skipif(
    not Path("/usr/share/seabios/vgabios-stdvga.bin").exists(), reason="needs the Debian package seabios"
)
def test_another_vga_bios_takes_over() -> None:
    board = UcBoard(vga_rom="/usr/share/seabios/vgabios-stdvga.bin")
    assert board.run("No bootable device.")[0] == "pyqemu BIOS"
    assert board.memory.load(4 * 0x10 + 2, 2) == 0xC000
