"""Noisy images made from clean ones, with the noise that one image of a microscope shows.

Where nobody can capture the same field again and again, a true image is at hand all the same:
one that was averaged heavily, or comes from elsewhere. The noise is measured on a noisy image
of the microscope to be covered, and added to it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip import noise
from autodip.errors import ImageError, ParameterError
from autodip.scaling import to_dtype

CLEAN = 0.25
"""Share of the noise to be added above which a clean image is not clean enough."""

_FINEST = 2.0**-17
"""Quantisation step, as a share of the range, below which it is the number format's."""

_NOISELESS = 1e-5
"""Noise, as a share of the range, that is none."""

_PILE, _TIMES = 10, 2
"""Pixels at an extreme value, and times those at the value next to it, that tell clipping."""

_COUNTABLE = 1e9
"""Photons in a pixel above which counting them makes no difference."""

_SMOOTH, _DARK, _BRIGHT, _ROUNDS = 2.0, 0.05, 0.995, 4
"""Width (pixels) of the Gaussian under which brightness is compared, quantiles of background
and bright structure, and rounds of the comparison."""

_VISIBLE = 1.2
"""Range of a smoothed image, in units of that of noise alone, that shows structure."""

_BEYOND = 0.2
"""Correlation of neighbours above that of the camera's noise that is rather structure's."""


@dataclass(frozen=True)
class Camera:
    """What a detector makes of light: noise, grey levels, clipping; in units of its images.

    The variance of the noise is ``gain * (signal - offset) + read**2``, and ``floor`` at least.

    Parameters
    ----------
    gain : float
        Grey values per detected photon, 0 or more.
    offset : float
        Grey value without light. A line of variance over brightness tells it and the read-out
        noise together only: where its variance at signal 0 is negative, ``offset`` is where it
        is 0; else ``offset`` is 0, and the rest is read-out noise.
    read : float
        Standard deviation of the read-out noise, without that of the quantisation.
    floor : float
        Smallest variance measured at any brightness, without that of the quantisation.
    correlation : tuple of tuple of float, 5 x 5
        Autocorrelation of the noise for lags -2 ... 2 along Y and X; 1 at the centre, and 0
        elsewhere where neighbours are hardly correlated.
    step : float
        Distance of the grey levels; 0 where none is told.
    phase : float
        Grey level from which the steps count.
    minimum, maximum : float or None
        Values at which the image is clipped; None where no pixels pile up there.
    dtype : str
        Type of the pixels.
    """

    gain: float
    offset: float
    read: float
    floor: float
    correlation: tuple[tuple[float, ...], ...]
    step: float
    phase: float
    minimum: float | None
    maximum: float | None
    dtype: str

    @classmethod
    def measure(cls, image: np.ndarray) -> Camera:
        """Measure the detector on one noisy image, shape (Y, X), in its own units and type.

        Noise and correlation are those of :mod:`autodip.noise`. The quantisation step is the
        smallest difference of two values (for integers the one that divides all), where all
        values lie on such a grid; its variance of ``step**2 / 12`` is taken off the noise's.
        The image is clipped where pixels pile up at its largest or smallest value.

        Raises
        ------
        ImageError
            If the noise cannot be told, or there is none.
        """
        found = noise.estimate(image)
        if found is None:
            raise ImageError(
                f"the noise of this image of {image.shape} pixels cannot be told; give one of "
                "64 x 64 pixels or more that are finite numbers and not all equal"
            )
        values, counts = np.unique(image, return_counts=True)
        if found.sigma <= _NOISELESS * (float(values[-1]) - float(values[0])):
            raise ImageError(
                f"no noise was found in this image (its standard deviation would be "
                f"{found.sigma:.2g}); give a noisy one, as the microscope takes it"
            )
        step = _step(values)
        constant = found.constant - step**2 / 12
        offset = max(-constant / found.gain, 0.0) if found.gain > 0 else 0.0
        white = max(map(abs, found.correlation)) <= noise.CORRELATED
        lags = noise.white() if white else noise.autocorrelation(image.astype(np.float64))
        return cls(
            gain=found.gain,
            offset=offset,
            read=float(np.sqrt(max(constant, 0.0))),
            floor=max(found.floor - step**2 / 12, 0.0),
            correlation=tuple(tuple(map(float, row)) for row in lags),
            step=step,
            phase=float(values[0]) % step if step else 0.0,
            minimum=float(values[0]) if _piled(counts[0], counts[1]) else None,
            maximum=(
                float(values[-1]) if found.saturated and _piled(counts[-1], counts[-2]) else None
            ),
            dtype=image.dtype.name,
        )

    @property
    def white(self) -> bool:
        """Whether neighbours have independent noise."""
        return bool(np.array_equal(self.correlation, noise.white()))

    @property
    def neighbours(self) -> tuple[float, float]:
        """Correlation of the noise of neighbours along Y and along X."""
        return self.correlation[3][2], self.correlation[2][3]

    def variance(self, signal: np.ndarray) -> np.ndarray:
        """Variance of the noise at ``signal``, before quantisation and clipping."""
        line = self.gain * (signal - self.offset) + self.read**2
        return np.asarray(np.maximum(line, self.floor))

    def digitise(self, image: np.ndarray) -> np.ndarray:
        """Round to the grey levels, clip, and cast to the type of the pixels."""
        if self.step:
            image = self.phase + self.step * np.rint((image - self.phase) / self.step)
        if self.minimum is not None or self.maximum is not None:
            image = np.clip(image, self.minimum, self.maximum)
        return to_dtype(image, np.dtype(self.dtype))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary."""
        return {**asdict(self), "correlation": [list(row) for row in self.correlation]}


def _step(values: np.ndarray) -> float:
    """Distance of the grid that sorted values lie on; 0 where they don't."""
    if values.dtype.kind in "iu":
        return float(np.gcd.reduce(np.diff(values.astype(np.int64))))
    values = values.astype(np.float64)
    gaps, span = np.diff(values), float(np.ptp(values))
    if gaps.min() < _FINEST * span:
        return 0.0
    # Counting the steps over the whole range leaves little of the rounding of single values.
    step = span / float(np.rint(gaps / gaps.min()).sum())
    places = (values - values[0]) / step
    return step if float(np.abs(places - np.rint(places)).max()) < 0.1 else 0.0


def _piled(extreme: int, following: int) -> bool:
    """Whether so many pixels at an extreme value, and at the next one, tell clipping."""
    return bool(extreme >= _PILE and extreme > _TIMES * following)


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
