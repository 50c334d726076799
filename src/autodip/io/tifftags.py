"""Tags of a TIFF file that are preserved when it is written back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tifffile

_LOSSLESS = {"NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "ZSTD", "LZMA"}
_PREDICTABLE = {"LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD", "LZMA"}
# Tags of the TIFF standard that describe the image, not its encoding: document and page name,
# make and model, position, artist, host, XMP.
_DESCRIPTIVE = {269, 271, 272, 285, 286, 287, 315, 316, 700}
# Private tags that hold offsets in the old file (Exif, GPS, LSM, STK), or that tifffile writes.
_NOT_KEPT = {34665, 34853, 34412, 33628, 33629, 33630, 33631, 50838, 50839}


def tags_of(tif: tifffile.TiffFile, page: Any) -> dict[str, Any]:
    """Arguments with which ``tifffile.imwrite`` writes a file like this one.

    Parameters
    ----------
    tif : TiffFile
    page : TiffPage
        First page of the chosen image.
    """
    # Without the tag, the attribute is the default as a bare number.
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
    """Photometric interpretation after decoding; YCbCr in a JPEG is decoded to RGB."""
    name: str = tifffile.PHOTOMETRIC(page.photometric).name.lower()
    return "rgb" if name == "ycbcr" else name


def _positive(ratio: Sequence[int]) -> tuple[int, int]:
    return (int(ratio[0]), int(ratio[1]) or 1)


def for_pixels(tags: dict[str, Any], dtype: np.dtype) -> dict[str, Any]:
    """Tags adapted to pixels of type ``dtype``, in case the file held another type.

    Predictors differ for integers and floats, and a palette has one colour for each value of
    unsigned integers.
    """
    result = dict(tags)
    if result.get("predictor", 1) != 1:
        result["predictor"] = 3 if dtype.kind == "f" else 2
    values = 2 ** (8 * dtype.itemsize) if dtype.kind == "u" else 0
    if "colormap" in result and np.shape(result["colormap"])[-1] != values:
        del result["colormap"]
        result["photometric"] = "minisblack"
    return result
