"""TLS credentials as objects of users: ``-object tls-creds-x509,id=tls0,dir=DIR,endpoint=client``."""

from __future__ import annotations

from pyqemu.crypto.credentials import TlsCreds, TlsCredsAnon, TlsCredsX509
from pyqemu.crypto.errors import CredentialsError
from pyqemu.qom.errors import DeviceError
from pyqemu.qom.objects import UserObject, object_type
from pyqemu.qom.property import Property
from pyqemu.qom.secret import Secret


class TlsCredsObject(UserObject):
    """What both kinds have; ``creds`` is what connections use.

    :ivar creds: loaded and checked
    """

    loaded = Property.bool("loaded", False)  # for clients of old: credentials are loaded when they are made
    endpoint = Property.enum("endpoint", ("client", "server"), "client")
    dir = Property.str("dir")
    priority = Property.str("priority")
    creds: TlsCreds

    def complete(self) -> None:
        """Load and check them."""
        try:
            self.creds = self.load()
        except CredentialsError as error:
            raise DeviceError(error.message, error.hint) from None

    def load(self) -> TlsCreds:
        """The credentials.

        :raise CredentialsError: they cannot be had.
        """
        raise NotImplementedError


@object_type("tls-creds-x509", "tls-creds")
class TlsCredsX509Object(TlsCredsObject):
    """Certificates in a directory."""

    verify_peer = Property.bool("verify-peer", True)
    sanity_check = Property.bool("sanity-check", True)
    passwordid = Property.str("passwordid")

    def load(self) -> TlsCreds:
        if not self.dir:
            raise CredentialsError("Missing 'dir' property value", "dir=DIRECTORY with ca-cert.pem")
        return TlsCredsX509(
            self.dir,
            endpoint=self.endpoint,
            verify_peer=self.verify_peer,
            priority=self.priority,
            password=self._password(),
            sanity_check=self.sanity_check,
        )

    def _password(self) -> bytes | None:
        if self.passwordid is None:
            return None
        secret = self.find_object(self.passwordid)
        if not isinstance(secret, Secret):
            raise CredentialsError(f"No secret with id '{self.passwordid}'")
        return secret.value


@object_type("tls-creds-anon", "tls-creds")
class TlsCredsAnonObject(TlsCredsObject):
    """Encryption without certificates."""

    verify_peer = Property.bool("verify-peer", False)

    def load(self) -> TlsCreds:
        return TlsCredsAnon(endpoint=self.endpoint, priority=self.priority, directory=self.dir)
