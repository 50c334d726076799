"""An image as read from a file: pixels, axes, units and metadata."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

import numpy as np

from autodip.errors import ImageError, ParameterError
from autodip.image.axes import check_axes
from autodip.image.channels import number_named
from autodip.util.closest import meant

PER_CHANNEL = ("channel_names", "channel_colours", "hints")
"""Fields of an image that have one entry for each channel, or are empty."""

PlaneIndex = tuple[tuple[str, int], ...]
"""Position of a plane in its image, as pairs of axis and index: ``(("T", 3), ("C", 0))``."""


@dataclass(frozen=True)
class Hint:
    """A metadata field that may identify the microscope or the specimen."""

    kind: Literal["microscope", "specimen"]
    field: str
    text: str


@dataclass(frozen=True, repr=False)
class Image:
    """Pixels with their axes, units and metadata; a frozen dataclass.

    Parameters
    ----------
    data : ndarray, real numbers
        Pixels in the image's own units.
    axes : str
        One letter of ``TCZYXS`` for each dimension; Y and X are always present.
    pixel_size : mapping
        Pixel size in µm along X, Y and Z, as far as it is known.
    time_step : float, optional
        Seconds between frames; None if unknown.
    channel_names : tuple of str
        One name for each channel, or empty.
    channel_colours : tuple of str
        Display colour of each channel as "RRGGBB" in hexadecimals ("" if unknown), or empty.
    hints : tuple of tuple of Hint
        One tuple for each channel, or empty.
    source : object
        Remaining metadata, which the writer of the same format preserves; None if there are none.
    alpha : bool
        Whether the last sample of axis S is transparency, not intensity.
    caption : str
        What the pixels are, if not intensities: written as a description by formats that can
        store one. Empty for an image.
    notes : tuple of str
        What the user should know about how the file was read: metadata that were dropped, files
        that were joined, pixels that were left out. Shown with the result, and recorded in the
        sidecar.

    Examples
    --------
    >>> import numpy as np, autodip
    >>> film = autodip.Image(np.zeros((5, 32, 40)), "TYX", pixel_size={"X": 0.1, "Y": 0.1})
    >>> film.select(frames=slice(0, 2))
    <Image TYX 2 × 32 × 40 float64, 0.1 µm per pixel>
    """

    data: np.ndarray
    axes: str
    _: KW_ONLY
    pixel_size: Mapping[str, float] = field(default_factory=dict)
    time_step: float | None = None
    channel_names: tuple[str, ...] = ()
    channel_colours: tuple[str, ...] = ()
    hints: tuple[tuple[Hint, ...], ...] = ()
    source: Any = field(default=None, repr=False)
    alpha: bool = False
    caption: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_axes(self.axes, self.data.shape)
        for name in PER_CHANNEL:  # metadata may list more channels than exist
            object.__setattr__(self, name, getattr(self, name)[: self.size(self.channel_axis)])
        if self.data.dtype.kind == "b":
            raise ImageError(
                "pixels that are True or False are a mask, not an image; give the image itself "
                "(pixels that are NaN are left out, and come back as NaN)"
            )
        if self.data.dtype.kind not in "iuf":
            raise ImageError(
                f"pixels of type {self.data.dtype} cannot be denoised; "
                "real numbers are needed (integers or floats)"
            )
        if 0 in self.data.shape:
            raise ImageError(f"the image of shape {self.data.shape} holds no pixels")

    def replace(self, **changes: Any) -> Image:
        """Copy with some fields changed, such as the pixels after denoising."""
        return dataclasses.replace(self, **changes)

    def noted(self, *notes: str) -> Image:
        """Copy with more notes."""
        return self.replace(notes=(*self.notes, *notes))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Pixels as an array, so that functions of numpy take an image."""
        return np.array(self.data, dtype, copy=copy)

    def __repr__(self) -> str:
        return f"<Image {self.words}>"

    @property
    def words(self) -> str:
        """Axes, shape, data type and pixel size in one line."""
        shape = " × ".join(map(str, self.data.shape))
        size = self.pixel_size.get("X")
        return f"{self.axes} {shape} {self.data.dtype.name}" + (
            f", {size:.4g} µm per pixel" if size else ""
        )

    def _repr_html_(self) -> str:
        from autodip.pictures import contrast, markup  # noqa: PLC0415  (only in a notebook)

        lines = [f"Image {', '.join((self.words, *self.channel_names))}"]
        if not isinstance(self.data, np.ndarray):
            return markup.figures({}, lines)
        plane = self.block(next(self.indices()))
        return markup.figures({"": contrast.grey(plane, *contrast.limits(plane))}, lines)

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Size (Y, X) of a plane in pixels."""
        return self.size("Y"), self.size("X")

    def size(self, axis: str) -> int:
        """Length of an axis; 1 for an axis that the image does not have."""
        return self.data.shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def channel_axis(self) -> str:
        """Axis along which structures may differ: C if present, else S (RGB), else C."""
        return "S" if "S" in self.axes and "C" not in self.axes else "C"

    def indices(self) -> Iterator[PlaneIndex]:
        """Position of every (Y, X) plane, in the order of the axes, without transparency."""
        names = [a for a in self.axes if a not in "YX"]
        for position in np.ndindex(*(self.size(name) for name in names)):
            index = tuple(zip(names, position, strict=True))
            if self.alpha and dict(index).get("S") == self.size("S") - 1:
                continue
            yield index

    def planes(self) -> Iterator[tuple[PlaneIndex, np.ndarray]]:
        """Every plane (Y, X) with its position, ordered as :meth:`indices`; views if loaded."""
        for index in self.indices():
            yield index, self.block(index)

    def block(
        self, index: PlaneIndex, rows: slice = slice(None), columns: slice = slice(None)
    ) -> np.ndarray:
        """Pixels (Y, X) of a region of a plane; nothing else is read.

        Parameters
        ----------
        index : PlaneIndex
            Position of the plane.
        rows, columns : slice
            Region of the plane; by default all of it.
        """
        places: dict[str, int | slice] = {**dict(index), "Y": rows, "X": columns}
        pixels = np.asarray(self.data[tuple(places[axis] for axis in self.axes)])
        return pixels if self.axes.index("Y") < self.axes.index("X") else pixels.T

    @property
    def channels(self) -> int:
        """Number of channels that show intensities, not counting transparency."""
        return self.size(self.channel_axis) - (self.alpha and self.channel_axis == "S")

    def channel_of(self, index: PlaneIndex) -> int:
        """Number of the channel to which the plane at ``index`` belongs."""
        return dict(index).get(self.channel_axis, 0)

    def yx_last(self, data: np.ndarray) -> np.ndarray:
        """View of an array with this image's axes, with Y and X moved to the end."""
        return np.moveaxis(data, (self.axes.index("Y"), self.axes.index("X")), (-2, -1))

    def select(self, frames: slice | None = None, channel: str | None = None) -> Image:
        """Select some of the frames, one of the channels, or both.

        All axes are kept, except that one sample of a colour image becomes a grey image.

        Parameters
        ----------
        frames : slice, optional
            Frames along T; by default all.
        channel : str, optional
            Name of a channel, or its number from 0; by default all channels.

        Raises
        ------
        ParameterError
            If the axis, the frames or the channel do not exist.
        """
        image = self
        if frames is not None:
            image = image._cut("T", frames, "--frames")
        if channel is not None:
            number = image.channel_number(channel)
            image = image._cut(image.channel_axis, slice(number, number + 1), "--channel")
        return image

    def averaged(self) -> Image:
        """Mean of the frames, which must show the same scene; axis T is kept, with length 1.

        The mean squared difference from all frames equals the squared difference from their
        mean plus a constant, so a fit to the mean is a joint fit to the frames. The pixels
        become float32, or keep their own type if that is float64. An image without axes T and Z
        is returned unchanged.

        Raises
        ------
        ParameterError
            If there is no axis T but an axis Z, whose slices may be meant as frames.
        """
        first = self._cut("T", slice(0, 1), "--average")
        if "T" not in self.axes:
            return first
        before = (slice(None),) * self.axes.index("T")
        total = np.zeros(first.data.shape)
        for frame in range(self.size("T")):
            total += np.asarray(self.data[(*before, slice(frame, frame + 1))])
        dtype = np.result_type(self.data.dtype, np.float32)
        dtype = np.dtype(np.float32) if self.data.dtype.kind in "iu" else dtype
        return first.replace(data=(total / self.size("T")).astype(dtype))

    def channel_number(self, channel: str) -> int:
        """Number of a channel, from its name or its number as text.

        Raises
        ------
        ParameterError
            If there is no such channel.
        """
        count = self.channels
        named = number_named(channel, self.channel_names)
        if named is not None:
            return named
        if channel.isdecimal() and int(channel) < count:
            return int(channel)
        names = f", named {', '.join(self.channel_names)}." if self.channel_names else "."
        raise ParameterError(
            f"no channel {channel!r}; there are {count}, numbered 0 to {count - 1}{names}"
            f"{meant(channel, self.channel_names)}"
        )

    def _cut(self, axis: str, part: slice, option: str) -> Image:
        meant = axis != "T" or "Z" not in self.axes  # slices may be meant as frames
        if axis not in self.axes and 0 in range(1)[part] and meant:
            return self
        if axis not in self.axes:
            raise ParameterError(
                f"{option} needs the axis {axis}, but the axes of this image are {self.axes} "
                f"(shape {self.data.shape}); use --axes if they were read wrongly"
            )
        length = self.size(axis)
        kept = range(length)[part]
        if not kept:
            raise ParameterError(
                f"{option} selects nothing: axis {axis} has {length}, numbered 0 to {length - 1}"
            )
        position = self.axes.index(axis)
        data = _part(self.data, position, kept)
        changes: dict[str, Any] = {"data": data}
        if axis == "S":
            one = np.asarray(data).squeeze(position)
            changes = {"data": one, "axes": self.axes.replace("S", "")}
        if axis == self.channel_axis:
            changes |= {name: getattr(self, name)[part] for name in PER_CHANNEL}
            changes["alpha"] = self.alpha and axis != "S"
        if hasattr(self.source, "cut"):
            changes["source"] = self.source.cut(position, kept)
        return self.replace(**changes)


def _part(data: Any, position: int, kept: range) -> Any:
    """Positions ``kept`` of an axis; pixels that are not loaded are not read."""
    if hasattr(data, "part"):
        return data.part(position, kept)
    stop = kept.stop if kept.stop >= 0 else None
    return data[(slice(None),) * position + (slice(kept.start, stop, kept.step),)]
