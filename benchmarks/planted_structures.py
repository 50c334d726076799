"""Structures that are planted into results: spot, filament, nucleus, comb and halo."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import convolve, distance_transform_edt, gaussian_filter, label

from autodip.physics.noise import CORRELATED, Noise

KINDS = ("spot", "filament", "nucleus", "comb", "halo")


def _at(shape, generator, margin):
    """Distances from a random position along Y and X."""
    y, x = (generator.uniform(margin, side - margin) for side in shape)
    return np.arange(shape[0])[:, None] - y, np.arange(shape[1])[None, :] - x


def _spot(shape, generator, _):
    y, x = _at(shape, generator, 8)
    return np.exp(-0.5 * (y**2 + x**2) / generator.uniform(1.1, 2) ** 2)


def _filament(shape, generator, _):
    steps = int(3 * generator.uniform(35, 90))
    angle = generator.uniform(0, 2 * np.pi) + np.arange(steps) * generator.normal(0, 0.005)
    angle += np.cumsum(generator.normal(0, 0.01, steps))
    start = np.array([generator.uniform(20, side - 20) for side in shape])
    path = start[:, None] + np.cumsum(np.stack([np.sin(angle), np.cos(angle)]) / 3, axis=1)
    rows, columns = path.astype(int)
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    image = np.zeros(shape)
    image[rows[inside], columns[inside]] = 1
    return gaussian_filter(image, generator.uniform(0.9, 1.6))


def _nucleus(shape, generator, _):
    y, x = _at(shape, generator, 25)
    a = generator.uniform(9, 22)
    b = a * generator.uniform(0.7, 1.4)
    turn = generator.uniform(0, np.pi)
    u = (np.cos(turn) * x + np.sin(turn) * y) / a
    v = (np.cos(turn) * y - np.sin(turn) * x) / b
    outside = (np.hypot(u, v) - 1) * np.sqrt(a * b)
    return 1 / (1 + np.exp(np.clip(outside / 1.2, -50, 50)))


def _comb(shape, generator, _):
    y, x = _at(shape, generator, 20)
    period, angle = generator.uniform(2.5, 7), generator.choice([0, np.pi / 2, 1.0, 2.2])
    envelope = np.exp(-0.5 * (y**2 + x**2) / generator.uniform(6, 14) ** 2)
    return envelope * np.cos(2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle)))


def _halo(shape, generator, result):
    """Ring around one of the largest bright structures; nothing if there is none."""
    smooth = gaussian_filter(result, 2)
    bright = smooth > np.percentile(smooth, generator.uniform(80, 95))
    number, _ = label(bright)
    sizes = np.bincount(number.ravel())[1:]
    fit = [one for one in np.argsort(-sizes)[:6] if 60 < sizes[one] < 0.08 * result.size]
    if not fit:
        return np.zeros(shape)
    width = generator.uniform(2.5, 6)
    distance = distance_transform_edt(number != 1 + generator.choice(fit))
    middle = 2 + width * generator.uniform(0.8, 1.3)
    return np.exp(-0.5 * ((distance - middle) / (width / 2)) ** 2) * ~bright


_DRAWN = {
    "spot": _spot,
    "filament": _filament,
    "nucleus": _nucleus,
    "comb": _comb,
    "halo": _halo,
}


def drawn(kind: str, result: np.ndarray, generator: np.random.Generator) -> np.ndarray | None:
    """A structure of height 1 for a result (Y, X); None if it has no place there."""
    image = _DRAWN[kind](result.shape, generator, result)
    height = np.abs(image).max()
    return image / height if height > 0.1 else None


def signal_to_noise(added: np.ndarray, result: np.ndarray, noise: Noise) -> float:
    """Summed signal-to-noise ratio of a structure that is added to a result.

    That of the mean that is weighted by the structure, at the noise that the sum of both implies.
    """
    share = added / np.maximum(noise.std(result + added), 0.2 * noise.sigma)
    spread = share
    if noise.autocorrelation is not None and max(noise.correlation) >= CORRELATED:
        spread = convolve(share, np.array(noise.autocorrelation), mode="nearest")
    return float((share**2).sum() / np.sqrt((share * spread).sum()))


def height_for(wanted: float, shape: np.ndarray, result: np.ndarray, noise: Noise) -> float:
    """Height at which a structure has a signal-to-noise ratio."""
    height = 1.0
    for _ in range(12):
        height *= wanted / signal_to_noise(height * shape, result, noise)
    return height


def contrast_around(shape: np.ndarray, result: np.ndarray) -> float:
    """Range of the result (2nd to 98th percentile) within 16 pixels of a structure."""
    rows, columns = np.nonzero(np.abs(shape) > 0.3)
    window = tuple(slice(max(0, one.min() - 16), one.max() + 17) for one in (rows, columns))
    return float(np.ptp(np.percentile(result[window], (2, 98))))
