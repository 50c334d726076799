"""NumPy arrays in ``.npy`` files: pixels alone, no metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autodip.errors import FormatError, ParameterError
from autodip.image.image import Image
from autodip.io.large import is_large


def read(path: Path, axes: str | None, scratch: Path | None = None) -> Image:
    """Read an array; two dimensions are (Y, X), for more ``axes`` has to say what they are.

    With ``scratch`` the file of a large one is mapped.
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
    """Image of an array that says nothing of its axes; two dimensions are (Y, X).

    Raises
    ------
    ParameterError
        If there are others and ``axes`` is not given.
    """
    if axes is None:
        if data.ndim != 2:
            raise ParameterError(
                f"{path}: an array of shape {data.shape} does not say what its dimensions are; "
                "say it, as in --axes TYX (frames) or --axes ZYX (depth)"
            )
        axes = "YX"
    return Image(data, axes)


def write(path: Path, image: Image) -> None:
    """Write the array, in native or foreign byte order as its dtype says."""
    with path.open("wb") as file:
        np.save(file, image.data, allow_pickle=False)
