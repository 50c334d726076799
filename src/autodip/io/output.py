"""Output files: their formats and names, writing, and a check before there is anything to write."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autodip.errors import AutodipError, FormatError, ParameterError
from autodip.image.image import Image
from autodip.image.scaling import to_dtype
from autodip.io import large, mrc, npy, npz, ome_zarr, png, tiff
from autodip.util.closest import not_known
from autodip.util.files import replacing, writing

WRITERS: dict[str, ModuleType] = {
    ".png": png,
    ".tif": tiff,
    ".tiff": tiff,
    ".npy": npy,
    ".npz": npz,
    ".zarr": ome_zarr,
    ".mrc": mrc,
}
"""Module that reads and writes a format, by the ending of the file name."""

WRITABLE = tuple(WRITERS)
"""File name endings that can be written, in lower case."""

FORMATS = {
    "png": ".png",
    "tiff": ".tif",
    "ome-tiff": ".ome.tif",
    "ome-zarr": ".ome.zarr",
    "ome-zarr-0.4": ".ome.zarr",
    "npy": ".npy",
    "npz": ".npz",
    "mrc": ".mrc",
}
"""Names of the output formats that can be requested, each with its file name ending."""

_VENDORS = (".nd2", ".lif", ".czi")
"""Endings of files that can be read but not written."""

_DOUBLE = (".ome.tif", ".ome.tiff", ".ome.zarr")

_SAME = {
    ("tiff", ".tiff"),
    ("tiff", ".ome.tif"),
    ("tiff", ".ome.tiff"),
    ("ome-tiff", ".ome.tiff"),
    ("ome-zarr", ".zarr"),
    ("ome-zarr-0.4", ".zarr"),
}
"""Pairs of format and file name ending for which the name is left unchanged."""

_FACTS = {
    "pixel_size": "pixel size",
    "time_step": "time step",
    "channel_names": "channel names",
    "channel_colours": "channel colours",
}

_STORED = {".png": (), ".npy": (), ".npz": (), ".mrc": ("pixel_size",)}
"""Which of these facts some formats can store; the others store all."""

_UNCOMPRESSED = (".npy", ".mrc")

_SAMPLE = 16
"""Rows and columns of the image that :func:`check` writes."""

_TAIL = 50
"""Characters at the end of a file name that are kept there; they may affect the format."""


@dataclass(frozen=True)
class _Writer:
    """Writer of a format, with the options that the name of the format implies."""

    suffix: str
    options: Mapping[str, Any]

    @classmethod
    def of(cls, path: Path, suffix: str | None, format: str | None) -> _Writer:
        kind = (suffix or path.suffix).lower()
        if format is not None:
            kind = Path(output_name("image", format)).suffix
        if kind not in WRITABLE:
            raise FormatError(
                f"{path}: cannot be written; allowed endings are {', '.join(WRITABLE)}"
            )
        options: dict[str, Any] = {}
        if format in ("ome-tiff", "ome-zarr"):
            options["as_ome"] = True
        if format == "ome-zarr-0.4":
            options["version"] = "0.4"
        return cls(kind, options)

    def __call__(self, path: Path, image: Image) -> None:
        """Write an image; the errors of the libraries, except those of the disk, become one."""
        if image.data.dtype.itemsize > 8 and self.suffix not in (".npy", ".npz"):
            raise FormatError(
                f"{self.suffix} holds numbers of at most 64 bits, not {image.data.dtype.name}; "
                "choose another type (--dtype float64)"
            )
        try:
            WRITERS[self.suffix].write(path, image, **self.options)
        except (AutodipError, OSError):
            raise
        except Exception as error:  # each library has its own
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise FormatError(
                f"pixels of type {image.data.dtype.name} and axes {image.axes}, with the metadata "
                f"of this file, cannot be written as {self.suffix} ({reason}); choose another "
                "--format or --dtype"
            ) from error


def write(
    path: str | os.PathLike[str],
    image: Image,
    suffix: str | None = None,
    *,
    format: str | None = None,
    dtype: str | np.dtype | None = None,
) -> None:
    """Write an image in the format given by ``format``, ``suffix`` or the ending of ``path``.

    If the image was read from a file of the same format (even if its pixels were replaced, or
    it was cut by :meth:`Image.select`), the metadata of that file are preserved, and so is the
    flavour (OME, ImageJ, version of OME-Zarr). From a file of another format, the axes, pixel
    sizes, time step, and names and colours of the channels are carried over as far as the new
    format can store them.

    Parameters
    ----------
    path : str or Path
        File to write; a folder for OME-Zarr.
    image : Image
    suffix : str, optional
        Ending that determines the format, in place of the ending of ``path``.
    format : str, optional
        One of :data:`FORMATS`; takes precedence over the endings.
    dtype : str or dtype, optional
        Type of the pixels written; by default the type of ``image``. Conversion to integers
        rounds and clips.

    Raises
    ------
    FormatError
        If the format cannot be written, or cannot store such pixels or axes.
    ParameterError
        If ``format`` is unknown.
    """
    path = Path(path)
    writer = _Writer.of(path, suffix, format)
    if not isinstance(image.data, np.ndarray):
        image = image.replace(data=large.laid_out(image.data, path.parent))
    if dtype is not None:
        image = image.replace(data=to_dtype(image.data, np.dtype(dtype)))
    if not large.is_mapped(image.data, path):
        writer(path, image)
        return
    with replacing(path) as (part,):
        writer(part, image)


def check(
    path: str | os.PathLike[str],
    image: Image,
    suffix: str | None = None,
    *,
    format: str | None = None,
    dtype: str | np.dtype | None = None,
) -> bool:
    """Raise the error of :func:`write` if it could not write such an image, without its pixels.

    A few rows and columns of zeros, with the axes, data type and metadata of the image, are
    written to a temporary file.

    Parameters
    ----------
    path, image, suffix, format, dtype
        As for :func:`write`.

    Returns
    -------
    bool
        Whether the pixels would be compressed.

    Raises
    ------
    FormatError
        If the format cannot be written, or cannot store such pixels or axes.
    ParameterError
        If ``format`` is unknown.
    """
    path = Path(path)
    writer = _Writer.of(path, suffix, format)
    small = _corner(image, np.dtype(dtype or image.data.dtype))
    with (
        writing(Path(tempfile.gettempdir()), "free some space there"),
        tempfile.TemporaryDirectory(prefix="autodip-") as place,
    ):
        sample = Path(place) / f"check{path.name[-_TAIL:]}"
        writer(sample, small)
        if WRITERS[writer.suffix] is tiff:
            return tiff.is_compressed(sample)
        return writer.suffix not in _UNCOMPRESSED


def _corner(image: Image, dtype: np.dtype) -> Image:
    """Zeros with the axes and metadata of an image, but few rows and columns."""
    shape = list(image.data.shape)
    source = image.source
    for position, axis in enumerate(image.axes):
        if axis in "YX" and shape[position] > _SAMPLE:
            shape[position] = _SAMPLE
            if hasattr(source, "cut"):
                source = source.cut(position, range(_SAMPLE))
    return image.replace(data=np.zeros(shape, dtype), source=source)


def losses(path: Path, image: Image) -> tuple[str, ...]:
    """Note on what is known of an image and cannot be stored in an output; none if all can."""
    kind = path.suffix.lower()
    stored = _STORED.get(kind, tuple(_FACTS))
    lost = [words for name, words in _FACTS.items() if name not in stored and getattr(image, name)]
    if not lost:
        return ()
    return (f"{kind[1:].upper()} files cannot store the {', '.join(lost)}; the sidecar states it",)


def output_name(name: str, format: str | None = None) -> str:
    """Name of the output file for an input file called ``name``.

    Without a format the name is unchanged, except that vendor formats, which cannot be written,
    become OME-TIFF.

    Raises
    ------
    ParameterError
        If the format is unknown.
    """
    if format is not None and format not in FORMATS:
        raise ParameterError(not_known("format", format, sorted(FORMATS)))
    ending = _ending(name).lower()
    if format is None:
        format = "ome-tiff" if ending in _VENDORS else None
    if format is None or ending == FORMATS[format] or (format, ending) in _SAME:
        return name
    return name[: len(name) - len(ending)] + FORMATS[format]


def map_name(name: str, kind: str) -> str:
    """Name of the file with a map of an output file: ``a.sd.ome.tif`` for ``a.ome.tif``.

    A map has the format of its output, except that PNG, which has no floats, becomes TIFF.

    Parameters
    ----------
    name : str
        Name of the output.
    kind : str
        Name of the map.
    """
    ending = _ending(name)
    written = FORMATS["tiff"] if ending.lower() == ".png" else ending
    return f"{name.removesuffix(ending)}.{kind}{written}"


def names_of_mapped(name: str, kind: str) -> tuple[str, ...]:
    """Names of the outputs of which a file may be a map, as of :func:`map_name`."""
    ending = _ending(name)
    start = name.removesuffix(ending)
    if not start.endswith(f".{kind}"):
        return ()
    start = start.removesuffix(f".{kind}")
    outputs = (f"{start}{one}" for one in dict.fromkeys((ending, ".png", ".PNG")))
    return tuple(one for one in outputs if map_name(one, kind) == name)


def _ending(name: str) -> str:
    """Ending of a file name as it is written there; empty if no format is known by it."""
    lower = name.lower()
    known = next((e for e in (*_DOUBLE, *WRITABLE, *_VENDORS) if lower.endswith(e)), "")
    return name[len(name) - len(known) :]
