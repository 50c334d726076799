"""Local Wiener filters on the cosine transform of overlapping blocks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from scipy.fft import dct
from scipy.ndimage import convolve1d, gaussian_filter
from torch import Tensor

_SIZE, _STEP = 8, 2
_SMOOTH = 1.5
"""Standard deviation of the Gaussian that averages the residual power, in steps of blocks."""
_RIDGE = 0.02
_WIDE = 3.0
"""Standard deviation of the Gaussian that averages it once more, to judge whether there is
structure, in steps of blocks."""
_PRESENT = (1.6, 2.4)
"""Averages, in units of the noise power, up to which there is no structure and from which there
is. In nine tenths of the places on a flat field, white noise stays below the first."""
_LEAST = 0.1
"""Least power of the noise in any direction of the space of blocks, in units of its variance. A
measured autocorrelation leaves the weakest components undetermined; a power of almost 0 would
declare all that is found in them structure, and periodic patterns would appear."""


@dataclass(frozen=True)
class Blocks:
    """Blocks of 8 x 8 pixels of a stabilised image, 2 pixels apart, in the cosine domain.

    Parameters
    ----------
    image : ndarray, float, shape (Y, X)
        Image with noise of variance 1.
    coefficients : Tensor, shape (64, n)
        Cosine coefficients of the blocks; the image is reflected at its borders.
    power : Tensor, shape (64, 1)
        Expected squared noise in each coefficient; 1 for white noise.
    basis : Tensor, shape (64, 64)
        Matrix that maps pixels to coefficients.
    """

    image: np.ndarray = field(repr=False)
    coefficients: Tensor = field(repr=False)
    power: Tensor = field(repr=False)
    basis: Tensor = field(repr=False)

    @classmethod
    def of(cls, image: np.ndarray, correlation: np.ndarray, device: str) -> Blocks:
        """Cut an image (Y, X), whose noise has the given autocorrelation (5, 5), into blocks."""
        matrix = dct(np.eye(_SIZE), axis=0, norm="ortho")
        basis = torch.tensor(np.kron(matrix, matrix), dtype=torch.float32, device=device)
        power = block_covariance(correlation, _SIZE, device)
        power = ((basis @ power) * basis).sum(1, keepdim=True)
        return cls(image, basis @ _cut(image, device), power, basis)

    def transform(self, image: np.ndarray) -> Tensor:
        """Coefficients (64, n) of another image of the same shape."""
        return self.basis @ _cut(image, str(self.basis.device))

    def assemble(self, coefficients: Tensor, weight: Tensor) -> np.ndarray:
        """Image (Y, X): average of the overlapping blocks (64, n) with weights (1, n)."""
        shape = self.padded
        pixels = self.basis.T @ coefficients
        total = _fold(pixels * weight, shape) / _fold(weight.expand_as(pixels), shape)
        rows, columns = self.image.shape
        inner = total[_SIZE : _SIZE + rows, _SIZE : _SIZE + columns]
        result: np.ndarray = inner.cpu().numpy().astype(np.float64)
        return result

    @property
    def grid(self) -> tuple[int, int]:
        """Number of blocks along Y and along X."""
        rows, columns = ((n - _SIZE) // _STEP + 1 for n in self.padded)
        return rows, columns

    @property
    def padded(self) -> tuple[int, int]:
        """Size of the padded image along Y and along X, in pixels."""
        margins = zip(self.image.shape, _margins(self.image), strict=True)
        rows, columns = (n + sum(pad) for n, pad in margins)
        return rows, columns


@dataclass(frozen=True)
class Excess:
    """What the residual of a pilot contains in excess of noise.

    Parameters
    ----------
    image : ndarray, float64, shape (Y, X)
        The pilot with that excess added.
    presence : ndarray, float64, shape (Y, X)
        Evidence that there is structure around a pixel: 0 where the residual of the whole
        neighbourhood looks like noise, 1 where it does not.
    """

    image: np.ndarray = field(repr=False)
    presence: np.ndarray = field(repr=False)


def return_excess(blocks: Blocks, pilot: np.ndarray, threshold: float) -> Excess:
    """Add to a pilot what its residual contains in excess of noise.

    The result is ``pilot + p G (noisy - pilot)`` in the cosine domain. The Wiener gain is
    G = e / (e + 1), where the excess e is the local power of the residual in units of the noise
    power, minus ``threshold``, and at least 0. The local power of noise scatters so much that it
    often exceeds the threshold. The gain is therefore multiplied by the presence p of structure,
    which is judged by the average over a neighbourhood of about 20 x 20 pixels: there,
    the strongest cosine component of white noise rarely exceeds 1.6 times its expected power.

    Parameters
    ----------
    blocks : Blocks
        Blocks of the noisy image.
    pilot : ndarray, shape (Y, X)
    threshold : float
        1 or more.

    Returns
    -------
    Excess
    """
    residual = blocks.coefficients - blocks.transform(pilot)
    power = (residual**2 / blocks.power).reshape(_SIZE, _SIZE, *blocks.grid).cpu().numpy()
    local = gaussian_filter(power, (0, 0, _SMOOTH, _SMOOTH))
    kernel = np.array([0.5, 1, 0.5])
    flat = np.ones((_SIZE, _SIZE, 1, 1), local.dtype)
    for axis in (0, 1):
        local = convolve1d(local, kernel, axis, mode="constant")
        flat = convolve1d(flat, kernel, axis, mode="constant")
    local /= flat
    wide = gaussian_filter(local, (0, 0, _WIDE, _WIDE)).max((0, 1))
    low, high = _PRESENT
    share = np.clip((wide - low) / (high - low), 0, 1)
    presence = torch.tensor(share * share * (3 - 2 * share)).reshape(1, -1).to(residual)
    excess = torch.tensor(local - threshold).clamp_min(0).reshape(_SIZE**2, -1).to(residual)
    gain = presence * excess / (excess + 1)
    weight = 1 / (_RIDGE + (gain**2 * blocks.power).sum(0, keepdim=True))
    constant = torch.zeros_like(residual)
    constant[0] = _SIZE * presence
    return Excess(
        pilot + blocks.assemble(gain * residual, weight),
        blocks.assemble(constant, torch.ones_like(presence)),
    )


def wiener(blocks: Blocks, pilot: np.ndarray) -> np.ndarray:
    """Filter the noisy image with the gain P² / (P² + noise power).

    P are the cosine coefficients of the pilot. The means of the blocks are preserved; overlapping
    blocks are weighted by the inverse of the variance of their remaining noise. This is the
    second step of many denoisers (Ghael, Sayeed & Baraniuk 1997).

    Parameters
    ----------
    blocks : Blocks
        Blocks of the noisy image.
    pilot : ndarray, shape (Y, X)

    Returns
    -------
    ndarray, float64, shape (Y, X)
    """
    signal = blocks.transform(pilot) ** 2
    gain = signal / (signal + blocks.power)
    gain[0] = 1
    weight = 1 / (gain**2 * blocks.power).sum(0, keepdim=True)
    return blocks.assemble(gain * blocks.coefficients, weight)


def block_covariance(correlation: np.ndarray, size: int, device: str) -> Tensor:
    """Covariance (size², size²) of noise in a square block, from its autocorrelation (5, 5)."""
    lags = correlation.shape[0] // 2
    y, x = np.divmod(np.arange(size**2), size)
    dy, dx = y[:, None] - y, x[:, None] - x
    near = (abs(dy) <= lags) & (abs(dx) <= lags)
    index = np.clip(dy, -lags, lags) + lags, np.clip(dx, -lags, lags) + lags
    values, vectors = np.linalg.eigh(np.where(near, correlation[index], 0.0))
    values = np.maximum(values, _LEAST)
    return torch.tensor((vectors * values) @ vectors.T, dtype=torch.float32, device=device)


def _margins(image: np.ndarray) -> list[tuple[int, int]]:
    """Padding before and after, in pixels, such that blocks cover every pixel equally often."""
    return [(_SIZE, _SIZE + (-(n + _SIZE)) % _STEP) for n in image.shape]


def _cut(image: np.ndarray, device: str) -> Tensor:
    """Blocks (64, n) of an image (Y, X)."""
    padded = np.pad(image, _margins(image), mode="symmetric")
    tensor = torch.tensor(padded, dtype=torch.float32, device=device)
    return F.unfold(tensor[None, None], _SIZE, stride=_STEP)[0]


def _fold(pixels: Tensor, shape: tuple[int, int]) -> Tensor:
    return F.fold(pixels[None], shape, _SIZE, stride=_STEP)[0, 0]
