"""Units of work of an image: planes that follow one another, or the same tile of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.image.image import Image, PlaneIndex
from autodip.image.scaling import Scale
from autodip.image.scan import is_whole, look
from autodip.image.windows import Window
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise
from autodip.pipeline.memory import Extent
from autodip.pipeline.plan import Plan
from autodip.pipeline.result import PlaneResult


@dataclass(frozen=True)
class Part:
    """A unit of work: planes that follow one another, or the same tile of each.

    Parameters
    ----------
    number : int
        Number of this part in the image.
    channel : int
        Number of the channel.
    indices : tuple of PlaneIndex
        Planes, in order.
    window : Window or None
        Window of the tile; None for whole planes.
    """

    number: int
    channel: int
    indices: tuple[PlaneIndex, ...]
    window: Window | None


@dataclass(frozen=True, kw_only=True)
class Task:
    """Everything needed to compute one :class:`Part`; it refers to no path and no file.

    Parameters
    ----------
    part : Part
    planes : sequence of ndarray, shape (Y, X)
        Pixels of each plane or of its tile, in units of the image; read on access.
    noises : mapping of int to Noise or None
        Noise by position of the plane; None if it could not be estimated. The noise of planes that
        are missing here is estimated from their pixels.
    description, choice : Description, Choice
    scale : Scale
        Intensity scale of all planes that belong together.
    seed : int
    device : str
    dtype : dtype
        Data type of the result.
    uncertainty : bool
        Whether the standard errors are computed as well.
    darkest : tuple of float
        Lowest grey value of the whole plane, by position of the plane.
    rounded : bool
        Whether the result is rounded to whole numbers, at once or after windows were blended.
    """

    part: Part
    planes: Sequence[np.ndarray] = field(repr=False)
    noises: Mapping[int, Noise | None] = field(repr=False)
    description: Description = field(repr=False)
    choice: Choice = field(repr=False)
    scale: Scale
    seed: int
    device: str
    dtype: np.dtype
    uncertainty: bool = False
    darkest: tuple[float, ...] = ()
    rounded: bool = False

    def loaded(self) -> Task:
        """Copy of the task with its pixels in memory, to be sent to another process."""
        return dataclasses.replace(self, planes=tuple(np.array(plane) for plane in self.planes))


@dataclass(frozen=True)
class Finished:
    """Result for one plane, or one tile of it.

    Parameters
    ----------
    part : int
        Number of the part.
    place : int
        Position of the plane in the part.
    pixels : ndarray, shape (Y, X)
        Denoised pixels.
    record : PlaneResult
    maps : mapping of str to ndarray, float32, shape (Y, X)
        Additional outputs of an engine by name, such as the standard errors.
    """

    part: int
    place: int
    pixels: np.ndarray = field(repr=False)
    record: PlaneResult
    maps: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)


def cut(image: Image, plan: Plan) -> tuple[Part, ...]:
    """Parts of an image, in the order of computation."""
    windows: Sequence[Window | None] = (None,)
    if plan.tiling is not None:
        windows = plan.tiling.windows(image.plane_shape)
    run = Extent.of(image, plan.tiling).run
    parts: list[Part] = []
    for channel, chosen in enumerate(plan.channels):
        indices = [i for i in plan.scan.extremes if image.channel_of(i) == channel]
        length = run if chosen.chained else 1
        for start in range(0, len(indices), length):
            for window in windows:
                planes = tuple(indices[start : start + length])
                parts.append(Part(len(parts), channel, planes, window))
    return tuple(parts)


def batches(parts: Sequence[Part], size: int) -> Iterator[tuple[Part, ...]]:
    """Group parts to be computed together: up to ``size`` of one channel, of one plane each."""
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
    plan : Plan
    """

    def __init__(self, image: Image, plan: Plan) -> None:
        self._image, self._plan = image, plan
        self._noises = dict(plan.noises)

    def of(self, part: Part) -> Task:
        """Task of one part."""
        chosen, dtype = self._plan.channels[part.channel], self._plan.dtype
        if part.window is not None:  # blended before rounding
            dtype = np.dtype(np.float64 if dtype.itemsize == 8 else np.float32)
        return Task(
            part=part,
            planes=_Pixels(self._image, part),
            noises=self._known(part),
            description=chosen.description,
            choice=chosen.choice,
            scale=self._scale(part),
            seed=self._plan.seed,
            device=self._plan.device,
            dtype=dtype,
            uncertainty=self._plan.uncertainty,
            darkest=tuple(self._plan.scan.extremes[index][0] for index in part.indices),
            rounded=self._plan.dtype.kind in "iu",
        )

    def _scale(self, part: Part) -> Scale:
        """Scale of all planes that may follow one another, shared by their parts."""
        scan = self._plan.scan
        indices: Sequence[PlaneIndex] = part.indices
        if self._plan.channels[part.channel].chained:
            indices = [i for i in scan.extremes if self._image.channel_of(i) == part.channel]
        return scan.scale(indices) or Scale(0.0, 1.0)

    def _known(self, part: Part) -> dict[int, Noise | None]:
        """Noise of the planes of a part that need not, or cannot, be estimated from its pixels.

        All tiles of a plane share the noise of the plane. The noise of a whole plane is known if
        a channel was described by this plane; otherwise it is estimated during computation.
        """
        places = enumerate(part.indices)
        if part.window is not None:
            return {place: self._noise(index) for place, index in places}
        if not is_whole(self._image.plane_shape):  # only some of its pixels were described
            return {}
        known = self._plan.noises
        return {place: known[index] for place, index in places if index in known}

    def _noise(self, index: PlaneIndex) -> Noise | None:
        """Noise of a plane that is cut, shared by all its tiles."""
        if index not in self._noises:
            flat = self._plan.scan.constant(index)
            plane = None if flat else look(self._image, index)
            self._noises[index] = None if plane is None else estimate_noise(plane, repaired=True)
        return self._noises[index]


class _Pixels(Sequence[np.ndarray]):
    """Pixels of the planes of a part, each read on access."""

    def __init__(self, image: Image, part: Part) -> None:
        self._image, self._part = image, part

    def __len__(self) -> int:
        return len(self._part.indices)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]
        index, window = self._part.indices[place], self._part.window
        if window is None:
            return self._image.block(index)
        return self._image.block(index, *window.slices)
