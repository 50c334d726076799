"""Write an image as TIFF, in the flavour of its source file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from autodip.errors import FormatError
from autodip.image.image import Image
from autodip.io import ome, pyramid
from autodip.io.large import laid_out
from autodip.io.tiff import imagej
from autodip.io.tiff.decoded import BUFFER
from autodip.io.tiff.source import TiffSource
from autodip.io.tiff.tags import for_pixels, writable, writes

_CLASSIC = 2**31
"""Size of the pixels in bytes above which BigTIFF is written."""

_OF_IMAGEJ = ("uint8", "uint16", "float32")
"""Types of pixels that ImageJ's own variant of TIFF holds."""

_MOST_BYTES = 4
"""Bytes of the largest pixels that ImageJ has; larger ones are reduced when it opens a file."""

_SAMPLE = 16
"""Side length in pixels of the image by which it is found out what can be written."""

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


def write(path: Path, image: Image, *, as_ome: bool = False) -> None:
    """Write an image in the flavour of its source.

    An image from another format is written as OME-TIFF if it has metadata or the file name
    contains ``.ome.tif``, otherwise as plain TIFF. Where a file of ImageJ has pixels of a type that
    ImageJ's own variant of TIFF cannot hold, it is written as a plain TIFF with ImageJ's
    description.

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
            metadata = {"axes": image.axes, **_caption(image)}
            data = laid_out(image.data, path.parent)
            tifffile.imwrite(path, data, photometric=photometric, metadata=metadata)
            return
        image = _converted(image)
    source: TiffSource = image.source
    first, tags = _arguments(image, source)
    tags, _ = _writable(image, tags, first)
    data = laid_out(image.data, path.parent, _stored_type(image.data.dtype, tags))
    if len(source.planes) > 1 and source.flavour != "imagej":
        _write_pyramid(path, data, source, first, tags)
    elif source.pages:
        _write_pages(path, data, source, first, tags)
    else:
        tifffile.imwrite(path, data, buffersize=BUFFER, **first, **tags)


def is_compressed(path: Path) -> bool:
    """Whether the pixels of a file are compressed."""
    with tifffile.TiffFile(path) as tif:
        return tif.pages.first.compression != tifffile.COMPRESSION.NONE


def prepared(image: Image) -> Image:
    """Image whose metadata can be written again, with notes on what is left out.

    This is found out when a file is read, so that nothing fails after the image is denoised.
    """
    image = _with_metadata(image)
    source: TiffSource = image.source
    # OME-XML can always be written, and takes long to be made.
    plain = dataclasses.replace(source, flavour="plain") if source.flavour == "ome" else source
    first, tags = _arguments(image, plain)
    kept, notes = _writable(image, tags, first)
    shared = _shared(kept)
    pages = []
    for own in source.pages:
        page, more = _writable(image, {**shared, **own}, {"metadata": None})
        pages.append({key: page[key] for key in own if page.get(key)})
        notes += more
    if not notes:
        return image
    tags = {key: value for key, value in source.tags.items() if key in kept or key not in tags}
    tags |= {key: kept[key] for key in tags if key in kept}
    source = dataclasses.replace(source, tags=tags, pages=tuple(pages))
    return image.replace(source=source).noted(*dict.fromkeys(notes))


def _with_metadata(image: Image) -> Image:
    """Image without those ImageJ or shaped metadata that cannot be written again."""
    source: TiffSource = image.source
    if not isinstance(source.metadata, Mapping) or _writes(image, source.metadata):
        return image
    kept: dict[str, Any] = {}
    notes = []
    for key, value in source.metadata.items():
        if _writes(image, {**kept, key: value}):
            kept[key] = value
        else:
            notes.append(f"the metadata {key!r} cannot be written again")
    return image.replace(source=dataclasses.replace(source, metadata=kept)).noted(*notes)


def _writes(image: Image, metadata: Mapping[str, Any]) -> bool:
    """Whether metadata can be written, without any other tags."""
    first, _ = _arguments(image, dataclasses.replace(image.source, metadata=metadata))
    return writes(_sample(image), None, first)


def _shared(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Tags that all pages of an image share, except those of the file."""
    own = ("bigtiff", "byteorder", "description", "datetime", "extratags")
    return {key: value for key, value in tags.items() if key not in own}


def _writable(
    image: Image, tags: dict[str, Any], first: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Tags that can be written with pixels of the type and the samples of an image."""
    samples = None if image.source.flavour == "shaped" else image.size("S")
    return writable(tags, _sample(image), samples, first)


def _sample(image: Image) -> np.ndarray:
    """Small array of the type, the axes and the number of samples of an image."""
    most = {"S": image.size("S"), "Y": _SAMPLE, "X": _SAMPLE}
    return np.zeros([min(image.size(a), most.get(a, 1)) for a in image.axes], image.data.dtype)


def _arguments(image: Image, source: TiffSource) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments of ``tifffile.imwrite``: those of the first page and the flavour, and the tags."""
    data, tags = image.data, for_pixels(dict(source.tags), image.data.dtype)
    tags["bigtiff"] = bool(tags.get("bigtiff")) or data.nbytes > _CLASSIC
    first: dict[str, Any] = {"metadata": None}
    if source.flavour == "ome":
        pages = data.size // (image.size("S") * image.size("Y") * image.size("X"))
        xml = ome.for_one_file(source.metadata, data.dtype, pages, image.caption)
        first["description"] = xml.encode()
    elif source.flavour == "imagej":
        axes = source.axes if set(source.axes) <= set("TZCYXS") else image.axes
        own = imagej.captioned(source.metadata, image.caption)
        metadata = {**imagej.for_writing(own), "axes": axes}
        for key in ("bigtiff", "photometric", "planarconfig", "extrasamples", "tile", "software"):
            tags.pop(key, None)
        tags["byteorder"] = ">"
        first = {"imagej": True, "metadata": metadata}
        if data.dtype.name not in _OF_IMAGEJ:
            if data.dtype.itemsize > _MOST_BYTES and data.dtype.name != source.dtype:
                raise FormatError(
                    f"ImageJ TIFF holds pixels of at most 32 bits, not {data.dtype.name}; choose "
                    "another type (--dtype float32) or another format (--format ome-tiff)"
                )
            first, more = _described(metadata, image)
            tags["extratags"] = [*tags["extratags"], *more]
    elif source.flavour == "shaped":
        metadata = {**source.metadata, **_caption(image), "axes": image.axes}
        first = {"ome": False, "metadata": metadata}
    elif image.caption:
        tags["description"] = image.caption.encode()
    return first, tags


def _caption(image: Image) -> dict[str, str]:
    """Caption of an image as an entry of tifffile's metadata; empty if it has none."""
    return {"description": image.caption} if image.caption else {}


def _described(metadata: dict[str, Any], image: Image) -> tuple[dict[str, Any], list[Any]]:
    """ImageJ's description and tags, for pixels that its own variant of TIFF cannot hold."""
    named = ("Info", "Labels", "Ranges", "LUTs", "Plot", "ROI", "Overlays", "Properties", "axes")
    plain = {key: value for key, value in metadata.items() if key not in named}
    text = tifffile.imagej_description(image.data.shape, metadata["axes"], **plain)
    own = {key: metadata[key] for key in named[:-1] if key in metadata}
    colours = "rgb" if image.size("S") > 1 else "minisblack"
    first = {"metadata": None, "description": text.encode(), "photometric": colours}
    return first, list(tifffile.imagej_metadata_tag(own, ">"))


def _stored_type(dtype: np.dtype, tags: Mapping[str, Any]) -> np.dtype:
    """Type in the byte order of the file; unchanged for compressed or tiled pixels."""
    encoded = tags.get("compression", "none") != "none" or "tile" in tags
    return dtype if encoded else dtype.newbyteorder(tags.get("byteorder", "="))


def _write_pages(
    path: Path, data: np.ndarray, source: TiffSource, first: dict[str, Any], tags: dict[str, Any]
) -> None:
    """Write an image page by page, each with its own tags."""
    encoding = {key: tags.pop(key) for key in ("bigtiff", "byteorder") if key in tags}
    shared = _shared(tags)
    own = len(data.shape) - len([a for a in source.axes if a not in "YXS"])
    planes = data.reshape(-1, *data.shape[-own:])
    with tifffile.TiffWriter(path, **encoding) as tif:
        for number, (plane, more) in enumerate(zip(planes, source.pages, strict=True)):
            page = {**tags, **more, **first} if number == 0 else {**shared, **more}
            tif.write(plane, **{"metadata": None, **page})


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
    encoding = {key: tags.pop(key) for key in ("bigtiff", "byteorder") if key in tags}
    shared = {key: tags[key] for key in _OF_LEVELS if key in tags}
    shared["metadata"] = {} if source.flavour == "shaped" else None
    with tifffile.TiffWriter(path, ome=first.pop("ome", None), **encoding) as tif:
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
