"""Records of what was done with the channels and planes of an image, as the sidecar states them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.fit.counting import Cost
from autodip.image.image import PlaneIndex
from autodip.image.windows import Window
from autodip.physics.noise import Noise
from autodip.pipeline.assess import Assessment
from autodip.pipeline.error_summary import ErrorSummary
from autodip.pipeline.plan import ChannelPlan
from autodip.pipeline.repair import Repair
from autodip.pipeline.result import PlaneResult
from autodip.prior.observation import Observation
from autodip.util.values import Value

_POINTS = 48
"""Number of points of the curve of a fit that are recorded."""

_LISTED = 1000
"""Number of hot and dead pixels of a plane that are listed."""


@dataclass(frozen=True, kw_only=True)
class ChannelRecord(Value):
    """Record of what was done with one channel.

    Parameters
    ----------
    name, description, choice, fits, followers, seconds
        As in :class:`autodip.pipeline.plan.ChannelPlan`.
    cost_per_plane, cost_following : Cost, Cost or None
        ``cost`` and ``following`` of that class.
    """

    name: str = ""
    description: Description
    choice: Choice
    cost_per_plane: Cost
    fits: int = 1
    cost_following: Cost | None = None
    followers: int = 0
    seconds: float | None = None

    @classmethod
    def of(cls, plan: ChannelPlan) -> ChannelRecord:
        """Create the record from a plan."""
        return cls(
            name=plan.name,
            description=plan.description,
            choice=plan.choice,
            cost_per_plane=plan.cost,
            fits=plan.fits,
            cost_following=plan.following,
            followers=plan.followers,
            seconds=plan.seconds,
        )


@dataclass(frozen=True, kw_only=True)
class PlaneRecord(Value):
    """Record of what was done with one plane, or with one window of it.

    Parameters
    ----------
    index : mapping of str to int
        Position of the plane along the axes other than Y and X.
    window : Window or None
        None for the whole plane.
    iterations : int
        Number of iterations of the fit, or of passes of the learned prior; 0 for a constant
        plane.
    loss : float or None
        Mean squared error on the [0, 1] scale at the last iteration; None for a constant plane.
    curve : tuple of (float, float)
        Iteration and loss at up to 48 iterations, spaced evenly on a logarithmic scale; empty for
        a constant plane, and in records of versions that did not store it.
    fallbacks, refined, follows, noise, assessment, observed, reason, errors
        As in :class:`autodip.pipeline.result.PlaneResult`.
    seconds : float
        Run time.
    note : str
        Remark on a constant plane; empty for other planes.
    """

    index: Mapping[str, int]
    window: Window | None = None
    iterations: int = 0
    loss: float | None = None
    curve: tuple[tuple[float, float], ...] = ()
    fallbacks: int = 0
    refined: bool = False
    follows: bool = False
    seconds: float = 0.0
    noise: Noise | None = None
    assessment: Assessment | None = None
    observed: Observation | None = None
    reason: str = ""
    errors: ErrorSummary | None = None
    note: str = ""

    @classmethod
    def of(cls, plane: PlaneResult) -> PlaneRecord:
        """Create the record from the result of a plane."""
        fitted = len(plane.history) > 0
        return cls(
            index=dict(plane.index),
            window=plane.window,
            iterations=int(plane.history[-1, 0]) if fitted else 0,
            loss=float(plane.history[-1, 1]) if fitted else None,
            curve=_thinned(plane.history),
            fallbacks=plane.fallbacks,
            refined=plane.refined,
            follows=plane.follows,
            seconds=round(plane.seconds, 3),
            noise=plane.description.noise,
            assessment=plane.assessment,
            observed=plane.observed,
            reason=plane.reason,
            errors=plane.errors,
            note="" if plane.assessment else "constant plane, passed through",
        )

    @property
    def channel(self) -> int:
        """Number of the channel of the plane, from 0."""
        return self.index.get("C", self.index.get("S", 0))


def _thinned(history: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Points of a curve, spaced evenly on a logarithmic scale, with the first and the last."""
    if not len(history):
        return ()
    rows = np.unique(np.geomspace(1, len(history), _POINTS).round().astype(int)) - 1
    return tuple((float(n), float(f"{loss:.4g}")) for n, loss in history[rows])


@dataclass(frozen=True, kw_only=True)
class RepairRecord(Value):
    """Record of the defects of one plane.

    Parameters
    ----------
    index : mapping of str to int
        Position of the plane along the axes other than Y and X.
    empty : float
        Share of the pixels that hold no measurement and were returned unchanged.
    outliers : int
        Number of hot and dead pixels.
    places : tuple of (int, int)
        Row and column of each, at most 1000.
    rows, columns : float or None
        Standard deviation of the offsets subtracted from rows and columns, in units of the image;
        None if there were none.
    """

    index: Mapping[str, int]
    empty: float = 0.0
    outliers: int = 0
    places: tuple[tuple[int, ...], ...] = ()
    rows: float | None = None
    columns: float | None = None

    @classmethod
    def of(cls, index: PlaneIndex, repair: Repair) -> RepairRecord:
        """Create the record from the repair of a plane."""
        found = repair.defects
        rows, columns = repair.row_offsets, repair.column_offsets
        return cls(
            index=dict(index),
            empty=float(found.empty.mean()),
            outliers=len(found.outliers),
            places=tuple((int(y), int(x)) for y, x in found.outliers[:_LISTED]),
            rows=None if rows is None else float(rows.std()),
            columns=None if columns is None else float(columns.std()),
        )
