"""What comes out of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.image.image import PlaneIndex
from autodip.image.windows import Tiling, Window
from autodip.pipeline.assess import Assessment
from autodip.pipeline.plan import ChannelPlan

if TYPE_CHECKING:
    from autodip.fit.loop import Step


@dataclass(frozen=True)
class PlaneResult:
    """What was done with one (Y, X) plane, or one window of it.

    Parameters
    ----------
    index : tuple
        Where the plane lies: pairs of axis and position.
    description : Description
        Of this very plane, with its noise.
    history : ndarray, shape (n, 2)
        Iteration and loss (mean squared error on the [0, 1] scale); empty for a constant
        plane, which is passed through.
    assessment : Assessment or None
        None for a constant plane.
    seconds : float
    fallbacks : int
        How often the fit returned to a checkpoint.
    refined : bool
        Whether the result of the fit was refined.
    follows : bool
        Whether the fit began from the weights of the plane before.
    window : Window or None
        Part of the plane; None for the whole.
    """

    index: PlaneIndex
    description: Description
    history: np.ndarray = field(repr=False)
    assessment: Assessment | None
    seconds: float
    fallbacks: int
    refined: bool = False
    follows: bool = False
    window: Window | None = None


@dataclass(frozen=True)
class Result:
    """Denoised image with everything that led to it.

    Parameters
    ----------
    image : ndarray
        Shape, units and, unless another was asked for, type of the input.
    plans : tuple of ChannelPlan
        One for each channel.
    planes : tuple of PlaneResult
        One for each (Y, X) plane, or for each window of each plane.
    device : str
    seed : int
    independent : bool
        Whether every plane was fitted on its own, as was asked for.
    tiling : Tiling or None
        How the planes were cut.
    peak_memory : int or None
        Most bytes that the process has held until then; None where the system does not tell.
    """

    image: np.ndarray = field(repr=False)
    plans: tuple[ChannelPlan, ...]
    planes: tuple[PlaneResult, ...]
    device: str
    seed: int
    independent: bool = False
    tiling: Tiling | None = None
    peak_memory: int | None = None

    @property
    def choice(self) -> Choice:
        """The choice, of the first channel where there are several (see ``plans``)."""
        return self.plans[0].choice

    @property
    def history(self) -> np.ndarray:
        """Iterations and losses, of the first plane where there are several (see ``planes``)."""
        return self.planes[0].history

    @property
    def assessment(self) -> Assessment | None:
        """Quality indicators, of the first plane where there are several (see ``planes``)."""
        return self.planes[0].assessment


@dataclass(frozen=True)
class Progress:
    """One step of a run over ``planes`` planes, or windows of planes.

    ``plane`` of them are done. The last one has the result; it, and those of fits that were
    computed elsewhere, have no step.
    """

    plane: int
    planes: int
    step: Step | None
    result: Result | None = None
