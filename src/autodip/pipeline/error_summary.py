"""The standard errors of a plane in brief, as its record states them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.physics.noise import Noise
from autodip.trust.error_map import expected_psnr
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
    psnr : float or None
        Peak signal-to-noise ratio that follows from the standard errors, in dB; the peak is the
        range of the result from its 0.1th to its 99.9th percentile. None if it is not finite.
    """

    median: float
    to_noise: float | None
    psnr: float | None

    @classmethod
    def of(cls, result: np.ndarray, errors: np.ndarray, noise: Noise | None) -> ErrorSummary:
        """Summary of the standard errors (Y, X) of a result."""
        expected = np.zeros(result.shape) if noise is None else noise.std(result)
        noisy = expected > 0
        psnr = expected_psnr(result, errors)
        return cls(
            median=float(np.median(errors)),
            to_noise=float(np.median(errors[noisy] / expected[noisy])) if noisy.any() else None,
            psnr=psnr if np.isfinite(psnr) else None,
        )

    @property
    def words(self) -> str:
        """The summary in one line."""
        part = "" if self.to_noise is None else f", {self.to_noise:.2f} times the noise"
        return f"standard error {self.median:.3g} in the median{part}"
