"""Tags of a TIFF file that are preserved when it is written back."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tifffile

from autodip.io.tiff.captured import captured

_LOSSLESS = {"NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "ZSTD", "LZMA"}
_PREDICTABLE = {"LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD", "LZMA"}
# Tags of the TIFF standard that describe the image, not its encoding: document and page name,
# make and model, position, artist, host, copyright, XMP.
_DESCRIPTIVE = {269, 271, 272, 285, 286, 287, 315, 316, 33432, 700}
# Private tags that hold offsets in the old file, with their names; they are lost.
_LOST = {
    34665: "Exif",
    34853: "GPS",
    34412: "LSM",
    33628: "MetaMorph",
    33629: "MetaMorph",
    33630: "MetaMorph",
    33631: "MetaMorph",
}
# Tags that tifffile writes from the metadata of ImageJ.
_WRITTEN = {50838, 50839}
_LARGEST_TILE = 2**24
"""Number of pixels of a tile above which strips are written."""

_TEXT = ("software", "datetime", "description")


def tags_of(tif: tifffile.TiffFile, page: Any, flavour: str) -> tuple[dict[str, Any], list[str]]:
    """Arguments with which ``tifffile.imwrite`` writes a file like this one, and notes on losses.

    Parameters
    ----------
    tif : TiffFile
    page : TiffPage
        First page of the chosen image.
    flavour : str
        As in :class:`autodip.io.tiff.source.TiffSource`.
    """
    compression = _name(tifffile.COMPRESSION, page.compression, "NONE")
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
    if tags["photometric"] == "palette" and page.colormap is not None:
        tags["colormap"] = page.colormap
    if "S" in page.axes:
        tags["planarconfig"] = _name(tifffile.PLANARCONFIG, page.planarconfig, "CONTIG").lower()
    if getattr(page, "extrasamples", ()):
        tags["extrasamples"] = [int(e) for e in page.extrasamples]
    x, y, unit = (page.tags.get(k) for k in ("XResolution", "YResolution", "ResolutionUnit"))
    if x is not None and y is not None and _is_ratio(x.value) and _is_ratio(y.value):
        tags["resolution"] = (_positive(x.value), _positive(y.value))
        known = unit is not None and isinstance(unit.value, int)
        tags["resolutionunit"] = int(unit.value) if known else 1
    for key, tag in (("software", "Software"), ("datetime", "DateTime")):
        if tag in page.tags and isinstance(page.tags[tag].value, str):
            tags[key] = page.tags[tag].value.encode()
    tags["extratags"] = extra_tags(page)
    if flavour == "plain" and page.description:
        tags["description"] = page.description.encode()
    lost = sorted({_LOST[tag.code] for tag in page.tags if tag.code in _LOST})
    return tags, [f"{name} metadata cannot be written again and are left out" for name in lost]


def extra_tags(page: Any) -> list[Any]:
    """Descriptive and private tags of a page."""
    return [
        tag.astuple()
        for tag in page.tags
        if tag.code in _DESCRIPTIVE
        or (tag.code >= 32768 and tag.code not in _LOST and tag.code not in _WRITTEN)
    ]


def _name(names: Any, value: Any, default: str) -> str:
    """Name of a value of an enumeration; ``default`` for a value that is not defined."""
    try:
        return str(names(value).name)
    except ValueError:
        return default


def _photometric(page: Any) -> str:
    """Photometric interpretation after decoding; YCbCr in a JPEG is decoded to RGB."""
    default = "RGB" if "S" in page.axes else "MINISBLACK"
    name = _name(tifffile.PHOTOMETRIC, page.photometric, default).lower()
    return "rgb" if name == "ycbcr" else name


def _is_ratio(value: Any) -> bool:
    return isinstance(value, Sequence) and len(value) == 2 and not isinstance(value, str)


def _positive(ratio: Sequence[int]) -> tuple[int, int]:
    return (int(ratio[0]), int(ratio[1]) or 1)


def single_sample(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Tags of a grey image with the pixels of one sample."""
    kept = {k: v for k, v in tags.items() if k not in ("planarconfig", "extrasamples")}
    return {**kept, "photometric": "minisblack"}


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


def writable(
    tags: Mapping[str, Any], sample: np.ndarray, samples: int | None, first: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Tags that can be written, and notes on those that cannot.

    They are found by writing a small image to memory. If that fails, groups of tags are added one
    by one, and each that fails is replaced or left out.

    Parameters
    ----------
    tags : mapping
        Arguments of ``tifffile.imwrite``.
    sample : ndarray
        Small array of the type, the axes and the number of samples of the image.
    samples : int or None
        Number of samples of a pixel; None if it is not checked.
    first : mapping
        Arguments that are kept in any case, such as those of the flavour.
    """
    tags = dict(tags)
    height, width = tags.get("tile", (0, 0))
    if height * width > _LARGEST_TILE:
        del tags["tile"]
    if writes(sample, samples, {**first, **tags}):
        return tags, []
    chosen: dict[str, Any] = {"extratags": []}
    notes = []
    for alternatives in _groups(tags, samples in (3, 4)):
        for more in alternatives:
            extra = [*chosen["extratags"], *more.get("extratags", ())]
            trial = {**chosen, **more, "extratags": extra}
            if writes(sample, samples, {**first, **trial}):
                chosen = trial
                break
        else:
            more = {}
        if more != alternatives[0]:
            notes.append(f"{_words(alternatives[0])} cannot be written again")
    return chosen, notes


def _groups(tags: Mapping[str, Any], rgb: bool) -> Iterator[list[dict[str, Any]]]:
    """Tags that belong together, each followed by what may replace them."""
    together: list[tuple[tuple[str, ...], dict[str, Any]]] = [
        (("byteorder", "bigtiff"), {}),
        (
            ("photometric", "planarconfig", "extrasamples", "colormap"),
            {"photometric": "rgb" if rgb else "minisblack"},
        ),
        (("compression", "predictor"), {"compression": "adobe_deflate"}),
        (("tile",), {}),
        (("resolution", "resolutionunit"), {"resolution": tags.get("resolution")}),
        *(((name,), {}) for name in _TEXT),
    ]
    for names, instead in together:
        group = {name: tags[name] for name in names if name in tags}
        if group:
            yield [group, instead]
    for extra in tags.get("extratags", ()):
        yield [{"extratags": [extra]}]


def writes(sample: np.ndarray, samples: int | None, arguments: Mapping[str, Any]) -> bool:
    """Whether an array can be written with these arguments, as pixels of so many samples."""
    file = io.BytesIO()
    with captured(logging.WARNING) as lines:
        try:
            tifffile.imwrite(file, sample, **arguments)
            file.seek(0)
            with tifffile.TiffFile(file) as tif:
                written = int(tif.pages.first.samplesperpixel)
        except Exception:  # what tifffile raises on odd values is not documented
            return False
    return not lines and samples in (None, written)


def _words(tags: Mapping[str, Any]) -> str:
    """Name and value of the first of some tags."""
    name, value = next(iter(tags.items()))
    if name == "extratags":
        code = value[0][0]
        return f"tag {code} ({tifffile.TIFF.TAGS.get(code, 'private')})"
    if name == "resolution":
        return f"the resolution with unit {tags.get('resolutionunit')}"
    return f"the tag {name} {str(value)[:40]}"
