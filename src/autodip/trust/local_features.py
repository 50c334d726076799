"""What is around each pixel of a result, from which its error is predicted.

All features are measured in the variance-stabilised domain, where the noise has about the same
variance at every brightness, so that they do not depend on the units of the image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.physics.anscombe import Stabiliser
from autodip.physics.noise import Noise

REACH = 21
"""Pixels around a pixel that its features depend on."""

_TRUNCATE = 3.0

_AVERAGED = 1.5
"""Standard deviation of the Gaussian filter that averages what was removed, in pixels."""

_LEAST = 3e-3
"""Standard deviation of the noise-like terms below which they are not distinguished."""

_DARKEST = 0.05
"""Photons below which brightness is not distinguished."""

_FAINT, _STRONG = 0.05, 3.0
"""Range of the standard deviation of the noise in the stabilised domain."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """A result in the stabilised domain.

    Parameters
    ----------
    stable, residual : ndarray, float32, shape (Y, X)
        Stabilised result, and the stabilised noisy image minus it.
    photons : ndarray, float32, shape (Y, X)
        Photons of the result above the black level, 0 or more.
    dark : float
        Photons that act on the noise like the read-out noise does.
    noise : ndarray, float32, shape (Y, X)
        Standard deviation of the noise in the stabilised domain; about 1 if its model holds.
    gain : float
        Grey values per photon.
    """

    stable: np.ndarray
    residual: np.ndarray
    photons: np.ndarray
    dark: float
    noise: np.ndarray
    gain: float

    @classmethod
    def of(
        cls, noisy: np.ndarray, result: np.ndarray, noise: Noise, darkest: float | None = None
    ) -> Surroundings:
        """Stabilise a noisy image and its result, both float64 of shape (Y, X).

        ``darkest`` is the lowest grey value of the whole image if these are a part of it.
        """
        change = Stabiliser.of(noise, float(noisy.min()) if darkest is None else darkest)
        stable = change.forward(result)
        residual = change.forward(noisy) - stable
        photons = np.maximum((result - change.black) / change.gain, 0)
        dark = 3 / 8 + change.read**2
        deviation = noise.std(result) / (change.gain * np.sqrt(photons + dark))
        return cls(
            stable=stable.astype(np.float32),
            residual=residual.astype(np.float32),
            photons=photons.astype(np.float32),
            dark=dark,
            noise=np.clip(deviation, _FAINT, _STRONG).astype(np.float32),
            gain=change.gain,
        )

    @property
    def unit(self) -> np.ndarray:
        """Grey values per unit of the stabilised domain, above 0, float64, shape (Y, X)."""
        return np.asarray(self.gain * np.sqrt(self.photons + self.dark))


def features(around: Surroundings, noise: Noise) -> dict[str, np.ndarray | float]:
    """Features by name: float32 of shape (Y, X), or one number for the whole image.

    Parameters
    ----------
    around : Surroundings
    noise : Noise
        Its correlation is used.
    """
    found: dict[str, np.ndarray | float] = {
        "level": np.log(around.photons + np.float32(around.dark)),
        "light": np.log(around.photons + np.float32(_DARKEST)),
        "noise": np.log(around.noise),
    }
    found.update(_structure(around.stable))
    found.update(_residual(around.stable, around.residual))
    found.update(_correlation(noise))
    return found


def _structure(stable: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Slope, curvature and contrast of the result at several scales."""
    near, wide = _smooth(stable, 1), _smooth(stable, 3)
    down, right = np.gradient(near)
    slope = down**2 + right**2
    yield "slope", _log(slope)
    yield "slope_near", _log(_smooth(slope, 4))
    along_y, across = np.gradient(down)
    along_x = np.gradient(right, axis=1)
    yield "curvature", _log(along_y**2 + along_x**2 + 2 * across**2)
    yield "bulge", np.arcsinh(5 * (along_y + along_x))
    fine = (stable - near) ** 2
    yield "fine", _log(fine)
    yield "fine_near", _log(_smooth(fine, 4))
    yield "above", np.arcsinh(2 * (stable - wide))
    yield "contrast", _log(_smooth((stable - wide) ** 2, 3))
    yield "wide_slope", _log(sum(part**2 for part in np.gradient(wide)))


def _residual(stable: np.ndarray, residual: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What was removed: its power, its smooth part, and how much of the like is left."""
    power, smooth = residual**2, _smooth(residual, _AVERAGED) ** 2
    yield "removed", _log(_smooth(power, 2))
    yield "removed_near", _log(_smooth(power, 6))
    yield "smooth", _log(smooth)
    yield "smooth_near", _log(_smooth(smooth, 4))
    grain, fine = residual - _smooth(residual, 1), stable - _smooth(stable, 1)
    left = _smooth(fine * grain, 6) / (_smooth(grain**2, 6) + np.float32(1e-3))
    yield "left", np.arcsinh(20 * left)


def unexplained(around: Surroundings, noise: Noise) -> np.ndarray:
    """Squared mean of what was removed around each pixel, beyond what noise explains.

    It is a lower bound of the squared error, in the stabilised domain, float32: three standard
    deviations of an average of the noise are subtracted. Almost everywhere it is 0.
    """
    lags = np.arange(-2, 3) ** 2
    near = np.exp(-(lags[:, None] + lags) / (4 * _AVERAGED**2)) / (4 * np.pi * _AVERAGED**2)
    whole = noise.autocorrelation
    share = float(near[2, 2] if whole is None else np.sum(near * np.array(whole)))
    mean = np.abs(_smooth(around.residual, _AVERAGED))
    return np.asarray(np.maximum(mean - 3 * np.sqrt(max(share, 0.0)) * around.noise, 0) ** 2)


def _correlation(noise: Noise) -> Iterator[tuple[str, float]]:
    """Correlation of the noise, which makes more of it look like structure."""
    yield "correlation", max(noise.correlation)
    yield "other_correlation", min(noise.correlation)
    whole = noise.autocorrelation
    yield "far_correlation", 0.0 if whole is None else (whole[2][4] + whole[4][2]) / 2


def _smooth(image: np.ndarray, width: float) -> np.ndarray:
    return np.asarray(gaussian_filter(image, width, mode="reflect", truncate=_TRUNCATE))


def _log(power: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.maximum(power, 0) + np.float32(_LEAST**2)))
