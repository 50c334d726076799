"""Downsampled copies of an image, which viewers need for large images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from autodip.io.large import is_large, room

_BAND = 2**23
"""Bytes of an image reduced at a time."""


def levels(
    data: np.ndarray, shapes: Sequence[tuple[int, ...]], folder: Path | None = None
) -> Iterator[np.ndarray]:
    """Reduce an image level by level, each from the previous one.

    Parameters
    ----------
    data : ndarray, any shape and real dtype
    shapes : sequence of tuple of int
        Shape of each level, with the same number of axes as ``data``; no axis grows.
    folder : Path, optional
        Folder for temporary files; the levels of a large image are stored there, not in memory.

    Yields
    ------
    ndarray of the dtype of ``data``
        Means over blocks of pixels; integers are rounded.
    """
    if not is_large(data.shape, data.dtype, folder):
        folder = None
    for shape in shapes:
        level = room(shape, data.dtype, folder)
        _reduce(data, level)
        data = level
        yield data


def scaled(size: int, full: int, level: int) -> int:
    """Length of an axis of ``size`` pixels, reduced in the proportion of ``level`` to ``full``."""
    return min(size, max(1, level if size == full else round(size * level / full)))


def _reduce(data: np.ndarray, level: np.ndarray) -> None:
    """Reduce an image into a level, one band at a time to limit memory."""
    if data.ndim > 2 and len(data) == len(level):
        for part, reduced in zip(data, level, strict=True):
            _reduce(part, reduced)
        return
    # Bands along the first axis are contiguous in a file; later axes are for huge planes only.
    axes = (axis for axis, new in enumerate(level.shape) if data.nbytes // new <= _BAND)
    axis = next(axes, data.ndim - 2)
    old, new = data.shape[axis], level.shape[axis]
    starts, end = _blocks(old, new) if new < old else (np.arange(old), old)
    edges = np.append(starts, end)
    width = max(1, _BAND // (data.nbytes // new + 1))
    before = (slice(None),) * axis
    for first in range(0, new, width):
        last = min(first + width, new)
        here = (*before, slice(first, last))
        band = data[(*before, slice(edges[first], edges[last]))]
        level[here] = _reduced(band, level[here].shape, axis, edges[first : last + 1])


def _reduced(data: np.ndarray, shape: tuple[int, ...], along: int, edges: np.ndarray) -> np.ndarray:
    """Means over blocks; along the axis ``along`` they are delimited by ``edges``."""
    result = data
    for axis, (old, new) in enumerate(zip(data.shape, shape, strict=True)):
        if new < old:
            starts, end = (edges[:-1] - edges[0], old) if axis == along else _blocks(old, new)
            counts = np.diff(np.append(starts, end)).reshape(-1, *[1] * (data.ndim - axis - 1))
            kept = result[(slice(None),) * axis + (slice(end),)]
            result = np.add.reduceat(kept, starts, axis, dtype=np.float64) / counts
    if data.dtype.kind in "iu" and result is not data:
        result = np.rint(result)
    return result.astype(data.dtype, copy=False)


def _blocks(old: int, new: int) -> tuple[np.ndarray, int]:
    """First pixel of each block, and the end of the last one.

    Blocks have equal lengths if that yields the new size (the last may be shorter, or a
    remainder omitted, because writers differ); otherwise their edges are rounded in proportion.
    """
    for step in (old // new, -(-old // new)):
        if new in (old // step, -(-old // step)):
            return np.arange(new) * step, min(old, new * step)
    return np.arange(new) * old // new, old
