"""Choosing a setting without the truth: Stein's unbiased risk estimate with a random probe.

For noise of covariance C, ``|f(y) - y|**2 - tr C + 2 tr(C J)`` with the Jacobian J of the
denoiser f is an unbiased estimate of its squared error (Stein 1981). With a probe b drawn like
the noise, ``b · (f(y + b) - f(y))`` estimates the last trace (Ramani, Blu & Unser 2008, who take
white noise). Here C has the strength and the correlation of the image's own noise, without which
the estimate would be wrong where neighbouring pixels share their noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.errors import ImageError
from autodip.physics import noise
from autodip.physics.noise import Noise

T = TypeVar("T")
PATIENCE = 3
"""Settings tried past the least risk, as the estimate is noisy."""
STEP = 0.1
"""Size of the probe beside the noise; a difference quotient needs it small."""


@dataclass(frozen=True)
class Probe:
    """Noise of an image, and a random field drawn like it.

    Parameters
    ----------
    noise : Noise
    std : ndarray, shape (Y, X)
        Standard deviation of the noise at each pixel, in units of the image.
    field : ndarray, shape (Y, X)
        Drawn with that standard deviation and the noise's correlation.
    """

    noise: Noise
    std: np.ndarray = field(repr=False)
    field: np.ndarray = field(repr=False)

    @property
    def sigma(self) -> float:
        """Root mean square of the noise over the image."""
        return float(np.sqrt(np.mean(self.std**2)))

    @classmethod
    def of(cls, image: np.ndarray, seed: int = 0) -> Probe:
        """Estimate the noise of an image (Y, X), and draw a field like it.

        Raises
        ------
        ImageError
            If the noise cannot be told: below 64 x 64 pixels, or a constant image.
        """
        found = estimate(image)
        image = image.astype(np.float64)
        power = noise.spectrum(noise.autocorrelation(image), (image.shape[0], image.shape[1]))
        white = np.random.default_rng(seed).standard_normal(image.shape)
        drawn = np.fft.ifft2(np.fft.fft2(white) * np.sqrt(power)).real
        std = found.std(gaussian_filter(image, 2, mode="reflect"))
        return cls(found, std, std * drawn)


@dataclass(frozen=True)
class LeastRisk(Generic[T]):
    """The setting of the least risk, its result, and the risk of every setting tried."""

    setting: T
    image: np.ndarray = field(repr=False)
    risks: tuple[tuple[T, float], ...]

    @property
    def evidence(self) -> list[list[Any]]:
        """JSON-ready: pairs of setting and estimated mean squared error."""
        return [[setting, float(f"{risk:.4g}")] for setting, risk in self.risks]


def estimate(image: np.ndarray) -> Noise:
    """Noise of an image (Y, X), or an ImageError where it cannot be told."""
    found = noise.estimate(image)
    if found is None or found.sigma <= 0:
        raise ImageError(
            f"the noise of an image of shape {image.shape} cannot be told; this method needs "
            "64 x 64 pixels or more that are not all equal, with noise in most of them"
        )
    return found


def risk(image: np.ndarray, result: np.ndarray, moved: np.ndarray, probe: Probe) -> float:
    """Estimated mean squared error of ``result``; may come out below 0.

    Parameters
    ----------
    image, result : ndarray, shape (Y, X)
        Noisy image, and what the denoiser makes of it.
    moved : ndarray, shape (Y, X)
        What the denoiser makes of ``image + STEP * probe.field``.
    probe : Probe
    """
    fidelity = np.mean((result - image) ** 2)
    trace = np.mean(probe.field * (moved - result)) / STEP
    return float(fidelity - np.mean(probe.std**2) + 2 * trace)


def least(
    image: np.ndarray,
    denoise: Callable[[np.ndarray, T], np.ndarray],
    settings: Sequence[T],
    probe: Probe,
) -> LeastRisk[T]:
    """Try settings from the weakest to the strongest; stop ``PATIENCE`` past the least risk.

    Parameters
    ----------
    image : ndarray, float, shape (Y, X)
    denoise : callable
        Takes an image and a setting.
    settings : sequence
        In order of strength.
    probe : Probe
        Of that image.
    """
    best: tuple[float, T, np.ndarray] | None = None
    risks: list[tuple[T, float]] = []
    since = 0
    for setting in settings:
        result = denoise(image, setting)
        moved = denoise(image + STEP * probe.field, setting)
        figure = risk(image, result, moved, probe)
        risks.append((setting, figure))
        since += 1
        if best is None or figure < best[0]:
            best, since = (figure, setting, result), 0
        if since >= PATIENCE:
            break
    assert best is not None  # there is at least one setting
    return LeastRisk(best[1], best[2], tuple(risks))
