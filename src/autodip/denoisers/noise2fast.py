"""Noise2Fast (Lequyer et al., Nature Machine Intelligence 2022): chequerboard halves, early stop.

The two colours of a chequerboard, each compacted along Y or along X, are two images of nearly
the same scene. A network learns to predict one from the other. It is validated on the whole
noisy image: once its output no longer approaches that image, training ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from autodip.denoisers import learn
from autodip.denoisers.context import Context, Denoised
from autodip.image.scaling import Scale

PATIENCE = 100
"""Number of steps without a better validation after which training ends, as in the paper."""

MOST_ITERATIONS = 3000
"""Maximum number of steps; the paper has no such limit."""

RATE = 1e-3
CHANNELS = 64
LAYERS = 8


def denoise(image: np.ndarray, context: Context) -> Denoised:
    """Denoise an image (Y, X) by Noise2Fast.

    The result is the mean of the outputs from the best validation to the end: ``PATIENCE`` + 1
    outputs, or fewer if ``MOST_ITERATIONS`` ends the training. The authors' program averages
    the last 105 outputs, which is nearly the same.

    Raises
    ------
    ImageError
        If a pixel is NaN or infinite, or all pixels are equal.
    """
    scale = Scale.of(image)
    noisy = learn.to_tensor(scale.apply(image), context.device)
    network = learn.build(_network, context)
    watched = _train(network, noisy, np.random.default_rng(context.seed))
    chosen = {
        "iterations": watched.iterations,
        "best_iteration": watched.best_iteration,
        "averaged": watched.averaged,
        "learning_rate": RATE,
        "precision": learn.precision(context.device),
    }
    return Denoised(learn.to_image(watched.mean(), scale), chosen)


def halves(image: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Both colours of a chequerboard, compacted along Y and along X.

    Parameters
    ----------
    image : Tensor, shape (1, 1, Y, X)
        The last row or column is ignored if their number is odd.

    Returns
    -------
    list of two pairs of Tensor
        The first pair has shape (1, 1, Y // 2, X), the second (1, 1, Y, X // 2). The pixel
        (y, x) of the image is in the first image of a pair if y + x is even, else in the second.
    """
    image = image[..., : image.shape[-2] // 2 * 2, : image.shape[-1] // 2 * 2]
    sideways = _squeezed(image.mT)
    return [_squeezed(image), (sideways[0].mT, sideways[1].mT)]


def _squeezed(image: Tensor) -> tuple[Tensor, Tensor]:
    """Even and odd fields of the chequerboard, compacted along Y."""
    top, bottom = image[..., ::2, :], image[..., 1::2, :]
    even = torch.arange(image.shape[-1], device=image.device) % 2 == 0
    return torch.where(even, top, bottom), torch.where(even, bottom, top)


@dataclass
class _Watch:
    """Sum and number of the outputs since the best validation, and the step of the latter."""

    total: Tensor
    best: float = float("inf")
    best_iteration: int = 0
    iterations: int = 0
    averaged: int = 0

    def see(self, output: Tensor, noisy: Tensor) -> bool:
        """Record the output of a step; returns False when training should end."""
        self.iterations += 1
        distance = float(F.mse_loss(output, noisy))
        if distance < self.best:
            self.best, self.best_iteration = distance, self.iterations
            self.total, self.averaged = torch.zeros_like(output), 0
        self.total += output
        self.averaged += 1
        return self.averaged <= PATIENCE and self.iterations < MOST_ITERATIONS

    def mean(self) -> Tensor:
        """Mean of the outputs from the best validation onwards."""
        return self.total / self.averaged


def _train(network: nn.Module, noisy: Tensor, random: np.random.Generator) -> _Watch:
    """Train on one random pair per step by binary cross-entropy; validate on the whole image."""
    pairs = [pair for a, b in halves(noisy) for pair in ((a, b), (b, a))]
    optimizer = learn.adam(network, RATE)
    watch = _Watch(torch.zeros_like(noisy))
    going = True
    while going:
        source, target = pairs[random.integers(len(pairs))]
        with learn.fast(noisy.device.type):
            guess = network(source)
        learn.descend(optimizer, F.binary_cross_entropy_with_logits(guess.float(), target))
        with torch.no_grad(), learn.fast(noisy.device.type):
            output = network(noisy)
        going = watch.see(torch.sigmoid(output.float()), noisy)
    return watch


def _network() -> nn.Module:
    """Eight 3 x 3 convolutions with 64 channels and a final 1 x 1; about 260,000 weights.

    The output is the value before the sigmoid, which the loss applies.
    """
    layers: list[nn.Module] = []
    for n in range(LAYERS):
        layers += [nn.Conv2d(CHANNELS if n else 1, CHANNELS, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(CHANNELS, 1, 1))
