"""Bits of the registers and status bytes of the 82078 (data sheet 290468-003, chapters 2 and 7)."""

# fmt: off
SRA_PENDING    = 0x80
SRA_NO_DRIVE2  = 0x40
SRB_RESET      = 0xC0

DOR_SELECT     = 0x03
DOR_NRESET     = 0x04
DOR_DMA        = 0x08

MSR_READY      = 0x80
MSR_TO_HOST    = 0x40
MSR_NO_DMA     = 0x20
MSR_BUSY       = 0x10

DSR_RATE       = 0x03
DSR_POWERDOWN  = 0x40
DSR_RESET      = 0x80
DIR_CHANGED    = 0x80

ST0_READY_CHANGED = 0xC0
ST0_INVALID    = 0x80
ST0_ABNORMAL   = 0x40
ST0_SEEK       = 0x20
ST0_CHECK      = 0x10

ST1_NO_ADDRESS = 0x01
ST1_PROTECTED  = 0x02
ST1_NO_DATA    = 0x04
ST1_BAD_DATA   = 0x20
ST1_PAST_END   = 0x80

ST2_SCAN_FAILED = 0x04
ST2_SCAN_HIT   = 0x08

ST3_PROTECTED  = 0x40
ST3_READY      = 0x20
ST3_TRACK0     = 0x10
ST3_TWO_SIDES  = 0x08

CONFIG_RESET   = 0x60  # implied seek (as in QEMU), FIFO off
# fmt: on
