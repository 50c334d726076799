"""BM3D after a variance-stabilising transform, with the power spectrum of the estimated noise.

Dabov et al. 2007; Mäkitalo, Azzari & Foi 2020 for correlated noise. The authors' package
``bm3d`` is licensed for non-commercial use and is therefore not installed with autodip.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from autodip.denoisers.context import Context, Denoised
from autodip.denoisers.risk import estimate
from autodip.physics import noise
from autodip.physics.anscombe import Stabiliser
from autodip.physics.correlation import autocorrelation, spectrum
from autodip.util.optional import require

_REMOVED = "trapz"
"""Name of ``numpy.trapezoid`` before NumPy 2.4, under which the package calls it (bm4d 4.2.5)."""


def denoise(image: np.ndarray, context: Context) -> Denoised:
    """Denoise an image (Y, X) by BM3D after a generalised Anscombe transform."""
    bm3d = require("bm3d", "bm3d")
    image = image.astype(np.float64)
    found = estimate(image)
    transform = Stabiliser.of(found, float(image.min()))
    stable = transform.forward(image)
    span = float(np.ptp(stable)) or 1.0
    correlation = autocorrelation(stable)
    white = max(found.correlation) < noise.CORRELATED
    strength = 1 / span if white else _power(correlation, image.shape) / span**2
    with _trapezoid():
        result = np.asarray(bm3d.bm3d(stable / span, strength)).reshape(image.shape) * span
    parameters = {
        "gain": transform.gain,
        "black": transform.black,
        "read": transform.read,
        "correlation": None if white else np.round(correlation, 4).tolist(),
    }
    return Denoised(transform.inverse(result), parameters)


def _power(correlation: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Expected ``|fft2(noise)|**2`` for noise of variance 1, as the package expects it."""
    rows, columns = shape
    return spectrum(correlation, (rows, columns)) * rows * columns


@contextmanager
def _trapezoid() -> Iterator[None]:
    """Restore the name in NumPy while the package runs."""
    if hasattr(np, _REMOVED):
        yield
        return
    setattr(np, _REMOVED, np.trapezoid)
    try:
        yield
    finally:
        delattr(np, _REMOVED)
