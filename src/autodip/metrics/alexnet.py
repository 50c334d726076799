"""LPIPS v0.1 on AlexNet features (Zhang et al., CVPR 2018), in plain torch.

The features and linear heads are not part of the package; see :mod:`autodip.metrics.weights`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from autodip.errors import ImageError
from autodip.metrics import weights
from autodip.metrics.weights import SMALLEST

_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_STEPS = ((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))
"""Stride and padding of AlexNet's convolutions."""

Features = tuple[Tensor, ...]
"""Layer responses to one image, shape (1, channel, Y, X) each, with unit norm over channels."""


def load(path: str | os.PathLike[str] | None = None) -> Lpips | None:
    """Read the weights from ``path``, by default from :func:`weights.location`.

    Returns
    -------
    Lpips or None
        None if no path is given and no weights are installed.

    Raises
    ------
    FormatError
        If the given file does not exist or does not contain the tensors.
    """
    if path is None and weights.VARIABLE not in os.environ and not weights.location().exists():
        return None
    tensors = weights.read(weights.location() if path is None else Path(path))
    return Lpips({key: torch.from_numpy(value) for key, value in tensors.items()})


class Lpips:
    """Learned perceptual distance; lower means more similar."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors

    def __call__(self, image: np.ndarray, truth: np.ndarray, *, rescale: bool = False) -> float:
        """Distance between two grey images.

        Parameters
        ----------
        image, truth : ndarray, shape (Y, X), in [0, 1]
            Both on the same scale.
        rescale : bool
            Map [0, 1] to [-1, 1] first, as LPIPS is meant to be used. The default False is
            the convention of the AUTO-DIP paper, whose values differ from standard LPIPS.

        Raises
        ------
        ImageError
            If the shapes differ or are not (Y, X), or a side is below 32 pixels.
        """
        if image.shape != truth.shape or image.ndim != 2 or min(image.shape) < SMALLEST:
            raise ImageError(
                f"LPIPS compares two images (Y, X) of one shape, {SMALLEST} pixels or more a side; "
                f"got {image.shape} and {truth.shape}"
            )
        return self.compare(*(self.features(one, rescale=rescale) for one in (image, truth)))

    def features(self, image: np.ndarray, *, rescale: bool = False) -> Features:
        """Features by which an image is compared; parameters as for calling the object.

        Raises
        ------
        ImageError
            If the image is not of shape (Y, X), or a side is below 32 pixels.
        """
        if image.ndim != 2 or min(image.shape) < SMALLEST:
            raise ImageError(
                f"LPIPS compares images (Y, X) of {SMALLEST} pixels or more a side; "
                f"got {image.shape}"
            )
        x = torch.from_numpy(image.astype(np.float32))[None, None]
        with torch.inference_mode():
            return tuple(self._layers((2 * x - 1 if rescale else x).expand(-1, 3, -1, -1)))

    def compare(self, first: Features, second: Features) -> float:
        """Distance between two images, from their features.

        Raises
        ------
        ImageError
            If the features differ in shape, as for images of different shapes.
        """
        shapes = [[tuple(layer.shape) for layer in one] for one in (first, second)]
        if shapes[0] != shapes[1]:
            raise ImageError(
                "LPIPS compares images of one shape; the features of the first layer have "
                f"{shapes[0][0]} and {shapes[1][0]}"
            )
        total = torch.zeros(())
        with torch.inference_mode():
            for layer, (one, other) in enumerate(zip(first, second, strict=True)):
                weight = self._tensors[f"lin{layer}.model.1.weight"]
                total = total + F.conv2d((one - other).square(), weight).mean()
        return float(total)

    def _layers(self, x: Tensor) -> Iterator[Tensor]:
        shift, scale = (torch.tensor(v)[:, None, None] for v in (_SHIFT, _SCALE))
        x = (x - shift) / scale
        layers = zip(weights.CONVOLUTIONS, _STEPS, strict=True)
        for layer, (index, (stride, padding)) in enumerate(layers):
            if layer in (1, 2):
                x = F.max_pool2d(x, 3, 2)
            weight, bias = (self._tensors[f"features.{index}.{k}"] for k in ("weight", "bias"))
            x = F.relu(F.conv2d(x, weight, bias, stride, padding))
            yield x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)
