"""Sizes that compressed data state about themselves, to be compared before they are decoded."""

from __future__ import annotations

import struct
from pathlib import Path

_START = 18
"""Bytes in which the longest of the headers is contained."""


def stated_size(file: Path) -> int | None:
    """Number of bytes that a file of one Zstandard, Blosc or gzip frame decodes to.

    Returns
    -------
    int or None
        As the frame states it, for gzip modulo 2**32; None if it is of another kind.
    """
    with file.open("rb") as stream:
        start = stream.read(_START)
        if start[:4] == b"\x28\xb5\x2f\xfd":
            return _zstd(start)
        if start[:2] == b"\x1f\x8b":
            stream.seek(-4, 2)
            return int(struct.unpack("<I", stream.read(4))[0])
    if len(start) >= 16 and start[0] in (1, 2):
        size, _, length = struct.unpack_from("<III", start, 4)
        return int(size) if length == file.stat().st_size else None
    return None


def _zstd(start: bytes) -> int | None:
    """Content size of a Zstandard frame (RFC 8878, 3.1.1.1); None if it is not stated."""
    descriptor = start[4] if len(start) > 4 else 0
    flag, single, dictionary = descriptor >> 6, descriptor >> 5 & 1, descriptor & 3
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[dictionary]
    width = (single, 2, 4, 8)[flag]
    field = start[at : at + width]
    if not width or len(field) < width:
        return None
    return int.from_bytes(field, "little") + (256 if width == 2 else 0)
