"""Names of the configuration space (PCI Local Bus Specification 3.0, chapter 6)."""

# fmt: off
VENDOR_ID           = 0x00
DEVICE_ID           = 0x02
COMMAND             = 0x04
STATUS              = 0x06
REVISION_ID         = 0x08
CLASS_PROG          = 0x09
CLASS_DEVICE        = 0x0A
CACHE_LINE_SIZE     = 0x0C
LATENCY_TIMER       = 0x0D
HEADER_TYPE         = 0x0E
BIST                = 0x0F
BASE_ADDRESS_0      = 0x10
CARDBUS_CIS         = 0x28
SUBSYSTEM_VENDOR_ID = 0x2C
SUBSYSTEM_ID        = 0x2E
ROM_ADDRESS         = 0x30
CAPABILITY_LIST     = 0x34
INTERRUPT_LINE      = 0x3C
INTERRUPT_PIN       = 0x3D
MIN_GNT             = 0x3E
MAX_LAT             = 0x3F
HEADER_SIZE         = 0x40

COMMAND_IO           = 0x0001
COMMAND_MEMORY       = 0x0002
COMMAND_MASTER       = 0x0004
COMMAND_SPECIAL      = 0x0008
COMMAND_INVALIDATE   = 0x0010
COMMAND_VGA_PALETTE  = 0x0020
COMMAND_PARITY       = 0x0040
COMMAND_SERR         = 0x0100
COMMAND_FAST_BACK    = 0x0200
COMMAND_INTX_DISABLE = 0x0400

STATUS_INTERRUPT     = 0x0008
STATUS_CAP_LIST      = 0x0010
STATUS_66MHZ         = 0x0020
STATUS_FAST_BACK     = 0x0080
STATUS_DEVSEL_MEDIUM = 0x0200
STATUS_W1C           = 0xF900   # the error bits: writing one clears

BAR_IO               = 0x01
BAR_MEM_64           = 0x04
BAR_MEM_PREFETCH     = 0x08
ROM_ENABLE           = 0x01

HEADER_MULTIFUNCTION = 0x80

CAP_ID_PM            = 0x01
CAP_ID_MSI           = 0x05
CAP_ID_VENDOR        = 0x09
CAP_ID_MSIX          = 0x11

VENDOR_INTEL         = 0x8086
VENDOR_QEMU          = 0x1234
VENDOR_REDHAT_QUMRANET = 0x1AF4
SUBSYSTEM_QEMU       = 0x1100
# fmt: on


def devfn(slot: int, function: int = 0) -> int:
    """The number of a function of a slot on its bus."""
    return slot << 3 | function
