"""Pictures as files: PNG (ISO/IEC 15948) and PPM (netpbm)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from pyqemu.ui.frame import Frame
from pyqemu.util.errors import UserError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TRUECOLOUR, DEFLATE, ADAPTIVE, NOT_INTERLACED = 2, 0, 0, 0


def to_ppm(frame: Frame) -> bytes:
    """*frame* as a binary PPM file."""
    return b"P6\n%d %d\n255\n" % (frame.width, frame.height) + frame.rgb


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def to_png(frame: Frame) -> bytes:
    """*frame* as a PNG file, 8 bits a sample."""
    header = struct.pack(">IIBBBBB", frame.width, frame.height, 8, TRUECOLOUR, DEFLATE, ADAPTIVE, NOT_INTERLACED)
    stride = frame.width * 3
    lines = b"".join(b"\0" + frame.rgb[start : start + stride] for start in range(0, stride * frame.height, stride))
    return PNG_SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 6)) + _chunk(b"IEND", b"")


def save_screenshot(frame: Frame, path: str) -> None:
    """Write *frame* to *path*: PNG if the name ends so, PPM otherwise.

    :raise UserError: the file cannot be written.
    """
    data = to_png(frame) if path.lower().endswith(".png") else to_ppm(frame)
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise UserError(f"Could not open '{path}': {error.strerror}") from None
