"""The prior applied to an image: stabilise, denoise, measure the noise that was removed, repeat.

The first pass knows nothing of the noise but its estimated strength. The residual of its result
shows how strong the noise is at every brightness and how it is correlated; a second pass is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autodip.physics.anscombe import Stabiliser
from autodip.physics.noise import Noise
from autodip.prior.architecture import PriorNet, conditions
from autodip.prior.observation import Observation, observe


@dataclass(frozen=True)
class Denoised:
    """Result of the prior.

    Parameters
    ----------
    pixels : ndarray, float64, shape (Y, X)
        In the units of the image.
    observation : Observation
        Noise that the last pass was told, of the stabilised image.
    """

    pixels: np.ndarray
    observation: Observation | None


def denoise_with(
    net: PriorNet,
    image: np.ndarray,
    noise: Noise,
    *,
    passes: int = 2,
    orientations: int = 1,
) -> Denoised:
    transform = Stabiliser.of(noise, float(image.min()))
    stable = transform.forward(image)
    seen: Observation | None = None
    result = run(net, stable, None, orientations=orientations)
    for _ in range(passes - 1):
        seen = observe(stable, stable - result)
        result = run(net, stable, seen, orientations=orientations)
    return Denoised(inverse(transform, result), seen)


def inverse(transform: Stabiliser, stable: np.ndarray) -> np.ndarray:
    """Algebraic inverse, because the network's target is the transform of the truth."""
    photons = np.maximum(stable, 0) ** 2 / 4 - 3 / 8 - transform.read**2
    return np.asarray(photons * transform.gain + transform.black)


def run(
    net: PriorNet, stable: np.ndarray, seen: Observation | None, *, orientations: int = 1
) -> np.ndarray:
    rows, columns = stable.shape
    multiple = net.multiple
    pad = [(16, 16 + (-n) % multiple) for n in stable.shape]
    padded = np.pad(stable, pad, mode="reflect")
    x = torch.from_numpy(padded.astype(np.float32))[None, None]
    sd = (
        None
        if seen is None
        else torch.from_numpy(seen.deviation(padded).astype(np.float32))[None, None]
    )
    total = np.zeros(stable.shape)
    for number in range(orientations):
        turned = _turn(x, number)
        lags = torch.tensor([_turn_lags(seen.correlation, number) if seen else (0.0,) * 8])
        given = conditions(None if sd is None else _turn(sd, number), lags, tuple(turned.shape))
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            out = net(turned, given).float()
        total += _turn_back(out, number)[0, 0].numpy()[16 : 16 + rows, 16 : 16 + columns]
    return total / orientations


def _turn(x: Tensor, number: int) -> Tensor:
    x = torch.rot90(x, number % 4, (2, 3))
    return x.flip(3) if number >= 4 else x


def _turn_back(x: Tensor, number: int) -> Tensor:
    x = x.flip(3) if number >= 4 else x
    return torch.rot90(x, -(number % 4), (2, 3))


def _turn_lags(c, number):
    c = list(c)
    if number % 2:
        c = [c[1], c[0], c[3], c[2], c[5], c[4], c[7], c[6]]
    if number >= 4:
        c[2], c[3] = c[3], c[2]
    return tuple(c)
