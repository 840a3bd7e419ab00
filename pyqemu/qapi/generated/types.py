"""Types of the schema.

Generated from ``qapi-schema.json`` by ``python -m pyqemu.qapi``; changes belong there.
"""

# fmt: off
# ruff: noqa: RUF023 (slots are in the order of the schema)

from __future__ import annotations

import enum
from typing import Final, TypeAlias

from pyqemu.qapi.base import Null, Struct


class QapiErrorClass(enum.StrEnum):
    """The classes of errors that a QMP client can tell apart."""

    GENERICERROR = "GenericError"
    COMMANDNOTFOUND = "CommandNotFound"
    DEVICEENCRYPTED = "DeviceEncrypted"
    DEVICENOTACTIVE = "DeviceNotActive"
    DEVICENOTFOUND = "DeviceNotFound"
    KVMMISSINGCAP = "KVMMissingCap"


class IoOperationType(enum.StrEnum):
    """Direction of an input/output request."""

    READ = "read"
    WRITE = "write"


class OnOffAuto(enum.StrEnum):
    """A switch that can be left to the emulator."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class OnOffSplit(enum.StrEnum):
    """Three ways to set a facility that can be divided in two."""

    ON = "on"
    OFF = "off"
    SPLIT = "split"


class QMPCapability(enum.StrEnum):
    """What a client can switch on while it negotiates."""

    OOB = "oob"


class SysEmuTarget(enum.StrEnum):
    """The architectures that can be emulated as whole systems."""

    AARCH64 = "aarch64"
    ALPHA = "alpha"
    ARM = "arm"
    AVR = "avr"
    CRIS = "cris"
    HPPA = "hppa"
    I386 = "i386"
    LM32 = "lm32"
    LOONGARCH64 = "loongarch64"
    M68K = "m68k"
    MICROBLAZE = "microblaze"
    MICROBLAZEEL = "microblazeel"
    MIPS = "mips"
    MIPS64 = "mips64"
    MIPS64EL = "mips64el"
    MIPSEL = "mipsel"
    MOXIE = "moxie"
    NIOS2 = "nios2"
    OR1K = "or1k"
    OR32 = "or32"
    PPC = "ppc"
    PPC64 = "ppc64"
    RISCV32 = "riscv32"
    RISCV64 = "riscv64"
    RX = "rx"
    S390X = "s390x"
    SH4 = "sh4"
    SH4EB = "sh4eb"
    SPARC = "sparc"
    SPARC64 = "sparc64"
    TILEGX = "tilegx"
    TRICORE = "tricore"
    UNICORE32 = "unicore32"
    X86_64 = "x86_64"
    XTENSA = "xtensa"
    XTENSAEB = "xtensaeb"


class SchemaMetaType(enum.StrEnum):
    """The kinds of things that a schema consists of."""

    BUILTIN = "builtin"
    ENUM = "enum"
    ARRAY = "array"
    OBJECT = "object"
    ALTERNATE = "alternate"
    COMMAND = "command"
    EVENT = "event"


class JSONType(enum.StrEnum):
    """The kinds of JSON values."""

    STRING = "string"
    NUMBER = "number"
    INT = "int"
    BOOLEAN = "boolean"
    NULL = "null"
    OBJECT = "object"
    ARRAY = "array"
    VALUE = "value"


class RunState(enum.StrEnum):
    """What the machine as a whole is doing."""

    DEBUG = "debug"
    INMIGRATE = "inmigrate"
    INTERNAL_ERROR = "internal-error"
    IO_ERROR = "io-error"
    PAUSED = "paused"
    POSTMIGRATE = "postmigrate"
    PRELAUNCH = "prelaunch"
    FINISH_MIGRATE = "finish-migrate"
    RESTORE_VM = "restore-vm"
    RUNNING = "running"
    SAVE_VM = "save-vm"
    SHUTDOWN = "shutdown"
    SUSPENDED = "suspended"
    WATCHDOG = "watchdog"
    GUEST_PANICKED = "guest-panicked"


class ShutdownCause(enum.StrEnum):
    """Why the machine was reset or switched off."""

    NONE = "none"
    HOST_ERROR = "host-error"
    HOST_QMP_QUIT = "host-qmp-quit"
    HOST_QMP_SYSTEM_RESET = "host-qmp-system-reset"
    HOST_SIGNAL = "host-signal"
    HOST_UI = "host-ui"
    GUEST_SHUTDOWN = "guest-shutdown"
    GUEST_RESET = "guest-reset"
    GUEST_PANIC = "guest-panic"
    SUBSYSTEM_RESET = "subsystem-reset"
    SNAPSHOT_LOAD = "snapshot-load"


class WatchdogExpirationAction(enum.StrEnum):
    """What happens when a watchdog expires."""

    RESET = "reset"
    SHUTDOWN = "shutdown"
    POWEROFF = "poweroff"
    PAUSE = "pause"
    DEBUG = "debug"
    NONE = "none"
    INJECT_NMI = "inject-nmi"


class RebootAction(enum.StrEnum):
    """What a guest's reset does."""

    RESET = "reset"
    SHUTDOWN = "shutdown"


class ShutdownAction(enum.StrEnum):
    """What a guest's power-off does."""

    POWEROFF = "poweroff"
    PAUSE = "pause"


class PanicAction(enum.StrEnum):
    """What the report of a crashed guest does."""

    PAUSE = "pause"
    SHUTDOWN = "shutdown"
    EXIT_FAILURE = "exit-failure"
    NONE = "none"


class GuestPanicAction(enum.StrEnum):
    """What was done about a crashed guest."""

    PAUSE = "pause"
    POWEROFF = "poweroff"
    RUN = "run"


class GuestPanicInformationType(enum.StrEnum):
    """Who describes a guest's crash, and in which form."""

    HYPER_V = "hyper-v"
    S390 = "s390"


class S390CrashReason(enum.StrEnum):
    """Why an s390 CPU stopped for good."""

    UNKNOWN = "unknown"
    DISABLED_WAIT = "disabled-wait"
    EXTINT_LOOP = "extint-loop"
    PGMINT_LOOP = "pgmint-loop"
    OPINT_LOOP = "opint-loop"


class NetworkAddressFamily(enum.StrEnum):
    """Families of network addresses."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    UNIX = "unix"
    VSOCK = "vsock"
    UNKNOWN = "unknown"


class SocketAddressKind(enum.StrEnum):
    """Branches of SocketAddress."""

    INET = "inet"
    UNIX = "unix"
    VSOCK = "vsock"
    FD = "fd"


class SocketAddressType(enum.StrEnum):
    """Kinds of socket addresses."""

    INET = "inet"
    UNIX = "unix"
    VSOCK = "vsock"
    FD = "fd"


class QCryptoTLSCredsEndpoint(enum.StrEnum):
    """The side of a TLS connection."""

    CLIENT = "client"
    SERVER = "server"


class QCryptoSecretFormat(enum.StrEnum):
    """How the bytes of a secret are written."""

    RAW = "raw"
    BASE64 = "base64"


class QCryptoHashAlgorithm(enum.StrEnum):
    """Hash functions."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA224 = "sha224"
    SHA384 = "sha384"
    SHA512 = "sha512"
    RIPEMD160 = "ripemd160"


class QCryptoCipherAlgorithm(enum.StrEnum):
    """Ciphers."""

    AES_128 = "aes-128"
    AES_192 = "aes-192"
    AES_256 = "aes-256"
    DES_RFB = "des-rfb"
    _3DES = "3des"
    CAST5_128 = "cast5-128"
    SERPENT_128 = "serpent-128"
    SERPENT_192 = "serpent-192"
    SERPENT_256 = "serpent-256"
    TWOFISH_128 = "twofish-128"
    TWOFISH_192 = "twofish-192"
    TWOFISH_256 = "twofish-256"


class QCryptoCipherMode(enum.StrEnum):
    """Modes of operation of a cipher."""

    ECB = "ecb"
    CBC = "cbc"
    XTS = "xts"
    CTR = "ctr"


class QCryptoIVGenAlgorithm(enum.StrEnum):
    """How the initialization vector of a sector is made."""

    PLAIN = "plain"
    PLAIN64 = "plain64"
    ESSIV = "essiv"


class QCryptoBlockFormat(enum.StrEnum):
    """Formats of encrypted block devices."""

    QCOW = "qcow"
    LUKS = "luks"


class QAuthZListPolicy(enum.StrEnum):
    """What a rule decides."""

    DENY = "deny"
    ALLOW = "allow"


class QAuthZListFormat(enum.StrEnum):
    """How a rule's text is compared."""

    EXACT = "exact"
    GLOB = "glob"


class BlockJobType(enum.StrEnum):
    """Kinds of jobs."""

    COMMIT = "commit"
    STREAM = "stream"
    MIRROR = "mirror"
    BACKUP = "backup"
    CREATE = "create"
    SNAPSHOT_LOAD = "snapshot-load"
    SNAPSHOT_SAVE = "snapshot-save"
    SNAPSHOT_DELETE = "snapshot-delete"


class JobStatus(enum.StrEnum):
    """States of jobs."""

    UNDEFINED = "undefined"
    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    READY = "ready"
    STANDBY = "standby"
    WAITING = "waiting"
    PENDING = "pending"
    ABORTING = "aborting"
    CONCLUDED = "concluded"
    NULL = "null"


class JobVerb(enum.StrEnum):
    """What can be done to jobs."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    SET_SPEED = "set-speed"
    COMPLETE = "complete"
    DISMISS = "dismiss"
    FINALIZE = "finalize"


class ImageInfoSpecificKind(enum.StrEnum):
    """Branches of ImageInfoSpecific."""

    QCOW2 = "qcow2"
    VMDK = "vmdk"


class BlockDeviceIoStatus(enum.StrEnum):
    """Whether input and output work."""

    OK = "ok"
    FAILED = "failed"
    NOSPACE = "nospace"


class DirtyBitmapStatus(enum.StrEnum):
    """The state of a dirty bitmap."""

    ACTIVE = "active"
    DISABLED = "disabled"
    FROZEN = "frozen"
    LOCKED = "locked"
    INCONSISTENT = "inconsistent"


class BlockdevOnError(enum.StrEnum):
    """What is done about an input/output error."""

    REPORT = "report"
    IGNORE = "ignore"
    ENOSPC = "enospc"
    STOP = "stop"
    AUTO = "auto"


class MirrorSyncMode(enum.StrEnum):
    """What is copied first."""

    TOP = "top"
    FULL = "full"
    NONE = "none"
    INCREMENTAL = "incremental"
    BITMAP = "bitmap"


class BitmapSyncMode(enum.StrEnum):
    """What becomes of the bitmap that a job used."""

    ON_SUCCESS = "on-success"
    NEVER = "never"
    ALWAYS = "always"


class MirrorCopyMode(enum.StrEnum):
    """How a job copies what the guest writes."""

    BACKGROUND = "background"
    WRITE_BLOCKING = "write-blocking"


class NewImageMode(enum.StrEnum):
    """Where a new image comes from."""

    EXISTING = "existing"
    ABSOLUTE_PATHS = "absolute-paths"


class BlockdevDiscardOptions(enum.StrEnum):
    """What is done about discard requests."""

    IGNORE = "ignore"
    UNMAP = "unmap"


class BlockdevDetectZeroesOptions(enum.StrEnum):
    """What is done about writes of zeros."""

    OFF = "off"
    ON = "on"
    UNMAP = "unmap"


class BlockdevAioOptions(enum.StrEnum):
    """How the host does input and output."""

    THREADS = "threads"
    NATIVE = "native"


class BlockdevDriver(enum.StrEnum):
    """The drivers of block nodes."""

    ARCHIPELAGO = "archipelago"
    BLKDEBUG = "blkdebug"
    BLKVERIFY = "blkverify"
    BOCHS = "bochs"
    CLOOP = "cloop"
    COPY_ON_READ = "copy-on-read"
    DMG = "dmg"
    FILE = "file"
    FTP = "ftp"
    FTPS = "ftps"
    HOST_CDROM = "host_cdrom"
    HOST_DEVICE = "host_device"
    HTTP = "http"
    HTTPS = "https"
    LUKS = "luks"
    NBD = "nbd"
    NULL_AIO = "null-aio"
    NULL_CO = "null-co"
    PARALLELS = "parallels"
    QCOW = "qcow"
    QCOW2 = "qcow2"
    QED = "qed"
    QUORUM = "quorum"
    RAW = "raw"
    TFTP = "tftp"
    THROTTLE = "throttle"
    VDI = "vdi"
    VHDX = "vhdx"
    VMDK = "vmdk"
    VPC = "vpc"
    VVFAT = "vvfat"


class Qcow2OverlapCheckMode(enum.StrEnum):
    """Which checks against overwriting metadata are made."""

    NONE = "none"
    CONSTANT = "constant"
    CACHED = "cached"
    ALL = "all"


class BlockdevQcow2EncryptionFormat(enum.StrEnum):
    """How a qcow2 image is encrypted."""

    AES = "aes"
    LUKS = "luks"


class BlkdebugEvent(enum.StrEnum):
    """Points in the work of image formats where an error can be made."""

    L1_UPDATE = "l1_update"
    L1_GROW_ALLOC_TABLE = "l1_grow_alloc_table"
    L1_GROW_WRITE_TABLE = "l1_grow_write_table"
    L1_GROW_ACTIVATE_TABLE = "l1_grow_activate_table"
    L2_LOAD = "l2_load"
    L2_UPDATE = "l2_update"
    L2_UPDATE_COMPRESSED = "l2_update_compressed"
    L2_ALLOC_COW_READ = "l2_alloc_cow_read"
    L2_ALLOC_WRITE = "l2_alloc_write"
    READ_AIO = "read_aio"
    READ_BACKING_AIO = "read_backing_aio"
    READ_COMPRESSED = "read_compressed"
    WRITE_AIO = "write_aio"
    WRITE_COMPRESSED = "write_compressed"
    VMSTATE_LOAD = "vmstate_load"
    VMSTATE_SAVE = "vmstate_save"
    COW_READ = "cow_read"
    COW_WRITE = "cow_write"
    REFTABLE_LOAD = "reftable_load"
    REFTABLE_GROW = "reftable_grow"
    REFTABLE_UPDATE = "reftable_update"
    REFBLOCK_LOAD = "refblock_load"
    REFBLOCK_UPDATE = "refblock_update"
    REFBLOCK_UPDATE_PART = "refblock_update_part"
    REFBLOCK_ALLOC = "refblock_alloc"
    REFBLOCK_ALLOC_HOOKUP = "refblock_alloc_hookup"
    REFBLOCK_ALLOC_WRITE = "refblock_alloc_write"
    REFBLOCK_ALLOC_WRITE_BLOCKS = "refblock_alloc_write_blocks"
    REFBLOCK_ALLOC_WRITE_TABLE = "refblock_alloc_write_table"
    REFBLOCK_ALLOC_SWITCH_TABLE = "refblock_alloc_switch_table"
    CLUSTER_ALLOC = "cluster_alloc"
    CLUSTER_ALLOC_BYTES = "cluster_alloc_bytes"
    CLUSTER_FREE = "cluster_free"
    FLUSH_TO_OS = "flush_to_os"
    FLUSH_TO_DISK = "flush_to_disk"
    PWRITEV_RMW_HEAD = "pwritev_rmw_head"
    PWRITEV_RMW_AFTER_HEAD = "pwritev_rmw_after_head"
    PWRITEV_RMW_TAIL = "pwritev_rmw_tail"
    PWRITEV_RMW_AFTER_TAIL = "pwritev_rmw_after_tail"
    PWRITEV = "pwritev"
    PWRITEV_ZERO = "pwritev_zero"
    PWRITEV_DONE = "pwritev_done"
    EMPTY_IMAGE_PREPARE = "empty_image_prepare"


class QuorumReadPattern(enum.StrEnum):
    """How a quorum reads."""

    QUORUM = "quorum"
    FIFO = "fifo"


class PreallocMode(enum.StrEnum):
    """What of a new image is allocated at once."""

    OFF = "off"
    METADATA = "metadata"
    FALLOC = "falloc"
    FULL = "full"


class BlockdevQcow2Version(enum.StrEnum):
    """Versions of the qcow2 format."""

    V2 = "v2"
    V3 = "v3"


class BlockdevVhdxSubformat(enum.StrEnum):
    """Kinds of Hyper-V images."""

    DYNAMIC = "dynamic"
    FIXED = "fixed"


class BlockdevVmdkSubformat(enum.StrEnum):
    """Kinds of VMware images."""

    MONOLITHICSPARSE = "monolithicSparse"
    MONOLITHICFLAT = "monolithicFlat"
    TWOGBMAXEXTENTSPARSE = "twoGbMaxExtentSparse"
    TWOGBMAXEXTENTFLAT = "twoGbMaxExtentFlat"
    STREAMOPTIMIZED = "streamOptimized"


class BlockdevVmdkAdapterType(enum.StrEnum):
    """Adapters that a VMware image is meant for."""

    IDE = "ide"
    BUSLOGIC = "buslogic"
    LSILOGIC = "lsilogic"
    LEGACYESX = "legacyESX"


class BlockdevVpcSubformat(enum.StrEnum):
    """Kinds of Virtual PC images."""

    DYNAMIC = "dynamic"
    FIXED = "fixed"


class BlockErrorAction(enum.StrEnum):
    """What was done about an input/output error."""

    IGNORE = "ignore"
    REPORT = "report"
    STOP = "stop"


class QuorumOpType(enum.StrEnum):
    """What a quorum was doing."""

    READ = "read"
    WRITE = "write"
    FLUSH = "flush"


class BiosAtaTranslation(enum.StrEnum):
    """How a BIOS presents large disks as cylinders, heads and sectors."""

    AUTO = "auto"
    NONE = "none"
    LBA = "lba"
    LARGE = "large"
    RECHS = "rechs"


class FloppyDriveType(enum.StrEnum):
    """Types of floppy disk drives."""

    _144 = "144"
    _288 = "288"
    _120 = "120"
    NONE = "none"
    AUTO = "auto"


class BlockdevChangeReadOnlyMode(enum.StrEnum):
    """Whether a new medium can be written to."""

    RETAIN = "retain"
    READ_ONLY = "read-only"
    READ_WRITE = "read-write"


class BlockExportRemoveMode(enum.StrEnum):
    """What happens to an export's clients when it is removed."""

    SAFE = "safe"
    HARD = "hard"


class BlockExportType(enum.StrEnum):
    """Kinds of exports."""

    NBD = "nbd"


class ActionCompletionMode(enum.StrEnum):
    """What the jobs of a transaction have to do with each other."""

    INDIVIDUAL = "individual"
    GROUPED = "grouped"


class TransactionActionKind(enum.StrEnum):
    """Branches of TransactionAction."""

    BLOCKDEV_SNAPSHOT = "blockdev-snapshot"
    BLOCKDEV_SNAPSHOT_SYNC = "blockdev-snapshot-sync"
    DRIVE_BACKUP = "drive-backup"
    BLOCKDEV_BACKUP = "blockdev-backup"
    ABORT = "abort"
    BLOCKDEV_SNAPSHOT_INTERNAL_SYNC = "blockdev-snapshot-internal-sync"
    BLOCK_DIRTY_BITMAP_ADD = "block-dirty-bitmap-add"
    BLOCK_DIRTY_BITMAP_REMOVE = "block-dirty-bitmap-remove"
    BLOCK_DIRTY_BITMAP_CLEAR = "block-dirty-bitmap-clear"
    BLOCK_DIRTY_BITMAP_ENABLE = "block-dirty-bitmap-enable"
    BLOCK_DIRTY_BITMAP_DISABLE = "block-dirty-bitmap-disable"
    BLOCK_DIRTY_BITMAP_MERGE = "block-dirty-bitmap-merge"


class DataFormat(enum.StrEnum):
    """How bytes are written as text."""

    UTF8 = "utf8"
    BASE64 = "base64"


class ChardevBackendKind(enum.StrEnum):
    """Branches of ChardevBackend."""

    FILE = "file"
    SERIAL = "serial"
    PARALLEL = "parallel"
    PIPE = "pipe"
    SOCKET = "socket"
    UDP = "udp"
    PTY = "pty"
    NULL = "null"
    MUX = "mux"
    MSMOUSE = "msmouse"
    BRAILLE = "braille"
    TESTDEV = "testdev"
    STDIO = "stdio"
    CONSOLE = "console"
    SPICEVMC = "spicevmc"
    SPICEPORT = "spiceport"
    VC = "vc"
    RINGBUF = "ringbuf"
    MEMORY = "memory"


class NetClientOptionsKind(enum.StrEnum):
    """Branches of NetClientOptions."""

    NONE = "none"
    NIC = "nic"
    USER = "user"
    TAP = "tap"
    L2TPV3 = "l2tpv3"
    SOCKET = "socket"
    VDE = "vde"
    DUMP = "dump"
    BRIDGE = "bridge"
    HUBPORT = "hubport"
    NETMAP = "netmap"
    VHOST_USER = "vhost-user"


class NetClientDriver(enum.StrEnum):
    """The kinds of network backends."""

    NONE = "none"
    NIC = "nic"
    USER = "user"
    TAP = "tap"
    L2TPV3 = "l2tpv3"
    SOCKET = "socket"
    STREAM = "stream"
    DGRAM = "dgram"
    VDE = "vde"
    BRIDGE = "bridge"
    HUBPORT = "hubport"
    NETMAP = "netmap"
    VHOST_USER = "vhost-user"


class RxState(enum.StrEnum):
    """How an adapter treats a class of packets."""

    NORMAL = "normal"
    NONE = "none"
    ALL = "all"


class ImageFormat(enum.StrEnum):
    """File formats of pictures."""

    PPM = "ppm"
    PNG = "png"


class SpiceQueryMouseMode(enum.StrEnum):
    """Who draws the pointer."""

    CLIENT = "client"
    SERVER = "server"
    UNKNOWN = "unknown"


class VncPrimaryAuth(enum.StrEnum):
    """How VNC clients prove who they are."""

    NONE = "none"
    VNC = "vnc"
    RA2 = "ra2"
    RA2NE = "ra2ne"
    TIGHT = "tight"
    ULTRA = "ultra"
    TLS = "tls"
    VENCRYPT = "vencrypt"
    SASL = "sasl"


class VncVencryptSubAuth(enum.StrEnum):
    """How VNC clients prove who they are inside TLS."""

    PLAIN = "plain"
    TLS_NONE = "tls-none"
    X509_NONE = "x509-none"
    TLS_VNC = "tls-vnc"
    X509_VNC = "x509-vnc"
    TLS_PLAIN = "tls-plain"
    X509_PLAIN = "x509-plain"
    TLS_SASL = "tls-sasl"
    X509_SASL = "x509-sasl"


class QKeyCode(enum.StrEnum):
    """Keys, by what the US layout has on them."""

    UNMAPPED = "unmapped"
    SHIFT = "shift"
    SHIFT_R = "shift_r"
    ALT = "alt"
    ALT_R = "alt_r"
    ALTGR = "altgr"
    ALTGR_R = "altgr_r"
    CTRL = "ctrl"
    CTRL_R = "ctrl_r"
    MENU = "menu"
    ESC = "esc"
    _1 = "1"
    _2 = "2"
    _3 = "3"
    _4 = "4"
    _5 = "5"
    _6 = "6"
    _7 = "7"
    _8 = "8"
    _9 = "9"
    _0 = "0"
    MINUS = "minus"
    EQUAL = "equal"
    BACKSPACE = "backspace"
    TAB = "tab"
    Q = "q"
    W = "w"
    E = "e"
    R = "r"
    T = "t"
    Y = "y"
    U = "u"
    I = "i"
    O = "o"
    P = "p"
    BRACKET_LEFT = "bracket_left"
    BRACKET_RIGHT = "bracket_right"
    RET = "ret"
    A = "a"
    S = "s"
    D = "d"
    F = "f"
    G = "g"
    H = "h"
    J = "j"
    K = "k"
    L = "l"
    SEMICOLON = "semicolon"
    APOSTROPHE = "apostrophe"
    GRAVE_ACCENT = "grave_accent"
    BACKSLASH = "backslash"
    Z = "z"
    X = "x"
    C = "c"
    V = "v"
    B = "b"
    N = "n"
    M = "m"
    COMMA = "comma"
    DOT = "dot"
    SLASH = "slash"
    ASTERISK = "asterisk"
    SPC = "spc"
    CAPS_LOCK = "caps_lock"
    F1 = "f1"
    F2 = "f2"
    F3 = "f3"
    F4 = "f4"
    F5 = "f5"
    F6 = "f6"
    F7 = "f7"
    F8 = "f8"
    F9 = "f9"
    F10 = "f10"
    NUM_LOCK = "num_lock"
    SCROLL_LOCK = "scroll_lock"
    KP_DIVIDE = "kp_divide"
    KP_MULTIPLY = "kp_multiply"
    KP_SUBTRACT = "kp_subtract"
    KP_ADD = "kp_add"
    KP_ENTER = "kp_enter"
    KP_DECIMAL = "kp_decimal"
    SYSRQ = "sysrq"
    KP_0 = "kp_0"
    KP_1 = "kp_1"
    KP_2 = "kp_2"
    KP_3 = "kp_3"
    KP_4 = "kp_4"
    KP_5 = "kp_5"
    KP_6 = "kp_6"
    KP_7 = "kp_7"
    KP_8 = "kp_8"
    KP_9 = "kp_9"
    LESS = "less"
    F11 = "f11"
    F12 = "f12"
    PRINT = "print"
    HOME = "home"
    PGUP = "pgup"
    PGDN = "pgdn"
    END = "end"
    LEFT = "left"
    UP = "up"
    DOWN = "down"
    RIGHT = "right"
    INSERT = "insert"
    DELETE = "delete"
    STOP = "stop"
    AGAIN = "again"
    PROPS = "props"
    UNDO = "undo"
    FRONT = "front"
    COPY = "copy"
    OPEN = "open"
    PASTE = "paste"
    FIND = "find"
    CUT = "cut"
    LF = "lf"
    HELP = "help"
    META_L = "meta_l"
    META_R = "meta_r"
    COMPOSE = "compose"
    PAUSE = "pause"
    RO = "ro"
    KP_COMMA = "kp_comma"
    KP_EQUALS = "kp_equals"
    POWER = "power"
    HIRAGANA = "hiragana"
    HENKAN = "henkan"
    YEN = "yen"
    SLEEP = "sleep"
    WAKE = "wake"
    AUDIONEXT = "audionext"
    AUDIOPREV = "audioprev"
    AUDIOSTOP = "audiostop"
    AUDIOPLAY = "audioplay"
    AUDIOMUTE = "audiomute"
    VOLUMEUP = "volumeup"
    VOLUMEDOWN = "volumedown"
    MEDIASELECT = "mediaselect"
    MAIL = "mail"
    CALCULATOR = "calculator"
    COMPUTER = "computer"
    AC_HOME = "ac_home"
    AC_BACK = "ac_back"
    AC_FORWARD = "ac_forward"
    AC_REFRESH = "ac_refresh"
    AC_BOOKMARKS = "ac_bookmarks"
    MUHENKAN = "muhenkan"
    KATAKANAHIRAGANA = "katakanahiragana"
    LANG1 = "lang1"
    LANG2 = "lang2"


class KeyValueKind(enum.StrEnum):
    """Branches of KeyValue."""

    NUMBER = "number"
    QCODE = "qcode"


class InputButton(enum.StrEnum):
    """Buttons of pointing devices."""

    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"
    WHEEL_UP = "wheel-up"
    WHEEL_DOWN = "wheel-down"
    SIDE = "side"
    EXTRA = "extra"
    WHEEL_LEFT = "wheel-left"
    WHEEL_RIGHT = "wheel-right"


class InputAxis(enum.StrEnum):
    """Axes of pointing devices."""

    X = "x"
    Y = "y"


class InputEventKind(enum.StrEnum):
    """Branches of InputEvent."""

    KEY = "key"
    BTN = "btn"
    REL = "rel"
    ABS = "abs"


class TpmModel(enum.StrEnum):
    """The TPM devices that a guest can have."""

    TPM_TIS = "tpm-tis"
    TPM_CRB = "tpm-crb"


class TpmType(enum.StrEnum):
    """What a TPM device is backed by."""

    PASSTHROUGH = "passthrough"
    EMULATOR = "emulator"


class TpmTypeOptionsKind(enum.StrEnum):
    """Branches of TpmTypeOptions."""

    PASSTHROUGH = "passthrough"
    EMULATOR = "emulator"


class DumpGuestMemoryFormat(enum.StrEnum):
    """File formats of dumps."""

    ELF = "elf"
    KDUMP_ZLIB = "kdump-zlib"
    KDUMP_LZO = "kdump-lzo"
    KDUMP_SNAPPY = "kdump-snappy"


class DumpStatus(enum.StrEnum):
    """The state of the latest dump."""

    NONE = "none"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"


class MigrationStatus(enum.StrEnum):
    """The state of a migration."""

    NONE = "none"
    SETUP = "setup"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    ACTIVE = "active"
    POSTCOPY_ACTIVE = "postcopy-active"
    POSTCOPY_PAUSED = "postcopy-paused"
    POSTCOPY_RECOVER = "postcopy-recover"
    COMPLETED = "completed"
    FAILED = "failed"
    PRE_SWITCHOVER = "pre-switchover"
    DEVICE = "device"
    WAIT_UNPLUG = "wait-unplug"


class MigrationCapability(enum.StrEnum):
    """What can be switched on for migrations."""

    XBZRLE = "xbzrle"
    RDMA_PIN_ALL = "rdma-pin-all"
    AUTO_CONVERGE = "auto-converge"
    ZERO_BLOCKS = "zero-blocks"
    COMPRESS = "compress"
    EVENTS = "events"
    POSTCOPY_RAM = "postcopy-ram"
    RELEASE_RAM = "release-ram"
    BLOCK = "block"
    RETURN_PATH = "return-path"
    PAUSE_BEFORE_SWITCHOVER = "pause-before-switchover"
    MULTIFD = "multifd"
    DIRTY_BITMAPS = "dirty-bitmaps"
    LATE_BLOCK_ACTIVATE = "late-block-activate"
    VALIDATE_UUID = "validate-uuid"
    BACKGROUND_SNAPSHOT = "background-snapshot"


class MigrationParameter(enum.StrEnum):
    """The parameters of migrations; MigrationParameters tells what they mean."""

    COMPRESS_LEVEL = "compress-level"
    COMPRESS_THREADS = "compress-threads"
    DECOMPRESS_THREADS = "decompress-threads"
    CPU_THROTTLE_INITIAL = "cpu-throttle-initial"
    CPU_THROTTLE_INCREMENT = "cpu-throttle-increment"
    TLS_CREDS = "tls-creds"
    TLS_HOSTNAME = "tls-hostname"
    TLS_AUTHZ = "tls-authz"
    MAX_BANDWIDTH = "max-bandwidth"
    DOWNTIME_LIMIT = "downtime-limit"
    BLOCK_INCREMENTAL = "block-incremental"
    MULTIFD_CHANNELS = "multifd-channels"
    XBZRLE_CACHE_SIZE = "xbzrle-cache-size"
    MAX_POSTCOPY_BANDWIDTH = "max-postcopy-bandwidth"
    MAX_CPU_THROTTLE = "max-cpu-throttle"
    ANNOUNCE_INITIAL = "announce-initial"
    ANNOUNCE_MAX = "announce-max"
    ANNOUNCE_ROUNDS = "announce-rounds"
    ANNOUNCE_STEP = "announce-step"


class ReplayMode(enum.StrEnum):
    """Whether execution is recorded or replayed."""

    NONE = "none"
    RECORD = "record"
    PLAY = "play"


class TraceEventState(enum.StrEnum):
    """Whether a trace event is recorded."""

    UNAVAILABLE = "unavailable"
    DISABLED = "disabled"
    ENABLED = "enabled"


class ObjectType(enum.StrEnum):
    """The types of objects that a user can make."""

    AUTHZ_LIST = "authz-list"
    AUTHZ_LISTFILE = "authz-listfile"
    AUTHZ_SIMPLE = "authz-simple"
    CAN_BUS = "can-bus"
    FILTER_BUFFER = "filter-buffer"
    FILTER_DUMP = "filter-dump"
    FILTER_MIRROR = "filter-mirror"
    FILTER_REDIRECTOR = "filter-redirector"
    FILTER_REPLAY = "filter-replay"
    FILTER_REWRITER = "filter-rewriter"
    INPUT_LINUX = "input-linux"
    IOTHREAD = "iothread"
    MEMORY_BACKEND_FILE = "memory-backend-file"
    MEMORY_BACKEND_MEMFD = "memory-backend-memfd"
    MEMORY_BACKEND_RAM = "memory-backend-ram"
    QTEST = "qtest"
    RNG_BUILTIN = "rng-builtin"
    RNG_EGD = "rng-egd"
    RNG_RANDOM = "rng-random"
    SECRET = "secret"
    SECRET_KEYRING = "secret_keyring"
    THROTTLE_GROUP = "throttle-group"
    TLS_CIPHER_SUITES = "tls-cipher-suites"
    TLS_CREDS_ANON = "tls-creds-anon"
    TLS_CREDS_PSK = "tls-creds-psk"
    TLS_CREDS_X509 = "tls-creds-x509"


class NetFilterDirection(enum.StrEnum):
    """Which packets a filter sees, from the network backend's point of view."""

    ALL = "all"
    RX = "rx"
    TX = "tx"


class GrabToggleKeys(enum.StrEnum):
    """Keys that, pressed together, switch input between host and guest."""

    CTRL_CTRL = "ctrl-ctrl"
    ALT_ALT = "alt-alt"
    SHIFT_SHIFT = "shift-shift"
    META_META = "meta-meta"
    SCROLLLOCK = "scrolllock"
    CTRL_SCROLLLOCK = "ctrl-scrolllock"


class HostMemPolicy(enum.StrEnum):
    """Where the host takes memory from."""

    DEFAULT = "default"
    PREFERRED = "preferred"
    BIND = "bind"
    INTERLEAVE = "interleave"


class CpuModelExpansionType(enum.StrEnum):
    """How far a CPU model is spelled out."""

    STATIC = "static"
    FULL = "full"


class CpuInfoArch(enum.StrEnum):
    """Architectures whose program counter query-cpus tells."""

    X86 = "x86"
    SPARC = "sparc"
    PPC = "ppc"
    MIPS = "mips"
    TRICORE = "tricore"
    OTHER = "other"


class CpuS390State(enum.StrEnum):
    """The states of an s390 CPU."""

    UNINITIALIZED = "uninitialized"
    STOPPED = "stopped"
    CHECK_STOP = "check-stop"
    OPERATING = "operating"
    LOAD = "load"


class NumaOptionsType(enum.StrEnum):
    """What a -numa option describes."""

    NODE = "node"
    DIST = "dist"
    CPU = "cpu"


class MemoryDeviceInfoKind(enum.StrEnum):
    """Branches of MemoryDeviceInfo."""

    DIMM = "dimm"
    NVDIMM = "nvdimm"


class X86CPURegister32(enum.StrEnum):
    """The 32-bit registers of x86."""

    EAX = "EAX"
    EBX = "EBX"
    ECX = "ECX"
    EDX = "EDX"
    ESP = "ESP"
    EBP = "EBP"
    ESI = "ESI"
    EDI = "EDI"


class LostTickPolicy(enum.StrEnum):
    """What a timer device does about ticks that the guest was too late to take."""

    DISCARD = "discard"
    DELAY = "delay"
    MERGE = "merge"
    SLEW = "slew"


class ACPISlotType(enum.StrEnum):
    """Kinds of slots that ACPI tells about."""

    DIMM = "DIMM"
    CPU = "CPU"


class RockerPortDuplex(enum.StrEnum):
    """Directions in which a port sends."""

    HALF = "half"
    FULL = "full"


class RockerPortAutoneg(enum.StrEnum):
    """Whether a port negotiates its speed."""

    OFF = "off"
    ON = "on"


class CommandLineParameterType(enum.StrEnum):
    """Types of parameters of options."""

    STRING = "string"
    BOOLEAN = "boolean"
    NUMBER = "number"
    SIZE = "size"


class String(Struct):
    """A string in an object of its own, so that it can be an element of a list of options."""

    __slots__ = ("str",)
    _members = "str:str"

    def __init__(self, *, str: str) -> None:
        self.str = str


class VersionTriple(Struct):
    """A version of three numbers."""

    __slots__ = ("major", "minor", "micro")
    _members = "major:int minor:int micro:int"

    def __init__(self, *, major: int, minor: int, micro: int) -> None:
        self.major = major
        self.minor = minor
        self.micro = micro


class VersionInfo(Struct):
    """A version and who packaged it."""

    __slots__ = ("qemu", "package")
    _members = "qemu:VersionTriple package:str"

    def __init__(self, *, qemu: VersionTriple, package: str) -> None:
        self.qemu = qemu
        self.package = package


class CommandInfo(Struct):
    """A command's entry in a list."""

    __slots__ = ("name",)
    _members = "name:str"

    def __init__(self, *, name: str) -> None:
        self.name = name


class EventInfo(Struct):
    """An event's entry in a list."""

    __slots__ = ("name",)
    _members = "name:str"

    def __init__(self, *, name: str) -> None:
        self.name = name


class SchemaInfoBuiltin(Struct):
    """A predefined type."""

    __slots__ = ("json_type",)
    _members = "json-type:JSONType"

    def __init__(self, *, json_type: JSONType) -> None:
        self.json_type = json_type


class SchemaInfoEnum(Struct):
    """An enumeration."""

    __slots__ = ("members", "values")
    _members = "members:[SchemaInfoEnumMember] values:[str]"

    def __init__(self, *, members: list[SchemaInfoEnumMember], values: list[str]) -> None:
        self.members = members
        self.values = values


class SchemaInfoEnumMember(Struct):
    """A value of an enumeration."""

    __slots__ = ("name", "features")
    _members = "name:str features*:[str]"

    def __init__(self, *, name: str, features: list[str] | None = None) -> None:
        self.name = name
        self.features = features


class SchemaInfoArray(Struct):
    """A list type."""

    __slots__ = ("element_type",)
    _members = "element-type:str"

    def __init__(self, *, element_type: str) -> None:
        self.element_type = element_type


class SchemaInfoObject(Struct):
    """A struct or union."""

    __slots__ = ("members", "tag", "variants")
    _members = "members:[SchemaInfoObjectMember] tag*:str variants*:[SchemaInfoObjectVariant]"

    def __init__(
        self, *, members: list[SchemaInfoObjectMember], tag: str | None = None,
        variants: list[SchemaInfoObjectVariant] | None = None,
    ) -> None:
        self.members = members
        self.tag = tag
        self.variants = variants


class SchemaInfoObjectMember(Struct):
    """A member of an object type."""

    __slots__ = ("name", "type", "default", "features")
    _members = "name:str type:str default*:any features*:[str]"

    def __init__(
        self, *, name: str, type: str, default: object | None = None, features: list[str] | None = None,
    ) -> None:
        self.name = name
        self.type = type
        self.default = default
        self.features = features


class SchemaInfoObjectVariant(Struct):
    """What one value of the tag adds to an object."""

    __slots__ = ("case", "type")
    _members = "case:str type:str"

    def __init__(self, *, case: str, type: str) -> None:
        self.case = case
        self.type = type


class SchemaInfoAlternate(Struct):
    """A choice between types."""

    __slots__ = ("members",)
    _members = "members:[SchemaInfoAlternateMember]"

    def __init__(self, *, members: list[SchemaInfoAlternateMember]) -> None:
        self.members = members


class SchemaInfoAlternateMember(Struct):
    """One choice of an alternate."""

    __slots__ = ("type",)
    _members = "type:str"

    def __init__(self, *, type: str) -> None:
        self.type = type


class SchemaInfoCommand(Struct):
    """A command."""

    __slots__ = ("arg_type", "ret_type", "allow_oob")
    _members = "arg-type:str ret-type:str allow-oob*:bool"

    def __init__(self, *, arg_type: str, ret_type: str, allow_oob: bool | None = None) -> None:
        self.arg_type = arg_type
        self.ret_type = ret_type
        self.allow_oob = allow_oob


class SchemaInfoEvent(Struct):
    """An event."""

    __slots__ = ("arg_type",)
    _members = "arg-type:str"

    def __init__(self, *, arg_type: str) -> None:
        self.arg_type = arg_type


class StatusInfo(Struct):
    """The state of the machine."""

    __slots__ = ("running", "singlestep", "status")
    _members = "running:bool singlestep:bool status:RunState"

    def __init__(self, *, running: bool, singlestep: bool, status: RunState) -> None:
        self.running = running
        self.singlestep = singlestep
        self.status = status


class GuestPanicInformationHyperV(Struct):
    """The five crash registers that a Windows guest fills in."""

    __slots__ = ("arg1", "arg2", "arg3", "arg4", "arg5")
    _members = "arg1:uint64 arg2:uint64 arg3:uint64 arg4:uint64 arg5:uint64"

    def __init__(self, *, arg1: int, arg2: int, arg3: int, arg4: int, arg5: int) -> None:
        self.arg1 = arg1
        self.arg2 = arg2
        self.arg3 = arg3
        self.arg4 = arg4
        self.arg5 = arg5


class GuestPanicInformationS390(Struct):
    """Where an s390 CPU stopped for good."""

    __slots__ = ("core", "psw_mask", "psw_addr", "reason")
    _members = "core:uint32 psw-mask:uint64 psw-addr:uint64 reason:S390CrashReason"

    def __init__(self, *, core: int, psw_mask: int, psw_addr: int, reason: S390CrashReason) -> None:
        self.core = core
        self.psw_mask = psw_mask
        self.psw_addr = psw_addr
        self.reason = reason


class InetSocketAddressBase(Struct):
    """A host and a port."""

    __slots__ = ("host", "port")
    _members = "host:str port:str"

    def __init__(self, *, host: str, port: str) -> None:
        self.host = host
        self.port = port


class InetSocketAddress(InetSocketAddressBase):
    """A TCP or UDP address."""

    __slots__ = ("numeric", "to", "ipv4", "ipv6", "keep_alive")
    _members = "host:str port:str numeric*:bool to*:uint16 ipv4*:bool ipv6*:bool keep-alive*:bool"

    def __init__(
        self, *, host: str, port: str, numeric: bool | None = None, to: int | None = None, ipv4: bool | None = None,
        ipv6: bool | None = None, keep_alive: bool | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.numeric = numeric
        self.to = to
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.keep_alive = keep_alive


class UnixSocketAddress(Struct):
    """The address of a local socket."""

    __slots__ = ("path", "abstract", "tight")
    _members = "path:str abstract*:bool tight*:bool"

    def __init__(self, *, path: str, abstract: bool | None = None, tight: bool | None = None) -> None:
        self.path = path
        self.abstract = abstract
        self.tight = tight


class VsockSocketAddress(Struct):
    """The address of a socket between a guest and its host."""

    __slots__ = ("cid", "port")
    _members = "cid:str port:str"

    def __init__(self, *, cid: str, port: str) -> None:
        self.cid = cid
        self.port = port


class QCryptoBlockOptionsBase(Struct):
    """What all encrypted formats have."""

    __slots__ = ("format",)
    _members = "format:QCryptoBlockFormat"

    def __init__(self, *, format: QCryptoBlockFormat) -> None:
        self.format = format


class QCryptoBlockOptionsQCow(Struct):
    """The options of qcow encryption."""

    __slots__ = ("key_secret",)
    _members = "key-secret*:str"

    def __init__(self, *, key_secret: str | None = None) -> None:
        self.key_secret = key_secret


class QCryptoBlockOptionsLUKS(Struct):
    """The options of LUKS."""

    __slots__ = ("key_secret",)
    _members = "key-secret*:str"

    def __init__(self, *, key_secret: str | None = None) -> None:
        self.key_secret = key_secret


class QCryptoBlockCreateOptionsLUKS(QCryptoBlockOptionsLUKS):
    """What can be chosen when a LUKS volume is made."""

    __slots__ = ("cipher_alg", "cipher_mode", "ivgen_alg", "ivgen_hash_alg", "hash_alg", "iter_time")
    _members = (
        "key-secret*:str cipher-alg*:QCryptoCipherAlgorithm cipher-mode*:QCryptoCipherMode "
        "ivgen-alg*:QCryptoIVGenAlgorithm ivgen-hash-alg*:QCryptoHashAlgorithm hash-alg*:QCryptoHashAlgorithm "
        "iter-time*:int"
    )

    def __init__(
        self, *, key_secret: str | None = None, cipher_alg: QCryptoCipherAlgorithm | None = None,
        cipher_mode: QCryptoCipherMode | None = None, ivgen_alg: QCryptoIVGenAlgorithm | None = None,
        ivgen_hash_alg: QCryptoHashAlgorithm | None = None, hash_alg: QCryptoHashAlgorithm | None = None,
        iter_time: int | None = None,
    ) -> None:
        self.key_secret = key_secret
        self.cipher_alg = cipher_alg
        self.cipher_mode = cipher_mode
        self.ivgen_alg = ivgen_alg
        self.ivgen_hash_alg = ivgen_hash_alg
        self.hash_alg = hash_alg
        self.iter_time = iter_time


class SecretCommonProperties(Struct):
    """What all secrets have."""

    __slots__ = ("loaded", "format", "keyid", "iv")
    _members = "loaded*:bool format*:QCryptoSecretFormat keyid*:str iv*:str"

    def __init__(
        self, *, loaded: bool | None = None, format: QCryptoSecretFormat | None = None, keyid: str | None = None,
        iv: str | None = None,
    ) -> None:
        self.loaded = loaded
        self.format = format
        self.keyid = keyid
        self.iv = iv


class SecretProperties(SecretCommonProperties):
    """A password or key."""

    __slots__ = ("data", "file")
    _members = "loaded*:bool format*:QCryptoSecretFormat keyid*:str iv*:str data*:str file*:str"

    def __init__(
        self, *, loaded: bool | None = None, format: QCryptoSecretFormat | None = None, keyid: str | None = None,
        iv: str | None = None, data: str | None = None, file: str | None = None,
    ) -> None:
        self.loaded = loaded
        self.format = format
        self.keyid = keyid
        self.iv = iv
        self.data = data
        self.file = file


class SecretKeyringProperties(SecretCommonProperties):
    """A secret in the kernel's keyring."""

    __slots__ = ("serial",)
    _members = "loaded*:bool format*:QCryptoSecretFormat keyid*:str iv*:str serial:int32"

    def __init__(
        self, *, loaded: bool | None = None, format: QCryptoSecretFormat | None = None, keyid: str | None = None,
        iv: str | None = None, serial: int,
    ) -> None:
        self.loaded = loaded
        self.format = format
        self.keyid = keyid
        self.iv = iv
        self.serial = serial


class TlsCredsProperties(Struct):
    """What all TLS credentials have."""

    __slots__ = ("verify_peer", "dir", "endpoint", "priority")
    _members = "verify-peer*:bool dir*:str endpoint*:QCryptoTLSCredsEndpoint priority*:str"

    def __init__(
        self, *, verify_peer: bool | None = None, dir: str | None = None,
        endpoint: QCryptoTLSCredsEndpoint | None = None, priority: str | None = None,
    ) -> None:
        self.verify_peer = verify_peer
        self.dir = dir
        self.endpoint = endpoint
        self.priority = priority


class TlsCredsAnonProperties(TlsCredsProperties):
    """TLS without certificates: encrypted, nobody knows with whom."""

    __slots__ = ("loaded",)
    _members = "verify-peer*:bool dir*:str endpoint*:QCryptoTLSCredsEndpoint priority*:str loaded*:bool"

    def __init__(
        self, *, verify_peer: bool | None = None, dir: str | None = None,
        endpoint: QCryptoTLSCredsEndpoint | None = None, priority: str | None = None, loaded: bool | None = None,
    ) -> None:
        self.verify_peer = verify_peer
        self.dir = dir
        self.endpoint = endpoint
        self.priority = priority
        self.loaded = loaded


class TlsCredsPskProperties(TlsCredsProperties):
    """TLS with a key that both sides know."""

    __slots__ = ("loaded", "username")
    _members = "verify-peer*:bool dir*:str endpoint*:QCryptoTLSCredsEndpoint priority*:str loaded*:bool username*:str"

    def __init__(
        self, *, verify_peer: bool | None = None, dir: str | None = None,
        endpoint: QCryptoTLSCredsEndpoint | None = None, priority: str | None = None, loaded: bool | None = None,
        username: str | None = None,
    ) -> None:
        self.verify_peer = verify_peer
        self.dir = dir
        self.endpoint = endpoint
        self.priority = priority
        self.loaded = loaded
        self.username = username


class TlsCredsX509Properties(TlsCredsProperties):
    """TLS with certificates: ca-cert.pem, and {server,client}-{cert,key}.pem, in dir."""

    __slots__ = ("loaded", "sanity_check", "passwordid")
    _members = (
        "verify-peer*:bool dir*:str endpoint*:QCryptoTLSCredsEndpoint priority*:str loaded*:bool sanity-check*:bool "
        "passwordid*:str"
    )

    def __init__(
        self, *, verify_peer: bool | None = None, dir: str | None = None,
        endpoint: QCryptoTLSCredsEndpoint | None = None, priority: str | None = None, loaded: bool | None = None,
        sanity_check: bool | None = None, passwordid: str | None = None,
    ) -> None:
        self.verify_peer = verify_peer
        self.dir = dir
        self.endpoint = endpoint
        self.priority = priority
        self.loaded = loaded
        self.sanity_check = sanity_check
        self.passwordid = passwordid


class QAuthZListRule(Struct):
    """One rule of an access list."""

    __slots__ = ("match", "policy", "format")
    _members = "match:str policy:QAuthZListPolicy format*:QAuthZListFormat"

    def __init__(self, *, match: str, policy: QAuthZListPolicy, format: QAuthZListFormat | None = None) -> None:
        self.match = match
        self.policy = policy
        self.format = format


class AuthZListProperties(Struct):
    """An access list: the first rule that matches decides."""

    __slots__ = ("policy", "rules")
    _members = "policy*:QAuthZListPolicy rules*:[QAuthZListRule]"

    def __init__(self, *, policy: QAuthZListPolicy | None = None, rules: list[QAuthZListRule] | None = None) -> None:
        self.policy = policy
        self.rules = rules


class AuthZListFileProperties(Struct):
    """An access list in a file that holds AuthZListProperties as JSON."""

    __slots__ = ("filename", "refresh")
    _members = "filename:str refresh*:bool"

    def __init__(self, *, filename: str, refresh: bool | None = None) -> None:
        self.filename = filename
        self.refresh = refresh


class AuthZSimpleProperties(Struct):
    """Access for exactly one name."""

    __slots__ = ("identity",)
    _members = "identity:str"

    def __init__(self, *, identity: str) -> None:
        self.identity = identity


class JobInfo(Struct):
    """A job."""

    __slots__ = ("id", "type", "status", "current_progress", "total_progress", "error")
    _members = "id:str type:BlockJobType status:JobStatus current-progress:int total-progress:int error*:str"

    def __init__(
        self, *, id: str, type: BlockJobType, status: JobStatus, current_progress: int, total_progress: int,
        error: str | None = None,
    ) -> None:
        self.id = id
        self.type = type
        self.status = status
        self.current_progress = current_progress
        self.total_progress = total_progress
        self.error = error


class SnapshotInfo(Struct):
    """An internal snapshot."""

    __slots__ = ("id", "name", "vm_state_size", "date_sec", "date_nsec", "vm_clock_sec", "vm_clock_nsec")
    _members = "id:str name:str vm-state-size:int date-sec:int date-nsec:int vm-clock-sec:int vm-clock-nsec:int"

    def __init__(
        self, *, id: str, name: str, vm_state_size: int, date_sec: int, date_nsec: int, vm_clock_sec: int,
        vm_clock_nsec: int,
    ) -> None:
        self.id = id
        self.name = name
        self.vm_state_size = vm_state_size
        self.date_sec = date_sec
        self.date_nsec = date_nsec
        self.vm_clock_sec = vm_clock_sec
        self.vm_clock_nsec = vm_clock_nsec


class ImageInfoSpecificQCow2(Struct):
    """Properties of a qcow2 image."""

    __slots__ = ("compat", "lazy_refcounts", "corrupt", "refcount_bits", "data_file", "data_file_raw")
    _members = "compat:str lazy-refcounts*:bool corrupt*:bool refcount-bits:int data-file*:str data-file-raw*:bool"

    def __init__(
        self, *, compat: str, lazy_refcounts: bool | None = None, corrupt: bool | None = None, refcount_bits: int,
        data_file: str | None = None, data_file_raw: bool | None = None,
    ) -> None:
        self.compat = compat
        self.lazy_refcounts = lazy_refcounts
        self.corrupt = corrupt
        self.refcount_bits = refcount_bits
        self.data_file = data_file
        self.data_file_raw = data_file_raw


class ImageInfoSpecificVmdk(Struct):
    """Properties of a vmdk image."""

    __slots__ = ("create_type", "cid", "parent_cid", "extents")
    _members = "create-type:str cid:int parent-cid:int extents:[ImageInfo]"

    def __init__(self, *, create_type: str, cid: int, parent_cid: int, extents: list[ImageInfo]) -> None:
        self.create_type = create_type
        self.cid = cid
        self.parent_cid = parent_cid
        self.extents = extents


class ImageInfo(Struct):
    """An image."""

    __slots__ = (
        "filename", "format", "dirty_flag", "actual_size", "virtual_size", "cluster_size", "encrypted", "compressed",
        "backing_filename", "full_backing_filename", "backing_filename_format", "snapshots", "backing_image",
        "format_specific",
    )
    _members = (
        "filename:str format:str dirty-flag*:bool actual-size*:int virtual-size:int cluster-size*:int encrypted*:bool "
        "compressed*:bool backing-filename*:str full-backing-filename*:str backing-filename-format*:str "
        "snapshots*:[SnapshotInfo] backing-image*:ImageInfo format-specific*:ImageInfoSpecific"
    )

    def __init__(
        self, *, filename: str, format: str, dirty_flag: bool | None = None, actual_size: int | None = None,
        virtual_size: int, cluster_size: int | None = None, encrypted: bool | None = None,
        compressed: bool | None = None, backing_filename: str | None = None, full_backing_filename: str | None = None,
        backing_filename_format: str | None = None, snapshots: list[SnapshotInfo] | None = None,
        backing_image: ImageInfo | None = None, format_specific: ImageInfoSpecific | None = None,
    ) -> None:
        self.filename = filename
        self.format = format
        self.dirty_flag = dirty_flag
        self.actual_size = actual_size
        self.virtual_size = virtual_size
        self.cluster_size = cluster_size
        self.encrypted = encrypted
        self.compressed = compressed
        self.backing_filename = backing_filename
        self.full_backing_filename = full_backing_filename
        self.backing_filename_format = backing_filename_format
        self.snapshots = snapshots
        self.backing_image = backing_image
        self.format_specific = format_specific


class ImageCheck(Struct):
    """What a check of an image found."""

    __slots__ = (
        "filename", "format", "check_errors", "image_end_offset", "corruptions", "leaks", "corruptions_fixed",
        "leaks_fixed", "total_clusters", "allocated_clusters", "fragmented_clusters", "compressed_clusters",
    )
    _members = (
        "filename:str format:str check-errors:int image-end-offset*:int corruptions*:int leaks*:int "
        "corruptions-fixed*:int leaks-fixed*:int total-clusters*:int allocated-clusters*:int fragmented-clusters*:int "
        "compressed-clusters*:int"
    )

    def __init__(
        self, *, filename: str, format: str, check_errors: int, image_end_offset: int | None = None,
        corruptions: int | None = None, leaks: int | None = None, corruptions_fixed: int | None = None,
        leaks_fixed: int | None = None, total_clusters: int | None = None, allocated_clusters: int | None = None,
        fragmented_clusters: int | None = None, compressed_clusters: int | None = None,
    ) -> None:
        self.filename = filename
        self.format = format
        self.check_errors = check_errors
        self.image_end_offset = image_end_offset
        self.corruptions = corruptions
        self.leaks = leaks
        self.corruptions_fixed = corruptions_fixed
        self.leaks_fixed = leaks_fixed
        self.total_clusters = total_clusters
        self.allocated_clusters = allocated_clusters
        self.fragmented_clusters = fragmented_clusters
        self.compressed_clusters = compressed_clusters


class MapEntry(Struct):
    """A range of an image, and where its data is."""

    __slots__ = ("start", "length", "data", "zero", "depth", "offset", "filename")
    _members = "start:int length:int data:bool zero:bool depth:int offset*:int filename*:str"

    def __init__(
        self, *, start: int, length: int, data: bool, zero: bool, depth: int, offset: int | None = None,
        filename: str | None = None,
    ) -> None:
        self.start = start
        self.length = length
        self.data = data
        self.zero = zero
        self.depth = depth
        self.offset = offset
        self.filename = filename


class BlockDeviceMapEntry(Struct):
    """A range of an image, in the older form."""

    __slots__ = ("start", "length", "depth", "zero", "data", "offset")
    _members = "start:int length:int depth:int zero:bool data:bool offset*:int"

    def __init__(
        self, *, start: int, length: int, depth: int, zero: bool, data: bool, offset: int | None = None,
    ) -> None:
        self.start = start
        self.length = length
        self.depth = depth
        self.zero = zero
        self.data = data
        self.offset = offset


class BlockdevCacheInfo(Struct):
    """How writes are cached."""

    __slots__ = ("writeback", "direct", "no_flush")
    _members = "writeback:bool direct:bool no-flush:bool"

    def __init__(self, *, writeback: bool, direct: bool, no_flush: bool) -> None:
        self.writeback = writeback
        self.direct = direct
        self.no_flush = no_flush


class BlockDeviceInfo(Struct):
    """A block node."""

    __slots__ = (
        "file", "node_name", "ro", "drv", "backing_file", "backing_file_depth", "encrypted", "encryption_key_missing",
        "detect_zeroes", "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr", "image", "bps_max", "bps_rd_max",
        "bps_wr_max", "iops_max", "iops_rd_max", "iops_wr_max", "bps_max_length", "bps_rd_max_length",
        "bps_wr_max_length", "iops_max_length", "iops_rd_max_length", "iops_wr_max_length", "iops_size", "group",
        "cache", "write_threshold", "dirty_bitmaps",
    )
    _members = (
        "file:str node-name*:str ro:bool drv:str backing_file*:str backing_file_depth:int encrypted:bool "
        "encryption_key_missing:bool detect_zeroes:BlockdevDetectZeroesOptions bps:int bps_rd:int bps_wr:int iops:int "
        "iops_rd:int iops_wr:int image:ImageInfo bps_max*:int bps_rd_max*:int bps_wr_max*:int iops_max*:int "
        "iops_rd_max*:int iops_wr_max*:int bps_max_length*:int bps_rd_max_length*:int bps_wr_max_length*:int "
        "iops_max_length*:int iops_rd_max_length*:int iops_wr_max_length*:int iops_size*:int group*:str "
        "cache:BlockdevCacheInfo write_threshold:int dirty-bitmaps*:[BlockDirtyInfo]"
    )

    def __init__(
        self, *, file: str, node_name: str | None = None, ro: bool, drv: str, backing_file: str | None = None,
        backing_file_depth: int, encrypted: bool, encryption_key_missing: bool,
        detect_zeroes: BlockdevDetectZeroesOptions, bps: int, bps_rd: int, bps_wr: int, iops: int, iops_rd: int,
        iops_wr: int, image: ImageInfo, bps_max: int | None = None, bps_rd_max: int | None = None,
        bps_wr_max: int | None = None, iops_max: int | None = None, iops_rd_max: int | None = None,
        iops_wr_max: int | None = None, bps_max_length: int | None = None, bps_rd_max_length: int | None = None,
        bps_wr_max_length: int | None = None, iops_max_length: int | None = None, iops_rd_max_length: int | None = None,
        iops_wr_max_length: int | None = None, iops_size: int | None = None, group: str | None = None,
        cache: BlockdevCacheInfo, write_threshold: int, dirty_bitmaps: list[BlockDirtyInfo] | None = None,
    ) -> None:
        self.file = file
        self.node_name = node_name
        self.ro = ro
        self.drv = drv
        self.backing_file = backing_file
        self.backing_file_depth = backing_file_depth
        self.encrypted = encrypted
        self.encryption_key_missing = encryption_key_missing
        self.detect_zeroes = detect_zeroes
        self.bps = bps
        self.bps_rd = bps_rd
        self.bps_wr = bps_wr
        self.iops = iops
        self.iops_rd = iops_rd
        self.iops_wr = iops_wr
        self.image = image
        self.bps_max = bps_max
        self.bps_rd_max = bps_rd_max
        self.bps_wr_max = bps_wr_max
        self.iops_max = iops_max
        self.iops_rd_max = iops_rd_max
        self.iops_wr_max = iops_wr_max
        self.bps_max_length = bps_max_length
        self.bps_rd_max_length = bps_rd_max_length
        self.bps_wr_max_length = bps_wr_max_length
        self.iops_max_length = iops_max_length
        self.iops_rd_max_length = iops_rd_max_length
        self.iops_wr_max_length = iops_wr_max_length
        self.iops_size = iops_size
        self.group = group
        self.cache = cache
        self.write_threshold = write_threshold
        self.dirty_bitmaps = dirty_bitmaps


class BlockDirtyInfo(Struct):
    """A dirty bitmap."""

    __slots__ = ("name", "count", "granularity", "status", "recording", "busy", "persistent", "inconsistent")
    _members = (
        "name*:str count:int granularity:uint32 status:DirtyBitmapStatus recording:bool busy:bool persistent:bool "
        "inconsistent*:bool"
    )

    def __init__(
        self, *, name: str | None = None, count: int, granularity: int, status: DirtyBitmapStatus, recording: bool,
        busy: bool, persistent: bool, inconsistent: bool | None = None,
    ) -> None:
        self.name = name
        self.count = count
        self.granularity = granularity
        self.status = status
        self.recording = recording
        self.busy = busy
        self.persistent = persistent
        self.inconsistent = inconsistent


class BlockInfo(Struct):
    """A block device."""

    __slots__ = ("device", "qdev", "type", "removable", "locked", "inserted", "tray_open", "io_status", "dirty_bitmaps")
    _members = (
        "device:str qdev*:str type:str removable:bool locked:bool inserted*:BlockDeviceInfo tray_open*:bool "
        "io-status*:BlockDeviceIoStatus dirty-bitmaps*:[BlockDirtyInfo]"
    )

    def __init__(
        self, *, device: str, qdev: str | None = None, type: str, removable: bool, locked: bool,
        inserted: BlockDeviceInfo | None = None, tray_open: bool | None = None,
        io_status: BlockDeviceIoStatus | None = None, dirty_bitmaps: list[BlockDirtyInfo] | None = None,
    ) -> None:
        self.device = device
        self.qdev = qdev
        self.type = type
        self.removable = removable
        self.locked = locked
        self.inserted = inserted
        self.tray_open = tray_open
        self.io_status = io_status
        self.dirty_bitmaps = dirty_bitmaps


class BlockDeviceTimedStats(Struct):
    """Statistics of the latest time."""

    __slots__ = (
        "interval_length", "min_rd_latency_ns", "max_rd_latency_ns", "avg_rd_latency_ns", "min_wr_latency_ns",
        "max_wr_latency_ns", "avg_wr_latency_ns", "min_flush_latency_ns", "max_flush_latency_ns",
        "avg_flush_latency_ns", "avg_rd_queue_depth", "avg_wr_queue_depth",
    )
    _members = (
        "interval_length:int min_rd_latency_ns:int max_rd_latency_ns:int avg_rd_latency_ns:int min_wr_latency_ns:int "
        "max_wr_latency_ns:int avg_wr_latency_ns:int min_flush_latency_ns:int max_flush_latency_ns:int "
        "avg_flush_latency_ns:int avg_rd_queue_depth:number avg_wr_queue_depth:number"
    )

    def __init__(
        self, *, interval_length: int, min_rd_latency_ns: int, max_rd_latency_ns: int, avg_rd_latency_ns: int,
        min_wr_latency_ns: int, max_wr_latency_ns: int, avg_wr_latency_ns: int, min_flush_latency_ns: int,
        max_flush_latency_ns: int, avg_flush_latency_ns: int, avg_rd_queue_depth: float, avg_wr_queue_depth: float,
    ) -> None:
        self.interval_length = interval_length
        self.min_rd_latency_ns = min_rd_latency_ns
        self.max_rd_latency_ns = max_rd_latency_ns
        self.avg_rd_latency_ns = avg_rd_latency_ns
        self.min_wr_latency_ns = min_wr_latency_ns
        self.max_wr_latency_ns = max_wr_latency_ns
        self.avg_wr_latency_ns = avg_wr_latency_ns
        self.min_flush_latency_ns = min_flush_latency_ns
        self.max_flush_latency_ns = max_flush_latency_ns
        self.avg_flush_latency_ns = avg_flush_latency_ns
        self.avg_rd_queue_depth = avg_rd_queue_depth
        self.avg_wr_queue_depth = avg_wr_queue_depth


class BlockDeviceStats(Struct):
    """Statistics since the start."""

    __slots__ = (
        "rd_bytes", "wr_bytes", "rd_operations", "wr_operations", "flush_operations", "flush_total_time_ns",
        "wr_total_time_ns", "rd_total_time_ns", "wr_highest_offset", "rd_merged", "wr_merged", "idle_time_ns",
        "failed_rd_operations", "failed_wr_operations", "failed_flush_operations", "invalid_rd_operations",
        "invalid_wr_operations", "invalid_flush_operations", "account_invalid", "account_failed", "timed_stats",
    )
    _members = (
        "rd_bytes:int wr_bytes:int rd_operations:int wr_operations:int flush_operations:int flush_total_time_ns:int "
        "wr_total_time_ns:int rd_total_time_ns:int wr_highest_offset:int rd_merged:int wr_merged:int "
        "idle_time_ns*:int failed_rd_operations:int failed_wr_operations:int failed_flush_operations:int "
        "invalid_rd_operations:int invalid_wr_operations:int invalid_flush_operations:int account_invalid:bool "
        "account_failed:bool timed_stats:[BlockDeviceTimedStats]"
    )

    def __init__(
        self, *, rd_bytes: int, wr_bytes: int, rd_operations: int, wr_operations: int, flush_operations: int,
        flush_total_time_ns: int, wr_total_time_ns: int, rd_total_time_ns: int, wr_highest_offset: int, rd_merged: int,
        wr_merged: int, idle_time_ns: int | None = None, failed_rd_operations: int, failed_wr_operations: int,
        failed_flush_operations: int, invalid_rd_operations: int, invalid_wr_operations: int,
        invalid_flush_operations: int, account_invalid: bool, account_failed: bool,
        timed_stats: list[BlockDeviceTimedStats],
    ) -> None:
        self.rd_bytes = rd_bytes
        self.wr_bytes = wr_bytes
        self.rd_operations = rd_operations
        self.wr_operations = wr_operations
        self.flush_operations = flush_operations
        self.flush_total_time_ns = flush_total_time_ns
        self.wr_total_time_ns = wr_total_time_ns
        self.rd_total_time_ns = rd_total_time_ns
        self.wr_highest_offset = wr_highest_offset
        self.rd_merged = rd_merged
        self.wr_merged = wr_merged
        self.idle_time_ns = idle_time_ns
        self.failed_rd_operations = failed_rd_operations
        self.failed_wr_operations = failed_wr_operations
        self.failed_flush_operations = failed_flush_operations
        self.invalid_rd_operations = invalid_rd_operations
        self.invalid_wr_operations = invalid_wr_operations
        self.invalid_flush_operations = invalid_flush_operations
        self.account_invalid = account_invalid
        self.account_failed = account_failed
        self.timed_stats = timed_stats


class BlockStats(Struct):
    """Statistics of a block device or node, and of those below it."""

    __slots__ = ("device", "qdev", "node_name", "stats", "parent", "backing")
    _members = "device*:str qdev*:str node-name*:str stats:BlockDeviceStats parent*:BlockStats backing*:BlockStats"

    def __init__(
        self, *, device: str | None = None, qdev: str | None = None, node_name: str | None = None,
        stats: BlockDeviceStats, parent: BlockStats | None = None, backing: BlockStats | None = None,
    ) -> None:
        self.device = device
        self.qdev = qdev
        self.node_name = node_name
        self.stats = stats
        self.parent = parent
        self.backing = backing


class BlockJobInfo(Struct):
    """A job on block nodes."""

    __slots__ = (
        "type", "device", "len", "offset", "busy", "paused", "speed", "io_status", "ready", "status", "auto_finalize",
        "auto_dismiss", "error",
    )
    _members = (
        "type:str device:str len:int offset:int busy:bool paused:bool speed:int io-status:BlockDeviceIoStatus "
        "ready:bool status:JobStatus auto-finalize:bool auto-dismiss:bool error*:str"
    )

    def __init__(
        self, *, type: str, device: str, len: int, offset: int, busy: bool, paused: bool, speed: int,
        io_status: BlockDeviceIoStatus, ready: bool, status: JobStatus, auto_finalize: bool, auto_dismiss: bool,
        error: str | None = None,
    ) -> None:
        self.type = type
        self.device = device
        self.len = len
        self.offset = offset
        self.busy = busy
        self.paused = paused
        self.speed = speed
        self.io_status = io_status
        self.ready = ready
        self.status = status
        self.auto_finalize = auto_finalize
        self.auto_dismiss = auto_dismiss
        self.error = error


class BlockdevSnapshotSync(Struct):
    """A new overlay that is made for the purpose."""

    __slots__ = ("device", "node_name", "snapshot_file", "snapshot_node_name", "format", "mode")
    _members = "device*:str node-name*:str snapshot-file:str snapshot-node-name*:str format*:str mode*:NewImageMode"

    def __init__(
        self, *, device: str | None = None, node_name: str | None = None, snapshot_file: str,
        snapshot_node_name: str | None = None, format: str | None = None, mode: NewImageMode | None = None,
    ) -> None:
        self.device = device
        self.node_name = node_name
        self.snapshot_file = snapshot_file
        self.snapshot_node_name = snapshot_node_name
        self.format = format
        self.mode = mode


class BlockdevSnapshot(Struct):
    """A new overlay that is a block node already."""

    __slots__ = ("node", "overlay")
    _members = "node:str overlay:str"

    def __init__(self, *, node: str, overlay: str) -> None:
        self.node = node
        self.overlay = overlay


class BlockdevSnapshotInternal(Struct):
    """A new internal snapshot."""

    __slots__ = ("device", "name")
    _members = "device:str name:str"

    def __init__(self, *, device: str, name: str) -> None:
        self.device = device
        self.name = name


class BackupCommon(Struct):
    """What all backups have."""

    __slots__ = (
        "job_id", "device", "sync", "speed", "bitmap_mode", "compress", "on_source_error", "on_target_error",
        "auto_finalize", "auto_dismiss", "filter_node_name",
    )
    _members = (
        "job-id*:str device:str sync:MirrorSyncMode speed*:int bitmap-mode*:BitmapSyncMode compress*:bool "
        "on-source-error*:BlockdevOnError on-target-error*:BlockdevOnError auto-finalize*:bool auto-dismiss*:bool "
        "filter-node-name*:str"
    )

    def __init__(
        self, *, job_id: str | None = None, device: str, sync: MirrorSyncMode, speed: int | None = None,
        bitmap_mode: BitmapSyncMode | None = None, compress: bool | None = None,
        on_source_error: BlockdevOnError | None = None, on_target_error: BlockdevOnError | None = None,
        auto_finalize: bool | None = None, auto_dismiss: bool | None = None, filter_node_name: str | None = None,
    ) -> None:
        self.job_id = job_id
        self.device = device
        self.sync = sync
        self.speed = speed
        self.bitmap_mode = bitmap_mode
        self.compress = compress
        self.on_source_error = on_source_error
        self.on_target_error = on_target_error
        self.auto_finalize = auto_finalize
        self.auto_dismiss = auto_dismiss
        self.filter_node_name = filter_node_name


class DriveBackup(BackupCommon):
    """A backup to a file."""

    __slots__ = ("bitmap", "target", "format", "mode")
    _members = (
        "job-id*:str device:str sync:MirrorSyncMode speed*:int bitmap-mode*:BitmapSyncMode compress*:bool "
        "on-source-error*:BlockdevOnError on-target-error*:BlockdevOnError auto-finalize*:bool auto-dismiss*:bool "
        "filter-node-name*:str bitmap*:str target:str format*:str mode*:NewImageMode"
    )

    def __init__(
        self, *, job_id: str | None = None, device: str, sync: MirrorSyncMode, speed: int | None = None,
        bitmap_mode: BitmapSyncMode | None = None, compress: bool | None = None,
        on_source_error: BlockdevOnError | None = None, on_target_error: BlockdevOnError | None = None,
        auto_finalize: bool | None = None, auto_dismiss: bool | None = None, filter_node_name: str | None = None,
        bitmap: str | None = None, target: str, format: str | None = None, mode: NewImageMode | None = None,
    ) -> None:
        self.job_id = job_id
        self.device = device
        self.sync = sync
        self.speed = speed
        self.bitmap_mode = bitmap_mode
        self.compress = compress
        self.on_source_error = on_source_error
        self.on_target_error = on_target_error
        self.auto_finalize = auto_finalize
        self.auto_dismiss = auto_dismiss
        self.filter_node_name = filter_node_name
        self.bitmap = bitmap
        self.target = target
        self.format = format
        self.mode = mode


class BlockdevBackup(BackupCommon):
    """A backup to a block node."""

    __slots__ = ("bitmap", "target")
    _members = (
        "job-id*:str device:str sync:MirrorSyncMode speed*:int bitmap-mode*:BitmapSyncMode compress*:bool "
        "on-source-error*:BlockdevOnError on-target-error*:BlockdevOnError auto-finalize*:bool auto-dismiss*:bool "
        "filter-node-name*:str bitmap*:str target:str"
    )

    def __init__(
        self, *, job_id: str | None = None, device: str, sync: MirrorSyncMode, speed: int | None = None,
        bitmap_mode: BitmapSyncMode | None = None, compress: bool | None = None,
        on_source_error: BlockdevOnError | None = None, on_target_error: BlockdevOnError | None = None,
        auto_finalize: bool | None = None, auto_dismiss: bool | None = None, filter_node_name: str | None = None,
        bitmap: str | None = None, target: str,
    ) -> None:
        self.job_id = job_id
        self.device = device
        self.sync = sync
        self.speed = speed
        self.bitmap_mode = bitmap_mode
        self.compress = compress
        self.on_source_error = on_source_error
        self.on_target_error = on_target_error
        self.auto_finalize = auto_finalize
        self.auto_dismiss = auto_dismiss
        self.filter_node_name = filter_node_name
        self.bitmap = bitmap
        self.target = target


class DriveMirror(Struct):
    """A mirror in a file."""

    __slots__ = (
        "job_id", "device", "target", "format", "node_name", "replaces", "sync", "mode", "speed", "granularity",
        "buf_size", "on_source_error", "on_target_error", "unmap", "copy_mode", "auto_finalize", "auto_dismiss",
    )
    _members = (
        "job-id*:str device:str target:str format*:str node-name*:str replaces*:str sync:MirrorSyncMode "
        "mode*:NewImageMode speed*:int granularity*:uint32 buf-size*:int on-source-error*:BlockdevOnError "
        "on-target-error*:BlockdevOnError unmap*:bool copy-mode*:MirrorCopyMode auto-finalize*:bool "
        "auto-dismiss*:bool"
    )

    def __init__(
        self, *, job_id: str | None = None, device: str, target: str, format: str | None = None,
        node_name: str | None = None, replaces: str | None = None, sync: MirrorSyncMode,
        mode: NewImageMode | None = None, speed: int | None = None, granularity: int | None = None,
        buf_size: int | None = None, on_source_error: BlockdevOnError | None = None,
        on_target_error: BlockdevOnError | None = None, unmap: bool | None = None,
        copy_mode: MirrorCopyMode | None = None, auto_finalize: bool | None = None, auto_dismiss: bool | None = None,
    ) -> None:
        self.job_id = job_id
        self.device = device
        self.target = target
        self.format = format
        self.node_name = node_name
        self.replaces = replaces
        self.sync = sync
        self.mode = mode
        self.speed = speed
        self.granularity = granularity
        self.buf_size = buf_size
        self.on_source_error = on_source_error
        self.on_target_error = on_target_error
        self.unmap = unmap
        self.copy_mode = copy_mode
        self.auto_finalize = auto_finalize
        self.auto_dismiss = auto_dismiss


class BlockDirtyBitmap(Struct):
    """A dirty bitmap."""

    __slots__ = ("node", "name")
    _members = "node:str name:str"

    def __init__(self, *, node: str, name: str) -> None:
        self.node = node
        self.name = name


class BlockDirtyBitmapAdd(Struct):
    """A new dirty bitmap."""

    __slots__ = ("node", "name", "granularity", "persistent", "disabled")
    _members = "node:str name:str granularity*:uint32 persistent*:bool disabled*:bool"

    def __init__(
        self, *, node: str, name: str, granularity: int | None = None, persistent: bool | None = None,
        disabled: bool | None = None,
    ) -> None:
        self.node = node
        self.name = name
        self.granularity = granularity
        self.persistent = persistent
        self.disabled = disabled


class BlockDirtyBitmapMerge(Struct):
    """Dirty bitmaps to join."""

    __slots__ = ("node", "target", "bitmaps")
    _members = "node:str target:str bitmaps:[BlockDirtyBitmapOrStr]"

    def __init__(self, *, node: str, target: str, bitmaps: list[BlockDirtyBitmapOrStr]) -> None:
        self.node = node
        self.target = target
        self.bitmaps = bitmaps


class BlockdevCacheOptions(Struct):
    """How a block node uses caches."""

    __slots__ = ("direct", "no_flush")
    _members = "direct*:bool no-flush*:bool"

    def __init__(self, *, direct: bool | None = None, no_flush: bool | None = None) -> None:
        self.direct = direct
        self.no_flush = no_flush


class BlockdevOptionsFile(Struct):
    """A file or device of the host."""

    __slots__ = ("filename", "locking")
    _members = "filename:str locking*:OnOffAuto"

    def __init__(self, *, filename: str, locking: OnOffAuto | None = None) -> None:
        self.filename = filename
        self.locking = locking


class BlockdevOptionsCurl(Struct):
    """A file of a server."""

    __slots__ = (
        "url", "filename", "readahead", "timeout", "username", "password_secret", "proxy_username",
        "proxy_password_secret", "sslverify", "cookie", "cookie_secret",
    )
    _members = (
        "url*:str filename*:str readahead*:int timeout*:int username*:str password-secret*:str proxy-username*:str "
        "proxy-password-secret*:str sslverify*:bool cookie*:str cookie-secret*:str"
    )

    def __init__(
        self, *, url: str | None = None, filename: str | None = None, readahead: int | None = None,
        timeout: int | None = None, username: str | None = None, password_secret: str | None = None,
        proxy_username: str | None = None, proxy_password_secret: str | None = None, sslverify: bool | None = None,
        cookie: str | None = None, cookie_secret: str | None = None,
    ) -> None:
        self.url = url
        self.filename = filename
        self.readahead = readahead
        self.timeout = timeout
        self.username = username
        self.password_secret = password_secret
        self.proxy_username = proxy_username
        self.proxy_password_secret = proxy_password_secret
        self.sslverify = sslverify
        self.cookie = cookie
        self.cookie_secret = cookie_secret


class BlockdevOptionsArchipelago(Struct):
    """A volume of Archipelago."""

    __slots__ = ("volume", "mport", "vport", "segment")
    _members = "volume:str mport*:int vport*:int segment*:str"

    def __init__(
        self, *, volume: str, mport: int | None = None, vport: int | None = None, segment: str | None = None,
    ) -> None:
        self.volume = volume
        self.mport = mport
        self.vport = vport
        self.segment = segment


class BlockdevOptionsNull(Struct):
    """A device of zeros."""

    __slots__ = ("size", "latency_ns", "read_zeroes")
    _members = "size*:int latency-ns*:uint64 read-zeroes*:bool"

    def __init__(
        self, *, size: int | None = None, latency_ns: int | None = None, read_zeroes: bool | None = None,
    ) -> None:
        self.size = size
        self.latency_ns = latency_ns
        self.read_zeroes = read_zeroes


class BlockdevOptionsVVFAT(Struct):
    """A directory that looks like a FAT disk."""

    __slots__ = ("dir", "fat_type", "floppy", "label", "rw")
    _members = "dir:str fat-type*:int floppy*:bool label*:str rw*:bool"

    def __init__(
        self, *, dir: str, fat_type: int | None = None, floppy: bool | None = None, label: str | None = None,
        rw: bool | None = None,
    ) -> None:
        self.dir = dir
        self.fat_type = fat_type
        self.floppy = floppy
        self.label = label
        self.rw = rw


class BlockdevOptionsGenericFormat(Struct):
    """An image in a block node."""

    __slots__ = ("file",)
    _members = "file:BlockdevRef"

    def __init__(self, *, file: BlockdevRef) -> None:
        self.file = file


class BlockdevOptionsGenericCOWFormat(BlockdevOptionsGenericFormat):
    """An image in a block node, which may have a backing file."""

    __slots__ = ("backing",)
    _members = "file:BlockdevRef backing*:BlockdevRefOrNull"

    def __init__(self, *, file: BlockdevRef, backing: BlockdevRefOrNull | None = None) -> None:
        self.file = file
        self.backing = backing


class BlockdevOptionsRaw(BlockdevOptionsGenericFormat):
    """A part of a block node."""

    __slots__ = ("offset", "size")
    _members = "file:BlockdevRef offset*:int size*:int"

    def __init__(self, *, file: BlockdevRef, offset: int | None = None, size: int | None = None) -> None:
        self.file = file
        self.offset = offset
        self.size = size


class BlockdevOptionsLUKS(BlockdevOptionsGenericFormat):
    """A LUKS volume."""

    __slots__ = ("key_secret",)
    _members = "file:BlockdevRef key-secret*:str"

    def __init__(self, *, file: BlockdevRef, key_secret: str | None = None) -> None:
        self.file = file
        self.key_secret = key_secret


class Qcow2OverlapCheckFlags(Struct):
    """Checks one by one."""

    __slots__ = (
        "template", "main_header", "active_l1", "active_l2", "refcount_table", "refcount_block", "snapshot_table",
        "inactive_l1", "inactive_l2", "bitmap_directory",
    )
    _members = (
        "template*:Qcow2OverlapCheckMode main-header*:bool active-l1*:bool active-l2*:bool refcount-table*:bool "
        "refcount-block*:bool snapshot-table*:bool inactive-l1*:bool inactive-l2*:bool bitmap-directory*:bool"
    )

    def __init__(
        self, *, template: Qcow2OverlapCheckMode | None = None, main_header: bool | None = None,
        active_l1: bool | None = None, active_l2: bool | None = None, refcount_table: bool | None = None,
        refcount_block: bool | None = None, snapshot_table: bool | None = None, inactive_l1: bool | None = None,
        inactive_l2: bool | None = None, bitmap_directory: bool | None = None,
    ) -> None:
        self.template = template
        self.main_header = main_header
        self.active_l1 = active_l1
        self.active_l2 = active_l2
        self.refcount_table = refcount_table
        self.refcount_block = refcount_block
        self.snapshot_table = snapshot_table
        self.inactive_l1 = inactive_l1
        self.inactive_l2 = inactive_l2
        self.bitmap_directory = bitmap_directory


class BlockdevOptionsQcow2(BlockdevOptionsGenericCOWFormat):
    """A qcow2 image."""

    __slots__ = (
        "lazy_refcounts", "pass_discard_request", "pass_discard_snapshot", "pass_discard_other", "overlap_check",
        "cache_size", "l2_cache_size", "l2_cache_entry_size", "refcount_cache_size", "cache_clean_interval", "encrypt",
        "data_file",
    )
    _members = (
        "file:BlockdevRef backing*:BlockdevRefOrNull lazy-refcounts*:bool pass-discard-request*:bool "
        "pass-discard-snapshot*:bool pass-discard-other*:bool overlap-check*:Qcow2OverlapChecks cache-size*:int "
        "l2-cache-size*:int l2-cache-entry-size*:int refcount-cache-size*:int cache-clean-interval*:int "
        "encrypt*:BlockdevQcow2Encryption data-file*:BlockdevRef"
    )

    def __init__(
        self, *, file: BlockdevRef, backing: BlockdevRefOrNull | None = None, lazy_refcounts: bool | None = None,
        pass_discard_request: bool | None = None, pass_discard_snapshot: bool | None = None,
        pass_discard_other: bool | None = None, overlap_check: Qcow2OverlapChecks | None = None,
        cache_size: int | None = None, l2_cache_size: int | None = None, l2_cache_entry_size: int | None = None,
        refcount_cache_size: int | None = None, cache_clean_interval: int | None = None,
        encrypt: BlockdevQcow2Encryption | None = None, data_file: BlockdevRef | None = None,
    ) -> None:
        self.file = file
        self.backing = backing
        self.lazy_refcounts = lazy_refcounts
        self.pass_discard_request = pass_discard_request
        self.pass_discard_snapshot = pass_discard_snapshot
        self.pass_discard_other = pass_discard_other
        self.overlap_check = overlap_check
        self.cache_size = cache_size
        self.l2_cache_size = l2_cache_size
        self.l2_cache_entry_size = l2_cache_entry_size
        self.refcount_cache_size = refcount_cache_size
        self.cache_clean_interval = cache_clean_interval
        self.encrypt = encrypt
        self.data_file = data_file


class BlkdebugInjectErrorOptions(Struct):
    """An error to make."""

    __slots__ = ("event", "state", "errno", "sector", "once", "immediately")
    _members = "event:BlkdebugEvent state*:int errno*:int sector*:int once*:bool immediately*:bool"

    def __init__(
        self, *, event: BlkdebugEvent, state: int | None = None, errno: int | None = None, sector: int | None = None,
        once: bool | None = None, immediately: bool | None = None,
    ) -> None:
        self.event = event
        self.state = state
        self.errno = errno
        self.sector = sector
        self.once = once
        self.immediately = immediately


class BlkdebugSetStateOptions(Struct):
    """A change of state."""

    __slots__ = ("event", "state", "new_state")
    _members = "event:BlkdebugEvent state*:int new_state:int"

    def __init__(self, *, event: BlkdebugEvent, state: int | None = None, new_state: int) -> None:
        self.event = event
        self.state = state
        self.new_state = new_state


class BlockdevOptionsBlkdebug(Struct):
    """A filter that makes errors."""

    __slots__ = ("image", "config", "align", "inject_error", "set_state")
    _members = (
        "image:BlockdevRef config*:str align*:int inject-error*:[BlkdebugInjectErrorOptions] "
        "set-state*:[BlkdebugSetStateOptions]"
    )

    def __init__(
        self, *, image: BlockdevRef, config: str | None = None, align: int | None = None,
        inject_error: list[BlkdebugInjectErrorOptions] | None = None,
        set_state: list[BlkdebugSetStateOptions] | None = None,
    ) -> None:
        self.image = image
        self.config = config
        self.align = align
        self.inject_error = inject_error
        self.set_state = set_state


class BlockdevOptionsBlkverify(Struct):
    """A filter that compares two images and ends the emulator if they differ."""

    __slots__ = ("test", "raw")
    _members = "test:BlockdevRef raw:BlockdevRef"

    def __init__(self, *, test: BlockdevRef, raw: BlockdevRef) -> None:
        self.test = test
        self.raw = raw


class BlockdevOptionsQuorum(Struct):
    """Several copies of the same data."""

    __slots__ = ("blkverify", "children", "vote_threshold", "rewrite_corrupted", "read_pattern")
    _members = (
        "blkverify*:bool children:[BlockdevRef] vote-threshold:int rewrite-corrupted*:bool "
        "read-pattern*:QuorumReadPattern"
    )

    def __init__(
        self, *, blkverify: bool | None = None, children: list[BlockdevRef], vote_threshold: int,
        rewrite_corrupted: bool | None = None, read_pattern: QuorumReadPattern | None = None,
    ) -> None:
        self.blkverify = blkverify
        self.children = children
        self.vote_threshold = vote_threshold
        self.rewrite_corrupted = rewrite_corrupted
        self.read_pattern = read_pattern


class BlockdevOptionsNbd(Struct):
    """An export of an NBD server."""

    __slots__ = ("server", "export", "tls_creds", "tls_hostname", "reconnect_delay", "open_timeout")
    _members = (
        "server:SocketAddressFlat export*:str tls-creds*:str tls-hostname*:str reconnect-delay*:uint32 "
        "open-timeout*:uint32"
    )

    def __init__(
        self, *, server: SocketAddressFlat, export: str | None = None, tls_creds: str | None = None,
        tls_hostname: str | None = None, reconnect_delay: int | None = None, open_timeout: int | None = None,
    ) -> None:
        self.server = server
        self.export = export
        self.tls_creds = tls_creds
        self.tls_hostname = tls_hostname
        self.reconnect_delay = reconnect_delay
        self.open_timeout = open_timeout


class BlockdevOptionsThrottle(Struct):
    """A filter with limits."""

    __slots__ = ("throttle_group", "file")
    _members = "throttle-group:str file:BlockdevRef"

    def __init__(self, *, throttle_group: str, file: BlockdevRef) -> None:
        self.throttle_group = throttle_group
        self.file = file


class BlockdevOptionsCor(BlockdevOptionsGenericFormat):
    """A filter that keeps what was read from backing files."""

    __slots__ = ("bottom",)
    _members = "file:BlockdevRef bottom*:str"

    def __init__(self, *, file: BlockdevRef, bottom: str | None = None) -> None:
        self.file = file
        self.bottom = bottom


class BlockdevCreateOptionsFile(Struct):
    """A new file."""

    __slots__ = ("filename", "size", "preallocation", "nocow")
    _members = "filename:str size:size preallocation*:PreallocMode nocow*:bool"

    def __init__(
        self, *, filename: str, size: int, preallocation: PreallocMode | None = None, nocow: bool | None = None,
    ) -> None:
        self.filename = filename
        self.size = size
        self.preallocation = preallocation
        self.nocow = nocow


class BlockdevCreateOptionsLUKS(QCryptoBlockCreateOptionsLUKS):
    """A new LUKS volume."""

    __slots__ = ("file", "size", "preallocation")
    _members = (
        "key-secret*:str cipher-alg*:QCryptoCipherAlgorithm cipher-mode*:QCryptoCipherMode "
        "ivgen-alg*:QCryptoIVGenAlgorithm ivgen-hash-alg*:QCryptoHashAlgorithm hash-alg*:QCryptoHashAlgorithm "
        "iter-time*:int file:BlockdevRef size:size preallocation*:PreallocMode"
    )

    def __init__(
        self, *, key_secret: str | None = None, cipher_alg: QCryptoCipherAlgorithm | None = None,
        cipher_mode: QCryptoCipherMode | None = None, ivgen_alg: QCryptoIVGenAlgorithm | None = None,
        ivgen_hash_alg: QCryptoHashAlgorithm | None = None, hash_alg: QCryptoHashAlgorithm | None = None,
        iter_time: int | None = None, file: BlockdevRef, size: int, preallocation: PreallocMode | None = None,
    ) -> None:
        self.key_secret = key_secret
        self.cipher_alg = cipher_alg
        self.cipher_mode = cipher_mode
        self.ivgen_alg = ivgen_alg
        self.ivgen_hash_alg = ivgen_hash_alg
        self.hash_alg = hash_alg
        self.iter_time = iter_time
        self.file = file
        self.size = size
        self.preallocation = preallocation


class BlockdevCreateOptionsParallels(Struct):
    """A new Parallels image."""

    __slots__ = ("file", "size", "cluster_size")
    _members = "file:BlockdevRef size:size cluster-size*:size"

    def __init__(self, *, file: BlockdevRef, size: int, cluster_size: int | None = None) -> None:
        self.file = file
        self.size = size
        self.cluster_size = cluster_size


class BlockdevCreateOptionsQcow(Struct):
    """A new qcow image."""

    __slots__ = ("file", "size", "backing_file", "encrypt")
    _members = "file:BlockdevRef size:size backing-file*:str encrypt*:QCryptoBlockCreateOptions"

    def __init__(
        self, *, file: BlockdevRef, size: int, backing_file: str | None = None,
        encrypt: QCryptoBlockCreateOptions | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.backing_file = backing_file
        self.encrypt = encrypt


class BlockdevCreateOptionsQcow2(Struct):
    """A new qcow2 image."""

    __slots__ = (
        "file", "data_file", "data_file_raw", "size", "version", "backing_file", "backing_fmt", "encrypt",
        "cluster_size", "preallocation", "lazy_refcounts", "refcount_bits",
    )
    _members = (
        "file:BlockdevRef data-file*:BlockdevRef data-file-raw*:bool size:size version*:BlockdevQcow2Version "
        "backing-file*:str backing-fmt*:BlockdevDriver encrypt*:QCryptoBlockCreateOptions cluster-size*:size "
        "preallocation*:PreallocMode lazy-refcounts*:bool refcount-bits*:int"
    )

    def __init__(
        self, *, file: BlockdevRef, data_file: BlockdevRef | None = None, data_file_raw: bool | None = None, size: int,
        version: BlockdevQcow2Version | None = None, backing_file: str | None = None,
        backing_fmt: BlockdevDriver | None = None, encrypt: QCryptoBlockCreateOptions | None = None,
        cluster_size: int | None = None, preallocation: PreallocMode | None = None, lazy_refcounts: bool | None = None,
        refcount_bits: int | None = None,
    ) -> None:
        self.file = file
        self.data_file = data_file
        self.data_file_raw = data_file_raw
        self.size = size
        self.version = version
        self.backing_file = backing_file
        self.backing_fmt = backing_fmt
        self.encrypt = encrypt
        self.cluster_size = cluster_size
        self.preallocation = preallocation
        self.lazy_refcounts = lazy_refcounts
        self.refcount_bits = refcount_bits


class BlockdevCreateOptionsQed(Struct):
    """A new qed image."""

    __slots__ = ("file", "size", "backing_file", "backing_fmt", "cluster_size", "table_size")
    _members = (
        "file:BlockdevRef size:size backing-file*:str backing-fmt*:BlockdevDriver cluster-size*:size table-size*:int"
    )

    def __init__(
        self, *, file: BlockdevRef, size: int, backing_file: str | None = None,
        backing_fmt: BlockdevDriver | None = None, cluster_size: int | None = None, table_size: int | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.backing_file = backing_file
        self.backing_fmt = backing_fmt
        self.cluster_size = cluster_size
        self.table_size = table_size


class BlockdevCreateOptionsVdi(Struct):
    """A new VirtualBox image."""

    __slots__ = ("file", "size", "preallocation")
    _members = "file:BlockdevRef size:size preallocation*:PreallocMode"

    def __init__(self, *, file: BlockdevRef, size: int, preallocation: PreallocMode | None = None) -> None:
        self.file = file
        self.size = size
        self.preallocation = preallocation


class BlockdevCreateOptionsVhdx(Struct):
    """A new Hyper-V image."""

    __slots__ = ("file", "size", "log_size", "block_size", "subformat", "block_state_zero")
    _members = (
        "file:BlockdevRef size:size log-size*:size block-size*:size subformat*:BlockdevVhdxSubformat "
        "block-state-zero*:bool"
    )

    def __init__(
        self, *, file: BlockdevRef, size: int, log_size: int | None = None, block_size: int | None = None,
        subformat: BlockdevVhdxSubformat | None = None, block_state_zero: bool | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.log_size = log_size
        self.block_size = block_size
        self.subformat = subformat
        self.block_state_zero = block_state_zero


class BlockdevCreateOptionsVmdk(Struct):
    """A new VMware image."""

    __slots__ = (
        "file", "size", "extents", "subformat", "backing_file", "adapter_type", "hwversion", "toolsversion",
        "zeroed_grain",
    )
    _members = (
        "file:BlockdevRef size:size extents*:[BlockdevRef] subformat*:BlockdevVmdkSubformat backing-file*:str "
        "adapter-type*:BlockdevVmdkAdapterType hwversion*:str toolsversion*:str zeroed-grain*:bool"
    )

    def __init__(
        self, *, file: BlockdevRef, size: int, extents: list[BlockdevRef] | None = None,
        subformat: BlockdevVmdkSubformat | None = None, backing_file: str | None = None,
        adapter_type: BlockdevVmdkAdapterType | None = None, hwversion: str | None = None,
        toolsversion: str | None = None, zeroed_grain: bool | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.extents = extents
        self.subformat = subformat
        self.backing_file = backing_file
        self.adapter_type = adapter_type
        self.hwversion = hwversion
        self.toolsversion = toolsversion
        self.zeroed_grain = zeroed_grain


class BlockdevCreateOptionsVpc(Struct):
    """A new Virtual PC image."""

    __slots__ = ("file", "size", "subformat", "force_size")
    _members = "file:BlockdevRef size:size subformat*:BlockdevVpcSubformat force-size*:bool"

    def __init__(
        self, *, file: BlockdevRef, size: int, subformat: BlockdevVpcSubformat | None = None,
        force_size: bool | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.subformat = subformat
        self.force_size = force_size


class BlockIOThrottle(Struct):
    """The limits of a block device. 0 is no limit; a total excludes separate ones for reads and writes."""

    __slots__ = (
        "device", "id", "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr", "bps_max", "bps_rd_max", "bps_wr_max",
        "iops_max", "iops_rd_max", "iops_wr_max", "bps_max_length", "bps_rd_max_length", "bps_wr_max_length",
        "iops_max_length", "iops_rd_max_length", "iops_wr_max_length", "iops_size", "group",
    )
    _members = (
        "device*:str id*:str bps:int bps_rd:int bps_wr:int iops:int iops_rd:int iops_wr:int bps_max*:int "
        "bps_rd_max*:int bps_wr_max*:int iops_max*:int iops_rd_max*:int iops_wr_max*:int bps_max_length*:int "
        "bps_rd_max_length*:int bps_wr_max_length*:int iops_max_length*:int iops_rd_max_length*:int "
        "iops_wr_max_length*:int iops_size*:int group*:str"
    )

    def __init__(
        self, *, device: str | None = None, id: str | None = None, bps: int, bps_rd: int, bps_wr: int, iops: int,
        iops_rd: int, iops_wr: int, bps_max: int | None = None, bps_rd_max: int | None = None,
        bps_wr_max: int | None = None, iops_max: int | None = None, iops_rd_max: int | None = None,
        iops_wr_max: int | None = None, bps_max_length: int | None = None, bps_rd_max_length: int | None = None,
        bps_wr_max_length: int | None = None, iops_max_length: int | None = None, iops_rd_max_length: int | None = None,
        iops_wr_max_length: int | None = None, iops_size: int | None = None, group: str | None = None,
    ) -> None:
        self.device = device
        self.id = id
        self.bps = bps
        self.bps_rd = bps_rd
        self.bps_wr = bps_wr
        self.iops = iops
        self.iops_rd = iops_rd
        self.iops_wr = iops_wr
        self.bps_max = bps_max
        self.bps_rd_max = bps_rd_max
        self.bps_wr_max = bps_wr_max
        self.iops_max = iops_max
        self.iops_rd_max = iops_rd_max
        self.iops_wr_max = iops_wr_max
        self.bps_max_length = bps_max_length
        self.bps_rd_max_length = bps_rd_max_length
        self.bps_wr_max_length = bps_wr_max_length
        self.iops_max_length = iops_max_length
        self.iops_rd_max_length = iops_rd_max_length
        self.iops_wr_max_length = iops_wr_max_length
        self.iops_size = iops_size
        self.group = group


class BlockExportOptionsNbd(Struct):
    """The options of NBD exports."""

    __slots__ = ("name", "description", "bitmaps", "allocation_depth")
    _members = "name*:str description*:str bitmaps*:[BlockDirtyBitmapOrStr] allocation-depth*:bool"

    def __init__(
        self, *, name: str | None = None, description: str | None = None,
        bitmaps: list[BlockDirtyBitmapOrStr] | None = None, allocation_depth: bool | None = None,
    ) -> None:
        self.name = name
        self.description = description
        self.bitmaps = bitmaps
        self.allocation_depth = allocation_depth


class BlockExportInfo(Struct):
    """An export."""

    __slots__ = ("id", "type", "node_name", "shutting_down")
    _members = "id:str type:BlockExportType node-name:str shutting-down:bool"

    def __init__(self, *, id: str, type: BlockExportType, node_name: str, shutting_down: bool) -> None:
        self.id = id
        self.type = type
        self.node_name = node_name
        self.shutting_down = shutting_down


class Abort(Struct):
    """Nothing."""

    __slots__ = ()


class TransactionProperties(Struct):
    """Properties of a transaction as a whole."""

    __slots__ = ("completion_mode",)
    _members = "completion-mode*:ActionCompletionMode"

    def __init__(self, *, completion_mode: ActionCompletionMode | None = None) -> None:
        self.completion_mode = completion_mode


class ChardevInfo(Struct):
    """A character device."""

    __slots__ = ("label", "filename", "frontend_open")
    _members = "label:str filename:str frontend-open:bool"

    def __init__(self, *, label: str, filename: str, frontend_open: bool) -> None:
        self.label = label
        self.filename = filename
        self.frontend_open = frontend_open


class ChardevBackendInfo(Struct):
    """A kind of character device."""

    __slots__ = ("name",)
    _members = "name:str"

    def __init__(self, *, name: str) -> None:
        self.name = name


class ChardevCommon(Struct):
    """What all character devices have."""

    __slots__ = ("logfile", "logappend")
    _members = "logfile*:str logappend*:bool"

    def __init__(self, *, logfile: str | None = None, logappend: bool | None = None) -> None:
        self.logfile = logfile
        self.logappend = logappend


class ChardevFile(ChardevCommon):
    """Output to a file."""

    __slots__ = ("in_", "out", "append")
    _members = "logfile*:str logappend*:bool in*:str out:str append*:bool"

    def __init__(
        self, *, logfile: str | None = None, logappend: bool | None = None, in_: str | None = None, out: str,
        append: bool | None = None,
    ) -> None:
        self.logfile = logfile
        self.logappend = logappend
        self.in_ = in_
        self.out = out
        self.append = append


class ChardevHostdev(ChardevCommon):
    """A device or pipe of the host."""

    __slots__ = ("device",)
    _members = "logfile*:str logappend*:bool device:str"

    def __init__(self, *, logfile: str | None = None, logappend: bool | None = None, device: str) -> None:
        self.logfile = logfile
        self.logappend = logappend
        self.device = device


class ChardevSocket(ChardevCommon):
    """A stream socket."""

    __slots__ = (
        "addr", "tls_creds", "tls_authz", "server", "wait", "nodelay", "telnet", "tn3270", "websocket", "reconnect",
    )
    _members = (
        "logfile*:str logappend*:bool addr:SocketAddress tls-creds*:str tls-authz*:str server*:bool wait*:bool "
        "nodelay*:bool telnet*:bool tn3270*:bool websocket*:bool reconnect*:int"
    )

    def __init__(
        self, *, logfile: str | None = None, logappend: bool | None = None, addr: SocketAddress,
        tls_creds: str | None = None, tls_authz: str | None = None, server: bool | None = None,
        wait: bool | None = None, nodelay: bool | None = None, telnet: bool | None = None, tn3270: bool | None = None,
        websocket: bool | None = None, reconnect: int | None = None,
    ) -> None:
        self.logfile = logfile
        self.logappend = logappend
        self.addr = addr
        self.tls_creds = tls_creds
        self.tls_authz = tls_authz
        self.server = server
        self.wait = wait
        self.nodelay = nodelay
        self.telnet = telnet
        self.tn3270 = tn3270
        self.websocket = websocket
        self.reconnect = reconnect


class ChardevUdp(ChardevCommon):
    """Datagrams."""

    __slots__ = ("remote", "local")
    _members = "logfile*:str logappend*:bool remote:SocketAddress local*:SocketAddress"

    def __init__(
        self, *, logfile: str | None = None, logappend: bool | None = None, remote: SocketAddress,
        local: SocketAddress | None = None,
    ) -> None:
        self.logfile = logfile
        self.logappend = logappend
        self.remote = remote
        self.local = local


class ChardevMux(ChardevCommon):
    """Several users of one character device, one at a time."""

    __slots__ = ("chardev",)
    _members = "logfile*:str logappend*:bool chardev:str"

    def __init__(self, *, logfile: str | None = None, logappend: bool | None = None, chardev: str) -> None:
        self.logfile = logfile
        self.logappend = logappend
        self.chardev = chardev


class ChardevStdio(ChardevCommon):
    """The emulator's standard input and output."""

    __slots__ = ("signal",)
    _members = "logfile*:str logappend*:bool signal*:bool"

    def __init__(
        self, *, logfile: str | None = None, logappend: bool | None = None, signal: bool | None = None,
    ) -> None:
        self.logfile = logfile
        self.logappend = logappend
        self.signal = signal


class ChardevSpiceChannel(ChardevCommon):
    """A channel of the SPICE protocol."""

    __slots__ = ("type",)
    _members = "logfile*:str logappend*:bool type:str"

    def __init__(self, *, logfile: str | None = None, logappend: bool | None = None, type: str) -> None:
        self.logfile = logfile
        self.logappend = logappend
        self.type = type


class ChardevSpicePort(ChardevCommon):
    """A port of the SPICE protocol."""

    __slots__ = ("fqdn",)
    _members = "logfile*:str logappend*:bool fqdn:str"

    def __init__(self, *, logfile: str | None = None, logappend: bool | None = None, fqdn: str) -> None:
        self.logfile = logfile
        self.logappend = logappend
        self.fqdn = fqdn


class ChardevVC(ChardevCommon):
    """A text console in the display."""

    __slots__ = ("width", "height", "cols", "rows")
    _members = "logfile*:str logappend*:bool width*:int height*:int cols*:int rows*:int"

    def __init__(
        self, *, logfile: str | None = None, logappend: bool | None = None, width: int | None = None,
        height: int | None = None, cols: int | None = None, rows: int | None = None,
    ) -> None:
        self.logfile = logfile
        self.logappend = logappend
        self.width = width
        self.height = height
        self.cols = cols
        self.rows = rows


class ChardevRingbuf(ChardevCommon):
    """A buffer that keeps the latest output."""

    __slots__ = ("size",)
    _members = "logfile*:str logappend*:bool size*:int"

    def __init__(self, *, logfile: str | None = None, logappend: bool | None = None, size: int | None = None) -> None:
        self.logfile = logfile
        self.logappend = logappend
        self.size = size


class ChardevReturn(Struct):
    """What became known when a character device was made."""

    __slots__ = ("pty",)
    _members = "pty*:str"

    def __init__(self, *, pty: str | None = None) -> None:
        self.pty = pty


class NetdevNoneOptions(Struct):
    """The options of nothing."""

    __slots__ = ()


class NetLegacyNicOptions(Struct):
    """A network adapter by the option -net nic."""

    __slots__ = ("netdev", "macaddr", "model", "addr", "vectors")
    _members = "netdev*:str macaddr*:str model*:str addr*:str vectors*:uint32"

    def __init__(
        self, *, netdev: str | None = None, macaddr: str | None = None, model: str | None = None,
        addr: str | None = None, vectors: int | None = None,
    ) -> None:
        self.netdev = netdev
        self.macaddr = macaddr
        self.model = model
        self.addr = addr
        self.vectors = vectors


class NetdevUserOptions(Struct):
    """A network that this process plays by itself, without privileges."""

    __slots__ = (
        "hostname", "restrict", "ipv4", "ipv6", "ip", "net", "host", "tftp", "bootfile", "dhcpstart", "dns",
        "dnssearch", "domainname", "ipv6_prefix", "ipv6_prefixlen", "ipv6_host", "ipv6_dns", "smb", "smbserver",
        "hostfwd", "guestfwd", "tftp_server_name",
    )
    _members = (
        "hostname*:str restrict*:bool ipv4*:bool ipv6*:bool ip*:str net*:str host*:str tftp*:str bootfile*:str "
        "dhcpstart*:str dns*:str dnssearch*:[String] domainname*:str ipv6-prefix*:str ipv6-prefixlen*:int "
        "ipv6-host*:str ipv6-dns*:str smb*:str smbserver*:str hostfwd*:[String] guestfwd*:[String] "
        "tftp-server-name*:str"
    )

    def __init__(
        self, *, hostname: str | None = None, restrict: bool | None = None, ipv4: bool | None = None,
        ipv6: bool | None = None, ip: str | None = None, net: str | None = None, host: str | None = None,
        tftp: str | None = None, bootfile: str | None = None, dhcpstart: str | None = None, dns: str | None = None,
        dnssearch: list[String] | None = None, domainname: str | None = None, ipv6_prefix: str | None = None,
        ipv6_prefixlen: int | None = None, ipv6_host: str | None = None, ipv6_dns: str | None = None,
        smb: str | None = None, smbserver: str | None = None, hostfwd: list[String] | None = None,
        guestfwd: list[String] | None = None, tftp_server_name: str | None = None,
    ) -> None:
        self.hostname = hostname
        self.restrict = restrict
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.ip = ip
        self.net = net
        self.host = host
        self.tftp = tftp
        self.bootfile = bootfile
        self.dhcpstart = dhcpstart
        self.dns = dns
        self.dnssearch = dnssearch
        self.domainname = domainname
        self.ipv6_prefix = ipv6_prefix
        self.ipv6_prefixlen = ipv6_prefixlen
        self.ipv6_host = ipv6_host
        self.ipv6_dns = ipv6_dns
        self.smb = smb
        self.smbserver = smbserver
        self.hostfwd = hostfwd
        self.guestfwd = guestfwd
        self.tftp_server_name = tftp_server_name


class NetdevTapOptions(Struct):
    """A network interface of the host."""

    __slots__ = (
        "ifname", "fd", "fds", "script", "downscript", "br", "helper", "sndbuf", "vnet_hdr", "vhost", "vhostfd",
        "vhostfds", "vhostforce", "queues", "poll_us",
    )
    _members = (
        "ifname*:str fd*:str fds*:str script*:str downscript*:str br*:str helper*:str sndbuf*:size vnet_hdr*:bool "
        "vhost*:bool vhostfd*:str vhostfds*:str vhostforce*:bool queues*:uint32 poll-us*:uint32"
    )

    def __init__(
        self, *, ifname: str | None = None, fd: str | None = None, fds: str | None = None, script: str | None = None,
        downscript: str | None = None, br: str | None = None, helper: str | None = None, sndbuf: int | None = None,
        vnet_hdr: bool | None = None, vhost: bool | None = None, vhostfd: str | None = None,
        vhostfds: str | None = None, vhostforce: bool | None = None, queues: int | None = None,
        poll_us: int | None = None,
    ) -> None:
        self.ifname = ifname
        self.fd = fd
        self.fds = fds
        self.script = script
        self.downscript = downscript
        self.br = br
        self.helper = helper
        self.sndbuf = sndbuf
        self.vnet_hdr = vnet_hdr
        self.vhost = vhost
        self.vhostfd = vhostfd
        self.vhostfds = vhostfds
        self.vhostforce = vhostforce
        self.queues = queues
        self.poll_us = poll_us


class NetdevSocketOptions(Struct):
    """Frames over a socket to another emulator."""

    __slots__ = ("fd", "listen", "connect", "mcast", "localaddr", "udp")
    _members = "fd*:str listen*:str connect*:str mcast*:str localaddr*:str udp*:str"

    def __init__(
        self, *, fd: str | None = None, listen: str | None = None, connect: str | None = None, mcast: str | None = None,
        localaddr: str | None = None, udp: str | None = None,
    ) -> None:
        self.fd = fd
        self.listen = listen
        self.connect = connect
        self.mcast = mcast
        self.localaddr = localaddr
        self.udp = udp


class NetdevL2TPv3Options(Struct):
    """Ethernet over L2TPv3."""

    __slots__ = (
        "src", "dst", "srcport", "dstport", "ipv6", "udp", "cookie64", "counter", "pincounter", "txcookie", "rxcookie",
        "txsession", "rxsession", "offset",
    )
    _members = (
        "src:str dst:str srcport*:str dstport*:str ipv6*:bool udp*:bool cookie64*:bool counter*:bool pincounter*:bool "
        "txcookie*:uint64 rxcookie*:uint64 txsession:uint32 rxsession*:uint32 offset*:uint32"
    )

    def __init__(
        self, *, src: str, dst: str, srcport: str | None = None, dstport: str | None = None, ipv6: bool | None = None,
        udp: bool | None = None, cookie64: bool | None = None, counter: bool | None = None,
        pincounter: bool | None = None, txcookie: int | None = None, rxcookie: int | None = None, txsession: int,
        rxsession: int | None = None, offset: int | None = None,
    ) -> None:
        self.src = src
        self.dst = dst
        self.srcport = srcport
        self.dstport = dstport
        self.ipv6 = ipv6
        self.udp = udp
        self.cookie64 = cookie64
        self.counter = counter
        self.pincounter = pincounter
        self.txcookie = txcookie
        self.rxcookie = rxcookie
        self.txsession = txsession
        self.rxsession = rxsession
        self.offset = offset


class NetdevVdeOptions(Struct):
    """A switch of the VDE project."""

    __slots__ = ("sock", "port", "group", "mode")
    _members = "sock*:str port*:uint16 group*:str mode*:uint16"

    def __init__(
        self, *, sock: str | None = None, port: int | None = None, group: str | None = None, mode: int | None = None,
    ) -> None:
        self.sock = sock
        self.port = port
        self.group = group
        self.mode = mode


class NetdevDumpOptions(Struct):
    """Recording of a hub in a pcap file."""

    __slots__ = ("len", "file")
    _members = "len*:size file*:str"

    def __init__(self, *, len: int | None = None, file: str | None = None) -> None:
        self.len = len
        self.file = file


class NetdevBridgeOptions(Struct):
    """A bridge of the host, opened by a helper."""

    __slots__ = ("br", "helper")
    _members = "br*:str helper*:str"

    def __init__(self, *, br: str | None = None, helper: str | None = None) -> None:
        self.br = br
        self.helper = helper


class NetdevHubPortOptions(Struct):
    """A port of a hub in this process."""

    __slots__ = ("hubid", "netdev")
    _members = "hubid:int32 netdev*:str"

    def __init__(self, *, hubid: int, netdev: str | None = None) -> None:
        self.hubid = hubid
        self.netdev = netdev


class NetdevNetmapOptions(Struct):
    """An interface with the netmap API."""

    __slots__ = ("ifname", "devname")
    _members = "ifname:str devname*:str"

    def __init__(self, *, ifname: str, devname: str | None = None) -> None:
        self.ifname = ifname
        self.devname = devname


class NetdevVhostUserOptions(Struct):
    """A process that implements vhost."""

    __slots__ = ("chardev", "vhostforce", "queues")
    _members = "chardev:str vhostforce*:bool queues*:int"

    def __init__(self, *, chardev: str, vhostforce: bool | None = None, queues: int | None = None) -> None:
        self.chardev = chardev
        self.vhostforce = vhostforce
        self.queues = queues


class NetdevStreamOptions(Struct):
    """Frames over a stream socket to another emulator."""

    __slots__ = ("addr", "server")
    _members = "addr:SocketAddressFlat server*:bool"

    def __init__(self, *, addr: SocketAddressFlat, server: bool | None = None) -> None:
        self.addr = addr
        self.server = server


class NetdevDgramOptions(Struct):
    """Frames in datagrams to another emulator."""

    __slots__ = ("local", "remote")
    _members = "local*:SocketAddressFlat remote*:SocketAddressFlat"

    def __init__(self, *, local: SocketAddressFlat | None = None, remote: SocketAddressFlat | None = None) -> None:
        self.local = local
        self.remote = remote


class NetLegacy(Struct):
    """A network backend or adapter of the option -net."""

    __slots__ = ("vlan", "id", "name", "opts")
    _members = "vlan*:int32 id*:str name*:str opts:NetClientOptions"

    def __init__(
        self, *, vlan: int | None = None, id: str | None = None, name: str | None = None, opts: NetClientOptions,
    ) -> None:
        self.vlan = vlan
        self.id = id
        self.name = name
        self.opts = opts


class RxFilterInfo(Struct):
    """The receive filter of an adapter."""

    __slots__ = (
        "name", "promiscuous", "multicast", "unicast", "vlan", "broadcast_allowed", "multicast_overflow",
        "unicast_overflow", "main_mac", "vlan_table", "unicast_table", "multicast_table",
    )
    _members = (
        "name:str promiscuous:bool multicast:RxState unicast:RxState vlan:RxState broadcast-allowed:bool "
        "multicast-overflow:bool unicast-overflow:bool main-mac:str vlan-table:[int] unicast-table:[str] "
        "multicast-table:[str]"
    )

    def __init__(
        self, *, name: str, promiscuous: bool, multicast: RxState, unicast: RxState, vlan: RxState,
        broadcast_allowed: bool, multicast_overflow: bool, unicast_overflow: bool, main_mac: str, vlan_table: list[int],
        unicast_table: list[str], multicast_table: list[str],
    ) -> None:
        self.name = name
        self.promiscuous = promiscuous
        self.multicast = multicast
        self.unicast = unicast
        self.vlan = vlan
        self.broadcast_allowed = broadcast_allowed
        self.multicast_overflow = multicast_overflow
        self.unicast_overflow = unicast_overflow
        self.main_mac = main_mac
        self.vlan_table = vlan_table
        self.unicast_table = unicast_table
        self.multicast_table = multicast_table


class SpiceBasicInfo(Struct):
    """One end of a SPICE connection."""

    __slots__ = ("host", "port", "family")
    _members = "host:str port:str family:NetworkAddressFamily"

    def __init__(self, *, host: str, port: str, family: NetworkAddressFamily) -> None:
        self.host = host
        self.port = port
        self.family = family


class SpiceServerInfo(SpiceBasicInfo):
    """The server's end."""

    __slots__ = ("auth",)
    _members = "host:str port:str family:NetworkAddressFamily auth*:str"

    def __init__(self, *, host: str, port: str, family: NetworkAddressFamily, auth: str | None = None) -> None:
        self.host = host
        self.port = port
        self.family = family
        self.auth = auth


class SpiceChannel(SpiceBasicInfo):
    """The client's end of a channel."""

    __slots__ = ("connection_id", "channel_type", "channel_id", "tls")
    _members = (
        "host:str port:str family:NetworkAddressFamily connection-id:int channel-type:int channel-id:int tls:bool"
    )

    def __init__(
        self, *, host: str, port: str, family: NetworkAddressFamily, connection_id: int, channel_type: int,
        channel_id: int, tls: bool,
    ) -> None:
        self.host = host
        self.port = port
        self.family = family
        self.connection_id = connection_id
        self.channel_type = channel_type
        self.channel_id = channel_id
        self.tls = tls


class SpiceInfo(Struct):
    """The SPICE server."""

    __slots__ = (
        "enabled", "migrated", "host", "port", "tls_port", "auth", "compiled_version", "mouse_mode", "channels",
    )
    _members = (
        "enabled:bool migrated:bool host*:str port*:int tls-port*:int auth*:str compiled-version*:str "
        "mouse-mode:SpiceQueryMouseMode channels*:[SpiceChannel]"
    )

    def __init__(
        self, *, enabled: bool, migrated: bool, host: str | None = None, port: int | None = None,
        tls_port: int | None = None, auth: str | None = None, compiled_version: str | None = None,
        mouse_mode: SpiceQueryMouseMode, channels: list[SpiceChannel] | None = None,
    ) -> None:
        self.enabled = enabled
        self.migrated = migrated
        self.host = host
        self.port = port
        self.tls_port = tls_port
        self.auth = auth
        self.compiled_version = compiled_version
        self.mouse_mode = mouse_mode
        self.channels = channels


class VncBasicInfo(Struct):
    """One end of a VNC connection."""

    __slots__ = ("host", "service", "family", "websocket")
    _members = "host:str service:str family:NetworkAddressFamily websocket:bool"

    def __init__(self, *, host: str, service: str, family: NetworkAddressFamily, websocket: bool) -> None:
        self.host = host
        self.service = service
        self.family = family
        self.websocket = websocket


class VncServerInfo(VncBasicInfo):
    """The server's end."""

    __slots__ = ("auth",)
    _members = "host:str service:str family:NetworkAddressFamily websocket:bool auth*:str"

    def __init__(
        self, *, host: str, service: str, family: NetworkAddressFamily, websocket: bool, auth: str | None = None,
    ) -> None:
        self.host = host
        self.service = service
        self.family = family
        self.websocket = websocket
        self.auth = auth


class VncClientInfo(VncBasicInfo):
    """The client's end."""

    __slots__ = ("x509_dname", "sasl_username")
    _members = "host:str service:str family:NetworkAddressFamily websocket:bool x509_dname*:str sasl_username*:str"

    def __init__(
        self, *, host: str, service: str, family: NetworkAddressFamily, websocket: bool, x509_dname: str | None = None,
        sasl_username: str | None = None,
    ) -> None:
        self.host = host
        self.service = service
        self.family = family
        self.websocket = websocket
        self.x509_dname = x509_dname
        self.sasl_username = sasl_username


class VncInfo(Struct):
    """The first VNC server."""

    __slots__ = ("enabled", "host", "family", "service", "auth", "clients")
    _members = "enabled:bool host*:str family*:NetworkAddressFamily service*:str auth*:str clients*:[VncClientInfo]"

    def __init__(
        self, *, enabled: bool, host: str | None = None, family: NetworkAddressFamily | None = None,
        service: str | None = None, auth: str | None = None, clients: list[VncClientInfo] | None = None,
    ) -> None:
        self.enabled = enabled
        self.host = host
        self.family = family
        self.service = service
        self.auth = auth
        self.clients = clients


class VncInfo2(Struct):
    """A VNC server."""

    __slots__ = ("id", "server", "clients", "auth", "vencrypt", "display")
    _members = (
        "id:str server:[VncBasicInfo] clients:[VncClientInfo] auth:VncPrimaryAuth vencrypt*:VncVencryptSubAuth "
        "display*:str"
    )

    def __init__(
        self, *, id: str, server: list[VncBasicInfo], clients: list[VncClientInfo], auth: VncPrimaryAuth,
        vencrypt: VncVencryptSubAuth | None = None, display: str | None = None,
    ) -> None:
        self.id = id
        self.server = server
        self.clients = clients
        self.auth = auth
        self.vencrypt = vencrypt
        self.display = display


class MouseInfo(Struct):
    """A pointing device."""

    __slots__ = ("name", "index", "current", "absolute")
    _members = "name:str index:int current:bool absolute:bool"

    def __init__(self, *, name: str, index: int, current: bool, absolute: bool) -> None:
        self.name = name
        self.index = index
        self.current = current
        self.absolute = absolute


class InputKeyEvent(Struct):
    """A key moved."""

    __slots__ = ("key", "down")
    _members = "key:KeyValue down:bool"

    def __init__(self, *, key: KeyValue, down: bool) -> None:
        self.key = key
        self.down = down


class InputBtnEvent(Struct):
    """A button moved."""

    __slots__ = ("button", "down")
    _members = "button:InputButton down:bool"

    def __init__(self, *, button: InputButton, down: bool) -> None:
        self.button = button
        self.down = down


class InputMoveEvent(Struct):
    """The pointer moved along an axis."""

    __slots__ = ("axis", "value")
    _members = "axis:InputAxis value:int"

    def __init__(self, *, axis: InputAxis, value: int) -> None:
        self.axis = axis
        self.value = value


class TPMPassthroughOptions(Struct):
    """The host's TPM."""

    __slots__ = ("path", "cancel_path")
    _members = "path*:str cancel-path*:str"

    def __init__(self, *, path: str | None = None, cancel_path: str | None = None) -> None:
        self.path = path
        self.cancel_path = cancel_path


class TPMEmulatorOptions(Struct):
    """A process that plays a TPM."""

    __slots__ = ("chardev",)
    _members = "chardev:str"

    def __init__(self, *, chardev: str) -> None:
        self.chardev = chardev


class TPMInfo(Struct):
    """A TPM."""

    __slots__ = ("id", "model", "options")
    _members = "id:str model:TpmModel options:TpmTypeOptions"

    def __init__(self, *, id: str, model: TpmModel, options: TpmTypeOptions) -> None:
        self.id = id
        self.model = model
        self.options = options


class DumpQueryResult(Struct):
    """The progress of a dump."""

    __slots__ = ("status", "completed", "total")
    _members = "status:DumpStatus completed:int total:int"

    def __init__(self, *, status: DumpStatus, completed: int, total: int) -> None:
        self.status = status
        self.completed = completed
        self.total = total


class DumpGuestMemoryCapability(Struct):
    """What dumps are possible."""

    __slots__ = ("formats",)
    _members = "formats:[DumpGuestMemoryFormat]"

    def __init__(self, *, formats: list[DumpGuestMemoryFormat]) -> None:
        self.formats = formats


class MigrationStats(Struct):
    """The progress of a part of a migration."""

    __slots__ = (
        "transferred", "remaining", "total", "duplicate", "skipped", "normal", "normal_bytes", "dirty_pages_rate",
        "mbps", "dirty_sync_count", "postcopy_requests", "page_size",
    )
    _members = (
        "transferred:int remaining:int total:int duplicate:int skipped:int normal:int normal-bytes:int "
        "dirty-pages-rate:int mbps:number dirty-sync-count:int postcopy-requests:int page-size:int"
    )

    def __init__(
        self, *, transferred: int, remaining: int, total: int, duplicate: int, skipped: int, normal: int,
        normal_bytes: int, dirty_pages_rate: int, mbps: float, dirty_sync_count: int, postcopy_requests: int,
        page_size: int,
    ) -> None:
        self.transferred = transferred
        self.remaining = remaining
        self.total = total
        self.duplicate = duplicate
        self.skipped = skipped
        self.normal = normal
        self.normal_bytes = normal_bytes
        self.dirty_pages_rate = dirty_pages_rate
        self.mbps = mbps
        self.dirty_sync_count = dirty_sync_count
        self.postcopy_requests = postcopy_requests
        self.page_size = page_size


class XBZRLECacheStats(Struct):
    """How well the compression XBZRLE does."""

    __slots__ = ("cache_size", "bytes", "pages", "cache_miss", "cache_miss_rate", "overflow")
    _members = "cache-size:int bytes:int pages:int cache-miss:int cache-miss-rate:number overflow:int"

    def __init__(
        self, *, cache_size: int, bytes: int, pages: int, cache_miss: int, cache_miss_rate: float, overflow: int,
    ) -> None:
        self.cache_size = cache_size
        self.bytes = bytes
        self.pages = pages
        self.cache_miss = cache_miss
        self.cache_miss_rate = cache_miss_rate
        self.overflow = overflow


class MigrationInfo(Struct):
    """A migration."""

    __slots__ = (
        "status", "ram", "disk", "xbzrle_cache", "total_time", "expected_downtime", "downtime", "setup_time",
        "cpu_throttle_percentage", "error_desc", "blocked_reasons", "socket_address",
    )
    _members = (
        "status*:MigrationStatus ram*:MigrationStats disk*:MigrationStats xbzrle-cache*:XBZRLECacheStats "
        "total-time*:int expected-downtime*:int downtime*:int setup-time*:int cpu-throttle-percentage*:int "
        "error-desc*:str blocked-reasons*:[str] socket-address*:[SocketAddressFlat]"
    )

    def __init__(
        self, *, status: MigrationStatus | None = None, ram: MigrationStats | None = None,
        disk: MigrationStats | None = None, xbzrle_cache: XBZRLECacheStats | None = None, total_time: int | None = None,
        expected_downtime: int | None = None, downtime: int | None = None, setup_time: int | None = None,
        cpu_throttle_percentage: int | None = None, error_desc: str | None = None,
        blocked_reasons: list[str] | None = None, socket_address: list[SocketAddressFlat] | None = None,
    ) -> None:
        self.status = status
        self.ram = ram
        self.disk = disk
        self.xbzrle_cache = xbzrle_cache
        self.total_time = total_time
        self.expected_downtime = expected_downtime
        self.downtime = downtime
        self.setup_time = setup_time
        self.cpu_throttle_percentage = cpu_throttle_percentage
        self.error_desc = error_desc
        self.blocked_reasons = blocked_reasons
        self.socket_address = socket_address


class MigrationCapabilityStatus(Struct):
    """Whether a capability is on."""

    __slots__ = ("capability", "state")
    _members = "capability:MigrationCapability state:bool"

    def __init__(self, *, capability: MigrationCapability, state: bool) -> None:
        self.capability = capability
        self.state = state


class MigrateSetParameters(Struct):
    """Parameters of migrations to change."""

    __slots__ = (
        "compress_level", "compress_threads", "decompress_threads", "cpu_throttle_initial", "cpu_throttle_increment",
        "tls_creds", "tls_hostname", "tls_authz", "max_bandwidth", "downtime_limit", "block_incremental",
        "multifd_channels", "xbzrle_cache_size", "max_postcopy_bandwidth", "max_cpu_throttle", "announce_initial",
        "announce_max", "announce_rounds", "announce_step",
    )
    _members = (
        "compress-level*:int compress-threads*:int decompress-threads*:int cpu-throttle-initial*:int "
        "cpu-throttle-increment*:int tls-creds*:StrOrNull tls-hostname*:StrOrNull tls-authz*:StrOrNull "
        "max-bandwidth*:size downtime-limit*:uint64 block-incremental*:bool multifd-channels*:uint8 "
        "xbzrle-cache-size*:size max-postcopy-bandwidth*:size max-cpu-throttle*:uint8 announce-initial*:size "
        "announce-max*:size announce-rounds*:size announce-step*:size"
    )

    def __init__(
        self, *, compress_level: int | None = None, compress_threads: int | None = None,
        decompress_threads: int | None = None, cpu_throttle_initial: int | None = None,
        cpu_throttle_increment: int | None = None, tls_creds: StrOrNull | None = None,
        tls_hostname: StrOrNull | None = None, tls_authz: StrOrNull | None = None, max_bandwidth: int | None = None,
        downtime_limit: int | None = None, block_incremental: bool | None = None, multifd_channels: int | None = None,
        xbzrle_cache_size: int | None = None, max_postcopy_bandwidth: int | None = None,
        max_cpu_throttle: int | None = None, announce_initial: int | None = None, announce_max: int | None = None,
        announce_rounds: int | None = None, announce_step: int | None = None,
    ) -> None:
        self.compress_level = compress_level
        self.compress_threads = compress_threads
        self.decompress_threads = decompress_threads
        self.cpu_throttle_initial = cpu_throttle_initial
        self.cpu_throttle_increment = cpu_throttle_increment
        self.tls_creds = tls_creds
        self.tls_hostname = tls_hostname
        self.tls_authz = tls_authz
        self.max_bandwidth = max_bandwidth
        self.downtime_limit = downtime_limit
        self.block_incremental = block_incremental
        self.multifd_channels = multifd_channels
        self.xbzrle_cache_size = xbzrle_cache_size
        self.max_postcopy_bandwidth = max_postcopy_bandwidth
        self.max_cpu_throttle = max_cpu_throttle
        self.announce_initial = announce_initial
        self.announce_max = announce_max
        self.announce_rounds = announce_rounds
        self.announce_step = announce_step


class MigrationParameters(Struct):
    """The parameters of migrations."""

    __slots__ = (
        "compress_level", "compress_threads", "decompress_threads", "cpu_throttle_initial", "cpu_throttle_increment",
        "tls_creds", "tls_hostname", "tls_authz", "max_bandwidth", "downtime_limit", "block_incremental",
        "multifd_channels", "xbzrle_cache_size", "max_postcopy_bandwidth", "max_cpu_throttle", "announce_initial",
        "announce_max", "announce_rounds", "announce_step",
    )
    _members = (
        "compress-level:int compress-threads:int decompress-threads:int cpu-throttle-initial:int "
        "cpu-throttle-increment:int tls-creds*:str tls-hostname*:str tls-authz*:str max-bandwidth*:size "
        "downtime-limit*:uint64 block-incremental*:bool multifd-channels*:uint8 xbzrle-cache-size*:size "
        "max-postcopy-bandwidth*:size max-cpu-throttle*:uint8 announce-initial*:size announce-max*:size "
        "announce-rounds*:size announce-step*:size"
    )

    def __init__(
        self, *, compress_level: int, compress_threads: int, decompress_threads: int, cpu_throttle_initial: int,
        cpu_throttle_increment: int, tls_creds: str | None = None, tls_hostname: str | None = None,
        tls_authz: str | None = None, max_bandwidth: int | None = None, downtime_limit: int | None = None,
        block_incremental: bool | None = None, multifd_channels: int | None = None,
        xbzrle_cache_size: int | None = None, max_postcopy_bandwidth: int | None = None,
        max_cpu_throttle: int | None = None, announce_initial: int | None = None, announce_max: int | None = None,
        announce_rounds: int | None = None, announce_step: int | None = None,
    ) -> None:
        self.compress_level = compress_level
        self.compress_threads = compress_threads
        self.decompress_threads = decompress_threads
        self.cpu_throttle_initial = cpu_throttle_initial
        self.cpu_throttle_increment = cpu_throttle_increment
        self.tls_creds = tls_creds
        self.tls_hostname = tls_hostname
        self.tls_authz = tls_authz
        self.max_bandwidth = max_bandwidth
        self.downtime_limit = downtime_limit
        self.block_incremental = block_incremental
        self.multifd_channels = multifd_channels
        self.xbzrle_cache_size = xbzrle_cache_size
        self.max_postcopy_bandwidth = max_postcopy_bandwidth
        self.max_cpu_throttle = max_cpu_throttle
        self.announce_initial = announce_initial
        self.announce_max = announce_max
        self.announce_rounds = announce_rounds
        self.announce_step = announce_step


class SnapshotJobOptions(Struct):
    """Which snapshot a job is about, and where."""

    __slots__ = ("job_id", "tag", "vmstate", "devices")
    _members = "job-id:str tag:str vmstate:str devices:[str]"

    def __init__(self, *, job_id: str, tag: str, vmstate: str, devices: list[str]) -> None:
        self.job_id = job_id
        self.tag = tag
        self.vmstate = vmstate
        self.devices = devices


class TraceEventInfo(Struct):
    """A trace event."""

    __slots__ = ("name", "state")
    _members = "name:str state:TraceEventState"

    def __init__(self, *, name: str, state: TraceEventState) -> None:
        self.name = name
        self.state = state


class ObjectPropertyInfo(Struct):
    """A property of an object or type."""

    __slots__ = ("name", "type", "description", "default_value")
    _members = "name:str type:str description*:str default-value*:any"

    def __init__(
        self, *, name: str, type: str, description: str | None = None, default_value: object | None = None,
    ) -> None:
        self.name = name
        self.type = type
        self.description = description
        self.default_value = default_value


class ObjectTypeInfo(Struct):
    """A type of the object model."""

    __slots__ = ("name", "abstract", "parent")
    _members = "name:str abstract*:bool parent*:str"

    def __init__(self, *, name: str, abstract: bool | None = None, parent: str | None = None) -> None:
        self.name = name
        self.abstract = abstract
        self.parent = parent


class NetfilterProperties(Struct):
    """What all packet filters have."""

    __slots__ = ("netdev", "queue", "status", "position", "insert")
    _members = "netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str"

    def __init__(
        self, *, netdev: str, queue: NetFilterDirection | None = None, status: str | None = None,
        position: str | None = None, insert: str | None = None,
    ) -> None:
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert


class FilterBufferProperties(NetfilterProperties):
    """A filter that holds packets back and releases them together."""

    __slots__ = ("interval",)
    _members = "netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str interval:uint32"

    def __init__(
        self, *, netdev: str, queue: NetFilterDirection | None = None, status: str | None = None,
        position: str | None = None, insert: str | None = None, interval: int,
    ) -> None:
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert
        self.interval = interval


class FilterDumpProperties(NetfilterProperties):
    """A filter that records packets in a pcap file."""

    __slots__ = ("file", "maxlen")
    _members = "netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str file:str maxlen*:uint32"

    def __init__(
        self, *, netdev: str, queue: NetFilterDirection | None = None, status: str | None = None,
        position: str | None = None, insert: str | None = None, file: str, maxlen: int | None = None,
    ) -> None:
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert
        self.file = file
        self.maxlen = maxlen


class FilterMirrorProperties(NetfilterProperties):
    """A filter that copies packets to a character device."""

    __slots__ = ("outdev", "vnet_hdr_support")
    _members = (
        "netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str outdev:str vnet_hdr_support*:bool"
    )

    def __init__(
        self, *, netdev: str, queue: NetFilterDirection | None = None, status: str | None = None,
        position: str | None = None, insert: str | None = None, outdev: str, vnet_hdr_support: bool | None = None,
    ) -> None:
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert
        self.outdev = outdev
        self.vnet_hdr_support = vnet_hdr_support


class FilterRedirectorProperties(NetfilterProperties):
    """A filter that takes packets out of the stream, or puts others into it."""

    __slots__ = ("indev", "outdev", "vnet_hdr_support")
    _members = (
        "netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str indev*:str outdev*:str "
        "vnet_hdr_support*:bool"
    )

    def __init__(
        self, *, netdev: str, queue: NetFilterDirection | None = None, status: str | None = None,
        position: str | None = None, insert: str | None = None, indev: str | None = None, outdev: str | None = None,
        vnet_hdr_support: bool | None = None,
    ) -> None:
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert
        self.indev = indev
        self.outdev = outdev
        self.vnet_hdr_support = vnet_hdr_support


class FilterRewriterProperties(NetfilterProperties):
    """A filter that adjusts TCP sequence numbers for a standby machine."""

    __slots__ = ("vnet_hdr_support",)
    _members = "netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str vnet_hdr_support*:bool"

    def __init__(
        self, *, netdev: str, queue: NetFilterDirection | None = None, status: str | None = None,
        position: str | None = None, insert: str | None = None, vnet_hdr_support: bool | None = None,
    ) -> None:
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert
        self.vnet_hdr_support = vnet_hdr_support


class InputLinuxProperties(Struct):
    """Input from an evdev device."""

    __slots__ = ("evdev", "grab_all", "repeat", "grab_toggle")
    _members = "evdev:str grab_all*:bool repeat*:bool grab-toggle*:GrabToggleKeys"

    def __init__(
        self, *, evdev: str, grab_all: bool | None = None, repeat: bool | None = None,
        grab_toggle: GrabToggleKeys | None = None,
    ) -> None:
        self.evdev = evdev
        self.grab_all = grab_all
        self.repeat = repeat
        self.grab_toggle = grab_toggle


class IothreadProperties(Struct):
    """A thread for block devices."""

    __slots__ = ("poll_max_ns", "poll_grow", "poll_shrink", "aio_max_batch")
    _members = "poll-max-ns*:int poll-grow*:int poll-shrink*:int aio-max-batch*:int"

    def __init__(
        self, *, poll_max_ns: int | None = None, poll_grow: int | None = None, poll_shrink: int | None = None,
        aio_max_batch: int | None = None,
    ) -> None:
        self.poll_max_ns = poll_max_ns
        self.poll_grow = poll_grow
        self.poll_shrink = poll_shrink
        self.aio_max_batch = aio_max_batch


class MemoryBackendProperties(Struct):
    """What all memory backends have."""

    __slots__ = (
        "dump", "host_nodes", "merge", "policy", "prealloc", "prealloc_threads", "share", "reserve", "size",
        "x_use_canonical_path_for_ramblock_id",
    )
    _members = (
        "dump*:bool host-nodes*:[uint16] merge*:bool policy*:HostMemPolicy prealloc*:bool prealloc-threads*:uint32 "
        "share*:bool reserve*:bool size:size x-use-canonical-path-for-ramblock-id*:bool"
    )

    def __init__(
        self, *, dump: bool | None = None, host_nodes: list[int] | None = None, merge: bool | None = None,
        policy: HostMemPolicy | None = None, prealloc: bool | None = None, prealloc_threads: int | None = None,
        share: bool | None = None, reserve: bool | None = None, size: int,
        x_use_canonical_path_for_ramblock_id: bool | None = None,
    ) -> None:
        self.dump = dump
        self.host_nodes = host_nodes
        self.merge = merge
        self.policy = policy
        self.prealloc = prealloc
        self.prealloc_threads = prealloc_threads
        self.share = share
        self.reserve = reserve
        self.size = size
        self.x_use_canonical_path_for_ramblock_id = x_use_canonical_path_for_ramblock_id


class MemoryBackendFileProperties(MemoryBackendProperties):
    """Guest memory in a file."""

    __slots__ = ("align", "discard_data", "mem_path", "pmem", "readonly")
    _members = (
        "dump*:bool host-nodes*:[uint16] merge*:bool policy*:HostMemPolicy prealloc*:bool prealloc-threads*:uint32 "
        "share*:bool reserve*:bool size:size x-use-canonical-path-for-ramblock-id*:bool align*:size "
        "discard-data*:bool mem-path:str pmem*:bool readonly*:bool"
    )

    def __init__(
        self, *, dump: bool | None = None, host_nodes: list[int] | None = None, merge: bool | None = None,
        policy: HostMemPolicy | None = None, prealloc: bool | None = None, prealloc_threads: int | None = None,
        share: bool | None = None, reserve: bool | None = None, size: int,
        x_use_canonical_path_for_ramblock_id: bool | None = None, align: int | None = None,
        discard_data: bool | None = None, mem_path: str, pmem: bool | None = None, readonly: bool | None = None,
    ) -> None:
        self.dump = dump
        self.host_nodes = host_nodes
        self.merge = merge
        self.policy = policy
        self.prealloc = prealloc
        self.prealloc_threads = prealloc_threads
        self.share = share
        self.reserve = reserve
        self.size = size
        self.x_use_canonical_path_for_ramblock_id = x_use_canonical_path_for_ramblock_id
        self.align = align
        self.discard_data = discard_data
        self.mem_path = mem_path
        self.pmem = pmem
        self.readonly = readonly


class MemoryBackendMemfdProperties(MemoryBackendProperties):
    """Guest memory in an anonymous file; share is true by default."""

    __slots__ = ("hugetlb", "hugetlbsize", "seal")
    _members = (
        "dump*:bool host-nodes*:[uint16] merge*:bool policy*:HostMemPolicy prealloc*:bool prealloc-threads*:uint32 "
        "share*:bool reserve*:bool size:size x-use-canonical-path-for-ramblock-id*:bool hugetlb*:bool "
        "hugetlbsize*:size seal*:bool"
    )

    def __init__(
        self, *, dump: bool | None = None, host_nodes: list[int] | None = None, merge: bool | None = None,
        policy: HostMemPolicy | None = None, prealloc: bool | None = None, prealloc_threads: int | None = None,
        share: bool | None = None, reserve: bool | None = None, size: int,
        x_use_canonical_path_for_ramblock_id: bool | None = None, hugetlb: bool | None = None,
        hugetlbsize: int | None = None, seal: bool | None = None,
    ) -> None:
        self.dump = dump
        self.host_nodes = host_nodes
        self.merge = merge
        self.policy = policy
        self.prealloc = prealloc
        self.prealloc_threads = prealloc_threads
        self.share = share
        self.reserve = reserve
        self.size = size
        self.x_use_canonical_path_for_ramblock_id = x_use_canonical_path_for_ramblock_id
        self.hugetlb = hugetlb
        self.hugetlbsize = hugetlbsize
        self.seal = seal


class QtestProperties(Struct):
    """A socket through which a test drives the machine."""

    __slots__ = ("chardev", "log")
    _members = "chardev:str log*:str"

    def __init__(self, *, chardev: str, log: str | None = None) -> None:
        self.chardev = chardev
        self.log = log


class RngProperties(Struct):
    """What all sources of random numbers have."""

    __slots__ = ("opened",)
    _members = "opened*:bool"

    def __init__(self, *, opened: bool | None = None) -> None:
        self.opened = opened


class RngEgdProperties(RngProperties):
    """Random numbers from a daemon that speaks EGD."""

    __slots__ = ("chardev",)
    _members = "opened*:bool chardev:str"

    def __init__(self, *, opened: bool | None = None, chardev: str) -> None:
        self.opened = opened
        self.chardev = chardev


class RngRandomProperties(RngProperties):
    """Random numbers from a device of the host."""

    __slots__ = ("filename",)
    _members = "opened*:bool filename*:str"

    def __init__(self, *, opened: bool | None = None, filename: str | None = None) -> None:
        self.opened = opened
        self.filename = filename


class ThrottleGroupProperties(Struct):
    """Limits that several block devices share."""

    __slots__ = (
        "x_iops_total", "x_iops_total_max", "x_iops_total_max_length", "x_iops_read", "x_iops_read_max",
        "x_iops_read_max_length", "x_iops_write", "x_iops_write_max", "x_iops_write_max_length", "x_bps_total",
        "x_bps_total_max", "x_bps_total_max_length", "x_bps_read", "x_bps_read_max", "x_bps_read_max_length",
        "x_bps_write", "x_bps_write_max", "x_bps_write_max_length", "x_iops_size",
    )
    _members = (
        "x-iops-total*:int x-iops-total-max*:int x-iops-total-max-length*:int x-iops-read*:int x-iops-read-max*:int "
        "x-iops-read-max-length*:int x-iops-write*:int x-iops-write-max*:int x-iops-write-max-length*:int "
        "x-bps-total*:int x-bps-total-max*:int x-bps-total-max-length*:int x-bps-read*:int x-bps-read-max*:int "
        "x-bps-read-max-length*:int x-bps-write*:int x-bps-write-max*:int x-bps-write-max-length*:int "
        "x-iops-size*:int"
    )

    def __init__(
        self, *, x_iops_total: int | None = None, x_iops_total_max: int | None = None,
        x_iops_total_max_length: int | None = None, x_iops_read: int | None = None, x_iops_read_max: int | None = None,
        x_iops_read_max_length: int | None = None, x_iops_write: int | None = None, x_iops_write_max: int | None = None,
        x_iops_write_max_length: int | None = None, x_bps_total: int | None = None, x_bps_total_max: int | None = None,
        x_bps_total_max_length: int | None = None, x_bps_read: int | None = None, x_bps_read_max: int | None = None,
        x_bps_read_max_length: int | None = None, x_bps_write: int | None = None, x_bps_write_max: int | None = None,
        x_bps_write_max_length: int | None = None, x_iops_size: int | None = None,
    ) -> None:
        self.x_iops_total = x_iops_total
        self.x_iops_total_max = x_iops_total_max
        self.x_iops_total_max_length = x_iops_total_max_length
        self.x_iops_read = x_iops_read
        self.x_iops_read_max = x_iops_read_max
        self.x_iops_read_max_length = x_iops_read_max_length
        self.x_iops_write = x_iops_write
        self.x_iops_write_max = x_iops_write_max
        self.x_iops_write_max_length = x_iops_write_max_length
        self.x_bps_total = x_bps_total
        self.x_bps_total_max = x_bps_total_max
        self.x_bps_total_max_length = x_bps_total_max_length
        self.x_bps_read = x_bps_read
        self.x_bps_read_max = x_bps_read_max
        self.x_bps_read_max_length = x_bps_read_max_length
        self.x_bps_write = x_bps_write
        self.x_bps_write_max = x_bps_write_max
        self.x_bps_write_max_length = x_bps_write_max_length
        self.x_iops_size = x_iops_size


class DevicePropertyInfo(Struct):
    """A property of a device type."""

    __slots__ = ("name", "type", "description", "default_value")
    _members = "name:str type:str description*:str default-value*:any"

    def __init__(
        self, *, name: str, type: str, description: str | None = None, default_value: object | None = None,
    ) -> None:
        self.name = name
        self.type = type
        self.description = description
        self.default_value = default_value


class CpuDefinitionInfo(Struct):
    """A CPU model."""

    __slots__ = ("name", "migration_safe", "static", "unavailable_features", "typename", "alias_of", "deprecated")
    _members = (
        "name:str migration-safe*:bool static:bool unavailable-features*:[str] typename:str alias-of*:str "
        "deprecated:bool"
    )

    def __init__(
        self, *, name: str, migration_safe: bool | None = None, static: bool,
        unavailable_features: list[str] | None = None, typename: str, alias_of: str | None = None, deprecated: bool,
    ) -> None:
        self.name = name
        self.migration_safe = migration_safe
        self.static = static
        self.unavailable_features = unavailable_features
        self.typename = typename
        self.alias_of = alias_of
        self.deprecated = deprecated


class CpuModelInfo(Struct):
    """A CPU model with changes."""

    __slots__ = ("name", "props")
    _members = "name:str props*:any"

    def __init__(self, *, name: str, props: object | None = None) -> None:
        self.name = name
        self.props = props


class CpuModelExpansionInfo(Struct):
    """A CPU model spelled out."""

    __slots__ = ("model",)
    _members = "model:CpuModelInfo"

    def __init__(self, *, model: CpuModelInfo) -> None:
        self.model = model


class GICCapability(Struct):
    """A version of the ARM interrupt controller."""

    __slots__ = ("version", "emulated", "kernel")
    _members = "version:int emulated:bool kernel:bool"

    def __init__(self, *, version: int, emulated: bool, kernel: bool) -> None:
        self.version = version
        self.emulated = emulated
        self.kernel = kernel


class MachineInfo(Struct):
    """A kind of machine."""

    __slots__ = (
        "name", "alias", "is_default", "cpu_max", "hotpluggable_cpus", "numa_mem_supported", "deprecated",
        "default_cpu_type", "default_ram_id",
    )
    _members = (
        "name:str alias*:str is-default*:bool cpu-max:int hotpluggable-cpus:bool numa-mem-supported:bool "
        "deprecated:bool default-cpu-type*:str default-ram-id*:str"
    )

    def __init__(
        self, *, name: str, alias: str | None = None, is_default: bool | None = None, cpu_max: int,
        hotpluggable_cpus: bool, numa_mem_supported: bool, deprecated: bool, default_cpu_type: str | None = None,
        default_ram_id: str | None = None,
    ) -> None:
        self.name = name
        self.alias = alias
        self.is_default = is_default
        self.cpu_max = cpu_max
        self.hotpluggable_cpus = hotpluggable_cpus
        self.numa_mem_supported = numa_mem_supported
        self.deprecated = deprecated
        self.default_cpu_type = default_cpu_type
        self.default_ram_id = default_ram_id


class TargetInfo(Struct):
    """The emulated architecture."""

    __slots__ = ("arch",)
    _members = "arch:str"

    def __init__(self, *, arch: str) -> None:
        self.arch = arch


class CpuInfoX86(Struct):
    """Where an x86 CPU is."""

    __slots__ = ("pc",)
    _members = "pc:int"

    def __init__(self, *, pc: int) -> None:
        self.pc = pc


class CpuInfoSPARC(Struct):
    """Where a SPARC CPU is."""

    __slots__ = ("pc", "npc")
    _members = "pc:int npc:int"

    def __init__(self, *, pc: int, npc: int) -> None:
        self.pc = pc
        self.npc = npc


class CpuInfoPPC(Struct):
    """Where a PowerPC CPU is."""

    __slots__ = ("nip",)
    _members = "nip:int"

    def __init__(self, *, nip: int) -> None:
        self.nip = nip


class CpuInfoMIPS(Struct):
    """Where a MIPS CPU is."""

    __slots__ = ("PC",)
    _members = "PC:int"

    def __init__(self, *, PC: int) -> None:
        self.PC = PC


class CpuInfoTricore(Struct):
    """Where a TriCore CPU is."""

    __slots__ = ("PC",)
    _members = "PC:int"

    def __init__(self, *, PC: int) -> None:
        self.PC = PC


class CpuInfoOther(Struct):
    """Nothing is known about where the CPU is."""

    __slots__ = ()


class CpuInstanceProperties(Struct):
    """The place of a CPU in the machine: what device_add needs to plug it."""

    __slots__ = ("node_id", "socket_id", "die_id", "cluster_id", "core_id", "thread_id")
    _members = "node-id*:int socket-id*:int die-id*:int cluster-id*:int core-id*:int thread-id*:int"

    def __init__(
        self, *, node_id: int | None = None, socket_id: int | None = None, die_id: int | None = None,
        cluster_id: int | None = None, core_id: int | None = None, thread_id: int | None = None,
    ) -> None:
        self.node_id = node_id
        self.socket_id = socket_id
        self.die_id = die_id
        self.cluster_id = cluster_id
        self.core_id = core_id
        self.thread_id = thread_id


class CpuInfoS390(Struct):
    """The state of an s390 CPU."""

    __slots__ = ("cpu_state",)
    _members = "cpu-state:CpuS390State"

    def __init__(self, *, cpu_state: CpuS390State) -> None:
        self.cpu_state = cpu_state


class HotpluggableCPU(Struct):
    """A place for a CPU."""

    __slots__ = ("type", "vcpus_count", "props", "qom_path")
    _members = "type:str vcpus-count:int props:CpuInstanceProperties qom-path*:str"

    def __init__(
        self, *, type: str, vcpus_count: int, props: CpuInstanceProperties, qom_path: str | None = None,
    ) -> None:
        self.type = type
        self.vcpus_count = vcpus_count
        self.props = props
        self.qom_path = qom_path


class UuidInfo(Struct):
    """The machine's UUID."""

    __slots__ = ("UUID",)
    _members = "UUID:str"

    def __init__(self, *, UUID: str) -> None:
        self.UUID = UUID


class GuidInfo(Struct):
    """A GUID."""

    __slots__ = ("guid",)
    _members = "guid:str"

    def __init__(self, *, guid: str) -> None:
        self.guid = guid


class CurrentMachineParams(Struct):
    """Abilities of the running machine."""

    __slots__ = ("wakeup_suspend_support",)
    _members = "wakeup-suspend-support:bool"

    def __init__(self, *, wakeup_suspend_support: bool) -> None:
        self.wakeup_suspend_support = wakeup_suspend_support


class KvmInfo(Struct):
    """The state of KVM acceleration."""

    __slots__ = ("enabled", "present")
    _members = "enabled:bool present:bool"

    def __init__(self, *, enabled: bool, present: bool) -> None:
        self.enabled = enabled
        self.present = present


class Memdev(Struct):
    """A memory backend."""

    __slots__ = ("id", "size", "merge", "dump", "prealloc", "share", "reserve", "host_nodes", "policy")
    _members = (
        "id*:str size:size merge:bool dump:bool prealloc:bool share:bool reserve*:bool host-nodes:[uint16] "
        "policy:HostMemPolicy"
    )

    def __init__(
        self, *, id: str | None = None, size: int, merge: bool, dump: bool, prealloc: bool, share: bool,
        reserve: bool | None = None, host_nodes: list[int], policy: HostMemPolicy,
    ) -> None:
        self.id = id
        self.size = size
        self.merge = merge
        self.dump = dump
        self.prealloc = prealloc
        self.share = share
        self.reserve = reserve
        self.host_nodes = host_nodes
        self.policy = policy


class NumaNodeOptions(Struct):
    """A NUMA node of the guest."""

    __slots__ = ("nodeid", "cpus", "mem", "memdev")
    _members = "nodeid*:uint16 cpus*:[uint16] mem*:size memdev*:str"

    def __init__(
        self, *, nodeid: int | None = None, cpus: list[int] | None = None, mem: int | None = None,
        memdev: str | None = None,
    ) -> None:
        self.nodeid = nodeid
        self.cpus = cpus
        self.mem = mem
        self.memdev = memdev


class NumaDistOptions(Struct):
    """The distance between two NUMA nodes."""

    __slots__ = ("src", "dst", "val")
    _members = "src:uint16 dst:uint16 val:uint8"

    def __init__(self, *, src: int, dst: int, val: int) -> None:
        self.src = src
        self.dst = dst
        self.val = val


class NumaCpuOptions(CpuInstanceProperties):
    """The node of the CPUs at a place; node-id must be given."""

    __slots__ = ()
    _members = "node-id*:int socket-id*:int die-id*:int cluster-id*:int core-id*:int thread-id*:int"

    def __init__(
        self, *, node_id: int | None = None, socket_id: int | None = None, die_id: int | None = None,
        cluster_id: int | None = None, core_id: int | None = None, thread_id: int | None = None,
    ) -> None:
        self.node_id = node_id
        self.socket_id = socket_id
        self.die_id = die_id
        self.cluster_id = cluster_id
        self.core_id = core_id
        self.thread_id = thread_id


class BalloonInfo(Struct):
    """The state of the balloon."""

    __slots__ = ("actual",)
    _members = "actual:int"

    def __init__(self, *, actual: int) -> None:
        self.actual = actual


class MemoryInfo(Struct):
    """The amount of memory."""

    __slots__ = ("base_memory", "plugged_memory")
    _members = "base-memory:size plugged-memory*:size"

    def __init__(self, *, base_memory: int, plugged_memory: int | None = None) -> None:
        self.base_memory = base_memory
        self.plugged_memory = plugged_memory


class PCDIMMDeviceInfo(Struct):
    """A memory module."""

    __slots__ = ("id", "addr", "size", "slot", "node", "memdev", "hotplugged", "hotpluggable")
    _members = "id*:str addr:int size:int slot:int node:int memdev:str hotplugged:bool hotpluggable:bool"

    def __init__(
        self, *, id: str | None = None, addr: int, size: int, slot: int, node: int, memdev: str, hotplugged: bool,
        hotpluggable: bool,
    ) -> None:
        self.id = id
        self.addr = addr
        self.size = size
        self.slot = slot
        self.node = node
        self.memdev = memdev
        self.hotplugged = hotplugged
        self.hotpluggable = hotpluggable


class X86CPUFeatureWordInfo(Struct):
    """A word of feature bits of an x86 CPU."""

    __slots__ = ("cpuid_input_eax", "cpuid_input_ecx", "cpuid_register", "features")
    _members = "cpuid-input-eax:int cpuid-input-ecx*:int cpuid-register:X86CPURegister32 features:int"

    def __init__(
        self, *, cpuid_input_eax: int, cpuid_input_ecx: int | None = None, cpuid_register: X86CPURegister32,
        features: int,
    ) -> None:
        self.cpuid_input_eax = cpuid_input_eax
        self.cpuid_input_ecx = cpuid_input_ecx
        self.cpuid_register = cpuid_register
        self.features = features


class DummyForceArrays(Struct):
    """Never used in the protocol; it keeps the list type of X86CPUFeatureWordInfo in the schema."""

    __slots__ = ("unused",)
    _members = "unused:[X86CPUFeatureWordInfo]"

    def __init__(self, *, unused: list[X86CPUFeatureWordInfo]) -> None:
        self.unused = unused


class AcpiTableOptions(Struct):
    """An ACPI table that the operator adds."""

    __slots__ = (
        "sig", "rev", "oem_id", "oem_table_id", "oem_rev", "asl_compiler_id", "asl_compiler_rev", "file", "data",
    )
    _members = (
        "sig*:str rev*:uint8 oem_id*:str oem_table_id*:str oem_rev*:uint32 asl_compiler_id*:str "
        "asl_compiler_rev*:uint32 file*:str data*:str"
    )

    def __init__(
        self, *, sig: str | None = None, rev: int | None = None, oem_id: str | None = None,
        oem_table_id: str | None = None, oem_rev: int | None = None, asl_compiler_id: str | None = None,
        asl_compiler_rev: int | None = None, file: str | None = None, data: str | None = None,
    ) -> None:
        self.sig = sig
        self.rev = rev
        self.oem_id = oem_id
        self.oem_table_id = oem_table_id
        self.oem_rev = oem_rev
        self.asl_compiler_id = asl_compiler_id
        self.asl_compiler_rev = asl_compiler_rev
        self.file = file
        self.data = data


class ACPIOSTInfo(Struct):
    """What the guest reported about a slot (method _OST)."""

    __slots__ = ("device", "slot", "slot_type", "source", "status")
    _members = "device*:str slot:str slot-type:ACPISlotType source:int status:int"

    def __init__(
        self, *, device: str | None = None, slot: str, slot_type: ACPISlotType, source: int, status: int,
    ) -> None:
        self.device = device
        self.slot = slot
        self.slot_type = slot_type
        self.source = source
        self.status = status


class PciMemoryRange(Struct):
    """A range of addresses."""

    __slots__ = ("base", "limit")
    _members = "base:int limit:int"

    def __init__(self, *, base: int, limit: int) -> None:
        self.base = base
        self.limit = limit


class PciMemoryRegion(Struct):
    """A region of a device."""

    __slots__ = ("bar", "type", "address", "size", "prefetch", "mem_type_64")
    _members = "bar:int type:str address:int size:int prefetch*:bool mem_type_64*:bool"

    def __init__(
        self, *, bar: int, type: str, address: int, size: int, prefetch: bool | None = None,
        mem_type_64: bool | None = None,
    ) -> None:
        self.bar = bar
        self.type = type
        self.address = address
        self.size = size
        self.prefetch = prefetch
        self.mem_type_64 = mem_type_64


class PciBusInfo(Struct):
    """The bus behind a bridge."""

    __slots__ = ("number", "secondary", "subordinate", "io_range", "memory_range", "prefetchable_range")
    _members = (
        "number:int secondary:int subordinate:int io_range:PciMemoryRange memory_range:PciMemoryRange "
        "prefetchable_range:PciMemoryRange"
    )

    def __init__(
        self, *, number: int, secondary: int, subordinate: int, io_range: PciMemoryRange, memory_range: PciMemoryRange,
        prefetchable_range: PciMemoryRange,
    ) -> None:
        self.number = number
        self.secondary = secondary
        self.subordinate = subordinate
        self.io_range = io_range
        self.memory_range = memory_range
        self.prefetchable_range = prefetchable_range


class PciBridgeInfo(Struct):
    """A bridge."""

    __slots__ = ("bus", "devices")
    _members = "bus:PciBusInfo devices*:[PciDeviceInfo]"

    def __init__(self, *, bus: PciBusInfo, devices: list[PciDeviceInfo] | None = None) -> None:
        self.bus = bus
        self.devices = devices


class PciDeviceClass(Struct):
    """A device's class."""

    __slots__ = ("desc", "class_")
    _members = "desc*:str class:int"

    def __init__(self, *, desc: str | None = None, class_: int) -> None:
        self.desc = desc
        self.class_ = class_


class PciDeviceId(Struct):
    """What a device is."""

    __slots__ = ("device", "vendor", "subsystem", "subsystem_vendor")
    _members = "device:int vendor:int subsystem*:int subsystem-vendor*:int"

    def __init__(
        self, *, device: int, vendor: int, subsystem: int | None = None, subsystem_vendor: int | None = None,
    ) -> None:
        self.device = device
        self.vendor = vendor
        self.subsystem = subsystem
        self.subsystem_vendor = subsystem_vendor


class PciDeviceInfo(Struct):
    """A PCI function."""

    __slots__ = ("bus", "slot", "function", "class_info", "id", "irq", "irq_pin", "qdev_id", "pci_bridge", "regions")
    _members = (
        "bus:int slot:int function:int class_info:PciDeviceClass id:PciDeviceId irq*:int irq_pin:int qdev_id:str "
        "pci_bridge*:PciBridgeInfo regions:[PciMemoryRegion]"
    )

    def __init__(
        self, *, bus: int, slot: int, function: int, class_info: PciDeviceClass, id: PciDeviceId,
        irq: int | None = None, irq_pin: int, qdev_id: str, pci_bridge: PciBridgeInfo | None = None,
        regions: list[PciMemoryRegion],
    ) -> None:
        self.bus = bus
        self.slot = slot
        self.function = function
        self.class_info = class_info
        self.id = id
        self.irq = irq
        self.irq_pin = irq_pin
        self.qdev_id = qdev_id
        self.pci_bridge = pci_bridge
        self.regions = regions


class PciInfo(Struct):
    """A root bus."""

    __slots__ = ("bus", "devices")
    _members = "bus:int devices:[PciDeviceInfo]"

    def __init__(self, *, bus: int, devices: list[PciDeviceInfo]) -> None:
        self.bus = bus
        self.devices = devices


class RockerSwitch(Struct):
    """A rocker switch."""

    __slots__ = ("name", "id", "ports")
    _members = "name:str id:uint64 ports:uint32"

    def __init__(self, *, name: str, id: int, ports: int) -> None:
        self.name = name
        self.id = id
        self.ports = ports


class RockerPort(Struct):
    """A port of a switch."""

    __slots__ = ("name", "enabled", "link_up", "speed", "duplex", "autoneg")
    _members = "name:str enabled:bool link-up:bool speed:uint32 duplex:RockerPortDuplex autoneg:RockerPortAutoneg"

    def __init__(
        self, *, name: str, enabled: bool, link_up: bool, speed: int, duplex: RockerPortDuplex,
        autoneg: RockerPortAutoneg,
    ) -> None:
        self.name = name
        self.enabled = enabled
        self.link_up = link_up
        self.speed = speed
        self.duplex = duplex
        self.autoneg = autoneg


class RockerOfDpaFlowKey(Struct):
    """What a packet must have for a flow to apply."""

    __slots__ = (
        "priority", "tbl_id", "in_pport", "tunnel_id", "vlan_id", "eth_type", "eth_src", "eth_dst", "ip_proto",
        "ip_tos", "ip_dst",
    )
    _members = (
        "priority:uint32 tbl-id:uint32 in-pport*:uint32 tunnel-id*:uint32 vlan-id*:uint16 eth-type*:uint16 "
        "eth-src*:str eth-dst*:str ip-proto*:uint8 ip-tos*:uint8 ip-dst*:str"
    )

    def __init__(
        self, *, priority: int, tbl_id: int, in_pport: int | None = None, tunnel_id: int | None = None,
        vlan_id: int | None = None, eth_type: int | None = None, eth_src: str | None = None, eth_dst: str | None = None,
        ip_proto: int | None = None, ip_tos: int | None = None, ip_dst: str | None = None,
    ) -> None:
        self.priority = priority
        self.tbl_id = tbl_id
        self.in_pport = in_pport
        self.tunnel_id = tunnel_id
        self.vlan_id = vlan_id
        self.eth_type = eth_type
        self.eth_src = eth_src
        self.eth_dst = eth_dst
        self.ip_proto = ip_proto
        self.ip_tos = ip_tos
        self.ip_dst = ip_dst


class RockerOfDpaFlowMask(Struct):
    """Which bits of a flow's key count."""

    __slots__ = ("in_pport", "tunnel_id", "vlan_id", "eth_src", "eth_dst", "ip_proto", "ip_tos")
    _members = (
        "in-pport*:uint32 tunnel-id*:uint32 vlan-id*:uint16 eth-src*:str eth-dst*:str ip-proto*:uint8 ip-tos*:uint8"
    )

    def __init__(
        self, *, in_pport: int | None = None, tunnel_id: int | None = None, vlan_id: int | None = None,
        eth_src: str | None = None, eth_dst: str | None = None, ip_proto: int | None = None, ip_tos: int | None = None,
    ) -> None:
        self.in_pport = in_pport
        self.tunnel_id = tunnel_id
        self.vlan_id = vlan_id
        self.eth_src = eth_src
        self.eth_dst = eth_dst
        self.ip_proto = ip_proto
        self.ip_tos = ip_tos


class RockerOfDpaFlowAction(Struct):
    """What a flow does with a packet."""

    __slots__ = ("goto_tbl", "group_id", "tunnel_lport", "vlan_id", "new_vlan_id", "out_pport")
    _members = (
        "goto-tbl*:uint32 group-id*:uint32 tunnel-lport*:uint32 vlan-id*:uint16 new-vlan-id*:uint16 out-pport*:uint32"
    )

    def __init__(
        self, *, goto_tbl: int | None = None, group_id: int | None = None, tunnel_lport: int | None = None,
        vlan_id: int | None = None, new_vlan_id: int | None = None, out_pport: int | None = None,
    ) -> None:
        self.goto_tbl = goto_tbl
        self.group_id = group_id
        self.tunnel_lport = tunnel_lport
        self.vlan_id = vlan_id
        self.new_vlan_id = new_vlan_id
        self.out_pport = out_pport


class RockerOfDpaFlow(Struct):
    """A flow of a switch."""

    __slots__ = ("cookie", "hits", "key", "mask", "action")
    _members = "cookie:uint64 hits:uint64 key:RockerOfDpaFlowKey mask:RockerOfDpaFlowMask action:RockerOfDpaFlowAction"

    def __init__(
        self, *, cookie: int, hits: int, key: RockerOfDpaFlowKey, mask: RockerOfDpaFlowMask,
        action: RockerOfDpaFlowAction,
    ) -> None:
        self.cookie = cookie
        self.hits = hits
        self.key = key
        self.mask = mask
        self.action = action


class RockerOfDpaGroup(Struct):
    """A group of a switch: what is done with the packets that flows hand to it."""

    __slots__ = (
        "id", "type", "vlan_id", "pport", "index", "out_pport", "group_id", "set_vlan_id", "pop_vlan", "group_ids",
        "set_eth_src", "set_eth_dst", "ttl_check",
    )
    _members = (
        "id:uint32 type:uint8 vlan-id*:uint16 pport*:uint32 index*:uint32 out-pport*:uint32 group-id*:uint32 "
        "set-vlan-id*:uint16 pop-vlan*:uint8 group-ids*:[uint32] set-eth-src*:str set-eth-dst*:str ttl-check*:uint8"
    )

    def __init__(
        self, *, id: int, type: int, vlan_id: int | None = None, pport: int | None = None, index: int | None = None,
        out_pport: int | None = None, group_id: int | None = None, set_vlan_id: int | None = None,
        pop_vlan: int | None = None, group_ids: list[int] | None = None, set_eth_src: str | None = None,
        set_eth_dst: str | None = None, ttl_check: int | None = None,
    ) -> None:
        self.id = id
        self.type = type
        self.vlan_id = vlan_id
        self.pport = pport
        self.index = index
        self.out_pport = out_pport
        self.group_id = group_id
        self.set_vlan_id = set_vlan_id
        self.pop_vlan = pop_vlan
        self.group_ids = group_ids
        self.set_eth_src = set_eth_src
        self.set_eth_dst = set_eth_dst
        self.ttl_check = ttl_check


class NameInfo(Struct):
    """The guest's name."""

    __slots__ = ("name",)
    _members = "name*:str"

    def __init__(self, *, name: str | None = None) -> None:
        self.name = name


class IOThreadInfo(Struct):
    """A thread for block devices."""

    __slots__ = ("id", "thread_id", "poll_max_ns", "poll_grow", "poll_shrink", "aio_max_batch")
    _members = "id:str thread-id:int poll-max-ns:int poll-grow:int poll-shrink:int aio-max-batch:int"

    def __init__(
        self, *, id: str, thread_id: int, poll_max_ns: int, poll_grow: int, poll_shrink: int, aio_max_batch: int,
    ) -> None:
        self.id = id
        self.thread_id = thread_id
        self.poll_max_ns = poll_max_ns
        self.poll_grow = poll_grow
        self.poll_shrink = poll_shrink
        self.aio_max_batch = aio_max_batch


class AddfdInfo(Struct):
    """Where a descriptor was put."""

    __slots__ = ("fdset_id", "fd")
    _members = "fdset-id:int fd:int"

    def __init__(self, *, fdset_id: int, fd: int) -> None:
        self.fdset_id = fdset_id
        self.fd = fd


class FdsetFdInfo(Struct):
    """A descriptor in a set."""

    __slots__ = ("fd", "opaque")
    _members = "fd:int opaque*:str"

    def __init__(self, *, fd: int, opaque: str | None = None) -> None:
        self.fd = fd
        self.opaque = opaque


class FdsetInfo(Struct):
    """A set of descriptors."""

    __slots__ = ("fdset_id", "fds")
    _members = "fdset-id:int fds:[FdsetFdInfo]"

    def __init__(self, *, fdset_id: int, fds: list[FdsetFdInfo]) -> None:
        self.fdset_id = fdset_id
        self.fds = fds


class CommandLineParameterInfo(Struct):
    """A parameter of an option."""

    __slots__ = ("name", "type", "help", "default")
    _members = "name:str type:CommandLineParameterType help*:str default*:str"

    def __init__(
        self, *, name: str, type: CommandLineParameterType, help: str | None = None, default: str | None = None,
    ) -> None:
        self.name = name
        self.type = type
        self.help = help
        self.default = default


class CommandLineOptionInfo(Struct):
    """A command line option."""

    __slots__ = ("option", "parameters")
    _members = "option:str parameters:[CommandLineParameterInfo]"

    def __init__(self, *, option: str, parameters: list[CommandLineParameterInfo]) -> None:
        self.option = option
        self.parameters = parameters


class SchemaInfo_builtin(Struct):
    """SchemaInfo whose meta-type is 'builtin'."""

    _tag = "meta-type"
    meta_type: Final = SchemaMetaType.BUILTIN
    __slots__ = ("name", "features", "json_type")
    _members = "name:str features*:[str] json-type:JSONType"

    def __init__(self, *, name: str, features: list[str] | None = None, json_type: JSONType) -> None:
        self.name = name
        self.features = features
        self.json_type = json_type


class SchemaInfo_enum(Struct):
    """SchemaInfo whose meta-type is 'enum'."""

    _tag = "meta-type"
    meta_type: Final = SchemaMetaType.ENUM
    __slots__ = ("name", "features", "members", "values")
    _members = "name:str features*:[str] members:[SchemaInfoEnumMember] values:[str]"

    def __init__(
        self, *, name: str, features: list[str] | None = None, members: list[SchemaInfoEnumMember], values: list[str],
    ) -> None:
        self.name = name
        self.features = features
        self.members = members
        self.values = values


class SchemaInfo_array(Struct):
    """SchemaInfo whose meta-type is 'array'."""

    _tag = "meta-type"
    meta_type: Final = SchemaMetaType.ARRAY
    __slots__ = ("name", "features", "element_type")
    _members = "name:str features*:[str] element-type:str"

    def __init__(self, *, name: str, features: list[str] | None = None, element_type: str) -> None:
        self.name = name
        self.features = features
        self.element_type = element_type


class SchemaInfo_object(Struct):
    """SchemaInfo whose meta-type is 'object'."""

    _tag = "meta-type"
    meta_type: Final = SchemaMetaType.OBJECT
    __slots__ = ("name", "features", "members", "tag", "variants")
    _members = "name:str features*:[str] members:[SchemaInfoObjectMember] tag*:str variants*:[SchemaInfoObjectVariant]"

    def __init__(
        self, *, name: str, features: list[str] | None = None, members: list[SchemaInfoObjectMember],
        tag: str | None = None, variants: list[SchemaInfoObjectVariant] | None = None,
    ) -> None:
        self.name = name
        self.features = features
        self.members = members
        self.tag = tag
        self.variants = variants


class SchemaInfo_alternate(Struct):
    """SchemaInfo whose meta-type is 'alternate'."""

    _tag = "meta-type"
    meta_type: Final = SchemaMetaType.ALTERNATE
    __slots__ = ("name", "features", "members")
    _members = "name:str features*:[str] members:[SchemaInfoAlternateMember]"

    def __init__(
        self, *, name: str, features: list[str] | None = None, members: list[SchemaInfoAlternateMember],
    ) -> None:
        self.name = name
        self.features = features
        self.members = members


class SchemaInfo_command(Struct):
    """SchemaInfo whose meta-type is 'command'."""

    _tag = "meta-type"
    meta_type: Final = SchemaMetaType.COMMAND
    __slots__ = ("name", "features", "arg_type", "ret_type", "allow_oob")
    _members = "name:str features*:[str] arg-type:str ret-type:str allow-oob*:bool"

    def __init__(
        self, *, name: str, features: list[str] | None = None, arg_type: str, ret_type: str,
        allow_oob: bool | None = None,
    ) -> None:
        self.name = name
        self.features = features
        self.arg_type = arg_type
        self.ret_type = ret_type
        self.allow_oob = allow_oob


class SchemaInfo_event(Struct):
    """SchemaInfo whose meta-type is 'event'."""

    _tag = "meta-type"
    meta_type: Final = SchemaMetaType.EVENT
    __slots__ = ("name", "features", "arg_type")
    _members = "name:str features*:[str] arg-type:str"

    def __init__(self, *, name: str, features: list[str] | None = None, arg_type: str) -> None:
        self.name = name
        self.features = features
        self.arg_type = arg_type


class GuestPanicInformation_hyper_v(Struct):
    """GuestPanicInformation whose type is 'hyper-v'."""

    _tag = "type"
    type: Final = GuestPanicInformationType.HYPER_V
    __slots__ = ("arg1", "arg2", "arg3", "arg4", "arg5")
    _members = "arg1:uint64 arg2:uint64 arg3:uint64 arg4:uint64 arg5:uint64"

    def __init__(self, *, arg1: int, arg2: int, arg3: int, arg4: int, arg5: int) -> None:
        self.arg1 = arg1
        self.arg2 = arg2
        self.arg3 = arg3
        self.arg4 = arg4
        self.arg5 = arg5


class GuestPanicInformation_s390(Struct):
    """GuestPanicInformation whose type is 's390'."""

    _tag = "type"
    type: Final = GuestPanicInformationType.S390
    __slots__ = ("core", "psw_mask", "psw_addr", "reason")
    _members = "core:uint32 psw-mask:uint64 psw-addr:uint64 reason:S390CrashReason"

    def __init__(self, *, core: int, psw_mask: int, psw_addr: int, reason: S390CrashReason) -> None:
        self.core = core
        self.psw_mask = psw_mask
        self.psw_addr = psw_addr
        self.reason = reason


class SocketAddress_inet(Struct):
    """SocketAddress whose type is 'inet'."""

    _tag = "type"
    type: Final = SocketAddressKind.INET
    __slots__ = ("data",)
    _members = "data:InetSocketAddress"

    def __init__(self, *, data: InetSocketAddress) -> None:
        self.data = data


class SocketAddress_unix(Struct):
    """SocketAddress whose type is 'unix'."""

    _tag = "type"
    type: Final = SocketAddressKind.UNIX
    __slots__ = ("data",)
    _members = "data:UnixSocketAddress"

    def __init__(self, *, data: UnixSocketAddress) -> None:
        self.data = data


class SocketAddress_vsock(Struct):
    """SocketAddress whose type is 'vsock'."""

    _tag = "type"
    type: Final = SocketAddressKind.VSOCK
    __slots__ = ("data",)
    _members = "data:VsockSocketAddress"

    def __init__(self, *, data: VsockSocketAddress) -> None:
        self.data = data


class SocketAddress_fd(Struct):
    """SocketAddress whose type is 'fd'."""

    _tag = "type"
    type: Final = SocketAddressKind.FD
    __slots__ = ("data",)
    _members = "data:String"

    def __init__(self, *, data: String) -> None:
        self.data = data


class SocketAddressFlat_inet(Struct):
    """SocketAddressFlat whose type is 'inet'."""

    _tag = "type"
    type: Final = SocketAddressType.INET
    __slots__ = ("host", "port", "numeric", "to", "ipv4", "ipv6", "keep_alive")
    _members = "host:str port:str numeric*:bool to*:uint16 ipv4*:bool ipv6*:bool keep-alive*:bool"

    def __init__(
        self, *, host: str, port: str, numeric: bool | None = None, to: int | None = None, ipv4: bool | None = None,
        ipv6: bool | None = None, keep_alive: bool | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.numeric = numeric
        self.to = to
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.keep_alive = keep_alive


class SocketAddressFlat_unix(Struct):
    """SocketAddressFlat whose type is 'unix'."""

    _tag = "type"
    type: Final = SocketAddressType.UNIX
    __slots__ = ("path", "abstract", "tight")
    _members = "path:str abstract*:bool tight*:bool"

    def __init__(self, *, path: str, abstract: bool | None = None, tight: bool | None = None) -> None:
        self.path = path
        self.abstract = abstract
        self.tight = tight


class SocketAddressFlat_vsock(Struct):
    """SocketAddressFlat whose type is 'vsock'."""

    _tag = "type"
    type: Final = SocketAddressType.VSOCK
    __slots__ = ("cid", "port")
    _members = "cid:str port:str"

    def __init__(self, *, cid: str, port: str) -> None:
        self.cid = cid
        self.port = port


class SocketAddressFlat_fd(Struct):
    """SocketAddressFlat whose type is 'fd'."""

    _tag = "type"
    type: Final = SocketAddressType.FD
    __slots__ = ("str",)
    _members = "str:str"

    def __init__(self, *, str: str) -> None:
        self.str = str


class QCryptoBlockOpenOptions_qcow(Struct):
    """QCryptoBlockOpenOptions whose format is 'qcow'."""

    _tag = "format"
    format: Final = QCryptoBlockFormat.QCOW
    __slots__ = ("key_secret",)
    _members = "key-secret*:str"

    def __init__(self, *, key_secret: str | None = None) -> None:
        self.key_secret = key_secret


class QCryptoBlockOpenOptions_luks(Struct):
    """QCryptoBlockOpenOptions whose format is 'luks'."""

    _tag = "format"
    format: Final = QCryptoBlockFormat.LUKS
    __slots__ = ("key_secret",)
    _members = "key-secret*:str"

    def __init__(self, *, key_secret: str | None = None) -> None:
        self.key_secret = key_secret


class QCryptoBlockCreateOptions_qcow(Struct):
    """QCryptoBlockCreateOptions whose format is 'qcow'."""

    _tag = "format"
    format: Final = QCryptoBlockFormat.QCOW
    __slots__ = ("key_secret",)
    _members = "key-secret*:str"

    def __init__(self, *, key_secret: str | None = None) -> None:
        self.key_secret = key_secret


class QCryptoBlockCreateOptions_luks(Struct):
    """QCryptoBlockCreateOptions whose format is 'luks'."""

    _tag = "format"
    format: Final = QCryptoBlockFormat.LUKS
    __slots__ = ("key_secret", "cipher_alg", "cipher_mode", "ivgen_alg", "ivgen_hash_alg", "hash_alg", "iter_time")
    _members = (
        "key-secret*:str cipher-alg*:QCryptoCipherAlgorithm cipher-mode*:QCryptoCipherMode "
        "ivgen-alg*:QCryptoIVGenAlgorithm ivgen-hash-alg*:QCryptoHashAlgorithm hash-alg*:QCryptoHashAlgorithm "
        "iter-time*:int"
    )

    def __init__(
        self, *, key_secret: str | None = None, cipher_alg: QCryptoCipherAlgorithm | None = None,
        cipher_mode: QCryptoCipherMode | None = None, ivgen_alg: QCryptoIVGenAlgorithm | None = None,
        ivgen_hash_alg: QCryptoHashAlgorithm | None = None, hash_alg: QCryptoHashAlgorithm | None = None,
        iter_time: int | None = None,
    ) -> None:
        self.key_secret = key_secret
        self.cipher_alg = cipher_alg
        self.cipher_mode = cipher_mode
        self.ivgen_alg = ivgen_alg
        self.ivgen_hash_alg = ivgen_hash_alg
        self.hash_alg = hash_alg
        self.iter_time = iter_time


class ImageInfoSpecific_qcow2(Struct):
    """ImageInfoSpecific whose type is 'qcow2'."""

    _tag = "type"
    type: Final = ImageInfoSpecificKind.QCOW2
    __slots__ = ("data",)
    _members = "data:ImageInfoSpecificQCow2"

    def __init__(self, *, data: ImageInfoSpecificQCow2) -> None:
        self.data = data


class ImageInfoSpecific_vmdk(Struct):
    """ImageInfoSpecific whose type is 'vmdk'."""

    _tag = "type"
    type: Final = ImageInfoSpecificKind.VMDK
    __slots__ = ("data",)
    _members = "data:ImageInfoSpecificVmdk"

    def __init__(self, *, data: ImageInfoSpecificVmdk) -> None:
        self.data = data


class BlockdevQcow2Encryption_aes(Struct):
    """BlockdevQcow2Encryption whose format is 'aes'."""

    _tag = "format"
    format: Final = BlockdevQcow2EncryptionFormat.AES
    __slots__ = ("key_secret",)
    _members = "key-secret*:str"

    def __init__(self, *, key_secret: str | None = None) -> None:
        self.key_secret = key_secret


class BlockdevQcow2Encryption_luks(Struct):
    """BlockdevQcow2Encryption whose format is 'luks'."""

    _tag = "format"
    format: Final = BlockdevQcow2EncryptionFormat.LUKS
    __slots__ = ("key_secret",)
    _members = "key-secret*:str"

    def __init__(self, *, key_secret: str | None = None) -> None:
        self.key_secret = key_secret


class BlockdevOptions_archipelago(Struct):
    """BlockdevOptions whose driver is 'archipelago'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.ARCHIPELAGO
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "volume", "mport", "vport",
        "segment",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions volume:str mport*:int vport*:int segment*:str"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, volume: str, mport: int | None = None,
        vport: int | None = None, segment: str | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.volume = volume
        self.mport = mport
        self.vport = vport
        self.segment = segment


class BlockdevOptions_blkdebug(Struct):
    """BlockdevOptions whose driver is 'blkdebug'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.BLKDEBUG
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "image", "config", "align",
        "inject_error", "set_state",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions image:BlockdevRef config*:str align*:int "
        "inject-error*:[BlkdebugInjectErrorOptions] set-state*:[BlkdebugSetStateOptions]"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, image: BlockdevRef, config: str | None = None,
        align: int | None = None, inject_error: list[BlkdebugInjectErrorOptions] | None = None,
        set_state: list[BlkdebugSetStateOptions] | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.image = image
        self.config = config
        self.align = align
        self.inject_error = inject_error
        self.set_state = set_state


class BlockdevOptions_blkverify(Struct):
    """BlockdevOptions whose driver is 'blkverify'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.BLKVERIFY
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "test", "raw",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions test:BlockdevRef raw:BlockdevRef"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, test: BlockdevRef, raw: BlockdevRef,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.test = test
        self.raw = raw


class BlockdevOptions_bochs(Struct):
    """BlockdevOptions whose driver is 'bochs'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.BOCHS
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file


class BlockdevOptions_cloop(Struct):
    """BlockdevOptions whose driver is 'cloop'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.CLOOP
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file


class BlockdevOptions_copy_on_read(Struct):
    """BlockdevOptions whose driver is 'copy-on-read'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.COPY_ON_READ
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file", "bottom",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef bottom*:str"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef, bottom: str | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file
        self.bottom = bottom


class BlockdevOptions_dmg(Struct):
    """BlockdevOptions whose driver is 'dmg'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.DMG
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file


class BlockdevOptions_file(Struct):
    """BlockdevOptions whose driver is 'file'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.FILE
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "filename", "locking",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions filename:str locking*:OnOffAuto"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, filename: str, locking: OnOffAuto | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.filename = filename
        self.locking = locking


class BlockdevOptions_ftp(Struct):
    """BlockdevOptions whose driver is 'ftp'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.FTP
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "url", "filename",
        "readahead", "timeout", "username", "password_secret", "proxy_username", "proxy_password_secret", "sslverify",
        "cookie", "cookie_secret",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions url*:str filename*:str readahead*:int timeout*:int username*:str "
        "password-secret*:str proxy-username*:str proxy-password-secret*:str sslverify*:bool cookie*:str "
        "cookie-secret*:str"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, url: str | None = None, filename: str | None = None,
        readahead: int | None = None, timeout: int | None = None, username: str | None = None,
        password_secret: str | None = None, proxy_username: str | None = None, proxy_password_secret: str | None = None,
        sslverify: bool | None = None, cookie: str | None = None, cookie_secret: str | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.url = url
        self.filename = filename
        self.readahead = readahead
        self.timeout = timeout
        self.username = username
        self.password_secret = password_secret
        self.proxy_username = proxy_username
        self.proxy_password_secret = proxy_password_secret
        self.sslverify = sslverify
        self.cookie = cookie
        self.cookie_secret = cookie_secret


class BlockdevOptions_ftps(Struct):
    """BlockdevOptions whose driver is 'ftps'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.FTPS
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "url", "filename",
        "readahead", "timeout", "username", "password_secret", "proxy_username", "proxy_password_secret", "sslverify",
        "cookie", "cookie_secret",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions url*:str filename*:str readahead*:int timeout*:int username*:str "
        "password-secret*:str proxy-username*:str proxy-password-secret*:str sslverify*:bool cookie*:str "
        "cookie-secret*:str"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, url: str | None = None, filename: str | None = None,
        readahead: int | None = None, timeout: int | None = None, username: str | None = None,
        password_secret: str | None = None, proxy_username: str | None = None, proxy_password_secret: str | None = None,
        sslverify: bool | None = None, cookie: str | None = None, cookie_secret: str | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.url = url
        self.filename = filename
        self.readahead = readahead
        self.timeout = timeout
        self.username = username
        self.password_secret = password_secret
        self.proxy_username = proxy_username
        self.proxy_password_secret = proxy_password_secret
        self.sslverify = sslverify
        self.cookie = cookie
        self.cookie_secret = cookie_secret


class BlockdevOptions_host_cdrom(Struct):
    """BlockdevOptions whose driver is 'host_cdrom'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.HOST_CDROM
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "filename", "locking",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions filename:str locking*:OnOffAuto"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, filename: str, locking: OnOffAuto | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.filename = filename
        self.locking = locking


class BlockdevOptions_host_device(Struct):
    """BlockdevOptions whose driver is 'host_device'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.HOST_DEVICE
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "filename", "locking",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions filename:str locking*:OnOffAuto"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, filename: str, locking: OnOffAuto | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.filename = filename
        self.locking = locking


class BlockdevOptions_http(Struct):
    """BlockdevOptions whose driver is 'http'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.HTTP
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "url", "filename",
        "readahead", "timeout", "username", "password_secret", "proxy_username", "proxy_password_secret", "sslverify",
        "cookie", "cookie_secret",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions url*:str filename*:str readahead*:int timeout*:int username*:str "
        "password-secret*:str proxy-username*:str proxy-password-secret*:str sslverify*:bool cookie*:str "
        "cookie-secret*:str"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, url: str | None = None, filename: str | None = None,
        readahead: int | None = None, timeout: int | None = None, username: str | None = None,
        password_secret: str | None = None, proxy_username: str | None = None, proxy_password_secret: str | None = None,
        sslverify: bool | None = None, cookie: str | None = None, cookie_secret: str | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.url = url
        self.filename = filename
        self.readahead = readahead
        self.timeout = timeout
        self.username = username
        self.password_secret = password_secret
        self.proxy_username = proxy_username
        self.proxy_password_secret = proxy_password_secret
        self.sslverify = sslverify
        self.cookie = cookie
        self.cookie_secret = cookie_secret


class BlockdevOptions_https(Struct):
    """BlockdevOptions whose driver is 'https'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.HTTPS
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "url", "filename",
        "readahead", "timeout", "username", "password_secret", "proxy_username", "proxy_password_secret", "sslverify",
        "cookie", "cookie_secret",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions url*:str filename*:str readahead*:int timeout*:int username*:str "
        "password-secret*:str proxy-username*:str proxy-password-secret*:str sslverify*:bool cookie*:str "
        "cookie-secret*:str"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, url: str | None = None, filename: str | None = None,
        readahead: int | None = None, timeout: int | None = None, username: str | None = None,
        password_secret: str | None = None, proxy_username: str | None = None, proxy_password_secret: str | None = None,
        sslverify: bool | None = None, cookie: str | None = None, cookie_secret: str | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.url = url
        self.filename = filename
        self.readahead = readahead
        self.timeout = timeout
        self.username = username
        self.password_secret = password_secret
        self.proxy_username = proxy_username
        self.proxy_password_secret = proxy_password_secret
        self.sslverify = sslverify
        self.cookie = cookie
        self.cookie_secret = cookie_secret


class BlockdevOptions_luks(Struct):
    """BlockdevOptions whose driver is 'luks'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.LUKS
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file", "key_secret",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef key-secret*:str"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef, key_secret: str | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file
        self.key_secret = key_secret


class BlockdevOptions_nbd(Struct):
    """BlockdevOptions whose driver is 'nbd'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.NBD
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "server", "export",
        "tls_creds", "tls_hostname", "reconnect_delay", "open_timeout",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions server:SocketAddressFlat export*:str tls-creds*:str "
        "tls-hostname*:str reconnect-delay*:uint32 open-timeout*:uint32"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, server: SocketAddressFlat, export: str | None = None,
        tls_creds: str | None = None, tls_hostname: str | None = None, reconnect_delay: int | None = None,
        open_timeout: int | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.server = server
        self.export = export
        self.tls_creds = tls_creds
        self.tls_hostname = tls_hostname
        self.reconnect_delay = reconnect_delay
        self.open_timeout = open_timeout


class BlockdevOptions_null_aio(Struct):
    """BlockdevOptions whose driver is 'null-aio'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.NULL_AIO
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "size", "latency_ns",
        "read_zeroes",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions size*:int latency-ns*:uint64 read-zeroes*:bool"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, size: int | None = None,
        latency_ns: int | None = None, read_zeroes: bool | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.size = size
        self.latency_ns = latency_ns
        self.read_zeroes = read_zeroes


class BlockdevOptions_null_co(Struct):
    """BlockdevOptions whose driver is 'null-co'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.NULL_CO
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "size", "latency_ns",
        "read_zeroes",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions size*:int latency-ns*:uint64 read-zeroes*:bool"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, size: int | None = None,
        latency_ns: int | None = None, read_zeroes: bool | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.size = size
        self.latency_ns = latency_ns
        self.read_zeroes = read_zeroes


class BlockdevOptions_parallels(Struct):
    """BlockdevOptions whose driver is 'parallels'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.PARALLELS
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file


class BlockdevOptions_qcow2(Struct):
    """BlockdevOptions whose driver is 'qcow2'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.QCOW2
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file", "backing",
        "lazy_refcounts", "pass_discard_request", "pass_discard_snapshot", "pass_discard_other", "overlap_check",
        "cache_size", "l2_cache_size", "l2_cache_entry_size", "refcount_cache_size", "cache_clean_interval", "encrypt",
        "data_file",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef backing*:BlockdevRefOrNull lazy-refcounts*:bool "
        "pass-discard-request*:bool pass-discard-snapshot*:bool pass-discard-other*:bool "
        "overlap-check*:Qcow2OverlapChecks cache-size*:int l2-cache-size*:int l2-cache-entry-size*:int "
        "refcount-cache-size*:int cache-clean-interval*:int encrypt*:BlockdevQcow2Encryption data-file*:BlockdevRef"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
        backing: BlockdevRefOrNull | None = None, lazy_refcounts: bool | None = None,
        pass_discard_request: bool | None = None, pass_discard_snapshot: bool | None = None,
        pass_discard_other: bool | None = None, overlap_check: Qcow2OverlapChecks | None = None,
        cache_size: int | None = None, l2_cache_size: int | None = None, l2_cache_entry_size: int | None = None,
        refcount_cache_size: int | None = None, cache_clean_interval: int | None = None,
        encrypt: BlockdevQcow2Encryption | None = None, data_file: BlockdevRef | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file
        self.backing = backing
        self.lazy_refcounts = lazy_refcounts
        self.pass_discard_request = pass_discard_request
        self.pass_discard_snapshot = pass_discard_snapshot
        self.pass_discard_other = pass_discard_other
        self.overlap_check = overlap_check
        self.cache_size = cache_size
        self.l2_cache_size = l2_cache_size
        self.l2_cache_entry_size = l2_cache_entry_size
        self.refcount_cache_size = refcount_cache_size
        self.cache_clean_interval = cache_clean_interval
        self.encrypt = encrypt
        self.data_file = data_file


class BlockdevOptions_qcow(Struct):
    """BlockdevOptions whose driver is 'qcow'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.QCOW
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file", "backing",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef backing*:BlockdevRefOrNull"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
        backing: BlockdevRefOrNull | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file
        self.backing = backing


class BlockdevOptions_qed(Struct):
    """BlockdevOptions whose driver is 'qed'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.QED
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file", "backing",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef backing*:BlockdevRefOrNull"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
        backing: BlockdevRefOrNull | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file
        self.backing = backing


class BlockdevOptions_quorum(Struct):
    """BlockdevOptions whose driver is 'quorum'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.QUORUM
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "blkverify", "children",
        "vote_threshold", "rewrite_corrupted", "read_pattern",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions blkverify*:bool children:[BlockdevRef] vote-threshold:int "
        "rewrite-corrupted*:bool read-pattern*:QuorumReadPattern"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, blkverify: bool | None = None,
        children: list[BlockdevRef], vote_threshold: int, rewrite_corrupted: bool | None = None,
        read_pattern: QuorumReadPattern | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.blkverify = blkverify
        self.children = children
        self.vote_threshold = vote_threshold
        self.rewrite_corrupted = rewrite_corrupted
        self.read_pattern = read_pattern


class BlockdevOptions_raw(Struct):
    """BlockdevOptions whose driver is 'raw'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.RAW
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file", "offset", "size",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef offset*:int size*:int"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef, offset: int | None = None,
        size: int | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file
        self.offset = offset
        self.size = size


class BlockdevOptions_tftp(Struct):
    """BlockdevOptions whose driver is 'tftp'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.TFTP
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "url", "filename",
        "readahead", "timeout", "username", "password_secret", "proxy_username", "proxy_password_secret", "sslverify",
        "cookie", "cookie_secret",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions url*:str filename*:str readahead*:int timeout*:int username*:str "
        "password-secret*:str proxy-username*:str proxy-password-secret*:str sslverify*:bool cookie*:str "
        "cookie-secret*:str"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, url: str | None = None, filename: str | None = None,
        readahead: int | None = None, timeout: int | None = None, username: str | None = None,
        password_secret: str | None = None, proxy_username: str | None = None, proxy_password_secret: str | None = None,
        sslverify: bool | None = None, cookie: str | None = None, cookie_secret: str | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.url = url
        self.filename = filename
        self.readahead = readahead
        self.timeout = timeout
        self.username = username
        self.password_secret = password_secret
        self.proxy_username = proxy_username
        self.proxy_password_secret = proxy_password_secret
        self.sslverify = sslverify
        self.cookie = cookie
        self.cookie_secret = cookie_secret


class BlockdevOptions_throttle(Struct):
    """BlockdevOptions whose driver is 'throttle'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.THROTTLE
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "throttle_group", "file",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions throttle-group:str file:BlockdevRef"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, throttle_group: str, file: BlockdevRef,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.throttle_group = throttle_group
        self.file = file


class BlockdevOptions_vdi(Struct):
    """BlockdevOptions whose driver is 'vdi'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.VDI
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file


class BlockdevOptions_vhdx(Struct):
    """BlockdevOptions whose driver is 'vhdx'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.VHDX
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file


class BlockdevOptions_vmdk(Struct):
    """BlockdevOptions whose driver is 'vmdk'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.VMDK
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file", "backing",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef backing*:BlockdevRefOrNull"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
        backing: BlockdevRefOrNull | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file
        self.backing = backing


class BlockdevOptions_vpc(Struct):
    """BlockdevOptions whose driver is 'vpc'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.VPC
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "file",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions file:BlockdevRef"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, file: BlockdevRef,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.file = file


class BlockdevOptions_vvfat(Struct):
    """BlockdevOptions whose driver is 'vvfat'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.VVFAT
    __slots__ = (
        "id", "node_name", "discard", "cache", "aio", "rerror", "werror", "read_only", "auto_read_only", "force_share",
        "stats_account_invalid", "stats_account_failed", "stats_intervals", "detect_zeroes", "dir", "fat_type",
        "floppy", "label", "rw",
    )
    _members = (
        "id*:str node-name*:str discard*:BlockdevDiscardOptions cache*:BlockdevCacheOptions aio*:BlockdevAioOptions "
        "rerror*:BlockdevOnError werror*:BlockdevOnError read-only*:bool auto-read-only*:bool force-share*:bool "
        "stats-account-invalid*:bool stats-account-failed*:bool stats-intervals*:[int] "
        "detect-zeroes*:BlockdevDetectZeroesOptions dir:str fat-type*:int floppy*:bool label*:str rw*:bool"
    )

    def __init__(
        self, *, id: str | None = None, node_name: str | None = None, discard: BlockdevDiscardOptions | None = None,
        cache: BlockdevCacheOptions | None = None, aio: BlockdevAioOptions | None = None,
        rerror: BlockdevOnError | None = None, werror: BlockdevOnError | None = None, read_only: bool | None = None,
        auto_read_only: bool | None = None, force_share: bool | None = None, stats_account_invalid: bool | None = None,
        stats_account_failed: bool | None = None, stats_intervals: list[int] | None = None,
        detect_zeroes: BlockdevDetectZeroesOptions | None = None, dir: str, fat_type: int | None = None,
        floppy: bool | None = None, label: str | None = None, rw: bool | None = None,
    ) -> None:
        self.id = id
        self.node_name = node_name
        self.discard = discard
        self.cache = cache
        self.aio = aio
        self.rerror = rerror
        self.werror = werror
        self.read_only = read_only
        self.auto_read_only = auto_read_only
        self.force_share = force_share
        self.stats_account_invalid = stats_account_invalid
        self.stats_account_failed = stats_account_failed
        self.stats_intervals = stats_intervals
        self.detect_zeroes = detect_zeroes
        self.dir = dir
        self.fat_type = fat_type
        self.floppy = floppy
        self.label = label
        self.rw = rw


class BlockdevCreateOptions_file(Struct):
    """BlockdevCreateOptions whose driver is 'file'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.FILE
    __slots__ = ("filename", "size", "preallocation", "nocow")
    _members = "filename:str size:size preallocation*:PreallocMode nocow*:bool"

    def __init__(
        self, *, filename: str, size: int, preallocation: PreallocMode | None = None, nocow: bool | None = None,
    ) -> None:
        self.filename = filename
        self.size = size
        self.preallocation = preallocation
        self.nocow = nocow


class BlockdevCreateOptions_luks(Struct):
    """BlockdevCreateOptions whose driver is 'luks'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.LUKS
    __slots__ = (
        "key_secret", "cipher_alg", "cipher_mode", "ivgen_alg", "ivgen_hash_alg", "hash_alg", "iter_time", "file",
        "size", "preallocation",
    )
    _members = (
        "key-secret*:str cipher-alg*:QCryptoCipherAlgorithm cipher-mode*:QCryptoCipherMode "
        "ivgen-alg*:QCryptoIVGenAlgorithm ivgen-hash-alg*:QCryptoHashAlgorithm hash-alg*:QCryptoHashAlgorithm "
        "iter-time*:int file:BlockdevRef size:size preallocation*:PreallocMode"
    )

    def __init__(
        self, *, key_secret: str | None = None, cipher_alg: QCryptoCipherAlgorithm | None = None,
        cipher_mode: QCryptoCipherMode | None = None, ivgen_alg: QCryptoIVGenAlgorithm | None = None,
        ivgen_hash_alg: QCryptoHashAlgorithm | None = None, hash_alg: QCryptoHashAlgorithm | None = None,
        iter_time: int | None = None, file: BlockdevRef, size: int, preallocation: PreallocMode | None = None,
    ) -> None:
        self.key_secret = key_secret
        self.cipher_alg = cipher_alg
        self.cipher_mode = cipher_mode
        self.ivgen_alg = ivgen_alg
        self.ivgen_hash_alg = ivgen_hash_alg
        self.hash_alg = hash_alg
        self.iter_time = iter_time
        self.file = file
        self.size = size
        self.preallocation = preallocation


class BlockdevCreateOptions_parallels(Struct):
    """BlockdevCreateOptions whose driver is 'parallels'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.PARALLELS
    __slots__ = ("file", "size", "cluster_size")
    _members = "file:BlockdevRef size:size cluster-size*:size"

    def __init__(self, *, file: BlockdevRef, size: int, cluster_size: int | None = None) -> None:
        self.file = file
        self.size = size
        self.cluster_size = cluster_size


class BlockdevCreateOptions_qcow(Struct):
    """BlockdevCreateOptions whose driver is 'qcow'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.QCOW
    __slots__ = ("file", "size", "backing_file", "encrypt")
    _members = "file:BlockdevRef size:size backing-file*:str encrypt*:QCryptoBlockCreateOptions"

    def __init__(
        self, *, file: BlockdevRef, size: int, backing_file: str | None = None,
        encrypt: QCryptoBlockCreateOptions | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.backing_file = backing_file
        self.encrypt = encrypt


class BlockdevCreateOptions_qcow2(Struct):
    """BlockdevCreateOptions whose driver is 'qcow2'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.QCOW2
    __slots__ = (
        "file", "data_file", "data_file_raw", "size", "version", "backing_file", "backing_fmt", "encrypt",
        "cluster_size", "preallocation", "lazy_refcounts", "refcount_bits",
    )
    _members = (
        "file:BlockdevRef data-file*:BlockdevRef data-file-raw*:bool size:size version*:BlockdevQcow2Version "
        "backing-file*:str backing-fmt*:BlockdevDriver encrypt*:QCryptoBlockCreateOptions cluster-size*:size "
        "preallocation*:PreallocMode lazy-refcounts*:bool refcount-bits*:int"
    )

    def __init__(
        self, *, file: BlockdevRef, data_file: BlockdevRef | None = None, data_file_raw: bool | None = None, size: int,
        version: BlockdevQcow2Version | None = None, backing_file: str | None = None,
        backing_fmt: BlockdevDriver | None = None, encrypt: QCryptoBlockCreateOptions | None = None,
        cluster_size: int | None = None, preallocation: PreallocMode | None = None, lazy_refcounts: bool | None = None,
        refcount_bits: int | None = None,
    ) -> None:
        self.file = file
        self.data_file = data_file
        self.data_file_raw = data_file_raw
        self.size = size
        self.version = version
        self.backing_file = backing_file
        self.backing_fmt = backing_fmt
        self.encrypt = encrypt
        self.cluster_size = cluster_size
        self.preallocation = preallocation
        self.lazy_refcounts = lazy_refcounts
        self.refcount_bits = refcount_bits


class BlockdevCreateOptions_qed(Struct):
    """BlockdevCreateOptions whose driver is 'qed'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.QED
    __slots__ = ("file", "size", "backing_file", "backing_fmt", "cluster_size", "table_size")
    _members = (
        "file:BlockdevRef size:size backing-file*:str backing-fmt*:BlockdevDriver cluster-size*:size table-size*:int"
    )

    def __init__(
        self, *, file: BlockdevRef, size: int, backing_file: str | None = None,
        backing_fmt: BlockdevDriver | None = None, cluster_size: int | None = None, table_size: int | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.backing_file = backing_file
        self.backing_fmt = backing_fmt
        self.cluster_size = cluster_size
        self.table_size = table_size


class BlockdevCreateOptions_vdi(Struct):
    """BlockdevCreateOptions whose driver is 'vdi'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.VDI
    __slots__ = ("file", "size", "preallocation")
    _members = "file:BlockdevRef size:size preallocation*:PreallocMode"

    def __init__(self, *, file: BlockdevRef, size: int, preallocation: PreallocMode | None = None) -> None:
        self.file = file
        self.size = size
        self.preallocation = preallocation


class BlockdevCreateOptions_vhdx(Struct):
    """BlockdevCreateOptions whose driver is 'vhdx'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.VHDX
    __slots__ = ("file", "size", "log_size", "block_size", "subformat", "block_state_zero")
    _members = (
        "file:BlockdevRef size:size log-size*:size block-size*:size subformat*:BlockdevVhdxSubformat "
        "block-state-zero*:bool"
    )

    def __init__(
        self, *, file: BlockdevRef, size: int, log_size: int | None = None, block_size: int | None = None,
        subformat: BlockdevVhdxSubformat | None = None, block_state_zero: bool | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.log_size = log_size
        self.block_size = block_size
        self.subformat = subformat
        self.block_state_zero = block_state_zero


class BlockdevCreateOptions_vmdk(Struct):
    """BlockdevCreateOptions whose driver is 'vmdk'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.VMDK
    __slots__ = (
        "file", "size", "extents", "subformat", "backing_file", "adapter_type", "hwversion", "toolsversion",
        "zeroed_grain",
    )
    _members = (
        "file:BlockdevRef size:size extents*:[BlockdevRef] subformat*:BlockdevVmdkSubformat backing-file*:str "
        "adapter-type*:BlockdevVmdkAdapterType hwversion*:str toolsversion*:str zeroed-grain*:bool"
    )

    def __init__(
        self, *, file: BlockdevRef, size: int, extents: list[BlockdevRef] | None = None,
        subformat: BlockdevVmdkSubformat | None = None, backing_file: str | None = None,
        adapter_type: BlockdevVmdkAdapterType | None = None, hwversion: str | None = None,
        toolsversion: str | None = None, zeroed_grain: bool | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.extents = extents
        self.subformat = subformat
        self.backing_file = backing_file
        self.adapter_type = adapter_type
        self.hwversion = hwversion
        self.toolsversion = toolsversion
        self.zeroed_grain = zeroed_grain


class BlockdevCreateOptions_vpc(Struct):
    """BlockdevCreateOptions whose driver is 'vpc'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.VPC
    __slots__ = ("file", "size", "subformat", "force_size")
    _members = "file:BlockdevRef size:size subformat*:BlockdevVpcSubformat force-size*:bool"

    def __init__(
        self, *, file: BlockdevRef, size: int, subformat: BlockdevVpcSubformat | None = None,
        force_size: bool | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.subformat = subformat
        self.force_size = force_size


class BlockdevCreateOptions_archipelago(Struct):
    """BlockdevCreateOptions whose driver is 'archipelago'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.ARCHIPELAGO
    __slots__ = ()


class BlockdevCreateOptions_blkdebug(Struct):
    """BlockdevCreateOptions whose driver is 'blkdebug'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.BLKDEBUG
    __slots__ = ()


class BlockdevCreateOptions_blkverify(Struct):
    """BlockdevCreateOptions whose driver is 'blkverify'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.BLKVERIFY
    __slots__ = ()


class BlockdevCreateOptions_bochs(Struct):
    """BlockdevCreateOptions whose driver is 'bochs'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.BOCHS
    __slots__ = ()


class BlockdevCreateOptions_cloop(Struct):
    """BlockdevCreateOptions whose driver is 'cloop'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.CLOOP
    __slots__ = ()


class BlockdevCreateOptions_copy_on_read(Struct):
    """BlockdevCreateOptions whose driver is 'copy-on-read'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.COPY_ON_READ
    __slots__ = ()


class BlockdevCreateOptions_dmg(Struct):
    """BlockdevCreateOptions whose driver is 'dmg'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.DMG
    __slots__ = ()


class BlockdevCreateOptions_ftp(Struct):
    """BlockdevCreateOptions whose driver is 'ftp'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.FTP
    __slots__ = ()


class BlockdevCreateOptions_ftps(Struct):
    """BlockdevCreateOptions whose driver is 'ftps'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.FTPS
    __slots__ = ()


class BlockdevCreateOptions_host_cdrom(Struct):
    """BlockdevCreateOptions whose driver is 'host_cdrom'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.HOST_CDROM
    __slots__ = ()


class BlockdevCreateOptions_host_device(Struct):
    """BlockdevCreateOptions whose driver is 'host_device'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.HOST_DEVICE
    __slots__ = ()


class BlockdevCreateOptions_http(Struct):
    """BlockdevCreateOptions whose driver is 'http'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.HTTP
    __slots__ = ()


class BlockdevCreateOptions_https(Struct):
    """BlockdevCreateOptions whose driver is 'https'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.HTTPS
    __slots__ = ()


class BlockdevCreateOptions_nbd(Struct):
    """BlockdevCreateOptions whose driver is 'nbd'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.NBD
    __slots__ = ()


class BlockdevCreateOptions_null_aio(Struct):
    """BlockdevCreateOptions whose driver is 'null-aio'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.NULL_AIO
    __slots__ = ()


class BlockdevCreateOptions_null_co(Struct):
    """BlockdevCreateOptions whose driver is 'null-co'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.NULL_CO
    __slots__ = ()


class BlockdevCreateOptions_quorum(Struct):
    """BlockdevCreateOptions whose driver is 'quorum'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.QUORUM
    __slots__ = ()


class BlockdevCreateOptions_raw(Struct):
    """BlockdevCreateOptions whose driver is 'raw'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.RAW
    __slots__ = ()


class BlockdevCreateOptions_tftp(Struct):
    """BlockdevCreateOptions whose driver is 'tftp'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.TFTP
    __slots__ = ()


class BlockdevCreateOptions_throttle(Struct):
    """BlockdevCreateOptions whose driver is 'throttle'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.THROTTLE
    __slots__ = ()


class BlockdevCreateOptions_vvfat(Struct):
    """BlockdevCreateOptions whose driver is 'vvfat'."""

    _tag = "driver"
    driver: Final = BlockdevDriver.VVFAT
    __slots__ = ()


class BlockExportOptions_nbd(Struct):
    """BlockExportOptions whose type is 'nbd'."""

    _tag = "type"
    type: Final = BlockExportType.NBD
    __slots__ = (
        "id", "fixed_iothread", "iothread", "node_name", "writable", "writethrough", "name", "description", "bitmaps",
        "allocation_depth",
    )
    _members = (
        "id:str fixed-iothread*:bool iothread*:str node-name:str writable*:bool writethrough*:bool name*:str "
        "description*:str bitmaps*:[BlockDirtyBitmapOrStr] allocation-depth*:bool"
    )

    def __init__(
        self, *, id: str, fixed_iothread: bool | None = None, iothread: str | None = None, node_name: str,
        writable: bool | None = None, writethrough: bool | None = None, name: str | None = None,
        description: str | None = None, bitmaps: list[BlockDirtyBitmapOrStr] | None = None,
        allocation_depth: bool | None = None,
    ) -> None:
        self.id = id
        self.fixed_iothread = fixed_iothread
        self.iothread = iothread
        self.node_name = node_name
        self.writable = writable
        self.writethrough = writethrough
        self.name = name
        self.description = description
        self.bitmaps = bitmaps
        self.allocation_depth = allocation_depth


class TransactionAction_blockdev_snapshot(Struct):
    """TransactionAction whose type is 'blockdev-snapshot'."""

    _tag = "type"
    type: Final = TransactionActionKind.BLOCKDEV_SNAPSHOT
    __slots__ = ("data",)
    _members = "data:BlockdevSnapshot"

    def __init__(self, *, data: BlockdevSnapshot) -> None:
        self.data = data


class TransactionAction_blockdev_snapshot_sync(Struct):
    """TransactionAction whose type is 'blockdev-snapshot-sync'."""

    _tag = "type"
    type: Final = TransactionActionKind.BLOCKDEV_SNAPSHOT_SYNC
    __slots__ = ("data",)
    _members = "data:BlockdevSnapshotSync"

    def __init__(self, *, data: BlockdevSnapshotSync) -> None:
        self.data = data


class TransactionAction_drive_backup(Struct):
    """TransactionAction whose type is 'drive-backup'."""

    _tag = "type"
    type: Final = TransactionActionKind.DRIVE_BACKUP
    __slots__ = ("data",)
    _members = "data:DriveBackup"

    def __init__(self, *, data: DriveBackup) -> None:
        self.data = data


class TransactionAction_blockdev_backup(Struct):
    """TransactionAction whose type is 'blockdev-backup'."""

    _tag = "type"
    type: Final = TransactionActionKind.BLOCKDEV_BACKUP
    __slots__ = ("data",)
    _members = "data:BlockdevBackup"

    def __init__(self, *, data: BlockdevBackup) -> None:
        self.data = data


class TransactionAction_abort(Struct):
    """TransactionAction whose type is 'abort'."""

    _tag = "type"
    type: Final = TransactionActionKind.ABORT
    __slots__ = ("data",)
    _members = "data:Abort"

    def __init__(self, *, data: Abort) -> None:
        self.data = data


class TransactionAction_blockdev_snapshot_internal_sync(Struct):
    """TransactionAction whose type is 'blockdev-snapshot-internal-sync'."""

    _tag = "type"
    type: Final = TransactionActionKind.BLOCKDEV_SNAPSHOT_INTERNAL_SYNC
    __slots__ = ("data",)
    _members = "data:BlockdevSnapshotInternal"

    def __init__(self, *, data: BlockdevSnapshotInternal) -> None:
        self.data = data


class TransactionAction_block_dirty_bitmap_add(Struct):
    """TransactionAction whose type is 'block-dirty-bitmap-add'."""

    _tag = "type"
    type: Final = TransactionActionKind.BLOCK_DIRTY_BITMAP_ADD
    __slots__ = ("data",)
    _members = "data:BlockDirtyBitmapAdd"

    def __init__(self, *, data: BlockDirtyBitmapAdd) -> None:
        self.data = data


class TransactionAction_block_dirty_bitmap_remove(Struct):
    """TransactionAction whose type is 'block-dirty-bitmap-remove'."""

    _tag = "type"
    type: Final = TransactionActionKind.BLOCK_DIRTY_BITMAP_REMOVE
    __slots__ = ("data",)
    _members = "data:BlockDirtyBitmap"

    def __init__(self, *, data: BlockDirtyBitmap) -> None:
        self.data = data


class TransactionAction_block_dirty_bitmap_clear(Struct):
    """TransactionAction whose type is 'block-dirty-bitmap-clear'."""

    _tag = "type"
    type: Final = TransactionActionKind.BLOCK_DIRTY_BITMAP_CLEAR
    __slots__ = ("data",)
    _members = "data:BlockDirtyBitmap"

    def __init__(self, *, data: BlockDirtyBitmap) -> None:
        self.data = data


class TransactionAction_block_dirty_bitmap_enable(Struct):
    """TransactionAction whose type is 'block-dirty-bitmap-enable'."""

    _tag = "type"
    type: Final = TransactionActionKind.BLOCK_DIRTY_BITMAP_ENABLE
    __slots__ = ("data",)
    _members = "data:BlockDirtyBitmap"

    def __init__(self, *, data: BlockDirtyBitmap) -> None:
        self.data = data


class TransactionAction_block_dirty_bitmap_disable(Struct):
    """TransactionAction whose type is 'block-dirty-bitmap-disable'."""

    _tag = "type"
    type: Final = TransactionActionKind.BLOCK_DIRTY_BITMAP_DISABLE
    __slots__ = ("data",)
    _members = "data:BlockDirtyBitmap"

    def __init__(self, *, data: BlockDirtyBitmap) -> None:
        self.data = data


class TransactionAction_block_dirty_bitmap_merge(Struct):
    """TransactionAction whose type is 'block-dirty-bitmap-merge'."""

    _tag = "type"
    type: Final = TransactionActionKind.BLOCK_DIRTY_BITMAP_MERGE
    __slots__ = ("data",)
    _members = "data:BlockDirtyBitmapMerge"

    def __init__(self, *, data: BlockDirtyBitmapMerge) -> None:
        self.data = data


class ChardevBackend_file(Struct):
    """ChardevBackend whose type is 'file'."""

    _tag = "type"
    type: Final = ChardevBackendKind.FILE
    __slots__ = ("data",)
    _members = "data:ChardevFile"

    def __init__(self, *, data: ChardevFile) -> None:
        self.data = data


class ChardevBackend_serial(Struct):
    """ChardevBackend whose type is 'serial'."""

    _tag = "type"
    type: Final = ChardevBackendKind.SERIAL
    __slots__ = ("data",)
    _members = "data:ChardevHostdev"

    def __init__(self, *, data: ChardevHostdev) -> None:
        self.data = data


class ChardevBackend_parallel(Struct):
    """ChardevBackend whose type is 'parallel'."""

    _tag = "type"
    type: Final = ChardevBackendKind.PARALLEL
    __slots__ = ("data",)
    _members = "data:ChardevHostdev"

    def __init__(self, *, data: ChardevHostdev) -> None:
        self.data = data


class ChardevBackend_pipe(Struct):
    """ChardevBackend whose type is 'pipe'."""

    _tag = "type"
    type: Final = ChardevBackendKind.PIPE
    __slots__ = ("data",)
    _members = "data:ChardevHostdev"

    def __init__(self, *, data: ChardevHostdev) -> None:
        self.data = data


class ChardevBackend_socket(Struct):
    """ChardevBackend whose type is 'socket'."""

    _tag = "type"
    type: Final = ChardevBackendKind.SOCKET
    __slots__ = ("data",)
    _members = "data:ChardevSocket"

    def __init__(self, *, data: ChardevSocket) -> None:
        self.data = data


class ChardevBackend_udp(Struct):
    """ChardevBackend whose type is 'udp'."""

    _tag = "type"
    type: Final = ChardevBackendKind.UDP
    __slots__ = ("data",)
    _members = "data:ChardevUdp"

    def __init__(self, *, data: ChardevUdp) -> None:
        self.data = data


class ChardevBackend_pty(Struct):
    """ChardevBackend whose type is 'pty'."""

    _tag = "type"
    type: Final = ChardevBackendKind.PTY
    __slots__ = ("data",)
    _members = "data:ChardevCommon"

    def __init__(self, *, data: ChardevCommon) -> None:
        self.data = data


class ChardevBackend_null(Struct):
    """ChardevBackend whose type is 'null'."""

    _tag = "type"
    type: Final = ChardevBackendKind.NULL
    __slots__ = ("data",)
    _members = "data:ChardevCommon"

    def __init__(self, *, data: ChardevCommon) -> None:
        self.data = data


class ChardevBackend_mux(Struct):
    """ChardevBackend whose type is 'mux'."""

    _tag = "type"
    type: Final = ChardevBackendKind.MUX
    __slots__ = ("data",)
    _members = "data:ChardevMux"

    def __init__(self, *, data: ChardevMux) -> None:
        self.data = data


class ChardevBackend_msmouse(Struct):
    """ChardevBackend whose type is 'msmouse'."""

    _tag = "type"
    type: Final = ChardevBackendKind.MSMOUSE
    __slots__ = ("data",)
    _members = "data:ChardevCommon"

    def __init__(self, *, data: ChardevCommon) -> None:
        self.data = data


class ChardevBackend_braille(Struct):
    """ChardevBackend whose type is 'braille'."""

    _tag = "type"
    type: Final = ChardevBackendKind.BRAILLE
    __slots__ = ("data",)
    _members = "data:ChardevCommon"

    def __init__(self, *, data: ChardevCommon) -> None:
        self.data = data


class ChardevBackend_testdev(Struct):
    """ChardevBackend whose type is 'testdev'."""

    _tag = "type"
    type: Final = ChardevBackendKind.TESTDEV
    __slots__ = ("data",)
    _members = "data:ChardevCommon"

    def __init__(self, *, data: ChardevCommon) -> None:
        self.data = data


class ChardevBackend_stdio(Struct):
    """ChardevBackend whose type is 'stdio'."""

    _tag = "type"
    type: Final = ChardevBackendKind.STDIO
    __slots__ = ("data",)
    _members = "data:ChardevStdio"

    def __init__(self, *, data: ChardevStdio) -> None:
        self.data = data


class ChardevBackend_console(Struct):
    """ChardevBackend whose type is 'console'."""

    _tag = "type"
    type: Final = ChardevBackendKind.CONSOLE
    __slots__ = ("data",)
    _members = "data:ChardevCommon"

    def __init__(self, *, data: ChardevCommon) -> None:
        self.data = data


class ChardevBackend_spicevmc(Struct):
    """ChardevBackend whose type is 'spicevmc'."""

    _tag = "type"
    type: Final = ChardevBackendKind.SPICEVMC
    __slots__ = ("data",)
    _members = "data:ChardevSpiceChannel"

    def __init__(self, *, data: ChardevSpiceChannel) -> None:
        self.data = data


class ChardevBackend_spiceport(Struct):
    """ChardevBackend whose type is 'spiceport'."""

    _tag = "type"
    type: Final = ChardevBackendKind.SPICEPORT
    __slots__ = ("data",)
    _members = "data:ChardevSpicePort"

    def __init__(self, *, data: ChardevSpicePort) -> None:
        self.data = data


class ChardevBackend_vc(Struct):
    """ChardevBackend whose type is 'vc'."""

    _tag = "type"
    type: Final = ChardevBackendKind.VC
    __slots__ = ("data",)
    _members = "data:ChardevVC"

    def __init__(self, *, data: ChardevVC) -> None:
        self.data = data


class ChardevBackend_ringbuf(Struct):
    """ChardevBackend whose type is 'ringbuf'."""

    _tag = "type"
    type: Final = ChardevBackendKind.RINGBUF
    __slots__ = ("data",)
    _members = "data:ChardevRingbuf"

    def __init__(self, *, data: ChardevRingbuf) -> None:
        self.data = data


class ChardevBackend_memory(Struct):
    """ChardevBackend whose type is 'memory'."""

    _tag = "type"
    type: Final = ChardevBackendKind.MEMORY
    __slots__ = ("data",)
    _members = "data:ChardevRingbuf"

    def __init__(self, *, data: ChardevRingbuf) -> None:
        self.data = data


class NetClientOptions_none(Struct):
    """NetClientOptions whose type is 'none'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.NONE
    __slots__ = ("data",)
    _members = "data:NetdevNoneOptions"

    def __init__(self, *, data: NetdevNoneOptions) -> None:
        self.data = data


class NetClientOptions_nic(Struct):
    """NetClientOptions whose type is 'nic'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.NIC
    __slots__ = ("data",)
    _members = "data:NetLegacyNicOptions"

    def __init__(self, *, data: NetLegacyNicOptions) -> None:
        self.data = data


class NetClientOptions_user(Struct):
    """NetClientOptions whose type is 'user'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.USER
    __slots__ = ("data",)
    _members = "data:NetdevUserOptions"

    def __init__(self, *, data: NetdevUserOptions) -> None:
        self.data = data


class NetClientOptions_tap(Struct):
    """NetClientOptions whose type is 'tap'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.TAP
    __slots__ = ("data",)
    _members = "data:NetdevTapOptions"

    def __init__(self, *, data: NetdevTapOptions) -> None:
        self.data = data


class NetClientOptions_l2tpv3(Struct):
    """NetClientOptions whose type is 'l2tpv3'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.L2TPV3
    __slots__ = ("data",)
    _members = "data:NetdevL2TPv3Options"

    def __init__(self, *, data: NetdevL2TPv3Options) -> None:
        self.data = data


class NetClientOptions_socket(Struct):
    """NetClientOptions whose type is 'socket'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.SOCKET
    __slots__ = ("data",)
    _members = "data:NetdevSocketOptions"

    def __init__(self, *, data: NetdevSocketOptions) -> None:
        self.data = data


class NetClientOptions_vde(Struct):
    """NetClientOptions whose type is 'vde'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.VDE
    __slots__ = ("data",)
    _members = "data:NetdevVdeOptions"

    def __init__(self, *, data: NetdevVdeOptions) -> None:
        self.data = data


class NetClientOptions_dump(Struct):
    """NetClientOptions whose type is 'dump'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.DUMP
    __slots__ = ("data",)
    _members = "data:NetdevDumpOptions"

    def __init__(self, *, data: NetdevDumpOptions) -> None:
        self.data = data


class NetClientOptions_bridge(Struct):
    """NetClientOptions whose type is 'bridge'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.BRIDGE
    __slots__ = ("data",)
    _members = "data:NetdevBridgeOptions"

    def __init__(self, *, data: NetdevBridgeOptions) -> None:
        self.data = data


class NetClientOptions_hubport(Struct):
    """NetClientOptions whose type is 'hubport'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.HUBPORT
    __slots__ = ("data",)
    _members = "data:NetdevHubPortOptions"

    def __init__(self, *, data: NetdevHubPortOptions) -> None:
        self.data = data


class NetClientOptions_netmap(Struct):
    """NetClientOptions whose type is 'netmap'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.NETMAP
    __slots__ = ("data",)
    _members = "data:NetdevNetmapOptions"

    def __init__(self, *, data: NetdevNetmapOptions) -> None:
        self.data = data


class NetClientOptions_vhost_user(Struct):
    """NetClientOptions whose type is 'vhost-user'."""

    _tag = "type"
    type: Final = NetClientOptionsKind.VHOST_USER
    __slots__ = ("data",)
    _members = "data:NetdevVhostUserOptions"

    def __init__(self, *, data: NetdevVhostUserOptions) -> None:
        self.data = data


class Netdev_nic(Struct):
    """Netdev whose type is 'nic'."""

    _tag = "type"
    type: Final = NetClientDriver.NIC
    __slots__ = ("id", "netdev", "macaddr", "model", "addr", "vectors")
    _members = "id:str netdev*:str macaddr*:str model*:str addr*:str vectors*:uint32"

    def __init__(
        self, *, id: str, netdev: str | None = None, macaddr: str | None = None, model: str | None = None,
        addr: str | None = None, vectors: int | None = None,
    ) -> None:
        self.id = id
        self.netdev = netdev
        self.macaddr = macaddr
        self.model = model
        self.addr = addr
        self.vectors = vectors


class Netdev_user(Struct):
    """Netdev whose type is 'user'."""

    _tag = "type"
    type: Final = NetClientDriver.USER
    __slots__ = (
        "id", "hostname", "restrict", "ipv4", "ipv6", "ip", "net", "host", "tftp", "bootfile", "dhcpstart", "dns",
        "dnssearch", "domainname", "ipv6_prefix", "ipv6_prefixlen", "ipv6_host", "ipv6_dns", "smb", "smbserver",
        "hostfwd", "guestfwd", "tftp_server_name",
    )
    _members = (
        "id:str hostname*:str restrict*:bool ipv4*:bool ipv6*:bool ip*:str net*:str host*:str tftp*:str bootfile*:str "
        "dhcpstart*:str dns*:str dnssearch*:[String] domainname*:str ipv6-prefix*:str ipv6-prefixlen*:int "
        "ipv6-host*:str ipv6-dns*:str smb*:str smbserver*:str hostfwd*:[String] guestfwd*:[String] "
        "tftp-server-name*:str"
    )

    def __init__(
        self, *, id: str, hostname: str | None = None, restrict: bool | None = None, ipv4: bool | None = None,
        ipv6: bool | None = None, ip: str | None = None, net: str | None = None, host: str | None = None,
        tftp: str | None = None, bootfile: str | None = None, dhcpstart: str | None = None, dns: str | None = None,
        dnssearch: list[String] | None = None, domainname: str | None = None, ipv6_prefix: str | None = None,
        ipv6_prefixlen: int | None = None, ipv6_host: str | None = None, ipv6_dns: str | None = None,
        smb: str | None = None, smbserver: str | None = None, hostfwd: list[String] | None = None,
        guestfwd: list[String] | None = None, tftp_server_name: str | None = None,
    ) -> None:
        self.id = id
        self.hostname = hostname
        self.restrict = restrict
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.ip = ip
        self.net = net
        self.host = host
        self.tftp = tftp
        self.bootfile = bootfile
        self.dhcpstart = dhcpstart
        self.dns = dns
        self.dnssearch = dnssearch
        self.domainname = domainname
        self.ipv6_prefix = ipv6_prefix
        self.ipv6_prefixlen = ipv6_prefixlen
        self.ipv6_host = ipv6_host
        self.ipv6_dns = ipv6_dns
        self.smb = smb
        self.smbserver = smbserver
        self.hostfwd = hostfwd
        self.guestfwd = guestfwd
        self.tftp_server_name = tftp_server_name


class Netdev_tap(Struct):
    """Netdev whose type is 'tap'."""

    _tag = "type"
    type: Final = NetClientDriver.TAP
    __slots__ = (
        "id", "ifname", "fd", "fds", "script", "downscript", "br", "helper", "sndbuf", "vnet_hdr", "vhost", "vhostfd",
        "vhostfds", "vhostforce", "queues", "poll_us",
    )
    _members = (
        "id:str ifname*:str fd*:str fds*:str script*:str downscript*:str br*:str helper*:str sndbuf*:size "
        "vnet_hdr*:bool vhost*:bool vhostfd*:str vhostfds*:str vhostforce*:bool queues*:uint32 poll-us*:uint32"
    )

    def __init__(
        self, *, id: str, ifname: str | None = None, fd: str | None = None, fds: str | None = None,
        script: str | None = None, downscript: str | None = None, br: str | None = None, helper: str | None = None,
        sndbuf: int | None = None, vnet_hdr: bool | None = None, vhost: bool | None = None, vhostfd: str | None = None,
        vhostfds: str | None = None, vhostforce: bool | None = None, queues: int | None = None,
        poll_us: int | None = None,
    ) -> None:
        self.id = id
        self.ifname = ifname
        self.fd = fd
        self.fds = fds
        self.script = script
        self.downscript = downscript
        self.br = br
        self.helper = helper
        self.sndbuf = sndbuf
        self.vnet_hdr = vnet_hdr
        self.vhost = vhost
        self.vhostfd = vhostfd
        self.vhostfds = vhostfds
        self.vhostforce = vhostforce
        self.queues = queues
        self.poll_us = poll_us


class Netdev_l2tpv3(Struct):
    """Netdev whose type is 'l2tpv3'."""

    _tag = "type"
    type: Final = NetClientDriver.L2TPV3
    __slots__ = (
        "id", "src", "dst", "srcport", "dstport", "ipv6", "udp", "cookie64", "counter", "pincounter", "txcookie",
        "rxcookie", "txsession", "rxsession", "offset",
    )
    _members = (
        "id:str src:str dst:str srcport*:str dstport*:str ipv6*:bool udp*:bool cookie64*:bool counter*:bool "
        "pincounter*:bool txcookie*:uint64 rxcookie*:uint64 txsession:uint32 rxsession*:uint32 offset*:uint32"
    )

    def __init__(
        self, *, id: str, src: str, dst: str, srcport: str | None = None, dstport: str | None = None,
        ipv6: bool | None = None, udp: bool | None = None, cookie64: bool | None = None, counter: bool | None = None,
        pincounter: bool | None = None, txcookie: int | None = None, rxcookie: int | None = None, txsession: int,
        rxsession: int | None = None, offset: int | None = None,
    ) -> None:
        self.id = id
        self.src = src
        self.dst = dst
        self.srcport = srcport
        self.dstport = dstport
        self.ipv6 = ipv6
        self.udp = udp
        self.cookie64 = cookie64
        self.counter = counter
        self.pincounter = pincounter
        self.txcookie = txcookie
        self.rxcookie = rxcookie
        self.txsession = txsession
        self.rxsession = rxsession
        self.offset = offset


class Netdev_socket(Struct):
    """Netdev whose type is 'socket'."""

    _tag = "type"
    type: Final = NetClientDriver.SOCKET
    __slots__ = ("id", "fd", "listen", "connect", "mcast", "localaddr", "udp")
    _members = "id:str fd*:str listen*:str connect*:str mcast*:str localaddr*:str udp*:str"

    def __init__(
        self, *, id: str, fd: str | None = None, listen: str | None = None, connect: str | None = None,
        mcast: str | None = None, localaddr: str | None = None, udp: str | None = None,
    ) -> None:
        self.id = id
        self.fd = fd
        self.listen = listen
        self.connect = connect
        self.mcast = mcast
        self.localaddr = localaddr
        self.udp = udp


class Netdev_stream(Struct):
    """Netdev whose type is 'stream'."""

    _tag = "type"
    type: Final = NetClientDriver.STREAM
    __slots__ = ("id", "addr", "server")
    _members = "id:str addr:SocketAddressFlat server*:bool"

    def __init__(self, *, id: str, addr: SocketAddressFlat, server: bool | None = None) -> None:
        self.id = id
        self.addr = addr
        self.server = server


class Netdev_dgram(Struct):
    """Netdev whose type is 'dgram'."""

    _tag = "type"
    type: Final = NetClientDriver.DGRAM
    __slots__ = ("id", "local", "remote")
    _members = "id:str local*:SocketAddressFlat remote*:SocketAddressFlat"

    def __init__(
        self, *, id: str, local: SocketAddressFlat | None = None, remote: SocketAddressFlat | None = None,
    ) -> None:
        self.id = id
        self.local = local
        self.remote = remote


class Netdev_vde(Struct):
    """Netdev whose type is 'vde'."""

    _tag = "type"
    type: Final = NetClientDriver.VDE
    __slots__ = ("id", "sock", "port", "group", "mode")
    _members = "id:str sock*:str port*:uint16 group*:str mode*:uint16"

    def __init__(
        self, *, id: str, sock: str | None = None, port: int | None = None, group: str | None = None,
        mode: int | None = None,
    ) -> None:
        self.id = id
        self.sock = sock
        self.port = port
        self.group = group
        self.mode = mode


class Netdev_bridge(Struct):
    """Netdev whose type is 'bridge'."""

    _tag = "type"
    type: Final = NetClientDriver.BRIDGE
    __slots__ = ("id", "br", "helper")
    _members = "id:str br*:str helper*:str"

    def __init__(self, *, id: str, br: str | None = None, helper: str | None = None) -> None:
        self.id = id
        self.br = br
        self.helper = helper


class Netdev_hubport(Struct):
    """Netdev whose type is 'hubport'."""

    _tag = "type"
    type: Final = NetClientDriver.HUBPORT
    __slots__ = ("id", "hubid", "netdev")
    _members = "id:str hubid:int32 netdev*:str"

    def __init__(self, *, id: str, hubid: int, netdev: str | None = None) -> None:
        self.id = id
        self.hubid = hubid
        self.netdev = netdev


class Netdev_netmap(Struct):
    """Netdev whose type is 'netmap'."""

    _tag = "type"
    type: Final = NetClientDriver.NETMAP
    __slots__ = ("id", "ifname", "devname")
    _members = "id:str ifname:str devname*:str"

    def __init__(self, *, id: str, ifname: str, devname: str | None = None) -> None:
        self.id = id
        self.ifname = ifname
        self.devname = devname


class Netdev_vhost_user(Struct):
    """Netdev whose type is 'vhost-user'."""

    _tag = "type"
    type: Final = NetClientDriver.VHOST_USER
    __slots__ = ("id", "chardev", "vhostforce", "queues")
    _members = "id:str chardev:str vhostforce*:bool queues*:int"

    def __init__(self, *, id: str, chardev: str, vhostforce: bool | None = None, queues: int | None = None) -> None:
        self.id = id
        self.chardev = chardev
        self.vhostforce = vhostforce
        self.queues = queues


class Netdev_none(Struct):
    """Netdev whose type is 'none'."""

    _tag = "type"
    type: Final = NetClientDriver.NONE
    __slots__ = ("id",)
    _members = "id:str"

    def __init__(self, *, id: str) -> None:
        self.id = id


class KeyValue_number(Struct):
    """KeyValue whose type is 'number'."""

    _tag = "type"
    type: Final = KeyValueKind.NUMBER
    __slots__ = ("data",)
    _members = "data:int"

    def __init__(self, *, data: int) -> None:
        self.data = data


class KeyValue_qcode(Struct):
    """KeyValue whose type is 'qcode'."""

    _tag = "type"
    type: Final = KeyValueKind.QCODE
    __slots__ = ("data",)
    _members = "data:QKeyCode"

    def __init__(self, *, data: QKeyCode) -> None:
        self.data = data


class InputEvent_key(Struct):
    """InputEvent whose type is 'key'."""

    _tag = "type"
    type: Final = InputEventKind.KEY
    __slots__ = ("data",)
    _members = "data:InputKeyEvent"

    def __init__(self, *, data: InputKeyEvent) -> None:
        self.data = data


class InputEvent_btn(Struct):
    """InputEvent whose type is 'btn'."""

    _tag = "type"
    type: Final = InputEventKind.BTN
    __slots__ = ("data",)
    _members = "data:InputBtnEvent"

    def __init__(self, *, data: InputBtnEvent) -> None:
        self.data = data


class InputEvent_rel(Struct):
    """InputEvent whose type is 'rel'."""

    _tag = "type"
    type: Final = InputEventKind.REL
    __slots__ = ("data",)
    _members = "data:InputMoveEvent"

    def __init__(self, *, data: InputMoveEvent) -> None:
        self.data = data


class InputEvent_abs(Struct):
    """InputEvent whose type is 'abs'."""

    _tag = "type"
    type: Final = InputEventKind.ABS
    __slots__ = ("data",)
    _members = "data:InputMoveEvent"

    def __init__(self, *, data: InputMoveEvent) -> None:
        self.data = data


class TpmTypeOptions_passthrough(Struct):
    """TpmTypeOptions whose type is 'passthrough'."""

    _tag = "type"
    type: Final = TpmTypeOptionsKind.PASSTHROUGH
    __slots__ = ("data",)
    _members = "data:TPMPassthroughOptions"

    def __init__(self, *, data: TPMPassthroughOptions) -> None:
        self.data = data


class TpmTypeOptions_emulator(Struct):
    """TpmTypeOptions whose type is 'emulator'."""

    _tag = "type"
    type: Final = TpmTypeOptionsKind.EMULATOR
    __slots__ = ("data",)
    _members = "data:TPMEmulatorOptions"

    def __init__(self, *, data: TPMEmulatorOptions) -> None:
        self.data = data


class ObjectOptions_authz_list(Struct):
    """ObjectOptions whose qom-type is 'authz-list'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.AUTHZ_LIST
    __slots__ = ("id", "props", "policy", "rules")
    _members = "id:str props*:any policy*:QAuthZListPolicy rules*:[QAuthZListRule]"

    def __init__(
        self, *, id: str, props: object | None = None, policy: QAuthZListPolicy | None = None,
        rules: list[QAuthZListRule] | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.policy = policy
        self.rules = rules


class ObjectOptions_authz_listfile(Struct):
    """ObjectOptions whose qom-type is 'authz-listfile'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.AUTHZ_LISTFILE
    __slots__ = ("id", "props", "filename", "refresh")
    _members = "id:str props*:any filename:str refresh*:bool"

    def __init__(self, *, id: str, props: object | None = None, filename: str, refresh: bool | None = None) -> None:
        self.id = id
        self.props = props
        self.filename = filename
        self.refresh = refresh


class ObjectOptions_authz_simple(Struct):
    """ObjectOptions whose qom-type is 'authz-simple'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.AUTHZ_SIMPLE
    __slots__ = ("id", "props", "identity")
    _members = "id:str props*:any identity:str"

    def __init__(self, *, id: str, props: object | None = None, identity: str) -> None:
        self.id = id
        self.props = props
        self.identity = identity


class ObjectOptions_filter_buffer(Struct):
    """ObjectOptions whose qom-type is 'filter-buffer'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.FILTER_BUFFER
    __slots__ = ("id", "props", "netdev", "queue", "status", "position", "insert", "interval")
    _members = (
        "id:str props*:any netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str interval:uint32"
    )

    def __init__(
        self, *, id: str, props: object | None = None, netdev: str, queue: NetFilterDirection | None = None,
        status: str | None = None, position: str | None = None, insert: str | None = None, interval: int,
    ) -> None:
        self.id = id
        self.props = props
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert
        self.interval = interval


class ObjectOptions_filter_dump(Struct):
    """ObjectOptions whose qom-type is 'filter-dump'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.FILTER_DUMP
    __slots__ = ("id", "props", "netdev", "queue", "status", "position", "insert", "file", "maxlen")
    _members = (
        "id:str props*:any netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str file:str "
        "maxlen*:uint32"
    )

    def __init__(
        self, *, id: str, props: object | None = None, netdev: str, queue: NetFilterDirection | None = None,
        status: str | None = None, position: str | None = None, insert: str | None = None, file: str,
        maxlen: int | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert
        self.file = file
        self.maxlen = maxlen


class ObjectOptions_filter_mirror(Struct):
    """ObjectOptions whose qom-type is 'filter-mirror'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.FILTER_MIRROR
    __slots__ = ("id", "props", "netdev", "queue", "status", "position", "insert", "outdev", "vnet_hdr_support")
    _members = (
        "id:str props*:any netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str outdev:str "
        "vnet_hdr_support*:bool"
    )

    def __init__(
        self, *, id: str, props: object | None = None, netdev: str, queue: NetFilterDirection | None = None,
        status: str | None = None, position: str | None = None, insert: str | None = None, outdev: str,
        vnet_hdr_support: bool | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert
        self.outdev = outdev
        self.vnet_hdr_support = vnet_hdr_support


class ObjectOptions_filter_redirector(Struct):
    """ObjectOptions whose qom-type is 'filter-redirector'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.FILTER_REDIRECTOR
    __slots__ = (
        "id", "props", "netdev", "queue", "status", "position", "insert", "indev", "outdev", "vnet_hdr_support",
    )
    _members = (
        "id:str props*:any netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str indev*:str "
        "outdev*:str vnet_hdr_support*:bool"
    )

    def __init__(
        self, *, id: str, props: object | None = None, netdev: str, queue: NetFilterDirection | None = None,
        status: str | None = None, position: str | None = None, insert: str | None = None, indev: str | None = None,
        outdev: str | None = None, vnet_hdr_support: bool | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert
        self.indev = indev
        self.outdev = outdev
        self.vnet_hdr_support = vnet_hdr_support


class ObjectOptions_filter_replay(Struct):
    """ObjectOptions whose qom-type is 'filter-replay'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.FILTER_REPLAY
    __slots__ = ("id", "props", "netdev", "queue", "status", "position", "insert")
    _members = "id:str props*:any netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str"

    def __init__(
        self, *, id: str, props: object | None = None, netdev: str, queue: NetFilterDirection | None = None,
        status: str | None = None, position: str | None = None, insert: str | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert


class ObjectOptions_filter_rewriter(Struct):
    """ObjectOptions whose qom-type is 'filter-rewriter'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.FILTER_REWRITER
    __slots__ = ("id", "props", "netdev", "queue", "status", "position", "insert", "vnet_hdr_support")
    _members = (
        "id:str props*:any netdev:str queue*:NetFilterDirection status*:str position*:str insert*:str "
        "vnet_hdr_support*:bool"
    )

    def __init__(
        self, *, id: str, props: object | None = None, netdev: str, queue: NetFilterDirection | None = None,
        status: str | None = None, position: str | None = None, insert: str | None = None,
        vnet_hdr_support: bool | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.netdev = netdev
        self.queue = queue
        self.status = status
        self.position = position
        self.insert = insert
        self.vnet_hdr_support = vnet_hdr_support


class ObjectOptions_input_linux(Struct):
    """ObjectOptions whose qom-type is 'input-linux'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.INPUT_LINUX
    __slots__ = ("id", "props", "evdev", "grab_all", "repeat", "grab_toggle")
    _members = "id:str props*:any evdev:str grab_all*:bool repeat*:bool grab-toggle*:GrabToggleKeys"

    def __init__(
        self, *, id: str, props: object | None = None, evdev: str, grab_all: bool | None = None,
        repeat: bool | None = None, grab_toggle: GrabToggleKeys | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.evdev = evdev
        self.grab_all = grab_all
        self.repeat = repeat
        self.grab_toggle = grab_toggle


class ObjectOptions_iothread(Struct):
    """ObjectOptions whose qom-type is 'iothread'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.IOTHREAD
    __slots__ = ("id", "props", "poll_max_ns", "poll_grow", "poll_shrink", "aio_max_batch")
    _members = "id:str props*:any poll-max-ns*:int poll-grow*:int poll-shrink*:int aio-max-batch*:int"

    def __init__(
        self, *, id: str, props: object | None = None, poll_max_ns: int | None = None, poll_grow: int | None = None,
        poll_shrink: int | None = None, aio_max_batch: int | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.poll_max_ns = poll_max_ns
        self.poll_grow = poll_grow
        self.poll_shrink = poll_shrink
        self.aio_max_batch = aio_max_batch


class ObjectOptions_memory_backend_file(Struct):
    """ObjectOptions whose qom-type is 'memory-backend-file'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.MEMORY_BACKEND_FILE
    __slots__ = (
        "id", "props", "dump", "host_nodes", "merge", "policy", "prealloc", "prealloc_threads", "share", "reserve",
        "size", "x_use_canonical_path_for_ramblock_id", "align", "discard_data", "mem_path", "pmem", "readonly",
    )
    _members = (
        "id:str props*:any dump*:bool host-nodes*:[uint16] merge*:bool policy*:HostMemPolicy prealloc*:bool "
        "prealloc-threads*:uint32 share*:bool reserve*:bool size:size x-use-canonical-path-for-ramblock-id*:bool "
        "align*:size discard-data*:bool mem-path:str pmem*:bool readonly*:bool"
    )

    def __init__(
        self, *, id: str, props: object | None = None, dump: bool | None = None, host_nodes: list[int] | None = None,
        merge: bool | None = None, policy: HostMemPolicy | None = None, prealloc: bool | None = None,
        prealloc_threads: int | None = None, share: bool | None = None, reserve: bool | None = None, size: int,
        x_use_canonical_path_for_ramblock_id: bool | None = None, align: int | None = None,
        discard_data: bool | None = None, mem_path: str, pmem: bool | None = None, readonly: bool | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.dump = dump
        self.host_nodes = host_nodes
        self.merge = merge
        self.policy = policy
        self.prealloc = prealloc
        self.prealloc_threads = prealloc_threads
        self.share = share
        self.reserve = reserve
        self.size = size
        self.x_use_canonical_path_for_ramblock_id = x_use_canonical_path_for_ramblock_id
        self.align = align
        self.discard_data = discard_data
        self.mem_path = mem_path
        self.pmem = pmem
        self.readonly = readonly


class ObjectOptions_memory_backend_memfd(Struct):
    """ObjectOptions whose qom-type is 'memory-backend-memfd'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.MEMORY_BACKEND_MEMFD
    __slots__ = (
        "id", "props", "dump", "host_nodes", "merge", "policy", "prealloc", "prealloc_threads", "share", "reserve",
        "size", "x_use_canonical_path_for_ramblock_id", "hugetlb", "hugetlbsize", "seal",
    )
    _members = (
        "id:str props*:any dump*:bool host-nodes*:[uint16] merge*:bool policy*:HostMemPolicy prealloc*:bool "
        "prealloc-threads*:uint32 share*:bool reserve*:bool size:size x-use-canonical-path-for-ramblock-id*:bool "
        "hugetlb*:bool hugetlbsize*:size seal*:bool"
    )

    def __init__(
        self, *, id: str, props: object | None = None, dump: bool | None = None, host_nodes: list[int] | None = None,
        merge: bool | None = None, policy: HostMemPolicy | None = None, prealloc: bool | None = None,
        prealloc_threads: int | None = None, share: bool | None = None, reserve: bool | None = None, size: int,
        x_use_canonical_path_for_ramblock_id: bool | None = None, hugetlb: bool | None = None,
        hugetlbsize: int | None = None, seal: bool | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.dump = dump
        self.host_nodes = host_nodes
        self.merge = merge
        self.policy = policy
        self.prealloc = prealloc
        self.prealloc_threads = prealloc_threads
        self.share = share
        self.reserve = reserve
        self.size = size
        self.x_use_canonical_path_for_ramblock_id = x_use_canonical_path_for_ramblock_id
        self.hugetlb = hugetlb
        self.hugetlbsize = hugetlbsize
        self.seal = seal


class ObjectOptions_memory_backend_ram(Struct):
    """ObjectOptions whose qom-type is 'memory-backend-ram'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.MEMORY_BACKEND_RAM
    __slots__ = (
        "id", "props", "dump", "host_nodes", "merge", "policy", "prealloc", "prealloc_threads", "share", "reserve",
        "size", "x_use_canonical_path_for_ramblock_id",
    )
    _members = (
        "id:str props*:any dump*:bool host-nodes*:[uint16] merge*:bool policy*:HostMemPolicy prealloc*:bool "
        "prealloc-threads*:uint32 share*:bool reserve*:bool size:size x-use-canonical-path-for-ramblock-id*:bool"
    )

    def __init__(
        self, *, id: str, props: object | None = None, dump: bool | None = None, host_nodes: list[int] | None = None,
        merge: bool | None = None, policy: HostMemPolicy | None = None, prealloc: bool | None = None,
        prealloc_threads: int | None = None, share: bool | None = None, reserve: bool | None = None, size: int,
        x_use_canonical_path_for_ramblock_id: bool | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.dump = dump
        self.host_nodes = host_nodes
        self.merge = merge
        self.policy = policy
        self.prealloc = prealloc
        self.prealloc_threads = prealloc_threads
        self.share = share
        self.reserve = reserve
        self.size = size
        self.x_use_canonical_path_for_ramblock_id = x_use_canonical_path_for_ramblock_id


class ObjectOptions_qtest(Struct):
    """ObjectOptions whose qom-type is 'qtest'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.QTEST
    __slots__ = ("id", "props", "chardev", "log")
    _members = "id:str props*:any chardev:str log*:str"

    def __init__(self, *, id: str, props: object | None = None, chardev: str, log: str | None = None) -> None:
        self.id = id
        self.props = props
        self.chardev = chardev
        self.log = log


class ObjectOptions_rng_builtin(Struct):
    """ObjectOptions whose qom-type is 'rng-builtin'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.RNG_BUILTIN
    __slots__ = ("id", "props", "opened")
    _members = "id:str props*:any opened*:bool"

    def __init__(self, *, id: str, props: object | None = None, opened: bool | None = None) -> None:
        self.id = id
        self.props = props
        self.opened = opened


class ObjectOptions_rng_egd(Struct):
    """ObjectOptions whose qom-type is 'rng-egd'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.RNG_EGD
    __slots__ = ("id", "props", "opened", "chardev")
    _members = "id:str props*:any opened*:bool chardev:str"

    def __init__(self, *, id: str, props: object | None = None, opened: bool | None = None, chardev: str) -> None:
        self.id = id
        self.props = props
        self.opened = opened
        self.chardev = chardev


class ObjectOptions_rng_random(Struct):
    """ObjectOptions whose qom-type is 'rng-random'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.RNG_RANDOM
    __slots__ = ("id", "props", "opened", "filename")
    _members = "id:str props*:any opened*:bool filename*:str"

    def __init__(
        self, *, id: str, props: object | None = None, opened: bool | None = None, filename: str | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.opened = opened
        self.filename = filename


class ObjectOptions_secret(Struct):
    """ObjectOptions whose qom-type is 'secret'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.SECRET
    __slots__ = ("id", "props", "loaded", "format", "keyid", "iv", "data", "file")
    _members = "id:str props*:any loaded*:bool format*:QCryptoSecretFormat keyid*:str iv*:str data*:str file*:str"

    def __init__(
        self, *, id: str, props: object | None = None, loaded: bool | None = None,
        format: QCryptoSecretFormat | None = None, keyid: str | None = None, iv: str | None = None,
        data: str | None = None, file: str | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.loaded = loaded
        self.format = format
        self.keyid = keyid
        self.iv = iv
        self.data = data
        self.file = file


class ObjectOptions_secret_keyring(Struct):
    """ObjectOptions whose qom-type is 'secret_keyring'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.SECRET_KEYRING
    __slots__ = ("id", "props", "loaded", "format", "keyid", "iv", "serial")
    _members = "id:str props*:any loaded*:bool format*:QCryptoSecretFormat keyid*:str iv*:str serial:int32"

    def __init__(
        self, *, id: str, props: object | None = None, loaded: bool | None = None,
        format: QCryptoSecretFormat | None = None, keyid: str | None = None, iv: str | None = None, serial: int,
    ) -> None:
        self.id = id
        self.props = props
        self.loaded = loaded
        self.format = format
        self.keyid = keyid
        self.iv = iv
        self.serial = serial


class ObjectOptions_throttle_group(Struct):
    """ObjectOptions whose qom-type is 'throttle-group'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.THROTTLE_GROUP
    __slots__ = (
        "id", "props", "x_iops_total", "x_iops_total_max", "x_iops_total_max_length", "x_iops_read", "x_iops_read_max",
        "x_iops_read_max_length", "x_iops_write", "x_iops_write_max", "x_iops_write_max_length", "x_bps_total",
        "x_bps_total_max", "x_bps_total_max_length", "x_bps_read", "x_bps_read_max", "x_bps_read_max_length",
        "x_bps_write", "x_bps_write_max", "x_bps_write_max_length", "x_iops_size",
    )
    _members = (
        "id:str props*:any x-iops-total*:int x-iops-total-max*:int x-iops-total-max-length*:int x-iops-read*:int "
        "x-iops-read-max*:int x-iops-read-max-length*:int x-iops-write*:int x-iops-write-max*:int "
        "x-iops-write-max-length*:int x-bps-total*:int x-bps-total-max*:int x-bps-total-max-length*:int "
        "x-bps-read*:int x-bps-read-max*:int x-bps-read-max-length*:int x-bps-write*:int x-bps-write-max*:int "
        "x-bps-write-max-length*:int x-iops-size*:int"
    )

    def __init__(
        self, *, id: str, props: object | None = None, x_iops_total: int | None = None,
        x_iops_total_max: int | None = None, x_iops_total_max_length: int | None = None, x_iops_read: int | None = None,
        x_iops_read_max: int | None = None, x_iops_read_max_length: int | None = None, x_iops_write: int | None = None,
        x_iops_write_max: int | None = None, x_iops_write_max_length: int | None = None, x_bps_total: int | None = None,
        x_bps_total_max: int | None = None, x_bps_total_max_length: int | None = None, x_bps_read: int | None = None,
        x_bps_read_max: int | None = None, x_bps_read_max_length: int | None = None, x_bps_write: int | None = None,
        x_bps_write_max: int | None = None, x_bps_write_max_length: int | None = None, x_iops_size: int | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.x_iops_total = x_iops_total
        self.x_iops_total_max = x_iops_total_max
        self.x_iops_total_max_length = x_iops_total_max_length
        self.x_iops_read = x_iops_read
        self.x_iops_read_max = x_iops_read_max
        self.x_iops_read_max_length = x_iops_read_max_length
        self.x_iops_write = x_iops_write
        self.x_iops_write_max = x_iops_write_max
        self.x_iops_write_max_length = x_iops_write_max_length
        self.x_bps_total = x_bps_total
        self.x_bps_total_max = x_bps_total_max
        self.x_bps_total_max_length = x_bps_total_max_length
        self.x_bps_read = x_bps_read
        self.x_bps_read_max = x_bps_read_max
        self.x_bps_read_max_length = x_bps_read_max_length
        self.x_bps_write = x_bps_write
        self.x_bps_write_max = x_bps_write_max
        self.x_bps_write_max_length = x_bps_write_max_length
        self.x_iops_size = x_iops_size


class ObjectOptions_tls_cipher_suites(Struct):
    """ObjectOptions whose qom-type is 'tls-cipher-suites'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.TLS_CIPHER_SUITES
    __slots__ = ("id", "props", "verify_peer", "dir", "endpoint", "priority")
    _members = "id:str props*:any verify-peer*:bool dir*:str endpoint*:QCryptoTLSCredsEndpoint priority*:str"

    def __init__(
        self, *, id: str, props: object | None = None, verify_peer: bool | None = None, dir: str | None = None,
        endpoint: QCryptoTLSCredsEndpoint | None = None, priority: str | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.verify_peer = verify_peer
        self.dir = dir
        self.endpoint = endpoint
        self.priority = priority


class ObjectOptions_tls_creds_anon(Struct):
    """ObjectOptions whose qom-type is 'tls-creds-anon'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.TLS_CREDS_ANON
    __slots__ = ("id", "props", "verify_peer", "dir", "endpoint", "priority", "loaded")
    _members = (
        "id:str props*:any verify-peer*:bool dir*:str endpoint*:QCryptoTLSCredsEndpoint priority*:str loaded*:bool"
    )

    def __init__(
        self, *, id: str, props: object | None = None, verify_peer: bool | None = None, dir: str | None = None,
        endpoint: QCryptoTLSCredsEndpoint | None = None, priority: str | None = None, loaded: bool | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.verify_peer = verify_peer
        self.dir = dir
        self.endpoint = endpoint
        self.priority = priority
        self.loaded = loaded


class ObjectOptions_tls_creds_psk(Struct):
    """ObjectOptions whose qom-type is 'tls-creds-psk'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.TLS_CREDS_PSK
    __slots__ = ("id", "props", "verify_peer", "dir", "endpoint", "priority", "loaded", "username")
    _members = (
        "id:str props*:any verify-peer*:bool dir*:str endpoint*:QCryptoTLSCredsEndpoint priority*:str loaded*:bool "
        "username*:str"
    )

    def __init__(
        self, *, id: str, props: object | None = None, verify_peer: bool | None = None, dir: str | None = None,
        endpoint: QCryptoTLSCredsEndpoint | None = None, priority: str | None = None, loaded: bool | None = None,
        username: str | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.verify_peer = verify_peer
        self.dir = dir
        self.endpoint = endpoint
        self.priority = priority
        self.loaded = loaded
        self.username = username


class ObjectOptions_tls_creds_x509(Struct):
    """ObjectOptions whose qom-type is 'tls-creds-x509'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.TLS_CREDS_X509
    __slots__ = ("id", "props", "verify_peer", "dir", "endpoint", "priority", "loaded", "sanity_check", "passwordid")
    _members = (
        "id:str props*:any verify-peer*:bool dir*:str endpoint*:QCryptoTLSCredsEndpoint priority*:str loaded*:bool "
        "sanity-check*:bool passwordid*:str"
    )

    def __init__(
        self, *, id: str, props: object | None = None, verify_peer: bool | None = None, dir: str | None = None,
        endpoint: QCryptoTLSCredsEndpoint | None = None, priority: str | None = None, loaded: bool | None = None,
        sanity_check: bool | None = None, passwordid: str | None = None,
    ) -> None:
        self.id = id
        self.props = props
        self.verify_peer = verify_peer
        self.dir = dir
        self.endpoint = endpoint
        self.priority = priority
        self.loaded = loaded
        self.sanity_check = sanity_check
        self.passwordid = passwordid


class ObjectOptions_can_bus(Struct):
    """ObjectOptions whose qom-type is 'can-bus'."""

    _tag = "qom-type"
    qom_type: Final = ObjectType.CAN_BUS
    __slots__ = ("id", "props")
    _members = "id:str props*:any"

    def __init__(self, *, id: str, props: object | None = None) -> None:
        self.id = id
        self.props = props


class CpuInfo_x86(Struct):
    """CpuInfo whose arch is 'x86'."""

    _tag = "arch"
    arch: Final = CpuInfoArch.X86
    __slots__ = ("CPU", "current", "halted", "qom_path", "thread_id", "pc")
    _members = "CPU:int current:bool halted:bool qom_path:str thread_id:int pc:int"

    def __init__(self, *, CPU: int, current: bool, halted: bool, qom_path: str, thread_id: int, pc: int) -> None:
        self.CPU = CPU
        self.current = current
        self.halted = halted
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.pc = pc


class CpuInfo_sparc(Struct):
    """CpuInfo whose arch is 'sparc'."""

    _tag = "arch"
    arch: Final = CpuInfoArch.SPARC
    __slots__ = ("CPU", "current", "halted", "qom_path", "thread_id", "pc", "npc")
    _members = "CPU:int current:bool halted:bool qom_path:str thread_id:int pc:int npc:int"

    def __init__(
        self, *, CPU: int, current: bool, halted: bool, qom_path: str, thread_id: int, pc: int, npc: int,
    ) -> None:
        self.CPU = CPU
        self.current = current
        self.halted = halted
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.pc = pc
        self.npc = npc


class CpuInfo_ppc(Struct):
    """CpuInfo whose arch is 'ppc'."""

    _tag = "arch"
    arch: Final = CpuInfoArch.PPC
    __slots__ = ("CPU", "current", "halted", "qom_path", "thread_id", "nip")
    _members = "CPU:int current:bool halted:bool qom_path:str thread_id:int nip:int"

    def __init__(self, *, CPU: int, current: bool, halted: bool, qom_path: str, thread_id: int, nip: int) -> None:
        self.CPU = CPU
        self.current = current
        self.halted = halted
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.nip = nip


class CpuInfo_mips(Struct):
    """CpuInfo whose arch is 'mips'."""

    _tag = "arch"
    arch: Final = CpuInfoArch.MIPS
    __slots__ = ("CPU", "current", "halted", "qom_path", "thread_id", "PC")
    _members = "CPU:int current:bool halted:bool qom_path:str thread_id:int PC:int"

    def __init__(self, *, CPU: int, current: bool, halted: bool, qom_path: str, thread_id: int, PC: int) -> None:
        self.CPU = CPU
        self.current = current
        self.halted = halted
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.PC = PC


class CpuInfo_tricore(Struct):
    """CpuInfo whose arch is 'tricore'."""

    _tag = "arch"
    arch: Final = CpuInfoArch.TRICORE
    __slots__ = ("CPU", "current", "halted", "qom_path", "thread_id", "PC")
    _members = "CPU:int current:bool halted:bool qom_path:str thread_id:int PC:int"

    def __init__(self, *, CPU: int, current: bool, halted: bool, qom_path: str, thread_id: int, PC: int) -> None:
        self.CPU = CPU
        self.current = current
        self.halted = halted
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.PC = PC


class CpuInfo_other(Struct):
    """CpuInfo whose arch is 'other'."""

    _tag = "arch"
    arch: Final = CpuInfoArch.OTHER
    __slots__ = ("CPU", "current", "halted", "qom_path", "thread_id")
    _members = "CPU:int current:bool halted:bool qom_path:str thread_id:int"

    def __init__(self, *, CPU: int, current: bool, halted: bool, qom_path: str, thread_id: int) -> None:
        self.CPU = CPU
        self.current = current
        self.halted = halted
        self.qom_path = qom_path
        self.thread_id = thread_id


class CpuInfoFast_s390x(Struct):
    """CpuInfoFast whose target is 's390x'."""

    _tag = "target"
    target: Final = SysEmuTarget.S390X
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props", "cpu_state")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties cpu-state:CpuS390State"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
        cpu_state: CpuS390State,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props
        self.cpu_state = cpu_state


class CpuInfoFast_aarch64(Struct):
    """CpuInfoFast whose target is 'aarch64'."""

    _tag = "target"
    target: Final = SysEmuTarget.AARCH64
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_alpha(Struct):
    """CpuInfoFast whose target is 'alpha'."""

    _tag = "target"
    target: Final = SysEmuTarget.ALPHA
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_arm(Struct):
    """CpuInfoFast whose target is 'arm'."""

    _tag = "target"
    target: Final = SysEmuTarget.ARM
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_avr(Struct):
    """CpuInfoFast whose target is 'avr'."""

    _tag = "target"
    target: Final = SysEmuTarget.AVR
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_cris(Struct):
    """CpuInfoFast whose target is 'cris'."""

    _tag = "target"
    target: Final = SysEmuTarget.CRIS
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_hppa(Struct):
    """CpuInfoFast whose target is 'hppa'."""

    _tag = "target"
    target: Final = SysEmuTarget.HPPA
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_i386(Struct):
    """CpuInfoFast whose target is 'i386'."""

    _tag = "target"
    target: Final = SysEmuTarget.I386
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_lm32(Struct):
    """CpuInfoFast whose target is 'lm32'."""

    _tag = "target"
    target: Final = SysEmuTarget.LM32
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_loongarch64(Struct):
    """CpuInfoFast whose target is 'loongarch64'."""

    _tag = "target"
    target: Final = SysEmuTarget.LOONGARCH64
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_m68k(Struct):
    """CpuInfoFast whose target is 'm68k'."""

    _tag = "target"
    target: Final = SysEmuTarget.M68K
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_microblaze(Struct):
    """CpuInfoFast whose target is 'microblaze'."""

    _tag = "target"
    target: Final = SysEmuTarget.MICROBLAZE
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_microblazeel(Struct):
    """CpuInfoFast whose target is 'microblazeel'."""

    _tag = "target"
    target: Final = SysEmuTarget.MICROBLAZEEL
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_mips(Struct):
    """CpuInfoFast whose target is 'mips'."""

    _tag = "target"
    target: Final = SysEmuTarget.MIPS
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_mips64(Struct):
    """CpuInfoFast whose target is 'mips64'."""

    _tag = "target"
    target: Final = SysEmuTarget.MIPS64
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_mips64el(Struct):
    """CpuInfoFast whose target is 'mips64el'."""

    _tag = "target"
    target: Final = SysEmuTarget.MIPS64EL
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_mipsel(Struct):
    """CpuInfoFast whose target is 'mipsel'."""

    _tag = "target"
    target: Final = SysEmuTarget.MIPSEL
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_moxie(Struct):
    """CpuInfoFast whose target is 'moxie'."""

    _tag = "target"
    target: Final = SysEmuTarget.MOXIE
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_nios2(Struct):
    """CpuInfoFast whose target is 'nios2'."""

    _tag = "target"
    target: Final = SysEmuTarget.NIOS2
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_or1k(Struct):
    """CpuInfoFast whose target is 'or1k'."""

    _tag = "target"
    target: Final = SysEmuTarget.OR1K
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_or32(Struct):
    """CpuInfoFast whose target is 'or32'."""

    _tag = "target"
    target: Final = SysEmuTarget.OR32
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_ppc(Struct):
    """CpuInfoFast whose target is 'ppc'."""

    _tag = "target"
    target: Final = SysEmuTarget.PPC
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_ppc64(Struct):
    """CpuInfoFast whose target is 'ppc64'."""

    _tag = "target"
    target: Final = SysEmuTarget.PPC64
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_riscv32(Struct):
    """CpuInfoFast whose target is 'riscv32'."""

    _tag = "target"
    target: Final = SysEmuTarget.RISCV32
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_riscv64(Struct):
    """CpuInfoFast whose target is 'riscv64'."""

    _tag = "target"
    target: Final = SysEmuTarget.RISCV64
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_rx(Struct):
    """CpuInfoFast whose target is 'rx'."""

    _tag = "target"
    target: Final = SysEmuTarget.RX
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_sh4(Struct):
    """CpuInfoFast whose target is 'sh4'."""

    _tag = "target"
    target: Final = SysEmuTarget.SH4
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_sh4eb(Struct):
    """CpuInfoFast whose target is 'sh4eb'."""

    _tag = "target"
    target: Final = SysEmuTarget.SH4EB
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_sparc(Struct):
    """CpuInfoFast whose target is 'sparc'."""

    _tag = "target"
    target: Final = SysEmuTarget.SPARC
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_sparc64(Struct):
    """CpuInfoFast whose target is 'sparc64'."""

    _tag = "target"
    target: Final = SysEmuTarget.SPARC64
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_tilegx(Struct):
    """CpuInfoFast whose target is 'tilegx'."""

    _tag = "target"
    target: Final = SysEmuTarget.TILEGX
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_tricore(Struct):
    """CpuInfoFast whose target is 'tricore'."""

    _tag = "target"
    target: Final = SysEmuTarget.TRICORE
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_unicore32(Struct):
    """CpuInfoFast whose target is 'unicore32'."""

    _tag = "target"
    target: Final = SysEmuTarget.UNICORE32
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_x86_64(Struct):
    """CpuInfoFast whose target is 'x86_64'."""

    _tag = "target"
    target: Final = SysEmuTarget.X86_64
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_xtensa(Struct):
    """CpuInfoFast whose target is 'xtensa'."""

    _tag = "target"
    target: Final = SysEmuTarget.XTENSA
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class CpuInfoFast_xtensaeb(Struct):
    """CpuInfoFast whose target is 'xtensaeb'."""

    _tag = "target"
    target: Final = SysEmuTarget.XTENSAEB
    __slots__ = ("cpu_index", "qom_path", "thread_id", "props")
    _members = "cpu-index:int qom-path:str thread-id:int props*:CpuInstanceProperties"

    def __init__(
        self, *, cpu_index: int, qom_path: str, thread_id: int, props: CpuInstanceProperties | None = None,
    ) -> None:
        self.cpu_index = cpu_index
        self.qom_path = qom_path
        self.thread_id = thread_id
        self.props = props


class NumaOptions_node(Struct):
    """NumaOptions whose type is 'node'."""

    _tag = "type"
    type: Final = NumaOptionsType.NODE
    __slots__ = ("nodeid", "cpus", "mem", "memdev")
    _members = "nodeid*:uint16 cpus*:[uint16] mem*:size memdev*:str"

    def __init__(
        self, *, nodeid: int | None = None, cpus: list[int] | None = None, mem: int | None = None,
        memdev: str | None = None,
    ) -> None:
        self.nodeid = nodeid
        self.cpus = cpus
        self.mem = mem
        self.memdev = memdev


class NumaOptions_dist(Struct):
    """NumaOptions whose type is 'dist'."""

    _tag = "type"
    type: Final = NumaOptionsType.DIST
    __slots__ = ("src", "dst", "val")
    _members = "src:uint16 dst:uint16 val:uint8"

    def __init__(self, *, src: int, dst: int, val: int) -> None:
        self.src = src
        self.dst = dst
        self.val = val


class NumaOptions_cpu(Struct):
    """NumaOptions whose type is 'cpu'."""

    _tag = "type"
    type: Final = NumaOptionsType.CPU
    __slots__ = ("node_id", "socket_id", "die_id", "cluster_id", "core_id", "thread_id")
    _members = "node-id*:int socket-id*:int die-id*:int cluster-id*:int core-id*:int thread-id*:int"

    def __init__(
        self, *, node_id: int | None = None, socket_id: int | None = None, die_id: int | None = None,
        cluster_id: int | None = None, core_id: int | None = None, thread_id: int | None = None,
    ) -> None:
        self.node_id = node_id
        self.socket_id = socket_id
        self.die_id = die_id
        self.cluster_id = cluster_id
        self.core_id = core_id
        self.thread_id = thread_id


class MemoryDeviceInfo_dimm(Struct):
    """MemoryDeviceInfo whose type is 'dimm'."""

    _tag = "type"
    type: Final = MemoryDeviceInfoKind.DIMM
    __slots__ = ("data",)
    _members = "data:PCDIMMDeviceInfo"

    def __init__(self, *, data: PCDIMMDeviceInfo) -> None:
        self.data = data


class MemoryDeviceInfo_nvdimm(Struct):
    """MemoryDeviceInfo whose type is 'nvdimm'."""

    _tag = "type"
    type: Final = MemoryDeviceInfoKind.NVDIMM
    __slots__ = ("data",)
    _members = "data:PCDIMMDeviceInfo"

    def __init__(self, *, data: PCDIMMDeviceInfo) -> None:
        self.data = data


SchemaInfo: TypeAlias = (
    SchemaInfo_builtin
    | SchemaInfo_enum
    | SchemaInfo_array
    | SchemaInfo_object
    | SchemaInfo_alternate
    | SchemaInfo_command
    | SchemaInfo_event
)
"""One thing of the schema."""


GuestPanicInformation: TypeAlias = GuestPanicInformation_hyper_v | GuestPanicInformation_s390
"""Details of a guest's crash."""


SocketAddress: TypeAlias = SocketAddress_inet | SocketAddress_unix | SocketAddress_vsock | SocketAddress_fd
"""The address of a socket, members inside data."""


SocketAddressFlat: TypeAlias = (
    SocketAddressFlat_inet
    | SocketAddressFlat_unix
    | SocketAddressFlat_vsock
    | SocketAddressFlat_fd
)
"""The address of a socket, members beside type."""


QCryptoBlockOpenOptions: TypeAlias = QCryptoBlockOpenOptions_qcow | QCryptoBlockOpenOptions_luks
"""How an encrypted volume is opened."""


QCryptoBlockCreateOptions: TypeAlias = QCryptoBlockCreateOptions_qcow | QCryptoBlockCreateOptions_luks
"""How an encrypted volume is made."""


ImageInfoSpecific: TypeAlias = ImageInfoSpecific_qcow2 | ImageInfoSpecific_vmdk
"""Properties of images of one format."""


BlockdevQcow2Encryption: TypeAlias = BlockdevQcow2Encryption_aes | BlockdevQcow2Encryption_luks
"""The key of a qcow2 image."""


BlockdevOptions: TypeAlias = (
    BlockdevOptions_archipelago
    | BlockdevOptions_blkdebug
    | BlockdevOptions_blkverify
    | BlockdevOptions_bochs
    | BlockdevOptions_cloop
    | BlockdevOptions_copy_on_read
    | BlockdevOptions_dmg
    | BlockdevOptions_file
    | BlockdevOptions_ftp
    | BlockdevOptions_ftps
    | BlockdevOptions_host_cdrom
    | BlockdevOptions_host_device
    | BlockdevOptions_http
    | BlockdevOptions_https
    | BlockdevOptions_luks
    | BlockdevOptions_nbd
    | BlockdevOptions_null_aio
    | BlockdevOptions_null_co
    | BlockdevOptions_parallels
    | BlockdevOptions_qcow2
    | BlockdevOptions_qcow
    | BlockdevOptions_qed
    | BlockdevOptions_quorum
    | BlockdevOptions_raw
    | BlockdevOptions_tftp
    | BlockdevOptions_throttle
    | BlockdevOptions_vdi
    | BlockdevOptions_vhdx
    | BlockdevOptions_vmdk
    | BlockdevOptions_vpc
    | BlockdevOptions_vvfat
)
"""A block node."""


BlockdevCreateOptions: TypeAlias = (
    BlockdevCreateOptions_file
    | BlockdevCreateOptions_luks
    | BlockdevCreateOptions_parallels
    | BlockdevCreateOptions_qcow
    | BlockdevCreateOptions_qcow2
    | BlockdevCreateOptions_qed
    | BlockdevCreateOptions_vdi
    | BlockdevCreateOptions_vhdx
    | BlockdevCreateOptions_vmdk
    | BlockdevCreateOptions_vpc
    | BlockdevCreateOptions_archipelago
    | BlockdevCreateOptions_blkdebug
    | BlockdevCreateOptions_blkverify
    | BlockdevCreateOptions_bochs
    | BlockdevCreateOptions_cloop
    | BlockdevCreateOptions_copy_on_read
    | BlockdevCreateOptions_dmg
    | BlockdevCreateOptions_ftp
    | BlockdevCreateOptions_ftps
    | BlockdevCreateOptions_host_cdrom
    | BlockdevCreateOptions_host_device
    | BlockdevCreateOptions_http
    | BlockdevCreateOptions_https
    | BlockdevCreateOptions_nbd
    | BlockdevCreateOptions_null_aio
    | BlockdevCreateOptions_null_co
    | BlockdevCreateOptions_quorum
    | BlockdevCreateOptions_raw
    | BlockdevCreateOptions_tftp
    | BlockdevCreateOptions_throttle
    | BlockdevCreateOptions_vvfat
)
"""A new image."""


BlockExportOptions: TypeAlias = BlockExportOptions_nbd
"""An export."""


TransactionAction: TypeAlias = (
    TransactionAction_blockdev_snapshot
    | TransactionAction_blockdev_snapshot_sync
    | TransactionAction_drive_backup
    | TransactionAction_blockdev_backup
    | TransactionAction_abort
    | TransactionAction_blockdev_snapshot_internal_sync
    | TransactionAction_block_dirty_bitmap_add
    | TransactionAction_block_dirty_bitmap_remove
    | TransactionAction_block_dirty_bitmap_clear
    | TransactionAction_block_dirty_bitmap_enable
    | TransactionAction_block_dirty_bitmap_disable
    | TransactionAction_block_dirty_bitmap_merge
)
"""An action: the command of that name and its arguments."""


ChardevBackend: TypeAlias = (
    ChardevBackend_file
    | ChardevBackend_serial
    | ChardevBackend_parallel
    | ChardevBackend_pipe
    | ChardevBackend_socket
    | ChardevBackend_udp
    | ChardevBackend_pty
    | ChardevBackend_null
    | ChardevBackend_mux
    | ChardevBackend_msmouse
    | ChardevBackend_braille
    | ChardevBackend_testdev
    | ChardevBackend_stdio
    | ChardevBackend_console
    | ChardevBackend_spicevmc
    | ChardevBackend_spiceport
    | ChardevBackend_vc
    | ChardevBackend_ringbuf
    | ChardevBackend_memory
)
"""What a character device is connected to."""


NetClientOptions: TypeAlias = (
    NetClientOptions_none
    | NetClientOptions_nic
    | NetClientOptions_user
    | NetClientOptions_tap
    | NetClientOptions_l2tpv3
    | NetClientOptions_socket
    | NetClientOptions_vde
    | NetClientOptions_dump
    | NetClientOptions_bridge
    | NetClientOptions_hubport
    | NetClientOptions_netmap
    | NetClientOptions_vhost_user
)
"""The kinds of network backends in the form of release 2.6."""


Netdev: TypeAlias = (
    Netdev_nic
    | Netdev_user
    | Netdev_tap
    | Netdev_l2tpv3
    | Netdev_socket
    | Netdev_stream
    | Netdev_dgram
    | Netdev_vde
    | Netdev_bridge
    | Netdev_hubport
    | Netdev_netmap
    | Netdev_vhost_user
    | Netdev_none
)
"""A network backend."""


KeyValue: TypeAlias = KeyValue_number | KeyValue_qcode
"""A key."""


InputEvent: TypeAlias = InputEvent_key | InputEvent_btn | InputEvent_rel | InputEvent_abs
"""Something that a person did: key, btn, rel (a movement) or abs (a position)."""


TpmTypeOptions: TypeAlias = TpmTypeOptions_passthrough | TpmTypeOptions_emulator
"""The options of a TPM backend."""


ObjectOptions: TypeAlias = (
    ObjectOptions_authz_list
    | ObjectOptions_authz_listfile
    | ObjectOptions_authz_simple
    | ObjectOptions_filter_buffer
    | ObjectOptions_filter_dump
    | ObjectOptions_filter_mirror
    | ObjectOptions_filter_redirector
    | ObjectOptions_filter_replay
    | ObjectOptions_filter_rewriter
    | ObjectOptions_input_linux
    | ObjectOptions_iothread
    | ObjectOptions_memory_backend_file
    | ObjectOptions_memory_backend_memfd
    | ObjectOptions_memory_backend_ram
    | ObjectOptions_qtest
    | ObjectOptions_rng_builtin
    | ObjectOptions_rng_egd
    | ObjectOptions_rng_random
    | ObjectOptions_secret
    | ObjectOptions_secret_keyring
    | ObjectOptions_throttle_group
    | ObjectOptions_tls_cipher_suites
    | ObjectOptions_tls_creds_anon
    | ObjectOptions_tls_creds_psk
    | ObjectOptions_tls_creds_x509
    | ObjectOptions_can_bus
)
"""What object-add makes."""


CpuInfo: TypeAlias = CpuInfo_x86 | CpuInfo_sparc | CpuInfo_ppc | CpuInfo_mips | CpuInfo_tricore | CpuInfo_other
"""A virtual CPU, in the form of release 2.6."""


CpuInfoFast: TypeAlias = (
    CpuInfoFast_s390x
    | CpuInfoFast_aarch64
    | CpuInfoFast_alpha
    | CpuInfoFast_arm
    | CpuInfoFast_avr
    | CpuInfoFast_cris
    | CpuInfoFast_hppa
    | CpuInfoFast_i386
    | CpuInfoFast_lm32
    | CpuInfoFast_loongarch64
    | CpuInfoFast_m68k
    | CpuInfoFast_microblaze
    | CpuInfoFast_microblazeel
    | CpuInfoFast_mips
    | CpuInfoFast_mips64
    | CpuInfoFast_mips64el
    | CpuInfoFast_mipsel
    | CpuInfoFast_moxie
    | CpuInfoFast_nios2
    | CpuInfoFast_or1k
    | CpuInfoFast_or32
    | CpuInfoFast_ppc
    | CpuInfoFast_ppc64
    | CpuInfoFast_riscv32
    | CpuInfoFast_riscv64
    | CpuInfoFast_rx
    | CpuInfoFast_sh4
    | CpuInfoFast_sh4eb
    | CpuInfoFast_sparc
    | CpuInfoFast_sparc64
    | CpuInfoFast_tilegx
    | CpuInfoFast_tricore
    | CpuInfoFast_unicore32
    | CpuInfoFast_x86_64
    | CpuInfoFast_xtensa
    | CpuInfoFast_xtensaeb
)
"""A virtual CPU."""


NumaOptions: TypeAlias = NumaOptions_node | NumaOptions_dist | NumaOptions_cpu
"""One option -numa."""


MemoryDeviceInfo: TypeAlias = MemoryDeviceInfo_dimm | MemoryDeviceInfo_nvdimm
"""A memory device."""


StrOrNull: TypeAlias = str | Null
"""A string, or null to say that there is none."""


BlockDirtyBitmapOrStr: TypeAlias = str | BlockDirtyBitmap
"""A dirty bitmap."""


Qcow2OverlapChecks: TypeAlias = Qcow2OverlapCheckFlags | Qcow2OverlapCheckMode
"""Checks against overwriting metadata."""


BlockdevRef: TypeAlias = BlockdevOptions | str
"""A block node within another one."""


BlockdevRefOrNull: TypeAlias = BlockdevOptions | str | Null
"""A block node within another one, or none."""


UNIONS: Final[dict[str, tuple[str, str]]] = {
    "SchemaInfo": (
        "meta-type",
        "builtin enum array object alternate command event",
    ),
    "GuestPanicInformation": (
        "type",
        "hyper-v s390",
    ),
    "SocketAddress": (
        "type",
        "inet unix vsock fd",
    ),
    "SocketAddressFlat": (
        "type",
        "inet unix vsock fd",
    ),
    "QCryptoBlockOpenOptions": (
        "format",
        "qcow luks",
    ),
    "QCryptoBlockCreateOptions": (
        "format",
        "qcow luks",
    ),
    "ImageInfoSpecific": (
        "type",
        "qcow2 vmdk",
    ),
    "BlockdevQcow2Encryption": (
        "format",
        "aes luks",
    ),
    "BlockdevOptions": (
        "driver",
        (
            "archipelago blkdebug blkverify bochs cloop copy-on-read dmg file ftp ftps host_cdrom host_device http "
            "https luks nbd null-aio null-co parallels qcow2 qcow qed quorum raw tftp throttle vdi vhdx vmdk vpc "
            "vvfat"
        ),
    ),
    "BlockdevCreateOptions": (
        "driver",
        (
            "file luks parallels qcow qcow2 qed vdi vhdx vmdk vpc archipelago blkdebug blkverify bochs cloop "
            "copy-on-read dmg ftp ftps host_cdrom host_device http https nbd null-aio null-co quorum raw tftp "
            "throttle vvfat"
        ),
    ),
    "BlockExportOptions": (
        "type",
        "nbd",
    ),
    "TransactionAction": (
        "type",
        (
            "blockdev-snapshot blockdev-snapshot-sync drive-backup blockdev-backup abort "
            "blockdev-snapshot-internal-sync block-dirty-bitmap-add block-dirty-bitmap-remove "
            "block-dirty-bitmap-clear block-dirty-bitmap-enable block-dirty-bitmap-disable block-dirty-bitmap-merge"
        ),
    ),
    "ChardevBackend": (
        "type",
        (
            "file serial parallel pipe socket udp pty null mux msmouse braille testdev stdio console spicevmc "
            "spiceport vc ringbuf memory"
        ),
    ),
    "NetClientOptions": (
        "type",
        "none nic user tap l2tpv3 socket vde dump bridge hubport netmap vhost-user",
    ),
    "Netdev": (
        "type",
        "nic user tap l2tpv3 socket stream dgram vde bridge hubport netmap vhost-user none",
    ),
    "KeyValue": (
        "type",
        "number qcode",
    ),
    "InputEvent": (
        "type",
        "key btn rel abs",
    ),
    "TpmTypeOptions": (
        "type",
        "passthrough emulator",
    ),
    "ObjectOptions": (
        "qom-type",
        (
            "authz-list authz-listfile authz-simple filter-buffer filter-dump filter-mirror filter-redirector "
            "filter-replay filter-rewriter input-linux iothread memory-backend-file memory-backend-memfd "
            "memory-backend-ram qtest rng-builtin rng-egd rng-random secret secret_keyring throttle-group "
            "tls-cipher-suites tls-creds-anon tls-creds-psk tls-creds-x509 can-bus"
        ),
    ),
    "CpuInfo": (
        "arch",
        "x86 sparc ppc mips tricore other",
    ),
    "CpuInfoFast": (
        "target",
        (
            "s390x aarch64 alpha arm avr cris hppa i386 lm32 loongarch64 m68k microblaze microblazeel mips mips64 "
            "mips64el mipsel moxie nios2 or1k or32 ppc ppc64 riscv32 riscv64 rx sh4 sh4eb sparc sparc64 tilegx "
            "tricore unicore32 x86_64 xtensa xtensaeb"
        ),
    ),
    "NumaOptions": (
        "type",
        "node dist cpu",
    ),
    "MemoryDeviceInfo": (
        "type",
        "dimm nvdimm",
    ),
}
"""Union → its discriminator, its branches."""

ALTERNATES: Final[dict[str, str]] = {
    "StrOrNull": "str null",
    "BlockDirtyBitmapOrStr": "str BlockDirtyBitmap",
    "Qcow2OverlapChecks": "Qcow2OverlapCheckFlags Qcow2OverlapCheckMode",
    "BlockdevRef": "BlockdevOptions str",
    "BlockdevRefOrNull": "BlockdevOptions str null",
}
"""Alternate → the types that it may be of."""
