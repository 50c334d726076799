"""TIFF in three flavours: OME, ImageJ and plain; each is written as it was read."""

from __future__ import annotations

import dataclasses
import logging
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tifffile

from autodip.errors import FormatError, ParameterError
from autodip.image import Image
from autodip.io import imagej, ome

_LOSSLESS = {"NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "ZSTD", "LZMA"}
_PREDICTABLE = {"LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD", "LZMA"}
# Tags of the TIFF standard that describe the image, not its encoding: document and page name,
# make and model, position, artist, host, XMP.
_DESCRIPTIVE = {269, 271, 272, 285, 286, 287, 315, 316, 700}
# Private tags that hold places in the old file (Exif, GPS, LSM, STK), or that tifffile writes.
_NOT_KEPT = {34665, 34853, 34412, 33628, 33629, 33630, 33631, 50838, 50839}
_ALPHA = (1, 2)
"""Values of the tag ExtraSamples that mean transparency; 0 is another channel."""


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

    def cut(self, position: int, kept: range) -> Source:
        """Metadata of the part of the image that has only ``kept`` of its axis at ``position``.

        The axis is known by its position, as the user may call it by another letter.
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
        return Source(self.flavour, tags, metadata, axes, shape)


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
        if any(page is None for page in series.pages):
            raise FormatError(
                f"truncated OME-TIFF: planes of the shape {series.shape} that its metadata tells "
                "are missing"
            )
        end = path.stat().st_size
        if any(_ends(page) > end for page in series.pages):
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
        alpha = any(int(e) in _ALPHA for e in tif.pages[0].extrasamples)  # type: ignore[union-attr]
        axes = axes or _check(seen, data.shape, path)
        image = Image(data, axes, source=source, alpha=alpha and "S" in axes)
        if flavour == "ome":
            xml = str(tif.ome_metadata)
            return _with_source(image, metadata=xml).replace(**ome.facts(xml))
        if flavour == "imagej":
            metadata = imagej.unwrapped(tif.imagej_metadata or {})
            facts = imagej.facts(metadata, image.axes, image.size("C"), source.tags)
            return _with_source(image, metadata=metadata).replace(**facts)
        if flavour == "shaped":
            metadata = dict((tif.shaped_metadata or ({},))[0])
            metadata.pop("shape", None)
            return _with_source(image, metadata=metadata)
        return image


def _ends(page: Any) -> int:
    """Byte behind the last strip or tile of a page."""
    return max(
        (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)), default=0
    )


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
    # A file without the tag has the bare number of its default.
    compression = tifffile.COMPRESSION(page.compression).name
    tags: dict[str, Any] = {
        "byteorder": tif.byteorder,
        "bigtiff": tif.is_bigtiff,
        "photometric": _photometric(page),
        "compression": compression.lower() if compression in _LOSSLESS else "adobe_deflate",
    }
    if compression in _PREDICTABLE and page.predictor != 1:
        tags["predictor"] = int(page.predictor)
    if page.is_tiled:
        tags["tile"] = (page.tilelength, page.tilewidth)
    if tifffile.PHOTOMETRIC(page.photometric).name == "PALETTE" and page.colormap is not None:
        tags["colormap"] = page.colormap
    if tags["photometric"] == "rgb":
        tags["planarconfig"] = tifffile.PLANARCONFIG(page.planarconfig).name.lower()
    if getattr(page, "extrasamples", ()):
        tags["extrasamples"] = [int(e) for e in page.extrasamples]
    x, y, unit = (page.tags.get(k) for k in ("XResolution", "YResolution", "ResolutionUnit"))
    if x is not None and y is not None:
        tags["resolution"] = (_positive(x.value), _positive(y.value))
        tags["resolutionunit"] = int(unit.value) if unit is not None else 1
    for key, tag in (("software", "Software"), ("datetime", "DateTime")):
        if tag in page.tags and isinstance(page.tags[tag].value, str):
            tags[key] = page.tags[tag].value.encode()
    tags["extratags"] = [
        tag.astuple()
        for tag in page.tags
        if tag.code in _DESCRIPTIVE or (tag.code >= 32768 and tag.code not in _NOT_KEPT)
    ]
    if tif.is_ome or tif.is_imagej or tif.is_shaped:
        return tags
    return {**tags, "description": page.description.encode()} if page.description else tags


def _photometric(page: Any) -> str:
    """Name of the colours as they are decoded: YCbCr comes out of a JPEG as RGB."""
    name: str = tifffile.PHOTOMETRIC(page.photometric).name.lower()
    return "rgb" if name == "ycbcr" else name


def _positive(ratio: Sequence[int]) -> tuple[int, int]:
    return (int(ratio[0]), int(ratio[1]) or 1)


def _with_source(image: Image, **changes: Any) -> Image:
    return image.replace(source=dataclasses.replace(image.source, **changes))


def write(path: Path, image: Image) -> None:
    """Write an image in the flavour of its source; one without a source as plain TIFF."""
    source = image.source
    if not isinstance(source, Source):
        photometric = "rgb" if "S" in image.axes else "minisblack"
        metadata = {"axes": image.axes}
        tifffile.imwrite(path, image.data, photometric=photometric, metadata=metadata)
        return
    data, tags = image.data, dict(source.tags)
    if source.flavour == "ome":
        samples = image.size("S")
        pages = data.size // (samples * image.size("Y") * image.size("X"))
        xml = ome.for_one_file(source.metadata, data.dtype, pages)
        tifffile.imwrite(path, data, description=xml.encode(), metadata=None, **tags)
    elif source.flavour == "imagej":
        metadata = imagej.for_writing(source.metadata)
        for key in ("bigtiff", "photometric", "planarconfig", "extrasamples", "tile", "software"):
            tags.pop(key, None)
        tags["byteorder"] = ">"
        metadata["axes"] = source.axes if set(source.axes) <= set("TZCYXS") else image.axes
        tifffile.imwrite(path, data, imagej=True, metadata=metadata, **tags)
    elif source.flavour == "shaped":
        tifffile.imwrite(path, data, metadata={**source.metadata, "axes": image.axes}, **tags)
    else:
        tifffile.imwrite(path, data, metadata=None, **tags)
