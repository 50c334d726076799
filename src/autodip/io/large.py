"""Pixels that are too many to be loaded: mapped files, and arrays that are read by blocks."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

LARGE = 2**28
"""Bytes of pixels from which on they are not loaded, where a scratch folder is given."""

_BLOCK = 2**25
"""Bytes that are copied at once."""

PIXELS = "pixels.raw"
"""File in the scratch folder for pixels that must be decoded."""


def is_large(shape: tuple[int, ...], dtype: np.dtype, scratch: Path | None) -> bool:
    """Whether pixels are to be left where they are."""
    return scratch is not None and math.prod(shape) * dtype.itemsize > LARGE


def is_mapped(data: Any, path: Path) -> bool:
    """Whether pixels lie in a file, which is not to be written over then."""
    while data is not None:
        name = data.filename if isinstance(data, np.memmap) else None
        if name and path.exists() and Path(name).exists() and path.samefile(name):
            return True
        data = getattr(data, "base", None)
    return False


def room(shape: tuple[int, ...], dtype: np.dtype, folder: Path | None) -> np.ndarray:
    """Array to be filled: in memory, or a file of the folder, which vanishes with it."""
    if folder is None:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.memmap(file, dtype, "w+", shape=shape)


def laid_out(data: Any, folder: Path, dtype: np.dtype | None = None) -> Any:
    """Large pixels in the order of memory, and of a type, in which they can be written as they are.

    Libraries would put them in order in memory, all at once.

    Parameters
    ----------
    data : ndarray or Stored
    folder : Path
        For a temporary file, where one is needed; it vanishes with the array.
    dtype : dtype, optional
        That of ``data``, or the same in another byte order.

    Returns
    -------
    ndarray
        ``data`` itself if it is small, or laid out like that already.
    """
    dtype = data.dtype if dtype is None else dtype
    loaded = isinstance(data, np.ndarray)
    ready = loaded and data.dtype == dtype and data.flags.c_contiguous
    if ready or not is_large(data.shape, dtype, folder):
        return data if loaded else np.asarray(data)
    copy = room(data.shape, dtype, folder)
    for block in _blocks(data.shape, dtype.itemsize):
        copy[block] = data[block]
    return copy


def _blocks(shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[slice, ...]]:
    """Parts of an array, of some megabytes each, along as few axes as it takes."""
    each = itemsize * math.prod(shape[1:])
    if each > _BLOCK and len(shape) > 1:
        for first in range(shape[0]):
            for rest in _blocks(shape[1:], itemsize):
                yield (slice(first, first + 1), *rest)
        return
    step = max(1, _BLOCK // each)
    for first in range(0, shape[0], step):
        yield (slice(first, first + step),)


class Stored:
    """Array of a store of which only what is asked for is read.

    Parameters
    ----------
    array : array-like
        With ``shape``, ``dtype``, and ``__getitem__`` for slices of positive steps.
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
        stop = kept.stop if kept.stop >= 0 else None
        positions[axis] = inside[kept.start : stop : kept.step]
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
    backwards = wanted.step < 0
    return slice(first, last + 1, abs(wanted.step)), slice(None, None, -1 if backwards else 1)
