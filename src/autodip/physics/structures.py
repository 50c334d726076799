"""Structures of fluorescent specimens, drawn as densities and blurred by a microscope.

Every structure is a function of a random generator, so that any number of different scenes can be
drawn, for training and for simulation. Densities are drawn at twice the resolution and averaged,
so that thin structures are not aliased.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from autodip.errors import ParameterError
from autodip.physics.optics import Optics, through_microscope

_FINER = 2
"""Resolution at which structures are drawn, relative to the image."""

_MARGIN = 24
"""Pixels drawn beyond each border, so that structures outside the image blur into it."""


def draw_scene(kind: str, size: int, generator: np.random.Generator) -> np.ndarray:
    """Draw a scene of one kind of structure as a microscope would see it without noise.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    size : int
        Side length of the image in pixels.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, float32, shape (size, size)
        Expected brightness from 0 to 1; the maximum is 1 unless the scene is empty.

    Raises
    ------
    ParameterError
        If the kind is unknown.
    """
    if kind not in _DRAW:
        raise ParameterError(f"structure {kind!r}; allowed are {', '.join(KINDS)}")
    fine = _FINER * (size + 2 * _MARGIN)
    density = _DRAW[kind](fine, generator)
    coarse = density.reshape(fine // _FINER, _FINER, fine // _FINER, _FINER).mean((1, 3))
    image = through_microscope(coarse, _optics(generator), _MARGIN)
    image = image / max(float(image.max()), 1e-9) if kind != "empty" else image
    if kind not in ("flat", "empty") and generator.random() < 0.6:
        image = image + generator.uniform(0, 0.3) * _slow(size, generator, size / 6)
    return np.asarray(image / max(float(image.max()), 1.0), np.float32)


def _optics(generator: np.random.Generator) -> Optics:
    """Random objective; pixels from Nyquist sampling to three times finer."""
    na, wavelength = generator.uniform(0.7, 1.45), generator.uniform(0.42, 0.68)
    nyquist = wavelength / (4 * na)
    return Optics(
        microscope=str(generator.choice(["confocal", "twophoton", "widefield"])),
        na=na,
        wavelength=wavelength,
        pixel_size=nyquist * generator.uniform(0.33, 1.2),
    )


def _slow(size: int, generator: np.random.Generator, sigma: float) -> np.ndarray:
    """Smooth random field from 0 to 1."""
    coarse = max(int(size / sigma * 3), 4)
    field = gaussian_filter(generator.standard_normal((coarse, coarse)), 1.5, mode="wrap")
    places = np.linspace(0, coarse - 1, size)
    low = np.minimum(places.astype(int), coarse - 2)
    part = places - low
    rows = field[low] * (1 - part)[:, None] + field[low + 1] * part[:, None]
    image = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    return np.asarray((image - image.min()) / max(float(np.ptp(image)), 1e-9))


def _curve(
    image: np.ndarray, generator: np.random.Generator, *, length: int, bend: float, bright: float
) -> None:
    """Add one random curve, one pixel wide."""
    size = len(image)
    at = generator.uniform(-0.1, 1.1, 2) * size
    angle = generator.uniform(0, 2 * np.pi) + np.cumsum(generator.normal(0, bend, length))
    _mark(image, at[:, None] + np.cumsum(np.stack([np.sin(angle), np.cos(angle)]), 1), bright)


def _mark(image: np.ndarray, path: np.ndarray, bright: float) -> None:
    """Add brightness to the pixels on a path, shape (2, n)."""
    size = len(image)
    rows, columns = path.astype(int)
    inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
    np.add.at(image, (rows[inside], columns[inside]), bright)


def _filaments(size: int, generator: np.random.Generator) -> np.ndarray:
    """Curves of one bend: stress fibres, microtubules, or short tubules."""
    image = np.zeros((size, size))
    bend = float(np.exp(generator.uniform(np.log(5e-4), np.log(0.08))))
    share = generator.uniform(0.05, 2.0) if bend > 0.02 else 2.0
    for _ in range(int(np.exp(generator.uniform(np.log(4), np.log(160))))):
        bright = generator.uniform(0.1, 1)
        _curve(image, generator, length=max(int(share * size), 20), bend=bend, bright=bright)
    return gaussian_filter(image, generator.uniform(0.3, 3.0))


def _bundles(size: int, generator: np.random.Generator) -> np.ndarray:
    """Many nearly parallel fibres of different brightness over diffuse light, as stress fibres."""
    image = np.zeros((size, size))
    bend = float(np.exp(generator.uniform(np.log(2e-4), np.log(4e-3))))
    spread, length = generator.uniform(0.02, 0.5), 2 * size
    for _ in range(int(generator.integers(1, 5))):
        main = generator.uniform(0, 2 * np.pi)
        middle, reach = generator.uniform(0, 1, 2) * size, generator.uniform(0.1, 0.7) * size
        for _ in range(int(np.exp(generator.uniform(np.log(10), np.log(150))))):
            turns = np.cumsum(generator.normal(0, bend, length))
            angle = main + generator.normal(0, spread) + turns
            at = (
                middle
                + generator.normal(0, reach, 2)
                - 0.5 * size * np.array([np.sin(main), np.cos(main)])
            )
            bright = generator.uniform(0.1, 1) ** 2
            _mark(
                image, at[:, None] + np.cumsum(np.stack([np.sin(angle), np.cos(angle)]), 1), bright
            )
    image = gaussian_filter(image, generator.uniform(0.3, 2.5))
    shade = 0.1 + _slow(size, generator, size / 6)
    return np.asarray(image / max(image.max(), 1e-9) * shade + generator.uniform(0, 0.5) * shade)


def _vesicles(size: int, generator: np.random.Generator) -> np.ndarray:
    """Points and small discs of exponentially distributed brightness."""
    image = np.zeros((size, size))
    count = int(np.exp(generator.uniform(np.log(15), np.log(2500))))
    places = tuple(generator.integers(0, size, (2, count)))
    np.add.at(image, places, generator.exponential(1.0, count))
    image = gaussian_filter(image, generator.uniform(0.3, 5.0))
    if generator.random() < 0.5:
        image = image * (0.05 + _slow(size, generator, size / 8) ** 3)
    return image


def _ellipses(size: int, generator: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    """Random ellipses: distance of every pixel from the centre, and the distance of the outline.

    Distances are relative to the axes, in pixels of an ellipse of average size.
    """
    y, x = np.mgrid[:size, :size].astype(np.float32)
    found = []
    scale = np.exp(generator.uniform(np.log(14), np.log(160)))
    for _ in range(int(generator.integers(2, 16))):
        (cy, cx), turn = generator.uniform(-0.05, 1.05, 2) * size, generator.uniform(0, np.pi)
        a, b = scale * generator.uniform(0.6, 1.4, 2)
        u = (np.cos(turn) * (x - cx) + np.sin(turn) * (y - cy)) / a
        v = (np.cos(turn) * (y - cy) - np.sin(turn) * (x - cx)) / b
        found.append((np.hypot(u, v) * np.sqrt(a * b), float(scale)))
    return found


def _texture(size: int, generator: np.random.Generator, sigma: float) -> np.ndarray:
    """Smooth random field with mean 0 and standard deviation 1."""
    field = gaussian_filter(generator.standard_normal((size, size)).astype(np.float32), sigma)
    return np.asarray(field / field.std())


def _nuclei(size: int, generator: np.random.Generator) -> np.ndarray:
    """Ellipses with chromatin texture over a weak cytoplasm."""
    texture = _texture(size, generator, generator.uniform(1.5, 10))
    depth = generator.uniform(0, 0.6)
    image = generator.choice([0.0, generator.uniform(0, 0.15)]) * _slow(size, generator, size / 5)
    for distance, scale in _ellipses(size, generator):
        inside = 1 / (1 + np.exp(np.clip((distance - scale) / generator.uniform(0.5, 3), -50, 50)))
        filled = inside * np.clip(1 + depth * texture, 0.05, None)
        image = np.maximum(image, generator.uniform(0.15, 1) * filled)
    return np.asarray(image)


def _membranes(size: int, generator: np.random.Generator) -> np.ndarray:
    """Outlines of ellipses, or borders between the nearest of random points."""
    image = np.zeros((size, size))
    width = generator.uniform(1.0, 5.0)
    if generator.random() < 0.5:
        for distance, scale in _ellipses(size, generator):
            outline = np.exp(-0.5 * ((distance - scale) / width) ** 2)
            image = np.maximum(image, generator.uniform(0.2, 1) * outline)
        return image
    return np.exp(-0.5 * (_to_border(size, generator) / width) ** 2)


def _to_border(size: int, generator: np.random.Generator) -> np.ndarray:
    """Distance to the border between the two nearest of random points (a Voronoi diagram)."""
    points = generator.uniform(0, size, (int(generator.integers(6, 120)), 2))
    bend = generator.uniform(0, 12)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    y = y + bend * _texture(size, generator, 12)
    near = np.asarray(cKDTree(points).query(np.stack([y.ravel(), x.ravel()], 1), k=2)[0])
    return np.asarray((near[:, 1] - near[:, 0]).reshape(size, size) / 2)


def _network(size: int, generator: np.random.Generator) -> np.ndarray:
    """Zero lines of a smooth random field: a network such as the endoplasmic reticulum."""
    field = _texture(size, generator, generator.uniform(2.5, 14))
    lines = np.exp(-0.5 * (field / generator.uniform(0.08, 0.35)) ** 2)
    return np.asarray(lines * (0.1 + _slow(size, generator, size / 4)))


def _dead_leaves(size: int, generator: np.random.Generator) -> np.ndarray:
    """Occluding discs with a power law of radii (Achddou, Gousseau & Ladjal 2021)."""
    image = np.zeros((size, size))
    y, x = np.ogrid[:size, :size]
    smallest, largest, power = 3.0, size / 4, 2.0
    for _ in range(int(generator.integers(100, 500))):
        part = generator.random()
        inverse = smallest**-power + part * (largest**-power - smallest**-power)
        radius = inverse ** (-1 / power)
        cy, cx = generator.uniform(-0.1, 1.1, 2) * size
        low, high = max(int(cy - radius), 0), min(int(cy + radius) + 1, size)
        left, right = max(int(cx - radius), 0), min(int(cx + radius) + 1, size)
        if low >= high or left >= right:
            continue
        disc = (y[low:high] - cy) ** 2 + (x[:, left:right] - cx) ** 2 <= radius**2
        image[low:high, left:right][disc] = generator.random() ** 1.5
    return image


def _cells(size: int, generator: np.random.Generator) -> np.ndarray:
    """Thresholded texture with slow shading: tissue, cytoplasm."""
    field = _texture(size, generator, generator.uniform(3, 24))
    shade = _slow(size, generator, size / 5)
    return np.asarray(np.clip(field - generator.uniform(-0.5, 1.5), 0, None) * (0.2 + shade))


def _gradient(size: int, generator: np.random.Generator) -> np.ndarray:
    """Smooth shading alone."""
    return _slow(size, generator, size / generator.uniform(1.5, 6))


def _flat(size: int, generator: np.random.Generator) -> np.ndarray:
    """The same brightness everywhere."""
    return np.ones((size, size))


def _empty(size: int, generator: np.random.Generator) -> np.ndarray:
    """No light."""
    return np.zeros((size, size))


def _mixed(size: int, generator: np.random.Generator) -> np.ndarray:
    """Sum of two other structures of different brightness."""
    kinds = ("filaments", "vesicles", "nuclei", "membranes", "network", "cells")
    first, second = generator.choice(kinds, 2, replace=False)
    one, two = _DRAW[str(first)](size, generator), _DRAW[str(second)](size, generator)
    mixed = one / max(one.max(), 1e-9) + generator.uniform(0.1, 1) * two / max(two.max(), 1e-9)
    return np.asarray(mixed)


_DRAW: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "filaments": _filaments,
    "bundles": _bundles,
    "vesicles": _vesicles,
    "nuclei": _nuclei,
    "membranes": _membranes,
    "network": _network,
    "dead leaves": _dead_leaves,
    "cells": _cells,
    "mixed": _mixed,
    "gradient": _gradient,
    "flat": _flat,
    "empty": _empty,
}

KINDS = tuple(_DRAW)
"""Kinds of structures that can be drawn."""
