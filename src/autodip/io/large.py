"""Images too large to be loaded: memory-mapped files, and arrays read block by block."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autodip.util.files import reserve

LARGE = 2**28
"""Size in bytes above which pixels are not loaded if a scratch folder is given."""

_BLOCK = 2**25
"""Bytes copied at a time."""

PIXELS = "pixels.raw"
"""Name of the file in the scratch folder that holds decoded pixels."""


def is_large(shape: tuple[int, ...], dtype: np.dtype, scratch: Path | None) -> bool:
    """Whether pixels stay on disk instead of in memory; never without a scratch folder."""
    return scratch is not None and math.prod(shape) * dtype.itemsize > LARGE


def is_mapped(data: Any, path: Path) -> bool:
    """Whether pixels are mapped from ``path``, which must then not be overwritten in place."""
    while data is not None:
        name = data.filename if isinstance(data, np.memmap) else None
        if name and path.exists() and Path(name).exists() and path.samefile(name):
            return True
        data = getattr(data, "base", None)
    return False


def room(shape: tuple[int, ...], dtype: np.dtype, folder: Path | None) -> np.ndarray:
    """Array to be filled, in memory or in a file of ``folder`` that is deleted with the array."""
    if folder is None:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(dir=folder) as file:
        reserve(file, math.prod(shape) * dtype.itemsize)
        return np.memmap(file, dtype, "w+", shape=shape)


def laid_out(data: Any, folder: Path, dtype: np.dtype | None = None) -> Any:
    """Arrange large pixels in C order and in a byte order in which they can be written directly.

    The writing libraries would convert all of them at once, in memory.

    Parameters
    ----------
    data : ndarray or Stored
    folder : Path
        Folder for a temporary file, if one is needed; it is deleted with the array.
    dtype : dtype, optional
        The type of ``data`` (the default), or the same type in another byte order.

    Returns
    -------
    ndarray
        ``data`` itself (loaded if necessary) if it is small or already arranged in this way,
        otherwise a copy in the temporary file.
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
    """Blocks of an array, at most 32 MiB each, divided along as few axes as possible."""
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
    """Array in a store that reads only the requested pixels.

    Parameters
    ----------
    array : array-like
        Object with ``shape``, ``dtype``, and ``__getitem__`` for slices with positive steps.
    part : tuple of range, optional
        Positions of ``array`` along each axis that belong to this array; by default all.
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
        """Size of the pixels in bytes if they were loaded."""
        return self.size * self.dtype.itemsize

    def part(self, axis: int, kept: range) -> Stored:
        """The same array restricted to positions ``kept`` of an axis; nothing is read."""
        positions = list(self._part)
        inside = positions[axis]
        stop = kept.stop if kept.stop >= 0 else None
        positions[axis] = inside[kept.start : stop : kept.step]
        return Stored(self._array, tuple(positions))

    def __getitem__(self, key: Any) -> np.ndarray:
        """Read the pixels at integers and slices."""
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
        """Read all pixels."""
        pixels = self[...]
        return pixels if dtype is None else pixels.astype(dtype)


def _reading(wanted: int | range) -> tuple[slice, int | slice]:
    """Slice to read along an axis, and the index to apply to what was read."""
    if isinstance(wanted, int):
        return slice(wanted, wanted + 1), 0
    if not wanted:
        return slice(0, 0), slice(None)
    first, last = sorted((wanted[0], wanted[-1]))
    backwards = wanted.step < 0
    return slice(first, last + 1, abs(wanted.step)), slice(None, None, -1 if backwards else 1)
