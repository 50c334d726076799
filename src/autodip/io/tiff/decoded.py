"""Pixels of an image in a TIFF file: loaded, mapped or decoded to a file, and always complete."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autodip.errors import FormatError
from autodip.io.large import PIXELS, is_large

BUFFER = 2**24
"""Bytes of an image decoded or encoded at a time."""

_RATIOS = {1: 16, 5: 4096, 8: 1100, 32773: 130, 32946: 1100}
"""Largest number of bytes that a stored byte may become, by compression."""

_RATIO = 2**17
"""The same for the other compressions."""

_SMALL = 2**20
"""Number of bytes that a page may have in any case."""

_NATIVE = "<" if sys.byteorder == "little" else ">"


def pixels(series: Any, scratch: Path | None, lines: Sequence[str]) -> np.ndarray:
    """Pixels of an image.

    Parameters
    ----------
    series : TiffPageSeries
    scratch : Path or None
        If given, the pixels of a large image are memory-mapped; if necessary they are first
        decoded into a file in this folder.
    lines : sequence of str
        Errors logged by tifffile; checked after the pixels have been read.

    Raises
    ------
    FormatError
        If pixels are missing or damaged.
    """
    if any(page is None for page in series.pages):
        raise FormatError(
            f"truncated TIFF: planes of the shape {series.shape} given in its metadata are missing"
        )
    for page in series.pages:
        _check(page)
    if series.is_truncated and series.dataoffset is None:
        raise FormatError("truncated TIFF: the pixels of its planes are not contiguous")
    try:
        data = _loaded_or_mapped(series, scratch)
    except ValueError as error:
        raise FormatError(f"truncated or damaged TIFF ({error})") from error
    if lines:
        raise FormatError(f"damaged TIFF ({lines[0]})")
    return data


def _check(page: Any) -> None:
    """Raise a FormatError unless the file can hold the pixels of a page.

    It is checked before memory is reserved for them.
    """
    end = page.parent.filehandle.size
    if _ends(page) > end:
        raise FormatError(f"truncated TIFF: pixels are missing after byte {end}")
    stored = [n for n in page.databytecounts if n]
    if not stored:
        raise FormatError("damaged TIFF: a page has no pixels")
    stated = page.nbytes * len(stored) / len(page.databytecounts)
    most = _RATIOS.get(int(page.compression), _RATIO) * sum(stored) + _SMALL
    if stated > most:
        raise FormatError(
            f"damaged TIFF: a page is stated to have the shape {page.shape}, but only "
            f"{sum(stored)} bytes are stored for it"
        )


def absent(series: Any) -> list[str]:
    """Notes on strips or tiles that a file leaves out; they are read as 0."""
    counts = [n for page in series.pages for n in page.databytecounts]
    missing = counts.count(0)
    if not missing:
        return []
    return [f"{missing} of {len(counts)} strips or tiles are not stored, and were read as 0"]


def _loaded_or_mapped(series: Any, scratch: Path | None) -> np.ndarray:
    # An OME-TIFF that spans several files may describe images stored in another of them.
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
            raise ValueError(f"pixels are missing after byte {end}")
        return np.memmap(path, series.dtype, "r", offset, series.shape)
    scratch.mkdir(exist_ok=True)
    out = scratch / PIXELS
    out.unlink(missing_ok=True)  # an image decoded here earlier keeps its pixels
    decoded: np.ndarray = home.asarray(series=series, out=str(out), buffersize=BUFFER)
    return decoded


def _ends(page: Any) -> int:
    """Byte offset of the end of the last strip or tile of a page."""
    return max(
        (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)), default=0
    )
