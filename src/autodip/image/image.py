"""An image as it was read: pixels, axes, units, and what its metadata says."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from autodip.errors import ImageError, ParameterError

AXES = "TCZYXS"
"""Axes known: time, channel, depth, rows, columns, samples of a colour pixel (RGB)."""

PER_CHANNEL = ("channel_names", "channel_colours", "hints")
"""Fields of an image that have one entry for each channel, or are empty."""

PlaneIndex = tuple[tuple[str, int], ...]
"""Where a plane lies in its image: pairs of axis and position, as ``(("T", 3), ("C", 0))``."""


@dataclass(frozen=True)
class Hint:
    """A metadata field that may tell the microscope or the specimen."""

    kind: Literal["microscope", "specimen"]
    field: str
    text: str


@dataclass(frozen=True)
class Image:
    """Pixels with their meaning; frozen.

    Parameters
    ----------
    data : ndarray, real numbers
        Pixels in the image's own units.
    axes : str
        One letter for each dimension, out of ``TCZYXS``; Y and X are always there.
    pixel_size : mapping
        µm per pixel for those of X, Y, Z that are known.
    time_step : float, optional
        Seconds between frames.
    channel_names : tuple of str
        One for each channel, or empty.
    channel_colours : tuple of str
        Display colour of each channel as "RRGGBB" in hexadecimals ("" where unknown), or empty.
    hints : tuple of tuple of Hint
        One tuple for each channel, or empty.
    source : object
        What the writer of the same format needs to keep the rest of the metadata.
    alpha : bool
        The last sample of axis S is transparency, not intensity.
    """

    data: np.ndarray
    axes: str
    pixel_size: Mapping[str, float] = field(default_factory=dict)
    time_step: float | None = None
    channel_names: tuple[str, ...] = ()
    channel_colours: tuple[str, ...] = ()
    hints: tuple[tuple[Hint, ...], ...] = ()
    source: Any = field(default=None, repr=False)
    alpha: bool = False

    def __post_init__(self) -> None:
        check_axes(self.axes, self.data.shape)
        for name in PER_CHANNEL:  # metadata may tell more channels than there are
            object.__setattr__(self, name, getattr(self, name)[: self.size(self.channel_axis)])
        if self.data.dtype.kind not in "iuf":
            raise ImageError(
                f"pixels of type {self.data.dtype} cannot be denoised; "
                "real numbers are needed (integers or floats)"
            )
        if 0 in self.data.shape:
            raise ImageError(f"the image of shape {self.data.shape} holds no pixel")

    def replace(self, **changes: Any) -> Image:
        """Copy with some fields changed, as the pixels after denoising."""
        return dataclasses.replace(self, **changes)

    @property
    def plane_shape(self) -> tuple[int, int]:
        """(Y, X) in pixels."""
        return self.size("Y"), self.size("X")

    def size(self, axis: str) -> int:
        """Length of an axis; 1 for one that the image does not have."""
        return self.data.shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def channel_axis(self) -> str:
        """Axis whose positions may show different structures: C, else S (RGB), else C."""
        return "S" if "S" in self.axes and "C" not in self.axes else "C"

    def indices(self) -> Iterator[PlaneIndex]:
        """Where every (Y, X) plane lies, in the order of the axes, without transparency."""
        names = [a for a in self.axes if a not in "YX"]
        for position in np.ndindex(*(self.size(name) for name in names)):
            index = tuple(zip(names, position, strict=True))
            if self.alpha and dict(index).get("S") == self.size("S") - 1:
                continue
            yield index

    def planes(self) -> Iterator[tuple[PlaneIndex, np.ndarray]]:
        """Every (Y, X) plane, in the order of :meth:`indices`; a view where pixels are loaded."""
        for index in self.indices():
            yield index, self.block(index)

    def block(
        self, index: PlaneIndex, rows: slice = slice(None), columns: slice = slice(None)
    ) -> np.ndarray:
        """Pixels (Y, X) of a part of a plane; nothing else is read.

        Parameters
        ----------
        index : PlaneIndex
            Of the plane.
        rows, columns : slice
            Part of the plane, by default all of it.
        """
        places: dict[str, int | slice] = {**dict(index), "Y": rows, "X": columns}
        pixels = np.asarray(self.data[tuple(places[axis] for axis in self.axes)])
        return pixels if self.axes.index("Y") < self.axes.index("X") else pixels.T

    @property
    def channels(self) -> int:
        """Number of channels that show intensities; transparency is none."""
        return self.size(self.channel_axis) - (self.alpha and self.channel_axis == "S")

    def channel_of(self, index: PlaneIndex) -> int:
        """Number of the channel that the plane at ``index`` belongs to."""
        return dict(index).get(self.channel_axis, 0)

    def yx_last(self, data: np.ndarray) -> np.ndarray:
        """View of an array with this image's axes that has Y and X as its last axes."""
        return np.moveaxis(data, (self.axes.index("Y"), self.axes.index("X")), (-2, -1))

    def select(self, frames: slice | None = None, channel: str | None = None) -> Image:
        """Part of the image: some frames, one channel.

        All axes stay, except that one sample of a colour image is a grey image.

        Parameters
        ----------
        frames : slice, optional
            Along T.
        channel : str, optional
            Name of a channel, or its number from 0.

        Raises
        ------
        ParameterError
            If the axis, the frames or the channel are not there.
        """
        image = self
        if frames is not None:
            image = image._cut("T", frames, "--frames")
        if channel is not None:
            number = image._channel_number(channel)
            image = image._cut(image.channel_axis, slice(number, number + 1), "--channel")
        return image

    def averaged(self) -> Image:
        """Mean of the frames, which show one scene; axis T stays, with one position.

        The sum of squared differences to all frames is that to their mean and a constant, so
        that a fit to the mean is a joint fit to the frames. Floats, of 32 bits or those of the
        pixels.

        Raises
        ------
        ParameterError
            If there is no axis T.
        """
        first = self._cut("T", slice(0, 1), "--average")
        if "T" not in self.axes:
            return first
        before = (slice(None),) * self.axes.index("T")
        total = np.zeros(first.data.shape)
        for frame in range(self.size("T")):
            total += self.data[(*before, slice(frame, frame + 1))]
        dtype = np.result_type(self.data.dtype, np.float32)
        dtype = np.dtype(np.float32) if self.data.dtype.kind in "iu" else dtype
        return first.replace(data=(total / self.size("T")).astype(dtype))

    def _channel_number(self, channel: str) -> int:
        count = self.channels
        if channel in self.channel_names:
            return self.channel_names.index(channel)
        if channel.isdecimal() and int(channel) < count:
            return int(channel)
        names = f", named {', '.join(self.channel_names)}" if self.channel_names else ""
        raise ParameterError(
            f"no channel {channel!r}; there are {count}, numbered 0 to {count - 1}{names}"
        )

    def _cut(self, axis: str, part: slice, option: str) -> Image:
        meant = axis != "T" or "Z" not in self.axes  # frames of a stack may be its slices
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
    """Some positions of an axis; nothing is read of pixels that are not loaded."""
    if hasattr(data, "part"):
        return data.part(position, kept)
    stop = kept.stop if kept.stop >= 0 else None
    return data[(slice(None),) * position + (slice(kept.start, stop, kept.step),)]


def check_axes(axes: str, shape: tuple[int, ...]) -> None:
    """Raise a ParameterError unless ``axes`` names every dimension of ``shape`` once."""
    wrong = [a for a in axes if a not in AXES]
    if wrong or len(set(axes)) != len(axes) or len(axes) != len(shape) or not {"Y", "X"} <= {*axes}:
        raise ParameterError(
            f"axes {axes!r} do not describe an image of shape {shape}; give one letter for each "
            f"of its {len(shape)} dimensions, Y and X among them, out of {', '.join(AXES)} "
            "(T time, C channel, Z depth, S colour samples), as in --axes TYX"
        )
