"""TIFF in three flavours: OME, ImageJ and plain; each is written as it was read."""

from __future__ import annotations

import dataclasses
import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from autodip.errors import FormatError, ParameterError
from autodip.image.image import Image
from autodip.io import imagej, ome, pyramid, scenes
from autodip.io.large import laid_out
from autodip.io.tiffpixels import BUFFER, Log, pixels
from autodip.io.tifftags import for_pixels, tags_of

_CLASSIC = 2**31
"""Size of the pixels in bytes above which BigTIFF is written."""

_OF_LEVELS = (
    "photometric",
    "compression",
    "predictor",
    "tile",
    "planarconfig",
    "extrasamples",
    "colormap",
)
"""Tags that the reduced levels of a pyramid share with the full image."""

_ALPHA = (1, 2)
"""Values of the tag ExtraSamples that mean transparency; 0 is an additional channel."""


@dataclass(frozen=True, kw_only=True)
class TiffSource:
    """Metadata of a TIFF file that are preserved when it is written back.

    Parameters
    ----------
    flavour : str
        "ome", "imagej", "shaped" (tifffile's own) or "plain".
    tags : mapping
        Arguments of ``tifffile.imwrite``: resolution, compression, byte order, ...
    metadata : mapping or str
        ImageJ's or tifffile's metadata, or the OME-XML; None for a plain TIFF.
    axes, shape : str, tuple of int
        Axes and shape of the pixels as the file states them.
    planes : tuple of tuple of int
        Size (Y, X) of the full image and of each level of its pyramid.
    """

    flavour: str
    tags: Mapping[str, Any]
    metadata: Any = field(default=None, repr=False)
    axes: str = ""
    shape: tuple[int, ...] = ()
    planes: tuple[tuple[int, int], ...] = ()

    def cut(self, position: int, kept: range) -> TiffSource:
        """Metadata of the image restricted to ``kept`` along its axis at ``position``.

        The axis is given by its position because the user may name it by another letter.
        """
        axis, axes, tags, metadata = self.axes[position], self.axes, self.tags, self.metadata
        shape = (*self.shape[:position], len(kept), *self.shape[position + 1 :])
        if self.flavour == "ome":
            metadata = ome.cut(metadata, axis, kept)
        elif self.flavour == "imagej":
            metadata = imagej.cut(metadata, self.axes, self.shape, axis, kept)
        if axis == "S":
            of_colour = ("planarconfig", "extrasamples")
            tags = {k: v for k, v in tags.items() if k not in of_colour}
            tags["photometric"] = "minisblack"
            axes = axes.replace("S", "")
            shape = (*self.shape[:position], *self.shape[position + 1 :])
        return TiffSource(
            flavour=self.flavour,
            tags=tags,
            metadata=metadata,
            axes=axes,
            shape=shape,
            planes=self.planes,
        )


def read(
    path: Path,
    axes: str | None,
    scene: str | int | None = None,
    scratch: Path | None = None,
    follow: bool = False,
) -> Image:
    """Read the only image of a TIFF file, or the one given by ``scene``.

    If ``scratch`` is given, the file of a large image is memory-mapped if its pixels are
    contiguous, uncompressed and in native byte order; otherwise they are decoded into a file in
    that folder, which is memory-mapped.
    """
    # tifffile reports damage through its logger; the first line is given as the reason.
    log = Log()
    logger = logging.getLogger("tifffile")
    handlers, logger.handlers = logger.handlers, [log]
    propagate, logger.propagate = logger.propagate, False
    try:
        return _read(path, axes, scene, scratch, log)
    except (
        tifffile.TiffFileError,
        struct.error,
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        OSError,
        RuntimeError,
        TypeError,
    ) as error:
        raise FormatError(f"not a readable TIFF file, or a truncated one ({error})") from error
    finally:
        logger.handlers, logger.propagate = handlers, propagate


def _read(
    path: Path, axes: str | None, scene: str | int | None, scratch: Path | None, log: Log
) -> Image:
    with tifffile.TiffFile(path) as tif:
        if not tif.pages:
            raise FormatError("truncated TIFF: it has a header but no image")
        number = scenes.choose([_label(series) for series in tif.series], scene)
        series = tif.series[number]
        data = pixels(series, scratch, log.lines)
        page = series.keyframe
        source = TiffSource(
            flavour=_flavour(tif),
            tags=tags_of(tif, page),
            metadata=None,
            axes=series.axes,
            shape=series.shape,
            planes=_planes(series),
        )
        alpha = any(int(e) in _ALPHA for e in page.extrasamples)
        axes = axes or _check(series.axes, data.shape, path)
        image = Image(data, axes, source=source, alpha=alpha and "S" in axes)
        return _told(image, tif, number)


def _label(series: Any) -> str:
    """Name and shape of an image."""
    shape = " x ".join(str(n) for n in series.shape)
    return f"{series.name} ({shape})" if series.name and series.name != "Uniform" else shape


def _flavour(tif: tifffile.TiffFile) -> str:
    for name in ("ome", "imagej", "shaped"):
        if getattr(tif, f"is_{name}"):
            return name
    return "plain"


def _planes(series: Any) -> tuple[tuple[int, int], ...]:
    """Size (Y, X) of each pyramid level, the full image first; empty without axes Y and X."""
    levels = series.levels if {"Y", "X"} <= set(series.axes) else ()
    rows, columns = series.axes.find("Y"), series.axes.find("X")
    return tuple((level.shape[rows], level.shape[columns]) for level in levels)


def _told(image: Image, tif: tifffile.TiffFile, number: int) -> Image:
    """Image with the metadata of the file."""
    source = image.source
    if source.flavour == "ome":
        xml = ome.only(str(tif.ome_metadata), number)
        return _with_source(image, metadata=xml).replace(**ome.facts(xml))
    if source.flavour == "imagej":
        metadata = imagej.unwrapped(tif.imagej_metadata or {})
        facts = imagej.facts(metadata, image.axes, image.size("C"), source.tags)
        return _with_source(image, metadata=metadata).replace(**facts)
    if source.flavour == "shaped":
        shaped = tif.shaped_metadata or ({},)
        metadata = dict(shaped[min(number, len(shaped) - 1)])
        metadata.pop("shape", None)
        return _with_source(image, metadata=metadata)
    return image


def _check(axes: str, shape: tuple[int, ...], path: Path) -> str:
    """Axes as determined by tifffile; a ParameterError if it could not determine them."""
    if set(axes) - set("TCZYXS") or len(set(axes)) != len(axes):
        ways = "--axes TYX (frames) or --axes ZYX (depth)"
        raise ParameterError(
            f"{path}: the file does not state what the dimensions of its shape {shape} are; "
            f"specify them, as in {ways if len(shape) == 3 else '--axes TZYX'}"
        )
    return axes


def _with_source(image: Image, **changes: Any) -> Image:
    return image.replace(source=dataclasses.replace(image.source, **changes))


def write(path: Path, image: Image, *, as_ome: bool = False) -> None:
    """Write an image in the flavour of its source.

    An image from another format is written as OME-TIFF if it has metadata or the file name
    contains ``.ome.tif``, otherwise as plain TIFF.

    Parameters
    ----------
    path : Path
    image : Image
    as_ome : bool
        Write OME-TIFF in any case.
    """
    if as_ome and not (isinstance(image.source, TiffSource) and image.source.flavour == "ome"):
        image = _converted(image)
    elif not isinstance(image.source, TiffSource):
        facts = (image.pixel_size, image.time_step, image.channel_names, image.channel_colours)
        if not any(facts) and ".ome.tif" not in path.name.lower():
            photometric = "rgb" if "S" in image.axes else "minisblack"
            metadata = {"axes": image.axes}
            data = laid_out(image.data, path.parent)
            tifffile.imwrite(path, data, photometric=photometric, metadata=metadata)
            return
        image = _converted(image)
    source: TiffSource = image.source
    data, tags = image.data, for_pixels(dict(source.tags), image.data.dtype)
    first: dict[str, Any] = {"metadata": None}
    if source.flavour == "ome":
        samples = image.size("S")
        pages = data.size // (samples * image.size("Y") * image.size("X"))
        first["description"] = ome.for_one_file(source.metadata, data.dtype, pages).encode()
    elif source.flavour == "imagej":
        first = {"imagej": True, "metadata": imagej.for_writing(source.metadata)}
        for key in ("bigtiff", "photometric", "planarconfig", "extrasamples", "tile", "software"):
            tags.pop(key, None)
        tags["byteorder"] = ">"
        known = set(source.axes) <= set("TZCYXS")
        first["metadata"]["axes"] = source.axes if known else image.axes
    elif source.flavour == "shaped":
        first["metadata"] = {**source.metadata, "axes": image.axes}
    data = laid_out(data, path.parent, _stored_type(data.dtype, tags))
    if len(source.planes) > 1 and source.flavour != "imagej":
        _write_pyramid(path, data, source, first, tags)
    else:
        tifffile.imwrite(path, data, buffersize=BUFFER, **first, **tags)


def _stored_type(dtype: np.dtype, tags: Mapping[str, Any]) -> np.dtype:
    """Type in the byte order of the file; unchanged for compressed or tiled pixels."""
    encoded = tags.get("compression", "none") != "none" or "tile" in tags
    return dtype if encoded else dtype.newbyteorder(tags["byteorder"])


def _write_pyramid(
    path: Path, data: np.ndarray, source: TiffSource, first: dict[str, Any], tags: dict[str, Any]
) -> None:
    """Write an image followed by its reduced levels, which are stored in SubIFDs."""
    rows, columns = source.axes.index("Y"), source.axes.index("X")
    shapes = []
    for level in source.planes[1:]:
        shape = list(data.shape)
        for at, full, part in zip((rows, columns), source.planes[0], level, strict=True):
            shape[at] = pyramid.scaled(data.shape[at], full, part)
        shapes.append(tuple(shape))
    encoding = {key: tags.pop(key) for key in ("bigtiff", "byteorder")}
    shared = {key: tags[key] for key in _OF_LEVELS if key in tags}
    shared["metadata"] = {} if source.flavour == "shaped" else None
    with tifffile.TiffWriter(path, **encoding) as tif:
        tif.write(data, subifds=len(shapes), buffersize=BUFFER, **first, **tags)
        for reduced in pyramid.levels(data, shapes, path.parent):
            tif.write(reduced, subfiletype=1, buffersize=BUFFER, **shared)


def _converted(image: Image) -> Image:
    """Image from another format, prepared for OME-TIFF: axes Y, X last, or Y, X, S."""
    order = "".join(a for a in image.axes if a not in "YXS") + "YX" + "S" * ("S" in image.axes)
    data = np.transpose(image.data, [image.axes.index(a) for a in order])
    image = image.replace(data=data, axes=order)
    rgb = image.size("S") in (3, 4)
    tags: dict[str, Any] = {
        "byteorder": "<",
        "bigtiff": data.nbytes > _CLASSIC,
        "photometric": "rgb" if rgb else "minisblack",
        "compression": "adobe_deflate",
        "predictor": 2,
    }
    if "S" in order:
        tags["planarconfig"] = "contig"
    if image.alpha:
        tags["extrasamples"] = ["unassalpha"]
    return image.replace(
        source=TiffSource(
            flavour="ome", tags=tags, metadata=ome.document(image), axes=order, shape=data.shape
        )
    )
