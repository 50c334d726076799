"""NumPy arrays in ``.npy`` files: pixels without metadata."""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO

import numpy as np

from autodip.errors import FormatError, ParameterError
from autodip.image.image import Image
from autodip.io.faults import check_content, check_memory
from autodip.io.large import is_large

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    # Version 3 is version 2 with names in UTF-8, which only record types have.
    (3, 0): np.lib.format.read_array_header_2_0,
}


def read(path: Path, axes: str | None, scratch: Path | None = None) -> Image:
    """Read an array; two dimensions are taken as (Y, X), any others require ``axes``.

    If ``scratch`` is given, the file of a large array is memory-mapped.
    """
    with path.open("rb") as file:
        shape, dtype = stated(file)
        check_content(math.prod(shape) * dtype.itemsize + file.tell(), path.stat().st_size)
    if is_large(shape, dtype, scratch):
        return with_axes(np.load(path, mmap_mode="r", allow_pickle=False), axes, path)
    check_memory(shape, dtype)
    return with_axes(np.load(path, allow_pickle=False), axes, path)


def stated(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type in the header at the start of a stream, which is read up to the pixels.

    Raises
    ------
    FormatError
        If it is not a header of an array of numbers.
    """
    start = file.read(6)
    if start.startswith(b"PK"):
        raise FormatError("not an NPY file but an archive of such files; let its name end in .npz")
    if start != np.lib.format.MAGIC_PREFIX:
        raise FormatError("not an NPY file: it does not begin with the signature of one")
    version = tuple(file.read(2))
    if version not in _HEADERS:
        raise FormatError(
            f"an NPY file of version {'.'.join(map(str, version)) or 'unknown'}; allowed are "
            "1.0, 2.0 and 3.0"
        )
    shape, _, dtype = _HEADERS[version](file)
    if any(isinstance(n, bool) or n < 0 for n in shape):
        raise FormatError(f"damaged NPY header: its shape is {shape}")
    if dtype.hasobject:
        raise FormatError("not a readable NPY file: it holds objects; save an array of numbers")
    return shape, dtype


def with_axes(data: np.ndarray, axes: str | None, path: Path) -> Image:
    """Image of an array without axis metadata; two dimensions are taken as (Y, X).

    Raises
    ------
    ParameterError
        If ``axes`` is not given and the array is not two-dimensional.
    """
    return Image(data, axes or axes_of(data.shape, path))


def axes_of(shape: tuple[int, ...], path: Path) -> str:
    """Axes of an array without axis metadata, YX.

    Raises
    ------
    ParameterError
        If it does not have two dimensions.
    """
    if len(shape) != 2:
        raise ParameterError(
            f"{path}: the file does not state what the dimensions of its shape {shape} are; "
            "specify them, as in --axes TYX (frames) or --axes ZYX (depth)"
        )
    return "YX"


def write(path: Path, image: Image) -> None:
    """Write the array, in the byte order of its dtype."""
    with path.open("wb") as file:
        np.save(file, image.data, allow_pickle=False)
