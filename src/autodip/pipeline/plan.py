"""What will be done with an image, with all settings resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.fit.counting import Cost
from autodip.image.image import PlaneIndex
from autodip.image.scan import Survey
from autodip.image.windows import Tiling
from autodip.physics.noise import Noise


@dataclass(frozen=True, kw_only=True)
class ChannelPlan:
    """What will be done with one channel.

    Parameters
    ----------
    name : str
        Name from the metadata; empty if there is none.
    description : Description
    choice : Choice
    cost : Cost
        Cost of a fit from scratch to one plane, or one window of it, including refinement.
    fits : int
        Number of fits from scratch.
    chained : bool
        Whether planes that follow one another are fitted from each other's weights. False for
        presets that return the last iterate (``average == 0``, the published ones): a warm start
        runs too few iterations for the last iterate to be usable.
    following : Cost or None
        Cost of a fit that continues from the one before it; None if there is no such fit.
    followers : int
        Maximum number of such fits; after a change of scene, a fit from scratch takes their place.
    """

    name: str
    description: Description
    choice: Choice
    cost: Cost
    fits: int = 1
    chained: bool = False
    following: Cost | None = None
    followers: int = 0

    @property
    def seconds(self) -> float | None:
        """Rough time in seconds on two cores for all planes; None for devices other than a CPU."""
        if self.cost.seconds is None:
            return None
        warm = self.following.seconds if self.following else None
        return self.fits * self.cost.seconds + self.followers * (warm or 0.0)


@dataclass(frozen=True, kw_only=True)
class Plan(Sequence[ChannelPlan]):
    """What will be done with an image: a sequence with the plan of each channel.

    Parameters
    ----------
    channels : tuple of ChannelPlan
    scan : Survey
        Extremes of all planes.
    tiling : Tiling or None
        How the planes are cut into windows; None for whole planes.
    device : str
        Name of the torch device that computes.
    seed : int
    dtype : dtype
        Data type of the result.
    independent : bool
        Whether every plane is fitted independently, as specified by the user.
    at_once : int
        Number of windows or planes that are fitted simultaneously.
    noises : mapping of PlaneIndex to Noise or None
        Noise of the planes by which the channels were described; None if it could not be
        estimated.
    notes : tuple of str
        What the user should know about the image and about how it will be treated.
    uncertainty : bool
        Whether the standard error of every pixel is computed.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> plan = autodip.plan(noisy)
    >>> len(plan), plan.dtype.name, plan.tiling
    (1, 'uint16', None)
    """

    channels: tuple[ChannelPlan, ...]
    scan: Survey = field(repr=False)
    tiling: Tiling | None
    device: str
    seed: int
    dtype: np.dtype
    independent: bool
    at_once: int
    noises: Mapping[PlaneIndex, Noise | None] = field(repr=False)
    notes: tuple[str, ...] = ()
    uncertainty: bool = False

    def __len__(self) -> int:
        return len(self.channels)

    def __iter__(self) -> Iterator[ChannelPlan]:
        return iter(self.channels)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        return self.channels[number]
