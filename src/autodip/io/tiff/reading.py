"""Read a TIFF file in one of its flavours: OME, ImageJ and plain."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from autodip.errors import AutodipError, FormatError, ParameterError
from autodip.image.image import Image
from autodip.io import ome, omexml, scenes
from autodip.io.tiff import imagej, imagejpages, omesearch, pagetags, resolution
from autodip.io.tiff.captured import captured
from autodip.io.tiff.decoded import absent, pixels
from autodip.io.tiff.found import Found
from autodip.io.tiff.source import TiffSource
from autodip.io.tiff.tags import single_sample, tags_of
from autodip.io.tiff.writing import prepared

_ALPHA = (1, 2)
"""Values of the tag ExtraSamples that mean transparency; 0 is an additional channel."""

_PLANES = 2**31
"""Number of planes that no file holds."""

_LEVELS = 256
"""Number of reduced images above which the directory of a file is damaged."""


def read(
    path: Path,
    axes: str | None,
    scene: str | int | None = None,
    scratch: Path | None = None,
    *,
    follow: bool = False,
) -> Image:
    """Read the only image of a TIFF file, or the one given by ``scene``.

    If ``scratch`` is given, the file of a large image is memory-mapped if its pixels are
    contiguous, uncompressed and in native byte order; otherwise they are decoded into a file in
    that folder, which is memory-mapped.

    The other files of an OME-TIFF set are read as well if they lie below the folder of this file;
    with ``follow``, also if they lie elsewhere.
    """
    with captured() as lines:
        try:
            with tifffile.TiffFile(path) as tif:
                if not tif.pages:
                    raise FormatError("truncated TIFF: it has a header but no image")
                if len(tif.pages.first.subifds or ()) > _LEVELS:
                    raise FormatError(f"it states more than {_LEVELS} reduced images")
                found = _find(tif, axes, scene, follow, lines)
                return _image(path, tif, found, pixels(found.series, scratch, lines), axes)
        except AutodipError:
            raise
        except Exception as error:  # what tifffile raises on damage is not documented
            reason = str(error) or type(error).__name__
            raise FormatError(f"not a readable TIFF file, or a truncated one ({reason})") from error


def _find(
    tif: tifffile.TiffFile,
    axes: str | None,
    scene: str | int | None,
    follow: bool,
    lines: list[str],
) -> Found:
    """The chosen image in the flavour of the file."""
    note = None
    if omexml.is_ome(omesearch.description(tif)):
        found = omesearch.find(tif, scene, axes, follow)
        if isinstance(found, Found):
            return found
        note = found
        tif.is_ome = False  # so that tifffile does not interpret the metadata either
    elif tif.is_imagej:
        scenes.choose([""], scene)
        return imagejpages.find(tif, axes)
    every, notes = _series(tif, axes, lines)
    number = scenes.choose([_label(series) for series in every], scene)
    series = every[number]
    if note is not None:
        return Found(series=series, flavour="ome", notes=(f"{note}; the pages were read alone",))
    if not tif.is_shaped:
        return Found(series=series, flavour="plain", notes=notes)
    shaped = tif.shaped_metadata or ({},)
    metadata = dict(shaped[min(number, len(shaped) - 1)])
    metadata.pop("shape", None)
    return Found(series=series, flavour="shaped", metadata=metadata)


def _series(tif: Any, axes: str | None, lines: list[str]) -> tuple[list[Any], tuple[str, ...]]:
    """Images of a file, and a note if the shape that its description states does not fit them.

    That remains where another program has cropped an image written by tifffile.

    Raises
    ------
    FormatError
        If pages are missing, and the user did not specify the axes of those that exist.
    """
    if not tif.is_shaped:
        return list(tif.series), ()
    before = len(lines)
    try:
        found = list(tif.series)
        fits = all(map(_fits, found, tif.shaped_metadata or ())) and len(lines) == before
    except Exception:  # what tifffile raises on a description that is not valid is not documented
        fits = False
    if fits:
        return found, ()
    stated, there = _planes_stated(tif), len(tif.pages)
    if axes is None and stated > there:
        raise FormatError(
            f"truncated TIFF: its description states {stated} planes, but {there} exist; get the "
            "complete file, or read the pages of this file alone, as in --axes TYX (YX if there is "
            "one)"
        )
    del lines[before:]
    tif.is_shaped = False
    tif.__dict__.pop("series", None)  # where tifffile caches them,
    getattr(tif, "_series", {}).clear()  # and where its versions for Python 3.12 do
    return list(tif.series), ("the shape in its description does not fit its pages and is ignored",)


def _fits(series: Any, stated: Mapping[str, Any]) -> bool:
    """Whether an image has all pages, and the shape, that its description states."""
    return all(page is not None for page in series.pages) and series.size == math.prod(
        stated["shape"]
    )


def _planes_stated(tif: Any) -> int:
    """Number of planes that the descriptions of a file state; 0 if that is uncertain."""
    try:
        shapes = [stated["shape"] for stated in tif.shaped_metadata]
        count = sum(math.prod(map(int, shape[: -len(tif.pages.first.shape)])) for shape in shapes)
        return count if count < _PLANES else 0
    except (TypeError, ValueError, LookupError, OverflowError):
        return 0


def _label(series: Any) -> str:
    """Name of an image; its shape if it has none."""
    named = series.name and series.name != "Uniform"
    return str(series.name) if named else " x ".join(str(n) for n in series.shape)


def _image(
    path: Path, tif: tifffile.TiffFile, found: Found, data: np.ndarray, axes: str | None
) -> Image:
    """Image with the metadata of the file."""
    series, page = found.series, found.series.keyframe
    axes = axes or _check(path, series.axes, data.shape, found.notes)
    order = list(range(data.ndim))
    if found.flavour == "imagej":  # which writes its axes in one order only
        order = sorted(order, key=lambda n: imagej.AXES.find(series.axes[n]))
        data, axes = data.transpose(order), "".join(axes[n] for n in order)
    alpha = any(int(e) in _ALPHA for e in page.extrasamples) and "S" in axes
    tags, losses = tags_of(page.parent, page, found.flavour)
    if "S" in page.axes and "S" not in series.axes:
        tags = single_sample(tags)  # samples that are channels become pages
    pages, more = pagetags.of(series, found.flavour)
    source = TiffSource(
        flavour=found.flavour,
        tags=tags,
        metadata=found.metadata,
        axes="".join(series.axes[n] for n in order),
        shape=data.shape,
        dtype=data.dtype.name,
        planes=_planes(series),
        pages=pages,
    )
    notes = (*found.notes, *losses, *more, *absent(series))
    image = Image(data, axes, source=source, alpha=alpha, notes=notes)
    return prepared(_with_facts(image, source))


def _with_facts(image: Image, source: TiffSource) -> Image:
    """Image with what the metadata of its flavour state."""
    if source.flavour == "imagej":
        return image.replace(
            **imagej.facts(source.metadata, image.axes, image.size("C"), source.tags)
        )
    if source.flavour != "ome":
        return image.replace(pixel_size=resolution.pixel_size(source.tags))
    if source.metadata is not None:
        image = image.replace(**ome.facts(source.metadata))
    if not ome.holds(image.data.dtype):
        return image.replace(
            source=dataclasses.replace(source, flavour="shaped", metadata={})
        ).noted(
            f"OME-TIFF holds no pixels of type {image.data.dtype}; a result of this type is "
            "written as plain TIFF, without the OME metadata"
        )
    if source.metadata is None:  # it cannot be used
        source = dataclasses.replace(source, metadata=ome.document(image.replace(source=None)))
    return image.replace(source=source)


def _planes(series: Any) -> tuple[tuple[int, int], ...]:
    """Size (Y, X) of each pyramid level, the full image first; empty without axes Y and X."""
    if not {"Y", "X"} <= set(series.axes):
        return ()
    full = (series.shape[series.axes.index("Y")], series.shape[series.axes.index("X")])
    page = series.keyframe
    if len(series.levels) > 1:
        rows, columns = series.axes.find("Y"), series.axes.find("X")
        return tuple((level.shape[rows], level.shape[columns]) for level in series.levels)
    if series.kind != "ome" or not page.subifds:
        return (full,)
    levels = [level for level in page.pages if level is not None] if page.pages else []
    sizes = ((level.imagelength, level.imagewidth) for level in levels)
    return (full, *(size for size in sizes if 0 < size[0] < full[0] or 0 < size[1] < full[1]))


def _check(path: Path, axes: str, shape: tuple[int, ...], notes: tuple[str, ...]) -> str:
    """Axes as determined by tifffile; a ParameterError if it could not determine them."""
    if set(axes) - set("TCZYXS") or len(set(axes)) != len(axes):
        ways = "--axes TYX (frames) or --axes ZYX (depth)"
        reason = f"{notes[0]}; " if notes else ""
        raise ParameterError(
            f"{path}: {reason}the file does not state what the dimensions of its shape {shape} "
            f"are; specify them, as in {ways if len(shape) == 3 else '--axes TZYX'}"
        )
    return axes
