"""Pages of an ImageJ TIFF: as many as its description states, fewer or more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
    order, sizes, own = _stated(metadata, tif.pages.first)
    several = len(tif.pages) > 1
    series, notes = (_pages if several else _contiguous)(tif, order, sizes, own, axes)
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


def _pages(
    tif: tifffile.TiffFile, order: str, sizes: tuple[int, ...], own: str, axes: str | None
) -> tuple[Any, list[str]]:
    """Series of a file with several pages, and notes."""
    every = list(tif.pages)
    alike = planes.alike(every, every[0])
    notes = []
    if len(alike) < len(every):
        notes.append(planes.left_out(len(every) - len(alike), "an image of another size"))
    promised = math.prod(sizes)
    stack = _described(order, sizes, alike, axes)
    grown = planes.grown(order, sizes, len(alike))
    if stack is None or (axes and planes.are_for_all(axes, stack, own, len(alike) > promised)):
        stack = planes.of_all(str(axes), dict(zip(order, sizes, strict=True)), every)
    elif len(alike) > promised and grown is not None:
        stack = Stack(order, grown, alike)
        notes.append(
            f"the ImageJ description states {promised} of the {len(alike)} pages "
            f"({planes.stated(order, sizes)}); all were read"
        )
    elif len(alike) > promised and axes is not None:
        reason = "the ImageJ description does not state them"
        notes.append(planes.left_out(len(alike) - promised, reason))
    elif len(alike) > promised == 1:
        stack = Stack("I", (len(alike),), alike)  # of unknown meaning
    elif len(alike) > promised:
        raise planes.too_many(order, sizes, len(alike), len(alike) - promised, own)
    return planes.series_of(stack, own, kind="imagej", parent=tif), [*notes, *stack.notes]


def _described(
    order: str, sizes: tuple[int, ...], pages: Sequence[Any], axes: str | None
) -> Stack | None:
    """The planes that are stated; None if not all exist, but the user specified axes."""
    count = min(len(pages), math.prod(sizes))
    shown = {planes.place_of(n, sizes): pages[n] for n in range(count)}
    try:
        return planes.complete(order, sizes, shown)
    except FormatError:
        if axes is None:
            raise
        return None


def _contiguous(
    tif: tifffile.TiffFile, order: str, sizes: tuple[int, ...], own: str, axes: str | None
) -> tuple[Any, list[str]]:
    """Series of a file with one page, which the pixels of the other planes follow directly."""
    page: Any = tif.pages.first
    there, odd = 1, 0
    if page.is_contiguous and page.compression == 1 and page.nbytes:
        there, odd = divmod(tif.filehandle.size - page.dataoffsets[0], page.nbytes)
    promised = math.prod(sizes)
    if 1 < there < promised and odd:
        raise FormatError(
            f"truncated TIFF: {promised} planes are stated, but the file ends in plane {there + 1}"
        )
    notes = []
    if there > promised and not _is_behind(page):
        left = planes.counted(there - promised, "plane")
        notes.append(f"pixels of {left} left out: the ImageJ description does not state them")
    there = max(1, min(there, promised))
    # Only the first plane has a page; the others lie where this page is repeated.
    stack = _described(order, sizes, [page] * there, axes)
    if stack is None or (axes and planes.are_for_all(axes, stack, own, False)):
        letters = str(axes)[: -len(own)]
        known = dict(zip(order, sizes, strict=True))
        stack = Stack(letters, planes.specified(letters, known, there), [page] * there)
    long = [n for n, size in enumerate(stack.sizes) if size > 1]
    series = tifffile.TiffPageSeries(
        [page],
        (*(stack.sizes[n] for n in long), *page.shape),
        page.dtype,
        "".join(stack.axes[n] for n in long) + own,
        kind="imagej",
        parent=tif,
        truncated=len(stack.pages) > 1,
    )
    return series, [*notes, *stack.notes]


def _is_behind(page: Any) -> bool:
    """Whether metadata of a page lie behind its pixels."""
    places = [page.offset, *(tag.valueoffset for tag in page.tags)]
    return bool(max(places) > page.dataoffsets[0])
