"""What happened to an image before it was stored, as far as its pixels show: scan, file, resizing.

None of it can be undone afterwards; the image should be recorded or exported again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter1d

from autodip.physics.noise import Noise

SMALLEST = 64
"""Smallest side of a plane that is examined, in pixels."""

_FACTORS = (4, 3, 2)
"""Numbers of repetitions of a pixel that are recognised."""

_BLOCK, _BLOCKY = 8, (1.06, 8.0)
"""Side of the blocks of JPEG, in pixels; by which factor the steps at their borders exceed others,
and by how many standard deviations of these."""

_HALF, _QUANTISED = 4, 0.08
"""Index from which DCT coefficients of a block are fine, and by how much the share of those that
are 0 must exceed the share in blocks that are shifted by half of their side."""

_SMOOTH, _JITTER, _TIMES = 1.0, 0.3, 6.0
"""Standard deviation of the filter along the rows, in pixels; smallest shift that is reported, in
pixels; ratio of its variance to that between columns, which structure explains."""

_INTERPOLATED = 0.3
"""Correlation of the noise of adjacent pixels from which an image was probably interpolated."""


def artefacts(plane: np.ndarray, noise: Noise | None) -> Iterator[str]:
    """Notes on the artefacts that are found in a plane.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
        In any units.
    noise : Noise or None
        Noise of the plane, if it could be estimated.
    """
    if min(plane.shape) < SMALLEST:
        return
    factor = repetition(plane)
    if factor > 1:
        yield (
            f"every pixel is repeated {factor} x {factor} times, as by enlarging an image, so its "
            "noise cannot be estimated; denoise the original image, and enlarge the result"
        )
        return
    data = plane.astype(np.float64)
    compressed = is_quantised(data) or (is_blocky(data) and is_blocky(data.T))
    if compressed:
        yield (
            "the image was compressed with loss (blocks of 8 x 8 pixels, as of JPEG), which is not "
            "noise and stays; export it again without compression"
        )
    for name, pixels in (("row", data), ("column", data.T)):
        shift = alternating_shift(pixels)
        if shift is not None:
            yield (
                f"every other {name} is shifted by {shift:.1f} pixels, as by a bidirectional scan; "
                "correct the phase of the scan first"
            )
        elif is_jittering(pixels):
            yield f"single {name}s are shifted against each other, which is not noise and stays"
    if noise is not None and not compressed and max(noise.correlation) > _INTERPOLATED:
        yield (
            f"the noise of adjacent pixels is correlated ({noise.correlation[0]:.2f} along Y, "
            f"{noise.correlation[1]:.2f} along X), so the image was probably resized, rotated or "
            "filtered; its original pixels give a better result"
        )


def repetition(plane: np.ndarray) -> int:
    """How many times every pixel is repeated along both axes: 2, 3, 4, or 1 if it is not."""
    if plane.min() == plane.max():
        return 1
    for factor in _FACTORS:
        rows, columns = (length // factor * factor for length in plane.shape)
        inner = plane[:rows, :columns]
        first = inner[::factor, ::factor]
        if all(
            np.array_equal(first, inner[top::factor, left::factor])
            for top in range(factor)
            for left in range(factor)
        ):
            return factor
    return 1


def is_blocky(data: np.ndarray) -> bool:
    """Whether steps between adjacent columns are larger at every eighth of them."""
    inner = np.abs(np.diff(data, axis=1)).mean(axis=0)
    usual = 0.5 * (inner[:-2] + inner[2:])
    excess = inner[1:-1] - usual
    number = len(excess) // _BLOCK * _BLOCK
    means = excess[:number].reshape(-1, _BLOCK).mean(axis=0)
    largest = int(np.argmax(means))
    others = np.delete(means, [largest, (largest - 1) % _BLOCK, (largest + 1) % _BLOCK])
    factor, deviations = _BLOCKY
    level = float(usual.mean())
    clear = means[largest] > deviations * max(float(others.std()), 1e-12)
    return bool(clear and means[largest] > (factor - 1) * level)


def is_quantised(data: np.ndarray) -> bool:
    """Whether fine DCT coefficients of the blocks of JPEG are 0 more often than those of others."""
    rows, columns = (n // _BLOCK - 1 for n in data.shape)
    shares = []
    for start in (0, _BLOCK // 2):
        part = data[start : start + rows * _BLOCK, start : start + columns * _BLOCK]
        blocks = part.reshape(rows, _BLOCK, columns, _BLOCK)
        fine = np.abs(dctn(blocks, axes=(1, 3), norm="ortho"))[:, _HALF:, :, _HALF:]
        shares.append(float(np.mean(fine < 1)))
    aligned, shifted = shares
    return aligned > shifted + _QUANTISED and aligned > (1 + _QUANTISED) * shifted


def alternating_shift(data: np.ndarray) -> float | None:
    """Shift of every other row, in pixels; None if there is none.

    It is estimated as in :func:`is_jittering`, and must be the same in both halves of the rows.
    """
    shifts, weights = _shifts(data)
    sign = np.where(np.arange(len(shifts)) % 2, -1.0, 1.0)
    half = len(shifts) // 2
    found = [
        float(np.average((sign * shifts)[part], weights=weights[part]))
        for part in (slice(0, half), slice(half, None))
    ]
    mean = float(np.mean(found))
    steady = min(found) * max(found) > 0 and abs(found[0] - found[1]) < 0.5 * abs(mean)
    return abs(mean) if steady and abs(mean) >= _JITTER else None


def is_jittering(data: np.ndarray) -> bool:
    """Whether rows are shifted along X at random.

    The shift of a row against the mean of its two neighbours is estimated by least squares from
    the gradient along X, and its variance is compared with that of columns. Where most pixels are
    dark, single photons decide, and nothing is found.
    """
    if np.median(data) == data.min():
        return False
    spreads = []
    for pixels in (data, data.T):
        shifts, weights = _shifts(pixels)
        spreads.append(float(np.average(np.clip(shifts, -5, 5) ** 2, weights=weights)))
    return spreads[0] > max(_TIMES * spreads[1], _JITTER**2)


def _shifts(data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift of each row against its neighbours, and the weight of the estimate."""
    smooth = gaussian_filter1d(data, _SMOOTH, axis=1)
    usual = 0.5 * (smooth[:-2] + smooth[2:])
    slope = np.gradient(usual, axis=1)
    power = (slope**2).sum(axis=1)
    weights = np.maximum(power, 1e-300)
    return ((smooth[1:-1] - usual) * slope).sum(axis=1) / -weights, weights
