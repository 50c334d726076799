"""TIFF in three flavours: OME, ImageJ and plain; each is written as it was read."""

from __future__ import annotations

import dataclasses
import logging
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from autodip.errors import FormatError, ParameterError
from autodip.image import Hint, Image
from autodip.io import ome

_LOSSLESS = {"NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "ZSTD", "LZMA"}
_PREDICTABLE = {"LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD", "LZMA"}
# Tags of the TIFF standard that describe the image, not its encoding: document and page name,
# make and model, position, artist, host, XMP.
_DESCRIPTIVE = {269, 271, 272, 285, 286, 287, 315, 316, 700}
# Private tags that hold places in the old file (Exif, GPS, LSM, STK), or that tifffile writes.
_NOT_KEPT = {34665, 34853, 34412, 33628, 33629, 33630, 33631, 50838, 50839}
_UNITS_UM = {
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,
    "\\u00B5m": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
}


@dataclass(frozen=True)
class Source:
    """What of a TIFF file is kept when it is written again.

    Parameters
    ----------
    flavour : str
        "ome", "imagej", "shaped" (tifffile's own) or "plain".
    tags : mapping
        Arguments of ``tifffile.imwrite``: resolution, compression, byte order, ...
    metadata : mapping or str
        ImageJ's or tifffile's metadata, or the OME-XML.
    """

    flavour: str
    tags: Mapping[str, Any]
    metadata: Any = field(default=None, repr=False)
    axes: str = ""
    shape: tuple[int, ...] = ()

    def cut(self, axis: str, kept: range) -> Source:
        """Metadata of the part of the image that has only positions ``kept`` of an axis."""
        shape = tuple(
            len(kept) if a == axis else n for a, n in zip(self.axes, self.shape, strict=True)
        )
        metadata = self.metadata
        if self.flavour == "ome":
            metadata = ome.cut(metadata, axis, kept)
        elif self.flavour == "imagej":
            metadata = _cut_imagej(metadata, self.axes, self.shape, axis, kept)
        return dataclasses.replace(self, metadata=metadata, shape=shape)


def read(path: Path, axes: str | None) -> Image:
    """Read the one image of a TIFF file."""
    # tifffile reports damage to its log; the log's first line is the reason given here.
    log = _Log()
    logger = logging.getLogger("tifffile")
    handlers, logger.handlers = logger.handlers, [log]
    propagate, logger.propagate = logger.propagate, False
    try:
        return _read(path, axes, log)
    except (
        tifffile.TiffFileError,
        struct.error,
        OSError,
        RuntimeError,
        KeyError,
        IndexError,
        TypeError,
        OverflowError,
    ) as error:
        raise FormatError(f"not a readable TIFF file, or a truncated one ({error})") from error
    finally:
        logger.handlers, logger.propagate = handlers, propagate


class _Log(logging.Handler):
    """Collects what tifffile reports while it reads."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _read(path: Path, axes: str | None, log: _Log) -> Image:
    with tifffile.TiffFile(path) as tif:
        if not tif.pages:
            raise FormatError("truncated TIFF: it has a header but no image")
        if len(tif.series) != 1:
            shapes = ", ".join(str(s.shape) for s in tif.series)
            raise FormatError(
                f"the file holds {len(tif.series)} images of shapes {shapes}; "
                "save each as a file of its own"
            )
        series = tif.series[0]
        try:
            data = series.asarray()
        except ValueError as error:
            raise FormatError(f"truncated or damaged TIFF ({error})") from error
        end = path.stat().st_size
        if any(_ends(page) > end for page in series.pages if page is not None):
            raise FormatError(f"truncated TIFF: pixels are missing behind byte {end}")
        if log.lines:
            raise FormatError(f"damaged TIFF ({log.lines[0]})")
        seen = series.axes
        flavour = (
            "ome"
            if tif.is_ome
            else "imagej"
            if tif.is_imagej
            else "shaped"
            if tif.is_shaped
            else "plain"
        )
        source = Source(flavour, _tags(tif), None, seen, series.shape)
        image = Image(data, axes or _check(seen, data.shape, path), source=source)
        if flavour == "ome":
            return _with_ome(image, str(tif.ome_metadata))
        if flavour == "imagej":
            return _with_imagej(image, dict(tif.imagej_metadata or {}))
        if flavour == "shaped":
            metadata = dict((tif.shaped_metadata or ({},))[0])
            metadata.pop("shape", None)
            image = _with_source(image, metadata=metadata)
        return dataclasses.replace(image, alpha=_has_alpha(tif.pages[0]))


def _ends(page: Any) -> int:
    """Byte behind the last strip or tile of a page."""
    return max(
        (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)), default=0
    )


def _has_alpha(page: Any) -> bool:
    return bool(getattr(page, "extrasamples", ()))


def _check(axes: str, shape: tuple[int, ...], path: Path) -> str:
    """Axes as tifffile tells them, unless it does not know."""
    if set(axes) - set("TCZYXS") or len(set(axes)) != len(axes):
        ways = "--axes TYX (frames) or --axes ZYX (depth)"
        raise ParameterError(
            f"{path}: the file does not say what the dimensions of its shape {shape} are; "
            f"say it, as in {ways if len(shape) == 3 else '--axes TZYX'}"
        )
    return axes


def _tags(tif: tifffile.TiffFile) -> dict[str, Any]:
    """Arguments with which ``tifffile.imwrite`` writes a file like this one."""
    page: Any = tif.pages[0]
    compression = page.compression.name
    tags: dict[str, Any] = {
        "byteorder": tif.byteorder,
        "bigtiff": tif.is_bigtiff,
        "photometric": page.photometric.name.lower(),
        "compression": compression.lower() if compression in _LOSSLESS else "adobe_deflate",
    }
    if compression in _PREDICTABLE and page.predictor != 1:
        tags["predictor"] = int(page.predictor)
    if page.is_tiled:
        tags["tile"] = (page.tilelength, page.tilewidth)
    if page.photometric.name == "PALETTE" and page.colormap is not None:
        tags["colormap"] = page.colormap
    if page.photometric.name == "RGB":
        tags["planarconfig"] = page.planarconfig.name.lower()
    if getattr(page, "extrasamples", ()):
        tags["extrasamples"] = [int(e) for e in page.extrasamples]
    x, y, unit = (page.tags.get(k) for k in ("XResolution", "YResolution", "ResolutionUnit"))
    if x is not None and y is not None:
        tags["resolution"] = (_positive(x.value), _positive(y.value))
        tags["resolutionunit"] = int(unit.value) if unit is not None else 1
    for key, tag in (("software", "Software"), ("datetime", "DateTime")):
        if tag in page.tags and isinstance(page.tags[tag].value, str):
            tags[key] = page.tags[tag].value
    tags["extratags"] = [
        tag.astuple()
        for tag in page.tags
        if tag.code in _DESCRIPTIVE or (tag.code >= 32768 and tag.code not in _NOT_KEPT)
    ]
    if tif.is_ome or tif.is_imagej or tif.is_shaped:
        return tags
    return {**tags, "description": page.description} if page.description else tags


def _positive(ratio: Sequence[int]) -> tuple[int, int]:
    return (int(ratio[0]), int(ratio[1]) or 1)


def _with_source(image: Image, **changes: Any) -> Image:
    return dataclasses.replace(image, source=dataclasses.replace(image.source, **changes))


def _with_ome(image: Image, xml: str) -> Image:
    facts = ome.facts(xml)
    return dataclasses.replace(_with_source(image, metadata=xml), **facts)


def _with_imagej(image: Image, metadata: dict[str, Any]) -> Image:
    for key, single in (("Labels", str), ("LUTs", np.ndarray)):
        if isinstance(metadata.get(key), single):  # tifffile unwraps lists of one
            metadata[key] = [metadata[key]]
    unit = _UNITS_UM.get(str(metadata.get("unit", "")))
    size: dict[str, float] = {}
    if unit is not None:
        for axis, ratio in zip("XY", image.source.tags.get("resolution", ()), strict=False):
            if ratio[0]:
                size[axis] = ratio[1] / ratio[0] * unit
        if "Z" in image.axes and metadata.get("spacing"):
            size["Z"] = float(metadata["spacing"]) * unit
    names = _imagej_channels(image, metadata)
    return dataclasses.replace(
        _with_source(image, metadata=metadata),
        pixel_size=size,
        time_step=float(metadata["finterval"]) if metadata.get("finterval") else None,
        channel_names=names,
        hints=tuple((Hint("specimen", "ImageJ slice label", name),) for name in names),
    )


def _imagej_channels(image: Image, metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Labels of the first slice of each channel, where every channel has its own."""
    labels = metadata.get("Labels")
    count = image.size("C")
    if not labels or "C" not in image.axes or len(labels) < count:
        return ()
    # ImageJ counts channels fastest.
    names = tuple(str(label) for label in labels[:count])
    return names if all(names) and len(set(names)) == count else ()


def _cut_imagej(
    metadata: Mapping[str, Any], axes: str, shape: tuple[int, ...], axis: str, kept: range
) -> dict[str, Any]:
    """Keep the labels, colours and ranges of the planes that stay."""
    result = dict(metadata)
    order = [a for a in axes if a not in "YXS"]
    numbers = np.arange(int(np.prod([shape[axes.index(a)] for a in order], dtype=int)))
    numbers = numbers.reshape([shape[axes.index(a)] for a in order])
    if axis in order:
        numbers = np.take(numbers, list(kept), order.index(axis))
        labels = metadata.get("Labels")
        if labels and len(labels) > numbers.max():
            result["Labels"] = [labels[i] for i in numbers.ravel()]
    if axis == "C":
        if metadata.get("LUTs"):
            result["LUTs"] = [metadata["LUTs"][i] for i in kept]
        if metadata.get("Ranges"):
            ranges = np.reshape(metadata["Ranges"], (-1, 2))[list(kept)]
            result["Ranges"] = tuple(ranges.ravel().tolist())
    return result


def write(path: Path, image: Image) -> None:
    """Write an image in the flavour of its source; one without a source as plain TIFF."""
    source: Source | None = image.source
    if source is None:
        photometric = "rgb" if "S" in image.axes else "minisblack"
        metadata = {"axes": image.axes}
        tifffile.imwrite(path, image.data, photometric=photometric, metadata=metadata)
        return
    data, tags = image.data, dict(source.tags)
    if source.flavour == "ome":
        xml = ome.for_one_file(source.metadata, data.dtype)
        tifffile.imwrite(path, data, description=xml.encode(), metadata=None, **tags)
    elif source.flavour == "imagej":
        computed = ("ImageJ", "images", "channels", "slices", "frames", "hyperstack")
        metadata = {k: v for k, v in source.metadata.items() if k not in computed}
        for key in ("bigtiff", "photometric", "planarconfig", "extrasamples", "tile", "software"):
            tags.pop(key, None)
        tags["byteorder"] = ">"
        metadata["axes"] = source.axes
        tifffile.imwrite(path, data, imagej=True, metadata=metadata, **tags)
    elif source.flavour == "shaped":
        tifffile.imwrite(path, data, metadata={**source.metadata, "axes": image.axes}, **tags)
    else:
        tifffile.imwrite(path, data, metadata=None, **tags)
