"""Where the BIOS keeps things: the private port, the ROM's answers, the BIOS data areas.

All state of the BIOS lives in guest memory, as that of a real one does: the BIOS data area at 0x400 (IBM PC/AT
Technical Reference; Ralf Brown's memory list), the extended one at ``EBDA``. So it is saved, restored and migrated
with RAM, and the Python side has none.
"""

from __future__ import annotations

from enum import IntEnum

TRAP_PORT = 0xBE
"""The port by which ROM code asks Python for a service; nothing else decodes it on this board."""

ROM_SIZE = 0x20000
"""Bytes of the image: the upper half is segment F000h; the lower half is empty and ends as room for option ROMs."""

BIOS_SEGMENT, VIDEO_SEGMENT = 0xF000, 0xC000
EBDA = 0x9FC00
EBDA_SEGMENT = EBDA >> 4
EBDA_SIZE = 1024
BOOT_ADDRESS = 0x7C00
STACK_TOP = 0x7000
"""Where the stack of POST, and of a boot sector at first, begins to grow down. It is not in the page of the boot
sector's code, because writes to pages with code are slow.
"""


class Service(IntEnum):
    """What the ROM asks for: the number of the interrupt, or one from 80h on."""

    DIVIDE = 0x00
    PRINT_SCREEN = 0x05
    KEYBOARD = 0x09
    VIDEO = 0x10
    EQUIPMENT = 0x11
    MEMORY_SIZE = 0x12
    DISK = 0x13
    SERIAL = 0x14
    SYSTEM = 0x15
    KEY = 0x16
    PRINTER = 0x17
    TIME = 0x1A
    FLOPPY = 0x40
    CLOCK = 0x70
    MOUSE = 0x74
    POST = 0x80  # the part of POST that runs guest code: asked until there is nothing left to do
    BOOT = 0x81  # find something to boot
    BOOT_RESTART = 0x82  # from the first device on (INT 19h)
    PCI32 = 0x83  # PCI BIOS from 32-bit protected mode
    APM32 = 0x84
    APM16 = 0x85
    PMM = 0x86  # POST memory manager
    RESET = 0x87  # the first part of POST


class Verdict(IntEnum):
    """What the ROM is to do after a service; it finds it in AL."""

    DONE = 0
    WAIT = 1  # wait for an interrupt, then ask again
    PRINT = 2  # write the text at EBDA ``PRINT_TEXT`` by INT 10h, then ask again
    CALL = 3  # far call with the registers of the call block, then ask again
    START = 4  # a fresh stack, then jump with the registers of the call block
    SPIN = 5  # let interrupts in, then ask again
    INTERRUPT = 6  # call the call block's target as an interrupt handler; then the service is done
    MOUSE = 7  # call the mouse handler with its four words; then the service is done
    HALT = 8  # stop for good
    TEXT_MODE = 9  # set video mode 3 by INT 10h, then ask again


class Bda(IntEnum):
    """Addresses in the BIOS data area."""

    SERIAL_PORTS = 0x400
    PARALLEL_PORTS = 0x408
    EBDA_SEGMENT = 0x40E
    EQUIPMENT = 0x410
    MEMORY_KB = 0x413
    KEY_FLAGS = 0x417
    KEY_FLAGS2 = 0x418
    ALT_NUMBER = 0x419
    KEY_HEAD = 0x41A
    KEY_TAIL = 0x41C
    KEY_BUFFER = 0x41E
    FLOPPY_MOTOR = 0x43F
    FLOPPY_MOTOR_COUNT = 0x440
    FLOPPY_STATUS = 0x441
    VIDEO_MODE = 0x449
    COLUMNS = 0x44A
    PAGE_SIZE = 0x44C
    PAGE_START = 0x44E
    CURSOR = 0x450  # eight pages: column, row
    CURSOR_SHAPE = 0x460
    PAGE = 0x462
    CRTC_PORT = 0x463
    CGA_MODE_CONTROL = 0x465
    CGA_PALETTE = 0x466
    RESUME = 0x467
    TICKS = 0x46C
    MIDNIGHT = 0x470
    BREAK = 0x471
    WARM_BOOT = 0x472
    DISK_STATUS = 0x474
    DISK_COUNT = 0x475
    PRINTER_TIMEOUT = 0x478
    SERIAL_TIMEOUT = 0x47C
    KEY_START = 0x480
    KEY_END = 0x482
    ROWS = 0x484  # less one
    CHARACTER_HEIGHT = 0x485
    VIDEO_CONTROL = 0x487
    VIDEO_SWITCHES = 0x488
    VIDEO_STATE = 0x489
    FLOPPY_MEDIA = 0x48F
    KEY_FLAGS3 = 0x496
    KEY_LEDS = 0x497
    WAIT_POINTER = 0x498
    WAIT_COUNT = 0x49C
    WAIT_ACTIVE = 0x4A0
    VIDEO_SAVE_POINTER = 0x4A8
    VBE_MODE = 0x4BA  # with the flags of function 4F02h; 0 in the modes of VGA
    VIDEO_COMBINATION = 0x48A


class Ebda(IntEnum):
    """Offsets in the extended BIOS data area. Up to 3Ch they are IBM's (PS/2), the rest is ours."""

    SIZE_KB = 0x00
    MOUSE_HANDLER = 0x22
    MOUSE_FLAGS1 = 0x26  # bits 2-0: bytes received of a packet
    MOUSE_FLAGS2 = 0x27  # bit 7: a handler is set; bits 2-0: packet size less one
    MOUSE_DATA = 0x28
    DISK_TABLE_0 = 0x3D
    DISK_TABLE_1 = 0x4D
    CALL_TARGET = 0x60
    CALL_AX = 0x64
    CALL_BX = 0x66
    CALL_CX = 0x68
    CALL_DX = 0x6A
    CALL_SI = 0x6C
    CALL_DI = 0x6E
    CALL_ES = 0x70
    CALL_DS = 0x72
    MOUSE_WORDS = 0x74  # status, x, y, z as they are pushed
    POST_STEP = 0x80
    POST_ITEM = 0x82  # which option ROM is at work
    POST_NEXT_ROM = 0x84  # segment where the next one may go
    BOOT_STEP = 0x88
    BOOT_NEXT = 0x89  # index of the next boot candidate
    BOOT_CHOICE = 0x8A  # candidate picked in the menu, plus one
    DEADLINE = 0x90  # nanoseconds of guest time at which a wait ends
    PMM_HIGH = 0x98  # next free address downwards
    PMM_FLOOR = 0x9C
    APM_STATE = 0xA0
    CD_EMULATION = 0xB0  # 19 bytes: the specification packet of INT 13h AH=4Bh
    CD_UNIT = 0xC4
    CD_HEADS = 0xC5
    CD_SECTORS = 0xC6  # sectors a track
    CD_CYLINDERS = 0xC8
    CD_BLOCKS = 0xCC  # 512-byte blocks of the emulated disk
    BEV_COUNT = 0xD0
    BEV_LIST = 0xD2  # eight boot entries: entry point (far), product string (offset), ROM name number
    BCV_COUNT = 0xD1
    BCV_LIST = 0x112  # eight far pointers
    PRINT_TEXT = 0x140  # zero-terminated, up to the end of the area
