"""Reduced copies of an image, as viewers want them for large ones."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from autodip.io.large import is_large

_BAND = 2**26
"""Bytes of an image that are reduced at once."""


def levels(
    data: np.ndarray, shapes: Sequence[tuple[int, ...]], folder: Path | None = None
) -> Iterator[np.ndarray]:
    """Reduce an image step by step, each level from the one before.

    Parameters
    ----------
    data : ndarray, any shape and real dtype
    shapes : sequence of tuple of int
        Shape of each level, with as many axes as ``data``; no axis grows.
    folder : Path, optional
        For temporary files: large levels lie there, not in memory.

    Yields
    ------
    ndarray of the dtype of ``data``
        Means over blocks of pixels; integers are rounded.
    """
    for shape in shapes:
        level = _room(shape, data.dtype, folder)
        _reduce(data, level)
        data = level
        yield data


def scaled(size: int, full: int, level: int) -> int:
    """Size of a level of an axis with ``size`` pixels, as ``level`` is to ``full``."""
    return min(size, max(1, level if size == full else round(size * level / full)))


def _room(shape: tuple[int, ...], dtype: np.dtype, folder: Path | None) -> np.ndarray:
    """Array for a level; a large one is a file that vanishes with it."""
    if not is_large(shape, dtype, folder):
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.memmap(file, dtype, "w+", shape=shape)


def _reduce(data: np.ndarray, level: np.ndarray) -> None:
    """Reduce an image into a level, a few rows at once for the memory it takes."""
    old, new = len(data), len(level)
    if data.ndim > 2 and old == new:
        for part, reduced in zip(data, level, strict=True):
            _reduce(part, reduced)
        return
    starts, end = _blocks(old, new) if new < old else (np.arange(old), old)
    edges = np.append(starts, end)
    rows = max(1, _BAND // (data.nbytes // new + 1))
    for first in range(0, new, rows):
        last = min(first + rows, new)
        shape = (last - first, *level.shape[1:])
        level[first:last] = _reduced(
            data[edges[first] : edges[last]], shape, edges[first : last + 1]
        )


def _reduced(data: np.ndarray, shape: tuple[int, ...], edges: np.ndarray) -> np.ndarray:
    """Means over blocks; those along the first axis lie between ``edges``."""
    result = data
    for axis, (old, new) in enumerate(zip(data.shape, shape, strict=True)):
        if new < old:
            starts, end = (edges[:-1] - edges[0], old) if axis == 0 else _blocks(old, new)
            counts = np.diff(np.append(starts, end)).reshape(-1, *[1] * (data.ndim - axis - 1))
            kept = result[(slice(None),) * axis + (slice(end),)]
            result = np.add.reduceat(kept, starts, axis, dtype=np.float64) / counts
    if data.dtype.kind in "iu" and result is not data:
        result = np.rint(result)
    return result.astype(data.dtype, copy=False)


def _blocks(old: int, new: int) -> tuple[np.ndarray, int]:
    """First pixel of each block, and the end of the last one.

    Blocks are of whole pixels where that gives the size (the last may be shorter, or a rest
    left out, as writers differ), else in proportion.
    """
    for step in (old // new, -(-old // new)):
        if new in (old // step, -(-old // step)):
            return np.arange(new) * step, min(old, new * step)
    return np.arange(new) * old // new, old
