"""What drives and nodes are and do: ``info block``, ``info blockstats``, ``info block-jobs``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyqemu.block import commands
from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.qapi.generated.types import (
    BlockdevDetectZeroesOptions,
    BlockDeviceInfo,
    BlockDeviceIoStatus,
    BlockInfo,
    BlockStats,
    ImageInfo,
)

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp

_UNITS = "KMGT"


def human_size(size: int) -> str:
    """A size in few characters: ``999``, ``1.5K``, ``196K``, ``10G``."""
    if size <= 999:
        return str(size)
    base = 1024
    for unit in _UNITS[:-1]:
        if size < 10 * base:
            return f"{size / base:.1f}{unit}"
        if size < 1000 * base:
            return f"{(size + base // 2) // base}{unit}"
        base *= 1024
    return f"{size / base:.1f}T" if size < 10 * base else f"{(size + base // 2) // base}T"


@hmp_command("block", "nodes:-n,verbose:-v,device:B?", "the drives (-n: the nodes, -v: with what is in the images)",
             is_info=True)  # fmt: skip
def info_block(hmp: Hmp, *, nodes: bool, verbose: bool, device: str | None = None) -> None:
    drives = [] if nodes else [info for info in hmp.call(commands.query_block) if device in (None, info.device)]
    found = [_drive_lines(info, verbose=verbose) for info in drives]
    if nodes or (device is not None and not found):
        named = hmp.call(commands.query_named_block_nodes)
        found = [_node_lines(info, verbose=verbose) for info in named if device in (None, info.node_name)]
    if found:
        hmp.print("\n\n".join("\n".join(lines) for lines in found))


def _drive_lines(info: BlockInfo, *, verbose: bool) -> Iterator[str]:
    inserted = info.inserted
    node_name = inserted.node_name if inserted is not None else None
    name = info.device or node_name or info.qdev or "<anonymous>"
    if info.device and node_name:
        name += f" ({node_name})"
    yield f"{name}: {'[not inserted]' if inserted is None else _image(inserted)}"
    if info.io_status not in (None, BlockDeviceIoStatus.OK):
        yield f"    I/O status:       {info.io_status}"
    if info.removable:
        locked = "locked" if info.locked else "not locked"
        yield f"    Removable device: {locked}, tray {'open' if info.tray_open else 'closed'}"
    if inserted is not None:
        yield from _medium_lines(inserted, verbose=verbose)


def _node_lines(info: BlockDeviceInfo, *, verbose: bool) -> Iterator[str]:
    yield f"{info.node_name or '<anonymous>'}: {_image(info)}"
    yield from _medium_lines(info, verbose=verbose)


def _image(info: BlockDeviceInfo) -> str:
    read_only, encrypted = ", read-only" if info.ro else "", ", encrypted" if info.encrypted else ""
    return f"{info.file} ({info.drv}{read_only}{encrypted})"


def _medium_lines(info: BlockDeviceInfo, *, verbose: bool) -> Iterator[str]:
    cache = info.cache
    direct, no_flush = ", direct" if cache.direct else "", ", ignore flushes" if cache.no_flush else ""
    yield f"    Cache mode:       {'writeback' if cache.writeback else 'writethrough'}{direct}{no_flush}"
    if info.backing_file is not None:
        yield f"    Backing file:     {info.backing_file} (chain depth: {info.backing_file_depth})"
    if info.detect_zeroes is not BlockdevDetectZeroesOptions.OFF:
        yield f"    Detect zeroes:    {info.detect_zeroes}"
    if any((info.bps, info.bps_rd, info.bps_wr, info.iops, info.iops_rd, info.iops_wr)):
        yield (
            f"    I/O throttling:   bps={info.bps} bps_rd={info.bps_rd} bps_wr={info.bps_wr} "
            f"iops={info.iops} iops_rd={info.iops_rd} iops_wr={info.iops_wr}"
        )
    if verbose:
        yield "\nImages:"
        image: ImageInfo | None = info.image
        while image is not None:
            yield from _image_lines(image)
            image = image.backing_image


def _image_lines(image: ImageInfo) -> Iterator[str]:
    yield f"image: {image.filename}"
    yield f"file format: {image.format}"
    yield f"virtual size: {human_size(image.virtual_size)} ({image.virtual_size} bytes)"
    yield f"disk size: {'unavailable' if image.actual_size is None else human_size(image.actual_size)}"
    if image.encrypted:
        yield "encrypted: yes"
    if image.cluster_size:
        yield f"cluster_size: {image.cluster_size}"
    if image.dirty_flag:
        yield "cleanly shut down: no"
    if image.backing_filename is not None:
        actual = image.full_backing_filename
        yield f"backing file: {image.backing_filename}" + (f" (actual path: {actual})" if actual is not None else "")
    if image.backing_filename_format is not None:
        yield f"backing file format: {image.backing_filename_format}"


@hmp_command("blockstats", "", "what the drives have read and written", is_info=True)
def info_blockstats(hmp: Hmp) -> None:
    for stats in hmp.call(commands.query_blockstats):
        if stats.device:
            hmp.print(_stats_line(stats))


def _stats_line(entry: BlockStats) -> str:
    stats = entry.stats
    figures = {
        "rd_bytes": stats.rd_bytes, "wr_bytes": stats.wr_bytes,
        "rd_operations": stats.rd_operations, "wr_operations": stats.wr_operations,
        "flush_operations": stats.flush_operations,
        "wr_total_time_ns": stats.wr_total_time_ns, "rd_total_time_ns": stats.rd_total_time_ns,
        "flush_total_time_ns": stats.flush_total_time_ns,
        "rd_merged": stats.rd_merged, "wr_merged": stats.wr_merged,
        "idle_time_ns": stats.idle_time_ns or 0,
    }  # fmt: skip
    return f"{entry.device}: {' '.join(f'{name}={value}' for name, value in figures.items())}"


@hmp_command("block-jobs", "", "the block jobs that are under way", is_info=True)
def info_block_jobs(hmp: Hmp) -> None:
    jobs = hmp.call(commands.query_block_jobs)
    for job in jobs:
        hmp.print(
            f"Type {job.type}, device {job.device}: Completed {job.offset} of {job.len} bytes, "
            f"speed limit {job.speed} bytes/s"
        )
    if not jobs:
        hmp.print("No active jobs")
