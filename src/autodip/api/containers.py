"""What may be given to the Python functions: an image, an array of several libraries, a path."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autodip.api import lazy, xarrays
from autodip.errors import ParameterError
from autodip.image.from_array import as_image
from autodip.image.image import Image
from autodip.io import is_image_folder
from autodip.runs.map_files import CAPTION
from autodip.runs.original import Original
from autodip.runs.selection import Selection, parse_frames
from autodip.util.paths import is_folder


@dataclass(frozen=True, kw_only=True)
class Container:
    """The image in what was given, and how pixels become something of the same kind again.

    Parameters
    ----------
    image : Image
        The selected part.
    wrap : callable
        Makes a container of the given kind from pixels with the shape of the image.
    lazy : bool
        Whether the pixels are not in memory, so that results are computed when they are read.
    original : Original, optional
        File from which the image was read.
    """

    image: Image
    wrap: Callable[[Any], Any]
    lazy: bool = False
    original: Original | None = None

    def wrap_errors(self, errors: Any) -> Any:
        """Make a container of the given kind from standard errors, described as such."""
        found = self.wrap(errors)
        if isinstance(found, Image):
            return found.replace(caption=CAPTION)
        return xarrays.as_errors(found) if lazy.comes_from(found, "xarray", "DataArray") else found


def opened(given: Any, selection: Selection) -> Container:
    """Image in what was given: an Image, a path, or an array of numpy, xarray, dask or zarr.

    Raises
    ------
    ParameterError
        If it is something else, or its axes are not known.
    FormatError, ImageError
        As from :func:`autodip.read`.
    """
    if isinstance(given, str | os.PathLike):
        return _read(Path(given), selection)
    if lazy.comes_from(given, "zarr", "Group"):
        image = selection.open(lazy.folder_of(given), Path(tempfile.gettempdir()))
        return Container(image=image, wrap=partial(lazy.lazily, image), lazy=True)
    if selection.scene is not None:
        raise ParameterError("scene selects an image of a file; give the path of the file")
    if lazy.comes_from(given, "xarray", "DataArray"):
        return _of_xarray(given, selection)
    return _of_array(given, selection)


def _of_array(given: Any, selection: Selection) -> Container:
    axes = selection.axes
    if lazy.is_dask(given):
        image = _selected(_with_axes(given, axes), selection)
        return Container(image=image, wrap=partial(lazy.as_dask, image), lazy=True)
    if lazy.comes_from(given, "zarr", "Array"):
        image = _selected(lazy.from_zarr(given, axes), selection)
        return Container(image=image, wrap=partial(lazy.lazily, image), lazy=True)
    if isinstance(given, Image):
        image = _selected(as_image(given, axes), selection)
        return Container(image=image, wrap=partial(_in_image, image))
    image = _selected(as_image(_array(given), axes), selection)
    return Container(image=image, wrap=np.asarray)


def _in_image(image: Image, pixels: Any) -> Image:
    return image.replace(data=pixels)


def _read(path: Path, selection: Selection) -> Container:
    if is_folder(path) and not is_image_folder(path):
        raise ParameterError(
            f"{path} is a folder, and one image is denoised at a time; give the path of a file, or "
            f"run autodip denoise {path} -o OUTPUT"
        )
    original = Original.of(path)
    image = selection.open(path)
    original.check_read()
    return Container(image=image, wrap=partial(_in_image, image), original=original)


def _of_xarray(given: Any, selection: Selection) -> Container:
    whole = xarrays.image_of(given, selection.axes)
    image, part = _selected(whole, selection), xarrays.selected(given, whole, selection)
    on_demand = lazy.is_dask(given.data)
    return Container(
        image=image,
        wrap=partial(_in_xarray, part, image if on_demand else None),
        lazy=on_demand,
    )


def _in_xarray(part: Any, image: Image | None, pixels: Any) -> Any:
    """Copy of a DataArray with other pixels; lazy ones if their image is given."""
    return part.copy(data=pixels if image is None else lazy.as_dask(image, pixels))


def _with_axes(given: Any, axes: str | None) -> Image:
    """Image of an array that is not loaded."""
    if axes is None and given.ndim != 2:
        as_image(np.broadcast_to(0.0, given.shape))  # raises the error that says what to specify
    return Image(given, "YX" if axes is None else axes.upper())


def _selected(image: Image, selection: Selection) -> Image:
    image = image.select(parse_frames(selection.frames), selection.channel)
    return image.averaged() if selection.average else image


def _array(given: Any) -> np.ndarray:
    """Numbers as an array of numpy.

    Raises
    ------
    ParameterError
        If they are not an array of numbers, and what to give instead.
    """
    if lazy.comes_from(given, "xarray", "Dataset"):
        raise ParameterError(
            f'an xarray Dataset holds several arrays; give one of them, as in dataset["name"]: '
            f"{', '.join(map(str, given.data_vars))}"
        )
    if isinstance(given, np.ma.MaskedArray):
        raise ParameterError(
            "a masked array: what is below the mask is not known here; give "
            "image.astype(float).filled(np.nan), whose NaN pixels are left out and come back as NaN"
        )
    if isinstance(given, list | tuple) and any(isinstance(x, str | os.PathLike) for x in given):
        raise ParameterError(
            "several paths, and one image is denoised at a time; give them one by one, or run "
            "autodip denoise FILE... -o FOLDER"
        )
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ParameterError(
            f"{type(given).__name__} cannot be read as an array ({error}); give an array, an "
            "Image or a path"
        ) from error
    if array.dtype.kind in "OSU" or array.ndim == 0:
        raise ParameterError(
            f"{type(given).__name__} is not an image; give an array of numbers, an Image or a path"
        )
    return array
