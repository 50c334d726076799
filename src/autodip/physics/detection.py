"""Detection of light by a camera or a photomultiplier: what happens between photons and a file.

Photons are counted, with the excess noise of multiplication; read-out, row and column noise are
added; a colour camera records each pixel through one colour filter and interpolates the others;
images are smoothed, resized, stretched, clipped, quantised and compressed. Correlated noise arises
where pixels are interpolated, smoothed or resized, which acts on structure and noise alike.
"""

from __future__ import annotations

import io
from dataclasses import KW_ONLY, dataclass
from typing import Literal

import numpy as np
from PIL import Image as Pillow
from scipy.ndimage import correlate1d, gaussian_filter, shift
from scipy.special import ndtr

from autodip.errors import ParameterError
from autodip.util.values import Value

Mosaic = Literal["none", "green", "red", "blue", "grey"]
"""Colour of a camera with a Bayer filter that is used; "grey" is the luma of the three."""

Resampling = Literal["nearest", "linear", "cubic", "area"]

_KINDS = {
    "nearest": Pillow.Resampling.NEAREST,
    "linear": Pillow.Resampling.BILINEAR,
    "cubic": Pillow.Resampling.BICUBIC,
}
_TAPS = np.array([0.5, 1.0, 0.5])
_LUMA = (0.299, 0.587, 0.114)
_COUNTABLE = 1e7
"""Photons from which counts are drawn as Gaussian noise."""


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
        Standard deviation of the Gaussian filter along Y and X applied after read-out.
    coloured : float
        Standard deviation of the filter that correlates the noise but not the structure.
    scale : float
        Factor by which the image is resized after read-out, above 0.
    resampling : str
        "nearest", "linear" or "cubic" (interpolation at points) or "area" (averages).
    rows, columns : float
        Standard deviation of the noise that whole rows or columns share, in photons.
    hot : float
        Share of pixels that are hot, 0 to 1; they receive up to the brightest signal twice.
    jitter : float
        Standard deviation of the displacement of each line along X.
    step : float
        Spacing of the grey levels in photons; 0 for none.
    white : float
        Signal at which the image is clipped above, in photons; infinite for none.
    black : bool
        Whether the image is clipped at 0.
    jpeg : int
        Quality of a JPEG compression, 1 to 95; 0 for none.
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
        if not self.excess >= 1 or not self.scale > 0:
            raise ParameterError(
                f"excess is {self.excess!r} and scale is {self.scale!r}; the excess noise factor "
                "must be at least 1, the scale above 0"
            )

    @property
    def white_noise(self) -> bool:
        """Whether the noise of neighbouring pixels is uncorrelated."""
        filtered = self.mosaic != "none" or any(self.smooth) or self.coloured or self.scale != 1
        return not filtered

    def needed(self, size: int) -> int:
        """Side length of the light that :func:`expose` needs for an image of ``size`` pixels."""
        return int(np.ceil((size + 2 * MARGIN) / self.scale)) if not self.white_noise else size


MARGIN = 6
"""Pixels by which the light must exceed an image on every side if pixels are interpolated."""


@dataclass(frozen=True)
class Exposure:
    """What a detector recorded of a scene.

    Parameters
    ----------
    image : ndarray, float32, shape (Y, X)
        Recorded image in photons.
    mean : ndarray, float32, shape (Y, X)
        Expected value of the recorded image: what the average of many exposures tends to.
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
    light: np.ndarray, detector: Detector, size: int, generator: np.random.Generator
) -> Exposure:
    """Record an image of a scene.

    Parameters
    ----------
    light : ndarray, shape (n, n)
        Expected photons per pixel of the sensor, 0 or more; n as ``detector.needed(size)``.
    detector : Detector
    size : int
        Side length of the recorded image.
    generator : numpy.random.Generator
    """
    counted = count_photons(light, detector.excess, generator) + detector.offset
    if detector.read:
        counted += detector.read * generator.standard_normal(light.shape)
    if detector.rows:
        counted += detector.rows * generator.standard_normal((len(light), 1))
    if detector.columns:
        counted += detector.columns * generator.standard_normal((1, len(light)))
    expected = light + detector.offset
    power = 1.0
    if not detector.white_noise:
        counted, expected, power = _interpolated(counted, expected, detector, size, generator)
    gain = detector.excess * power
    constant = power * detector.read**2 + detector.step**2 / 12 - gain * detector.offset
    constant += detector.rows**2 + detector.columns**2
    deviation = np.sqrt(np.maximum(gain * expected + constant, 1e-6))
    image = _digitised(_disturbed(counted, expected, detector, generator), detector)
    mean = _clipped_mean(expected, deviation, detector)
    return Exposure(image.astype(np.float32), mean.astype(np.float32), gain, constant)


def count_photons(light: np.ndarray, excess: float, generator: np.random.Generator) -> np.ndarray:
    """Photon counts (Poisson), multiplied with excess noise (gamma distributed), as floats."""
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
    counted: np.ndarray,
    expected: np.ndarray,
    detector: Detector,
    size: int,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Demosaic, smooth and resize signal and expectation; also the power gain for white noise."""
    phase = generator.integers(0, 2, 2)
    place = tuple(generator.uniform(0, 1, 2))

    def pass_on(image: np.ndarray) -> np.ndarray:
        image = _demosaiced(image, detector.mosaic, (int(phase[0]), int(phase[1])))
        image = _resized(image, detector.scale, detector.resampling, place)
        if any(detector.smooth):
            image = gaussian_filter(image, detector.smooth, truncate=3)
        start = [(n - size) // 2 for n in image.shape]
        return image[start[0] : start[0] + size, start[1] : start[1] + size]

    noise, truth = pass_on(counted - expected), pass_on(expected)
    power = float(pass_on(generator.standard_normal(expected.shape)).var())
    if detector.coloured:
        noise = gaussian_filter(noise, detector.coloured, mode="wrap")
        noise = noise / np.sqrt(_kept(detector.coloured))
    return truth + noise, truth, power


def _kept(sigma: float) -> float:
    """Share of the variance of white noise that passes a Gaussian filter."""
    impulse = np.zeros(65)
    impulse[32] = 1
    passed = float((gaussian_filter(impulse, sigma) ** 2).sum())
    return passed**2


def _demosaiced(image: np.ndarray, mosaic: Mosaic, phase: tuple[int, int]) -> np.ndarray:
    """Bilinear interpolation of one colour of a Bayer filter, or the luma of all three."""
    if mosaic == "none":
        return image
    if mosaic == "grey":
        return sum(
            weight * _demosaiced(image, colour, phase)  # type: ignore[arg-type]
            for weight, colour in zip(_LUMA, ("red", "green", "blue"), strict=True)
        )
    sites = np.zeros_like(image)
    y, x = phase
    if mosaic == "green":
        sites[y::2, 1 - x :: 2] = image[y::2, 1 - x :: 2]
        sites[1 - y :: 2, x::2] = image[1 - y :: 2, x::2]
        near = correlate1d(sites, [1.0, 0, 1], 0) + correlate1d(sites, [1.0, 0, 1], 1)
        return np.where(sites_of(image.shape, phase), sites, near / 4)
    if mosaic == "blue":
        y, x = 1 - y, 1 - x
    sites[y::2, x::2] = image[y::2, x::2]
    return np.asarray(correlate1d(correlate1d(sites, _TAPS, 0), _TAPS, 1))


def sites_of(shape: tuple[int, ...], phase: tuple[int, int]) -> np.ndarray:
    """Mask of the green sites of a Bayer filter, shape (Y, X)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((y + x + phase[0] + phase[1]) % 2 == 1)


def _resized(
    image: np.ndarray, scale: float, resampling: Resampling, place: tuple[float, ...]
) -> np.ndarray:
    """Resize by a factor; the position of the new pixels within the old ones is arbitrary."""
    if scale == 1:
        return image
    rows, columns = (int(n * scale) - 3 for n in image.shape)
    picture = Pillow.fromarray(image.astype(np.float32))
    if resampling == "area" or scale > 1:
        kind = Pillow.Resampling.BICUBIC if resampling == "cubic" else Pillow.Resampling.BILINEAR
        kind = Pillow.Resampling.BOX if resampling == "area" and scale < 1 else kind
        box = (place[1], place[0], place[1] + columns / scale, place[0] + rows / scale)
        return np.asarray(picture.resize((columns, rows), kind, box), np.float64)
    matrix = (1 / scale, 0, place[1], 0, 1 / scale, place[0])
    kind = _KINDS[resampling]
    moved = picture.transform((columns, rows), Pillow.Transform.AFFINE, matrix, kind)
    return np.asarray(moved, np.float64)


def _disturbed(
    image: np.ndarray,
    expected: np.ndarray,
    detector: Detector,
    generator: np.random.Generator,
) -> np.ndarray:
    """Add hot pixels and the displacement of lines."""
    if detector.jitter:
        moves = detector.jitter * generator.standard_normal(len(image))
        lines = [
            shift(row, move, order=1, mode="nearest")
            for row, move in zip(image, moves, strict=True)
        ]
        image = np.stack(lines)
    if detector.hot:
        hot = generator.random(image.shape) < detector.hot
        bright = max(float(expected.max()), 1.0)
        image = np.where(hot, image + bright * generator.uniform(0.1, 2, image.shape), image)
    return image


def _digitised(image: np.ndarray, detector: Detector) -> np.ndarray:
    """Clip, quantise and compress."""
    if detector.step:
        image = np.rint(image / detector.step) * detector.step
    if detector.black or detector.white < np.inf:
        image = np.clip(image, 0 if detector.black else None, detector.white)
    if detector.jpeg:
        top = max(float(image.max()), 1e-9)
        grey = Pillow.fromarray(np.rint(np.clip(image / top, 0, 1) * 255).astype(np.uint8))
        file = io.BytesIO()
        grey.save(file, "JPEG", quality=detector.jpeg)
        image = np.asarray(Pillow.open(file), np.float64) / 255 * top
    return image


def _clipped_mean(expected: np.ndarray, deviation: np.ndarray, detector: Detector) -> np.ndarray:
    """Expected value after clipping, for Gaussian noise of the given standard deviation."""
    mean = expected
    if detector.black:
        mean = _above(mean, deviation)
    if detector.white < np.inf:
        mean = detector.white - _above(detector.white - mean, deviation)
    return np.asarray(mean)


def _above(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Expectation of max(x, 0) for normally distributed x."""
    ratio = np.clip(mean / deviation, -30, 30)
    density = np.exp(-0.5 * ratio**2) / np.sqrt(2 * np.pi)
    return np.asarray(mean * ndtr(ratio) + deviation * density)
