"""The peak signal-to-noise ratio that a result is expected to have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.physics.noise import Noise
from autodip.report.page.shown import Shown
from autodip.trust.error_map import expected_psnr, standard_error


@dataclass(frozen=True)
class Predicted:
    """Predicted peak signal-to-noise ratio of a plane.

    Parameters
    ----------
    psnr : float
        In dB; the peak is the range of the result (0.1th to 99.9th percentile).
    before : float or None
        The same of the noisy image, by its noise model; None without one.
    """

    psnr: float
    before: float | None

    @classmethod
    def of(cls, shown: Shown, noise: Noise | None, *, fitted: bool) -> Predicted | None:
        """Prediction from the standard errors of the pixels; None if there is none.

        Parameters
        ----------
        shown : Shown
            Pixels of the plane. Standard errors that the run did not compute are computed here.
        noise : Noise or None
        fitted : bool
            Whether the plane was fitted.
        """
        known = noise is not None and not noise.absent
        errors = shown.errors
        if errors is None and known and shown.noisy is not None:
            errors = standard_error(shown.noisy, shown.result, noise, fitted=fitted)
        if errors is None or not np.isfinite(errors).any():
            return None
        result = shown.result[shown.known]
        low, high = np.percentile(result, (0.1, 99.9))
        span = float(high - low)
        found = expected_psnr(result, errors[np.isfinite(errors)], data_range=span)
        if not np.isfinite(found):
            return None
        if noise is None or noise.absent:
            return cls(found, None)
        variance = float(np.mean(noise.std(result.astype(np.float64)) ** 2))
        return cls(found, float(10 * np.log10(span**2 / variance)) if variance > 0 else None)
