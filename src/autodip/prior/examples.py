"""Training examples: a clean image, cut, scaled and recorded by a random detector.

An example is a function of its seed and the clean images alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter

from autodip.physics.anscombe import Stabiliser
from autodip.physics.detection import Detector, Exposure, expose
from autodip.physics.noise import Noise
from autodip.prior.cameras import draw_detector
from autodip.prior.clean import FEWEST, Clean
from autodip.prior.observation import Observation, observe

_DARKEST = 0.3
"""Smallest brightness of the brightest pixels of a part that is scaled to 1."""

_WRONG_GAIN, _WRONG_VARIANCE, _WRONG_LAG = 0.06, 0.08, 0.025
"""Standard errors of the gain (relative), of the told variance (relative), and of the told
correlation: those of an estimate from one image."""


@dataclass(frozen=True)
class Example:
    """A training example, variance-stabilised.

    Parameters
    ----------
    noisy, truth : ndarray, float32, shape (Y, X)
        Both after the same transform, whose parameters are slightly wrong.
    deviation : ndarray, float32, shape (Y, X)
        Standard deviation of the noise, as it would be estimated.
    correlation : ndarray, float32, shape (8,)
        Correlation at :data:`autodip.prior.observation.LAGS`, as it would be estimated.
    """

    noisy: np.ndarray
    truth: np.ndarray
    deviation: np.ndarray
    correlation: np.ndarray


def draw_example(
    pool: Sequence[Clean], shares: np.ndarray, size: int, seed: Sequence[int]
) -> Example:
    """Draw the example of a seed.

    Parameters
    ----------
    pool : sequence of Clean
    shares : ndarray, shape (n,)
        Cumulative weights of the pool, as from :func:`shares_of`.
    size : int
        Side length of the example in pixels.
    seed : sequence of int
    """
    generator = np.random.default_rng(seed)
    return stabilised(draw_exposure(pool, shares, size, generator), generator)


def draw_exposure(
    pool: Sequence[Clean], shares: np.ndarray, size: int, generator: np.random.Generator
) -> Exposure:
    """Record a random part of a clean image by a random detector; parameters as above."""
    clean = pool[int(np.searchsorted(shares, generator.random(), side="right"))]
    peak = float(np.exp(generator.uniform(np.log(FEWEST), np.log(clean.photons))))
    detector = draw_detector(generator, peak)
    light = peak * _scene(clean, detector, size, generator)
    return expose(light, detector, size, generator)


def shares_of(pool: Sequence[Clean]) -> np.ndarray:
    """Cumulative weights of clean images, shape (n,); the last is 1."""
    total = np.cumsum([clean.weight for clean in pool])
    return np.asarray(total / total[-1])


def _scene(
    clean: Clean, detector: Detector, size: int, generator: np.random.Generator
) -> np.ndarray:
    """Brightness of a random part of a clean image, about 0 to 1."""
    needed = detector.needed(size)
    # An image that is reduced after read-out averages the noise of the clean image as well.
    finest = clean.finest * min(detector.scale, 1.0) if clean.finest > 1 else 1.0
    factor = max(finest, 1.0) * generator.choice([1.0, 1.0, 1.25, 1.6, 2.0])
    factor = min(factor, min(clean.pixels.shape) / needed)
    part = _cut(clean.pixels, needed, factor, generator)
    if factor < 1:
        part = np.pad(part, [(0, needed - n) for n in part.shape], mode="reflect")
    part = _turned(part, generator)
    if generator.random() < (0.15 if detector.white_noise else 0.5):
        part = gaussian_filter(part, generator.uniform(0.4, 3.0))
    part = np.clip(part, 0, None) ** generator.uniform(0.7, 1.5)
    # A part that is dark is brightened up to a limit, beyond which its own noise would show.
    bright = max(float(np.percentile(part, 99.9)), _DARKEST if clean.finest > 1 else 1e-3)
    part = np.clip(part / bright, 0, 1.5)
    if generator.random() < 0.3:
        part = np.clip(part - generator.uniform(0, 0.15), 0, None)
    return np.asarray(part * (generator.uniform(0.02, 1) if generator.random() < 0.1 else 1))


def _cut(
    pixels: np.ndarray, needed: int, factor: float, generator: np.random.Generator
) -> np.ndarray:
    """Cut a random square and scale it down by averaging."""
    wanted = needed * max(factor, 1.0)
    high = [max(n - wanted, 0) for n in pixels.shape]
    top, left = (generator.uniform(0, h) for h in high)
    if factor <= 1:
        top, left = int(top), int(left)
        return pixels[top : top + needed, left : left + needed]
    box = (left, top, left + wanted, top + wanted)
    picture = Pillow.fromarray(pixels)
    return np.asarray(picture.resize((needed, needed), Pillow.Resampling.BOX, box))


def _turned(part: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One of the eight orientations."""
    part = np.rot90(part, int(generator.integers(4)))
    return part[::-1] if generator.random() < 0.5 else part


def stabilised(exposure: Exposure, generator: np.random.Generator) -> Example:
    """Stabilise an exposure with slightly wrong noise parameters, as if they were estimated.

    Parameters
    ----------
    exposure : Exposure
    generator : numpy.random.Generator
        Of the errors.
    """
    wrong = np.exp(generator.normal(0, _WRONG_GAIN, 2))
    image, mean = exposure.image.astype(np.float64), exposure.mean.astype(np.float64)
    gain = exposure.gain * float(wrong[0])
    middle = float(np.median(image))
    constant = exposure.constant * float(wrong[1])
    variance = max(gain * middle + constant, 1e-6)
    floor = max(gain * float(image.min()) + constant, 0.0)
    noise = Noise(gain, constant, float(np.sqrt(variance)), (0.0, 0.0), floor, saturated=0.0)
    transform = Stabiliser.of(noise, float(image.min()))
    noisy, truth = transform.forward(image), transform.forward(mean)
    told = _estimated(observe(noisy, noisy - truth), generator)
    return Example(
        noisy.astype(np.float32),
        truth.astype(np.float32),
        told.deviation(noisy).astype(np.float32),
        np.asarray(told.correlation, np.float32),
    )


def _estimated(true: Observation, generator: np.random.Generator) -> Observation:
    """An observation with the errors of an estimate."""
    factor = float(np.exp(generator.normal(0, _WRONG_VARIANCE)))
    lags = np.array(true.correlation) + generator.normal(0, _WRONG_LAG, len(true.correlation))
    return Observation(true.slope * factor, true.constant * factor, tuple(map(float, lags)))
