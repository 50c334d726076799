"""Spectra of small blocks of an image, from which its noise is measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.fft import dct

from autodip.physics.defects import Defects

BLOCK = 12
"""Side length of the blocks, in pixels."""

REACH = 4
"""Largest lag of a noise correlation that is measured, in pixels."""

_STRIDE, _MOST = 4, 16_000
"""Smallest distance between blocks (pixels), and number of blocks above which it is increased."""

_LEAST, _LEAST_SHARE = 50, 0.03
"""Smallest number and share of blocks free of constant areas for the other blocks to be ignored."""

_SATURATED = 1e-4
"""Share of pixels with the largest value above which the image counts as saturated."""

_VARIED = 0.4
"""Smallest share of blocks that are not constant for the others to be ignored."""

_PILED = 2
"""Ratio of the number of pixels with the largest value to that with the next one, above which they
are clipped; where photons are rare, many pixels have the largest number of photons by chance."""

_frequency = np.arange(BLOCK)
RADIUS = np.hypot(_frequency[:, None], _frequency).ravel()
"""Radius of every DCT coefficient, in units of 1 / 24 cycles per pixel; shape (144,)."""

COARSEST = 2.0
"""Radius up to which coefficients always contain structure, such as shading."""

ODD = ((_frequency[:, None] + _frequency) % 2 == 1).ravel()
"""Whether the two indices of a DCT coefficient add up to an odd number; shape (144,).

Coefficients of different parity are uncorrelated for any noise whose correlation does not depend
on the signs of the lags, because one of them is symmetric along an axis and the other
antisymmetric. Spectra chosen by the one kind are thus an unbiased sample for the other.
"""


@dataclass(frozen=True)
class Spectra:
    """Mean and power spectrum of every usable block.

    Parameters
    ----------
    mean : ndarray, shape (n,)
        Mean grey value.
    power : ndarray, shape (n, 144)
        Squares of the orthonormal DCT coefficients.
    """

    mean: np.ndarray
    power: np.ndarray

    @classmethod
    def of(cls, image: np.ndarray, *, repaired: bool = False) -> Spectra:
        """Transform overlapping blocks of an image, float, at least 64 x 64 pixels.

        Spectra with defects, such as constant areas and hot pixels, and with saturated pixels are
        omitted. If hardly any block remains, all are used. Constant blocks are omitted if they are
        few: where photons are rare, they would be the flattest, and seem free of noise.
        """
        rows, columns = (n - BLOCK + 1 for n in image.shape)
        stride = max(_STRIDE, int(np.ceil(np.sqrt(rows * columns / _MOST))))
        blocks = _cut(image, stride)
        usable = ~_cut(_unusable(image, repaired), stride).any(axis=(1, 2))
        if usable.sum() < max(_LEAST, _LEAST_SHARE * usable.size):
            usable = np.ones(len(blocks), bool)
        blocks = blocks[usable]
        mean = blocks.mean(axis=(1, 2))
        # Without its mean, a bright block does not leave rounding errors in the spectrum.
        basis = _basis()
        spectrum = basis @ (blocks - mean[:, None, None]) @ basis.T
        power = spectrum.reshape(len(mean), -1) ** 2
        varied = power.any(axis=1)
        if varied.mean() < _VARIED:
            return cls(mean, power)
        return cls(mean[varied], power[varied])


def saturated(image: np.ndarray) -> float:
    """Share of pixels that are clipped at the largest value; 0 if it is 1 in 10,000 or less."""
    highest = image.max()
    count = int(np.count_nonzero(image == highest))
    below = image[image < highest]
    following = int(np.count_nonzero(below == below.max())) if below.size else 0
    share = count / image.size
    return share if share > _SATURATED and count > _PILED * following else 0.0


def expected_power(correlation: np.ndarray) -> np.ndarray:
    """Mean power of every DCT coefficient of noise of variance 1, shape (144,).

    Parameters
    ----------
    correlation : ndarray, shape (5, 5)
        Autocorrelation for lags 0 ... 4 along Y and X; it does not depend on their signs.
    """
    return np.asarray(design() @ correlation.ravel())


@cache
def design() -> np.ndarray:
    """Matrix (144, 25) from the autocorrelation at lags 0 ... 4 to the mean power."""
    basis = _basis()
    along = np.stack(
        [(basis[:, : BLOCK - d] * basis[:, d:]).sum(axis=1) for d in range(REACH + 1)], axis=1
    )
    along[:, 1:] *= 2  # lags of both signs
    return np.asarray(np.einsum("ui,vj->uvij", along, along).reshape(BLOCK**2, -1))


@cache
def _basis() -> np.ndarray:
    """Orthonormal DCT-II basis, one vector a row."""
    return np.asarray(dct(np.eye(BLOCK), norm="ortho", axis=0))


def _cut(image: np.ndarray, stride: int) -> np.ndarray:
    """Overlapping blocks, shape (n, 12, 12)."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (BLOCK, BLOCK))
    return windows[::stride, ::stride].reshape(-1, BLOCK, BLOCK)


def _unusable(image: np.ndarray, repaired: bool) -> np.ndarray:
    """Defects and, if the image is saturated, the brightest pixels."""
    defects = np.zeros(image.shape, bool) if repaired else Defects.of(image).mask
    return np.asarray(defects | (image == image.max()) if saturated(image) else defects)
