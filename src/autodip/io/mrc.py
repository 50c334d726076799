"""MRC: an image, a stack or a volume, with its voxel size."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autodip.errors import FormatError, ParameterError
from autodip.image.image import Image
from autodip.util.optional import require

_TYPES = ("int8", "int16", "uint16", "float16", "float32")
_UM_PER_ANGSTROM = 1e-4
_VOLUME = 1
# Fields on the position and acquisition of the image; the others follow from the pixels.
_KEPT = ("nxstart", "nystart", "nzstart", "cellb", "mapc", "mapr", "maps", "origin", "exttyp")


@dataclass(frozen=True)
class MrcSource:
    """Header content of an MRC file that is preserved when it is written back."""

    header: dict[str, Any] = field(repr=False)
    labels: tuple[str, ...] = ()
    extended: Any = field(default=None, repr=False)
    volume: bool = False


def read(path: Path, axes: str | None) -> Image:
    """Read an MRC file: a plane (YX) or a volume (ZYX); for a stack, ``axes`` is required."""
    mrcfile = require("mrcfile", "mrc")
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            with mrcfile.open(path, permissive=True) as file:
                data = None if file.data is None else np.array(file.data)
                told = _voxel(file, axes or "ZYX")
                source = MrcSource(
                    {name: file.header[name].copy() for name in _KEPT},
                    tuple(str(label) for label in file.get_labels()),
                    np.array(file.extended_header) if file.header.nsymbt else None,
                    int(file.header.ispg) == _VOLUME,
                )
    except (ValueError, OSError, EOFError, MemoryError, LookupError, TypeError) as error:
        raise FormatError(f"not a readable MRC file, or a truncated one ({error})") from error
    if data is None:
        reasons = "; ".join(str(warning.message) for warning in seen)
        raise FormatError(f"not a readable MRC file, or a truncated one ({reasons})")
    if axes is None:
        axes = {2: "YX", 3: "ZYX"}.get(data.ndim) if source.volume or data.ndim == 2 else None
    if axes is None:
        raise ParameterError(
            f"{path}: the file does not state what the planes of its stack of shape {data.shape} "
            "are; specify it, as in --axes TYX (frames) or --axes ZYX (depth)"
        )
    return Image(data, axes, pixel_size=told, source=source)


def _voxel(file: Any, axes: str) -> dict[str, float]:
    """Pixel size in µm along the axes for which the header states it."""
    sizes = {axis: float(file.voxel_size[axis.lower()]) for axis in "XYZ"}
    known = {axis: n * _UM_PER_ANGSTROM for axis, n in sizes.items() if n > 0 and np.isfinite(n)}
    if "Z" not in axes or file.data is None or file.data.ndim < 3:
        known.pop("Z", None)
    return known


def write(path: Path, image: Image) -> None:
    """Write a plane, or a volume or stack with three axes, including the voxel size.

    Raises
    ------
    FormatError
        If MRC cannot store the pixel type or the axes.
    """
    if image.data.dtype.name not in _TYPES or len(image.axes) > 3 or "S" in image.axes:
        raise FormatError(
            f"MRC holds up to three dimensions of {', '.join(_TYPES)}, not {image.data.dtype} of "
            f"axes {image.axes}; write an OME-TIFF (--format ome-tiff)"
        )
    mrcfile = require("mrcfile", "mrc")
    data = image.yx_last(image.data)
    source = image.source if isinstance(image.source, MrcSource) else None
    with mrcfile.new(path, data=np.ascontiguousarray(data), overwrite=True) as file:
        if data.ndim == 3:
            volume = source.volume if source else "Z" in image.axes
            file.set_volume() if volume else file.set_image_stack()
        if source:
            _restore(file, source)
        sizes = [image.pixel_size.get(axis, 0.0) / _UM_PER_ANGSTROM for axis in "XYZ"]
        file.voxel_size = tuple(sizes)


def _restore(file: Any, source: MrcSource) -> None:
    for name, value in source.header.items():
        file.header[name] = value
    if source.extended is not None:
        file.set_extended_header(source.extended)
    file.header.label[...] = b""
    file.header.nlabl = 0
    for label in source.labels:
        file.add_label(label)
