"""OME-Zarr 0.4 and 0.5: a folder, written back in its own version, with its pyramid."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np

from autodip.errors import AutodipError, FormatError
from autodip.image.image import Image
from autodip.io import large, ngff, ome, pyramid, scenes
from autodip.io.large import Stored, is_large
from autodip.io.stores import BESIDE, MARKS, check_replaceable, is_store
from autodip.util.files import remove, replacing
from autodip.util.optional import require

_LOSSLESS = ("blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma", "lzma2")
# Attributes that are rewritten, or that describe other images of the store or labels.
_DROPPED = ("multiscales", "omero", "labels", "plate", "well", "bioformats2raw.layout", "version")


def read(
    path: Path, axes: str | None, scene: str | int | None = None, scratch: Path | None = None
) -> Image:
    """Read an image at full resolution.

    Missing chunks are read as 0, as the standard defines; a store without any chunk is refused.

    Parameters
    ----------
    path : Path
        Folder of the store.
    axes : str, optional
        Meaning of the dimensions; overrides the metadata.
    scene : str or int, optional
        Image to read from a store that holds several (series of bioformats2raw, fields of view
        of a plate).
    scratch : Path, optional
        If given, the pixels of large images are read only when they are requested.
    """
    zarr = require("zarr", "zarr")
    if not path.is_dir():
        raise FormatError("not a folder, as an OME-Zarr image is (unpack it if it is an archive)")
    if not is_store(path):
        raise FormatError(f"not a Zarr store: it contains none of {', '.join(MARKS)}")
    try:
        group = zarr.open_group(path, mode="r")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about other content of the folder
            inside = _inside(group, path, scene)
        return _read(group[inside] if inside else group, path / inside, axes, scratch)
    except AutodipError:
        raise
    except Exception as error:  # codecs and stores may raise any exception
        raise FormatError(f"not a readable OME-Zarr image, or a damaged one ({error})") from error


def _inside(group: Any, path: Path, scene: str | int | None) -> str:
    """Path of the chosen image within the store; "" if the store itself is the image."""
    attributes, _ = _ome(group)
    if "multiscales" in attributes:
        scenes.choose([path.name], scene)
        return ""
    if "plate" in attributes or "well" in attributes:
        places = _fields(group)
        return places[scenes.choose(places, scene)]
    names = _series(group)
    if not names:
        raise FormatError(
            "a Zarr store without a multiscale image (its attributes have no 'multiscales'); "
            "OME-Zarr 0.4 and 0.5 are supported"
        )
    return list(names)[scenes.choose(list(names.values()), scene)]


def _ome(group: Any) -> tuple[Mapping[str, Any], str]:
    """OME attributes of a group, and their version; "" if it is not stated at this level."""
    attributes = dict(group.attrs)
    ome_part = attributes.get("ome")
    if isinstance(ome_part, Mapping):
        return ome_part, str(ome_part.get("version", ""))
    return attributes, ""


def _fields(group: Any) -> list[str]:
    """Paths of the fields of view in a plate or a well."""
    attributes, _ = _ome(group)
    if "well" in attributes:
        return [str(image["path"]) for image in attributes["well"]["images"]]
    wells = [str(well["path"]) for well in attributes["plate"]["wells"]]
    return [f"{well}/{place}" for well in wells for place in _fields(group[well])]


def _series(group: Any) -> dict[str, str]:
    """Paths and names of the images in a bioformats2raw layout, or in any group of images."""
    found = {}
    listed = _ome(group["OME"])[0].get("series") if "OME" in group else None
    for place in listed or sorted(group.group_keys(), key=lambda key: (len(key), key)):
        attributes, _ = _ome(group[place])
        if "multiscales" in attributes:
            found[str(place)] = str(attributes["multiscales"][0].get("name") or place)
    return found


def _read(group: Any, folder: Path, axes: str | None, scratch: Path | None) -> Image:
    attributes, version = _ome(group)
    multiscale = dict(attributes["multiscales"][0])
    version = version or str(multiscale.get("version", ""))
    if version not in ngff.VERSIONS:
        raise FormatError(
            f"OME-Zarr of version {version or 'unknown'!r}; {' and '.join(ngff.VERSIONS)} are "
            "supported: convert it with a current tool"
        )
    arrays = [group[str(dataset["path"])] for dataset in multiscale["datasets"]]
    full = arrays[0]
    if not full.nchunks_initialized:
        raise FormatError("no pixels are stored: none of the chunks of its full resolution exists")
    root = dict(group.attrs)
    others = {k: v for k, v in root.items() if k not in (*_DROPPED, "ome")}
    source = ngff.NgffSource(
        version=version,
        axes=ngff.letters(multiscale),
        multiscale=multiscale,
        omero=dict(attributes.get("omero") or {}),
        shapes=tuple(tuple(array.shape) for array in arrays),
        storage=_storage(full),
        others=others,
        folder=folder,
    )
    told = ngff.facts(source)
    told["hints"] = _hints(folder) or told["hints"]
    by_blocks = is_large(tuple(full.shape), np.dtype(full.dtype), scratch)
    data: Any = Stored(full) if by_blocks else np.asarray(full[...])
    return Image(data, axes or source.axes, source=source, **told)


def _hints(folder: Path) -> Any:
    """Hints from the OME-XML that bioformats2raw stores next to its images; else empty."""
    beside = folder.parent / "OME" / "METADATA.ome.xml"
    if not beside.is_file() or not folder.name.isdecimal():
        return ()
    return ome.facts(beside.read_text(encoding="utf-8"), int(folder.name))["hints"]


def _storage(array: Any) -> dict[str, Any]:
    """Arguments of ``zarr.create_array`` as for ``array``; lossy compressors are omitted."""
    storage: dict[str, Any] = {"chunks": tuple(array.chunks)}
    if array.shards is not None:
        storage["shards"] = tuple(array.shards)
    names = [_codec_name(codec) for codec in array.compressors]
    if names and all(name in _LOSSLESS for name in names):
        storage["compressors"] = tuple(array.compressors)
    return storage


def _codec_name(codec: Any) -> str:
    told = codec.to_dict() if hasattr(codec, "to_dict") else codec.get_config()
    return str(told.get("name") or told.get("id"))


def write(path: Path, image: Image, version: str | None = None) -> None:
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

    Raises
    ------
    FormatError
        If ``path`` is a folder with content other than an OME-Zarr image, or the image has both
        channels and colour samples.
    """
    zarr = require("zarr", "zarr")
    check_replaceable(path, getattr(image.source, "folder", None))
    source, data = image.source, image.data
    if not isinstance(source, ngff.NgffSource) or (version and version != source.version):
        source, data = ngff.new(image, version or ngff.NEWEST)
    with replacing(path) as (part,):
        remove(part)
        _store(zarr, part, source, data)
        _copy_beside(source, part)


def _copy_beside(source: ngff.NgffSource, path: Path) -> None:
    """Copy the labels and tables that belong to the image."""
    for name in BESIDE:
        if source.folder is not None and (source.folder / name).is_dir():
            shutil.copytree(source.folder / name, path / name)


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
            dtype=level.dtype if old else level.dtype.newbyteorder("="),
            fill_value=0,
            config={"write_empty_chunks": True},
            **({} if old else {"dimension_names": [a.lower() for a in source.axes]}),
            **({"chunk_key_encoding": {"name": "v2", "separator": "/"}} if old else {}),
            **_fitting(source.storage, level),
        )
        _fill(array, level)


def _fill(array: Any, level: np.ndarray) -> None:
    """Write the pixels of a level; if they are large, in rows of whole chunks."""
    if level.nbytes <= large.LARGE:
        array[...] = level
        return
    unit = array.shards or array.chunks
    for corner in product(*(range(0, n, u) for n, u in zip(level.shape[:-1], unit, strict=False))):
        block = tuple(slice(first, first + u) for first, u in zip(corner, unit, strict=False))
        array[block] = level[block]


def _fitting(storage: Mapping[str, Any], level: np.ndarray) -> dict[str, Any]:
    """Storage of a level: chunks no longer than its axes, codecs only if they fit its type."""
    result = dict(storage)
    if "shards" not in result:
        chunks = zip(result["chunks"], level.shape, strict=True)
        result["chunks"] = tuple(min(chunk, n) for chunk, n in chunks)
    sizes = {getattr(codec, "typesize", None) for codec in result.get("compressors", ())}
    if not sizes <= {None, level.dtype.itemsize}:
        del result["compressors"]
    return result
