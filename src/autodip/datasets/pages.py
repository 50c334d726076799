"""Single pages of TIFF stacks, read without the rest of the stack."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import tifffile

from autodip.errors import FormatError

_DAMAGE = (tifffile.TiffFileError, OSError, ValueError, LookupError, TypeError, ArithmeticError)


def count(path: Path) -> int:
    """Number of planes in a TIFF file, from its header.

    Raises
    ------
    FormatError
        If it is not a readable TIFF file.
    """
    try:
        with tifffile.TiffFile(path) as tif:
            series = tif.series[0]
            return math.prod(_leading(series.axes, series.shape))
    except _DAMAGE as error:
        raise FormatError(f"{path}: not a readable TIFF file ({error})") from error


def read(path: Path, number: int) -> np.ndarray:
    """Read plane ``number`` (from 0) as (Y, X); only the first sample of a colour plane.

    Raises
    ------
    FormatError
        If the file is damaged or contains fewer planes.
    """
    try:
        with tifffile.TiffFile(path) as tif:
            series = tif.series[0]
            leading = _leading(series.axes, series.shape)
            if len(series.pages) == math.prod(leading):
                page = series.pages[number]
                if page is None:
                    raise FormatError(f"{path}: page {number + 1} is missing")
                data = page.asarray()
            else:  # one page stands for all planes, as ImageJ writes stacks beyond 4 GB
                stack = tifffile.memmap(path, series=0, mode="r")
                data = stack.reshape(-1, *stack.shape[len(leading) :])[number]
            if "S" in series.axes:
                data = np.take(data, 0, axis=0 if series.axes.index("S") < 2 < data.ndim else -1)
            return np.array(data.squeeze())
    except _DAMAGE as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}: page {number + 1} cannot be read ({error})") from error


def _leading(axes: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Lengths of the axes that precede the plane of pixels."""
    return tuple(shape[: axes.index("Y")]) if "Y" in axes else tuple(shape[:-2])
