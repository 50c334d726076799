"""Noisy images simulated from clean ones, with the noise measured on an image of a microscope.

If the same field of view cannot be captured repeatedly, another clean image can serve as the
truth: one that was averaged over many captures, or one from another source. The noise is
measured on a noisy image of the microscope in question (:mod:`autodip.physics.camera`) and
added to the clean image.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.errors import ImageError, ParameterError
from autodip.physics import noise
from autodip.physics.camera import Camera
from autodip.physics.correlation import draw
from autodip.physics.detection import count_photons
from autodip.physics.estimate import estimate_noise

CLEAN = 0.25
"""Largest acceptable noise of a clean image, as a share of the noise to be added to it."""

_SMOOTH, _DARK, _BRIGHT, _ROUNDS = 2.0, 0.05, 0.995, 4
"""Standard deviation (pixels) of the Gaussian filter before brightness is compared, quantiles that
represent background and bright structure, and number of iterations of the comparison."""

_VISIBLE = 1.2
"""Smallest range of a smoothed image, relative to that of noise alone, that shows structure."""

_BEYOND = 0.2
"""Excess of the neighbour correlation over that of the camera noise that indicates structure."""


def simulate_noisy(
    truth: np.ndarray,
    camera: Camera,
    generator: np.random.Generator,
    *,
    photons: float | None = None,
) -> np.ndarray:
    """Simulate a noisy image as the camera would record it.

    White noise is drawn as photon noise (Poisson) plus read-out noise (Gaussian), correlated
    noise as Gaussian noise with the camera's variance and autocorrelation. The expected value
    is the truth, even below the offset; only clipping by the camera shifts it.

    Parameters
    ----------
    truth : ndarray, shape (Y, X)
        Expected grey values.
    camera : Camera
    generator : numpy.random.Generator
    photons : float, optional
        Number of photons relative to the image on which the camera was measured, at the same
        brightness, as if that number of images were averaged: the noise variance is divided by
        it. Above 0; default 1.

    Returns
    -------
    ndarray, shape (Y, X)
        In the data type of the camera.

    Raises
    ------
    ParameterError
        If ``photons`` is not above 0.
    """
    times = 1.0 if photons is None else float(photons)
    if not 0 < times < np.inf:
        raise ParameterError(f"photons is {photons!r}; it must be a number above 0")
    truth = truth.astype(np.float64)
    if camera.white:
        return camera.digitise(truth + _counted(truth, camera, generator, times))
    rows, columns = truth.shape
    drawn = draw(np.array(camera.correlation), (rows, columns), generator)
    return camera.digitise(truth + np.sqrt(camera.variance(truth) / times) * drawn)


def _counted(
    truth: np.ndarray, camera: Camera, generator: np.random.Generator, times: float
) -> np.ndarray:
    """White noise of mean 0: photon noise, plus Gaussian noise for the remaining variance."""
    variance, gain = camera.variance(truth) / times, camera.gain / times
    light = np.maximum(truth - camera.offset, 0)
    photon: np.ndarray = np.zeros(truth.shape)
    if gain > 0:
        photon = gain * count_photons(light / gain, 1.0, generator) - light
        variance = np.maximum(variance - gain * light, 0)
    return np.asarray(photon + np.sqrt(variance) * generator.standard_normal(truth.shape))


def match_brightness(clean: np.ndarray, image: np.ndarray, camera: Camera) -> np.ndarray:
    """Map a clean image linearly to the brightness of a noisy one.

    The mapping makes two quantiles of a noisy image simulated from the result equal to those of
    ``image``, after a Gaussian filter with a standard deviation of 2 pixels: 5 % (background)
    and 99.5 % (bright structure). Both images are noisy, quantised, clipped and smoothed alike,
    so that noise, which widens the range, does not bias the mapping. If more than 0.25 % of the
    pixels are saturated, the upper quantile excludes twice their share, but at most half of the
    pixels. The result is not clipped: it may be negative, or exceed the recorded range.

    Parameters
    ----------
    clean : ndarray, shape (Y, X)
        In any units.
    image : ndarray, shape (Y, X)
        Noisy image; its size may differ from that of ``clean``.
    camera : Camera
        Measured on ``image``.

    Returns
    -------
    ndarray, float64, shape (Y, X)
        Expected grey values, in the units of ``image``.

    Raises
    ------
    ImageError
        If the clean image has NaN or infinite pixels or hardly any structure, or ``image``
        shows no structure above its noise.
    """
    clean = clean.astype(np.float64)
    if not np.isfinite(clean).all():
        raise ImageError("the clean image has NaN or infinite pixels; replace them or crop")
    share = 0.0 if camera.maximum is None else float(np.mean(image == camera.maximum))
    upper = max(min(_BRIGHT, 1 - 2 * share), 0.5)
    dark, bright = _extremes(clean, upper)
    if not bright > dark:
        raise ImageError(
            f"the clean image is {dark:g} nearly everywhere; use one with more structure"
        )
    wanted = _extremes(image, upper)
    flat = np.full(image.shape, np.median(image), np.float64)
    alone = _extremes(simulate_noisy(flat, camera, np.random.default_rng(0)), upper)
    if np.ptp(wanted) < _VISIBLE * np.ptp(alone):
        raise ImageError(
            "the noisy image shows no structure above its noise, so the brightness of structure "
            "could not be determined; use one that shows structure"
        )
    unit = (clean - dark) / (bright - dark)
    ends = wanted
    for _ in range(_ROUNDS):
        truth = ends[0] + np.ptp(ends) * unit
        seen = _extremes(simulate_noisy(truth, camera, np.random.default_rng(0)), upper)
        ends = np.maximum.accumulate(ends + wanted - seen)
    return np.asarray(ends[0] + np.ptp(ends) * unit)


def _extremes(image: np.ndarray, upper: float) -> np.ndarray:
    """Quantiles of background and bright structure after smoothing, shape (2,)."""
    smooth = gaussian_filter(image.astype(np.float64), _SMOOTH)
    return np.asarray(np.quantile(smooth, (_DARK, upper)))


def own_noise(truth: np.ndarray, camera: Camera, *, photons: float = 1.0) -> float | None:
    """Noise already present in a clean image, as a share of the noise to be added.

    Both are root mean squares over the image. Structure as fine as noise, such as a dense mesh
    of fibres, cannot be distinguished from noise with certainty; it is recognised by a
    correlation of neighbours far above that of the camera noise.

    Parameters
    ----------
    truth : ndarray, shape (Y, X)
        Clean image in the units of the camera.
    camera : Camera
    photons : float
        As in :func:`simulate_noisy`.

    Returns
    -------
    float or None
        0 or more; above :data:`CLEAN` the image is not clean enough. 0 also if its noise could
        not be estimated. None if the share would be above :data:`CLEAN`, but is probably due to
        fine structure.
    """
    added = float(np.mean(camera.variance(truth))) / photons
    return noise_share(truth, added, max(camera.neighbours))


def noise_share(clean: np.ndarray, added: float, neighbours: float = 0.0) -> float | None:
    """Noise already present in a clean image, relative to noise of a given strength.

    Parameters
    ----------
    clean : ndarray, shape (Y, X)
    added : float
        Mean variance of the noise to be added, in the units of the image, above 0.
    neighbours : float
        Correlation of neighbouring pixels of that noise.

    Returns
    -------
    float or None
        As from :func:`own_noise`.
    """
    found = estimate_noise(clean)
    if found is None:
        return 0.0
    share = float(np.sqrt(np.mean(found.std(clean) ** 2) / added))
    structure = max(noise.CERTAIN, neighbours + _BEYOND)
    return None if share > CLEAN and max(found.correlation) > structure else share
