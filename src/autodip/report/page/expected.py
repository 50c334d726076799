"""The error that a result is expected to have, as far as the run has measured it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.runs.plane_records import PlaneRecord

TOO_HIGH, LEAST_TOO_HIGH, MOST_TOO_HIGH = 3.6, 1.5, 8.5
"""By how many dB the PSNR that the run measures on its own result is too high: mean, smallest and
largest over 12 pairs of noisy and true images (benchmarks/predicted_quality.py)."""


@dataclass(frozen=True)
class Expected:
    """Expected error of a result.

    Parameters
    ----------
    error : float
        Root mean square error that the run measured on its own result, in units of the image.
    own : float
        Peak signal-to-noise ratio with this error, in dB; the peak is the range of the result
        (0.1th to 99.9th percentile).
    before : float
        Peak signal-to-noise ratio of the noisy image, in dB, by its noise model.
    """

    error: float
    own: float
    before: float

    @property
    def psnr(self) -> float:
        """Predicted peak signal-to-noise ratio: ``own`` without its mean excess, in dB."""
        return self.own - TOO_HIGH

    @property
    def span(self) -> tuple[float, float]:
        """Prediction with the largest and with the smallest excess that was found, in dB."""
        return self.own - MOST_TOO_HIGH, self.own - LEAST_TOO_HIGH


def expected(plane: PlaneRecord, result: np.ndarray) -> Expected | None:
    """Predict the error of a result of the learned prior.

    After its first pass, noise like that observed is added to the result, which is denoised again;
    the error of this second result, whose truth is known, is recorded relative to the variance
    of the noise. It is assumed here to be the same share of the variance at every brightness.

    Parameters
    ----------
    plane : PlaneRecord
    result : ndarray, shape (Y, X)
        Pixels that hold a measurement.

    Returns
    -------
    Expected or None
        None if the plane was fitted, or the error was not measured.
    """
    if plane.observed is None or plane.observed.fault is None or plane.noise is None:
        return None
    variance = float(np.mean(plane.noise.std(result.astype(np.float64)) ** 2))
    low, high = np.percentile(result, (0.1, 99.9))
    error = plane.observed.fault.error * variance
    if error <= 0 or high <= low:
        return None
    peak = float(high - low) ** 2
    return Expected(
        float(np.sqrt(error)),
        float(10 * np.log10(peak / error)),
        float(10 * np.log10(peak / variance)),
    )
