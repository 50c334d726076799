"""Test whether a noisy image supports the structure of its result; it needs no ground truth.

The mean of the standardised residual, (noisy - result) / sigma, over the support of a structure has
a known standard error if the residual is noise. It is taken over blobs and lines of many sizes and
directions at every position, and over waves in overlapping blocks. The limits are such that noise
alone exceeds one of them in about one of a hundred images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import find_objects, label
from skimage.morphology import convex_hull_image

from autodip.physics.noise import Noise
from autodip.trust.hits import Hit, hits_in
from autodip.trust.periodic import Wave
from autodip.trust.standard_residual import StandardResidual
from autodip.trust.unsupported_place import Direction, SupportTest, UnsupportedPlace

_LEAST_SIDE = 32
"""Smallest side of a plane that is tested, in pixels."""

_LISTED = 50
_ROUNDED = 0.5
"""Difference of the means, in grey values, that rounding a result to integers may cause."""

_DIFFERENT = 0.5
"""Share of a structure in common up to which only one of the images has it."""

_LARGE_SPOT = 3.0
"""Standard deviation of a Gaussian in pixels from which on a spot is a blob."""

_AS_CLEAR = 0.75
"""Strength of a hit, relative to the clearest that it touches, from which on it belongs to the
outline of the structure; a spot is also seen, less clearly, by filters for longer structures."""

_ECHOES = 2.0
"""How much further than a structure other filters respond to it."""

_HOLLOW = 0.6
"""Area enclosed by a ring, relative to its own."""

_FINEST_LOST = 3.0
"""Shortest period, in pixels, of a pattern that counts as lost: what is finer is noise."""


@dataclass(frozen=True)
class _Area:
    """Hits that touch each other, the clearest first.

    ``mask`` and ``box`` are its pixels and the rectangle that contains them.
    """

    hits: tuple[Hit, ...]
    mask: np.ndarray = field(repr=False)
    box: tuple[slice, slice]


def support_of(noisy: np.ndarray, result: np.ndarray, noise: Noise | None) -> SupportTest | None:
    """Test whether the noisy image supports the structure of a result.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X)
        In the same units.
    noise : Noise or None
        Noise of the noisy image in these units.

    Returns
    -------
    SupportTest or None
        None if it cannot be tested: without a noise model, without noise, or with fewer than 32
        pixels along an axis.
    """
    if noise is None or noise.absent or min(result.shape) < _LEAST_SIDE:
        return None
    rounded = result.dtype.kind in "iu"
    noisy, result = noisy.astype(np.float64), result.astype(np.float64)
    residual = StandardResidual.of(noisy, result, noise)
    hits, limit = hits_in(residual)
    found = []
    for area in _areas(hits, result.shape):
        place = _described(area, noisy, result, white=residual.correlation is None)
        if place is not None and (not rounded or abs(place.brightness) > _ROUNDED):
            found.append(place)
    return SupportTest(limit=round(limit, 2), count=len(found), places=tuple(found[:_LISTED]))


def _areas(hits: Sequence[Hit], shape: tuple[int, ...]) -> list[_Area]:
    """Areas of hits of one kind that touch, the clearest first, without their echoes."""
    groups: dict[object, list[Hit]] = {}
    for hit in hits:
        wave = isinstance(hit.shape, Wave)
        groups.setdefault("wave" if wave else hit.deviation > 0, []).append(hit)
    areas = [area for group in groups.values() for area in _touching(group, shape)]
    taken = np.zeros(shape, bool)
    kept = []
    for area in sorted(areas, key=lambda area: -area.hits[0].strength):
        if not taken[area.hits[0].y, area.hits[0].x]:
            kept.append(area)
            for hit in area.hits:
                hit.paint(taken, _ECHOES)
    return kept


def _touching(hits: Sequence[Hit], shape: tuple[int, ...]) -> Iterator[_Area]:
    """Areas of hits that touch; their outline is that of the clearest ones."""
    painted = np.zeros(shape, bool)
    for hit in hits:
        hit.paint(painted)
    number, _ = label(painted, np.ones((3, 3)))
    together: dict[int, list[Hit]] = {}
    for hit in hits:
        together.setdefault(int(number[hit.y, hit.x]), []).append(hit)
    for everyone in together.values():
        least = _AS_CLEAR * everyone[0].strength
        clear = tuple(hit for hit in everyone if hit.strength >= least)
        outline = np.zeros(shape, bool)
        for hit in clear:
            hit.paint(outline)
        rows, columns = find_objects(outline.astype(np.int8))[0]
        yield _Area(clear, outline[rows, columns], (rows, columns))


def _described(
    area: _Area, noisy: np.ndarray, result: np.ndarray, *, white: bool
) -> UnsupportedPlace | None:
    """The place of an area; None for a pattern that may as well be noise."""
    hit = area.hits[0]
    held, supported = hit.contrasts(result, noisy)
    share = _in_common(held, supported)
    brightness = float((result - noisy)[area.box][area.mask].mean())
    direction: Direction = "added" if abs(held) >= abs(supported) else "lost"
    if isinstance(hit.shape, Wave):
        brightness = abs(held - supported)
        if direction == "lost" and not _is_certain(hit, hit.shape, white=white):
            return None
    elif share > _DIFFERENT:
        direction = "added" if hit.deviation < 0 else "lost"
    rows, columns = area.box
    return UnsupportedPlace(
        direction=direction,
        kind=_kind(area, result),
        y=(rows.start + rows.stop) // 2,
        x=(columns.start + columns.stop) // 2,
        height=rows.stop - rows.start,
        width=columns.stop - columns.start,
        brightness=float(f"{brightness:.4g}"),
        deviation=round(abs(hit.deviation), 1),
        share=round(share, 2),
    )


def _in_common(first: complex, second: complex) -> float:
    """Share of the larger amplitude that the other one has as well."""
    small, large = sorted((first, second), key=abs)
    return (small / large).real if large else 0.0


def _is_certain(hit: Hit, wave: Wave, *, white: bool) -> bool:
    """Whether a wave that the result lacks is structure.

    The spectrum of correlated noise is not known well enough where it has little power.
    """
    return white and wave.period >= _FINEST_LOST and wave.certain > hit.limit


def _kind(area: _Area, result: np.ndarray) -> str:
    """Kind of structure, by the shape of its clearest hit and by its outline."""
    shape = area.hits[0].shape
    if isinstance(shape, Wave):
        return "periodic pattern"
    hole = convex_hull_image(area.mask) & ~area.mask
    if hole.sum() > _HOLLOW * area.mask.sum():
        inside = result[area.box]
        if inside[hole].mean() > inside[area.mask].mean():
            return "ring"
    if shape.is_line:
        return "filament"
    return "spot" if shape.across < _LARGE_SPOT else "blob"
