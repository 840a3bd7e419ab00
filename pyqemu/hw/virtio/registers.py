"""Numbers of the standard (Virtual I/O Device Version 1.0; 0.9.5 where it says "legacy")."""

# fmt: off
# Device ids, section 5
ID_NET, ID_BLOCK, ID_CONSOLE, ID_RNG, ID_BALLOON = 1, 2, 3, 4, 5

# Status, 2.1
STATUS_ACKNOWLEDGE = 0x01
STATUS_DRIVER      = 0x02
STATUS_DRIVER_OK   = 0x04
STATUS_FEATURES_OK = 0x08
STATUS_NEEDS_RESET = 0x40
STATUS_FAILED      = 0x80

# Features that are the queues' and the transport's, section 6; numbers of bits
F_NOTIFY_ON_EMPTY = 24  # legacy
F_ANY_LAYOUT      = 27  # legacy
F_INDIRECT_DESC   = 28
F_EVENT_IDX       = 29
F_BAD_FEATURE     = 30  # legacy: a driver that accepts it has looked at nothing
F_VERSION_1       = 32

# Interrupt status, 4.1.4.5
ISR_QUEUE, ISR_CONFIG = 1, 2

MAX_QUEUES     = 1024   # that QEMU's saved state has room for
MAX_QUEUE_SIZE = 1024
NO_VECTOR      = 0xFFFF
# fmt: on
