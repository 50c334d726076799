"""Arrays of Zarr without metadata of OME-Zarr, written back as such an array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autodip.image.image import Image
from autodip.io import npy, zarr_array
from autodip.io.zarr_store import attributes, zarr_format

_XARRAY = "_ARRAY_DIMENSIONS"
"""Attribute in which xarray names the dimensions of an array of Zarr 2."""


@dataclass(frozen=True, kw_only=True)
class BareSource:
    """What is preserved of an array when it is written back.

    Parameters
    ----------
    zarr_format : int
        2 or 3.
    attributes : mapping
    names : tuple of str or None
        Names of the dimensions in Zarr 3.
    storage : mapping
        Arguments of ``zarr.create_array``: chunks, shards, compressors.
    """

    zarr_format: int
    attributes: Mapping[str, Any] = field(repr=False)
    names: tuple[str | None, ...] | None
    storage: Mapping[str, Any] = field(repr=False)


def read(zarr: Any, folder: Path, axes: str | None, scratch: Path | None, path: Path) -> Image:
    """Read an array; its axes are given, or named in its metadata, or Y and X if there are two.

    Raises
    ------
    ParameterError
        If the axes are not known.
    """
    array = zarr_array.opened(zarr, folder)
    source = BareSource(
        zarr_format=zarr_format(folder),
        attributes=attributes(folder),
        names=getattr(array.metadata, "dimension_names", None),
        storage=zarr_array.storage(array),
    )
    shape = tuple(int(n) for n in array.shape)
    known = axes or _letters(source, len(shape)) or npy.axes_of(shape, path)
    return Image(zarr_array.pixels(array, folder, scratch), known, source=source)


def _letters(source: BareSource, count: int) -> str:
    """Axes by the names of the dimensions; "" if these are not axes of an image."""
    names = source.names or source.attributes.get(_XARRAY)
    names = [str(name).upper() for name in names] if isinstance(names, list | tuple) else []
    known = len(names) == len(set(names)) == count and {"Y", "X"} <= set(names) <= set("TCZYX")
    return "".join(names) if known else ""


def write(zarr: Any, path: Path, image: Image) -> None:
    """Write the pixels as an array with the attributes of the source."""
    source, data = image.source, image.data
    old = source.zarr_format == 2
    stored = (
        source.storage if len(source.storage["chunks"]) == data.ndim else {"chunks": data.shape}
    )
    named = {} if old or len(source.names or ()) != data.ndim else {"dimension_names": source.names}
    array = zarr.create_array(
        path,
        shape=data.shape,
        dtype=zarr_array.stored_type(data.dtype, native=not old),
        fill_value=0,
        zarr_format=source.zarr_format,
        attributes={
            **source.attributes,
            **({"description": image.caption} if image.caption else {}),
        },
        config={"write_empty_chunks": True},
        **named,
        **zarr_array.fitting(stored, data),
    )
    zarr_array.fill(array, data)
