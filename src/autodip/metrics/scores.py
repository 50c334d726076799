"""All quality metrics of one result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autodip.errors import ImageError, MissingPackageError
from autodip.metrics import fidelity
from autodip.metrics.affine import affine_psnr, fit_affine
from autodip.metrics.frc import frc
from autodip.metrics.multiscale import ms_ssim
from autodip.metrics.residual import whiteness
from autodip.metrics.weights import SMALLEST as LPIPS_SMALLEST
from autodip.physics.correlation import autocorrelation
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import CORRELATED

if TYPE_CHECKING:
    from autodip.metrics.alexnet import Lpips

_PERFECT = 200.0
"""PSNR in dB of a result that equals the truth, in a curve; JSON has no infinity."""

SCORING = 3
"""Version of the metrics; changes whenever one is added or computed differently."""


@dataclass(frozen=True)
class Truth:
    """A ground-truth image, its intensity range, and how results are compared with it.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    data_range : float or None
        Intensity range for the metrics; None for the range of this image.
    stretched : bool
        Whether a result is first fitted to the intensities of the truth, by a linear least
        squares fit.
    """

    image: np.ndarray
    data_range: float | None
    stretched: bool


def score(noisy: np.ndarray, result: np.ndarray, truth: Truth) -> dict[str, Any]:
    """Metrics of a result by name, as in :class:`autodip.benchmark.rows.Row`.

    ``psnr`` and ``affine_psnr`` (after a linear fit of the result to the truth) in dB, ``ssim``,
    ``ms_ssim`` (176 pixels a side or more), ``lpips`` (AlexNet v0.1, [0, 1] not rescaled, as in the
    AUTO-DIP paper), ``lpips_standard`` (rescaled to [-1, 1]), ``frc_pixels`` (see
    :func:`resolved`), and ``whiteness``, the excess correlation of the residual, which needs no
    truth. A metric that could not be computed is None; ``reason`` states the cause, except for
    ``whiteness``.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X)
        In the units of the noisy image.
    truth : Truth
    """
    kept = result.astype(np.float64)
    compared, reference, black, data_range = _compared(kept, truth)
    reasons: list[str] = []
    decibel = fidelity.psnr(compared, reference, data_range=data_range)
    figures = {
        "scoring": SCORING,
        "data_range": data_range,
        "stretched": int(truth.stretched),
        "psnr": decibel,
        "affine_psnr": affine_psnr(compared, reference, data_range=data_range),
        "ssim": _ssim(compared, reference, data_range, reasons),
        "ms_ssim": multiscale(compared, reference, data_range, reasons),
        "frc_pixels": resolved(compared, reference, reasons),
        "whiteness": residual(noisy.astype(np.float64), kept),
        **perceptual((compared - black) / data_range, (reference - black) / data_range, reasons),
    }
    return {**figures, "reason": "; ".join(reasons)}


def score_stop(result: np.ndarray, truth: Truth, lpips: Lpips | None = None) -> dict[str, Any]:
    """Metrics of one stop of a calibration curve by name: psnr (dB), ssim, lpips, l1, mse.

    The conventions are those of :func:`score`. The mean absolute difference ``l1`` is divided by
    the data range, the mean squared difference ``mse`` by its square.

    Parameters
    ----------
    result : ndarray, shape (Y, X)
        Result in the units of the noisy image, with sides of at least 11 pixels.
    truth : Truth
    lpips : Lpips, optional
        If None, or if a side of the image is shorter than 32 pixels, the LPIPS is None.
    """
    compared, reference, black, span = _compared(result.astype(np.float64), truth)
    one, other = (compared - black) / span, (reference - black) / span
    psnr = min(fidelity.psnr(compared, reference, data_range=span), _PERFECT)
    ssim = fidelity.ssim(compared, reference, data_range=span)
    large = min(one.shape) >= LPIPS_SMALLEST
    distance = lpips(one, other) if lpips is not None and large else None
    difference = one - other
    return {
        "psnr": psnr,
        "ssim": ssim,
        "lpips": distance,
        "l1": float(abs(difference).mean()),
        "mse": float((difference**2).mean()),
    }


def _compared(result: np.ndarray, truth: Truth) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Result and truth as they are compared, intensity of black, and the range above it."""
    reference = truth.image.astype(np.float64)
    if truth.stretched:
        result = np.asarray(np.polyval(fit_affine(result, reference), result), np.float64)
    if truth.data_range is not None:
        return result, reference, 0.0, truth.data_range
    black = float(reference.min())
    return result, reference, black, float(reference.max()) - black


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
    """MS-SSIM of images (Y, X); if it is None, the cause is appended to ``reasons``."""
    try:
        return ms_ssim(result, reference, data_range=data_range)
    except (ImageError, MissingPackageError) as error:
        reasons.append(f"no MS-SSIM: {error}")
        return None


def resolved(result: np.ndarray, reference: np.ndarray, reasons: list[str]) -> float | None:
    """Period in pixels down to which the Fourier ring correlation with the truth is above 1/2.

    2 if it never falls below: the limit of the pixel grid. If it is None, the cause is appended to
    ``reasons``. A filter that treats all directions alike, such as a blur, hardly changes it.

    Parameters
    ----------
    result, reference : ndarray, shape (Y, X)
    """
    try:
        found = frc(result, reference).resolution("1/2")
    except ImageError as error:
        reasons.append(f"no FRC: {error}")
        return None
    if found == np.inf:
        reasons.append("no FRC: nothing of the truth is resolved")
        return None
    return 2.0 if found is None else found


def residual(noisy: np.ndarray, result: np.ndarray) -> float | None:
    """Excess correlation of the residual of an image (Y, X).

    The correlation of the noise itself is subtracted if the noise is not white. None if nothing
    was removed, or the noise could not be estimated.
    """
    noise = estimate_noise(noisy)
    if noise is None or noise.floor <= 0:
        return None
    own = autocorrelation(noisy) if max(noise.correlation) > CORRELATED else None
    found = whiteness(noisy, result, sigma=noise.std(result), noise=own)
    return None if found is None else found.excess


def perceptual(
    result: np.ndarray, reference: np.ndarray, reasons: list[str]
) -> dict[str, float | None]:
    """LPIPS of images (Y, X) in [0, 1], both conventions; if None, the cause is in ``reasons``."""
    from autodip.metrics import alexnet  # noqa: PLC0415  (imports torch)

    distance = alexnet.load()
    if distance is None:
        reasons.append("no LPIPS: no weights found, run 'autodip weights install'")
    elif min(result.shape) < LPIPS_SMALLEST:
        reasons.append(f"no LPIPS: not defined below {LPIPS_SMALLEST} pixels a side")
    else:
        return {
            "lpips": distance(result, reference),
            "lpips_standard": distance(result, reference, rescale=True),
        }
    return {"lpips": None, "lpips_standard": None}
