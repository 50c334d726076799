"""Arrays that are not in memory: of dask and of zarr."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import numpy as np

from autodip.api.dimension_names import axes_of
from autodip.errors import ParameterError
from autodip.image.image import Image
from autodip.io.large import Stored
from autodip.util.optional import require


def comes_from(given: Any, package: str, name: str) -> bool:
    """Whether an object is of a class of a package, which is not imported for that."""
    return any(
        kind.__name__ == name and kind.__module__.partition(".")[0] == package
        for kind in type(given).__mro__
    )


def is_dask(given: Any) -> bool:
    """Whether an object is a dask array."""
    return comes_from(given, "dask", "Array")


def as_dask(image: Image, pixels: Any) -> Any:
    """Dask array of pixels that are read when they are computed, with one plane in each chunk.

    Parameters
    ----------
    image : Image
        Image that states the axes.
    pixels : ndarray, Stored or dask array
        A dask array is returned as it is.
    """
    if is_dask(pixels):
        return pixels
    chunks = tuple(
        n if axis in "YXS" else 1 for axis, n in zip(image.axes, pixels.shape, strict=True)
    )
    array = require("dask.array", "cluster")
    name = f"autodip-{secrets.token_hex(8)}"
    return array.from_array(pixels, chunks=chunks, name=name, meta=np.empty(0, pixels.dtype))


def lazily(image: Image, pixels: Any) -> Any:
    """Result for an array of zarr: of dask, if that is installed, which can be stored in parts."""
    try:
        require("dask.array", "cluster")
    except ImportError:
        return pixels
    return as_dask(image, pixels)


def from_zarr(array: Any, axes: str | None) -> Image:
    """Image of a zarr array, whose pixels are read when they are needed.

    Its axes are given, or named in its metadata, or Y and X if there are two.
    """
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if axes is None and names:
        axes = axes_of(names)
    if axes is None and array.ndim != 2:
        raise ParameterError(
            f"the zarr array of shape {array.shape} does not state what its dimensions are; "
            'specify axes, for example axes="TYX"'
        )
    return Image(Stored(array), (axes or "YX").upper())  # type: ignore[arg-type]


def folder_of(group: Any) -> Path:
    """Folder of a zarr group.

    Raises
    ------
    ParameterError
        If the group is not stored in a folder.
    """
    root = getattr(group.store, "root", None)
    if root is None:
        raise ParameterError(
            "this zarr group is not stored in a folder of this machine; give one of its arrays, "
            'for example group["0"], and axes'
        )
    return Path(root, group.path)
