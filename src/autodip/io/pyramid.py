"""Reduced copies of an image, as viewers want them for large ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


def levels(data: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> Iterator[np.ndarray]:
    """Reduce an image step by step, each level from the one before.

    Parameters
    ----------
    data : ndarray, any shape and real dtype
    shapes : sequence of tuple of int
        Shape of each level, with as many axes as ``data``; no axis grows.

    Yields
    ------
    ndarray of the dtype of ``data``
        Means over blocks of pixels; integers are rounded.
    """
    for shape in shapes:
        data = _reduced(data, shape)
        yield data


def scaled(size: int, full: int, level: int) -> int:
    """Size of a level of an axis with ``size`` pixels, as ``level`` is to ``full``."""
    return min(size, max(1, level if size == full else round(size * level / full)))


def _reduced(data: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if data.ndim > 2 and len(data) == shape[0]:  # part by part, for the memory it takes
        return np.stack([_reduced(part, shape[1:]) for part in data])
    result = data
    for axis, (old, new) in enumerate(zip(data.shape, shape, strict=True)):
        if new < old:
            starts, end = _blocks(old, new)
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
