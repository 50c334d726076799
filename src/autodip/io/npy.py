"""NumPy arrays in ``.npy`` files: pixels without metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autodip.errors import FormatError, ParameterError
from autodip.image.image import Image
from autodip.io.large import is_large


def read(path: Path, axes: str | None, scratch: Path | None = None) -> Image:
    """Read an array; two dimensions are taken as (Y, X), any others require ``axes``.

    If ``scratch`` is given, the file of a large array is memory-mapped.
    """
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False) if scratch else None
        if isinstance(mapped, np.ndarray) and is_large(mapped.shape, mapped.dtype, scratch):
            return with_axes(mapped, axes, path)
        data = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, MemoryError) as error:
        raise FormatError(f"not a readable NPY file, or a truncated one ({error})") from error
    if not isinstance(data, np.ndarray):
        raise FormatError("not an NPY file; extract the array you want from this archive first")
    return with_axes(data, axes, path)


def with_axes(data: np.ndarray, axes: str | None, path: Path) -> Image:
    """Image of an array without axis metadata; two dimensions are taken as (Y, X).

    Raises
    ------
    ParameterError
        If ``axes`` is not given and the array is not two-dimensional.
    """
    if axes is None:
        if data.ndim != 2:
            raise ParameterError(
                f"{path}: the file does not state what the dimensions of its shape {data.shape} "
                "are; specify them, as in --axes TYX (frames) or --axes ZYX (depth)"
            )
        axes = "YX"
    return Image(data, axes)


def write(path: Path, image: Image) -> None:
    """Write the array, in the byte order of its dtype."""
    with path.open("wb") as file:
        np.save(file, image.data, allow_pickle=False)
