"""Pixels of an image in a TIFF file: loaded, mapped or decoded into a file; all, or an error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autodip.errors import FormatError
from autodip.io.large import PIXELS, is_large

BUFFER = 2**24
"""Bytes that are decoded or encoded at once where the pixels are many."""

_NATIVE = "<" if sys.byteorder == "little" else ">"


class Log(logging.Handler):
    """Collects what tifffile reports while it reads."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())


def pixels(series: Any, scratch: Path | None, lines: Sequence[str]) -> np.ndarray:
    """Pixels of an image.

    Parameters
    ----------
    series : TiffPageSeries
    scratch : Path or None
        With it, those of a large image are mapped; decoded into a file there if need be.
    lines : sequence of str
        What tifffile has reported; looked at when the pixels are read.

    Raises
    ------
    FormatError
        If some are missing or damaged.
    """
    try:
        data = _loaded_or_mapped(series, scratch)
    except ValueError as error:
        raise FormatError(f"truncated or damaged TIFF ({error})") from error
    if any(page is None for page in series.pages):
        raise FormatError(
            f"truncated OME-TIFF: planes of the shape {series.shape} that its metadata tells "
            "are missing"
        )
    for page in series.pages:
        end = page.parent.filehandle.size
        if _ends(page) > end:
            raise FormatError(f"truncated TIFF: pixels are missing behind byte {end}")
    if lines:
        raise FormatError(f"damaged TIFF ({lines[0]})")
    return data


def _loaded_or_mapped(series: Any, scratch: Path | None) -> np.ndarray:
    # An OME-TIFF of several files tells of images that lie in another one of them.
    home = series.keyframe.parent
    elsewhere = home is not series.parent
    if elsewhere:
        home.filehandle.open()
    try:
        if scratch is None or not is_large(series.shape, series.dtype, scratch):
            data: np.ndarray = home.asarray(series=series)
            return data
        return _mapped(series, home, scratch)
    finally:
        if elsewhere:
            home.filehandle.close()


def _mapped(series: Any, home: Any, scratch: Path) -> np.ndarray:
    offset, native = series.dataoffset, home.byteorder == _NATIVE
    if offset is not None and (native or series.dtype.itemsize == 1):
        path, end = home.filehandle.path, home.filehandle.size
        if offset + series.nbytes > end:
            raise ValueError(f"pixels are missing behind byte {end}")
        return np.memmap(path, series.dtype, "r", offset, series.shape)
    scratch.mkdir(exist_ok=True)
    out = scratch / PIXELS
    out.unlink(missing_ok=True)  # an image that was decoded here before keeps its pixels
    decoded: np.ndarray = home.asarray(series=series, out=str(out), buffersize=BUFFER)
    return decoded


def _ends(page: Any) -> int:
    """Byte behind the last strip or tile of a page."""
    return max(
        (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)), default=0
    )
