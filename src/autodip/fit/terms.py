"""Data terms: how far a prediction is from the noisy image.

Each maps a prediction and the noisy image, both (1, 1, Y, X) in [0, 1], to a scalar.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def mean_square(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference, the negative log-likelihood of white Gaussian noise."""
    return F.mse_loss(prediction, target)


def huber(delta: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Mean squared difference up to ``delta``, linear beyond it (Huber 1964).

    Differences larger than ``delta``, for example at hot pixels, have a limited influence. Within
    ``delta`` it equals :func:`mean_square`.
    """

    def term(prediction: Tensor, target: Tensor) -> Tensor:
        return 2 * F.huber_loss(prediction, target, delta=delta)

    return term


def weighted(weights: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Mean of squared differences times weights (1, 1, Y, X); a weight of 0 ignores a pixel.

    With ``weights`` inverse to the noise variance of each pixel, it is the negative log-likelihood
    of Gaussian noise whose variance differs between pixels.
    """

    def term(prediction: Tensor, target: Tensor) -> Tensor:
        return (weights * (prediction - target) ** 2).mean()

    return term
