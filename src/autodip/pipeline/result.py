"""Results of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.image.image import PlaneIndex
from autodip.image.windows import Tiling, Window
from autodip.pipeline.assess import Assessment
from autodip.pipeline.error_summary import ErrorSummary
from autodip.pipeline.plan import ChannelPlan, Plan
from autodip.pipeline.repair import Repair
from autodip.prior.observation import Observation

if TYPE_CHECKING:
    from autodip.fit.loop import Step


@dataclass(frozen=True, kw_only=True)
class PlaneResult:
    """Record of what was done with one (Y, X) plane, or one window of it.

    Parameters
    ----------
    index : tuple
        Position of the plane: pairs of axis and index.
    description : Description
        Description of the channel, with the noise of this plane unless it is constant.
    history : ndarray, shape (n, 2)
        Iteration, or pass of the learned prior, and loss (mean squared error on the [0, 1]
        scale); empty for a constant plane, which is passed through.
    assessment : Assessment or None
        None for a constant plane.
    seconds : float
        Elapsed time.
    fallbacks : int
        Number of times the fit returned to a checkpoint.
    refined : bool
        Whether the result of the fit was refined.
    follows : bool
        Whether the fit continued from the weights of the plane before, or the learned prior was
        told the noise observed in it.
    window : Window or None
        Window of the plane; None for the whole plane.
    observed : Observation or None
        Noise as observed by the learned prior, if it was applied; None if the plane was fitted.
    reason : str
        Why the plane was fitted although a learned prior was chosen; empty otherwise.
    errors : ErrorSummary or None
        Standard errors in brief; None if they were not computed, or the plane is constant.
    squared_error : float or None
        Expected mean squared error, in squared units of the image, before rounding; None if it is
        not known.
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
    observed: Observation | None = None
    reason: str = ""
    errors: ErrorSummary | None = None
    squared_error: float | None = None


@dataclass(frozen=True, kw_only=True)
class Computed:
    """Denoised image, with a record of how it was computed.

    Parameters
    ----------
    image : ndarray, or Stored for a result that is computed when it is read
        Denoised pixels, with the shape, the units and, unless another was specified, the data type
        of the input.
    plan : Plan
        What was done, by channel.
    planes : sequence of PlaneResult
        One for each (Y, X) plane, or for each window of each plane.
    maps : mapping of str to ndarray, float32
        Additional outputs by name, with the shape and axes of the image: with the option
        ``uncertainty``, ``sd`` is the standard error of every pixel. Like ``image``, a map may be
        one that is computed when it is read.
    repairs : mapping of PlaneIndex to Repair
        Defects of the planes that have any: empty areas, which were left unchanged, and outliers.
    peak_memory : int or None
        Peak memory of the process so far, in bytes; None if the system does not report it.
    processor : mapping of str to str
        Kind of processor that computed, see :func:`autodip.compute.processor.kind`.
    threads : int
        Number of threads that computed.
    """

    image: np.ndarray = field(repr=False)
    plan: Plan
    planes: Sequence[PlaneResult]
    maps: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    repairs: Mapping[PlaneIndex, Repair] = field(default_factory=dict, repr=False)
    peak_memory: int | None = None
    processor: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1

    @property
    def plans(self) -> tuple[ChannelPlan, ...]:
        """Plan of each channel."""
        return self.plan.channels

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about the image and about how it was treated."""
        return self.plan.notes

    @property
    def device(self) -> str:
        """Name of the torch device that computed."""
        return self.plan.device

    @property
    def seed(self) -> int:
        """Seed of the random weights and input."""
        return self.plan.seed

    @property
    def independent(self) -> bool:
        """Whether every plane was fitted independently, as specified by the user."""
        return self.plan.independent

    @property
    def tiling(self) -> Tiling | None:
        """How the planes were cut into windows; None for whole planes."""
        return self.plan.tiling

    @property
    def choice(self) -> Choice:
        """Choice for the first channel; for other channels see ``plans``."""
        return self.plans[0].choice

    @property
    def history(self) -> np.ndarray:
        """Iterations and losses of the first plane; for other planes see ``planes``."""
        return self.planes[0].history

    @property
    def assessment(self) -> Assessment | None:
        """Quality indicators of the first plane; for other planes see ``planes``."""
        return self.planes[0].assessment


@dataclass(frozen=True)
class Progress:
    """One step of a run over ``planes`` planes, or windows of planes.

    ``plane`` of them are done. Only the last one has a ``result``. ``step`` is None in the last
    one, and for fits computed by the workers of a cluster.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> seen = []
    >>> result = autodip.denoise(noisy, preset="fast", progress=seen.append)
    >>> [(one.step.iteration, one.step.iterations) for one in seen if one.step]
    [(1, 2), (2, 2)]
    """

    plane: int
    planes: int
    step: Step | None
    result: Computed | None = None
