"""The learned prior applied to an image: stabilise, denoise, observe the noise, denoise again.

The network is told the correlation of the noise, which was estimated in the flattest parts of the
image. In the first pass it is told that the noise has the estimated strength; the residual of the
result then shows how strong the noise is at every brightness, which is told to the next pass. The
result of the last pass is made as bright as the image.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autodip.compute.device import multiplies_bfloat16
from autodip.physics.anscombe import Stabiliser
from autodip.physics.flux import keep_flux
from autodip.physics.noise import Noise
from autodip.prior.architecture import PriorNet, conditions
from autodip.prior.bootstrap import corrected, redraw
from autodip.prior.observation import LAGS, Observation, correlation_of, estimated
from autodip.util.cancelling import check

MARGIN = 32
"""Pixels reflected at every border."""

_LOW, _DARKEST = 1, 60.0
"""Percentile of a stabilised image, and its largest value that the network is given; brighter
images are darkened to it. In training nothing was brighter than about 200, but the transform for
noise that hardly grows with brightness starts at 2000."""

_MOST_RETURNED, _OUTLIER = 0.12, 3.0
"""Largest share of the residual that is returned, and its largest value in standard deviations."""

_CONTRAST = 0.002
"""Share by which the expected squared error may grow where the contrast of a result is corrected;
0.01 dB."""


@dataclass(frozen=True)
class Pass:
    """Result of one pass over several images.

    Parameters
    ----------
    number, passes : int
        Number of this pass, from 1, and of all passes.
    images : list of ndarray, float64, shape (Y, X)
        Denoised images in their own units.
    observed : sequence of Observation
        Noise that the pass was told.
    """

    number: int
    passes: int
    images: list[np.ndarray]
    observed: Sequence[Observation]


def apply_prior(
    net: PriorNet,
    images: Sequence[np.ndarray],
    noises: Sequence[Noise],
    *,
    passes: int = 2,
    orientations: int = 1,
    grain: float = 0.0,
    observed: Sequence[Observation] | None = None,
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
        At least 1; later passes are told how strong the noise is that the pass before removed.
    orientations : int
        1 to 32: number of copies, turned and flipped (8) and shifted by a pixel (4 times as many),
        whose results are averaged in the last pass.
    grain : float
        Share by which the expected squared error, of a single orientation, may grow by noise that
        is returned to the result of the last pass; 0 for none. A single pass returns none.
    observed : sequence of Observation, optional
        Noise of each image if it was observed, for example in the frame before; there is only one
        pass then.
    """
    transforms = [
        Stabiliser.of(noise, float(image.min()))
        for image, noise in zip(images, noises, strict=True)
    ]
    stable = np.stack(
        [change.forward(image) for change, image in zip(transforms, images, strict=True)]
    )
    passes = passes if observed is None else 1
    told = [estimated(noise) for noise in noises] if observed is None else list(observed)
    for number in range(1, passes + 1):
        last = number == passes
        result = denoise_stable(net, stable, told, orientations=orientations if last else 1)
        kept = _returned(stable, result, told, grain) if last else result
        # Algebraic, because the network predicts the transform of the truth.
        grey = [change.algebraic_inverse(one) for change, one in zip(transforms, kept, strict=True)]
        if last:
            grey = [
                keep_flux(
                    image,
                    one,
                    change.black,
                    allowed=_CONTRAST * (expected_error(image, one, known) or 0.0),
                )
                for image, one, change, known in zip(images, grey, transforms, told, strict=True)
            ]
        yield Pass(number, passes, grey, told)
        if not last:
            told = _observed(net, stable, result, noises, told)


def prior_result(net: PriorNet, image: np.ndarray, noise: Noise, **options: Any) -> np.ndarray:
    """Result (Y, X) of the last pass for one image, with options of :func:`apply_prior`."""
    *_, last = apply_prior(net, [image], [noise], **options)
    return last.images[0]


def _observed(
    net: PriorNet,
    stable: np.ndarray,
    result: np.ndarray,
    noises: Sequence[Noise],
    told: Sequence[Observation],
) -> list[Observation]:
    """Strength of the noise that a pass removed, corrected by a bootstrap."""
    redrawn = [
        redraw(noisy, one, correlation_of(noise))
        for noisy, one, noise in zip(stable, result, noises, strict=True)
    ]
    again = denoise_stable(net, np.stack([one.stable for one in redrawn]), told)
    found = [corrected(*pair) for pair in zip(redrawn, again, strict=True)]
    return [
        dataclasses.replace(new, correlation=old.correlation)
        for new, old in zip(found, told, strict=True)
    ]


def _returned(
    stable: np.ndarray, result: np.ndarray, told: Sequence[Observation], grain: float
) -> np.ndarray:
    """Return a share of the residual to each result.

    A result that minimises the squared error lacks what cannot be told from noise, and looks
    painted.
    """
    kept = []
    for noisy, one, known in zip(stable, result, told, strict=True):
        share = min(known.fault.share(grain), _MOST_RETURNED) if known.fault else 0.0
        residual = noisy - one
        limit = _OUTLIER * float(residual.std())
        kept.append(one + share * np.clip(residual, -limit, limit))
    return np.stack(kept)


def expected_error(image: np.ndarray, result: np.ndarray, known: Observation) -> float | None:
    """Expected mean squared error of a result; None if it was not determined.

    Parameters
    ----------
    image, result : ndarray, shape (Y, X)
        In the same units.
    known : Observation
        Noise that the last pass was told.
    """
    if known.fault is None:
        return None
    removed = float(np.mean((image - result) ** 2))
    return removed * known.fault.error / max(known.fault.removed, 1e-12)


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
    half = multiplies_bfloat16(str(device))
    unknown = [(0.0,) * len(LAGS)] * len(stable)
    correlations = unknown if observed is None else [one.correlation for one in observed]
    total = torch.zeros_like(noisy)
    for number in range(orientations):
        check()
        turned = _turned(noisy, number)
        lags = [turned_lags(one, number) for one in correlations]
        given = conditions(
            None if deviation is None else _turned(deviation, number),
            torch.tensor(lags, device=device),
            tuple(turned.shape),
        )
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.bfloat16, enabled=half),
        ):
            total += _turned_back(net(turned, given).float(), number)
    found = (total / orientations)[:, 0].cpu().numpy().astype(np.float64) + above
    return np.asarray(found[:, MARGIN : MARGIN + rows, MARGIN : MARGIN + columns])


def _padded(stable: np.ndarray, multiple: int) -> np.ndarray:
    """Reflect the borders, to sides that are multiples of a number."""
    sides = [(MARGIN, MARGIN + (-n) % multiple) for n in stable.shape[1:]]
    return np.pad(stable, [(0, 0), *sides], mode="symmetric")


def _turned(x: Tensor, number: int) -> Tensor:
    """One of eight orientations of images (N, 1, Y, X), shifted by 0 or 1 along Y and X."""
    x = torch.roll(x, divmod(number // 8, 2), (2, 3))
    x = torch.rot90(x, number % 4, (2, 3))
    return x.flip(3) if number % 8 >= 4 else x


def _turned_back(x: Tensor, number: int) -> Tensor:
    x = x.flip(3) if number % 8 >= 4 else x
    down, right = divmod(number // 8, 2)
    return torch.roll(torch.rot90(x, -(number % 4), (2, 3)), (-down, -right), (2, 3))


def turned_lags(correlation: Sequence[float], number: int) -> tuple[float, ...]:
    """Correlation of the noise of an image in one of its orientations."""
    at = dict(zip(LAGS, correlation, strict=True))
    found = []
    for dy, dx in LAGS:
        y, x = (dx, -dy) if number % 2 else (dy, dx)
        x = -x if number % 8 >= 4 else x
        found.append(at[y, x] if (y, x) in at else at[-y, -x])
    return tuple(found)
