"""OME-Zarr 0.1 to 0.6: a folder, written back with its metadata and its pyramid."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from autodip.errors import FormatError
from autodip.image.image import Image
from autodip.io import bare_zarr, dimensions, multiscales, ngff, ome, pyramid, scenes, zarr_array
from autodip.io.faults import reason
from autodip.io.stores import BESIDE, check_replaceable
from autodip.io.zarr_scenes import images
from autodip.io.zarr_scenes import ome as ome_of
from autodip.io.zarr_store import MARKS, Bounds, attributes, is_store, node, zarr_format
from autodip.util.files import remove, replacing
from autodip.util.optional import require

# Attributes that are rewritten, or that describe other images of the store or labels.
_DROPPED = ("multiscales", "omero", "labels", "plate", "well", "bioformats2raw.layout", "version")


def read(
    path: Path,
    axes: str | None,
    scene: str | int | None = None,
    scratch: Path | None = None,
    follow: bool = False,
) -> Image:
    """Read an image at full resolution, or an array without metadata of OME-Zarr.

    Missing chunks have the fill value, as the standard defines; a store without any chunk is
    refused.

    Parameters
    ----------
    path : Path
        Folder of the store.
    axes : str, optional
        Meaning of the dimensions; overrides the metadata.
    scene : str or int, optional
        Image to read from a store that holds several (series of bioformats2raw, fields of view
        of a plate, arrays of a group).
    scratch : Path, optional
        If given, the pixels of large images are read only when they are requested.
    follow : bool
        Whether links and paths in the metadata may lead out of the store.
    """
    zarr = require("zarr", "zarr")
    if not path.is_dir():
        raise FormatError("not a folder, as an OME-Zarr image is (unpack it if it is an archive)")
    if not is_store(path):
        raise FormatError(f"not a Zarr store: it contains none of {', '.join(MARKS)}")
    bounds = Bounds(path, follow)
    found, notes = images(bounds)
    folder = list(found)[scenes.choose(list(found.values()), scene)]
    bounds.check(folder)
    if node(folder) == "array":
        image = bare_zarr.read(zarr, folder, axes, scratch, path)
    else:
        image = _read(zarr, bounds, folder, axes, scratch)
    return image.noted(*notes)


def _read(zarr: Any, bounds: Bounds, folder: Path, axes: str | None, scratch: Path | None) -> Image:
    described, stated = ome_of(folder)
    listed = described["multiscales"]
    if not isinstance(listed, list) or not isinstance(listed[0], Mapping):
        raise FormatError("damaged metadata: its 'multiscales' is not a list of images")
    version = multiscales.version_of(stated, listed[0], zarr_format(folder))
    multiscale, arrays, place, absent = _levels(zarr, bounds, folder, listed[0])
    shape = tuple(int(n) for n in arrays[0].shape)
    multiscale, version, changed = multiscales.upgraded(multiscale, version, axes, shape)
    entries = multiscales.axes_of(multiscale)
    source = _source(folder, arrays, multiscale, version, multiscales.letters(entries, shape, axes))
    told = ngff.facts(source, entries)
    hints, damaged = _hints(bounds, folder)
    told["hints"] = hints or told["hints"]
    told["notes"] += (*absent, *changed, *damaged)
    if len(listed) > 1:
        told["notes"] += (f"the first of its {len(listed)} multiscale images is read",)
    new = {} if axes or "Y" in source.axes else dimensions.renamed(source.axes, shape)
    if new:
        told["notes"] += dimensions.note(new, told["time_step"])
        told["pixel_size"] = dimensions.sizes(source.axes, new, told["pixel_size"])
        told["time_step"] = None if "T" in new else told["time_step"]
    known = axes or "".join(new.get(axis, axis) for axis in source.axes)
    return Image(zarr_array.pixels(arrays[0], place, scratch), known, source=source, **told)


def _source(
    folder: Path, arrays: list[Any], multiscale: Mapping[str, Any], version: str, names: str
) -> ngff.NgffSource:
    """What is preserved of an image when it is written back."""
    described, _ = ome_of(folder)
    outer = attributes(folder)
    omero = described.get("omero")
    within = isinstance(outer.get("ome"), Mapping)
    return ngff.NgffSource(
        version=version,
        axes=names,
        multiscale=multiscale,
        omero=dict(omero) if isinstance(omero, Mapping) else {},
        shapes=tuple(tuple(array.shape) for array in arrays),
        storage=zarr_array.storage(arrays[0]),
        others={k: v for k, v in outer.items() if k not in (*_DROPPED, "ome")},
        extra={k: v for k, v in described.items() if k not in _DROPPED} if within else {},
        folder=folder,
    )


def _levels(
    zarr: Any, bounds: Bounds, folder: Path, multiscale: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Any], Path, list[str]]:
    """Metadata of the levels that can be read, and their arrays.

    Returned with the folder of the first of them, and notes on the others. Levels outside the
    store are renamed, since they are written into it.

    Raises
    ------
    FormatError
        If the full resolution cannot be read.
    """
    datasets = multiscale.get("datasets")
    if not isinstance(datasets, list) or not datasets:
        raise FormatError("damaged metadata: its 'multiscales' does not list the arrays")
    levels: list[Any] = []
    arrays: list[Any] = []
    places: list[Path] = []
    absent: list[str] = []
    for number, dataset in enumerate(datasets):
        path = dataset.get("path") if isinstance(dataset, Mapping) else None
        place = bounds.below(folder, path)
        bounds.check(place)
        try:
            array = _level(zarr, place, str(path), arrays)
        except FormatError as error:
            if not arrays:
                raise
            absent.append(f"a level of its pyramid is left out: {error}")
            continue
        inside = place.is_relative_to(folder) and ".." not in place.parts
        levels.append(dataset if inside else {**dataset, "path": str(number)})
        arrays.append(array)
        places.append(place)
    return {**multiscale, "datasets": levels}, arrays, places[0], absent


def _level(zarr: Any, place: Path, path: str, before: list[Any]) -> Any:
    """Array of a level, whose axes are those of the levels before it."""
    if node(place) != "array":
        raise FormatError(f"the array {path!r}, which its metadata list, is not there")
    array = zarr_array.opened(zarr, place)
    if before and len(array.shape) != len(before[0].shape):
        raise FormatError(f"the array {path!r} has other axes")
    return array


def _hints(bounds: Bounds, folder: Path) -> tuple[Any, tuple[str, ...]]:
    """Hints from the OME-XML that bioformats2raw stores next to its images; else empty.

    The pixels do not depend on it, so what cannot be read is only noted.
    """
    beside = folder.parent / "OME" / "METADATA.ome.xml"
    if folder == bounds.root or not folder.name.isdecimal() or not beside.is_file():
        return (), ()
    try:
        bounds.check(beside.parent)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about values that are not valid
            xml = beside.read_text(encoding="utf-8")
            return ome.facts(xml, int(folder.name))["hints"], ()
    except Exception as error:  # the XML may be of any form
        why = reason(error).partition("; ")[0]
        return (), (f"OME/METADATA.ome.xml is not used ({why})",)


def write(path: Path, image: Image, version: str | None = None, *, as_ome: bool = False) -> None:
    """Write an image with the pyramid levels of its source, or with a new pyramid.

    The folder appears complete or not at all; an existing Zarr store is replaced.

    Parameters
    ----------
    path : Path
        Folder of the store.
    image : Image
    version : str, optional
        "0.4" or "0.5"; by default the version of the source, or 0.5 for images from other
        formats.
    as_ome : bool
        Whether an array read without metadata of OME-Zarr becomes OME-Zarr.

    Raises
    ------
    FormatError
        If ``path`` is a folder with content other than an OME-Zarr image, or the image has both
        channels and colour samples.
    """
    zarr = require("zarr", "zarr")
    check_replaceable(path, getattr(image.source, "folder", None))
    source, data = image.source, image.data
    if isinstance(source, bare_zarr.BareSource) and version is None and not as_ome:
        with replacing(path) as (part,):
            remove(part)
            bare_zarr.write(zarr, part, image)
        return
    kept = isinstance(source, ngff.NgffSource) and len(source.axes) == data.ndim
    if not kept or (version and version != source.version):
        source, data = ngff.new(image, version or multiscales.NEWEST)
    else:
        source = source.captioned(image.caption)
    with replacing(path) as (part,):
        remove(part)
        _store(zarr, part, source, data)
        _copy_beside(source, part)


def _copy_beside(source: ngff.NgffSource, path: Path) -> None:
    """Copy the labels and tables that belong to the image."""
    for name in BESIDE:
        if source.folder is not None and (source.folder / name).is_dir():
            shutil.copytree(source.folder / name, path / name, symlinks=True)


def _store(zarr: Any, path: Path, source: ngff.NgffSource, data: np.ndarray) -> None:
    """Write the group and its arrays."""
    old = source.version == "0.4"
    group = zarr.open_group(path, mode="w", zarr_format=2 if old else 3)
    group.attrs.update(source.attributes())
    reduced = pyramid.levels(data, source.level_shapes(data.shape), path.parent)
    for dataset, level in zip(source.multiscale["datasets"], chain((data,), reduced), strict=True):
        array = group.create_array(
            str(dataset["path"]),
            shape=level.shape,
            dtype=zarr_array.stored_type(level.dtype, native=not old),
            fill_value=0,
            config={"write_empty_chunks": True},
            **({} if old else {"dimension_names": [a.lower() for a in source.axes]}),
            **({"chunk_key_encoding": {"name": "v2", "separator": "/"}} if old else {}),
            **zarr_array.fitting(source.storage, level),
        )
        zarr_array.fill(array, level)
