"""Regularisers: prior expectations of an image, independent of the measurement.

Each maps an output (1, 1, Y, X) in [0, 1] to a scalar that is added to the data term.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_SMOOTH = 1e-12
"""Added under the root, whose derivative is infinite at 0; on the [0, 1] scale, squared."""


def total_variation(weight: float) -> Callable[[Tensor], Tensor]:
    """Isotropic total variation (Rudin, Osher & Fatemi 1992), averaged over the pixels.

    Parameters
    ----------
    weight : float
        Factor of the mean gradient magnitude, which is in intensity ([0, 1] scale) per pixel.
    """

    def regulariser(output: Tensor) -> Tensor:
        down = output[..., 1:, :-1] - output[..., :-1, :-1]
        along = output[..., :-1, 1:] - output[..., :-1, :-1]
        return weight * torch.sqrt(down**2 + along**2 + _SMOOTH).mean()

    return regulariser
