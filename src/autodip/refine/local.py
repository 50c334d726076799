"""Local Wiener filters on overlapping blocks and their cosine transform."""

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
"""Width of the Gaussian window that power of residuals is averaged over, in steps of blocks."""
_RIDGE = 0.02


@dataclass(frozen=True)
class Blocks:
    """Blocks of 8 x 8 pixels, 2 apart, of a stabilised image, in the cosine domain.

    Parameters
    ----------
    image : ndarray, float, shape (Y, X)
        With noise of variance 1.
    coefficients : Tensor, shape (64, n)
        Of the blocks of the image, reflected at its border.
    power : Tensor, shape (64, 1)
        Expected square of each coefficient of the noise; 1 for white noise.
    basis : Tensor, shape (64, 64)
        From pixels to coefficients.
    """

    image: np.ndarray = field(repr=False)
    coefficients: Tensor = field(repr=False)
    power: Tensor = field(repr=False)
    basis: Tensor = field(repr=False)

    @classmethod
    def of(cls, image: np.ndarray, correlation: np.ndarray, device: str) -> Blocks:
        """Cut an image (Y, X) whose noise has an autocorrelation (5, 5)."""
        matrix = dct(np.eye(_SIZE), axis=0, norm="ortho")
        basis = torch.tensor(np.kron(matrix, matrix), dtype=torch.float32, device=device)
        power = block_covariance(correlation, _SIZE, device)
        power = ((basis @ power) * basis).sum(1, keepdim=True)
        return cls(image, basis @ _cut(image, device), power, basis)

    def transform(self, image: np.ndarray) -> Tensor:
        """Coefficients (64, n) of another image of the same shape."""
        return self.basis @ _cut(image, str(self.basis.device))

    def assemble(self, coefficients: Tensor, weight: Tensor) -> np.ndarray:
        """Average overlapping blocks (64, n), each with its weight (1, n); (Y, X)."""
        shape = self.padded
        pixels = self.basis.T @ coefficients
        total = _fold(pixels * weight, shape) / _fold(weight.expand_as(pixels), shape)
        rows, columns = self.image.shape
        inner = total[_SIZE : _SIZE + rows, _SIZE : _SIZE + columns]
        result: np.ndarray = inner.cpu().numpy().astype(np.float64)
        return result

    @property
    def grid(self) -> tuple[int, int]:
        """Blocks along Y and along X."""
        rows, columns = ((n - _SIZE) // _STEP + 1 for n in self.padded)
        return rows, columns

    @property
    def padded(self) -> tuple[int, int]:
        """Pixels of the padded image along Y and along X."""
        margins = zip(self.image.shape, _margins(self.image), strict=True)
        rows, columns = (n + sum(pad) for n, pad in margins)
        return rows, columns


def return_excess(blocks: Blocks, pilot: np.ndarray, threshold: float) -> np.ndarray:
    """Give back to a pilot what its residual has beyond noise.

    ``pilot + G (noisy - pilot)`` in the cosine domain, the Wiener gain G = e / (e + 1) with e the
    local power of the residual in units of the noise's, less ``threshold``; 0 where the residual
    looks like noise.

    Parameters
    ----------
    blocks : Blocks
        Of the noisy image.
    pilot : ndarray, shape (Y, X)
    threshold : float
        1 or more; above 1, as a local power scatters around its expectation.

    Returns
    -------
    ndarray, float64, shape (Y, X)
    """
    residual = blocks.coefficients - blocks.transform(pilot)
    power = (residual**2 / blocks.power).reshape(_SIZE, _SIZE, *blocks.grid).cpu().numpy()
    local = gaussian_filter(power, (0, 0, _SMOOTH, _SMOOTH))
    kernel = np.array([0.5, 1, 0.5])
    flat = np.ones((_SIZE, _SIZE, 1, 1), local.dtype)
    for axis in (0, 1):
        local = convolve1d(local, kernel, axis, mode="constant")
        flat = convolve1d(flat, kernel, axis, mode="constant")
    excess = torch.tensor(local / flat - threshold).clamp_min(0)
    excess = excess.reshape(_SIZE * _SIZE, -1).to(residual)
    gain = excess / (excess + 1)
    weight = 1 / (_RIDGE + (gain**2 * blocks.power).sum(0, keepdim=True))
    result: np.ndarray = pilot + blocks.assemble(gain * residual, weight)
    return result


def wiener(blocks: Blocks, pilot: np.ndarray) -> np.ndarray:
    """Filter the noisy image by the gain P² / (P² + noise), P the coefficients of the pilot.

    The means of the blocks are kept; overlapping blocks are weighted by the inverse of the
    variance of their noise. The second step of many denoisers (Ghael, Sayeed & Baraniuk 1997).

    Parameters
    ----------
    blocks : Blocks
        Of the noisy image.
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
    # Cutting the lags off makes some eigenvalues negative, which no covariance has.
    values = np.maximum(values, 0.01 * values.max())
    return torch.tensor((vectors * values) @ vectors.T, dtype=torch.float32, device=device)


def _margins(image: np.ndarray) -> list[tuple[int, int]]:
    """Pixels before and after, so that blocks cover every pixel equally often."""
    return [(_SIZE, _SIZE + (-(n + _SIZE)) % _STEP) for n in image.shape]


def _cut(image: np.ndarray, device: str) -> Tensor:
    """Blocks (64, n) of an image (Y, X)."""
    padded = np.pad(image, _margins(image), mode="symmetric")
    tensor = torch.tensor(padded, dtype=torch.float32, device=device)
    return F.unfold(tensor[None, None], _SIZE, stride=_STEP)[0]


def _fold(pixels: Tensor, shape: tuple[int, int]) -> Tensor:
    return F.fold(pixels[None], shape, _SIZE, stride=_STEP)[0, 0]
