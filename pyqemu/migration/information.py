"""What ``query-migrate`` tells."""

from __future__ import annotations

import socket

from pyqemu.io.resolve import Address
from pyqemu.migration.capabilities import Capabilities
from pyqemu.migration.halves import Counters, XbzrleCounters
from pyqemu.migration.incoming import IncomingMigration
from pyqemu.migration.migration import Migration
from pyqemu.migration.outgoing import OutgoingMigration
from pyqemu.migration.progress import UNDER_WAY, MigrationState
from pyqemu.qapi.generated import types as qapi
from pyqemu.qapi.generated.types import MigrationCapability, MigrationStatus


def migration_info(migration: Migration) -> qapi.MigrationInfo:
    """The latest migration, of whatever direction; members are absent where they mean nothing."""
    info = qapi.MigrationInfo()
    if migration.blockers.reasons:
        info.blocked_reasons = migration.blockers.reasons
    if migration.incoming is not None and migration.state is None:
        _add_incoming(info, migration.incoming)
    elif migration.state is not None:
        _add_outgoing(info, migration.state, migration.outgoing, migration.capabilities)
    return info


def _add_incoming(info: qapi.MigrationInfo, incoming: IncomingMigration) -> None:
    state = incoming.state
    if state.status is not MigrationStatus.NONE:
        info.status = state.status
        _add_failure(info, state)
    elif incoming.listener is not None:
        path, addresses = incoming.listener.path, incoming.listener.addresses
        listed: list[qapi.SocketAddressFlat] = [_address(entry) for entry in addresses]
        info.socket_address = listed or [qapi.SocketAddressFlat_unix(path=path)]


def _address(address: Address) -> qapi.SocketAddressFlat_inet:
    ipv4 = True if address.family == socket.AF_INET else None
    ipv6 = True if address.family == socket.AF_INET6 else None
    return qapi.SocketAddressFlat_inet(host=address.host, port=str(address.where[1]), ipv4=ipv4, ipv6=ipv6)


def _add_failure(info: qapi.MigrationInfo, state: MigrationState) -> None:
    if state.failure is not None:
        info.error_desc = str(state.failure)


def _add_outgoing(
    info: qapi.MigrationInfo,
    state: MigrationState,
    outgoing: OutgoingMigration | None,
    capabilities: Capabilities,
) -> None:
    info.status = state.status
    _add_failure(info, state)
    if outgoing is None or state.status not in UNDER_WAY | {MigrationStatus.COMPLETED}:
        return
    statistics = outgoing.statistics
    info.total_time = state.total_time
    info.setup_time = state.setup_time
    if state.status is MigrationStatus.COMPLETED:
        info.downtime = state.downtime
    else:
        info.expected_downtime = statistics.expected_downtime
    info.ram = _stats(statistics.ram)
    if statistics.disk is not None:
        info.disk = _stats(statistics.disk)
    if MigrationCapability.XBZRLE in capabilities:
        info.xbzrle_cache = _xbzrle(statistics.xbzrle or XbzrleCounters(outgoing.parameters.xbzrle_cache_size))
    if state.status is not MigrationStatus.COMPLETED:
        info.cpu_throttle_percentage = statistics.cpu_throttle_percentage


def _stats(counters: Counters) -> qapi.MigrationStats:
    return qapi.MigrationStats(
        transferred=counters.transferred,
        remaining=counters.remaining,
        total=counters.total,
        duplicate=counters.duplicate,
        skipped=counters.skipped,
        normal=counters.normal,
        normal_bytes=counters.normal_bytes,
        dirty_pages_rate=counters.dirty_pages_rate,
        mbps=counters.mbps,
        dirty_sync_count=counters.dirty_sync_count,
        postcopy_requests=counters.postcopy_requests,
        page_size=counters.page_size,
    )


def _xbzrle(counters: XbzrleCounters) -> qapi.XBZRLECacheStats:
    return qapi.XBZRLECacheStats(
        cache_size=counters.cache_size,
        bytes=counters.bytes,
        pages=counters.pages,
        cache_miss=counters.cache_miss,
        cache_miss_rate=counters.cache_miss_rate,
        overflow=counters.overflow,
    )
