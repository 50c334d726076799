"""The learned prior applied to an image: stabilise, denoise, observe the noise, denoise again.

The first pass is told nothing of the noise beyond the estimate by which the image is stabilised.
The residual of its result shows how strong the noise is at every brightness and how neighbouring
pixels are correlated; corrected by a bootstrap, both are told to the next pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autodip.physics.anscombe import Stabiliser
from autodip.physics.noise import Noise
from autodip.prior.architecture import PriorNet, conditions
from autodip.prior.bootstrap import Fault, corrected, redraw
from autodip.prior.observation import LAGS, Observation

MARGIN = 32
"""Pixels reflected at every border."""

_LOW, _DARKEST = 1, 60.0
"""Percentile of a stabilised image, and its largest value that the network is given; brighter
images are darkened to it. In training nothing was brighter than about 200, but the transform for
noise that hardly grows with brightness starts at 2000."""

_MOST_RETURNED, _OUTLIER = 0.12, 3.0
"""Largest share of the residual that is returned, and its largest value in standard deviations."""


@dataclass(frozen=True)
class Pass:
    """Result of one pass over several images.

    Parameters
    ----------
    number, passes : int
        Number of this pass, from 1, and of all passes.
    images : list of ndarray, float64, shape (Y, X)
        Denoised images in their own units.
    observed : list of Observation, or None
        Noise that the pass was told; None for the first.
    faults : list of Fault, or None
        Expected error of the result of the pass before, for a single orientation and without
        returned noise; None for the first.
    """

    number: int
    passes: int
    images: list[np.ndarray]
    observed: list[Observation] | None
    faults: list[Fault] | None


def apply_prior(
    net: PriorNet,
    images: Sequence[np.ndarray],
    noises: Sequence[Noise],
    *,
    passes: int = 2,
    orientations: int = 1,
    grain: float = 0.0,
) -> Iterator[Pass]:
    """Denoise images of one shape; yields the result of every pass.

    Parameters
    ----------
    net : PriorNet
    images : sequence of ndarray, shape (Y, X)
        Noisy images in any units.
    noises : sequence of Noise
        Noise of each image.
    passes : int
        At least 1; later passes are told the noise that the pass before removed.
    orientations : int
        1 to 8: number of flipped and turned copies whose results are averaged in the last pass.
    grain : float
        Share by which the expected squared error, of a single orientation, may grow by noise that
        is returned to the result of the last pass; 0 for none.
    """
    transforms = [
        Stabiliser.of(noise, float(image.min()))
        for image, noise in zip(images, noises, strict=True)
    ]
    stable = np.stack(
        [change.forward(image) for change, image in zip(transforms, images, strict=True)]
    )
    observed: list[Observation] | None = None
    faults: list[Fault] | None = None
    for number in range(1, passes + 1):
        last = number == passes
        result = denoise_stable(net, stable, observed, orientations=orientations if last else 1)
        kept = _returned(stable, result, faults, grain) if last and faults else result
        grey = [_inverse(*pair) for pair in zip(transforms, kept, strict=True)]
        yield Pass(number, passes, grey, observed, faults)
        if not last:
            redrawn = [redraw(*pair) for pair in zip(stable, result, strict=True)]
            again = denoise_stable(net, np.stack([one.stable for one in redrawn]), observed)
            found = [corrected(*pair) for pair in zip(redrawn, again, strict=True)]
            observed, faults = [one for one, _ in found], [fault for _, fault in found]


def _returned(
    stable: np.ndarray, result: np.ndarray, faults: Sequence[Fault], grain: float
) -> np.ndarray:
    """Return a share of the residual to each result.

    A result that minimises the squared error lacks what cannot be told from noise, and looks
    painted.
    """
    kept = []
    for noisy, one, fault in zip(stable, result, faults, strict=True):
        share = min(fault.share(grain), _MOST_RETURNED)
        residual = noisy - one
        limit = _OUTLIER * float(residual.std())
        kept.append(one + share * np.clip(residual, -limit, limit))
    return np.stack(kept)


def denoise_stable(
    net: PriorNet,
    stable: np.ndarray,
    observed: Sequence[Observation] | None,
    *,
    orientations: int = 1,
) -> np.ndarray:
    """Denoise stabilised images.

    Parameters
    ----------
    net : PriorNet
    stable : ndarray, shape (N, Y, X)
        Variance-stabilised images.
    observed : sequence of Observation, optional
        Noise of each image; None if unknown.
    orientations : int
        As in :func:`apply_prior`.

    Returns
    -------
    ndarray, float64, shape (N, Y, X)
    """
    rows, columns = stable.shape[1:]
    padded = _padded(stable, net.multiple)
    device = next(net.parameters()).device
    above = np.maximum(np.percentile(stable, _LOW, axis=(1, 2), keepdims=True) - _DARKEST, 0)
    noisy = torch.from_numpy((padded - above).astype(np.float32))[:, None].to(device)
    deviation = None
    if observed is not None:
        spread = [one.deviation(y) for one, y in zip(observed, padded, strict=True)]
        deviation = torch.from_numpy(np.stack(spread).astype(np.float32))[:, None].to(device)
    total = torch.zeros_like(noisy)
    for number in range(orientations):
        turned = _turned(noisy, number)
        lags = [
            turned_lags(one.correlation, number) if observed else (0.0,) * len(LAGS)
            for one in (observed or [None] * len(stable))  # type: ignore[list-item]
        ]
        given = conditions(
            None if deviation is None else _turned(deviation, number),
            torch.tensor(lags, device=device),
            tuple(turned.shape),
        )
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.float16, device.type != "cpu"),
        ):
            total += _turned_back(net(turned, given).float(), number)
    found = (total / orientations)[:, 0].cpu().numpy().astype(np.float64) + above
    return np.asarray(found[:, MARGIN : MARGIN + rows, MARGIN : MARGIN + columns])


def _padded(stable: np.ndarray, multiple: int) -> np.ndarray:
    """Reflect the borders, to sides that are multiples of a number."""
    sides = [(MARGIN, MARGIN + (-n) % multiple) for n in stable.shape[1:]]
    return np.pad(stable, [(0, 0), *sides], mode="symmetric")


def _inverse(transform: Stabiliser, stable: np.ndarray) -> np.ndarray:
    """Algebraic inverse of a transform, because the network predicts the transform of the truth."""
    photons = np.maximum(stable, 0) ** 2 / 4 - 3 / 8 - transform.read**2
    return np.asarray(photons * transform.gain + transform.black)


def _turned(x: Tensor, number: int) -> Tensor:
    """One of eight orientations of images (N, 1, Y, X)."""
    x = torch.rot90(x, number % 4, (2, 3))
    return x.flip(3) if number >= 4 else x


def _turned_back(x: Tensor, number: int) -> Tensor:
    x = x.flip(3) if number >= 4 else x
    return torch.rot90(x, -(number % 4), (2, 3))


def turned_lags(correlation: Sequence[float], number: int) -> tuple[float, ...]:
    """Correlation of the noise of an image in one of its orientations."""
    at = dict(zip(LAGS, correlation, strict=True))
    found = []
    for dy, dx in LAGS:
        y, x = (dx, -dy) if number % 2 else (dy, dx)
        x = -x if number >= 4 else x
        found.append(at[y, x] if (y, x) in at else at[-y, -x])
    return tuple(found)
