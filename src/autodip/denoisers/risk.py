"""Selection of a setting without the truth: Stein's unbiased risk estimate with a random probe.

For noise of covariance C, ``|f(y) - y|**2 - tr C + 2 tr(C J)`` with the Jacobian J of the
denoiser f is an unbiased estimate of its squared error (Stein 1981). With a probe b drawn from
the distribution of the noise, ``b · (f(y + b) - f(y))`` estimates the last trace (Ramani, Blu &
Unser 2008, for white noise). Here C has the variance and the correlation estimated from the
image; if correlated noise were taken for white, the risk estimate would be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.errors import ImageError
from autodip.physics.correlation import autocorrelation, spectrum
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise

T = TypeVar("T")
PATIENCE = 3
"""Number of settings tried beyond the one of least risk, because the estimate is noisy."""
STEP = 0.1
"""Amplitude of the probe relative to the noise; small, as a difference quotient requires."""


@dataclass(frozen=True)
class Probe:
    """Noise of an image, and a random field with the same statistics.

    Parameters
    ----------
    noise : Noise
    std : ndarray, shape (Y, X)
        Standard deviation of the noise at each pixel, in the units of the image.
    field : ndarray, shape (Y, X)
        Random field with that standard deviation and the correlation of the noise.
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
        """Estimate the noise of an image (Y, X), and draw a field with the same statistics.

        Raises
        ------
        ImageError
            If the noise could not be estimated (the image is constant, or has fewer than 64
            pixels along an axis, for instance), or is 0.
        """
        found = estimate(image)
        image = image.astype(np.float64)
        power = spectrum(autocorrelation(image), (image.shape[0], image.shape[1]))
        white = np.random.default_rng(seed).standard_normal(image.shape)
        drawn = np.fft.ifft2(np.fft.fft2(white) * np.sqrt(power)).real
        std = found.std(gaussian_filter(image, 2, mode="reflect"))
        return cls(found, std, std * drawn)


@dataclass(frozen=True)
class LeastRisk(Generic[T]):
    """The setting of least risk, its result, and the estimated risk of every setting tried."""

    setting: T
    image: np.ndarray = field(repr=False)
    risks: tuple[tuple[T, float], ...]

    @property
    def evidence(self) -> list[list[Any]]:
        """Pairs of setting and estimated mean squared error; can be written as JSON."""
        return [[setting, float(f"{risk:.4g}")] for setting, risk in self.risks]


def estimate(image: np.ndarray) -> Noise:
    """Estimate the noise of an image (Y, X), or raise an ImageError if that fails or it is 0."""
    found = estimate_noise(image)
    if found is None or found.sigma <= 0:
        raise ImageError(
            f"the noise of an image of shape {image.shape} could not be estimated; this method "
            "needs at least 64 x 64 pixels that are not all equal, with noise in most of them"
        )
    return found


def risk(image: np.ndarray, result: np.ndarray, moved: np.ndarray, probe: Probe) -> float:
    """Estimated mean squared error of ``result``; it may be negative.

    Parameters
    ----------
    image, result : ndarray, shape (Y, X)
        Noisy image, and the output of the denoiser for it.
    moved : ndarray, shape (Y, X)
        Output of the denoiser for ``image + STEP * probe.field``.
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
    """Try settings in order; stop after ``PATIENCE`` settings without a new least risk.

    Parameters
    ----------
    image : ndarray, float, shape (Y, X)
    denoise : callable
        Takes an image and a setting, and returns the denoised image.
    settings : sequence
        From the weakest to the strongest; at least one.
    probe : Probe
        Probe of that image.
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
