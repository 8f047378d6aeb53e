"""A position model as bytes and back, exactly: a checksum, a JSON header, float64 arrays. No pickle."""

import json
from collections.abc import Sequence
from math import prod
from typing import Any
from zlib import crc32

import numpy as np

from bot.liquidation.parameters import MODEL_VERSION
from bot.liquidation.types import Floats

MAGIC = b"liqwatch position model\n"
BROKEN = "the stored position model is broken"


def pack(fields: dict[str, Any], arrays: Sequence[Floats], *, version: str = MODEL_VERSION) -> bytes:
    """Bytes that hold `fields` (plain JSON values, NaN allowed) and `arrays`, under a model version."""
    header = json.dumps({"version": version, "shapes": [array.shape for array in arrays], "fields": fields})
    text = header.encode()
    body = len(text).to_bytes(4, "little") + text + b"".join(array.astype("<f8").tobytes() for array in arrays)
    return MAGIC + crc32(body).to_bytes(4, "little") + body


def unpack(state: bytes) -> tuple[dict[str, Any], list[Floats]]:
    """The fields and arrays of `pack`. Raises ValueError on anything else, and on another model version."""
    start = len(MAGIC) + 4
    if not state.startswith(MAGIC) or len(state) < start + 4:
        raise ValueError("not a stored position model")
    body = state[start:]
    if crc32(body) != int.from_bytes(state[len(MAGIC) : start], "little"):
        raise ValueError(BROKEN)
    size = int.from_bytes(body[:4], "little")
    header = json.loads(body[4 : 4 + size])
    if header["version"] != MODEL_VERSION:
        raise ValueError(f"the stored position model is of version {header['version']}, this is {MODEL_VERSION}")
    figures = np.frombuffer(body, dtype="<f8", offset=4 + size)
    arrays, first = [], 0
    for shape in header["shapes"]:
        count = prod(shape)
        arrays.append(figures[first : first + count].reshape(shape).astype(np.float64))
        first += count
    return header["fields"], arrays
