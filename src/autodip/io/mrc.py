"""MRC: an image, a stack or a volume, with its voxel size."""

from __future__ import annotations

import bz2
import gzip
import io
import math
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from autodip.errors import FormatError, ParameterError
from autodip.image.image import Image
from autodip.io.faults import check_content, check_memory
from autodip.util.optional import require

_UM_PER_ANGSTROM = 1e-4
_VOLUME = 1
_HEADER, _EXTENDED = 1024, 92
"""Length of the header, and the position in it of the length of the extended header."""

_LONGEST = 2**28
"""Highest plausible number of bytes of an extended header, which has about 1 KB per image."""

_MODES = {0: "int8", 1: "int16", 2: "float32", 6: "uint16", 12: "float16"}
"""Types of pixels that are real numbers, by the number of the header."""

_BLOCK = 2**24
"""Bytes that are decompressed at a time."""

# Fields on the position and acquisition of the image; the others follow from the pixels.
_KEPT = ("nxstart", "nystart", "nzstart", "cellb", "mapc", "mapr", "maps", "origin", "exttyp")


_MOST_LABELS = 10
"""Number of labels that a header holds."""


@dataclass(frozen=True)
class MrcSource:
    """Header content of an MRC file that is preserved when it is written back."""

    header: dict[str, Any] = field(repr=False)
    labels: tuple[str, ...] = ()
    extended: Any = field(default=None, repr=False)
    volume: bool = False
    voxel: tuple[float, ...] = (0.0, 0.0, 0.0)
    """Size along X, Y and Z in Å as the header states it."""


def read(path: Path, axes: str | None) -> Image:
    """Read an MRC file: a plane (YX) or a volume (ZYX); for a stack, ``axes`` is required."""
    mrcfile = require("mrcfile", "mrc")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about fields that are not needed
        with _opened(path) as stream, _content(mrcfile, stream, path) as content:
            file = mrcfile.mrcinterpreter.MrcInterpreter(content, permissive=True)
            data, header = file.data, file.header
            source = MrcSource(
                {name: header[name].copy() for name in _KEPT},
                tuple(str(label) for label in file.get_labels()),
                file.extended_header if header.nsymbt else None,
                int(header.ispg) == _VOLUME,
                tuple(float(file.voxel_size[axis]) for axis in "xyz"),
            )
    if axes is None:
        axes = {2: "YX", 3: "ZYX"}.get(data.ndim) if source.volume or data.ndim == 2 else None
    if axes is None:
        raise ParameterError(
            f"{path}: the file does not state what the planes of its stack of shape {data.shape} "
            "are; specify it, as in --axes TYX (frames) or --axes ZYX (depth)"
        )
    return _with_sizes(Image(data, axes, source=source))


def _opened(path: Path) -> IO[bytes]:
    """Content of a file, which may be compressed by gzip or bzip2."""
    with path.open("rb") as file:
        start = file.read(3)
    if start.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(path))
    return cast(IO[bytes], bz2.open(path)) if start == b"BZh" else path.open("rb")


def _content(mrcfile: Any, stream: IO[bytes], path: Path) -> IO[bytes]:
    """Stream of the header, the extended header and the pixels, all of which are there.

    The header states how much that is. Of a compressed file no more is decoded, and of any
    file no more is allocated than it holds.
    """
    head = stream.read(_HEADER)
    if len(head) < _HEADER:
        raise FormatError(f"not a readable MRC file, or a truncated one ({len(head)} bytes)")
    needed = _HEADER + _stated(mrcfile, head)
    if isinstance(stream, gzip.GzipFile | bz2.BZ2File):
        content = io.BytesIO(head)
        content.seek(0, io.SEEK_END)
        while content.tell() < needed:
            block = stream.read(min(_BLOCK, needed - content.tell()))
            if not block:
                check_content(needed, content.tell())
            content.write(block)
        content.seek(0)
        return content
    check_content(needed, path.stat().st_size)
    stream.seek(0)
    return stream


def _stated(mrcfile: Any, head: bytes) -> int:
    """Bytes after the header, as it states them."""
    alone = io.BytesIO(head[:_EXTENDED] + bytes(4) + head[_EXTENDED + 4 :])
    header = mrcfile.mrcinterpreter.MrcInterpreter(alone, True, True).header
    if bytes(header.map)[:3] != b"MAP":
        raise FormatError("not a readable MRC file: its header does not contain the word MAP")
    extended = np.frombuffer(head, header.nsymbt.dtype, 1, _EXTENDED).item()
    sizes = [int(header[name]) for name in ("nx", "ny", "nz")]
    if not 0 <= extended <= _LONGEST or min(sizes) < 1:
        raise FormatError(
            f"damaged MRC header: {' x '.join(map(str, sizes))} pixels, {extended} bytes of "
            "extended header"
        )
    if int(header.mode) not in _MODES:
        raise FormatError(
            f"an MRC file of mode {int(header.mode)}; allowed are "
            f"{', '.join(f'{mode} ({name})' for mode, name in _MODES.items())}"
        )
    shape = mrcfile.utils.data_shape_from_header(header)
    dtype = mrcfile.utils.data_dtype_from_header(header)
    check_memory(shape, dtype)
    return int(extended + math.prod(shape) * dtype.itemsize)


def _with_sizes(image: Image) -> Image:
    """Image with its pixel size in µm along the axes for which the header states it.

    Programs that do not know the size leave 0 or 1 Å in the header; no light microscope has
    pixels of 1 Å.
    """
    voxel = dict(zip("XYZ", image.source.voxel, strict=True))
    if voxel["X"] == voxel["Y"] == 1:
        return image.noted(
            "its header states pixels of 1 Å, the default of programs that do not know the size; "
            "the pixel size is taken as unknown"
        )
    sizes = {
        axis: size * _UM_PER_ANGSTROM
        for axis, size in voxel.items()
        if axis in image.axes and size > 0 and np.isfinite(size)
    }
    return image.replace(pixel_size=sizes)


def write(path: Path, image: Image) -> None:
    """Write a plane, or a volume or stack with three axes, including the voxel size.

    Raises
    ------
    FormatError
        If MRC cannot store the pixel type or the axes.
    """
    if image.data.dtype.name not in _MODES.values() or len(image.axes) > 3 or "S" in image.axes:
        raise FormatError(
            f"MRC holds up to three dimensions of {', '.join(_MODES.values())}, not "
            f"{image.data.dtype} of axes {image.axes}; choose another format (--format ome-tiff) "
            "or type (--dtype float32)"
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
        if image.caption:
            labels = [image.caption, *file.get_labels()]
            file.header.nlabl = 0
            for label in labels[:_MOST_LABELS]:
                file.add_label(label)
        before = dict(zip("XYZ", source.voxel if source else (0.0,) * 3, strict=True))
        file.voxel_size = tuple(
            image.pixel_size[axis] / _UM_PER_ANGSTROM if axis in image.pixel_size else before[axis]
            for axis in "XYZ"
        )


def _restore(file: Any, source: MrcSource) -> None:
    for name, value in source.header.items():
        file.header[name] = value
    if source.extended is not None:
        file.set_extended_header(source.extended)
    file.header.label[...] = b""
    file.header.nlabl = 0
    for label in source.labels:
        file.add_label(label)
