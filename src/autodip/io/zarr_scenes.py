"""The images of a Zarr store: of plates and wells, of bioformats2raw, and of any group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from autodip.errors import FormatError
from autodip.io.zarr_store import Bounds, attributes, node

_DEPTH = 4
"""Levels of groups that are searched for images."""

_NO_IMAGES = ("OME", "labels", "tables")
"""Groups that hold metadata and segmentations."""


def ome(folder: Path) -> tuple[Mapping[str, Any], str]:
    """OME attributes of a group, and their version; "" if it is not stated at this level."""
    found = attributes(folder)
    inner = found.get("ome")
    return (inner, str(inner.get("version", ""))) if isinstance(inner, Mapping) else (found, "")


def images(bounds: Bounds) -> tuple[dict[Path, str], tuple[str, ...]]:
    """Folders and names of the images of a store, and a note on those that are missing.

    An image that the metadata list may be absent, as a well of a plate that was not acquired, or
    damaged; the others are there all the same.

    Raises
    ------
    FormatError
        If there is no image.
    """
    root = bounds.root
    if _is_image(root):
        return {root: root.name}, ()
    described, _ = ome(root)
    absent: list[str] = []
    if "plate" in described or "well" in described:
        found = {place: _relative(root, place) for place in _fields(bounds, root, absent)}
    else:
        found = _series(bounds, absent)
    if not found:
        raise FormatError(
            "a Zarr store without an image: neither a multiscale image of OME-Zarr nor an array "
            + (f"(missing or damaged: {', '.join(absent[:5])})" if absent else "")
        )
    note = f"images that are missing or damaged: {_some(absent)}"
    return found, (note,) if absent else ()


def _is_image(folder: Path) -> bool:
    kind = node(folder)
    return kind == "array" or (kind == "group" and bool(ome(folder)[0].get("multiscales")))


def _image_there(folder: Path) -> bool | None:
    """Whether a folder is an image; None if its metadata are damaged."""
    try:
        return _is_image(folder)
    except FormatError:
        return None


def _relative(root: Path, place: Path) -> str:
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _paths(entries: Any) -> list[Any]:
    """Paths that are listed in metadata."""
    entries = entries if isinstance(entries, list) else []
    return [one["path"] for one in entries if isinstance(one, Mapping) and "path" in one]


def _fields(bounds: Bounds, folder: Path, absent: list[str]) -> Iterator[Path]:
    """Fields of view in a plate or a well; those that are listed but missing go to ``absent``."""
    described, _ = ome(folder)
    well, plate = described.get("well"), described.get("plate")
    if isinstance(well, Mapping):
        yield from _there(bounds, folder, _paths(well.get("images")), absent)
        return
    wells = _paths(plate.get("wells")) if isinstance(plate, Mapping) else []
    for path in dict.fromkeys(map(str, wells)):
        place = bounds.below(folder, path)
        if _is_well(place):
            yield from _fields(bounds, place, absent)
        else:
            inner = list(_searched(bounds, place, 1, absent)) if place != folder else []
            absent += [] if inner else [path]
            yield from inner
    if not wells:
        yield from _searched(bounds, folder, _DEPTH, absent)


def _is_well(folder: Path) -> bool:
    """Whether a folder describes a well; if it is damaged, its images are searched."""
    try:
        return isinstance(ome(folder)[0].get("well"), Mapping)
    except FormatError:
        return False


def _there(bounds: Bounds, folder: Path, paths: Iterable[Any], absent: list[str]) -> Iterator[Path]:
    """Images at paths below a folder; paths without one go to ``absent``."""
    for path in paths:
        place = bounds.below(folder, path)
        if _image_there(place):
            yield place
        else:
            absent.append(_relative(bounds.root, place))


def _series(bounds: Bounds, absent: list[str]) -> dict[Path, str]:
    """Folders and names of the images in a bioformats2raw layout, or in any group."""
    root = bounds.root
    listed = ome(root / "OME")[0].get("series")
    if isinstance(listed, list) and listed:
        places = list(_there(bounds, root, listed, absent))
    else:
        places = list(_searched(bounds, root, _DEPTH, absent))
    return {place: _name(place) or _relative(root, place) for place in places}


def _name(folder: Path) -> str:
    """Name of a multiscale image; "" if it has none."""
    multiscales = ome(folder)[0].get("multiscales")
    first = multiscales[0] if isinstance(multiscales, list) and multiscales else None
    return str(first.get("name") or "") if isinstance(first, Mapping) else ""


def _searched(bounds: Bounds, folder: Path, depth: int, absent: list[str]) -> Iterator[Path]:
    """Images in the groups of a folder, in natural order; damaged ones go to ``absent``."""
    inner = [one for one in folder.iterdir() if one.is_dir()] if folder.is_dir() else []
    for place in sorted(inner, key=lambda one: (len(one.name), one.name)):
        if place.name in _NO_IMAGES or place.name.startswith("."):
            continue
        bounds.below(folder, place.name)
        there = _image_there(place)
        if there:
            yield place
        elif there is None:
            absent.append(_relative(bounds.root, place))
        elif depth > 1:
            yield from _searched(bounds, place, depth - 1, absent)
