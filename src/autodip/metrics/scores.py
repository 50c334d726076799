"""All figures of merit of one result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autodip.errors import ImageError, MissingPackageError
from autodip.metrics import fidelity
from autodip.metrics.affine import fit_affine
from autodip.metrics.multiscale import ms_ssim
from autodip.metrics.residual import whiteness
from autodip.metrics.weights import SMALLEST as LPIPS_SMALLEST
from autodip.physics.noise import CORRELATED, autocorrelation, estimate

SCORING = 2
"""Changes whenever a figure is added or computed in another way."""


@dataclass(frozen=True)
class Truth:
    """A true image, the range of its intensities, and how results are compared with it.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    data_range : float or None
        None takes the range of this image.
    stretched : bool
        A result is brought to the truth's intensities by least squares first.
    """

    image: np.ndarray
    data_range: float | None
    stretched: bool


def score(noisy: np.ndarray, result: np.ndarray, truth: Truth) -> dict[str, Any]:
    """Figures of a result, all by name, as a :class:`autodip.benchmark.rows.Row` has them.

    ``psnr`` in dB, ``ssim``, ``ms_ssim`` (176 pixels a side or more), ``lpips`` (AlexNet v0.1,
    [0, 1] not rescaled, as in the AUTO-DIP paper), ``lpips_standard`` (rescaled to [-1, 1]), and
    ``whiteness``, the excess correlation of what was removed, which needs no truth. A figure
    that cannot be had is None, and ``reason`` says why.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X)
        In the units of the noisy image.
    truth : Truth
    """
    black, data_range = _range(truth)
    kept, reference = result.astype(np.float64), truth.image.astype(np.float64)
    compared = np.polyval(fit_affine(kept, reference), kept) if truth.stretched else kept
    reasons: list[str] = []
    decibel = fidelity.psnr(compared, reference, data_range=data_range)
    figures = {
        "scoring": SCORING,
        "data_range": data_range,
        "stretched": int(truth.stretched),
        "psnr": decibel,
        "ssim": _ssim(compared, reference, data_range, reasons),
        "ms_ssim": multiscale(compared, reference, data_range, reasons),
        "whiteness": residual(noisy.astype(np.float64), kept),
        **perceptual((compared - black) / data_range, (reference - black) / data_range, reasons),
    }
    return {**figures, "reason": "; ".join(reasons)}


def _range(truth: Truth) -> tuple[float, float]:
    """Intensity of black, and the range above it."""
    if truth.data_range is not None:
        return 0.0, truth.data_range
    black = float(truth.image.min())
    return black, float(truth.image.max()) - black


def _ssim(
    result: np.ndarray, reference: np.ndarray, data_range: float, reasons: list[str]
) -> float | None:
    try:
        return fidelity.ssim(result, reference, data_range=data_range)
    except ImageError as error:
        reasons.append(f"no SSIM: {error}")
        return None


def multiscale(
    result: np.ndarray, reference: np.ndarray, data_range: float, reasons: list[str]
) -> float | None:
    """MS-SSIM of images (Y, X); or None, and why among ``reasons``."""
    try:
        return ms_ssim(result, reference, data_range=data_range)
    except (ImageError, MissingPackageError) as error:
        reasons.append(f"no MS-SSIM: {error}")
        return None


def residual(noisy: np.ndarray, result: np.ndarray) -> float | None:
    """Excess correlation of what was removed from an image (Y, X).

    The noise's own correlation is left out where it has any. None where nothing was removed, or
    the noise cannot be told.
    """
    noise = estimate(noisy)
    if noise is None or noise.floor <= 0:
        return None
    own = autocorrelation(noisy) if max(noise.correlation) > CORRELATED else None
    found = whiteness(noisy, result, sigma=noise.std(result), noise=own)
    return None if found is None else found.excess


def perceptual(
    result: np.ndarray, reference: np.ndarray, reasons: list[str]
) -> dict[str, float | None]:
    """LPIPS of images (Y, X) in [0, 1] in both conventions; or None, and why among ``reasons``."""
    from autodip.metrics import lpips  # noqa: PLC0415  (imports torch)

    distance = lpips.load()
    if distance is None:
        reasons.append("no LPIPS: not available, install its weights by 'autodip weights install'")
    elif min(result.shape) < LPIPS_SMALLEST:
        reasons.append(f"no LPIPS: not defined below {LPIPS_SMALLEST} pixels a side")
    else:
        return {
            "lpips": distance(result, reference),
            "lpips_standard": distance(result, reference, rescale=True),
        }
    return {"lpips": None, "lpips_standard": None}
