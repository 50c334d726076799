"""Arrays of xarray: axes, pixel size and channels by the names and coordinates of dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autodip.api.dimension_names import axes_of
from autodip.image.image import Hint, Image
from autodip.io.multiscales import METRES, SECONDS, factor_of
from autodip.runs.map_files import CAPTION
from autodip.runs.selection import Selection, parse_frames

_EVEN = 0.01
"""Relative deviation from an even spacing up to which coordinates are those of a grid."""


def image_of(array: Any, axes: str | None) -> Image:
    """Image of a DataArray, with its pixels as they are, in memory or not.

    The pixel size and the time step are those of evenly spaced coordinates whose attribute
    ``units`` is a length or a time; the names of the channels are the coordinates of their
    dimension.

    Raises
    ------
    ParameterError
        If a dimension has another name, and ``axes`` is not specified.
    """
    letters = axes.upper() if axes else axes_of(array.dims)
    dims = dict(zip(letters, array.dims, strict=False))
    sizes = {axis: _step(array, dims[axis], METRES) for axis in "XYZ" if axis in dims}
    channels = array.coords.get(dims.get("C"))
    named = channels is not None and channels.dtype.kind in "UO"
    names = tuple(map(str, channels.values)) if named else ()
    return Image(
        array.data,
        letters,
        pixel_size={axis: float(f"{1e6 * size:.12g}") for axis, size in sizes.items() if size},
        time_step=_step(array, dims["T"], SECONDS) if "T" in dims else None,
        channel_names=names,
        hints=tuple((Hint("specimen", "name of the channel", name),) for name in names),
    )


def _step(array: Any, name: Any, units: Mapping[str, float]) -> float | None:
    """Spacing of the coordinates of a dimension in m or s; None if it is not known."""
    if name not in array.coords or array.sizes[name] < 2:
        return None
    coordinate = array.coords[name]
    steps: Any = np.diff(coordinate.values) if coordinate.dtype.kind in "iufmM" else np.empty(0)
    if steps.dtype.kind == "m":
        factor = 1.0 if units is SECONDS else None
        steps = steps / np.timedelta64(1, "s")
    else:
        factor = factor_of(str(coordinate.attrs.get("units", "")), units)
    if factor is None or not steps.size or not np.isfinite(steps).all():
        return None
    mean = float(steps.mean())
    even = mean != 0 and bool((np.abs(steps - mean) <= _EVEN * abs(mean)).all())
    return abs(mean) * factor if even else None


def as_errors(array: Any) -> Any:
    """DataArray of standard errors, named and described as such; its units stay."""
    array = array.rename(f"{array.name}_standard_error" if array.name else "standard_error")
    return array.assign_attrs(long_name="standard error", description=CAPTION)


def selected(array: Any, image: Image, selection: Selection) -> Any:
    """The part of a DataArray that :meth:`Image.select` and :meth:`Image.averaged` keep.

    Parameters
    ----------
    array : DataArray
    image : Image
        Image of all of it.
    selection : Selection
    """
    dims = dict(zip(image.axes, array.dims, strict=True))
    frames = parse_frames(selection.frames)
    if frames is not None and "T" in dims:
        array = array.isel({dims["T"]: frames})
    if selection.channel is not None and image.channel_axis in dims:
        number = image.channel_number(selection.channel)
        one = number if image.channel_axis == "S" else slice(number, number + 1)
        array = array.isel({dims[image.channel_axis]: one}, drop=image.channel_axis == "S")
    if selection.average and "T" in dims:
        array = array.isel({dims["T"]: slice(0, 1)})
    return array
