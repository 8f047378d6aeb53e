"""PNG pictures of any size, made without a drawing library."""

import random
import struct
import zlib


def png(width: int, height: int, *, noise: bool = False) -> bytes:
    """A grey picture, or one of noise, which does not compress."""
    row = random.Random(1).randbytes(width) if noise else bytes(width)
    pixels = zlib.compress((b"\0" + row) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
