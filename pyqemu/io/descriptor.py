"""Channels on descriptors that were opened by somebody else (``fd:``)."""

from __future__ import annotations

import os
import socket
import stat

from pyqemu.io.channel import Channel, PipeChannel, Timeouts
from pyqemu.io.errors import ConnectError, reason
from pyqemu.io.file import FileChannel
from pyqemu.io.interrupt import Interrupt
from pyqemu.io.sockets import SocketChannel


def open_descriptor(fd: int, name: str, interrupt: Interrupt, timeouts: Timeouts) -> Channel:
    """The channel that fits a descriptor, which belongs to the channel from now on.

    :raise ConnectError: it is not open.
    """
    peer = f"fd:{name}"
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISSOCK(mode):
            return SocketChannel(socket.socket(fileno=fd), peer, interrupt, timeouts)
        if stat.S_ISFIFO(mode) or os.isatty(fd):
            return PipeChannel(fd, peer, interrupt, timeouts)
    except (OSError, OverflowError) as error:
        text = reason(error) if isinstance(error, OSError) else str(error)
        raise ConnectError(f"Invalid file descriptor number '{name}'", text, peer=peer, cause=error) from None
    return FileChannel(fd, peer, interrupt, timeouts)
