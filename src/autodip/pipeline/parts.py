"""A part of an image that is computed on its own: planes that follow one another, or a window."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.image.image import Image, PlaneIndex
from autodip.image.scaling import Scale
from autodip.image.scan import look
from autodip.image.windows import Window
from autodip.physics.noise import Noise, estimate
from autodip.pipeline.memory import Extent
from autodip.pipeline.options import Options
from autodip.pipeline.plan import ImagePlan
from autodip.pipeline.result import PlaneResult


@dataclass(frozen=True)
class Part:
    """Planes that follow one another, or the same window of each.

    Parameters
    ----------
    number : int
        Of the part in its image.
    channel : int
    indices : tuple of PlaneIndex
        The planes, in their order.
    window : Window or None
        None for whole planes.
    """

    number: int
    channel: int
    indices: tuple[PlaneIndex, ...]
    window: Window | None


@dataclass(frozen=True)
class Task:
    """All that computing a part needs; no path, no file.

    Parameters
    ----------
    part : Part
    planes : sequence of ndarray, shape (Y, X)
        Pixels of the part of each plane, in units of the image; read when it is asked for.
    noises : tuple of Noise or None
        Of each plane; empty where whole planes are computed, which tell it themselves.
    description, choice : Description, Choice
    scale : Scale
        Intensities of all planes that belong together.
    seed : int
    device : str
    dtype : dtype
        Type of the result.
    """

    part: Part
    planes: Sequence[np.ndarray] = field(repr=False)
    noises: tuple[Noise | None, ...] = field(repr=False)
    description: Description = field(repr=False)
    choice: Choice = field(repr=False)
    scale: Scale
    seed: int
    device: str
    dtype: np.dtype

    def loaded(self) -> Task:
        """Task whose pixels are read, to be sent elsewhere."""
        return dataclasses.replace(self, planes=tuple(np.array(plane) for plane in self.planes))


@dataclass(frozen=True)
class Finished:
    """Result for one plane of a part.

    Parameters
    ----------
    part : int
        Number of the part.
    place : int
        Which of its planes.
    pixels : ndarray, shape (Y, X)
    record : PlaneResult
    """

    part: int
    place: int
    pixels: np.ndarray = field(repr=False)
    record: PlaneResult


def cut(image: Image, plan: ImagePlan, options: Options) -> tuple[Part, ...]:
    """Parts of an image, in the order in which they are computed."""
    windows: Sequence[Window | None] = (None,)
    if plan.tiling is not None:
        windows = plan.tiling.windows(image.plane_shape)
    run = Extent.of(image, plan.tiling).run
    parts: list[Part] = []
    for channel, chosen in enumerate(plan.channels):
        indices = [i for i in plan.survey.extremes if image.channel_of(i) == channel]
        length = run if options.follows(chosen.choice) else 1
        for start in range(0, len(indices), length):
            for window in windows:
                planes = tuple(indices[start : start + length])
                parts.append(Part(len(parts), channel, planes, window))
    return tuple(parts)


def batches(parts: Sequence[Part], size: int) -> Iterator[tuple[Part, ...]]:
    """Parts that are computed at once: up to ``size`` of a channel, of one plane each."""
    for _, group in groupby(parts, lambda part: (part.channel, len(part.indices))):
        together = list(group)
        step = size if len(together[0].indices) == 1 else 1
        for start in range(0, len(together), step):
            yield tuple(together[start : start + step])


class Tasks:
    """Tasks of the parts of an image.

    Parameters
    ----------
    image : Image
    plan : ImagePlan
    options : Options
        The device is resolved.
    """

    def __init__(self, image: Image, plan: ImagePlan, options: Options) -> None:
        self._image, self._plan, self._options = image, plan, options
        self._noises: dict[PlaneIndex, Noise | None] = {}

    def of(self, part: Part) -> Task:
        """Task of one part."""
        chosen = self._plan.channels[part.channel]
        dtype = np.dtype(self._options.dtype or self._image.data.dtype)
        if part.window is not None:  # blended before it is rounded
            dtype = np.dtype(np.float64 if dtype.itemsize == 8 else np.float32)
        return Task(
            part,
            _Pixels(self._image, part),
            () if part.window is None else tuple(self._noise(index) for index in part.indices),
            chosen.description,
            chosen.choice,
            self._scale(part),
            self._options.seed,
            self._options.device,
            dtype,
        )

    def _scale(self, part: Part) -> Scale:
        """Scale of all planes that may follow one another, which parts of them share."""
        found = self._plan.survey
        indices: Sequence[PlaneIndex] = part.indices
        if self._options.follows(self._plan.channels[part.channel].choice):
            indices = [i for i in found.extremes if self._image.channel_of(i) == part.channel]
        return found.scale(indices) or Scale(0.0, 1.0)

    def _noise(self, index: PlaneIndex) -> Noise | None:
        """Noise of a large plane, the same for all its windows."""
        if index not in self._noises:
            constant_plane = self._plan.survey.constant(index)
            self._noises[index] = None if constant_plane else estimate(look(self._image, index))
        return self._noises[index]


class _Pixels(Sequence[np.ndarray]):
    """Pixels of the planes of a part, each read when it is asked for."""

    def __init__(self, image: Image, part: Part) -> None:
        self._image, self._part = image, part

    def __len__(self) -> int:
        return len(self._part.indices)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]
        index, window = self._part.indices[place], self._part.window
        if window is None:
            return self._image.block(index)
        return self._image.block(index, *window.slices)
