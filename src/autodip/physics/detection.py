"""Detection of light by a camera or a photomultiplier: what happens between photons and a file.

Photons are counted, with the excess noise of multiplication; read-out, row and column noise are
added; a colour camera records each pixel through one colour filter and interpolates the others;
images are smoothed, resized, clipped, quantised and compressed. Correlated noise arises where
pixels are interpolated, smoothed or resized, which acts on structure and noise alike.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.errors import ParameterError
from autodip.physics import readout
from autodip.physics.readout import Mosaic, Resampling
from autodip.util.values import Value, check_float, check_int, check_option

MARGIN = 6
"""Pixels by which the light must exceed an image on every side if pixels are interpolated."""

_COUNTABLE = 1e7
"""Photons in the brightest pixel above which counts are drawn as Gaussian noise, which is then
indistinguishable from Poisson noise."""

_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Detector(Value):
    """A detector; signals are in photons, lengths in pixels of the recorded image.

    Parameters
    ----------
    excess : float
        Excess noise factor of multiplication, at least 1: variance of the photon noise relative
        to Poisson noise (EMCCD 2, photomultiplier 1.2 to 2).
    read : float
        Standard deviation of the read-out noise, in photons, 0 or more.
    offset : float
        Signal without light, in photons; may be negative (black level set too high).
    mosaic : str
        "none", or the colour of a Bayer filter: "green", "red", "blue" or "grey".
    smooth : tuple of float
        Standard deviations, 0 or more, of the Gaussian filter along Y and X applied after
        read-out.
    coloured : float
        Standard deviation, 0 or more, of the filter that correlates the noise but not the
        structure.
    scale : float
        Factor by which the image is resized after read-out, above 0.
    resampling : str
        "nearest", "linear" or "cubic" (interpolation at points) or "area" (averages).
    rows, columns : float
        Standard deviation of the noise that whole rows or columns share, in photons, 0 or more.
    hot : float
        Share of pixels that are hot, 0 to 1; they receive up to the brightest signal twice.
    jitter : float
        Standard deviation, 0 or more, of the displacement of each line along X.
    step : float
        Spacing of the grey levels in photons; 0 for none.
    white : float
        Signal at which the image is clipped above, in photons, above 0; infinite for none.
    black : bool
        Whether the image is clipped at 0.
    jpeg : int
        Quality of a JPEG compression, 1 to 95; 0 for none.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """

    _: KW_ONLY
    excess: float = 1.0
    read: float = 0.0
    offset: float = 0.0
    mosaic: Mosaic = "none"
    smooth: tuple[float, float] = (0.0, 0.0)
    coloured: float = 0.0
    scale: float = 1.0
    resampling: Resampling = "linear"
    rows: float = 0.0
    columns: float = 0.0
    hot: float = 0.0
    jitter: float = 0.0
    step: float = 0.0
    white: float = float("inf")
    black: bool = True
    jpeg: int = 0

    def __post_init__(self) -> None:
        for name in ("read", "coloured", "rows", "columns", "jitter", "step"):
            check_float(name, getattr(self, name), 0, _LARGEST)
        check_float("excess", self.excess, 1, _LARGEST)
        check_float("offset", self.offset, -_LARGEST, _LARGEST)
        check_float("scale", self.scale, 0, _LARGEST, open_low=True)
        check_float("white", self.white, 0, np.inf, open_low=True)
        check_float("hot", self.hot, 0, 1)
        check_int("jpeg", self.jpeg, 0, 95)
        check_option("mosaic", self.mosaic, typing.get_args(Mosaic))
        check_option("resampling", self.resampling, typing.get_args(Resampling))
        if not isinstance(self.smooth, tuple) or len(self.smooth) != 2:
            raise ParameterError(f"smooth is {self.smooth!r}; give two numbers, for Y and X")
        for width in self.smooth:
            check_float("smooth", width, 0, _LARGEST)
        if not isinstance(self.black, bool):
            raise ParameterError(f"black is {self.black!r}; give true or false")

    @property
    def white_noise(self) -> bool:
        """Whether the noise of neighbouring pixels is uncorrelated."""
        filtered = self.mosaic != "none" or any(self.smooth) or self.coloured or self.scale != 1
        return not filtered

    def needed(self, size: int) -> int:
        """Side length of the light that :func:`expose` needs for an image of ``size`` pixels."""
        return int(np.ceil((size + 2 * MARGIN) / self.scale)) if not self.white_noise else size

    def recorded(self, size: int) -> int:
        """Largest side length of an image for which light of ``size`` pixels suffices."""
        if self.white_noise:
            return size
        found = int(size * self.scale) - 2 * MARGIN
        return max(found if self.needed(found) <= size else found - 1, 0)


@dataclass(frozen=True)
class Exposure:
    """What a detector recorded of a scene.

    Parameters
    ----------
    image : ndarray, float32, shape (Y, X)
        Recorded image in photons.
    mean : ndarray, float32, shape (Y, X)
        Expected value of the recorded image: what the average of many exposures tends to.
        Quantisation, compression, hot pixels and displaced lines are not taken into account.
    gain : float
        Slope of the noise variance over the signal, in photons.
    constant : float
        Noise variance at signal 0 on that line, in photons squared.
    """

    image: np.ndarray
    mean: np.ndarray
    gain: float
    constant: float


def expose(
    light: np.ndarray,
    detector: Detector,
    size: int | tuple[int, int],
    generator: np.random.Generator,
) -> Exposure:
    """Record an image of a scene.

    Parameters
    ----------
    light : ndarray, shape (Y, X)
        Expected photons per pixel of the sensor, 0 or more; each side is ``detector.needed(n)``
        for ``n`` pixels of the image.
    detector : Detector
    size : int or tuple of int
        Side length, or height and width, of the recorded image.
    generator : numpy.random.Generator
    """
    shape = (size, size) if isinstance(size, int) else size
    signal, expected, power = _read_out(light, detector, generator), light + detector.offset, 1.0
    if not detector.white_noise:
        signal, expected, power = _interpolated(signal, expected, detector, shape, generator)
    gain = detector.excess * power
    constant = power * detector.read**2 + detector.step**2 / 12 - gain * detector.offset
    constant += detector.rows**2 + detector.columns**2
    deviation = np.sqrt(np.maximum(gain * expected + constant, 1e-6))
    image = _digitised(_disturbed(signal, expected, detector, generator), detector)
    mean = _clipped_mean(expected, deviation, detector)
    return Exposure(image.astype(np.float32), mean.astype(np.float32), gain, constant)


def _read_out(light: np.ndarray, detector: Detector, generator: np.random.Generator) -> np.ndarray:
    """Counted photons with offset and read-out noise."""
    signal = count_photons(light, detector.excess, generator) + detector.offset
    if detector.read:
        signal += detector.read * generator.standard_normal(light.shape)
    if detector.rows:
        signal += detector.rows * generator.standard_normal((light.shape[0], 1))
    if detector.columns:
        signal += detector.columns * generator.standard_normal((1, light.shape[1]))
    return signal


def count_photons(light: np.ndarray, excess: float, generator: np.random.Generator) -> np.ndarray:
    """Draw photon counts (Poisson), multiplied with excess noise (gamma distributed).

    Parameters
    ----------
    light : ndarray
        Expected number of photons, 0 or more; above 1e7 the noise is drawn as Gaussian.
    excess : float
        Excess noise factor, at least 1: the variance is ``excess * light``.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, float64
        Whole numbers if ``excess`` is 1 and no number is above 1e7.
    """
    if light.max(initial=0) > _COUNTABLE:
        deviation = np.sqrt(excess * light)
        return np.asarray(light + deviation * generator.standard_normal(light.shape))
    counts = generator.poisson(light).astype(np.float64)
    if excess > 1:
        shape = 1 / (excess - 1)
        seen = counts > 0
        counts[seen] = generator.gamma(counts[seen] * shape, 1 / shape)
    return np.asarray(counts)


def _interpolated(
    signal: np.ndarray,
    expected: np.ndarray,
    detector: Detector,
    shape: tuple[int, int],
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Demosaic, smooth and resize signal and expectation; also the power gain for white noise."""
    pass_on = _interpolation(detector, shape, generator)
    noise, truth = pass_on(signal - expected), pass_on(expected)
    power = float(pass_on(generator.standard_normal(expected.shape)).var())
    if detector.coloured:
        noise = gaussian_filter(noise, detector.coloured, mode="wrap")
        noise = noise / np.sqrt(readout.passed_variance(detector.coloured))
    return truth + noise, truth, power


def _interpolation(
    detector: Detector, shape: tuple[int, int], generator: np.random.Generator
) -> Callable[[np.ndarray], np.ndarray]:
    """Linear map from the sensor to the image, with colour filter and pixels at a random place."""
    phase = generator.integers(0, 2, 2)
    place = tuple(generator.uniform(0, 1, 2))

    def pass_on(image: np.ndarray) -> np.ndarray:
        image = readout.demosaic(image, detector.mosaic, (int(phase[0]), int(phase[1])))
        image = readout.resize(image, detector.scale, detector.resampling, place)
        if any(detector.smooth):
            image = gaussian_filter(image, detector.smooth, truncate=3)
        top, left = ((n - m) // 2 for n, m in zip(image.shape, shape, strict=True))
        return image[top : top + shape[0], left : left + shape[1]]

    return pass_on


def _disturbed(
    image: np.ndarray,
    expected: np.ndarray,
    detector: Detector,
    generator: np.random.Generator,
) -> np.ndarray:
    """Displace lines and add hot pixels."""
    if detector.jitter:
        image = readout.displace_lines(image, detector.jitter, generator)
    if detector.hot:
        bright = max(float(expected.max()), 1.0)
        image = readout.add_hot_pixels(image, detector.hot, bright, generator)
    return image


def _digitised(image: np.ndarray, detector: Detector) -> np.ndarray:
    """Quantise, clip and compress."""
    if detector.step:
        image = np.rint(image / detector.step) * detector.step
    if detector.black or detector.white < np.inf:
        image = np.clip(image, 0 if detector.black else None, detector.white)
    return readout.compress_jpeg(image, detector.jpeg) if detector.jpeg else image


def _clipped_mean(expected: np.ndarray, deviation: np.ndarray, detector: Detector) -> np.ndarray:
    """Expected value after clipping, for Gaussian noise of the given standard deviation."""
    mean = expected
    if detector.black:
        mean = readout.mean_above(mean, deviation)
    if detector.white < np.inf:
        mean = detector.white - readout.mean_above(detector.white - mean, deviation)
    return np.asarray(mean)
