"""Noisy images made from clean ones, with the noise that one image of a microscope shows.

Where nobody can capture the same field again and again, a true image is at hand all the same:
one that was averaged heavily, or comes from elsewhere. The noise is measured on a noisy image
of the microscope to be covered (:mod:`autodip.physics.camera`), and added to it.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.errors import ImageError, ParameterError
from autodip.physics import noise
from autodip.physics.camera import Camera

CLEAN = 0.25
"""Share of the noise to be added above which a clean image is not clean enough."""

_COUNTABLE = 1e9
"""Photons in a pixel above which counting them makes no difference."""

_SMOOTH, _DARK, _BRIGHT, _ROUNDS = 2.0, 0.05, 0.995, 4
"""Width (pixels) of the Gaussian under which brightness is compared, quantiles of background
and bright structure, and rounds of the comparison."""

_VISIBLE = 1.2
"""Range of a smoothed image, in units of that of noise alone, that shows structure."""

_BEYOND = 0.2
"""Correlation of neighbours above that of the camera's noise that is rather structure's."""


def simulate_noisy(
    truth: np.ndarray,
    camera: Camera,
    generator: np.random.Generator,
    *,
    photons: float | None = None,
) -> np.ndarray:
    """Draw an image as a camera takes it.

    White noise is drawn as photons (Poisson) and read-out noise (normal), correlated noise as
    normal noise of the right variance and autocorrelation. The mean is the truth, also where
    that is below the offset; only the clipping of the camera moves it.

    Parameters
    ----------
    truth : ndarray, shape (Y, X)
        Expected grey values.
    camera : Camera
    generator : numpy.random.Generator
    photons : float, optional
        Times as many photons as in the image that the camera was measured on, at the same
        brightness, as by averaging so many images: the variance is divided by it. Default 1.

    Returns
    -------
    ndarray, shape (Y, X)
        In the type of the camera's pixels.

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
    drawn = noise.draw(np.array(camera.correlation), (rows, columns), generator)
    return camera.digitise(truth + np.sqrt(camera.variance(truth) / times) * drawn)


def _counted(
    truth: np.ndarray, camera: Camera, generator: np.random.Generator, times: float
) -> np.ndarray:
    """White noise of mean 0: that of the photons, and normal noise for the rest of it."""
    variance, gain = camera.variance(truth) / times, camera.gain / times
    light = np.maximum(truth - camera.offset, 0)
    photon: np.ndarray = np.zeros(truth.shape)
    if 0 < light.max() < _COUNTABLE * gain:
        photon = gain * generator.poisson(light / gain) - light
        variance = np.maximum(variance - gain * light, 0)
    return np.asarray(photon + np.sqrt(variance) * generator.standard_normal(truth.shape))


def match_brightness(clean: np.ndarray, image: np.ndarray, camera: Camera) -> np.ndarray:
    """Bring a clean image to the brightness of a noisy one, by a straight line.

    The rule: under a Gaussian of 2 pixels, the quantiles 5 % (background) and 99.5 % (bright
    structure) of a noisy image simulated from the result are those of ``image``. Both images
    are smoothed, quantised and clipped alike, so that noise, which widens the range, moves
    neither. Where more than 0.25 % of the pixels are saturated, the upper quantile leaves out
    twice as many. Nothing is clipped: the result may lie below 0, or above what is recorded.

    Parameters
    ----------
    clean : ndarray, shape (Y, X)
        In any units.
    image : ndarray, shape (Y, X)
        The noisy image; sizes may differ.
    camera : Camera
        Measured on ``image``.

    Returns
    -------
    ndarray, float64, shape (Y, X)
        Expected grey values, in the units of ``image``.

    Raises
    ------
    ImageError
        If the clean image has pixels that are no finite numbers or as good as no structure,
        or ``image`` shows none above its noise.
    """
    clean = clean.astype(np.float64)
    if not np.isfinite(clean).all():
        raise ImageError("the clean image has NaN or infinite pixels; replace them or crop")
    share = 0.0 if camera.maximum is None else float(np.mean(image == camera.maximum))
    upper = max(min(_BRIGHT, 1 - 2 * share), 0.5)
    dark, bright = _extremes(clean, upper)
    if not bright > dark:
        raise ImageError(
            f"the clean image is {dark:g} nearly everywhere; give one with more structure"
        )
    wanted = _extremes(image, upper)
    flat = np.full(image.shape, np.median(image), np.float64)
    alone = _extremes(simulate_noisy(flat, camera, np.random.default_rng(0)), upper)
    if np.ptp(wanted) < _VISIBLE * np.ptp(alone):
        raise ImageError(
            "the noisy image shows no structure above its noise, so how bright that should be "
            "cannot be told; give one with structure"
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
    """Noise that a clean image has already, as a share of the noise that is to be added.

    Both as root mean square over the image. Structure as fine as noise, as a dense mesh of
    fibres, cannot be told from it with certainty; it shows in neighbours that are correlated
    far more than those of the camera's noise.

    Parameters
    ----------
    truth : ndarray, shape (Y, X)
        In the units of the camera.
    camera : Camera
    photons : float
        As in :func:`simulate_noisy`.

    Returns
    -------
    float or None
        0 or more; beyond :data:`CLEAN` the image is not clean enough. None where it would be
        beyond, but is rather fine structure.
    """
    found = noise.estimate(truth)
    if found is None:
        return 0.0
    added = float(np.mean(camera.variance(truth))) / photons
    share = float(np.sqrt(np.mean(found.std(truth) ** 2) / added))
    structure = max(noise.CERTAIN, min(camera.neighbours) + _BEYOND)
    return None if share > CLEAN and min(found.correlation) > structure else share
