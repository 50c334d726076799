"""Simulation of a fluorescence image and its truth, following image formation in a microscope.

Structures are drawn as photon densities, blurred by the point spread function of the
microscope, and detected with photon (Poisson) and read-out (Gaussian) noise. Dedicated
simulators are not used because they bring in hundreds of megabytes of dependencies and fetch
spectra from the network.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.errors import ParameterError
from autodip.physics.detection import count_photons
from autodip.physics.optics import Optics, through_microscope

_MARGIN = 24
"""Pixels drawn beyond each border, so that structures outside the image blur into it."""


def simulate(
    specimen: str = "nucleus", optics: Optics | None = None, *, size: int = 256, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate a noisy image and its truth.

    Parameters
    ----------
    specimen : str
        "nucleus", "actin" or "mito".
    optics : Optics, optional
    size : int
        Side length of the image in pixels.
    seed : int

    Returns
    -------
    noisy : ndarray, uint16, shape (size, size)
    truth : ndarray, float32, shape (size, size)
        Expected grey value of every pixel.
    """
    optics = optics or Optics()
    if specimen not in _DRAW:
        raise ParameterError(f"specimen {specimen!r}; allowed are {', '.join(_DRAW)}")
    rng = np.random.default_rng(seed)
    density = _DRAW[specimen](size + 2 * _MARGIN, rng)
    blurred = through_microscope(density, optics, _MARGIN)
    photons = optics.photons * blurred / blurred.max()
    truth = optics.gain * photons + optics.offset
    return captured(photons, optics, rng), truth.astype(np.float32)


def captured(photons: np.ndarray, optics: Optics, rng: np.random.Generator) -> np.ndarray:
    """Capture of an image with the noise of the detector, uint16.

    Parameters
    ----------
    photons : ndarray, shape (Y, X)
        Expected number of photons in every pixel.
    optics : Optics
    rng : Generator
    """
    detected = optics.gain * count_photons(photons, 1.0, rng) + optics.offset
    detected = detected + rng.normal(0, optics.read_noise, detected.shape)
    return np.clip(np.rint(detected), 0, 65535).astype(np.uint16)


def _nucleus(size: int, rng: np.random.Generator) -> np.ndarray:
    """Ellipses with chromatin texture and dark nucleoli over a weak cytoplasm."""
    y, x = np.mgrid[:size, :size].astype(float)
    cytoplasm = gaussian_filter(rng.random((size, size)), 12)
    image = 0.03 * cytoplasm / cytoplasm.max()
    for _ in range(max(3, (size // 90) ** 2)):
        at, angle = rng.uniform(0, size, 2), rng.uniform(0, np.pi)
        axes = rng.uniform(0.07, 0.12, 2) * min(size, 300)
        u = (np.cos(angle) * (x - at[0]) + np.sin(angle) * (y - at[1])) / axes[0]
        v = (np.cos(angle) * (y - at[1]) - np.sin(angle) * (x - at[0])) / axes[1]
        inside = 1 / (1 + np.exp(np.minimum(12 * (np.hypot(u, v) - 1), 700)))
        texture = gaussian_filter(rng.standard_normal((size, size)), 2.5)
        texture = 1 + 0.25 * texture / texture.std()
        for _ in range(rng.integers(2, 5)):
            spot = at + rng.uniform(-0.5, 0.5, 2) * axes.min()
            texture *= 1 - 0.7 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / 18)
        image = np.maximum(image, rng.uniform(0.5, 1) * inside * np.maximum(texture, 0.1))
    return np.asarray(image)


def _filaments(
    size: int, rng: np.random.Generator, *, count: int, length: int, bend: float, straight: float
) -> np.ndarray:
    """Random curves one pixel wide; ``straight``, 0 to 1, is how much they share a direction."""
    image = np.zeros((size, size))
    main = rng.uniform(0, np.pi)
    for _ in range(count):
        at = rng.uniform(-0.1, 1.1, 2) * size
        angle = main + (1 - straight) * rng.uniform(-np.pi, np.pi) / 2
        steps = rng.normal(0, bend, 2 * length).cumsum() + angle
        path = at[:, None] + 0.5 * np.stack([np.sin(steps), np.cos(steps)]).cumsum(1)
        rows, columns = np.rint(path).astype(int)
        inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
        np.add.at(image, (rows[inside], columns[inside]), rng.uniform(0.3, 1))
    return image


def _actin(size: int, rng: np.random.Generator) -> np.ndarray:
    """Straight stress fibres over a fine mesh."""
    fibres = _filaments(size, rng, count=size // 3, length=size, bend=0.004, straight=0.8)
    mesh = _filaments(size, rng, count=size, length=size // 8, bend=0.1, straight=0.0)
    return np.asarray(gaussian_filter(fibres, 0.7) + 0.15 * gaussian_filter(mesh, 0.7))


def _mito(size: int, rng: np.random.Generator) -> np.ndarray:
    """Short bent tubules, clustered around cell centres."""
    curves = _filaments(size, rng, count=size, length=size // 9, bend=0.12, straight=0.0)
    tubules = gaussian_filter(curves, 1.6)
    cells = gaussian_filter((rng.random((size, size)) < 6e-5).astype(float), size / 12)
    return np.asarray(tubules * (0.1 + cells / max(cells.max(), 1e-9)))


_DRAW: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "nucleus": _nucleus,
    "actin": _actin,
    "mito": _mito,
}
