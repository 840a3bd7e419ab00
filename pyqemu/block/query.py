"""What drives and nodes are, and what they have done: ``query-block`` and its kin."""

from __future__ import annotations

from pyqemu.block.accounting import Accounting
from pyqemu.block.drive import Drive
from pyqemu.block.node import BlockNode
from pyqemu.qapi.generated import types as qapi

__all__ = ["block_info", "drive_stats", "node_info", "node_stats"]

FORMATS_WITH_DIRTY_FLAG = ("file", "host_device", "raw", "snapshot")


def block_info(drive: Drive) -> qapi.BlockInfo:
    """One entry of ``query-block``."""
    status = drive.io_status
    return qapi.BlockInfo(
        device=drive.id,
        qdev=drive.device_name or None,
        type="unknown",
        removable=drive.removable,
        locked=drive.locked,
        inserted=None if drive.node is None else node_info(drive.node, write_cache=drive.write_cache),
        tray_open=None if drive.tray is None else drive.tray.is_open,
        io_status=None if status is None else qapi.BlockDeviceIoStatus(status),
    )


def node_info(node: BlockNode, *, write_cache: bool = True, flat: bool = False) -> qapi.BlockDeviceInfo:
    """A node, for ``query-block`` and ``query-named-block-nodes``."""
    backing = _backing(node)
    return qapi.BlockDeviceInfo(
        file=node.filename,
        node_name=node.node_name or None,
        ro=node.read_only,
        drv=node.format_name,
        backing_file=None if backing is None else backing.filename,
        backing_file_depth=int(backing is not None),
        encrypted=False,
        encryption_key_missing=False,
        detect_zeroes=qapi.BlockdevDetectZeroesOptions(node.detect_zeroes),
        bps=0, bps_rd=0, bps_wr=0, iops=0, iops_rd=0, iops_wr=0,
        image=_image(node, backing=None if flat else backing),
        cache=qapi.BlockdevCacheInfo(writeback=write_cache, direct=node.direct, no_flush=node.no_flush),
        write_threshold=0,
    )  # fmt: skip


def _backing(node: BlockNode) -> BlockNode | None:
    """What an overlay lies on."""
    return node.below if node.format_name == "snapshot" else None


def _image(node: BlockNode, backing: BlockNode | None = None) -> qapi.ImageInfo:
    return qapi.ImageInfo(
        filename=node.filename,
        format=node.format_name,
        virtual_size=node.size,
        actual_size=node.allocated,
        dirty_flag=False if node.format_name in FORMATS_WITH_DIRTY_FLAG else None,
        backing_filename=None if backing is None else backing.filename,
        backing_image=None if backing is None else _image(backing),
    )


def drive_stats(drive: Drive) -> qapi.BlockStats:
    """One entry of ``query-blockstats``."""
    return qapi.BlockStats(
        device=drive.id,
        qdev=drive.device_name or None,
        node_name=None if drive.node is None else drive.node.node_name or None,
        stats=_figures(drive.accounting, drive.node, of_device=True),
        parent=None if drive.node is None else _below(drive.node),
        backing=None if drive.node is None else _backing_stats(drive.node),
    )


def node_stats(node: BlockNode) -> qapi.BlockStats:
    """One entry of ``query-blockstats`` with ``query-nodes``."""
    return qapi.BlockStats(
        node_name=node.node_name or None,
        stats=_figures(Accounting(), node),
        parent=_below(node),
        backing=_backing_stats(node),
    )


def _below(node: BlockNode) -> qapi.BlockStats | None:
    """The node that *node* keeps its data in; QEMU calls that the parent."""
    return None if node.below is None or _backing(node) is not None else node_stats(node.below)


def _backing_stats(node: BlockNode) -> qapi.BlockStats | None:
    backing = _backing(node)
    return None if backing is None else node_stats(backing)


def _figures(done: Accounting, node: BlockNode | None, *, of_device: bool = False) -> qapi.BlockDeviceStats:
    """Requests are counted where devices make them; of a node only the end of its farthest write is known."""
    return qapi.BlockDeviceStats(
        rd_bytes=done.read.bytes,
        wr_bytes=done.write.bytes,
        rd_operations=done.read.operations,
        wr_operations=done.write.operations,
        flush_operations=done.flush.operations,
        flush_total_time_ns=done.flush.time_ns,
        wr_total_time_ns=done.write.time_ns,
        rd_total_time_ns=done.read.time_ns,
        wr_highest_offset=0 if node is None else node.highest_write,
        rd_merged=0,
        wr_merged=0,
        idle_time_ns=done.idle_ns,
        failed_rd_operations=done.read.failed,
        failed_wr_operations=done.write.failed,
        failed_flush_operations=done.flush.failed,
        invalid_rd_operations=done.read.invalid,
        invalid_wr_operations=done.write.invalid,
        invalid_flush_operations=done.flush.invalid,
        account_invalid=of_device,
        account_failed=of_device,
        timed_stats=[],
    )
