"""Reading and writing image files; a file is written in the flavour it was read in."""

from __future__ import annotations

import os
from pathlib import Path

from autodip.errors import FormatError
from autodip.image import Image
from autodip.io import npy, png, tiff

_FORMATS = {".png": png, ".tif": tiff, ".tiff": tiff, ".npy": npy}

SUFFIXES = tuple(_FORMATS)
"""Endings of the file names that can be read, in lower case."""

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "BigTIFF",
    b"MM\0+": "BigTIFF",
    b"\x93NUMPY": "NPY",
    b"\xff\xd8\xff": "JPEG",
    b"PK\x03\x04": "ZIP or NPZ",
    b"\x89HDF": "HDF5",
    b"GIF8": "GIF",
    b"%PDF": "PDF",
}


def read(path: str | os.PathLike[str], axes: str | None = None) -> Image:
    """Read an image file.

    Parameters
    ----------
    path : str or Path
        PNG, TIFF (plain, ImageJ, OME) or NPY, told by the ending of its name.
    axes : str, optional
        Meaning of the dimensions, in place of what the file says.

    Raises
    ------
    FormatError
        If the file is missing, empty, truncated, no image, or of a kind that is not read.
    ParameterError
        If the axes are ambiguous, or do not fit the shape.
    ImageError
        If the pixels are no real numbers.
    """
    path = Path(path)
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise FormatError(
            f"{path}: files ending in {path.suffix or 'nothing'!r} are not read; "
            f"allowed are {', '.join(SUFFIXES)}"
        )
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        raise FormatError(f"{path}: there is no such file") from None
    except OSError as error:
        raise FormatError(f"{path}: cannot be opened ({error.strerror})") from error
    if not start:
        raise FormatError(f"{path}: the file is empty (0 bytes)")
    if axes is not None:
        axes = axes.upper()
    try:
        image: Image = kind.read(path, axes)
    except FormatError as error:
        seen = next((name for sign, name in _SIGNATURES.items() if start.startswith(sign)), None)
        own = path.suffix.upper().strip(".")[:3]
        says = f"; its content begins like a {seen} file" if seen and own not in seen else ""
        raise FormatError(f"{path}: {error}{says}") from error
    return image


def write(path: str | os.PathLike[str], image: Image, suffix: str | None = None) -> None:
    """Write an image in the format told by ``suffix``, or the ending of ``path``.

    The image should come from a file of the same format (possibly with other pixels, or cut
    by :meth:`Image.select`); what that file held besides pixels is kept.
    """
    path = Path(path)
    kind = (suffix or path.suffix).lower()
    if kind not in _FORMATS:
        raise FormatError(f"{path}: cannot be written; allowed endings are {', '.join(SUFFIXES)}")
    _FORMATS[kind].write(path, image)


__all__ = ["SUFFIXES", "read", "write"]
