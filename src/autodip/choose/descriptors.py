"""Descriptors: the properties of an image that matter for its fit, as a few numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter, sobel

from autodip.errors import ImageError
from autodip.physics.correlation import spectrum
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise

OCTAVES = 6
"""Number of frequency bands, from the finest: above 1/4 cycle per pixel, 1/8 to 1/4, ..."""

NAMES = (
    "noise_level",
    "photons",
    "shot_share",
    "correlation_y",
    "correlation_x",
    *(f"octave_{number}" for number in range(1, OCTAVES + 1)),
    "gradient",
    "gradient_spread",
    "foreground",
    "gini",
    "skewness",
)
"""Keys of the descriptors, in order."""

LEAST_SIDE = 8
"""Smallest side of an image, in pixels, for which descriptors are computed."""

_FAINT = 1e-4
"""Lower bound for spectral shares; anything below it is noise."""

_FOREGROUND = 0.2
"""Brightness above the background, in units of the contrast, above which a pixel is foreground."""

_MAD = 0.6745


def descriptors(image: np.ndarray, *, noise: Noise | None = None) -> dict[str, float]:
    """Describe one image by numbers that do not depend on its intensity scale.

    The background is the 1st percentile of the image smoothed by a Gaussian of 1 pixel, and the
    contrast is its 99.9th percentile minus the background. The noise is estimated by
    :func:`autodip.physics.estimate_noise`. The descriptors are

    - ``noise_level``: log10 of the noise standard deviation at median brightness over the contrast
    - ``photons``: log10 of the squared mean brightness above background over the noise variance
      at that brightness; for pure photon noise, log10 of the mean number of photons per pixel
    - ``shot_share``: fraction of the noise variance at full contrast that grows with brightness,
      0 to 1
    - ``correlation_y``, ``correlation_x``: noise correlation of neighbouring pixels along Y and X
    - ``octave_1`` to ``octave_6``: log10 of the share of each octave of spatial frequencies, from
      the finest, in the power spectrum minus the noise spectrum, -4 to 0
    - ``gradient``: log10 of the mean Sobel magnitude of the smoothed image, in contrast per pixel
    - ``gradient_spread``: log10 of the kurtosis ``<g^4>/<g^2>^2`` of that magnitude
    - ``foreground``: fraction of pixels more than 0.2 of the contrast above background
    - ``gini``: Gini coefficient of the brightness above background, 0 (even) to 1 (sparse)
    - ``skewness``: skewness s of the brightness, as sign(s) log(1 + abs(s))

    If the noise cannot be estimated, for example below 64 x 64 pixels, it is assumed to be white
    and independent of brightness: its standard deviation is the median absolute output of
    Immerkaer's filter (1996) over 0.6745, and the correlations and ``shot_share`` are 0. The share
    of an octave that lies beyond the size of the image, or contains only noise, is the lower
    bound, -4.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        Pixels in any units; at least 8 x 8.
    noise : Noise, optional
        Noise of this image, in its units, if it has already been estimated.

    Returns
    -------
    dict of str to float
        Finite numbers under :data:`NAMES`.

    Raises
    ------
    ImageError
        If the image is not two-dimensional, is too small, is constant, or has NaN or infinite
        pixels.
    """
    data = _unit(image)
    estimated = estimate_noise(data) if noise is None else _in_units(noise, image)
    model = estimated or _white(data)
    smooth = gaussian_filter(data, 1)
    low, high = _ends(smooth)
    values = [
        *_noise(model, smooth, low, high),
        *_octaves(data, smooth, model),
        *_gradient(smooth / (high - low)),
        *_brightness(smooth, low, high),
    ]
    return dict(zip(NAMES, map(float, values), strict=True))


def _unit(image: np.ndarray) -> np.ndarray:
    """Image scaled to [0, 1]."""
    if image.ndim != 2 or min(image.shape) < LEAST_SIDE:
        raise ImageError(
            f"an image of shape {image.shape} cannot be described; it needs two dimensions (Y, X) "
            f"of {LEAST_SIDE} pixels or more"
        )
    data = image.astype(np.float64)
    if not np.isfinite(data).all():
        raise ImageError("the image has NaN or infinite pixels; replace them first")
    low, high = float(data.min()), float(data.max())
    if low == high:
        raise ImageError(f"all pixels are {low:g}: a constant image cannot be described")
    half = high / 2 - low / 2  # the whole range may overflow
    return np.asarray((data / 2 - low / 2) / half)


def _in_units(noise: Noise, image: np.ndarray) -> Noise:
    """Noise of the image scaled to [0, 1]."""
    low, span = float(image.min()), float(image.max()) - float(image.min())
    return noise.scaled(1 / span, -low / span)


def _white(data: np.ndarray) -> Noise:
    """White noise model, for an image whose noise could not be estimated."""
    fine = data[2:, :] - 2 * data[1:-1, :] + data[:-2, :]
    fine = (fine[:, 2:] - 2 * fine[:, 1:-1] + fine[:, :-2]) / 6
    variance = (float(np.median(np.abs(fine))) / _MAD) ** 2
    return Noise(0.0, variance, variance**0.5, (0.0, 0.0), variance, saturated=0.0)


def _ends(smooth: np.ndarray) -> tuple[float, float]:
    """Background and full brightness; the extremes if nearly all pixels are equal."""
    low, high = (float(v) for v in np.percentile(smooth, (1, 99.9)))
    return (low, high) if high - low > 1e-6 else (float(smooth.min()), float(smooth.max()))


def _log(value: float, least: float, most: float) -> float:
    return float(np.log10(np.clip(value, least, most)))


def _noise(model: Noise, smooth: np.ndarray, low: float, high: float) -> Iterator[float]:
    contrast, mean = high - low, float(smooth.mean())
    dark, middle, bright = (float(v) ** 2 for v in model.std(np.array([low, mean, high])))
    yield _log(model.sigma / contrast, 1e-4, 1e2)
    yield _log((mean - low) ** 2 / max(middle, 1e-12), 1e-4, 1e8)
    yield 1 - dark / bright if bright > 0 else 0.0
    yield from model.correlation


def _octaves(data: np.ndarray, smooth: np.ndarray, model: Noise) -> Iterator[float]:
    """log10 shares of the octaves in the Hann-windowed periodogram minus the expected noise."""
    rows, columns = data.shape
    window = np.outer(np.hanning(rows + 2)[1:-1], np.hanning(columns + 2)[1:-1])
    flat = data - float((data * window).sum() / window.sum())
    power = np.abs(np.fft.fft2(flat * window)) ** 2 / (window**2).sum()
    lags = [np.abs(np.arange(-2, 3))] * 2
    decay = [np.clip(rho, 0, 0.95) ** lag for rho, lag in zip(model.correlation, lags, strict=True)]
    variance = float(np.mean(model.std(smooth) ** 2))
    power -= variance * spectrum(np.outer(*decay), data.shape)
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns))
    # 0 above 1/4 cycle per pixel, one more for each lower octave; the mean belongs to none.
    octave = np.maximum(0, np.ceil(-2 - np.log2(np.maximum(frequency, 1e-9)))).astype(int)
    sums = np.bincount(octave.ravel(), power.ravel(), OCTAVES)[:OCTAVES]
    sums = np.maximum(sums, 0)
    total = float(sums.sum())
    for share in sums:
        yield _log(share / total, _FAINT, 1) if total > 0 else float(np.log10(_FAINT))


def _gradient(smooth: np.ndarray) -> Iterator[float]:
    square = (sobel(smooth, 0) / 8) ** 2 + (sobel(smooth, 1) / 8) ** 2
    yield _log(float(np.sqrt(square).mean()), 1e-6, 1e2)
    yield _log(float(np.mean(square**2)) / max(float(square.mean()) ** 2, 1e-30), 1, 1e6)


def _brightness(smooth: np.ndarray, low: float, high: float) -> Iterator[float]:
    yield float(np.mean(smooth > low + _FOREGROUND * (high - low)))
    above = np.sort(np.maximum(smooth - low, 0), axis=None)
    weights = 2 * np.arange(1, above.size + 1) - above.size - 1
    yield float(weights @ above) / (above.size * float(above.sum()))
    centred = smooth - smooth.mean()
    skewness = float(np.mean(centred**3) / max(float(centred.std()) ** 3, 1e-30))
    yield float(np.sign(skewness) * np.log1p(abs(skewness)))
