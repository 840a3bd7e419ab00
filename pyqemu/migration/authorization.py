"""Whether a source may send a machine here: the access list that ``tls-authz`` names knows its certificate's name."""

from __future__ import annotations

from pyqemu.migration.failure import MigrationError
from pyqemu.migration.transports import Host
from pyqemu.qom.authz import Authz
from pyqemu.qom.errors import DeviceError


def check_authorized(name: str | None, peer: str, id: str, host: Host) -> None:
    """See whether the list of that id lets a source in.

    :param name: of the source's certificate, which has been verified; None if it showed none
    :raise MigrationError: it does not, or there is no such list.
    """
    found = host.find_object(id)
    if found is None:
        raise MigrationError(f"Cannot find QAuthZ object ID {id}", "object-add makes them, tls-authz names them")
    if not isinstance(found, Authz):
        kinds = "authz-simple, authz-list and authz-list-file are"
        raise MigrationError(f"Object '{id}' is not a QAuthZ subclass", kinds)
    if name is None:
        raise MigrationError(
            "TLS x509 authz check is impossible",
            f"the source {peer} showed no certificate: tls-authz needs tls-creds-x509 with verify-peer=on",
        )
    try:
        allowed = found.is_allowed(name)
    except DeviceError as error:
        raise MigrationError(error.message, f"so {id}, which is our tls-authz, lets nobody in") from None
    if not allowed:
        raise MigrationError(
            f"TLS x509 authz check for {name} is denied", f"by {found.type_name} '{id}', which is our tls-authz"
        )
