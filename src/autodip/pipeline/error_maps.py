"""The map of the standard errors of a plane, which a run computes if it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from autodip.physics.noise import Noise
from autodip.trust.error_map import standard_error
from autodip.util.values import Value

SD = "sd"
"""Name of the map among those of a result, and part of the name of its file."""


@dataclass(frozen=True)
class ErrorSummary(Value):
    """Standard errors of a plane, or of a window of it, in brief.

    Parameters
    ----------
    median : float
        Median over the pixels, in units of the image.
    to_noise : float or None
        Median of the standard error divided by the standard deviation of the noise at the same
        pixel; None if there is no noise model.
    """

    median: float
    to_noise: float | None

    @property
    def words(self) -> str:
        """The summary in one line."""
        part = "" if self.to_noise is None else f", {self.to_noise:.2f} times the noise"
        return f"standard error {self.median:.3g} in the median{part}"


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
        cls, noisy: np.ndarray, result: np.ndarray, noise: Noise | None, *, wanted: bool
    ) -> ErrorMap:
        """Map of a result.

        Parameters
        ----------
        noisy, result : ndarray, shape (Y, X)
            In units of the image; the result before it is rounded.
        noise : Noise or None
        wanted : bool
            Whether it was asked for.
        """
        if not wanted:
            return cls()
        errors = standard_error(noisy, result, noise)
        known = np.isfinite(errors)
        if not known.any():
            return cls({SD: errors})
        ratio = None
        if noise is not None:
            expected = noise.std(result)
            compared = known & (expected > 0)
            if compared.any():
                ratio = float(np.median(errors[compared] / expected[compared]))
        return cls({SD: errors}, ErrorSummary(float(np.median(errors[known])), ratio))

    @classmethod
    def unknown(cls, shape: tuple[int, ...], *, wanted: bool) -> ErrorMap:
        """Map of a plane that is passed through: NaN everywhere."""
        return cls({SD: np.full(shape, np.nan, np.float32)}) if wanted else cls()
