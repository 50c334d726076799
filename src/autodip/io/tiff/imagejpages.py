"""Pages of an ImageJ TIFF: as many as its description states, fewer or more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import tifffile

from autodip.errors import FormatError
from autodip.io.tiff import imagej, planes
from autodip.io.tiff.found import Found
from autodip.io.tiff.planes import Stack

_AXES = {"T": "frames", "Z": "slices", "C": "channels"}


def find(tif: tifffile.TiffFile, axes: str | None) -> Found:
    """The image of an ImageJ TIFF.

    Raises
    ------
    FormatError
        If pages are missing, or their meaning is unknown.
    ParameterError
        If the axes do not fit the pages.
    """
    metadata = imagej.unwrapped(tif.imagej_metadata or {})
    first = tif.pages.first
    order, sizes, own = _stated(metadata, first)
    promised, pages = math.prod(sizes), len(tif.pages)
    if promised == pages or (promised == 1 and axes is None):
        series, notes = _as_stated(tif, promised)
    elif pages > 1:
        series, notes = _other(tif, Stack(order, sizes, ()), own, axes)
    else:
        series, notes = _contiguous(tif, order, sizes, own)
    return Found(
        series=series,
        flavour="imagej",
        metadata=metadata,
        notes=(*notes, *imagej.notes(metadata)),
    )


def _stated(metadata: Mapping[str, Any], page: Any) -> tuple[str, tuple[int, ...], str]:
    """Axes (slowest first) and sizes of the stack as stated, and the axes of a page."""
    order = str(metadata.get("order", "czt")).upper()
    order = order[::-1] if sorted(order) == ["C", "T", "Z"] else "TZC"
    sizes = {axis: imagej.count(metadata.get(_AXES[axis])) for axis in order}
    own = str(page.axes)
    if "S" in own and page.shape[own.index("S")] == sizes["C"]:
        sizes["C"] = 1
        own = own.replace("S", "C") if own[0] == "S" else own  # written by Bio-Formats
    return order, tuple(sizes.values()), own


def _as_stated(tif: tifffile.TiffFile, promised: int) -> tuple[Any, list[str]]:
    (series, *others) = tif.series
    if others or math.prod(series.shape) < promised * math.prod(tif.pages.first.shape):
        raise FormatError(
            f"its ImageJ description states {promised} planes, but its {len(tif.pages)} pages "
            "differ in size or type; save it again with ImageJ"
        )
    return series, []


def _other(
    tif: tifffile.TiffFile, told: Stack, own: str, axes: str | None
) -> tuple[Any, list[str]]:
    """Series of a file with fewer or more pages than stated."""
    every = list(tif.pages)
    alike = planes.alike(every, every[0])
    notes = []
    if len(alike) < len(every):
        notes.append(planes.left_out(len(every) - len(alike), "an image of another size"))
    promised = math.prod(told.sizes)
    grown = planes.grown(told.axes, told.sizes, len(alike))
    described = Stack(told.axes, told.sizes, alike[:promised])
    if axes is not None and planes.are_for_all(axes, described, own, len(alike) > promised):
        stack = planes.of_all(axes, dict(zip(told.axes, told.sizes, strict=True)), every)
    elif len(alike) <= promised:
        shown = {planes.place_of(n, told.sizes): page for n, page in enumerate(alike)}
        stack = planes.complete(told.axes, told.sizes, shown)
    elif axes is not None:
        stack = described
        notes.append(
            planes.left_out(len(alike) - promised, "the ImageJ description does not state them")
        )
    elif grown is not None:
        stack = Stack(told.axes, grown, alike)
        notes.append(
            f"the ImageJ description states {promised} of the {len(alike)} pages "
            f"({planes.stated(told.axes, told.sizes)}); all were read"
        )
    else:
        raise planes.too_many(told.axes, told.sizes, len(alike), own)
    return planes.series_of(stack, own, kind="imagej", parent=tif), [*notes, *stack.notes]


def _contiguous(
    tif: tifffile.TiffFile, order: str, sizes: tuple[int, ...], own: str
) -> tuple[Any, list[str]]:
    """Series of a file with one page, which the pixels of the other planes follow directly."""
    page: Any = tif.pages.first
    there, odd = 1, 0
    if page.is_contiguous and page.compression == 1:
        there, odd = divmod(tif.filehandle.size - page.dataoffsets[0], page.nbytes)
    promised = math.prod(sizes)
    if there >= promised and tif.series[0].kind == "imagej":
        return tif.series[0], []
    if there != 1 and odd:
        raise FormatError(
            f"truncated TIFF: {promised} planes are stated, but the file ends in plane {there}"
        )
    shown = {planes.place_of(n, sizes): page for n in range(min(there, promised))}
    stack = planes.complete(order, sizes, shown)
    long = [n for n, size in enumerate(stack.sizes) if size > 1]
    series = tifffile.TiffPageSeries(
        [page],
        (*(stack.sizes[n] for n in long), *page.shape),
        page.dtype,
        "".join(order[n] for n in long) + own,
        kind="imagej",
        parent=tif,
        truncated=len(stack.pages) > 1,
    )
    return series, list(stack.notes)
