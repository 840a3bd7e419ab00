"""Bits of the ATA registers (ATA/ATAPI-6, INCITS 361, chapter 7) and of the bus-master registers."""

# fmt: off
# Status (7.15) and alternate status.
STATUS_ERR   = 0x01
STATUS_DRQ   = 0x08  # data block ready
STATUS_DSC   = 0x10  # seek complete; command dependent in newer standards
STATUS_DF    = 0x20  # device fault
STATUS_DRDY  = 0x40
STATUS_BSY   = 0x80
STATUS_IDLE  = STATUS_DRDY | STATUS_DSC

# Error (7.10).
ERROR_MCR    = 0x08  # media change requested
ERROR_ABRT   = 0x04
DIAGNOSTIC_PASSED = 0x01

# Device control (7.9).
CONTROL_NIEN = 0x02  # no interrupts
CONTROL_SRST = 0x04  # software reset of both devices
CONTROL_HOB  = 0x80  # read the previous contents of the registers that hold 48-bit addresses

# Device/head (7.8).
SELECT_DEV   = 0x10
SELECT_LBA   = 0x40
SELECT_FIXED = 0xA0  # obsolete, always one

# Interrupt reason: the sector count register under PACKET (ATA/ATAPI-6 8.23).
REASON_CD    = 0x01  # command packet
REASON_IO    = 0x02  # to the host

# Offsets within the command block.
DATA, ERROR, SECTOR_COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE, STATUS = range(8)
FEATURES, COMMAND = ERROR, STATUS  # the same offsets when written
NAMES_READ    = ("Data", "Error", "Sector Count", "Sector Number", "Cylinder Low", "Cylinder High", "Device/Head",
                 "Status")
NAMES_WRITTEN = ("Data", "Features", *NAMES_READ[2:7], "Command")

# Bus master (PIIX3 data sheet 290550-002, 2.4).
BM_COMMAND_START = 0x01
BM_COMMAND_READ  = 0x08  # from the drive to memory
BM_STATUS_ACTIVE = 0x01
BM_STATUS_ERROR  = 0x02
BM_STATUS_INT    = 0x04
# fmt: on
