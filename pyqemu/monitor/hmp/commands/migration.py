"""Migration: ``migrate``, ``info migrate`` and what belongs to them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from pyqemu.migration import commands
from pyqemu.migration.capabilities import HUMAN, Capabilities
from pyqemu.migration.failure import Failure
from pyqemu.migration.halves import Options
from pyqemu.migration.information import migration_info
from pyqemu.migration.migration import Migration
from pyqemu.migration.outgoing import OutgoingMigration
from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.qapi.generated import types as qapi
from pyqemu.qapi.generated.types import MigrationStatus

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


# -- commands


@hmp_command(
    "migrate",
    "detach:-d,blk:-b,inc:-i,uri:s",
    "send the machine elsewhere (-d: do not wait, -b: with all of its disks, -i: with what its disks have changed)",
)
async def migrate(hmp: Hmp, *, detach: bool, blk: bool, inc: bool, uri: str) -> None:
    with hmp.system.lock:
        outgoing = hmp.system.part(Migration).migrate(uri, Options(block=blk, incremental=inc))
    if detach:
        return
    if not hmp.interactive:
        hmp.print("terminal does not allow synchronous migration, continuing detached")
        return
    await _end_of(outgoing)
    if outgoing.state.failure is not None:
        hmp.print(outgoing.state.failure.message)
        _print_context(hmp, outgoing.state.failure)


def _print_context(hmp: Hmp, failure: Failure) -> None:
    """What is known besides QEMU's message, on a line of its own: clients compare whole lines."""
    if failure.context:
        hmp.print(f"error context: {failure.context}")


async def _end_of(outgoing: OutgoingMigration) -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the program has ended
            loop.call_soon_threadsafe(over.set)

    outgoing.when_over(tell)
    await over.wait()


@hmp_command("migrate_cancel", "", "cancel the present migration")
def migrate_cancel(hmp: Hmp) -> None:
    with hmp.system.lock:
        hmp.system.part(Migration).cancel()


@hmp_command("migrate_continue", "state:s", "let a migration go on that waits in a state")
def migrate_continue(hmp: Hmp, *, state: str) -> None:
    known = MigrationStatus._value2member_map_
    if state not in known:
        hmp.print(f"invalid parameter value: {state}")
        return
    with hmp.system.lock:
        hmp.system.part(Migration).continue_(MigrationStatus(state))


@hmp_command("migrate_incoming", "uri:s", "let a machine in, after -incoming defer")
async def migrate_incoming(hmp: Hmp, *, uri: str) -> None:
    await commands.migrate_incoming(hmp.system, uri=uri)


@hmp_command("migrate_start_postcopy", "", "let the guest run at the destination now, and send the rest meanwhile")
def migrate_start_postcopy(hmp: Hmp) -> None:
    with hmp.system.lock:
        hmp.system.part(Migration).start_postcopy()


@hmp_command("migrate_set_speed", "value:o", "set the most bytes that migration sends in a second")
def migrate_set_speed(hmp: Hmp, *, value: int) -> None:
    with hmp.system.lock:
        hmp.system.part(Migration).parameters.set_speed(value)


@hmp_command("migrate_set_downtime", "value:T", "set for how long migration may halt the guest")
def migrate_set_downtime(hmp: Hmp, *, value: float) -> None:
    with hmp.system.lock:
        hmp.system.part(Migration).parameters.set_downtime(value)


@hmp_command("migrate_set_cache_size", "value:o", "set the size of XBZRLE's cache")
def migrate_set_cache_size(hmp: Hmp, *, value: int) -> None:
    with hmp.system.lock:
        hmp.system.part(Migration).parameters.set_cache_size(value)


@hmp_command("migrate_set_capability", "capability:s,state:b", "switch a capability of migration on or off")
def migrate_set_capability(hmp: Hmp, *, capability: str, state: bool) -> None:
    with hmp.system.lock:
        hmp.system.part(Migration).set_capabilities([(Capabilities.named(capability), state)])


@hmp_command("migrate_set_parameter", "parameter:s,value:s", "change a parameter of migration")
def migrate_set_parameter(hmp: Hmp, *, parameter: str, value: str) -> None:
    with hmp.system.lock:
        hmp.system.part(Migration).parameters.set_text(parameter, value)


@hmp_command(
    "client_migrate_info",
    "protocol:s,hostname:s,port:i?,tls-port:i?,cert-subject:s?",
    "tell clients of a display where the machine will be",
)
def client_migrate_info(
    hmp: Hmp,
    *,
    protocol: str,
    hostname: str,
    port: int | None = None,
    tls_port: int | None = None,
    cert_subject: str | None = None,
) -> None:
    commands.client_migrate_info(
        hmp.system, protocol=protocol, hostname=hostname, port=port, tls_port=tls_port, cert_subject=cert_subject
    )


# -- information


@hmp_command("migrate", "", "the state of migration", is_info=True)
def info_migrate(hmp: Hmp) -> None:
    with hmp.system.lock:
        migration = hmp.system.part(Migration)
        info = migration_info(migration)
        state = migration.state or (migration.incoming.state if migration.incoming is not None else None)
    if info.blocked_reasons:
        hmp.print("\n".join(["Outgoing migration blocked:", *(f"  {reason}" for reason in info.blocked_reasons)]))
    if info.socket_address:
        hmp.print("\n".join(["socket address: [", *(f"\t{_shown(entry)}" for entry in info.socket_address), "]"]))
    if info.status is None:
        return
    hmp.print(_capabilities(migration.capabilities))
    failure = state.failure if state is not None else None
    hmp.print(f"Migration status: {info.status}" + (f" ({failure.message})" if failure is not None else ""))
    if failure is not None:
        _print_context(hmp, failure)
    for text in _figures(info):
        hmp.print(text)


def _shown(address: qapi.SocketAddressFlat) -> str:
    match address:
        case qapi.SocketAddressFlat_inet():
            return f"tcp:{address.host}:{address.port}"
        case qapi.SocketAddressFlat_unix():
            return f"unix:{address.path}"
        case _:
            return str(address)


def _capabilities(capabilities: Capabilities) -> str:
    listed = (f"{name}: {'on' if capability in capabilities else 'off'}" for name, capability in HUMAN)
    return f"capabilities: {' '.join(listed)}"


def _figures(info: qapi.MigrationInfo) -> list[str]:
    lines = [f"total time: {info.total_time or 0} milliseconds"]
    for name, value in (
        ("expected downtime", info.expected_downtime),
        ("downtime", info.downtime),
        ("setup", info.setup_time),
    ):
        if value is not None:
            lines.append(f"{name}: {value} milliseconds")
    if info.ram is not None:
        lines += _ram(info.ram)
    if info.disk is not None:
        lines += _amounts("disk", info.disk)
    if info.xbzrle_cache is not None:
        lines += _xbzrle(info.xbzrle_cache)
    if info.cpu_throttle_percentage is not None:
        lines.append(f"cpu throttle percentage: {info.cpu_throttle_percentage}")
    return lines


def _amounts(what: str, stats: qapi.MigrationStats) -> list[str]:
    return [
        f"transferred {what}: {stats.transferred >> 10} kbytes",
        f"remaining {what}: {stats.remaining >> 10} kbytes",
        f"total {what}: {stats.total >> 10} kbytes",
    ]


def _ram(ram: qapi.MigrationStats) -> list[str]:
    transferred, *rest = _amounts("ram", ram)
    lines = [
        transferred,
        f"throughput: {ram.mbps:.2f} mbps",
        *rest,
        f"duplicate: {ram.duplicate} pages",
        f"skipped: {ram.skipped} pages",
        f"normal: {ram.normal} pages",
        f"normal bytes: {ram.normal_bytes >> 10} kbytes",
        f"dirty sync count: {ram.dirty_sync_count}",
    ]
    if ram.dirty_pages_rate:
        lines.append(f"dirty pages rate: {ram.dirty_pages_rate} pages")
    if ram.postcopy_requests:
        lines.append(f"postcopy request count: {ram.postcopy_requests}")
    return lines


def _xbzrle(cache: qapi.XBZRLECacheStats) -> list[str]:
    return [
        f"cache size: {cache.cache_size} bytes",
        f"xbzrle transferred: {cache.bytes >> 10} kbytes",
        f"xbzrle pages: {cache.pages} pages",
        f"xbzrle cache miss: {cache.cache_miss}",
        f"xbzrle cache miss rate: {cache.cache_miss_rate:.2f}",
        f"xbzrle overflow : {cache.overflow}",
    ]


@hmp_command("migrate_capabilities", "", "the capabilities of migration", is_info=True)
def info_migrate_capabilities(hmp: Hmp) -> None:
    hmp.print(_capabilities(hmp.system.part(Migration).capabilities))


@hmp_command("migrate_parameters", "", "the parameters of migration", is_info=True)
def info_migrate_parameters(hmp: Hmp) -> None:
    parameters = hmp.system.part(Migration).parameters
    listed = [
        ("compress-level", parameters.compress_level),
        ("compress-threads", parameters.compress_threads),
        ("decompress-threads", parameters.decompress_threads),
        ("cpu-throttle-initial", parameters.cpu_throttle_initial),
        ("cpu-throttle-increment", parameters.cpu_throttle_increment),
        ("tls-creds", f"'{parameters.tls_creds}'"),
        ("tls-hostname", f"'{parameters.tls_hostname}'"),
        ("max-bandwidth", f"{parameters.max_bandwidth} bytes/second"),
        ("downtime-limit", f"{parameters.downtime_limit} milliseconds"),
    ]
    hmp.print(f"parameters: {' '.join(f'{name}: {value}' for name, value in listed)}")


@hmp_command("migrate_cache_size", "", "the size of XBZRLE's cache", is_info=True)
def info_migrate_cache_size(hmp: Hmp) -> None:
    size = hmp.system.part(Migration).parameters.xbzrle_cache_size
    hmp.print(f"xbzrel cache size: {size >> 10} kbytes")  # clients know the line so
