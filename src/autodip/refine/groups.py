"""Denoising of groups of similar patches, each modelled as one normal distribution.

This follows the second step of "NL-Bayes" (Lebrun, Buades & Morel, SIAM Journal on Imaging
Sciences 6, 1665 (2013)): for patches y = x + n with noise of covariance C, and with the mean m and
the covariance S of similar patches of a guide image, ``m + S (S + C)⁻¹ (y - m)`` has the least
expected squared error.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from autodip.refine.local import block_covariance
from autodip.refine.refinement import RefineParams
from autodip.util.cancelling import check

_CHUNK = 2048
"""Number of groups estimated at once; 2048 groups of 48 patches of 36 pixels take 14 MB."""


def estimate_groups(
    noisy: np.ndarray,
    guide: np.ndarray,
    variance: np.ndarray,
    correlation: np.ndarray,
    *,
    params: RefineParams,
    device: str,
) -> np.ndarray:
    """Denoise an image in groups of patches that are similar in a guide image.

    Parameters
    ----------
    noisy, guide : ndarray, float, shape (Y, X)
        Noisy image and guide, after a variance-stabilising transform.
    variance : ndarray, shape (Y, X)
        Noise variance at every pixel.
    correlation : ndarray, shape (5, 5)
        Autocorrelation of the noise.
    params : RefineParams
        Size and step of the patches, size of the search window and of the groups, and weight of
        the noisy patches' mean in the mean of the distribution; the guide patches' mean has the
        remaining weight.
    device : str
        Name of a torch device.

    Returns
    -------
    ndarray, float64, shape (Y, X)
    """
    margin = params.patch + params.window
    data, pilot, spread = (
        torch.tensor(np.pad(a, margin, mode="symmetric"), dtype=torch.float32, device=device)
        for a in (noisy, guide, variance)
    )
    rows, columns = noisy.shape
    corners = _similar(pilot, (rows, columns), params)
    width = pilot.shape[1]
    offset = torch.arange(params.patch, device=device)
    offset = (offset[:, None] * width + offset).reshape(-1)
    centre = params.patch // 2 * (width + 1)
    covariance = block_covariance(correlation, params.patch, device)
    total, weights = torch.zeros_like(pilot).reshape(-1), torch.zeros_like(pilot).reshape(-1)
    for group in torch.split(corners, _CHUNK):
        check()
        index = group[:, :, None] + offset
        strength = spread.reshape(-1)[group[:, 0] + centre]
        estimate, weight = _bayes(
            data.reshape(-1)[index],
            pilot.reshape(-1)[index],
            strength[:, None, None] * covariance,
            params.mean_share,
        )
        total.index_add_(0, index.reshape(-1), (estimate * weight).reshape(-1))
        weights.index_add_(0, index.reshape(-1), weight.expand_as(estimate).reshape(-1))
    result = (total / weights.clamp_min(1e-12)).reshape(pilot.shape)
    inner: np.ndarray = result[margin : margin + rows, margin : margin + columns].cpu().numpy()
    return inner.astype(np.float64)


def _bayes(
    noisy: Tensor, guide: Tensor, covariance: Tensor, mean_share: float
) -> tuple[Tensor, Tensor]:
    """Estimates of groups (n, similar, pixels), and the weight (n, 1, 1) of each group."""
    mean = guide.mean(1, keepdim=True)
    centred = guide - mean
    signal = centred.transpose(1, 2) @ centred / (guide.shape[1] - 1)
    mean = mean + mean_share * (noisy.mean(1, keepdim=True) - mean)
    factor = torch.linalg.cholesky(signal + covariance)
    solved = torch.cholesky_solve((noisy - mean).transpose(1, 2), factor)
    estimate = mean + (signal @ solved).transpose(1, 2)
    # The trace of the filter is the effective number of noise values left in the estimate.
    trace = torch.cholesky_solve(signal, factor).diagonal(dim1=1, dim2=2).sum(1)
    return estimate, (1 / (trace + 1))[:, None, None]


def _similar(pilot: Tensor, shape: tuple[int, int], params: RefineParams) -> Tensor:
    """Flat indices (n, similar) of the corners of the patches most similar to each reference.

    ``pilot`` is the padded guide. Reference patches lie ``step`` pixels apart; each is compared
    with all patches in the search window around it.
    """
    size, window = params.patch, params.window
    margin = size + window
    device = pilot.device
    first = margin - size // 2
    rows, columns = (torch.arange(first, margin + n, params.step, device=device) for n in shape)
    shifts = torch.cartesian_prod(*[torch.arange(-window, window + 1, device=device)] * 2)
    core = pilot[window:-window, window:-window]
    high, wide = core.shape
    lines, rank = rows - window, columns - window
    distances = torch.empty(len(shifts), len(rows), len(columns), device=device)
    for number, (dy, dx) in enumerate(shifts.tolist()):
        check()
        moved = pilot[window + dy : window + dy + high, window + dx : window + dx + wide]
        square = F.avg_pool2d(((core - moved) ** 2)[None, None], size, stride=1)[0, 0]
        distances[number] = square[int(lines[0]) :: params.step, int(rank[0]) :: params.step][
            : len(rows), : len(columns)
        ]
    flat = distances.reshape(len(shifts), -1).T.contiguous()
    nearest = torch.topk(flat, params.similar, dim=1, largest=False).indices
    own = (rows[:, None] * pilot.shape[1] + columns).reshape(-1, 1)
    step = shifts[:, 0] * pilot.shape[1] + shifts[:, 1]
    return own + step[nearest]
