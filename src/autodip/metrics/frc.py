"""Fourier ring (2-D) and shell (3-D) correlation: the finest detail on which images agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import fft
from scipy.signal.windows import tukey

from autodip.errors import ImageError, ParameterError

SMALLEST = 16
"""Minimum side of an image in pixels; below it there are too few rings."""

Threshold = Literal["1/2", "1/7", "half-bit", "3-sigma"]


@dataclass(frozen=True)
class Frc:
    """Correlation of two images at each spatial frequency.

    Parameters
    ----------
    frequency : ndarray, shape (rings,)
        Centre of each ring, in cycles per unit of the pixel size, ascending and without 0.
    correlation : ndarray, shape (rings,)
        From -1 to 1; 0 in rings in which an image has no power.
    pixels : ndarray of int, shape (rings,)
        Number of Fourier coefficients in each ring. In a real image they come in conjugate
        pairs, so half of them are independent.
    """

    frequency: np.ndarray
    correlation: np.ndarray
    pixels: np.ndarray

    def threshold(self, name: Threshold) -> np.ndarray:
        """Value of a threshold at each frequency, shape (rings,).

        ``n`` is the number of Fourier coefficients in the ring.

        - ``"1/7"``, for two images that are equally noisy: Rosenthal and Henderson, J. Mol. Biol.
          333, 2003; Nieuwenhuizen et al., Nature Methods 2013.
        - ``"1/2"``, for an image and a reference with much less noise: two images whose
          correlation is ``f`` have a mean whose correlation with a reference without noise is
          ``sqrt(2 f / (1 + f))``, which is 1/2 for 1/7 (Rosenthal and Henderson 2003).
        - ``"half-bit"``: half a bit of information per pixel in the mean of the two images,
          ``(0.2071 + 1.9102 / sqrt(n)) / (1.2071 + 0.9102 / sqrt(n))`` (van Heel and Schatz,
          J. Struct. Biol. 151, 2005).
        - ``"3-sigma"``: three standard deviations of pure noise, ``3 / sqrt(n / 2)`` (same source).

        Raises
        ------
        ParameterError
            If the name is unknown.
        """
        root = np.sqrt(self.pixels)
        if name in ("1/2", "1/7"):
            return np.full(root.shape, 1 / 2 if name == "1/2" else 1 / 7)
        if name == "half-bit":
            half: np.ndarray = (0.2071 + 1.9102 / root) / (1.2071 + 0.9102 / root)
            return half
        if name == "3-sigma":
            spread: np.ndarray = 3 * np.sqrt(2) / root
            return spread
        raise ParameterError(f"threshold {name!r}; allowed are '1/2', '1/7', 'half-bit', '3-sigma'")

    def smoothed(self, rings: int) -> np.ndarray:
        """Running mean of the correlation over ``rings`` rings, weighted by ``pixels``.

        ``rings`` is odd; at both ends the mean covers only the rings that exist.
        """
        if rings < 1 or rings % 2 == 0:
            raise ParameterError(f"smoothing over {rings} rings; use an odd number, 1 for none")
        ones = np.ones(rings)
        reach = slice(rings // 2, rings // 2 + len(self.pixels))
        total = np.convolve(self.correlation * self.pixels, ones)[reach]
        mean: np.ndarray = total / np.convolve(self.pixels, ones)[reach]
        return mean

    def resolution(self, threshold: Threshold = "1/7", *, smooth: int = 3) -> float | None:
        """Size of the finest detail that both images show: 1 / frequency of the crossing.

        The search starts at the first ring above the threshold (the innermost rings have too
        few pixels for ``"3-sigma"``, which exceeds 1 there) and ends at the next ring below the
        threshold. The crossing is interpolated linearly between this ring and the one before.
        A crossing among the first few rings means little.

        Parameters
        ----------
        threshold : {"1/2", "1/7", "half-bit", "3-sigma"}
        smooth : int
            Number of rings in the running mean, odd; 1 for no smoothing. Smoothing prevents a
            single ring that is low by chance from ending the search, and shifts an abrupt
            cut-off by up to half the width of the mean.

        Returns
        -------
        float or None
            In units of the pixel size. None if the correlation never falls below the
            threshold: the resolution is limited by the pixels, to twice their size. Infinite if
            no ring is above the threshold: nothing is resolved.
        """
        height = self.smoothed(smooth) - self.threshold(threshold)
        if not (height >= 0).any():
            return float("inf")
        first = int(np.argmax(height >= 0))
        below = np.flatnonzero(height[first:] < 0)
        if below.size == 0:
            return None
        last = first + int(below[0])
        share = height[last - 1] / (height[last - 1] - height[last])
        step = self.frequency[last] - self.frequency[last - 1]
        return float(1 / (self.frequency[last - 1] + share * step))


def frc(
    a: np.ndarray,
    b: np.ndarray,
    *,
    pixel_size: float | Sequence[float] = 1.0,
    taper: float = 0.25,
) -> Frc:
    """Correlate two images, or two volumes, in rings of spatial frequency.

    The correlation is ``sum(A conj(B)) / sqrt(sum(abs(A)**2) sum(abs(B)**2))`` over the Fourier
    coefficients of each ring (Saxton and Baumeister, J. Microsc. 127, 1982; shells: Harauz and
    van Heel 1986). It indicates resolution only if the noise of the two images is independent:
    two acquisitions of one field of view, not two results from one acquisition.

    Rings are as wide as the frequency step of the shortest side, and extend to the lowest
    Nyquist frequency of the axes (half a cycle per pixel). The sides may therefore have any
    length, and the pixel size may differ between axes.

    Parameters
    ----------
    a, b : ndarray, shape (Y, X) or (Z, Y, X), at least 16 pixels per side
        Each in its own units; scale (if positive) and offset do not matter.
    pixel_size : float or sequence of float
        Pixel size, or one value for each axis, in any unit of length.
    taper : float
        Fraction of each side over which the image is faded out towards the borders (Tukey
        window): 0 for no taper, 0.25 for an eighth at each end, 1 for the Hann window. Without
        a taper, the jump between opposite borders, which two acquisitions have in common, looks
        like resolution.

    Raises
    ------
    ImageError
        If the shapes differ, are not 2-D or 3-D, or too small, or a pixel is NaN or infinite.
    ParameterError
        If the pixel size is not above 0 or ``taper`` is outside 0 to 1.
    """
    _check(a, b)
    spacing = _spacing(pixel_size, a.ndim)
    if not 0 <= taper <= 1:
        raise ParameterError(f"taper is {taper!r}; it must be from 0 to 1")
    ring, weight, step = _rings(a.shape, spacing)
    spectra = [fft.rfftn(_windowed(data, taper)) for data in (a, b)]
    cross, power_a, power_b = (
        _ring_sum(ring, weight * values)
        for values in (
            (spectra[0] * spectra[1].conj()).real,
            np.abs(spectra[0]) ** 2,
            np.abs(spectra[1]) ** 2,
        )
    )
    scale = np.sqrt(power_a) * np.sqrt(power_b)
    correlation = np.divide(cross, scale, out=np.zeros_like(cross), where=scale > 0)
    pixels = np.rint(_ring_sum(ring, weight)).astype(int)
    return Frc(step * np.arange(1, len(pixels) + 1), correlation, pixels)


def _check(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape or a.ndim not in (2, 3) or min(a.shape) < SMALLEST:
        raise ImageError(
            "ring correlation compares two images (Y, X) or volumes (Z, Y, X) of one shape, "
            f"{SMALLEST} pixels or more a side; got {a.shape} and {b.shape}"
        )
    for name, data in (("first", a), ("second", b)):
        if not np.isfinite(data).all():
            raise ImageError(f"the {name} image has NaN or infinite pixels; replace them first")


def _spacing(pixel_size: float | Sequence[float], axes: int) -> np.ndarray:
    """Pixel size along each axis."""
    spacing = np.atleast_1d(np.asarray(pixel_size, np.float64))
    if spacing.shape not in ((1,), (axes,)) or not (np.isfinite(spacing) & (spacing > 0)).all():
        raise ParameterError(
            f"pixel size is {pixel_size!r}; it must be above 0, one number or one for each of "
            f"{axes} axes"
        )
    return np.broadcast_to(spacing, (axes,))


def _rings(shape: tuple[int, ...], spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Ring number of each ``rfftn`` coefficient (0 outside), its weight, and the ring width.

    ``rfftn`` omits coefficients that are conjugates of others; a coefficient that represents
    two of them has weight 2, any other has weight 1.
    """
    step = float(1 / (np.array(shape) * spacing).min())
    axes = [fft.fftfreq(n, d) for n, d in zip(shape[:-1], spacing[:-1], strict=True)]
    axes.append(fft.rfftfreq(shape[-1], spacing[-1]))
    grid = np.meshgrid(*axes, indexing="ij", sparse=True)
    radius = np.sqrt(np.asarray(sum(axis**2 for axis in grid)))
    ring = np.floor(radius / step + 0.5).astype(int)
    last = int(np.floor(1 / (2 * spacing.max() * step) + 1e-9))
    ring[ring > last] = 0
    weight = np.full(ring.shape, 2.0)
    weight[..., 0] = 1
    if shape[-1] % 2 == 0:
        weight[..., -1] = 1
    return ring, weight, step


def _windowed(data: np.ndarray, taper: float) -> np.ndarray:
    """Image minus its mean under the window, faded out towards the borders."""
    window = np.ones(data.shape)
    for axis, side in enumerate(data.shape):
        fade = tukey(side, taper)
        window *= fade.reshape([-1 if i == axis else 1 for i in range(data.ndim)])
    data = data.astype(np.float64)
    faded: np.ndarray = window * (data - np.average(data, weights=window))
    return faded


def _ring_sum(ring: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum over each ring, from ring 1 on."""
    return np.bincount(ring.ravel(), values.ravel())[1:]
