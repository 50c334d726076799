"""What will be done with an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.fit.counting import Cost
from autodip.image.scan import Survey
from autodip.image.windows import Tiling

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class ChannelPlan:
    """What will be done with one channel.

    Parameters
    ----------
    name : str
    description : Description
    choice : Choice
    cost : Cost
        Of a fit from scratch to one plane, or one window of it, with its refinement.
    fits : int
        How many there are.
    following : Cost or None
        Of a fit that goes on from the one before it.
    followers : int
        How many there are at most; a change of scene makes one a fit from scratch.
    """

    name: str
    description: Description
    choice: Choice
    cost: Cost
    fits: int = 1
    following: Cost | None = None
    followers: int = 0

    @property
    def seconds(self) -> float | None:
        """Rough time on two cores for all planes; None for another device."""
        if self.cost.seconds is None:
            return None
        warm = self.following.seconds if self.following else None
        return self.fits * self.cost.seconds + self.followers * (warm or 0.0)


@dataclass(frozen=True)
class ImagePlan:
    """What will be done with an image.

    Parameters
    ----------
    channels : tuple of ChannelPlan
    survey : Survey
        Extremes of all planes.
    tiling : Tiling or None
        How its planes are cut; None for whole planes.
    """

    channels: tuple[ChannelPlan, ...]
    survey: Survey
    tiling: Tiling | None
