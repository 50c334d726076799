"""Sparse variational denoising: L1 norms of the second derivatives and of the intensity.

The image minimises the convex energy of sparse deconvolution (Zhao et al., Nature Biotechnology
40, 606, 2022) without blur, which is similar to that of SPITFIR(e) (Prigent et al. 2023):

``½ |x - y|² + w (|x_yy|₁ + |x_xx|₁ + 2 |x_xy|₁) + w s |x|₁``

where y is the noisy image minus its minimum, in standard deviations of the noise. The minimum is
found by split Bregman iterations (Goldstein & Osher 2009), whose linear step is solved exactly by
a cosine transform with reflected borders. Weight w and sparsity s are those of least risk.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.fft import dctn, idctn

from autodip.denoisers.context import Context, Denoised
from autodip.denoisers.risk import Probe, least

WEIGHTS = tuple(round(0.1 * 1.4**k, 3) for k in range(14))
"""Weights w of the second derivatives that are tried."""
SPARSITY = (0.003, 0.01, 0.03, 0.1)
"""Weights s of the intensity, relative to w, that are tried."""
ITERATIONS = 100
PENALTY = 1.0
"""Minimum penalty of the splitting constraints; strong regularisation needs more to converge."""


def denoise(image: np.ndarray, context: Context) -> Denoised:
    """Denoise an image (Y, X); the weight is chosen first, then the sparsity."""
    image = image.astype(np.float64)
    probe = Probe.of(image, context.seed)
    sigma = probe.sigma
    solve = partial(_in_units, black=float(image.min()), sigma=sigma)
    weight = least(image, partial(solve, sparsity=SPARSITY[0]), WEIGHTS, probe).setting
    found = least(image, lambda y, s: solve(y, weight, sparsity=s), SPARSITY, probe)
    parameters = {"weight": weight, "sparsity": found.setting, "sigma": sigma}
    return Denoised(found.image, {**parameters, "risk": found.evidence})


def _in_units(
    image: np.ndarray, weight: float, *, sparsity: float, black: float, sigma: float
) -> np.ndarray:
    result: np.ndarray = (
        minimise((image - black) / sigma, weight, weight * sparsity) * sigma + black
    )
    return result


def minimise(
    image: np.ndarray, weight: float, intensity: float, iterations: int = ITERATIONS
) -> np.ndarray:
    """Minimise the energy by split Bregman.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    weight, intensity : float
        Factors of the L1 norms of the second derivatives and of the intensity, 0 or more.
    iterations : int

    Returns
    -------
    ndarray, shape (Y, X)
    """
    y = image.astype(np.float32)
    squares = [2 - 2 * np.cos(np.pi * np.arange(n, dtype=np.float32) / n) for n in y.shape]
    # Squared eigenvalues of the four operators together: (a + b)**2 = a**2 + b**2 + 2ab, and the
    # mixed derivative has the factor 2 in the energy, hence 4ab.
    a, b = squares[0][:, None], squares[1][None]
    penalty = max(PENALTY, weight)
    denominator = 1 + penalty * (a**2 + b**2 + 4 * a * b + 1)
    x = y
    split = [np.zeros_like(y) for _ in range(4)]
    bregman = [np.zeros_like(y) for _ in range(4)]
    for _ in range(iterations):
        derived = _operators(x)
        for k, threshold in enumerate((weight, weight, weight, intensity)):
            moved = derived[k] + bregman[k]
            split[k] = _shrink(moved, threshold / penalty)
            bregman[k] = moved - split[k]
        right = y + penalty * _adjoint([s - g for s, g in zip(split, bregman, strict=True)])
        x = idctn(dctn(right, norm="ortho") / denominator, norm="ortho")
    return x.astype(np.float64)


def energy(x: np.ndarray, image: np.ndarray, weight: float, intensity: float) -> float:
    """Value of the energy at ``x``; arguments as for :func:`minimise`."""
    yy, xx, xy, same = (float(np.abs(part).sum()) for part in _operators(x))
    return float(((x - image) ** 2).sum()) / 2 + weight * (yy + xx + xy) + intensity * same


def _operators(x: np.ndarray) -> list[np.ndarray]:
    """Second derivatives along Y, along X, twice the mixed one, and the image itself."""
    rows, columns = _difference(x, 0), _difference(x, 1)
    return [
        -_difference_adjoint(rows, 0),
        -_difference_adjoint(columns, 1),
        2 * _difference(rows, 1),
        x,
    ]


def _adjoint(parts: list[np.ndarray]) -> np.ndarray:
    yy, xx, xy, same = parts
    along_y = _difference_adjoint(_difference(yy, 0), 0)
    along_x = _difference_adjoint(_difference(xx, 1), 1)
    mixed = 2 * _difference_adjoint(_difference_adjoint(xy, 1), 0)
    total: np.ndarray = mixed + same - along_y - along_x
    return total


def _difference(x: np.ndarray, axis: int) -> np.ndarray:
    """Forward difference; 0 at the far border, because the image is reflected there."""
    result = np.zeros_like(x)
    ahead, here = _pair(axis)
    np.subtract(x[ahead], x[here], out=result[here])
    return result


def _difference_adjoint(x: np.ndarray, axis: int) -> np.ndarray:
    result = np.zeros_like(x)
    ahead, here = _pair(axis)
    result[ahead] += x[here]
    result[here] -= x[here]
    return result


def _pair(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Slices of all pixels but the first, and of all but the last, along an axis."""
    ahead, here = [slice(None), slice(None)], [slice(None), slice(None)]
    ahead[axis], here[axis] = slice(1, None), slice(None, -1)
    return tuple(ahead), tuple(here)


def _shrink(x: np.ndarray, threshold: float) -> np.ndarray:
    """Soft thresholding."""
    return np.asarray(x - np.clip(x, -threshold, threshold))
