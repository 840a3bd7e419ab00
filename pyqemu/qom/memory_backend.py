"""Memory as an object of its own, which ``-machine memory-backend=ID`` refers to."""

from __future__ import annotations

from pyqemu.qom.errors import DeviceError
from pyqemu.qom.objects import UserObject, object_type
from pyqemu.qom.property import Property


@object_type("memory-backend-ram", "memory-backend")
class MemoryBackendRam(UserObject):
    """Anonymous memory. The host gives it when the guest uses it; where it lies is the host's choice."""

    size = Property.size("size")
    merge = Property.bool("merge", True)
    dump = Property.bool("dump", True)
    prealloc = Property.bool("prealloc")
    share = Property.bool("share")
    policy = Property.enum("policy", ("default", "preferred", "bind", "interleave"), "default")

    def complete(self) -> None:
        """Check what was asked for."""
        if not self.size:
            raise DeviceError("can't create backend with size 0", "size=64M")
        if self.policy != "default":
            raise DeviceError(f"NUMA policy '{self.policy}' is not supported by this build of pyqemu", "policy=default")
