"""The QMP commands of migration."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from pyqemu.migration.halves import Options
from pyqemu.migration.information import migration_info
from pyqemu.migration.migration import Migration
from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import ErrorClass, QapiError
from pyqemu.qapi.generated import types as qapi
from pyqemu.system import System


@command("migrate")
def migrate(
    system: System,
    *,
    uri: str,
    blk: bool | None = None,
    inc: bool | None = None,
    detach: bool | None = None,
    resume: bool | None = None,
) -> None:
    """Begin to send the machine elsewhere.

    :raise QapiError: it cannot be begun; what happens later is told by query-migrate.
    """
    options = Options(block=bool(blk), incremental=bool(inc))
    system.part(Migration).migrate(uri, options, resume=bool(resume))


@command("migrate_cancel")
def migrate_cancel(system: System) -> None:
    """End it; the guest goes on here."""
    system.part(Migration).cancel()


@command("migrate-continue")
def migrate_continue(system: System, *, state: qapi.MigrationStatus) -> None:
    """Let it go on, if it waits in that state."""
    system.part(Migration).continue_(state)


@command("migrate-start-postcopy")
def migrate_start_postcopy(system: System) -> None:
    """Let the guest run at the destination now."""
    system.part(Migration).start_postcopy()


@command("migrate-pause")
def migrate_pause(system: System) -> None:
    """No migration of ours waits for another connection."""
    raise QapiError("migrate-pause is currently only supported during postcopy-active state")


@command("migrate-recover")
def migrate_recover(system: System, *, uri: str) -> None:
    """No migration of ours waits for another connection."""
    raise QapiError("Migrate recover can only be run when postcopy is paused.")


@command("migrate-incoming")
async def migrate_incoming(system: System, *, uri: str) -> None:
    """Let a machine in, after ``-incoming defer``.

    :raise QapiError: nothing can come in there.
    """
    migration = system.part(Migration)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(error: Exception | None) -> None:
        if done.done():
            return  # whoever asked has gone
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def body() -> None:
        """In a thread: looking up a name may take its time."""
        problem: Exception | None = None
        try:
            migration.start_incoming(uri)
        except Exception as error:
            problem = error
        with suppress(RuntimeError):  # the program has ended
            loop.call_soon_threadsafe(tell, problem)

    threading.Thread(target=body, name="migrate-incoming", daemon=True).start()
    await done


@command("query-migrate")
def query_migrate(system: System) -> qapi.MigrationInfo:
    """The latest migration."""
    return migration_info(system.part(Migration))


@command("migrate-set-capabilities")
def migrate_set_capabilities(system: System, *, capabilities: list[qapi.MigrationCapabilityStatus]) -> None:
    """Switch capabilities on and off."""
    system.part(Migration).set_capabilities((entry.capability, entry.state) for entry in capabilities)


@command("query-migrate-capabilities")
def query_migrate_capabilities(system: System) -> list[qapi.MigrationCapabilityStatus]:
    """All capabilities."""
    entries = system.part(Migration).capabilities
    return [qapi.MigrationCapabilityStatus(capability=capability, state=state) for capability, state in entries]


@command("migrate-set-parameters")
def migrate_set_parameters(system: System, *, arguments: qapi.MigrateSetParameters) -> None:
    """Change parameters."""
    system.part(Migration).parameters.set(arguments)


@command("query-migrate-parameters")
def query_migrate_parameters(system: System) -> qapi.MigrationParameters:
    """All parameters."""
    return system.part(Migration).parameters.as_qapi()


@command("migrate_set_speed")
def migrate_set_speed(system: System, *, value: int) -> None:
    """Set max-bandwidth."""
    system.part(Migration).parameters.set_speed(value)


@command("migrate_set_downtime")
def migrate_set_downtime(system: System, *, value: float) -> None:
    """Set downtime-limit, in seconds."""
    system.part(Migration).parameters.set_downtime(value)


@command("migrate-set-cache-size")
def migrate_set_cache_size(system: System, *, value: int) -> None:
    """Set xbzrle-cache-size."""
    system.part(Migration).parameters.set_cache_size(value)


@command("query-migrate-cache-size")
def query_migrate_cache_size(system: System) -> int:
    """The xbzrle-cache-size."""
    return system.part(Migration).parameters.xbzrle_cache_size


@command("client_migrate_info")
def client_migrate_info(
    system: System,
    *,
    protocol: str,
    hostname: str,
    port: int | None = None,
    tls_port: int | None = None,
    cert_subject: str | None = None,
) -> None:
    """Only SPICE could tell its clients where to go.

    :raise QapiError: always: there is none.
    """
    if protocol == "spice":
        raise QapiError("SPICE is not in use", ErrorClass.DeviceNotActive)
    raise QapiError("Parameter 'protocol' expects spice")
