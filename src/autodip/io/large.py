"""Pixels that are too many to be loaded: mapped files, and arrays that are read by blocks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

LARGE = 2**28
"""Bytes of pixels from which on they are not loaded, where a scratch folder is given."""

PIXELS = "pixels.raw"
"""File in the scratch folder for pixels that must be decoded."""


def is_large(shape: tuple[int, ...], dtype: np.dtype, scratch: Path | None) -> bool:
    """Whether pixels are to be left where they are."""
    return scratch is not None and math.prod(shape) * dtype.itemsize > LARGE


class Stored:
    """Array of a store of which only what is asked for is read.

    Parameters
    ----------
    array : array-like
        With ``shape``, ``dtype``, and ``__getitem__`` for whole numbers and slices of step 1.
    part : tuple of range, optional
        Positions along each axis that this is made of; by default all of them.
    """

    def __init__(self, array: Any, part: tuple[range, ...] | None = None) -> None:
        self._array = array
        self._part = part or tuple(range(length) for length in array.shape)

    @property
    def dtype(self) -> np.dtype:
        """Type of the pixels."""
        kind: np.dtype = np.dtype(self._array.dtype)
        return kind

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(len(positions) for positions in self._part)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._part)

    @property
    def size(self) -> int:
        """Number of pixels."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels, as they would be in memory."""
        return self.size * self.dtype.itemsize

    def part(self, axis: int, kept: range) -> Stored:
        """The same with only some positions of an axis; nothing is read."""
        positions = list(self._part)
        inside = positions[axis]
        positions[axis] = inside[kept.start : kept.stop : kept.step]
        return Stored(self._array, tuple(positions))

    def __getitem__(self, key: Any) -> np.ndarray:
        """Pixels at whole numbers and slices, which are read now."""
        keys = key if isinstance(key, tuple) else (key,)
        if Ellipsis in keys:
            at = keys.index(Ellipsis)
            full = (slice(None),) * (self.ndim - len(keys) + 1)
            keys = (*keys[:at], *full, *keys[at + 1 :])
        keys = (*keys, *(slice(None),) * (self.ndim - len(keys)))
        wanted = [inside[one] for inside, one in zip(self._part, keys, strict=True)]
        read, left = zip(*map(_reading, wanted), strict=True)
        return np.asarray(self._array[read])[left]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All pixels."""
        pixels = self[...]
        return pixels if dtype is None else pixels.astype(dtype)


def _reading(wanted: int | range) -> tuple[slice, int | slice]:
    """Slice that is read of an axis, and what is taken of it."""
    if isinstance(wanted, int):
        return slice(wanted, wanted + 1), 0
    if not wanted:
        return slice(0, 0), slice(None)
    first, last = sorted((wanted[0], wanted[-1]))
    step = wanted.step
    return slice(first, last + 1), slice(None, None, step)
