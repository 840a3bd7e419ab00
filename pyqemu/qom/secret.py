"""Secrets: passwords and keys that others refer to by id, so that they stand on no command line."""

from __future__ import annotations

from pyqemu.crypto.errors import CredentialsError
from pyqemu.crypto.secret import load_secret
from pyqemu.qom.errors import DeviceError
from pyqemu.qom.objects import UserObject, object_type
from pyqemu.qom.property import Property


@object_type("secret")
class Secret(UserObject):
    """Bytes given as they are or in base64, directly or in a file, maybe encrypted by another secret."""

    loaded = Property.bool("loaded", False)  # for clients of old: an object is loaded when it is made
    data = Property.str("data")
    file = Property.str("file")
    format = Property.enum("format", ("raw", "base64"), "raw")
    keyid = Property.str("keyid")
    iv = Property.str("iv")

    def __init__(self) -> None:
        super().__init__()
        self.value = b""

    def complete(self) -> None:
        """Read, decode and decrypt it."""
        try:
            self.value = load_secret(data=self.data, file=self.file, format=self.format, key=self._key(), iv=self.iv)
        except CredentialsError as error:
            raise DeviceError(error.message, error.hint) from None

    def _key(self) -> bytes | None:
        if self.keyid is None:
            return None
        key = self.find_object(self.keyid)
        if not isinstance(key, Secret):
            raise CredentialsError(f"No secret with id '{self.keyid}'")
        return key.value
