"""Events of the schema.

Generated from ``qapi-schema.json`` by ``python -m pyqemu.qapi``; changes belong there.
"""

# fmt: off

from __future__ import annotations

from typing import Final

EVENTS: Final[dict[str, tuple[str, str]]] = {
    "SHUTDOWN": ("guest:bool reason:ShutdownCause", ""),
    "POWERDOWN": ("", ""),
    "RESET": ("guest:bool reason:ShutdownCause", ""),
    "STOP": ("", ""),
    "RESUME": ("", ""),
    "SUSPEND": ("", ""),
    "SUSPEND_DISK": ("", ""),
    "WAKEUP": ("", ""),
    "WATCHDOG": ("action:WatchdogExpirationAction", ""),
    "GUEST_PANICKED": ("action:GuestPanicAction info*:GuestPanicInformation", ""),
    "GUEST_CRASHLOADED": ("action:GuestPanicAction info*:GuestPanicInformation", ""),
    "JOB_STATUS_CHANGE": ("id:str status:JobStatus", ""),
    "BLOCK_WRITE_THRESHOLD": ("node-name:str amount-exceeded:uint64 write-threshold:uint64", ""),
    "BLOCK_IMAGE_CORRUPTED": ("device:str node-name*:str msg:str offset*:int size*:int fatal:bool", ""),
    "BLOCK_IO_ERROR": (
        "device:str node-name*:str operation:IoOperationType action:BlockErrorAction nospace*:bool reason:str",
        "",
    ),
    "BLOCK_JOB_COMPLETED": ("type:BlockJobType device:str len:int offset:int speed:int error*:str", ""),
    "BLOCK_JOB_CANCELLED": ("type:BlockJobType device:str len:int offset:int speed:int", ""),
    "BLOCK_JOB_ERROR": ("device:str operation:IoOperationType action:BlockErrorAction", ""),
    "BLOCK_JOB_READY": ("type:BlockJobType device:str len:int offset:int speed:int", ""),
    "BLOCK_JOB_PENDING": ("type:BlockJobType id:str", ""),
    "QUORUM_FAILURE": ("reference:str sector-num:int sectors-count:int", ""),
    "QUORUM_REPORT_BAD": ("type:QuorumOpType error*:str node-name:str sector-num:int sectors-count:int", ""),
    "DEVICE_TRAY_MOVED": ("device:str id:str tray-open:bool", ""),
    "BLOCK_EXPORT_DELETED": ("id:str", ""),
    "VSERPORT_CHANGE": ("id:str open:bool", ""),
    "NIC_RX_FILTER_CHANGED": ("name*:str path:str", ""),
    "SPICE_CONNECTED": ("server:SpiceBasicInfo client:SpiceBasicInfo", ""),
    "SPICE_INITIALIZED": ("server:SpiceServerInfo client:SpiceChannel", ""),
    "SPICE_DISCONNECTED": ("server:SpiceBasicInfo client:SpiceBasicInfo", ""),
    "SPICE_MIGRATE_COMPLETED": ("", ""),
    "VNC_CONNECTED": ("server:VncServerInfo client:VncBasicInfo", ""),
    "VNC_INITIALIZED": ("server:VncServerInfo client:VncClientInfo", ""),
    "VNC_DISCONNECTED": ("server:VncServerInfo client:VncClientInfo", ""),
    "DUMP_COMPLETED": ("result:DumpQueryResult error*:str", ""),
    "MIGRATION": ("status:MigrationStatus", ""),
    "MIGRATION_PASS": ("pass:int", ""),
    "DEVICE_DELETED": ("device*:str path:str", ""),
    "DEVICE_UNPLUG_GUEST_ERROR": ("device*:str path:str", ""),
    "BALLOON_CHANGE": ("actual:int", ""),
    "MEMORY_DEVICE_SIZE_CHANGE": ("id*:str size:size qom-path:str", ""),
    "MEM_UNPLUG_ERROR": ("device:str msg:str", ""),
    "ACPI_DEVICE_OST": ("info:ACPIOSTInfo", ""),
    "RTC_CHANGE": ("offset:int qom-path:str", ""),
}
"""Event → its data, as the arguments of commands, and flags."""
