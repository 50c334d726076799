"""Read and write image files; an image is written back in the flavour of its source file."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

from autodip.errors import FormatError, ImageError, OutOfMemoryError, ParameterError
from autodip.image.image import Image
from autodip.io import czi, dimensions, faults, lif, nd2, npy, npz, ome_zarr, scenes, tiff
from autodip.io.output import (
    FORMATS,
    WRITABLE,
    WRITERS,
    check,
    losses,
    map_name,
    names_of_mapped,
    output_name,
    write,
)
from autodip.util.paths import check_source, is_folder, is_url

_FORMATS: dict[str, ModuleType] = {
    **WRITERS,
    ".nd2": nd2,
    ".lif": lif,
    ".czi": czi,
}
_OF_SEVERAL = (tiff, npz, ome_zarr, nd2, lif, czi)
"""Formats whose files may hold several images."""

_FOLLOWING = (tiff, ome_zarr)
"""Formats whose metadata or links may refer to other files."""

_OF_LARGE = (tiff, npy, ome_zarr)
"""Formats whose pixels can be accessed on disk without loading them."""

SUFFIXES = tuple(_FORMATS)
"""File name endings that can be read, in lower case."""

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
    b"\xda\xce\xbe\x0a": "ND2",
    b"ZISRAW": "CZI",
    b"\x70\0\0\0": "LIF",
}


def read(
    path: str | os.PathLike[str],
    axes: str | None = None,
    scene: str | int | None = None,
    *,
    scratch: Path | None = None,
    follow: bool = False,
) -> Image:
    """Read an image file.

    Parameters
    ----------
    path : str or Path
        PNG, TIFF (plain, ImageJ, OME), NPY, NPZ, OME-Zarr (a folder), MRC, Nikon ND2, Leica LIF
        or Zeiss CZI; the format is determined by the ending of the file name.
    axes : str, optional
        Meaning of the dimensions; overrides what the file states.
    scene : str or int, optional
        Name of the image to read from a file that holds several, or its number from 0.
    scratch : Path, optional
        Folder for temporary files, created if it is needed. If given, more than 256 MiB of
        pixels in TIFF, OME-Zarr and NPY files are not loaded: ``data`` is a memory-mapped file,
        or an array that reads only the requested pixels. The folder must be kept until the
        image is no longer needed.
    follow : bool
        Whether files elsewhere are read to which links in an OME-Zarr store, or the metadata of
        the file, refer. By default such a file is refused.

    Raises
    ------
    FormatError
        If the file is missing, empty, truncated, not an image or of an unsupported format, or
        if it holds several images and none was chosen.
    ParameterError
        If the axes are ambiguous or do not fit the shape, or the scene does not exist.
    ImageError
        If the pixels are not real numbers, or there are none.
    OutOfMemoryError
        If the pixels do not fit into the free memory.
    MissingPackageError
        If the format needs a package that is not installed.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> autodip.write("cells.ome.tif", noisy)
    >>> autodip.read("cells.ome.tif")
    <Image YX 64 × 64 uint16, 0.1 µm per pixel>
    """
    path = Path(path)
    kind = _format(path)
    start = b"" if is_image_folder(path) else _start(path)
    chosen: dict[str, Any] = {"scene": scene} if kind in _OF_SEVERAL else {}
    if kind in _OF_LARGE:
        chosen["scratch"] = scratch
    if kind in _FOLLOWING:
        chosen["follow"] = follow
    own = path.suffix.upper().strip(".")
    try:
        if kind not in _OF_SEVERAL:
            scenes.choose([path.name], scene)
        with faults.clear(f"not a readable {own} file, or a damaged or truncated one"):
            image: Image = kind.read(path, None if axes is None else axes.upper(), **chosen)
            image = dimensions.plausible(image)
    except FormatError as error:
        seen = next((name for sign, name in _SIGNATURES.items() if start.startswith(sign)), None)
        says = f"; its content begins like a {seen} file" if seen and own[:3] not in seen else ""
        raise FormatError(f"{_named(path, error)}{says}") from error
    except (ImageError, OutOfMemoryError, ParameterError) as error:
        raise type(error)(_named(path, error)) from error
    return image


def _format(path: Path) -> ModuleType:
    """Reader of a file, by the ending of its name."""
    kind = _FORMATS.get(path.suffix.lower())
    if is_url(path) and not path.exists():
        raise FormatError(
            f"{path}: this is a URL, and only files are read; "
            + ("give the path alone" if str(path).startswith("file:") else "download it first")
        )
    if kind is None:
        if is_folder(path):
            check_source(path)  # raises
        raise FormatError(
            f"{path}: files ending in {path.suffix or 'nothing'!r} cannot be read; "
            f"allowed are {', '.join(SUFFIXES)}"
        )
    return kind


def _named(path: Path, error: Exception) -> str:
    """Message of an error that begins with the name of the file."""
    return str(error) if str(error).startswith(str(path)) else f"{path}: {error}"


def is_image_folder(path: Path) -> bool:
    """Whether a path is an image that is a folder (OME-Zarr), not a folder of images."""
    return path.suffix.lower() == ".zarr" and is_folder(path)


def _start(path: Path) -> bytes:
    """First bytes of a file."""
    check_source(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise FormatError(f"{path}: cannot be opened ({error.strerror})") from error
    if not start:
        raise FormatError(f"{path}: the file is empty (0 bytes)")
    return start


__all__ = [
    "FORMATS",
    "SUFFIXES",
    "WRITABLE",
    "check",
    "is_image_folder",
    "losses",
    "map_name",
    "names_of_mapped",
    "output_name",
    "read",
    "write",
]
