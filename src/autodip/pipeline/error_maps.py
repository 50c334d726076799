"""The map of the standard errors of a plane, which a run computes if it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from autodip.physics.noise import Noise
from autodip.pipeline.error_summary import SD, ErrorSummary
from autodip.pipeline.parts import Task
from autodip.trust.error_map import standard_error

_ROUNDING = 1 / 12
"""Squared error of a result that is rounded to whole numbers."""


@dataclass(frozen=True)
class ErrorMap:
    """The map of a plane by its name, and its summary; both empty if none was asked for.

    Parameters
    ----------
    maps : mapping of str to ndarray, float32, shape (Y, X)
    summary : ErrorSummary or None
    """

    maps: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    summary: ErrorSummary | None = None

    @classmethod
    def of(
        cls,
        task: Task,
        place: int,
        result: np.ndarray,
        noise: Noise | None,
        *,
        fitted: bool = False,
    ) -> ErrorMap:
        """Map of the result for a plane of a task, if it was asked for.

        Parameters
        ----------
        task : Task
        place : int
            Position of the plane in the task.
        result : ndarray, shape (Y, X)
            In units of the image, before it is rounded.
        noise : Noise or None
        fitted : bool
            Whether the result is that of a fit, not of the learned prior.
        """
        if not task.uncertainty:
            return cls()
        noisy, darkest = task.planes[place], task.darkest[place]
        errors = standard_error(noisy, result, noise, darkest=darkest, fitted=fitted)
        if task.rounded:
            errors[errors > 0] = np.sqrt(errors[errors > 0] ** 2 + _ROUNDING)
        return cls({SD: errors}, ErrorSummary.of(result, errors, noise))

    @classmethod
    def unknown(cls, task: Task, shape: tuple[int, ...]) -> ErrorMap:
        """Map of a plane that is passed through: NaN everywhere."""
        return cls({SD: np.full(shape, np.nan, np.float32)}) if task.uncertainty else cls()
